//! Compaction: blocks slide together, and every reference between them follows, without any
//! memory besides.
//!
//! References are words `offset | 1` in blocks whose tag says so. All references to a block are
//! linked through its header: the header's place holds the offset of the last
//! reference seen, that one's place the one before, and the last place the header
//! itself. A header in use is odd, an offset of a word is even, so it is known where the
//! chain ends. The first pass, in the order of addresses, says to each chain met so far
//! where the block will be, and links what the block refers to; by then all references
//! from lower addresses are known. The second does the same for those from higher addresses and moves the
//! block. Free blocks are marked as in use meanwhile, so that every header is odd.

use crate::header::{Colour, GRANULE, Header, Tag};
use crate::region::{Block, FIRST, Region};

/// Bit of a word that is a reference; the others are the offset of a block.
const REFERENCE: u32 = 1;
/// Bits that tell references from other words.
const KIND: u32 = 3;

impl Region<'_> {
    /// Moves the blocks together, except those that are pinned. The words of the blocks
    /// for which `refers` says so that are offsets of blocks plus 1 are changed
    /// accordingly; `moved` is told of every block where it was and where it is.
    pub fn compact(&mut self, refers: impl Fn(Tag) -> bool, mut moved: impl FnMut(Block, Block)) {
        self.hide_gaps();
        let mut next = FIRST;
        self.each(|region, block, target| {
            region.unlink(block, target);
            let header = region.header(block);
            if refers(header.tag()) {
                region.link_references(block, header);
            }
        });
        self.each(|region, block, target| region.unlink(block, target));
        // Every header is one again.
        let mut blocks = FIRST;
        self.forget_free();
        while blocks < self.end() {
            let block = Block::at(blocks);
            let header = self.header(block);
            blocks += header.bytes();
            if is_gap(header) {
                continue;
            }
            let target = target(block, header, next);
            self.place(block, target, next);
            next = target.offset() + header.bytes();
            moved(block, target);
        }
        self.end_at(next);
    }

    /// Shows every block in use with where it will be, as soon as its header is one.
    fn each(&mut self, mut visit: impl FnMut(&mut Self, Block, Block)) {
        let (mut at, mut to) = (FIRST, FIRST);
        while at < self.end() {
            let block = Block::at(at);
            let header = self.end_of_chain(block);
            at += header.bytes();
            if !is_gap(header) {
                let target = target(block, header, to);
                to = target.offset() + header.bytes();
                visit(self, block, target);
            }
        }
    }

    /// Marks free blocks as in use: pinned and black, which no other block is.
    fn hide_gaps(&mut self) {
        let mut at = FIRST;
        while at < self.end() {
            let header = self.header(Block::at(at));
            if !header.is_used() {
                self.set_header(Block::at(at), gap(header));
            }
            at += header.bytes();
        }
    }

    /// The header of a block, behind the references that are linked there.
    fn end_of_chain(&self, block: Block) -> Header {
        let mut word = self.header(block).0;
        while word & 1 == 0 {
            word = self.raw_word(word);
        }
        Header(word)
    }

    /// Makes the references linked at `block` refer to `target`, and its header a header.
    fn unlink(&mut self, block: Block, target: Block) {
        let mut word = self.header(block).0;
        while word & 1 == 0 {
            let next = self.raw_word(word);
            self.set_raw_word(word, target.offset() | REFERENCE);
            word = next;
        }
        self.set_header(block, Header(word));
    }

    /// Links the references of a block at what they refer to.
    fn link_references(&mut self, block: Block, header: Header) {
        for at in (block.offset()..block.offset() + header.bytes() - 4).step_by(4) {
            let word = self.raw_word(at);
            if word & KIND == REFERENCE {
                let target = Block::at(word & !KIND);
                let link = self.header(target).0;
                self.set_raw_word(at, link);
                self.set_header(target, Header(at));
            }
        }
    }
}

/// Where a block moves when there is room from `to` on.
fn target(block: Block, header: Header, to: u32) -> Block {
    if header.colour() == Colour::Pinned {
        block
    } else {
        Block::at(to)
    }
}

/// The tag of gaps while blocks move.
const GAP: Tag = Tag::new(15);

fn gap(header: Header) -> Header {
    Header::used(header.granules(), GAP).with_colour(Colour::Grey)
}

/// No block in use is grey when blocks are moved.
fn is_gap(header: Header) -> bool {
    header.tag() == GAP && header.colour() == Colour::Grey
}

const _: () = assert!(GRANULE.is_multiple_of(4));
