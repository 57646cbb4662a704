//! A program whose memory is one region.

use std::collections::BTreeMap;
use std::thread;

use geiko_region::{ProgramMemory, Tag, Usage};

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

fn own() -> Usage {
    ProgramMemory::usage()[usize::from(OWN.number())]
}

/// The accounts and what the region itself counts. Nobody else allocates meanwhile.
fn all_is_on_an_account() {
    let all = (ProgramMemory::used(), ProgramMemory::outside());
    let sum: u64 = ProgramMemory::usage().iter().map(|usage| usage.bytes).sum();
    assert_eq!(sum, all.0 + all.1, "{all:?}");
}

/// The counters are of the whole program, so there is one test.
#[test]
fn a_program_lives_in_a_region() {
    thread::scope(|scope| {
        for seed in 0..4 {
            scope.spawn(move || work(seed));
        }
    });
    let before = ProgramMemory::outside();
    thread::spawn(move || {
        let account = ProgramMemory::account_to(OWN);
        let mut own_vector = vec![1_u8; 10_000];
        let large = vec![1_u8; 10 << 20];
        let zeros = vec![0_u8; 3 << 20];
        drop(account);
        let others = vec![1_u8; 50_000];
        let expected = 10_000 + (13 << 20);
        let usage = own();
        let more = usage.bytes - expected;
        assert!(usage.blocks == 3 && more < 100, "{usage:?}");
        assert!(ProgramMemory::outside() >= before + (13 << 20));
        all_is_on_an_account();
        // Whoever makes it larger, inside and then outside, it stays on its account.
        for bytes in [20_000, 2 << 20, 4 << 20, 10_000] {
            own_vector.resize(bytes, 1);
            own_vector.shrink_to_fit();
            let more = own().bytes - bytes as u64 - (13 << 20);
            assert!(own().blocks == 3 && more < 100, "{bytes}: {:?}", own());
        }
        all_is_on_an_account();
        drop((own_vector, large, zeros, others));
    })
    .join()
    .expect("it ends");
    // What is freed is taken from the account it was on, whoever frees it.
    assert_eq!(ProgramMemory::outside(), before);
    assert_eq!(own(), Usage::default());

    let limit = ProgramMemory::used() + (1 << 20);
    assert!(!ProgramMemory::is_short());
    ProgramMemory::set_limit(limit);
    let much: Vec<_> = (0..1000).map(|_| vec![2_u8; 4096]).collect();
    assert!(ProgramMemory::is_short() && ProgramMemory::used() <= limit);
    assert!(ProgramMemory::room() < 8192);
    assert!(
        ProgramMemory::beyond().0 > 2 << 20,
        "nobody is refused, and it is told"
    );
    all_is_on_an_account();
    assert!(much.iter().flatten().all(|&byte| byte == 2));
    drop(much);
    assert!(!ProgramMemory::is_short() && ProgramMemory::peak() <= limit);
    let (now, most) = ProgramMemory::beyond();
    assert!(now == 0 && most > 2 << 20, "{now} {most}");
}
