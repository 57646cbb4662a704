//! Facts about the host and its user (`reference/subrs.md` section 5).

use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use geiko_files::host;
use geiko_runtime::device::Environment;

use crate::session::SaveTarget;

/// What Lisp calls the displays of this program.
const DISPLAY: &[u8] = b"X";

/// The variable that names the file to save to when Lisp names none.
const SAVE_FILE: &[u8] = b"LDEDESTSYSOUT";

/// The host as it is, but for the file that Lisp saves its image to.
#[derive(Debug)]
pub struct Host {
    /// Where the image goes when Lisp names no file.
    pub save_to: SaveTarget,
}

impl Environment for Host {
    fn variable(&self, name: &[u8]) -> Option<Vec<u8>> {
        match self.save_to.path() {
            Some(path) if name == SAVE_FILE => Some(path.as_os_str().as_bytes().to_vec()),
            _ => host::variable(name),
        }
    }

    fn parameter(&self, name: &[u8]) -> Option<Vec<u8>> {
        match name {
            b"DISPLAY" => Some(DISPLAY.to_vec()),
            _ => host::parameter(name),
        }
    }

    fn user_name(&self) -> Option<Vec<u8>> {
        host::user_name()
    }

    fn full_name(&self) -> Option<Vec<u8>> {
        host::full_name()
    }

    fn host_id(&self) -> u32 {
        host::host_id()
    }

    fn image_path(&self) -> Option<PathBuf> {
        self.save_to.path().or_else(host::image_path)
    }
}
