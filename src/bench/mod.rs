//! Measuring: the benchmark programs of the built-in Lisp, in any image that has
//! them or can load them.
//!
//! A benchmark is an expression, a number of evaluations that take long enough to be
//! measured, and the value it must have (`forge/lisp/bench/driver.lisp`). Lisp ends
//! the session when it is ready and again after each measurement; the host looks at
//! the clock, says in two variables what comes next, and continues the session.

pub mod chart;
pub mod load;
pub mod measure;
pub mod programs;
pub mod report;
pub mod statistics;

pub use programs::Benchmark;
