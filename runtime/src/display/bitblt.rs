//! The bit-block transfer engine.
//!
//! A transfer combines the pixels of a source rectangle with those of a
//! destination rectangle. Its meaning is given one pixel at a time
//! (`reference/devices.md` section 2.1): line after line, each from left to
//! right (or, backward, from right to left),
//!
//! ```text
//! D[i] := operation(D[i], S[i] xor complement)     for i in 0..width
//! ```
//!
//! and then both places move on by their strides. A pixel that was written is
//! seen as written when it is read again, so a copy whose source and destination
//! overlap the wrong way smears the source.
//!
//! Pixels lie most significant bit first in 16-bit words, and a cell is two
//! words in host order, so that the 32 pixels of a cell are one host integer.
//! The engine works in cells of the destination:
//!
//! ```text
//! source        |........ssssssss|ssssssssssssssss|ss..............|
//!                        \ shift          \
//! destination   |....dddddddddddd|dddddddddddddddd|dddddd..........|
//!                first mask                        last mask
//! ```
//!
//! The source pixels of a destination cell are a window of two source cells,
//! one of which is kept for the next step. That is the same as one pixel at a
//! time unless a step writes pixels that the kept cell had supplied: when the
//! destination lies ahead of the source, in the direction of the transfer, by 1
//! to 31 pixels. Such lines are done in steps of that many pixels instead, each
//! of which reads only pixels that no step of its own writes.
//!
//! Bit addresses wrap at the end of memory as word addresses do; 32 bits
//! are exactly enough for the larger generation.

use crate::layout::Generation;
use crate::memory::{LispPtr, Mem};

/// Pixels in a cell.
const CELL: u32 = 32;

/// The place of a pixel: 16 times the address of its word, plus its bit counted
/// from the most significant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BitAddress(pub u32);

impl BitAddress {
    /// The pixel `bit` pixels to the right of the first one of `word`.
    #[inline]
    pub const fn new(word: LispPtr, bit: i32) -> Self {
        Self((word.0 << 4).wrapping_add_signed(bit))
    }

    /// The pixel `pixels` further on.
    #[inline(always)]
    const fn add(self, pixels: u32) -> Self {
        Self(self.0.wrapping_add(pixels))
    }

    /// The pixel `pixels` before.
    #[inline(always)]
    const fn sub(self, pixels: u32) -> Self {
        Self(self.0.wrapping_sub(pixels))
    }

    /// The cell that holds the pixel.
    #[inline(always)]
    const fn cell(self) -> LispPtr {
        LispPtr(self.0 / CELL * 2)
    }

    /// The place of the pixel in its cell, from the left.
    #[inline(always)]
    const fn bit(self) -> u32 {
        self.0 % CELL
    }
}

/// The lines of a rectangle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lines {
    /// The leftmost pixel of the line that is transferred first.
    pub first: BitAddress,
    /// Pixels from one line to the next; negative upward.
    pub stride: i32,
}

impl Lines {
    #[inline(always)]
    fn advance(&mut self) {
        self.first = BitAddress(self.first.0.wrapping_add_signed(self.stride));
    }
}

/// What happens to a destination pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// It becomes the source pixel.
    Replace,
    /// It stays black where the source is black.
    And,
    /// It becomes black where the source is black.
    Or,
    /// It is inverted where the source is black.
    Xor,
}

impl Operation {
    /// The operation with number `code` modulo 4.
    #[inline]
    pub const fn from_code(code: u16) -> Self {
        match code & 3 {
            0 => Self::Replace,
            1 => Self::And,
            2 => Self::Or,
            _ => Self::Xor,
        }
    }
}

/// A pattern of rows of 16 pixels that fills a rectangle.
#[derive(Clone, Copy, Debug)]
pub struct Texture {
    rows: Rows,
    /// Number of rows, at least 1.
    count: u16,
    /// The row for the next line.
    next: u16,
    /// The pixel of a row that falls on the first pixel of a line.
    bit: u32,
}

#[derive(Clone, Copy, Debug)]
enum Rows {
    Fixed([u16; 4]),
    At(LispPtr),
}

impl Texture {
    /// The texture with the same `row` in every line.
    pub const fn plain(row: u16) -> Self {
        Self {
            rows: Rows::Fixed([row; 4]),
            count: 1,
            next: 0,
            bit: 0,
        }
    }

    /// The texture of four rows of four pixels that the bits of `pattern` make
    /// up, the most significant first. Row `first` falls on the first line.
    pub fn small(pattern: u16, first: u16) -> Self {
        let row = |n: u32| (pattern >> (12 - 4 * n) & 0xF) * 0x1111;
        Self {
            rows: Rows::Fixed([row(0), row(1), row(2), row(3)]),
            count: 4,
            next: first % 4,
            bit: 0,
        }
    }

    /// The texture of `count` (at least 1) rows at `rows`, one word each. Row
    /// `first` falls on the first line.
    pub fn at(rows: LispPtr, count: u16, first: u16) -> Self {
        let count = count.max(1);
        Self {
            rows: Rows::At(rows),
            count,
            next: first % count,
            bit: 0,
        }
    }

    /// The texture shifted so that pixel `bit` of its rows falls on the first
    /// pixel of a line.
    #[must_use]
    pub const fn shifted(self, bit: u32) -> Self {
        Self { bit, ..self }
    }

    /// The row for the next line, in both halves.
    #[inline]
    fn next_row<G: Generation>(&mut self, mem: Mem<'_, G>) -> u32 {
        let row = match self.rows {
            Rows::Fixed(rows) => rows[usize::from(self.next % 4)],
            Rows::At(rows) => mem.word(rows.add(self.next.into())),
        };
        self.next = if self.next + 1 < self.count {
            self.next + 1
        } else {
            0
        };
        u32::from(row) * 0x1_0001
    }
}

/// A transfer, but for its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Where the pixels go.
    pub destination: Lines,
    /// Pixels in a line.
    pub width: u32,
    /// Lines.
    pub height: u32,
    /// How they are combined.
    pub operation: Operation,
    /// The source is complemented first.
    pub complement: bool,
}

impl Transfer {
    /// Copies from `source`; `backward`, each line goes from right to left.
    pub fn copy<G: Generation>(&self, mem: Mem<'_, G>, source: Lines, backward: bool) {
        match self.operation {
            Operation::Replace => self.copy_lines(mem, source, backward, |_, s| s),
            Operation::And => self.copy_lines(mem, source, backward, |d, s| d & s),
            Operation::Or => self.copy_lines(mem, source, backward, |d, s| d | s),
            Operation::Xor => self.copy_lines(mem, source, backward, |d, s| d ^ s),
        }
    }

    /// Fills with `texture`.
    pub fn fill<G: Generation>(&self, mem: Mem<'_, G>, texture: Texture) {
        match self.operation {
            Operation::Replace => self.fill_lines(mem, texture, |_, s| s),
            Operation::And => self.fill_lines(mem, texture, |d, s| d & s),
            Operation::Or => self.fill_lines(mem, texture, |d, s| d | s),
            Operation::Xor => self.fill_lines(mem, texture, |d, s| d ^ s),
        }
    }

    /// What the source pixels are exclusive-ored with.
    #[inline(always)]
    fn flip(&self) -> u32 {
        if self.complement { !0 } else { 0 }
    }

    #[inline(always)]
    fn copy_lines<G: Generation>(
        &self,
        mem: Mem<'_, G>,
        mut source: Lines,
        backward: bool,
        operation: impl Fn(u32, u32) -> u32 + Copy,
    ) {
        if self.width == 0 {
            return;
        }
        let flip = self.flip();
        let combine = move |d, s| operation(d, s ^ flip);
        let mut destination = self.destination;
        for _ in 0..self.height {
            let (from, to) = (source.first, destination.first);
            let ahead = if backward {
                from.0.wrapping_sub(to.0)
            } else {
                to.0.wrapping_sub(from.0)
            } & bit_mask::<G>();
            if (1..CELL).contains(&ahead) && ahead < self.width {
                smear(mem, from, to, self.width, ahead, backward, combine);
            } else if backward {
                copy_to_left(mem, from, to, self.width, combine);
            } else {
                copy_to_right(mem, from, to, self.width, combine);
            }
            source.advance();
            destination.advance();
        }
    }

    #[inline(always)]
    fn fill_lines<G: Generation>(
        &self,
        mem: Mem<'_, G>,
        mut texture: Texture,
        operation: impl Fn(u32, u32) -> u32 + Copy,
    ) {
        if self.width == 0 {
            return;
        }
        let flip = self.flip();
        let mut destination = self.destination;
        for _ in 0..self.height {
            let to = destination.first;
            let pattern = texture
                .next_row(mem)
                .rotate_left(texture.bit.wrapping_sub(to.bit()) % 16)
                ^ flip;
            fill_line(mem, to, self.width, |d| operation(d, pattern));
            destination.advance();
        }
    }
}

/// The bits of a bit address.
const fn bit_mask<G: Generation>() -> u32 {
    G::BYTE_MASK << 3 | 7
}

/// The cells that a line covers.
#[derive(Clone, Copy)]
struct Span {
    /// The leftmost.
    first: LispPtr,
    /// Those to the right of it.
    more: u32,
    /// The pixels of the line in the leftmost cell.
    first_mask: u32,
    /// The pixels of the line in the rightmost cell, which may be the same.
    last_mask: u32,
}

impl Span {
    /// Of `width` (at least 1) pixels from `start`.
    #[inline(always)]
    fn new(start: BitAddress, width: u32) -> Self {
        let last = start.bit() + (width - 1);
        Self {
            first: start.cell(),
            more: last / CELL,
            first_mask: !0 >> start.bit(),
            last_mask: !0 << (CELL - 1 - last % CELL),
        }
    }
}

/// The cell that starts `shift` (below 32) pixels into `left`.
#[inline(always)]
fn window(left: u32, right: u32, shift: u32) -> u32 {
    ((u64::from(left) << CELL | u64::from(right)) << shift >> CELL) as u32
}

/// The cell to the right of `cell`.
#[inline(always)]
const fn next(cell: LispPtr) -> LispPtr {
    LispPtr(cell.0.wrapping_add(2))
}

/// The cell to the left of `cell`.
#[inline(always)]
const fn previous(cell: LispPtr) -> LispPtr {
    LispPtr(cell.0.wrapping_sub(2))
}

/// Applies `change` to the pixels of the cell at `address` that `mask` names.
#[inline(always)]
fn change_masked<G: Generation>(
    mem: Mem<'_, G>,
    address: LispPtr,
    mask: u32,
    change: impl Fn(u32) -> u32,
) {
    let old = mem.cell(address).0;
    mem.set_cell(address, LispPtr((change(old) & mask) | (old & !mask)));
}

/// Applies `change` to the cell at `address`.
#[inline(always)]
fn change_whole<G: Generation>(mem: Mem<'_, G>, address: LispPtr, change: impl Fn(u32) -> u32) {
    mem.set_cell(address, LispPtr(change(mem.cell(address).0)));
}

/// One line from left to right.
#[inline(always)]
fn copy_to_right<G: Generation>(
    mem: Mem<'_, G>,
    from: BitAddress,
    to: BitAddress,
    width: u32,
    combine: impl Fn(u32, u32) -> u32,
) {
    let span = Span::new(to, width);
    let start = from.sub(to.bit());
    let shift = start.bit();
    let (mut source, mut target) = (start.cell(), span.first);
    let mut left = mem.cell(source).0;
    let mut right = mem.cell(next(source)).0;
    let pixels = window(left, right, shift);
    if span.more == 0 {
        let mask = span.first_mask & span.last_mask;
        return change_masked(mem, target, mask, |d| combine(d, pixels));
    }
    change_masked(mem, target, span.first_mask, |d| combine(d, pixels));
    if shift == 0 {
        // Nothing is kept from step to step: the source may be what the step
        // before has written.
        for _ in 1..span.more {
            (source, target) = (next(source), next(target));
            let pixels = mem.cell(source).0;
            change_whole(mem, target, |d| combine(d, pixels));
        }
        let pixels = mem.cell(next(source)).0;
        return change_masked(mem, next(target), span.last_mask, |d| combine(d, pixels));
    }
    for _ in 1..span.more {
        (source, target) = (next(source), next(target));
        left = right;
        right = mem.cell(next(source)).0;
        let pixels = window(left, right, shift);
        change_whole(mem, target, |d| combine(d, pixels));
    }
    let pixels = window(right, mem.cell(next(next(source))).0, shift);
    change_masked(mem, next(target), span.last_mask, |d| combine(d, pixels));
}

/// One line from right to left.
#[inline(always)]
fn copy_to_left<G: Generation>(
    mem: Mem<'_, G>,
    from: BitAddress,
    to: BitAddress,
    width: u32,
    combine: impl Fn(u32, u32) -> u32,
) {
    let span = Span::new(to, width);
    let start = from.sub(to.bit());
    let shift = start.bit();
    let mut source = start.add(span.more * CELL).cell();
    let mut target = span.first.add(span.more * 2);
    let mut left = mem.cell(source).0;
    let mut right = mem.cell(next(source)).0;
    let pixels = window(left, right, shift);
    if span.more == 0 {
        let mask = span.first_mask & span.last_mask;
        return change_masked(mem, target, mask, |d| combine(d, pixels));
    }
    change_masked(mem, target, span.last_mask, |d| combine(d, pixels));
    if shift == 0 {
        for _ in 1..span.more {
            (source, target) = (previous(source), previous(target));
            let pixels = mem.cell(source).0;
            change_whole(mem, target, |d| combine(d, pixels));
        }
        let pixels = mem.cell(previous(source)).0;
        return change_masked(mem, previous(target), span.first_mask, |d| {
            combine(d, pixels)
        });
    }
    for _ in 1..span.more {
        (source, target) = (previous(source), previous(target));
        right = left;
        left = mem.cell(source).0;
        let pixels = window(left, right, shift);
        change_whole(mem, target, |d| combine(d, pixels));
    }
    let pixels = window(mem.cell(previous(source)).0, left, shift);
    change_masked(mem, previous(target), span.first_mask, |d| {
        combine(d, pixels)
    });
}

/// One line whose destination is `ahead` pixels ahead of its source.
#[cold]
#[inline(never)]
fn smear<G: Generation>(
    mem: Mem<'_, G>,
    from: BitAddress,
    to: BitAddress,
    width: u32,
    ahead: u32,
    backward: bool,
    combine: impl Fn(u32, u32) -> u32 + Copy,
) {
    let mut done = 0;
    while done < width {
        let step = ahead.min(width - done);
        let at = if backward { width - done - step } else { done };
        copy_to_right(mem, from.add(at), to.add(at), step, combine);
        done += step;
    }
}

/// One line that does not depend on a source.
#[inline(always)]
fn fill_line<G: Generation>(
    mem: Mem<'_, G>,
    to: BitAddress,
    width: u32,
    change: impl Fn(u32) -> u32,
) {
    let span = Span::new(to, width);
    if span.more == 0 {
        return change_masked(mem, span.first, span.first_mask & span.last_mask, change);
    }
    change_masked(mem, span.first, span.first_mask, &change);
    for n in 1..span.more {
        change_whole(mem, span.first.add(n * 2), &change);
    }
    change_masked(mem, span.first.add(span.more * 2), span.last_mask, &change);
}

#[cfg(test)]
mod tests;
