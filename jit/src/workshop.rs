//! Where machine code is made: at once, or on a thread of its own while Lisp goes on.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use cranelift_codegen::CompiledCode;
use cranelift_codegen::Context as Codegen;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{
    AbiParam, Function, Inst, InstBuilder, MemFlagsData, Signature, Value,
};
use cranelift_codegen::isa::{CallConv, OwnedTargetIsa};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use geiko_runtime::accounts::{self, Account};
use geiko_runtime::layout::Generation;
use geiko_runtime::memory::LispPtr;

use crate::collisions;
use crate::finder::{self, Places};
use crate::listing::{Known, Listing, NO_INSTRUCTION};
use crate::maps::Maps;
use crate::records::Parts;
use crate::translate::{self, Host};
use crate::unit::Unit;

/// Most bytes of the program's memory that making machine code takes for each instruction of
/// Cranelift's, besides so many for any function.
const COMPILING_BYTES: u64 = 1200;
const FIXED_BYTES: u64 = 64 << 10;
/// After so long without a job the memory that the last ones took is given back.
const REST: Duration = Duration::from_secs(1);

/// Machine code of a function.
#[derive(Debug)]
pub struct Made {
    /// The code block.
    pub code: LispPtr,
    /// The job it was made for.
    pub number: u64,
    /// Number of arguments; `None` for any number.
    pub arguments: Option<u16>,
    /// Machine code; empty if it could not be made.
    pub bytes: Vec<u8>,
    /// There was enough memory to make it.
    pub had_room: bool,
    /// Which of its parts belong to which instruction.
    pub parts: Parts,
    /// Its frame maps.
    pub maps: Maps,
    /// How long it took to make.
    pub time: Duration,
    /// Pcs and stack depths at which it can be entered.
    pub entries: Vec<(u32, u16)>,
    /// Code blocks that were put in it, and how often they had been compiled again.
    pub leaves: Vec<(LispPtr, u32)>,
    /// Stack words that must be free behind PVAR slot 0 when instructions are counted.
    pub stack_words: u32,
}

/// A function to be compiled.
pub struct Job {
    /// The function.
    pub unit: Unit,
    /// Addresses of this process.
    pub host: Host,
    /// Tells it from all others.
    pub number: u64,
}

/// Tools and buffers of the compiler.
pub struct Workshop {
    isa: OwnedTargetIsa,
    codegen: Codegen,
    builder: FunctionBuilderContext,
}

impl Workshop {
    /// A workshop for machines with this instruction set.
    pub fn new(isa: OwnedTargetIsa) -> Self {
        let _account = Account::Compiler.open();
        Self {
            isa,
            codegen: Codegen::new(),
            builder: FunctionBuilderContext::new(),
        }
    }

    /// Compiles what is in `codegen`. Empty if that fails.
    fn compile(&mut self) -> Vec<u8> {
        self.compile_and(|_| {})
    }

    /// What `compile` makes; nothing if Cranelift gives up with a panic: then one function stays
    /// interpreted, and others are still compiled. Builds for debugging end.
    fn unless_it_panics(&mut self, compile: impl FnOnce(&mut Self) -> Vec<u8>) -> Vec<u8> {
        if cfg!(debug_assertions) {
            return compile(self);
        }
        let made = panic::catch_unwind(AssertUnwindSafe(|| compile(self)));
        made.unwrap_or_else(|_| {
            self.clear();
            Vec::new()
        })
    }

    /// The same, and has somebody look at it.
    fn compile_and(&mut self, look: impl FnOnce(&CompiledCode)) -> Vec<u8> {
        let _account = Account::Compiler.open();
        let bytes = match self
            .codegen
            .compile(&*self.isa, &mut ControlPlane::default())
        {
            Ok(code) => {
                debug_assert!(code.buffer.relocs().is_empty());
                look(code);
                code.code_buffer().to_vec()
            }
            Err(error) => {
                debug_assert!(false, "{:?}", error.inner);
                Vec::new()
            }
        };
        self.clear();
        bytes
    }

    /// Gives back what a function took: the register allocator's tables of a large one are
    /// many megabytes.
    fn clear(&mut self) {
        self.codegen = Codegen::new();
        self.builder = FunctionBuilderContext::new();
    }

    /// Puts a function in `codegen`; answers its entries.
    fn translate<G: Generation>(&mut self, job: &Job) -> Vec<(u32, u16)> {
        translate::translate::<G>(
            &job.unit,
            job.host,
            &mut self.codegen.func,
            &mut self.builder,
            self.isa.frontend_config(),
        )
    }

    /// Makes machine code of a function.
    pub fn make<G: Generation>(&mut self, job: &Job) -> Made {
        let _account = Account::Compiler.open();
        let start = Instant::now();
        let entries = self.translate::<G>(job);
        let instructions = self.codegen.func.dfg.num_insts() as u64;
        let had_room = accounts::is_room_for(FIXED_BYTES + COMPILING_BYTES * instructions);
        let mut starts = Vec::new();
        let mut maps = Maps::default();
        let bytes = if had_room {
            self.unless_it_panics(|workshop| {
                workshop.compile_and(|code| {
                    starts = parts(code);
                    maps = Maps::of(code);
                })
            })
        } else {
            self.clear();
            Vec::new()
        };
        let parts = Parts {
            code: job.unit.code,
            starts: starts.into(),
        };
        Made {
            parts,
            maps,
            code: job.unit.code,
            number: job.number,
            arguments: job.unit.arguments,
            stack_words: job.unit.stack_words() + u32::from(job.unit.stack_min),
            bytes,
            had_room,
            time: start.elapsed(),
            entries,
            leaves: job.unit.leaf_versions(),
        }
    }

    /// The code of a function for people. `name` tells what is at a Lisp address.
    pub fn list<G: Generation>(
        &mut self,
        job: &Job,
        name: &dyn Fn(LispPtr) -> String,
    ) -> Option<Listing> {
        let callees = job.unit.callees().into_iter();
        // As they are passed to what is called.
        let away = (job.unit.sites()).map(|(at, name)| (at + 1, format!("{name}+1")));
        let known: Known = (callees.map(|(symbol, callee)| (callee.entry, name(symbol))))
            .chain(job.host.names().map(|(at, name)| (at, name.to_owned())))
            .chain(job.unit.sites())
            .chain(away)
            .collect();
        self.translate::<G>(job);
        let mut listing = Listing::new(&self.codegen.func, &known);
        let made = self
            .codegen
            .compile(&*self.isa, &mut ControlPlane::default());
        let made = made.ok().map(|code| listing.add_machine_code(code, &known));
        self.clear();
        made.map(|()| listing)
    }

    /// The door from native code to Rust that changes no register: calls what it is told
    /// with `context` and up to four arguments, and leaves the answer at the address `answer`.
    pub fn aside(&mut self, context: i64, answer: i64) -> Vec<u8> {
        self.door(translate::aside_signature(), |builder, given| {
            let operation = builder.import_signature(translate::operation_signature());
            let context = builder.ins().iconst(I64, context);
            let mut arguments = vec![context];
            for &away in &given[1..] {
                arguments.push(builder.ins().iadd_imm_s(away, -translate::AWAY));
            }
            let call = (builder.ins()).call_indirect(operation, given[0], &arguments);
            leave_answer(builder, call, answer);
            Vec::new()
        })
    }

    /// The door from native code to the machine at safepoints, which changes no register: calls
    /// `shim` with `context`, the frame, the point, the place that this returns to and the frame
    /// pointer there, and leaves the answer at the address `answer`.
    pub fn safepoint(&mut self, shim: i64, context: i64, answer: i64) -> Vec<u8> {
        self.door(translate::safepoint_signature(), |builder, given| {
            let operation = builder.import_signature(translate::operation_signature());
            let [frame, point] =
                [0, 1].map(|n| builder.ins().iadd_imm_s(given[n], -translate::AWAY));
            let place = builder.ins().get_return_address(I64);
            let own = builder.ins().get_frame_pointer(I64);
            let pointer = (builder.ins()).load(I64, MemFlagsData::trusted(), own, 0);
            let [shim, context] = [shim, context].map(|n| builder.ins().iconst(I64, n));
            let arguments = [context, frame, point, place, pointer];
            let call = builder.ins().call_indirect(operation, shim, &arguments);
            leave_answer(builder, call, answer);
            Vec::new()
        })
    }

    /// The door from native code to native code that changes no register: calls what it is
    /// told with the place of the frame, the link and the environment, and leaves value and
    /// status at the address `answer`.
    pub fn aside_native(&mut self, answer: i64) -> Vec<u8> {
        self.door(translate::aside_signature(), |builder, given| {
            let native = builder.import_signature(translate::native_signature());
            let [link, environment] = [given[2], given[3]].map(|a| builder.ins().ireduce(I32, a));
            let arguments = [given[1], link, environment];
            let call = (builder.ins()).call_indirect(native, given[0], &arguments);
            leave_answer(builder, call, answer);
            Vec::new()
        })
    }

    /// The search for free variables.
    pub fn finder<G: Generation>(&mut self, places: &Places) -> Vec<u8> {
        let config = self.isa.frontend_config();
        finder::write::<G>(places, &mut self.codegen.func, &mut self.builder, config);
        self.compile()
    }

    /// Counting where the entry may be in use by other objects.
    pub fn counter<G: Generation>(
        &mut self,
        places: collisions::Places,
        change: collisions::Change,
    ) -> Vec<u8> {
        let config = self.isa.frontend_config();
        let code = &mut self.codegen.func;
        collisions::write::<G>(places, change, code, &mut self.builder, config);
        self.compile()
    }

    /// The door from Rust to native code.
    pub fn trampoline(&mut self) -> Vec<u8> {
        let mut signature = Signature::new(CallConv::SystemV);
        signature.params = [I64; 3].map(AbiParam::new).to_vec();
        signature.returns = vec![AbiParam::new(I64)];
        self.door(signature, |builder, given| {
            let native = builder.import_signature(translate::native_signature());
            let number = builder.ins().ireduce(I32, given[1]);
            let environment = builder.ins().iconst(I32, -1);
            let arguments = [given[0], number, environment];
            let call = (builder.ins()).call_indirect(native, given[2], &arguments);
            let [value, status] = [0, 1].map(|n| builder.inst_results(call)[n]);
            let value = builder.ins().uextend(I64, value);
            let status = builder.ins().uextend(I64, status);
            let status = builder.ins().ishl_imm_u(status, 32);
            vec![builder.ins().bor(value, status)]
        })
    }

    /// A function of one block: `write` is given its parameters, and answers what it returns.
    fn door(
        &mut self,
        signature: Signature,
        write: impl FnOnce(&mut FunctionBuilder<'_>, &[Value]) -> Vec<Value>,
    ) -> Vec<u8> {
        let mut function = Function::new();
        function.signature = signature;
        let mut builder = FunctionBuilder::new(&mut function, &mut self.builder);
        let block = builder.create_block();
        builder.append_block_params_for_function_params(block);
        builder.switch_to_block(block);
        let given = builder.block_params(block).to_vec();
        let values = write(&mut builder, &given);
        builder.ins().return_(&values);
        builder.seal_all_blocks();
        builder.finalize(self.isa.frontend_config());
        self.codegen.func = function;
        self.compile()
    }
}

/// Stores what `call` returned at the address `answer`, one behind the other.
fn leave_answer(builder: &mut FunctionBuilder<'_>, call: Inst, answer: i64) {
    let answer = builder.ins().iconst(I64, answer);
    let mut at = 0;
    for value in builder.inst_results(call).to_vec() {
        let bytes = builder.func.dfg.value_type(value).bytes();
        (builder.ins()).store(MemFlagsData::trusted(), value, answer, at);
        at += bytes as i32;
    }
}

/// Where the parts of instructions begin, and the pcs of those.
fn parts(code: &CompiledCode) -> Vec<(u32, u16)> {
    let ranges = code.buffer.get_srclocs_sorted().iter();
    // What belongs to none belongs to what is in front of it.
    let of_some =
        ranges.filter(|range| !range.loc.is_default() && range.loc.bits() != NO_INSTRUCTION);
    let mut parts: Vec<_> = (of_some.map(|range| (range.start, range.loc.bits() as u16))).collect();
    parts.dedup_by_key(|&mut (_, pc)| pc);
    parts
}

/// The job to be done next, after waiting if there is none; `None` when there will be
/// no more.
fn next(waiting: &Receiver<Job>, stack: &mut Vec<Job>) -> Option<Job> {
    stack.extend(waiting.try_iter());
    if let Some(job) = stack.pop() {
        return Some(job);
    }
    match waiting.recv_timeout(REST) {
        Ok(job) => Some(job),
        Err(RecvTimeoutError::Disconnected) => None,
        Err(RecvTimeoutError::Timeout) => {
            // The tables of the register allocator were many megabytes, which nobody else needs.
            accounts::give_back();
            waiting.recv().ok()
        }
    }
}

/// A thread with a workshop. It ends when nobody can send jobs any more.
pub struct Worker {
    jobs: Sender<Job>,
    made: Receiver<Made>,
    /// Jobs that are not done.
    open: Cell<usize>,
}

impl Worker {
    /// Starts the thread. `None` if there can be none.
    pub fn start<G: Generation>(mut workshop: Workshop) -> Option<Self> {
        let (jobs, waiting) = mpsc::channel::<Job>();
        let (finished, made) = mpsc::channel();
        let work = move || {
            // What was ordered last is what is hot now.
            let mut stack = Vec::new();
            while let Some(job) = next(&waiting, &mut stack) {
                if finished.send(workshop.make::<G>(&job)).is_err() {
                    return;
                }
            }
        };
        let builder = thread::Builder::new().name("compiler".into());
        builder.spawn(work).ok()?;
        Some(Self {
            jobs,
            made,
            open: Cell::new(0),
        })
    }

    /// Gives it a job, to be done before those it has.
    pub fn send(&self, job: Job) {
        // It cannot have ended before this.
        let _ = self.jobs.send(job);
        self.open.set(self.open.get() + 1);
    }

    /// Something that was made since.
    pub fn take(&self) -> Option<Made> {
        let made = self.made.try_recv().ok()?;
        self.open.set(self.open.get() - 1);
        Some(made)
    }

    /// True if it has made all that it was told to, and that was taken.
    pub fn is_idle(&self) -> bool {
        self.open.get() == 0
    }
}
