//! Settings and the command line; `geiko config`.

use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, Parser};

use super::{Cli, output};
use crate::config::{self, SETTINGS};
use crate::error::{Error, Status};

/// Commands that settings are options of.
const COMMANDS: [&str; 3] = ["run", "eval", "serve"];

fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Parses the command line with the settings in front of its options.
pub fn parse(mut arguments: Vec<OsString>) -> Result<Result<Cli, clap::Error>, Error> {
    let matches = match Cli::command().try_get_matches_from(&arguments) {
        Ok(matches) => matches,
        Err(error) => return Ok(Err(error)),
    };
    let (name, place, typed) = match matches.subcommand() {
        None => ("run", 1, &matches),
        Some((name, typed)) if COMMANDS.contains(&name) => (name, 2, typed),
        Some(_) => return Ok(Cli::try_parse_from(arguments)),
    };
    let file = config::file(variable);
    let mut settings = config::settings(file.as_deref(), variable)?;
    settings.retain(|setting| {
        let is_denied = match setting.name {
            "display" => is_typed(typed, "headless"),
            "token" => is_typed(typed, "no-token"),
            _ => false,
        };
        !is_denied && !is_typed(typed, setting.name)
    });
    let command = Cli::command();
    let options = match command.find_subcommand(name) {
        Some(command) => config::options(&settings, command)?,
        None => Vec::new(),
    };
    arguments.splice(place..place, options);
    Ok(Cli::try_parse_from(arguments))
}

/// Whether an option was on the command line.
fn is_typed(typed: &ArgMatches, name: &str) -> bool {
    let id = name.replace('-', "_");
    typed.ids().any(|known| known.as_str() == id)
        && typed.value_source(&id) == Some(ValueSource::CommandLine)
}

/// `geiko config`.
pub fn config() -> Result<Status, Error> {
    let file = config::file(variable);
    let settings = config::settings(file.as_deref(), variable)?;
    let mut text = match &file {
        Some(file) => format!("# {}\n", file.display()),
        None => "# no file\n".into(),
    };
    for name in SETTINGS {
        let found = settings.iter().find(|setting| setting.name == name);
        text.push_str(&match found {
            Some(setting) => {
                let value = setting.value.to_string_lossy();
                format!("{name:<18} {value:<16} # {}\n", setting.origin)
            }
            None => format!("{name}\n"),
        });
    }
    output::text(&text)?;
    Ok(Status::Success)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// Everything between two lines of the documentation is made here.
    const MARKS: [&str; 2] = ["<!-- settings -->\n", "<!-- end of settings -->"];

    #[test]
    fn settings_are_options_and_the_documentation_lists_them() {
        let command = Cli::command();
        let commands = ["run", "serve"].map(|name| command.find_subcommand(name).unwrap());
        for name in SETTINGS {
            let mut arguments = commands.iter().flat_map(|command| command.get_arguments());
            assert!(arguments.any(|a| a.get_long() == Some(name)), "{name}");
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/window.md");
        let text = std::fs::read_to_string(&path).unwrap();
        let [start, end] = MARKS.map(|mark| text.find(mark).expect("a mark"));
        let start = start + MARKS[0].len();
        let table = config::table(&commands);
        if std::env::var_os("GEIKO_BLESS").is_some() {
            let new = format!("{}{table}{}", &text[..start], &text[end..]);
            std::fs::write(&path, new).unwrap();
        } else {
            assert_eq!(
                text[start..end],
                table,
                "docs/window.md is out of date; GEIKO_BLESS=1 writes it anew"
            );
        }
    }
}
