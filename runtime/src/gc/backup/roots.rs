//! What the image refers to its objects from, besides objects: tables, the stack,
//! registers, and pages that were written without counting.

use geiko_region::Worklist;

use super::Image;
use super::objects::{ROOTS, UNIT_WORDS};
use crate::audit::array_regions;
use crate::layout::records::{interface, type_entry, types};
use crate::layout::{DISPLAY, DISPLAY_WORDS, Generation, STACK};
use crate::machine::{Machine, type_entry_of};
use crate::memory::{LispPtr, WORDS_PER_PAGE};

/// Pages with references that are looked at together.
const PAGES_TOGETHER: usize = 8;
/// Most written pages that are looked at in one go with the stack.
const PAGES_AT_END: usize = 64;

/// Where to look, and what has been looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct Roots {
    /// Pages outside the heap.
    pages: Vec<u32>,
    /// Those looked at.
    seen: usize,
    /// The whole cycle is still to be done.
    begins: bool,
    /// Many written pages have been looked at again before the end.
    is_near_end: bool,
    /// Registers of the machine that hold pointers, and what native code holds.
    pub registers: Vec<LispPtr>,
    /// Pages written without counting, in any order, and which these are.
    written: Vec<u32>,
    is_written: Vec<u64>,
}

impl Roots {
    /// Begins a cycle with the references in `pages`.
    pub fn begin(&mut self, pages: Vec<u32>, registers: Vec<LispPtr>) {
        (self.pages, self.seen) = (pages, 0);
        self.registers = registers;
        (self.begins, self.is_near_end) = (true, false);
        self.written.clear();
        self.is_written.fill(0);
    }

    /// There are pages that were not looked at.
    pub fn pages_are_left(&self) -> bool {
        self.seen < self.pages.len()
    }

    /// Something was written from `at` on without counting.
    pub fn note_written<G: Generation>(&mut self, at: LispPtr, words: u32) {
        let last = at.add(words.max(1) - 1);
        for page in at.masked::<G>().page()..=last.masked::<G>().page() {
            let (word, bit) = (page as usize / 64, 1 << (page % 64));
            if self.is_written.len() <= word {
                self.is_written.resize(word + 1, 0);
            }
            if self.is_written[word] & bit == 0 {
                self.is_written[word] |= bit;
                self.written.push(page);
            }
        }
    }
}

impl<G: Generation> Image<'_, '_, G> {
    /// Begins to look at what refers to objects from outside, or looks again at what
    /// has no barrier.
    pub fn scan_roots(&mut self, found: &mut Worklist<LispPtr>) {
        if std::mem::take(&mut self.heap.roots.begins) {
            // The rest is worth looking at at the end only.
            found.again(ROOTS);
            return;
        }
        let roots = &mut self.heap.roots;
        if roots.written.len() > PAGES_AT_END && !std::mem::replace(&mut roots.is_near_end, true) {
            // In steps. Only what Lisp writes meanwhile is looked at once more.
            (roots.pages, roots.seen) = (std::mem::take(&mut roots.written), 0);
            roots.is_written.fill(0);
            found.again(ROOTS);
            return;
        }
        for register in std::mem::take(&mut self.heap.roots.registers) {
            self.pointer(register, found);
        }
        self.scan_stack(found);
        while let Some(page) = self.heap.roots.written.pop() {
            self.heap.roots.is_written[page as usize / 64] &= !(1 << (page % 64));
            self.cells(LispPtr::from_page(page), WORDS_PER_PAGE, found);
        }
    }

    /// Looks at the whole stack, at what is free there too: it has no marks of what is what.
    fn scan_stack(&mut self, found: &mut Worklist<LispPtr>) {
        let end = G::INTERFACE_PAGE.add(interface::END_OF_STACK);
        for at in (0..u32::from(self.mem.word(end))).step_by(2) {
            let cell = self.mem.cell(STACK.add(at));
            self.pointer(cell, found);
            let function = G::frame_pointer(cell);
            if function != cell {
                self.pointer(function, found);
            }
        }
    }

    /// Looks at some of the pages outside the heap.
    pub fn scan_root_pages(&mut self, found: &mut Worklist<LispPtr>) -> u64 {
        let roots = &mut self.heap.roots;
        let from = roots.seen;
        roots.seen = roots.pages.len().min(from + PAGES_TOGETHER);
        if roots.pages_are_left() {
            // Behind what is found in these, so that few objects wait at a time.
            found.again(ROOTS);
        }
        (from..self.heap.roots.seen)
            .map(|index| {
                let page = LispPtr::from_page(self.heap.roots.pages[index]);
                self.cells(page, WORDS_PER_PAGE, found)
            })
            .sum()
    }
}

impl<G: Generation> Machine<'_, G> {
    /// The pages of the image that may refer to objects and are neither objects, nor
    /// arrays, nor the stack, nor the collector's own tables.
    pub(super) fn root_pages(&self) -> Vec<u32> {
        let arrays = array_regions(self.mem, &self.symbols);
        let table_words = G::TYPE_TABLE_WORDS;
        let excluded = [
            (STACK, STACK.add(0x1_0000)),
            (G::HT_MAIN, G::HT_MAIN.add(0x1_0000)),
            (G::HT_BIG, G::HT_BIG_END),
            (G::HT_COLLISION, G::HT_COLLISION.add(G::HT_COLLISION_LIMIT)),
            (DISPLAY, DISPLAY.add(DISPLAY_WORDS)),
            (G::FPTOVP, G::FPTOVP.add(G::FPTOVP_CAPACITY)),
            (G::TYPE_TABLE, G::TYPE_TABLE.add(table_words)),
        ];
        let is_root = |&page: &u32| {
            let at = LispPtr::from_page(page);
            let entry = type_entry_of(self.mem, at);
            let number = entry & type_entry::NUMBER;
            let is_object = number > types::SMALLP
                && number != types::NEW_ATOM
                && entry & type_entry::NO_REF == 0;
            let within = |&(from, to): &(LispPtr, LispPtr)| at >= from && at < to;
            !is_object && !excluded.iter().any(within) && !arrays.iter().any(within)
        };
        let last = self.active_pages().min(G::FPTOVP_CAPACITY - 1);
        let mut pages: Vec<u32> = (1..=last)
            .map(|file_page| self.file_page(file_page))
            .filter(|&page| page <= G::POINTER_MASK / WORDS_PER_PAGE)
            .filter(is_root)
            .collect();
        pages.sort_unstable();
        pages.dedup();
        pages
    }
}

const _: () = assert!(UNIT_WORDS.is_multiple_of(WORDS_PER_PAGE));
