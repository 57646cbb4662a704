//! The evaluator: values of forms, errors, limits.

use super::Expander;

/// The printed value of the last form of a text, or the error.
pub(super) fn value(text: &str) -> String {
    let mut expander = Expander::new();
    value_in(&mut expander, text)
}

pub(super) fn value_in(expander: &mut Expander, text: &str) -> String {
    let mut reader = crate::reader::Reader::new("f", text);
    let mut last = crate::Datum::nil();
    loop {
        match reader.read(&mut |form| expander.eval(form)) {
            Ok(Some(form)) => match expander.eval(&form) {
                Ok(value) => last = value,
                Err(error) => return error.to_string(),
            },
            Ok(None) => return last.to_string(),
            Err(error) => return error.to_string(),
        }
    }
}

#[test]
fn forms_have_values() {
    let cases = [
        ("(+ 1 2)", "3"),
        ("(let ((x 1) (y 2)) (setq x (+ x y)) (list x y))", "(3 2)"),
        ("`(a ,(+ 1 2) ,@(list 4 5) . z)", "(A 3 4 5 . Z)"),
    ];
    for (text, expected) in cases {
        assert_eq!(value(text), expected, "{text}");
    }
}
