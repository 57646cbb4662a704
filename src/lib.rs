//! The program around the Medley machine: command line, session, scripts and
//! the devices of a host.

pub mod bench;
pub mod cli;
pub mod clipboard;
pub mod config;
pub mod console;
pub mod control;
pub mod devices;
pub mod display;
pub mod embed;
pub mod error;
pub mod folders;
mod image_cache;
mod image_lock;
mod image_names;
pub mod keys;
pub mod lisp;
pub mod log;
pub mod prompt;
pub mod report;
pub mod screenshot;
pub mod script;
pub mod serve;
pub mod session;
pub mod sessions;
pub mod waker;
pub mod xccs;
