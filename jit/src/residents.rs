//! Which functions have their code in the cache, and which leave it when it is full.
//!
//! Native code does not count how often it is called. Whether a function is still
//! used shows when its entry is taken away for a while: the next call comes through the
//! interpreter, which asks for native code and gives the entry back. The
//! functions stand in a queue, and to make room the one in front is looked at. If it
//! has its entry, that is taken away and it goes to the end; if it got none since the
//! last time, it leaves. Once the cache is half full each function that comes in has
//! one other looked at, so that there is something to go by when it is full.
//!
//! Return addresses are on the host stack while native code runs. So places are freed
//! only when none does; whoever needs room before that has all activations given up
//! first.

use std::collections::VecDeque;

use geiko_runtime::memory::LispPtr;

use crate::cache::{Cache, Place};
use crate::records::{Native, Records, Stage};

/// The cache, and who is in it.
pub struct Residents {
    cache: Cache,
    /// Code blocks, with the numbers of the jobs that their code was made for.
    queue: VecDeque<(LispPtr, u64)>,
    evicted: Vec<LispPtr>,
}

impl Residents {
    /// Nobody yet.
    pub fn new(cache: Cache) -> Self {
        Self {
            cache,
            queue: VecDeque::new(),
            evicted: Vec::new(),
        }
    }

    /// The cache.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Functions that had to leave since the last time.
    pub fn take_evicted(&mut self) -> Vec<LispPtr> {
        std::mem::take(&mut self.evicted)
    }

    /// Copies machine code of the function at `code` in. `None` if there is no room.
    pub fn publish(
        &mut self,
        records: &Records,
        (code, number): (LispPtr, u64),
        bytes: &[u8],
    ) -> Option<Place> {
        let place = self.cache.publish(bytes)?;
        if self.cache.used() > self.cache.capacity() / 2 {
            self.look_at_one(records, false);
        }
        self.queue.push_back((code, number));
        Some(place)
    }

    /// Makes room for `bytes` bytes of machine code and copies them in. No native code
    /// must be running. `None` if there cannot be so much room.
    pub fn publish_at_any_cost(
        &mut self,
        records: &Records,
        function: (LispPtr, u64),
        bytes: &[u8],
    ) -> Option<Place> {
        self.free_retired(records);
        loop {
            if let Some(place) = self.publish(records, function, bytes) {
                return Some(place);
            }
            if !self.look_at_one(records, true) {
                return None;
            }
        }
    }

    /// Frees the places of code that was forgotten. No native code must be running.
    pub fn free_retired(&mut self, records: &Records) {
        for native in records.take_retired() {
            self.free(records, native.place);
        }
    }

    fn free(&mut self, records: &Records, place: Place) {
        records.maps.forget(place.address);
        self.cache.free(place);
    }

    /// Looks at the function in front: takes away its entry, or has it leave if it has
    /// none and `may_leave`. False if there is nobody.
    fn look_at_one(&mut self, records: &Records, may_leave: bool) -> bool {
        let Some((code, number)) = self.queue.pop_front() else {
            return false;
        };
        let left = records.with(code, |record| {
            if !record.is_native(number) {
                return None;
            }
            if record.entry.replace(0) != 0 || !may_leave {
                self.queue.push_back((code, number));
                return None;
            }
            match record.stage.replace(Stage::Evicted) {
                Stage::Native(native) => Some(native),
                _ => None,
            }
        });
        if let Some(Native { place, .. }) = left {
            self.free(records, place);
            self.evicted.push(code);
        }
        true
    }
}
