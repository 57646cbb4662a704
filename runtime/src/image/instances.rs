//! Objects of fixed size, by type: where they can be, and which of those places
//! are free (`reference/storage.md` section 3).

use std::collections::HashSet;

use crate::audit::object_offsets;
use crate::layout::Generation;
use crate::layout::records::type_entry;
use crate::memory::{LispPtr, Mem};

/// Words of a unit of pages of one type.
pub(crate) const UNIT_WORDS: u32 = 512;
/// Type numbers there can be.
const TYPES: usize = type_entry::NUMBER as usize + 1;

/// Which type the units of memory are of.
pub(crate) struct Instances<'m, G> {
    mem: Mem<'m, G>,
    units: Vec<Vec<u32>>,
}

impl<'m, G: Generation> Instances<'m, G> {
    /// Reads the type table.
    pub fn new(mem: Mem<'m, G>) -> Self {
        let mut units = vec![Vec::new(); TYPES];
        let statistics = G::MISC_STATS.0 / UNIT_WORDS;
        for unit in 0..G::TYPE_TABLE_WORDS {
            let entry = mem.word(G::TYPE_TABLE.add(unit));
            let number = entry & type_entry::NUMBER;
            // Lisp uses counters of the machine as if they were boxed integers.
            if number != 0 && unit != statistics {
                units[usize::from(number)].push(unit);
            }
        }
        Self { mem, units }
    }

    /// The units of type `number`.
    pub fn units(&self, number: u16) -> &[u32] {
        self.units
            .get(usize::from(number))
            .map_or(&[], Vec::as_slice)
    }

    /// Every place where an object of type `number` is or can be made without
    /// another unit.
    pub fn places(&self, number: u16) -> impl Iterator<Item = LispPtr> {
        let dtd = G::dtd(u32::from(number));
        let size = u32::from(self.mem.word(dtd.add(G::DTD_FIELDS.size)));
        let offsets = if (1..=UNIT_WORDS).contains(&size) {
            object_offsets(size)
        } else {
            Vec::new()
        };
        self.units(number).iter().flat_map(move |unit| {
            let unit = LispPtr(unit * UNIT_WORDS);
            offsets.clone().into_iter().map(move |at| unit.add(at))
        })
    }

    /// The free places of type `number`.
    pub fn free(&self, number: u16) -> HashSet<LispPtr> {
        let dtd = G::dtd(u32::from(number));
        let mut free = HashSet::new();
        let mut at = self.mem.cell(dtd.add(G::DTD_FIELDS.free)).masked::<G>();
        // A broken list may lead anywhere.
        let most = self.units(number).len() * UNIT_WORDS as usize;
        while !at.is_nil() && free.len() < most && free.insert(at) {
            at = self.mem.cell(at).masked::<G>();
        }
        free
    }

    /// The objects of type `number`.
    pub fn objects(&self, number: u16) -> impl Iterator<Item = LispPtr> {
        let free = self.free(number);
        self.places(number).filter(move |at| !free.contains(at))
    }
}
