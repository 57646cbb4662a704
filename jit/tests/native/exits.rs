//! Why native code is left, and what is done about it, is counted.

use geiko_jit::exits::{Exit, Row};
use geiko_runtime::layout::Medley3;

use crate::programs::{FIBONACCI, PLAIN, Program, Way, check, check_count, run};

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
        // A list cell whose cdr is in a cell of its own.
        code: "IVAR0; IVAR0; CONS; IVAR0; RPLCONS; CAR; RETURN",
        ..PLAIN
    };
    // It is called for 20 numbers; the first two calls are interpreted.
    assert_eq!(count(&program, Exit::Operation, "append"), 18);
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
fn functions_of_any_number_of_arguments_store_in_them() {
    let program = Program {
        arguments: -1,
        code: "IVAR0; '1; PLUS2; IVARX_ 0; IVAR0; PLUS2; RETURN",
        ..PLAIN
    };
    check(&program, 2 * 190 + 2 * 20);
    let ran = run::<Medley3>(&program, Way::Native);
    assert!(
        ran.exits.iter().all(|row| row.detail != "IVARX_"),
        "{:?}",
        ran.exits
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

#[test]
fn the_native_frame_that_waits_goes_on_at_the_next_turn_of_a_loop() {
    // A loop of 500 turns, which leaves native code in each of them.
    let program = Program {
        code: "SICX 500; PVAR_^1
            next: PVAR1; IDIFFERENCE.N 1; PVAR_^1; IVAR0; FJUMPX behind; IVAR0; UNWIND 6 0
            behind: PVAR1; '0; EQ; FJUMPX next; IVAR0; RETURN",
        ..PLAIN
    };
    check(&program, 190);
    assert!(count(&program, Exit::Rest, "UNWIND") > 18 * 490);
}

#[test]
fn native_code_waits_for_collections_and_holds_what_it_has() {
    // A list cell that is nowhere but on the evaluation stack, while a loop makes garbage.
    let program = Program {
        code: "IVAR0; 'NIL; CONS; SIC 50; PVAR_^1
            next: 'T; 'T; CONS; POP
            PVAR1; IDIFFERENCE.N 1; PVAR_^1; PVAR1; '0; EQ; FJUMPX next
            CAR; RETURN",
        ..PLAIN
    };
    check(&program, 190);
    let ran = run::<Medley3>(&program, Way::Zealous);
    let count = |exit| -> u64 {
        let rows = ran.exits.iter().filter(|row| row.exit == exit);
        rows.map(|row| row.count).sum()
    };
    assert!(count(Exit::Safepoint) >= 18 * 49, "{:?}", ran.exits);
    assert_eq!(count(Exit::LoopPoll), 0, "{:?}", ran.exits);
}
