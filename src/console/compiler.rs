//! The compiler, as a device of Lisp: a request is written to it, the answer read.

use std::cell::{OnceCell, RefCell};

use geiko_forge::live;
use geiko_runtime::device::FILE_PAGE_BYTES;

/// The name of the device.
pub const COMPILER_NAME: &str = "/dev/geiko/compiler";

/// A request, and its answer once somebody reads it.
#[derive(Debug, Default)]
pub struct Compiler {
    request: RefCell<Vec<u8>>,
    answer: OnceCell<Vec<u8>>,
}

impl Compiler {
    /// Adds to the request.
    pub fn write(&self, bytes: &[u8]) {
        self.request.borrow_mut().extend(bytes);
    }

    /// A page of the answer; how many bytes of it there are.
    pub fn read(&self, page: u32, buffer: &mut [u8; FILE_PAGE_BYTES]) -> usize {
        let answer = self.answer.get_or_init(|| {
            let request = self.request.take();
            live::answer(&String::from_utf8_lossy(&request)).into_bytes()
        });
        super::files::page_of(answer, page, buffer)
    }
}
