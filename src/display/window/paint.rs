//! From bits to the pixels of a window.
//!
//! With a whole scale every bit becomes a square. With another one a window pixel gets
//! the mixture of what it covers, so that letters keep their weight: the ink in a part
//! of a line is the difference of two sums from the line's start.

use std::ops::Range;

use super::palette::Palette;
use super::view::View;
use crate::display::Frame;

/// How much of the ink is in the margin around the picture.
const MARGIN_INK: u8 = 40;

/// Draws frames.
pub struct Painter {
    margin: u32,
    /// The eight pixels of a byte.
    bytes: Box<[[u32; 8]; 256]>,
    /// Mixtures of ink and paper.
    mixtures: Box<[u32; 256]>,
}

impl Painter {
    /// A painter with two colours.
    pub fn new(palette: Palette) -> Self {
        let colour = |byte: usize, bit: usize| match byte >> (7 - bit) & 1 {
            0 => palette.paper,
            _ => palette.ink,
        };
        let bytes = std::array::from_fn(|byte| std::array::from_fn(|bit| colour(byte, bit)));
        Self {
            margin: palette.mix(MARGIN_INK),
            bytes: Box::new(bytes),
            mixtures: Box::new(std::array::from_fn(|ink| palette.mix(ink as u8))),
        }
    }

    /// Draws the changed lines of `frame` as `view` shows them into the `pixels` of the
    /// window; returns the window's lines that are new.
    pub fn paint(&self, frame: &Frame, view: &View, pixels: &mut [u32]) -> Vec<Range<u32>> {
        let mut painted = Vec::new();
        for lines in frame.changed() {
            let rows = if is_whole(view.scale) {
                self.paint_squares(frame, view, pixels, lines)
            } else {
                self.paint_mixtures(frame, view, pixels, lines)
            };
            painted.extend(Some(rows).filter(|rows| !rows.is_empty()));
        }
        painted
    }

    /// Draws what is around the picture.
    pub fn paint_margin(&self, view: &View, pixels: &mut [u32]) {
        let (columns, rows) = (picture_columns(view), picture_rows(view));
        let width = view.window.0.max(1) as usize;
        for (y, row) in pixels.chunks_exact_mut(width).enumerate() {
            if rows.contains(&(y as u32)) {
                row[..columns.start as usize].fill(self.margin);
                row[columns.end as usize..].fill(self.margin);
            } else {
                row.fill(self.margin);
            }
        }
    }

    fn paint_squares(
        &self,
        frame: &Frame,
        view: &View,
        pixels: &mut [u32],
        lines: Range<u16>,
    ) -> Range<u32> {
        let side = view.scale as i32;
        let width = view.window.0 as usize;
        let columns = picture_columns(view);
        // Screen pixels left of the window.
        let hidden = (columns.start as i32 - view.origin.0) as usize;
        let row_of = |y: u16| (view.origin.1 + i32::from(y) * side).clamp(0, view.window.1 as i32);
        for y in lines.clone() {
            let rows = row_of(y) as usize..row_of(y + 1) as usize;
            if rows.is_empty() {
                continue;
            }
            let first = rows.start * width;
            let target = &mut pixels[first..][columns.start as usize..columns.end as usize];
            let bits = frame.line(y).iter();
            let squares = bits.flat_map(|&byte| self.bytes[usize::from(byte)]);
            if side == 1 && hidden == 0 {
                for (eight, byte) in target.chunks_mut(8).zip(frame.line(y)) {
                    eight.copy_from_slice(&self.bytes[usize::from(*byte)][..eight.len()]);
                }
            } else {
                let side = side as usize;
                let mut squares = squares.skip(hidden / side);
                let (start, rest) = target.split_at_mut((side - hidden % side).min(target.len()));
                start.fill(squares.next().unwrap_or_default());
                for (square, colour) in rest.chunks_mut(side).zip(squares) {
                    square.fill(colour);
                }
            }
            for row in rows.skip(1) {
                pixels.copy_within(first..first + width, row * width);
            }
        }
        row_of(lines.start) as u32..row_of(lines.end) as u32
    }

    fn paint_mixtures(
        &self,
        frame: &Frame,
        view: &View,
        pixels: &mut [u32],
        lines: Range<u16>,
    ) -> Range<u32> {
        let all = picture_rows(view);
        // A row shows a part of the line beside it, too; places are rounded.
        let row_at = |y: u16| f64::from(view.origin.1) + f64::from(y) * view.scale;
        let start = (row_at(lines.start).floor() as i32 - 1).max(all.start as i32) as u32;
        let end = (row_at(lines.end).ceil() as i32 + 1).clamp(0, all.end as i32) as u32;
        let columns = picture_columns(view);
        let stops: Vec<Stop> = (columns.start..=columns.end)
            .map(|x| Stop::new(x as i32 - view.origin.0, view.scale, frame.width()))
            .collect();
        let mut sums = Sums::new(frame);
        let mut ink = vec![0u32; columns.len()];
        for row in start..end {
            let from = Stop::new(row as i32 - view.origin.1, view.scale, frame.height());
            let to = Stop::new(row as i32 + 1 - view.origin.1, view.scale, frame.height());
            ink.fill(0);
            for y in from.pixel..=to.pixel.min(frame.height().saturating_sub(1)) {
                let top = if y == from.pixel { from.part } else { 0 };
                let bottom = if y == to.pixel { to.part } else { Stop::WHOLE };
                let height = bottom.saturating_sub(top);
                if height > 0 {
                    sums.add(y, &stops, height, &mut ink);
                }
            }
            let height = to.since(from);
            let target = &mut pixels[row as usize * view.window.0 as usize..];
            let target = &mut target[columns.start as usize..columns.end as usize];
            for ((pixel, ink), stops) in target.iter_mut().zip(&ink).zip(stops.windows(2)) {
                let area = (stops[1].since(stops[0]) * height).max(1);
                *pixel = self.mixtures[(ink * 255 / area).min(255) as usize];
            }
        }
        start..end
    }
}

fn is_whole(scale: f64) -> bool {
    scale.fract() == 0.0
}

/// Columns of the window in which the picture is.
fn picture_columns(view: &View) -> Range<u32> {
    inside(view.origin.0, view.size().0, view.window.0)
}

/// Rows of the window in which the picture is.
fn picture_rows(view: &View) -> Range<u32> {
    inside(view.origin.1, view.size().1, view.window.1)
}

fn inside(origin: i32, picture: u32, window: u32) -> Range<u32> {
    let end = (origin + picture as i32).clamp(0, window as i32);
    origin.clamp(0, end) as u32..end as u32
}

/// A place on an axis of the screen, between two pixels or within one.
#[derive(Clone, Copy)]
struct Stop {
    pixel: u16,
    /// Parts of that pixel that lie before it.
    part: u32,
}

impl Stop {
    /// Parts of a pixel.
    const WHOLE: u32 = 64;

    /// The place of the window pixel `at`, counted from the picture's edge.
    fn new(at: i32, scale: f64, pixels: u16) -> Self {
        let most = u32::from(pixels) * Self::WHOLE;
        let place = f64::from(at) / scale * f64::from(Self::WHOLE);
        let place = (place.round().max(0.0) as u32).min(most);
        Self {
            pixel: (place / Self::WHOLE) as u16,
            part: place % Self::WHOLE,
        }
    }

    /// Parts between two places.
    fn since(self, before: Self) -> u32 {
        let parts = |stop: Self| u32::from(stop.pixel) * Self::WHOLE + stop.part;
        parts(self) - parts(before)
    }
}

/// For one line after the other: the ink between its start and every pixel.
struct Sums<'f> {
    frame: &'f Frame,
    line: Option<u16>,
    before: Vec<u32>,
}

impl<'f> Sums<'f> {
    fn new(frame: &'f Frame) -> Self {
        Self {
            frame,
            line: None,
            before: vec![0; usize::from(frame.width()) + 2],
        }
    }

    /// Adds the ink between every two stops in line `y`, of which `height` parts count.
    fn add(&mut self, y: u16, stops: &[Stop], height: u32, ink: &mut [u32]) {
        if self.line != Some(y) {
            self.line = Some(y);
            let mut sum = 0;
            for (x, before) in self.before.iter_mut().enumerate() {
                *before = sum;
                let byte = self.frame.line(y).get(x / 8).copied().unwrap_or_default();
                sum += u32::from(byte >> (7 - x % 8) & 1);
            }
        }
        let sum_at = |stop: &Stop| {
            let x = usize::from(stop.pixel);
            let (before, behind) = (self.before[x], self.before[x + 1]);
            before * Stop::WHOLE + (behind - before) * stop.part
        };
        let mut left = stops.first().map_or(0, sum_at);
        for (ink, stop) in ink.iter_mut().zip(&stops[1..]) {
            let right = sum_at(stop);
            *ink += (right - left) * height;
            left = right;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::display::window::view::Fit;
    use proptest::prelude::*;

    const INK: u32 = 0;
    const PAPER: u32 = 0xFFFFFF;

    fn frame(lines: &[u32]) -> Frame {
        let mut frame = Frame::new((32, lines.len() as u16));
        frame.set_shown();
        for (y, line) in (0..).zip(lines) {
            frame.set_line(y, &line.to_be_bytes());
        }
        frame.set_new();
        frame
    }

    fn painted(frame: &Frame, view: &View) -> Vec<u32> {
        let mut pixels = vec![0x123456; (view.window.0 * view.window.1) as usize];
        let painter = Painter::new(Palette::default());
        painter.paint_margin(view, &mut pixels);
        painter.paint(frame, view, &mut pixels);
        pixels
    }

    /// What every scale is compared with: the colour of the screen pixel that is under
    /// the middle of a window pixel.
    fn model(frame: &Frame, view: &View, x: u32, y: u32) -> Option<u32> {
        let at = |at: u32, origin: i32| (f64::from(at) + 0.5 - f64::from(origin)) / view.scale;
        let (x, y) = (at(x, view.origin.0).floor(), at(y, view.origin.1).floor());
        let inside = |at: f64, most: u16| (0.0..f64::from(most)).contains(&at);
        if !inside(x, frame.width()) || !inside(y, frame.height()) {
            return None;
        }
        let byte = frame.line(y as u16)[x as usize / 8];
        Some(if byte >> (7 - x as usize % 8) & 1 == 1 {
            INK
        } else {
            PAPER
        })
    }

    proptest! {
        #[test]
        fn whole_scales_paint_squares(
            lines in prop::collection::vec(any::<u32>(), 1..8),
            window in (1u32..120, 1u32..40),
            scale in 1..=4u8,
            origin in (-40..40i32, -10..10i32),
        ) {
            let frame = frame(&lines);
            let scale = f64::from(scale);
            let mut view = View::new((32, lines.len() as u16), window, Fit::Scroll, scale);
            view.origin = origin;
            let pixels = painted(&frame, &view);
            let margin = Palette::default().mix(MARGIN_INK);
            for (index, &pixel) in (0..).zip(&pixels) {
                let (x, y) = (index % window.0, index / window.0);
                let expected = model(&frame, &view, x, y).unwrap_or(margin);
                prop_assert_eq!(pixel, expected, "{} {}", x, y);
            }
        }

        #[test]
        fn other_scales_keep_the_amount_of_ink(
            lines in prop::collection::vec(any::<u32>(), 8),
            scale in 0.5..3.0f64,
        ) {
            let frame = frame(&lines);
            let window = crate::display::window::view::size((32, 8), scale);
            let view = View::new((32, 8), window, Fit::Scroll, scale);
            let pixels = painted(&frame, &view);
            let darkness: u64 = pixels.iter().map(|p| 255 - u64::from(p & 0xFF)).sum();
            let ink: u32 = lines.iter().map(|line| line.count_ones()).sum();
            let expected = f64::from(ink) / 256.0;
            let found = darkness as f64 / 255.0 / pixels.len() as f64;
            prop_assert!((expected - found).abs() < 0.04, "{} {}", expected, found);
        }

        #[test]
        fn painting_what_changed_is_painting_all(
            lines in prop::collection::vec(any::<u32>(), 8),
            changed in 0..8u16,
            line in any::<u32>(),
            window in (1u32..90, 1u32..40),
            fit in prop::sample::select(vec![Fit::Scale, Fit::Letterbox, Fit::Scroll]),
            scale in 0.5..3.0f64,
        ) {
            let mut frame = frame(&lines);
            let view = View::new((32, 8), window, fit, scale);
            let mut pixels = painted(&frame, &view);
            let before = pixels.clone();
            frame.set_shown();
            frame.set_line(changed, &line.to_be_bytes());
            let rows = Painter::new(Palette::default()).paint(&frame, &view, &mut pixels);
            frame.set_new();
            prop_assert_eq!(&pixels, &painted(&frame, &view));
            for (index, (old, new)) in (0..).zip(before.iter().zip(&pixels)) {
                let row = index / window.0;
                prop_assert!(old == new || rows.iter().any(|rows| rows.contains(&row)));
            }
        }
    }
}
