//! Calls of Lisp functions on top of a running frame, between two instructions
//! (`reference/processor.md` section 15).

use crate::fault::Fault;
use crate::layout::Generation;
use crate::layout::records::{block, frame, function};
use crate::machine::Machine;
use crate::memory::{CodePc, LispPtr};
use crate::stack::Frame;

/// Free words wanted beyond the function's own need.
const MARGIN: u32 = 32;

impl<G: Generation> Machine<'_, G> {
    /// Calls the compiled function of `symbol` with `argument`, if it has any. The running
    /// frame is suspended: its top of stack goes to memory, and the value that
    /// is returned into it will be dropped.
    pub(crate) fn interrupt_call(
        &mut self,
        symbol: LispPtr,
        name: &'static str,
        argument: LispPtr,
    ) -> Result<(), Fault> {
        let definition = self.definition(symbol);
        if symbol.is_nil() || !definition.has_sign() {
            return Err(Fault::NotCompiled { name });
        }
        let code = definition.masked::<G>();
        let need = u32::from(self.stack_min(code)) + MARGIN;
        if u32::from(self.regs.sp.0) + need > u32::from(self.end.0) {
            self.handle_stack_overflow()?;
        }
        self.suspend_running_frame();
        let caller = self.running_frame();
        let arguments = self.regs.sp.add(2);
        let count = self.mem.word(code.add(function::ARG_COUNT)) as i16;
        let mut top = arguments;
        for n in 0..count {
            let given = if n == 0 { argument } else { LispPtr::NIL };
            self.mem.set_stack(top, given);
            top = top.add(2);
        }
        let basic = u32::from(block::BASIC_FRAME) << 16 | u32::from(arguments.0);
        self.mem.set_stack(top, LispPtr(basic));
        let callee = Frame::at(self.mem, top.add(2));
        callee.set_flags(frame::flag::KIND);
        callee.set_alink_word(caller.pvar().0 | 1);
        callee.set_blink(top);
        callee.set_clink(caller);
        self.mem
            .set_stack(callee.fx.add(frame::FUNCTION), G::to_frame_pointer(code));
        let slots = self.pvar_cells(code);
        for slot in 0..slots {
            self.mem
                .set_stack(callee.pvar().add(2 * slot), LispPtr::UNBOUND);
        }
        let next = callee.pvar().add(2 * slots);
        callee.set_next_block(next);
        self.free_stack(next, self.end);
        self.regs.pvar = callee.pvar();
        self.regs.sp = next.add(2);
        self.regs.pc = CodePc::new(code, self.mem.word(code.add(function::START_PC)));
        self.ivar = arguments;
        self.func = code;
        Ok(())
    }

    /// Leaves the running frame as a suspended frame: resumable at the pc with
    /// its top of stack from memory.
    pub(crate) fn suspend_running_frame(&mut self) {
        let running = self.running_frame();
        running.set_flags(running.flags() | frame::flag::NO_PUSH);
        running.set_pc_offset(self.regs.pc.offset_in(self.func));
        self.close_running_frame();
    }

    /// PVAR cells of a frame of the function at `header`.
    pub(crate) fn pvar_cells(&self, header: LispPtr) -> u16 {
        let quads = self.mem.word(header.add(function::PVAR_QUADS)) as i16;
        2 * quads.wrapping_add(1).max(0) as u16
    }
}
