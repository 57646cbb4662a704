//! From Medley byte code to native code.
//!
//! One code block becomes one native function: `unit` copies what there is to
//! know of it (`facts` what its code names, `leaves` which small functions are put in
//! their callers), `flow` finds what is on the evaluation
//! stack where, `numbers` which kinds of numbers, `feedback` knows what earlier native
//! code met. `translate` writes Cranelift's intermediate language, `workshop` makes
//! machine code of it, on a thread of its own, `cache` holds that and `residents`
//! decides for whom there is room; `maps` tells where native code holds references; `entry` and
//! `shims` are the doors between native code and the machine; `finder` searches for free variables, `collisions` counts where objects
//! share an entry.
//!
//! For people: `listing` shows what becomes of a function, `events` tells what is done
//! about native code and `exits` why it was left; `perf` tells profilers its names.

mod cache;
mod collisions;
mod compiler;
mod entry;
pub mod events;
pub mod exits;
mod facts;
pub mod feedback;
mod finder;
pub mod flow;
mod hosts;
mod leaves;
pub mod listing;
mod maps;
pub mod numbers;
mod observing;
mod operations;
pub mod perf;
mod records;
mod residents;
mod shims;
mod sites;
mod spreads;
mod translate;
pub mod unit;
mod workshop;

pub use compiler::{Jit, JitError, Pace};
#[cfg(feature = "arm64")]
pub use hosts::CrossCompiler;
pub use target_lexicon::Triple;

/// How native code ends.
mod status {
    /// The activation returned a value.
    pub const RETURNED: i64 = 0;
    /// Control is elsewhere.
    pub const ABANDONED: i64 = 1;
    /// Nothing was done: the stack is short, or attention is wanted.
    pub const REFUSED: i64 = 2;
    /// The activation goes on natively, where it is entered in the middle.
    pub const REENTER: i64 = 3;
}
