//! Array elements by element type (`reference/processor.md` section 24).

use super::{Exit, State, handler};
use crate::layout::Generation;
use crate::layout::records::{element, types};
use crate::machine::Machine;
use crate::memory::LispPtr;

impl<G: Generation> Machine<'_, G> {
    /// Element `index` of the storage at `base`; `None` for an unknown type.
    #[inline(always)]
    fn fetch_element(&mut self, base: LispPtr, kind: u16, index: u32) -> Option<LispPtr> {
        let mem = self.mem;
        let base = base.masked::<G>();
        let word = || mem.word(base.add(index));
        let cell = || mem.cell(base.add(index.wrapping_mul(2)));
        let byte = || u16::from(mem.byte(base, index as i32));
        Some(match kind {
            element::POINTER | element::XPOINTER => cell(),
            element::CHARACTER_8 => LispPtr::character(byte()),
            element::CHARACTER_16 => LispPtr::character(word()),
            element::UNSIGNED_8 => LispPtr::smallpos(byte()),
            element::UNSIGNED_16 => LispPtr::smallpos(word()),
            element::SIGNED_16 => LispPtr(0xE_0000 | (i32::from(word() as i16) as u32 & 0x1_FFFF)),
            element::SIGNED_32 => self.number(cell().0 as i32),
            element::FLOAT => self.float(f32::from_bits(cell().0)),
            element::BIT => {
                let byte = mem.byte(base, (index >> 3) as i32);
                LispPtr::smallpos(u16::from(byte >> (7 - (index & 7)) & 1))
            }
            _ => return None,
        })
    }

    /// Stores element `index` of the storage at `base`; false if the value does
    /// not fit or the type is unknown.
    #[inline(always)]
    fn store_element(&mut self, value: LispPtr, base: LispPtr, kind: u16, index: u32) -> bool {
        let mem = self.mem;
        let base = base.masked::<G>();
        let cell = base.add(index.wrapping_mul(2));
        match kind {
            element::POINTER => {
                self.del_ref(mem.cell(cell).masked::<G>());
                self.add_ref(value.masked::<G>());
                mem.set_cell(cell, value);
                true
            }
            element::XPOINTER => {
                mem.set_cell(cell, value);
                true
            }
            element::FLOAT => {
                let fits = self.type_number(value) == types::FLOATP;
                if fits {
                    mem.set_cell(cell, mem.cell(value));
                }
                fits
            }
            element::CHARACTER_8 => {
                let fits = value == LispPtr::character(value.lo() & 0xFF);
                if fits {
                    mem.set_byte(base, index as i32, value.lo() as u8);
                }
                fits
            }
            element::CHARACTER_16 => {
                let fits = value == LispPtr::character(value.lo());
                if fits {
                    mem.set_word(base.add(index), value.lo());
                }
                fits
            }
            _ => match self.integer(value) {
                Some(number) => self.store_integer(number, base, kind, index),
                None => false,
            },
        }
    }

    fn store_integer(&self, number: i32, base: LispPtr, kind: u16, index: u32) -> bool {
        let mem = self.mem;
        match kind {
            element::UNSIGNED_8 if number >> 8 == 0 => {
                mem.set_byte(base, index as i32, number as u8);
            }
            element::UNSIGNED_16 if number >> 16 == 0 => {
                mem.set_word(base.add(index), number as u16);
            }
            element::SIGNED_16 if i32::from(number as i16) == number => {
                mem.set_word(base.add(index), number as u16);
            }
            element::SIGNED_32 => {
                mem.set_cell(base.add(index.wrapping_mul(2)), LispPtr(number as u32));
            }
            element::BIT if number >> 1 == 0 => {
                let at = (index >> 3) as i32;
                let bit = 0x80 >> (index & 7);
                let rest = mem.byte(base, at) & !bit;
                mem.set_byte(base, at, if number == 1 { rest | bit } else { rest });
            }
            _ => return false,
        }
        true
    }

    /// Storage, element type and storage index of an element of a
    /// one-dimensional array.
    #[inline(always)]
    fn element_of_vector(&self, array: LispPtr, index: LispPtr) -> Option<(LispPtr, u16, u32)> {
        if self.type_number(array) != types::ONED_ARRAY {
            return None;
        }
        let header = self.array_header(array);
        let index = u32::try_from(self.integer(index)?).ok()?;
        (index < header.total_size).then(|| {
            let index = index.wrapping_add(header.offset);
            (header.base, header.kind & 0xFF, index)
        })
    }

    /// The same for a two-dimensional array.
    fn element_of_matrix(
        &self,
        array: LispPtr,
        row: LispPtr,
        column: LispPtr,
    ) -> Option<(LispPtr, u16, u32)> {
        if self.type_number(array) != types::TWOD_ARRAY {
            return None;
        }
        let array = array.masked::<G>();
        let bound = |field: u32| {
            if G::ARRAY_FIELDS.wide {
                self.mem.cell(array.add(field)).0
            } else {
                u32::from(self.mem.word(array.add(field)))
            }
        };
        let (rows, columns) = (bound(G::ARRAY_FIELDS.bound0), bound(G::ARRAY_FIELDS.bound1));
        let row = u32::try_from(self.integer(row)?).ok()?;
        let column = u32::try_from(self.integer(column)?).ok()?;
        (row < rows && column < columns).then(|| {
            let base = self.mem.cell(array).masked::<G>();
            let index = row.wrapping_mul(columns).wrapping_add(column);
            (base, self.mem.word(array.add(2)) & 0xFF, index)
        })
    }
}

/// Storage access given by type code and index on the stack: code `under` cells
/// below the top of stack, which is the index.
fn raw_element<G: Generation>(m: &Machine<'_, G>, s: State<'_, G>) -> Option<(u16, u32)> {
    let index = u32::try_from(m.integer(s.tos)?).ok()?;
    let kind = u16::try_from(m.integer(s.below(1))?).ok()?;
    Some((kind, index))
}

/// Replaces `drop` + 1 elements by an element, or traps.
#[inline(always)]
fn fetched<'m, G: Generation>(
    mut s: State<'m, G>,
    m: &mut Machine<'m, G>,
    value: Option<LispPtr>,
    drop: u16,
    length: u32,
) -> Exit {
    match value {
        Some(value) => {
            s.replace(drop, value);
            s.next(m, length)
        }
        None => s.ufn(m),
    }
}

/// Keeps the stored value that is `drop` elements below the top, or traps.
#[inline(always)]
fn stored<'m, G: Generation>(
    mut s: State<'m, G>,
    m: &mut Machine<'m, G>,
    fits: bool,
    drop: u16,
    length: u32,
) -> Exit {
    if !fits {
        return s.ufn(m);
    }
    let value = s.below(drop);
    s.replace(drop, value);
    s.next(m, length)
}

handler! {
    /// Element of a one-dimensional array.
    aref1(m, s) {
        let value = match m.element_of_vector(s.below(1), s.tos) {
            Some((base, kind, index)) => m.fetch_element(base, kind, index),
            None => None,
        };
        fetched(s, m, value, 1, 1)
    }

    /// Store an element of a one-dimensional array.
    aset1(m, s) {
        let fits = match m.element_of_vector(s.below(1), s.tos) {
            Some((base, kind, index)) => m.store_element(s.below(2), base, kind, index),
            None => false,
        };
        stored(s, m, fits, 2, 1)
    }

    /// Element of a two-dimensional array.
    aref2(m, s) {
        let value = match m.element_of_matrix(s.below(2), s.below(1), s.tos) {
            Some((base, kind, index)) => m.fetch_element(base, kind, index),
            None => None,
        };
        fetched(s, m, value, 2, 1)
    }

    /// Store an element of a two-dimensional array.
    aset2(m, s) {
        let fits = match m.element_of_matrix(s.below(2), s.below(1), s.tos) {
            Some((base, kind, index)) => m.store_element(s.below(3), base, kind, index),
            None => false,
        };
        stored(s, m, fits, 3, 1)
    }

    /// Element of raw storage.
    misc3(m, s) {
        let value = match (s.operand(1), raw_element(m, s)) {
            (9, Some((kind, index))) => m.fetch_element(s.below(2), kind, index),
            _ => None,
        };
        fetched(s, m, value, 2, 2)
    }

    /// Store an element of raw storage.
    misc4(m, s) {
        let fits = match (s.operand(1), raw_element(m, s)) {
            (7, Some((kind, index))) => m.store_element(s.below(3), s.below(2), kind, index),
            _ => false,
        };
        stored(s, m, fits, 3, 2)
    }
}
