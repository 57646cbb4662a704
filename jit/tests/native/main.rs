//! Native code: what it is, what it does, and that it does what the interpreter does.

#[cfg(feature = "arm64")]
mod arm64;
mod clif;
mod exits;
mod leaves;
mod lockstep;
mod programs;
mod results;
mod spreads;
