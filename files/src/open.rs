//! Opening and closing files.

use std::fs::File;

use geiko_runtime::device::{Access, FileHost, OpenedFile, Recognition, SPECIAL_SIZE};
use rustix::fs::OFlags;

use crate::device::HostFiles;
use crate::dsk::{DskName, Force, maintain};
use crate::error::{FileError, Result, host_error};
use crate::host_field::split_host;
use crate::info::fixp_length;
use crate::name::{Syntax, unix_name};
use crate::paths::{self, Kind};
use crate::resolve::{Case, make_directory, true_directory};
use crate::time::{lisp_seconds, unix_seconds};
use crate::tree::Tree;

/// An entry of the table of open files.
#[derive(Debug)]
pub(crate) struct OpenFile {
    pub file: File,
    pub kind: Kind,
}

impl HostFiles {
    /// Opens a file (`reference/devices.md` section 6.3).
    ///
    /// On `{DSK}` the name is recognised once more, in the same way as when
    /// Lisp got it from GETFILENAME; only regular files open. A file that may
    /// be made has its directories made, and on `{DSK}` its family's plain
    /// link put right before and after.
    ///
    /// Nothing here waits: a fifo opens at once, with or without a writer.
    ///
    /// # Errors
    ///
    /// [`FileError::NOT_FOUND`], [`FileError::NOT_REGULAR`], else what the
    /// host reports.
    pub fn open(
        &mut self,
        full_name: &[u8],
        recognition: Recognition,
        access: Access,
    ) -> Result<OpenedFile> {
        let (host, name) = split_host(full_name)?;
        let creates = creates(recognition, access)?;
        let file = match host {
            FileHost::Unix => {
                let path = unix_name(name, Syntax::Unix, self.places())?;
                if creates {
                    make_directory(&self.tree, &path.dir, Case::Exact)?;
                }
                open_host_file(&self.tree, &path.full(), access, creates)?
            }
            FileHost::Dsk => {
                let name = DskName::parse(name, self.places())?;
                open_version(name, recognition, access, creates)?
            }
        };
        let stat = rustix::fs::fstat(&file).map_err(host_error)?;
        let kind = Kind::of(&stat);
        let descriptor = self
            .open
            .insert(OpenFile { file, kind })
            .map_err(|_| FileError::TOO_MANY_OPEN)?;
        Ok(OpenedFile {
            descriptor,
            write_date: lisp_seconds(stat.st_mtime),
            size: match kind {
                Kind::Special => SPECIAL_SIZE,
                Kind::Regular | Kind::Directory => fixp_length(stat.st_size.unsigned_abs()),
            },
        })
    }

    /// Closes a file. A creation date that is not 0 becomes the file's
    /// modification time; its access time stays.
    ///
    /// The descriptor is free afterwards even if there is an error.
    ///
    /// # Errors
    ///
    /// [`FileError::BAD_DESCRIPTOR`], or what the host reports about the date.
    pub fn close(&mut self, descriptor: u16, creation_date: Option<i32>) -> Result<()> {
        let OpenFile { file, .. } = self
            .open
            .remove(descriptor)
            .ok_or(FileError::BAD_DESCRIPTOR)?;
        if let Some(date) = creation_date.filter(|&date| date != 0) {
            self.tree.writable()?;
            rustix::fs::futimens(&file, &paths::modified_at(unix_seconds(date)))
                .map_err(host_error)?;
        }
        Ok(())
    }
}

/// Whether an open may make the file; an error for the combinations that can
/// never open one.
const fn creates(recognition: Recognition, access: Access) -> Result<bool> {
    match (recognition, access) {
        (Recognition::Old | Recognition::Oldest, _) | (Recognition::OldNew, Access::Input) => {
            Ok(false)
        }
        (Recognition::New, Access::Input) | (Recognition::Non, _) => Err(FileError::NOT_FOUND),
        (Recognition::New | Recognition::OldNew, _) => Ok(true),
    }
}

fn open_version(
    name: DskName<'_>,
    recognition: Recognition,
    access: Access,
    creates: bool,
) -> Result<File> {
    if name.is_directory() {
        return Err(FileError::NOT_FOUND);
    }
    let dir = if creates {
        make_directory(name.tree, &name.dir, Case::Ignored)?
    } else {
        true_directory(name.tree, &name.dir)?
    };
    let name = DskName { dir, ..name };
    let (family, member) = name.recognise(recognition)?;
    let path = family.path(&member.file);
    match name.tree.stat(&path) {
        Ok(stat) if Kind::of(&stat) != Kind::Regular => return Err(FileError::NOT_REGULAR),
        Ok(_) => {}
        // The versions must be right before there is one more: a plain file
        // that is alone would otherwise become the highest.
        Err(FileError::NOT_FOUND) if creates => {
            maintain(name.tree, &name.dir, &name.stem, Force::LinkAlone)?
        }
        Err(error) => return Err(error),
    }
    let file = open_host_file(name.tree, &path, access, creates)?;
    if creates {
        maintain(name.tree, &name.dir, &name.stem, Force::No)?;
    }
    Ok(file)
}

/// Opens a host file without waiting for anybody.
fn open_host_file(tree: &Tree, path: &[u8], access: Access, creates: bool) -> Result<File> {
    let mut flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    flags |= match access {
        Access::Input => OFlags::RDONLY,
        _ => OFlags::RDWR,
    };
    flags.set(OFlags::TRUNC, access == Access::Output);
    flags.set(OFlags::CREATE, creates);
    tree.open(path, flags)
}
