//! Waking a machine that works or naps.

use std::thread::{self, Thread};

use geiko_runtime::memory::Attention;

/// Lets any thread make a session look around.
#[derive(Clone, Debug)]
pub struct Waker {
    attention: Attention,
    thread: Thread,
}

impl Waker {
    /// Wakes the machine with that attention, which runs in the calling thread.
    pub fn new(attention: Attention) -> Self {
        Self {
            attention,
            thread: thread::current(),
        }
    }

    /// Wakes it.
    pub fn wake(&self) {
        self.attention.raise();
        self.thread.unpark();
    }
}
