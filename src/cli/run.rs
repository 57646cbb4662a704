//! `geiko run`.

use std::io::{IsTerminal, Read};
use std::path::Path;
use std::rc::Rc;

use geiko_jit::{Jit, Pace};
use geiko_runtime::image::{ImageFile, find_symbol};
use geiko_runtime::layout::{Generation, Medley2, Medley3, Release};
use geiko_runtime::machine::Machine;

use super::{RunArgs, UseJit};
use crate::devices::clock::thread_cpu_time;
use crate::error::{Error, Status};
use crate::report::Report;
use crate::screenshot;
use crate::script::Script;
use crate::session::{ClockKind, Ending, Session, Settings};

/// The function that Lisp calls when somebody types control-C at the host's terminal.
/// Images with windows do not have it.
const CONTROL_C_FUNCTION: &str = "SI::USER-INTERRUPT";

/// Most bytes of native code.
const CODE_BYTES: usize = 64 << 20;
/// Instructions shown that native code left to the interpreter.
const LEFT_ROWS: usize = 12;

/// Opens an image and works in it.
pub fn run(arguments: RunArgs) -> Result<Status, Error> {
    let script = arguments.script.as_deref().map(read_script).transpose()?;
    let image = ImageFile::open(&arguments.image)?;
    match image.header().release {
        Release::Medley2 => work::<Medley2>(image, script, &arguments),
        Release::Medley3 => work::<Medley3>(image, script, &arguments),
    }
}

/// Reads the script at `path`; `-` is standard input.
fn read_script(path: &Path) -> Result<Script, Error> {
    let standard_input = path.as_os_str() == "-";
    let mut text = String::new();
    let read = if standard_input {
        std::io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(path).map(|content| text = content)
    };
    read.map_err(|source| Error::ReadScript {
        path: path.into(),
        source,
    })?;
    let name = if standard_input {
        "script".into()
    } else {
        path.display().to_string()
    };
    Script::parse(&name, &text).map_err(Error::BadScript)
}

/// Runs the image in a machine of its generation.
fn work<G: Generation>(
    image: ImageFile,
    script: Option<Script>,
    arguments: &RunArgs,
) -> Result<Status, Error> {
    let size = image.memory_size(arguments.memory)?;
    let space = image.load::<G>(size)?;
    // What has been loaded need not be kept twice.
    drop(image);
    let wants_control_c = find_symbol(space.view(), CONTROL_C_FUNCTION).is_some();
    if !wants_control_c && script.is_none() && std::io::stderr().is_terminal() {
        eprintln!("geiko: no display and no script: control-C ends the session");
    }
    let settings = Settings {
        clock: arguments.clock,
        screen: arguments.screen,
        save_to: arguments.save_to.clone(),
        script,
        time_limit: arguments.timeout,
    };
    let setting = settings.set_up(space.attention());
    let (mut machine, _) = Machine::of_image(space.view(), setting.devices);
    machine.prepare(size);
    if let Err(fault) = machine.start() {
        machine.raise_fault(fault);
    }
    if arguments.gc_zeal {
        machine.set_gc_zeal();
    }
    let native = native_code(&mut machine, arguments);
    let mut session = Session::new(machine, setting.time, settings);
    if wants_control_c && let Err(error) = session.give_control_c_to_lisp() {
        eprintln!("geiko: control-C will end the session: {error}");
    }
    let ending = session.run();
    if let Some(path) = &arguments.screenshot {
        screenshot::write(&session.machine().screen(), path).map_err(|source| Error::Write {
            path: path.clone(),
            source,
        })?;
    }
    if arguments.stats {
        print_statistics(&session);
        if let Some(native) = native {
            print_native_statistics(&native);
        }
    }
    match ending.map_err(Error::Script)? {
        Ending::Finished(status) => Ok(Status::asked(status)),
        Ending::TimeLimit => Err(Error::TimeLimit {
            limit: arguments.timeout.unwrap_or_default(),
        }),
        Ending::Fault => Err(fault(&session, arguments)),
    }
}

/// Has hot functions of `machine` compiled, if that is wanted and possible here.
fn native_code<G: Generation>(
    machine: &mut Machine<'_, G>,
    arguments: &RunArgs,
) -> Option<Rc<Jit<G>>> {
    if arguments.jit == UseJit::Off || arguments.clock == ClockKind::Virtual {
        return None;
    }
    let (pace, threshold) = match arguments.jit {
        UseJit::Always => (Pace::Now, 1),
        _ => (Pace::Meanwhile, arguments.jit_threshold),
    };
    match Jit::new(machine.mem, CODE_BYTES, pace) {
        Ok(jit) => {
            let jit = Rc::new(jit);
            machine.set_compiler(jit.clone(), threshold);
            Some(jit)
        }
        Err(error) => {
            eprintln!("geiko: {error}; everything is interpreted");
            None
        }
    }
}

/// Writes the report of a guest fault.
fn fault<G: Generation>(session: &Session<'_, G>, arguments: &RunArgs) -> Error {
    let mut report = Report::new(session.machine(), &arguments.image, session.elapsed());
    if let Err(error) = report.save(&arguments.crash_report_dir) {
        eprintln!(
            "geiko: cannot write a report in {}: {error}",
            arguments.crash_report_dir.display()
        );
    }
    Error::Fault(Box::new(report))
}

fn print_statistics<G: Generation>(session: &Session<'_, G>) {
    let statistics = session.machine().statistics;
    eprintln!("elapsed      {:10.3} s", session.elapsed().as_secs_f64());
    eprintln!("asleep       {:10.3} s", session.slept().as_secs_f64());
    eprintln!("CPU          {:10.3} s", thread_cpu_time().as_secs_f64());
    if statistics.instructions > 0 {
        eprintln!("instructions {:10}", statistics.instructions);
    }
    eprintln!("collections  {:10}", statistics.collections);
    eprintln!("freed        {:10} objects", statistics.objects_freed);
}

fn print_native_statistics<G: Generation>(jit: &Jit<G>) {
    eprintln!("native code  {:10} bytes", jit.code_bytes());
    eprintln!("compiled     {:10} functions", jit.compiled());
    eprintln!("given up     {:10} activations", jit.given_up());
    eprintln!("left to the interpreter: instructions, and rests of functions");
    for (opcode, executed, left) in jit.left_to_interpreter().into_iter().take(LEFT_ROWS) {
        eprintln!("  {:<16} {executed:>12} {left:>12}", opcode.name());
    }
}
