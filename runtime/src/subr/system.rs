//! Control of the machine itself: ending the session, pages, collections,
//! interrupts.

use super::{Args, Outcome};
use crate::fault::Fault;
use crate::layout::Generation;
use crate::machine::Machine;
use crate::memory::LispPtr;

impl<G: Generation> Machine<'_, G> {
    /// Ends the session. No argument or one means success; a second argument is
    /// the status (Maiko src/subr.c behaves so).
    pub(super) fn subr_finish(&mut self, args: &Args) -> Outcome {
        let status = match args.count() {
            0 | 1 => 0,
            2 if args.get(1).is_nil() => 0,
            2 => self.integer(args.get(1)).unwrap_or(1),
            _ => 1,
        };
        Outcome::Finish(status)
    }

    /// Lisp asks for the emulator's debugger, which this machine does not have.
    pub(super) fn subr_raid(&mut self, args: &Args) -> Outcome {
        let message = self
            .string_bytes(args.get(0))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_else(|| args.get(0).to_string());
        self.raise_fault(Fault::Raid { message });
        Outcome::Value(LispPtr::NIL)
    }

    /// Ones-complement sum with rotation over a run of words.
    pub(super) fn subr_check_sum(&mut self, args: &Args) -> Outcome {
        let base = args.get(0).masked::<G>();
        let words = self.integer(args.get(1)).unwrap_or(0).clamp(0, 0x1_0000) as u32;
        let mut sum = self.integer(args.get(2)).unwrap_or(0) as u32 & 0xFFFF;
        for word in 0..words {
            sum += u32::from(self.mem.word(base.add(word)));
            sum = (sum & 0xFFFF) + (sum >> 16);
            sum = (sum << 1 | sum >> 15) & 0xFFFF;
        }
        let sum = if sum == 0xFFFF { 0 } else { sum as u16 };
        Outcome::Value(LispPtr::smallpos(sum))
    }

    pub(super) fn subr_new_page(&mut self, args: &Args) -> Outcome {
        self.new_page(args.get(0).masked::<G>());
        Outcome::Value(args.get(0))
    }

    pub(super) fn subr_do_reclaim(&mut self) -> Outcome {
        self.collect_in_running_frame();
        Outcome::Value(LispPtr::NIL)
    }

    /// Collects garbage. The running frame is closed first, so that the stack
    /// scan sees all of it; the arguments are dropped by then.
    pub(crate) fn collect_in_running_frame(&mut self) {
        // Lisp reclaims while it waits until it sees the seconds clock go on.
        self.update_seconds_clock();
        self.update_cpu_times();
        self.close_running_frame();
        self.quietly(Self::collect);
    }

    pub(super) fn subr_disable_gc(&mut self) -> Outcome {
        self.disable_gc();
        Outcome::Value(LispPtr::NIL)
    }

    pub(super) fn subr_cause_interrupt(&mut self) -> Outcome {
        self.set_value(self.symbols.pending_interrupt, LispPtr::T);
        self.request_interrupt();
        Outcome::Value(LispPtr::T)
    }
}
