//! The two colours of the screen.

/// Colours as `0x00RRGGBB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    /// Of the bits that are 1.
    pub ink: u32,
    /// Of the bits that are 0, and around the picture.
    pub paper: u32,
}

/// Names of palettes, ink and paper.
const NAMED: [(&str, u32, u32); 6] = [
    ("black-on-white", 0x000000, 0xFFFFFF),
    ("white-on-black", 0xFFFFFF, 0x000000),
    ("sepia", 0x3B2A1A, 0xF4ECD8),
    ("green", 0x33FF66, 0x001A08),
    ("amber", 0xFFB000, 0x1A0F00),
    ("night", 0xC8C8C8, 0x202428),
];

impl Default for Palette {
    fn default() -> Self {
        Self {
            ink: 0x000000,
            paper: 0xFFFFFF,
        }
    }
}

impl Palette {
    /// Reads the name of a palette, or `INK,PAPER` with colours such as `#3b2a1a`.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(&(_, ink, paper)) = NAMED.iter().find(|(name, ..)| *name == text) {
            return Ok(Self { ink, paper });
        }
        let colours = text
            .split_once(',')
            .and_then(|(ink, paper)| Some((colour(ink)?, colour(paper)?)));
        match colours {
            Some((ink, paper)) => Ok(Self { ink, paper }),
            None => {
                let names: Vec<_> = NAMED.iter().map(|(name, ..)| *name).collect();
                Err(format!(
                    "expected {} or two colours such as #000000,#ffffff",
                    names.join(", ")
                ))
            }
        }
    }

    /// The colour between paper and ink, of which there are 255 parts.
    pub fn mix(self, ink: u8) -> u32 {
        let part = u32::from(ink);
        let channel = |shift: u32| {
            let (ink, paper) = (self.ink >> shift & 0xFF, self.paper >> shift & 0xFF);
            ((ink * part + paper * (255 - part) + 127) / 255) << shift
        };
        channel(16) | channel(8) | channel(0)
    }
}

fn colour(text: &str) -> Option<u32> {
    let digits = text.trim().strip_prefix('#')?;
    let is_colour = digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    is_colour.then(|| u32::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn palettes_have_names_or_colours() {
        assert_eq!(Palette::parse("black-on-white"), Ok(Palette::default()));
        let own = Palette {
            ink: 0x102030,
            paper: 0xFFEEDD,
        };
        assert_eq!(Palette::parse("#102030,#FFEEDD"), Ok(own));
        for wrong in ["", "blue", "#102030", "#10203,#ffffff", "#+10203,#ffffff"] {
            let error = Palette::parse(wrong).unwrap_err();
            assert!(error.contains("sepia"), "{wrong}");
        }
    }

    #[test]
    fn mixtures_lie_between_paper_and_ink() {
        let palette = Palette::parse("#ff0080,#0010ff").unwrap();
        assert_eq!(palette.mix(255), palette.ink);
        assert_eq!(palette.mix(0), palette.paper);
        assert_eq!(palette.mix(51), 0x330DE6);
    }
}
