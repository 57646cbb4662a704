//! The backup collector on the image of Medley 2.01.

use std::time::Duration;

use geiko_region::UNITS_PER_STEP;
use rustix::time::{ClockId, clock_gettime};

use super::BackupMode;
use crate::image::testing::with_medley;
use crate::interp::Exit;
use crate::layout::records::interface;
use crate::layout::{Medley2, STACK};
use crate::machine::Machine;
use crate::memory::{LispPtr, StackOffset, WORDS_PER_PAGE};
use crate::testing::devices;

fn started(test: impl FnOnce(Machine<'_, Medley2>)) {
    with_medley(|mem, image| {
        let size = image.memory_size(None).expect("a size");
        let (mut m, _) = Machine::of_image(mem, devices());
        m.prepare(size);
        m.start().expect("a frame to resume");
        test(m);
    });
}

/// Where a stack ends that is as long as it can be.
const END: u16 = 0xFFFE;
/// Pages that are written without counting, from this one on: in the space of arrays.
const WRITTEN: u32 = 200;
const WRITTEN_FROM: LispPtr = LispPtr(0x14_0000);

/// The time that this thread has had a processor: the host has other work.
fn spent() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime)
        .try_into()
        .expect("it runs forwards")
}

fn run(m: &mut Machine<'_, Medley2>, instructions: u32) {
    for _ in 0..instructions {
        let exit = m.step();
        assert!(
            matches!(exit, Exit::Continue | Exit::Attention),
            "{exit:?}: {:?}",
            m.fault
        );
    }
}

#[test]
fn a_shipped_image_has_no_circles_of_garbage() {
    started(|mut m| {
        m.set_backup(BackupMode::Report);
        let start = spent();
        m.collect_cycles();
        let totals = m.backup_totals();
        println!("{totals:?} in {:?}", spent() - start);
        assert_eq!((totals.cycles, totals.disputed), (1, 0));
        // Blocks of code that are never freed among them.
        assert!((168_000..170_000).contains(&totals.marked), "{totals:?}");
        // What hangs on objects whose count is zero already, and nothing in circles.
        assert!(totals.garbage <= 20, "{totals:?}");
        assert!((900..1100).contains(&totals.lost), "{totals:?}");
    });
}

#[test]
fn steps_are_short() {
    started(|mut m| {
        m.set_backup(BackupMode::Report);
        m.start_backup();
        let (mut steps, mut marking) = (Vec::new(), Vec::new());
        let mut longest = (Duration::ZERO, false);
        while !m.backup_is_idle() {
            let start = spent();
            m.backup_step(UNITS_PER_STEP);
            let time = spent() - start;
            steps.push(time);
            longest = longest.max((time, m.backup_marks()));
            if m.backup_marks() {
                marking.push(time);
            }
        }
        steps.sort_unstable();
        let [median, late] = [50, 99].map(|part| steps[(steps.len() - 1) * part / 100]);
        let marking: Duration = marking.iter().sum();
        println!(
            "{marking:?} for marking {} objects",
            m.backup_totals().marked
        );
        println!(
            "{} steps: {median:?}, 99 % {late:?}, longest {:?}, marking: {}",
            steps.len(),
            longest.0,
            longest.1
        );
        // The host may be busy with something else now and then.
        assert!(cfg!(debug_assertions) || median.as_micros() < 200);
    });
}

/// Makes the stack as long as it can be, with what it holds now again and again.
fn lengthen_stack(m: &mut Machine<'_, Medley2>) {
    let used = m.interface_word(interface::END_OF_STACK);
    for page in 0..0x1_0000 / WORDS_PER_PAGE {
        m.new_page(STACK.add(page * WORDS_PER_PAGE));
    }
    for offset in used..END {
        let word = m.mem.stack_word(StackOffset(offset % used));
        m.mem.set_stack_word(StackOffset(offset), word);
    }
    m.set_interface_word(interface::END_OF_STACK, END);
}

/// Marking ends with the stack and with what was written meanwhile without counting.
#[test]
fn the_last_step_is_short() {
    started(|mut m| {
        m.set_backup(BackupMode::Report);
        lengthen_stack(&mut m);
        let times = (0..9).map(|_| {
            let start = spent();
            m.start_backup();
            let begun = spent() - start;
            let mut last = Duration::ZERO;
            while m.backup_marks() {
                for page in 0..WRITTEN {
                    m.written(WRITTEN_FROM.add(page * WORDS_PER_PAGE));
                }
                let start = spent();
                m.backup_step(UNITS_PER_STEP);
                last = spent() - start;
            }
            while !m.backup_is_idle() {
                m.backup_step(u64::MAX);
            }
            (last, begun)
        });
        let (last, begun) = times.min().expect("some");
        println!("{last:?} for the last step with {WRITTEN} pages and all words of the stack");
        println!("{begun:?} for the beginning of a cycle");
        assert!(cfg!(debug_assertions) || last.as_micros() < 1000);
    });
}

#[test]
fn lisp_runs_while_cycles_are_collected() {
    started(|mut m| {
        m.set_backup(BackupMode::On);
        let few = LispPtr::smallpos(20);
        m.mem.set_cell(m.symbols.reclaim_min, few);
        m.mem.set_cell(m.symbols.reclaim_countdown, few);
        for _ in 0..100 {
            m.start_backup();
            run(&mut m, 10_000);
            m.backup_step(20_000);
        }
        let totals = m.backup_totals();
        println!("{totals:?}");
        assert!(totals.cycles > 2 && totals.disputed == 0, "{totals:?}");
        let audit = m.audit();
        assert!(audit.is_sound(), "{audit}");
    });
}
