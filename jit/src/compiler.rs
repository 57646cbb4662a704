//! The compiler as the machine sees it: which functions have native code, and how
//! they get it.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use geiko_runtime::interp::native::{Compiler, Outcome, Point};
use geiko_runtime::isa::Opcode;
use geiko_runtime::layout::{Generation, STACK};
use geiko_runtime::machine::Machine;
use geiko_runtime::memory::{LispPtr, Mem};

use crate::cache::Cache;
use crate::entry::Entry;
use crate::listing::Listing;
use crate::numbers::Feedback;
use crate::operations::Operations;
use crate::records::{Records, Stage};
use crate::shims::{self, Applied, Context};
use crate::status;
use crate::translate::Host;
use crate::unit::Unit;
use crate::workshop::{Job, Made, Worker, Workshop};

/// The compiler cannot work here.
#[derive(Debug, thiserror::Error)]
pub enum JitError {
    /// No code for this kind of machine.
    #[error("no native code for this kind of machine: {0}")]
    Host(String),
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
    recent: Box<[Cell<Recent>; RECENT]>,
    cache: RefCell<Cache>,
    making: Making,
    jobs: Cell<u64>,
    compiled: Cell<u64>,
    compile_time: Cell<Duration>,
}

/// Who makes the code.
enum Making {
    Now(Box<RefCell<Workshop>>),
    Meanwhile(Worker),
}

impl<G: Generation> Jit<G> {
    /// A compiler for machines over `mem`, with room for `bytes` of code.
    pub fn new(mem: Mem<'_, G>, bytes: usize, pace: Pace) -> Result<Self, JitError> {
        let mut cache = Cache::new(bytes)?;
        let mut workshop = Workshop::new()?;
        let address = cache
            .publish(&workshop.trampoline())
            .ok_or_else(|| JitError::Host("the entry does not compile".into()))?;
        let making = match pace {
            Pace::Now => Making::Now(Box::new(RefCell::new(workshop))),
            Pace::Meanwhile => match Worker::start::<G>(workshop) {
                Some(worker) => Making::Meanwhile(worker),
                None => Making::Now(Box::new(RefCell::new(Workshop::new()?))),
            },
        };
        Ok(Self {
            context: Box::new(Context {
                machine: Cell::new(std::ptr::null_mut()),
                base: mem.host_address(),
                applied: Applied::default(),
                records: Records::default(),
                given_up: Cell::new(0),
                epoch: Cell::new(0),
                executed: [const { Cell::new(0) }; 256],
                left: [const { Cell::new(0) }; 256],
            }),
            // SAFETY: the trampoline was just put there; the cache lives as long as
            // `self`.
            entry: unsafe { Entry::new(address) },
            recent: Box::new([const { Cell::new(Recent::NONE) }; RECENT]),
            cache: RefCell::new(cache),
            making,
            jobs: Cell::new(0),
            compiled: Cell::new(0),
            compile_time: Cell::default(),
        })
    }

    fn host(&self) -> Host {
        Host {
            context: &raw const *self.context as i64,
            finish: shims::finish::<G> as *const () as i64,
            give_up: shims::give_up::<G> as *const () as i64,
            execute: shims::execute::<G> as *const () as i64,
            resume: shims::resume::<G> as *const () as i64,
            apply: shims::apply::<G> as *const () as i64,
            apply_code: shims::apply_code::<G> as *const () as i64,
            applied: &raw const self.context.applied as i64,
            operations: Operations::of::<G>(),
        }
    }

    /// Sees to it that the function at `code` gets native code, now or later.
    fn order(&self, mem: Mem<'_, G>, code: LispPtr) {
        let records = &self.context.records;
        let feedback = records.with(code, |record| record.feedback.borrow().clone());
        let Some(unit) = Unit::read(mem, code, feedback, records) else {
            records.with(code, |record| record.stage.replace(Stage::Refused));
            return;
        };
        let job = Job {
            unit,
            host: self.host(),
            number: self.jobs.get(),
        };
        self.jobs.set(job.number + 1);
        records.with(code, |record| {
            record.stage.replace(Stage::Ordered(job.number))
        });
        match &self.making {
            Making::Now(workshop) => {
                let start = Instant::now();
                let made = workshop.borrow_mut().make::<G>(&job);
                self.compile_time.update(|time| time + start.elapsed());
                self.publish(made);
            }
            Making::Meanwhile(worker) => worker.send(job),
        }
    }

    /// The native code that the function at `code` gets at first, when nothing is known of
    /// its numbers. `name` tells what symbols are called. `None` if it has none.
    pub fn list(
        &self,
        mem: Mem<'_, G>,
        code: LispPtr,
        name: &dyn Fn(LispPtr) -> String,
    ) -> Result<Option<Listing>, JitError> {
        let unit = Unit::read(mem, code, Feedback::default(), &self.context.records);
        let Some(unit) = unit else {
            return Ok(None);
        };
        let job = Job {
            unit,
            host: self.host(),
            number: 0,
        };
        Ok(Workshop::new()?.list::<G>(&job, name))
    }

    /// Publishes what was made meanwhile.
    fn collect(&self) {
        if let Making::Meanwhile(worker) = &self.making {
            while let Some(made) = worker.take() {
                self.publish(made);
            }
        }
    }

    /// Puts machine code in the cache, unless its function is gone or wants other code
    /// by now.
    fn publish(&self, made: Made) {
        self.context.records.with(made.code, |record| {
            if !matches!(*record.stage.borrow(), Stage::Ordered(number) if number == made.number) {
                return;
            }
            let address = (!made.bytes.is_empty())
                .then(|| self.cache.borrow_mut().publish(&made.bytes))
                .flatten();
            let Some(address) = address else {
                record.stage.replace(Stage::Refused);
                return;
            };
            record.arguments.set(made.arguments);
            record.stage.replace(Stage::Native(made.entries));
            record.entry.set(address);
            self.compiled.set(self.compiled.get() + 1);
        });
    }

    /// What native code left to the interpreter: opcode, single instructions,
    /// rests of activations; the most frequent first.
    pub fn left_to_interpreter(&self) -> Vec<(Opcode, u64, u64)> {
        let mut rows: Vec<_> = (Opcode::ALL.into_iter())
            .map(|opcode| {
                let count = |table: &[Cell<u64>; 256]| table[opcode as usize].get();
                let (executed, left) = (count(&self.context.executed), count(&self.context.left));
                (opcode, executed, left)
            })
            .filter(|row| row.1 + row.2 > 0)
            .collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.1 + row.2));
        rows
    }

    /// Functions compiled, those compiled again among them.
    pub fn compiled(&self) -> u64 {
        self.compiled.get()
    }

    /// Activations given up because they were not what their code was made for.
    pub fn given_up(&self) -> u64 {
        self.context.given_up.get()
    }

    /// Time that Lisp waited for functions to be compiled.
    pub fn compile_time(&self) -> Duration {
        self.compile_time.get()
    }

    /// Bytes of native code.
    pub fn code_bytes(&self) -> usize {
        self.cache.borrow().used()
    }
}

impl<G: Generation> Compiler<G> for Jit<G> {
    fn enter(&self, machine: &mut Machine<'_, G>, point: Point) -> Option<Outcome> {
        let code = machine.func;
        let (target, number) = self.find(machine.mem, code, point)?;
        if !machine.has_own_arguments() || machine.attention_wanted() {
            return None;
        }
        self.run(machine, point, target, number)
    }

    fn forget(&self, code: LispPtr) {
        self.context.records.remove(code);
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
    target: usize,
    number: usize,
}

impl Recent {
    const NONE: Self = Self {
        code: LispPtr::NIL,
        pc: 0,
        depth: 0,
        epoch: 0,
        target: 0,
        number: 0,
    };
}

/// Entries remembered, a power of two.
const RECENT: usize = 1 << 10;

impl<G: Generation> Jit<G> {
    /// The native code to enter at `point` and the number of the entry; compiles
    /// the function if it was not tried before.
    fn find(&self, mem: Mem<'_, G>, code: LispPtr, point: Point) -> Option<(usize, usize)> {
        let recent = &self.recent[((code.0 >> 1) as usize ^ usize::from(point.pc)) & (RECENT - 1)];
        let known = recent.get();
        let epoch = self.context.epoch.get();
        if (known.code, known.pc, known.depth, known.epoch) == (code, point.pc, point.depth, epoch)
        {
            return Some((known.target, known.number));
        }
        self.collect();
        let fresh = self.context.records.with(code, |record| {
            matches!(*record.stage.borrow(), Stage::Interpreted)
        });
        if fresh {
            self.order(mem, code);
        }
        let (target, number) = self.context.records.with(code, |record| {
            let Stage::Native(entries) = &*record.stage.borrow() else {
                return None;
            };
            let number = entries
                .iter()
                .position(|&(pc, depth)| (pc, depth) == (point.pc.into(), point.depth))?;
            Some((record.entry.get(), number))
        })?;
        recent.set(Recent {
            code,
            pc: point.pc,
            depth: point.depth,
            epoch,
            target,
            number,
        });
        Some((target, number))
    }

    /// Runs native code in the running frame.
    fn run(
        &self,
        machine: &mut Machine<'_, G>,
        point: Point,
        target: usize,
        number: usize,
    ) -> Option<Outcome> {
        let frame = self.context.base + 2 * (STACK.0 as usize + usize::from(point.pvar.0));
        let pointer: *mut Machine<'_, G> = machine;
        let outer = self.context.machine.replace(pointer.cast());
        // SAFETY: the record has native code made for this memory and the pc of
        // one of its entries; the frame is that of the running activation, and
        // `machine` is not used again before the call returns.
        let packed = unsafe {
            self.entry
                .call(self.context.base, frame, 2 * number + 1, target)
        };
        self.context.machine.set(outer);
        match (packed >> 32) as i64 {
            status::RETURNED => Some(Outcome::Returned(LispPtr(packed as u32))),
            _ => Some(Outcome::Abandoned),
        }
    }
}
