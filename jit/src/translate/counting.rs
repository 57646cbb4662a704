//! Counting of executed instructions, when somebody wants to know.
//!
//! ```text
//! a block begins:                     count += instructions of the block
//! it is left in front of its end:     count -= instructions that are left
//! ```

use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{InstBuilder, Value};

use super::exact::LEFT;
use super::leaving::PLACE;
use super::{Translator, trusted};
use crate::flow::{Effect, Step};

/// What has been counted at a place.
pub(super) struct Counts {
    left: Option<Value>,
    counter: Option<(i64, Value)>,
}

impl Translator<'_, '_> {
    /// What has been counted here, so that what follows can be forgotten.
    pub(super) fn counts(&mut self) -> Counts {
        self.count_pending();
        let exact = self.host.is_exact;
        Counts {
            left: exact.then(|| self.builder.ins().load(I32, trusted(), self.base, LEFT)),
            counter: self.host.counter.map(|counter| {
                let at = self.builder.ins().iconst(I64, counter);
                (counter, self.builder.ins().load(I64, trusted(), at, 0))
            }),
        }
    }

    /// Forgets what was counted since then.
    pub(super) fn set_counts(&mut self, counts: &Counts) {
        if let Some(left) = counts.left {
            self.builder.ins().store(trusted(), left, self.base, LEFT);
        }
        if let Some((counter, count)) = counts.counter {
            let at = self.builder.ins().iconst(I64, counter);
            self.builder.ins().store(trusted(), count, at, 0);
        }
    }

    /// Counts the instructions of the block that begins with the step `first`.
    pub(super) fn count_block(&mut self, first: usize) {
        if self.host.counter.is_none() {
            return;
        }
        let steps = &self.unit.flow.steps[first..];
        let is_last = |step: &Step| {
            let jumps = matches!(
                step.effect,
                Effect::Jump { .. } | Effect::Spread { .. } | Effect::Return | Effect::Unknown
            );
            jumps || self.places.contains_key(&step.next)
        };
        let count = steps
            .iter()
            .position(is_last)
            .map_or(steps.len(), |n| n + 1);
        self.counted = first..first + count;
        self.add_to_count(count as i64);
    }

    /// Takes back the instructions of the block from the one at `pc`, which is the one
    /// being translated, or the one behind that, or begins another block.
    pub(super) fn uncount_from(&mut self, pc: u32) {
        let next = self.unit.flow.step(self.current).map(|step| step.next);
        let is_near = pc == self.current || Some(pc & !PLACE) == next;
        let pc = pc & !PLACE;
        if is_near
            && let Some(&at) = self.unit.flow.at.get(&pc)
            && self.counted.contains(&at)
        {
            self.add_to_count(at as i64 - self.counted.end as i64);
        }
    }

    /// Takes back the instructions of the block behind the one being translated.
    pub(super) fn uncount_rest(&mut self) {
        if let Some(&at) = self.unit.flow.at.get(&self.current) {
            self.add_to_count(at as i64 + 1 - self.counted.end as i64);
        }
    }

    fn add_to_count(&mut self, count: i64) {
        if count != 0 && self.host.counter.is_some() {
            let count = self.builder.ins().iconst(I64, count);
            self.add_value_to_count(count);
        }
    }

    /// Counts as many instructions more as `count`, of 64 bits, says.
    pub(super) fn add_value_to_count(&mut self, count: Value) {
        let Some(counter) = self.host.counter else {
            return;
        };
        let at = self.builder.ins().iconst(I64, counter);
        let old = self.builder.ins().load(I64, trusted(), at, 0);
        let new = self.builder.ins().iadd(old, count);
        self.builder.ins().store(trusted(), new, at, 0);
    }
}
