//! Instructions that an operation of the machine does as a whole.

use cranelift_codegen::ir::types::I32;
use cranelift_codegen::ir::{InstBuilder, Value};
use geiko_runtime::isa::Opcode;

use super::Translator;
use super::numbers::TAG;
use crate::flow::Step;

impl Translator<'_, '_> {
    /// Translates `step` if it is an instruction of this file.
    pub(super) fn operation(&mut self, step: &Step) -> bool {
        let operations = self.host.operations;
        let opcode = step.instruction.opcode;
        let number = |n| u32::from(step.instruction.number(n).unwrap_or(0));
        let (operation, first, count) = match opcode {
            Opcode::AtomCellN => {
                self.symbol_cell(number(0) as u8, step);
                return true;
            }
            Opcode::GcRef => {
                self.gcref(step);
                return true;
            }
            Opcode::CheckApply => {
                self.callable(step);
                return true;
            }
            Opcode::MakeNumber => {
                self.number_of_halves(step);
                return true;
            }
            Opcode::PutBaseByte => (operations.put_byte, None, 3),
            Opcode::UbFloat1 => (operations.raw_float, Some(number(0)), 1),
            Opcode::Misc3 if number(0) == 9 => (operations.raw_element, None, 3),
            Opcode::Misc4 if number(0) == 7 => (operations.set_raw_element, None, 4),
            Opcode::CreateCell => {
                self.create_cell(step);
                return true;
            }
            Opcode::Miscn if number(1) == 1 && matches!(number(0), 2 | 4 | 5) => {
                (operations.hash, Some(number(0)), 1)
            }
            Opcode::Miscn if number(0) == 1 && number(1) > 0 => {
                self.values(step, number(1) as usize);
                return true;
            }
            Opcode::FindKey => {
                self.keyword_argument(number(0));
                return true;
            }
            Opcode::RestList => {
                self.rest_arguments(number(0));
                return true;
            }
            _ => return false,
        };
        let mut cells: Vec<Value> = first.map(|n| self.constant(n)).into_iter().collect();
        cells.extend(self.top(count));
        let value = self.operate_or_execute(operation, &cells, step);
        self.replace(count, value);
        true
    }

    /// CHECKAPPLY*: a symbol of segment 0 with a compiled definition that evaluates its
    /// arguments is told at once.
    fn callable(&mut self, step: &Step) {
        let function = self.top(1)[0];
        let (meet, result) = self.meeting(I32);
        let slow = self.cold_block();
        let name = self.masked(function);
        let segment = self.builder.ins().ushr_imm_u(name, 16);
        let is_near = self.equals(segment, 0);
        self.go_on_if(is_near, slow);
        let definition = self.definition_of(name);
        let flags = self.builder.ins().ushr_imm_u(definition, 28);
        let flags = self.builder.ins().band_imm_u(flags, 9);
        let evaluates = self.equals(flags, 8);
        self.builder
            .ins()
            .brif(evaluates, meet, &[function.into()], slow, &[]);
        self.builder.switch_to_block(slow);
        self.operate_and_meet(self.host.operations.callable, &[function], step, meet);
        self.builder.switch_to_block(meet);
        self.replace(1, result);
    }

    /// MAKENUMBER: the integer with these halves.
    fn number_of_halves(&mut self, step: &Step) {
        let cells = self.top(2);
        let (meet, result) = self.meeting(I32);
        let slow = self.cold_block();
        let [high, low] = [cells[0], cells[1]];
        let tags = [high, low].map(|cell| self.builder.ins().bxor_imm_u(cell, i64::from(TAG)));
        let tags = self.builder.ins().bor(tags[0], tags[1]);
        let tags = self.builder.ins().ushr_imm_u(tags, 16);
        let plain = self.equals(tags, 0);
        self.go_on_if(plain, slow);
        let high = self.builder.ins().ishl_imm_u(high, 16);
        let low = self.builder.ins().band_imm_u(low, 0xFFFF);
        let value = self.builder.ins().bor(high, low);
        let cell = self.integer_cell(value);
        self.builder.ins().jump(meet, &[cell.into()]);
        self.builder.switch_to_block(slow);
        self.operate_and_meet(self.host.operations.number_of_halves, &cells, step, meet);
        self.builder.switch_to_block(meet);
        self.replace(2, result);
    }
}
