//! Shrinking: what is used stays, what is free goes.

use super::rings::Block;
use crate::audit::{Audit, Graph};
use crate::image::testing::with_medley;
use crate::layout::records::array_block::IN_USE;
use crate::layout::records::interface;
use crate::layout::{Generation, Medley2, Medley3};
use crate::machine::Machine;
use crate::memory::{LispPtr, WORDS_PER_PAGE};
use crate::testing::{declare_type, devices, with_machine};

const SPACE: LispPtr = LispPtr(0x2F_0000);
const BUCKETS: LispPtr = LispPtr(0xD000);
const TYPE: u16 = 100;
/// Words of a record: five in a page.
const WORDS: u16 = 50;

/// A block in use at the end of array space.
fn block<G: Generation>(m: &mut Machine<'_, G>, cells: u32) -> Block {
    let at = m.mem.cell(m.symbols.array_free_list);
    let block = Block { at, cells };
    m.mark_block_free(block);
    for end in [block.at, block.trailer()] {
        m.mem.set_word(end, m.mem.word(end) | IN_USE);
    }
    for word in 2..2 * cells - 2 {
        m.mem.set_word(at.add(word), 0x5555);
    }
    let (from, to) = (m.page_variable(m.symbols.next_array_page), block.end());
    for page in (from..to.page() + 1).step_by(2) {
        m.new_page(LispPtr::from_page(page));
        m.new_page(LispPtr::from_page(page + 1));
        m.set_page_variable(m.symbols.next_array_page, page + 2);
    }
    m.mem.set_cell(m.symbols.array_free_list, to);
    block
}

fn kept<G: Generation>(m: &Machine<'_, G>) -> (Graph, Audit) {
    let audit = m.audit();
    assert!(audit.is_sound(), "{audit}");
    (Graph::of(m.mem, &m.symbols), audit)
}

/// Records, list cells and blocks, of which some are freed: at the beginning, in the middle
/// and at the end.
fn worn<G: Generation>(test: impl FnOnce(Machine<'_, G>)) {
    with_machine::<G>(|mut m| {
        for (variable, value) in [
            (m.symbols.array_space, SPACE),
            (m.symbols.array_free_list, SPACE),
            (m.symbols.free_block_buckets, BUCKETS),
        ] {
            m.mem.set_cell(variable, value);
        }
        m.set_page_variable(m.symbols.next_array_page, SPACE.page());
        // Nothing is merged, so that there is something to do.
        m.mem.set_cell(m.symbols.array_merging, LispPtr::NIL);
        for page in 0..8 {
            m.new_page(G::FPTOVP.add(page * WORDS_PER_PAGE));
        }
        m.set_interface_word(interface::FPTOVP_START, 1);
        declare_type(&mut m, TYPE, WORDS, &[]);
        let records: Vec<_> = (0..100).filter_map(|_| m.create_cell(TYPE)).collect();
        let cells: Vec<_> = (0..2000)
            .map(|_| m.cons(LispPtr::T, LispPtr::NIL))
            .collect();
        for &object in records.iter().chain(&cells) {
            m.add_ref(object);
            m.mem.set_cell(object.add(0), m.mem.cell(object));
        }
        for (number, &record) in records.iter().enumerate() {
            m.mem.set_cell(record.add(2), LispPtr(0x7777));
            if !(40..45).contains(&number) {
                let free = G::dtd(TYPE.into()).add(G::DTD_FIELDS.free);
                m.mem.set_cell(record, m.mem.cell(free));
                m.mem.set_cell(free, record);
            }
        }
        for (number, &cell) in cells.iter().enumerate() {
            if !(900..910).contains(&number) {
                m.free_list_cell(cell);
            }
        }
        let blocks: Vec<_> = (0..60).map(|number| block(&mut m, 50 + number)).collect();
        for (number, &block) in blocks.iter().enumerate() {
            if !(20..25).contains(&number) {
                m.free_block(block);
            }
        }
        test(m);
    });
}

fn shrinks<G: Generation>() {
    worn::<G>(|mut m| {
        let (graph, before) = kept(&m);
        let pages = m.active_pages();
        let shrunk = m.shrink();
        let (same, after) = kept(&m);
        assert_eq!(same, graph);
        assert_eq!(after.recount.differences, before.recount.differences);
        // Of array space one free block is left, before those in use; nothing is behind them.
        assert_eq!((shrunk.blocks_before, shrunk.blocks), (55, 1));
        assert_eq!((after.arrays.free, after.arrays.on_rings), (1, 1));
        assert_eq!(after.arrays.cells_in_use, before.arrays.cells_in_use);
        assert_eq!(after.arrays.unmerged, 0);
        // Ten units of records, of which one or two are used, and eight of list cells.
        assert!(shrunk.units >= 3, "{shrunk:?}");
        assert!(shrunk.pages >= 20, "{shrunk:?}");
        assert_eq!(m.active_pages(), pages - shrunk.pages as u32);
        let table: Vec<_> = (1..=m.active_pages()).map(|at| m.file_page(at)).collect();
        assert!(table[2..].is_sorted_by(|a, b| a < b), "{table:?}");
        let start = usize::from(m.interface_word(interface::FPTOVP_START));
        assert_eq!(table[start - 1], G::FPTOVP.page());

        assert_eq!(m.shrink().pages, 0, "there is nothing more to be gained");
        // Everything can be allocated again, free units first.
        let unused = m.page_variable(m.symbols.next_mds_page);
        for _ in 0..shrunk.units {
            assert!(m.alloc_mds_page(TYPE).is_some());
        }
        assert_eq!(m.page_variable(m.symbols.next_mds_page), unused);
        for _ in 0..2000 {
            m.cons(LispPtr::T, LispPtr::NIL);
            m.create_cell(TYPE);
        }
        block(&mut m, 5000);
        assert_eq!(m.fault, None);
        kept(&m);
    });
}

#[test]
fn what_is_free_goes_and_what_is_used_stays() {
    shrinks::<Medley2>();
    shrinks::<Medley3>();
}

#[test]
fn blocks_without_a_ring_get_one() {
    with_medley(|mem, image| {
        let (mut m, _) = Machine::of_image(mem, devices());
        let (graph, before) = kept(&m);
        let shrunk = m.shrink();
        let (same, after) = kept(&m);
        assert_eq!(same, graph);
        assert_eq!(after.recount.differences, before.recount.differences);
        assert_eq!(after.recount.objects, before.recount.objects);
        assert!(before.arrays.off_rings > 100, "{:?}", before.arrays);
        assert_eq!(after.arrays.off_rings, 0, "{:?}", after.arrays);
        println!("{shrunk:?} of {} pages", image.header().file_pages);
    });
}

#[test]
fn the_end_of_array_space_is_no_reference() {
    fn run<G: Generation>() {
        worn::<G>(|mut m| {
            let record = m.create_cell(TYPE).expect("room");
            m.add_ref(record);
            let before = m.audit();
            // Array space goes on elsewhere, and this page got the record later.
            m.mem.set_cell(m.symbols.array_free_list2, record);
            assert_eq!(m.audit().recount.differences, before.recount.differences);
        });
    }
    run::<Medley2>();
    run::<Medley3>();
}
