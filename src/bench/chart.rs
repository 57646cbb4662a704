//! Measurements as a picture.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::{FontStyle, FontTransform, register_font};

use super::measure::{Measured, Row};
use super::report::{Report, rate};

const INTERPRETED: RGBColor = RGBColor(0x4C, 0x78, 0xA8);
const NATIVE: RGBColor = RGBColor(0xF5, 0x85, 0x18);
const INK: RGBColor = RGBColor(0x33, 0x33, 0x33);
const RULE: RGBColor = RGBColor(0xDD, 0xDD, 0xDD);

/// Points of the picture's width, of a benchmark's height, and of all around them.
const WIDTH: u32 = 820;
const ROW: u32 = 20;
const AROUND: u32 = 110;
/// Part of its height that a bar takes.
const BAR: f64 = 0.38;

/// What the picture's font is called.
const FONT: &str = "sans-serif";

/// Draws millions of byte codes in a second, as a PNG file if its name ends so, else as
/// an SVG file: a bar for each benchmark and way, with a line as long as the interval
/// around the median.
pub fn draw(report: &Report, path: &Path) -> Result<(), String> {
    let size = (WIDTH, AROUND + ROW * report.rows.len() as u32);
    register_font(FONT, FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT)
        .map_err(|_| "its font is wrong".to_owned())?;
    let is_png = path.extension().is_some_and(|extension| extension == "png");
    if !is_png {
        return draw_on(SVGBackend::new(path, size), report);
    }
    let mut pixels = vec![0; 3 * (size.0 * size.1) as usize];
    draw_on(BitMapBackend::with_buffer(&mut pixels, size), report)?;
    write_png(path, size, &pixels).map_err(|error| error.to_string())
}

fn write_png(path: &Path, size: (u32, u32), pixels: &[u8]) -> Result<(), png::EncodingError> {
    let file = BufWriter::new(File::create(path)?);
    let mut encoder = png::Encoder::new(file, size.0, size.1);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()
}

fn draw_on<B: DrawingBackend>(backend: B, report: &Report) -> Result<(), String> {
    let root = backend.into_drawing_area();
    let drawn = draw_in(&root, report).and_then(|()| root.present());
    drawn.map_err(|error| error.to_string())
}

type DrawError<B> = DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>;

fn draw_in<B: DrawingBackend>(
    root: &DrawingArea<B, Shift>,
    report: &Report,
) -> Result<(), DrawError<B>> {
    let rows = &report.rows;
    root.fill(&WHITE)?;
    let longest = rows
        .iter()
        .flat_map(|row| bars(row).map(|bar| bar.high))
        .fold(1.0, f64::max);
    let font = (FONT, 12).into_font().color(&INK);
    let mut chart = ChartBuilder::on(root)
        .caption(
            "Millions of byte codes in a second",
            (FONT, 17).into_font().color(&INK),
        )
        .margin(12)
        .x_label_area_size(34)
        .y_label_area_size(135)
        .build_cartesian_2d(0.0..longest * 1.02, (rows.len() as f64)..0.0)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .y_labels(0)
        .axis_style(RULE)
        .bold_line_style(RULE)
        .light_line_style(TRANSPARENT)
        .x_labels(8)
        .x_label_style(font.clone())
        .x_label_formatter(&|rate| format!("{rate:.0}"))
        .draw()?;
    for (place, row) in rows.iter().enumerate() {
        let top = place as f64 + 0.5 - BAR;
        for (number, bar) in bars(row).enumerate() {
            let top = top + number as f64 * BAR;
            let (middle, bottom) = (top + BAR / 2.0, top + BAR);
            let corners = [(0.0, top), (bar.rate, bottom)];
            let interval = [(bar.low, middle), (bar.high, middle)];
            chart.draw_series([Rectangle::new(corners, bar.color.filled())])?;
            chart.draw_series([PathElement::new(interval, INK)])?;
        }
    }
    let label = font.clone().pos(plotters::style::text_anchor::Pos::new(
        plotters::style::text_anchor::HPos::Right,
        plotters::style::text_anchor::VPos::Center,
    ));
    for (place, row) in rows.iter().enumerate() {
        let (x, y) = chart.backend_coord(&(0.0, place as f64 + 0.5));
        let name = row.benchmark.name.clone();
        root.draw(&Text::new(name, (x - 6, y), &label))?;
    }
    let ways = [("interpreter", INTERPRETED), ("native code", NATIVE)];
    let shown = if rows.iter().any(|row| row.native.is_some()) {
        2
    } else {
        1
    };
    let mut x = WIDTH as i32 - 110 * shown;
    for (name, color) in &ways[..shown as usize] {
        root.draw(&Rectangle::new([(x, 16), (x + 12, 28)], color.filled()))?;
        let plain = font.clone().transform(FontTransform::None);
        root.draw(&Text::new(*name, (x + 18, 17), plain))?;
        x += 105;
    }
    Ok(())
}

struct Bar {
    rate: f64,
    low: f64,
    high: f64,
    color: RGBColor,
}

fn bars(row: &Row) -> impl Iterator<Item = Bar> {
    let bar = |measured: &Measured, color| {
        let (fast, slow) = measured.samples.interval();
        let of = |seconds: f64| row.byte_codes as f64 / seconds / 1e6;
        Bar {
            rate: rate(row, measured),
            low: of(slow),
            high: of(fast),
            color,
        }
    };
    let native = row.native.as_ref();
    let native = native.map(|native| bar(&native.measured, NATIVE));
    [bar(&row.interpreted, INTERPRETED)]
        .into_iter()
        .chain(native)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::tests::report;

    #[test]
    fn a_bar_for_each_benchmark_and_way() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("chart.svg");
        draw(&report(), &path).expect("drawn");
        let picture = std::fs::read_to_string(&path).expect("a file");
        // One of each colour is in the legend.
        assert_eq!(picture.matches("#4C78A8").count(), 3);
        assert_eq!(picture.matches("#F58518").count(), 3);
        assert!(picture.contains("mandelbrot-declared"));
        let path = folder.path().join("chart.png");
        draw(&report(), &path).expect("drawn");
        let file = std::io::BufReader::new(File::open(&path).expect("a file"));
        let mut reader = png::Decoder::new(file).read_info().expect("a picture");
        let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
        let info = reader.next_frame(&mut pixels).expect("pixels");
        assert_eq!((info.width, info.color_type), (WIDTH, png::ColorType::Rgb));
        for color in [INTERPRETED, NATIVE, INK] {
            assert!(
                pixels
                    .chunks(3)
                    .any(|pixel| pixel == [color.0, color.1, color.2])
            );
        }
        let nowhere = folder.path().join("none").join("chart.svg");
        assert!(draw(&report(), &nowhere).is_err());
    }
}
