//! Counted stores.
//!
//! ```text
//! old = cell at the address
//! ADDREF new; DELREF old
//! pointer at the address = new
//! ```
//!
//! What is known to be a small integer is not counted and needs no look at its type.
//! Where both are not counted, as small integers and symbols, one test says so.
//!
//! There is no barrier for the stack: what native code puts on the stack is not counted,
//! and the collector marks what it finds there (STKREF) itself. Lisp's instruction for
//! that, GCREF 2, is the interpreter's.

mod addref;
pub(super) mod counts;
mod delref;

use cranelift_codegen::ir::types::I32;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value};
use geiko_runtime::layout::records::type_entry;

use super::{Slot, Translator};
use crate::numbers::Kind;

impl Translator<'_, '_> {
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
        if self.kind_of(slot) != Kind::Small {
            self.addref(new);
        }
        self.delref(old);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(done);
    }

    /// Not 0 if neither the cell `old` nor `new`, the value of `slot`, refers to
    /// something that is counted.
    pub(super) fn neither_is_counted(&mut self, old: Value, slot: Slot, new: Value) -> Value {
        let mut entry = self.type_entry(old);
        if self.kind_of(slot) != Kind::Small {
            let new = self.type_entry(new);
            entry = self.builder.ins().band(entry, new);
        }
        let not_counted = i64::from(type_entry::NO_REF);
        self.builder.ins().band_imm_u(entry, not_counted)
    }
}
