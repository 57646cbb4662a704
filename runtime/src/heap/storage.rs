//! Storage full: where arrays and typed objects go when the first region is used
//! up, and how Lisp is warned (`reference/storage.md` section 6).

use crate::fault::Fault;
use crate::layout::Generation;
use crate::layout::records::{array_block, interface};
use crate::machine::Machine;
use crate::memory::LispPtr;

/// Fewer free pages than this make the machine look at the state.
pub(crate) const GUARD_PAGES: i32 = 128;
/// Fewer free pages than this are reported as very full.
const LAST_GUARD_PAGES: i32 = 64;
/// Pages of a unit of typed objects.
const PAGES_PER_UNIT: i32 = 2;

/// Values of `\STORAGEFULLSTATE`.
mod state {
    /// There is no second region.
    pub const NOT_SWITCHABLE: u16 = 1;
    /// The second region is still empty.
    pub const SWITCHABLE: u16 = 2;
    /// Arrays are in the second region.
    pub const ARRAY_SWITCHED: u16 = 3;
    /// Typed objects too.
    pub const FULLY_SWITCHED: u16 = 4;
}

/// Storage is used up; the fault is raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StorageFull;

impl<G: Generation> Machine<'_, G> {
    /// Looks whether free storage runs out, before a unit of typed objects
    /// (`array_pages` 0) or that many array pages are taken.
    pub fn check_storage(&mut self, array_pages: u32) -> Result<(), StorageFull> {
        let left = self.pages_left();
        if left >= GUARD_PAGES && array_pages == 0 {
            return Ok(());
        }
        let full_state = self.symbols.storage_full_state;
        if self.mem.cell(full_state).is_nil() {
            // This allocates, so everything may be different behind it.
            self.choose_storage_state();
            return self.check_storage(array_pages);
        }
        match self.mem.cell(full_state).lo() {
            state::NOT_SWITCHABLE | state::FULLY_SWITCHED => return self.warn_storage_full(left),
            state::SWITCHABLE if array_pages == 0 && left <= 0 => {
                self.copy_page_variable(self.symbols.next_array_page, self.symbols.least_mds_page);
                self.copy_page_variable(self.symbols.second_mds_page, self.symbols.next_mds_page);
                self.advance_storage_state(state::FULLY_SWITCHED);
                self.switch_arrays();
            }
            state::SWITCHABLE if i64::from(array_pages) > i64::from(left) => {
                self.copy_page_variable(self.symbols.next_array_page, self.symbols.least_mds_page);
                self.advance_storage_state(state::ARRAY_SWITCHED);
                self.switch_arrays();
            }
            state::ARRAY_SWITCHED
                if self.page_variable(self.symbols.next_mds_page)
                    < self.page_variable(self.symbols.least_mds_page) =>
            {
                self.copy_page_variable(self.symbols.second_mds_page, self.symbols.next_mds_page);
                self.advance_storage_state(state::FULLY_SWITCHED);
            }
            _ => {}
        }
        Ok(())
    }

    /// Pages between arrays and typed objects, in the region that is being filled.
    pub(crate) fn pages_left(&self) -> i32 {
        let next_mds = self.page_variable(self.symbols.next_mds_page) as i32;
        let next_array = self.page_variable(self.symbols.next_array_page) as i32;
        next_mds
            .wrapping_sub(next_array)
            .wrapping_sub(PAGES_PER_UNIT)
    }

    /// True if there are fewer pages left than that, and no second region to go on in.
    pub(crate) fn storage_is_below(&self, pages: i32) -> bool {
        self.pages_left() < pages && !self.has_another_region()
    }

    /// True if arrays or typed objects are still to move to the second region.
    fn has_another_region(&self) -> bool {
        let full_state = self.mem.cell(self.symbols.storage_full_state);
        if full_state.is_nil() {
            return self.interface_word(interface::DL24_BIT_ADDRESSABLE) != 0;
        }
        matches!(full_state.lo(), state::SWITCHABLE | state::ARRAY_SWITCHED)
    }

    /// Warns Lisp once when storage is nearly full and once when it is very full.
    fn warn_storage_full(&mut self, left: i32) -> Result<(), StorageFull> {
        use crate::layout::records::interrupt::STORAGE_FULL;
        let warned = self.symbols.storage_full;
        if left < 0 {
            self.raise_fault(Fault::StorageFull);
            return Err(StorageFull);
        }
        let level = self.mem.cell(warned);
        if level.is_nil() {
            self.mem.set_cell(warned, LispPtr::T);
            self.set_interrupt_bit(STORAGE_FULL);
        } else if left <= LAST_GUARD_PAGES && level != LispPtr::smallpos(0) {
            self.mem.set_cell(warned, LispPtr::smallpos(0));
            self.set_interrupt_bit(STORAGE_FULL);
        }
        Ok(())
    }

    /// Decides whether there is a second region. A restarted Lisp decides anew,
    /// since it resets the variables on `\SYSTEMCACHEVARS`.
    fn choose_storage_state(&mut self) {
        let state = if self.has_another_region() {
            state::SWITCHABLE
        } else {
            state::NOT_SWITCHABLE
        };
        self.mem
            .set_cell(self.symbols.storage_full_state, LispPtr::smallpos(state));
        let list = self.symbols.system_cache_vars;
        let old = self.mem.cell(list).masked::<G>();
        let new = self.cons(self.symbols.storage_full_state_symbol, old);
        self.add_ref(new);
        self.del_ref(old);
        self.mem.set_cell(list, new);
    }

    /// A state that a restart must not change.
    fn advance_storage_state(&mut self, state: u16) {
        self.mem
            .set_cell(self.symbols.storage_full_state, LispPtr::smallpos(state));
        self.set_interface_word(interface::FULL_SPACE_USED, 0xFFFF);
        self.keep_storage_state();
    }

    /// Removes `\STORAGEFULLSTATE` from `\SYSTEMCACHEVARS`.
    fn keep_storage_state(&mut self) {
        let symbol = self.symbols.storage_full_state_symbol;
        let variable = self.symbols.system_cache_vars;
        let mut list = self.mem.cell(variable).masked::<G>();
        let mut before = None;
        for _ in 0..1000 {
            if !self.is_list(list) {
                break;
            }
            let rest = self.cdr(list);
            if self.car(list) != symbol {
                before = Some(list);
            } else if let Some(before) = before {
                self.rplacd(before, rest);
            } else {
                self.add_ref(rest);
                self.del_ref(list);
                self.mem.set_cell(variable, rest);
            }
            list = rest;
        }
    }

    /// Moves the array space to the second region; what is left of the first
    /// becomes free blocks.
    fn switch_arrays(&mut self) {
        let symbols = &self.symbols;
        let (free_list, free_list2) = (symbols.array_free_list, symbols.array_free_list2);
        let (next_page, space2) = (symbols.next_array_page, symbols.array_space2);
        let least_mds = self.page_variable(symbols.least_mds_page);
        let page = self.page_variable(symbols.second_array_page);
        let free = self.mem.cell(free_list).masked::<G>();
        let end = LispPtr::from_page(self.page_variable(next_page));
        let cells = end.0.saturating_sub(free.0) / 2;
        if cells >= array_block::MIN_CELLS {
            self.mem
                .set_cell(free_list2, LispPtr::from_page(least_mds).masked::<G>());
            self.free_array_space(free, cells);
        } else {
            self.mem.set_cell(free_list2, free);
        }
        let start = LispPtr::from_page(page).masked::<G>();
        self.set_page_variable(next_page, page);
        self.mem.set_cell(free_list, start);
        self.mem.set_cell(space2, start);
    }

    fn copy_page_variable(&mut self, from: LispPtr, to: LispPtr) {
        let page = self.page_variable(from);
        self.set_page_variable(to, page);
    }

    /// Sets a bit of [`interrupt`](crate::layout::records::interrupt) for Lisp to
    /// see.
    pub fn set_interrupt_bit(&mut self, bit: u32) {
        let state = self.mem.cell(self.symbols.interrupt_state).masked::<G>();
        if !state.is_nil() {
            let bits = self.mem.cell(state).0;
            self.mem.set_cell(state, LispPtr(bits | bit));
        }
        self.mem
            .set_cell(self.symbols.pending_interrupt, LispPtr::T);
        self.request_interrupt();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::records::{array_block, interrupt};
    use crate::layout::{Medley2, Medley3};
    use crate::testing::with_machine;

    const INTERRUPTS: LispPtr = LispPtr(0xD000);

    /// A machine with `free` pages between arrays and typed objects, and perhaps a
    /// second region.
    fn with_free_pages<G: Generation>(
        free: u32,
        second_region: bool,
        test: impl FnOnce(Machine<'_, G>),
    ) {
        with_machine::<G>(|mut m| {
            let large = if second_region { 0xFFFF } else { 0 };
            m.set_interface_word(interface::DL24_BIT_ADDRESSABLE, large);
            let symbols = m.symbols.clone();
            m.set_page_variable(symbols.next_array_page, 0x4000 - free);
            m.set_page_variable(symbols.second_array_page, 0x4000);
            m.set_page_variable(symbols.second_mds_page, 0x7FFC);
            m.mem.set_cell(symbols.interrupt_state, INTERRUPTS);
            if G::WIDE_COUNTS {
                m.box_page_variables();
            }
            test(m);
        });
    }

    fn small_memory<G: Generation>() {
        with_free_pages::<G>(100, false, |mut m| {
            let symbols = m.symbols.clone();
            let state = |m: &Machine<'_, G>| m.mem.cell(symbols.storage_full_state);
            let level = |m: &Machine<'_, G>| m.mem.cell(symbols.storage_full);
            assert!(m.alloc_mds_page(6).is_some());
            assert_eq!(state(&m), LispPtr::smallpos(1));
            assert_eq!(level(&m), LispPtr::T);
            assert_eq!(m.mem.cell(INTERRUPTS).0, interrupt::STORAGE_FULL);
            let list = m.mem.cell(symbols.system_cache_vars);
            assert_eq!(m.car(list), symbols.storage_full_state_symbol);
            assert_eq!(m.ref_count(list), 1);
            while level(&m) == LispPtr::T {
                assert!(m.alloc_mds_page(6).is_some());
            }
            assert_eq!(level(&m), LispPtr::smallpos(0));
            let left = m.page_variable(symbols.next_mds_page) - (0x4000 - 100) - 2;
            assert!((60..66).contains(&left), "{left}");
            assert_eq!(m.fault, None);
            while m.alloc_mds_page(6).is_some() {}
            assert_eq!(m.fault, Some(Fault::StorageFull));
            let mds = m.page_variable(symbols.next_mds_page);
            let arrays = m.page_variable(symbols.next_array_page);
            assert!(mds >= arrays - 2, "{mds:x} {arrays:x}");
        });
    }

    #[test]
    fn a_small_memory_warns_twice_and_then_faults() {
        small_memory::<Medley2>();
        small_memory::<Medley3>();
    }

    fn both_switch<G: Generation>() {
        with_free_pages::<G>(20, true, |mut m| {
            let symbols = m.symbols.clone();
            let end = LispPtr::from_page(0x4000 - 20);
            m.mem.set_cell(symbols.array_free_list, LispPtr(end.0 - 20));
            let mut units = Vec::new();
            for _ in 0..15 {
                units.push(m.alloc_mds_page(6).unwrap().page());
            }
            assert_eq!(m.mem.cell(symbols.storage_full_state), LispPtr::smallpos(4));
            assert_eq!(m.interface_word(interface::FULL_SPACE_USED), 0xFFFF);
            assert!(m.mem.cell(symbols.system_cache_vars).is_nil());
            assert!(units.contains(&0x7FFC), "{units:x?}");
            assert!(units.iter().all(|&unit| unit >= 0x4000 - 20));
            assert_eq!(m.page_variable(symbols.least_mds_page), 0x4000 - 20);
            assert_eq!(m.page_variable(symbols.next_array_page), 0x4000);
            let start = LispPtr::from_page(0x4000);
            assert_eq!(m.mem.cell(symbols.array_free_list), start);
            assert_eq!(m.mem.cell(symbols.array_space2), start);
            assert_eq!(m.mem.cell(symbols.array_free_list2), end);
            let rest = LispPtr(end.0 - 20);
            assert_eq!(m.mem.word(rest), array_block::FREE);
            assert_eq!(m.mem.word(rest.add(1)), 10);
            assert_eq!(m.fault, None);
        });
    }

    #[test]
    fn a_large_memory_switches_to_its_second_region() {
        both_switch::<Medley2>();
        both_switch::<Medley3>();
    }

    fn arrays_switch<G: Generation>() {
        with_free_pages::<G>(200, true, |mut m| {
            let symbols = m.symbols.clone();
            m.check_storage(300).unwrap();
            assert_eq!(m.mem.cell(symbols.storage_full_state), LispPtr::smallpos(3));
            assert_eq!(m.page_variable(symbols.next_array_page), 0x4000);
            // Typed objects fill the first region, then follow.
            let mut last = m.alloc_mds_page(6).unwrap().page();
            while last < 0x4000 {
                last = m.alloc_mds_page(6).unwrap().page();
            }
            assert_eq!(last, 0x7FFC);
            assert_eq!(m.mem.cell(symbols.storage_full_state), LispPtr::smallpos(4));
            assert_eq!(m.fault, None);
        });
    }

    #[test]
    fn arrays_can_move_first() {
        arrays_switch::<Medley2>();
        arrays_switch::<Medley3>();
    }

    fn below<G: Generation>() {
        // Without another region what is left counts, to the page.
        with_free_pages::<G>(100, false, |m| {
            let left = m.pages_left();
            assert!((90..=100).contains(&left), "{left}");
            assert!(m.storage_is_below(left + 1));
            assert!(!m.storage_is_below(left));
        });
        // With one there is room as long as anything is still to move there.
        for (state, is_another) in [
            (None, true),
            (Some(state::NOT_SWITCHABLE), false),
            (Some(state::SWITCHABLE), true),
            (Some(state::ARRAY_SWITCHED), true),
            (Some(state::FULLY_SWITCHED), false),
        ] {
            for large in [true, false] {
                with_free_pages::<G>(100, large, |m| {
                    let variable = m.symbols.storage_full_state;
                    m.mem
                        .set_cell(variable, state.map_or(LispPtr::NIL, LispPtr::smallpos));
                    // Before Lisp has chosen, the size of memory says it.
                    let expected = is_another && (large || state.is_some());
                    assert_eq!(m.has_another_region(), expected, "{state:?} {large}");
                    let left = m.pages_left();
                    assert_eq!(m.storage_is_below(left + 1), !expected, "{state:?} {large}");
                    assert!(!m.storage_is_below(left));
                });
            }
        }
    }

    #[test]
    fn storage_runs_out_only_in_the_last_region() {
        below::<Medley2>();
        below::<Medley3>();
    }
}
