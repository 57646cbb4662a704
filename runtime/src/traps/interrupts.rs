//! The check routine behind every poll (`reference/processor.md` section 14).
//!
//! A poll succeeds for one of two reasons. Either the stack limit is really
//! reached: the frame gets more room. Or somebody raised attention, which zeroes
//! the limit: the host (then the interpreter is left, and interrupts are served
//! when it is entered again) or the machine itself (served at once). Serving
//! pushes the frame of a Lisp function on top of the running one; whatever is
//! not served stays pending in its variable. In every case the instruction at
//! the pc is executed (again) afterwards.

use std::sync::atomic::Ordering::Relaxed;

use crate::fault::Fault;
use crate::interp::Exit;
use crate::layout::Generation;
use crate::layout::records::{interface, interrupt, misc_stats};
use crate::machine::Machine;
use crate::memory::{AttentionReason, LispPtr};

/// Seconds from 1901 to 1970: Lisp's unsigned clock starts earlier than Unix's.
pub(crate) const ALTO_EPOCH: u64 = 2_177_452_800;
/// Services between two calls of the periodic interrupt function at the start.
const INITIAL_PERIOD: u32 = 60;
/// Microseconds of a sixtieth of a second, the unit of the periodic interrupt's
/// frequency.
const TICKS_MICROS: u32 = 16_666;
/// Microseconds between host ticks.
pub const HOST_TICK_MICROS: u32 = 10_000;

/// Host-side state of interrupts.
#[derive(Clone, Copy, Debug)]
pub struct InterruptState {
    /// Interrupts must be served before the next instruction.
    due: bool,
    /// Services left until the periodic interrupt function is called.
    period: u32,
}

impl Default for InterruptState {
    fn default() -> Self {
        Self {
            due: false,
            period: INITIAL_PERIOD,
        }
    }
}

impl<G: Generation> Machine<'_, G> {
    /// Serves whatever made a poll succeed. `Exit::Continue` means: go on at the
    /// pc.
    #[cold]
    #[inline(never)]
    pub(crate) fn service_poll(&mut self) -> Exit {
        let control = self.mem.control();
        if !control.is_raised() {
            let limit = control.limit.load(Relaxed);
            if control.end.load(Relaxed) != 0 && u32::from(self.regs.sp.0) + 2 > limit {
                match self.make_stack_room() {
                    Ok(()) => {}
                    Err(Fault::StackFull) if self.regs.sp > self.stack_base() => {
                        return self.hard_reset();
                    }
                    Err(fault) => return self.stop(fault),
                }
                // Growing into the guard zone asks for an interrupt, which must not
                // wait: the program would run through the zone meanwhile.
                if !control.is_raised() {
                    return Exit::Continue;
                }
            }
        }
        let reasons = control.take();
        self.quietly(Self::serve_backup);
        self.set_stack_limit();
        self.interrupts.due = true;
        if reasons & AttentionReason::Host as u32 != 0 {
            return Exit::Attention;
        }
        self.serve_interrupts()
    }

    /// Gives up what runs on the user stack: Lisp cleans up, makes a fresh stack
    /// and starts its processes again. Everything else stays. The image has no
    /// other way on when its stack is full (`reference/boot-and-traps.md`
    /// section 10).
    #[cold]
    fn hard_reset(&mut self) -> Exit {
        self.statistics.hard_resets += 1;
        self.switch_context(interface::RESET_FRAME as u16)
    }

    fn make_stack_room(&mut self) -> Result<(), Fault> {
        if self.regs.sp > self.end {
            let (sp, end) = (self.regs.sp, self.end);
            return Err(Fault::StackEnd { sp, end });
        }
        let room = |m: &Self| m.end.0.wrapping_sub(m.regs.sp.0);
        let before = room(self);
        self.handle_stack_overflow()?;
        // The instruction is done again: without more room, for ever.
        if room(self) <= before {
            let at = self.end;
            let word = self.mem.stack_word(at);
            return Err(Fault::BadStackBlock { at, word });
        }
        self.set_stack_limit();
        Ok(())
    }

    /// Stops the machine with a fault.
    #[cold]
    pub(crate) fn stop(&mut self, fault: Fault) -> Exit {
        self.fault.get_or_insert(fault);
        Exit::Fault
    }

    /// Serves at most one pending request for a call into Lisp, and the periodic
    /// one.
    pub(crate) fn serve_interrupts(&mut self) -> Exit {
        self.interrupts.due = false;
        if self.fault.is_some() {
            return Exit::Fault;
        }
        if self.regs.sp <= self.stack_base() {
            // A system context is running: it must not be interrupted. The
            // request stays in its variable until the next tick.
            return Exit::Continue;
        }
        self.update_seconds_clock();
        match self.call_pending() {
            Ok(()) => {
                self.set_stack_limit();
                Exit::Continue
            }
            Err(fault) => self.stop(fault),
        }
    }

    /// True when interrupts must be served before the next instruction.
    pub(crate) fn interrupts_due(&self) -> bool {
        self.interrupts.due
    }

    /// True if Lisp is to be interrupted and was not yet: also if it was asked to be where it cannot
    /// be (`\INTERRUPTED` of Medley then waits for the next tick).
    pub fn interrupt_waits(&self) -> bool {
        !self.value(self.symbols.pending_interrupt).is_nil()
    }

    fn call_pending(&mut self) -> Result<(), Fault> {
        if self.period_elapsed() {
            self.interrupt_call(
                self.symbols.periodic_interrupt_frame,
                "\\PERIODIC.INTERRUPTFRAME",
                LispPtr::NIL,
            )?;
        } else if self.transitions_wait() {
            self.keyboard.pending = self.keyboard.pending.saturating_sub(1);
            self.set_value(self.symbols.key_buffering, self.symbols.started);
            self.interrupt_call(
                self.symbols.do_buffered_transitions,
                "\\DOBUFFEREDTRANSITIONS",
                LispPtr::NIL,
            )?;
        } else if self.value(self.symbols.reclaim_countdown) == LispPtr::smallpos(0) {
            self.set_value(self.symbols.reclaim_countdown, LispPtr::NIL);
            self.interrupt_call(self.symbols.do_reclaim, "\\DORECLAIM", LispPtr::NIL)?;
        } else if self.interrupt_waits() {
            let state = self.value(self.symbols.interrupt_state).masked::<G>();
            let bits = self.mem.word(state);
            self.mem.set_word(state, bits | (bits & 0xFF00) >> 8);
            self.set_value(self.symbols.pending_interrupt, LispPtr::NIL);
            self.interrupt_call(
                self.symbols.interrupt_frame,
                "\\INTERRUPTFRAME",
                LispPtr::NIL,
            )?;
        }
        Ok(())
    }

    /// True if Lisp is to be called for the keyboard. A transition that comes between
    /// its last look at the ring and its note that it is done finds nobody; then the
    /// ring tells.
    pub(super) fn transitions_wait(&self) -> bool {
        match self.value(self.symbols.key_buffering) {
            LispPtr::T => self.keyboard.pending > 0,
            LispPtr::NIL => self.input_waiting(),
            _ => false,
        }
    }

    fn period_elapsed(&mut self) -> bool {
        if self.value(self.symbols.periodic_interrupt).is_nil() {
            return false;
        }
        if self.interrupts.period > 0 {
            self.interrupts.period -= 1;
            return false;
        }
        let frequency = self.value(self.symbols.periodic_interrupt_frequency);
        self.interrupts.period = if frequency.is_nil() {
            0
        } else {
            u32::from(frequency.lo()) * TICKS_MICROS / HOST_TICK_MICROS
        };
        true
    }

    /// Has Lisp call the function of an interrupt character, such as control-C.
    pub fn interrupt_character(&mut self, code: u16) {
        let state = self.value(self.symbols.interrupt_state).masked::<G>();
        if !state.is_nil() {
            self.mem.set_word(state.add(1), code);
        }
        self.set_interrupt_bit(interrupt::WAITING);
    }

    /// Content of the value cell at `cell`.
    #[inline(always)]
    pub(crate) fn value(&self, cell: LispPtr) -> LispPtr {
        self.mem.cell(cell)
    }

    /// Stores an uncounted object (symbol, small integer) in the value cell at
    /// `cell`.
    #[inline(always)]
    pub(crate) fn set_value(&self, cell: LispPtr, value: LispPtr) {
        self.mem.set_cell(cell, value);
    }

    /// Copies the wall clock to the seconds clock that Lisp reads.
    pub(crate) fn update_seconds_clock(&mut self) {
        let micros = self.devices.clock.unix_micros(self.instructions());
        let seconds = LispPtr((micros / 1_000_000 + ALTO_EPOCH) as u32);
        for cell in [misc_stats::SECONDS_CLOCK, misc_stats::SECONDS_TMP] {
            self.mem.set_cell(G::MISC_STATS.add(cell), seconds);
        }
    }
}
