//! The handler that every successful poll continues in.

use super::{Exit, State, handler};
use crate::layout::Generation;

handler! {
    /// Serves the poll, then executes the instruction at the pc (again).
    #[inline(never)]
    poll(m, s) {
        s.save(m);
        match m.service_poll() {
            Exit::Continue => State::load(m).dispatch(m),
            exit => exit,
        }
    }
}
