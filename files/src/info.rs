//! File attributes.

use rustix::fs::Stat;

use geiko_runtime::device::{FileChange, FileHost, FileInfo, Recognition};

use crate::device::{HostFiles, existing_directory};
use crate::dsk::DskName;
use crate::error::Result;
use crate::host_field::split_host;
use crate::name::{Syntax, unix_name};
use crate::passwd::Users;
use crate::paths;
use crate::time::{lisp_seconds, unix_seconds};

/// The mode bits that can be changed; the others say what the file is.
const PERMISSION_BITS: u32 = 0o7777;

/// What Lisp wants to know of a file.
pub(crate) fn file_info(stat: &Stat, users: &Users) -> FileInfo {
    FileInfo {
        length: fixp_length(stat.st_size.unsigned_abs()),
        write_date: lisp_seconds(stat.st_mtime),
        read_date: lisp_seconds(stat.st_atime),
        protection: stat.st_mode,
        author: users.name_of(stat.st_uid).map(<[u8]>::to_vec),
        inode: stat.st_ino,
    }
}

impl HostFiles {
    /// The attributes of a file; on `{DSK}` a name without version means the
    /// newest.
    ///
    /// # Errors
    ///
    /// [`NOT_FOUND`](geiko_runtime::device::FileError::NOT_FOUND), else what the
    /// host reports.
    pub fn get_file_info(&self, full_name: &[u8]) -> Result<FileInfo> {
        let path = self.existing(full_name)?;
        Ok(file_info(&self.tree.stat(&path)?, &Users::read()))
    }

    /// Changes one attribute of a file; on `{DSK}` a name without version
    /// means the newest. The access time stays.
    ///
    /// # Errors
    ///
    /// [`NOT_FOUND`](geiko_runtime::device::FileError::NOT_FOUND), else what the
    /// host reports.
    pub fn set_file_info(&self, full_name: &[u8], change: FileChange) -> Result<()> {
        let path = self.existing(full_name)?;
        match change {
            FileChange::WriteDate(date) => self
                .tree
                .set_times(&path, &paths::modified_at(unix_seconds(date))),
            FileChange::Protection(mode) => self.tree.set_mode(&path, mode & PERMISSION_BITS),
        }
    }

    /// Blocks that an ordinary user may still fill on the file system of a
    /// file's directory, at most `i32::MAX`.
    ///
    /// # Errors
    ///
    /// [`NOT_FOUND`](geiko_runtime::device::FileError::NOT_FOUND), else what the
    /// host reports.
    pub fn free_blocks(&self, full_name: &[u8]) -> Result<i32> {
        let (host, name) = split_host(full_name)?;
        let path = unix_name(name, Syntax::Unix, self.places())?;
        let dir = existing_directory(&self.tree, host, path.dir)?;
        let system = self.tree.file_system(&dir)?;
        Ok(fixp_length(system.f_bavail))
    }

    /// The host path of an existing file or directory.
    fn existing(&self, full_name: &[u8]) -> Result<Vec<u8>> {
        let (host, name) = split_host(full_name)?;
        match host {
            FileHost::Unix => Ok(unix_name(name, Syntax::Unix, self.places())?.full()),
            FileHost::Dsk => {
                let name = DskName::parse(name, self.places())?.resolved()?;
                if name.is_directory() {
                    return Ok(name.dir);
                }
                let (family, member) = name.recognise(Recognition::Old)?;
                Ok(family.path(&member.file))
            }
        }
    }
}

/// A length as a Lisp integer of 32 bits. What does not fit becomes the
/// greatest number: a wrapped one could be negative, or that of a device.
pub(crate) fn fixp_length(length: u64) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}
