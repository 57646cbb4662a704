//! Small functions, run by the interpreter alone and natively from the second call
//! on: the results must be the same.

mod common;

use common::Item::{I, S};
use common::{BLOCKS, HELPER, PLAIN, Program, SPECIAL, TESTED, check};
use geiko_runtime::isa::Opcode;
use geiko_runtime::layout::records::function;
use geiko_runtime::memory::LispPtr;
use geiko_runtime::testing::function::Function;

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

/// The code block of the helper.
const HELPER_BLOCK: LispPtr = LispPtr(BLOCKS.0 + 0x800);
/// That of the function tested.
const TESTED_BLOCK: LispPtr = LispPtr(BLOCKS.0 + 0x400);

#[test]
fn code_that_a_function_patches_in_another() {
    // Makes n the constant that the helper answers.
    let program = Program {
        code: |_| {
            vec![
                S(Opcode::Gconst, HELPER_BLOCK),
                I(Opcode::Sic, &[2 * function::WORDS as u8 + 1]),
                I(Opcode::Ivar0, &[]),
                I(Opcode::PutBaseByte, &[]),
                I(Opcode::Pop, &[]),
                S(Opcode::Fn0, HELPER),
                I(Opcode::Return, &[]),
            ]
        },
        helper: Some(|| Function {
            stack_min: 60,
            arguments: 0,
            ..Function::default()
        }),
        helper_code: &[I(Opcode::Sic, &[77]), I(Opcode::Return, &[])],
        ..PLAIN
    };
    check(&program, 190);
}

#[test]
fn code_that_is_patched_while_it_runs() {
    // The helper makes its first argument the constant that the loop adds next.
    const CONSTANT: [u8; 2] = [
        2 * function::WORDS as u8 + 12,
        2 * function::WORDS as u8 + 13,
    ];
    let program = Program {
        code: |operand_bytes| {
            let [constant, back]: [&[u8]; 2] = match operand_bytes {
                3 => [&CONSTANT[..1], &[0xEC]],
                _ => [&CONSTANT[1..], &[0xEB]],
            };
            vec![
                I(Opcode::Zero, &[]),
                I(Opcode::PvarSetPop0, &[]),
                // The loop.
                I(Opcode::Ivar0, &[]),
                I(Opcode::Sic, constant),
                S(Opcode::Fn2, HELPER),
                I(Opcode::Pop, &[]),
                I(Opcode::Pvar0, &[]),
                I(Opcode::Sic, &[77]),
                I(Opcode::Plus2, &[]),
                I(Opcode::PvarSetPop0, &[]),
                I(Opcode::Ivar0, &[]),
                I(Opcode::IDifferenceN, &[1]),
                I(Opcode::IvarXSet, &[0]),
                I(Opcode::Zero, &[]),
                I(Opcode::GreaterP, &[]),
                I(Opcode::TJumpX, back),
                I(Opcode::Pvar0, &[]),
                I(Opcode::Return, &[]),
            ]
        },
        helper: Some(|| Function {
            stack_min: 60,
            arguments: 2,
            ..Function::default()
        }),
        helper_code: &[
            S(Opcode::Gconst, TESTED_BLOCK),
            I(Opcode::Ivar1, &[]),
            I(Opcode::Ivar0, &[]),
            I(Opcode::PutBaseByte, &[]),
            I(Opcode::Return, &[]),
        ],
        ..PLAIN
    };
    check(&program, 1330);
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
