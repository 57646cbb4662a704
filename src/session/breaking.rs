//! The key that interrupts Lisp, pressed once, twice and a third time.

use std::time::{Duration, Instant};

/// The character with which Medley opens a break in the process that has the keyboard.
pub const CODE: u16 = 2;

/// A press after this time is a first one again.
const PATIENCE: Duration = Duration::from_secs(10);

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Lisp gets the interrupt character, and does with it what it wants.
    Interrupt,
    /// A break is opened in whatever runs.
    Break,
    /// The session is saved and ends.
    End,
}

/// How often the key was pressed, and what is still to be done.
#[derive(Debug, Default)]
pub struct Breaking {
    presses: u32,
    pressed_at: Option<Instant>,
    step: Option<Step>,
}

impl Breaking {
    /// The key was pressed.
    pub fn press(&mut self) {
        let is_late = self.pressed_at.is_none_or(|at| at.elapsed() > PATIENCE);
        self.presses = if is_late { 1 } else { self.presses + 1 };
        self.pressed_at = Some(Instant::now());
        self.step = Some(match self.presses {
            1 => Step::Interrupt,
            2 => Step::Break,
            _ => Step::End,
        });
    }

    /// What to do now. A break is tried again until [`Breaking::tried`] hears that it was
    /// opened.
    pub fn next_step(&mut self) -> Option<Step> {
        match self.step {
            Some(Step::Break) => self.step,
            _ => self.step.take(),
        }
    }

    /// Whether a break was opened.
    pub fn tried(&mut self, opened: bool) {
        let is_late = self.pressed_at.is_none_or(|at| at.elapsed() > PATIENCE);
        if opened || is_late {
            self.step = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_press_does_more() {
        let mut breaking = Breaking::default();
        assert_eq!(breaking.next_step(), None);
        breaking.press();
        assert_eq!(breaking.next_step(), Some(Step::Interrupt));
        assert_eq!(breaking.next_step(), None);
        breaking.press();
        assert_eq!(breaking.next_step(), Some(Step::Break));
        breaking.tried(false);
        assert_eq!(breaking.next_step(), Some(Step::Break));
        breaking.tried(true);
        assert_eq!(breaking.next_step(), None);
        breaking.press();
        assert_eq!(breaking.next_step(), Some(Step::End));
        breaking.pressed_at = Instant::now().checked_sub(PATIENCE * 2);
        breaking.press();
        assert_eq!(breaking.next_step(), Some(Step::Interrupt));
    }
}
