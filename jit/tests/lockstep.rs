//! Lockstep finds native code that is wrong, where it is wrong.

mod common;

use common::Item::{I, S};
use common::{HELPER, PLAIN, Program, Way, run};
use geiko_runtime::fault::Fault;
use geiko_runtime::isa::Opcode;
use geiko_runtime::layout::records::function;
use geiko_runtime::layout::{Generation, Medley2, Medley3};
use geiko_runtime::testing::function::Function;

/// Adds 3 and what the helper answers.
const PROGRAM: Program = Program {
    code: |_| {
        vec![
            I(Opcode::Ivar0, &[]),
            I(Opcode::Sic, &[3]),
            I(Opcode::Plus2, &[]),
            I(Opcode::PvarSet0, &[]),
            S(Opcode::Fn1, HELPER),
            I(Opcode::Pvar0, &[]),
            I(Opcode::Plus2, &[]),
            I(Opcode::Return, &[]),
        ]
    },
    helper: Some(|| Function {
        stack_min: 60,
        arguments: 1,
        ..Function::default()
    }),
    helper_code: &[I(Opcode::Ivar0, &[]), I(Opcode::Return, &[])],
    ..PLAIN
};

fn difference<G: Generation>() -> String {
    let constant = 2 * function::WORDS as i32 + 2;
    match run::<G>(&PROGRAM, Way::Patched(constant, 4)).fault {
        Some(Fault::Lockstep { difference }) => difference,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_wrong_sum_is_found_where_it_is_first_seen() {
    for text in [difference::<Medley2>(), difference::<Medley3>()] {
        // The helper, called with the sum for 0: native code made it with the old constant.
        assert!(text.contains("+16 IVAR0"), "{text}");
        assert!(
            text.contains("native 0xe0003, interpreted 0xe0004"),
            "{text}"
        );
    }
}

#[test]
fn right_code_passes() {
    assert_eq!(run::<Medley2>(&PROGRAM, Way::Lockstep).fault, None);
    assert_eq!(run::<Medley3>(&PROGRAM, Way::Lockstep).fault, None);
}
