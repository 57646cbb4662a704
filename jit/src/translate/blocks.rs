//! Basic blocks: what is known where they begin, and the entries in the middle.
//!
//! A block with one way to it begins with the state of its end. Where ways meet,
//! stack cells and variables go through Cranelift's variables, and the state of
//! the way that came first is what the others must provide.

use super::known::Known;
use super::leaving::PLACE;
use super::*;

impl Translator<'_, '_> {
    /// Ends the block with a jump to the instruction at `pc`.
    pub(super) fn go_to(&mut self, pc: u32) {
        let (depth, step) = (self.state.stack.len(), self.unit.flow.step(pc));
        let expected = step.and_then(|step| Some(step.stack.as_ref()?.len()));
        if step.is_some_and(|step| step.disputed)
            || self.host.is_exact && expected.is_some_and(|expected| expected != depth)
        {
            return self.leave_at(pc, depth);
        }
        self.count_pending();
        let state = self.state.clone();
        self.drop_extra(pc);
        self.conform(pc);
        let block = self.places[&pc].block;
        self.builder.ins().jump(block, &[]);
        self.state = state;
        self.reachable = false;
    }

    /// Drops the cells that other ways to `pc` do not bring.
    fn drop_extra(&mut self, pc: u32) {
        let unit = self.unit;
        let expected = unit.flow.step(pc).and_then(|step| step.stack.as_deref());
        let (Some(expected), Some(step)) = (expected, unit.flow.step(self.current)) else {
            return;
        };
        let depth = self.state.stack.len();
        if depth <= expected.len() {
            return;
        }
        if let Some(cells) = unit.flow.needed(pc) {
            self.state.stack.drain(..depth - cells);
            for cell in &mut self.state.stack {
                cell.stored = false;
            }
            return;
        }
        let before = step.stack.as_deref().unwrap_or(&[]);
        let Some((fall, jump)) = flow::successors(step, before) else {
            return;
        };
        let jumps = step.instruction.target() == Some(pc as i32);
        let after = if jumps { jump } else { fall };
        let extra = flow::extra(after.as_deref().unwrap_or(&[]), expected.len());
        for cell in &mut self.state.stack[extra.start..] {
            cell.stored = false;
        }
        self.state.stack.drain(extra);
    }

    /// Brings the state to what the instruction at `pc` expects.
    pub(super) fn conform(&mut self, pc: u32) {
        let Some(place) = self.places.get(&pc) else {
            return;
        };
        if place.single {
            self.reach(pc, self.state.clone());
            return;
        }
        let Kinds { locals, stack } = self.plan.at(pc).unwrap_or_default();
        let wanted = |kinds: &[Kind], n: usize| kinds.get(n).copied().unwrap_or(Kind::Any);
        let expected = self.places[&pc].state.clone();
        // All values first: while they are computed the activation may be given up,
        // and then the variables must be what the state says.
        let mut values = Vec::new();
        for depth in 0..self.state.stack.len() {
            self.settle(depth);
            let slot = self.state.stack[depth].slot;
            let slot = self.as_kind(slot, wanted(&stack, depth), pc | PLACE);
            values.push(match slot {
                Slot::Float(value) => (self.float_stack_variables[depth], value),
                slot => (self.stack_variables[depth], self.raw(slot)),
            });
        }
        for number in 0..self.state.locals.len() {
            let local = self.state.locals[number];
            let wanted = wanted(&locals, number);
            let is_home = !matches!(local.kind, Kind::Float | Kind::Integer);
            let is_cached = (expected.as_ref()).map_or(local.cached, |e| e.locals[number].cached);
            if is_home && wanted == Kind::Any && !is_cached {
                continue;
            }
            let slot = self.local(number);
            let slot = self.as_kind(slot, wanted, pc | PLACE);
            values.push(match slot {
                Slot::Float(value) => (local.float_variable, value),
                slot => (local.variable, self.raw(slot)),
            });
            if let Slot::Value(value, _) = slot
                && !is_home
            {
                self.store_home(value, local.home);
            }
        }
        for (variable, value) in values {
            self.builder.def_var(variable, value);
        }
        if expected.is_none() {
            let mut state = self.state.clone();
            state.boxes.clear();
            state.reads.clear();
            state.known = Known::default();
            for (number, local) in state.locals.iter_mut().enumerate() {
                local.kind = wanted(&locals, number);
                local.cached |= local.kind != Kind::Any;
            }
            self.reach(pc, state);
        }
    }

    pub(super) fn reach(&mut self, pc: u32, state: State) {
        if let Some(place) = self.places.get_mut(&pc) {
            place.state = Some(state);
            self.reached.insert(pc);
        }
    }

    /// Starts the basic block at `pc`.
    pub(super) fn begin(&mut self, pc: u32) {
        let Some(Place {
            block,
            single,
            state,
        }) = self.places.get(&pc).cloned()
        else {
            return;
        };
        let Some(state) = state else {
            return;
        };
        self.reachable = true;
        self.builder.switch_to_block(block);
        self.state = state;
        if !single {
            let kinds = self.plan.at(pc).unwrap_or_default().stack;
            for depth in 0..self.state.stack.len() {
                let slot = match kinds.get(depth).copied().unwrap_or(Kind::Any) {
                    Kind::Float => {
                        Slot::Float(self.builder.use_var(self.float_stack_variables[depth]))
                    }
                    Kind::Integer => {
                        Slot::Integer(self.builder.use_var(self.stack_variables[depth]))
                    }
                    kind => Slot::Value(self.builder.use_var(self.stack_variables[depth]), kind),
                };
                self.state.stack[depth] = StackCell {
                    slot,
                    stored: false,
                };
            }
        }
        if self.inlined.is_some() {
            // There is no frame to look at.
            return;
        }
        self.leave_if_tick_is_near(pc);
        if self.host.is_observed {
            self.observe(pc);
        }
    }

    /// Goes on behind an instruction.
    pub(super) fn fall(&mut self, step: &Step) {
        self.state.pending += 1;
        if self.places.contains_key(&step.next) {
            self.go_to(step.next);
        } else if !self.unit.flow.at.contains_key(&step.next) {
            // The end of the code: only bad code gets here.
            let depth = self.state.stack.len();
            self.leave_at(step.next, depth);
        }
    }

    /// The entries in the middle: everything is in the frame.
    pub(super) fn middle(&mut self, place: Value, number: Value) {
        let places = &self.places;
        self.entries
            .retain(|pc| places.get(pc).is_some_and(|place| place.state.is_some()));
        let frame = self.builder.ins().iadd_imm_s(place, -AWAY);
        self.builder.def_var(self.frame, frame);
        let number = self.builder.ins().ushr_imm_u(number, 1);
        let blocks: Vec<_> = (self.entries.iter())
            .map(|_| self.builder.create_block())
            .collect();
        let calls: Vec<_> = (blocks.iter())
            .map(|&block| self.builder.func.dfg.block_call(block, &[] as &[BlockArg]))
            .collect();
        let table = self
            .builder
            .create_jump_table(JumpTableData::new(calls[0], &calls));
        self.builder.ins().br_table(number, table);
        for (pc, block) in self.entries.clone().into_iter().zip(blocks) {
            self.builder.switch_to_block(block);
            let Some(Place {
                state: Some(mut state),
                ..
            }) = self.places.get(&pc).cloned()
            else {
                continue;
            };
            for local in &mut state.locals {
                local.cached = false;
                local.kind = Kind::Any;
            }
            for depth in 0..state.stack.len() {
                let value = self.load_home(self.stack_home(depth));
                state.stack[depth] = StackCell {
                    slot: Slot::Value(value, Kind::Any),
                    stored: true,
                };
            }
            self.state = state;
            self.go_to(pc);
        }
    }
}
