//! The memory system of AssemblyScript (`reference/memory-systems.md` section 3.3), by
//! its own numbers.

use geiko_region::{Compact, Heap, Kind, Region, Settings, Tag, UNITS_PER_STEP, Value};

const TAG: Tag = Tag::new(1);
/// Heaps that are collected in steps, and the same where everything that may move does, at every
/// allocation.
const EITHER: [Settings; 2] = [
    Settings::BABEVM,
    Settings {
        compact: Compact::Always,
        ..Settings::BABEVM
    },
];

#[test]
fn size_table() {
    let mut region = Region::reserve(1 << 20).unwrap();
    let first = region.allocate(TAG, 12).unwrap();
    assert_eq!(first.offset(), 16, "the first block of a fresh heap");
    for (request, payload) in [
        (0, 12),
        (12, 12),
        (13, 28),
        (28, 28),
        (29, 44),
        (44, 44),
        (100, 108),
        (255, 268),
    ] {
        let block = region.allocate(TAG, request).unwrap();
        assert_eq!(region.len(block), payload);
        assert_eq!(block.offset() % 16, 0);
    }
}

#[test]
fn two_of_three_neighbours_then_the_middle() {
    let mut region = Region::reserve(1 << 20).unwrap();
    let [a, b, c] = [(); 3].map(|()| region.allocate(TAG, 44).unwrap());
    let _tail = region.allocate(TAG, 12).unwrap();
    region.free(a).unwrap();
    region.free(c).unwrap();
    assert_eq!(region.raw_header(b) & 2, 2);
    region.free(b).unwrap();
    assert_eq!(region.raw_header(a) >> 8 << 4, 3 * 44 + 2 * 4 + 4);
    assert_eq!(region.allocate(TAG, 3 * 44 + 2 * 4), Ok(a));
}

#[test]
fn four_million_objects_in_rings_in_one_page() {
    let objects = if cfg!(debug_assertions) {
        200_000
    } else {
        4_000_000
    };
    let mut heap = Heap::reserve(16 << 20, Settings::ASSEMBLYSCRIPT).unwrap();
    let mut most = 0;
    for _ in 0..objects / 2 {
        heap.scope(|scope| {
            let a = scope.values(1).unwrap();
            let b = scope.values(1).unwrap();
            scope.set_block(a, 0, b);
            scope.set_block(b, 0, a);
        });
        most = most.max(heap.used_bytes());
    }
    assert!(most <= 64 << 10, "{most} bytes");
}

#[test]
fn incremental_safety() {
    for settings in EITHER {
        // A step after every store while the only pointer moves around.
        let mut heap = Heap::reserve(1 << 20, settings).unwrap();
        heap.scope(|scope| {
            let holders: Vec<_> = (0..8).map(|_| scope.values(1).unwrap()).collect();
            scope.scope(|inner| {
                let treasure = inner.bytes(4).unwrap();
                inner.bytes_of_mut(treasure).unwrap().fill(7);
                inner.set_block(holders[0], 0, treasure);
            });
            for turn in 0..5000 {
                let (from, to) = (holders[turn * 5 % 8], holders[(turn * 5 + 5) % 8]);
                let moved = scope.scope(|inner| {
                    let treasure = inner.take(from, 0).unwrap().expect("it is there");
                    assert_eq!(&inner.bytes_of(treasure)[..4], [7; 4]);
                    inner.set_block(to, 0, treasure)
                });
                assert!(moved);
                scope.set(from, 0, Value::NOTHING);
                scope.step(1);
            }
        });
    }
}

#[test]
fn pins() {
    for settings in EITHER {
        let mut heap = Heap::reserve(1 << 20, settings).unwrap();
        let (pinned, handle) = heap.scope(|scope| {
            let outer = scope.values(1).unwrap();
            let inner = scope.bytes(100).unwrap();
            scope.set_block(outer, 0, inner);
            assert!(scope.pin(outer));
            assert!(!scope.pin(outer), "twice");
            (
                scope.offset(outer),
                scope.weak(outer).map(|weak| scope.global(weak)),
            )
        });
        let weak = handle.unwrap().unwrap();
        heap.collect();
        assert_eq!(
            heap.region().usage(Kind::Bytes.tag()).blocks,
            1,
            "what it refers to"
        );
        heap.compact();
        heap.scope(|scope| {
            let still = scope.take(&weak, 0).unwrap().expect("alive");
            assert_eq!(scope.offset(still), pinned);
            assert!(scope.unpin(still));
            assert!(!scope.unpin(still));
        });
        heap.collect();
        assert_eq!(heap.region().usage(Kind::Values.tag()).blocks, 0);
    }
}

#[test]
fn too_large() {
    let mut region = Region::reserve(1 << 20).unwrap();
    let refusal = region.allocate(TAG, 1 << 30).unwrap_err();
    assert!(refusal.to_string().contains("are needed"));
    assert!(
        region.free(geiko_region::Block::at(24)).is_err(),
        "misaligned"
    );
}

/// A block with many references is seen in parts.
#[test]
fn pause_bound_of_one_block() {
    const SLOTS: u32 = 100_000;
    let mut heap = Heap::reserve(8 << 20, Settings::BABEVM).unwrap();
    heap.scope(|scope| {
        let table = scope.values(SLOTS as usize).unwrap();
        scope.scope(|inner| {
            let first = inner.bytes(4).unwrap();
            for slot in 0..SLOTS {
                inner.set_block(table, slot, first);
            }
        });
        let mut steps = 1;
        while !scope.step(UNITS_PER_STEP) {
            steps += 1;
        }
        // Four slots for a unit, and a few more in the last part.
        assert!(
            steps > u64::from(SLOTS) / 4 / (UNITS_PER_STEP + 256),
            "{steps} steps"
        );
    });
}

#[test]
fn pause_bound() {
    let mut heap = Heap::reserve(8 << 20, Settings::BABEVM).unwrap();
    heap.scope(|scope| {
        let mut list = scope.values(2).unwrap();
        for _ in 0..20_000 {
            let next = scope.values(2).unwrap();
            scope.set_block(next, 0, list);
            list = next;
        }
        let _kept = scope.global(list).unwrap();
        let mut steps = 1;
        while !scope.step(UNITS_PER_STEP) {
            steps += 1;
        }
        // 20001 objects, marked and passed by the sweep.
        assert!(steps >= 2 * 20_000 / UNITS_PER_STEP, "{steps} steps");
    });
}
