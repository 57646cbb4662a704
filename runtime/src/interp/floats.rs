//! Floating point: boxed operations, and raw single floats on the evaluation
//! stack (UBFLOAT). All results are rounded to single precision; a boxed result
//! that is not finite traps.

use super::{Exit, State, handler};
use crate::layout::Generation;
use crate::layout::records::types;
use crate::machine::Machine;
use crate::memory::LispPtr;

impl<G: Generation> Machine<'_, G> {
    /// The value of a number as a single float: small integer, FIXP or FLOATP.
    #[inline]
    pub(crate) fn float_value(&self, object: LispPtr) -> Option<f32> {
        if let Some(n) = object.small_value::<G>() {
            return Some(n as f32);
        }
        match self.type_number(object) {
            types::FLOATP => Some(f32::from_bits(self.mem.cell(object).0)),
            types::FIXP => Some(self.mem.cell(object).0 as i32 as f32),
            _ => None,
        }
    }
}

#[inline(always)]
fn binary<'m, G: Generation>(
    mut s: State<'m, G>,
    m: &mut Machine<'m, G>,
    op: impl Fn(f32, f32) -> f32,
) -> Exit {
    if let (Some(a), Some(b)) = (m.float_value(s.below(1)), m.float_value(s.tos)) {
        let result = op(a, b);
        if result.is_finite() {
            let result = m.float(result);
            s.replace(1, result);
            return s.next(m, 1);
        }
    }
    s.ufn(m)
}

/// A raw float on the stack.
fn raw(cell: LispPtr) -> f32 {
    f32::from_bits(cell.0)
}

/// The cell of a raw result, if it is finite.
fn finite(x: f32) -> Option<LispPtr> {
    x.is_finite().then(|| LispPtr(x.to_bits()))
}

handler! {
    /// Float sum.
    fplus2(m, s) {
        binary(s, m, |a, b| a + b)
    }

    /// Float difference.
    fdifference(m, s) {
        binary(s, m, |a, b| a - b)
    }

    /// Float product.
    ftimes2(m, s) {
        binary(s, m, |a, b| a * b)
    }

    /// Float quotient.
    fquotient(m, s) {
        binary(s, m, |a, b| a / b)
    }

    /// Unary operations on raw floats: box, unbox, magnitude, negation.
    /// Truncation to an integer is left to Lisp.
    ubfloat1(m, s) {
        match m.raw_float(s.operand(1), s.tos) {
            Some(value) => {
                s.tos = value;
                s.next(m, 2)
            }
            None => s.ufn(m),
        }
    }

    /// Binary operations on raw floats.
    ubfloat2(m, s) {
        let (a, b) = (raw(s.below(1)), raw(s.tos));
        let result = match s.operand(1) {
            0 => finite(a + b),
            1 => finite(a - b),
            2 => finite(b - a),
            3 => finite(a * b),
            4 => finite(a / b),
            5 => Some(LispPtr::from_bool(a > b)),
            6 => Some(LispPtr(if a > b { a } else { b }.to_bits())),
            7 => Some(LispPtr(if a > b { b } else { a }.to_bits())),
            8 => finite(a % b),
            _ => None,
        };
        match result {
            Some(value) => {
                s.replace(1, value);
                s.next(m, 2)
            }
            None => s.ufn(m),
        }
    }

    /// Polynomial of a raw float, by Horner's rule.
    ubfloat3(m, s) {
        let (x, coefficients, degree) = (raw(s.below(2)), s.below(1), s.tos);
        if s.operand(1) != 0 || degree != LispPtr::smallpos(degree.lo()) {
            return s.ufn(m);
        }
        let coefficient = |n: u32| raw(s.mem.cell(coefficients.masked::<G>().add(2 * n)));
        let mut sum = coefficient(0);
        for n in 1..=u32::from(degree.lo()) {
            sum = sum * x + coefficient(n);
        }
        match finite(sum) {
            Some(value) => {
                s.replace(2, value);
                s.next(m, 2)
            }
            None => s.ufn(m),
        }
    }
}
