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
