use super::harness::{
    Ended, execute, for_both, read, set_arguments, table, with_interpreter, with_symbol,
};
use crate::isa::Opcode;
use crate::layout::{Generation, SymbolCell};
use crate::machine::Machine;
use crate::memory::LispPtr;

/// The instruction `n` places behind `first`.
fn nth(first: Opcode, n: u8) -> u8 {
    first as u8 + n
}

/// The stack after an instruction that must not trap.
fn done<G: Generation>(m: &mut Machine<'_, G>, code: &[u8], stack: &[LispPtr]) -> Vec<LispPtr> {
    match execute(m, code, stack) {
        Ended::Done(after) => after,
        other => panic!("{code:x?}: {other:?}"),
    }
}

#[test]
fn constants() {
    for (opcode, operand, value) in [
        (Opcode::Nil, &[][..], "NIL"),
        (Opcode::T, &[], "T"),
        (Opcode::Zero, &[], "0"),
        (Opcode::One, &[], "1"),
        (Opcode::Sic, &[0], "0"),
        (Opcode::Sic, &[255], "255"),
        (Opcode::Snic, &[255], "-1"),
        (Opcode::Snic, &[0], "-256"),
        (Opcode::SicX, &[0, 0], "0"),
        (Opcode::SicX, &[1, 2], "258"),
        (Opcode::SicX, &[255, 255], "65535"),
    ] {
        table(
            opcode,
            operand,
            &[("", value), ("A", &format!("A {value}"))],
        );
    }
}

/// Symbols and other pointers: small, with a segment, the largest.
fn pointers<G: Generation>() -> [LispPtr; 4] {
    [0, 0x1234, 0x2F_1234, G::POINTER_MASK].map(LispPtr)
}

#[test]
fn literals() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            for literal in pointers::<G>() {
                for opcode in [Opcode::Aconst, Opcode::Gconst] {
                    let code = with_symbol::<G>(opcode, literal);
                    assert_eq!(done(m, &code, &[]), [literal]);
                }
            }
        });
    }
    for_both!(run);
}

#[test]
fn top_level_values() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            for symbol in [0x1234, 0x2F_1234].map(LispPtr) {
                let cell = G::symbol_cell(symbol, SymbolCell::Value);
                let load = with_symbol::<G>(Opcode::Gvar, symbol);
                // The whole cell, bound or not.
                for value in [LispPtr::NOBIND, LispPtr(0xF123_4567)] {
                    m.mem.set_cell(cell, value);
                    assert_eq!(done(m, &load, &[LispPtr::T]), [LispPtr::T, value]);
                }
                // Stores count, keep the value, and leave the bits above the
                // pointer alone.
                let store = with_symbol::<G>(Opcode::GvarSet, symbol);
                let flags = 1 << 31;
                m.mem.set_cell(cell, LispPtr(flags));
                let list = read(m, "(A)")[0];
                assert_eq!(m.ref_count(list), 0);
                assert_eq!(done(m, &store, &[LispPtr::T, list]), [LispPtr::T, list]);
                assert_eq!(m.mem.cell(cell), LispPtr(flags | list.0));
                assert_eq!(m.ref_count(list), 1);
                done(m, &store, &[LispPtr::T]);
                assert_eq!(m.mem.cell(cell), LispPtr(flags | LispPtr::T.0));
                assert_eq!(m.ref_count(list), 0);
            }
        });
    }
    for_both!(run);
}

#[test]
fn arguments() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            let arguments = read(m, "0 1 2 3 4 5 6 A B");
            set_arguments(m, &arguments);
            for n in 0..7 {
                assert_eq!(
                    done(m, &[nth(Opcode::Ivar0, n)], &[]),
                    [arguments[usize::from(n)]]
                );
            }
            for n in 0..9 {
                let code = [Opcode::IvarX as u8, 2 * n];
                assert_eq!(done(m, &code, &[]), [arguments[usize::from(n)]]);
            }
            for n in 0..9 {
                let value = LispPtr::character(n.into());
                assert_eq!(done(m, &[Opcode::IvarXSet as u8, 2 * n], &[value]), [value]);
                assert_eq!(m.mem.slot(m.ivar, n), value);
            }
        });
    }
    for_both!(run);
}

#[test]
fn locals() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            // The harness has room for eight; their content is a cell like any other.
            let expected: Vec<_> = (0..8).map(|n| LispPtr(0xFFFF_FFFF - n)).collect();
            for (n, &value) in (0..).zip(&expected) {
                let code = [Opcode::PvarXSet as u8, 2 * n];
                assert_eq!(done(m, &code, &[LispPtr::T, value]), [LispPtr::T, value]);
            }
            for (n, &value) in (0..).zip(&expected) {
                assert_eq!(done(m, &[Opcode::PvarX as u8, 2 * n], &[]), [value]);
                if n < 7 {
                    assert_eq!(done(m, &[nth(Opcode::Pvar0, n)], &[]), [value]);
                }
            }
            for n in 0..7 {
                let (value, next) = (LispPtr::character(n.into()), LispPtr::smallpos(n.into()));
                assert_eq!(done(m, &[nth(Opcode::PvarSet0, n)], &[value]), [value]);
                assert_eq!(m.mem.slot(m.regs.pvar, n), value);
                let after = done(m, &[nth(Opcode::PvarSetPop0, n)], &[value, next]);
                assert_eq!(after, [value]);
                assert_eq!(m.mem.slot(m.regs.pvar, n), next);
            }
            assert_eq!(
                m.mem.slot(m.regs.pvar, 7),
                expected[7],
                "others are left alone"
            );
        });
    }
    for_both!(run);
}
