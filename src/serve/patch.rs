//! What a viewer has to draw: rectangles as PNG, which browsers decode by themselves.

use std::ops::Range;

use crate::display::Frame;
use crate::display::window::Palette;

/// Lines between two runs of changed ones that are not worth another rectangle.
const GAP: u16 = 8;

/// What one viewer sees.
#[derive(Debug)]
pub struct Patches {
    shown: Frame,
    palette: Palette,
}

impl Patches {
    /// A viewer that sees nothing yet.
    pub fn new(palette: Palette) -> Self {
        Self {
            shown: Frame::default(),
            palette,
        }
    }

    /// What changed from what is seen to `frame`: for each rectangle the size of the
    /// screen, the rectangle's corner (four numbers of 16 bits, low byte first), and its
    /// pixels as PNG.
    pub fn take(&mut self, frame: &Frame) -> Vec<Vec<u8>> {
        let is_new = (self.shown.width(), self.shown.height()) != (frame.width(), frame.height());
        let mut patches = Vec::new();
        for lines in runs(frame) {
            let all = 0..usize::from(frame.width() / 8);
            let columns = if is_new {
                all
            } else {
                self.columns(frame, lines.clone())
            };
            if !columns.is_empty() && !lines.is_empty() {
                patches.push(patch(frame, lines, columns, self.palette));
            }
        }
        self.shown.take_over(frame);
        patches
    }

    /// The bytes of lines in which anything changed.
    fn columns(&self, frame: &Frame, lines: Range<u16>) -> Range<usize> {
        let (mut first, mut end) = (usize::MAX, 0);
        for y in lines {
            let pairs = self.shown.line(y).iter().zip(frame.line(y));
            let is_new = |(old, new): (&u8, &u8)| old != new;
            if let Some(column) = pairs.clone().position(is_new) {
                first = first.min(column);
                end = end.max(pairs.clone().rposition(is_new).map_or(end, |last| last + 1));
            }
        }
        first.min(end)..end
    }
}

/// Lines that changed, together with few that did not.
fn runs(frame: &Frame) -> Vec<Range<u16>> {
    let mut runs: Vec<Range<u16>> = Vec::new();
    for run in frame.changed() {
        match runs.last_mut() {
            Some(last) if run.start - last.end <= GAP => last.end = run.end,
            _ => runs.push(run),
        }
    }
    runs
}

fn patch(frame: &Frame, lines: Range<u16>, columns: Range<usize>, palette: Palette) -> Vec<u8> {
    let numbers = [
        frame.width(),
        frame.height(),
        columns.start as u16 * 8,
        lines.start,
    ];
    let mut message: Vec<u8> = numbers.into_iter().flat_map(u16::to_le_bytes).collect();
    let (width, height) = (columns.len() as u32 * 8, lines.len() as u32);
    let bits: Vec<u8> = lines
        .flat_map(|y| &frame.line(y)[columns.clone()])
        .copied()
        .collect();
    let mut encoder = png::Encoder::new(&mut message, width, height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::One);
    // Textures are repeated, which the quickest compression of all does not see.
    encoder.set_deflate_compression(png::DeflateCompression::Level(1));
    encoder.set_filter(png::Filter::NoFilter);
    let [paper, ink] = [palette.paper, palette.ink].map(u32::to_be_bytes);
    encoder.set_palette([&paper[1..], &ink[1..]].concat());
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(&bits)?;
        writer.finish()
    });
    written.expect("memory takes a picture of the size that was announced");
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::display::wire;
    use proptest::prelude::*;

    /// A browser's canvas.
    struct Canvas {
        width: usize,
        ink: Vec<bool>,
    }

    impl Canvas {
        fn draw(&mut self, message: &[u8]) -> usize {
            let number =
                |at: usize| usize::from(u16::from_le_bytes([message[at], message[at + 1]]));
            let (left, top) = (number(4), number(6));
            self.width = number(0);
            self.ink.resize(self.width * number(2), false);
            let mut reader = png::Decoder::new(std::io::Cursor::new(&message[8..]))
                .read_info()
                .unwrap();
            let mut bits = vec![0; reader.output_buffer_size().unwrap()];
            let info = reader.next_frame(&mut bits).unwrap();
            assert_eq!(
                reader.info().palette.as_deref(),
                Some(&[255, 255, 255, 0, 0, 0][..])
            );
            for (y, line) in bits.chunks_exact(info.line_size).enumerate() {
                for x in 0..info.width as usize {
                    self.ink[(top + y) * self.width + left + x] =
                        line[x / 8] << (x % 8) & 0x80 != 0;
                }
            }
            (info.width * info.height) as usize
        }
    }

    /// A frame as it comes from a session: these lines are as told, and have changed.
    fn change(frame: &mut Frame, lines: &[(u16, Vec<u8>)]) {
        let mut news = [frame.width(), frame.height()]
            .map(u16::to_le_bytes)
            .concat();
        news.push(0);
        for (y, line) in lines {
            news.extend([y.to_le_bytes(), (y + 1).to_le_bytes()].concat());
            news.extend(line);
        }
        wire::take_frame(&news, frame).unwrap();
    }

    #[test]
    fn a_letter_is_a_small_rectangle() {
        let mut frame = Frame::new((1024, 768));
        let mut patches = Patches::new(Palette::default());
        let mut canvas = Canvas {
            width: 0,
            ink: Vec::new(),
        };
        let whole: usize = patches.take(&frame).iter().map(|p| canvas.draw(p)).sum();
        assert_eq!(whole, 1024 * 768);
        frame.set_shown();
        assert!(patches.take(&frame).is_empty());
        let lines: Vec<_> = (100..110u16)
            .map(|y| {
                let mut line = vec![0; 128];
                line[17] = 0x3C;
                (y, line)
            })
            .collect();
        change(&mut frame, &lines);
        let sent = patches.take(&frame);
        assert_eq!(sent.len(), 1);
        assert!(sent[0].len() < 120, "{} bytes", sent[0].len());
        assert_eq!(canvas.draw(&sent[0]), 8 * 10);
        assert!(canvas.ink[105 * 1024 + 17 * 8 + 2]);
    }

    proptest! {
        #[test]
        fn what_is_drawn_is_the_screen(
            steps in prop::collection::vec((0u16..60, 0usize..8, any::<u8>(), any::<bool>()), 1..60)
        ) {
            let mut frame = Frame::new((64, 60));
            let mut patches = Patches::new(Palette::default());
            let mut canvas = Canvas { width: 64, ink: vec![false; 64 * 60] };
            for (y, column, byte, look) in steps {
                let mut line = frame.line(y).to_vec();
                line[column] = byte;
                change(&mut frame, &[(y, line)]);
                if look {
                    for message in patches.take(&frame) {
                        canvas.draw(&message);
                    }
                    frame.set_shown();
                    let bits = (0..60).flat_map(|y| frame.line(y).to_vec());
                    let ink: Vec<bool> = bits.flat_map(|b| (0..8).map(move |i| b << i & 0x80 != 0)).collect();
                    prop_assert_eq!(&canvas.ink, &ink);
                }
            }
        }
    }
}
