//! Several values, keyword and rest arguments.
//!
//! ```text
//! VALUES:    the code behind it returns, and the caller goes on with an instruction that
//!            hands nothing on:                 the first value
//!            somebody may want all of them:    operation; the list of them if they are wanted
//! FINDKEY:   each other argument from the one that is named: the key: its number plus 1
//! RESTLIST:  no argument is left:              the tail
//!            otherwise                         operation
//! ```

use std::sync::LazyLock;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I8, I16, I32, I64};
use cranelift_codegen::ir::{Block, InstBuilder, MemFlagsData, Value};
use geiko_runtime::interp::values::passes_values;
use geiko_runtime::isa::Opcode;
use geiko_runtime::layout::records::frame::flag;
use geiko_runtime::memory::LispPtr;

use super::{Translator, home, trusted};
use crate::flow::{Effect, Step};

/// Instructions behind VALUES that are looked at while a function is compiled.
const MOST_FOLLOWED: usize = 8;

/// Not 0 for the instructions that may hand on several values.
static PASSES_VALUES: LazyLock<[u8; 256]> =
    LazyLock::new(|| std::array::from_fn(|code| passes_values(Opcode::from(code as u8)).into()));

/// What the code behind VALUES does with a value.
enum Use {
    /// It is not handed on.
    Own,
    /// It is returned.
    Returned,
    /// That cannot be seen here.
    Unknown,
}

impl Translator<'_, '_> {
    /// VALUES of the top `count` cells, at least one.
    pub(super) fn values(&mut self, step: &Step, count: usize) {
        let values = self.top(count);
        let (meet, result) = self.meeting(I32);
        let ask = self.cold_block();
        match self.use_of_values(step.next) {
            Use::Own => {
                self.replace(count, values[0]);
                return;
            }
            Use::Returned => {
                self.go_on_if_nobody_wants_values(ask);
                self.builder.ins().jump(meet, &[values[0].into()]);
            }
            Use::Unknown => {
                self.builder.ins().jump(ask, &[]);
            }
        }
        self.builder.switch_to_block(ask);
        let operations = self.host.operations;
        let frame = self.frame_address();
        let next = self.constant(step.next);
        let arguments = [frame, next, values[0]];
        let answer = self.call_operation(operations.single_value, &arguments);
        let value = self.builder.ins().ireduce(I32, answer);
        let wanted = self.builder.ins().ushr_imm_u(answer, 32);
        let deliver = self.cold_block();
        (self.builder.ins()).brif(wanted, deliver, &[], meet, &[value.into()]);
        self.builder.switch_to_block(deliver);
        let state = self.state.clone();
        self.store_stack();
        let frame = self.frame_address();
        let first = self.state.stack.len() - count;
        let [first, count_there] = [first, count].map(|n| self.constant(n as u32));
        let arguments = [frame, next, first, count_there];
        self.operate_and_meet(operations.several_values, &arguments, step, meet);
        self.state = state;
        self.builder.switch_to_block(meet);
        self.replace(count, result);
    }

    /// What the code at `pc` does with the value on top of the stack.
    fn use_of_values(&self, mut pc: u32) -> Use {
        for _ in 0..MOST_FOLLOWED {
            let Some(step) = self.unit.flow.step(pc) else {
                return Use::Unknown;
            };
            let opcode = step.instruction.opcode;
            pc = match (opcode, step.effect) {
                (_, Effect::Return) => return Use::Returned,
                (Opcode::Unbind, _) => step.next,
                (_, Effect::Jump { .. }) if passes_values(opcode) => {
                    match step.instruction.target().map(u32::try_from) {
                        Some(Ok(target)) => target,
                        _ => return Use::Unknown,
                    }
                }
                _ if passes_values(opcode) => return Use::Unknown,
                _ => return Use::Own,
            };
        }
        Use::Unknown
    }

    /// Goes to `ask` unless the caller goes on with an instruction that uses one value.
    fn go_on_if_nobody_wants_values(&mut self, ask: Block) {
        let link = self.load_home(home::LINK);
        let slow = self.builder.ins().band_imm_u(link, 1);
        self.go_on_unless(slow, ask);
        let caller = self.builder.ins().band_imm_u(link, 0xFFFE);
        let address = self.stack_address(caller);
        let load = |t: &mut Self, home| t.builder.ins().load(I32, trusted(), address, home);
        let link = load(self, home::LINK);
        let function = load(self, home::FUNCTION);
        let resume = load(self, home::RESUME);
        let drops = (self.builder.ins()).band_imm_u(link, i64::from(flag::NO_PUSH) << 16);
        self.go_on_unless(drops, ask);
        let header = if (self.layout.frame_pointer)(LispPtr(1)).0 == 1 {
            function
        } else {
            self.builder.ins().rotl_imm_u(function, 16)
        };
        let header = self.masked(header);
        let header = self.builder.ins().uextend(I64, header);
        let pc = self.builder.ins().ireduce(I16, resume);
        let pc = self.builder.ins().uextend(I64, pc);
        let bytes = self.builder.ins().ishl_imm_u(header, 1);
        let at = self.builder.ins().iadd(bytes, pc);
        let at = self.builder.ins().bxor_imm_u(at, 3);
        let at = self.builder.ins().iadd(self.base, at);
        let flags = MemFlagsData::new().with_notrap();
        let opcode = self.builder.ins().load(I8, flags, at, 0);
        let opcode = self.builder.ins().uextend(I64, opcode);
        let table = (self.builder.ins()).iconst(I64, PASSES_VALUES.as_ptr() as i64);
        let at = self.builder.ins().iadd(table, opcode);
        let passes = self.builder.ins().load(I8, trusted(), at, 0);
        self.go_on_unless(passes, ask);
    }

    fn go_on_unless(&mut self, condition: Value, otherwise: Block) {
        let next = self.builder.create_block();
        (self.builder.ins()).brif(condition, otherwise, &[], next, &[]);
        self.builder.switch_to_block(next);
    }

    /// FINDKEY: looks for the key on the stack from argument `first` on.
    pub(super) fn keyword_argument(&mut self, first: u32) {
        let key = self.top(1)[0];
        if first == 0 {
            let frame = self.frame_address();
            let first = self.constant(first);
            let operation = self.host.operations.keyword_argument;
            let value = self.operate(operation, &[frame, first, key]);
            return self.replace(1, value);
        }
        let (meet, result) = self.meeting(I32);
        let (turn, number) = self.meeting(I32);
        let [look, next, found] = [(); 3].map(|()| self.builder.create_block());
        let ivar = self.first_argument();
        let count = self.argument_count(ivar);
        let arguments = self.stack_address(ivar);
        let first = self.constant(first);
        self.builder.ins().jump(turn, &[first.into()]);
        self.builder.switch_to_block(turn);
        let nil = self.constant(0);
        let more = (self.builder.ins()).icmp(IntCC::UnsignedLessThan, number, count);
        self.builder
            .ins()
            .brif(more, look, &[], meet, &[nil.into()]);
        self.builder.switch_to_block(look);
        let index = self.builder.ins().uextend(I64, number);
        let bytes = self.builder.ins().ishl_imm_u(index, 2);
        let at = self.builder.ins().iadd(arguments, bytes);
        let flags = MemFlagsData::new().with_notrap();
        let argument = self.builder.ins().load(I32, flags, at, -4);
        let same = self.builder.ins().icmp(IntCC::Equal, argument, key);
        self.builder.ins().brif(same, found, &[], next, &[]);
        self.builder.switch_to_block(next);
        let behind = self.builder.ins().iadd_imm_s(number, 2);
        self.builder.ins().jump(turn, &[behind.into()]);
        self.builder.switch_to_block(found);
        let number = self.builder.ins().iadd_imm_s(number, 0xE_0001);
        self.builder.ins().jump(meet, &[number.into()]);
        self.builder.switch_to_block(meet);
        self.replace(1, result);
    }

    /// RESTLIST: the arguments behind the first `skip - 1`, in front of the tail below their
    /// number on the stack.
    pub(super) fn rest_arguments(&mut self, skip: u32) {
        let cells = self.top(2);
        let (meet, result) = self.meeting(I32);
        let some = self.builder.create_block();
        let last = self.builder.ins().band_imm_u(cells[1], 0xFFFF);
        let least = i64::from(skip.max(1));
        let none = (self.builder.ins()).icmp_imm_u(IntCC::UnsignedLessThan, last, least);
        (self.builder.ins()).brif(none, meet, &[cells[0].into()], some, &[]);
        self.builder.switch_to_block(some);
        let frame = self.frame_address();
        let skip = self.constant(skip);
        let arguments = [frame, skip, cells[0], cells[1]];
        let value = self.operate(self.host.operations.rest_arguments, &arguments);
        self.builder.ins().jump(meet, &[value.into()]);
        self.builder.switch_to_block(meet);
        self.replace(2, result);
    }
}
