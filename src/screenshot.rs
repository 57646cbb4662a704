//! Pictures of the screen, as PNG files of one bit per pixel.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

use geiko_runtime::display::screen::Screen;
use geiko_runtime::layout::Generation;

/// Writes the screen with its cursor to the PNG file `path`.
pub fn write<G: Generation>(screen: &Screen<'_, G>, path: &Path) -> io::Result<()> {
    // Lisp's 1 is black, PNG's is white.
    let pixels: Vec<u8> = screen.picture(true).iter().map(|byte| !byte).collect();
    let file = BufWriter::new(File::create(path)?);
    let mut encoder = png::Encoder::new(file, screen.width().into(), screen.height().into());
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header().map_err(io::Error::other)?;
    writer
        .write_image_data(&pixels)
        .and_then(|()| writer.finish())
        .map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use geiko_runtime::layout::records::io_page;
    use geiko_runtime::layout::{DISPLAY, IO_PAGE, Medley2};
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
        let screen = Screen::new(mem, (32, 4), false);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        write(&screen, &path).unwrap();

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
        assert!(write(&screen, Path::new("/nonexistent/a.png")).is_err());
    }
}
