//! The sizes that a screen can have.

/// A screen size that Lisp accepts: the width a multiple of 32, the bitmap not
/// larger than the memory set aside for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScreenSize {
    /// Pixels in a row.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

/// Pixels that the display bitmap has room for.
const MAX_PIXELS: u32 = geiko_runtime::layout::DISPLAY_WORDS * 16;
/// Smallest screen: Lisp's own windows need so much.
const MIN: (u16, u16) = (160, 100);

impl ScreenSize {
    /// The size of choice when none is asked for.
    pub const DEFAULT: Self = Self {
        width: 1024,
        height: 768,
    };

    /// The size that is nearest to one that somebody asks for.
    pub fn nearest(width: u32, height: u32) -> Self {
        let width = width.clamp(MIN.0.into(), 2048).next_multiple_of(32);
        let height = height.clamp(MIN.1.into(), MAX_PIXELS / width);
        Self {
            width: width as u16,
            height: height as u16,
        }
    }

    /// Reads `1024x768`; the width is rounded up to a multiple of 32.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (width, height) = text
            .split_once(['x', 'X'])
            .and_then(|(w, h)| Some((w.parse::<u16>().ok()?, h.parse::<u16>().ok()?)))
            .ok_or("expected WIDTHxHEIGHT in pixels, such as 1024x768")?;
        let rounded = width
            .checked_next_multiple_of(32)
            .ok_or_else(|| format!("{width} pixels are too wide"))?;
        if rounded < MIN.0 || height < MIN.1 {
            return Err(format!("Lisp needs at least {}x{} pixels", MIN.0, MIN.1));
        }
        let pixels = u32::from(rounded) * u32::from(height);
        if pixels > MAX_PIXELS {
            return Err(format!(
                "{rounded} * {height} = {pixels} pixels, but Lisp has room for {MAX_PIXELS}; \
                 the most for this width is {rounded}x{}",
                MAX_PIXELS / u32::from(rounded)
            ));
        }
        Ok(Self {
            width: rounded,
            height,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, size) in [
            ("1024x768", Ok((1024, 768))),
            ("1000x768", Ok((1024, 768))),
            ("160X100", Ok((160, 100))),
            ("2048x1024", Ok((2048, 1024))),
            (
                "2048x1025",
                Err(
                    "2048 * 1025 = 2099200 pixels, but Lisp has room for 2097152; the most for this width is 2048x1024",
                ),
            ),
            ("65535x100", Err("65535 pixels are too wide")),
            ("100x100", Err("Lisp needs at least 160x100 pixels")),
            (
                "1024",
                Err("expected WIDTHxHEIGHT in pixels, such as 1024x768"),
            ),
            (
                "1024x-1",
                Err("expected WIDTHxHEIGHT in pixels, such as 1024x768"),
            ),
        ] {
            let parsed = ScreenSize::parse(text).map(|s| (s.width, s.height));
            assert_eq!(parsed, size.map_err(String::from), "{text}");
        }
    }
}
