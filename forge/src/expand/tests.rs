//! The evaluator: values of forms, errors and where they are, limits.

use proptest::prelude::*;

use super::Expander;
use super::macro_tests::renumbered;
use crate::datum::{Datum, Package, Symbol};
use crate::reader::{Reader, read_all};

/// The printed value of the last form of a text, or the error.
fn value(text: &str) -> String {
    value_in(&mut Expander::new(), text)
}

fn value_in(expander: &mut Expander, text: &str) -> String {
    let mut reader = Reader::new("f", text);
    let mut last = Datum::nil();
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

fn read(text: &str) -> Datum {
    read_all("f", text).unwrap().remove(0)
}

#[test]
fn forms_have_values() {
    let cases = [
        ("(+ 1 2)", "3"),
        ("(let ((x 1) (y 2)) (setq x (+ x y)) (list x y))", "(3 2)"),
        ("(let ((x 1)) (let ((x 2) (y x)) (list x y)))", "(2 1)"),
        ("(let* ((x 1) (y x) (x 3)) (list x y))", "(3 1)"),
        ("((lambda (x) (* x x)) 5)", "25"),
        ("(funcall (let ((n 0)) (lambda () (setq n (+ n 1)))))", "1"),
        (
            "(labels ((f (n) (if (= n 0) 1 (* n (f (- n 1)))))) (f 20))",
            "2432902008176640000",
        ),
        (
            "(labels ((f () (g)) (g () 1)) (list (f) (apply #'f nil)))",
            "(1 1)",
        ),
        ("(flet ((car (x) (list x))) (car 1))", "(1)"),
        ("(flet ((when (x) (list x))) (when 1))", "(1)"),
        ("(macrolet ((f () 1)) (flet ((f () 2)) (f)))", "2"),
        (
            "(macrolet ((f () 1)) (list (f) (macrolet ((f () 2)) (f)) (f)))",
            "(1 2 1)",
        ),
        ("(block a (block b (return-from a 1)) 2)", "1"),
        (
            "(mapcar (lambda (x) (block b (return-from b (* 2 x)))) '(1 2))",
            "(2 4)",
        ),
        ("(catch 'a (catch 'b (throw 'a 1)) 2)", "1"),
        (
            "(let ((x nil)) (catch 'a (unwind-protect (throw 'a 1) (setq x 2))) x)",
            "2",
        ),
        (
            "(defvar *v* 1) (defun f () *v*) (list (let ((*v* 2)) (f)) (f))",
            "(2 1)",
        ),
        (
            "(defvar *v* 1) (defun f (*v*) (g)) (defun g () *v*) (list (f 3) (g))",
            "(3 1)",
        ),
        (
            "(defvar *v* 1) (catch 'x (let ((*v* 2)) (throw 'x 3))) *v*",
            "1",
        ),
        ("(let ((x 1)) (declare (special x)) (symbol-value 'x))", "1"),
        (
            "(progv '(p q) '(1 2) (list (symbol-value 'p) (symbol-value 'q)))",
            "(1 2)",
        ),
        (
            "(defvar *v* 1) (defvar *v* 2) (defparameter *p* 1) (defparameter *p* 2) (list *v* *p*)",
            "(1 2)",
        ),
        ("(eval-when (:load-toplevel) (setq x 1))", "NIL"),
        ("(eval-when (:compile-toplevel) 1 2)", "2"),
        ("(progn (defmacro m (x) `(list ,x ,x)) (m 1))", "(1 1)"),
        (
            "(defun (setf foo) (v x) (list v x)) (funcall #'(setf foo) 1 2)",
            "(1 2)",
        ),
        (
            "(let ((a 1)) (setf (foo a) 2))",
            "f:1:14: the function |(SETF FOO)| is not known at compile time",
        ),
        ("(setq a 1 b 2) (list a b #.(+ 1 2))", "(1 2 3)"),
        ("(symbol-name (gensym \"X\"))", "\"X1\""),
        ("(eq (gensym) (gensym))", "NIL"),
        (
            "(intern (concatenate 'string \"MAKE-\" (symbol-name 'foo)))",
            "MAKE-FOO",
        ),
        ("(intern \"X\" (symbol-package 'si:foo))", "SI:X"),
        (
            "(format nil \"~A ~S ~D~%~~\" \"a\" \"b\" 3)",
            "\"a \\\"b\\\" 3\n~\"",
        ),
        ("(sort '(3 1 2) #'<)", "(1 2 3)"),
        (
            "(stable-sort '((1 a) (0 b) (1 c) (0 d)) #'< :key #'car)",
            "((0 B) (0 D) (1 A) (1 C))",
        ),
        ("(reduce #'- '(1 2 3) :initial-value 10)", "4"),
        ("(reduce #'list '(1 2 3) :from-end t)", "(1 (2 3))"),
        (
            "(list (member 2 '(1 2 3)) (assoc \"b\" '((\"b\" . 1)) :test #'equal) (position 3 #(1 3)))",
            "((2 3) (\"b\" . 1) 1)",
        ),
        (
            "(list (remove-duplicates '(1 2 1)) (union '(1 2) '(2 3)) (subst 1 'x '(x (x . x))))",
            "((2 1) (1 2 3) (1 (1 . 1)))",
        ),
        (
            "(list (mapcan #'list '(1 2)) (maplist #'length '(1 2)) (some #'evenp '(1 2)) (every #'evenp nil))",
            "((1 2) (2 1) T T)",
        ),
        (
            "(list (floor -7 2) (ceiling 7 2) (truncate -7 2) (round 5 2) (round 7 2) (mod -7 2) (rem -7 2))",
            "(-4 4 -3 2 4 1 -1)",
        ),
        (
            "(list (ash 1 100) (ash -5 -1) (logand 12 10) (logxor -1 5) (expt 2 64) (integer-length -8))",
            "(1267650600228229401496703205376 -3 8 -6 18446744073709551616 3)",
        ),
        (
            "(list (/ 6 3) (/ 1.0 4) (* 1.5 2) (max 1 3 2) (= 1 1.0) (< 1 2 2))",
            "(2 0.25 3.0 3 T NIL)",
        ),
        ("(subseq \"hello\" 1 3)", "\"el\""),
        (
            "(list (macroexpand-1 '(when a b)) (macroexpand 'x))",
            "((IF A (PROGN B) NIL) X)",
        ),
        (
            "(defmacro m (&environment e x) (macroexpand x e)) (macrolet ((f () ''in)) (m (f)))",
            "IN",
        ),
        ("(tagbody 1 (go a) a)", "NIL"),
        ("(the integer 3)", "3"),
        (
            "(list 'a :b \"c\" #\\d 1.5 #(1))",
            "(A :B \"c\" #\\d 1.5 #(1))",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn errors_say_what_and_where() {
    let cases = [
        ("(list\n (car 3))", "f:2:2: CAR of 3, which is not a list"),
        (
            "(foo 1)",
            "f:1:1: the function FOO is not known at compile time",
        ),
        (
            "(list foo)",
            "f:1:1: the variable FOO has no value at compile time",
        ),
        ("(3 4)", "f:1:1: 3 is not a function"),
        ("(if)", "f:1:1: IF with a wrong number of parts"),
        ("(let ((1 2)) 3)", "f:1:1: 1 is not the name of a variable"),
        ("(setq :a 2)", "f:1:1: :A is not the name of a variable"),
        ("(return-from a)", "f:1:1: there is no block A here"),
        ("(go a)", "f:1:1: there is no tag A here"),
        (
            "(funcall (block a (lambda () (return-from a 1))))",
            "f:1:1: RETURN-FROM a block that has been left",
        ),
        ("(throw 'a 1)", "f:1:1: nothing catches A"),
        ("(car 1 2)", "f:1:1: too many arguments to CAR"),
        ("(defun f (x) x) (f)", "f:1:17: too few arguments to F"),
        (
            "(flet ((f (&key a) a)) (f :b 1))",
            "f:1:24: :B is not a keyword argument",
        ),
        (
            "(lambda (&key a &optional b) 1)",
            "f:1:1: &OPTIONAL cannot stand here in a lambda list",
        ),
        ("(error \"~A is ~S\" 'x \"y\")", "f:1:1: X is \"y\""),
        (
            "\n(when)",
            "f:2:1: macro WHEN: too few parts in (WHEN); it must be (when test &body body)",
        ),
        (
            "(dolist (x))",
            "f:1:1: macro DOLIST: too few parts in (X); it must be (dolist (variable list &optional result) &body body)",
        ),
        (
            "(dotimes (i 3 4 5))",
            "f:1:1: macro DOTIMES: too many parts in (I 3 4 5); it must be (dotimes (variable count &optional result) &body body)",
        ),
        ("(setf a)", "f:1:1: macro SETF: A has no value"),
        ("(setf 3 4)", "f:1:1: macro SETF: 3 is not a place"),
        (
            "(loop for x of y)",
            "f:1:1: macro LOOP: OF cannot follow X in a loop",
        ),
        (
            "(loop for x in)",
            "f:1:1: macro LOOP: something is missing at the end of the loop",
        ),
        (
            "(loop frob)",
            "f:1:1: macro LOOP: FROB is not a clause of a loop",
        ),
        (
            "(defmacro m (x)\n (car x))\n(m 3)",
            "f:3:1: macro M: CAR of 3, which is not a list (at f:2:2)",
        ),
        (
            "(defmacro m (x) (error \"~S is wrong\" x))\n(m 3)",
            "f:2:1: macro M: 3 is wrong",
        ),
        ("(defmacro m (x &optional) 1)\n(m 3)", "1"),
        (
            "(defmacro m (x &key) 1)\n(m 3 :a 4)",
            "f:2:1: macro M: :A is not a known keyword in (M 3 :A 4)",
        ),
        (
            "(destructuring-bind (a) '(1 2) a)",
            "f:1:1: too many parts in (1 2)",
        ),
        (
            "(rplaca (list 1) 2)",
            "f:1:1: lists cannot be changed at compile time",
        ),
        ("(/ 1 0)", "f:1:1: division by zero"),
        (
            "(* 1e30 1e30)",
            "f:1:1: the result is not a number that a float can be",
        ),
        ("(aref #(1 2) 2)", "f:1:1: #(1 2) has no element 2"),
        ("#.(car 3)", "f:1:3: CAR of 3, which is not a list"),
    ];
    for (text, expected) in cases {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn nothing_runs_for_ever() {
    let long = "the evaluation takes too long";
    let deep = "the recursion is too deep";
    let cases = [
        ("(loop)", long),
        ("(let ((l (list 1))) (loop (setq l (append l l))))", long),
        (
            "(let ((l \"x\")) (loop (setq l (concatenate 'string l l))))",
            long,
        ),
        (
            "(let ((n 3)) (loop (setq n (* n n))))",
            "the number is too large",
        ),
        ("(ash 1 10000000)", "the number is too large"),
        ("(expt 10 10000000)", "the number is too large"),
        ("(make-list 100000000)", long),
        ("(defun f (x) (+ 1 (f x))) (f 1)", deep),
        ("(defmacro m () '(list (m))) (m)", deep),
        ("(defmacro m () (macroexpand '(m))) (m)", deep),
        (
            "(let ((v 1)) (dotimes (i 1000) (setq v (vector v))))",
            "nested too deeply",
        ),
    ];
    let mut expander = Expander::new();
    expander.max_steps = 100_000;
    for (text, expected) in cases {
        let message = value_in(&mut expander, text);
        assert!(message.ends_with(expected), "{text}: {message}");
        assert!(message.len() < 200, "{text}: {message}");
        assert_eq!(value_in(&mut expander, "(+ 1 2)"), "3", "after {text}");
    }
    let form = read("(n)");
    value_in(&mut expander, "(defmacro n () '(n))");
    let error = expander.macroexpand(&form).unwrap_err();
    assert_eq!(error.to_string(), "f:1:1: this macro form expands for ever");
}

#[test]
fn recursion_is_as_deep_as_the_stack() {
    let body = || {
        let mut expander = Expander::new();
        let text = "(defun count-up (l) (if l (+ 1 (count-up (cdr l))) 0))
                    (count-up (make-list 1000))";
        assert!(value_in(&mut expander, text).ends_with("too deep"));
        expander.set_stack(30 << 20);
        assert_eq!(value_in(&mut expander, text), "1000");
    };
    std::thread::Builder::new()
        .stack_size(32 << 20)
        .spawn(body)
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn the_compiler_defines_and_expands() {
    let mut expander = Expander::new();
    let form = read("\n (m 1 (2))");
    let name = Symbol::lisp("M");
    assert_eq!(expander.macroexpand_1(&form), Ok(None));
    let body = read("((list 'quote (list a b)))");
    expander
        .define_macro(&name, &read("(a (b))"), &body)
        .unwrap();
    let expansion = expander.macroexpand_1(&form).unwrap().unwrap();
    assert_eq!(expansion.to_string(), "'(1 2)");
    assert_eq!(expansion.place(), form.place());

    let scope = expander.begin_scope();
    expander.hide_macro(&name);
    assert_eq!(expander.macroexpand_1(&form), Ok(None));
    let inner = expander.begin_scope();
    expander.define_local_macro(&name, &read("(&rest x)"), &read("((car x))"));
    let expansion = expander.macroexpand_1(&form).unwrap();
    assert_eq!(expansion, Some(Datum::integer(1)));
    expander.end_scope(inner);
    assert_eq!(expander.macroexpand_1(&form), Ok(None));
    expander.end_scope(scope);
    assert!(expander.macroexpand_1(&form).unwrap().is_some());

    expander.define_function(&Symbol::lisp("TWICE"), &read("(x)"), &read("((* 2 x))"));
    expander.define_variable(&Symbol::lisp("*N*"), Datum::integer(4));
    assert_eq!(value_in(&mut expander, "(twice *n*)"), "8");
    expander.eval(&read("(defconstant +k+ 5)")).unwrap();
    let constant = Symbol::lisp("+K+");
    assert_eq!(expander.variable(&constant), Some(&Datum::integer(5)));
    expander.define_setter(
        &Symbol::lisp("ACC"),
        &Symbol::new(Package::System, "SET-ACC"),
    );
    let place = expander.macroexpand(&read("(setf (acc x) 1)")).unwrap();
    assert_eq!(place.to_string(), "(SI:SET-ACC X 1)");
}

#[test]
fn macros_become_functions() {
    let mut expander = Expander::new();
    let mut lambda = |lambda_list: &str, body: &str| {
        let name = Symbol::lisp("M");
        let lambda = expander.macro_lambda(&name, &read(lambda_list), &read(body));
        renumbered(&lambda.unwrap().to_string())
    };
    assert_eq!(
        lambda(
            "(a &optional (b 2) &body c)",
            "(\"Text.\" (declare (ignore a)) (list b) c)"
        ),
        "(LAMBDA (#:G1 #:G2) (DECLARE (IGNORABLE #:G2)) \
         (LET* ((#:G3 (SI:CHECK-LIST (CDR #:G1) 1 NIL #:G1)) (A (CAR #:G3)) \
         (B (IF (CDR #:G3) (CAR (CDR #:G3)) 2)) (C (CDR (CDR #:G3)))) \
         (DECLARE (IGNORE A)) (BLOCK M (LIST B) C)))"
    );
}

/// Names of everything that has a meaning, and of some variables.
fn any_name() -> impl Strategy<Value = Datum> {
    let expander = Expander::new();
    let mut names: Vec<_> = expander
        .globals
        .iter()
        .map(|global| global.symbol.clone())
        .collect();
    let more = "quote function if let let* setq block return-from tagbody go catch throw \
                unwind-protect multiple-value-call multiple-value-prog1 lambda flet labels \
                macrolet progv progn the locally declare special defun defmacro defvar \
                eval-when compile-toplevel &optional &rest &body &key &aux &whole \
                &allow-other-keys for in on across = then collect sum when do while into a b c";
    let lists = read_all("f", more).unwrap();
    names.extend(lists.iter().filter_map(|name| name.as_symbol().cloned()));
    proptest::sample::select(names).prop_map(Datum::Symbol)
}

fn any_form() -> impl Strategy<Value = Datum> {
    let leaf = prop_oneof![
        6 => any_name(),
        3 => proptest::sample::select(&["A", "B", "NIL", "T"]).prop_map(Datum::symbol),
        1 => (-3..100i32).prop_map(Datum::integer),
        1 => Just(Datum::Float(1.5)),
        1 => Just(Datum::Character('x')),
        1 => "[a-c~]{0,3}".prop_map(|text| Datum::string(&text)),
    ];
    leaf.prop_recursive(5, 60, 5, |inner| {
        let elements = prop::collection::vec(inner.clone(), 0..6);
        prop_oneof![
            4 => (any_name(), elements.clone()).prop_map(|(name, elements)| {
                Datum::cons(name, Datum::list(elements))
            }),
            2 => elements.clone().prop_map(Datum::list),
            1 => (elements.clone(), inner)
                .prop_map(|(elements, tail)| Datum::list_with_tail(elements, tail)),
            1 => elements.prop_map(|elements| Datum::Vector(elements.into())),
        ]
    })
}

proptest! {
    #[test]
    fn any_program_ends(forms in prop::collection::vec(any_form(), 1..4)) {
        let mut expander = Expander::new();
        expander.max_steps = 2000;
        for form in &forms {
            let _ = expander.eval(form);
            let _ = expander.macroexpand(form);
        }
    }
}
