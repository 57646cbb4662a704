//! The audit: is what an image says about itself true?
//!
//! Reference counts are exact by convention: an object without an entry in the
//! count table has one counted reference, every other number is in the table
//! (`reference/garbage-collector.md` section 1). So a walk over everything that
//! can hold a counted reference must arrive at the same numbers. The audit does
//! that walk, compares, and names the known causes of differences; it also checks
//! what allocation depends on: free lists, cons pages, array blocks and their
//! rings, and the count table itself.
//!
//! It only reads memory, and every loop is bounded, so it can be run on any
//! image, sound or not.

mod arrays;
mod conses;
mod counts;
mod graph;
mod recount;
mod references;
mod report;

pub use arrays::ArraySpace;
pub(crate) use arrays::{
    BlockKind, block_at as array_block, check as check_arrays, regions as array_regions,
    walk as walk_arrays,
};
pub use conses::ConsPages;
pub(crate) use conses::{ConsCell, decode as decode_cons, decode_page, decode_page_of};
pub use counts::CountTable;
pub(crate) use counts::read as read_counts;
pub use graph::Graph;
pub use recount::{Cause, Difference, Recount};
pub(crate) use references::object_offsets;
pub use report::Audit;
