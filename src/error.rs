//! Everything that can end the program early, and the status it ends with
//! (`reference/ecosystem.md` section 2.2).

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use geiko_forge::build::BuildError;
use geiko_jit::JitError;
use geiko_runtime::image::{ImageError, Problem as ImageProblem, SaveError};

use crate::bench;
use crate::config::ConfigError;
use crate::display::window::WindowError;
use crate::image_lock::LockError;
use crate::report::Report;
use crate::script::{Problem, ScriptError};
use crate::serve::ServeError;
use crate::sessions::SessionError;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// All is well.
    Success,
    /// Lisp, a script or a check reported failure.
    Failure,
    /// An option, image or device is no good.
    CannotStart,
    /// The image did what no Lisp error handler can mend.
    GuestFault,
    /// An image was not saved.
    CannotSave,
    /// The time limit was reached.
    TimeLimit,
    /// The status that Lisp or a script asked for.
    Asked(u8),
}

impl Status {
    /// The number that the operating system sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::CannotStart => 2,
            Self::GuestFault => 3,
            Self::CannotSave => 4,
            Self::TimeLimit => 124,
            Self::Asked(code) => code,
        }
    }

    /// The status that Lisp gave; what does not fit in a byte is a failure.
    pub fn asked(status: i32) -> Self {
        u8::try_from(status).map_or(Self::Failure, Self::Asked)
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status.code())
    }
}

/// A reason to stop.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An image file that cannot be opened.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The folder that Lisp shall see as the root of all files.
    #[error("cannot confine files to the folder of --fs-root: {0}")]
    Rights(#[source] io::Error),
    /// Not everything fits.
    #[error(
        "{limit} MB are too little for everything: with {lisp} MB for Lisp, {needed} MB are needed (--memory-limit)"
    )]
    MemoryLimit {
        /// Megabytes allowed.
        limit: u32,
        /// Those for Lisp among them.
        lisp: u32,
        /// Those needed.
        needed: u32,
    },
    /// An image that knows nothing of the host's requests.
    #[error("{} is no image of the built-in Lisp", path.display())]
    NotBuiltin {
        /// The image.
        path: PathBuf,
    },
    /// An image lacks a function.
    #[error("the image has no compiled function {name}{}", suggestion(.like))]
    NoFunction {
        /// The name asked for.
        name: String,
        /// A function with a similar name.
        like: Option<String>,
    },
    /// Nothing to be listed.
    #[error("names of functions are wanted, or --all")]
    NoNames,
    /// There is no native code on this host.
    #[error(transparent)]
    Jit(#[from] JitError),
    /// There is no code at an address.
    #[error("there is no code at {at}")]
    NoCode {
        /// The address.
        at: String,
    },
    /// There is no such benchmark.
    #[error("there is no benchmark {name}{}", suggestion(.like))]
    NoBenchmark {
        /// The name asked for.
        name: String,
        /// A benchmark with a similar name.
        like: Option<String>,
    },
    /// A benchmark cannot be measured.
    #[error(transparent)]
    Bench(#[from] bench::measure::Problem),
    /// A script cannot be read.
    #[error("cannot read the script {path}: {source}")]
    ReadScript {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A source file cannot be read.
    #[error("cannot read {path}: {source}")]
    ReadSource {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A program is wrong.
    #[error("{0}")]
    Forge(BuildError),
    /// An image that cannot be made small.
    #[error(
        "{} is as it was: {} sound: {defect} (geiko audit tells more)",
        path.display(),
        if *is_shrunk { "made small it would not be" } else { "it is not" }
    )]
    NotSound {
        /// The image.
        path: PathBuf,
        /// Only when it was made small.
        is_shrunk: bool,
        /// What is wrong.
        defect: String,
    },
    /// An image is not made small within the limit of memory.
    #[error("that takes {0} MB more than the limit of memory leaves")]
    NoRoomToShrink(u64),
    /// An image cannot be written.
    #[error(transparent)]
    Save(#[from] SaveError),
    /// A script says something that is no step.
    #[error(transparent)]
    BadScript(ScriptError),
    /// A script could not go on.
    #[error(transparent)]
    Script(ScriptError),
    /// A file cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The session took too long.
    #[error("the time limit of {limit:?} is over")]
    TimeLimit {
        /// The limit.
        limit: Duration,
    },
    /// Settings are no good.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is no window.
    #[error(transparent)]
    Window(#[from] WindowError),
    /// There is no viewer at the other end of standard input.
    #[error("standard input is no socket: {0}; that display is for geiko serve")]
    Remote(io::Error),
    /// There is no server.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// Another session saves to the same file.
    #[error(transparent)]
    Locked(#[from] LockError),
    /// Something cannot be done with a session.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A session does not take an order.
    #[error("session {session} does not take orders: {source}")]
    Control {
        /// The session.
        session: String,
        /// Why.
        source: io::Error,
    },
    /// A guest fault.
    #[error("{0}")]
    Fault(Box<Report>),
}

impl Error {
    /// The status with which the program ends.
    pub fn status(&self) -> Status {
        match self {
            Self::Image(_)
            | Self::MemoryLimit { .. }
            | Self::Rights(_)
            | Self::NotBuiltin { .. }
            | Self::NotSound { .. }
            | Self::NoRoomToShrink(_)
            | Self::NoFunction { .. }
            | Self::NoNames
            | Self::Jit(_)
            | Self::NoCode { .. }
            | Self::NoBenchmark { .. }
            | Self::Bench(bench::measure::Problem::NotReady { .. })
            | Self::ReadScript { .. }
            | Self::ReadSource { .. }
            | Self::Forge(_)
            | Self::Config(_)
            | Self::Window(_)
            | Self::Remote(_)
            | Self::Serve(_)
            | Self::Locked(_)
            | Self::Session(_)
            | Self::BadScript(_) => Status::CannotStart,
            Self::Script(error) if matches!(error.problem, Problem::NotSaved { .. }) => {
                Status::CannotSave
            }
            Self::Save(_) => Status::CannotSave,
            Self::Script(_) | Self::Bench(_) | Self::Write { .. } | Self::Control { .. } => {
                Status::Failure
            }
            Self::TimeLimit { .. } => Status::TimeLimit,
            Self::Fault(_) => Status::GuestFault,
        }
    }

    /// What the user might do about it.
    fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Locked(_) => Some("--save-to FILE saves elsewhere"),
            Self::BadScript(_) => Some("geiko run --help shows the script language"),
            Self::Serve(ServeError::Listen { .. }) => {
                Some("--listen 127.0.0.1:0 takes a free port")
            }
            Self::NoBenchmark { .. } => Some("geiko bench --list"),
            Self::Image(ImageError {
                problem: ImageProblem::Space(_),
                ..
            }) => Some("raise the limit of virtual memory (ulimit -v unlimited)"),
            _ => None,
        }
    }

    /// The error for people: one sentence, and a line of advice if there is any.
    pub fn message(&self) -> String {
        let mut message = match self {
            // Every line begins with a place.
            Self::Forge(error) if error.has_place() => self.to_string(),
            _ => format!("geiko: {self}"),
        };
        if let Some(advice) = self.advice() {
            let _ = write!(message, "\n  try: {advice}");
        }
        message
    }
}

fn suggestion(like: &Option<String>) -> String {
    match like {
        Some(like) => format!("; did you mean {like}?"),
        None => String::new(),
    }
}
