//! Nonsense: the compiler answers with code or with errors, whatever it is given.

use geiko_runtime::layout::Release;
use proptest::prelude::*;

use crate::Source;
use crate::build::with_stack;
use crate::program::definitions;

const ATOMS: &[&str] = &[
    "nil",
    "t",
    ":key",
    "x",
    "y",
    "f",
    "g",
    "*s*",
    "0",
    "1",
    "-1",
    "70000",
    "1.5",
    "#\\a",
    "\"s\"",
    "&optional",
    "&rest",
    "&key",
    "&aux",
    "&body",
    "&allow-other-keys",
    "lambda",
    "quote",
    "special",
    "declare",
    "single-float",
    "car",
    "list",
    "nowhere",
    "(setf f)",
    "(setf car)",
    "#'f",
    "'x",
    "()",
    "(x)",
    "(x 1)",
    "(declare (special x))",
    "(&optional (x 1 y))",
    "(&key ((:k x) 2))",
    "`(a ,x)",
    "(lambda (x) x)",
    "#'(lambda (y) (return-from f y))",
    "(go x)",
    "(return-from f 1)",
    "(car)",
];

const OPERATORS: &[&str] = &[
    "and",
    "apply",
    "block",
    "block f",
    "catch",
    "declare",
    "defun f",
    "defun g (x y)",
    "defmacro f (x)",
    "defvar x",
    "defconstant x",
    "defstruct f",
    "eval-when (compile load eval)",
    "flet",
    "flet ((f (x) y))",
    "funcall",
    "function",
    "go",
    "if",
    "labels",
    "labels ((f (x) (g x)) (g (y) (f y)))",
    "lambda",
    "lambda (x)",
    "let",
    "let ((x 1) (y 2))",
    "let*",
    "let* ((x 1) (*s* x))",
    "locally",
    "macrolet",
    "macrolet ((f (x) x))",
    "multiple-value-bind",
    "multiple-value-bind (x y)",
    "multiple-value-call",
    "multiple-value-list",
    "multiple-value-prog1",
    "opcodes",
    "opcodes (car)",
    "opcodes (sic 300)",
    "opcodes (bind 1 2)",
    "or",
    "progn",
    "progv",
    "quote",
    "return-from",
    "return-from f",
    "setq",
    "setq x",
    "symbol-macrolet",
    "symbol-macrolet ((x y))",
    "tagbody",
    "tagbody x",
    "the",
    "throw",
    "unwind-protect",
    "values",
    "values-list",
    "declaim",
    "x",
    "f",
    "g",
    "list",
    "car",
    "+",
    "-",
    "<",
    "=",
    "mapcar",
    "mapc #'f",
    "setf",
    "setf (car x)",
    "cond",
    "case x",
    "dolist (x y)",
    "dotimes (y 3)",
    "do ((x 1 y)) (y)",
    "when",
    "make-f",
    "f-x",
    "aref",
    "eq",
    "listp",
    "((lambda (x) x)",
];

fn form() -> impl Strategy<Value = String> {
    let atom = prop::sample::select(ATOMS).prop_map(str::to_owned);
    atom.prop_recursive(5, 40, 5, |inner| {
        let operator = prop::sample::select(OPERATORS);
        let parts = prop::collection::vec(inner, 0..5);
        prop_oneof![
            5 => (operator, parts.clone())
                .prop_map(|(operator, parts)| format!("({operator} {})", parts.join(" "))),
            1 => parts.prop_map(|parts| format!("({})", parts.join(" "))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200, failure_persistence: None, ..Default::default()
    })]

    #[test]
    fn nothing_stops_the_compiler(forms in prop::collection::vec(form(), 1..8)) {
        let text = format!(
            "(defvar *s* 1) (defun h (x y) {}) (defun i (&optional x &rest y) {})",
            forms.join("\n"),
            forms[0]
        );
        let source = Source { name: "f", text: &text };
        let (first, second) = with_stack(|| {
            let result = |release| format!("{:?}", definitions(&[source], release));
            (result(Release::Medley2), result(Release::Medley2))
        });
        prop_assert_eq!(first, second);
    }
}
