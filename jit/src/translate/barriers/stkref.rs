//! STKREF: in a collection that Lisp does itself, the stack refers to an object.
//!
//! ```text
//! type of object is not counted:  done
//! entry = count table at the object
//! the object's:                   entry |= on the stack
//! empty, countdown is NIL:        entry = the object's, count 1, on the stack
//! else:                           operation gcref
//! ```
//!
//! The machine's own collector does the same for what it finds on the stack
//! (`runtime/src/gc/scan.rs`). While anybody collects the countdown is NIL.

use cranelift_codegen::ir::{InstBuilder, Value};

use super::super::Translator;

impl Translator<'_, '_> {
    /// Notes that the stack refers to `object`.
    pub(super) fn stkref(&mut self, object: Value) {
        let done = self.builder.create_block();
        let [empty, used, own, new] = [0; 4].map(|_| self.builder.create_block());
        let slow = self.cold_block();
        self.unless_counted(object, done);
        let count = self.count_of(object);
        self.builder.ins().brif(count.entry, used, &[], empty, &[]);
        self.builder.switch_to_block(empty);
        let countdown = self.load_fixed(self.host.countdown);
        self.builder.ins().brif(countdown, slow, &[], new, &[]);
        self.builder.switch_to_block(new);
        let [on_stack, one] = [self.layout.count_on_stack, 1 << self.layout.count_shift];
        let entry = (self.builder.ins()).bor_imm_u(count.tag, i64::from(on_stack | one));
        self.set_count(&count, entry);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(used);
        let segment = i64::from(self.layout.count_segment | 1);
        let whose = self.builder.ins().band_imm_u(count.entry, segment);
        let other = self.unequal(whose, count.tag);
        self.builder.ins().brif(other, slow, &[], own, &[]);
        self.builder.switch_to_block(own);
        let entry = self
            .builder
            .ins()
            .bor_imm_u(count.entry, i64::from(on_stack));
        self.set_count(&count, entry);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(slow);
        let code = self.constant(super::STKREF);
        self.operate(self.host.operations.gcref, &[code, object]);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(done);
    }
}
