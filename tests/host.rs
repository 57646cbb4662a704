//! What Lisp may do on the host, and what it may not.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const GEIKO: &str = env!("CARGO_BIN_EXE_geiko");

fn eval(folder: &Path, options: &[&str], form: &str) -> Output {
    let mut command = Command::new(GEIKO);
    command
        .arg("eval")
        .args(options)
        .arg(form)
        .current_dir(folder);
    command.output().expect("the program runs")
}

/// What a form prints.
#[track_caller]
fn value(folder: &Path, options: &[&str], form: &str) -> String {
    let output = eval(folder, options, form);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(errors, "", "{form}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// What the error says that a form ends with.
#[track_caller]
fn error(folder: &Path, options: &[&str], form: &str) -> String {
    let output = eval(folder, options, form);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{form}: {errors}");
    errors
}

fn read(name: &str) -> String {
    format!("(with-open-file (f {name:?}) (read-line f))")
}

fn write(name: &str) -> String {
    format!("(with-open-file (f {name:?} :direction :output) (write-line \"new\" f))")
}

/// A folder `in` with a file `inside`, beside a file `outside`.
fn folders() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("in")).expect("a folder");
    fs::write(at("outside"), "secret\n").expect("a file");
    fs::write(at("in/inside"), "plain\n").expect("a file");
    std::os::unix::fs::symlink("../outside", at("in/link")).expect("a link");
    folder
}

#[test]
fn files_are_confined_to_a_folder() {
    let folders = folders();
    let at = |name: &str| folders.path().join(name).display().to_string();
    let inside = folders.path().join("in");
    let root = ["--fs-root", &at("in")];
    for name in ["inside", "/inside", "../inside", "/../../inside"] {
        assert_eq!(
            value(&inside, &root, &read(name)),
            "\"plain\"\nNIL\n",
            "{name}"
        );
    }
    for name in [
        "../outside",
        "/../outside",
        "link",
        "/link",
        &at("outside"),
        "/etc/passwd",
    ] {
        let said = error(&inside, &root, &read(name));
        assert!(said.contains("there is no such file"), "{name}: {said}");
    }
    value(&inside, &root, &write("/made/new"));
    assert_eq!(
        fs::read_to_string(at("in/made/new")).expect("a file"),
        "new\n"
    );
    // A folder that is not below the root cannot be the current one.
    assert_eq!(
        value(folders.path(), &root, &read("inside")),
        "\"plain\"\nNIL\n"
    );
    // Images are saved there, too.
    value(&inside, &root, "(save-image \"/made/image\")");
    assert!(Path::new(&at("in/made/image")).exists());
}

#[test]
fn names_are_unicode() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["Grüße.txt", "Жизнь", "αβγ-日本"] {
        value(folder.path(), &[], &write(name));
        assert!(folder.path().join(name).exists(), "{name}");
        assert_eq!(value(folder.path(), &[], &read(name)), "\"new\"\nNIL\n");
        let found = format!("(and (probe-file {name:?}) t)");
        assert_eq!(value(folder.path(), &[], &found), "T\n", "{name}");
    }
}

#[test]
fn files_are_only_read() {
    let folders = folders();
    let folder = folders.path();
    let options = ["--fs", "readonly"];
    assert_eq!(
        value(folder, &options, &read("outside")),
        "\"secret\"\nNIL\n"
    );
    for name in ["outside", "new", "in/new", "nowhere/new"] {
        let said = error(folder, &options, &write(name));
        assert!(said.contains("files can only be read"), "{name}: {said}");
    }
    error(folder, &options, "(save-image \"image\")");
    let mut names: Vec<_> = fs::read_dir(folder).expect("entries").collect();
    assert_eq!(names.len(), 2, "{:?}", names.pop());
    assert_eq!(
        fs::read_to_string(folder.join("outside")).expect("a file"),
        "secret\n"
    );
}

#[test]
fn shell_commands() {
    let folders = folders();
    let run = |options: &[&str], form: &str| value(folders.path(), options, form);
    let command = "(run-shell-command \"cat outside; pwd >&2; exit 5\")";
    let path = folders.path().canonicalize().expect("a path");
    let expected = format!("\"secret\n{}\n\"\n5\n", path.display());
    assert_eq!(run(&[], command), expected);
    let long = "(length (run-shell-command \"yes | head -c 100000\"))";
    assert_eq!(run(&[], long), "100000\n");
}

#[test]
fn no_shell_commands() {
    let folders = folders();
    let root = folders.path().display().to_string();
    for options in [
        &["--no-processes"][..],
        &["--fs", "readonly"],
        &["--fs-root", &root],
    ] {
        let said = error(folders.path(), options, "(run-shell-command \"echo x >y\")");
        assert!(said.contains("The host runs no shell commands."), "{said}");
    }
    assert!(!folders.path().join("y").exists());
}

#[test]
fn a_root_that_is_none() {
    let folders = folders();
    for name in ["outside", "nowhere"] {
        let output = eval(folders.path(), &["--fs-root", name], "1");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("--fs-root"), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}
