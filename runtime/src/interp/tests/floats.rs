use super::harness::{Ended, execute, for_both, read, table, with_interpreter};
use crate::isa::Opcode;
use crate::isa::sub_opcodes::{UbFloat1, UbFloat2, UbFloat3};
use crate::layout::Generation;
use crate::memory::LispPtr;

/// What all four operations refuse.
const BAD: [(&str, &str); 7] = [
    ("1.0 NIL", "trap"),
    ("T 1.0", "trap"),
    ("\\a 1.0", "trap"),
    ("(1.0) 1.0", "trap"),
    ("NaN 1.0", "trap"),
    ("1.0 NaN", "trap"),
    ("inf 1.0", "trap"),
];

#[test]
fn sums() {
    let rows = [
        ("1.5 2.25", "3.75"),
        ("1 0.5", "1.5"),
        ("0.5 -70000", "-69999.5"),
        ("16777216.0 1.0", "16777216.0"),
        ("16777217 0.0", "16777216.0"),
        ("1.0 -1.0", "0.0"),
        ("-0.0 -0.0", "-0.0"),
        ("3e38 3e38", "trap"),
        ("1e-45 0.0", "1e-45"),
    ];
    table(Opcode::FPlus2, &[], &rows);
    table(Opcode::Plus2, &[], &rows);
    table(Opcode::FPlus2, &[], &[("1 2", "3.0"), ("box:5 1", "6.0")]);
    table(Opcode::FPlus2, &[], &BAD);
    table(Opcode::Plus2, &[], &BAD);
}

#[test]
fn differences() {
    let rows = [
        ("1.5 2.25", "-0.75"),
        ("1 0.5", "0.5"),
        ("0.5 70000", "-69999.5"),
        ("-3e38 3e38", "trap"),
    ];
    table(Opcode::FDifference, &[], &rows);
    table(Opcode::Difference, &[], &rows);
    table(Opcode::FDifference, &[], &[("1 2", "-1.0")]);
    table(Opcode::FDifference, &[], &BAD);
    table(Opcode::Difference, &[], &BAD);
}

#[test]
fn products() {
    let rows = [
        ("1.5 2.5", "3.75"),
        ("-2 0.5", "-1.0"),
        ("70000 0.5", "35000.0"),
        ("0.0 -1", "-0.0"),
        ("1e20 1e20", "trap"),
        ("1e-30 1e-30", "0.0"),
    ];
    table(Opcode::FTimes2, &[], &rows);
    table(Opcode::Times2, &[], &rows);
    table(Opcode::FTimes2, &[], &[("65536 65536", "4294967300.0")]);
    table(Opcode::FTimes2, &[], &BAD);
    table(Opcode::Times2, &[], &BAD);
}

#[test]
fn quotients() {
    let rows = [
        ("1.0 4.0", "0.25"),
        ("1 4.0", "0.25"),
        ("1.0 3", "0.33333334"),
        ("1.0 0.0", "trap"),
        ("1.0 0", "trap"),
        ("0.0 0.0", "trap"),
        ("0.0 5", "0.0"),
        ("1e38 1e-38", "trap"),
    ];
    table(Opcode::FQuotient, &[], &rows);
    table(Opcode::Quotient, &[], &rows);
    table(Opcode::FQuotient, &[], &[("7 2", "3.5"), ("1 0", "trap")]);
    table(Opcode::FQuotient, &[], &BAD[..6]);
    table(Opcode::Quotient, &[], &BAD[..6]);
}

#[test]
fn raw_floats_one_operand() {
    let of = |sub: UbFloat1, rows: &[(&str, &str)]| table(Opcode::UbFloat1, &[sub as u8], rows);
    of(
        UbFloat1::Box,
        &[
            ("~1.5", "1.5"),
            ("~-0.0", "-0.0"),
            ("~inf", "inf"),
            ("~NaN", "NaN"),
        ],
    );
    of(
        UbFloat1::Unbox,
        &[
            ("1.5", "0x3fc00000"),
            ("-0.0", "0x80000000"),
            ("1", "0x3f800000"),
            ("-70000", "0xc788b800"),
            ("2147483647", "0x4f000000"),
            ("inf", "0x7f800000"),
            ("NIL", "trap"),
            ("(1)", "trap"),
        ],
    );
    of(
        UbFloat1::Abs,
        &[
            ("~-1.5", "0x3fc00000"),
            ("~1.5", "0x3fc00000"),
            ("~-inf", "0x7f800000"),
        ],
    );
    of(
        UbFloat1::Negate,
        &[
            ("~1.5", "0xbfc00000"),
            ("~-1.5", "0x3fc00000"),
            ("~0.0", "0x80000000"),
        ],
    );
    of(
        UbFloat1::Fix,
        &[("~1.5", "trap"), ("~2147483648.0", "trap")],
    );
    table(Opcode::UbFloat1, &[5], &[("~1.0", "trap")]);
    table(Opcode::UbFloat1, &[255], &[("~1.0", "trap")]);
}

#[test]
fn raw_floats_two_operands() {
    fn run<G: Generation>() {
        use UbFloat2::{Add, Div, Great, InverseSub, Max, Min, Mult, Rem, Sub};
        let (nan, inf) = (f32::NAN, f32::INFINITY);
        let rows: [(UbFloat2, f32, f32, Option<f32>); 24] = [
            (Add, 1.5, 2.0, Some(3.5)),
            (Add, 3e38, 3e38, None),
            (Add, nan, 1.0, None),
            (Sub, 1.5, 2.0, Some(-0.5)),
            (Sub, inf, inf, None),
            (InverseSub, 1.5, 2.0, Some(0.5)),
            (InverseSub, 1.0, inf, None),
            (Mult, 1.5, 2.0, Some(3.0)),
            (Mult, 1e20, 1e20, None),
            (Div, 1.0, 3.0, Some(1.0 / 3.0)),
            (Div, 1.0, 0.0, None),
            (Rem, 5.5, 2.0, Some(1.5)),
            (Rem, -5.5, 2.0, Some(-1.5)),
            (Rem, 5.5, -2.0, Some(1.5)),
            (Rem, 1.0, inf, Some(1.0)),
            (Rem, 1.0, 0.0, None),
            (Max, 1.0, 2.0, Some(2.0)),
            (Max, 2.0, 1.0, Some(2.0)),
            (Max, -1.0, -2.0, Some(-1.0)),
            (Max, inf, 1.0, Some(inf)),
            // Nothing is greater than a NaN: the second operand is the answer.
            (Max, nan, 1.0, Some(1.0)),
            (Min, 1.0, 2.0, Some(1.0)),
            (Min, 2.0, 1.0, Some(1.0)),
            (Min, 1.0, nan, Some(1.0)),
        ];
        with_interpreter::<G>(|m| {
            let mut run = |sub: u8, a: f32, b: f32| {
                let stack = [a, b].map(|x| LispPtr(x.to_bits()));
                let ended = execute(m, &[Opcode::UbFloat2 as u8, sub], &stack);
                if let Ended::Trapped(after) = &ended {
                    assert_eq!(*after, stack);
                    return None;
                }
                let Ended::Done(after) = ended else {
                    panic!("{ended:?}");
                };
                Some(after)
            };
            for (sub, a, b, expected) in rows {
                let expected = expected.map(|x| vec![LispPtr(x.to_bits())]);
                assert_eq!(run(sub as u8, a, b), expected, "{sub:?} {a} {b}");
            }
            for (a, b, greater) in [(2.0, 1.0, true), (1.0, 1.0, false), (nan, 1.0, false)] {
                let expected = Some(vec![LispPtr::from_bool(greater)]);
                assert_eq!(run(Great as u8, a, b), expected);
            }
            assert_eq!(run(UbFloat2::Aref1 as u8, 1.0, 1.0), None);
            assert_eq!(run(10, 1.0, 1.0), None);
        });
    }
    for_both!(run);
}

#[test]
fn polynomials() {
    fn run<G: Generation>() {
        const COEFFICIENTS: LispPtr = LispPtr(0x21_0000);
        with_interpreter::<G>(|m| {
            for (n, coefficient) in [2.0f32, -3.0, 0.5, 3e38].into_iter().enumerate() {
                let cell = COEFFICIENTS.add(2 * n as u32);
                m.mem.set_cell(cell, LispPtr(coefficient.to_bits()));
            }
            let poly = [Opcode::UbFloat3 as u8, UbFloat3::Poly as u8];
            let mut at = |x: f32, degree: &str| {
                let degree = read(m, degree)[0];
                let stack = [LispPtr(x.to_bits()), COEFFICIENTS, degree];
                match execute(m, &poly, &stack) {
                    Ended::Done(after) => Some(f32::from_bits(after[0].0)),
                    ended => {
                        assert_eq!(ended, Ended::Trapped(stack.to_vec()));
                        None
                    }
                }
            };
            assert_eq!(at(4.0, "0"), Some(2.0));
            assert_eq!(at(4.0, "1"), Some(5.0));
            assert_eq!(at(4.0, "2"), Some(20.5));
            assert_eq!(at(1e20, "3"), None, "not finite");
            assert_eq!(at(4.0, "-1"), None);
            assert_eq!(at(4.0, "box:1"), None);
        });
    }
    for_both!(run);
    for other in [1, 2, 3, 4, 5, 6, 7, 8, 255] {
        table(Opcode::UbFloat3, &[other], &[("~1.0 0x210000 0", "trap")]);
    }
}
