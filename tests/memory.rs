//! Memory stays bounded: garbage in circles, made by Lisp as byte code and natively, does not fill
//! the image, and processes share the image they run.

mod program;

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use program::run;

/// Rings of three list cells; each takes 24 bytes.
const RINGS: u32 = if cfg!(debug_assertions) {
    100_000
} else {
    1_000_000
};
/// What an image may grow by: 1 MB.
const PAGES: u32 = 2048;

const RING: &str = "(defun ring () (let ((x (list 1 2 3))) (setf (cdr (cddr x)) x) nil))";

/// Makes so many rings; answers what `--stats` says of the first thing it calls so.
fn rings(arguments: &[&str], rings: u32, what: &str) -> u32 {
    let make = format!("(dotimes (i {rings}) (ring))");
    let output = Command::new(env!("CARGO_BIN_EXE_geiko"))
        .arg("eval")
        .args(arguments)
        .args(["--stats", RING, &make])
        .env("GEIKO_CONFIG", Path::new("/dev/null"))
        .output()
        .expect("geiko runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let line = told.lines().find(|line| line.starts_with(what));
    let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    number.unwrap_or_else(|| panic!("{what} in {told}"))
}

fn grown(arguments: &[&str]) -> u32 {
    rings(arguments, RINGS, "pages") - rings(arguments, 1, "pages")
}

#[test]
fn rings_do_not_fill_the_image() {
    for (generation, jit) in [("2", "off"), ("3", "off"), ("3", "always")] {
        let arguments = [
            "--gc-backup",
            "on",
            "--generation",
            generation,
            "--jit",
            jit,
        ];
        let pages = grown(&arguments);
        assert!(pages <= PAGES, "{pages} pages more with {arguments:?}");
    }
}

#[test]
fn rings_stay_if_they_are_only_reported() {
    let report = ["--gc-backup", "report"];
    assert!(rings(&report, RINGS / 10, "circles") > RINGS / 20);
    let pages = RINGS / 10 * 24 / 512;
    assert!(rings(&report, RINGS / 10, "pages") > pages);
}

/// Runs Lisp; answers the number of each line of `--stats`, the accounts of memory among them.
fn statistics(arguments: &[&str]) -> HashMap<String, u64> {
    let output = run(&[&["eval", "--stats"], arguments].concat());
    let told = String::from_utf8_lossy(&output.stderr);
    let row = |line: &str| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), words.next()?.parse().ok()?))
    };
    told.lines().filter_map(row).collect()
}

#[test]
fn every_byte_is_on_an_account() {
    const ACCOUNTS: [&str; 7] = [
        "Lisp",
        "code",
        "others",
        "collectors",
        "profiles",
        "compiler",
        "pictures",
    ];
    // All in one thread, so that nobody allocates while it is told.
    let work = [
        "--jit",
        "always",
        "--gc-backup",
        "on",
        RING,
        "(dotimes (i 100000) (ring))",
    ];
    let told = statistics(&work);
    let sum: u64 = ACCOUNTS.iter().map(|&name| told[name]).sum();
    assert_eq!(sum, told["memory"], "{told:?}");
    let own = told["memory"] - told["Lisp"] - told["code"];
    assert!(own >= told["program"], "{told:?}");
    for worked in &ACCOUNTS[..6] {
        assert!(told[*worked] > 0, "{worked} in {told:?}");
    }
    assert_eq!(told["pictures"], 0, "nobody looks");

    let idle = statistics(&["--jit", "off", "1"]);
    assert_eq!((idle["code"], idle["compiler"]), (0, 0), "{idle:?}");
    assert!(idle["profiles"] < told["profiles"]);
    assert!(idle["collectors"] < told["collectors"]);
}

/// Bytes of the mappings of an image copy in the process, and in proportion to those who
/// share it.
fn image_memory(process: u32) -> (u64, u64) {
    let maps = fs::read_to_string(format!("/proc/{process}/smaps")).expect("a list of mappings");
    let (mut alone, mut shared, mut is_of_image) = (0, 0, false);
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let sum = match words.next() {
            Some("Rss:") => &mut alone,
            Some("Pss:") => &mut shared,
            // The first line of a mapping.
            Some(word) if !word.ends_with(':') => {
                is_of_image = line.ends_with(".memory");
                continue;
            }
            _ => continue,
        };
        if is_of_image {
            let number = words.next().and_then(|number| number.parse::<u64>().ok());
            *sum += 1024 * number.unwrap_or_else(|| panic!("{line}"));
        }
    }
    assert!(alone > 0, "no copy of an image in {maps}");
    (alone, shared)
}

#[test]
fn processes_share_the_image() {
    const PROCESSES: u64 = 8;
    let cache = tempfile::tempdir().expect("a folder");
    let processes: Vec<_> = (0..PROCESSES)
        .map(|_| {
            let mut process = Command::new(env!("CARGO_BIN_EXE_geiko"))
                .args(["--share-image", "--jit", "off"])
                .env("GEIKO_CONFIG", "/dev/null")
                .env("XDG_CACHE_HOME", cache.path())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .expect("geiko runs");
            let mut stdin = process.stdin.take().expect("a pipe");
            writeln!(stdin, "(print (+ 20 22))").expect("it reads");
            let mut lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
            assert!(lines.any(|line| line.is_ok_and(|line| line.contains("42"))));
            (process, stdin, lines)
        })
        .collect();
    let memory: Vec<_> = processes
        .iter()
        .map(|(process, ..)| image_memory(process.id()))
        .collect();
    let alone: u64 = memory.iter().map(|(alone, _)| alone).sum();
    let shared: u64 = memory.iter().map(|(_, shared)| shared).sum();
    println!("{PROCESSES} processes: {alone} bytes of the image, {shared} as they share it");
    assert!(2 * shared < alone, "{alone} {shared}");
    for (mut process, stdin, _) in processes {
        drop(stdin);
        assert!(process.wait().expect("it ends").success());
    }
    let copies = fs::read_dir(cache.path().join("geiko/images")).expect("a folder");
    assert_eq!(copies.count(), 1);
}

/// Lisp that conses, makes strings, arrays, numbers and circles, compiles, and forgets it all.
const MIXED: &str = "
(defun ring () (let ((x (list 1 2 3))) (setf (cdr (cddr x)) x) nil))
(defun mixed (n)
  (let ((table (make-hash-table :test 'equal)))
    (dotimes (i n)
      (ring)
      (setf (gethash (format nil \"~D\" (mod i 50)) table) (make-array (mod i 90)))
      (when (zerop (mod i 100))
        (compile nil (list 'lambda '(x) (list '* 'x 1.5 i)))))
    (hash-table-count table)))
";

/// The addresses that a process has mapped. Where one mapping ends at another both are one,
/// since parts of Lisp memory become accessible when Lisp wants them.
fn mappings(process: u32) -> BTreeSet<(u64, u64)> {
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).expect("a list of mappings");
    let mut mappings: Vec<(u64, u64)> = Vec::new();
    for line in maps.lines().filter(|line| !line.ends_with("[stack]")) {
        let (range, _) = line.split_once(' ').expect("a range");
        let (start, end) = range.split_once('-').expect("two addresses");
        let [start, end] = [start, end].map(|at| u64::from_str_radix(at, 16).expect("hexadecimal"));
        match mappings.last_mut() {
            Some(last) if last.1 == start => last.1 = end,
            _ => mappings.push((start, end)),
        }
    }
    mappings.into_iter().collect()
}

#[test]
fn with_a_limit_all_memory_is_there_from_the_beginning() {
    let seconds = match std::env::var("GEIKO_SOAK_SECONDS") {
        Ok(seconds) => seconds.parse().expect("a number"),
        Err(_) => 2,
    };
    // A Lisp that never answers fails the test.
    let timeout = format!("{}s", seconds + 60);
    let mut process = Command::new(env!("CARGO_BIN_EXE_geiko"))
        .args(["--memory-limit", "64", "--gc-backup", "on"])
        .args(["--timeout", &timeout])
        .env("GEIKO_CONFIG", "/dev/null")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("geiko runs");
    let mut stdin = process.stdin.take().expect("a pipe");
    let mut lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
    stdin.write_all(MIXED.as_bytes()).expect("it reads");
    let mut do_it = |turn: u32| {
        writeln!(stdin, "(list (mixed 300) {turn})").expect("it reads");
        let done = format!("(50 {turn})");
        assert!(lines.any(|line| line.is_ok_and(|line| line == done)));
    };
    do_it(0);
    let ready = mappings(process.id());
    let end = Instant::now() + Duration::from_secs(seconds);
    for turn in 1.. {
        do_it(turn);
        let now = mappings(process.id());
        let changed: Vec<_> = now.symmetric_difference(&ready).collect();
        assert!(changed.is_empty(), "{changed:#?}");
        if Instant::now() > end {
            break;
        }
    }
    drop(stdin);
    assert!(process.wait().expect("it ends").success());
}

#[test]
fn a_limit_that_is_too_small_is_refused() {
    let output = Command::new(env!("CARGO_BIN_EXE_geiko"))
        .args(["eval", "--memory-limit", "12", "1"])
        .env("GEIKO_CONFIG", "/dev/null")
        .output()
        .expect("geiko runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("14 MB are needed"), "{told}");
}

/// Lisp that takes all it can get, as arrays and as lists, is told and goes on. `large` makes and calls a
/// function for which the compiler wants much.
const TAKES_ALL: &str = "
(defvar *all* nil)
(defun ring () (let ((x (list 1 2 3))) (setf (cdr (cddr x)) x) nil))
(defun work (n) (let ((l nil)) (dotimes (i n (length l)) (ring) (push (list i) l))))
(defun mixed (n) (dotimes (i n n) (ring) (format nil \"~R\" i) (make-array (mod i 90))))
(defun until-told (make) (let ((n 0))
  (handler-case (loop (push (funcall make n) *all*) (setq n (+ n 1)))
    (error (c) (setq *all* nil) (gc) (list n (princ-to-string c))))))
(defun sum (n) (let ((s 0)) (dotimes (i n s) (setq s (+ s (mod i 7))))))
(defun large (n)
  (let ((body nil))
    (dotimes (i n) (push `(setq s (+ (* s 3) (sum (+ i ,i)) (length (list s i)))) body))
    (funcall (compile nil `(lambda (s) (dotimes (i 3 s) ,@body (setq s (mod s 1001))))) 5)))
";

#[test]
fn a_limit_holds_when_lisp_takes_all_it_can() {
    const LIMIT: u64 = 40;
    /// Megabytes of stacks of threads, and of the C library.
    const STACKS: u64 = 2;
    for (generation, jit) in [("2", "always"), ("3", "on"), ("3", "always")] {
        let limit = LIMIT.to_string();
        let mut process = Command::new(env!("CARGO_BIN_EXE_geiko"))
            .args(["--memory-limit", &limit, "--generation", generation])
            .args(["--jit", jit, "--jit-cache", "0.3", "--stats"])
            .env("GEIKO_CONFIG", "/dev/null")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("geiko runs");
        let mut stdin = process.stdin.take().expect("a pipe");
        let mut lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        stdin.write_all(TAKES_ALL.as_bytes()).expect("it reads");
        let mut answer = |form: &str| {
            writeln!(stdin, "(list 'answer {form})").expect("it reads");
            let mut lines = lines.by_ref().map_while(Result::ok);
            let found = lines.find_map(|line| Some(line.strip_prefix("(ANSWER ")?.to_owned()));
            found.unwrap_or_else(|| panic!("{form} was not answered"))
        };
        assert_eq!(answer("(mixed 2000)"), "2000)");
        let small = answer("(large 10)");
        assert_eq!(answer("(large 10)"), small);
        answer("(large 600)");
        for make in ["#'(lambda (n) (make-array 500))", "#'identity", "#'list"] {
            let told = answer(&format!("(until-told {make})"));
            assert!(told.contains("Storage is"), "{generation} {jit}: {told}");
            assert_eq!(answer("(work 5000)"), "5000)");
        }
        let status = fs::read_to_string(format!("/proc/{}/status", process.id()));
        drop(stdin);
        let told = process.wait_with_output().expect("it ends").stderr;
        let told = String::from_utf8_lossy(&told);
        assert!(
            !told.contains("over the limit"),
            "{generation} {jit}: {told}"
        );
        let evicted = told.lines().find_map(|line| line.strip_prefix("evicted"));
        assert!(
            evicted.is_some_and(|line| !line.trim().starts_with('0')),
            "{told}"
        );
        let Ok(status) = status else {
            continue;
        };
        let kilobytes = |what: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(what));
            let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
            number.unwrap_or_else(|| panic!("{what} in {status}"))
        };
        let own = kilobytes("VmHWM:") - kilobytes("RssFile:");
        println!("generation {generation}, {jit}: {own} kB besides the program file at most");
        assert!(
            own <= (LIMIT + STACKS) << 10,
            "{generation} {jit}: {status}"
        );
    }
}

/// Bounds and the stack, each tried in every way that may go wrong.
const WRONG: &str = r#"
(defun down (n) (+ 1 (down (+ n 1))))
(let ((caught 0))
  (dotimes (i 100) (handler-case (down 0) (serious-condition () (incf caught))))
  (print caught))
(defmacro told (form) `(handler-case ,form (error (c) (princ-to-string c))))
(defun try (v i)
  (list (told (aref v i)) (told (setf (aref v i) 0)) (told (elt v i)) (told (setf (elt v i) 0))
        (told (aref (make-array '(2 2)) 0 i)) (told (setf (aref (make-array '(2 2)) i 0) 0))))
(dolist (i (list 2 -1 (expt 2 31) 1.0 nil))
  (dolist (v (list (vector 1 2) "ab" (make-array 2 :element-type '(unsigned-byte 8))
                   (make-array 2 :element-type 'single-float)))
    (print (try v i))))
(print (+ 40 2))
"#;

#[test]
fn errors_of_bounds_and_of_the_stack_are_the_same_in_native_code() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("wrong.lisp");
    fs::write(&program, WRONG).expect("a file");
    let told = |jit: &str, generation: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_geiko"))
            .arg(&program)
            .args(["--jit", jit, "--generation", generation])
            .env("GEIKO_CONFIG", "/dev/null")
            .output()
            .expect("geiko runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let interpreted = told("off", "3");
    assert!(interpreted.starts_with("\n100"), "{interpreted}");
    assert!(interpreted.trim_end().ends_with("42"), "{interpreted}");
    assert_eq!(
        interpreted.matches("index").count(),
        2 * 4 * 4,
        "{interpreted}"
    );
    for (jit, generation) in [("always", "3"), ("off", "2"), ("always", "2")] {
        assert_eq!(told(jit, generation), interpreted, "{jit} {generation}");
    }
}

/// Every way to go to an address, and whether something is stored there.
const ACCESSES: [(&str, &str, &str); 9] = [
    ("word", "(opcodes (getbase.n 0) at)", "load"),
    ("pointer", "(opcodes (getbaseptr.n 0) at)", "load"),
    ("bits", "(opcodes (getbits.n.fd 0 3) at)", "load"),
    ("byte", "(opcodes (getbasebyte) at 1)", "load"),
    ("set-word", "(opcodes (putbase.n 0) at 17)", "store"),
    ("set-pointer", "(opcodes (putbaseptr.n 0) at nil)", "store"),
    ("set-bits", "(opcodes (putbits.n.fd 0 3) at 5)", "load"),
    ("set-byte", "(opcodes (putbasebyte) at 1 17)", "store"),
    ("copy", "(opcodes (blt) *here* at 2)", "load"),
];
const STRAYS: usize = 1000;

/// Numbers that look random.
fn numbers() -> impl FnMut(u32) -> u32 {
    let mut state: u64 = 1;
    move |below| {
        state = (state.wrapping_mul(6364136223846793005)).wrapping_add(1442695040888963407);
        (state >> 33) as u32 % below
    }
}

#[test]
fn accesses_where_nothing_is_are_told_one_by_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("astray.lisp");
    for (generation, segments) in [("2", 0x40..0xA0), ("3", 0x100..0x800)] {
        let mut number = numbers();
        let mut text =
            "(defun place () (opcodes (createcell) 14)) (defvar *here* (place))".to_owned();
        for (name, form, _) in ACCESSES {
            text +=
                &format!("(defun {name} (high low) (let ((at (opcodes (vag2) high low))) {form}))");
        }
        text += "(dolist (access '(";
        let mut expected = Vec::new();
        for _ in 0..STRAYS {
            let (name, _, kind) = ACCESSES[number(ACCESSES.len() as u32) as usize];
            let high = segments.start + number(segments.end - segments.start);
            let low = 2 * number(0x8000 - 2);
            text += &format!("({name} {high} {low})");
            let function = name.to_uppercase();
            expected.push(format!(
                "a {kind} at {high:x},{low:x}, where nothing is, in CL:{function} at byte"
            ));
        }
        text += ")) (apply (car access) (cdr access))) (print (+ 40 2))";
        fs::write(&program, text).expect("a file");
        for jit in ["off", "always"] {
            let output = Command::new(env!("CARGO_BIN_EXE_geiko"))
                .arg(&program)
                .args(["--jit", jit, "--generation", generation, "--log", "debug"])
                .env("GEIKO_CONFIG", "/dev/null")
                .output()
                .expect("geiko runs");
            let answer = String::from_utf8_lossy(&output.stdout);
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{jit} {generation}: {errors}");
            assert_eq!(answer.trim(), "42", "{jit} {generation}");
            let told: Vec<_> = (errors.lines())
                .filter(|line| line.contains("DEBUG") && line.contains("where nothing is"))
                .collect();
            for (told, expected) in told.iter().zip(&expected) {
                assert!(
                    told.contains(expected),
                    "{jit} {generation}: {told}, not {expected}"
                );
            }
            assert_eq!(told.len(), STRAYS, "{jit} {generation}");
        }
    }
}

/// Damage of each kind, made by functions, and whether all else is as it was afterwards.
const DAMAGE: &str = "
(defun spoil-block (block) (opcodes (putbase.n 0) (opcodes (addbase) block -2) 0) nil)
(defun spoil-count (object) (opcodes (gcref 1) object) nil)
(defvar *kept* (list 1 2 3))
(dotimes (i 3)
  (spoil-block (si:allocate-cells 100 nil))
  (gc))
(dotimes (i 3)
  (spoil-count (list i))
  (gc))
(dotimes (i 1000) (make-array (mod i 50)) (list i))
(gc)
(print (list *kept* (+ 40 2)))
";

#[test]
fn lisp_goes_on_after_damage() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("damage.lisp");
    fs::write(&program, DAMAGE).expect("a file");
    for (jit, generation) in [("off", "2"), ("always", "2"), ("off", "3"), ("always", "3")] {
        let output = Command::new(env!("CARGO_BIN_EXE_geiko"))
            .arg(&program)
            .args(["--jit", jit, "--generation", generation])
            .env("GEIKO_CONFIG", "/dev/null")
            .output()
            .expect("geiko runs");
        let answer = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{jit} {generation}: {errors}");
        assert_eq!(
            answer.trim(),
            "((1 2 3) 42)",
            "{jit} {generation}: {errors}"
        );
        if jit == "off" {
            let at = (errors.lines()).filter(|line| line.contains("CL:SPOIL-COUNT at byte"));
            assert_eq!(
                at.filter(|line| line.contains("(GCREF 1")).count(),
                3,
                "{errors}"
            );
        }
        for what in ["bad array block", "decremented below zero"] {
            let told =
                (errors.lines()).filter(|line| line.contains(what) && line.contains(" at byte "));
            assert_eq!(told.count(), 3, "{jit} {generation}: {errors}");
        }
        assert_eq!(
            errors.matches("Lisp goes on").count(),
            6,
            "{jit} {generation}: {errors}"
        );
    }
}
