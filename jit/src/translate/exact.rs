//! Instructions counted, for a clock that goes by them.
//!
//! ```text
//! at the beginning of a block:     few instructions left until the tick: leave to the interpreter
//! at its end, and where it leaves: instructions left -= those since the last time
//! at every jump that is taken:     attention wanted: leave at the jump
//! behind a call:                   attention wanted, or few left: go on in the interpreter
//! ```
//!
//! The interpreter polls at the same places and counts what it executes itself. While
//! other code is translated nothing of this is emitted.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I32;
use cranelift_codegen::ir::{Block, InstBuilder, Value};
use geiko_runtime::interp::native::MARGIN;

use super::ends::End;
use super::{END, Translator, trusted};
use crate::unit::Unit;

/// Byte offset from the Lisp memory to the number of instructions left until the tick.
pub(super) const LEFT: i32 = -52;

impl Translator<'_, '_> {
    /// Counts `count` instructions more.
    pub(super) fn count(&mut self, count: i32) {
        if !self.host.is_exact || count == 0 {
            return;
        }
        let left = self.builder.ins().load(I32, trusted(), self.base, LEFT);
        let left = self.builder.ins().iadd_imm_s(left, -i64::from(count));
        self.builder.ins().store(trusted(), left, self.base, LEFT);
    }

    /// The same for a value of 32 bits.
    pub(super) fn count_value(&mut self, count: Value) {
        if self.host.is_exact {
            let left = self.builder.ins().load(I32, trusted(), self.base, LEFT);
            let left = self.builder.ins().isub(left, count);
            self.builder.ins().store(trusted(), left, self.base, LEFT);
        }
    }

    /// Counts the instructions since the last time.
    pub(super) fn count_pending(&mut self) {
        let pending = std::mem::take(&mut self.state.pending);
        self.count(pending);
    }

    /// Leaves at `pc`, where a block begins, if the tick is near.
    pub(super) fn leave_if_tick_is_near(&mut self, pc: u32) {
        if !self.host.is_exact {
            return;
        }
        let near = self.tick_is_near();
        let leave = self.cold_block();
        let next = self.builder.create_block();
        self.builder.ins().brif(near, leave, &[], next, &[]);
        self.builder.switch_to_block(leave);
        let state = self.state.clone();
        let depth = self.state.stack.len();
        self.leave_at(pc, depth);
        self.state = state;
        self.reachable = true;
        self.builder.switch_to_block(next);
    }

    /// Goes to `call` if the interpreter would poll when it calls the code in `leaf`, with
    /// the evaluation stack up to `depth`, or in it.
    pub(super) fn call_if_stack_is_short(&mut self, depth: usize, leaf: &Unit, call: Block) {
        if !self.host.is_exact {
            return;
        }
        let top = self.stack_place(depth);
        let at = self.builder.ins().ireduce(I32, top);
        let short = self.is_stack_short(at, leaf.deepest());
        let enough = self.equals(short, 0);
        self.go_on_if(enough, call);
    }

    fn tick_is_near(&mut self) -> Value {
        let left = self.builder.ins().load(I32, trusted(), self.base, LEFT);
        let margin = i64::from(MARGIN);
        let near = IntCC::UnsignedLessThanOrEqual;
        self.builder.ins().icmp_imm_u(near, left, margin)
    }

    /// Goes on in the interpreter if the instruction behind the call, which returned
    /// `value`, is special.
    pub(super) fn resume_if_special(&mut self, value: Value) {
        if !self.host.is_exact {
            return;
        }
        let end = self.builder.ins().load(I32, trusted(), self.base, END);
        let wanted = self.equals(end, 0);
        let near = self.tick_is_near();
        let special = self.builder.ins().bor(wanted, near);
        let leave = self.cold_block();
        let next = self.builder.create_block();
        self.builder.ins().brif(special, leave, &[], next, &[]);
        self.builder.switch_to_block(leave);
        self.uncount_rest();
        self.jump_to_end(End::Resumed, &[value]);
        self.builder.switch_to_block(next);
    }
}
