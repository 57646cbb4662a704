use super::harness::{
    Ended, execute, for_both, print, read, set_arguments, table, with_interpreter,
};
use crate::isa::Opcode;
use crate::layout::Generation;
use crate::memory::{AttentionReason, LispPtr};

#[test]
fn car_and_cdr() {
    table(
        Opcode::Car,
        &[],
        &[
            ("(A B)", "A"),
            ("((1) 2)", "(1)"),
            ("NIL", "NIL"),
            ("T", "T"),
            ("A", "trap"),
            ("5", "trap"),
            ("1.5", "trap"),
        ],
    );
    table(
        Opcode::Cdr,
        &[],
        &[
            ("(A B C)", "(B C)"),
            ("(A)", "NIL"),
            ("(A . 1)", "1"),
            ("(A . 1.5)", "1.5"),
            ("NIL", "NIL"),
            ("T", "trap"),
            ("5", "trap"),
        ],
    );
}

#[test]
fn lists_are_made_and_changed() {
    table(
        Opcode::Cons,
        &[],
        &[
            ("A NIL", "(A)"),
            ("A (B)", "(A B)"),
            ("A B", "(A . B)"),
            ("(A) 5", "((A) . 5)"),
        ],
    );
    table(
        Opcode::Rplaca,
        &[],
        &[
            ("(A B) C", "(C B)"),
            ("(A) (B)", "((B))"),
            ("NIL NIL", "NIL"),
            ("NIL A", "trap"),
            ("A NIL", "trap"),
            ("T T", "trap"),
        ],
    );
    table(
        Opcode::Rplacd,
        &[],
        &[
            ("(A B) C", "(A . C)"),
            ("(A B) NIL", "(A)"),
            ("(A . B) (C)", "(A C)"),
            ("NIL NIL", "NIL"),
            ("NIL A", "trap"),
            ("5 5", "trap"),
        ],
    );
    table(
        Opcode::RplCons,
        &[],
        &[
            ("(A) B", "(B)"),
            ("(A . C) B", "(B)"),
            ("NIL B", "trap"),
            ("A B", "trap"),
        ],
    );
}

#[test]
fn rplcons_appends() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            let list = read(m, "(A)")[0];
            let mut last = list;
            // More than a page of cells, so that lists must move.
            for n in 0..300u16 {
                let stack = [last, LispPtr::smallpos(n)];
                let Ended::Done(after) = execute(m, &[Opcode::RplCons as u8], &stack) else {
                    panic!("trapped");
                };
                assert_eq!(m.cdr(last), after[0]);
                last = after[0];
            }
            let mut rest = m.cdr(list);
            for n in 0..300u16 {
                assert_eq!(m.car(rest), LispPtr::smallpos(n));
                rest = m.cdr(rest);
            }
            assert!(rest.is_nil());
        });
    }
    for_both!(run);
}

#[test]
fn pairs_are_found_by_key() {
    let rows = [
        ("B ((A . 1) (B . 2) (B . 3))", "(B . 2)"),
        ("5 ((4 A) (5 B))", "(5 B)"),
        ("NIL ((NIL 1))", "(NIL 1)"),
        ("NIL (NIL (NIL 1))", "(NIL 1)"),
        ("A (A B (A 1))", "(A 1)"),
        ("C ((A . 1))", "NIL"),
        ("A NIL", "NIL"),
        ("A 5", "NIL"),
        ("C ((A . 1) . 5)", "NIL"),
        ("\\a ((\\a . 1))", "(\\a . 1)"),
    ];
    table(Opcode::Assoc, &[], &rows);
    table(Opcode::CmlAssoc, &[], &rows);
    // Other keys need more than EQ.
    table(Opcode::Assoc, &[], &[("70000 ((70000 1))", "NIL")]);
    let boxed = [
        ("70000 ((70000 1))", "trap"),
        ("1.5 NIL", "trap"),
        ("(A) NIL", "trap"),
    ];
    table(Opcode::CmlAssoc, &[], &boxed);
}

#[test]
fn tails_are_found_by_item() {
    let rows = [
        ("B (A B C B)", "(B C B)"),
        ("A (A)", "(A)"),
        ("D (A B C)", "NIL"),
        ("A NIL", "NIL"),
        ("NIL (A NIL B)", "(NIL B)"),
        ("-1 (1 -1)", "(-1)"),
        ("D (A B . 5)", "trap: D 5"),
        ("B (A B . 5)", "(B . 5)"),
        ("D 5", "trap"),
    ];
    table(Opcode::Fmemb, &[], &rows);
    table(Opcode::CmlMember, &[], &rows);
    table(Opcode::Fmemb, &[], &[("70000 (70000)", "NIL")]);
    let boxed = [("70000 (70000)", "trap"), ("(A) (A)", "trap")];
    table(Opcode::CmlMember, &[], &boxed);
}

#[test]
fn properties_are_found() {
    table(
        Opcode::ListGet,
        &[],
        &[
            ("(A 1 B 2) A", "1"),
            ("(A 1 B 2) B", "2"),
            ("(A B B 2) B", "2"),
            ("(A 1) B", "NIL"),
            ("NIL A", "NIL"),
            ("(A) A", "NIL"),
            ("(A 1 B) B", "NIL"),
            ("5 A", "trap"),
            ("(A 1 . 5) B", "trap: 5 B"),
            ("(A 1 B . 5) B", "trap: (B . 5) B"),
        ],
    );
}

#[test]
fn scans_can_be_interrupted() {
    fn run<G: Generation>() {
        for (opcode, before, after, result) in [
            (Opcode::Assoc, "B ((A) (B))", "B ((B))", "(B)"),
            (Opcode::CmlAssoc, "B ((A) (B))", "B ((B))", "(B)"),
            (Opcode::Fmemb, "B (A B)", "B (B)", "(B)"),
            (Opcode::CmlMember, "B (A B)", "B (B)", "(B)"),
            (Opcode::Fmemb, "C (A)", "C NIL", "NIL"),
            (Opcode::ListGet, "(A 1 B 2) B", "(B 2) B", "2"),
        ] {
            with_interpreter::<G>(|m| {
                let stack = read(m, before);
                m.mem.control().raise(AttentionReason::Host);
                let Ended::Again(rest) = execute(m, &[opcode as u8], &stack) else {
                    panic!("{opcode} does not poll");
                };
                assert_eq!(print(m, &rest), after, "{opcode}");
                // The interrupts are served before the next instruction.
                assert_eq!(m.serve_interrupts(), super::super::Exit::Continue);
                let ended = execute(m, &[opcode as u8], &rest);
                let expected = read(m, result);
                match ended {
                    Ended::Done(got) => assert_eq!(print(m, &got), print(m, &expected)),
                    other => panic!("{opcode}: {other:?}"),
                }
            });
        }
    }
    for_both!(run);
}

#[test]
fn scans_of_circular_lists_are_not_one_instruction() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            let [list, item] = [0, 1].map(|n| read(m, "(A) B")[n]);
            m.rplacd(list, list);
            for (opcode, stack) in [
                (Opcode::Assoc, [item, list]),
                (Opcode::Fmemb, [item, list]),
                (Opcode::ListGet, [list, item]),
            ] {
                let ended = execute(m, &[opcode as u8], &stack);
                assert_eq!(ended, Ended::Again(stack.to_vec()), "{opcode}");
            }
        });
    }
    for_both!(run);
}

#[test]
fn argument_lists() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            let arguments = read(m, "A B C D");
            set_arguments(m, &arguments);
            let rows = [
                (1, "NIL 4", "(A B C D)"),
                (3, "NIL 4", "(C D)"),
                (2, "(E) 3", "(B C E)"),
                (5, "NIL 4", "NIL"),
                (4, "E 4", "(D . E)"),
                (0, "NIL 1", "(A)"),
            ];
            for (skip, operands, result) in rows {
                let stack = read(m, operands);
                let Ended::Done(got) = execute(m, &[Opcode::RestList as u8, skip], &stack) else {
                    panic!("trapped");
                };
                assert_eq!(print(m, &got), result, "{skip} {operands}");
            }
            // Arguments that nobody has are read somewhere in the stack.
            let stack = read(m, "NIL 65535");
            let ended = execute(m, &[Opcode::RestList as u8, 255], &stack);
            assert!(matches!(ended, Ended::Done(_)));
        });
    }
    for_both!(run);
}

#[test]
fn keyword_arguments() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            let arguments = read(m, "A K 1 L 2 K");
            set_arguments(m, &arguments);
            let rows = [
                (2, "K", "3"),
                (2, "L", "5"),
                (4, "K", "NIL"),
                (2, "A", "NIL"),
                (1, "A", "2"),
                (3, "2", "6"),
                (2, "1", "NIL"),
                (0, "A", "NIL"),
                (200, "A", "NIL"),
            ];
            for (first, key, result) in rows {
                let stack = read(m, key);
                let Ended::Done(got) = execute(m, &[Opcode::FindKey as u8, first], &stack) else {
                    panic!("trapped");
                };
                assert_eq!(print(m, &got), result, "{first} {key}");
            }
        });
    }
    for_both!(run);
}
