use super::{BOTTOM, Frame};
use crate::fault::Fault;
use crate::interp::Exit;
use crate::interp::harness::{
    END, FUNCTION, Function, check_stack, for_both, function_place, function_symbol, prepare, step,
    with_interpreter, with_symbol,
};
use crate::isa::Opcode;
use crate::layout::Generation;
use crate::layout::records::{block, frame, frame::flag, interface, interrupt};
use crate::machine::Machine;
use crate::memory::{LispPtr, StackOffset};
use crate::testing::FRAME;

/// Pairs of locals of the recursive function.
const QUADS: u16 = 8;
/// Words that a recursion takes: argument, basic frame cell, frame, locals.
const RECURSION: u16 = 2 + 2 + frame::WORDS + 4 * QUADS;
/// The cell with the interrupts that Lisp has been told of.
const INTERRUPTS: LispPtr = LispPtr(0x21_0000);
/// The end of the stack at the start.
const START: StackOffset = StackOffset(0x2FFE);
/// Where the guard zone starts in tests that get there.
const GUARD: u16 = 0x4000;

/// A machine with a function that counts its argument down to 0, recursively, and
/// the result up again; with free space from main to the end of the stack, and a
/// function for interrupts.
fn with_recursion<G: Generation>(test: impl FnOnce(&mut Machine<'_, G>)) {
    with_interpreter::<G>(|m| {
        m.free_stack(m.stack_base(), m.ivar);
        let start = [
            Opcode::Ivar0,
            Opcode::Zero,
            Opcode::Eq,
            Opcode::FJump1,
            Opcode::Zero,
            Opcode::Return,
            Opcode::Ivar0,
            Opcode::One,
            Opcode::IDifference,
        ];
        let again = with_symbol::<G>(Opcode::Fn1, function_symbol(0));
        let rest = [Opcode::One, Opcode::IPlus2, Opcode::Return];
        let code: [&[u8]; 3] = [&start.map(|o| o as u8), &again, &rest.map(|o| o as u8)];
        Function {
            stack_min: RECURSION + 20,
            arguments: 1,
            quads: QUADS,
            code: &code.concat(),
            ..Function::default()
        }
        .define(m, function_symbol(0), function_place(0));
        let code = [Opcode::Nil, Opcode::Return].map(|o| o as u8);
        Function {
            quads: 1,
            code: &code,
            ..Function::default()
        }
        .define(m, m.symbols.interrupt_frame, function_place(1));
        m.set_value(m.symbols.interrupt_state, INTERRUPTS);
        test(m);
    });
}

/// Main is about to start a recursion.
fn before_recursion<G: Generation>(m: &mut Machine<'_, G>, depth: u16) {
    let call = with_symbol::<G>(Opcode::Fn1, function_symbol(0));
    let code = [&call[..], &[END]].concat();
    prepare(m, &code, &[LispPtr::smallpos(depth)]);
}

/// The value of a recursion, and how often an interrupt was taken.
fn recurse<G: Generation>(m: &mut Machine<'_, G>, depth: u16) -> (LispPtr, u32) {
    before_recursion(m, depth);
    let mut interrupts = 0;
    while m.func != FUNCTION || m.mem.code(m.regs.pc, 0) != END {
        let func = m.func;
        assert_eq!(step(m), Exit::Continue, "{:?}", m.fault);
        interrupts += u32::from(m.func != func && m.func == function_place(1));
    }
    (m.regs.tos, interrupts)
}

/// The frames on the stack, in order of their addresses.
fn frames<G: Generation>(m: &Machine<'_, G>) -> Vec<StackOffset> {
    check_stack(m);
    let mut frames = Vec::new();
    let mut at = m.stack_base();
    while at != m.end_of_stack() {
        match m.block_kind(at) {
            block::FREE => at = at.add(m.block_size(at)),
            block::FRAME => {
                frames.push(at);
                at = Frame::at(m.mem, at).next_block();
            }
            _ => at = at.add(2),
        }
    }
    frames
}

/// Puts a frame of somebody else at `at`, so that the running frame can only grow up
/// to there.
fn obstacle<G: Generation>(m: &mut Machine<'_, G>, at: StackOffset) -> StackOffset {
    let word = u32::from(block::BASIC_FRAME) << 16 | u32::from(at.0);
    m.mem.set_stack(at, LispPtr(word));
    let other = Frame::at(m.mem, at.add(2));
    other.set_flags(flag::KIND);
    other.set_alink_word(BOTTOM);
    let next = other.pvar().add(4);
    other.set_next_block(next);
    m.free_stack(next, m.end_of_stack());
    m.end = at;
    m.set_stack_limit();
    other.fx
}

#[test]
fn the_last_frame_extends_the_stack() {
    fn run<G: Generation>() {
        with_recursion::<G>(|m| {
            for depth in [10, 100, 1000] {
                let value = LispPtr::smallpos(depth);
                assert_eq!(recurse(m, depth), (value, 0), "no interrupt");
                assert_eq!(frames(m), [FRAME]);
                let extended = m.end_of_stack() != START;
                assert_eq!(extended, FRAME.0 + depth * RECURSION > START.0);
            }
        });
    }
    for_both!(run);
}

#[test]
fn frames_move_past_others() {
    fn run<G: Generation>() {
        // At every alignment, so that main has to move or one of the recursions.
        for at in (0x1940..0x1A40).step_by(2) {
            with_recursion::<G>(|m| {
                let other = obstacle(m, StackOffset(at));
                assert_eq!(recurse(m, 20), (LispPtr::smallpos(20), 0));
                // Everything else has been freed.
                let frames = frames(m);
                let main = m.running_frame();
                assert_eq!(frames.len(), 2, "{at:x}: {frames:?}");
                assert!(frames.contains(&other) && frames.contains(&main.fx));
                assert_eq!(main.basic_frame(), FRAME.sub(2), "arguments stay");
                assert_eq!(m.end_of_stack(), START, "there was room enough");
            });
        }
    }
    for_both!(run);
}

#[test]
fn a_moved_frame_may_take_operands_of_its_caller() {
    fn run<G: Generation>() {
        let mut seen = [0; 2];
        for at in (0x1940..0x1A40).step_by(2) {
            with_recursion::<G>(|m| {
                obstacle(m, StackOffset(at));
                let call = with_symbol::<G>(Opcode::Fn1, function_symbol(0));
                let code = [&call[..], &[END]].concat();
                prepare(m, &code, &[LispPtr::T, LispPtr::smallpos(1)]);
                let depth = m.depth();
                // What main called is moved, if at all, by its own call.
                let called_by = |m: &Machine<'_, G>| m.running_frame().alink().function();
                for caller in [FUNCTION, function_place(0), FUNCTION] {
                    while m.func == FUNCTION || called_by(m) != caller {
                        assert_eq!(step(m), Exit::Continue, "{:?}", m.fault);
                    }
                }
                // As `\MISCN.UFN` has its value replace one operand more than it was called with.
                let frame = m.running_frame();
                let first = m.ivar.sub(2);
                let word = u32::from(frame.front_flags()) << 16 | u32::from(first.0);
                m.mem.set_stack(frame.fx.sub(2), LispPtr(word));
                frame.alink().set_next_block(first);
                seen[usize::from(frame.is_residual())] += 1;
                while m.func != FUNCTION {
                    assert_eq!(step(m), Exit::Continue, "{at:x}: {:?}", m.fault);
                }
                assert_eq!(m.regs.tos, LispPtr::smallpos(1));
                assert_eq!(m.depth(), depth - 1, "{at:x}");
                assert_eq!(frames(m).len(), 2, "{at:x}");
            });
        }
        assert!(seen.iter().all(|&times| times > 4), "{seen:?}");
    }
    for_both!(run);
}

#[test]
fn a_moved_frame_stands_behind_a_substitute() {
    fn run<G: Generation>() {
        for at in [0x1A00, 0x1A02] {
            with_recursion::<G>(|m| {
                let at = StackOffset(at);
                let other = Frame::at(m.mem, obstacle(m, at));
                let old = m.running_frame();
                // A name table among its locals, which is found by quad-words.
                const TABLE: u16 = frame::WORDS + 4;
                old.set_flags(flag::KIND | flag::VALID_NAME_TABLE);
                old.set_own_name_table(FRAME.add(TABLE).address());
                before_recursion(m, 1);
                let registers = m.regs;
                let sizes = |m: &Machine<'_, G>| m.regs.sp.0 - m.regs.pvar.0;
                let size = sizes(m);
                m.handle_stack_overflow().expect("room");
                let moved = m.running_frame();
                assert!(moved.fx > other.fx);
                assert_eq!(moved.fx.0 % 4, FRAME.0 % 4);
                assert_eq!(moved.own_name_table(), moved.fx.add(TABLE).address());
                assert!(moved.is_slow() && moved.is_residual());
                assert_eq!(moved.basic_frame(), FRAME.sub(2));
                assert_eq!((moved.alink_word(), moved.ivar()), (BOTTOM, m.ivar));
                // The same elements, and more room.
                assert_eq!((m.regs.pc, m.regs.tos), (registers.pc, registers.tos));
                assert_eq!(sizes(m), size);
                assert_eq!(m.mem.stack(m.regs.sp), LispPtr::smallpos(1));
                assert_eq!(m.end, m.end_of_stack());
                // Its old place is free, without the arguments.
                assert_eq!(m.block_kind(FRAME.sub(2)), block::BASIC_FRAME);
                assert_eq!(m.end_of_free_run(FRAME), at);
                assert_eq!(frames(m), [other.fx, moved.fx]);
                // Once more: now the stand-in is freed too.
                let at = m.regs.sp.add(0x40);
                let second = obstacle(m, at);
                m.handle_stack_overflow().expect("room");
                let again = m.running_frame();
                assert!(again.fx > second);
                assert_eq!(again.basic_frame(), FRAME.sub(2));
                assert_eq!(m.end_of_free_run(moved.fx.sub(2)), at);
                assert_eq!(frames(m), [other.fx, second, again.fx]);
            });
        }
    }
    for_both!(run);
}

#[test]
fn free_neighbours_are_merged() {
    fn run<G: Generation>() {
        with_recursion::<G>(|m| {
            // Others have freed what is behind.
            let at = StackOffset(0x1A00);
            m.free_stack(at, at.add(0x100));
            m.free_stack(at.add(0x100), m.end_of_stack());
            m.end = at;
            m.set_stack_limit();
            assert_eq!(recurse(m, 20), (LispPtr::smallpos(20), 0));
            assert_eq!(frames(m), [FRAME], "it stays");
            assert_eq!(m.end_of_stack(), START);
        });
    }
    for_both!(run);
}

#[test]
fn lisp_is_told_of_the_guard_zone_once() {
    fn run<G: Generation>() {
        with_recursion::<G>(|m| {
            m.set_value(m.symbols.guard_stack_address, LispPtr::smallpos(GUARD));
            let bits = |m: &Machine<'_, G>| m.mem.cell(INTERRUPTS).0;
            let deep = (GUARD - FRAME.0) / RECURSION + 50;
            assert_eq!(recurse(m, 100), (LispPtr::smallpos(100), 0));
            assert_eq!(bits(m), 0);
            assert_eq!(recurse(m, deep), (LispPtr::smallpos(deep), 1));
            assert_eq!(m.value(m.symbols.stack_overflow), LispPtr::T);
            // The request, and its copy for the function that serves it.
            let request = interrupt::STACK_OVERFLOW;
            assert_eq!(bits(m), request | request >> 8);
            assert_eq!(recurse(m, deep), (LispPtr::smallpos(deep), 0));
            // Lisp has recovered: again.
            m.set_value(m.symbols.stack_overflow, LispPtr::NIL);
            assert_eq!(recurse(m, deep + 100), (LispPtr::smallpos(deep + 100), 1));
            assert_eq!(frames(m), [FRAME]);
        });
    }
    for_both!(run);
}

#[test]
fn a_full_stack_is_given_up() {
    fn run<G: Generation>() {
        with_recursion::<G>(|m| {
            let last = LispPtr::smallpos(GUARD + 0x400);
            m.set_value(m.symbols.guard_stack_address, LispPtr::smallpos(GUARD));
            m.set_value(m.symbols.last_stack_address, last);
            // The context that starts afresh waits below the user stack.
            let reset = Frame::at(m.mem, StackOffset(0x300));
            Function::default().place(m, function_place(2));
            let basic = u32::from(block::BASIC_FRAME) << 16 | 0x2FE;
            m.mem.set_stack(reset.fx.sub(2), LispPtr(basic));
            reset.set_flags(flag::KIND | flag::NO_PUSH);
            reset.set_alink_word(BOTTOM);
            let function = G::to_frame_pointer(function_place(2));
            m.mem.set_stack(reset.fx.add(frame::FUNCTION), function);
            let next = reset.pvar().add(2);
            reset.set_next_block(next);
            m.free_stack(next, StackOffset(0x5FE));
            m.set_interface_word(interface::RESET_FRAME, reset.fx.0);

            before_recursion(m, 2000);
            let mut interrupts = 0;
            while m.func != function_place(2) {
                let func = m.func;
                assert_eq!(step(m), Exit::Continue, "{:?}", m.fault);
                interrupts += u32::from(m.func != func && m.func == function_place(1));
            }
            assert_eq!((interrupts, m.statistics.hard_resets), (1, 1));
            assert_eq!(m.running_frame().fx, reset.fx);
            assert_eq!(m.end, StackOffset(0x5FE));
            // What ran is kept for whoever wants to look at it.
            let given_up = m.interface_word(interface::RESET_FRAME);
            let given_up = Frame::at(m.mem, StackOffset(given_up));
            assert_eq!(given_up.function(), function_place(0));
            assert!(m.end_of_stack().0 >= last.lo());
        });
    }
    for_both!(run);
}

#[test]
fn a_neighbour_of_no_size_gives_no_room() {
    fn run<G: Generation>() {
        with_recursion::<G>(|m| {
            let at = StackOffset(0x1A00);
            m.free_stack(at, at.add(0x100));
            m.set_block(at, block::FREE, 0);
            m.end = at;
            m.set_stack_limit();
            before_recursion(m, 20);
            while step(m) != Exit::Fault {}
            let word = block::FREE;
            assert_eq!(m.fault, Some(Fault::BadStackBlock { at, word }));
        });
    }
    for_both!(run);
}

#[test]
fn free_space_inside_the_frame_gives_no_room() {
    fn run<G: Generation>() {
        with_recursion::<G>(|m| {
            m.set_value(m.symbols.guard_stack_address, LispPtr::smallpos(0x2000));
            before_recursion(m, 1);
            let inside = m.regs.pvar;
            m.free_stack(inside, m.end);
            m.mem.set_stack_word(FRAME, 0);
            let result = m.handle_stack_overflow();
            assert!(matches!(result, Err(Fault::BadStackBlock { .. })));
        });
    }
    for_both!(run);
}
