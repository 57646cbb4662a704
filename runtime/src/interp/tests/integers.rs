use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::harness::{Ended, execute, for_both, print, read, table, with_interpreter};
use crate::isa::Opcode;
use crate::layout::Generation;

#[test]
fn sums() {
    let rows = [
        ("1 2", "3"),
        ("-1 1", "0"),
        ("65535 1", "65536"),
        ("65535 65535", "131070"),
        ("-65536 -1", "-65537"),
        ("-65536 -65536", "-131072"),
        ("65536 -1", "65535"),
        ("-65537 1", "-65536"),
        ("box:5 1", "6"),
        ("5 box:-5", "0"),
        ("2147483646 1", "2147483647"),
        ("2147483647 1", "trap"),
        ("-2147483648 -1", "trap"),
        ("-2147483648 2147483647", "-1"),
        ("1 NIL", "trap"),
        ("T 1", "trap"),
        ("\\a 1", "trap"),
        ("1 (1)", "trap"),
    ];
    table(Opcode::Plus2, &[], &rows);
    table(Opcode::IPlus2, &[], &rows);
    table(Opcode::IPlus2, &[], &[("1.0 1", "trap"), ("1 1.0", "trap")]);
}

#[test]
fn differences() {
    let rows = [
        ("3 2", "1"),
        ("0 1", "-1"),
        ("-65536 1", "-65537"),
        ("-65536 65535", "-131071"),
        ("65535 -1", "65536"),
        ("0 -65536", "65536"),
        ("65536 1", "65535"),
        ("-2147483648 1", "trap"),
        ("2147483647 -1", "trap"),
        ("0 -2147483648", "trap"),
        ("-1 -2147483648", "2147483647"),
        ("NIL 1", "trap"),
        ("1 T", "trap"),
    ];
    table(Opcode::Difference, &[], &rows);
    table(Opcode::IDifference, &[], &rows);
    table(Opcode::IDifference, &[], &[("1.0 1", "trap")]);
}

#[test]
fn products() {
    let rows = [
        ("3 -2", "-6"),
        ("256 256", "65536"),
        ("256 255", "65280"),
        ("-256 256", "-65536"),
        ("65535 -65536", "trap"),
        ("46341 46341", "trap"),
        ("46340 46340", "2147395600"),
        ("-65536 32768", "-2147483648"),
        ("-65536 -32768", "trap"),
        ("-2147483648 1", "-2147483648"),
        ("-2147483648 -1", "trap"),
        ("2147483647 0", "0"),
        ("NIL 1", "trap"),
    ]
    .map(|(operands, result)| match result.contains("trap") {
        true => (operands, "trap"),
        false => (operands, result),
    });
    table(Opcode::Times2, &[], &rows);
    table(Opcode::ITimes2, &[], &rows);
    table(Opcode::ITimes2, &[], &[("1.0 1", "trap")]);
}

#[test]
fn quotients_are_truncated() {
    let rows = [
        ("7 2", "3"),
        ("-7 2", "-3"),
        ("7 -2", "-3"),
        ("-7 -2", "3"),
        ("1 2", "0"),
        ("131072 2", "65536"),
        ("-131072 2", "-65536"),
        ("2147483647 -1", "-2147483647"),
        ("-2147483648 -1", "trap"),
        ("-2147483648 1", "-2147483648"),
        ("1 0", "trap"),
        ("70000 0", "trap"),
        ("70000 box:0", "trap"),
        ("NIL 1", "trap"),
    ];
    table(Opcode::Quotient, &[], &rows);
    table(Opcode::IQuotient, &[], &rows);
    table(Opcode::IQuotient, &[], &[("1.0 1", "trap")]);
}

#[test]
fn remainders_have_the_sign_of_the_dividend() {
    table(
        Opcode::IRemainder,
        &[],
        &[
            ("7 2", "1"),
            ("-7 2", "-1"),
            ("7 -2", "1"),
            ("-7 -2", "-1"),
            ("-70001 70000", "-1"),
            ("-2147483648 -1", "0"),
            ("2147483647 65536", "65535"),
            ("1 0", "trap"),
            ("70000 0", "trap"),
            ("1.0 1", "trap"),
        ],
    );
}

#[test]
fn a_byte_is_added_or_subtracted() {
    let plus = [
        ("1", "256"),
        ("-255", "0"),
        ("-256", "-1"),
        ("65280", "65535"),
        ("65281", "65536"),
        ("-65791", "-65536"),
        ("-65792", "-65537"),
        ("2147483392", "2147483647"),
        ("2147483393", "trap"),
        ("1.0", "trap"),
        ("NIL", "trap"),
    ];
    table(Opcode::IPlusN, &[255], &plus);
    let minus = [
        ("1", "-254"),
        ("255", "0"),
        ("-65281", "-65536"),
        ("-65282", "-65537"),
        ("65790", "65535"),
        ("65791", "65536"),
        ("-2147483393", "-2147483648"),
        ("-2147483394", "trap"),
        ("1.0", "trap"),
        ("NIL", "trap"),
    ];
    table(Opcode::IDifferenceN, &[255], &minus);
    // Zero makes a box small.
    table(Opcode::IPlusN, &[0], &[("box:5", "5"), ("5", "5")]);
    table(Opcode::IDifferenceN, &[0], &[("box:5", "5")]);
}

#[test]
fn shifts_by_a_fixed_amount_lose_bits() {
    table(
        Opcode::Llsh1,
        &[],
        &[
            ("1", "2"),
            ("-1", "-2"),
            ("32767", "65534"),
            ("32768", "65536"),
            ("-32768", "-65536"),
            ("-32769", "-65538"),
            ("1073741824", "-2147483648"),
            ("-2147483648", "0"),
            ("-1073741825", "2147483646"),
            ("1.0", "trap"),
            ("NIL", "trap"),
        ],
    );
    table(
        Opcode::Llsh8,
        &[],
        &[
            ("1", "256"),
            ("255", "65280"),
            ("256", "65536"),
            ("-256", "-65536"),
            ("65535", "16776960"),
            ("16777216", "0"),
            ("8388608", "-2147483648"),
            ("NIL", "trap"),
        ],
    );
    table(
        Opcode::Lrsh1,
        &[],
        &[
            ("3", "1"),
            ("0", "0"),
            ("-1", "2147483647"),
            ("-2147483648", "1073741824"),
            ("131071", "65535"),
            ("131072", "65536"),
            ("NIL", "trap"),
        ],
    );
    table(
        Opcode::Lrsh8,
        &[],
        &[
            ("511", "1"),
            ("-1", "16777215"),
            ("16777215", "65535"),
            ("16777216", "65536"),
            ("1.0", "trap"),
        ],
    );
}

#[test]
fn shifts_keep_significant_bits() {
    table(
        Opcode::Lsh,
        &[],
        &[
            ("1 4", "16"),
            ("-1 4", "-16"),
            ("1 16", "65536"),
            ("1 30", "1073741824"),
            ("1 31", "trap"),
            ("-1 31", "-2147483648"),
            ("0 31", "0"),
            ("1 32", "trap"),
            ("0 32", "trap"),
            ("65535 15", "2147450880"),
            ("65535 16", "trap"),
            ("70000 2", "280000"),
            ("70000 15", "trap"),
            ("-70000 15", "trap"),
            ("16 -4", "1"),
            ("-16 -4", "-1"),
            ("-17 -4", "-2"),
            ("-2147483648 -31", "-1"),
            ("2147483647 -31", "0"),
            ("1 -32", "trap"),
            ("70000 -1", "35000"),
            ("-2147483648 -2147483648", "trap"),
            ("1 70000", "trap"),
            ("5 0", "5"),
            ("box:5 0", "box:5"),
            ("70000 0", "70000"),
            ("70000 box:0", "70000"),
            ("1.0 0", "trap"),
            ("NIL 1", "trap"),
            ("1 NIL", "trap"),
        ],
    );
}

#[test]
fn bitwise_operations() {
    let bad = [("1 1.0", "trap"), ("NIL 1", "trap"), ("1 \\a", "trap")];
    table(
        Opcode::LogAnd2,
        &[],
        &[
            ("12 10", "8"),
            ("-1 65535", "65535"),
            ("-65536 65535", "0"),
            ("-65536 -2", "-65536"),
            ("2147483647 -1", "2147483647"),
            ("131071 -65536", "65536"),
        ],
    );
    table(
        Opcode::LogOr2,
        &[],
        &[
            ("12 10", "14"),
            ("-65536 65535", "-1"),
            ("65536 65535", "131071"),
            ("-2147483648 1", "-2147483647"),
        ],
    );
    table(
        Opcode::LogXor2,
        &[],
        &[
            ("12 10", "6"),
            ("-65536 65535", "-1"),
            ("-1 -1", "0"),
            ("65536 1", "65537"),
            ("2147483647 -2147483648", "-1"),
        ],
    );
    for opcode in [Opcode::LogAnd2, Opcode::LogOr2, Opcode::LogXor2] {
        table(opcode, &[], &bad);
    }
}

#[test]
fn numbers_from_halves() {
    table(
        Opcode::MakeNumber,
        &[],
        &[
            ("0 5", "5"),
            ("0 65535", "65535"),
            ("1 0", "65536"),
            ("65535 65535", "-1"),
            ("65535 0", "-65536"),
            ("65534 65535", "-65537"),
            ("32768 0", "-2147483648"),
            ("-1 0", "trap"),
            ("0 -1", "trap"),
            ("0 box:5", "trap"),
            ("NIL 0", "trap"),
        ],
    );
}

#[test]
fn boxes_are_changed_in_place() {
    fn run<G: Generation>() {
        let rows = [
            (Opcode::BoxIPlus, 5, "3", 8),
            (Opcode::BoxIPlus, i32::MAX, "1", i32::MIN),
            (Opcode::BoxIPlus, 0, "-2147483648", i32::MIN),
            (Opcode::BoxIDifference, 5, "70000", -69995),
            (Opcode::BoxIDifference, i32::MIN, "1", i32::MAX),
        ];
        with_interpreter::<G>(|m| {
            for (opcode, old, operand, new) in rows {
                let target = read(m, &format!("box:{old}"))[0];
                let operand = read(m, operand)[0];
                let ended = execute(m, &[opcode as u8], &[target, operand]);
                assert_eq!(ended, Ended::Done(vec![target]));
                assert_eq!(m.mem.cell(target).0 as i32, new);
            }
        });
    }
    for_both!(run);
    let bad = [
        ("5 1", "trap"),
        ("1.0 1", "trap"),
        ("box:5 NIL", "trap"),
        ("70000 1.0", "trap"),
    ];
    table(Opcode::BoxIPlus, &[], &bad);
    table(Opcode::BoxIDifference, &[], &bad);
}

/// Integers near the places where representations change.
fn integer() -> impl Strategy<Value = i32> {
    let edges = [0, 0xFFFF, -0x1_0000, i32::MAX, i32::MIN, 0x100, 0x8000];
    let near = (0..edges.len(), -3..=3).prop_map(move |(n, d)| edges[n].wrapping_add(d));
    prop_oneof![near, -0x2_0000..0x2_0000, any::<i32>()]
}

/// An operation without limits, and its instructions.
type Model = (fn(i64, i64) -> Option<i64>, [Opcode; 2]);

#[test]
fn integer_operations_are_exact_or_trap() {
    fn run<G: Generation>() {
        let models: [Model; 8] = [
            (|a, b| Some(a + b), [Opcode::Plus2, Opcode::IPlus2]),
            (
                |a, b| Some(a - b),
                [Opcode::Difference, Opcode::IDifference],
            ),
            (|a, b| Some(a * b), [Opcode::Times2, Opcode::ITimes2]),
            (i64::checked_div, [Opcode::Quotient, Opcode::IQuotient]),
            (i64::checked_rem, [Opcode::IRemainder; 2]),
            (|a, b| Some(a & b), [Opcode::LogAnd2; 2]),
            (|a, b| Some(a | b), [Opcode::LogOr2; 2]),
            (|a, b| Some(a ^ b), [Opcode::LogXor2; 2]),
        ];
        with_interpreter::<G>(|m| {
            let m = std::cell::RefCell::new(m);
            let strategy = (integer(), integer(), 0..models.len(), any::<bool>());
            let test = |(a, b, model, boxed): (i32, i32, usize, bool)| {
                let m = &mut **m.borrow_mut();
                let (meaning, opcodes) = models[model];
                let result = meaning(a.into(), b.into()).and_then(|n| i32::try_from(n).ok());
                let prefix = if boxed { "box:" } else { "" };
                let stack = read(m, &format!("{prefix}{a} {b}"));
                for opcode in opcodes {
                    let ended = execute(m, &[opcode as u8], &stack);
                    match result {
                        Some(n) => {
                            let Ended::Done(after) = ended else {
                                panic!("{opcode} trapped");
                            };
                            prop_assert_eq!(print(m, &after), n.to_string());
                        }
                        None => prop_assert_eq!(ended, Ended::Trapped(stack.clone())),
                    }
                }
                Ok(())
            };
            TestRunner::default().run(&strategy, test).unwrap();
        });
    }
    for_both!(run);
}
