//! Random expressions: compiled code and the evaluator at compile time must agree.

use std::fmt::{self, Display};

use proptest::prelude::*;

use crate::expand::Expander;
use crate::reader::read_all;
use crate::testing::{RELEASES, run};

/// Variables that every expression may use; the last one is special.
const VARIABLES: [&str; 4] = ["a", "b", "c", "*s*"];

/// An expression whose value is an integer.
#[derive(Clone, Debug)]
enum Expression {
    Number(i64),
    Variable(usize),
    /// A template, in which the digits 0 to 2 behind a `$` are operands, and `$v` is
    /// a variable.
    Form(&'static str, usize, Vec<Expression>),
}

/// Forms with integer operands. What loops is kept small.
const FORMS: &[&str] = &[
    "(+ $0 $1)",
    "(- $0 $1)",
    "(* $0 $1)",
    "(+ $0 $1 $2)",
    "(- $0 $1 7)",
    "(- $0)",
    "(1+ $0)",
    "(1- $0)",
    "(+ $0 200)",
    "(- $0 255)",
    "(+ -3 $0)",
    "(logand $0 $1)",
    "(logior $0 $1)",
    "(logxor $0 $1)",
    "(lognot $0)",
    "(ash $0 3)",
    "(ash $0 -20)",
    "(ash $0 33)",
    "(rem $0 97)",
    "(mod $0 -13)",
    "(values (truncate $0 7))",
    "(max $0 $1)",
    "(abs $0)",
    "(if (< $0 $1) $2 1)",
    "(if (<= $0 $1) 1 $2)",
    "(if (> $0 $1) $2 0)",
    "(if (>= $0 $1) $2 0)",
    "(if (= $0 $1) 2 $2)",
    "(if (eql $0 $1) 2 $2)",
    "(if (not (< $0 $1)) 3 $2)",
    "(if (evenp $0) $1 $2)",
    "(if (and (< $0 $1) (oddp $2)) 1 2)",
    "(if (or (zerop $0) (minusp $1)) $2 4)",
    "(if (if (< $0 0) (> $1 5) (not (= $2 1))) 1 2)",
    "(or (and (plusp $0) $1) $2)",
    "(and $0 $1 $2)",
    "(cond ((< $0 10) $1) ((= $v 3) 8) ((> $2 100) 5) (t 6))",
    "(case (rem $0 5) (0 $1) ((1 2) $2) (3 $v) (t 9))",
    "(progn $0 $1)",
    "(prog1 $0 $1)",
    "(let (($v $0)) $1)",
    "(let ((a $0) (b $1)) $2)",
    "(let* ((a $0) (b $1)) $2)",
    "(let ((*s* $0) (a $1)) $2)",
    "(setq $v $0)",
    "(+ $v (setq $v $0) $v)",
    "(- (setq $v $0) $v)",
    "(if (< $v (setq $v $0)) $v $1)",
    "(progn (incf $v) (+ $0 $v))",
    "(let ((n 0)) (dotimes (i 3) (setq n (rem (+ n i $0) 10007))) n)",
    "(let ((n 0)) (tagbody again (setq n (1+ n) $v (rem $0 1009)) (if (< n 3) (go again))) $v)",
    "(do ((i 0 (1+ i)) (n $0 (rem (+ n $1) 99991))) ((= i 3) n))",
    "(funcall #'(lambda (a) $0) $1)",
    "(funcall #'(lambda (&optional (b $0) &rest r) (declare (ignore r)) (+ b $1)))",
    "(funcall #'(lambda (&key (a $0) b) (if b $1 a)) :b $2)",
    "((lambda (a b) $0) $1 $2)",
    "(let ((f #'(lambda (b) (setq a (rem (+ a b) 1013))))) (funcall f $0) (funcall f $1))",
    "(flet ((f (a) $0)) (+ (f $1) (f 3)))",
    "(flet ((f () (incf $v) $0)) (- (f) (f)))",
    "(labels ((f (n b) (if (<= n 0) $0 (f (1- n) (rem $1 1009))))) (f 3 $2))",
    "(labels ((f (n) (if (<= n 0) $0 (g (1- n)))) (g (n) (if (<= n 0) $1 (+ 1 (f (1- n)))))) (f 3))",
    "(apply #'+ $0 (list $1 $2))",
    "(apply #'(lambda (&rest r) (length r)) $0 (list $1))",
    "(block x (+ 1 (if (< $0 $1) (return-from x $2) 3)))",
    "(block x (- $0 (block y (return-from x (+ $1 (return-from y $2))))))",
    "(block x (+ $0 (funcall #'(lambda (a) (return-from x $1)) $2)))",
    "(block x (mapc #'(lambda (a) (if (> a 1) (return-from x $0))) (list 1 2 $1)) $2)",
    "(block x (let ((*s* $0)) (if (< *s* 0) (return-from x *s*)) $1))",
    "(let ((n $0)) (tagbody (funcall #'(lambda () (if (< n 0) (go out)))) (setq n $1) out) n)",
    "(catch 'k (+ $0 (throw 'k $1)))",
    "(catch 'k (let ((*s* $0)) (if (oddp $1) (throw 'k *s*)) $2))",
    "(+ (catch 'k $0) $1)",
    "(unwind-protect $0 (setq $v $1))",
    "(catch 'k (unwind-protect (throw 'k $0) (setq $v $1)))",
    "(block x (unwind-protect (return-from x $0) (setq $v $1)))",
    "(multiple-value-bind (a b) (values $0 $1) $2)",
    "(multiple-value-call #'+ $0 (values $1 $2))",
    "(multiple-value-prog1 $0 $1)",
    "(+ (let ((*s* $0)) (funcall #'(lambda () (setq *s* $1))) *s*) *s*)",
    "(car (list $0 $1))",
    "(length (let ((l nil)) (push $0 l) (push $1 l) l))",
    "(svref (vector $0 $1 $2) 1)",
];

impl Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Variable(index) => f.write_str(VARIABLES[*index]),
            Self::Form(template, variable, operands) => {
                let mut parts = template.split('$');
                f.write_str(parts.next().unwrap_or(""))?;
                for part in parts {
                    match part.as_bytes()[0] {
                        b'v' => f.write_str(VARIABLES[*variable])?,
                        digit => write!(f, "{}", operands[usize::from(digit - b'0')])?,
                    }
                    f.write_str(&part[1..])?;
                }
                Ok(())
            }
        }
    }
}

fn number() -> impl Strategy<Value = i64> {
    const EDGES: &[i64] = &[
        0,
        1,
        -1,
        2,
        255,
        256,
        -255,
        -256,
        -257,
        65535,
        65536,
        -65536,
        -65537,
        2147483647,
        2147483648,
        -2147483648,
        -2147483649,
        4294967295,
        1 << 40,
    ];
    prop_oneof![3 => -9..9i64, 1 => prop::sample::select(EDGES), 1 => any::<i32>().prop_map(i64::from)]
}

fn expression() -> impl Strategy<Value = Expression> {
    let variable = 0..VARIABLES.len();
    let leaf = prop_oneof![
        number().prop_map(Expression::Number),
        variable.clone().prop_map(Expression::Variable),
    ];
    leaf.prop_recursive(5, 60, 3, move |inner| {
        let template = prop::sample::select(FORMS);
        let operands = prop::collection::vec(inner, 3);
        (template, variable.clone(), operands).prop_map(|(template, variable, operands)| {
            Expression::Form(template, variable, operands)
        })
    })
}

/// The values of forms, a line each.
fn evaluated(forms: &[String]) -> String {
    let mut expander = Expander::new();
    let mut values = String::new();
    for form in forms {
        let text = format!("(progn (defvar *s*) (setq *s* 7) {form})");
        let form = read_all("f", &text).unwrap().remove(0);
        match expander.eval(&form) {
            Ok(value) => values += &format!("{value}\n"),
            Err(error) => panic!("{form}: {error}"),
        }
    }
    values
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4, failure_persistence: None, max_shrink_iters: 50, ..Default::default()
    })]

    #[test]
    fn compiled_code_agrees(expressions in prop::collection::vec(expression(), 80)) {
        let forms: Vec<_> = expressions
            .iter()
            .map(|expression| format!("(let ((a 3) (b -70000) (c 2147483647)) (declare (ignorable a b c)) {expression})"))
            .collect();
        let expected = evaluated(&forms);
        let told: String = forms
            .iter()
            .map(|form| format!("(setq *s* 7) (tell {form})\n"))
            .collect();
        let program = format!("(defvar *s* 7)\n{told}(defun main () nil)");
        for release in RELEASES {
            let told = run(&program, release);
            for ((told, expected), form) in told.lines().zip(expected.lines()).zip(&forms) {
                prop_assert_eq!(told, expected, "{:?} {}", release, form);
            }
        }
    }
}
