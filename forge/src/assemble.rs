//! The assembler: from instructions with labels to bytes.
//!
//! What is left open until the whole function is known is decided here: the sizes
//! of jumps, the numbers of PVAR slots (locals first, then the slots that BIND
//! sets, then free variables), the depths in UNWIND, and the stack words that the
//! function needs.
//!
//! Jumps begin in their shortest form and grow until every displacement fits. A
//! jump never shrinks again, so this ends. A conditional jump that is too far for a
//! byte jumps over a long jump:
//!
//! | instruction | near, 1 byte | byte | far |
//! |---|---|---|---|
//! | jump | JUMPn | JUMPX | JUMPXX |
//! | jump if NIL | FJUMPn | FJUMPX | TJUMP2 JUMPXX |
//! | jump if NIL and keep it, else drop | - | NFJUMPX | COPY TJUMP2 JUMPXX POP |

mod bytes;
mod effect;
mod sizes;
#[cfg(test)]
mod tests;

use geiko_runtime::isa::Opcode;

use crate::Error;
use crate::code::{Code, Published};
use crate::datum::{Datum, Place, Symbol};

pub(crate) use effect::item_effect;
pub use effect::{StackEffect, stack_effect};

/// A place in the instructions of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label(pub u32);

/// A PVAR slot. The assembler numbers all locals first, then the bound, then the
/// free ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// A local variable.
    Local(u16),
    /// A slot that BIND sets and UNBIND clears; other functions may see it.
    Bound(u16),
    /// A variable of another function.
    Free(u16),
}

/// When a jump is taken, and what becomes of the value that decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jump {
    /// Always.
    Always,
    /// If NIL; the value is dropped.
    IfNil,
    /// If not NIL; the value is dropped.
    IfTrue,
    /// If NIL, which stays; a value that is not NIL is dropped.
    IfNilKeep,
    /// If not NIL, and it stays; NIL is dropped.
    IfTrueKeep,
}

/// An operand written out in a program.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// A number in as many bytes as the instruction has.
    Number(u16),
    /// A symbol.
    Symbol(Symbol),
    /// Any constant.
    Constant(Datum),
    /// The number of a type.
    Type(Symbol),
}

/// One instruction, or several that belong together.
#[derive(Clone, Debug)]
pub enum Item {
    /// An instruction without operands.
    Op(Opcode),
    /// An instruction with a byte.
    Byte(Opcode, u8),
    /// An instruction with two bytes.
    Two(Opcode, u8, u8),
    /// An instruction with a symbol.
    Symbol(Opcode, Symbol),
    /// Call the function of a symbol with that many arguments.
    Call(u8, Symbol),
    /// Push a constant in its shortest form.
    Constant(Datum),
    /// Push a code block.
    Code(Box<Code>),
    /// Push a closure without environment.
    Closure(Box<Code>),
    /// An instruction whose operand is the number of a type.
    Type(Opcode, Symbol),
    /// Push a slot.
    Read(Slot),
    /// Store in a slot.
    Write(Slot),
    /// Pop into a slot.
    WritePop(Slot),
    /// Push an argument.
    ReadArgument(u16),
    /// Store in an argument.
    WriteArgument(u16),
    /// Bind the bound slots that end with `last`: to `values` from the stack, those
    /// behind them to NIL.
    Bind {
        /// How many values are on the stack.
        values: u8,
        /// How many slots behind those become NIL.
        nils: u8,
        /// Index of the last bound slot.
        last: u16,
    },
    /// Cut the evaluation stack to a depth, perhaps keeping the top.
    Unwind {
        /// Cells that stay.
        depth: u16,
        /// Whether the top stays as well.
        keep: bool,
    },
    /// Push the place of a label, counted from the function header.
    Resume(Label),
    /// A jump.
    Jump(Jump, Label),
    /// A place to jump to.
    Label(Label),
    /// An instruction as a program writes it, and what it pops and pushes.
    Raw {
        /// The instruction.
        opcode: Opcode,
        /// Its operands.
        operands: Vec<Operand>,
        /// Cells it takes.
        pops: u16,
        /// Cells it leaves.
        pushes: u16,
    },
}

/// A function in instructions.
#[derive(Clone, Debug)]
pub struct Assembly {
    /// Frame name.
    pub name: Symbol,
    /// See [`Code::arguments`].
    pub arguments: Option<u16>,
    /// See [`Code::parameters`].
    pub parameters: Vec<Symbol>,
    /// How many local slots there are.
    pub locals: u16,
    /// How many bound slots there are.
    pub bound: u16,
    /// Arguments that are seen by name.
    pub published_arguments: Vec<(Symbol, u16)>,
    /// Bound slots that are seen by name, in the order of the name table.
    pub published_bound: Vec<(Symbol, u16)>,
    /// Free variables in order.
    pub free: Vec<Symbol>,
    /// The instructions.
    pub items: Vec<Item>,
    /// Where the function was written.
    pub place: Place,
}

/// Slots and arguments are addressed by a word offset in a byte.
const MAX_SLOTS: u32 = 128;
/// Slots are allotted in pairs.
const SLOTS_PER_QUAD: u32 = 2;
/// Cells between the slots and the evaluation stack.
const PADDING_CELLS: u32 = 2;

/// Makes the code of a function for symbols of `atom_bytes` bytes.
pub fn assemble(mut assembly: Assembly, atom_bytes: u32) -> Result<Code, Error> {
    let frame = Frame::of(&assembly)?;
    let layout = sizes::lay_out(&assembly, &frame, atom_bytes)?;
    let stack_words = effect::stack_words(&assembly, &frame);
    let items = std::mem::take(&mut assembly.items);
    let (bytes, references) = bytes::encode(items, &layout, &frame, atom_bytes);
    let bound = assembly
        .published_bound
        .iter()
        .map(|(name, index)| Published {
            name: name.clone(),
            is_argument: false,
            index: frame.number(Slot::Bound(*index)) as u8,
        });
    let arguments = assembly
        .published_arguments
        .iter()
        .map(|(name, index)| Published {
            name: name.clone(),
            is_argument: true,
            index: *index as u8,
        });
    Ok(Code {
        name: assembly.name,
        arguments: assembly.arguments,
        parameters: assembly.parameters,
        locals: (assembly.locals + assembly.bound) as u8,
        published: bound.chain(arguments).collect(),
        free: assembly.free,
        stack_words,
        bytes,
        references,
        place: Some(assembly.place),
    })
}

/// The PVAR slots of a function.
struct Frame {
    locals: u32,
    bound: u32,
    slots: u32,
}

impl Frame {
    fn of(assembly: &Assembly) -> Result<Self, Error> {
        let frame = Self {
            locals: assembly.locals.into(),
            bound: assembly.bound.into(),
            slots: u32::from(assembly.locals)
                + u32::from(assembly.bound)
                + assembly.free.len() as u32,
        };
        if frame.slots > MAX_SLOTS {
            return Err(Error::new(
                &assembly.place,
                format!(
                    "the function {} needs {} variables; at most {MAX_SLOTS} are possible",
                    assembly.name, frame.slots
                ),
            ));
        }
        Ok(frame)
    }

    /// The number of a slot.
    fn number(&self, slot: Slot) -> u32 {
        match slot {
            Slot::Local(index) => index.into(),
            Slot::Bound(index) => self.locals + u32::from(index),
            Slot::Free(index) => self.locals + self.bound + u32::from(index),
        }
    }

    /// Cells from slot 0 to the evaluation stack.
    fn cells(&self) -> u32 {
        self.slots.next_multiple_of(SLOTS_PER_QUAD) + PADDING_CELLS
    }
}
