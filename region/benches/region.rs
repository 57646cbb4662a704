//! How long the allocator takes, with few free blocks and with many; compaction; scopes.

use std::hint::black_box;
use std::time::{Duration, Instant};

use geiko_region::{Block, Heap, Region, Settings, Tag};

/// Pairs of allocation and freeing.
const PAIRS: u32 = 300_000;
/// Times that they are done.
const TURNS: u32 = 8;
/// Blocks to be moved.
const BLOCKS: usize = 400_000;
const TAG: Tag = Tag::new(1);

/// A region with `holes` free blocks of different sizes between blocks in use.
fn with_holes(holes: usize) -> Region<'static> {
    let mut region = Region::reserve(128 << 20).expect("memory");
    let allocate = |region: &mut Region, n: usize| -> Vec<Block> {
        (0..n)
            .map(|n| region.allocate(TAG, 40 + n * 7 % 900).expect("room"))
            .collect()
    };
    let blocks = allocate(&mut region, 2 * holes);
    for block in blocks.into_iter().step_by(2) {
        region.free(block).expect("a block");
    }
    region
}

/// Takes all of a region once, so that the host has given its pages.
fn touch(region: &mut Region<'static>) {
    let mut bytes = 64 << 20;
    let mut blocks = Vec::new();
    while bytes >= 12 {
        match region.allocate(TAG, bytes) {
            Ok(block) => {
                region.bytes_mut(block).fill(0);
                blocks.push(block);
            }
            Err(_) => bytes /= 2,
        }
    }
    for block in blocks {
        region.free(block).expect("a block");
    }
}

/// Allocates and frees; the nanoseconds of a pair. If `least` is given, each pair that took less
/// than it says is noted there, and the clock is part of the pair.
fn requests(holes: usize, mut least: Option<&mut [Duration]>) -> f64 {
    let mut region = with_holes(holes);
    touch(&mut region);
    let mut waiting = [None; 64];
    let mut random = 1u32;
    let start = Instant::now();
    for pair in 0..PAIRS as usize {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let place = &mut waiting[(random >> 26) as usize];
        let start = least.is_some().then(Instant::now);
        if let Some(block) = place.take() {
            region.free(block).expect("a block");
        }
        *place = region.allocate(TAG, (random >> 8) as usize % 1000).ok();
        if let (Some(least), Some(start)) = (&mut least, start) {
            least[pair] = start.elapsed().min(least[pair]);
        }
    }
    let nanos = start.elapsed().as_nanos() as f64;
    black_box(&region);
    nanos / f64::from(PAIRS)
}

/// The longest that a pair takes. All are done several times, and each counts with its shortest time,
/// so that what interrupts the program does not count.
fn worst(holes: usize) -> Duration {
    let mut least = vec![Duration::MAX; PAIRS as usize];
    for _ in 0..TURNS {
        requests(holes, Some(&mut least));
    }
    least.into_iter().max().unwrap_or_default()
}

/// A heap with so many blocks that refer to each other, every second one garbage.
fn worn(blocks: usize) -> Heap<'static> {
    let mut heap = Heap::reserve(128 << 20, Settings::MQUICKJS).expect("memory");
    let first = heap.scope(|scope| {
        let first = scope.values(8).expect("room");
        for _ in 0..blocks {
            scope.scope(|inner| {
                let block = inner.values(8).expect("room");
                if let Some(next) = inner.take(first, 0).expect("room") {
                    inner.set_block(block, 0, next);
                }
                inner.set_block(first, 0, block);
                inner.values(4).expect("room");
            });
        }
        scope.global(first)
    });
    std::mem::forget(first);
    heap.collect();
    heap
}

fn main() {
    for holes in [10, 100_000] {
        let mean = requests(holes, None);
        let worst = worst(holes);
        println!(
            "{holes:6} free blocks: {mean:5.1} ns for an allocation and a freeing, at worst {worst:?}"
        );
    }
    let mut heap = worn(BLOCKS);
    let start = Instant::now();
    heap.compact();
    let each = start.elapsed().as_nanos() as f64 / BLOCKS as f64;
    println!("{BLOCKS} blocks: {each:5.1} ns for moving each");
    let mut heap = Heap::reserve(1 << 20, Settings::default()).expect("memory");
    heap.scope(|scope| {
        let block = scope.values(8).expect("room");
        let other = scope.bytes(8).expect("room");
        scope.set_block(block, 0, other);
        let start = Instant::now();
        for _ in 0..PAIRS {
            scope.scope(|inner| black_box(inner.take(block, 0).is_ok()));
        }
        let each = start.elapsed().as_nanos() as f64 / f64::from(PAIRS);
        println!("{each:5.1} ns for a scope with a handle");
    });
}
