//! Small functions in the place of their calls.

use geiko_runtime::layout::Medley2;

use crate::programs::{PLAIN, Program, check, list};

/// A function whose block is small enough for a leaf.
const SMALL: Program<'static> = Program {
    quads: 1,
    locals: 2,
    cells: 0x2C,
    ..PLAIN
};

fn is_put_in(program: &Program<'_>) -> bool {
    let native = list::<Medley2>(program);
    let mut lines = native.parts.values().flat_map(|part| &part.clif);
    lines.any(|line| line.contains("missed"))
}

#[test]
fn numbers_come_in_and_go_out_without_boxes() {
    // The helper multiplies by 256; twice, and back again.
    let program = Program {
        code: "IVAR0; FN1 HELPER; FN1 HELPER; SICX 256; IQUOTIENT; SICX 256; IQUOTIENT; RETURN",
        helper: Some(&Program {
            code: "IVAR0; COPY; TYPEMASK.N 32; POP; POP; IVAR0; SICX 256; ITIMES2; RETURN",
            ..SMALL
        }),
        ..PLAIN
    };
    check(&program, 190);
    assert!(is_put_in(&program));
}

#[test]
fn what_a_leaf_cannot_do_is_a_call() {
    // The helper makes a list if its argument is above 10, else it adds 1.
    let program = Program {
        code: "IVAR0; FN1 HELPER; RETURN",
        helper: Some(&Program {
            code: "IVAR0; PVAR_^1; PVAR1; SIC 10; GREATERP; FJUMP small
                   IVAR0; 'NIL; CONS; CAR; RETURN
                   small: PVAR1; IPLUS.N 1; RETURN",
            ..SMALL
        }),
        ..PLAIN
    };
    check(&program, 201);
    assert!(is_put_in(&program));
}

#[test]
fn functions_that_only_do_more_are_called() {
    let program = Program {
        code: "IVAR0; FN1 HELPER; CAR; RETURN",
        helper: Some(&Program {
            code: "IVAR0; 'NIL; CONS; RETURN",
            ..SMALL
        }),
        ..PLAIN
    };
    check(&program, 190);
    assert!(!is_put_in(&program));
}
