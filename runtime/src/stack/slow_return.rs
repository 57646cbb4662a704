//! Returns that cannot simply drop the running frame
//! (`reference/processor.md` section 9).
//!
//! A slow frame has explicit links: its caller may be elsewhere, shared, or
//! suspended by an interrupt. A shared caller is copied before it is resumed, so
//! that the other holders keep the original.

use super::Frame;
use crate::fault::Fault;
use crate::layout::Generation;
use crate::layout::records::{block, frame};
use crate::machine::Machine;
use crate::memory::{LispPtr, StackOffset};

impl<'m, G: Generation> Machine<'m, G> {
    /// Returns the top of stack from a slow running frame. True if the frame that runs
    /// now got the value.
    pub(crate) fn slow_return(&mut self) -> Result<bool, Fault> {
        let returning = self.running_frame();
        let mut to = returning.alink();
        let control = returning.clink();
        if to.fx != control.fx {
            returning.set_alink_word(control.pvar().0 | 1);
            self.decrement_use(to.fx);
            to = control;
        }
        let ivar = returning.ivar();
        if to.use_count() != 0 {
            to = self.copy_frame(to)?;
        }
        let mut next = to.next_block();
        if self.block_kind(next) != block::FREE {
            let arguments_shared =
                self.mem.stack_word(returning.basic_frame()) & frame::flag::USE_COUNT != 0;
            if next != self.arguments_of(returning) || arguments_shared {
                to = self.copy_frame(to)?;
                next = to.next_block();
            }
        }
        self.free_returning_frame(returning, ivar);
        if self.block_kind(next) != block::FREE {
            return Err(Fault::NextBlockNotFree { frame: to.fx, next });
        }
        self.resume(to, self.regs.tos)
    }

    /// Where the arguments of `frame` start. Lisp's `\MISCN.UFN` has its value take the place of
    /// operands of its caller: it writes where they start in the caller's frame and in the cell in front of its
    /// own. In front of a frame that was moved is a copy of that cell only.
    fn arguments_of(&self, frame: Frame<'m, G>) -> StackOffset {
        if frame.is_residual() {
            StackOffset(self.mem.stack_word(frame.basic_frame().add(1)))
        } else {
            frame.ivar()
        }
    }

    /// Frees the frame, and its arguments unless another copy of it has them too.
    fn free_returning_frame(&mut self, returning: Frame<'m, G>, ivar: StackOffset) {
        let basic = returning.basic_frame();
        let shared = self.mem.stack_word(basic) & frame::flag::USE_COUNT != 0;
        let residual = returning.is_residual();
        if residual || shared {
            self.release_basic_frame(basic);
        }
        let from = match (residual, shared) {
            (true, _) => returning.fx.sub(2),
            (false, true) => returning.fx,
            (false, false) => ivar,
        };
        self.free_stack(from, self.end);
    }

    /// Makes `to` the running frame with `value` as the top of its stack, unless
    /// the frame was suspended with its own top of stack in memory. True if it got
    /// the value.
    pub(crate) fn resume(&mut self, to: Frame<'m, G>, value: LispPtr) -> Result<bool, Fault> {
        let next = to.next_block();
        self.regs.pvar = to.pvar();
        self.end = self.end_of_free_run(next);
        let flags = to.flags();
        if flags & frame::flag::IN_CALL != 0 {
            return Err(Fault::FrameInCall { frame: to.fx });
        }
        let suspended = flags & frame::flag::NO_PUSH != 0;
        if suspended {
            to.set_flags(flags & !frame::flag::NO_PUSH);
            self.regs.sp = next.sub(2);
            self.regs.tos = self.mem.stack(self.regs.sp);
        } else {
            self.regs.sp = next;
            self.regs.tos = value;
        }
        self.ivar = to.ivar();
        self.func = to.function();
        self.regs.pc = to.pc();
        Ok(!suspended)
    }

    /// Copies `original` to a free place and gives the running frame the copy as
    /// its caller.
    fn copy_frame(&mut self, original: Frame<'m, G>) -> Result<Frame<'m, G>, Fault> {
        let running = self.running_frame();
        self.close_running_frame();
        let first = original.fx.sub(2);
        let size = original.next_block().0.wrapping_sub(first.0);
        let alignment = self.frame_alignment(original);
        let place = self
            .find_stack_space(size, running.fx, alignment)
            .ok_or(Fault::StackFull)?;
        self.copy_stack(first, place, size);
        let copy = Frame::at(self.mem, place.add(2));
        let front = copy.front_flags();
        self.mem.set_stack_word(place, front | block::RESIDUAL);
        self.shift_name_table(copy, original.fx);
        copy.set_flags(copy.flags() & !frame::flag::USE_COUNT);
        copy.set_next_block(place.add(size));
        let basic = original.basic_frame();
        copy.make_slow();
        copy.set_blink(basic);
        let basic_flags = self.mem.stack_word(basic);
        self.mem.set_stack_word(basic, basic_flags.wrapping_add(1));
        original.make_slow();
        let (alink, clink) = (original.alink(), original.clink());
        self.increment_use(clink);
        if alink.fx != clink.fx {
            self.increment_use(alink);
        }
        self.decrement_use(original.fx);
        running.make_slow();
        running.set_alink_word(copy.pvar().0 | 1);
        running.set_clink(copy);
        self.end = self.end_of_free_run(running.next_block());
        Ok(copy)
    }
}
