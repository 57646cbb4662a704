//! Lisp strings as arguments and results of services.
//!
//! A service's result string is stored in a string that the caller supplies
//! (`reference/subrs.md` section 1).

use crate::layout::Generation;
use crate::layout::records::{element as kind, types};
use crate::machine::Machine;
use crate::memory::LispPtr;

/// A one-dimensional array header, read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ArrayHeader {
    /// Storage.
    pub base: LispPtr,
    /// Flags (high byte) and element type (low byte).
    pub kind: u16,
    /// Elements skipped at the start of the storage.
    pub offset: u32,
    /// Elements in use.
    pub fill_pointer: u32,
    /// Elements allocated.
    pub total_size: u32,
}

impl<G: Generation> Machine<'_, G> {
    /// The header of a ONED-ARRAY.
    pub(crate) fn array_header(&self, array: LispPtr) -> ArrayHeader {
        let array = array.masked::<G>();
        let size = |offset: u32| {
            if G::ARRAY_FIELDS.wide {
                self.mem.cell(array.add(offset)).0
            } else {
                u32::from(self.mem.word(array.add(offset)))
            }
        };
        ArrayHeader {
            base: self.mem.cell(array).masked::<G>(),
            kind: self.mem.word(array.add(2)),
            offset: u32::from(self.mem.word(array.add(3))),
            fill_pointer: size(G::ARRAY_FIELDS.fill_pointer),
            total_size: size(G::ARRAY_FIELDS.total_size),
        }
    }

    /// The characters of a string, or `None` for another object.
    pub fn string_chars(&self, string: LispPtr) -> Option<Vec<u16>> {
        if self.type_number(string) != types::ONED_ARRAY {
            return None;
        }
        let header = self.array_header(string);
        let count = header.fill_pointer.min(0xFFFF);
        let element = |n: u32| header.offset.wrapping_add(n);
        match header.kind & 0xFF {
            kind::CHARACTER_8 => Some(
                (0..count)
                    .map(|n| u16::from(self.mem.byte(header.base, element(n) as i32)))
                    .collect(),
            ),
            kind::CHARACTER_16 => Some(
                (0..count)
                    .map(|n| self.mem.word(header.base.add(element(n))))
                    .collect(),
            ),
            _ => None,
        }
    }

    /// The bytes of a string; characters beyond 8 bits become `?`.
    pub fn string_bytes(&self, string: LispPtr) -> Option<Vec<u8>> {
        let chars = self.string_chars(string)?;
        Some(
            chars
                .iter()
                .map(|&c| u8::try_from(c).unwrap_or(b'?'))
                .collect(),
        )
    }

    /// Gives a string its characters, as many as it has room for. Nothing happens to what
    /// is no string; a thin one gets the low 8 bits.
    pub fn fill_string(&self, string: LispPtr, codes: &[u16]) {
        if self.type_number(string) != types::ONED_ARRAY {
            return;
        }
        let header = self.array_header(string);
        for (n, &code) in (0..header.total_size).zip(codes) {
            let element = header.offset.wrapping_add(n);
            match header.kind & 0xFF {
                kind::CHARACTER_8 => self.mem.set_byte(header.base, element as i32, code as u8),
                kind::CHARACTER_16 => self.mem.set_word(header.base.add(element), code),
                _ => {}
            }
        }
    }

    /// Stores `bytes` and, if `terminate`, a zero byte in a thin string. False if
    /// it is no thin string or too short.
    pub fn store_string(&self, string: LispPtr, bytes: &[u8], terminate: bool) -> bool {
        if self.type_number(string) != types::ONED_ARRAY {
            return false;
        }
        let header = self.array_header(string);
        let needed = bytes.len() + usize::from(terminate);
        if header.kind & 0xFF != kind::CHARACTER_8 || header.total_size < needed as u32 {
            return false;
        }
        let stored = bytes.iter().copied().chain(terminate.then_some(0));
        for (n, byte) in stored.enumerate() {
            let index = header.offset.wrapping_add(n as u32);
            self.mem.set_byte(header.base, index as i32, byte);
        }
        true
    }
}
