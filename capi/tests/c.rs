//! The header is that of the library, and a program in C works with both.

use std::path::{Path, PathBuf};
use std::process::Command;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The header as it should be.
fn header() -> String {
    let config = cbindgen::Config {
        language: cbindgen::Language::C,
        include_guard: Some("GEIKO_H".into()),
        header: Some("/* Lisp in programs written in C: see docs/embedding.md. */".into()),
        documentation_style: cbindgen::DocumentationStyle::C,
        style: cbindgen::Style::Type,
        cpp_compat: true,
        usize_is_size_t: true,
        ..cbindgen::Config::default()
    };
    let builder = cbindgen::Builder::new().with_config(config);
    let bindings = builder.with_src(folder().join("src/lib.rs")).generate();
    let mut text = Vec::new();
    bindings.expect("a header").write(&mut text);
    String::from_utf8(text).expect("UTF-8")
}

#[test]
fn the_header_is_up_to_date() {
    let path = folder().join("geiko.h");
    if std::env::var_os("GEIKO_BLESS").is_some() {
        std::fs::write(&path, header()).expect("written");
    }
    let current = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        current == header(),
        "geiko.h is out of date; GEIKO_BLESS=1 writes it anew"
    );
}

/// The folder that the library is in: the one above this program's.
fn libraries() -> PathBuf {
    let program = std::env::current_exe().expect("a program");
    program.parent().map(Path::to_owned).expect("a folder")
}

#[test]
fn a_program_in_c() {
    let made = tempfile::tempdir().expect("a folder");
    let program = made.path().join("program");
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    let compiled = Command::new(compiler)
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(folder())
        .arg(folder().join("tests/program.c"))
        .arg("-o")
        .arg(&program)
        .arg("-L")
        .arg(libraries())
        .arg("-lgeiko_c")
        .status()
        .expect("a C compiler");
    assert!(compiled.success());
    let output = Command::new(&program)
        .env("LD_LIBRARY_PATH", libraries())
        .output()
        .expect("it runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(errors, "");
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).ends_with(" checks\n"));
}
