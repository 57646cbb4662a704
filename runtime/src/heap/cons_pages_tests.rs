//! Tests of the pages of list cells.

use super::*;
use crate::heap::freeing::RETURN_COUNT;
use crate::layout::{Medley2, Medley3};
use crate::testing::with_machine;

/// The places of the chain of `page`, in order.
fn chain<G: Generation>(m: &Machine<'_, G>, page: LispPtr) -> Vec<u32> {
    let mut places = Vec::new();
    let mut place = m.cons_header(page).first();
    while place != 0 {
        places.push(place);
        place = m.next_free_cell(page, place);
    }
    places
}

#[test]
fn fresh_pages() {
    with_machine::<Medley2>(|mut m| {
        let cell = m.cons(LispPtr::T, LispPtr::NIL);
        let page = page_of(cell);
        assert_eq!(place_of(cell), 254);
        assert_eq!(
            m.cons_header(page).0,
            126 << 24 | 252 << 16 | (page.page() + 1)
        );
        assert_eq!(chain(&m, page).len(), 126);
    });
    with_machine::<Medley3>(|mut m| {
        let page = page_of(m.cons(LispPtr::T, LispPtr::NIL));
        let second = page.add(WORDS_PER_PAGE);
        m.chain_free_cells();
        // Groups of four, upwards in each.
        assert_eq!(chain(&m, second)[..6], [248, 250, 252, 254, 240, 242]);
        assert_eq!(m.cons_header(second).count(), 124);
        assert_eq!(m.cons_page_link(page), second.page());
        assert_eq!(m.cons_page_link(second), 0);
    });
}

#[test]
fn chains_are_written_for_those_who_look() {
    with_machine::<Medley3>(|mut m| {
        let list = m.cons(LispPtr::T, LispPtr::NIL);
        let list = m.cons(LispPtr::T, list);
        m.rplcons(list, LispPtr::T);
        let page = page_of(list);
        m.chain_free_cells();
        let places = chain(&m, page);
        assert_eq!(places.len() as u32, m.cons_header(page).count());
        assert_eq!(places.len() as u32, m.cell_map(page).count());
        assert!(places.iter().all(|&place| m.cell_map(page).contains(place)));
        // A chain is as good as the map it was made from.
        let map = m.cell_map(page);
        m.set_cell_map(page, CellMap::UNKNOWN);
        assert_eq!(m.cell_map(page), map);
    });
}

#[test]
fn a_fresh_page_without_a_chain_is_mended() {
    with_machine::<Medley2>(|mut m| {
        let page = m.new_cons_unit().unwrap();
        let header = m.cons_header(page).with_first(0);
        m.set_cons_header(page, header);
        let cells: Vec<_> = (0..300).map(|_| m.cons(LispPtr::T, LispPtr::NIL)).collect();
        let there = cells.iter().filter(|&&cell| page_of(cell) == page);
        assert_eq!(there.count(), 127);
        assert!(cells.iter().all(|&cell| place_of(cell) != 0));
        assert_eq!(m.fault, None);
    });
}

#[test]
fn a_page_without_close_cells_leaves_the_list_and_returns() {
    with_machine::<Medley3>(|mut m| {
        let number = m.number(1 << 20);
        let page = m.new_cons_unit().unwrap();
        // Keep all but every eighth cell.
        let all: Vec<_> = (4..128).map(|cell| 2 * cell).collect();
        let (free, used): (Vec<_>, Vec<_>) = all.iter().partition(|&&place| place % 16 == 0);
        for &place in &used {
            assert!(m.cell_map(page).contains(place));
            m.take_free_cell(page, place);
        }
        assert_eq!(m.first_cons_page(), page.page());
        let pair = m.cons(LispPtr::T, number);
        assert_ne!(page_of(pair), page);
        assert_eq!(m.cons_page_link(page), Medley3::CONS_PAGE.off_list);
        for (freed, &place) in used.iter().enumerate() {
            let listed = m.cons_page_link(page) != Medley3::CONS_PAGE.off_list;
            assert_eq!(listed, free.len() + freed > RETURN_COUNT as usize);
            m.free_list_cell(page.add(place));
        }
        assert_eq!(m.fault, None);
        m.free_list_cell(page.add(free[0]));
        assert!(matches!(m.fault, Some(Fault::BadFreeList { .. })), "twice");
    });
}
