//! Stack overflow (`reference/processor.md` section 16).
//!
//! When a frame has no room to grow, it is moved: merged with free blocks behind
//! it if there are any, else the last frame extends the stack, else the frame
//! extension and its dynamic part are copied to a larger free place (its
//! arguments stay, a residual basic frame cell stands in for them). A search
//! merges free blocks on its way and extends the stack when it finds nothing.
//! Growing into the guard zone raises a soft overflow, which Lisp reports as an
//! error; when nothing is left the machine faults.

use super::Frame;
use crate::fault::Fault;
use crate::layout::Generation;
use crate::layout::records::{block, interface, interrupt};
use crate::machine::Machine;
use crate::memory::{LispPtr, StackOffset, WORDS_PER_PAGE};

/// Free words that a place for a frame must have beyond the frame itself: the
/// stack area of a small frame and the least free block.
const SPARE_WORDS: u32 = 768 + MIN_EXTRA_WORDS as u32;
/// Words left free in front of a place that a search hands out.
const MIN_EXTRA_WORDS: u16 = 32;
/// Most blocks that a search passes.
const MAX_BLOCKS: u32 = 0x1_0000;

impl<'m, G: Generation> Machine<'m, G> {
    /// Makes room behind the running frame. On return registers describe the
    /// frame where it is now.
    pub(crate) fn handle_stack_overflow(&mut self) -> Result<(), Fault> {
        self.close_running_frame();
        let moved = self.move_frame(self.running_frame())?;
        self.regs.pvar = moved.pvar();
        let next = moved.next_block();
        self.end = self.end_of_free_run(next);
        self.regs.sp = next.sub(2);
        Ok(())
    }

    /// Offset modulo 4 that a copy of `frame` must keep, if any: a name table on
    /// the stack is addressed by quad-words.
    pub(super) fn frame_alignment(&self, frame: Frame<'m, G>) -> Option<u16> {
        let on_stack = frame.has_name_table()
            && frame.own_name_table().segment::<G>() == StackOffset(0).address().0 >> 16;
        on_stack.then_some(frame.fx.sub(2).0 % 4)
    }

    /// Adjusts the pointer to a name table that moved with its frame.
    pub(super) fn shift_name_table(&self, moved: Frame<'m, G>, from: StackOffset) {
        if self.frame_alignment(moved).is_some() {
            let table = moved.own_name_table();
            let shifted = table.lo().wrapping_add(moved.fx.0.wrapping_sub(from.0));
            moved.set_own_name_table(StackOffset(shifted).address());
        }
    }

    /// Copies `words` words of the stack; the ranges do not overlap.
    pub(super) fn copy_stack(&self, from: StackOffset, to: StackOffset, words: u16) {
        for word in (0..words).step_by(2) {
            self.mem
                .set_stack(to.add(word), self.mem.stack(from.add(word)));
        }
    }

    fn move_frame(&mut self, old: Frame<'m, G>) -> Result<Frame<'m, G>, Fault> {
        let next = old.next_block();
        let size = next.0.wrapping_sub(old.fx.0).wrapping_add(2);
        // Once more when the stack was extended behind the frame.
        for _ in 0..2 {
            let mut at_end = false;
            if self.block_kind(next) == block::FREE {
                let behind = next.add(self.block_size(next));
                if self.block_kind(behind) == block::FREE {
                    let end = self.end_of_free_run(next);
                    self.free_stack(next, end);
                    return Ok(old);
                }
                if behind == self.end_of_stack() {
                    let guard = self.mem.cell(self.symbols.guard_stack_address).lo();
                    if behind.0 > guard && self.mem.cell(self.symbols.stack_overflow).is_nil() {
                        at_end = true;
                    } else {
                        return match self.extend_stack() {
                            true => Ok(old),
                            false => Err(Fault::StackFull),
                        };
                    }
                }
            }
            let alignment = self.frame_alignment(old);
            let place = self
                .find_stack_space(size, old.fx, alignment)
                .ok_or(Fault::StackFull)?;
            if at_end && place > old.fx {
                // The search had to extend the stack: now there is room behind.
                self.set_block(place, block::FREE, size);
                continue;
            }
            return Ok(self.move_to(old, place, size));
        }
        let (at, word) = (next, self.mem.stack_word(next));
        Err(Fault::BadStackBlock { at, word })
    }

    fn move_to(&self, old: Frame<'m, G>, place: StackOffset, size: u16) -> Frame<'m, G> {
        self.copy_stack(old.fx.sub(2), place, size);
        let moved = Frame::at(self.mem, place.add(2));
        let basic = old.basic_frame();
        self.mem
            .set_stack_word(place, moved.front_flags() | block::RESIDUAL);
        moved.set_next_block(place.add(size));
        moved.make_slow();
        moved.set_blink(basic);
        self.shift_name_table(moved, old.fx);
        let from = if old.is_residual() {
            old.fx.sub(2)
        } else {
            old.fx
        };
        self.free_stack(from, old.fx.add(size - 2));
        moved
    }

    /// Finds `size` words with room to grow, looking from `start` upwards and
    /// around. The place is marked as a guard block.
    pub(super) fn find_stack_space(
        &mut self,
        size: u16,
        start: StackOffset,
        alignment: Option<u16>,
    ) -> Option<StackOffset> {
        loop {
            if let Some(place) = self.scan_stack_space(size, start, alignment) {
                return Some(place);
            }
            if !self.extend_stack() {
                return None;
            }
        }
    }

    fn scan_stack_space(
        &self,
        size: u16,
        start: StackOffset,
        alignment: Option<u16>,
    ) -> Option<StackOffset> {
        let last = self.end_of_stack();
        let mut at = start;
        for _ in 0..MAX_BLOCKS {
            match self.block_kind(at) {
                block::GUARD if at >= last => at = self.stack_base(),
                block::FREE | block::GUARD => {
                    let free = self.merge_free_run(at, last);
                    if free >= u32::from(size) + SPARE_WORDS {
                        return Some(self.split_free(at, free as u16, size, alignment));
                    }
                    if free == 0 {
                        return None;
                    }
                    at = at.add(free as u16);
                }
                block::FRAME => at = Frame::at(self.mem, at).next_block(),
                block::BASIC_FRAME => at = at.add(2),
                _ => {
                    at = at.add(2);
                    continue;
                }
            }
            if at == start {
                break;
            }
        }
        None
    }

    /// Words of the run of free and inner guard blocks at `at`, merged into one
    /// free block.
    fn merge_free_run(&self, at: StackOffset, last: StackOffset) -> u32 {
        let mut end = u32::from(at.0);
        while end < u32::from(last.0) {
            let here = StackOffset(end as u16);
            let size = self.block_size(here);
            match self.block_kind(here) {
                block::FREE | block::GUARD if size != 0 => end += u32::from(size),
                _ => break,
            }
        }
        let words = end - u32::from(at.0);
        if words != 0 && words <= 0xFFFF {
            self.set_block(at, block::FREE, words as u16);
        }
        words.min(0xFFFF)
    }

    fn split_free(
        &self,
        at: StackOffset,
        free: u16,
        size: u16,
        alignment: Option<u16>,
    ) -> StackOffset {
        let lead = match alignment {
            Some(wanted) if wanted != at.0 % 4 => MIN_EXTRA_WORDS + 2,
            _ => MIN_EXTRA_WORDS,
        };
        let place = at.add(lead);
        self.set_block(at, block::FREE, lead);
        self.set_block(place, block::GUARD, size);
        self.set_block(place.add(size), block::FREE, free - lead - size);
        place
    }

    /// Adds a page at the end of the stack; false when the segment is full.
    fn extend_stack(&mut self) -> bool {
        let end = self.end_of_stack();
        if end.0 >= self.mem.cell(self.symbols.last_stack_address).lo() {
            return false;
        }
        let guard = self.mem.cell(self.symbols.guard_stack_address).lo();
        let overflowed = self.symbols.stack_overflow;
        if end.0 > guard && self.mem.cell(overflowed).is_nil() {
            self.set_interrupt_bit(interrupt::STACK_OVERFLOW);
            self.mem.set_cell(overflowed, LispPtr::T);
        }
        let first = end.add(2);
        self.new_page(first.address());
        self.set_block(first, block::FREE, WORDS_PER_PAGE as u16 - 2);
        let new_end = end.add(WORDS_PER_PAGE as u16);
        self.set_interface_word(interface::END_OF_STACK, new_end.0);
        self.set_block(new_end, block::GUARD, 2);
        self.set_block(end, block::FREE, 2);
        true
    }
}
