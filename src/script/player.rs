//! Performing scripts.
//!
//! The session polls the player whenever it has the machine's attention. Each
//! step is taken apart into small actions; an action that has to wait is looked
//! at again at the next poll. Input goes in bursts: as many transitions as fit
//! easily into Lisp's ring of events, and nothing more until Lisp has taken
//! them; and no text while Lisp has many characters that no program has read.
//! So no typing is lost, and none waits for a fixed time.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use geiko_runtime::traps::keyboard::Button;

use super::actions::{Action, Stamp, actions};
use super::{DEFAULT_LIMIT, Event, Point, Problem, Script, ScriptError, Step};
use crate::keys::Key;

/// Transitions put in before Lisp must have taken them.
const BURST: usize = 64;
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

#[cfg(test)]
mod tests {
    use super::super::actions::MOUSE_DWELL;
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
