//! DELREF: the heap refers to an object once less.
//!
//! ```text
//! type of object is not counted:          done
//! entry = count table at the object
//! the object's, count 3 to largest - 1:   entry -= 1
//! empty, countdown plain:                 entry = the object's, count 0; countdown -= 1
//! the object's, count 2, countdown plain: entry = empty; countdown += 1
//! else:                                   aside (`collisions.rs`)
//! ```

use cranelift_codegen::ir::types::I32;
use cranelift_codegen::ir::{Block, InstBuilder, Value};

use super::super::Translator;

impl Translator<'_, '_> {
    /// Counts that a reference to `object` from the heap is gone.
    pub(in crate::translate) fn delref(&mut self, object: Value) {
        let done = self.builder.create_block();
        self.unless_counted(object, done);
        self.delref_counted(object);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(done);
    }

    /// The same for an object whose type is known to be counted.
    pub(super) fn delref_counted(&mut self, object: Value) {
        let done = self.builder.create_block();
        let slow = self.delref_in_line(object, done, done);
        self.builder.switch_to_block(slow);
        self.count_aside(self.host.delref, object);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(done);
    }

    /// The same; answers the object if the heap refers to it no more, else NIL.
    pub(super) fn delref_and_answer(&mut self, object: Value) -> Value {
        let (meet, result) = self.meeting(I32);
        let [done, noted] = [(); 2].map(|()| self.builder.create_block());
        self.unless_counted(object, done);
        let slow = self.delref_in_line(object, done, noted);
        self.builder.switch_to_block(slow);
        let code = self.constant(super::DELREF);
        let answer = self.operate(self.host.operations.gcref, &[code, object]);
        self.builder.ins().jump(meet, &[answer.into()]);
        self.builder.switch_to_block(noted);
        self.builder.ins().jump(meet, &[object.into()]);
        self.builder.switch_to_block(done);
        let nil = self.constant(0);
        self.builder.ins().jump(meet, &[nil.into()]);
        self.builder.switch_to_block(meet);
        result
    }

    /// What is done in line for a counted type: goes to `noted` if the heap refers to `object` no more, else to
    /// `done`. Answers where it goes if that is left to the machine.
    fn delref_in_line(&mut self, object: Value, done: Block, noted: Block) -> Block {
        let [empty, used, two] = [0; 3].map(|_| self.builder.create_block());
        let slow = self.cold_block();
        let count = self.count_of(object);
        self.take_if_plain(&count, done);
        self.builder.ins().brif(count.entry, used, &[], empty, &[]);
        self.builder.switch_to_block(empty);
        self.count_down(slow);
        self.set_count(&count, count.tag);
        self.builder.ins().jump(noted, &[]);
        self.builder.switch_to_block(used);
        let bits = 2i64 << self.layout.count_shift;
        let expected = self.builder.ins().bor_imm_u(count.tag, bits);
        let other = self.unequal(count.entry, expected);
        self.builder.ins().brif(other, slow, &[], two, &[]);
        self.builder.switch_to_block(two);
        self.count_up(slow);
        self.clear_count(&count);
        self.builder.ins().jump(done, &[]);
        slow
    }
}
