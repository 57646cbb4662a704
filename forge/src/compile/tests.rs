//! Compiled programs: how they look, and what they do.

use geiko_runtime::layout::Release;

use crate::testing::listings;

/// The functions in the file, as they are compiled.
#[test]
fn code_looks_like_this() {
    let text = include_str!("tests/functions.lisp");
    insta::assert_snapshot!("medley_2", listings(text, Release::Medley2));
    insta::assert_snapshot!("medley_3", listings(text, Release::Medley3));
}
