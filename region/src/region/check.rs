//! Whether a region is what it says it is.

use super::{Block, FIRST, HEADER, LEVELS, LISTS, Region, Usage, class};
use crate::header::Tag;

/// What [`Region::check`] found wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("region damaged: {0}")]
pub struct Defect(String);

impl Region<'_> {
    /// Tests everything: sizes, neighbours, lists and counters.
    pub fn check(&self) -> Result<(), Defect> {
        let (mut usage, mut free) = ([Usage::default(); Tag::COUNT], 0);
        let mut at = FIRST;
        let mut free_before = false;
        let mut free_blocks = 0;
        let defect = |at: u32, what: &str| Err(Defect(format!("block at offset {at}: {what}")));
        while at < self.end {
            let header = self.header(Block(at));
            if header.granules() == 0 || at + header.bytes() > self.end {
                return defect(at, "impossible size");
            }
            if header.follows_free() != free_before {
                return defect(at, "wrong about the block before it");
            }
            if header.is_used() {
                let usage = &mut usage[usize::from(header.tag().number())];
                usage.blocks += 1;
                usage.bytes += u64::from(header.bytes());
            } else {
                if free_before {
                    return defect(at, "free behind a free one");
                }
                if self.memory.word(at + header.bytes() - 2 * HEADER) != at {
                    return defect(at, "its end does not name it");
                }
                free += u64::from(header.bytes());
                free_blocks += 1;
            }
            free_before = !header.is_used();
            at += header.bytes();
        }
        let last = self.header(Block(self.end));
        if at != self.end || last.granules() != 0 || last.follows_free() != free_before {
            return defect(at, "wrong end");
        }
        if (usage, free) != (self.usage, self.free) {
            return Err(Defect("the counters are wrong".into()));
        }
        self.check_lists(free_blocks)
    }

    fn check_lists(&self, free_blocks: u32) -> Result<(), Defect> {
        let mut listed = 0;
        for level in 0..LEVELS {
            if (self.levels >> level & 1 != 0) != (self.lists[level] != 0) {
                return Err(Defect(format!("the bit of level {level} is wrong")));
            }
            for list in 0..LISTS {
                let head = self.heads[level][list];
                if (self.lists[level] >> list & 1 != 0) != (head != 0) {
                    return Err(Defect(format!("the bit of list {level}.{list} is wrong")));
                }
                let (mut at, mut before) = (head, 0);
                while at != 0 {
                    let header = self.header(Block(at));
                    let right_list = class(header.granules()) == (level, list);
                    listed += 1;
                    if header.is_used()
                        || !right_list
                        || self.memory.word(at + 4) != before
                        || listed > free_blocks
                    {
                        return Err(Defect(format!("list {level}.{list} is wrong at {at}")));
                    }
                    (before, at) = (at, self.memory.word(at));
                }
            }
        }
        if listed != free_blocks {
            return Err(Defect(format!(
                "{free_blocks} free blocks, {listed} in lists"
            )));
        }
        Ok(())
    }
}
