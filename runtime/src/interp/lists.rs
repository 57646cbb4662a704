//! Lists: access, construction, and the scans.
//!
//! A scan polls at every element, so that a long or circular list can be
//! interrupted: the rest of the list replaces the list on the stack, and the
//! instruction starts again there. A scan that meets something it cannot handle
//! traps in the same state. Now and then it starts again there in any case: a
//! clock that counts instructions must go on in a circular list too.

use super::{Exit, State, handler};
use crate::layout::Generation;
use crate::layout::records::{type_entry, types};
use crate::machine::{Machine, type_entry_of};
use crate::memory::LispPtr;

/// Elements that a scan passes before its instruction starts again.
const STRIDE: u32 = 0x1_0000;

#[inline(always)]
fn is_list<G: Generation>(s: State<'_, G>, object: LispPtr) -> bool {
    type_entry_of(s.mem, object) & type_entry::NUMBER == types::LISTP
}

/// True when EQ is enough to compare with `key`.
pub(super) fn is_immediate<G: Generation>(key: LispPtr) -> bool {
    matches!(key.segment::<G>(), 0 | 7 | 0xE | 0xF)
}

/// The first element of the association list on top whose car is the key below.
#[inline(always)]
fn find_pair<'m, G: Generation>(mut s: State<'m, G>, m: &mut Machine<'m, G>) -> Exit {
    let key = s.below(1);
    for _ in 0..STRIDE {
        if !is_list(s, s.tos) {
            s.replace(1, LispPtr::NIL);
            return s.next(m, 1);
        }
        let pair = m.car(s.tos);
        if is_list(s, pair) && m.car(pair) == key {
            s.replace(1, pair);
            return s.next(m, 1);
        }
        s.tos = m.cdr(s.tos);
        if s.mem.control().is_raised() {
            return s.go(m, super::interrupts::poll::<G>);
        }
    }
    s.dispatch(m)
}

/// The first tail of the list on top whose car is the item below.
#[inline(always)]
fn find_tail<'m, G: Generation>(mut s: State<'m, G>, m: &mut Machine<'m, G>) -> Exit {
    let item = s.below(1);
    for _ in 0..STRIDE {
        if !is_list(s, s.tos) {
            if s.tos.is_nil() {
                s.replace(1, LispPtr::NIL);
                return s.next(m, 1);
            }
            return s.ufn(m);
        }
        if m.car(s.tos) == item {
            let tail = s.tos;
            s.replace(1, tail);
            return s.next(m, 1);
        }
        s.tos = m.cdr(s.tos);
        if s.mem.control().is_raised() {
            return s.go(m, super::interrupts::poll::<G>);
        }
    }
    s.dispatch(m)
}

handler! {
    /// CAR.
    car(m, s) {
        if is_list(s, s.tos) {
            s.tos = m.car(s.tos);
        } else if !s.tos.is_nil() && s.tos != LispPtr::T {
            return s.ufn(m);
        }
        s.next(m, 1)
    }

    /// CDR.
    cdr(m, s) {
        if is_list(s, s.tos) {
            s.tos = m.cdr(s.tos);
        } else if !s.tos.is_nil() {
            return s.ufn(m);
        }
        s.next(m, 1)
    }

    /// Replace the car.
    rplaca(m, s) {
        let list = s.below(1);
        if is_list(s, list) {
            m.rplaca(list, s.tos);
        } else if !list.is_nil() || !s.tos.is_nil() {
            return s.ufn(m);
        }
        s.replace(1, list);
        s.next(m, 1)
    }

    /// Replace the cdr.
    rplacd(m, s) {
        let list = s.below(1);
        if is_list(s, list) {
            m.rplacd(list, s.tos);
        } else if !list.is_nil() || !s.tos.is_nil() {
            return s.ufn(m);
        }
        s.replace(1, list);
        s.next(m, 1)
    }

    /// A new list cell.
    cons(m, s) {
        let cell = m.cons(s.below(1), s.tos);
        s.replace(1, cell);
        s.next(m, 1)
    }

    /// Append an item behind a list cell; answer its new cell.
    rplcons(m, s) {
        let list = s.below(1);
        if !is_list(s, list) {
            return s.ufn(m);
        }
        let cell = m.rplcons(list, s.tos);
        s.replace(1, cell);
        s.next(m, 1)
    }

    /// Pair with this key.
    assoc(m, s) {
        find_pair(s, m)
    }

    /// Pair with this key, for keys that EQ can compare.
    cml_assoc(m, s) {
        if !is_immediate::<G>(s.below(1)) {
            return s.ufn(m);
        }
        find_pair(s, m)
    }

    /// Tail with this item.
    fmemb(m, s) {
        find_tail(s, m)
    }

    /// Tail with this item, for items that EQ can compare.
    cml_member(m, s) {
        if !is_immediate::<G>(s.below(1)) {
            return s.ufn(m);
        }
        find_tail(s, m)
    }

    /// Value of a property in a list of properties and values.
    listget(m, s) {
        let property = s.tos;
        let mut list = s.below(1);
        for _ in 0..STRIDE {
            if list.is_nil() {
                s.replace(1, LispPtr::NIL);
                return s.next(m, 1);
            }
            if !is_list(s, list) {
                return s.ufn(m);
            }
            let rest = m.cdr(list);
            if !is_list(s, rest) {
                if rest.is_nil() {
                    s.replace(1, LispPtr::NIL);
                    return s.next(m, 1);
                }
                return s.ufn(m);
            }
            if m.car(list) == property {
                let value = m.car(rest);
                s.replace(1, value);
                return s.next(m, 1);
            }
            list = m.cdr(rest);
            s.mem.set_stack(s.sp.sub(2), list);
            if s.mem.control().is_raised() {
                return s.go(m, super::interrupts::poll::<G>);
            }
        }
        s.dispatch(m)
    }

    /// List of the arguments from a number on, in front of a tail.
    restlist(m, s) {
        let list = m.rest_arguments(s.pvar, s.operand(1).into(), s.below(1), s.tos);
        s.replace(1, list);
        s.next(m, 2)
    }

    /// Number of the argument behind a keyword argument.
    findkey(m, s) {
        s.tos = m.keyword_argument(s.pvar, s.operand(1).into(), s.tos);
        s.next(m, 2)
    }
}
