//! The scenarios of `reference/memory-systems.md` section 1.3 about counts and collections,
//! by their names.

use super::BackupMode;
use crate::audit::read_counts;
use crate::layout::records::types;
use crate::layout::{Generation, Medley2, Medley3};
use crate::machine::Machine;
use crate::memory::LispPtr;
use crate::testing::{close_frame, with_machine};

/// The count that the table shows, `None` if it has no entry.
fn shown<G: Generation>(m: &Machine<'_, G>, object: LispPtr) -> Option<u32> {
    read_counts(m.mem).counts.get(&object.0).copied()
}

/// An object without an entry in the count table, in a segment.
fn fresh<G: Generation>(m: &Machine<'_, G>, segment: u32) -> LispPtr {
    let object = LispPtr(segment << 16 | 0x100);
    let entry = G::TYPE_TABLE.add(object.0 >> 9);
    m.mem.set_word(entry, types::FIXP);
    object
}

fn life_cycle<G: Generation>() {
    with_machine::<G>(|mut m| {
        let object = fresh(&m, 0x21);
        m.add_ref(object);
        assert_eq!(shown(&m, object), Some(2));
        m.add_ref(object);
        assert_eq!(shown(&m, object), Some(3));
        m.del_ref(object);
        assert_eq!(shown(&m, object), Some(2));
        m.del_ref(object);
        assert_eq!(shown(&m, object), None);
        assert_eq!(m.del_ref(object), Some(object));
        assert_eq!(shown(&m, object), Some(0));
    });
}

#[test]
fn count_life_cycle() {
    life_cycle::<Medley2>();
    life_cycle::<Medley3>();
}

fn countdown_of<G: Generation>() {
    with_machine::<G>(|mut m| {
        let make = |m: &mut Machine<'_, G>, conses: u32| {
            for _ in 0..conses {
                m.cons(LispPtr::T, LispPtr::NIL);
            }
        };
        // New pages charge for themselves; there are none once these are free.
        make(&mut m, 4000);
        close_frame(&mut m, &[]);
        m.collect();
        m.mem.control().take();
        make(&mut m, 2999);
        assert!(!m.mem.control().is_raised());
        make(&mut m, 1);
        assert!(
            m.mem.control().is_raised(),
            "a reclaim at the next safepoint"
        );
        let before = m.statistics;
        m.collect();
        assert_eq!(m.statistics.objects_freed - before.objects_freed, 3000);
        let countdown = m.mem.cell(m.symbols.reclaim_countdown);
        assert_eq!(countdown, LispPtr::smallpos(3000));
    });
}

#[test]
fn countdown() {
    countdown_of::<Medley2>();
    countdown_of::<Medley3>();
}

fn collision_of<G: Generation>() {
    with_machine::<G>(|mut m| {
        let objects = [0x21, 0x22, 0x23].map(|segment| fresh(&m, segment));
        for object in objects {
            m.del_ref(object);
        }
        let table = read_counts(m.mem);
        assert_eq!((table.chains, table.links), (1, 3));
        m.add_ref(objects[1]);
        m.add_ref(objects[0]);
        let table = read_counts(m.mem);
        assert_eq!((table.occupied, table.chains, table.links), (1, 0, 0));
        assert_eq!(shown(&m, objects[2]), Some(0));
    });
}

#[test]
fn collision() {
    collision_of::<Medley2>();
    collision_of::<Medley3>();
}

#[test]
fn overflow() {
    with_machine::<Medley2>(|mut m| {
        let object = fresh(&m, 0x21);
        for _ in 0..62 {
            m.add_ref(object);
        }
        let table = read_counts(m.mem);
        assert_eq!((table.large, shown(&m, object)), (1, Some(63)));
        m.del_ref(object);
        let table = read_counts(m.mem);
        assert_eq!((table.large, shown(&m, object)), (0, Some(62)));
        let reusable = m.mem.cell(Medley2::HT_BIG);
        assert_eq!(reusable, LispPtr::T);
    });
}

#[test]
fn stack_protection() {
    with_machine::<Medley3>(|mut m| {
        let list = m.cons(LispPtr::T, LispPtr::NIL);
        close_frame(&mut m, &[list]);
        m.collect();
        assert_eq!(m.statistics.objects_freed, 0);
        close_frame(&mut m, &[]);
        m.collect();
        assert_eq!(m.statistics.objects_freed, 1);
    });
}

fn cycles_of<G: Generation>(mode: BackupMode) -> u64 {
    let mut freed = 0;
    with_machine::<G>(|mut m| {
        m.set_backup(mode);
        for _ in 0..3000 {
            let last = m.cons(LispPtr::T, LispPtr::NIL);
            let middle = m.cons(LispPtr::T, last);
            let first = m.cons(LispPtr::T, middle);
            m.rplacd(last, first);
        }
        close_frame(&mut m, &[]);
        m.collect();
        m.collect_cycles();
        while !m.backup_is_idle() {
            m.collect();
            m.backup_step(u64::MAX);
        }
        m.collect();
        assert_eq!(m.fault, None);
        freed = m.statistics.objects_freed;
    });
    freed
}

#[test]
fn cycles() {
    for (mode, freed) in [
        (BackupMode::Off, 0),
        (BackupMode::Report, 0),
        (BackupMode::On, 9000),
    ] {
        assert_eq!(cycles_of::<Medley2>(mode), freed, "{mode:?}");
        assert_eq!(cycles_of::<Medley3>(mode), freed, "{mode:?}");
    }
}
