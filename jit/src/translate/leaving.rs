//! Ways out of native code: operations of the machine, single instructions and
//! rests of activations that the interpreter takes over.

use cranelift_codegen::ir::InstructionData;

use super::ends::End;
use super::known::Known;
use super::*;

/// Flag of a pc: what was wrong is a guess about variables where ways meet.
pub(super) const PLACE: u32 = 1 << 31;

impl Translator<'_, '_> {
    /// Leaves the rest of the activation, from the instruction of `step`, to the
    /// interpreter. Ends the block.
    pub(super) fn leave(&mut self, step: &Step) {
        let depth = self.state.stack.len();
        self.leave_at(step.instruction.offset, depth);
    }

    pub(super) fn leave_at(&mut self, pc: u32, depth: usize) {
        self.leave_through(self.host.finish, pc, depth);
    }

    fn leave_through(&mut self, shim: i64, pc: u32, depth: usize) {
        if self.call_instead_of_leaf() {
            self.reachable = false;
            return;
        }
        self.store_stack();
        self.uncount_from(pc);
        self.count_pending();
        let frame = self.frame();
        let is_place = i64::from(pc & PLACE != 0);
        let point = i64::from(pc & !PLACE) | (depth as i64) << 16 | is_place << 32;
        let point = self.builder.ins().iconst(I64, point);
        let outcome = self.call_shim(shim, frame, point);
        self.jump_to_end(End::Outcome, &[outcome]);
        self.reachable = false;
    }

    /// Gives up the activation at the instruction at `pc`, or at the [`PLACE`] there, if `wrong` is not 0: what
    /// the code was made for is not the case.
    pub(super) fn give_up_if(&mut self, wrong: Value, pc: u32) {
        let cold = self.builder.create_block();
        let go_on = self.builder.create_block();
        self.builder.set_cold_block(cold);
        self.builder.ins().brif(wrong, cold, &[], go_on, &[]);
        self.builder.switch_to_block(cold);
        self.give_up(pc);
        self.builder.switch_to_block(go_on);
    }

    /// Gives up the activation in the current block, and keeps the state for others.
    pub(super) fn give_up(&mut self, pc: u32) {
        let state = self.state.clone();
        let reachable = self.reachable;
        let depth = self.state.stack.len();
        self.leave_through(self.host.give_up, pc, depth);
        self.state = state;
        self.reachable = reachable;
    }

    /// A block that is seldom entered.
    pub(super) fn cold_block(&mut self) -> Block {
        let block = self.builder.create_block();
        self.builder.set_cold_block(block);
        block
    }

    /// True while a block is emitted that is seldom entered. What it calls it calls
    /// aside, without changing registers, so that they stay free for the others.
    fn is_aside(&self) -> bool {
        let layout = &self.builder.func.layout;
        (self.builder.current_block()).is_some_and(|block| layout.is_cold(block))
    }

    /// What is passed for the argument `value`; see [`native_signature`].
    pub(super) fn away(&mut self, value: Value) -> Value {
        let constant = self.constant_in(value);
        match constant {
            Some(n) => self.builder.ins().iconst(I64, n.wrapping_add(AWAY)),
            None => self.builder.ins().iadd_imm_s(value, AWAY),
        }
    }

    /// The constant that `value` is.
    fn constant_in(&self, value: Value) -> Option<i64> {
        let dfg = &self.builder.func.dfg;
        let data = dfg.value_def(value).inst().map(|inst| dfg.insts[inst]);
        match data {
            Some(InstructionData::UnaryImm { imm, .. }) => Some(imm.bits()),
            _ => None,
        }
    }

    /// Calls something, with the context and these arguments, that leaves the registers as they
    /// are.
    fn call_aside(&mut self, address: i64, arguments: &[Value]) -> Value {
        let door = self.builder.ins().iconst(I64, self.host.aside);
        let address = self.builder.ins().iconst(I64, address);
        let mut all = [address; 5];
        for (place, &argument) in all[1..].iter_mut().zip(arguments) {
            *place = self.away(argument);
        }
        self.builder.ins().call_indirect(self.aside, door, &all);
        let answer = self.builder.ins().iconst(I64, self.host.answer);
        self.builder.ins().load(I64, trusted(), answer, 0)
    }

    /// Tells the machine that `pc` is reached. Everything is in the frame for it, and is
    /// where it was for what follows.
    pub(super) fn observe(&mut self, pc: u32) {
        let state = self.state.clone();
        self.store_stack();
        let frame = self.frame();
        let point = i64::from(pc) | (self.state.stack.len() as i64) << 16;
        let point = self.builder.ins().iconst(I64, point);
        self.call_shim(self.host.observe, frame, point);
        self.state = state;
    }

    pub(super) fn call_shim(&mut self, address: i64, frame: Value, point: Value) -> Value {
        let address = self.builder.ins().iconst(I64, address);
        let context = self.builder.ins().iconst(I64, self.host.context);
        let frame = self.away(frame);
        let call = self
            .builder
            .ins()
            .call_indirect(self.shim, address, &[context, frame, point]);
        self.builder.inst_results(call)[0]
    }

    /// Has the interpreter execute the instruction of `step`, on the whole stack
    /// as it is. Answers the new top of stack; the instruction's result is not
    /// pushed.
    pub(super) fn execute(&mut self, step: &Step) -> Value {
        self.store_stack();
        let pending = self.state.pending;
        self.count_pending();
        let frame = self.frame();
        let depth = self.state.stack.len() as i64;
        let point = i64::from(step.instruction.offset) | depth << 16 | i64::from(step.next) << 32;
        let point = self.builder.ins().iconst(I64, point);
        let value = self.execute_at(frame, point);
        // What goes on here has not counted these.
        self.count(-pending - 1);
        self.state.pending = pending;
        value
    }

    /// The same for the instruction at `point`, which says how deep the stack is and where the
    /// next instruction is. All is stored and counted.
    pub(super) fn execute_at(&mut self, frame: Value, point: Value) -> Value {
        let outcome = if self.is_aside() {
            self.call_aside(self.host.execute, &[frame, point])
        } else {
            self.call_shim(self.host.execute, frame, point)
        };
        let status = self.builder.ins().ushr_imm_u(outcome, 32);
        let ended = self.builder.create_block();
        let next = self.builder.create_block();
        self.builder.set_cold_block(ended);
        self.builder.ins().brif(status, ended, &[], next, &[]);
        self.builder.switch_to_block(ended);
        self.uncount_rest();
        let value = self.builder.ins().ireduce(I32, outcome);
        let status = self.builder.ins().ireduce(I32, status);
        let status = self.builder.ins().iadd_imm_s(status, -1);
        self.jump_to_end(End::Ended, &[value, status]);
        self.builder.switch_to_block(next);
        self.builder.ins().ireduce(I32, outcome)
    }

    /// Emits a slow path: a cold block, entered when `condition` is not 0, in which
    /// the interpreter executes the instruction of `step`. Both ways meet in a
    /// block with the result as its parameter; answers it. Goes on on the fast way.
    pub(super) fn slow_if(&mut self, condition: Value, step: &Step, meet: Block) {
        let slow = self.builder.create_block();
        let fast = self.builder.create_block();
        self.builder.set_cold_block(slow);
        self.builder.ins().brif(condition, slow, &[], fast, &[]);
        self.builder.switch_to_block(slow);
        self.slow(step, meet);
        self.builder.switch_to_block(fast);
    }

    /// The rest of a slow path in the current block.
    pub(super) fn slow(&mut self, step: &Step, meet: Block) {
        if self.call_instead_of_leaf() {
            return;
        }
        let state = self.state.clone();
        self.contents_may_differ();
        self.store_stack();
        self.count_pending();
        self.trap(step, state.pending, meet);
        let result = self.execute(step);
        self.count(-state.pending);
        self.builder.ins().jump(meet, &[result.into()]);
        self.state = state;
    }

    /// A block where ways meet with a result.
    pub(super) fn meeting(&mut self, ty: Type) -> (Block, Value) {
        let block = self.builder.create_block();
        let value = self.builder.append_block_param(block, ty);
        (block, value)
    }

    /// Calls an operation, which cannot fail, with up to four cells.
    pub(super) fn operate(&mut self, operation: i64, cells: &[Value]) -> Value {
        let answer = self.call_operation(operation, cells);
        self.builder.ins().ireduce(I32, answer)
    }

    /// Calls an operation; if it does nothing, the interpreter executes `step`. Both
    /// ways meet; answers the result there.
    pub(super) fn operate_or_execute(
        &mut self,
        operation: i64,
        cells: &[Value],
        step: &Step,
    ) -> Value {
        let (meet, result) = self.meeting(I32);
        self.operate_and_meet(operation, cells, step, meet);
        self.builder.switch_to_block(meet);
        result
    }

    /// The same, for a block of its own that goes on to `meet`.
    pub(super) fn operate_and_meet(
        &mut self,
        operation: i64,
        cells: &[Value],
        step: &Step,
        meet: Block,
    ) {
        self.operate_through(operation, cells, step, meet, meet);
    }

    /// The same, going through `done` if the operation did it.
    pub(super) fn operate_through(
        &mut self,
        operation: i64,
        cells: &[Value],
        step: &Step,
        done: Block,
        meet: Block,
    ) {
        let answer = self.call_operation(operation, cells);
        let not_done = self.builder.ins().ushr_imm_u(answer, 32);
        let value = self.builder.ins().ireduce(I32, answer);
        let slow = self.builder.create_block();
        self.builder.set_cold_block(slow);
        self.builder
            .ins()
            .brif(not_done, slow, &[], done, &[value.into()]);
        self.builder.switch_to_block(slow);
        self.slow(step, meet);
    }

    pub(super) fn call_operation(&mut self, operation: i64, cells: &[Value]) -> Value {
        let nothing = self.builder.ins().iconst(I64, 0);
        let mut arguments = [nothing; 4];
        for (argument, &cell) in arguments.iter_mut().zip(cells) {
            *argument = self.builder.ins().uextend(I64, cell);
        }
        self.call_machine(operation, arguments)
    }

    /// Calls the machine with the context and four arguments.
    pub(super) fn call_machine(&mut self, address: i64, arguments: [Value; 4]) -> Value {
        if self.is_aside() {
            return self.call_aside(address, &arguments);
        }
        let address = self.builder.ins().iconst(I64, address);
        let context = self.builder.ins().iconst(I64, self.host.context);
        let [a, b, c, d] = arguments;
        let call =
            self.builder
                .ins()
                .call_indirect(self.operation, address, &[context, a, b, c, d]);
        self.builder.inst_results(call)[0]
    }

    /// An instruction that the interpreter executes.
    pub(super) fn interpret(&mut self, step: &Step) {
        let pops = match step.effect {
            Effect::Cells { pops, pushes } if pushes <= 1 => Some((pops, pushes)),
            Effect::Counted { .. } => {
                let stack = step.stack.as_deref().unwrap_or(&[]);
                flow::counted(step, stack).map(|pops| (pops, 1))
            }
            _ => None,
        };
        let Some((pops, pushes)) = pops else {
            self.leave(step);
            return;
        };
        let result = self.execute(step);
        let left = self.state.stack.len() - usize::from(pops);
        self.state.stack.truncate(left);
        self.forget_locals();
        if pushes == 1 {
            self.push(result);
        }
        self.fall(step);
    }

    /// Nothing is kept in registers over a call: everything is read again from the
    /// frame, where it is stored.
    pub(super) fn forget_locals(&mut self) {
        self.state.boxes.clear();
        self.state.reads.clear();
        self.state.known = Known::default();
        for local in &mut self.state.locals {
            local.cached = false;
        }
        for depth in 0..self.state.stack.len() {
            if self.state.stack[depth].stored
                && let Slot::Value(_, kind) = self.state.stack[depth].slot
            {
                let home = self.stack_home(depth);
                let value = self.load_home(home);
                self.state.stack[depth].slot = Slot::Value(value, kind);
            }
        }
    }
}
