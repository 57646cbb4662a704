//! Integer arithmetic (`reference/processor.md` section 19).
//!
//! Two small integers are handled inline; boxes, and for the generic
//! instructions floats, in handlers of their own.

use super::{Exit, Handler, State, handler};
use crate::layout::Generation;
use crate::layout::records::types;
use crate::machine::Machine;
use crate::memory::LispPtr;

/// An exact operation on 32-bit integers; `None` traps.
type IntegerOp = fn(i32, i32) -> Option<i32>;

/// Applies `op` to two small integers if both are and the result is small, else
/// continues in `slow`.
#[inline(always)]
fn small_binary<'m, G: Generation>(
    mut s: State<'m, G>,
    m: &mut Machine<'m, G>,
    op: impl Fn(i32, i32) -> Option<i32>,
    slow: Handler<G>,
) -> Exit {
    let under = s.below(1);
    if let (Some(a), Some(b)) = (under.small_value::<G>(), s.tos.small_value::<G>())
        && let Some(result) = op(a, b).and_then(LispPtr::small)
    {
        s.replace(1, result);
        return s.next(m, 1);
    }
    s.go(m, slow)
}

/// Applies `op` to two integers of any kind, boxing the result if need be.
#[inline(always)]
fn boxed_binary<'m, G: Generation>(
    mut s: State<'m, G>,
    m: &mut Machine<'m, G>,
    op: IntegerOp,
) -> Exit {
    if let (Some(a), Some(b)) = (m.integer(s.below(1)), m.integer(s.tos))
        && let Some(result) = op(a, b)
    {
        let result = m.number(result);
        s.replace(1, result);
        return s.next(m, 1);
    }
    s.ufn(m)
}

/// As `boxed_binary`, but other numbers are handled as floats.
#[inline(always)]
fn generic_binary<'m, G: Generation>(
    mut s: State<'m, G>,
    m: &mut Machine<'m, G>,
    op: IntegerOp,
    float: Handler<G>,
) -> Exit {
    match (m.integer(s.below(1)), m.integer(s.tos)) {
        (Some(a), Some(b)) => match op(a, b) {
            Some(result) => {
                let result = m.number(result);
                s.replace(1, result);
                s.next(m, 1)
            }
            None => s.ufn(m),
        },
        _ => s.go(m, float),
    }
}

/// Applies `op` to one integer, in an instruction of `length` bytes.
#[inline(always)]
fn unary<'m, G: Generation>(
    mut s: State<'m, G>,
    m: &mut Machine<'m, G>,
    length: u32,
    op: impl Fn(i32) -> Option<i32>,
) -> Exit {
    if let Some(result) = s.tos.small_value::<G>().and_then(&op)
        && let Some(small) = LispPtr::small(result)
    {
        s.tos = small;
        return s.next(m, length);
    }
    match m.integer(s.tos).and_then(op) {
        Some(result) => {
            s.tos = m.number(result);
            s.next(m, length)
        }
        None => s.ufn(m),
    }
}

/// Truncating remainder; the one overflow has remainder 0.
fn remainder(a: i32, b: i32) -> Option<i32> {
    (b != 0).then(|| a.wrapping_rem(b))
}

/// Left shift by a positive, arithmetic right shift by a negative number; no
/// significant bit may get lost.
pub(super) fn shift(a: i32, n: i32) -> Option<i32> {
    match n {
        1..=31 => {
            let shifted = a << n;
            (shifted >> n == a).then_some(shifted)
        }
        -31..=0 => Some(a >> -n),
        _ => None,
    }
}

macro_rules! binary {
    ($( $(#[$doc:meta])* $name:ident, $slow:ident = $op:expr; )*) => { handler! { $(
        $(#[$doc])*
        $name(m, s) {
            small_binary(s, m, $op, $slow::<G>)
        }

        /// The same for boxed integers.
        #[inline(never)]
        $slow(m, s) {
            boxed_binary(s, m, $op)
        }
    )* } };
}

macro_rules! generic {
    ($( $(#[$doc:meta])* $name:ident, $slow:ident, $float:ident = $op:expr; )*) => { handler! { $(
        $(#[$doc])*
        $name(m, s) {
            small_binary(s, m, $op, $slow::<G>)
        }

        /// The same for other numbers.
        #[inline(never)]
        $slow(m, s) {
            generic_binary(s, m, $op, super::floats::$float::<G>)
        }
    )* } };
}

generic! {
    /// Sum.
    plus2, plus2_slow, fplus2 = i32::checked_add;
    /// Difference.
    difference, difference_slow, fdifference = i32::checked_sub;
    /// Product.
    times2, times2_slow, ftimes2 = i32::checked_mul;
    /// Quotient, truncated for integers.
    quotient, quotient_slow, fquotient = i32::checked_div;
}

binary! {
    /// Integer sum.
    iplus2, iplus2_slow = i32::checked_add;
    /// Integer difference.
    idifference, idifference_slow = i32::checked_sub;
    /// Integer product.
    itimes2, itimes2_slow = i32::checked_mul;
    /// Truncated quotient.
    iquotient, iquotient_slow = i32::checked_div;
    /// Remainder with the sign of the dividend.
    iremainder, iremainder_slow = remainder;
    /// Bitwise or.
    logor2, logor2_slow = |a, b| Some(a | b);
    /// Bitwise and.
    logand2, logand2_slow = |a, b| Some(a & b);
    /// Bitwise exclusive or.
    logxor2, logxor2_slow = |a, b| Some(a ^ b);
}

handler! {
    /// Shift by the top of stack. A shift by 0 answers its argument as it is.
    lsh(m, s) {
        small_binary(s, m, shift, lsh_slow::<G>)
    }

    /// Shift of a boxed integer.
    #[inline(never)]
    lsh_slow(m, s) {
        if m.integer(s.tos) == Some(0) && m.integer(s.below(1)).is_some() {
            s.pop();
            return s.next(m, 1);
        }
        boxed_binary(s, m, shift)
    }

    /// Add a byte.
    iplus_n(m, s) {
        let n = i32::from(s.operand(1));
        unary(s, m, 2, |a| a.checked_add(n))
    }

    /// Subtract a byte.
    idifference_n(m, s) {
        let n = i32::from(s.operand(1));
        unary(s, m, 2, |a| a.checked_sub(n))
    }

    /// Shift left by 1, losing bits.
    llsh1(m, s) {
        unary(s, m, 1, |a| Some(a << 1))
    }

    /// Shift left by 8, losing bits.
    llsh8(m, s) {
        unary(s, m, 1, |a| Some(a << 8))
    }

    /// Shift right by 1, filling with zero.
    lrsh1(m, s) {
        unary(s, m, 1, |a| Some((a as u32 >> 1) as i32))
    }

    /// Shift right by 8, filling with zero.
    lrsh8(m, s) {
        unary(s, m, 1, |a| Some((a as u32 >> 8) as i32))
    }

    /// The integer with the given halves.
    makenumber(m, s) {
        let Some(number) = m.number_of_halves(s.below(1), s.tos) else {
            return s.ufn(m);
        };
        s.replace(1, number);
        s.next(m, 1)
    }

    /// Add into a box in place.
    boxiplus(m, s) {
        change_box(s, m, i32::wrapping_add)
    }

    /// Subtract from a box in place.
    boxidifference(m, s) {
        change_box(s, m, i32::wrapping_sub)
    }
}

#[inline(always)]
fn change_box<'m, G: Generation>(
    mut s: State<'m, G>,
    m: &mut Machine<'m, G>,
    op: fn(i32, i32) -> i32,
) -> Exit {
    let target = s.below(1);
    let Some(n) = m.integer(s.tos) else {
        return s.ufn(m);
    };
    if m.type_number(target) != types::FIXP {
        return s.ufn(m);
    }
    let cell = target.masked::<G>();
    let value = op(s.mem.cell(cell).0 as i32, n);
    s.mem.set_cell(cell, LispPtr(value as u32));
    s.replace(1, target);
    s.next(m, 1)
}
