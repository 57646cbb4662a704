//! Native code: making it, and telling what became of it.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

use clap::{Args, ValueEnum};
use geiko_jit::events::Listener;
use geiko_jit::perf::Form;
use geiko_jit::{Jit, Pace};
use geiko_runtime::layout::Generation;
use geiko_runtime::machine::Machine;

use crate::error::Error;

/// How native code is made.
#[derive(Debug, Args)]
#[command(next_help_heading = "Native code")]
pub struct NativeArgs {
    /// Whether hot functions are compiled to native code
    #[arg(long, value_name = "WHEN", default_value = "on")]
    jit: UseJit,

    /// Calls and loop turns after which a function is compiled
    #[arg(long, value_name = "N", default_value_t = 2000)]
    jit_threshold: u32,

    /// Most native code; when there is more, functions that are not used make room
    #[arg(
        long,
        value_name = "MB",
        default_value_t = 64.0,
        value_parser = cache_size)]
    jit_cache: f64,

    /// Tell what is done about native code, a line each time: function ordered,
    /// compiled, installed, activation given up, evicted [default: on standard error]
    #[arg(
        long,
        value_name = "FILE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "-")]
    jit_log: Option<PathBuf>,

    /// Tell perf the names of native code: map, in /tmp/perf-PID.map, for perf report;
    /// jitdump, in /tmp/jit-PID.dump, for perf record -k 1 and perf inject --jit
    #[arg(long, value_name = "FORM")]
    perf: Option<PerfForm>,

    /// For tests: compare native code with the interpreter, instruction by
    /// instruction, and all of memory every N blocks; with the virtual clock
    #[arg(
        long,
        value_name = "N",
        num_args = 0..=1,
        default_missing_value = "1000")]
    pub lockstep: Option<u32>,
}

/// When native code is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum UseJit {
    /// Never
    Off,
    /// For hot functions, while they are interpreted
    On,
    /// For all functions, before they are called the second time
    Always,
}

/// In which form names of native code are written for perf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PerfForm {
    /// Names and addresses
    Map,
    /// The code as well
    Jitdump,
}

/// The size of the code cache in megabytes.
fn cache_size(text: &str) -> Result<f64, &'static str> {
    let size = text.parse().ok();
    size.filter(|size| (0.01..=1024.0).contains(size))
        .ok_or("expected a number of megabytes from 0.01 to 1024")
}

impl NativeArgs {
    /// Most bytes of native code.
    pub fn cache_bytes(&self) -> usize {
        (self.jit_cache * f64::from(1 << 20)) as usize
    }
}

/// Reasons shown for which native code was left.
const EXIT_ROWS: usize = 24;

/// Has hot functions of `machine` compiled, if that is wanted and possible here.
pub fn compiler<G: Generation>(
    machine: &mut Machine<'_, G>,
    arguments: &NativeArgs,
    bytes: usize,
) -> Result<Option<Rc<Jit<G>>>, Error> {
    if arguments.jit == UseJit::Off {
        return Ok(None);
    }
    let (pace, threshold) = match arguments.jit {
        UseJit::Always => (Pace::Now, 1),
        _ => (Pace::Meanwhile, arguments.jit_threshold),
    };
    let jit = match Jit::new(machine.mem, bytes, pace) {
        Ok(jit) => Rc::new(jit),
        Err(error) => {
            eprintln!("geiko: {error}; everything is interpreted");
            return Ok(None);
        }
    };
    let cannot_write = |path: PathBuf| |source| Error::Write { path, source };
    if let Some(path) = &arguments.jit_log {
        jit.add_listener(log(path).map_err(cannot_write(path.clone()))?);
    }
    if let Some(form) = arguments.perf {
        let form = match form {
            PerfForm::Map => Form::Map,
            PerfForm::Jitdump => Form::Dump,
        };
        jit.add_listener(form.listener().map_err(cannot_write(form.path()))?);
    }
    machine.set_compiler(jit.clone(), threshold);
    Ok(Some(jit))
}

/// Writes a line for each event to the file at `path`; `-` is standard error.
fn log(path: &Path) -> io::Result<Listener> {
    let mut out: Box<dyn Write> = if path.as_os_str() == "-" {
        Box::new(io::stderr())
    } else {
        Box::new(File::create(path)?)
    };
    let start = Instant::now();
    Ok(Box::new(move |name, event| {
        let seconds = start.elapsed().as_secs_f64();
        // A log that cannot be written is no reason to stop.
        let _ = writeln!(out, "{seconds:10.3} {name}: {event}");
    }))
}

/// Prints what was done about native code, and why it was left; and, if they were
/// counted, which share of the instructions was executed natively.
pub fn print_statistics<G: Generation>(jit: &Jit<G>, machine: &Machine<'_, G>) {
    let natively = jit.instructions();
    let all = match machine.is_exact() {
        true => machine.instructions(),
        false => machine.instructions() + natively,
    };
    if natively > 0 {
        let share = 100.0 * natively as f64 / all as f64;
        eprintln!("natively     {natively:10} instructions, {share:.2} % of all");
    }
    let totals = jit.totals();
    if totals.without_room > 0 {
        eprintln!(
            "without room {:10} functions, which stay interpreted",
            totals.without_room
        );
    }
    let milliseconds = 1e3 * totals.time.as_secs_f64();
    let (code, maps) = (jit.code_bytes(), jit.map_bytes());
    eprintln!("native code  {code:10} bytes, and {maps} of frame maps");
    eprintln!(
        "compiled     {:10} functions, {} of them again, {} in vain",
        totals.compiled, totals.again, totals.refused
    );
    eprintln!(
        "compiling    {milliseconds:10.3} ms, {} bytes in all",
        totals.bytes
    );
    eprintln!("evicted      {:10} functions", totals.evicted);
    eprintln!("forgotten    {:10} functions", totals.forgotten);
    eprintln!("given up     {:10} activations", totals.given_up);
    let rows = jit.exits();
    let all: u64 = rows.iter().map(|row| row.count).sum();
    eprintln!("left         {all:10} times");
    for row in rows.iter().take(EXIT_ROWS) {
        let share = 100.0 * row.count as f64 / all as f64;
        let (reason, detail) = (row.exit.text(), row.detail);
        eprintln!("  {share:5.1} % {:10}  {reason} {detail}", row.count);
    }
}
