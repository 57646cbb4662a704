//! What is done when the program's own memory runs short: native code goes first, then
//! garbage, and then Lisp is told that storage is full, as for storage of its own.

use geiko_region::ProgramMemory;
use geiko_runtime::layout::Generation;
use geiko_runtime::layout::records::interrupt::STORAGE_FULL;
use geiko_runtime::machine::Machine;

/// How far that has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shortage {
    /// There is enough.
    #[default]
    None,
    /// Native code was given up.
    WithoutCode,
    /// Garbage was looked for.
    Collected,
    /// Lisp knows.
    Told,
}

impl Shortage {
    /// Does the next of it if memory is short. No code must be running.
    pub fn attend<G: Generation>(&mut self, machine: &mut Machine<'_, G>) {
        if !ProgramMemory::is_short() {
            if std::mem::take(self) != Self::None {
                machine.rest_compiler(false);
            }
            return;
        }
        *self = match self {
            Self::None => {
                machine.rest_compiler(true);
                Self::WithoutCode
            }
            Self::WithoutCode => {
                machine.request_collection();
                Self::Collected
            }
            Self::Collected => {
                machine.set_interrupt_bit(STORAGE_FULL);
                Self::Told
            }
            Self::Told => Self::Told,
        };
    }
}
