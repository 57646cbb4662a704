//! Entering and leaving the interpreter.

use super::{Exit, Handler, State, handler};
use crate::fault::Fault;
use crate::layout::Generation;
use crate::layout::records::{block, interface};
use crate::machine::Machine;
use crate::memory::{LispPtr, StackOffset};
use crate::stack::Frame;

/// Bits of the interrupt state that are stale in a saved image: console log,
/// network, I/O, interrupt character.
const STALE_INTERRUPTS: u16 = 0xE100;

/// Instructions that make up one tick of a clock that counts instructions.
pub const INSTRUCTIONS_PER_TICK: u64 = 1_000_000;

impl<G: Generation> Machine<'_, G> {
    /// Sets the registers to the frame that a loaded image wants resumed
    /// (`reference/boot-and-traps.md` section 8).
    pub fn start(&mut self) -> Result<(), Fault> {
        let state = self.value(self.symbols.interrupt_state).masked::<G>();
        self.mem
            .set_word(state, self.mem.word(state) & !STALE_INTERRUPTS);
        self.mem.set_word(state.add(1), 0);
        let fx = StackOffset(self.interface_word(interface::CURRENT_FRAME));
        let frame = Frame::at(self.mem, fx);
        let next = frame.next_block();
        if self.block_kind(next) != block::FREE {
            return Err(Fault::NextBlockNotFree { frame: fx, next });
        }
        if self.devices.clock.counts_instructions() {
            self.count_instructions();
            self.next_tick = INSTRUCTIONS_PER_TICK;
        }
        self.resume(frame, LispPtr::NIL)?;
        self.set_stack_limit();
        Ok(())
    }

    /// Has the interpreter count what it executes; a comparison and the jump behind it
    /// are one instruction.
    pub fn count_instructions(&mut self) {
        self.handlers = &[counted::<G>; 256];
    }

    /// Interprets until the host's attention is wanted, Lisp ends the session, or
    /// a fault stops the machine.
    pub fn run(&mut self) -> Exit {
        if self.interrupts_due() {
            let exit = self.serve_interrupts();
            if exit != Exit::Continue {
                return exit;
            }
        }
        self.interpret()
    }

    /// Interprets until there is a reason to stop.
    pub(super) fn interpret(&mut self) -> Exit {
        loop {
            let s = State::load(self);
            let handler = self.handlers[usize::from(s.operand(0))];
            match s.go(self, handler) {
                Exit::Continue => {}
                exit => return exit,
            }
        }
    }

    /// Executes the instruction at the pc and stops before the next one; serves
    /// interrupts that are due first. `Exit::Continue` means: all is well.
    pub fn step(&mut self) -> Exit {
        if self.interrupts_due() {
            let exit = self.serve_interrupts();
            if exit != Exit::Continue {
                return exit;
            }
        }
        self.execute_one()
    }

    /// Executes the instruction at the pc.
    pub(super) fn execute_one(&mut self) -> Exit {
        let s = State::load(self);
        let handler = self.handlers[usize::from(s.operand(0))];
        let handlers = std::mem::replace(&mut self.handlers, &[stopped::<G>; 256]);
        self.stepping = true;
        let exit = s.go(self, handler);
        self.stepping = false;
        self.handlers = handlers;
        exit
    }
}

handler! {
    /// Stops before the instruction at the pc.
    stopped(m, s) {
        s.save(m);
        Exit::Continue
    }

    /// Counts the instruction at the pc, then executes it.
    counted(m, s) {
        m.statistics.instructions += 1;
        if m.statistics.instructions == m.next_tick {
            m.next_tick += INSTRUCTIONS_PER_TICK;
            s.mem.control().raise(crate::memory::AttentionReason::Host);
        }
        let handler: Handler<G> = super::handlers::<G>()[usize::from(s.operand(0))];
        s.go(m, handler)
    }
}
