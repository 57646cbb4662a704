//! Bitmaps as text, for tests: `X` is a black pixel, `.` a white one.

use crate::layout::Generation;
use crate::layout::records::bitmap;
use crate::memory::{LispPtr, Mem};

/// Words between the bitmap objects of a test, and before their pixels.
const RECORD: u32 = 8;

/// Makes a bitmap object at `at`, followed by its pixels, all white.
pub fn make<G: Generation>(mem: Mem<'_, G>, at: LispPtr, width: u16, height: u16) -> LispPtr {
    let raster = width.div_ceil(16);
    let base = at.add(RECORD);
    mem.set_cell(at.add(bitmap::BASE), base);
    mem.set_word(at.add(bitmap::RASTER_WIDTH), raster);
    mem.set_word(at.add(bitmap::WIDTH), width);
    mem.set_word(at.add(bitmap::HEIGHT), height);
    mem.set_word(at.add(bitmap::BITS_PER_PIXEL), 1);
    for n in 0..u32::from(raster) * u32::from(height) {
        mem.set_word(base.add(n), 0);
    }
    at
}

/// Makes a bitmap object at `at` with the pixels of `lines`.
pub fn make_from<G: Generation>(mem: Mem<'_, G>, at: LispPtr, lines: &[&str]) -> LispPtr {
    let object = make(mem, at, lines[0].len() as u16, lines.len() as u16);
    for (y, line) in (0..).zip(lines) {
        for (x, _) in line.match_indices('X') {
            set(mem, object, x as u16, y);
        }
    }
    object
}

/// The first word of the pixels of the bitmap `object`.
pub fn base<G: Generation>(mem: Mem<'_, G>, object: LispPtr) -> LispPtr {
    mem.cell(object.add(bitmap::BASE))
}

fn place<G: Generation>(mem: Mem<'_, G>, object: LispPtr, x: u16, y: u16) -> (LispPtr, u16) {
    let raster = mem.word(object.add(bitmap::RASTER_WIDTH));
    let word = u32::from(y) * u32::from(raster) + u32::from(x / 16);
    (base(mem, object).add(word), 0x8000 >> (x % 16))
}

/// Blackens the pixel (`x`, `y`), y counted from the top.
pub fn set<G: Generation>(mem: Mem<'_, G>, object: LispPtr, x: u16, y: u16) {
    let (word, bit) = place(mem, object, x, y);
    mem.set_word(word, mem.word(word) | bit);
}

/// The pixels of the bitmap `object`, line by line.
pub fn pixels<G: Generation>(mem: Mem<'_, G>, object: LispPtr) -> Vec<Vec<bool>> {
    let pixel = |x, y| {
        let (word, bit) = place(mem, object, x, y);
        mem.word(word) & bit != 0
    };
    (0..mem.word(object.add(bitmap::HEIGHT)))
        .map(|y| {
            (0..mem.word(object.add(bitmap::WIDTH)))
                .map(|x| pixel(x, y))
                .collect()
        })
        .collect()
}

/// The pixels of the bitmap `object` as text.
pub fn text<G: Generation>(mem: Mem<'_, G>, object: LispPtr) -> Vec<String> {
    let letter = |&pixel: &bool| if pixel { 'X' } else { '.' };
    pixels(mem, object)
        .iter()
        .map(|line| line.iter().map(letter).collect())
        .collect()
}
