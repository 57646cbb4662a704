//! Giving back what was proven to be garbage: its references are cleared by counted
//! stores, so its counts become zero, and ordinary collections free it with all the care
//! they take.

use geiko_region::UNITS_PER_RELEASE;

use super::Backup;
use super::objects::Kinds;
use crate::layout::Generation;
use crate::layout::records::{array_block, type_entry, types};
use crate::machine::Machine;
use crate::memory::LispPtr;

/// Most objects that are released between two collections.
const BATCH: u32 = 4096;
/// Least, however few links of the count table are left.
const LEAST_BATCH: u32 = 64;
/// Words of storage for each reference of what is freed; some objects take more.
const WORDS_PER_REFERENCE: u32 = 2;

impl<G: Generation> Machine<'_, G> {
    /// Releases a part of what is proven, a batch for each collection.
    pub(super) fn release_garbage(&mut self, backup: &mut Backup, mut budget: u64) {
        let suspects = &mut backup.heap.suspects;
        if suspects.is_empty() {
            return;
        }
        if cfg!(debug_assertions) && suspects.garbage > 0 && suspects.collections.is_none() {
            backup.sound_before = self.audit().is_sound();
        }
        let suspects = &mut backup.heap.suspects;
        if suspects.collections != Some(self.statistics.collections) {
            suspects.collections = Some(self.statistics.collections);
            suspects.room = self.room_for_counts();
        }
        // The tracer has turned its colours: what was white is black now.
        let garbage = backup.progress.tracer.white().opposite();
        while budget > 0 && backup.heap.suspects.room > 0 {
            let Some(object) = backup.heap.suspects.next() else {
                if backup.heap.suspects.garbage > 0 {
                    self.check_release(backup);
                    self.request_collection();
                }
                backup.heap.suspects.clear();
                return;
            };
            // An earlier one may have taken it along.
            if backup.heap.colours.get(object) == garbage {
                let cleared = self.clear_references(object, &mut backup.heap.kinds);
                backup.heap.suspects.room = backup.heap.suspects.room.saturating_sub(cleared);
                let words = cleared.max(1) * WORDS_PER_REFERENCE;
                backup.released = backup.released.saturating_add(words);
                budget = budget.saturating_sub(UNITS_PER_RELEASE);
            }
        }
        if backup.heap.suspects.room == 0 {
            self.request_collection();
        }
    }

    /// In debug builds: what was sound before garbage was released is so now.
    fn check_release(&self, backup: &Backup) {
        if cfg!(debug_assertions) && backup.sound_before {
            let audit = self.audit();
            assert!(audit.is_sound(), "after a release: {audit}");
        }
    }

    /// How many objects may get new entries in the count table: should all of them collide,
    /// half of the links stay free.
    fn room_for_counts(&self) -> u32 {
        let next = self.collision_element(1);
        let pairs = G::HT_COLLISION_LIMIT.saturating_sub(next) / 2;
        (pairs / 4).clamp(LEAST_BATCH, BATCH)
    }

    /// Has the next poll collect.
    pub fn request_collection(&mut self) {
        let countdown = self.symbols.reclaim_countdown;
        if !self.mem.cell(countdown).is_nil() {
            self.mem.set_cell(countdown, LispPtr::smallpos(0));
            self.request_interrupt();
        }
    }

    /// Clears the references of `object`; answers how many there were at most.
    fn clear_references(&mut self, object: LispPtr, kinds: &mut Kinds) -> u32 {
        let number = self.type_entry(object) & type_entry::NUMBER;
        match number {
            types::LISTP => {
                self.rplaca(object, LispPtr::NIL);
                self.rplacd(object, LispPtr::NIL);
                2
            }
            types::ARRAY_BLOCK => {
                let header = object.add(array_block::HEADER_WORDS.wrapping_neg());
                // Code blocks are let go by what refers to them.
                if self.mem.word(header) & array_block::CONTENT != array_block::POINTERS {
                    return 1;
                }
                let cells = u32::from(self.mem.word(header.add(array_block::LENGTH)));
                for cell in 0..cells.saturating_sub(2) {
                    self.store_counted(object.add(2 * cell), LispPtr::NIL);
                }
                cells
            }
            types::CODE_HUNK_FIRST..=types::CODE_HUNK_LAST => 1,
            number => {
                let fields = kinds.counted(self.mem, number);
                for &field in fields {
                    self.store_counted(object.add(field.into()), LispPtr::NIL);
                }
                fields.len() as u32
            }
        }
    }
}
