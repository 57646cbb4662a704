//! What is done about native code, function by function: the source of both the totals
//! and the log.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use geiko_runtime::image::Names;
use geiko_runtime::image::functions::CodeBlock;
use geiko_runtime::layout::Generation;
use geiko_runtime::memory::{LispPtr, Mem};

use crate::exits::Exit;

/// Something that happens to the native code of a function.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// It is to be made.
    Ordered {
        /// There was some before.
        again: bool,
    },
    /// It was made.
    Compiled {
        /// Bytes of it; none if it could not be.
        bytes: usize,
        /// How long that took.
        time: Duration,
    },
    /// There was not enough memory to make it.
    NoRoom,
    /// It can be entered.
    Installed {
        /// Where it is.
        address: usize,
        /// What it is.
        code: &'a [u8],
    },
    /// An activation was given up because it was not what the code was made for.
    GivenUp {
        /// Offset of the instruction.
        pc: u16,
        /// Which guess was wrong.
        exit: Exit,
    },
    /// It was wrong too often.
    OutOfUse,
    /// The function is gone, or Lisp changed its code.
    Forgotten,
    /// It had to make room for other code.
    Evicted,
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Ordered { again: false } => write!(f, "ordered"),
            Self::Ordered { again: true } => write!(f, "ordered again"),
            Self::Compiled { bytes: 0, .. } => write!(f, "cannot be compiled"),
            Self::Compiled { bytes, time } => {
                let time = 1e3 * time.as_secs_f64();
                write!(f, "compiled in {time:.3} ms, {bytes} bytes")
            }
            Self::Installed { address, .. } => write!(f, "installed at {address:#x}"),
            Self::GivenUp { pc, exit } => write!(f, "given up at byte {pc}: {}", exit.text()),
            Self::NoRoom => write!(f, "not compiled: there is not enough memory"),
            Self::OutOfUse => write!(f, "out of use"),
            Self::Forgotten => write!(f, "forgotten"),
            Self::Evicted => write!(f, "evicted"),
        }
    }
}

/// What all events came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Times that a function got native code.
    pub compiled: u64,
    /// How many of them had some before.
    pub again: u64,
    /// Functions that cannot be compiled.
    pub refused: u64,
    /// Functions for whose compilation there was not enough memory.
    pub without_room: u64,
    /// Time that compiling took, on whatever thread.
    pub time: Duration,
    /// Bytes of all code ever made.
    pub bytes: usize,
    /// Activations given up.
    pub given_up: u64,
    /// Functions that are gone, or that Lisp changed.
    pub forgotten: u64,
    /// Functions whose code had to make room.
    pub evicted: u64,
}

impl Totals {
    fn note(&mut self, event: &Event<'_>) {
        match event {
            Event::Ordered { again } => self.again += u64::from(*again),
            Event::Compiled { bytes, time } => {
                self.refused += u64::from(*bytes == 0);
                self.bytes += bytes;
                self.time += *time;
            }
            Event::NoRoom => self.without_room += 1,
            Event::Installed { .. } => self.compiled += 1,
            Event::GivenUp { .. } => self.given_up += 1,
            Event::OutOfUse => {}
            Event::Forgotten => self.forgotten += 1,
            Event::Evicted => self.evicted += 1,
        }
    }
}

/// Is told the name of the function and what happens.
pub type Listener = Box<dyn FnMut(&str, &Event<'_>)>;

/// Where all events arrive.
#[derive(Default)]
pub struct Events {
    totals: Cell<Totals>,
    listeners: RefCell<Vec<Listener>>,
    /// Names of functions, kept for those that are gone.
    names: RefCell<HashMap<LispPtr, String>>,
}

impl Events {
    /// Has `listener` told of all that happens from now on.
    pub fn add_listener(&self, listener: Listener) {
        self.listeners.borrow_mut().push(listener);
    }

    /// Learns the name of the function at `code`, if anybody wants to hear it.
    pub fn learn_name<G: Generation>(&self, mem: Mem<'_, G>, code: LispPtr) {
        if !self.listeners.borrow().is_empty() {
            let name = CodeBlock::at(mem, code).header().frame_name;
            let name = Names::new(mem).object(name);
            self.names.borrow_mut().insert(code, name);
        }
    }

    /// Something happens to the function at `code`.
    pub fn happens(&self, code: LispPtr, event: &Event<'_>) {
        let mut totals = self.totals.get();
        totals.note(event);
        self.totals.set(totals);
        let names = self.names.borrow();
        let name = names.get(&code).map_or("", String::as_str);
        for listener in &mut *self.listeners.borrow_mut() {
            listener(name, event);
        }
    }

    /// What all events came to.
    pub fn totals(&self) -> Totals {
        self.totals.get()
    }
}
