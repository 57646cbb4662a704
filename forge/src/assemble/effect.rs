//! What instructions do to the evaluation stack, and how much of it a function
//! needs.

use std::sync::LazyLock;

use geiko_runtime::isa::{OPCODES, Opcode, Poll};

use super::{Assembly, Frame, Item, Jump};

/// Cells of a frame besides arguments, slots and evaluation stack, as `stkmin`
/// counts them.
const FRAME_CELLS: u32 = 12;
/// The depth that every function may use.
const LEAST_DEPTH: u32 = 8;

/// Cells that an instruction takes and leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StackEffect {
    /// Always the same.
    Fixed {
        /// Cells it takes.
        pops: u16,
        /// Cells it leaves.
        pushes: u16,
    },
    /// It takes as many as its last byte says and leaves one.
    Counted,
    /// It takes as many as the number among its operands says, and those above it
    /// (how many these are), and leaves one.
    Called(u16),
    /// Something else.
    Other,
}

/// What an instruction does to the stack.
pub fn stack_effect(opcode: Opcode) -> StackEffect {
    static EFFECTS: LazyLock<[StackEffect; 256]> = LazyLock::new(|| {
        let mut effects = [StackEffect::Other; 256];
        for (effect, info) in effects.iter_mut().zip(&OPCODES) {
            *effect = effect_of(info.opcode, info.stack);
        }
        effects
    });
    EFFECTS[opcode as usize]
}

fn effect_of(opcode: Opcode, stack: &str) -> StackEffect {
    match opcode {
        Opcode::Miscn | Opcode::SubrCall => return StackEffect::Counted,
        // The number of arguments stands in front of the symbol.
        Opcode::FnX => return StackEffect::Counted,
        Opcode::ApplyFn => return StackEffect::Called(2),
        Opcode::EnvCall => return StackEffect::Called(3),
        _ => {}
    }
    let Some((before, after)) = stack.split_once("--") else {
        return StackEffect::Other;
    };
    // "arg1..arg3" are as many as the number at the end says.
    let cells = |text: &str| -> Option<u16> {
        text.split_whitespace()
            .map(|word| match word.split_once("..") {
                None => Some(1),
                Some((_, last)) => last.trim_start_matches(char::is_alphabetic).parse().ok(),
            })
            .sum()
    };
    // "|x" is a value only sometimes.
    if after.trim_start().starts_with('|') || after.contains("mark") {
        return StackEffect::Other;
    }
    match (cells(before), cells(after)) {
        (Some(pops), Some(pushes)) => StackEffect::Fixed { pops, pushes },
        _ => StackEffect::Other,
    }
}

/// Cells that an item takes and leaves. A jump that keeps its value leaves it only
/// where it goes to.
pub(crate) fn item_effect(item: &Item) -> (u16, u16) {
    match item {
        // With nothing else between mark and value.
        Item::Op(Opcode::Unbind) => (2, 1),
        Item::Op(Opcode::Dunbind) => (1, 0),
        Item::Byte(Opcode::PopN, more) => (u16::from(*more) + 1, 0),
        Item::Op(opcode) | Item::Byte(opcode, _) | Item::Symbol(opcode, _) => {
            match stack_effect(*opcode) {
                StackEffect::Fixed { pops, pushes } => (pops, pushes),
                _ => (0, 0),
            }
        }
        Item::Two(_, _, arguments) => (u16::from(*arguments), 1),
        Item::Call(arguments, _) => (u16::from(*arguments), 1),
        Item::Constant(_)
        | Item::Code(_)
        | Item::Closure(_)
        | Item::Type(Opcode::SicX, _)
        | Item::Read(_)
        | Item::ReadArgument(_)
        | Item::Resume(_) => (0, 1),
        Item::Type(..) | Item::Write(_) | Item::WriteArgument(_) => (1, 1),
        Item::WritePop(_) => (1, 0),
        Item::Bind { values, .. } => (u16::from(*values), 1),
        Item::Jump(Jump::Always, _) | Item::Label(_) | Item::Unwind { .. } => (0, 0),
        Item::Jump(..) => (1, 0),
        Item::Raw { pops, pushes, .. } => (*pops, *pushes),
    }
}

/// Whether the stack is checked when the item has been executed, whatever happens.
fn checks(item: &Item) -> bool {
    match item {
        Item::Op(opcode) => matches!(opcode.info().poll, Poll::Call | Poll::Return),
        Item::Raw { opcode, .. } => matches!(opcode.info().poll, Poll::Call | Poll::Return),
        Item::Call(..) | Item::Jump(Jump::Always, _) => true,
        _ => false,
    }
}

/// `stkmin` (`reference/processor.md` section 7): the words that must be free when
/// the function is entered, so that looking at the stack limit at calls, returns and
/// jumps is enough.
pub(super) fn stack_words(assembly: &Assembly, frame: &Frame) -> u16 {
    let mut depth = 0;
    let mut most = LEAST_DEPTH;
    for item in &assembly.items {
        let (pops, pushes) = item_effect(item);
        depth = (depth - i32::from(pops)).max(0) + i32::from(pushes);
        most = most.max(depth as u32);
        if checks(item) {
            depth = 0;
        }
    }
    // Far jumps copy what they test.
    most += u32::from(most > LEAST_DEPTH);
    let arguments = u32::from(assembly.arguments.unwrap_or(0));
    let slots = frame.cells() - super::PADDING_CELLS;
    (2 * (arguments + slots + FRAME_CELLS + most)) as u16
}
