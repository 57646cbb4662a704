//! Which instruction it was that went wrong: that accessed an address where nothing is, or
//! met something damaged that Lisp can do without.
//!
//! A page where nothing is reads as zeros, and what is stored there stays until the session
//! ends, so Lisp goes on as if nothing had happened. Memory notes the access
//! (`memory/guard.rs`). The machine looks at the notes, and for the place of a fault that was
//! raised, before anything else is executed: [`strayed`] then stands in the place of every
//! handler, and wherever control changes between native code and the interpreter they are
//! looked at, too. So it was the instruction in front of the one at the pc or, at the
//! beginning of a function, the call.
//!
//! Native code is known by the address of the machine instruction. When it was an operation
//! that native code had asked the machine for, the interpreter does it again if that
//! changes nothing ([`Machine::unless_strayed`]); else it is taken to be the instruction in
//! front of the place where native code is left.

use super::native::Point;
use super::{Exit, handler};
use crate::isa::decode::Instruction;
use crate::layout::Generation;
use crate::layout::records::function;
use crate::machine::Machine;
use crate::memory::{CodePc, LispPtr, Strayed};
use crate::stack::Frame;

/// No instruction has more bytes.
const LONGEST_INSTRUCTION: usize = 6;
/// Accesses that are kept until somebody takes them; the others are only counted.
const MOST_KEPT: usize = 1024;
/// Words of the smallest page of a host.
const HOST_PAGE_WORDS: u32 = 2048;

/// An access to an address where nothing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StrayAccess {
    /// The cell.
    pub address: LispPtr,
    /// Whether something was stored there, if the host tells.
    pub stores: Option<bool>,
    /// Header of the function.
    pub function: LispPtr,
    /// The function's name.
    pub name: LispPtr,
    /// Byte offset of the instruction from the header.
    pub pc: u16,
    /// The instruction, and what follows.
    pub code: [u8; LONGEST_INSTRUCTION],
}

/// Such accesses since somebody took them.
#[derive(Clone, Debug, Default)]
pub(crate) struct StrayAccesses {
    /// The first ones.
    kept: Vec<StrayAccess>,
    /// All there were since the machine began.
    count: u64,
}

/// What the machine executed last.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Executing {
    /// An instruction, in the interpreter; the registers are those behind it.
    Interpreted,
    /// Native code, which was left here, if that is known.
    Native(Option<Point>),
    /// An instruction that stopped the interpreter; the registers are those in front of it.
    Stopped,
    /// Nothing of Lisp's: the host looked around.
    Nothing,
}

impl Executing {
    /// What the interpreter executed last when it stops with `exit`.
    pub fn until(exit: Exit) -> Self {
        match exit {
            Exit::Fault => Self::Stopped,
            _ => Self::Interpreted,
        }
    }
}

impl<G: Generation> Machine<'_, G> {
    /// Accesses to addresses where nothing is, since somebody last took them: the first
    /// 1,024.
    pub fn take_strays(&mut self) -> Vec<StrayAccess> {
        std::mem::take(&mut self.strays.kept)
    }

    /// How many instructions accessed addresses where nothing is.
    pub fn stray_count(&self) -> u64 {
        self.strays.count
    }

    /// From now on instructions that access addresses where nothing is are noticed. False if
    /// the host does not tell of them.
    pub fn watch_addresses(&mut self) -> bool {
        self.mem
            .watch_pages(self.pages_in_use(), &[strayed::<G>; 256])
    }

    /// Has the place of the fault that is being raised found.
    pub(crate) fn place_fault(&mut self) {
        self.mem.want_instruction(&[strayed::<G>; 256]);
    }

    /// Looks whether what was just executed accessed an address where nothing is.
    #[inline(always)]
    pub(crate) fn tell_strays(&mut self, executing: Executing) {
        if self.mem.has_strayed() {
            self.note_strays(executing);
        }
    }

    /// The same, in the interpreter. It has no arguments that would be in the memory of a handler.
    #[cold]
    #[inline(never)]
    fn look_behind(&mut self) {
        self.tell_strays(Executing::Interpreted);
    }

    #[cold]
    #[inline(never)]
    fn note_strays(&mut self, executing: Executing) {
        if self.fault.is_some() && self.fault_place.is_none() {
            self.fault_place = self.executed(executing, None);
        }
        let mut last = None;
        for stray in self.mem.strays() {
            let place = self.executed(executing, Some(&stray));
            // One instruction may go to many pages.
            if place != last
                && let Some((function, pc)) = place
            {
                self.note_stray(&stray, function, pc);
            }
            last = place;
        }
        // Who looked for the instruction may have gone astray itself.
        self.forget_strays();
    }

    fn forget_strays(&mut self) {
        self.mem.close_strays();
        self.mem.set_handlers(self.handlers);
    }

    fn note_stray(&mut self, stray: &Strayed, function: LispPtr, pc: u16) {
        self.strays.count += 1;
        if self.strays.kept.len() == MOST_KEPT {
            return;
        }
        self.strays.kept.push(StrayAccess {
            address: stray.address,
            stores: stray.stores,
            function,
            name: self.function_name(function),
            pc,
            code: self.code_at(function, pc),
        });
    }

    fn code_at(&self, function: LispPtr, pc: u16) -> [u8; LONGEST_INSTRUCTION] {
        let at = CodePc::new(function, pc);
        std::array::from_fn(|byte| self.mem.code(at, byte as u32))
    }

    /// The function and the offset of the instruction that was executed last, and perhaps
    /// went astray.
    fn executed(&self, executing: Executing, stray: Option<&Strayed>) -> Option<(LispPtr, u16)> {
        match executing {
            Executing::Nothing => None,
            Executing::Stopped => Some((self.func, self.regs.pc.offset_in(self.func))),
            Executing::Interpreted => Some(self.interpreted(stray)),
            Executing::Native(left) => {
                let place = stray.and_then(|stray| self.native_place(stray.host_pc));
                place.or_else(|| {
                    let left = left?;
                    let code = Frame::of_pvar(self.mem, left.pvar).function();
                    Some((code, self.instruction_before(code, left.pc)))
                })
            }
        }
    }

    fn interpreted(&self, stray: Option<&Strayed>) -> (LispPtr, u16) {
        let (code, pc) = (self.func, self.regs.pc.offset_in(self.func));
        if pc == self.mem.word(code.add(function::START_PC)) {
            let callers = self.backtrace(2);
            if let Some(caller) = callers.get(1) {
                return (
                    caller.function,
                    self.instruction_before(caller.function, caller.pc),
                );
            }
        }
        let page = |address: LispPtr| address.0 / HOST_PAGE_WORDS;
        let fetched = page(LispPtr(self.regs.pc.0 / 2));
        if stray.is_some_and(|stray| page(stray.address) == fetched) {
            // The instruction itself could not be fetched.
            return (code, pc);
        }
        (code, self.instruction_before(code, pc))
    }

    /// The offset of the instruction that ends at `pc`, or `pc` if none does.
    fn instruction_before(&self, code: LispPtr, pc: u16) -> u16 {
        let mut at = u32::from(self.mem.word(code.add(function::START_PC)));
        while at < pc.into() {
            let bytes = self.code_at(code, at as u16);
            let Some(Ok(instruction)) = Instruction::decode(&bytes, at, G::OPERAND_BYTES) else {
                break;
            };
            let next = at + instruction.length(G::OPERAND_BYTES);
            if next == pc.into() {
                return at as u16;
            }
            at = next;
        }
        pc
    }

    /// Does the machine's own `work`, which may look at any address, and tells nobody where it
    /// went.
    pub(crate) fn quietly(&mut self, work: impl FnOnce(&mut Self)) {
        let has_strayed = self.mem.has_strayed();
        work(self);
        if self.mem.has_strayed() && !has_strayed {
            self.forget_strays();
            if self.fault.is_some() && self.fault_place.is_none() {
                self.place_fault();
            }
        }
    }

    /// What `operation`, which may be done twice, answers native code; `None`, so that the
    /// interpreter does it again, if it accesses an address where nothing is.
    pub fn unless_strayed(
        &mut self,
        operation: impl FnOnce(&mut Self) -> Option<LispPtr>,
    ) -> Option<LispPtr> {
        self.tell_strays(Executing::Native(None));
        let answer = operation(self);
        if self.mem.has_strayed() && !self.mem.strays().is_empty() {
            self.forget_strays();
            return None;
        }
        answer
    }
}

handler! {
    /// Sees which instruction went astray, then executes the one at the pc.
    #[cold]
    strayed(m, s) {
        // Its page is open until the notes are read.
        let opcode = s.operand(0);
        s.save(m);
        m.look_behind();
        s.go(m, m.handlers[usize::from(opcode)])
    }
}
