//! Circles of garbage, and what must not be taken for it.

use geiko_region::{Colour, UNITS_PER_STEP};

use super::BackupMode;
use super::objects::CELLS_TOGETHER;
use crate::heap::rings::Block;
use crate::layout::records::array_block::{FREE, HEADER_WORDS, IN_USE, LENGTH, POINTERS};
use crate::layout::records::types;
use crate::layout::{Generation, Medley2, Medley3, SymbolCell};
use crate::machine::Machine;
use crate::memory::{LispPtr, WORDS_PER_PAGE};
use crate::testing::{close_frame, declare_type, with_machine};

/// A type of records, and where they have pointers.
pub(super) const RECORD: u16 = 100;
pub(super) const FIELDS: [u16; 3] = [0, 2, 6];

/// Start of the array space, far from everything else.
const SPACE: LispPtr = LispPtr(0x40_0000);

/// Makes an array space of so many blocks, all of them free, with room for so many cells in each.
pub(super) fn declare_arrays<G: Generation>(m: &mut Machine<'_, G>, blocks: u32, cells: u32) {
    let end = SPACE.add(2 * blocks * (cells + 2));
    for page in SPACE.page()..=end.page() {
        m.new_page(LispPtr::from_page(page));
        m.mem
            .set_word(G::TYPE_TABLE.add(page * WORDS_PER_PAGE / 512), 0);
    }
    m.mem.set_cell(m.symbols.array_space, SPACE);
    m.mem.set_cell(m.symbols.array_free_list, end);
    for block in 0..blocks {
        m.free_block(Block {
            at: SPACE.add(2 * block * (cells + 2)),
            cells: cells + 2,
        });
    }
}

/// An array of pointers, in the first of the free blocks, which are in no rings. `None` if there is
/// none.
pub(super) fn array<G: Generation>(m: &mut Machine<'_, G>) -> Option<LispPtr> {
    let end = m.mem.cell(m.symbols.array_free_list);
    let mut block = m.block_at(SPACE);
    while m.mem.word(block.at) & IN_USE != 0 {
        block = m.block_at(block.end());
        if block.at == end {
            return None;
        }
    }
    for end in [block.at, block.trailer()] {
        m.mem.set_word(end, FREE | IN_USE | POINTERS);
        m.mem.set_word(end.add(LENGTH), block.cells as u16);
    }
    let data = block.at.add(HEADER_WORDS);
    for cell in 0..block.cells - 2 {
        m.mem.set_cell(data.add(2 * cell), LispPtr::NIL);
    }
    m.written_words(data, 2 * (block.cells - 2));
    m.del_ref(data);
    Some(data)
}

/// Cells of an array of some parts for the tracer.
pub(super) const CELLS: u32 = 3 * CELLS_TOGETHER - 7;
/// The cells that are used.
const PLACES: [u32; 3] = [1, CELLS / 2, CELLS - 1];

pub(super) fn is_array(object: LispPtr) -> bool {
    object >= SPACE
}

/// Where in a record or an array that part is.
pub(super) fn place(object: LispPtr, part: usize) -> LispPtr {
    object.add(if is_array(object) {
        2 * PLACES[part]
    } else {
        FIELDS[part].into()
    })
}

/// A ring of `size` list cells.
fn ring<G: Generation>(m: &mut Machine<'_, G>, size: u32) -> LispPtr {
    let last = m.cons(LispPtr::T, LispPtr::NIL);
    let first = (1..size).fold(last, |list, _| m.cons(LispPtr::T, list));
    m.rplacd(last, first);
    first
}

/// Ends the cycle that runs, with as many collections as that takes.
pub(super) fn finish<G: Generation>(m: &mut Machine<'_, G>) {
    while !m.backup_is_idle() {
        m.collect();
        m.backup_step(u64::MAX);
    }
    m.collect();
}

fn freed<G: Generation>(m: &mut Machine<'_, G>) -> u64 {
    let before = m.statistics.objects_freed;
    m.collect();
    assert_eq!(m.fault, None);
    m.statistics.objects_freed - before
}

pub(super) fn with_backup<G: Generation>(mode: BackupMode, test: impl FnOnce(Machine<'_, G>)) {
    with_machine::<G>(|mut m| {
        m.set_backup(mode);
        test(m);
    });
}

fn rings_go<G: Generation>() {
    with_backup::<G>(BackupMode::On, |mut m| {
        for size in [1, 2, 3, 1000] {
            let dead = ring(&mut m, size);
            let kept = ring(&mut m, size);
            close_frame(&mut m, &[kept]);
            assert_eq!(freed(&mut m), 0, "counts do not free {dead}");
            m.collect_cycles();
            assert_eq!(freed(&mut m), u64::from(size));
            close_frame(&mut m, &[]);
            m.collect_cycles();
            assert_eq!(freed(&mut m), u64::from(size));
            assert_eq!(m.backup_totals().lost, 0);
        }
        assert!(m.backup_is_idle());
    });
}

#[test]
fn rings_that_nothing_refers_to_are_freed() {
    rings_go::<Medley2>();
    rings_go::<Medley3>();
}

#[test]
fn a_report_frees_nothing() {
    with_backup::<Medley3>(BackupMode::Report, |mut m| {
        ring(&mut m, 5);
        close_frame(&mut m, &[]);
        m.collect_cycles();
        assert_eq!(m.backup_totals().garbage, 5);
        assert_eq!(freed(&mut m), 0);
        assert!(m.backup_is_idle());
    });
}

/// Makes rings of these sizes while there is room for few suspects; how many cells are freed.
fn freed_with_few_suspects<G: Generation>(most: u64, sizes: &[u32]) -> u64 {
    let mut all = 0;
    with_backup::<G>(BackupMode::On, |mut m| {
        let backup = m.gc.backup.as_mut().expect("it is on");
        backup.heap.most_suspects = most;
        for &size in sizes {
            ring(&mut m, size);
        }
        close_frame(&mut m, &[]);
        m.start_backup();
        while !m.backup_is_idle() {
            m.backup_step(u64::MAX);
            all += freed(&mut m);
        }
    });
    all
}

#[test]
fn what_there_was_no_room_for_is_examined_in_the_next_cycle() {
    for most in [100, 200, 299, 300, 301] {
        assert_eq!(freed_with_few_suspects::<Medley2>(most, &[3; 100]), 300);
        assert_eq!(freed_with_few_suspects::<Medley3>(most, &[3; 100]), 300);
    }
    // Of a circle for which there is never room only others between its cells stay.
    let sizes = [&[50][..], &[3; 100]].concat();
    assert!(freed_with_few_suspects::<Medley2>(30, &sizes) > 280);
    assert!(freed_with_few_suspects::<Medley3>(30, &sizes) > 280);
}

fn unknown_references<G: Generation>() {
    with_backup::<G>(BackupMode::On, |mut m| {
        // Counted from somewhere that is not in the image.
        let hidden = ring(&mut m, 3);
        m.add_ref(hidden);
        let with_it = m.number(1 << 20);
        m.rplaca(hidden, with_it);
        close_frame(&mut m, &[]);
        m.collect_cycles();
        assert_eq!((freed(&mut m), m.backup_totals().lost), (0, 1));
        assert_eq!(m.car(hidden), with_it);
        m.del_ref(hidden);
        m.collect_cycles();
        assert_eq!(freed(&mut m), 4);
    });
}

#[test]
fn what_counts_say_is_in_use_stays() {
    unknown_references::<Medley2>();
    unknown_references::<Medley3>();
}

#[test]
fn many_objects_go_in_batches() {
    with_backup::<Medley2>(BackupMode::On, |mut m| {
        let rings = 20_000;
        for _ in 0..rings {
            ring(&mut m, 1);
        }
        close_frame(&mut m, &[]);
        m.collect_cycles();
        let mut all = 0;
        while !m.backup_is_idle() {
            let batch = freed(&mut m);
            assert!(batch <= 4096);
            all += batch;
            m.backup_step(u64::MAX);
        }
        assert_eq!(all + freed(&mut m), rings);
        assert!(!m.gc_disabled());
    });
}

/// Pointers of a large array.
const MANY: u32 = 60_000;

/// A large array that refers to as many list cells, and to itself.
fn large_array<G: Generation>(m: &mut Machine<'_, G>) -> LispPtr {
    declare_arrays(m, 1, MANY);
    let array = array(m).expect("a free block");
    for cell in 1..MANY {
        let list = m.cons(LispPtr::T, LispPtr::NIL);
        m.store_counted(array.add(2 * cell - 2), list);
    }
    m.store_counted(array.add(2 * MANY - 2), array);
    array
}

fn large_arrays_are_seen_in_parts<G: Generation>() {
    with_backup::<G>(BackupMode::On, |mut m| {
        let array = large_array(&mut m);
        close_frame(&mut m, &[array]);
        m.start_backup();
        let (mut marked, mut steps) = (0, 0);
        while !m.backup_is_idle() {
            m.backup_step(UNITS_PER_STEP);
            let now = m.backup_totals().marked;
            // Four references are looked at for a unit.
            assert!(now - marked <= 4 * UNITS_PER_STEP + u64::from(CELLS_TOGETHER));
            (marked, steps) = (now, steps + 1);
        }
        assert_eq!(marked, u64::from(MANY));
        assert!(u64::from(MANY) / (4 * UNITS_PER_STEP) < steps);
        // It is garbage now.
        close_frame(&mut m, &[]);
        m.collect_cycles();
        assert_eq!(m.backup_totals().garbage, u64::from(MANY));
        let mut all = 0;
        while !m.backup_is_idle() {
            let batch = freed(&mut m);
            assert!(batch <= 4096, "{batch}");
            all += batch;
            m.backup_step(u64::MAX);
        }
        assert_eq!(all + freed(&mut m), u64::from(MANY));
        assert!(!m.gc_disabled());
    });
}

#[test]
fn large_arrays_are_seen_and_released_in_parts() {
    large_arrays_are_seen_in_parts::<Medley2>();
    large_arrays_are_seen_in_parts::<Medley3>();
}

/// What is taken away from the collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    Nothing,
    /// References that are stored are not noticed.
    ForwardBarrier,
    /// Uncounted stores are not noticed.
    WrittenPages,
}

pub(super) fn take_away<G: Generation>(m: &mut Machine<'_, G>, missing: Missing) {
    m.gc.backup.as_mut().expect("it is on").missing = missing;
}

/// How many objects are found by their counts only, when the pointer to the last of three moves
/// from the second to the first while the tracer has seen the first one alone.
fn found_too_late<G: Generation>(counted: bool, missing: Missing) -> u64 {
    let mut late = 0;
    with_backup::<G>(BackupMode::On, |mut m| {
        declare_type(&mut m, RECORD, 8, &FIELDS);
        let [first, second, last] = [(); 3].map(|()| m.create_cell(RECORD).expect("declared"));
        let cell = G::symbol_cell(LispPtr(500), SymbolCell::Value);
        m.new_page(cell);
        m.store_counted(cell, first);
        m.store_counted(first, second);
        m.store_counted(second, last);
        close_frame(&mut m, &[]);
        m.start_backup();
        let colour = |m: &Machine<'_, G>, object| {
            let backup = m.gc.backup.as_ref().expect("it is on");
            (backup.heap.colours.get(object), backup.progress.in_use())
        };
        while colour(&m, first).0 != colour(&m, first).1 {
            m.backup_step(1);
        }
        assert_eq!(colour(&m, second).0, Colour::Grey);
        take_away(&mut m, missing);
        let moved = first.add(2);
        if counted {
            m.store_counted(moved, last);
            m.store_counted(second, LispPtr::NIL);
        } else {
            m.mem.set_cell(moved, last);
            m.mem.set_cell(second, LispPtr::NIL);
            m.written(moved);
            m.written(second);
        }
        m.backup_step(u64::MAX);
        // What describes the record's pointers is held by no object.
        late = m.backup_totals().lost - 1;
        assert_eq!(m.type_number(last), RECORD);
    });
    late
}

/// The same where the first is a large array of which only a part has been seen, which the pointer
/// moves to.
fn found_too_late_in_an_array<G: Generation>(counted: bool, missing: Missing) -> u64 {
    let mut late = 0;
    with_backup::<G>(BackupMode::On, |mut m| {
        declare_type(&mut m, RECORD, 8, &FIELDS);
        declare_arrays(&mut m, 1, CELLS);
        let [seen, second, last] = [(); 3].map(|()| m.create_cell(RECORD).expect("declared"));
        let array = array(&mut m).expect("a free block");
        let cell = G::symbol_cell(LispPtr(500), SymbolCell::Value);
        m.new_page(cell);
        m.store_counted(cell, array);
        m.store_counted(array, seen);
        m.store_counted(place(array, 2), second);
        m.store_counted(second, last);
        close_frame(&mut m, &[]);
        m.start_backup();
        let colour = |m: &Machine<'_, G>, object| {
            let backup = m.gc.backup.as_ref().expect("it is on");
            backup.heap.colours.get(object)
        };
        while colour(&m, seen) != Colour::Grey {
            m.backup_step(1);
        }
        assert_eq!(colour(&m, array), Colour::Grey);
        assert_eq!(colour(&m, second), colour(&m, last));
        take_away(&mut m, missing);
        if counted {
            m.store_counted(place(array, 0), last);
            m.store_counted(second, LispPtr::NIL);
        } else {
            m.mem.set_cell(place(array, 0), last);
            m.mem.set_cell(second, LispPtr::NIL);
            m.written(place(array, 0));
            m.written(second);
        }
        m.backup_step(u64::MAX);
        late = m.backup_totals().lost - 1;
        assert_eq!(m.type_number(last), RECORD);
    });
    late
}

fn barriers<G: Generation>() {
    for (late, counted, missing) in [
        (0, true, Missing::Nothing),
        (1, true, Missing::ForwardBarrier),
        (0, false, Missing::Nothing),
        (1, false, Missing::WrittenPages),
    ] {
        assert_eq!(found_too_late_in_an_array::<G>(counted, missing), late);
    }
    assert_eq!(found_too_late::<G>(true, Missing::Nothing), 0);
    assert_eq!(found_too_late::<G>(true, Missing::ForwardBarrier), 1);
    assert_eq!(found_too_late::<G>(false, Missing::Nothing), 0);
    assert_eq!(found_too_late::<G>(false, Missing::WrittenPages), 1);
}

#[test]
fn both_barriers_are_needed() {
    barriers::<Medley2>();
    barriers::<Medley3>();
}

#[test]
fn records_and_boxes_in_circles_go() {
    with_backup::<Medley2>(BackupMode::On, |mut m| {
        declare_type(&mut m, RECORD, 8, &FIELDS);
        let record = m.create_cell(RECORD).expect("declared");
        let number = m.number(1 << 20);
        m.store_counted(record, record);
        m.store_counted(record.add(2), number);
        assert_eq!(m.type_number(number), types::FIXP);
        close_frame(&mut m, &[]);
        m.collect_cycles();
        assert_eq!(freed(&mut m), 2);
    });
}
