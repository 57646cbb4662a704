use super::harness::{
    END, Ended, START, define, execute, for_both, prepare, print, read, run, with_interpreter,
    with_symbol,
};
use crate::isa::Opcode;
use crate::isa::sub_opcodes::Miscn;
use crate::layout::Generation;
use crate::layout::records::frame::flag;
use crate::machine::Machine;
use crate::memory::LispPtr;
use crate::stack::Frame;

/// The functions of the tests: two values, none, those of a list.
const TWO: LispPtr = LispPtr(0x1E0);
const NONE: LispPtr = LispPtr(0x1E1);
const LISTED: LispPtr = LispPtr(0x1E2);
/// Others, defined by a test.
const OUTER: LispPtr = LispPtr(0x1E3);

const NIL: u8 = Opcode::Nil as u8;
const ONE: u8 = Opcode::One as u8;
const T: u8 = Opcode::T as u8;
const CONS: u8 = Opcode::Cons as u8;
const UNBIND: u8 = Opcode::Unbind as u8;
const RETURN: u8 = Opcode::Return as u8;
/// The value that BIND gives to the local.
const SIC7: [u8; 2] = [Opcode::Sic as u8, 7];
/// Binds local 1 to the top of stack.
const BIND: [u8; 3] = [Opcode::Bind as u8, 0x01, 1];

fn values(sub: Miscn, count: u8) -> [u8; 3] {
    [Opcode::Miscn as u8, sub as u8, count]
}

fn call<G: Generation>(function: LispPtr) -> Vec<u8> {
    with_symbol::<G>(Opcode::Fn0, function)
}

/// Code that wants a list of all values.
fn wanted<G: Generation>(m: &Machine<'_, G>) -> Vec<u8> {
    with_symbol::<G>(Opcode::Fn1, m.symbols.mvlist)
}

/// Runs `test` on a machine with the functions above.
fn with_functions<G: Generation>(test: impl FnOnce(&mut Machine<'_, G>)) {
    with_interpreter::<G>(|m| {
        let two = values(Miscn::Values, 2);
        let none = values(Miscn::Values, 0);
        let list = values(Miscn::ValuesList, 1);
        for (number, symbol, code) in [
            (1, TWO, [&[ONE, T], &two[..], &[RETURN]].concat()),
            // An element that is no operand stays under the values.
            (2, NONE, [&[T], &none[..], &[RETURN]].concat()),
            (3, LISTED, [&[ONE, T, CONS], &list[..], &[RETURN]].concat()),
            // One value: what \MVLIST is for.
            (
                4,
                m.symbols.mvlist,
                vec![Opcode::Ivar0 as u8, NIL, CONS, RETURN],
            ),
        ] {
            define(m, symbol, LispPtr(0x20_2000 + 0x800 * number), 1, &code);
        }
        test(m);
    });
}

/// The stack after `code`.
fn result<G: Generation>(m: &mut Machine<'_, G>, code: &[&[u8]]) -> String {
    let stack = run(m, &[&code.concat()[..], &[END; 8]].concat(), &[]);
    print(m, &stack)
}

#[test]
fn a_list_for_those_who_want_it() {
    fn run<G: Generation>() {
        with_functions::<G>(|m| {
            let [two, none, listed] = [TWO, NONE, LISTED].map(call::<G>);
            let wanted = wanted(m);
            assert_eq!(result(m, &[&two, &wanted]), "(1 T)");
            assert_eq!(result(m, &[&two]), "1");
            assert_eq!(result(m, &[&none, &wanted]), "NIL");
            assert_eq!(result(m, &[&none]), "NIL");
            assert_eq!(result(m, &[&listed, &wanted]), "(1 . T)");
            assert_eq!(result(m, &[&listed]), "1");
            // Not as the value of another function, and not after another
            // instruction.
            let copy = [Opcode::Copy as u8];
            assert_eq!(result(m, &[&two, &copy, &wanted]), "1 (1)");
            let other = with_symbol::<G>(Opcode::Fn1, TWO);
            assert_eq!(result(m, &[&two, &other, &wanted]), "(1 T)");
        });
    }
    for_both!(run);
}

#[test]
fn values_of_the_running_frame() {
    fn run<G: Generation>() {
        with_functions::<G>(|m| {
            let wanted = wanted(m);
            let (two, none) = (values(Miscn::Values, 2), values(Miscn::Values, 0));
            let list = values(Miscn::ValuesList, 1);
            let push = [ONE, T];
            assert_eq!(result(m, &[&[T], &push, &two, &wanted]), "T (1 T)");
            assert_eq!(result(m, &[&[T], &push, &two]), "T 1");
            assert_eq!(result(m, &[&[T], &none, &wanted]), "T NIL");
            assert_eq!(result(m, &[&[T], &none]), "T NIL");
            assert_eq!(result(m, &[&push, &list, &wanted]), "1 T");
            // Through an UNBIND, which is done although it is passed over.
            let unbound = [UNBIND];
            let code: [&[u8]; 6] = [&SIC7, &BIND, &push, &two, &unbound, &wanted];
            assert_eq!(result(m, &code), "(1 T)");
            assert_eq!(m.mem.slot(m.regs.pvar, 1), LispPtr::UNBOUND);
        });
    }
    for_both!(run);
}

#[test]
fn returns_and_jumps_are_followed() {
    fn run<G: Generation>() {
        with_functions::<G>(|m| {
            let (two, outer, wanted) = (call::<G>(TWO), call::<G>(OUTER), wanted(m));
            let place = LispPtr(0x20_6000);
            define(m, OUTER, place, 1, &[&two[..], &[RETURN]].concat());
            assert_eq!(result(m, &[&outer, &wanted]), "(1 T)");
            assert_eq!(result(m, &[&outer]), "1");
            // Over some bytes, forwards, forwards again, and forwards a third time.
            let jumps = [
                Opcode::Jump2 as u8,
                END,
                END,
                END,
                Opcode::JumpX as u8,
                3,
                END,
                Opcode::JumpXX as u8,
                0,
                5,
                END,
                END,
            ];
            assert_eq!(result(m, &[&two, &jumps, &wanted]), "(1 T)");
            // Backwards.
            let back = -(wanted.len() as i8 + two.len() as i8 + 2);
            let code: [&[u8]; 5] = [
                &[Opcode::JumpX as u8, wanted.len() as u8 + 4],
                &wanted,
                &[END, END],
                &two,
                &[Opcode::JumpX as u8, back as u8],
            ];
            assert_eq!(result(m, &code), "(1 T)");
            // A conditional jump wants to see one value.
            let test = [Opcode::NTJumpX as u8, 2];
            assert_eq!(result(m, &[&two, &test, &wanted]), "(1)");
        });
    }
    for_both!(run);
}

#[test]
fn bindings_of_the_receiver_are_undone() {
    fn run<G: Generation>() {
        with_functions::<G>(|m| {
            let (two, outer, wanted) = (call::<G>(TWO), call::<G>(OUTER), wanted(m));
            let unbound =
                |m: &Machine<'_, G>, slot: u8| m.mem.slot(m.regs.pvar, slot) == LispPtr::UNBOUND;
            let code: [&[u8]; 6] = [&[ONE], &SIC7, &BIND, &two, &[UNBIND], &wanted];
            assert_eq!(result(m, &code), "1 (1 T)");
            assert!(unbound(m, 1));
            // Two of them, with values on the stack in between.
            let bind2 = [Opcode::Bind as u8, 0x11, 3];
            let code: [&[u8]; 8] = [
                &[ONE],
                &SIC7,
                &BIND,
                &SIC7,
                &SIC7,
                &bind2,
                &two,
                &[UNBIND, UNBIND],
            ];
            assert_eq!(result(m, &[&code.concat(), &wanted]), "1 (1 T)");
            assert!(unbound(m, 1) && unbound(m, 2) && unbound(m, 3));
            // Those of a frame in between are its own business.
            let inner: [&[u8]; 5] = [&SIC7, &BIND, &two, &[UNBIND], &[RETURN]];
            define(m, OUTER, LispPtr(0x20_6000), 2, &inner.concat());
            assert_eq!(result(m, &[&[ONE], &outer, &wanted]), "1 (1 T)");
            let code: [&[u8]; 6] = [&[ONE], &SIC7, &BIND, &outer, &[UNBIND], &wanted];
            assert_eq!(result(m, &code), "1 (1 T)");
            // The stack is good for more calls.
            let more: [&[u8]; 2] = [&two, &wanted];
            let code = [code.concat(), more.concat(), more.concat()].concat();
            assert_eq!(result(m, &[&code]), "1 (1 T) (1 T) (1 T)");
        });
    }
    for_both!(run);
}

#[test]
fn an_interrupted_frame_wants_nothing() {
    fn run<G: Generation>() {
        with_functions::<G>(|m| {
            let call = call::<G>(TWO);
            prepare(m, &[&call[..], &wanted(m), &[END]].concat(), &[]);
            m.step();
            let caller = Frame::of_pvar(m.mem, m.regs.pvar).clink();
            caller.set_flags(caller.flags() | flag::NO_PUSH);
            while m.mem.code(m.regs.pc, 0) != RETURN {
                m.step();
            }
            assert_eq!(m.regs.tos, LispPtr::smallpos(1));
            assert_eq!(caller.pc_offset(), START + call.len() as u16);
        });
    }
    for_both!(run);
}

#[test]
fn other_sub_opcodes() {
    fn run<G: Generation>() {
        with_functions::<G>(|m| {
            for (sub, operands, expected) in [
                (Miscn::UserSubr as u8, "0 A", Some("A")),
                (Miscn::UserSubr as u8, "0 A B", Some("A")),
                (Miscn::UserSubr as u8, "0", None),
                (Miscn::UserSubr as u8, "1 A", None),
                (Miscn::UserSubr as u8, "NIL A", None),
                (Miscn::UserSubr as u8, "", None),
                (Miscn::CallC as u8, "A", Some("NIL")),
                (Miscn::CallC as u8, "", Some("NIL")),
                (Miscn::SxHash as u8, "", None),
                (Miscn::SxHash as u8, "5", Some("5")),
                (Miscn::EqlHashBits as u8, "A", None),
                (Miscn::FetchMethod as u8, "A B", None),
                (Miscn::FetchMethodOrHelp as u8, "A B", None),
                (Miscn::FindVarIndex as u8, "A B", None),
                (Miscn::GetIvValue as u8, "A B", None),
                (Miscn::PutIvValue as u8, "A B 1", None),
                (13, "A", None),
                (255, "A", None),
            ] {
                let stack = read(m, operands);
                let code = [Opcode::Miscn as u8, sub, stack.len() as u8];
                match (execute(m, &code, &stack), expected) {
                    (Ended::Done(after), Some(text)) => assert_eq!(print(m, &after), text),
                    (Ended::Trapped(after), None) => assert_eq!(after, stack),
                    (ended, _) => panic!("{sub} {operands}: {ended:?}"),
                }
            }
        });
    }
    for_both!(run);
}
