//! The program around the Medley machine: command line, session, scripts and
//! the devices of a host.

pub mod keys;
pub mod script;
