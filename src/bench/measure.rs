//! Measurements: sessions that are continued again and again.

use std::rc::Rc;
use std::time::Duration;

use geiko_jit::{Jit, Pace};
use geiko_runtime::image::{ImageFile, Names};
use geiko_runtime::layout::{Generation, SymbolCell};
use geiko_runtime::machine::{Machine, Statistics};
use geiko_runtime::memory::{AddressSpace, LispPtr};

use super::programs::Benchmark;
use super::statistics::Samples;
use crate::devices::clock::thread_cpu_time;
use crate::devices::host::Rights;
use crate::display::ScreenSize;
use crate::error::Error;
use crate::report::Report;
use crate::script::Script;
use crate::session::{ClockKind, Ending, Session, Settings};

/// Most bytes of native code.
const CODE_BYTES: usize = 64 << 20;
/// Wall time for a session to begin, and for one measurement.
const LIMIT: Duration = Duration::from_secs(300);

/// Statuses with which Lisp hands over (`forge/lisp/bench/driver.lisp`).
const READY: i32 = 100;
const RIGHT: i32 = 101;
const WRONG: i32 = 102;

/// What is done before the first benchmark.
pub const LOADING: &str = "loading";

/// Packages that the variables for the host may be in.
const PACKAGES: [&str; 3] = ["LISP", "USER", "XCL-USER"];

/// Why there is no measurement.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The benchmarks are not there.
    #[error("{image} did not load the benchmarks: {why}")]
    NotReady {
        /// The image.
        image: String,
        /// What happened.
        why: String,
    },
    /// The value was not the expected one.
    #[error("{name}: the result is wrong{}", if *.native { " in native code" } else { "" })]
    Wrong {
        /// The benchmark.
        name: String,
        /// Whether it was native code.
        native: bool,
    },
    /// Lisp gave up.
    #[error("{name}: {why}")]
    GaveUp {
        /// The benchmark.
        name: String,
        /// What happened.
        why: String,
    },
}

/// What to measure.
pub struct Plan<'a> {
    /// The image.
    pub image: &'a ImageFile,
    /// How the benchmarks come into it, unless they are there.
    pub script: Option<&'a dyn Fn() -> Script>,
    /// Which ones.
    pub benchmarks: &'a [Benchmark],
    /// Measurements of each.
    pub samples: usize,
    /// Whether to make native code as well, and after how many calls and turns.
    pub native: Option<u32>,
}

/// Measurements of a benchmark in one way.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Seconds of CPU time.
    pub samples: Samples,
    /// Collections in all measurements.
    pub collections: u64,
    /// Objects freed in all measurements.
    pub objects_freed: u64,
}

/// Measurements in native code.
#[derive(Clone, Debug, PartialEq)]
pub struct Native {
    /// How fast it is.
    pub measured: Measured,
    /// Bytes of native code made for it; functions that other benchmarks use as well
    /// count for the first one.
    pub code_bytes: usize,
    /// Time it took to make that.
    pub compile_time: Duration,
}

/// All about a benchmark.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Which one.
    pub benchmark: Benchmark,
    /// Byte codes that a measurement executes.
    pub byte_codes: u64,
    /// Bytes of its byte code, if known.
    pub code_bytes: Option<usize>,
    /// In the interpreter.
    pub interpreted: Measured,
    /// In native code.
    pub native: Option<Native>,
}

/// Measures; `progress` is told what is done next.
pub fn measure<G: Generation>(
    plan: &Plan<'_>,
    progress: &mut dyn FnMut(&str),
) -> Result<Vec<Row>, Error> {
    let size = plan.image.memory_size(None)?;
    let space = || -> Result<AddressSpace<G>, Error> { Ok(plan.image.load(size)?) };
    let spaces = [space()?, space()?, space()?];
    let [counting, interpreting, compiling] = &spaces;
    progress(LOADING);
    let mut counting = Laboratory::new(plan, counting, ClockKind::Virtual, None)?;
    let mut interpreting = Laboratory::new(plan, interpreting, ClockKind::Real, None)?;
    let mut compiling = match plan.native {
        Some(threshold) => {
            let jit = Jit::new(compiling.view(), CODE_BYTES, Pace::Now).map_err(|error| {
                not_ready(plan, format!("{error}; --interpreter measures without it"))
            })?;
            let native = Some((Rc::new(jit), threshold));
            Some(Laboratory::new(plan, compiling, ClockKind::Real, native)?)
        }
        None => None,
    };
    let mut rows = Vec::new();
    for benchmark in plan.benchmarks {
        progress(&benchmark.name);
        let before = counting.session.machine().instructions();
        counting.run(benchmark)?;
        let byte_codes = counting.session.machine().instructions() - before;
        let interpreted = interpreting.measure(benchmark, plan.samples)?;
        let native = match &mut compiling {
            Some(laboratory) => Some(laboratory.measure_native(benchmark, plan.samples)?),
            None => None,
        };
        rows.push(Row {
            benchmark: benchmark.clone(),
            byte_codes,
            code_bytes: None,
            interpreted,
            native,
        });
    }
    Ok(rows)
}

fn not_ready(plan: &Plan<'_>, why: String) -> Error {
    let image = plan.image.path().display().to_string();
    Problem::NotReady { image, why }.into()
}

/// A session that waits for the next measurement.
struct Laboratory<'m, G: Generation> {
    session: Session<'m, G>,
    image: &'m ImageFile,
    /// Cells of the variables that say what to do.
    number: LispPtr,
    count: LispPtr,
    jit: Option<Rc<Jit<G>>>,
}

impl<'m, G: Generation> Laboratory<'m, G> {
    fn new(
        plan: &Plan<'m>,
        space: &'m AddressSpace<G>,
        clock: ClockKind,
        native: Option<(Rc<Jit<G>>, u32)>,
    ) -> Result<Self, Error> {
        let settings = Settings {
            clock,
            rights: Rights::default(),
            screen: ScreenSize::parse("1024x768").expect("a size"),
            save_to: None,
            script: plan.script.map(|script| script()),
            time_limit: Some(LIMIT * (1 + (plan.samples * plan.benchmarks.len()) as u32)),
            request: None,
            edit_lines: false,
            variables: Vec::new(),
        };
        let setting = settings.set_up(space.attention()).map_err(Error::Rights)?;
        let (mut machine, _) = Machine::of_image(space.view(), setting.devices);
        machine.prepare(plan.image.memory_size(None)?);
        if let Err(fault) = machine.start() {
            machine.raise_fault(fault);
        }
        let jit = native.map(|(jit, threshold)| {
            machine.set_compiler(jit.clone(), threshold);
            jit
        });
        let mut session = Session::new(machine, setting.shared, settings);
        match session.run().map_err(Error::Script)? {
            Ending::Finished(READY) => {}
            Ending::Finished(status) => {
                return Err(not_ready(plan, format!("it ended with status {status}")));
            }
            Ending::TimeLimit => return Err(not_ready(plan, "it took too long".into())),
            Ending::Fault => return Err(fault(&session, plan.image)),
        }
        session.dismiss_script();
        let names = Names::new(space.view());
        let cell = |name: &str| {
            PACKAGES
                .iter()
                .find_map(|package| names.find(&format!("{package}::{name}")))
                .map(|symbol| G::symbol_cell(symbol, SymbolCell::Value))
                .ok_or_else(|| not_ready(plan, format!("there is no variable {name}")))
        };
        Ok(Self {
            number: cell("*BENCH-NUMBER*")?,
            count: cell("*BENCH-COUNT*")?,
            image: plan.image,
            session,
            jit,
        })
    }

    fn statistics(&self) -> Statistics {
        self.session.machine().statistics
    }

    /// Measures once: seconds.
    fn run(&mut self, benchmark: &Benchmark) -> Result<f64, Error> {
        let machine = self.session.machine_mut();
        // The list begins with the benchmark that was defined last.
        let number = (super::programs::all().len() - 1 - benchmark.number) as u16;
        for (cell, value) in [(self.number, number), (self.count, benchmark.count)] {
            machine.mem.set_cell(cell, LispPtr::smallpos(value));
        }
        let start = thread_cpu_time();
        let ending = self.session.run().map_err(Error::Script)?;
        let seconds = (thread_cpu_time() - start).as_secs_f64();
        let name = benchmark.name.clone();
        let why = match ending {
            Ending::Finished(RIGHT) => return Ok(seconds),
            Ending::Finished(WRONG) => {
                let native = self.jit.is_some();
                return Err(Problem::Wrong { name, native }.into());
            }
            Ending::Finished(status) => format!("Lisp ended with status {status}"),
            Ending::TimeLimit => "it took too long".into(),
            Ending::Fault => return Err(fault(&self.session, self.image)),
        };
        Err(Problem::GaveUp { name, why }.into())
    }

    /// Measures `count` times after a first time that does not count.
    fn measure(&mut self, benchmark: &Benchmark, count: usize) -> Result<Measured, Error> {
        self.run(benchmark)?;
        let before = self.statistics();
        let samples = (0..count)
            .map(|_| self.run(benchmark))
            .collect::<Result<_, _>>()?;
        let after = self.statistics();
        Ok(Measured {
            samples: Samples::new(samples).expect("at least one measurement"),
            collections: after.collections - before.collections,
            objects_freed: after.objects_freed - before.objects_freed,
        })
    }

    fn measure_native(&mut self, benchmark: &Benchmark, count: usize) -> Result<Native, Error> {
        let made = |jit: &Option<Rc<Jit<G>>>| {
            let totals = jit.as_ref().map(|jit| jit.totals()).unwrap_or_default();
            (totals.bytes, totals.time)
        };
        let before = made(&self.jit);
        let measured = self.measure(benchmark, count)?;
        let after = made(&self.jit);
        Ok(Native {
            measured,
            code_bytes: after.0 - before.0,
            compile_time: after.1 - before.1,
        })
    }
}

fn fault<G: Generation>(session: &Session<'_, G>, image: &ImageFile) -> Error {
    let report = Report::new(session.machine(), image.path(), session.elapsed());
    Error::Fault(Box::new(report))
}
