//! Numbers in and out of their cells and boxes.
//!
//! ```text
//! small integer -> 32 bits:   cell << 15 >> 15
//! 32 bits -> cell:            small ? tag : new box
//! boxed integer, float:       the cell at the box, if the type says so
//! ```

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::immediates::Ieee32;
use cranelift_codegen::ir::types::{F32, I32};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value};
use geiko_runtime::layout::records::types;
use geiko_runtime::memory::LispPtr;

use super::{Slot, Translator};
use crate::numbers::Kind;

/// A small integer's upper bits.
pub(super) const TAG: u32 = 0xE_0000;
/// Those bits.
pub(super) const TAG_BITS: u32 = 0xFFFE_0000;

/// The value of a constant small integer.
pub(super) fn small(slot: Slot) -> Option<i32> {
    match slot {
        Slot::Constant(cell) if cell & TAG_BITS == TAG => Some(((cell << 15) as i32) >> 15),
        _ => None,
    }
}

impl Translator<'_, '_> {
    /// The value of `slot` as something of this kind, or the activation is given up
    /// at `pc`.
    pub(super) fn as_kind(&mut self, slot: Slot, kind: Kind, pc: u32) -> Slot {
        match kind {
            Kind::Any => Slot::Value(self.value_of(slot), Kind::Any),
            Kind::Small => Slot::Value(self.as_small(slot, pc), Kind::Small),
            Kind::Integer => Slot::Integer(self.as_integer(slot, pc)),
            Kind::Float => Slot::Float(self.as_float(slot, false, pc)),
            Kind::BoxedFloat => {
                let value = self.value_of(slot);
                if !self.kind_of(slot).is_float() {
                    self.guard_float(value, pc);
                }
                Slot::Value(value, Kind::BoxedFloat)
            }
        }
    }

    /// The value of a slot as it is: a cell, or an integer that is not in one.
    pub(super) fn raw(&mut self, slot: Slot) -> Value {
        match slot {
            Slot::Integer(value) => value,
            slot => self.value_of(slot),
        }
    }

    /// The cell of a small integer.
    pub(super) fn as_small(&mut self, slot: Slot, pc: u32) -> Value {
        match slot {
            Slot::Integer(value) => self.tagged(value, pc),
            slot => {
                if let Some(wrong) = self.not_small(&[slot]) {
                    self.give_up_if(wrong, pc);
                    self.refine(slot, Kind::Small);
                }
                self.value_of(slot)
            }
        }
    }

    /// An integer as 32 bits.
    pub(super) fn as_integer(&mut self, slot: Slot, pc: u32) -> Value {
        if let Some(n) = small(slot) {
            return self.builder.ins().iconst(I32, i64::from(n));
        }
        match slot {
            Slot::Integer(value) => value,
            slot if self.kind_of(slot) == Kind::Small => {
                let cell = self.value_of(slot);
                self.untagged(cell)
            }
            slot => {
                let cell = self.value_of(slot);
                let (meet, result) = self.meeting(I32);
                let other = self.not_small(&[Slot::Value(cell, Kind::Any)]);
                let boxed = self.builder.create_block();
                let tagged = self.builder.create_block();
                if let Some(other) = other {
                    self.builder.ins().brif(other, boxed, &[], tagged, &[]);
                }
                self.builder.switch_to_block(boxed);
                let number = self.type_number(cell);
                let wrong = self.differs(number, types::FIXP.into());
                self.give_up_if(wrong, pc);
                let value = self.load_cell(cell, 0);
                self.builder.ins().jump(meet, &[value.into()]);
                self.builder.switch_to_block(tagged);
                let value = self.untagged(cell);
                self.builder.ins().jump(meet, &[value.into()]);
                self.builder.switch_to_block(meet);
                result
            }
        }
    }

    /// A float; integers are converted if `also_integers`.
    pub(super) fn as_float(&mut self, slot: Slot, also_integers: bool, pc: u32) -> Value {
        if let Some(n) = small(slot)
            && also_integers
        {
            return self.builder.ins().f32const(Ieee32::with_float(n as f32));
        }
        match slot {
            Slot::Float(value) => value,
            slot if self.kind_of(slot).is_integer() && also_integers => {
                let value = self.as_integer(slot, pc);
                self.builder.ins().fcvt_from_sint(F32, value)
            }
            slot if self.kind_of(slot) == Kind::BoxedFloat => {
                let cell = self.value_of(slot);
                self.float_in(cell)
            }
            slot if !also_integers => {
                let cell = self.value_of(slot);
                self.guard_float(cell, pc);
                self.refine(slot, Kind::BoxedFloat);
                self.float_in(cell)
            }
            slot => {
                let cell = self.value_of(slot);
                let (meet, result) = self.meeting(F32);
                let number = self.type_number(cell);
                let is = self.equals(number, types::FLOATP.into());
                let float = self.builder.create_block();
                let other = self.builder.create_block();
                self.builder.ins().brif(is, float, &[], other, &[]);
                self.builder.switch_to_block(other);
                let value = self.as_integer(Slot::Value(cell, Kind::Any), pc);
                let value = self.builder.ins().fcvt_from_sint(F32, value);
                self.builder.ins().jump(meet, &[value.into()]);
                self.builder.switch_to_block(float);
                let value = self.float_in(cell);
                self.builder.ins().jump(meet, &[value.into()]);
                self.builder.switch_to_block(meet);
                result
            }
        }
    }

    fn guard_float(&mut self, cell: Value, pc: u32) {
        let number = self.type_number(cell);
        let wrong = self.differs(number, types::FLOATP.into());
        self.give_up_if(wrong, pc);
    }

    fn float_in(&mut self, cell: Value) -> Value {
        let address = self.address(cell);
        let flags = MemFlagsData::new().with_notrap();
        self.builder.ins().load(F32, flags, address, 0)
    }

    pub(super) fn untagged(&mut self, cell: Value) -> Value {
        let high = self.builder.ins().ishl_imm_u(cell, 15);
        self.builder.ins().sshr_imm_u(high, 15)
    }

    /// The cell of an integer of 32 bits, if it is small.
    pub(super) fn tagged(&mut self, value: Value, pc: u32) -> Value {
        let wrong = self.too_large(value);
        self.give_up_if(wrong, pc);
        self.tag(value)
    }

    fn too_large(&mut self, value: Value) -> Value {
        let moved = self.builder.ins().iadd_imm_s(value, 0x1_0000);
        self.builder.ins().ushr_imm_u(moved, 17)
    }

    fn tag(&mut self, value: Value) -> Value {
        let low = self.builder.ins().band_imm_u(value, 0x1_FFFF);
        self.builder.ins().bor_imm_u(low, i64::from(TAG))
    }

    /// Not 0 unless all `slots` are small integers; `None` if they are known to be.
    pub(super) fn not_small(&mut self, slots: &[Slot]) -> Option<Value> {
        let mut bits = None;
        for &slot in slots {
            if self.kind_of(slot) == Kind::Small {
                continue;
            }
            let value = self.value_of(slot);
            let tag = self.builder.ins().bxor_imm_u(value, i64::from(TAG));
            bits = Some(match bits {
                None => tag,
                Some(bits) => self.builder.ins().bor(bits, tag),
            });
        }
        let bits = bits?;
        Some(self.builder.ins().band_imm_u(bits, i64::from(TAG_BITS)))
    }

    /// The cell of a number that has none. A number gets one box only, as long as
    /// nothing intervenes.
    pub(super) fn boxed(&mut self, slot: Slot, value: Value) -> Value {
        if let Some(&(_, cell)) = self.state.boxes.iter().find(|(known, _)| *known == value) {
            return cell;
        }
        let cell = if let Slot::Float(_) = slot {
            let bits = self.builder.ins().bitcast(I32, MemFlagsData::new(), value);
            self.new_box(slot, bits)
        } else {
            self.integer_cell(value)
        };
        self.state.boxes.push((value, cell));
        cell
    }

    /// The cell of an integer of 32 bits: a small one, or a new box.
    pub(super) fn integer_cell(&mut self, value: Value) -> Value {
        let (meet, result) = self.meeting(I32);
        let large = self.too_large(value);
        let boxed = self.builder.create_block();
        let small = self.builder.create_block();
        self.builder.ins().brif(large, boxed, &[], small, &[]);
        self.builder.switch_to_block(boxed);
        let cell = self.new_box(Slot::Integer(value), value);
        self.builder.ins().jump(meet, &[cell.into()]);
        self.builder.switch_to_block(small);
        let cell = self.tag(value);
        self.builder.ins().jump(meet, &[cell.into()]);
        self.builder.switch_to_block(meet);
        result
    }

    /// The value of `slot` turned out to be of this kind: so it is wherever else it
    /// stands.
    pub(super) fn refine(&mut self, slot: Slot, kind: Kind) {
        let Slot::Value(value, Kind::Any) = slot else {
            return;
        };
        for cell in &mut self.state.stack {
            if let Slot::Value(other, known) = &mut cell.slot
                && *other == value
            {
                *known = kind;
            }
        }
        for &(read, number) in &self.state.reads {
            if read == value && self.state.locals[number].kind == Kind::Any {
                self.state.locals[number].kind = kind;
            }
        }
    }

    /// What is known of a slot's value.
    pub(super) fn kind_of(&self, slot: Slot) -> Kind {
        match slot {
            Slot::Value(_, kind) => kind,
            Slot::Constant(cell) => self.unit.facts.kind(LispPtr(cell)),
            Slot::Integer(_) => Kind::Integer,
            Slot::Float(_) => Kind::Float,
            Slot::Condition(_) => Kind::Any,
        }
    }

    /// 1 if the integers differ.
    pub(super) fn unequal(&mut self, a: Value, b: Value) -> Value {
        self.builder.ins().icmp(IntCC::NotEqual, a, b)
    }
}
