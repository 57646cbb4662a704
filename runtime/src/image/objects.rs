//! Lists, arrays and strings in a memory that no machine runs on yet, or that is
//! only looked at. Whatever memory holds, reading ends.

use crate::layout::Generation;
use crate::layout::records::{element, type_entry, types};
use crate::machine::type_entry_of;
use crate::memory::{LispPtr, Mem, WORDS_PER_PAGE};

/// The type number of `object`.
pub(crate) fn type_number<G: Generation>(mem: Mem<'_, G>, object: LispPtr) -> u16 {
    type_entry_of(mem, object) & type_entry::NUMBER
}

/// Car and cdr of `object`, if it is a list cell.
pub(crate) fn car_cdr<G: Generation>(
    mem: Mem<'_, G>,
    object: LispPtr,
) -> Option<(LispPtr, LispPtr)> {
    if type_number(mem, object) != types::LISTP {
        return None;
    }
    let mut cell = object.masked::<G>();
    let mut content = mem.cell(cell);
    if content.0 >> G::CDR_SHIFT == 0 {
        cell = content.masked::<G>();
        content = mem.cell(cell);
    }
    let code = content.0 >> G::CDR_SHIFT;
    let base = if G::CDR_CODE_BITS == 8 {
        LispPtr(cell.0 & !(WORDS_PER_PAGE - 1))
    } else {
        cell
    };
    let place = base.add(2 * (code & (G::CDR_NIL - 1)));
    let cdr = if code > G::CDR_NIL {
        place
    } else if code == G::CDR_NIL {
        LispPtr::NIL
    } else {
        mem.cell(place)
    };
    Some((content.masked::<G>(), cdr.masked::<G>()))
}

/// The elements of a list, at most `limit` of them.
pub(crate) fn list_elements<G: Generation>(
    mem: Mem<'_, G>,
    mut list: LispPtr,
    limit: usize,
) -> impl Iterator<Item = LispPtr> {
    std::iter::from_fn(move || {
        let (car, cdr) = car_cdr(mem, list)?;
        list = cdr;
        Some(car)
    })
    .take(limit)
}

/// A one-dimensional array.
#[derive(Clone, Copy)]
pub(crate) struct Array<'m, G: Generation> {
    mem: Mem<'m, G>,
    base: LispPtr,
    kind: u16,
    offset: u32,
    /// Elements in use.
    pub fill_pointer: u32,
    /// Elements there are.
    pub total_size: u32,
}

impl<'m, G: Generation> Array<'m, G> {
    /// The array `object`, if it is one.
    pub fn new(mem: Mem<'m, G>, object: LispPtr) -> Option<Self> {
        if type_number(mem, object) != types::ONED_ARRAY {
            return None;
        }
        let array = object.masked::<G>();
        let size = |offset| {
            if G::ARRAY_FIELDS.wide {
                mem.cell(array.add(offset)).0
            } else {
                u32::from(mem.word(array.add(offset)))
            }
        };
        Some(Self {
            mem,
            base: mem.cell(array).masked::<G>(),
            kind: mem.word(array.add(2)) & 0xFF,
            offset: u32::from(mem.word(array.add(3))),
            fill_pointer: size(G::ARRAY_FIELDS.fill_pointer),
            total_size: size(G::ARRAY_FIELDS.total_size),
        })
    }

    /// Element `index`: an object of a pointer array, a number of an array of
    /// small numbers, a character code of a string. Other arrays have none.
    pub fn get(&self, index: u32) -> Option<LispPtr> {
        if index >= self.total_size {
            return None;
        }
        let at = self.offset.wrapping_add(index);
        match self.kind {
            element::UNSIGNED_8 | element::CHARACTER_8 => {
                let byte = self.mem.byte(self.base, at as i32);
                Some(LispPtr::smallpos(u16::from(byte)))
            }
            element::UNSIGNED_16 | element::CHARACTER_16 => {
                Some(LispPtr::smallpos(self.mem.word(self.base.add(at))))
            }
            element::POINTER | element::XPOINTER => Some(
                self.mem
                    .cell(self.base.add(at.wrapping_mul(2)))
                    .masked::<G>(),
            ),
            _ => None,
        }
    }

    /// True if the elements are characters.
    pub fn is_string(&self) -> bool {
        matches!(self.kind, element::CHARACTER_8 | element::CHARACTER_16)
    }
}

/// The characters of a string.
pub(crate) fn string<G: Generation>(mem: Mem<'_, G>, object: LispPtr) -> Option<String> {
    let array = Array::new(mem, object).filter(Array::is_string)?;
    let count = array.fill_pointer.min(array.total_size).min(0xFFFF);
    let chars = (0..count).filter_map(|n| array.get(n));
    Some(chars.map(|c| character(c.lo())).collect())
}

/// The character with a Lisp character code, for people.
pub(crate) fn character(code: u16) -> char {
    char::from_u32(u32::from(code)).unwrap_or(char::REPLACEMENT_CHARACTER)
}
