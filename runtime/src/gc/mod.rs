//! The collector: deferred reference counting.
//!
//! Counted are references from the heap: fields of records, list cells, pointer
//! arrays, cells of symbols, constants in code. References from the stack are
//! not counted, so an object whose count drops to zero is only noted; a
//! collection looks at the whole stack, and then frees what was noted and is not
//! there (`reference/garbage-collector.md` section 1).
//!
//! - [`counts`](self): the table of counts and its hot operations, `add_ref`
//!   and `del_ref`.
//! - `collisions`: the same for the cases that an inline test leaves over.
//! - `scan`: a collection: stack scan, map scan, unscan.
//! - `reclaim`: freeing one object and what only it kept alive.

mod arrays;
mod barrier;
mod big_counts;
mod collisions;
mod counts;

use big_counts::BigCountCache;

/// What the collector keeps outside Lisp memory.
#[derive(Clone, Debug, Default)]
pub struct GcState {
    /// Where recently used big counts are.
    big_counts: BigCountCache,
}
