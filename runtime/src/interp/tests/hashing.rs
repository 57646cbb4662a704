use super::harness::{Ended, execute, for_both, read, table, with_interpreter};
use crate::isa::Opcode;
use crate::isa::sub_opcodes::Miscn;
use crate::layout::records::{array_flag, element, types};
use crate::layout::{Generation, SymbolCell};
use crate::machine::Machine;
use crate::memory::LispPtr;
use crate::testing::declare_type;

/// Where strings are put.
const TEXT: LispPtr = LispPtr(0x21_0000);

fn sub(sub: Miscn) -> [u8; 2] {
    [sub as u8, 1]
}

/// The hash code of an object; `None` if it is left to Lisp.
fn hash<G: Generation>(m: &mut Machine<'_, G>, kind: Miscn, object: LispPtr) -> Option<u16> {
    let code = [&[Opcode::Miscn as u8], &sub(kind)[..]].concat();
    match execute(m, &code, &[object]) {
        Ended::Done(after) => {
            assert_eq!(after, [LispPtr::smallpos(after[0].lo())]);
            Some(after[0].lo())
        }
        ended => {
            assert_eq!(ended, Ended::Trapped(vec![object]));
            None
        }
    }
}

/// A one-dimensional array over `TEXT`.
fn array<G: Generation>(m: &mut Machine<'_, G>, kind: u16, offset: u16, fill: u32) -> LispPtr {
    let array = m.create_cell(types::ONED_ARRAY).expect("declared");
    m.mem.set_cell(array, TEXT);
    m.mem.set_word(array.add(2), kind);
    m.mem.set_word(array.add(3), offset);
    let at = array.add(G::ARRAY_FIELDS.fill_pointer);
    if G::ARRAY_FIELDS.wide {
        m.mem.set_cell(at, LispPtr(fill));
    } else {
        m.mem.set_word(at, fill as u16);
    }
    array
}

/// A string with 8-bit or 16-bit characters, some way into its storage.
fn string<G: Generation>(m: &mut Machine<'_, G>, text: &str, fat: bool) -> LispPtr {
    const OFFSET: u16 = 3;
    for (n, byte) in (u32::from(OFFSET)..).zip(text.bytes()) {
        if fat {
            m.mem.set_word(TEXT.add(n), byte.into());
        } else {
            m.mem.set_byte(TEXT, n as i32, byte);
        }
    }
    let kind = if fat {
        element::CHARACTER_16
    } else {
        element::CHARACTER_8
    };
    array(m, array_flag::STRING | kind, OFFSET, text.len() as u32)
}

#[test]
fn hash_codes_of_numbers_and_symbols() {
    table(
        Opcode::Miscn,
        &sub(Miscn::SxHash),
        &[
            ("0", "0"),
            ("65535", "65535"),
            ("-1", "65535"),
            ("-65536", "0"),
            ("70000", "4464"),
            ("-70000", "61072"),
            ("1.5", "16320"),
            ("NIL", "0"),
            ("T", "608"),
            ("\\a", "783"),
            ("(1 2 3)", "33184"),
            ("(1 2 . 5)", "16640"),
            ("(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)", "26759"),
        ],
    );
}

#[test]
fn hash_codes_of_strings() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            // Values are Medley's own.
            for (text, sxhash, exact, folded) in [
                ("", 0, 0, 0),
                ("a", 12416, 97, 97),
                ("abc", 48568, 26566, 26566),
                ("ABC", 0, 998, 26566),
                ("Hello, world of hashing", 37839, 0, 0),
                ("Hello, world ", 37839, 0, 0),
                ("The quick brown fox jumps over the lazy dog", 0, 64909, 0),
            ] {
                for fat in [false, true] {
                    let string = string(m, text, fat);
                    for (kind, expected) in [
                        (Miscn::SxHash, sxhash),
                        (Miscn::StringHashBits, exact),
                        (Miscn::StringEqualHashBits, folded),
                    ] {
                        // A 0 stands for what is not known.
                        let got = hash(m, kind, string);
                        assert!(
                            got == Some(expected) || expected == 0 && !text.is_empty(),
                            "{text} {kind:?}: {got:?}"
                        );
                    }
                }
            }
            let string = string(m, "abc", false);
            let three = LispPtr::smallpos(3);
            let inner = [1, 2].map(LispPtr::smallpos);
            let list = |m: &mut Machine<'_, G>, items: &[LispPtr]| {
                items
                    .iter()
                    .rev()
                    .fold(LispPtr::NIL, |rest, &item| m.cons(item, rest))
            };
            let first = list(m, &inner);
            let second = list(m, &[string, three]);
            let whole = list(m, &[first, second, LispPtr::smallpos(4)]);
            assert_eq!(hash(m, Miscn::SxHash, whole), Some(43443));
        });
    }
    for_both!(run);
}

#[test]
fn hash_codes_of_names() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            let symbol = LispPtr(500);
            let cell = G::symbol_cell(symbol, SymbolCell::PrintName);
            m.mem
                .set_cell(cell, LispPtr(TEXT.0 | 0x1100_0000 & !G::POINTER_MASK));
            for (n, byte) in b"\x04ABCD".iter().enumerate() {
                m.mem.set_byte(TEXT, n as i32, *byte);
            }
            assert_eq!(hash(m, Miscn::StringHashBits, symbol), Some(37314));
            let exact = string(m, "abcd", false);
            let exact = hash(m, Miscn::StringHashBits, exact);
            for (n, byte) in b"\x04ABCD".iter().enumerate() {
                m.mem.set_byte(TEXT, n as i32, *byte);
            }
            assert_eq!(hash(m, Miscn::StringEqualHashBits, symbol), exact);
            // The same name in 16-bit characters.
            let kind = G::symbol_cell(symbol, SymbolCell::NameKind);
            m.mem.set_cell(kind, LispPtr(G::FAT_NAME));
            m.mem.set_byte(TEXT, 1, 0);
            for (n, byte) in (1..).zip(b"ABCD") {
                m.mem.set_word(TEXT.add(n), u16::from(*byte));
            }
            assert_eq!(hash(m, Miscn::StringHashBits, symbol), Some(37314));
        });
    }
    for_both!(run);
    // Other objects go by their addresses.
    table(
        Opcode::Miscn,
        &sub(Miscn::StringHashBits),
        &[("5", "38"), ("\\a", "783"), ("-1", "65416")],
    );
}

#[test]
fn hash_codes_of_arrays_that_are_no_strings() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            m.mem.set_cell(TEXT, LispPtr(0xB38F_1234));
            for (offset, fill, expected) in [
                (0, 0, 0),
                (0, 4, 0xB),
                (0, 15, 0xB38F >> 1),
                (0, 16, 0xB38F),
                (0, 100, 0xB38F),
                (4, 36, 0x38F1),
                (4, 8, 0x3),
                (16, 40, 0x1234),
            ] {
                let bits = array(m, array_flag::BIT | element::BIT, offset, fill);
                let got = hash(m, Miscn::SxHash, bits);
                assert_eq!(got, Some(expected), "{offset} {fill}");
            }
            // Characters that do not make a string, and other vectors.
            for kind in [element::CHARACTER_8, element::POINTER] {
                let array = array(m, kind, 0, 10);
                let by_address = hash(m, Miscn::SxHash, array);
                assert_eq!(hash(m, Miscn::StringHashBits, array), by_address);
                let x = array.0;
                let expected = x >> 16 ^ ((x & 0x1FFF) << 3 ^ x >> 9 & 0x7F);
                assert_eq!(by_address, Some(expected as u16));
            }
        });
    }
    for_both!(run);
}

#[test]
fn hash_codes_of_records() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            let record = |m: &mut Machine<'_, G>, number, fields: &str| {
                declare_type(m, number, 12, &[]);
                let record = m.create_cell(number).unwrap();
                for (n, field) in (0..).zip(read(m, fields)) {
                    m.mem.set_cell(record.add(2 * n), field);
                }
                record
            };
            for (number, fields, expected) in [
                (types::RATIO, "3 4", 7),
                (types::COMPLEX, "3 4", 7),
                (types::COMPLEX, "1.5 1.5", 0),
                (types::BIGNUM, "(1 2 3)", 0x2001),
                (types::BIGNUM, "(65535 17)", 0x0FFF),
                (types::BIGNUM, "(7)", 7),
                (types::BIGNUM, "NIL", 0),
                // Host, device, directory, name, type, version.
                (types::PATHNAME, "100 200 300 400 500 600", 50740),
                (types::PATHNAME, "1 2 NIL NIL NIL NIL", 3 << (5 * 7 % 16)),
            ] {
                let object = record(m, number, fields);
                assert_eq!(hash(m, Miscn::SxHash, object), Some(expected), "{fields}");
            }
        });
    }
    for_both!(run);
}

#[test]
fn endless_objects_are_left_to_lisp() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            let list = read(m, "(A B)")[0];
            m.rplaca(list, list);
            assert_eq!(hash(m, Miscn::SxHash, list), None, "endlessly deep");
            m.rplacd(list, list);
            assert_eq!(hash(m, Miscn::SxHash, list), None, "wide as well");
            m.rplaca(list, LispPtr::smallpos(1));
            assert!(hash(m, Miscn::SxHash, list).is_some(), "only long");
            let deep = (0..400).fold(LispPtr::NIL, |list, _| m.cons(list, LispPtr::NIL));
            assert_eq!(hash(m, Miscn::SxHash, deep), Some(0));
        });
    }
    for_both!(run);
}
