//! Arithmetic and comparison for operations that have met everything: small
//! integers here, the rest in the machine. Both ways meet.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I8, I32};
use cranelift_codegen::ir::{InstBuilder, Value};
use geiko_runtime::isa::{Kind as OpcodeKind, Opcode};
use geiko_runtime::layout::records::type_entry;
use geiko_runtime::memory::LispPtr;

use super::arithmetic::SIGN;
use super::numbers::{TAG, TAG_BITS, small};
use super::{Slot, Translator};
use crate::flow::{Effect, Step};
use crate::numbers::Kind;

impl Translator<'_, '_> {
    /// Translates an arithmetic instruction or a comparison.
    pub(super) fn general(&mut self, step: &Step) {
        let operand = || i32::from(step.instruction.number(0).unwrap_or(0));
        match step.instruction.opcode {
            Opcode::FGreaterP => {
                let cells = self.top(2);
                let code = self.constant(Opcode::FGreaterP as u32);
                let operation = self.host.operations.comparison;
                let value = self.operate_or_execute(operation, &[code, cells[0], cells[1]], step);
                self.replace(2, value);
            }
            Opcode::Plus2 | Opcode::IPlus2 => {
                let (b, a) = (self.slot(0), self.slot(1));
                match (small(a), small(b)) {
                    (_, Some(n)) => self.add_constant(step, 1, n),
                    (Some(n), _) => self.add_constant(step, 0, n),
                    _ => self.sum(step, false),
                }
            }
            Opcode::Difference | Opcode::IDifference => match small(self.slot(0)) {
                Some(n) => self.add_constant(step, 1, -n),
                None => self.sum(step, true),
            },
            Opcode::IPlusN => self.add_constant(step, 0, operand()),
            Opcode::IDifferenceN => self.add_constant(step, 0, -operand()),
            Opcode::LogAnd2 => self.bits(step, |t, a, b| t.builder.ins().band(a, b)),
            Opcode::LogOr2 => self.bits(step, |t, a, b| t.builder.ins().bor(a, b)),
            Opcode::LogXor2 => self.bits(step, |t, a, b| {
                let bits = t.builder.ins().bxor(a, b);
                t.builder.ins().bor_imm_u(bits, i64::from(TAG))
            }),
            Opcode::GreaterP | Opcode::IGreaterP => {
                self.compare(step, IntCC::UnsignedGreaterThan);
            }
            Opcode::NumEqual => self.compare(step, IntCC::Equal),
            opcode => {
                let mut cells = match step.effect {
                    Effect::Cells { pops, .. } => self.top(pops.into()),
                    _ => return,
                };
                let pops = cells.len();
                cells.push(self.constant(0));
                let code = self.constant(opcode as u32);
                let operation = self.host.operations.arithmetic;
                let value = self.operate_or_execute(operation, &[code, cells[0], cells[1]], step);
                self.replace(pops, value);
            }
        }
    }

    /// Makes the top `count` slots values and answers them, deepest first.
    fn operands(&mut self, count: usize) -> Vec<Slot> {
        let depth = self.state.stack.len();
        (depth - count..depth)
            .map(|at| {
                self.cell_value(at);
                self.state.stack[at].slot
            })
            .collect()
    }

    /// The way of two numbers that are not both small, in a cold block.
    fn unless_small(&mut self, other: Value, step: &Step, meet: super::Block) {
        let slow = self.builder.create_block();
        let fast = self.builder.create_block();
        self.builder.set_cold_block(slow);
        self.builder.ins().brif(other, slow, &[], fast, &[]);
        self.builder.switch_to_block(slow);
        let state = self.state.clone();
        match step.effect {
            Effect::Cells { pops: 2, .. } => {
                let cells = self.top(2);
                let code = self.constant(step.instruction.opcode as u32);
                let operation = match step.instruction.opcode.info().kind {
                    OpcodeKind::Compare => self.host.operations.comparison,
                    _ => self.host.operations.arithmetic,
                };
                self.operate_and_meet(operation, &[code, cells[0], cells[1]], step, meet);
            }
            _ => self.slow(step, meet),
        }
        self.state = state;
        self.builder.switch_to_block(fast);
    }

    /// Replaces the operands by the result of both ways.
    fn finish(&mut self, count: usize, fast: Value, meet: super::Block, result: Value) {
        self.builder.ins().jump(meet, &[fast.into()]);
        self.builder.switch_to_block(meet);
        let left = self.state.stack.len() - count;
        self.state.stack.truncate(left);
        self.push_slot(Slot::Value(result, Kind::Any));
    }

    /// The sum of a biased number and an amount, if it is in range.
    fn in_range(&mut self, biased: Value, step: &Step, meet: super::Block) -> Value {
        let tag = self.builder.ins().ushr_imm_u(biased, 17);
        let out = self.differs(tag, TAG >> 17);
        self.unless_small(out, step, meet);
        self.biased(biased)
    }

    /// Adds `n` to the slot `back` below the top; takes all operands.
    fn add_constant(&mut self, step: &Step, back: usize, n: i32) {
        let count = match step.effect {
            Effect::Cells { pops, .. } => usize::from(pops),
            _ => 1,
        };
        let operands = self.operands(count);
        let slot = operands[count - 1 - back];
        let (meet, result) = self.meeting(I32);
        if let Some(other) = self.not_small(&[slot]) {
            self.unless_small(other, step, meet);
        }
        let value = self.value_of(slot);
        let biased = self.biased(value);
        let sum = self.builder.ins().iadd_imm_s(biased, i64::from(n));
        let sum = self.in_range(sum, step, meet);
        self.finish(count, sum, meet, result);
    }

    fn sum(&mut self, step: &Step, negate: bool) {
        let operands = self.operands(2);
        let (meet, result) = self.meeting(I32);
        if let Some(other) = self.not_small(&operands) {
            self.unless_small(other, step, meet);
        }
        let (a, b) = (self.value_of(operands[0]), self.value_of(operands[1]));
        let (a, b) = (self.biased(a), self.biased(b));
        let sum = if negate {
            let difference = self.builder.ins().isub(a, b);
            self.builder
                .ins()
                .iadd_imm_s(difference, i64::from(TAG + SIGN))
        } else {
            let sum = self.builder.ins().iadd(a, b);
            self.builder.ins().iadd_imm_s(sum, -i64::from(TAG + SIGN))
        };
        let sum = self.in_range(sum, step, meet);
        self.finish(2, sum, meet, result);
    }

    /// A bitwise operation that keeps the tag.
    fn bits(&mut self, step: &Step, op: fn(&mut Self, Value, Value) -> Value) {
        let operands = self.operands(2);
        let (meet, result) = self.meeting(I32);
        if let Some(other) = self.not_small(&operands) {
            self.unless_small(other, step, meet);
        }
        let (a, b) = (self.value_of(operands[0]), self.value_of(operands[1]));
        let bits = op(self, a, b);
        self.finish(2, bits, meet, result);
    }

    fn compare(&mut self, step: &Step, condition: IntCC) {
        let operands = self.operands(2);
        let other = self.not_small(&operands);
        let (a, b) = (self.value_of(operands[0]), self.value_of(operands[1]));
        let Some(other) = other else {
            let holds = self.order(condition, a, b);
            self.pop();
            self.pop();
            return self.push_slot(Slot::Condition(holds));
        };
        let (meet, result) = self.meeting(I8);
        let (slow, value) = self.meeting(I32);
        self.builder.set_cold_block(slow);
        self.unless_small(other, step, slow);
        let holds = self.order(condition, a, b);
        self.builder.ins().jump(meet, &[holds.into()]);
        self.builder.switch_to_block(slow);
        let truth = self.differs(value, 0);
        self.builder.ins().jump(meet, &[truth.into()]);
        self.builder.switch_to_block(meet);
        self.pop();
        self.pop();
        self.push_slot(Slot::Condition(result));
    }

    fn order(&mut self, condition: IntCC, a: Value, b: Value) -> Value {
        if condition == IntCC::Equal {
            return self.builder.ins().icmp(condition, a, b);
        }
        let (a, b) = (self.biased(a), self.biased(b));
        self.builder.ins().icmp(condition, a, b)
    }

    /// Identity; other cells are the same only if they are boxes of numbers.
    pub(super) fn general_eql(&mut self, step: &Step) {
        let operands = self.operands(2);
        let (a, b) = (self.value_of(operands[0]), self.value_of(operands[1]));
        let (meet, result) = self.meeting(I32);
        let other = self.builder.create_block();
        let same = self.builder.ins().icmp(IntCC::Equal, a, b);
        let t = self.constant(LispPtr::T.0);
        self.builder.ins().brif(same, meet, &[t.into()], other, &[]);
        self.builder.switch_to_block(other);
        let entry = self.type_entry(a);
        let number = i64::from(type_entry::NUMBER_P);
        let number = self.builder.ins().band_imm_u(entry, number);
        let [maybe, slow] = [(); 2].map(|()| self.cold_block());
        let nil = self.constant(0);
        self.builder
            .ins()
            .brif(number, maybe, &[], meet, &[nil.into()]);
        self.builder.switch_to_block(maybe);
        let tag = self.builder.ins().bxor_imm_u(a, i64::from(TAG));
        let boxed = self.builder.ins().band_imm_u(tag, i64::from(TAG_BITS));
        self.builder
            .ins()
            .brif(boxed, slow, &[], meet, &[nil.into()]);
        self.builder.switch_to_block(slow);
        let code = self.constant(step.instruction.opcode as u32);
        let operation = self.host.operations.comparison;
        self.operate_and_meet(operation, &[code, a, b], step, meet);
        self.builder.switch_to_block(meet);
        self.replace(2, result);
    }
}
