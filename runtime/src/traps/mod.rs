//! Ways from the machine and the host into Lisp that are not calls by Lisp
//! itself: interrupts, keyboard events, and traps of instructions that cannot be
//! done (UFNs).

mod host_call;
mod interrupt_call;
mod interrupts;
#[cfg(test)]
mod interrupts_tests;
pub mod keyboard;
mod safepoint;
#[cfg(test)]
mod safepoint_tests;
mod ufn;

pub use host_call::HostCall;
pub(crate) use interrupts::ALTO_EPOCH;
pub use interrupts::{HOST_TICK_MICROS, InterruptState};
