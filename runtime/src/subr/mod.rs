//! Services that Lisp asks of the machine with SUBRCALL
//! (`reference/subrs.md`). One file for each group.

mod display;
mod files;
mod host;
mod network;
mod save;
mod strings;
mod symbols;
mod system;
mod time;

use crate::device::FileHost;
pub use network::NetworkState;

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
    pub fn call_subr(&mut self, number: u8, args: &Args) -> Outcome {
        match number {
            7 => Outcome::Value(LispPtr::T),
            9 => self.subr_dsp_bout(args),
            13 | 90 => self.subr_finish(args),
            15 => self.subr_raid(args),
            19 => self.subr_show_display(args),
            34 => self.subr_get_file_name(FileHost::Unix, args),
            35 => self.subr_delete_file(FileHost::Unix, args),
            36 => self.subr_rename_file(FileHost::Unix, args),
            37 => self.subr_read_page(args),
            38 => self.subr_write_page(args),
            39 => self.subr_truncate_file(args),
            41 => self.subr_directory_name(FileHost::Unix, args),
            45 => self.subr_get_free_blocks(args),
            49 => self.subr_get_unix_time(args),
            50 => self.subr_copy_time_stats(args),
            51 => self.subr_user_name(args),
            52 => self.subr_full_name(args),
            53 => self.subr_getenv(args),
            54 => self.subr_getparm(args),
            55 => self.subr_check_sum(args),
            56 | 57 => self.subr_ether_done(),
            58..=63 => self.subr_no_network(),
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
            89 => self.subr_vmem_save(args),
            91 => self.subr_new_page(args),
            92 => self.subr_do_reclaim(),
            96 => self.subr_disable_gc(),
            103 => self.subr_set_file_info(args),
            104 => self.subr_open_file(args),
            105 => self.subr_close_file(args),
            106 => self.subr_get_file_name(FileHost::Dsk, args),
            107 => self.subr_delete_file(FileHost::Dsk, args),
            108 => self.subr_rename_file(FileHost::Dsk, args),
            110 => self.subr_next_file(args),
            111 => self.subr_finish_files(args),
            112 => self.subr_generate_files(args),
            113 => self.subr_directory_name(FileHost::Dsk, args),
            114 => self.subr_get_file_info(args),
            116 => self.subr_change_dir(args),
            117 => self.subr_handle_comm(args),
            119..=121 => self.subr_no_network(),
            135 => self.subr_new_blt_char(args),
            144 => self.subr_no_network(),
            145 => self.subr_with_symbol(args),
            146 => self.subr_cause_interrupt(),
            160..=163 => self.subr_no_network(),
            200 => self.subr_char_open(args),
            201 => self.subr_char_bin(args),
            202 => self.subr_char_bout(args),
            203 => self.subr_char_ioctl(args),
            204 => self.subr_char_close(args),
            207 => self.subr_char_bins(args),
            208 => self.subr_char_bouts(args),
            210 => self.subr_yield(args),
            _ => Outcome::Value(LispPtr::NIL),
        }
    }
}
