//! The passing of time in a session.

use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use geiko_runtime::device::Clock;
use geiko_runtime::layout::Generation;
use geiko_runtime::machine::Machine;
use geiko_runtime::memory::Attention;

use super::ClockKind;
use super::idle::IdleWatch;
use super::ticker::Ticker;
use crate::devices::clock::{Pulse, RealClock, VirtualClock, VirtualTime, thread_cpu_time};

/// Clock questions after which the session looks whether Lisp waits: a few rounds
/// through its processes. A waiting Lisp asks so many between two naps.
const QUESTIONS_PER_LOOK: u32 = 32;

/// Instructions until the next tick of a clock that counts them, when an interrupt waits: a prime, so
/// that it comes to another place in each round of a loop.
const HURRIED_TICK: u32 = 1009;

/// Time as a session measures it.
#[derive(Debug)]
pub struct Time(Kind);

#[derive(Debug)]
enum Kind {
    Real(RealTime),
    Virtual {
        time: Rc<VirtualTime>,
        /// Instructions executed.
        instructions: u64,
    },
}

#[derive(Debug)]
struct RealTime {
    ticker: Ticker,
    pulse: Rc<Pulse>,
    idle: IdleWatch,
    started: Instant,
    /// CPU time at the last sample.
    cpu: Duration,
    /// Time slept.
    slept: Duration,
}

impl Time {
    /// Time that starts now, and the clock that shows it to Lisp.
    pub(super) fn new(kind: ClockKind, attention: Attention) -> (Self, Box<dyn Clock>) {
        match kind {
            ClockKind::Real => {
                let pulse = Pulse::new(attention.clone());
                let time = RealTime {
                    ticker: Ticker::start(attention),
                    pulse: Rc::clone(&pulse),
                    idle: IdleWatch::default(),
                    started: Instant::now(),
                    cpu: thread_cpu_time(),
                    slept: Duration::ZERO,
                };
                (Self(Kind::Real(time)), Box::new(RealClock::new(pulse)))
            }
            ClockKind::Virtual => {
                let time = VirtualTime::new(attention);
                let clock = Box::new(VirtualClock(Rc::clone(&time)));
                let instructions = 0;
                (Self(Kind::Virtual { time, instructions }), clock)
            }
        }
    }

    /// Time since the session started, as Lisp experiences it.
    pub(super) fn now(&self) -> Duration {
        match &self.0 {
            Kind::Real(real) => real.started.elapsed(),
            Kind::Virtual { time, instructions } => {
                Duration::from_micros(time.micros(*instructions))
            }
        }
    }

    /// How long Lisp has had nothing to do.
    pub(super) fn idle_for(&self) -> Duration {
        match &self.0 {
            Kind::Real(real) => real.idle.idle_for(self.now()),
            Kind::Virtual { time, instructions } => time.idle_for(*instructions),
        }
    }

    /// Lisp has got something to do.
    pub(super) fn disturb(&mut self) {
        let now = self.now();
        match &mut self.0 {
            Kind::Real(real) => real.idle.disturb(now),
            Kind::Virtual { time, .. } => time.disturb(),
        }
    }

    /// Time spent sleeping because Lisp had nothing to do.
    pub fn slept(&self) -> Duration {
        match &self.0 {
            Kind::Real(real) => real.slept,
            Kind::Virtual { .. } => Duration::ZERO,
        }
    }

    /// Notes what the machine did since the last time.
    pub(super) fn sample<G: Generation>(&mut self, machine: &mut Machine<'_, G>) {
        let now = self.now();
        let questions = std::mem::take(&mut machine.statistics.clock_polls);
        match &mut self.0 {
            Kind::Real(real) => {
                let before = std::mem::replace(&mut real.cpu, thread_cpu_time());
                let cpu = real.cpu.saturating_sub(before);
                real.idle.sample(now, questions, cpu);
            }
            Kind::Virtual { instructions, .. } => {
                *instructions = machine.instructions();
            }
        }
    }

    /// Does something during which Lisp need not look around.
    pub(super) fn stand_still<T>(&mut self, action: impl FnOnce() -> T) -> T {
        let Kind::Real(real) = &mut self.0 else {
            return action();
        };
        real.ticker.pause();
        let start = Instant::now();
        let result = action();
        real.slept += start.elapsed();
        real.ticker.resume();
        self.disturb();
        result
    }

    /// Asks for attention again soon, wherever Lisp is then: it would not be interrupted where it is.
    /// A Lisp that waits is asked for attention where it looks at the clock, so that is
    /// always the same place.
    pub(super) fn hurry<G: Generation>(&mut self, machine: &mut Machine<'_, G>) {
        match &mut self.0 {
            Kind::Real(real) => {
                real.ticker.resume();
                real.pulse.set(QUESTIONS_PER_LOOK);
            }
            Kind::Virtual { .. } => machine.tick_within(HURRIED_TICK),
        }
    }

    /// Sleeps if Lisp only waits, at most for `limit`.
    pub(super) fn rest(&mut self, limit: Duration) {
        let Kind::Real(real) = &mut self.0 else {
            return;
        };
        let Some(nap) = real.idle.next_nap() else {
            real.ticker.resume();
            real.pulse.set(QUESTIONS_PER_LOOK);
            return;
        };
        let nap = nap.min(limit);
        real.ticker.nap();
        // Input ends the nap.
        let start = Instant::now();
        thread::park_timeout(nap);
        real.ticker.look();
        real.slept += start.elapsed();
        real.pulse.set(QUESTIONS_PER_LOOK);
    }
}
