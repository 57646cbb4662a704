//! Tests of the instructions, one file for each group.

use super::harness;

mod arrays;
mod binding;
mod calls;
mod compare;
mod coverage;
mod drawing;
mod eval;
mod floats;
mod free_variables;
mod hashing;
mod integers;
mod jumps;
mod lists;
mod loops;
mod memory_ops;
mod random;
mod returns;
mod stack_shuffle;
mod subrcall;
mod types;
mod values;
mod variables;
