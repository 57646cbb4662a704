//! Freeing array blocks.
//!
//! The array space is a sequence of blocks, each with its length in a header and
//! in a trailer, so that both neighbours of a block can be found. Free blocks of
//! four cells and more are in rings, one for each power of two, whose heads are the
//! cells at `\FREEBLOCKBUCKETS` (`reference/memory-map.md` section 10). Lisp takes
//! blocks from there; the machine frees them, and merges a freed block with free
//! neighbours unless that would cross an end of an array space
//! (`reference/garbage-collector.md` section 9).
//!
//! A neighbour whose header and trailer do not agree is treated as in use, and a
//! block whose links do not lead back to it as in no ring.

use crate::fault::Fault;
use crate::layout::Generation;
use crate::layout::records::array_block::{
    BACKWARD, FIRST_SEGMENT, FORWARD, FREE, HEADER_WORDS, IN_USE, LAST_BUCKET, LENGTH, MAX_CELLS,
    MIN_CELLS, MIN_CELLS_WITH_HUNKS, PASSWORD_MASK,
};
use crate::machine::Machine;
use crate::memory::LispPtr;

/// A free or used block: address of its header, and its length in cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub at: LispPtr,
    pub cells: u32,
}

impl Block {
    /// The address just behind the block.
    pub fn end(self) -> LispPtr {
        self.at.add(2 * self.cells)
    }

    fn trailer(self) -> LispPtr {
        self.end().add(HEADER_WORDS.wrapping_neg())
    }
}

/// The bucket for free blocks of `cells` cells.
pub(super) fn bucket(cells: u32) -> u32 {
    let bit_length = if cells <= 2 {
        cells
    } else {
        u32::BITS - cells.leading_zeros()
    };
    bit_length.min(LAST_BUCKET)
}

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
    pub(super) fn free_block(&mut self, block: Block) {
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

    /// The block whose header is at `at`.
    fn block_at(&self, at: LispPtr) -> Block {
        let cells = u32::from(self.mem.word(at.add(LENGTH)));
        Block { at, cells }
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

    fn is_sound_free_block(&self, block: Block) -> bool {
        let ends = [block.at, block.trailer()];
        let sound = ends.iter().all(|&end| {
            self.mem.word(end) & (PASSWORD_MASK | IN_USE) == FREE
                && u32::from(self.mem.word(end.add(LENGTH))) == block.cells
        });
        sound && block.cells >= 2
    }

    /// Writes the header and the trailer of a free block.
    fn mark_block_free(&mut self, block: Block) {
        for end in [block.at, block.trailer()] {
            self.mem.set_word(end, FREE);
            self.mem.set_word(end.add(LENGTH), block.cells as u16);
        }
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
    fn merge_forward(&mut self, block: Block) {
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

    /// The cell that heads the ring for blocks of `cells` cells.
    fn bucket_cell(&self, cells: u32) -> Option<LispPtr> {
        let buckets = self.mem.cell(self.symbols.free_block_buckets).masked::<G>();
        (!buckets.is_nil()).then(|| buckets.add(2 * bucket(cells)))
    }

    /// Puts a free block at the head of its ring.
    fn link_block(&mut self, block: Block) {
        if block.cells < MIN_CELLS {
            return;
        }
        let Some(bucket) = self.bucket_cell(block.cells) else {
            // No ring: the links say so.
            self.mem.set_cell(block.at.add(FORWARD), LispPtr::NIL);
            return;
        };
        let head = self.mem.cell(bucket).masked::<G>();
        let (next, previous) = if head.is_nil() {
            (block.at, block.at)
        } else {
            (head, self.mem.cell(head.add(BACKWARD)).masked::<G>())
        };
        self.mem.set_cell(block.at.add(FORWARD), next);
        self.mem.set_cell(block.at.add(BACKWARD), previous);
        self.mem.set_cell(previous.add(FORWARD), block.at);
        self.mem.set_cell(next.add(BACKWARD), block.at);
        self.mem.set_cell(bucket, block.at);
    }

    /// Takes a free block out of its ring.
    fn unlink_block(&mut self, block: Block) {
        if block.cells < MIN_CELLS {
            return;
        }
        let Some(bucket) = self.bucket_cell(block.cells) else {
            return;
        };
        let next = self.mem.cell(block.at.add(FORWARD)).masked::<G>();
        let previous = self.mem.cell(block.at.add(BACKWARD)).masked::<G>();
        let in_ring = !next.is_nil()
            && self.mem.cell(next.add(BACKWARD)).masked::<G>() == block.at
            && self.mem.cell(previous.add(FORWARD)).masked::<G>() == block.at;
        let is_head = self.mem.cell(bucket).masked::<G>() == block.at;
        if !in_ring {
            if is_head {
                self.raise_fault(Fault::BadArrayBlock {
                    block: block.at,
                    reason: "the links of the free block do not lead back to it",
                });
            }
            return;
        }
        if is_head {
            let head = if next == block.at { LispPtr::NIL } else { next };
            self.mem.set_cell(bucket, head);
        }
        self.mem.set_cell(next.add(BACKWARD), previous);
        self.mem.set_cell(previous.add(FORWARD), next);
    }
}
