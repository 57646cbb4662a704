//! Freeing array blocks, against a model that knows only which block is in use.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::fault::Fault;
use crate::heap::rings::bucket;
use crate::layout::records::array_block::{
    BACKWARD, FORWARD, FREE, IN_USE, LENGTH, MAX_CELLS, MIN_CELLS_WITH_HUNKS, POINTERS,
};
use crate::layout::{Generation, Medley2, Medley3};
use crate::machine::Machine;
use crate::memory::LispPtr;
use crate::testing::{close_frame, with_machine};

/// Start of the array space, far from everything else.
const SPACE: LispPtr = LispPtr(0x40_0000);
/// Heads of the rings.
const BUCKETS: LispPtr = LispPtr(0xD000);

/// Makes an array space with blocks of the given lengths, all in use and with one
/// reference each; answers their headers.
fn make_space<G: Generation>(m: &mut Machine<'_, G>, lengths: &[u32]) -> Vec<LispPtr> {
    let mut at = SPACE;
    let mut blocks = Vec::new();
    for &cells in lengths {
        let end = at.add(2 * cells);
        for (ends, flags) in [
            (at, FREE | IN_USE),
            (end.add(2u32.wrapping_neg()), FREE | IN_USE),
        ] {
            m.mem.set_word(ends, flags);
            m.mem.set_word(ends.add(LENGTH), cells as u16);
        }
        blocks.push(at);
        at = end;
    }
    for unit in (SPACE.0 >> 9)..=(at.0 >> 9) {
        m.mem.set_word(G::TYPE_TABLE.add(unit), 0);
    }
    m.mem.set_cell(m.symbols.array_space, SPACE);
    m.mem.set_cell(m.symbols.array_free_list, at);
    m.mem.set_cell(m.symbols.free_block_buckets, BUCKETS);
    m.mem.set_cell(m.symbols.array_merging, LispPtr::T);
    blocks
}

/// The blocks of the space: length and flags.
fn walk<G: Generation>(m: &Machine<'_, G>) -> BTreeMap<LispPtr, (u32, u16)> {
    let end = m.mem.cell(m.symbols.array_free_list);
    let mut at = SPACE;
    let mut blocks = BTreeMap::new();
    while at < end {
        let cells = u32::from(m.mem.word(at.add(LENGTH)));
        let trailer = at.add(2 * cells - 2);
        assert_eq!(u32::from(m.mem.word(trailer.add(LENGTH))), cells);
        let flags = m.mem.word(at);
        assert_eq!(m.mem.word(trailer) & IN_USE, flags & IN_USE);
        blocks.insert(at, (cells, flags));
        at = at.add(2 * cells);
    }
    assert_eq!(at, end);
    blocks
}

/// Checks that each ring can be followed both ways and has exactly the free
/// blocks of its lengths.
fn check_rings<G: Generation>(m: &Machine<'_, G>, blocks: &BTreeMap<LispPtr, (u32, u16)>) {
    let mut linked = Vec::new();
    for number in 0..=30 {
        let head = m.mem.cell(BUCKETS.add(2 * number));
        let mut at = head;
        while !at.is_nil() {
            let (cells, flags) = blocks[&at];
            assert_eq!((bucket(cells), flags), (number, FREE));
            linked.push(at);
            let next = m.mem.cell(at.add(FORWARD));
            assert_eq!(m.mem.cell(next.add(BACKWARD)), at);
            at = if next == head { LispPtr::NIL } else { next };
        }
    }
    linked.sort();
    let free = blocks
        .iter()
        .filter(|(_, (cells, flags))| *flags == FREE && *cells >= 4);
    let free: Vec<_> = free.map(|(&at, _)| at).collect();
    assert_eq!(linked, free);
}

fn run<G: Generation>(lengths: &[u32], order: &[usize], merging: bool, hunks: bool) {
    with_machine::<G>(|mut m| {
        let blocks = make_space(&mut m, lengths);
        m.mem
            .set_cell(m.symbols.array_merging, LispPtr::from_bool(merging));
        m.mem.set_cell(m.symbols.hunking, LispPtr::from_bool(hunks));
        let mut used = vec![true; blocks.len()];
        for &number in order {
            let number = number % blocks.len();
            if !used[number] {
                continue;
            }
            used[number] = false;
            m.del_ref(blocks[number].add(2));
            close_frame(&mut m, &[]);
            m.collect();
            assert_eq!(m.fault, None);
            let now = walk(&m);
            check_rings(&m, &now);
            for (number, &block) in blocks.iter().enumerate() {
                if used[number] {
                    assert_eq!(now[&block], (lengths[number], FREE | IN_USE));
                }
            }
            let cells_in_use: u32 = lengths
                .iter()
                .zip(&used)
                .filter_map(|(&cells, &used)| used.then_some(cells))
                .sum();
            let in_use = now.values().filter(|(_, flags)| flags & IN_USE != 0);
            assert_eq!(in_use.map(|(cells, _)| cells).sum::<u32>(), cells_in_use);
            let all: Vec<_> = now.values().collect();
            for pair in all.windows(2) {
                let both_free = pair.iter().all(|(_, flags)| *flags == FREE);
                let cells = pair[0].0 + pair[1].0;
                assert!(
                    !merging || !both_free || cells + MIN_CELLS_WITH_HUNKS > MAX_CELLS,
                    "{pair:?} are not merged"
                );
            }
        }
    });
}

fn length() -> impl Strategy<Value = u32> {
    prop_oneof![
        4 => 2u32..12,
        2 => 12u32..300,
        1 => 20_000u32..=MAX_CELLS,
        1 => Just(MAX_CELLS),
        1 => Just(MAX_CELLS - 3),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn blocks_are_freed_and_merged(
        lengths in prop::collection::vec(length(), 1..25),
        order in prop::collection::vec(0usize..25, 1..40),
        merging in prop::bool::weighted(0.9),
        hunks: bool,
    ) {
        run::<Medley2>(&lengths, &order, merging, hunks);
        run::<Medley3>(&lengths, &order, merging, hunks);
    }
}

/// Three neighbours, freed in any order, become one block.
#[test]
fn merge() {
    let lengths = [10, 20, 30];
    for first in 0..3 {
        for (second, third) in [(1, 2), (2, 1)] {
            let order = [first, (first + second) % 3, (first + third) % 3];
            run::<Medley2>(&lengths, &order, true, false);
            run::<Medley3>(&lengths, &order, true, false);
        }
    }
}

#[test]
fn pointer_blocks_drop_their_elements() {
    fn test<G: Generation>() {
        with_machine::<G>(|mut m| {
            let block = make_space(&mut m, &[10])[0];
            m.mem.set_word(block, FREE | IN_USE | POINTERS);
            let shared = m.number(1 << 20);
            for cell in 0..8 {
                m.add_ref(shared);
                m.mem.set_cell(block.add(2 + 2 * cell), shared);
            }
            m.del_ref(block.add(2));
            close_frame(&mut m, &[]);
            m.collect();
            assert_eq!(m.statistics.objects_freed, 2);
            assert_eq!(walk(&m)[&SPACE], (10, FREE));
            assert_eq!(m.fault, None);
        });
    }
    test::<Medley2>();
    test::<Medley3>();
}

#[test]
fn a_block_ends_at_the_ends_of_spaces() {
    with_machine::<Medley2>(|mut m| {
        let blocks = make_space(&mut m, &[10, 10]);
        m.mem.set_cell(m.symbols.array_space2, blocks[1]);
        for block in blocks {
            m.del_ref(block.add(2));
        }
        close_frame(&mut m, &[]);
        m.collect();
        assert_eq!(walk(&m).len(), 2, "the second starts a space");
    });
}

#[test]
fn broken_blocks_are_faults() {
    type Damage = fn(&mut Machine<'_, Medley2>, LispPtr);
    let cases: [(&str, Damage); 3] = [
        ("wrong password", |m, at| m.mem.set_word(at, 0)),
        ("not in use", |m, at| m.mem.set_word(at, FREE)),
        ("impossible length", |m, at| {
            m.mem.set_word(at.add(LENGTH), 1)
        }),
    ];
    for (expected, break_it) in cases {
        with_machine::<Medley2>(|mut m| {
            let block = make_space(&mut m, &[10])[0];
            m.del_ref(block.add(2));
            break_it(&mut m, block);
            close_frame(&mut m, &[]);
            m.collect();
            let Some(Fault::BadArrayBlock { reason, .. }) = m.fault else {
                panic!("{:?}", m.fault);
            };
            assert_eq!(reason, expected);
        });
    }
}

#[test]
fn lengths_and_buckets() {
    for (cells, number) in [
        (0, 0),
        (1, 1),
        (2, 2),
        (3, 2),
        (4, 3),
        (7, 3),
        (8, 4),
        (65535, 16),
    ] {
        assert_eq!(bucket(cells), number, "{cells}");
    }
}
