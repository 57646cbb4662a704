//! Lisp's quote character in file names: `'` takes the next character's
//! special meaning away.

/// One character of a Lisp name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Char {
    /// Where it starts in the name, its quote included.
    pub at: usize,
    pub byte: u8,
    pub quoted: bool,
}

impl Char {
    /// True if this is `byte` with its special meaning.
    pub const fn is_bare(self, byte: u8) -> bool {
        self.byte == byte && !self.quoted
    }
}

/// The characters of a Lisp name. A quote at the very end quotes nothing and
/// is dropped.
pub(super) fn chars(name: &[u8]) -> impl Iterator<Item = Char> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at;
        let mut byte = *name.get(at)?;
        let quoted = byte == b'\'';
        at += 1;
        if quoted {
            byte = *name.get(at)?;
            at += 1;
        }
        Some(Char {
            at: start,
            byte,
            quoted,
        })
    })
}

/// `name` without its quotes.
pub(super) fn unquoted(name: &[u8]) -> Vec<u8> {
    chars(name).map(|char| char.byte).collect()
}

/// True if the last character of `name` is `byte` with its special meaning.
pub(crate) fn ends_with_bare(name: &[u8], byte: u8) -> bool {
    chars(name).last().is_some_and(|char| char.is_bare(byte))
}

/// True if the character separates directories. The device gets `>` from
/// Lisp; `<` at the start and `/` are also taken.
pub(super) const fn is_separator(char: Char) -> bool {
    char.is_bare(b'>') || char.is_bare(b'/')
}

/// The part of a Lisp name after its directories.
pub(super) fn name_field(name: &[u8]) -> &[u8] {
    let start = chars(name)
        .filter(|&char| is_separator(char) || (char.at == 0 && char.is_bare(b'<')))
        .last()
        .map_or(0, |char| char.at + 1);
    &name[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes() {
        assert_eq!(unquoted(b"a'.b''c'"), b"a.b'c");
        assert!(ends_with_bare(b"foo.", b'.'));
        assert!(ends_with_bare(b"foo''.", b'.'));
        assert!(!ends_with_bare(b"foo'.", b'.'));
        assert!(!ends_with_bare(b"", b'.'));
    }

    #[test]
    fn name_fields() {
        assert_eq!(name_field(b"a>b>c.d;1"), b"c.d;1");
        assert_eq!(name_field(b"a>b'>c"), b"b'>c");
        assert_eq!(name_field(b"<c.d"), b"c.d");
        assert_eq!(name_field(b"c"), b"c");
        assert_eq!(name_field(b"a>"), b"");
    }
}
