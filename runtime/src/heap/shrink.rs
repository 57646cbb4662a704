//! Making an image small, before it is saved: nothing that is in use moves or changes.
//!
//! - Array space: neighbours that are free become one block; the blocks, also those that were in no
//!   ring, are put in rings in segments (`rings`). A free block at the end is given up, so the
//!   space ends before it.
//! - Units of two pages with nothing but free objects or list cells are taken from the free lists.
//!   Those at the end of object space are given up; the others go to Lisp's list of units that
//!   any type may have (`\MDSFREELISTPAGE`, `reference/storage.md` section 3).
//! - Pages given up leave the page table, and so the file.
//! - What is free holds zeros, but for its links: pages of zeros are holes in the file.
//!
//! No code must run before the image is saved: the collectors and native code are not told.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::rings::Block;
use crate::audit::{BlockKind, array_regions, object_offsets, walk_arrays};
use crate::image::header::INTERFACE_FILE_PAGE;
use crate::image::instances::{Instances, UNIT_WORDS};
use crate::layout::Generation;
use crate::layout::records::array_block::{HEADER_WORDS, MAX_CELLS};
use crate::layout::records::{interface, type_entry, types};
use crate::machine::Machine;
use crate::memory::{LispPtr, WORDS_PER_PAGE};

/// Pages of a unit.
const PAGES_PER_UNIT: u32 = UNIT_WORDS / WORDS_PER_PAGE;
/// First page that does not fit in Lisp's list of free units.
const END_OF_LISTED: u32 = 0x1_0000;

/// What was gained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shrunk {
    /// Free blocks of arrays, and those that there were before.
    pub blocks: usize,
    /// See there.
    pub blocks_before: usize,
    /// Units that any type may have from now on.
    pub units: usize,
    /// Pages that the file no longer has.
    pub pages: usize,
}

impl<G: Generation> Machine<'_, G> {
    /// Makes the image small, whose free lists and array space the audit must have found
    /// sound.
    pub fn shrink(&mut self) -> Shrunk {
        let mut shrunk = Shrunk::default();
        self.forget_cell_maps();
        let mut given_up = self.shrink_arrays(&mut shrunk);
        given_up.extend(self.shrink_objects(&mut shrunk));
        self.unregister(&given_up);
        shrunk.pages = given_up.len();
        shrunk
    }

    fn clear(&mut self, from: LispPtr, words: u32) {
        self.mem.clear(from, words.div_ceil(2));
    }

    fn type_table_entry(unit: LispPtr) -> LispPtr {
        G::TYPE_TABLE.add(unit.0 / UNIT_WORDS)
    }

    /// Gives up the pages from `from` up to `to`: they become as page `like`, which was never used.
    fn give_up(&mut self, from: u32, to: u32, like: u32) -> impl Iterator<Item = u32> + use<G> {
        let unused = (self.mem).word(Self::type_table_entry(LispPtr::from_page(like)));
        for page in from..to {
            let page = LispPtr::from_page(page);
            self.clear(page, WORDS_PER_PAGE);
            self.mem.set_word(Self::type_table_entry(page), unused);
        }
        from..to
    }

    /// Puts array space in order; answers the pages it no longer needs.
    fn shrink_arrays(&mut self, shrunk: &mut Shrunk) -> HashSet<u32> {
        let mut free: Vec<Block> = Vec::new();
        for (from, to) in array_regions(self.mem, &self.symbols) {
            let first = free.len();
            walk_arrays(self.mem, from, to, |block| {
                if block.kind != BlockKind::Free {
                    return;
                }
                shrunk.blocks_before += 1;
                let (at, cells) = (block.header, block.cells);
                match free[first..].last_mut() {
                    Some(last) if last.end() == at && last.cells + cells <= MAX_CELLS => {
                        last.cells += cells;
                    }
                    _ => free.push(Block { at, cells }),
                }
            });
        }
        let variable = self.symbols.array_free_list;
        let mut end = self.mem.cell(variable).masked::<G>();
        let mut given_up = HashSet::new();
        while let Some(last) = free.pop_if(|last| last.end() == end) {
            self.clear(last.at, 2 * last.cells);
            end = last.at;
        }
        self.mem.set_cell(variable, end);
        let next = self.page_variable(self.symbols.next_array_page);
        let needed = end.0.div_ceil(UNIT_WORDS) * PAGES_PER_UNIT;
        if needed < next {
            given_up.extend(self.give_up(needed, next, next));
            self.set_page_variable(self.symbols.next_array_page, needed);
        }
        for block in &free {
            let words = (2 * block.cells).saturating_sub(2 * HEADER_WORDS);
            self.clear(block.at.add(HEADER_WORDS), words);
        }
        self.make_rings(&free);
        shrunk.blocks = free.len();
        given_up
    }

    /// Puts free objects and list cells in order; answers the pages that nobody needs.
    fn shrink_objects(&mut self, shrunk: &mut Shrunk) -> HashSet<u32> {
        let mut empty = self.empty_units();
        let listed = self.listed_units();
        let next = self.page_variable(self.symbols.next_mds_page);
        let mut end = next;
        while let page = end + PAGES_PER_UNIT
            && (listed.contains(&page) || empty.contains_key(&page))
        {
            end = page;
        }
        empty.retain(|&page, _| page <= end || page < END_OF_LISTED);
        for number in empty.values().copied().collect::<BTreeSet<_>>() {
            let is_empty =
                |page: u32| empty.contains_key(&(page / PAGES_PER_UNIT * PAGES_PER_UNIT));
            match number {
                types::LISTP => self.unlist_cons_pages(is_empty),
                _ => self.unlist_objects(number, is_empty),
            }
        }
        self.clear_free_objects();
        // As never used as what is in front of the end.
        let given_up: HashSet<_> = self
            .give_up(next + PAGES_PER_UNIT, end + PAGES_PER_UNIT, next)
            .collect();
        self.set_page_variable(self.symbols.next_mds_page, end);
        shrunk.units = empty.keys().filter(|&&page| page > end).count();
        let rest = empty.keys().copied().chain(listed);
        self.list_units(rest.filter(|&page| page > end).collect(), next);
        given_up
    }

    /// The units of objects that are all free, by page, with their types. Units whose objects are
    /// not counted stay.
    fn empty_units(&self) -> BTreeMap<u32, u16> {
        let instances = Instances::new(self.mem);
        let mut empty = BTreeMap::new();
        for number in types::SMALLP + 1..=type_entry::NUMBER {
            if matches!(number, types::NEW_ATOM | types::VMEMPAGEP) {
                continue;
            }
            let dtd = G::dtd(number.into());
            let entry = self.mem.word(dtd.add(G::DTD_FIELDS.type_entry));
            let words = u32::from(self.mem.word(dtd.add(G::DTD_FIELDS.size)));
            let units = instances.units(number).iter();
            let units = units.map(|unit| LispPtr(unit * UNIT_WORDS));
            let counted = units.filter(|&unit| {
                self.mem.word(Self::type_table_entry(unit)) == entry
                    && entry & type_entry::NO_REF == 0
            });
            if number == types::LISTP {
                let is_empty = |page| self.free_cells_of(page) == G::CONS_PAGE.cells;
                let units =
                    counted.filter(|&unit| is_empty(unit) && is_empty(unit.add(WORDS_PER_PAGE)));
                empty.extend(units.map(|unit| (unit.page(), number)));
            } else if (1..=UNIT_WORDS).contains(&words) {
                let free = instances.free(number);
                let offsets = object_offsets(words);
                let units = counted.filter(|unit| {
                    offsets
                        .iter()
                        .all(|&offset| free.contains(&unit.add(offset)))
                });
                empty.extend(units.map(|unit| (unit.page(), number)));
            }
        }
        empty
    }

    /// The pages of the units in Lisp's list.
    fn listed_units(&self) -> BTreeSet<u32> {
        let mut listed = BTreeSet::new();
        let mut next = self.mem.cell(self.symbols.mds_free_list_page).lo();
        while next != 0 && listed.insert(next.into()) {
            next = self.mem.cell(LispPtr::from_page(next.into())).lo();
        }
        listed
    }

    /// Makes these units all of Lisp's list, those first that are the furthest from the end. They
    /// are as page `like`, which was never used.
    fn list_units(&mut self, pages: BTreeSet<u32>, like: u32) {
        let mut before = self.symbols.mds_free_list_page;
        for &page in pages.iter().rev() {
            self.give_up(page, page + PAGES_PER_UNIT, like)
                .for_each(drop);
            self.mem.set_cell(before, LispPtr::smallpos(page as u16));
            before = LispPtr::from_page(page);
        }
        if !pages.is_empty() || self.mem.cell(before).lo() != 0 {
            self.mem.set_cell(before, LispPtr::smallpos(0));
        }
    }

    /// Takes the objects of such pages from the free list of their type.
    fn unlist_objects(&mut self, number: u16, is_empty: impl Fn(u32) -> bool) {
        let mut before = G::dtd(number.into()).add(G::DTD_FIELDS.free);
        for object in self.free_list(number) {
            if !is_empty(object.page()) {
                self.mem.set_cell(before, object);
                before = object;
            }
        }
        self.mem.set_cell(before, LispPtr::NIL);
    }

    /// The free list of a type, in its order.
    fn free_list(&self, number: u16) -> Vec<LispPtr> {
        let mut seen = HashSet::new();
        let mut list = Vec::new();
        let mut at = self
            .mem
            .cell(G::dtd(number.into()).add(G::DTD_FIELDS.free))
            .masked::<G>();
        while !at.is_nil() && self.type_number(at) == number && seen.insert(at) {
            list.push(at);
            at = self.mem.cell(at).masked::<G>();
        }
        list
    }

    /// Clears what free objects hold besides their links.
    fn clear_free_objects(&mut self) {
        for number in types::SMALLP + 1..=type_entry::NUMBER {
            let words = self.mem.word(G::dtd(number.into()).add(G::DTD_FIELDS.size));
            if number == types::LISTP || !(2..=UNIT_WORDS as u16).contains(&words) {
                continue;
            }
            for object in self.free_list(number) {
                self.clear(object.add(2), u32::from(words) - 2);
            }
        }
        for &unit in Instances::new(self.mem).units(types::LISTP) {
            let unit = LispPtr(unit * UNIT_WORDS);
            for page in [unit, unit.add(WORDS_PER_PAGE)] {
                self.clear_free_cells(page);
            }
        }
    }

    /// Takes given-up pages out of the page table, which is in order then; its own pages stay one
    /// behind the other.
    fn unregister(&mut self, given_up: &HashSet<u32>) {
        let count = self.active_pages().min(G::FPTOVP_CAPACITY - 1);
        let entries = (1..=count).map(|file_page| self.file_page(file_page));
        let (mut table, rest): (Vec<_>, Vec<_>) = (1..)
            .zip(entries)
            .partition(|&(at, _)| at <= INTERFACE_FILE_PAGE);
        let is_page = |page: &u32| *page <= G::POINTER_MASK / WORDS_PER_PAGE;
        let rest: BTreeSet<_> = rest
            .into_iter()
            .map(|(_, page)| page)
            .filter(is_page)
            .collect();
        table.extend(
            (1..).zip(
                rest.difference(&given_up.iter().copied().collect())
                    .copied(),
            ),
        );
        let pages: Vec<_> = table.into_iter().map(|(_, page)| page).collect();
        let Some(start) = pages.iter().position(|&page| page == G::FPTOVP.page()) else {
            return;
        };
        self.set_interface_word(interface::FPTOVP_START, start as u16 + 1);
        self.replace_page_table(&pages);
    }
}
