//! Access to Lisp memory: one mask and one scaled address.

use super::*;

impl Translator<'_, '_> {
    /// Host address of the word at the Lisp address `pointer`.
    pub(super) fn address(&mut self, pointer: Value) -> Value {
        let masked = self.masked(pointer);
        let wide = self.builder.ins().uextend(I64, masked);
        self.host_address(wide)
    }

    pub(super) fn masked(&mut self, pointer: Value) -> Value {
        let mask = i64::from(self.layout.pointer_mask);
        self.builder.ins().band_imm_u(pointer, mask)
    }

    /// The cell at the Lisp address `pointer`.
    pub(super) fn load_cell(&mut self, pointer: Value, words: i32) -> Value {
        let address = self.address(pointer);
        let flags = MemFlagsData::new().with_notrap();
        self.builder.ins().load(I32, flags, address, 2 * words)
    }

    /// Stores a cell at the Lisp address `pointer`.
    pub(super) fn store_cell(&mut self, pointer: Value, cell: Value) {
        let address = self.address(pointer);
        let flags = MemFlagsData::new().with_notrap();
        self.builder.ins().store(flags, cell, address, 0);
    }

    /// The cell at a fixed Lisp address.
    pub(super) fn load_fixed(&mut self, address: LispPtr) -> Value {
        let offset = (address.0 & self.layout.pointer_mask) as i32 * 2;
        self.builder.ins().load(I32, trusted(), self.base, offset)
    }

    /// The type number of `object`.
    pub(super) fn type_number(&mut self, object: Value) -> Value {
        let entry = self.type_entry(object);
        let number = i64::from(geiko_runtime::layout::records::type_entry::NUMBER);
        self.builder.ins().band_imm_u(entry, number)
    }

    /// The type table entry of `object`.
    pub(super) fn type_entry(&mut self, object: Value) -> Value {
        let masked = self.masked(object);
        let page = self.builder.ins().ushr_imm_u(masked, 9);
        let page = self.builder.ins().bxor_imm_u(page, 1);
        let wide = self.builder.ins().uextend(I64, page);
        let bytes = self.builder.ins().ishl_imm_u(wide, 1);
        let address = self.builder.ins().iadd(self.base, bytes);
        let table = self.layout.type_table as i32 * 2;
        let entry = self.builder.ins().load(I16, trusted(), address, table);
        self.builder.ins().uextend(I32, entry)
    }

    pub(super) fn equals(&mut self, value: Value, constant: u32) -> Value {
        self.builder
            .ins()
            .icmp_imm_u(IntCC::Equal, value, i64::from(constant))
    }

    pub(super) fn differs(&mut self, value: Value, constant: u32) -> Value {
        self.builder
            .ins()
            .icmp_imm_u(IntCC::NotEqual, value, i64::from(constant))
    }
}
