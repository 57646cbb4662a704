//! Networks that this machine does not have: the services answer so that Lisp
//! believes there are none (`reference/subrs.md` sections 7 and 8).

use super::Outcome;
use crate::layout::Generation;
use crate::machine::Machine;
use crate::memory::LispPtr;

impl<G: Generation> Machine<'_, G> {
    /// ETHER-SUSPEND, ETHER-RESUME: done, as there is nothing to do.
    pub(super) fn subr_ether_done(&mut self) -> Outcome {
        Outcome::Value(LispPtr::T)
    }

    /// Every other service of a network: there is none.
    pub(super) fn subr_no_network(&mut self) -> Outcome {
        Outcome::Value(LispPtr::NIL)
    }
}

/// How Lisp learns that there is no network.
///
/// Lisp always believes in an Ethernet on this kind of machine, asks it at every
/// start for its PUP number, and waits eight seconds for an answer. While the
/// machine runs, the number of tries is therefore zero; images are saved with
/// Lisp's own number, so that they can be opened on a machine with a network.
#[derive(Clone, Copy, Debug, Default)]
pub struct NetworkState {
    /// Lisp's number of tries.
    tries: LispPtr,
}

impl<G: Generation> Machine<'_, G> {
    /// Makes Lisp give up on the network at once.
    pub(crate) fn announce_no_network(&mut self) {
        let cell = self.symbols.max_ether_tries;
        if self.value(cell).small_value::<G>().is_some() {
            self.network.tries = self.value(cell);
            self.set_value(cell, LispPtr::smallpos(0));
        }
    }

    /// Lisp's own number of tries, for a saved image, unless Lisp has changed it.
    pub(crate) fn network_tries_to_save(&self) -> Option<LispPtr> {
        let announced = self.value(self.symbols.max_ether_tries) == LispPtr::smallpos(0);
        (announced && !self.network.tries.is_nil()).then_some(self.network.tries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Medley3;
    use crate::subr::Args;
    use crate::testing::with_machine;

    #[test]
    fn lisp_believes_that_there_is_no_network() {
        with_machine::<Medley3>(|mut m| {
            let mut answer = |number: u8, args: Args| match m.call_subr(number, &args) {
                Outcome::Value(value) => value,
                other => panic!("service {number}: {other:?}"),
            };
            for number in [56, 57] {
                assert_eq!(answer(number, Args::default()), LispPtr::T);
            }
            for number in (58..=63).chain([119, 120, 121, 144]).chain(160..=163) {
                assert!(answer(number, Args::default()).is_nil(), "{number}");
            }
        });
    }
}
