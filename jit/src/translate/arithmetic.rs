//! Arithmetic and comparison for operands of the kinds that were seen before. What
//! is of another kind, or has a result of another kind, gives the activation up.
//!
//! A small integer is `0xE0000` plus the low 17 bits of its value. With bit 16
//! flipped it is *biased*: `0xE0000 + value + 0x10000`, so biased numbers are
//! ordered as their values are, and a sum is in range if it still begins with
//! the bits of `0xE0000`.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value};
use geiko_runtime::isa::{Kind as OpcodeKind, Opcode};
use geiko_runtime::memory::LispPtr;

use super::numbers::{TAG, small};
use super::{Slot, Translator};
use crate::feedback::{self, Strategy};
use crate::flow::{Effect, Step};
use crate::numbers::Kind;

/// The sign of a small integer.
pub(super) const SIGN: u32 = 0x1_0000;

/// An operation on integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    And,
    Or,
    Xor,
    Shift,
    ShiftLeft(u8),
    ShiftRight(u8),
    Greater,
    Equal,
}

fn operation(opcode: Opcode) -> Option<Operation> {
    use Opcode::{
        Difference, FDifference, FGreaterP, FPlus2, FQuotient, FTimes2, GreaterP, IDifference,
        IDifferenceN, IGreaterP, IPlus2, IPlusN, IQuotient, IRemainder, ITimes2, Llsh1, Llsh8,
        LogAnd2, LogOr2, LogXor2, Lrsh1, Lrsh8, Lsh, NumEqual, Plus2, Quotient, Times2,
    };
    Some(match opcode {
        Plus2 | IPlus2 | IPlusN | FPlus2 => Operation::Add,
        Difference | IDifference | IDifferenceN | FDifference => Operation::Subtract,
        Times2 | ITimes2 | FTimes2 => Operation::Multiply,
        Quotient | IQuotient | FQuotient => Operation::Divide,
        IRemainder => Operation::Remainder,
        LogAnd2 => Operation::And,
        LogOr2 => Operation::Or,
        LogXor2 => Operation::Xor,
        Lsh => Operation::Shift,
        Llsh1 => Operation::ShiftLeft(1),
        Llsh8 => Operation::ShiftLeft(8),
        Lrsh1 => Operation::ShiftRight(1),
        Lrsh8 => Operation::ShiftRight(8),
        GreaterP | IGreaterP | FGreaterP => Operation::Greater,
        NumEqual => Operation::Equal,
        _ => return None,
    })
}

impl Translator<'_, '_> {
    /// Translates `step` if it is an instruction of this file.
    pub(super) fn arithmetic(&mut self, step: &Step) -> bool {
        let (opcode, pc) = (step.instruction.opcode, step.instruction.offset);
        if opcode == Opcode::Eql {
            self.eql(step);
            return true;
        }
        let (Some(domain), Some(operation), Effect::Cells { pops, .. }) =
            (feedback::domain(opcode), operation(opcode), step.effect)
        else {
            return false;
        };
        let depth = self.state.stack.len();
        for at in depth - usize::from(pops)..depth {
            self.settle(at);
        }
        let (a, b) = if pops == 2 {
            (self.slot(1), self.slot(0))
        } else {
            let n = step.instruction.number(0).unwrap_or(0);
            (self.slot(0), Slot::Constant(LispPtr::smallpos(n).0))
        };
        let kinds = (self.kind_of(a), self.kind_of(b));
        let compares = opcode.info().kind == OpcodeKind::Compare;
        let strategy = (self.unit.feedback).strategy(pc, domain, kinds.0, kinds.1);
        let result = match strategy {
            Strategy::General => {
                self.general(step);
                return true;
            }
            Strategy::Small if compares => self.compare_small(operation, a, b, pc),
            Strategy::Small => self.small_result(operation, a, b, pc),
            Strategy::Integer => {
                let (a, b) = (self.as_integer(a, pc), self.as_integer(b, pc));
                match operation {
                    Operation::Greater => {
                        let greater = IntCC::SignedGreaterThan;
                        Slot::Condition(self.builder.ins().icmp(greater, a, b))
                    }
                    Operation::Equal => {
                        Slot::Condition(self.builder.ins().icmp(IntCC::Equal, a, b))
                    }
                    _ => Slot::Integer(self.integer_result(operation, a, b, pc)),
                }
            }
            Strategy::Float(a_too, b_too) => {
                let (a, b) = (self.as_float(a, a_too, pc), self.as_float(b, b_too, pc));
                self.float_result(operation, a, b, pc)
            }
        };
        let left = self.state.stack.len() - usize::from(pops);
        self.state.stack.truncate(left);
        self.push_slot(result);
        true
    }

    pub(super) fn biased(&mut self, value: Value) -> Value {
        self.builder.ins().bxor_imm_u(value, i64::from(SIGN))
    }

    /// Both as cells of small integers.
    fn small_operands(&mut self, a: Slot, b: Slot, pc: u32) -> (Value, Value) {
        if let Some(wrong) = self.not_small(&[a, b]) {
            self.give_up_if(wrong, pc);
            self.refine(a, Kind::Small);
            self.refine(b, Kind::Small);
        }
        (self.value_of(a), self.value_of(b))
    }

    fn compare_small(&mut self, operation: Operation, a: Slot, b: Slot, pc: u32) -> Slot {
        let (a, b) = self.small_operands(a, b, pc);
        let holds = if operation == Operation::Equal {
            self.builder.ins().icmp(IntCC::Equal, a, b)
        } else {
            let (a, b) = (self.biased(a), self.biased(b));
            (self.builder.ins()).icmp(IntCC::UnsignedGreaterThan, a, b)
        };
        Slot::Condition(holds)
    }

    fn small_result(&mut self, operation: Operation, a: Slot, b: Slot, pc: u32) -> Slot {
        let constant = small(b);
        let cells = self.small_operands(a, b, pc);
        let ins = |t: &mut Self| match (operation, constant) {
            (Operation::Add, Some(n)) => Some(t.moved(cells.0, n)),
            (Operation::Subtract, Some(n)) => Some(t.moved(cells.0, -n)),
            (Operation::Add, None) => {
                let (a, b) = (t.biased(cells.0), t.biased(cells.1));
                let sum = t.builder.ins().iadd(a, b);
                Some(t.builder.ins().iadd_imm_s(sum, -i64::from(TAG + SIGN)))
            }
            (Operation::Subtract, None) => {
                let (a, b) = (t.biased(cells.0), t.biased(cells.1));
                let difference = t.builder.ins().isub(a, b);
                Some(
                    t.builder
                        .ins()
                        .iadd_imm_s(difference, i64::from(TAG + SIGN)),
                )
            }
            _ => None,
        };
        if let Some(biased) = ins(self) {
            let tag = self.builder.ins().ushr_imm_u(biased, 17);
            let wrong = self.differs(tag, TAG >> 17);
            self.give_up_if(wrong, pc);
            return Slot::Value(self.biased(biased), Kind::Small);
        }
        let bits = match operation {
            Operation::And => self.builder.ins().band(cells.0, cells.1),
            Operation::Or => self.builder.ins().bor(cells.0, cells.1),
            Operation::Xor => {
                let bits = self.builder.ins().bxor(cells.0, cells.1);
                self.builder.ins().bor_imm_u(bits, i64::from(TAG))
            }
            _ => {
                let slots = [(a, cells.0), (b, cells.1)].map(|(slot, cell)| match slot {
                    Slot::Constant(_) => slot,
                    _ => Slot::Value(cell, Kind::Small),
                });
                let [a, b] = slots.map(|slot| self.as_integer(slot, pc));
                let result = self.integer_result(operation, a, b, pc);
                self.tagged(result, pc)
            }
        };
        Slot::Value(bits, Kind::Small)
    }

    /// A biased number plus `n`.
    fn moved(&mut self, cell: Value, n: i32) -> Value {
        let biased = self.biased(cell);
        self.builder.ins().iadd_imm_s(biased, i64::from(n))
    }

    /// The result for integers of 32 bits.
    fn integer_result(&mut self, operation: Operation, a: Value, b: Value, pc: u32) -> Value {
        match operation {
            Operation::Add | Operation::Subtract | Operation::Multiply => {
                let wide = [a, b].map(|value| self.builder.ins().sextend(I64, value));
                let ins = self.builder.ins();
                let result = match operation {
                    Operation::Add => ins.iadd(wide[0], wide[1]),
                    Operation::Subtract => ins.isub(wide[0], wide[1]),
                    _ => ins.imul(wide[0], wide[1]),
                };
                let narrow = self.builder.ins().ireduce(I32, result);
                let again = self.builder.ins().sextend(I64, narrow);
                let wrong = self.unequal(again, result);
                self.give_up_if(wrong, pc);
                narrow
            }
            Operation::Divide | Operation::Remainder => {
                // Neither 0 nor -1, whose quotients have no 32 bits.
                let next = self.builder.ins().iadd_imm_s(b, 1);
                let wrong =
                    (self.builder.ins()).icmp_imm_u(IntCC::UnsignedLessThanOrEqual, next, 1);
                self.give_up_if(wrong, pc);
                if operation == Operation::Divide {
                    self.builder.ins().sdiv(a, b)
                } else {
                    self.builder.ins().srem(a, b)
                }
            }
            Operation::And => self.builder.ins().band(a, b),
            Operation::Or => self.builder.ins().bor(a, b),
            Operation::Xor => self.builder.ins().bxor(a, b),
            Operation::ShiftLeft(n) => self.builder.ins().ishl_imm_u(a, i64::from(n)),
            Operation::ShiftRight(n) => self.builder.ins().ushr_imm_u(a, i64::from(n)),
            Operation::Shift => self.shift(a, b, pc),
            Operation::Greater | Operation::Equal => a,
        }
    }

    /// LSH: to the left without loss, or to the right.
    fn shift(&mut self, a: Value, b: Value, pc: u32) -> Value {
        let range = self.builder.ins().iadd_imm_s(b, 31);
        let wrong = (self.builder.ins()).icmp_imm_u(IntCC::UnsignedGreaterThan, range, 62);
        self.give_up_if(wrong, pc);
        let left = self.builder.ins().ishl(a, b);
        let back = self.builder.ins().sshr(left, b);
        let negative = self.builder.ins().ineg(b);
        let right = self.builder.ins().sshr(a, negative);
        let to_left = (self.builder.ins()).icmp_imm_s(IntCC::SignedGreaterThan, b, 0);
        let lost = self.unequal(back, a);
        let wrong = self.builder.ins().band(lost, to_left);
        self.give_up_if(wrong, pc);
        self.builder.ins().select(to_left, left, right)
    }

    /// A finite result, or a comparison of floats.
    fn float_result(&mut self, operation: Operation, a: Value, b: Value, pc: u32) -> Slot {
        let ins = self.builder.ins();
        let result = match operation {
            Operation::Greater => {
                return Slot::Condition(ins.fcmp(FloatCC::GreaterThan, a, b));
            }
            Operation::Equal => return Slot::Condition(ins.fcmp(FloatCC::Equal, a, b)),
            Operation::Add => ins.fadd(a, b),
            Operation::Subtract => ins.fsub(a, b),
            Operation::Multiply => ins.fmul(a, b),
            _ => ins.fdiv(a, b),
        };
        let bits = self.builder.ins().bitcast(I32, MemFlagsData::new(), result);
        let exponent = self.builder.ins().band_imm_u(bits, 0x7F80_0000);
        let wrong = self.equals(exponent, 0x7F80_0000);
        self.give_up_if(wrong, pc);
        Slot::Float(result)
    }

    /// Numbers without boxes by value; others by identity, else by their contents.
    fn eql(&mut self, step: &Step) {
        let depth = self.state.stack.len();
        self.settle(depth - 1);
        self.settle(depth - 2);
        let (a, b) = (self.slot(1), self.slot(0));
        let pc = step.instruction.offset;
        let holds = match (self.kind_of(a), self.kind_of(b)) {
            (a_kind, b_kind) if a_kind.is_float() && b_kind.is_float() => {
                let (a, b) = (self.as_float(a, false, pc), self.as_float(b, false, pc));
                self.builder.ins().fcmp(FloatCC::Equal, a, b)
            }
            (Kind::Integer, kind) | (kind, Kind::Integer) if kind.is_integer() => {
                let (a, b) = (self.as_integer(a, pc), self.as_integer(b, pc));
                self.builder.ins().icmp(IntCC::Equal, a, b)
            }
            (Kind::Small, _) | (_, Kind::Small) => {
                let (a, b) = (self.value_of(a), self.value_of(b));
                self.builder.ins().icmp(IntCC::Equal, a, b)
            }
            _ => return self.general_eql(step),
        };
        self.pop();
        self.pop();
        self.push_slot(Slot::Condition(holds));
    }
}
