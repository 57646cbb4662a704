//! The instruction set of both image generations.
//!
//! [`opcodes`] holds the one list that everything is generated from: the enum and
//! the facts here, the interpreter's dispatch table, the disassembler and the
//! documentation.

pub(crate) mod opcodes;

use opcodes::for_each_opcode;

/// What an operand byte or group of bytes means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperandKind {
    /// An unsigned byte.
    U8,
    /// A signed byte.
    I8,
    /// An unsigned 16-bit number, high byte first.
    U16,
    /// A signed 16-bit number, high byte first.
    I16,
    /// A symbol: 3 or 4 bytes.
    Atom,
    /// An object: 3 or 4 bytes.
    Ptr,
}

impl OperandKind {
    /// Bytes of the operand; `pointer_bytes` is 3 or 4.
    pub const fn bytes(self, pointer_bytes: u32) -> u32 {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::Atom | Self::Ptr => pointer_bytes,
        }
    }
}

/// Groups of instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Kind {
    ArithFloat,
    ArithInt,
    Array,
    Bind,
    Call,
    Compare,
    Const,
    FreeVar,
    Gc,
    Global,
    Jump,
    List,
    Memory,
    Misc,
    Return,
    Stack,
    Subr,
    Type,
    Undefined,
    VarRead,
    VarWrite,
}

/// Where an instruction looks at the interrupt flag and the stack limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poll {
    /// Nowhere.
    No,
    /// When its jump is taken.
    Taken,
    /// Before the call.
    Call,
    /// After returning.
    Return,
    /// At every element of a list scan.
    Loop,
    /// After it.
    After,
}

/// An entry of the UFN table of the images, and when it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trap {
    /// Lisp function.
    pub function: &'static str,
    /// Operand bytes that become an argument.
    pub operand_bytes: u8,
    /// Arguments, that one included.
    pub arguments: u8,
    /// When the instruction traps; empty for never.
    pub when: &'static str,
}

/// The facts about an opcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpcodeInfo {
    /// Name in the Lisp assembler.
    pub name: &'static str,
    /// Group.
    pub kind: Kind,
    /// Operands: name and kind, in order.
    pub operands: &'static [(&'static str, OperandKind)],
    /// Stack before and after, the top at the right.
    pub stack: &'static str,
    /// Where it polls.
    pub poll: Poll,
    /// Trap to Lisp.
    pub trap: Trap,
    /// The interpreter's handler; `ufn` if the instruction always traps.
    pub handler: &'static str,
    /// One sentence.
    pub summary: &'static str,
}

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

macro_rules! define {
    ($( $code:literal $variant:ident $name:literal $kind:ident
        ($($operand:ident: $operand_kind:ident),*) $stack:literal $poll:ident
        ($function:literal, $bytes:literal, $arguments:literal, $when:literal)
        => $handler:ident $(($parameter:literal))? $summary:literal; )*) => {
        /// An opcode. All 256 exist.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Opcode {
            $( #[doc = concat!("`", $name, "`: ", $summary)] $variant = $code, )*
        }

        impl Opcode {
            /// All opcodes in order.
            pub const ALL: [Self; 256] = [$( Self::$variant, )*];
        }

        const INFO: [OpcodeInfo; 256] = [$( OpcodeInfo {
            name: $name,
            kind: Kind::$kind,
            operands: &[$( (stringify!($operand), operand_kind!($operand_kind)), )*],
            stack: $stack,
            poll: Poll::$poll,
            trap: Trap {
                function: $function,
                operand_bytes: $bytes,
                arguments: $arguments,
                when: $when,
            },
            handler: stringify!($handler),
            summary: $summary,
        }, )*];
    };
}

for_each_opcode!(define);

impl From<u8> for Opcode {
    fn from(code: u8) -> Self {
        Self::ALL[usize::from(code)]
    }
}

impl Opcode {
    /// The facts.
    pub const fn info(self) -> &'static OpcodeInfo {
        &INFO[self as usize]
    }

    /// Bytes of an instruction, the opcode included; `pointer_bytes` is 3 or 4.
    pub const fn length(self, pointer_bytes: u32) -> u32 {
        let operands = self.info().operands;
        let mut length = 1;
        let mut n = 0;
        while n < operands.len() {
            length += operands[n].1.bytes(pointer_bytes);
            n += 1;
        }
        length
    }

    /// The displacement of JUMP0 to JUMP15.
    pub const fn short_jump(self) -> Option<i32> {
        let distance = self as i32 - Self::Jump0 as i32;
        if 0 <= distance && distance <= 15 {
            Some(distance + 2)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opcodes_are_numbered_in_order() {
        for (code, opcode) in Opcode::ALL.iter().enumerate() {
            assert_eq!(code, *opcode as usize);
        }
    }

    #[test]
    fn lengths_follow_from_operands() {
        for (opcode, medley2, medley3) in [
            (Opcode::Car, 1, 1),
            (Opcode::Fn1, 4, 5),
            (Opcode::FnX, 5, 6),
            (Opcode::GetBits, 3, 3),
            (Opcode::JumpXX, 3, 3),
            (Opcode::Gconst, 4, 5),
        ] {
            assert_eq!(opcode.length(3), medley2);
            assert_eq!(opcode.length(4), medley3);
        }
    }

    #[test]
    fn always_trapping_opcodes_have_the_trap_handler() {
        for opcode in Opcode::ALL {
            let info = opcode.info();
            assert_eq!(
                info.handler == "ufn",
                info.trap.when == "always",
                "{opcode:?}"
            );
        }
    }
}
