//! Comparisons (`reference/opcodes.toml` gives the complete case lists).

use super::jumps::answer_or_jump;
use super::{Exit, State, handler};
use crate::layout::Generation;
use crate::layout::records::{type_entry, types};
use crate::machine::Machine;
use crate::memory::LispPtr;

/// True for symbols of the loadup, characters and small integers, which are equal
/// only if they are identical.
fn is_immediate<G: Generation>(object: LispPtr) -> bool {
    matches!(object.segment::<G>(), 0 | 7 | 0xE | 0xF)
}

/// True for symbols of the loadup and characters.
fn is_atom_or_character<G: Generation>(object: LispPtr) -> bool {
    matches!(object.segment::<G>(), 0 | 7)
}

/// The answer of a predicate, or a trap.
#[inline(always)]
fn answer<'m, G: Generation>(
    mut s: State<'m, G>,
    m: &mut Machine<'m, G>,
    result: Option<bool>,
) -> Exit {
    match result {
        Some(result) => {
            s.replace(1, LispPtr::from_bool(result));
            s.next(m, 1)
        }
        None => s.ufn(m),
    }
}

impl<G: Generation> Machine<'_, G> {
    /// Equality of two different cells whose types are the same box type, `None`
    /// for other numbers.
    fn equal_boxes(&self, number: u16, a: LispPtr, b: LispPtr) -> Option<bool> {
        let (a, b) = (self.mem.cell(a).0, self.mem.cell(b).0);
        match number {
            types::FIXP => Some(a == b),
            types::FLOATP => Some(f32::from_bits(a) == f32::from_bits(b)),
            _ => None,
        }
    }

    #[inline(never)]
    pub(super) fn eql(&self, a: LispPtr, b: LispPtr) -> Option<bool> {
        if is_immediate::<G>(a) || is_immediate::<G>(b) {
            return Some(false);
        }
        let (entry_a, entry_b) = (self.type_entry(a), self.type_entry(b));
        let number = entry_a & type_entry::NUMBER;
        if number != entry_b & type_entry::NUMBER || entry_a & type_entry::NUMBER_P == 0 {
            return Some(false);
        }
        self.equal_boxes(number, a, b)
    }

    #[inline(never)]
    pub(super) fn cml_equal(&self, a: LispPtr, b: LispPtr) -> Option<bool> {
        if is_immediate::<G>(a) || is_immediate::<G>(b) {
            return Some(false);
        }
        let (entry_a, entry_b) = (self.type_entry(a), self.type_entry(b));
        match (
            entry_a & type_entry::NUMBER_P != 0,
            entry_b & type_entry::NUMBER_P != 0,
        ) {
            (false, false) => None,
            (true, true) => {
                let number = entry_a & type_entry::NUMBER;
                if number == entry_b & type_entry::NUMBER {
                    self.equal_boxes(number, a, b)
                } else {
                    Some(false)
                }
            }
            _ => Some(false),
        }
    }

    #[inline(never)]
    pub(super) fn equal(&self, a: LispPtr, b: LispPtr) -> Option<bool> {
        if is_atom_or_character::<G>(a) || is_atom_or_character::<G>(b) {
            return Some(false);
        }
        let (entry_a, entry_b) = (self.type_entry(a), self.type_entry(b));
        let (number_a, number_b) = (entry_a & type_entry::NUMBER, entry_b & type_entry::NUMBER);
        match (
            entry_a & type_entry::NUMBER_P != 0,
            entry_b & type_entry::NUMBER_P != 0,
        ) {
            (false, false) => None,
            (true, true) if number_a == number_b => match number_a {
                types::SMALLP => Some(false),
                number => self.equal_boxes(number, a, b),
            },
            (true, true) if number_a == types::FLOATP || number_b == types::FLOATP => {
                Some(self.float_value(a)? == self.float_value(b)?)
            }
            _ => Some(false),
        }
    }

    #[inline(never)]
    pub(super) fn number_equal(&self, a: LispPtr, b: LispPtr) -> Option<bool> {
        match (self.integer(a), self.integer(b)) {
            // Integers are normalised: a box never equals a small one.
            (Some(x), Some(y)) => Some(x == y && a.is_small::<G>() == b.is_small::<G>()),
            _ => Some(self.float_value(a)? == self.float_value(b)?),
        }
    }

    pub(super) fn greater(&self, a: LispPtr, b: LispPtr) -> Option<bool> {
        match (self.integer(a), self.integer(b)) {
            (Some(a), Some(b)) => Some(a > b),
            _ => Some(self.float_value(a)? > self.float_value(b)?),
        }
    }
}

handler! {
    /// Identity.
    eq(m, s) {
        answer_or_jump(s, m, s.below(1) == s.tos)
    }

    /// Identity, or equal boxes of one type.
    eql(m, s) {
        if s.below(1) == s.tos {
            s.replace(1, LispPtr::T);
            return s.next(m, 1);
        }
        let result = m.eql(s.below(1), s.tos);
        answer(s, m, result)
    }

    /// EQUAL of Common Lisp for numbers; structures are compared by Lisp.
    cml_equal(m, s) {
        if s.below(1) == s.tos {
            s.replace(1, LispPtr::T);
            return s.next(m, 1);
        }
        let result = m.cml_equal(s.below(1), s.tos);
        answer(s, m, result)
    }

    /// EQUAL of Interlisp for numbers and atoms; structures are compared by Lisp.
    equal(m, s) {
        if s.below(1) == s.tos {
            s.replace(1, LispPtr::T);
            return s.next(m, 1);
        }
        let result = m.equal(s.below(1), s.tos);
        answer(s, m, result)
    }

    /// Numeric equality.
    num_equal(m, s) {
        let under = s.below(1);
        if under.is_small::<G>() && s.tos.is_small::<G>() {
            return answer_or_jump(s, m, under == s.tos);
        }
        let result = m.number_equal(under, s.tos);
        answer(s, m, result)
    }

    /// Greater, numbers of any kind.
    greaterp(m, s) {
        if let (Some(a), Some(b)) = (s.below(1).small_value::<G>(), s.tos.small_value::<G>()) {
            return answer_or_jump(s, m, a > b);
        }
        s.go(m, greaterp_slow::<G>)
    }

    /// Greater, other numbers than small integers.
    #[inline(never)]
    greaterp_slow(m, s) {
        let result = m.greater(s.below(1), s.tos);
        answer(s, m, result)
    }

    /// Greater, integers.
    igreaterp(m, s) {
        if let (Some(a), Some(b)) = (m.integer(s.below(1)), m.integer(s.tos)) {
            return answer_or_jump(s, m, a > b);
        }
        s.ufn(m)
    }

    /// Greater, as floats.
    fgreaterp(m, s) {
        let result = m
            .float_value(s.below(1))
            .zip(m.float_value(s.tos))
            .map(|(a, b)| a > b);
        answer(s, m, result)
    }
}
