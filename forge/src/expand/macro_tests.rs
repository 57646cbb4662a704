//! The standard macros: what their expansions do, and some of them to the letter.

use super::Expander;
use crate::datum::Datum;
use crate::reader::read_all;

/// Expands a form, innermost macros excluded.
fn expansion(text: &str) -> String {
    let form = read_all("f", text).unwrap().remove(0);
    Expander::new().macroexpand(&form).unwrap().to_string()
}

/// The table in `lisp/tests/macros.lisp`.
#[test]
fn expansions_do_what_they_should() {
    let text = include_str!("../../lisp/tests/macros.lisp");
    let mut expander = Expander::new();
    let mut count = 0;
    for test in read_all("macros.lisp", text).unwrap() {
        let parts = test.proper_list().unwrap();
        if parts[0] == Datum::symbol("CHECK") {
            let value = expander.eval(&parts[1]);
            let value = value.map_or_else(|error| error.to_string(), |value| value.to_string());
            assert_eq!(value, parts[2].to_string(), "{}", parts[1]);
            count += 1;
        }
    }
    assert!(count > 100);
}
