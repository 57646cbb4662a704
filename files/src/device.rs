//! [`HostFiles`] and its operations on names.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use geiko_runtime::device::{FileHost, Recognition};

use crate::dsk::{self, DskName};
use crate::error::{FileError, Result};
use crate::host_field::{split_host, without_host};
use crate::list::Listing;
use crate::name::{self, Dots, Places, Syntax, UnixName, unix_name};
use crate::open::OpenFile;
use crate::paths::Kind;
use crate::resolve::true_directory;
use crate::slots::Slots;
use crate::tree::Tree;

/// How long a write to a device waits, unless `LDEFILETIMEOUT` says otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// Descriptors that Lisp never gets: the host uses them for the standard
/// streams.
const FIRST_DESCRIPTOR: u16 = 3;

/// The file devices of one virtual machine: its connected directory, its open
/// files and its enumerations.
///
/// Names come in Lisp syntax, as bytes. *Full* names have a host field,
/// `{DSK}<dir>name.ext;1`; other names come without one (and may have one).
/// Names in answers never have a host field; Lisp adds it.
#[derive(Debug)]
pub struct HostFiles {
    pub(crate) tree: Tree,
    current: Vec<u8>,
    pub(crate) timeout: Duration,
    pub(crate) open: Slots<OpenFile>,
    pub(crate) listings: Slots<Listing>,
}

impl HostFiles {
    /// Devices with nothing open, in the process's current directory.
    ///
    /// With a `root`, Lisp sees that directory as `/` and nothing outside it; if
    /// `read_only`, Lisp changes no file.
    ///
    /// The timeout is taken from the environment variable `LDEFILETIMEOUT`
    /// (seconds), as in Maiko.
    ///
    /// # Errors
    ///
    /// The root is no directory that can be entered, or the host cannot confine names
    /// to it (Linux can since 5.6).
    pub fn new(root: Option<&Path>, read_only: bool) -> io::Result<Self> {
        let tree = Tree::new(root, read_only)?;
        let current = std::env::current_dir().unwrap_or_else(|_| "/".into());
        let current = tree.directory_seen(&current);
        let timeout = std::env::var("LDEFILETIMEOUT")
            .ok()
            .and_then(|seconds| seconds.parse().ok())
            .map_or(DEFAULT_TIMEOUT, Duration::from_secs);
        Ok(Self {
            tree,
            current,
            timeout,
            open: Slots::starting_at(FIRST_DESCRIPTOR),
            listings: Slots::starting_at(0),
        })
    }

    /// The directory that `.` means in names.
    pub(crate) fn places(&self) -> Places<'_> {
        Places {
            current: &self.current,
            tree: &self.tree,
        }
    }

    /// The user's home directory as Lisp sees it: the variable HOME, if it is set.
    #[must_use]
    pub fn home(&self) -> Option<Vec<u8>> {
        let home = std::env::var_os("HOME")?;
        Some(self.tree.directory_seen(Path::new(&home)))
    }

    /// The host path of the directory that `.` means in names.
    ///
    /// # Errors
    ///
    /// What the host reports, if it has gone.
    pub fn current_directory(&self) -> Result<PathBuf> {
        self.tree.directory_on_host(&self.current)
    }

    /// The host path of a full name, taken literally: no version, no search
    /// for another case. Images are saved under such names.
    ///
    /// # Errors
    ///
    /// [`FileError::NOT_FOUND`] if the name has no known host or an unknown
    /// `~user`.
    pub fn host_path(&self, full_name: &[u8]) -> Result<PathBuf> {
        let (_, name) = split_host(full_name)?;
        let path = unix_name(name, Syntax::Unix, self.places())?.full();
        self.tree.host_path(&path)
    }

    /// The true name of the file that `lisp_name` means under `recognition`.
    ///
    /// The answer says nothing about whether the file can be opened. `{DSK}`
    /// does not recognise directories (but see [`Recognition::Non`]).
    ///
    /// # Errors
    ///
    /// [`FileError::NOT_FOUND`] if there is no such file; else what the host
    /// reports.
    pub fn get_filename(
        &self,
        host: FileHost,
        lisp_name: &[u8],
        recognition: Recognition,
    ) -> Result<Vec<u8>> {
        let lisp_name = without_host(lisp_name);
        match host {
            FileHost::Dsk => dsk::get_filename(lisp_name, recognition, self.places()),
            FileHost::Unix => {
                let path = unix_name(lisp_name, Syntax::Unix, self.places())?;
                if matches!(recognition, Recognition::Old | Recognition::Oldest) {
                    self.tree.stat(&path.full())?;
                }
                let UnixName { dir, file } = path;
                if file.is_empty() {
                    return Ok(name::lisp_directory(&dir));
                }
                Ok(name::lisp_file(&dir, &file, None, &Dots::of(lisp_name)))
            }
        }
    }

    /// The true name of a directory, `<` first and `>` last; the root is `<`.
    ///
    /// # Errors
    ///
    /// [`FileError::NOT_FOUND`] if it is not a directory; else what the host
    /// reports.
    pub fn directory_name(&self, host: FileHost, lisp_name: &[u8]) -> Result<Vec<u8>> {
        let lisp_name = without_host(lisp_name);
        let syntax = match host {
            FileHost::Dsk => Syntax::Dsk,
            FileHost::Unix => Syntax::Unix,
        };
        let path = unix_name(lisp_name, syntax, self.places())?.full();
        let dir = existing_directory(&self.tree, host, path)?;
        Ok(name::lisp_directory(&dir))
    }

    /// Deletes a file; on `{UNIX}` also an empty directory. On `{DSK}` a name
    /// without version means the oldest version.
    ///
    /// # Errors
    ///
    /// [`FileError::NOT_FOUND`] if there is no such file; else what the host
    /// reports.
    pub fn delete(&self, host: FileHost, lisp_name: &[u8]) -> Result<()> {
        let lisp_name = without_host(lisp_name);
        match host {
            FileHost::Dsk => dsk::delete(DskName::parse(lisp_name, self.places())?),
            FileHost::Unix => {
                let path = unix_name(lisp_name, Syntax::Unix, self.places())?.full();
                if Kind::of(&self.tree.lstat(&path)?) == Kind::Directory {
                    self.tree.rmdir(&path)
                } else {
                    self.tree.unlink(&path)
                }
            }
        }
    }

    /// Renames a file within one device. On `{DSK}` the new name gets the next
    /// version unless it has one, and its directory is made if need be.
    ///
    /// # Errors
    ///
    /// [`FileError::NOT_FOUND`] if there is no such file; else what the host
    /// reports. `EXDEV` makes Lisp copy the file instead.
    pub fn rename(&self, host: FileHost, from: &[u8], to: &[u8]) -> Result<()> {
        let (from, to) = (without_host(from), without_host(to));
        match host {
            FileHost::Dsk => dsk::rename(
                DskName::parse(from, self.places())?,
                DskName::parse(to, self.places())?,
            ),
            FileHost::Unix => self.tree.rename(
                &unix_name(from, Syntax::Unix, self.places())?.full(),
                &unix_name(to, Syntax::Unix, self.places())?.full(),
            ),
        }
    }

    /// Makes a directory the meaning of `.` in names.
    ///
    /// The process's own current directory stays: it belongs to all virtual
    /// machines of the process.
    ///
    /// # Errors
    ///
    /// [`FileError::NOT_FOUND`] if it is not a directory; else what the host
    /// reports.
    pub fn change_dir(&mut self, full_name: &[u8]) -> Result<()> {
        let (host, name) = split_host(full_name)?;
        let path = unix_name(name, Syntax::Unix, self.places())?.full();
        let dir = existing_directory(&self.tree, host, path)?;
        self.tree.may_enter(&dir)?;
        self.current = dir;
        Ok(())
    }
}

/// The true path of an existing directory.
pub(crate) fn existing_directory(tree: &Tree, host: FileHost, path: Vec<u8>) -> Result<Vec<u8>> {
    match host {
        FileHost::Dsk => true_directory(tree, &path),
        FileHost::Unix if Kind::of(&tree.stat(&path)?) == Kind::Directory => Ok(path),
        FileHost::Unix => Err(FileError::NOT_FOUND),
    }
}
