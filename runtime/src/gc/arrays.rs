//! Freeing array blocks.
//!
//! Lisp takes blocks of the array space from rings of free ones (`heap/rings.rs`); the
//! machine frees them, and merges a freed block with free neighbours unless that would
//! cross an end of an array space (`reference/garbage-collector.md` section 9).
//!
//! A neighbour whose header and trailer do not agree is treated as in use, and a
//! block whose links do not lead back to it as in no ring.

use crate::fault::Fault;
use crate::heap::rings::Block;
use crate::layout::Generation;
use crate::layout::records::array_block::{
    FIRST_SEGMENT, FREE, HEADER_WORDS, IN_USE, LENGTH, MAX_CELLS, MIN_CELLS, MIN_CELLS_WITH_HUNKS,
    PASSWORD_MASK,
};
use crate::machine::Machine;
use crate::memory::LispPtr;

impl<G: Generation> Machine<'_, G> {
    /// Makes the `cells` cells from `at` on, which end an array space, free.
    pub(crate) fn free_array_space(&mut self, at: LispPtr, cells: u32) {
        let mut block = Block { at, cells };
        while block.cells >= MIN_CELLS {
            let cells = block.cells.min(MAX_CELLS);
            let first = Block { cells, ..block };
            self.mark_block_free(first);
            self.merge_backward(first);
            block = Block {
                at: first.end(),
                cells: block.cells - cells,
            };
        }
    }

    /// Frees `block`.
    pub(crate) fn free_block(&mut self, block: Block) {
        self.mark_block_free(block);
        if let Some(last) = self.merge_backward(block) {
            self.merge_forward(last);
        }
    }

    /// The block in use whose data are at `data`. None, with the fault raised, if
    /// there is no sound one.
    pub(super) fn used_block_with_data(&mut self, data: LispPtr) -> Option<Block> {
        let block = self.block_at(data.add(HEADER_WORDS.wrapping_neg()));
        let flags = self.mem.word(block.at);
        let reason = if data.segment::<G>() < FIRST_SEGMENT {
            "not in the array space"
        } else if flags & PASSWORD_MASK != FREE {
            "wrong password"
        } else if flags & IN_USE == 0 {
            "not in use"
        } else if block.cells < 2 {
            "impossible length"
        } else {
            return Some(block);
        };
        let block = block.at;
        self.raise_fault(Fault::BadArrayBlock { block, reason });
        None
    }

    /// The free block that ends at `end`, if a sound one does.
    fn free_block_before(&self, end: LispPtr) -> Option<Block> {
        let trailer = end.add(HEADER_WORDS.wrapping_neg());
        if self.mem.word(trailer) & (PASSWORD_MASK | IN_USE) != FREE {
            return None;
        }
        let cells = u32::from(self.mem.word(trailer.add(LENGTH)));
        let at = end.add((2 * cells).wrapping_neg());
        let block = Block { at, cells };
        self.is_sound_free_block(block).then_some(block)
    }

    /// Merges a free block, not in a ring yet, with the block before it and puts
    /// the result into its ring. Answers the block that now ends where `block`
    /// did.
    fn merge_backward(&mut self, block: Block) -> Option<Block> {
        let symbols = &self.symbols;
        let starts_space = [symbols.array_space, symbols.array_space2]
            .iter()
            .any(|&start| self.mem.cell(start).masked::<G>() == block.at);
        let merging = !self.mem.cell(symbols.array_merging).is_nil();
        if merging
            && !starts_space
            && let Some(previous) = self.free_block_before(block.at)
        {
            self.unlink_block(previous);
            return self.merge_blocks(previous, block);
        }
        self.link_block(block);
        Some(block)
    }

    /// Merges a free block in a ring with the block behind it, and once more if
    /// that only moved the border between them.
    pub(crate) fn merge_forward(&mut self, block: Block) {
        let Some(next) = self.free_block_behind(block) else {
            return;
        };
        self.unlink_block(next);
        self.unlink_block(block);
        if let Some(last) = self.merge_blocks(block, next)
            && last.at != block.at
            && let Some(next) = self.free_block_behind(last)
            && last.cells + next.cells <= MAX_CELLS
        {
            self.unlink_block(next);
            self.unlink_block(last);
            self.merge_blocks(last, next);
        }
    }

    /// The free block behind `block` that may be merged with it.
    fn free_block_behind(&self, block: Block) -> Option<Block> {
        let symbols = &self.symbols;
        let next = block.end();
        let ends_space = [symbols.array_free_list, symbols.array_free_list2]
            .iter()
            .any(|&end| self.mem.cell(end).masked::<G>() == next);
        let merging = !self.mem.cell(symbols.array_merging).is_nil();
        let block = self.block_at(next);
        (merging && !ends_space && self.is_sound_free_block(block)).then_some(block)
    }

    /// Makes one free block of two, or two if one would be too long, and puts them
    /// into their rings. Answers the last.
    fn merge_blocks(&mut self, first: Block, second: Block) -> Option<Block> {
        let total = first.cells + second.cells;
        if total <= MAX_CELLS {
            let block = Block {
                cells: total,
                ..first
            };
            self.mark_block_free(block);
            self.link_block(block);
            return Some(block);
        }
        let hunks = self.mem.cell(self.symbols.hunking) == LispPtr::T;
        let least = if hunks {
            MIN_CELLS_WITH_HUNKS
        } else {
            MIN_CELLS
        };
        let rest = (total - MAX_CELLS).max(least);
        let first = Block {
            cells: total - rest,
            ..first
        };
        let second = Block {
            at: first.end(),
            cells: rest,
        };
        for block in [second, first] {
            self.mark_block_free(block);
            self.link_block(block);
        }
        Some(second)
    }
}
