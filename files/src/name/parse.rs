//! Lisp names to host names.

use super::quote::{chars, is_separator, unquoted};
use super::{check_length, ends_with_bare, version};
use crate::error::{FileError, Result};
use crate::passwd;
use crate::paths;
use crate::tree::Tree;

/// How a device reads a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// `{UNIX}`: a `;` is a character like any other.
    Unix,
    /// `{DSK}`: the last bare `;` starts the version.
    Dsk,
    /// A pattern of either device: a version, and a final bare `.` stays and
    /// means an empty extension.
    Pattern,
}

/// The directories that names without a root are relative to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places<'a> {
    /// The meaning of `.`: the VM's connected directory, absolute.
    pub current: &'a [u8],
    /// Where they are.
    pub tree: &'a Tree,
}

/// A host name, cut before its last component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnixName {
    /// Absolute, without a trailing `/` unless it is the root.
    pub dir: Vec<u8>,
    /// The last component, with `.~n~` if the Lisp name had a version; empty
    /// if the Lisp name is the name of a directory.
    pub file: Vec<u8>,
}

impl UnixName {
    /// The whole path.
    pub fn full(&self) -> Vec<u8> {
        if self.file.is_empty() {
            self.dir.clone()
        } else {
            paths::join(&self.dir, &self.file)
        }
    }
}

/// The host name of a Lisp name that has no host field.
///
/// The name is absolute whether or not it starts with `<`: Lisp's generic code
/// takes that character off. Only a first component `.`, `..` or `~user`
/// makes it relative (`reference/devices.md` section 6.1; Maiko `unixpathname`).
pub(crate) fn unix_name(lisp: &[u8], syntax: Syntax, places: Places<'_>) -> Result<UnixName> {
    check_length(lisp)?;
    let (body, version) = match syntax {
        Syntax::Unix => (lisp, None),
        Syntax::Dsk | Syntax::Pattern => version::split_lisp(lisp),
    };
    let mut components = components(body);
    // There is always a last component, if only an empty one.
    let mut last = components.pop().unwrap_or_default();
    if is_dots(last) || (components.is_empty() && version.is_none() && last.starts_with(b"~")) {
        components.push(std::mem::take(&mut last));
    }

    let mut dir = Directory::default();
    let mut rest = components.as_slice();
    if let Some((first, others)) = rest.split_first()
        && let Some(base) = base(first, places)?
    {
        dir.enter_path(&base);
        rest = others;
    }
    for component in rest {
        dir.enter(component)?;
    }

    let mut file = last;
    if syntax != Syntax::Pattern && ends_with_bare(last, b'.') {
        file = &last[..last.len() - 1];
    }
    let mut file = component_text(file)?;
    if let Some(version) = version
        && !file.is_empty()
    {
        file = version::with_version_text(&file, version);
    }
    Ok(UnixName {
        dir: dir.path(),
        file,
    })
}

/// The raw text between separators; one bare `<` in front is dropped.
fn components(body: &[u8]) -> Vec<&[u8]> {
    let body = body.strip_prefix(b"<").unwrap_or(body);
    let mut parts = Vec::new();
    let mut start = 0;
    for char in chars(body).filter(|&char| is_separator(char)) {
        parts.push(&body[start..char.at]);
        start = char.at + 1;
    }
    parts.push(&body[start..]);
    parts
}

fn is_dots(component: &[u8]) -> bool {
    matches!(component, b"." | b"..")
}

/// The host name of a component. Quotes can spell names that no file has and
/// that the host would read as a way through directories.
fn component_text(component: &[u8]) -> Result<Vec<u8>> {
    let text = unquoted(component);
    if is_dots(&text) || text.contains(&b'/') {
        return Err(FileError::NOT_FOUND);
    }
    Ok(text)
}

/// The directory that a first component stands for, if it is special.
fn base(first: &[u8], places: Places<'_>) -> Result<Option<Vec<u8>>> {
    match first {
        b"." => Ok(Some(places.current.to_vec())),
        b".." => {
            let mut dir = Directory::default();
            dir.enter_path(places.current);
            dir.enter(b"..")?;
            Ok(Some(dir.path()))
        }
        b"~" => home(passwd::home(), places.tree).map(Some),
        [b'~', user @ ..] => home(passwd::home_of(&unquoted(user)), places.tree).map(Some),
        _ => Ok(None),
    }
}

/// The home of a user, if there is such a user, as Lisp sees it.
fn home(home: Option<Vec<u8>>, tree: &Tree) -> Result<Vec<u8>> {
    let home = home.ok_or(FileError::NOT_FOUND)?;
    Ok(tree.directory_seen(paths::path(&home)))
}

/// An absolute directory under construction.
#[derive(Default)]
struct Directory {
    components: Vec<Vec<u8>>,
}

impl Directory {
    /// Goes down one Lisp component, or up for `..` (not above the root).
    fn enter(&mut self, component: &[u8]) -> Result<()> {
        match component {
            b"" | b"." => {}
            b".." => {
                self.components.pop();
            }
            other => self.components.push(component_text(other)?),
        }
        Ok(())
    }

    /// Goes down a host path.
    fn enter_path(&mut self, path: &[u8]) {
        self.components.extend(
            path.split(|&byte| byte == b'/')
                .filter(|part| !part.is_empty())
                .map(<[u8]>::to_vec),
        );
    }

    fn path(&self) -> Vec<u8> {
        if self.components.is_empty() {
            return b"/".to_vec();
        }
        self.components
            .iter()
            .flat_map(|component| std::iter::once(&b'/').chain(component))
            .copied()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(lisp: &str, syntax: Syntax) -> String {
        let places = Places {
            current: b"/home/me",
            tree: &Tree::default(),
        };
        let name = unix_name(lisp.as_bytes(), syntax, places).expect("a name");
        format!(
            "{} + {}",
            String::from_utf8_lossy(&name.dir),
            String::from_utf8_lossy(&name.file)
        )
    }

    #[test]
    fn dsk_names() {
        let cases = [
            ("<", "/ + "),
            ("", "/ + "),
            ("foo", "/ + foo"),
            ("<foo", "/ + foo"),
            ("usr>local>foo.txt;3", "/usr/local + foo.txt.~3~"),
            ("<usr>local>", "/usr/local + "),
            ("usr>foo.;3", "/usr + foo.~3~"),
            ("usr>foo.", "/usr + foo"),
            ("usr>foo'.", "/usr + foo."),
            ("usr>foo'..", "/usr + foo."),
            ("usr>'<a'>';.x;0", "/usr + <a>;.x"),
            ("usr>foo.txt;", "/usr + foo.txt"),
            ("usr>a>..>.>b", "/usr + b"),
            ("..>..>..>..>b", "/ + b"),
            (".>b", "/home/me + b"),
            (".", "/home/me + "),
            ("..", "/home + "),
            ("..>b;2", "/home + b.~2~"),
            ("a>..", "/ + "),
            ("a>..;3", "/ + "),
            ("a>b>;3", "/a/b + "),
            ("a>..b.c", "/a + ..b.c"),
            ("a>~", "/a + ~"),
            ("a>foo.txt.~4~", "/a + foo.txt.~4~"),
        ];
        for (lisp, unix) in cases {
            assert_eq!(parse(lisp, Syntax::Dsk), unix, "{lisp}");
        }
    }

    #[test]
    fn unix_names_and_patterns() {
        assert_eq!(parse("a>foo.txt;3", Syntax::Unix), "/a + foo.txt;3");
        assert_eq!(parse("a>foo.", Syntax::Unix), "/a + foo");
        assert_eq!(parse("a>*.*;*", Syntax::Pattern), "/a + *.*.~*~");
        assert_eq!(parse("a>*.;", Syntax::Pattern), "/a + *.");
        assert_eq!(parse("~>.;*", Syntax::Pattern), {
            let home = passwd::home().expect("a home directory");
            format!("{} + ", String::from_utf8_lossy(&home))
        });
    }

    #[test]
    fn names_that_no_file_has() {
        for lisp in ["a>'.>b", "a>'.'.", "a>...", "a>b'/..'/c", "a>.'.>b"] {
            let places = Places {
                current: b"/",
                tree: &Tree::default(),
            };
            assert_eq!(
                unix_name(lisp.as_bytes(), Syntax::Dsk, places),
                Err(FileError::NOT_FOUND),
                "{lisp}"
            );
        }
    }

    #[test]
    fn homes() {
        let home = String::from_utf8(passwd::home().expect("a home directory")).expect("UTF-8");
        assert_eq!(parse("~", Syntax::Dsk), format!("{home} + "));
        assert_eq!(parse("~>", Syntax::Dsk), format!("{home} + "));
        assert_eq!(parse("<~>b.c", Syntax::Unix), format!("{home} + b.c"));
        assert_eq!(
            unix_name(
                b"~nobody-has-this-name>x",
                Syntax::Dsk,
                Places {
                    current: b"/",
                    tree: &Tree::default()
                }
            ),
            Err(FileError::NOT_FOUND)
        );
    }
}
