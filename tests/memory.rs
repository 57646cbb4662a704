//! Garbage in circles, made by Lisp as byte code and natively, does not fill the image.

use std::path::Path;
use std::process::Command;

/// Rings of three list cells; each takes 24 bytes.
const RINGS: u32 = if cfg!(debug_assertions) {
    100_000
} else {
    1_000_000
};
/// Pages that so many rings take.
const PAGES: u32 = RINGS / 512 * 24;

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
        assert!(pages <= PAGES / 2, "{pages} pages more with {arguments:?}");
    }
}

#[test]
fn rings_stay_if_they_are_only_reported() {
    let report = ["--gc-backup", "report"];
    assert!(rings(&report, RINGS / 10, "circles") > RINGS / 20);
    let pages = RINGS / 10 * 24 / 512;
    assert!(rings(&report, RINGS / 10, "pages") > pages);
}
