//! The thread that asks for the machine's attention a hundred times a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use geiko_runtime::memory::Attention;

/// Time between two ticks.
pub const TICK: Duration = Duration::from_millis(10);
/// Time between two ticks while Lisp mostly naps.
const SLOW_TICK: Duration = Duration::from_millis(50);

const RUNNING: u8 = 0;
const PAUSED: u8 = 1;
const STOPPED: u8 = 2;
const NAPPING: u8 = 3;
const LOOKING: u8 = 4;

/// Asks for attention every [`TICK`] unless paused. A Lisp that waits looks around dozens
/// of times a second, for less than a tick; to wake this thread each time would cost as
/// much as the look. So it ticks slowly then, in case Lisp finds something to do.
#[derive(Debug)]
pub struct Ticker {
    state: Arc<AtomicU8>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    /// Starts ticking.
    pub fn start(attention: Attention) -> Self {
        let state = Arc::new(AtomicU8::new(RUNNING));
        let shared = Arc::clone(&state);
        Self {
            state,
            thread: Some(thread::spawn(move || tick(&shared, &attention))),
        }
    }

    /// Lets no tick happen until [`Ticker::resume`].
    pub fn pause(&self) {
        self.state.store(PAUSED, Ordering::Relaxed);
    }

    /// Ticks again.
    pub fn resume(&self) {
        if self.state.load(Ordering::Relaxed) != RUNNING {
            self.set(RUNNING);
        }
    }

    /// Lisp naps: no tick happens until [`Ticker::look`].
    pub fn nap(&self) {
        self.state.store(NAPPING, Ordering::Relaxed);
    }

    /// Lisp looks around between two naps: ticks slowly.
    pub fn look(&self) {
        self.state.store(LOOKING, Ordering::Relaxed);
    }

    fn set(&self, state: u8) {
        self.state.store(state, Ordering::Relaxed);
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.set(STOPPED);
        if let Some(thread) = self.thread.take() {
            // A panic of that thread has been reported by itself.
            let _ = thread.join();
        }
    }
}

fn tick(state: &AtomicU8, attention: &Attention) {
    let mut due = Instant::now() + TICK;
    loop {
        match state.load(Ordering::Relaxed) {
            RUNNING => match due.checked_duration_since(Instant::now()) {
                Some(rest) if !rest.is_zero() => thread::park_timeout(rest),
                _ => {
                    attention.raise();
                    due = Instant::now() + TICK;
                }
            },
            PAUSED => {
                thread::park();
                due = Instant::now() + TICK;
            }
            at_rest @ (NAPPING | LOOKING) => {
                if at_rest == LOOKING {
                    attention.raise();
                }
                thread::park_timeout(SLOW_TICK);
                due = Instant::now() + TICK;
            }
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use geiko_runtime::layout::Medley2;
    use geiko_runtime::memory::AddressSpace;

    #[test]
    fn a_ticker_ticks_until_paused() {
        let space = AddressSpace::<Medley2>::reserve().unwrap();
        let control = space.view().control();
        let ticker = Ticker::start(space.attention());
        let ticks_within = |time: Duration| {
            let end = Instant::now() + time;
            while Instant::now() < end {
                if control.take() != 0 {
                    return true;
                }
                thread::sleep(Duration::from_millis(1));
            }
            false
        };
        assert!(ticks_within(TICK * 1000));
        ticker.pause();
        // A tick may have been under way.
        ticks_within(TICK * 3);
        assert!(!ticks_within(TICK * 5));
        ticker.resume();
        assert!(ticks_within(TICK * 1000));
        ticker.nap();
        ticks_within(TICK * 3);
        assert!(!ticks_within(SLOW_TICK * 3));
        ticker.look();
        assert!(ticks_within(TICK * 1000));
    }
}
