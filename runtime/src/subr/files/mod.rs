//! File services (`reference/subrs.md` section 2, `reference/devices.md`
//! section 6): strings and boxes out of and into Lisp memory, around the host's
//! [`Files`](crate::device::Files).
//!
//! A service that fails answers NIL and puts the number of the failure in the
//! error cell, a FIXP that Lisp gives as last argument. An error cell or a box of
//! another type is left alone, and an argument that is not what it should be is a
//! failure like any other.
//!
//! - `names`: recognition, deletion, renaming, directories.
//! - `pages`: open files.
//! - `info`: attributes.
//! - `lists`: enumeration.
//! - `chars`: character devices.
//! - `encoding`: names in the characters of Lisp and of the host.

mod chars;
mod encoding;
mod info;
mod lists;
mod names;
mod pages;
#[cfg(test)]
mod tests;

pub use encoding::Characters;

use super::Outcome;
use crate::device::{FileError, FileResult};
use crate::layout::Generation;
use crate::layout::records::types;
use crate::machine::Machine;
use crate::memory::LispPtr;

impl<G: Generation> Machine<'_, G> {
    /// The value of a service: what `result` says, else NIL and the number of the
    /// failure in the error cell.
    fn file_value(&self, result: FileResult<LispPtr>, error_cell: LispPtr) -> Outcome {
        self.file_value_or(LispPtr::NIL, result, error_cell)
    }

    /// The same for a service that answers something else than NIL if it fails.
    fn file_value_or(
        &self,
        failed: LispPtr,
        result: FileResult<LispPtr>,
        error_cell: LispPtr,
    ) -> Outcome {
        Outcome::Value(result.unwrap_or_else(|error| {
            self.store_in_box(error_cell, error.errno());
            failed
        }))
    }

    /// T, or NIL and the number of the failure in the error cell.
    fn file_success(&self, result: FileResult<()>, error_cell: LispPtr) -> Outcome {
        self.file_value(result.map(|()| LispPtr::T), error_cell)
    }

    /// Stores a number in a box. False if it is none.
    fn store_in_box(&self, fixp: LispPtr, value: i32) -> bool {
        let is_box = self.type_number(fixp) == types::FIXP;
        if is_box {
            self.mem.set_cell(fixp, LispPtr(value as u32));
        }
        is_box
    }

    /// The host's bytes of a file name. A name with characters that the host does not
    /// have is no host's.
    pub(in crate::subr) fn file_name(&self, string: LispPtr) -> FileResult<Vec<u8>> {
        let chars = self.string_chars(string).ok_or(FileError::INVALID)?;
        let name = self.characters.to_host(&chars);
        name.ok_or(FileError::NOT_FOUND)
    }

    /// Stores a file name in a string that Lisp has made room for; its length.
    fn store_answer(&self, string: LispPtr, name: Vec<u8>) -> FileResult<LispPtr> {
        let bytes = self.characters.to_lisp(name);
        let length = u16::try_from(bytes.len()).map_err(|_| FileError::NAME_TOO_LONG)?;
        if self.store_string(string, &bytes, false) {
            Ok(LispPtr::smallpos(length))
        } else {
            Err(FileError::NAME_TOO_LONG)
        }
    }

    /// An argument that must be an integer.
    fn file_number(&self, number: LispPtr) -> FileResult<i32> {
        self.integer(number).ok_or(FileError::INVALID)
    }

    /// An argument that must not be negative.
    fn file_size(&self, number: LispPtr) -> FileResult<u32> {
        u32::try_from(self.file_number(number)?).map_err(|_| FileError::INVALID)
    }

    /// The number of an open file.
    fn descriptor(&self, number: LispPtr) -> FileResult<u16> {
        self.integer(number)
            .and_then(|number| u16::try_from(number).ok())
            .ok_or(FileError::BAD_DESCRIPTOR)
    }

    /// A buffer in Lisp memory. NIL is none.
    pub(super) fn buffer(&self, address: LispPtr) -> FileResult<LispPtr> {
        match address.masked::<G>() {
            LispPtr::NIL => Err(FileError::INVALID),
            address => Ok(address),
        }
    }

    /// Copies bytes out of Lisp memory.
    pub(super) fn read_buffer(&self, address: LispPtr, offset: i32, to: &mut [u8]) {
        for (index, byte) in to.iter_mut().enumerate() {
            *byte = self.mem.byte(address, offset.wrapping_add(index as i32));
        }
    }

    /// Copies bytes into Lisp memory.
    pub(super) fn write_buffer(&self, address: LispPtr, offset: i32, from: &[u8]) {
        for (index, &byte) in from.iter().enumerate() {
            self.mem
                .set_byte(address, offset.wrapping_add(index as i32), byte);
        }
    }
}
