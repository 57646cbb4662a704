//! Measurements for people and for programs.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::measure::{Measured, Row};
use super::statistics::geometric_mean;

/// Measurements and where they come from.
#[derive(Clone, Debug)]
pub struct Report {
    /// The image.
    pub image: String,
    /// Its generation.
    pub generation: &'static str,
    /// How long it took to compile the built-in Lisp with the benchmarks, and to make
    /// an image of them.
    pub made: Option<(Duration, Duration)>,
    /// How each benchmark was measured.
    pub samples: usize,
    /// One for each benchmark.
    pub rows: Vec<Row>,
}

/// Byte codes in a second, in millions.
pub fn rate(row: &Row, measured: &Measured) -> f64 {
    row.byte_codes as f64 / measured.samples.median() / 1e6
}

/// How many times as fast native code is.
pub fn speed_up(row: &Row) -> Option<f64> {
    let native = row.native.as_ref()?;
    Some(row.interpreted.samples.median() / native.measured.samples.median())
}

fn milliseconds(seconds: f64) -> f64 {
    seconds * 1e3
}

/// A median in milliseconds, and how far the interval around it reaches.
fn median(measured: &Measured) -> String {
    let samples = &measured.samples;
    let (low, high) = samples.interval();
    let median = samples.median();
    let reach = (median - low).max(high - median);
    let (median, reach) = (milliseconds(median), milliseconds(reach));
    format!("{median:7.1} ± {reach:<4.1}")
}

fn mean_speed_up(rows: &[Row]) -> Option<f64> {
    geometric_mean(rows.iter().filter_map(speed_up))
}

impl Report {
    /// A table.
    pub fn text(&self) -> String {
        let native = self.rows.iter().any(|row| row.native.is_some());
        let names = self.rows.iter().map(|row| row.benchmark.name.len());
        let width = names.max().unwrap_or(0).max(10);
        let mut text = format!("{:width$}  interpreter ms  Mbc/s", "program");
        if native {
            text.push_str("       native ms  Mbc/s  faster  compile ms  code KB");
        }
        text.push_str("  collections  freed\n");
        for row in &self.rows {
            let Row {
                benchmark,
                interpreted,
                native,
                ..
            } = row;
            let rate_of = |measured| rate(row, measured);
            let _ = write!(
                text,
                "{:width$}  {}  {:5.0}",
                benchmark.name,
                median(interpreted),
                rate_of(interpreted)
            );
            if let Some(native) = native {
                let _ = write!(
                    text,
                    "  {}  {:5.0}  {:5.2}x  {:10.1}  {:7.1}",
                    median(&native.measured),
                    rate_of(&native.measured),
                    speed_up(row).unwrap_or_default(),
                    milliseconds(native.compile_time.as_secs_f64()),
                    native.code_bytes as f64 / 1e3
                );
            }
            let each = |count: u64| count as f64 / self.samples as f64;
            let _ = writeln!(
                text,
                "  {:11.1}  {:5.0}",
                each(interpreted.collections),
                each(interpreted.objects_freed)
            );
        }
        self.remarks(&mut text);
        text
    }

    fn remarks(&self, text: &mut String) {
        let _ = writeln!(
            text,
            "\n{}, {}: medians of {} measurements with 95 % confidence; CPU time;",
            self.image, self.generation, self.samples
        );
        text.push_str("collections and freed objects are those of one measurement.\n");
        if let Some(mean) = mean_speed_up(&self.rows) {
            let _ = writeln!(
                text,
                "Native code is {mean:.2} times as fast (geometric mean)."
            );
        }
        let bytes: usize = self.rows.iter().filter_map(|row| row.code_bytes).sum();
        if let Some((compile, link)) = self.made {
            let _ = writeln!(
                text,
                "Byte code of these benchmarks: {:.1} KB. The built-in Lisp and all benchmarks were compiled in \
                 {:.0} ms and linked in {:.0} ms.",
                bytes as f64 / 1e3,
                milliseconds(compile.as_secs_f64()),
                milliseconds(link.as_secs_f64())
            );
        }
    }

    /// Everything.
    pub fn json(&self) -> Value {
        let rows: Vec<_> = self.rows.iter().map(row_to_json).collect();
        json!({
            "image": self.image,
            "generation": self.generation,
            "compile_seconds": self.made.map(|(compile, _)| compile.as_secs_f64()),
            "link_seconds": self.made.map(|(_, link)| link.as_secs_f64()),
            "samples": self.samples,
            "native_speed_up": mean_speed_up(&self.rows),
            "benchmarks": rows,
        })
    }
}

fn row_to_json(row: &Row) -> Value {
    let native = row.native.as_ref().map(|native| {
        let mut value = measured_to_json(row, &native.measured);
        value["code_bytes"] = native.code_bytes.into();
        value["compile_seconds"] = native.compile_time.as_secs_f64().into();
        value
    });
    json!({
        "name": row.benchmark.name,
        "file": row.benchmark.file,
        "evaluations": row.benchmark.count,
        "byte_codes": row.byte_codes,
        "code_bytes": row.code_bytes,
        "interpreter": measured_to_json(row, &row.interpreted),
        "native": native,
        "speed_up": speed_up(row),
    })
}

fn measured_to_json(row: &Row, measured: &Measured) -> Value {
    let (low, high) = measured.samples.interval();
    json!({
        "median_seconds": measured.samples.median(),
        "interval_seconds": [low, high],
        "samples_seconds": measured.samples.sorted(),
        "byte_codes_per_second": rate(row, measured) * 1e6,
        "collections": measured.collections,
        "objects_freed": measured.objects_freed,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::bench::measure::Native;
    use crate::bench::programs::Benchmark;
    use crate::bench::statistics::Samples;

    fn measured(milliseconds: &[f64]) -> Measured {
        let seconds = milliseconds.iter().map(|time| time / 1e3).collect();
        Measured {
            samples: Samples::new(seconds).expect("measurements"),
            collections: 6,
            objects_freed: 4500,
        }
    }

    /// Two benchmarks, measured three times.
    pub fn report() -> Report {
        let row = |name: &str, number, factor: f64| Row {
            benchmark: Benchmark {
                name: name.into(),
                file: "bench/calls.lisp",
                count: 10,
                number,
            },
            byte_codes: 20_000_000,
            code_bytes: Some(250),
            interpreted: measured(&[99.0, 100.0, 100.5]),
            native: Some(Native {
                measured: measured(&[100.0 / factor; 3]),
                code_bytes: 5000,
                compile_time: Duration::from_millis(3),
            }),
        };
        Report {
            image: "the built-in image".into(),
            generation: "Medley 3",
            made: Some((Duration::from_millis(400), Duration::from_millis(50))),
            samples: 3,
            rows: vec![row("tak", 0, 8.0), row("mandelbrot-declared", 1, 2.0)],
        }
    }

    #[test]
    fn text() {
        let expected = "\
program              interpreter ms  Mbc/s       native ms  Mbc/s  faster  compile ms  code KB  collections  freed
tak                    100.0 ± 1.0     200     12.5 ± 0.0    1600   8.00x         3.0      5.0          2.0   1500
mandelbrot-declared    100.0 ± 1.0     200     50.0 ± 0.0     400   2.00x         3.0      5.0          2.0   1500

the built-in image, Medley 3: medians of 3 measurements with 95 % confidence; CPU time;
collections and freed objects are those of one measurement.
Native code is 4.00 times as fast (geometric mean).
Byte code of these benchmarks: 0.5 KB. The built-in Lisp and all benchmarks were compiled in 400 ms and linked in 50 ms.
";
        assert_eq!(report().text(), expected);
    }

    #[test]
    fn text_without_native_code() {
        let mut report = report();
        report.rows.truncate(1);
        report.rows[0].native = None;
        report.made = None;
        let text = report.text();
        let expected = "\
program     interpreter ms  Mbc/s  collections  freed
tak           100.0 ± 1.0     200          2.0   1500
";
        assert!(text.starts_with(expected), "{text}");
        assert!(!text.contains("ative"), "{text}");
    }

    #[test]
    fn json() {
        let value = report().json();
        let row = &value["benchmarks"][0];
        assert_eq!(row["name"], "tak");
        assert_eq!(row["byte_codes"], 20_000_000);
        assert_eq!(row["interpreter"]["median_seconds"], 0.1);
        assert_eq!(
            row["interpreter"]["interval_seconds"],
            json!([0.099, 0.1005])
        );
        assert_eq!(row["native"]["code_bytes"], 5000);
        assert_eq!(row["speed_up"], 8.0);
    }
}
