//! Which member of a family a name means.
//!
//! | family | no version, OLD | OLDEST | NEW | a version *n* |
//! |---|---|---|---|---|
//! | empty | – | – | 1, as the plain file | *n*, new (1: as the plain file) |
//! | plain alone | plain, as 1 | plain, as 1 | 2 | 1: plain; else new |
//! | numbered, linked or no plain | highest | lowest | highest + 1 | that file, else new |
//! | numbered, plain loose | plain, as highest + 1 | lowest numbered | highest + 2 | highest + 1: plain; that file; else new |
//!
//! OLD/NEW is OLD if that finds a file, else NEW. "New" is an answer for NEW
//! and OLD/NEW only. A NEW name whose version exists means that file.
//! (`reference/devices.md` section 6.2; Maiko `get_old`, `get_oldest`, `get_new`, `get_old_new`.)

use super::family::{Family, Plain};
use crate::error::{FileError, Result};
use crate::name::version::{MAX_VERSION, with_version};
use geiko_runtime::device::Recognition;

/// A member of a family, existing or to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recognised {
    /// The file's name on the host.
    pub file: Vec<u8>,
    /// The name without version that Lisp sees.
    pub stem: Vec<u8>,
    /// The version that Lisp sees.
    pub version: u32,
}

impl Family<'_> {
    /// The member that this family's name with this version means.
    pub fn recognise(&self, recognition: Recognition, version: Option<u32>) -> Result<Recognised> {
        let existing = match (recognition, version) {
            (Recognition::Non, _) => None,
            (Recognition::New, None) => return self.fresh(self.next()?),
            (_, Some(version)) => self.member(version),
            (Recognition::Oldest, None) => self.oldest(),
            (_, None) => self.newest(),
        };
        match (existing, recognition) {
            (Some(member), _) => Ok(member),
            (None, Recognition::New | Recognition::OldNew) => {
                self.fresh(version.map_or_else(|| self.next(), Ok)?)
            }
            (None, _) => Err(FileError::NOT_FOUND),
        }
    }

    /// The plain file, if it is a version of its own.
    fn plain_member(&self) -> Option<Recognised> {
        let (plain, version) = match &self.plain {
            Plain::Absent | Plain::Linked { .. } => return None,
            Plain::Alone(plain) => (plain, 1),
            Plain::Loose(plain) => (plain, self.highest()?.version + 1),
        };
        Some(Recognised {
            file: plain.clone(),
            stem: plain.clone(),
            version,
        })
    }

    fn newest(&self) -> Option<Recognised> {
        self.plain_member()
            .or_else(|| self.numbered_member(|_| true))
    }

    fn oldest(&self) -> Option<Recognised> {
        let lowest = self.numbered.last().map(|member| member.version);
        self.numbered_member(|version| Some(version) == lowest)
            .or_else(|| self.plain_member())
    }

    fn member(&self, version: u32) -> Option<Recognised> {
        self.plain_member()
            .filter(|member| member.version == version)
            .or_else(|| self.numbered_member(|number| number == version))
    }

    fn numbered_member(&self, wanted: impl Fn(u32) -> bool) -> Option<Recognised> {
        let member = self.numbered.iter().find(|member| wanted(member.version))?;
        Some(Recognised {
            file: member.file.clone(),
            stem: member.stem().to_vec(),
            version: member.version,
        })
    }

    /// The version after the newest.
    fn next(&self) -> Result<u32> {
        let newest = self.newest().map_or(0, |member| member.version);
        if newest >= MAX_VERSION {
            return Err(FileError::TOO_MANY_VERSIONS);
        }
        Ok(newest + 1)
    }

    /// A new member. It takes the case of the highest one; the first of a
    /// family is the plain file if it is version 1.
    fn fresh(&self, version: u32) -> Result<Recognised> {
        let stem = self
            .newest()
            .map_or_else(|| self.stem.clone(), |member| member.stem);
        let file = if self.is_empty() && version == 1 {
            stem.clone()
        } else {
            with_version(&stem, version)
        };
        Ok(Recognised {
            file,
            stem,
            version,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::family::tests::directory;
    use super::*;
    use crate::tree::Tree;
    use Recognition::{New, Old, OldNew, Oldest};

    /// The answers for FOO.TXT in a directory: `file as version`, or `-`.
    fn answers(files: &[&str], asked: &[(Recognition, Option<u32>)]) -> String {
        let (_root, dir) = directory(files);
        let tree = Tree::default();
        let family = Family::gather(&tree, &dir, b"FOO").expect("a family");
        let answers = asked.iter().map(|&(recognition, version)| {
            match family.recognise(recognition, version) {
                Ok(found) => {
                    let file = String::from_utf8_lossy(&found.file).into_owned();
                    format!("{file} as {}", found.version)
                }
                Err(_) => "-".to_owned(),
            }
        });
        answers.collect::<Vec<_>>().join(", ")
    }

    const PLAIN_NAMES: [(Recognition, Option<u32>); 4] =
        [(Old, None), (Oldest, None), (New, None), (OldNew, None)];

    #[test]
    fn without_version() {
        assert_eq!(answers(&[], &PLAIN_NAMES), "-, -, FOO as 1, FOO as 1");
        assert_eq!(
            answers(&["foo"], &PLAIN_NAMES),
            "foo as 1, foo as 1, foo.~2~ as 2, foo as 1"
        );
        assert_eq!(
            answers(&["foo.~2~", "Foo.~5~"], &PLAIN_NAMES),
            "Foo.~5~ as 5, foo.~2~ as 2, Foo.~6~ as 6, Foo.~5~ as 5"
        );
        assert_eq!(
            answers(&["foo.~2~", "foo.~5~", "foo=foo.~5~"], &PLAIN_NAMES),
            "foo.~5~ as 5, foo.~2~ as 2, foo.~6~ as 6, foo.~5~ as 5"
        );
        assert_eq!(
            answers(&["foo.~2~", "foo.~5~", "foo=foo.~2~"], &PLAIN_NAMES),
            "foo.~5~ as 5, foo.~2~ as 2, foo.~6~ as 6, foo.~5~ as 5"
        );
        assert_eq!(
            answers(&["foo.~2~", "foo.~5~", "foo"], &PLAIN_NAMES),
            "foo as 6, foo.~2~ as 2, foo.~7~ as 7, foo as 6"
        );
    }

    #[test]
    fn with_version() {
        let asked =
            |version| [Old, Oldest, New, OldNew].map(|recognition| (recognition, Some(version)));
        assert_eq!(answers(&[], &asked(1)), "-, -, FOO as 1, FOO as 1");
        assert_eq!(answers(&[], &asked(3)), "-, -, FOO.~3~ as 3, FOO.~3~ as 3");
        assert_eq!(
            answers(&["foo"], &asked(1)),
            "foo as 1, foo as 1, foo as 1, foo as 1"
        );
        assert_eq!(
            answers(&["foo"], &asked(3)),
            "-, -, foo.~3~ as 3, foo.~3~ as 3"
        );
        let loose = ["foo.~2~", "foo"];
        assert_eq!(
            answers(&loose, &asked(2)),
            "foo.~2~ as 2, foo.~2~ as 2, foo.~2~ as 2, foo.~2~ as 2"
        );
        assert_eq!(
            answers(&loose, &asked(3)),
            "foo as 3, foo as 3, foo as 3, foo as 3"
        );
        assert_eq!(
            answers(&loose, &asked(4)),
            "-, -, foo.~4~ as 4, foo.~4~ as 4"
        );
    }
}
