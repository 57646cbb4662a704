//! Leaves: small functions whose code is put in the place of their calls.
//!
//! What is put there is only what has no effect but its result, so that at any
//! instruction that needs more (a trap, a wrong guess, another call, a frame) all of
//! it can be forgotten and the function be called instead. So a leaf has no frame, its
//! variables are values, and numbers come in and go out without boxes. Where that call is
//! needed too often ([`Feedback::wants_leaf`]) the code is made anew, without it unless
//! it has learned since then.
//!
//! [`Feedback::wants_leaf`]: crate::feedback::Feedback::wants_leaf

use std::collections::BTreeMap;

use geiko_runtime::image::functions::CodeBlock;
use geiko_runtime::isa::Opcode;
use geiko_runtime::isa::decode::{LocalKind, Operand};
use geiko_runtime::layout::Generation;
use geiko_runtime::memory::{LispPtr, Mem};

use crate::facts::{Callee, Facts};
use crate::flow::{Effect, Flow, Step};
use crate::records::Records;
use crate::unit::Unit;

/// Most bytes of the code of a leaf.
const MOST_BYTES: u32 = 160;

/// Most PVAR slots.
const MOST_SLOTS: u16 = 8;

/// Leaves in leaves in leaves.
const DEEPEST: u8 = 3;

/// Leaves that the code of a function calls, by the names it calls them.
pub type Leaves = BTreeMap<LispPtr, Box<Unit>>;

/// Reads the leaves that the code in `flow` calls, of a function that is `depth`
/// calls away from the one that gets native code.
pub fn read<G: Generation>(
    mem: Mem<'_, G>,
    mvlist: LispPtr,
    flow: &Flow,
    facts: &Facts,
    records: &Records,
    depth: u8,
) -> Leaves {
    if depth == DEEPEST {
        return Leaves::new();
    }
    let leaf = |(symbol, callee): (LispPtr, Callee)| {
        let code = callee.code;
        let feedback = records.with(code, |record| record.feedback.borrow().clone());
        let unit = Unit::read_within(mem, mvlist, code, feedback, records, depth + 1)?;
        unit.is_leaf().then(|| (symbol, Box::new(unit)))
    };
    let called = |symbol: &LispPtr| {
        let is_call = |step: &Step| called(step).is_some_and(|(name, _)| name == *symbol);
        flow.steps.iter().any(is_call)
    };
    (facts.callees())
        .filter(|(symbol, callee)| called(symbol) && may_be_leaf(mem, *callee))
        .filter_map(leaf)
        .collect()
}

/// False if a look at its header says that it cannot be.
fn may_be_leaf<G: Generation>(mem: Mem<'_, G>, callee: Callee) -> bool {
    let block = CodeBlock::at(mem, callee.code);
    let header = block.header();
    let slots = 2 * (i32::from(header.pvar_quads) + 1);
    let end = u32::from(header.start_pc) + MOST_BYTES;
    callee.arguments.is_some()
        && slots <= i32::from(MOST_SLOTS)
        && block.end().is_some_and(|bytes| bytes <= end)
}

/// The symbol that the instruction of `step` calls, and the number of arguments.
pub fn called(step: &Step) -> Option<(LispPtr, u16)> {
    use Opcode::{Fn0, Fn1, Fn2, Fn3, Fn4, FnX};
    let Effect::Cells { pops, .. } = step.effect else {
        return None;
    };
    if !matches!(step.instruction.opcode, Fn0 | Fn1 | Fn2 | Fn3 | Fn4 | FnX) {
        return None;
    }
    let symbol = |operand: &Operand| match operand {
        Operand::Atom(symbol) => Some(LispPtr(*symbol)),
        _ => None,
    };
    let symbol = step.instruction.operands().iter().find_map(symbol)?;
    Some((symbol, pops))
}

impl Unit {
    fn is_leaf(&self) -> bool {
        let calls_itself = (self.facts.callees()).any(|(_, callee)| callee.code == self.code);
        !calls_itself && self.published_arguments.is_empty() && self.published_slots.is_empty()
    }

    /// The code blocks of all leaves in it, and how often they have been compiled again.
    pub fn leaf_versions(&self) -> Vec<(LispPtr, u32)> {
        let mut versions = Vec::new();
        for leaf in self.leaves.values() {
            versions.push((leaf.code, leaf.feedback.version));
            versions.extend(leaf.leaf_versions());
        }
        versions
    }

    /// The leaf that the instruction of `step` calls, if it may be put in its place.
    pub fn leaf(&self, step: &Step) -> Option<(LispPtr, &Unit)> {
        let (symbol, arguments) = called(step)?;
        let leaf = self.leaves.get(&symbol)?;
        let wanted = self.feedback.wants_leaf(step.instruction.offset);
        (leaf.arguments == Some(arguments) && wanted).then_some((symbol, leaf))
    }

    /// True if the instruction of `step` has no effect but its result, unless native
    /// code leaves it to others.
    pub fn is_pure(&self, step: &Step) -> bool {
        use Opcode::{
            AddBase, Car, Cdr, Copy, Dtest, Eq, GetBaseByte, GetBaseN, GetBasePtrN, GetBitsNFd,
            Gvar, HiLoc, InstanceP, Listp, LoLoc, MakeNumber, Nop, Ntypx, Pop, Swap, TypeMaskN,
            Typep, Vag2,
        };
        if let Effect::Spread { .. } = step.effect {
            return false;
        }
        if let Some((kind, _)) = step.instruction.local() {
            return kind != LocalKind::Free && crate::numbers::local(self, step).is_some();
        }
        match step.effect {
            Effect::Jump { .. } => {
                let target = step.instruction.target();
                return target.is_some_and(|target| target > step.instruction.offset as i32);
            }
            Effect::Bind | Effect::Unbind | Effect::Dunbind => return true,
            Effect::Return => return true,
            Effect::Unknown | Effect::Counted { .. } => return false,
            Effect::Spread { .. } | Effect::Cells { .. } => {}
        }
        let opcode = step.instruction.opcode;
        crate::numbers::constant(step).is_some()
            || crate::feedback::domain(opcode).is_some()
            || matches!(
                opcode,
                AddBase
                    | Car
                    | Cdr
                    | Copy
                    | Dtest
                    | Eq
                    | GetBaseByte
                    | GetBaseN
                    | GetBasePtrN
                    | GetBitsNFd
                    | Gvar
                    | HiLoc
                    | InstanceP
                    | Listp
                    | LoLoc
                    | MakeNumber
                    | Nop
                    | Ntypx
                    | Pop
                    | Swap
                    | TypeMaskN
                    | Typep
                    | Vag2
            )
    }
}
