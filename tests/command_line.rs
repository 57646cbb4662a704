//! The program as its users and their shells see it.

use std::io::Write;
use std::process::{Command, Output, Stdio};

fn geiko(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_geiko"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the program runs")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn help_and_version_go_to_standard_output() {
    for arguments in [&["--help"][..], &["-h"], &["run", "--help"], &["--version"]] {
        let output = geiko(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(stdout(&output).contains("geiko"), "{arguments:?}");
        assert_eq!(stderr(&output), "", "{arguments:?}");
    }
}

#[test]
fn help_of_run_tells_the_script_language() {
    let help = stdout(&geiko(&["run", "--help"]));
    for word in [
        "wait idle",
        "screenshot FILE.png",
        "--script",
        "--timeout",
        "virtual",
    ] {
        assert!(help.contains(word), "{word} in\n{help}");
    }
}

#[test]
fn wrong_input_ends_with_status_2_and_says_why() {
    for (arguments, message) in [
        (
            &["--headles", "x"][..],
            "a similar argument exists: '--headless'",
        ),
        (&["x", "--clock", "vitrual"], "'virtual'"),
        (&["x", "--screen", "9000x9000"], "Lisp has room for 2097152"),
        (&["x", "--timeout", "5"], "expected a time such as"),
        (&["completions", "tcsh"], "possible values"),
        (&["disasm"], "names of functions are wanted"),
        (
            &["disasm", "no-such-function"],
            "no compiled function no-such-function",
        ),
        (
            &["x", "--script", "/nonexistent/s"],
            "cannot read the script /nonexistent/s",
        ),
        (&["/nonexistent/image"], "/nonexistent/image"),
        (&["run", "/nonexistent/image"], "/nonexistent/image"),
    ] {
        let output = geiko(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(stdout(&output), "", "{arguments:?}");
        let said = stderr(&output);
        assert!(said.contains(message), "{arguments:?}: {said}");
    }
}

#[test]
fn a_bad_script_is_found_before_the_image_is_opened() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_geiko"))
        .args(["/nonexistent/image", "--script", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut stdin = program.stdin.take().expect("a pipe");
    stdin.write_all(b"key Return\nclik 3 4\n").expect("written");
    drop(stdin);
    let output = program.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        stderr(&output),
        "geiko: script:2: there is no step `clik`; did you mean `click`?\n  \
         try: geiko run --help shows the script language\n"
    );
}

#[test]
fn completions_for_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = geiko(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0), "{shell}");
        assert!(stdout(&output).contains("headless"), "{shell}");
    }
}

#[test]
fn manual_pages() {
    let output = geiko(&["man"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains(".TH geiko"));
    let folder = tempfile::tempdir().expect("a folder");
    let inside = folder.path().join("man");
    let output = geiko(&["man", inside.to_str().expect("a name")]);
    assert_eq!(output.status.code(), Some(0));
    for page in ["geiko.1", "geiko-run.1", "geiko-completions.1"] {
        assert!(inside.join(page).exists(), "{page}");
    }
    let output = geiko(&["man", "/proc/nowhere"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).starts_with("geiko: cannot write /proc/nowhere: "));
}

#[test]
fn forge_says_everything_that_is_wrong_with_a_program() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("wrong.lisp");
    let image = folder.path().join("wrong.sysout");
    std::fs::write(&program, "(defun f (x)\n  (g x))\n(defun h () (f 1 2))\n").expect("written");
    let (program, output) = (program.to_str().unwrap(), image.to_str().unwrap());
    let result = geiko(&["forge", "--bare", program, "-o", output]);
    assert_eq!(result.status.code(), Some(2));
    assert_eq!(stdout(&result), "");
    let expected = format!(
        "{program}:2:3: unknown function G\n\
         {program}:3:13: F takes 1 argument, not 2\n"
    );
    assert_eq!(stderr(&result), expected);
    assert!(!image.exists());
}

#[test]
fn forge_makes_images_of_both_generations() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("five.lisp");
    // Ends with status 5.
    std::fs::write(
        &program,
        "(defun il:\\\\cold-start () (opcodes (subrcall 13 2) nil 5))",
    )
    .expect("written");
    for generation in ["2", "3"] {
        let image = folder.path().join(format!("five-{generation}.sysout"));
        let (program, output) = (program.to_str().unwrap(), image.to_str().unwrap());
        let forge = [
            "forge",
            "--bare",
            program,
            "-o",
            output,
            "--generation",
            generation,
        ];
        let result = geiko(&forge);
        assert_eq!(stderr(&result), "");
        assert_eq!(result.status.code(), Some(0));
        let result = geiko(&[output, "--headless"]);
        assert_eq!(stderr(&result), "");
        assert_eq!(result.status.code(), Some(5));
    }
}

#[test]
fn bench_knows_its_benchmarks() {
    let output = geiko(&["bench", "mandelbrod"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        stderr(&output),
        "geiko: there is no benchmark mandelbrod; did you mean mandelbrot?\n  \
         try: geiko bench --list\n"
    );
    let list = stdout(&geiko(&["bench", "--list", "tak", "pi"]));
    assert_eq!(
        list.split_whitespace().step_by(2).collect::<Vec<_>>(),
        ["tak", "pi"]
    );
    let output = geiko(&["bench", "--chart", "chart.gif"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("ends with .svg or .png"));
}

#[test]
fn bench_measures_on_the_built_in_lisp() {
    for generation in ["2", "3"] {
        let arguments = [
            "bench",
            "tak",
            "pi",
            "--samples",
            "1",
            "--json",
            "-g",
            generation,
        ];
        let output = geiko(&arguments);
        assert_eq!(stderr(&output), "");
        assert_eq!(output.status.code(), Some(0));
        let report: serde_json::Value =
            serde_json::from_slice(&output.stdout).expect("the output is JSON");
        for row in report["benchmarks"].as_array().expect("rows") {
            assert!(row["byte_codes"].as_u64() > Some(100_000), "{row}");
            assert!(row["code_bytes"].as_u64() > Some(20), "{row}");
            assert!(
                row["interpreter"]["median_seconds"].as_f64() > Some(0.0),
                "{row}"
            );
        }
    }
}

#[test]
fn disasm_shows_native_code_beside_byte_code() {
    let listed = |arguments: &[&str]| {
        let output = geiko(arguments);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output)
    };
    let byte_code = listed(&["disasm", "car"]);
    let all = listed(&["disasm", "--jit", "car"]);
    let mut lines = all.lines();
    for line in byte_code.lines() {
        assert!(
            lines.any(|other| other == line),
            "{line} in order in\n{all}"
        );
    }
    // The machine is named where it is called, in both columns.
    for text in ["(part, ", "; part\n", "  jmp 0x", "bytes of machine code"] {
        assert!(all.contains(text), "{text} in\n{all}");
    }
}

#[test]
fn a_function_is_compiled_for_what_it_meets() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("jit.log");
    // Elements of a vector, which are floats, and so are the results.
    let define = "(defun scaled (v turns) (dotimes (i turns (svref v 7)) \
        (setf (svref v (logand i 7)) (+ 0.25 (* 0.5 (svref v (logand i 7)))))))";
    let call = "(scaled (make-array 8 :initial-element 3.0) 3000000)";
    let option = format!("--jit-log={}", log.display());
    let output = geiko(&["eval", define, call, "--jit", "on", &option]);
    assert_eq!(stdout(&output), "SCALED\n0.5\n");
    let log = std::fs::read_to_string(log).expect("a log");
    let of_it =
        |what: &str| (log.lines()).any(|line| line.contains("SCALED:") && line.contains(what));
    assert!(of_it("installed"), "{log}");
    // That the number of turns becomes large it cannot know.
    assert!(!of_it("guess, operand") && !of_it("guess, array"), "{log}");
}

#[test]
fn native_code_is_logged_counted_and_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("jit.log");
    let option = format!("--jit-log={}", log.display());
    let form = "(dotimes (i 3) (length (reverse (list 1 2 3))))";
    let output = geiko(&[
        "eval", form, "--jit", "always", "--stats", &option, "--perf", "map",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let log = std::fs::read_to_string(log).expect("a log");
    let of_one: Vec<_> = (log.lines())
        .filter_map(|line| line.split_once(" CL:NRECONC: "))
        .map(|(_, event)| event)
        .collect();
    assert_eq!(of_one.first(), Some(&"ordered"), "{log}");
    for event in ["compiled in ", "installed at 0x"] {
        assert!(of_one.iter().any(|line| line.starts_with(event)), "{log}");
    }
    // The totals come from the same events.
    let installed = log.matches(": installed at").count();
    let statistics = stderr(&output);
    let compiled = format!("compiled     {installed:10} functions");
    assert!(
        statistics.contains(&compiled),
        "{compiled} in\n{statistics}"
    );
}

#[test]
fn settings_are_options_unless_somebody_typed_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config.toml");
    std::fs::write(&file, "stats = true\njit = \"always\"\n").expect("a file");
    let run = |variables: &[(&str, &str)], options: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_geiko"))
            .args(["eval", "(+ 3 4)"])
            .args(options)
            .env("GEIKO_CONFIG", &file)
            .envs(variables.iter().copied())
            .output()
            .expect("the program runs")
    };
    let says_native = |output: &Output| {
        assert_eq!(stdout(output), "7\n", "{}", stderr(output));
        assert!(stderr(output).contains("elapsed"));
        stderr(output).contains("\ncompiled ")
    };
    assert!(says_native(&run(&[], &[])));
    assert!(!says_native(&run(&[("GEIKO_JIT", "off")], &[])));
    assert!(says_native(&run(&[("GEIKO_JIT", "off")], &["--jit", "on"])));
    let wrong = run(&[("GEIKO_JIT", "sometimes")], &[]);
    assert_eq!(wrong.status.code(), Some(2));
    std::fs::write(&file, "jitt = 1").expect("a file");
    let wrong = run(&[], &[]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        stderr(&wrong).contains("did you mean jit?"),
        "{}",
        stderr(&wrong)
    );
}
