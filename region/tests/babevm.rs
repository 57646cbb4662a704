//! The memory system of BabeVM (`reference/memory-systems.md` section 2.3), by its
//! own numbers.

use geiko_region::{Colour, Compact, Heap, Kind, Region, Settings, Tag, Value};

const KIND: Tag = Tag::new(5);
/// How heaps of this system are, and the same where everything that may move does, at every
/// allocation.
const EITHER: [Settings; 2] = [
    Settings::BABEVM,
    Settings {
        compact: Compact::Always,
        ..Settings::BABEVM
    },
];

#[test]
fn header_of_alloc_12() {
    let mut region = Region::reserve(256 << 10).unwrap();
    let block = region.allocate(KIND, 12).unwrap();
    let behind = region.allocate(KIND, 12).unwrap();
    // A chunk of 16 bytes, type as requested, white, in use.
    assert_eq!(region.raw_header(block), 1 << 8 | 5 << 4 | 1);
    assert_eq!(behind.offset() - block.offset(), 16);
    region.free(block).unwrap();
    assert_eq!(region.raw_header(block) & 1, 0);
    assert_eq!(region.raw_header(behind) & 2, 2, "the one before is free");
    assert_eq!(region.allocate(KIND, 12), Ok(block), "the same address");
}

#[test]
fn header_bits_of_all_types_and_colours() {
    let mut region = Region::reserve(4096).unwrap();
    for number in 0..16 {
        let block = region.allocate(Tag::new(number), 28).unwrap();
        for colour in 0..4 {
            region.set_colour(block, Colour::from_bits(colour));
            let expected = 2 << 8 | u32::from(number) << 4 | colour << 2 | 1;
            assert_eq!(region.raw_header(block), expected);
        }
        region.free(block).unwrap();
    }
}

#[test]
fn three_neighbours_before_a_free_tail() {
    let mut region = Region::reserve(256 << 10).unwrap();
    let initial = region.free_bytes();
    let [left, middle, right] = [(); 3].map(|()| region.allocate(KIND, 44).unwrap());
    let free_blocks = |region: &Region| {
        let mut blocks = 0;
        let mut end = 16;
        for block in region.blocks() {
            blocks += u32::from(block.offset() > end);
            end = block.offset() + region.len(block) + 4;
        }
        blocks + u32::from(u64::from(end) < region.size())
    };
    for (block, blocks, bytes) in [(middle, 2, 48), (left, 2, 96), (right, 1, 144)] {
        region.free(block).unwrap();
        assert_eq!(region.check(), Ok(()));
        assert_eq!(free_blocks(&region), blocks);
        assert_eq!(region.free_bytes(), initial - 144 + bytes);
    }
}

#[test]
fn beyond_the_limit() {
    for settings in EITHER {
        let mut heap = Heap::reserve(64 << 10, settings).unwrap();
        heap.scope(|scope| {
            while scope.bytes(1000).is_ok() {}
            let refusal = scope.bytes(1000).unwrap_err();
            assert!(refusal.needed >= 1000 && refusal.free < 2048);
            assert!(scope.bytes(12).is_ok(), "it stays usable");
        });
        heap.collect();
        heap.scope(|scope| assert!(scope.bytes(60_000).is_ok()));
    }
}

#[test]
fn rings_of_two_through_256_kilobytes() {
    for settings in EITHER {
        let mut heap = Heap::reserve(256 << 10, settings).unwrap();
        heap.collect();
        let initial = heap.region().free_bytes();
        let rings = match settings.compact {
            Compact::Always => 2_000,
            _ => 200_000,
        };
        for _ in 0..rings {
            heap.scope(|scope| {
                let a = scope.values(2)?;
                let b = scope.values(2)?;
                scope.set_block(a, 0, b);
                scope.set_block(b, 0, a);
                Ok::<(), geiko_region::Refusal>(())
            })
            .unwrap();
        }
        heap.collect();
        assert_eq!(heap.region().free_bytes(), initial);
    }
}

#[test]
fn no_memory_besides_the_callers() {
    let mut buffer = vec![0; 64 << 10];
    let range = buffer.as_ptr_range();
    let mut heap = Heap::new(&mut buffer, Settings::BABEVM).unwrap();
    for _ in 0..10_000 {
        heap.scope(|scope| {
            let block = scope.bytes(100).unwrap();
            assert!(range.contains(&scope.bytes_of(block).as_ptr()));
        });
    }
    let by_tag = |heap: &Heap| {
        let used: u64 = (0..16)
            .map(|n| heap.region().usage(Tag::new(n)).bytes)
            .sum();
        used + heap.region().free_bytes() + 16
    };
    assert_eq!(by_tag(&heap), heap.region().size(), "where every byte is");
    assert_eq!(heap.region().check(), Ok(()));
}

#[test]
fn leak_check() {
    for settings in EITHER {
        let mut heap = Heap::reserve(256 << 10, settings).unwrap();
        let first = heap.scope(|scope| {
            let block = scope.bytes(100).unwrap();
            scope.global(block).unwrap()
        });
        drop(first);
        heap.collect();
        let initial = heap.region().free_bytes();
        let kept: Vec<_> = (0..4)
            .map(|n| {
                heap.scope(|scope| {
                    let block = scope.values(10 * n + 1).unwrap();
                    scope.global(block).unwrap()
                })
            })
            .collect();
        heap.collect();
        assert!(heap.region().free_bytes() < initial);
        drop(kept);
        heap.collect();
        let handles = heap.region().usage(Kind::Handles.tag()).bytes;
        assert!(handles <= 128);
        assert!(heap.region().usage(Kind::Values.tag()).blocks == 0);
        assert_eq!(heap.region().check(), Ok(()));
    }
}

#[test]
fn unwinding_drops_what_a_scope_held() {
    for settings in EITHER {
        let mut heap = Heap::reserve(64 << 10, settings).unwrap();
        let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            heap.scope(|scope| {
                scope.bytes(5000).unwrap();
                panic!("on purpose");
            });
        }));
        assert!(unwound.is_err());
        heap.collect();
        assert_eq!(heap.region().usage(Kind::Bytes.tag()).blocks, 0);
    }
}

#[test]
fn weak_references_are_cleared() {
    for settings in EITHER {
        let mut heap = Heap::reserve(64 << 10, settings).unwrap();
        heap.scope(|scope| {
            let target = scope.bytes(10).unwrap();
            let weak = scope.weak(target).unwrap();
            let weak = scope.global(weak).unwrap();
            scope.collect();
            assert!(scope.get(&weak, 0).unwrap().is_block());
            let weak = scope.scope(|inner| {
                let lost = inner.bytes(10).unwrap();
                inner.set_block(&weak, 0, lost);
                weak
            });
            scope.collect();
            assert_eq!(scope.get(&weak, 0), Some(Value::NOTHING));
        });
    }
}

/// What a block refers to its kind says, not what it holds.
#[test]
fn every_kind_is_looked_at_as_its_tag_says() {
    for settings in EITHER {
        let mut heap = Heap::reserve(64 << 10, settings).unwrap();
        heap.scope(|scope| {
            let holders = [
                scope.bytes(4).unwrap(),
                scope.resource(1, 4).unwrap(),
                scope.values(1).unwrap(),
            ];
            let weak = scope.scope(|inner| {
                let [in_bytes, in_resource, in_values, in_weak] =
                    [(); 4].map(|()| inner.values(1).unwrap());
                let weak = inner.weak(in_weak).unwrap();
                let weak = inner.global(weak).unwrap();
                inner.set_block(holders[2], 0, in_values);
                for (holder, block) in [(0, in_bytes), (1, in_resource)] {
                    let bits = inner.offset(block) | 1;
                    let bytes = inner.bytes_of_mut(holders[holder]).unwrap();
                    let at = bytes.len() / 4 * 4 - 4;
                    bytes[at..at + 4].copy_from_slice(&bits.to_ne_bytes());
                }
                weak
            });
            scope.collect();
            // The block of values, and what only a block of values refers to.
            assert_eq!(scope.region().usage(Kind::Values.tag()).blocks, 2);
            assert_eq!(scope.get(&weak, 0), Some(Value::NOTHING));
            assert_eq!(scope.region().usage(Kind::Bytes.tag()).blocks, 1);
            assert_eq!(scope.region().usage(Kind::Resource.tag()).blocks, 1);
        });
    }
}
