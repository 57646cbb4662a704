//! Completion scripts and manual pages, generated from the command line's own
//! description.

use std::io::{self, Write};
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;
use crate::error::{Error, Status};

/// Prints the completion script for `shell`.
pub fn completions(shell: Shell) -> Result<Status, Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "geiko", &mut script);
    print(&script)
}

/// Prints the manual page, or writes one page for each command into `folder`.
pub fn manual(folder: Option<&Path>) -> Result<Status, Error> {
    match folder {
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command())
                .render(&mut page)
                .map_err(|source| unwritable("standard output", source))?;
            print(&page)
        }
        Some(folder) => {
            std::fs::create_dir_all(folder)
                .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
                .map_err(|source| unwritable(folder, source))?;
            Ok(Status::Success)
        }
    }
}

fn print(text: &[u8]) -> Result<Status, Error> {
    match io::stdout().lock().write_all(text) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(unwritable("standard output", error))
        }
        _ => Ok(Status::Success),
    }
}

fn unwritable(path: impl AsRef<Path>, source: io::Error) -> Error {
    Error::Write {
        path: path.as_ref().into(),
        source,
    }
}
