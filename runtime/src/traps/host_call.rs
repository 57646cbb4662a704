//! Calls of Lisp functions that the host wants, between two instructions of
//! whatever runs.

use crate::fault::Fault;
use crate::layout::Generation;
use crate::layout::records::{function, interface, locator};
use crate::machine::Machine;
use crate::memory::LispPtr;
use crate::stack::Frame;

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostCall {
    /// The function runs when the machine does.
    Made,
    /// What runs must not be interrupted now.
    NotNow,
}

impl<G: Generation> Machine<'_, G> {
    /// Has the running process call the compiled function of the symbol `to_call`,
    /// called `name`, with `argument`, if it has any; its value is dropped. `guard` is the
    /// symbol that code binds to NIL when it must not be interrupted.
    ///
    /// The machine must be stopped at a poll.
    pub fn call_for_host(
        &mut self,
        to_call: LispPtr,
        name: &'static str,
        argument: LispPtr,
        guard: LispPtr,
    ) -> Result<HostCall, Fault> {
        if self.regs.sp <= self.stack_base() || !self.may_interrupt(guard)? {
            return Ok(HostCall::NotNow);
        }
        self.interrupt_call(to_call, name, argument)?;
        self.set_stack_limit();
        Ok(HostCall::Made)
    }

    fn may_interrupt(&mut self, guard: LispPtr) -> Result<bool, Fault> {
        let running = self.running_frame();
        if self.binds(running, guard) {
            return Ok(false);
        }
        match self.find_variable(running, guard) {
            Ok(address) => Ok(!self.mem.cell(address).is_nil()),
            Err(_) => Err(self.fault.clone().unwrap_or(Fault::StackFull)),
        }
    }

    /// Whether a frame has a variable of its own with that name, bound now or not.
    fn binds(&self, running: Frame<'_, G>, name: LispPtr) -> bool {
        let table = running.name_table();
        let words = u32::from(self.mem.word(table.add(function::NAME_TABLE_SIZE)));
        let names = table.add(function::WORDS);
        (0..words).step_by(2).any(|entry| {
            let kind = (self.mem.cell(names.add(words + entry)).0 >> 24) as u8;
            self.mem.cell(names.add(entry)) == name && kind != locator::FREE
        })
    }

    /// Leaves what runs so that a machine which opens the image goes on with it. For
    /// when Lisp does not come to save itself: files that it has open are not in the
    /// image. False if a part of the system runs that cannot be left.
    pub fn suspend_for_saving(&mut self) -> bool {
        if self.regs.sp <= self.stack_base() {
            return false;
        }
        self.suspend_running_frame();
        let running = self.running_frame();
        self.set_interface_word(interface::CURRENT_FRAME, running.fx.0);
        true
    }
}
