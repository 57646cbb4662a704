//! Allocation, handles and marking in regions.

use std::hint::black_box;

use geiko_region::{Block, Heap, Local, Region, Scope, Settings, Tag};
use iai_callgrind::{library_benchmark, library_benchmark_group};

use super::limit;

/// Times that each is done.
const TIMES: u32 = 10_000;
const TAG: Tag = Tag::new(1);

/// A region with so many free blocks of different sizes between blocks in use.
fn holes(holes: usize) -> Region<'static> {
    let mut region = Region::reserve(128 << 20).expect("memory");
    let blocks: Vec<Block> = (0..2 * holes)
        .map(|n| region.allocate(TAG, 40 + n * 7 % 900).expect("room"))
        .collect();
    for block in blocks.into_iter().step_by(2) {
        region.free(block).expect("a block");
    }
    region
}

#[library_benchmark]
#[bench::region_10_holes(args = (10), setup = holes, config = limit("region_10_holes"))]
#[bench::region_100000_holes(args = (100_000), setup = holes, config = limit("region_100000_holes"))]
fn allocation(mut region: Region<'static>) {
    let mut random = 1u32;
    for _ in 0..TIMES {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let block = region.allocate(TAG, (random >> 8) as usize % 1000);
        region.free(block.expect("room")).expect("a block");
    }
    std::mem::forget(region);
}

fn heap() -> Heap<'static> {
    Heap::reserve(16 << 20, Settings::default()).expect("memory")
}

/// A list of many blocks, and what is between them garbage.
fn list() -> Heap<'static> {
    let mut heap = heap();
    let first = heap.scope(|scope| {
        let first = scope.values(2).expect("room");
        for _ in 0..TIMES {
            scope.scope(|inner| {
                let block = inner.values(2).expect("room");
                if let Some(next) = inner.take(first, 0).expect("room") {
                    inner.set_block(block, 0, next);
                }
                inner.set_block(first, 0, block);
            });
        }
        scope.global(first)
    });
    std::mem::forget(first);
    heap
}

#[library_benchmark]
#[bench::region_scopes(args = (), setup = heap, config = limit("region_scopes"))]
fn scopes(heap: Heap<'static>) {
    with_reference(heap, |scope, block| {
        scope.scope(|inner| black_box(inner.take(block, 0)).is_ok());
    });
}

// What a slot refers to, without a handle for it.
#[library_benchmark]
#[bench::region_slots(args = (), setup = heap, config = limit("region_slots"))]
fn slots(heap: Heap<'static>) {
    with_reference(heap, |scope, block| {
        black_box(scope.get(block, 0));
    });
}

/// Does something to a block that refers to another.
fn with_reference(mut heap: Heap<'static>, work: impl Fn(&mut Scope<'_, '_, '_>, Local<'_>)) {
    heap.scope(|scope| {
        let block = scope.values(8).expect("room");
        let other = scope.bytes(8).expect("room");
        scope.set_block(block, 0, other);
        for _ in 0..TIMES {
            work(scope, block);
        }
    });
    std::mem::forget(heap);
}

#[library_benchmark]
#[bench::region_collection(args = (), setup = list, config = limit("region_collection"))]
#[bench::region_compaction(args = (), setup = collected, config = limit("region_compaction"))]
fn collection(mut heap: Heap<'static>) {
    heap.compact();
    heap.collect();
    std::mem::forget(heap);
}

fn collected() -> Heap<'static> {
    let mut heap = list();
    heap.collect();
    heap
}

library_benchmark_group!(name = region; benchmarks = allocation, scopes, slots, collection);
