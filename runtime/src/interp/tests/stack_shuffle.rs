use super::harness::{
    END, Ended, Function, execute, for_both, function_place, function_symbol, prepare, read,
    set_arguments, step, table, with_interpreter, with_symbol,
};
use crate::isa::Opcode;
use crate::layout::Generation;
use crate::memory::LispPtr;
use crate::testing::FRAME;

#[test]
fn elements_move() {
    table(Opcode::Copy, &[], &[("A B", "A B B")]);
    table(Opcode::CopyN, &[0], &[("A B", "A B B")]);
    table(Opcode::CopyN, &[2], &[("A B", "A B A")]);
    table(Opcode::CopyN, &[6], &[("A B C D", "A B C D A")]);
    table(Opcode::StoreN, &[0], &[("A B C", "A C C")]);
    table(Opcode::StoreN, &[2], &[("A B C", "C B C")]);
    table(Opcode::Pop, &[], &[("A B", "A"), ("A", "")]);
    table(Opcode::PopN, &[0], &[("A B C", "A B")]);
    table(Opcode::PopN, &[2], &[("A B C", ""), ("A B C D", "A")]);
    table(Opcode::Swap, &[], &[("A B C", "A C B")]);
    table(Opcode::Nop, &[], &[("", ""), ("A B", "A B")]);
    // Cells are moved whole.
    table(
        Opcode::Copy,
        &[],
        &[("0xffff0002", "0xffff0002 0xffff0002")],
    );
}

#[test]
fn arguments_are_counted_and_numbered() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            for count in [0u16, 1, 5] {
                let arguments: Vec<_> = (1..=count).map(LispPtr::character).collect();
                set_arguments(m, &arguments);
                let counted = execute(m, &[Opcode::MyArgCount as u8], &[]);
                assert_eq!(counted, Ended::Done(vec![LispPtr::smallpos(count)]));
                for number in 0..=6 {
                    let operand = [LispPtr::smallpos(number)];
                    let expected = match arguments.get(usize::from(number).wrapping_sub(1)) {
                        Some(&argument) => Ended::Done(vec![argument]),
                        None => Ended::Trapped(operand.to_vec()),
                    };
                    assert_eq!(execute(m, &[Opcode::Arg0 as u8], &operand), expected);
                }
            }
            for other in read(m, "-1 box:1 NIL 1.0") {
                let ended = execute(m, &[Opcode::Arg0 as u8], &[other]);
                assert_eq!(ended, Ended::Trapped(vec![other]));
            }
        });
    }
    for_both!(run);
}

#[test]
fn frames_know_their_callers() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            // The bottom frame has none.
            let ended = execute(m, &[Opcode::MyAlink as u8], &[]);
            assert_eq!(ended, Ended::Done(vec![LispPtr::smallpos(0)]));
            let code = [Opcode::MyAlink, Opcode::MyArgCount].map(|opcode| opcode as u8);
            Function {
                code: &code,
                ..Function::default()
            }
            .define(m, function_symbol(0), function_place(0));
            let call = with_symbol::<G>(Opcode::Fn3, function_symbol(0));
            let stack = read(m, "A B C");
            prepare(m, &[&call[..], &[END]].concat(), &stack);
            step(m);
            // A stack pointer of Lisp would make the frame slow.
            for slow in [false, true] {
                let registers = m.regs;
                if slow {
                    m.running_frame().make_slow();
                }
                step(m);
                assert_eq!(m.regs.tos, LispPtr::smallpos(FRAME.0));
                step(m);
                assert_eq!(m.regs.tos, LispPtr::smallpos(3));
                m.regs = registers;
            }
        });
    }
    for_both!(run);
}
