use super::harness::{Ended, execute, for_both, print, read, table, with_interpreter};
use crate::isa::Opcode;
use crate::layout::Generation;
use crate::machine::Machine;
use crate::memory::{LispPtr, StackOffset};

/// Fills the locals 0 to 7 with their numbers.
fn number_locals<G: Generation>(m: &Machine<'_, G>) {
    for n in 0..8 {
        m.mem.set_slot(m.regs.pvar, n, LispPtr::smallpos(n.into()));
    }
}

/// Executes an instruction on numbered locals; answers the stack and the locals, `-`
/// for an unbound one.
fn on_locals<G: Generation>(m: &mut Machine<'_, G>, code: &[u8], operands: &str) -> String {
    let stack = read(m, operands);
    super::harness::prepare(m, code, &stack);
    number_locals(m);
    let after = match execute(m, code, &stack) {
        Ended::Done(after) => print(m, &after),
        other => return format!("{other:?}"),
    };
    let locals = (0..8).map(|n| match m.mem.slot(m.regs.pvar, n) {
        LispPtr::UNBOUND => "-".to_owned(),
        bound => print(m, &[bound]),
    });
    format!("{after} | {}", locals.collect::<Vec<_>>().join(" "))
}

fn check(opcode: Opcode, operand_bytes: &[u8], rows: &[(&str, &str)]) {
    fn run<G: Generation>(opcode: Opcode, operand_bytes: &[u8], rows: &[(&str, &str)]) {
        with_interpreter::<G>(|m| {
            for (operands, expected) in rows {
                let code = [&[opcode as u8], operand_bytes].concat();
                let got = on_locals(m, &code, operands);
                assert_eq!(&got, expected, "{opcode} {operand_bytes:?} {operands}");
            }
        });
    }
    for_both!(run, opcode, operand_bytes, rows);
}

#[test]
fn binds() {
    let bind = |counts, last, operands, expected| {
        check(Opcode::Bind, &[counts, last], &[(operands, expected)]);
    };
    bind(0x00, 0, "A", "A 0xffff0000 | 0 1 2 3 4 5 6 7");
    bind(0x20, 1, "A", "A 0xfffd0002 | NIL NIL 2 3 4 5 6 7");
    bind(0x01, 7, "A", "0xfffe000e | 0 1 2 3 4 5 6 A");
    bind(0x03, 4, "A B C D", "A 0xfffc0008 | 0 1 B C D 5 6 7");
    bind(0x12, 3, "A B C", "A 0xfffc0006 | 0 B C NIL 4 5 6 7");
    bind(0x50, 5, "", "0xfffa000a | 0 NIL NIL NIL NIL NIL 6 7");
}

#[test]
fn unbinds_keep_the_top() {
    check(
        Opcode::Unbind,
        &[],
        &[
            ("A 0xfffd0006 B", "A B | 0 1 - - 4 5 6 7"),
            ("A 0xfffd0006 B C D", "A D | 0 1 - - 4 5 6 7"),
            ("A 0xffff0006 B", "A B | 0 1 2 3 4 5 6 7"),
            // The nearest mark only; the top itself is none.
            ("0xfffe0002 0xfffe0004 B", "0xfffe0002 B | 0 1 - 3 4 5 6 7"),
            ("A 0xfffe0000 0xfffe0004", "A 0xfffe0004 | - 1 2 3 4 5 6 7"),
        ],
    );
}

#[test]
fn unbinds_without_a_value() {
    check(
        Opcode::Dunbind,
        &[],
        &[
            ("A 0xfffd0006", "A | 0 1 - - 4 5 6 7"),
            ("A 0xfffd0006 B C", "A | 0 1 - - 4 5 6 7"),
            ("A 0xffff0006", "A | 0 1 2 3 4 5 6 7"),
            ("A 0xfffe0002 0xffff0000", "A 0xfffe0002 | 0 1 2 3 4 5 6 7"),
            ("0xfffe000e", " | 0 1 2 3 4 5 6 -"),
        ],
    );
}

#[test]
fn unwinding() {
    // Eight locals; the first operand is cell 9.
    let unwind = |n, keep, rows: &[(&str, &str)]| check(Opcode::Unwind, &[n, keep], rows);
    unwind(
        10,
        0,
        &[
            ("A B C", "A | 0 1 2 3 4 5 6 7"),
            ("A B", "A | 0 1 2 3 4 5 6 7"),
            ("A 0xfffe0004 C 0xfffe0000", "A | - 1 - 3 4 5 6 7"),
            ("0xfffe0004 B C", "0xfffe0004 | 0 1 2 3 4 5 6 7"),
        ],
    );
    unwind(
        10,
        1,
        &[
            ("A B C", "A C | 0 1 2 3 4 5 6 7"),
            ("A B", "A B | 0 1 2 3 4 5 6 7"),
            ("A 0xfffe0004 0xfffe000e C", "A C | 0 1 - 3 4 5 6 -"),
        ],
    );
    unwind(9, 0, &[("A B C", " | 0 1 2 3 4 5 6 7")]);
    for keep in [0, 1] {
        table(Opcode::Unwind, &[11, keep], &[("A B", "trap")]);
    }
}

#[test]
fn broken_marks_end() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            // No mark anywhere on the stack: the search is bounded, and an instruction
            // that undoes 65535 bindings touches only the stack.
            for offset in (0..=0xFFFE).step_by(2) {
                m.mem.set_stack(StackOffset(offset), LispPtr::NIL);
            }
            for (code, stack) in [
                (Opcode::Unbind, [LispPtr::NIL, LispPtr::T]),
                (Opcode::Dunbind, [LispPtr::NIL, LispPtr::T]),
                (Opcode::Dunbind, [LispPtr::NIL, LispPtr(0x8000_0003)]),
            ] {
                super::harness::prepare(m, &[code as u8], &stack);
                m.step();
            }
        });
    }
    for_both!(run);
}

#[test]
fn a_stack_of_marks_at_odd_offsets_is_unwound() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            for offset in (0..0xFFFF).step_by(2) {
                m.mem.set_stack(StackOffset(offset), LispPtr(0x8000_0000));
            }
            super::harness::prepare(m, &[Opcode::Unwind as u8, 1, 0], &[]);
            m.regs.pvar = StackOffset(0xFFFE);
            m.regs.sp = StackOffset(0xFFFD);
            m.step();
            assert_eq!(m.fault, None);
        });
    }
    for_both!(run);
}
