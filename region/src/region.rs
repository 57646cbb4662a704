//! The allocator: two-level segregated fit over one region.
//!
//! A block is a header and the bytes behind it up to the next header; what the user gets
//! begins at a multiple of 16 and is 12, 28, 44, ... bytes long. The header of the last
//! block is followed by one of size zero that is always in use. A free block holds the
//! offsets of its neighbours in a list, and in its last four bytes its own, by which the block behind
//! finds it; so the smallest block is 16 bytes.
//!
//! Free blocks are in lists by size: a first level for each power of two, each in 16 parts,
//! with a bit for each list that is not empty. A request is rounded up to the next list, so that
//! any block there fits, and found by two searches for a bit. Freed blocks are merged with free
//! neighbours at once. Nothing depends on how many blocks there are.

mod check;

use std::ptr::NonNull;

use crate::header::{Colour, GRANULE, Header, MAX_GRANULES, Tag};
use crate::memory::Memory;

pub use check::Defect;

/// First levels: sizes below 16 granules, then one for each power of two.
const LEVELS: usize = 21;
/// Parts of a level.
const LISTS: usize = 16;
/// Bytes of a header.
const HEADER: u32 = 4;
/// Offset of the first block.
pub(crate) const FIRST: u32 = GRANULE;
/// Least bytes of a region: one granule before the first block, one block.
const LEAST: u32 = 2 * GRANULE;
/// Bytes of free blocks whose memory is worth giving back.
const LARGE: u32 = 32 << 10;

/// An allocated block: the offset of its first byte behind the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Block(u32);

impl Block {
    /// Offset from the start of the region, a multiple of 16 and not 0.
    pub fn offset(self) -> u32 {
        self.0
    }

    /// The block at an offset that [`Block::offset`] answered.
    pub fn at(offset: u32) -> Self {
        Self(offset)
    }

    fn header(self) -> u32 {
        self.0 - HEADER
    }
}

/// A request that cannot be met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{needed} bytes of memory are needed, {free} of {size} are free")]
pub struct Refusal {
    /// Bytes that would do, headers included.
    pub needed: u64,
    /// Free bytes, perhaps in pieces.
    pub free: u64,
    /// Bytes of the region.
    pub size: u64,
}

/// No block in use is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no block in use at offset {0}")]
pub struct NotABlock(pub u32);

/// What the blocks of a tag take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Number of blocks.
    pub blocks: u32,
    /// Their bytes, headers included.
    pub bytes: u64,
}

/// A region and the blocks in it.
pub struct Region<'b> {
    memory: Memory<'b>,
    /// Offset behind the header that ends the region.
    end: u32,
    /// Which levels have free blocks.
    levels: u32,
    /// Which lists of each level have.
    lists: [u16; LEVELS],
    /// The first block of each list, 0 if there is none.
    heads: [[u32; LISTS]; LEVELS],
    usage: [Usage; Tag::COUNT],
    free: u64,
}

impl<'b> Region<'b> {
    /// A region in the caller's buffer.
    pub fn new(buffer: &'b mut [u8]) -> Result<Self, Refusal> {
        Self::over(Memory::of_buffer(buffer))
    }

    /// A region of so many bytes, which the host commits as they are touched.
    pub fn reserve(bytes: u32) -> Result<Region<'static>, Refusal> {
        let refusal = Refusal {
            needed: u64::from(bytes.max(LEAST)),
            free: 0,
            size: 0,
        };
        Region::over(Memory::of_host(bytes).ok_or(refusal)?)
    }

    fn over(memory: Memory<'b>) -> Result<Self, Refusal> {
        let granules = (memory.len() / GRANULE).min(MAX_GRANULES);
        let end = granules * GRANULE;
        if end < LEAST {
            return Err(Refusal {
                needed: u64::from(LEAST),
                free: 0,
                size: u64::from(memory.len()),
            });
        }
        let mut region = Self {
            memory,
            end,
            levels: 0,
            lists: [0; LEVELS],
            heads: [[0; LISTS]; LEVELS],
            usage: [Usage::default(); Tag::COUNT],
            free: 0,
        };
        region.set_header(Block(end), Header::used(0, Tag::new(0)));
        region.insert(Block(FIRST), granules - 1);
        Ok(region)
    }

    /// A block of at least `bytes` bytes; what they contain is not said.
    pub fn allocate(&mut self, tag: Tag, bytes: usize) -> Result<Block, Refusal> {
        let refused = |region: &Self| region.refusal(bytes);
        let granules = granules_for(bytes).ok_or_else(|| refused(self))?;
        let block = self.find(granules).ok_or_else(|| refused(self))?;
        let found = self.remove(block);
        let rest = found - granules;
        let size = if rest > 0 {
            self.insert(Block(block.0 + granules * GRANULE), rest);
            granules
        } else {
            self.note_follows_free(block.0 + found * GRANULE, false);
            found
        };
        self.set_header(block, Header::used(size, tag));
        self.account(tag, 0, size);
        Ok(block)
    }

    /// Frees a block; answers its tag.
    pub fn free(&mut self, block: Block) -> Result<Tag, NotABlock> {
        let header = self.used_header(block)?;
        self.account(header.tag(), header.granules(), 0);
        self.give_back(block, header.granules(), header.follows_free());
        Ok(header.tag())
    }

    /// Makes a block longer or shorter, where it is if possible. What it contains stays, and
    /// if the request cannot be met so does the block.
    pub fn resize(&mut self, block: Block, bytes: usize) -> Result<Block, ResizeError> {
        let header = self.used_header(block)?;
        let (old, tag) = (header.granules(), header.tag());
        let granules = granules_for(bytes).ok_or_else(|| self.refusal(bytes))?;
        let next = Block(block.0 + header.bytes());
        let behind = self.header(next);
        let available = if behind.is_used() {
            old
        } else {
            old + behind.granules()
        };
        if granules > available {
            let new = self.allocate(tag, bytes)?;
            self.memory.copy(block.0, new.0, header.bytes() - HEADER);
            self.set_colour(new, header.colour());
            self.free(block)?;
            return Ok(new);
        }
        if granules == old {
            return Ok(block);
        }
        if !behind.is_used() {
            self.remove(next);
        }
        self.set_header(block, header.with_granules(granules));
        self.account(tag, old, granules);
        if available > granules {
            let rest = Block(block.0 + granules * GRANULE);
            self.give_back(rest, available - granules, false);
        } else {
            self.note_follows_free(next.0 + behind.bytes(), false);
        }
        Ok(block)
    }

    /// The bytes of a block in use.
    pub fn bytes(&self, block: Block) -> &[u8] {
        self.memory.slice(block.0, self.len(block))
    }

    /// The bytes of a block in use, to write.
    pub fn bytes_mut(&mut self, block: Block) -> &mut [u8] {
        self.memory.slice_mut(block.0, self.len(block))
    }

    /// Where the region begins.
    pub(crate) fn base(&self) -> NonNull<u8> {
        self.memory.base()
    }

    /// Where a block is.
    pub(crate) fn address(&self, block: Block) -> NonNull<u8> {
        self.memory.address(block.0)
    }

    /// The four bytes from byte `at` of a block on.
    #[inline]
    pub fn word(&self, block: Block, at: u32) -> u32 {
        self.memory.word(block.0 + at)
    }

    /// Stores four bytes of a block.
    #[inline]
    pub fn set_word(&mut self, block: Block, at: u32, word: u32) {
        self.memory.set_word(block.0 + at, word);
    }

    /// Bytes that a block has room for.
    #[inline]
    pub fn len(&self, block: Block) -> u32 {
        self.header(block).bytes().saturating_sub(HEADER)
    }

    /// True if nothing is allocated.
    pub fn is_empty(&self) -> bool {
        self.usage.iter().all(|usage| usage.blocks == 0)
    }

    /// The tag of a block.
    #[inline]
    pub fn tag(&self, block: Block) -> Tag {
        self.header(block).tag()
    }

    /// The colour of a block.
    #[inline]
    pub fn colour(&self, block: Block) -> Colour {
        self.header(block).colour()
    }

    /// Gives a block a colour.
    #[inline]
    pub fn set_colour(&mut self, block: Block, colour: Colour) {
        let header = self.header(block).with_colour(colour);
        self.set_header(block, header);
    }

    /// The four bytes in front of a block, as documented in `header.rs`.
    pub fn raw_header(&self, block: Block) -> u32 {
        self.header(block).0
    }

    /// What the blocks of `tag` take.
    pub fn usage(&self, tag: Tag) -> Usage {
        self.usage[usize::from(tag.number())]
    }

    /// Free bytes.
    pub fn free_bytes(&self) -> u64 {
        self.free
    }

    /// Bytes in use, headers included: the sum of what all tags take.
    pub fn used_bytes(&self) -> u64 {
        self.size() - u64::from(FIRST) - self.free
    }

    /// Bytes of the region, all headers included.
    pub fn size(&self) -> u64 {
        u64::from(self.end)
    }

    /// A request for so many bytes is met now.
    pub fn can_allocate(&self, bytes: usize) -> bool {
        granules_for(bytes).is_some_and(|granules| self.find(granules).is_some())
    }

    /// The blocks in use, in the order of their addresses.
    pub fn blocks(&self) -> impl Iterator<Item = Block> {
        let mut next = self.first_used();
        std::iter::from_fn(move || {
            let block = next?;
            next = self.next_used(block);
            Some(block)
        })
    }

    /// The first block in use.
    pub fn first_used(&self) -> Option<Block> {
        self.used_from(FIRST)
    }

    /// The next block in use behind `block`.
    pub fn next_used(&self, block: Block) -> Option<Block> {
        self.used_from(block.0 + self.header(block).bytes().max(GRANULE))
    }

    fn used_from(&self, mut at: u32) -> Option<Block> {
        // Two free blocks are never neighbours.
        while at < self.end {
            let header = self.header(Block(at));
            if header.is_used() {
                return Some(Block(at));
            }
            at += header.bytes().max(GRANULE);
        }
        None
    }

    fn refusal(&self, bytes: usize) -> Refusal {
        let bytes = (bytes as u64).saturating_add(HEADER.into());
        Refusal {
            needed: bytes
                .checked_next_multiple_of(GRANULE.into())
                .unwrap_or(bytes),
            free: self.free,
            size: self.size(),
        }
    }

    fn used_header(&self, block: Block) -> Result<Header, NotABlock> {
        let inside = block.0 >= FIRST && block.0 < self.end && block.0.is_multiple_of(GRANULE);
        let header = inside.then(|| self.header(block));
        header
            .filter(|header| header.is_used() && header.granules() > 0)
            .ok_or(NotABlock(block.0))
    }

    #[inline(always)]
    pub(crate) fn header(&self, block: Block) -> Header {
        Header(self.memory.word(block.header()))
    }

    #[inline(always)]
    pub(crate) fn set_header(&mut self, block: Block, header: Header) {
        self.memory.set_word(block.header(), header.0);
    }

    fn note_follows_free(&mut self, at: u32, free: bool) {
        let header = self.header(Block(at)).with_follows_free(free);
        self.set_header(Block(at), header);
    }

    fn account(&mut self, tag: Tag, old: u32, new: u32) {
        let usage = &mut self.usage[usize::from(tag.number())];
        usage.blocks = usage.blocks + u32::from(new != 0) - u32::from(old != 0);
        usage.bytes = usage.bytes + u64::from(new * GRANULE) - u64::from(old * GRANULE);
    }

    /// Merges a block that is no longer in use with its free neighbours and puts it into
    /// a list.
    fn give_back(&mut self, block: Block, granules: u32, follows_free: bool) {
        let (mut start, mut size) = (block, granules);
        let behind = Block(block.0 + granules * GRANULE);
        if !self.header(behind).is_used() {
            size += self.remove(behind);
        }
        if follows_free {
            start = Block(self.memory.word(block.header() - HEADER));
            size += self.remove(start);
        }
        self.insert(start, size);
    }

    /// Makes a free block and puts it into its list.
    fn insert(&mut self, block: Block, granules: u32) {
        let (level, list) = class(granules);
        let next = self.heads[level][list];
        let bytes = granules * GRANULE;
        self.set_header(block, Header::free(granules));
        self.memory.set_word(block.0, next);
        self.memory.set_word(block.0 + 4, 0);
        self.memory.set_word(block.0 + bytes - 2 * HEADER, block.0);
        if next != 0 {
            self.memory.set_word(next + 4, block.0);
        }
        self.heads[level][list] = block.0;
        self.lists[level] |= 1 << list;
        self.levels |= 1 << level;
        self.note_follows_free(block.0 + bytes, true);
        self.free += u64::from(bytes);
    }

    /// Takes a free block out of its list; answers its size.
    fn remove(&mut self, block: Block) -> u32 {
        let header = self.header(block);
        let (level, list) = class(header.granules());
        let (next, previous) = (self.memory.word(block.0), self.memory.word(block.0 + 4));
        if next != 0 {
            self.memory.set_word(next + 4, previous);
        }
        if previous != 0 {
            self.memory.set_word(previous, next);
        } else {
            self.heads[level][list] = next;
            if next == 0 {
                self.lists[level] &= !(1 << list);
                if self.lists[level] == 0 {
                    self.levels &= !(1 << level);
                }
            }
        }
        self.free -= u64::from(header.bytes());
        header.granules()
    }

    /// A free block of at least `granules`.
    fn find(&self, granules: u32) -> Option<Block> {
        let (level, list) = class(round_up(granules));
        let here = self.lists.get(level).map_or(0, |lists| lists >> list);
        let found = if here != 0 {
            self.heads[level][list + here.trailing_zeros() as usize]
        } else {
            let above = self.levels.checked_shr(level as u32 + 1).unwrap_or(0);
            if above == 0 {
                return self.find_exact(granules);
            }
            let level = level + 1 + above.trailing_zeros() as usize;
            self.heads[level][self.lists[level].trailing_zeros() as usize]
        };
        Some(Block(found))
    }

    /// The first block of the list that the request itself belongs to, if that fits.
    #[cold]
    fn find_exact(&self, granules: u32) -> Option<Block> {
        let (level, list) = class(granules);
        let head = *self.heads.get(level)?.get(list)?;
        (head != 0 && self.header(Block(head)).granules() >= granules).then_some(Block(head))
    }

    /// Gives the memory behind large free blocks back to the host, which gives it again when it is
    /// touched.
    pub fn forget_contents_of_free(&mut self) {
        let (least, _) = class(LARGE / GRANULE);
        for level in least..LEVELS {
            for list in 0..LISTS {
                let mut at = self.heads[level][list];
                while at != 0 {
                    let end = at + self.header(Block(at)).bytes();
                    // The links at the beginning, and where it begins at the end, stay.
                    self.memory.forget(at + 2 * HEADER, end - 2 * HEADER);
                    at = self.memory.word(at);
                }
            }
        }
    }

    /// Empties all lists of free blocks.
    pub(crate) fn forget_free(&mut self) {
        (self.levels, self.lists) = (0, [0; LEVELS]);
        self.heads = [[0; LISTS]; LEVELS];
        self.free = 0;
    }

    /// Moves a block to `target`; everything from `to` up to there is free from now on.
    pub(crate) fn place(&mut self, block: Block, target: Block, to: u32) {
        let header = self.header(block);
        self.close_gap(to, target.0);
        self.memory.copy(block.0, target.0, header.bytes() - HEADER);
        self.set_header(target, header.with_follows_free(to < target.0));
    }

    /// Everything from `to` on is free.
    pub(crate) fn end_at(&mut self, to: u32) {
        self.note_follows_free(self.end, false);
        self.close_gap(to, self.end);
    }

    /// The bytes of all blocks up to the last in use, headers included.
    pub(crate) fn blocks_as_bytes(&self) -> &[u8] {
        let last = self.blocks().last();
        let end = last.map_or(FIRST, |block| block.0 + self.header(block).bytes());
        self.memory.slice(FIRST - HEADER, end - FIRST)
    }

    /// Makes blocks of such bytes, in an empty region. Whether they are sound
    /// [`Region::check`] says.
    pub(crate) fn fill_with(&mut self, blocks: &[u8]) -> Result<(), Refusal> {
        let bytes = blocks.len() as u32;
        if u64::from(bytes) > self.size() - u64::from(FIRST) || !bytes.is_multiple_of(GRANULE) {
            return Err(self.refusal(blocks.len()));
        }
        self.forget_free();
        (self.memory.slice_mut(FIRST - HEADER, bytes)).copy_from_slice(blocks);
        let mut at = FIRST;
        while at < FIRST + bytes {
            let header = self.header(Block(at));
            self.account(header.tag(), 0, header.granules());
            at = at.saturating_add(header.bytes().max(GRANULE));
        }
        self.end_at(FIRST + bytes);
        Ok(())
    }

    /// Offset behind the last block.
    pub(crate) fn end(&self) -> u32 {
        self.end
    }

    /// The four bytes at an offset.
    pub(crate) fn raw_word(&self, offset: u32) -> u32 {
        self.memory.word(offset)
    }

    /// Stores four bytes at an offset.
    pub(crate) fn set_raw_word(&mut self, offset: u32, word: u32) {
        self.memory.set_word(offset, word);
    }

    fn close_gap(&mut self, from: u32, to: u32) {
        if from < to {
            self.insert(Block(from), (to - from) / GRANULE);
        }
    }
}

/// Why [`Region::resize`] did nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub enum ResizeError {
    /// There is not enough memory.
    Refused(#[from] Refusal),
    /// There is no such block.
    NotABlock(#[from] NotABlock),
}

/// Granules of a block with room for `bytes` bytes.
fn granules_for(bytes: usize) -> Option<u32> {
    let granules = (bytes as u64)
        .saturating_add(HEADER.into())
        .div_ceil(GRANULE.into());
    (granules < MAX_GRANULES.into()).then_some(granules as u32)
}

/// The level and list for free blocks of `granules`.
#[inline(always)]
fn class(granules: u32) -> (usize, usize) {
    if granules < LISTS as u32 {
        (0, granules as usize)
    } else {
        let top = granules.ilog2();
        let list = (granules >> (top - 4)) as usize & (LISTS - 1);
        (top as usize - 3, list)
    }
}

/// The least size in the first list all of whose blocks have `granules`.
#[inline(always)]
fn round_up(granules: u32) -> u32 {
    if granules < LISTS as u32 {
        granules
    } else {
        granules + (1 << (granules.ilog2() - 4)) - 1
    }
}

#[cfg(test)]
#[path = "region_tests.rs"]
mod tests;
