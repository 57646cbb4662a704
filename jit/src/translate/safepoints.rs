//! Polls, and what native code does at them to stay.
//!
//! ```text
//! at a jump back:     attention wanted: safepoint
//! safepoint (cold):   references on the evaluation stack that are not in the Lisp frame
//!                         go to the host frame, with a frame map
//!                     call the machine through the door that changes no register
//!                     it needed no Lisp: go on
//!                     else: store everything, leave at the jump
//! ```
//!
//! Up to the first cell that is not stored the Lisp frame is as it should be, and the machine
//! ends it there. All others are named by the map, but for those that are no references
//! to be counted: numbers without boxes, and constants, which the code holds. Variables are in the
//! Lisp frame, or are numbers. Boxes of numbers that lie nowhere are forgotten: they may
//! be free afterwards.

use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{
    AbiParam, Block, InstBuilder, Signature, StackSlot, StackSlotData, StackSlotKind,
    UserStackMapEntry, Value,
};
use cranelift_codegen::isa::CallConv;

use super::{END, Slot, Translator, trusted};
use crate::flow::Step;
use crate::numbers::Kind;

/// Signature of the door at safepoints: the frame and the point.
pub fn safepoint_signature() -> Signature {
    let mut signature = Signature::new(CallConv::PreserveAll);
    signature.params = [I64; 2].map(AbiParam::new).to_vec();
    signature
}

impl Translator<'_, '_> {
    /// Has the machine served when attention is wanted; leaves if it needs Lisp for that.
    pub(super) fn poll(&mut self, step: &Step) {
        let end = self.builder.ins().load(I32, trusted(), self.base, END);
        let wanted = self.cold_block();
        let next = self.builder.create_block();
        self.builder.ins().brif(end, next, &[], wanted, &[]);
        self.builder.switch_to_block(wanted);
        let stays = !self.host.is_exact && !self.host.is_observed && self.inlined.is_none();
        let state = self.state.clone();
        if stays {
            self.stay(step, next);
        }
        self.leave(step);
        self.state = state;
        if stays {
            self.state.boxes.clear();
        }
        self.reachable = true;
        self.builder.switch_to_block(next);
    }

    /// Waits at a safepoint and goes on to `next`; in the current block, if Lisp is needed.
    fn stay(&mut self, step: &Step, next: Block) {
        let cells = &self.state.stack;
        let stored = cells.iter().take_while(|cell| cell.stored).count();
        let references: Vec<Value> = (cells[stored..].iter())
            .filter_map(|cell| match cell.slot {
                Slot::Value(value, Kind::Any | Kind::BoxedFloat) => Some(value),
                _ => None,
            })
            .collect();
        let held = self.hold(&references);
        let frame = self.frame();
        let point = i64::from(step.instruction.offset) | (stored as i64) << 16;
        let point = self.builder.ins().iconst(I64, point);
        let [frame, point] = [frame, point].map(|value| self.away(value));
        let door = self.builder.ins().iconst(I64, self.host.safepoint);
        let arguments = [frame, point];
        let call = (self.builder.ins()).call_indirect(self.safepoint, door, &arguments);
        for entry in held {
            self.builder
                .func
                .dfg
                .append_user_stack_map_entry(call, entry);
        }
        let answer = self.builder.ins().iconst(I64, self.host.answer);
        let needs_lisp = self.builder.ins().load(I64, trusted(), answer, 0);
        let leave = self.cold_block();
        self.builder.ins().brif(needs_lisp, leave, &[], next, &[]);
        self.builder.switch_to_block(leave);
    }

    /// Puts `references` in the host frame; where they are there.
    fn hold(&mut self, references: &[Value]) -> Vec<UserStackMapEntry> {
        if references.is_empty() {
            return Vec::new();
        }
        let slot = self.held_slot(4 * references.len() as u32);
        let offsets = (0..).step_by(4);
        (references.iter().zip(offsets))
            .map(|(&value, offset)| {
                self.builder.ins().stack_store(I64, value, slot, offset);
                UserStackMapEntry {
                    ty: I32,
                    slot,
                    offset: offset as u32,
                }
            })
            .collect()
    }

    /// The part of the host frame for references, which all safepoints share, of at least
    /// `bytes` bytes.
    fn held_slot(&mut self, bytes: u32) -> StackSlot {
        let data = StackSlotData::new(StackSlotKind::ExplicitSlot, bytes, 2);
        let slot = match self.held {
            Some(slot) => slot,
            None => self.builder.create_sized_stack_slot(data),
        };
        self.held = Some(slot);
        let size = &mut self.builder.func.sized_stack_slots[slot].size;
        *size = bytes.max(*size);
        slot
    }
}
