//! Enumeration: the files that match a pattern (`reference/devices.md` section 6.4).
//!
//! Lisp asks for a list, then for one file after the other, then says that it
//! is done. [`pattern`] reads the pattern, [`trim`] picks the versions of each
//! family that it means.

mod pattern;
mod trim;

use std::cmp::Reverse;

use geiko_runtime::device::{FileHost, Generated, ListedFile};

use crate::device::{HostFiles, existing_directory};
use crate::error::{FileError, Result};
use crate::host_field::split_host;
use crate::info::file_info;
use crate::name::version::split_unix;
use crate::name::{Syntax, lisp_entry, unix_name};
use crate::passwd::Users;
use crate::paths::{self, Identity, Kind};
use crate::tree::Tree;
use pattern::Pattern;

/// A list that Lisp is going through.
pub(crate) type Listing = std::vec::IntoIter<ListedFile>;

/// A directory entry that matches a pattern.
#[derive(Debug, Clone)]
struct Candidate {
    listed: ListedFile,
    is_directory: bool,
    /// The name in lower case without version: what a family has in common.
    family: Vec<u8>,
    /// 0 for the plain file.
    version: u32,
    identity: Identity,
}

impl HostFiles {
    /// Makes the list of the files that match a pattern, with their attributes
    /// if `with_info`. `None` if there are none.
    ///
    /// # Errors
    ///
    /// [`FileError::NOT_FOUND`] if there is no such directory; else what the
    /// host reports.
    pub fn generate(&mut self, full_pattern: &[u8], with_info: bool) -> Result<Option<Generated>> {
        let (host, lisp) = split_host(full_pattern)?;
        let name = unix_name(lisp, Syntax::Pattern, self.places())?;
        let dir = existing_directory(&self.tree, host, name.dir)?;
        let pattern = Pattern::new(host, &name.file, lisp);

        let mut candidates = candidates(&self.tree, host, &dir, &pattern, with_info)?;
        match host {
            FileHost::Dsk => {
                candidates.sort_by(|a, b| dsk_order(a).cmp(&dsk_order(b)));
                candidates = trim::trim(candidates, pattern.versions);
            }
            FileHost::Unix => candidates.sort_by(|a, b| a.listed.name.cmp(&b.listed.name)),
        }
        if candidates.is_empty() {
            return Ok(None);
        }
        let count = candidates.len();
        let files: Vec<ListedFile> = candidates.into_iter().map(|file| file.listed).collect();
        let id = self
            .listings
            .insert(files.into_iter())
            .map_err(|_| FileError::TOO_MANY_OPEN)?;
        Ok(Some(Generated { id, count }))
    }

    /// The next file of a list; `None` after the last one and for a list that
    /// there is not.
    pub fn next_file(&mut self, id: u16) -> Option<ListedFile> {
        self.listings.get_mut(id)?.next()
    }

    /// Forgets a list; false if there is none with this number.
    pub fn finish(&mut self, id: u16) -> bool {
        self.listings.remove(id).is_some()
    }
}

/// Names in order, case ignored; in a family the directory, then the plain
/// file, then the highest version first.
fn dsk_order(file: &Candidate) -> (&[u8], bool, bool, Reverse<u32>, &[u8]) {
    (
        &file.family,
        !file.is_directory,
        file.version != 0,
        Reverse(file.version),
        &file.listed.name,
    )
}

fn candidates(
    tree: &Tree,
    host: FileHost,
    dir: &[u8],
    pattern: &Pattern,
    with_info: bool,
) -> Result<Vec<Candidate>> {
    let users = if with_info {
        Users::read()
    } else {
        Users::default()
    };
    let mut found = Vec::new();
    for file in tree.entries(dir)? {
        if !pattern.matches(&file) {
            continue;
        }
        let path = paths::join(dir, &file);
        // A link that leads nowhere is shown as what it is itself; an entry
        // that has gone in the meantime is not shown.
        let stat = match tree.stat(&path) {
            Ok(stat) => stat,
            Err(_) => match paths::found(tree.lstat(&path))? {
                Some(stat) => stat,
                None => continue,
            },
        };
        let is_directory = Kind::of(&stat) == Kind::Directory;
        let (stem, version) = split_unix(&file);
        found.push(Candidate {
            listed: ListedFile {
                name: lisp_entry(host, &file, is_directory),
                info: with_info.then(|| file_info(&stat, &users)),
            },
            is_directory,
            family: stem.to_ascii_lowercase(),
            version: version.unwrap_or(0),
            identity: Identity::of(&stat),
        });
    }
    Ok(found)
}
