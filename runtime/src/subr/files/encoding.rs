//! Names of files in Lisp's characters and in the host's bytes.
//!
//! The host's names are UTF-8. Lisp makes room for bytes when it asks for a name, so an answer
//! has a byte for each character if all have codes of 8 bits; else it is the bytes of the name
//! itself, each as a character. A name from Lisp may be either, and is taken for bytes if it can
//! be UTF-8. A name whose codes could be taken for bytes is therefore answered as bytes: what
//! Lisp got as a name always means that file.

/// Lisp's characters beyond ASCII.
#[derive(Clone, Copy, Debug)]
pub struct Characters {
    /// The code of a character, if Lisp has it.
    pub code: fn(char) -> Option<u16>,
    /// The character with a code, if there is one.
    pub character: fn(u16) -> Option<char>,
}

impl Characters {
    /// Those of the built-in Lisp.
    pub const UNICODE: Self = Self {
        code: |character| u16::try_from(u32::from(character)).ok(),
        character: |code| char::from_u32(code.into()),
    };

    /// The host's name for these characters; `None` if there is no such name.
    pub(super) fn to_host(self, name: &[u16]) -> Option<Vec<u8>> {
        let bytes: Result<Vec<u8>, _> = name.iter().map(|&code| u8::try_from(code)).collect();
        if let Ok(bytes) = bytes
            && str::from_utf8(&bytes).is_ok()
        {
            return Some(bytes);
        }
        let characters = name.iter().map(|&code| match code {
            ..0x80 => char::from_u32(code.into()),
            _ => (self.character)(code),
        });
        characters
            .collect::<Option<String>>()
            .map(String::into_bytes)
    }

    /// The bytes that Lisp gets for a name of the host.
    pub(super) fn to_lisp(self, name: Vec<u8>) -> Vec<u8> {
        let Some(text) = str::from_utf8(&name).ok().filter(|text| !text.is_ascii()) else {
            return name;
        };
        let codes = text.chars().map(|character| match character {
            '\0'..='\x7F' => Some(character as u8),
            _ => u8::try_from((self.code)(character)?).ok(),
        });
        match codes.collect::<Option<Vec<u8>>>() {
            Some(codes) if self.to_host(&widened(&codes)).as_ref() == Some(&name) => codes,
            _ => name,
        }
    }
}

fn widened(bytes: &[u8]) -> Vec<u16> {
    bytes.iter().map(|&byte| byte.into()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const UNICODE: Characters = Characters::UNICODE;

    fn from_lisp(name: &str) -> Option<Vec<u8>> {
        UNICODE.to_host(&name.encode_utf16().collect::<Vec<_>>())
    }

    #[test]
    fn what_somebody_types_is_that_name() {
        for name in ["plain", "Grüße.txt", "Жизнь", "a€ü", "ÿ"] {
            assert_eq!(from_lisp(name).as_deref(), Some(name.as_bytes()));
        }
    }

    #[test]
    fn short_codes_are_shown() {
        let shown = |name: &str| UNICODE.to_lisp(name.into());
        assert_eq!(shown("Grüße"), [b'G', b'r', 0xFC, 0xDF, b'e']);
        assert_eq!(shown("Ж"), "Ж".as_bytes());
        // These two would be ü.
        assert_eq!(shown("Ã¼"), "Ã¼".as_bytes());
    }

    proptest! {
        #[test]
        fn an_answer_means_the_file_it_came_from(name in prop::collection::vec(any::<u8>(), 0..20)) {
            let names = [name.clone(), String::from_utf8_lossy(&name).into_owned().into_bytes()];
            for name in names.into_iter().filter(|name| str::from_utf8(name).is_ok()) {
                let shown = UNICODE.to_lisp(name.clone());
                prop_assert_eq!(UNICODE.to_host(&widened(&shown)), Some(name));
            }
        }
    }
}
