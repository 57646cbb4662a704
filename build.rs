//! Makes the image of the built-in Lisp, which becomes part of the program.

use std::path::Path;
use std::process::ExitCode;

use geiko_forge::build::build;
use geiko_runtime::layout::Release;

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=forge/lisp");
    println!("cargo::rerun-if-changed=build.rs");
    let result = build(&[], Release::Medley3, false)
        .map_err(|error| error.to_string())
        .and_then(|image| {
            let folder = std::env::var_os("OUT_DIR").ok_or("there is no output folder")?;
            let path = Path::new(&folder).join("lisp.sysout");
            std::fs::write(path, image).map_err(|error| error.to_string())
        });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
