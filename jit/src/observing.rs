//! What functions meet before they are compiled.
//!
//! A function that is hot is interpreted a little longer, and each of its operations on numbers
//! and arrays is seen before it is executed: first a hundred of them, and more after each time
//! that its native code was made for something else. So one version learns what is the
//! case everywhere, not only where the one before was wrong.

use geiko_runtime::interp::native::Point;
use geiko_runtime::isa::{Kind, Opcode};
use geiko_runtime::layout::Generation;
use geiko_runtime::machine::Machine;

use crate::feedback::{self, Met, Seen, seen};
use crate::records::{Record, Stage};
use crate::shims::Context;

/// Instructions that are seen for each operation that is to be observed. Others of them
/// belong to functions that are called.
const SEEN: u32 = 16;

impl<G: Generation> Context<G> {
    /// True if the function of `record`, which is in `stage`, is still to be observed in the
    /// interpreter before it is compiled.
    pub fn observes(
        &self,
        machine: &mut Machine<'_, G>,
        record: &Record,
        stage: &mut Stage,
    ) -> bool {
        match *stage {
            Stage::Interpreted => {
                let Some(operations) = record.feedback.borrow_mut().begin_to_observe() else {
                    return false;
                };
                *stage = Stage::Observed(operations);
                self.unseen.set(self.unseen.get().max(SEEN * operations));
                machine.show_instructions();
                true
            }
            Stage::Observed(left) => left > 0 && self.unseen.get() > 0,
            _ => false,
        }
    }

    /// Sees the instruction at `point` before it is interpreted. False if that was enough.
    pub fn see(&self, machine: &Machine<'_, G>, point: Point) -> bool {
        let (code, number) = machine.instruction_at(point);
        let opcode = Opcode::from(number);
        if feedback::is_observed(opcode) {
            self.records.with_known(code, |record| {
                record.observe(point.pc.into(), || met(machine, point, opcode));
            });
        }
        let unseen = self.unseen.get().saturating_sub(1);
        self.unseen.set(unseen);
        unseen > 0
    }
}

/// What the instruction at `at` has met.
pub fn met<G: Generation>(machine: &Machine<'_, G>, at: Point, opcode: Opcode) -> Met {
    match opcode {
        Opcode::Aref1 | Opcode::Aset1 => Met::Array(machine.array_at(at, 1)),
        Opcode::Aref2 | Opcode::Aset2 => Met::Array(machine.array_at(at, 2)),
        _ if feedback::domain(opcode).is_some() => {
            let (a, b) = machine.operands_at(at);
            Met::Numbers(Seen {
                a: seen::bit(machine.number_in(a)),
                b: seen::bit(machine.number_in(b)),
                result: match opcode.info().kind {
                    Kind::Compare => 0,
                    _ => seen::bit(machine.compute(opcode, a, b)),
                },
            })
        }
        _ => Met::Variables,
    }
}
