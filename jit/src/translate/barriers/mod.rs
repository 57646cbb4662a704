//! Counted stores.
//!
//! ```text
//! old = cell at the address
//! ADDREF new; DELREF old
//! pointer at the address = new
//! ```
//!
//! What is known to be a small integer or a symbol is not counted and needs no look at its type.
//! Where both are not counted, as small integers and symbols, one test says so.
//!
//! What native code puts on the stack is not counted, so there is no barrier for it: the
//! collector marks what it finds there itself. Lisp's instruction for counting, GCREF, is
//! one of the three for its operand.

mod addref;
pub(super) mod counts;
mod delref;
mod stkref;

use cranelift_codegen::ir::types::I32;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value};
use geiko_runtime::layout::records::type_entry;
use geiko_runtime::memory::LispPtr;

use super::{Slot, Translator};
use crate::flow::Step;
use crate::numbers::Kind;

/// Operands of GCREF.
const ADDREF: u32 = 0;
const DELREF: u32 = 1;
const STKREF: u32 = 2;

impl Translator<'_, '_> {
    /// GCREF.
    pub(super) fn gcref(&mut self, step: &Step) {
        let object = self.top(1)[0];
        let object = self.masked(object);
        self.pop();
        let answer = match step.instruction.number(0).map(u32::from) {
            Some(ADDREF) => {
                self.addref(object);
                Slot::Constant(0)
            }
            Some(DELREF) => Slot::Value(self.delref_and_answer(object), Kind::Any),
            Some(STKREF) => {
                self.stkref(object);
                Slot::Constant(0)
            }
            _ => Slot::Constant(0),
        };
        self.push_slot(answer);
    }

    /// Stores the pointer `value`, which is that of `slot`, in the cell at the Lisp
    /// address `address`. The bits above the pointer stay.
    pub(super) fn counted_store(&mut self, address: Value, slot: Slot, value: Value) {
        let host = self.address(address);
        let flags = MemFlagsData::new().with_notrap();
        let old = self.builder.ins().load(I32, flags, host, 0);
        self.count_replacement(old, slot, value);
        let pointer = self.masked(value);
        let bits = i64::from(!self.layout.pointer_mask);
        let bits = self.builder.ins().band_imm_u(old, bits);
        let cell = self.builder.ins().bor(bits, pointer);
        self.builder.ins().store(flags, cell, host, 0);
    }

    /// Counts that `new`, the value of `slot`, takes the place of `old`.
    pub(super) fn count_replacement(&mut self, old: Value, slot: Slot, new: Value) {
        let plain = self.neither_is_counted(old, slot, new);
        let count = self.builder.create_block();
        let done = self.builder.create_block();
        self.builder.ins().brif(plain, done, &[], count, &[]);
        self.builder.switch_to_block(count);
        if self.is_uncounted(slot) {
            self.delref_counted(old);
        } else {
            self.addref(new);
            self.delref(old);
        }
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(done);
    }

    /// True if what `slot` refers to is known not to be counted.
    pub(super) fn is_uncounted(&self, slot: Slot) -> bool {
        let is_uncounted = |cell| self.unit.facts.is_uncounted(cell);
        match slot {
            Slot::Constant(cell) if is_uncounted(LispPtr(cell)) => true,
            Slot::Condition(_) => is_uncounted(LispPtr::NIL) && is_uncounted(LispPtr::T),
            slot => self.kind_of(slot) == Kind::Small,
        }
    }

    /// Not 0 if neither the cell `old` nor `new`, the value of `slot`, refers to
    /// something that is counted.
    pub(super) fn neither_is_counted(&mut self, old: Value, slot: Slot, new: Value) -> Value {
        let mut entry = self.type_entry(old);
        if !self.is_uncounted(slot) {
            let new = self.type_entry(new);
            entry = self.builder.ins().band(entry, new);
        }
        let not_counted = i64::from(type_entry::NO_REF);
        self.builder.ins().band_imm_u(entry, not_counted)
    }
}
