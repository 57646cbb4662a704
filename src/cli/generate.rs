//! Completion scripts and manual pages, generated from the command line's own
//! description.

use std::io;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, output};
use crate::error::{Error, Status};

/// Prints the completion script for `shell`.
pub fn completions(shell: Shell) -> Result<Status, Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "geiko", &mut script);
    output::bytes(&script)?;
    Ok(Status::Success)
}

/// Prints the manual page, or writes one page for each command into `folder`.
pub fn manual(folder: Option<&Path>) -> Result<Status, Error> {
    match folder {
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command())
                .render(&mut page)
                .map_err(|source| unwritable("standard output", source))?;
            output::bytes(&page)?;
            Ok(Status::Success)
        }
        Some(folder) => {
            std::fs::create_dir_all(folder)
                .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
                .map_err(|source| unwritable(folder, source))?;
            Ok(Status::Success)
        }
    }
}

fn unwritable(path: impl AsRef<Path>, source: io::Error) -> Error {
    Error::Write {
        path: path.as_ref().into(),
        source,
    }
}
