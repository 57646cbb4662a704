//! The reference count table, read as a whole.

use std::collections::HashMap;

use crate::layout::Generation;
use crate::memory::{LispPtr, Mem};

/// Entries of the main table.
const MAIN_ENTRIES: u32 = 0x8000;

/// Layout of an entry.
struct EntryBits {
    count_shift: u32,
    count_max: u32,
    stack_bit: u32,
    segment_mask: u32,
}

const fn entry_bits<G: Generation>() -> EntryBits {
    if G::WIDE_COUNTS {
        EntryBits {
            count_shift: 17,
            count_max: 0x7FFF,
            stack_bit: 1 << 16,
            segment_mask: 0x1FFE,
        }
    } else {
        EntryBits {
            count_shift: 10,
            count_max: 63,
            stack_bit: 1 << 9,
            segment_mask: 0x1FE,
        }
    }
}

/// The count table of an image.
#[derive(Clone, Debug, Default)]
pub struct CountTable {
    /// Main table entries in use.
    pub occupied: u32,
    /// Main table entries that head a chain.
    pub chains: u32,
    /// Links of all chains.
    pub links: u32,
    /// Entries with count 0.
    pub zero: u32,
    /// Entries with count 1, which should not exist.
    pub one: u32,
    /// Entries whose count is in the table of large counts.
    pub large: u32,
    /// Entries with the stack bit set, which should not exist.
    pub stack_bits: u32,
    /// Defects, one sentence each.
    pub defects: Vec<String>,
    /// Counts by object.
    pub counts: HashMap<u32, u32>,
}

/// Reads element `index` of the table at `base`.
fn element<G: Generation>(mem: Mem<'_, G>, base: LispPtr, index: u32) -> u32 {
    if G::WIDE_COUNTS {
        mem.cell(base.add(2 * index)).0
    } else {
        u32::from(mem.word(base.add(index)))
    }
}

/// Reads the whole table.
pub(crate) fn read<G: Generation>(mem: Mem<'_, G>) -> CountTable {
    let mut table = CountTable::default();
    let large = read_large(mem);
    for index in 0..MAIN_ENTRIES {
        let entry = element(mem, G::HT_MAIN, index);
        if entry == 0 {
            continue;
        }
        table.occupied += 1;
        if entry & 1 == 0 {
            table.record::<G>(entry, index, &large);
            continue;
        }
        table.chains += 1;
        let mut link = entry - 1;
        let mut length = 0;
        while link != 0 {
            if link >= G::HT_COLLISION_LIMIT || table.links > G::HT_COLLISION_LIMIT {
                table
                    .defects
                    .push(format!("the count chain of slot {index:#x} is broken"));
                break;
            }
            table.links += 1;
            length += 1;
            let entry = element(mem, G::HT_COLLISION, link);
            table.record::<G>(entry, index, &large);
            link = element(mem, G::HT_COLLISION, link + 1);
        }
        if length == 1 {
            table
                .defects
                .push(format!("the count chain of slot {index:#x} has one link"));
        }
    }
    table
}

/// Large counts by object.
fn read_large<G: Generation>(mem: Mem<'_, G>) -> HashMap<u32, u32> {
    let mut large = HashMap::new();
    let mut at = G::HT_BIG;
    while at < G::HT_BIG_END {
        let object = mem.cell(at);
        if object.is_nil() {
            break;
        }
        if object != LispPtr::T {
            large.insert(object.masked::<G>().0, mem.cell(at.add(2)).0);
        }
        at = at.add(4);
    }
    large
}

impl CountTable {
    fn record<G: Generation>(&mut self, entry: u32, index: u32, large: &HashMap<u32, u32>) {
        let bits = entry_bits::<G>();
        let object = (entry & bits.segment_mask) << 15 | index << 1;
        let mut count = entry >> bits.count_shift;
        self.stack_bits += u32::from(entry & bits.stack_bit != 0);
        if count == bits.count_max {
            self.large += 1;
            match large.get(&object) {
                Some(&real) => count = real,
                None => self
                    .defects
                    .push(format!("the large count of {} is missing", LispPtr(object))),
            }
        }
        self.zero += u32::from(count == 0);
        self.one += u32::from(count == 1);
        if self.counts.insert(object, count).is_some() {
            self.defects
                .push(format!("{} has two count entries", LispPtr(object)));
        }
    }

    /// The stored count of `object`; objects without an entry have one.
    pub fn count(&self, object: LispPtr) -> u32 {
        self.counts.get(&object.0).copied().unwrap_or(1)
    }
}
