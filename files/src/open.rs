//! Opening and closing files.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;

use geiko_runtime::device::{Access, FileHost, OpenedFile, Recognition, SPECIAL_SIZE};
use rustix::fs::OFlags;

use crate::device::HostFiles;
use crate::dsk::{DskName, Force, maintain};
use crate::error::{FileError, Result};
use crate::host_field::split_host;
use crate::info::fixp_length;
use crate::name::{Syntax, unix_name};
use crate::resolve::{Case, make_directory, true_directory};
use crate::sys::{self, Kind};
use crate::time::{lisp_seconds, unix_seconds};

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
                    make_directory(&path.dir, Case::Exact)?;
                }
                open_host_file(&path.full(), access, creates)?
            }
            FileHost::Dsk => {
                let name = DskName::parse(name, self.places())?;
                open_version(name, recognition, access, creates)?
            }
        };
        let metadata = file.metadata()?;
        let kind = Kind::of(&metadata);
        let descriptor = self
            .open
            .insert(OpenFile { file, kind })
            .map_err(|_| FileError::TOO_MANY_OPEN)?;
        Ok(OpenedFile {
            descriptor,
            write_date: lisp_seconds(modification_time(&metadata)),
            size: match kind {
                Kind::Special => SPECIAL_SIZE,
                Kind::Regular | Kind::Directory => fixp_length(metadata.len()),
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
            rustix::fs::futimens(&file, &sys::modified_at(unix_seconds(date)))
                .map_err(std::io::Error::from)?;
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
    name: DskName,
    recognition: Recognition,
    access: Access,
    creates: bool,
) -> Result<File> {
    if name.is_directory() {
        return Err(FileError::NOT_FOUND);
    }
    let dir = if creates {
        make_directory(&name.dir, Case::Ignored)?
    } else {
        true_directory(&name.dir)?
    };
    let name = DskName { dir, ..name };
    let (family, member) = name.recognise(recognition)?;
    let path = family.path(&member.file);
    match sys::stat(&path) {
        Ok(metadata) if !metadata.is_file() => return Err(FileError::NOT_REGULAR),
        Ok(_) => {}
        // The versions must be right before there is one more: a plain file
        // that is alone would otherwise become the highest.
        Err(FileError::NOT_FOUND) if creates => maintain(&name.dir, &name.stem, Force::LinkAlone)?,
        Err(error) => return Err(error),
    }
    let file = open_host_file(&path, access, creates)?;
    if creates {
        maintain(&name.dir, &name.stem, Force::No)?;
    }
    Ok(file)
}

/// Opens a host file without waiting for anybody.
fn open_host_file(path: &[u8], access: Access, creates: bool) -> Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = OpenOptions::new()
        .read(true)
        .write(access != Access::Input)
        .truncate(access == Access::Output)
        .create(creates)
        .mode(0o666)
        .custom_flags(flags.bits().cast_signed())
        .open(sys::path(path))?;
    Ok(file)
}

fn modification_time(metadata: &std::fs::Metadata) -> i64 {
    use std::os::unix::fs::MetadataExt;
    metadata.mtime()
}
