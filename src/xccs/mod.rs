//! Characters of Lisp, which are those of the Xerox Character Code Standard, and
//! Unicode.

use std::collections::HashMap;
use std::sync::OnceLock;

use geiko_runtime::subr::Characters;

/// The characters beyond ASCII.
const TABLE: &str = include_str!("table.txt");

/// The characters in names of files of Medley.
pub const CHARACTERS: Characters = Characters { code, character };

/// The code with which Lisp ends lines.
const END_OF_LINE: u16 = 13;

/// The code of a character, if the standard has it.
pub fn code(character: char) -> Option<u16> {
    match character {
        '\n' => Some(END_OF_LINE),
        '\u{A0}' => Some(b' '.into()),
        '\0'..='\x7F' => Some(character as u16),
        _ => table().codes.get(&character).copied(),
    }
}

/// The character with this code, if Unicode has it.
pub fn character(code: u16) -> Option<char> {
    match code {
        END_OF_LINE => Some('\n'),
        ..=0x7F => char::from_u32(code.into()),
        _ => table().characters.get(&code).copied(),
    }
}

struct Table {
    codes: HashMap<char, u16>,
    characters: HashMap<u16, char>,
}

fn table() -> &'static Table {
    static ONCE: OnceLock<Table> = OnceLock::new();
    ONCE.get_or_init(|| {
        let mut codes = HashMap::new();
        let mut characters = HashMap::new();
        for (code, character) in entries() {
            codes.entry(character).or_insert(code);
            characters.insert(code, character);
        }
        Table { codes, characters }
    })
}

/// The entries of the table, in its order.
fn entries() -> impl Iterator<Item = (u16, char)> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines.flat_map(|line| {
        let (first, characters) = line.split_once(' ').unwrap_or_default();
        let first = u16::from_str_radix(first, 16).unwrap_or_default();
        (first..)
            .zip(characters.chars())
            .filter(|(_, character)| *character != ' ')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        let mut before = 0;
        let mut count = 0;
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            let (first, characters) = line.split_once(' ').unwrap();
            assert_eq!(first.len(), 4, "{line}");
            assert!(u16::from_str_radix(first, 16).unwrap() > 0x7F, "{line}");
            assert!(characters.chars().all(|c| c == ' ' || c > '\x7F'), "{line}");
        }
        for (code, character) in entries() {
            assert_ne!(code & 0xFF, 0xFF, "{character}");
            count += usize::from(code != before);
            before = code;
        }
        assert_eq!(table().characters.len(), count);
    }

    #[test]
    fn characters_of_european_languages_and_back() {
        let text = "äöüÄÖÜß éèàçÇœ ñ¿¡ åÅøØ łŁ ЖжЯ ΩβγΣ «»“”";
        for character in text.chars() {
            let code = code(character).unwrap_or_else(|| panic!("no {character}"));
            assert_eq!(super::character(code), Some(character), "{character}");
        }
        assert_eq!(code('ä'), Some(0xF1A7));
        assert_eq!(code('β'), Some(0x2662));
        assert_eq!(code('\u{1F600}'), None);
        assert_eq!(character(0xFFFF), None);
    }
}
