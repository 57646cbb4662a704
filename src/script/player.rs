//! Performing scripts.
//!
//! The session polls the player whenever it has the machine's attention. Each
//! step is taken apart into small actions; an action that has to wait is looked
//! at again at the next poll. Input goes in bursts: as many transitions as fit
//! easily into Lisp's ring of events, and nothing more until Lisp has taken
//! them; and no text while Lisp has many characters that no program has read.
//! So no typing is lost, and none waits for a fixed time.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use geiko_runtime::traps::keyboard::Button;

use super::{DEFAULT_LIMIT, Event, Held, Point, Problem, Script, ScriptError, Step};
use crate::keys::{self, Key, SHIFT, Stroke};

/// Transitions put in before Lisp must have taken them.
const BURST: usize = 64;
/// Lisp watches the mouse by looking at it now and then; it must see every
/// position that matters and every button held.
const MOUSE_DWELL: Duration = Duration::from_millis(150);
/// Intermediate positions of a drag.
const DRAG_POINTS: i32 = 8;

/// What a player needs of a session.
pub trait Stage {
    /// Time since the session started, as Lisp experiences it.
    fn now(&self) -> Duration;
    /// How long Lisp has had nothing to do.
    fn idle_for(&self) -> Duration;
    /// True when Lisp has taken all earlier transitions.
    fn accepts_input(&self) -> bool;
    /// True when Lisp also has room for more characters to be read later.
    fn accepts_typing(&self) -> bool;
    /// Width and height of the screen.
    fn screen_size(&self) -> (u16, u16);
    /// A key goes down or up.
    fn key(&mut self, key: Key, down: bool);
    /// A mouse button goes down or up.
    fn button(&mut self, button: Button, down: bool);
    /// The mouse moves.
    fn move_mouse(&mut self, to: Point);
    /// Writes the screen to a file.
    fn screenshot(&mut self, path: &Path) -> Result<(), String>;
}

/// What the session should do after a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Go on, and poll again soon.
    Continue,
    /// End with this status.
    Finish(i32),
}

#[derive(Clone, Debug, PartialEq)]
enum Action {
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
struct Stamp {
    modified: Option<SystemTime>,
    inode: u64,
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
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

/// Performs a script.
#[derive(Debug)]
pub struct Player {
    script: Script,
    /// The line whose actions are being performed, then those behind it.
    at: usize,
    actions: VecDeque<Action>,
    /// Since when the first action has been waiting.
    since: Option<Duration>,
}

impl Player {
    /// A player of `script`, before its first step.
    pub fn new(script: Script) -> Self {
        Self {
            script,
            at: 0,
            actions: VecDeque::new(),
            since: None,
        }
    }

    /// Performs what can be performed now.
    pub fn poll(&mut self, stage: &mut impl Stage) -> Result<Next, ScriptError> {
        let mut burst = 0;
        loop {
            if self.actions.is_empty() {
                let Some(line) = self.script.lines.get(self.at) else {
                    return Ok(Next::Finish(0));
                };
                self.actions = actions(&line.step, stage).map_err(|p| self.error(p))?;
                self.since = None;
            }
            if let Some(action) = self.actions.front() {
                let since = *self.since.get_or_insert_with(|| stage.now());
                let waited = stage.now().saturating_sub(since);
                match perform(action, waited, &mut burst, stage).map_err(|p| self.error(p))? {
                    Done::Yes => {}
                    Done::NotYet => return Ok(Next::Continue),
                    Done::Finish(status) => return Ok(Next::Finish(status)),
                }
                self.actions.pop_front();
                self.since = None;
            }
            if self.actions.is_empty() {
                self.at += 1;
            }
        }
    }

    /// Lisp has ended the session: an error if steps are left.
    pub fn session_ended(&mut self) -> Result<(), ScriptError> {
        let waiting_for_end = matches!(self.actions.front(), Some(Action::Wait(Event::End, _)));
        if waiting_for_end {
            self.actions.clear();
            self.at += 1;
        }
        // Input that ends the session may end it before its last key is up.
        let all_but_input = |action: &Action| !matches!(action, Action::Key(..) | Action::Type(..));
        if !self.actions.is_empty() && !self.actions.iter().any(all_but_input) {
            self.actions.clear();
            self.at += 1;
        }
        match self.script.lines.get(self.at).map(|line| &line.step) {
            None | Some(Step::Quit(0)) => Ok(()),
            Some(Step::Wait(Event::End, _)) => {
                self.at += 1;
                self.session_ended()
            }
            Some(_) => Err(self.error(Problem::EndedEarly)),
        }
    }

    fn error(&self, problem: Problem) -> ScriptError {
        ScriptError {
            script: self.script.name.clone(),
            line: self.script.lines.get(self.at).map_or(0, |line| line.number),
            problem,
        }
    }
}

enum Done {
    Yes,
    NotYet,
    Finish(i32),
}

/// Performs an action that has waited for so long, or finds that it must wait
/// longer.
fn perform(
    action: &Action,
    waited: Duration,
    burst: &mut usize,
    stage: &mut impl Stage,
) -> Result<Done, Problem> {
    let done = match action {
        Action::Type(..) | Action::Key(..) | Action::Button(..) => {
            let taken = *burst > 0 || stage.accepts_input();
            let room = !matches!(action, Action::Type(..)) || stage.accepts_typing();
            if !(taken && room) {
                return unless_late(waited, DEFAULT_LIMIT, || "Lisp to take the input".into());
            }
            *burst = (*burst + 1) % BURST;
            match *action {
                Action::Button(button, down) => stage.button(button, down),
                Action::Type(key, down) | Action::Key(key, down) => stage.key(key, down),
                _ => {}
            }
            true
        }
        Action::Move(point) => {
            stage.move_mouse(*point);
            true
        }
        Action::Pause(time) => waited >= *time,
        Action::Wait(event, limit) => {
            let happened = match event {
                Event::Idle(quiet) => stage.idle_for() >= *quiet && stage.accepts_input(),
                Event::File(path) => path.exists(),
                Event::End => false,
            };
            if !happened {
                return unless_late(waited, *limit, || event.to_string());
            }
            true
        }
        Action::Screenshot(path) => {
            stage
                .screenshot(path)
                .map_err(|cause| Problem::Screenshot {
                    path: path.display().to_string(),
                    cause,
                })?;
            true
        }
        Action::Saved {
            path,
            before,
            limit,
        } => {
            let now = Stamp::of(path);
            let saved = now.is_some() && now != *before;
            if !saved && waited >= *limit {
                return Err(Problem::NotSaved {
                    path: path.display().to_string(),
                    limit: *limit,
                });
            }
            saved
        }
        Action::Quit(status) => return Ok(Done::Finish(*status)),
    };
    Ok(if done { Done::Yes } else { Done::NotYet })
}

fn unless_late(
    waited: Duration,
    limit: Duration,
    event: impl FnOnce() -> String,
) -> Result<Done, Problem> {
    if waited < limit {
        return Ok(Done::NotYet);
    }
    Err(Problem::TimedOut {
        event: event(),
        limit,
    })
}

/// The actions of a step.
fn actions(step: &Step, stage: &impl Stage) -> Result<VecDeque<Action>, Problem> {
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

    /// Lisp, as a script sees it.
    struct Actor {
        now: Duration,
        busy_until: Duration,
        waiting: usize,
        unread: usize,
        seen: Vec<String>,
    }

    impl Actor {
        fn new() -> Self {
            Self {
                now: Duration::ZERO,
                busy_until: Duration::ZERO,
                waiting: 0,
                unread: 0,
                seen: Vec::new(),
            }
        }

        fn see(&mut self, what: String) {
            self.seen.push(what);
            self.busy_until = self.now;
        }
    }

    impl Stage for Actor {
        fn now(&self) -> Duration {
            self.now
        }
        fn idle_for(&self) -> Duration {
            self.now.saturating_sub(self.busy_until)
        }
        fn accepts_input(&self) -> bool {
            self.waiting == 0
        }
        fn accepts_typing(&self) -> bool {
            self.unread == 0
        }
        fn screen_size(&self) -> (u16, u16) {
            (640, 480)
        }
        fn key(&mut self, key: Key, down: bool) {
            self.waiting += 1;
            assert!(self.waiting <= BURST);
            self.see(format!("{}{}", if down { '+' } else { '-' }, key.0));
        }
        fn button(&mut self, button: Button, down: bool) {
            self.waiting += 1;
            self.see(format!("{}{button:?}", if down { '+' } else { '-' }));
        }
        fn move_mouse(&mut self, to: Point) {
            self.see(format!("{},{}", to.x, to.y));
        }
        fn screenshot(&mut self, path: &Path) -> Result<(), String> {
            if path.starts_with("/forbidden") {
                return Err("permission denied".into());
            }
            self.see(format!("shot {}", path.display()));
            Ok(())
        }
    }

    fn play_with(text: &str, mut tick: impl FnMut(&mut Actor)) -> (Actor, Result<i32, String>) {
        let mut actor = Actor::new();
        let mut player = Player::new(Script::parse("s", text).unwrap());
        loop {
            match player.poll(&mut actor) {
                Ok(Next::Continue) => {}
                Ok(Next::Finish(status)) => return (actor, Ok(status)),
                Err(error) => return (actor, Err(error.to_string())),
            }
            actor.now += Duration::from_millis(10);
            actor.waiting = 0;
            tick(&mut actor);
        }
    }

    fn play(text: &str) -> (Vec<String>, Result<i32, String>) {
        let (actor, result) = play_with(text, |_| {});
        (actor.seen, result)
    }

    #[test]
    fn typing_holds_shift_between_capitals() {
        let (seen, result) = play("type \"aBCd\"");
        assert_eq!(seen.join(" "), "+21 -21 +41 +39 -39 +37 -37 -41 +5 -5");
        assert_eq!(result, Ok(0));
    }

    #[test]
    fn long_texts_go_in_bursts() {
        let text = "x".repeat(1000);
        let (actor, result) = play_with(&format!("type \"{text}\""), |_| {});
        assert_eq!(actor.seen.len(), 2000);
        assert_eq!(result, Ok(0));
        assert!(actor.now >= Duration::from_millis(2000 / BURST as u64 * 10));
    }

    #[test]
    fn input_that_is_never_taken_fails() {
        let (actor, result) = play_with("wait 20ms\nkey a", |actor| actor.waiting = 1);
        assert_eq!(
            result.unwrap_err(),
            "s:2: waited 60s for Lisp to take the input"
        );
        assert!(actor.now >= DEFAULT_LIMIT);
    }

    #[test]
    fn a_busy_lisp_gets_keys_but_no_text() {
        let (actor, result) = play_with("wait 20ms\nkey Ctrl-e\ntype \"a\"", |actor| {
            actor.unread = 1;
        });
        assert_eq!(actor.seen, ["+36", "+3", "-3", "-36"]);
        assert_eq!(
            result.unwrap_err(),
            "s:3: waited 60s for Lisp to take the input"
        );
    }

    #[test]
    fn a_click_takes_its_time() {
        let (actor, _) = play_with("click 3 4 middle", |_| {});
        assert_eq!(actor.seen, ["3,4", "+Middle", "-Middle"]);
        assert!(actor.now >= MOUSE_DWELL * 3);
    }

    #[test]
    fn a_drag_passes_through_the_points_between() {
        let (seen, _) = play("drag 0 80 80 0");
        assert_eq!(
            seen.join(" "),
            "0,80 +Left 10,70 20,60 30,50 40,40 50,30 60,20 70,10 80,0 -Left"
        );
    }

    #[test]
    fn the_mouse_stays_on_the_screen() {
        let (_, result) = play("move 639 479\nmove 640 0");
        assert_eq!(
            result.unwrap_err(),
            "s:2: (640, 0) is outside the screen of 640 x 480"
        );
    }

    #[test]
    fn waiting_for_idleness() {
        let (actor, result) = play_with("key a\nwait idle 1s\nquit 7", |actor| {
            if actor.now < Duration::from_secs(3) {
                actor.busy_until = actor.now;
            }
        });
        assert_eq!(result, Ok(7));
        assert!(
            (3900..4100).contains(&actor.now.as_millis()),
            "{:?}",
            actor.now
        );
        let (_, result) = play_with("wait idle 1s 2s", |actor| actor.busy_until = actor.now);
        assert_eq!(result.unwrap_err(), "s:1: waited 2s for 1s of idleness");
    }

    #[test]
    fn waiting_for_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made");
        let script = format!("wait file {} 5s", path.display());
        let (actor, result) = play_with(&script, |actor| {
            if actor.now == Duration::from_secs(1) {
                std::fs::write(&path, "").unwrap();
            }
        });
        assert_eq!(result, Ok(0));
        assert_eq!(actor.now, Duration::from_secs(1));
        std::fs::remove_file(&path).unwrap();
        let (_, result) = play(&script);
        let message = result.unwrap_err();
        assert!(
            message.starts_with("s:1: waited 5s for the file /"),
            "{message}"
        );
    }

    #[test]
    fn saving_types_a_form_and_waits_for_a_new_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sysout");
        std::fs::write(&path, "old").unwrap();
        let script = format!("save {} 5s", path.display());
        let (_, result) = play(&script);
        let message = result.unwrap_err();
        assert!(
            message.contains("the image was not saved: no new /"),
            "{message}"
        );
        let (actor, result) = play_with(&script, |actor| {
            if actor.now == Duration::from_secs(2) {
                std::fs::write(folder.path().join("new"), "new").unwrap();
                std::fs::rename(folder.path().join("new"), &path).unwrap();
            }
        });
        assert_eq!(result, Ok(0));
        assert_eq!(actor.now, Duration::from_secs(2));
        assert_eq!(actor.seen.last().unwrap(), "-44");
    }

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

    #[test]
    fn screenshots() {
        let (seen, result) = play("screenshot a.png\nscreenshot /forbidden/a.png");
        assert_eq!(seen, ["shot a.png"]);
        assert_eq!(
            result.unwrap_err(),
            "s:2: cannot write /forbidden/a.png: permission denied"
        );
    }

    #[test]
    fn lisp_may_end_the_session_only_at_the_end_of_the_script() {
        for (text, problem) in [
            ("type \"(il:logout)\\n\"", None),
            ("type \"(il:logout)\\n\"\nwait end 5s", None),
            ("type \"a\"\nwait end", None),
            ("wait end\nquit", None),
            ("wait 5s\nkey a", Some("s:1: Lisp ended")),
            ("wait end\nkey a", Some("s:2: Lisp ended")),
            ("wait idle 5s", Some("s:1: Lisp ended")),
            (
                "type \"a\"\nwait file /nonexistent",
                Some("s:2: Lisp ended"),
            ),
        ] {
            let mut actor = Actor::new();
            let mut player = Player::new(Script::parse("s", text).unwrap());
            player.poll(&mut actor).unwrap();
            let ended = player.session_ended().map_err(|e| e.to_string());
            match problem {
                None => assert_eq!(ended, Ok(()), "{text}"),
                Some(start) => assert!(ended.unwrap_err().starts_with(start), "{text}"),
            }
        }
    }

    #[test]
    fn waiting_for_the_end_has_a_limit() {
        let (_, result) = play("wait end 1s");
        assert_eq!(
            result.unwrap_err(),
            "s:1: waited 1s for the end of the session"
        );
    }
}
