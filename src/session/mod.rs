//! A session: one machine, its time, and whoever types.
//!
//! The machine runs until somebody wants its attention. Under the real clock
//! that is a ticker, a hundred times a second; under the virtual clock the
//! machine itself, every so many instructions. At each such moment the session
//! lets the script go on and, when Lisp only waits, sleeps.

mod breaking;
mod calls;
mod control_c;
mod idle;
mod keeper;
mod selection;
mod shortage;
mod ticker;
mod time;
mod user;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use geiko_files::HostFiles;
use geiko_runtime::device::{Absent, Devices, Processes};
use geiko_runtime::interp::Exit;
use geiko_runtime::layout::Generation;
use geiko_runtime::machine::Machine;
use geiko_runtime::memory::Attention;
use geiko_runtime::traps::keyboard::Button;

use crate::console::{Console, ConsoleFiles, Request};
use crate::control::{Control, Demand, Order};
use crate::devices::host::{Host, Rights};
use crate::devices::processes::HostProcesses;
use crate::display::{FrontEnd, Headless, Panel, ScreenSize};
use crate::keys::Key;
use crate::prompt::{Line, LineEditor};
use crate::report::stray_access;
use crate::screenshot;
use crate::script::{Next, Player, Point, Script, ScriptError, Stage};
use crate::waker::Waker;

use breaking::{Breaking, Step};
use calls::Calls;
use control_c::ControlC;
use keeper::Keeper;
pub use keeper::{Keeping, OnClose, SaveTarget};
use selection::Selection;
use shortage::Shortage;
pub use time::Time;
use user::{User, Wish};

/// Characters not yet read by any Lisp program, beyond which scripts wait. Lisp
/// has room for 200.
const TYPED_AHEAD: u16 = 100;

/// Accesses to addresses where nothing is that everybody is told of.
const STRAYS_SHOWN: u32 = 10;

/// How a session is to be.
#[derive(Debug)]
pub struct Settings {
    /// Which clock Lisp sees.
    pub clock: ClockKind,
    /// What Lisp may do on the host.
    pub rights: Rights,
    /// Size of the screen.
    pub screen: ScreenSize,
    /// Where Lisp saves its image when it names no file.
    pub save_to: Option<PathBuf>,
    /// What to do.
    pub script: Option<Script>,
    /// Wall time after which the session is ended.
    pub time_limit: Option<Duration>,
    /// What the built-in Lisp is asked to do.
    pub request: Option<Request>,
    /// Standard input is a terminal, where lines are edited.
    pub edit_lines: bool,
    /// Variables of the programs that Lisp starts.
    pub variables: Vec<(OsString, OsString)>,
}

/// The clocks that Lisp can have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ClockKind {
    /// The host's time
    #[default]
    Real,
    /// Time passes with instructions: every run is the same
    Virtual,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Lisp ended it, or the script did, with this status.
    Finished(i32),
    /// The machine met a fault.
    Fault,
    /// The time limit was reached.
    TimeLimit,
}

/// Time and devices of a session, made before its machine.
pub struct Setting {
    /// For the session.
    pub shared: Shared,
    /// For the machine.
    pub devices: Devices,
}

/// What a session shares with the devices of its machine.
pub struct Shared {
    time: Time,
    console: Rc<Console>,
    panel: Panel,
    save_to: SaveTarget,
}

impl Settings {
    /// Makes time and devices; `attention` is that of the machine to be.
    ///
    /// # Errors
    ///
    /// Files cannot be confined to the root that they shall have.
    pub fn set_up(&self, attention: Attention) -> io::Result<Setting> {
        let (time, clock) = Time::new(self.clock, attention.clone());
        let console = Console::new(attention, self.edit_lines);
        let Rights {
            root,
            read_only,
            processes,
        } = &self.rights;
        let files = HostFiles::new(root.as_deref(), *read_only)?;
        let home = files.home();
        let save_to = SaveTarget::new(self.save_to.clone());
        let request = self.request.as_ref();
        let files = ConsoleFiles::new(files, Rc::clone(&console), request, save_to.clone());
        let processes: Box<dyn Processes> = if *processes {
            Box::new(HostProcesses::with_environment(self.variables.clone()))
        } else {
            Box::new(Absent)
        };
        let panel = Panel::new(self.screen);
        Ok(Setting {
            shared: Shared {
                time,
                console,
                panel: panel.clone(),
                save_to: save_to.clone(),
            },
            devices: Devices {
                clock,
                display: Box::new(panel),
                environment: Box::new(Host { save_to, home }),
                files: Box::new(files),
                processes,
            },
        })
    }
}

/// A machine at work.
pub struct Session<'m, G: Generation> {
    machine: Machine<'m, G>,
    time: Time,
    console: Rc<Console>,
    /// Made when Lisp first wants a line.
    editor: Option<LineEditor<'m, G>>,
    player: Option<Player>,
    user: User,
    save_to: SaveTarget,
    /// What Lisp can be called for, if it is Medley.
    calls: Option<Calls>,
    /// Who keeps the user's work, if anybody.
    keeper: Option<Keeper>,
    breaking: Breaking,
    selection: Selection,
    /// Orders from outside.
    control: Option<Control>,
    started: Instant,
    time_limit: Option<Duration>,
    /// Hard resets that have been reported.
    hard_resets: u64,
    /// Accesses to addresses where nothing is that have been told.
    strays: u32,
    /// What is done about memory that runs short.
    shortage: Shortage,
    /// Control-C, if Lisp wants to know of it.
    control_c: Option<ControlC>,
}

impl<'m, G: Generation> Session<'m, G> {
    /// A session of `machine`, which has the devices of the [`Setting`] that
    /// `shared` comes from, and is ready to run. Nobody sees its screen.
    pub fn new(machine: Machine<'m, G>, shared: Shared, settings: Settings) -> Self {
        Self {
            calls: Calls::find(machine.mem),
            machine,
            time: shared.time,
            console: shared.console,
            editor: None,
            player: settings.script.map(Player::new),
            user: User::new(Box::new(Headless), shared.panel),
            save_to: shared.save_to,
            keeper: None,
            breaking: Breaking::default(),
            selection: Selection::default(),
            control: None,
            started: Instant::now(),
            time_limit: settings.time_limit,
            hard_resets: 0,
            strays: 0,
            shortage: Shortage::default(),
            control_c: None,
        }
    }

    /// From now on control-C is for Lisp; it does not end the program.
    pub fn give_control_c_to_lisp(&mut self) -> std::io::Result<()> {
        self.control_c = Some(ControlC::watch()?);
        Ok(())
    }

    /// From now on a user sits at `front`.
    pub fn show_on(&mut self, front: Box<dyn FrontEnd>) {
        self.user.sit_at(front);
    }

    /// Whether Lisp can save itself for somebody else.
    pub fn can_be_kept(&self) -> bool {
        self.calls.is_some()
    }

    /// From now on the user's work is kept, if Lisp can save itself, and the session
    /// can be given orders from outside.
    pub fn keep(&mut self, keeping: Keeping, waker: Waker) -> std::io::Result<()> {
        let Some(calls) = self.calls else {
            return Ok(());
        };
        self.control = Some(Control::listen(keeping.running.name(), waker)?);
        self.keeper = Some(Keeper::new(keeping, calls, self.save_to.clone())?);
        Ok(())
    }

    /// Has instructions that access addresses where nothing is told.
    pub fn watch_addresses(&mut self) {
        if !self.machine.watch_addresses() {
            tracing::debug!("this host does not tell of accesses where nothing is");
        }
    }

    /// Tells of them.
    fn report_strays(&mut self) {
        for stray in self.machine.take_strays() {
            let sentence = stray_access(&self.machine, &stray);
            tracing::debug!("{sentence}");
            if self.strays < STRAYS_SHOWN {
                eprintln!("geiko: {sentence}");
            }
            self.strays += 1;
            if self.strays == STRAYS_SHOWN {
                eprintln!("geiko: more of that is told by --log debug and counted by --stats");
            }
        }
    }

    /// Runs to the end. A session that Lisp has ended can be run again: Lisp goes on
    /// behind the end.
    pub fn run(&mut self) -> Result<Ending, ScriptError> {
        loop {
            let exit = self.machine.run();
            self.report_strays();
            match exit {
                Exit::Finished => {
                    if let Some(player) = &mut self.player {
                        player.session_ended()?;
                    }
                    let status = self.machine.exit_status;
                    return Ok(Ending::Finished(self.console.closed().unwrap_or(status)));
                }
                Exit::Fault => return Ok(Ending::Fault),
                _ => {
                    if let Some(ending) = self.attend()? {
                        return Ok(ending);
                    }
                }
            }
        }
    }

    /// Tells when Lisp had to give up what it was doing.
    fn report_hard_resets(&mut self) {
        let resets = self.machine.statistics.hard_resets;
        if resets != self.hard_resets {
            self.hard_resets = resets;
            eprintln!(
                "geiko: the Lisp stack was full; Lisp gave up what it was doing and started its processes afresh"
            );
        }
    }

    /// What happens at a moment of attention.
    fn attend(&mut self) -> Result<Option<Ending>, ScriptError> {
        self.time.sample(&mut self.machine);
        self.report_hard_resets();
        self.shortage.attend(&mut self.machine);
        if let Some(status) = self.console.closed() {
            return Ok(Some(Ending::Finished(status)));
        }
        match self.control_c.as_mut().and_then(ControlC::take) {
            Some(control_c::Wish::Interrupt) => {
                self.console.leave_echo();
                self.machine.interrupt_character(control_c::CODE);
                self.time.disturb();
            }
            Some(control_c::Wish::End) => return Ok(Some(Ending::Finished(control_c::STATUS))),
            None => {}
        }
        if self.console.waits_for_line() {
            self.edit_line();
        }
        self.user.act(&mut self.machine, &mut self.time);
        self.user.show(&self.machine);
        if let Some(ending) = self.obey() {
            return Ok(Some(ending));
        }
        let left = self.time_left();
        if left.is_zero() {
            return Ok(Some(Ending::TimeLimit));
        }
        if let Some(player) = &mut self.player {
            let mut hands = Hands {
                machine: &mut self.machine,
                time: &mut self.time,
            };
            if let Next::Finish(status) = player.poll(&mut hands)? {
                return Ok(Some(Ending::Finished(status)));
            }
        }
        if self.machine.interrupt_waits() {
            self.time.hurry(&mut self.machine);
        } else {
            self.time.rest(left);
        }
        Ok(None)
    }

    /// Does what the user, or somebody from outside, wants of the session.
    fn obey(&mut self) -> Option<Ending> {
        while let Some(wish) = self.next_wish() {
            tracing::debug!(?wish, "obeying");
            match (wish, &mut self.keeper) {
                (Wish::Break, _) => self.breaking.press(),
                (Wish::Copy(text), _) => self.user.copy(Some(text)),
                (Wish::CopySelection, _) => self.selection.want(),
                (Wish::Discard, _) | (Wish::Close | Wish::Save, None) => {
                    return Some(Ending::Finished(0));
                }
                (Wish::Save, Some(keeper)) => keeper.save_and_end(),
                (Wish::Close, Some(keeper)) => match keeper.on_close() {
                    OnClose::Save => keeper.save_and_end(),
                    OnClose::Ask => self.user.ask_to_close(None),
                    OnClose::Discard => return Some(Ending::Finished(0)),
                },
            }
        }
        match self.breaking.next_step() {
            Some(Step::Interrupt) => {
                self.machine.interrupt_character(breaking::CODE);
                self.time.disturb();
            }
            Some(Step::Break) => {
                let made = self.calls.is_some_and(|c| c.break_here(&mut self.machine));
                self.breaking.tried(made);
                self.time.disturb();
            }
            Some(Step::End) => match &mut self.keeper {
                Some(keeper) => keeper.save_and_end(),
                None => return Some(Ending::Finished(control_c::STATUS)),
            },
            None => {}
        }
        if let Some(calls) = &self.calls {
            if let Some(text) = self.selection.poll(&mut self.machine, calls) {
                self.user.copy(text);
            }
            if self.selection.is_wanted() {
                self.time.disturb();
            }
        }
        let keeper = self.keeper.as_mut()?;
        let next = keeper.poll(&mut self.machine);
        if keeper.waits_for_lisp() {
            // A Lisp that waits is looked at between the same two steps of its round, where
            // perhaps it must not be interrupted; one that works is looked at anywhere.
            self.time.disturb();
        }
        match next {
            keeper::Next::Continue => None,
            keeper::Next::End(status) => Some(Ending::Finished(status)),
            keeper::Next::Problem(problem) => {
                eprintln!("geiko: the session could not be saved: {problem}");
                self.user.ask_to_close(Some(problem));
                None
            }
        }
    }

    fn next_wish(&mut self) -> Option<Wish> {
        let demand = || self.control.as_ref()?.next_demand();
        self.user.next_wish().or_else(|| {
            Some(match demand()? {
                Demand::Order(Order::Break) => Wish::Break,
                Demand::Order(Order::Quit) => Wish::Save,
                Demand::Order(Order::Discard) => Wish::Discard,
                Demand::Copy(text) => Wish::Copy(text),
            })
        })
    }

    /// Lets somebody edit a line for Lisp.
    fn edit_line(&mut self) {
        if let Some(control_c) = &mut self.control_c {
            control_c.forget();
        }
        let mem = self.machine.mem;
        let editor = &mut self.editor;
        let prompt = self.console.prompt();
        let line = self.time.stand_still(|| match editor {
            Some(editor) => editor.read(&prompt),
            None => editor.insert(LineEditor::new(mem)?).read(&prompt),
        });
        match line {
            Ok(Line::Text(line)) => self.console.give_line(&line),
            Ok(Line::Interrupt) => {
                self.machine.interrupt_character(control_c::CODE);
                self.console.line_ended();
            }
            Ok(Line::End) => self.console.end_input(),
            Err(error) => {
                eprintln!("geiko: cannot read from the terminal: {error}");
                self.console.end_input();
            }
        }
    }

    fn time_left(&self) -> Duration {
        self.time_limit.map_or(Duration::MAX, |limit| {
            limit.saturating_sub(self.started.elapsed())
        })
    }

    /// Whoever typed is gone; Lisp goes on.
    pub fn dismiss_script(&mut self) {
        self.player = None;
    }

    /// The machine, while it does not run.
    pub fn machine_mut(&mut self) -> &mut Machine<'m, G> {
        &mut self.machine
    }

    /// The machine.
    pub fn machine(&self) -> &Machine<'m, G> {
        &self.machine
    }

    /// How long the session has lasted.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The longest time that Lisp spent on saving itself because somebody else wanted it.
    pub fn longest_stop(&self) -> Duration {
        let keeper = self.keeper.as_ref();
        keeper.map_or(Duration::ZERO, Keeper::longest_stop)
    }

    /// How much of that it slept because Lisp had nothing to do.
    pub fn slept(&self) -> Duration {
        self.time.slept()
    }
}

/// What a script can do to a session.
struct Hands<'a, 'm, G: Generation> {
    machine: &'a mut Machine<'m, G>,
    time: &'a mut Time,
}

impl<G: Generation> Stage for Hands<'_, '_, G> {
    fn now(&self) -> Duration {
        self.time.now()
    }

    fn idle_for(&self) -> Duration {
        self.time.idle_for()
    }

    fn accepts_input(&self) -> bool {
        !self.machine.input_waiting()
    }

    fn accepts_typing(&self) -> bool {
        self.machine.typed_ahead() <= TYPED_AHEAD
    }

    fn screen_size(&self) -> (u16, u16) {
        self.machine.devices.display.size()
    }

    fn key(&mut self, Key(number): Key, down: bool) {
        self.machine.key(number, down);
        self.time.disturb();
    }

    fn button(&mut self, button: Button, down: bool) {
        self.machine.button(button, down);
        self.time.disturb();
    }

    fn move_mouse(&mut self, to: Point) {
        self.machine.move_pointer(to.x, to.y);
        self.time.disturb();
    }

    fn screenshot(&mut self, path: &Path) -> Result<(), String> {
        screenshot::write(&self.machine.screen(), path).map_err(|error| error.to_string())
    }
}
