//! The host calls that the devices make, over path names as bytes.
//!
//! A path here is absolute, uses `/`, and has no trailing `/` except in the
//! root itself.

use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_OMIT};

use crate::error::{FileError, Result};

/// `bytes` as a host path.
pub(crate) fn path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

/// The path of `name` in the directory `dir`.
pub(crate) fn join(dir: &[u8], name: &[u8]) -> Vec<u8> {
    let mut joined = dir.to_vec();
    if !joined.ends_with(b"/") {
        joined.push(b'/');
    }
    joined.extend_from_slice(name);
    joined
}

/// What sort of file a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Directory,
    Regular,
    /// Device, fifo, socket.
    Special,
}

impl Kind {
    pub fn of(metadata: &Metadata) -> Self {
        if metadata.is_dir() {
            Self::Directory
        } else if metadata.is_file() {
            Self::Regular
        } else {
            Self::Special
        }
    }
}

/// Which file a path leads to, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }
}

pub(crate) fn stat(file: &[u8]) -> Result<Metadata> {
    Ok(fs::metadata(path(file))?)
}

pub(crate) fn lstat(file: &[u8]) -> Result<Metadata> {
    Ok(fs::symlink_metadata(path(file))?)
}

pub(crate) fn link(existing: &[u8], new: &[u8]) -> Result<()> {
    Ok(fs::hard_link(path(existing), path(new))?)
}

pub(crate) fn unlink(file: &[u8]) -> Result<()> {
    Ok(fs::remove_file(path(file))?)
}

pub(crate) fn rmdir(dir: &[u8]) -> Result<()> {
    Ok(fs::remove_dir(path(dir))?)
}

pub(crate) fn mkdir(dir: &[u8]) -> Result<()> {
    Ok(fs::create_dir(path(dir))?)
}

pub(crate) fn rename(from: &[u8], to: &[u8]) -> Result<()> {
    Ok(fs::rename(path(from), path(to))?)
}

/// The names in a directory, without `.` and `..`, in the host's order.
pub(crate) fn entries(dir: &[u8]) -> Result<Vec<Vec<u8>>> {
    fs::read_dir(path(dir))?
        .map(|entry| Ok(entry?.file_name().into_vec()))
        .collect()
}

/// New times for a file: this modification time, the access time untouched.
pub(crate) fn modified_at(unix: i64) -> Timestamps {
    Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: Timespec {
            tv_sec: unix,
            tv_nsec: 0,
        },
    }
}

pub(crate) fn set_times(file: &[u8], times: &Timestamps) -> Result<()> {
    let set = rustix::fs::utimensat(CWD, file, times, AtFlags::empty());
    Ok(set.map_err(std::io::Error::from)?)
}

/// Turns "there is no such file" into `None`.
pub(crate) fn found<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(FileError::NOT_FOUND) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn join_at_the_root() {
        assert_eq!(join(b"/", b"tmp"), b"/tmp");
        assert_eq!(join(b"/a", b"b"), b"/a/b");
    }
}
