//! Constants, arguments, locals, free and global variables, bindings.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{Block, InstBuilder, MemFlagsData, Value};
use geiko_runtime::isa::Opcode;
use geiko_runtime::isa::decode::{LocalKind, Operand};
use geiko_runtime::layout::records::frame::{self, flag};
use geiko_runtime::layout::{STACK, SymbolCell};
use geiko_runtime::memory::LispPtr;

use super::{END, Slot, Translator, trusted};
use crate::flow::{self, Step};
use crate::numbers::{self, Kind};

impl Translator<'_, '_> {
    /// Translates `step` if it is an instruction of this file.
    pub(super) fn variable(&mut self, step: &Step) -> bool {
        let instruction = &step.instruction;
        if let Some((kind, index)) = instruction.local() {
            return self.local_variable(step, kind, index);
        }
        if let Some(cell) = numbers::constant(step) {
            self.push_slot(Slot::Constant(cell.0));
            return true;
        }
        match instruction.opcode {
            Opcode::Gvar => {
                let Operand::Atom(symbol) = instruction.operands()[0] else {
                    return false;
                };
                let cell = (self.layout.symbol_cell)(LispPtr(symbol), SymbolCell::Value);
                let value = self.load_fixed(cell);
                self.push(value);
                true
            }
            Opcode::GvarSet => {
                let Operand::Atom(symbol) = instruction.operands()[0] else {
                    return false;
                };
                let cell = (self.layout.symbol_cell)(LispPtr(symbol), SymbolCell::Value);
                let address = self.constant(cell.0);
                let cells = self.top(1);
                let slot = self.slot(0);
                self.counted_store(address, slot, cells[0]);
                true
            }
            Opcode::MyAlink => {
                let link = self.load_home(super::home::LINK);
                let caller = self.builder.ins().band_imm_u(link, 0xFFFE);
                let frame = (self.builder.ins()).iadd_imm_s(caller, -i64::from(frame::WORDS));
                let frame = self.builder.ins().band_imm_u(frame, 0xFFFF);
                let cell = self.builder.ins().bor_imm_u(frame, 0xE_0000);
                self.push_slot(Slot::Value(cell, Kind::Small));
                true
            }
            Opcode::MyArgCount if self.unit.arguments.is_none() => {
                let ivar = self.first_argument();
                let count = self.argument_count(ivar);
                let cell = self.builder.ins().bor_imm_u(count, 0xE_0000);
                self.push_slot(Slot::Value(cell, Kind::Small));
                true
            }
            Opcode::Arg0 if self.unit.arguments.is_none() => {
                self.numbered_argument(step);
                true
            }
            Opcode::Bind => self.bind(step),
            Opcode::Unbind => {
                let result = self.pop();
                self.unbind(step);
                if let Some(slot) = result {
                    self.push_slot(slot);
                }
                true
            }
            Opcode::Dunbind => {
                self.unbind(step);
                true
            }
            _ => false,
        }
    }

    fn local_variable(&mut self, step: &Step, kind: LocalKind, index: u16) -> bool {
        let handler = step.instruction.opcode.info().handler;
        if kind == LocalKind::Free {
            return if handler == "fvarx_set" {
                self.set_free_variable(step, index)
            } else {
                self.free_variable(step, index)
            };
        }
        if kind == LocalKind::Argument && self.unit.arguments.is_none() {
            let ivar = self.first_argument();
            if handler.contains("set") {
                self.set_argument(step, ivar, index);
                return true;
            }
            let address = self.stack_address(ivar);
            let home = 4 * i32::from(index);
            let value = self.builder.ins().load(I32, trusted(), address, home);
            self.push(value);
            return true;
        }
        let Some((number, stores)) = numbers::local(self.unit, step) else {
            return false;
        };
        if stores {
            let depth = self.state.stack.len() - 1;
            self.settle(depth);
            let slot = self.slot(0);
            self.set_local(number, slot);
            if handler.ends_with("pop") {
                self.pop();
            }
        } else {
            let slot = self.local(number);
            self.push_slot(slot);
        }
        true
    }

    /// Word offset of the first argument of a function that takes any number.
    pub(super) fn first_argument(&mut self) -> Value {
        let basic = self.load_home(super::home::BASIC);
        self.builder.ins().band_imm_u(basic, 0xFFFF)
    }

    /// Stores the top of stack, which stays, in an argument of a function that takes any number
    /// of them, from `ivar` on. If there are not so many it is something else that is stored in.
    fn set_argument(&mut self, step: &Step, ivar: Value, index: u16) {
        let value = self.top(1)[0];
        let count = self.argument_count(ivar);
        let there = IntCC::UnsignedGreaterThan;
        let is_there = (self.builder.ins()).icmp_imm_u(there, count, i64::from(index));
        let other = self.cold_block();
        self.go_on_if(is_there, other);
        let go_on = self.builder.current_block();
        self.builder.switch_to_block(other);
        let state = self.state.clone();
        self.leave(step);
        self.state = state;
        self.reachable = true;
        if let Some(go_on) = go_on {
            self.builder.switch_to_block(go_on);
        }
        let address = self.stack_address(ivar);
        let home = 4 * i32::from(index);
        self.builder.ins().store(trusted(), value, address, home);
    }

    /// Host address of the stack cell at a word offset.
    pub(super) fn stack_address(&mut self, offset: Value) -> Value {
        let wide = self.builder.ins().uextend(I64, offset);
        let at = self.host_address(wide);
        let stack = 2 * i64::from(geiko_runtime::layout::STACK.0);
        self.builder.ins().iadd_imm_s(at, stack)
    }

    /// The number of arguments, of a function that takes any.
    pub(super) fn argument_count(&mut self, ivar: Value) -> Value {
        let own = self.frame_address();
        let words = self.builder.ins().isub(own, ivar);
        let words = self.builder.ins().iadd_imm_s(words, -12);
        let words = self.builder.ins().band_imm_u(words, 0xFFFF);
        self.builder.ins().ushr_imm_u(words, 1)
    }

    /// ARG0: the argument whose number, from 1, is on the stack.
    fn numbered_argument(&mut self, step: &Step) {
        let number = self.top(1)[0];
        let (meet, result) = self.meeting(I32);
        let ivar = self.first_argument();
        let count = self.argument_count(ivar);
        let index = self.builder.ins().iadd_imm_s(number, -0xE_0001);
        let out = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedGreaterThanOrEqual, index, count);
        self.slow_if(out, step, meet);
        let words = self.builder.ins().ishl_imm_u(index, 1);
        let at = self.builder.ins().iadd(ivar, words);
        let address = self.stack_address(at);
        let value = self.builder.ins().load(I32, trusted(), address, 0);
        self.builder.ins().jump(meet, &[value.into()]);
        self.builder.switch_to_block(meet);
        self.replace(1, result);
    }

    /// The value of local `number`.
    pub(super) fn local(&mut self, number: usize) -> Slot {
        let local = self.state.locals[number];
        if local.cached {
            return match local.kind {
                Kind::Float => Slot::Float(self.builder.use_var(local.float_variable)),
                Kind::Integer => Slot::Integer(self.builder.use_var(local.variable)),
                kind => {
                    let value = self.builder.use_var(local.variable);
                    self.state.reads.push((value, number));
                    Slot::Value(value, kind)
                }
            };
        }
        let value = self.load_home(local.home);
        if local.published {
            return Slot::Value(value, Kind::Any);
        }
        self.builder.def_var(local.variable, value);
        self.state.locals[number].cached = true;
        self.state.reads.push((value, number));
        Slot::Value(value, local.kind)
    }

    /// Stores in local `number`. Numbers without boxes stay out of the frame.
    pub(super) fn set_local(&mut self, number: usize, slot: Slot) {
        let local = self.state.locals[number];
        self.state.reads.retain(|read| read.1 != number);
        match slot {
            Slot::Float(value) if !local.published => {
                self.builder.def_var(local.float_variable, value);
            }
            Slot::Integer(value) if !local.published => {
                self.builder.def_var(local.variable, value);
            }
            _ => {
                let value = self.value_of(slot);
                self.store_home(value, local.home);
                if local.published {
                    return;
                }
                self.builder.def_var(local.variable, value);
            }
        }
        self.state.locals[number].cached = true;
        self.state.locals[number].kind = self.kind_of(slot);
    }

    /// Pushes a free variable.
    fn free_variable(&mut self, step: &Step, index: u16) -> bool {
        if index >= self.unit.slots {
            return false;
        }
        let (meet, result) = self.meeting(I32);
        let slot = self.found_slot(step, index, meet);
        let address = self.swap_halves(slot);
        let value = self.load_cell(address, 0);
        self.builder.ins().jump(meet, &[value.into()]);
        self.builder.switch_to_block(meet);
        self.push(result);
        true
    }

    /// Stores the top of stack, which stays, in a free variable.
    fn set_free_variable(&mut self, step: &Step, index: u16) -> bool {
        if index >= self.unit.slots {
            return false;
        }
        let cells = self.top(1);
        let (meet, result) = self.meeting(I32);
        let slot = self.found_slot(step, index, meet);
        let address = self.swap_halves(slot);
        let address = self.masked(address);
        let segment = self.builder.ins().ushr_imm_u(address, 16);
        let on_stack = self.equals(segment, STACK.0 >> 16);
        let bound = self.builder.create_block();
        let top_level = self.builder.create_block();
        self.builder
            .ins()
            .brif(on_stack, bound, &[], top_level, &[]);
        self.builder.switch_to_block(bound);
        let host = self.address(address);
        let flags = MemFlagsData::new().with_notrap();
        self.builder.ins().store(flags, cells[0], host, 0);
        self.builder.ins().jump(meet, &[cells[0].into()]);
        self.builder.switch_to_block(top_level);
        let old = self.load_cell(address, 0);
        let slot = self.slot(0);
        self.count_replacement(old, slot, cells[0]);
        self.store_cell(address, cells[0]);
        self.builder.ins().jump(meet, &[cells[0].into()]);
        self.builder.switch_to_block(meet);
        self.replace(1, result);
        true
    }

    /// What slot `index` of a free variable holds once it was found:
    ///
    /// ```text
    /// slot = cell in the frame; done if it was found before
    /// caller's function is the known one, and the caller has no name table of its own?
    ///     variable bound there:            slot = its address
    ///     free there and found before:     slot = the slot there
    /// otherwise:                           search
    /// ```
    ///
    /// What cannot be searched for meets with the interpreter's result at `meet`.
    fn found_slot(&mut self, step: &Step, index: u16, meet: Block) -> Value {
        let home = 4 * i32::from(index);
        let (found, result) = self.meeting(I32);
        let [look, near, bound, known, free, search] =
            [(); 6].map(|()| self.builder.create_block());
        for cold in [look, near, bound, known, free, search] {
            self.builder.set_cold_block(cold);
        }
        let slot = self.load_home(home);
        let unlooked = self.builder.ins().band_imm_u(slot, 0x1_0000);
        self.builder
            .ins()
            .brif(unlooked, look, &[], found, &[slot.into()]);

        self.builder.switch_to_block(look);
        let link = self.load_home(super::home::LINK);
        let caller = self.builder.ins().band_imm_u(link, 0xFFFE);
        let address = self.stack_address(caller);
        let load = |t: &mut Self, offset| {
            t.builder
                .ins()
                .load(I32, trusted(), address, i32::from(offset))
        };
        let function = load(self, super::home::FUNCTION as i16);
        let flags = load(self, super::home::LINK as i16);
        let site = (self.builder.ins()).iconst(I64, self.unit.known + 8 * i64::from(index));
        let expected = self.builder.ins().load(I32, trusted(), site, 0);
        let other = self.builder.ins().bxor(function, expected);
        let table = i64::from(flag::VALID_NAME_TABLE) << 16;
        let table = self.builder.ins().band_imm_u(flags, table);
        let other = self.builder.ins().bor(other, table);
        self.builder.ins().brif(other, search, &[], near, &[]);

        self.builder.switch_to_block(near);
        let place = self.builder.ins().uload32(trusted(), site, 4);
        let is_free = self.builder.ins().band_imm_u(place, 1);
        let at = self.builder.ins().iadd(address, place);
        self.builder.ins().brif(is_free, free, &[], bound, &[]);

        self.builder.switch_to_block(bound);
        let cell = self.builder.ins().load(I32, trusted(), at, 0);
        let unbound = (self.builder.ins()).icmp_imm_s(IntCC::SignedLessThan, cell, 0);
        let high = self.builder.ins().ishl_imm_u(caller, 16);
        let words = self.builder.ins().ireduce(I32, place);
        let words = self.builder.ins().ishl_imm_u(words, 15);
        let slot = self.builder.ins().iadd(high, words);
        let slot = self.builder.ins().bor_imm_u(slot, i64::from(STACK.0 >> 16));
        self.builder
            .ins()
            .brif(unbound, search, &[], known, &[slot.into()]);

        self.builder.switch_to_block(free);
        let slot_there = self.builder.ins().load(I32, trusted(), at, -1);
        let unlooked = self.builder.ins().band_imm_u(slot_there, 0x1_0000);
        self.builder
            .ins()
            .brif(unlooked, search, &[], known, &[slot_there.into()]);

        let slot = self.builder.append_block_param(known, I32);
        self.builder.switch_to_block(known);
        self.store_home(slot, home);
        self.builder.ins().jump(found, &[slot.into()]);

        self.builder.switch_to_block(search);
        let ask = self.cold_block();
        let own = self.frame();
        let name = (self.unit.free.get(&(index as u8))).map_or(0, |name| name.0);
        let [name, place] =
            [i64::from(name), i64::from(home)].map(|n| self.builder.ins().iconst(I64, n));
        let answer = self.find(own, [name, place, site]);
        let failed = self.builder.ins().ushr_imm_u(answer, 32);
        let slot = self.builder.ins().ireduce(I32, answer);
        self.builder
            .ins()
            .brif(failed, ask, &[], found, &[slot.into()]);

        self.builder.switch_to_block(ask);
        let own = self.frame();
        let number = self.builder.ins().iconst(I64, i64::from(index));
        let answer = self.call_machine(self.host.free_variable, [own, number, site, site]);
        let failed = self.builder.ins().ushr_imm_u(answer, 32);
        let slot = self.builder.ins().ireduce(I32, answer);
        let fault = self.builder.create_block();
        self.builder.set_cold_block(fault);
        self.builder
            .ins()
            .brif(failed, fault, &[], found, &[slot.into()]);
        self.builder.switch_to_block(fault);
        self.slow(step, meet);
        self.builder.switch_to_block(found);
        result
    }

    /// Calls the search; see [`crate::finder`].
    fn find(&mut self, frame: Value, [name, home, site]: [Value; 3]) -> Value {
        let door = self.builder.ins().iconst(I64, self.host.finder);
        let frame = self.builder.ins().iadd_imm_s(frame, super::AWAY);
        let arguments = [frame, name, home, site, site];
        (self.builder.ins()).call_indirect(self.aside, door, &arguments);
        let answer = self.builder.ins().iconst(I64, self.host.answer);
        self.builder.ins().load(I64, trusted(), answer, 0)
    }

    fn swap_halves(&mut self, cell: Value) -> Value {
        self.builder.ins().rotl_imm_u(cell, 16)
    }

    /// Binds locals and pushes the mark.
    fn bind(&mut self, step: &Step) -> bool {
        let Some(binding) = step.instruction.binding() else {
            return false;
        };
        if binding.last >= self.unit.slots {
            return false;
        }
        let arguments = self.unit.arguments.unwrap_or(0);
        let mut number = usize::from(arguments + binding.last) + 1;
        for _ in 0..binding.nils {
            number -= 1;
            self.set_local(number, Slot::Constant(0));
        }
        for _ in 0..binding.values {
            number -= 1;
            if let Some(slot) = self.pop() {
                self.set_local(number, slot);
            }
        }
        let mark = u32::from(!binding.count()) << 16 | u32::from(2 * binding.last);
        self.push_slot(Slot::Constant(mark));
        true
    }

    /// Makes the locals of the nearest mark unbound and drops it with all above.
    fn unbind(&mut self, step: &Step) {
        let stack = step.stack.as_deref().unwrap_or(&[]);
        let Some((depth, count, last)) = flow::nearest_mark(stack) else {
            return;
        };
        self.state.stack.truncate(depth);
        let arguments = usize::from(self.unit.arguments.unwrap_or(0));
        for number in (0..count).map(|n| last.wrapping_sub(n)) {
            if number < self.unit.slots {
                let unbound = Slot::Constant(LispPtr::UNBOUND.0);
                self.set_local(arguments + usize::from(number), unbound);
            }
        }
    }

    /// Not 0 if there is no room for `words` words behind the word address `at`, or attention
    /// is wanted.
    pub(super) fn is_stack_short(&mut self, at: Value, words: u32) -> Value {
        let end = self.builder.ins().load(I32, trusted(), self.base, END);
        let need = i64::from(words) - 0x1_0000;
        let reached = self.builder.ins().iadd_imm_s(at, need);
        (self.builder.ins()).icmp(IntCC::UnsignedGreaterThan, reached, end)
    }

    /// Builds the frame at the Lisp address `top`, behind the arguments, for a call from the frame
    /// that `link` tells; refuses if the stack is too short or attention is wanted.
    pub(super) fn build_frame(&mut self, top: Value, link: Value, environment: Value) {
        use super::home;
        let at = self.builder.ins().ireduce(I32, top);
        let mut need = self.unit.stack_words();
        if self.host.is_exact {
            // No jump finds the stack too short.
            need += u32::from(self.unit.stack_min);
        }
        let short = self.is_stack_short(at, need);
        let refuse = self.builder.create_block();
        let build = self.builder.create_block();
        self.builder.set_cold_block(refuse);
        self.builder.ins().brif(short, refuse, &[], build, &[]);
        self.builder.switch_to_block(refuse);
        let zero = self.builder.ins().iconst(I32, 0);
        let status = self.builder.ins().iconst(I32, crate::status::REFUSED);
        self.builder.ins().return_(&[zero, status]);
        self.builder.switch_to_block(build);
        // The call.
        self.count(1);
        let words = i64::from(-home::BASIC / 2);
        let frame = self.builder.ins().iadd_imm_s(top, words);
        self.builder.def_var(self.frame, frame);
        let basic = match self.unit.arguments {
            Some(arguments) => {
                let basic = 0x8000_0000 - 0x1_0000 - 2 * i64::from(arguments);
                (self.builder.ins()).iadd_imm_u(at, basic & 0xFFFF_FFFF)
            }
            None => {
                // Where the caller says that the next block begins.
                let caller = self.builder.ins().band_imm_u(link, 0xFFFF);
                let caller = self.stack_address(caller);
                let resume = (self.builder.ins()).load(I32, trusted(), caller, home::RESUME);
                let ivar = self.builder.ins().ushr_imm_u(resume, 16);
                self.builder.ins().bor_imm_u(ivar, 0x8000_0000)
            }
        };
        self.store_home(basic, home::BASIC);
        self.store_home(link, home::LINK);
        let code = (self.layout.frame_pointer)(self.unit.code);
        let code = self.constant(code.0);
        self.store_home(code, home::FUNCTION);
        if self.unit.slots > 0 {
            let unbound = self.builder.ins().iconst(I64, -1);
            let homes = self.homes();
            for pair in 0..self.unit.slots / 2 {
                self.builder
                    .ins()
                    .store(trusted(), unbound, homes, 8 * i32::from(pair));
            }
            self.store_home(environment, 0);
        }
    }
}
