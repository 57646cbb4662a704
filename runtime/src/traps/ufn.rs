//! Traps: an instruction that cannot be done becomes a call of a Lisp function
//! (`reference/processor.md` section 13).

use crate::fault::Fault;
use crate::layout::Generation;
use crate::machine::Machine;
use crate::memory::LispPtr;

/// The call that a trapping instruction makes.
pub(crate) struct Trap {
    /// The Lisp function, a symbol.
    pub function: LispPtr,
    /// Arguments, the pushed operand included.
    pub arguments: u16,
    /// The operand to push.
    pub operand: Option<LispPtr>,
    /// Bytes of the instruction.
    pub length: u16,
}

impl<G: Generation> Machine<'_, G> {
    /// The trap of the instruction at the pc.
    pub(crate) fn trap_at_pc(&self) -> Result<Trap, Fault> {
        let pc = self.regs.pc;
        let opcode = self.mem.code(pc, 0);
        let entry = self.mem.cell(G::UFN_TABLE.add(2 * u32::from(opcode)));
        let bytes = (entry.lo() >> 8) as u8;
        let mut value = 0u32;
        for n in 1..=u32::from(bytes.min(4)) {
            value = value << 8 | u32::from(self.mem.code(pc, n));
        }
        let operand = match bytes {
            0 => None,
            1 | 2 => Some(LispPtr::smallpos(value as u16)),
            3 | 4 if value >> 16 != 0 => Some(LispPtr(value)),
            3 | 4 => Some(LispPtr::smallpos(value as u16)),
            _ => return Err(Fault::BadTrapEntry { opcode, bytes }),
        };
        Ok(Trap {
            function: LispPtr(u32::from(entry.hi())),
            arguments: entry.lo() & 0xFF,
            operand,
            length: u16::from(bytes) + 1,
        })
    }
}
