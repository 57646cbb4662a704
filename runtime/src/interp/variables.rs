//! Variables and constants: pushes and stores of arguments, locals, free and
//! global variables, and literal operands.

use super::handler;
use crate::layout::{Generation, SymbolCell};
use crate::memory::LispPtr;
use crate::stack::{is_unlooked, slot_address};

handler! {
    /// Push argument `N`.
    ivar<N>(m, s) {
        let value = s.mem.slot(m.ivar, N);
        s.push(value);
        s.next(m, 1)
    }

    /// Push the argument at a word offset.
    ivarx(m, s) {
        let value = s.mem.slot(m.ivar, s.operand(1) >> 1);
        s.push(value);
        s.next(m, 2)
    }

    /// Store in the argument at a word offset.
    ivarx_set(m, s) {
        s.mem.set_slot(m.ivar, s.operand(1) >> 1, s.tos);
        s.next(m, 2)
    }

    /// Push local `N`.
    pvar<N>(m, s) {
        let value = s.mem.slot(s.pvar, N);
        s.push(value);
        s.next(m, 1)
    }

    /// Push the local at a word offset.
    pvarx(m, s) {
        let value = s.mem.slot(s.pvar, s.operand(1) >> 1);
        s.push(value);
        s.next(m, 2)
    }

    /// Store in local `N`.
    pvar_set<N>(m, s) {
        s.mem.set_slot(s.pvar, N, s.tos);
        s.next(m, 1)
    }

    /// Store in the local at a word offset.
    pvarx_set(m, s) {
        s.mem.set_slot(s.pvar, s.operand(1) >> 1, s.tos);
        s.next(m, 2)
    }

    /// Store in local `N` and pop.
    pvar_set_pop<N>(m, s) {
        s.mem.set_slot(s.pvar, N, s.tos);
        s.pop();
        s.next(m, 1)
    }

    /// Push the free variable of slot `N`.
    fvar<N>(m, s) {
        let slot = s.mem.slot(s.pvar, N);
        if is_unlooked(slot) {
            return s.go(m, look_up_short::<G>);
        }
        s.push(s.mem.cell(slot_address::<G>(slot)));
        s.next(m, 1)
    }

    /// Push the free variable of the slot at a word offset.
    fvarx(m, s) {
        let slot = s.mem.slot(s.pvar, s.operand(1) >> 1);
        if is_unlooked(slot) {
            return s.go(m, look_up_long::<G>);
        }
        s.push(s.mem.cell(slot_address::<G>(slot)));
        s.next(m, 2)
    }

    /// Store in the free variable of the slot at a word offset; top-level values
    /// are counted, stack cells are not.
    fvarx_set(m, s) {
        let slot = s.mem.slot(s.pvar, s.operand(1) >> 1);
        if is_unlooked(slot) {
            return s.go(m, look_up_long::<G>);
        }
        let address = slot_address::<G>(slot);
        if address.0 >> 16 != crate::layout::STACK.0 >> 16 {
            m.add_ref(s.tos.masked::<G>());
            m.del_ref(s.mem.cell(address).masked::<G>());
        }
        s.mem.set_cell(address, s.tos);
        s.next(m, 2)
    }

    /// Looks up the slot of the one-byte FVAR instruction at the pc and repeats it.
    #[inline(never)]
    look_up_short(m, s) {
        // The slot number is in the opcode: FVAR0 is 0x50.
        let slot = s.operand(0) & 7;
        if m.look_up_slot(s.pvar, slot).is_err() {
            return s.go(m, super::interrupts::poll::<G>);
        }
        s.go(m, super::handlers::<G>()[usize::from(s.operand(0))])
    }

    /// Looks up the slot of the two-byte FVAR instruction at the pc and repeats it.
    #[inline(never)]
    look_up_long(m, s) {
        if m.look_up_slot(s.pvar, s.operand(1) >> 1).is_err() {
            return s.go(m, super::interrupts::poll::<G>);
        }
        s.go(m, super::handlers::<G>()[usize::from(s.operand(0))])
    }

    /// Push a top-level value.
    gvar(m, s) {
        let cell = G::symbol_cell(s.pointer_operand(1), SymbolCell::Value);
        s.push(s.mem.cell(cell));
        s.next(m, 1 + G::OPERAND_BYTES)
    }

    /// Store in a top-level value cell, counted.
    gvar_set(m, s) {
        let cell = G::symbol_cell(s.pointer_operand(1), SymbolCell::Value);
        m.store_counted(cell, s.tos);
        s.next(m, 1 + G::OPERAND_BYTES)
    }

    /// Push a symbol.
    aconst(m, s) {
        s.push(s.pointer_operand(1));
        s.next(m, 1 + G::OPERAND_BYTES)
    }

    /// Push a literal object.
    gconst(m, s) {
        s.push(s.pointer_operand(1));
        s.next(m, 1 + G::OPERAND_BYTES)
    }

    /// Push NIL.
    nil(m, s) {
        s.push(LispPtr::NIL);
        s.next(m, 1)
    }

    /// Push T.
    t(m, s) {
        s.push(LispPtr::T);
        s.next(m, 1)
    }

    /// Push 0.
    zero(m, s) {
        s.push(LispPtr::smallpos(0));
        s.next(m, 1)
    }

    /// Push 1.
    one(m, s) {
        s.push(LispPtr::smallpos(1));
        s.next(m, 1)
    }

    /// Push a byte as a small integer.
    sic(m, s) {
        s.push(LispPtr::smallpos(u16::from(s.operand(1))));
        s.next(m, 2)
    }

    /// Push a byte minus 256.
    snic(m, s) {
        s.push(LispPtr(0xF_FF00 | u32::from(s.operand(1))));
        s.next(m, 2)
    }

    /// Push 16 bits as a small integer.
    sicx(m, s) {
        s.push(LispPtr::smallpos(s.operand16(1)));
        s.next(m, 3)
    }
}
