//! The mouse: buttons that it does not have, and the wheel.

use geiko_runtime::traps::keyboard::Button;

use crate::display::Input;

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

/// Which button a press of the only one means; the modifiers are not for Lisp then.
pub fn only_button(alt: bool, special: bool) -> Button {
    match (alt, special) {
        (true, _) => Button::Middle,
        (_, true) => Button::Right,
        _ => Button::Left,
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
        assert_eq!(only_button(false, false), Button::Left);
        assert_eq!(only_button(true, false), Button::Middle);
        assert_eq!(only_button(false, true), Button::Right);
    }
}
