//! The mouse: buttons that it does not have, and the wheel.

use geiko_runtime::traps::keyboard::Button;

use super::Input;
use super::keyboard::{Action, Keyboard};

/// Touchpads tell of pixels; so many are a turn of the wheel by one notch.
const NOTCH: f64 = 32.0;
/// More notches at once are no turn of a wheel.
const MOST_NOTCHES: f64 = 20.0;

/// How many buttons a mouse has. Lisp takes the outer two, pressed together, for the
/// middle one, so two are enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Buttons {
    /// One: with Alt it is the middle one, with Super the right one
    #[value(name = "1")]
    One,
    /// Two: both together are the middle one
    #[value(name = "2")]
    Two,
    /// Three
    #[default]
    #[value(name = "3")]
    Three,
}

/// The buttons of a mouse, which may be fewer than Lisp's.
#[derive(Debug, Default)]
pub struct Mouse {
    buttons: Buttons,
    /// What the only button was when it went down.
    only: Option<Button>,
    /// Lisp's that are down.
    held: Vec<Button>,
}

impl Mouse {
    /// A mouse with so many buttons.
    pub fn new(buttons: Buttons) -> Self {
        Self {
            buttons,
            ..Self::default()
        }
    }

    /// What a press or release of a button comes to, with what is held on the keyboard.
    pub fn button(&mut self, button: Button, down: bool, keyboard: &mut Keyboard) -> Vec<Action> {
        let mut actions = Vec::new();
        let button = match (button, self.buttons, down) {
            (Button::Left, Buttons::One, true) => {
                *self.only.insert(keyboard.only_button(&mut actions))
            }
            (Button::Left, Buttons::One, false) => self.only.take().unwrap_or(button),
            _ => button,
        };
        self.held.retain(|&held| held != button);
        if down {
            self.held.push(button);
        }
        actions.push(Action::Lisp(Input::Button(button, down)));
        actions
    }

    /// The mouse is gone: its buttons go up.
    pub fn leave(&mut self) -> Vec<Action> {
        self.only = None;
        let held = self.held.drain(..);
        held.map(|button| Action::Lisp(Input::Button(button, false)))
            .collect()
    }
}

/// The wheel, which goes round in notches or not.
#[derive(Debug, Default)]
pub struct Wheel {
    /// Parts of a notch that are left: to the right, up.
    rest: (f64, f64),
}

impl Wheel {
    /// The wheel turned by so many pixels to the right and up.
    pub fn turn_pixels(&mut self, (right, up): (f64, f64)) -> Vec<Input> {
        self.turn((right / NOTCH, up / NOTCH))
    }

    /// The wheel turned by so many notches to the right and up.
    pub fn turn(&mut self, (right, up): (f64, f64)) -> Vec<Input> {
        let mut inputs = Vec::new();
        for (rest, turned, forwards, backwards) in [
            (&mut self.rest.1, up, Button::WheelUp, Button::WheelDown),
            (
                &mut self.rest.0,
                right,
                Button::WheelRight,
                Button::WheelLeft,
            ),
        ] {
            let sum = (*rest + turned).clamp(-MOST_NOTCHES, MOST_NOTCHES);
            *rest = sum.fract();
            let button = if sum > 0.0 { forwards } else { backwards };
            for _ in 0..sum.abs() as u32 {
                inputs.extend([true, false].map(|down| Input::Button(button, down)));
            }
        }
        inputs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::display::keyboard::HostKey;
    use crate::keys::META;

    #[test]
    fn parts_of_notches_add_up() {
        let mut wheel = Wheel::default();
        let notch = |button| [true, false].map(|down| Input::Button(button, down));
        assert_eq!(wheel.turn((0.0, 1.0)), notch(Button::WheelUp));
        assert_eq!(wheel.turn((0.0, -0.5)), []);
        assert_eq!(wheel.turn((0.0, -0.5)), notch(Button::WheelDown));
        assert_eq!(wheel.turn_pixels((20.0, 0.0)), []);
        assert_eq!(wheel.turn_pixels((20.0, 0.0)), notch(Button::WheelRight));
        assert_eq!(wheel.turn((1e9, 0.0)).len(), 40);
    }

    #[test]
    fn one_button_is_three() {
        let mut keyboard = Keyboard::default();
        let mut mouse = Mouse::new(Buttons::One);
        let button = |button, down| Action::Lisp(Input::Button(button, down));
        let meta = |down| Action::Lisp(Input::Key(META, down));
        let mut click = |keyboard: &mut Keyboard| {
            [true, false]
                .map(|down| mouse.button(Button::Left, down, keyboard))
                .concat()
        };
        assert_eq!(
            click(&mut keyboard),
            [true, false].map(|down| button(Button::Left, down))
        );
        // Names of windows and of browsers.
        for (code, key, meant) in [
            ("AltLeft", "Alt", Button::Middle),
            ("SuperLeft", "Super", Button::Right),
            ("MetaRight", "Meta", Button::Right),
        ] {
            let modifier = |down| HostKey { code, key, down };
            let clicked = [true, false].map(|down| button(meant, down));
            assert_eq!(keyboard.transition(modifier(true)), [meta(true)]);
            assert_eq!(
                click(&mut keyboard),
                [&[meta(false)], &clicked[..]].concat()
            );
            assert_eq!(keyboard.transition(modifier(true)), [], "it repeats");
            assert_eq!(click(&mut keyboard), clicked);
            assert_eq!(keyboard.transition(modifier(false)), []);
        }
        assert_eq!(
            keyboard.transition(HostKey {
                code: "AltRight",
                key: "AltGraph",
                down: true
            }),
            []
        );
        assert_eq!(click(&mut keyboard)[0], button(Button::Left, true));
    }

    #[test]
    fn more_buttons_are_what_they_are_and_go_up_with_the_mouse() {
        let mut keyboard = Keyboard::default();
        let mut mouse = Mouse::new(Buttons::Two);
        let button = |button, down| [Action::Lisp(Input::Button(button, down))];
        keyboard.transition(HostKey {
            code: "AltLeft",
            key: "Alt",
            down: true,
        });
        for pressed in [Button::Left, Button::Right] {
            assert_eq!(
                mouse.button(pressed, true, &mut keyboard),
                button(pressed, true)
            );
        }
        mouse.button(Button::Left, false, &mut keyboard);
        assert_eq!(mouse.leave(), button(Button::Right, false));
        assert_eq!(mouse.leave(), []);
    }
}
