//! The clipboard, for Lisp and for shells that it starts.
//!
//! Medley's library CLIPBOARD knows no clipboard itself: it runs `xclip`, or `pbcopy` and
//! `pbpaste`, as people do in shells. Behind all other programs on the PATH of what Lisp
//! starts there are programs of these names, which are this one. They pass on to the
//! session what they get, and the session to the window or browser that shows it.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::ExitCode;

use crate::control::{self, LONGEST_TEXT};
use crate::error::Status;
use crate::folders;

/// Names of programs that copy, and those that paste; some do both.
const COPY: [&str; 4] = ["xclip", "xsel", "pbcopy", "wl-copy"];
const PASTE: [&str; 2] = ["pbpaste", "wl-paste"];
/// Options with which a program of the first list pastes.
const OUT: [&str; 3] = ["-o", "-out", "--output"];
/// Options of these programs that have a value.
const WITH_VALUE: [&str; 8] = [
    "-selection",
    "-sel",
    "-t",
    "-target",
    "-d",
    "-display",
    "--display",
    "--type",
];
/// The variable that names the session.
const SESSION: &str = "GEIKO_SESSION";
const FOLDER: &str = "programs";

/// What the programs of a session find in their environment.
pub fn environment(session: &str) -> io::Result<Vec<(OsString, OsString)>> {
    let folder = folders::private_runtime()?.join(FOLDER);
    std::fs::create_dir_all(&folder)?;
    let program = env::current_exe()?;
    for name in COPY.iter().chain(&PASTE) {
        let link = folder.join(name);
        if std::fs::read_link(&link).ok().as_deref() != Some(&program) {
            // Another session may be doing the same.
            let _ = std::fs::remove_file(&link);
            let _ = symlink(&program, &link);
        }
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain([folder]);
    let path = env::join_paths(folders).map_err(io::Error::other)?;
    Ok(vec![
        ("PATH".into(), path),
        (SESSION.into(), session.into()),
    ])
}

/// Whether the program was started under the name of one that knows the clipboard.
pub fn is_called_so(program: &OsStr) -> bool {
    let name = Path::new(program).file_name().unwrap_or_default();
    COPY.iter().chain(&PASTE).any(|known| name == *known)
}

/// Does what such a program does with `arguments`, its name first.
pub fn main(arguments: &[OsString]) -> ExitCode {
    let result = match env::var(SESSION) {
        Ok(session) => act(&session, arguments),
        Err(_) => Err(io::Error::other("this is no program of a session")),
    };
    match result {
        Ok(()) => Status::Success.into(),
        Err(error) => {
            eprintln!("geiko: the clipboard cannot be used: {error}");
            Status::Failure.into()
        }
    }
}

fn act(session: &str, arguments: &[OsString]) -> io::Result<()> {
    let Some((name, options)) = arguments.split_first() else {
        return Ok(());
    };
    let name = Path::new(name).file_name().unwrap_or_default();
    let is_out = |option: &OsString| OUT.iter().any(|known| option == known);
    if PASTE.iter().any(|known| name == *known) || options.iter().any(is_out) {
        return io::stdout().write_all(paste(session)?.as_bytes());
    }
    let mut text = Vec::new();
    match file(options) {
        Some(path) => std::fs::File::open(path)?
            .take(LONGEST_TEXT)
            .read_to_end(&mut text)?,
        None => io::stdin().take(LONGEST_TEXT).read_to_end(&mut text)?,
    };
    control::copy(session, &String::from_utf8_lossy(&text))
}

/// The file that is to be copied, if it is not standard input.
fn file(options: &[OsString]) -> Option<&OsString> {
    let mut options = options.iter();
    while let Some(option) = options.next() {
        if WITH_VALUE.iter().any(|known| option == known) {
            options.next();
        } else if !option.to_string_lossy().starts_with('-') {
            return Some(option);
        }
    }
    None
}

/// What is on the desktop's clipboard, or what was copied last in the session.
fn paste(session: &str) -> io::Result<String> {
    let desktop = arboard::Clipboard::new().and_then(|mut clipboard| clipboard.get_text());
    desktop.or_else(|_| control::paste(session))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_programs_are_no_files() {
        for (line, expected) in [
            ("-i -selection clipboard /tmp/x.txt", Some("/tmp/x.txt")),
            ("-selection clipboard", None),
            ("-sel c -i", None),
            ("", None),
            ("x", Some("x")),
        ] {
            let options: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            assert_eq!(
                file(&options),
                expected.map(OsString::from).as_ref(),
                "{line}"
            );
        }
    }

    #[test]
    fn names_of_programs() {
        for name in ["xclip", "/run/x/pbcopy", "wl-paste"] {
            assert!(is_called_so(OsStr::new(name)), "{name}");
        }
        for name in ["geiko", "/usr/bin/lde", "xclip2", ""] {
            assert!(!is_called_so(OsStr::new(name)), "{name}");
        }
    }
}
