//! Suspects: objects that were not found in use. Their counts say whether that is true.
//!
//! First all free cells get the colour of what is in use, and the white objects that
//! remain are listed with their counts, in the order of their addresses. Then the
//! references from suspects to suspects are subtracted. An object whose count was all from
//! suspects has no other references. One that has some, which the tracer did not find, stays,
//! and so does what it refers to.
//!
//! Where memory is limited there is room for so many suspects only. Then another cycle follows
//! at once. It begins behind the last of them, or if many were garbage where this one began:
//! there is room now for those that hold what stayed.

use std::iter;

use geiko_region::{Colour, Model};

use super::Image;
use super::objects::UNIT_WORDS;
use crate::audit::{
    BlockKind, ConsCell, ConsPages, array_block, array_regions, decode_page, decode_page_of,
    object_offsets,
};
use crate::gc::counts::{main_entry, tag};
use crate::layout::Generation;
use crate::layout::records::{type_entry, types};
use crate::machine::type_entry_of;
use crate::memory::{LispPtr, WORDS_PER_PAGE};

/// Units for a unit of pages whose objects are looked through.
const UNITS_PER_PAGES: u64 = 32;
/// Units of pages without objects that are passed for one.
const UNITS_PER_STRETCH: u32 = 32;
/// Units for a block of array space that is looked at.
const UNITS_PER_BLOCK: u64 = 3;
/// Units for a suspect whose references are subtracted.
const UNITS_PER_SUSPECT: u64 = 2;
/// Most objects of a free list that are followed.
const MAX_FREE: u32 = 1 << 26;
/// Bytes for each suspect while the lists of them become longer.
pub(super) const LISTING_BYTES: u64 = 16;
/// A count that is not to be proven: it does not fit its entry.
const LARGE: i32 = i32::MAX / 2;

/// How far the suspects have been examined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
enum Stage {
    /// Not at all.
    #[default]
    None,
    /// Free objects are to be painted: those of this type from this one on, at most so many, and
    /// those of the types behind it.
    Free(u32, LispPtr, u32),
    /// Those in units from this one on are to be listed.
    List(u32),
    /// The blocks of array space from this address on are to be listed, and units behind.
    Blocks(LispPtr),
    /// The references of those from this one on are to be subtracted, of the first those from this cell on.
    Subtract(usize, u32),
    /// Those from this one on are to be judged.
    Judge(usize),
    /// Those that are garbage are to be counted, from this one on.
    Count(usize),
    /// They are garbage.
    Proven,
}

/// The suspects of a cycle.
#[derive(Clone, Debug, Default)]
pub(super) struct Suspects {
    objects: Vec<LispPtr>,
    /// References that are not from suspects.
    others: Vec<i32>,
    stage: Stage,
    /// Objects that stay, whose references from that cell on stay too.
    kept: Vec<(LispPtr, u32)>,
    /// Those below are not examined in this cycle.
    from: LispPtr,
    /// Which is to be released next, and its next cell.
    pub next: (usize, u32),
    /// How many more may be released before the next collection.
    pub room: u32,
    /// Collections at the time that was said.
    pub collections: Option<u64>,
    /// Objects proven to be garbage, but for those that ordinary collections free
    /// anyway.
    pub garbage: u64,
    /// Objects that nothing was found to refer to, and whose counts say that something
    /// does.
    pub lost: u64,
    #[cfg(test)]
    pub lost_objects: Vec<LispPtr>,
}

impl Suspects {
    /// Forgets them.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.stage == Stage::None
    }

    /// All of them are known, and `object` is one.
    pub fn are_known(&self, object: LispPtr) -> bool {
        let known = matches!(
            self.stage,
            Stage::Subtract(..) | Stage::Judge(_) | Stage::Count(_) | Stage::Proven
        );
        known && self.index(object).is_some()
    }

    /// The suspect with that index.
    pub fn get(&self, index: usize) -> Option<LispPtr> {
        self.objects.get(index).copied()
    }

    fn index(&self, object: LispPtr) -> Option<usize> {
        self.objects.binary_search(&object).ok()
    }
}

impl<G: Generation> Image<'_, '_, G> {
    /// Examines the suspects, those that are `white`. True if that is done: those still
    /// white are garbage.
    pub fn examine(&mut self, white: Colour, budget: &mut u64) -> bool {
        while *budget > 0 {
            match self.heap.suspects.stage {
                Stage::None => {
                    self.heap.suspects = Suspects {
                        stage: self.free_objects_of(u32::from(types::SMALLP) + 1),
                        from: self.heap.rest.take().unwrap_or_default(),
                        ..Suspects::default()
                    };
                }
                Stage::Free(number, at, most) => {
                    let list = (number, at, most);
                    self.heap.suspects.stage =
                        self.paint_free_objects(list, white.opposite(), budget);
                }
                Stage::Blocks(at) => self.list_blocks(at, white, budget),
                Stage::List(unit) => self.list_unit(unit, white, budget),
                Stage::Subtract(index, from) => self.subtract(index, from, white, budget),
                Stage::Judge(index) => self.judge(index, white, budget),
                Stage::Count(index) => self.count_garbage(index, white, budget),
                Stage::Proven => return true,
            }
        }
        self.heap.suspects.stage == Stage::Proven
    }

    /// The stage of painting the free objects of type `number` and those behind it.
    fn free_objects_of(&self, number: u32) -> Stage {
        let numbers = (number..G::DTD_CAPACITY).filter(|&number| number != types::LISTP.into());
        let mut declared =
            numbers.filter(|&number| self.mem.word(G::dtd(number).add(G::DTD_FIELDS.size)) != 0);
        match declared.next() {
            Some(number) => Stage::Free(number, self.first_free(number), MAX_FREE),
            None => Stage::List(0),
        }
    }

    fn first_free(&self, number: u32) -> LispPtr {
        self.mem
            .cell(G::dtd(number).add(G::DTD_FIELDS.free))
            .masked::<G>()
    }

    /// Paints what is on the free list of type `number` from `at` on; answers the next stage.
    fn paint_free_objects(
        &mut self,
        (number, mut at, mut most): (u32, LispPtr, u32),
        in_use: Colour,
        budget: &mut u64,
    ) -> Stage {
        while *budget > 0 {
            let number_there = type_entry_of(self.mem, at) & type_entry::NUMBER;
            if at.is_nil() || u32::from(number_there) != number || most == 0 {
                return self.free_objects_of(number + 1);
            }
            self.paint(at, in_use);
            (*budget, most) = (*budget - 1, most - 1);
            at = self.mem.cell(at).masked::<G>();
        }
        Stage::Free(number, at, most)
    }

    /// `object` is taken from its free list: if painting was to go on there, it begins with what is left
    /// of the list.
    pub fn taken(&mut self, object: LispPtr) {
        if let Stage::Free(number, at, most) = self.heap.suspects.stage
            && at == object
        {
            self.heap.suspects.stage = Stage::Free(number, self.first_free(number), most);
        }
    }

    /// Lists the suspects of the unit of pages with that number.
    fn list_unit(&mut self, unit: u32, white: Colour, budget: &mut u64) {
        let base = LispPtr(unit * UNIT_WORDS);
        let entry = type_entry_of(self.mem, base);
        let number = entry & type_entry::NUMBER;
        if entry & type_entry::NO_REF != 0 || number == types::NEW_ATOM {
            // Nothing here is counted, or is ever garbage.
            *budget -= u64::from(unit.is_multiple_of(UNITS_PER_STRETCH));
        } else if number == types::ARRAY_BLOCK {
            *budget -= u64::from(unit.is_multiple_of(UNITS_PER_STRETCH));
            let regions = array_regions(self.mem, self.symbols);
            if let Some(&(from, _)) = regions
                .iter()
                .find(|&&(from, to)| from.0 / UNIT_WORDS == unit && from < to)
            {
                self.heap.suspects.stage = Stage::Blocks(from);
                return;
            }
        } else {
            *budget = budget.saturating_sub(UNITS_PER_PAGES);
            if number == types::LISTP {
                self.list_cons_page(base, white);
                self.list_cons_page(base.add(WORDS_PER_PAGE), white);
            } else {
                let dtd = G::dtd(number.into());
                let words = u32::from(self.mem.word(dtd.add(G::DTD_FIELDS.size)));
                if words != 0 && words <= UNIT_WORDS {
                    for offset in object_offsets(words) {
                        self.list(base.add(offset), white);
                    }
                }
            }
        }
        self.list_from(unit + 1);
    }

    /// The units from `unit` on are listed next.
    fn list_from(&mut self, unit: u32) {
        self.heap.suspects.stage = if unit < G::TYPE_TABLE_WORDS {
            Stage::List(unit)
        } else {
            Stage::Subtract(0, 0)
        };
    }

    /// Lists the blocks in use from `at` on. Lisp may have merged the one that was there with others
    /// since: then the first behind it that the blocks from the beginning lead to.
    fn list_blocks(&mut self, at: LispPtr, white: Colour, budget: &mut u64) {
        let regions = array_regions(self.mem, self.symbols);
        let region = regions.iter().find(|&&(from, to)| at >= from && at < to);
        let Some(&(from, to)) = region else {
            return self.list_from(at.0 / UNIT_WORDS + 1);
        };
        let next = |&at: &LispPtr| array_block(self.mem, at).ok().map(|block| block.end());
        let is_block = array_block(self.mem, at).is_ok_and(|block| block.is_whole(self.mem));
        let mut at = if is_block {
            Some(at)
        } else {
            iter::successors(Some(from), next).find(|&other| other >= at)
        };
        while *budget > 0
            && let Some(block) = at
                .filter(|&at| at < to)
                .and_then(|at| array_block(self.mem, at).ok())
        {
            if block.kind != BlockKind::Free {
                self.list(block.data(), white);
            }
            *budget = budget.saturating_sub(UNITS_PER_BLOCK);
            at = Some(block.end());
        }
        match at {
            Some(at) if at < to && *budget == 0 => self.heap.suspects.stage = Stage::Blocks(at),
            _ => self.list_from((to.0 / UNIT_WORDS).max(from.0 / UNIT_WORDS + 1)),
        }
    }

    fn list_cons_page(&mut self, base: LispPtr, white: Colour) {
        let is_free = |cell| self.lists.is_free_list_cell(cell);
        let cells = match is_free(base) {
            Some(_) => decode_page_of(self.mem, base, |cell| is_free(cell).unwrap_or(false)),
            None => decode_page(self.mem, base, &mut ConsPages::default()),
        };
        for (index, cell) in cells.into_iter().enumerate() {
            let at = base.add(2 * index as u32);
            match cell {
                Some(ConsCell::Free) => self.paint(at, white.opposite()),
                Some(ConsCell::Cons { .. } | ConsCell::Forwarder(_)) => self.list(at, white),
                // What becomes of it later is noticed as if it were new.
                Some(ConsCell::Holder) => self.paint(at, white.opposite()),
                None => {}
            }
        }
    }

    /// Lists `object` if it is white. If there is no room for more it stays, as if it were in
    /// use, and the next cycle begins with it.
    fn list(&mut self, object: LispPtr, white: Colour) {
        if self.colour(object) != white {
            return;
        }
        let suspects = &self.heap.suspects;
        let is_wanted = object >= suspects.from;
        if is_wanted && (suspects.objects.len() as u64) < self.heap.most_suspects {
            let count = self.stored_count(object);
            self.heap.suspects.objects.push(object);
            self.heap.suspects.others.push(count);
            return;
        }
        if is_wanted {
            self.heap.rest.get_or_insert(object);
        }
        self.paint(object, white.opposite());
    }

    /// The count of `object`.
    fn stored_count(&self, object: LispPtr) -> i32 {
        let tag = tag::<G>(object);
        let of_entry = |entry: u32| match entry >> G::COUNT_SHIFT {
            count if count == G::COUNT_MAX => LARGE,
            count => count as i32,
        };
        let entry = main_entry(self.mem, object);
        if entry & 1 == 0 {
            let is_its = entry != 0 && entry & G::COUNT_SEGMENT == tag;
            return if is_its { of_entry(entry) } else { 1 };
        }
        let chain = crate::gc::collisions::chain(self.mem, entry);
        let its = chain
            .into_iter()
            .find(|entry| entry & G::COUNT_SEGMENT == tag);
        its.map_or(1, of_entry)
    }

    /// Subtracts the references of the suspect with that index, those from the cell `from` on.
    fn subtract(&mut self, index: usize, from: u32, white: Colour, budget: &mut u64) {
        let Some(object) = self.heap.suspects.get(index) else {
            self.heap.suspects.stage = Stage::Judge(0);
            return;
        };
        let mut next = None;
        if self.colour(object) == white {
            next = self.counted(object, from, |image, target| {
                *budget = budget.saturating_sub(1);
                image.subtract_reference(target);
            });
        }
        *budget = budget.saturating_sub(UNITS_PER_SUSPECT);
        self.heap.suspects.stage = match next {
            Some(next) => Stage::Subtract(index, next),
            None => Stage::Subtract(index + 1, 0),
        };
    }

    /// Subtracts a reference to `target`, if that is a suspect.
    fn subtract_reference(&mut self, target: LispPtr) {
        let suspects = &mut self.heap.suspects;
        if let Some(index) = suspects.index(target) {
            suspects.others[index] -= 1;
        }
    }

    /// An ordinary collection frees `object`, and with it go its references.
    pub fn withdraw(&mut self, object: LispPtr, white: Colour) {
        let suspects = &self.heap.suspects;
        let from = match suspects.stage {
            Stage::Free(..) | Stage::List(_) | Stage::Blocks(_) => Some(0),
            Stage::Subtract(next, from) => match suspects.index(object) {
                Some(index) if index == next => Some(from),
                Some(index) if index > next => Some(0),
                _ => None,
            },
            Stage::None | Stage::Judge(_) | Stage::Count(_) | Stage::Proven => None,
        };
        if let Some(from) = from
            && self.colour(object) == white
        {
            self.all_counted(object, from, Self::subtract_reference);
        }
    }

    /// Lets the suspect with that index stay if something else refers to it, with all that it refers to.
    fn judge(&mut self, index: usize, white: Colour, budget: &mut u64) {
        let suspects = &mut self.heap.suspects;
        if let Some((object, from)) = suspects.kept.pop() {
            self.keep_references(object, from, white, budget);
            return;
        }
        let Some(object) = suspects.get(index) else {
            suspects.stage = Stage::Count(0);
            return;
        };
        let others = suspects.others[index];
        suspects.stage = Stage::Judge(index + 1);
        *budget = budget.saturating_sub(1);
        if self.colour(object) != white {
            return;
        }
        // The next collection frees what has no reference at all, and what hangs on it.
        if others != 0 || self.stored_count(object) == 0 {
            self.heap.suspects.lost += u64::from(others > 0);
            #[cfg(test)]
            if others > 0 {
                self.heap.suspects.lost_objects.push(object);
            }
            self.keep(object, white);
        }
    }

    /// Lets `object` stay, and later all that it refers to.
    fn keep(&mut self, object: LispPtr, white: Colour) {
        self.paint(object, white.opposite());
        self.heap.suspects.kept.push((object, 0));
    }

    /// Lets what `object` refers to stay, from its cell `from` on.
    fn keep_references(&mut self, object: LispPtr, from: u32, white: Colour, budget: &mut u64) {
        let mut targets = Vec::new();
        let next = self.counted(object, from, |image, target| {
            *budget = budget.saturating_sub(1);
            if let Some(target) = image.object_at(target)
                && image.colour(target) == white
            {
                image.paint(target, white.opposite());
                targets.push((target, 0));
            }
        });
        let kept = &mut self.heap.suspects.kept;
        kept.extend(next.map(|next| (object, next)));
        kept.append(&mut targets);
    }

    /// Counts the suspect with that index if it is garbage.
    fn count_garbage(&mut self, index: usize, white: Colour, budget: &mut u64) {
        *budget -= 1;
        let Some(object) = self.heap.suspects.get(index) else {
            let suspects = &mut self.heap.suspects;
            // What stays may have been held by others for which there was no room.
            if self.heap.rest.is_some() && suspects.garbage >= self.heap.most_suspects / 2 {
                self.heap.rest = Some(suspects.from);
            }
            suspects.others = Vec::new();
            suspects.stage = Stage::Proven;
            return;
        };
        self.heap.suspects.stage = Stage::Count(index + 1);
        if self.colour(object) != white {
            return;
        }
        if self.stored_count(object) == 0 {
            self.paint(object, white.opposite());
        } else {
            self.heap.suspects.garbage += 1;
        }
    }
}
