//! Giving back what was proven to be garbage: its references are cleared by counted
//! stores, so its counts become zero, and ordinary collections free it with all the care
//! they take.

use geiko_region::UNITS_PER_RELEASE;

use super::Backup;
use super::objects::{CELLS_TOGETHER, Kinds};
use crate::layout::Generation;
use crate::layout::records::{array_block, type_entry, types};
use crate::machine::Machine;
use crate::memory::LispPtr;

/// Most objects that are released between two collections.
const BATCH: u32 = 4096;
/// Least, however few links of the count table are left.
const LEAST_BATCH: u32 = 64;
/// Units for a cell of an array.
const UNITS_PER_CELL: u64 = 2;
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
            let suspects = &mut backup.heap.suspects;
            let (index, from) = suspects.next;
            suspects.next = (index + 1, 0);
            budget -= 1;
            let Some(object) = suspects.get(index) else {
                if backup.heap.suspects.garbage > 0 {
                    self.check_release(backup);
                    self.request_collection();
                }
                backup.heap.suspects.clear();
                return;
            };
            // It may stay, or an earlier one may have taken it along.
            if backup.heap.colours.get(object) == garbage {
                let most = suspects.room.min(CELLS_TOGETHER);
                let (cleared, next) =
                    self.clear_references(object, from, most, &mut backup.heap.kinds);
                let suspects = &mut backup.heap.suspects;
                if let Some(next) = next {
                    suspects.next = (index, next);
                }
                suspects.room = suspects.room.saturating_sub(cleared);
                let words = cleared.max(1) * WORDS_PER_REFERENCE;
                backup.released = backup.released.saturating_add(words);
                let units = UNITS_PER_RELEASE.max(u64::from(cleared) * UNITS_PER_CELL);
                budget = budget.saturating_sub(units);
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

    /// Clears the references of `object`, of an array of pointers at most so many from its cell `from` on;
    /// answers how many there were at most, and the next cell if there is one.
    fn clear_references(
        &mut self,
        object: LispPtr,
        from: u32,
        most: u32,
        kinds: &mut Kinds,
    ) -> (u32, Option<u32>) {
        let number = self.type_entry(object) & type_entry::NUMBER;
        let cleared = match number {
            types::LISTP => {
                self.rplaca(object, LispPtr::NIL);
                self.rplacd(object, LispPtr::NIL);
                2
            }
            types::ARRAY_BLOCK => {
                let header = object.add(array_block::HEADER_WORDS.wrapping_neg());
                // Code blocks are let go by what refers to them.
                if self.mem.word(header) & array_block::CONTENT != array_block::POINTERS {
                    return (1, None);
                }
                let cells = u32::from(self.mem.word(header.add(array_block::LENGTH)));
                let cells = cells.saturating_sub(2);
                let end = cells.min(from + most);
                for cell in from..end {
                    self.store_counted(object.add(2 * cell), LispPtr::NIL);
                }
                return (end.saturating_sub(from), (end < cells).then_some(end));
            }
            types::CODE_HUNK_FIRST..=types::CODE_HUNK_LAST => 1,
            number => {
                let fields = kinds.counted(self.mem, number);
                for &field in fields {
                    self.store_counted(object.add(field.into()), LispPtr::NIL);
                }
                fields.len() as u32
            }
        };
        (cleared, None)
    }
}
