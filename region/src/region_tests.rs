//! The allocator against a model.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[test]
fn every_size_is_found_in_a_list_where_it_fits() {
    for granules in (1..5000).chain((5000..MAX_GRANULES).step_by(997)) {
        let (level, list) = class(granules);
        assert!(level < LEVELS && list < LISTS);
        // Nothing in the list for requests is smaller than the request.
        let (level, list) = class(round_up(granules));
        let least = match level {
            0 => list as u32,
            level => (16 + list as u32) << (level - 1),
        };
        assert!(least >= granules, "{granules}");
    }
}

#[derive(Clone, Debug)]
enum Step {
    Allocate(u8, usize),
    Free(usize),
    Resize(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let bytes = || prop_oneof![4 => 0usize..200, 1 => 200usize..20_000];
    prop_oneof![
        4 => (0u8..16, bytes()).prop_map(|(tag, bytes)| Step::Allocate(tag, bytes)),
        3 => any::<usize>().prop_map(Step::Free),
        2 => (any::<usize>(), bytes()).prop_map(|(n, bytes)| Step::Resize(n, bytes)),
    ]
}

fn nth<T: Copy>(live: &BTreeMap<Block, T>, n: usize) -> Option<(Block, T)> {
    let n = n.checked_rem(live.len())?;
    live.iter().nth(n).map(|(&block, &known)| (block, known))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    /// Blocks keep what was written, overlap nothing, and every counter is right.
    #[test]
    fn blocks_are_what_a_model_says(steps in prop::collection::vec(step(), 1..300)) {
        let mut buffer = vec![0; 100_000];
        let mut region = Region::new(&mut buffer).unwrap();
        let initial = region.free_bytes();
        let mut live: BTreeMap<Block, (u8, usize, u8)> = BTreeMap::new();
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Allocate(tag, bytes) => {
                    let mark = number as u8;
                    match region.allocate(Tag::new(tag), bytes) {
                        Ok(block) => {
                            prop_assert!(region.len(block) as usize >= bytes);
                            region.bytes_mut(block).fill(mark);
                            prop_assert!(live.insert(block, (tag, bytes, mark)).is_none());
                        }
                        Err(refusal) => prop_assert!(refusal.needed >= bytes as u64),
                    }
                }
                Step::Free(n) => if let Some((block, (tag, ..))) = nth(&live, n) {
                    live.remove(&block);
                    prop_assert_eq!(region.free(block), Ok(Tag::new(tag)));
                },
                Step::Resize(n, bytes) => {
                    if let Some((block, (tag, old, mark))) = nth(&live, n)
                        && let Ok(new) = region.resize(block, bytes)
                    {
                        live.remove(&block);
                        prop_assert!(region.bytes(new)[..old.min(bytes)].iter().all(|&b| b == mark));
                        region.bytes_mut(new).fill(mark);
                        prop_assert!(live.insert(new, (tag, bytes, mark)).is_none());
                    }
                },
            }
            prop_assert_eq!(region.check(), Ok(()));
        }
        for (&block, &(tag, _, mark)) in &live {
            prop_assert_eq!(region.tag(block), Tag::new(tag));
            prop_assert!(region.bytes(block).iter().all(|&b| b == mark));
        }
        for &block in live.keys() {
            region.free(block).unwrap();
        }
        prop_assert_eq!(region.free_bytes(), initial);
        prop_assert!(region.is_empty());
        prop_assert_eq!(region.check(), Ok(()));
    }
}

#[test]
fn a_region_that_is_too_small_says_what_it_needs() {
    let mut buffer = [0; 8];
    let Err(refusal) = Region::new(&mut buffer) else {
        panic!("8 bytes are not enough");
    };
    assert_eq!(refusal.needed, 32);
    let mut region = Region::reserve(1024).unwrap();
    let refusal = region.allocate(Tag::new(1), 5000).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "5008 bytes of memory are needed, 1008 of 1024 are free"
    );
    assert!(region.allocate(Tag::new(1), usize::MAX).is_err());
    // All of it in one piece.
    assert!(region.allocate(Tag::new(1), 1004).is_ok());
    assert_eq!(region.free_bytes(), 0);
}

#[test]
fn what_is_not_a_block_is_not_freed() {
    let mut region = Region::reserve(4096).unwrap();
    let block = region.allocate(Tag::new(3), 40).unwrap();
    for offset in [0, 1, block.0 + 1, block.0 + 64, 4096, u32::MAX] {
        assert!(region.free(Block(offset)).is_err(), "{offset}");
    }
    region.free(block).unwrap();
    assert_eq!(region.free(block), Err(NotABlock(block.0)), "twice");
    assert_eq!(region.check(), Ok(()));
}

#[test]
fn damage_is_found() {
    let mut region = Region::reserve(4096).unwrap();
    let block = region.allocate(Tag::new(3), 40).unwrap();
    region.set_header(block, Header::used(2, Tag::new(3)));
    assert!(region.check().is_err());
}

#[test]
fn what_is_free_takes_no_memory_after_it_was_given_back() {
    const BYTES: usize = 1 << 20;
    let mut region = Region::reserve(4 << 20).unwrap();
    let before = region.allocate(Tag::new(1), 5000).unwrap();
    let block = region.allocate(Tag::new(1), BYTES).unwrap();
    let behind = region.allocate(Tag::new(1), 5000).unwrap();
    for kept in [before, behind] {
        region.bytes_mut(kept).fill(7);
    }
    region.bytes_mut(block).fill(9);
    region.free(block).unwrap();
    let free = region.free_bytes();
    region.forget_contents_of_free();
    assert_eq!((region.check(), region.free_bytes()), (Ok(()), free));
    for kept in [before, behind] {
        assert!(region.bytes(kept).iter().all(|&byte| byte == 7));
    }
    // What is a little smaller is sure to find it.
    let again = region.allocate(Tag::new(1), BYTES / 16 * 15).unwrap();
    assert_eq!(again, block);
    let stays = region.bytes(again).iter().filter(|&&byte| byte != 0);
    // Parts of pages at both ends.
    assert!(!cfg!(target_os = "linux") || stays.count() < 2 * 4096);
}
