//! The built-in Lisp without a user: `geiko eval`, pipes, programs.

use std::fs;
use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_geiko"));
    command.args(arguments);
    command
}

/// Runs the program with `input` as its standard input.
fn geiko_with(arguments: &[&str], input: &str) -> Output {
    let mut child = command(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    // Programs need not read everything.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

fn geiko(arguments: &[&str]) -> Output {
    geiko_with(arguments, "")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// Output, and success.
#[track_caller]
fn expect(arguments: &[&str], input: &str, expected: &str) {
    let output = geiko_with(arguments, input);
    assert_eq!(stderr(&output), "", "{arguments:?}");
    assert_eq!(stdout(&output), expected, "{arguments:?}");
    assert_eq!(output.status.code(), Some(0), "{arguments:?}");
}

/// Native code is left for every collection, and entered again in the same activation.
#[test]
fn a_loop_that_is_interrupted_often_does_not_fill_the_stack_of_the_host() {
    let ring = "(defun ring () (let ((x (list 1 2 3))) (setf (cdr (cddr x)) x) nil))";
    for generation in ["2", "3"] {
        let options = ["eval", "--generation", generation, ring];
        let forms = ["(dotimes (i 200000) (ring))", "(+ 1 2)"];
        expect(&[&options[..], &forms].concat(), "", "RING\nNIL\n3\n");
    }
}

#[test]
fn eval_prints_every_value_on_a_line() {
    expect(&["eval", "(+ 3 4)"], "", "7\n");
    expect(
        &["eval", "(values 1 \"a\")", "(values)", "'(b #\\c)"],
        "",
        "1\n\"a\"\n(B #\\c)\n",
    );
    expect(&["eval", "(defvar *x* 5) (* *x* *x*)"], "", "*X*\n25\n");
    expect(&["eval", "(progn (princ 1) 2)"], "", "1\n2\n");
    expect(&["eval", "-5"], "", "-5\n");
    expect(
        &["eval", "(read-line)"],
        "from a pipe\n",
        "\"from a pipe\"\nNIL\n",
    );
}

#[test]
fn both_generations_evaluate() {
    for generation in ["2", "3"] {
        let arguments = ["eval", "--generation", generation, "si:*generation*"];
        expect(&arguments, "", &format!("{generation}\n"));
    }
}

#[test]
fn native_code_evaluates() {
    let form = "(let ((sum 0)) (dotimes (i 1000 sum) (incf sum i)))";
    expect(&["eval", form, "--jit", "always"], "", "499500\n");
}

#[test]
fn text_is_unicode() {
    expect(&["eval", "(length \"é☃\")", "\"é☃\""], "", "2\n\"é☃\"\n");
    expect(&["eval", "(read-line)"], "naïve ☃\n", "\"naïve ☃\"\nNIL\n");
}

#[test]
fn errors_are_told_on_standard_error_with_status_1() {
    for (forms, message) in [
        (
            &["1", "(car 5)", "2"][..],
            "Error: 5 is not of type LIST.\n",
        ),
        (
            &["1", "(no-such-function)"],
            "NO-SUCH-FUNCTION is not defined",
        ),
        (&["1", "no-such-variable"], "NO-SUCH-VARIABLE has no value"),
        (&["1", "(error \"Oh ~a\" 5)"], "Error: Oh 5\n"),
        (&["1", "(+ 1"], "The input ended too early"),
        (&["1", ")"], "A closing parenthesis has no opening one"),
        (
            &["1", "(labels ((f (x) (+ 1 (f x)))) (f 1))"],
            "The stack is nearly full",
        ),
    ] {
        let output = geiko(&[&["eval"], forms].concat());
        assert_eq!(stdout(&output), "1\n", "{forms:?}");
        assert!(
            stderr(&output).contains(message),
            "{forms:?}: {}",
            stderr(&output)
        );
        assert_eq!(output.status.code(), Some(1), "{forms:?}");
    }
}

#[test]
fn programs_choose_their_status() {
    for (form, status) in [("(exit)", 0), ("(exit 7)", 7), ("(quit 255)", 255)] {
        let output = geiko(&["eval", form, "(print 1)"]);
        assert_eq!(stdout(&output), "", "{form}");
        assert_eq!(output.status.code(), Some(status), "{form}");
    }
}

#[test]
fn forms_come_through_a_pipe() {
    expect(
        &[],
        "(+ 3 4)\n(list\n 1) \"a\" ; comment",
        "7\n(1)\n\"a\"\n",
    );
    expect(&[], "", "");
    expect(
        &[],
        "(read-line)\nthe next line\n(+ 1 1)\n",
        "\"the next line\"\nNIL\n2\n",
    );
    let output = geiko_with(&[], "1 (car 2) 3\n");
    assert_eq!(stdout(&output), "1\n");
    assert!(stderr(&output).starts_with("Error: 2 is not of type LIST.\n"));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn programs_run_from_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("hello.lisp");
    let text = "(format t \"~{~a~^, ~}!~%\" *arguments*)\n(defun f () 5)\n(exit (f))";
    fs::write(&file, text).expect("written");
    let name = file.to_str().expect("a name");
    let output = geiko(&["run", name, "Hello", "wör\"ld\\", "--", "--headless"]);
    assert_eq!(stdout(&output), "Hello, wör\"ld\\, --headless!\n");
    assert_eq!(stderr(&output), "");
    assert_eq!(output.status.code(), Some(5));

    // Without an extension the content tells, and its first line may name geiko.
    let script = folder.path().join("script");
    fs::write(&script, "#!/usr/bin/env geiko\n(princ (* 6 7))\n").expect("written");
    expect(&[script.to_str().expect("a name")], "", "42");

    fs::write(&file, "(princ 1)\n(car 5)\n").expect("written");
    let output = geiko(&[name]);
    assert_eq!(stdout(&output), "1\n");
    assert!(stderr(&output).contains("5 is not of type LIST"));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn saved_images_open_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = folder.path().join("work.sysout");
    let image = image.to_str().expect("a name");
    let save = format!("(save-image \"{image}\")");
    expect(&["eval", "(defvar *z* 41)", &save], "", "*Z*\nNIL\n");
    expect(&["eval", "--image", image, "(+ 1 *z*)"], "", "42\n");
    expect(&["--image", image], "*z*", "41\n");
    // On its own the image goes on where it was.
    expect(&[image], "", "T\n");
}

#[test]
fn wrong_input_ends_with_status_2_and_one_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let other = folder.path().join("other.sysout");
    let program = folder.path().join("other.lisp");
    fs::write(&program, "(defun il:\\\\cold-start () 1)").expect("written");
    let (other, program) = (other.to_str().unwrap(), program.to_str().unwrap());
    let forged = geiko(&["forge", "--bare", program, "-o", other]);
    assert_eq!(forged.status.code(), Some(0), "{}", stderr(&forged));
    for (arguments, message) in [
        (&["eval"][..], "required arguments"),
        (&["eval", "1", "--generation", "4"], "possible values: 2, 3"),
        (&["eval", "1", "--image", "/nonexistent"], "/nonexistent"),
        (
            &["eval", "1", "--image", other],
            "is no image of the built-in Lisp",
        ),
        (&["--script", "-"], "required arguments"),
        (&["/nonexistent/a.lisp"], "cannot read /nonexistent/a.lisp"),
        (
            &["--image", "a", "--generation", "2"],
            "cannot be used with",
        ),
    ] {
        let output = geiko(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(stdout(&output), "", "{arguments:?}");
        assert!(
            stderr(&output).contains(message),
            "{arguments:?}: {}",
            stderr(&output)
        );
    }
}

/// Waits for the end of a program, not for ever.
#[track_caller]
fn end(child: &mut Child) -> ExitStatus {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(30) {
        if let Some(status) = child.try_wait().expect("a status") {
            return status;
        }
        thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    panic!("the program does not end");
}

/// Starts the program without input, and reads its output line by line.
fn start(arguments: &[&str]) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut child = command(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    (child, lines)
}

/// Reads on until a line contains `text`.
fn wait_for(lines: &mut Lines<BufReader<ChildStdout>>, text: &str) {
    while !lines.next().expect("a line").expect("text").contains(text) {}
}

#[test]
fn a_reader_that_goes_away_ends_the_program_quietly() {
    let (mut child, mut lines) = start(&["eval", "(loop (print 'again))"]);
    assert!(lines.next().is_some());
    drop(lines);
    assert_eq!(end(&mut child).code(), Some(0));
    let mut errors = String::new();
    let mut pipe = child.stderr.take().expect("a pipe");
    pipe.read_to_string(&mut errors).expect("text");
    assert_eq!(errors, "");
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_a_failure() {
    let full = fs::File::create("/dev/full").expect("a device");
    let output = command(&["eval", "1"])
        .stdin(Stdio::null())
        .stdout(full)
        .output()
        .expect("the program runs");
    let message = stderr(&output);
    assert!(
        message.starts_with("geiko: cannot write standard output: "),
        "{message}"
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn functions_are_compiled_when_they_are_defined() {
    let definitions = "
        (defun fib (n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2)))))
        (let ((count 0)) (defun counter (&optional (step 1)) (incf count step)))
        (defun interpreted (x) (list x (fib 10)))
        (defmacro twice (form) `(progn ,form ,form))";
    for generation in ["2", "3"] {
        let ask = |form: &str, expected: &str| {
            let arguments = ["eval", "--generation", generation, definitions, form];
            let text = format!("FIB\nCOUNTER\nINTERPRETED\nTWICE\n{expected}\n");
            expect(&arguments, "", &text);
        };
        ask("(list (compiled-function-p #'fib) (fib 20))", "(T 6765)");
        ask("(list (counter) (twice (counter 5)))", "(1 11)");
        ask("(compiled-function-p #'counter)", "T");
        ask("(funcall (compile nil '(lambda (x) (* x x))) 7)", "49");
        // Without the compiler, and then with it.
        ask(
            "(progn (setq si:*compile-definitions* nil)
                    (eval '(defun interpreted (x) (list x (fib 10))))
                    (list (compiled-function-p #'interpreted) (interpreted 1)
                          (mapcar #'interpreted '(2))
                          (compile 'interpreted)
                          (compiled-function-p #'interpreted) (interpreted 3)))",
            "(NIL (1 55) ((2 55)) INTERPRETED T (3 55))",
        );
        ask(
            "(progn (defun nobody () no-such-variable)
                    (handler-case (nobody) (unbound-variable (c) (princ-to-string c))))",
            "\"The variable NO-SUCH-VARIABLE has no value.\"",
        );
        // An object in a function is the one that was written.
        ask(
            "(let ((list (list 1 \"two\" 1/2)))
               (eq list (funcall (compile nil `(lambda () ',list)))))",
            "T",
        );
        // What is compiled again and again is reclaimed.
        ask(
            "(progn (dotimes (i 2000) (compile 'fib)) (gc) (fib 15))",
            "610",
        );
    }
}

#[test]
fn what_cannot_be_compiled_is_told_and_interpreted() {
    let output = geiko(&["eval", "(defun f () (car 1 2))", "(f)"]);
    assert_eq!(stdout(&output), "F\n");
    let errors = stderr(&output);
    assert!(
        errors.starts_with("; F is not compiled: CAR takes 1 argument, not 2.\n"),
        "{errors}"
    );
    assert!(
        errors.contains("The function CAR takes 1 argument, not 2."),
        "{errors}"
    );
    assert_eq!(output.status.code(), Some(1));
    let output = geiko(&["eval", "(compile nil '(lambda (a a) a))"]);
    assert!(
        stderr(&output).contains("A is a parameter twice."),
        "{output:?}"
    );
    let output = geiko(&["eval", "(defun g (a) a)", "(defun h () (g 1 2))"]);
    assert!(
        stderr(&output).contains("; H is not compiled: G takes 1 argument, not 2."),
        "{output:?}"
    );
}

#[test]
fn a_second_control_c_ends_a_lisp_that_does_not_react() {
    let (mut child, mut lines) = start(&[
        "eval",
        "(defun si:user-interrupt (code) (write-line \"deaf\") (loop))",
        "(progn (write-line \"ready\") (loop))",
    ]);
    let interrupt = |child: &Child| {
        kill_process(Pid::from_child(child), Signal::INT).expect("a signal");
    };
    wait_for(&mut lines, "ready");
    interrupt(&child);
    // The first one has reached Lisp.
    wait_for(&mut lines, "deaf");
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("a status") {
            break status;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "it goes on");
        interrupt(&child);
        thread::sleep(Duration::from_millis(100));
    };
    assert_eq!(status.code(), Some(130));
}

#[test]
fn control_c_ends_a_program_that_has_no_user() {
    let (mut child, mut lines) = start(&[
        "eval",
        "(print 'ready)",
        "(unwind-protect (loop) (print 'cleanup))",
    ]);
    wait_for(&mut lines, "READY");
    thread::sleep(Duration::from_millis(100));
    kill_process(Pid::from_child(&child), Signal::INT).expect("a signal");
    assert_eq!(end(&mut child).code(), Some(130));
    let mut errors = String::new();
    let mut pipe = child.stderr.take().expect("a pipe");
    pipe.read_to_string(&mut errors).expect("text");
    assert!(errors.contains("Interrupted."), "{errors}");
}

/// What `--stats` says of arrays: times that room was wanted, times it was found, blocks looked
/// at.
fn arrays(output: &Output) -> Vec<u64> {
    let errors = stderr(output);
    let line = errors.lines().find(|line| line.starts_with("arrays "));
    let words = line.unwrap_or_default().split_whitespace();
    words.filter_map(|word| word.parse().ok()).collect()
}

#[test]
fn room_for_arrays_is_found_without_a_search() {
    const CHURN: &str = "(let ((all nil))
        (dotimes (i 2000)
          (push (make-array (+ 100 (mod (* i 37) 900)) :initial-element i) all)
          (when (> (length all) 50)
            (setf (cdr (nthcdr 20 all)) nil)))
        (every #'(lambda (array) (eql (aref array 0) (aref array 99))) all))";
    let folder = tempfile::tempdir().expect("a folder");
    let image = folder.path().join("work.sysout");
    let image = image.to_str().expect("a name");
    for generation in ["2", "3"] {
        for jit in ["off", "always"] {
            let save = format!("(progn (save-image \"{image}\") (gc) t)");
            let output = geiko(&[
                "eval",
                "--array-policy",
                "segmented",
                "--stats",
                "--generation",
                generation,
                "--jit",
                jit,
                CHURN,
                &save,
                CHURN,
            ]);
            assert_eq!(stdout(&output), "T\nT\nT\n", "{output:?}");
            let [wanted, found, looked_at] = arrays(&output)[..] else {
                panic!("{output:?}");
            };
            assert!(found > 1000 && wanted >= found, "{output:?}");
            assert_eq!(looked_at, found);
            let audit = geiko(&["audit", image]);
            assert!(audit.status.success(), "{audit:?}");
            // Without the index the rings are Lisp's.
            let output = geiko(&["eval", "--stats", "--image", image, CHURN]);
            assert_eq!(stdout(&output), "T\n", "{output:?}");
            assert_eq!(arrays(&output), []);
        }
    }
    // Whoever redefines one of the functions has them all.
    let redefined = "(defun si:unlink-block (block) (declare (ignore block)) (error \"mine\"))";
    let output = geiko(&[
        "eval",
        "--array-policy",
        "segmented",
        "--stats",
        redefined,
        CHURN,
    ]);
    assert!(!output.status.success(), "{output:?}");
}
