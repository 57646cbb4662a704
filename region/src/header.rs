//! The four bytes in front of every block:
//!
//! ```text
//! 24 bits size in granules of 16 bytes | 4 tag | 2 colour | 1 previous free | 1 in use
//! ```

/// Bytes that sizes are multiples of.
pub(crate) const GRANULE: u32 = 16;
/// First size, in granules, that does not fit.
pub(crate) const MAX_GRANULES: u32 = 1 << 24;

const IN_USE: u32 = 1;
const PREVIOUS_FREE: u32 = 2;
const COLOUR_SHIFT: u32 = 2;
const TAG_SHIFT: u32 = 4;
const SIZE_SHIFT: u32 = 8;

/// Who a block belongs to or what it holds: one of sixteen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(u8);

impl Tag {
    /// Number of tags.
    pub const COUNT: usize = 16;

    /// Tag `number` modulo 16.
    pub const fn new(number: u8) -> Self {
        Self(number % Self::COUNT as u8)
    }

    /// Its number.
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// What a tracer has seen of an object. Which of the first two is white and which black
/// changes with every cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum Colour {
    /// White or black.
    #[default]
    Even = 0,
    /// Black or white.
    Odd = 1,
    /// Found, its references not yet looked at.
    Grey = 2,
    /// Neither freed nor moved.
    Pinned = 3,
}

impl Colour {
    /// The colour that the lowest two bits of `bits` stand for.
    pub const fn from_bits(bits: u32) -> Self {
        match bits & 3 {
            0 => Self::Even,
            1 => Self::Odd,
            2 => Self::Grey,
            _ => Self::Pinned,
        }
    }

    /// What is black when this is white.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Even => Self::Odd,
            Self::Odd => Self::Even,
            other => other,
        }
    }
}

/// A block's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header(pub u32);

impl Header {
    /// Of a white block in use.
    pub fn used(granules: u32, tag: Tag) -> Self {
        Self(granules << SIZE_SHIFT | u32::from(tag.0) << TAG_SHIFT | IN_USE)
    }

    /// Of a free block.
    pub fn free(granules: u32) -> Self {
        Self(granules << SIZE_SHIFT)
    }

    pub fn granules(self) -> u32 {
        self.0 >> SIZE_SHIFT
    }

    /// Size in bytes, header included.
    pub fn bytes(self) -> u32 {
        self.granules() * GRANULE
    }

    pub fn tag(self) -> Tag {
        Tag::new((self.0 >> TAG_SHIFT) as u8)
    }

    pub fn colour(self) -> Colour {
        Colour::from_bits(self.0 >> COLOUR_SHIFT)
    }

    pub fn is_used(self) -> bool {
        self.0 & IN_USE != 0
    }

    pub fn follows_free(self) -> bool {
        self.0 & PREVIOUS_FREE != 0
    }

    pub fn with_colour(self, colour: Colour) -> Self {
        Self(self.0 & !(3 << COLOUR_SHIFT) | (colour as u32) << COLOUR_SHIFT)
    }

    pub fn with_granules(self, granules: u32) -> Self {
        Self(self.0 & ((1 << SIZE_SHIFT) - 1) | granules << SIZE_SHIFT)
    }

    pub fn with_follows_free(self, free: bool) -> Self {
        Self(self.0 & !PREVIOUS_FREE | if free { PREVIOUS_FREE } else { 0 })
    }
}
