//! Lisp variables that hold page numbers: small integers in Medley 2, boxes that
//! are updated in place in Medley 3 (`reference/storage.md` section 1).

use crate::fault::Fault;
use crate::layout::Generation;
use crate::layout::records::types;
use crate::machine::Machine;
use crate::memory::LispPtr;

impl<G: Generation> Machine<'_, G> {
    /// The page number in the value cell at `variable`.
    pub fn page_variable(&self, variable: LispPtr) -> u32 {
        let value = self.mem.cell(variable);
        if value.small_value::<G>().is_none() && self.holds_box(value) {
            self.mem.cell(value).0
        } else {
            value.0 & 0xFFFF
        }
    }

    /// Stores a page number in the value cell at `variable`.
    pub fn set_page_variable(&mut self, variable: LispPtr, page: u32) {
        let value = self.mem.cell(variable);
        if self.holds_box(value) {
            self.mem.set_cell(value, LispPtr(page));
        } else if page <= 0xFFFF {
            self.mem.set_cell(variable, LispPtr::smallpos(page as u16));
        } else {
            // Only before `box_page_variables`.
            self.raise_fault(Fault::StorageFull);
        }
    }

    /// Gives the page variables of a Medley 3 image their boxes, as must be done
    /// before anything is allocated; does nothing where they have them.
    pub fn box_page_variables(&mut self) {
        if !G::WIDE_COUNTS {
            return;
        }
        let symbols = &self.symbols;
        for variable in [
            symbols.least_mds_page,
            symbols.second_mds_page,
            symbols.second_array_page,
            symbols.last_vmem_file_page,
            symbols.next_mds_page,
            symbols.next_array_page,
        ] {
            let value = self.mem.cell(variable);
            if self.holds_box(value) {
                continue;
            }
            let number = self.page_variable(variable);
            let boxed = self.boxed(types::FIXP, number);
            self.add_ref(boxed);
            self.mem.set_cell(variable, boxed);
        }
    }

    fn holds_box(&self, value: LispPtr) -> bool {
        G::WIDE_COUNTS && self.type_number(value) == types::FIXP
    }
}
