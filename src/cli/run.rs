//! `geiko run`.

use std::io::Read;
use std::path::Path;

use geiko_runtime::image::ImageFile;

use super::lisp;
use super::machine::{Work, work};
use super::sessions;
use super::window;
use super::{DisplayKind, RunArgs};
use crate::display::remote;
use crate::error::{Error, Status};
use crate::script::Script;

/// Opens an image and works in it, runs a program, or lets the user talk with Lisp.
pub fn run(arguments: &RunArgs) -> Result<Status, Error> {
    let Some(path) = &arguments.file else {
        return lisp::prompt(arguments);
    };
    let script = arguments.script.as_deref().map(read_script).transpose()?;
    if script.is_none()
        && let Some(text) = lisp::program_text(path)?
    {
        return lisp::program(text, arguments);
    }
    let image = ImageFile::open(path)?;
    let edit_lines = script.is_none() && lisp::has_user();
    let options = arguments.window.options(path);
    let desktop = window::desktop(arguments)?;
    let remote = match arguments.display {
        DisplayKind::Remote => Some(remote::connect().map_err(Error::Remote)?),
        _ => None,
    };
    let to_do = Work {
        machine: &arguments.machine,
        request: Some(lisp::request_of_image()),
        edit_lines,
        only_builtin: false,
        script,
        screen: arguments.screen,
        screenshot: arguments.screenshot.as_deref(),
        keeping: sessions::keeping(arguments, path)?,
        front: remote,
    };
    let Some(desktop) = desktop else {
        return work(image, to_do);
    };
    desktop.show(options, |front| {
        let front = Some(front);
        work(image, Work { front, ..to_do })
    })?
}

/// Reads the script at `path`; `-` is standard input.
fn read_script(path: &Path) -> Result<Script, Error> {
    let standard_input = path.as_os_str() == "-";
    let mut text = String::new();
    let read = if standard_input {
        std::io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(path).map(|content| text = content)
    };
    read.map_err(|source| Error::ReadScript {
        path: path.into(),
        source,
    })?;
    let name = if standard_input {
        "script".into()
    } else {
        path.display().to_string()
    };
    Script::parse(&name, &text).map_err(Error::BadScript)
}
