use super::harness::{
    END, FUNCTION, Function, check_stack, for_both, function_place, function_symbol, prepare,
    print, read, step, with_interpreter, with_symbol,
};
use crate::fault::Fault;
use crate::interp::Exit;
use crate::isa::Opcode;
use crate::layout::Generation;
use crate::layout::records::{block, frame, frame::flag, interface};
use crate::machine::Machine;
use crate::memory::{AttentionReason, CodePc, LispPtr, StackOffset};
use crate::stack::{BOTTOM, Frame};

const RETURN: u8 = Opcode::Return as u8;
/// The functions: one that calls the other in the middle of its work.
const OUTER: u32 = 0;
const INNER: u32 = 1;
/// What main has on its stack when it ends.
const RESULT: &str = "Z (((1 . T) . 7) . A)";

/// Runs `test` in the state before the inner function returns T: main has called the
/// outer function with A, which has called the inner one with B and C. The whole
/// stack consists of blocks.
fn before_return<G: Generation>(test: impl FnOnce(&mut Machine<'_, G>)) {
    with_interpreter::<G>(|m| {
        m.free_stack(m.stack_base(), m.ivar);
        let call = |opcode, number| with_symbol::<G>(opcode, function_symbol(number));
        // (CONS (CONS (CONS 1 (INNER ..)) local 0) argument 0), local 0 being 7.
        let first = [
            Opcode::Sic as u8,
            7,
            Opcode::PvarSetPop0 as u8,
            Opcode::One as u8,
        ];
        let arguments = [Opcode::Sic as u8, b'B', Opcode::Sic as u8, b'C'];
        let rest = [
            Opcode::Cons,
            Opcode::Pvar0,
            Opcode::Cons,
            Opcode::Ivar0,
            Opcode::Cons,
        ];
        let rest = rest.map(|opcode| opcode as u8);
        let inner = call(Opcode::Fn2, INNER);
        let code: [&[u8]; 5] = [&first, &arguments, &inner, &rest, &[RETURN]];
        Function {
            arguments: 1,
            quads: 1,
            code: &code.concat(),
            ..Function::default()
        }
        .define(m, function_symbol(OUTER), function_place(OUTER));
        Function {
            arguments: 2,
            quads: 2,
            code: &[Opcode::T as u8, RETURN],
            ..Function::default()
        }
        .define(m, function_symbol(INNER), function_place(INNER));
        let stack = read(m, "Z A");
        prepare(
            m,
            &[&call(Opcode::Fn1, OUTER)[..], &[END; 4]].concat(),
            &stack,
        );
        while m.mem.code(m.regs.pc, 0) != RETURN {
            assert_eq!(step(m), Exit::Continue);
        }
        assert_eq!(m.func, function_place(INNER));
        check_stack(m);
        test(m);
    });
}

/// Executes until main is at its end; answers its stack.
fn finish<G: Generation>(m: &mut Machine<'_, G>) -> String {
    while m.func != FUNCTION || m.mem.code(m.regs.pc, 0) != END {
        assert_eq!(step(m), Exit::Continue, "{:?}", m.fault);
    }
    check_stack(m);
    // Behind eight locals; the cell there lies under the stack.
    let base = m.regs.pvar.add(16 + 2);
    let cells: Vec<_> = (base.0..=m.regs.sp.0)
        .step_by(2)
        .map(|at| m.mem.stack(StackOffset(at)))
        .collect();
    print(m, &cells)
}

/// Returns once; answers the function returned to and its top of stack.
fn return_once<G: Generation>(m: &mut Machine<'_, G>) -> (LispPtr, LispPtr) {
    assert_eq!(step(m), Exit::Continue, "{:?}", m.fault);
    (m.func, m.regs.tos)
}

const TO_OUTER: LispPtr = LispPtr(0x20_8000);

fn basic_frame_count<G: Generation>(m: &Machine<'_, G>, frame: Frame<'_, G>) -> u16 {
    m.mem.stack_word(frame.basic_frame()) & flag::USE_COUNT
}

#[test]
fn fast_and_slow_returns_do_the_same() {
    fn run<G: Generation>() {
        for slow in [false, true] {
            before_return::<G>(|m| {
                let (end, outer, ivar) = (m.end, m.running_frame().clink(), m.ivar);
                if slow {
                    m.running_frame().make_slow();
                }
                assert_eq!(return_once(m), (TO_OUTER, LispPtr::T));
                assert_eq!(m.running_frame().fx, outer.fx);
                assert_eq!((m.regs.sp, m.ivar), (ivar, outer.ivar()));
                assert_eq!(m.end, end);
                assert_eq!(finish(m), RESULT);
            });
        }
    }
    for_both!(run);
}

#[test]
fn the_place_of_the_result_is_read_from_memory() {
    // \MISCN.UFN drops operands of its caller so.
    fn run<G: Generation>() {
        for slow in [false, true] {
            before_return::<G>(|m| {
                let running = m.running_frame();
                let lower = running.ivar().sub(2);
                m.mem.set_stack_word(running.fx.sub(1), lower.0);
                running.clink().set_next_block(lower);
                if slow {
                    running.make_slow();
                }
                assert_eq!(return_once(m), (TO_OUTER, LispPtr::T));
                assert_eq!(m.regs.sp, lower, "in the place of the 1");
                check_stack(m);
            });
        }
    }
    for_both!(run);
}

#[test]
fn returns_poll_in_the_caller() {
    fn run<G: Generation>() {
        for slow in [false, true] {
            before_return::<G>(|m| {
                if slow {
                    m.running_frame().make_slow();
                }
                m.mem.control().raise(AttentionReason::Host);
                assert_eq!(step(m), Exit::Attention);
                assert_eq!((m.func, m.regs.tos), (TO_OUTER, LispPtr::T));
                assert_eq!(finish(m), RESULT);
            });
        }
    }
    for_both!(run);
}

#[test]
fn interrupted_frames_keep_their_own_top() {
    fn run<G: Generation>() {
        for arguments in [0, 2] {
            before_return::<G>(|m| {
                Function {
                    arguments,
                    quads: 1,
                    code: &[Opcode::Nil as u8, RETURN],
                    ..Function::default()
                }
                .define(m, function_symbol(2), function_place(2));
                let before = (m.regs, m.end, m.func, m.ivar);
                let interrupted = m.running_frame();
                m.interrupt_call(function_symbol(2), "", LispPtr::NIL)
                    .unwrap();
                assert_eq!(m.func, function_place(2));
                assert_ne!(interrupted.flags() & flag::NO_PUSH, 0);
                assert!(m.running_frame().is_slow());
                assert_eq!(
                    (m.running_frame().basic_frame().0 - m.ivar.0) / 2,
                    arguments as u16
                );
                assert_eq!(m.mem.slot(m.regs.pvar, 1), LispPtr::UNBOUND);
                step(m);
                return_once(m);
                assert_eq!((m.regs, m.end, m.func, m.ivar), before);
                assert_eq!(interrupted.flags(), flag::KIND);
                assert_eq!(finish(m), RESULT);
            });
        }
    }
    for_both!(run);
}

#[test]
fn shared_callers_are_copied() {
    fn run<G: Generation>() {
        before_return::<G>(|m| {
            let outer = m.running_frame().clink();
            m.increment_use(outer);
            assert!(
                m.running_frame().is_slow(),
                "it cannot return into a shared frame"
            );
            let (pc, next) = (outer.pc_offset(), outer.next_block());
            assert_eq!(return_once(m), (TO_OUTER, LispPtr::T));
            let copy = m.running_frame();
            assert_ne!(copy.fx, outer.fx);
            assert!(copy.is_residual() && copy.is_slow());
            assert_eq!(copy.use_count(), 0);
            // The arguments exist once, for two frames.
            assert_eq!(
                (copy.ivar(), copy.basic_frame()),
                (outer.ivar(), outer.fx.sub(2))
            );
            assert_eq!(basic_frame_count(m, outer), 1);
            // The original waits as it was, for the other holder.
            assert_eq!(outer.use_count(), 0);
            assert_eq!((outer.pc_offset(), outer.next_block()), (pc, next));
            assert_eq!(outer.clink().use_count(), 1, "two frames return into main");
            assert_eq!(finish(m), RESULT);
            // Main was shared by then and has been copied too.
            assert_eq!(basic_frame_count(m, outer), 0);
            assert_eq!(outer.clink().use_count(), 0);
            // The other holder returns to the original.
            let other = with_symbol::<G>(Opcode::Fn2, function_symbol(INNER));
            let at = i32::from(m.regs.pc.offset_in(m.func));
            for (offset, byte) in (at..).zip(other) {
                m.mem.set_byte(FUNCTION, offset, byte);
            }
            step(m);
            step(m);
            let running = m.running_frame();
            running.make_slow();
            running.set_alink_word(outer.pvar().0 | 1);
            running.set_clink(outer);
            assert_eq!(return_once(m), (TO_OUTER, LispPtr::T));
            assert_eq!(m.running_frame().fx, outer.fx);
            check_stack(m);
            for _ in 0..6 {
                step(m);
            }
            assert_eq!(m.func, FUNCTION);
            assert_eq!(print(m, &[m.regs.tos]), &RESULT[2..]);
        });
    }
    for_both!(run);
}

#[test]
fn shared_arguments_stay() {
    fn run<G: Generation>() {
        before_return::<G>(|m| {
            // A copy of the inner frame waits somewhere; the arguments are its too.
            let inner = m.running_frame();
            inner.make_slow();
            let basic = inner.basic_frame();
            m.mem.set_stack_word(basic, block::BASIC_FRAME + 1);
            let arguments = [0, 2].map(|n| m.ivar.add(n));
            assert_eq!(return_once(m), (TO_OUTER, LispPtr::T));
            assert_eq!(
                m.mem.stack_word(basic),
                block::BASIC_FRAME,
                "one holder less"
            );
            assert_ne!(
                m.regs.sp, arguments[0],
                "the caller goes on in another place"
            );
            assert_eq!(finish(m), RESULT);
            let values = arguments.map(|at| m.mem.stack(at));
            assert_eq!(print(m, &values), "66 67");
            assert_eq!(m.block_kind(basic), block::BASIC_FRAME);
        });
    }
    for_both!(run);
}

#[test]
fn callers_without_room_behind_are_copied() {
    fn run<G: Generation>() {
        before_return::<G>(|m| {
            // Straight to main, which still has the outer function's arguments behind
            // it, because another process goes on there.
            let inner = m.running_frame();
            let outer = inner.clink();
            let main = outer.clink();
            inner.make_slow();
            inner.set_alink_word(main.pvar().0 | 1);
            inner.set_clink(main);
            m.increment_use(main);
            assert_eq!(return_once(m), (FUNCTION, LispPtr::T));
            assert_ne!(m.running_frame().fx, main.fx);
            assert_eq!(finish(m), "Z T");
            assert_eq!(main.use_count(), 0, "the outer frame's");
            // The original waits for the outer function; the arguments are of both.
            let copy = m.running_frame();
            assert_eq!(basic_frame_count(m, copy), 1);
        });
    }
    for_both!(run);
}

#[test]
fn access_links_are_released() {
    fn run<G: Generation>() {
        before_return::<G>(|m| {
            let inner = m.running_frame();
            let (outer, main) = (inner.clink(), inner.clink().clink());
            // An interpreted function that sees main's variables.
            m.increment_use(main);
            inner.make_slow();
            inner.set_alink_word(main.pvar().0 | 1);
            assert_eq!(return_once(m), (TO_OUTER, LispPtr::T));
            assert_eq!(m.running_frame().fx, outer.fx);
            assert_eq!(main.use_count(), 0);
            assert_eq!(finish(m), RESULT);
        });
    }
    for_both!(run);
}

#[test]
fn unreferenced_frames_are_freed() {
    fn run<G: Generation>() {
        before_return::<G>(|m| {
            // The inner function returns to main; nobody else wants the outer one.
            let inner = m.running_frame();
            let (outer, main) = (inner.clink(), inner.clink().clink());
            m.increment_use(main);
            inner.make_slow();
            inner.set_clink(main);
            assert_eq!(return_once(m), (FUNCTION, LispPtr::T));
            // Its frame and arguments are free, so main has room in its place.
            assert_eq!(m.running_frame().fx, main.fx);
            assert_eq!(main.use_count(), 0);
            assert!(m.regs.sp < outer.fx);
            assert_eq!(finish(m), "Z T");
        });
    }
    for_both!(run);
}

#[test]
fn broken_frames_are_faults() {
    fn run<G: Generation>() {
        before_return::<G>(|m| {
            let outer = m.running_frame().clink();
            m.running_frame().make_slow();
            outer.set_flags(outer.flags() | flag::IN_CALL);
            assert_eq!(step(m), Exit::Fault);
            assert_eq!(m.fault, Some(Fault::FrameInCall { frame: outer.fx }));
        });
        before_return::<G>(|m| {
            // Links to what is no frame: nothing hangs.
            for (alink, clink) in [(BOTTOM, 0), (BOTTOM, 0xFFFF), (0xFFFF, 0x1905)] {
                let running = m.running_frame();
                running.set_alink_word(alink);
                running.set_clink(Frame::at(m.mem, StackOffset(clink)));
                let (registers, end, func, ivar) = (m.regs, m.end, m.func, m.ivar);
                m.step();
                m.fault = None;
                (m.regs, m.end, m.func, m.ivar) = (registers, end, func, ivar);
                m.set_stack_limit();
            }
        });
        before_return::<G>(|m| {
            let outer = m.running_frame().clink();
            outer.set_flags(flag::KIND | 200);
            m.increment_use(outer);
            assert_eq!(m.fault, Some(Fault::UseCount { frame: outer.fx }));
        });
    }
    for_both!(run);
}

#[test]
fn contexts_are_switched() {
    const CONTEXT: u16 = 5;
    fn run<G: Generation>() {
        before_return::<G>(|m| {
            // A system context, suspended before it switches to whoever waits, with
            // its number on its stack.
            let at = StackOffset(0x300);
            let other = Frame::at(m.mem, at);
            let place = function_place(2);
            let code = [Opcode::ContextSwitch as u8, Opcode::Copy as u8];
            Function {
                code: &code,
                ..Function::default()
            }
            .place(m, place);
            m.mem.set_stack_word(at.sub(2), block::BASIC_FRAME);
            m.mem.set_stack_word(at.sub(1), at.sub(2).0);
            other.set_flags(flag::KIND | flag::NO_PUSH);
            other.set_alink_word(BOTTOM);
            m.mem
                .set_stack(at.add(frame::FUNCTION), G::to_frame_pointer(place));
            other.set_pc_offset(16);
            let next = other.pvar().add(2);
            let number = LispPtr::smallpos(CONTEXT);
            m.mem.set_stack(next.sub(2), number);
            other.set_next_block(next);
            m.free_stack(next, StackOffset(0x5FE));
            m.mem.set_stack_word(StackOffset(0x5FE), block::BASIC_FRAME);
            m.set_interface_word(CONTEXT.into(), other.fx.0);

            let user = m.running_frame();
            let pc = m.regs.pc;
            m.mem.set_byte(
                m.func,
                i32::from(pc.offset_in(m.func)),
                Opcode::ContextSwitch as u8,
            );
            m.regs.tos = number;
            assert_eq!(step(m), Exit::Continue);
            assert_eq!(
                m.interface_word(CONTEXT.into()),
                user.fx.0,
                "they have changed places"
            );
            assert_eq!(
                (m.func, m.regs.pvar, m.ivar),
                (place, other.pvar(), at.sub(2))
            );
            assert_eq!((m.regs.sp, m.regs.tos), (next.sub(2), number));
            assert_eq!(m.end, StackOffset(0x5FE));
            assert_eq!(other.flags(), flag::KIND);
            assert_ne!(user.flags() & flag::NO_PUSH, 0);
            assert_eq!(user.pc(), pc.jump(1));

            // And back, where somebody wants attention.
            m.mem.control().raise(AttentionReason::Host);
            assert_eq!(step(m), Exit::Attention);
            assert_eq!(m.interface_word(CONTEXT.into()), other.fx.0);
            assert_eq!(
                (m.func, m.running_frame().fx),
                (function_place(INNER), user.fx)
            );
            assert_eq!(m.regs.pc, pc.jump(1));
            assert_eq!(m.regs.tos, LispPtr(CONTEXT.into()), "the bare number");
            assert_eq!(m.end, m.end_of_stack());
            check_stack(m);
            // A frame that was not suspended so gets an element more.
            other.set_flags(flag::KIND);
            m.regs.pc = pc;
            m.regs.tos = number;
            assert_eq!(step(m), Exit::Continue);
            assert_eq!(m.regs.sp, next);
        });
        before_return::<G>(|m| {
            // No context there.
            m.set_interface_word(interface::MISC_FRAME, 0x1900);
            m.regs.pc = CodePc::new(FUNCTION, 16);
            m.mem.set_byte(FUNCTION, 16, Opcode::ContextSwitch as u8);
            m.regs.tos = LispPtr::smallpos(interface::MISC_FRAME as u16);
            assert_eq!(step(m), Exit::Fault);
            assert!(matches!(m.fault, Some(Fault::NextBlockNotFree { .. })));
        });
    }
    for_both!(run);
}
