//! Objects of the image: what an address belongs to, and what an object refers to.
//!
//! There are two answers to the latter. What is in use is found by looking at every
//! cell of a record, so that a pointer that nobody counts keeps its object too. Which
//! references are counted is another matter; that is compared with the counts.

use geiko_region::{Colour, Model, Seen, Worklist};

use super::Image;
use crate::audit::{ConsCell, decode_cons};
use crate::isa::Opcode;
use crate::layout::Generation;
use crate::layout::records::{array_block, function, type_entry, types};
use crate::machine::type_entry_of;
use crate::memory::{CodePc, LispPtr, Mem, WORDS_PER_PAGE};

/// Words of a unit of pages of one type.
pub(super) const UNIT_WORDS: u32 = 2 * WORDS_PER_PAGE;
/// Longest list of the places of pointers that is followed.
const MAX_FIELDS: usize = 512;
/// Most bytes of a code block.
const MAX_CODE: u32 = 4 * 0xFFFF;
/// Most cells of an array of pointers that are looked at together.
pub(super) const CELLS_TOGETHER: u32 = 1024;
/// Stands for all pages with references from outside the heap.
pub(super) const ROOTS: LispPtr = LispPtr(u32::MAX);

/// How records of a type lie in their units, and where their counted pointers are.
#[derive(Clone, Debug)]
struct Kind {
    words: u32,
    /// Words that are filled with records from their beginning on: a page or a unit.
    run: u32,
    counted: Vec<u16>,
}

/// What was read of type descriptors, at most once in a cycle.
#[derive(Clone, Debug, Default)]
pub(super) struct Kinds(Vec<Option<Kind>>);

impl Kinds {
    /// Forgets everything.
    pub fn forget(&mut self) {
        self.0.clear();
    }

    fn get<G: Generation>(&mut self, mem: Mem<'_, G>, number: u16) -> &Kind {
        let number = usize::from(number);
        if self.0.len() <= number {
            self.0.resize(number + 1, None);
        }
        self.0[number].get_or_insert_with(|| Kind::read(mem, number as u16))
    }

    /// The places of counted pointers in records of type `number`.
    pub fn counted<G: Generation>(&mut self, mem: Mem<'_, G>, number: u16) -> &[u16] {
        &self.get(mem, number).counted
    }
}

impl Kind {
    fn read<G: Generation>(mem: Mem<'_, G>, number: u16) -> Self {
        let dtd = G::dtd(u32::from(number));
        let words = u32::from(mem.word(dtd.add(G::DTD_FIELDS.size)));
        let rest = WORDS_PER_PAGE.checked_rem(words).unwrap_or(0);
        let by_page = rest != 0 && rest < words / 2 && words < WORDS_PER_PAGE;
        let mut counted = Vec::new();
        let mut list = mem.cell(dtd.add(G::DTD_FIELDS.pointers)).masked::<G>();
        while counted.len() < MAX_FIELDS
            && type_entry_of(mem, list) & type_entry::NUMBER == types::LISTP
            && let Some((car, cdr)) = parts(mem, list)
        {
            counted.push(car.lo());
            list = cdr;
        }
        Self {
            words,
            run: if by_page { WORDS_PER_PAGE } else { UNIT_WORDS },
            counted,
        }
    }

    /// Where in its unit the record lies that contains the word at `offset`.
    fn start(&self, offset: u32) -> Option<u32> {
        let begin = offset / self.run * self.run;
        let start = begin + (offset - begin).checked_div(self.words)? * self.words;
        (start + self.words <= begin + self.run).then_some(start)
    }
}

/// Car and cdr of the list cell at `list`, behind a forwarder if it is one.
fn parts<G: Generation>(mem: Mem<'_, G>, list: LispPtr) -> Option<(LispPtr, LispPtr)> {
    match decode_cons(mem, list) {
        ConsCell::Cons { car, cdr } => Some((car, cdr)),
        ConsCell::Forwarder(target) => match decode_cons(mem, target) {
            ConsCell::Cons { car, cdr } => Some((car, cdr)),
            _ => None,
        },
        _ => None,
    }
}

/// True if records of type `number` hold nothing but numbers and bits.
fn is_raw(number: u16) -> bool {
    matches!(number, types::FIXP | types::FLOATP | types::VMEMPAGEP)
        || (types::RAW_HUNK_FIRST..types::CODE_HUNK_FIRST).contains(&number)
}

fn is_code(number: u16) -> bool {
    (types::CODE_HUNK_FIRST..=types::CODE_HUNK_LAST).contains(&number)
}

impl<G: Generation> Image<'_, '_, G> {
    /// The object that contains the word at `address`, if there is one that can be garbage
    /// or is a block of array space.
    #[inline]
    pub fn object_at(&mut self, address: LispPtr) -> Option<LispPtr> {
        let at = LispPtr(address.0 & G::POINTER_MASK & !1);
        let entry = type_entry_of(self.mem, at);
        match entry & type_entry::NUMBER {
            // Blocks that are not counted stay for ever, but refer to others.
            types::ARRAY_BLOCK => self.array_block(at).map(|_| at),
            _ if entry & type_entry::NO_REF != 0 => None,
            types::LISTP => {
                let place = at.0 & (WORDS_PER_PAGE - 1);
                (place >= G::CONS_PAGE.first).then_some(at)
            }
            types::NEW_ATOM => None,
            number => {
                let kind = self.heap.kinds.get(self.mem, number);
                let start = kind.start(at.0 % UNIT_WORDS)?;
                Some(LispPtr(at.0 / UNIT_WORDS * UNIT_WORDS + start))
            }
        }
    }

    /// What the block in use whose data are at `data` holds, and its cells of data.
    fn array_block(&self, data: LispPtr) -> Option<(u16, u32)> {
        let header = data.add(array_block::HEADER_WORDS.wrapping_neg());
        // What only looks like a pointer may lead anywhere.
        if !self.mem.is_there(header) {
            return None;
        }
        let flags = self.mem.word(header);
        let cells = u32::from(self.mem.word(header.add(array_block::LENGTH)));
        let used = array_block::FREE | array_block::IN_USE;
        let is_block = flags & (array_block::PASSWORD_MASK | array_block::IN_USE) == used;
        (is_block && cells >= 2).then(|| (flags & array_block::CONTENT, cells - 2))
    }

    /// Shows the tracer what the cells of `words` words from `from` on refer to.
    pub fn cells(&mut self, from: LispPtr, words: u32, found: &mut Worklist<LispPtr>) -> u64 {
        for at in (0..words).step_by(2) {
            let value = self.mem.cell(from.add(at));
            self.pointer(value, found);
        }
        u64::from(words / 2)
    }

    /// Shows the tracer what a cell with this content may refer to.
    #[inline]
    pub fn pointer(&mut self, value: LispPtr, found: &mut Worklist<LispPtr>) {
        if let Some(object) = self.object_at(value) {
            found.find(self, object);
        }
    }

    /// Shows every counted reference of `object` from its cell `from` on.
    pub fn all_counted(
        &mut self,
        object: LispPtr,
        from: u32,
        mut visit: impl FnMut(&mut Self, LispPtr),
    ) {
        let mut next = Some(from);
        while let Some(from) = next {
            next = self.counted(object, from, &mut visit);
        }
    }

    /// Shows every counted reference of `object`, but of an array of pointers at most so many as are looked
    /// at together, from the cell `from` on; answers the next cell, if there is one.
    pub fn counted(
        &mut self,
        object: LispPtr,
        from: u32,
        mut visit: impl FnMut(&mut Self, LispPtr),
    ) -> Option<u32> {
        let number = type_entry_of(self.mem, object) & type_entry::NUMBER;
        match number {
            types::LISTP => match decode_cons(self.mem, object) {
                ConsCell::Cons { car, cdr } => {
                    visit(self, car);
                    visit(self, cdr);
                }
                ConsCell::Forwarder(target) => visit(self, target),
                _ => {}
            },
            types::ARRAY_BLOCK => match self.array_block(object) {
                Some((array_block::POINTERS, cells)) => {
                    let end = cells.min(from + CELLS_TOGETHER);
                    for cell in from..end {
                        let value = self.mem.cell(object.add(2 * cell)).masked::<G>();
                        visit(self, value);
                    }
                    return (end < cells).then_some(end);
                }
                Some((array_block::CODE, _)) => self.code(object, visit),
                _ => {}
            },
            number if is_code(number) => self.code(object, visit),
            number => {
                let fields = self.heap.kinds.get(self.mem, number).counted.clone();
                for field in fields {
                    let value = self.mem.cell(object.add(field.into())).masked::<G>();
                    visit(self, value);
                }
            }
        }
        None
    }

    /// Shows what the code block at `code` refers to: its name, the description of its
    /// arguments, the constants in its instructions.
    fn code(&mut self, code: LispPtr, mut visit: impl FnMut(&mut Self, LispPtr)) {
        let start = self.mem.word(code.add(function::START_PC));
        if start < 4 {
            return;
        }
        for at in [function::FRAME_NAME, u32::from(start) / 2 - 2] {
            let value = self.mem.cell(code.add(at)).masked::<G>();
            visit(self, value);
        }
        let mut pc = CodePc::new(code, start);
        for _ in 0..MAX_CODE {
            let opcode = Opcode::from(self.mem.code(pc, 0));
            if opcode == Opcode::EndOfCode {
                return;
            }
            if opcode == Opcode::Gconst {
                let constant = self.mem.pointer_operand(pc, 1).masked::<G>();
                // What names itself does not keep itself.
                if constant != code {
                    visit(self, constant);
                }
            }
            pc = pc.jump(opcode.length(G::OPERAND_BYTES) as i32);
        }
    }
}

impl<G: Generation> Model for Image<'_, '_, G> {
    type Node = LispPtr;

    #[inline]
    fn colour(&self, node: LispPtr) -> Colour {
        if node == ROOTS {
            Colour::Grey
        } else {
            self.heap.colours.get(node)
        }
    }

    #[inline]
    fn paint(&mut self, node: LispPtr, colour: Colour) {
        if node != ROOTS {
            self.heap.colours.set(node, colour);
        }
    }

    fn roots(&mut self, found: &mut Worklist<LispPtr>) {
        self.scan_roots(found);
    }

    fn references(&mut self, node: LispPtr, from: u32, found: &mut Worklist<LispPtr>) -> Seen {
        if node == ROOTS {
            return Seen::all(self.scan_root_pages(found));
        }
        let number = type_entry_of(self.mem, node) & type_entry::NUMBER;
        Seen::all(match number {
            types::LISTP => match decode_cons(self.mem, node) {
                ConsCell::Cons { car, cdr } => {
                    self.pointer(car, found);
                    self.pointer(cdr, found);
                    2
                }
                ConsCell::Forwarder(target) => {
                    self.pointer(target, found);
                    1
                }
                _ => 0,
            },
            types::ARRAY_BLOCK => match self.array_block(node) {
                Some((array_block::POINTERS, cells)) => {
                    let end = cells.min(from + CELLS_TOGETHER);
                    let part = end.saturating_sub(from);
                    return Seen {
                        looked_at: self.cells(node.add(2 * from), 2 * part, found),
                        next: (end < cells).then_some(end),
                    };
                }
                Some((array_block::CODE, cells)) => {
                    self.code(node, |image, value| image.pointer(value, found));
                    u64::from(cells)
                }
                _ => 0,
            },
            number if is_raw(number) => 0,
            number if is_code(number) => {
                self.code(node, |image, value| image.pointer(value, found));
                u64::from(self.heap.kinds.get(self.mem, number).words / 2)
            }
            number => {
                let words = self.heap.kinds.get(self.mem, number).words;
                self.cells(node, words, found)
            }
        })
    }

    fn grey(&mut self, found: &mut Worklist<LispPtr>) {
        let room = !self.heap.roots.pages_are_left() || found.again(ROOTS);
        if room {
            for object in self.heap.colours.grey() {
                if !found.again(object) {
                    break;
                }
            }
        }
    }

    fn sweep(&mut self, white: Colour, budget: &mut u64) -> bool {
        self.examine(white, budget)
    }
}
