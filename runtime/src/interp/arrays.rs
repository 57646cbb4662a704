//! Array elements by element type (`reference/processor.md` section 24).

use super::{Exit, State, handler};
use crate::layout::Generation;
use crate::layout::records::{element, types};
use crate::machine::Machine;
use crate::memory::{LispPtr, Mem};

/// Element `index` of the storage at `base`, of a type whose elements need no box;
/// `None` for others.
#[inline(always)]
fn fetch_unboxed<G: Generation>(
    mem: Mem<'_, G>,
    base: LispPtr,
    kind: u16,
    index: u32,
) -> Option<LispPtr> {
    let base = base.masked::<G>();
    let word = || mem.word(base.add(index));
    let byte = || u16::from(mem.byte(base, index as i32));
    Some(match kind {
        element::POINTER | element::XPOINTER => mem.cell(base.add(index.wrapping_mul(2))),
        element::CHARACTER_8 => LispPtr::character(byte()),
        element::CHARACTER_16 => LispPtr::character(word()),
        element::UNSIGNED_8 => LispPtr::smallpos(byte()),
        element::UNSIGNED_16 => LispPtr::smallpos(word()),
        element::SIGNED_16 => LispPtr(0xE_0000 | (i32::from(word() as i16) as u32 & 0x1_FFFF)),
        element::BIT => {
            let byte = mem.byte(base, (index >> 3) as i32);
            LispPtr::smallpos(u16::from(byte >> (7 - (index & 7)) & 1))
        }
        _ => return None,
    })
}

/// Stores a small integer or a character in storage of the matching size; false
/// if that is not the case at hand.
#[inline(always)]
fn store_small<G: Generation>(
    mem: Mem<'_, G>,
    value: LispPtr,
    base: LispPtr,
    kind: u16,
    index: u32,
) -> bool {
    let base = base.masked::<G>();
    match kind {
        element::UNSIGNED_8 if value == LispPtr::smallpos(value.lo() & 0xFF) => {
            mem.set_byte(base, index as i32, value.lo() as u8);
        }
        element::UNSIGNED_16 if value == LispPtr::smallpos(value.lo()) => {
            mem.set_word(base.add(index), value.lo());
        }
        element::CHARACTER_8 if value == LispPtr::character(value.lo() & 0xFF) => {
            mem.set_byte(base, index as i32, value.lo() as u8);
        }
        element::CHARACTER_16 if value == LispPtr::character(value.lo()) => {
            mem.set_word(base.add(index), value.lo());
        }
        _ => return false,
    }
    true
}

impl<G: Generation> Machine<'_, G> {
    /// Element `index` of the storage at `base`; `None` for an unknown type.
    pub(super) fn fetch_element(
        &mut self,
        base: LispPtr,
        kind: u16,
        index: u32,
    ) -> Option<LispPtr> {
        let unboxed = fetch_unboxed(self.mem, base, kind, index);
        let cell = || {
            self.mem
                .cell(base.masked::<G>().add(index.wrapping_mul(2)))
                .0
        };
        match kind {
            element::SIGNED_32 => Some(self.number(cell() as i32)),
            element::FLOAT => Some(self.float(f32::from_bits(cell()))),
            _ => unboxed,
        }
    }

    /// Stores element `index` of the storage at `base`; false if the value does
    /// not fit or the type is unknown.
    pub(super) fn store_element(
        &mut self,
        value: LispPtr,
        base: LispPtr,
        kind: u16,
        index: u32,
    ) -> bool {
        let mem = self.mem;
        let base = base.masked::<G>();
        let cell = base.add(index.wrapping_mul(2));
        match kind {
            element::POINTER => {
                self.add_ref(value.masked::<G>());
                self.del_ref(mem.cell(cell).masked::<G>());
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
            element::CHARACTER_8 | element::CHARACTER_16 => {
                store_small(mem, value, base, kind, index)
            }
            _ => match self.integer(value) {
                Some(number) => self.store_integer(number, base, kind, index),
                None => false,
            },
        }
    }

    /// The type code of the elements of an array of one or two dimensions.
    pub(super) fn element_type(&self, array: LispPtr) -> Option<u16> {
        let is_array = matches!(
            self.type_number(array),
            types::ONED_ARRAY | types::TWOD_ARRAY
        );
        is_array.then(|| self.mem.word(array.masked::<G>().add(2)) & 0xFF)
    }

    /// AREF of a one-dimensional array.
    pub fn vector_element(&mut self, array: LispPtr, index: LispPtr) -> Option<LispPtr> {
        let (base, kind, index) = self.element_of_vector(array, index)?;
        match fetch_unboxed(self.mem, base, kind, index) {
            Some(value) => Some(value),
            None => self.fetch_element(base, kind, index),
        }
    }

    /// ASET of a one-dimensional array; answers the value.
    pub fn set_vector_element(
        &mut self,
        value: LispPtr,
        array: LispPtr,
        index: LispPtr,
    ) -> Option<LispPtr> {
        let (base, kind, index) = self.element_of_vector(array, index)?;
        (store_small(self.mem, value, base, kind, index)
            || self.store_element(value, base, kind, index))
        .then_some(value)
    }

    /// AREF of a two-dimensional array.
    pub fn matrix_element(
        &mut self,
        array: LispPtr,
        row: LispPtr,
        column: LispPtr,
    ) -> Option<LispPtr> {
        let (base, kind, index) = self.element_of_matrix(array, row, column)?;
        self.fetch_element(base, kind, index)
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

    /// Element type and index of an access to raw storage.
    pub(super) fn kind_and_index(&self, kind: LispPtr, index: LispPtr) -> Option<(u16, u32)> {
        let index = u32::try_from(self.integer(index)?).ok()?;
        let kind = u16::try_from(self.integer(kind)?).ok()?;
        Some((kind, index))
    }

    /// ASET of a two-dimensional array; answers the value.
    pub fn set_matrix_element(
        &mut self,
        value: LispPtr,
        array: LispPtr,
        row: LispPtr,
        column: LispPtr,
    ) -> Option<LispPtr> {
        let (base, kind, index) = self.element_of_matrix(array, row, column)?;
        (store_small(self.mem, value, base, kind, index)
            || self.store_element(value, base, kind, index))
        .then_some(value)
    }

    /// Storage, element type and storage index of an element of a
    /// one-dimensional array.
    #[inline(always)]
    fn element_of_vector(&self, array: LispPtr, index: LispPtr) -> Option<(LispPtr, u16, u32)> {
        if self.type_number(array) != types::ONED_ARRAY {
            return None;
        }
        let mem = self.mem;
        let array = array.masked::<G>();
        let fields = G::ARRAY_FIELDS;
        let size = if fields.wide {
            mem.cell(array.add(fields.total_size)).0
        } else {
            u32::from(mem.word(array.add(fields.total_size)))
        };
        // A negative index is out of bounds as an unsigned number too.
        let index = self.integer(index)? as u32;
        if index >= size {
            return None;
        }
        let kind_and_offset = mem.cell(array.add(2));
        let index = index.wrapping_add(u32::from(kind_and_offset.lo()));
        Some((mem.cell(array), kind_and_offset.hi() & 0xFF, index))
    }

    /// The same for a two-dimensional array.
    #[inline(always)]
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
        let (row, column) = (self.integer(row)? as u32, self.integer(column)? as u32);
        (row < rows && column < columns).then(|| {
            let base = self.mem.cell(array).masked::<G>();
            let index = row.wrapping_mul(columns).wrapping_add(column);
            (base, self.mem.word(array.add(2)) & 0xFF, index)
        })
    }
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
        if let Some((base, kind, index)) = m.element_of_vector(s.below(1), s.tos)
            && let Some(value) = fetch_unboxed(s.mem, base, kind, index)
        {
            s.replace(1, value);
            return s.next(m, 1);
        }
        s.go(m, aref1_boxed::<G>)
    }

    /// Element that needs a box, or a trap.
    #[inline(never)]
    aref1_boxed(m, s) {
        let value = match m.element_of_vector(s.below(1), s.tos) {
            Some((base, kind, index)) => m.fetch_element(base, kind, index),
            None => None,
        };
        fetched(s, m, value, 1, 1)
    }

    /// Store an element of a one-dimensional array.
    aset1(m, s) {
        if let Some((base, kind, index)) = m.element_of_vector(s.below(1), s.tos)
            && store_small(s.mem, s.below(2), base, kind, index)
        {
            let value = s.below(2);
            s.replace(2, value);
            return s.next(m, 1);
        }
        s.go(m, aset1_slow::<G>)
    }

    /// Store an element that is counted or comes from a box, or trap.
    #[inline(never)]
    aset1_slow(m, s) {
        let fits = match m.element_of_vector(s.below(1), s.tos) {
            Some((base, kind, index)) => m.store_element(s.below(2), base, kind, index),
            None => false,
        };
        stored(s, m, fits, 2, 1)
    }

    /// Element of a two-dimensional array.
    aref2(m, s) {
        if let Some((base, kind, index)) = m.element_of_matrix(s.below(2), s.below(1), s.tos)
            && let Some(value) = fetch_unboxed(s.mem, base, kind, index)
        {
            s.replace(2, value);
            return s.next(m, 1);
        }
        s.go(m, aref2_boxed::<G>)
    }

    /// Element that needs a box, or a trap.
    #[inline(never)]
    aref2_boxed(m, s) {
        let value = match m.element_of_matrix(s.below(2), s.below(1), s.tos) {
            Some((base, kind, index)) => m.fetch_element(base, kind, index),
            None => None,
        };
        fetched(s, m, value, 2, 1)
    }

    /// Store an element of a two-dimensional array.
    aset2(m, s) {
        let stored = m.set_matrix_element(s.below(3), s.below(2), s.below(1), s.tos);
        fetched(s, m, stored, 3, 1)
    }

    /// Element of raw storage.
    misc3(m, s) {
        let value = match s.operand(1) {
            9 => m.raw_element_of(s.below(2), s.below(1), s.tos),
            _ => None,
        };
        fetched(s, m, value, 2, 2)
    }

    /// Store an element of raw storage.
    misc4(m, s) {
        let stored = match s.operand(1) {
            7 => m.set_raw_element(s.below(3), s.below(2), s.below(1), s.tos),
            _ => None,
        };
        fetched(s, m, stored, 3, 2)
    }
}
