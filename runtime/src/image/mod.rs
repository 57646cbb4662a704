//! Image files: opening, starting, saving, and looking into them.
//!
//! - `header`, `load`, `error`: from a file to memory
//!   (`reference/image-format.md`).
//! - `symbols`, `objects`: names of symbols, strings and lists in a memory that
//!   no machine runs on yet.
//! - `print`: objects as text.
//! - `functions`: compiled definitions, code blocks and their variables.
//! - `info`: everything that can be told about an image without running it;
//!   `instances`: the objects of each type.
//! - `start`: what is written into memory before the first instruction.
//! - `save`: from memory to a file; `sparse`: files with holes. `build`: images that are made, not
//!   loaded.

pub mod build;
pub mod error;
pub mod functions;
pub mod header;
pub mod info;
pub(crate) mod instances;
pub mod load;
pub(crate) mod objects;
mod print;
pub mod save;
mod sparse;
pub mod start;
pub mod symbols;

#[cfg(test)]
mod medley_tests;
#[cfg(test)]
mod save_tests;
#[cfg(test)]
mod symbols_tests;
#[cfg(any(test, feature = "testing"))]
#[cfg_attr(
    not(test),
    allow(dead_code, reason = "fuzzing needs the builder alone")
)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use error::{ImageError, Problem};
pub use header::{ImageHeader, MemorySize};
pub use info::ImageInfo;
pub use load::ImageFile;
pub use save::{SaveError, Saved, write_file};
pub use symbols::{Names, find_symbol};
