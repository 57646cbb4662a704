//! Facts about the host and its user (`reference/subrs.md` section 5).

use super::{Args, Outcome};
use crate::layout::Generation;
use crate::machine::Machine;
use crate::memory::LispPtr;

/// Names are shorter than this.
const MAX_NAME: usize = 20;

impl<G: Generation> Machine<'_, G> {
    pub(super) fn subr_getenv(&mut self, args: &Args) -> Outcome {
        let value = self
            .short_name(args.get(0))
            .and_then(|name| self.devices.environment.variable(&name));
        self.store_result(args.get(1), value)
    }

    pub(super) fn subr_getparm(&mut self, args: &Args) -> Outcome {
        let value = self
            .short_name(args.get(0))
            .and_then(|name| self.devices.environment.parameter(&name));
        self.store_result(args.get(1), value)
    }

    pub(super) fn subr_user_name(&mut self, args: &Args) -> Outcome {
        let value = self.devices.environment.user_name();
        self.store_result(args.get(0), value)
    }

    pub(super) fn subr_full_name(&mut self, args: &Args) -> Outcome {
        let value = self.devices.environment.full_name();
        self.store_result(args.get(0), value)
    }

    fn short_name(&self, name: LispPtr) -> Option<Vec<u8>> {
        self.string_bytes(name).filter(|name| name.len() < MAX_NAME)
    }

    fn store_result(&self, string: LispPtr, value: Option<Vec<u8>>) -> Outcome {
        let stored = value.is_some_and(|value| self.store_string(string, &value, true));
        Outcome::Value(LispPtr::from_bool(stored))
    }
}
