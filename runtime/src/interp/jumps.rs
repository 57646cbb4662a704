//! Jumps. Every taken jump polls first, with the stack as it was, because after
//! serving a poll the jump is executed again.

use std::sync::atomic::Ordering::Relaxed;

use super::{Exit, State, handler};
use crate::isa::Opcode;
use crate::layout::Generation;
use crate::machine::Machine;
use crate::memory::{CodePc, LispPtr};

const FJUMP0: u8 = Opcode::FJump0 as u8;
const FJUMP15: u8 = Opcode::FJump15 as u8;
const TJUMP0: u8 = Opcode::TJump0 as u8;
const TJUMP15: u8 = Opcode::TJump15 as u8;
const FJUMPX: u8 = Opcode::FJumpX as u8;
const TJUMPX: u8 = Opcode::TJumpX as u8;

/// Takes a jump of `displacement` bytes from the opcode, after dropping `drop`
/// elements.
#[inline(always)]
fn take<'m, G: Generation, const DROP: bool>(
    mut s: State<'m, G>,
    m: &mut Machine<'m, G>,
    displacement: i32,
) -> Exit {
    if u32::from(s.sp.0) > s.mem.control().limit.load(Relaxed) {
        return s.go(m, super::interrupts::poll::<G>);
    }
    if DROP {
        s.pop();
    }
    s.pc = s.pc.jump(displacement);
    if displacement < 0 && m.native.profile.is_due(m.func) {
        return s.go(m, super::native::try_native::<G>);
    }
    s.dispatch(m)
}

/// Falls through an instruction of `length` bytes, popping.
#[inline(always)]
fn fall<'m, G: Generation>(mut s: State<'m, G>, m: &mut Machine<'m, G>, length: u32) -> Exit {
    s.pop();
    s.next(m, length)
}

/// Finishes a predicate of `length` bytes with two operands. When a popping
/// conditional jump follows, as it nearly always does, the jump is done at once
/// and no T or NIL is made; a poll then finds the operands in place and the
/// predicate is executed again.
#[inline(always)]
pub(super) fn answer_or_jump<'m, G: Generation>(
    mut s: State<'m, G>,
    m: &mut Machine<'m, G>,
    result: bool,
) -> Exit {
    let next = CodePc(s.pc.0.wrapping_add(1));
    let opcode = s.mem.code(next, 0);
    let (jump_if, displacement, length) = match opcode {
        FJUMP0..=FJUMP15 => (false, i32::from(opcode - FJUMP0) + 2, 1),
        TJUMP0..=TJUMP15 => (true, i32::from(opcode - TJUMP0) + 2, 1),
        FJUMPX | TJUMPX => (opcode == TJUMPX, i32::from(s.mem.code(next, 1) as i8), 2),
        _ => {
            s.replace(1, LispPtr::from_bool(result));
            return s.next(m, 1);
        }
    };
    if result == jump_if {
        if u32::from(s.sp.0) > s.mem.control().limit.load(Relaxed) {
            return s.go(m, super::interrupts::poll::<G>);
        }
        s.pc = next.jump(displacement);
    } else {
        s.pc = next.jump(length);
    }
    s.sp = s.sp.sub(4);
    s.tos = s.mem.stack(s.sp);
    if displacement < 0 && result == jump_if && m.native.profile.is_due(m.func) {
        return s.go(m, super::native::try_native::<G>);
    }
    s.dispatch(m)
}

handler! {
    /// Jump.
    jump<N>(m, s) {
        take::<G, false>(s, m, i32::from(N) + 2)
    }

    /// Pop, jump if NIL.
    fjump<N>(m, s) {
        if s.tos.is_nil() { take::<G, true>(s, m, i32::from(N) + 2) } else { fall(s, m, 1) }
    }

    /// Pop, jump if not NIL.
    tjump<N>(m, s) {
        if s.tos.is_nil() { fall(s, m, 1) } else { take::<G, true>(s, m, i32::from(N) + 2) }
    }

    /// Jump by a signed byte.
    jumpx(m, s) {
        take::<G, false>(s, m, i32::from(s.operand(1) as i8))
    }

    /// Jump by a signed 16-bit number.
    jumpxx(m, s) {
        take::<G, false>(s, m, i32::from(s.operand16(1) as i16))
    }

    /// Pop, jump by a signed byte if NIL.
    fjumpx(m, s) {
        if s.tos.is_nil() {
            take::<G, true>(s, m, i32::from(s.operand(1) as i8))
        } else {
            fall(s, m, 2)
        }
    }

    /// Pop, jump by a signed byte if not NIL.
    tjumpx(m, s) {
        if s.tos.is_nil() {
            fall(s, m, 2)
        } else {
            take::<G, true>(s, m, i32::from(s.operand(1) as i8))
        }
    }

    /// Jump and keep if NIL, else pop.
    nfjumpx(m, s) {
        if s.tos.is_nil() {
            take::<G, false>(s, m, i32::from(s.operand(1) as i8))
        } else {
            fall(s, m, 2)
        }
    }

    /// Jump and keep if not NIL, else pop.
    ntjumpx(m, s) {
        if s.tos.is_nil() {
            fall(s, m, 2)
        } else {
            take::<G, false>(s, m, i32::from(s.operand(1) as i8))
        }
    }
}
