//! Array space: a contiguous run of blocks, each with a header and a trailer
//! (`reference/memory-map.md` section 10).

use std::collections::HashSet;

use crate::layout::Generation;
use crate::memory::{LispPtr, Mem};
use crate::symbols::Symbols;

/// Password in the upper 13 bits of every header and trailer.
const PASSWORD: u16 = 0xAAA8;
/// Bits of the password.
const PASSWORD_MASK: u16 = 0xFFF8;
/// The block is in use.
const IN_USE: u16 = 1;
/// Cells of the smallest block that can be on a ring.
const MIN_RING_CELLS: u32 = 4;
/// Number of free block rings.
pub(super) const RINGS: u32 = 31;

/// What the cells of a block are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BlockKind {
    Free,
    Unboxed,
    Pointers,
    Code,
}

/// A block of array space.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    /// Address of the header.
    pub header: LispPtr,
    /// Cells, header and trailer included.
    pub cells: u32,
    pub kind: BlockKind,
}

impl Block {
    /// Address of the data, which is what pointers to the block hold.
    pub fn data(&self) -> LispPtr {
        self.header.add(2)
    }

    /// Address behind the block.
    pub fn end(&self) -> LispPtr {
        self.header.add(2 * self.cells)
    }

    fn trailer(&self) -> LispPtr {
        self.end().add(u32::MAX - 1)
    }

    /// Its trailer says what its header says.
    pub fn is_whole<G: Generation>(&self, mem: Mem<'_, G>) -> bool {
        let (flags, cells) = (mem.word(self.trailer()), mem.word(self.trailer().add(1)));
        let in_use = u16::from(self.kind != BlockKind::Free);
        flags & PASSWORD_MASK == PASSWORD
            && flags & IN_USE == in_use
            && u32::from(cells) == self.cells
    }
}

/// What the audit found in array space.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArraySpace {
    /// Blocks.
    pub blocks: u32,
    /// Blocks in use without pointers.
    pub unboxed: u32,
    /// Blocks in use with pointers.
    pub pointers: u32,
    /// Code blocks.
    pub code: u32,
    /// Cells of blocks in use.
    pub cells_in_use: u32,
    /// Cells of free blocks.
    pub cells_free: u32,
    /// Free blocks.
    pub free: u32,
    /// Free blocks on rings.
    pub on_rings: u32,
    /// Free blocks large enough for a ring that are on none.
    pub off_rings: u32,
    /// Adjacent free blocks.
    pub unmerged: u32,
    /// Defects, one sentence each.
    pub defects: Vec<String>,
}

/// The block whose header is at `at`; a sentence if none is.
pub(crate) fn block_at<G: Generation>(mem: Mem<'_, G>, at: LispPtr) -> Result<Block, String> {
    let (flags, cells) = (mem.word(at), u32::from(mem.word(at.add(1))));
    // Free blocks may be too small to be of use; blocks in use have a trailer.
    let least = 1 + u32::from(flags & IN_USE);
    if flags & PASSWORD_MASK != PASSWORD || cells < least {
        return Err(format!(
            "array block at {at}: header {flags:#06x} of {cells} cells, expected {PASSWORD:#06x} and at least {least}"
        ));
    }
    let kind = match (flags & IN_USE, flags >> 1 & 3) {
        (0, _) => BlockKind::Free,
        (_, 1) => BlockKind::Pointers,
        (_, 2) => BlockKind::Code,
        _ => BlockKind::Unboxed,
    };
    Ok(Block {
        header: at,
        cells,
        kind,
    })
}

/// Calls `visit` for every block between `from` and `to`; answers what stopped
/// the walk early, if anything did.
pub(crate) fn walk<G: Generation>(
    mem: Mem<'_, G>,
    from: LispPtr,
    to: LispPtr,
    mut visit: impl FnMut(Block),
) -> Option<String> {
    let mut at = from;
    while at < to {
        let block = match block_at(mem, at) {
            Ok(block) => block,
            Err(sentence) => return Some(sentence),
        };
        visit(block);
        at = block.end();
    }
    (at != to).then(|| format!("the last array block ends at {at}, expected {to}"))
}

/// The regions that blocks lie in.
pub(crate) fn regions<G: Generation>(
    mem: Mem<'_, G>,
    symbols: &Symbols,
) -> Vec<(LispPtr, LispPtr)> {
    let value = |cell| mem.cell(cell).masked::<G>();
    let (first, second) = (value(symbols.array_space), value(symbols.array_space2));
    let (end, end2) = (
        value(symbols.array_free_list),
        value(symbols.array_free_list2),
    );
    // The space being filled ends at `end`. Once that is the second one, the first
    // has ended at `end2` for good.
    if end >= second && second > first {
        vec![(first, end2), (second, end)]
    } else {
        vec![(first, end)]
    }
}

/// Checks all of array space.
pub(crate) fn check<G: Generation>(mem: Mem<'_, G>, symbols: &Symbols) -> ArraySpace {
    let mut found = ArraySpace::default();
    let ring_blocks = ring_blocks(mem, symbols, &mut found.defects);
    for (from, to) in regions(mem, symbols) {
        let mut previous_free = false;
        let mut defects = Vec::new();
        let stopped = walk(mem, from, to, |block| {
            found.blocks += 1;
            let free = block.kind == BlockKind::Free;
            match block.kind {
                BlockKind::Free => {
                    found.free += 1;
                    found.unmerged += u32::from(previous_free);
                    if ring_blocks.contains(&block.header.0) {
                        found.on_rings += 1;
                    } else if block.cells >= MIN_RING_CELLS {
                        found.off_rings += 1;
                    }
                }
                BlockKind::Unboxed => found.unboxed += 1,
                BlockKind::Pointers => found.pointers += 1,
                BlockKind::Code => found.code += 1,
            }
            if free {
                found.cells_free += block.cells;
            } else {
                found.cells_in_use += block.cells;
            }
            previous_free = free;
            defects.extend(trailer_defect(mem, block));
        });
        found.defects.extend(defects);
        found.defects.extend(stopped);
    }
    if found.on_rings != ring_blocks.len() as u32 {
        found.defects.push(format!(
            "the rings hold {} blocks, {} of them are free blocks of array space",
            ring_blocks.len(),
            found.on_rings
        ));
    }
    found
}

fn trailer_defect<G: Generation>(mem: Mem<'_, G>, block: Block) -> Option<String> {
    (!block.is_whole(mem)).then(|| {
        let (flags, cells) = (mem.word(block.trailer()), mem.word(block.trailer().add(1)));
        format!(
            "array block at {}: trailer {flags:#06x} of {cells} cells does not match its header",
            block.header
        )
    })
}

/// Headers of the blocks on all rings; broken rings become defects.
fn ring_blocks<G: Generation>(
    mem: Mem<'_, G>,
    symbols: &Symbols,
    defects: &mut Vec<String>,
) -> HashSet<u32> {
    let mut blocks = HashSet::new();
    let buckets = mem.cell(symbols.free_block_buckets).masked::<G>();
    if buckets.is_nil() {
        return blocks;
    }
    for ring in 0..RINGS {
        let first = mem.cell(buckets.add(2 * ring)).masked::<G>();
        let mut at = first;
        while !at.is_nil() {
            if !blocks.insert(at.0) {
                if at != first {
                    defects.push(format!("ring {ring} of free array blocks repeats {at}"));
                }
                break;
            }
            let forward = mem.cell(at.add(2)).masked::<G>();
            if mem.cell(forward.add(4)).masked::<G>() != at {
                defects.push(format!(
                    "ring {ring} of free array blocks: {forward} does not link back to {at}"
                ));
                break;
            }
            at = forward;
        }
    }
    blocks
}
