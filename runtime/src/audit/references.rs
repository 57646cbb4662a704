//! Everything that can hold a counted reference, and everything that can be
//! counted.

use super::arrays::{self, BlockKind};
use super::conses::{self, ConsCell, ConsPages};
use crate::isa::Opcode;
use crate::layout::records::{function, type_entry, types};
use crate::layout::{Generation, SymbolCell};
use crate::machine::type_entry_of;
use crate::memory::{LispPtr, Mem};
use crate::symbols::Symbols;

/// Words of a unit of typed objects.
const UNIT_WORDS: u32 = 512;
/// Words of a page.
const PAGE_WORDS: u32 = 256;
/// Longest list of field offsets that is followed.
const MAX_FIELDS: u32 = 1024;
/// Most objects on a free list that are followed.
const MAX_FREE: u32 = 1 << 24;

/// A visitor of the heap.
pub(super) trait Visitor {
    /// A counted reference to `target`, held by `holder`.
    fn reference(&mut self, holder: LispPtr, target: LispPtr);
    /// The same, from the debugging information slot of a code block.
    fn debugging_information(&mut self, code: LispPtr, list: LispPtr);
    /// An object that is allocated and may be counted.
    fn object(&mut self, object: LispPtr, number: u16);
    /// A free object of a type.
    fn free_object(&mut self, number: u16);
    /// A defect, in one sentence.
    fn defect(&mut self, sentence: String);
}

/// Walks the whole heap.
pub(super) fn walk<G: Generation>(
    mem: Mem<'_, G>,
    symbols: &Symbols,
    conses: &mut ConsPages,
    visitor: &mut impl Visitor,
) {
    let heap = Heap {
        mem,
        addresses: [
            symbols.array_space,
            symbols.array_space2,
            symbols.array_free_list,
            symbols.array_free_list2,
        ],
    };
    heap.old_symbols(visitor);
    for unit in 0..G::TYPE_TABLE_WORDS {
        let base = LispPtr(unit * UNIT_WORDS);
        let entry = mem.word(G::TYPE_TABLE.add(unit));
        let number = entry & type_entry::NUMBER;
        let counted = entry & type_entry::NO_REF == 0;
        if number == types::LISTP && counted {
            heap.cons_page(base, conses, visitor);
            heap.cons_page(base.add(PAGE_WORDS), conses, visitor);
        }
    }
    heap.typed_objects(visitor);
    for (from, to) in arrays::regions(mem, symbols) {
        heap.array_blocks(from, to, visitor);
    }
    heap.descriptors(visitor);
}

struct Heap<'m, G> {
    mem: Mem<'m, G>,
    /// Value cells with addresses in array space, which nobody counts. One of them is that of an
    /// object when array space goes on in its second part (`reference/storage.md`
    /// section 6).
    addresses: [LispPtr; 4],
}

impl<G: Generation> Heap<'_, G> {
    fn pointer(&self, at: LispPtr) -> LispPtr {
        self.mem.cell(at).masked::<G>()
    }

    fn symbol_cells(&self, symbol: LispPtr, visitor: &mut impl Visitor) {
        for cell in [
            SymbolCell::PrintName,
            SymbolCell::Value,
            SymbolCell::Definition,
            SymbolCell::PropertyList,
        ] {
            let at = G::symbol_cell(symbol, cell);
            if !self.addresses.contains(&at) {
                visitor.reference(symbol, self.pointer(at));
            }
        }
    }

    fn old_symbols(&self, visitor: &mut impl Visitor) {
        for number in 0..G::INDEXED_SYMBOLS {
            self.symbol_cells(LispPtr(number), visitor);
        }
    }

    fn cons_page(&self, base: LispPtr, totals: &mut ConsPages, visitor: &mut impl Visitor) {
        let cells = conses::decode_page(self.mem, base, totals);
        for (index, cell) in cells.iter().enumerate() {
            let at = base.add(2 * index as u32);
            match *cell {
                Some(ConsCell::Cons { car, cdr }) => {
                    visitor.object(at, types::LISTP);
                    visitor.reference(at, car);
                    visitor.reference(at, cdr);
                }
                // The forwarder is the object that pointers name; its target is a
                // cons of its own on another page, held by nothing but it.
                Some(ConsCell::Forwarder(target)) => {
                    visitor.object(at, types::LISTP);
                    visitor.reference(at, target);
                }
                _ => {}
            }
        }
    }

    /// Objects with a type descriptor, their pointer fields, and free lists.
    fn typed_objects(&self, visitor: &mut impl Visitor) {
        let mut units_of: Vec<Vec<u32>> = vec![Vec::new(); usize::from(type_entry::NUMBER) + 1];
        for unit in 0..G::TYPE_TABLE_WORDS {
            let entry = self.mem.word(G::TYPE_TABLE.add(unit));
            let number = entry & type_entry::NUMBER;
            let is_new_atom = number == types::NEW_ATOM;
            if number > types::SMALLP && (entry & type_entry::NO_REF == 0 || is_new_atom) {
                units_of[usize::from(number)].push(unit);
            }
        }
        for (number, units) in units_of.iter().enumerate() {
            let number = number as u16;
            if number == types::LISTP || units.is_empty() {
                continue;
            }
            let dtd = G::dtd(u32::from(number));
            let size = u32::from(self.mem.word(dtd.add(G::DTD_FIELDS.size)));
            if size == 0 || size > UNIT_WORDS {
                visitor.defect(format!("type {number} has instances of {size} words"));
                continue;
            }
            let free = self.free_list(number, dtd, visitor);
            let fields = self.pointer_fields(dtd);
            for unit in units {
                for offset in object_offsets(size) {
                    let object = LispPtr(unit * UNIT_WORDS + offset);
                    if free.contains(&object.0) {
                        continue;
                    }
                    visitor.object(object, number);
                    self.fields(object, number, &fields, visitor);
                }
            }
        }
    }

    fn fields(&self, object: LispPtr, number: u16, fields: &[u32], visitor: &mut impl Visitor) {
        match number {
            types::NEW_ATOM => self.symbol_cells(object, visitor),
            types::CODE_HUNK_FIRST..=types::CODE_HUNK_LAST => self.code(object, visitor),
            _ => {
                for &field in fields {
                    visitor.reference(object, self.pointer(object.add(field)));
                }
            }
        }
    }

    fn free_list(
        &self,
        number: u16,
        dtd: LispPtr,
        visitor: &mut impl Visitor,
    ) -> std::collections::HashSet<u32> {
        let mut free = std::collections::HashSet::new();
        let mut at = self.pointer(dtd.add(G::DTD_FIELDS.free));
        for _ in 0..MAX_FREE {
            if at.is_nil() {
                return free;
            }
            if type_entry_of(self.mem, at) & type_entry::NUMBER != number || !free.insert(at.0) {
                break;
            }
            visitor.free_object(number);
            at = self.pointer(at);
        }
        visitor.defect(format!("the free list of type {number} is broken at {at}"));
        free
    }

    /// The word offsets of pointer fields, from the descriptor's list.
    fn pointer_fields(&self, dtd: LispPtr) -> Vec<u32> {
        let mut list = self.pointer(dtd.add(G::DTD_FIELDS.pointers));
        let mut fields = Vec::new();
        for _ in 0..MAX_FIELDS {
            let Some((car, cdr)) = self.list_cell(list) else {
                break;
            };
            fields.extend(car.small_value::<G>().map(|offset| offset as u32));
            list = cdr;
        }
        fields
    }

    /// Car and cdr of a list cell.
    fn list_cell(&self, list: LispPtr) -> Option<(LispPtr, LispPtr)> {
        if type_entry_of(self.mem, list) & type_entry::NUMBER != types::LISTP {
            return None;
        }
        match conses::decode(self.mem, list) {
            ConsCell::Cons { car, cdr } => Some((car, cdr)),
            ConsCell::Forwarder(target) => match conses::decode(self.mem, target) {
                ConsCell::Cons { car, cdr } => Some((car, cdr)),
                _ => None,
            },
            _ => None,
        }
    }

    fn array_blocks(&self, from: LispPtr, to: LispPtr, visitor: &mut impl Visitor) {
        let stopped = arrays::walk(self.mem, from, to, |block| {
            let data = block.data();
            let counted = type_entry_of(self.mem, data) & type_entry::NO_REF == 0;
            if counted && block.kind != BlockKind::Free {
                visitor.object(data, types::ARRAY_BLOCK);
            }
            match block.kind {
                BlockKind::Pointers => {
                    for cell in 0..block.cells - 2 {
                        visitor.reference(data, self.pointer(data.add(2 * cell)));
                    }
                }
                BlockKind::Code => self.code(data, visitor),
                BlockKind::Free | BlockKind::Unboxed => {}
            }
        });
        if let Some(sentence) = stopped {
            visitor.defect(sentence);
        }
    }

    /// References of a code block: its name, its debugging information and its
    /// literal objects.
    fn code(&self, code: LispPtr, visitor: &mut impl Visitor) {
        let start = self.mem.word(code.add(function::START_PC));
        if start < 4 {
            return;
        }
        visitor.reference(code, self.pointer(code.add(function::FRAME_NAME)));
        let debug_information = code.add(u32::from(start) / 2 - 2);
        visitor.debugging_information(code, self.pointer(debug_information));
        let mut pc = crate::memory::CodePc::new(code, start);
        loop {
            let opcode = Opcode::from(self.mem.code(pc, 0));
            if opcode == Opcode::EndOfCode {
                return;
            }
            if opcode == Opcode::Gconst {
                let literal = self.mem.pointer_operand(pc, 1).masked::<G>();
                // Code that names itself does not keep itself alive.
                if literal != code {
                    visitor.reference(code, literal);
                }
            }
            let length = opcode.length(G::OPERAND_BYTES);
            pc = pc.jump(length as i32);
            if pc.offset_in(code) < start {
                visitor.defect(format!("the code at {code} has no end"));
                return;
            }
        }
    }

    /// Lists that the type descriptors hold.
    fn descriptors(&self, visitor: &mut impl Visitor) {
        let last = (G::TYPE_TABLE.0.min(G::DTD.0 + 0x6000) - G::DTD.0) / G::DTD_WORDS;
        for number in 0..last.min(u32::from(type_entry::NUMBER)) {
            let dtd = G::dtd(number);
            for field in [
                G::DTD_FIELDS.flags_and_descriptors,
                G::DTD_FIELDS.type_specs,
                G::DTD_FIELDS.pointers,
            ] {
                visitor.reference(dtd, self.pointer(dtd.add(field)));
            }
        }
    }
}

/// Where objects of `size` words lie in a unit (`reference/storage.md` section 3).
pub(crate) fn object_offsets(size: u32) -> Vec<u32> {
    let rest = PAGE_WORDS % size;
    let by_page = rest != 0 && rest < size / 2 && size < PAGE_WORDS;
    let run = if by_page { PAGE_WORDS } else { UNIT_WORDS };
    (0..UNIT_WORDS / run)
        .flat_map(|page| (0..run / size).map(move |n| page * run + n * size))
        .collect()
}
