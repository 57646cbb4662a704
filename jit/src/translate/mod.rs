//! Byte code to Cranelift's intermediate language.
//!
//! An activation's variables and evaluation stack are values here, and at the
//! same time have their homes in the Lisp frame. Variables are stored through.
//! Stack cells are stored before anything that may look at them: calls, slow
//! paths, exits. After a call everything is read again from its home when it is
//! next used.

mod access;
mod arithmetic;
mod arrays;
mod barriers;
mod blocks;
mod calls;
mod cells;
mod conses;
mod counting;
mod ends;
mod exact;
mod free_cells;
mod general;
mod inlining;
mod jumps;
mod known;
mod leaving;
mod lists;
mod memory;
mod numbers;
mod operated;
mod safepoints;
mod searches;
mod spreads;
mod stack;
mod values;
mod variables;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F32, I16, I32, I64};
use cranelift_codegen::ir::{AbiParam, JumpTableData};
use cranelift_codegen::ir::{
    Block, BlockArg, Function, InstBuilder, MemFlagsData, SigRef, Signature, SourceLoc, StackSlot,
    Type, Value,
};
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext, Variable};
use geiko_runtime::isa::Opcode;
use geiko_runtime::layout::Generation;
use geiko_runtime::layout::records::{ArrayFields, ConsPage, DtdFields, frame};
use geiko_runtime::memory::LispPtr;

pub use self::barriers::counts::limit;
use self::known::Known;
pub use self::safepoints::safepoint_signature;
use crate::flow::{self, Effect, Step};
use crate::listing::NO_INSTRUCTION;
use crate::numbers::{Kind, Kinds, Plan};
use crate::operations::Operations;
use crate::unit::Unit;

/// Addresses in this process that code refers to.
#[derive(Clone, Copy, Debug)]
pub struct Host {
    /// First argument of the shims.
    pub context: i64,
    /// Where the address of Lisp memory is.
    pub base: i64,
    /// [`crate::shims::finish`].
    pub finish: i64,
    /// [`crate::shims::give_up`].
    pub give_up: i64,
    /// [`crate::shims::execute`].
    pub execute: i64,
    /// [`crate::shims::resume`].
    pub resume: i64,
    /// [`crate::shims::free_variable`].
    pub free_variable: i64,
    /// [`crate::shims::apply`].
    pub apply: i64,
    /// [`crate::shims::apply_code`].
    pub apply_code: i64,
    /// [`crate::shims::spread`].
    pub spread: i64,
    /// [`crate::shims::missed`].
    pub missed: i64,
    /// Instructions are counted, and all must be as in the interpreter, instruction by
    /// instruction.
    pub is_exact: bool,
    /// The machine is told of every block.
    pub is_observed: bool,
    /// [`crate::shims::observe`].
    pub observe: i64,
    /// Marks of pages on which Lisp must not store without saying so, a byte each.
    pub watched: i64,
    /// The free list cells of generation 3, a bit each.
    pub cell_maps: i64,
    /// Where those leave the environment and the number of arguments.
    pub applied: i64,
    /// Where native code can go on after activations were abandoned.
    pub landing: i64,
    /// The operations.
    pub operations: Operations,
    /// [`crate::workshop::Workshop::aside`].
    pub aside: i64,
    /// [`crate::workshop::Workshop::aside_native`].
    pub aside_native: i64,
    /// [`crate::workshop::Workshop::safepoint`].
    pub safepoint: i64,
    /// [`crate::workshop::Workshop::finder`].
    pub finder: i64,
    /// [`crate::workshop::Workshop::counter`] for a new reference, and for one that is gone.
    pub addref: i64,
    pub delref: i64,
    /// Where those leave the answer.
    pub answer: i64,
    /// Where it is said in which frame native code was entered.
    pub entered: i64,
    /// Lisp address of the allocation countdown.
    pub countdown: LispPtr,
    /// The count of executed instructions, if that is wanted.
    pub counter: Option<i64>,
}

impl Host {
    /// The addresses and what is there.
    pub fn names(&self) -> impl Iterator<Item = (i64, &'static str)> {
        [
            (self.context, "context"),
            (self.base, "base"),
            (self.finish, "finish"),
            (self.give_up, "give_up"),
            (self.execute, "execute"),
            (self.resume, "resume"),
            (self.free_variable, "free_variable"),
            (self.apply, "apply"),
            (self.apply_code, "apply_code"),
            (self.spread, "spread"),
            (self.missed, "missed"),
            (self.applied, "applied"),
            (self.aside, "aside"),
            (self.aside_native, "aside_native"),
            (self.safepoint, "safepoint"),
            (self.finder, "finder"),
            (self.addref, "addref_aside"),
            (self.delref, "delref_aside"),
            (self.answer, "answer"),
            (self.landing, "landing"),
            (self.entered, "entered"),
        ]
        .into_iter()
        .chain(self.counter.map(|counter| (counter, "counter")))
        .chain(self.operations.names())
    }
}

/// Byte offset from the Lisp memory to the word that is 0 when attention is
/// wanted, else the end of the stack.
const END: i32 = -60;

/// What a frame's link contains besides the caller's offset.
const LINK_FLAGS: u32 = (frame::flag::KIND as u32) << 16;

/// Byte offsets from PVAR slot 0 of cells of the frame.
mod home {
    /// Flags and access link.
    pub const LINK: i32 = -20;
    /// Function header.
    pub const FUNCTION: i32 = -16;
    /// Next block and pc.
    pub const RESUME: i32 = -12;
    /// Basic frame cell.
    pub const BASIC: i32 = -24;
}

/// A cell of the evaluation stack.
#[derive(Clone, Copy, Debug)]
enum Slot {
    /// A cell; what is known of it is [`Kind::Any`], [`Kind::Small`] or
    /// [`Kind::BoxedFloat`].
    Value(Value, Kind),
    Constant(u32),
    /// An integer of 32 bits without its box or tag.
    Integer(Value),
    /// A float without its box.
    Float(Value),
    /// T if the value is not 0, else NIL.
    Condition(Value),
}

#[derive(Clone, Copy, Debug)]
struct StackCell {
    slot: Slot,
    stored: bool,
}

#[derive(Clone, Copy, Debug)]
struct Local {
    variable: Variable,
    float_variable: Variable,
    /// One of the variables has the value: that which is in the frame, or, if the
    /// kind is [`Kind::Integer`] or [`Kind::Float`], one that the frame gets when
    /// somebody may look at it.
    cached: bool,
    /// Callees may change it.
    published: bool,
    kind: Kind,
    /// Byte offset of its home from PVAR slot 0.
    home: i32,
}

/// State at the beginning of a basic block.
#[derive(Clone, Debug)]
struct State {
    locals: Vec<Local>,
    stack: Vec<StackCell>,
    /// Numbers that have boxes already.
    boxes: Vec<(Value, Value)>,
    /// Values read from variables that still have them.
    reads: Vec<(Value, usize)>,
    known: Known,
    /// Instructions executed and not counted yet.
    pending: i32,
}

#[derive(Clone, Debug)]
struct Place {
    block: Block,
    /// The only way here; its state holds.
    single: bool,
    state: Option<State>,
}

/// Signature of native code: for a call, the Lisp address where the frame is to be built and
/// the cell that says who called, else that of the frame plus [`AWAY`] and twice the number of
/// the entry plus 1; what the first PVAR slot of a new frame holds. Returns the value and a [`crate::status`].
///
/// Where Lisp memory is, code reads from the context. What is an argument as it is, Cranelift
/// wants to have in the register of that argument wherever it lives, and moves it there and
/// back at every use; so nothing that lives long is one.
pub fn native_signature() -> Signature {
    let mut signature = Signature::new(CallConv::Tail);
    signature.params = [I64, I32, I32].map(AbiParam::new).to_vec();
    signature.returns = [I32, I32].map(AbiParam::new).to_vec();
    signature
}

/// Signature of the shims: context, frame, point. Returns the value and, in the
/// upper half, a status.
fn shim_signature() -> Signature {
    let mut signature = Signature::new(CallConv::SystemV);
    signature.params = [I64, I64, I64].map(AbiParam::new).to_vec();
    signature.returns = vec![AbiParam::new(I64)];
    signature
}

/// Signature of the operations: context and four cells. Returns a cell, and 1 in
/// the upper half if nothing was done.
pub fn operation_signature() -> Signature {
    let mut signature = Signature::new(CallConv::SystemV);
    signature.params = [I64; 5].map(AbiParam::new).to_vec();
    signature.returns = vec![AbiParam::new(I64)];
    signature
}

/// Signature of the calls that change no register: the address of what is to be called,
/// and what it gets besides the context.
pub fn aside_signature() -> Signature {
    let mut signature = Signature::new(CallConv::PreserveAll);
    signature.params = [I64; 5].map(AbiParam::new).to_vec();
    signature
}

/// Signature of the counting that changes no register: the object plus [`AWAY`].
pub fn counting_signature() -> Signature {
    let mut signature = Signature::new(CallConv::PreserveAll);
    signature.params = vec![AbiParam::new(I32)];
    signature
}

pub(crate) struct Translator<'a, 'f> {
    builder: FunctionBuilder<'f>,
    unit: &'a Unit,
    host: Host,
    layout: Layout,
    base: Value,
    frame: Variable,
    state: State,
    /// Which kinds of numbers come to the places where ways meet.
    plan: Plan,
    stack_variables: Vec<Variable>,
    float_stack_variables: Vec<Variable>,
    /// Places whose state is known and that are not begun yet.
    reached: BTreeSet<u32>,
    /// Pc of the instruction that is being translated.
    current: u32,
    /// The steps of the block that is being translated.
    counted: Range<usize>,
    /// Control can get to the place where code is emitted.
    reachable: bool,
    places: BTreeMap<u32, Place>,
    /// Entries in the middle, in order of their numbers.
    entries: Vec<u32>,
    /// The leaf that is being translated in the place of its call.
    inlined: Option<inlining::Inlined>,
    /// Blocks that end the activation.
    ends: BTreeMap<ends::End, Block>,
    native: SigRef,
    shim: SigRef,
    operation: SigRef,
    aside: SigRef,
    counting: SigRef,
    safepoint: SigRef,
    /// Where references are held at safepoints.
    held: Option<StackSlot>,
}

/// Facts of the generation that the code depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pointer_mask: u32,
    type_table: u32,
    cdr_shift: u32,
    cdr_nil: u32,
    cdr_page_relative: bool,
    symbol_cell: fn(LispPtr, geiko_runtime::layout::SymbolCell) -> LispPtr,
    frame_pointer: fn(LispPtr) -> LispPtr,
    array_fields: ArrayFields,
    dtd: fn(u32) -> LispPtr,
    dtd_fields: DtdFields,
    cons_page: ConsPage,
    count_table: u32,
    count_segment: u32,
    count_shift: u32,
    count_on_stack: u32,
    count_max: u32,
    wide_counts: bool,
}

impl Layout {
    pub fn of<G: Generation>() -> Self {
        Self {
            pointer_mask: G::POINTER_MASK,
            type_table: G::TYPE_TABLE.0,
            cdr_shift: G::CDR_SHIFT,
            cdr_nil: G::CDR_NIL,
            cdr_page_relative: G::CDR_CODE_BITS == 8,
            symbol_cell: G::symbol_cell,
            frame_pointer: G::to_frame_pointer,
            array_fields: G::ARRAY_FIELDS,
            dtd: G::dtd,
            dtd_fields: G::DTD_FIELDS,
            cons_page: G::CONS_PAGE,
            count_table: G::HT_MAIN.0,
            count_segment: G::COUNT_SEGMENT,
            count_shift: G::COUNT_SHIFT,
            count_on_stack: G::COUNT_ON_STACK,
            count_max: G::COUNT_MAX,
            wide_counts: G::WIDE_COUNTS,
        }
    }
}

/// What is added to arguments of the machine that live on; see [`native_signature`].
pub const AWAY: i64 = 1;

fn trusted() -> MemFlagsData {
    MemFlagsData::trusted()
}

/// Translates `unit` into `function`; answers the pcs and stack depths of
/// its entries.
pub fn translate<G: Generation>(
    unit: &Unit,
    host: Host,
    function: &mut Function,
    context: &mut FunctionBuilderContext,
    config: TargetFrontendConfig,
) -> Vec<(u32, u16)> {
    function.signature = native_signature();
    let mut builder = FunctionBuilder::new(function, context);
    let native = builder.import_signature(native_signature());
    let shim = builder.import_signature(shim_signature());
    let operation = builder.import_signature(operation_signature());
    let aside = builder.import_signature(aside_signature());
    let counting = builder.import_signature(counting_signature());
    let safepoint = builder.import_signature(safepoint_signature());
    let frame = builder.declare_var(I64);
    let mut locals = Vec::new();
    let arguments = unit.arguments.unwrap_or(0);
    for n in 0..arguments {
        locals.push(Local {
            variable: builder.declare_var(I32),
            float_variable: builder.declare_var(F32),
            cached: false,
            published: unit.is_published(n.into()),
            kind: Kind::Any,
            home: home::BASIC - 4 * i32::from(arguments - n),
        });
    }
    for n in 0..unit.slots {
        locals.push(Local {
            variable: builder.declare_var(I32),
            float_variable: builder.declare_var(F32),
            cached: false,
            published: unit.is_published((arguments + n).into()),
            kind: Kind::Any,
            home: 4 * i32::from(n),
        });
    }
    let depths = 0..unit.flow.max_depth;
    let stack_variables = (depths.clone().map(|_| builder.declare_var(I32))).collect();
    let float_stack_variables = depths.map(|_| builder.declare_var(F32)).collect();
    let plan = Plan::new(unit);
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    let base = builder.ins().iconst(I64, host.base);
    let base = builder.ins().load(I64, trusted(), base, 0);
    let mut entries = vec![unit.start];
    let is_entry =
        |pc: &u32| *pc != unit.start && unit.flow.step(*pc).is_some_and(|step| !step.disputed);
    let middles = unit.flow.loops.iter().chain(&unit.flow.resumptions);
    entries.extend(middles.copied().filter(is_entry));
    let places = unit
        .flow
        .leaders
        .iter()
        .map(|(&pc, &ways)| {
            let block = builder.create_block();
            let single = ways == 1 && !entries.contains(&pc);
            let state = None;
            (
                pc,
                Place {
                    block,
                    single,
                    state,
                },
            )
        })
        .collect();
    let mut translator = Translator {
        builder,
        unit,
        host,
        layout: Layout::of::<G>(),
        base,
        frame,
        state: State {
            locals,
            stack: Vec::new(),
            boxes: Vec::new(),
            reads: Vec::new(),
            known: Known::default(),
            pending: 0,
        },
        plan,
        stack_variables,
        float_stack_variables,
        reached: BTreeSet::new(),
        current: unit.start,
        counted: 0..0,
        reachable: false,
        places,
        entries,
        inlined: None,
        ends: BTreeMap::new(),
        native,
        shim,
        operation,
        aside,
        counting,
        safepoint,
        held: None,
    };
    translator.function(entry);
    let Translator {
        mut builder,
        entries,
        ..
    } = translator;
    builder.seal_all_blocks();
    builder.finalize(config);
    let depth = |pc: &u32| {
        let stack = unit.flow.step(*pc)?.stack.as_ref()?;
        Some((*pc, stack.len() as u16))
    };
    entries
        .iter()
        .map(|pc| depth(pc).unwrap_or((*pc, 0)))
        .collect()
}

impl Translator<'_, '_> {
    fn function(&mut self, entry: Block) {
        self.builder.set_srcloc(SourceLoc::new(NO_INSTRUCTION));
        let params = self.builder.block_params(entry).to_vec();
        let (place, link, environment) = (params[0], params[1], params[2]);
        let call = self.builder.create_block();
        let middle = self.builder.create_block();
        self.builder.set_cold_block(middle);
        let is_entry = self.builder.ins().band_imm_s(link, 1);
        self.builder.ins().brif(is_entry, middle, &[], call, &[]);
        self.builder.switch_to_block(call);
        self.build_frame(place, link, environment);
        self.go_to(self.unit.start);
        while let Some(pc) = self.reached.pop_first() {
            self.basic_block(pc);
        }
        self.builder.switch_to_block(middle);
        self.builder.set_srcloc(SourceLoc::new(NO_INSTRUCTION));
        self.middle(place, link);
        self.write_ends();
        for place in self.places.values().filter(|place| place.state.is_none()) {
            // Never reached.
            self.builder.switch_to_block(place.block);
            let zero = self.builder.ins().iconst(I32, 0);
            self.builder.ins().return_(&[zero, zero]);
        }
    }

    /// The instructions from `pc` to the next place that begins a block.
    fn basic_block(&mut self, pc: u32) {
        self.begin(pc);
        let unit = self.unit;
        let Some(&first) = unit.flow.at.get(&pc) else {
            // Only bad code jumps there.
            let depth = self.state.stack.len();
            return self.leave_at(pc, depth);
        };
        self.count_block(first);
        for step in &unit.flow.steps[first..] {
            self.instruction(step);
            if !self.reachable {
                return;
            }
        }
    }

    fn instruction(&mut self, step: &Step) {
        let opcode = step.instruction.opcode;
        self.current = step.instruction.offset;
        if self.inlined.is_none() {
            self.builder.set_srcloc(SourceLoc::new(self.current));
        }
        if !self.unit.is_pure(step) {
            self.state.known.forget_contents();
            if self.inlined.is_some() {
                if !self.leaf_call(step) {
                    self.call_instead_of_leaf();
                    self.reachable = false;
                }
                return;
            }
        }
        match step.effect {
            Effect::Unknown => return self.leave(step),
            Effect::Jump { .. } => return self.jump(step),
            Effect::Return => return self.return_instruction(step),
            Effect::Spread { pops } => return self.spread(step, pops.into()),
            _ => {}
        }
        let done = self.variable(step)
            || self.list(step)
            || self.cons_cell(step)
            || self.memory(step)
            || self.array(step)
            || self.list_search(step)
            || self.operation(step)
            || self.arithmetic(step)
            || match opcode {
                Opcode::Pop => {
                    self.pop();
                    true
                }
                Opcode::Nop => true,
                Opcode::Copy => {
                    let depth = self.state.stack.len() - 1;
                    if self.inlined.is_none() {
                        self.cell_value(depth);
                    }
                    let slot = self.slot(0);
                    self.push_slot(slot);
                    true
                }
                Opcode::Swap => {
                    let depth = self.state.stack.len();
                    self.state.stack.swap(depth - 1, depth - 2);
                    for cell in &mut self.state.stack[depth - 2..] {
                        cell.stored = false;
                    }
                    true
                }
                _ => false,
            };
        if done {
            return self.fall(step);
        }
        match opcode {
            Opcode::Fn0 | Opcode::Fn1 | Opcode::Fn2 | Opcode::Fn3 | Opcode::Fn4 | Opcode::FnX => {
                if !self.leaf_call(step) {
                    self.call(step);
                }
            }
            Opcode::ApplyFn | Opcode::EnvCall => self.apply(step),
            _ => self.interpret(step),
        }
    }
}
