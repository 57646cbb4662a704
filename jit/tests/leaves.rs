//! Small functions in the place of their calls.

mod common;

use common::Item::{I, S};
use common::{HELPER, PLAIN, Program, check, list};
use geiko_runtime::isa::Opcode;
use geiko_runtime::layout::Medley2;
use geiko_runtime::testing::function::Function;

/// A block that is small enough for a leaf.
const SMALL: u16 = 0x2C;

fn is_put_in(program: &Program) -> bool {
    let native = list::<Medley2>(program);
    let mut lines = native.parts.values().flat_map(|part| &part.clif);
    lines.any(|line| line.contains("missed"))
}

#[test]
fn numbers_come_in_and_go_out_without_boxes() {
    // The helper multiplies by 256; twice, and back again.
    let program = Program {
        code: |_| {
            vec![
                I(Opcode::Ivar0, &[]),
                S(Opcode::Fn1, HELPER),
                S(Opcode::Fn1, HELPER),
                I(Opcode::SicX, &[1, 0]),
                I(Opcode::IQuotient, &[]),
                I(Opcode::SicX, &[1, 0]),
                I(Opcode::IQuotient, &[]),
                I(Opcode::Return, &[]),
            ]
        },
        helper: Some(|| Function {
            stack_min: 60,
            arguments: 1,
            quads: 1,
            locals: 0,
            names: &[],
            code: &[],
        }),
        helper_code: &[
            I(Opcode::Ivar0, &[]),
            I(Opcode::Copy, &[]),
            I(Opcode::TypeMaskN, &[0x20]),
            I(Opcode::Pop, &[]),
            I(Opcode::Pop, &[]),
            I(Opcode::Ivar0, &[]),
            I(Opcode::SicX, &[1, 0]),
            I(Opcode::ITimes2, &[]),
            I(Opcode::Return, &[]),
        ],
        helper_cells: SMALL,
        ..PLAIN
    };
    check(&program, 190);
    assert!(is_put_in(&program));
}

#[test]
fn what_a_leaf_cannot_do_is_a_call() {
    // The helper makes a list if its argument is above 10, else it adds 1.
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
            arguments: 1,
            quads: 1,
            locals: 2,
            names: &[],
            code: &[],
        }),
        helper_code: &[
            I(Opcode::Ivar0, &[]),
            I(Opcode::PvarSetPop1, &[]),
            I(Opcode::Pvar1, &[]),
            I(Opcode::Sic, &[10]),
            I(Opcode::GreaterP, &[]),
            I(Opcode::FJump4, &[]),
            I(Opcode::Ivar0, &[]),
            I(Opcode::Nil, &[]),
            I(Opcode::Cons, &[]),
            I(Opcode::Car, &[]),
            I(Opcode::Return, &[]),
            I(Opcode::Pvar1, &[]),
            I(Opcode::IPlusN, &[1]),
            I(Opcode::Return, &[]),
        ],
        helper_cells: SMALL,
        ..PLAIN
    };
    check(&program, 201);
    assert!(is_put_in(&program));
}

#[test]
fn functions_that_only_do_more_are_called() {
    let program = Program {
        code: |_| {
            vec![
                I(Opcode::Ivar0, &[]),
                S(Opcode::Fn1, HELPER),
                I(Opcode::Car, &[]),
                I(Opcode::Return, &[]),
            ]
        },
        helper: Some(|| Function {
            stack_min: 60,
            arguments: 1,
            quads: 1,
            locals: 0,
            names: &[],
            code: &[],
        }),
        helper_code: &[
            I(Opcode::Ivar0, &[]),
            I(Opcode::Nil, &[]),
            I(Opcode::Cons, &[]),
            I(Opcode::Return, &[]),
        ],
        helper_cells: SMALL,
        ..PLAIN
    };
    check(&program, 190);
    assert!(!is_put_in(&program));
}
