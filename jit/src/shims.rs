//! What native code calls.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::ptr;

use geiko_runtime::interp::native::{Executed, Outcome, Point};
use geiko_runtime::interp::operations::Applicable;
use geiko_runtime::isa::{Kind, Opcode};
use geiko_runtime::layout::Generation;
use geiko_runtime::machine::Machine;
use geiko_runtime::memory::{LispPtr, StackOffset};
use geiko_runtime::stack::KnownIn;
use geiko_runtime::symbols::Symbols;

use crate::entry::{HostFrame, walk};
use crate::events::{Event, Events};
use crate::exits::{self, Exit, Exits};
use crate::feedback::Met;
use crate::observing::met;
use crate::records::{Records, Way};
use crate::sites::{Called, Known};
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
    /// Where control is when activations were abandoned.
    pub landing: Landing,
    /// Stack offset of the frame where native code was entered last.
    pub entered: Cell<u32>,
    /// Host address of what searches for free variables found.
    pub found: Cell<usize>,
    /// Host address of the allocation countdown.
    pub countdown: Cell<usize>,
    /// Host address of the cell that is not NIL when counting is over.
    pub disabled: Cell<usize>,
    /// Instructions that are to be seen before they are interpreted.
    pub unseen: Cell<u32>,
    /// Changes whenever native code goes out of use.
    pub epoch: Cell<u32>,
    /// Where the entry trampoline is.
    pub entry: RefCell<Range<usize>>,
}

/// What a function object is called with, besides its native code. Native code reads it.
#[derive(Default)]
#[repr(C)]
pub struct Applied {
    environment: Cell<u32>,
    /// Words of the arguments that the code takes.
    words: Cell<u32>,
    /// The native code, if there is some.
    entry: Cell<usize>,
}

/// Byte offsets in [`Applied`].
pub mod applied {
    use std::mem::offset_of;

    use super::Applied;

    pub const ENVIRONMENT: i32 = offset_of!(Applied, environment) as i32;
    pub const WORDS: i32 = offset_of!(Applied, words) as i32;
    pub const ENTRY: i32 = offset_of!(Applied, entry) as i32;
}

/// Where native code can go on. Native code reads it.
#[derive(Default)]
#[repr(C)]
pub struct Landing {
    /// Lisp address of the frame that runs, if native code that waits in it can go on;
    /// else 0.
    frame: Cell<usize>,
    /// What that frame was returned.
    value: Cell<u32>,
    /// What native code is to be entered with that goes on elsewhere in its frame,
    /// where, and the frame.
    link: Cell<u32>,
    entry: Cell<usize>,
    own: Cell<usize>,
}

impl Landing {
    /// Native code is entered at `way` with the frame at the host address `own`.
    pub fn enter(&self, way: Way, own: usize) {
        self.own.set(own);
        self.entry.set(way.target);
        self.link.set(2 * way.number as u32 + 1);
    }
}

/// Byte offsets in [`Landing`].
pub mod landing {
    use std::mem::offset_of;

    use super::Landing;

    pub const FRAME: i32 = offset_of!(Landing, frame) as i32;
    pub const VALUE: i32 = offset_of!(Landing, value) as i32;
    pub const LINK: i32 = offset_of!(Landing, link) as i32;
    pub const ENTRY: i32 = offset_of!(Landing, entry) as i32;
    pub const OWN: i32 = offset_of!(Landing, own) as i32;
}

/// Most missing arguments that are supplied. Activations reserve more stack than that.
pub const MAX_SUPPLIED: u16 = 4;

impl<G: Generation> Context<G> {
    /// Counting uses the cells of these symbols.
    pub fn know_counting(&self, symbols: &Symbols) {
        let host = |cell: LispPtr| self.base + 2 * cell.masked::<G>().0 as usize;
        self.countdown.set(host(symbols.reclaim_countdown));
        self.disabled.set(host(symbols.gc_disabled));
    }

    /// The native code of `applicable` for `count` arguments; 0 if there is none. Leaves
    /// in the context what else it is called with, and at the site what was called.
    fn enter(&self, applicable: Applicable, count: u16, site: &Called) -> u64 {
        self.records.with(applicable.code, |record| {
            let wanted = record.arguments.get().unwrap_or(count);
            let entry = record.entry.get();
            if entry == 0 || wanted > count + MAX_SUPPLIED {
                return 0;
            }
            site.remember(applicable.code, wanted, record);
            self.applied.environment.set(applicable.environment.0);
            self.applied.words.set(2 * u32::from(wanted));
            entry as u64
        })
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

    /// An outcome for native code; if the activation was abandoned, others see whether
    /// they go on.
    fn outcome(&self, machine: &Machine<'_, G>, outcome: Outcome) -> u64 {
        match outcome {
            Outcome::Returned(value) => pack(value.0, status::RETURNED),
            Outcome::Reentered => pack(0, status::REENTER),
            Outcome::Abandoned => {
                let (frame, value) = machine.landing().map_or((0, LispPtr::NIL), |landing| {
                    (landing.0.address().0 as usize, landing.1)
                });
                self.landing.frame.set(frame);
                self.landing.value.set(value.0);
                pack(0, status::ABANDONED)
            }
        }
    }

    /// Stack offset of the frame at a Lisp address, whose lowest bit means nothing.
    fn offset(&self, frame: usize) -> StackOffset {
        StackOffset(frame as u16 & !1)
    }
}

fn pack(value: u32, status: i64) -> u64 {
    u64::from(value) | (status as u64) << 32
}

/// Serves a poll at a safepoint in the activation at `frame`; `point` holds the pc and how many
/// cells of its stack are in the Lisp frame. The native frame that polls has the frame pointer
/// `pointer` and waits for a return to `place`. Answers 0 if it may go on.
///
/// # Safety
///
/// As for [`finish`], through the door at safepoints.
pub unsafe extern "C" fn safepoint<G: Generation>(
    context: *const Context<G>,
    frame: usize,
    point: u64,
    place: usize,
    pointer: usize,
) -> u64 {
    // SAFETY: see above.
    let (context, machine) = unsafe { (&*context, &mut *(*context).machine.get()) };
    let mut held = Vec::new();
    let see = |frame: HostFrame| {
        context
            .records
            .maps
            .references(frame.place, frame.pointer, |at| {
                let cell = ptr::with_exposed_provenance::<LispPtr>(at);
                // SAFETY: the map says that a reference is there while the frame waits.
                held.push(unsafe { cell.read() });
            });
    };
    // SAFETY: the frames between the trampoline and the door are native code's.
    unsafe { walk(HostFrame { place, pointer }, &context.entry.borrow(), see) };
    let at = context.place(frame, point);
    if !machine.serve_at_safepoint(at, &held) {
        return 1;
    }
    let (_, opcode) = machine.instruction_at(at);
    context.exits.count(Exit::Safepoint, opcode);
    0
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
    machine.observe(at);
    let (exit, opcode) = exits::of_rest(machine, at);
    context.exits.count(exit, opcode);
    let ended = machine.finish_frame(at);
    context.outcome(machine, ended)
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
    machine.observe(at);
    let is_place = point >> 32 != 0;
    context.note(machine, at, is_place);
    let ended = machine.finish_frame(at);
    context.outcome(machine, ended)
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
    machine.observe(at);
    let (exit, opcode) = exits::of_instruction(machine, at, &context.records);
    context.exits.count(exit, opcode);
    // A call polls, and all that it needs is in the Lisp frame.
    if machine.attention_wanted() && Opcode::from(opcode).info().kind == Kind::Call {
        machine.serve_at_safepoint(at, &[]);
    }
    match machine.execute_instruction(at, (point >> 32) as u16) {
        Executed::Next(value) => pack(value.0, 0),
        Executed::Ended(ended) => context.outcome(machine, ended) + (1 << 32),
    }
}

/// Goes on with the activation at `frame` where a callee, which returned `value`, made
/// it go on: natively, if there is an entry, else the rest of it is interpreted.
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
    let at = machine.behind_call(context.offset(frame), LispPtr(value as u32));
    let (code, _) = machine.instruction_at(at);
    let way = (context.records).with(code, |record| record.way_to(at.pc.into(), at.depth));
    if let Some(way) = way.filter(|way| way.is_open(machine, at.pvar)) {
        context.landing.enter(way, at.pvar.address().0 as usize);
        return pack(0, status::REENTER);
    }
    context.exits.count(Exit::Elsewhere, 0);
    let ended = machine.finish_behind_call(at);
    context.outcome(machine, ended)
}

/// Tells the machine that native code is at a place in the activation at `frame`.
/// `point` holds the pc and the depth of the stack.
///
/// # Safety
///
/// As for [`finish`].
pub unsafe extern "C" fn observe<G: Generation>(
    context: *const Context<G>,
    frame: usize,
    point: u64,
) -> u64 {
    // SAFETY: see above.
    let (context, machine) = unsafe { (&*context, &mut *(*context).machine.get()) };
    machine.observe(context.place(frame, point));
    0
}

/// The native code that a call of `function` enters with `count` arguments; 0 if there
/// is none. Leaves in the context how many words of arguments the code takes, and the
/// environment, and at the site what was called.
///
/// # Safety
///
/// As for [`finish`]; `site` is that of the call.
pub unsafe extern "C" fn apply<G: Generation>(
    context: *const Context<G>,
    function: u64,
    count: u64,
    site: *const Called,
) -> u64 {
    // SAFETY: see above.
    let (context, machine, site) = unsafe { (&*context, &*(*context).machine.get(), &*site) };
    match machine.applicable(LispPtr(function as u32)) {
        Some(applicable) => context.enter(applicable, count as u16, site),
        None => 0,
    }
}

/// The same for the code block `code` with an environment.
///
/// # Safety
///
/// As for [`apply`].
pub unsafe extern "C" fn apply_code<G: Generation>(
    context: *const Context<G>,
    code: u64,
    environment: u64,
    count: u64,
    site: *const Called,
) -> u64 {
    // SAFETY: see above.
    let (context, site) = unsafe { (&*context, &*site) };
    let applicable = Applicable::new::<G>(LispPtr(code as u32), LispPtr(environment as u32));
    context.enter(applicable, count as u16, site)
}

/// Puts the elements of `list` on the stack at the Lisp address `place` and looks for the native
/// code of `function`. `counts` says, in 16 bits each, how many arguments are there already, how
/// many there may be, and what the function that calls needs of the stack. Answers how many elements there
/// are, with 1 in the upper half if nothing was done. Leaves in the context the native code, or 0,
/// and what it is called with; arguments that are missing are supplied.
///
/// # Safety
///
/// As for [`finish`].
pub unsafe extern "C" fn spread<G: Generation>(
    context: *const Context<G>,
    place: u64,
    list: u64,
    counts: u64,
    function: u64,
) -> u64 {
    // SAFETY: see above.
    let (context, machine) = unsafe { (&*context, &mut *(*context).machine.get()) };
    let [before, most, need] = [0, 16, 32].map(|shift| (counts >> shift) as u16);
    let place = StackOffset(place as u16);
    let Some(elements) = machine.spread(
        place,
        LispPtr(list as u32),
        most.saturating_sub(before),
        need,
    ) else {
        return pack(0, 1);
    };
    let count = before + elements;
    let applied = &context.applied;
    applied.entry.set(0);
    if let Some(applicable) = machine.applicable(LispPtr(function as u32)) {
        context.records.with(applicable.code, |record| {
            let wanted = record.arguments.get().unwrap_or(count);
            if wanted > count + MAX_SUPPLIED {
                return;
            }
            for missing in elements..elements + wanted.saturating_sub(count) {
                machine.mem.set_stack(place.add(2 * missing), LispPtr::NIL);
            }
            applied.environment.set(applicable.environment.0);
            applied.words.set(2 * u32::from(wanted));
            applied.entry.set(record.entry.get());
        });
    }
    pack(elements.into(), 0)
}

/// Notes that the function at `code` has to call the leaf at `pc`.
///
/// # Safety
///
/// As for [`finish`].
pub unsafe extern "C" fn missed<G: Generation>(
    context: *const Context<G>,
    code: u64,
    pc: u64,
    _: u64,
    _: u64,
) -> u64 {
    // SAFETY: see above.
    let context = unsafe { &*context };
    let code = LispPtr(code as u32);
    if context.records.miss(code, pc as u32) {
        context.events.happens(code, &Event::OutOfUse);
        context.renew();
    }
    0
}

/// Looks for the free variable in slot `slot` of the frame at the stack offset `frame`.
/// Answers what the slot holds then, with 1 in the upper half if that cannot be done.
///
/// # Safety
///
/// As for [`finish`]; `known` is that of the slot.
pub unsafe extern "C" fn free_variable<G: Generation>(
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
