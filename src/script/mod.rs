//! Scripts: what a person would do at the keyboard, one step a line.
//!
//! [`parse`](Script::parse) reads the whole script before anything runs, so that
//! a typing error on the last line is found on the first day. [`Player`]
//! performs the steps; it knows nothing of the machine beyond [`Stage`].

mod actions;
mod parse;
mod player;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use geiko_runtime::traps::keyboard::Button;

use crate::keys::{Chord, Key, Stroke};

pub use parse::duration;
pub use player::{Next, Player, Stage};

/// The limit of a wait that names none.
pub const DEFAULT_LIMIT: Duration = Duration::from_secs(60);

/// The language, for `--help` and the manual.
pub const HELP: &str = "\
Script language: one step a line; # starts a comment.
  type \"TEXT\"                  type TEXT; \\n is Return, \\t Tab, \\e Escape
  key CHORD ...                press and release: Return, Ctrl-E, Meta-x, F4
  press WHAT, release WHAT     a key, or the mouse button left, middle, right
  move X Y                     move the mouse (from the upper left corner)
  click X Y [BUTTON]           move there and click
  drag X Y X Y [BUTTON]        press at the first point, release at the second
  wait TIME                    500ms, 2s, 1.5m
  wait idle TIME [LIMIT]       until Lisp did nothing for TIME
  wait file PATH [LIMIT]       until PATH exists
  wait end [LIMIT]             until Lisp ends the session
  screenshot FILE.png          the screen as it is
  save FILE [LIMIT]            ask the Exec at its prompt to save the image:
                               types (IL:SYSOUT \"{DSK}...\") and waits for the file
  quit [STATUS]                end the session without saving
Every wait fails after LIMIT, 60s if none is given. The session ends with the
script.";

/// One step of a script.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Types characters.
    Type(Vec<Stroke>),
    /// Presses and releases keys together, one chord after another.
    Keys(Vec<Chord>),
    /// A key or button goes down or up.
    Hold(Held, bool),
    /// Moves the mouse.
    Move(Point),
    /// Clicks.
    Click(Point, Button),
    /// Moves the mouse with a button down.
    Drag(Point, Point, Button),
    /// Lets time pass.
    Pause(Duration),
    /// Waits for something to happen.
    Wait(Event, Duration),
    /// Writes the screen to a file.
    Screenshot(PathBuf),
    /// Has Lisp save the image.
    Save(PathBuf, Duration),
    /// Ends the session.
    Quit(i32),
}

/// What a `press` or `release` is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// A key.
    Key(Key),
    /// A mouse button.
    Button(Button),
}

/// A place on the screen, from the upper left corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// Pixels from the left.
    pub x: u16,
    /// Pixels from the top.
    pub y: u16,
}

/// What a script can wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Lisp has done nothing for so long.
    Idle(Duration),
    /// A file exists.
    File(PathBuf),
    /// Lisp has ended the session.
    End,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Idle(quiet) => write!(f, "{quiet:?} of idleness"),
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::End => write!(f, "the end of the session"),
        }
    }
}

/// A step and the line it stands in.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Line number, from 1.
    pub number: usize,
    /// What to do.
    pub step: Step,
}

/// A whole script.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    /// Where it came from.
    pub name: String,
    /// Its steps.
    pub lines: Vec<Line>,
}

/// A script could not be read or could not go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{script}:{line}: {problem}")]
pub struct ScriptError {
    /// The script's name.
    pub script: String,
    /// Line number, from 1.
    pub line: usize,
    /// What is wrong.
    pub problem: Problem,
}

/// What can be wrong with a line of a script.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// An unknown step.
    #[error("there is no step `{found}`{}", suggestion(.like))]
    UnknownStep {
        /// What the script says.
        found: String,
        /// A step with a similar name.
        like: Option<&'static str>,
    },
    /// Something is missing at the end of a line.
    #[error("expected {expected} at the end of the line")]
    Missing {
        /// What is missing.
        expected: &'static str,
    },
    /// Something else stands where something is expected.
    #[error("expected {expected}, found `{found}`")]
    Unexpected {
        /// What is expected.
        expected: &'static str,
        /// What the script says.
        found: String,
    },
    /// More words than the step takes.
    #[error("`{found}` after the end of the step")]
    Excess {
        /// The first of them.
        found: String,
    },
    /// A text without an end.
    #[error("the text has no closing quote")]
    OpenText,
    /// An unknown escape sequence.
    #[error("`\\{found}` means nothing in a text; a backslash is written \\\\")]
    BadEscape {
        /// The character after the backslash.
        found: char,
    },
    /// A character that no key types.
    #[error("no key types {found:?}")]
    NoKey {
        /// The character.
        found: char,
    },
    /// A wait came to its limit.
    #[error("waited {limit:?} for {event}")]
    TimedOut {
        /// What did not happen.
        event: String,
        /// How long.
        limit: Duration,
    },
    /// Lisp ended the session while steps were left.
    #[error("Lisp ended the session before this step (`wait end` waits for that)")]
    EndedEarly,
    /// A screenshot could not be written.
    #[error("cannot write {path}: {cause}")]
    Screenshot {
        /// The file.
        path: String,
        /// Why.
        cause: String,
    },
    /// Lisp did not save the image.
    #[error("the image was not saved: no new {path} after {limit:?}")]
    NotSaved {
        /// The file.
        path: String,
        /// How long.
        limit: Duration,
    },
    /// A place outside the screen.
    #[error("({x}, {y}) is outside the screen of {width} x {height}")]
    OffScreen {
        /// From the left.
        x: u16,
        /// From the top.
        y: u16,
        /// Width of the screen.
        width: u16,
        /// Height of the screen.
        height: u16,
    },
}

fn suggestion(like: &Option<&'static str>) -> String {
    match like {
        Some(like) => format!("; did you mean `{like}`?"),
        None => String::new(),
    }
}
