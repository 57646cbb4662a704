use super::harness::{Ended, execute, for_both, read, table, with_interpreter};
use crate::isa::Opcode;
use crate::layout::Generation;
use crate::layout::records::types;
use crate::memory::LispPtr;
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
