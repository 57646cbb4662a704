//! Addresses and cell contents as types.

use std::fmt;

use crate::layout::Generation;

/// A 32-bit Lisp cell: an object, or the word address of one.
///
/// Immediate objects are told apart by their segment (bits 16 and up):
/// `reference/processor.md` section 4.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct LispPtr(pub u32);

/// Segment of the non-negative small integers.
pub const SEGMENT_SMALLPOS: u32 = 0x0E;
/// Segment of the characters.
pub const SEGMENT_CHARACTER: u32 = 0x07;

impl LispPtr {
    /// The symbol NIL, also the empty list and "false".
    pub const NIL: Self = Self(0);
    /// The content of the value cell of an unbound symbol.
    pub const NOBIND: Self = Self(1);
    /// The symbol T.
    pub const T: Self = Self(76);
    /// The content of an unbound local variable slot, or of a free variable
    /// slot that has not been looked up.
    pub const UNBOUND: Self = Self(0xFFFF_FFFF);

    /// The small integer `n` in 0..=65535.
    #[inline(always)]
    pub const fn smallpos(n: u16) -> Self {
        Self(SEGMENT_SMALLPOS << 16 | n as u32)
    }

    /// The character with code `c`.
    #[inline(always)]
    pub const fn character(c: u16) -> Self {
        Self(SEGMENT_CHARACTER << 16 | c as u32)
    }

    /// The immediate for `n` when `n` is in -65536..=65535. The two segments
    /// differ in one bit, which is the sign of a 17-bit number.
    #[inline(always)]
    pub const fn small(n: i32) -> Option<Self> {
        if (n.wrapping_add(0x1_0000) as u32) < 0x2_0000 {
            Some(Self(SEGMENT_SMALLPOS << 16 | (n as u32 & 0x1_FFFF)))
        } else {
            None
        }
    }

    /// T or NIL.
    #[inline(always)]
    pub const fn from_bool(b: bool) -> Self {
        if b { Self::T } else { Self::NIL }
    }

    /// True for NIL, compared in all 32 bits.
    #[inline(always)]
    pub const fn is_nil(self) -> bool {
        self.0 == 0
    }

    /// Bits 31..16.
    #[inline(always)]
    pub const fn hi(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// Bits 15..0.
    #[inline(always)]
    pub const fn lo(self) -> u16 {
        self.0 as u16
    }

    /// The segment, without the flag bits above the pointer.
    #[inline(always)]
    pub const fn segment<G: Generation>(self) -> u32 {
        (self.0 & G::SEGMENT_MASK) >> 16
    }

    /// The pointer without the flag bits above it.
    #[inline(always)]
    pub const fn masked<G: Generation>(self) -> Self {
        Self(self.0 & G::POINTER_MASK)
    }

    /// The address `words` words further on.
    #[inline(always)]
    pub const fn add(self, words: u32) -> Self {
        Self(self.0.wrapping_add(words))
    }

    /// The number of the page that holds this address.
    #[inline(always)]
    pub const fn page(self) -> u32 {
        self.0 >> 8
    }

    /// The first address of page `page`.
    #[inline(always)]
    pub const fn from_page(page: u32) -> Self {
        Self(page << 8)
    }

    /// True when bit 31 is set: a bind mark or an unbound pattern.
    #[inline(always)]
    pub const fn has_sign(self) -> bool {
        (self.0 as i32) < 0
    }

    /// True for an immediate small integer.
    #[inline(always)]
    pub const fn is_small<G: Generation>(self) -> bool {
        self.0 & G::SEGMENT_MASK & !0x1_0000 == SEGMENT_SMALLPOS << 16
    }

    /// The value of an immediate small integer.
    #[inline(always)]
    pub const fn small_value<G: Generation>(self) -> Option<i32> {
        if self.is_small::<G>() {
            Some(((self.0 << 15) as i32) >> 15)
        } else {
            None
        }
    }
}

impl fmt::Debug for LispPtr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl fmt::Display for LispPtr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x},{:x}", self.hi(), self.lo())
    }
}

/// A word offset in the stack segment. Cells are at even offsets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct StackOffset(pub u16);

impl StackOffset {
    /// The offset `words` words further on, wrapping inside the segment.
    #[inline(always)]
    #[must_use]
    pub const fn add(self, words: u16) -> Self {
        Self(self.0.wrapping_add(words))
    }

    /// The offset `words` words before, wrapping inside the segment.
    #[inline(always)]
    #[must_use]
    pub const fn sub(self, words: u16) -> Self {
        Self(self.0.wrapping_sub(words))
    }

    /// The Lisp address of this offset.
    #[inline(always)]
    pub const fn address(self) -> LispPtr {
        LispPtr(crate::layout::STACK.0 | self.0 as u32)
    }
}

impl fmt::Debug for StackOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stack+{:#x}", self.0)
    }
}

/// The byte address of an instruction: twice a word address, plus 0 or 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct CodePc(pub u32);

impl CodePc {
    /// The instruction at byte `offset` of the code block at `function`.
    #[inline(always)]
    pub const fn new(function: LispPtr, offset: u16) -> Self {
        Self((function.0 << 1).wrapping_add(offset as u32))
    }

    /// Moves by a signed number of bytes.
    #[inline(always)]
    #[must_use]
    pub const fn jump(self, displacement: i32) -> Self {
        Self(self.0.wrapping_add_signed(displacement))
    }

    /// The byte offset from the code block at `function`.
    #[inline(always)]
    pub const fn offset_in(self, function: LispPtr) -> u16 {
        self.0.wrapping_sub(function.0 << 1) as u16
    }
}

impl fmt::Debug for CodePc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pc {:#x}", self.0)
    }
}
