//! The world that a session gives its machine.

pub mod clock;
pub mod host;
pub mod processes;
