//! Clocks, and what they reveal about Lisp being idle.
//!
//! Lisp has no instruction for waiting: a process scheduler without a process
//! to run asks for the time, again and again. Both clocks make use of that. The
//! real one can ask for the session's attention after some questions, so that a
//! session can let Lisp look around for a moment and sleep again. The virtual
//! one lets time pass by itself when question follows question.

use std::cell::{Cell, LazyCell};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use geiko_runtime::device::Clock;
use geiko_runtime::memory::Attention;

/// A count of clock questions after which the session wants attention.
#[derive(Debug)]
pub struct Pulse {
    attention: Attention,
    left: Cell<u32>,
}

impl Pulse {
    /// A pulse that is not set.
    pub fn new(attention: Attention) -> Rc<Self> {
        Rc::new(Self {
            attention,
            left: Cell::new(0),
        })
    }

    /// Asks for attention after `questions`.
    pub fn set(&self, questions: u32) {
        self.left.set(questions);
    }

    fn question(&self) {
        if let left @ 1.. = self.left.get() {
            self.left.set(left - 1);
            if left == 1 {
                self.attention.raise();
            }
        }
    }
}

/// A pause is not longer than this, so that the session can look after other things.
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// The host's clock.
#[derive(Debug)]
pub struct RealClock {
    pulse: Rc<Pulse>,
    /// Found out when Lisp asks: it takes a look at all zones that the host has.
    hours_west: LazyCell<i32>,
}

impl RealClock {
    /// The clock of this host and its time zone.
    pub fn new(pulse: Rc<Pulse>) -> Self {
        Self {
            pulse,
            hours_west: LazyCell::new(hours_west_of_greenwich),
        }
    }
}

impl Clock for RealClock {
    fn unix_micros(&mut self, _: u64) -> u64 {
        self.pulse.question();
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| since.as_micros() as u64)
    }

    fn cpu_millis(&mut self, _: u64) -> (u32, u32) {
        (thread_cpu_time().as_millis() as u32, 0)
    }

    fn hours_west(&self) -> i32 {
        *self.hours_west
    }

    fn counts_instructions(&self) -> bool {
        false
    }

    fn pause(&mut self, nanoseconds: u32) {
        // Input ends the pause.
        std::thread::park_timeout(Duration::from_nanos(nanoseconds.into()).min(LONGEST_PAUSE));
    }
}

/// CPU time of the calling thread.
pub fn thread_cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(
        time.tv_sec.try_into().unwrap_or(0),
        time.tv_nsec.try_into().unwrap_or(0),
    )
}

/// Whole hours of the host's standard time behind Greenwich. Lisp adds the
/// daylight saving hour itself.
fn hours_west_of_greenwich() -> i32 {
    let zone = jiff::tz::TimeZone::system();
    let now = jiff::Timestamp::now();
    let half_a_year = jiff::SignedDuration::from_hours(24 * 183);
    let offsets = [Some(now), now.checked_add(half_a_year).ok()]
        .into_iter()
        .flatten()
        .map(|at| zone.to_offset_info(at));
    let standard = offsets
        .min_by_key(|info| info.dst().is_dst())
        .map_or(0, |info| info.offset().seconds());
    -standard / 3600
}

/// Instructions in a microsecond of virtual time.
const INSTRUCTIONS_PER_MICRO: u64 = 100;
/// Virtual time begins on 1 January 1993, when the images were young.
const VIRTUAL_START: u64 = 725_846_400_000_000;
/// Instructions between two questions, at most, while Lisp only waits.
const WAITING_GAP: u64 = 4_000;
/// Questions in a row after which Lisp is taken to be waiting.
const WAITING_QUESTIONS: u32 = 100;
/// Microseconds that pass at each question while Lisp waits.
const WAITING_STEP: u64 = 1_000;
/// Microseconds between two moments of attention while Lisp waits.
const ATTENTION_STEP: u64 = 10_000;

/// Time that passes with the instructions executed, shared between the clock
/// and the session.
#[derive(Debug)]
pub struct VirtualTime {
    attention: Attention,
    /// Instruction count at the last question.
    asked_at: Cell<u64>,
    /// Questions that came quickly after one another.
    quick: Cell<u32>,
    /// Microseconds that passed while Lisp waited.
    waited: Cell<u64>,
    /// When Lisp began to wait, in microseconds since the start.
    idle_since: Cell<Option<u64>>,
}

impl VirtualTime {
    /// Time at the start of a session.
    pub fn new(attention: Attention) -> Rc<Self> {
        Rc::new(Self {
            attention,
            asked_at: Cell::new(0),
            quick: Cell::new(0),
            waited: Cell::new(0),
            idle_since: Cell::new(None),
        })
    }

    /// Microseconds since the start.
    pub fn micros(&self, instructions: u64) -> u64 {
        instructions / INSTRUCTIONS_PER_MICRO + self.waited.get()
    }

    /// How long Lisp has been waiting.
    pub fn idle_for(&self, instructions: u64) -> Duration {
        let gap = instructions.saturating_sub(self.asked_at.get());
        match self.idle_since.get() {
            Some(since) if gap <= WAITING_GAP => {
                Duration::from_micros(self.micros(instructions).saturating_sub(since))
            }
            _ => Duration::ZERO,
        }
    }

    /// Lisp has got something to do.
    pub fn disturb(&self) {
        self.quick.set(0);
        self.idle_since.set(None);
    }

    /// Lets time pass in which nothing is executed.
    fn pass(&self, micros: u64) {
        self.waited.set(self.waited.get() + micros);
    }

    fn question(&self, instructions: u64) {
        let gap = instructions.saturating_sub(self.asked_at.replace(instructions));
        if gap > WAITING_GAP {
            self.disturb();
            return;
        }
        if self.quick.get() < WAITING_QUESTIONS {
            self.quick.set(self.quick.get() + 1);
            return;
        }
        if self.idle_since.get().is_none() {
            self.idle_since.set(Some(self.micros(instructions)));
        }
        self.waited.set(self.waited.get() + WAITING_STEP);
        if self.waited.get().is_multiple_of(ATTENTION_STEP) {
            self.attention.raise();
        }
    }
}

/// A clock that shows [`VirtualTime`], in Greenwich.
#[derive(Debug)]
pub struct VirtualClock(pub Rc<VirtualTime>);

impl Clock for VirtualClock {
    fn unix_micros(&mut self, instructions: u64) -> u64 {
        self.0.question(instructions);
        VIRTUAL_START + self.0.micros(instructions)
    }

    fn cpu_millis(&mut self, instructions: u64) -> (u32, u32) {
        ((instructions / INSTRUCTIONS_PER_MICRO / 1000) as u32, 0)
    }

    fn hours_west(&self) -> i32 {
        0
    }

    fn counts_instructions(&self) -> bool {
        true
    }

    fn pause(&mut self, nanoseconds: u32) {
        self.0.pass(u64::from(nanoseconds / 1000));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use geiko_runtime::layout::Medley2;
    use geiko_runtime::memory::AddressSpace;

    #[test]
    fn a_pulse_asks_for_attention_once() {
        let space = AddressSpace::<Medley2>::reserve().unwrap();
        let control = space.view().control();
        let pulse = Pulse::new(space.attention());
        let mut clock = RealClock::new(Rc::clone(&pulse));
        pulse.set(3);
        for raised in [false, false, true, false] {
            clock.unix_micros(0);
            assert_eq!(control.take() != 0, raised);
        }
    }

    #[test]
    fn virtual_time_follows_instructions_while_lisp_works() {
        let space = AddressSpace::<Medley2>::reserve().unwrap();
        let time = VirtualTime::new(space.attention());
        let mut clock = VirtualClock(Rc::clone(&time));
        for second in 0..5 {
            let instructions = second * 1_000_000 * INSTRUCTIONS_PER_MICRO;
            assert_eq!(
                clock.unix_micros(instructions),
                VIRTUAL_START + second * 1_000_000
            );
            assert_eq!(time.idle_for(instructions), Duration::ZERO);
        }
    }

    #[test]
    fn virtual_time_flies_while_lisp_waits() {
        let space = AddressSpace::<Medley2>::reserve().unwrap();
        let control = space.view().control();
        let time = VirtualTime::new(space.attention());
        let mut clock = VirtualClock(Rc::clone(&time));
        let mut instructions = 0;
        let mut attentions = 0;
        while time.idle_for(instructions) < Duration::from_secs(1) {
            instructions += 300;
            clock.unix_micros(instructions);
            attentions += u32::from(control.take() != 0);
        }
        assert!(instructions < 1_000_000, "{instructions}");
        assert!((95..=105).contains(&attentions), "{attentions}");
        clock.unix_micros(instructions + WAITING_GAP + 1);
        assert_eq!(time.idle_for(instructions), Duration::ZERO);
    }
}
