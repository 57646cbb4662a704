//! Settings that are always the same: from a file, from the environment.
//!
//! A setting is an option of `geiko run` or `geiko serve` that has the same name in the file, and in the
//! environment with capitals and `GEIKO_` in front. What is in the environment counts
//! more than the file, and what is on the command line more than both: settings become
//! options, unless somebody typed them.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{ArgAction, Command};
use toml::{Table, Value};

use crate::folders;

/// The options that can be settings, in the order of the table in the documentation.
pub const SETTINGS: [&str; 29] = [
    "display",
    "screen",
    "scale",
    "fit",
    "palette",
    "full-screen",
    "mouse-buttons",
    "on-close",
    "autosave",
    "keep",
    "memory",
    "memory-limit",
    "share-image",
    "save-to",
    "shrink-on-save",
    "fs",
    "fs-root",
    "no-processes",
    "clock",
    "jit",
    "jit-threshold",
    "jit-cache",
    "gc-backup",
    "crash-report-dir",
    "stats",
    "log",
    "listen",
    "token",
    "host",
];

/// The variable that names another file; an empty one names none.
pub const FILE_VARIABLE: &str = "GEIKO_CONFIG";
const FILE: &str = "config.toml";

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no TOML.
    #[error("{}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// There is no such setting.
    #[error("{}: there is no setting {name}{}", path.display(), suggestion(name))]
    Unknown {
        /// The file.
        path: PathBuf,
        /// What it says.
        name: String,
    },
    /// A setting has no value of its kind.
    #[error("{origin}: {name} is {expected}")]
    Kind {
        /// The file or variable.
        origin: String,
        /// The setting.
        name: String,
        /// What it should be.
        expected: &'static str,
    },
}

fn suggestion(name: &str) -> String {
    let alike = SETTINGS
        .iter()
        .map(|known| (strsim::jaro_winkler(name, known), known));
    match alike.max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((likeness, known)) if likeness > 0.8 => format!("; did you mean {known}?"),
        _ => String::new(),
    }
}

/// A setting that is not as usual.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// Its value as an option has it.
    pub value: OsString,
    /// Where it comes from.
    pub origin: String,
}

/// The variable of a setting.
pub fn variable_of(name: &str) -> String {
    format!("GEIKO_{}", name.to_uppercase().replace('-', "_"))
}

/// The file, if there is a place for one.
pub fn file(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    match variable(FILE_VARIABLE) {
        Some(path) => Some(path.into()).filter(|path: &PathBuf| !path.as_os_str().is_empty()),
        None => Some(folders::configuration()?.join(FILE)),
    }
}

/// The settings of the file at `path`, if it is there, and of the environment.
pub fn settings(
    path: Option<&Path>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Vec<Setting>, ConfigError> {
    let table = path.map_or(Ok(Table::new()), read)?;
    if let Some(path) = path
        && let Some(name) = table.keys().find(|name| !SETTINGS.contains(&name.as_str()))
    {
        let (path, name) = (path.into(), name.clone());
        return Err(ConfigError::Unknown { path, name });
    }
    let mut settings = Vec::new();
    for name in SETTINGS {
        let from_environment = variable_of(name);
        let setting = match (variable(&from_environment), table.get(name)) {
            (Some(value), _) => Some((value, from_environment)),
            (None, Some(value)) => {
                let origin = path.unwrap_or(Path::new("")).display().to_string();
                let text = text(value).ok_or_else(|| ConfigError::Kind {
                    origin: origin.clone(),
                    name: name.into(),
                    expected: "a string, a number, true or false",
                })?;
                Some((text.into(), origin))
            }
            (None, None) => None,
        };
        settings.extend(setting.map(|(value, origin)| Setting {
            name,
            value,
            origin,
        }));
    }
    Ok(settings)
}

fn read(path: &Path) -> Result<Table, ConfigError> {
    match std::fs::read_to_string(path) {
        Ok(text) => text.parse().map_err(|error: toml::de::Error| {
            let message = error.to_string().trim_end().replace('\n', "\n  ");
            let path = path.into();
            ConfigError::Syntax { path, message }
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Table::new()),
        Err(source) => {
            let path = path.into();
            Err(ConfigError::Read { path, source })
        }
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Boolean(truth) => Some(truth.to_string()),
        Value::Datetime(_) | Value::Array(_) | Value::Table(_) => None,
    }
}

/// The options of `command` that say what the settings say.
pub fn options(settings: &[Setting], command: &Command) -> Result<Vec<OsString>, ConfigError> {
    let mut options = Vec::new();
    for setting in settings {
        let known = command.get_arguments();
        let mut known = known.filter(|known| known.get_long() == Some(setting.name));
        let Some(argument) = known.next() else {
            continue;
        };
        let mut option = OsString::from(format!("--{}", setting.name));
        if matches!(argument.get_action(), ArgAction::SetTrue) {
            match setting.value.to_str() {
                Some("true" | "1") => options.push(option),
                Some("false" | "0" | "") => {}
                _ => {
                    return Err(ConfigError::Kind {
                        origin: setting.origin.clone(),
                        name: setting.name.into(),
                        expected: "true or false",
                    });
                }
            }
        } else {
            option.push("=");
            option.push(&setting.value);
            options.push(option);
        }
    }
    Ok(options)
}

/// The table of settings for the documentation; the first of `commands` that has an
/// option of the name tells about it.
pub fn table(commands: &[&Command]) -> String {
    let mut table =
        String::from("| setting | variable | default | what it does |\n|---|---|---|---|\n");
    for name in SETTINGS {
        let mut known = commands.iter().flat_map(|command| command.get_arguments());
        let Some(argument) = known.find(|known| known.get_long() == Some(name)) else {
            continue;
        };
        let help = argument
            .get_help()
            .map(|help| help.to_string().replace('\n', " "));
        let defaults = argument.get_default_values();
        let defaults: Vec<_> = defaults
            .iter()
            .map(|value| value.to_string_lossy())
            .collect();
        let is_flag = matches!(argument.get_action(), ArgAction::SetTrue);
        let default = if is_flag {
            "false".into()
        } else {
            defaults.join(" ")
        };
        let values = argument.get_possible_values();
        let values: Vec<_> = values
            .iter()
            .filter(|value| !value.is_hide_set())
            .map(|value| value.get_name())
            .collect();
        let values = match values.len() {
            _ if is_flag => String::new(),
            0 => String::new(),
            _ => format!(": {}", values.join(", ")),
        };
        let _ = writeln!(
            table,
            "| `{name}` | `{}` | {default} | {}{values} |",
            variable_of(name),
            help.unwrap_or_default(),
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Arg;

    fn command() -> Command {
        Command::new("run")
            .arg(Arg::new("scale").long("scale"))
            .arg(
                Arg::new("full")
                    .long("full-screen")
                    .action(ArgAction::SetTrue),
            )
    }

    fn all(text: &str, variables: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        std::fs::write(&path, text).unwrap();
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name)?;
            Some(found.1.into())
        };
        let settings = settings(Some(&path), variable).map_err(|e| e.to_string())?;
        let options = options(&settings, &command()).map_err(|e| e.to_string())?;
        let options = options
            .into_iter()
            .map(|option| option.into_string().unwrap());
        Ok(options.collect())
    }

    #[test]
    fn the_environment_counts_more_than_the_file() {
        let file = "scale = 1.5\nfull-screen = true\njit = \"off\"";
        assert_eq!(all(file, &[]).unwrap(), ["--scale=1.5", "--full-screen"]);
        let variables = [("GEIKO_SCALE", "auto"), ("GEIKO_FULL_SCREEN", "false")];
        assert_eq!(all(file, &variables).unwrap(), ["--scale=auto"]);
        assert!(all("", &[]).unwrap().is_empty());
    }

    #[test]
    fn mistakes_are_told() {
        for (file, variables, expected) in [
            (
                "scala = 2",
                &[][..],
                "there is no setting scala; did you mean scale?",
            ),
            (
                "scale = [2]",
                &[],
                "scale is a string, a number, true or false",
            ),
            ("scale = ", &[], "TOML parse error"),
            (
                "",
                &[("GEIKO_FULL_SCREEN", "maybe")],
                "GEIKO_FULL_SCREEN: full-screen is true or false",
            ),
        ] {
            let error = all(file, variables).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn no_file_is_no_mistake() {
        let none = |_: &str| None;
        let nowhere = Path::new("/nonexistent/config.toml");
        assert_eq!(settings(Some(nowhere), none).unwrap(), []);
        assert_eq!(file(|_| Some("".into())), None);
        assert_eq!(file(|_| Some("/x".into())), Some("/x".into()));
    }
}
