//! Reference counting, the whole of it.
//!
//! When objects of different segments fall on one entry of the main table, the
//! entry becomes a link (its low bit set) to a chain in the collision table: pairs
//! of an entry and the place of the next pair. A chain has at least two pairs; a
//! chain of one is folded back into the main table. Element 0 of the collision
//! table heads the list of freed pairs, element 1 is the place of the next pair
//! that was never used (`reference/garbage-collector.md` sections 2 to 4).

use std::ops::Range;

use super::counts::{main_entry, set_main_entry, tag};
use crate::fault::Fault;
use crate::layout::Generation;
use crate::layout::records::{interrupt, type_entry};
use crate::machine::Machine;
use crate::memory::{LispPtr, Mem};

/// What to do with a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Add,
    Delete,
    Stack,
}

/// Where an object's entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// No object has an entry here.
    Empty,
    /// In the main table.
    Main,
    /// In the main table is an entry of another object.
    Other,
    /// In a pair of the collision table.
    Link {
        /// The pair.
        link: u32,
        /// The pair before it, 0 if it is the first.
        previous: u32,
    },
    /// Not in the chain that starts here.
    NotInChain,
}

/// Most pairs of one chain: no more segments exist. A longer one is damaged, and
/// counts mean nothing any more: then counting is over.
pub(super) const MAX_CHAIN: u32 = 0x1000;

/// The entries of the chain that the entry `head` of the main table begins.
pub(super) fn chain<G: Generation>(mem: Mem<'_, G>, head: u32) -> impl Iterator<Item = u32> {
    let mut link = head - 1;
    let pairs = std::iter::from_fn(move || {
        let entry = (link != 0).then(|| collision_element(mem, link))?;
        link = collision_element(mem, link + 1);
        Some(entry)
    });
    pairs.take(MAX_CHAIN as usize)
}

/// An element of the collision table.
fn collision_element<G: Generation>(mem: Mem<'_, G>, index: u32) -> u32 {
    if G::WIDE_COUNTS {
        let index = index & (G::HT_COLLISION_LIMIT | 0xF);
        mem.cell(G::HT_COLLISION.add(index << 1)).0
    } else {
        u32::from(mem.word(G::HT_COLLISION.add(index & 0xFFFF)))
    }
}

impl<G: Generation> Machine<'_, G> {
    /// [`Machine::add_ref`], all cases.
    #[cold]
    #[inline(never)]
    pub(super) fn add_ref_slow(&mut self, object: LispPtr) {
        self.change_count(object, Change::Add);
        self.noticed(object, false);
    }

    /// [`Machine::del_ref`], all cases.
    #[cold]
    #[inline(never)]
    pub(super) fn del_ref_slow(&mut self, object: LispPtr) -> Option<LispPtr> {
        let unreferenced = self.change_count(object, Change::Delete);
        if unreferenced {
            self.noticed(object, true);
        }
        unreferenced.then(|| object.masked::<G>())
    }

    /// Notes that the stack refers to `object`. Only for use in a collection.
    pub fn stk_ref(&mut self, object: LispPtr) {
        self.change_count(object, Change::Stack);
    }

    /// The instruction GCREF: counts `object` by code 0 (add), 1 (delete) or 2
    /// (stack), and answers the object if it became one that the heap does not
    /// refer to, else NIL.
    pub fn gc_ref(&mut self, code: u8, object: LispPtr) -> LispPtr {
        match code {
            0 => self.add_ref(object),
            1 => return self.del_ref(object).unwrap_or(LispPtr::NIL),
            2 => self.stk_ref(object),
            _ => {}
        }
        LispPtr::NIL
    }

    /// The number of references to `object` from the heap, as the table says. An
    /// object of a type that is not counted has one.
    pub fn ref_count(&mut self, object: LispPtr) -> u32 {
        let entry = match self.find_count(object) {
            Place::Main => main_entry(self.mem, object),
            Place::Link { link, .. } => self.collision_element(link),
            _ => return 1,
        };
        match entry >> G::COUNT_SHIFT {
            count if count == G::COUNT_MAX => self.big_count(object).unwrap_or(count),
            count => count,
        }
    }

    /// Changes the count of `object`; true when that made a new entry with count
    /// zero.
    fn change_count(&mut self, object: LispPtr, change: Change) -> bool {
        if self.type_entry(object) & type_entry::NO_REF != 0 || self.gc_disabled() {
            return false;
        }
        let place = self.find_count(object);
        match place {
            Place::Main => {
                let entry = main_entry(self.mem, object);
                match self.changed_entry(object, entry, change) {
                    Some(entry) => set_main_entry(self.mem, object, entry),
                    None => {
                        set_main_entry(self.mem, object, 0);
                        self.count_up();
                    }
                }
                false
            }
            Place::Link { link, previous } => {
                let entry = self.collision_element(link);
                match self.changed_entry(object, entry, change) {
                    Some(entry) => self.set_collision_element(link, entry),
                    None => {
                        self.remove_link(object, link, previous);
                        self.count_up();
                    }
                }
                false
            }
            Place::Empty | Place::Other | Place::NotInChain => {
                let entry = tag::<G>(object)
                    | match change {
                        Change::Add => 2 * G::COUNT_ONE,
                        Change::Delete => 0,
                        Change::Stack => G::COUNT_ONE | G::COUNT_ON_STACK,
                    };
                self.insert_count(object, place, entry) && change == Change::Delete
            }
        }
    }

    /// Drops a reference in a collection, all cases: true if it was the last one.
    #[cold]
    #[inline(never)]
    pub(super) fn drops_last_slow(&mut self, object: LispPtr) -> bool {
        let found = matches!(self.find_count(object), Place::Main | Place::Link { .. });
        if found {
            self.change_count(object, Change::Delete);
        }
        !found
    }

    /// `entry` of `object` after `change`; none if the object then needs no entry.
    fn changed_entry(&mut self, object: LispPtr, entry: u32, change: Change) -> Option<u32> {
        let count = entry >> G::COUNT_SHIFT;
        let entry = match change {
            Change::Stack => entry | G::COUNT_ON_STACK,
            Change::Add if count == G::COUNT_MAX => {
                self.increment_big_count(object);
                entry
            }
            Change::Add => {
                if count + 1 == G::COUNT_MAX {
                    self.enter_big_count(object);
                }
                entry + G::COUNT_ONE
            }
            Change::Delete if count == G::COUNT_MAX => {
                if self.decrement_big_count(object) {
                    entry - G::COUNT_ONE
                } else {
                    entry
                }
            }
            Change::Delete if count == 0 => {
                let object = object.masked::<G>();
                self.raise_fault(Fault::CountUnderflow { object });
                entry
            }
            Change::Delete => entry - G::COUNT_ONE,
        };
        let single = entry >> G::COUNT_SHIFT == 1 && entry & G::COUNT_ON_STACK == 0;
        (!single).then_some(entry)
    }

    /// Finds the entry of `object`.
    pub(super) fn find_count(&mut self, object: LispPtr) -> Place {
        let entry = main_entry(self.mem, object);
        let tag = tag::<G>(object);
        if entry == 0 {
            return Place::Empty;
        }
        if entry & 1 == 0 {
            return if entry & G::COUNT_SEGMENT == tag {
                Place::Main
            } else {
                Place::Other
            };
        }
        match self.find_link(object, |entry| entry & G::COUNT_SEGMENT == tag) {
            Some((link, previous)) => Place::Link { link, previous },
            None => Place::NotInChain,
        }
    }

    /// The first link with a `wanted` entry in the chain for objects like
    /// `object`, and the link before it.
    pub(super) fn find_link(
        &mut self,
        object: LispPtr,
        wanted: impl Fn(u32) -> bool,
    ) -> Option<(u32, u32)> {
        let mut previous = 0;
        let mut link = main_entry(self.mem, object) - 1;
        for _ in 0..MAX_CHAIN {
            if wanted(self.collision_element(link)) {
                return Some((link, previous));
            }
            previous = link;
            link = self.collision_element(link + 1);
            if link == 0 {
                return None;
            }
        }
        self.disable_gc();
        None
    }

    /// Makes a new entry for `object`, which belongs at `place` where it has none
    /// yet. False when the collision table is full; then counting is over.
    fn insert_count(&mut self, object: LispPtr, place: Place, entry: u32) -> bool {
        match place {
            Place::Other => {
                let other = main_entry(self.mem, object);
                let (Some(first), Some(second)) = (self.take_pair(), self.take_pair()) else {
                    self.disable_gc();
                    return false;
                };
                self.set_collision_element(second, other);
                self.set_collision_element(second + 1, 0);
                self.set_collision_element(first, entry);
                self.set_collision_element(first + 1, second);
                set_main_entry(self.mem, object, first | 1);
            }
            Place::NotInChain => {
                let Some(first) = self.take_pair() else {
                    self.disable_gc();
                    return false;
                };
                let next = main_entry(self.mem, object) - 1;
                self.set_collision_element(first, entry);
                self.set_collision_element(first + 1, next);
                set_main_entry(self.mem, object, first | 1);
            }
            _ => set_main_entry(self.mem, object, entry),
        }
        self.count_down();
        true
    }

    /// Removes the entry in `link` from the chain for objects like `object`.
    pub(super) fn remove_link(&mut self, object: LispPtr, link: u32, previous: u32) {
        let next = self.collision_element(link + 1);
        if previous == 0 {
            set_main_entry(self.mem, object, next | 1);
        } else {
            self.set_collision_element(previous + 1, next);
        }
        self.free_pair(link);
        let first = main_entry(self.mem, object) - 1;
        if self.collision_element(first + 1) == 0 {
            let last = self.collision_element(first);
            set_main_entry(self.mem, object, last);
            self.free_pair(first);
        }
    }

    /// A pair for a new link.
    fn take_pair(&mut self) -> Option<u32> {
        let free = self.collision_element(0);
        if free != 0 {
            let next = self.collision_element(free + 1);
            self.set_collision_element(0, next);
            return Some(free);
        }
        let fresh = self.collision_element(1);
        if !(2..G::HT_COLLISION_LIMIT).contains(&fresh) {
            return None;
        }
        self.set_collision_element(1, fresh + 2);
        Some(fresh)
    }

    fn free_pair(&mut self, link: u32) {
        let free = self.collision_element(0);
        self.set_collision_element(link, 0);
        self.set_collision_element(link + 1, free);
        self.set_collision_element(0, link);
    }

    /// The pages of the collision table that were ever used. Not all of them need to be part of the
    /// image while Lisp runs.
    pub(crate) fn collision_pages(&self) -> Range<u32> {
        let words = if G::WIDE_COUNTS { 2 } else { 1 };
        let used = self.collision_element(1).min(G::HT_COLLISION_LIMIT);
        let end = G::HT_COLLISION.add(words * used);
        G::HT_COLLISION.page()..end.page() + 1
    }

    /// Element `index` of the collision table.
    pub(super) fn collision_element(&self, index: u32) -> u32 {
        collision_element(self.mem, index)
    }

    /// Stores an element of the collision table.
    pub(super) fn set_collision_element(&mut self, index: u32, value: u32) {
        if G::WIDE_COUNTS {
            let index = index & (G::HT_COLLISION_LIMIT | 0xF);
            self.mem
                .set_cell(G::HT_COLLISION.add(index << 1), LispPtr(value));
        } else {
            self.mem
                .set_word(G::HT_COLLISION.add(index & 0xFFFF), value as u16);
        }
    }

    /// Ends counting and collecting for good: types lose their counts, and Lisp is
    /// told (also SUBR DISABLEGC).
    pub fn disable_gc(&mut self) {
        for entry in 0..G::TYPE_TABLE_WORDS {
            let at = G::TYPE_TABLE.add(entry);
            self.mem
                .set_word(at, self.mem.word(at) | type_entry::NO_REF);
        }
        self.mem
            .set_cell(self.symbols.reclaim_countdown, LispPtr::NIL);
        self.mem.set_cell(self.symbols.reclaim_min, LispPtr::NIL);
        if !self.gc_disabled() {
            self.mem.set_cell(self.symbols.gc_disabled, LispPtr::T);
            self.set_interrupt_bit(interrupt::GC_DISABLED);
        }
    }
}
