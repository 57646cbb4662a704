//! SUBRCALL: services of the machine.

use super::{Exit, State, handler};
use crate::layout::Generation;
use crate::machine::Machine;
use crate::memory::LispPtr;
use crate::subr::{Args, Outcome};

/// Bytes of a SUBRCALL instruction.
const LENGTH: u16 = 3;

impl<G: Generation> Machine<'_, G> {
    /// Runs service `number` with the `count` topmost elements as arguments.
    #[inline(never)]
    fn subrcall(&mut self, number: u8, count: u16) -> Exit {
        self.mem.set_stack(self.regs.sp, self.regs.tos);
        let first = self.regs.sp.sub(2 * count).add(2);
        let args = Args::new((0..count).map(|n| self.mem.stack(first.add(2 * n))));
        let outcome = self.call_subr(number, &args);
        if self.fault.is_some() {
            return Exit::Fault;
        }
        match outcome {
            Outcome::Value(value) => {
                self.finish_subrcall(count, value);
                Exit::Continue
            }
            Outcome::Punt(function) => {
                self.call_instead(function, count, LENGTH);
                Exit::Continue
            }
            Outcome::Finish(status) => {
                self.exit_status = status;
                self.finish_subrcall(count, LispPtr::NIL);
                Exit::Finished
            }
        }
    }

    fn finish_subrcall(&mut self, count: u16, value: LispPtr) {
        self.regs.sp = self.regs.sp.sub(2 * count).add(2);
        self.regs.tos = value;
        self.regs.pc = self.regs.pc.jump(i32::from(LENGTH));
    }
}

handler! {
    /// Call a service.
    subrcall(m, s) {
        s.save(m);
        match m.subrcall(s.operand(1), u16::from(s.operand(2))) {
            Exit::Continue => State::load(m).go(m, super::returns::resumed::<G>),
            exit => exit,
        }
    }
}
