//! Entering and leaving the interpreter.

use std::sync::atomic::Ordering::Relaxed;

use super::strays::Executing;
use super::{Exit, Handlers, State, handler};
use crate::fault::Fault;
use crate::isa::Opcode;
use crate::layout::Generation;
use crate::layout::records::{block, interface};
use crate::machine::Machine;
use crate::memory::{AttentionReason, LispPtr, StackOffset};
use crate::stack::Frame;

/// Bits of the interrupt state that are stale in a saved image: console log,
/// network, I/O, interrupt character.
const STALE_INTERRUPTS: u16 = 0xE100;

const EQ: u8 = Opcode::Eq as u8;
const GREATERP: u8 = Opcode::GreaterP as u8;
const IGREATERP: u8 = Opcode::IGreaterP as u8;
const NUM_EQUAL: u8 = Opcode::NumEqual as u8;

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
            self.count_exactly();
        }
        self.resume(frame, LispPtr::NIL)?;
        self.set_stack_limit();
        Ok(())
    }

    /// Counts instructions from now on.
    pub fn count_instructions(&mut self) {
        self.set_handlers(&[counted::<G>; 256]);
        self.count_from(0);
    }

    /// Counts instructions from now on, also those of native code, which then does
    /// everything at the same instruction as the interpreter.
    pub fn count_exactly(&mut self) {
        self.count_instructions();
        self.is_exact = true;
    }

    /// Counts instructions, `count` until now.
    pub(crate) fn count_from(&mut self, count: u64) {
        self.next_tick = count + INSTRUCTIONS_PER_TICK;
        let left = &self.mem.control().left;
        left.store(INSTRUCTIONS_PER_TICK as u32, Relaxed);
    }

    /// Has the clock that counts instructions tick after at most `instructions` more.
    pub fn tick_within(&mut self, instructions: u32) {
        let left = &self.mem.control().left;
        let early = left.load(Relaxed).saturating_sub(instructions);
        self.next_tick -= u64::from(early);
        left.store(left.load(Relaxed) - early, Relaxed);
    }

    /// Instructions executed, if they are counted: those of the interpreter or, if all is
    /// exact, all.
    pub fn instructions(&self) -> u64 {
        self.next_tick - u64::from(self.mem.control().left.load(Relaxed))
    }

    /// True if native code does everything at the same instruction as the interpreter.
    pub fn is_exact(&self) -> bool {
        self.is_exact
    }

    /// Interprets until the host's attention is wanted, Lisp ends the session, or
    /// a fault stops the machine.
    pub fn run(&mut self) -> Exit {
        self.tell_strays(Executing::Nothing);
        if self.interrupts_due() {
            let exit = self.serve_interrupts();
            if exit != Exit::Continue {
                return exit;
            }
        }
        self.renew_shadow();
        let exit = self.interpret();
        self.tell_strays(Executing::until(exit));
        self.observe_stop();
        exit
    }

    /// Interprets until there is a reason to stop.
    pub(super) fn interpret(&mut self) -> Exit {
        loop {
            let s = State::load(self);
            let opcode = s.operand(0);
            let handler = self.mem.handlers()[usize::from(opcode)];
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
    pub(crate) fn execute_one(&mut self) -> Exit {
        let s = State::load(self);
        let handlers = self.handlers;
        let handler = self.executing_handlers()[usize::from(s.operand(0))];
        self.set_handlers(&[stopped::<G>; 256]);
        self.stepping = true;
        let exit = s.go(self, handler);
        self.stepping = false;
        self.tell_strays(Executing::until(exit));
        self.set_handlers(handlers);
        exit
    }

    /// From now on these handle instructions.
    pub(crate) fn set_handlers(&mut self, handlers: &'static Handlers<G>) {
        self.handlers = handlers;
        self.mem.set_handlers(handlers);
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
        let control = s.mem.control();
        let mut left = control.left.load(Relaxed).wrapping_sub(1);
        if left == 0 {
            left = INSTRUCTIONS_PER_TICK as u32;
            m.next_tick += INSTRUCTIONS_PER_TICK;
            if m.is_exact {
                control.raise(AttentionReason::Host);
            }
        }
        control.left.store(left, Relaxed);
        let opcode = s.operand(0);
        if matches!(opcode, EQ | GREATERP | IGREATERP | NUM_EQUAL) {
            return s.go(m, compared::<G>);
        }
        s.go(m, super::handlers::<G>()[usize::from(opcode)])
    }

    /// A comparison that leaves the jump behind it, an instruction too, alone.
    #[inline(never)]
    compared(m, s) {
        let (a, b) = (s.below(1), s.tos);
        let answer = match s.operand(0) {
            EQ => Some(LispPtr::from_bool(a == b)),
            opcode => m.comparison(Opcode::from(opcode), a, b),
        };
        let Some(answer) = answer else {
            return s.ufn(m);
        };
        s.replace(1, answer);
        s.next(m, 1)
    }
}
