//! Dispatch: the shape of handlers, and what they share.

use crate::layout::Generation;
use crate::machine::{Machine, Registers};
use crate::memory::{CodePc, LispPtr, Mem, StackOffset};

/// Why the interpreter stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Exit {
    /// Not a stop: the next instruction is due (builds without tail calls).
    Continue,
    /// The host wanted attention; interrupts are served on the next entry.
    Attention,
    /// Lisp ended the session.
    Finished,
    /// A guest fault, recorded in the machine.
    Fault,
    /// A value was returned to native code that waits for it.
    Returned,
    /// Native code goes on in the running activation.
    Reentered,
    /// Control left the activations that native code waits in.
    Abandoned,
}

/// A handler: executes the instruction at `pc` and all that follow.
pub(crate) type Handler<G> =
    for<'m> fn(&mut Machine<'m, G>, Mem<'m, G>, CodePc, StackOffset, LispPtr, StackOffset) -> Exit;

/// The handler of every opcode.
pub(crate) type Handlers<G> = [Handler<G>; 256];

/// Whether dispatch is a sibling call. Unoptimised builds would overflow the
/// host stack.
pub(crate) const TAIL_CALLS: bool = cfg!(not(debug_assertions));

/// The registers of the running interpreter.
#[derive(Clone, Copy)]
pub(crate) struct State<'m, G> {
    pub mem: Mem<'m, G>,
    pub pc: CodePc,
    pub sp: StackOffset,
    pub tos: LispPtr,
    pub pvar: StackOffset,
}

/// Defines handlers:
/// `handler! { /// doc  name[<N>](m, s) { body } }`, where `m` is the machine,
/// `s` the [`State`], and the body ends in `s.next(m, length)`, `s.ufn(m)` or
/// `s.go(m, other_handler)`.
macro_rules! handler {
    ($( $(#[$doc:meta])* $name:ident $(<$n:ident>)? ($m:ident, $s:ident) $body:block )*) => { $(
        $(#[$doc])*
        #[allow(unused_mut)]
        pub(crate) fn $name<'m, G: Generation $(, const $n: u8)?>(
            $m: &mut $crate::machine::Machine<'m, G>,
            mem: $crate::memory::Mem<'m, G>,
            pc: $crate::memory::CodePc,
            sp: $crate::memory::StackOffset,
            tos: $crate::memory::LispPtr,
            pvar: $crate::memory::StackOffset,
        ) -> $crate::interp::Exit {
            let mut $s = $crate::interp::State { mem, pc, sp, tos, pvar };
            $body
        }
    )* };
}
pub(crate) use handler;

impl<'m, G: Generation> State<'m, G> {
    /// The state stored in the machine.
    #[inline(always)]
    pub fn load(m: &Machine<'m, G>) -> Self {
        let Registers { pc, sp, tos, pvar } = m.regs;
        Self {
            mem: m.mem,
            pc,
            sp,
            tos,
            pvar,
        }
    }

    /// Stores the registers in the machine.
    #[inline(always)]
    pub fn save(self, m: &mut Machine<'m, G>) {
        m.regs = Registers {
            pc: self.pc,
            sp: self.sp,
            tos: self.tos,
            pvar: self.pvar,
        };
    }

    /// Operand byte `n`; the opcode is byte 0.
    #[inline(always)]
    pub fn operand(self, n: u32) -> u8 {
        self.mem.code(self.pc, n)
    }

    /// The 16-bit operand whose high byte is byte `n`.
    #[inline(always)]
    pub fn operand16(self, n: u32) -> u16 {
        self.mem.code_bytes::<2>(self.pc, n) as u16
    }

    /// The symbol or pointer operand that starts at byte `n`.
    #[inline(always)]
    pub fn pointer_operand(self, n: u32) -> LispPtr {
        self.mem.pointer_operand(self.pc, n)
    }

    /// Pushes `value`.
    #[inline(always)]
    pub fn push(&mut self, value: LispPtr) {
        self.mem.set_stack(self.sp, self.tos);
        self.sp = self.sp.add(2);
        self.tos = value;
    }

    /// Drops the top of stack.
    #[inline(always)]
    pub fn pop(&mut self) {
        self.sp = self.sp.sub(2);
        self.tos = self.mem.stack(self.sp);
    }

    /// The element `n` below the top of stack; 0 is the top itself only in
    /// memory terms, so `n` starts at 1.
    #[inline(always)]
    pub fn below(self, n: u16) -> LispPtr {
        self.mem.stack(self.sp.sub(2 * n))
    }

    /// Replaces the top `1 + n` elements by `value`.
    #[inline(always)]
    pub fn replace(&mut self, n: u16, value: LispPtr) {
        self.sp = self.sp.sub(2 * n);
        self.tos = value;
    }

    /// Goes on with the instruction `length` bytes further.
    #[inline(always)]
    pub fn next(mut self, m: &mut Machine<'m, G>, length: u32) -> Exit {
        self.pc = CodePc(self.pc.0.wrapping_add(length));
        self.dispatch(m)
    }

    /// Goes on with the instruction at `pc`.
    #[inline(always)]
    pub fn dispatch(self, m: &mut Machine<'m, G>) -> Exit {
        if TAIL_CALLS {
            let opcode = self.mem.code(self.pc, 0);
            let handler = self.mem.handlers()[usize::from(opcode)];
            handler(m, self.mem, self.pc, self.sp, self.tos, self.pvar)
        } else {
            self.save(m);
            Exit::Continue
        }
    }

    /// Continues in another handler, with the stack and pc as they are.
    #[inline(always)]
    pub fn go(self, m: &mut Machine<'m, G>, handler: Handler<G>) -> Exit {
        handler(m, self.mem, self.pc, self.sp, self.tos, self.pvar)
    }

    /// Traps to the Lisp function of the instruction at `pc`; the stack must be
    /// as it was before the instruction.
    #[inline(always)]
    pub fn ufn(self, m: &mut Machine<'m, G>) -> Exit {
        self.go(m, super::calls::ufn)
    }
}
