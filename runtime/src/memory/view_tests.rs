//! Pages turned from the byte order of image files and back.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::layout::{Generation, Medley2, Medley3};
use crate::memory::{AddressSpace, BYTES_PER_PAGE, LispPtr, WORDS_PER_PAGE};

const PAGES: u32 = 0x4000;
const TURNS: u32 = 8;

/// Bytes of which each has another value than those near it.
fn content(page: u32) -> [u8; BYTES_PER_PAGE] {
    std::array::from_fn(|at| (at as u32 * 167 + page * 59 + (at as u32 >> 8)) as u8)
}

fn is_as_in_the_file<G: Generation>() {
    let space = AddressSpace::<G>::reserve().expect("address space");
    let mem = space.view();
    for page in [1, 2, 0x1234, G::POINTER_MASK / WORDS_PER_PAGE] {
        let content = content(page);
        mem.write_page(page, &content);
        let first = LispPtr::from_page(page);
        for (at, byte) in content.into_iter().enumerate() {
            let at = at as u32;
            assert_eq!(mem.byte(first, at as i32), byte);
        }
        for (at, bytes) in content.as_chunks().0.iter().enumerate() {
            let at = first.add(at as u32);
            assert_eq!(mem.word(at), u16::from_be_bytes(*bytes));
        }
        for (at, bytes) in content.as_chunks().0.iter().enumerate() {
            let at = first.add(2 * at as u32);
            assert_eq!(mem.cell(at).0, u32::from_be_bytes(*bytes));
        }
        for (at, bytes) in content.as_chunks().0.iter().enumerate() {
            let (high, low) = mem.cell_pair(first.add(4 * at as u32));
            let both = u64::from(high.0) << 32 | u64::from(low.0);
            assert_eq!(both, u64::from_be_bytes(*bytes));
        }
        let mut back = [0; BYTES_PER_PAGE];
        mem.read_page(page, &mut back);
        assert_eq!(back, content);
    }
}

#[test]
fn bytes_words_and_cells_are_those_of_the_file() {
    is_as_in_the_file::<Medley2>();
    is_as_in_the_file::<Medley3>();
}

/// Bytes in a nanosecond, at the best of some times: the host has other work.
fn speed(pages: u32, mut work: impl FnMut(u32)) -> f64 {
    let time = |_| {
        let start = Instant::now();
        (1..=PAGES).for_each(|page| work(page % pages + 1));
        start.elapsed()
    };
    let best = (0..TURNS).map(time).min().unwrap_or(Duration::MAX);
    f64::from(PAGES) * BYTES_PER_PAGE as f64 / best.as_nanos() as f64
}

#[test]
fn pages_are_turned_fast() {
    let space = AddressSpace::<Medley2>::reserve().expect("address space");
    let mem = space.view();
    let mut file = vec![content(1); PAGES as usize + 1];
    for (pages, what) in [(1, "one page"), (PAGES, "8 MB")] {
        let written = speed(pages, |page| mem.write_page(page, &file[page as usize]));
        let read = speed(pages, |page| mem.read_page(page, &mut file[page as usize]));
        println!("{what}: {written:.1} GB/s to memory, {read:.1} GB/s to the file");
    }
    black_box(file);
}
