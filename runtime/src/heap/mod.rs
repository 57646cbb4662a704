//! The heap: typed cells, list cells and pages.
//!
//! Objects of one type lie together in units of two pages; the type table says
//! which type a unit has. Units are taken from the top of free memory downwards,
//! arrays (which Lisp allocates) from below upwards (`reference/storage.md`).
//!
//! - `cells`: objects of fixed size, boxed numbers.
//! - `conses`: list cells and their operations; `cons_pages`: where they come
//!   from; `cell_map`: finding cells close to each other.
//! - `pages`: units, and the registration of pages for the image file.
//! - `storage`: what happens when free memory runs out.
//! - `variables`: Lisp variables that hold page numbers.

mod cell_map;
mod cells;
mod cons_pages;
mod conses;
mod pages;
mod storage;
mod variables;

use cell_map::CellMaps;
use pages::RegisteredPages;

/// What the heap keeps outside Lisp memory.
#[derive(Clone, Debug, Default)]
pub struct HeapState {
    /// Pages that are in the file page table.
    registered: Option<RegisteredPages>,
    /// Free cells of cons pages; Medley 3 only.
    cell_maps: CellMaps,
}
