//! Version fields: `;n` at the end of a Lisp name, `.~n~` at the end of a host
//! name.
//!
//! Facts from `reference/devices.md` section 6.1 and Maiko's `src/ufs.c` and `src/dsk.c`. Two of
//! its habits are not kept: a host name with a `%` has no version here (there
//! it has version 0, a relic of another system), and `.~0~` is an ordinary end
//! of a name.

use super::quote::chars;

/// The highest version number.
pub(crate) const MAX_VERSION: u32 = 999_999_999;

/// Cuts a Lisp name at its version field, the last bare `;` of the name field.
///
/// The version comes without leading zeros; a version that is empty or all
/// zeros is `None`, as is a missing one.
pub(super) fn split_lisp(name: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut semicolon = None;
    for char in chars(name) {
        if super::quote::is_separator(char) {
            semicolon = None;
        } else if char.is_bare(b';') {
            semicolon = Some(char.at);
        }
    }
    let Some(at) = semicolon else {
        return (name, None);
    };
    let digits = without_leading_zeros(&name[at + 1..]);
    (&name[..at], (!digits.is_empty()).then_some(digits))
}

/// Cuts a host name into the part before `.~n~` and the version `n`.
pub(crate) fn split_unix(name: &[u8]) -> (&[u8], Option<u32>) {
    if let Some((stem, text)) = split_unix_text(name)
        && let Some(version) = number(text)
    {
        return (stem, Some(version));
    }
    (name, None)
}

/// Cuts a host name into the part before `.~text~` and any text, which need
/// not be a number. Patterns have a `*` there.
pub(crate) fn split_unix_text(name: &[u8]) -> Option<(&[u8], &[u8])> {
    let body = name.strip_suffix(b"~")?;
    let tilde = body.iter().rposition(|&byte| byte == b'~')?;
    let stem = body[..tilde].strip_suffix(b".")?;
    Some((stem, &body[tilde + 1..]))
}

/// The host name of a version.
pub(crate) fn with_version(stem: &[u8], version: u32) -> Vec<u8> {
    with_version_text(stem, version.to_string().as_bytes())
}

/// As [`with_version`], for any text.
pub(super) fn with_version_text(stem: &[u8], version: &[u8]) -> Vec<u8> {
    [stem, b".~", version, b"~"].concat()
}

/// A version number: decimal digits with a value from 1 to [`MAX_VERSION`].
fn number(text: &[u8]) -> Option<u32> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = std::str::from_utf8(text).ok()?.parse().ok()?;
    (1..=MAX_VERSION).contains(&number).then_some(number)
}

fn without_leading_zeros(text: &[u8]) -> &[u8] {
    let zeros = text.iter().take_while(|&&byte| byte == b'0').count();
    &text[zeros..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lisp_versions() {
        let cases = [
            ("foo.txt;3", "foo.txt", Some("3")),
            ("foo.txt;003", "foo.txt", Some("3")),
            ("foo.txt;000", "foo.txt", None),
            ("foo.txt;", "foo.txt", None),
            ("foo.txt", "foo.txt", None),
            ("foo';3", "foo';3", None),
            ("foo'';3", "foo''", Some("3")),
            ("a;b>foo", "a;b>foo", None),
            ("*.*;*", "*.*", Some("*")),
        ];
        for (name, body, version) in cases {
            assert_eq!(
                split_lisp(name.as_bytes()),
                (body.as_bytes(), version.map(str::as_bytes))
            );
        }
    }

    #[test]
    fn host_versions() {
        let cases = [
            ("foo.txt.~3~", "foo.txt", Some(3)),
            ("foo.~012~", "foo", Some(12)),
            ("foo.~999999999~", "foo", Some(999_999_999)),
            ("foo.~1000000000~", "foo.~1000000000~", None),
            (
                "foo.~99999999999999999999~",
                "foo.~99999999999999999999~",
                None,
            ),
            ("foo.~0~", "foo.~0~", None),
            ("foo.~~", "foo.~~", None),
            ("foo.~a~", "foo.~a~", None),
            ("foo~3~", "foo~3~", None),
            ("foo%", "foo%", None),
            (".~3~", "", Some(3)),
            ("~", "~", None),
        ];
        for (name, stem, version) in cases {
            assert_eq!(split_unix(name.as_bytes()), (stem.as_bytes(), version));
        }
        assert_eq!(split_unix_text(b"*.~*~"), Some((&b"*"[..], &b"*"[..])));
        assert_eq!(with_version(b"foo", 7), b"foo.~7~");
    }
}
