//! The `geiko` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    geiko::cli::main(std::env::args_os())
}
