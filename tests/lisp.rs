//! The built-in Lisp does what `forge/lisp/tests.lisp` says, as an image of either
//! generation, interpreted and as native code.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

const INTERPRETED: &[&str] = &["--jit", "off"];

/// The ways of running an image.
const WAYS: &[&[&str]] = &[
    INTERPRETED,
    &["--jit", "off", "--gc-zeal"],
    &["--jit", "always"],
    &["--jit", "always", "--gc-zeal"],
    &["--jit-threshold", "1"],
    &["--jit", "always", "--lockstep"],
    &["--lockstep"],
    SMALL_CACHE,
];

/// Native code of functions that are still used has to make room for that of others.
const SMALL_CACHE: &[&str] = &["--jit", "always", "--jit-cache", "0.1", "--stats"];

/// A folder with the images of both generations: of Lisp alone, `lisp2`, and of its
/// tests, `tests2`.
fn images() -> &'static Path {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    FOLDER
        .get_or_init(|| {
            let folder = tempfile::tempdir().unwrap();
            let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("forge/lisp/tests.lisp");
            for generation in ["2", "3"] {
                forge(
                    &[],
                    generation,
                    &folder.path().join(format!("lisp{generation}")),
                );
                let path = folder.path().join(format!("tests{generation}"));
                forge(&[&tests], generation, &path);
            }
            folder
        })
        .path()
}

fn forge(sources: &[&Path], generation: &str, image: &Path) {
    let output = Command::new(env!("CARGO_BIN_EXE_geiko"))
        .arg("forge")
        .args(sources)
        .args(["--generation", generation, "--output"])
        .arg(image)
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{message}");
}

/// Runs an image to the end of the input.
fn run(image: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_geiko"))
        .current_dir(images())
        .arg("run")
        .arg(image)
        .args(["--headless", "--timeout", "15m"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// What a session with Lisp wrote to the standard output and to that for errors, and
/// the status. It is the same for both generations.
fn session(input: &str) -> (String, String, Option<i32>) {
    let [first, second] = ["lisp2", "lisp3"].map(|name| {
        let output = run(&images().join(name), INTERPRETED, input);
        (
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
            output.status.code(),
        )
    });
    assert_eq!(first, second, "the generations differ");
    first
}

/// Runs the tests in every way; what failed is in the message.
fn check(name: &str) {
    for way in WAYS {
        let output = run(&images().join(name), way, "");
        let text = String::from_utf8_lossy(&output.stdout);
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{way:?}: {text}{message}");
        assert!(
            text.ends_with(" checks passed.\n"),
            "{way:?}: {text}{message}"
        );
        if *way == SMALL_CACHE {
            let evicted = statistic(&message, "evicted");
            assert!(evicted > 100, "{message}");
            assert!(statistic(&message, "native code") <= 1 << 20, "{message}");
        }
    }
}

/// A number from the statistics.
fn statistic(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap()
}

#[test]
fn lisp_tests_pass_in_the_second_generation() {
    check("tests2");
}

#[test]
fn lisp_tests_pass_in_the_third_generation() {
    check("tests3");
}

/// With the virtual clock a program takes the same course in all ways, to the last cell.
#[test]
fn saved_images_are_the_same_however_lisp_ran() {
    let program = "(defun fill-table (n) (let ((table (make-hash-table :test 'equal)))
                     (dotimes (i n table)
                       (setf (gethash (format nil \"~D\" (* i 70001)) table) (list i (/ i 7) (* i 0.5))))))
                   (defvar *table* (fill-table 400))
                   (defun count-up (n) (let ((s 0)) (dotimes (i n s) (incf s (* i i)))))
                   (format t \"~S ~S~%\" (hash-table-count *table*) (count-up 3000))
                   (save-image \"same\")";
    for name in ["lisp2", "lisp3"] {
        let images = [
            INTERPRETED,
            &[],
            &["--jit-threshold", "1"],
            &["--jit", "always"],
        ]
        .map(|way| {
            let way = [way, &["--clock", "virtual"]].concat();
            let output = run(&images().join(name), &way, program);
            let text = String::from_utf8_lossy(&output.stdout);
            let message = String::from_utf8_lossy(&output.stderr);
            assert!(text.contains("400 8995500500"), "{way:?}: {text}{message}");
            fs::read(images().join("same")).unwrap()
        });
        for image in &images[1..] {
            let differs = image.iter().zip(&images[0]).position(|(a, b)| a != b);
            assert_eq!((image.len(), differs), (images[0].len(), None), "{name}");
        }
    }
}

/// Every form of the tests is compiled while Lisp runs, by the host.
#[test]
fn lisp_tests_pass_as_a_program() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("forge/lisp/tests.lisp");
    for way in [
        ["--generation", "2", "--jit", "off", "--gc-zeal"].as_slice(),
        &["--generation", "3", "--jit", "always"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_geiko"))
            .arg("run")
            .arg(&tests)
            .args(way)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(message, "", "{way:?}: {text}");
        assert!(text.ends_with(" checks passed.\n"), "{way:?}: {text}");
    }
}

/// Every function, with arguments that nobody meant for it.
#[test]
fn arguments_at_random_are_errors_at_worst() {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("forge/lisp/tests/arguments.lisp");
    for (seed, way) in [
        ["--generation", "2", "--jit", "off", "--gc-zeal"].as_slice(),
        &["--generation", "3", "--jit", "always"],
        &["--generation", "3"],
    ]
    .iter()
    .enumerate()
    {
        // Files that are written belong to nobody.
        let folder = tempfile::tempdir().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_geiko"))
            .current_dir(&folder)
            .arg("eval")
            .arg(format!("(load {:?})", program.to_str().unwrap()))
            .arg(format!("(> (cadr (call-with-nonsense {seed} 1)) 450)"))
            .args(*way)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{way:?}: {message}");
        assert_eq!(text, "T\nT\n", "{way:?}: {message}");
    }
}

#[test]
fn values_are_printed_until_the_input_ends() {
    let (output, errors, status) = session("(+ 3 4) ; seven\n'(a . \"b\\\"c\")\n(values 1 2)");
    assert_eq!(output, "7\n(A . \"b\\\"c\")\n1\n2\n");
    assert_eq!(errors, "");
    assert_eq!(status, Some(0));
}

#[test]
fn an_error_ends_what_is_no_dialogue() {
    let (output, errors, status) = session(
        "(defun f (x) (car x))
         (defun g (x) (+ 1 (f x)))
         (g 5)
         (print 'not-reached)",
    );
    assert_eq!(output, "F\nG\n");
    let expected = "Error: 5 is not of type LIST.\n  0  (F 5)\n  1  (G 5)\n";
    assert_eq!(errors, expected);
    assert_eq!(status, Some(1));
}

#[test]
fn errors_are_conditions() {
    for (form, message) in [
        ("(car 'a)", "A is not of type LIST."),
        ("nowhere", "The variable NOWHERE has no value."),
        ("(nowhere 1)", "The function NOWHERE is not defined."),
        ("(/ 5 0)", "Division of 5 by zero."),
        (
            "(labels ((f () (+ 1 (f)))) (f))",
            "The stack is nearly full.",
        ),
        ("(throw 'nowhere 1)", "Nothing catches NOWHERE."),
        ("(+ 1 \"a\")", "\"a\" is not of type NUMBER."),
        ("(error \"~A and ~S\" 1 \"b\")", "1 and \"b\""),
    ] {
        let (_, errors, status) = session(form);
        let expected = format!("Error: {message}\n");
        assert!(errors.starts_with(&expected), "{form}: {errors}");
        assert_eq!(status, Some(1), "{form}");
        let handled = format!("(handler-case {form} (error (c) (princ-to-string c)))");
        let (output, errors, status) = session(&handled);
        assert_eq!(output, format!("{message:?}\n"));
        assert_eq!((&*errors, status), ("", Some(0)));
    }
}

#[test]
fn a_saved_image_goes_on() {
    for name in ["lisp2", "lisp3"] {
        let saved = images().join(format!("{name}-saved"));
        let program = format!(
            "(defvar *kept* (list 1 \"two\" 3.5 (expt 3 50)))
             (defun twice (x) (* 2 x))
             (if (save-image \"{}\") (format t \"again ~S~%\" *kept*) (format t \"saved~%\"))",
            saved.display()
        );
        let output = run(&images().join(name), INTERPRETED, &program);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("saved"), "{text}");
        assert!(fs::metadata(&saved).is_ok(), "{name}");
        let output = run(&saved, INTERPRETED, "(twice 21)");
        let text = String::from_utf8_lossy(&output.stdout);
        let expected = "again (1 \"two\" 3.5 717897987691852588770249)\nNIL\n42\n";
        assert_eq!(text, expected, "{name}");
    }
}

#[test]
fn files_are_in_the_current_folder() {
    let (output, errors, status) = session(
        "(with-open-file (s \"data.txt\" :direction :output) (prin1 '(1 \"two\" #\\3) s))
         (with-open-file (s \"data.txt\") (read s))
         (progn (load \"nowhere.lisp\") nil)",
    );
    assert!(output.ends_with("(1 \"two\" #\\3)\n"), "{output}");
    assert!(
        errors.contains("The file nowhere.lisp cannot be used: there is no such file."),
        "{errors}"
    );
    assert_eq!(status, Some(1));
    assert!(images().join("data.txt").exists());
}
