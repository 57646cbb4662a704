//! Elements of arrays of one and two dimensions.
//!
//! ```text
//! the object is such an array, its indices are small and below its sizes
//! cells:             load; or ADDREF new, DELREF old, store
//! bytes:             load and tag; or store
//! other types:       given up as long as none was seen here
//! else:              operation
//! ```
//!
//! Where arrays of one type only were seen, code is made for that type: elements that
//! need boxes, floats above all, stay out of them. Everything else gives the
//! activation up.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F32, I8, I16, I32};
use cranelift_codegen::ir::{Block, InstBuilder, MemFlagsData, Type, Value};
use geiko_runtime::isa::Opcode;
use geiko_runtime::layout::records::{element, types};

use super::numbers::TAG;
use super::{Slot, Translator};
use crate::feedback::Elements;
use crate::flow::Step;
use crate::numbers::Kind;

/// A character's upper bits.
const CHARACTER: u32 = 0x7_0000;

/// Bits of the header of an array: the type code of its elements, and where in the storage the
/// first is.
const KIND: i64 = 0xFF_0000;
const FIRST: i64 = 0xFFFF;

/// An element found.
struct Element {
    /// Storage, as a Lisp address.
    base: Value,
    /// The cell with the type code, and where the first element is.
    header: Value,
    /// Index in the storage. In [`Translator::element`]'s answer, for one dimension, that
    /// from the first element.
    index: Value,
}

/// An instruction that reads or stores an element.
#[derive(Clone, Copy)]
struct Access {
    /// Number of indices, on top of the stack. The array is below them.
    indices: usize,
    /// Below that is the value to store.
    stores: bool,
    /// The operation that does it all.
    operation: i64,
    pc: u32,
}

impl Access {
    /// Stack cells it takes.
    fn operands(self) -> usize {
        self.indices + 1 + usize::from(self.stores)
    }
}

impl Translator<'_, '_> {
    /// Translates `step` if it is an instruction of this file.
    pub(super) fn array(&mut self, step: &Step) -> bool {
        let operations = self.host.operations;
        let (indices, stores, operation) = match step.instruction.opcode {
            Opcode::Aref1 => (1, false, operations.vector_element),
            Opcode::Aset1 => (1, true, operations.set_vector_element),
            Opcode::Aref2 => (2, false, operations.matrix_element),
            Opcode::Aset2 => (2, true, operations.set_matrix_element),
            _ => return false,
        };
        let access = Access {
            indices,
            stores,
            operation,
            pc: step.instruction.offset,
        };
        match self.unit.feedback.elements(access.pc) {
            Elements::One(kind) => self.known_element(access, kind),
            seen => self.any_element(access, seen, step),
        }
        true
    }

    /// An element of an array of the type `kind`.
    fn known_element(&mut self, access: Access, kind: u16) {
        let wrong = self.cold_block();
        // What is put in a box for the element is in none where nothing was stored.
        let before = self.state.clone();
        let found = self.element(access, wrong);
        let (of_kind, index) = self.meeting(I32);
        let other = self.if_first_is_0(access, &found, kind, of_kind);
        let kind_bits = self.builder.ins().band_imm_u(found.header, KIND);
        let same = self.equals(kind_bits, u32::from(kind) << 16);
        self.builder
            .ins()
            .brif(same, of_kind, &[other.into()], wrong, &[]);
        self.builder.switch_to_block(of_kind);
        let found = Element { index, ..found };
        let result = if access.stores {
            let value = self.slot(access.indices + 1);
            self.store_known(&found, kind, value, wrong, access.pc);
            value
        } else {
            self.load_known(&found, kind)
        };
        let go_on = self.builder.create_block();
        self.builder.ins().jump(go_on, &[]);
        self.builder.switch_to_block(wrong);
        let after = std::mem::replace(&mut self.state, before);
        self.give_up(access.pc);
        self.state = after;
        self.builder.switch_to_block(go_on);
        let left = self.state.stack.len() - access.operands();
        self.state.stack.truncate(left);
        self.push_slot(result);
    }

    fn load_known(&mut self, found: &Element, kind: u16) -> Slot {
        match kind {
            element::FLOAT => {
                let host = self.element_address(found, 2);
                Slot::Float(self.load_at(F32, host))
            }
            element::SIGNED_32 => {
                let host = self.element_address(found, 2);
                Slot::Integer(self.load_at(I32, host))
            }
            element::POINTER | element::XPOINTER => {
                let host = self.element_address(found, 2);
                Slot::Value(self.load_at(I32, host), Kind::Any)
            }
            element::UNSIGNED_8 => Slot::Value(self.byte_element(found), Kind::Small),
            element::CHARACTER_8 => Slot::Value(self.byte_element(found), Kind::Any),
            element::BIT => {
                let at = self.builder.ins().ushr_imm_u(found.index, 3);
                let byte = self.load_byte_at(found.base, at);
                let bit = self.builder.ins().band_imm_u(found.index, 7);
                let bit = self.builder.ins().bxor_imm_u(bit, 7);
                let byte = self.builder.ins().ushr(byte, bit);
                let byte = self.builder.ins().band_imm_u(byte, 1);
                Slot::Value(self.with_tag(byte, TAG), Kind::Small)
            }
            kind => {
                let host = self.element_address(found, 1);
                let word = self.load_at(I16, host);
                if kind == element::SIGNED_16 {
                    let word = self.builder.ins().sextend(I32, word);
                    let word = self.builder.ins().band_imm_u(word, 0x1_FFFF);
                    return Slot::Value(self.with_tag(word, TAG), Kind::Small);
                }
                let word = self.builder.ins().uextend(I32, word);
                if kind == element::CHARACTER_16 {
                    Slot::Value(self.with_tag(word, CHARACTER), Kind::Any)
                } else {
                    Slot::Value(self.with_tag(word, TAG), Kind::Small)
                }
            }
        }
    }

    /// Stores the value of `slot`, or goes to `wrong` if it does not fit.
    fn store_known(&mut self, found: &Element, kind: u16, slot: Slot, wrong: Block, pc: u32) {
        let flags = MemFlagsData::new().with_notrap();
        match kind {
            element::FLOAT => {
                let value = self.as_float(slot, false, pc);
                let host = self.element_address(found, 2);
                self.builder.ins().store(flags, value, host, 0);
            }
            element::SIGNED_32 => {
                let value = self.as_integer(slot, pc);
                let host = self.element_address(found, 2);
                self.builder.ins().store(flags, value, host, 0);
            }
            element::POINTER => self.store_counted_element(found, slot),
            element::XPOINTER => {
                let value = self.value_of(slot);
                let host = self.element_address(found, 2);
                self.builder.ins().store(flags, value, host, 0);
            }
            element::UNSIGNED_8 => self.store_byte_element(found, TAG, slot, wrong),
            element::CHARACTER_8 => self.store_byte_element(found, CHARACTER, slot, wrong),
            element::CHARACTER_16 => self.store_word_element(found, CHARACTER, slot, wrong),
            element::UNSIGNED_16 => self.store_word_element(found, TAG, slot, wrong),
            kind => {
                let value = self.as_integer(slot, pc);
                if kind == element::SIGNED_16 {
                    let word = self.builder.ins().ireduce(I16, value);
                    let again = self.builder.ins().sextend(I32, word);
                    let fits = self.builder.ins().icmp(IntCC::Equal, again, value);
                    self.go_on_if(fits, wrong);
                    let host = self.element_address(found, 1);
                    self.builder.ins().store(flags, word, host, 0);
                } else {
                    self.store_bit(found, value, wrong);
                }
            }
        }
    }

    fn store_bit(&mut self, found: &Element, value: Value, wrong: Block) {
        let fits = (self.builder.ins()).icmp_imm_u(IntCC::UnsignedLessThan, value, 2);
        self.go_on_if(fits, wrong);
        let at = self.builder.ins().ushr_imm_u(found.index, 3);
        let byte = self.load_byte_at(found.base, at);
        let place = self.builder.ins().band_imm_u(found.index, 7);
        let place = self.builder.ins().bxor_imm_u(place, 7);
        let one = self.constant(1);
        let bit = self.builder.ins().ishl(one, place);
        let rest = self.builder.ins().band_not(byte, bit);
        let set = self.builder.ins().ishl(value, place);
        let byte = self.builder.ins().bor(rest, set);
        self.store_byte_at(found.base, at, byte);
    }

    /// An element of an array of any type.
    fn any_element(&mut self, access: Access, seen: Elements, step: &Step) {
        let (meet, result) = self.meeting(I32);
        let slow = self.builder.create_block();
        if access.stores {
            let depth = self.state.stack.len() - access.operands();
            self.cell_value(depth);
        }
        let found = self.element(access, slow);
        let [other, byte] = [0; 2].map(|_| self.builder.create_block());
        let (cell, cell_index) = self.meeting(I32);
        let index = self.if_first_is_0(access, &found, element::POINTER, cell);
        let kind = self.kind_of_elements(&found);
        let is_cell = self.equals(kind, element::POINTER.into());
        self.builder
            .ins()
            .brif(is_cell, cell, &[index.into()], other, &[]);
        self.builder.switch_to_block(cell);
        let at = Element {
            index: cell_index,
            ..found
        };
        let value = if access.stores {
            let slot = self.slot(access.indices + 1);
            self.store_counted_element(&at, slot);
            self.value_of(slot)
        } else {
            let host = self.element_address(&at, 2);
            self.load_at(I32, host)
        };
        self.builder.ins().jump(meet, &[value.into()]);
        self.builder.switch_to_block(other);
        let found = Element { index, ..found };
        let code = self.builder.ins().band_imm_u(kind, !0x40);
        let is_byte = self.equals(code, element::UNSIGNED_8.into());
        if seen == Elements::Unknown {
            let wrong = self.cold_block();
            self.builder.ins().brif(is_byte, byte, &[], wrong, &[]);
            self.builder.switch_to_block(wrong);
            self.give_up(access.pc);
        } else {
            self.builder.ins().brif(is_byte, byte, &[], slow, &[]);
        }
        self.builder.switch_to_block(byte);
        let value = if access.stores {
            let slot = self.slot(access.indices + 1);
            let tag = self.byte_tag(&found);
            self.store_tagged(&found, tag, slot, slow, I8);
            self.value_of(slot)
        } else {
            self.byte_element(&found)
        };
        self.builder.ins().jump(meet, &[value.into()]);
        self.builder.switch_to_block(slow);
        let state = self.state.clone();
        let cells = self.top(access.operands());
        self.operate_and_meet(access.operation, &cells, step, meet);
        self.state = state;
        self.builder.switch_to_block(meet);
        self.replace(access.operands(), result);
    }

    /// Finds the element; goes to `slow` if it cannot.
    fn element(&mut self, access: Access, slow: Block) -> Element {
        let depth = self.state.stack.len() - access.indices - 1;
        let array = self.cell_value(depth);
        let number = self.type_number(array);
        let wanted = match access.indices {
            1 => types::ONED_ARRAY,
            _ => types::TWOD_ARRAY,
        };
        let is = self.equals(number, wanted.into());
        self.go_on_if(is, slow);
        let fields = self.layout.array_fields;
        let array = self.masked(array);
        let header = self.load_cell(array, 2);
        let index = if access.indices == 1 {
            self.index(0, array, fields.total_size, slow).0
        } else {
            let row = self.index(1, array, fields.bound0, slow).0;
            let (column, columns) = self.index(0, array, fields.bound1, slow);
            let before = self.builder.ins().imul(row, columns);
            self.builder.ins().iadd(before, column)
        };
        let base = self.load_cell(array, 0);
        Element {
            base: self.masked(base),
            header,
            index,
        }
    }

    /// Goes to `plain` with the index if the array has elements of the type `kind` and its
    /// storage begins with the first, which one compare tells of those with one dimension;
    /// else goes on and answers the index in the storage.
    fn if_first_is_0(&mut self, access: Access, found: &Element, kind: u16, plain: Block) -> Value {
        if access.indices != 1 {
            return found.index;
        }
        let other = self.builder.create_block();
        let bits = self.builder.ins().band_imm_u(found.header, KIND | FIRST);
        let is_plain = self.equals(bits, u32::from(kind) << 16);
        self.builder
            .ins()
            .brif(is_plain, plain, &[found.index.into()], other, &[]);
        self.builder.switch_to_block(other);
        let first = self.builder.ins().band_imm_u(found.header, FIRST);
        self.builder.ins().iadd(found.index, first)
    }

    /// The type code of the elements.
    fn kind_of_elements(&mut self, found: &Element) -> Value {
        let kind = self.builder.ins().band_imm_u(found.header, KIND);
        self.builder.ins().ushr_imm_u(kind, 16)
    }

    /// The index `back` below the top of stack, and the bound in a field of `array`;
    /// goes to `slow` if it is not below that.
    fn index(&mut self, back: usize, array: Value, field: u32, slow: Block) -> (Value, Value) {
        self.settle(self.state.stack.len() - 1 - back);
        let slot = self.slot(back);
        let index = match slot {
            Slot::Integer(value) => value,
            slot => {
                if let Some(other) = self.not_small(&[slot]) {
                    let is = self.equals(other, 0);
                    self.go_on_if(is, slow);
                }
                let cell = self.value_of(slot);
                self.untagged(cell)
            }
        };
        let bound = if self.layout.array_fields.wide {
            self.load_cell(array, field as i32)
        } else {
            self.load_word(array, field as i32)
        };
        // A negative index is too large as an unsigned number.
        let below = IntCC::UnsignedLessThan;
        let in_range = self.builder.ins().icmp(below, index, bound);
        self.go_on_if(in_range, slow);
        (index, bound)
    }

    pub(super) fn go_on_if(&mut self, condition: Value, slow: Block) {
        let go_on = self.builder.create_block();
        self.builder.ins().brif(condition, go_on, &[], slow, &[]);
        self.builder.switch_to_block(go_on);
    }

    /// Host address of an element of so many words, one or two.
    fn element_address(&mut self, found: &Element, words: u32) -> Value {
        if words == 2 {
            let words = self.builder.ins().ishl_imm_u(found.index, 1);
            let at = self.builder.ins().iadd(found.base, words);
            return self.address(at);
        }
        let at = self.builder.ins().iadd(found.base, found.index);
        let at = self.builder.ins().bxor_imm_u(at, 1);
        self.address(at)
    }

    fn load_at(&mut self, ty: Type, host: Value) -> Value {
        let flags = MemFlagsData::new().with_notrap();
        self.builder.ins().load(ty, flags, host, 0)
    }

    /// Host address of the byte `at` so many bytes from `base`.
    fn byte_place(&mut self, base: Value, at: Value) -> Value {
        let bytes = self.builder.ins().ishl_imm_u(base, 1);
        let at = self.builder.ins().iadd(bytes, at);
        self.byte_address(at)
    }

    fn load_byte_at(&mut self, base: Value, at: Value) -> Value {
        let host = self.byte_place(base, at);
        let byte = self.load_at(I8, host);
        self.builder.ins().uextend(I32, byte)
    }

    fn store_byte_at(&mut self, base: Value, at: Value, byte: Value) {
        let host = self.byte_place(base, at);
        let byte = self.builder.ins().ireduce(I8, byte);
        let flags = MemFlagsData::new().with_notrap();
        self.builder.ins().store(flags, byte, host, 0);
    }

    fn with_tag(&mut self, bits: Value, tag: u32) -> Value {
        self.builder.ins().bor_imm_u(bits, i64::from(tag))
    }

    /// The upper bits of what is in an array of bytes: numbers or characters.
    fn byte_tag(&mut self, found: &Element) -> Value {
        let kind = self.kind_of_elements(found);
        let is_number = self.equals(kind, element::UNSIGNED_8.into());
        let (number, character) = (self.constant(TAG), self.constant(CHARACTER));
        self.builder.ins().select(is_number, number, character)
    }

    /// A byte as a small integer or a character.
    fn byte_element(&mut self, found: &Element) -> Value {
        let byte = self.load_byte_at(found.base, found.index);
        let tag = self.byte_tag(found);
        self.builder.ins().bor(byte, tag)
    }

    fn store_byte_element(&mut self, found: &Element, tag: u32, slot: Slot, wrong: Block) {
        let tag = self.constant(tag);
        self.store_tagged(found, tag, slot, wrong, I8);
    }

    fn store_word_element(&mut self, found: &Element, tag: u32, slot: Slot, wrong: Block) {
        let tag = self.constant(tag);
        self.store_tagged(found, tag, slot, wrong, I16);
    }

    /// Stores the low bits of a cell whose other bits are those of `tag`, else goes to
    /// `wrong`.
    fn store_tagged(&mut self, found: &Element, tag: Value, slot: Slot, wrong: Block, ty: Type) {
        let cell = self.value_of(slot);
        let low = (1i64 << ty.bits()) - 1;
        let high = self.builder.ins().band_imm_u(cell, 0xFFFF_FFFF & !low);
        let fits = self.builder.ins().icmp(IntCC::Equal, high, tag);
        self.go_on_if(fits, wrong);
        if ty == I8 {
            self.store_byte_at(found.base, found.index, cell);
        } else {
            let host = self.element_address(found, 1);
            let word = self.builder.ins().ireduce(I16, cell);
            let flags = MemFlagsData::new().with_notrap();
            self.builder.ins().store(flags, word, host, 0);
        }
    }

    /// Stores in an array of pointers.
    fn store_counted_element(&mut self, found: &Element, slot: Slot) {
        let value = self.value_of(slot);
        let host = self.element_address(found, 2);
        let old = self.load_at(I32, host);
        self.count_replacement(old, slot, value);
        let flags = MemFlagsData::new().with_notrap();
        self.builder.ins().store(flags, value, host, 0);
    }
}
