//! What instructions meet, while the compiler wants to know.
//!
//! Native code is made for the kinds of numbers and arrays that its function has met. As long as
//! the compiler learns about some function, [`shown`] stands in the place of every handler
//! and shows it the instruction at the pc, with all operands in memory, before that is executed. At
//! other times nobody pays for it.

use super::native::Point;
use super::{Handlers, handler};
use crate::layout::Generation;
use crate::machine::Machine;

impl<G: Generation> Machine<'_, G> {
    /// From now on the compiler sees each instruction before it is interpreted, until it has
    /// seen enough.
    pub fn show_instructions(&mut self) {
        if self.native.hidden.is_none() {
            self.native.hidden = Some(self.handlers);
            self.set_handlers(&[shown::<G>; 256]);
        }
    }

    /// The handlers that execute instructions, shown or not.
    pub(super) fn executing_handlers(&self) -> &'static Handlers<G> {
        self.native.hidden.unwrap_or(self.handlers)
    }

    #[cold]
    #[inline(never)]
    fn show(&mut self) {
        self.mem.set_stack(self.regs.sp, self.regs.tos);
        let point = Point {
            pvar: self.regs.pvar,
            pc: self.regs.pc.offset_in(self.func),
            depth: self.depth(),
        };
        let compiler = self.native.compiler.as_ref();
        let goes_on = compiler.is_some_and(|compiler| compiler.see(self, point));
        if !goes_on && let Some(handlers) = self.native.hidden.take() {
            self.set_handlers(handlers);
        }
    }
}

handler! {
    /// Shows the compiler the instruction at the pc, then executes it.
    shown(m, s) {
        s.save(m);
        m.show();
        s.go(m, m.executing_handlers()[usize::from(s.operand(0))])
    }
}
