//! Lockstep: native code against the interpreter, instruction by instruction.
//!
//! A second machine, the shadow, runs the same program from the same state and has
//! only the interpreter. Both count instructions. Wherever native code says where it
//! is (at the beginnings of its blocks, and where it leaves something to the machine),
//! the shadow is brought to the same count. Then registers and running frame must be
//! the same, and now and then all of memory. The shadow asks the world nothing: it gets
//! the answers that the first machine got (`journal.rs`).
//!
//! Native code makes boxes for numbers only where they reach memory, so the boxes of
//! the machines lie in different places: they are the same if they hold the same. What
//! says where boxes lie is not compared, and when one machine took a page before the
//! other, or they collected garbage, perhaps not at the same instruction and in another
//! order, or all of memory has been compared, or the session has had its turn, the shadow
//! becomes a copy again.

mod journal;
#[cfg(test)]
mod tests;

use std::fmt::Write;
use std::sync::atomic::Ordering::Relaxed;

use crate::fault::Fault;
use crate::image::symbols::Names;
use crate::interp::Exit;
use crate::interp::native::Point;
use crate::isa::Opcode;
use crate::layout::records::{frame, function, types};
use crate::layout::{Generation, IO_PAGE, STACK, USER_NAME};
use crate::machine::Machine;
use crate::memory::{
    AddressSpace, Attention, BYTES_PER_PAGE, CodePc, LispPtr, Mem, StackOffset, WORDS_PER_PAGE,
};
use crate::stack::Frame;

use journal::Journal;

/// Pages that are looked at in a machine without a page table, as there are in tests.
const UNLISTED_PAGES: u32 = 0x4000;

/// Pages of a unit of objects of one type.
const PAGES_PER_UNIT: u32 = 2;

/// The types of boxes.
const NUMBERS: [u16; 2] = [types::FIXP, types::FLOATP];

/// Most differing cells shown.
const SHOWN: usize = 12;

/// The machine that only interprets.
pub struct Shadow<'m, G: Generation> {
    machine: Machine<'m, G>,
    journal: Journal,
    /// Observations from one comparison of all memory to the next.
    interval: u32,
    passed: u32,
    /// Collections when it was made a copy.
    collections: u64,
}

/// Where a machine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    pvar: StackOffset,
    function: LispPtr,
    pc: u16,
    depth: u16,
}

impl<'m, G: Generation> Machine<'m, G> {
    /// From now on a shadow with the memory of `space` follows this machine, whose handle
    /// is `attention`. All memory is compared every `interval` observations.
    pub fn set_shadow(&mut self, attention: Attention, space: &'m AddressSpace<G>, interval: u32) {
        let journal = Journal::new([attention, space.attention()]);
        let devices = journal.fork(&mut self.devices);
        let machine = Machine::new(space.view(), self.symbols.clone(), devices);
        self.shadow = Some(Box::new(Shadow {
            machine,
            journal,
            interval: interval.max(1),
            passed: 0,
            collections: 0,
        }));
    }

    /// True while a shadow follows.
    pub fn has_shadow(&self) -> bool {
        self.shadow.is_some()
    }

    /// Native code is at `point`, before the instruction there.
    pub fn observe(&mut self, point: Point) {
        let function = Frame::of_pvar(self.mem, point.pvar).function();
        let place = Place {
            pvar: point.pvar,
            function,
            pc: point.pc,
            depth: point.depth,
        };
        self.compare_with_shadow(|shadow, machine| {
            shadow.passed += 1;
            let whole = shadow.passed.is_multiple_of(shadow.interval);
            let difference = shadow.compare(machine, place, None, whole);
            if whole || shadow.has_strayed(machine) {
                shadow.copy(machine);
                shadow.machine.resume_at(point);
            }
            difference
        });
    }

    /// The machine has stopped, for a while or for good.
    pub(crate) fn observe_stop(&mut self) {
        let (place, top) = (self.place(), Some(self.regs.tos));
        self.compare_with_shadow(|shadow, machine| shadow.compare(machine, place, top, true));
    }

    /// Makes the shadow what this machine is.
    pub(crate) fn renew_shadow(&mut self) {
        if let Some(mut shadow) = self.shadow.take() {
            shadow.copy(self);
            self.shadow = Some(shadow);
        }
    }

    fn compare_with_shadow(
        &mut self,
        compare: impl FnOnce(&mut Shadow<'m, G>, &Self) -> Option<String>,
    ) {
        let Some(mut shadow) = self.shadow.take() else {
            return;
        };
        match compare(&mut shadow, self) {
            None => self.shadow = Some(shadow),
            Some(difference) => self.raise_fault(Fault::Lockstep { difference }),
        }
    }

    fn place(&self) -> Place {
        Place {
            pvar: self.regs.pvar,
            function: self.func,
            pc: self.regs.pc.offset_in(self.func),
            depth: self.depth(),
        }
    }

    /// Pages of the page table, outside the stack; many pages if there is no such table.
    fn pages_outside_stack(&self) -> impl Iterator<Item = u32> {
        let listed = (1..=self.active_pages()).map(|file_page| self.file_page(file_page));
        let without_table = match self.active_pages() {
            0 => 0..UNLISTED_PAGES,
            _ => 0..0,
        };
        let pages = G::MEMORY_BYTES as u32 / BYTES_PER_PAGE as u32;
        let all = listed.chain(without_table);
        all.filter(move |&page| page < pages && !is_stack(page))
    }
}

fn is_number(type_number: u16) -> bool {
    NUMBERS.contains(&type_number)
}

/// Pages of the segment of the stack.
fn stack_pages() -> std::ops::Range<u32> {
    let first = STACK.page();
    first..first + 0x1_0000 / WORDS_PER_PAGE
}

fn is_stack(page: u32) -> bool {
    stack_pages().contains(&page)
}

fn read<G: Generation>(mem: Mem<'_, G>, page: u32) -> [u8; BYTES_PER_PAGE] {
    let mut content = [0; BYTES_PER_PAGE];
    mem.read_page(page, &mut content);
    content
}

impl<'m, G: Generation> Shadow<'m, G> {
    fn copy(&mut self, from: &Machine<'m, G>) {
        let to = &mut self.machine;
        let special = [G::INTERFACE_PAGE, IO_PAGE, USER_NAME].map(LispPtr::page);
        // Pages that only the shadow has taken are nobody's again.
        let own: Vec<_> = (to.pages_outside_stack())
            .chain(to.collision_pages())
            .collect();
        let pages = (own.into_iter())
            .chain(from.pages_outside_stack())
            .chain(from.collision_pages())
            .chain(stack_pages())
            .chain(special);
        for page in pages {
            let content = read(from.mem, page);
            if content != read(to.mem, page) {
                to.mem.write_page(page, &content);
            }
        }
        to.mem.control().copy(from.mem.control());
        to.regs = from.regs;
        to.ivar = from.ivar;
        to.func = from.func;
        to.end = from.end;
        to.keyboard = from.keyboard;
        to.display = from.display;
        to.interrupts = from.interrupts;
        to.network = from.network;
        to.statistics = from.statistics;
        to.gc = from.gc.clone();
        to.heap = from.heap.clone();
        to.characters = from.characters;
        to.next_tick = from.next_tick;
        to.is_exact = from.is_exact;
        to.set_handlers(from.handlers);
        to.fault.clone_from(&from.fault);
        self.collections = from.statistics.collections;
        self.journal.clear();
    }

    /// Brings the shadow to the count of `machine`, which is at `place` with the top of
    /// stack `top`, or in memory, and tells what is different then.
    fn compare(
        &mut self,
        machine: &Machine<'m, G>,
        place: Place,
        top: Option<LispPtr>,
        whole: bool,
    ) -> Option<String> {
        let from = self.machine.place();
        while self.machine.instructions() < machine.instructions() {
            match self.machine.execute_one() {
                Exit::Continue | Exit::Attention => {}
                _ => break,
            }
        }
        let fails = self.machine.fault.is_some() && machine.fault.is_none();
        if !fails && self.has_strayed(machine) {
            return None;
        }
        let countdown = machine.symbols.reclaim_countdown;
        let left = machine.mem.cell(countdown);
        self.machine.mem.set_cell(countdown, left);
        let mut cells = Vec::new();
        let here = self.machine.place();
        if here == place {
            self.compare_frame(machine, place, top, &mut cells);
        }
        if whole || here != place || !cells.is_empty() {
            self.compare_memory(machine, &mut cells);
        }
        let differs = fails || here != place || !cells.is_empty();
        differs.then(|| self.report(machine, from, place, &cells))
    }

    /// True if the machines took pages or want to collect garbage at different times, or
    /// have collected it.
    fn has_strayed(&self, machine: &Machine<'m, G>) -> bool {
        let of = |m: &Machine<'m, G>| {
            let page = m.page_variable(m.symbols.next_mds_page);
            let reasons = m.mem.control().reasons.load(Relaxed);
            // NIL while Lisp collects.
            let collects = m.mem.cell(m.symbols.reclaim_countdown).is_nil();
            let unit = m.mem.cell(m.symbols.mds_free_list_page);
            (collects, m.active_pages(), page, unit, reasons)
        };
        // Boxes come from another unit.
        let unit = |m: &Machine<'m, G>, kind: u16| {
            let free = G::dtd(kind.into()).add(G::DTD_FIELDS.free);
            m.mem.cell(free).masked::<G>().page() / PAGES_PER_UNIT
        };
        let collected = |m: &Machine<'m, G>| m.statistics.collections != self.collections;
        of(machine) != of(&self.machine)
            || collected(machine)
            || collected(&self.machine)
            || NUMBERS
                .into_iter()
                .any(|kind| unit(machine, kind) != unit(&self.machine, kind))
    }

    /// True if the cells are equal or refer to boxes that hold the same number.
    fn is_same(&self, machine: &Machine<'m, G>, native: LispPtr, interpreted: LispPtr) -> bool {
        let number = |m: &Machine<'m, G>, cell: LispPtr| {
            let box_ = cell.masked::<G>();
            let kind = m.type_number(box_);
            (is_number(kind)).then(|| (kind, m.mem.cell(box_), cell.0 & !G::POINTER_MASK))
        };
        native == interpreted
            || number(machine, native)
                .is_some_and(|known| number(&self.machine, interpreted) == Some(known))
    }

    /// True for cells that say where boxes of numbers are: those boxes, what describes
    /// their types, the counts of references.
    fn tells_of_boxes(machine: &Machine<'m, G>, at: LispPtr) -> bool {
        let counts = G::HT_MAIN.0..G::HT_BIG_END.0;
        let collisions = G::HT_COLLISION.0..=G::HT_COLLISION.0 + G::HT_COLLISION_LIMIT;
        let is_described = |kind| {
            let start = G::dtd(u32::from(kind)).0;
            (start..G::dtd(u32::from(kind) + 1).0).contains(&at.0)
        };
        is_number(machine.type_number(at))
            || counts.contains(&at.0)
            || collisions.contains(&at.0)
            || NUMBERS.into_iter().any(is_described)
    }

    /// Arguments, links, variables and evaluation stack.
    fn compare_frame(
        &self,
        machine: &Machine<'m, G>,
        place: Place,
        top: Option<LispPtr>,
        cells: &mut Vec<(LispPtr, LispPtr, LispPtr)>,
    ) {
        let shadow = &self.machine;
        let frame = Frame::of_pvar(machine.mem, place.pvar);
        let sp = shadow.regs.sp;
        let padding = place.pvar.add(2 * machine.pvar_cells(place.function));
        let skipped = |at: StackOffset| {
            let in_frame = at.0.wrapping_sub(frame.fx.0);
            in_frame == frame::NEXT_BLOCK
                || in_frame == frame::NAME_TABLE && !frame.has_name_table()
                || in_frame == frame::BLINK && !frame.is_slow()
                || at >= padding && at < padding.add(frame::PADDING)
        };
        let mut at = frame.ivar().min(frame.fx);
        while at <= sp {
            let (mut native, mut interpreted) = (machine.mem.stack(at), shadow.mem.stack(at));
            if at == sp && place.depth > 0 {
                (native, interpreted) = (top.unwrap_or(native), shadow.regs.tos);
            }
            if !self.is_same(machine, native, interpreted) && !skipped(at) {
                cells.push((at.address(), native, interpreted));
            }
            at = at.add(2);
        }
    }

    fn compare_memory(
        &self,
        machine: &Machine<'m, G>,
        cells: &mut Vec<(LispPtr, LispPtr, LispPtr)>,
    ) {
        for m in [machine, &self.machine] {
            m.chain_free_cells();
        }
        for page in machine.pages_outside_stack() {
            if read(machine.mem, page) == read(self.machine.mem, page) {
                continue;
            }
            for word in (0..WORDS_PER_PAGE).step_by(2) {
                let at = LispPtr::from_page(page).add(word);
                let [native, interpreted] = [machine, &self.machine].map(|m| m.mem.cell(at));
                if !self.is_same(machine, native, interpreted) && !Self::tells_of_boxes(machine, at)
                {
                    cells.push((at, native, interpreted));
                }
            }
        }
    }

    /// What is different: where both are, and cells.
    fn report(
        &self,
        machine: &Machine<'m, G>,
        from: Place,
        place: Place,
        cells: &[(LispPtr, LispPtr, LispPtr)],
    ) -> String {
        let names = (machine.active_pages() > 0).then(|| Names::new(machine.mem));
        let describe = |place: Place| {
            let name = machine.mem.cell(place.function.add(function::FRAME_NAME));
            let name = match &names {
                Some(names) => names.name(name.masked::<G>()),
                None => place.function.to_string(),
            };
            let code = machine.mem.code(CodePc::new(place.function, place.pc), 0);
            format!(
                "{name}+{} {}, frame {:?}, {} on the stack",
                place.pc,
                Opcode::from(code).name(),
                place.pvar,
                place.depth
            )
        };
        let mut text = format!("instruction {}", machine.instructions());
        let _ = write!(text, "\n  before:      {}", describe(from));
        let _ = write!(text, "\n  native:      {}", describe(place));
        let _ = write!(text, "\n  interpreted: {}", describe(self.machine.place()));
        if let Some(fault) = &self.machine.fault {
            let _ = write!(text, "\n  interpreted: {fault}");
        }
        for (at, native, interpreted) in cells.iter().take(SHOWN) {
            let _ = write!(
                text,
                "\n  cell {at:?}: native {native:?}, interpreted {interpreted:?}"
            );
        }
        if cells.len() > SHOWN {
            let _ = write!(text, "\n  and {} cells more", cells.len() - SHOWN);
        }
        text
    }
}
