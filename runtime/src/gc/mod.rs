//! The collector: deferred reference counting.
//!
//! Counted are references from the heap: fields of records, list cells, pointer
//! arrays, cells of symbols, constants in code. References from the stack are
//! not counted, so an object whose count drops to zero is only noted; a
//! collection looks at the whole stack, and then frees what was noted and is not
//! there (`reference/garbage-collector.md` section 1).
//!
//! - `counts`: the table of counts and its hot operations, `add_ref` and
//!   `del_ref`; `collisions` and `big_counts`: the cases that an inline test
//!   leaves over.
//! - `scan`: a collection: stack scan, map scan, unscan.
//! - `backup`: a tracer for circles of garbage, which counts never free.
//! - `reclaim`: freeing one object and what only it kept alive; `code` and
//!   `arrays`: code blocks and array blocks.

mod arrays;
#[cfg(test)]
mod arrays_tests;
mod backup;
mod barrier;
mod big_counts;
mod code;
mod collisions;
mod counts;
#[cfg(test)]
mod counts_tests;
#[cfg(test)]
mod maiko_tests;
#[cfg(test)]
mod medley_tests;
#[cfg(test)]
mod model_tests;
mod reclaim;
mod scan;
#[cfg(test)]
mod tests;

use crate::memory::LispPtr;

pub use backup::{BackupMode, BackupTotals};

use big_counts::BigCountCache;
use reclaim::FieldCache;

/// What the collector keeps outside Lisp memory.
#[derive(Clone, Debug, Default)]
pub struct GcState {
    /// Where recently used big counts are.
    big_counts: BigCountCache,
    /// Places in the count table that have entries with the stack bit: the low
    /// halves of the objects.
    on_stack: Vec<u16>,
    /// Objects without references that wait to be freed.
    dead: Vec<LispPtr>,
    /// Freed records that are not in a free list yet.
    cleared: Vec<LispPtr>,
    /// How often these were put there before everything was freed.
    linkings: u32,
    /// Where the pointers are in the records met in this collection.
    fields: FieldCache,
    /// What native code holds besides what is on the stack, while it waits at a safepoint.
    pub(crate) held: Vec<LispPtr>,
    /// See [`Machine::set_gc_zeal`].
    zeal: bool,
    /// The backup collector, if there is one.
    backup: Option<Box<backup::Backup>>,
}
