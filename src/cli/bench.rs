//! `geiko bench`.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::Args;
use geiko_runtime::image::{ImageFile, Names};
use geiko_runtime::layout::{Generation, Medley2, Medley3, Release};
use indicatif::{ProgressBar, ProgressStyle};

use super::forge::GenerationNumber;
use super::output;
use crate::bench::load::{BuiltinError, Folder, builtin};
use crate::bench::measure::{LOADING, Plan, Problem, measure};
use crate::bench::report::Report;
use crate::bench::{Benchmark, chart, programs};
use crate::error::{Error, Status};
use crate::script::Script;

/// The package that tells Medley from the built-in Lisp.
const MEDLEY_PACKAGE: &str = "XCL-USER";
/// The variable that images with the benchmarks have.
const LIST: &str = "LISP::*BENCHMARKS*";

/// What to measure, and how.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  geiko bench                            all of them, on the built-in Lisp
  geiko bench tak fib --samples 15
  geiko bench --json > results.json
  geiko bench --image medley.sysout      compiled by Medley's own compiler

An image of Medley must be a fresh one, which asks for an init file when it starts.
Every result is checked: a wrong one ends with status 1.")]
pub struct BenchArgs {
    /// Benchmarks, all if none is named
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Measure in this image instead of the built-in one
    #[arg(long, value_name = "IMAGE")]
    image: Option<PathBuf>,
    /// The generation of the built-in image
    #[arg(
        long,
        short,
        value_enum,
        default_value = "3",
        value_name = "N",
        conflicts_with = "image"
    )]
    generation: GenerationNumber,
    /// Measure the interpreter alone
    #[arg(long, conflicts_with = "jit_threshold")]
    interpreter: bool,
    /// Calls and loop turns after which a function is compiled
    #[arg(long, value_name = "N", default_value_t = 2000)]
    jit_threshold: u32,
    /// Measurements of each benchmark, after one that does not count
    #[arg(long, short, value_name = "N", default_value = "9", value_parser = clap::value_parser!(u16).range(1..=1000))]
    samples: u16,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Draw byte codes per second as a picture, SVG or PNG by the name of the file
    #[arg(long, value_name = "FILE", value_parser = chart_file)]
    chart: Option<PathBuf>,
    /// List the benchmarks and measure nothing
    #[arg(long, conflicts_with_all = ["json", "chart"])]
    list: bool,
}

fn chart_file(text: &str) -> Result<PathBuf, &'static str> {
    let path = PathBuf::from(text);
    let known = |extension: &std::ffi::OsStr| extension == "svg" || extension == "png";
    if path.extension().is_some_and(known) {
        Ok(path)
    } else {
        Err("the name of a picture ends with .svg or .png")
    }
}

/// Measures the benchmarks.
pub fn bench(arguments: &BenchArgs) -> Result<Status, Error> {
    let benchmarks = programs::named(&arguments.names)
        .map_err(|(name, like)| Error::NoBenchmark { name, like })?;
    if arguments.list {
        let lines = benchmarks
            .iter()
            .map(|b| format!("{:20} {}\n", b.name, b.file));
        output::text(&lines.collect::<String>())?;
        return Ok(Status::Success);
    }
    let report = match &arguments.image {
        None => builtin_report(benchmarks, arguments)?,
        Some(path) => image_report(path, benchmarks, arguments)?,
    };
    if let Some(path) = &arguments.chart {
        chart::draw(&report, path).map_err(|why| Error::Write {
            path: path.clone(),
            source: io::Error::other(why),
        })?;
    }
    if arguments.json {
        output::json(&report.json())?;
    } else {
        output::text(&report.text())?;
    }
    Ok(Status::Success)
}

fn builtin_report(benchmarks: Vec<Benchmark>, arguments: &BenchArgs) -> Result<Report, Error> {
    let builtin = builtin(arguments.generation.into()).map_err(|error| match error {
        BuiltinError::Build(error) => Error::Forge(error),
        BuiltinError::Image(error) => Error::Image(error),
    })?;
    let mut report = report(&builtin.image, None, benchmarks, arguments)?;
    for row in &mut report.rows {
        row.code_bytes = builtin.code_bytes.get(row.benchmark.number).copied();
    }
    report.made = Some((builtin.compile_time, builtin.link_time));
    Ok(report)
}

fn image_report(
    path: &Path,
    benchmarks: Vec<Benchmark>,
    arguments: &BenchArgs,
) -> Result<Report, Error> {
    let image = ImageFile::open(path)?;
    let content = match image.header().release {
        Release::Medley2 => content::<Medley2>(&image),
        Release::Medley3 => content::<Medley3>(&image),
    }?;
    match content {
        Content::Benchmarks => report(&image, None, benchmarks, arguments),
        Content::Medley => {
            let folder = Folder::new().map_err(|source| Error::Write {
                path: std::env::temp_dir(),
                source,
            })?;
            report(&image, Some(&|| folder.script()), benchmarks, arguments)
        }
        Content::Other => Err(Problem::NotReady {
            image: path.display().to_string(),
            why: "it is neither Medley nor an image that geiko forge made of forge/lisp/bench"
                .into(),
        }
        .into()),
    }
}

/// What an image has.
enum Content {
    /// The benchmarks themselves.
    Benchmarks,
    /// A compiler to make them with.
    Medley,
    /// Neither.
    Other,
}

fn content<G: Generation>(image: &ImageFile) -> Result<Content, Error> {
    let space = image.load::<G>(image.memory_size(None)?)?;
    let names = Names::new(space.view());
    Ok(if names.find(LIST).is_some() {
        Content::Benchmarks
    } else if names.package(MEDLEY_PACKAGE).is_some() {
        Content::Medley
    } else {
        Content::Other
    })
}

fn report(
    image: &ImageFile,
    script: Option<&dyn Fn() -> Script>,
    benchmarks: Vec<Benchmark>,
    arguments: &BenchArgs,
) -> Result<Report, Error> {
    let samples = arguments.samples.into();
    let plan = Plan {
        image,
        script,
        benchmarks: &benchmarks,
        samples,
        native: (!arguments.interpreter).then_some(arguments.jit_threshold),
    };
    let bar = progress_bar(benchmarks.len());
    let mut begun = 0;
    let mut progress = |name: &str| {
        bar.set_message(name.to_owned());
        // The first thing to do is to load them.
        bar.set_position(begun);
        begun += u64::from(name != LOADING);
    };
    let (generation, rows) = match image.header().release {
        Release::Medley2 => (Medley2::NAME, measure::<Medley2>(&plan, &mut progress)),
        Release::Medley3 => (Medley3::NAME, measure::<Medley3>(&plan, &mut progress)),
    };
    bar.finish_and_clear();
    Ok(Report {
        image: image.path().display().to_string(),
        generation,
        made: None,
        samples,
        rows: rows?,
    })
}

/// A progress bar, which is not seen unless somebody watches.
fn progress_bar(length: usize) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}").expect("a template");
    ProgressBar::new(length as u64).with_style(style)
}
