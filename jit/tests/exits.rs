//! Why native code is left, and what is done about it, is counted.

mod common;

use common::Item::{I, S};
use common::{HELPER, PLAIN, Program, TESTED, Way, run};
use geiko_jit::exits::{Exit, Row};
use geiko_runtime::isa::Opcode;
use geiko_runtime::layout::Medley3;
use geiko_runtime::testing::function::Function;

/// How often `program` left native code for `exit` at `detail`.
fn count(program: &Program, exit: Exit, detail: &str) -> u64 {
    let ran = run::<Medley3>(program, Way::Native);
    let wanted = |row: &&Row| (row.exit, row.detail) == (exit, detail);
    let row = ran.exits.iter().find(wanted);
    row.map_or_else(
        || panic!("{exit:?} {detail} in {:?}", ran.exits),
        |row| row.count,
    )
}

/// The interpreter alone and both together count the same number of instructions.
fn check_count(program: &Program) {
    let alone = run::<Medley3>(program, Way::CountedInterpreted);
    let together = run::<Medley3>(program, Way::Counted);
    assert_eq!(together.value, alone.value);
    assert!(together.native > 0);
    assert_eq!(together.native + together.interpreted, alone.interpreted);
}

#[test]
fn instructions() {
    // (if (> 2 n) n (+ (fib (- n 1)) (fib (- n 2))))
    check_count(&Program {
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
    });
    // Counts its argument down.
    check_count(&Program {
        code: |_| {
            vec![
                I(Opcode::Ivar0, &[]),
                I(Opcode::IDifferenceN, &[1]),
                I(Opcode::IvarXSet, &[0]),
                I(Opcode::Zero, &[]),
                I(Opcode::GreaterP, &[]),
                I(Opcode::TJumpX, &[0xF9]),
                I(Opcode::Ivar0, &[]),
                I(Opcode::Return, &[]),
            ]
        },
        ..PLAIN
    });
}

#[test]
fn operations() {
    let program = Program {
        code: |_| {
            vec![
                I(Opcode::Ivar0, &[]),
                I(Opcode::Nil, &[]),
                I(Opcode::Cons, &[]),
                I(Opcode::Car, &[]),
                I(Opcode::Return, &[]),
            ]
        },
        ..PLAIN
    };
    // It is called for 20 numbers; the first two calls are interpreted.
    assert_eq!(count(&program, Exit::Operation, "cons"), 18);
}

#[test]
fn wrong_guesses() {
    // The sum is not small: the activation is given up four times, then the function is
    // compiled again.
    let program = Program {
        code: |_| {
            vec![
                I(Opcode::SicX, &[0xFF, 0xFF]),
                I(Opcode::SicX, &[0xFF, 0xFF]),
                I(Opcode::IPlus2, &[]),
                I(Opcode::Ivar0, &[]),
                I(Opcode::LogAnd2, &[]),
                I(Opcode::Return, &[]),
            ]
        },
        ..PLAIN
    };
    let given_up = count(&program, Exit::Result, "IPLUS2");
    let ran = run::<Medley3>(&program, Way::Native);
    assert_eq!(given_up, 4);
    assert!(ran.totals.given_up >= given_up);
    assert_eq!((ran.totals.again, ran.totals.refused), (1, 0));
    assert_eq!(
        ran.totals.compiled, 3,
        "the caller, the function, and again"
    );
}

#[test]
fn calls_that_are_interpreted() {
    let program = Program {
        code: |_| {
            vec![
                I(Opcode::Ivar0, &[]),
                S(Opcode::Fn1, HELPER),
                I(Opcode::Return, &[]),
            ]
        },
        helper: Some(|| Function {
            stack_min: 60,
            arguments: 6,
            ..Function::default()
        }),
        helper_code: &[I(Opcode::Ivar0, &[]), I(Opcode::Return, &[])],
        ..PLAIN
    };
    check_count(&program);
    // One argument is not enough to supply the others.
    assert_eq!(count(&program, Exit::Uncompiled, "FN1"), 18);
}
