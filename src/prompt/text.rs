//! Lisp text as far as somebody who types it must understand it: where forms end,
//! which parentheses belong together, where a symbol begins.

/// A stretch of text being scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    /// Between symbols, or in one.
    Code,
    /// `"..."`
    String,
    /// `|...|`
    Bars,
    /// `; ...`
    Line,
    /// `#| ... |#`, how deep.
    Block(u32),
}

/// What has been found in a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Structure {
    /// Byte offsets of parentheses that belong together.
    pairs: Vec<(usize, usize)>,
    /// Something is still open at the end.
    unfinished: bool,
}

impl Structure {
    /// Finds out about `text`.
    pub fn of(text: &str) -> Self {
        let mut inside = Inside::Code;
        let mut open = Vec::new();
        let mut pairs = Vec::new();
        let mut characters = text.char_indices().peekable();
        while let Some((at, character)) = characters.next() {
            let next = characters.peek().map(|&(_, next)| next);
            match (inside, character) {
                (Inside::Code, '(') => open.push(at),
                (Inside::Code, ')') => pairs.extend(open.pop().map(|from| (from, at))),
                (Inside::Code, '"') => inside = Inside::String,
                (Inside::Code, '|') => inside = Inside::Bars,
                (Inside::Code, ';') => inside = Inside::Line,
                (Inside::Code, '#') if next == Some('|') => {
                    characters.next();
                    inside = Inside::Block(1);
                }
                (Inside::Code, '#') if next == Some('\\') => {
                    characters.next();
                    characters.next();
                }
                (Inside::Code | Inside::String | Inside::Bars, '\\') => {
                    characters.next();
                }
                (Inside::String, '"') | (Inside::Bars, '|') | (Inside::Line, '\n') => {
                    inside = Inside::Code;
                }
                (Inside::Block(depth), '|') if next == Some('#') => {
                    characters.next();
                    inside = match depth {
                        1 => Inside::Code,
                        _ => Inside::Block(depth - 1),
                    };
                }
                (Inside::Block(depth), '#') if next == Some('|') => {
                    characters.next();
                    inside = Inside::Block(depth + 1);
                }
                _ => {}
            }
        }
        let unfinished = !open.is_empty() || !matches!(inside, Inside::Code | Inside::Line);
        Self { pairs, unfinished }
    }

    /// Whether more must be typed.
    pub fn is_unfinished(&self) -> bool {
        self.unfinished
    }

    /// The parenthesis that belongs to the one at byte `at`.
    pub fn partner(&self, at: usize) -> Option<usize> {
        self.pairs.iter().find_map(|&(from, to)| match at {
            _ if at == from => Some(to),
            _ if at == to => Some(from),
            _ => None,
        })
    }
}

/// Where the symbol that ends at byte `end` begins.
pub fn symbol_start(text: &str, end: usize) -> usize {
    let before = &text[..end];
    before
        .rfind(|c: char| c.is_whitespace() || "()'`,\";|#".contains(c))
        .map_or(0, |at| {
            at + before[at..].chars().next().map_or(0, char::len_utf8)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unfinished() {
        for (text, unfinished) in [
            ("", false),
            ("(+ 1 2)", false),
            ("(+ 1", true),
            ("(f \")\"", true),
            ("\"a\\\"", true),
            ("\"a\\\"\"", false),
            ("#\\(", false),
            ("(char= c #\\))", false),
            ("(a ; )", true),
            ("(a ; (\n)", false),
            ("|(|", false),
            ("|a", true),
            ("#| ( #| x |# ", true),
            ("#| ( #| x |# |# 1", false),
            (")", false),
            ("\\(", false),
            ("é ☃ (", true),
        ] {
            assert_eq!(Structure::of(text).is_unfinished(), unfinished, "{text}");
        }
    }

    #[test]
    fn parentheses_that_belong_together() {
        let structure = Structure::of("(é (b \")\"))");
        assert_eq!(structure.partner(0), Some(11));
        assert_eq!(structure.partner(10), Some(4));
        assert_eq!(structure.partner(7), None);
    }

    #[test]
    fn starts_of_symbols() {
        for (text, start) in [("(ca", 1), ("ca", 0), ("#'ca", 2), ("(é☃ ca", 7), ("(", 1)] {
            assert_eq!(symbol_start(text, text.len()), start, "{text}");
        }
    }
}
