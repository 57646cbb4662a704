//! From Lisp source to Medley byte code to an image.
//!
//! ```text
//! text ──reader──> Datum ──expand──> Datum ──compile──> Assembly ──assemble──> Code ──link──> image
//! ```
//!
//! The reader and the macro expander know Lisp, the compiler and the assembler
//! know the instruction set, and only the assembler and the linker know the
//! image generation. Every error names its [`Place`] in a source file.

pub mod assemble;
pub mod build;
pub mod code;
pub mod compile;
pub mod datum;
pub mod expand;
pub mod link;
pub mod listing;
pub mod live;
mod printer;
pub mod program;
pub mod reader;
pub mod source;
#[cfg(test)]
mod testing;

pub use datum::{Datum, Place, Symbol};
pub use source::Source;

/// What comes out of anything that a wrong program can stop.
pub type Result<T> = std::result::Result<T, Error>;

/// What is wrong with a program, and where.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{place}: {message}")]
pub struct Error {
    /// Where it was found.
    pub place: Place,
    /// What was found and what was expected, in one sentence without a full stop.
    pub message: String,
}

impl Error {
    /// An error at a place.
    pub fn new(place: &Place, message: impl Into<String>) -> Self {
        Self {
            place: place.clone(),
            message: message.into(),
        }
    }
}
