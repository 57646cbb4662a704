//! The count table against a plain map from objects to counts.

use std::collections::HashMap;

use proptest::prelude::*;

use super::counts::set_main_entry;
use crate::fault::Fault;
use crate::layout::records::{interrupt, type_entry};
use crate::layout::{Generation, Medley2, Medley3};
use crate::machine::Machine;
use crate::memory::LispPtr;
use crate::testing::{close_frame, with_machine};

/// Segments and low halves of the objects: few low halves, so that most entries
/// are shared.
const SEGMENTS: u32 = 6;
const LOWS: [u32; 3] = [0x0100, 0x0102, 0xFFFE];
const OBJECTS: usize = SEGMENTS as usize * LOWS.len();

fn object(number: usize) -> LispPtr {
    let low = LOWS[number % LOWS.len()];
    LispPtr((0x14 + number as u32 / LOWS.len() as u32) << 16 | low)
}

fn count_all<G: Generation>(m: &Machine<'_, G>) {
    for number in 0..OBJECTS {
        let entry = G::TYPE_TABLE.add(object(number).0 >> 9);
        m.mem.set_word(entry, 6);
    }
}

/// The links that start at the place of `object`: none if it has a plain entry.
fn chain<G: Generation>(m: &Machine<'_, G>, object: LispPtr) -> Vec<u32> {
    let mut links = Vec::new();
    let entry = super::counts::main_entry(m.mem, object);
    if entry & 1 != 0 {
        let mut link = entry - 1;
        while link != 0 {
            links.push(link);
            link = m.collision_element(link + 1);
        }
    }
    links
}

/// Checks that chains have at least two pairs and that the pairs of chains and
/// of the free list are all pairs ever used.
fn check_collision_table<G: Generation>(m: &Machine<'_, G>) {
    let mut pairs = Vec::new();
    for low in LOWS {
        let chain = chain(m, LispPtr(low));
        assert_ne!(chain.len(), 1, "a chain of one is folded back");
        pairs.extend(chain);
    }
    let mut free = m.collision_element(0);
    while free != 0 {
        assert_eq!(m.collision_element(free), 0);
        pairs.push(free);
        free = m.collision_element(free + 1);
    }
    pairs.sort_unstable();
    let expected: Vec<_> = (2..m.collision_element(1)).step_by(2).collect();
    assert_eq!(pairs, expected);
}

fn check<G: Generation>(m: &mut Machine<'_, G>, model: &HashMap<usize, u32>) {
    for number in 0..OBJECTS {
        let expected = model.get(&number).copied().unwrap_or(1);
        assert_eq!(m.ref_count(object(number)), expected, "{number}");
    }
    let entries = model.values().filter(|&&count| count != 1).count();
    let countdown = m.mem.cell(m.symbols.reclaim_countdown);
    assert_eq!(countdown, LispPtr::smallpos(3000 - entries as u16));
    check_collision_table(m);
    assert_eq!(m.fault, None);
}

/// One operation: an object, and how many references come (or go).
fn operation(largest: i32) -> impl Strategy<Value = (usize, i32)> {
    let times = prop_oneof![
        8 => prop_oneof![Just(1), Just(-1)],
        1 => -largest..largest,
    ];
    (0..OBJECTS, times)
}

fn run<G: Generation>(operations: &[(usize, i32)]) {
    with_machine::<G>(|mut m| {
        count_all(&m);
        let mut model = HashMap::new();
        for &(number, times) in operations {
            let object = object(number);
            let count = model.entry(number).or_insert(1);
            for _ in 0..times.abs() {
                if times > 0 {
                    *count += 1;
                    m.add_ref(object);
                } else if *count > 0 {
                    *count -= 1;
                    let noted = m.del_ref(object);
                    // Only a new entry is told.
                    assert_eq!(noted.is_some(), *count == 0);
                }
            }
            check(&mut m, &model);
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() })]

    #[test]
    fn counts_match_a_map_in_medley_2(operations in prop::collection::vec(operation(80), 1..200)) {
        run::<Medley2>(&operations);
    }

    #[test]
    fn counts_match_a_map_in_medley_3(operations in prop::collection::vec(operation(33_000), 1..60)) {
        run::<Medley3>(&operations);
    }
}

fn underflow<G: Generation>() {
    with_machine::<G>(|mut m| {
        count_all(&m);
        let object = object(0);
        assert_eq!(m.del_ref(object), Some(object));
        assert_eq!(m.del_ref(object), None);
        assert_eq!(m.fault, Some(Fault::CountUnderflow { object }));
    });
}

#[test]
fn a_count_below_zero_is_a_fault() {
    underflow::<Medley2>();
    underflow::<Medley3>();
}

fn big_counts<G: Generation>() {
    with_machine::<G>(|mut m| {
        count_all(&m);
        // More big counts than one page of the table holds.
        let objects: Vec<_> = (0..200).map(|n| LispPtr(0x14_0000 + 2 * n)).collect();
        let entry = G::TYPE_TABLE.add(0x14_0000 >> 9);
        m.mem.set_word(entry, 6);
        for &object in &objects {
            for _ in 0..G::COUNT_MAX + 5 {
                m.add_ref(object);
            }
        }
        assert_eq!(m.active_pages(), 3);
        for &object in &objects {
            assert_eq!(m.ref_count(object), G::COUNT_MAX + 6);
        }
        for &object in &objects {
            for _ in 0..G::COUNT_MAX + 5 {
                m.del_ref(object);
            }
            assert_eq!(m.ref_count(object), 1);
        }
        let slots: Vec<_> = (0..200).map(|n| m.mem.cell(G::HT_BIG.add(4 * n))).collect();
        assert!(slots.iter().all(|&slot| slot == LispPtr::T));
        assert_eq!(m.fault, None);
    });
}

#[test]
fn big_counts_have_a_table_of_their_own() {
    big_counts::<Medley2>();
    big_counts::<Medley3>();
}

fn exhaustion<G: Generation>() {
    with_machine::<G>(|mut m| {
        count_all(&m);
        let interrupts = LispPtr(0xD000);
        m.mem.set_cell(m.symbols.interrupt_state, interrupts);
        m.set_collision_element(1, G::HT_COLLISION_LIMIT);
        m.add_ref(object(0));
        assert!(!m.gc_disabled());
        m.add_ref(object(LOWS.len()));
        assert!(m.gc_disabled());
        assert_eq!(m.mem.cell(interrupts).0, interrupt::GC_DISABLED);
        assert_eq!(m.mem.cell(m.symbols.pending_interrupt), LispPtr::T);
        assert!(m.mem.cell(m.symbols.reclaim_countdown).is_nil());
        assert!(m.mem.cell(m.symbols.reclaim_min).is_nil());
        assert_ne!(m.type_entry(object(0)) & type_entry::NO_REF, 0);
        m.collect();
        assert_eq!(m.statistics.collections, 0);
        assert_eq!(m.fault, None);
    });
}

#[test]
fn a_full_collision_table_ends_collecting() {
    exhaustion::<Medley2>();
    exhaustion::<Medley3>();
}

fn broken_chains<G: Generation>(entry: u32) {
    with_machine::<G>(|mut m| {
        count_all(&m);
        close_frame(&mut m, &[]);
        // A pair that is its own successor, in a chain and among the free ones.
        for (element, value) in [(0, 2), (1, 4), (2, entry), (3, 2)] {
            m.set_collision_element(element, value);
        }
        set_main_entry(m.mem, object(0), 2 | 1);
        m.collect();
        assert!(m.gc_disabled());
        assert_eq!(m.fault, None);
    });
}

#[test]
fn a_chain_without_end_ends_collecting() {
    broken_chains::<Medley2>(0);
    broken_chains::<Medley3>(0);
    broken_chains::<Medley2>(Medley2::COUNT_ON_STACK);
    broken_chains::<Medley3>(Medley3::COUNT_ON_STACK);
}

fn countdown<G: Generation>() {
    with_machine::<G>(|mut m| {
        count_all(&m);
        let cell = m.symbols.reclaim_countdown;
        m.mem.set_cell(cell, LispPtr::smallpos(2));
        m.add_ref(object(0));
        assert!(!m.mem.control().is_raised());
        m.add_ref(object(1));
        assert_eq!(m.mem.cell(cell), LispPtr::smallpos(0));
        assert!(m.mem.control().is_raised());
        m.add_ref(object(2));
        assert_eq!(m.mem.cell(cell), LispPtr::smallpos(0), "stays at zero");
        m.del_ref(object(2));
        assert_eq!(m.mem.cell(cell), LispPtr::smallpos(1));
        // While the cell holds NIL counting goes on without it.
        m.mem.set_cell(cell, LispPtr::NIL);
        m.add_ref(object(4));
        assert_eq!(m.ref_count(object(4)), 2);
        assert!(m.mem.cell(cell).is_nil());
        // A number too large for the cell, as a box.
        m.mem.set_cell(cell, LispPtr::smallpos(3000));
        let boxed = m.number(100_000);
        m.mem.set_cell(cell, boxed);
        m.add_ref(object(5));
        assert_eq!(m.mem.cell(cell), LispPtr::smallpos(65535));
        assert_eq!(m.mem.cell(boxed).0, 100_000);
    });
}

#[test]
fn the_countdown_requests_a_collection() {
    countdown::<Medley2>();
    countdown::<Medley3>();
}

fn units<G: Generation>() {
    with_machine::<G>(|mut m| {
        let cell = m.symbols.reclaim_countdown;
        m.mem.set_cell(cell, LispPtr::smallpos(100));
        assert!(m.alloc_mds_page(6).is_some());
        assert_eq!(m.mem.cell(cell), LispPtr::smallpos(36));
        assert!(!m.mem.control().is_raised());
        assert!(m.alloc_mds_page(6).is_some());
        assert_eq!(m.mem.cell(cell), LispPtr::smallpos(0));
        assert!(m.mem.control().is_raised());
        // While the cell holds NIL nothing is counted.
        m.mem.set_cell(cell, LispPtr::NIL);
        assert!(m.alloc_mds_page(6).is_some());
        assert!(m.mem.cell(cell).is_nil());
    });
}

#[test]
fn storage_taken_requests_a_collection() {
    units::<Medley2>();
    units::<Medley3>();
}

fn gcref<G: Generation>() {
    with_machine::<G>(|mut m| {
        count_all(&m);
        let object = object(3);
        assert_eq!(m.gc_ref(1, object), object);
        assert_eq!(m.gc_ref(0, object), LispPtr::NIL);
        assert_eq!(m.ref_count(object), 1);
        assert_eq!(m.gc_ref(0, LispPtr::smallpos(5)), LispPtr::NIL);
        assert_eq!(m.gcscan1(0x8000), None);
        m.gc_ref(1, object);
        assert_eq!(m.gcscan1(0x8000), Some(object.lo() >> 1));
        assert_eq!(m.gcscan1(object.lo() >> 1), None);
        m.gc_ref(2, object);
        assert_eq!(m.gcscan1(0x8000), None);
        assert_eq!(m.gcscan2(0x8000), Some(object.lo() >> 1));
    });
}

#[test]
fn the_counting_instructions() {
    gcref::<Medley2>();
    gcref::<Medley3>();
}
