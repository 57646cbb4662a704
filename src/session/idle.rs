//! Telling a Lisp that works from one that waits.
//!
//! A waiting Lisp runs through its process scheduler, which asks for the time in
//! every round; so questions per millisecond of CPU time tell the two apart,
//! on a fast host and a slow one, loaded or not. While Lisp waits the session
//! sleeps, a little longer each time, and lets Lisp look around in between.

use std::time::Duration;

/// Clock questions in a millisecond of CPU time that mean waiting. A waiting
/// Medley 2.01 asks about 550 times (60 in unoptimised builds) on a host of 2020;
/// the rest is room for slower hosts.
const WAITING_RATE: f64 = if cfg!(debug_assertions) { 3.0 } else { 30.0 };
/// Samples of less CPU time tell nothing.
const MIN_SAMPLE: Duration = Duration::from_micros(20);
/// A waiting Lisp still blinks its caret. Work of this share of the time, beyond
/// an allowance, is not called work.
const BLINKING_SHARE: f64 = 0.1;
/// The allowance.
const BLINKING: Duration = Duration::from_millis(5);
/// The longest nap, and the longest of a Lisp that has waited for some time.
const MAX_NAP: Duration = Duration::from_millis(16);
const MAX_LONG_NAP: Duration = Duration::from_millis(25);
/// That time.
const LONG_WAIT: Duration = Duration::from_secs(1);
/// The first nap.
const MIN_NAP: Duration = Duration::from_millis(1);

/// What the session knows of Lisp's occupation.
#[derive(Debug, Default)]
pub struct IdleWatch {
    /// The latest sample showed a waiting Lisp.
    waiting: bool,
    /// When Lisp last worked, in session time.
    worked_at: Duration,
    /// When the last sample was taken, in session time.
    sampled_at: Duration,
    /// CPU time of recent work that may still have been blinking.
    work: Duration,
    /// The length of the last nap.
    nap: Duration,
}

impl IdleWatch {
    /// Takes a sample: since the one before, Lisp used `cpu` and asked for the
    /// time `questions` times; it is now `now`.
    pub fn sample(&mut self, now: Duration, questions: u64, cpu: Duration) {
        let elapsed = now.saturating_sub(self.sampled_at);
        self.sampled_at = now;
        self.work = self.work.saturating_sub(elapsed.mul_f64(BLINKING_SHARE));
        if cpu < MIN_SAMPLE {
            return;
        }
        self.waiting = questions as f64 >= WAITING_RATE * cpu.as_secs_f64() * 1000.0;
        if !self.waiting {
            self.nap = Duration::ZERO;
            self.work += cpu;
            if self.work > BLINKING {
                self.work = BLINKING;
                self.worked_at = now;
            }
        }
    }

    /// Lisp has got something to do.
    pub fn disturb(&mut self, now: Duration) {
        self.waiting = false;
        self.nap = Duration::ZERO;
        self.worked_at = now;
    }

    /// How long Lisp has had nothing to do.
    pub fn idle_for(&self, now: Duration) -> Duration {
        now.saturating_sub(self.worked_at)
    }

    /// How long to sleep now, if at all.
    pub fn next_nap(&mut self) -> Option<Duration> {
        if !self.waiting {
            return None;
        }
        let is_long = self.idle_for(self.sampled_at) > LONG_WAIT;
        let longest = if is_long { MAX_LONG_NAP } else { MAX_NAP };
        self.nap = (self.nap * 2).clamp(MIN_NAP, longest);
        Some(self.nap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_millis(10);
    const MANY: u64 = 10_000;

    #[test]
    fn naps_grow_while_lisp_waits_and_stop_when_it_works() {
        let mut watch = IdleWatch::default();
        let mut now = TICK;
        watch.sample(now, 0, TICK);
        assert_eq!(watch.next_nap(), None);
        let mut naps = Vec::new();
        for _ in 0..6 {
            now += TICK;
            watch.sample(now, MANY, TICK);
            naps.push(watch.next_nap().unwrap().as_millis());
        }
        assert_eq!(naps, [1, 2, 4, 8, 16, 16]);
        assert_eq!(watch.idle_for(now), TICK * 6);
        now += LONG_WAIT;
        watch.sample(now, MANY, TICK);
        assert_eq!(watch.next_nap(), Some(MAX_LONG_NAP));
        now += TICK;
        watch.sample(now, 1, TICK);
        assert_eq!(watch.next_nap(), None);
        assert_eq!(watch.idle_for(now), Duration::ZERO);
    }

    #[test]
    fn blinking_is_not_work_but_steady_work_is() {
        let mut watch = IdleWatch::default();
        let mut now = Duration::ZERO;
        for round in 0..300 {
            now += TICK;
            // A millisecond of drawing three times a second.
            let questions = if round % 33 == 0 { 0 } else { MANY };
            watch.sample(now, questions, TICK / 10);
        }
        assert_eq!(watch.idle_for(now), now);
        for _ in 0..30 {
            now += TICK;
            watch.sample(now, 0, TICK / 4);
        }
        assert_eq!(watch.idle_for(now), Duration::ZERO);
    }

    #[test]
    fn input_disturbs() {
        let mut watch = IdleWatch::default();
        watch.sample(TICK, MANY, TICK);
        assert!(watch.next_nap().is_some());
        watch.disturb(TICK * 2);
        assert_eq!(watch.next_nap(), None);
        assert_eq!(watch.idle_for(TICK * 3), TICK);
    }

    #[test]
    fn tiny_samples_tell_nothing() {
        let mut watch = IdleWatch::default();
        watch.sample(TICK, MANY, TICK);
        watch.sample(TICK * 2, 0, Duration::from_micros(1));
        assert!(watch.next_nap().is_some());
    }
}
