//! The `geiko` program.

use std::process::ExitCode;

use geiko_region::ProgramMemory;

#[global_allocator]
static MEMORY: ProgramMemory = ProgramMemory;

fn main() -> ExitCode {
    geiko::cli::main(std::env::args_os())
}
