//! Functions that are larger than the short forms of instructions allow for.

use std::fmt::Write;

use crate::testing::{RELEASES, run};

/// Runs a program in both generations; MAIN tells what it should be.
fn told(program: &str, expected: &str) {
    for release in RELEASES {
        assert_eq!(
            run(program, release),
            format!("{expected}\n"),
            "{release:?}"
        );
    }
}

/// Texts for the numbers up to a count.
fn each(count: usize, text: impl Fn(usize) -> String) -> String {
    (0..count).map(text).collect()
}

#[test]
fn conditions_with_long_jumps() {
    let clauses = each(400, |n| format!("((eql x {n}) (f x {n}))\n"));
    let cases = each(400, |n| format!("({n} (f x {n}))\n"));
    let both = each(400, |n| format!("(f x {n})"));
    let program = format!(
        "(defun f (x n) (+ x (* 2 n)))
         (defun by-cond (x) (cond {clauses} (t 'none)))
         (defun by-case (x) (case x {cases} (t 'none)))
         (defun by-and (x y) (and x {both} y))
         (defun by-or (x y) (or (null x) (progn {both} nil) y))
         (defun by-if (x y) (if x (progn {both} 1) (progn {both} y)))
         (defun main ()
           (tell (list (by-cond 0) (by-cond 399) (by-cond 400) (by-case 200) (by-case 'a)
                       (by-and 1 2) (by-and 1 nil) (by-or 1 2) (by-or nil 2) (by-or 1 nil)
                       (by-if 1 2))))"
    );
    told(&program, "(0 1197 NONE 600 NONE 2 NIL 2 T NIL 1)");
    let program = format!(
        "(defun f (x n) (+ x n))
         (defun first-of (x y) (if (and x (progn {both} y)) 'both 'one))
         (defun short (x) (and x (progn {both} x)))
         (defun main () (tell (list (first-of 1 2) (first-of nil 2) (first-of 1 nil) (short nil) (short 5))))"
    );
    told(&program, "(BOTH ONE ONE NIL 5)");
}

#[test]
fn loops_with_long_bodies() {
    let body = each(3000, |n| format!("(setq x (f x {}))", n % 7));
    let program = format!(
        "(defun f (x n) (logand (+ x n) 65535))
         (defun long (x) (dotimes (i 3 x) {body}))
         (defun long-exit (x)
           (catch 'out (tagbody again (mapc #'(lambda (y) (if (> x 5) (throw 'out y))) '(7)) {body} (go again))))
         (defun main () (tell (list (long 0) (long-exit 0))))"
    );
    let sum: u32 = (0..3000).map(|n| n % 7).sum();
    told(&program, &format!("({} 7)", sum * 3 % 65536));
}

#[test]
fn many_constants_variables_arguments() {
    let constants = each(300, |n| format!("'s{n} \"{n}\" {n}.5 "));
    let locals = each(120, |n| format!("(v{n} (+ x {n}))"));
    let changes = each(120, |n| format!("(setq v{n} (* v{n} 2))"));
    let sum = each(120, |n| format!("v{n} "));
    let captured = each(60, |n| format!("(v{n} (+ x {n}))"));
    let captured_changes = each(60, |n| format!("(setq v{n} (* v{n} 2))"));
    let captured_sum = each(60, |n| format!("v{n} "));
    let parameters = each(100, |n| format!("p{n} "));
    let arguments = each(100, |n| format!("{n} "));
    let many = each(255, |n| format!("{n} "));
    let keys = each(60, |n| format!("(k{n} {n}) "));
    let given = each(60, |n| format!(":k{n} 1 "));
    let program = format!(
        "(defun constants () (length (list {constants})))
         (defun locals (x) (let ({locals}) {changes} (+ {sum})))
         (defun captured (x) (let ({captured}) (funcall #'(lambda () {captured_changes})) (+ {captured_sum})))
         (defun parameters ({parameters}) (setq p99 (+ p0 p99)) (list p0 p7 p63 p99))
         (defun gather (&rest all) (length all))
         (defun many (&rest all) (apply #'+ all))
         (defun keys (&key {keys}) (+ k0 k1 k59))
         (defun main ()
           (tell (list (constants) (locals 1) (captured 1) (parameters {arguments}) (gather {many})
                       (many {many}) (keys) (keys {given}))))"
    );
    let locals = (0..120).map(|n| 2 * (n + 1)).sum::<u32>();
    let captured = (0..60).map(|n| 2 * (n + 1)).sum::<u32>();
    let expected = format!(
        "(900 {locals} {captured} (0 7 63 99) 255 {} 60 3)",
        255 * 254 / 2
    );
    told(&program, &expected);
}

#[test]
fn deep_expressions() {
    let sum = format!("{}x{}", "(+ 1 ".repeat(400), ")".repeat(400));
    let right = format!("{}x{}", "(cons 1 ".repeat(120), ")".repeat(120));
    let catches = format!("{}x{}", "(+ 1 (catch 'a ".repeat(30), "))".repeat(30));
    let mut blocks = String::new();
    for n in 0..40 {
        let _ = write!(blocks, "(list {n} (block b{n} ");
    }
    let blocks = format!(
        "{blocks}(if (eql x 1) (return-from b20 'out) x){}",
        "))".repeat(40)
    );
    let closures = format!(
        "{}x{}",
        "(funcall #'(lambda () (+ 1 ".repeat(40),
        ")))".repeat(40)
    );
    let program = format!(
        "(defun sum (x) {sum})
         (defun right (x) {right})
         (defun catches (x) {catches})
         (defun blocks (x) {blocks})
         (defun closures (x) {closures})
         (defun depth (x) (if (consp x) (+ 1 (depth (cadr x))) 0))
         (defun main ()
           (tell (list (sum 0) (length (right nil)) (catches 5) (depth (blocks 1)) (depth (blocks 2)) (closures 2))))"
    );
    told(&program, "(400 120 35 21 40 42)");
}
