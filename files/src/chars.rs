//! Raw character devices: the subrs CHAR-OPENFILE, CHAR-BIN and their kin.
//!
//! Names are host names as they are. Nothing waits: what cannot be done now
//! is [`WOULD_BLOCK`], and so is the end of a file (Maiko
//! `src/chardev.c`). Descriptors are those of the other files;
//! [`HostFiles::close`] closes them.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::OFlags;

use crate::device::HostFiles;
use crate::error::{FileError, Result, WOULD_BLOCK};
use crate::open::OpenFile;
use crate::pages::retry;
use crate::sys::{self, Kind};
use geiko_runtime::device::Access;

impl HostFiles {
    /// Opens a device by its host name; gives its descriptor.
    ///
    /// # Errors
    ///
    /// What the host reports.
    pub fn char_open(&mut self, host_name: &[u8], access: Access) -> Result<u16> {
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        let mut options = OpenOptions::new();
        match access {
            Access::Input => options.read(true),
            Access::Output => options.write(true).create(true).truncate(false),
            Access::Both => options.read(true).write(true).create(true).truncate(false),
            Access::Append => options.read(true).append(true).create(true),
        };
        let file = options
            .mode(0o666)
            .custom_flags(flags.bits().cast_signed())
            .open(sys::path(host_name))?;
        let kind = Kind::of(&file.metadata()?);
        self.open
            .insert(OpenFile { file, kind })
            .map_err(|_| FileError::TOO_MANY_OPEN)
    }

    /// Reads what there is, at most a buffer full; gives the number of bytes,
    /// at least 1.
    ///
    /// # Errors
    ///
    /// [`WOULD_BLOCK`], [`FileError::BAD_DESCRIPTOR`], else what
    /// the host reports.
    pub fn char_read(&self, descriptor: u16, buffer: &mut [u8]) -> Result<usize> {
        let mut file = &self.file(descriptor)?.file;
        some(retry(|| file.read(buffer))?)
    }

    /// Writes what there is room for; gives the number of bytes, at least 1.
    ///
    /// # Errors
    ///
    /// [`WOULD_BLOCK`], [`FileError::BAD_DESCRIPTOR`], else what
    /// the host reports.
    pub fn char_write(&self, descriptor: u16, bytes: &[u8]) -> Result<usize> {
        let mut file = &self.file(descriptor)?.file;
        some(retry(|| file.write(bytes))?)
    }
}

const fn some(count: usize) -> Result<usize> {
    match count {
        0 => Err(WOULD_BLOCK),
        count => Ok(count),
    }
}
