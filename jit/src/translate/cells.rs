//! Boxes of numbers, and instances of other types.
//!
//! ```text
//! object = first of the type's free list
//! none, or not an address: operation
//! first of the free list = what is linked to object
//! count one allocation, fill object, note it as new
//! ```

use cranelift_codegen::ir::types::I32;
use cranelift_codegen::ir::{Block, InstBuilder, Value};
use geiko_runtime::layout::SymbolCell;
use geiko_runtime::layout::records::types;
use geiko_runtime::memory::LispPtr;

use super::numbers::small;
use super::{Slot, Translator};
use crate::flow::Step;

impl Translator<'_, '_> {
    /// A new box for the bits of a number of a type of one cell.
    pub(super) fn new_box(&mut self, slot: Slot, bits: Value) -> Value {
        let operations = self.host.operations;
        let (number, operation) = match slot {
            Slot::Float(_) => (types::FLOATP, operations.float),
            _ => (types::FIXP, operations.integer),
        };
        let (meet, result) = self.meeting(I32);
        let slow = self.cold_block();
        let object = self.take_free(number.into(), slow);
        self.store_cell(object, bits);
        self.note_new(object);
        self.builder.ins().jump(meet, &[object.into()]);
        self.builder.switch_to_block(slow);
        let object = self.operate(operation, &[bits]);
        self.builder.ins().jump(meet, &[object.into()]);
        self.builder.switch_to_block(meet);
        result
    }

    /// CREATECELL.
    pub(super) fn create_cell(&mut self, step: &Step) {
        let cells = self.top(1);
        let (meet, result) = self.meeting(I32);
        let slow = self.cold_block();
        let number = small(self.slot(0)).and_then(|n| u32::try_from(n).ok());
        let known = number.and_then(|n| Some((n, self.unit.facts.size(n)?)));
        if let Some((number, words)) = known {
            let dtd = (self.layout.dtd)(number);
            let dtd = self.constant(dtd.0);
            let size = self.load_word(dtd, self.layout.dtd_fields.size as i32);
            let same = self.equals(size, words);
            self.go_on_if(same, slow);
            let object = self.take_free(number, slow);
            let nothing = self.constant(0);
            for at in (0..words).step_by(2) {
                let at = self.builder.ins().iadd_imm_u(object, i64::from(at));
                self.store_cell(at, nothing);
            }
            self.note_new(object);
            self.builder.ins().jump(meet, &[object.into()]);
        } else {
            self.builder.ins().jump(slow, &[]);
        }
        self.builder.switch_to_block(slow);
        self.operate_and_meet(self.host.operations.create, &cells, step, meet);
        self.builder.switch_to_block(meet);
        self.replace(1, result);
    }

    /// Takes an object from the free list of a type, and counts it.
    fn take_free(&mut self, number: u32, slow: Block) -> Value {
        let dtd = (self.layout.dtd)(number);
        let head = dtd.add(self.layout.dtd_fields.free);
        let object = self.load_fixed(head);
        let object = self.masked(object);
        self.go_on_if(object, slow);
        let next = self.load_cell(object, 0);
        let next = self.masked(next);
        let both = self.builder.ins().bor(object, next);
        let odd = self.builder.ins().band_imm_u(both, 1);
        let even = self.equals(odd, 0);
        self.go_on_if(even, slow);
        self.store_fixed(head, next);
        self.count_allocation(number);
        object
    }

    /// Counts a new instance of a type for Lisp's storage statistics.
    pub(super) fn count_allocation(&mut self, number: u32) {
        let made = (self.layout.dtd)(number).add(self.layout.dtd_fields.old_count);
        let count = self.load_fixed(made);
        let count = self.builder.ins().iadd_imm_s(count, 1);
        self.store_fixed(made, count);
    }

    /// ATOMCELL.N: symbols in segment 0 have their cells in rows, others in themselves.
    pub(super) fn symbol_cell(&mut self, which: u8, step: &Step) {
        let cells = self.top(1);
        let (meet, result) = self.meeting(I32);
        let slow = self.cold_block();
        if let Some(cell) = SymbolCell::of_operand(which) {
            let [first, second] = [0, 1].map(|n| (self.layout.symbol_cell)(LispPtr(n), cell).0);
            let segment = i64::from(self.layout.pointer_mask & !0xFFFF);
            let segment = self.builder.ins().band_imm_u(cells[0], segment);
            let [near, far] = [(); 2].map(|()| self.builder.create_block());
            self.builder.ins().brif(segment, far, &[], near, &[]);
            self.builder.switch_to_block(far);
            let number = self.type_number(cells[0]);
            let is_symbol = self.equals(number, types::NEW_ATOM.into());
            self.go_on_if(is_symbol, slow);
            let symbol = self.masked(cells[0]);
            let within = i64::from(self.within_symbol(cell));
            let address = self.builder.ins().iadd_imm_u(symbol, within);
            self.builder.ins().jump(meet, &[address.into()]);
            self.builder.switch_to_block(near);
            let low = self.builder.ins().band_imm_u(cells[0], 0xFFFF);
            let distance = i64::from(second - first);
            let row = self.builder.ins().imul_imm_u(low, distance);
            let address = self.builder.ins().iadd_imm_u(row, i64::from(first));
            self.builder.ins().jump(meet, &[address.into()]);
        } else {
            self.builder.ins().jump(slow, &[]);
        }
        self.builder.switch_to_block(slow);
        let which = self.constant(which.into());
        let operation = self.host.operations.cell_of_symbol;
        self.operate_and_meet(operation, &[which, cells[0]], step, meet);
        self.builder.switch_to_block(meet);
        self.replace(1, result);
    }

    /// Where a symbol that is not in segment 0 has `cell`, in words.
    pub(super) fn within_symbol(&self, cell: SymbolCell) -> u32 {
        let symbol = LispPtr(0x10_0000);
        (self.layout.symbol_cell)(symbol, cell).0 - symbol.0
    }
}
