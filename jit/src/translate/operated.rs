//! Instructions that an operation of the machine does as a whole.

use cranelift_codegen::ir::Value;
use geiko_runtime::isa::Opcode;

use super::Translator;
use crate::flow::Step;

impl Translator<'_, '_> {
    /// Translates `step` if it is an instruction of this file.
    pub(super) fn operation(&mut self, step: &Step) -> bool {
        let operations = self.host.operations;
        let opcode = step.instruction.opcode;
        let number = |n| u32::from(step.instruction.number(n).unwrap_or(0));
        let (operation, first, count) = match opcode {
            Opcode::Assoc | Opcode::CmlAssoc | Opcode::Fmemb | Opcode::CmlMember => {
                (operations.found, Some(opcode as u32), 2)
            }
            Opcode::AtomCellN => {
                self.symbol_cell(number(0) as u8, step);
                return true;
            }
            Opcode::CheckApply => (operations.callable, None, 1),
            Opcode::MakeNumber => (operations.number_of_halves, None, 2),
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
            Opcode::ListGet => (operations.property, None, 2),
            Opcode::RplCons => (operations.append, None, 2),
            Opcode::FindKey => {
                let frame = self.frame_offset();
                let first = self.constant(number(0));
                let key = self.top(1)[0];
                let value = self.operate(operations.keyword_argument, &[frame, first, key]);
                self.replace(1, value);
                return true;
            }
            Opcode::RestList => {
                let frame = self.frame_offset();
                let skip = self.constant(number(0));
                let cells = self.top(2);
                let arguments = [frame, skip, cells[0], cells[1]];
                let value = self.operate(operations.rest_arguments, &arguments);
                self.replace(2, value);
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

    /// Word offset of the frame on the stack.
    fn frame_offset(&mut self) -> Value {
        let frame = self.frame();
        self.word_address(frame)
    }
}
