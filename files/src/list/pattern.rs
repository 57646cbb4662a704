//! Patterns with `*`.

use crate::name::ends_with_bare;
use crate::name::version::split_unix_text;
use geiko_runtime::device::FileHost;

/// Which versions of each family a pattern means (`reference/devices.md` section 6.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Versions {
    /// `;*`.
    All,
    /// `;` and nothing.
    Highest,
    /// `;n`.
    Exactly(u32),
    /// No version field: plain files only.
    Plain,
}

/// A pattern for the files of one directory.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    host: FileHost,
    name: Vec<u8>,
    extension: Vec<u8>,
    pub versions: Versions,
}

impl Pattern {
    /// The pattern `unix`, the last component of the host name of `lisp`.
    ///
    /// Both devices read a version in patterns, though `{UNIX}` files have
    /// none; there it makes no difference.
    pub fn new(host: FileHost, unix: &[u8], lisp: &[u8]) -> Self {
        let (name, version) = match split_unix_text(unix) {
            Some((name, version)) => (name, Some(version)),
            None => (unix, None),
        };
        let versions = match version {
            Some(text) => leading_number(text).map_or(Versions::All, Versions::Exactly),
            None if ends_with_bare(lisp, b';') => Versions::Highest,
            None => Versions::Plain,
        };
        let (name, extension) = split_extension(name);
        Self {
            host,
            name: fold(host, name),
            extension: fold(host, extension),
            versions,
        }
    }

    /// True if the file has this name and extension, and a version if the
    /// pattern allows one.
    pub fn matches(&self, file: &[u8]) -> bool {
        let (name, version) = match split_unix_text(file) {
            Some((name, version)) => (name, Some(version)),
            None => (file, None),
        };
        if self.host == FileHost::Dsk && self.versions == Versions::Plain && version.is_some() {
            return false;
        }
        let (name, extension) = split_extension(name);
        glob(&fold(self.host, name), &self.name)
            && glob(&fold(self.host, extension), &self.extension)
    }
}

/// Cuts at the last dot.
fn split_extension(name: &[u8]) -> (&[u8], &[u8]) {
    name.iter()
        .rposition(|&byte| byte == b'.')
        .map_or((name, b""), |dot| (&name[..dot], &name[dot + 1..]))
}

fn fold(host: FileHost, text: &[u8]) -> Vec<u8> {
    match host {
        FileHost::Dsk => text.to_ascii_lowercase(),
        FileHost::Unix => text.to_vec(),
    }
}

/// The number that a version text starts with; `None` for 0 and for no number.
fn leading_number(text: &[u8]) -> Option<u32> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = std::str::from_utf8(&text[..digits]).ok()?.parse().ok()?;
    (number > 0).then_some(number)
}

/// True if `*` in `pattern` can stand for texts that make it `text`.
fn glob(text: &[u8], pattern: &[u8]) -> bool {
    let (mut at, mut next) = (0, 0);
    // The last star, and how much of the text it stands for so far.
    let mut star: Option<(usize, usize)> = None;
    while at < text.len() {
        if pattern.get(next) == Some(&b'*') {
            star = Some((next, at));
            next += 1;
        } else if pattern.get(next) == Some(&text[at]) {
            at += 1;
            next += 1;
        } else if let Some((star_at, covered)) = star {
            star = Some((star_at, covered + 1));
            at = covered + 1;
            next = star_at + 1;
        } else {
            return false;
        }
    }
    pattern[next..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars() {
        for (text, pattern) in [
            ("", ""),
            ("", "*"),
            ("abc", "abc"),
            ("abc", "*"),
            ("abc", "a*"),
            ("abc", "*c"),
            ("aba", "*a"),
            ("abcbc", "a*bc"),
            ("xaybz", "x*y**z"),
        ] {
            assert!(
                glob(text.as_bytes(), pattern.as_bytes()),
                "{text} {pattern}"
            );
        }
        for (text, pattern) in [("a", ""), ("", "a"), ("abc", "*b"), ("ab", "a*b*c")] {
            assert!(
                !glob(text.as_bytes(), pattern.as_bytes()),
                "{text} {pattern}"
            );
        }
    }

    #[test]
    fn versions() {
        let versions = |unix: &str, lisp: &str| {
            Pattern::new(FileHost::Dsk, unix.as_bytes(), lisp.as_bytes()).versions
        };
        assert_eq!(versions("*.*.~*~", "*.*;*"), Versions::All);
        assert_eq!(versions("*.*.~12~", "*.*;12"), Versions::Exactly(12));
        assert_eq!(versions("*.*", "*.*;"), Versions::Highest);
        assert_eq!(versions("*.*", "*.*"), Versions::Plain);
        assert_eq!(versions("*.;", "*.';"), Versions::Plain);
    }

    #[test]
    fn files() {
        let matches = |host, pattern: &str, file: &str| {
            Pattern::new(host, pattern.as_bytes(), b"").matches(file.as_bytes())
        };
        use FileHost::{Dsk, Unix};
        assert!(matches(Dsk, "*.*.~*~", "foo"));
        assert!(matches(Dsk, "*.*.~*~", "foo.txt.~3~"));
        assert!(matches(Dsk, "F*.TXT.~*~", "foo.txt.~3~"));
        assert!(!matches(Dsk, "F*.TXT", "foo.txt.~3~"));
        assert!(matches(Dsk, "F*.TXT", "foo.txt"));
        assert!(!matches(Dsk, "F*..~*~", "foo.txt"));
        assert!(matches(Dsk, "F*..~*~", "foo"));
        assert!(!matches(Unix, "F*.TXT.~*~", "foo.txt"));
        assert!(matches(Unix, "f*.txt.~*~", "foo.txt.~3~"));
        assert!(matches(Unix, "f*.txt", "foo.txt.~3~"));
    }
}
