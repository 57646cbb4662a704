//! Keeping the user's work: before the session ends, now and then, and when somebody
//! from outside ends it.
//!
//! Only Lisp knows how to leave files and processes so that an image can go on with
//! them. So its own SAVEVM is called, on top of whatever runs, as soon as that may be
//! interrupted; in the image that it saves, what ran goes on. Where the image goes, the
//! session decides. When Lisp does not come to it and the session must end, the memory
//! is saved as it is, which is better than nothing.
//!
//! Who ends the session from outside says not where to save it, so a full disk is no
//! reason to lose it: there are other places. If none of them takes the image the session
//! goes on, until it is ended once more.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use geiko_runtime::image::{Saved, write_file};
use geiko_runtime::layout::Generation;
use geiko_runtime::machine::Machine;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::calls::Calls;
use crate::error::Status;
use crate::sessions::{self, Running};

/// Signals that end a session with its work saved.
const SIGNALS: [i32; 3] = [SIGTERM, SIGHUP, SIGINT];
/// How long Lisp may take to save itself. Whoever stops services waits ten seconds.
const PATIENCE: Duration = Duration::from_secs(6);
/// How long it may take once it has begun, when nobody stops the program. On a slow and
/// busy host it comes to its end, if nobody gives up.
const LONG_PATIENCE: Duration = Duration::from_secs(60);
/// How long it may take for an automatic image when the session is to end.
const SHORT_PATIENCE: Duration = Duration::from_secs(2);

/// What becomes of the session when its display is closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum OnClose {
    /// It is saved
    Save,
    /// The user is asked
    #[default]
    Ask,
    /// It is lost
    Discard,
}

/// How a user's work is to be kept.
#[derive(Debug)]
pub struct Keeping {
    /// The session's name and folder.
    pub running: Running,
    /// What becomes of it when its display is closed.
    pub on_close: OnClose,
    /// Time between two automatic images.
    pub autosave: Option<Duration>,
    /// Automatic images that are kept.
    pub keep: usize,
}

/// Where Lisp saves when it names no file.
#[derive(Clone, Debug, Default)]
pub struct SaveTarget(Rc<RefCell<Target>>);

#[derive(Debug, Default)]
struct Target {
    usual: Option<PathBuf>,
    /// For the next time only.
    next: Option<PathBuf>,
    /// The host has Lisp save.
    is_hosts: bool,
}

impl SaveTarget {
    /// Lisp usually saves there, or where the host keeps images.
    pub fn new(usual: Option<PathBuf>) -> Self {
        let target = Target {
            usual,
            ..Target::default()
        };
        Self(Rc::new(RefCell::new(target)))
    }

    /// The file, if somebody said which.
    pub fn path(&self) -> Option<PathBuf> {
        let target = self.0.borrow();
        target.next.as_ref().or(target.usual.as_ref()).cloned()
    }

    /// Whether Lisp saves for the host, which knows better than Lisp where there is room
    /// for the image.
    pub fn is_hosts(&self) -> bool {
        self.0.borrow().is_hosts
    }

    /// The host has Lisp save, there or as usual.
    fn begin(&self, next: Option<PathBuf>) {
        let mut target = self.0.borrow_mut();
        target.next = next;
        target.is_hosts = true;
    }

    fn end(&self) {
        let mut target = self.0.borrow_mut();
        target.next = None;
        target.is_hosts = false;
    }
}

/// What the session has to do after a look at its work.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// Go on.
    Continue,
    /// Tell the user that nothing could be saved.
    Problem(String),
    /// End with this status.
    End(i32),
}

/// Keeps the user's work.
pub struct Keeper {
    keeping: Keeping,
    calls: Calls,
    target: SaveTarget,
    signals: Vec<(i32, Arc<AtomicUsize>)>,
    task: Option<Task>,
    /// What comes behind the task.
    next: Option<Kind>,
    next_autosave: Option<Instant>,
    writer: Option<JoinHandle<()>>,
    longest_stop: Duration,
    /// The session was to end, but could not be saved anywhere.
    is_stuck: bool,
}

struct Task {
    kind: Kind,
    since: Instant,
    /// Lisp has begun.
    begun: bool,
}

impl Task {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            since: Instant::now(),
            begun: false,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Autosave,
    /// The session ends with this status; its image goes to the first of these places
    /// that takes it, or to the usual file.
    Finish(i32, Option<Places>),
}

type Places = VecDeque<PathBuf>;

impl Keeper {
    /// Keeps the work of a machine that saves to `target`. From now on signals do not
    /// end the program.
    pub fn new(keeping: Keeping, calls: Calls, target: SaveTarget) -> std::io::Result<Self> {
        let mut signals = Vec::new();
        for signal in SIGNALS {
            let flag = Arc::new(AtomicUsize::new(0));
            signal_hook::flag::register_usize(signal, Arc::clone(&flag), 1)?;
            signals.push((signal, flag));
        }
        let next_autosave = keeping.autosave.map(|time| Instant::now() + time);
        Ok(Self {
            keeping,
            calls,
            target,
            signals,
            task: None,
            next: None,
            next_autosave,
            writer: None,
            longest_stop: Duration::ZERO,
            is_stuck: false,
        })
    }

    /// What becomes of the session when its display is closed.
    pub fn on_close(&self) -> OnClose {
        self.keeping.on_close
    }

    /// The longest time that Lisp spent on saving itself instead of what it did.
    pub fn longest_stop(&self) -> Duration {
        self.longest_stop
    }

    /// Begins to save where Lisp usually saves; the session ends then.
    pub fn save_and_end(&mut self) {
        // Who asks again while Lisp saves would have it save twice.
        let mut tasks = self.task.iter();
        if !tasks.any(|task| task.kind != Kind::Autosave) {
            self.begin(Kind::Finish(0, None));
        }
    }

    /// Begins something, after an automatic image that Lisp makes now.
    fn begin(&mut self, kind: Kind) {
        match &self.task {
            Some(task) if task.begun && task.kind == Kind::Autosave => self.next = Some(kind),
            _ => self.task = Some(Task::new(kind)),
        }
    }

    /// Something is to be done that Lisp does not come to.
    pub fn waits_for_lisp(&self) -> bool {
        self.task.as_ref().is_some_and(|task| !task.begun)
    }

    /// Does what can be done now.
    pub fn poll<G: Generation>(&mut self, machine: &mut Machine<'_, G>) -> Next {
        if let Some(signal) = self.take_signal() {
            let status = 128 + signal;
            let usual = machine.devices.environment.image_path();
            let recovery = Some(self.keeping.running.recoveries(usual.as_deref()).into());
            match &mut self.task {
                _ if self.keeping.on_close == OnClose::Discard => return Next::End(status),
                // Who asks twice does not want to wait.
                Some(Task {
                    kind: Kind::Finish(_, Some(_)),
                    ..
                }) => return Next::End(status),
                // The user has asked for what the signal wants, and Lisp does it.
                Some(task) if task.begun && task.kind != Kind::Autosave => {
                    task.kind = Kind::Finish(status, recovery);
                    task.since = Instant::now();
                }
                _ => self.begin(Kind::Finish(status, recovery)),
            }
        }
        let now = Instant::now();
        if self.task.is_none() {
            self.task = self.next.take().map(Task::new);
        }
        if self.task.is_none() && self.next_autosave.is_some_and(|at| at <= now) {
            self.next_autosave = self.keeping.autosave.map(|time| now + time);
            self.begin(Kind::Autosave);
        }
        let Some(mut task) = self.task.take() else {
            return Next::Continue;
        };
        if !task.begun {
            task.begun = self.calls.save(machine);
            if task.begun {
                task.since = Instant::now();
                machine.saved = None;
                machine.save_error = None;
                machine.keep_next_save = task.kind == Kind::Autosave;
                self.target.begin(match &task.kind {
                    Kind::Autosave => None,
                    Kind::Finish(_, places) => {
                        places.as_ref().and_then(|places| places.front().cloned())
                    }
                });
            }
        } else if let Some(saved) = machine.saved.take() {
            let stop = task.since.elapsed();
            tracing::debug!(?stop, "Lisp saved itself");
            self.longest_stop = self.longest_stop.max(stop);
            self.target.end();
            return self.finished(task.kind, saved, machine.after_save);
        } else if let Some(error) = machine.save_error.take() {
            self.target.end();
            return self.failed(task.kind, error.to_string());
        }
        let patience = match (&self.next, &task.kind) {
            (Some(_), _) => SHORT_PATIENCE,
            (None, Kind::Finish(_, Some(_))) => PATIENCE,
            (None, _) if task.begun => LONG_PATIENCE,
            (None, _) => PATIENCE,
        };
        if task.since.elapsed() < patience {
            self.task = Some(task);
            return Next::Continue;
        }
        machine.keep_next_save = false;
        self.target.end();
        match task.kind {
            Kind::Finish(status, Some(places)) => self.save_as_it_is(machine, status, places),
            kind => self.failed(kind, "Lisp does not come to save itself".into()),
        }
    }

    fn take_signal(&self) -> Option<i32> {
        let sent = |flag: &AtomicUsize| flag.swap(0, Ordering::Relaxed) != 0;
        let mut signals = self.signals.iter();
        signals
            .find(|(_, flag)| sent(flag))
            .map(|(signal, _)| *signal)
    }

    fn finished(&mut self, kind: Kind, saved: Saved, after_save: fn(&Path)) -> Next {
        match (kind, saved) {
            (Kind::Autosave, Saved::Kept(image)) => {
                self.write(image, after_save);
                Next::Continue
            }
            (Kind::Finish(status, recovery), Saved::In(path)) => {
                match recovery {
                    Some(_) => self.recovered(&path),
                    // The user has something better than the automatic images.
                    None => {
                        self.wait_for_writer();
                        sessions::prune(self.keeping.running.folder(), 0);
                    }
                }
                Next::End(status)
            }
            // Somebody in Lisp saved meanwhile.
            (Kind::Autosave, Saved::In(_)) => Next::Continue,
            (Kind::Finish(..), Saved::Kept(_)) => Next::Problem("the image went elsewhere".into()),
        }
    }

    fn failed(&mut self, kind: Kind, why: String) -> Next {
        match kind {
            Kind::Autosave => {
                eprintln!("geiko: no automatic image: {why}");
                Next::Continue
            }
            Kind::Finish(_, None) => Next::Problem(why),
            Kind::Finish(status, Some(mut places)) => {
                places.pop_front();
                if !places.is_empty() {
                    eprintln!("geiko: {why}");
                    self.begin(Kind::Finish(status, Some(places)));
                    return Next::Continue;
                }
                match std::mem::replace(&mut self.is_stuck, true) {
                    false => Next::Problem(format!("{why}; it goes on until it is ended again")),
                    true => lost(&why),
                }
            }
        }
    }

    /// An image of the session that was ended is at `path`.
    fn recovered(&self, path: &Path) {
        self.keeping.running.note_recovery(path);
        eprintln!(
            "geiko: the session was saved; it goes on with geiko {}",
            path.display()
        );
    }

    /// Saves the memory of a Lisp that does not save itself.
    fn save_as_it_is<G: Generation>(
        &mut self,
        machine: &mut Machine<'_, G>,
        status: i32,
        mut places: Places,
    ) -> Next {
        let mut why = "Lisp is in the middle of something".to_string();
        if machine.suspend_for_saving() {
            while let Some(path) = places.pop_front() {
                match machine.save(&path) {
                    Ok(()) => {
                        (machine.after_save)(&path);
                        self.recovered(&path);
                        return Next::End(status);
                    }
                    Err(error) => why = error.to_string(),
                }
            }
        }
        lost(&why)
    }

    /// Writes an automatic image while Lisp goes on.
    fn write(&mut self, image: Vec<u8>, after_save: fn(&Path)) {
        self.wait_for_writer();
        let path = self.keeping.running.next_autosave();
        let folder = self.keeping.running.folder().to_path_buf();
        let keep = self.keeping.keep;
        self.writer = Some(std::thread::spawn(move || {
            match write_file(&path, &image) {
                Ok(()) => {
                    drop(image);
                    after_save(&path);
                    sessions::prune(&folder, keep);
                }
                Err(error) => eprintln!("geiko: no automatic image: {error}"),
            }
        }));
    }

    fn wait_for_writer(&mut self) {
        if let Some(writer) = self.writer.take() {
            // A panic of that thread has been reported by itself.
            let _ = writer.join();
        }
    }
}

/// The session ends without having been saved.
fn lost(why: &str) -> Next {
    eprintln!("geiko: the session could not be saved: {why}");
    Next::End(Status::CannotSave.code().into())
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.wait_for_writer();
    }
}
