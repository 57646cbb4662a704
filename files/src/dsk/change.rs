//! Deleting and renaming versions.

use super::family::{Family, Plain};
use super::{DskName, Force, maintain};
use crate::error::{FileError, Result};
use crate::name::version::with_version;
use crate::resolve::{Case, make_directory};
use geiko_runtime::device::Recognition;

/// Deletes a version; without a version the oldest (Maiko `DSK_deletefile`).
///
/// The plain file and the version that it is linked to go together, and the
/// plain file is made anew for the version that is now highest. A plain file
/// that is no link goes alone, and nothing is put right: it is not known
/// whether Lisp made it.
pub(crate) fn delete(name: DskName<'_>) -> Result<()> {
    let name = name.resolved()?;
    let (family, victim) = name.recognise(Recognition::Oldest)?;
    match &family.plain {
        Plain::Linked { plain, to } if victim.file == to.file => {
            family.tree.unlink(&family.path(plain))?;
            family.tree.unlink(&family.path(&to.file))?;
            maintain(family.tree, &family.dir, &family.stem, Force::No)
        }
        _ => family.tree.unlink(&family.path(&victim.file)),
    }
}

/// Renames a version to a new one; without versions, the newest becomes the
/// version after the newest (Maiko `DSK_renamefile`).
pub(crate) fn rename(from: DskName<'_>, to: DskName<'_>) -> Result<()> {
    let from = from.resolved()?;
    // Ask first, so that nothing is touched for a file that is not there.
    from.recognise(Recognition::Old)?;

    let (to, target) = make_way(to)?;
    // Making way may have given the source another name.
    let (family, source) = from.recognise(Recognition::Old)?;
    let source = family.path(&source.file);
    let maintain_source = detach(&family, &source)?;
    let renamed = from.tree.rename(&source, &target);
    // After a failure, too: links were taken away on both sides.
    let maintained = maintain(to.tree, &to.dir, &to.stem, Force::No);
    if maintain_source {
        maintain(from.tree, &from.dir, &from.stem, Force::No)?;
    }
    renamed.and(maintained)
}

/// Readies the family of `to` for one more version; gives the true name and
/// the path that the version shall have.
fn make_way(to: DskName<'_>) -> Result<(DskName<'_>, Vec<u8>)> {
    if to.is_directory() {
        return Err(FileError::NOT_FOUND);
    }
    let dir = make_directory(to.tree, &to.dir, Case::Ignored)?;
    let to = DskName { dir, ..to };
    maintain(to.tree, &to.dir, &to.stem, Force::No)?;
    let (family, target) = to.recognise(Recognition::New)?;
    match &family.plain {
        // Version 1 until now; from now on by name.
        Plain::Alone(plain) if target.file != *plain => {
            family
                .tree
                .rename(&family.path(plain), &family.path(&with_version(plain, 1)))?;
        }
        // The version is overwritten, so its other name goes.
        Plain::Linked { plain, to } if target.file == to.file => {
            family.tree.unlink(&family.path(plain))?;
        }
        _ => {}
    }
    let path = family.path(&target.file);
    Ok((to, path))
}

/// Takes the plain file away from a version that is about to leave its family;
/// says whether there was one.
fn detach(family: &Family<'_>, source: &[u8]) -> Result<bool> {
    match &family.plain {
        Plain::Linked { plain, to } if family.path(&to.file) == source => {
            family.tree.unlink(&family.path(plain))?;
            Ok(true)
        }
        _ => Ok(false),
    }
}
