//! Services that Lisp asks of the machine with SUBRCALL
//! (`reference/subrs.md`). One file for each group.

mod display;
mod host;
mod strings;
mod symbols;
mod system;
mod time;

use crate::layout::Generation;
use crate::layout::records::types;
use crate::machine::Machine;
use crate::memory::LispPtr;

/// Arguments of a service. Missing ones read as NIL.
#[derive(Clone, Copy, Debug, Default)]
pub struct Args {
    values: [LispPtr; Args::MAX],
    count: usize,
}

impl Args {
    /// The most arguments any service takes.
    pub const MAX: usize = 16;

    /// The given arguments; those beyond [`Args::MAX`] are dropped.
    pub fn new(values: impl IntoIterator<Item = LispPtr>) -> Self {
        let mut args = Self::default();
        for value in values.into_iter().take(Self::MAX) {
            args.values[args.count] = value;
            args.count += 1;
        }
        args
    }

    /// Number of arguments given.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Argument `index`, counted from 0.
    pub fn get(&self, index: usize) -> LispPtr {
        self.values.get(index).copied().unwrap_or(LispPtr::NIL)
    }
}

/// What becomes of a SUBRCALL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The value replaces the arguments.
    Value(LispPtr),
    /// The service cannot handle the case: Lisp's function of this symbol is
    /// called with the same arguments instead.
    Punt(LispPtr),
    /// The session ends with this status.
    Finish(i32),
}

impl<G: Generation> Machine<'_, G> {
    /// The value of a small integer or FIXP.
    #[inline]
    pub fn integer(&self, object: LispPtr) -> Option<i32> {
        object.small_value::<G>().or_else(|| {
            (self.type_number(object) == types::FIXP).then(|| self.mem.cell(object).0 as i32)
        })
    }
}

impl<G: Generation> Machine<'_, G> {
    /// Runs service `number`. Services that "return nothing" answer their last
    /// argument, unknown ones NIL.
    pub(crate) fn call_subr(&mut self, number: u8, args: &Args) -> Outcome {
        match number {
            7 => Outcome::Value(LispPtr::T),
            9 => self.subr_dsp_bout(args),
            13 | 90 => self.subr_finish(args),
            15 => self.subr_raid(args),
            19 => self.subr_show_display(args),
            49 => self.subr_get_unix_time(args),
            50 => self.subr_copy_time_stats(args),
            51 => self.subr_user_name(args),
            52 => self.subr_full_name(args),
            53 => self.subr_getenv(args),
            54 => self.subr_getparm(args),
            55 => self.subr_check_sum(args),
            56 | 57 => Outcome::Value(LispPtr::T),
            64 => self.subr_dsp_cursor(args),
            65 => self.subr_set_mouse_xy(args),
            66 => self.subr_video_color(args),
            67 => self.subr_screen_width(),
            68 => self.subr_screen_height(),
            69 => self.subr_bitblt_sub(args),
            70 => self.subr_blt_char(args),
            71 => self.subr_tedit_blt_char(args),
            72 => self.subr_bitblt_bitmap(args),
            73 => self.subr_bltshade_bitmap(args),
            80 => self.subr_keyboard_beep(args),
            81 => self.subr_keyboard_map(args),
            91 => self.subr_new_page(args),
            92 => self.subr_do_reclaim(),
            96 => self.subr_disable_gc(),
            135 => self.subr_new_blt_char(args),
            145 => self.subr_with_symbol(args),
            146 => self.subr_cause_interrupt(),
            210 => self.subr_yield(args),
            _ => Outcome::Value(LispPtr::NIL),
        }
    }
}
