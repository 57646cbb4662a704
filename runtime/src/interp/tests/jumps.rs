use super::harness::{FUNCTION, START, for_both, prepare, print, read, step, with_interpreter};
use crate::interp::Exit;
use crate::isa::Opcode;
use crate::layout::Generation;
use crate::machine::Machine;
use crate::memory::{AttentionReason, CodePc};

/// What a conditional jump does: whether it jumps if NIL, if not, and whether it
/// keeps its operand when it jumps.
const CONDITIONAL: [(Opcode, bool, bool); 4] = [
    (Opcode::FJumpX, true, false),
    (Opcode::TJumpX, false, false),
    (Opcode::NFJumpX, true, true),
    (Opcode::NTJumpX, false, true),
];

/// Jumps with an operand of one byte, as numbers.
const DISPLACEMENTS: [i8; 7] = [-128, -3, -1, 2, 3, 100, 127];

/// Executes one instruction; answers where it goes on, counted from the
/// instruction, and the stack.
fn execute<G: Generation>(m: &mut Machine<'_, G>, code: &[u8], operands: &str) -> (i32, String) {
    let stack = read(m, operands);
    let base = prepare(m, code, &stack);
    assert_eq!(step(m), Exit::Continue);
    assert_eq!(m.func, FUNCTION, "a jump never traps");
    let count = (m.regs.sp.0 - base.0) / 2;
    m.mem.set_stack(m.regs.sp, m.regs.tos);
    let after: Vec<_> = (1..=count).map(|n| m.mem.stack(base.add(2 * n))).collect();
    let distance = m.regs.pc.0 as i32 - CodePc::new(FUNCTION, START).0 as i32;
    (distance, print(m, &after))
}

/// Executes a jump, then once more with somebody wanting attention: a jump that is
/// `taken` starts again from the same state.
fn jump<G: Generation>(
    m: &mut Machine<'_, G>,
    code: &[u8],
    operands: &str,
    taken: bool,
) -> (i32, String) {
    let ended = execute(m, code, operands);
    m.mem.control().raise(AttentionReason::Machine);
    let interrupted = execute(m, code, operands);
    if taken {
        assert_eq!(interrupted, done(0, operands), "a taken jump polls");
        assert!(!m.mem.control().is_raised());
        assert_eq!(execute(m, code, operands), ended);
    } else {
        assert_eq!(interrupted, ended, "falling through does not poll");
        m.mem.control().take();
        m.set_stack_limit();
    }
    ended
}

fn done(distance: i32, stack: &str) -> (i32, String) {
    (distance, stack.to_owned())
}

#[test]
fn short_jumps() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            for n in 0..16 {
                let opcode = |first: Opcode| [first as u8 + n];
                let distance = i32::from(n) + 2;
                let (jump0, fjump0, tjump0) = (Opcode::Jump0, Opcode::FJump0, Opcode::TJump0);
                for (first, operands, taken) in [
                    (jump0, "A", true),
                    (fjump0, "A NIL", true),
                    (fjump0, "A T", false),
                    (tjump0, "A NIL", false),
                    (tjump0, "A 0", true),
                ] {
                    let by = if taken { distance } else { 1 };
                    assert_eq!(jump(m, &opcode(first), operands, taken), done(by, "A"));
                }
            }
        });
    }
    for_both!(run);
}

#[test]
fn long_jumps() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            for by in DISPLACEMENTS {
                let code = [Opcode::JumpX as u8, by as u8];
                assert_eq!(jump(m, &code, "A NIL", true), done(by.into(), "A NIL"));
            }
            for by in [-32768i16, -4, -1, 2, 255, 256, 32767] {
                let [high, low] = by.to_be_bytes();
                let code = [Opcode::JumpXX as u8, high, low];
                assert_eq!(jump(m, &code, "A", true), done(by.into(), "A"));
            }
        });
    }
    for_both!(run);
}

#[test]
fn conditional_jumps() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            for (opcode, if_nil, keeps) in CONDITIONAL {
                for by in DISPLACEMENTS {
                    // Only a cell of zeros is false.
                    for (value, is_nil) in [("NIL", true), ("T", false), ("0x80000000", false)] {
                        let operands = format!("A {value}");
                        let code = [opcode as u8, by as u8];
                        let taken = is_nil == if_nil;
                        let expected = match (taken, keeps) {
                            (true, true) => done(by.into(), &operands),
                            (true, false) => done(by.into(), "A"),
                            (false, _) => done(2, "A"),
                        };
                        let ended = jump(m, &code, &operands, taken);
                        assert_eq!(ended, expected, "{opcode} {by} {operands}");
                    }
                }
            }
        });
    }
    for_both!(run);
}

#[test]
fn the_host_gets_its_attention_at_jumps() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            prepare(m, &[Opcode::JumpX as u8, 0], &[]);
            m.mem.control().raise(AttentionReason::Host);
            let before = m.regs;
            assert_eq!(m.step(), Exit::Attention);
            assert_eq!(m.regs, before);
            // Endless, but for a fault.
            m.raise_fault(crate::fault::Fault::StorageFull);
            assert_eq!(m.run(), Exit::Fault);
        });
    }
    for_both!(run);
}
