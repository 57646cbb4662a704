//! Hash codes that images store in their tables, so every bit counts
//! (`reference/processor.md` section 25).
//!
//! SXHASH follows lists into their elements. A list that contains itself would
//! keep it busy for ever; beyond a limit it is left to Lisp, whose function does
//! the same but can be interrupted.

use crate::layout::Generation;
use crate::layout::SymbolCell;
use crate::layout::records::{array_flag, element, type_entry, types};
use crate::machine::Machine;
use crate::memory::LispPtr;

/// Elements of a list or string that take part in a hash code.
const HASHED_ELEMENTS: u32 = 13;
/// Deepest nesting of lists that is followed.
const MAX_DEPTH: u32 = 500;
/// Most objects that are hashed for one hash code.
const MAX_OBJECTS: u32 = 100_000;
/// Offsets in words of the fields of a PATHNAME: host, device, type, version,
/// directory, name.
mod pathname {
    pub const HOST: u32 = 0;
    pub const DEVICE: u32 = 2;
    pub const DIRECTORY: u32 = 4;
    pub const NAME: u32 = 6;
    pub const TYPE: u32 = 8;
    pub const VERSION: u32 = 10;
}

fn rotate(hash: u16) -> u16 {
    hash.rotate_left(7)
}

/// The hash code of an object by its address.
fn address_hash(object: LispPtr) -> u16 {
    object.hi() ^ ((object.lo() & 0x1FFF) << 3) ^ ((object.0 >> 9 & 0x7F) as u16)
}

/// The characters of a string or print name.
enum Characters {
    Thin {
        base: LispPtr,
        first: i32,
        count: u32,
    },
    Fat {
        base: LispPtr,
        count: u32,
    },
}

impl<G: Generation> Machine<'_, G> {
    /// SXHASH; `None` for an object that is too large or too deep.
    pub(crate) fn sxhash(&self, object: LispPtr) -> Option<u16> {
        self.sxhash_part(object, MAX_DEPTH, &mut { MAX_OBJECTS })
    }

    /// The hash code of an object that may be `depth` levels deep, with `left`
    /// objects left to hash.
    fn sxhash_part(&self, object: LispPtr, depth: u32, left: &mut u32) -> Option<u16> {
        let depth = depth.checked_sub(1)?;
        *left = left.checked_sub(1)?;
        let mut hash = |object| self.sxhash_part(object, depth, left);
        let field = |offset| self.mem.cell(object.add(offset)).masked::<G>();
        Some(match self.type_number(object) {
            types::SMALLP => object.lo(),
            types::FIXP => self.mem.cell(object).lo(),
            types::FLOATP => {
                let bits = self.mem.cell(object);
                bits.hi() ^ bits.lo()
            }
            types::LISTP => {
                let mut list = object;
                let mut sum = 0;
                for _ in 0..HASHED_ELEMENTS {
                    if !self.is_list(list) {
                        break;
                    }
                    sum = rotate(sum ^ hash(self.car(list))?);
                    list = self.cdr(list);
                }
                sum
            }
            types::ONED_ARRAY | types::GENERAL_ARRAY => self.sxhash_array(object),
            types::PATHNAME => {
                let ends = hash(field(pathname::HOST))? ^ hash(field(pathname::DEVICE))?;
                let mut sum = rotate(ends);
                for offset in [
                    pathname::TYPE,
                    pathname::VERSION,
                    pathname::DIRECTORY,
                    pathname::NAME,
                ] {
                    sum = rotate(sum ^ hash(field(offset))?);
                }
                sum
            }
            types::BIGNUM => {
                let digits = field(0);
                let low = |list| {
                    if self.is_list(list) {
                        self.car(list).lo()
                    } else {
                        0
                    }
                };
                let rest = if self.is_list(digits) {
                    self.cdr(digits)
                } else {
                    LispPtr::NIL
                };
                low(digits).wrapping_add(low(rest) << 12)
            }
            types::RATIO | types::COMPLEX => hash(field(0))? ^ hash(field(2))?,
            _ => address_hash(object),
        })
    }

    fn sxhash_array(&self, array: LispPtr) -> u16 {
        let header = self.array_header(array);
        if header.kind & array_flag::STRING != 0 {
            let mut sum = 0;
            if let Some(characters) = self.string_characters(array) {
                self.for_each_character(&characters, HASHED_ELEMENTS, |c| sum = rotate(sum ^ c));
            }
            return sum;
        }
        if header.kind & array_flag::BIT != 0 {
            let length = header.fill_pointer.wrapping_sub(header.offset);
            let first = header.base.add(header.offset >> 4);
            let words =
                u32::from(self.mem.word(first)) << 16 | u32::from(self.mem.word(first.add(1)));
            let bits = (words << (header.offset & 15) >> 16) as u16;
            return match length {
                0..16 => bits.checked_shr(16 - length).unwrap_or(0),
                _ => bits,
            };
        }
        address_hash(array)
    }

    /// STRINGHASHBITS, and STRING-EQUAL-HASHBITS if `fold` case.
    pub(crate) fn string_hash(&self, object: LispPtr, fold: bool) -> u16 {
        let entry = self.type_entry(object);
        let characters = if entry & type_entry::SYMBOL != 0 {
            Some(self.print_name_characters(object))
        } else {
            self.string_characters(object)
        };
        let Some(characters) = characters else {
            return address_hash(object);
        };
        let mut hash = 0u16;
        self.for_each_character(&characters, u32::MAX, |c| {
            let c = if fold { c | 0x20 } else { c };
            hash = hash.wrapping_add((hash & 0xFFF) << 2);
            hash = hash.wrapping_add(c.wrapping_add((hash & 0xFF) << 8));
        });
        hash
    }

    fn string_characters(&self, string: LispPtr) -> Option<Characters> {
        if !matches!(
            self.type_number(string),
            types::ONED_ARRAY | types::GENERAL_ARRAY
        ) {
            return None;
        }
        let header = self.array_header(string);
        if header.kind & array_flag::STRING == 0 {
            return None;
        }
        let base = header.base;
        // No more than there are words in memory.
        let count = header.fill_pointer.min(G::POINTER_MASK);
        match header.kind & 0xFF {
            element::CHARACTER_8 => Some(Characters::Thin {
                base,
                first: header.offset as i32,
                count,
            }),
            element::CHARACTER_16 => Some(Characters::Fat {
                base: base.add(header.offset),
                count,
            }),
            _ => None,
        }
    }

    fn print_name_characters(&self, symbol: LispPtr) -> Characters {
        let cell = self.mem.cell(G::symbol_cell(symbol, SymbolCell::PrintName));
        let base = cell.masked::<G>();
        let count = u32::from(self.mem.byte(base, 0));
        if G::has_fat_name(self.mem, symbol) {
            Characters::Fat {
                base: base.add(1),
                count,
            }
        } else {
            Characters::Thin {
                base,
                first: 1,
                count,
            }
        }
    }

    fn for_each_character(&self, characters: &Characters, limit: u32, mut visit: impl FnMut(u16)) {
        match *characters {
            Characters::Thin { base, first, count } => {
                for n in 0..count.min(limit) as i32 {
                    visit(u16::from(self.mem.byte(base, first.wrapping_add(n))));
                }
            }
            Characters::Fat { base, count } => {
                for n in 0..count.min(limit) {
                    visit(self.mem.word(base.add(n)));
                }
            }
        }
    }
}
