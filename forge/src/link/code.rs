//! Functions: code blocks, closures, definitions of symbols.

use geiko_runtime::layout::records::{definition, function, locator, types};
use geiko_runtime::layout::{Generation, SymbolCell};
use geiko_runtime::memory::LispPtr;

use super::heap::Content;
use super::{LinkError, Linker, Result};
use crate::code::{Code, Target};
use crate::datum::{Datum, Symbol};

/// How a function with any number of arguments takes them.
const NOSPREAD: u32 = 2 << definition::ARGUMENT_KIND_SHIFT;
/// Bytes to whose multiple the code begins.
const START_ALIGNMENT: u32 = 4;
/// Words to whose multiple half of a name table is filled.
const TABLE_ALIGNMENT: u32 = 4;
/// PVAR slots in a quadruple word.
const SLOTS_PER_QUAD: u32 = 2;

/// Sizes of the parts of a code block.
struct Shape {
    /// Words of half of the name table.
    table_words: u32,
    /// Word offset of the first free variable's name, 0 for none.
    free_offset: u32,
    /// Byte offset of the first instruction.
    start: u32,
    /// Cells of the whole.
    cells: u32,
}

impl Shape {
    fn of(code: &Code) -> Result<Self> {
        let published = code.published.len() as u32;
        let entries = published + code.free.len() as u32;
        // There is at least one zero cell behind the names.
        let table_words = match entries {
            0 => 0,
            _ => (2 * entries + 1).next_multiple_of(TABLE_ALIGNMENT),
        };
        let table_and_locators = match table_words {
            0 => function::NO_NAME_TABLE_WORDS,
            words => 2 * words,
        };
        let free_offset = match code.free.is_empty() {
            true => 0,
            false => function::WORDS + 2 * published,
        };
        let front = 2 * (function::WORDS + table_and_locators) + function::DEBUG_BYTES;
        let start = front.next_multiple_of(START_ALIGNMENT);
        let bytes = start as usize + code.bytes.len();
        if free_offset > 0xFF {
            return Err(LinkError::new("too many variables of other functions"));
        }
        if bytes > 0xFFFF {
            return Err(LinkError::new(format!(
                "the function has {bytes} bytes of code; at most 65535 are possible"
            )));
        }
        Ok(Self {
            table_words,
            free_offset,
            start,
            cells: bytes.div_ceil(4) as u32,
        })
    }
}

/// A code block as it lies in memory, but for what it refers to.
pub(crate) struct Layout<'c> {
    /// The contents of the block, of whole cells.
    pub bytes: Vec<u8>,
    /// References and where they are, in bytes. Each takes the bytes of an operand.
    pub fixups: Vec<(u32, Fixup<'c>)>,
}

/// What a code block refers to. Pointers are added to the bits that are there.
pub(crate) enum Fixup<'c> {
    /// A symbol, in no need of a count.
    Symbol(&'c Symbol),
    /// A constant, counted once.
    Constant(&'c Datum),
    /// A code block, counted once.
    Code(&'c Code),
    /// A closure without environment, counted once.
    Closure(&'c Code),
    /// The list of the parameters, counted once.
    Parameters(&'c [Symbol]),
}

impl<'c> Layout<'c> {
    /// Lays out a function. `type_number` knows the numbers of types.
    pub fn of<G: Generation>(
        code: &'c Code,
        type_number: impl Fn(&Symbol) -> Result<u16>,
    ) -> Result<Self> {
        let shape = Shape::of(code)?;
        let mut layout = Self {
            bytes: vec![0; 4 * shape.cells as usize],
            fixups: Vec::new(),
        };
        layout.fill_header::<G>(code, &shape);
        let debug = shape.start - function::DEBUG_BYTES;
        layout.refer_in_cell::<G>(debug, Fixup::Parameters(&code.parameters));
        layout.put(shape.start, &code.bytes);
        for reference in &code.references {
            let at = shape.start + reference.offset;
            let inside = match &reference.target {
                Target::Symbol(symbol) => layout.refer::<G>(at, Fixup::Symbol(symbol)),
                Target::Constant(datum) => layout.refer::<G>(at, Fixup::Constant(datum)),
                Target::Code(code) => layout.refer::<G>(at, Fixup::Code(code)),
                Target::Closure(code) => layout.refer::<G>(at, Fixup::Closure(code)),
                Target::Resume(offset) => {
                    layout.put(at, &(shape.start as u16 + offset).to_be_bytes())
                }
                Target::TypeWord(name) => layout.put(at, &type_number(name)?.to_be_bytes()),
                Target::TypeByte(name) => {
                    let number = type_number(name)?;
                    let byte = u8::try_from(number).map_err(|_| {
                        let message = format!("the number {number} of type {name} is too large");
                        LinkError::new(message)
                    })?;
                    layout.put(at, &[byte])
                }
            };
            if !inside {
                return Err(LinkError::new("a reference lies outside of the code"));
            }
        }
        Ok(layout)
    }

    /// Notes a reference, if there is room for it.
    fn refer<G: Generation>(&mut self, at: u32, fixup: Fixup<'c>) -> bool {
        self.fixups.push((at, fixup));
        (at + G::OPERAND_BYTES) as usize <= self.bytes.len()
    }

    /// Stores bytes, if there is room for them.
    fn put(&mut self, at: u32, bytes: &[u8]) -> bool {
        let at = at as usize;
        let room = self.bytes.get_mut(at..at + bytes.len());
        room.map(|room| room.copy_from_slice(bytes)).is_some()
    }

    /// Notes a reference from a whole cell: the pointer is its end.
    fn refer_in_cell<G: Generation>(&mut self, at: u32, fixup: Fixup<'c>) {
        self.fixups.push((at + 4 - G::OPERAND_BYTES, fixup));
    }

    fn fill_header<G: Generation>(&mut self, code: &'c Code, shape: &Shape) {
        let slots = u32::from(code.locals) + code.free.len() as u32;
        let quads = slots.div_ceil(SLOTS_PER_QUAD);
        let locals = u16::from(code.locals) << 8 | shape.free_offset as u16;
        for (offset, word) in [
            (function::STACK_MIN, code.stack_words),
            (function::ARG_COUNT, code.arguments.unwrap_or(u16::MAX)),
            (function::PVAR_QUADS, (quads as u16).wrapping_sub(1)),
            (function::START_PC, shape.start as u16),
            (function::NAME_TABLE_SIZE, shape.table_words as u16),
            (function::LOCALS, locals),
        ] {
            self.put(2 * offset, &word.to_be_bytes());
        }
        let name = 2 * function::FRAME_NAME;
        self.put(name, &argument_kind(code).to_be_bytes());
        self.refer_in_cell::<G>(name, Fixup::Symbol(&code.name));
        let published = code.published.iter().map(|published| {
            let kind = match published.is_argument {
                true => locator::ARGUMENT,
                false => locator::LOCAL,
            };
            (&published.name, kind, published.index)
        });
        let free = (code.locals..)
            .zip(&code.free)
            .map(|(slot, name)| (name, locator::FREE, slot));
        for (entry, (name, kind, index)) in (0..).zip(published.chain(free)) {
            let at = function::WORDS + 2 * entry;
            self.refer_in_cell::<G>(2 * at, Fixup::Symbol(name));
            let located = u32::from(kind) << 24 | u32::from(index);
            self.put(2 * (at + shape.table_words), &located.to_be_bytes());
        }
    }
}

/// How a function takes its arguments, as part of a cell.
fn argument_kind(code: &Code) -> u32 {
    match code.arguments {
        Some(_) => 0,
        None => NOSPREAD,
    }
}

impl<G: Generation> Linker<'_, G> {
    /// The code block of a function.
    pub(super) fn code_block(&mut self, code: &Code) -> Result<LispPtr> {
        self.make_code_block(code)
            .map_err(|error| error.in_function(code))
    }

    fn make_code_block(&mut self, code: &Code) -> Result<LispPtr> {
        let mut layout = Layout::of::<G>(code, |name| self.types.number(name))?;
        let operand = G::OPERAND_BYTES as usize;
        // What the code refers to comes first: its blocks lie in front.
        for (offset, fixup) in std::mem::take(&mut layout.fixups) {
            let object = self.referred(&fixup)?;
            if !matches!(fixup, Fixup::Symbol(_)) {
                self.m.add_ref(object);
            }
            let at = offset as usize;
            let pointer = object.0.to_be_bytes();
            for (byte, part) in layout.bytes[at..at + operand]
                .iter_mut()
                .zip(&pointer[4 - operand..])
            {
                *byte |= part;
            }
        }
        let block = self.block(layout.bytes.len() as u32 / 4, Content::Code)?;
        for (offset, &byte) in (0..).zip(&layout.bytes) {
            self.m.mem.set_byte(block, offset, byte);
        }
        Ok(block)
    }

    /// What a code block refers to.
    fn referred(&mut self, fixup: &Fixup<'_>) -> Result<LispPtr> {
        match fixup {
            Fixup::Symbol(symbol) => self.symbol(symbol),
            Fixup::Constant(datum) => self.datum(datum),
            Fixup::Code(code) => self.code_block(code),
            Fixup::Closure(code) => self.closure_of(code),
            Fixup::Parameters(names) => {
                let names: Vec<_> = names
                    .iter()
                    .map(|name| self.symbol(name))
                    .collect::<Result<_>>()?;
                Ok(self.list(&names))
            }
        }
    }

    /// A closure without environment, for functions that are not in a symbol.
    pub(super) fn closure_of(&mut self, code: &Code) -> Result<LispPtr> {
        let block = self.code_block(code)?;
        let closure = self.create(types::COMPILED_CLOSURE)?;
        self.store(closure, block);
        Ok(closure)
    }

    /// Makes `block`, the code block of `code`, the function of a symbol.
    pub(super) fn define_function(
        &mut self,
        symbol: &Symbol,
        code: &Code,
        block: LispPtr,
    ) -> Result<()> {
        let at = self.cell_of(symbol, SymbolCell::Definition)?;
        let fast = match code.published.is_empty() && code.free.is_empty() {
            true => definition::FAST,
            false => 0,
        };
        self.m.add_ref(block);
        let cell = definition::COMPILED | fast | argument_kind(code) | block.0;
        self.m.mem.set_cell(at, LispPtr(cell));
        Ok(())
    }
}
