//! What native code calls.

use std::cell::Cell;

use geiko_runtime::interp::native::{Executed, Outcome, Point};
use geiko_runtime::interp::operations::Applicable;
use geiko_runtime::isa::{Kind, Opcode};
use geiko_runtime::layout::{Generation, STACK};
use geiko_runtime::machine::Machine;
use geiko_runtime::memory::{LispPtr, StackOffset};
use geiko_runtime::stack::KnownIn;

use crate::events::{Event, Events};
use crate::exits::{self, Exit, Exits};
use crate::numbers::{self, Met, Seen, seen};
use crate::records::{Known, Records};
use crate::status;

/// What shims need to find the machine.
pub struct Context<G: Generation> {
    /// The machine, while native code runs.
    pub machine: Cell<*mut Machine<'static, G>>,
    /// Host address of Lisp memory.
    pub base: usize,
    /// What native code there is.
    pub records: Records,
    /// What [`apply`] found besides the code.
    pub applied: Applied,
    /// What was answered to a call that changes no register.
    pub answer: Cell<u64>,
    /// Instructions that native code got to, if they are counted.
    pub instructions: Cell<u64>,
    /// How often native code was left.
    pub exits: Exits,
    /// What is done about native code.
    pub events: Events,
    /// Changes whenever native code goes out of use.
    pub epoch: Cell<u32>,
}

/// What a function object is called with, besides its native code. Native code reads it.
#[derive(Default)]
#[repr(C)]
pub struct Applied {
    environment: Cell<u32>,
    arguments: Cell<u32>,
}

/// Most missing arguments that are supplied. Activations reserve more stack than that.
pub const MAX_SUPPLIED: u16 = 4;

impl<G: Generation> Context<G> {
    /// The native code of `applicable`, made ready to be entered; 0 if there is none.
    fn enter(
        &self,
        machine: &Machine<'_, G>,
        applicable: Applicable,
        count: u16,
        first: usize,
    ) -> u64 {
        let (arguments, entry) = self.records.with(applicable.code, |record| {
            (record.arguments.get(), record.entry.get())
        });
        let wanted = arguments.unwrap_or(count);
        if entry == 0 || wanted > count + MAX_SUPPLIED {
            return 0;
        }
        for missing in count..wanted {
            let at = self.offset(first).add(2 * missing);
            machine.mem.set_stack(at, LispPtr::NIL);
        }
        self.applied.environment.set(applicable.environment.0);
        self.applied.arguments.set(wanted.into());
        entry as u64
    }

    /// Notes what the instruction at `at` met, or that a guess about variables was wrong
    /// there.
    fn note(&self, machine: &Machine<'_, G>, at: Point, is_place: bool) {
        let (code, number) = machine.instruction_at(at);
        let met = if is_place {
            Met::Variables
        } else {
            met(machine, at, Opcode::from(number))
        };
        let pc = u32::from(at.pc);
        let exit = match met {
            Met::Variables => Exit::Variable,
            Met::Array(_) => Exit::Array,
            Met::Numbers(seen) if seen.leaves_its_kind() => Exit::Result,
            Met::Numbers(_) => Exit::Operand,
        };
        self.exits.count(exit, number);
        self.events
            .happens(code, &Event::GivenUp { pc: at.pc, exit });
        if self.records.note(code, pc, met) {
            self.events.happens(code, &Event::OutOfUse);
            self.renew();
        }
    }

    /// Entries that were remembered are not valid any more.
    pub fn renew(&self) {
        self.epoch.set(self.epoch.get() + 1);
    }

    /// The place in the activation at `frame` whose pc and stack depth are in `point`,
    /// 16 bits each.
    fn place(&self, frame: usize, point: u64) -> Point {
        Point {
            pvar: self.offset(frame),
            pc: point as u16,
            depth: (point >> 16) as u16,
        }
    }

    fn offset(&self, frame: usize) -> StackOffset {
        StackOffset((((frame - self.base) >> 1) as u32 - STACK.0) as u16)
    }
}

/// What the instruction at `at` has met.
fn met<G: Generation>(machine: &Machine<'_, G>, at: Point, opcode: Opcode) -> Met {
    match opcode {
        Opcode::Aref1 | Opcode::Aset1 => Met::Array(machine.array_at(at, 1)),
        Opcode::Aref2 | Opcode::Aset2 => Met::Array(machine.array_at(at, 2)),
        _ if numbers::domain(opcode).is_some() => {
            let (a, b) = machine.operands_at(at);
            Met::Numbers(Seen {
                a: seen::bit(machine.number_in(a)),
                b: seen::bit(machine.number_in(b)),
                result: match opcode.info().kind {
                    Kind::Compare => 0,
                    _ => seen::bit(machine.compute(opcode, a, b)),
                },
            })
        }
        _ => Met::Variables,
    }
}

fn pack(value: u32, status: i64) -> u64 {
    u64::from(value) | (status as u64) << 32
}

fn outcome(outcome: Outcome) -> u64 {
    match outcome {
        Outcome::Returned(value) => pack(value.0, status::RETURNED),
        Outcome::Abandoned => pack(0, status::ABANDONED),
    }
}

/// Interprets the rest of the activation at `frame`. `point` holds the pc and the
/// depth of the stack, 16 bits each.
///
/// # Safety
///
/// Called by native code only, whose context is `context`, so that the machine in
/// it is there and no reference to it is in use.
pub unsafe extern "C" fn finish<G: Generation>(
    context: *const Context<G>,
    frame: usize,
    point: u64,
) -> u64 {
    // SAFETY: see above.
    let (context, machine) = unsafe { (&*context, &mut *(*context).machine.get()) };
    let at = context.place(frame, point);
    let (exit, opcode) = exits::of_rest(machine, at);
    context.exits.count(exit, opcode);
    outcome(machine.finish_frame(at))
}

/// The same, when what the code was made for is not the case: notes what is. After
/// a few times the function is compiled again. `point` says in bit 32 that it was a
/// guess about variables.
///
/// # Safety
///
/// As for [`finish`].
pub unsafe extern "C" fn give_up<G: Generation>(
    context: *const Context<G>,
    frame: usize,
    point: u64,
) -> u64 {
    // SAFETY: see above.
    let (context, machine) = unsafe { (&*context, &mut *(*context).machine.get()) };
    let at = context.place(frame, point);
    let is_place = point >> 32 != 0;
    context.note(machine, at, is_place);
    outcome(machine.finish_frame(at))
}

/// Interprets one instruction of the activation at `frame`, with the calls it
/// makes. `point` holds its pc, the depth of the stack, and the pc behind it. The
/// status is 0 if the activation goes on behind it, else one more than that of
/// the ended activation.
///
/// # Safety
///
/// As for [`finish`].
pub unsafe extern "C" fn execute<G: Generation>(
    context: *const Context<G>,
    frame: usize,
    point: u64,
) -> u64 {
    // SAFETY: see above.
    let (context, machine) = unsafe { (&*context, &mut *(*context).machine.get()) };
    let at = context.place(frame, point);
    let (exit, opcode) = exits::of_instruction(machine, at, &context.records);
    context.exits.count(exit, opcode);
    match machine.execute_instruction(at, (point >> 32) as u16) {
        Executed::Next(value) => pack(value.0, 0),
        Executed::Ended(ended) => outcome(ended) + (1 << 32),
    }
}

/// Interprets the rest of the activation at `frame` from where a callee, which
/// returned `value`, made it go on.
///
/// # Safety
///
/// As for [`finish`].
pub unsafe extern "C" fn resume<G: Generation>(
    context: *const Context<G>,
    frame: usize,
    value: u64,
) -> u64 {
    // SAFETY: see above.
    let (context, machine) = unsafe { (&*context, &mut *(*context).machine.get()) };
    context.exits.count(Exit::Elsewhere, 0);
    let value = LispPtr(value as u32);
    outcome(machine.finish_behind_call(context.offset(frame), value))
}

/// The native code that a call of `function` enters with `count` arguments, the first
/// of which is at the host address `first`; 0 if there is none. Supplies missing
/// arguments, and leaves in the context how many the code gets, and the environment.
///
/// # Safety
///
/// As for [`finish`].
pub unsafe extern "C" fn apply<G: Generation>(
    context: *const Context<G>,
    function: u64,
    count: u64,
    first: usize,
) -> u64 {
    // SAFETY: see above.
    let (context, machine) = unsafe { (&*context, &*(*context).machine.get()) };
    match machine.applicable(LispPtr(function as u32)) {
        Some(applicable) => context.enter(machine, applicable, count as u16, first),
        None => 0,
    }
}

/// The same for the code block `code` with an environment.
///
/// # Safety
///
/// As for [`finish`].
pub unsafe extern "C" fn apply_code<G: Generation>(
    context: *const Context<G>,
    code: u64,
    environment: u64,
    count: u64,
    first: usize,
) -> u64 {
    // SAFETY: see above.
    let (context, machine) = unsafe { (&*context, &*(*context).machine.get()) };
    let applicable = Applicable::new::<G>(LispPtr(code as u32), LispPtr(environment as u32));
    context.enter(machine, applicable, count as u16, first)
}

/// Looks for the free variable in slot `slot` of the frame at the stack offset `frame`.
/// Answers what the slot holds then, with 1 in the upper half if that cannot be done.
///
/// # Safety
///
/// As for [`finish`]; `known` is that of the slot.
pub unsafe extern "sysv64" fn free_variable<G: Generation>(
    context: *const Context<G>,
    frame: u64,
    slot: u64,
    known: *const Known,
    _: u64,
) -> u64 {
    // SAFETY: see above.
    let (machine, known) = unsafe { (&mut *(*context).machine.get(), &*known) };
    let (frame, slot) = (StackOffset(frame as u16), slot as u8);
    let Some(found) = machine.free_variable(frame, slot) else {
        return pack(0, 1);
    };
    if let Some((function, place)) = machine.known_to_caller(frame, slot) {
        known.function.set(function.0);
        known.place.set(match place {
            KnownIn::Local(index) => 4 * u32::from(index),
            KnownIn::Free(index) => 4 * u32::from(index) + 1,
        });
    }
    pack(found.0, 0)
}
