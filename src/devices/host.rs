//! Facts about the host and its user (`reference/subrs.md` section 5).

use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use geiko_files::host;
use geiko_runtime::device::Environment;

use crate::session::SaveTarget;

/// What Lisp may do on the host.
#[derive(Clone, Debug)]
pub struct Rights {
    /// The directory that Lisp sees as the root of all files.
    pub root: Option<PathBuf>,
    /// No file is changed.
    pub read_only: bool,
    /// Lisp may start processes.
    pub processes: bool,
}

/// All that the user may do.
impl Default for Rights {
    fn default() -> Self {
        Self {
            root: None,
            read_only: false,
            processes: true,
        }
    }
}

/// What Lisp calls the displays of this program.
const DISPLAY: &[u8] = b"X";

/// The variable that names the file to save to when Lisp names none.
const SAVE_FILE: &[u8] = b"LDEDESTSYSOUT";

/// The variable that names the user's home directory.
const HOME: &[u8] = b"HOME";

/// The host as it is, but for the file that Lisp saves its image to and the home
/// directory.
#[derive(Debug)]
pub struct Host {
    /// Where the image goes when Lisp names no file.
    pub save_to: SaveTarget,
    /// The user's home directory as Lisp sees it.
    pub home: Option<Vec<u8>>,
}

impl Environment for Host {
    fn variable(&self, name: &[u8]) -> Option<Vec<u8>> {
        match self.save_to.path() {
            Some(path) if name == SAVE_FILE => Some(path.as_os_str().as_bytes().to_vec()),
            _ if name == HOME => self.home.clone(),
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
