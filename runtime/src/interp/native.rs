//! Where the interpreter and native code meet.
//!
//! Native code for a function runs one activation of it: a Lisp frame and a host
//! frame that lasts as long. What it cannot do itself it leaves to the
//! interpreter, which runs nested in it: for one instruction and the calls that
//! the instruction makes ([`Machine::execute_instruction`]), or for the rest of
//! the activation ([`Machine::finish_frame`]). The nested interpreter stops when
//! a plain return reaches the frame that native code waits in
//! (`Machine::waiting`).
//!
//! Everything Lisp can see is in the Lisp frames whenever the interpreter runs,
//! so host frames can be abandoned at any time. They are when control goes
//! anywhere but to the frame waited for: a return from a slow frame (non-local
//! exits, interrupts), a context switch, an interruption by the host. One host
//! frame after the other is given up, the innermost first, until there is one that
//! can go on where control is: an interpreter, if the running frame returns to the
//! frame it stops at; native code, if its own frame is the one that runs and has been
//! returned a value ([`Machine::landing`]). If there is none, the interpreter goes
//! on in the Lisp frames, and native code is entered again at the next call or loop.
//!
//! When instructions are counted, native code counts them too, and everything happens
//! at the same instruction as in the interpreter: native code polls where that does,
//! makes the same boxes, and leaves the last instructions before a tick of the clock to
//! it ([`MARGIN`]).

use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;

pub use super::points::Point;
use super::profile::Profile;
use super::strays::Executing;
use super::{Exit, Handler, Handlers, State, handler};
use crate::accounts::Account;
use crate::isa::Opcode;
use crate::layout::Generation;
use crate::machine::Machine;
use crate::memory::{BYTES_PER_PAGE, CodePc, LispPtr, StackOffset, WORDS_PER_PAGE};
use crate::stack::{BOTTOM, Frame};

/// No frame is waited for: frames start at even offsets.
pub const NOBODY: StackOffset = StackOffset(1);

/// A frame is waited for that is not known: whoever it is sees that control has come
/// to it.
const SOMEBODY: StackOffset = StackOffset(3);

/// Frames looked at for the one that is waited for.
const NEAR: u32 = 16;

/// Most instructions that native code executes without asking how many are left until
/// the next tick, if they are counted.
pub const MARGIN: u32 = 0x2000;

/// Most entries of native code within each other: the stack of the host has room for them
/// and for the native frames of as many activations as fit on Lisp's stack.
const MOST_ENTRIES: u16 = 256;

/// How an activation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It returned this value to its caller.
    Returned(LispPtr),
    /// It goes on natively in the native frame that waits for it: the compiler knows
    /// where.
    Reentered,
    /// Control is elsewhere; the machine's registers say where.
    Abandoned,
}

/// What became of one instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Executed {
    /// It was done; this is the top of stack.
    Next(LispPtr),
    /// The activation went on elsewhere and ended.
    Ended(Outcome),
}

/// Makes and runs native code.
pub trait Compiler<G: Generation> {
    /// Runs the activation at `point`, from native code for its function if there
    /// is or can be any. If not: after how many calls or turns of a loop to ask again.
    fn enter(&self, machine: &mut Machine<'_, G>, point: Point) -> Result<Outcome, u32>;

    /// Sees the instruction at `point` before it is interpreted. False if it has seen enough.
    fn see(&self, _machine: &Machine<'_, G>, _point: Point) -> bool {
        false
    }

    /// The code block at `code` is no longer what it was.
    fn forget(&self, code: LispPtr);

    /// If `rests`, forgets all native code and makes no more, until told otherwise: memory is
    /// short. False while it still makes what was ordered before, which takes memory. No native
    /// code must be running.
    fn rest(&self, rests: bool) -> bool;

    /// The code block, and the byte offset of its instruction, of which the machine instruction
    /// at the address `host_pc` is a part.
    fn place(&self, host_pc: usize) -> Option<(LispPtr, u16)>;

    /// Lisp stored in `words` words of memory, on a page with a watched code block.
    /// Forgets the code blocks that it changed; true if there are any.
    fn patched(&self, from: LispPtr, words: u32) -> bool;
}

/// State of native code in the machine.
pub struct NativeState<G: Generation> {
    pub(super) compiler: Option<Rc<dyn Compiler<G>>>,
    /// What executes instructions while the compiler sees them first.
    pub(super) hidden: Option<&'static Handlers<G>>,
    threshold: i32,
    /// Which functions are hot.
    pub(crate) profile: Profile,
    /// Why the interpreter stopped while native code waited.
    stopped: Option<Exit>,
    /// What the running frame was returned when control went to it in another way than
    /// by a plain return.
    landed: Option<LispPtr>,
    /// PVAR slot 0 of the activation whose rest is being interpreted while its native
    /// frame waits.
    finishing: StackOffset,
    /// How many times native code is entered within each other.
    entries: u16,
    /// Not 0 for pages on which a code block is watched.
    watched: Box<[u8]>,
    /// Where Lisp stored last on such a page, and how many words.
    stored: (LispPtr, u32),
}

impl<G: Generation> Default for NativeState<G> {
    fn default() -> Self {
        Self {
            compiler: None,
            hidden: None,
            threshold: i32::MAX,
            profile: Profile::default(),
            stopped: None,
            landed: None,
            finishing: NOBODY,
            entries: 0,
            watched: Box::default(),
            stored: (LispPtr::NIL, 0),
        }
    }
}

impl<G: Generation> Machine<'_, G> {
    /// Has functions compiled that were called or looped `threshold` times.
    pub fn set_compiler(&mut self, compiler: Rc<dyn Compiler<G>>, threshold: u32) {
        let threshold = i32::try_from(threshold).unwrap_or(i32::MAX);
        let _account = Account::Profiles.open();
        let mut profile = std::mem::take(&mut self.native.profile);
        profile.begin();
        self.native = NativeState {
            compiler: Some(compiler),
            threshold,
            profile,
            watched: vec![0; G::MEMORY_BYTES / BYTES_PER_PAGE].into(),
            ..NativeState::default()
        };
    }

    /// Has the compiler told when Lisp stores in the `words` words from `code` on with
    /// an instruction for raw memory. Code is not changed with others.
    pub fn watch_code(&mut self, code: LispPtr, words: u32) {
        for page in code.page()..=code.add(words).page() {
            if let Some(mark) = self.native.watched.get_mut(page as usize) {
                *mark = 1;
            }
        }
    }

    /// Host address of the marks of pages on which a code block is watched, a byte each.
    pub fn watched_pages(&self) -> usize {
        self.native.watched.as_ptr() as usize
    }

    /// True if a code block is watched on the page of `address`.
    #[inline(always)]
    pub fn is_watched(&self, address: LispPtr) -> bool {
        let page = address.masked::<G>().page() as usize;
        self.native.watched.get(page).is_some_and(|mark| *mark != 0)
    }

    /// Notes that `words` words are being stored at `address`; true if that may change
    /// watched code.
    #[inline(always)]
    pub(super) fn stores_in_code(&mut self, address: LispPtr, words: u32) -> bool {
        let is_watched = self.is_watched(address)
            || words > 2
                && (address.page()..=address.add(words).page())
                    .any(|page| self.is_watched(LispPtr(page * WORDS_PER_PAGE)));
        if is_watched {
            self.native.stored = (address.masked::<G>(), words);
        }
        is_watched
    }

    /// Has the compiler give its memory back and make no more code, or go on. Between two runs.
    /// False while it cannot give all of it back.
    pub fn rest_compiler(&self, rests: bool) -> bool {
        let compiler = self.native.compiler.as_ref();
        compiler.is_none_or(|compiler| compiler.rest(rests))
    }

    /// The instruction of which the native code at `host_pc` is a part.
    pub(crate) fn native_place(&self, host_pc: usize) -> Option<(LispPtr, u16)> {
        self.native.compiler.as_ref()?.place(host_pc)
    }

    /// Tells the compiler that the code block at `code` is no longer what it was.
    pub(crate) fn forget_native_code(&mut self, code: LispPtr) {
        self.array_code_is_freed(code);
        if let Some(compiler) = &self.native.compiler {
            compiler.forget(code);
        }
    }

    /// Runs the running activation natively, if that is possible now, and tells how it
    /// ended. `Continue`: control is elsewhere, and the interpreter goes on there.
    #[cold]
    #[inline(never)]
    fn enter_native(&mut self) -> Option<Exit> {
        if let Some(value) = self.do_array_function() {
            self.regs.tos = value;
            return Some(Exit::Returned);
        }
        let (code, threshold) = (self.func, self.native.threshold);
        // Natively it would be called without being looked at.
        if self.native.profile.is_pinned(code) {
            self.native.profile.look_again(code, 0);
            return None;
        }
        let Some(compiler) = self.native.compiler.clone() else {
            self.native.profile.look_again(code, i32::MAX);
            return None;
        };
        if !self.native.profile.is_known(code) && self.native.profile.look_again(code, threshold) {
            return None;
        }
        self.native.profile.look_again(code, 0);
        if self.native.entries == MOST_ENTRIES {
            self.native.profile.look_again(code, threshold);
            return None;
        }
        let point = Point {
            pvar: self.regs.pvar,
            pc: self.regs.pc.offset_in(code),
            depth: self.depth(),
        };
        self.mem.set_stack(self.regs.sp, self.regs.tos);
        self.native.landed = None;
        self.searches.enter(point.pvar);
        self.native.entries += 1;
        self.tell_strays(Executing::Interpreted);
        let entered = compiler.enter(self, point);
        self.tell_strays(Executing::Native(Some(point)));
        self.native.entries -= 1;
        self.searches.leave();
        match entered {
            Err(turns) => {
                let turns = i32::try_from(turns).unwrap_or(i32::MAX);
                self.native.profile.look_again(code, turns);
                None
            }
            Ok(Outcome::Returned(value)) => {
                self.regs.pvar = point.pvar;
                self.regs.tos = value;
                Some(Exit::Returned)
            }
            Ok(Outcome::Reentered) => Some(Exit::Reentered),
            Ok(Outcome::Abandoned) if self.waiting == NOBODY => {
                Some(self.native.stopped.take().unwrap_or(Exit::Continue))
            }
            Ok(Outcome::Abandoned) if self.native.stopped.is_none() => {
                Some(self.land(self.native.landed))
            }
            Ok(Outcome::Abandoned) => Some(Exit::Abandoned),
        }
    }

    /// True if the native frame of the activation at `pvar` waits for its end, so that it
    /// can go on in native code without another entry.
    pub fn is_finishing(&self, pvar: StackOffset) -> bool {
        self.native.finishing == pvar
    }

    /// Makes the activation at `point` the running one.
    pub(crate) fn resume_at(&mut self, point: Point) {
        let frame = Frame::of_pvar(self.mem, point.pvar);
        self.func = frame.function();
        self.ivar = frame.ivar();
        self.regs.pvar = point.pvar;
        self.regs.pc = CodePc::new(self.func, point.pc);
        self.regs.sp = self.empty_stack(point.pvar, self.func).add(2 * point.depth);
        self.regs.tos = self.mem.stack(self.regs.sp);
        if !self.mem.control().is_raised() {
            self.set_stack_limit();
        }
    }

    /// Control went to the running frame in another way than by a plain call or return;
    /// `value` is what it was returned. `Continue` if the interpreter can go on there.
    pub(super) fn land(&mut self, value: Option<LispPtr>) -> Exit {
        self.native.landed = value;
        let goes_on = match self.waiting {
            NOBODY => true,
            SOMEBODY => false,
            waiting => value.is_some() && self.returns_to(waiting),
        };
        if goes_on {
            Exit::Continue
        } else {
            Exit::Abandoned
        }
    }

    /// True if the running frame is one of the next that return to the frame at `pvar`.
    fn returns_to(&self, pvar: StackOffset) -> bool {
        let mut frame = self.running_frame();
        (0..NEAR).any(|_| {
            let bottom = frame.alink_word() <= BOTTOM;
            frame = frame.clink();
            !bottom && frame.pvar() == pvar
        })
    }

    /// The frame that runs after activations were abandoned, and what it was returned;
    /// `None` if it was returned nothing, or nothing is to run.
    pub fn landing(&self) -> Option<(StackOffset, LispPtr)> {
        let value = self.native.landed?;
        (self.native.stopped.is_none()).then_some((self.regs.pvar, value))
    }

    /// Interprets from `point` until the activation has ended.
    pub fn finish_frame(&mut self, point: Point) -> Outcome {
        self.tell_strays(Executing::Native(Some(point)));
        self.resume_at(point);
        self.finish_running_frame(super::returns::unpolled::<G>)
    }

    /// Interprets from `start` until the running activation has ended.
    fn finish_running_frame(&mut self, start: Handler<G>) -> Outcome {
        let alink = self.running_frame().alink_word();
        let caller = if alink & 1 == 0 {
            StackOffset(alink)
        } else {
            SOMEBODY
        };
        self.interpret_until_return_to(caller, self.regs.pvar, start)
    }

    /// Executes the instruction at `point`, with the calls it makes; `next` is the
    /// pc of the next one.
    pub fn execute_instruction(&mut self, point: Point, next: u16) -> Executed {
        if self.mem.control().is_raised() {
            return Executed::Ended(self.finish_frame(point));
        }
        self.tell_strays(Executing::Native(Some(point)));
        self.resume_at(point);
        let outer = std::mem::replace(&mut self.waiting, point.pvar);
        let exit = self.execute_one();
        self.waiting = outer;
        if exit != Exit::Continue {
            self.native.stopped = (exit != Exit::Abandoned).then_some(exit);
            return Executed::Ended(Outcome::Abandoned);
        }
        let frame = Frame::of_pvar(self.mem, point.pvar);
        let (value, pc) = if self.regs.pvar == point.pvar {
            (self.regs.tos, self.regs.pc.offset_in(self.func))
        } else {
            let start = if self.native.profile.is_due(self.func) {
                try_native::<G>
            } else {
                super::returns::unpolled::<G>
            };
            match self.interpret_until_return_to(point.pvar, NOBODY, start) {
                Outcome::Returned(value) => (value, frame.pc_offset()),
                ended => return Executed::Ended(ended),
            }
        };
        if pc == next && !self.must_be_exact() {
            return Executed::Next(value);
        }
        // Several values were returned to code that wants them all, or a
        // predicate did the jump behind it.
        if self.regs.pvar != point.pvar {
            let point = self.behind_call(point.pvar, value);
            return Executed::Ended(self.finish_behind_call(point));
        }
        let depth = self.depth();
        self.mem.set_stack(self.regs.sp, value);
        Executed::Ended(self.finish_frame(Point { pc, depth, ..point }))
    }

    /// True if instructions are counted and one of the next is special.
    pub fn must_be_exact(&self) -> bool {
        let control = self.mem.control();
        self.is_exact() && (control.is_raised() || control.left.load(Relaxed) <= MARGIN)
    }

    /// Interprets from `point`, to which a callee just returned, until the activation has
    /// ended.
    pub fn finish_behind_call(&mut self, point: Point) -> Outcome {
        self.resume_at(point);
        self.finish_running_frame(super::returns::returned::<G>)
    }

    /// Where the activation at `pvar` goes on, which a callee returned `value` and made
    /// go on elsewhere than behind the call. If that is a place where catching
    /// begins, the stack is cut back as is said there.
    pub fn behind_call(&mut self, pvar: StackOffset, value: LispPtr) -> Point {
        let frame = Frame::of_pvar(self.mem, pvar);
        let at = frame.next_block();
        self.mem.set_stack(at, value);
        let empty = self.empty_stack(pvar, frame.function());
        let point = Point {
            pvar,
            pc: frame.pc_offset(),
            depth: at.0.wrapping_sub(empty.0) / 2,
        };
        self.tell_strays(Executing::Native(Some(point)));
        if self.must_be_exact() || self.instruction_at(point).1 != Opcode::Unwind as u8 {
            return point;
        }
        self.resume_at(point);
        let outer = std::mem::replace(&mut self.waiting, SOMEBODY);
        let exit = self.execute_one();
        self.waiting = outer;
        if exit != Exit::Continue || self.regs.pvar != pvar {
            return point;
        }
        self.mem.set_stack(self.regs.sp, self.regs.tos);
        Point {
            pvar,
            pc: self.regs.pc.offset_in(self.func),
            depth: self.depth(),
        }
    }

    /// True when a poll would succeed because attention is wanted.
    pub fn attention_wanted(&self) -> bool {
        self.mem.control().is_raised()
    }

    /// Runs from `start` until a plain return reaches the frame at `waiting`, or native
    /// code goes on in the one at `finishing`.
    fn interpret_until_return_to(
        &mut self,
        waiting: StackOffset,
        finishing: StackOffset,
        start: Handler<G>,
    ) -> Outcome {
        let outer = std::mem::replace(&mut self.waiting, waiting);
        let outer_finishing = std::mem::replace(&mut self.native.finishing, finishing);
        let mut exit = State::load(self).go(self, start);
        if exit == Exit::Continue {
            exit = self.interpret();
        }
        self.tell_strays(Executing::until(exit));
        self.waiting = outer;
        self.native.finishing = outer_finishing;
        match exit {
            Exit::Returned => Outcome::Returned(self.regs.tos),
            Exit::Reentered => Outcome::Reentered,
            Exit::Abandoned => Outcome::Abandoned,
            exit => {
                self.native.stopped = Some(exit);
                Outcome::Abandoned
            }
        }
    }
}

/// Goes on natively in the running activation, if that is possible now, else in `other`.
#[inline(always)]
fn native_or<'m, G: Generation>(
    m: &mut Machine<'m, G>,
    s: State<'m, G>,
    other: Handler<G>,
) -> Exit {
    s.save(m);
    if m.stepping {
        return s.go(m, other);
    }
    match m.enter_native() {
        None => State::load(m).go(m, other),
        Some(Exit::Continue) => State::load(m).go(m, super::returns::resumed::<G>),
        Some(Exit::Returned) => State::load(m).go(m, super::returns::return_::<G>),
        Some(exit) => exit,
    }
}

handler! {
    /// Goes on natively in the running activation, if that is possible now.
    #[inline(never)]
    try_native(m, s) {
        // No poll: without a look for native code there is none.
        native_or::<G>(m, s, super::returns::unpolled::<G>)
    }

    /// The same where there is a poll without that look.
    #[inline(never)]
    try_native_or_poll(m, s) {
        native_or::<G>(m, s, super::returns::resumed::<G>)
    }

    /// Goes on at the pc after a store that may have changed code. If it did, all host
    /// frames are given up: some may belong to activations of that code.
    #[inline(never)]
    behind_store(m, s) {
        s.save(m);
        let (from, words) = m.native.stored;
        let compiler = m.native.compiler.clone();
        let is_patched = compiler.is_some_and(|compiler| compiler.patched(from, words));
        let exit = if is_patched { m.land(None) } else { Exit::Continue };
        if exit != Exit::Continue {
            return exit;
        }
        State::load(m).dispatch(m)
    }

    /// Stops at a return to the frame that native code waits in.
    #[inline(never)]
    landed(m, s) {
        m.regs.tos = s.tos;
        m.regs.pvar = StackOffset(1);
        Exit::Returned
    }
}
