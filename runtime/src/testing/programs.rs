//! Random programs: a string of bytes becomes byte code, which runs on a small
//! Lisp for a while. Whatever it does there, nothing may panic, no instruction may
//! take for ever, and what is left must be fit to be looked at.
//!
//! Most programs are tidy (see [`Writer`]). Tables of the machine are among the
//! operands of some programs, which then damage them.

use std::time::{Duration, Instant};

use super::source::Source;
use super::with_machine;
use super::world::{PROGRAMS, World};
use super::writer::Writer;
use crate::fault::Fault;
use crate::image::Names;
use crate::interp::Exit;
use crate::isa::decode::Instruction;
use crate::isa::disasm::{NoNames, instruction_text};
use crate::isa::{Opcode, Poll};
use crate::layout::{Generation, Medley2, Medley3};
use crate::machine::Machine;
use crate::memory::{AttentionReason, LispPtr};
use crate::traps::keyboard::Button;

/// Time after which a program is stopped between two instructions. Drawing in all of
/// memory takes long, but not for ever.
const MAX_TIME: Duration = Duration::from_secs(2);
/// How often instructions that may be endless are done again.
const MAX_REPETITIONS: u32 = 16;
/// Polls after which any other instruction must have been done.
const MAX_POLLS: u32 = 1000;

/// What a program did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Instructions executed.
    pub instructions: u32,
    /// The fault that stopped it.
    pub fault: Option<Fault>,
    /// Objects freed by collections.
    pub objects_freed: u64,
    /// The audit found nothing wrong afterwards.
    pub sound: bool,
}

/// How a program is made and run.
#[derive(Clone, Copy, Debug)]
struct Plan {
    /// Every instruction finds its operands.
    tidy: bool,
    /// Tables of the machine are operands.
    tables: bool,
    /// The stack cannot grow far.
    small_stack: bool,
    /// Storage is used up soon.
    small_storage: bool,
    /// Instructions between two disturbances from outside, 0 for none.
    period: u32,
    /// New count table entries between two collections.
    countdown: u16,
}

impl Plan {
    fn new(source: &mut Source<'_>) -> Self {
        let flags = source.byte();
        Self {
            tidy: flags & 6 != 0,
            tables: flags & 8 != 0,
            small_stack: flags & 16 != 0,
            small_storage: flags & 32 != 0,
            period: u32::from(source.byte() % 64),
            countdown: u16::from(source.byte()) + 1,
        }
    }

    fn limit_machine<G: Generation>(self, m: &mut Machine<'_, G>) {
        let countdown = LispPtr::smallpos(self.countdown);
        m.mem.set_cell(m.symbols.reclaim_countdown, countdown);
        m.mem.set_cell(m.symbols.reclaim_min, countdown);
        if self.small_stack {
            let page = |n: u16| LispPtr::smallpos(n << 8);
            m.mem.set_cell(m.symbols.guard_stack_address, page(0x31));
            m.mem.set_cell(m.symbols.last_stack_address, page(0x34));
        }
        if self.small_storage {
            let next = m.page_variable(m.symbols.next_mds_page);
            m.set_page_variable(m.symbols.next_array_page, next - 40);
            m.set_page_variable(m.symbols.second_mds_page, 0x4100);
        }
    }
}

/// Makes a program of `bytes` and shows it, before it runs, to `look`, with the symbols
/// whose definitions it is.
pub fn show<G: Generation>(bytes: &[u8], look: impl FnOnce(&Machine<'_, G>, &[LispPtr])) {
    let mut source = Source::new(bytes);
    with_machine::<G>(|mut m| {
        let plan = Plan::new(&mut source);
        write_program(&mut m, plan, &mut source);
        look(&m, &PROGRAMS);
    });
}

/// Makes a program of `bytes`, in which every instruction finds its operands. If it ends in a
/// fault within `limit` instructions, `run` runs it from the beginning in so many `ways`.
pub fn run_ways<G: Generation>(
    bytes: &[u8],
    limit: u32,
    ways: usize,
    mut run: impl for<'m> FnMut(usize, Machine<'m, G>),
) {
    let mut ends = false;
    for way in 0..=ways {
        let mut source = Source::new(bytes);
        with_machine::<G>(|mut m| {
            let plan = Plan {
                tidy: true,
                tables: false,
                ..Plan::new(&mut source)
            };
            let mut world = write_program(&mut m, plan, &mut source);
            world.start(&mut m);
            plan.limit_machine(&mut m);
            if way == 0 {
                execute(&mut m, 0, source, limit);
                ends = m.fault.is_some();
            } else if ends {
                run(way - 1, m);
            }
        });
    }
}

/// Makes a program of `bytes` and runs at most `limit` instructions of it.
pub fn run(bytes: &[u8], limit: u32) -> Outcome {
    let mut source = Source::new(bytes);
    if source.byte() & 1 == 0 {
        run_on::<Medley2>(source, limit)
    } else {
        run_on::<Medley3>(source, limit)
    }
}

fn run_on<G: Generation>(mut source: Source<'_>, limit: u32) -> Outcome {
    let mut outcome = Outcome::default();
    with_machine::<G>(|mut m| {
        let plan = Plan::new(&mut source);
        let mut world = write_program(&mut m, plan, &mut source);
        world.start(&mut m);
        plan.limit_machine(&mut m);
        let instructions = execute(&mut m, plan.period, source, limit);
        look_at(&mut m);
        outcome = Outcome {
            instructions,
            fault: m.fault.clone(),
            objects_freed: m.statistics.objects_freed,
            sound: m.audit().is_sound(),
        };
    });
    outcome
}

/// Writes the functions of a program.
fn write_program<G: Generation>(
    m: &mut Machine<'_, G>,
    plan: Plan,
    source: &mut Source<'_>,
) -> World {
    let mut world = World::new(m);
    for symbol in PROGRAMS {
        let arguments = i16::from(source.byte() % 4) - 1;
        let mut writer = Writer::new::<G>(&world, source, plan.tidy, plan.tables);
        writer.function();
        let (code, constants) = (writer.code, writer.constants);
        world.define(m, symbol, arguments, &code, &constants);
    }
    world
}

/// Executes at most `limit` instructions; answers how many it were.
fn execute<G: Generation>(
    m: &mut Machine<'_, G>,
    period: u32,
    mut source: Source<'_>,
    limit: u32,
) -> u32 {
    let end = Instant::now() + MAX_TIME;
    let (mut repetitions, mut polls) = (0, 0);
    for instruction in 0..limit {
        if Instant::now() > end {
            return instruction;
        }
        if period != 0 && instruction % period == 0 {
            disturb(m, instruction / period + u32::from(source.byte()));
        }
        let before = (m.regs.pc, m.regs.sp, m.regs.pvar);
        if matches!(m.step(), Exit::Fault | Exit::Finished) {
            return instruction;
        }
        if before != (m.regs.pc, m.regs.sp, m.regs.pvar) {
            polls = 0;
            continue;
        }
        let opcode = Opcode::from(m.mem.code(m.regs.pc, 0));
        // Circular lists, jumps to themselves, frames that return to themselves.
        if matches!(opcode.info().poll, Poll::Loop | Poll::Taken | Poll::Return) {
            repetitions += 1;
            if repetitions > MAX_REPETITIONS {
                return instruction;
            }
        } else {
            polls += 1;
            assert!(polls < MAX_POLLS, "{opcode} is done for ever");
        }
    }
    limit
}

/// Something happens outside.
fn disturb<G: Generation>(m: &mut Machine<'_, G>, what: u32) {
    match what % 8 {
        0 | 1 => m.mem.control().raise(AttentionReason::Host),
        2 => m.request_interrupt(),
        3 => m.key((what / 8) as u8, what & 0x400 != 0),
        4 => m.button(Button::Left, what & 8 != 0),
        5 => m.move_pointer(what as u16, (what >> 4) as u16),
        6 => {
            let pending = m.symbols.pending_interrupt;
            m.mem.set_cell(pending, LispPtr::T);
            m.request_interrupt();
        }
        _ => {
            let countdown = m.symbols.reclaim_countdown;
            m.mem.set_cell(countdown, LispPtr::smallpos(0));
            m.request_interrupt();
        }
    }
}

/// Does what is done with a machine that has stopped.
fn look_at<G: Generation>(m: &mut Machine<'_, G>) {
    let names = Names::new(m.mem);
    for activation in m.backtrace(200) {
        names.object(activation.name);
        names.object(activation.function);
    }
    names.object(m.regs.tos);
    let bytes: Vec<_> = (0..6).map(|n| m.mem.code(m.regs.pc, n)).collect();
    let offset = m.regs.pc.offset_in(m.func).into();
    if let Some(Ok(instruction)) = Instruction::decode(&bytes, offset, G::OPERAND_BYTES) {
        instruction_text(&instruction, &NoNames);
    }
    m.screen().picture(true);
}

/// Programs to start with.
pub fn seeds() -> Vec<Vec<u8>> {
    (0..64).map(|seed| noise(seed, 400)).collect()
}

/// Bytes that look random, the same for the same `seed`.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Instructions of each program.
    const LIMIT: u32 = 1500;

    fn fresh_world<G: Generation>() {
        with_machine::<G>(|mut m| {
            let mut world = World::new(&mut m);
            world.start(&mut m);
            for _ in 0..500 {
                assert_eq!(m.step(), Exit::Continue);
            }
            m.close_running_frame();
            m.collect();
            assert_eq!(m.fault, None);
            let audit = m.audit();
            assert!(audit.is_sound(), "{audit}");
        });
    }

    #[test]
    fn a_fresh_world_is_sound() {
        fresh_world::<Medley2>();
        fresh_world::<Medley3>();
    }

    #[test]
    fn tidy_programs_get_far() {
        let outcomes: Vec<_> = (0..40)
            .map(|seed| {
                let mut bytes = noise(seed, 400);
                bytes[1] = 2;
                run(&bytes, LIMIT)
            })
            .collect();
        let many = |good: fn(&Outcome) -> bool| outcomes.iter().filter(|&o| good(o)).count();
        assert!(many(|o| o.instructions == LIMIT) > 20);
        assert!(many(|o| o.objects_freed > 0) > 15);
        assert!(many(|o| o.sound) > 30);
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 150,
            failure_persistence: None,
            ..Default::default()
        })]

        #[test]
        fn any_program_is_survived(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
            run(&bytes, LIMIT);
        }
    }
}
