use std::rc::Rc;

use super::harness::{
    END, Ended, FUNCTION, Function, START, execute, for_both, function_place, function_symbol,
    prepare, print, read, run, step, with_interpreter, with_symbol,
};
use crate::fault::Fault;
use crate::interp::Exit;
use crate::interp::native::{Compiler, Outcome, Point};
use crate::isa::{OPCODES, Opcode};
use crate::layout::records::{block, frame, function, symbols, types};
use crate::layout::{Generation, SymbolCell};
use crate::machine::Machine;
use crate::memory::{AttentionReason, CodePc, LispPtr, StackOffset};
use crate::stack::Frame;
use crate::testing::declare_type;

const T: u8 = Opcode::T as u8;
const RETURN: u8 = Opcode::Return as u8;
/// The symbol that the instructions call.
const CALLEE: u32 = 0;
/// Where the interpreter is.
const INTERPRETER: u32 = 1;
/// Stands for a local without value in the tables.
const UNBOUND: &str = "0xffffffff";

fn cells<G: Generation>(m: &Machine<'_, G>, from: StackOffset, to: StackOffset) -> String {
    let cells: Vec<_> = (from.0..to.0)
        .step_by(2)
        .map(|at| m.mem.stack(StackOffset(at)))
        .collect();
    print(m, &cells)
}

/// Checks the frame of the function at `callee` that an instruction of `length`
/// bytes has made; answers arguments and locals.
fn check_frame<G: Generation>(m: &Machine<'_, G>, callee: LispPtr, length: u16) -> [String; 2] {
    let caller = Frame::of_pvar(m.mem, m.running_frame().alink().pvar());
    let running = m.running_frame();
    assert_eq!(m.func, callee, "the function");
    assert_eq!(running.function(), callee);
    assert_eq!(running.flags(), frame::flag::KIND);
    assert_eq!(running.alink_word(), caller.pvar().0, "a fast frame");
    assert_eq!(m.mem.stack_word(running.basic_frame()), block::BASIC_FRAME);
    assert_eq!(running.ivar(), m.ivar);
    assert_eq!(caller.next_block(), m.ivar);
    assert_eq!(caller.pc_offset(), START + length);
    let word = |at| m.mem.word(callee.add(at));
    let locals = 4 * word(function::PVAR_QUADS).wrapping_add(1);
    let end = m.regs.pvar.add(locals);
    assert_eq!(m.regs.sp, end.add(2), "two cells of padding");
    assert_eq!(m.regs.pc, CodePc::new(callee, word(function::START_PC)));
    let arguments = cells(m, m.ivar, running.basic_frame());
    [arguments, cells(m, m.regs.pvar, end)]
}

/// Executes a calling instruction whose callee returns T. Answers arguments, locals,
/// and the stack afterwards.
fn call_with<G: Generation>(
    m: &mut Machine<'_, G>,
    code: &[u8],
    stack: &[LispPtr],
    callee: LispPtr,
) -> String {
    let whole = [code, &[END]].concat();
    let base = prepare(m, &whole, stack);
    // A call starts again when somebody wants attention, with nothing changed.
    m.mem.control().raise(AttentionReason::Machine);
    let before = m.regs;
    assert_eq!(step(m), Exit::Continue);
    assert_eq!((m.regs, m.func), (before, FUNCTION), "a call polls first");
    assert_eq!(
        cells(m, base.add(2), m.regs.sp),
        print(m, &stack[..stack.len().max(1) - 1])
    );
    assert_eq!(step(m), Exit::Continue);
    let [arguments, locals] = check_frame(m, callee, code.len() as u16);
    while m.func != FUNCTION {
        assert_eq!(step(m), Exit::Continue);
    }
    assert_eq!(m.regs.pc, CodePc::new(FUNCTION, START + code.len() as u16));
    assert_eq!(m.ivar, m.running_frame().ivar());
    m.mem.set_stack(m.regs.sp, m.regs.tos);
    let after = cells(m, base.add(2), m.regs.sp.add(2));
    format!("{arguments} | {locals} | {after}")
}

fn call<G: Generation>(m: &mut Machine<'_, G>, code: &[u8], stack: &str, callee: u32) -> String {
    let stack = read(m, stack);
    call_with(m, code, &stack, function_place(callee))
}

/// A function that returns T.
fn returning_t(arguments: i16, quads: u16) -> Function<'static> {
    Function {
        arguments,
        quads,
        code: &[T, RETURN],
        ..Function::default()
    }
}

fn define<G: Generation>(m: &Machine<'_, G>, arguments: i16, quads: u16) {
    returning_t(arguments, quads).define(m, function_symbol(CALLEE), function_place(CALLEE));
}

/// A machine with an interpreter.
fn with_functions<G: Generation>(test: impl FnOnce(&mut Machine<'_, G>)) {
    with_interpreter::<G>(|m| {
        returning_t(-1, 0).define(m, symbols::INTERPRETER, function_place(INTERPRETER));
        declare_type(m, types::COMPILED_CLOSURE, 4, &[]);
        declare_type(m, types::NEW_ATOM, 10, &[]);
        test(m);
    });
}

/// FNX with `count` arguments.
fn fnx<G: Generation>(count: u8, symbol: LispPtr) -> Vec<u8> {
    let mut code = with_symbol::<G>(Opcode::FnX, symbol);
    code.insert(1, count);
    code
}

/// A closure of the callee.
fn closure<G: Generation>(m: &mut Machine<'_, G>, environment: LispPtr) -> LispPtr {
    let closure = m.create_cell(types::COMPILED_CLOSURE).unwrap();
    m.mem.set_cell(closure, function_place(CALLEE));
    m.mem.set_cell(closure.add(2), environment);
    closure
}

#[test]
fn arguments_are_supplied_and_dropped() {
    const CALLS: [Opcode; 5] = [
        Opcode::Fn0,
        Opcode::Fn1,
        Opcode::Fn2,
        Opcode::Fn3,
        Opcode::Fn4,
    ];
    fn run<G: Generation>() {
        with_functions::<G>(|m| {
            let given = [
                "",
                " A",
                " A B",
                " A B C",
                " A B C D",
                " A B C D E",
                " A B C D E F",
            ];
            for (count, operands) in given.iter().enumerate() {
                for wanted in -1..8i16 {
                    let expected = match usize::try_from(wanted) {
                        Err(_) => operands.trim().to_owned(),
                        Ok(wanted) => {
                            let all = format!("{operands}{}", " NIL".repeat(8));
                            all.split_whitespace()
                                .take(wanted)
                                .collect::<Vec<_>>()
                                .join(" ")
                        }
                    };
                    define(m, wanted, 0);
                    let symbol = function_symbol(CALLEE);
                    let mut codes = vec![fnx::<G>(count as u8, symbol)];
                    if let Some(&opcode) = CALLS.get(count) {
                        codes.push(with_symbol::<G>(opcode, symbol));
                    }
                    for code in codes {
                        let got = call(m, &code, &format!("Z{operands}"), CALLEE);
                        assert_eq!(got, format!("{expected} |  | Z T"), "{code:?} {wanted}");
                    }
                }
            }
        });
    }
    for_both!(run);
}

#[test]
fn locals_are_unbound() {
    fn run<G: Generation>() {
        with_functions::<G>(|m| {
            for quads in [0, 1, 2, 3, 6, 63] {
                define(m, 1, quads);
                let code = with_symbol::<G>(Opcode::Fn1, function_symbol(CALLEE));
                let locals = vec![UNBOUND; 2 * usize::from(quads)].join(" ");
                let got = call(m, &code, "A", CALLEE);
                assert_eq!(got, format!("A | {locals} | T"));
                // The same for the calls that go another way.
                let more = with_symbol::<G>(Opcode::Fn2, function_symbol(CALLEE));
                let got = call(m, &more, "A B", CALLEE);
                assert_eq!(got, format!("A | {locals} | T"));
            }
        });
    }
    for_both!(run);
}

#[test]
fn definitions_that_are_not_compiled_are_interpreted() {
    fn run<G: Generation>() {
        with_functions::<G>(|m| {
            let symbol = function_symbol(CALLEE);
            let definition = G::symbol_cell(symbol, SymbolCell::Definition);
            let name = print(m, &[symbol]);
            for interpreted in read(m, "NIL (A) 5 A") {
                m.mem.set_cell(definition, interpreted);
                for (code, operands) in [
                    (with_symbol::<G>(Opcode::Fn0, symbol), ""),
                    (with_symbol::<G>(Opcode::Fn2, symbol), "A B"),
                    (fnx::<G>(3, symbol), "A B C"),
                ] {
                    let got = call(m, &code, &format!("Z {operands}"), INTERPRETER);
                    let arguments = format!("{operands} {name}");
                    assert_eq!(got, format!("{} |  | Z T", arguments.trim()));
                }
            }
        });
    }
    for_both!(run);
}

#[test]
fn closures_bring_their_environment() {
    fn run<G: Generation>() {
        with_functions::<G>(|m| {
            let symbol = function_symbol(CALLEE);
            let definition = G::symbol_cell(symbol, SymbolCell::Definition);
            for (environment, quads, local0) in [
                ("A", 1, format!("A {UNBOUND}")),
                ("(A)", 1, format!("(A) {UNBOUND}")),
                ("NIL", 1, format!("{UNBOUND} {UNBOUND}")),
                ("A", 0, String::new()),
            ] {
                define(m, 2, quads);
                let environment = read(m, environment)[0];
                let object = closure(m, environment);
                m.mem.set_cell(definition, object);
                let expected = format!("B NIL | {local0} | Z T");
                let code = with_symbol::<G>(Opcode::Fn1, symbol);
                assert_eq!(call(m, &code, "Z B", CALLEE), expected);
                let apply = [Opcode::ApplyFn as u8];
                let stack = [read(m, "Z B 1"), vec![object]].concat();
                assert_eq!(
                    call_with(m, &apply, &stack, function_place(CALLEE)),
                    expected
                );
                let envcall = [Opcode::EnvCall as u8];
                for count in ["1", "box:1"] {
                    let operands = read(m, &format!("Z B {count}"));
                    let stack = [operands, vec![function_place(CALLEE), environment]].concat();
                    let got = call_with(m, &envcall, &stack, function_place(CALLEE));
                    assert_eq!(got, expected);
                }
            }
            let stack = read(m, "B NIL A NIL");
            let ended = execute(m, &[Opcode::EnvCall as u8], &stack);
            assert_eq!(ended, Ended::Trapped(stack));
        });
    }
    for_both!(run);
}

#[test]
fn function_objects_are_applied() {
    fn run<G: Generation>() {
        with_functions::<G>(|m| {
            define(m, 2, 0);
            let apply = [Opcode::ApplyFn as u8];
            // Symbols of both kinds.
            let made = m.create_cell(types::NEW_ATOM).unwrap();
            let cell = G::symbol_cell(made, SymbolCell::Definition);
            m.mem
                .set_cell(cell, LispPtr(1 << 31 | function_place(CALLEE).0));
            for symbol in [function_symbol(CALLEE), made] {
                let stack = [read(m, "Z A B C 3"), vec![symbol]].concat();
                let got = call_with(m, &apply, &stack, function_place(CALLEE));
                assert_eq!(got, "A B |  | Z T");
            }
            // All else is for the interpreter, and gets there.
            let undefined = print(m, &[function_symbol(9)]);
            for object in ["(A)", "5", "NIL", "1.5", "\\a", &undefined] {
                let got = call(m, &apply, &format!("Z A B 2 {object}"), INTERPRETER);
                assert_eq!(got, format!("A B {object} |  | Z T"));
            }
            for count in ["NIL", "-1", "70000", "box:1", "A"] {
                let stack = read(m, &format!("A {count} B"));
                let ended = execute(m, &apply, &stack);
                assert_eq!(ended, Ended::Trapped(stack));
            }
        });
    }
    for_both!(run);
}

#[test]
fn functions_that_evaluate_are_checked() {
    fn run<G: Generation>() {
        with_functions::<G>(|m| {
            let made = m.create_cell(types::NEW_ATOM).unwrap();
            for symbol in [function_symbol(CALLEE), made] {
                let cell = G::symbol_cell(symbol, SymbolCell::Definition);
                for (bits, good) in [
                    (0b1000, true),
                    (0b1100, true),
                    (0b1010, true),
                    (0b1001, false),
                    (0b1011, false),
                    (0b0000, false),
                    (0b0010, false),
                ] {
                    m.mem
                        .set_cell(cell, LispPtr(bits << 28 | function_place(CALLEE).0));
                    let ended = execute(m, &[Opcode::CheckApply as u8], &[symbol]);
                    let same = vec![symbol];
                    let expected = if good {
                        Ended::Done(same)
                    } else {
                        Ended::Trapped(same)
                    };
                    assert_eq!(ended, expected, "{bits:b}");
                }
            }
            for other in read(m, "5 (A) 1.5 \\a") {
                let ended = execute(m, &[Opcode::CheckApply as u8], &[other]);
                assert_eq!(ended, Ended::Trapped(vec![other]));
            }
        });
    }
    for_both!(run);
}

/// Makes the trap of `opcode` call `symbol`, with `bytes` operand bytes and
/// `arguments` arguments.
fn set_trap<G: Generation>(
    m: &Machine<'_, G>,
    opcode: Opcode,
    symbol: LispPtr,
    bytes: u32,
    arguments: u32,
) {
    let entry = LispPtr(symbol.0 << 16 | bytes << 8 | arguments);
    m.mem.set_cell(G::UFN_TABLE.add(2 * opcode as u32), entry);
}

#[test]
fn traps_pass_operands() {
    fn run<G: Generation>() {
        with_functions::<G>(|m| {
            define(m, -1, 1);
            let callee = function_symbol(CALLEE);
            let locals = format!("{UNBOUND} {UNBOUND}");
            let symbol = |number| with_symbol::<G>(Opcode::RetCall, LispPtr(number));
            for (code, arguments, operands, passed, after) in [
                (vec![Opcode::Bout as u8], 0, "Z A", "", "Z A T"),
                (vec![Opcode::Bout as u8], 2, "Z A B", "A B", "Z T"),
                (vec![Opcode::Misc2 as u8, 200], 1, "Z A", "200", "Z A T"),
                (vec![Opcode::Misc2 as u8, 255], 3, "Z A B", "A B 255", "Z T"),
                (
                    vec![Opcode::Miscn as u8, 255, 2],
                    1,
                    "Z A B",
                    "65282",
                    "Z A B T",
                ),
                // A symbol of the loadup is passed as its number.
                (symbol(0xFFFE), 2, "Z A", "A 65534", "Z T"),
                (symbol(0), 1, "Z", "0", "Z T"),
                (symbol(0x2F_0001), 2, "Z A", "A 0x2f0001", "Z T"),
            ] {
                let opcode = Opcode::from(code[0]);
                set_trap(m, opcode, callee, code.len() as u32 - 1, arguments);
                let got = call(m, &code, operands, CALLEE);
                assert_eq!(got, format!("{passed} | {locals} | {after}"), "{opcode}");
            }
        });
    }
    for_both!(run);
}

#[test]
fn traps_call_any_definition() {
    fn run<G: Generation>() {
        with_functions::<G>(|m| {
            let symbol = function_symbol(CALLEE);
            set_trap(m, Opcode::Bout, symbol, 0, 1);
            let bout = [Opcode::Bout as u8];
            let name = print(m, &[symbol]);
            assert_eq!(
                call(m, &bout, "Z A", INTERPRETER),
                format!("A {name} |  | Z T")
            );
            define(m, 1, 1);
            let environment = read(m, "B")[0];
            let object = closure(m, environment);
            m.mem
                .set_cell(G::symbol_cell(symbol, SymbolCell::Definition), object);
            let expected = format!("A | B {UNBOUND} | Z T");
            assert_eq!(call(m, &bout, "Z A", CALLEE), expected);
        });
    }
    for_both!(run);
}

#[test]
fn impossible_traps_are_faults() {
    fn run<G: Generation>() {
        with_functions::<G>(|m| {
            set_trap(m, Opcode::Bout, function_symbol(CALLEE), 5, 0);
            prepare(m, &[Opcode::Bout as u8], &[]);
            assert_eq!(m.step(), Exit::Fault);
            let opcode = Opcode::Bout as u8;
            assert_eq!(m.fault, Some(Fault::BadTrapEntry { opcode, bytes: 5 }));
        });
    }
    for_both!(run);
}

#[test]
fn what_is_not_implemented_traps() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            let stack = read(m, "A B C");
            for info in OPCODES.iter().filter(|info| info.always_traps()) {
                let length = info.opcode.length(G::OPERAND_BYTES) as usize;
                let code = vec![info.opcode as u8; length];
                let ended = execute(m, &code, &stack);
                assert_eq!(ended, Ended::Trapped(stack.clone()), "{}", info.name);
            }
        });
    }
    for_both!(run);
}

#[test]
fn calls_nest() {
    fn go<G: Generation>() {
        with_functions::<G>(|m| {
            // Each calls the next one with the list of its argument and its number.
            for n in 0..8 {
                let next = with_symbol::<G>(Opcode::Fn1, function_symbol(n + 1));
                let list = [Opcode::Ivar0, Opcode::Sic].map(|opcode| opcode as u8);
                let end = [RETURN];
                let rest = if n < 7 { &next[..] } else { &[] };
                let code: [&[u8]; 4] = [&list, &[n as u8, Opcode::Cons as u8], rest, &end];
                Function {
                    arguments: 1,
                    quads: n as u16 % 3,
                    code: &code.concat(),
                    ..Function::default()
                }
                .define(m, function_symbol(n), function_place(n));
            }
            let call = with_symbol::<G>(Opcode::Fn1, function_symbol(0));
            let stack = read(m, "A B");
            let after = run(m, &[&call[..], &[END]].concat(), &stack);
            let expected = "A ((((((((B . 0) . 1) . 2) . 3) . 4) . 5) . 6) . 7)";
            assert_eq!(print(m, &after), expected);
        });
    }
    for_both!(go);
}

#[test]
fn broken_functions_do_no_harm() {
    fn run<G: Generation>() {
        with_functions::<G>(|m| {
            for (arguments, quads) in [(0, 0xFFFF), (0, 0x4001), (0x7FFF, 0), (-2, 0x8000)] {
                define(m, arguments, quads);
                let code = with_symbol::<G>(Opcode::Fn1, function_symbol(CALLEE));
                prepare(m, &code, &[LispPtr::T]);
                m.step();
                m.set_stack_limit();
                for count in [0xFFFF, 0x8000] {
                    let operands = [LispPtr::smallpos(count), function_symbol(CALLEE)];
                    prepare(m, &[Opcode::ApplyFn as u8], &operands);
                    m.step();
                    let operands = [LispPtr::smallpos(count), function_place(CALLEE), LispPtr::T];
                    prepare(m, &[Opcode::EnvCall as u8], &operands);
                    m.step();
                }
            }
        });
    }
    for_both!(run);
}

/// Has no native code for anything.
struct Refuses;

impl<G: Generation> Compiler<G> for Refuses {
    fn enter(&self, _: &mut Machine<'_, G>, _: Point) -> Result<Outcome, u32> {
        Err(1)
    }

    fn forget(&self, _: LispPtr) {}

    fn rest(&self, _: bool) -> bool {
        true
    }

    fn place(&self, _: usize) -> Option<(LispPtr, u16)> {
        None
    }

    fn patched(&self, _: LispPtr, _: u32) -> bool {
        false
    }
}

#[test]
fn a_look_for_native_code_is_no_reason_not_to_poll() {
    fn room<G: Generation>(is_compiled: bool) -> (StackOffset, StackOffset) {
        let mut ends = None;
        with_functions::<G>(|m| {
            define(m, 2, 0);
            let code = with_symbol::<G>(Opcode::Fn1, function_symbol(CALLEE));
            prepare(m, &code, &[LispPtr::T]);
            if is_compiled {
                m.set_compiler(Rc::new(Refuses), 1);
            }
            // There is room to call, but not for what the callee may need then; behind it is more.
            let callee = function_place(CALLEE);
            m.mem.set_word(callee.add(function::STACK_MIN), 200);
            let (near, far) = (m.regs.sp.add(200), m.end);
            m.free_stack(near, far);
            m.end = near;
            m.set_stack_limit();
            assert_eq!(m.step(), Exit::Continue);
            assert_eq!(m.func, callee);
            ends = Some((m.end, far));
        });
        ends.expect("it ran")
    }
    fn run<G: Generation>() {
        for is_compiled in [false, true] {
            let (end, far) = room::<G>(is_compiled);
            assert_eq!(end, far, "{is_compiled}");
        }
    }
    for_both!(run);
}
