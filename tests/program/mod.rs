//! Running the program.

use std::process::{Command, Output};

/// Runs the program, which succeeds.
pub fn run(arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_geiko"))
        .args(arguments)
        .env("GEIKO_CONFIG", "/dev/null")
        .output()
        .expect("geiko runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {told}");
    output
}
