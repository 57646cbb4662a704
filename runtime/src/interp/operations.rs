//! What instructions do to values, for native code: each function does the work
//! of an instruction whose operands are at hand, or answers `None` when the
//! instruction traps or is not so simple.

use crate::isa::Opcode;
use crate::layout::records::{type_entry, types};
use crate::layout::{Generation, SymbolCell};
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

impl Applicable {
    /// The code block `code` with an environment, NIL for none.
    pub fn new<G: Generation>(code: LispPtr, environment: LispPtr) -> Self {
        let environment = environment.masked::<G>();
        Self {
            code: code.masked::<G>(),
            environment: if environment.is_nil() {
                LispPtr::UNBOUND
            } else {
                environment
            },
        }
    }
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
        if opcode == Opcode::Lsh && self.integer(b) == Some(0) && self.integer(a).is_some() {
            // The operand itself, not another box.
            return Some(a);
        }
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

    /// The code that a call of `function` runs, if it is compiled.
    pub fn applicable(&self, function: LispPtr) -> Option<Applicable> {
        let entry = self.type_entry(function) & type_entry::NUMBER;
        if entry == types::COMPILED_CLOSURE {
            let closure = function.masked::<G>();
            let environment = self.mem.cell(closure.add(2));
            return Some(Applicable::new::<G>(self.mem.cell(closure), environment));
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

    /// Puts the elements of `list` on the stack from `place` on and answers how many there are.
    /// `None`, and nothing is done, if that is no proper list of at most `most` elements,
    /// attention is wanted, or the function that does so, which needs `stack_min` words of the stack,
    /// would get near its end.
    pub fn spread(
        &self,
        place: StackOffset,
        list: LispPtr,
        most: u16,
        stack_min: u16,
    ) -> Option<u16> {
        let mut elements = 0;
        let mut rest = list;
        while !rest.is_nil() {
            if elements == most || !self.is_list(rest) {
                return None;
            }
            elements += 1;
            rest = self.cdr(rest);
        }
        // The number of arguments and the function are still to come.
        let words = 2 * u32::from(elements) + 8 + u32::from(stack_min);
        if self.attention_wanted() || !self.has_stack(place, words) {
            return None;
        }
        let mut rest = list;
        for n in 0..elements {
            self.mem.set_stack(place.add(2 * n), self.car(rest));
            rest = self.cdr(rest);
        }
        Some(elements)
    }

    /// LISTGET, for lists that are not longer than a few thousand cells.
    pub fn property(&self, list: LispPtr, property: LispPtr) -> Option<LispPtr> {
        if self.attention_wanted() {
            return None;
        }
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

    /// ASSOC and FMEMB, and those for keys that EQ can compare, for lists that are not
    /// longer than a few thousand cells.
    pub fn found(&self, opcode: Opcode, key: LispPtr, list: LispPtr) -> Option<LispPtr> {
        use Opcode::{Assoc, CmlAssoc, CmlMember};
        if self.attention_wanted()
            || matches!(opcode, CmlAssoc | CmlMember) && !super::lists::is_immediate::<G>(key)
        {
            return None;
        }
        let pairs = matches!(opcode, Assoc | CmlAssoc);
        let mut list = list;
        for _ in 0..MAX_PROPERTIES {
            if !self.is_list(list) {
                return (pairs || list.is_nil()).then_some(LispPtr::NIL);
            }
            let item = self.car(list);
            if pairs && self.is_list(item) && self.car(item) == key {
                return Some(item);
            }
            if !pairs && item == key {
                return Some(list);
            }
            list = self.cdr(list);
        }
        None
    }

    /// CAR and CDR.
    pub fn part(&self, opcode: Opcode, object: LispPtr) -> Option<LispPtr> {
        match opcode {
            Opcode::Car if self.is_list(object) => Some(self.car(object)),
            Opcode::Car if object == LispPtr::T => Some(object),
            Opcode::Cdr if self.is_list(object) => Some(self.cdr(object)),
            _ => object.is_nil().then_some(object),
        }
    }

    /// EQUAL and CMLEQUAL of two objects that are not EQ.
    pub fn equality(&self, opcode: Opcode, a: LispPtr, b: LispPtr) -> Option<LispPtr> {
        let holds = match opcode {
            Opcode::Equal => self.equal(a, b),
            _ => self.cml_equal(a, b),
        };
        holds.map(LispPtr::from_bool)
    }

    /// ATOMCELL.N.
    #[inline]
    pub fn cell_of_symbol(&self, which: u8, symbol: LispPtr) -> Option<LispPtr> {
        let cell = SymbolCell::of_operand(which)?;
        self.is_symbol(symbol).then(|| G::symbol_cell(symbol, cell))
    }

    #[inline]
    fn is_symbol(&self, object: LispPtr) -> bool {
        object.segment::<G>() == 0
            || self.type_entry(object) & type_entry::NUMBER == types::NEW_ATOM
    }

    /// CHECKAPPLY*.
    #[inline]
    pub fn callable(&self, function: LispPtr) -> Option<LispPtr> {
        let definition = self
            .is_symbol(function)
            .then(|| self.definition(function))?;
        super::calls::evaluates_arguments(definition).then_some(function)
    }

    /// AREF of raw storage.
    pub fn raw_element_of(
        &mut self,
        base: LispPtr,
        kind: LispPtr,
        index: LispPtr,
    ) -> Option<LispPtr> {
        let (kind, index) = self.kind_and_index(kind, index)?;
        self.fetch_element(base, kind, index)
    }

    /// ASET of raw storage; answers the value.
    pub fn set_raw_element(
        &mut self,
        value: LispPtr,
        base: LispPtr,
        kind: LispPtr,
        index: LispPtr,
    ) -> Option<LispPtr> {
        let (kind, index) = self.kind_and_index(kind, index)?;
        self.store_element(value, base, kind, index)
            .then_some(value)
    }

    /// FINDKEY in the frame at `pvar`.
    #[inline]
    pub fn keyword_argument(&self, pvar: StackOffset, first: u16, key: LispPtr) -> LispPtr {
        let frame = Frame::of_pvar(self.mem, pvar);
        let ivar = frame.ivar();
        let count = frame.basic_frame().0.wrapping_sub(ivar.0) / 2;
        let mut number = first;
        while number != 0 && number < count {
            if self.mem.stack(ivar.add(2 * (number - 1))) == key {
                return LispPtr::smallpos(number + 1);
            }
            number += 2;
        }
        LispPtr::NIL
    }

    /// RESTLIST in the frame at `pvar`.
    pub fn rest_arguments(
        &mut self,
        pvar: StackOffset,
        skip: u16,
        tail: LispPtr,
        last: LispPtr,
    ) -> LispPtr {
        let ivar = Frame::of_pvar(self.mem, pvar).ivar();
        let mut number = last.lo();
        let mut list = tail;
        while skip <= number && number != 0 {
            number -= 1;
            let argument = ivar.add(number.wrapping_mul(2));
            list = self.cons(self.mem.stack(argument), list);
        }
        list
    }

    /// MAKENUMBER.
    #[inline]
    pub fn number_of_halves(&mut self, high: LispPtr, low: LispPtr) -> Option<LispPtr> {
        let plain = high.hi() == low.hi() && low == LispPtr::smallpos(low.lo());
        plain.then(|| {
            let value = u32::from(high.lo()) << 16 | u32::from(low.lo());
            self.number(value as i32)
        })
    }

    /// PUTBITS.N.FD at the word `at`.
    #[inline]
    pub fn put_bits(&mut self, at: LispPtr, field: u8, number: LispPtr) -> Option<LispPtr> {
        (number == LispPtr::smallpos(number.lo())).then(|| {
            super::memory_ops::store_field(self.mem, at.masked::<G>(), field, number.lo());
            self.written(at);
            number
        })
    }

    /// PUTBASEBYTE.
    #[inline]
    pub fn put_byte(&mut self, base: LispPtr, offset: LispPtr, byte: LispPtr) -> Option<LispPtr> {
        let offset = offset.small_value::<G>()?;
        (byte == LispPtr::smallpos(byte.lo() & 0xFF)).then(|| {
            self.mem
                .set_byte(base.masked::<G>(), offset, byte.lo() as u8);
            self.written(LispPtr(base.0.wrapping_add_signed(offset >> 1)));
            byte
        })
    }

    /// The word in which a byte lies.
    #[inline]
    pub fn address_of_byte(&self, base: LispPtr, offset: LispPtr) -> LispPtr {
        let offset = offset.small_value::<G>().unwrap_or(0);
        LispPtr(base.0.wrapping_add_signed(offset >> 1))
    }

    /// UBFLOAT1.
    #[inline]
    pub fn raw_float(&mut self, operation: u8, a: LispPtr) -> Option<LispPtr> {
        match operation {
            0 => Some(self.float(f32::from_bits(a.0))),
            1 => self.float_value(a).map(|x| LispPtr(x.to_bits())),
            2 => Some(LispPtr(a.0 & 0x7FFF_FFFF)),
            3 => Some(LispPtr(a.0 ^ 0x8000_0000)),
            _ => None,
        }
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

    /// Finds the free variable of a slot of the frame at `pvar` and answers what the
    /// slot holds then.
    pub fn free_variable(&mut self, pvar: StackOffset, slot: u8) -> Option<LispPtr> {
        self.func = Frame::of_pvar(self.mem, pvar).function();
        self.look_up_slot(pvar, slot).ok()?;
        Some(self.mem.slot(pvar, slot))
    }
}
