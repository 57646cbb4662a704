//! A program whose memory is one region.

use std::collections::BTreeMap;
use std::thread;

use geiko_region::{ProgramMemory, Tag};

#[global_allocator]
static MEMORY: ProgramMemory = ProgramMemory;

const OWN: Tag = Tag::new(7);

/// Makes and changes texts, vectors and maps, and looks whether they hold what they should.
fn work(seed: u32) {
    let mut random = seed;
    let mut next = |limit: u32| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 8) % limit
    };
    let mut kept: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for n in 0..20_000 {
        let key = next(100);
        let length = if n % 1000 == 0 { 400_000 } else { next(300) };
        let vector = kept.entry(key).or_default();
        assert!(vector.iter().all(|&word| word == key));
        vector.resize(length as usize, key);
        if next(3) == 0 {
            vector.shrink_to_fit();
        } else if next(5) == 0 {
            kept.remove(&key);
        }
    }
}

/// The counters are of the whole program, so there is one test.
#[test]
fn a_program_lives_in_a_region() {
    thread::scope(|scope| {
        for seed in 0..4 {
            scope.spawn(move || work(seed));
        }
    });
    let before = (ProgramMemory::usage(OWN), ProgramMemory::outside());
    thread::spawn(|| {
        ProgramMemory::account_to(OWN);
        let own = vec![1_u8; 10_000];
        let large = vec![1_u8; 10 << 20];
        let usage = ProgramMemory::usage(OWN);
        assert!(usage.bytes >= 10_000 && usage.bytes < 12_000, "{usage:?}");
        assert!(ProgramMemory::outside() >= 10 << 20);
        drop((own, large));
    })
    .join()
    .expect("it ends");
    // What is freed is taken from the account it was on, whoever frees it.
    let after = (ProgramMemory::usage(OWN), ProgramMemory::outside());
    assert_eq!(before.1, after.1);
    assert!(after.0.bytes < 1000, "{after:?}");

    let limit = ProgramMemory::used() + (1 << 20);
    assert!(!ProgramMemory::is_short());
    ProgramMemory::set_limit(limit);
    let much: Vec<_> = (0..1000).map(|_| vec![2_u8; 4096]).collect();
    assert!(ProgramMemory::is_short() && ProgramMemory::used() <= limit);
    assert!(
        ProgramMemory::outside() > before.1 + (2 << 20),
        "nobody is refused"
    );
    assert!(much.iter().flatten().all(|&byte| byte == 2));
    drop(much);
    assert!(!ProgramMemory::is_short() && ProgramMemory::peak() <= limit);
}
