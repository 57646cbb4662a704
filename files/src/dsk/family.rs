//! A family of versions as it is on the disk.

use crate::error::{FileError, Result};
use crate::name::version::split_unix;
use crate::paths::{self, Identity};
use crate::tree::Tree;

/// Most members a family may have (Maiko `VERSIONARRAYMAXLENGTH`).
const MAX_MEMBERS: usize = 2000;

/// A file that has a version in its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Numbered {
    /// The whole file name, `Foo.txt.~3~`.
    pub file: Vec<u8>,
    pub version: u32,
}

impl Numbered {
    /// The name without the version, in this file's case.
    pub fn stem(&self) -> &[u8] {
        split_unix(&self.file).0
    }
}

/// How the plain file and the numbered files belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Plain {
    /// There is no plain file.
    Absent,
    /// The plain file is the whole family. It *is* version 1.
    Alone(Vec<u8>),
    /// The plain file is another name of this numbered file.
    Linked { plain: Vec<u8>, to: Numbered },
    /// The plain file is none of the numbered files: another program wrote
    /// it. It *is* the version after the highest.
    Loose(Vec<u8>),
}

/// All files of one directory whose names are equal but for case and version.
#[derive(Debug, Clone)]
pub(crate) struct Family<'t> {
    pub tree: &'t Tree,
    pub dir: Vec<u8>,
    /// The name that was asked for, in the case it was asked in.
    pub stem: Vec<u8>,
    /// Highest version first.
    pub numbered: Vec<Numbered>,
    pub plain: Plain,
}

impl<'t> Family<'t> {
    /// Reads the family of `stem` from the true directory `dir`.
    pub fn gather(tree: &'t Tree, dir: &[u8], stem: &[u8]) -> Result<Self> {
        let mut numbered = Vec::new();
        let mut plain = Vec::new();
        for file in tree.entries(dir)? {
            let (entry, version) = split_unix(&file);
            if !entry.eq_ignore_ascii_case(stem) {
                continue;
            }
            match version {
                Some(version) => numbered.push(Numbered { file, version }),
                None => plain.push(file),
            }
            if numbered.len() + plain.len() >= MAX_MEMBERS {
                return Err(FileError::TOO_MANY_VERSIONS);
            }
        }
        // Names that differ in case only: the case asked for comes first.
        let preference = |file: &[u8]| (!file.starts_with(stem), file.to_vec());
        numbered.sort_by_key(|member| (u32::MAX - member.version, preference(&member.file)));
        plain.sort_by_key(|file| preference(file));
        let plain = match plain.into_iter().next() {
            None => Plain::Absent,
            Some(plain) if numbered.is_empty() => Plain::Alone(plain),
            Some(plain) => link_of(tree, dir, plain, &numbered)?,
        };
        Ok(Self {
            tree,
            dir: dir.to_vec(),
            stem: stem.to_vec(),
            numbered,
            plain,
        })
    }

    pub fn is_empty(&self) -> bool {
        self.numbered.is_empty() && self.plain == Plain::Absent
    }

    pub fn highest(&self) -> Option<&Numbered> {
        self.numbered.first()
    }

    /// The path of a file of this family's directory.
    pub fn path(&self, file: &[u8]) -> Vec<u8> {
        paths::join(&self.dir, file)
    }
}

/// Finds the numbered file that `plain` is a link to.
fn link_of(tree: &Tree, dir: &[u8], plain: Vec<u8>, numbered: &[Numbered]) -> Result<Plain> {
    let stat = tree.stat(&paths::join(dir, &plain))?;
    if stat.st_nlink == 1 {
        return Ok(Plain::Loose(plain));
    }
    let identity = Identity::of(&stat);
    for member in numbered {
        if Identity::of(&tree.stat(&paths::join(dir, &member.file))?) == identity {
            let to = member.clone();
            return Ok(Plain::Linked { plain, to });
        }
    }
    Ok(Plain::Loose(plain))
}

#[cfg(test)]
pub(super) mod tests {
    use std::fs;
    use std::os::unix::ffi::OsStrExt;

    use tempfile::TempDir;

    use super::*;

    /// A directory with these files; `a=b` makes `a` a link to `b`.
    pub fn directory(files: &[&str]) -> (TempDir, Vec<u8>) {
        let root = tempfile::tempdir().expect("a temporary directory");
        for file in files {
            match file.split_once('=') {
                Some((new, old)) => {
                    fs::hard_link(root.path().join(old), root.path().join(new)).expect("a link");
                }
                None => fs::write(root.path().join(file), file).expect("a file"),
            }
        }
        let dir = root.path().as_os_str().as_bytes().to_vec();
        (root, dir)
    }

    fn state(files: &[&str]) -> (Vec<u32>, Plain) {
        let (_root, dir) = directory(files);
        let tree = Tree::default();
        let family = Family::gather(&tree, &dir, b"foo.txt").expect("a family");
        let versions = family.numbered.iter().map(|member| member.version);
        (versions.collect(), family.plain)
    }

    #[test]
    fn states() {
        assert_eq!(state(&["bar"]), (vec![], Plain::Absent));
        assert_eq!(
            state(&["FOO.txt", "foo.txt2", "foo.txt.~a~"]),
            (vec![], Plain::Alone(b"FOO.txt".to_vec()))
        );
        assert_eq!(
            state(&["foo.txt.~2~", "Foo.txt.~10~"]),
            (vec![10, 2], Plain::Absent)
        );
        assert_eq!(
            state(&["foo.txt.~2~", "foo.txt"]),
            (vec![2], Plain::Loose(b"foo.txt".to_vec()))
        );
        assert_eq!(
            state(&["foo.txt.~2~", "foo.txt.~1~", "foo.txt=foo.txt.~1~"]),
            (
                vec![2, 1],
                Plain::Linked {
                    plain: b"foo.txt".to_vec(),
                    to: Numbered {
                        file: b"foo.txt.~1~".to_vec(),
                        version: 1
                    }
                }
            )
        );
        // A link to a file elsewhere is no link within the family.
        assert_eq!(
            state(&["foo.txt.~2~", "other", "foo.txt=other"]),
            (vec![2], Plain::Loose(b"foo.txt".to_vec()))
        );
    }

    #[test]
    fn the_case_asked_for_is_preferred() {
        assert_eq!(
            state(&["FOO.txt", "foo.txt", "Foo.txt"]).1,
            Plain::Alone(b"foo.txt".to_vec())
        );
    }
}
