//! The interpreter: one handler for each instruction, one file for each group.
//!
//! Handlers form a threaded interpreter. The registers travel as arguments, so
//! they stay in host registers; every handler ends by calling the handler of the
//! next instruction. In optimised builds those calls are sibling calls (jumps)
//! and the host stack does not grow; in debug builds the handler stores the
//! registers and returns to a loop instead (`TAIL_CALLS`). For a call to be a
//! jump no reference to a local may be passed to a function that is not inlined;
//! slow paths are therefore handlers themselves, never inlined, entered by
//! `State::go`, and what they call answers values that fit registers.

mod binding;
mod calls;
mod dispatch;
mod interrupts;
mod jumps;
mod returns;
mod run;
mod stack_shuffle;
mod subrcall;
mod variables;

use crate::layout::Generation;

pub use dispatch::Exit;
pub(crate) use dispatch::{Handler, State, handler};
pub use run::INSTRUCTIONS_PER_TICK;

/// The handler of every opcode.
pub(crate) fn handlers<G: Generation>() -> &'static [Handler<G>; 256] {
    &[calls::ufn::<G>; 256]
}
