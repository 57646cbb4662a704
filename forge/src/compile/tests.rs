//! Compiled programs: how they look, and what they do.

mod large;
mod nonsense;
mod random;

use geiko_runtime::layout::Release;

use crate::testing::{RELEASES, listings, run};

/// Programs end with this: MAIN is called behind all initial forms.
const END: &str = "(defun main () (tell (list *checks*)))";

/// The functions in the file, as they are compiled.
#[test]
fn code_looks_like_this() {
    let text = include_str!("tests/functions.lisp");
    insta::assert_snapshot!("medley_2", listings(text, Release::Medley2));
    insta::assert_snapshot!("medley_3", listings(text, Release::Medley3));
}

fn check(text: &str) {
    let count = text.matches("\n(check").count();
    for release in RELEASES {
        let told = run(&format!("{text}{END}"), release);
        assert_eq!(told, format!("({count})\n"), "{release:?}");
    }
}

#[test]
fn expansions_have_their_values() {
    check(include_str!("../../lisp/tests/macros.lisp"));
}

#[test]
fn forms_have_their_values() {
    check(include_str!("../../lisp/tests/compiler.lisp"));
}
