use super::interrupts::ALTO_EPOCH;
use crate::fault::Fault;
use crate::interp::Exit;
use crate::interp::harness::{
    END, FUNCTION, Function, START, check_stack, for_both, function_place, prepare, read, step,
    with_interpreter,
};
use crate::isa::Opcode;
use crate::layout::records::{key_queue, misc_stats};
use crate::layout::{Generation, SymbolCell};
use crate::machine::Machine;
use crate::memory::{AddressSpace, AttentionReason, LispPtr};
use crate::traps::HostCall;

/// The functions that serve interrupts, in the order in which they are preferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Server {
    Periodic,
    Keyboard,
    Reclaim,
    Pending,
}
use Server::{Keyboard, Pending, Periodic, Reclaim};

const SERVERS: [Server; 4] = [Periodic, Keyboard, Reclaim, Pending];
/// The cell with the interrupts that Lisp has been told of.
const INTERRUPTS: LispPtr = LispPtr(0x21_0000);
/// The ring of key transitions.
const KEY_EVENTS: LispPtr = LispPtr(0x22_0000);
/// Services before the first periodic interrupt.
const FIRST_PERIOD: u32 = 60;

impl Server {
    fn place(self) -> LispPtr {
        function_place(self as u32)
    }

    fn symbol<G: Generation>(self, m: &Machine<'_, G>) -> LispPtr {
        match self {
            Periodic => m.symbols.periodic_interrupt_frame,
            Keyboard => m.symbols.do_buffered_transitions,
            Reclaim => m.symbols.do_reclaim,
            Pending => m.symbols.interrupt_frame,
        }
    }

    /// Makes it wanted.
    fn want<G: Generation>(self, m: &mut Machine<'_, G>) {
        match self {
            Periodic => m.set_value(m.symbols.periodic_interrupt, LispPtr::T),
            Keyboard => {
                m.keyboard.pending += 1;
                m.set_value(m.symbols.key_buffering, LispPtr::T);
            }
            Reclaim => m.set_value(m.symbols.reclaim_countdown, LispPtr::smallpos(0)),
            Pending => m.set_value(m.symbols.pending_interrupt, LispPtr::T),
        }
    }
}

/// A machine with functions that serve interrupts; nothing wants to be served.
fn with_servers<G: Generation>(test: impl FnOnce(&mut Machine<'_, G>)) {
    with_interpreter::<G>(|m| {
        m.free_stack(m.stack_base(), m.ivar);
        for (arguments, server) in (0..).zip(SERVERS) {
            Function {
                arguments,
                quads: 1,
                code: &[Opcode::Nil as u8, Opcode::Return as u8],
                ..Function::default()
            }
            .define(m, server.symbol(m), server.place());
        }
        m.set_value(m.symbols.interrupt_state, INTERRUPTS);
        m.set_value(m.symbols.pending_interrupt, LispPtr::NIL);
        m.set_value(m.symbols.periodic_interrupt, LispPtr::NIL);
        // A tenth of a second.
        let frequency = LispPtr::smallpos(6);
        m.set_value(m.symbols.periodic_interrupt_frequency, frequency);
        test(m);
    });
}

fn want_all<G: Generation>(m: &mut Machine<'_, G>) {
    for server in SERVERS {
        server.want(m);
    }
}

/// Serves between two instructions of main; answers who has been called. Main goes
/// on as if nothing had been.
fn serve<G: Generation>(m: &mut Machine<'_, G>) -> Option<Server> {
    let stack = read(m, "A B");
    prepare(m, &[END], &stack);
    let before = (m.regs, m.ivar, m.end);
    assert_eq!(m.serve_interrupts(), Exit::Continue, "{:?}", m.fault);
    let server = SERVERS.into_iter().find(|server| m.func == server.place());
    for _ in 0..2 * server.iter().len() {
        assert_eq!(step(m), Exit::Continue);
    }
    assert_eq!((m.regs, m.ivar, m.end), before);
    assert_eq!(m.func, FUNCTION);
    check_stack(m);
    server
}

#[test]
fn one_request_is_served_at_a_time() {
    fn run<G: Generation>() {
        with_servers::<G>(|m| {
            for server in &SERVERS[1..] {
                server.want(m);
                assert_eq!(serve(m), Some(*server));
                assert_eq!(serve(m), None);
            }
            Periodic.want(m);
            for _ in 0..FIRST_PERIOD {
                assert_eq!(serve(m), None);
            }
            want_all(m);
            for server in SERVERS {
                assert_eq!(serve(m), Some(server));
            }
            assert_eq!(serve(m), None);
        });
    }
    for_both!(run);
}

#[test]
fn the_shadow_of_a_machine_is_interrupted_with_it() {
    fn run<G: Generation>() {
        /// The service that ends the session.
        const FINISH: u8 = 13;
        with_servers::<G>(|m| {
            // It is to live longer than the machine.
            let space = Box::leak(Box::new(AddressSpace::reserve().expect("address space")));
            m.count_exactly();
            m.set_shadow(space.attention(), space, 1);
            prepare(m, &[END, Opcode::SubrCall as u8, FINISH, 0], &[]);
            Reclaim.want(m);
            m.mem.control().raise(AttentionReason::Host);
            assert_eq!(m.service_poll(), Exit::Attention);
            assert_eq!(m.run(), Exit::Finished);
            assert_eq!(m.fault, None);
        });
    }
    for_both!(run);
}

#[test]
fn the_periodic_function_has_its_frequency() {
    fn run<G: Generation>() {
        with_servers::<G>(|m| {
            // Sixtieths of a second, in host ticks of a hundredth; nothing means at once.
            for (frequency, ticks) in [("6", 9), ("60", 99), ("1", 1), ("NIL", 0)] {
                let frequency = read(m, frequency)[0];
                m.set_value(m.symbols.periodic_interrupt_frequency, frequency);
                Periodic.want(m);
                while serve(m).is_none() {}
                for _ in 0..ticks {
                    assert_eq!(serve(m), None);
                }
                assert_eq!(serve(m), Some(Periodic), "{frequency:?}");
                m.set_value(m.symbols.periodic_interrupt, LispPtr::NIL);
                assert_eq!(serve(m), None);
            }
        });
    }
    for_both!(run);
}

#[test]
fn lisp_finds_what_it_is_called_for() {
    fn run<G: Generation>() {
        with_servers::<G>(|m| {
            // Two transitions: the second waits until Lisp has emptied the ring.
            Keyboard.want(m);
            Keyboard.want(m);
            for pending in [1, 0] {
                assert_eq!(serve(m), Some(Keyboard));
                assert_eq!(m.keyboard.pending, pending);
                assert_eq!(m.value(m.symbols.key_buffering), m.symbols.started);
                assert_eq!(serve(m), None);
                m.set_value(m.symbols.key_buffering, LispPtr::T);
            }
            Reclaim.want(m);
            assert_eq!(serve(m), Some(Reclaim));
            assert!(m.value(m.symbols.reclaim_countdown).is_nil());
            // The bits of waiting interrupts are copied to those in progress.
            for (before, after) in [(0, 0), (0x0800, 0x0808), (0x2102, 0x2123)] {
                m.mem.set_word(INTERRUPTS, before);
                Pending.want(m);
                assert_eq!(serve(m), Some(Pending));
                assert_eq!(m.mem.word(INTERRUPTS), after);
                assert!(m.value(m.symbols.pending_interrupt).is_nil());
            }
            for cell in [misc_stats::SECONDS_CLOCK, misc_stats::SECONDS_TMP] {
                let seconds = m.mem.cell(G::MISC_STATS.add(cell));
                assert_eq!(
                    seconds,
                    LispPtr(ALTO_EPOCH as u32),
                    "the clock stands still"
                );
            }
        });
    }
    for_both!(run);
}

#[test]
fn a_transition_that_comes_while_lisp_finishes_is_not_forgotten() {
    fn run<G: Generation>() {
        with_servers::<G>(|m| {
            m.set_value(m.symbols.keyboard_event_queue, KEY_EVENTS);
            m.mem.set_word(KEY_EVENTS.add(key_queue::OLDEST), 0);
            m.mem
                .set_word(KEY_EVENTS.add(key_queue::NEXT), key_queue::FIRST);
            m.set_value(m.symbols.key_buffering, m.symbols.started);
            m.key(1, true);
            assert_eq!(serve(m), None, "Lisp is at it");
            m.set_value(m.symbols.key_buffering, LispPtr::NIL);
            assert_eq!(serve(m), Some(Keyboard));
            m.mem.set_word(KEY_EVENTS.add(key_queue::OLDEST), 0);
            m.set_value(m.symbols.key_buffering, LispPtr::NIL);
            assert_eq!(serve(m), None);
        });
    }
    for_both!(run);
}

#[test]
fn system_contexts_are_not_interrupted() {
    fn run<G: Generation>() {
        with_servers::<G>(|m| {
            want_all(m);
            prepare(m, &[END], &[]);
            let user = m.regs;
            m.regs.sp = m.stack_base();
            let before = m.regs;
            assert_eq!(m.serve_interrupts(), Exit::Continue);
            assert_eq!((m.regs, m.func), (before, FUNCTION));
            // Nothing is lost.
            m.regs = user;
            for server in &SERVERS[1..] {
                assert_eq!(serve(m), Some(*server));
            }
        });
    }
    for_both!(run);
}

#[test]
fn the_host_comes_first_and_requests_before_the_next_instruction() {
    fn run<G: Generation>() {
        with_servers::<G>(|m| {
            let code = [Opcode::JumpX as u8, 2, END];
            for reason in [AttentionReason::Host, AttentionReason::Machine] {
                Pending.want(m);
                prepare(m, &code, &[]);
                let before = m.regs;
                m.mem.control().raise(reason);
                if reason == AttentionReason::Host {
                    assert_eq!(step(m), Exit::Attention);
                    assert_eq!((m.regs, m.func), (before, FUNCTION));
                    // The call, and its first instruction.
                    assert_eq!(step(m), Exit::Continue);
                } else {
                    assert_eq!(step(m), Exit::Continue);
                    assert_eq!(m.regs.pc.offset_in(m.func), 16);
                    assert_eq!(step(m), Exit::Continue);
                }
                assert_eq!((m.func, m.regs.tos), (Pending.place(), LispPtr::NIL));
                assert_eq!(step(m), Exit::Continue);
                assert_eq!(m.regs, before, "the jump is executed again");
                assert_eq!(step(m), Exit::Continue);
                assert_eq!(m.regs.pc.offset_in(FUNCTION), START + 2);
            }
        });
    }
    for_both!(run);
}

#[test]
fn a_fresh_limit_hides_no_request() {
    fn run<G: Generation>() {
        with_servers::<G>(|m| {
            prepare(m, &[Opcode::JumpX as u8, 0], &[]);
            m.mem.control().raise(AttentionReason::Host);
            m.set_stack_limit();
            assert_eq!(step(m), Exit::Attention);
            // It has been taken.
            for _ in 0..3 {
                assert_eq!(step(m), Exit::Continue);
            }
        });
    }
    for_both!(run);
}

#[test]
fn a_frame_without_room_gets_some_first() {
    fn run<G: Generation>() {
        with_servers::<G>(|m| {
            const NEED: u16 = 200;
            Function {
                stack_min: NEED,
                quads: 1,
                code: &[Opcode::Nil as u8, Opcode::Return as u8],
                ..Function::default()
            }
            .define(m, m.symbols.interrupt_frame, Pending.place());
            for room in [2, 20, 40, 60, NEED] {
                prepare(m, &[END], &[LispPtr::T]);
                let before = m.regs;
                let end = m.end;
                m.end = m.regs.sp.add(room);
                m.free_stack(m.end, end);
                Pending.want(m);
                assert_eq!(m.serve_interrupts(), Exit::Continue);
                assert_eq!(m.func, Pending.place());
                assert!(m.end > before.sp.add(NEED), "{room}");
                check_stack(m);
                for _ in 0..2 {
                    step(m);
                }
                assert_eq!(m.regs, before, "{room}");
                m.end = end;
            }
        });
    }
    for_both!(run);
}

#[test]
fn servers_must_be_compiled() {
    fn run<G: Generation>() {
        for server in &SERVERS[1..] {
            with_servers::<G>(|m| {
                let cell = G::symbol_cell(server.symbol(m), crate::layout::SymbolCell::Definition);
                m.mem.set_cell(cell, LispPtr::NIL);
                server.want(m);
                prepare(m, &[END], &[]);
                assert_eq!(m.serve_interrupts(), Exit::Fault);
                assert!(matches!(m.fault, Some(Fault::NotCompiled { .. })));
                // A machine that has stopped serves nothing.
                assert_eq!(m.serve_interrupts(), Exit::Fault);
            });
        }
    }
    for_both!(run);
}

/// The symbol that code binds to NIL when it must not be interrupted.
const GUARD: LispPtr = LispPtr(700);

#[test]
fn the_host_calls_lisp_between_two_instructions_unless_it_must_not() {
    fn test<G: Generation>() {
        with_servers::<G>(|m| {
            let guard = G::symbol_cell(GUARD, SymbolCell::Value);
            let save = Pending.symbol(m);
            prepare(m, &[END], &[]);
            let before = m.regs;
            m.mem.set_cell(guard, LispPtr::NIL);
            let call = m.call_for_host(save, "SAVE", LispPtr::NIL, GUARD);
            assert_eq!(call, Ok(HostCall::NotNow));
            assert_eq!(m.regs, before);
            m.mem.set_cell(guard, LispPtr::T);
            let call = m.call_for_host(save, "SAVE", LispPtr::NIL, GUARD);
            assert_eq!(call, Ok(HostCall::Made));
            assert_eq!(m.func, Pending.place());
            // It returns NIL, which is dropped.
            assert_eq!(step(m), Exit::Continue);
            assert_eq!(step(m), Exit::Continue);
            assert_eq!((m.regs.pc, m.regs.tos), (before.pc, before.tos));
            check_stack(m);
            let nothing = LispPtr(702);
            let call = m.call_for_host(nothing, "NOTHING", LispPtr::NIL, GUARD);
            assert_eq!(call, Err(Fault::NotCompiled { name: "NOTHING" }));
        });
    }
    for_both!(test);
}
