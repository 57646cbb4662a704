//! The built-in Lisp: the prompt, `geiko eval`, programs.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Args;
use geiko_runtime::image::ImageFile;
use geiko_runtime::layout::Release;

use super::forge::GenerationNumber;
use super::machine::{Work, work};
use super::{MachineArgs, RunArgs};
use crate::console::{Manner, Request};
use crate::display::ScreenSize;
use crate::error::{Error, Status};
use crate::lisp;

/// Which Lisp evaluates.
#[derive(Debug, Args)]
#[command(next_help_heading = "Lisp")]
pub struct LispArgs {
    /// A saved image of the built-in Lisp, to be used instead of a fresh one
    #[arg(long, value_name = "IMAGE")]
    image: Option<PathBuf>,

    /// The image generation of a fresh Lisp: 2 has 24-bit pointers, 3 has 28-bit
    /// pointers
    #[arg(
        long,
        value_enum,
        default_value = "3",
        value_name = "N",
        conflicts_with = "image"
    )]
    generation: GenerationNumber,
}

impl LispArgs {
    fn image(&self) -> Result<ImageFile, Error> {
        match &self.image {
            Some(path) => Ok(ImageFile::open(path)?),
            None => lisp::image(Release::from(self.generation)),
        }
    }
}

/// What to evaluate.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  geiko eval '(+ 3 4)'
  geiko eval '(defun f (x) (* x x))' '(f 12)' --jit on
  geiko eval '(read-line)' < /etc/hostname
  geiko eval --image work.sysout '(f 12)'

Every value gets a line. An error ends the program with status 1 and a message on
standard error; (exit N) ends it with status N.")]
pub struct EvalArgs {
    /// Forms in Lisp, evaluated in order
    #[arg(value_name = "FORM", required = true, allow_negative_numbers = true)]
    forms: Vec<String>,
    #[command(flatten)]
    lisp: LispArgs,
    #[command(flatten)]
    machine: MachineArgs,
}

/// `geiko eval`.
pub fn eval(arguments: &EvalArgs) -> Result<Status, Error> {
    let request = Request {
        forms: arguments.forms.join("\n"),
        ..Request::new(Manner::Eval)
    };
    ask(&arguments.lisp, &arguments.machine, request, false)
}

/// `geiko` without a file: a prompt for a user, or the forms of a pipe.
pub fn prompt(arguments: &RunArgs) -> Result<Status, Error> {
    let user = has_user();
    let manner = if user { Manner::Prompt } else { Manner::Pipe };
    ask(
        &arguments.lisp,
        &arguments.machine,
        Request::new(manner),
        user,
    )
}

/// Runs the program `text`.
pub fn program(text: String, arguments: &RunArgs) -> Result<Status, Error> {
    let request = Request {
        forms: text,
        arguments: arguments.arguments.clone(),
        ..Request::new(Manner::Run)
    };
    ask(&arguments.lisp, &arguments.machine, request, has_user())
}

/// What a saved image may ask for that goes on where it was.
pub fn request_of_image() -> Request {
    let manner = if has_user() {
        Manner::Prompt
    } else {
        Manner::Pipe
    };
    Request {
        resume: true,
        ..Request::new(manner)
    }
}

/// Whether somebody sits at the terminal.
pub fn has_user() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// The text of the file at `path` if it is a program in Lisp and not an image.
pub fn program_text(path: &Path) -> Result<Option<String>, Error> {
    let is_source = path.extension().is_some_and(|extension| {
        ["lisp", "lsp", "cl"]
            .iter()
            .any(|known| extension == *known)
    });
    let metadata = std::fs::metadata(path);
    // Whatever is wrong with another file, the loader of images says it better.
    if !is_source && !metadata.is_ok_and(|metadata| metadata.is_file()) {
        return Ok(None);
    }
    let unreadable = |source| Error::ReadSource {
        path: path.into(),
        source,
    };
    if !is_source && !begins_as_text(path).map_err(unreadable)? {
        return Ok(None);
    }
    std::fs::read_to_string(path).map(Some).map_err(unreadable)
}

/// Whether the first page of a file has no bytes that texts do not have.
fn begins_as_text(path: &Path) -> std::io::Result<bool> {
    use std::io::Read as _;
    let mut start = Vec::new();
    std::fs::File::open(path)?
        .take(1024)
        .read_to_end(&mut start)?;
    Ok(!start.is_empty()
        && start
            .iter()
            .all(|byte| matches!(byte, 0x09..=0x0D | 0x1B | 0x20..=0x7E | 0x80..)))
}

fn ask(
    lisp: &LispArgs,
    machine: &MachineArgs,
    request: Request,
    edit_lines: bool,
) -> Result<Status, Error> {
    let work_to_do = Work {
        machine,
        request: Some(request),
        edit_lines,
        only_builtin: lisp.image.is_some(),
        script: None,
        screen: ScreenSize::DEFAULT,
        screenshot: None,
        keeping: None,
        front: None,
    };
    work(lisp.image()?, work_to_do)
}
