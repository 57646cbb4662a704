//! Facts about the host and its user (`reference/subrs.md` section 5).

use geiko_files::host;
use geiko_runtime::device::Environment;

/// What Lisp calls the displays of this program.
const DISPLAY: &[u8] = b"X";

/// The host as it is.
#[derive(Debug)]
pub struct Host;

impl Environment for Host {
    fn variable(&self, name: &[u8]) -> Option<Vec<u8>> {
        host::variable(name)
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
}
