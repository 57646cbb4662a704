//! Rings of free array blocks.
//!
//! The array space is a sequence of blocks, each with its length in a header and in a trailer.
//! Free blocks of four cells and more are in rings, one for each power of two, whose heads are
//! the cells at `\FREEBLOCKBUCKETS` (`reference/memory-map.md` section 10). Lisp takes the first
//! block that is long enough, which in a long ring means looking at many that are not.
//!
//! With an [`Index`] the blocks of a ring stand in segments, one for each sixteenth of its
//! lengths, the shortest first, and the first block of every segment is known outside Lisp
//! memory. It is TLSF's second level over Medley's first: two scans of bits find a segment all
//! of whose blocks are long enough, and its first block is the only one that is looked at. Any
//! ring in segments is an ordinary ring to Lisp and to Maiko.
//!
//! The index knows what the machine does, and what Lisp does with the functions that are done
//! natively (`array_functions`). Should anybody else change a ring, a block that the index names
//! is not what it was; it is checked before it is used, and the index is made again from the rings.

use super::array_functions::Functions;
use crate::fault::Fault;
use crate::layout::Generation;
use crate::layout::records::array_block::{
    BACKWARD, FORWARD, FREE, HEADER_WORDS, IN_USE, LAST_BUCKET, LENGTH, MIN_CELLS, PASSWORD_MASK,
};
use crate::machine::Machine;
use crate::memory::LispPtr;

/// Segments of a ring.
const SEGMENTS: usize = 16;
/// Rings that a block can be in: one for each number of bits of a length.
const RINGS: usize = 17;
/// More blocks are in no ring: two links lead to each other.
const MOST_BLOCKS: usize = 1 << 23;

/// A free or used block: address of its header, and its length in cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Block {
    pub at: LispPtr,
    pub cells: u32,
}

impl Block {
    /// The address just behind the block.
    pub fn end(self) -> LispPtr {
        self.at.add(2 * self.cells)
    }

    pub fn trailer(self) -> LispPtr {
        self.end().add(HEADER_WORDS.wrapping_neg())
    }
}

/// The bucket for free blocks of `cells` cells.
pub(crate) fn bucket(cells: u32) -> u32 {
    let bit_length = if cells <= 2 {
        cells
    } else {
        u32::BITS - cells.leading_zeros()
    };
    bit_length.min(LAST_BUCKET)
}

/// Where a block stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    ring: usize,
    segment: usize,
}

impl Place {
    fn of(cells: u32) -> Self {
        let ring = bucket(cells) as usize;
        let sixteenths = cells >> ring.saturating_sub(5);
        Self {
            ring,
            segment: sixteenths as usize % SEGMENTS,
        }
    }
}

/// The lowest bit of `bits` above bit `number`.
fn next_bit(bits: u32, number: usize) -> Option<usize> {
    let above = bits & !((2 << number) - 1);
    (above != 0).then(|| above.trailing_zeros() as usize)
}

/// The first block of each segment.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    first: [[Block; SEGMENTS]; RINGS],
    /// A bit for each segment with blocks.
    segments: [u32; RINGS],
    /// A bit for each ring with blocks.
    rings: u32,
}

impl Index {
    /// A block that is long enough, if there is one in a segment of longer ones or at the head
    /// of its own.
    fn fit(&self, cells: u32) -> Option<Block> {
        let Place { ring, segment } = Place::of(cells);
        let own = self.first[ring][segment];
        if own.cells >= cells {
            return Some(own);
        }
        if let Some(segment) = next_bit(self.segments[ring], segment) {
            return Some(self.first[ring][segment]);
        }
        let ring = next_bit(self.rings, ring)?;
        let segment = self.segments[ring].trailing_zeros() as usize;
        self.first[ring].get(segment).copied()
    }

    /// The block in front of which a block of that place is put, and whether it then is the
    /// first of its ring. `None` if the ring is empty.
    fn successor(&self, Place { ring, segment }: Place) -> Option<(Block, bool)> {
        let segments = self.segments[ring];
        if segments == 0 {
            return None;
        }
        let first = segments.trailing_zeros() as usize;
        let after = match segments & 1 << segment {
            0 => next_bit(segments, segment).unwrap_or(first),
            _ => segment,
        };
        Some((self.first[ring][after], segment <= first))
    }

    /// `block` is the first of its segment.
    fn set(&mut self, block: Block) {
        let Place { ring, segment } = Place::of(block.cells);
        self.first[ring][segment] = block;
        self.segments[ring] |= 1 << segment;
        self.rings |= 1 << ring;
    }

    /// `block` is taken out of its ring, where `next` follows it.
    fn remove(&mut self, block: Block, next: Block) {
        let place @ Place { ring, segment } = Place::of(block.cells);
        if self.first[ring][segment].at != block.at {
            return;
        }
        if next.at != block.at && Place::of(next.cells) == place {
            self.first[ring][segment] = next;
            return;
        }
        self.first[ring][segment] = Block::default();
        self.segments[ring] &= !(1 << segment);
        if self.segments[ring] == 0 {
            self.rings &= !(1 << ring);
        }
    }
}

/// What the index was used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArrayTotals {
    /// Requests for a block.
    pub requests: u64,
    /// Those for which there was one.
    pub met: u64,
    /// Blocks that were looked at.
    pub looked_at: u64,
    /// Times that the index was made.
    pub made: u64,
}

/// What is known of the rings outside Lisp memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Rings {
    /// Lisp's functions, if they are done natively.
    pub functions: Option<Functions>,
    index: Option<Box<Index>>,
    pub totals: ArrayTotals,
}

impl<G: Generation> Machine<'_, G> {
    /// The block whose header is at `at`.
    pub(crate) fn block_at(&self, at: LispPtr) -> Block {
        let cells = u32::from(self.mem.word(at.add(LENGTH)));
        Block { at, cells }
    }

    pub(crate) fn is_sound_free_block(&self, block: Block) -> bool {
        let ends = [block.at, block.trailer()];
        let sound = ends.iter().all(|&end| {
            self.mem.word(end) & (PASSWORD_MASK | IN_USE) == FREE
                && u32::from(self.mem.word(end.add(LENGTH))) == block.cells
        });
        sound && block.cells >= 2
    }

    /// Writes the header and the trailer of a free block.
    pub(crate) fn mark_block_free(&mut self, block: Block) {
        for end in [block.at, block.trailer()] {
            self.mem.set_word(end, FREE);
            self.mem.set_word(end.add(LENGTH), block.cells as u16);
        }
    }

    /// The cell that heads the ring for blocks of `cells` cells.
    fn bucket_cell(&self, cells: u32) -> Option<LispPtr> {
        let buckets = self.mem.cell(self.symbols.free_block_buckets).masked::<G>();
        (!buckets.is_nil()).then(|| buckets.add(2 * bucket(cells)))
    }

    /// The blocks before and behind a free block, if they lead back to it.
    fn neighbours(&self, block: Block) -> Option<(LispPtr, LispPtr)> {
        let next = self.mem.cell(block.at.add(FORWARD)).masked::<G>();
        let previous = self.mem.cell(block.at.add(BACKWARD)).masked::<G>();
        let in_ring = !next.is_nil()
            && self.mem.cell(next.add(BACKWARD)).masked::<G>() == block.at
            && self.mem.cell(previous.add(FORWARD)).masked::<G>() == block.at;
        in_ring.then_some((previous, next))
    }

    fn is_free_in_ring(&self, block: Block) -> bool {
        self.is_sound_free_block(block) && self.neighbours(block).is_some()
    }

    /// Puts a free block in its ring: at the head, or with an index in its segment.
    pub(crate) fn link_block(&mut self, block: Block) {
        if block.cells < MIN_CELLS {
            return;
        }
        let Some(bucket) = self.bucket_cell(block.cells) else {
            // No ring: the links say so.
            self.mem.set_cell(block.at.add(FORWARD), LispPtr::NIL);
            return;
        };
        let head = self.mem.cell(bucket).masked::<G>();
        let (successor, leads) = self.successor(block, head).unwrap_or((head, true));
        let (next, previous) = if successor.is_nil() {
            (block.at, block.at)
        } else {
            let previous = self.mem.cell(successor.add(BACKWARD)).masked::<G>();
            (successor, previous)
        };
        self.mem.set_cell(block.at.add(FORWARD), next);
        self.mem.set_cell(block.at.add(BACKWARD), previous);
        self.mem.set_cell(previous.add(FORWARD), block.at);
        self.mem.set_cell(next.add(BACKWARD), block.at);
        if leads {
            self.mem.set_cell(bucket, block.at);
        }
        if let Some(index) = &mut self.heap.rings.index {
            index.set(block);
        }
    }

    /// In front of which block the index wants `block`, and whether it becomes the head of the
    /// ring, which is `head` now. `None` without an index; one that is wrong is given up.
    fn successor(&mut self, block: Block, head: LispPtr) -> Option<(LispPtr, bool)> {
        let index = self.heap.rings.index.as_ref()?;
        match index.successor(Place::of(block.cells)) {
            None if head.is_nil() => Some((head, true)),
            Some((successor, leads)) if self.is_free_in_ring(successor) => {
                Some((successor.at, leads))
            }
            _ => {
                self.heap.rings.index = None;
                None
            }
        }
    }

    /// Takes a free block out of its ring.
    pub(crate) fn unlink_block(&mut self, block: Block) {
        if block.cells < MIN_CELLS {
            return;
        }
        let Some(bucket) = self.bucket_cell(block.cells) else {
            return;
        };
        let is_head = self.mem.cell(bucket).masked::<G>() == block.at;
        let Some((previous, next)) = self.neighbours(block) else {
            if is_head {
                self.raise_fault(Fault::BadArrayBlock {
                    block: block.at,
                    reason: "the links of the free block do not lead back to it",
                });
            }
            return;
        };
        if is_head {
            let head = if next == block.at { LispPtr::NIL } else { next };
            self.mem.set_cell(bucket, head);
        }
        self.mem.set_cell(next.add(BACKWARD), previous);
        self.mem.set_cell(previous.add(FORWARD), next);
        let next = self.block_at(next);
        if let Some(index) = &mut self.heap.rings.index {
            index.remove(block, next);
        }
    }

    /// Empties all rings and puts these blocks in them, in segments.
    pub(super) fn make_rings(&mut self, blocks: &[Block]) {
        for cells in (0..=LAST_BUCKET).map(|bucket| (1 << bucket) - 1) {
            if let Some(bucket) = self.bucket_cell(cells) {
                self.mem.set_cell(bucket, LispPtr::NIL);
            }
        }
        self.heap.rings.index = Some(Box::default());
        for &block in blocks {
            self.mark_block_free(block);
            self.link_block(block);
        }
    }

    /// A block of at least `cells` cells, still in its ring: `Err` if the rings are not as they
    /// must be.
    pub(super) fn find_block(&mut self, cells: u32) -> Result<Option<Block>, ()> {
        self.heap.rings.totals.requests += 1;
        // What the index says may be out of date once, but not when it has just been made.
        for _ in 0..2 {
            if self.heap.rings.index.is_none() {
                self.heap.rings.index = Some(self.make_index().ok_or(())?);
                self.heap.rings.totals.made += 1;
            }
            let index = self.heap.rings.index.as_ref().ok_or(())?;
            let Some(block) = index.fit(cells) else {
                return Ok(None);
            };
            self.heap.rings.totals.looked_at += 1;
            if self.is_free_in_ring(block) {
                self.heap.rings.totals.met += 1;
                return Ok(Some(block));
            }
            self.heap.rings.index = None;
        }
        Err(())
    }

    /// The index is made again when it is wanted: somebody else may have changed the rings.
    pub(super) fn forget_index(&mut self) {
        self.heap.rings.index = None;
    }

    /// Puts the blocks of every ring in segments. `None`, with nothing changed, if a ring is not
    /// sound.
    fn make_index(&mut self) -> Option<Box<Index>> {
        let rings: Option<Vec<_>> = (0..RINGS as u32).map(|ring| self.ring(ring)).collect();
        let mut index = Box::<Index>::default();
        for mut blocks in rings? {
            let Some(&Block { cells, .. }) = blocks.first() else {
                continue;
            };
            let bucket = self.bucket_cell(cells)?;
            blocks.sort_by_key(|block| Place::of(block.cells));
            self.mem.set_cell(bucket, blocks[0].at);
            for (number, block) in blocks.iter().enumerate() {
                let next = blocks[(number + 1) % blocks.len()].at;
                self.mem.set_cell(block.at.add(FORWARD), next);
                self.mem.set_cell(next.add(BACKWARD), block.at);
            }
            // The first of a segment is what remains.
            for &block in blocks.iter().rev() {
                index.set(block);
            }
        }
        Some(index)
    }

    /// The blocks of a ring, `None` if it is not sound.
    fn ring(&self, number: u32) -> Option<Vec<Block>> {
        let buckets = self.mem.cell(self.symbols.free_block_buckets).masked::<G>();
        let mut blocks = Vec::new();
        let head = self.mem.cell(buckets.add(2 * number)).masked::<G>();
        if buckets.is_nil() || head.is_nil() {
            return Some(blocks);
        }
        let mut at = head;
        while blocks.len() < MOST_BLOCKS {
            let block = self.block_at(at);
            if bucket(block.cells) != number || !self.is_sound_free_block(block) {
                return None;
            }
            blocks.push(block);
            (_, at) = self.neighbours(block)?;
            if at == head {
                return Some(blocks);
            }
        }
        None
    }
}
