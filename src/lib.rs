//! The program around the Medley machine: command line, session, scripts and
//! the devices of a host.

pub mod devices;
pub mod keys;
pub mod screenshot;
pub mod script;
