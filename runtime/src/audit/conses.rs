//! Cons pages: which cells are conses, which hold a cdr, which are free.

use crate::layout::Generation;
use crate::memory::{LispPtr, Mem, WORDS_PER_PAGE};

/// What the audit found on the cons pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConsPages {
    /// Pages.
    pub pages: u32,
    /// Free cells.
    pub free: u32,
    /// Conses whose cdr is NIL.
    pub nil_cdr: u32,
    /// Conses whose cdr is a cons on the same page.
    pub on_page_cdr: u32,
    /// Conses whose cdr is stored in a cell of its own.
    pub stored_cdr: u32,
    /// Cells that stand for a cons elsewhere.
    pub forwarders: u32,
    /// Pages whose free count differs from the length of their free chain.
    pub wrong_free_counts: u32,
    /// Free chains that run in a circle or off their page.
    pub broken_chains: u32,
}

/// How a cell of a cons page is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConsCell {
    /// On the page's free chain.
    Free,
    /// Stands for the cons at the address.
    Forwarder(LispPtr),
    /// A cons with its car and cdr.
    Cons { car: LispPtr, cdr: LispPtr },
    /// Holds the cdr of another cell.
    Holder,
}

/// Word offset on the page of a cell number.
fn offset(cell: usize) -> u32 {
    cell as u32 * 2
}

/// Decodes the page at `base`.
pub(crate) fn decode_page<G: Generation>(
    mem: Mem<'_, G>,
    base: LispPtr,
    totals: &mut ConsPages,
) -> [Option<ConsCell>; 128] {
    let mut cells = [None; 128];
    let first = if G::WIDE_COUNTS { 4 } else { 1 };
    let header = mem.cell(base.add(if G::WIDE_COUNTS { 4 } else { 0 }));
    totals.pages += 1;
    let (count, mut next) = (header.0 >> 24, header.0 >> 16 & 0xFF);
    let mut free = 0;
    while next != 0 {
        let index = next as usize / 2;
        if index < first || next % 2 != 0 || cells[index].is_some() {
            totals.broken_chains += 1;
            break;
        }
        cells[index] = Some(ConsCell::Free);
        free += 1;
        next = mem.cell(base.add(next)).0 >> 24;
    }
    totals.free += free;
    totals.wrong_free_counts += u32::from(free != count);
    decode_used(mem, base, first, &mut cells, totals);
    cells
}

/// Decodes the page at `base`, whose free cells are those at the places that `is_free`
/// knows.
pub(crate) fn decode_page_of<G: Generation>(
    mem: Mem<'_, G>,
    base: LispPtr,
    is_free: impl Fn(LispPtr) -> bool,
) -> [Option<ConsCell>; 128] {
    let mut cells = [None; 128];
    let first = G::CONS_PAGE.first as usize / 2;
    for (index, cell) in cells.iter_mut().enumerate().skip(first) {
        *cell = is_free(base.add(offset(index))).then_some(ConsCell::Free);
    }
    decode_used(mem, base, first, &mut cells, &mut ConsPages::default());
    cells
}

/// Decodes the cells of the page at `base` that are not free.
fn decode_used<G: Generation>(
    mem: Mem<'_, G>,
    base: LispPtr,
    first: usize,
    cells: &mut [Option<ConsCell>; 128],
    totals: &mut ConsPages,
) {
    mark_holders(mem, base, first, cells);
    for (index, cell) in cells.iter_mut().enumerate().skip(first) {
        if cell.is_none() {
            *cell = Some(decode_cell(mem, base.add(offset(index)), totals));
        }
    }
}

/// Marks the cells that hold stored cdrs.
fn mark_holders<G: Generation>(
    mem: Mem<'_, G>,
    base: LispPtr,
    first: usize,
    cells: &mut [Option<ConsCell>; 128],
) {
    for index in first..128 {
        if cells[index].is_some() {
            continue;
        }
        let code = code::<G>(mem.cell(base.add(offset(index))));
        if code > 0 && code < G::CDR_NIL {
            let target = stored_cell::<G>(base.add(offset(index)), code);
            if target.page() == base.page() {
                cells[(target.0 & (WORDS_PER_PAGE - 1)) as usize / 2] = Some(ConsCell::Holder);
            }
        }
    }
}

/// The cdr code of a cell.
fn code<G: Generation>(cell: LispPtr) -> u32 {
    cell.0 >> (32 - G::CDR_CODE_BITS)
}

/// The cell that code `code` of the cell at `at` names.
fn stored_cell<G: Generation>(at: LispPtr, code: u32) -> LispPtr {
    let distance = 2 * (code & (G::CDR_NIL - 1));
    if G::CDR_CODE_BITS == 8 {
        LispPtr(at.0 & !(WORDS_PER_PAGE - 1)).add(distance)
    } else {
        at.add(distance)
    }
}

/// Decodes the list cell at `at`.
pub(crate) fn decode<G: Generation>(mem: Mem<'_, G>, at: LispPtr) -> ConsCell {
    decode_cell(mem, at, &mut ConsPages::default())
}

fn decode_cell<G: Generation>(mem: Mem<'_, G>, at: LispPtr, totals: &mut ConsPages) -> ConsCell {
    let cell = mem.cell(at);
    let (code, car) = (code::<G>(cell), LispPtr(cell.0 & car_mask::<G>()));
    if code == 0 {
        totals.forwarders += 1;
        return ConsCell::Forwarder(car);
    }
    let cdr = if code == G::CDR_NIL {
        totals.nil_cdr += 1;
        LispPtr::NIL
    } else if code > G::CDR_NIL {
        totals.on_page_cdr += 1;
        stored_cell::<G>(at, code)
    } else {
        totals.stored_cdr += 1;
        mem.cell(stored_cell::<G>(at, code)).masked::<G>()
    };
    ConsCell::Cons { car, cdr }
}

const fn car_mask<G: Generation>() -> u32 {
    u32::MAX >> G::CDR_CODE_BITS
}
