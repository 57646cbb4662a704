//! Lockstep finds native code that is wrong, where it is wrong; random byte code takes the
//! same course in all ways.

use std::rc::Rc;

use geiko_jit::{Jit, Pace};
use geiko_runtime::fault::Fault;
use geiko_runtime::interp::Exit;
use geiko_runtime::layout::{Generation, Medley2, Medley3, STACK};
use geiko_runtime::machine::Machine;
use geiko_runtime::memory::{AddressSpace, BYTES_PER_PAGE, CodePc, LispPtr, StackOffset};
use geiko_runtime::testing::programs;

use crate::programs::{PLAIN, Program, START, Way, run};

/// Adds 3 and what the helper answers.
const PROGRAM: Program<'static> = Program {
    code: "IVAR0; SIC 3; PLUS2; PVAR_0; FN1 HELPER; PVAR0; PLUS2; RETURN",
    helper: Some(&Program {
        code: "IVAR0; RETURN",
        ..PLAIN
    }),
    ..PLAIN
};

fn difference<G: Generation>() -> String {
    let constant = START as i32 + 2;
    match run::<G>(&PROGRAM, Way::Patched(constant, 4)).fault {
        Some(Fault::Lockstep { difference }) => difference,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_wrong_sum_is_found_where_it_is_first_seen() {
    for text in [difference::<Medley2>(), difference::<Medley3>()] {
        // The helper, called with the sum for 0: native code made it with the old constant.
        assert!(text.contains("+16 IVAR0"), "{text}");
        assert!(
            text.contains("native 0xe0003, interpreted 0xe0004"),
            "{text}"
        );
    }
}

#[test]
fn right_code_passes() {
    assert_eq!(run::<Medley2>(&PROGRAM, Way::Lockstep).fault, None);
    assert_eq!(run::<Medley3>(&PROGRAM, Way::Lockstep).fault, None);
}

/// What came of a random program.
#[derive(Debug, PartialEq, Eq)]
struct Course {
    exit: Exit,
    fault: Option<Fault>,
    instructions: u64,
    place: (LispPtr, CodePc, StackOffset, StackOffset),
    /// Of all pages but those of the stack.
    pages: Vec<u64>,
}

impl Course {
    /// Runs to the end, or for a million instructions.
    fn of<G: Generation>(mut m: Machine<'_, G>) -> Self {
        let exit = m.run();
        let stack = STACK.page()..STACK.page() + 0x100;
        let pages = (0..0x4000).filter(|page| !stack.contains(page));
        Self {
            exit,
            fault: m.fault.clone(),
            instructions: m.instructions(),
            place: (m.func, m.regs.pc, m.regs.sp, m.regs.pvar),
            pages: pages.map(|page| sum(&m, page)).collect(),
        }
    }
}

fn sum<G: Generation>(m: &Machine<'_, G>, page: u32) -> u64 {
    let mut bytes = [0; BYTES_PER_PAGE];
    m.mem.read_page(page, &mut bytes);
    let mix = |sum: u64, &byte: &u8| sum.wrapping_mul(31).wrapping_add(byte.into());
    bytes.iter().fold(0, mix)
}

/// Runs a random program in all ways; true if it ran for a while.
fn check_random<G: Generation>(random: &mut u32) -> bool {
    let bytes: Vec<u8> = (0..600)
        .map(|_| {
            *random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (*random >> 24) as u8
        })
        .collect();
    let mut courses = Vec::new();
    // Interpreted, natively, and both in lockstep.
    let run = |way, mut m: Machine<'_, G>| {
        m.count_exactly();
        if way > 0 {
            let jit = Jit::new(m.mem, 1 << 20, Pace::Now).expect("a compiler");
            m.set_compiler(Rc::new(jit), 1);
        }
        if way < 2 {
            return courses.push(Course::of(m));
        }
        // It is to live longer than the machine.
        let shadow = Box::leak(Box::new(AddressSpace::reserve().expect("address space")));
        m.set_shadow(shadow.attention(), shadow, 100_000);
        m.run();
        let differs = matches!(m.fault, Some(Fault::Lockstep { .. }));
        assert!(!differs, "{:?}: {bytes:?}", m.fault);
    };
    programs::run_ways::<G>(&bytes, 100_000, 3, run);
    let [interpreted, native] = &*courses else {
        return false;
    };
    assert_eq!(interpreted, native, "{bytes:?}");
    interpreted.instructions > 100
}

#[test]
fn random_byte_code_takes_the_same_course() {
    let mut random = 1;
    let mut long = 0;
    for _ in 0..30 {
        long += u32::from(check_random::<Medley2>(&mut random));
        long += u32::from(check_random::<Medley3>(&mut random));
    }
    assert!(long > 4, "{long}");
}
