//! Items as bytes.

use geiko_runtime::isa::Opcode;
use num_bigint::BigInt;

use super::sizes::Layout;
use super::{Frame, Item, Jump, Operand, Slot};
use crate::code::{Reference, Target};
use crate::datum::{Datum, Symbol};

/// Short forms of variable access exist for this many slots.
const SHORT_SLOTS: u32 = 7;
/// Displacements of the jumps of one byte.
pub(super) const SHORTEST: i32 = 2;
pub(super) const LONGEST_SHORT: i32 = 17;

/// How a jump is written.
pub(super) struct Forms {
    /// The first of the instructions with the displacement in them.
    pub short: Option<Opcode>,
    /// With a byte.
    pub byte: Opcode,
    /// Around a long jump.
    pub far: Far,
}

/// What stands around a long jump.
pub(super) struct Far {
    pub before: &'static [Opcode],
    pub behind: &'static [Opcode],
}

impl Far {
    /// Bytes of the whole.
    pub fn size(&self) -> u32 {
        self.before.len() as u32 + Opcode::JumpXX.length(0) + self.behind.len() as u32
    }
}

impl Jump {
    pub(super) const fn forms(self) -> Forms {
        const fn far(before: &'static [Opcode], behind: &'static [Opcode]) -> Far {
            Far { before, behind }
        }
        let (short, byte, far) = match self {
            Self::Always => (Some(Opcode::Jump0), Opcode::JumpX, far(&[], &[])),
            Self::IfNil => (
                Some(Opcode::FJump0),
                Opcode::FJumpX,
                far(&[Opcode::TJump2], &[]),
            ),
            Self::IfTrue => (
                Some(Opcode::TJump0),
                Opcode::TJumpX,
                far(&[Opcode::FJump2], &[]),
            ),
            Self::IfNilKeep => {
                let far = far(&[Opcode::Copy, Opcode::TJump2], &[Opcode::Pop]);
                (None, Opcode::NFJumpX, far)
            }
            Self::IfTrueKeep => {
                let far = far(&[Opcode::Copy, Opcode::FJump2], &[Opcode::Pop]);
                (None, Opcode::NTJumpX, far)
            }
        };
        Forms { short, byte, far }
    }
}

/// The bytes of a function and their references.
pub(super) fn encode(
    items: Vec<Item>,
    layout: &Layout,
    frame: &Frame,
    atom_bytes: u32,
) -> (Vec<u8>, Vec<Reference>) {
    let mut bytes = Bytes {
        bytes: Vec::with_capacity(layout.length() as usize + 1),
        references: Vec::new(),
        atom_bytes,
    };
    for (index, item) in items.into_iter().enumerate() {
        bytes.item(index, item, layout, frame);
    }
    bytes.op(Opcode::EndOfCode);
    (bytes.bytes, bytes.references)
}

/// Bytes of an item that is not a jump.
pub(super) fn size(item: &Item, frame: &Frame, atom_bytes: u32) -> u32 {
    let with_byte = |(_, byte): (Opcode, Option<u8>)| 1 + u32::from(byte.is_some());
    match item {
        Item::Op(opcode)
        | Item::Byte(opcode, _)
        | Item::Two(opcode, ..)
        | Item::Symbol(opcode, _)
        | Item::Type(opcode, _)
        | Item::Raw { opcode, .. } => opcode.length(atom_bytes),
        Item::Call(arguments, _) => call_opcode(*arguments).length(atom_bytes),
        Item::Constant(datum) => match constant_form(datum) {
            ConstantForm::Op(_) => 1,
            ConstantForm::Byte(..) => 2,
            ConstantForm::Word(_) => 3,
            ConstantForm::Symbol | ConstantForm::Pointer => 1 + atom_bytes,
        },
        Item::Code(_) | Item::Closure(_) => 1 + atom_bytes,
        Item::Read(slot) => with_byte(read_slot(*slot, frame.number(*slot))),
        Item::Write(slot) => with_byte(write_slot(*slot, frame.number(*slot))),
        Item::WritePop(slot) => match pop_into_slot(*slot, frame.number(*slot)) {
            Some(_) => 1,
            None => 1 + with_byte(write_slot(*slot, frame.number(*slot))),
        },
        Item::ReadArgument(index) => {
            with_byte(variable(Opcode::Ivar0, Opcode::IvarX, (*index).into()))
        }
        Item::WriteArgument(_) => 2,
        Item::Bind { .. } | Item::Unwind { .. } | Item::Resume(_) => 3,
        Item::Jump(..) | Item::Label(_) => 0,
    }
}

/// Which instruction pushes a constant.
enum ConstantForm {
    Op(Opcode),
    Byte(Opcode, u8),
    Word(u16),
    Symbol,
    Pointer,
}

fn constant_form(datum: &Datum) -> ConstantForm {
    let small = |number: &BigInt| i32::try_from(number).ok();
    match datum {
        Datum::Symbol(symbol) if symbol.is("NIL") => ConstantForm::Op(Opcode::Nil),
        Datum::Symbol(symbol) if symbol.is("T") => ConstantForm::Op(Opcode::T),
        Datum::Symbol(_) => ConstantForm::Symbol,
        Datum::Integer(number) => match small(number) {
            Some(0) => ConstantForm::Op(Opcode::Zero),
            Some(1) => ConstantForm::Op(Opcode::One),
            Some(number @ 2..=0xFF) => ConstantForm::Byte(Opcode::Sic, number as u8),
            Some(number @ -0x100..=-1) => ConstantForm::Byte(Opcode::Snic, number as u8),
            Some(number @ 0x100..=0xFFFF) => ConstantForm::Word(number as u16),
            _ => ConstantForm::Pointer,
        },
        _ => ConstantForm::Pointer,
    }
}

/// The instruction that calls with that many arguments.
fn call_opcode(arguments: u8) -> Opcode {
    match arguments {
        0..=4 => Opcode::from(Opcode::Fn0 as u8 + arguments),
        _ => Opcode::FnX,
    }
}

/// An instruction of a family with short forms, or the long form with a word offset.
fn variable(short: Opcode, long: Opcode, number: u32) -> (Opcode, Option<u8>) {
    if number < SHORT_SLOTS {
        (Opcode::from(short as u8 + number as u8), None)
    } else {
        (long, Some((2 * number) as u8))
    }
}

fn read_slot(slot: Slot, number: u32) -> (Opcode, Option<u8>) {
    match slot {
        Slot::Free(_) => variable(Opcode::Fvar0, Opcode::FvarX, number),
        _ => variable(Opcode::Pvar0, Opcode::PvarX, number),
    }
}

fn write_slot(slot: Slot, number: u32) -> (Opcode, Option<u8>) {
    match slot {
        Slot::Free(_) => (Opcode::FvarXSet, Some((2 * number) as u8)),
        _ => variable(Opcode::PvarSet0, Opcode::PvarXSet, number),
    }
}

/// The instruction that stores in a slot and pops, if there is one.
fn pop_into_slot(slot: Slot, number: u32) -> Option<Opcode> {
    match slot {
        Slot::Free(_) => None,
        _ if number < SHORT_SLOTS => Some(Opcode::from(Opcode::PvarSetPop0 as u8 + number as u8)),
        _ => None,
    }
}

/// The code of a function while it grows.
struct Bytes {
    bytes: Vec<u8>,
    references: Vec<Reference>,
    atom_bytes: u32,
}

impl Bytes {
    fn op(&mut self, opcode: Opcode) {
        self.bytes.push(opcode as u8);
    }

    fn with_byte(&mut self, (opcode, byte): (Opcode, Option<u8>)) {
        self.op(opcode);
        self.bytes.extend(byte);
    }

    fn word(&mut self, word: u16) {
        self.bytes.extend(word.to_be_bytes());
    }

    /// Room for an operand that the linker fills in.
    fn reference(&mut self, target: Target, size: u32) {
        self.references.push(Reference {
            offset: self.bytes.len() as u32,
            target,
        });
        self.bytes.resize(self.bytes.len() + size as usize, 0);
    }

    fn symbol(&mut self, opcode: Opcode, symbol: Symbol) {
        self.op(opcode);
        self.reference(Target::Symbol(symbol), self.atom_bytes);
    }

    fn pointer(&mut self, target: Target) {
        self.op(Opcode::Gconst);
        self.reference(target, self.atom_bytes);
    }

    fn item(&mut self, index: usize, item: Item, layout: &Layout, frame: &Frame) {
        match item {
            Item::Op(opcode) => self.op(opcode),
            Item::Byte(opcode, byte) => self.with_byte((opcode, Some(byte))),
            Item::Two(opcode, first, second) => {
                self.op(opcode);
                self.bytes.extend([first, second]);
            }
            Item::Symbol(opcode, symbol) => self.symbol(opcode, symbol),
            Item::Call(arguments, name) => {
                let opcode = call_opcode(arguments);
                self.op(opcode);
                if opcode == Opcode::FnX {
                    self.bytes.push(arguments);
                }
                self.reference(Target::Symbol(name), self.atom_bytes);
            }
            Item::Constant(datum) => self.constant(datum),
            Item::Code(code) => self.pointer(Target::Code(code)),
            Item::Closure(code) => self.pointer(Target::Closure(code)),
            Item::Type(opcode, name) => {
                self.raw(opcode, vec![Operand::Type(name)]);
            }
            Item::Read(slot) => self.with_byte(read_slot(slot, frame.number(slot))),
            Item::Write(slot) => self.with_byte(write_slot(slot, frame.number(slot))),
            Item::WritePop(slot) => match pop_into_slot(slot, frame.number(slot)) {
                Some(opcode) => self.op(opcode),
                None => {
                    self.with_byte(write_slot(slot, frame.number(slot)));
                    self.op(Opcode::Pop);
                }
            },
            Item::ReadArgument(index) => {
                self.with_byte(variable(Opcode::Ivar0, Opcode::IvarX, index.into()));
            }
            Item::WriteArgument(index) => {
                self.with_byte((Opcode::IvarXSet, Some((2 * index) as u8)));
            }
            Item::Bind { values, nils, last } => {
                let last = frame.number(Slot::Bound(last)) as u8;
                self.op(Opcode::Bind);
                self.bytes.extend([nils << 4 | values, last]);
            }
            Item::Unwind { depth, keep } => {
                let cells = frame.cells() + u32::from(depth);
                self.op(Opcode::Unwind);
                self.bytes.extend([cells as u8, keep.into()]);
            }
            Item::Resume(label) => {
                self.op(Opcode::SicX);
                let place = layout.place_of(label) as u16;
                self.reference(Target::Resume(place), 2);
            }
            Item::Jump(jump, label) => {
                self.jump(jump, layout.size(index), layout.displacement(index, label))
            }
            Item::Label(_) => {}
            Item::Raw {
                opcode, operands, ..
            } => self.raw(opcode, operands),
        }
    }

    fn jump(&mut self, jump: Jump, size: u32, displacement: i32) {
        match (jump.forms(), size) {
            (
                Forms {
                    short: Some(short), ..
                },
                1,
            ) => {
                self.op(Opcode::from(short as u8 + (displacement - SHORTEST) as u8));
            }
            (Forms { byte, .. }, 2) => self.with_byte((byte, Some(displacement as u8))),
            (Forms { far, .. }, _) => {
                // A far form ends with the long jump, or with what follows it.
                let before = far.before.len() as i32;
                for &opcode in far.before {
                    self.op(opcode);
                }
                self.op(Opcode::JumpXX);
                self.word((displacement - before) as u16);
                for &opcode in far.behind {
                    self.op(opcode);
                }
            }
        }
    }

    fn raw(&mut self, opcode: Opcode, operands: Vec<Operand>) {
        self.op(opcode);
        for (info, operand) in opcode.info().operands.iter().zip(operands) {
            let size = info.kind.size(self.atom_bytes);
            match (operand, size) {
                (Operand::Number(number), 1) => self.bytes.push(number as u8),
                (Operand::Number(number), _) => self.word(number),
                (Operand::Symbol(symbol), _) => {
                    self.reference(Target::Symbol(symbol), size);
                }
                (Operand::Constant(datum), _) => {
                    self.reference(Target::Constant(datum), size);
                }
                (Operand::Type(name), 1) => self.reference(Target::TypeByte(name), 1),
                (Operand::Type(name), _) => self.reference(Target::TypeWord(name), 2),
            }
        }
    }

    fn constant(&mut self, datum: Datum) {
        match constant_form(&datum) {
            ConstantForm::Op(opcode) => self.op(opcode),
            ConstantForm::Byte(opcode, byte) => self.with_byte((opcode, Some(byte))),
            ConstantForm::Word(word) => {
                self.op(Opcode::SicX);
                self.word(word);
            }
            ConstantForm::Symbol => {
                if let Datum::Symbol(symbol) = datum {
                    self.symbol(Opcode::Aconst, symbol);
                }
            }
            ConstantForm::Pointer => self.pointer(Target::Constant(datum)),
        }
    }
}
