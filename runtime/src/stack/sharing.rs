//! Use counts of frames (`reference/processor.md` section 17).
//!
//! Stack pointers, processes and closures of the interpreter share frames. The
//! stored count is the number of references less one.

use super::Frame;
use crate::fault::Fault;
use crate::layout::Generation;
use crate::layout::records::{block, frame};
use crate::machine::Machine;
use crate::memory::StackOffset;

/// Largest use count; Maiko src/return.c calls more a fault.
const MAX_USE_COUNT: u16 = 200;
/// Longest run of argument cells or chain of frames that is followed.
const MAX_STEPS: u32 = 0x8000;

impl<'m, G: Generation> Machine<'m, G> {
    /// Adds a reference to `shared`. The frame that returns into it becomes slow,
    /// because it may no longer do so in place.
    pub fn increment_use(&mut self, shared: Frame<'m, G>) {
        if shared.fx.0 == 0 {
            return;
        }
        if shared.use_count() >= MAX_USE_COUNT {
            self.raise_fault(Fault::UseCount { frame: shared.fx });
            return;
        }
        shared.set_flags(shared.flags() + 1);
        if let Some(callee) = self.frame_at_or_after(shared.next_block()) {
            callee.make_slow();
        }
    }

    /// The frame extension behind the argument run at `at`, if there is one.
    fn frame_at_or_after(&self, mut at: StackOffset) -> Option<Frame<'m, G>> {
        for _ in 0..MAX_STEPS {
            match self.block_kind(at) {
                block::BASIC_FRAME => {
                    let fx = at.add(2);
                    return (self.block_kind(fx) == block::FRAME).then(|| Frame::at(self.mem, fx));
                }
                kind if kind < block::BASIC_FRAME => at = at.add(2),
                _ => return None,
            }
        }
        None
    }

    /// Drops a reference to the frame at `fx`; frames without references are
    /// freed, and with them their references to others.
    pub fn decrement_use(&mut self, fx: StackOffset) {
        let mut pending = vec![fx];
        for _ in 0..MAX_STEPS {
            let Some(fx) = pending.pop() else { return };
            if fx.0 == 0 {
                continue;
            }
            let dead = Frame::at(self.mem, fx);
            if dead.use_count() != 0 {
                dead.set_flags(dead.flags() - 1);
                continue;
            }
            let (alink, clink) = (dead.alink().fx, dead.clink().fx);
            self.free_frame(dead);
            pending.push(clink);
            if alink != clink {
                pending.push(alink);
            }
        }
    }

    /// Frees the frame extension and its reference to its arguments.
    fn free_frame(&mut self, dead: Frame<'m, G>) {
        let (basic, residual, next) = (dead.basic_frame(), dead.is_residual(), dead.next_block());
        let from = if residual { dead.fx.sub(2) } else { dead.fx };
        self.free_stack(from, next);
        self.release_basic_frame(basic);
    }

    /// Drops a reference to the arguments that end in the basic frame cell at
    /// `basic`.
    pub(super) fn release_basic_frame(&mut self, basic: StackOffset) {
        let flags = self.mem.stack_word(basic);
        if flags & frame::flag::USE_COUNT != 0 {
            self.mem.set_stack_word(basic, flags - 1);
        } else {
            let ivar = StackOffset(self.mem.stack_word(basic.add(1)));
            self.free_stack(ivar, basic.add(2));
        }
    }
}
