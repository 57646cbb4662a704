//! Control-C at the host's terminal.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The character.
pub const CODE: u16 = 3;

/// Watches for control-C instead of dying from it.
#[derive(Debug)]
pub struct ControlC(Arc<AtomicBool>);

impl ControlC {
    /// Begins to watch.
    pub fn watch() -> io::Result<Self> {
        let typed = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&typed))?;
        Ok(Self(typed))
    }

    /// Whether it was typed since the last question.
    pub fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}
