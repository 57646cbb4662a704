//! Places in activations, and what is there.

use std::sync::atomic::Ordering::Relaxed;

use crate::isa::Opcode;
use crate::layout::Generation;
use crate::layout::records::{frame, function};
use crate::machine::Machine;
use crate::memory::{CodePc, LispPtr, StackOffset};
use crate::stack::Frame;

/// A place in an activation. All of its evaluation stack is in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// PVAR slot 0 of the frame.
    pub pvar: StackOffset,
    /// Byte offset of the instruction from the function header.
    pub pc: u16,
    /// Cells on the evaluation stack.
    pub depth: u16,
}

impl<G: Generation> Machine<'_, G> {
    /// Cells on the evaluation stack of the running activation.
    pub(crate) fn depth(&self) -> u16 {
        let empty = self.empty_stack(self.regs.pvar, self.func);
        self.regs.sp.0.wrapping_sub(empty.0) / 2
    }

    /// Stack pointer of an activation of `code` with nothing on its stack.
    pub(super) fn empty_stack(&self, pvar: StackOffset, code: LispPtr) -> StackOffset {
        let quads = self.mem.word(code.add(function::PVAR_QUADS));
        pvar.add(quads.wrapping_add(1).wrapping_mul(4)).add(2)
    }

    /// True if an activation at `pvar` that needs `words` words never gets to the end
    /// of its stack.
    pub fn has_stack(&self, pvar: StackOffset, words: u32) -> bool {
        u32::from(pvar.0) + words <= self.mem.control().end.load(Relaxed)
    }

    /// True if there is hardly room for a frame of the code block `callee` behind the
    /// evaluation stack at `point`.
    pub fn is_stack_short(&self, point: Point, callee: LispPtr) -> bool {
        let code = Frame::of_pvar(self.mem, point.pvar).function();
        let top = self.empty_stack(point.pvar, code).add(2 * point.depth);
        let variables = self.empty_stack(StackOffset(0), callee);
        let need = [frame::WORDS, variables.0, self.stack_min(callee)];
        need.iter()
            .fold(u32::from(top.0), |sum, &words| sum + u32::from(words))
            > u32::from(self.end.0)
    }

    /// The code block, and the opcode at `point`.
    pub fn instruction_at(&self, point: Point) -> (LispPtr, u8) {
        let code = Frame::of_pvar(self.mem, point.pvar).function();
        (code, self.mem.code(CodePc::new(code, point.pc), 0))
    }

    /// The operands of the arithmetic instruction at `point`: two cells from the stack,
    /// or one and the operand in the code.
    pub fn operands_at(&self, point: Point) -> (LispPtr, LispPtr) {
        let (code, opcode) = self.instruction_at(point);
        let top = self.empty_stack(point.pvar, code).add(2 * point.depth);
        let first = self.mem.stack(top);
        match Opcode::from(opcode).info().stack.split_once("--") {
            Some((before, _)) if before.split_whitespace().count() == 2 => {
                (self.mem.stack(top.sub(2)), first)
            }
            _ => {
                let n = self.mem.code(CodePc::new(code, point.pc), 1);
                (first, LispPtr::smallpos(n.into()))
            }
        }
    }

    /// The type code of the elements of the array that is so many cells below the top of
    /// the stack at `point`; `None` if it is no array.
    pub fn array_at(&self, point: Point, below: u16) -> Option<u16> {
        let code = Frame::of_pvar(self.mem, point.pvar).function();
        let depth = point.depth.wrapping_sub(below);
        let array = self
            .empty_stack(point.pvar, code)
            .add(2u16.wrapping_mul(depth));
        self.element_type(self.mem.stack(array))
    }

    /// True when the arguments lie directly in front of the running frame.
    pub fn has_own_arguments(&self) -> bool {
        let frame = self.running_frame();
        let arguments = self.mem.word(self.func.add(function::ARG_COUNT)) as i16;
        let front = frame.fx.sub(2);
        !frame.is_residual()
            && (arguments < 0 || front.0.wrapping_sub(frame.ivar().0) == 2 * arguments as u16)
    }
}
