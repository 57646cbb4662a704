//! Freeing list cells.
//!
//! Most garbage is lists, and most of a list lies on one page. So a page is opened once,
//! cells are freed on it, and it is closed: meanwhile the number of its free cells and where
//! they are is not in memory.

use crate::fault::Fault;
use crate::layout::Generation;
use crate::layout::records::types;
use crate::machine::Machine;
use crate::memory::LispPtr;

use super::cell_map::CellMap;
use super::conses::{page_of, place_of};

/// A page with more free cells than this returns to the list of pages that have some.
pub(super) const RETURN_COUNT: u32 = 32;

/// A page on which list cells are being freed.
pub(crate) struct OpenConsPage {
    page: LispPtr,
    /// Free cells before, and now.
    before: u32,
    count: u32,
    /// The place of the first of the chain, where there is one.
    first: u32,
    /// Which they are, where that is not said by a chain.
    map: CellMap,
}

impl OpenConsPage {
    /// True if `cell` is a cell of this page.
    #[inline(always)]
    pub fn has(&self, cell: LispPtr) -> bool {
        page_of(cell) == self.page
    }
}

impl<G: Generation> Machine<'_, G> {
    /// Opens the page of the list cell `cell`.
    #[inline(always)]
    pub(crate) fn open_cons_page(&mut self, cell: LispPtr) -> OpenConsPage {
        let page = page_of(cell);
        let map = if G::CDR_CODE_BITS == 8 {
            CellMap::EMPTY
        } else {
            self.cell_map(page)
        };
        let header = self.cons_header(page);
        let count = header.count();
        OpenConsPage {
            page,
            before: count,
            count,
            first: if count == 0 { 0 } else { header.first() },
            map,
        }
    }

    /// Makes `cell`, which is on the page `open`, free. False, with the fault raised, if it is
    /// no list cell, or is free.
    #[inline(always)]
    pub(crate) fn free_cell(&mut self, open: &mut OpenConsPage, cell: LispPtr) -> bool {
        let place = place_of(cell) & !1;
        if place < G::CONS_PAGE.first
            || open.count >= G::CONS_PAGE.cells
            || G::CDR_CODE_BITS != 8 && open.map.contains(place)
        {
            return self.not_freed(cell);
        }
        if G::CDR_CODE_BITS == 8 {
            self.set_free_cell(open.page, place, open.first);
            open.first = place;
        } else {
            // Who still knows the cell finds nothing in it.
            self.mem.set_cell(open.page.add(place), LispPtr::NIL);
            open.map = open.map.with(place);
        }
        open.count += 1;
        true
    }

    #[cold]
    #[inline(never)]
    fn not_freed(&mut self, cell: LispPtr) -> bool {
        self.raise_fault(Fault::BadFreeList {
            type_number: types::LISTP,
            entry: cell,
        });
        false
    }

    /// Writes what is known of an open page. It returns to the list of pages with free
    /// cells if it has enough.
    #[inline(always)]
    pub(crate) fn close_cons_page(&mut self, open: &OpenConsPage) {
        let OpenConsPage { page, count, .. } = *open;
        if count == open.before {
            return;
        }
        let header = self.cons_header(page).with_count(count);
        if G::CDR_CODE_BITS == 8 {
            self.set_cons_header(page, header.with_first(open.first));
        } else {
            self.set_cell_map(page, open.map);
            self.set_cons_header(page, header);
        }
        if count > RETURN_COUNT && self.cons_page_link(page) == G::CONS_PAGE.off_list {
            self.set_cons_page_link(page, self.first_cons_page());
            self.set_first_cons_page(page.page());
            self.page_filled(false);
        }
    }

    /// Makes a list cell free. False, with the fault raised, if it is none, or is free.
    #[inline(never)]
    pub(crate) fn free_list_cell(&mut self, cell: LispPtr) -> bool {
        let mut open = self.open_cons_page(cell);
        let is_freed = self.free_cell(&mut open, cell);
        self.close_cons_page(&open);
        is_freed
    }
}
