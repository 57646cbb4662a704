//! Objects of fixed size: CREATECELL, boxed integers and floats.
//!
//! The type descriptor heads a list of free objects, linked through their first
//! cells (`reference/storage.md` section 4).

use crate::fault::Fault;
use crate::layout::Generation;
use crate::layout::records::types;
use crate::machine::Machine;
use crate::memory::{LispPtr, WORDS_PER_PAGE};

/// Words of a unit of pages for one type.
const UNIT_WORDS: u32 = 2 * WORDS_PER_PAGE;

impl<G: Generation> Machine<'_, G> {
    /// A new object of type `type_number`, all zero. None when the type is not
    /// declared. When storage is used up or the free list is broken the fault is
    /// raised and the answer is NIL.
    #[inline]
    pub fn create_cell(&mut self, type_number: u16) -> Option<LispPtr> {
        let dtd = G::dtd(u32::from(type_number));
        let words = self.mem.word(dtd.add(G::DTD_FIELDS.size));
        if words == 0 {
            return None;
        }
        let Some(object) = self.pop_free(type_number) else {
            return Some(LispPtr::NIL);
        };
        let mut at = 0;
        while at < u32::from(words) {
            self.mem.set_cell(object.add(at), LispPtr::NIL);
            at += 2;
        }
        self.note_new(object);
        Some(object)
    }

    /// The Lisp integer `n`: immediate if it fits, else a new box.
    #[inline]
    pub fn number(&mut self, n: i32) -> LispPtr {
        match LispPtr::small(n) {
            Some(small) => small,
            None => self.boxed(types::FIXP, n as u32),
        }
    }

    /// A new box for a float.
    #[inline]
    pub fn float(&mut self, x: f32) -> LispPtr {
        self.boxed(types::FLOATP, x.to_bits())
    }

    /// A new object of a type of one cell that holds `bits`.
    #[inline]
    pub fn boxed(&mut self, type_number: u16, bits: u32) -> LispPtr {
        let Some(object) = self.pop_free(type_number) else {
            return LispPtr::NIL;
        };
        self.mem.set_cell(object, LispPtr(bits));
        self.note_new(object);
        object
    }

    /// Takes an object from the free list of a type, with its first cell still a
    /// link.
    #[inline]
    fn pop_free(&mut self, type_number: u16) -> Option<LispPtr> {
        let dtd = G::dtd(u32::from(type_number));
        let head = dtd.add(G::DTD_FIELDS.free);
        let mut object = self.mem.cell(head).masked::<G>();
        let mut next = self.mem.cell(object).masked::<G>();
        if object.is_nil() || (object.0 | next.0) & 1 != 0 {
            object = self.refill_free_list(type_number)?;
            next = self.mem.cell(object).masked::<G>();
        }
        self.mem.set_cell(head, next);
        let count = dtd.add(G::DTD_FIELDS.old_count);
        self.mem.set_cell(count, self.mem.cell(count).add(1));
        Some(object)
    }

    /// Makes a new unit of free objects when the free list of a type is empty.
    /// Answers the first of them.
    #[cold]
    #[inline(never)]
    fn refill_free_list(&mut self, type_number: u16) -> Option<LispPtr> {
        let dtd = G::dtd(u32::from(type_number));
        let head = dtd.add(G::DTD_FIELDS.free);
        let words = u32::from(self.mem.word(dtd.add(G::DTD_FIELDS.size)));
        let entry = self.mem.cell(head).masked::<G>();
        if !entry.is_nil() || words == 0 || words % 2 != 0 || words > UNIT_WORDS {
            self.raise_fault(Fault::BadFreeList { type_number, entry });
            return None;
        }
        let type_entry = self.mem.word(dtd.add(G::DTD_FIELDS.type_entry));
        let unit = self.alloc_mds_page(type_entry)?;
        let first = self.chain_unit(unit, words);
        self.mem.set_cell(head, first);
        Some(first)
    }

    /// Links the objects of `words` words in the unit at `unit`; answers the first
    /// of the list, which is the last object.
    fn chain_unit(&mut self, unit: LispPtr, words: u32) -> LispPtr {
        let tail = WORDS_PER_PAGE % words;
        // Objects that would waste little at the end of each page do not cross
        // the middle.
        let by_page = tail != 0 && tail < words / 2 && words < WORDS_PER_PAGE;
        let run = if by_page { WORDS_PER_PAGE } else { UNIT_WORDS };
        let mut previous = LispPtr::NIL;
        for start in (0..UNIT_WORDS).step_by(run as usize) {
            for number in 0..run / words {
                let object = unit.add(start + number * words);
                self.mem.set_cell(object, previous);
                previous = object;
            }
        }
        previous
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::records::type_entry;
    use crate::layout::{Medley2, Medley3};
    use crate::testing::with_machine;

    fn numbers<G: Generation>() {
        with_machine::<G>(|mut m| {
            assert_eq!(m.number(65535), LispPtr::smallpos(65535));
            assert_eq!(m.number(-65536), LispPtr(0xF_0000));
            let countdown = m.symbols.reclaim_countdown;
            // The first takes a unit of pages.
            m.number(65537);
            for n in [65536, -65537, i32::MIN, i32::MAX] {
                let before = m.mem.cell(countdown).0;
                let object = m.number(n);
                assert_eq!(m.type_number(object), types::FIXP);
                assert_eq!(m.mem.cell(object).0, n as u32);
                assert_eq!(m.mem.cell(countdown).0, before - 1, "noted as new");
            }
            let object = m.float(1.5);
            assert_eq!(m.type_number(object), types::FLOATP);
            assert_eq!(m.mem.cell(object).0, 1.5f32.to_bits());
            let dtd = G::dtd(u32::from(types::FIXP));
            let made = m.mem.cell(dtd.add(G::DTD_FIELDS.old_count));
            assert_eq!(made.0, 5);
            assert_eq!(m.fault, None);
        });
    }

    #[test]
    fn numbers_are_immediate_or_boxed() {
        numbers::<Medley2>();
        numbers::<Medley3>();
    }

    fn records<G: Generation>(words: u16, expected: u32) {
        const TYPE: u16 = 100;
        with_machine::<G>(|mut m| {
            let dtd = G::dtd(u32::from(TYPE));
            assert_eq!(m.create_cell(TYPE), None, "not declared");
            m.mem.set_word(dtd.add(G::DTD_FIELDS.size), words);
            m.mem.set_word(dtd.add(G::DTD_FIELDS.type_entry), TYPE);
            let mut objects = Vec::new();
            for _ in 0..expected {
                let object = m.create_cell(TYPE).unwrap();
                assert_eq!(m.type_number(object), TYPE);
                for at in (0..u32::from(words)).step_by(2) {
                    assert_eq!(m.mem.cell(object.add(at)), LispPtr::NIL);
                    m.mem.set_cell(object.add(at), LispPtr(0xFFFF_FFFF));
                }
                objects.push(object);
            }
            assert!(
                m.mem.cell(dtd.add(G::DTD_FIELDS.free)).is_nil(),
                "one unit has {expected} objects"
            );
            objects.sort();
            for pair in objects.windows(2) {
                assert!(pair[1].0 - pair[0].0 >= u32::from(words));
            }
            assert_eq!(m.active_pages(), 2);
            assert_eq!(m.fault, None);
        });
    }

    #[test]
    fn units_are_filled_with_objects() {
        for (words, expected) in [
            (2, 256),
            (6, 85),
            (10, 51),
            (56, 9),
            (60, 8),
            (256, 2),
            (320, 1),
        ] {
            records::<Medley2>(words, expected);
            records::<Medley3>(words, expected);
        }
    }

    #[test]
    fn a_broken_free_list_is_a_fault() {
        with_machine::<Medley2>(|mut m| {
            let dtd = Medley2::dtd(u32::from(types::FIXP));
            let head = dtd.add(Medley2::DTD_FIELDS.free);
            m.mem.set_cell(head, LispPtr(0x20_0001));
            assert!(m.number(1 << 20).is_nil());
            assert!(matches!(m.fault, Some(Fault::BadFreeList { .. })));
        });
    }

    #[test]
    fn no_counting_after_the_collector_is_disabled() {
        with_machine::<Medley3>(|mut m| {
            m.disable_gc();
            let object = m.number(1 << 20);
            assert_ne!(m.type_entry(object) & type_entry::NO_REF, 0);
            assert_eq!(m.del_ref(object), None);
            assert_eq!(m.fault, None);
        });
    }
}
