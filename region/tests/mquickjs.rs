//! The memory system of MicroQuickJS (`reference/memory-systems.md` section 4.3), by its
//! own numbers.

use geiko_region::{Compact, Global, Heap, Kind, Settings, Value};

/// Everything that may move does, at every allocation.
const MOVING: Settings = Settings {
    compact: Compact::Always,
    ..Settings::MQUICKJS
};

#[test]
fn survivors_are_contiguous() {
    let mut buffer = vec![0; 10_000];
    let mut heap = Heap::new(&mut buffer, Settings::MQUICKJS).unwrap();
    let [a, b, c] = [1u8, 2, 3].map(|mark| {
        heap.scope(|scope| {
            let block = scope.bytes(100).unwrap();
            scope.bytes_of_mut(block).unwrap().fill(mark);
            scope.global(block).unwrap()
        })
    });
    let before = heap.offset(&c);
    drop(b);
    heap.collect();
    heap.compact();
    assert!(heap.offset(&c) < before);
    for (handle, mark) in [(&a, 1), (&c, 3)] {
        assert!(heap.bytes_of(handle).iter().all(|&byte| byte == mark));
    }
    // Nothing is free before the end of the last block.
    let region = heap.region();
    let used: u64 = region
        .blocks()
        .map(|block| u64::from(region.len(block)) + 4)
        .sum();
    assert_eq!(used + region.free_bytes() + 16, region.size());
    assert!(
        region
            .blocks()
            .all(|block| region.raw_header(block) & 2 == 0)
    );
    assert_eq!(region.check(), Ok(()));
}

#[test]
fn a_thousand_handles_and_ten_thousand_moves() {
    let allocations = if cfg!(debug_assertions) { 500 } else { 10_000 };
    let mut heap = Heap::reserve(1 << 20, Settings::MQUICKJS).unwrap();
    let handles: Vec<Global> = (0..1000)
        .map(|n| {
            heap.scope(|scope| {
                let block = scope.values(1 + n % 7).unwrap();
                scope.set(block, 0, Value::integer(n as i32).unwrap());
                scope.global(block).unwrap()
            })
        })
        .collect();
    for n in 0..allocations {
        heap.scope(|scope| scope.bytes(n % 50).map(|_| ())).unwrap();
        heap.compact();
    }
    assert!(heap.compactions() >= allocations as u64);
    for (n, handle) in handles.iter().enumerate() {
        assert_eq!(heap.get(handle, 0).unwrap().as_integer(), Some(n as i32));
    }
}

#[test]
fn forgotten_handles_hold_nothing_and_are_not_moved() {
    for settings in [Settings::MQUICKJS, Settings::default(), MOVING] {
        let mut heap = Heap::reserve(1 << 20, settings).unwrap();
        let at_first = heap.used_bytes();
        for turn in 0..20 {
            heap.scope(|scope| {
                for n in 0..100 {
                    scope.bytes(4 * n).unwrap();
                }
            });
            if turn == 0 {
                // The places of a hundred handles are there still.
                heap.collect();
                assert!(heap.used_bytes() < at_first + 1024);
            }
            // Other blocks begin and end elsewhere in what the first left.
            let kept: Vec<Global> = heap.scope(|scope| {
                (0..60)
                    .map(|n| {
                        let block = scope.bytes(7 * n + turn).unwrap();
                        scope.bytes_of_mut(block).unwrap().fill(n as u8);
                        scope.global(block).unwrap()
                    })
                    .collect()
            });
            heap.collect();
            heap.compact();
            assert_eq!(heap.region().check(), Ok(()));
            for (n, handle) in kept.iter().enumerate() {
                assert!(heap.bytes_of(handle).iter().all(|&byte| byte == n as u8));
            }
        }
    }
}

/// A tree of so many levels; answers how many blocks it has.
fn tree(heap: &mut Heap, levels: u32) -> (Global, u32) {
    if levels == 0 {
        return heap.scope(|scope| {
            let leaf = scope.values(3).unwrap();
            (scope.global(leaf).unwrap(), 1)
        });
    }
    let (left, blocks) = tree(heap, levels - 1);
    let (right, more) = tree(heap, levels - 1);
    heap.scope(|scope| {
        let node = scope.values(3).unwrap();
        scope.set_block(node, 0, &left);
        scope.set_block(node, 1, &right);
        (scope.global(node).unwrap(), blocks + more + 1)
    })
}

#[test]
fn overflow_of_the_mark_list() {
    for worklist in [3, 1 << 12] {
        let settings = Settings {
            worklist,
            ..Settings::MQUICKJS
        };
        let mut heap = Heap::reserve(1 << 20, settings).unwrap();
        let (_tree, blocks) = tree(&mut heap, 8);
        heap.collect();
        let found = heap.region().usage(Kind::Values.tag()).blocks;
        assert_eq!(found, blocks, "with room for {worklist}");
    }
}

#[test]
fn a_table_by_address_finds_every_key_after_a_move() {
    let mut heap = Heap::reserve(1 << 20, Settings::MQUICKJS).unwrap();
    let hole = heap.scope(|scope| {
        let block = scope.bytes(1000).unwrap();
        scope.global(block).unwrap()
    });
    let keys: Vec<_> = (0..100).map(|_| tree(&mut heap, 0).0).collect();
    let table = |heap: &Heap| -> std::collections::HashMap<u32, usize> {
        (keys.iter().enumerate())
            .map(|(n, key)| (heap.offset(key), n))
            .collect()
    };
    let (known, moves) = (table(&heap), heap.compactions());
    drop(hole);
    heap.collect();
    heap.compact();
    assert_ne!(heap.compactions(), moves, "the owner is told");
    assert_ne!(known, table(&heap), "the old table finds others");
    let known = table(&heap);
    for (n, key) in keys.iter().enumerate() {
        assert_eq!(known[&heap.offset(key)], n);
    }
}

#[test]
fn saved_and_loaded_elsewhere() {
    let mut heap = Heap::reserve(100_000, Settings::MQUICKJS).unwrap();
    let (root, blocks) = tree(&mut heap, 5);
    heap.scope(|scope| scope.set(&root, 2, Value::integer(-77).unwrap()));
    heap.collect();
    let saved = heap.save(&root);
    let mut buffer = vec![0; 50_000];
    let (mut other, root) = Heap::load(&mut buffer, &saved, Settings::MQUICKJS).unwrap();
    assert_eq!(other.get(&root, 2).unwrap().as_integer(), Some(-77));
    other.collect();
    assert_eq!(other.region().usage(Kind::Values.tag()).blocks, blocks);
    assert_eq!(other.region().check(), Ok(()));
    for (damage, what) in [
        (0, "magic"),
        (4, "version"),
        (8, "length"),
        (16, "a header"),
    ] {
        let mut wrong = saved.clone();
        wrong[damage] ^= 0xFF;
        let mut buffer = vec![0; 50_000];
        assert!(
            Heap::load(&mut buffer, &wrong, Settings::MQUICKJS).is_err(),
            "{what}"
        );
    }
    let mut small = vec![0; 1000];
    assert!(Heap::load(&mut small, &saved, Settings::MQUICKJS).is_err());
}

#[test]
fn memory_limit() {
    // A program of small objects in ten thousand bytes; with less than its data it is refused.
    for (bytes, runs) in [(10_000, true), (1_000, false)] {
        let mut buffer = vec![0; bytes];
        let mut heap = Heap::new(&mut buffer, MOVING).unwrap();
        let done = heap.scope(|scope| {
            let all = scope.values(100)?;
            for n in 0..2000u32 {
                let kept = scope.scope(|inner| {
                    let block = inner.bytes((n % 40) as usize)?;
                    inner.set_block(all, n % 100, block);
                    Ok::<(), geiko_region::Refusal>(())
                });
                kept?;
            }
            Ok::<(), geiko_region::Refusal>(())
        });
        assert_eq!(done.is_ok(), runs, "{bytes} bytes");
        assert_eq!(heap.region().check(), Ok(()));
    }
}

#[test]
fn a_finaliser_runs_exactly_once() {
    let mut heap = Heap::reserve(10_000, Settings::MQUICKJS).unwrap();
    heap.scope(|scope| scope.resource(42, 8).map(|_| ()))
        .unwrap();
    let kept = heap.scope(|scope| {
        let block = scope.resource(43, 8).unwrap();
        scope.global(block).unwrap()
    });
    for _ in 0..3 {
        heap.collect();
    }
    assert_eq!(heap.take_freed(), [42]);
    drop(kept);
    heap.collect();
    assert_eq!(heap.take_freed(), [43]);
}

#[test]
fn values_keep_their_kinds() {
    for n in [0, 1, -1, (1 << 30) - 1, -(1 << 30)] {
        assert_eq!(Value::integer(n).and_then(Value::as_integer), Some(n));
    }
    assert_eq!(
        (Value::integer(1 << 30), Value::integer(-(1 << 30) - 1)),
        (None, None)
    );
    assert_eq!(Value::special(99).as_special(), Some(99));
    assert_eq!(Value::special(99).as_integer(), None);
}
