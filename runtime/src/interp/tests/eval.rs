use super::harness::{
    END, Ended, Function, START, execute, for_both, function_place, function_symbol, prepare,
    print, read, step, table, with_interpreter, with_symbol,
};
use crate::isa::Opcode;
use crate::layout::records::{locator, symbols, types};
use crate::layout::{Generation, SymbolCell};
use crate::memory::{AttentionReason, LispPtr};
use crate::testing::{declare_type, string};

const EVAL: u8 = Opcode::Eval as u8;

#[test]
fn constants_evaluate_to_themselves() {
    table(
        Opcode::Eval,
        &[],
        &[
            ("A 5", "A 5"),
            ("-5", "-5"),
            ("70000", "70000"),
            ("1.5", "1.5"),
            ("NIL", "NIL"),
            ("T", "T"),
            ("\\a", "trap"),
            ("0x500000", "trap"),
        ],
    );
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            for number in [types::STRINGP, types::ONED_ARRAY, types::GENERAL_ARRAY] {
                declare_type(m, number, 8, &[]);
                let object = m.create_cell(number).unwrap();
                assert_eq!(execute(m, &[EVAL], &[object]), Ended::Done(vec![object]));
            }
            let text = string(m, LispPtr(0x21_0000), 3, b"abc");
            assert_eq!(execute(m, &[EVAL], &[text]), Ended::Done(vec![text]));
            for number in [
                types::TWOD_ARRAY,
                types::BIGNUM,
                types::COMPILED_CLOSURE,
                100,
            ] {
                declare_type(m, number, 4, &[]);
                let object = m.create_cell(number).unwrap();
                assert_eq!(execute(m, &[EVAL], &[object]), Ended::Trapped(vec![object]));
            }
        });
    }
    for_both!(run);
}

#[test]
fn variables_have_values_or_trap() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            declare_type(m, types::NEW_ATOM, 10, &[]);
            let made = m.create_cell(types::NEW_ATOM).unwrap();
            for symbol in [LispPtr(0x300), made] {
                let cell = G::symbol_cell(symbol, SymbolCell::Value);
                m.mem.set_cell(cell, LispPtr::NOBIND);
                let ended = execute(m, &[EVAL], &[LispPtr::T, symbol]);
                assert_eq!(ended, Ended::Trapped(vec![LispPtr::T, symbol]));
                for value in [LispPtr::NIL, LispPtr::smallpos(5)] {
                    m.mem.set_cell(cell, value);
                    let ended = execute(m, &[EVAL], &[LispPtr::T, symbol]);
                    assert_eq!(ended, Ended::Done(vec![LispPtr::T, value]));
                }
            }
        });
    }
    for_both!(run);
}

#[test]
fn variables_of_the_callers() {
    fn go<G: Generation>() {
        with_interpreter::<G>(|m| {
            let symbol = LispPtr(0x300);
            let argument = [(symbol, 0)];
            let unbound = [(symbol, u32::from(locator::LOCAL) << 24)];
            m.mem
                .set_cell(G::symbol_cell(symbol, SymbolCell::Value), LispPtr::T);
            // The evaluating function is called by one that binds the symbol; what
            // it binds itself does not matter.
            let code = [
                with_symbol::<G>(Opcode::Aconst, symbol),
                vec![EVAL, Opcode::Return as u8],
            ];
            Function {
                arguments: 1,
                names: &argument,
                code: &code.concat(),
                ..Function::default()
            }
            .define(m, function_symbol(1), function_place(1));
            let call = with_symbol::<G>(Opcode::Fn0, function_symbol(1));
            for (names, expected) in [(argument, "A"), (unbound, "T")] {
                let code = [&call[..], &[Opcode::Return as u8]].concat();
                Function {
                    arguments: 1,
                    quads: 1,
                    locals: 1,
                    names: &names,
                    code: &code,
                    ..Function::default()
                }
                .define(m, function_symbol(0), function_place(0));
                let stack = read(m, "A");
                let code = [with_symbol::<G>(Opcode::Fn1, function_symbol(0)), vec![END]].concat();
                let after = super::harness::run(m, &code, &stack);
                assert_eq!(print(m, &after), expected);
            }
        });
    }
    for_both!(go);
}

#[test]
fn forms_are_left_to_lisp() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            let code = [Opcode::Ivar0, Opcode::Zero, Opcode::Cons, Opcode::Return];
            Function {
                arguments: 1,
                code: &code.map(|opcode| opcode as u8),
                ..Function::default()
            }
            .define(m, symbols::EVALFORM, function_place(0));
            let stack = read(m, "A (B C)");
            let base = prepare(m, &[EVAL, END], &stack);
            m.mem.control().raise(AttentionReason::Machine);
            let before = m.regs;
            step(m);
            assert_eq!(m.regs, before, "a call polls first");
            step(m);
            assert_eq!(m.func, function_place(0));
            assert_eq!(m.running_frame().clink().pc_offset(), START + 1);
            while m.mem.code(m.regs.pc, 0) != END {
                step(m);
            }
            assert_eq!(m.regs.sp, base.add(4));
            assert_eq!(print(m, &[m.regs.tos]), "((B C) . 0)");
        });
    }
    for_both!(run);
}
