//! The compiler, as a device of Lisp: a request is written to it, the answer read.

use std::cell::{OnceCell, RefCell};

use geiko_forge::live;
use geiko_runtime::device::FILE_PAGE_BYTES;

/// The name of the device.
pub const COMPILER_NAME: &str = "/dev/geiko/compiler";

/// A request, its answer once somebody reads it, and who answers, from the first on.
#[derive(Debug, Default)]
pub struct Compiler {
    request: RefCell<Vec<u8>>,
    answer: OnceCell<Vec<u8>>,
    compiler: OnceCell<live::Compiler>,
}

impl Compiler {
    /// Begins with a new request.
    pub fn open(&mut self) {
        self.request.take();
        self.answer.take();
    }

    /// Adds to the request.
    pub fn write(&self, bytes: &[u8]) {
        self.request.borrow_mut().extend(bytes);
    }

    /// A page of the answer; how many bytes of it there are.
    pub fn read(&self, page: u32, buffer: &mut [u8; FILE_PAGE_BYTES]) -> usize {
        let answer = self.answer.get_or_init(|| {
            let request = String::from_utf8_lossy(&self.request.take()).into_owned();
            self.compile(request).into_bytes()
        });
        super::files::page_of(answer, page, buffer)
    }

    fn compile(&self, request: String) -> String {
        if self.compiler.get().is_none() {
            match live::Compiler::start() {
                Ok(compiler) => self.compiler.set(compiler).expect("there was none"),
                Err(error) => return live::refusal(&format!("no compiler: {error}")),
            }
        }
        let compiler = self.compiler.get().expect("it was started");
        compiler.answer(request)
    }
}
