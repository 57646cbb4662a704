//! Images that are made, not loaded: what a memory without an image needs before
//! a machine can allocate in it, and the file of it.
//!
//! ```text
//! blank::<G>(mem)          type table, type descriptors, count table
//! Machine::new(...)        allocate, store, count
//! finish_page_table(...)   which pages are in the file, in which order
//! Machine::write_image(..) the file
//! ```

use std::collections::BTreeSet;
use std::ops::Range;

use super::header::INTERFACE_FILE_PAGE;
use crate::layout::builtin::builtin_types;
use crate::layout::records::{interface, type_entry, types};
use crate::layout::{Generation, STACK};
use crate::machine::Machine;
use crate::memory::{LispPtr, Mem, WORDS_PER_PAGE};

/// Words that a type table entry is for.
const UNIT_WORDS: u32 = 2 * WORDS_PER_PAGE;
/// Segments of the immediate objects.
const SEGMENT_CHARACTER: u32 = LispPtr::character(0).0 >> 16;
const SEGMENT_SMALL: u32 = LispPtr::smallpos(0).0 >> 16;
/// Type table entries of a segment.
const UNITS_PER_SEGMENT: u32 = 0x1_0000 / UNIT_WORDS;
/// File page with which the page table starts.
const TABLE_START: u32 = INTERFACE_FILE_PAGE + 1;

/// Prepares a memory of zeros: the type table says what immediate objects are and
/// that nothing else is counted, the types with fixed numbers are declared without
/// names and pointer lists, and no object has a count.
pub fn blank<G: Generation>(mem: Mem<'_, G>) {
    for entry in 0..G::TYPE_TABLE_WORDS {
        mem.set_word(G::TYPE_TABLE.add(entry), type_entry::NO_REF);
    }
    let fields = G::DTD_FIELDS;
    for builtin in builtin_types::<G>() {
        let segments: &[u32] = match builtin.number {
            types::LITATOM => &[0],
            types::CHARACTER => &[SEGMENT_CHARACTER],
            types::SMALLP => &[SEGMENT_SMALL, SEGMENT_SMALL + 1],
            _ => &[],
        };
        for segment in segments {
            for unit in 0..UNITS_PER_SEGMENT {
                let at = G::TYPE_TABLE.add(segment * UNITS_PER_SEGMENT + unit);
                mem.set_word(at, builtin.entry);
            }
        }
        if builtin.number == types::FIXP {
            // Cells of the statistics can be used as boxes.
            let at = G::TYPE_TABLE.add(G::MISC_STATS.0 / UNIT_WORDS);
            mem.set_word(at, builtin.entry | type_entry::NO_REF);
        }
        let dtd = G::dtd(u32::from(builtin.number));
        mem.set_word(dtd.add(fields.size), builtin.words);
        mem.set_word(dtd.add(fields.type_entry), builtin.entry);
        mem.set_word(dtd.add(fields.supertype), builtin.supertype);
        let flags = u32::from(builtin.hunk) << (G::POINTER_MASK + 1).trailing_zeros();
        mem.set_cell(dtd.add(fields.flags_and_descriptors), LispPtr(flags));
    }
    // The first pair of the collision table is its header.
    if G::WIDE_COUNTS {
        mem.set_cell(G::HT_COLLISION.add(2), LispPtr(2));
    } else {
        mem.set_word(G::HT_COLLISION.add(1), 2);
    }
}

/// The pages that the page table may take.
fn table_pages<G: Generation>() -> Range<u32> {
    let words = G::FPTOVP_CAPACITY * G::FPTOVP_ENTRY_WORDS;
    G::FPTOVP.page()..G::FPTOVP.add(words).page()
}

impl<G: Generation> Machine<'_, G> {
    /// Makes a page table with which pages can be registered while an image is
    /// built. The pages that are in every image come first.
    pub fn start_page_table(&mut self) {
        self.set_page_table(&BTreeSet::from([G::FPTOVP.page()]));
    }

    /// Makes the page table of a new image: the pages that were registered, and
    /// `others`.
    pub fn finish_page_table(&mut self, others: impl IntoIterator<Item = u32>) {
        let mut pages: BTreeSet<u32> = (1..=self.active_pages())
            .map(|file_page| self.file_page(file_page))
            .chain(others)
            .collect();
        // The table must have its own pages, which may be more than it had.
        let mut last = 0;
        while last < pages.len() {
            last = pages.len();
            let words = (last as u32 + 2) * G::FPTOVP_ENTRY_WORDS;
            pages.extend(G::FPTOVP.page()..=G::FPTOVP.add(words).page());
        }
        self.set_page_table(&pages);
    }

    /// The first file page is one of the stack, the second one is the interface
    /// page, of which the file has a copy there; the table follows, then the
    /// others.
    fn set_page_table(&mut self, pages: &BTreeSet<u32>) {
        let first = [STACK.page(), G::INTERFACE_PAGE.page()];
        let rest = pages.iter().copied().filter(|page| !first.contains(page));
        let (table, others): (Vec<_>, Vec<_>) =
            rest.partition(|page| table_pages::<G>().contains(page));
        self.set_interface_word(interface::FPTOVP_START, TABLE_START as u16);
        self.replace_page_table(&[&first[..], &table, &others].concat());
    }
}
