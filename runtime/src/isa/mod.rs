//! The instruction set.
//!
//! `opcodes.rs` holds one list of all 256 instructions. From it come, here, the
//! enumeration [`Opcode`] and the table [`OPCODES`]; [`decode`] and [`disasm`]
//! read code with the table; `reference` writes it down for people. The
//! interpreter and the compiler make their tables from the same list with
//! `for_each_opcode!`. [`sub_opcodes`] has the smaller lists: instructions with
//! a second opcode byte, services, array element types.
//!
//! Opcode numbers and meanings are the same in both image generations. Symbol
//! and pointer operands have 3 bytes in one and 4 in the other, so everything
//! that depends on lengths takes `atom_bytes`, 3 or 4.

pub mod decode;
pub mod disasm;
pub(crate) mod opcodes;
#[cfg(test)]
pub(crate) mod reference;
pub mod sub_opcodes;

use std::fmt;

use opcodes::for_each_opcode;

/// What an instruction belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Array elements.
    Array,
    /// Binding of local variables.
    Bind,
    /// Calls.
    Call,
    /// Comparison.
    Compare,
    /// Constants.
    Const,
    /// Arithmetic on floats.
    Float,
    /// Free variables of a frame.
    FreeVar,
    /// Reference counts.
    Gc,
    /// Value cells of symbols.
    Global,
    /// Arithmetic that is integer first.
    Integer,
    /// Jumps.
    Jump,
    /// List cells.
    List,
    /// Raw memory.
    Memory,
    /// What fits nowhere else.
    Misc,
    /// Return.
    Return,
    /// Shuffling of the evaluation stack.
    Stack,
    /// Services of the machine.
    Subr,
    /// Type tests.
    Type,
    /// Unassigned, or assigned and never implemented.
    Undefined,
    /// Reading of arguments and locals.
    VarRead,
    /// Writing of arguments and locals.
    VarWrite,
}

impl Kind {
    /// A phrase for documentation.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Array => "array",
            Self::Bind => "binding",
            Self::Call => "call",
            Self::Compare => "comparison",
            Self::Const => "constant",
            Self::Float => "float",
            Self::FreeVar => "free variable",
            Self::Gc => "reference count",
            Self::Global => "global variable",
            Self::Integer => "integer",
            Self::Jump => "jump",
            Self::List => "list",
            Self::Memory => "memory",
            Self::Misc => "miscellaneous",
            Self::Return => "return",
            Self::Stack => "stack",
            Self::Subr => "service",
            Self::Type => "type",
            Self::Undefined => "undefined",
            Self::VarRead => "variable",
            Self::VarWrite => "variable store",
        }
    }
}

/// Where an instruction looks at interrupts and the stack limit. Unless it says
/// otherwise it does so before it has changed anything, and starts again afterwards.
/// A trap looks as a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Poll {
    /// Nowhere.
    No,
    /// When the jump is taken.
    Taken,
    /// Before the callee's frame is built.
    Call,
    /// In the frame returned to.
    Return,
    /// At each element of a list.
    Loop,
    /// When its work is done, in the frame that runs then.
    After,
}

/// What an instruction may do to the heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Heap {
    /// Neither allocate nor count.
    No,
    /// Allocate cells.
    Alloc,
    /// Change reference counts.
    Refs,
    /// Both.
    AllocRefs,
}

impl Heap {
    /// Whether the instruction may allocate.
    pub const fn allocates(self) -> bool {
        matches!(self, Self::Alloc | Self::AllocRefs)
    }

    /// Whether the instruction may change reference counts.
    pub const fn counts(self) -> bool {
        matches!(self, Self::Refs | Self::AllocRefs)
    }
}

/// How an inline operand is encoded. All have their high byte first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperandKind {
    /// One byte, unsigned.
    U8,
    /// One byte, signed: a displacement from the opcode byte.
    I8,
    /// Two bytes, unsigned.
    U16,
    /// Two bytes, signed: a displacement from the opcode byte.
    I16,
    /// A symbol: 3 or 4 bytes.
    Atom,
    /// Any pointer: 3 or 4 bytes.
    Ptr,
}

impl OperandKind {
    /// Number of bytes.
    pub const fn size(self, atom_bytes: u32) -> u32 {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::Atom | Self::Ptr => atom_bytes,
        }
    }

    /// The name in the list.
    pub const fn name(self) -> &'static str {
        match self {
            Self::U8 => "u8",
            Self::I8 => "i8",
            Self::U16 => "u16",
            Self::I16 => "i16",
            Self::Atom => "atom",
            Self::Ptr => "ptr",
        }
    }
}

/// An inline operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperandInfo {
    /// What it says.
    pub name: &'static str,
    /// How it is encoded.
    pub kind: OperandKind,
}

/// A trap: the Lisp function that does what the machine does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ufn {
    /// Name of the function in the UFN table.
    pub function: &'static str,
    /// Number of operand bytes passed as an extra argument, in the 24-bit
    /// generation; see [`Ufn::operand_bytes`].
    pub bytes: u8,
    /// Number of arguments, the operand included.
    pub arguments: u8,
    /// When the instruction traps.
    pub when: &'static str,
}

impl Ufn {
    /// Number of operand bytes passed as an extra argument.
    pub const fn operand_bytes(&self, atom_bytes: u32) -> u32 {
        match self.bytes {
            3 => atom_bytes,
            bytes => bytes as u32,
        }
    }
}

/// All that is known of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpcodeInfo {
    /// The instruction.
    pub opcode: Opcode,
    /// Name in the Lisp assembler; unique except for `unused`.
    pub name: &'static str,
    /// What it belongs to.
    pub kind: Kind,
    /// Inline operands in order.
    pub operands: &'static [OperandInfo],
    /// Stack before -- after, top of stack at the right.
    pub stack: &'static str,
    /// Where it looks at interrupts.
    pub poll: Poll,
    /// What it may do to the heap.
    pub heap: Heap,
    /// Function of the interpreter; `ufn` always traps.
    pub handler: &'static str,
    /// Parameter of that function: the number that the opcode itself encodes.
    pub parameter: Option<u8>,
    /// What it does.
    pub summary: &'static str,
    /// Where it traps, if ever.
    pub ufn: Option<Ufn>,
}

impl OpcodeInfo {
    /// Whether the machine never executes the instruction itself.
    pub fn always_traps(&self) -> bool {
        self.handler == "ufn"
    }
}

/// The operand kind with this name in the list.
macro_rules! operand_kind {
    (u8) => {
        OperandKind::U8
    };
    (i8) => {
        OperandKind::I8
    };
    (u16) => {
        OperandKind::U16
    };
    (i16) => {
        OperandKind::I16
    };
    (atom) => {
        OperandKind::Atom
    };
    (ptr) => {
        OperandKind::Ptr
    };
}

/// `Some` of what is there.
macro_rules! optional {
    () => {
        None
    };
    ($value:expr) => {
        Some($value)
    };
}

macro_rules! define_opcodes {
    ($(
        $code:literal $Variant:ident $name:literal $kind:ident
        [$($operand:ident: $encoding:ident),*] $stack:literal $poll:ident $heap:ident
        exec: $exec:ident $(($parameter:literal))? $summary:literal
        $(ufn: $function:literal $bytes:literal $arguments:literal $when:literal)?;
    )*) => {
        /// An instruction. Every byte is one, so [`Opcode::from`] cannot fail.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Opcode {
            $(
                #[doc = concat!("`", $name, "`: ", $summary)]
                $Variant = $code,
            )*
        }

        impl Opcode {
            /// All instructions in order of their codes.
            pub const ALL: [Self; 256] = [$(Self::$Variant),*];
        }

        impl From<u8> for Opcode {
            /// The instruction with this code. No test remains in optimised code.
            #[inline(always)]
            fn from(code: u8) -> Self {
                match code {
                    $($code => Self::$Variant,)*
                }
            }
        }

        /// The list as a table, indexed by code.
        pub static OPCODES: [OpcodeInfo; 256] = [$(
            OpcodeInfo {
                opcode: Opcode::$Variant,
                name: $name,
                kind: Kind::$kind,
                operands: &[$(OperandInfo {
                    name: stringify!($operand),
                    kind: operand_kind!($encoding),
                }),*],
                stack: $stack,
                poll: Poll::$poll,
                heap: Heap::$heap,
                handler: stringify!($exec),
                parameter: optional!($($parameter)?),
                summary: $summary,
                ufn: optional!($(Ufn {
                    function: $function,
                    bytes: $bytes,
                    arguments: $arguments,
                    when: $when,
                })?),
            },
        )*];
    };
}
for_each_opcode!(define_opcodes);

/// For each code, the bytes of the opcode and of operands with a fixed size, and
/// the number of symbol and pointer operands.
const SIZES: [(u8, u8); 256] = {
    let mut sizes = [(1, 0); 256];
    let mut code = 0;
    while code < sizes.len() {
        let operands = OPCODES[code].operands;
        let mut index = 0;
        while index < operands.len() {
            match operands[index].kind {
                OperandKind::Atom | OperandKind::Ptr => sizes[code].1 += 1,
                kind => sizes[code].0 += kind.size(0) as u8,
            }
            index += 1;
        }
        code += 1;
    }
    sizes
};

impl Opcode {
    /// What is known of the instruction.
    #[inline]
    pub const fn info(self) -> &'static OpcodeInfo {
        &OPCODES[self as usize]
    }

    /// Length in bytes, the opcode included. `atom_bytes` is 3 in the 24-bit
    /// generation, 4 in the 28-bit generation.
    #[inline]
    pub const fn length(self, atom_bytes: u32) -> u32 {
        let (fixed, wide) = SIZES[self as usize];
        fixed as u32 + wide as u32 * atom_bytes
    }

    /// The displacement that is part of JUMP0 to JUMP15.
    pub fn short_jump(self) -> Option<i32> {
        match self.info().handler {
            "jump" => self.encoded_displacement(),
            _ => None,
        }
    }

    /// The displacement that is part of JUMP0 to JUMP15, FJUMP0 to FJUMP15, TJUMP0
    /// to TJUMP15.
    fn encoded_displacement(self) -> Option<i32> {
        let info = self.info();
        let parameter = info.parameter.filter(|_| info.kind == Kind::Jump)?;
        Some(i32::from(parameter) + 2)
    }

    /// Name in the Lisp assembler.
    #[inline]
    pub const fn name(self) -> &'static str {
        self.info().name
    }
}

impl fmt::Display for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// What the interpreter makes of the list: code, handler, parameter.
    macro_rules! handler_table {
        ($(
            $code:literal $Variant:ident $name:literal $kind:ident
            [$($operand:ident: $encoding:ident),*] $stack:literal $poll:ident $heap:ident
            exec: $exec:ident $(($parameter:literal))? $summary:literal
            $(ufn: $($ufn:literal)+)?;
        )*) => {
            [$(($code, stringify!($exec), optional!($($parameter)?))),*]
        };
    }

    #[test]
    fn another_callback_sees_all_rows() {
        let table: [(u8, &str, Option<u8>); 256] = for_each_opcode!(handler_table);
        assert_eq!(table[0x01], (0x01, "car", None));
        assert_eq!(table[0x43], (0x43, "ivar", Some(3)));
        assert_eq!(table[0xAF], (0xAF, "tjump", Some(15)));
        assert_eq!(table[0xFC], (0xFC, "ufn", None));
    }

    #[test]
    fn rows_are_in_order() {
        for (code, info) in OPCODES.iter().enumerate() {
            assert_eq!(info.opcode as usize, code);
            assert_eq!(Opcode::from(code as u8), info.opcode);
            assert_eq!(info.opcode.info(), info);
        }
        assert!(
            Opcode::ALL
                .iter()
                .eq(OPCODES.iter().map(|info| &info.opcode))
        );
    }

    #[test]
    fn lengths_in_both_generations() {
        for (opcode, three, four) in [
            (Opcode::EndOfCode, 1, 1),
            (Opcode::Car, 1, 1),
            (Opcode::Typep, 2, 2),
            (Opcode::Dtest, 4, 5),
            (Opcode::Unwind, 3, 3),
            (Opcode::Fn0, 4, 5),
            (Opcode::FnX, 5, 6),
            (Opcode::Miscn, 3, 3),
            (Opcode::SicX, 3, 3),
            (Opcode::Gconst, 4, 5),
            (Opcode::SubrCall, 3, 3),
            (Opcode::Jump5, 1, 1),
            (Opcode::JumpXX, 3, 3),
            (Opcode::GetBitsNFd, 3, 3),
            (Opcode::InstanceP, 4, 5),
            (Opcode::NumEqual, 1, 1),
        ] {
            assert_eq!(opcode.length(3), three, "{opcode}");
            assert_eq!(opcode.length(4), four, "{opcode}");
        }
    }

    #[test]
    fn only_plain_jumps_are_short_jumps() {
        assert_eq!(Opcode::Jump0.short_jump(), Some(2));
        assert_eq!(Opcode::Jump15.short_jump(), Some(17));
        for opcode in [
            Opcode::FJump0,
            Opcode::TJump15,
            Opcode::JumpX,
            Opcode::Ivar0,
        ] {
            assert_eq!(opcode.short_jump(), None);
        }
    }

    #[test]
    fn names_are_unique() {
        let mut seen = HashMap::new();
        for info in OPCODES.iter().filter(|info| info.name != "unused") {
            assert_eq!(seen.insert(info.name, info.opcode), None, "{}", info.name);
        }
    }

    #[test]
    fn rows_agree_with_themselves() {
        for info in &OPCODES {
            let opcode = info.opcode;
            assert!(info.stack.contains("--"), "{opcode}");
            assert!(info.operands.len() <= decode::MAX_OPERANDS, "{opcode}");
            match info.ufn {
                None => assert!(!info.always_traps(), "{opcode} traps nowhere"),
                Some(ufn) => assert_eq!(ufn.when == "always", info.always_traps(), "{opcode}"),
            }
            if let Some(ufn) = info.ufn.filter(|_| opcode != Opcode::DoveMisc) {
                for atom_bytes in [3, 4] {
                    let operands = opcode.length(atom_bytes) - 1;
                    assert_eq!(ufn.operand_bytes(atom_bytes), operands, "{opcode}");
                }
            }
            let displacement =
                |operand: &OperandInfo| matches!(operand.kind, OperandKind::I8 | OperandKind::I16);
            let jumps = info.operands.iter().any(displacement)
                || info.kind == Kind::Jump && info.parameter.is_some();
            assert_eq!(info.kind == Kind::Jump, jumps, "{opcode}");
        }
    }

    #[test]
    fn parameters_count_from_zero_in_each_family() {
        let mut next = HashMap::new();
        for info in &OPCODES {
            if let Some(parameter) = info.parameter {
                let expected = next.entry(info.handler).or_insert(0);
                assert_eq!(parameter, *expected, "{}", info.opcode);
                *expected += 1;
            }
        }
        assert_eq!(next["ivar"], 7);
        assert_eq!(next["jump"], 16);
        assert_eq!(next["fn_call"], 5);
        assert_eq!(next.len(), 9);
    }
}
