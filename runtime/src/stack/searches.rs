//! What searches for free variables found beyond the frames where native code was
//! entered.
//!
//! While native code entered in a frame runs, that frame is not returned from, so
//! nothing happens to the frames it was called by: they stay bound to what they
//! are bound to. A search that follows the links beyond it therefore ends where the
//! last one for the same name did. Most stacks are deep and most of what is looked
//! for is far down or nowhere, so this is what makes searches short.
//!
//! An *entry* is such a frame. Entries nest as the host's activations do; each has a
//! number that is never used again, so what was found is forgotten with its entry.
//! Lisp code that writes in frames as memory makes everything be forgotten, unless
//! it writes behind the last entry; chains that do not lead straight down the stack
//! are not remembered. Assignments of variables and counted stores (RPLPTR.N) need not say
//! so: they put one value in the place of another, and neither binds nor unbinds.

use crate::memory::{LispPtr, StackOffset};

/// Names remembered, a power of two.
const FOUND: usize = 1 << 10;

/// No frame starts at an odd offset.
const NOWHERE: StackOffset = StackOffset(1);

/// A frame where native code was entered.
#[derive(Clone, Copy)]
struct Entry {
    pvar: StackOffset,
    number: u64,
}

/// Where a name is, for searches that leave the frame of an entry. Native code reads it.
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct Found {
    entry: u64,
    name: LispPtr,
    address: LispPtr,
}

/// What was found. Native code reads it.
#[repr(C)]
struct Memory {
    /// Number of the last entry.
    entry: u64,
    found: [Found; FOUND],
}

/// How native code reads what was found.
pub mod found {
    use std::mem::{offset_of, size_of};

    use super::{FOUND, Found, Memory};

    /// Byte offset of the number of the last entry.
    pub const ENTRY: i32 = offset_of!(Memory, entry) as i32;
    /// The slot for a name: the second half of the name, combined by exclusive or with the
    /// number, times this, modulo [`SLOTS`].
    pub const FACTOR: u32 = 0x9E37_79B9;
    /// A power of two.
    pub const SLOTS: usize = FOUND;
    /// From one slot to the next.
    pub const SLOT_BYTES: i64 = size_of::<Found>() as i64;
    /// Byte offset of the number of an entry in the first slot.
    pub const SLOT_ENTRY: i32 = SLOT + offset_of!(Found, entry) as i32;
    /// Byte offset of a name in it.
    pub const SLOT_NAME: i32 = SLOT + offset_of!(Found, name) as i32;
    /// Byte offset of the address found.
    pub const SLOT_ADDRESS: i32 = SLOT + offset_of!(Found, address) as i32;
    const SLOT: i32 = offset_of!(Memory, found) as i32;
}

/// The memory of searches.
pub(crate) struct Searches {
    entries: Vec<Entry>,
    memory: Box<Memory>,
    next: u64,
}

impl Default for Searches {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            memory: Box::new(Memory {
                entry: 0,
                found: [Found::default(); FOUND],
            }),
            next: 1,
        }
    }
}

impl Searches {
    fn slot(entry: u64, name: LispPtr) -> usize {
        let mixed = (entry as u32 ^ name.0).wrapping_mul(found::FACTOR);
        (mixed >> 16) as usize & (FOUND - 1)
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Native code is entered in the frame with PVAR slots at `pvar`.
    pub fn enter(&mut self, pvar: StackOffset) {
        let number = self.number();
        self.entries.push(Entry { pvar, number });
        self.memory.entry = number;
    }

    /// Host address of what [`found`] describes.
    pub fn address(&self) -> usize {
        &raw const *self.memory as usize
    }

    /// That native code has ended.
    pub fn leave(&mut self) {
        self.entries.pop();
        self.memory.entry = self.entries.last().map_or(0, |entry| entry.number);
    }

    /// The frame of the entry around which `passed` others lie.
    #[inline]
    pub fn entry(&self, passed: usize) -> StackOffset {
        match self.entries.len().checked_sub(passed + 1) {
            Some(index) => self.entries[index].pvar,
            None => NOWHERE,
        }
    }

    /// What was found for `name` beyond the entry around which `passed` others lie.
    #[inline]
    pub fn recall(&self, passed: usize, name: LispPtr) -> Option<LispPtr> {
        let entry = self.entries[self.entries.len() - 1 - passed];
        let found = self.memory.found[Self::slot(entry.number, name)];
        (found.entry == entry.number && found.name == name).then_some(found.address)
    }

    /// A search for `name` that went beyond the last `passed` entries ended at
    /// `address`.
    #[inline]
    pub fn remember(&mut self, passed: usize, name: LispPtr, address: LispPtr) {
        for entry in self.entries.iter().rev().take(passed) {
            self.memory.found[Self::slot(entry.number, name)] = Found {
                entry: entry.number,
                name,
                address,
            };
        }
    }

    /// Lisp wrote in the stack at `at`.
    #[cold]
    #[inline(never)]
    pub fn written(&mut self, at: StackOffset) {
        if self.entries.last().is_some_and(|entry| at < entry.pvar) {
            for index in 0..self.entries.len() {
                self.entries[index].number = self.number();
                self.memory.entry = self.entries[index].number;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: LispPtr = LispPtr(0x1234);
    const HERE: LispPtr = LispPtr(0x1_2000);

    fn entered(frames: &[u16]) -> Searches {
        let mut searches = Searches::default();
        for &frame in frames {
            searches.enter(StackOffset(frame));
        }
        searches
    }

    #[test]
    fn what_was_found_is_known_until_the_entry_is_left() {
        let mut searches = entered(&[0x2000]);
        assert_eq!(searches.recall(0, NAME), None);
        searches.remember(1, NAME, HERE);
        assert_eq!(searches.recall(0, NAME), Some(HERE));
        searches.leave();
        assert_eq!(searches.entry(0), NOWHERE);
        searches.enter(StackOffset(0x2000));
        assert_eq!(searches.recall(0, NAME), None);
    }

    #[test]
    fn only_the_entries_that_were_passed_know() {
        let mut searches = entered(&[0x2000, 0x2100, 0x2200]);
        assert_eq!(searches.entry(0), StackOffset(0x2200));
        assert_eq!(searches.entry(2), StackOffset(0x2000));
        searches.remember(2, NAME, HERE);
        assert_eq!(searches.recall(0, NAME), Some(HERE));
        assert_eq!(searches.recall(1, NAME), Some(HERE));
        assert_eq!(searches.recall(2, NAME), None);
        searches.leave();
        assert_eq!(searches.recall(0, NAME), Some(HERE));
    }

    #[test]
    fn writes_in_front_of_the_last_entry_are_noticed() {
        let mut searches = entered(&[0x2000, 0x2100]);
        searches.remember(2, NAME, HERE);
        searches.written(StackOffset(0x2100));
        assert_eq!(searches.recall(0, NAME), Some(HERE));
        searches.written(StackOffset(0x20FE));
        assert_eq!(searches.recall(0, NAME), None);
        assert_eq!(searches.recall(1, NAME), None);
    }
}
