//! Whatever code Lisp executes on whatever objects, the machine goes on or says
//! why it cannot: nothing here may panic.

use proptest::prelude::*;

use super::harness::{FUNCTION, START, prepare, read, with_interpreter};
use crate::interp::Exit;
use crate::isa::{Opcode, Poll};
use crate::layout::{Generation, Medley2, Medley3};
use crate::memory::{AttentionReason, LispPtr};

/// Objects of all types, and memory that is none.
const OBJECTS: &str = "NIL T A 0 1 -1 7 65535 -65536 70000 -70000 2147483647 -2147483648 box:3 \
     1.5 -0.0 inf NaN \\a (A) (A B C) (A . B) ((A 1) (B . 2)) (A 1 B 2) \
     0x210000 0x210001 0x10000 0x1900 0x140000 0x200000 0xfffffff 0xffffffff 0x80000000";
/// Instructions that a program executes at most.
const STEPS: usize = 40;

#[derive(Clone, Copy, Debug)]
enum Operand {
    Object(prop::sample::Index),
    Cell(u32),
}

fn operand() -> impl Strategy<Value = Operand> {
    prop_oneof![
        6 => any::<prop::sample::Index>().prop_map(Operand::Object),
        1 => any::<u32>().prop_map(Operand::Cell),
    ]
}

fn execute<G: Generation>(code: &[u8], operands: &[Operand]) {
    with_interpreter::<G>(|m| {
        m.free_stack(m.stack_base(), m.ivar);
        let objects = read(m, OBJECTS);
        let stack: Vec<_> = operands
            .iter()
            .map(|operand| match operand {
                Operand::Object(index) => *index.get(&objects),
                Operand::Cell(cell) => LispPtr(*cell),
            })
            .collect();
        prepare(m, code, &stack);
        assert_eq!(m.regs.pc.offset_in(FUNCTION), START);
        for _ in 0..STEPS {
            // A list may have become circular.
            let opcode = Opcode::from(m.mem.code(m.regs.pc, 0));
            if opcode.info().poll == Poll::Loop {
                m.mem.control().raise(AttentionReason::Host);
            }
            if m.step() != Exit::Continue {
                break;
            }
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]
    #[test]
    fn any_code_is_executed(
        code in prop::collection::vec(any::<u8>(), 1..24),
        operands in prop::collection::vec(operand(), 0..8),
    ) {
        execute::<Medley2>(&code, &operands);
        execute::<Medley3>(&code, &operands);
    }
}
