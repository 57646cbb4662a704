//! What can be wrong with a Lisp in another program.

use super::Value;

/// Why Lisp did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It did not start.
    #[error(transparent)]
    Start(#[from] crate::error::Error),
    /// The image is none of the built-in Lisp.
    #[error("the image is not one of the built-in Lisp")]
    NotBuiltin,
    /// An error was signalled in Lisp and nobody handled it there.
    #[error("{0}")]
    Lisp(String),
    /// Lisp has ended, with this status.
    #[error("Lisp has ended with status {0}")]
    Ended(i32),
    /// The machine met a fault, which this report is about. It is no more.
    #[error("{0}")]
    Fault(String),
    /// Lisp has thrown out of the function of Rust that asked for something.
    #[error("Lisp has left the function that asked")]
    Unwound,
    /// An object of one Lisp was given to another one.
    #[error("the object is one of another Lisp")]
    Foreign,
    /// Lisp has characters of 16 bits.
    #[error("{0:?} is no character of Lisp")]
    NoCharacter(char),
    /// A name cannot be read as a symbol.
    #[error("{0:?} is the name of no symbol")]
    NoSymbol(String),
    /// A function of Rust was saved in an image, and the program has not defined it.
    #[error("the program has no such function")]
    NotDefined,
    /// A value is not what it was expected to be.
    #[error("{0} is no {1}")]
    Kind(Value, &'static str),
}
