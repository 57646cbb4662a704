//! What is drawn with.

/// Bitmaps (`reference/devices.md` section 1).
pub mod bitmap {
    /// First word of the top line (a cell).
    pub const BASE: u32 = 0;
    /// Words in a line.
    pub const RASTER_WIDTH: u32 = 2;
    /// Lines.
    pub const HEIGHT: u32 = 3;
    /// Pixels in a line.
    pub const WIDTH: u32 = 4;
    /// Bits of a pixel.
    pub const BITS_PER_PIXEL: u32 = 5;
}

/// Bit-block transfer tables (`reference/devices.md` section 2.1).
pub mod pilot_bbt {
    /// Destination address, low word; the high word follows.
    pub const DESTINATION: u32 = 0;
    /// Bit of the destination, counted from the address.
    pub const DESTINATION_BIT: u32 = 2;
    /// Bits from one destination line to the next (signed).
    pub const DESTINATION_STRIDE: u32 = 3;
    /// Source address, low word; the high word follows.
    pub const SOURCE: u32 = 4;
    /// Bit of the source, counted from the address.
    pub const SOURCE_BIT: u32 = 6;
    /// Bits from one source line to the next (signed).
    pub const SOURCE_STRIDE: u32 = 7;
    /// In the place of the stride for texture sources: which row comes first
    /// (bits 11..8) and the number of rows less one (bits 3..0).
    pub const TEXTURE: u32 = 7;
    /// Pixels in a line.
    pub const WIDTH: u32 = 8;
    /// Lines.
    pub const HEIGHT: u32 = 9;
    /// Flags.
    pub const FLAGS: u32 = 10;

    /// Bits of the flag word.
    pub mod flag {
        /// Last line first, and each line from right to left.
        pub const BACKWARD: u16 = 1 << 15;
        /// The source is a texture.
        pub const TEXTURE: u16 = 1 << 12;
        /// The source is complemented.
        pub const COMPLEMENT: u16 = 1 << 11;
        /// Operation: the number of bits to shift it down.
        pub const OPERATION_SHIFT: u32 = 9;
    }
}

/// Data of a display stream (`reference/devices.md` section 2.6).
pub mod display_data {
    /// Where the next character goes (a cell).
    pub const X_POSITION: u32 = 0;
    /// Added to the position to get a place in the destination (a cell).
    pub const X_OFFSET: u32 = 4;
    /// Not NIL: every character needs Lisp (a cell).
    pub const SLOW_PRINTING: u32 = 14;
    /// Words: how far each character code moves the position (a cell).
    pub const WIDTHS: u32 = 16;
    /// Words: where in the picture of the character set each code is (a cell).
    pub const OFFSETS: u32 = 18;
    /// Right margin (a cell).
    pub const RIGHT_MARGIN: u32 = 24;
    /// Left margin (a cell).
    pub const LEFT_MARGIN: u32 = 26;
    /// First pixel inside the clipping region.
    pub const CLIPPING_LEFT: u32 = 34;
    /// First pixel behind the clipping region.
    pub const CLIPPING_RIGHT: u32 = 35;
    /// Transfer table prepared for characters (a cell).
    pub const PILOT_BBT: u32 = 42;
    /// Words: how many pixels of each code are drawn (a cell).
    pub const IMAGE_WIDTHS: u32 = 48;
    /// Character set that the caches are for; the high byte of its codes
    /// (a cell, the number is in the low word).
    pub const CHARACTER_SET: u32 = 62;
}
