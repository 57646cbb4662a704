//! The ways out of native code: one list, from which come their counters and names.

use std::cell::Cell;

use geiko_runtime::interp::native::Point;
use geiko_runtime::isa::{Kind, Opcode};
use geiko_runtime::layout::{Generation, SymbolCell};
use geiko_runtime::machine::Machine;
use geiko_runtime::memory::CodePc;

use crate::operations::Operations;
use crate::records::Records;
use crate::shims::MAX_SUPPLIED;

macro_rules! exits {
    ($( $(#[$doc:meta])* $name:ident $text:literal; )*) => {
        /// Why native code was left.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Exit { $( $(#[$doc])* $name, )* }

        impl Exit {
            /// All of them.
            pub const ALL: [Self; [$(stringify!($name)),*].len()] = [$( Self::$name, )*];

            /// What people call it.
            pub fn text(self) -> &'static str {
                match self { $( Self::$name => $text, )* }
            }
        }
    };
}

exits! {
    /// The machine does a part of an instruction; counted in `operations.rs`.
    Operation "operation";
    /// The interpreter executes an instruction, because there is no other way or its
    /// operands are unusual.
    Instruction "instruction interpreted";
    /// A call of something that has no native code, or not for that many arguments.
    Uncompiled "call of what is interpreted";
    /// A call of what has been defined anew since the call was compiled.
    Redefined "call of what was redefined";
    /// A call when attention is wanted.
    CallPoll "call, attention wanted";
    /// A call for which the stack is too short.
    Overflow "call, the stack is short";
    /// A turn of a loop when attention is wanted.
    LoopPoll "loop, attention wanted";
    /// What was wanted needed no Lisp.
    Safepoint "safepoint, native code goes on";
    /// A return to a frame that others use as well.
    SlowReturn "return, the caller's frame is shared";
    /// The rest of an activation, at an instruction whose effect on the stack is not known.
    Rest "rest of an activation interpreted";
    /// A callee had its caller go on elsewhere.
    Elsewhere "return to another place";
    /// An operand was of a kind that the operation had not met.
    Operand "wrong guess, operand";
    /// The result was: an overflow, mostly.
    Result "wrong guess, result";
    /// An array had elements of another type.
    Array "wrong guess, array";
    /// A variable was, where ways meet.
    Variable "wrong guess, variable";
    /// Control went elsewhere, and all activations since the last entry were given up.
    Abandoned "control elsewhere";
}

/// Most operations and opcodes.
const DETAILS: usize = 256;

/// How often native code was left, by reason and, within it, by opcode or operation.
pub struct Exits(Box<[[Cell<u64>; DETAILS]]>);

impl Default for Exits {
    fn default() -> Self {
        Self(Exit::ALL.map(|_| [const { Cell::new(0) }; DETAILS]).into())
    }
}

/// How often native code was left for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The reason.
    pub exit: Exit,
    /// The instruction or operation.
    pub detail: &'static str,
    /// How often.
    pub count: u64,
}

impl Exits {
    /// Counts an exit.
    #[inline(always)]
    pub fn count(&self, exit: Exit, detail: u8) {
        let count = &self.0[exit as usize][usize::from(detail)];
        count.set(count.get() + 1);
    }

    /// Instructions that native code got to and that the interpreter executed.
    pub fn interpreted(&self) -> u64 {
        let reasons = [
            Exit::Instruction,
            Exit::Uncompiled,
            Exit::Redefined,
            Exit::CallPoll,
            Exit::Overflow,
        ];
        let counts = reasons.iter().flat_map(|&exit| &self.0[exit as usize]);
        counts.map(Cell::get).sum()
    }

    /// All reasons that there were, the most frequent first.
    pub fn rows(&self) -> Vec<Row> {
        let detail = |exit, number: usize| match exit {
            Exit::Operation => Operations::NAMES.get(number).copied().unwrap_or(""),
            Exit::Elsewhere | Exit::Abandoned => "",
            _ => Opcode::from(number as u8).name(),
        };
        let mut rows: Vec<_> = (Exit::ALL.into_iter().zip(&self.0))
            .flat_map(|(exit, counts)| {
                (counts.iter().enumerate()).map(move |(number, count)| Row {
                    exit,
                    detail: detail(exit, number),
                    count: count.get(),
                })
            })
            .filter(|row| row.count > 0)
            .collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.count));
        rows
    }
}

/// Why the interpreter executes the one instruction at `at`.
pub fn of_instruction<G: Generation>(
    machine: &Machine<'_, G>,
    at: Point,
    records: &Records,
) -> (Exit, u8) {
    let (code, number) = machine.instruction_at(at);
    let opcode = Opcode::from(number);
    let pc = CodePc::new(code, at.pc);
    // Bytes in front of the symbol, and arguments.
    let (behind, count) = match opcode {
        Opcode::Fn0 => (1, 0),
        Opcode::Fn1 => (1, 1),
        Opcode::Fn2 => (1, 2),
        Opcode::Fn3 => (1, 3),
        Opcode::Fn4 => (1, 4),
        Opcode::FnX => (2, machine.mem.code(pc, 1)),
        Opcode::ApplyFn | Opcode::EnvCall => return (Exit::Uncompiled, number),
        _ => return (Exit::Instruction, number),
    };
    let symbol = machine.mem.pointer_operand(pc, behind);
    let definition = G::symbol_cell(symbol, SymbolCell::Definition);
    let callee = machine.mem.cell(definition);
    let has_native_code = callee.has_sign()
        && records.with(callee.masked::<G>(), |record| {
            let most = u16::from(count) + MAX_SUPPLIED;
            record.entry.get() != 0 && record.arguments.get().is_none_or(|wanted| wanted <= most)
        });
    let exit = if !has_native_code {
        Exit::Uncompiled
    } else if machine.attention_wanted() {
        Exit::CallPoll
    } else if machine.is_stack_short(at, callee.masked::<G>()) {
        Exit::Overflow
    } else {
        Exit::Redefined
    };
    (exit, number)
}

/// Why the interpreter takes the rest of the activation at `at`.
pub fn of_rest<G: Generation>(machine: &Machine<'_, G>, at: Point) -> (Exit, u8) {
    let (_, opcode) = machine.instruction_at(at);
    let exit = match Opcode::from(opcode).info().kind {
        Kind::Jump if machine.attention_wanted() => Exit::LoopPoll,
        Kind::Return => Exit::SlowReturn,
        _ => Exit::Rest,
    };
    (exit, opcode)
}
