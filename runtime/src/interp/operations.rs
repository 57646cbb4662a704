//! What instructions do to values, for native code: each function does the work
//! of an instruction whose operands are at hand, or answers `None` when the
//! instruction traps or is not so simple.

use crate::isa::Opcode;
use crate::layout::Generation;
use crate::layout::records::{type_entry, types};
use crate::machine::Machine;
use crate::memory::{LispPtr, StackOffset};
use crate::stack::Frame;

use super::integers::shift;

/// Most properties that are passed without looking at interrupts.
const MAX_PROPERTIES: u32 = 4096;

/// A number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// An integer, small or boxed.
    Integer(i32),
    /// A float.
    Float(f32),
}

/// What a function object is called with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applicable {
    /// The code block.
    pub code: LispPtr,
    /// What the first PVAR slot is filled with.
    pub environment: LispPtr,
}

impl<G: Generation> Machine<'_, G> {
    /// The result of arithmetic on numbers of any kind.
    pub fn compute(&self, opcode: Opcode, a: LispPtr, b: LispPtr) -> Option<Number> {
        use Opcode::{
            Difference, FDifference, FPlus2, FQuotient, FTimes2, IDifference, IDifferenceN, IPlus2,
            IPlusN, IQuotient, IRemainder, ITimes2, Llsh1, Llsh8, LogAnd2, LogOr2, LogXor2, Lrsh1,
            Lrsh8, Lsh, Plus2, Quotient, Times2,
        };
        let is_float = matches!(opcode, FPlus2 | FDifference | FTimes2 | FQuotient);
        if !is_float && let (Some(a), Some(b)) = (self.integer(a), self.integer(b)) {
            let result = match opcode {
                Plus2 | IPlus2 | IPlusN => a.checked_add(b),
                Difference | IDifference | IDifferenceN => a.checked_sub(b),
                Times2 | ITimes2 => a.checked_mul(b),
                Quotient | IQuotient => a.checked_div(b),
                IRemainder => (b != 0).then(|| a.wrapping_rem(b)),
                LogAnd2 => Some(a & b),
                LogOr2 => Some(a | b),
                LogXor2 => Some(a ^ b),
                Lsh => shift(a, b),
                Llsh1 => Some(a << 1),
                Llsh8 => Some(a << 8),
                Lrsh1 => Some((a as u32 >> 1) as i32),
                Lrsh8 => Some((a as u32 >> 8) as i32),
                _ => None,
            };
            return result.map(Number::Integer);
        }
        let operation: fn(f32, f32) -> f32 = match opcode {
            Plus2 | FPlus2 => |a, b| a + b,
            Difference | FDifference => |a, b| a - b,
            Times2 | FTimes2 => |a, b| a * b,
            Quotient | FQuotient => |a, b| a / b,
            _ => return None,
        };
        let result = operation(self.float_value(a)?, self.float_value(b)?);
        result.is_finite().then_some(Number::Float(result))
    }

    /// Arithmetic on numbers of any kind.
    pub fn arithmetic(&mut self, opcode: Opcode, a: LispPtr, b: LispPtr) -> Option<LispPtr> {
        self.compute(opcode, a, b).map(|number| match number {
            Number::Integer(n) => self.number(n),
            Number::Float(x) => self.float(x),
        })
    }

    /// The number in a cell or a box.
    pub fn number_in(&self, cell: LispPtr) -> Option<Number> {
        match self.integer(cell) {
            Some(n) => Some(Number::Integer(n)),
            None => self.float_value(cell).map(Number::Float),
        }
    }

    /// Comparison of two numbers of any kind; T or NIL.
    pub fn comparison(&mut self, opcode: Opcode, a: LispPtr, b: LispPtr) -> Option<LispPtr> {
        let holds = match opcode {
            Opcode::GreaterP => self.greater(a, b),
            Opcode::IGreaterP => Some(self.integer(a)? > self.integer(b)?),
            Opcode::FGreaterP => Some(self.float_value(a)? > self.float_value(b)?),
            Opcode::NumEqual => self.number_equal(a, b),
            Opcode::Eql => self.eql(a, b),
            _ => None,
        };
        holds.map(LispPtr::from_bool)
    }

    /// RPLACA and RPLACD of a list cell; answers the cell.
    pub fn replace(&mut self, opcode: Opcode, list: LispPtr, value: LispPtr) -> Option<LispPtr> {
        if !self.is_list(list) {
            return None;
        }
        if opcode == Opcode::Rplaca {
            self.rplaca(list, value);
        } else {
            self.rplacd(list, value);
        }
        Some(list)
    }

    /// A new instance of the type whose number, a small integer, is given.
    pub fn create(&mut self, number: LispPtr) -> Option<LispPtr> {
        if number != LispPtr::smallpos(number.lo()) {
            return None;
        }
        self.create_cell(number.lo())
    }

    /// Stores in a free variable's cell: counted unless it is on the stack.
    pub fn store_free(&mut self, address: LispPtr, value: LispPtr) {
        if address.0 >> 16 != crate::layout::STACK.0 >> 16 {
            self.del_ref(self.mem.cell(address).masked::<G>());
            self.add_ref(value.masked::<G>());
        }
        self.mem.set_cell(address, value);
    }

    /// The code that a call of `function` runs, if it is compiled.
    pub fn applicable(&self, function: LispPtr) -> Option<Applicable> {
        let entry = self.type_entry(function) & type_entry::NUMBER;
        if entry == types::COMPILED_CLOSURE {
            let closure = function.masked::<G>();
            let environment = self.mem.cell(closure.add(2)).masked::<G>();
            let nothing = environment.is_nil();
            return Some(Applicable {
                code: self.mem.cell(closure).masked::<G>(),
                environment: if nothing {
                    LispPtr::UNBOUND
                } else {
                    environment
                },
            });
        }
        if function.segment::<G>() != 0 && entry != types::NEW_ATOM {
            return None;
        }
        let definition = self.definition(function);
        definition.has_sign().then(|| Applicable {
            code: definition.masked::<G>(),
            environment: LispPtr::UNBOUND,
        })
    }

    /// LISTGET, for lists that are not longer than a few thousand cells.
    pub fn property(&self, list: LispPtr, property: LispPtr) -> Option<LispPtr> {
        let mut list = list;
        for _ in 0..MAX_PROPERTIES {
            if list.is_nil() {
                return Some(LispPtr::NIL);
            }
            let rest = self.is_list(list).then(|| self.cdr(list))?;
            if !self.is_list(rest) {
                return rest.is_nil().then_some(LispPtr::NIL);
            }
            if self.car(list) == property {
                return Some(self.car(rest));
            }
            list = self.cdr(rest);
        }
        None
    }

    /// DTEST.
    pub fn checked(&self, object: LispPtr, name: LispPtr) -> Option<LispPtr> {
        self.is_instance(object, name).then_some(object)
    }

    /// INSTANCEP.
    pub fn instance(&self, object: LispPtr, name: LispPtr) -> LispPtr {
        LispPtr::from_bool(self.is_instance(object, name))
    }

    /// RPLCONS.
    pub fn append(&mut self, list: LispPtr, item: LispPtr) -> Option<LispPtr> {
        self.is_list(list).then(|| self.rplcons(list, item))
    }

    /// ADDBASE.
    pub fn offset_base(&self, base: LispPtr, offset: LispPtr) -> Option<LispPtr> {
        let offset = self.integer(offset)?;
        Some(LispPtr(base.masked::<G>().0.wrapping_add_signed(offset)))
    }

    /// Finds the free variable of a slot of the frame at `pvar` and answers its
    /// value.
    pub fn free_variable(&mut self, pvar: StackOffset, slot: u8) -> Option<LispPtr> {
        self.func = Frame::of_pvar(self.mem, pvar).function();
        self.look_up_slot(pvar, slot).ok()?;
        let slot = self.mem.slot(pvar, slot);
        Some(self.mem.cell(crate::stack::slot_address::<G>(slot)))
    }
}
