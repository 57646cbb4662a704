//! List cells and types.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I32;
use cranelift_codegen::ir::{Block, InstBuilder, Value};
use geiko_runtime::isa::Opcode;
use geiko_runtime::layout::records::{type_entry, types};
use geiko_runtime::memory::LispPtr;

use super::known::Test;
use super::searches::{CHARACTERS, IMMEDIATE, SYMBOLS};
use super::{Slot, Translator};
use crate::flow::Step;

impl Translator<'_, '_> {
    /// Translates `step` if it is an instruction of this file.
    pub(super) fn list(&mut self, step: &Step) -> bool {
        match step.instruction.opcode {
            Opcode::Car => self.car(step),
            Opcode::Cdr => self.cdr(step),
            Opcode::Listp => self.type_test(u32::from(types::LISTP)),
            Opcode::Typep => {
                let number = step.instruction.number(0).unwrap_or(0);
                self.type_test(number.into());
            }
            opcode @ (Opcode::Equal | Opcode::CmlEqual) => self.equal(opcode, step),
            Opcode::Eq => {
                let (b, a) = (self.pop(), self.pop());
                let (Some(a), Some(b)) = (a, b) else {
                    return true;
                };
                let equal = match (a, b) {
                    (slot, Slot::Constant(cell)) | (Slot::Constant(cell), slot) => {
                        let value = self.value_of(slot);
                        self.equals(value, cell)
                    }
                    (a, b) => {
                        let (a, b) = (self.value_of(a), self.value_of(b));
                        self.builder.ins().icmp(IntCC::Equal, a, b)
                    }
                };
                self.push_slot(Slot::Condition(equal));
            }
            _ => return false,
        }
        true
    }

    /// The test of a number whose type is known by its kind: it stays, or NIL takes its
    /// place. False if nothing is known.
    pub(super) fn number_test(&mut self, holds: impl Fn(u16) -> bool) -> bool {
        let slot = self.slot(0);
        let kind = self.kind_of(slot);
        let Some(holds) = self.unit.facts.numbers_satisfy(kind, holds) else {
            return false;
        };
        if !holds {
            self.pop();
            self.push_slot(Slot::Constant(0));
        }
        true
    }

    fn type_test(&mut self, number: u32) {
        if self.number_test(|entry| u32::from(entry & type_entry::NUMBER) == number) {
            return;
        }
        let object = self.pop_value();
        let actual = self.type_number(object);
        let holds = self.equals(actual, number);
        let nil = self.constant(0);
        let result = self.builder.ins().select(holds, object, nil);
        if number == u32::from(types::LISTP) {
            self.state.known.note_test(Test {
                result,
                holds,
                object,
            });
        }
        self.push(result);
    }

    /// What the cell of the object on top of the stack contains, and the object. Where that
    /// is no list cell, what the instruction of `step` answers goes to `meet`.
    fn content_on_top(&mut self, step: &Step, meet: Block) -> (Value, Value) {
        let depth = self.state.stack.len() - 1;
        let object = self.cell_value(depth);
        if let Some(content) = self.known_content(object) {
            return (object, content);
        }
        let list = self.builder.create_block();
        let content = self.content_of(object);
        if self.is_known_list(object) {
            self.builder.ins().jump(list, &[]);
        } else {
            let number = self.type_number(object);
            let is = self.equals(number, types::LISTP.into());
            let [other, slow] = [(); 2].map(|()| self.cold_block());
            self.builder.ins().brif(is, list, &[], other, &[]);
            self.builder.switch_to_block(other);
            let nil = self.constant(0);
            let content_of_nil = self.content_of_nil();
            self.builder.def_var(content, content_of_nil);
            self.builder
                .ins()
                .brif(object, slow, &[], meet, &[nil.into()]);
            self.builder.switch_to_block(slow);
            self.part(object, step, meet);
        }
        self.builder.switch_to_block(list);
        let value = self.load_cell(object, 0);
        self.builder.def_var(content, value);
        (object, value)
    }

    /// CAR and CDR by the machine.
    fn part(&mut self, object: Value, step: &Step, meet: Block) {
        self.contents_may_differ();
        let code = self.constant(step.instruction.opcode as u32);
        self.operate_and_meet(self.host.operations.part, &[code, object], step, meet);
    }

    /// Equality: identical objects here, and those that can be nothing else; numbers by
    /// the machine, others by Lisp.
    fn equal(&mut self, opcode: Opcode, step: &Step) {
        let cells = self.top(2);
        let (meet, result) = self.meeting(I32);
        let other = self.builder.create_block();
        let same = self.builder.ins().icmp(IntCC::Equal, cells[0], cells[1]);
        let t = self.constant(LispPtr::T.0);
        self.builder.ins().brif(same, meet, &[t.into()], other, &[]);
        self.builder.switch_to_block(other);
        let segments = match opcode {
            Opcode::Equal => SYMBOLS | CHARACTERS,
            _ => IMMEDIATE,
        };
        let identities = [0, 1].map(|n| self.is_in_segments(cells[n], segments));
        let identity = self.builder.ins().bor(identities[0], identities[1]);
        let [objects, machine] = [(); 2].map(|()| self.builder.create_block());
        let lisp = self.cold_block();
        let nil = self.constant(0);
        self.builder
            .ins()
            .brif(identity, meet, &[nil.into()], objects, &[]);
        self.builder.switch_to_block(objects);
        let entries = [0, 1].map(|n| self.type_entry(cells[n]));
        let either = self.builder.ins().bor(entries[0], entries[1]);
        let is_number = i64::from(type_entry::NUMBER_P);
        let number = self.builder.ins().band_imm_u(either, is_number);
        self.builder.ins().brif(number, machine, &[], lisp, &[]);
        self.builder.switch_to_block(machine);
        let code = self.constant(opcode as u32);
        let operation = self.host.operations.equality;
        let answer = self.call_operation(operation, &[code, cells[0], cells[1]]);
        let not_done = self.builder.ins().ushr_imm_u(answer, 32);
        let value = self.builder.ins().ireduce(I32, answer);
        self.builder
            .ins()
            .brif(not_done, lisp, &[], meet, &[value.into()]);
        self.builder.switch_to_block(lisp);
        self.slow(step, meet);
        self.builder.switch_to_block(meet);
        self.replace(2, result);
    }

    fn car(&mut self, step: &Step) {
        let (meet, result) = self.meeting(I32);
        let (object, content) = self.content_on_top(step, meet);
        let shift = i64::from(self.layout.cdr_shift);
        let code = self.builder.ins().ushr_imm_u(content, shift);
        let slow = self.cold_block();
        self.go_on_if(code, slow);
        let car = self.masked(content);
        self.builder.ins().jump(meet, &[car.into()]);
        self.forwarded(content, slow, meet, |translator| {
            let car = translator.load_cell(content, 0);
            translator.masked(car)
        });
        self.end_part(object, step, (meet, result));
    }

    fn cdr(&mut self, step: &Step) {
        let (meet, result) = self.meeting(I32);
        let (object, content) = self.content_on_top(step, meet);
        let slow = self.cold_block();
        self.cdr_of(object, content, meet, meet, slow);
        self.forwarded(content, slow, meet, |translator| {
            let real = translator.load_cell(content, 0);
            let shift = i64::from(translator.layout.cdr_shift);
            let code = translator.builder.ins().ushr_imm_u(real, shift);
            let place = translator.cdr_place(content, code);
            let stored = translator.load_cell(place, 0);
            let stored = translator.masked(stored);
            let nil_code = i64::from(translator.layout.cdr_nil);
            let below = IntCC::UnsignedLessThan;
            let is_stored = (translator.builder.ins()).icmp_imm_u(below, code, nil_code);
            let cdr = translator.builder.ins().select(is_stored, stored, place);
            let ends = translator.equals(code, translator.layout.cdr_nil);
            let nil = translator.constant(0);
            translator.builder.ins().select(ends, nil, cdr)
        });
        self.end_part(object, step, (meet, result));
    }

    /// Emits `slow`, where `content` has the code 0: it is the address of the real list
    /// cell, whose part goes to `meet`, or 0 if nothing is known; then code is emitted for that.
    fn forwarded(
        &mut self,
        content: Value,
        slow: Block,
        meet: Block,
        part: impl Fn(&mut Self) -> Value,
    ) {
        let [forwarder, unknown] = [(); 2].map(|()| self.cold_block());
        self.builder.switch_to_block(slow);
        self.builder
            .ins()
            .brif(content, forwarder, &[], unknown, &[]);
        self.builder.switch_to_block(forwarder);
        let part = part(self);
        self.builder.ins().jump(meet, &[part.into()]);
        self.builder.switch_to_block(unknown);
    }

    /// The way of CAR and CDR by the machine, and what is behind them.
    fn end_part(&mut self, object: Value, step: &Step, (meet, result): (Block, Value)) {
        self.part(object, step, meet);
        self.builder.switch_to_block(meet);
        self.pop();
        self.push(result);
    }

    /// Goes to `near` or `meet` with the cdr of the list cell `list`, which contains
    /// `content`, or to `slow` if it forwards to another. At `near` it is a cell of the
    /// same page.
    pub(super) fn cdr_of(
        &mut self,
        list: Value,
        content: Value,
        near: Block,
        meet: Block,
        slow: Block,
    ) {
        let shift = i64::from(self.layout.cdr_shift);
        let code = self.builder.ins().ushr_imm_u(content, shift);
        let nil_code = self.layout.cdr_nil;
        let here =
            self.builder
                .ins()
                .icmp_imm_u(IntCC::UnsignedGreaterThan, code, i64::from(nil_code));
        let [coded, rest, stored] = [0; 3].map(|_| self.builder.create_block());
        self.builder.ins().brif(here, coded, &[], rest, &[]);
        self.builder.switch_to_block(rest);
        let nil = self.constant(0);
        let ends = self.equals(code, nil_code);
        self.builder
            .ins()
            .brif(ends, meet, &[nil.into()], stored, &[]);
        self.builder.switch_to_block(stored);
        let real = self.differs(code, 0);
        self.go_on_if(real, slow);
        let holder = self.cdr_place(list, code);
        let next = self.load_cell(holder, 0);
        let next = self.masked(next);
        self.builder.ins().jump(meet, &[next.into()]);
        self.builder.switch_to_block(coded);
        let next = self.cdr_place(list, code);
        let same_page = if self.layout.cdr_page_relative {
            near
        } else {
            meet
        };
        self.builder.ins().jump(same_page, &[next.into()]);
    }

    /// The cell at the place that the cdr code `code` of the list cell `list` says.
    pub(super) fn cdr_place(&mut self, list: Value, code: Value) -> Value {
        let cells = i64::from(self.layout.cdr_nil - 1);
        let cells = self.builder.ins().band_imm_u(code, cells);
        let words = self.builder.ins().ishl_imm_u(cells, 1);
        let from = if self.layout.cdr_page_relative {
            let page = i64::from(self.layout.pointer_mask & !0xFF);
            self.builder.ins().band_imm_u(list, page)
        } else {
            self.masked(list)
        };
        self.builder.ins().iadd(from, words)
    }
}
