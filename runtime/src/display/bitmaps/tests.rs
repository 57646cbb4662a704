//! The services against their meaning, one pixel at a time.

use std::cell::RefCell;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::display::pictures;
use crate::layout::records::pilot_bbt;
use crate::layout::{Medley2, Medley3};
use crate::testing::with_machine;

const SOURCE: LispPtr = LispPtr(0x12_0000);
const DESTINATION: LispPtr = LispPtr(0x12_1000);
const TEXTURE: LispPtr = LispPtr(0x12_2000);
const TABLE: LispPtr = LispPtr(0x12_3000);

fn int(n: i32) -> LispPtr {
    LispPtr::small(n).unwrap()
}

/// Fills the bitmap with noise.
fn scribble<G: Generation>(mem: Mem<'_, G>, object: LispPtr, mut seed: u32) {
    let bitmap = Bitmap::read(mem, object);
    for n in 0..u32::from(bitmap.raster) * u32::from(bitmap.height) {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        mem.set_word(bitmap.base.add(n), (seed >> 16) as u16);
    }
}

fn operated(operation: u8, d: bool, s: bool) -> bool {
    match operation {
        0 => s,
        1 => d || s,
        2 => d && !s,
        _ => d != s,
    }
}

fn operation_symbol<G: Generation>(m: &Machine<'_, G>, operation: u8) -> LispPtr {
    let symbols = &m.symbols;
    [
        symbols.replace,
        symbols.paint,
        symbols.erase,
        symbols.invert,
    ][usize::from(operation)]
}

fn clipping_list<G: Generation>(
    m: &mut Machine<'_, G>,
    region: Option<(i32, i32, i32, i32)>,
) -> LispPtr {
    let Some((left, bottom, width, height)) = region else {
        return LispPtr::NIL;
    };
    [height, width, bottom, left]
        .into_iter()
        .fold(LispPtr::NIL, |list, n| m.cons(int(n), list))
}

fn inside(region: Option<(i32, i32, i32, i32)>, (x, y): (i32, i32)) -> bool {
    region.is_none_or(|(left, bottom, width, height)| {
        (left..left + width).contains(&x) && (bottom..bottom + height).contains(&y)
    })
}

type Region = (i32, i32, i32, i32);

/// Regions around a bitmap of some 100 by 40.
fn regions() -> impl Strategy<Value = Region> {
    (-20..110, -10..50, -5..90, -5..40)
}

#[derive(Clone, Copy, Debug)]
struct BitBlt {
    from: (i32, i32),
    to: Region,
    clip: Option<Region>,
    clipped: (i32, i32),
    invert: bool,
    operation: u8,
    same: bool,
    seed: u32,
}

prop_compose! {
    fn bitblts()(
        from in (-20..110_i32, -10..50_i32),
        to in regions(),
        clip in proptest::option::of(regions()),
        clipped in prop_oneof![2 => Just((0, 0)), 1 => (-5..60_i32, -5..30_i32)],
        invert: bool,
        operation in 0..4_u8,
        same: bool,
        seed: u32,
    ) -> BitBlt {
        BitBlt { from, to, clip, clipped, invert, operation, same, seed }
    }
}

impl BitBlt {
    /// Performs the case; answers the destination as it is and as it should
    /// be.
    fn perform<G: Generation>(&self, m: &mut Machine<'_, G>) -> [Vec<Vec<bool>>; 2] {
        let source = pictures::make(m.mem, SOURCE, 97, 37);
        let destination = if self.same {
            source
        } else {
            pictures::make(m.mem, DESTINATION, 75, 41)
        };
        scribble(m.mem, source, self.seed);
        scribble(m.mem, destination, self.seed ^ 77);
        let from = pictures::pixels(m.mem, source);
        let before = pictures::pixels(m.mem, destination);
        let mut expected = before.clone();
        let ((sx, sy), (dx, dy, width, height)) = (self.from, self.to);
        let (from_height, to_height) = (from.len() as i32, before.len() as i32);
        let mut any = false;
        for (line, y) in expected.iter_mut().zip((0..to_height).rev()) {
            for (pixel, x) in line.iter_mut().zip(0..) {
                let (u, v) = (x - dx + sx, y - dy + sy);
                if !inside(self.clip, (x, y))
                    || !inside(Some(self.to), (x, y))
                    || !inside(Some((0, 0, from[0].len() as i32, from_height)), (u, v))
                    || !inside(
                        Some((self.clipped.0, self.clipped.1, width, height)),
                        (u, v),
                    )
                {
                    continue;
                }
                any = true;
                let s = from[(from_height - 1 - v) as usize][u as usize] != self.invert;
                *pixel = operated(self.operation, *pixel, s);
            }
        }
        let clip = clipping_list(m, self.clip);
        let source_type = if self.invert {
            m.symbols.invert
        } else {
            m.symbols.input
        };
        let args = Args::new([
            source,
            int(sx),
            int(sy),
            destination,
            int(dx),
            int(dy),
            int(width),
            int(height),
            source_type,
            operation_symbol(m, self.operation),
            LispPtr::NIL,
            clip,
            int(self.clipped.0),
            int(self.clipped.1),
        ]);
        let outcome = m.bitblt_bitmap(&args);
        assert_eq!(outcome, Outcome::Value(LispPtr::from_bool(any)));
        [pictures::pixels(m.mem, destination), expected]
    }
}

fn check<S: Strategy>(cases: S, test: impl Fn(S::Value) -> [Vec<Vec<bool>>; 2]) {
    let mut runner = TestRunner::new(Config {
        cases: 150,
        failure_persistence: None,
        ..Config::default()
    });
    runner
        .run(&cases, |case| {
            let [drawn, expected] = test(case);
            prop_assert_eq!(drawn, expected);
            Ok(())
        })
        .unwrap();
}

#[test]
fn bitblt_copies_the_clipped_part() {
    fn run<G: Generation>() {
        with_machine::<G>(|m| {
            let m = RefCell::new(m);
            check(bitblts(), |case| case.perform(&mut m.borrow_mut()));
        });
    }
    run::<Medley2>();
    run::<Medley3>();
}

#[derive(Clone, Copy, Debug)]
struct Shade {
    texture: u8,
    to: Region,
    whole: (bool, bool),
    clip: Option<Region>,
    operation: u8,
    seed: u32,
}

prop_compose! {
    fn shades()(
        texture in 0..5_u8,
        to in regions(),
        whole: (bool, bool),
        clip in proptest::option::of(regions()),
        operation in 0..4_u8,
        seed: u32,
    ) -> Shade {
        Shade { texture, to, whole, clip, operation, seed }
    }
}

impl Shade {
    /// The texture and its pixels.
    fn texture<G: Generation>(
        &self,
        m: &mut Machine<'_, G>,
    ) -> (LispPtr, Box<dyn Fn(i32, i32) -> bool>) {
        match self.texture {
            0 => (LispPtr::NIL, Box::new(|_, _| false)),
            1 => (int(0xFFFF), Box::new(|_, _| true)),
            2 => {
                let rows = [0b1000, 0b0100, 0b0110, 0b0001_u16];
                let pixel = move |x: i32, y: i32| rows[y as usize % 4] & 8 >> (x as u32 % 4) != 0;
                (int(0x8461), Box::new(pixel))
            }
            n => {
                // More rows than a texture can have, and an odd number.
                let count = [20, 5][usize::from(n) - 3];
                let object = pictures::make(m.mem, TEXTURE, 16, count);
                scribble(m.mem, object, 4321);
                let rows = pictures::pixels(m.mem, object);
                let pixel = move |x: i32, y: i32| {
                    rows[y as usize % usize::from(count.min(16))][x as usize % 16]
                };
                (object, Box::new(pixel))
            }
        }
    }

    fn perform<G: Generation>(&self, m: &mut Machine<'_, G>) -> [Vec<Vec<bool>>; 2] {
        let destination = pictures::make(m.mem, DESTINATION, 97, 37);
        scribble(m.mem, destination, self.seed);
        let (texture, pixel_of) = self.texture(m);
        let mut expected = pictures::pixels(m.mem, destination);
        let bottom_line = expected.len() as i32 - 1;
        let mut any = false;
        let (left, bottom, width, height) = self.to;
        let width = if self.whole.0 { 1000 } else { width };
        let height = if self.whole.1 { 1000 } else { height };
        for (line, y) in expected.iter_mut().zip((0..=bottom_line).rev()) {
            for (pixel, x) in line.iter_mut().zip(0..) {
                if inside(self.clip, (x, y)) && inside(Some((left, bottom, width, height)), (x, y))
                {
                    any = true;
                    *pixel = operated(self.operation, *pixel, pixel_of(x, bottom_line - y));
                }
            }
        }
        let extent = |whole, n| if whole { LispPtr::NIL } else { int(n) };
        let clip = clipping_list(m, self.clip);
        let args = Args::new([
            texture,
            destination,
            int(left),
            int(bottom),
            extent(self.whole.0, width),
            extent(self.whole.1, height),
            operation_symbol(m, self.operation),
            clip,
        ]);
        let outcome = m.bltshade_bitmap(&args);
        assert_eq!(outcome, Outcome::Value(LispPtr::from_bool(any)));
        [pictures::pixels(m.mem, destination), expected]
    }
}

#[test]
fn bltshade_fills_with_a_texture_that_hangs_in_the_upper_left_corner() {
    fn run<G: Generation>() {
        with_machine::<G>(|m| {
            let m = RefCell::new(m);
            check(shades(), |case| case.perform(&mut m.borrow_mut()));
        });
    }
    run::<Medley2>();
    run::<Medley3>();
}

fn sub_of<G: Generation>() {
    with_machine::<G>(|mut m| {
        let lines = ["X.........", ".XX.......", "..........", "XXXXXXXXXX"];
        let source = pictures::make_from(m.mem, SOURCE, &lines);
        m.mem.set_word(TABLE.add(pilot_bbt::WIDTH), 3);
        m.mem.set_word(TABLE.add(pilot_bbt::HEIGHT), 2);
        // A copy inside the bitmap that overlaps itself.
        let mut values = [LispPtr::NIL; 13];
        (values[0], values[1], values[4]) = (TABLE, source, source);
        (values[2], values[3], values[5], values[6]) = (int(0), int(0), int(1), int(1));
        m.bitblt_sub(&Args::new(values));
        assert_eq!(
            pictures::text(m.mem, source),
            ["X.........", ".X........", "..XX......", "XXXXXXXXXX"]
        );
        // A texture that follows a window.
        values[8] = m.symbols.texture;
        values[9] = m.symbols.erase;
        (values[5], values[6]) = (int(2), int(2));
        let texture = [int(0x8421), int(1), int(3)];
        values[10..].copy_from_slice(&texture);
        m.bitblt_sub(&Args::new(values));
        assert_eq!(
            pictures::text(m.mem, source),
            ["X.........", ".X........", "...X......", "XXX.XXXXXX"]
        );
    });
}

#[test]
fn bitblt_sub() {
    sub_of::<Medley2>();
    sub_of::<Medley3>();
}

#[test]
fn what_lisp_must_do() {
    with_machine::<Medley2>(|mut m| {
        let bitmap = pictures::make(m.mem, SOURCE, 20, 20);
        let deep = pictures::make(m.mem, DESTINATION, 20, 20);
        m.mem.set_word(deep.add(bitmap::BITS_PER_PIXEL), 8);
        let zero = int(0);
        let punt = Outcome::Punt(m.symbols.punt_bitblt_bitmap);
        for (from, to, source_type) in [
            (bitmap, deep, LispPtr::NIL),
            (deep, bitmap, LispPtr::NIL),
            (bitmap, bitmap, m.symbols.merge),
        ] {
            let args = Args::new([from, zero, zero, to, zero, zero, zero, zero, source_type]);
            assert_eq!(m.bitblt_bitmap(&args), punt);
        }
        let punt = Outcome::Punt(m.symbols.punt_bltshade_bitmap);
        let list = m.cons(zero, LispPtr::NIL);
        for (texture, to) in [
            (LispPtr::NIL, deep),
            (m.symbols.input, bitmap),
            (list, bitmap),
        ] {
            let args = Args::new([texture, to, zero, zero]);
            assert_eq!(m.bltshade_bitmap(&args), punt);
        }
    });
}

#[test]
fn nonsense_is_refused() {
    with_machine::<Medley3>(|mut m| {
        let bitmap = pictures::make(m.mem, SOURCE, 20, 20);
        let nothing = Outcome::Value(LispPtr::NIL);
        let large = m.number(i32::MAX);
        let small = m.number(i32::MIN);
        let short_clip = m.cons(large, LispPtr::NIL);
        for clip in [LispPtr::NIL, int(5), short_clip, LispPtr(!0)] {
            for n in [large, small, LispPtr::T, LispPtr(!0)] {
                let mut values = [n; 14];
                (values[0], values[3], values[11]) = (bitmap, bitmap, clip);
                assert_eq!(m.bitblt_bitmap(&Args::new(values)), nothing);
                let args = Args::new([LispPtr::NIL, bitmap, n, n, n, n, n, clip]);
                assert_eq!(m.bltshade_bitmap(&args), nothing);
            }
        }
        // A texture without rows.
        let empty = pictures::make(m.mem, TEXTURE, 16, 0);
        let args = Args::new([empty, bitmap, int(0), int(0)]);
        assert_eq!(m.bltshade_bitmap(&args), nothing);
        m.bitblt_sub(&Args::new([LispPtr(!0); 13]));
    });
}
