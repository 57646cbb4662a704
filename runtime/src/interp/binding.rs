//! Binding of locals (`reference/processor.md` section 11): bind marks on the
//! evaluation stack name the locals to make unbound again.

use super::handler;
use crate::layout::Generation;
use crate::memory::{LispPtr, Mem, StackOffset};

/// Most cells that a search for a mark passes.
const MAX_CELLS: u32 = 0x8000;
/// Most locals that a mark names; a frame has no more.
const MAX_LOCALS: u16 = 256;

/// Makes the locals that `mark` names unbound.
#[inline(always)]
pub(super) fn unbind_mark<G: Generation>(mem: Mem<'_, G>, pvar: StackOffset, mark: LispPtr) {
    let mut slot = pvar.add(mark.lo() & 0xFFFE);
    for _ in 0..(!mark.hi()).min(MAX_LOCALS) {
        mem.set_stack(slot, LispPtr::UNBOUND);
        slot = slot.sub(2);
    }
}

/// The nearest mark at or below `from`.
#[inline(always)]
pub(super) fn find_mark<G: Generation>(mem: Mem<'_, G>, mut at: StackOffset) -> StackOffset {
    for _ in 0..MAX_CELLS {
        if mem.stack(at).has_sign() {
            break;
        }
        at = at.sub(2);
    }
    at
}

handler! {
    /// Bind locals to NIL and to popped values; push a mark.
    bind(m, s) {
        let counts = s.operand(1);
        let (nils, values) = (u16::from(counts >> 4), u16::from(counts & 15));
        let last = 2 * u16::from(s.operand(2));
        let mut slot = s.pvar.add(last + 2);
        for _ in 0..nils {
            slot = slot.sub(2);
            s.mem.set_stack(slot, LispPtr::NIL);
        }
        if values == 0 {
            s.mem.set_stack(s.sp, s.tos);
            s.sp = s.sp.add(2);
        } else {
            slot = slot.sub(2);
            s.mem.set_stack(slot, s.tos);
            for _ in 1..values {
                slot = slot.sub(2);
                s.sp = s.sp.sub(2);
                s.mem.set_stack(slot, s.mem.stack(s.sp));
            }
        }
        s.tos = LispPtr(u32::from(!(nils + values)) << 16 | u32::from(last));
        s.next(m, 3)
    }

    /// Unbind to the nearest mark, keeping the top of stack in its place.
    unbind(m, s) {
        s.sp = find_mark(s.mem, s.sp.sub(2));
        unbind_mark(s.mem, s.pvar, s.mem.stack(s.sp));
        s.next(m, 1)
    }

    /// Unbind to the nearest mark and drop it with all above it.
    dunbind(m, s) {
        if s.tos.has_sign() {
            unbind_mark(s.mem, s.pvar, s.tos);
        } else {
            s.sp = find_mark(s.mem, s.sp.sub(2));
            unbind_mark(s.mem, s.pvar, s.mem.stack(s.sp));
        }
        s.pop();
        s.next(m, 1)
    }

    /// Cut the stack back to a depth counted from local 0, unbinding every mark
    /// on the way.
    unwind(m, s) {
        let floor = s.pvar.add(2 * u16::from(s.operand(1)));
        let keep = s.operand(2) != 0;
        if s.sp < floor {
            return s.ufn(m);
        }
        s.mem.set_stack(s.sp, s.tos);
        let mut top = s.sp;
        for _ in 0..=(s.sp.0 - floor.0) / 2 {
            let cell = s.mem.stack(top);
            if cell.has_sign() {
                unbind_mark(s.mem, s.pvar, cell);
            }
            top = top.sub(2);
        }
        if keep {
            s.sp = floor;
        } else {
            s.sp = floor.sub(2);
            s.tos = s.mem.stack(s.sp);
        }
        s.next(m, 3)
    }
}
