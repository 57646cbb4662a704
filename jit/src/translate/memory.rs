//! Raw memory, types and array elements.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I8, I16, I32, I64};
use cranelift_codegen::ir::{Block, InstBuilder, MemFlagsData, Value};
use geiko_runtime::isa::Opcode;
use geiko_runtime::isa::decode::Operand;
use geiko_runtime::layout::STACK;
use geiko_runtime::layout::records::type_entry;
use geiko_runtime::memory::{LispPtr, WORDS_PER_PAGE};

use super::barriers::counts::limit;
use super::{Translator, trusted};
use crate::facts::KnownType;
use crate::flow::Step;

/// Supertypes that INSTANCEP looks at in line.
const MOST_SUPERTYPES: i64 = 8;

impl Translator<'_, '_> {
    /// Translates `step` if it is an instruction of this file.
    pub(super) fn memory(&mut self, step: &Step) -> bool {
        let number = |n| i32::from(step.instruction.number(n).unwrap_or(0));
        match step.instruction.opcode {
            Opcode::GetBasePtrN => {
                let base = self.pop_value();
                let cell = self.load_cell(base, number(0));
                let value = self.masked(cell);
                self.push(value);
            }
            Opcode::GetBaseN => {
                let base = self.pop_value();
                let word = self.load_word(base, number(0));
                self.push_small(word);
            }
            Opcode::GetBitsNFd => {
                let base = self.pop_value();
                let word = self.load_word(base, number(0));
                let (first, size) = (number(1) >> 4, (number(1) & 15) + 1);
                let shift = (16 - first - size).max(0);
                let bits = self.builder.ins().ushr_imm_u(word, i64::from(shift));
                let mask = (1i64 << size) - 1;
                let bits = self.builder.ins().band_imm_u(bits, mask);
                self.push_small(bits);
            }
            Opcode::PutBasePtrN => {
                let cells = self.top(2);
                let (meet, result) = self.meeting(I32);
                let base = self.masked(cells[0]);
                self.unless_watched(base, number(0), step, meet);
                let address = self.address(base);
                let flags = MemFlagsData::new().with_notrap();
                self.builder
                    .ins()
                    .store(flags, cells[1], address, 2 * number(0));
                self.written(base);
                self.builder.ins().jump(meet, &[base.into()]);
                self.builder.switch_to_block(meet);
                self.replace(2, result);
            }
            Opcode::RplPtrN => {
                let cells = self.top(2);
                let words = i64::from(number(0));
                let address = self.builder.ins().iadd_imm_u(cells[0], words);
                let value = self.slot(0);
                self.counted_store(address, value, cells[1]);
                self.pop();
            }
            Opcode::GetBaseByte => {
                let cells = self.top(2);
                let (meet, result) = self.meeting(I32);
                self.unless_smallpos(cells[1], step, meet);
                let byte = self.load_byte(cells[0], cells[1]);
                let byte = self.builder.ins().bor_imm_u(byte, 0xE_0000);
                self.builder.ins().jump(meet, &[byte.into()]);
                self.builder.switch_to_block(meet);
                self.replace(2, result);
            }
            Opcode::Vag2 => {
                let cells = self.top(2);
                let high = self.builder.ins().ishl_imm_u(cells[0], 16);
                let low = self.builder.ins().band_imm_u(cells[1], 0xFFFF);
                let cell = self.builder.ins().bor(high, low);
                self.replace(2, cell);
            }
            Opcode::HiLoc => {
                let cell = self.pop_value();
                let high = self.builder.ins().ushr_imm_u(cell, 16);
                self.push_small(high);
            }
            Opcode::LoLoc => {
                let cell = self.pop_value();
                let low = self.builder.ins().band_imm_u(cell, 0xFFFF);
                self.push_small(low);
            }
            Opcode::Ntypx => {
                let object = self.pop_value();
                let number = self.type_number(object);
                self.push_small(number);
            }
            Opcode::TypeMaskN => {
                let bits = i64::from(number(0)) << 8;
                if self.number_test(|entry| i64::from(entry) & bits != 0) {
                    return true;
                }
                let object = self.pop_value();
                let entry = self.type_entry(object);
                let has = self.builder.ins().band_imm_u(entry, bits);
                let nil = self.constant(0);
                let value = self.builder.ins().select(has, object, nil);
                self.push(value);
            }
            Opcode::Dtest | Opcode::InstanceP => self.instance(step),
            Opcode::AddBase => {
                let cells = self.top(2);
                let (meet, result) = self.meeting(I32);
                let tag = self.builder.ins().ushr_imm_u(cells[1], 16);
                let other = self.differs(tag, 0xE);
                let slow = self.builder.create_block();
                let fast = self.builder.create_block();
                self.builder.set_cold_block(slow);
                self.builder.ins().brif(other, slow, &[], fast, &[]);
                self.builder.switch_to_block(slow);
                let operation = self.host.operations.offset_base;
                self.operate_and_meet(operation, &cells, step, meet);
                self.builder.switch_to_block(fast);
                let base = self.masked(cells[0]);
                let words = self.builder.ins().band_imm_u(cells[1], 0xFFFF);
                let sum = self.builder.ins().iadd(base, words);
                self.builder.ins().jump(meet, &[sum.into()]);
                self.builder.switch_to_block(meet);
                self.replace(2, result);
            }
            Opcode::PutBitsNFd => {
                let cells = self.top(2);
                let (meet, result) = self.meeting(I32);
                self.unless_smallpos(cells[1], step, meet);
                let base = self.masked(cells[0]);
                self.unless_watched(base, number(0), step, meet);
                let (address, at) = self.word_at(base, number(0));
                let (first, size) = (number(1) >> 4, (number(1) & 15) + 1);
                let shift = (16 - first - size).max(0);
                let mask = (1i64 << size) - 1;
                let flags = MemFlagsData::new().with_notrap();
                let old = self.builder.ins().load(I16, flags, address, at);
                let old = self.builder.ins().uextend(I32, old);
                let rest = !(mask << shift) & 0xFFFF;
                let rest = self.builder.ins().band_imm_u(old, rest);
                let bits = self.builder.ins().band_imm_u(cells[1], mask);
                let bits = self.builder.ins().ishl_imm_u(bits, i64::from(shift));
                let word = self.builder.ins().bor(rest, bits);
                let word = self.builder.ins().ireduce(I16, word);
                self.builder.ins().store(flags, word, address, at);
                self.written(base);
                self.builder.ins().jump(meet, &[base.into()]);
                self.builder.switch_to_block(meet);
                self.replace(2, result);
            }
            Opcode::PutBaseN => {
                let cells = self.top(2);
                let (meet, result) = self.meeting(I32);
                self.unless_smallpos(cells[1], step, meet);
                let base = self.masked(cells[0]);
                self.unless_watched(base, number(0), step, meet);
                let (address, at) = self.word_at(base, number(0));
                let word = self.builder.ins().ireduce(I16, cells[1]);
                let flags = MemFlagsData::new().with_notrap();
                self.builder.ins().store(flags, word, address, at);
                self.written(base);
                self.builder.ins().jump(meet, &[base.into()]);
                self.builder.switch_to_block(meet);
                self.replace(2, result);
            }
            _ => return false,
        }
        true
    }

    /// Takes the slow way if there is watched code on the page of the word so many words
    /// behind `base`: the interpreter looks whether the store changes it.
    fn unless_watched(&mut self, base: Value, words: i32, step: &Step, meet: Block) {
        let at = self.builder.ins().iadd_imm_s(base, i64::from(words));
        let at = self.masked(at);
        let page = self
            .builder
            .ins()
            .ushr_imm_u(at, i64::from(WORDS_PER_PAGE.ilog2()));
        let page = self.builder.ins().uextend(I64, page);
        let marks = self.builder.ins().iconst(I64, self.host.watched);
        let mark = self.builder.ins().iadd(marks, page);
        let mark = self.builder.ins().load(I8, trusted(), mark, 0);
        self.slow_if(mark, step, meet);
    }

    /// Takes the slow way unless `value` is an integer from 0 to 65535.
    fn unless_smallpos(&mut self, value: Value, step: &Step, meet: Block) {
        let tag = self.builder.ins().ushr_imm_u(value, 16);
        let other = self.differs(tag, 0xE);
        self.slow_if(other, step, meet);
    }

    /// Something was stored near `base`: the machine wants to know what Lisp writes on
    /// the stack in front of the frame where native code was entered and, at times, anywhere
    /// else.
    fn written(&mut self, base: Value) {
        let segment = self.builder.ins().ushr_imm_u(base, 16);
        let stack = i64::from(STACK.0 >> 16);
        let from_stack = self.builder.ins().iadd_imm_s(segment, -stack);
        let told = self.limit(limit::TOLD);
        let is_told = (self.builder.ins()).icmp(IntCC::UnsignedLessThan, from_stack, told);
        let [look, on_stack, tell] = [(); 3].map(|()| self.cold_block());
        let next = self.builder.create_block();
        self.builder.ins().brif(is_told, look, &[], next, &[]);
        self.builder.switch_to_block(look);
        self.builder
            .ins()
            .brif(from_stack, tell, &[], on_stack, &[]);
        self.builder.switch_to_block(on_stack);
        let entered = self.builder.ins().iconst(I64, self.host.entered);
        let entered = self.builder.ins().load(I32, trusted(), entered, 0);
        let place = self.builder.ins().band_imm_u(base, 0xFFFF);
        let in_front = (self.builder.ins()).icmp(IntCC::UnsignedLessThan, place, entered);
        self.builder.ins().brif(in_front, tell, &[], next, &[]);
        self.builder.switch_to_block(tell);
        self.operate(self.host.operations.written, &[base]);
        self.builder.ins().jump(next, &[]);
        self.builder.switch_to_block(next);
    }

    /// Pushes a number from 0 to 65535 as a small integer.
    fn push_small(&mut self, number: Value) {
        let cell = self.builder.ins().bor_imm_u(number, 0xE_0000);
        self.push_slot(super::Slot::Value(cell, super::Kind::Small));
    }

    /// The word so many words behind `base`.
    pub(super) fn load_word(&mut self, base: Value, words: i32) -> Value {
        let masked = self.masked(base);
        let (address, at) = self.word_at(masked, words);
        let flags = MemFlagsData::new().with_notrap();
        let word = self.builder.ins().load(I16, flags, address, at);
        self.builder.ins().uextend(I32, word)
    }

    /// Host address of the word so many words behind `base`, which is masked, in two parts.
    /// An even number of words does not change which half of a cell it is, so all words at
    /// even places, and all at odd ones, have the first part in common.
    fn word_at(&mut self, base: Value, words: i32) -> (Value, i32) {
        let odd = words & 1;
        let at = self.builder.ins().iadd_imm_s(base, i64::from(odd));
        let at = self.builder.ins().bxor_imm_u(at, 1);
        let wide = self.builder.ins().uextend(I64, at);
        let bytes = self.builder.ins().ishl_imm_u(wide, 1);
        let base = self.base;
        (self.builder.ins().iadd(base, bytes), 2 * (words - odd))
    }

    /// DTEST and INSTANCEP: the type with just that name is told at once; INSTANCEP
    /// looks at a few supertypes.
    fn instance(&mut self, step: &Step) {
        let Some(Operand::Atom(name)) = step.instruction.operands().first().copied() else {
            return;
        };
        let object = self.top(1)[0];
        let (meet, result) = self.meeting(I32);
        let slow = self.cold_block();
        let is_test = step.instruction.opcode == Opcode::Dtest;
        if let Some(known) = self.unit.facts.known_type(LispPtr(name)) {
            let actual = self.type_number(object);
            let same = self.equals(actual, known.number);
            if is_test {
                self.builder
                    .ins()
                    .brif(same, meet, &[object.into()], slow, &[]);
            } else {
                let other = self.builder.create_block();
                let t = self.constant(LispPtr::T.0);
                self.builder.ins().brif(same, meet, &[t.into()], other, &[]);
                self.builder.switch_to_block(other);
                self.supertypes(actual, known, meet, slow);
            }
        } else {
            self.builder.ins().jump(slow, &[]);
        }
        self.builder.switch_to_block(slow);
        let name = self.constant(name);
        let operation = if is_test {
            self.host.operations.checked
        } else {
            self.host.operations.instance
        };
        self.operate_and_meet(operation, &[object, name], step, meet);
        self.builder.switch_to_block(meet);
        self.replace(1, result);
    }

    /// Goes to `meet` with T if the type `known` is one of the next supertypes of the type
    /// with the number `actual`, with NIL if there are no others, else to `slow`. That is
    /// for as long as the type is called as it was.
    fn supertypes(&mut self, actual: Value, known: KnownType, meet: Block, slow: Block) {
        let [first, second] = [0, 1].map(self.layout.dtd);
        let name = self.load_fixed((self.layout.dtd)(known.number));
        let still = self.equals(name, known.name);
        self.go_on_if(still, slow);
        let head = self.builder.create_block();
        let most = self.builder.ins().iconst(I32, MOST_SUPERTYPES);
        self.builder.ins().jump(head, &[actual.into(), most.into()]);
        let [number, left] = [(); 2].map(|()| self.builder.append_block_param(head, I32));
        self.builder.switch_to_block(head);
        let dtd = (self.builder.ins()).imul_imm_u(number, i64::from(second.0 - first.0));
        let supertype = first.0 + self.layout.dtd_fields.supertype;
        let supertype = self.load_word(dtd, supertype as i32);
        let bits = i64::from(type_entry::NUMBER);
        let supertype = self.builder.ins().band_imm_u(supertype, bits);
        let [more, other] = [(); 2].map(|()| self.builder.create_block());
        let nil = self.constant(0);
        self.builder
            .ins()
            .brif(supertype, more, &[], meet, &[nil.into()]);
        self.builder.switch_to_block(more);
        let same = self.equals(supertype, known.number);
        let t = self.constant(LispPtr::T.0);
        self.builder.ins().brif(same, meet, &[t.into()], other, &[]);
        self.builder.switch_to_block(other);
        let left = self.builder.ins().iadd_imm_s(left, -1);
        self.builder
            .ins()
            .brif(left, head, &[supertype.into(), left.into()], slow, &[]);
    }

    /// Host address of the byte `at` so many bytes from the start of Lisp memory.
    pub(super) fn byte_address(&mut self, at: Value) -> Value {
        let at = self.builder.ins().bxor_imm_u(at, 3);
        let mask = 2 * i64::from(self.layout.pointer_mask) + 1;
        let at = self.builder.ins().band_imm_u(at, mask);
        let wide = self.builder.ins().uextend(I64, at);
        self.builder.ins().iadd(self.base, wide)
    }

    /// The byte at a byte offset, a small integer from 0, from `base`.
    fn load_byte(&mut self, base: Value, offset: Value) -> Value {
        let masked = self.masked(base);
        let bytes = self.builder.ins().ishl_imm_u(masked, 1);
        let offset = self.builder.ins().band_imm_u(offset, 0xFFFF);
        let at = self.builder.ins().iadd(bytes, offset);
        let address = self.byte_address(at);
        let flags = MemFlagsData::new().with_notrap();
        let byte = self.builder.ins().load(I8, flags, address, 0);
        self.builder.ins().uextend(I32, byte)
    }
}
