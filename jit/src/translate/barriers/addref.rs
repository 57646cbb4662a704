//! ADDREF: the heap refers to an object once more.
//!
//! ```text
//! type of object is not counted:          done
//! entry = count table at the object
//! the object's, count 2 to largest - 2:   entry += 1
//! empty, countdown plain:                 entry = the object's, count 2; countdown -= 1
//! the object's, count 0, countdown plain: entry = empty; countdown += 1
//! else:                                   aside (`collisions.rs`)
//! ```
//!
//! "Plain" and "largest" are compared with numbers in front of the Lisp memory: the backup
//! collector makes them such that every object referred to comes to the operation.

use cranelift_codegen::ir::{InstBuilder, Value};

use super::super::Translator;

impl Translator<'_, '_> {
    /// Counts a new reference to `object` from the heap.
    pub(in crate::translate) fn addref(&mut self, object: Value) {
        let done = self.builder.create_block();
        self.unless_counted(object, done);
        self.addref_counted(object);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(done);
    }

    /// The same for an object whose type is known to be counted.
    pub(in crate::translate) fn addref_counted(&mut self, object: Value) {
        let done = self.builder.create_block();
        let [empty, used, zero] = [0; 3].map(|_| self.builder.create_block());
        let slow = self.cold_block();
        let count = self.count_of(object);
        self.add_if_plain(&count, done);
        self.builder.ins().brif(count.entry, used, &[], empty, &[]);
        self.builder.switch_to_block(empty);
        self.count_down(slow);
        let two = 2i64 << self.layout.count_shift;
        let entry = self.builder.ins().bor_imm_u(count.tag, two);
        self.set_count(&count, entry);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(used);
        let other = self.unequal(count.entry, count.tag);
        self.builder.ins().brif(other, slow, &[], zero, &[]);
        self.builder.switch_to_block(zero);
        self.count_up(slow);
        self.clear_count(&count);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(slow);
        self.count_aside(self.host.addref, object);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(done);
    }
}
