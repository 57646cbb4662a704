//! The table of reference counts and the allocation countdown, as
//! `runtime/src/gc/counts.rs` describes them.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I16, I32, I64};
use cranelift_codegen::ir::{Block, InstBuilder, MemFlagsData, Value};
use geiko_runtime::layout::records::type_entry;
use geiko_runtime::memory::LispPtr;

use super::super::{Translator, trusted};

/// The small integer 0, as a cell.
const ZERO: i64 = LispPtr::smallpos(0).0 as i64;

/// Byte offsets from the Lisp memory to the limits that say what is plain. The backup
/// collector makes them zero while it wants to know of all counting.
pub mod limit {
    use std::mem::{offset_of, size_of};

    use geiko_runtime::memory::Control;

    const CONTROL: i32 = -(size_of::<Control>() as i32);
    pub const COUNTS: i32 = CONTROL + offset_of!(Control, plain_counts) as i32;
    pub const DOWN: i32 = CONTROL + offset_of!(Control, plain_down) as i32;
    pub const UP: i32 = CONTROL + offset_of!(Control, plain_up) as i32;
    pub const TOLD: i32 = CONTROL + offset_of!(Control, told_segments) as i32;
}

/// The place in the count table for an object.
pub(in crate::translate) struct Count {
    /// Host address of the entry.
    place: Value,
    /// What the entry contains.
    pub entry: Value,
    /// The entry of the object with count 0.
    pub tag: Value,
}

impl Translator<'_, '_> {
    /// The entry for `object`.
    pub(in crate::translate) fn count_of(&mut self, object: Value) -> Count {
        let table = self.layout.count_table as i32 * 2;
        let flags = MemFlagsData::new().with_notrap();
        // The host address of the word, or cell, at half the address of the object.
        let low = self.builder.ins().band_imm_u(object, 0xFFFE);
        let (place, entry) = if self.layout.wide_counts {
            let place = self.address(low);
            let place = self.builder.ins().iadd_imm_s(place, i64::from(table));
            (place, self.builder.ins().load(I32, flags, place, 0))
        } else {
            let swapped = self.builder.ins().bxor_imm_u(low, 2);
            let wide = self.builder.ins().uextend(super::super::I64, swapped);
            let place = self.builder.ins().iadd(self.base, wide);
            let place = self.builder.ins().iadd_imm_s(place, i64::from(table));
            let entry = self.builder.ins().load(I16, flags, place, 0);
            (place, self.builder.ins().uextend(I32, entry))
        };
        let tag = self.builder.ins().ushr_imm_u(object, 15);
        let segment = i64::from(self.layout.count_segment);
        let tag = self.builder.ins().band_imm_u(tag, segment);
        Count { place, entry, tag }
    }

    /// Makes `entry` the entry there.
    pub(in crate::translate) fn set_count(&mut self, count: &Count, entry: Value) {
        let flags = MemFlagsData::new().with_notrap();
        let entry = if self.layout.wide_counts {
            entry
        } else {
            self.builder.ins().ireduce(I16, entry)
        };
        self.builder.ins().store(flags, entry, count.place, 0);
    }

    /// Empties the entry there.
    pub(in crate::translate) fn clear_count(&mut self, count: &Count) {
        let nothing = self.constant(0);
        self.set_count(count, nothing);
    }

    /// Adds one to the count there, if it is from 2 to the last but one that fits, and
    /// goes to `done`; else goes on.
    pub(super) fn add_if_plain(&mut self, count: &Count, done: Block) {
        let limit = self.limit(limit::COUNTS);
        self.change_if_plain(count, 2, 1, limit, done);
    }

    /// Takes one from the count there, if it is from 3 to the last that fits, and goes
    /// to `done`; else goes on.
    pub(super) fn take_if_plain(&mut self, count: &Count, done: Block) {
        let limit = self.constant(self.layout.count_max - 3);
        self.change_if_plain(count, 3, -1, limit, done);
    }

    /// One of the limits in front of the Lisp memory.
    pub(in crate::translate) fn limit(&mut self, offset: i32) -> Value {
        self.builder.ins().load(I32, trusted(), self.base, offset)
    }

    fn change_if_plain(&mut self, count: &Count, least: i64, by: i64, limit: Value, done: Block) {
        let one = 1i64 << self.layout.count_shift;
        let above = self.builder.ins().isub(count.entry, count.tag);
        let above = self.builder.ins().iadd_imm_s(above, -least * one);
        let shift = i64::from(self.layout.count_shift);
        let above = self.builder.ins().rotr_imm_u(above, shift);
        let plain = (self.builder.ins()).icmp(IntCC::UnsignedLessThan, above, limit);
        let (change, other) = (self.builder.create_block(), self.builder.create_block());
        self.builder.ins().brif(plain, change, &[], other, &[]);
        self.builder.switch_to_block(change);
        let entry = self.builder.ins().iadd_imm_s(count.entry, by * one);
        self.set_count(count, entry);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(other);
    }

    /// Goes to `done` if `object` is not counted, else goes on.
    pub(super) fn unless_counted(&mut self, object: Value, done: Block) {
        let entry = self.type_entry(object);
        let not_counted = i64::from(type_entry::NO_REF);
        let not_counted = self.builder.ins().band_imm_u(entry, not_counted);
        let counted = self.builder.create_block();
        self.builder
            .ins()
            .brif(not_counted, done, &[], counted, &[]);
        self.builder.switch_to_block(counted);
    }

    /// Takes one from the countdown, or goes to `slow` if it would not stay above
    /// zero or is not a number.
    pub(super) fn count_down(&mut self, slow: Block) {
        self.change_countdown(ZERO + 2, limit::DOWN, -1, slow);
    }

    /// Adds one to the countdown, or goes to `slow` if it cannot.
    pub(super) fn count_up(&mut self, slow: Block) {
        self.change_countdown(ZERO, limit::UP, 1, slow);
    }

    fn change_countdown(&mut self, least: i64, limit: i32, by: i64, slow: Block) {
        let countdown = self.host.countdown;
        let left = self.load_fixed(countdown);
        let above = self.builder.ins().iadd_imm_s(left, -least);
        let limit = self.limit(limit);
        let plain = (self.builder.ins()).icmp(IntCC::UnsignedLessThan, above, limit);
        let go_on = self.builder.create_block();
        self.builder.ins().brif(plain, go_on, &[], slow, &[]);
        self.builder.switch_to_block(go_on);
        let left = self.builder.ins().iadd_imm_s(left, by);
        self.store_fixed(countdown, left);
    }

    /// Notes that the heap does not refer to the new object `object`:
    ///
    /// ```text
    /// type of object is not counted:     done
    /// entry is empty, countdown plain:   entry = object's, count 0; countdown -= 1
    /// else:                              DELREF aside
    /// ```
    pub(in crate::translate) fn note_new(&mut self, object: Value) {
        let done = self.builder.create_block();
        self.unless_counted(object, done);
        self.note_new_counted(object, done);
        self.builder.switch_to_block(done);
    }

    /// The same for an object whose type is known to be counted; goes to `done`.
    pub(in crate::translate) fn note_new_counted(&mut self, object: Value, done: Block) {
        let slow = self.cold_block();
        let count = self.count_of(object);
        let empty = self.builder.create_block();
        self.builder.ins().brif(count.entry, slow, &[], empty, &[]);
        self.builder.switch_to_block(empty);
        self.count_down(slow);
        self.set_count(&count, count.tag);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(slow);
        self.count_aside(self.host.delref, object);
        self.builder.ins().jump(done, &[]);
    }

    /// Counts where the entry may be in use by other objects; see [`crate::collisions`].
    pub(super) fn count_aside(&mut self, change: i64, object: Value) {
        let door = self.builder.ins().iconst(I64, change);
        let object = self.away(object);
        let counting = self.counting;
        (self.builder.ins()).call_indirect(counting, door, &[object]);
    }

    /// Stores a cell at a fixed Lisp address.
    pub(in crate::translate) fn store_fixed(&mut self, address: LispPtr, cell: Value) {
        let offset = (address.0 & self.layout.pointer_mask) as i32 * 2;
        self.builder.ins().store(trusted(), cell, self.base, offset);
    }
}
