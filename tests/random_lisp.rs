//! Random functions on numbers, compiled by the forge: native code must answer what the
//! interpreter answers, whatever kinds of numbers come along.
//!
//! Each function has loops and variables that hold small integers now, larger ones or
//! floats then. It is called often and with changing arguments, so that guesses about
//! kinds are made, go wrong and are revised. Errors are results too.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

/// Functions in a program.
const FUNCTIONS: u32 = 30;

/// Ways of running a program natively.
const WAYS: &[&[&str]] = &[
    &[],
    &["--jit-threshold", "1"],
    &["--jit", "always"],
    &["--jit", "always", "--gc-zeal"],
    &["--jit", "always", "--clock", "virtual"],
    &["--jit", "always", "--lockstep"],
];

/// Numbers where something changes: the ends of small integers and of 32 bits.
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "7",
    "-13",
    "255",
    "65535",
    "65536",
    "-65536",
    "-65537",
    "70001",
    "1000003",
    "2147483647",
    "-2147483648",
    "0.0",
    "0.5",
    "-2.25",
    "1.5e9",
    "3.0e20",
];

/// What all programs begin with. CLIP keeps numbers from growing for ever.
const BEGIN: &str = "
(defun clip (x) (if (and (numberp x) (< -1.0e12 x 1.0e12)) x 3))
(defvar *free* 5)
(defun tell (n a b)
  (dotimes (k 12)
    (print (list n a b k
                 (handler-case (funcall n (if (evenp k) a b) (if (< k 6) b k))
                   (error () 'error))))))
";

/// A source of choices.
struct Choices(u64);

impl Choices {
    fn below(&mut self, n: u32) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as u32 % n
    }

    fn of<'a>(&mut self, items: &[&'a str]) -> &'a str {
        items[self.below(items.len() as u32) as usize]
    }

    /// An expression that is a number, or an error.
    fn number(&mut self, depth: u32) -> String {
        if depth == 0 || self.below(5) == 0 {
            return match self.below(3) {
                0 => self.of(NUMBERS).into(),
                _ => self.of(&["a", "b", "x", "y", "i", "*free*"]).into(),
            };
        }
        let (a, b) = (self.number(depth - 1), self.number(depth - 1));
        match self.below(12) {
            0..=2 => format!("(+ {a} {b})"),
            3..=4 => format!("(- {a} {b})"),
            5 => format!("(clip (* {a} {b}))"),
            6 => format!("({} {a} {b})", self.of(&["logxor", "logand", "logior"])),
            7 => format!("(rem {a} (if (eql {b} 0) 9 {b}))"),
            8 => format!("(ash {a} {})", self.of(&["1", "-3", "8", "-20"])),
            9 => format!("(if {} {a} {b})", self.test(depth - 1)),
            10 => format!("(let ((x {a})) {b})"),
            _ => format!("(1+ {a})"),
        }
    }

    fn test(&mut self, depth: u32) -> String {
        let (a, b) = (self.number(depth), self.number(depth));
        match self.below(4) {
            0 => format!("(eql {a} {b})"),
            1 => format!("(= {a} {b})"),
            2 => format!("(and (> {a} {b}) (not (eq x nil)))"),
            _ => format!("(< {a} {b})"),
        }
    }

    fn statement(&mut self, depth: u32) -> String {
        match self.below(if depth == 0 { 2 } else { 5 }) {
            0 | 1 => {
                let variable = self.of(&["x", "y", "a"]);
                format!("(setq {variable} (clip {}))", self.number(3))
            }
            2 => {
                let (turns, body) = (2 + self.below(5), self.statement(depth - 1));
                format!("(dotimes (i {turns}) {body} {})", self.statement(depth - 1))
            }
            3 => format!("(if {} {})", self.test(1), self.statement(depth - 1)),
            _ => format!(
                "(let ((*free* {})) (setq y (clip {})))",
                self.number(1),
                self.number(2)
            ),
        }
    }

    fn program(&mut self) -> String {
        let mut text = String::from(BEGIN);
        for n in 0..FUNCTIONS {
            let (x, y) = (self.of(NUMBERS), self.of(&["a", "b", "(+ a b)", "0"]));
            let _ = writeln!(text, "(defun f{n} (a b &aux (i 0) (x 0) (y 0))");
            let _ = writeln!(text, "  (setq x {x} y {y})");
            for _ in 0..3 {
                let _ = writeln!(text, "  {}", self.statement(2));
            }
            let _ = writeln!(text, "  (list i x y {}))", self.number(2));
        }
        text.push_str("(defun main ()\n");
        for n in 0..FUNCTIONS {
            let (a, b) = (self.of(NUMBERS), self.of(NUMBERS));
            let _ = writeln!(text, "  (tell 'f{n} {a} {b})");
        }
        text.push(')');
        text
    }
}

fn geiko(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_geiko"))
        .args(arguments)
        .output()
        .expect("it starts");
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    (output.status.code(), text)
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

#[test]
fn native_code_answers_what_the_interpreter_answers() {
    let folder = tempfile::tempdir().expect("a folder");
    let (source, image) = (folder.path().join("f.lisp"), folder.path().join("f.sysout"));
    for seed in 0..6 {
        let program = Choices(seed).program();
        std::fs::write(&source, &program).expect("a file");
        let generation = if seed % 2 == 0 { "3" } else { "2" };
        let forged = geiko(&[
            "forge",
            path(&source),
            "-o",
            path(&image),
            "--generation",
            generation,
        ]);
        assert_eq!(forged.0, Some(0), "{}\n{program}", forged.1);
        let run = |more: &[&str]| {
            let arguments = ["run", path(&image), "--headless", "--timeout", "5m"];
            geiko(&[&arguments, more].concat())
        };
        let expected = run(&["--jit", "off"]);
        assert_eq!(expected.0, Some(0), "{}", expected.1);
        let lines = expected.1.lines().filter(|line| line.starts_with("(F"));
        assert_eq!(lines.count() as u32, 12 * FUNCTIONS, "{}", expected.1);
        for way in WAYS {
            let (status, text) = run(way);
            assert_eq!(status, Some(0), "{text}");
            for (interpreted, native) in expected.1.lines().zip(text.lines()) {
                assert_eq!(interpreted, native, "seed {seed}, {way:?}\n{program}");
            }
        }
    }
}
