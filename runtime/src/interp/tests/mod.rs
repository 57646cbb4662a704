//! Tests of the instructions, one file for each group.

use super::harness;

mod arrays;
mod binding;
mod calls;
mod compare;
mod drawing;
mod floats;
mod hashing;
mod integers;
mod jumps;
mod lists;
mod memory_ops;
mod stack_shuffle;
mod types;
mod values;
mod variables;
