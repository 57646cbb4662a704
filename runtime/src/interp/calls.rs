//! Calls (`reference/processor.md` section 8).
//!
//! The caller's topmost evaluation stack cells become the callee's arguments in
//! place; behind them go the basic frame cell and the frame extension. The stack
//! check comes first and looks at the callee's need, so that an interrupted call
//! can simply be executed again.
//!
//! Functions with compiled definitions are called inline. Everything else goes
//! through `call_object`: closures, the Lisp interpreter for definitions that are
//! not compiled, and traps.

use std::sync::atomic::Ordering::Relaxed;

use super::{Exit, Handler, State, handler};
use crate::layout::records::{block, frame, function, symbols, type_entry, types};
use crate::layout::{Generation, SymbolCell};
use crate::machine::{Machine, type_entry_of};
use crate::memory::{CodePc, LispPtr, Mem, StackOffset};
use crate::stack::Frame;

/// Sets the limit for code that needs `stack_min` words; true when a poll must
/// be served first.
#[inline(always)]
fn limit_reached<G: Generation>(s: State<'_, G>, stack_min: u16) -> bool {
    let control = s.mem.control();
    let end = control.end.load(Relaxed);
    let limit = end.saturating_sub(u32::from(stack_min));
    control.limit.store(limit, Relaxed);
    u32::from(s.sp.0) > limit
}

/// What is called.
#[derive(Clone, Copy)]
struct Callee {
    /// Function header.
    code: LispPtr,
    /// Its first cell: stack need and number of arguments.
    header: LispPtr,
    /// Environment of a closure, else [`LispPtr::UNBOUND`].
    environment: LispPtr,
}

impl Callee {
    #[inline(always)]
    fn new<G: Generation>(mem: Mem<'_, G>, code: LispPtr, environment: LispPtr) -> Self {
        Self {
            code,
            header: mem.cell(code.add(function::STACK_MIN)),
            environment,
        }
    }

    /// Stack words needed between two checks.
    #[inline(always)]
    fn stack_min(self) -> u16 {
        self.header.hi()
    }

    /// Number of arguments, negative for any number.
    #[inline(always)]
    fn arguments(self) -> i16 {
        self.header.lo() as i16
    }
}

/// Builds the callee's frame behind its `argc` arguments, the last of which is
/// in memory at `s.sp`, and enters it. The caller goes on behind the instruction of
/// `length` bytes. Its `nextblock` and `pc` are stored as one cell, which a return
/// reads as one.
#[inline(always)]
fn enter<'m, G: Generation, const ADJUST: bool>(
    s: &mut State<'m, G>,
    m: &mut Machine<'m, G>,
    callee: Callee,
    argc: u16,
    length: u16,
) {
    let mem = s.mem;
    let Callee {
        code, environment, ..
    } = callee;
    let header2 = mem.cell(code.add(function::PVAR_QUADS));
    let ivar = s.sp.sub(argc.wrapping_mul(2)).add(2);
    let resume = s.pc.offset_in(m.func).wrapping_add(length);
    let next_block = s.pvar.sub(frame::WORDS - frame::NEXT_BLOCK);
    mem.set_stack(
        next_block,
        LispPtr(u32::from(ivar.0) << 16 | u32::from(resume)),
    );
    let mut top = s.sp.add(2);
    let wanted = callee.arguments();
    if ADJUST && wanted >= 0 && wanted as u16 != argc {
        if argc < wanted as u16 {
            supply_arguments(mem, top, wanted as u16 - argc);
        }
        top = ivar.add(2 * wanted as u16);
    }
    let basic = u32::from(block::BASIC_FRAME) << 16 | u32::from(ivar.0);
    mem.set_stack(top, LispPtr(basic));
    let flags = u32::from(frame::flag::KIND) << 16 | u32::from(s.pvar.0);
    mem.set_stack(top.add(2), LispPtr(flags));
    mem.set_stack(top.add(2 + frame::FUNCTION), G::to_frame_pointer(code));
    let pvar = top.add(2 + frame::WORDS);
    let words = header2.hi().wrapping_add(1).wrapping_mul(4);
    let mut filled = 0;
    // Two quad-words a step: the function needs more stack behind them anyway.
    while filled < u32::from(words) {
        mem.fill_stack(pvar.add(filled as u16), LispPtr::UNBOUND);
        filled += 8;
    }
    if environment != LispPtr::UNBOUND && words != 0 {
        mem.set_stack(pvar, environment);
    }
    s.sp = pvar.add(words).add(2);
    s.pvar = pvar;
    s.pc = CodePc::new(code, header2.lo());
    m.ivar = ivar;
    m.func = code;
}

/// Pushes NIL for `count` missing arguments from `top` on.
#[cold]
#[inline(never)]
fn supply_arguments<G: Generation>(mem: Mem<'_, G>, top: StackOffset, count: u16) {
    for n in 0..count {
        mem.set_stack(top.add(2 * n), LispPtr::NIL);
    }
}

/// Calls the definition of `symbol` with `argc` arguments from an instruction of
/// `length` bytes. Continues in `other` if it is not compiled or takes another
/// number of arguments.
#[inline(always)]
fn call_symbol<'m, G: Generation>(
    mut s: State<'m, G>,
    m: &mut Machine<'m, G>,
    symbol: LispPtr,
    argc: u16,
    length: u16,
    other: Handler<G>,
) -> Exit {
    let definition = s.mem.cell(G::symbol_cell(symbol, SymbolCell::Definition));
    if !definition.has_sign() {
        return s.go(m, other);
    }
    let callee = Callee::new(s.mem, definition.masked::<G>(), LispPtr::UNBOUND);
    let wanted = callee.arguments();
    if wanted >= 0 && wanted as u16 != argc {
        return s.go(m, other);
    }
    if limit_reached(s, callee.stack_min()) {
        return s.go(m, super::interrupts::poll::<G>);
    }
    s.mem.set_stack(s.sp, s.tos);
    enter::<G, false>(&mut s, m, callee, argc, length);
    if m.native.profile.is_due(callee.code) {
        return s.go(m, super::native::try_native::<G>);
    }
    s.dispatch(m)
}

/// What a general call does to the stack before the callee's frame is built.
#[derive(Clone, Copy)]
struct Call {
    /// What is called: a definition cell or a closure.
    definition: LispPtr,
    /// Given to the Lisp interpreter when the definition is not compiled.
    object: LispPtr,
    /// Arguments.
    argc: u16,
    /// Elements popped before.
    pops: u16,
    /// Pushed before, the last argument.
    operand: Option<LispPtr>,
    /// Bytes of the calling instruction.
    length: u16,
}

impl<'m, G: Generation> Machine<'m, G> {
    /// Performs `call` on the stored registers. If the stack limit is reached
    /// before, nothing is changed; the caller polls in any case, so that the
    /// instruction is repeated then.
    #[inline(never)]
    fn call_object(&mut self, call: Call) {
        let mut s = State::load(self);
        let mut argc = call.argc;
        let mut extra = None;
        let (code, environment) = if call.definition.has_sign() {
            (call.definition.masked::<G>(), LispPtr::UNBOUND)
        } else if self.type_number(call.definition) == types::COMPILED_CLOSURE {
            let closure = call.definition.masked::<G>();
            let environment = self.mem.cell(closure.add(2)).masked::<G>();
            (
                self.mem.cell(closure).masked::<G>(),
                or_unbound(environment),
            )
        } else {
            extra = Some(call.object);
            argc = argc.wrapping_add(1);
            let interpreter = self.definition(symbols::INTERPRETER);
            (interpreter.masked::<G>(), LispPtr::UNBOUND)
        };
        let callee = Callee::new(s.mem, code, environment);
        if limit_reached(s, callee.stack_min()) {
            return;
        }
        s.mem.set_stack(s.sp, s.tos);
        s.sp = s.sp.sub(2 * call.pops);
        for value in [call.operand, extra].into_iter().flatten() {
            s.sp = s.sp.add(2);
            s.mem.set_stack(s.sp, value);
        }
        enter::<G, true>(&mut s, self, callee, argc, call.length);
        s.save(self);
    }

    /// Performs `call` and goes on, or serves the poll first.
    #[inline(always)]
    fn call_and_continue(&mut self, call: Call) -> Exit {
        let caller = self.regs.pvar;
        self.call_object(call);
        if self.regs.pvar != caller && self.native.profile.is_due(self.func) {
            return State::load(self).go(self, super::native::try_native_or_poll::<G>);
        }
        State::load(self).go(self, super::returns::resumed::<G>)
    }

    /// Performs the call of the trapping instruction at the pc.
    #[inline(never)]
    fn trap(&mut self) -> Exit {
        match self.trap_at_pc() {
            Ok(trap) => {
                self.call_object(Call {
                    definition: self.definition(trap.function),
                    object: trap.function,
                    argc: trap.arguments,
                    pops: 0,
                    operand: trap.operand,
                    length: trap.length,
                });
                Exit::Continue
            }
            Err(fault) => self.stop(fault),
        }
    }

    /// Calls `function` with the arguments on the stack, from an instruction of
    /// `length` bytes, when a service leaves its work to Lisp. When the stack
    /// limit is reached nothing is changed: the caller polls and repeats.
    pub(super) fn call_instead(&mut self, function: LispPtr, argc: u16, length: u16) {
        self.call_object(Call {
            definition: self.definition(function),
            object: function,
            argc,
            pops: 0,
            operand: None,
            length,
        });
    }
}

/// True for compiled definitions that evaluate their arguments.
pub(super) fn evaluates_arguments(definition: LispPtr) -> bool {
    let nlambda = definition.0 >> 28 & 1 != 0;
    definition.has_sign() && !nlambda
}

/// The environment of a closure; NIL means none.
fn or_unbound(environment: LispPtr) -> LispPtr {
    if environment.is_nil() {
        LispPtr::UNBOUND
    } else {
        environment
    }
}

handler! {
    /// Call with `N` arguments.
    fn_call<N>(m, s) {
        let symbol = s.pointer_operand(1);
        let length = 1 + G::OPERAND_BYTES as u16;
        call_symbol(s, m, symbol, u16::from(N), length, general_call::<G, N>)
    }

    /// Call with a counted number of arguments.
    fnx(m, s) {
        let symbol = s.pointer_operand(2);
        let length = 2 + G::OPERAND_BYTES as u16;
        call_symbol(s, m, symbol, u16::from(s.operand(1)), length, general_call_x::<G>)
    }

    /// FN0 to FN4 of a symbol whose definition is no code block for as many arguments.
    #[inline(never)]
    general_call<N>(m, s) {
        let symbol = s.pointer_operand(1);
        s.save(m);
        m.call_and_continue(Call {
            definition: m.definition(symbol),
            object: symbol,
            argc: u16::from(N),
            pops: 0,
            operand: None,
            length: 1 + G::OPERAND_BYTES as u16,
        })
    }

    /// FNX of a symbol whose definition is no code block for as many arguments.
    #[inline(never)]
    general_call_x(m, s) {
        let symbol = s.pointer_operand(2);
        s.save(m);
        m.call_and_continue(Call {
            definition: m.definition(symbol),
            object: symbol,
            argc: u16::from(s.operand(1)),
            pops: 0,
            operand: None,
            length: 2 + G::OPERAND_BYTES as u16,
        })
    }

    /// Call of the function object on top, the number of arguments below it.
    applyfn(m, s) {
        let count = s.below(1);
        if count.0 >> 16 != 0xE {
            return s.ufn(m);
        }
        let object = s.tos;
        let entry = type_entry_of(s.mem, object);
        let definition = if object.segment::<G>() == 0
            || entry & type_entry::NUMBER == types::NEW_ATOM
        {
            m.definition(object)
        } else if entry & type_entry::NUMBER == types::COMPILED_CLOSURE {
            object
        } else {
            m.definition(LispPtr::NIL)
        };
        s.save(m);
        m.call_and_continue(Call {
            definition,
            object,
            argc: count.lo(),
            pops: 2,
            operand: None,
            length: 1,
        })
    }

    /// Call of a code block with an environment.
    envcall(m, s) {
        let (count, code) = (s.below(2), s.below(1).masked::<G>());
        let Some(argc) = m.integer(count) else {
            return s.ufn(m);
        };
        let callee = Callee::new(s.mem, code, or_unbound(s.tos.masked::<G>()));
        if limit_reached(s, callee.stack_min()) {
            return s.go(m, super::interrupts::poll::<G>);
        }
        s.sp = s.sp.sub(6);
        enter::<G, true>(&mut s, m, callee, argc as u16, 1);
        if m.native.profile.is_due(callee.code) {
            return s.go(m, super::native::try_native::<G>);
        }
        s.dispatch(m)
    }

    /// Evaluate a form.
    eval(m, s) {
        let form = s.tos;
        match type_entry_of(s.mem, form) & type_entry::NUMBER {
            types::LISTP => {
                s.save(m);
                m.call_and_continue(Call {
                    definition: m.definition(symbols::EVALFORM),
                    object: symbols::EVALFORM,
                    argc: 1,
                    pops: 0,
                    operand: None,
                    length: 1,
                })
            }
            types::LITATOM | types::NEW_ATOM => s.go(m, eval_symbol::<G>),
            types::SMALLP | types::FIXP | types::FLOATP | types::STRINGP | types::ONED_ARRAY
            | types::GENERAL_ARRAY => s.next(m, 1),
            _ => s.ufn(m),
        }
    }

    /// Evaluate a symbol: its value for the caller of this frame.
    #[inline(never)]
    eval_symbol(m, s) {
        if s.tos.is_nil() || s.tos == LispPtr::T {
            return s.next(m, 1);
        }
        let frame = Frame::of_pvar(s.mem, s.pvar);
        let Ok(address) = m.find_variable(frame, s.tos.masked::<G>()) else {
            return s.go(m, super::interrupts::poll::<G>);
        };
        let value = s.mem.cell(address);
        if value == LispPtr::NOBIND {
            return s.ufn(m);
        }
        s.tos = value;
        s.next(m, 1)
    }

    /// Check that the symbol on top has a compiled definition that evaluates its
    /// arguments.
    check_apply(m, s) {
        match m.callable(s.tos) {
            Some(_) => s.next(m, 1),
            None => s.ufn(m),
        }
    }

    /// Trap: call the Lisp function of the instruction at the pc.
    #[inline(never)]
    ufn(m, s) {
        s.save(m);
        match m.trap() {
            Exit::Continue => State::load(m).go(m, super::returns::resumed::<G>),
            exit => exit,
        }
    }
}
