//! The standard macros: what their expansions do, and some of them to the letter.

use super::Expander;
use crate::datum::Datum;
use crate::reader::read_all;

/// What a form expands into, as far as its operator is concerned.
fn expansion(text: &str) -> String {
    let form = read_all("f", text).unwrap().remove(0);
    let expansion = Expander::new().macroexpand(&form).unwrap();
    renumbered(&expansion.to_string())
}

/// The same text with the numbers of made symbols from 1.
pub(super) fn renumbered(text: &str) -> String {
    let mut names = Vec::new();
    let mut parts = text.split("#:G");
    let mut result = parts.next().unwrap_or("").to_string();
    for part in parts {
        let end = part
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(part.len());
        let (name, rest) = part.split_at(end);
        let number = names.iter().position(|other| *other == name);
        let number = number.unwrap_or_else(|| {
            names.push(name);
            names.len() - 1
        });
        result += &format!("#:G{}{rest}", number + 1);
    }
    result
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

#[test]
fn expansions_are_small() {
    let cases = [
        (
            "(dotimes (i 3) (f i))",
            "(BLOCK NIL (LET ((I 0)) (TAGBODY (GO #:G1) #:G2 (F I) (SETQ I (+ I 1)) #:G1 \
             (IF (< I 3) (GO #:G2) NIL)) NIL))",
        ),
        ("(push x y)", "(SETQ Y (CONS X Y))"),
        ("(incf (svref v i))", "(SI:SET-SVREF V I (+ (SVREF V I) 1))"),
        ("(setf (car x) (f))", "(SI:SET-CAR X (F))"),
        ("(setf (cadr x) 1)", "(SI:SET-CAR (CDR X) 1)"),
        ("(setf (point-x p) 1)", "(|(SETF POINT-X)| 1 P)"),
        (
            "(setf (point-x (f)) (g))",
            "(LET* ((#:G1 (F)) (#:G2 (G))) (|(SETF POINT-X)| #:G2 #:G1))",
        ),
        (
            "(case x (a 1) ((b 2) 2) (t 3))",
            "(IF (EQ X 'A) (PROGN 1) (COND ((OR (EQ X 'B) (EQ X 2)) 2) (T 3)))",
        ),
        (
            "(multiple-value-bind (a b) (f) a)",
            "(LET* ((#:G1 (MULTIPLE-VALUE-LIST (F))) (A (CAR #:G1)) (B (CAR (CDR #:G1)))) A)",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(expansion(text), expected, "{text}");
    }
}
