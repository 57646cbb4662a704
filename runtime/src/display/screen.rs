//! The picture on the screen (`reference/devices.md` section 1).

use crate::layout::records::io_page;
use crate::layout::{DISPLAY, DISPLAY_WORDS, Generation, IO_PAGE};
use crate::machine::Machine;
use crate::memory::Mem;

/// Lines and columns of the cursor.
const CURSOR_SIZE: u16 = 16;

/// A view of the screen: what memory holds when it is asked.
#[derive(Clone, Copy)]
pub struct Screen<'m, G> {
    mem: Mem<'m, G>,
    width: u16,
    height: u16,
    inverse: bool,
}

impl<'m, G: Generation> Screen<'m, G> {
    /// A screen of `width` (rounded down to a multiple of 32) by `height`, cut
    /// off where the bitmap's memory ends.
    pub fn new(mem: Mem<'m, G>, (width, height): (u16, u16), inverse: bool) -> Self {
        let width = width & !31;
        let room = DISPLAY_WORDS * 16 / u32::from(width.max(1));
        Self {
            mem,
            width,
            height: u32::from(height).min(room) as u16,
            inverse,
        }
    }

    /// Pixels in a line, a multiple of 32.
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Lines.
    pub fn height(&self) -> u16 {
        self.height
    }

    /// Bytes of a line: 8 pixels each, the most significant bit leftmost, 1 =
    /// black.
    pub fn line_bytes(&self) -> usize {
        usize::from(self.width / 8)
    }

    /// Stores line `y`, counted from the top, in `line`, without the cursor. A
    /// shorter `line` gets the left part.
    pub fn read_line(&self, y: u16, line: &mut [u8]) {
        if y >= self.height {
            return;
        }
        let flip = if self.inverse { !0 } else { 0 };
        let first = DISPLAY.add(u32::from(y) * u32::from(self.width / 16));
        let bytes = line.len().min(self.line_bytes());
        let cell = |n: usize| self.mem.cell(first.add(n as u32 * 2)).0 ^ flip;
        let (cells, rest) = line[..bytes].as_chunks_mut();
        for (n, bytes) in cells.iter_mut().enumerate() {
            *bytes = cell(n).to_be_bytes();
        }
        rest.copy_from_slice(&cell(cells.len()).to_be_bytes()[..rest.len()]);
    }

    /// The whole picture, one line after the other.
    pub fn picture(&self, with_cursor: bool) -> Vec<u8> {
        let mut picture = vec![0; self.line_bytes() * usize::from(self.height)];
        if picture.is_empty() {
            return picture;
        }
        for (y, line) in (0..).zip(picture.chunks_exact_mut(self.line_bytes())) {
            self.read_line(y, line);
        }
        if with_cursor {
            self.draw_cursor(&mut picture);
        }
        picture
    }

    /// Where the upper left pixel of the cursor is. Left of or above the screen
    /// coordinates are just below 65536.
    pub fn cursor_position(&self) -> (u16, u16) {
        let word = |offset| self.mem.word(IO_PAGE.add(offset));
        (word(io_page::CURSOR_X), word(io_page::CURSOR_Y))
    }

    /// The lines of the cursor, the most significant bit leftmost; where a bit
    /// is 0 the screen can be seen.
    pub fn cursor(&self) -> [u16; CURSOR_SIZE as usize] {
        std::array::from_fn(|line| {
            self.mem
                .word(IO_PAGE.add(io_page::CURSOR_BITMAP + line as u32))
        })
    }

    fn draw_cursor(&self, picture: &mut [u8]) {
        let (left, top) = self.cursor_position();
        for (line, bits) in (0..).zip(self.cursor()) {
            let y = top.wrapping_add(line);
            for column in (0..CURSOR_SIZE).filter(|column| bits & 0x8000 >> column != 0) {
                let x = left.wrapping_add(column);
                if x < self.width && y < self.height {
                    let byte = usize::from(y) * self.line_bytes() + usize::from(x / 8);
                    let bit = 0x80 >> (x % 8);
                    if self.inverse {
                        picture[byte] &= !bit;
                    } else {
                        picture[byte] |= bit;
                    }
                }
            }
        }
    }
}

impl<'m, G: Generation> Machine<'m, G> {
    /// The screen as it is now.
    pub fn screen(&self) -> Screen<'m, G> {
        let size = self.devices.display.size();
        Screen::new(self.mem, size, self.display.inverse)
    }

    /// The host's pointer is at (`x`, `y`) from the upper left corner of the
    /// screen: moves Lisp's mouse and the cursor.
    pub fn move_pointer(&mut self, x: u16, y: u16) {
        let (hot_x, hot_y) = self.display.hot_spot;
        self.move_mouse(x.wrapping_sub(hot_x), y.wrapping_sub(hot_y));
    }

    /// Lisp moves the mouse.
    pub(crate) fn warp_mouse(&mut self, x: u16, y: u16) {
        self.move_mouse(x, y);
        let (hot_x, hot_y) = self.display.hot_spot;
        self.devices
            .display
            .warp_pointer(x.wrapping_add(hot_x), y.wrapping_add(hot_y));
    }

    /// Lisp stored a new picture of the cursor, which points with the pixel
    /// `hot_spot` (x from the left, y from the bottom), if Lisp says so.
    pub(crate) fn set_cursor(&mut self, hot_spot: Option<(u16, u16)>) {
        self.display.hot_spot = match hot_spot {
            Some((x, y)) => (x, (CURSOR_SIZE - 1).wrapping_sub(y)),
            None => (0, 0),
        };
        self.devices.display.cursor_changed();
    }

    /// Shows or blanks the screen.
    pub(crate) fn show_display(&mut self, on: bool) {
        self.display.shown = on;
        self.devices.display.show(on);
    }

    /// Exchanges black and white, or not.
    pub(crate) fn set_inverse_video(&mut self, inverse: bool) {
        self.display.inverse = inverse;
        self.devices.display.invert(inverse);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{Medley2, Medley3};
    use crate::testing::with_machine;

    fn picture_of<G: Generation>() {
        with_machine::<G>(|m| {
            let mem = m.mem;
            let io = |offset, value| mem.set_word(IO_PAGE.add(offset), value);
            mem.set_word(DISPLAY, 0x8001);
            mem.set_word(DISPLAY.add(3), 0x1234);
            // A cursor of two corners, cut off by the left edge.
            io(io_page::CURSOR_X, 0xFFF1);
            io(io_page::CURSOR_Y, 1);
            io(io_page::CURSOR_BITMAP, 0x8001);
            let screen = Screen::new(mem, (33, 2), false);
            assert_eq!((screen.width(), screen.height()), (32, 2));
            assert_eq!(screen.picture(false), [0x80, 0x01, 0, 0, 0, 0, 0x12, 0x34]);
            assert_eq!(
                screen.picture(true),
                [0x80, 0x01, 0, 0, 0x80, 0, 0x12, 0x34]
            );
            let inverse = Screen::new(mem, (32, 2), true);
            assert_eq!(
                inverse.picture(true),
                [0x7F, 0xFE, 0xFF, 0xFF, 0x7F, 0xFF, 0xED, 0xCB]
            );
            let mut part = [0; 3];
            screen.read_line(1, &mut part);
            assert_eq!(part, [0, 0, 0x12]);
            screen.read_line(2, &mut part);
            assert_eq!(part, [0, 0, 0x12]);
        });
    }

    #[test]
    fn pictures() {
        picture_of::<Medley2>();
        picture_of::<Medley3>();
    }

    #[test]
    fn sizes_stay_inside_the_bitmap() {
        with_machine::<Medley2>(|m| {
            for (size, expected) in [
                ((0, 100), (0, 100)),
                ((31, 100), (0, 100)),
                ((0xFFFF, 0xFFFF), (0xFFE0, 32)),
                ((2048, 2048), (2048, 1024)),
            ] {
                let screen = Screen::new(m.mem, size, false);
                assert_eq!((screen.width(), screen.height()), expected);
                let bytes = screen.line_bytes() * usize::from(screen.height());
                assert_eq!(screen.picture(true).len(), bytes);
            }
        });
    }

    #[test]
    fn the_mouse_is_where_the_cursor_points_less_its_hot_spot() {
        with_machine::<Medley3>(|mut m| {
            m.set_cursor(Some((3, 15)));
            m.move_pointer(100, 50);
            assert_eq!(m.mouse_position(), (97, 50));
            m.set_cursor(Some((0, 5)));
            m.move_pointer(100, 5);
            assert_eq!(m.mouse_position(), (100, 0xFFFB));
            m.set_cursor(None);
            m.move_pointer(100, 5);
            assert_eq!(m.mouse_position(), (100, 5));
        });
    }
}
