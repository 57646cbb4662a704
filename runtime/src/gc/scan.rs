//! A collection (`reference/garbage-collector.md` sections 6 and 7).
//!
//! First the stack scan gives every object that the stack refers to an entry with
//! the stack bit. Then the map scan looks for entries with count zero and without
//! that bit, removes each, and reclaims its object. The unscan takes the stack
//! bits away again, and with them the entries that say no more than "count one".
//!
//! Reclaiming makes no new entries, so one pass over the table is enough. Most of
//! the table is empty, and the pass skips eight or four places at a time; the
//! unscan visits only the places that the stack scan noted.

use super::collisions::MAX_CHAIN;
use super::counts::{main_entry, set_main_entry, tag};
use crate::accounts::Account;
use crate::fault::Fault;
use crate::layout::records::{block, frame, function, interface, io_page, misc_stats, type_entry};
use crate::layout::{Generation, IO_PAGE, STACK};
use crate::machine::Machine;
use crate::memory::{LispPtr, StackOffset};
use crate::stack::Frame;

/// Entries of the main count table.
const MAIN_ENTRIES: u32 = 0x8000;
/// Cells of the count table that are tested together.
const GROUP_CELLS: u32 = 4;

impl<G: Generation> Machine<'_, G> {
    /// Frees all objects that nothing refers to: the body of SUBR DORECLAIM.
    ///
    /// The running frame must be closed: its top of stack stored, its next block
    /// a free block that reaches to the end of its space.
    pub fn collect(&mut self) {
        let _account = Account::Collectors.open();
        if self.gc_disabled() {
            return;
        }
        let start = self.cpu_time();
        let countdown = self.symbols.reclaim_countdown;
        self.mem.set_cell(countdown, LispPtr::NIL);
        self.show_collecting();
        self.gc.fields.forget();
        self.gc.on_stack.clear();
        match self.scan_stack() {
            Ok(()) => {
                // Noting references may have filled the collision table.
                if !self.gc_disabled() {
                    self.free_unreferenced();
                }
            }
            // Objects that the rest of the stack refers to are unknown.
            Err(fault) => self.raise_fault(fault),
        }
        self.unscan();
        self.show_collecting();
        let least = self.mem.cell(self.symbols.reclaim_min);
        let next = match least.small_value::<G>() {
            Some(_) if self.gc.zeal => LispPtr::smallpos(1),
            Some(n) => LispPtr::smallpos(n.max(1) as u16),
            None if least.is_nil() => LispPtr::NIL,
            // A box: more than a small integer.
            None => LispPtr::smallpos(0xFFFF),
        };
        self.mem.set_cell(countdown, next);
        self.statistics.collections += 1;
        let spent = self.cpu_time().wrapping_sub(start);
        let gc_time = G::MISC_STATS.add(misc_stats::GC_TIME);
        self.mem
            .set_cell(gc_time, self.mem.cell(gc_time).add(spent));
        self.consider_backup();
    }

    /// For tests: from now on a collection is due as soon as anything may be garbage,
    /// so that it takes place at the next safepoint, and freed records are filled with
    /// what is no use to anybody.
    pub fn set_gc_zeal(&mut self) {
        self.gc.zeal = true;
        let countdown = self.symbols.reclaim_countdown;
        if !self.mem.cell(countdown).is_nil() {
            self.mem.set_cell(countdown, LispPtr::smallpos(1));
        }
    }

    /// Milliseconds of CPU time used so far.
    fn cpu_time(&mut self) -> u32 {
        let instructions = self.instructions();
        let (user, system) = self.devices.clock.cpu_millis(instructions);
        user.wrapping_add(system)
    }

    /// Inverts the cursor if Lisp wants to see collections.
    fn show_collecting(&mut self) {
        if self.mem.cell(self.symbols.gc_message).is_nil() {
            return;
        }
        for row in 0..16 {
            let at = IO_PAGE.add(io_page::CURSOR_BITMAP + row);
            self.mem.set_word(at, !self.mem.word(at));
        }
        self.devices.display.cursor_changed();
    }

    /// Notes every object that the stack refers to, or native code at a safepoint.
    fn scan_stack(&mut self) -> Result<(), Fault> {
        for index in 0..self.gc.held.len() {
            self.note_on_stack(self.gc.held[index].masked::<G>());
        }
        let end = u32::from(self.interface_word(interface::END_OF_STACK));
        let mut at = u32::from(self.stack_base().0);
        loop {
            let here = StackOffset(at as u16);
            let word = self.mem.stack_word(here);
            let next = match word & block::KIND {
                block::GUARD if at >= end => return Ok(()),
                block::FREE | block::GUARD => at + u32::from(self.mem.stack_word(here.add(1))),
                block::FRAME => self.scan_frame(here),
                _ => self.scan_arguments(at),
            };
            if next <= at || next > 0xFFFF {
                return Err(Fault::BadStackBlock { at: here, word });
            }
            at = next;
        }
    }

    /// Notes what the frame extension at `fx` refers to; answers where the next
    /// block is.
    fn scan_frame(&mut self, fx: StackOffset) -> u32 {
        let frame = Frame::at(self.mem, fx);
        let header = frame.function();
        self.note_on_stack(header);
        let slots = u32::from(fx.0) + u32::from(frame::WORDS);
        let locals = u32::from(self.mem.word(header.add(function::LOCALS)) >> 8);
        self.scan_values(slots, slots + 2 * locals);
        let quads = i32::from(self.mem.word(header.add(function::PVAR_QUADS)) as i16) + 1;
        let mut values = slots
            .wrapping_add_signed(4 * quads)
            .wrapping_add(frame::PADDING.into());
        let next = u32::from(frame.next_block().0);
        if frame.has_name_table() {
            let table = frame.own_name_table();
            if table.segment::<G>() == STACK.segment::<G>() {
                for table in [header, table] {
                    let name = self.mem.cell(table.add(function::FRAME_NAME));
                    self.note_on_stack(name.masked::<G>());
                }
                let start = u32::from(table.lo());
                self.scan_values(values, start.min(next));
                let names = self.mem.word(table.add(function::NAME_TABLE_SIZE));
                values = start + function::WORDS + 2 * u32::from(names);
            } else {
                self.note_on_stack(table);
            }
        }
        self.scan_values(values, next);
        next
    }

    /// Notes the arguments from `at` up to their basic frame cell; answers where
    /// the block behind that is.
    fn scan_arguments(&mut self, at: u32) -> u32 {
        let mut at = at;
        while at <= 0xFFFF {
            let cell = self.mem.stack(StackOffset(at as u16));
            at += 2;
            if cell.hi() & block::KIND == block::BASIC_FRAME {
                break;
            }
            self.note_on_stack(cell.masked::<G>());
        }
        at
    }

    /// Notes the values in the stack from `from` up to, not including, `to`. Cells
    /// with bits above the pointer are marks, not values.
    fn scan_values(&mut self, from: u32, to: u32) {
        let mut at = from;
        while at < to {
            let value = self.mem.stack(StackOffset(at as u16));
            if value.0 & !G::POINTER_MASK == 0 {
                self.note_on_stack(value);
            }
            at += 2;
        }
    }

    /// Sets the stack bit of `object`, making an entry if it has none.
    #[inline]
    fn note_on_stack(&mut self, object: LispPtr) {
        if self.type_entry(object) & type_entry::NO_REF != 0 {
            return;
        }
        let entry = main_entry(self.mem, object);
        let tag = tag::<G>(object);
        if entry == 0 {
            let entry = tag | G::COUNT_ONE | G::COUNT_ON_STACK;
            set_main_entry(self.mem, object, entry);
        } else if entry & (G::COUNT_SEGMENT | 1) != tag {
            self.stk_ref(object);
        } else if entry & G::COUNT_ON_STACK == 0 {
            set_main_entry(self.mem, object, entry | G::COUNT_ON_STACK);
        } else {
            return;
        }
        self.gc.on_stack.push(object.lo());
    }

    /// Reclaims every object whose entry has count zero and no stack bit.
    fn free_unreferenced(&mut self) {
        let entries_per_cell = if G::WIDE_COUNTS { 1 } else { 2 };
        let entries_per_group = GROUP_CELLS * entries_per_cell;
        for group in 0..MAIN_ENTRIES / entries_per_group {
            let at = G::HT_MAIN.add(2 * GROUP_CELLS * group);
            let used = (0..GROUP_CELLS).fold(0, |used, n| used | self.mem.cell(at.add(2 * n)).0);
            if used == 0 {
                continue;
            }
            if self.gc_disabled() {
                // A broken chain was met.
                return;
            }
            for entry in 0..entries_per_group {
                self.free_unreferenced_at(2 * (group * entries_per_group + entry));
            }
        }
    }

    /// Reclaims the objects with low half `low` that are not referred to.
    #[inline]
    fn free_unreferenced_at(&mut self, low: u32) {
        let place = LispPtr(low);
        let entry = main_entry(self.mem, place);
        if entry & 1 != 0 {
            self.free_unreferenced_in_chain(place);
        } else if entry != 0 && entry < G::COUNT_ON_STACK {
            set_main_entry(self.mem, place, 0);
            self.reclaim(object_of::<G>(entry, place));
        }
    }

    fn free_unreferenced_in_chain(&mut self, place: LispPtr) {
        for _ in 0..MAX_CHAIN {
            let entry = main_entry(self.mem, place);
            if entry & 1 == 0 {
                // Only one is left, in the main table.
                if entry != 0 && entry < G::COUNT_ON_STACK {
                    set_main_entry(self.mem, place, 0);
                    self.reclaim(object_of::<G>(entry, place));
                }
                return;
            }
            let found = self.find_link(place, |entry| entry < G::COUNT_ON_STACK);
            let Some((link, previous)) = found else {
                return;
            };
            let entry = self.collision_element(link);
            self.remove_link(place, link, previous);
            self.reclaim(object_of::<G>(entry, place));
        }
        self.disable_gc();
    }

    /// Takes away the stack bits, and the entries of count one.
    fn unscan(&mut self) {
        while let Some(low) = self.gc.on_stack.pop() {
            self.unscan_at(LispPtr(u32::from(low)));
        }
    }

    #[inline]
    fn unscan_at(&mut self, place: LispPtr) {
        for _ in 0..MAX_CHAIN {
            let entry = main_entry(self.mem, place);
            if entry & 1 == 0 {
                let rest = without_stack_bit::<G>(entry);
                set_main_entry(self.mem, place, rest);
                return;
            }
            if self.gc_disabled() {
                // Chains may be broken, and nobody will follow them again.
                return;
            }
            let found = self.find_link(place, |entry| entry & G::COUNT_ON_STACK != 0);
            let Some((link, previous)) = found else {
                return;
            };
            match without_stack_bit::<G>(self.collision_element(link)) {
                0 => self.remove_link(place, link, previous),
                rest => self.set_collision_element(link, rest),
            }
        }
        self.disable_gc();
    }

    /// The instruction GCSCAN1: the highest place below `place` in the main table
    /// that has several entries, or one with count zero and no stack bit.
    pub fn gcscan1(&self, place: u16) -> Option<u16> {
        self.scan_down(place, |entry| {
            entry & 1 != 0 || entry != 0 && entry < G::COUNT_ON_STACK
        })
    }

    /// The instruction GCSCAN2: the highest place below `place` in the main table
    /// that has several entries, or one with the stack bit.
    pub fn gcscan2(&self, place: u16) -> Option<u16> {
        self.scan_down(place, |entry| entry & (G::COUNT_ON_STACK | 1) != 0)
    }

    fn scan_down(&self, place: u16, wanted: impl Fn(u32) -> bool) -> Option<u16> {
        (0..u32::from(place).min(MAIN_ENTRIES))
            .rev()
            .find(|&place| wanted(main_entry(self.mem, LispPtr(2 * place))))
            .map(|place| place as u16)
    }
}

/// The object with `entry` at `place`.
fn object_of<G: Generation>(entry: u32, place: LispPtr) -> LispPtr {
    LispPtr((entry & G::COUNT_SEGMENT) << 15 | place.0)
}

/// `entry` without its stack bit; 0 if it then says count one.
fn without_stack_bit<G: Generation>(entry: u32) -> u32 {
    if entry & G::COUNT_ON_STACK == 0 {
        entry
    } else if entry >> G::COUNT_SHIFT == 1 {
        0
    } else {
        entry & !G::COUNT_ON_STACK
    }
}
