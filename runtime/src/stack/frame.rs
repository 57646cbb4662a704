//! Frame extensions and the blocks around them.

use crate::layout::Generation;
use crate::layout::records::{block, frame, function};
use crate::machine::Machine;
use crate::memory::{CodePc, LispPtr, Mem, StackOffset};

/// Access link of the bottom frame: no frame, slow.
pub const BOTTOM: u16 = 11;

/// A frame extension on the stack.
#[derive(Clone, Copy)]
pub struct Frame<'m, G> {
    mem: Mem<'m, G>,
    /// Offset of its first word.
    pub fx: StackOffset,
}

impl<'m, G: Generation> Frame<'m, G> {
    /// The frame extension at `fx`.
    #[inline(always)]
    pub fn at(mem: Mem<'m, G>, fx: StackOffset) -> Self {
        Self { mem, fx }
    }

    /// The frame whose PVAR slots start at `pvar`.
    #[inline(always)]
    pub fn of_pvar(mem: Mem<'m, G>, pvar: StackOffset) -> Self {
        Self::at(mem, pvar.sub(frame::WORDS))
    }

    /// Offset of PVAR slot 0.
    #[inline(always)]
    pub fn pvar(self) -> StackOffset {
        self.fx.add(frame::WORDS)
    }

    #[inline(always)]
    fn word(self, field: u16) -> u16 {
        self.mem.stack_word(self.fx.add(field))
    }

    #[inline(always)]
    fn set_word(self, field: u16, value: u16) {
        self.mem.set_stack_word(self.fx.add(field), value);
    }

    /// Flags and use count.
    pub fn flags(self) -> u16 {
        self.word(frame::FLAGS)
    }

    /// Replaces flags and use count.
    pub fn set_flags(self, flags: u16) {
        self.set_word(frame::FLAGS, flags);
    }

    /// References to this frame, less one.
    pub fn use_count(self) -> u16 {
        self.flags() & frame::flag::USE_COUNT
    }

    /// The access link word; bit 0 set in slow frames.
    #[inline(always)]
    pub fn alink_word(self) -> u16 {
        self.word(frame::ALINK)
    }

    /// Replaces the access link word.
    pub fn set_alink_word(self, value: u16) {
        self.set_word(frame::ALINK, value);
    }

    /// True when control link and basic frame are stored explicitly.
    #[inline(always)]
    pub fn is_slow(self) -> bool {
        self.alink_word() & 1 != 0
    }

    /// Makes the implied links explicit.
    pub fn make_slow(self) {
        let alink = self.alink_word();
        if alink & 1 == 0 {
            self.set_word(frame::BLINK, self.fx.0.wrapping_sub(2));
            self.set_word(frame::CLINK, alink);
            self.set_alink_word(alink | 1);
        }
    }

    /// The access link frame.
    pub fn alink(self) -> Self {
        Self::of_pvar(self.mem, StackOffset(self.alink_word() & 0xFFFE))
    }

    /// The control link frame.
    pub fn clink(self) -> Self {
        if self.is_slow() {
            Self::of_pvar(self.mem, StackOffset(self.word(frame::CLINK)))
        } else {
            self.alink()
        }
    }

    /// Stores the control link; only meaningful in slow frames.
    pub fn set_clink(self, to: Self) {
        self.set_word(frame::CLINK, to.pvar().0);
    }

    /// Stores the basic frame link; only meaningful in slow frames.
    pub fn set_blink(self, basic_frame: StackOffset) {
        self.set_word(frame::BLINK, basic_frame.0);
    }

    /// The basic frame cell that holds the use count of the arguments.
    pub fn basic_frame(self) -> StackOffset {
        if self.is_slow() {
            StackOffset(self.word(frame::BLINK))
        } else {
            self.fx.sub(2)
        }
    }

    /// First word of the basic frame cell directly in front.
    pub fn front_flags(self) -> u16 {
        self.mem.stack_word(self.fx.sub(2))
    }

    /// True when the cell in front is a stand-in for arguments elsewhere.
    pub fn is_residual(self) -> bool {
        self.front_flags() & block::RESIDUAL != 0
    }

    /// Where the arguments start.
    #[inline(always)]
    pub fn ivar(self) -> StackOffset {
        StackOffset(self.mem.stack_word(self.fx.sub(1)))
    }

    /// The function header.
    #[inline(always)]
    pub fn function(self) -> LispPtr {
        G::frame_pointer(self.mem.stack(self.fx.add(frame::FUNCTION))).masked::<G>()
    }

    /// True when the name table word is valid.
    pub fn has_name_table(self) -> bool {
        self.flags() & frame::flag::VALID_NAME_TABLE != 0
    }

    /// The name table word as a pointer.
    pub fn own_name_table(self) -> LispPtr {
        G::frame_pointer(self.mem.stack(self.fx.add(frame::NAME_TABLE))).masked::<G>()
    }

    /// Replaces the name table word.
    pub fn set_own_name_table(self, table: LispPtr) {
        self.mem
            .set_stack(self.fx.add(frame::NAME_TABLE), G::to_frame_pointer(table));
    }

    /// The name table in force: the frame's own or the function's.
    pub fn name_table(self) -> LispPtr {
        if self.has_name_table() {
            self.own_name_table()
        } else {
            self.function()
        }
    }

    /// The block behind this frame's dynamic part.
    pub fn next_block(self) -> StackOffset {
        StackOffset(self.word(frame::NEXT_BLOCK))
    }

    /// Sets the block behind this frame's dynamic part.
    #[inline(always)]
    pub fn set_next_block(self, at: StackOffset) {
        self.set_word(frame::NEXT_BLOCK, at.0);
    }

    /// Byte offset at which execution resumes.
    pub fn pc_offset(self) -> u16 {
        self.word(frame::PC)
    }

    /// Sets the resume point.
    #[inline(always)]
    pub fn set_pc_offset(self, offset: u16) {
        self.set_word(frame::PC, offset);
    }

    /// The instruction at which execution resumes.
    pub fn pc(self) -> CodePc {
        CodePc::new(self.function(), self.pc_offset())
    }
}

impl<'m, G: Generation> Machine<'m, G> {
    /// The running frame.
    #[inline(always)]
    pub fn running_frame(&self) -> Frame<'m, G> {
        Frame::of_pvar(self.mem, self.regs.pvar)
    }

    /// Kind of the stack block at `at`.
    pub fn block_kind(&self, at: StackOffset) -> u16 {
        self.mem.stack_word(at) & block::KIND
    }

    /// Size in words of the free or guard block at `at`.
    pub fn block_size(&self, at: StackOffset) -> u16 {
        self.mem.stack_word(at.add(1))
    }

    /// Writes the header of a free or guard block.
    pub fn set_block(&self, at: StackOffset, kind: u16, size: u16) {
        self.mem.set_stack_word(at, kind);
        self.mem.set_stack_word(at.add(1), size);
    }

    /// Makes `[from, to)` a free block, if it is not empty.
    pub fn free_stack(&self, from: StackOffset, to: StackOffset) {
        let size = to.0.wrapping_sub(from.0);
        if size != 0 {
            self.set_block(from, block::FREE, size);
        }
    }

    /// Offset of the final guard block.
    pub fn end_of_stack(&self) -> StackOffset {
        StackOffset(self.interface_word(crate::layout::records::interface::END_OF_STACK))
    }

    /// End of the run of adjacent free blocks that starts at `at`.
    pub fn end_of_free_run(&self, mut at: StackOffset) -> StackOffset {
        while self.block_kind(at) == block::FREE {
            let size = self.block_size(at);
            let (next, wrapped) = at.0.overflowing_add(size);
            if size == 0 || wrapped {
                break;
            }
            at = StackOffset(next);
        }
        at
    }

    /// Stack words that the function at `header` needs between two checks.
    #[inline(always)]
    pub fn stack_min(&self, header: LispPtr) -> u16 {
        self.mem.word(header.add(function::STACK_MIN))
    }

    /// Makes the memory of the running frame complete: the top of stack stored,
    /// `nextblock` behind it, the rest up to `end` a free block.
    pub fn close_running_frame(&self) {
        let next = self.regs.sp.add(2);
        self.mem.set_stack(self.regs.sp, self.regs.tos);
        self.running_frame().set_next_block(next);
        self.free_stack(next, self.end);
    }

    /// Publishes `end` and the limit of the running function to the pollers, unless
    /// somebody wants attention: the limit stays 0 until that has been taken.
    pub fn set_stack_limit(&self) {
        use std::sync::atomic::Ordering::Relaxed;
        let control = self.mem.control();
        let end = u32::from(self.end.0);
        control.end.store(end, Relaxed);
        let limit = end.saturating_sub(u32::from(self.stack_min(self.func)));
        control.limit.store(limit, Relaxed);
        // Looked at last, so that a request from another thread is seen at the latest
        // when the limit is set again.
        if control.is_raised() {
            control.end.store(0, Relaxed);
            control.limit.store(0, Relaxed);
        }
    }
}
