//! Evaluation stack: copies, exchanges, drops, and questions about the frame.

use super::handler;
use crate::layout::Generation;
use crate::memory::LispPtr;
use crate::stack::Frame;

handler! {
    /// Duplicate the top of stack.
    copy(m, s) {
        s.push(s.tos);
        s.next(m, 1)
    }

    /// Push a copy of an element further down.
    copy_n(m, s) {
        let distance = u16::from(s.operand(1) & 0xFE);
        let value = if distance == 0 { s.tos } else { s.mem.stack(s.sp.sub(distance)) };
        s.push(value);
        s.next(m, 2)
    }

    /// Store the top of stack in an element further down.
    store_n(m, s) {
        let distance = u16::from(s.operand(1) & 0xFE) + 2;
        s.mem.set_stack(s.sp.sub(distance), s.tos);
        s.next(m, 2)
    }

    /// Drop the top of stack.
    pop(m, s) {
        s.pop();
        s.next(m, 1)
    }

    /// Drop several elements.
    pop_n(m, s) {
        s.sp = s.sp.sub(2 * (u16::from(s.operand(1)) + 1));
        s.tos = s.mem.stack(s.sp);
        s.next(m, 2)
    }

    /// Exchange the two top elements.
    swap(m, s) {
        let under = s.below(1);
        s.mem.set_stack(s.sp.sub(2), s.tos);
        s.tos = under;
        s.next(m, 1)
    }

    /// Nothing.
    nop(m, s) {
        s.next(m, 1)
    }

    /// Number of arguments of the running frame.
    myargcount(m, s) {
        let basic = Frame::of_pvar(s.mem, s.pvar).basic_frame();
        let words = basic.0.wrapping_sub(m.ivar.0);
        s.push(LispPtr::smallpos(words / 2));
        s.next(m, 1)
    }

    /// Stack offset of the access link frame.
    myalink(m, s) {
        let alink = Frame::of_pvar(s.mem, s.pvar).alink().fx;
        s.push(LispPtr::smallpos(alink.0));
        s.next(m, 1)
    }

    /// Argument n, counted from 1.
    arg0(m, s) {
        let basic = Frame::of_pvar(s.mem, s.pvar).basic_frame();
        let count = basic.0.wrapping_sub(m.ivar.0) / 2;
        let number = s.tos.lo();
        if s.tos != LispPtr::smallpos(number) || number == 0 || number > count {
            return s.ufn(m);
        }
        s.tos = s.mem.stack(m.ivar.add(2 * (number - 1)));
        s.next(m, 1)
    }

    /// The address of the cell that a symbol means for the caller of this frame.
    stkscan(m, s) {
        let frame = Frame::of_pvar(s.mem, s.pvar);
        match m.find_variable(frame, s.tos.masked::<G>()) {
            Ok(address) => {
                s.tos = address;
                s.next(m, 1)
            }
            Err(_) => s.go(m, super::interrupts::poll::<G>),
        }
    }
}
