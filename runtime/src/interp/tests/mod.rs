//! Tests of the instructions, one file for each group. Calls, returns and jumps
//! are not here: they need more than one instruction.

use super::harness;

mod compare;
mod floats;
mod integers;
