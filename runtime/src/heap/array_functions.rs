//! Lisp's functions for free array blocks, done natively.
//!
//! Lisp has three functions that touch the rings of free blocks: one takes a block for a
//! request, one puts a block in its ring, one takes it out. When they are the ones known here, by
//! what their code says, a call of one is answered by the machine, which keeps the index of the
//! rings (`rings`) while it does. A call that it does not answer (a block that is aligned, rings that
//! are not sound) is executed as Lisp has it. As soon as one of the symbols has another
//! definition, be it redefined, traced or advised, Lisp does everything again.

use crate::image::find_symbol;
use crate::image::functions::{CodeBlock, Definition};
use crate::isa::decode::{Decoder, Operand};
use crate::layout::records::array_block::{HEADER_WORDS, MIN_CELLS, MIN_CELLS_WITH_HUNKS};
use crate::layout::{Generation, SymbolCell};
use crate::machine::Machine;
use crate::memory::LispPtr;

use super::rings::{ArrayTotals, Block};

/// Who finds free array blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ArrayPolicy {
    /// Lisp, as with Maiko: the first in a ring that is long enough.
    #[default]
    Maiko,
    /// The machine, in rings with segments.
    Segmented,
}

/// The functions of this image are not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the functions for arrays in this image are not those of a Medley that is known")]
pub struct UnknownFunctions;

/// Whose functions they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Medley,
    BuiltIn,
}

/// What a function does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Task {
    Take,
    Link,
    Unlink,
}

/// A function: its task, its name, and what its code says ([`fingerprint`]).
type Known = (Task, &'static str, u64);

const KNOWN: [(Dialect, [Known; 3]); 2] = [
    (
        Dialect::Medley,
        [
            (Task::Take, "\\ALLOCBLOCK.OLD", 0xA584_ABC1_3EE5_D473),
            (Task::Link, "\\LINKBLOCK", 0xABAC_7EC6_9832_85A1),
            (Task::Unlink, "\\DELETEBLOCK?", 0x8BC3_E165_D8F0_6FEF),
        ],
    ),
    (
        Dialect::BuiltIn,
        [
            (Task::Take, "SI::TAKE-FREE-BLOCK", 0xB15B_D0DC_9BF7_1668),
            (Task::Link, "SI::LINK-BLOCK", 0x90D5_E9DA_1631_657F),
            (Task::Unlink, "SI::UNLINK-BLOCK", 0xB6BF_CE82_D635_E963),
        ],
    ),
];

/// The functions of an image.
#[derive(Clone, Debug)]
pub(super) struct Functions {
    dialect: Dialect,
    /// Task, symbol, and code block.
    all: [(Task, LispPtr, LispPtr); 3],
}

impl Functions {
    /// The functions of the image in the memory of `machine`, if they are known.
    fn find<G: Generation>(machine: &Machine<'_, G>) -> Option<Self> {
        KNOWN.iter().find_map(|(dialect, known)| {
            let mut all = [(Task::Take, LispPtr::NIL, LispPtr::NIL); 3];
            for (found, &(task, name, says)) in all.iter_mut().zip(known) {
                let symbol = find_symbol(machine.mem, name)?;
                let definition = Definition::of(machine.mem, symbol)?;
                let code = CodeBlock::at(machine.mem, definition.code);
                if definition.closure || fingerprint(&code) != says {
                    return None;
                }
                *found = (task, symbol, definition.code);
            }
            let dialect = *dialect;
            Some(Self { dialect, all })
        })
    }
}

/// A number for what a function does: its instructions with all that does not depend on the
/// image, which is where symbols and constants are, and hence how long jumps are.
fn fingerprint<G: Generation>(code: &CodeBlock<'_, G>) -> u64 {
    let header = code.header();
    let bytes = code.code();
    let instructions: Vec<_> = Decoder::new(&bytes, header.start_pc.into(), G::OPERAND_BYTES)
        .map_while(Result::ok)
        .collect();
    let number_at = |offset: i32| {
        let mut all = instructions.iter();
        all.position(|instruction| instruction.offset as i32 == offset)
    };
    let mut hash = 0xCBF2_9CE4_8422_2325u64;
    let mut add = |value: u64| hash = (hash ^ value).wrapping_mul(0x100_0000_01B3);
    add(header.argument_count as u64);
    for instruction in &instructions {
        if let Some(target) = instruction.target() {
            add(u64::from(instruction.opcode.name().as_bytes()[0]));
            add(number_at(target).map_or(u64::MAX, |number| number as u64));
            continue;
        }
        add(instruction.opcode as u64);
        for operand in instruction.operands() {
            if let Operand::Number(number) = operand {
                add(u64::from(*number));
            }
        }
    }
    hash
}

impl<G: Generation> Machine<'_, G> {
    /// Has free array blocks found that way from now on.
    pub fn set_array_policy(&mut self, policy: ArrayPolicy) -> Result<(), UnknownFunctions> {
        self.release_array_functions();
        if policy == ArrayPolicy::Maiko {
            return Ok(());
        }
        let functions = Functions::find(self).ok_or(UnknownFunctions)?;
        for (_, _, code) in functions.all {
            self.native.profile.pin(code);
        }
        self.heap.rings.functions = Some(functions);
        Ok(())
    }

    /// What the machine did for requests of array blocks.
    pub fn array_totals(&self) -> ArrayTotals {
        self.heap.rings.totals
    }

    /// Lisp finds array blocks itself.
    fn release_array_functions(&mut self) {
        self.forget_index();
        if let Some(functions) = self.heap.rings.functions.take() {
            for (_, _, code) in functions.all {
                self.native.profile.unpin(code);
            }
        }
    }

    /// The code block at `code` is freed.
    pub(crate) fn array_code_is_freed(&mut self, code: LispPtr) {
        let functions = self.heap.rings.functions.as_ref();
        if functions.is_some_and(|functions| functions.all.iter().any(|&(_, _, own)| own == code)) {
            self.release_array_functions();
        }
    }

    /// The value of the running activation, if it is one of these functions at its beginning and
    /// was done.
    pub(crate) fn do_array_function(&mut self) -> Option<LispPtr> {
        let functions = self.heap.rings.functions.as_ref()?;
        let mut all = functions.all.iter();
        let &(task, ..) = all.find(|(_, _, code)| *code == self.func)?;
        let start = CodeBlock::at(self.mem, self.func).header().start_pc;
        if self.regs.pc.offset_in(self.func) != start {
            return None;
        }
        let as_known = functions.all.iter().all(|&(_, symbol, code)| {
            let cell = G::symbol_cell(symbol, SymbolCell::Definition);
            let definition = self.mem.cell(cell);
            definition.has_sign() && definition.masked::<G>() == code
        });
        if !as_known {
            self.release_array_functions();
            return None;
        }
        // Lisp checks every block that it touches.
        if !self.mem.cell(self.symbols.array_block_checking).is_nil() {
            self.forget_index();
            return None;
        }
        let dialect = functions.dialect;
        let argument = |number: u16| self.mem.stack(self.ivar.add(2 * number));
        let (first, second) = (argument(0), argument(1));
        match (task, dialect) {
            (Task::Take, _) => {
                let cells = first.small_value::<G>()?;
                if dialect == Dialect::Medley && !(argument(2).is_nil() && argument(3).is_nil()) {
                    return None;
                }
                self.take_block(u32::try_from(cells).ok()?, dialect)
            }
            (Task::Link, Dialect::Medley) => {
                self.link_block(self.block_at(first.masked::<G>()));
                Some(first)
            }
            (Task::Link, Dialect::BuiltIn) => {
                let cells = u32::try_from(second.small_value::<G>()?).ok()?;
                let at = first.masked::<G>();
                self.mark_block_free(Block { at, cells });
                self.link_block(Block { at, cells });
                Some(first)
            }
            (Task::Unlink, _) => {
                self.unlink_block(self.block_at(first.masked::<G>()));
                Some(LispPtr::NIL)
            }
        }
    }

    /// Takes a free block of `cells` cells, or of more if the rest is too small to be used, and
    /// clears it. NIL if there is none.
    pub(super) fn take_block(&mut self, cells: u32, dialect: Dialect) -> Option<LispPtr> {
        let Some(block) = self.find_block(cells).ok()? else {
            return Some(LispPtr::NIL);
        };
        let hunks = !self.mem.cell(self.symbols.hunking).is_nil();
        let least_rest = match dialect {
            Dialect::Medley if hunks => MIN_CELLS_WITH_HUNKS + 1,
            Dialect::Medley => 1,
            Dialect::BuiltIn => MIN_CELLS,
        };
        self.unlink_block(block);
        let rest = block.cells - cells;
        let mut taken = block;
        if rest >= least_rest {
            taken.cells = cells;
            let rest = Block {
                at: taken.end(),
                cells: rest,
            };
            self.mark_block_free(rest);
            self.link_block(rest);
            self.merge_forward(rest);
            self.mark_block_free(taken);
        }
        let data = taken.at.add(HEADER_WORDS);
        self.mem.clear(data, taken.cells.saturating_sub(2));
        Some(taken.at)
    }
}
