//! Reading and writing open files, a page at a time.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use geiko_runtime::device::FILE_PAGE_BYTES;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::device::HostFiles;
use crate::error::{FileError, Result};
use crate::open::OpenFile;
use crate::paths::Kind;

impl HostFiles {
    /// Reads a page and fills what the file does not have with zeros; gives
    /// the number of bytes read.
    ///
    /// Devices have no pages: what there is to read is read, and if there is
    /// nothing yet the answer is [`FileError::TIMEOUT`] at once. Lisp reads
    /// devices in a loop that lets other Lisp processes run after a failure,
    /// so waiting here would only stop them.
    ///
    /// # Errors
    ///
    /// [`FileError::BAD_DESCRIPTOR`], [`FileError::TIMEOUT`], else what the
    /// host reports.
    pub fn read_page(
        &self,
        descriptor: u16,
        page: u32,
        buffer: &mut [u8; FILE_PAGE_BYTES],
    ) -> Result<usize> {
        let OpenFile { file, kind } = self.file(descriptor)?;
        let mut count = 0;
        if *kind == Kind::Special {
            if !ready(file, PollFlags::IN, Duration::ZERO)? {
                return Err(FileError::TIMEOUT);
            }
            count = retry(|| {
                let mut device = file;
                device.read(buffer)
            })?;
        } else {
            let start = offset(page);
            while count < FILE_PAGE_BYTES {
                let at = start + count as u64;
                match retry(|| file.read_at(&mut buffer[count..], at))? {
                    0 => break,
                    more => count += more,
                }
            }
        }
        buffer[count..].fill(0);
        Ok(count)
    }

    /// Writes bytes at the start of a page; to a device, just writes them.
    ///
    /// # Errors
    ///
    /// [`FileError::BAD_DESCRIPTOR`]; [`FileError::TIMEOUT`] if a device takes
    /// nothing for long; else what the host reports.
    pub fn write_page(&self, descriptor: u16, page: u32, bytes: &[u8]) -> Result<()> {
        let OpenFile { file, kind } = self.file(descriptor)?;
        if *kind == Kind::Special {
            return write_device(file, bytes, self.timeout);
        }
        // The standard library retries what is interrupted.
        Ok(file.write_all_at(bytes, offset(page))?)
    }

    /// Gives a regular file this length and waits until the host has it on
    /// disk, if that changes the length. Other files are left alone.
    ///
    /// # Errors
    ///
    /// [`FileError::BAD_DESCRIPTOR`], else what the host reports.
    pub fn truncate(&self, descriptor: u16, length: u32) -> Result<()> {
        let OpenFile { file, kind } = self.file(descriptor)?;
        let length = u64::from(length);
        if *kind == Kind::Regular && file.metadata()?.len() != length {
            file.set_len(length)?;
            file.sync_all()?;
        }
        Ok(())
    }

    pub(crate) fn file(&self, descriptor: u16) -> Result<&OpenFile> {
        self.open.get(descriptor).ok_or(FileError::BAD_DESCRIPTOR)
    }
}

fn offset(page: u32) -> u64 {
    u64::from(page) * FILE_PAGE_BYTES as u64
}

/// Repeats a call that a signal interrupts.
pub(crate) fn retry<T>(mut call: impl FnMut() -> std::io::Result<T>) -> std::io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Writes everything, waiting for room until `timeout` has passed.
fn write_device(mut file: &std::fs::File, mut bytes: &[u8], timeout: Duration) -> Result<()> {
    let deadline = Instant::now() + timeout;
    while !bytes.is_empty() {
        let left = deadline.saturating_duration_since(Instant::now());
        if !ready(file, PollFlags::OUT, left)? {
            return Err(FileError::TIMEOUT);
        }
        match file.write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Waits until the host says that the file can be read or written, or that it
/// has an error or an end to report.
pub(crate) fn ready(file: &std::fs::File, wanted: PollFlags, wait: Duration) -> Result<bool> {
    let mut files = [PollFd::new(file, wanted)];
    let wait = Timespec::try_from(wait).ok();
    let count = rustix::io::retry_on_intr(|| poll(&mut files, wait.as_ref()))
        .map_err(std::io::Error::from)?;
    Ok(count > 0)
}
