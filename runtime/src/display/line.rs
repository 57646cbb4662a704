//! Single pixels and lines: the instructions DRAWLINE and FASTBITMAPBIT
//! (`reference/processor.md` section 26, `reference/opcodes.toml` misc7).

use crate::layout::Generation;
use crate::machine::Machine;
use crate::memory::{LispPtr, Mem};

/// The leftmost pixel of a word.
const LEFTMOST: u16 = 0x8000;

/// What happens to the pixels of a line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ink {
    Set,
    Clear,
    Invert,
}

/// A pixel that can move.
#[derive(Clone, Copy)]
struct Pen {
    word: LispPtr,
    /// The pixel in the word; 0 stands for the place left of the next word.
    bit: u16,
}

impl Pen {
    #[inline(always)]
    fn plot<G: Generation>(self, mem: Mem<'_, G>, ink: Ink) {
        let old = mem.word(self.word);
        let new = match ink {
            Ink::Set => old | self.bit,
            Ink::Clear => old & !self.bit,
            Ink::Invert => old ^ self.bit,
        };
        mem.set_word(self.word, new);
    }

    #[inline(always)]
    fn move_right(&mut self) {
        self.bit >>= 1;
        if self.bit == 0 {
            self.bit = LEFTMOST;
            self.word = self.word.add(1);
        }
    }

    #[inline(always)]
    fn move_lines(&mut self, words: i32) {
        self.word = LispPtr(self.word.0.wrapping_add_signed(words));
    }
}

impl<G: Generation> Machine<'_, G> {
    /// Instruction DRAWLINE: the inner loop of Bresenham's algorithm.
    ///
    /// The line starts at pixel `bit` of the word `start`, in a bitmap whose
    /// lines are `raster` words apart (negative to draw upward), and always goes
    /// to the right. It extends over `dx` and `dy` pixels; `delta` is the
    /// deviation it starts with; it ends after `x_steps` or `y_steps`.
    /// `operation` is 0 to set pixels, 1 to clear, 2 to invert; others draw
    /// nothing.
    #[allow(clippy::too_many_arguments)] // The nine operands of the instruction.
    pub fn draw_line(
        &mut self,
        start: LispPtr,
        bit: u16,
        dx: u16,
        raster: i32,
        dy: u16,
        operation: u16,
        delta: u16,
        mut x_steps: u16,
        mut y_steps: u16,
    ) {
        let ink = match operation & 3 {
            0 => Ink::Set,
            1 => Ink::Clear,
            2 => Ink::Invert,
            _ => return,
        };
        let mem = self.mem;
        let mut pen = Pen {
            word: start,
            bit: LEFTMOST.checked_shr(bit.into()).unwrap_or(0),
        };
        let (dx, dy) = (i32::from(dx), i32::from(dy));
        if dx > dy {
            if pen.bit == 0 {
                pen.move_right();
            }
            let mut deviation = dx - i32::from(delta) - 1;
            while x_steps > 0 && y_steps > 0 {
                pen.plot(mem, ink);
                pen.move_right();
                x_steps -= 1;
                deviation -= dy;
                if deviation < 0 {
                    deviation += dx;
                    pen.move_lines(raster);
                    y_steps -= 1;
                }
            }
        } else {
            let mut deviation = dy - i32::from(delta) - 1;
            while x_steps > 0 && y_steps > 0 {
                pen.plot(mem, ink);
                pen.move_lines(raster);
                y_steps -= 1;
                deviation -= dx;
                if deviation < 0 {
                    deviation += dy;
                    pen.move_right();
                    x_steps -= 1;
                }
            }
        }
    }

    /// Instruction MISC7, FASTBITMAPBIT: answers pixel (`x`, `y`), y counted from
    /// the bottom, of the bitmap at `base` and changes it: `operation` 0
    /// inverts, 1 clears, 2 leaves it, others set it.
    pub fn bitmap_bit(
        &mut self,
        base: LispPtr,
        x: i32,
        y: i32,
        operation: i32,
        height_minus_1: i32,
        raster: i32,
    ) -> bool {
        let line = raster.wrapping_mul(height_minus_1.wrapping_sub(y));
        let word = LispPtr(base.0.wrapping_add_signed(line.wrapping_add(x / 16)));
        let bit = LEFTMOST >> (x & 15);
        let old = self.mem.word(word);
        let new = match operation {
            0 => old ^ bit,
            1 => old & !bit,
            2 => old,
            _ => old | bit,
        };
        if new != old {
            self.mem.set_word(word, new);
        }
        old & bit != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::display::pictures;
    use crate::layout::{Medley2, Medley3};
    use crate::testing::with_machine;

    const BITMAP: LispPtr = LispPtr(0x12_0000);

    /// Draws on a bitmap of 20 by 5 pixels, starting in line `y`.
    fn drawn<G: Generation>(
        y: u32,
        draw: impl FnOnce(&mut Machine<'_, G>, LispPtr),
    ) -> Vec<String> {
        let mut lines = Vec::new();
        with_machine::<G>(|mut m| {
            let bitmap = pictures::make(m.mem, BITMAP, 20, 5);
            let start = pictures::base(m.mem, bitmap).add(2 * y);
            draw(&mut m, start);
            lines = pictures::text(m.mem, bitmap);
        });
        lines
    }

    fn lines_of<G: Generation>() {
        let flat = drawn::<G>(0, |m, start| {
            m.draw_line(start, 1, 18, 2, 4, 0, 9, 18, 100);
        });
        assert_eq!(
            flat,
            [
                ".XXX................",
                "....XXXX............",
                "........XXXXX.......",
                ".............XXXX...",
                ".................XX.",
            ]
        );
        let steep_upward = drawn::<G>(4, |m, start| {
            m.draw_line(start, 14, 2, -2, 5, 0, 2, 100, 5);
        });
        assert_eq!(
            steep_upward,
            [
                "................X...",
                "...............X....",
                "...............X....",
                "..............X.....",
                "..............X.....",
            ]
        );
        let erased = drawn::<G>(0, |m, start| {
            m.draw_line(start, 0, 20, 2, 0, 0, 0, 20, 1);
            m.draw_line(start, 2, 4, 2, 0, 1, 0, 4, 1);
            m.draw_line(start, 5, 20, 2, 0, 2, 0, 12, 1);
            m.draw_line(start, 0, 20, 2, 0, 3, 0, 20, 1);
        });
        assert_eq!(erased[0], "XX...X...........XXX");
    }

    #[test]
    fn lines() {
        lines_of::<Medley2>();
        lines_of::<Medley3>();
    }

    #[test]
    fn a_bit_beyond_the_word_is_its_right_neighbour() {
        let flat = drawn::<Medley2>(0, |m, start| {
            m.draw_line(start, 40_000, 2, 2, 0, 0, 0, 2, 1);
        });
        assert_eq!(flat[0], "................XX..");
        let steep = drawn::<Medley2>(0, |m, start| {
            m.draw_line(start, 16, 3, 2, 3, 0, 0, 3, 3);
        });
        assert_eq!(steep[0], "....................");
        assert_eq!(steep[1], "................X...");
    }

    #[test]
    fn any_numbers_end() {
        with_machine::<Medley3>(|mut m| {
            for n in [0, 1, 0x8000, 0xFFFF] {
                let raster = i32::from(n) << 16;
                m.draw_line(LispPtr(!0), n, n, raster, n, n, n, !n, 0xFFFF);
                m.draw_line(LispPtr(!0), n, n, raster, !n, n & 1, n, 0xFFFF, !n);
                m.bitmap_bit(LispPtr(!0), raster, raster, 0, i32::MAX, i32::MIN);
            }
        });
    }

    fn bits_of<G: Generation>() {
        let lines = drawn::<G>(0, |m, base| {
            assert!(!m.bitmap_bit(base, 17, 4, 3, 4, 2));
            assert!(m.bitmap_bit(base, 17, 4, 2, 4, 2));
            assert!(!m.bitmap_bit(base, 0, 0, 0, 4, 2));
            assert!(m.bitmap_bit(base, 0, 0, 0, 4, 2));
            assert!(!m.bitmap_bit(base, 3, 1, -7, 4, 2));
            assert!(m.bitmap_bit(base, 3, 1, 1, 4, 2));
            assert!(!m.bitmap_bit(base, 3, 1, 1, 4, 2));
        });
        assert_eq!(lines[0], ".................X..");
        assert!(lines[1..].iter().all(|line| !line.contains('X')));
    }

    #[test]
    fn single_pixels() {
        bits_of::<Medley2>();
        bits_of::<Medley3>();
    }
}
