//! The heap: typed cells, list cells and pages.
//!
//! Objects of one type lie together in units of two pages; the type table says
//! which type a unit has. Units are taken from the top of free memory downwards,
//! arrays (which Lisp allocates) from below upwards (`reference/storage.md`).
//!
//! - `cells`: objects of fixed size, boxed numbers.
//! - `conses`: list cells and their operations; `cons_pages`: where they come
//!   from; `freeing`: where they go; `cell_map`: finding cells close to each other.
//! - `rings`: free array blocks; `array_functions`: Lisp's functions for them.
//! - `pages`: units, and the registration of pages for the image file.
//! - `storage`: what happens when free memory runs out.
//! - `shrink`: making free storage as little as can be, before an image is saved.
//! - `variables`: Lisp variables that hold page numbers.

pub(crate) mod array_functions;
mod cell_map;
mod cells;
mod cons_pages;
mod conses;
mod freeing;
mod pages;
pub(crate) mod rings;
#[cfg(test)]
mod rings_tests;
mod shrink;
#[cfg(test)]
mod shrink_tests;
mod storage;
mod variables;

pub(crate) use conses::Parts;
pub(crate) use storage::GUARD_PAGES;

use cell_map::CellMaps;
use pages::RegisteredPages;
use rings::Rings;

use crate::memory::{LispPtr, WORDS_PER_PAGE};

pub use array_functions::{ArrayPolicy, UnknownFunctions};
pub use rings::ArrayTotals;
pub use shrink::Shrunk;

/// What the heap keeps outside Lisp memory.
#[derive(Clone, Debug, Default)]
pub struct HeapState {
    /// Pages that are in the file page table.
    registered: Option<RegisteredPages>,
    /// Free cells of cons pages; Medley 3 only.
    cell_maps: CellMaps,
    /// Free array blocks.
    rings: Rings,
}

impl HeapState {
    /// True if the list cell at `cell` is free; nothing if only Lisp memory knows.
    pub(crate) fn is_free_list_cell(&self, cell: LispPtr) -> Option<bool> {
        let map = self.cell_maps.get(cell.page());
        map.is_known()
            .then(|| map.contains(cell.0 & (WORDS_PER_PAGE - 1)))
    }
}
