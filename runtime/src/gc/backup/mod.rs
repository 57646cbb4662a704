//! The backup collector: circles of garbage.
//!
//! Reference counts never free what refers to itself. So now and then a tracer
//! ([`geiko_region::Tracer`]) finds everything that can be reached, in small steps
//! between which Lisp runs, and what is left over is garbage, if the counts agree:
//!
//! 1. *Mark*. Everything in the system's tables, on the stack and in symbols is in use, and
//!    what it refers to (`objects`, `roots`).
//! 2. *Sweep*. What was not found are the suspects. From the count of each the
//!    references from other suspects are subtracted. Where something remains
//!    the tracer missed a reference: that object and all it refers to stay
//!    (`suspects`). What is left is proven twice.
//! 3. *Release*. Its references are cleared by ordinary counted stores, a batch at a
//!    time, so that ordinary collections free it (`release`).
//!
//! While Lisp runs between the steps of marking it may hide a reference in an object that was
//! looked at already. Two things tell:
//!
//! - Each counted store counts. While marking, the limits with which the
//!   inline parts of counting (`counts.rs`, and native code) compare are zero, so
//!   all counting comes here, and the object counted is found. Between
//!   two cycles this costs nothing at all: the limits are compared with anyway.
//! - Stores that count nothing are told of ([`Machine::written`]) by the same means, and
//!   their pages are looked at again at the end of marking, as is the stack.
//!
//! New objects are found, too: they pass through counting with count zero.

mod colours;
#[cfg(test)]
mod medley_tests;
mod objects;
#[cfg(test)]
mod random_tests;
mod release;
mod roots;
mod suspects;
#[cfg(test)]
mod tests;

use geiko_region::{Colour, Model, Phase, Tracer, UNITS_PER_STEP};

use crate::accounts::{self, Account};
use crate::heap::{GUARD_PAGES, HeapState};
use crate::layout::Generation;
use crate::machine::Machine;
use crate::memory::{AttentionReason, LispPtr, Mem, WORDS_PER_PAGE};
use crate::symbols::Symbols;

use colours::Colours;
use objects::{Kinds, UNIT_WORDS};
use roots::Roots;
use suspects::{LISTING_BYTES, Suspects};

/// Objects that wait to be looked at, at most; more are found again by their colour.
const WORKLIST: usize = 1 << 16;
/// New objects between two steps.
const OBJECTS_PER_STEP: u32 = 32;
/// There is another cycle when this many pages were used since the last one, and
const LEAST_USED: u32 = 1024;
/// this part of all pages,
const USED_PART: u32 = 4;
/// or when the image has grown by this many pages
const LEAST_GROWTH: u32 = 32;
/// and there are fewer than this left.
const LOW_STORAGE: i32 = 4 * GUARD_PAGES;
/// For tests there is one at every so many collections.
const ZEAL_COLLECTIONS: u64 = 8;
/// Growth is looked at after so many pages of list cells.
const FILLED_PER_LOOK: i32 = 64;

/// What the backup collector does with what it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum BackupMode {
    /// It does not run.
    #[default]
    Off,
    /// It counts garbage and leaves it alone.
    Report,
    /// It frees garbage.
    On,
}

/// What the backup collector has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BackupTotals {
    /// Cycles that came to their end.
    pub cycles: u64,
    /// Steps.
    pub steps: u64,
    /// Objects found in use in the last cycle.
    pub marked: u64,
    /// Objects proven to be garbage.
    pub garbage: u64,
    /// Objects that were not found and whose counts say that something refers to them, in
    /// the last cycle: lost, or held by what is not counted.
    pub lost: u64,
    /// Cycles given up because something proven to be garbage was used.
    pub disputed: u64,
}

/// The backup collector's state.
#[derive(Clone, Debug)]
pub(crate) struct Backup {
    mode: BackupMode,
    progress: Progress,
    heap: Heap,
    /// Pages of the image at the end of the last cycle.
    pages: u32,
    /// Words of storage that the last cycle has released.
    released: u32,
    /// Pages whose free list cells were used up since then, less those that have some again.
    filled: i32,
    /// Those at the end of the last collection.
    filled_before: i32,
    /// In debug builds: the image was sound before the garbage of this cycle was released.
    sound_before: bool,
    #[cfg(test)]
    missing: tests::Missing,
    /// What only the counts kept in the last cycle.
    #[cfg(test)]
    lost: Vec<LispPtr>,
}

/// How far the collector is.
#[derive(Clone, Debug)]
struct Progress {
    tracer: Tracer<LispPtr>,
    /// New objects until the next step.
    until_step: u32,
    /// A step is due.
    due: bool,
    totals: BackupTotals,
}

/// What the tracer knows of the image.
#[derive(Clone, Debug, Default)]
struct Heap {
    colours: Colours,
    kinds: Kinds,
    roots: Roots,
    suspects: Suspects,
    /// Most suspects of a cycle.
    most_suspects: u64,
    /// Where the next cycle begins with them, if there was no room for all.
    rest: Option<LispPtr>,
}

/// The image as the tracer sees it.
struct Image<'a, 'm, G: Generation> {
    mem: Mem<'m, G>,
    symbols: &'a Symbols,
    heap: &'a mut Heap,
    /// What knows free list cells.
    lists: &'a HeapState,
}

impl Backup {
    fn new(mode: BackupMode, pages: u32) -> Self {
        Self {
            mode,
            progress: Progress {
                tracer: Tracer::new(WORKLIST),
                until_step: OBJECTS_PER_STEP,
                due: false,
                totals: BackupTotals::default(),
            },
            heap: Heap {
                most_suspects: accounts::bytes_for_lists() / LISTING_BYTES,
                ..Heap::default()
            },
            pages,
            released: 0,
            filled: 0,
            filled_before: 0,
            sound_before: false,
            #[cfg(test)]
            missing: tests::Missing::Nothing,
            #[cfg(test)]
            lost: Vec::new(),
        }
    }

    fn is_idle(&self) -> bool {
        self.progress.tracer.phase() == Phase::Idle && self.heap.suspects.is_empty()
    }

    /// Pages used since the last cycle with which there is another.
    fn least_used(&self) -> u32 {
        LEAST_USED.max(self.pages / USED_PART)
    }

    /// Pages have been used up with which there would be a cycle, and many of them since the last
    /// collection.
    fn is_worth_collection(&self) -> bool {
        let since = self.filled - self.filled_before;
        self.filled >= self.least_used() as i32 && since >= LEAST_USED as i32
    }

    /// Pages used since the last cycle, if the image has grown by this many. When it grows what was
    /// released was used up; list cells tell before.
    fn used(&self, grown: u32) -> u32 {
        let released = match grown {
            ..LEAST_GROWTH => 0,
            _ => self.released / WORDS_PER_PAGE,
        };
        (grown + released).max(self.filled.max(0) as u32)
    }

    /// The state, and the image as the tracer sees it.
    fn parts<'a, 'm, G: Generation>(
        &'a mut self,
        mem: Mem<'m, G>,
        symbols: &'a Symbols,
        lists: &'a HeapState,
    ) -> (&'a mut Progress, Image<'a, 'm, G>) {
        let heap = &mut self.heap;
        let image = Image {
            mem,
            symbols,
            heap,
            lists,
        };
        (&mut self.progress, image)
    }

    /// Ends the cycle that runs without freeing anything more.
    fn give_up(&mut self) {
        self.progress.tracer.abandon();
        self.heap.suspects.clear();
    }
}

impl Progress {
    /// What is neither grey nor a suspect while a cycle runs.
    fn in_use(&self) -> Colour {
        match self.tracer.phase() {
            // The tracer has made what was white black already.
            Phase::Idle => self.tracer.white(),
            Phase::Mark | Phase::Sweep => self.tracer.white().opposite(),
        }
    }

    /// Something refers to `object`, or it is new. False if it was proven to be garbage.
    fn notice<G: Generation>(&mut self, image: &mut Image<'_, '_, G>, object: LispPtr) -> bool {
        let Some(node) = image.object_at(object) else {
            return true;
        };
        if self.tracer.phase() == Phase::Mark {
            self.tracer.shade(image, node);
            return true;
        }
        image.taken(node);
        let in_use = self.in_use();
        if image.colour(node) == in_use {
            return true;
        }
        image.paint(node, in_use);
        !image.heap.suspects.are_known(node)
    }
}

impl<G: Generation> Machine<'_, G> {
    /// Says what the backup collector is to do from now on.
    pub fn set_backup(&mut self, mode: BackupMode) {
        let _account = Account::Collectors.open();
        let pages = self.active_pages();
        self.gc.backup = (mode != BackupMode::Off).then(|| Box::new(Backup::new(mode, pages)));
        self.mem.control().watch_counting::<G>(false);
    }

    /// What the backup collector has done.
    pub fn backup_totals(&self) -> BackupTotals {
        let Some(backup) = &self.gc.backup else {
            return BackupTotals::default();
        };
        BackupTotals {
            marked: backup.progress.tracer.marked(),
            ..backup.progress.totals
        }
    }

    /// True if the backup collector has nothing to do at present.
    pub fn backup_is_idle(&self) -> bool {
        (self.gc.backup.as_ref()).is_none_or(|backup| backup.is_idle())
    }

    /// True while a cycle marks.
    #[cfg(test)]
    fn backup_marks(&self) -> bool {
        let backup = self.gc.backup.as_ref();
        backup.is_some_and(|backup| backup.progress.tracer.phase() == Phase::Mark)
    }

    /// Finishes the cycle that runs, if one does, and does a whole one without
    /// stopping. What that releases the next collections free.
    pub fn collect_cycles(&mut self) {
        self.backup_step(u64::MAX);
        self.start_backup();
        self.backup_step(u64::MAX);
    }

    /// Begins a cycle if none runs.
    pub fn start_backup(&mut self) {
        let _account = Account::Collectors.open();
        let pages = self.root_pages();
        let registers = self.registers();
        if let Some(backup) = &mut self.gc.backup
            && backup.is_idle()
            && self.mem.cell(self.symbols.gc_disabled).is_nil()
        {
            let (progress, mut image) = backup.parts(self.mem, &self.symbols, &self.heap);
            image.heap.colours.forget(progress.tracer.white());
            image.heap.kinds.forget();
            image.heap.roots.begin(pages, registers);
            progress.tracer.start(&mut image);
            backup.released = 0;
            self.mem.control().watch_counting::<G>(true);
        }
    }

    /// Begins a cycle if much storage was used since the last one, or that one had no room for all
    /// suspects, and goes on with one that runs. For the end of a collection.
    pub(super) fn consider_backup(&mut self) {
        let pages = self.active_pages();
        let is_low = self.storage_is_below(LOW_STORAGE);
        let collections = self.statistics.collections;
        let Some(backup) = &mut self.gc.backup else {
            return;
        };
        backup.filled_before = backup.filled;
        if backup.is_idle() {
            let grown = pages.saturating_sub(backup.pages);
            let is_low = is_low && grown >= LEAST_GROWTH;
            let is_asked = self.gc.zeal && collections.is_multiple_of(ZEAL_COLLECTIONS);
            let is_used = backup.used(grown) >= backup.least_used();
            if is_asked || is_low || is_used || backup.heap.rest.is_some() {
                self.start_backup();
            }
            if is_low {
                // Nobody knows whether there is room for another step.
                self.backup_step(u64::MAX);
            }
        }
        if let Some(backup) = &mut self.gc.backup
            && !backup.is_idle()
        {
            backup.progress.due = true;
            self.request_interrupt();
        }
    }

    /// Does a step if one is due.
    #[inline]
    pub(crate) fn serve_backup(&mut self) {
        if let Some(backup) = &mut self.gc.backup
            && std::mem::take(&mut backup.progress.due)
        {
            self.backup_step(UNITS_PER_STEP);
        }
    }

    /// The free list cells of a page have been used up, or it has some again. When many have, there is a
    /// collection: what it does not free may be garbage in circles.
    #[inline]
    pub(crate) fn page_filled(&mut self, is_full: bool) {
        if let Some(backup) = &mut self.gc.backup {
            backup.filled += if is_full { 1 } else { -1 };
            let is_time = is_full && backup.filled > 0 && backup.filled % FILLED_PER_LOOK == 0;
            if is_time && (backup.is_worth_collection() || self.storage_is_below(LOW_STORAGE)) {
                self.request_collection();
            }
        }
    }

    /// Does a part of the cycle that runs, if one does: so many units.
    #[cold]
    pub fn backup_step(&mut self, budget: u64) {
        let _account = Account::Collectors.open();
        // Clearing references counts, and is not to be noticed.
        let Some(mut backup) = self.gc.backup.take() else {
            return;
        };
        if !backup.is_idle() {
            self.advance(&mut backup, budget);
            if backup.is_idle() {
                backup.pages = self.active_pages();
                (backup.filled, backup.filled_before) = (0, 0);
                self.mem.control().watch_counting::<G>(false);
            }
        }
        self.gc.backup = Some(backup);
    }

    fn advance(&mut self, backup: &mut Backup, mut budget: u64) {
        backup.progress.due = false;
        backup.progress.until_step = OBJECTS_PER_STEP;
        backup.progress.totals.steps += 1;
        if self.gc_disabled() {
            backup.give_up();
            return;
        }
        if backup.progress.tracer.phase() != Phase::Idle {
            backup.heap.roots.registers = self.registers();
            let (progress, mut image) = backup.parts(self.mem, &self.symbols, &self.heap);
            budget = progress.tracer.step(&mut image, budget);
            if progress.tracer.phase() != Phase::Idle {
                return;
            }
            let suspects = &mut backup.heap.suspects;
            let totals = &mut backup.progress.totals;
            totals.cycles += 1;
            totals.garbage += suspects.garbage;
            totals.lost = suspects.lost;
            #[cfg(test)]
            suspects.lost_objects.clone_into(&mut backup.lost);
            if backup.mode == BackupMode::Report {
                suspects.clear();
            }
        }
        self.release_garbage(backup, budget);
    }

    /// What refers to objects from outside Lisp memory.
    fn registers(&self) -> Vec<LispPtr> {
        [&[self.regs.tos, self.func], &*self.gc.held].concat()
    }

    /// Counting met `object`: a reference to it is being stored, or it has none any more,
    /// or it is new.
    #[inline]
    pub(super) fn noticed(&mut self, object: LispPtr, is_new: bool) {
        if self.counting_is_watched() {
            self.noticed_slow(object, is_new);
        }
    }

    #[cold]
    #[inline(never)]
    fn noticed_slow(&mut self, object: LispPtr, is_new: bool) {
        let _account = Account::Collectors.open();
        let Some(backup) = &mut self.gc.backup else {
            return;
        };
        #[cfg(test)]
        if backup.missing == tests::Missing::ForwardBarrier && !is_new {
            return;
        }
        let (progress, mut image) = backup.parts(self.mem, &self.symbols, &self.heap);
        let undisputed = progress.notice(&mut image, object);
        if is_new {
            progress.until_step = progress.until_step.saturating_sub(1);
            if progress.until_step == 0 && !progress.due {
                progress.due = true;
                self.mem.control().raise(AttentionReason::Machine);
            }
        }
        if !undisputed {
            progress.totals.disputed += 1;
            backup.give_up();
            self.mem.control().watch_counting::<G>(false);
        }
    }

    /// An object was made, and gets its reference, without any counting, as may what it refers to:
    /// that is looked at also where something was freed since marking began.
    #[inline]
    pub(crate) fn made_uncounted(&mut self, object: LispPtr) {
        if let Some(backup) = &mut self.gc.backup
            && backup.progress.tracer.phase() == Phase::Mark
        {
            let white = backup.progress.tracer.white();
            backup.heap.colours.set(object, white);
        }
        self.noticed(object, false);
    }

    /// A collection is about to free `object`; what it refers to is still there.
    #[inline]
    pub(super) fn dying(&mut self, object: LispPtr) {
        if self.counting_is_watched() {
            self.dying_slow(object);
        }
    }

    /// True while the backup collector wants to know of counting, and of what is freed.
    #[inline]
    pub(super) fn counting_is_watched(&self) -> bool {
        self.gc.backup.is_some() && self.mem.control().counting_is_watched()
    }

    #[cold]
    #[inline(never)]
    fn dying_slow(&mut self, object: LispPtr) {
        let others = match self.list_cells(object).filter(|_| self.is_list(object)) {
            Some((cell, _, _, holder)) => [cell, holder.unwrap_or(cell)],
            None => [object; 2],
        };
        if let Some(backup) = &mut self.gc.backup {
            let (progress, mut image) = backup.parts(self.mem, &self.symbols, &self.heap);
            let white = progress.tracer.white();
            progress.tracer.freed(object);
            image.withdraw(object, white);
            if others[0] != object {
                // A list cell that has moved goes with what it has left behind.
                image.withdraw(others[0], white);
            }
            let in_use = progress.in_use();
            for object in [object, others[0], others[1]] {
                image.paint(object, in_use);
            }
        }
    }

    /// The unit of pages at `unit` gets objects, all of them free.
    #[inline]
    pub(crate) fn unit_made(&mut self, unit: LispPtr) {
        for at in (0..UNIT_WORDS).step_by(2) {
            self.freed(unit.add(at));
        }
    }

    /// The cell at `object` is free from now on.
    #[inline]
    pub(crate) fn freed(&mut self, object: LispPtr) {
        if let Some(backup) = &mut self.gc.backup
            && self.mem.control().counting_is_watched()
        {
            let in_use = backup.progress.in_use();
            backup.heap.colours.set(object, in_use);
        }
    }

    /// Lisp wrote `words` words from `at` on as in any memory.
    #[cold]
    #[inline(never)]
    pub(crate) fn written_uncounted(&mut self, at: LispPtr, words: u32) {
        let _account = Account::Collectors.open();
        if let Some(backup) = &mut self.gc.backup
            && backup.progress.tracer.phase() == Phase::Mark
        {
            #[cfg(test)]
            if backup.missing == tests::Missing::WrittenPages {
                return;
            }
            backup.heap.roots.note_written::<G>(at, words);
        }
    }
}
