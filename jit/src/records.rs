//! What there is of each function natively.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

use geiko_runtime::accounts::Account;
use geiko_runtime::layout::Generation;
use geiko_runtime::machine::Machine;
use geiko_runtime::memory::{LispPtr, StackOffset};

use crate::cache::Place;
use crate::feedback::{Feedback, Met};
use crate::maps::FrameMaps;
use crate::sites::Sites;

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
    /// What its native code found before.
    pub sites: Sites,
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
            sites: Sites::default(),
            given_up: Cell::new(0),
        }
    }

    /// True if it has the native code made by the job with this number.
    pub fn is_native(&self, number: u64) -> bool {
        matches!(&*self.stage.borrow(), Stage::Native(native) if native.number == number)
    }

    /// The way into the native code at that pc and stack depth.
    pub fn way_to(&self, pc: u32, depth: u16) -> Option<Way> {
        let Stage::Native(native) = &*self.stage.borrow() else {
            return None;
        };
        let number = (native.entries.iter()).position(|&entry| entry == (pc, depth))?;
        Some(Way {
            target: native.place.address,
            number,
            words: native.stack_words,
        })
    }

    /// Notes that an activation was given up at `pc` because of what it met there. Answers
    /// the native code if that is out of use from now on.
    fn note(&self, pc: u32, met: Met) -> Option<Native> {
        let mut feedback = self.feedback.borrow_mut();
        let is_in_use = matches!(*self.stage.borrow(), Stage::Native(_));
        feedback.meet(pc, met);
        // What code out of use guessed says nothing of what is guessed now.
        if met == Met::Variables && is_in_use {
            let version = feedback.version;
            let wrong = feedback.places.entry(pc).or_default();
            if wrong.versions == 0 || wrong.version != version {
                wrong.versions += 1;
                wrong.version = version;
            }
        }
        if !is_in_use {
            return None;
        }
        self.given_up.set(self.given_up.get() + 1);
        if self.given_up.get() < PATIENCE {
            return None;
        }
        self.given_up.set(0);
        feedback.version += 1;
        self.take_native(Stage::Interpreted)
    }

    /// Notes what the instruction at `pc` is about to meet, if the function is observed.
    pub fn observe(&self, pc: u32, met: impl FnOnce() -> Met) {
        if let Stage::Observed(left @ 1..) = &mut *self.stage.borrow_mut() {
            *left -= 1;
            self.feedback.borrow_mut().meet(pc, met());
        }
    }

    /// Takes its native code out of use and puts it in another stage.
    fn take_native(&self, stage: Stage) -> Option<Native> {
        self.entry.set(0);
        match self.stage.replace(stage) {
            Stage::Native(native) => Some(native),
            _ => None,
        }
    }
}

/// How far a function got.
#[derive(Debug)]
pub enum Stage {
    /// Nobody tried.
    Interpreted,
    /// It is interpreted, and what so many more of its operations meet is noted.
    Observed(u32),
    /// It is being compiled: the job with this number, whose code will refer to these
    /// records.
    Ordered(u64, Callees),
    /// It has native code.
    Native(Native),
    /// Its native code had to leave the cache.
    Evicted,
    /// It cannot be compiled.
    Refused,
}

/// A way into native code.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// Where the code is.
    pub target: usize,
    /// Of the entry.
    pub number: usize,
    /// Stack words that must be free behind PVAR slot 0 when instructions are counted.
    pub words: u32,
}

impl Way {
    /// True if the activation at `pvar` can go on there now.
    pub fn is_open<G: Generation>(self, machine: &Machine<'_, G>, pvar: StackOffset) -> bool {
        let is_short = machine.is_exact() && !machine.has_stack(pvar, self.words);
        !is_short && !machine.attention_wanted() && !machine.must_be_exact()
    }
}

/// The records that native code refers to; they live as long as it.
pub type Callees = Vec<Rc<Record>>;

/// The native code of a function.
#[derive(Debug)]
pub struct Native {
    /// The job it was made for.
    pub number: u64,
    /// Where it is.
    pub place: Place,
    /// Pcs and stack depths at which it can be entered.
    pub entries: Vec<(u32, u16)>,
    /// Stack words that must be free behind PVAR slot 0 when instructions are counted.
    pub stack_words: u32,
    /// What it refers to; its own record too.
    pub callees: Callees,
    /// Which of its parts belong to which instruction.
    pub parts: Parts,
    /// Code blocks that were put in it, and how often they had been compiled again.
    pub leaves: Vec<(LispPtr, u32)>,
}

/// Which parts of native code belong to which instruction of its function.
#[derive(Debug)]
pub struct Parts {
    /// The code block of the function.
    pub code: LispPtr,
    /// Bytes from the start of the native code, ascending, and the pc of the instruction
    /// whose part begins there.
    pub starts: Box<[(u32, u16)]>,
}

impl Native {
    /// The function and the pc of the instruction of which the machine instruction at
    /// `host_pc` is a part.
    fn instruction_at(&self, host_pc: usize) -> Option<(LispPtr, u16)> {
        let at = host_pc.checked_sub(self.place.address)?;
        if at >= self.place.bytes() {
            return None;
        }
        let behind = (self.parts.starts).partition_point(|&(start, _)| start as usize <= at);
        let (_, pc) = self.parts.starts.get(behind.checked_sub(1)?)?;
        Some((self.parts.code, *pc))
    }
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
    /// Native code out of use; activations of it may still be there.
    retired: RefCell<Vec<Native>>,
    /// The frame maps of all native code in the cache.
    pub maps: FrameMaps,
}

type Recent = (LispPtr, Rc<Record>);

impl Default for Records {
    fn default() -> Self {
        Self {
            map: RefCell::default(),
            recent: Box::new([const { RefCell::new(None) }; RECENT]),
            retired: RefCell::default(),
            maps: FrameMaps::default(),
        }
    }
}

impl Records {
    /// Does something with the record of the code block at `code`, if it has one.
    pub fn with_known(&self, code: LispPtr, f: impl FnOnce(&Rc<Record>)) {
        if let Some(record) = self.map.borrow().get(&code) {
            f(record);
        }
    }

    /// Does something with the record of the code block at `code`.
    #[inline]
    pub fn with<T>(&self, code: LispPtr, f: impl FnOnce(&Rc<Record>) -> T) -> T {
        let recent = &self.recent[(code.0 >> 2) as usize & (RECENT - 1)];
        if let Some((known, record)) = &*recent.borrow()
            && *known == code
        {
            return f(record);
        }
        let _account = Account::Profiles.open();
        let record = Rc::clone(
            self.map
                .borrow_mut()
                .entry(code)
                .or_insert_with(|| Rc::new(Record::new())),
        );
        recent.replace(Some((code, Rc::clone(&record))));
        f(&record)
    }

    /// Notes that an activation of the code block at `code` was given up at `pc`, by an
    /// operation or because of variables. True if its native code is out of use from
    /// now on.
    pub fn note(&self, code: LispPtr, pc: u32, met: Met) -> bool {
        let _account = Account::Profiles.open();
        let out_of_use = self.with(code, |record| record.note(pc, met));
        let is_out = out_of_use.is_some();
        self.retired.borrow_mut().extend(out_of_use);
        is_out
    }

    /// Notes that the leaf that the code block at `code` calls at `pc` had to be called. True if
    /// its native code is out of use from now on.
    pub fn miss(&self, code: LispPtr, pc: u32) -> bool {
        let leaves = self.with(code, |record| match &*record.stage.borrow() {
            Stage::Native(native) => {
                let too_often = record.feedback.borrow_mut().miss(pc);
                too_often.then(|| native.leaves.clone())
            }
            // The native code is out of use already.
            _ => None,
        });
        let Some(leaves) = leaves else {
            return false;
        };
        let version = |leaf| self.with(leaf, |record| record.feedback.borrow().version);
        let is_old = (leaves.iter()).any(|&(leaf, known)| version(leaf) != known);
        let out_of_use = self.with(code, |record| {
            if is_old {
                // What the leaf has met since then may be just that.
                record.feedback.borrow_mut().missed.remove(&pc);
            }
            record.take_native(Stage::Interpreted)
        });
        self.retired.borrow_mut().extend(out_of_use);
        true
    }

    /// The record of the code block at `code` is for another from now on; call
    /// sites that refer to it find no native code. False if there is no record.
    pub fn remove(&self, code: LispPtr) -> bool {
        let record = self.map.borrow_mut().remove(&code);
        if let Some(record) = &record {
            let native = record.take_native(Stage::Interpreted);
            record.sites.clear();
            self.retired.borrow_mut().extend(native);
        }
        for recent in &*self.recent {
            recent.borrow_mut().take_if(|(known, _)| *known == code);
        }
        record.is_some()
    }

    /// The function and the pc of the instruction of which the machine instruction at
    /// `host_pc` is a part.
    pub fn instruction_at(&self, host_pc: usize) -> Option<(LispPtr, u16)> {
        let of_record = |record: &Rc<Record>| match &*record.stage.borrow() {
            Stage::Native(native) => native.instruction_at(host_pc),
            _ => None,
        };
        let retired = self.retired.borrow();
        (self.map.borrow().values().find_map(of_record))
            .or_else(|| (retired.iter()).find_map(|native| native.instruction_at(host_pc)))
    }

    /// Native code that went out of use.
    pub fn take_retired(&self) -> Vec<Native> {
        self.retired.take()
    }
}
