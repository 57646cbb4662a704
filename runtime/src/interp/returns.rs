//! Returns and context switches (`reference/processor.md` sections 9 and 18).

use std::sync::atomic::Ordering::Relaxed;

use super::{Exit, State, handler};
use crate::fault::Fault;
use crate::layout::Generation;
use crate::layout::records::{block, frame};
use crate::machine::Machine;
use crate::memory::{CodePc, LispPtr, StackOffset};
use crate::stack::Frame;

impl<G: Generation> Machine<'_, G> {
    /// Exchanges the running frame with the one named by word `context` of the
    /// interface page.
    #[inline(never)]
    pub(crate) fn switch_context(&mut self, context: u16) -> Exit {
        self.suspend_running_frame();
        let suspended = self.running_frame().fx;
        let to = StackOffset(self.interface_word(u32::from(context)));
        self.set_interface_word(u32::from(context), suspended.0);
        let frame = Frame::at(self.mem, to);
        let next = frame.next_block();
        if self.block_kind(next) != block::FREE {
            return self.stop(Fault::NextBlockNotFree { frame: to, next });
        }
        if let Err(fault) = self.resume(frame, LispPtr::NIL) {
            return self.stop(fault);
        }
        self.set_stack_limit();
        self.land(None)
    }

    /// Returns from a slow frame.
    #[inline(never)]
    fn return_slowly(&mut self) -> Exit {
        match self.slow_return() {
            Ok(has_value) => {
                self.set_stack_limit();
                self.land(has_value.then_some(self.regs.tos))
            }
            Err(fault) => self.stop(fault),
        }
    }
}

handler! {
    /// Return the top of stack to the caller.
    return_(m, s) {
        let mem = s.mem;
        let fx = s.pvar.sub(frame::WORDS);
        let alink = mem.stack(fx).lo();
        if alink & 1 != 0 {
            return s.go(m, slow_return::<G>);
        }
        if alink == m.waiting.0 {
            return s.go(m, super::native::landed::<G>);
        }
        // The word in memory, not `m.ivar`: \MISCN.UFN moves it to drop operands.
        s.sp = StackOffset(mem.stack(fx.sub(2)).lo());
        s.pvar = StackOffset(alink);
        let caller = s.pvar.sub(frame::WORDS);
        let func = G::frame_pointer(mem.stack(caller.add(frame::FUNCTION))).masked::<G>();
        let pc = mem.stack(caller.add(frame::NEXT_BLOCK)).lo();
        m.ivar = StackOffset(mem.stack(caller.sub(2)).lo());
        m.func = func;
        s.pc = CodePc::new(func, pc);
        s.go(m, returned::<G>)
    }

    /// Continue at the pc, to which a value was returned.
    #[inline(always)]
    returned(m, s) {
        let control = s.mem.control();
        let limit = control.end.load(Relaxed).saturating_sub(u32::from(s.mem.word(m.func)));
        control.limit.store(limit, Relaxed);
        if u32::from(s.sp.0) >= limit {
            return s.go(m, super::interrupts::poll::<G>);
        }
        s.dispatch(m)
    }

    /// Continue at the pc without a poll.
    #[inline(never)]
    unpolled(m, s) {
        s.dispatch(m)
    }

    /// Return from a frame with explicit links.
    #[inline(never)]
    slow_return(m, s) {
        s.save(m);
        match m.return_slowly() {
            Exit::Continue => State::load(m).go(m, resumed::<G>),
            exit => exit,
        }
    }

    /// Continue at the pc unless a poll must be served first.
    #[inline(never)]
    resumed(m, s) {
        if u32::from(s.sp.0) > s.mem.control().limit.load(Relaxed) {
            return s.go(m, super::interrupts::poll::<G>);
        }
        s.dispatch(m)
    }

    /// Exchange the running frame with a context of the interface page.
    contextswitch(m, s) {
        let context = s.tos.lo();
        s.pc = CodePc(s.pc.0.wrapping_add(1));
        // The bare number is what the image expects as the saved top of stack.
        s.tos = LispPtr(u32::from(context));
        s.save(m);
        match m.switch_context(context) {
            Exit::Continue => State::load(m).go(m, resumed::<G>),
            exit => exit,
        }
    }
}
