//! Networks and processes that this machine does not have: the services answer
//! so that Lisp believes there are none (`reference/subrs.md` sections 6 to 8).

use super::{Args, Outcome};
use crate::layout::Generation;
use crate::machine::Machine;
use crate::memory::LispPtr;

/// The command of UNIX-HANDLECOMM that asks for the version of its protocol.
const PROTOCOL_VERSION: i32 = 8;
/// The version with all commands of `reference/subrs.md` section 6.
const VERSION: u16 = 15;

impl<G: Generation> Machine<'_, G> {
    /// ETHER-SUSPEND, ETHER-RESUME: done, as there is nothing to do.
    pub(super) fn subr_ether_done(&mut self) -> Outcome {
        Outcome::Value(LispPtr::T)
    }

    /// Every other service of a network: there is none.
    pub(super) fn subr_no_network(&mut self) -> Outcome {
        Outcome::Value(LispPtr::NIL)
    }

    /// UNIX-HANDLECOMM: command and its arguments. No process is ever started, so
    /// there is none to ask for.
    pub(super) fn subr_handle_comm(&mut self, args: &Args) -> Outcome {
        Outcome::Value(match self.integer(args.get(0)) {
            Some(PROTOCOL_VERSION) => LispPtr::smallpos(VERSION),
            _ => LispPtr::NIL,
        })
    }
}
