//! Polls of native code that need no Lisp.
//!
//! Most polls succeed for the collectors: a collection is due, or a step of the backup
//! collector. Both look at the stack and call nobody, so native code may wait for them where
//! it is, with its host frame. What it has in no cell of the Lisp frame it names
//! (`crate::gc::GcState::held`), and that is as good as on the stack.
//!
//! A collection is a call of Lisp's `\DORECLAIM`. If all that its code does now is to call the
//! subroutine that collects and to return, there is no difference between that call and the
//! subroutine alone. Lisp may have put something else there, or it may not want
//! a collection now; then it is called, and native code leaves.
//!
//! With instructions counted, and in lockstep, everything is to happen as in the interpreter,
//! and nothing is done here.

use std::sync::atomic::Ordering::Relaxed;

use crate::interp::native::Point;
use crate::interp::strays::Executing;
use crate::isa::Opcode;
use crate::isa::decode::{Instruction, Operand};
use crate::isa::sub_opcodes::Subr;
use crate::layout::records::function;
use crate::layout::{Generation, SymbolCell};
use crate::machine::Machine;
use crate::memory::{AttentionReason, CodePc, LispPtr};

/// Most instructions of a `\DORECLAIM` that does nothing else.
const MOST_INSTRUCTIONS: usize = 4;
/// Most bytes of an instruction.
const MOST_BYTES: u32 = 8;

impl<G: Generation> Machine<'_, G> {
    /// Does what is wanted of native code that polls at `point`, and which holds `held`
    /// besides what is in the Lisp frame. False, and nothing is done, if that needs Lisp or
    /// the host: then native code has to leave.
    pub fn serve_at_safepoint(&mut self, point: Point, held: &[LispPtr]) -> bool {
        if self.is_exact() || self.has_shadow() || !self.wants_collectors_only() {
            return false;
        }
        self.tell_strays(Executing::Native(Some(point)));
        self.resume_at(point);
        if self.regs.sp <= self.stack_base() {
            // A system context runs.
            return false;
        }
        let reasons = self.mem.control().take();
        self.gc.held.extend_from_slice(held);
        self.quietly(Self::serve_backup);
        // That step may have asked for a collection; Lisp may not want one now, and is asked at
        // the next poll.
        if self.collection_is_due() && self.collects_plainly() {
            self.collect_in_running_frame();
        }
        self.gc.held.clear();
        if reasons & AttentionReason::Host as u32 != 0 {
            // It came meanwhile: for the next poll.
            self.mem.control().raise(AttentionReason::Host);
        }
        self.set_stack_limit();
        true
    }

    /// True if nobody but the collectors wants attention, and they need no Lisp.
    fn wants_collectors_only(&self) -> bool {
        let reasons = self.mem.control().reasons.load(Relaxed);
        reasons == AttentionReason::Machine as u32
            && self.fault.is_none()
            && !self.mem.has_strayed()
            && !self.transitions_wait()
            && self.value(self.symbols.pending_interrupt).is_nil()
            && (!self.collection_is_due() || self.collects_plainly())
    }

    fn collection_is_due(&self) -> bool {
        self.value(self.symbols.reclaim_countdown) == LispPtr::smallpos(0)
    }

    /// True if `\DORECLAIM` would collect now and do nothing else. Its code may ask global
    /// variables before.
    fn collects_plainly(&self) -> bool {
        let definition = self.definition(self.symbols.do_reclaim);
        if self.symbols.do_reclaim.is_nil() || !definition.has_sign() {
            return false;
        }
        let code = definition.masked::<G>();
        if self.mem.word(code.add(function::ARG_COUNT)) != 0 {
            return false;
        }
        let mut at = self.mem.word(code.add(function::START_PC));
        let mut variable = None;
        for _ in 0..MOST_INSTRUCTIONS {
            let pc = CodePc::new(code, at);
            let bytes: Vec<u8> = (0..MOST_BYTES).map(|n| self.mem.code(pc, n)).collect();
            let decoded = Instruction::decode(&bytes, at.into(), G::OPERAND_BYTES);
            let Some(Ok(instruction)) = decoded else {
                return false;
            };
            let behind = at.wrapping_add(instruction.length(G::OPERAND_BYTES) as u16);
            let is_nil_jump = instruction.opcode.info().handler.starts_with("fjump");
            at = match (instruction.opcode, instruction.operands(), variable.take()) {
                (Opcode::Gvar, &[Operand::Atom(symbol)], None) => {
                    let cell = G::symbol_cell(LispPtr(symbol), SymbolCell::Value);
                    variable = Some(self.mem.cell(cell));
                    behind
                }
                (_, _, Some(LispPtr::NIL)) if is_nil_jump => match instruction.target() {
                    Some(target) => target as u16,
                    None => return false,
                },
                (Opcode::SubrCall, &[Operand::Number(subr), Operand::Number(0)], None) => {
                    let next = Opcode::from(self.mem.code(CodePc::new(code, behind), 0));
                    return subr == Subr::DoReclaim.code().into() && next == Opcode::Return;
                }
                _ => return false,
            };
        }
        false
    }
}
