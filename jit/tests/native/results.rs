//! Small functions, run by the interpreter alone and natively from the second call
//! on: the results must be the same.

use geiko_runtime::layout::{Generation, Medley2, Medley3};

use crate::programs::{FIBONACCI, PLAIN, Program, SPECIAL, START, Way, check, run};

#[test]
fn recursion() {
    check(&FIBONACCI, 10945);
}

#[test]
fn code_that_a_function_patches_in_another() {
    // Makes n the constant that the helper answers.
    let constant = START + 1;
    let program = Program {
        code: &format!(
            "GCONST HELPER-BLOCK; SIC {constant}; IVAR0; PUTBASEBYTE; POP; FN0 HELPER; RETURN"
        ),
        helper: Some(&Program {
            arguments: 0,
            code: "SIC 77; RETURN",
            ..PLAIN
        }),
        ..PLAIN
    };
    check(&program, 190);
}

#[test]
fn code_that_is_patched_while_it_runs() {
    // The helper makes its first argument the constant that the loop adds next.
    let constant = START + 6;
    let program = Program {
        code: &format!(
            "'0; PVAR_^0; JUMPX patch
             add: PVAR0; SIC 77; PLUS2; PVAR_^0
             IVAR0; IDIFFERENCE.N 1; IVARX_ 0; '0; GREATERP; FJUMPX done
             patch: IVAR0; SIC {constant}; FN2 HELPER; POP; JUMPX add
             done: PVAR0; RETURN"
        ),
        helper: Some(&Program {
            arguments: 2,
            code: "GCONST TESTED-BLOCK; IVAR1; IVAR0; PUTBASEBYTE; RETURN",
            ..PLAIN
        }),
        ..PLAIN
    };
    check(&program, 1330);
}

#[test]
fn counts() {
    // A new cell has the count 0; then the stack refers to it, also with the count 1, for
    // which it needs an entry of its own.
    let program = Program {
        code: "'NIL; 'NIL; CONS; PVAR_^0; PVAR0; LOLOC; LRSH1; PVAR_^1
               PVAR0; GCREF 0; TJUMPX wrong
               PVAR0; GCREF 0; TJUMPX wrong
               PVAR0; GCREF 1; TJUMPX wrong
               PVAR0; GCREF 1; PVAR0; EQ; FJUMPX wrong
               SIC 5; GCREF 0; TJUMPX wrong
               SIC 5; GCREF 1; TJUMPX wrong
               SIC 5; GCREF 2; TJUMPX wrong
               IVAR0; TJUMPX once
               PVAR0; GCREF 0; TJUMPX wrong
               once: PVAR0; GCREF 2; TJUMPX wrong
               PVAR0; GCREF 2; TJUMPX wrong
               PVAR1; IPLUS.N 1; GCSCAN2; PVAR1; EQ; FJUMPX wrong
               SIC 77; RETURN
               wrong: '1; RETURN",
        ..PLAIN
    };
    check(&program, 20 * 77);
    let with_count = program
        .code
        .replace("IVAR0; TJUMPX once", "'NIL; TJUMPX once");
    let program = Program {
        code: &with_count,
        ..PLAIN
    };
    check(&program, 20 * 77);
}

#[test]
fn lists() {
    // Conses 0 to n and adds the elements up again.
    let program = Program {
        code: "'NIL; PVAR_^0; '0; PVAR_^1
               push: IVAR0; PVAR0; CONS; PVAR_^0
               IVAR0; IDIFFERENCE.N 1; IVARX_ 0; '0; GREATERP; TJUMPX push
               add: PVAR1; PVAR0; CAR; PLUS2; PVAR_^1
               PVAR0; CDR; PVAR_0; LISTP; TJUMPX add
               PVAR1; RETURN",
        ..PLAIN
    };
    check(&program, 1330);
}

#[test]
fn list_cells_of_all_kinds() {
    // For n down to 1: puts n in front by changing the cdr of a pair, then a list of n by
    // CONS, whose cdr is NIL for a while; adds up both.
    let program = Program {
        code: "'NIL; PVAR_^0
               push: IVAR0; IVAR0; CONS; PVAR0; RPLACD; PVAR_^0
               IVAR0; 'NIL; CONS; PVAR0; CONS; 'NIL; RPLACD; PVAR0; RPLACD; PVAR_^0
               IVAR0; IDIFFERENCE.N 1; IVARX_ 0; '0; GREATERP; TJUMPX push
               '0; PVAR_^1
               add: PVAR1; PVAR0; CAR; CAR; PLUS2; PVAR_^1
               PVAR0; CDR; PVAR_0; CAR; PVAR1; PLUS2; PVAR_^1
               PVAR0; CDR; PVAR_0; LISTP; TJUMPX add
               PVAR1; RETURN",
        ..PLAIN
    };
    check(&program, 2660);
}

#[test]
fn items_behind_list_cells_of_all_kinds() {
    // For n down to 1: puts n behind a list, then a list of n, then n twice, of which the second
    // takes the place of the first, and the same behind a pair; adds up the n in the list.
    let program = Program {
        code: "'NIL; 'NIL; CONS; PVAR_^0; PVAR0; PVAR_^1
               append: PVAR1; IVAR0; RPLCONS; PVAR_^1
               PVAR1; IVAR0; 'NIL; CONS; RPLCONS; PVAR_^1
               PVAR1; IVAR0; 'NIL; CONS; RPLCONS; POP; PVAR1; IVAR0; RPLCONS; PVAR_^1
               IVAR0; IVAR0; CONS; COPY; IVAR0; 'NIL; CONS; RPLCONS; POP
               IVAR0; RPLCONS; POP
               IVAR0; IDIFFERENCE.N 1; IVARX_ 0; '0; GREATERP; TJUMPX append
               PVAR0; CDR; PVAR_^0; '0; PVAR_^1
               add: PVAR1; PVAR0; CAR; PLUS2; PVAR_^1
               PVAR0; CDR; PVAR_0; CAR; CAR; PVAR1; PLUS2; PVAR_^1
               PVAR0; CDR; PVAR_0; CAR; PVAR1; PLUS2; PVAR_^1
               PVAR0; CDR; PVAR_0; LISTP; TJUMPX add
               PVAR1; RETURN",
        ..PLAIN
    };
    check(&program, 3990);
}

#[test]
fn searches_in_list_cells_of_all_kinds() {
    // Such a list, of (n), n, and so on down to (k), k: looks for the k, for the list that
    // begins with it, for what is behind that list, and in vain.
    let program = Program {
        code: "'NIL; PVAR_^0
               push: IVAR0; PVAR_^1; IVAR0; IVAR0; CONS; PVAR0; RPLACD; PVAR_^0
               IVAR0; 'NIL; CONS; PVAR0; CONS; 'NIL; RPLACD; PVAR0; RPLACD; PVAR_^0
               IVAR0; IDIFFERENCE.N 1; IVARX_ 0; '0; GREATERP; TJUMPX push
               SIC 99; PVAR0; FMEMB; TJUMPX wrong
               SIC 99; PVAR0; ASSOC; TJUMPX wrong
               PVAR0; SIC 99; LISTGET; TJUMPX wrong
               PVAR1; PVAR0; FMEMB; CAR
               PVAR1; PVAR0; ASSOC; CAR; PLUS2
               PVAR0; PVAR1; PVAR0; ASSOC; LISTGET; PLUS2; RETURN
               wrong: SIC 77; RETURN",
        ..PLAIN
    };
    check(&program, 3 * 19);
}

#[test]
fn special_variables() {
    // Binds a variable to n + 1, which the helper finds, doubles and answers.
    let program = Program {
        names: &[(SPECIAL, 0x8000_0000)],
        code: "IVAR0; '1; IPLUS2; BIND 1 0; FN0 HELPER; UNBIND; RETURN",
        helper: Some(&Program {
            arguments: 0,
            quads: 1,
            locals: 0,
            names: &[(SPECIAL, 0xC000_0000)],
            code: "FVAR0; FVAR0; PLUS2; FVARX_ 0; RETURN",
            ..PLAIN
        }),
        ..PLAIN
    };
    check(&program, 420);
}

#[test]
fn numbers_that_are_not_small() {
    // (- (+ (+ n 65535) 10) 65545), through boxes.
    let program = Program {
        code: "IVAR0; SICX 65535; PLUS2; SIC 10; PLUS2
               SICX 65535; DIFFERENCE; SIC 10; IDIFFERENCE; RETURN",
        ..PLAIN
    };
    check(&program, 190);
}

#[test]
fn missing_and_surplus_arguments() {
    // The helper takes two arguments and gets one, then three. It answers the first if the
    // second is NIL, else their sum.
    let program = Program {
        code: "IVAR0; FN1 HELPER; IVAR0; '1; IVAR0; FN3 HELPER; PLUS2; RETURN",
        helper: Some(&Program {
            arguments: 2,
            code: "IVAR1; FJUMP one; IVAR0; IVAR1; PLUS2; RETURN; one: IVAR0; RETURN",
            ..PLAIN
        }),
        ..PLAIN
    };
    check(&program, 400);
}

/// Boxes that a program makes, interpreted and natively.
fn boxes<G: Generation>(program: &Program<'_>) -> [u32; 2] {
    [Way::Interpreted, Way::Native].map(|way| run::<G>(program, way).boxes)
}

#[test]
fn integers_in_a_loop_need_few_boxes() {
    // s = (s + 60000) xor i, for i from 1000 n down to 1, then s modulo 1000.
    let program = Program {
        code: "IVAR0; SICX 1000; ITIMES2; IVARX_ 0; POP; '0; PVAR_^0
               next: PVAR0; SICX 60000; IPLUS2; IVAR0; LOGXOR2; PVAR_^0
               IVAR0; IDIFFERENCE.N 1; IVARX_ 0; '0; GREATERP; TJUMPX next
               PVAR0; SICX 1000; IREMAINDER; RETURN",
        ..PLAIN
    };
    for [interpreted, native] in [boxes::<Medley2>(&program), boxes::<Medley3>(&program)] {
        println!("{interpreted} boxes interpreted, {native} natively");
        assert!(interpreted > 300_000);
        assert!(10 * native <= interpreted);
    }
}

#[test]
fn integers_beyond_the_small_ones_in_a_loop() {
    // s = (s + 60000) xor i, for i from n down to 1, then s modulo 1000.
    let program = Program {
        code: "'0; PVAR_^0
               next: PVAR0; SICX 60000; IPLUS2; IVAR0; LOGXOR2; PVAR_^0
               IVAR0; IDIFFERENCE.N 1; IVARX_ 0; '0; GREATERP; TJUMPX next
               PVAR0; SICX 1000; IREMAINDER; RETURN",
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
        code: "IVAR0; '1; FPLUS2; PVAR_^0; '0; PVAR_^1
               halve: PVAR0; SIC 2; FQUOTIENT; PVAR_^0; PVAR1; '1; PLUS2; PVAR_^1
               PVAR0; '1; GREATERP; TJUMPX halve
               PVAR1; RETURN",
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
        code: "IVAR0; SIC 7; GREATERP; FJUMP small; '1; '1; JUMPX add
               small: '0; add: IVAR0; PLUS2; RETURN",
        ..PLAIN
    };
    check(&program, 190 + 12);
}
