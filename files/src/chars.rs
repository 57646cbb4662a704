//! Raw character devices: the subrs CHAR-OPENFILE, CHAR-BIN and their kin.
//!
//! Names are host names as they are. Nothing waits: what cannot be done now
//! is [`WOULD_BLOCK`], and so is the end of a file (Maiko
//! `src/chardev.c`). Descriptors are those of the other files;
//! [`HostFiles::close`] closes them.
//!
//! `/dev/stdin`, `/dev/stdout` and `/dev/stderr` are the program's own, with the
//! place and mode that they have: opening them anew would write over what is in a
//! file that output goes to.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::fs::OFlags;

use crate::device::HostFiles;
use crate::error::{FileError, Result, WOULD_BLOCK, host_error};
use crate::open::OpenFile;
use crate::pages::{ready, retry};
use crate::paths::Kind;
use geiko_runtime::device::Access;

/// Bytes that a pipe takes at once.
const PIPE_BYTES: usize = 512;

impl HostFiles {
    /// Opens a device by its host name; gives its descriptor.
    ///
    /// # Errors
    ///
    /// What the host reports.
    pub fn char_open(&mut self, host_name: &[u8], access: Access) -> Result<u16> {
        if let Some(file) = standard_file(host_name)? {
            return self.insert_device(file);
        }
        let flags = OFlags::NONBLOCK
            | OFlags::NOCTTY
            | match access {
                Access::Input => OFlags::RDONLY,
                Access::Output => OFlags::WRONLY | OFlags::CREATE,
                Access::Both => OFlags::RDWR | OFlags::CREATE,
                Access::Append => OFlags::RDWR | OFlags::APPEND | OFlags::CREATE,
            };
        let file = self.tree.open(host_name, flags)?;
        self.insert_device(file)
    }

    fn insert_device(&mut self, file: File) -> Result<u16> {
        let kind = Kind::of(&rustix::fs::fstat(&file).map_err(host_error)?);
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
        let OpenFile { file, kind } = self.file(descriptor)?;
        let mut file = file;
        wait_not(file, *kind, PollFlags::IN)?;
        some(retry(|| file.read(buffer))?)
    }

    /// Writes what there is room for; gives the number of bytes, at least 1.
    ///
    /// # Errors
    ///
    /// [`WOULD_BLOCK`], [`FileError::BAD_DESCRIPTOR`], else what
    /// the host reports.
    pub fn char_write(&self, descriptor: u16, bytes: &[u8]) -> Result<usize> {
        let OpenFile { file, kind } = self.file(descriptor)?;
        let mut file = file;
        wait_not(file, *kind, PollFlags::OUT)?;
        // A pipe that is ready takes so many without waiting.
        let count = bytes.len().min(PIPE_BYTES);
        some(retry(|| file.write(&bytes[..count]))?)
    }
}

/// The program's own file with this name.
fn standard_file(host_name: &[u8]) -> Result<Option<File>> {
    let stdio = match host_name {
        b"/dev/stdin" => std::io::stdin().as_fd().try_clone_to_owned(),
        b"/dev/stdout" => std::io::stdout().as_fd().try_clone_to_owned(),
        b"/dev/stderr" => std::io::stderr().as_fd().try_clone_to_owned(),
        _ => return Ok(None),
    };
    Ok(Some(stdio?.into()))
}

/// Fails if the file would make us wait.
fn wait_not(file: &File, kind: Kind, wanted: PollFlags) -> Result<()> {
    if kind == Kind::Special && !ready(file, wanted, Duration::ZERO)? {
        return Err(WOULD_BLOCK);
    }
    Ok(())
}

const fn some(count: usize) -> Result<usize> {
    match count {
        0 => Err(WOULD_BLOCK),
        count => Ok(count),
    }
}
