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

mod arrays;
mod binding;
mod calls;
mod compare;
mod dispatch;
mod drawing;
mod floats;
#[cfg(test)]
pub(crate) mod harness;
mod hashing;
mod integers;
mod interrupts;
mod jumps;
mod lists;
mod loops;
mod memory_ops;
mod miscn;
pub mod native;
#[cfg(test)]
mod observed;
pub mod operations;
mod points;
pub(crate) mod profile;
mod returns;
mod run;
mod showing;
mod stack_shuffle;
pub(crate) mod strays;
mod subrcall;
#[cfg(test)]
mod tests;
mod types;
pub mod values;
mod variables;

use crate::isa::opcodes::for_each_opcode;
use crate::layout::Generation;

pub use dispatch::Exit;
pub(crate) use dispatch::{Handler, Handlers, State, handler};
pub use run::INSTRUCTIONS_PER_TICK;
pub use strays::StrayAccess;
pub(crate) use strays::StrayAccesses;

/// The handler of every opcode, from the instruction list.
pub(crate) fn handlers<G: Generation>() -> &'static Handlers<G> {
    use {
        arrays::*, binding::*, calls::*, compare::*, drawing::*, floats::*, integers::*, jumps::*,
        lists::*, memory_ops::*, miscn::*, returns::*, stack_shuffle::*, subrcall::*, types::*,
        variables::*,
    };
    macro_rules! table {
        ($(
            $code:literal $Variant:ident $name:literal $kind:ident
            [$($operand:ident: $encoding:ident),*] $stack:literal $poll:ident $heap:ident
            exec: $exec:ident $(($parameter:literal))? $summary:literal
            $(ufn: $($ufn:literal)+)?;
        )*) => {
            &[$( $exec::<G $(, $parameter)?>, )*]
        };
    }
    for_each_opcode!(table)
}
