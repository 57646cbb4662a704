//! `geiko sessions`, `geiko ctl`, and how a session's work is kept.

use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, SystemTime};

use clap::{Args, Parser, Subcommand};

use super::output;
use super::{Cli, RunArgs, run};
use crate::control::{self, Order};
use crate::error::{Error, Status};
use crate::session::{Keeping, OnClose};
use crate::sessions::{Session, SessionError, Sessions, about};

/// How a session's work is kept.
#[derive(Debug, Args)]
#[command(next_help_heading = "Session")]
pub struct KeepArgs {
    /// Name of the session [default: that of the image]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// What becomes of the session when its window is closed, or somebody ends the program
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    on_close: OnClose,

    /// Save an image of the session every TIME, such as 10m, without stopping Lisp
    #[arg(
        long,
        value_name = "TIME",
        value_parser = super::time)]
    autosave: Option<Duration>,

    /// How many of these images are kept
    #[arg(long, value_name = "N", default_value_t = 5)]
    keep: usize,
}

/// How the work of the session that `arguments` ask for is kept. A script has none,
/// unless it says so.
pub fn keeping(arguments: &RunArgs, image: &Path) -> Result<Option<Keeping>, Error> {
    let keep = &arguments.keep;
    let is_asked_for = keep.name.is_some() || keep.autosave.is_some();
    if arguments.script.is_some() && !is_asked_for {
        return Ok(None);
    }
    let about = about(image, arguments.machine.save_to.as_deref());
    let begin = |sessions: Sessions| match &keep.name {
        Some(name) => sessions.begin(name, true, about.clone()),
        None => sessions.begin(&sessions.name_of(image), false, about.clone()),
    };
    let running = match Sessions::of_user().and_then(begin) {
        // A disk that is full, or cannot be written to, is no reason to lose what is done.
        Err(error @ (SessionError::Host { .. } | SessionError::NoFolder)) => {
            let begun = Sessions::temporary().and_then(begin);
            begun
                .inspect(|running| {
                    let folder = running.folder().display();
                    eprintln!("geiko: {error}; what is saved of this session goes to {folder}");
                })
                .map_err(|_| error)
        }
        running => running,
    };
    match running {
        Ok(running) => Ok(Some(Keeping {
            running,
            on_close: keep.on_close,
            autosave: keep.autosave,
            keep: keep.keep.max(1),
        })),
        Err(error) if is_asked_for => Err(error.into()),
        Err(error) => {
            eprintln!("geiko: nothing is saved if the session is ended from outside: {error}");
            Ok(None)
        }
    }
}

/// What to do with sessions.
#[derive(Debug, Args)]
pub struct SessionsArgs {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List sessions (the default)
    List,
    /// Go on with what was saved of a session that has ended
    Resume {
        /// The session
        name: String,
        /// Options of geiko run
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<OsString>,
    },
    /// Give a session that has ended another name
    Rename {
        /// The session
        name: String,
        /// Its new name
        new: String,
    },
    /// Forget a session that has ended, and the images that were saved of it
    Remove {
        /// The session
        name: String,
    },
}

/// An order to a session.
#[derive(Debug, Args)]
pub struct CtlArgs {
    /// The order
    #[arg(value_enum)]
    order: Order,
    /// The session
    session: String,
}

/// `geiko sessions`.
pub fn sessions(arguments: &SessionsArgs) -> Result<Status, Error> {
    let sessions = Sessions::of_user()?;
    match arguments.action.as_ref().unwrap_or(&Action::List) {
        Action::List => {
            let lines: String = sessions.list().iter().map(line).collect();
            output::text(&lines)?;
            Ok(Status::Success)
        }
        Action::Resume { name, options } => resume(&sessions.find(name)?, options),
        Action::Rename { name, new } => {
            sessions.rename(name, new)?;
            Ok(Status::Success)
        }
        Action::Remove { name } => {
            sessions.remove(name)?;
            Ok(Status::Success)
        }
    }
}

/// `geiko ctl`.
pub fn ctl(arguments: &CtlArgs) -> Result<Status, Error> {
    let session = Sessions::of_user()?.find(&arguments.session)?;
    if session.process.is_none() {
        return Err(SessionError::NotRunning(session.name).into());
    }
    control::send(&session.name, arguments.order).map_err(|source| Error::Control {
        session: session.name,
        source,
    })?;
    Ok(Status::Success)
}

fn resume(session: &Session, options: &[OsString]) -> Result<Status, Error> {
    let image = session.newest_image()?;
    let mut line: Vec<OsString> = vec!["geiko".into(), "run".into(), image.into()];
    let says_where = options.iter().any(|option| option == "--save-to");
    if let (Some(path), false) = (session.save_to(), says_where) {
        line.extend(["--save-to".into(), path.into()]);
    }
    line.extend(options.iter().cloned());
    match Cli::try_parse_from(line).map(|cli| cli.command) {
        Ok(Some(super::Command::Run(arguments))) => run::run(&arguments),
        Ok(_) => Ok(Status::CannotStart),
        Err(error) => {
            // A closed pipe is no reason to complain.
            let _ = error.print();
            Ok(Status::CannotStart)
        }
    }
}

/// What is listed of a session.
fn line(session: &Session) -> String {
    let state = match session.process {
        Some(process) => format!("running, process {process}"),
        None => match session.images().first() {
            Some((_, time)) => format!("ended, saved {} ago", age(*time)),
            None => "ended, nothing saved".into(),
        },
    };
    let origin = session.origin().unwrap_or_default();
    format!("{:<20} {state:<28} {origin}\n", session.name)
}

fn age(time: SystemTime) -> String {
    let seconds = SystemTime::now()
        .duration_since(time)
        .unwrap_or_default()
        .as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_two_figures_or_three() {
        let ago = |seconds| age(SystemTime::now() - Duration::from_secs(seconds));
        assert_eq!(ago(5), "5 s");
        assert_eq!(ago(125), "2 min");
        assert_eq!(ago(7300), "2 h");
        assert_eq!(ago(400_000), "4 days");
    }
}
