//! Wrong programs, and what is said about them.

use crate::testing::errors;

/// Programs and their errors.
#[rustfmt::skip]
const WRONG: &[(&str, &str)] = &[
    (
        "(defun f (x)\n\
         \x20 (g x))",
        "f:2:3: unknown function G",
    ),
    (
        "(defun f (x) x)\n\
         (defun g () (f))\n\
         (defun h () (f 1 2 3))",
        "f:2:13: F takes 1 argument, not 0\n\
         f:3:13: F takes 1 argument, not 3",
    ),
    (
        "(defun f (x &optional y) x)\n\
         (defun g () (f) (f 1 2 3))",
        "f:2:13: F takes 1 to 2 arguments, not 0\n\
         f:2:17: F takes 1 to 2 arguments, not 3",
    ),
    (
        "(defun f (x\n\
         \x20 (car x)",
        "f:1:10: this parenthesis is not closed before the end of the file",
    ),
    (
        "(defun f (x) x))\n\
         (defun g () 1)",
        "f:1:16: there is no open parenthesis for this closing one",
    ),
    (
        "(defun f () \"abc\n\
         def",
        "f:1:13: this string does not end",
    ),
    (
        "(defun f () #| comment",
        "f:1:13: this comment does not end",
    ),
    (
        "(defun f () (let ((x 1 2)) x))",
        "f:1:19: (X 1 2) is not a binding of LET: (variable value)",
    ),
    (
        "(defun f () (let (x y) (z)) w)",
        "f:1:24: unknown function Z\n\
         f:1:29: unknown variable W",
    ),
    (
        "(defun f () (let ((5 1)) 2))",
        "f:1:19: (5 1) is not a binding of LET: (variable value)",
    ),
    (
        "(defun f () (let x 1))",
        "f:1:13: LET must be (let ((variable value) ...) form ...)",
    ),
    (
        "(defun f () (tagbody (go nowhere)))",
        "f:1:22: there is no tag NOWHERE around this GO",
    ),
    (
        "(defun f () (return-from g 1))",
        "f:1:13: there is no BLOCK G around this RETURN-FROM",
    ),
    (
        "(defun f () (return 1))",
        "f:1:13: there is no BLOCK NIL around this RETURN-FROM, in the expansion of RETURN",
    ),
    (
        "(defun f (x) x)\n\
         (defun f (y) y)",
        "f:2:1: there is a function F already, at f:1:1",
    ),
    (
        "(defvar x 1)\n\
         (defvar x 2)\n\
         (defmacro m (x) x)\n\
         (defun m (x) x)",
        "f:4:1: there is a macro M already, at f:3:1",
    ),
    (
        "(defmacro m (x) (car x))\n\
         (defun f ()\n\
         \x20 (m 5))",
        "f:3:3: macro M: CAR of 5, which is not a list (at f:1:17)",
    ),
    (
        "(defmacro m (x y) `(list ,x ,y))\n\
         (defun f ()\n\
         \x20 (m 5))",
        "f:3:3: macro M: too few parts in (M 5); it must be (m x y)",
    ),
    (
        "(defmacro m (x) `(unknown-thing ,x))\n\
         (defun f ()\n\
         \x20 (list 1\n\
         \x20   (m 5)))",
        "f:4:5: unknown function UNKNOWN-THING, in the expansion of M",
    ),
    (
        "(defun f (x) (setq y 1))",
        "f:1:20: unknown variable Y",
    ),
    (
        "(defun f (x) (if))",
        "f:1:14: IF must be (if test then else)",
    ),
    (
        "(defun f (x) (if 1 2 3 4))",
        "f:1:14: IF must be (if test then else)",
    ),
    (
        "(defun f (x) (car x x))",
        "f:1:14: CAR takes 1 argument, not 2",
    ),
    (
        "(defun f (x) (cons x))",
        "f:1:14: CONS takes 2 arguments, not 1",
    ),
    (
        "(defun f (x) (1 2))",
        "f:1:14: 1 is not the name of a function",
    ),
    (
        "(defun f (x) ((car x) 2))",
        "f:1:14: (CAR X) is not the name of a function",
    ),
    (
        "(defun f (x . y) x)",
        "f:1:10: a lambda list must be a list of parameters",
    ),
    (
        "(defun f (x &foo y) x)",
        "f:1:10: &FOO is not known in a lambda list",
    ),
    (
        "(defun f (x x) x)",
        "f:1:13: X is a parameter twice",
    ),
    (
        "(defun f (&rest) x)",
        "f:1:10: &REST needs a parameter",
    ),
    (
        "(defun (f) (x) x)",
        "f:1:1: (F) is not the name of a function",
    ),
    (
        "(defun f)",
        "f:1:1: DEFUN must be (defun name (parameter ...) form ...)",
    ),
    (
        "(defun 5 (x) x)",
        "f:1:1: 5 is not the name of a function",
    ),
    (
        "(defun nil (x) x)",
        "f:1:1: NIL is a constant and cannot be a function",
    ),
    (
        "(defun f (nil) 1)",
        "f:1:11: NIL cannot be bound: it is a constant",
    ),
    (
        "(defun f (t) 1)",
        "f:1:11: T cannot be bound: it is a constant",
    ),
    (
        "(defun f () (setq t 5) (setq :a 1))",
        "f:1:19: T is a constant\n\
         f:1:30: :A is a constant",
    ),
    (
        "(defconstant +x+ 5)\n\
         (defun f () (setq +x+ 6) (let ((+x+ 1)) +x+))",
        "f:2:19: +X+ is a constant\n\
         f:2:33: +X+ cannot be bound: it is a constant",
    ),
    (
        "(defun f () 'a 'b . c)",
        "f:1:1: a form must be a list that ends with NIL",
    ),
    (
        "(defun f () (quote))",
        "f:1:13: QUOTE must be (quote object)",
    ),
    (
        "(defun f () (function))",
        "f:1:13: FUNCTION must be (function name)",
    ),
    (
        "(defun f () #'g)",
        "f:1:13: unknown function G",
    ),
    (
        "(defun f () #'(lambda))",
        "f:1:13: LAMBDA must be (lambda (parameter ...) form ...)",
    ),
    (
        "(defun f () (flet ((g (x) x)) (g)))",
        "f:1:31: G takes 1 argument, not 0",
    ),
    (
        "(defun f () (flet ((g)) (g)))",
        "f:1:20: FLET must be (flet ((name (parameter ...) form ...) ...) form ...)",
    ),
    (
        "(defun f () (funcall))",
        "f:1:13: FUNCALL must be (funcall function argument ...)",
    ),
    (
        "(defun f () (catch) (throw 'a))",
        "f:1:13: CATCH must be (catch tag form ...)\n\
         f:1:21: THROW must be (throw tag value)",
    ),
    (
        "(defun f () (block 5 1))",
        "f:1:13: BLOCK must be (block name form ...)",
    ),
    (
        "(defun f () #\\foo)",
        "f:1:13: there is no character with the name foo",
    ),
    (
        "(defun f () foo:bar)",
        "f:1:13: there is no package FOO",
    ),
    (
        "(defun f () #z)",
        "f:1:13: the syntax #z is unknown",
    ),
    (
        "(defun f () )))",
        "f:1:14: there is no open parenthesis for this closing one",
    ),
    (
        "(defun f () (let ((x 1)) (declare (foo x)) (declare 5) x))",
        "f:1:13: 5 is not a declaration",
    ),
    (
        "(defun f () (list 1 2) (declare (special x)))",
        "f:1:24: DECLARE can only be at the beginning of a body",
    ),
    (
        "(defstruct p x x)",
        "f:1:1: the field X is there twice",
    ),
    (
        "(defstruct (p (:include q)) x)",
        "f:1:1: there is no structure Q to include",
    ),
    (
        "(defstruct (p (:foo q)) x)",
        "f:1:1: (:FOO Q) is not an option of DEFSTRUCT",
    ),
    (
        "(defstruct p x)\n\
         (defun f () (make-p :y 1) (p-x) (p-x 1 2))",
        "f:2:13: MAKE-P has no keyword argument :Y\n\
         f:2:27: P-X takes 1 argument, not 0\n\
         f:2:33: P-X takes 1 argument, not 2",
    ),
    (
        "(defun f () (dolist (x) x))",
        "f:1:13: macro DOLIST: too few parts in (X); it must be (dolist (variable list &optional result) &body body)",
    ),
    (
        "(defun f () (dolist x x))",
        "f:1:13: macro DOLIST: too few parts in X; it must be (dolist (variable list &optional result) &body body)",
    ),
    (
        "(defun f () (cond 5))",
        "f:1:13: macro COND: too few parts in 5; it must be (cond &rest clauses)",
    ),
    (
        "(defun f () (case))",
        "f:1:13: macro CASE: too few parts in (CASE); it must be (case key &rest clauses)",
    ),
    (
        "(defun f () (loop for x in 5 foo))",
        "f:1:13: macro LOOP: FOO is not a clause of a loop",
    ),
    (
        "(defun f () (setf (foo x) 1))",
        "f:1:13: unknown function (SETF FOO), in the expansion of SETF\n\
         f:1:24: unknown variable X",
    ),
    (
        "(defun f () (setf 5 1))",
        "f:1:13: macro SETF: 5 is not a place",
    ),
    (
        "(defun f () `(a ,@))",
        "f:1:19: a form is expected after ,@",
    ),
    (
        "(defun f () ,x)",
        "f:1:13: a comma outside a backquote",
    ),
    (
        "(defun f () (a . b . c))",
        "f:1:20: a dot cannot stand here",
    ),
    (
        "(defun f () ( . b))",
        "f:1:15: a dot cannot stand here",
    ),
    (
        "(eval-when (foo) 1)",
        "f:1:1: FOO is not a situation of EVAL-WHEN",
    ),
    (
        "(defmacro m () (error \"bad thing ~a\" 5))\n\
         (defun f () (m))",
        "f:2:13: macro M: bad thing 5",
    ),
    (
        "(defmacro m () (loop))\n\
         (defun f () (m))",
        "f:2:13: macro M: the evaluation takes too long",
    ),
    (
        "(defmacro m (x) `(m ,x))\n\
         (defun f () (m 1))",
        "f:2:13: forms are nested too deeply",
    ),
    (
        "(defun f () (symbol-macrolet ((a a)) a))",
        "f:1:13: forms are nested too deeply",
    ),
    (
        "(defmacro m (x) `(m ,x))\n\
         (m 1)",
        "f:2:1: forms are nested too deeply",
    ),
    (
        "(defmacro m (x) `(progn (m ,x) (m ,x)))\n\
         (m 1)",
        "f:2:1: forms are nested too deeply",
    ),
    (
        "(defun f () (let ((a 1))\n\
         \x20  (b))\n\
         \n\
         (defun g () 1)",
        "f:1:1: this parenthesis is not closed before the end of the file; line 4 begins as if it were",
    ),
    (
        "(defun f () (opcodes (foo) 1))",
        "f:1:13: there is no instruction FOO",
    ),
    (
        "(defun f () (opcodes (car) 1 2))",
        "f:1:13: the instruction CAR takes 1 values from the stack, not 2",
    ),
    (
        "(defun f () (unwind-protect))",
        "f:1:13: UNWIND-PROTECT must be (unwind-protect form clean-up-form ...)",
    ),
    (
        "(defun f () 12345678901234567890 #xZZ)",
        "f:1:34: ZZ is not an integer in base 16",
    ),
    (
        "(defun f () (in-package :foo))\n\
         (in-package \"FOO\")",
        "f:1:13: unknown function IN-PACKAGE",
    ),
    (
        "(foo)\n\
         (bar 1 2)",
        "f:1:1: unknown function FOO\n\
         f:2:1: unknown function BAR",
    ),
    (
        "foo",
        "f:1:1: unknown variable FOO",
    ),
    (
        "(defun f (x) (let ((y x)) (declare (special x y)) y) (unless))",
        "f:1:54: macro UNLESS: too few parts in (UNLESS); it must be (unless test &body body)",
    ),
    (
        "(defun f () |abc",
        "f:1:13: a | of this symbol is not closed",
    ),
    (
        "(defun f (x) (declare (ignore x)) (list y z))\n\
         (defun g () y)",
        "f:1:41: unknown variable Y\n\
         f:1:43: unknown variable Z\n\
         f:2:13: unknown variable Y",
    ),
    (
        "(defun f () (the 5) (multiple-value-bind x y) (multiple-value-bind (5) y))",
        "f:1:13: THE must be (the type form)\n\
         f:1:21: MULTIPLE-VALUE-BIND must be (multiple-value-bind (variable ...) form form ...)\n\
         f:1:47: 5 is not the name of a variable\n\
         f:1:72: unknown variable Y",
    ),
    (
        "(defun compute-sum (x) x)\n\
         (defun f (count) (compute-sun 1) (let ((y coutn)) (list zz zz (when zz 1) y)) (count 1))",
        "f:2:18: unknown function COMPUTE-SUN; is COMPUTE-SUM meant?\n\
         f:2:43: unknown variable COUTN; is COUNT meant?\n\
         f:2:57: unknown variable ZZ\n\
         f:2:79: unknown function COUNT; the value of a variable is called by (funcall count ...)",
    ),
    (
        "(defmacro my-loop (&body body) `(progn (frob) ,@body (list bar)))\n\
         (defun f () (my-loop (baz) (list quux)))",
        "f:2:13: unknown variable BAR, in the expansion of MY-LOOP\n\
         f:2:13: unknown function FROB, in the expansion of MY-LOOP\n\
         f:2:22: unknown function BAZ\n\
         f:2:34: unknown variable QUUX",
    ),
    (
        "(defun f () (setq t 5) (setq :a 1) (car) (go x))",
        "f:1:19: T is a constant\n\
         f:1:30: :A is a constant\n\
         f:1:36: CAR takes 1 argument, not 0\n\
         f:1:42: there is no tag X around this GO",
    ),
    (
        "(defun f () (list 'a)))",
        "f:1:23: there is no open parenthesis for this closing one",
    ),
    (
        "(defun f ()\n\
         \x20 (g \"abc\\\"))",
        "f:2:6: this string does not end",
    ),
    (
        "(defun f (x)\n\
         \x20 (cond ((g x) 1)\n\
         \x20       ((eq x 2) (h x))))",
        "f:2:10: unknown function G\n\
         f:3:19: unknown function H",
    ),
    (
        "(defun f (x)\n\
         \x20 (let ((y (g x))\n\
         \x20       (y 2))\n\
         \x20   y))",
        "f:2:12: unknown function G\n\
         f:3:10: Y is bound twice",
    ),
    (
        "(defun f (x) (let ((x 1)) (flet ((f (x) (undefined x))) (f 1 2))))",
        "f:1:41: unknown function UNDEFINED\n\
         f:1:57: F takes 1 argument, not 2",
    ),
    (
        "(defmacro m (x) `(let ((,x 1)) (n ,x)))\n\
         (defmacro n (x) `(o ,x))\n\
         (defun f (y) (m y))",
        "f:3:14: unknown function O, in the expansion of M",
    ),
    (
        "(defstruct p x)\n\
         (defstruct p y)",
        "f:2:1: there is a structure P already, at f:1:1",
    ),
    (
        "(defun f () 1)\n\
         (defmacro f () 1)",
        "f:2:1: there is a function F already, at f:1:1",
    ),
    (
        "(defconstant +a+ 1)\n\
         (defconstant +a+ 2)\n\
         (defvar +a+ 3)",
        "f:2:1: +A+ is a constant with another value\n\
         f:3:1: +A+ is a constant",
    ),
    (
        "(defun f () (list 1e39))",
        "f:1:19: the float 1E39 is outside the range of single floats",
    ),
    (
        "#| never\n\
         ends",
        "f:1:1: this comment does not end",
    ),
    (
        "(defun f () #.(car 5))",
        "f:1:15: CAR of 5, which is not a list",
    ),
    (
        "(defun f () (declare (special x)) (list x y))",
        "f:1:43: unknown variable Y",
    ),
    (
        "(defvar *count* 0)\n\
         (defun f () (incf *cuont*))",
        "f:2:19: unknown variable *CUONT*; is *COUNT* meant?",
    ),
    (
        "(defun f (a &key width ((:tall height) 1)) (list a width height))\n\
         (defun g (x) (f x :width 1 :tall 2) (f :width :width 1) (f x x 1))\n\
         (defun h (x) (f x :widht 1) (f x :width) (f x :height 1))",
        "f:3:14: F has no keyword argument :WIDHT; is :WIDTH meant?\n\
         f:3:29: F has a keyword argument without a value here\n\
         f:3:42: F has no keyword argument :HEIGHT",
    ),
    (
        "(defun f (&key a &allow-other-keys) a)\n\
         (defun g (&key a) a)\n\
         (defun h () (f :b 1) (g :b 1 :allow-other-keys t))",
        "",
    ),
];

#[test]
fn errors_say_what_and_where() {
    for (program, expected) in WRONG {
        assert_eq!(errors(program), *expected, "{program}");
    }
}

#[test]
fn what_is_too_large_is_an_error() {
    let name = "a".repeat(300);
    let cases = [
        (
            format!("(defun f ()\n  '{name})"),
            "f:2:4: a symbol of 300 characters; 255 are the most there can be",
        ),
        (
            format!("(defun f (&rest x)\n  (f {}))", "1 ".repeat(256)),
            "f:2:3: a call can have 255 arguments, not 256",
        ),
        (
            format!("(defun f ()\n  (values {}))", "1 ".repeat(256)),
            "f:1:1: 256 values are too many; 255 are possible",
        ),
        (
            format!("(defun f (x)\n  {})", "(f x) ".repeat(15000)),
            "f:1:1: the function F has 89995 bytes of code; at most 65535 are possible",
        ),
        (
            format!(
                "(defun f (x)\n  (if x (progn {})) 1)",
                "(f x) ".repeat(9000)
            ),
            "f:1:1: a jump in the function F is 54001 bytes long; at most 32767 are possible",
        ),
        (
            format!("{}{}", "(".repeat(1001), ")".repeat(1001)),
            "f:1:1001: nested more than 1000 levels deep",
        ),
    ];
    for (program, expected) in cases {
        assert_eq!(errors(&program), expected);
    }
    let variables = |format: &dyn Fn(usize) -> String, count| {
        let variables: Vec<_> = (0..count).map(format).collect();
        variables.join(" ")
    };
    let cases = [
        (
            format!("(defun f ({}) 1)", variables(&|n| format!("x{n}"), 129)),
            "f:1:1: the function F has 129 parameters; at most 128 are possible",
        ),
        (
            format!(
                "(defun f (x) (let ({}) (f x)))",
                variables(&|n| format!("(x{n} (f x))"), 129)
            ),
            "f:1:1: the function F needs 129 variables; at most 128 are possible",
        ),
        (
            format!("(defstruct s {})", variables(&|n| format!("field{n}"), 129)),
            "f:1:1: the structure S has 129 fields; at most 128 are possible",
        ),
    ];
    for (program, expected) in cases {
        assert_eq!(errors(&program), expected);
    }
}
