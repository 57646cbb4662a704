//! Host names to Lisp names.

use super::quote::{chars, name_field};
use super::version;
use geiko_runtime::device::FileHost;

/// Which dots of a Lisp name were quoted, in order.
///
/// A host name may have many dots and does not tell which of them starts the
/// extension. The Lisp name that it was found under does, so its quoted dots
/// are quoted again in the answer (Maiko `lisppathname`).
#[derive(Debug, Clone, Default)]
pub(crate) struct Dots(Vec<bool>);

impl Dots {
    /// The dots of the name field of `lisp`.
    pub fn of(lisp: &[u8]) -> Self {
        Self(
            chars(name_field(lisp))
                .filter(|char| char.byte == b'.')
                .map(|char| char.quoted)
                .collect(),
        )
    }

    fn is_quoted(&self, index: usize) -> bool {
        self.0.get(index).copied().unwrap_or(false)
    }
}

/// A directory path as Lisp writes it: `/a/b` is `<a>b>`, the root is `<`.
pub(crate) fn lisp_directory(path: &[u8]) -> Vec<u8> {
    let mut out = b"<".to_vec();
    for component in path
        .split(|&byte| byte == b'/')
        .filter(|part| !part.is_empty())
    {
        push_quoted(&mut out, component);
        out.push(b'>');
    }
    out
}

/// A file as Lisp writes it, with `;version` if there is one.
///
/// A name that has no bare dot gets one at the end, to say that it has no
/// extension.
pub(crate) fn lisp_file(dir: &[u8], stem: &[u8], version: Option<u32>, dots: &Dots) -> Vec<u8> {
    let mut out = lisp_directory(dir);
    let mut has_extension = false;
    let mut index = 0;
    for &byte in stem {
        if byte == b'.' {
            if dots.is_quoted(index) {
                out.push(b'\'');
            } else {
                has_extension = true;
            }
            out.push(byte);
            index += 1;
        } else {
            push_quoted(&mut out, &[byte]);
        }
    }
    if !has_extension {
        out.push(b'.');
    }
    push_version(&mut out, version);
    out
}

/// A directory entry as an enumeration shows it: without its directory. Files
/// of `{DSK}` end in their version, if they have one; directories end in `>`.
///
/// There is no Lisp name here to tell about dots: a final dot is quoted, and a
/// dot with something after it starts the extension (Maiko `src/dir.c`).
pub(crate) fn lisp_entry(host: FileHost, name: &[u8], is_directory: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len() + 4);
    if is_directory {
        push_quoted(&mut out, name);
        quote_final_dot(&mut out);
        out.push(b'>');
        return out;
    }
    let (stem, version) = match host {
        FileHost::Dsk => version::split_unix(name),
        FileHost::Unix => (name, None),
    };
    push_quoted(&mut out, stem);
    let has_extension = stem
        .iter()
        .position(|&byte| byte == b'.')
        .is_some_and(|dot| dot + 1 < stem.len());
    if !has_extension {
        quote_final_dot(&mut out);
        out.push(b'.');
    }
    push_version(&mut out, version);
    out
}

/// Appends `;version`.
pub(crate) fn push_version(out: &mut Vec<u8>, version: Option<u32>) {
    if let Some(version) = version {
        out.push(b';');
        out.extend_from_slice(version.to_string().as_bytes());
    }
}

/// Appends `text` with quotes before the characters that Lisp would take for
/// syntax. A `<` is syntax only right after the root.
fn push_quoted(out: &mut Vec<u8>, text: &[u8]) {
    for &byte in text {
        if matches!(byte, b'>' | b';' | b'\'') || (byte == b'<' && *out == b"<") {
            out.push(b'\'');
        }
        out.push(byte);
    }
}

fn quote_final_dot(out: &mut Vec<u8>) {
    if out.ends_with(b".") {
        out.pop();
        out.extend_from_slice(b"'.");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn directories() {
        assert_eq!(text(lisp_directory(b"/")), "<");
        assert_eq!(text(lisp_directory(b"/a.b/c'd/>")), "<a.b>c''d>'>>");
        assert_eq!(text(lisp_directory(b"/<a/<b")), "<'<a><b>");
    }

    #[test]
    fn files() {
        let plain = Dots::default();
        assert_eq!(text(lisp_file(b"/", b"foo", Some(1), &plain)), "<foo.;1");
        assert_eq!(text(lisp_file(b"/", b"<foo", None, &plain)), "<'<foo.");
        assert_eq!(
            text(lisp_file(b"/a", b"b.c.d", Some(12), &plain)),
            "<a>b.c.d;12"
        );
        assert_eq!(
            text(lisp_file(
                b"/a",
                b"b.c.d",
                Some(2),
                &Dots::of(b"a.x>b'.c.d;2")
            )),
            "<a>b'.c.d;2"
        );
        assert_eq!(
            text(lisp_file(b"/a", b"b.c", None, &Dots::of(b"b'.c"))),
            "<a>b'.c."
        );
        assert_eq!(
            text(lisp_file(b"/a", b"x;y'z", None, &plain)),
            "<a>x';y''z."
        );
    }

    #[test]
    fn entries() {
        let cases = [
            (FileHost::Dsk, "foo", false, "foo."),
            (FileHost::Dsk, "foo.~3~", false, "foo.;3"),
            (FileHost::Dsk, "foo.txt.~3~", false, "foo.txt;3"),
            (FileHost::Dsk, "foo.", false, "foo'.."),
            (FileHost::Dsk, "a.b.c", false, "a.b.c"),
            (FileHost::Dsk, ".profile", false, ".profile"),
            (FileHost::Dsk, "d.x", true, "d.x>"),
            (FileHost::Dsk, "d.", true, "d'.>"),
            (FileHost::Unix, "foo.txt.~3~", false, "foo.txt.~3~"),
            (FileHost::Unix, "a;b", false, "a';b."),
        ];
        for (host, name, is_directory, lisp) in cases {
            assert_eq!(text(lisp_entry(host, name.as_bytes(), is_directory)), lisp);
        }
    }
}
