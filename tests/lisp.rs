//! The tests in Lisp, on images of both generations, in every way of running them.

use std::path::Path;
use std::process::Command;

/// Ends with a status of its own, so that nothing else can look like success.
const END: &str = "(defun main () (si:quit (if (and (> *checks* 500) (= *failures* 0)) 9 1)))";

const WAYS: &[&[&str]] = &[
    &[],
    &["--gc-zeal"],
    &["--jit", "always"],
    &["--jit", "always", "--gc-zeal"],
];

#[test]
fn the_tests_in_lisp_pass_in_every_way() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("forge/lisp/tests.lisp");
    let folder = tempfile::tempdir().expect("a folder");
    let end = folder.path().join("end.lisp");
    std::fs::write(&end, END).expect("a file");
    for generation in ["2", "3"] {
        let image = folder.path().join("tests.sysout");
        let forged = Command::new(env!("CARGO_BIN_EXE_geiko"))
            .arg("forge")
            .args([&tests, &end])
            .args(["--generation", generation, "-o"])
            .arg(&image)
            .status()
            .expect("it starts");
        assert!(forged.success());
        for way in WAYS {
            let output = Command::new(env!("CARGO_BIN_EXE_geiko"))
                .arg("run")
                .arg(&image)
                .args(["--headless", "--timeout", "300s"])
                .args(*way)
                .output()
                .expect("it starts");
            assert_eq!(
                output.status.code(),
                Some(9),
                "generation {generation}, {way:?}: {}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr),
            );
        }
    }
}
