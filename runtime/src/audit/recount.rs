//! The recount: stored counts against counts from scratch.

use std::collections::{HashMap, HashSet};

use super::conses::ConsPages;
use super::counts::CountTable;
use super::references::{self, Visitor};
use crate::layout::Generation;
use crate::layout::records::{hash_table, type_entry, types};
use crate::machine::type_entry_of;
use crate::memory::{LispPtr, Mem};
use crate::symbols::Symbols;

/// Why a stored count may differ from the references found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// A list of one list, the arguments of a function, that nothing holds: the
    /// debugging information of code that was freed without it.
    LostDebugInformation,
    /// A page buffer, which BUFFER objects hold by an uncounted field.
    PageBuffer,
    /// Debugging information of code that was copied: only one of the two code
    /// blocks that hold it is counted.
    CopiedCode,
    /// Code of a closure in the closure cache, whose reference is not counted while
    /// it is there.
    CachedClosure,
    /// More stored than found: something holds it that is not counted, or it is
    /// lost.
    TooHigh,
    /// Less stored than found: it may be freed while it is in use.
    TooLow,
}

impl Cause {
    /// One sentence for people.
    pub fn explanation(self) -> &'static str {
        match self {
            Self::LostDebugInformation => {
                "argument lists that nothing holds: debugging information of code that was freed without it"
            }
            Self::PageBuffer => "page buffers, which BUFFER objects hold by an uncounted field",
            Self::CopiedCode => {
                "debugging information that code and a copy of it hold, of which one is counted"
            }
            Self::CachedClosure => {
                "code of closures in the closure cache, whose reference is not counted there"
            }
            Self::TooHigh => {
                "counted more often than references were found: lost, or held by something uncounted"
            }
            Self::TooLow => {
                "counted less often than references were found: may be freed while in use"
            }
        }
    }

    /// True if the image is sound in spite of such differences.
    pub fn is_harmless(self) -> bool {
        self != Self::TooLow
    }
}

/// An object whose stored count is not what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The object.
    pub object: LispPtr,
    /// Its type number.
    pub type_number: u16,
    /// Stored count.
    pub stored: u32,
    /// References found.
    pub found: u32,
    /// Likely cause.
    pub cause: Cause,
}

/// The result of the recount.
#[derive(Clone, Debug, Default)]
pub struct Recount {
    /// Counted objects.
    pub objects: u32,
    /// Objects whose counts agree.
    pub agree: u32,
    /// The others, by address.
    pub differences: Vec<Difference>,
    /// Objects on free lists.
    pub free_objects: u32,
    /// References to things that are no allocated object.
    pub dangling: u32,
    /// Defects met, one sentence each.
    pub defects: Vec<String>,
}

struct Counter<'m, G: Generation> {
    mem: Mem<'m, G>,
    found: HashMap<u32, u32>,
    /// References from debugging information slots alone.
    debugging: HashMap<u32, u32>,
    objects: HashMap<u32, u16>,
    recount: Recount,
}

impl<G: Generation> Visitor for Counter<'_, G> {
    fn reference(&mut self, _holder: LispPtr, target: LispPtr) {
        if type_entry_of(self.mem, target) & type_entry::NO_REF == 0 {
            *self.found.entry(target.0).or_default() += 1;
        }
    }

    fn debugging_information(&mut self, code: LispPtr, list: LispPtr) {
        self.reference(code, list);
        *self.debugging.entry(list.0).or_default() += 1;
    }

    fn object(&mut self, object: LispPtr, number: u16) {
        self.objects.insert(object.0, number);
    }

    fn free_object(&mut self, _number: u16) {
        self.recount.free_objects += 1;
    }

    fn defect(&mut self, sentence: String) {
        self.recount.defects.push(sentence);
    }
}

/// Recounts everything.
pub(super) fn recount<G: Generation>(
    mem: Mem<'_, G>,
    symbols: &Symbols,
    table: &CountTable,
    conses: &mut ConsPages,
) -> Recount {
    let mut counter = Counter {
        mem,
        found: HashMap::new(),
        debugging: HashMap::new(),
        objects: HashMap::new(),
        recount: Recount::default(),
    };
    references::walk(mem, symbols, conses, &mut counter);
    let Counter {
        found,
        debugging,
        objects,
        mut recount,
        ..
    } = counter;
    recount.dangling = found
        .keys()
        .filter(|&target| !objects.contains_key(target))
        .count() as u32;
    let cached = cached_code(mem, symbols);
    for (&object, &type_number) in &objects {
        let object = LispPtr(object);
        if type_entry_of(mem, object) & type_entry::NO_REF != 0 {
            continue;
        }
        recount.objects += 1;
        let stored = table.count(object);
        let found = found.get(&object.0).copied().unwrap_or(0);
        if stored == found {
            recount.agree += 1;
        } else {
            let shared = debugging.get(&object.0).copied().unwrap_or(0);
            let cause = if stored < found && stored + shared > found {
                Cause::CopiedCode
            } else if stored < found && cached.contains(&object.0) {
                Cause::CachedClosure
            } else {
                cause(mem, object, type_number, stored, found)
            };
            recount.differences.push(Difference {
                object,
                type_number,
                stored,
                found,
                cause,
            });
        }
    }
    recount.differences.sort_by_key(|d| (d.cause, d.object));
    recount
}

/// Code blocks of the closures in the closure cache.
fn cached_code<G: Generation>(mem: Mem<'_, G>, symbols: &Symbols) -> HashSet<u32> {
    let table = mem.cell(symbols.closure_cache).masked::<G>();
    if table.is_nil() {
        return HashSet::new();
    }
    let base = mem.cell(table.add(hash_table::BASE)).masked::<G>();
    let last = u32::from(mem.word(table.add(hash_table::LAST_INDEX)));
    (0..=last)
        .map(|slot| mem.cell(base.add(2 * slot)).masked::<G>())
        .filter(|&value| type_entry_of(mem, value) & type_entry::NUMBER == types::COMPILED_CLOSURE)
        .map(|closure| mem.cell(closure).masked::<G>().0)
        .collect()
}

fn cause<G: Generation>(
    mem: Mem<'_, G>,
    object: LispPtr,
    number: u16,
    stored: u32,
    found: u32,
) -> Cause {
    if stored < found {
        return Cause::TooLow;
    }
    match number {
        types::VMEMPAGEP => Cause::PageBuffer,
        types::LISTP if found == 0 => match super::conses::decode(mem, object) {
            super::ConsCell::Cons { car, cdr }
                if cdr.is_nil() && (car.is_nil() || is_list(mem, car)) =>
            {
                Cause::LostDebugInformation
            }
            _ => Cause::TooHigh,
        },
        _ => Cause::TooHigh,
    }
}

fn is_list<G: Generation>(mem: Mem<'_, G>, object: LispPtr) -> bool {
    type_entry_of(mem, object) & type_entry::NUMBER == types::LISTP
}
