//! What Lisp is called for from outside, between two of its instructions.

use geiko_runtime::image::find_symbol;
use geiko_runtime::layout::Generation;
use geiko_runtime::machine::Machine;
use geiko_runtime::memory::{LispPtr, Mem};
use geiko_runtime::traps::HostCall;

/// Saves the image, and goes on in the one that was saved.
const SAVE: &str = "SAVEVM";
/// Opens a break in the running process.
const BREAK: &str = "\\DOHELPINTERRUPT1";
/// Evaluates a form.
const EVALUATE: &str = "EVAL";
/// The variable that is NIL while Lisp must not be interrupted.
const GUARD: &str = "\\INTERRUPTABLE";

/// Functions of the image.
#[derive(Clone, Copy, Debug)]
pub struct Calls {
    save: LispPtr,
    break_here: LispPtr,
    evaluate: LispPtr,
    guard: LispPtr,
}

impl Calls {
    /// The functions, if the image is one of Medley and has them.
    pub fn find<G: Generation>(mem: Mem<'_, G>) -> Option<Self> {
        Some(Self {
            save: find_symbol(mem, SAVE)?,
            break_here: find_symbol(mem, BREAK)?,
            evaluate: find_symbol(mem, EVALUATE)?,
            guard: find_symbol(mem, GUARD)?,
        })
    }

    /// Has Lisp save itself; false if that cannot be now.
    pub fn save<G: Generation>(&self, machine: &mut Machine<'_, G>) -> bool {
        self.call(machine, self.save, SAVE, LispPtr::NIL)
    }

    /// Has Lisp open a break; false if that cannot be now.
    pub fn break_here<G: Generation>(&self, machine: &mut Machine<'_, G>) -> bool {
        self.call(machine, self.break_here, BREAK, LispPtr::NIL)
    }

    /// Has Lisp evaluate a form; false if that cannot be now.
    pub fn evaluate<G: Generation>(&self, machine: &mut Machine<'_, G>, form: LispPtr) -> bool {
        self.call(machine, self.evaluate, EVALUATE, form)
    }

    fn call<G: Generation>(
        &self,
        machine: &mut Machine<'_, G>,
        function: LispPtr,
        name: &'static str,
        argument: LispPtr,
    ) -> bool {
        // A function that is not compiled cannot be called now either.
        machine.call_for_host(function, name, argument, self.guard) == Ok(HostCall::Made)
    }
}
