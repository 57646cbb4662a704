//! Units of two pages for typed objects, and the registration of pages.
//!
//! All of the address space is there from the start; a page becomes part of the
//! saved image when it gets a file page, an entry in the FPTOVP table. That table
//! grows too, and must be contiguous in the file: its next page takes the file
//! page it has to have from the page that had it, which moves to the end
//! (`reference/storage.md` section 2).

use crate::fault::Fault;
use crate::layout::Generation;
use crate::layout::records::{interface, interrupt, type_entry, types};
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

    /// Makes the page of `address` part of the saved image (SUBR NEWPAGE); does
    /// nothing if it is.
    pub fn new_page(&mut self, address: LispPtr) {
        let page = address.masked::<G>().page();
        let mut registered = match self.heap.registered.take() {
            Some(registered) => registered,
            None => self.find_registered_pages(),
        };
        if registered.insert(page) {
            self.register_page(page, &mut registered);
        }
        self.heap.registered = Some(registered);
    }

    fn find_registered_pages(&self) -> RegisteredPages {
        let mut registered = RegisteredPages::new::<G>();
        for file_page in 1..=self.active_pages().min(G::FPTOVP_CAPACITY - 1) {
            registered.insert(self.file_page(file_page));
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
