//! Free array blocks taken with and without an index, by the same random programs.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::array_functions::Dialect;
use super::rings::{Block, bucket};
use super::{ArrayPolicy, UnknownFunctions};
use crate::image::find_symbol;
use crate::image::testing::with_medley;
use crate::layout::records::array_block::{
    BACKWARD, FORWARD, FREE, HEADER_WORDS, IN_USE, LENGTH, MIN_CELLS, MIN_CELLS_WITH_HUNKS,
    PASSWORD_MASK,
};
use crate::layout::{Generation, Medley2, Medley3, SymbolCell};
use crate::machine::Machine;
use crate::memory::LispPtr;
use crate::testing::with_machine;

const SPACE: LispPtr = LispPtr(0x40_0000);
const BUCKETS: LispPtr = LispPtr(0xD000);

/// Array space, which is extended when no free block fits.
struct Space<'a, 'm, G: Generation> {
    m: &'a mut Machine<'m, G>,
    policy: ArrayPolicy,
    end: LispPtr,
    /// Blocks looked at for the request that was the worst.
    most: u64,
    requests: u64,
    looked_at: u64,
}

impl<'a, 'm, G: Generation> Space<'a, 'm, G> {
    fn new(m: &'a mut Machine<'m, G>, policy: ArrayPolicy) -> Self {
        m.mem.set_cell(m.symbols.array_space, SPACE);
        m.mem.set_cell(m.symbols.array_free_list, SPACE);
        m.mem.set_cell(m.symbols.free_block_buckets, BUCKETS);
        m.mem.set_cell(m.symbols.array_merging, LispPtr::T);
        m.mem.set_cell(m.symbols.hunking, LispPtr::T);
        Self {
            m,
            policy,
            end: SPACE,
            most: 0,
            requests: 0,
            looked_at: 0,
        }
    }

    /// A block from the rings, as Lisp's function looks for it or as the machine does.
    fn take(&mut self, cells: u32) -> Option<Block> {
        let before = self.looked_at();
        let at = match self.policy {
            ArrayPolicy::Segmented => {
                let at = self
                    .m
                    .take_block(cells, Dialect::Medley)
                    .expect("sound rings");
                (!at.is_nil()).then_some(at)
            }
            ArrayPolicy::Maiko => {
                let found = (bucket(cells)..=30).find_map(|ring| self.first_fit(ring, cells));
                found.map(|found| self.split(found, cells))
            }
        };
        self.most = self.most.max(self.looked_at() - before);
        at.map(|at| self.m.block_at(at))
    }

    /// Free blocks looked at until now.
    fn looked_at(&self) -> u64 {
        match self.policy {
            ArrayPolicy::Segmented => self.m.array_totals().looked_at,
            ArrayPolicy::Maiko => self.looked_at,
        }
    }

    fn first_fit(&mut self, ring: u32, cells: u32) -> Option<Block> {
        let head = self.m.mem.cell(BUCKETS.add(2 * ring));
        let mut at = head;
        while !at.is_nil() {
            self.looked_at += 1;
            let block = self.m.block_at(at);
            if block.cells >= cells {
                return Some(block);
            }
            at = self.m.mem.cell(at.add(FORWARD));
            if at == head {
                break;
            }
        }
        None
    }

    fn split(&mut self, block: Block, cells: u32) -> LispPtr {
        self.m.unlink_block(block);
        if block.cells - cells <= MIN_CELLS_WITH_HUNKS {
            return block.at;
        }
        let taken = Block { cells, ..block };
        let rest = Block {
            at: taken.end(),
            cells: block.cells - cells,
        };
        self.m.mark_block_free(rest);
        self.m.link_block(rest);
        self.m.merge_forward(rest);
        self.m.mark_block_free(taken);
        taken.at
    }

    fn allocate(&mut self, cells: u32) -> Block {
        self.requests += 1;
        let block = self.take(cells).unwrap_or_else(|| {
            let at = self.end;
            self.end = self.end.add(2 * cells);
            self.m
                .mem
                .set_cell(self.m.symbols.array_free_list, self.end);
            Block { at, cells }
        });
        assert!((cells..=cells + MIN_CELLS_WITH_HUNKS).contains(&block.cells));
        self.m.mark_block_free(block);
        for end in [block.at, block.trailer()] {
            self.m.mem.set_word(end, self.m.mem.word(end) | 1);
        }
        block
    }

    fn cells(&self) -> u32 {
        (self.end.0 - SPACE.0) / 2
    }

    /// Every ring can be followed both ways; with an index its blocks are in order of sixteenths.
    fn check(&self) {
        for ring in 0..=30 {
            let head = self.m.mem.cell(BUCKETS.add(2 * ring));
            let (mut at, mut last) = (head, 0);
            while !at.is_nil() {
                let block = self.m.block_at(at);
                assert!(self.m.is_sound_free_block(block) && block.cells >= MIN_CELLS);
                assert_eq!(bucket(block.cells), ring);
                let sixteenth = block.cells >> ring.saturating_sub(5);
                assert!(self.policy == ArrayPolicy::Maiko || sixteenth >= last);
                last = sixteenth;
                let next = self.m.mem.cell(at.add(FORWARD));
                assert_eq!(self.m.mem.cell(next.add(BACKWARD)), at);
                at = if next == head { LispPtr::NIL } else { next };
            }
        }
    }
}

/// What a random program makes of a space: its cells for each in use at the most, the mean and
/// the greatest number of blocks looked at for a request.
fn load(policy: ArrayPolicy, live: usize, length: impl Fn(f64) -> f64) -> (f64, f64, u64) {
    let mut seed = 1u64;
    let mut random = || {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as f64 / f64::from(1u32 << 31)
    };
    let mut result = (0.0, 0.0, 0);
    with_machine::<Medley2>(|mut m| {
        let mut space = Space::new(&mut m, policy);
        let mut blocks: Vec<Block> = Vec::new();
        let (mut used, mut most) = (0, 0);
        for _ in 0..100_000 {
            if blocks.len() == live {
                let block = blocks.swap_remove((random() * live as f64) as usize);
                used -= block.cells;
                space.m.free_block(block);
            }
            let cells = length(random()) as u32;
            let block = space.allocate(cells);
            used += block.cells;
            most = most.max(used);
            blocks.push(block);
        }
        space.check();
        let mean = space.looked_at() as f64 / space.requests as f64;
        result = (f64::from(space.cells()) / f64::from(most), mean, space.most);
    });
    result
}

#[test]
fn one_block_is_looked_at_and_space_is_used_better() {
    let uniform = |r: f64| 67.0 + 900.0 * r;
    let logarithmic = |r: f64| 67.0 * (8192.0f64 / 67.0).powf(r);
    for (live, length, bound) in [
        (400, &uniform as &dyn Fn(f64) -> f64, 1.10),
        (2000, &logarithmic, 1.10),
    ] {
        let maiko = load(ArrayPolicy::Maiko, live, length);
        let segmented = load(ArrayPolicy::Segmented, live, length);
        println!("{live} live: {maiko:.3?} as Maiko, {segmented:.3?} segmented");
        assert_eq!(segmented.2, 1);
        assert!(maiko.2 > 20);
        assert!(segmented.0 < bound && segmented.0 < maiko.0);
    }
}

#[test]
fn many_holes_that_are_too_small_are_not_looked_at() {
    for (policy, most) in [(ArrayPolicy::Maiko, 10_000), (ArrayPolicy::Segmented, 0)] {
        with_machine::<Medley2>(|mut m| {
            let mut space = Space::new(&mut m, policy);
            let blocks: Vec<_> = (0..20_000).map(|_| space.allocate(130)).collect();
            for block in blocks.into_iter().step_by(2) {
                space.m.free_block(block);
            }
            space.most = 0;
            space.allocate(200);
            assert_eq!(space.most, most, "{policy:?}");
        });
    }
}

impl<G: Generation> Space<'_, '_, G> {
    /// What Lisp checks with `\CHECKARRAYBLOCK`.
    fn check_block(&self, block: Block) {
        let word = |at| self.m.mem.word(at);
        let ends = [block.at, block.trailer()];
        let flags = ends.map(word);
        assert_eq!(flags[0], flags[1], "{block:?}");
        assert_eq!(flags[0] & PASSWORD_MASK, FREE, "{block:?}");
        let lengths = ends.map(|end| u32::from(word(end.add(LENGTH))));
        assert_eq!(lengths, [block.cells; 2]);
        if flags[0] & IN_USE == 0 && block.cells >= MIN_CELLS {
            let links = [FORWARD, BACKWARD].map(|link| self.m.mem.cell(block.at.add(link)));
            assert_eq!(self.m.mem.cell(links[0].add(BACKWARD)), block.at);
            assert_eq!(self.m.mem.cell(links[1].add(FORWARD)), block.at);
        }
    }

    /// What Lisp checks with `\PARSEARRAYSPACE`.
    fn check_all(&self) {
        let mut at = SPACE;
        while at < self.end {
            let block = self.m.block_at(at);
            self.check_block(block);
            at = block.end();
        }
        assert_eq!(at, self.end);
        self.check();
    }
}

/// Requests and releases: each block that is taken is checked with those on both sides, all of them
/// now and then.
#[test]
fn every_block_is_sound_after_each_of_a_million_operations() {
    const OPERATIONS: u32 = if cfg!(debug_assertions) {
        20_000
    } else {
        1_000_000
    };
    with_machine::<Medley3>(|mut m| {
        let mut space = Space::new(&mut m, ArrayPolicy::Segmented);
        let (mut blocks, mut random) = (Vec::<Block>::new(), 1u32);
        let mut below = |n: u32| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 8) % n
        };
        for _ in 0..OPERATIONS {
            let count = blocks.len() as u32;
            if below(1000) >= count {
                let most = 1 << below(12);
                let block = space.allocate(2 + below(most));
                space.check_block(block);
                if block.end() < space.end {
                    space.check_block(space.m.block_at(block.end()));
                }
                if block.at > SPACE {
                    let trailer = block.at.add(HEADER_WORDS.wrapping_neg());
                    let words = 2 * u32::from(space.m.mem.word(trailer.add(LENGTH)));
                    let before = block.at.add(words.wrapping_neg());
                    space.check_block(space.m.block_at(before));
                }
                blocks.push(block);
            } else {
                let block = blocks.swap_remove(below(count) as usize);
                space.m.free_block(block);
            }
            if below(1000) == 0 {
                space.check_all();
            }
        }
        space.check_all();
        assert_eq!(space.m.fault, None);
    });
}

#[test]
fn the_functions_of_medley_are_known() {
    with_medley(|mem, _| {
        let (mut m, _) = Machine::of_image(mem, crate::testing::devices());
        assert_eq!(m.set_array_policy(ArrayPolicy::Segmented), Ok(()));
        // Somebody advises one: it is Lisp's again.
        let symbol = find_symbol(mem, "\\LINKBLOCK").expect("a symbol");
        let cell = Medley2::symbol_cell(symbol, SymbolCell::Definition);
        m.mem.set_cell(cell, LispPtr::NIL);
        assert_eq!(
            m.set_array_policy(ArrayPolicy::Segmented),
            Err(UnknownFunctions)
        );
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() })]

    /// Whoever links and unlinks blocks meanwhile, with the index or without it.
    #[test]
    fn rings_stay_sound(
        steps in prop::collection::vec((0u32..4, 2u32..3000, any::<prop::sample::Index>()), 1..200)
    ) {
        fn run<G: Generation>(steps: &[(u32, u32, prop::sample::Index)]) {
            with_machine::<G>(|mut m| {
                let mut space = Space::new(&mut m, ArrayPolicy::Segmented);
                let mut blocks: Vec<Block> = Vec::new();
                for (what, cells, which) in steps {
                    match what {
                        0 | 1 => blocks.push(space.allocate(*cells)),
                        2 if !blocks.is_empty() => {
                            let block = blocks.swap_remove(which.index(blocks.len()));
                            space.m.free_block(block);
                        }
                        3 => {
                            // Lisp takes a block without telling.
                            let ring = bucket(*cells);
                            if let Some(block) = space.first_fit(ring, *cells) {
                                let stale = space.m.heap.rings.clone();
                                space.m.unlink_block(block);
                                for end in [block.at, block.trailer()] {
                                    space.m.mem.set_word(end, 0xAAA9);
                                }
                                space.m.heap.rings = stale;
                                                                blocks.push(block);
                            }
                        }
                        _ => {}
                    }
                    assert_eq!(space.m.fault, None);
                }
                // Made again, the index knows all.
                space.m.forget_index();
                space.allocate(2);
                space.check();
            });
        }
        run::<Medley2>(&steps);
        run::<Medley3>(&steps);
    }
}

/// Prints the time of requests of each length; only that each is met must hold on a busy host.
#[test]
fn requests_are_met_by_holes() {
    with_machine::<Medley2>(|mut m| {
        let mut space = Space::new(&mut m, ArrayPolicy::Segmented);
        let blocks: Vec<_> = (0..4000)
            .map(|n| space.allocate(67 + n * 37 % 900))
            .collect();
        for block in blocks.into_iter().step_by(2) {
            space.m.free_block(block);
        }
        let end = space.end;
        for cells in [67, 130, 260, 520, 766] {
            let mut spent = Duration::ZERO;
            for _ in 0..500 {
                let start = Instant::now();
                let taken = [(); 100].map(|()| space.m.take_block(cells, Dialect::Medley));
                spent += start.elapsed();
                for at in taken {
                    let block = space.m.block_at(at.expect("sound rings"));
                    assert!(block.at != LispPtr::NIL && block.at < end);
                    space.m.free_block(block);
                }
            }
            println!("{:?} for a request of {cells} cells", spent / 50_000);
        }
        space.check();
    });
}
