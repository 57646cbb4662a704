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
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::{Config, TestRunner};

    use super::*;
    use crate::layout::{Medley2, Medley3};
    use crate::memory::AddressSpace;

    /// Words of the memory that the tests look at.
    const AREA: u32 = 4096;
    /// Its middle pixel, from the start.
    const MIDDLE: u32 = AREA * 8;

    fn pixel<G: Generation>(mem: Mem<'_, G>, at: BitAddress) -> bool {
        mem.word(LispPtr(at.0 / 16)) & 0x8000 >> (at.0 % 16) != 0
    }

    fn set_pixel<G: Generation>(mem: Mem<'_, G>, at: BitAddress, value: bool) {
        let (word, bit) = (LispPtr(at.0 / 16), 0x8000 >> (at.0 % 16));
        let old = mem.word(word);
        mem.set_word(word, if value { old | bit } else { old & !bit });
    }

    /// The meaning of a transfer: one pixel at a time.
    fn model<G: Generation>(
        mem: Mem<'_, G>,
        transfer: &Transfer,
        backward: bool,
        mut source: impl FnMut(u32, u32) -> bool,
    ) {
        let mut destination = transfer.destination;
        for line in 0..transfer.height {
            for n in 0..transfer.width {
                let i = if backward { transfer.width - 1 - n } else { n };
                let s = source(line, i) ^ transfer.complement;
                let at = destination.first.add(i);
                let d = pixel(mem, at);
                let value = match transfer.operation {
                    Operation::Replace => s,
                    Operation::And => d & s,
                    Operation::Or => d | s,
                    Operation::Xor => d ^ s,
                };
                set_pixel(mem, at, value);
            }
            destination.advance();
        }
    }

    /// Two memories with the same noise around `base`.
    struct Twins<'m, G> {
        fast: Mem<'m, G>,
        slow: Mem<'m, G>,
        base: LispPtr,
    }

    impl<G: Generation> Twins<'_, G> {
        fn fill(&self, mut seed: u64) {
            for n in 0..AREA {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                for mem in [self.fast, self.slow] {
                    mem.set_word(self.base.add(n), seed as u16);
                }
            }
        }

        fn at(&self, offset: i32) -> BitAddress {
            BitAddress::new(self.base, MIDDLE as i32 + offset)
        }

        fn first_difference(&self) -> Option<u32> {
            (0..AREA).find(|&n| {
                let at = self.base.add(n);
                self.fast.word(at) != self.slow.word(at)
            })
        }
    }

    /// Runs `test` on memories of both generations, in the middle of memory and
    /// around its end.
    fn with_twins(test: impl Fn(&dyn Fn(u64, Case, bool) -> Option<u32>)) {
        fn run<G: Generation>(
            base: LispPtr,
            test: &impl Fn(&dyn Fn(u64, Case, bool) -> Option<u32>),
        ) {
            let (fast, slow) = (AddressSpace::<G>::reserve(), AddressSpace::reserve());
            let (fast, slow) = (fast.unwrap(), slow.unwrap());
            let twins = Twins {
                fast: fast.view(),
                slow: slow.view(),
                base,
            };
            test(&|seed, case, fill| {
                twins.fill(seed);
                case.perform(&twins, fill);
                twins.first_difference()
            });
        }
        run::<Medley2>(LispPtr(0x12_0000), &test);
        run::<Medley3>(LispPtr(0x12_0000), &test);
        run::<Medley2>(LispPtr(0x100_0000 - AREA / 2), &test);
        run::<Medley3>(LispPtr(0x1000_0000 - AREA / 2), &test);
    }

    #[derive(Clone, Copy, Debug)]
    struct Case {
        to: i32,
        to_stride: i32,
        from: i32,
        from_stride: i32,
        width: u32,
        height: u32,
        operation: Operation,
        complement: bool,
        backward: bool,
    }

    impl Case {
        fn transfer<G: Generation>(&self, twins: &Twins<'_, G>) -> Transfer {
            Transfer {
                destination: Lines {
                    first: twins.at(self.to),
                    stride: self.to_stride,
                },
                width: self.width,
                height: self.height,
                operation: self.operation,
                complement: self.complement,
            }
        }

        fn perform<G: Generation>(&self, twins: &Twins<'_, G>, fill: bool) {
            let transfer = self.transfer(twins);
            if fill {
                let rows = LispPtr(twins.at(self.from).0 / 16);
                let count = self.height as u16 % 16 + 1;
                let first = self.width as u16 % count;
                let bit = self.from as u32 % 16;
                transfer.fill(twins.fast, Texture::at(rows, count, first).shifted(bit));
                let mut row = 0;
                model(twins.slow, &transfer, false, |line, i| {
                    // A row is read once for each line.
                    if i == 0 {
                        let n = (u32::from(first) + line) % u32::from(count);
                        row = twins.slow.word(rows.add(n));
                    }
                    row & 0x8000 >> ((bit + i) % 16) != 0
                });
            } else {
                let source = Lines {
                    first: twins.at(self.from),
                    stride: self.from_stride,
                };
                transfer.copy(twins.fast, source, self.backward);
                model(twins.slow, &transfer, self.backward, |line, i| {
                    let line = (line as i32).wrapping_mul(source.stride);
                    pixel(twins.slow, source.first.add(i.wrapping_add_signed(line)))
                });
            }
        }
    }

    prop_compose! {
        /// Rectangles that mostly overlap or nearly do, and stay in the area.
        fn cases()(
            to in -2000..2000_i32,
            near in prop_oneof![-70..70_i32, -2000..2000_i32],
            to_stride in -600..600_i32,
            from_stride in prop_oneof![Just(None), (-600..600_i32).prop_map(Some)],
            aligned in prop_oneof![3 => Just(!0), 1 => Just(!15), 1 => Just(!31)],
            width in prop_oneof![0..70_u32, 0..700_u32],
            height in 0..20_u32,
            operation in (0..4_u16).prop_map(Operation::from_code),
            complement: bool,
            backward: bool,
        ) -> Case {
            Case {
                to: to & aligned,
                to_stride: to_stride & aligned,
                from: (to + near) & aligned,
                from_stride: from_stride.unwrap_or(to_stride) & aligned,
                width, height, operation, complement, backward,
            }
        }
    }

    fn check(fill: bool) {
        with_twins(|difference| {
            let mut runner = TestRunner::new(Config {
                cases: 400,
                ..Config::default()
            });
            runner
                .run(&(any::<u64>(), cases()), |(seed, case)| {
                    prop_assert_eq!(difference(seed | 1, case, fill), None);
                    Ok(())
                })
                .unwrap();
        });
    }

    #[test]
    fn copies_are_as_one_pixel_at_a_time() {
        check(false);
    }

    #[test]
    fn fills_are_as_one_pixel_at_a_time() {
        check(true);
    }

    #[test]
    fn every_short_distance_smears_alike() {
        with_twins(|difference| {
            for distance in -70..=70 {
                for backward in [false, true] {
                    let case = Case {
                        to: 5,
                        to_stride: 512,
                        from: 5 + distance,
                        from_stride: 512,
                        width: 300,
                        height: 2,
                        operation: Operation::Replace,
                        complement: false,
                        backward,
                    };
                    assert_eq!(difference(99, case, false), None, "{distance} {backward}");
                }
            }
        });
    }

    #[test]
    fn small_textures_repeat_their_nibbles() {
        let space = AddressSpace::<Medley2>::reserve().unwrap();
        let mem = space.view();
        let base = LispPtr(0x12_0000);
        Transfer {
            destination: Lines {
                first: BitAddress::new(base, 0),
                stride: 16,
            },
            width: 16,
            height: 5,
            operation: Operation::Replace,
            complement: false,
        }
        .fill(mem, Texture::small(0x1248, 6).shifted(1));
        let rows: Vec<u16> = (0..5).map(|n| mem.word(base.add(n))).collect();
        assert_eq!(rows, [0x8888, 0x1111, 0x2222, 0x4444, 0x8888]);
    }
}
