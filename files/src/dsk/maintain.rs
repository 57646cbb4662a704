//! Keeping the plain file a link to the highest version.

use super::family::{Family, Plain};
use crate::error::Result;
use crate::name::version::with_version;
use crate::sys;

/// What happens to a plain file that is alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Force {
    /// It stays alone.
    No,
    /// It also gets the name of version 1, because another version is about
    /// to be made. Without that it would become the highest one.
    LinkAlone,
}

/// Puts the link of a family right (`reference/devices.md` section 6.2; Maiko
/// `maintain_version`). `dir` is a true directory.
///
/// | family | action |
/// |---|---|
/// | empty, or linked to the highest | nothing |
/// | plain alone | nothing, or link it as version 1 |
/// | no plain | link it to the highest |
/// | plain loose | link it as highest + 1 |
/// | linked to another | link it to the highest instead |
pub(crate) fn maintain(dir: &[u8], stem: &[u8], force: Force) -> Result<()> {
    let family = Family::gather(dir, stem)?;
    let Some(highest) = family.highest() else {
        return match &family.plain {
            Plain::Alone(plain) if force == Force::LinkAlone => link_as(&family, plain, 1),
            _ => Ok(()),
        };
    };
    let highest_file = family.path(&highest.file);
    match &family.plain {
        Plain::Linked { to, .. } if to.version == highest.version => Ok(()),
        Plain::Linked { plain, .. } => {
            sys::unlink(&family.path(plain))?;
            sys::link(&highest_file, &family.path(highest.stem()))
        }
        Plain::Absent => sys::link(&highest_file, &family.path(highest.stem())),
        Plain::Alone(plain) | Plain::Loose(plain) => link_as(&family, plain, highest.version + 1),
    }
}

fn link_as(family: &Family, plain: &[u8], version: u32) -> Result<()> {
    sys::link(
        &family.path(plain),
        &family.path(&with_version(plain, version)),
    )
}

#[cfg(test)]
mod tests {
    use super::super::family::tests::directory;
    use super::*;

    /// The files after maintenance, sorted; those with one inode in one group.
    fn maintained(files: &[&str], force: Force) -> String {
        use std::collections::BTreeMap;
        use std::os::unix::fs::MetadataExt;

        let (_root, dir) = directory(files);
        maintain(&dir, b"foo", force).expect("maintained");
        let mut names = sys::entries(&dir).expect("entries");
        names.sort();
        let mut groups: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for name in names {
            let inode = sys::stat(&sys::join(&dir, &name)).expect("a file").ino();
            let name = String::from_utf8_lossy(&name).into_owned();
            groups.entry(inode).or_default().push(name);
        }
        let mut groups: Vec<String> = groups.into_values().map(|group| group.join("=")).collect();
        groups.sort();
        groups.join(" ")
    }

    #[test]
    fn table() {
        assert_eq!(maintained(&[], Force::LinkAlone), "");
        assert_eq!(maintained(&["Foo"], Force::No), "Foo");
        assert_eq!(maintained(&["Foo"], Force::LinkAlone), "Foo=Foo.~1~");
        assert_eq!(
            maintained(&["FOO.~1~", "Foo.~2~"], Force::No),
            "FOO.~1~ Foo=Foo.~2~"
        );
        assert_eq!(
            maintained(&["foo.~4~", "foo"], Force::No),
            "foo.~4~ foo=foo.~5~"
        );
        assert_eq!(
            maintained(&["foo.~4~", "foo.~1~", "foo=foo.~1~"], Force::No),
            "foo.~1~ foo=foo.~4~"
        );
        assert_eq!(
            maintained(&["foo.~4~", "foo.~1~", "foo=foo.~4~"], Force::LinkAlone),
            "foo.~1~ foo=foo.~4~"
        );
    }
}
