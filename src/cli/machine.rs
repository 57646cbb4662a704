//! Images at work, whatever command wants it.

use std::io::IsTerminal;
use std::path::Path;
use std::rc::Rc;

use geiko_jit::Jit;
use geiko_runtime::gc::BackupTotals;
use geiko_runtime::image::{ImageFile, find_symbol};
use geiko_runtime::layout::{Generation, Medley2, Medley3, Release};
use geiko_runtime::machine::Machine;

use super::memory::Shares;
use super::{MachineArgs, memory, native, shrink};
use crate::clipboard;
use crate::console::Request;
use crate::devices::clock::thread_cpu_time;
use crate::display::ScreenSize;
use crate::display::link::LinkFront;
use crate::error::{Error, Status};
use crate::image_cache;
use crate::image_lock::ImageLock;
use crate::lisp::REQUEST_VARIABLE;
use crate::report::Report;
use crate::screenshot;
use crate::script::{Script, ScriptError};
use crate::session::{ClockKind, Ending, Keeping, Session, Settings};
use crate::waker::Waker;
use crate::xccs;

/// The function that Lisp calls when somebody types control-C at the host's terminal.
/// Images with windows do not have it.
const CONTROL_C_FUNCTION: &str = "SI::USER-INTERRUPT";

/// Faults in a session that it survives.
const MOST_SURVIVED: u32 = 1000;

/// What to do with an image.
pub struct Work<'a> {
    /// How the machine is to be.
    pub machine: &'a MachineArgs,
    /// What the built-in Lisp is asked to do.
    pub request: Option<Request>,
    /// A user edits lines when the built-in Lisp wants input.
    pub edit_lines: bool,
    /// The image must be one of the built-in Lisp.
    pub only_builtin: bool,
    /// A script to play.
    pub script: Option<Script>,
    /// Size of the screen.
    pub screen: ScreenSize,
    /// Where the screen is written at the end.
    pub screenshot: Option<&'a Path>,
    /// How the user's work is kept.
    pub keeping: Option<Keeping>,
    /// Who looks.
    pub front: Option<LinkFront>,
}

/// Runs an image in a machine of its generation.
pub fn work(image: ImageFile, work: Work<'_>) -> Result<Status, Error> {
    match image.header().release {
        Release::Medley2 => run::<Medley2>(image, work),
        Release::Medley3 => run::<Medley3>(image, work),
    }
}

fn run<G: Generation>(image: ImageFile, work: Work<'_>) -> Result<Status, Error> {
    let arguments = work.machine;
    arguments.watching.log.begin();
    let path = image.path().to_owned();
    let shares = Shares::of(&image, arguments)?;
    let size = shares.lisp;
    let space = match arguments.share_image {
        true => image_cache::load::<G>(&image, size)?,
        false => image.load::<G>(size)?,
    };
    let shadow = arguments.native.lockstep.map(|_| image.load::<G>(size));
    let shadow = shadow.transpose()?;
    // What has been loaded need not be kept twice.
    drop(image);
    let has_symbol = |name| find_symbol(space.view(), name).is_some();
    if work.only_builtin && !has_symbol(REQUEST_VARIABLE) {
        return Err(Error::NotBuiltin { path });
    }
    let wants_control_c = has_symbol(CONTROL_C_FUNCTION);
    let lonely = !wants_control_c && work.script.is_none() && work.front.is_none();
    if lonely && std::io::stderr().is_terminal() {
        eprintln!("geiko: no display and no script: control-C ends the session");
    }
    let keeping = work.keeping.as_ref();
    let named = keeping.map(|keeping| clipboard::environment(keeping.running.name()));
    let clock = match arguments.native.lockstep {
        Some(_) => ClockKind::Virtual,
        None => arguments.clock,
    };
    let settings = Settings {
        clock,
        rights: arguments.host.rights(),
        screen: work.screen,
        save_to: arguments.save_to.clone(),
        script: work.script,
        time_limit: arguments.timeout,
        request: work.request,
        edit_lines: work.edit_lines,
        // Without variables they know no clipboard, which need not be told.
        variables: named.and_then(Result::ok).unwrap_or_default(),
    };
    let setting = settings.set_up(space.attention()).map_err(Error::Rights)?;
    let (mut machine, _) = Machine::of_image(space.view(), setting.devices);
    if !has_symbol(REQUEST_VARIABLE) {
        machine.characters = xccs::CHARACTERS;
    }
    machine.prepare(size);
    if let Err(fault) = machine.start() {
        machine.raise_fault(fault);
    }
    machine.set_backup(arguments.bounds.backup());
    if arguments.shrink_on_save {
        machine.after_save = shrink::saved;
    }
    if let Err(error) = machine.set_array_policy(arguments.bounds.arrays()) {
        eprintln!("geiko: {error}: Lisp finds room for arrays itself");
    }
    let watching = &arguments.watching;
    if watching.gc_zeal {
        machine.set_gc_zeal();
    }
    if watching.count {
        machine.count_instructions();
    }
    if let (Some(interval), Some(shadow)) = (arguments.native.lockstep, &shadow) {
        machine.set_shadow(space.attention(), shadow, interval);
    }
    let native = native::compiler(&mut machine, &arguments.native, shares.code_bytes)?;
    if let Some(native) = native.as_ref().filter(|_| watching.count) {
        native.count_instructions();
    }
    let mut session = Session::new(machine, setting.shared, settings);
    // A second machine would not go astray in the same way.
    if !session.machine().has_shadow() {
        session.watch_addresses();
    }
    if let Some(front) = work.front {
        front.connect(Waker::new(space.attention()));
        session.show_on(Box::new(front));
    }
    let mut _lock = None;
    if let Some(keeping) = &work.keeping
        && session.can_be_kept()
        && let Some(path) = session.machine().devices.environment.image_path()
    {
        let who = format!("session {}", keeping.running.name());
        _lock = ImageLock::take(&path, &who)?;
    }
    if let Some(keeping) = work.keeping
        && let Err(error) = session.keep(keeping, Waker::new(space.attention()))
    {
        eprintln!("geiko: nothing is saved if the session is ended from outside: {error}");
    }
    if wants_control_c && let Err(error) = session.give_control_c_to_lisp() {
        eprintln!("geiko: control-C will end the session: {error}");
    }
    let ending = run_on(&mut session, &path);
    if let Some(path) = work.screenshot {
        screenshot::write(&session.machine().screen(), path).map_err(|source| Error::Write {
            path: path.into(),
            source,
        })?;
    }
    if watching.stats {
        print_statistics(&session);
        let code = |native: &Rc<Jit<G>>| (native.code_bytes(), native.code_capacity());
        let code = native.as_ref().map_or((0, 0), code);
        memory::print_statistics(size, session.machine().active_pages(), code);
        if let Some(native) = native {
            native::print_statistics(&native, session.machine());
        }
    }
    match ending.map_err(Error::Script)? {
        Ending::Finished(status) => Ok(Status::asked(status)),
        Ending::TimeLimit => Err(Error::TimeLimit {
            limit: arguments.timeout.unwrap_or_default(),
        }),
        Ending::Fault => Err(fault(&session, &path, arguments)),
    }
}

/// Runs to the end, also behind faults that a machine survives; these are told.
fn run_on<G: Generation>(
    session: &mut Session<'_, G>,
    image: &Path,
) -> Result<Ending, ScriptError> {
    for _ in 0..MOST_SURVIVED {
        let ending = session.run()?;
        if !matches!(ending, Ending::Fault) {
            return Ok(ending);
        }
        let report = Report::new(session.machine(), image, session.elapsed());
        if !session.machine_mut().survive_fault() {
            return Ok(ending);
        }
        eprintln!("geiko: {report}\n  Lisp goes on");
    }
    session.run()
}

/// Writes the report of a guest fault.
fn fault<G: Generation>(session: &Session<'_, G>, image: &Path, arguments: &MachineArgs) -> Error {
    let mut report = Report::new(session.machine(), image, session.elapsed());
    if let Err(error) = report.save(&arguments.watching.crash_report_dir) {
        eprintln!(
            "geiko: cannot write a report in {}: {error}",
            arguments.watching.crash_report_dir.display()
        );
    }
    Error::Fault(Box::new(report))
}

fn print_statistics<G: Generation>(session: &Session<'_, G>) {
    let statistics = session.machine().statistics;
    eprintln!("elapsed      {:10.3} s", session.elapsed().as_secs_f64());
    eprintln!("asleep       {:10.3} s", session.slept().as_secs_f64());
    if !session.longest_stop().is_zero() {
        let stop = session.longest_stop().as_secs_f64();
        eprintln!("saving       {stop:10.3} s at most");
    }
    eprintln!("CPU          {:10.3} s", thread_cpu_time().as_secs_f64());
    let instructions = session.machine().instructions();
    if instructions > 0 {
        eprintln!("instructions {instructions:10}");
    }
    eprintln!("collections  {:10}", statistics.collections);
    eprintln!("freed        {:10} objects", statistics.objects_freed);
    let arrays = session.machine().array_totals();
    if arrays.requests > 0 {
        eprintln!(
            "arrays       {:10} times room wanted, {} times found, {} blocks looked at",
            arrays.requests, arrays.met, arrays.looked_at
        );
    }
    let backup = session.machine().backup_totals();
    if backup.cycles > 0 {
        let BackupTotals {
            cycles,
            steps,
            marked,
            garbage,
            lost,
            disputed,
        } = backup;
        eprintln!("cycles       {cycles:10} of the backup collector, {steps} steps");
        eprintln!("circles      {garbage:10} objects of garbage in circles");
        eprintln!(
            "in use       {marked:10} objects found by the last cycle, {lost} not found but counted"
        );
        if disputed > 0 {
            eprintln!("given up     {disputed:10} cycles");
        }
    }
    let strays = session.machine().stray_count();
    if strays > 0 {
        eprintln!("astray       {strays:10} accesses where nothing is");
    }
    eprintln!(
        "pages        {:10} of the image",
        session.machine().active_pages()
    );
}
