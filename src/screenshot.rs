//! Pictures of the screen, as PNG files of one bit per pixel.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

use geiko_runtime::layout::records::io_page;
use geiko_runtime::layout::{DISPLAY, Generation, IO_PAGE};
use geiko_runtime::memory::Mem;

/// Width and height of the cursor.
const CURSOR_SIZE: u16 = 16;

/// A picture of one bit per pixel: rows from the top, the most significant bit
/// of a byte leftmost, 1 = white.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Pixels in a row, a multiple of 16.
    pub width: u16,
    /// Rows.
    pub height: u16,
    /// The pixels.
    pub pixels: Vec<u8>,
}

impl Picture {
    /// The screen of `width` (a multiple of 16) by `height` with the cursor on it.
    pub fn of_screen<G: Generation>(mem: Mem<'_, G>, (width, height): (u16, u16)) -> Self {
        let words = u32::from(width / 16) * u32::from(height);
        let pixels = (0..words)
            // Lisp's 1 is black.
            .flat_map(|word| (!mem.word(DISPLAY.add(word))).to_be_bytes())
            .collect();
        let mut picture = Self {
            width,
            height,
            pixels,
        };
        picture.draw_cursor(mem);
        picture
    }

    /// Blackens the black pixels of the cursor.
    fn draw_cursor<G: Generation>(&mut self, mem: Mem<'_, G>) {
        let word = |offset| mem.word(IO_PAGE.add(offset));
        let (left, top) = (word(io_page::CURSOR_X), word(io_page::CURSOR_Y));
        for row in 0..CURSOR_SIZE {
            let bits = word(io_page::CURSOR_BITMAP + u32::from(row));
            for column in (0..CURSOR_SIZE).filter(|column| bits & 0x8000 >> column != 0) {
                // A hot spot off the edge makes coordinates just below zero,
                // which are large unsigned numbers.
                self.blacken(left.wrapping_add(column), top.wrapping_add(row));
            }
        }
    }

    fn blacken(&mut self, x: u16, y: u16) {
        if x < self.width && y < self.height {
            let byte = usize::from(y) * usize::from(self.width / 8) + usize::from(x / 8);
            self.pixels[byte] &= !(0x80 >> (x % 8));
        }
    }

    /// Writes the picture as PNG.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let file = BufWriter::new(File::create(path)?);
        let mut encoder = png::Encoder::new(file, self.width.into(), self.height.into());
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        let mut writer = encoder.write_header().map_err(io::Error::other)?;
        writer
            .write_image_data(&self.pixels)
            .and_then(|()| writer.finish())
            .map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use geiko_runtime::layout::Medley2;
    use geiko_runtime::memory::AddressSpace;

    #[test]
    fn pixels_and_cursor_arrive_in_the_file() {
        let space = AddressSpace::<Medley2>::reserve().unwrap();
        let mem = space.view();
        // A black word at the end of row 1; a cursor of two black corners, cut
        // off by the left edge.
        mem.set_word(DISPLAY.add(3), 0xFFFF);
        mem.set_word(IO_PAGE.add(io_page::CURSOR_X), 0xFFF1);
        mem.set_word(IO_PAGE.add(io_page::CURSOR_Y), 2);
        mem.set_word(IO_PAGE.add(io_page::CURSOR_BITMAP), 0x8001);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        Picture::of_screen(mem, (32, 4)).write(&path).unwrap();

        let decoder = png::Decoder::new(io::BufReader::new(File::open(&path).unwrap()));
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height), (32, 4));
        assert_eq!(info.bit_depth, png::BitDepth::One);
        assert_eq!(
            pixels,
            [
                0xFF, 0xFF, 0xFF, 0xFF, //
                0xFF, 0xFF, 0x00, 0x00, //
                0x7F, 0xFF, 0xFF, 0xFF, //
                0xFF, 0xFF, 0xFF, 0xFF,
            ]
        );
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let picture = Picture {
            width: 16,
            height: 1,
            pixels: vec![0, 0],
        };
        assert!(picture.write(Path::new("/nonexistent/a.png")).is_err());
    }
}
