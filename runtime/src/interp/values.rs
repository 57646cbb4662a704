//! Multiple values (`reference/processor.md` section 25).
//!
//! A function returns several values as a list, but only to a caller that wants
//! them: one whose next real action is to call `\MVLIST` on the result. To find
//! out, the code to be resumed is followed from the instruction behind the MISCN:
//! through jumps, through UNBINDs (which are noted), and through RETURNs into the
//! callers. If an FN1 `\MVLIST` is reached, the noted unbinds are done at once,
//! the frame resumes behind the FN1, and the value is the list; anything else
//! gets the first value only.
//!
//! The resume point of a caller's frame is changed in memory. If binds of that
//! caller are undone, its stack becomes shorter than the returning frame assumes,
//! so the space between is freed and the returning frame made slow.

use crate::isa::Opcode;
use crate::layout::Generation;
use crate::layout::records::frame::flag;
use crate::machine::Machine;
use crate::memory::{CodePc, LispPtr, StackOffset};
use crate::stack::Frame;

/// Most instructions that the search follows.
const MAX_STEPS: u32 = 100_000;

/// True for an instruction at which a value may be several: it hands them on, or is a call of
/// `\MVLIST`. With any other the search ends.
pub fn passes_values(opcode: Opcode) -> bool {
    use Opcode::{Fn1, JumpX, JumpXX, Return, SlowReturn, Unbind};
    let passes = matches!(opcode, Fn1 | JumpX | JumpXX | Return | SlowReturn | Unbind);
    passes || opcode.short_jump().is_some()
}

/// A frame that wants several values.
struct Receiver<'m, G> {
    /// The frame, and the one that returns into it; `None` for the running frame.
    frame: Option<(Frame<'m, G>, Frame<'m, G>)>,
    /// Where it goes on.
    pc: CodePc,
    /// Binds to undo first.
    unbinds: u32,
}

impl<'m, G: Generation> Machine<'m, G> {
    /// Returns `values`, the list of all values, to the code behind an
    /// instruction of `length` bytes whose operands occupied `operands` cells.
    /// Registers are those before the instruction; afterwards they are those
    /// after it.
    pub(super) fn deliver_values(&mut self, operands: u16, length: u32, values: LispPtr) {
        let next = CodePc(self.regs.pc.0.wrapping_add(length));
        // The value takes the place of the operands, or is pushed without any.
        self.mem.set_stack(self.regs.sp, self.regs.tos);
        self.regs.sp = self.regs.sp.sub(2 * operands).add(2);
        self.regs.pc = next;
        self.regs.tos = values;
        match self.find_receiver(self.running_frame(), next) {
            None => {
                self.regs.tos = if self.is_list(values) {
                    self.car(values)
                } else {
                    values
                };
            }
            Some(Receiver {
                frame: None,
                pc,
                unbinds,
            }) => {
                self.regs.pc = pc;
                for _ in 0..unbinds {
                    self.regs.sp = self.unbind_below(self.regs.pvar, self.regs.sp);
                }
            }
            Some(Receiver {
                frame: Some((frame, returning)),
                pc,
                unbinds,
            }) => {
                frame.set_pc_offset(pc.offset_in(frame.function()));
                if unbinds > 0 {
                    let arguments = frame.next_block();
                    let mut top = arguments;
                    for _ in 0..unbinds {
                        top = self.unbind_below(frame.pvar(), top);
                    }
                    returning.make_slow();
                    frame.set_next_block(top);
                    self.free_stack(top, arguments);
                }
            }
        }
    }

    /// The first of several values, if nobody wants the others of those that the frame at
    /// `pvar` has in front of `pc`.
    pub fn single_value(&self, pvar: StackOffset, pc: u16, first: LispPtr) -> Option<LispPtr> {
        let frame = Frame::of_pvar(self.mem, pvar);
        let pc = CodePc::new(frame.function(), pc);
        self.find_receiver(frame, pc).is_none().then_some(first)
    }

    /// Returns the list of the `count` values in the cells of its stack from `first` on that the
    /// frame at `pvar` has in front of `pc`, and has the frame that wants them go on with it.
    /// `None` if that takes more.
    pub fn several_values(
        &mut self,
        pvar: StackOffset,
        pc: u16,
        first: u16,
        count: u16,
    ) -> Option<LispPtr> {
        let frame = Frame::of_pvar(self.mem, pvar);
        let function = frame.function();
        let receiver = self.find_receiver(frame, CodePc::new(function, pc))?;
        let (Some((caller, _)), 0) = (receiver.frame, receiver.unbinds) else {
            return None;
        };
        let below = self.empty_stack(pvar, function).add(2 * first);
        let mut values = LispPtr::NIL;
        for n in (1..=count).rev() {
            values = self.cons(self.mem.stack(below.add(2 * n)), values);
        }
        caller.set_pc_offset(receiver.pc.offset_in(caller.function()));
        Some(values)
    }

    /// True if somebody wants all of several values that are returned by an instruction of
    /// `length` bytes.
    pub(super) fn wants_values(&self, length: u32) -> bool {
        let next = CodePc(self.regs.pc.0.wrapping_add(length));
        self.find_receiver(self.running_frame(), next).is_some()
    }

    /// Who wants several values that the frame `current` has in front of `pc`.
    fn find_receiver(&self, mut current: Frame<'m, G>, mut pc: CodePc) -> Option<Receiver<'m, G>> {
        let mut frame = None;
        let mut unbinds = 0;
        for _ in 0..MAX_STEPS {
            let byte = |n| self.mem.code(pc, n);
            let opcode = byte(0);
            let displacement = match Opcode::from(opcode) {
                Opcode::Return | Opcode::SlowReturn => {
                    if current.alink_word() == crate::stack::BOTTOM {
                        return None;
                    }
                    let caller = current.clink();
                    // An interrupted frame drops what is returned to it; a call
                    // of \MVLIST at its resume point is for its own value.
                    if caller.flags() & flag::NO_PUSH != 0 {
                        return None;
                    }
                    frame = Some((caller, current));
                    current = caller;
                    pc = caller.pc();
                    unbinds = 0;
                    continue;
                }
                Opcode::Fn1 => {
                    let operand = self.mem.pointer_operand(pc, 1);
                    let pc = pc.jump(1 + G::OPERAND_BYTES as i32);
                    return (operand == self.symbols.mvlist).then_some(Receiver {
                        frame,
                        pc,
                        unbinds,
                    });
                }
                Opcode::Unbind => {
                    unbinds += 1;
                    1
                }
                Opcode::JumpX => i32::from(byte(1) as i8),
                Opcode::JumpXX => i32::from(self.mem.code_bytes::<2>(pc, 1) as i16),
                other => other.short_jump()?,
            };
            pc = pc.jump(displacement);
        }
        None
    }

    /// Undoes the nearest bind below `top`; answers where its mark was.
    fn unbind_below(&self, pvar: StackOffset, top: StackOffset) -> StackOffset {
        let at = super::binding::find_mark(self.mem, top.sub(2));
        super::binding::unbind_mark(self.mem, pvar, self.mem.stack(at));
        at
    }
}
