//! The compiler as the machine sees it: which functions have native code, and how
//! they get it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use geiko_runtime::accounts::{self, Account};
use geiko_runtime::interp::native::{Compiler, MARGIN, Outcome, Point};
use geiko_runtime::layout::Generation;
use geiko_runtime::machine::Machine;
use geiko_runtime::memory::{LispPtr, Mem};
use geiko_runtime::symbols::Symbols;
use target_lexicon::Triple;

use crate::cache::{Cache, Place};
use crate::collisions::{self, Change};
use crate::entry::Entry;
use crate::events::{Event, Events, Listener, Totals};
use crate::exits::{Exit, Exits, Row};
use crate::feedback::Feedback;
use crate::finder::Places;
use crate::hosts;
use crate::listing::Listing;
use crate::operations::Operations;
use crate::records::{Native, Record, Records, Stage, Way};
use crate::residents::Residents;
use crate::shims::{self, Applied, Context, Landing};
use crate::status;
use crate::translate::{AWAY, Host};
use crate::unit::Unit;
use crate::workshop::{Job, Made, Worker, Workshop};

/// The compiler cannot work here.
#[derive(Debug, thiserror::Error)]
pub enum JitError {
    /// No code for this kind of machine.
    #[error("no native code for this kind of machine: {0}")]
    Host(String),
    /// The cache is too small for anything.
    #[error("no native code fits in {bytes} bytes")]
    Cache {
        /// Its size.
        bytes: usize,
    },
    /// No memory for code.
    #[error("cannot map memory for native code: {0}")]
    Memory(#[from] std::io::Error),
}

/// When a function is compiled that is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// At once.
    Now,
    /// On a thread of its own, while it is interpreted.
    Meanwhile,
}

/// The compiler of a machine of generation `G`.
pub struct Jit<G: Generation> {
    context: Box<Context<G>>,
    entry: Entry,
    /// Address of [`Workshop::aside`].
    aside: usize,
    /// Address of [`Workshop::aside_native`].
    aside_native: usize,
    /// Address of [`Workshop::safepoint`].
    safepoint: usize,
    /// Address of [`Workshop::finder`].
    finder: usize,
    /// Addresses of [`Workshop::counter`].
    addref: usize,
    delref: usize,
    recent: Box<[Cell<Recent>; RECENT]>,
    residents: RefCell<Residents>,
    /// Code blocks that have native code or shall have it, and their ends.
    blocks: RefCell<BTreeMap<LispPtr, LispPtr>>,
    /// Machine code for which there is no room while native code runs.
    held: RefCell<Vec<Made>>,
    making: Making,
    jobs: Cell<u64>,
    counts: Cell<bool>,
    /// Memory is short: nothing is compiled.
    rests: Cell<bool>,
}

/// Who makes the code.
enum Making {
    Now(Box<RefCell<Workshop>>),
    Meanwhile(Worker),
}

impl<G: Generation> Jit<G> {
    /// A compiler for machines over `mem`, with room for `bytes` of code.
    pub fn new(mem: Mem<'_, G>, bytes: usize, pace: Pace) -> Result<Self, JitError> {
        let _account = Account::Profiles.open();
        let context = Box::new(Context {
            machine: Cell::new(std::ptr::null_mut()),
            base: mem.host_address(),
            applied: Applied::default(),
            landing: Landing::default(),
            answer: Cell::new(0),
            records: Records::default(),
            instructions: Cell::new(0),
            exits: Exits::default(),
            events: Events::default(),
            entered: Cell::new(0),
            found: Cell::new(0),
            countdown: Cell::new(0),
            disabled: Cell::new(0),
            unseen: Cell::new(0),
            epoch: Cell::new(0),
            entry: RefCell::default(),
        });
        let mut cache = Cache::new(bytes)?;
        let isa = hosts::native(&Triple::host())?;
        let mut workshop = Workshop::new(isa.clone());
        let mut publish = |door: Vec<u8>| {
            let place = cache.publish(&door).ok_or(JitError::Cache { bytes })?;
            Ok::<_, JitError>(place.address)
        };
        let trampoline = workshop.trampoline();
        let bytes_of_entry = trampoline.len();
        let entry = publish(trampoline)?;
        context.entry.replace(entry..entry + bytes_of_entry);
        let answer = context.answer.as_ptr() as i64;
        let aside = publish(workshop.aside(&raw const *context as i64, answer))?;
        let aside_native = publish(workshop.aside_native(answer))?;
        let shim = shims::safepoint::<G> as *const () as i64;
        let safepoint = workshop.safepoint(shim, &raw const *context as i64, answer);
        let safepoint = publish(safepoint)?;
        let finder = publish(workshop.finder::<G>(&Places {
            base: &raw const context.base as i64,
            entered: context.entered.as_ptr() as i64,
            found: context.found.as_ptr() as i64,
            answer,
        }))?;
        let operations = Operations::of::<G>();
        let [addref, delref] = [
            (Change::Add, operations.addref),
            (Change::Delete, operations.delref),
        ]
        .map(|(change, operation)| {
            let places = collisions::Places {
                base: &raw const context.base as i64,
                countdown: context.countdown.as_ptr() as i64,
                disabled: context.disabled.as_ptr() as i64,
                aside: aside as i64,
                operation,
            };
            publish(workshop.counter::<G>(places, change))
        });
        let making = match pace {
            Pace::Now => Making::Now(Box::new(RefCell::new(workshop))),
            Pace::Meanwhile => match Worker::start::<G>(workshop) {
                Some(worker) => Making::Meanwhile(worker),
                None => Making::Now(Box::new(RefCell::new(Workshop::new(isa)))),
            },
        };
        Ok(Self {
            context,
            aside,
            aside_native,
            safepoint,
            finder,
            addref: addref?,
            delref: delref?,
            // SAFETY: the trampoline was just put there; the cache lives as long as
            // `self`.
            entry: unsafe { Entry::new(entry) },
            recent: Box::new([const { Cell::new(Recent::NONE) }; RECENT]),
            residents: RefCell::new(Residents::new(cache)),
            blocks: RefCell::default(),
            held: RefCell::default(),
            making,
            jobs: Cell::new(0),
            counts: Cell::new(false),
            rests: Cell::new(false),
        })
    }

    fn host(&self, countdown: LispPtr) -> Host {
        Host {
            is_exact: false,
            is_observed: false,
            observe: shims::observe::<G> as *const () as i64,
            watched: 0,
            cell_maps: 0,
            context: &raw const *self.context as i64,
            base: &raw const self.context.base as i64,
            finish: shims::finish::<G> as *const () as i64,
            give_up: shims::give_up::<G> as *const () as i64,
            execute: shims::execute::<G> as *const () as i64,
            resume: shims::resume::<G> as *const () as i64,
            free_variable: shims::free_variable::<G> as *const () as i64,
            apply: shims::apply::<G> as *const () as i64,
            apply_code: shims::apply_code::<G> as *const () as i64,
            spread: shims::spread::<G> as *const () as i64,
            missed: shims::missed::<G> as *const () as i64,
            applied: &raw const self.context.applied as i64,
            landing: &raw const self.context.landing as i64,
            operations: Operations::of::<G>(),
            aside: self.aside as i64,
            aside_native: self.aside_native as i64,
            safepoint: self.safepoint as i64,
            finder: self.finder as i64,
            addref: self.addref as i64,
            delref: self.delref as i64,
            answer: self.context.answer.as_ptr() as i64,
            entered: self.context.entered.as_ptr() as i64,
            countdown,
            counter: (self.counts.get()).then_some(self.context.instructions.as_ptr() as i64),
        }
    }

    /// Sees to it that the function at `code` gets native code, now or later.
    fn order(&self, machine: &mut Machine<'_, G>, code: LispPtr) {
        if self.rests.get() {
            return;
        }
        let _account = Account::Compiler.open();
        let records = &self.context.records;
        let feedback = records.with(code, |record| record.feedback.borrow().clone());
        let events = &self.context.events;
        events.learn_name(machine.mem, code);
        let again = feedback.version > 0;
        events.happens(code, &Event::Ordered { again });
        let is_exact = machine.is_exact();
        let feedback = Feedback {
            exact: is_exact && !machine.has_shadow(),
            ..feedback
        };
        let unit = Unit::read(machine.mem, machine.symbols.mvlist, code, feedback, records);
        let fits = |unit: &Unit| !is_exact || unit.longest() < MARGIN as usize;
        let has_room = |unit: &Unit| {
            let has_room = accounts::is_room_for(TRANSLATING_BYTES * u64::from(unit.words));
            if !has_room {
                events.happens(code, &Event::NoRoom);
            }
            has_room
        };
        let Some(unit) = unit.filter(fits).filter(has_room) else {
            records.with(code, |record| record.stage.replace(Stage::Refused));
            return;
        };
        let end = unit.code.add(unit.words);
        self.blocks.borrow_mut().insert(unit.code, end);
        machine.watch_code(unit.code, unit.words);
        let job = Job {
            unit,
            host: Host {
                is_exact,
                is_observed: machine.has_shadow(),
                watched: machine.watched_pages() as i64,
                cell_maps: machine.cell_maps_address() as i64,
                ..self.host(machine.symbols.reclaim_countdown)
            },
            number: self.jobs.get(),
        };
        self.jobs.set(job.number + 1);
        let known = (job.unit.callees().into_iter()).map(|(_, callee)| callee.code);
        let known = known.chain([code]);
        let callees = known.map(|code| records.with(code, Rc::clone)).collect();
        records.with(code, |record| {
            (record.stage).replace(Stage::Ordered(job.number, callees))
        });
        match &self.making {
            Making::Now(workshop) => {
                let made = workshop.borrow_mut().make::<G>(&job);
                self.take(made);
            }
            Making::Meanwhile(worker) => worker.send(job),
        }
    }

    /// The native code that the function at `code` gets at first, when nothing is known of
    /// its numbers. `name` tells what symbols are called. `None` if it has none.
    pub fn list(
        &self,
        mem: Mem<'_, G>,
        symbols: &Symbols,
        code: LispPtr,
        name: &dyn Fn(LispPtr) -> String,
    ) -> Result<Option<Listing>, JitError> {
        let Some(job) = self.first_job(mem, symbols, code) else {
            return Ok(None);
        };
        let isa = hosts::native(&Triple::host())?;
        Ok(Workshop::new(isa).list::<G>(&job, name))
    }

    /// What is to be done for the function at `code` at first. `None` if nothing can be.
    pub(crate) fn first_job(
        &self,
        mem: Mem<'_, G>,
        symbols: &Symbols,
        code: LispPtr,
    ) -> Option<Job> {
        let records = &self.context.records;
        let unit = Unit::read(mem, symbols.mvlist, code, Feedback::default(), records)?;
        Some(Job {
            unit,
            host: self.host(symbols.reclaim_countdown),
            number: 0,
        })
    }

    /// Publishes what was made meanwhile.
    fn collect(&self) {
        if !self.is_running() {
            for made in self.held.take() {
                self.publish(made);
            }
        }
        if let Making::Meanwhile(worker) = &self.making {
            while let Some(made) = worker.take() {
                self.take(made);
            }
        }
    }

    /// Takes machine code that was just made.
    fn take(&self, made: Made) {
        let _account = Account::Profiles.open();
        let (bytes, time) = (made.bytes.len(), made.time);
        let event = match made.had_room {
            true => Event::Compiled { bytes, time },
            false => Event::NoRoom,
        };
        self.context.events.happens(made.code, &event);
        self.publish(made);
    }

    /// Puts machine code in the cache, unless its function is gone or wants other code
    /// by now.
    fn publish(&self, made: Made) {
        let records = &self.context.records;
        let function = (made.code, made.number);
        let is_wanted = records.with(made.code, |record| {
            matches!(*record.stage.borrow(), Stage::Ordered(number, _) if number == made.number)
        });
        if !is_wanted {
            return;
        }
        let mut residents = self.residents.borrow_mut();
        let place = if made.bytes.is_empty() {
            None
        } else if self.is_running() {
            let place = residents.publish(records, function, &made.bytes);
            if place.is_none() {
                return self.held.borrow_mut().push(made);
            }
            place
        } else {
            residents.publish_at_any_cost(records, function, &made.bytes)
        };
        for code in residents.take_evicted() {
            self.context.events.happens(code, &Event::Evicted);
        }
        if let Some(Place { address, .. }) = place {
            let code = &made.bytes;
            records.maps.publish(address, made.maps);
            let event = Event::Installed { address, code };
            self.context.events.happens(made.code, &event);
        }
        // Somebody may have lost its entry.
        self.context.renew();
        records.with(made.code, |record| {
            let mut stage = record.stage.borrow_mut();
            *stage = match (place, std::mem::replace(&mut *stage, Stage::Refused)) {
                (Some(place), Stage::Ordered(number, callees)) => {
                    record.arguments.set(made.arguments);
                    Stage::Native(Native {
                        number,
                        place,
                        entries: made.entries,
                        leaves: made.leaves,
                        stack_words: made.stack_words,
                        callees,
                        parts: made.parts,
                    })
                }
                _ => Stage::Refused,
            };
        });
    }

    /// True while native code runs or waits for the interpreter.
    fn is_running(&self) -> bool {
        !self.context.machine.get().is_null()
    }

    /// Has code that is made from now on count the instructions it executes.
    pub fn count_instructions(&self) {
        self.counts.set(true);
    }

    /// Instructions executed natively, if they are counted.
    pub fn instructions(&self) -> u64 {
        let interpreted = self.context.exits.interpreted();
        self.context.instructions.get().saturating_sub(interpreted)
    }

    /// The ways on which native code was left, the most frequent first.
    pub fn exits(&self) -> Vec<Row> {
        self.context.exits.rows()
    }

    /// What was done about native code.
    pub fn totals(&self) -> Totals {
        self.context.events.totals()
    }

    /// Has `listener` told of all that is done about native code.
    pub fn add_listener(&self, listener: Listener) {
        self.context.events.add_listener(listener);
    }

    /// Bytes of native code.
    pub fn code_bytes(&self) -> usize {
        self.residents.borrow().cache().used()
    }

    /// Bytes of frame maps.
    pub fn map_bytes(&self) -> usize {
        self.context.records.maps.bytes()
    }

    /// Bytes that native code has room for.
    pub fn code_capacity(&self) -> usize {
        self.residents.borrow().cache().capacity()
    }
}

impl<G: Generation> Compiler<G> for Jit<G> {
    fn enter(&self, machine: &mut Machine<'_, G>, point: Point) -> Result<Outcome, u32> {
        if !self.held.borrow().is_empty() {
            if self.is_running() {
                // There is room when the host stack is empty.
                return Ok(Outcome::Abandoned);
            }
            self.collect();
        }
        let way = self.find(machine, point)?;
        if !way.is_open(machine, point.pvar) || !machine.has_own_arguments() {
            return Err(SOON);
        }
        if machine.is_finishing(point.pvar) {
            self.context
                .landing
                .enter(way, point.pvar.address().0 as usize);
            return Ok(Outcome::Reentered);
        }
        Ok(self.run(machine, point, way))
    }

    fn rest(&self, rests: bool) -> bool {
        self.rests.set(rests);
        if rests {
            self.collect();
            let blocks = std::mem::take(&mut *self.blocks.borrow_mut());
            for &code in blocks.keys() {
                self.forget(code);
            }
            self.residents
                .borrow_mut()
                .free_retired(&self.context.records);
        }
        match &self.making {
            Making::Now(_) => true,
            Making::Meanwhile(worker) => worker.is_idle(),
        }
    }

    fn place(&self, host_pc: usize) -> Option<(LispPtr, u16)> {
        self.context.records.instruction_at(host_pc)
    }

    fn patched(&self, from: LispPtr, words: u32) -> bool {
        let end = from.add(words);
        let changed =
            |(&code, &block_end): (&LispPtr, &LispPtr)| (block_end > from).then_some(code);
        let mut any = false;
        loop {
            let block = (self.blocks.borrow().range(..end).next_back()).and_then(changed);
            let Some(code) = block else {
                return any;
            };
            self.forget(code);
            any = true;
        }
    }

    fn see(&self, machine: &Machine<'_, G>, point: Point) -> bool {
        self.context.see(machine, point)
    }

    fn forget(&self, code: LispPtr) {
        self.blocks.borrow_mut().remove(&code);
        if self.context.records.remove(code) {
            self.context.events.happens(code, &Event::Forgotten);
        }
        for recent in &*self.recent {
            if recent.get().code == code {
                recent.set(Recent::NONE);
            }
        }
    }
}

/// An entry that was looked up.
#[derive(Clone, Copy)]
struct Recent {
    code: LispPtr,
    pc: u16,
    depth: u16,
    epoch: u32,
    way: Way,
}

impl Recent {
    const NONE: Self = Self {
        code: LispPtr::NIL,
        pc: 0,
        depth: 0,
        epoch: 0,
        way: Way {
            target: 0,
            number: 0,
            words: 0,
        },
    };
}

/// Most bytes of the program's memory that a function takes for each of its words before its
/// machine code is made; mostly it is an eighth of that.
const TRANSLATING_BYTES: u64 = 24 << 10;

/// Calls and turns of loops until native code is looked for again where there was none.
const SOON: u32 = 8;

/// The same for a function whose native code had to make room for that of others.
const LATER: u32 = 512;

/// Entries remembered, a power of two.
const RECENT: usize = 1 << 10;

impl<G: Generation> Jit<G> {
    /// The native code to enter at `point` and the number of the entry; compiles
    /// the function if it was not tried before. If there is none: how many calls or
    /// turns of a loop to wait.
    fn find(&self, machine: &mut Machine<'_, G>, point: Point) -> Result<Way, u32> {
        let code = machine.func;
        let recent = &self.recent[((code.0 >> 1) as usize ^ usize::from(point.pc)) & (RECENT - 1)];
        let known = recent.get();
        let epoch = self.context.epoch.get();
        if (known.code, known.pc, known.depth, known.epoch) == (code, point.pc, point.depth, epoch)
        {
            return Ok(known.way);
        }
        self.collect();
        let records = &self.context.records;
        let is_fresh = records.with(code, |record| {
            let mut stage = record.stage.borrow_mut();
            if matches!(*stage, Stage::Evicted) {
                *stage = Stage::Interpreted;
                return Err(LATER);
            }
            if self.observes(machine, record, &mut stage) {
                return Err(SOON);
            }
            Ok(matches!(*stage, Stage::Interpreted | Stage::Observed(_)))
        })?;
        if is_fresh {
            self.order(machine, code);
        }
        let way = records.with(code, |record| {
            let Stage::Native(native) = &*record.stage.borrow() else {
                return Err(SOON);
            };
            // It is used: it may have lost its entry.
            record.entry.set(native.place.address);
            record.way_to(point.pc.into(), point.depth).ok_or(SOON)
        })?;
        recent.set(Recent {
            code,
            pc: point.pc,
            depth: point.depth,
            epoch: self.context.epoch.get(),
            way,
        });
        Ok(way)
    }

    /// True if the function of `record` is still to be observed in the interpreter before it is compiled. If
    /// code is wanted at once, or must be the same in every run, nobody waits for that.
    fn observes(&self, machine: &mut Machine<'_, G>, record: &Record, stage: &mut Stage) -> bool {
        let is_worth_it = matches!(self.making, Making::Meanwhile(_))
            && !machine.is_exact()
            && !machine.has_shadow();
        is_worth_it && self.context.observes(machine, record, stage)
    }

    /// Runs native code in the running frame.
    fn run(
        &self,
        machine: &mut Machine<'_, G>,
        point: Point,
        Way { target, number, .. }: Way,
    ) -> Outcome {
        let place = point.pvar.address().0 as usize + AWAY as usize;
        let pointer: *mut Machine<'_, G> = machine;
        let outer = self.context.machine.replace(pointer.cast());
        let entered = self.context.entered.replace(point.pvar.0.into());
        self.context.found.set(machine.found_variables());
        self.context.know_counting(&machine.symbols);
        // SAFETY: the record has native code made for this memory and the pc of
        // one of its entries; the frame is that of the running activation, and
        // `machine` is not used again before the call returns.
        let packed = unsafe { self.entry.call(place, 2 * number + 1, target) };
        self.context.machine.set(outer);
        self.context.entered.set(entered);
        match (packed >> 32) as i64 {
            status::RETURNED => Outcome::Returned(LispPtr(packed as u32)),
            _ => {
                self.context.exits.count(Exit::Abandoned, 0);
                Outcome::Abandoned
            }
        }
    }
}
