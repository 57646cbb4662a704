//! The compiler as the machine sees it: which functions have native code, and how
//! they get it.

use std::cell::{Cell, RefCell};

use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{AbiParam, Function, InstBuilder, Signature};
use cranelift_codegen::isa::{CallConv, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_codegen::{CodegenError, Context as Codegen};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use geiko_runtime::interp::native::{Compiler, Outcome, Point};
use geiko_runtime::isa::Opcode;
use geiko_runtime::layout::records::{function, type_entry, types};
use geiko_runtime::layout::{Generation, STACK, SymbolCell};
use geiko_runtime::machine::{Machine, type_entry_of};
use geiko_runtime::memory::{LispPtr, Mem};

use crate::cache::Cache;
use crate::entry::Entry;
use crate::numbers::Kind;
use crate::operations::Operations;
use crate::records::{Records, Stage};
use crate::shims::{self, Applied, Context};
use crate::status;
use crate::translate::{self, Callee, Definitions, Host};
use crate::unit::Unit;

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

/// The compiler of a machine of generation `G`.
pub struct Jit<G: Generation> {
    context: Box<Context<G>>,
    isa: OwnedTargetIsa,
    entry: Entry,
    recent: Box<[Cell<Recent>; RECENT]>,
    work: RefCell<Workshop>,
}

struct Workshop {
    cache: Cache,
    codegen: Codegen,
    builder: FunctionBuilderContext,
}

fn isa() -> Result<OwnedTargetIsa, JitError> {
    let mut flags = settings::builder();
    let verify = if cfg!(debug_assertions) {
        "true"
    } else {
        "false"
    };
    for (name, value) in [
        ("opt_level", "speed"),
        ("enable_verifier", verify),
        ("unwind_info", "false"),
        ("enable_probestack", "false"),
    ] {
        flags
            .set(name, value)
            .map_err(|error| JitError::Host(error.to_string()))?;
    }
    let builder = cranelift_native::builder().map_err(|why| JitError::Host(why.into()))?;
    builder
        .finish(settings::Flags::new(flags))
        .map_err(|error| JitError::Host(error.to_string()))
}

impl Workshop {
    /// Compiles what is in `codegen` and publishes it.
    fn publish(&mut self, isa: &OwnedTargetIsa) -> Result<Option<usize>, Box<CodegenError>> {
        let compiled = self
            .codegen
            .compile(&**isa, &mut ControlPlane::default())
            .map_err(|error| Box::new(error.inner));
        let Ok(compiled) = compiled else {
            let error = compiled.err();
            self.codegen.clear();
            return error.map_or(Ok(None), Err);
        };
        debug_assert!(compiled.buffer.relocs().is_empty());
        let address = self.cache.publish(compiled.code_buffer());
        self.codegen.clear();
        Ok(address)
    }

    /// The door from Rust to native code.
    fn trampoline(&mut self, isa: &OwnedTargetIsa) -> Option<usize> {
        let mut signature = Signature::new(CallConv::SystemV);
        signature.params = [I64; 4].map(AbiParam::new).to_vec();
        signature.returns = vec![AbiParam::new(I64)];
        let mut function = Function::new();
        function.signature = signature;
        let mut builder = FunctionBuilder::new(&mut function, &mut self.builder);
        let native = builder.import_signature(translate::native_signature());
        let block = builder.create_block();
        builder.append_block_params_for_function_params(block);
        builder.switch_to_block(block);
        let [base, frame, number, target] = [0, 1, 2, 3].map(|n| builder.block_params(block)[n]);
        let environment = builder.ins().iconst(I32, -1);
        let call = builder
            .ins()
            .call_indirect(native, target, &[base, frame, number, environment]);
        let [value, status] = [0, 1].map(|n| builder.inst_results(call)[n]);
        let value = builder.ins().uextend(I64, value);
        let status = builder.ins().uextend(I64, status);
        let status = builder.ins().ishl_imm_u(status, 32);
        let packed = builder.ins().bor(value, status);
        builder.ins().return_(&[packed]);
        builder.seal_all_blocks();
        builder.finalize(isa.frontend_config());
        self.codegen.func = function;
        self.publish(isa).ok()?
    }
}

/// Definitions in Lisp memory.
struct Known<'a, 'm, G: Generation> {
    mem: Mem<'m, G>,
    records: &'a Records,
}

impl<G: Generation> Definitions for Known<'_, '_, G> {
    fn type_number(&self, name: LispPtr) -> Option<u32> {
        let has_name = |&number: &u32| G::dtd_name(self.mem, G::dtd(number)) == name;
        (1..G::DTD_CAPACITY).find(has_name)
    }

    fn kind(&self, constant: LispPtr) -> Kind {
        if constant.0 >> 17 == 7 {
            return Kind::Small;
        }
        match type_entry_of(self.mem, constant) & type_entry::NUMBER {
            types::FLOATP => Kind::BoxedFloat,
            _ => Kind::Any,
        }
    }

    fn callee(&self, symbol: LispPtr) -> Option<Callee> {
        let cell = G::symbol_cell(symbol, SymbolCell::Definition);
        let definition = self.mem.cell(cell);
        if !definition.has_sign() {
            return None;
        }
        let code = definition.masked::<G>();
        let arguments = self.mem.word(code.add(function::ARG_COUNT)) as i16;
        let entry = self
            .records
            .with(code, |record| record.entry.as_ptr() as i64);
        Some(Callee {
            definition,
            arguments: u16::try_from(arguments).ok(),
            entry,
        })
    }
}

impl<G: Generation> Jit<G> {
    /// A compiler for machines over `mem`, with room for `bytes` of code.
    pub fn new(mem: Mem<'_, G>, bytes: usize) -> Result<Self, JitError> {
        let isa = isa()?;
        let mut work = Workshop {
            cache: Cache::new(bytes)?,
            codegen: Codegen::new(),
            builder: FunctionBuilderContext::new(),
        };
        let address = work
            .trampoline(&isa)
            .ok_or_else(|| JitError::Host("the entry does not compile".into()))?;
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
            isa,
            // SAFETY: the trampoline was just put there; the cache lives in
            // `work`, as long as `self`.
            entry: unsafe { Entry::new(address) },
            recent: Box::new([const { Cell::new(Recent::NONE) }; RECENT]),
            work: RefCell::new(work),
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

    /// Makes native code for the function at `code`.
    fn compile(&self, mem: Mem<'_, G>, code: LispPtr) -> Stage {
        let feedback = (self.context.records).with(code, |record| record.feedback.borrow().clone());
        let Some(unit) = Unit::read(mem, code, feedback) else {
            return Stage::Refused;
        };
        let known = Known {
            mem,
            records: &self.context.records,
        };
        let mut work = self.work.borrow_mut();
        let Workshop {
            codegen, builder, ..
        } = &mut *work;
        let entries = translate::translate::<G>(
            &unit,
            self.host(),
            &known,
            &mut codegen.func,
            builder,
            self.isa.frontend_config(),
        );
        match work.publish(&self.isa) {
            Ok(Some(address)) => {
                self.context.records.with(code, |record| {
                    record.arguments.set(unit.arguments);
                    record.entry.set(address);
                });
                Stage::Native(entries)
            }
            Ok(None) => Stage::Refused,
            Err(error) => {
                debug_assert!(false, "{error}");
                Stage::Refused
            }
        }
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

    /// Bytes of native code.
    pub fn code_bytes(&self) -> usize {
        self.work.borrow().cache.used()
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
        let fresh = self.context.records.with(code, |record| {
            matches!(*record.stage.borrow(), Stage::Interpreted)
        });
        if fresh {
            let stage = self.compile(mem, code);
            self.context
                .records
                .with(code, |record| record.stage.replace(stage));
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
