//! From the keyboard of a host, whatever its layout, to the keyboard of Lisp.
//!
//! What counts is the character that the host's layout makes of a key. When it says
//! `(`, Lisp's keyboard gets the key and the shift that type `(` there, wherever the
//! parenthesis is on the host's. Shift, control and meta themselves go to Lisp as they
//! are, since Lisp looks at them with the mouse; where a character needs another shift
//! than the user holds, Lisp sees it change for the moment of that key. Characters
//! that Lisp's keyboard does not have go to Lisp as text.
//!
//! Keys have the names of the W3C ("UI Events KeyboardEvent key and code values"),
//! which browsers use, and windows nearly.
//!
//! [`HOST_KEY`] is for the program: while it is held, other keys are [`Command`]s.

use geiko_runtime::traps::keyboard::Button;

use super::Input;
use crate::keys::{self, CONTROL, Key, META, RIGHT_SHIFT, SHIFT};

/// The key that Lisp does not get; no key of Lisp's is in its place.
pub const HOST_KEY: &str = "F1";

/// A key of the host goes down or up.
#[derive(Clone, Copy, Debug)]
pub struct HostKey<'a> {
    /// Where it is on the keyboard, such as `KeyQ`.
    pub code: &'a str,
    /// What it is: the characters that it types, or a name such as `ArrowUp`.
    pub key: &'a str,
    /// It goes down.
    pub down: bool,
}

/// What the user wants of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Interrupt Lisp.
    Break,
    /// Copy what is selected.
    Copy,
    /// Type what is on the clipboard.
    Paste,
    /// Let the window fill the monitor, or no longer.
    FullScreen,
    /// Show larger pixels.
    Larger,
    /// Show smaller pixels.
    Smaller,
    /// Show pixels as large as at the start.
    UsualSize,
    /// End the session.
    Close,
}

/// The keys that are commands with [`HOST_KEY`], for help.
pub const COMMANDS: [(&str, Command, &str); 8] = [
    (
        "b",
        Command::Break,
        "interrupt Lisp; again: at once; a third time: save and quit",
    ),
    ("c", Command::Copy, "copy what is selected in TEdit"),
    ("v", Command::Paste, "type what is on the clipboard"),
    ("f", Command::FullScreen, "full screen, or no longer"),
    ("+", Command::Larger, "larger pixels"),
    ("-", Command::Smaller, "smaller pixels"),
    ("0", Command::UsualSize, "pixels as at the start"),
    ("q", Command::Close, "end the session"),
];

/// What a key comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Something for Lisp.
    Lisp(Input),
    /// Something for the program.
    Host(Command),
}

/// The state of a host's keyboard.
#[derive(Debug, Default)]
pub struct Keyboard {
    /// Keys of the host that are down.
    held: Vec<(String, Held)>,
    host_key: bool,
}

/// What a key of the host holds down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    /// A key of Lisp's.
    Lisp(Key),
    /// Nothing of Lisp's.
    Nothing,
    /// It makes the only button of a mouse this one.
    Button(Button),
}

impl Keyboard {
    /// What a transition of a host's key comes to.
    pub fn transition(&mut self, key: HostKey<'_>) -> Vec<Action> {
        let mut actions = Vec::new();
        if key.key == HOST_KEY {
            self.host_key = key.down;
            return actions;
        }
        let before = self.release(key.code, &mut actions);
        if !key.down {
            return actions;
        }
        if self.host_key {
            let letter = key.key.to_lowercase();
            let command = COMMANDS.iter().find(|(name, ..)| *name == letter);
            let command = command.filter(|_| before.is_none());
            actions.extend(command.map(|c| Action::Host(c.1)));
            self.held.push((key.code.into(), Held::Nothing));
            return actions;
        }
        let held = match named(key) {
            Named::Key(lisp) => {
                let is_modifier = [SHIFT, RIGHT_SHIFT, CONTROL, META].contains(&lisp);
                match before.filter(|_| is_modifier) {
                    // Modifiers do not repeat.
                    Some(held) => {
                        actions.clear();
                        held
                    }
                    None => {
                        // Two keys may hold the same one of Lisp's.
                        if !self.holds(lisp) {
                            press(&mut actions, lisp, true);
                        }
                        Held::Lisp(lisp)
                    }
                }
            }
            Named::Nothing => Held::Nothing,
            Named::Text => {
                let stays = self.characters(key.key, &mut actions);
                stays.map_or(Held::Nothing, Held::Lisp)
            }
        };
        self.held.push((key.code.into(), held));
        actions
    }

    /// The keyboard is somebody else's now: every key of Lisp's goes up.
    pub fn leave(&mut self) -> Vec<Action> {
        self.host_key = false;
        let mut actions = Vec::new();
        while let Some((code, _)) = self.held.last().cloned() {
            self.release(&code, &mut actions);
        }
        actions
    }

    /// Whether a key of Lisp's is down.
    pub fn holds(&self, lisp: Key) -> bool {
        self.held.iter().any(|(_, held)| *held == Held::Lisp(lisp))
    }

    /// What a press of the only button of a mouse means: with Alt it is the middle one,
    /// with Super the right one. That modifier is not for Lisp then.
    pub fn only_button(&mut self, actions: &mut Vec<Action>) -> Button {
        let meta = Held::Lisp(META);
        for (code, held) in &mut self.held {
            if *held == meta {
                let is_alt = code.starts_with("Alt");
                *held = Held::Button(if is_alt {
                    Button::Middle
                } else {
                    Button::Right
                });
                if !actions.contains(&Action::Lisp(Input::Key(META, false))) {
                    press(actions, META, false);
                }
            }
        }
        let chosen = |wanted| {
            self.held
                .iter()
                .any(|(_, held)| *held == Held::Button(wanted))
        };
        let choices = [Button::Middle, Button::Right].into_iter();
        choices
            .clone()
            .find(|&button| chosen(button))
            .unwrap_or(Button::Left)
    }

    /// The host's key at `code` goes up, if it is down; what it held.
    fn release(&mut self, code: &str, actions: &mut Vec<Action>) -> Option<Held> {
        let at = self.held.iter().position(|(held, _)| held == code)?;
        let (_, held) = self.held.remove(at);
        if let Held::Lisp(lisp) = held
            && !self.holds(lisp)
        {
            press(actions, lisp, false);
        }
        Some(held)
    }

    /// Types characters; the key of Lisp's that stays down.
    fn characters(&self, text: &str, actions: &mut Vec<Action>) -> Option<Key> {
        let shifts: Vec<Key> = [SHIFT, RIGHT_SHIFT]
            .into_iter()
            .filter(|&shift| self.holds(shift))
            .collect();
        let is_single = text.chars().nth(1).is_none();
        for character in text.chars() {
            let Some(stroke) = keys::stroke(character) else {
                actions.push(Action::Lisp(Input::Text(character.into())));
                continue;
            };
            let to_change = match (stroke.shift, shifts.is_empty()) {
                (true, true) => &[SHIFT][..],
                (false, false) => &shifts,
                _ => &[],
            };
            if is_single && to_change.is_empty() {
                press(actions, stroke.key, true);
                return Some(stroke.key);
            }
            for &shift in to_change {
                press(actions, shift, stroke.shift);
            }
            press(actions, stroke.key, true);
            press(actions, stroke.key, false);
            for &shift in to_change {
                press(actions, shift, !stroke.shift);
            }
        }
        None
    }
}

fn press(actions: &mut Vec<Action>, key: Key, down: bool) {
    actions.push(Action::Lisp(Input::Key(key, down)));
}

/// What a key is that types no character.
enum Named {
    /// A key of Lisp's.
    Key(Key),
    /// Nothing for Lisp: the host has used it for the keys that come next.
    Nothing,
    /// It does type characters.
    Text,
}

fn named(key: HostKey<'_>) -> Named {
    match key.key {
        "Shift" if key.code == "ShiftRight" => Named::Key(RIGHT_SHIFT),
        "Shift" => Named::Key(SHIFT),
        "Control" => Named::Key(CONTROL),
        "Alt" | "Meta" | "Super" => Named::Key(META),
        // Host keys whose names mean something else at Lisp's keyboard.
        "CapsLock" | "" => Named::Nothing,
        name => match keys::named(name) {
            Some(lisp) if name.len() > 1 => Named::Key(lisp),
            // Names are of ASCII letters and digits; so are single characters.
            _ if name.len() > 1 && name.starts_with(|c: char| c.is_ascii_uppercase()) => {
                Named::Nothing
            }
            _ => Named::Text,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Lisp's keyboard types when it sees transitions: the characters, `^` in front
    /// of control characters and `#` of meta characters.
    #[derive(Default)]
    struct Lisp {
        down: Vec<Key>,
        typed: String,
    }

    impl Lisp {
        fn see(&mut self, actions: Vec<Action>) {
            for action in actions {
                match action {
                    Action::Lisp(Input::Key(key, true)) => {
                        assert!(!self.down.contains(&key), "{key:?} goes down twice");
                        self.down.push(key);
                        let has = |key| self.down.contains(&key);
                        let shift = has(SHIFT) || has(RIGHT_SHIFT);
                        let typed = (' '..='~').find(|&c| {
                            keys::stroke(c).is_some_and(|s| s.key == key && s.shift == shift)
                        });
                        for (modifier, mark) in [(CONTROL, '^'), (META, '#')] {
                            if typed.is_some() && has(modifier) {
                                self.typed.push(mark);
                            }
                        }
                        self.typed.extend(typed);
                    }
                    Action::Lisp(Input::Key(key, false)) => {
                        assert!(self.down.contains(&key), "{key:?} goes up twice");
                        self.down.retain(|&down| down != key);
                    }
                    Action::Lisp(Input::Text(text)) => self.typed.push_str(&text),
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    /// Types keys given as code and key, after one another, with modifiers held that are
    /// given as code and key too.
    fn type_keys(held: &[(&str, &str)], typed: &[(&str, &str)]) -> String {
        let mut keyboard = Keyboard::default();
        let mut lisp = Lisp::default();
        let mut go = |(code, key): (&str, &str), down| {
            lisp.see(keyboard.transition(HostKey { code, key, down }));
        };
        for &key in held {
            go(key, true);
        }
        for &key in typed {
            go(key, true);
            go(key, false);
        }
        for &key in held.iter().rev() {
            go(key, false);
        }
        assert_eq!(lisp.down, []);
        lisp.typed
    }

    const SHIFT_KEY: (&str, &str) = ("ShiftLeft", "Shift");
    const ALT_GRAPH: (&str, &str) = ("AltRight", "AltGraph");

    /// Keys of a layout: plain, with shift, and with AltGr.
    struct Layout {
        plain: &'static [(&'static str, &'static str)],
        shifted: &'static [(&'static str, &'static str)],
        alternate: &'static [(&'static str, &'static str)],
    }

    const US: Layout = Layout {
        plain: &[
            ("KeyY", "y"),
            ("KeyZ", "z"),
            ("Digit7", "7"),
            ("BracketLeft", "["),
            ("Minus", "-"),
            ("Backslash", "\\"),
            ("Quote", "'"),
        ],
        shifted: &[
            ("KeyY", "Y"),
            ("Digit9", "("),
            ("Digit0", ")"),
            ("Digit2", "@"),
            ("Digit6", "^"),
            ("Minus", "_"),
            ("Quote", "\""),
            ("Backquote", "~"),
        ],
        alternate: &[],
    };
    const GERMAN: Layout = Layout {
        plain: &[
            ("KeyZ", "y"),
            ("KeyY", "z"),
            ("BracketRight", "+"),
            ("Backslash", "#"),
            ("Slash", "-"),
            ("IntlBackslash", "<"),
            ("Semicolon", "ö"),
            ("Minus", "ß"),
        ],
        shifted: &[
            ("Digit7", "/"),
            ("Digit8", "("),
            ("Digit9", ")"),
            ("Digit0", "="),
            ("Backslash", "'"),
            ("Comma", ";"),
            ("Period", ":"),
            ("IntlBackslash", ">"),
            ("Semicolon", "Ö"),
        ],
        alternate: &[
            ("Digit7", "{"),
            ("Digit8", "["),
            ("Digit9", "]"),
            ("Digit0", "}"),
            ("Minus", "\\"),
            ("KeyQ", "@"),
            ("IntlBackslash", "|"),
            ("BracketRight", "~"),
            ("KeyE", "€"),
        ],
    };
    const FRENCH: Layout = Layout {
        plain: &[
            ("KeyQ", "a"),
            ("KeyA", "q"),
            ("Digit1", "&"),
            ("Digit2", "é"),
            ("Digit3", "\""),
            ("Digit4", "'"),
            ("Digit5", "("),
            ("Minus", ")"),
            ("Digit8", "_"),
            ("Semicolon", "m"),
            ("Slash", "!"),
        ],
        shifted: &[
            ("Digit1", "1"),
            ("Digit9", "9"),
            ("KeyM", "?"),
            ("Comma", "."),
            ("Period", "/"),
            ("Backslash", "µ"),
            ("KeyQ", "A"),
        ],
        alternate: &[
            ("Digit3", "#"),
            ("Digit4", "{"),
            ("Digit5", "["),
            ("Digit6", "|"),
            ("Digit7", "`"),
            ("Digit8", "\\"),
            ("Digit9", "^"),
            ("Digit0", "@"),
        ],
    };
    const SWISS: Layout = Layout {
        plain: &[
            ("KeyY", "z"),
            ("KeyZ", "y"),
            ("Minus", "'"),
            ("BracketLeft", "ü"),
            ("Backslash", "$"),
            ("Backquote", "§"),
        ],
        shifted: &[
            ("Digit1", "+"),
            ("Digit2", "\""),
            ("Digit3", "*"),
            ("Digit8", "("),
            ("Digit9", ")"),
            ("BracketLeft", "è"),
            ("BracketRight", "!"),
        ],
        alternate: &[
            ("Digit2", "@"),
            ("Digit3", "#"),
            ("Digit7", "|"),
            ("BracketLeft", "["),
            ("BracketRight", "]"),
            ("Quote", "{"),
            ("Backslash", "}"),
            ("IntlBackslash", "\\"),
        ],
    };

    #[test]
    fn every_layout_types_its_own_characters() {
        for (name, layout) in [
            ("US", US),
            ("German", GERMAN),
            ("French", FRENCH),
            ("Swiss", SWISS),
        ] {
            for (held, keys) in [
                (&[][..], layout.plain),
                (&[SHIFT_KEY], layout.shifted),
                (&[("ShiftRight", "Shift")], layout.shifted),
                (&[ALT_GRAPH], layout.alternate),
            ] {
                let expected: String = keys.iter().map(|(_, key)| *key).collect();
                assert_eq!(type_keys(held, keys), expected, "{name} {held:?}");
            }
        }
    }

    #[test]
    fn control_and_meta_reach_lisp_with_the_characters_of_the_layout() {
        let control = ("ControlLeft", "Control");
        let alt = ("AltLeft", "Alt");
        assert_eq!(type_keys(&[control], &[("KeyZ", "y")]), "^y");
        assert_eq!(type_keys(&[alt], &[("KeyA", "q"), ("Digit7", "/")]), "#q#/");
        assert_eq!(type_keys(&[control, alt], &[("KeyC", "c")]), "^#c");
        let shifted = [control, SHIFT_KEY];
        assert_eq!(
            type_keys(&shifted, &[("KeyC", "C"), ("Digit7", "/")]),
            "^C^/"
        );
    }

    #[test]
    fn capital_letters_need_no_shift_key() {
        assert_eq!(type_keys(&[], &[("KeyQ", "Q"), ("KeyQ", "q")]), "Qq");
        assert_eq!(type_keys(&[SHIFT_KEY], &[("KeyQ", "q")]), "q");
    }

    #[test]
    fn text_of_several_characters_is_typed_in_order() {
        assert_eq!(type_keys(&[], &[("KeyQ", "^q")]), "^q");
        assert_eq!(type_keys(&[SHIFT_KEY], &[("KeyQ", "¨Q")]), "¨Q");
        assert_eq!(
            type_keys(&[], &[("KeyE", "ê"), ("BracketLeft", "Dead")]),
            "ê"
        );
    }

    #[test]
    fn keys_stay_down_as_long_as_the_users_hold_them_and_repeat() {
        let mut keyboard = Keyboard::default();
        let mut key = |code, key, down| keyboard.transition(HostKey { code, key, down });
        let lisp = |number, down| Action::Lisp(Input::Key(Key(number), down));
        assert_eq!(key("KeyA", "a", true), [lisp(21, true)]);
        assert_eq!(key("KeyA", "a", true), [lisp(21, false), lisp(21, true)]);
        assert_eq!(key("ShiftLeft", "Shift", true), [lisp(41, true)]);
        assert_eq!(key("ShiftLeft", "Shift", true), []);
        assert_eq!(key("KeyA", "A", false), [lisp(21, false)]);
        assert_eq!(key("KeyA", "A", false), []);
        assert_eq!(key("F2", "F2", true), [lisp(99, true)]);
        assert_eq!(key("AltLeft", "Alt", true), [lisp(31, true)]);
        assert_eq!(key("MetaLeft", "Super", true), []);
        let up: Vec<_> = [31, 99, 41].map(|number| lisp(number, false)).into();
        assert_eq!(keyboard.leave(), up);
        assert_eq!(keyboard.leave(), []);
    }

    #[test]
    fn the_host_key_makes_commands_of_others() {
        let mut keyboard = Keyboard::default();
        let mut key = |code, key, down| keyboard.transition(HostKey { code, key, down });
        assert_eq!(key("F1", HOST_KEY, true), []);
        assert_eq!(key("KeyB", "b", true), [Action::Host(Command::Break)]);
        assert_eq!(key("KeyB", "b", true), []);
        assert_eq!(key("KeyB", "b", false), []);
        assert_eq!(key("KeyX", "x", true), []);
        assert_eq!(key("F1", HOST_KEY, false), []);
        assert_eq!(key("KeyX", "x", false), []);
        assert_eq!(key("KeyB", "b", true).len(), 1);
    }

    #[test]
    fn commands_have_keys_of_their_own() {
        for (index, (name, command, _)) in COMMANDS.iter().enumerate() {
            let others = &COMMANDS[index + 1..];
            assert!(others.iter().all(|(n, c, _)| n != name && c != command));
        }
    }
}
