//! List cells: CAR, CDR, CONS and the operations that change them.
//!
//! A list cell is one cell: the car, and in the bits above it a code for the cdr
//! (`reference/memory-map.md` section 9). Medley 2 counts places from the start
//! of the page, Medley 3 from the list cell itself, forward only:
//!
//! | code | cdr |
//! |---|---|
//! | 0 | this is a forwarder: the "car" is the address of the real list cell |
//! | below `CDR_NIL` | stored in the cell at that place |
//! | `CDR_NIL` | NIL |
//! | above `CDR_NIL` | the list cell at that place less `CDR_NIL` |
//!
//! A list cell keeps its address for ever. When its cdr becomes something that
//! the code cannot say and no cell is free at a place that it can say, the list
//! moves to another page and a forwarder stays behind.

use crate::layout::Generation;
use crate::layout::records::types;
use crate::machine::Machine;
use crate::memory::{LispPtr, WORDS_PER_PAGE};

use super::cons_pages::Growth;

/// The page that holds the list cell at `cell`.
#[inline(always)]
pub(super) fn page_of(cell: LispPtr) -> LispPtr {
    LispPtr(cell.0 & !(WORDS_PER_PAGE - 1))
}

/// The place of the list cell at `cell` in its page.
#[inline(always)]
pub(super) fn place_of(cell: LispPtr) -> u32 {
    cell.0 & (WORDS_PER_PAGE - 1)
}

/// The cdr code in the content of a list cell.
#[inline(always)]
fn code<G: Generation>(content: LispPtr) -> u32 {
    content.0 >> G::CDR_SHIFT
}

/// The content of a list cell.
#[inline(always)]
fn content<G: Generation>(car: LispPtr, code: u32) -> LispPtr {
    LispPtr(car.0 | code << G::CDR_SHIFT)
}

/// The place that `code` says, for the list cell at `cell`.
#[inline(always)]
fn place<G: Generation>(cell: LispPtr, code: u32) -> LispPtr {
    let cells = code & (G::CDR_NIL - 1);
    if G::CDR_CODE_BITS == 8 {
        page_of(cell).add(2 * cells)
    } else {
        cell.add(2 * cells)
    }
}

/// The code less `CDR_NIL` that says, for the list cell at `cell`, the place
/// `target`, if there is one.
#[inline(always)]
fn code_of_place<G: Generation>(cell: LispPtr, target: LispPtr) -> Option<u32> {
    if page_of(cell) != page_of(target) {
        None
    } else if G::CDR_CODE_BITS == 8 {
        Some((target.0 & (WORDS_PER_PAGE - 1)) >> 1)
    } else {
        let words = target.0.wrapping_sub(cell.0);
        (2..=2 * (G::CDR_NIL - 1))
            .contains(&words)
            .then_some(words >> 1)
    }
}

/// A list cell, its car, its cdr, and the cell that holds its cdr.
pub(crate) type ListCells = (LispPtr, LispPtr, LispPtr, Option<LispPtr>);

/// What a list cell says of its car and cdr.
pub(crate) enum Parts {
    /// Both.
    Single(LispPtr, LispPtr),
    /// Both, and the cell that holds the cdr.
    Held(LispPtr, LispPtr, LispPtr),
    /// Nothing: it is a forwarder.
    Elsewhere,
}

impl<G: Generation> Machine<'_, G> {
    /// True if `object` is a list cell.
    #[inline(always)]
    pub fn is_list(&self, object: LispPtr) -> bool {
        self.type_number(object) == types::LISTP
    }

    /// The car of the list cell `list`.
    #[inline]
    pub fn car(&self, list: LispPtr) -> LispPtr {
        let content = self.mem.cell(list);
        if code::<G>(content) != 0 {
            content.masked::<G>()
        } else {
            self.mem.cell(content).masked::<G>()
        }
    }

    /// The cdr of the list cell `list`.
    #[inline]
    pub fn cdr(&self, list: LispPtr) -> LispPtr {
        let mut cell = list;
        let mut code = code::<G>(self.mem.cell(cell));
        if code == 0 {
            (cell, code) = self.follow(cell);
        }
        if code > G::CDR_NIL {
            place::<G>(cell, code).masked::<G>()
        } else if code == G::CDR_NIL {
            LispPtr::NIL
        } else {
            self.mem.cell(place::<G>(cell, code)).masked::<G>()
        }
    }

    /// The list cell that the forwarder `cell` stands for, and its code.
    #[inline(always)]
    fn follow(&self, cell: LispPtr) -> (LispPtr, u32) {
        let target = self.mem.cell(cell).masked::<G>();
        (target, code::<G>(self.mem.cell(target)))
    }

    /// The list cell `list` itself, or the one it is a forwarder for.
    #[inline(always)]
    fn real_cell(&self, list: LispPtr) -> LispPtr {
        let content = self.mem.cell(list);
        if code::<G>(content) == 0 {
            content.masked::<G>()
        } else {
            list
        }
    }

    /// What the list cell `list` itself says.
    #[inline(always)]
    pub(crate) fn parts(&self, list: LispPtr) -> Parts {
        let content = self.mem.cell(list);
        let code = code::<G>(content);
        let car = content.masked::<G>();
        if code == G::CDR_NIL {
            return Parts::Single(car, LispPtr::NIL);
        }
        let at = place::<G>(list, code);
        match code {
            0 => Parts::Elsewhere,
            code if code > G::CDR_NIL => Parts::Single(car, at),
            _ => Parts::Held(car, self.mem.cell(at).masked::<G>(), at),
        }
    }

    /// The parts of the list cell `list`, for freeing it: the cell itself (`list`,
    /// or what it is a forwarder for), its car, its cdr, and the cell that holds
    /// its cdr. None for a forwarder to nothing.
    #[inline]
    pub(crate) fn list_cells(&self, list: LispPtr) -> Option<ListCells> {
        let mut cell = list;
        let mut content = self.mem.cell(list);
        if code::<G>(content) == 0 {
            cell = content.masked::<G>();
            content = self.mem.cell(cell);
            if code::<G>(content) == 0 || !self.is_list(cell) {
                return None;
            }
        }
        let code = code::<G>(content);
        let at = place::<G>(cell, code);
        let (cdr, holder) = if code > G::CDR_NIL {
            (at, None)
        } else if code == G::CDR_NIL {
            (LispPtr::NIL, None)
        } else {
            (self.mem.cell(at).masked::<G>(), Some(at))
        };
        Some((cell, content.masked::<G>(), cdr, holder))
    }

    /// A new list cell. NIL, with the fault raised, when storage is used up.
    #[inline]
    pub fn cons(&mut self, car: LispPtr, cdr: LispPtr) -> LispPtr {
        let car = car.masked::<G>();
        let cdr = cdr.masked::<G>();
        self.add_ref(cdr);
        self.add_ref(car);
        self.new_cons(car, cdr)
    }

    /// [`Machine::cons`] where the references from the new cell are counted
    /// already.
    #[inline]
    fn new_cons(&mut self, car: LispPtr, cdr: LispPtr) -> LispPtr {
        let made = if cdr.is_nil() {
            self.take_listed_cell().map(|cell| (cell, 0))
        } else if self.is_list(cdr) {
            self.take_cell_before(cdr)
                .and_then(|cell| Some((cell, code_of_place::<G>(cell, cdr)?)))
        } else {
            None
        };
        let cell = match made {
            Some((cell, code)) => {
                self.mem
                    .set_cell(cell, content::<G>(car, G::CDR_NIL | code));
                cell
            }
            None => self.cons_slow(car, cdr),
        };
        self.count_cons();
        self.note_new(cell);
        cell
    }

    /// Counts a new list cell for Lisp's storage statistics.
    #[inline(always)]
    fn count_cons(&self) {
        let count = G::dtd(u32::from(types::LISTP)).add(G::DTD_FIELDS.old_count);
        self.mem.set_cell(count, self.mem.cell(count).add(1));
    }

    /// A list cell whose cdr is in a cell of its own, or from a new page.
    #[cold]
    #[inline(never)]
    fn cons_slow(&mut self, car: LispPtr, cdr: LispPtr) -> LispPtr {
        if cdr.is_nil() {
            let Some(cell) = self.take_any_cell() else {
                return LispPtr::NIL;
            };
            self.mem.set_cell(cell, content::<G>(car, G::CDR_NIL));
            return cell;
        }
        self.cons_pair(car, cdr).unwrap_or(LispPtr::NIL)
    }

    /// A list cell whose cdr is stored in another cell.
    fn cons_pair(&mut self, car: LispPtr, cdr: LispPtr) -> Option<LispPtr> {
        let (cell, holder) = self.take_pair_of_cells(Growth::Front)?;
        self.mem.set_cell(holder, cdr);
        let code = code_of_place::<G>(cell, holder)?;
        self.mem.set_cell(cell, content::<G>(car, code));
        Some(cell)
    }

    /// Makes `car` the car of the list cell `list`.
    #[inline]
    pub fn rplaca(&mut self, list: LispPtr, car: LispPtr) {
        let car = car.masked::<G>();
        let cell = self.real_cell(list);
        let old = self.mem.cell(cell);
        self.add_ref(car);
        self.del_ref(old.masked::<G>());
        self.mem
            .set_cell(cell, LispPtr(old.0 & !G::POINTER_MASK | car.0));
    }

    /// Makes `cdr` the cdr of the list cell `list`.
    #[inline]
    pub fn rplacd(&mut self, list: LispPtr, cdr: LispPtr) {
        let cdr = cdr.masked::<G>();
        let old = self.cdr(list);
        self.add_ref(cdr);
        self.del_ref(old);
        self.set_cdr(list.masked::<G>(), cdr);
    }

    /// [`Machine::rplacd`] without counting.
    #[inline]
    fn set_cdr(&mut self, list: LispPtr, cdr: LispPtr) {
        let cell = self.real_cell(list);
        let old = self.mem.cell(cell);
        let old_code = code::<G>(old);
        let car = old.masked::<G>();
        if old_code < G::CDR_NIL {
            if old_code != 0 {
                self.mem.set_cell(place::<G>(cell, old_code), cdr);
            }
        } else if cdr.is_nil() {
            self.mem.set_cell(cell, content::<G>(car, G::CDR_NIL));
        } else if let Some(code) = code_of_place::<G>(cell, cdr) {
            self.mem
                .set_cell(cell, content::<G>(car, G::CDR_NIL | code));
        } else {
            self.store_cdr(list, cell, cdr);
        }
    }

    /// Gives the list cell `cell`, which may be reached through the forwarder
    /// `list`, a cell that holds its cdr.
    #[cold]
    #[inline(never)]
    fn store_cdr(&mut self, list: LispPtr, cell: LispPtr, cdr: LispPtr) {
        let car = self.mem.cell(cell).masked::<G>();
        if let Some(holder) = self.take_cell_behind(cell)
            && let Some(code) = code_of_place::<G>(cell, holder)
        {
            self.mem.set_cell(holder, cdr);
            self.mem.set_cell(cell, content::<G>(car, code));
        } else if let Some(moved) = self.cons_pair(car, cdr) {
            self.forward(list, cell, moved);
        }
    }

    /// Makes a new list of one element the cdr of the list cell `list`; answers
    /// it.
    #[inline]
    pub fn rplcons(&mut self, list: LispPtr, item: LispPtr) -> LispPtr {
        let item = item.masked::<G>();
        let cell = self.real_cell(list.masked::<G>());
        let old = self.mem.cell(cell);
        if code::<G>(old) >= G::CDR_NIL
            && let Some(new) = self.take_cell_behind(cell)
            && let Some(code) = code_of_place::<G>(cell, new)
        {
            self.add_ref(item);
            self.del_ref(self.cdr(cell));
            self.made_uncounted(new);
            self.mem.set_cell(new, content::<G>(item, G::CDR_NIL));
            self.mem
                .set_cell(cell, content::<G>(old.masked::<G>(), G::CDR_NIL | code));
            self.count_cons();
            return new;
        }
        self.rplcons_slow(list.masked::<G>(), item)
    }

    /// [`Machine::rplcons`] where the list has to move, or has its cdr stored
    /// already.
    #[cold]
    #[inline(never)]
    fn rplcons_slow(&mut self, list: LispPtr, item: LispPtr) -> LispPtr {
        let cell = self.real_cell(list);
        let old = self.mem.cell(cell);
        if code::<G>(old) >= G::CDR_NIL
            && let Some((moved, new)) = self.take_pair_of_cells(Growth::End)
            && let Some(code) = code_of_place::<G>(moved, new)
        {
            self.add_ref(item);
            self.del_ref(self.cdr(cell));
            self.made_uncounted(new);
            self.mem.set_cell(new, content::<G>(item, G::CDR_NIL));
            let car = old.masked::<G>();
            self.mem
                .set_cell(moved, content::<G>(car, G::CDR_NIL | code));
            self.forward(list, cell, moved);
            self.count_cons();
            return new;
        }
        let new = self.cons(item, LispPtr::NIL);
        self.rplacd(list, new);
        new
    }

    /// Makes `list` a forwarder to `moved`, which has taken over from `cell`:
    /// `list` itself, or what it is a forwarder for so far.
    fn forward(&mut self, list: LispPtr, cell: LispPtr, moved: LispPtr) {
        if list != cell {
            self.freed(cell);
            self.free_list_cell(cell);
        }
        self.made_uncounted(moved);
        self.mem.set_cell(list, moved);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{Medley2, Medley3};
    use crate::testing::with_machine;

    fn elements<G: Generation>(m: &Machine<'_, G>, mut list: LispPtr) -> Vec<LispPtr> {
        let mut elements = Vec::new();
        while m.is_list(list) {
            elements.push(m.car(list));
            list = m.cdr(list);
        }
        assert!(list.is_nil());
        elements
    }

    fn small(n: u16) -> LispPtr {
        LispPtr::smallpos(n)
    }

    fn build<G: Generation>() {
        with_machine::<G>(|mut m| {
            let mut list = LispPtr::NIL;
            for n in 0..1000 {
                list = m.cons(small(n), list);
            }
            let expected: Vec<_> = (0..1000).rev().map(small).collect();
            assert_eq!(elements(&m, list), expected);
            let pages = m.active_pages();
            assert!(pages <= 14, "{pages} pages for 1000 cells");

            let head = m.cons(small(0), LispPtr::NIL);
            let mut last = head;
            for n in 1..1000 {
                last = m.rplcons(last, small(n));
            }
            let expected: Vec<_> = (0..1000).map(small).collect();
            assert_eq!(elements(&m, head), expected);
            assert_eq!(m.fault, None);
        });
    }

    #[test]
    fn lists_are_built_in_front_and_behind() {
        build::<Medley2>();
        build::<Medley3>();
    }

    fn change<G: Generation>() {
        with_machine::<G>(|mut m| {
            let far = m.cons(small(1), LispPtr::NIL);
            let boxed = m.number(1 << 20);
            let cell = m.cons(small(2), far);
            for cdr in [boxed, LispPtr::NIL, cell, far, LispPtr::T, boxed] {
                m.rplacd(cell, cdr);
                assert_eq!(m.cdr(cell), cdr);
                assert_eq!(m.car(cell), small(2));
            }
            m.rplaca(cell, boxed);
            assert_eq!(m.car(cell), boxed);
            assert_eq!(m.cdr(cell), boxed);
            assert_eq!(m.fault, None);
        });
    }

    #[test]
    fn car_and_cdr_can_be_changed() {
        change::<Medley2>();
        change::<Medley3>();
    }

    /// A page without free cells makes RPLACD leave a forwarder.
    fn forward<G: Generation>() {
        with_machine::<G>(|mut m| {
            let cells: Vec<_> = (0..300).map(|n| m.cons(small(n), LispPtr::NIL)).collect();
            let (first, second) = (cells[0], cells[1]);
            let cdr = m.number(1 << 20);
            m.rplacd(first, cdr);
            assert_eq!(m.mem.cell(first).0 >> G::CDR_SHIFT, 0, "a forwarder");
            assert_eq!((m.car(first), m.cdr(first)), (small(0), cdr));
            m.rplacd(first, second);
            m.rplaca(first, small(7));
            assert_eq!((m.car(first), m.cdr(first)), (small(7), second));
            m.rplacd(first, LispPtr::NIL);
            assert_eq!((m.car(first), m.cdr(first)), (small(7), LispPtr::NIL));
            assert_eq!(m.rplcons(first, small(8)), m.cdr(first));
            assert_eq!(elements(&m, first), [small(7), small(8)]);
            assert_eq!(m.fault, None);
        });
    }

    #[test]
    fn lists_move_behind_forwarders() {
        forward::<Medley2>();
        forward::<Medley3>();
    }
}
