//! What a function looks like to the translator: a copy of everything that its
//! code block says, so that translation needs no Lisp memory.

use std::collections::{BTreeMap, BTreeSet};

use geiko_runtime::image::functions::{CodeBlock, Storage};
use geiko_runtime::isa::Opcode;
use geiko_runtime::isa::decode::LocalKind;
use geiko_runtime::layout::Generation;
use geiko_runtime::memory::{LispPtr, Mem};
use geiko_runtime::stack::free_name;

use crate::facts::{Callee, Facts};
use crate::feedback::Feedback;
use crate::flow::{Flow, Step};
use crate::leaves::{self, Leaves};
use crate::records::Records;
use crate::sites::{Called, Known};
use crate::spreads::Spread;

/// A function to be translated.
#[derive(Debug)]
pub struct Unit {
    /// Address of the code block.
    pub code: LispPtr,
    /// Words of the code block.
    pub words: u32,
    /// Number of arguments; `None` for any number.
    pub arguments: Option<u16>,
    /// PVAR slots of a frame.
    pub slots: u16,
    /// Stack words that must be free on entry.
    pub stack_min: u16,
    /// Byte offset of the first instruction.
    pub start: u32,
    /// Arguments that other functions see by name.
    pub published_arguments: BTreeSet<u8>,
    /// PVAR slots that other functions see by name.
    pub published_slots: BTreeSet<u8>,
    /// The instructions.
    pub flow: Flow,
    /// What there is to know of the things that the code names.
    pub facts: Facts,
    /// Address of the first `Known`, of PVAR slot 0.
    pub known: i64,
    /// The names of the free variables that its code uses, by their PVAR slots.
    pub free: BTreeMap<u8, LispPtr>,
    /// Addresses of the `Called` of its calls of function objects.
    pub called: BTreeMap<u32, i64>,
    /// What earlier native code of the function got wrong.
    pub feedback: Feedback,
    /// Small functions that it calls.
    pub leaves: Leaves,
}

impl Unit {
    /// Reads the code block at `code`; `mvlist` is the symbol \\MVLIST. `None` if there is none.
    pub fn read<G: Generation>(
        mem: Mem<'_, G>,
        mvlist: LispPtr,
        code: LispPtr,
        feedback: Feedback,
        records: &Records,
    ) -> Option<Self> {
        Self::read_within(mem, mvlist, code, feedback, records, 0)
    }

    /// The same for a function that is `depth` calls away from the one that gets native
    /// code.
    pub fn read_within<G: Generation>(
        mem: Mem<'_, G>,
        mvlist: LispPtr,
        code: LispPtr,
        feedback: Feedback,
        records: &Records,
        depth: u8,
    ) -> Option<Self> {
        let block = CodeBlock::at(mem, code);
        let bytes = block.end()?;
        let header = block.header();
        let quads = u16::try_from(header.pvar_quads.checked_add(1)?).ok()?;
        let slots = quads.checked_mul(2).filter(|slots| *slots <= 256)?;
        let start = header.start_pc.into();
        let flow = Flow::new(&block.code(), start, G::OPERAND_BYTES, mvlist);
        let facts = Facts::new(mem, &flow, records);
        let mut unit = Self {
            code: block.address(),
            words: bytes.div_ceil(2),
            arguments: u16::try_from(header.argument_count).ok(),
            slots,
            stack_min: header.stack_min,
            start,
            published_arguments: BTreeSet::new(),
            published_slots: BTreeSet::new(),
            leaves: leaves::read(mem, mvlist, &flow, &facts, records, depth),
            facts,
            known: records.with(code, |record| record.sites.known(slots)),
            free: (flow.steps.iter().filter_map(free_slot))
                .map(|slot| (slot, free_name(mem, code, slot)))
                .collect(),
            called: called_at(&flow, records, code),
            flow,
            feedback,
        };
        for variable in block.variables().iter().filter(|variable| variable.special) {
            match variable.storage {
                Storage::Argument(n) => unit.published_arguments.insert(n),
                Storage::Local(n) => unit.published_slots.insert(n),
                Storage::Free(_) => false,
            };
        }
        Some(unit)
    }

    /// All symbols whose definitions the native code refers to.
    pub fn callees(&self) -> Vec<(LispPtr, Callee)> {
        let inner = self.leaves.values().flat_map(|leaf| leaf.callees());
        self.facts.callees().chain(inner).collect()
    }

    /// True if other functions see the variable: arguments come first, then PVAR slots.
    pub fn is_published(&self, number: usize) -> bool {
        let arguments = usize::from(self.arguments.unwrap_or(0));
        match number.checked_sub(arguments) {
            Some(slot) => self.published_slots.contains(&(slot as u8)),
            None => self.published_arguments.contains(&(number as u8)),
        }
    }

    /// Addresses of what native code finds at its sites, and names for them.
    pub fn sites(&self) -> impl Iterator<Item = (i64, String)> {
        let known = (self.known..)
            .step_by(size_of::<Known>())
            .zip(0..self.slots);
        let known = known.map(|(at, slot)| (at, format!("known{slot}")));
        let called = (self.called.iter()).map(|(pc, &at)| (at, format!("called{pc}")));
        known.chain(called)
    }

    /// Stack words that an activation needs behind its arguments.
    pub fn stack_words(&self) -> u32 {
        let frame = 2 + 10 + 2 * u32::from(self.slots) + 4;
        let own = frame + 2 * u32::from(self.flow.max_depth) + 16;
        own.max(self.stack_min.into())
    }

    /// Stack words that activations of it and of the leaves in it need, if no jump is to
    /// find the stack too short.
    pub fn deepest(&self) -> u32 {
        let leaves = self.leaves.values().map(|leaf| leaf.deepest()).max();
        self.stack_words() + u32::from(self.stack_min) + leaves.unwrap_or(0)
    }

    /// Most instructions that are executed without a jump back or a call that needs a frame.
    pub fn longest(&self) -> usize {
        let leaf = |step| self.leaf(step).map_or(0, |(_, leaf)| leaf.longest());
        let spreads = self.flow.spreads.values().map(Spread::longest);
        let steps = self.flow.steps.iter().map(|step| 1 + leaf(step));
        steps.chain(spreads).sum()
    }
}

/// The slot of the free variable that the instruction of `step` uses.
fn free_slot(step: &Step) -> Option<u8> {
    let (kind, slot) = step.instruction.local()?;
    (kind == LocalKind::Free).then_some(slot as u8)
}

/// Addresses of the [`Called`] of each call of a function object.
fn called_at(flow: &Flow, records: &Records, code: LispPtr) -> BTreeMap<u32, i64> {
    let calls: Vec<_> = (flow.steps.iter())
        .filter(|step| matches!(step.instruction.opcode, Opcode::ApplyFn | Opcode::EnvCall))
        .map(|step| step.instruction.offset)
        .collect();
    let first = records.with(code, |record| record.sites.called(calls.len()));
    let addresses = (first..).step_by(size_of::<Called>());
    calls.into_iter().zip(addresses).collect()
}
