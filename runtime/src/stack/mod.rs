//! The Lisp stack: frames, free variable search, frame sharing, overflow.
//!
//! The stack segment is a sequence of blocks (`reference/processor.md`
//! section 6): argument cells, basic frame cells, frame extensions, free blocks
//! and guards. Everything here works on offsets in that segment, and every walk
//! is bounded, whatever the segment holds.

mod backtrace;
mod frame;
mod free_variables;
mod overflow;
#[cfg(test)]
mod overflow_tests;
mod searches;
mod sharing;
mod slow_return;
mod unused;

pub use backtrace::Activation;
pub use frame::{BOTTOM, Frame};
pub use free_variables::{KnownIn, SearchFailed, free_name};
pub(crate) use free_variables::{is_unlooked, slot_address};
pub(crate) use searches::Searches;
pub use searches::found;
