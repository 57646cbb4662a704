//! `geiko forge`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use geiko_forge::Source;
use geiko_forge::build::build;
use geiko_runtime::image;
use geiko_runtime::layout::Release;

use crate::error::{Error, Status};

/// What to make an image of.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  geiko forge hello.lisp -o hello.sysout && geiko hello.sysout
  geiko forge -o lisp.sysout            Lisp alone: it reads, evaluates and prints

The image calls the function MAIN if the program defines it, and ends when that
returns. Forms that are no definitions are evaluated when the image first starts.")]
pub struct ForgeArgs {
    /// Source files, in order
    #[arg(value_name = "FILE")]
    sources: Vec<PathBuf>,
    /// The image to write
    #[arg(long, short, value_name = "IMAGE")]
    output: PathBuf,
    /// The image generation: 2 has 24-bit pointers, 3 has 28-bit pointers
    #[arg(long, short, value_enum, default_value = "3", value_name = "N")]
    generation: GenerationNumber,
    /// Leave out the built-in Lisp
    #[arg(long)]
    bare: bool,
}

/// The image generations by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GenerationNumber {
    /// Medley 2.0 and 2.01
    #[value(name = "2")]
    Two,
    /// Medley 3.5 and 3.51
    #[value(name = "3")]
    Three,
}

impl From<GenerationNumber> for Release {
    fn from(number: GenerationNumber) -> Self {
        match number {
            GenerationNumber::Two => Self::Medley2,
            GenerationNumber::Three => Self::Medley3,
        }
    }
}

/// Makes an image.
pub fn forge(arguments: &ForgeArgs) -> Result<Status, Error> {
    let texts: Vec<(String, String)> = arguments
        .sources
        .iter()
        .map(|path| read(path))
        .collect::<Result<_, _>>()?;
    let sources: Vec<_> = texts
        .iter()
        .map(|(name, text)| Source { name, text })
        .collect();
    let release = arguments.generation.into();
    let content = build(&sources, release, arguments.bare).map_err(Error::Forge)?;
    image::write_file(&arguments.output, &content)?;
    Ok(Status::Success)
}

/// The name and the content of a source file.
fn read(path: &Path) -> Result<(String, String), Error> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok((path.display().to_string(), text)),
        Err(source) => Err(Error::ReadSource {
            path: path.into(),
            source,
        }),
    }
}
