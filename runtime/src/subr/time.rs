//! Clocks (`reference/subrs.md` section 4).

use super::{Args, Outcome};
use crate::device::LISP_EPOCH;
use crate::layout::Generation;
use crate::layout::records::{misc_stats, types};
use crate::machine::Machine;
use crate::memory::LispPtr;
use crate::traps::ALTO_EPOCH;

/// First and last day of daylight saving time, as fixed in every image.
const DAYLIGHT_DAYS: (u32, u32) = (98, 305);
/// Longest sleep that YIELD accepts, in nanoseconds.
const MAX_YIELD: i32 = 999_999_999;

impl<G: Generation> Machine<'_, G> {
    pub(super) fn subr_get_unix_time(&mut self, args: &Args) -> Outcome {
        let code = self.integer(args.get(0)).unwrap_or(-1);
        let value = self.clock_value(code);
        let target = args.get(1);
        if self.type_number(target) == types::FIXP {
            self.mem.set_cell(target.masked::<G>(), LispPtr(value));
            Outcome::Value(target)
        } else {
            Outcome::Value(self.number(value as i32))
        }
    }

    /// The clock or counter that GETUNIXTIME calls `code`.
    fn clock_value(&mut self, code: i32) -> u32 {
        let stat = |cell: u32| G::MISC_STATS.add(cell);
        match code {
            0 => {
                self.statistics.clock_polls += 1;
                (self.unix_micros() / 1000).wrapping_add(ALTO_EPOCH * 1000) as u32
            }
            1 => self.mem.cell(stat(misc_stats::START_TIME)).0,
            2 => {
                self.update_cpu_times();
                self.mem.cell(stat(misc_stats::TOTAL_TIME)).0
            }
            3 => self.mem.cell(stat(misc_stats::GC_TIME)).0,
            4 => (self.unix_micros() / 1_000_000 + ALTO_EPOCH) as u32,
            5 => (self.unix_micros() / 1_000_000 + LISP_EPOCH as u64) as u32,
            6 => DAYLIGHT_DAYS.0,
            7 => DAYLIGHT_DAYS.1,
            8 => self.devices.clock.hours_west() as u32,
            _ => 0,
        }
    }

    /// Microseconds since 1970.
    pub(crate) fn unix_micros(&mut self) -> u64 {
        self.devices.clock.unix_micros(self.instructions())
    }

    /// Refreshes the CPU times of MISCSTATS.
    pub(crate) fn update_cpu_times(&mut self) {
        let (user, system) = self.devices.clock.cpu_millis(self.instructions());
        let stats = G::MISC_STATS;
        self.mem
            .set_cell(stats.add(misc_stats::TOTAL_TIME), LispPtr(user));
        self.mem
            .set_cell(stats.add(misc_stats::SWAP_WAIT_TIME), LispPtr(system));
    }

    pub(super) fn subr_copy_time_stats(&mut self, args: &Args) -> Outcome {
        self.update_cpu_times();
        let (from, to) = (args.get(0).masked::<G>(), args.get(1).masked::<G>());
        for cell in 0..misc_stats::CELLS {
            self.mem
                .set_cell(to.add(2 * cell), self.mem.cell(from.add(2 * cell)));
        }
        Outcome::Value(LispPtr::NIL)
    }

    /// Lisp has nothing to do for a while.
    pub(super) fn subr_yield(&mut self, args: &Args) -> Outcome {
        match self.integer(args.get(0)) {
            Some(nanoseconds @ 0..=MAX_YIELD) => {
                self.statistics.clock_polls += 1;
                self.devices.clock.pause(nanoseconds as u32);
                Outcome::Value(LispPtr::T)
            }
            _ => Outcome::Value(LispPtr::NIL),
        }
    }

    /// The clock of the RCLK instruction: microseconds, low 32 bits.
    pub(crate) fn raw_clock(&mut self) -> LispPtr {
        self.statistics.clock_polls += 1;
        LispPtr(self.unix_micros() as u32)
    }
}
