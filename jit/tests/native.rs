//! Small functions, run by the interpreter alone and natively from the second call
//! on: the results must be the same.

use std::rc::Rc;

use geiko_jit::{Jit, Pace};
use geiko_runtime::interp::Exit;
use geiko_runtime::isa::Opcode;
use geiko_runtime::layout::records::frame;
use geiko_runtime::layout::{Generation, Medley2, Medley3, SymbolCell};
use geiko_runtime::machine::Machine;
use geiko_runtime::memory::{CodePc, LispPtr};
use geiko_runtime::testing::function::{Function, operand};
use geiko_runtime::testing::with_machine;

const MAIN: LispPtr = LispPtr(3000);
const TESTED: LispPtr = LispPtr(3001);
const HELPER: LispPtr = LispPtr(3002);
const RESULT: LispPtr = LispPtr(3003);
const SPECIAL: LispPtr = LispPtr(3004);
const BLOCKS: LispPtr = LispPtr(0x24_0000);
/// The service that ends the session.
const FINISH: u8 = 13;

/// An item of code.
#[derive(Clone, Copy)]
enum Item {
    /// An instruction with its operand bytes.
    I(Opcode, &'static [u8]),
    /// An instruction with a symbol as its operand.
    S(Opcode, LispPtr),
}

use Item::{I, S};

/// The bytes of `items`.
fn assemble<G: Generation>(items: &[Item]) -> Vec<u8> {
    let mut code = Vec::new();
    for item in items {
        match *item {
            I(opcode, operands) => {
                code.push(opcode as u8);
                code.extend(operands);
            }
            S(opcode, symbol) => {
                code.push(opcode as u8);
                code.extend(operand::<G>(symbol));
            }
        }
    }
    code.push(0);
    code
}

/// A function to be tested, perhaps with another that it calls.
struct Program {
    arguments: i16,
    quads: u16,
    locals: u8,
    names: &'static [(LispPtr, u32)],
    code: fn(operand_bytes: u8) -> Vec<Item>,
    helper: Option<fn() -> Function<'static>>,
    helper_code: &'static [Item],
}

const PLAIN: Program = Program {
    arguments: 1,
    quads: 2,
    locals: 4,
    names: &[],
    code: |_| Vec::new(),
    helper: None,
    helper_code: &[],
};

/// Calls the function of `program` for the numbers 0 to 19 and answers the sum of
/// its results.
fn run<G: Generation>(program: &Program, natively: bool) -> (Exit, LispPtr, usize) {
    let mut outcome = None;
    with_machine::<G>(|mut m| {
        let define = |m: &Machine<'_, G>, symbol, place: u32, function: Function<'_>| {
            let block = BLOCKS.add(0x400 * place);
            function.define(m, symbol, block);
            // The header of an array block of code, and its length in cells.
            m.mem.set_word(LispPtr(block.0 - 2), 0xAAAD);
            m.mem.set_word(LispPtr(block.0 - 1), 0x100);
        };
        let tested = assemble::<G>(&(program.code)(G::OPERAND_BYTES as u8));
        define(
            &m,
            TESTED,
            1,
            Function {
                stack_min: 60,
                arguments: program.arguments,
                quads: program.quads,
                locals: program.locals,
                names: program.names,
                code: &tested,
            },
        );
        if let Some(helper) = program.helper {
            let code = assemble::<G>(program.helper_code);
            define(
                &m,
                HELPER,
                2,
                Function {
                    code: &code,
                    ..helper()
                },
            );
        }
        let call = 5 + G::OPERAND_BYTES as u8;
        let main = assemble::<G>(&[
            I(Opcode::Zero, &[]),
            I(Opcode::PvarSet0, &[]),
            I(Opcode::PvarSetPop1, &[]),
            I(Opcode::Pvar1, &[]),
            I(Opcode::Pvar0, &[]),
            S(Opcode::Fn1, TESTED),
            I(Opcode::Plus2, &[]),
            I(Opcode::PvarSetPop1, &[]),
            I(Opcode::Pvar0, &[]),
            I(Opcode::One, &[]),
            I(Opcode::Plus2, &[]),
            I(Opcode::PvarSet0, &[]),
            I(Opcode::Sic, &[20]),
            I(Opcode::Eq, &[]),
            // Back to the first PVAR1.
            I(Opcode::FJumpX, if call == 8 { &[0xF1] } else { &[0xF0] }),
            I(Opcode::Pvar1, &[]),
            S(Opcode::GvarSet, RESULT),
            I(Opcode::SubrCall, &[FINISH, 0]),
            I(Opcode::Return, &[]),
        ]);
        define(
            &m,
            MAIN,
            0,
            Function {
                stack_min: 60,
                arguments: 0,
                quads: 1,
                locals: 2,
                names: &[],
                code: &main,
            },
        );
        m.func = BLOCKS;
        let header = m.regs.pvar.sub(frame::WORDS).add(frame::FUNCTION);
        m.mem.set_stack(header, G::to_frame_pointer(BLOCKS));
        let start = m.mem.word(BLOCKS.add(3));
        m.regs.pc = CodePc::new(BLOCKS, start);
        m.regs.sp = m.regs.pvar.add(6);
        m.set_stack_limit();
        let jit = Rc::new(Jit::new(m.mem, 1 << 20, Pace::Now).expect("a compiler"));
        let before = jit.code_bytes();
        if natively {
            m.set_compiler(jit.clone(), 1);
        }
        let exit = m.run();
        assert_eq!(m.fault, None);
        let value = m.mem.cell(G::symbol_cell(RESULT, SymbolCell::Value));
        outcome = Some((exit, value, jit.code_bytes() - before));
    });
    outcome.expect("it ran")
}

/// Runs `program` in both ways in both generations; the sum must be `expected`.
fn check(program: &Program, expected: u16) {
    fn of<G: Generation>(program: &Program, expected: u16) {
        let expected = (Exit::Finished, LispPtr::smallpos(expected));
        let (exit, value, bytes) = run::<G>(program, false);
        assert_eq!(((exit, value), bytes), (expected, 0), "{}", G::NAME);
        let (exit, value, bytes) = run::<G>(program, true);
        assert_eq!((exit, value), expected, "{}, natively", G::NAME);
        assert!(bytes > 0, "native code was made");
    }
    of::<Medley2>(program, expected);
    of::<Medley3>(program, expected);
}

#[test]
fn recursion() {
    // (if (> 2 n) n (+ (fib (- n 1)) (fib (- n 2))))
    let program = Program {
        code: |_| {
            vec![
                I(Opcode::Sic, &[2]),
                I(Opcode::Ivar0, &[]),
                I(Opcode::GreaterP, &[]),
                I(Opcode::FJump1, &[]),
                I(Opcode::Ivar0, &[]),
                I(Opcode::Return, &[]),
                I(Opcode::Ivar0, &[]),
                I(Opcode::IDifferenceN, &[1]),
                S(Opcode::Fn1, TESTED),
                I(Opcode::Ivar0, &[]),
                I(Opcode::Sic, &[2]),
                I(Opcode::Difference, &[]),
                S(Opcode::Fn1, TESTED),
                I(Opcode::Plus2, &[]),
                I(Opcode::Return, &[]),
            ]
        },
        ..PLAIN
    };
    check(&program, 10945);
}

#[test]
fn lists() {
    // Conses 0 to n and adds the elements up again.
    let program = Program {
        code: |_| {
            vec![
                I(Opcode::Nil, &[]),
                I(Opcode::PvarSetPop0, &[]),
                I(Opcode::Zero, &[]),
                I(Opcode::PvarSetPop1, &[]),
                // First loop.
                I(Opcode::Ivar0, &[]),
                I(Opcode::Pvar0, &[]),
                I(Opcode::Cons, &[]),
                I(Opcode::PvarSetPop0, &[]),
                I(Opcode::Ivar0, &[]),
                I(Opcode::IDifferenceN, &[1]),
                I(Opcode::IvarXSet, &[0]),
                I(Opcode::Zero, &[]),
                I(Opcode::GreaterP, &[]),
                I(Opcode::TJumpX, &[0xF5]),
                // Second loop.
                I(Opcode::Pvar1, &[]),
                I(Opcode::Pvar0, &[]),
                I(Opcode::Car, &[]),
                I(Opcode::Plus2, &[]),
                I(Opcode::PvarSetPop1, &[]),
                I(Opcode::Pvar0, &[]),
                I(Opcode::Cdr, &[]),
                I(Opcode::PvarSet0, &[]),
                I(Opcode::Listp, &[]),
                I(Opcode::TJumpX, &[0xF7]),
                I(Opcode::Pvar1, &[]),
                I(Opcode::Return, &[]),
            ]
        },
        ..PLAIN
    };
    check(&program, 1330);
}

#[test]
fn special_variables() {
    // Binds a variable to n + 1, which the helper finds, doubles and answers.
    let program = Program {
        quads: 1,
        locals: 1,
        names: &[(SPECIAL, 0x8000_0000)],
        code: |_| {
            vec![
                I(Opcode::Ivar0, &[]),
                I(Opcode::One, &[]),
                I(Opcode::IPlus2, &[]),
                I(Opcode::Bind, &[1, 0]),
                S(Opcode::Fn0, HELPER),
                I(Opcode::Unbind, &[]),
                I(Opcode::Return, &[]),
            ]
        },
        helper: Some(|| Function {
            stack_min: 60,
            arguments: 0,
            quads: 1,
            locals: 0,
            names: &[(SPECIAL, 0xC000_0000)],
            code: &[],
        }),
        helper_code: &[
            I(Opcode::Fvar0, &[]),
            I(Opcode::Fvar0, &[]),
            I(Opcode::Plus2, &[]),
            I(Opcode::FvarXSet, &[0]),
            I(Opcode::Return, &[]),
        ],
        ..PLAIN
    };
    check(&program, 420);
}

#[test]
fn numbers_that_are_not_small() {
    // (- (+ (+ n 65535) 10) 65545), through boxes.
    let program = Program {
        code: |_| {
            vec![
                I(Opcode::Ivar0, &[]),
                I(Opcode::SicX, &[0xFF, 0xFF]),
                I(Opcode::Plus2, &[]),
                I(Opcode::Sic, &[10]),
                I(Opcode::Plus2, &[]),
                I(Opcode::SicX, &[0xFF, 0xFF]),
                I(Opcode::Difference, &[]),
                I(Opcode::Sic, &[10]),
                I(Opcode::IDifference, &[]),
                I(Opcode::Return, &[]),
            ]
        },
        ..PLAIN
    };
    check(&program, 190);
}

#[test]
fn missing_and_surplus_arguments() {
    // The helper takes two arguments and gets one, then three.
    let program = Program {
        code: |_| {
            vec![
                I(Opcode::Ivar0, &[]),
                S(Opcode::Fn1, HELPER),
                I(Opcode::Ivar0, &[]),
                I(Opcode::One, &[]),
                I(Opcode::Ivar0, &[]),
                S(Opcode::Fn3, HELPER),
                I(Opcode::Plus2, &[]),
                I(Opcode::Return, &[]),
            ]
        },
        helper: Some(|| Function {
            stack_min: 60,
            arguments: 2,
            ..Function::default()
        }),
        // n if the second is NIL, else their sum.
        helper_code: &[
            I(Opcode::Ivar1, &[]),
            I(Opcode::FJump3, &[]),
            I(Opcode::Ivar0, &[]),
            I(Opcode::Ivar1, &[]),
            I(Opcode::Plus2, &[]),
            I(Opcode::Return, &[]),
            I(Opcode::Ivar0, &[]),
            I(Opcode::Return, &[]),
        ],
        ..PLAIN
    };
    check(&program, 400);
}

#[test]
fn integers_beyond_the_small_ones_in_a_loop() {
    // s = (s + 60000) xor i, for i from n down to 1, then s modulo 1000.
    let program = Program {
        code: |_| {
            vec![
                I(Opcode::Zero, &[]),
                I(Opcode::PvarSetPop0, &[]),
                I(Opcode::Pvar0, &[]),
                I(Opcode::SicX, &[0xEA, 0x60]),
                I(Opcode::IPlus2, &[]),
                I(Opcode::Ivar0, &[]),
                I(Opcode::LogXor2, &[]),
                I(Opcode::PvarSetPop0, &[]),
                I(Opcode::Ivar0, &[]),
                I(Opcode::IDifferenceN, &[1]),
                I(Opcode::IvarXSet, &[0]),
                I(Opcode::Zero, &[]),
                I(Opcode::GreaterP, &[]),
                I(Opcode::TJumpX, &[0xF1]),
                I(Opcode::Pvar0, &[]),
                I(Opcode::SicX, &[0x03, 0xE8]),
                I(Opcode::IRemainder, &[]),
                I(Opcode::Return, &[]),
            ]
        },
        ..PLAIN
    };
    let remainder = |n: i32| {
        let turns = (0..=n).rev().take(n.max(1) as usize);
        turns.fold(0, |s, i| (s + 60000) ^ i) % 1000
    };
    let expected: i32 = (0..20).map(remainder).sum();
    check(&program, expected as u16);
}

#[test]
fn floats_in_a_loop() {
    // How often n + 1, a float, can be halved before it is not above 1.
    let program = Program {
        code: |_| {
            vec![
                I(Opcode::Ivar0, &[]),
                I(Opcode::One, &[]),
                I(Opcode::FPlus2, &[]),
                I(Opcode::PvarSetPop0, &[]),
                I(Opcode::Zero, &[]),
                I(Opcode::PvarSetPop1, &[]),
                I(Opcode::Pvar0, &[]),
                I(Opcode::Sic, &[2]),
                I(Opcode::FQuotient, &[]),
                I(Opcode::PvarSetPop0, &[]),
                I(Opcode::Pvar1, &[]),
                I(Opcode::One, &[]),
                I(Opcode::Plus2, &[]),
                I(Opcode::PvarSetPop1, &[]),
                I(Opcode::Pvar0, &[]),
                I(Opcode::One, &[]),
                I(Opcode::GreaterP, &[]),
                I(Opcode::TJumpX, &[0xF4]),
                I(Opcode::Pvar1, &[]),
                I(Opcode::Return, &[]),
            ]
        },
        ..PLAIN
    };
    let halvings = |n: u32| (n + 1).next_power_of_two().ilog2().max(1);
    let expected: u32 = (0..20).map(halvings).sum();
    check(&program, expected as u16);
}

#[test]
fn ways_with_different_stacks() {
    // One way to the last RETURN brings a cell more than the other.
    let program = Program {
        code: |_| {
            vec![
                I(Opcode::Ivar0, &[]),
                I(Opcode::Sic, &[7]),
                I(Opcode::GreaterP, &[]),
                I(Opcode::FJump3, &[]),
                I(Opcode::One, &[]),
                I(Opcode::One, &[]),
                I(Opcode::JumpX, &[3]),
                I(Opcode::Zero, &[]),
                I(Opcode::Ivar0, &[]),
                I(Opcode::Plus2, &[]),
                I(Opcode::Return, &[]),
            ]
        },
        ..PLAIN
    };
    check(&program, 190 + 12);
}
