//! Compiles Lisp files and lists the code: `list [--builtin] [--quiet] FILE...`.
//! With `--builtin` the built-in Lisp comes in front, and is not listed.

use std::process::ExitCode;

use geiko_forge::code::Definition;
use geiko_forge::listing::listing;
use geiko_forge::source::BUILTIN;
use geiko_forge::{Source, program};
use geiko_runtime::layout::Release;

const RELEASE: Release = Release::Medley2;

fn main() -> ExitCode {
    let (options, names): (Vec<_>, Vec<_>) = std::env::args()
        .skip(1)
        .partition(|argument| argument.starts_with("--"));
    let has = |option: &str| options.iter().any(|other| other == option);
    let mut files = Vec::new();
    for name in names {
        match std::fs::read_to_string(&name) {
            Ok(text) => files.push((name, text)),
            Err(error) => {
                eprintln!("{name}: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    let builtin = if has("--builtin") { BUILTIN } else { &[] };
    let own = files.iter().map(|(name, text)| Source { name, text });
    let sources: Vec<_> = builtin.iter().copied().chain(own).collect();
    let definitions = match program::definitions(&sources, RELEASE) {
        Ok(definitions) => definitions,
        Err(errors) => {
            errors.iter().for_each(|error| eprintln!("{error}"));
            return ExitCode::FAILURE;
        }
    };
    let is_own = |file: &str| files.iter().any(|(name, _)| name == file);
    for definition in &definitions {
        let (Definition::Function(_, code)
        | Definition::Macro(_, code)
        | Definition::Initial(code)) = definition
        else {
            continue;
        };
        let own = code.place.as_ref().is_some_and(|place| is_own(&place.file));
        if own && !has("--quiet") {
            println!("{}", listing(code, program::operand_bytes(RELEASE)));
        }
    }
    ExitCode::SUCCESS
}
