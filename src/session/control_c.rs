//! Control-C at the host's terminal.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use signal_hook::consts::SIGINT;

/// The character.
pub const CODE: u16 = 3;

/// The status with which the program ends when Lisp does not react: that of shells.
pub const STATUS: i32 = 130;

/// A second control-C within this time means that the first one did not help.
const PATIENCE: Duration = Duration::from_millis(1500);

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Interrupt Lisp.
    Interrupt,
    /// End the program.
    End,
}

/// Watches for control-C instead of dying from it.
#[derive(Debug)]
pub struct ControlC {
    typed: Arc<AtomicBool>,
    /// When it was typed and Lisp did not react yet.
    before: Option<Instant>,
}

impl ControlC {
    /// Begins to watch. If nobody asks for [`ControlC::take`], the second one ends
    /// the program.
    pub fn watch() -> io::Result<Self> {
        let typed = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register_conditional_shutdown(SIGINT, STATUS, Arc::clone(&typed))?;
        signal_hook::flag::register(SIGINT, Arc::clone(&typed))?;
        Ok(Self {
            typed,
            before: None,
        })
    }

    /// What somebody wants who typed it since the last question.
    pub fn take(&mut self) -> Option<Wish> {
        if !self.typed.swap(false, Ordering::Relaxed) {
            return None;
        }
        let now = Instant::now();
        match self.before.replace(now) {
            Some(before) if now.duration_since(before) < PATIENCE => Some(Wish::End),
            _ => Some(Wish::Interrupt),
        }
    }

    /// Lisp has reacted.
    pub fn forget(&mut self) {
        self.before = None;
    }
}
