//! Lists that are spread as arguments.

use geiko_jit::exits::{Exit, Row};
use geiko_runtime::layout::Medley3;

use crate::programs::{PLAIN, Program, Way, check, run};

/// The list (3 IVAR0 5), twice consed in front of, in PVAR1.
const LIST: &str = "SIC 3; IVAR0; SIC 5; 'NIL; CONS; CONS; CONS; PVAR_^1;";

/// As the compiler of the built-in Lisp does it: one argument before, list and count in
/// variables.
const BEHIND: &str = "SIC 7; '1; PVAR_^2; JUMP test
    next: PVAR1; CAR; PVAR1; CDR; PVAR_^1; PVAR2; IPLUS.N 1; PVAR_^2
    test: PVAR1; TJUMPX next; PVAR2; ACONST HELPER; APPLYFN;";

/// As Medley's does it: the list on the stack, and the count compared with the most
/// arguments there may be.
const ON_STACK: &str = "'0; PVAR_^2; PVAR1; JUMP test
    next: COPY; CAR; SWAP; CDR; SICX 512; PVAR2; '1; IPLUS2; PVAR_2; IGREATERP; TJUMP test
    'NIL; POP
    test: NTJUMPX next; PVAR2; ACONST HELPER; APPLYFN;";

/// The sum of its arguments, of which it takes four.
const SUM: Program<'static> = Program {
    arguments: 4,
    code: "IVAR0; IVAR1; PLUS2; IVAR2; PLUS2; IVAR3; TJUMP all; RETURN
        all: IVAR3; PLUS2; RETURN",
    ..PLAIN
};

fn left(program: &Program<'_>) -> u64 {
    let left = |row: &&Row| matches!(row.exit, Exit::Rest | Exit::Uncompiled);
    let ran = run::<Medley3>(program, Way::Native);
    ran.exits.iter().filter(left).map(|row| row.count).sum()
}

/// Spreads with `way`, behind which comes `behind`, and calls `helper`. Whether native code was left each
/// time.
fn leaves(list: &str, way: &str, helper: &Program<'_>, behind: &str, expected: u16) -> bool {
    let program = Program {
        code: &format!("{list} {way} {behind} RETURN"),
        helper: Some(helper),
        ..PLAIN
    };
    check(&program, expected);
    // It is called 20 times, a few of which before there is native code.
    left(&program) > 10
}

/// The same in both ways; they do the same.
fn both_leave(list: &str, helper: &Program<'_>, expected: [u16; 2]) -> bool {
    let first = leaves(list, BEHIND, helper, "", expected[0]);
    assert_eq!(leaves(list, ON_STACK, helper, "", expected[1]), first);
    first
}

/// Answers its first argument.
const FIRST: Program<'static> = Program {
    code: "IVAR0; RETURN",
    ..PLAIN
};

/// Answers the number of its arguments.
const COUNT: Program<'static> = Program {
    arguments: -1,
    code: "MYARGCOUNT; RETURN",
    ..PLAIN
};

#[test]
fn the_list_becomes_arguments() {
    // 15 or 8, and the numbers below 20.
    assert!(!both_leave(LIST, &SUM, [20 * 15 + 190, 20 * 8 + 190]));
}

#[test]
fn no_list_is_no_argument() {
    let zero = Program {
        code: "IVAR0; TJUMP some; '1; RETURN; some: IVAR0; RETURN",
        ..PLAIN
    };
    assert!(!both_leave("'NIL; PVAR_^1;", &zero, [140, 20]));
}

#[test]
fn the_count_and_the_rest_are_in_their_variables() {
    let behind = "POP; PVAR1; TJUMP wrong; PVAR2; RETURN; wrong: '0;";
    assert!(!leaves(LIST, BEHIND, &SUM, behind, 80));
    assert!(!leaves(LIST, ON_STACK, &SUM, "POP; PVAR2;", 60));
}

#[test]
fn functions_of_any_number_of_arguments_get_all() {
    assert!(!both_leave(LIST, &COUNT, [80, 60]));
}

#[test]
fn more_arguments_than_are_taken_are_dropped() {
    assert!(!both_leave(LIST, &FIRST, [140, 60]));
}

#[test]
fn what_has_no_native_code_is_called_by_the_interpreter() {
    let many = Program {
        arguments: 12,
        ..FIRST
    };
    assert!(both_leave(LIST, &many, [140, 60]));
}

#[test]
fn long_lists_are_left_to_the_interpreter() {
    let long = "'NIL; PVAR_^1; SIC 100; PVAR_^2
        more: '1; PVAR1; CONS; PVAR_^1; PVAR2; IDIFFERENCE.N 1; PVAR_^2
        PVAR2; '0; EQ; FJUMPX more;";
    assert!(both_leave(long, &COUNT, [2020, 2000]));
}

#[test]
fn what_is_below_the_arguments_stays() {
    let below = format!("SIC 2; {LIST}");
    assert!(!leaves(&below, BEHIND, &SUM, "PLUS2;", 20 * 17 + 190));
    assert!(!leaves(&below, ON_STACK, &SUM, "PLUS2;", 20 * 10 + 190));
}

#[test]
fn other_loops_are_not_taken_for_one() {
    // Counts by two, so there are more arguments than were spread: what was below is taken.
    let other = BEHIND.replace("IPLUS.N 1", "IPLUS.N 2");
    let below = format!("'1; '1; '1; {LIST}");
    leaves(&below, &other, &FIRST, "", 20);
}
