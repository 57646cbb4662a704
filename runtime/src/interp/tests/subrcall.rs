use super::harness::{
    END, FUNCTION, Function, START, for_both, function_place, prepare, print, read, step, table,
    with_interpreter,
};
use crate::fault::Fault;
use crate::interp::Exit;
use crate::isa::Opcode;
use crate::isa::sub_opcodes::Subr;
use crate::layout::Generation;
use crate::memory::{AttentionReason, CodePc, LispPtr};
use crate::stack::Frame;

fn code(service: Subr, count: u8) -> [u8; 3] {
    [Opcode::SubrCall as u8, service as u8, count]
}

#[test]
fn a_value_replaces_the_arguments() {
    let password = Subr::CheckBcplPassword as u8;
    for (operand, rows) in [
        ([password, 0], [("A", "A T"), ("", "T")]),
        ([password, 2], [("A B C", "A T"), ("B C", "T")]),
        // A service without a value answers its last argument.
        ([Subr::DspBout as u8, 1], [("A 65", "A 65"), ("65", "65")]),
        // The first argument is the lowest: the sum of no words, from 5 on.
        (
            [Subr::CheckSum as u8, 3],
            [("A 0x210000 0 5", "A 5"), ("0 0 7", "7")],
        ),
        // Unknown services answer NIL.
        ([255, 0], [("A", "A NIL"), ("", "NIL")]),
        ([255, 2], [("A B C", "A NIL"), ("B C", "NIL")]),
    ] {
        table(Opcode::SubrCall, &operand, &rows);
    }
    let many = format!("A {}", "B ".repeat(20));
    table(Opcode::SubrCall, &[password, 20], &[(&many, "A T")]);
}

#[test]
fn services_can_leave_their_work_to_lisp() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            let code = code(Subr::BitBltBitmap, 14);
            let callee = function_place(0);
            let body = [Opcode::Ivar0, Opcode::IvarX, Opcode::Cons].map(|opcode| opcode as u8);
            let body = [&body[..2], &[2 * 13], &body[2..], &[Opcode::Return as u8]].concat();
            Function {
                arguments: 14,
                code: &body,
                ..Function::default()
            }
            .define(m, m.symbols.punt_bitblt_bitmap, callee);
            // Neither is a bitmap.
            let stack = read(m, "Z A 1 2 B 3 4 5 6 7 8 9 10 11 12");
            let base = prepare(m, &[&code[..], &[END]].concat(), &stack);
            m.mem.control().raise(AttentionReason::Machine);
            let before = m.regs;
            step(m);
            assert_eq!(m.regs, before, "a call polls first");
            step(m);
            assert_eq!(m.func, callee);
            assert_eq!(Frame::of_pvar(m.mem, before.pvar).pc_offset(), START + 3);
            while m.func != FUNCTION {
                step(m);
            }
            assert_eq!(m.regs.sp, base.add(4));
            assert_eq!(print(m, &[m.regs.tos]), "(A . 12)");
        });
    }
    for_both!(run);
}

#[test]
fn the_end_of_the_session() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            for (arguments, status) in [("", 0), ("A", 0), ("A NIL", 0), ("A 7", 7)] {
                let stack = read(m, arguments);
                let count = stack.len() as u8;
                prepare(m, &code(Subr::LispFinish, count), &stack);
                assert_eq!(step(m), Exit::Finished);
                assert_eq!(m.exit_status, status);
                // Lisp could go on.
                assert_eq!(m.regs.pc, CodePc::new(FUNCTION, START + 3));
                assert_eq!(m.regs.tos, LispPtr::NIL);
            }
        });
    }
    for_both!(run);
}

#[test]
fn faults_stop_at_the_service() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            let stack = read(m, "5 A B");
            prepare(m, &code(Subr::Raid, 3), &stack);
            let before = m.regs;
            assert_eq!(step(m), Exit::Fault);
            assert!(matches!(m.fault, Some(Fault::Raid { .. })));
            assert_eq!(m.regs, before);
        });
    }
    for_both!(run);
}

#[test]
fn requests_of_services_are_served_at_once() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            let callee = function_place(0);
            Function::default().define(m, m.symbols.interrupt_frame, callee);
            prepare(m, &code(Subr::CauseInterrupt, 0), &[]);
            assert_eq!(step(m), Exit::Continue);
            assert_eq!(m.func, callee);
            let interrupted = m.running_frame().clink();
            assert_eq!(interrupted.pc_offset(), START + 3);
            let top = m.mem.stack(interrupted.next_block().sub(2));
            assert_eq!(top, LispPtr::T, "the value of the service");
        });
    }
    for_both!(run);
}
