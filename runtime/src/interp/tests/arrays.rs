use super::harness::{Ended, execute, for_both, print, read, with_interpreter};
use crate::isa::Opcode;
use crate::isa::sub_opcodes::{Misc3, Misc4};
use crate::layout::Generation;
use crate::layout::records::{element, types};
use crate::machine::Machine;
use crate::memory::LispPtr;
use crate::testing::declare_type;

/// Storage of the arrays.
const BASE: LispPtr = LispPtr(0x21_0000);

/// For each element type: values that fit and values that do not.
const STORES: [(u16, &[&str], &[&str]); 10] = [
    (
        element::BIT,
        &["0", "1", "box:1"],
        &["2", "-1", "\\a", "NIL", "1.0"],
    ),
    (
        element::UNSIGNED_8,
        &["0", "255", "box:7"],
        &["256", "-1", "-256", "70000", "\\a", "A", "1.0"],
    ),
    (
        element::UNSIGNED_16,
        &["0", "32768", "65535", "box:7"],
        &["65536", "-1", "-65536", "A", "1.0"],
    ),
    (
        element::SIGNED_16,
        &["0", "32767", "-1", "-32768", "box:-7"],
        &["32768", "-32769", "-65536", "65535", "70000", "\\a", "1.0"],
    ),
    (
        element::SIGNED_32,
        &[
            "0",
            "-1",
            "-65536",
            "-65537",
            "65535",
            "65536",
            "2147483647",
            "-2147483648",
            "box:7",
        ],
        &["1.0", "\\a", "NIL"],
    ),
    (
        element::POINTER,
        &[
            "A",
            "NIL",
            "5",
            "-5",
            "70000",
            "(A B)",
            "\\a",
            "1.5",
            "0xfedcba98",
        ],
        &[],
    ),
    (
        element::FLOAT,
        &["0.0", "-0.0", "1.5", "inf", "NaN"],
        &["1", "70000", "NIL"],
    ),
    (
        element::CHARACTER_8,
        &["\\a", "\\Z"],
        &["0x70100", "97", "A", "NIL"],
    ),
    (
        element::CHARACTER_16,
        &["\\a", "0x70100", "0x7ffff"],
        &["97", "0x60061", "NIL"],
    ),
    (
        element::XPOINTER,
        &["A", "NIL", "5", "(A B)", "0xfedcba98"],
        &[],
    ),
];

/// What an element that was stored reads as: integers lose their boxes.
fn canonical(value: &str) -> &str {
    value.strip_prefix("box:").unwrap_or(value)
}

fn small(n: u32) -> LispPtr {
    LispPtr::smallpos(n as u16)
}

/// Stores and fetches with the given instructions. `place` makes the operands of
/// the element with an index, but for the value.
fn stores_and_fetches<G: Generation>(
    m: &mut Machine<'_, G>,
    fetch: &[u8],
    store: &[u8],
    place: impl Fn(&mut Machine<'_, G>, u16, u32) -> Vec<LispPtr>,
) {
    for (kind, fits, fails) in STORES {
        for cell in 0..100 {
            m.mem.set_cell(BASE.add(2 * cell), LispPtr::NIL);
        }
        for (index, text) in (0u32..).step_by(3).zip(fits) {
            let at = place(m, kind, index);
            let before = neighbours(m, fetch, kind, &place, index);
            let raw = matches!(kind, element::POINTER | element::XPOINTER);
            let value = read(m, text)[0];
            let stack = [&[value][..], &at].concat();
            let ended = execute(m, store, &stack);
            assert_eq!(ended, Ended::Done(vec![value]), "type {kind}: store {text}");
            let Ended::Done(got) = execute(m, fetch, &at) else {
                panic!("type {kind}: fetch {text} trapped");
            };
            if raw {
                assert_eq!(got, [value], "type {kind}");
            } else {
                assert_eq!(print(m, &got), canonical(text), "type {kind}");
            }
            let after = neighbours(m, fetch, kind, &place, index);
            assert_eq!(before, after, "type {kind}: neighbours of {index}");
        }
        for text in fails {
            let at = place(m, kind, 1);
            let value = read(m, text)[0];
            let stack = [&[value][..], &at].concat();
            let ended = execute(m, store, &stack);
            assert_eq!(ended, Ended::Trapped(stack), "type {kind}: store {text}");
        }
    }
    // Types that do not exist.
    for kind in [1, 2, 5, 6, 0x13, 0x15, 0x27, 0x37, 0x42, 0x45, 0x66, 0xFF] {
        let at = place(m, kind, 0);
        assert_eq!(execute(m, fetch, &at), Ended::Trapped(at.clone()), "{kind}");
        let stack = [&[small(0)][..], &at].concat();
        assert_eq!(execute(m, store, &stack), Ended::Trapped(stack), "{kind}");
    }
}

/// The elements before and behind one.
fn neighbours<G: Generation>(
    m: &mut Machine<'_, G>,
    fetch: &[u8],
    kind: u16,
    place: &impl Fn(&mut Machine<'_, G>, u16, u32) -> Vec<LispPtr>,
    index: u32,
) -> Vec<String> {
    [index.wrapping_sub(1), index + 1]
        .into_iter()
        .filter(|&index| index < u32::MAX)
        .map(|index| {
            let at = place(m, kind, index);
            let Ended::Done(got) = execute(m, fetch, &at) else {
                panic!("trapped");
            };
            print(m, &got)
        })
        .collect()
}

/// The header of a one-dimensional array at `BASE`.
fn vector<G: Generation>(m: &mut Machine<'_, G>, kind: u16, offset: u16, size: u32) -> LispPtr {
    let array = m.create_cell(types::ONED_ARRAY).expect("declared");
    m.mem.set_cell(array, LispPtr(BASE.0 | 1 << 31));
    m.mem.set_word(array.add(2), 0x5A00 | kind);
    m.mem.set_word(array.add(3), offset);
    set_size(m, array.add(G::ARRAY_FIELDS.total_size), size);
    array
}

fn set_size<G: Generation>(m: &Machine<'_, G>, at: LispPtr, size: u32) {
    if G::ARRAY_FIELDS.wide {
        m.mem.set_cell(at, LispPtr(size));
    } else {
        m.mem.set_word(at, size as u16);
    }
}

/// The header of a two-dimensional array at `BASE`.
fn matrix<G: Generation>(m: &mut Machine<'_, G>, kind: u16, bounds: [u32; 2]) -> LispPtr {
    declare_type(m, types::TWOD_ARRAY, 10, &[]);
    let array = m.create_cell(types::TWOD_ARRAY).expect("declared");
    m.mem.set_cell(array, BASE);
    m.mem.set_word(array.add(2), kind);
    set_size(m, array.add(G::ARRAY_FIELDS.bound0), bounds[0]);
    set_size(m, array.add(G::ARRAY_FIELDS.bound1), bounds[1]);
    array
}

#[test]
fn vectors() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            let (fetch, store) = ([Opcode::Aref1 as u8], [Opcode::Aset1 as u8]);
            for offset in [0, 5] {
                stores_and_fetches(m, &fetch, &store, |m, kind, index| {
                    vec![vector(m, kind, offset, 100), small(index)]
                });
            }
        });
    }
    for_both!(run);
}

#[test]
fn matrices() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            let (fetch, store) = ([Opcode::Aref2 as u8], [Opcode::Aset2 as u8]);
            stores_and_fetches(m, &fetch, &store, |m, kind, index| {
                let array = matrix(m, kind, [5, 7]);
                vec![array, small(index / 7), small(index % 7)]
            });
        });
    }
    for_both!(run);
}

#[test]
fn raw_storage() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            let fetch = [Opcode::Misc3 as u8, Misc3::ArrayRead as u8];
            let store = [Opcode::Misc4 as u8, Misc4::ArrayWrite as u8];
            stores_and_fetches(m, &fetch, &store, |_, kind, index| {
                vec![BASE, small(kind.into()), small(index)]
            });
            // Other sub-opcodes, and operands that are no indexes.
            let one = small(1);
            let bytes = small(element::UNSIGNED_8.into());
            let [boxed, negative, float] = [0, 1, 2].map(|n| read(m, "box:1 -1 1.0")[n]);
            let stack = [BASE, bytes, one];
            let ended = execute(m, &[fetch[0], 8], &stack);
            assert_eq!(ended, Ended::Trapped(stack.to_vec()));
            let stack = [one, BASE, bytes, one];
            let ended = execute(m, &[store[0], 8], &stack);
            assert_eq!(ended, Ended::Trapped(stack.to_vec()));
            assert_eq!(execute(m, &store, &stack), Ended::Done(vec![one]));
            let stack = [BASE, bytes, boxed];
            assert_eq!(execute(m, &fetch, &stack), Ended::Done(vec![one]));
            for bad in [negative, float, LispPtr::NIL] {
                for stack in [[BASE, bytes, bad], [BASE, bad, one]] {
                    let ended = execute(m, &fetch, &stack);
                    assert_eq!(ended, Ended::Trapped(stack.to_vec()));
                }
            }
        });
    }
    for_both!(run);
}

#[test]
fn elements_lie_at_their_places() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            m.mem.set_cell(BASE, LispPtr(0x8041_FF02));
            m.mem.set_cell(BASE.add(2), LispPtr(0x3FC0_0000));
            for (kind, index, text) in [
                (element::BIT, 0, "1"),
                (element::BIT, 1, "0"),
                (element::BIT, 9, "1"),
                (element::BIT, 15, "1"),
                (element::BIT, 30, "1"),
                (element::UNSIGNED_8, 1, "65"),
                (element::UNSIGNED_8, 2, "255"),
                (element::UNSIGNED_16, 1, "65282"),
                (element::SIGNED_16, 0, "-32703"),
                (element::SIGNED_16, 1, "-254"),
                (element::SIGNED_32, 0, "-2143158526"),
                (element::CHARACTER_8, 1, "\\A"),
                (element::CHARACTER_16, 1, "0x7ff02"),
                (element::FLOAT, 1, "1.5"),
                (element::POINTER, 0, "0x8041ff02"),
            ] {
                let array = vector(m, kind, 0, 100);
                let ended = execute(m, &[Opcode::Aref1 as u8], &[array, small(index)]);
                let Ended::Done(got) = ended else {
                    panic!("trapped");
                };
                assert_eq!(print(m, &got), text, "type {kind} element {index}");
            }
        });
    }
    for_both!(run);
}

#[test]
fn indexes_are_checked() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            let array = vector(m, element::UNSIGNED_8, 3, 10);
            for (index, fits) in [
                ("0", true),
                ("9", true),
                ("box:9", true),
                ("10", false),
                ("-1", false),
                ("70000", false),
                ("-70000", false),
                ("-2147483648", false),
                ("1.0", false),
                ("NIL", false),
                ("\\a", false),
            ] {
                let index = read(m, index)[0];
                let stack = [array, index];
                let ended = execute(m, &[Opcode::Aref1 as u8], &stack);
                let trapped = Ended::Trapped(stack.to_vec());
                assert_eq!(ended != trapped, fits, "{index:?}");
                let stack = [small(1), array, index];
                let ended = execute(m, &[Opcode::Aset1 as u8], &stack);
                let trapped = Ended::Trapped(stack.to_vec());
                assert_eq!(ended != trapped, fits, "{index:?}");
            }
            let matrix = matrix(m, element::UNSIGNED_8, [3, 4]);
            for (indexes, fits) in [
                ("0 0", true),
                ("2 3", true),
                ("box:2 box:3", true),
                ("3 0", false),
                ("0 4", false),
                ("-1 0", false),
                ("0 -1", false),
                ("0 1.0", false),
                ("NIL 0", false),
            ] {
                let indexes = read(m, indexes);
                let stack = [&[matrix][..], &indexes].concat();
                let ended = execute(m, &[Opcode::Aref2 as u8], &stack);
                assert_eq!(ended != Ended::Trapped(stack), fits, "{indexes:?}");
                let stack = [&[small(1), matrix][..], &indexes].concat();
                let ended = execute(m, &[Opcode::Aset2 as u8], &stack);
                assert_eq!(ended != Ended::Trapped(stack), fits, "{indexes:?}");
            }
            // Other objects are not arrays, and arrays not those of the other kind.
            for object in [LispPtr::NIL, small(5), BASE, matrix] {
                let stack = [object, small(0)];
                let ended = execute(m, &[Opcode::Aref1 as u8], &stack);
                assert_eq!(ended, Ended::Trapped(stack.to_vec()));
            }
            let stack = [array, small(0), small(0)];
            let ended = execute(m, &[Opcode::Aref2 as u8], &stack);
            assert_eq!(ended, Ended::Trapped(stack.to_vec()));
        });
    }
    for_both!(run);
}

#[test]
fn pointers_in_arrays_are_counted() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            for (kind, counted) in [(element::POINTER, true), (element::XPOINTER, false)] {
                let array = vector(m, kind, 0, 10);
                let lists = [0, 1].map(|n| read(m, "(A) (B)")[n]);
                m.mem.set_cell(BASE, LispPtr::NIL);
                for list in lists {
                    let stack = [list, array, small(0)];
                    execute(m, &[Opcode::Aset1 as u8], &stack);
                }
                // The first list has been replaced, the second is there.
                m.add_ref(lists[0]);
                assert_eq!(m.del_ref(lists[0]), Some(lists[0]));
                m.add_ref(lists[1]);
                assert_eq!(m.del_ref(lists[1]).is_none(), counted);
            }
        });
    }
    for_both!(run);
}
