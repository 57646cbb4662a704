//! What there is of each function natively.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

use geiko_runtime::memory::LispPtr;

use crate::numbers::{Feedback, Seen};

/// A function. Call sites refer to its record, so it stays where it is.
#[derive(Debug)]
pub struct Record {
    /// Address of the native code, 0 if none.
    pub entry: Cell<usize>,
    /// Number of arguments of the native code; `None` for any number.
    pub arguments: Cell<Option<u16>>,
    /// How far it got.
    pub stage: RefCell<Stage>,
    /// What native code got wrong.
    pub feedback: RefCell<Feedback>,
    /// Activations given up since the function was compiled.
    given_up: Cell<u32>,
}

/// Activations that are given up before the function is compiled again.
const PATIENCE: u32 = 4;

impl Record {
    fn new() -> Self {
        Self {
            entry: Cell::new(0),
            arguments: Cell::new(None),
            stage: RefCell::new(Stage::Interpreted),
            feedback: RefCell::default(),
            given_up: Cell::new(0),
        }
    }

    /// Notes that an activation was given up at `pc`, by an operation or because of
    /// variables. True if the native code is out of use from now on.
    pub fn note(&self, pc: u32, seen: Option<Seen>) -> bool {
        let mut feedback = self.feedback.borrow_mut();
        match seen {
            Some(seen) => {
                let known = feedback.operations.entry(pc).or_default();
                known.a |= seen.a;
                known.b |= seen.b;
                known.result |= seen.result;
            }
            None => {
                let version = feedback.version;
                let wrong = feedback.places.entry(pc).or_default();
                wrong.count += 1;
                wrong.version = version;
            }
        }
        self.given_up.set(self.given_up.get() + 1);
        if self.given_up.get() < PATIENCE {
            return false;
        }
        self.given_up.set(0);
        feedback.version += 1;
        self.stage.replace(Stage::Interpreted);
        self.entry.set(0);
        true
    }
}

/// How far a function got.
#[derive(Debug)]
pub enum Stage {
    /// Nobody tried.
    Interpreted,
    /// It is being compiled: the job with this number.
    Ordered(u64),
    /// It has native code, with entries at these pcs and stack depths.
    Native(Vec<(u32, u16)>),
    /// It cannot be compiled.
    Refused,
}

/// Spreads code addresses, which are even.
#[derive(Default)]
pub struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u32(byte.into());
        }
    }

    fn write_u32(&mut self, n: u32) {
        self.0 = (self.0 ^ u64::from(n)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

type Map = HashMap<LispPtr, Rc<Record>, BuildHasherDefault<AddressHasher>>;

/// Records found last, a power of two.
const RECENT: usize = 1 << 8;

/// All records by code block.
pub struct Records {
    map: RefCell<Map>,
    recent: Box<[RefCell<Option<Recent>>; RECENT]>,
    /// Call sites refer to these still.
    retired: RefCell<Vec<Rc<Record>>>,
}

type Recent = (LispPtr, Rc<Record>);

impl Default for Records {
    fn default() -> Self {
        Self {
            map: RefCell::default(),
            recent: Box::new([const { RefCell::new(None) }; RECENT]),
            retired: RefCell::default(),
        }
    }
}

impl Records {
    /// Does something with the record of the code block at `code`.
    #[inline]
    pub fn with<T>(&self, code: LispPtr, f: impl FnOnce(&Record) -> T) -> T {
        let recent = &self.recent[(code.0 >> 2) as usize & (RECENT - 1)];
        if let Some((known, record)) = &*recent.borrow()
            && *known == code
        {
            return f(record);
        }
        let record = Rc::clone(
            self.map
                .borrow_mut()
                .entry(code)
                .or_insert_with(|| Rc::new(Record::new())),
        );
        recent.replace(Some((code, Rc::clone(&record))));
        f(&record)
    }

    /// The record of the code block at `code` is for another from now on; call
    /// sites that refer to it find no native code.
    pub fn remove(&self, code: LispPtr) {
        if let Some(record) = self.map.borrow_mut().remove(&code) {
            record.entry.set(0);
            self.retired.borrow_mut().push(record);
        }
        for recent in &*self.recent {
            recent.borrow_mut().take_if(|(known, _)| *known == code);
        }
    }
}
