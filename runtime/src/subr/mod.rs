//! Services that Lisp asks of the machine with SUBRCALL
//! (`reference/subrs.md`). One file for each group.

mod display;
mod files;
mod host;
mod network;
mod processes;
mod save;
mod strings;
mod symbols;
mod system;
mod time;

use crate::device::FileHost;
pub use files::Characters;
pub use network::NetworkState;

use crate::isa::sub_opcodes::Subr;
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
        let Some(service) = Subr::from_code(number) else {
            return Outcome::Value(LispPtr::NIL);
        };
        match service {
            Subr::CheckBcplPassword => Outcome::Value(LispPtr::T),
            Subr::DspBout => self.subr_dsp_bout(args),
            Subr::LispFinish | Subr::LispFinishAgain => self.subr_finish(args),
            Subr::Raid => self.subr_raid(args),
            Subr::ShowDisplay => self.subr_show_display(args),
            Subr::UfsGetFileName => self.subr_get_file_name(FileHost::Unix, args),
            Subr::UfsDeleteFile => self.subr_delete_file(FileHost::Unix, args),
            Subr::UfsRenameFile => self.subr_rename_file(FileHost::Unix, args),
            Subr::ComReadPages => self.subr_read_page(args),
            Subr::ComWritePages => self.subr_write_page(args),
            Subr::ComTruncateFile => self.subr_truncate_file(args),
            Subr::UfsDirectoryNameP => self.subr_directory_name(FileHost::Unix, args),
            Subr::ComGetFreeBlock => self.subr_get_free_blocks(args),
            Subr::GetUnixTime => self.subr_get_unix_time(args),
            Subr::CopyTimeStats => self.subr_copy_time_stats(args),
            Subr::UnixUserName => self.subr_user_name(args),
            Subr::UnixFullName => self.subr_full_name(args),
            Subr::UnixGetEnv => self.subr_getenv(args),
            Subr::UnixGetParm => self.subr_getparm(args),
            Subr::CheckSum => self.subr_check_sum(args),
            Subr::EtherSuspend | Subr::EtherResume => self.subr_ether_done(),
            Subr::EtherAvailable
            | Subr::EtherReset
            | Subr::EtherGet
            | Subr::EtherSend
            | Subr::EtherSetFilter
            | Subr::EtherCheck => self.subr_no_network(),
            Subr::DspCursor => self.subr_dsp_cursor(args),
            Subr::SetMouseXY => self.subr_set_mouse_xy(args),
            Subr::DspVideoColor => self.subr_video_color(args),
            Subr::DspScreenWidth => self.subr_screen_width(),
            Subr::DspScreenHeight => self.subr_screen_height(),
            Subr::BitBltSub => self.subr_bitblt_sub(args),
            Subr::BltChar => self.subr_blt_char(args),
            Subr::TeditBltChar => self.subr_tedit_blt_char(args),
            Subr::BitBltBitmap => self.subr_bitblt_bitmap(args),
            Subr::BltShadeBitmap => self.subr_bltshade_bitmap(args),
            Subr::KeyboardBeep => self.subr_keyboard_beep(args),
            Subr::KeyboardMap => self.subr_keyboard_map(args),
            Subr::VmemSave => self.subr_vmem_save(args),
            Subr::NewPage => self.subr_new_page(args),
            Subr::DoReclaim => self.subr_do_reclaim(),
            Subr::DisableGc => self.subr_disable_gc(),
            Subr::ComSetFileInfo => self.subr_set_file_info(args),
            Subr::ComOpenFile => self.subr_open_file(args),
            Subr::ComCloseFile => self.subr_close_file(args),
            Subr::DskGetFileName => self.subr_get_file_name(FileHost::Dsk, args),
            Subr::DskDeleteFile => self.subr_delete_file(FileHost::Dsk, args),
            Subr::DskRenameFile => self.subr_rename_file(FileHost::Dsk, args),
            Subr::ComNextFile => self.subr_next_file(args),
            Subr::ComFinishFinfo => self.subr_finish_files(args),
            Subr::ComGenFiles => self.subr_generate_files(args),
            Subr::DskDirectoryNameP => self.subr_directory_name(FileHost::Dsk, args),
            Subr::ComGetFileInfo => self.subr_get_file_info(args),
            Subr::ComChangeDir => self.subr_change_dir(args),
            Subr::UnixHandleComm => self.subr_handle_comm(args),
            Subr::RpcCall | Subr::MessageReadP | Subr::MessageRead => self.subr_no_network(),
            Subr::NewBltChar => self.subr_new_blt_char(args),
            Subr::TcpOp => self.subr_no_network(),
            Subr::WithSymbol => self.subr_with_symbol(args),
            Subr::CauseInterrupt => self.subr_cause_interrupt(),
            Subr::OpenSocket | Subr::CloseSocket | Subr::ReadSocket | Subr::WriteSocket => {
                self.subr_no_network()
            }
            Subr::CharOpenFile => self.subr_char_open(args),
            Subr::CharBin => self.subr_char_bin(args),
            Subr::CharBout => self.subr_char_bout(args),
            Subr::CharIoctl => self.subr_char_ioctl(args),
            Subr::CharCloseFile => self.subr_char_close(args),
            Subr::CharBins => self.subr_char_bins(args),
            Subr::CharBouts => self.subr_char_bouts(args),
            Subr::Yield => self.subr_yield(args),
            Subr::KeyboardState => display::last(args),
            _ => Outcome::Value(LispPtr::NIL),
        }
    }
}
