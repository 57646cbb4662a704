//! What a function looks like to the translator: a copy of everything that its
//! code block says, so that translation needs no Lisp memory.

use std::collections::BTreeSet;

use geiko_runtime::image::functions::{CodeBlock, Storage};
use geiko_runtime::layout::Generation;
use geiko_runtime::memory::{LispPtr, Mem};

use crate::facts::Facts;
use crate::flow::Flow;
use crate::numbers::Feedback;
use crate::records::Records;

/// A function to be translated.
#[derive(Debug)]
pub struct Unit {
    /// Address of the code block.
    pub code: LispPtr,
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
    /// Address of the first [`crate::records::Known`] of its slots.
    pub known: i64,
    /// What earlier native code of the function got wrong.
    pub feedback: Feedback,
}

impl Unit {
    /// Reads the code block at `code`. `None` if there is none.
    pub fn read<G: Generation>(
        mem: Mem<'_, G>,
        code: LispPtr,
        feedback: Feedback,
        records: &Records,
    ) -> Option<Self> {
        let block = CodeBlock::at(mem, code);
        block.end()?;
        let header = block.header();
        let quads = u16::try_from(header.pvar_quads.checked_add(1)?).ok()?;
        let slots = quads.checked_mul(2).filter(|slots| *slots <= 256)?;
        let flow = Flow::new(&block.code(), header.start_pc.into(), G::OPERAND_BYTES);
        let mut unit = Self {
            code: block.address(),
            arguments: u16::try_from(header.argument_count).ok(),
            slots,
            stack_min: header.stack_min,
            start: header.start_pc.into(),
            published_arguments: BTreeSet::new(),
            published_slots: BTreeSet::new(),
            facts: Facts::new(mem, &flow, records),
            known: records.with(code, |record| record.known(slots).as_ptr() as i64),
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

    /// True if other functions see the variable: arguments come first, then PVAR slots.
    pub fn is_published(&self, number: usize) -> bool {
        let arguments = usize::from(self.arguments.unwrap_or(0));
        match number.checked_sub(arguments) {
            Some(slot) => self.published_slots.contains(&(slot as u8)),
            None => self.published_arguments.contains(&(number as u8)),
        }
    }

    /// Stack words that an activation needs behind its arguments.
    pub fn stack_words(&self) -> u32 {
        let frame = 2 + 10 + 2 * u32::from(self.slots) + 4;
        let own = frame + 2 * u32::from(self.flow.max_depth) + 16;
        own.max(self.stack_min.into())
    }
}
