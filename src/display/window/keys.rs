//! Keys as windows tell of them, in the names of the W3C.

use winit::event::KeyEvent;
use winit::keyboard::{Key, NamedKey, PhysicalKey};

/// Where a key is, and what it means.
pub fn names(event: &KeyEvent, control: bool) -> (String, String) {
    let code = match event.physical_key {
        PhysicalKey::Code(code) => format!("{code:?}"),
        PhysicalKey::Unidentified(code) => format!("{code:?}"),
    };
    (
        code,
        meaning(&event.logical_key, event.text.as_deref(), control),
    )
}

/// What a key means: a name, or characters. The text has what dead keys in front of it
/// did; with control it is a control character, which Lisp makes itself.
fn meaning(key: &Key, text: Option<&str>, control: bool) -> String {
    match key {
        Key::Named(NamedKey::Space) => " ".into(),
        Key::Named(name) => format!("{name:?}"),
        Key::Character(character) if control => character.to_string(),
        Key::Character(character) => text.unwrap_or(character).into(),
        Key::Dead(_) => text.filter(|_| !control).unwrap_or("Dead").into(),
        Key::Unidentified(_) => text.filter(|_| !control).unwrap_or_default().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_names_of_the_w3c() {
        let character = |c: &str| Key::Character(c.into());
        for (key, text, control, expected) in [
            (Key::Named(NamedKey::ArrowUp), None, false, "ArrowUp"),
            (Key::Named(NamedKey::Enter), Some("\r"), false, "Enter"),
            (Key::Named(NamedKey::Space), Some(" "), false, " "),
            (Key::Named(NamedKey::AltGraph), None, false, "AltGraph"),
            (Key::Named(NamedKey::F1), None, false, "F1"),
            (character("e"), Some("e"), false, "e"),
            (character("e"), Some("ê"), false, "ê"),
            (character("e"), Some("\u{5}"), true, "e"),
            (Key::Dead(Some('^')), None, false, "Dead"),
            (Key::Dead(Some('^')), Some("^"), false, "^"),
        ] {
            assert_eq!(meaning(&key, text, control), expected, "{key:?}");
        }
    }
}
