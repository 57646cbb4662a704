//! Leaves in the place of their calls.
//!
//! ```text
//! the definition is another by now, or has no native code: call
//! the code of the leaf, with values for variables and no frame
//!     what a leaf cannot do: call
//! its result
//! call: the call, aside; its result, or the activation is given up behind the call if
//!       that is not of the kind that the code is made for
//! ```
//!
//! The call begins anew with the arguments, which are still on the stack of the caller.

use std::collections::{BTreeMap, BTreeSet};

use cranelift_codegen::ir::types::{F32, I32, I64};
use cranelift_codegen::ir::{Block, InstBuilder, Value};
use geiko_runtime::layout::SymbolCell;
use geiko_runtime::memory::LispPtr;

use super::counting::Counts;
use super::known::Known;
use super::leaving::PLACE;
use super::{Local, Place, Slot, StackCell, State, Translator, trusted};
use crate::flow::Step;
use crate::leaves;
use crate::numbers::{Kind, Plan};
use crate::unit::Unit;

/// The leaf that is being translated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inlined {
    /// Where to go for the call.
    call: Block,
    /// The same, for what the leaf cannot do.
    miss: Block,
    /// Where to go with the result.
    meet: Block,
    /// The kind of the result there.
    kind: Kind,
}

impl<'a> Translator<'a, '_> {
    /// Puts the leaf that `step` calls in its place. False if it calls none.
    pub(super) fn leaf_call(&mut self, step: &Step) -> bool {
        let unit: &'a Unit = self.unit;
        let Some((symbol, leaf)) = unit.leaf(step) else {
            return false;
        };
        let (Some(callee), Some((_, argc))) = (unit.facts.callee(symbol), leaves::called(step))
        else {
            return false;
        };
        let first = self.state.stack.len() - usize::from(argc);
        for depth in first..self.state.stack.len() {
            self.settle(depth);
        }
        let slots: Vec<_> = self.state.stack[first..].iter().map(|c| c.slot).collect();
        let kinds: Vec<_> = slots.iter().map(|&slot| self.kind_of(slot)).collect();
        let Some((plan, kind)) = Plan::of_leaf(leaf, &kinds) else {
            return false;
        };
        let kind = unit.feedback.trusted(step.next, kind);
        let (meet, result) = self.meeting(if kind == Kind::Float { F32 } else { I32 });
        // A leaf in a leaf: all of it is forgotten.
        let (call, miss) = match self.inlined {
            Some(outer) => (outer.call, outer.miss),
            None => (self.cold_block(), self.cold_block()),
        };
        let counts = self.counts();
        if self.inlined.is_none() {
            let depth = self.state.stack.len();
            self.call_if_stack_is_short(depth, leaf, call);
        }

        let cell = (self.layout.symbol_cell)(symbol, SymbolCell::Definition);
        let definition = self.load_fixed(cell);
        let same = self.equals(definition, callee.definition.0);
        self.go_on_if(same, call);
        let record = self.builder.ins().iconst(I64, callee.entry);
        let entry = self.builder.ins().load(I64, trusted(), record, 0);
        self.go_on_if(entry, call);

        let inlined = Inlined {
            call,
            miss,
            meet,
            kind,
        };
        self.leaf(leaf, plan, &slots, inlined);
        if self.inlined.is_none() {
            self.call_instead(step, (symbol, argc), &inlined, &counts);
        }
        self.builder.switch_to_block(meet);
        self.reachable = true;
        // The call has been counted.
        self.state.pending = -1;
        self.state.stack.truncate(first);
        self.push_slot(match kind {
            Kind::Float => Slot::Float(result),
            Kind::Integer => Slot::Integer(result),
            kind => Slot::Value(result, kind),
        });
        self.fall(step);
        true
    }

    /// The code of `leaf` for these arguments.
    fn leaf(&mut self, leaf: &'a Unit, plan: Plan, arguments: &[Slot], inlined: Inlined) {
        let state = self.leaf_state(leaf, arguments);
        let places = (leaf.flow.leaders.iter())
            .map(|(&pc, &ways)| {
                let place = Place {
                    block: self.builder.create_block(),
                    single: ways == 1,
                    state: None,
                };
                (pc, place)
            })
            .collect();
        let depths = 0..leaf.flow.max_depth;
        let stack = depths
            .clone()
            .map(|_| self.builder.declare_var(I32))
            .collect();
        let float_stack = depths.map(|_| self.builder.declare_var(F32)).collect();
        // The translator works on the leaf for a while.
        let unit = std::mem::replace(&mut self.unit, leaf);
        let caller_plan = std::mem::replace(&mut self.plan, plan);
        let caller_state = std::mem::replace(&mut self.state, state);
        let caller_places: BTreeMap<u32, Place> = std::mem::replace(&mut self.places, places);
        let caller_stack = std::mem::replace(&mut self.stack_variables, stack);
        let caller_floats = std::mem::replace(&mut self.float_stack_variables, float_stack);
        let caller_reached: BTreeSet<u32> = std::mem::take(&mut self.reached);
        let outer = self.inlined.replace(inlined);
        let current = std::mem::replace(&mut self.current, leaf.start);
        let counted = std::mem::replace(&mut self.counted, 0..0);
        self.go_to(leaf.start);
        while let Some(pc) = self.reached.pop_first() {
            self.basic_block(pc);
        }
        for place in std::mem::replace(&mut self.places, caller_places).values() {
            if place.state.is_none() {
                // Never reached.
                self.builder.switch_to_block(place.block);
                self.builder.ins().jump(inlined.miss, &[]);
            }
        }
        self.unit = unit;
        self.plan = caller_plan;
        self.state = caller_state;
        self.stack_variables = caller_stack;
        self.float_stack_variables = caller_floats;
        self.reached = caller_reached;
        self.inlined = outer;
        self.current = current;
        self.counted = counted;
    }

    /// The variables of `leaf`, all of which are values.
    fn leaf_state(&mut self, leaf: &Unit, arguments: &[Slot]) -> State {
        let unbound = Slot::Constant(LispPtr::UNBOUND.0);
        let slots = (0..leaf.slots).map(|_| unbound);
        let mut locals = Vec::new();
        for slot in arguments.iter().copied().chain(slots) {
            let local = Local {
                variable: self.builder.declare_var(I32),
                float_variable: self.builder.declare_var(F32),
                cached: true,
                published: false,
                kind: self.kind_of(slot),
                home: 0,
            };
            match slot {
                Slot::Float(value) => self.builder.def_var(local.float_variable, value),
                slot => {
                    let value = self.raw(slot);
                    self.builder.def_var(local.variable, value);
                }
            }
            locals.push(local);
        }
        State {
            locals,
            stack: Vec::new(),
            reads: Vec::new(),
            known: Known::default(),
            // The call.
            pending: 1,
            ..self.state.clone()
        }
    }

    /// The call of the function that is a leaf.
    fn call_instead(
        &mut self,
        step: &Step,
        (symbol, argc): (LispPtr, u16),
        inlined: &Inlined,
        counts: &Counts,
    ) {
        self.builder.switch_to_block(inlined.miss);
        let [code, pc] = [self.unit.code.0, step.instruction.offset]
            .map(|n| self.builder.ins().iconst(I64, i64::from(n)));
        self.call_machine(self.host.missed, [code, pc, pc, pc]);
        self.builder.ins().jump(inlined.call, &[]);
        self.builder.switch_to_block(inlined.call);
        self.set_counts(counts);
        let state = self.state.clone();
        let first = state.stack.len() - usize::from(argc);
        self.store_stack();
        let (called, value) = self.meeting(I32);
        let slow = self.cold_block();
        self.builder.set_cold_block(called);
        if let Some(callee) = self.unit.facts.callee(symbol) {
            let call = self.compiled(symbol, callee, (first, argc), (slow, called), true);
            self.native_call(&call, step);
        }
        self.builder.switch_to_block(slow);
        let answer = self.execute(step);
        self.count(1);
        self.builder.ins().jump(called, &[answer.into()]);
        self.builder.switch_to_block(called);
        self.state.stack.truncate(first);
        self.state.stack.push(StackCell {
            slot: Slot::Value(value, Kind::Any),
            stored: false,
        });
        let slot = Slot::Value(value, Kind::Any);
        let result = self.as_kind(slot, inlined.kind, step.next | PLACE);
        let result: Value = match result {
            Slot::Float(value) => value,
            slot => self.raw(slot),
        };
        self.builder.ins().jump(inlined.meet, &[result.into()]);
        self.state = state;
    }

    /// Ends the block of a leaf with a jump to the call. False outside of leaves.
    pub(super) fn call_instead_of_leaf(&mut self) -> bool {
        let Some(inlined) = self.inlined else {
            return false;
        };
        self.builder.ins().jump(inlined.miss, &[]);
        true
    }

    /// Ends the block of a leaf with its result. False outside of leaves.
    pub(super) fn return_from_leaf(&mut self, step: &Step) -> bool {
        let Some(inlined) = self.inlined else {
            return false;
        };
        let slot = self.slot(0);
        let result = self.as_kind(slot, inlined.kind, step.instruction.offset);
        let result = match result {
            Slot::Float(value) => value,
            slot => self.raw(slot),
        };
        self.state.pending += 1;
        self.count_pending();
        self.builder.ins().jump(inlined.meet, &[result.into()]);
        self.reachable = false;
        true
    }
}
