use super::harness::{Ended, execute, for_both, print, read, table, with_interpreter};
use crate::isa::Opcode;
use crate::layout::records::types;
use crate::layout::{Generation, Medley2, Medley3, SymbolCell};
use crate::machine::Machine;
use crate::memory::LispPtr;
use crate::testing::declare_type;

/// Memory that the tests store in.
const BASE: LispPtr = LispPtr(0x21_0000);

/// Runs an instruction with `BASE` as the first operand.
fn at_base<G: Generation>(m: &mut Machine<'_, G>, code: &[u8], others: &[LispPtr]) -> Ended {
    execute(m, code, &[&[BASE], others].concat())
}

fn small(n: i32) -> LispPtr {
    LispPtr::small(n).unwrap()
}

#[test]
fn loads() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            m.mem.set_cell(BASE, LispPtr(0x1234_5678));
            m.mem.set_cell(BASE.add(254), LispPtr(0xF765_4321));
            let word = |n| Ended::Done(vec![LispPtr::smallpos(n)]);
            let (bits, base) = (Opcode::GetBitsNFd as u8, Opcode::GetBaseN as u8);
            for (code, expected) in [
                (vec![base, 0], 0x1234),
                (vec![base, 1], 0x5678),
                (vec![base, 255], 0x4321),
                (vec![bits, 0, 0x0F], 0x1234),
                (vec![bits, 0, 0x00], 0),
                (vec![bits, 0, 0x30], 1),
                (vec![bits, 1, 0x13], 0xA),
                (vec![bits, 1, 0x87], 0x78),
                (vec![bits, 254, 0xF0], 1),
            ] {
                assert_eq!(at_base(m, &code, &[]), word(expected), "{code:?}");
            }
            let pointer = at_base(m, &[Opcode::GetBasePtrN as u8, 254], &[]);
            let expected = LispPtr(0xF765_4321 & G::POINTER_MASK);
            assert_eq!(pointer, Ended::Done(vec![expected]));
            // Bits above the pointer do not count.
            let high = LispPtr(BASE.0 | 1 << 31);
            let ended = execute(m, &[Opcode::GetBaseN as u8, 0], &[high]);
            assert_eq!(ended, word(0x1234));
            for (offset, byte) in [(0, 0x12), (1, 0x34), (3, 0x78), (508, 0xF7), (-1, 0)] {
                let ended = at_base(m, &[Opcode::GetBaseByte as u8], &[small(offset)]);
                assert_eq!(ended, word(byte), "byte {offset}");
            }
            let far = m.number(-200_000);
            m.mem.set_byte(BASE, -200_000, 7);
            let ended = at_base(m, &[Opcode::GetBaseByte as u8], &[far]);
            assert_eq!(ended, word(7));
        });
    }
    for_both!(run);
    let bad = [("0x210000 1.0", "trap"), ("0x210000 NIL", "trap")];
    table(Opcode::GetBaseByte, &[], &bad);
    table(Opcode::AddBase, &[], &bad);
}

#[test]
fn stores() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            let done = |value| Ended::Done(vec![value]);
            let base = LispPtr(BASE.0 | 1 << 31);
            let cell = |m: &Machine<'_, G>| m.mem.cell(BASE).0;
            m.mem.set_cell(BASE, LispPtr(0xFFFF_FFFF));
            let stack = [base, LispPtr::smallpos(0x1234)];
            assert_eq!(execute(m, &[Opcode::PutBaseN as u8, 1], &stack), done(BASE));
            assert_eq!(cell(m), 0xFFFF_1234);
            let code = [Opcode::PutBitsNFd as u8, 1, 0x47];
            let stack = [base, LispPtr::smallpos(0xFAB)];
            assert_eq!(execute(m, &code, &stack), done(BASE), "extra bits are lost");
            assert_eq!(cell(m), 0xFFFF_1AB4);
            let code = [Opcode::PutBitsNFd as u8, 0, 0x0F];
            let stack = [base, LispPtr::smallpos(0x8001)];
            assert_eq!(execute(m, &code, &stack), done(BASE));
            assert_eq!(cell(m), 0x8001_1AB4);
            let stack = [base, LispPtr(0xFEDC_BA98)];
            assert_eq!(
                execute(m, &[Opcode::PutBasePtrN as u8, 0], &stack),
                done(BASE)
            );
            assert_eq!(cell(m), 0xFEDC_BA98);
            for (offset, byte) in [(2, 0x11), (0, 0x22)] {
                let value = LispPtr::smallpos(byte);
                let stack = [base, small(offset), value];
                let ended = execute(m, &[Opcode::PutBaseByte as u8], &stack);
                assert_eq!(ended, done(value));
            }
            assert_eq!(cell(m), 0x22DC_1198);
            let next = LispPtr(base.0 + 2);
            let stack = [next, small(-3), LispPtr::smallpos(0x33)];
            execute(m, &[Opcode::PutBaseByte as u8], &stack);
            assert_eq!(cell(m), 0x2233_1198);
        });
    }
    for_both!(run);
    for value in ["-1", "NIL", "70000", "\\a"] {
        let operands = format!("0x210000 {value}");
        table(Opcode::PutBaseN, &[0], &[(&operands, "trap")]);
        table(Opcode::PutBitsNFd, &[0, 0], &[(&operands, "trap")]);
    }
    table(
        Opcode::PutBaseByte,
        &[],
        &[
            ("0x210000 0 256", "trap"),
            ("0x210000 0 -1", "trap"),
            ("0x210000 0 NIL", "trap"),
            ("0x210000 70000 1", "trap"),
            ("0x210000 NIL 1", "trap"),
        ],
    );
}

#[test]
fn addresses_and_halves() {
    table(
        Opcode::AddBase,
        &[],
        &[
            ("0x210000 5", "0x210005"),
            ("0x210000 -1", "0x20ffff"),
            ("0x210000 131072", "0x230000"),
            // A sum below zero is a value like others.
            ("0x10 -32", "0xfffffff0"),
        ],
    );
    table(
        Opcode::Vag2,
        &[],
        &[
            ("33 5", "0x210005"),
            ("14 5", "5"),
            ("65535 65534", "0xfffffffe"),
            ("-1 -1", "0xffffffff"),
        ],
    );
    let cells = [
        ("0x80210005", "32801", "5"),
        ("5", "14", "5"),
        ("NIL", "0", "0"),
    ];
    for (cell, high, low) in cells {
        table(Opcode::HiLoc, &[], &[(cell, high)]);
        table(Opcode::LoLoc, &[], &[(cell, low)]);
    }
}

#[test]
fn blocks_are_copied_from_the_end() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            let mut run = |to: u32, from: u32, count: u16| {
                for n in 0..8 {
                    m.mem.set_word(BASE.add(n), n as u16);
                }
                let count = LispPtr::smallpos(count);
                let stack = [BASE.add(to), BASE.add(from), count];
                let ended = execute(m, &[Opcode::Blt as u8], &stack);
                assert_eq!(ended, Ended::Done(vec![count]));
                (0..8).map(|n| m.mem.word(BASE.add(n))).collect::<Vec<_>>()
            };
            assert_eq!(run(4, 0, 3), [0, 1, 2, 3, 0, 1, 2, 7]);
            assert_eq!(run(1, 0, 7), [0, 0, 1, 2, 3, 4, 5, 6]);
            assert_eq!(
                run(0, 1, 7),
                [7, 7, 7, 7, 7, 7, 7, 7],
                "the last word spreads"
            );
            assert_eq!(run(0, 4, 0), [0, 1, 2, 3, 4, 5, 6, 7]);
        });
    }
    for_both!(run);
    let bad = [
        ("0x210000 0x210000 -1", "trap"),
        ("0x210000 0x210000 NIL", "trap"),
    ];
    table(Opcode::Blt, &[], &bad);
}

#[test]
fn pointer_stores_are_counted() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            let [new, old] = [0, 1].map(|n| read(m, "(A) (B)")[n]);
            m.add_ref(old);
            m.mem.set_cell(BASE.add(2), LispPtr(old.0 | 1 << 31));
            let code = [Opcode::RplPtrN as u8, 2];
            let ended = at_base(m, &code, &[LispPtr(new.0 | 1 << 30)]);
            assert_eq!(ended, Ended::Done(vec![BASE]));
            let stored = m.mem.cell(BASE.add(2));
            assert_eq!(stored, LispPtr(new.0 | 1 << 31), "the upper bits stay");
            // The new one has got its reference; another deletion leaves none.
            assert_eq!(m.del_ref(new), Some(new));
            m.add_ref(old);
            assert_eq!(m.del_ref(old), Some(old), "the old one had none");
        });
    }
    for_both!(run);
}

#[test]
fn counts_are_changed() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            let list = read(m, "(A)")[0];
            let mut count = |case: u8, object| {
                let code = [Opcode::GcRef as u8, case];
                let Ended::Done(after) = execute(m, &code, &[object]) else {
                    panic!("trapped");
                };
                after[0]
            };
            // A new list has the count 0.
            assert_eq!(count(0, list), LispPtr::NIL);
            assert_eq!(count(0, list), LispPtr::NIL);
            assert_eq!(count(1, list), LispPtr::NIL);
            assert_eq!(count(1, list), list);
            assert_eq!(count(0, LispPtr::smallpos(5)), LispPtr::NIL);
            assert_eq!(count(1, LispPtr::smallpos(5)), LispPtr::NIL);
        });
    }
    for_both!(run);
}

#[test]
fn counts_are_searched_downwards() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            // New objects without references, one of them on the stack.
            let [garbage, on_stack] = read(m, "box:5 box:6")[..] else {
                unreachable!()
            };
            execute(m, &[Opcode::GcRef as u8, 2], &[on_stack]);
            let place = |object: LispPtr| LispPtr::smallpos(object.lo() >> 1);
            let top = LispPtr::smallpos(0x8000);
            for (opcode, found) in [(Opcode::GcScan1, garbage), (Opcode::GcScan2, on_stack)] {
                let mut scan = |from| execute(m, &[opcode as u8], &[from]);
                assert_eq!(scan(top), Ended::Done(vec![place(found)]), "{opcode}");
                let end = Ended::Done(vec![LispPtr::NIL]);
                assert_eq!(scan(place(found)), end, "{opcode}");
            }
        });
    }
    for_both!(run);
}

#[test]
fn cells_of_symbols() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            declare_type(m, types::NEW_ATOM, 10, &[]);
            let new_atom = m.create_cell(types::NEW_ATOM).unwrap();
            for symbol in [LispPtr(57), LispPtr::NIL, new_atom] {
                for (which, cell) in [
                    (2, SymbolCell::PropertyList),
                    (8, SymbolCell::PrintName),
                    (10, SymbolCell::Definition),
                    (12, SymbolCell::Value),
                ] {
                    let ended = execute(m, &[Opcode::AtomCellN as u8, which], &[symbol]);
                    let address = G::symbol_cell(symbol, cell);
                    assert_eq!(ended, Ended::Done(vec![address]));
                }
                let ended = execute(m, &[Opcode::AtomCellN as u8, 3], &[symbol]);
                assert_eq!(ended, Ended::Trapped(vec![symbol]));
            }
        });
    }
    for_both!(run);
    let bad = [("5", "trap"), ("(A)", "trap"), ("\\a", "trap")];
    table(Opcode::AtomCellN, &[2], &bad);
    with_interpreter::<Medley2>(|m| {
        let ended = execute(m, &[Opcode::AtomCellN as u8, 8], &[LispPtr(5)]);
        assert_eq!(ended, Ended::Done(vec![LispPtr(0x8_0000 + 10)]));
    });
    with_interpreter::<Medley3>(|m| {
        let ended = execute(m, &[Opcode::AtomCellN as u8, 2], &[LispPtr(5)]);
        assert_eq!(ended, Ended::Done(vec![LispPtr(0x2C_0000 + 50 + 6)]));
    });
}

#[test]
fn bytes_of_streams() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            declare_type(m, types::STREAM, 32, &[]);
            let stream = m.create_cell(types::STREAM).unwrap();
            let flag = stream.add(G::STREAM_BINABLE);
            m.mem.set_word(stream, 1);
            m.mem.set_word(stream.add(1), 3);
            m.mem.set_cell(stream.add(2), BASE);
            m.mem.set_cell(BASE, LispPtr(0x1122_3344));
            let bin = |m: &mut Machine<'_, G>| {
                let ended = execute(m, &[Opcode::Bin as u8], &[stream]);
                match ended {
                    Ended::Done(after) => print(m, &after),
                    other => {
                        assert_eq!(other, Ended::Trapped(vec![stream]));
                        "trap".to_owned()
                    }
                }
            };
            assert_eq!(bin(m), "trap", "no BIN from this stream");
            m.mem.set_cell(flag, LispPtr(m.mem.cell(flag).0 | 1 << 31));
            assert_eq!(bin(m), "34");
            assert_eq!(bin(m), "51");
            assert_eq!(bin(m), "trap", "the end of the buffer");
            assert_eq!(m.mem.word(stream), 3);
        });
    }
    for_both!(run);
    let bad = [
        ("A", "trap"),
        ("5", "trap"),
        ("(A)", "trap"),
        ("NIL", "trap"),
    ];
    table(Opcode::Bin, &[], &bad);
}

#[test]
fn the_clock_is_stored_in_a_box() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            let target = read(m, "box:5")[0];
            m.count_from(123_456);
            let ended = execute(m, &[Opcode::Rclk as u8], &[target]);
            assert_eq!(ended, Ended::Done(vec![target]));
            assert_eq!(m.mem.cell(target), LispPtr(123_456));
        });
    }
    for_both!(run);
}
