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
        self.advance(machine, ProgramMemory::is_short());
    }

    fn advance<G: Generation>(&mut self, machine: &mut Machine<'_, G>, is_short: bool) {
        if !is_short {
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
            // What was ordered before is still being made, and takes memory.
            Self::WithoutCode if !machine.rest_compiler(true) => Self::WithoutCode,
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

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use geiko_runtime::interp::native::{Compiler, Outcome, Point};
    use geiko_runtime::layout::{Medley2, Medley3};
    use geiko_runtime::memory::LispPtr;
    use geiko_runtime::testing::with_machine;

    use super::*;

    /// Where the blank machine has its interrupt bits.
    const BITS: LispPtr = LispPtr(0x20_0000);

    /// A compiler that notes when it is told to rest, which takes it a while.
    #[derive(Default)]
    struct Rests(RefCell<Vec<bool>>);

    impl<G: Generation> Compiler<G> for Rests {
        fn enter(&self, _: &mut Machine<'_, G>, _: Point) -> Result<Outcome, u32> {
            Err(u32::MAX)
        }

        fn forget(&self, _: LispPtr) {}

        fn rest(&self, rests: bool) -> bool {
            let mut told = self.0.borrow_mut();
            told.push(rests);
            told.ends_with(&[true, true, true])
        }

        fn place(&self, _: usize) -> Option<(LispPtr, u16)> {
            None
        }

        fn patched(&self, _: LispPtr, _: u32) -> bool {
            false
        }
    }

    fn steps<G: Generation>() {
        with_machine::<G>(|mut m| {
            let rests = Rc::new(Rests::default());
            m.set_compiler(rests.clone(), 1);
            m.mem.set_cell(m.symbols.interrupt_state, BITS);
            let collects = |m: &Machine<'_, G>| {
                m.mem.cell(m.symbols.reclaim_countdown) == LispPtr::smallpos(0)
            };
            let knows = |m: &Machine<'_, G>| m.mem.cell(BITS).0 & STORAGE_FULL != 0;
            let mut shortage = Shortage::default();
            shortage.advance(&mut m, false);
            assert!(rests.0.borrow().is_empty() && !collects(&m) && !knows(&m));
            shortage.advance(&mut m, true);
            assert_eq!(*rests.0.borrow(), [true], "native code goes first");
            assert!(!collects(&m) && !knows(&m));
            shortage.advance(&mut m, true);
            assert!(
                !collects(&m),
                "when it is not yet gone there is nothing else to do"
            );
            shortage.advance(&mut m, true);
            assert!(collects(&m) && !knows(&m), "then garbage");
            shortage.advance(&mut m, true);
            assert!(knows(&m), "then Lisp is told");
            m.mem.set_cell(BITS, LispPtr::NIL);
            shortage.advance(&mut m, true);
            assert!(!knows(&m), "once");
            shortage.advance(&mut m, false);
            assert_eq!(
                rests.0.take(),
                [true, true, true, false],
                "code is made again"
            );
            shortage.advance(&mut m, true);
            assert_eq!(*rests.0.borrow(), [true], "and all begins anew");
            assert!(!knows(&m));
        });
    }

    #[test]
    fn what_is_done_first_costs_least() {
        steps::<Medley2>();
        steps::<Medley3>();
    }
}
