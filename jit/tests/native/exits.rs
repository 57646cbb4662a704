//! Why native code is left, and what is done about it, is counted.

use geiko_jit::exits::{Exit, Row};
use geiko_runtime::layout::Medley3;

use crate::programs::{FIBONACCI, PLAIN, Program, Way, run};

/// How often `program` left native code for `exit` at `detail`.
fn count(program: &Program<'_>, exit: Exit, detail: &str) -> u64 {
    let ran = run::<Medley3>(program, Way::Native);
    let wanted = |row: &&Row| (row.exit, row.detail) == (exit, detail);
    let row = ran.exits.iter().find(wanted);
    row.map_or_else(
        || panic!("{exit:?} {detail} in {:?}", ran.exits),
        |row| row.count,
    )
}

/// The interpreter alone and both together count the same number of instructions.
fn check_count(program: &Program<'_>) {
    let alone = run::<Medley3>(program, Way::CountedInterpreted);
    let together = run::<Medley3>(program, Way::Counted);
    assert_eq!(together.value, alone.value);
    assert!(together.native > 0);
    assert_eq!(together.native + together.interpreted, alone.interpreted);
}

#[test]
fn instructions() {
    check_count(&FIBONACCI);
    // Counts its argument down.
    check_count(&Program {
        code: "next: IVAR0; IDIFFERENCE.N 1; IVARX_ 0; '0; GREATERP; TJUMPX next; IVAR0; RETURN",
        ..PLAIN
    });
}

#[test]
fn operations() {
    let program = Program {
        code: "IVAR0; 'NIL; CONS; CAR; RETURN",
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
        code: "SICX 65535; SICX 65535; IPLUS2; IVAR0; LOGAND2; RETURN",
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
        code: "IVAR0; FN1 HELPER; RETURN",
        helper: Some(&Program {
            arguments: 6,
            code: "IVAR0; RETURN",
            ..PLAIN
        }),
        ..PLAIN
    };
    check_count(&program);
    // One argument is not enough to supply the others.
    assert_eq!(count(&program, Exit::Uncompiled, "FN1"), 18);
}
