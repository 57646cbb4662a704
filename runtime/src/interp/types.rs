//! Types: predicates and checks through the type table and type descriptors.

use super::handler;
use crate::layout::Generation;
use crate::layout::records::{type_entry, types};
use crate::machine::{Machine, type_entry_of};
use crate::memory::LispPtr;

/// Longest chain of supertypes that is followed.
const MAX_SUPERTYPES: u32 = 256;

impl<G: Generation> Machine<'_, G> {
    /// True when the type of `object`, or one of its supertypes, is called `name`.
    #[inline(never)]
    pub(crate) fn is_instance(&self, object: LispPtr, name: LispPtr) -> bool {
        let mut number = u32::from(self.type_number(object));
        for _ in 0..MAX_SUPERTYPES {
            let dtd = G::dtd(number);
            if G::dtd_name(self.mem, dtd) == name {
                return true;
            }
            number = u32::from(self.mem.word(dtd.add(G::DTD_FIELDS.supertype)))
                & u32::from(type_entry::NUMBER);
            if number == 0 {
                break;
            }
        }
        false
    }
}

handler! {
    /// Keep a list cell, else NIL.
    listp(m, s) {
        if type_entry_of(s.mem, s.tos) & type_entry::NUMBER != types::LISTP {
            s.tos = LispPtr::NIL;
        }
        s.next(m, 1)
    }

    /// The type number.
    ntypx(m, s) {
        s.tos = LispPtr::smallpos(m.type_number(s.tos));
        s.next(m, 1)
    }

    /// Keep an object of exactly this type, else NIL.
    typep(m, s) {
        if m.type_number(s.tos) != u16::from(s.operand(1)) {
            s.tos = LispPtr::NIL;
        }
        s.next(m, 2)
    }

    /// Keep an object whose type table entry has one of these upper bits, else NIL.
    typemask(m, s) {
        if type_entry_of(s.mem, s.tos) & u16::from(s.operand(1)) << 8 == 0 {
            s.tos = LispPtr::NIL;
        }
        s.next(m, 2)
    }

    /// Check that an object is an instance of a type or a subtype of it.
    dtest(m, s) {
        let dtd = G::dtd(u32::from(type_entry_of(s.mem, s.tos) & type_entry::NUMBER));
        if G::dtd_name(s.mem, dtd) == s.pointer_operand(1)
            || m.is_instance(s.tos, s.pointer_operand(1))
        {
            return s.next(m, 1 + G::OPERAND_BYTES);
        }
        s.ufn(m)
    }

    /// T for an instance of a type or a subtype of it.
    instancep(m, s) {
        s.tos = LispPtr::from_bool(m.is_instance(s.tos, s.pointer_operand(1)));
        s.next(m, 1 + G::OPERAND_BYTES)
    }

    /// A new instance of the type with this number.
    createcell(m, s) {
        if s.tos != LispPtr::smallpos(s.tos.lo()) {
            return s.ufn(m);
        }
        match m.create_cell(s.tos.lo()) {
            Some(cell) => {
                s.tos = cell;
                s.next(m, 1)
            }
            None => s.ufn(m),
        }
    }
}
