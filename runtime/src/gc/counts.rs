//! Reference counts: the entries, and the inline part of counting.
//!
//! An object without an entry has the count 1. An entry holds the count, the
//! segment of the object and a bit that says, during a collection only, that the
//! stack refers to the object; the low 16 bits of the address select the entry.
//! So outside a collection an entry of an object is `tag | count << COUNT_SHIFT`,
//! where the count is 0 or at least 2, and comparing an entry less the expected
//! tag and count, rotated so that the other bits end on top, with a limit tests
//! all of that at once. What such a comparison leaves over (entries of several
//! objects at one place, counts too large for an entry, the end of the allocation
//! countdown) is `collisions`.
//!
//! The limits that additions and the countdown are compared with are in the control block:
//! the backup collector makes them zero while it wants to know of all counting (`backup`).
//!
//! Each new entry counts `\RECLAIM.COUNTDOWN` down by one and each removed entry
//! counts it up; at zero a collection is due. While the cell holds NIL nothing
//! counts it.

use std::sync::atomic::Ordering::Relaxed;

use crate::layout::Generation;
use crate::layout::records::type_entry;
use crate::machine::Machine;
use crate::memory::{LispPtr, Mem};

/// The small integer 0, as a cell.
pub(super) const ZERO: u32 = LispPtr::smallpos(0).0;

/// Entries of the count table that a new unit of pages stands for.
const UNIT_CHARGE: i32 = 64;

/// The bits of an entry that say which object it is of.
#[inline(always)]
pub(super) fn tag<G: Generation>(object: LispPtr) -> u32 {
    object.0 >> 15 & G::COUNT_SEGMENT
}

/// Address of the entry for objects like `object`.
#[inline(always)]
fn main_address<G: Generation>(object: LispPtr) -> LispPtr {
    if G::WIDE_COUNTS {
        G::HT_MAIN.add(object.0 & 0xFFFE)
    } else {
        G::HT_MAIN.add((object.0 & 0xFFFF) >> 1)
    }
}

/// The entry for objects like `object`.
#[inline(always)]
pub(super) fn main_entry<G: Generation>(mem: Mem<'_, G>, object: LispPtr) -> u32 {
    let at = main_address::<G>(object);
    if G::WIDE_COUNTS {
        mem.cell(at).0
    } else {
        u32::from(mem.word(at))
    }
}

/// Stores the entry for objects like `object`.
#[inline(always)]
pub(super) fn set_main_entry<G: Generation>(mem: Mem<'_, G>, object: LispPtr, entry: u32) {
    let at = main_address::<G>(object);
    if G::WIDE_COUNTS {
        mem.set_cell(at, LispPtr(entry));
    } else {
        mem.set_word(at, entry as u16);
    }
}

impl<G: Generation> Machine<'_, G> {
    /// Counts a new reference to `object` from the heap.
    #[inline]
    pub fn add_ref(&mut self, object: LispPtr) {
        if self.type_entry(object) & type_entry::NO_REF != 0 {
            return;
        }
        let entry = main_entry(self.mem, object);
        let tag = tag::<G>(object);
        let above_two = entry.wrapping_sub(tag).wrapping_sub(2 * G::COUNT_ONE);
        if above_two.rotate_right(G::COUNT_SHIFT) < self.mem.control().plain_counts.load(Relaxed) {
            set_main_entry(self.mem, object, entry + G::COUNT_ONE);
        } else if entry == 0 && self.count_down_inline() {
            set_main_entry(self.mem, object, tag | (2 * G::COUNT_ONE));
        } else if entry == tag && self.count_up_inline() {
            set_main_entry(self.mem, object, 0);
        } else {
            self.add_ref_slow(object);
        }
    }

    /// Counts that a reference to `object` from the heap is gone. Answers the
    /// object when it is newly noted as not referred to by the heap.
    #[inline]
    pub fn del_ref(&mut self, object: LispPtr) -> Option<LispPtr> {
        if self.type_entry(object) & type_entry::NO_REF != 0 {
            return None;
        }
        let entry = main_entry(self.mem, object);
        let tag = tag::<G>(object);
        let above_three = entry.wrapping_sub(tag).wrapping_sub(3 * G::COUNT_ONE);
        if above_three.rotate_right(G::COUNT_SHIFT) < G::COUNT_MAX - 3 {
            set_main_entry(self.mem, object, entry - G::COUNT_ONE);
            None
        } else if entry == 0 && self.count_down_inline() {
            set_main_entry(self.mem, object, tag);
            Some(object.masked::<G>())
        } else if entry == tag | (2 * G::COUNT_ONE) && self.count_up_inline() {
            set_main_entry(self.mem, object, 0);
            None
        } else {
            self.del_ref_slow(object)
        }
    }

    /// Notes that nothing in the heap refers to the new object `object`.
    #[inline]
    pub fn note_new(&mut self, object: LispPtr) {
        if self.type_entry(object) & type_entry::NO_REF == 0
            && main_entry(self.mem, object) == 0
            && self.count_down_inline()
        {
            set_main_entry(self.mem, object, tag::<G>(object));
        } else {
            self.del_ref_slow(object);
        }
    }

    /// Takes one from the countdown if it stays above zero.
    #[inline(always)]
    fn count_down_inline(&self) -> bool {
        let at = self.symbols.reclaim_countdown;
        let countdown = self.mem.cell(at).0;
        let limit = self.mem.control().plain_down.load(Relaxed);
        let plain = countdown.wrapping_sub(ZERO + 2) < limit;
        if plain {
            self.mem.set_cell(at, LispPtr(countdown - 1));
        }
        plain
    }

    /// Adds one to the countdown if it is a number that can grow.
    #[inline(always)]
    fn count_up_inline(&self) -> bool {
        let at = self.symbols.reclaim_countdown;
        let countdown = self.mem.cell(at).0;
        let limit = self.mem.control().plain_up.load(Relaxed);
        let plain = countdown.wrapping_sub(ZERO) < limit;
        if plain {
            self.mem.set_cell(at, LispPtr(countdown + 1));
        }
        plain
    }

    /// Takes one from the countdown; at zero a collection is requested.
    pub(super) fn count_down(&self) {
        let at = self.symbols.reclaim_countdown;
        let countdown = self.mem.cell(at);
        if countdown.is_nil() {
            return;
        }
        // A countdown that Lisp set to more than a small integer can hold
        // starts from the largest.
        let n = countdown.small_value::<G>().unwrap_or(0x1_0000) - 1;
        self.mem
            .set_cell(at, LispPtr::smallpos(n.clamp(0, 0xFFFF) as u16));
        if n <= 0 {
            self.request_interrupt();
        }
    }

    /// Takes from the countdown for a new unit of pages. Garbage that hangs on a single
    /// entry, such as what a queue leaves behind whose head moves on, is noticed by
    /// the storage it takes.
    pub(crate) fn charge_unit(&self) {
        let at = self.symbols.reclaim_countdown;
        if let Some(n @ 1..) = self.mem.cell(at).small_value::<G>() {
            let left = (n - UNIT_CHARGE).max(0);
            self.mem.set_cell(at, LispPtr::smallpos(left as u16));
            if left == 0 {
                self.request_interrupt();
            }
        }
    }

    /// Adds one to the countdown.
    pub(super) fn count_up(&self) {
        let at = self.symbols.reclaim_countdown;
        if let Some(n @ 0..=0xFFFE) = self.mem.cell(at).small_value::<G>() {
            self.mem.set_cell(at, LispPtr::smallpos(n as u16 + 1));
        }
    }

    /// True when nothing is counted any more.
    pub fn gc_disabled(&self) -> bool {
        !self.mem.cell(self.symbols.gc_disabled).is_nil()
    }
}
