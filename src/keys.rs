//! The keyboard that Lisp sees: a US keyboard as the X version of Maiko maps
//! it (`reference/devices.md` sections 3.2 and 3.3). One list serves scripts
//! and every display.

/// The number of a key (`reference/devices.md` section 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key(pub u8);

/// Left shift.
pub const SHIFT: Key = Key(41);
/// Right shift.
pub const RIGHT_SHIFT: Key = Key(60);
/// Control.
pub const CONTROL: Key = Key(36);
/// Meta.
pub const META: Key = Key(31);

/// Keys that type a character: number, character, character with shift.
const CHARACTERS: [(u8, char, char); 47] = [
    (21, 'a', 'A'),
    (39, 'b', 'B'),
    (37, 'c', 'C'),
    (5, 'd', 'D'),
    (3, 'e', 'E'),
    (35, 'f', 'F'),
    (50, 'g', 'G'),
    (52, 'h', 'H'),
    (23, 'i', 'I'),
    (38, 'j', 'J'),
    (9, 'k', 'K'),
    (26, 'l', 'L'),
    (55, 'm', 'M'),
    (54, 'n', 'N'),
    (25, 'o', 'O'),
    (11, 'p', 'P'),
    (19, 'q', 'Q'),
    (48, 'r', 'R'),
    (20, 's', 'S'),
    (49, 't', 'T'),
    (6, 'u', 'U'),
    (7, 'v', 'V'),
    (18, 'w', 'W'),
    (24, 'x', 'X'),
    (51, 'y', 'Y'),
    (40, 'z', 'Z'),
    (32, '1', '!'),
    (17, '2', '@'),
    (16, '3', '#'),
    (1, '4', '$'),
    (0, '5', '%'),
    (2, '6', '^'),
    (4, '7', '&'),
    (53, '8', '*'),
    (22, '9', '('),
    (8, '0', ')'),
    (10, '-', '_'),
    (59, '=', '+'),
    (45, '`', '~'),
    (58, '[', '{'),
    (29, ']', '}'),
    (43, ';', ':'),
    (28, '\'', '"'),
    (105, '\\', '|'),
    (27, ',', '<'),
    (42, '.', '>'),
    (12, '/', '?'),
];

/// Keys by name. The first name of a key is the one that help lists.
const NAMES: [(&str, u8); 64] = [
    ("Return", 44),
    ("Enter", 44),
    ("Tab", 34),
    ("Escape", 33),
    ("Esc", 33),
    ("Space", 57),
    ("Backspace", 15),
    ("BS", 15),
    ("Delete", 46),
    ("Del", 46),
    ("Linefeed", 71),
    ("Shift", 41),
    ("RightShift", 60),
    ("Ctrl", 36),
    ("Control", 36),
    ("Meta", 31),
    ("Alt", 31),
    ("CapsLock", 56),
    ("Up", 82),
    ("Down", 69),
    ("Left", 84),
    ("Right", 87),
    ("ArrowUp", 82),
    ("ArrowDown", 69),
    ("ArrowLeft", 84),
    ("ArrowRight", 87),
    ("Home", 62),
    ("End", 90),
    ("PageUp", 63),
    ("PageDown", 47),
    ("Insert", 89),
    ("Pause", 61),
    ("PrintScreen", 92),
    ("ScrollLock", 14),
    ("F2", 99),
    ("F3", 100),
    ("F4", 67),
    ("F5", 68),
    ("F6", 101),
    ("F7", 66),
    ("F8", 104),
    ("F9", 80),
    ("F10", 106),
    ("F11", 107),
    ("F12", 108),
    ("Again", 91),
    ("Bold", 99),
    ("Case", 67),
    ("Center", 97),
    ("Copy", 89),
    ("DoIt", 76),
    ("Expand", 93),
    ("Find", 90),
    ("Help", 92),
    ("Italics", 100),
    ("Larger", 104),
    ("Margins", 80),
    ("Move", 62),
    ("Next", 47),
    ("Stop", 61),
    ("Strikeout", 68),
    ("Superscript", 66),
    ("Underline", 101),
    ("Undo", 63),
];

/// A key and whether shift is held with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stroke {
    /// The key.
    pub key: Key,
    /// Shift is held.
    pub shift: bool,
}

/// The stroke that types `character`.
pub fn stroke(character: char) -> Option<Stroke> {
    let (number, shift) = match character {
        ' ' => (57, false),
        '\n' => (44, false),
        '\t' => (34, false),
        '\x1B' => (33, false),
        '\x08' => (15, false),
        _ => CHARACTERS.iter().find_map(|&(number, plain, shifted)| {
            (plain == character || shifted == character).then_some((number, shifted == character))
        })?,
    };
    Some(Stroke {
        key: Key(number),
        shift,
    })
}

/// The key called `name`, in any case.
pub fn named(name: &str) -> Option<Key> {
    NAMES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|&(_, number)| Key(number))
}

/// Every name that [`named`] knows.
pub fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|&(name, _)| name)
}

/// Keys pressed together: modifiers, then a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chord {
    /// Modifiers in the order in which they go down.
    pub modifiers: Vec<Key>,
    /// The key.
    pub key: Key,
}

impl Chord {
    /// Reads `Ctrl-E`, `Meta-Shift-Tab`, `a`, `Return`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut modifiers = Vec::new();
        let mut rest = text;
        // What follows the dash may be a dash itself.
        while let Some((name, after)) = rest.split_once('-')
            && !after.is_empty()
            && let Some(modifier) = modifier(name)
        {
            modifiers.push(modifier);
            rest = after;
        }
        let mut characters = rest.chars();
        let key = match (characters.next(), characters.next()) {
            (Some(only), None) => {
                let stroke = stroke(only)?;
                // Ctrl-E is the control character of the plain key.
                let named_by_capital = only.is_ascii_uppercase() && !modifiers.is_empty();
                if stroke.shift && !named_by_capital && !modifiers.contains(&SHIFT) {
                    modifiers.push(SHIFT);
                }
                stroke.key
            }
            _ => named(rest)?,
        };
        Some(Self { modifiers, key })
    }

    /// The key transitions: key and whether it goes down.
    pub fn transitions(&self) -> impl Iterator<Item = (Key, bool)> + '_ {
        let down = self.modifiers.iter().chain([&self.key]);
        let up = [&self.key].into_iter().chain(self.modifiers.iter().rev());
        down.map(|&key| (key, true))
            .chain(up.map(|&key| (key, false)))
    }
}

fn modifier(name: &str) -> Option<Key> {
    match name.to_ascii_lowercase().as_str() {
        "ctrl" | "control" | "c" => Some(CONTROL),
        "meta" | "alt" | "m" => Some(META),
        "shift" | "s" => Some(SHIFT),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_printing_character_has_one_stroke() {
        let strokes: HashSet<_> = (' '..='~')
            .map(|c| {
                let stroke = stroke(c).unwrap_or_else(|| panic!("no stroke for {c:?}"));
                (stroke.key, stroke.shift)
            })
            .collect();
        assert_eq!(strokes.len(), 95);
    }

    #[test]
    fn characters_outside_the_keyboard_have_none() {
        assert_eq!(stroke('é'), None);
        assert_eq!(stroke('\x01'), None);
    }

    #[test]
    fn chords() {
        let chord = |text: &str| {
            Chord::parse(text).map(|chord| {
                chord
                    .modifiers
                    .iter()
                    .chain([&chord.key])
                    .map(|key| key.0)
                    .collect::<Vec<_>>()
            })
        };
        for (text, keys) in [
            ("a", Some(vec![21])),
            ("A", Some(vec![41, 21])),
            ("(", Some(vec![41, 22])),
            ("-", Some(vec![10])),
            ("Ctrl-E", Some(vec![36, 3])),
            ("Ctrl-e", Some(vec![36, 3])),
            ("control-Shift-E", Some(vec![36, 41, 3])),
            ("Ctrl-^", Some(vec![36, 41, 2])),
            ("Ctrl--", Some(vec![36, 10])),
            ("Meta-x", Some(vec![31, 24])),
            ("Meta-Return", Some(vec![31, 44])),
            ("return", Some(vec![44])),
            ("Ctrl", Some(vec![36])),
            ("Ctrl-", None),
            ("Hyper-x", None),
            ("", None),
            ("é", None),
        ] {
            assert_eq!(chord(text), keys, "{text:?}");
        }
    }

    #[test]
    fn a_chord_releases_what_it_presses() {
        let chord = Chord::parse("Ctrl-Shift-E").unwrap();
        let transitions: Vec<_> = chord
            .transitions()
            .map(|(key, down)| (key.0, down))
            .collect();
        assert_eq!(
            transitions,
            [
                (36, true),
                (41, true),
                (3, true),
                (3, false),
                (41, false),
                (36, false)
            ]
        );
    }
}
