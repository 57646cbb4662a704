//! Tests of the instructions, one file for each group. Calls, returns and jumps
//! are not here: they need more than one instruction.

use super::harness;

mod arrays;
mod compare;
mod drawing;
mod floats;
mod hashing;
mod integers;
mod lists;
mod memory_ops;
mod types;
mod values;
