//! Calls.
//!
//! ```text
//! store the stack, and next block and pc in the frame
//! entry = native code of the callee, if it is still what it was, else interpreter
//! link = own offset, offset of the arguments << 16
//! value, status = call entry(memory, behind the arguments, link, environment)
//! if status: refused -> interpreter; else return it
//! if pc in the frame != next: leave at that pc
//! ```

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I16, I32, I64};
use cranelift_codegen::ir::{Block, InstBuilder, Value};
use geiko_runtime::isa::Opcode;
use geiko_runtime::isa::decode::Operand;
use geiko_runtime::layout::SymbolCell;
use geiko_runtime::memory::LispPtr;

use super::{Translator, home, trusted};
use crate::flow::{self, Effect, Step};
use crate::shims::MAX_SUPPLIED;

/// A call whose callee is found.
struct Call {
    /// Address of the native code.
    entry: Value,
    /// What the first PVAR slot is filled with.
    environment: Value,
    /// Where the first argument is on the evaluation stack.
    first: usize,
    /// Host address of the place of the frame, behind the arguments.
    top: Value,
    /// Where to go if the callee refuses.
    slow: Block,
    /// Where to go with the value.
    meet: Block,
}

impl Translator<'_, '_> {
    /// A call of a symbol's definition.
    pub(super) fn call(&mut self, step: &Step) {
        let symbol = step.instruction.operands().iter().find_map(|o| match o {
            Operand::Atom(symbol) => Some(LispPtr(*symbol)),
            _ => None,
        });
        let Effect::Cells { pops: argc, .. } = step.effect else {
            return self.interpret(step);
        };
        let (Some(symbol), Some(callee)) = (
            symbol,
            symbol.and_then(|symbol| self.unit.facts.callee(symbol)),
        ) else {
            return self.interpret(step);
        };
        let wanted = callee.arguments.unwrap_or(argc);
        if wanted > argc + MAX_SUPPLIED {
            return self.interpret(step);
        }
        self.store_stack();
        let depth = self.state.stack.len();
        let first = depth - usize::from(argc);
        let (meet, result) = self.meeting(I32);
        let slow = self.builder.create_block();
        let same = self.builder.create_block();
        let native = self.builder.create_block();
        self.builder.set_cold_block(slow);
        let cell = (self.layout.symbol_cell)(symbol, SymbolCell::Definition);
        let definition = self.load_fixed(cell);
        let changed = self.differs(definition, callee.definition.0);
        self.builder.ins().brif(changed, slow, &[], same, &[]);
        self.builder.switch_to_block(same);
        let record = self.builder.ins().iconst(I64, callee.entry);
        let entry = self.builder.ins().load(I64, trusted(), record, 0);
        self.builder.ins().brif(entry, native, &[], slow, &[]);
        self.builder.switch_to_block(native);
        for missing in argc..wanted {
            let nil = self.constant(0);
            let home = self.stack_home(first + usize::from(missing));
            self.store_home(nil, home);
        }
        let environment = self.constant(LispPtr::UNBOUND.0);
        let top = self.stack_place(first + usize::from(wanted));
        let call = Call {
            entry,
            environment,
            first,
            top,
            slow,
            meet,
        };
        self.complete(&call, result, step);
    }

    /// A call of a function object, or of a code block with an environment, with a
    /// known number of arguments.
    pub(super) fn apply(&mut self, step: &Step) {
        let stack = step.stack.as_deref().unwrap_or(&[]);
        let Some(pops) = flow::counted(step, stack) else {
            return self.leave(step);
        };
        self.store_stack();
        let depth = self.state.stack.len();
        let first = depth - usize::from(pops);
        let place = self.stack_place(first);
        let (meet, result) = self.meeting(I32);
        let slow = self.builder.create_block();
        let native = self.builder.create_block();
        self.builder.set_cold_block(slow);
        let entry = if step.instruction.opcode == Opcode::EnvCall {
            let cells = self.top(2);
            let count = self.builder.ins().iconst(I64, i64::from(pops) - 3);
            let [code, environment] =
                [cells[0], cells[1]].map(|cell| self.builder.ins().uextend(I64, cell));
            let arguments = [code, environment, count, place];
            self.call_machine(self.host.apply_code, arguments)
        } else {
            let function = self.top(1)[0];
            let function = self.builder.ins().uextend(I64, function);
            let count = self.builder.ins().iconst(I64, i64::from(pops) - 2);
            self.call_machine(self.host.apply, [function, count, place, place])
        };
        self.builder.ins().brif(entry, native, &[], slow, &[]);
        self.builder.switch_to_block(native);
        let at = self.builder.ins().iconst(I64, self.host.applied);
        let environment = self.builder.ins().load(I32, trusted(), at, 0);
        let arguments = self.builder.ins().uload32(trusted(), at, 4);
        let bytes = self.builder.ins().ishl_imm_u(arguments, 2);
        let top = self.builder.ins().iadd(place, bytes);
        let call = Call {
            entry,
            environment,
            first,
            top,
            slow,
            meet,
        };
        self.complete(&call, result, step);
    }

    /// Host address of stack cell `depth`.
    fn stack_place(&mut self, depth: usize) -> Value {
        let home = i64::from(self.stack_home(depth));
        let frame = self.frame();
        self.builder.ins().iadd_imm_s(frame, home)
    }

    /// The call, natively or by the interpreter, and what is behind it.
    fn complete(&mut self, call: &Call, result: Value, step: &Step) {
        self.native_call(call, step);
        self.builder.switch_to_block(call.slow);
        // Missing arguments may have been supplied in the place of these.
        for cell in &mut self.state.stack[call.first..] {
            cell.stored = false;
        }
        self.slow(step, call.meet);
        self.builder.switch_to_block(call.meet);
        self.state.stack.truncate(call.first);
        self.forget_locals();
        self.push(result);
        self.fall(step);
    }

    /// The call itself. Ends the block.
    fn native_call(&mut self, call: &Call, step: &Step) {
        let odd = self.builder.create_block();
        let returned = self.builder.create_block();
        let ended = self.builder.create_block();
        let elsewhere = self.builder.create_block();
        for cold in [odd, ended, elsewhere] {
            self.builder.set_cold_block(cold);
        }
        let frame = self.frame();
        let own = self.word_address(frame);
        let ivar = self.stack_home(call.first) / 2;
        let high = self.builder.ins().ishl_imm_u(own, 16);
        let resume = (ivar << 16).wrapping_add(step.next as i32);
        let resume = self.builder.ins().iadd_imm_s(high, i64::from(resume));
        self.store_home(resume, home::RESUME);
        let own = self.builder.ins().band_imm_u(own, 0xFFFF);
        let own = self.builder.ins().uextend(I64, own);
        let both = self.builder.ins().imul_imm_u(own, 0x1_0001);
        let link = self.builder.ins().iadd_imm_s(both, i64::from(ivar) << 16);
        let arguments = [self.base, call.top, link, call.environment];
        let instruction = self
            .builder
            .ins()
            .call_indirect(self.native, call.entry, &arguments);
        let [value, status] = [0, 1].map(|n| self.builder.inst_results(instruction)[n]);
        self.builder.ins().brif(status, odd, &[], returned, &[]);
        self.builder.switch_to_block(odd);
        let refused = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::Equal, status, crate::status::REFUSED);
        self.builder.ins().brif(refused, call.slow, &[], ended, &[]);
        self.builder.switch_to_block(ended);
        self.uncount_rest();
        self.builder.ins().return_(&[value, status]);
        self.builder.switch_to_block(returned);
        let frame = self.frame();
        let pc = self.builder.ins().load(I16, trusted(), frame, home::RESUME);
        let moved = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::NotEqual, pc, i64::from(step.next));
        self.builder
            .ins()
            .brif(moved, elsewhere, &[], call.meet, &[value.into()]);
        self.builder.switch_to_block(elsewhere);
        self.uncount_rest();
        let frame = self.frame();
        let value = self.builder.ins().uextend(I64, value);
        let outcome = self.call_shim(self.host.resume, frame, value);
        self.return_outcome(outcome);
    }
}
