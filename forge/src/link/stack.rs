//! The stack of a fresh image (`reference/boot-and-traps.md` section 10): the
//! context of the reset, then the user stack, each with one frame that is about to
//! execute its first instruction.

use geiko_runtime::layout::records::{block, frame, function, interface};
use geiko_runtime::layout::{Generation, STACK, SymbolCell};
use geiko_runtime::memory::{LispPtr, StackOffset};
use geiko_runtime::stack::{BOTTOM, Frame};

use super::atoms::system_symbol;
use super::system::{COLD_START, RESET_STACK};
use super::{LinkError, Linker, Result};

/// Words of a guard block.
const GUARD_WORDS: u16 = 2;
/// The basic frame of the context of the reset. Slots begin at a multiple of four
/// words.
const RESET_CONTEXT: StackOffset = StackOffset(4);
/// Start of the user stack, behind the context of the reset.
const USER_STACK: StackOffset = StackOffset(0x300);
/// The last guard block; the machine extends the stack when it must.
const END_OF_STACK: StackOffset = StackOffset(0x17FE);
/// Words between the slots of a frame and its evaluation stack.
const PADDING: u16 = 4;

impl<G: Generation> Linker<'_, G> {
    /// Makes the stack and says where it is.
    pub(super) fn make_stack(&mut self) -> Result<()> {
        let start = self.start_function(COLD_START)?;
        let start = start.ok_or_else(|| {
            LinkError::new(format!(
                "there is no function IL:{COLD_START} to start with"
            ))
        })?;
        let reset = self.start_function(RESET_STACK)?.unwrap_or(start);
        self.m
            .set_block(StackOffset(0), block::GUARD, RESET_CONTEXT.0);
        let guard = USER_STACK.sub(GUARD_WORDS);
        self.m.set_block(guard, block::GUARD, GUARD_WORDS);
        self.m.set_block(END_OF_STACK, block::GUARD, GUARD_WORDS);
        let reset = self.make_frame(RESET_CONTEXT, reset, guard);
        let user = self.make_frame(USER_STACK, start, END_OF_STACK);
        for (offset, at) in [
            (interface::CURRENT_FRAME, user),
            (interface::RESET_FRAME, reset),
            (interface::STACK_BASE, USER_STACK),
            (interface::END_OF_STACK, END_OF_STACK),
        ] {
            self.m.set_interface_word(offset, at.0);
        }
        self.set_interface_page();
        Ok(())
    }

    /// The code block of a function that starts something.
    fn start_function(&mut self, name: &str) -> Result<Option<LispPtr>> {
        let at = self.cell_of(&system_symbol(name), SymbolCell::Definition)?;
        let block = self.m.mem.cell(at).masked::<G>();
        if block.is_nil() {
            return Ok(None);
        }
        if self.m.mem.word(block.add(function::ARG_COUNT)) != 0 {
            return Err(LinkError::new(format!("IL:{name} must have no arguments")));
        }
        Ok(Some(block))
    }

    /// A frame about to execute the first instruction of `code`, its basic frame at
    /// `at`, free space from there to `end`. Answers the frame extension.
    fn make_frame(&mut self, at: StackOffset, code: LispPtr, end: StackOffset) -> StackOffset {
        let mem = self.m.mem;
        self.m.set_block(at, block::BASIC_FRAME, at.0);
        let fx = at.add(2);
        let header = |offset| mem.word(code.add(offset));
        let slots = header(function::PVAR_QUADS).wrapping_add(1) * 4;
        let made: Frame<'_, G> = Frame::at(mem, fx);
        made.set_flags(frame::flag::KIND | frame::flag::NO_PUSH);
        made.set_alink_word(BOTTOM);
        mem.set_stack(fx.add(frame::FUNCTION), G::to_frame_pointer(code));
        made.set_pc_offset(header(function::START_PC));
        made.set_blink(at);
        mem.set_stack_word(fx.add(frame::CLINK), frame::WORDS);
        for word in (0..slots).step_by(2) {
            mem.set_stack(made.pvar().add(word), LispPtr::UNBOUND);
        }
        let next = made.pvar().add(slots).add(PADDING);
        made.set_next_block(next);
        self.m.free_stack(next, end);
        fx
    }

    /// The pages of the stack.
    pub(super) fn stack_pages(&self) -> Vec<u32> {
        (STACK.page()..=END_OF_STACK.address().page()).collect()
    }
}
