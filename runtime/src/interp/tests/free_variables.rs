use super::harness::{
    END, Function, for_both, function_place, function_symbol, prepare, print, read, run, step,
    with_interpreter, with_symbol,
};
use crate::fault::Fault;
use crate::interp::Exit;
use crate::isa::Opcode;
use crate::layout::records::{frame, function, locator};
use crate::layout::{Generation, SymbolCell};
use crate::machine::Machine;
use crate::memory::LispPtr;
use crate::stack::Frame;

const RETURN: u8 = Opcode::Return as u8;
const FVAR0: u8 = Opcode::Fvar0 as u8;
/// The functions: one that binds, one between, one that asks.
const BINDS: u32 = 0;
const BETWEEN: u32 = 1;
const ASKS: u32 = 2;

/// Variables; they are bound nowhere but where a test says so.
const X: LispPtr = LispPtr(b'X' as u32 - 8);
const Y: LispPtr = LispPtr(b'Y' as u32 - 8);
const Z: LispPtr = LispPtr(b'Z' as u32 - 8);

const fn argument(n: u32) -> u32 {
    (locator::ARGUMENT as u32) << 24 | n
}
const fn local(n: u32) -> u32 {
    (locator::LOCAL as u32) << 24 | n
}
const fn free(n: u32) -> u32 {
    (locator::FREE as u32) << 24 | n
}

fn set_top_level<G: Generation>(m: &Machine<'_, G>, symbol: LispPtr, value: LispPtr) {
    m.mem
        .set_cell(G::symbol_cell(symbol, SymbolCell::Value), value);
}

fn call<G: Generation>(opcode: Opcode, number: u32) -> Vec<u8> {
    with_symbol::<G>(opcode, function_symbol(number))
}

fn place<G: Generation>(m: &Machine<'_, G>, number: u32, function: Function<'_>) {
    function.define(m, function_symbol(number), function_place(number));
}

/// Code of BINDS: sets local 0 to 7, leaves local 1 unbound, calls `number`.
fn binding_code<G: Generation>(number: u32) -> Vec<u8> {
    let set = [Opcode::Sic as u8, 7, Opcode::PvarSetPop0 as u8];
    [&set[..], &call::<G>(Opcode::Fn0, number), &[RETURN]].concat()
}

/// Calls BINDS with the argument A until ASKS has done `asking`; the tops of stack
/// of ASKS then, as text.
fn ask<G: Generation>(
    m: &mut Machine<'_, G>,
    names: &[(LispPtr, u32)],
    between: &[(LispPtr, u32)],
    asking: &[u8],
) -> String {
    let code = binding_code::<G>(BETWEEN);
    place(
        m,
        BINDS,
        Function {
            arguments: 1,
            quads: 1,
            locals: 2,
            names,
            code: &code,
            ..Function::default()
        },
    );
    let code = [call::<G>(Opcode::Fn0, ASKS), vec![RETURN]].concat();
    place(
        m,
        BETWEEN,
        Function {
            quads: 2,
            names: between,
            code: &code,
            ..Function::default()
        },
    );
    // X, Y and Z are free in slots 1 to 3; slot 0 is a local called Y, which does
    // not matter.
    let own = [(Y, local(0)), (X, free(1)), (Y, free(2)), (Z, free(3))];
    let set = [Opcode::Sic as u8, 9, Opcode::PvarSetPop0 as u8];
    let code = [&set, asking, &[END]].concat();
    place(
        m,
        ASKS,
        Function {
            quads: 2,
            locals: 1,
            names: &own,
            code: &code,
            ..Function::default()
        },
    );
    let argument = read(m, "A");
    prepare(
        m,
        &[&call::<G>(Opcode::Fn1, BINDS)[..], &[END]].concat(),
        &argument,
    );
    let asks = function_place(ASKS);
    while m.func != asks || m.mem.code(m.regs.pc, 0) != END {
        assert_eq!(step(m), Exit::Continue, "{:?}", m.fault);
    }
    let base = m.regs.pvar.add(8 + 2);
    m.mem.set_stack(m.regs.sp, m.regs.tos);
    let count = (m.regs.sp.0 - base.0) / 2;
    let stack: Vec<_> = (1..=count).map(|n| m.mem.stack(base.add(2 * n))).collect();
    print(m, &stack)
}

const ASK_ALL: [u8; 3] = [FVAR0 + 1, FVAR0 + 2, FVAR0 + 3];

#[test]
fn arguments_locals_and_top_level_values() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            for (symbol, value) in [(X, "1"), (Y, "2"), (Z, "3")] {
                let value = read(m, value)[0];
                set_top_level(m, symbol, value);
            }
            for (names, expected) in [
                (&[][..], "1 2 3"),
                (&[(X, argument(0))], "A 2 3"),
                (&[(X, argument(0)), (Z, local(0))], "A 2 7"),
                // Unbound locals do not count; other entries of the name do.
                (&[(X, local(1)), (Y, local(1)), (Y, argument(0))], "1 A 3"),
                (&[(Y, argument(0)), (Y, local(0)), (X, local(0))], "7 A 3"),
                // Odd and even numbers of names.
                (&[(LispPtr(0x301), argument(0)), (Z, argument(0))], "1 2 A"),
                (
                    &[
                        (LispPtr(0x301), argument(0)),
                        (LispPtr(0x302), local(0)),
                        (Z, local(0)),
                    ],
                    "1 2 7",
                ),
            ] {
                assert_eq!(ask(m, names, &[], &ASK_ALL), expected, "{names:?}");
            }
            // The nearest frame wins.
            let names = [(X, argument(0)), (Y, local(0))];
            assert_eq!(ask(m, &names, &[(Y, local(0))], &ASK_ALL), "A 7 3");
        });
    }
    for_both!(run);
}

#[test]
fn names_of_later_symbols() {
    fn go<G: Generation>() {
        with_interpreter::<G>(|m| {
            let made = LispPtr(0x2F_0040);
            set_top_level(m, made, LispPtr::T);
            let names = [(made, free(0))];
            place(
                m,
                ASKS,
                Function {
                    quads: 1,
                    names: &names,
                    code: &[FVAR0, RETURN],
                    ..Function::default()
                },
            );
            let call = [call::<G>(Opcode::Fn0, ASKS), vec![END]].concat();
            assert_eq!(run(m, &call, &[]), [LispPtr::T]);
        });
    }
    for_both!(go);
}

#[test]
fn all_instructions_that_read() {
    fn go<G: Generation>() {
        with_interpreter::<G>(|m| {
            let names: Vec<_> = (0..9).map(|n| (LispPtr(0x300 + n), free(n))).collect();
            for (n, &(symbol, _)) in (0..).zip(&names) {
                set_top_level(m, symbol, LispPtr::smallpos(n));
            }
            let code: Vec<_> = (0..9u8)
                .flat_map(|n| {
                    let long = [Opcode::FvarX as u8, 2 * n];
                    let short = if n < 7 { FVAR0 + n } else { Opcode::Nil as u8 };
                    // The second time from the cache.
                    [
                        &long[..],
                        &[short, Opcode::Cons as u8],
                        &long,
                        &[Opcode::Cons as u8],
                    ]
                    .concat()
                })
                .chain([Opcode::Nil as u8])
                .chain([Opcode::Cons as u8; 9])
                .chain([RETURN])
                .collect();
            place(
                m,
                ASKS,
                Function {
                    quads: 5,
                    names: &names,
                    code: &code,
                    ..Function::default()
                },
            );
            let call = [call::<G>(Opcode::Fn0, ASKS), vec![END]].concat();
            let after = run(m, &call, &[]);
            let expected = "(((0 . 0) . 0) ((1 . 1) . 1) ((2 . 2) . 2) ((3 . 3) . 3) \
                ((4 . 4) . 4) ((5 . 5) . 5) ((6 . 6) . 6) ((7) . 7) ((8) . 8))";
            assert_eq!(print(m, &after), expected);
        });
    }
    for_both!(go);
}

#[test]
fn found_addresses_are_cached_where_they_were_asked() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            let between = [(X, free(0)), (Y, free(1))];
            let names = [(X, local(0)), (Y, argument(0)), (Z, local(0))];
            assert_eq!(ask(m, &names, &between, &ASK_ALL), "7 A 7");
            let asks = m.running_frame();
            let between = asks.clink();
            let binds = between.clink();
            let slot = |frame: Frame<'_, G>, n| m.mem.slot(frame.pvar(), n);
            let address = binds.pvar().address();
            assert_eq!(slot(asks, 1), LispPtr(address.0.rotate_left(16)));
            assert_eq!(
                slot(between, 0),
                LispPtr::UNBOUND,
                "frames on the way are not told"
            );
            // A binding made later does not matter to those who have asked; the
            // value is the present one.
            m.mem.set_stack(between.pvar(), LispPtr(0xFFFF));
            m.mem.set_stack(binds.pvar(), LispPtr::T);
            let registers = m.regs;
            m.mem
                .set_byte(m.func, i32::from(m.regs.pc.offset_in(m.func)), FVAR0 + 1);
            step(m);
            assert_eq!(m.regs.tos, LispPtr::T);
            // What a frame on the way knows is shared.
            m.regs = registers;
            m.mem.set_slot(m.regs.pvar, 1, LispPtr::UNBOUND);
            let elsewhere = G::symbol_cell(LispPtr(0x333), SymbolCell::Value);
            m.mem.set_cell(elsewhere, LispPtr::smallpos(5));
            let known = LispPtr(elsewhere.0.rotate_left(16));
            m.mem.set_slot(between.pvar(), 0, known);
            while m.regs.pc == registers.pc {
                step(m);
            }
            assert_eq!(m.regs.tos, LispPtr::smallpos(5));
            assert_eq!(m.mem.slot(m.regs.pvar, 1), known);
        });
    }
    for_both!(run);
}

#[test]
fn stores() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            let set = |slot: u8| [Opcode::FvarXSet as u8, 2 * slot];
            // On the stack: the whole cell, and nothing is counted.
            let names = [(X, local(0)), (Y, argument(0))];
            let old = read(m, "(B)")[0];
            set_top_level(m, Z, old);
            m.add_ref(old);
            let code = [
                &[Opcode::Nil as u8, Opcode::Nil as u8, Opcode::Cons as u8][..],
                &set(1),
                &set(2),
            ];
            assert_eq!(ask(m, &names, &[], &code.concat()), "(NIL)");
            let value = m.regs.tos;
            let binds = m.running_frame().clink().clink();
            assert_eq!(m.mem.stack(binds.pvar()), value);
            assert_eq!(m.mem.stack(binds.ivar()), value);
            assert_eq!(m.ref_count(value), 0);
            // At top level: counted.
            let code = [
                &[Opcode::Nil as u8, Opcode::Nil as u8, Opcode::Cons as u8][..],
                &set(3),
            ];
            assert_eq!(ask(m, &names, &[], &code.concat()), "(NIL)");
            let value = m.regs.tos;
            assert_eq!(m.mem.cell(G::symbol_cell(Z, SymbolCell::Value)), value);
            assert_eq!((m.ref_count(value), m.ref_count(old)), (1, 0));
        });
    }
    for_both!(run);
}

#[test]
fn cells_of_variables() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            let scan = |symbol| {
                [
                    with_symbol::<G>(Opcode::Aconst, symbol),
                    vec![Opcode::StkScan as u8],
                ]
                .concat()
            };
            let names = [(X, argument(0)), (Y, local(0))];
            let between = [(Z, local(1))];
            for (symbol, expected) in [
                (X, None),
                (Y, None),
                (Z, Some(G::symbol_cell(Z, SymbolCell::Value))),
                (LispPtr(0x2F_0040), Some(LispPtr(0x2F_0042))),
            ] {
                ask(m, &names, &between, &scan(symbol));
                let binds = m.running_frame().clink().clink();
                let bound = if symbol == X {
                    binds.ivar()
                } else {
                    binds.pvar()
                };
                assert_eq!(m.regs.tos, expected.unwrap_or(bound.address()));
            }
        });
    }
    for_both!(run);
}

#[test]
fn frames_with_name_tables_of_their_own() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            let names = [(X, local(0)), (Y, argument(0))];
            assert_eq!(ask(m, &names, &[], &[]), "");
            // As the Lisp interpreter does: the table is elsewhere, here another
            // function, and what the frame's function says does not count.
            let table = function_place(5);
            Function {
                names: &[(Z, local(0))],
                ..Function::default()
            }
            .place(m, table);
            let binds = m.running_frame().clink().clink();
            binds.set_own_name_table(table);
            let at = i32::from(m.regs.pc.offset_in(m.func));
            for (n, code) in (at..).zip([ASK_ALL, [END; 3]].concat()) {
                m.mem.set_byte(m.func, n, code);
            }
            set_top_level(m, X, LispPtr::smallpos(1));
            set_top_level(m, Y, LispPtr::smallpos(2));
            binds.set_flags(binds.flags() | frame::flag::VALID_NAME_TABLE);
            let mut values = Vec::new();
            while values.len() < 3 {
                let pc = m.regs.pc;
                while m.regs.pc == pc {
                    step(m);
                }
                values.push(m.regs.tos);
            }
            assert_eq!(print(m, &values), "1 2 7");
        });
    }
    for_both!(run);
}

#[test]
fn broken_tables_and_links_are_faults() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            let names = [(X, 0x4000_0000)];
            ask(m, &names, &[], &[]);
            let at = i32::from(m.regs.pc.offset_in(m.func));
            m.mem.set_byte(m.func, at, FVAR0 + 1);
            assert_eq!(m.run(), Exit::Fault);
            let function = function_place(BINDS);
            let fault = Fault::BadNameTable {
                function,
                locator: 0x4000_0000,
            };
            assert_eq!(m.fault.take(), Some(fault));
            // A chain that ends nowhere.
            ask(m, &[], &[], &[]);
            m.mem.set_byte(m.func, at, FVAR0 + 1);
            let binds = m.running_frame().clink().clink();
            for link in [0, binds.pvar().0] {
                binds.set_alink_word(link);
                assert_eq!(m.run(), Exit::Fault);
                assert!(matches!(m.fault.take(), Some(Fault::BadStackBlock { .. })));
            }
            // A name table that has no end in memory.
            binds.set_alink_word(crate::stack::BOTTOM);
            let size = function_place(BINDS).add(function::NAME_TABLE_SIZE);
            m.mem.set_word(size, 0xFFFE);
            step(m);
        });
    }
    for_both!(run);
}

#[test]
fn an_odd_name_is_looked_up_once() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            ask(m, &[], &[], &[]);
            let at = i32::from(m.regs.pc.offset_in(m.func));
            m.mem.set_byte(m.func, at, FVAR0 + 1);
            let names = m.mem.word(m.func.add(function::LOCALS)) & 0xFF;
            let odd = LispPtr(0x21_0001);
            m.mem.set_cell(m.func.add(u32::from(names)), odd);
            assert_eq!(step(m), Exit::Continue);
            assert_eq!(m.regs.pc.offset_in(m.func), at as u16 + 1);
        });
    }
    for_both!(run);
}
