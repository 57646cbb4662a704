//! Polls of native code: what it holds survives, and Lisp and the host come first.

use crate::gc::BackupMode;
use crate::interp::harness::{
    END, Function, START, check_stack, for_both, function_place, prepare, with_interpreter,
};
use crate::interp::native::Point;
use crate::isa::Opcode;
use crate::isa::sub_opcodes::Subr;
use crate::layout::{Generation, SymbolCell};
use crate::machine::Machine;
use crate::memory::{AttentionReason, LispPtr};

/// Collects and does nothing else.
const PLAIN: [u8; 4] = [
    Opcode::SubrCall as u8,
    Subr::DoReclaim.code(),
    0,
    Opcode::Return as u8,
];
/// A global variable.
const VARIABLE: LispPtr = LispPtr(0x1F1);

/// Collects unless the variable is true.
fn asking<G: Generation>() -> Vec<u8> {
    [Opcode::Gvar as u8]
        .into_iter()
        .chain(VARIABLE.0.to_be_bytes()[4 - G::OPERAND_BYTES as usize..].to_vec())
        .chain([Opcode::FJump0 as u8, Opcode::Return as u8])
        .chain(PLAIN)
        .collect()
}

fn set_variable<G: Generation>(m: &Machine<'_, G>, value: LispPtr) {
    let cell = G::symbol_cell(VARIABLE, SymbolCell::Value);
    m.mem.set_cell(cell, value);
}

/// A machine that polls at the point, with a collection due and this code of `\DORECLAIM`.
fn with_poll<G: Generation>(code: &[u8], test: impl FnOnce(&mut Machine<'_, G>, Point)) {
    with_interpreter::<G>(|m| {
        m.free_stack(m.stack_base(), m.ivar);
        Function {
            arguments: 0,
            code,
            ..Function::default()
        }
        .define(m, m.symbols.do_reclaim, function_place(0));
        prepare(m, &[END], &[]);
        m.mem.set_stack(m.regs.sp, m.regs.tos);
        let point = Point {
            pvar: m.regs.pvar,
            pc: START,
            depth: m.depth(),
        };
        want_collection(m);
        test(m, point);
    });
}

fn want_collection<G: Generation>(m: &Machine<'_, G>) {
    m.set_value(m.symbols.reclaim_countdown, LispPtr::smallpos(0));
    m.request_interrupt();
}

/// A list cell that is its own tail.
fn circle<G: Generation>(m: &mut Machine<'_, G>) -> LispPtr {
    let cell = m.cons(LispPtr::T, LispPtr::NIL);
    m.replace(Opcode::Rplacd, cell, cell).expect("a list")
}

#[test]
fn what_native_code_holds_survives_a_collection() {
    fn run<G: Generation>() {
        with_poll::<G>(&PLAIN, |m, point| {
            let [held, _lost] = [3, 4].map(|n| m.cons(LispPtr::smallpos(n), LispPtr::NIL));
            let before = m.regs;
            assert!(m.serve_at_safepoint(point, &[held]));
            assert_eq!((m.regs, m.fault.clone()), (before, None));
            assert!(!m.attention_wanted());
            check_stack(m);
            assert_eq!(m.statistics.objects_freed, 1);
            assert_eq!(m.car(held), LispPtr::smallpos(3));
            want_collection(m);
            assert!(m.serve_at_safepoint(point, &[]));
            assert_eq!(m.statistics.objects_freed, 2, "nobody holds it");
        });
    }
    for_both!(run);
}

#[test]
fn what_native_code_holds_is_no_garbage_for_the_backup_collector() {
    fn run<G: Generation>() {
        for holds in [true, false] {
            with_poll::<G>(&PLAIN, |m, point| {
                m.set_backup(BackupMode::Report);
                let held = circle(m);
                m.start_backup();
                let held = if holds { vec![held] } else { vec![] };
                while !m.backup_is_idle() {
                    want_collection(m);
                    assert!(m.serve_at_safepoint(point, &held));
                }
                let totals = m.backup_totals();
                assert_eq!(totals.cycles, 1, "{totals:?}");
                assert_eq!(totals.garbage == 0, holds, "{totals:?}");
            });
        }
    }
    for_both!(run);
}

#[test]
fn lisp_collects_itself_unless_it_would_do_nothing_else() {
    fn run<G: Generation>() {
        let asks = asking::<G>();
        let stores = [&[Opcode::Nil as u8, Opcode::Pop as u8], &PLAIN[..]].concat();
        let does = |code: &[u8], value: LispPtr| {
            let mut served = false;
            with_poll::<G>(code, |m, point| {
                set_variable(m, value);
                served = m.serve_at_safepoint(point, &[]);
                // Then nothing was done.
                assert_ne!(served, m.attention_wanted());
                assert_ne!(served, m.statistics.collections == 0);
            });
            served
        };
        assert!(does(&PLAIN, LispPtr::NIL));
        assert!(does(&asks, LispPtr::NIL));
        assert!(!does(&asks, LispPtr::T));
        assert!(!does(&stores, LispPtr::NIL));
        assert!(!does(
            &[Opcode::Nil as u8, Opcode::Return as u8],
            LispPtr::NIL
        ));
    }
    for_both!(run);
}

#[test]
fn a_collection_that_a_step_asks_for_waits_until_lisp_wants_it() {
    fn run<G: Generation>() {
        with_poll::<G>(&asking::<G>(), |m, point| {
            set_variable(m, LispPtr::T);
            m.set_backup(BackupMode::On);
            circle(m);
            m.start_backup();
            let mut is_asked = false;
            while !is_asked {
                assert!(!m.backup_is_idle());
                // Then a step is due, but no collection.
                m.collect_in_running_frame();
                m.set_value(m.symbols.reclaim_countdown, LispPtr::smallpos(10));
                let collections = m.statistics.collections;
                assert!(m.serve_at_safepoint(point, &[]));
                assert_eq!(m.statistics.collections, collections);
                is_asked = m.value(m.symbols.reclaim_countdown) == LispPtr::smallpos(0);
            }
            assert!(m.attention_wanted());
            assert!(!m.serve_at_safepoint(point, &[]), "now Lisp is asked");
            set_variable(m, LispPtr::NIL);
            assert!(m.serve_at_safepoint(point, &[]));
            assert_eq!(m.statistics.objects_freed, 1);
        });
    }
    for_both!(run);
}

#[test]
fn what_needs_lisp_or_the_host_is_left_to_them() {
    fn run<G: Generation>() {
        let wants: [fn(&mut Machine<'_, G>); 4] = [
            |m| m.mem.control().raise(AttentionReason::Host),
            |m| m.set_value(m.symbols.pending_interrupt, LispPtr::T),
            |m| {
                m.keyboard.pending += 1;
                m.set_value(m.symbols.key_buffering, LispPtr::T);
            },
            |m| m.raise_fault(crate::fault::Fault::StackFull),
        ];
        for want in wants {
            with_poll::<G>(&PLAIN, |m, point| {
                want(m);
                assert!(!m.serve_at_safepoint(point, &[]));
                assert!(m.attention_wanted());
                assert_eq!(m.statistics.collections, 0);
            });
        }
    }
    for_both!(run);
}
