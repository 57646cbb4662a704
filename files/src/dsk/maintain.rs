//! Keeping the plain file a link to the highest version.

use super::family::{Family, Plain};
use crate::error::Result;
use crate::name::version::with_version;
use crate::tree::Tree;

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
pub(crate) fn maintain(tree: &Tree, dir: &[u8], stem: &[u8], force: Force) -> Result<()> {
    let family = Family::gather(tree, dir, stem)?;
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
            tree.unlink(&family.path(plain))?;
            tree.link(&highest_file, &family.path(highest.stem()))
        }
        Plain::Absent => tree.link(&highest_file, &family.path(highest.stem())),
        Plain::Alone(plain) | Plain::Loose(plain) => link_as(&family, plain, highest.version + 1),
    }
}

fn link_as(family: &Family<'_>, plain: &[u8], version: u32) -> Result<()> {
    family.tree.link(
        &family.path(plain),
        &family.path(&with_version(plain, version)),
    )
}

#[cfg(test)]
mod tests {
    use super::super::family::tests::directory;
    use super::*;
    use crate::paths;

    /// The files after maintenance, sorted; those with one inode in one group.
    fn maintained(files: &[&str], force: Force) -> String {
        use std::collections::BTreeMap;

        let (_root, dir) = directory(files);
        let tree = Tree::default();
        maintain(&tree, &dir, b"foo", force).expect("maintained");
        let mut names = tree.entries(&dir).expect("entries");
        names.sort();
        let mut groups: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for name in names {
            let inode = tree.stat(&paths::join(&dir, &name)).expect("a file").st_ino;
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
