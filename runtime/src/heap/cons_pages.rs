//! Where list cells come from.
//!
//! A cons page chains its free cells through their first bytes; the header has
//! the number of free cells and the place of the first. Pages with free cells
//! form a list that starts in the type descriptor of LISTP; a page leaves it when
//! it is found useless and returns when many of its cells are free (`freeing`). Neither the order of a chain nor which pages are on the list means
//! anything to Lisp (`reference/storage.md` section 5, `../bench/README.md`
//! section 6), so a freed cell goes to the head of its chain.
//!
//! In Medley 2 a cdr code reaches the whole page, and any free cell of the right
//! page will do. In Medley 3 it reaches seven cells forward, so a new cell should
//! lie just before its cdr, or come with a second cell just behind it. To find
//! such cells without a search there is for each page a [`CellMap`] outside Lisp
//! memory, made from the chain when the page is first used. From then on the map
//! says what is free, to the interpreter and to native code, and taking a cell or
//! freeing it changes a bit. The number in the header is kept; the chain is written
//! for whoever looks at it ([`Machine::chain_free_cells`]): before an image is saved.
//! A page without two cells close together has at most 16 free cells,
//! since 17 of 124 cannot all be eight apart; it leaves the list when a pair is
//! wanted.

use std::iter;

use crate::fault::Fault;
use crate::layout::Generation;
use crate::layout::records::{type_entry, types};
use crate::machine::Machine;
use crate::memory::{LispPtr, WORDS_PER_PAGE};

use super::cell_map::CellMap;
use super::conses::{page_of, place_of};

/// More than the free cells a page can have.
const CELLS: u32 = WORDS_PER_PAGE / 2;
/// Words of a unit of two pages.
const UNIT_WORDS: u32 = 2 * WORDS_PER_PAGE;

/// Where a list is likely to grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Growth {
    /// By CONS.
    Front,
    /// By RPLCONS.
    End,
}

/// The content of a page header: free cells in bits 31-24, first free cell in
/// bits 23-16.
#[derive(Clone, Copy)]
pub(super) struct Header(u32);

impl Header {
    const ONE: u32 = 1 << 24;

    #[inline(always)]
    pub(super) fn count(self) -> u32 {
        self.0 >> 24
    }

    #[inline(always)]
    pub(super) fn first(self) -> u32 {
        self.0 >> 16 & 0xFE
    }

    #[inline(always)]
    pub(super) fn with_first(self, place: u32) -> Self {
        Self(self.0 & 0xFF00_FFFF | place << 16)
    }

    #[inline(always)]
    pub(super) fn with_count(self, count: u32) -> Self {
        Self(self.0 & 0x00FF_FFFF | count << 24)
    }

    /// The place of the first free cell, if there is one.
    #[inline(always)]
    fn first_free<G: Generation>(self) -> Option<u32> {
        let first = self.first();
        (self.0 >= Self::ONE && first >= G::CONS_PAGE.first).then_some(first)
    }
}

impl<G: Generation> Machine<'_, G> {
    #[inline(always)]
    pub(super) fn cons_header(&self, page: LispPtr) -> Header {
        Header(self.mem.cell(page.add(G::CONS_PAGE.header)).0)
    }

    #[inline(always)]
    pub(super) fn set_cons_header(&self, page: LispPtr, header: Header) {
        self.mem
            .set_cell(page.add(G::CONS_PAGE.header), LispPtr(header.0));
    }

    /// The place of the free cell behind the one at `place`; 0 ends the chain.
    #[inline(always)]
    fn next_free_cell(&self, page: LispPtr, place: u32) -> u32 {
        self.mem.cell(page.add(place)).0 >> 24 & 0xFE
    }

    /// Makes `next` the free cell behind the one at `place`.
    #[inline(always)]
    pub(super) fn set_free_cell(&self, page: LispPtr, place: u32, next: u32) {
        self.mem.set_cell(page.add(place), LispPtr(next << 24));
    }

    /// Takes the first free cell of `page`.
    #[inline(always)]
    fn take_first_cell(&mut self, page: LispPtr) -> Option<LispPtr> {
        let header = self.cons_header(page);
        let first = header.first_free::<G>()?;
        let next = self.next_free_cell(page, first);
        self.set_cons_header(page, Header(header.0 - Header::ONE).with_first(next));
        Some(page.add(first))
    }

    /// Takes a cell from `page`.
    #[inline(always)]
    fn take_cell_of(&mut self, page: LispPtr) -> Option<LispPtr> {
        if G::CDR_CODE_BITS == 8 {
            self.take_first_cell(page)
        } else {
            let place = self.cell_map(page).for_list()?;
            Some(self.take_free_cell(page, place))
        }
    }

    /// Takes a cell from the first page of the list, if there is one.
    #[inline(always)]
    pub(super) fn take_listed_cell(&mut self) -> Option<LispPtr> {
        let page = self.first_cons_page();
        if page == 0 {
            return None;
        }
        self.take_cell_of(LispPtr::from_page(page))
    }

    /// Takes a cell that can have the list cell `cdr` as its cdr, from the same
    /// page.
    #[inline(always)]
    pub(super) fn take_cell_before(&mut self, cdr: LispPtr) -> Option<LispPtr> {
        let page = page_of(cdr);
        if G::CDR_CODE_BITS == 8 {
            self.take_first_cell(page)
        } else {
            let place = self.cell_map(page).before(place_of(cdr))?;
            Some(self.take_free_cell(page, place))
        }
    }

    /// Takes a cell that can hold the cdr of the list cell `cell`, or be it, from
    /// the same page.
    #[inline(always)]
    pub(super) fn take_cell_behind(&mut self, cell: LispPtr) -> Option<LispPtr> {
        let page = page_of(cell);
        if G::CDR_CODE_BITS == 8 {
            self.take_first_cell(page)
        } else {
            let place = self.cell_map(page).behind(place_of(cell))?;
            Some(self.take_free_cell(page, place))
        }
    }

    /// Takes a cell from any page.
    pub(super) fn take_any_cell(&mut self) -> Option<LispPtr> {
        loop {
            let page = self.first_listed_page()?;
            match self.take_cell_of(page) {
                Some(cell) => return Some(cell),
                None => self.unlist_first_cons_page(page),
            }
        }
    }

    /// Takes two cells of one page; the code of the first can say the second.
    pub(super) fn take_pair_of_cells(&mut self, growth: Growth) -> Option<(LispPtr, LispPtr)> {
        loop {
            let page = self.first_listed_page()?;
            match self.take_pair_of(page, growth) {
                Some(pair) => return Some(pair),
                None => self.unlist_first_cons_page(page),
            }
        }
    }

    fn take_pair_of(&mut self, page: LispPtr, growth: Growth) -> Option<(LispPtr, LispPtr)> {
        if G::CDR_CODE_BITS == 8 {
            if self.cons_header(page).count() < 2 {
                return None;
            }
            let second = self.take_first_cell(page)?;
            let first = self.take_first_cell(page);
            if first.is_none() {
                self.free_list_cell(second);
            }
            Some((first?, second))
        } else {
            let map = self.cell_map(page);
            let (first, second) = match growth {
                Growth::Front => map.pair_for_front()?,
                Growth::End => map.pair_for_end()?,
            };
            let second = self.take_free_cell(page, second);
            Some((self.take_free_cell(page, first), second))
        }
    }

    /// The free cells of `page`.
    #[inline(always)]
    pub(super) fn cell_map(&mut self, page: LispPtr) -> CellMap {
        let map = self.known_cell_map(page);
        if map.is_known() {
            map
        } else {
            self.make_cell_map(page)
        }
    }

    #[inline(always)]
    fn known_cell_map(&self, page: LispPtr) -> CellMap {
        self.heap.cell_maps.get(page.masked::<G>().page())
    }

    #[inline(always)]
    pub(super) fn set_cell_map(&mut self, page: LispPtr, map: CellMap) {
        self.heap.cell_maps.set(page.masked::<G>().page(), map);
    }

    /// Makes room for the maps of all pages.
    fn reserve_cell_maps(&mut self) {
        self.heap
            .cell_maps
            .reserve(G::POINTER_MASK / WORDS_PER_PAGE + 1);
    }

    /// Host address of the sets of free list cells: 16 bytes for each page, a bit for
    /// each cell, for generations whose cdr codes do not reach a whole page.
    pub fn cell_maps_address(&mut self) -> usize {
        if G::CDR_CODE_BITS != 8 {
            self.reserve_cell_maps();
        }
        self.heap.cell_maps.address()
    }

    /// Finds the free cells of `page` in its chain. The count is put right if it is not.
    #[cold]
    #[inline(never)]
    fn make_cell_map(&mut self, page: LispPtr) -> CellMap {
        self.reserve_cell_maps();
        let mut map = CellMap::EMPTY;
        let header = self.cons_header(page);
        let mut place = header.first_free::<G>().unwrap_or(0);
        while place >= G::CONS_PAGE.first && !map.contains(place) {
            map = map.with(place);
            place = self.next_free_cell(page, place);
        }
        self.set_cons_header(page, header.with_count(map.count()));
        self.set_cell_map(page, map);
        map
    }

    /// Takes the free cell at `place` of `page`.
    #[inline(always)]
    fn take_free_cell(&mut self, page: LispPtr, place: u32) -> LispPtr {
        let header = self.cons_header(page);
        self.set_cons_header(page, Header(header.0.wrapping_sub(Header::ONE)));
        self.set_cell_map(page, self.known_cell_map(page).without(place));
        page.add(place)
    }

    /// Writes the chains of free cells of all pages whose free cells are known outside
    /// Lisp memory, for those who look for them there.
    pub fn chain_free_cells(&self) {
        for unit in 0..G::TYPE_TABLE_WORDS {
            let entry = self.mem.word(G::TYPE_TABLE.add(unit));
            if entry & type_entry::NUMBER != types::LISTP {
                continue;
            }
            let page = LispPtr(unit * UNIT_WORDS);
            for page in [page, page.add(WORDS_PER_PAGE)] {
                let map = self.known_cell_map(page);
                if map.is_known() {
                    self.chain_cells(page, map);
                }
            }
        }
    }

    /// Writes those chains; from now on nothing but them says what is free.
    pub(super) fn forget_cell_maps(&mut self) {
        self.chain_free_cells();
        self.heap.cell_maps.forget();
    }

    /// Chains the cells in `map` in the order of a fresh page.
    fn chain_cells(&self, page: LispPtr, map: CellMap) {
        let (mut next, mut count) = (0, 0);
        for number in (G::CONS_PAGE.first / 2)..CELLS {
            let place = (2 * number) ^ G::CONS_PAGE.order;
            if map.contains(place) {
                self.set_free_cell(page, place, next);
                next = place;
                count += 1;
            }
        }
        let header = self.cons_header(page).with_first(next);
        self.set_cons_header(page, header.with_count(count));
    }

    /// The free cells of `page`; 0 if its chain has not as many as its header says.
    pub(super) fn free_cells_of(&self, page: LispPtr) -> u32 {
        let count = self.cons_header(page).count();
        match self.chain(page).count() as u32 {
            found if found == count => count,
            _ => 0,
        }
    }

    /// The places of the free cells of `page`; ends after as many as there can be.
    fn chain(&self, page: LispPtr) -> impl Iterator<Item = u32> {
        let next = move |&place: &u32| Some(self.next_free_cell(page, place));
        let first = self.cons_header(page).first_free::<G>();
        let is_cell = |&place: &u32| place >= G::CONS_PAGE.first;
        iter::successors(first, next)
            .take_while(is_cell)
            .take(CELLS as usize)
    }

    /// Takes such pages from the list of pages with free cells.
    pub(super) fn unlist_cons_pages(&mut self, is_unlisted: impl Fn(u32) -> bool) {
        let mut pages = Vec::new();
        let mut next = self.first_cons_page();
        while next != 0
            && next != G::CONS_PAGE.off_list
            && self.type_number(LispPtr::from_page(next)) == types::LISTP
            && pages.len() <= (G::POINTER_MASK / WORDS_PER_PAGE) as usize
        {
            pages.push(next);
            next = self.cons_page_link(LispPtr::from_page(next));
        }
        let mut next = 0;
        for &page in pages.iter().rev().filter(|&&page| !is_unlisted(page)) {
            self.set_cons_page_link(LispPtr::from_page(page), next);
            next = page;
        }
        self.set_first_cons_page(next);
    }

    /// Clears what the free cells of `page` hold besides their links.
    pub(super) fn clear_free_cells(&mut self, page: LispPtr) {
        let places: Vec<_> = self.chain(page).collect();
        for place in places {
            let next = self.next_free_cell(page, place);
            self.set_free_cell(page, place, next);
        }
    }

    /// Makes all cells of `page` free.
    fn free_all_cells(&mut self, page: LispPtr) {
        let fresh = CellMap::fresh(G::CONS_PAGE.first);
        if G::CDR_CODE_BITS == 8 {
            self.chain_cells(page, fresh);
        } else {
            self.reserve_cell_maps();
            self.set_cell_map(page, fresh);
            let header = self.cons_header(page).with_first(0);
            self.set_cons_header(page, header.with_count(G::CONS_PAGE.cells));
        }
    }

    /// The first page of the list that may have free cells; a new one if the list
    /// is empty.
    fn first_listed_page(&mut self) -> Option<LispPtr> {
        let number = self.first_cons_page();
        let page = LispPtr::from_page(number).masked::<G>();
        if number != 0 && self.type_number(page) == types::LISTP {
            let header = self.cons_header(page);
            if G::CDR_CODE_BITS == 8
                && header.count() == G::CONS_PAGE.cells
                && header.first_free::<G>().is_none()
            {
                // Another emulator of Medley 2 forgets the head of fresh chains
                // (`reference/processor.md` section 27).
                self.free_all_cells(page);
            }
            return Some(page);
        }
        // Nothing, or a broken list.
        self.set_first_cons_page(0);
        self.new_cons_unit()
    }

    /// Takes the first page, `page`, from the list.
    fn unlist_first_cons_page(&mut self, page: LispPtr) {
        self.page_filled(true);
        let next = self.cons_page_link(page);
        let end = next == G::CONS_PAGE.off_list;
        self.set_first_cons_page(if end { 0 } else { next });
        self.set_cons_page_link(page, G::CONS_PAGE.off_list);
        if G::CDR_CODE_BITS == 8 && self.cons_header(page).first_free::<G>().is_none() {
            // A count without a chain would keep cells from being freed.
            self.set_cons_header(page, self.cons_header(page).with_first(0).with_count(0));
        }
    }

    /// Adds a unit of two fresh pages to the list; answers the first of them.
    fn new_cons_unit(&mut self) -> Option<LispPtr> {
        let dtd = G::dtd(u32::from(types::LISTP));
        let entry = self.mem.word(dtd.add(G::DTD_FIELDS.type_entry));
        if entry & type_entry::NUMBER != types::LISTP {
            self.raise_fault(Fault::BadFreeList {
                type_number: types::LISTP,
                entry: dtd,
            });
            return None;
        }
        let unit = self.alloc_mds_page(entry)?;
        let second = unit.add(WORDS_PER_PAGE);
        // Read after the allocation, which may have made list cells itself.
        self.init_cons_page(second, self.first_cons_page());
        self.init_cons_page(unit, second.page());
        self.set_first_cons_page(unit.page());
        Some(unit)
    }

    /// Makes all cells of `page` free.
    pub(crate) fn init_cons_page(&mut self, page: LispPtr, next: u32) {
        let mut place = 0;
        while place < G::CONS_PAGE.first {
            self.mem.set_cell(page.add(place), LispPtr::NIL);
            place += 2;
        }
        self.free_all_cells(page);
        self.set_cons_page_link(page, next);
    }

    /// Number of the first page with free cells, 0 if there is none.
    #[inline(always)]
    pub(super) fn first_cons_page(&self) -> u32 {
        let at = G::dtd(u32::from(types::LISTP)).add(G::DTD_FIELDS.next_page);
        if G::CDR_CODE_BITS == 8 {
            u32::from(self.mem.word(at))
        } else {
            self.mem.cell(at).0
        }
    }

    pub(super) fn set_first_cons_page(&mut self, page: u32) {
        let at = G::dtd(u32::from(types::LISTP)).add(G::DTD_FIELDS.next_page);
        if G::CDR_CODE_BITS == 8 {
            self.mem.set_word(at, page as u16);
        } else {
            self.mem.set_cell(at, LispPtr(page));
        }
    }

    /// Number of the page behind `page` in the list.
    #[inline(always)]
    pub(super) fn cons_page_link(&self, page: LispPtr) -> u32 {
        if G::CDR_CODE_BITS == 8 {
            u32::from(self.mem.word(page.add(1)))
        } else {
            self.mem.cell(page.add(6)).0
        }
    }

    pub(super) fn set_cons_page_link(&mut self, page: LispPtr, next: u32) {
        if G::CDR_CODE_BITS == 8 {
            self.mem.set_word(page.add(1), next as u16);
        } else {
            self.mem.set_cell(page.add(6), LispPtr(next));
        }
    }
}

#[cfg(test)]
#[path = "cons_pages_tests.rs"]
mod tests;
