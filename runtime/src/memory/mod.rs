//! The Lisp address space: typed addresses, the reservation, and access to it.
//!
//! Lisp memory is a sequence of 16-bit words; an address counts words
//! (`reference/processor.md` section 1). In host memory every 32-bit cell is
//! kept in native order, so a word sits at `address ^ 1` and a byte at
//! `byte address ^ 3` of its big-endian place. All of that, and all `unsafe`,
//! stays inside this folder: whatever value an address has, an access is masked
//! into the reservation first.

mod address;
mod guard;
mod shared;
mod signals;
mod space;
mod view;

pub use address::{CodePc, LispPtr, StackOffset};
pub(crate) use guard::Strayed;
pub use space::{AddressSpace, Attention, AttentionReason, Control, SpaceError};
pub use view::Mem;

/// Words in a page.
pub const WORDS_PER_PAGE: u32 = 256;
/// Bytes in a page.
pub const BYTES_PER_PAGE: usize = 512;
