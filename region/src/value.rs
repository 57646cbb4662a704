//! Words of blocks: integers, references and other immediate values, told apart by their
//! lowest bits, so that one scanner suits arrays of anything.

use crate::region::Block;

/// A word: an integer of 31 bits if its lowest bit is 0, a reference if the lowest two
/// are 01, something else if they are 11.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Value(u32);

impl Value {
    /// Refers to nothing.
    pub const NOTHING: Self = Self::special(0);

    /// The integer `n`, if it has at most 31 bits.
    pub fn integer(n: i32) -> Option<Self> {
        let word = (n << 1) as u32;
        (word as i32 >> 1 == n).then_some(Self(word))
    }

    /// The integer that it is.
    pub fn as_integer(self) -> Option<i32> {
        (self.0 & 1 == 0).then_some(self.0 as i32 >> 1)
    }

    /// One of 2^30 values that are neither integers nor references, by its lower bits.
    pub const fn special(n: u32) -> Self {
        Self(n << 2 | 3)
    }

    /// The number of such a value.
    pub fn as_special(self) -> Option<u32> {
        (self.0 & 3 == 3).then_some(self.0 >> 2)
    }

    pub(crate) fn block(block: Block) -> Self {
        Self(block.offset() | 1)
    }

    pub(crate) fn as_block(self) -> Option<Block> {
        (self.0 & 3 == 1).then_some(Block::at(self.0 & !3))
    }

    /// True if it refers to a block.
    pub fn is_block(self) -> bool {
        self.as_block().is_some()
    }

    pub(crate) fn bits(self) -> u32 {
        self.0
    }

    pub(crate) fn from_bits(bits: u32) -> Self {
        Self(bits)
    }
}
