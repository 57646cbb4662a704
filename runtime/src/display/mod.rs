//! Drawing: everything the machine does to bitmaps, and the picture on the
//! screen.
//!
//! The screen is a bitmap in Lisp memory that Lisp also writes to directly, so
//! nothing here keeps a copy of it: a window shows what [`screen::Screen`] finds
//! in memory whenever it looks. All drawing ends in one engine, [`bitblt`], but
//! for lines and single pixels ([`line`]).
//!
//! - `pilot`: transfers that a record describes (PILOTBITBLT);
//! - `bitmaps`: transfers between bitmap objects (BITBLT, BLTSHADE);
//! - `characters`: printing;
//! - `screen`: what is to be seen.

pub mod bitblt;
mod bitmaps;
mod characters;
mod line;
#[cfg(test)]
mod pictures;
mod pilot;
pub mod screen;

/// What the machine knows of its display outside Lisp memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DisplayState {
    /// Lisp wants the screen to be shown.
    pub shown: bool,
    /// Black and white are exchanged.
    pub inverse: bool,
    /// The pixel of the cursor that points: from its left edge, from its top.
    /// Lisp wants to know where the upper left pixel of the cursor is.
    pub hot_spot: (u16, u16),
}

impl Default for DisplayState {
    fn default() -> Self {
        Self {
            shown: true,
            inverse: false,
            hot_spot: (0, 0),
        }
    }
}
