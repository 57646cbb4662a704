//! The chain of callers, for reports.

use super::{BOTTOM, Frame};
use crate::layout::Generation;
use crate::layout::records::function;
use crate::machine::Machine;
use crate::memory::{LispPtr, StackOffset};

/// One frame of a backtrace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activation {
    /// Offset of the frame extension.
    pub frame: StackOffset,
    /// Function header.
    pub function: LispPtr,
    /// Frame name, usually the function's symbol.
    pub name: LispPtr,
    /// Byte offset in the function at which it goes on.
    pub pc: u16,
}

impl<G: Generation> Machine<'_, G> {
    /// The running function and its callers by control links, at most `limit`.
    pub fn backtrace(&self, limit: usize) -> Vec<Activation> {
        let mut frame = self.running_frame();
        let mut pc = self.regs.pc.offset_in(frame.function());
        let mut activations = Vec::new();
        while activations.len() < limit {
            activations.push(self.activation(frame, pc));
            let alink = frame.alink_word();
            if alink == BOTTOM || alink == 0 {
                break;
            }
            frame = frame.clink();
            pc = frame.pc_offset();
        }
        activations
    }

    fn activation(&self, frame: Frame<'_, G>, pc: u16) -> Activation {
        let function = frame.function();
        Activation {
            frame: frame.fx,
            function,
            name: self.function_name(function),
            pc,
        }
    }

    /// The name of the function whose header is at `function`, usually its symbol.
    pub fn function_name(&self, function: LispPtr) -> LispPtr {
        let name = self.mem.cell(function.add(function::FRAME_NAME));
        name.masked::<G>()
    }
}
