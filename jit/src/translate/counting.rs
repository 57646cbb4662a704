//! Counting of executed instructions, when somebody wants to know.
//!
//! ```text
//! a block begins:                     count += instructions of the block
//! it is left in front of its end:     count -= instructions that are left
//! ```
//!
//! What the interpreter counts as one is one here as well: a comparison and the jump
//! behind it.

use std::ops::Range;

use cranelift_codegen::ir::InstBuilder;
use cranelift_codegen::ir::types::I64;
use geiko_runtime::isa::Opcode;

use super::{Translator, trusted};
use crate::flow::{Effect, Step};

impl Translator<'_, '_> {
    /// Counts the instructions of the block that begins with the step `first`.
    pub(super) fn count_block(&mut self, first: usize) {
        if self.host.counter.is_none() {
            return;
        }
        let steps = &self.unit.flow.steps[first..];
        let is_last = |step: &Step| {
            let jumps = matches!(
                step.effect,
                Effect::Jump { .. } | Effect::Return | Effect::Unknown
            );
            jumps || self.places.contains_key(&step.next)
        };
        let count = steps
            .iter()
            .position(is_last)
            .map_or(steps.len(), |n| n + 1);
        self.counted = first..first + count;
        let count = self.instructions(self.counted.clone());
        self.add_to_count(count);
    }

    /// Takes back the instructions of the block from the one at `pc`, which is the one
    /// being translated or, after it, begins another block.
    pub(super) fn uncount_from(&mut self, pc: u32) {
        if pc == self.current
            && let Some(&at) = self.unit.flow.at.get(&pc)
        {
            let count = self.instructions(at..self.counted.end);
            self.add_to_count(-count);
        }
    }

    /// Takes back the instructions of the block behind the one being translated.
    pub(super) fn uncount_rest(&mut self) {
        if let Some(&at) = self.unit.flow.at.get(&self.current) {
            let count = self.instructions(at + 1..self.counted.end);
            self.add_to_count(-count);
        }
    }

    /// As many as the interpreter counts.
    fn instructions(&self, range: Range<usize>) -> i64 {
        let steps = &self.unit.flow.steps;
        range
            .filter(|&at| at == 0 || !is_pair(&steps[at - 1], &steps[at]))
            .count() as i64
    }

    fn add_to_count(&mut self, count: i64) {
        let Some(counter) = self.host.counter.filter(|_| count != 0) else {
            return;
        };
        let at = self.builder.ins().iconst(I64, counter);
        let old = self.builder.ins().load(I64, trusted(), at, 0);
        let new = self.builder.ins().iadd_imm_s(old, count);
        self.builder.ins().store(trusted(), new, at, 0);
    }
}

/// True for a comparison and a jump that the interpreter does in one.
fn is_pair(comparison: &Step, jump: &Step) -> bool {
    let compares = matches!(
        comparison.instruction.opcode,
        Opcode::Eq | Opcode::NumEqual | Opcode::GreaterP | Opcode::IGreaterP
    );
    let pops = Effect::Jump {
        conditional: true,
        keeps: false,
    };
    compares && jump.effect == pops
}
