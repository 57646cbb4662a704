//! Lockstep finds native code that is wrong, where it is wrong.

use geiko_runtime::fault::Fault;
use geiko_runtime::layout::{Generation, Medley2, Medley3};

use crate::programs::{PLAIN, Program, START, Way, run};

/// Adds 3 and what the helper answers.
const PROGRAM: Program<'static> = Program {
    code: "IVAR0; SIC 3; PLUS2; PVAR_0; FN1 HELPER; PVAR0; PLUS2; RETURN",
    helper: Some(&Program {
        code: "IVAR0; RETURN",
        ..PLAIN
    }),
    ..PLAIN
};

fn difference<G: Generation>() -> String {
    let constant = START as i32 + 2;
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
