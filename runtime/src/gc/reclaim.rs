//! Freeing objects (`reference/garbage-collector.md` section 8).
//!
//! Freeing an object drops its references; objects that lose their last
//! reference so are freed too. They wait on a list outside Lisp memory, so neither
//! the depth of a structure nor the size of its records matters. Such an object
//! never gets an entry in the count table: it had none (its count was one) and has
//! none while it waits.
//!
//! Whatever the memory holds this ends: a field is cleared when its reference is
//! dropped, or a cell of a list is made free, so each step has cost the memory a pointer. Records
//! with pointers are linked into the free lists at the end only, or when 65,536 of them wait, lest a
//! damaged structure be followed into these. That gives the memory pointers again, so it is done only as often as
//! sound memory has records; what a damaged one has more is in no free list from then on.

use super::counts::{main_entry, set_main_entry, tag};
use crate::heap::Parts;
use crate::layout::Generation;
use crate::layout::records::{array_block, type_entry, types};
use crate::machine::Machine;
use crate::memory::{LispPtr, StackOffset};

/// Most buffers on `SYSTEMBUFFERLIST`.
const MAX_BUFFERS: u32 = 0x1_0000;
/// Most pointers in a record.
const MAX_FIELDS: u32 = 512;
/// Number of types there can be.
const TYPES: usize = type_entry::NUMBER as usize + 1;

/// Objects that wait, of which half are freed before more of a list is.
const MOST_WAITING: usize = 1 << 16;

/// Freed records that wait for their place in a free list.
const MOST_CLEARED: usize = 1 << 16;
/// Times that they are put there before everything is freed: enough for all records of the largest
/// memory.
const MOST_LINKINGS: u32 = 1 << 12;

/// What freed records are filled with if asked for: no pointer, no number.
const POISON: LispPtr = LispPtr(0xDEAD_BEEF);

/// BUFFER records: offsets in words.
mod buffer {
    /// The page (a cell).
    pub const PAGE: u32 = 2;
    /// Flags, and the next buffer on `SYSTEMBUFFERLIST` (a cell).
    pub const NEXT: u32 = 6;
    /// Flag: no one refers to the page any more.
    pub const NO_REFERENCE: u32 = 1 << 31;
}

/// Offsets of the pointers in records, by type, read from the type descriptors
/// at most once in a collection: Lisp can change them between two.
#[derive(Clone, Debug, Default)]
pub(super) struct FieldCache {
    /// For each type, where in `offsets` its fields are.
    types: Vec<Option<(u32, u32)>>,
    offsets: Vec<u16>,
}

impl FieldCache {
    /// Forgets everything.
    pub fn forget(&mut self) {
        self.types.clear();
        self.offsets.clear();
    }
}

impl<G: Generation> Machine<'_, G> {
    /// Frees `object`, which nothing refers to and which has no entry in the count
    /// table, and all that only it kept alive.
    pub(super) fn reclaim(&mut self, object: LispPtr) {
        let mut next = Some(object);
        while let Some(object) = next {
            next = match self.reclaim_one(object) {
                // The rest of a list waits until half of all that wait are freed.
                Some(rest) if self.gc.dead.len() >= MOST_WAITING => {
                    let middle = self.gc.dead.len() / 2;
                    Some(std::mem::replace(&mut self.gc.dead[middle], rest))
                }
                Some(rest) => Some(rest),
                None => self.gc.dead.pop(),
            };
        }
        self.link_cleared();
        self.gc.linkings = 0;
    }

    /// Puts freed records into the free lists.
    fn link_cleared(&mut self) {
        while let Some(record) = self.gc.cleared.pop() {
            self.link_free(record, self.type_number(record));
        }
    }

    /// Makes room for freed records.
    #[cold]
    #[inline(never)]
    fn shorten_cleared(&mut self) {
        self.gc.linkings += 1;
        if self.gc.linkings <= MOST_LINKINGS {
            self.link_cleared();
        }
        self.gc.cleared.clear();
    }

    /// Frees `object` itself. Objects that lose their last reference are put on
    /// the waiting list, except one that may be answered.
    #[inline]
    fn reclaim_one(&mut self, object: LispPtr) -> Option<LispPtr> {
        let object = LispPtr(object.0 & !1);
        let entry = self.type_entry(object);
        if entry & type_entry::NO_REF != 0 {
            return None;
        }
        let type_number = entry & type_entry::NUMBER;
        if type_number == types::LISTP {
            return self.reclaim_list(object);
        }
        let finalized = match type_number {
            types::ARRAY_BLOCK => {
                self.reclaim_array_block(object);
                return None;
            }
            types::STACKP => {
                let frame = self.mem.word(object.add(1));
                self.decrement_use(StackOffset(frame));
                true
            }
            types::VMEMPAGEP => !self.release_buffer(object),
            types::CODE_HUNK_FIRST..=types::CODE_HUNK_LAST => self.reclaim_code(object),
            _ => true,
        };
        if finalized {
            self.free_record(object, type_number);
        }
        None
    }

    /// Frees the list cell `list`, and what of the list behind it lies on the same page and
    /// loses its last reference. Answers what else is to be freed next.
    #[inline]
    fn reclaim_list(&mut self, list: LispPtr) -> Option<LispPtr> {
        let mut page = self.open_cons_page(list);
        let is_watched = self.counting_is_watched();
        let mut list = list;
        let mut freed = 0;
        let next = loop {
            if is_watched {
                self.dying(list);
            }
            let parts = match self.parts(list) {
                Parts::Single(car, cdr) => self.free_cell(&mut page, list).then_some((car, cdr)),
                Parts::Held(car, cdr, holder) if page.has(holder) => {
                    let is_freed =
                        self.free_cell(&mut page, holder) && self.free_cell(&mut page, list);
                    is_freed.then_some((car, cdr))
                }
                _ => {
                    self.close_cons_page(&page);
                    let parts = self.free_scattered_cells(list);
                    page = self.open_cons_page(list);
                    parts
                }
            };
            let Some((car, cdr)) = parts else {
                break None;
            };
            freed += 1;
            self.release(car);
            if !page.has(cdr) {
                break self.drops_last(cdr).then_some(cdr);
            }
            if !self.drops_last_of_counted(cdr) {
                break None;
            }
            list = cdr;
        };
        self.close_cons_page(&page);
        self.statistics.objects_freed += freed;
        next
    }

    /// Frees a list cell that needs cells of other pages, and those. Answers car and cdr.
    #[inline(never)]
    fn free_scattered_cells(&mut self, list: LispPtr) -> Option<(LispPtr, LispPtr)> {
        let (cell, car, cdr, holder) = self.list_cells(list)?;
        let is_freed = (cell == list || self.free_list_cell(list))
            && holder.is_none_or(|holder| self.free_list_cell(holder))
            && self.free_list_cell(cell);
        is_freed.then_some((car, cdr))
    }

    /// Drops the references of a record and frees it.
    #[inline]
    fn free_record(&mut self, object: LispPtr, type_number: u16) {
        self.statistics.objects_freed += 1;
        self.dying(object);
        let (start, end) = self.pointer_fields(type_number);
        if start == end {
            self.link_free(object, type_number);
            return;
        }
        for index in start..end {
            let field = object.add(u32::from(self.gc.fields.offsets[index as usize]));
            let value = self.mem.cell(field).masked::<G>();
            self.mem.set_cell(field, LispPtr::NIL);
            self.release(value);
        }
        if self.gc.cleared.len() >= MOST_CLEARED {
            self.shorten_cleared();
        }
        self.gc.cleared.push(object);
    }

    /// Puts an object on the free list of its type.
    #[inline]
    fn link_free(&mut self, object: LispPtr, type_number: u16) {
        let dtd = G::dtd(u32::from(type_number));
        let head = dtd.add(G::DTD_FIELDS.free);
        if self.gc.zeal {
            let words = u32::from(self.mem.word(dtd.add(G::DTD_FIELDS.size)));
            for at in (2..words).step_by(2) {
                self.mem.set_cell(object.add(at), POISON);
            }
        }
        self.mem.set_cell(object, self.mem.cell(head));
        self.mem.set_cell(head, object);
    }

    /// Where in the cache the offsets of the pointers in records of a type are.
    #[inline]
    fn pointer_fields(&mut self, type_number: u16) -> (u32, u32) {
        match self.gc.fields.types.get(usize::from(type_number)) {
            Some(&Some(range)) => range,
            _ => self.read_pointer_fields(type_number),
        }
    }

    #[cold]
    fn read_pointer_fields(&mut self, type_number: u16) -> (u32, u32) {
        let start = self.gc.fields.offsets.len() as u32;
        let pointers = G::dtd(u32::from(type_number)).add(G::DTD_FIELDS.pointers);
        let mut list = self.mem.cell(pointers).masked::<G>();
        for _ in 0..MAX_FIELDS {
            if !self.is_list(list) {
                break;
            }
            self.gc.fields.offsets.push(self.car(list).lo());
            list = self.cdr(list);
        }
        let range = (start, self.gc.fields.offsets.len() as u32);
        self.gc.fields.types.resize(TYPES, None);
        self.gc.fields.types[usize::from(type_number)] = Some(range);
        range
    }

    /// Drops a reference to `object`; if it was the last the object will be freed.
    #[inline]
    pub(super) fn release(&mut self, object: LispPtr) {
        if self.drops_last(object) {
            self.gc.dead.push(object);
        }
    }

    /// Drops a reference to `object` in a collection. True if it was the last one,
    /// also from the stack.
    #[inline]
    fn drops_last(&mut self, object: LispPtr) -> bool {
        if self.type_entry(object) & type_entry::NO_REF != 0 {
            return false;
        }
        self.drops_last_of_counted(object)
    }

    /// The same for an object whose type is counted.
    #[inline]
    fn drops_last_of_counted(&mut self, object: LispPtr) -> bool {
        let entry = main_entry(self.mem, object);
        if entry == 0 {
            return true;
        }
        let tag = tag::<G>(object);
        let above_three = entry.wrapping_sub(tag).wrapping_sub(3 * G::COUNT_ONE);
        if above_three.rotate_right(G::COUNT_SHIFT) < G::COUNT_MAX - 3 {
            set_main_entry(self.mem, object, entry - G::COUNT_ONE);
            return false;
        }
        if entry & 1 == 0 && entry & G::COUNT_SEGMENT != tag {
            return true;
        }
        if entry == tag | (2 * G::COUNT_ONE) {
            set_main_entry(self.mem, object, 0);
            return false;
        }
        self.drops_last_slow(object)
    }

    /// Frees the array block whose data are at `data`.
    fn reclaim_array_block(&mut self, data: LispPtr) {
        let Some(block) = self.used_block_with_data(data) else {
            return;
        };
        match self.mem.word(block.at) & array_block::CONTENT {
            array_block::POINTERS => {
                self.dying(data);
                for cell in 0..block.cells - 2 {
                    let at = data.add(2 * cell);
                    let value = self.mem.cell(at).masked::<G>();
                    self.mem.set_cell(at, LispPtr::NIL);
                    self.release(value);
                }
            }
            array_block::CODE if !self.reclaim_code(data) => return,
            _ => self.dying(data),
        }
        self.free_block(block);
        self.statistics.objects_freed += 1;
    }

    /// Tells the buffer that uses `page`, if there is one, that no one refers to
    /// the page any more. The page then survives: the buffer's own reference is
    /// not counted, so its count is one.
    fn release_buffer(&mut self, page: LispPtr) -> bool {
        let mut at = self.mem.cell(self.symbols.system_buffer_list);
        for _ in 0..MAX_BUFFERS {
            at = at.masked::<G>();
            if at.is_nil() {
                break;
            }
            let next = self.mem.cell(at.add(buffer::NEXT));
            if self.mem.cell(at.add(buffer::PAGE)).masked::<G>() == page {
                let flags = next.0 | buffer::NO_REFERENCE;
                self.mem.set_cell(at.add(buffer::NEXT), LispPtr(flags));
                return true;
            }
            at = next;
        }
        false
    }
}
