//! How long the allocator takes, with few free blocks and with many.

use std::hint::black_box;
use std::time::{Duration, Instant};

use geiko_region::{Block, Region, Tag};

/// Pairs of allocation and freeing.
const PAIRS: u32 = 1_000_000;
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

fn main() {
    for holes in [10, 100_000] {
        let mut region = with_holes(holes);
        let mut waiting = [None; 64];
        let mut random = 1u32;
        let (mut worst, start) = (Duration::ZERO, Instant::now());
        for pair in 0..PAIRS {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let place = &mut waiting[(random >> 26) as usize];
            let timed = (pair % 64 == 0).then(Instant::now);
            if let Some(block) = place.take() {
                region.free(block).expect("a block");
            }
            *place = region.allocate(TAG, (random >> 8) as usize % 1000).ok();
            worst = worst.max(timed.map_or(Duration::ZERO, |start| start.elapsed()));
        }
        let mean = start.elapsed().as_nanos() as f64 / f64::from(PAIRS);
        black_box(&region);
        println!(
            "{holes:6} free blocks: {mean:5.1} ns for an allocation and a freeing, at worst {worst:?}"
        );
    }
}
