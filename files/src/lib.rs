//! The host file system as Medley sees it: the devices `{DSK}` and `{UNIX}`.
//!
//! Everything here is host code. It takes names in Lisp syntax as bytes,
//! works on the host's files and gives names in Lisp syntax back; it knows
//! nothing of Lisp memory. The machine's file services copy strings in and
//! out and call [`HostFiles`] through the trait [`Files`].
//!
//! The two devices share the files of the host and differ in how they read
//! names (`reference/devices.md` sections 6.1 and 6.2):
//!
//! * `{UNIX}` names are exact and have no versions;
//! * `{DSK}` names ignore case and have versions. `foo.txt;3` is the host file
//!   `foo.txt.~3~`, and `foo.txt` is a hard link to the highest version.
//!
//! Reading order: the syntax of names in `name/`, what of the host Lisp may see in
//! `tree.rs`, case-blind lookup in `resolve.rs`, versions in `dsk/`, enumeration in `list/`, then the methods
//! of [`HostFiles`]: `device.rs` (names), `open.rs`, `pages.rs`, `info.rs`.
//! [`host`] answers questions about the user and the machine.
//!
//! [`Files`]: geiko_runtime::device::Files

#![forbid(unsafe_code)]

mod chars;
mod device;
mod dsk;
mod error;
pub mod host;
mod host_field;
mod info;
mod list;
mod name;
mod open;
mod pages;
mod passwd;
mod paths;
mod resolve;
mod service;
mod slots;
mod time;
mod tree;

pub use device::HostFiles;
pub use error::{Result, WOULD_BLOCK};
pub use time::{lisp_seconds, unix_seconds};
