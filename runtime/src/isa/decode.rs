//! Reading instructions from bytes.
//!
//! Code is a sequence of instructions that ends at a 0 byte. It is given as bytes
//! in the order in which Lisp sees them, with the offset of the first one from
//! the function header; all offsets here count from the header, as the pc in a
//! frame does.

use std::error::Error;
use std::fmt;

use super::{Opcode, OperandKind};

/// No instruction has more inline operands.
pub const MAX_OPERANDS: usize = 2;

/// The value of an inline operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operand {
    /// An unsigned number.
    Number(u16),
    /// A symbol: its number, or the address of a symbol object.
    Atom(u32),
    /// Any pointer.
    Pointer(u32),
    /// Where a displacement leads. In bad code, perhaps outside of it.
    Target(i32),
}

/// A variable of the running frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LocalKind {
    /// An argument: IVAR.
    Argument,
    /// A local variable: PVAR.
    Local,
    /// A PVAR slot that caches where a free variable is: FVAR.
    Free,
}

/// An instruction at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// Byte offset of the opcode from the function header.
    pub offset: u32,
    /// The instruction.
    pub opcode: Opcode,
    /// Inline operands; those beyond the instruction's own are zero.
    operands: [Operand; MAX_OPERANDS],
}

impl Instruction {
    /// Decodes the instruction at the start of `bytes`, which lies at `offset`.
    /// `None` when there is no byte.
    pub fn decode(bytes: &[u8], offset: u32, atom_bytes: u32) -> Option<Result<Self, Truncated>> {
        let opcode = Opcode::from(*bytes.first()?);
        let length = opcode.length(atom_bytes) as usize;
        let Some(mut rest) = bytes.get(1..length) else {
            return Some(Err(Truncated {
                offset,
                opcode,
                length,
                available: bytes.len(),
            }));
        };
        let mut operands = [Operand::Number(0); MAX_OPERANDS];
        for (operand, info) in operands.iter_mut().zip(opcode.info().operands) {
            let (bytes, tail) = rest.split_at(info.kind.size(atom_bytes) as usize);
            let value = bytes
                .iter()
                .fold(0, |value, &byte| value << 8 | u32::from(byte));
            let target =
                |displacement| Operand::Target(offset.wrapping_add_signed(displacement) as i32);
            *operand = match info.kind {
                OperandKind::U8 | OperandKind::U16 => Operand::Number(value as u16),
                OperandKind::I8 => target(i32::from(value as u8 as i8)),
                OperandKind::I16 => target(i32::from(value as u16 as i16)),
                OperandKind::Atom => Operand::Atom(value),
                OperandKind::Ptr => Operand::Pointer(value),
            };
            rest = tail;
        }
        Some(Ok(Self {
            offset,
            opcode,
            operands,
        }))
    }

    /// The inline operands, in the order of `opcode.info().operands`.
    pub fn operands(&self) -> &[Operand] {
        &self.operands[..self.opcode.info().operands.len()]
    }

    /// Inline operand `index` when it is a number.
    pub fn number(&self, index: usize) -> Option<u16> {
        match self.operands().get(index) {
            Some(&Operand::Number(number)) => Some(number),
            _ => None,
        }
    }

    /// Length in bytes.
    pub fn length(&self, atom_bytes: u32) -> u32 {
        self.opcode.length(atom_bytes)
    }

    /// Where a jump leads, whether the displacement is an operand or part of the
    /// opcode. `None` for all other instructions.
    pub fn target(&self) -> Option<i32> {
        if let Some(&Operand::Target(target)) = self.operands().first() {
            return Some(target);
        }
        let displacement = self.opcode.encoded_displacement()?;
        Some(self.offset.wrapping_add_signed(displacement) as i32)
    }

    /// The variable that the instruction reads or writes, and its number, whether
    /// that is an operand (a word offset) or part of the opcode.
    pub fn local(&self) -> Option<(LocalKind, u16)> {
        let kind = match self.opcode.info().handler {
            "ivar" | "ivarx" | "ivarx_set" => LocalKind::Argument,
            "pvar" | "pvarx" | "pvar_set" | "pvarx_set" | "pvar_set_pop" => LocalKind::Local,
            "fvar" | "fvarx" | "fvarx_set" => LocalKind::Free,
            _ => return None,
        };
        let index = match self.opcode.info().parameter {
            Some(parameter) => u16::from(parameter),
            None => self.number(0)? / 2,
        };
        Some((kind, index))
    }

    /// What a BIND binds.
    pub fn binding(&self) -> Option<Binding> {
        let (Opcode::Bind, Some(counts), Some(last)) =
            (self.opcode, self.number(0), self.number(1))
        else {
            return None;
        };
        Some(Binding {
            values: counts & 15,
            nils: counts >> 4,
            last,
        })
    }
}

/// The operands of a BIND. It binds `values + nils` neighbouring locals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Number of locals bound to values from the stack: the lower ones.
    pub values: u16,
    /// Number of locals bound to NIL: the upper ones.
    pub nils: u16,
    /// The highest local bound.
    pub last: u16,
}

impl Binding {
    /// Number of locals bound, as counted by the mark.
    pub fn count(self) -> u16 {
        self.values + self.nils
    }

    /// The lowest local bound. In bad code, perhaps below 0.
    pub fn first(self) -> i32 {
        i32::from(self.last) + 1 - i32::from(self.count())
    }
}

/// The bytes end inside of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truncated {
    /// Where the instruction starts.
    pub offset: u32,
    /// The instruction.
    pub opcode: Opcode,
    /// Its length.
    pub length: usize,
    /// How many of its bytes there are.
    pub available: usize,
}

impl fmt::Display for Truncated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            offset,
            opcode,
            length,
            available,
        } = self;
        write!(
            f,
            "the code ends inside of {opcode} at byte {offset}: {available} of {length} bytes"
        )
    }
}

impl Error for Truncated {}

/// Reads instruction after instruction, up to the end-of-code byte, the end of
/// the bytes, or the first error.
#[derive(Clone, Debug)]
pub struct Decoder<'a> {
    bytes: &'a [u8],
    offset: u32,
    atom_bytes: u32,
}

impl<'a> Decoder<'a> {
    /// Reads `bytes`, the first of which lies at `offset` from the function
    /// header. `atom_bytes` is 3 or 4.
    pub fn new(bytes: &'a [u8], offset: u32, atom_bytes: u32) -> Self {
        debug_assert!(matches!(atom_bytes, 3 | 4));
        Self {
            bytes,
            offset,
            atom_bytes,
        }
    }

    /// Offset of the next instruction; at the end, of the end-of-code byte.
    pub fn offset(&self) -> u32 {
        self.offset
    }
}

impl Iterator for Decoder<'_> {
    type Item = Result<Instruction, Truncated>;

    fn next(&mut self) -> Option<Self::Item> {
        let decoded = Instruction::decode(self.bytes, self.offset, self.atom_bytes)?;
        match decoded {
            Ok(instruction) if instruction.opcode == Opcode::EndOfCode => return None,
            Ok(instruction) => {
                let length = instruction.length(self.atom_bytes);
                self.bytes = &self.bytes[length as usize..];
                self.offset = self.offset.wrapping_add(length);
            }
            Err(_) => self.bytes = &[],
        }
        Some(decoded)
    }
}

impl std::iter::FusedIterator for Decoder<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::OPCODES;

    fn one(bytes: &[u8], offset: u32, atom_bytes: u32) -> Instruction {
        Instruction::decode(bytes, offset, atom_bytes)
            .expect("bytes")
            .expect("a whole instruction")
    }

    #[test]
    fn operands_of_every_kind() {
        let operands = |bytes: &[u8], atom_bytes| one(bytes, 100, atom_bytes).operands().to_vec();
        assert_eq!(operands(&[0x05, 0xFE], 3), [Operand::Number(0xFE)]);
        assert_eq!(operands(&[0x6E, 0x12, 0x34], 3), [Operand::Number(0x1234)]);
        assert_eq!(operands(&[0xB0, 0xF0], 3), [Operand::Target(84)]);
        assert_eq!(operands(&[0xB1, 0x01, 0x00], 3), [Operand::Target(356)]);
        assert_eq!(operands(&[0xB1, 0xFF, 0x00], 3), [Operand::Target(-156)]);
        assert_eq!(
            operands(&[0x0D, 6, 0x12, 0x34, 0x56], 3),
            [Operand::Number(6), Operand::Atom(0x123456)]
        );
        assert_eq!(
            operands(&[0x0D, 6, 0x0A, 0x12, 0x34, 0x56], 4),
            [Operand::Number(6), Operand::Atom(0x0A123456)]
        );
        assert_eq!(
            operands(&[0x6F, 0x12, 0x34, 0x56], 3),
            [Operand::Pointer(0x123456)]
        );
        assert_eq!(operands(&[0x01], 3), []);
    }

    #[test]
    fn jumps_with_the_displacement_in_the_opcode() {
        assert_eq!(one(&[0x80], 40, 3).target(), Some(42));
        assert_eq!(one(&[0x9F], 40, 3).target(), Some(57));
        assert_eq!(one(&[0xA5], 40, 3).target(), Some(47));
        assert_eq!(one(&[0xB5, 0xFE], 40, 3).target(), Some(38));
        assert_eq!(one(&[0x40], 40, 3).target(), None);
        for info in &OPCODES {
            let bytes = [info.opcode as u8, 0, 0, 0, 0, 0];
            let jumps = info.kind == crate::isa::Kind::Jump;
            assert_eq!(
                one(&bytes, 40, 4).target().is_some(),
                jumps,
                "{}",
                info.name
            );
        }
    }

    #[test]
    fn variables_of_the_frame() {
        let local = |bytes: &[u8]| one(bytes, 0, 3).local();
        assert_eq!(local(&[0x43]), Some((LocalKind::Argument, 3)));
        assert_eq!(local(&[0x62, 14]), Some((LocalKind::Argument, 7)));
        assert_eq!(local(&[0x4F, 16]), Some((LocalKind::Local, 8)));
        assert_eq!(local(&[0xBE]), Some((LocalKind::Local, 6)));
        assert_eq!(local(&[0x50]), Some((LocalKind::Free, 0)));
        assert_eq!(local(&[0x63, 2]), Some((LocalKind::Free, 1)));
        assert_eq!(local(&[0x60, 0, 0, 1]), None);
        for info in &OPCODES {
            let bytes = [info.opcode as u8, 0, 0, 0, 0, 0];
            let named = ["IVAR", "PVAR", "FVAR"]
                .iter()
                .any(|prefix| info.name.starts_with(prefix));
            assert_eq!(one(&bytes, 0, 4).local().is_some(), named, "{}", info.name);
        }
    }

    #[test]
    fn bindings() {
        let binding = one(&[0x11, 0x23, 7], 0, 3).binding().expect("a BIND");
        assert_eq!((binding.values, binding.nils, binding.last), (3, 2, 7));
        assert_eq!((binding.first(), binding.count()), (3, 5));
        let wrong = one(&[0x11, 0xFF, 0], 0, 3).binding().expect("a BIND");
        assert_eq!(wrong.first(), -29);
    }

    #[test]
    fn stops_at_the_end_of_code() {
        let mut decoder = Decoder::new(&[0x40, 0x10, 0x00, 0x41], 16, 3);
        let opcodes: Vec<_> = decoder
            .by_ref()
            .map(|instruction| instruction.expect("whole").opcode)
            .collect();
        assert_eq!(opcodes, [Opcode::Ivar0, Opcode::Return]);
        assert_eq!(decoder.offset(), 18);
        assert_eq!(decoder.next(), None);
        assert_eq!(Decoder::new(&[0xBF], 0, 3).count(), 1);
        assert_eq!(Decoder::new(&[], 0, 3).count(), 0);
    }

    #[test]
    fn a_truncated_instruction_is_an_error() {
        let mut decoder = Decoder::new(&[0x40, 0x08, 0x00, 0x00], 16, 3);
        assert!(decoder.next().is_some_and(|item| item.is_ok()));
        let error = Truncated {
            offset: 17,
            opcode: Opcode::Fn0,
            length: 4,
            available: 3,
        };
        assert_eq!(decoder.next(), Some(Err(error)));
        assert_eq!(decoder.next(), None);
        assert_eq!(
            error.to_string(),
            "the code ends inside of FN0 at byte 17: 3 of 4 bytes"
        );
    }

    /// Whatever the bytes, decoding ends, covers them without gaps, and answers
    /// what the accessors accept.
    #[test]
    fn random_bytes_decode() {
        let mut seed = 0x2545_F491_4F6C_DD1D_u64;
        let mut next = || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed
        };
        for _ in 0..2_000 {
            let bytes: Vec<u8> = (0..next() % 64).map(|_| (next() >> 32) as u8).collect();
            let start = next() as u32;
            for atom_bytes in [3, 4] {
                let mut offset = start;
                for item in Decoder::new(&bytes, start, atom_bytes) {
                    let Ok(instruction) = item else { break };
                    assert_eq!(instruction.offset, offset);
                    let length = instruction.length(atom_bytes);
                    offset = offset.wrapping_add(length);
                    let _ = (instruction.target(), instruction.local());
                    let _ = instruction.binding().map(Binding::first);
                }
                assert!(offset.wrapping_sub(start) as usize <= bytes.len());
            }
        }
    }
}
