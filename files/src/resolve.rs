//! Finding files whatever the case of their names, and making directories.

use crate::error::{FileError, Result};
use crate::paths::{self, Kind};
use crate::tree::Tree;

/// The true path of a file or directory and its kind.
///
/// Each component is tried as it is, in lower case, in upper case, and then
/// against every name in its directory (`reference/devices.md` section 6.1, "Case"). Special files
/// are not found: `{DSK}` does not have them.
pub(crate) fn true_path(tree: &Tree, path: &[u8]) -> Result<(Vec<u8>, Kind)> {
    // All cases right, the common case, needs one question only.
    if let Some(kind) = kind_of(tree, path) {
        return Ok((path.to_vec(), kind));
    }
    let mut found = (b"/".to_vec(), Kind::Directory);
    for name in path
        .split(|&byte| byte == b'/')
        .filter(|name| !name.is_empty())
    {
        found = locate(tree, &found.0, name)?;
    }
    Ok(found)
}

/// The true path of a directory.
pub(crate) fn true_directory(tree: &Tree, path: &[u8]) -> Result<Vec<u8>> {
    match true_path(tree, path)? {
        (path, Kind::Directory) => Ok(path),
        _ => Err(FileError::NOT_FOUND),
    }
}

/// Whether directories are looked up by exact name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Exact,
    Ignored,
}

/// Makes a directory and those above it as far as they are missing; gives its
/// true path.
pub(crate) fn make_directory(tree: &Tree, path: &[u8], case: Case) -> Result<Vec<u8>> {
    let mut dir = b"/".to_vec();
    let mut exists = true;
    for name in path
        .split(|&byte| byte == b'/')
        .filter(|name| !name.is_empty())
    {
        let next = paths::join(&dir, name);
        if exists {
            let entry = match case {
                Case::Exact => kind_of(tree, &next).map(|kind| (next.clone(), kind)),
                Case::Ignored => paths::found(locate(tree, &dir, name))?,
            };
            match entry {
                Some((found, Kind::Directory)) => {
                    dir = found;
                    continue;
                }
                Some(_) => return Err(FileError::NOT_FOUND),
                None => exists = false,
            }
        }
        tree.mkdir(&next)?;
        dir = next;
    }
    Ok(dir)
}

/// One step of [`true_path`].
fn locate(tree: &Tree, dir: &[u8], name: &[u8]) -> Result<(Vec<u8>, Kind)> {
    let spellings = [
        name.to_vec(),
        name.to_ascii_lowercase(),
        name.to_ascii_uppercase(),
    ];
    for spelling in spellings {
        let path = paths::join(dir, &spelling);
        if let Some(kind) = kind_of(tree, &path) {
            return Ok((path, kind));
        }
    }
    tree.entries(dir)?
        .into_iter()
        .filter(|entry| entry.eq_ignore_ascii_case(name))
        .find_map(|entry| {
            let path = paths::join(dir, &entry);
            let kind = kind_of(tree, &path)?;
            Some((path, kind))
        })
        .ok_or(FileError::NOT_FOUND)
}

/// The kind of an existing directory or regular file.
fn kind_of(tree: &Tree, path: &[u8]) -> Option<Kind> {
    let stat = tree.stat(path).ok()?;
    Some(Kind::of(&stat)).filter(|&kind| kind != Kind::Special)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn case_is_ignored() {
        let tree = Tree::default();
        let root = tempfile::tempdir().expect("a temporary directory");
        let base = root.path().as_os_str().as_bytes();
        fs::create_dir_all(root.path().join("Sub/deep")).expect("directories");
        fs::write(root.path().join("Sub/deep/File.Txt"), "").expect("a file");

        let wanted = paths::join(base, b"Sub/deep/File.Txt");
        for name in [
            &b"Sub/deep/File.Txt"[..],
            b"SUB/DEEP/FILE.TXT",
            b"sub/Deep/file.TXT",
        ] {
            assert_eq!(
                true_path(&tree, &paths::join(base, name)),
                Ok((wanted.clone(), Kind::Regular))
            );
        }
        assert_eq!(
            true_directory(&tree, &paths::join(base, b"SUB/DEEP")),
            Ok(paths::join(base, b"Sub/deep"))
        );
        assert_eq!(
            true_directory(&tree, &paths::join(base, b"sub/deep/file.txt")),
            Err(FileError::NOT_FOUND)
        );
        assert_eq!(
            true_path(&tree, &paths::join(base, b"sub/none")),
            Err(FileError::NOT_FOUND)
        );
        assert_eq!(true_directory(&tree, b"/"), Ok(b"/".to_vec()));
    }

    #[test]
    fn directories_are_made() {
        let tree = Tree::default();
        let root = tempfile::tempdir().expect("a temporary directory");
        let base = root.path().as_os_str().as_bytes();
        fs::create_dir(root.path().join("Old")).expect("a directory");
        assert_eq!(
            make_directory(&tree, &paths::join(base, b"OLD/New/X"), Case::Ignored),
            Ok(paths::join(base, b"Old/New/X"))
        );
        assert_eq!(
            make_directory(&tree, &paths::join(base, b"OLD/New"), Case::Exact),
            Ok(paths::join(base, b"OLD/New"))
        );
        assert!(root.path().join("Old/New/X").is_dir());
        assert!(root.path().join("OLD/New").is_dir());
    }
}
