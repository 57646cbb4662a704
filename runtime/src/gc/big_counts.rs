//! Counts too large for an entry of the count table.
//!
//! When a count reaches [`Generation::COUNT_MAX`] the entry keeps that value and
//! the true count moves to a linear table of (object, count) cells: NIL ends the
//! table, T marks a free slot. The table is searched from its start; since the
//! objects with such counts are few and used often, a small cache outside Lisp
//! memory remembers where they were found. A remembered place is checked before
//! it is used, so nothing has to be forgotten.

use crate::layout::Generation;
use crate::machine::Machine;
use crate::memory::LispPtr;

/// Words of a slot.
const SLOT_WORDS: u32 = 4;
/// Word of the count in a slot.
const COUNT: u32 = 2;

/// Where big counts were last found, by low address bits of the object.
#[derive(Clone, Debug, Default)]
pub(super) struct BigCountCache([LispPtr; 32]);

impl BigCountCache {
    fn place(&mut self, object: LispPtr) -> &mut LispPtr {
        &mut self.0[(object.0 >> 1) as usize % 32]
    }
}

impl<G: Generation> Machine<'_, G> {
    /// Gives `object` a slot with the count [`Generation::COUNT_MAX`].
    pub(super) fn enter_big_count(&mut self, object: LispPtr) {
        let object = LispPtr(object.0 & !1);
        let mut slot = G::HT_BIG;
        let mut free = None;
        loop {
            let owner = self.mem.cell(slot);
            if owner == object {
                // Cannot happen in a sound table; make sure it lives.
                self.add_to_big_count(slot, 0x1_0000);
                return;
            }
            if owner == LispPtr::T {
                free.get_or_insert(slot);
            }
            if owner.is_nil() {
                break;
            }
            slot = slot.add(SLOT_WORDS);
            if slot >= G::HT_BIG_END {
                break;
            }
        }
        let slot = match free {
            Some(slot) => slot,
            // The end mark needs a slot too. In a full table the count stays
            // frozen at the maximum, so the object is never freed.
            None if slot.add(SLOT_WORDS) >= G::HT_BIG_END => return,
            None => {
                let end = slot.add(SLOT_WORDS);
                if end.0 & 0xFF == 0 {
                    self.new_page(end);
                }
                slot
            }
        };
        self.mem.set_cell(slot, object);
        self.mem.set_cell(slot.add(COUNT), LispPtr(G::COUNT_MAX));
        *self.gc.big_counts.place(object) = slot;
    }

    /// Adds a reference to `object`, whose count is big.
    pub(super) fn increment_big_count(&mut self, object: LispPtr) {
        if let Some(slot) = self.find_big_count(object) {
            self.add_to_big_count(slot, 1);
        }
    }

    /// Takes a reference from `object`, whose count is big. True when the count
    /// is then one less than [`Generation::COUNT_MAX`] and back in its entry.
    pub(super) fn decrement_big_count(&mut self, object: LispPtr) -> bool {
        // An object that is not in the table keeps its frozen count and lives
        // for ever.
        let Some(slot) = self.find_big_count(object) else {
            return false;
        };
        let count = self.mem.cell(slot.add(COUNT)).0;
        self.mem
            .set_cell(slot.add(COUNT), LispPtr(count.saturating_sub(1)));
        let small = count <= G::COUNT_MAX;
        if small {
            self.mem.set_cell(slot, LispPtr::T);
        }
        small
    }

    /// The count of `object` in the table of big counts.
    pub(super) fn big_count(&mut self, object: LispPtr) -> Option<u32> {
        let slot = self.find_big_count(object)?;
        Some(self.mem.cell(slot.add(COUNT)).0)
    }

    fn add_to_big_count(&mut self, slot: LispPtr, n: u32) {
        let count = self.mem.cell(slot.add(COUNT)).0;
        self.mem
            .set_cell(slot.add(COUNT), LispPtr(count.saturating_add(n)));
    }

    fn find_big_count(&mut self, object: LispPtr) -> Option<LispPtr> {
        let object = LispPtr(object.0 & !1);
        let place = self.gc.big_counts.place(object);
        if !place.is_nil() && self.mem.cell(*place) == object {
            return Some(*place);
        }
        let mut slot = G::HT_BIG;
        while slot < G::HT_BIG_END {
            let owner = self.mem.cell(slot);
            if owner == object {
                *place = slot;
                return Some(slot);
            }
            if owner.is_nil() {
                break;
            }
            slot = slot.add(SLOT_WORDS);
        }
        None
    }
}
