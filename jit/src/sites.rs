//! What native code found at its sites, so that it finds it at once when it is the same
//! again: callers that bind free variables, and function objects that are called.
//!
//! Native code reads these structures; they stay where they are for as long as the
//! record of their function.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use geiko_runtime::memory::LispPtr;

use crate::records::Record;

/// No function cell and no code block.
const NONE: u32 = u32::MAX;

/// Where a frame that calls a function has a variable that is free in it.
#[derive(Debug)]
#[repr(C)]
pub struct Known {
    /// The function cell of such frames.
    pub function: Cell<u32>,
    /// Byte offset of the slot, plus 1 if it is free there too.
    pub place: Cell<u32>,
}

/// Byte offsets in [`Known`].
pub mod known {
    use std::mem::offset_of;

    use super::Known;

    pub const FUNCTION: i32 = offset_of!(Known, function) as i32;
    pub const PLACE: i32 = offset_of!(Known, place) as i32;
}

/// The function objects that were called at a site, the last first.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Called([Callee; WAYS]);

/// Function objects remembered at a site.
pub const WAYS: usize = 2;

/// A function object.
#[derive(Debug)]
#[repr(C)]
struct Callee {
    /// Its code block.
    code: Cell<u32>,
    /// Words of the arguments that its native code takes.
    words: Cell<u32>,
    /// Address of the word that holds the address of its native code, or 0.
    entry: Cell<usize>,
    record: RefCell<Option<Rc<Record>>>,
}

/// Byte offsets in [`Called`].
pub mod called {
    use std::mem::{offset_of, size_of};

    use super::Callee;

    pub const CODE: i32 = offset_of!(Callee, code) as i32;
    pub const WORDS: i32 = offset_of!(Callee, words) as i32;
    pub const ENTRY: i32 = offset_of!(Callee, entry) as i32;
    /// From one function object to the next.
    pub const NEXT: i32 = size_of::<Callee>() as i32;
}

impl Default for Callee {
    fn default() -> Self {
        Self {
            code: Cell::new(NONE),
            words: Cell::new(0),
            entry: Cell::new(0),
            record: RefCell::new(None),
        }
    }
}

impl Callee {
    fn swap(&self, other: &Self) {
        self.code.swap(&other.code);
        self.words.swap(&other.words);
        self.entry.swap(&other.entry);
        self.record.swap(&other.record);
    }
}

impl Called {
    /// Remembers the code block `code`, whose native code takes so many arguments.
    pub fn remember(&self, code: LispPtr, arguments: u16, record: &Rc<Record>) {
        let [first, second] = &self.0;
        second.swap(first);
        first.code.set(code.0);
        first.words.set(2 * u32::from(arguments));
        first.entry.set(record.entry.as_ptr() as usize);
        first.record.replace(Some(Rc::clone(record)));
    }

    fn forget(&self) {
        for callee in &self.0 {
            callee.code.set(NONE);
            callee.record.replace(None);
        }
    }
}

/// The sites of a function.
#[derive(Debug, Default)]
pub struct Sites {
    known: OnceCell<Box<[Known]>>,
    called: OnceCell<Box<[Called]>>,
}

impl Sites {
    /// Address of what is known of the variables in the function's PVAR slots.
    pub fn known(&self, slots: u16) -> i64 {
        let known = self.known.get_or_init(|| {
            let nowhere = || Known {
                function: Cell::new(NONE),
                place: Cell::new(0),
            };
            (0..slots).map(|_| nowhere()).collect()
        });
        known.as_ptr() as i64
    }

    /// Address of what was called at the function's calls of function objects.
    pub fn called(&self, calls: usize) -> i64 {
        let called = self
            .called
            .get_or_init(|| (0..calls).map(|_| Called::default()).collect());
        called.as_ptr() as i64
    }

    /// Forgets everything that keeps other functions' records.
    pub fn clear(&self) {
        for called in self.called.get().into_iter().flatten() {
            called.forget();
        }
    }
}
