//! Stack space that nobody reads: what free blocks hold, links of frames whose links are
//! implied, and the padding in front of the evaluation stack. It holds what was there
//! before, so the same program leaves something else there as native code.

use std::ops::Range;

use super::Frame;
use crate::layout::Generation;
use crate::layout::records::{block, frame, interface};
use crate::machine::Machine;
use crate::memory::StackOffset;

impl<G: Generation> Machine<'_, G> {
    /// Offsets of the words on the user stack that nobody reads, while no frame there is
    /// running. Ends where the stack is damaged.
    pub(crate) fn unused_stack(&self) -> Vec<Range<u16>> {
        let end = self.interface_word(interface::END_OF_STACK);
        let mut unused = Vec::new();
        let mut at = self.stack_base();
        loop {
            let next = match self.block_kind(at) {
                block::GUARD if at.0 >= end => return unused,
                kind @ (block::FREE | block::GUARD) => {
                    let next = at.0.checked_add(self.block_size(at));
                    if let Some(next) = next.filter(|_| kind == block::FREE) {
                        unused.push(at.0.saturating_add(2)..next);
                    }
                    next
                }
                block::FRAME => {
                    let frame = Frame::at(self.mem, at);
                    self.unused_in_frame(frame, &mut unused);
                    Some(frame.next_block().0)
                }
                // A cell of a basic frame.
                _ => at.0.checked_add(2),
            };
            match next {
                Some(next) if next > at.0 => at = StackOffset(next),
                _ => return unused,
            }
        }
    }

    fn unused_in_frame(&self, frame: Frame<'_, G>, unused: &mut Vec<Range<u16>>) {
        let mut add = |from: u16, words: u16| {
            let from = frame.fx.0.saturating_add(from);
            unused.push(from..from.saturating_add(words));
        };
        if !frame.has_name_table() {
            add(frame::NAME_TABLE, 2);
        }
        if !frame.is_slow() {
            add(frame::BLINK, 2);
        }
        let slots = 2 * self.pvar_cells(frame.function());
        add(frame::WORDS + slots, frame::PADDING);
    }
}
