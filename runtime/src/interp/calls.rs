//! Calls.

use super::handler;
use crate::interp::Exit;
use crate::layout::Generation;

handler! {
    /// Traps to Lisp.
    ufn(m, s) {
        s.save(m);
        Exit::Fault
    }
}
