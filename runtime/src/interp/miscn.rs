//! MISCN: instructions by sub-opcode.

use super::{State, handler};
use crate::isa::sub_opcodes::Miscn;
use crate::layout::Generation;
use crate::machine::Machine;
use crate::memory::LispPtr;
use crate::subr::Outcome;

/// Sub-opcodes that the machine does; the others trap.
mod sub {
    pub const USER_SUBR: u8 = 0;
    pub const VALUES: u8 = 1;
    pub const SXHASH: u8 = 2;
    pub const STRING_HASH_BITS: u8 = 4;
    pub const STRING_EQUAL_HASH_BITS: u8 = 5;
    pub const VALUES_LIST: u8 = 6;
    pub const CALL_C: u8 = 12;
}

/// Bytes of the instruction.
const LENGTH: u32 = 3;

/// What becomes of the instruction.
enum Ended {
    /// It is done; the pc is at the next one.
    Done,
    /// A function was called, or the stack limit was reached before.
    Called,
    /// It must trap; nothing is changed.
    Trap,
}

impl<G: Generation> Machine<'_, G> {
    /// Operand `n` of `count`, the first pushed being 0.
    fn misc_operand(&self, count: u16, n: u16) -> LispPtr {
        let distance = count - 1 - n;
        if distance == 0 {
            self.regs.tos
        } else {
            self.mem.stack(self.regs.sp.sub(2 * distance))
        }
    }

    /// The hash of `object` that sub-opcode `number` computes, if that is one of those and
    /// can do it.
    pub fn hash(&self, number: u8, object: LispPtr) -> Option<LispPtr> {
        let hash = match number {
            sub::SXHASH => self.sxhash(object)?,
            sub::STRING_HASH_BITS => self.string_hash(object, false),
            sub::STRING_EQUAL_HASH_BITS => self.string_hash(object, true),
            _ => return None,
        };
        Some(LispPtr::smallpos(hash))
    }

    /// Does sub-opcode `number` on the stored registers.
    #[inline(never)]
    fn misc(&mut self, number: u8, count: u16) -> Ended {
        let value = match number {
            sub::VALUES if count > 0 && !self.wants_values(LENGTH) => self.misc_operand(count, 0),
            sub::VALUES => {
                let mut values = LispPtr::NIL;
                for n in (0..count).rev() {
                    values = self.cons(self.misc_operand(count, n), values);
                }
                self.deliver_values(count, LENGTH, values);
                return Ended::Done;
            }
            sub::CALL_C => LispPtr::NIL,
            _ if count == 0 => return Ended::Trap,
            sub::VALUES_LIST => {
                let values = self.misc_operand(count, 0);
                self.deliver_values(count, LENGTH, values);
                return Ended::Done;
            }
            sub::USER_SUBR if self.integer(self.misc_operand(count, 0)) == Some(0) && count > 1 => {
                self.misc_operand(count, 1)
            }
            sub::SXHASH | sub::STRING_HASH_BITS | sub::STRING_EQUAL_HASH_BITS => {
                match self.hash(number, self.misc_operand(count, 0)) {
                    Some(hash) => hash,
                    None => return Ended::Trap,
                }
            }
            _ => return self.loops_misc(number, count),
        };
        self.finish_misc(count, value);
        Ended::Done
    }

    /// Does sub-opcode `number` if it is one of LOOPS.
    fn loops_misc(&mut self, number: u8, count: u16) -> Ended {
        let mut operands = [LispPtr::NIL; 3];
        let (Some(operation), Some(operands)) = (
            Miscn::from_code(number),
            operands.get_mut(..usize::from(count)),
        ) else {
            return Ended::Trap;
        };
        for (n, operand) in (0..).zip(operands.iter_mut()) {
            *operand = self.misc_operand(count, n);
        }
        match self.loops(operation, operands) {
            Some(Outcome::Value(value)) => {
                self.finish_misc(count, value);
                Ended::Done
            }
            Some(Outcome::Punt(function)) => {
                self.call_instead(function, count, LENGTH as u16);
                Ended::Called
            }
            _ => Ended::Trap,
        }
    }

    /// Replaces the operands by `value`; without operands it is pushed.
    fn finish_misc(&mut self, count: u16, value: LispPtr) {
        self.mem.set_stack(self.regs.sp, self.regs.tos);
        self.regs.sp = self.regs.sp.sub(2 * count).add(2);
        self.regs.tos = value;
        self.regs.pc = self.regs.pc.jump(LENGTH as i32);
    }
}

handler! {
    /// Secondary dispatch.
    miscn(m, s) {
        s.save(m);
        match m.misc(s.operand(1), u16::from(s.operand(2))) {
            Ended::Done => State::load(m).dispatch(m),
            Ended::Called => State::load(m).go(m, super::returns::resumed::<G>),
            Ended::Trap => s.ufn(m),
        }
    }
}
