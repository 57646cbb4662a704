//! The terminal, pipe or file that a Lisp without windows talks to.
//!
//! Lisp opens the character devices `/dev/stdin`, `/dev/stdout` and `/dev/stderr`, and
//! asks [`REQUEST_NAME`] what it is here for. Nothing of that waits for long: what
//! cannot be done now is refused, and Lisp tries again. So interrupts reach Lisp
//! also while it waits.
//!
//! When a user is to edit lines, Lisp gets its input from the session instead, by
//! way of the [`Console`], which the session and the machine's devices share.

mod compiler;
mod files;
mod request;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use geiko_runtime::memory::Attention;

pub use files::ConsoleFiles;
pub use request::{Manner, REQUEST_NAME, Request};

/// What the session and the devices of its machine both know of the console.
#[derive(Debug)]
pub struct Console {
    attention: Attention,
    /// Somebody edits lines.
    edited: bool,
    /// Text for Lisp that it has not read.
    input: RefCell<VecDeque<u8>>,
    ended: Cell<bool>,
    /// Lisp waits for a line.
    waiting: Cell<bool>,
    /// The output since the last end of a line.
    last_line: RefCell<Vec<u8>>,
    /// Output goes nowhere any more: the status with which the session is to end.
    closed: Cell<Option<i32>>,
}

impl Console {
    /// A console whose input is a terminal where lines are `edited`, or standard
    /// input as it is.
    pub fn new(attention: Attention, edited: bool) -> Rc<Self> {
        Rc::new(Self {
            attention,
            edited,
            input: RefCell::default(),
            ended: Cell::new(false),
            waiting: Cell::new(false),
            last_line: RefCell::default(),
            closed: Cell::new(None),
        })
    }

    /// Whether Lisp waits for a line that somebody edits.
    pub fn waits_for_line(&self) -> bool {
        self.waiting.get()
    }

    /// What stands in front of the line: output that has no end of line yet.
    pub fn prompt(&self) -> String {
        String::from_utf8_lossy(&self.last_line.borrow()).into_owned()
    }

    /// Gives Lisp a line, without its end. The terminal shows it already.
    pub fn give_line(&self, line: &str) {
        let mut input = self.input.borrow_mut();
        input.extend(line.bytes());
        input.push_back(b'\n');
        self.line_ended();
    }

    /// There will be no more lines.
    pub fn end_input(&self) {
        self.ended.set(true);
        self.line_ended();
    }

    /// The user began a new line; Lisp still waits.
    pub fn line_ended(&self) {
        self.waiting.set(false);
        self.last_line.borrow_mut().clear();
    }

    /// Begins a new line behind the character that the terminal shows for an
    /// interrupt.
    pub fn leave_echo(&self) {
        if self.edited {
            eprintln!();
        }
    }

    /// The status with which the session is to end because output goes nowhere any more.
    pub fn closed(&self) -> Option<i32> {
        self.closed.get()
    }

    /// Reads what there is of edited lines; `None` if Lisp must wait.
    fn read(&self, buffer: &mut [u8]) -> Option<usize> {
        let mut input = self.input.borrow_mut();
        if input.is_empty() && !self.ended.get() {
            self.waiting.set(true);
            self.attention.raise();
            return None;
        }
        let count = buffer.len().min(input.len());
        for (place, byte) in buffer.iter_mut().zip(input.drain(..count)) {
            *place = byte;
        }
        Some(count)
    }

    /// Notes what has been written.
    fn wrote(&self, bytes: &[u8]) {
        if !self.edited {
            return;
        }
        let mut line = self.last_line.borrow_mut();
        match bytes.iter().rposition(|&byte| byte == b'\n') {
            Some(end) => {
                line.clear();
                line.extend(&bytes[end + 1..]);
            }
            None => line.extend(bytes),
        }
    }

    /// Output goes nowhere any more: the session is to end with `status`.
    fn close(&self, status: i32) {
        self.closed.set(Some(status));
        self.attention.raise();
    }
}
