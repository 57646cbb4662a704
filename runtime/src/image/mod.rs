//! Image files: opening, starting, saving, and looking into them.
//!
//! - `header`, `load`, `error`: from a file to memory
//!   (`reference/image-format.md`).
//! - `symbols`, `objects`: names of symbols, strings and lists in a memory that
//!   no machine runs on yet.
//! - `start`: what is written into memory before the first instruction.
//! - `save`: from memory to a file.

pub mod error;
pub mod header;
pub mod load;
pub(crate) mod objects;
pub mod save;
pub mod start;
pub mod symbols;

#[cfg(test)]
mod medley_tests;
#[cfg(test)]
mod save_tests;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use error::{ImageError, Problem};
pub use header::{ImageHeader, MemorySize};
pub use load::ImageFile;
pub use save::SaveError;
pub use symbols::{Names, find_symbol};
