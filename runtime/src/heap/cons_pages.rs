//! Where list cells come from, and where they go.
//!
//! A cons page chains its free cells through their first bytes; the header has
//! the number of free cells and the place of the first. Pages with free cells
//! form a list that starts in the type descriptor of LISTP; a page leaves it when
//! it is found useless and returns when it has more than [`RETURN_COUNT`] free
//! cells. Neither the order of a chain nor which pages are on the list means
//! anything to Lisp (`reference/storage.md` section 5, `../bench/README.md`
//! section 6), so a freed cell goes to the head of its chain.
//!
//! That order also serves allocation. In Medley 3 a cdr code reaches only seven
//! cells forward, so a new cell should lie just before its cdr, or come with a
//! second cell just behind it. A list that is freed from its head leaves a chain
//! that starts with its last cells, each preceded by the cell that lay before it;
//! the next list is then built from the same cells in the same places. The
//! searches therefore look at a few cells at the head of a chain only. When no
//! close pair is among these the chain is put into the order of a fresh page,
//! where a pair, if the page has one, is next to each other; a page without any
//! (it has at most 16 free cells, since 17 of 124 cannot all be eight apart)
//! leaves the list.

use crate::fault::Fault;
use crate::layout::Generation;
use crate::layout::records::{type_entry, types};
use crate::machine::Machine;
use crate::memory::{LispPtr, WORDS_PER_PAGE};

use super::conses::page_of;

/// A page with more free cells than this returns to the list.
const RETURN_COUNT: u32 = 32;
/// How many cells of a chain the search before a cdr looks at.
const NEAR_STEPS: u32 = 16;
/// How many cells of a chain the search for a pair looks at.
const PAIR_STEPS: u32 = 8;
/// More than the free cells a page can have: bounds the walk through a chain.
const ALL: u32 = WORDS_PER_PAGE / 2;

/// The content of a page header: free cells in bits 31-24, first free cell in
/// bits 23-16.
#[derive(Clone, Copy)]
struct Header(u32);

impl Header {
    const ONE: u32 = 1 << 24;

    #[inline(always)]
    fn count(self) -> u32 {
        self.0 >> 24
    }

    #[inline(always)]
    fn first(self) -> u32 {
        self.0 >> 16 & 0xFE
    }

    #[inline(always)]
    fn with_first(self, place: u32) -> Self {
        Self(self.0 & 0xFF00_FFFF | place << 16)
    }

    #[inline(always)]
    fn with_count(self, count: u32) -> Self {
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
    fn cons_header(&self, page: LispPtr) -> Header {
        Header(self.mem.cell(page.add(G::CONS_PAGE.header)).0)
    }

    #[inline(always)]
    fn set_cons_header(&self, page: LispPtr, header: Header) {
        self.mem
            .set_cell(page.add(G::CONS_PAGE.header), LispPtr(header.0));
    }

    /// The place of the free cell behind the one at `place`; 0 ends the chain.
    #[inline(always)]
    fn next_free_cell(&self, page: LispPtr, place: u32) -> u32 {
        self.mem.cell(page.add(place)).0 >> 24 & 0xFE
    }

    #[inline(always)]
    fn set_next_free_cell(&self, page: LispPtr, place: u32, next: u32) {
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

    /// Takes a cell from the first page of the list, if there is one.
    #[inline(always)]
    pub(super) fn take_listed_cell(&mut self) -> Option<LispPtr> {
        let page = self.first_cons_page();
        if page == 0 {
            return None;
        }
        self.take_first_cell(LispPtr::from_page(page))
    }

    /// Takes a cell that can have the list cell `cdr` as its cdr, from the same
    /// page.
    #[inline(always)]
    pub(super) fn take_cell_before(&mut self, cdr: LispPtr) -> Option<LispPtr> {
        let page = page_of(cdr);
        if G::CDR_CODE_BITS == 8 {
            return self.take_first_cell(page);
        }
        let end = cdr.0 & (WORDS_PER_PAGE - 1);
        self.take_cell_between::<true>(page, end.saturating_sub(14), end)
    }

    /// Takes a cell that can hold the cdr of the list cell `cell`, from the same
    /// page.
    pub(super) fn take_cell_behind(&mut self, cell: LispPtr) -> Option<LispPtr> {
        let page = page_of(cell);
        if G::CDR_CODE_BITS == 8 {
            return self.take_first_cell(page);
        }
        let start = (cell.0 & (WORDS_PER_PAGE - 1)) + 2;
        self.take_cell_between::<false>(page, start, start + 14)
    }

    /// Takes a free cell of `page` from the places `start` up to, not including,
    /// `end`; if `LAST`, of cells that follow each other in the chain upwards the
    /// last.
    #[inline]
    fn take_cell_between<const LAST: bool>(
        &mut self,
        page: LispPtr,
        start: u32,
        end: u32,
    ) -> Option<LispPtr> {
        let header = self.cons_header(page);
        let mut place = header.first_free::<G>()?;
        let mut before = 0;
        for _ in 0..NEAR_STEPS {
            let mut next = self.next_free_cell(page, place);
            if place >= start && place < end {
                while LAST && next > place && next < end {
                    before = place;
                    place = next;
                    next = self.next_free_cell(page, place);
                }
                let header = Header(header.0 - Header::ONE);
                if before == 0 {
                    self.set_cons_header(page, header.with_first(next));
                } else {
                    self.set_next_free_cell(page, before, next);
                    self.set_cons_header(page, header);
                }
                return Some(page.add(place));
            }
            before = place;
            place = next;
            if place < G::CONS_PAGE.first {
                break;
            }
        }
        None
    }

    /// Takes a cell from any page.
    pub(super) fn take_any_cell(&mut self) -> Option<LispPtr> {
        loop {
            let page = self.first_listed_page()?;
            match self.take_first_cell(page) {
                Some(cell) => return Some(cell),
                None => self.unlist_first_cons_page(page),
            }
        }
    }

    /// Takes two cells of one page; the first can have its cdr stored in the
    /// second.
    pub(super) fn take_pair_of_cells(&mut self) -> Option<(LispPtr, LispPtr)> {
        loop {
            let page = self.first_listed_page()?;
            if G::CDR_CODE_BITS == 8 {
                if self.cons_header(page).count() >= 2
                    && let Some(holder) = self.take_first_cell(page)
                {
                    match self.take_first_cell(page) {
                        Some(cell) => return Some((cell, holder)),
                        None => self.free_list_cell(holder),
                    }
                }
            } else if let Some(pair) = self.take_close_pair(page) {
                return Some(pair);
            }
            self.unlist_first_cons_page(page);
        }
    }

    /// Takes two cells of `page` that are at most seven cells apart.
    fn take_close_pair(&mut self, page: LispPtr) -> Option<(LispPtr, LispPtr)> {
        self.take_chained_pair(page, PAIR_STEPS).or_else(|| {
            self.order_chain(page);
            self.take_chained_pair(page, ALL)
        })
    }

    /// Takes two cells that follow each other in the chain and are close, looking
    /// at the first `steps` cells.
    fn take_chained_pair(&mut self, page: LispPtr, steps: u32) -> Option<(LispPtr, LispPtr)> {
        let header = self.cons_header(page);
        if header.count() < 2 {
            return None;
        }
        let mut before = 0;
        let mut place = header.first_free::<G>()?;
        for _ in 0..steps {
            let next = self.next_free_cell(page, place);
            if next < G::CONS_PAGE.first || next == place {
                break;
            }
            if place.abs_diff(next) <= 14 {
                let rest = self.next_free_cell(page, next);
                let header = Header(header.0 - 2 * Header::ONE);
                if before == 0 {
                    self.set_cons_header(page, header.with_first(rest));
                } else {
                    self.set_next_free_cell(page, before, rest);
                    self.set_cons_header(page, header);
                }
                let (low, high) = (place.min(next), place.max(next));
                return Some((page.add(low), page.add(high)));
            }
            before = place;
            place = next;
        }
        None
    }

    /// Puts the chain of `page` into the order of a fresh page, and its count
    /// right.
    fn order_chain(&mut self, page: LispPtr) {
        let header = self.cons_header(page);
        let mut free = 0u128;
        let mut place = header.first_free::<G>().unwrap_or(0);
        while place >= G::CONS_PAGE.first {
            let bit = 1 << (place / 2);
            if free & bit != 0 {
                break;
            }
            free |= bit;
            place = self.next_free_cell(page, place);
        }
        let count = self.chain_cells(page, |place| free >> (place / 2) & 1 != 0);
        self.set_cons_header(page, self.cons_header(page).with_count(count));
    }

    /// Chains the cells of `page` whose places `is_free` says, in the order of a
    /// fresh page, and makes the header point to them; answers their number.
    fn chain_cells(&mut self, page: LispPtr, is_free: impl Fn(u32) -> bool) -> u32 {
        let mut next = 0;
        let mut count = 0;
        for number in (G::CONS_PAGE.first / 2)..ALL {
            let place = (2 * number) ^ G::CONS_PAGE.order;
            if is_free(place) {
                self.set_next_free_cell(page, place, next);
                next = place;
                count += 1;
            }
        }
        self.set_cons_header(page, self.cons_header(page).with_first(next));
        count
    }

    /// Puts a list cell into the chain of its page.
    #[inline]
    pub(crate) fn free_list_cell(&mut self, cell: LispPtr) {
        let page = page_of(cell);
        let place = cell.0 & (WORDS_PER_PAGE - 2);
        let header = self.cons_header(page);
        let count = header.count();
        if place < G::CONS_PAGE.first || count >= G::CONS_PAGE.cells {
            self.raise_fault(Fault::BadFreeList {
                type_number: types::LISTP,
                entry: cell,
            });
            return;
        }
        let next = if count == 0 { 0 } else { header.first() };
        self.set_next_free_cell(page, place, next);
        self.set_cons_header(page, Header(header.0 + Header::ONE).with_first(place));
        if count >= RETURN_COUNT && self.cons_page_link(page) == G::CONS_PAGE.off_list {
            self.set_cons_page_link(page, self.first_cons_page());
            self.set_first_cons_page(page.page());
        }
    }

    /// The first page of the list that may have free cells; a new one if the list
    /// is empty.
    fn first_listed_page(&mut self) -> Option<LispPtr> {
        let number = self.first_cons_page();
        let page = LispPtr::from_page(number).masked::<G>();
        if number != 0 && self.type_number(page) == types::LISTP {
            let header = self.cons_header(page);
            if header.count() == G::CONS_PAGE.cells && header.first_free::<G>().is_none() {
                // Another emulator forgets the head of the chain of fresh pages
                // (`reference/processor.md` section 27).
                self.chain_cells(page, |_| true);
            }
            return Some(page);
        }
        // Nothing, or a broken list.
        self.set_first_cons_page(0);
        self.new_cons_unit()
    }

    /// Takes the first page, `page`, from the list.
    fn unlist_first_cons_page(&mut self, page: LispPtr) {
        let next = self.cons_page_link(page);
        let end = next == G::CONS_PAGE.off_list;
        self.set_first_cons_page(if end { 0 } else { next });
        self.set_cons_page_link(page, G::CONS_PAGE.off_list);
        if self.cons_header(page).first_free::<G>().is_none() {
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
        let count = self.chain_cells(page, |_| true);
        self.set_cons_header(page, self.cons_header(page).with_count(count));
        self.set_cons_page_link(page, next);
    }

    /// Number of the first page with free cells, 0 if there is none.
    #[inline(always)]
    fn first_cons_page(&self) -> u32 {
        let at = G::dtd(u32::from(types::LISTP)).add(G::DTD_FIELDS.next_page);
        if G::CDR_CODE_BITS == 8 {
            u32::from(self.mem.word(at))
        } else {
            self.mem.cell(at).0
        }
    }

    fn set_first_cons_page(&mut self, page: u32) {
        let at = G::dtd(u32::from(types::LISTP)).add(G::DTD_FIELDS.next_page);
        if G::CDR_CODE_BITS == 8 {
            self.mem.set_word(at, page as u16);
        } else {
            self.mem.set_cell(at, LispPtr(page));
        }
    }

    /// Number of the page behind `page` in the list.
    #[inline(always)]
    fn cons_page_link(&self, page: LispPtr) -> u32 {
        if G::CDR_CODE_BITS == 8 {
            u32::from(self.mem.word(page.add(1)))
        } else {
            self.mem.cell(page.add(6)).0
        }
    }

    fn set_cons_page_link(&mut self, page: LispPtr, next: u32) {
        if G::CDR_CODE_BITS == 8 {
            self.mem.set_word(page.add(1), next as u16);
        } else {
            self.mem.set_cell(page.add(6), LispPtr(next));
        }
    }
}
