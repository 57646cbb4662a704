//! Counted stores: the write barrier of reference counting.

use crate::layout::Generation;
use crate::machine::Machine;
use crate::memory::LispPtr;

impl<G: Generation> Machine<'_, G> {
    /// Replaces the pointer in the cell at `address` by `value`, counting both;
    /// the bits above the pointer stay (`reference/garbage-collector.md`
    /// section 5).
    #[inline(always)]
    pub fn store_counted(&mut self, address: LispPtr, value: LispPtr) {
        let old = self.mem.cell(address);
        let value = value.masked::<G>();
        self.add_ref(value);
        self.del_ref(old.masked::<G>());
        let flags = old.0 & !G::POINTER_MASK;
        self.mem.set_cell(address, LispPtr(flags | value.0));
    }
}
