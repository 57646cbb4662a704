//! Jumps. Every taken jump polls first, with the stack as it was, because after
//! serving a poll the jump is executed again.

use std::sync::atomic::Ordering::Relaxed;

use super::{Exit, State, handler};
use crate::layout::Generation;
use crate::machine::Machine;

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
    s.dispatch(m)
}

/// Falls through an instruction of `length` bytes, popping.
#[inline(always)]
fn fall<'m, G: Generation>(mut s: State<'m, G>, m: &mut Machine<'m, G>, length: u32) -> Exit {
    s.pop();
    s.next(m, length)
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
