//! Results on standard output.

use std::io::{self, Write};
use std::path::PathBuf;

use serde_json::Value;

use crate::error::Error;

/// Prints text that is complete with its line ends.
pub fn text(text: &str) -> Result<(), Error> {
    bytes(text.as_bytes())
}

/// Prints a value, indented.
pub fn json(value: &Value) -> Result<(), Error> {
    text(&format!("{value:#}\n"))
}

/// Prints bytes. A reader that went away has seen enough.
pub fn bytes(bytes: &[u8]) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(source) if source.kind() != io::ErrorKind::BrokenPipe => Err(Error::Write {
            path: PathBuf::from("standard output"),
            source,
        }),
        _ => Ok(()),
    }
}
