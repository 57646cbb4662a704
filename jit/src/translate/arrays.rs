//! Elements of vectors.
//!
//! ```text
//! the object is a one-dimensional array, the index small and below its size
//! cells:             load, or store if neither old nor new is counted
//! bytes:             load and tag
//! else:              operation
//! ```

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I8, I32};
use cranelift_codegen::ir::{Block, InstBuilder, MemFlagsData, Value};
use geiko_runtime::isa::Opcode;
use geiko_runtime::layout::records::{element, types};

use super::{Slot, Translator};
use crate::flow::Step;

/// An element found.
struct Element {
    /// Storage, as a Lisp address.
    base: Value,
    /// Type code.
    kind: Value,
    /// Index in the storage.
    index: Value,
}

impl Translator<'_, '_> {
    /// Translates `step` if it is an instruction of this file.
    pub(super) fn array(&mut self, step: &Step) -> bool {
        match step.instruction.opcode {
            Opcode::Aref1 => self.aref(step),
            Opcode::Aset1 => self.aset(step),
            _ => return false,
        }
        true
    }

    fn aref(&mut self, step: &Step) {
        let cells = self.top(2);
        let (meet, result) = self.meeting(I32);
        let slow = self.builder.create_block();
        let index = Slot::Value(cells[1], self.kind_of(self.slot(0)));
        let found = self.element(cells[0], index, slow);
        let cell = self.builder.create_block();
        let other = self.builder.create_block();
        let is_cell = self.equals(found.kind, element::POINTER.into());
        self.builder.ins().brif(is_cell, cell, &[], other, &[]);
        self.builder.switch_to_block(cell);
        let address = self.cell_address(&found);
        let value = self.load_cell(address, 0);
        self.builder.ins().jump(meet, &[value.into()]);
        self.builder.switch_to_block(other);
        let byte = self.builder.create_block();
        let code = self.builder.ins().band_imm_u(found.kind, !0x40);
        let is_byte = self.equals(code, element::UNSIGNED_8.into());
        self.builder.ins().brif(is_byte, byte, &[], slow, &[]);
        self.builder.switch_to_block(byte);
        let value = self.byte_element(&found);
        self.builder.ins().jump(meet, &[value.into()]);
        self.builder.switch_to_block(slow);
        let operation = self.host.operations.vector_element;
        self.operate_and_meet(operation, &cells, step, meet);
        self.builder.switch_to_block(meet);
        self.replace(2, result);
    }

    fn aset(&mut self, step: &Step) {
        let cells = self.top(3);
        let (meet, result) = self.meeting(I32);
        let slow = self.builder.create_block();
        let index = Slot::Value(cells[2], self.kind_of(self.slot(0)));
        let found = self.element(cells[1], index, slow);
        let cell = self.builder.create_block();
        let is_cell = self.equals(found.kind, element::POINTER.into());
        self.builder.ins().brif(is_cell, cell, &[], slow, &[]);
        self.builder.switch_to_block(cell);
        let address = self.cell_address(&found);
        let host = self.address(address);
        let flags = MemFlagsData::new().with_notrap();
        let old = self.builder.ins().load(I32, flags, host, 0);
        let plain = self.neither_is_counted(old, self.slot(2), cells[0]);
        self.go_on_if(plain, slow);
        self.builder.ins().store(flags, cells[0], host, 0);
        self.builder.ins().jump(meet, &[cells[0].into()]);
        self.builder.switch_to_block(slow);
        let operation = self.host.operations.set_vector_element;
        self.operate_and_meet(operation, &cells, step, meet);
        self.builder.switch_to_block(meet);
        self.replace(3, result);
    }

    /// Finds element `index` of the vector `array`; goes to `slow` if it cannot.
    fn element(&mut self, array: Value, index: Slot, slow: Block) -> Element {
        let number = self.type_number(array);
        let is = self.equals(number, types::ONED_ARRAY.into());
        self.go_on_if(is, slow);
        if let Some(other) = self.not_small(&[index]) {
            let is = self.equals(other, 0);
            self.go_on_if(is, slow);
        }
        let fields = self.layout.array_fields;
        let array = self.masked(array);
        let size = if fields.wide {
            self.load_cell(array, fields.total_size as i32)
        } else {
            self.load_word(array, fields.total_size as i32)
        };
        // A negative index is too large as an unsigned number.
        let value = self.value_of(index);
        let offset = self.builder.ins().band_imm_u(value, 0x1_FFFF);
        let below = IntCC::UnsignedLessThan;
        let in_range = self.builder.ins().icmp(below, offset, size);
        self.go_on_if(in_range, slow);
        if fields.wide {
            let positive = self.builder.ins().ushr_imm_u(offset, 16);
            let positive = self.equals(positive, 0);
            self.go_on_if(positive, slow);
        }
        let kind_and_offset = self.load_cell(array, 2);
        let kind = self.builder.ins().ushr_imm_u(kind_and_offset, 16);
        let kind = self.builder.ins().band_imm_u(kind, 0xFF);
        let first = self.builder.ins().band_imm_u(kind_and_offset, 0xFFFF);
        let base = self.load_cell(array, 0);
        Element {
            base: self.masked(base),
            kind,
            index: self.builder.ins().iadd(offset, first),
        }
    }

    pub(super) fn go_on_if(&mut self, condition: Value, slow: Block) {
        let go_on = self.builder.create_block();
        self.builder.ins().brif(condition, go_on, &[], slow, &[]);
        self.builder.switch_to_block(go_on);
    }

    fn cell_address(&mut self, found: &Element) -> Value {
        let words = self.builder.ins().ishl_imm_u(found.index, 1);
        self.builder.ins().iadd(found.base, words)
    }

    /// A byte as a small integer or a character.
    fn byte_element(&mut self, found: &Element) -> Value {
        let bytes = self.builder.ins().ishl_imm_u(found.base, 1);
        let at = self.builder.ins().iadd(bytes, found.index);
        let host = self.byte_address(at);
        let flags = MemFlagsData::new().with_notrap();
        let byte = self.builder.ins().load(I8, flags, host, 0);
        let byte = self.builder.ins().uextend(I32, byte);
        let is_number = self.equals(found.kind, element::UNSIGNED_8.into());
        let (number, character) = (self.constant(0xE_0000), self.constant(0x7_0000));
        let tag = self.builder.ins().select(is_number, number, character);
        self.builder.ins().bor(byte, tag)
    }
}
