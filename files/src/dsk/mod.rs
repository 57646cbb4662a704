//! Versions on `{DSK}` (`reference/devices.md` section 6.2).
//!
//! All files of a directory whose names are equal but for case and version are
//! a *family*. The member without a version, the *plain* file, is kept as a
//! hard link to the highest version, so that other programs find the newest
//! text under the plain name. Other programs also replace, remove and add
//! files behind Lisp's back; the table of states in `family.rs` says how that
//! is read, and [`maintain()`] puts the link right again.

mod change;
mod family;
mod maintain;
mod recognise;

pub(crate) use change::{delete, rename};
pub(crate) use family::Family;
pub(crate) use maintain::{Force, maintain};
pub(crate) use recognise::Recognised;

use crate::error::{FileError, Result};
use crate::name::{self, Places, Syntax, UnixName, unix_name};
use crate::paths::{self, Kind};
use crate::resolve::{true_directory, true_path};
use crate::tree::Tree;
use geiko_runtime::device::Recognition;

/// A name on `{DSK}`: directory, name without version, version if given.
#[derive(Debug, Clone)]
pub(crate) struct DskName<'t> {
    pub tree: &'t Tree,
    pub dir: Vec<u8>,
    pub stem: Vec<u8>,
    pub version: Option<u32>,
}

impl<'t> DskName<'t> {
    pub fn parse(lisp: &[u8], places: Places<'t>) -> Result<Self> {
        let UnixName { dir, file } = unix_name(lisp, Syntax::Dsk, places)?;
        let (stem, version) = name::version::split_unix(&file);
        Ok(Self {
            tree: places.tree,
            dir,
            stem: stem.to_vec(),
            version,
        })
    }

    /// The same name in the true directory.
    pub fn resolved(self) -> Result<Self> {
        let dir = true_directory(self.tree, &self.dir)?;
        Ok(Self { dir, ..self })
    }

    /// True for the name of a directory.
    pub fn is_directory(&self) -> bool {
        self.stem.is_empty()
    }

    /// The path of the plain file.
    pub fn plain(&self) -> Vec<u8> {
        paths::join(&self.dir, &self.stem)
    }

    /// The family of this name, and the member that the name means in it.
    pub fn recognise(&self, recognition: Recognition) -> Result<(Family<'t>, Recognised)> {
        if self.is_directory() {
            return Err(FileError::NOT_FOUND);
        }
        let family = Family::gather(self.tree, &self.dir, &self.stem)?;
        let member = family.recognise(recognition, self.version)?;
        Ok((family, member))
    }
}

/// What GETFILENAME answers for a name on `{DSK}` (Maiko `DSK_getfilename`).
pub(crate) fn get_filename(
    lisp: &[u8],
    recognition: Recognition,
    places: Places<'_>,
) -> Result<Vec<u8>> {
    let asked = DskName::parse(lisp, places)?;
    let dots = name::Dots::of(lisp);
    let print = |dir: &[u8], stem: &[u8], version| name::lisp_file(dir, stem, version, &dots);
    match recognition {
        Recognition::Old | Recognition::Oldest => {
            let asked = asked.resolved()?;
            let (_, member) = asked.recognise(recognition)?;
            let file = paths::join(&asked.dir, &member.file);
            match true_path(asked.tree, &file)? {
                (_, Kind::Regular) => Ok(print(&asked.dir, &member.stem, Some(member.version))),
                _ => Err(FileError::NOT_FOUND),
            }
        }
        Recognition::New | Recognition::OldNew => {
            let Some(dir) = paths::found(true_directory(asked.tree, &asked.dir))? else {
                // The name as it is: opening it will make the directory.
                let version = asked.version.unwrap_or(1);
                if asked.is_directory() {
                    return Err(FileError::NOT_FOUND);
                }
                return Ok(print(&asked.dir, &asked.stem, Some(version)));
            };
            let asked = DskName { dir, ..asked };
            if is_directory(asked.tree, &asked.plain())? {
                return Err(FileError::NOT_FOUND);
            }
            let (_, member) = asked.recognise(recognition)?;
            Ok(print(&asked.dir, &member.stem, Some(member.version)))
        }
        Recognition::Non => {
            let asked = asked.resolved()?;
            match paths::found(true_path(asked.tree, &asked.plain()))? {
                Some((dir, Kind::Directory)) => Ok(name::lisp_directory(&dir)),
                _ => Ok(print(&asked.dir, &asked.stem, None)),
            }
        }
    }
}

fn is_directory(tree: &Tree, path: &[u8]) -> Result<bool> {
    let entry = paths::found(true_path(tree, path))?;
    Ok(matches!(entry, Some((_, Kind::Directory))))
}
