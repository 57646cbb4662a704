//! Units of two pages for typed objects, and the registration of pages.
//!
//! All of the address space is there from the start; a page becomes part of the
//! saved image when it gets a file page, an entry in the FPTOVP table. That table
//! grows too, and must be contiguous in the file: its next page takes the file
//! page it has to have from the page that had it, which moves to the end
//! (`reference/storage.md` section 2).

use crate::accounts::Account;
use crate::fault::Fault;
use crate::layout::records::{interface, interrupt, type_entry, types};
use crate::layout::{Generation, UNUSED};
use crate::machine::Machine;
use crate::memory::{LispPtr, WORDS_PER_PAGE};

/// Lisp is warned when fewer file pages than this are left.
const GUARD_PAGES: u32 = 500;
/// Pages of a unit.
const PAGES_PER_UNIT: u32 = 2;

/// The set of pages that have a file page.
#[derive(Clone, Debug)]
pub(super) struct RegisteredPages(Box<[u64]>);

impl RegisteredPages {
    fn new<G: Generation>() -> Self {
        let pages = G::POINTER_MASK as usize / WORDS_PER_PAGE as usize + 1;
        let _account = Account::Collectors.open();
        Self(vec![0; pages.div_ceil(64)].into())
    }

    /// Adds `page`; true if it was not in the set. Pages that cannot exist never
    /// are.
    fn insert(&mut self, page: u32) -> bool {
        let Some(word) = self.0.get_mut(page as usize / 64) else {
            return true;
        };
        let bit = 1 << (page % 64);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }
}

impl<G: Generation> Machine<'_, G> {
    /// Number of file pages in use.
    pub fn active_pages(&self) -> u32 {
        let at = G::INTERFACE_PAGE.add(G::INTERFACE_FIELDS.active_pages);
        if G::INTERFACE_FIELDS.wide {
            self.mem.cell(at).0
        } else {
            u32::from(self.mem.word(at))
        }
    }

    fn set_active_pages(&mut self, count: u32) {
        let at = G::INTERFACE_PAGE.add(G::INTERFACE_FIELDS.active_pages);
        if G::INTERFACE_FIELDS.wide {
            self.mem.set_cell(at, LispPtr(count));
        } else {
            self.mem.set_word(at, count as u16);
        }
    }

    /// The page in file page `file_page`.
    pub fn file_page(&self, file_page: u32) -> u32 {
        let at = G::FPTOVP.add(file_page.wrapping_mul(G::FPTOVP_ENTRY_WORDS));
        if G::FPTOVP_ENTRY_WORDS == 2 {
            self.mem.cell(at).0
        } else {
            u32::from(self.mem.word(at))
        }
    }

    fn set_file_page(&mut self, file_page: u32, page: u32) {
        let at = G::FPTOVP.add(file_page * G::FPTOVP_ENTRY_WORDS);
        if G::FPTOVP_ENTRY_WORDS == 2 {
            self.mem.set_cell(at, LispPtr(page));
        } else {
            self.mem.set_word(at, page as u16);
        }
    }

    /// Makes a page table with `pages` in file pages 1, 2, ...
    pub(crate) fn replace_page_table(&mut self, pages: &[u32]) {
        for file_page in pages.len() as u32 + 1..=self.active_pages().min(G::FPTOVP_CAPACITY - 1) {
            self.set_file_page(file_page, 0);
        }
        // Entry 0 is not used.
        self.set_file_page(0, u32::MAX);
        for (file_page, &page) in (1..).zip(pages) {
            self.set_file_page(file_page, page);
        }
        self.set_active_pages(pages.len() as u32);
        self.heap.registered = None;
    }

    /// Makes the page of `address` part of the saved image (SUBR NEWPAGE); does
    /// nothing if it is.
    pub fn new_page(&mut self, address: LispPtr) {
        let page = address.masked::<G>().page();
        self.mem.open_page(page);
        let mut registered = match self.heap.registered.take() {
            Some(registered) => registered,
            None => self.find_registered_pages(),
        };
        if registered.insert(page) {
            self.register_page(page, &mut registered);
        }
        self.heap.registered = Some(registered);
    }

    /// The pages that have something in them: those that have a file page, and all but the
    /// unused parts in front of arrays and objects.
    pub(crate) fn pages_in_use(&self) -> impl Iterator<Item = u32> {
        let regions = G::REGIONS.array_windows();
        let tables = regions.filter(|[(_, what), _]| *what != UNUSED);
        tables
            .flat_map(|[(start, _), (end, _)]| start.page()..end.page())
            .chain(self.registered_pages())
    }

    fn registered_pages(&self) -> impl Iterator<Item = u32> {
        (1..=self.active_pages().min(G::FPTOVP_CAPACITY - 1)).map(|place| self.file_page(place))
    }

    fn find_registered_pages(&self) -> RegisteredPages {
        let mut registered = RegisteredPages::new::<G>();
        for page in self.registered_pages() {
            registered.insert(page);
        }
        registered
    }

    fn register_page(&mut self, page: u32, registered: &mut RegisteredPages) {
        let mut count = self.active_pages() + 1;
        if count + 1 >= G::FPTOVP_CAPACITY {
            self.signal_vmem_full(count);
            self.raise_fault(Fault::StorageFull);
            return;
        }
        let entry = G::FPTOVP.add(count * G::FPTOVP_ENTRY_WORDS);
        if entry.0 % WORDS_PER_PAGE == 0 && registered.insert(entry.page()) {
            let start = u32::from(self.interface_word(interface::FPTOVP_START));
            let place = (start + (entry.page() - G::FPTOVP.page())).min(count);
            self.set_file_page(count, self.file_page(place));
            self.set_file_page(place, entry.page());
            count += 1;
        }
        self.set_file_page(count, page);
        self.set_active_pages(count);
        self.signal_vmem_full(count);
    }

    /// Warns Lisp when few file pages are left.
    fn signal_vmem_full(&mut self, count: u32) {
        let last = self.page_variable(self.symbols.last_vmem_file_page);
        if count + GUARD_PAGES <= last {
            return;
        }
        let state = self.symbols.vmem_full_state;
        if self.mem.cell(state).is_nil() {
            self.set_interrupt_bit(interrupt::VMEM_FULL);
        }
        let value = if count < last {
            LispPtr::smallpos(0)
        } else if self.interface_word(interface::KEY) == interface::VALID_KEY {
            LispPtr::T
        } else {
            self.symbols.dirty
        };
        self.mem.set_cell(state, value);
    }

    /// A unit of two pages for objects whose type table entry is `entry`. None,
    /// with the fault raised, when there is no more storage.
    pub fn alloc_mds_page(&mut self, entry: u16) -> Option<LispPtr> {
        let list = self.symbols.mds_free_list_page;
        let free = u32::from(self.mem.cell(list).lo());
        let unit = if free != 0 {
            let unit = LispPtr::from_page(free);
            let link = self.mem.cell(unit);
            if link.lo() != 0 && self.type_number(link) != types::SMALLP {
                let (type_number, entry) = (entry & type_entry::NUMBER, unit);
                self.raise_fault(Fault::BadFreeList { type_number, entry });
                return None;
            }
            self.mem.set_cell(list, LispPtr::smallpos(link.lo()));
            unit
        } else {
            self.check_storage(0).ok()?;
            let next = self.symbols.next_mds_page;
            let page = self.page_variable(next);
            self.set_page_variable(next, page.wrapping_sub(PAGES_PER_UNIT));
            let unit = LispPtr::from_page(page);
            self.new_page(unit);
            self.new_page(unit.add(WORDS_PER_PAGE));
            unit
        };
        self.charge_unit();
        self.unit_made(unit);
        let uncounted = if self.gc_disabled() {
            type_entry::NO_REF
        } else {
            0
        };
        self.mem
            .set_word(G::TYPE_TABLE.add(unit.0 >> 9), entry | uncounted);
        Some(unit)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::layout::{Medley2, Medley3};
    use crate::testing::with_machine;

    /// A machine whose image has `active` pages, among them the first page of the
    /// FPTOVP table as file page `start`.
    fn with_image<G: Generation>(active: u32, start: u32, test: impl FnOnce(Machine<'_, G>)) {
        with_machine::<G>(|mut m| {
            for file_page in 1..=active {
                m.set_file_page(file_page, 0x8000 + file_page);
            }
            m.set_file_page(start, G::FPTOVP.page());
            m.set_interface_word(interface::FPTOVP_START, start as u16);
            m.set_active_pages(active);
            test(m);
        });
    }

    fn check<G: Generation>(active: u32, start: u32, pages: &[u32]) {
        with_image::<G>(active, start, |mut m| {
            let mut expected: BTreeSet<_> = (1..=active).map(|page| m.file_page(page)).collect();
            for &page in pages {
                m.new_page(LispPtr::from_page(page).add(17));
                expected.insert(page);
            }
            let count = m.active_pages();
            let entries_per_page = WORDS_PER_PAGE / G::FPTOVP_ENTRY_WORDS;
            // The table has all its pages, one behind the other.
            for table_page in 0..=count / entries_per_page {
                let page = G::FPTOVP.page() + table_page;
                expected.insert(page);
                assert_eq!(m.file_page(start + table_page), page);
            }
            let all: Vec<_> = (1..=count).map(|page| m.file_page(page)).collect();
            assert_eq!(all.len(), expected.len(), "no page is there twice");
            assert_eq!(all.into_iter().collect::<BTreeSet<_>>(), expected);
            assert_eq!(m.fault, None);
        });
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..Default::default() })]

        #[test]
        fn pages_are_registered_once(
            active in 20u32..120,
            start in 1u32..10,
            pages in prop::collection::vec(0x2000u32..0x3000, 0..900),
        ) {
            check::<Medley2>(active, start, &pages);
            check::<Medley3>(active, start, &pages);
        }
    }

    #[test]
    fn the_table_takes_the_file_page_it_needs() {
        with_image::<Medley2>(255, 100, |mut m| {
            let displaced = m.file_page(101);
            m.new_page(LispPtr::from_page(0x2000));
            assert_eq!(m.file_page(101), Medley2::FPTOVP.page() + 1);
            assert_eq!(m.file_page(256), displaced);
            assert_eq!(m.file_page(257), 0x2000);
            assert_eq!(m.active_pages(), 257);
        });
    }

    fn full<G: Generation>() {
        with_image::<G>(20, 1, |mut m| {
            let interrupts = LispPtr(0xD000);
            m.mem.set_cell(m.symbols.interrupt_state, interrupts);
            m.set_page_variable(m.symbols.last_vmem_file_page, 522);
            let state = |m: &Machine<'_, G>| m.mem.cell(m.symbols.vmem_full_state);
            let register = |m: &mut Machine<'_, G>, until: u32| {
                while m.active_pages() < until {
                    m.new_page(LispPtr::from_page(0x2000 + m.active_pages()));
                }
            };
            register(&mut m, 22);
            assert!(state(&m).is_nil());
            register(&mut m, 23);
            assert_eq!(state(&m), LispPtr::smallpos(0));
            assert_eq!(m.mem.cell(interrupts).0, interrupt::VMEM_FULL);
            assert!(m.mem.control().is_raised());
            register(&mut m, 522);
            assert_eq!(state(&m), m.symbols.dirty);
            m.set_interface_word(interface::KEY, interface::VALID_KEY);
            register(&mut m, 523);
            assert_eq!(state(&m), LispPtr::T);
            assert_eq!(m.fault, None);
        });
    }

    #[test]
    fn lisp_is_told_when_file_pages_run_out() {
        full::<Medley2>();
        full::<Medley3>();
    }

    #[test]
    fn released_units_are_used_first() {
        with_machine::<Medley2>(|mut m| {
            let list = m.symbols.mds_free_list_page;
            m.mem.set_cell(list, LispPtr::smallpos(0x3000));
            m.mem
                .set_cell(LispPtr::from_page(0x3000), LispPtr::smallpos(0x3002));
            assert_eq!(m.alloc_mds_page(6), Some(LispPtr::from_page(0x3000)));
            assert_eq!(m.alloc_mds_page(7), Some(LispPtr::from_page(0x3002)));
            assert_eq!(m.alloc_mds_page(6), Some(LispPtr::from_page(0x3FFE)));
            assert_eq!(m.type_number(LispPtr::from_page(0x3003)), 7);
            assert_eq!(m.active_pages(), 2, "released units are registered");
        });
    }
}
