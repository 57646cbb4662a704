use super::harness::{Ended, execute, for_both, read, table, with_interpreter, with_symbol};
use crate::isa::Opcode;
use crate::layout::Generation;
use crate::layout::records::{type_entry, types};
use crate::machine::Machine;
use crate::memory::LispPtr;
use crate::testing::declare_type;

#[test]
fn types_of_objects() {
    table(
        Opcode::Listp,
        &[],
        &[
            ("(A)", "(A)"),
            ("NIL", "NIL"),
            ("A", "NIL"),
            ("70000", "NIL"),
        ],
    );
    table(
        Opcode::Ntypx,
        &[],
        &[
            ("5", "1"),
            ("-5", "1"),
            ("70000", "2"),
            ("1.5", "3"),
            ("A", "4"),
            ("NIL", "4"),
            ("(A)", "5"),
            ("\\a", "9"),
            ("0x500000", "0"),
        ],
    );
    table(
        Opcode::Typep,
        &[2],
        &[("70000", "70000"), ("5", "NIL"), ("1.5", "NIL")],
    );
    table(
        Opcode::Typep,
        &[4],
        &[("A", "A"), ("NIL", "NIL"), ("5", "NIL")],
    );
    let number = (type_entry::NUMBER_P >> 8) as u8;
    table(
        Opcode::TypeMaskN,
        &[number],
        &[
            ("5", "5"),
            ("-70000", "-70000"),
            ("1.5", "1.5"),
            ("A", "NIL"),
            ("(A)", "NIL"),
            ("\\a", "NIL"),
        ],
    );
    let symbol = (type_entry::SYMBOL >> 8) as u8;
    table(Opcode::TypeMaskN, &[symbol], &[("A", "A"), ("5", "NIL")]);
    table(Opcode::TypeMaskN, &[0], &[("A", "NIL"), ("5", "NIL")]);
}

/// Declares type `number` with a name and a supertype; answers an instance.
fn declare<G: Generation>(m: &mut Machine<'_, G>, number: u16, name: u32, parent: u16) -> LispPtr {
    declare_type(m, number, 4, &[]);
    let dtd = G::dtd(u32::from(number));
    m.mem.set_word(dtd.add(G::DTD_FIELDS.supertype), parent);
    name_type(m, number, name);
    m.create_cell(number).unwrap()
}

/// Gives type `number` a symbol as its name.
pub(super) fn name_type<G: Generation>(m: &mut Machine<'_, G>, number: u16, name: u32) {
    let dtd = G::dtd(u32::from(number));
    if G::WIDE_COUNTS {
        m.mem.set_cell(dtd, LispPtr(name));
    } else {
        m.mem.set_word(dtd, name as u16);
        let high = dtd.add(6);
        let rest = m.mem.cell(high).0 & 0xFF_FFFF;
        m.mem.set_cell(high, LispPtr(name >> 16 << 24 | rest));
    }
    assert_eq!(G::dtd_name(m.mem, dtd), LispPtr(name));
}

#[test]
fn instances_of_supertypes() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            let (parent, child, other) = (0x1234, 0x71_5678, 0x70_1234);
            let of_parent = declare(m, 100, parent, 0);
            let of_child = declare(m, 101, child, 100);
            let of_other = declare(m, 102, other, 0);
            // A broken image: two types that are each other's supertype.
            let of_loop = declare(m, 103, 0x1003, 104);
            declare(m, 104, 0x1004, 103);
            name_type(m, types::FIXP, 0x2000);
            name_type(m, types::ARRAY_BLOCK, 0x3000);
            let boxed = read(m, "70000")[0];
            for (object, name, expected) in [
                (of_parent, parent, true),
                (of_child, parent, true),
                (of_child, child, true),
                (of_parent, child, false),
                (of_other, parent, false),
                (of_other, other, true),
                (of_loop, parent, false),
                (of_loop, 0x1004, true),
                (boxed, 0x2000, true),
                (LispPtr(0x50_0000), 0x3000, true),
                (of_parent, 0x3000, false),
                (LispPtr::smallpos(5), parent, false),
            ] {
                let code = with_symbol::<G>(Opcode::InstanceP, LispPtr(name));
                let answer = Ended::Done(vec![LispPtr::from_bool(expected)]);
                assert_eq!(execute(m, &code, &[object]), answer, "{object:?} {name:#x}");
                let code = with_symbol::<G>(Opcode::Dtest, LispPtr(name));
                let same = vec![object];
                let answer = if expected {
                    Ended::Done(same)
                } else {
                    Ended::Trapped(same)
                };
                assert_eq!(execute(m, &code, &[object]), answer, "{object:?} {name:#x}");
            }
        });
    }
    for_both!(run);
}

#[test]
fn instances_are_made() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            declare_type(m, 100, 6, &[]);
            let stack = [LispPtr::smallpos(100)];
            let Ended::Done(after) = execute(m, &[Opcode::CreateCell as u8], &stack) else {
                panic!("trapped");
            };
            assert_eq!(m.type_number(after[0]), 100);
            for bad in [LispPtr::smallpos(101), LispPtr(0xF_FFFF), LispPtr::NIL] {
                let ended = execute(m, &[Opcode::CreateCell as u8], &[bad]);
                assert_eq!(ended, Ended::Trapped(vec![bad]));
            }
        });
    }
    for_both!(run);
}
