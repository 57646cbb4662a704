//! How activations end in other ways than by a RETURN: blocks that all places in the
//! function share.
//!
//! ```text
//! ended(value, status):  if abandoned, and control is in this frame: resumed(what it was returned)
//!                        if it goes on natively: entered
//!                        else: return value, status
//! resumed(value):        where the frame goes on there is native code: entered
//!                        else: the interpreter finishes the frame
//! outcome(of a shim):    ended(its value and status), never in this frame
//! entered:               jump to the native code that the frame goes on in
//! ```

use super::*;
use crate::shims::landing;

/// One of those blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    /// What was called has ended the activation. Takes value and status.
    Ended,
    /// What was called made the frame go on elsewhere than behind the call. Takes what
    /// it returned.
    Resumed,
    /// A shim finished the frame, or says where native code goes on in it. Takes what it
    /// answered.
    Outcome,
    /// Native code goes on in this frame.
    Entered,
}

impl End {
    fn parameters(self) -> &'static [Type] {
        match self {
            Self::Ended => &[I32, I32],
            Self::Resumed => &[I32],
            Self::Outcome => &[I64],
            Self::Entered => &[],
        }
    }
}

impl Translator<'_, '_> {
    /// Ends the block.
    pub(super) fn jump_to_end(&mut self, end: End, arguments: &[Value]) {
        let block = self.end(end);
        let arguments: Vec<_> = arguments.iter().map(|&value| value.into()).collect();
        self.builder.ins().jump(block, &arguments);
    }

    fn end(&mut self, end: End) -> Block {
        if let Some(&block) = self.ends.get(&end) {
            return block;
        }
        let block = self.builder.create_block();
        self.builder.set_cold_block(block);
        for &ty in end.parameters() {
            self.builder.append_block_param(block, ty);
        }
        self.ends.insert(end, block);
        block
    }

    /// Writes the blocks that were jumped to.
    pub(super) fn write_ends(&mut self) {
        for end in [End::Ended, End::Resumed, End::Outcome, End::Entered] {
            let Some(&block) = self.ends.get(&end) else {
                continue;
            };
            self.builder.switch_to_block(block);
            let parameters = self.builder.block_params(block).to_vec();
            match (end, &*parameters) {
                (End::Ended, &[value, status]) => self.end_or_resume(value, status),
                (End::Resumed, &[value]) => self.resume(value),
                (End::Outcome, &[outcome]) => self.return_outcome(outcome),
                (End::Entered, _) => self.enter_again(),
                _ => {}
            }
        }
    }

    fn end_or_resume(&mut self, value: Value, status: Value) {
        let (here, landed) = self.is_landed(status);
        let resumed = self.end(End::Resumed);
        let away = self.builder.create_block();
        self.builder.set_cold_block(away);
        self.builder
            .ins()
            .brif(here, resumed, &[landed.into()], away, &[]);
        self.builder.switch_to_block(away);
        self.return_or_enter(value, status);
    }

    fn return_or_enter(&mut self, value: Value, status: Value) {
        let natively = self.equals(status, crate::status::REENTER as u32);
        let entered = self.end(End::Entered);
        let ended = self.cold_block();
        self.builder.ins().brif(natively, entered, &[], ended, &[]);
        self.builder.switch_to_block(ended);
        self.builder.ins().return_(&[value, status]);
    }

    /// Not 0 if activations were abandoned and control is in this frame, and what it was
    /// returned then.
    pub(super) fn is_landed(&mut self, status: Value) -> (Value, Value) {
        let frame = self.frame();
        let at = self.builder.ins().iconst(I64, self.host.landing);
        let place = (self.builder.ins()).load(I64, trusted(), at, landing::FRAME);
        let value = (self.builder.ins()).load(I32, trusted(), at, landing::VALUE);
        let here = self.builder.ins().icmp(IntCC::Equal, place, frame);
        let abandoned = self.equals(status, crate::status::ABANDONED as u32);
        (self.builder.ins().band(here, abandoned), value)
    }

    fn resume(&mut self, value: Value) {
        let frame = self.frame();
        let value = self.builder.ins().uextend(I64, value);
        let outcome = self.call_shim(self.host.resume, frame, value);
        self.jump_to_end(End::Outcome, &[outcome]);
    }

    /// The frame is read too: if it had to survive the shim it would be kept in two registers,
    /// and moved from one to the other in loops.
    fn enter_again(&mut self) {
        let at = self.builder.ins().iconst(I64, self.host.landing);
        let frame = (self.builder.ins()).load(I64, trusted(), at, landing::OWN);
        let link = (self.builder.ins()).load(I32, trusted(), at, landing::LINK);
        let entry = (self.builder.ins()).load(I64, trusted(), at, landing::ENTRY);
        let environment = self.constant(LispPtr::UNBOUND.0);
        let place = self.builder.ins().iadd_imm_s(frame, AWAY);
        let arguments = [place, link, environment];
        self.builder
            .ins()
            .return_call_indirect(self.native, entry, &arguments);
    }

    fn return_outcome(&mut self, outcome: Value) {
        let value = self.builder.ins().ireduce(I32, outcome);
        let status = self.builder.ins().ushr_imm_u(outcome, 32);
        let status = self.builder.ins().ireduce(I32, status);
        self.return_or_enter(value, status);
    }
}
