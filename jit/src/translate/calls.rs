//! Calls.
//!
//! ```text
//! store the stack, and next block and pc in the frame
//! entry = native code of the callee, if it is still what it was, else interpreter;
//!         of a function object: that of its code, if it is what was called before
//! link = own offset, and the flags of a frame's link
//! value, status = call entry(behind the arguments, link, environment)
//! if status: refused -> interpreter; else return it
//! if abandoned: go on if control is in this frame, else return it
//! if pc in the frame != next: go on at that pc
//! ```

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I16, I32, I64};
use cranelift_codegen::ir::{Block, InstBuilder, MemFlagsData, Value};
use geiko_runtime::isa::Opcode;
use geiko_runtime::isa::decode::Operand;
use geiko_runtime::layout::records::types;
use geiko_runtime::layout::{STACK, SymbolCell};
use geiko_runtime::memory::LispPtr;

use super::ends::End;
use super::{LINK_FLAGS, Translator, home, trusted};
use crate::facts::Callee;
use crate::flow::{self, Effect, Step};
use crate::shims::{MAX_SUPPLIED, applied};
use crate::sites::{WAYS, called};

/// A call whose callee is found.
pub(super) struct Call {
    /// Address of the native code.
    pub entry: Value,
    /// What the first PVAR slot is filled with.
    pub environment: Value,
    /// Where the first argument is on the evaluation stack.
    pub first: usize,
    /// What is behind the arguments on the evaluation stack.
    pub behind: usize,
    /// Lisp address of the place of the frame, behind the arguments.
    pub top: Value,
    /// Where to go if the callee refuses.
    pub slow: Block,
    /// Where to go with the value.
    pub meet: Block,
    /// It is called aside, without changing registers.
    pub aside: bool,
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
        self.count_pending();
        let depth = self.state.stack.len();
        let first = depth - usize::from(argc);
        let (meet, result) = self.meeting(I32);
        let slow = self.cold_block();
        let call = self.compiled(symbol, callee, (first, argc), (slow, meet), false);
        self.complete(&call, result, step);
    }

    /// Begins the call of the definition of `symbol`, whose `argc` arguments are on the stack
    /// from the cell `first` on: goes to `slow` if it is another by now or has no native
    /// code.
    pub(super) fn compiled(
        &mut self,
        symbol: LispPtr,
        callee: Callee,
        (first, argc): (usize, u16),
        (slow, meet): (Block, Block),
        aside: bool,
    ) -> Call {
        let [same, native] = [(); 2].map(|()| self.builder.create_block());
        if aside {
            self.builder.set_cold_block(same);
            self.builder.set_cold_block(native);
        }
        let cell = (self.layout.symbol_cell)(symbol, SymbolCell::Definition);
        let definition = self.load_fixed(cell);
        let changed = self.differs(definition, callee.definition.0);
        self.builder.ins().brif(changed, slow, &[], same, &[]);
        self.builder.switch_to_block(same);
        let record = self.builder.ins().iconst(I64, callee.entry);
        let entry = self.builder.ins().load(I64, trusted(), record, 0);
        self.builder.ins().brif(entry, native, &[], slow, &[]);
        self.builder.switch_to_block(native);
        let wanted = callee.arguments.unwrap_or(argc);
        for missing in argc..wanted {
            let nil = self.constant(0);
            let home = self.stack_home(first + usize::from(missing));
            self.store_home(nil, home);
        }
        let environment = self.constant(LispPtr::UNBOUND.0);
        let top = self.stack_place(first + usize::from(wanted));
        Call {
            entry,
            environment,
            first,
            behind: first + usize::from(argc),
            top,
            slow,
            meet,
            aside,
        }
    }

    /// Calls the function that Lisp has for the instruction of `step`, which cannot be done
    /// otherwise, and goes to `meet` with what it returns. Goes on where that cannot be
    /// done natively. The cells of the stack are stored, all instructions in front of this
    /// one are counted, `pending` of them not at `meet`.
    pub(super) fn trap(&mut self, step: &Step, pending: i32, meet: Block) {
        let Some(trap) = self.unit.facts.trap(step) else {
            return;
        };
        let depth = self.state.stack.len() + usize::from(trap.operand.is_some());
        let first = depth.checked_sub(trap.arguments.into());
        let wanted = trap.callee.arguments.unwrap_or(trap.arguments);
        let (Some(first), true) = (first, wanted <= trap.arguments + MAX_SUPPLIED) else {
            return;
        };
        let [slow, same] = [(); 2].map(|()| self.cold_block());
        let entry = self.load_fixed(trap.place);
        let changed = self.differs(entry, trap.entry);
        self.builder.ins().brif(changed, slow, &[], same, &[]);
        self.builder.switch_to_block(same);
        if let Some(operand) = trap.operand {
            let operand = self.constant(operand.0);
            let home = self.stack_home(depth - 1);
            self.store_home(operand, home);
        }
        let arguments = (first, trap.arguments);
        let counted = self.host.is_exact.then(|| self.meeting(I32));
        let behind = counted.map_or(meet, |(block, _)| block);
        let call = self.compiled(trap.function, trap.callee, arguments, (slow, behind), true);
        self.native_call(&call, step);
        if let Some((block, result)) = counted {
            self.builder.set_cold_block(block);
            self.builder.switch_to_block(block);
            self.count(-pending - 1);
            self.builder.ins().jump(meet, &[result.into()]);
        }
        self.builder.switch_to_block(slow);
    }

    /// A call of a function object, or of a code block with an environment, with a
    /// known number of arguments.
    pub(super) fn apply(&mut self, step: &Step) {
        let stack = step.stack.as_deref().unwrap_or(&[]);
        let Some(pops) = flow::counted(step, stack) else {
            return self.leave(step);
        };
        let Some(&site) = self.unit.called.get(&step.instruction.offset) else {
            return self.leave(step);
        };
        self.store_stack();
        self.count_pending();
        let depth = self.state.stack.len();
        let first = depth - usize::from(pops);
        let place = self.stack_place(first);
        let (meet, result) = self.meeting(I32);
        let found = self.builder.create_block();
        let params = [I64, I32, I32].map(|ty| self.builder.append_block_param(found, ty));
        let [entry, environment, words] = params;
        let slow = self.builder.create_block();
        self.builder.set_cold_block(slow);
        let site = self.builder.ins().iconst(I64, site);
        let is_code = step.instruction.opcode == Opcode::EnvCall;
        let count = pops - if is_code { 3 } else { 2 };
        if is_code {
            self.code_object(count, site, found, slow);
        } else {
            self.function_object(count, site, found, slow);
        }
        self.builder.switch_to_block(found);
        // As many missing arguments as there may be, whether or not they are missing.
        let nothing = self.builder.ins().iconst(I64, 0);
        let flags = MemFlagsData::new().with_notrap();
        let cells = self.host_address(place);
        for missing in 0..i32::from(MAX_SUPPLIED) / 2 {
            let at = 4 * i32::from(count) + 8 * missing;
            self.builder.ins().store(flags, nothing, cells, at);
        }
        let words = self.builder.ins().uextend(I64, words);
        let top = self.builder.ins().iadd(place, words);
        let call = Call {
            entry,
            environment,
            first,
            behind: first + usize::from(count),
            top,
            slow,
            meet,
            aside: false,
        };
        self.complete(&call, result, step);
    }

    /// Finds the native code of the function object on top of the stack, and goes to
    /// `found` with it, its environment and the words of its arguments.
    fn function_object(&mut self, count: u16, site: Value, found: Block, slow: Block) {
        let function = self.top(1)[0];
        let [closure, other, near, far, compiled, check, search] =
            [(); 7].map(|()| self.builder.create_block());
        self.builder.set_cold_block(search);
        let (symbol, definition) = self.meeting(I32);
        let [code, environment] = [(); 2].map(|()| self.builder.append_block_param(check, I32));
        let number = self.type_number(function);
        let is_closure = self.equals(number, types::COMPILED_CLOSURE.into());
        self.builder
            .ins()
            .brif(is_closure, closure, &[], other, &[]);

        self.builder.switch_to_block(closure);
        let code_there = self.load_cell(function, 0);
        let code_there = self.masked(code_there);
        let environment_there = self.load_cell(function, 2);
        let environment_there = self.environment(environment_there);
        let there = [code_there.into(), environment_there.into()];
        self.builder.ins().jump(check, &there);

        self.builder.switch_to_block(other);
        let name = self.masked(function);
        let segment = self.builder.ins().ushr_imm_u(name, 16);
        self.builder.ins().brif(segment, far, &[], near, &[]);
        self.builder.switch_to_block(near);
        let row = self.definition_of(name);
        self.builder.ins().jump(symbol, &[row.into()]);
        self.builder.switch_to_block(far);
        let is_symbol = self.equals(number, types::NEW_ATOM.into());
        self.go_on_if(is_symbol, search);
        let within = self.within_symbol(SymbolCell::Definition);
        let own = self.load_cell(function, within as i32);
        self.builder.ins().jump(symbol, &[own.into()]);
        self.builder.switch_to_block(symbol);
        let is_compiled = (self.builder.ins()).icmp_imm_s(IntCC::SignedLessThan, definition, 0);
        self.builder
            .ins()
            .brif(is_compiled, compiled, &[], search, &[]);
        self.builder.switch_to_block(compiled);
        let definition = self.masked(definition);
        let unbound = self.constant(LispPtr::UNBOUND.0);
        let there = [definition.into(), unbound.into()];
        self.builder.ins().jump(check, &there);

        self.builder.switch_to_block(check);
        self.known_code(code, environment, site, found, search);
        let function = self.builder.ins().uextend(I64, function);
        let supplied = self.builder.ins().iconst(I64, i64::from(count));
        let arguments = [function, supplied, site, site];
        let entry = self.call_machine(self.host.apply, arguments);
        self.applied(entry, found, slow);
    }

    /// The definition of the symbol `name` of segment 0.
    pub(super) fn definition_of(&mut self, name: Value) -> Value {
        let cell = |n| (self.layout.symbol_cell)(LispPtr(n), SymbolCell::Definition).0;
        let (first, step) = (cell(0), cell(2) - cell(0));
        let words = self.builder.ins().imul_imm_u(name, i64::from(step / 2));
        let words = self.builder.ins().iadd_imm_u(words, i64::from(first));
        self.load_cell(words, 0)
    }

    /// The same for a code block and an environment.
    fn code_object(&mut self, count: u16, site: Value, found: Block, slow: Block) {
        let cells = self.top(2);
        let search = self.builder.create_block();
        self.builder.set_cold_block(search);
        let code = self.masked(cells[0]);
        let environment = self.environment(cells[1]);
        self.known_code(code, environment, site, found, search);
        let [code, environment] =
            [cells[0], cells[1]].map(|cell| self.builder.ins().uextend(I64, cell));
        let supplied = self.builder.ins().iconst(I64, i64::from(count));
        let arguments = [code, environment, supplied, site];
        let entry = self.call_machine(self.host.apply_code, arguments);
        self.applied(entry, found, slow);
    }

    /// What the first slot gets for the environment `cell`: NIL is none.
    fn environment(&mut self, cell: Value) -> Value {
        let environment = self.masked(cell);
        let unbound = self.constant(LispPtr::UNBOUND.0);
        self.builder.ins().select(environment, environment, unbound)
    }

    /// Goes to `found` if `code` was called at the site before and has native code, else
    /// to `search`, which is begun.
    fn known_code(
        &mut self,
        code: Value,
        environment: Value,
        site: Value,
        found: Block,
        search: Block,
    ) {
        for way in 0..WAYS as i32 {
            let same = self.builder.create_block();
            let other = match way + 1 {
                next if next == WAYS as i32 => search,
                _ => self.builder.create_block(),
            };
            let at = |field| way * called::NEXT + field;
            let known = (self.builder.ins()).load(I32, trusted(), site, at(called::CODE));
            let is_other = self.builder.ins().icmp(IntCC::NotEqual, known, code);
            self.builder.ins().brif(is_other, other, &[], same, &[]);
            self.builder.switch_to_block(same);
            let word = (self.builder.ins()).load(I64, trusted(), site, at(called::ENTRY));
            let entry = self.builder.ins().load(I64, trusted(), word, 0);
            let words = (self.builder.ins()).load(I32, trusted(), site, at(called::WORDS));
            let there = [entry.into(), environment.into(), words.into()];
            self.builder.ins().brif(entry, found, &there, search, &[]);
            self.builder.switch_to_block(other);
        }
    }

    /// Goes to `found` with what the machine found, or to `slow` if that is nothing.
    fn applied(&mut self, entry: Value, found: Block, slow: Block) {
        let at = self.builder.ins().iconst(I64, self.host.applied);
        let load = |t: &mut Self, field| t.builder.ins().load(I32, trusted(), at, field);
        let environment = load(self, applied::ENVIRONMENT);
        let words = load(self, applied::WORDS);
        let there = [entry.into(), environment.into(), words.into()];
        self.builder.ins().brif(entry, found, &there, slow, &[]);
    }

    /// Lisp address of stack cell `depth`, in 64 bits.
    pub(super) fn stack_place(&mut self, depth: usize) -> Value {
        let home = i64::from(self.stack_home(depth));
        let frame = self.frame();
        self.builder.ins().iadd_imm_s(frame, home / 2)
    }

    /// The call, natively or by the interpreter, and what is behind it.
    fn complete(&mut self, call: &Call, result: Value, step: &Step) {
        self.native_call(call, step);
        self.builder.switch_to_block(call.slow);
        // Missing arguments may have been supplied in the place of these.
        for cell in &mut self.state.stack[call.behind..] {
            cell.stored = false;
        }
        let state = self.state.clone();
        let value = self.execute(step);
        self.count(1);
        self.builder.ins().jump(call.meet, &[value.into()]);
        self.state = state;
        self.builder.switch_to_block(call.meet);
        // The call has been counted: natively by the callee.
        self.state.pending = -1;
        self.state.stack.truncate(call.first);
        self.forget_locals();
        self.push(result);
        self.fall(step);
    }

    /// Calls the native code; answers value and status.
    fn enter(&mut self, call: &Call, link: Value) -> [Value; 2] {
        if call.aside {
            let door = self.builder.ins().iconst(I64, self.host.aside_native);
            let [link, environment] =
                [link, call.environment].map(|cell| self.builder.ins().uextend(I64, cell));
            let arguments = [call.entry, call.top, link, environment, environment];
            self.builder
                .ins()
                .call_indirect(self.aside, door, &arguments);
            let answer = self.builder.ins().iconst(I64, self.host.answer);
            return [0, 4].map(|at| self.builder.ins().load(I32, trusted(), answer, at));
        }
        let arguments = [call.top, link, call.environment];
        let instruction = self
            .builder
            .ins()
            .call_indirect(self.native, call.entry, &arguments);
        [0, 1].map(|n| self.builder.inst_results(instruction)[n])
    }

    /// The call itself. Ends the block.
    pub(super) fn native_call(&mut self, call: &Call, step: &Step) {
        let odd = self.builder.create_block();
        let returned = self.builder.create_block();
        let ended = self.builder.create_block();
        let elsewhere = self.builder.create_block();
        for cold in [odd, ended, elsewhere] {
            self.builder.set_cold_block(cold);
        }
        let own = self.frame_address();
        let ivar = self.stack_home(call.first) / 2;
        let high = self.builder.ins().ishl_imm_u(own, 16);
        let resume = (ivar << 16).wrapping_add(step.next as i32);
        let resume = self.builder.ins().iadd_imm_s(high, i64::from(resume));
        self.store_home(resume, home::RESUME);
        let flags = i64::from(LINK_FLAGS.wrapping_sub(STACK.0) as i32);
        let link = self.builder.ins().iadd_imm_s(own, flags);
        let [value, status] = self.enter(call, link);
        (self.builder.ins()).brif(status, odd, &[], returned, &[value.into()]);
        self.builder.switch_to_block(odd);
        let refused = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::Equal, status, crate::status::REFUSED);
        self.builder.ins().brif(refused, call.slow, &[], ended, &[]);
        self.builder.switch_to_block(ended);
        let away = self.builder.create_block();
        self.builder.set_cold_block(away);
        let (here, landed) = self.is_landed(status);
        self.builder
            .ins()
            .brif(here, returned, &[landed.into()], away, &[]);
        self.builder.switch_to_block(away);
        self.uncount_rest();
        self.jump_to_end(End::Ended, &[value, status]);
        let value = self.builder.append_block_param(returned, I32);
        self.builder.switch_to_block(returned);
        let homes = self.homes();
        let pc = self.builder.ins().load(I16, trusted(), homes, home::RESUME);
        self.resume_if_special(value);
        let next = i64::from(step.next);
        let moved = self.builder.ins().icmp_imm_u(IntCC::NotEqual, pc, next);
        self.builder
            .ins()
            .brif(moved, elsewhere, &[], call.meet, &[value.into()]);
        self.builder.switch_to_block(elsewhere);
        self.uncount_rest();
        if let Some(&behind) = self.unit.flow.receivers.get(&step.next) {
            let several = self.builder.create_block();
            let away = self.builder.create_block();
            let wants = (self.builder.ins()).icmp_imm_u(IntCC::Equal, pc, i64::from(behind));
            self.builder.ins().brif(wants, several, &[], away, &[]);
            self.builder.switch_to_block(several);
            let state = self.state.clone();
            self.state.stack.truncate(call.first);
            self.forget_locals();
            self.push(value);
            self.go_to(behind);
            self.state = state;
            self.reachable = true;
            self.builder.switch_to_block(away);
        }
        self.jump_to_end(End::Resumed, &[value]);
    }
}
