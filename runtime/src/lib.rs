//! The Medley Interlisp machine.
//!
//! Start with [`memory`] (the address space), [`layout`] (where everything
//! lies), then [`machine`] and [`interp`].

pub mod accounts;
pub mod audit;
pub mod device;
pub mod display;
pub mod fault;
pub mod gc;
pub mod heap;
pub mod image;
pub mod interp;
pub mod isa;
pub mod layout;
pub mod lockstep;
pub mod machine;
pub mod memory;
pub mod stack;
pub mod subr;
pub mod symbols;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod traps;
