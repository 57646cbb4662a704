//! Scripted sessions with a real Medley 2.01 image, where there is one: at
//! `../shared/images/medley-2.01/lisp.sysout` or where `GEIKO_MEDLEY_IMAGE` says.

mod images;

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use images::medley;

/// What brings the image from its start to the prompt of the Exec.
const BOOT: &str = "wait idle 1s\nkey Return\nwait idle 10s\n";

/// The standard output of a command that looks into `image`.
fn look(command: &str, image: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_geiko"))
        .arg(command)
        .arg(image)
        .args(arguments)
        .output()
        .expect("the program runs");
    assert_success(&output);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs `image` with a script, in `folder`, on virtual time.
fn play(image: &Path, folder: &Path, script: &str) -> Output {
    play_with(image, folder, script, &[])
}

/// The same with more options.
fn play_with(image: &Path, folder: &Path, script: &str, options: &[&str]) -> Output {
    let path = folder.join("script.geiko");
    std::fs::write(&path, script).expect("a script");
    Command::new(env!("CARGO_BIN_EXE_geiko"))
        .arg(image)
        .args(["--headless", "--clock", "virtual", "--timeout", "5m"])
        .args(options)
        .arg("--script")
        .arg(&path)
        .arg("--crash-report-dir")
        .arg(folder)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("the program runs")
}

fn assert_success(output: &Output) {
    assert_eq!(
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).as_ref()
        ),
        (Some(0), "")
    );
}

/// Script lines that have Lisp print the value of `form` to `file`.
fn print_to(file: &Path, form: &str) -> String {
    let form = format!(
        "(with-open-file (s \"{}\" :direction :output) (princ {form} s))\n",
        file.display()
    );
    let text = form
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("type \"{text}\"\nwait idle 1s\n")
}

#[test]
fn an_image_can_be_looked_into() {
    let Some(image) = medley() else { return };
    let info = look("info", &image, &[]);
    for line in [
        "generation   Medley 2 (24-bit pointers)",
        "herald       Medley  7-Oct-92 ...",
        "   5      4    98942     4965      30907  LISTP",
        "   19579  INTERLISP (IL)",
    ] {
        assert!(info.contains(line), "{line} in\n{info}");
    }
    let json = look("info", &image, &["--json"]);
    assert!(json.contains("\"symbols\": 25724"), "{json}");
    let audit = look("audit", &image, &["--json"]);
    assert!(audit.contains("\"sound\": true"), "{audit}");
    insta::assert_snapshot!(look("disasm", &image, &["reverse"]));
    let anywhere = look("disasm", &image, &["throw"]);
    assert!(anywhere.starts_with("CL:THROW\n"), "{anywhere}");
}

#[test]
fn unknown_functions_are_wrong_input() {
    let Some(image) = medley() else { return };
    for (name, message) in [
        (
            "reverze",
            "no compiled function reverze; did you mean REVERSE?",
        ),
        ("#ff,0", "there is no code at #ff,0"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_geiko"))
            .arg("disasm")
            .arg(&image)
            .args(["car", name])
            .output()
            .expect("the program runs");
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(message), "{said}");
    }
}

#[test]
fn the_exec_evaluates() {
    let Some(image) = medley() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name);
    let cases = [
        ("sum", "(+ 3 4)", "7"),
        ("boxed", "(il:plus 65535 65535)", "131070"),
        ("quotient", "(/ 1.0 4)", "0.25"),
        (
            "factorial",
            "(let ((f 1)) (dotimes (i 30 f) (setq f (* f (1+ i)))))",
            "265252859812191058636308480000000",
        ),
    ];
    let mut script = String::from(BOOT);
    for (name, form, _) in cases {
        script += &print_to(&file(name), form);
    }
    script += "type \"(defun f (n) (if (< n 2) n (+ (f (- n 1)) (f (- n 2)))))\\n\"\n\
               wait idle 1s\ntype \"(compile 'f)\\n\"\nwait idle 1s\n";
    script += &print_to(&file("compiled"), "(list (f 20) (compiled-function-p #'f))");
    assert_success(&play(&image, folder.path(), &script));
    let content = |name| std::fs::read_to_string(file(name)).unwrap_or_default();
    for (name, form, value) in cases {
        assert_eq!(content(name), value, "{form}");
    }
    assert_eq!(content("compiled"), "(6765 T)");
}

/// Lisp's own look at every block of array space: `\PARSEARRAYSPACE` gives each to `\CHECKARRAYBLOCK`.
const CHECK_BLOCKS: &str = "(let ((in-use 0) (free 0)) \
    (il:\\\\parsearrayspace #'(lambda (block length used kind) (if used (incf in-use) (incf free)))) \
    (list in-use free))";

#[test]
fn lisp_finds_every_array_block_sound_after_work_with_arrays() {
    let Some(image) = medley() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let work = "(setq il:arrayblockchecking t)\"\nwait idle 1s\n\
        type \"(let ((some (make-array 60))) (dotimes (i 4000) (setf (svref some (mod (* i 31) 60)) \
        (make-array (+ 5 (mod (* i 37) 1500))))))";
    for policy in ["maiko", "segmented"] {
        let told = folder.path().join(policy);
        let print = print_to(&told, CHECK_BLOCKS);
        let script = format!("{BOOT}type \"{work}\"\nwait idle 20s\n{print}wait idle 20s\n");
        let options = ["--array-policy", policy, "--stats"];
        let output = play_with(&image, folder.path(), &script, &options);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{said}");
        let is_ours = said.lines().any(|line| line.starts_with("arrays "));
        assert_eq!(is_ours, policy == "segmented", "{said}");
        let told = std::fs::read_to_string(told).unwrap_or_default();
        let numbers: Vec<u32> = told
            .trim_matches(['(', ')'])
            .split(' ')
            .filter_map(|number| number.parse().ok())
            .collect();
        println!("{policy}: {numbers:?} blocks in use and free");
        assert!(
            matches!(numbers[..], [used, free] if used > 4800 && free > 100),
            "{told}"
        );
    }
    // A trailer that does not tell the length of its block is noticed.
    let spoil = "(il:\\\\\\\\parsearrayspace #'(lambda (block length used kind) \
        (when (and (not used) (> length 20)) (il:\\\\\\\\putbase block (- (* 2 length) 1) 7))))";
    let script = format!(
        "{BOOT}type \"{work}\"\nwait idle 20s\ntype \"{spoil}\"\nwait idle 5s\n\
        type \"(il:\\\\\\\\parsearrayspace nil)\"\nwait idle 5s\n"
    );
    let output = play(&image, folder.path(), &script);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("RAID: ARRAYBLOCK Header and Trailer length don't match"),
        "{said}"
    );
}

#[test]
fn an_error_opens_a_window_that_can_be_left() {
    let Some(image) = medley() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let script = format!(
        "{BOOT}screenshot before.png\ntype \"(error \\\"no\\\")\\n\"\nwait idle 2s\n\
         screenshot break.png\ntype \"^\\n\"\nwait idle 2s\n{}",
        print_to(&folder.path().join("after"), "(+ 1 1)")
    );
    assert_success(&play(&image, folder.path(), &script));
    let picture = |name: &str| std::fs::read(folder.path().join(name)).expect("a picture");
    assert_ne!(picture("before.png"), picture("break.png"));
    let after = std::fs::read_to_string(folder.path().join("after"));
    assert_eq!(after.unwrap_or_default(), "2");
}

#[test]
fn an_interrupt_character_stops_a_busy_lisp() {
    let Some(image) = medley() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let script = format!(
        "{BOOT}type \"(loop)\"\nwait 200ms\nkey Ctrl-e\nwait idle 1s\n{}",
        print_to(&folder.path().join("after"), "(+ 1 1)")
    );
    assert_success(&play(&image, folder.path(), &script));
    let after = std::fs::read_to_string(folder.path().join("after"));
    assert_eq!(after.unwrap_or_default(), "2");
}

#[test]
fn a_waiting_lisp_is_interrupted_at_once_after_a_break() {
    let Some(image) = medley() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("told");
    // What is typed before the interrupt is served would be lost.
    let print = print_to(&file, "typed");
    let script = format!(
        "{BOOT}type \"(break \\\"stop\\\")\\n\"\nwait idle 2s\ntype \"^\\n\"\nwait idle 2s\n\
         key Ctrl-d\nwait 100ms\ntype \"(setq typed \"\nwait 500ms\ntype \"7)\\n\"\n{print}"
    );
    assert_success(&play(&image, folder.path(), &script));
    assert_eq!(std::fs::read_to_string(file).unwrap_or_default(), "7");
}

#[test]
fn a_function_returns_wherever_the_stack_ends() {
    let Some(image) = medley() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("depths");
    // GETHASH with EQL ends in `\MISCN.UFN`, which takes operands of its caller, here at every depth.
    let define = "(progn (setq h (make-hash-table)) (setf (gethash 'a h) 1) \
        (defun d (n) (if (= n 0) (gethash 'a h) (list (d (- n 1))))) (compile 'd))";
    let all = print_to(&file, "(let ((s 0)) (dotimes (n 400 s) (d n) (incf s)))");
    let script = format!("{BOOT}type \"{define}\\n\"\nwait idle 1s\n{all}wait idle 2s\n");
    assert_success(&play(&image, folder.path(), &script));
    assert_eq!(std::fs::read_to_string(file).unwrap_or_default(), "400");
}

#[test]
fn a_runaway_recursion_costs_only_itself() {
    let Some(image) = medley() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let script = format!(
        "{BOOT}type \"(defun deeper (n) (+ 1 (deeper n)))\"\nwait idle 500ms\n\
         type \"(deeper 1)\"\nwait idle 2s\n{}",
        print_to(&folder.path().join("after"), "(+ 1 1)")
    );
    let output = play(&image, folder.path(), &script);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("the Lisp stack was full"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    let after = std::fs::read_to_string(folder.path().join("after"));
    assert_eq!(after.unwrap_or_default(), "2", "{output:?}");
}

#[test]
fn native_code_changes_no_result() {
    let Some(image) = medley() else { return };
    let program = "(progn\
        (defun tree (n) (if (= n 0) nil (cons (tree (- n 1)) (tree (- n 1)))))\
        (defun leaves (x) (if (null x) 1 (+ (leaves (car x)) (leaves (cdr x)))))\
        (defun fact (n) (if (= n 0) 1 (* n (fact (- n 1)))))\
        (defun sum (v) (let ((s 0.0)) (dotimes (i (length v) s) (incf s (aref v i)))))\
        (defun find-it (x) (catch 'it (mapc #'(lambda (y) (if (> y 7) (throw 'it y))) x) nil))\
        (mapc #'compile '(tree leaves fact sum find-it)))";
    let values = "(list (leaves (tree 12)) (fact 40) (sum (vector 1 2.5 -70000 1e6))\
        (let (all) (dotimes (i 300 (length all)) (push (find-it '(1 2 9 4)) all)))\
        (il:sort (il:copy '(c b a d)) 'il:alphorder))";
    let results = [&["--jit", "off"][..], &["--jit", "on", "--jit-threshold", "2"]].map(|options| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("script.geiko");
        let result = folder.path().join("result");
        let text = format!(
            "wait idle 1s\nkey Return\nwait idle 2s\ntype \"{program}\"\nwait idle 1s\n{}wait idle 1s\n",
            print_to(&result, values)
        );
        std::fs::write(&path, text).expect("a script");
        let output = Command::new(env!("CARGO_BIN_EXE_geiko"))
            .arg(&image)
            .args(["--headless", "--timeout", "2m", "--script"])
            .arg(&path)
            .args(options)
            .output()
            .expect("the program runs");
        assert_success(&output);
        std::fs::read_to_string(result).expect("a result")
    });
    let first = "(4096 815915283247897734345611269596115894272000000000 ";
    assert!(results[0].starts_with(first), "{}", results[0]);
    assert_eq!(results[0], results[1]);
}

#[test]
fn what_lisp_does_to_running_functions_is_seen() {
    let Some(image) = medley() else { return };
    // Other definitions, patched code, advice, frames left or changed from outside.
    let program = r#";;; tests
        (defun g1 (x) (+ x 1))
        (defun g2 (x) (* x 2))
        (defun g3 (x) (- x 3))
        (defun g4 (x) (* x 4))
        (defun g5 (x) (+ x 5))
        (defun redefine (n) (let ((s 0)) (dotimes (i n s)
          (when (= i 50) (il:movd 'g2 'g1)) (incf s (g1 i)))))
        (defun patch (n) (let ((s 0)) (dotimes (i n s)
          (when (= i 50) (il:changename 'patch 'g3 'g4)) (incf s (g3 i)))))
        (defun advise (n) (let ((s 0)) (dotimes (i n s)
          (when (= i 20) (il:advise 'g5 'il:after '(il:setq il:!value 1000)))
          (incf s (g5 i)))))
        (defun inner (x) (if (> x 7) (il:retfrom 'outer (list 'gone x)) x))
        (defun outer (n) (let ((s 0)) (dotimes (i n s) (incf s (inner i)))))
        (defun callee (i) (if (oddp i)
          (il:enveval '(setq zz (+ zz 1)) (il:stkpos 'binder)) (il:evalv 'zz)))
        (defun binder (zz) (declare (special zz)) (dotimes (i 8 zz) (callee i)))
        (defun setter (n) (if (= n 0)
          (il:setstkarg 1 (il:stknth -3) 77) (list n (setter (- n 1)) n)))
        (mapc #'compile '(g1 g2 g3 g4 g5 redefine patch advise inner outer callee binder setter))
        (defvar *all* nil)
        (dotimes (i 4) (push (list (outer 20) (binder i) (setter 3)) *all*))
        (push (list (redefine 100) (redefine 10) (patch 100) (patch 10) (advise 40) (advise 4))
          *all*)
        (with-open-file (s "{DSK}RESULT" :direction :output) (princ *all* s))"#;
    let turns = |n: u32| format!("((GONE 8) {n} (3 (2 (1 77 1) 77) 3))");
    let expected = format!(
        "((8725 90 15975 180 20290 4000) {})",
        [7, 6, 5, 4].map(turns).join(" ")
    );
    for way in ["off", "always"] {
        let folder = tempfile::tempdir().expect("a folder");
        let [source, result] = ["p.lisp", "result"].map(|name| folder.path().join(name));
        let text = program.replace("RESULT", &result.display().to_string());
        std::fs::write(&source, text).expect("a file");
        let script = format!(
            "{BOOT}type \"(load \\\"{{DSK}}{}\\\")\\n\"\nwait idle 2s\n",
            source.display()
        );
        assert_success(&play_with(&image, folder.path(), &script, &["--jit", way]));
        let found = std::fs::read_to_string(result).unwrap_or_default();
        assert_eq!(found, expected, "--jit {way}");
    }
}

#[test]
fn a_waiting_lisp_sleeps() {
    let Some(image) = medley() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("script.geiko");
    std::fs::write(&script, "wait idle 1s\nwait 3s").expect("a script");
    let output = Command::new(env!("CARGO_BIN_EXE_geiko"))
        .arg(&image)
        .args(["--headless", "--stats", "--script"])
        .arg(&script)
        .output()
        .expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr);
    let seconds: f64 = said
        .lines()
        .find_map(|line| {
            line.strip_prefix("asleep")?
                .strip_suffix('s')?
                .trim()
                .parse()
                .ok()
        })
        .unwrap_or_default();
    assert!(seconds > 2.0, "{said}");
}

#[test]
fn two_runs_on_virtual_time_are_identical() {
    let Some(image) = medley() else { return };
    let run = |options: &[&str]| {
        let folder = tempfile::tempdir().expect("a folder");
        let script = format!(
            "{BOOT}type \"(list (get-internal-real-time) (get-universal-time))\\n\"\n\
             wait idle 1s\nclick 100 90 right\nwait 1s\nscreenshot end.png"
        );
        assert_success(&play_with(&image, folder.path(), &script, options));
        std::fs::read(folder.path().join("end.png")).expect("a picture")
    };
    let interpreted = run(&["--jit", "off"]);
    assert_eq!(interpreted, run(&["--jit", "off"]));
    assert_eq!(interpreted, run(&["--jit", "on", "--jit-threshold", "20"]));
    assert_eq!(interpreted, run(&["--jit", "always"]));
}

#[test]
fn a_saved_image_goes_on_where_it_was() {
    let Some(image) = medley() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let saved = folder.path().join("saved.sysout");
    let script = format!(
        "{BOOT}type \"(setq kept (list 1 2 3))\\n\"\nwait idle 1s\nsave {}\nwait idle 1s\n\
         type \"(il:logout t)\"\nwait end",
        saved.display()
    );
    assert_success(&play(&image, folder.path(), &script));
    let result = folder.path().join("result");
    let script = format!("wait idle 10s\n{}", print_to(&result, "(reverse kept)"));
    assert_success(&play(&saved, folder.path(), &script));
    assert_eq!(
        std::fs::read_to_string(result).unwrap_or_default(),
        "(3 2 1)"
    );
    let audit = Command::new(env!("CARGO_BIN_EXE_geiko"))
        .arg("audit")
        .arg(&saved)
        .output()
        .expect("the program runs");
    assert_eq!(audit.status.code(), Some(0));
}

#[test]
fn a_guest_fault_is_reported() {
    let Some(image) = medley() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let script = format!("{BOOT}type \"(il:raid \\\"of bees\\\")\\n\"\nwait 1m");
    let output = play(&image, folder.path(), &script);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("of bees"), "{said}");
    let report = std::fs::read_dir(folder.path())
        .expect("a folder")
        .filter_map(Result::ok)
        .find(|entry| {
            entry
                .file_name()
                .to_string_lossy()
                .starts_with("geiko-fault")
        })
        .expect("a report");
    let report = std::fs::read_to_string(report.path()).expect("a report");
    for word in [
        "RAID",
        "instruction",
        "registers",
        "backtrace",
        "\\EVALFORM",
    ] {
        assert!(report.contains(word), "{word} in\n{report}");
    }
}

#[test]
fn a_script_that_waits_in_vain_fails_with_its_line() {
    let Some(image) = medley() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let output = play(
        &image,
        folder.path(),
        "wait idle 1s\n\nwait file nothing 5s",
    );
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.ends_with("script.geiko:3: waited 5s for the file nothing\n"),
        "{said}"
    );
    assert_eq!(
        play(&image, folder.path(), "quit 42").status.code(),
        Some(42)
    );
}

/// A session whose state is on a small disk of its own, where `prepare` is done before it
/// starts and `folder` is the one around that disk; `None` where that cannot be.
fn session_on_small_disk(folder: &Path, prepare: &str, options: &[&str]) -> Option<Child> {
    let unshare = ["--user", "--map-root-user", "--mount", "sh", "-c"];
    let small = |prepare: &str| {
        let mut command = Command::new("unshare");
        command
            .args(unshare)
            .arg(format!(
                "mount -t tmpfs -o size=6m small state && {prepare} exec \"$@\""
            ))
            .arg("sh")
            .current_dir(folder);
        command
    };
    std::fs::create_dir(folder.join("state")).expect("a folder");
    let tried = small("").arg("true").output();
    if !tried.is_ok_and(|output| output.status.success()) {
        println!("skipped: no disk can be mounted");
        return None;
    }
    let session = small(prepare)
        .arg(env!("CARGO_BIN_EXE_geiko"))
        .args(["run", "--display", "none", "--name", "full"])
        .args(["--save-to", "state/saved.sysout"])
        .args(options)
        .env("XDG_STATE_HOME", folder.join("state"))
        .env("XDG_RUNTIME_DIR", folder)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    Some(session.expect("the program runs"))
}

#[test]
fn a_session_that_is_ended_on_a_full_disk_is_saved_elsewhere() {
    let Some(image) = medley() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    std::fs::copy(&image, path("lisp.sysout")).expect("a copy");
    let fill = "head -c 3000000 /dev/zero >state/other;";
    let Some(mut session) = session_on_small_disk(folder.path(), fill, &["lisp.sysout"]) else {
        return;
    };
    let said = saved_when_ended(&mut session);
    let saved = path("full-recovery.sysout");
    let lines: Vec<_> = said.lines().collect();
    let [first, second, last] = lines[..] else {
        panic!("{said}");
    };
    for (line, file) in [(first, "recovery.sysout"), (second, "full-recovery.sysout")] {
        assert!(
            line.contains(file) && line.contains("No space left on device"),
            "{said}"
        );
    }
    assert!(last.ends_with(&saved.display().to_string()), "{said}");
    look("audit", &saved, &[]);
}

#[test]
fn a_session_that_begins_on_a_full_disk_is_saved_elsewhere() {
    let Some(image) = medley() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::copy(&image, folder.path().join("lisp.sysout")).expect("a copy");
    let fill = "export TMPDIR=\"$PWD\"; head -c 9000000 /dev/zero >state/other 2>/dev/null;";
    let Some(mut session) = session_on_small_disk(folder.path(), fill, &["lisp.sysout"]) else {
        return;
    };
    let said = saved_when_ended(&mut session);
    let told = said.lines().next().unwrap_or_default();
    assert!(
        told.contains("No space left") && told.contains("what is saved of this session goes to"),
        "{said}"
    );
    let saved = said.trim_end().rsplit(' ').next().unwrap_or_default();
    assert!(saved.ends_with("/sessions/full/recovery.sysout"), "{said}");
    look("audit", Path::new(saved), &[]);
}

#[test]
fn a_session_that_can_be_saved_nowhere_goes_on() {
    let Some(image) = medley() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::copy(&image, folder.path().join("lisp.sysout")).expect("a copy");
    let all = "export TMPDIR=state; cp lisp.sysout state;";
    let Some(mut session) = session_on_small_disk(folder.path(), all, &["state/lisp.sysout"])
    else {
        return;
    };
    let errors = session.stderr.take().expect("a pipe");
    let mut lines = BufReader::new(errors).lines().map_while(Result::ok);
    std::thread::sleep(Duration::from_secs(5));
    terminate(&session);
    let told = lines.find(|line| line.contains("could not be saved"));
    let told = told.expect("the session tells");
    assert!(
        told.contains("No space left") && told.ends_with("goes on until it is ended again"),
        "{told}"
    );
    assert_eq!(session.try_wait().expect("a state"), None);
    terminate(&session);
    let told = lines.last().expect("the session tells");
    assert!(told.contains("could not be saved"), "{told}");
    assert_eq!(session.wait().expect("an end").code(), Some(4));
}

/// Ends a session, which is saved then; what it says.
fn saved_when_ended(session: &mut Child) -> String {
    std::thread::sleep(Duration::from_secs(5));
    terminate(session);
    let mut said = String::new();
    let errors = session.stderr.as_mut().expect("a pipe");
    errors.read_to_string(&mut said).expect("text");
    let status = session.wait().expect("an end").code();
    assert_eq!(status, Some(128 + 15), "{said}");
    said
}

fn terminate(session: &Child) {
    let process = rustix::process::Pid::from_child(session);
    rustix::process::kill_process(process, rustix::process::Signal::TERM).expect("a process");
}
