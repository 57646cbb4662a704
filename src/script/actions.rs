//! What the steps of a script are made of: actions that need no others, one of which is
//! performed after the other.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use geiko_runtime::traps::keyboard::Button;

use super::player::Stage;
use super::{Event, Held, Point, Problem, Step};
use crate::keys::{self, Key, SHIFT, Stroke};

/// Lisp watches the mouse by looking at it now and then; it must see every
/// position that matters and every button held.
pub const MOUSE_DWELL: Duration = Duration::from_millis(150);
/// Intermediate positions of a drag.
const DRAG_POINTS: i32 = 8;

/// Something that is done at once or waited for.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// A transition that is part of a text.
    Type(Key, bool),
    /// A transition for its own sake, perhaps an interrupt of a busy Lisp.
    Key(Key, bool),
    Button(Button, bool),
    Move(Point),
    Pause(Duration),
    Wait(Event, Duration),
    Screenshot(PathBuf),
    Saved {
        path: PathBuf,
        before: Option<Stamp>,
        limit: Duration,
    },
    Quit(i32),
}

/// What tells a file from the one that had its name before.
#[derive(Clone, Debug, PartialEq)]
pub struct Stamp {
    modified: Option<SystemTime>,
    inode: u64,
}

impl Stamp {
    /// Of the file at `path`, if there is one.
    pub fn of(path: &Path) -> Option<Self> {
        let metadata = path.metadata().ok()?;
        Some(Self {
            modified: metadata.modified().ok(),
            #[cfg(unix)]
            inode: std::os::unix::fs::MetadataExt::ino(&metadata),
            #[cfg(not(unix))]
            inode: 0,
        })
    }
}

/// The actions of a step.
pub fn actions(step: &Step, stage: &impl Stage) -> Result<VecDeque<Action>, Problem> {
    Ok(match step {
        Step::Type(strokes) => typing(strokes.iter().copied()).into(),
        Step::Keys(chords) => chords
            .iter()
            .flat_map(|chord| chord.transitions())
            .map(|(key, down)| Action::Key(key, down))
            .collect(),
        Step::Hold(Held::Key(key), down) => [Action::Key(*key, *down)].into(),
        Step::Hold(Held::Button(button), down) => {
            [Action::Button(*button, *down), Action::Pause(MOUSE_DWELL)].into()
        }
        Step::Move(to) => {
            on_screen(*to, stage)?;
            [Action::Move(*to), Action::Pause(MOUSE_DWELL)].into()
        }
        Step::Click(at, button) => {
            on_screen(*at, stage)?;
            [
                Action::Move(*at),
                Action::Pause(MOUSE_DWELL),
                Action::Button(*button, true),
                Action::Pause(MOUSE_DWELL),
                Action::Button(*button, false),
                Action::Pause(MOUSE_DWELL),
            ]
            .into()
        }
        Step::Drag(from, to, button) => {
            on_screen(*from, stage)?;
            on_screen(*to, stage)?;
            drag(*from, *to, *button)
        }
        Step::Pause(time) => [Action::Pause(*time)].into(),
        Step::Wait(event, limit) => [Action::Wait(event.clone(), *limit)].into(),
        Step::Screenshot(path) => [Action::Screenshot(path.clone())].into(),
        Step::Save(path, limit) => save(path, *limit)?,
        Step::Quit(status) => [Action::Quit(*status)].into(),
    })
}

fn on_screen(point: Point, stage: &impl Stage) -> Result<(), Problem> {
    let (width, height) = stage.screen_size();
    if point.x < width && point.y < height {
        return Ok(());
    }
    Err(Problem::OffScreen {
        x: point.x,
        y: point.y,
        width,
        height,
    })
}

/// The transitions that type strokes; shift stays down between two that need it.
fn typing(strokes: impl Iterator<Item = Stroke>) -> Vec<Action> {
    let mut actions = Vec::new();
    let mut shifted = false;
    for stroke in strokes {
        if stroke.shift != shifted {
            actions.push(Action::Type(SHIFT, stroke.shift));
            shifted = stroke.shift;
        }
        actions.push(Action::Type(stroke.key, true));
        actions.push(Action::Type(stroke.key, false));
    }
    if shifted {
        actions.push(Action::Type(SHIFT, false));
    }
    actions
}

fn drag(from: Point, to: Point, button: Button) -> VecDeque<Action> {
    let between = |a: u16, b: u16, step: i32| {
        (i32::from(a) + (i32::from(b) - i32::from(a)) * step / DRAG_POINTS) as u16
    };
    let mut actions = VecDeque::from([
        Action::Move(from),
        Action::Pause(MOUSE_DWELL),
        Action::Button(button, true),
        Action::Pause(MOUSE_DWELL),
    ]);
    for step in 1..=DRAG_POINTS {
        actions.push_back(Action::Move(Point {
            x: between(from.x, to.x, step),
            y: between(from.y, to.y, step),
        }));
        actions.push_back(Action::Pause(MOUSE_DWELL / 4));
    }
    actions.push_back(Action::Pause(MOUSE_DWELL));
    actions.push_back(Action::Button(button, false));
    actions.push_back(Action::Pause(MOUSE_DWELL));
    actions
}

/// Only Lisp knows when its memory is in a state that can be started again, so
/// saving is asked of Lisp.
fn save(path: &Path, limit: Duration) -> Result<VecDeque<Action>, Problem> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let form = format!("(IL:SYSOUT \"{}\")\n", lisp_name(&path)?);
    let strokes: Vec<_> = form.chars().filter_map(keys::stroke).collect();
    let mut actions = VecDeque::from(typing(strokes.into_iter()));
    actions.push_back(Action::Saved {
        before: Stamp::of(&path),
        path,
        limit,
    });
    Ok(actions)
}

/// The Lisp name of an absolute path, as it stands in a Lisp string
/// (`reference/devices.md` section 6.1).
fn lisp_name(path: &Path) -> Result<String, Problem> {
    let unexpected = || Problem::Unexpected {
        expected: "a file name of letters, digits, spaces and /.-_+~",
        found: path.display().to_string(),
    };
    let text = path.to_str().ok_or_else(unexpected)?;
    let mut name = String::from("{DSK}");
    for (index, c) in text.chars().enumerate() {
        match c {
            '/' if index == 0 => name.push('<'),
            '/' => name.push('>'),
            _ if c.is_ascii_alphanumeric() || " .-_+~".contains(c) => name.push(c),
            _ => return Err(unexpected()),
        }
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lisp_names() {
        for (path, name) in [
            ("/a.sysout", Some("{DSK}<a.sysout")),
            ("/tmp/x y/a-1.sysout", Some("{DSK}<tmp>x y>a-1.sysout")),
            ("/tmp/a\"b", None),
            ("/tmp/ü", None),
        ] {
            assert_eq!(lisp_name(Path::new(path)).ok().as_deref(), name, "{path}");
        }
    }
}
