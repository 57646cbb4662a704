use super::super::Exit;
use super::harness::{
    END, Ended, START, execute, for_both, prepare, print, read, run, table, with_interpreter,
};
use crate::isa::Opcode;
use crate::layout::Generation;
use crate::layout::records::types;
use crate::memory::{AttentionReason, CodePc, LispPtr};
use crate::testing::declare_type;

#[test]
fn identity() {
    table(
        Opcode::Eq,
        &[],
        &[
            ("A A", "T"),
            ("A B", "NIL"),
            ("5 5", "T"),
            ("5 \\a", "NIL"),
            ("70000 70000", "NIL"),
            ("NIL NIL", "T"),
            ("0x80000005 0x5", "NIL"),
        ],
    );
}

/// Pairs about which all equalities that know no conversion agree.
const EXACT: [(&str, &str); 19] = [
    ("A A", "T"),
    ("A B", "NIL"),
    ("5 5", "T"),
    ("5 6", "NIL"),
    ("5 -5", "NIL"),
    ("\\a \\a", "T"),
    ("\\a \\b", "NIL"),
    ("5 A", "NIL"),
    ("\\a 97", "NIL"),
    ("A (A)", "NIL"),
    ("(A) A", "NIL"),
    ("NIL (A)", "NIL"),
    ("70000 70000", "T"),
    ("70000 70001", "NIL"),
    ("70000 5", "NIL"),
    ("5 box:5", "NIL"),
    ("1.5 1.5", "T"),
    ("0.0 -0.0", "T"),
    ("NaN NaN", "NIL"),
];

#[test]
fn eql_leaves_other_objects_unequal() {
    table(Opcode::Eql, &[], &EXACT);
    table(
        Opcode::Eql,
        &[],
        &[
            ("1 1.0", "NIL"),
            ("70000 70000.0", "NIL"),
            ("1.0 70000", "NIL"),
            ("(A) (A)", "NIL"),
            ("(A) 5", "NIL"),
            ("(A) 1.5", "NIL"),
        ],
    );
}

#[test]
fn cml_equal_leaves_structures_to_lisp() {
    table(Opcode::CmlEqual, &[], &EXACT);
    table(
        Opcode::CmlEqual,
        &[],
        &[
            ("1 1.0", "NIL"),
            ("70000 70000.0", "NIL"),
            ("(A) (A)", "trap"),
            ("(A) (B)", "trap"),
            ("(A) 5", "NIL"),
            ("(A) 1.5", "NIL"),
            ("70000 (A)", "NIL"),
        ],
    );
}

#[test]
fn equal_compares_floats_with_integers() {
    table(Opcode::Equal, &[], &EXACT);
    table(
        Opcode::Equal,
        &[],
        &[
            ("1 1.0", "T"),
            ("1.0 1", "T"),
            ("1 1.5", "NIL"),
            ("70000 70000.0", "T"),
            ("0 -0.0", "T"),
            ("16777217 16777216.0", "T"),
            ("NaN 1", "NIL"),
            ("(A) (A)", "trap"),
            ("(A) 5", "NIL"),
            ("5 (A)", "NIL"),
            ("(A) 1.5", "NIL"),
            ("\\a (A)", "NIL"),
        ],
    );
}

#[test]
fn numeric_equality() {
    table(
        Opcode::NumEqual,
        &[],
        &[
            ("5 5", "T"),
            ("5 -5", "NIL"),
            ("70000 70000", "T"),
            ("70000 70001", "NIL"),
            ("5 70000", "NIL"),
            ("1 1.0", "T"),
            ("1.5 1", "NIL"),
            ("70000.0 70000", "T"),
            ("0.0 -0.0", "T"),
            ("NaN NaN", "NIL"),
            ("A A", "trap"),
            ("5 A", "trap"),
            ("A 5", "trap"),
            ("1.5 (A)", "trap"),
            ("\\a 1", "trap"),
        ],
    );
}

#[test]
fn order() {
    let integers = [
        ("2 1", "T"),
        ("1 1", "NIL"),
        ("1 2", "NIL"),
        ("0 -1", "T"),
        ("-1 0", "NIL"),
        ("-65536 -65537", "T"),
        ("65536 65535", "T"),
        ("-65537 65535", "NIL"),
        ("2147483647 -2147483648", "T"),
        ("-2147483648 2147483647", "NIL"),
        ("6 box:5", "T"),
        ("A 1", "trap"),
        ("1 NIL", "trap"),
        ("\\a 1", "trap"),
    ];
    let floats = [
        ("1.5 1", "T"),
        ("1 1.5", "NIL"),
        ("1.5 1.25", "T"),
        ("70000 69999.5", "T"),
        ("0.0 -0.0", "NIL"),
        ("NaN 1", "NIL"),
        ("1 NaN", "NIL"),
        ("inf 2147483647", "T"),
        ("1.5 A", "trap"),
        ("A 1.5", "trap"),
    ];
    table(Opcode::IGreaterP, &[], &integers);
    table(
        Opcode::IGreaterP,
        &[],
        &[("1.5 1", "trap"), ("1 1.5", "trap")],
    );
    table(Opcode::GreaterP, &[], &integers);
    table(Opcode::GreaterP, &[], &floats);
    table(Opcode::FGreaterP, &[], &floats);
    // As floats these are the same number.
    let close = "16777217 16777216";
    table(Opcode::GreaterP, &[], &[(close, "T")]);
    table(
        Opcode::FGreaterP,
        &[],
        &[(close, "NIL"), ("2 1", "T"), ("1 2", "NIL")],
    );
}

#[test]
fn other_numbers_are_left_to_lisp() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            // The upper bits of the type say that these are numbers.
            declare_type(m, types::RATIO, 4, &[]);
            let dtd = G::dtd(u32::from(types::RATIO));
            let entry = dtd.add(G::DTD_FIELDS.type_entry);
            m.mem.set_word(entry, 0x1800 | types::RATIO);
            let ratios = [(); 2].map(|()| m.create_cell(types::RATIO).unwrap());
            let [one, float, list] = [0, 1, 2].map(|n| read(m, "1 1.5 (A)")[n]);
            let nil = Some(LispPtr::NIL);
            use Opcode::{CmlEqual, Eql, Equal, FGreaterP, GreaterP, NumEqual, Plus2};
            for (opcode, other, expected) in [
                (Eql, ratios[1], None),
                (Eql, float, nil),
                (Eql, list, nil),
                (CmlEqual, ratios[1], None),
                (CmlEqual, one, nil),
                (CmlEqual, list, nil),
                (Equal, ratios[1], None),
                (Equal, one, nil),
                (Equal, float, None),
                (Equal, list, nil),
                (NumEqual, ratios[1], None),
                (NumEqual, one, None),
                (NumEqual, float, None),
                (GreaterP, one, None),
                (FGreaterP, float, None),
                (Plus2, one, None),
            ] {
                for stack in [[ratios[0], other], [other, ratios[0]]] {
                    let expected = match expected {
                        Some(value) => Ended::Done(vec![value]),
                        None => Ended::Trapped(stack.to_vec()),
                    };
                    assert_eq!(execute(m, &[opcode as u8], &stack), expected, "{opcode}");
                }
            }
        });
    }
    for_both!(run);
}

/// Comparisons that are done together with the jump behind them.
const WITH_JUMP: [(Opcode, &str, bool); 11] = [
    (Opcode::Eq, "A A", true),
    (Opcode::Eq, "A B", false),
    (Opcode::NumEqual, "5 5", true),
    (Opcode::NumEqual, "5 6", false),
    (Opcode::NumEqual, "1.5 1.5", true),
    (Opcode::GreaterP, "6 5", true),
    (Opcode::GreaterP, "5 6", false),
    (Opcode::GreaterP, "1.5 70000", false),
    (Opcode::IGreaterP, "70000 5", true),
    (Opcode::IGreaterP, "5 5", false),
    (Opcode::Eql, "70000 70000", true),
];

/// Conditional jumps by 6 bytes, and when they jump.
const JUMPS: [(&[u8], bool); 4] = [
    (&[Opcode::FJump4 as u8], false),
    (&[Opcode::TJump4 as u8], true),
    (&[Opcode::FJumpX as u8, 6], false),
    (&[Opcode::TJumpX as u8, 6], true),
];

/// A comparison, a jump of 6 bytes, and what it jumps over.
fn compare_and_jump(opcode: Opcode, jump: &[u8]) -> Vec<u8> {
    let mut code = [&[opcode as u8], jump, &[Opcode::Zero as u8]].concat();
    code.resize(7, END);
    code.extend([Opcode::One as u8, END]);
    code
}

#[test]
fn jumps_behind_comparisons() {
    fn run_all<G: Generation>() {
        with_interpreter::<G>(|m| {
            for (opcode, operands, truth) in WITH_JUMP {
                for (jump, jump_if) in JUMPS {
                    let stack = read(m, &format!("A {operands}"));
                    let after = run(m, &compare_and_jump(opcode, jump), &stack);
                    let expected = if truth == jump_if { "A 1" } else { "A 0" };
                    assert_eq!(print(m, &after), expected, "{opcode} {operands} {jump:?}");
                }
                // Backwards, to the byte that ends the program.
                let back = [Opcode::TJumpX as u8, -2i8 as u8];
                let skip = [Opcode::JumpX as u8, 3, END];
                let code: [&[u8]; 4] = [&skip, &[opcode as u8], &back, &[Opcode::Zero as u8, END]];
                let stack = read(m, operands);
                let after = run(m, &code.concat(), &stack);
                let expected = if truth { "" } else { "0" };
                assert_eq!(print(m, &after), expected, "{opcode} {operands}");
                // The value is there if it is wanted.
                let keep = [opcode as u8, Opcode::NTJumpX as u8, 3, END, END];
                let after = run(m, &keep, &stack);
                let expected = if truth { "T" } else { "" };
                assert_eq!(print(m, &after), expected, "{opcode} {operands}");
            }
        });
    }
    for_both!(run_all);
}

#[test]
fn jumps_behind_comparisons_can_be_interrupted() {
    fn run_all<G: Generation>() {
        with_interpreter::<G>(|m| {
            for (opcode, operands, truth) in WITH_JUMP {
                for (jump, jump_if) in JUMPS {
                    let stack = read(m, operands);
                    let code = compare_and_jump(opcode, jump);
                    let base = prepare(m, &code, &stack);
                    m.mem.control().raise(AttentionReason::Host);
                    let mut exit = Exit::Continue;
                    while exit == Exit::Continue && m.mem.code(m.regs.pc, 0) != END {
                        exit = m.step();
                    }
                    if truth != jump_if {
                        assert_eq!(exit, Exit::Continue, "a jump not taken does not poll");
                        assert_eq!(m.regs.tos, LispPtr::smallpos(0));
                        m.mem.control().take();
                        m.set_stack_limit();
                        continue;
                    }
                    assert_eq!(exit, Exit::Attention);
                    let again = CodePc::new(super::harness::FUNCTION, START);
                    let before_jump = m.regs.pc == again.jump(1);
                    assert!(before_jump || m.regs.pc == again && m.regs.sp == base.add(4));
                    while m.mem.code(m.regs.pc, 0) != END {
                        assert_eq!(m.step(), Exit::Continue);
                    }
                    assert_eq!(m.regs.tos, LispPtr::smallpos(1));
                    assert_eq!(m.regs.sp, base.add(2));
                }
            }
        });
    }
    for_both!(run_all);
}
