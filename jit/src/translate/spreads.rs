//! Lists that are spread as arguments.
//!
//! ```text
//! store the stack
//! the count is not what it was first: leave
//! elements = spread(list, function), which finds the native code; not done: leave
//! list = NIL, count += elements
//! call the native code, if there is some, else interpreter: APPLYFN
//! ```

use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{InstBuilder, Value};
use geiko_runtime::memory::LispPtr;

use super::calls::Call;
use super::{Slot, Translator, trusted};
use crate::flow::Step;
use crate::numbers::{self, Kind};
use crate::shims::applied;
use crate::spreads::Spread;

impl Translator<'_, '_> {
    /// A loop that spreads a list, and the call behind it, which take `pops` cells.
    pub(super) fn spread(&mut self, step: &Step, pops: usize) {
        let unit = self.unit;
        let Some(&spread) = unit.flow.spreads.get(&step.instruction.offset) else {
            return self.leave(step);
        };
        let variable = |step: usize| numbers::local(unit, &unit.flow.steps[step]);
        let list_variable = spread.list.map(variable);
        let (Some((counter, _)), false) = (variable(spread.count), list_variable == Some(None))
        else {
            return self.leave(step);
        };
        let list_variable = list_variable.flatten().map(|(number, _)| number);
        let function = numbers::constant(&unit.flow.steps[spread.function]);
        let function = match (function, variable(spread.function)) {
            (Some(cell), _) => Slot::Constant(cell.0),
            (None, Some((number, _))) => self.local(number),
            _ => return self.leave(step),
        };
        let function = self.value_of(function);
        self.store_stack();
        self.count_pending();
        let list = match list_variable {
            Some(number) => {
                let slot = self.local(number);
                self.value_of(slot)
            }
            None => self.top(1)[0],
        };
        let count = self.local(counter);
        let count = self.value_of(count);
        let first = self.state.stack.len() - pops;
        let place = self.stack_place(first + usize::from(spread.before));
        let [other, same, done] = [(); 3].map(|()| self.builder.create_block());
        self.builder.set_cold_block(other);
        let changed = self.differs(count, LispPtr::smallpos(spread.before).0);
        self.builder.ins().brif(changed, other, &[], same, &[]);
        self.builder.switch_to_block(same);
        let [list, function_there] =
            [list, function].map(|cell| self.builder.ins().uextend(I64, cell));
        let counts = i64::from(spread.before)
            | i64::from(spread.most) << 16
            | i64::from(unit.stack_min) << 32;
        let counts = self.builder.ins().iconst(I64, counts);
        let arguments = [place, list, counts, function_there];
        let answer = self.call_machine(self.host.spread, arguments);
        let not_done = self.builder.ins().ushr_imm_u(answer, 32);
        self.builder.ins().brif(not_done, other, &[], done, &[]);
        self.builder.switch_to_block(other);
        let state = self.state.clone();
        self.leave(step);
        self.state = state;
        self.reachable = true;
        self.builder.switch_to_block(done);
        let elements = self.builder.ins().ireduce(I32, answer);
        self.count_turns(&spread, elements);
        if let Some(number) = list_variable {
            self.set_local(number, Slot::Constant(0));
        }
        let count = self.builder.ins().iadd(count, elements);
        self.set_local(counter, Slot::Value(count, Kind::Small));
        self.call_spread(step, &spread, (first, place), (elements, count, function));
    }

    /// Counts the instructions up to the call.
    fn count_turns(&mut self, spread: &Spread, elements: Value) {
        let turns = (self.builder.ins()).imul_imm_u(elements, i64::from(spread.turn));
        let behind = i64::from(spread.behind());
        let executed = self.builder.ins().iadd_imm_s(turns, behind);
        self.count_value(executed);
        // The call, but not the test's first instruction, which begins the block.
        let executed = self.builder.ins().uextend(I64, executed);
        self.add_value_to_count(executed);
    }

    /// The call of what was found, with the arguments from stack cell `first` on; at `place` those that were
    /// spread.
    fn call_spread(
        &mut self,
        step: &Step,
        spread: &Spread,
        (first, place): (usize, Value),
        (elements, count, function): (Value, Value, Value),
    ) {
        let (meet, result) = self.meeting(I32);
        let native = self.builder.create_block();
        let slow = self.cold_block();
        let at = self.builder.ins().iconst(I64, self.host.applied);
        let entry = (self.builder.ins()).load(I64, trusted(), at, applied::ENTRY);
        self.builder.ins().brif(entry, native, &[], slow, &[]);
        self.builder.switch_to_block(native);
        let load = |t: &mut Self, field| t.builder.ins().load(I32, trusted(), at, field);
        let environment = load(self, applied::ENVIRONMENT);
        let words = load(self, applied::WORDS);
        let words = self.builder.ins().uextend(I64, words);
        let arguments = self.stack_place(first);
        let top = self.builder.ins().iadd(arguments, words);
        let call = Call {
            entry,
            environment,
            first,
            behind: first,
            top,
            slow,
            meet,
            aside: false,
        };
        let state = self.state.clone();
        self.native_call(&call, step);
        self.state = state;
        self.builder.switch_to_block(slow);
        // The interpreter calls: the number of arguments and the function are behind them.
        let elements = self.builder.ins().uextend(I64, elements);
        let words = self.builder.ins().ishl_imm_u(elements, 1);
        let behind = self.builder.ins().iadd(place, words);
        let cells = self.host_address(behind);
        self.builder.ins().store(trusted(), count, cells, 0);
        self.builder.ins().store(trusted(), function, cells, 4);
        let depth = first as i64 + i64::from(spread.before) + 2;
        let depth = self.builder.ins().iadd_imm_s(elements, depth);
        let depth = self.builder.ins().ishl_imm_u(depth, 16);
        let call = &self.unit.flow.steps[spread.call].instruction;
        let place = i64::from(call.offset) | i64::from(step.next) << 32;
        let point = self.builder.ins().iadd_imm_s(depth, place);
        let frame = self.frame();
        let value = self.execute_at(frame, point);
        self.builder.ins().jump(meet, &[value.into()]);
        self.builder.switch_to_block(meet);
        // All has been counted.
        self.state.pending = -1;
        self.state.stack.truncate(first);
        self.forget_locals();
        self.push(result);
        self.fall(step);
    }
}
