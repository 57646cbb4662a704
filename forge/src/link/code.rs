//! Functions: code blocks, closures, definitions of symbols.

use geiko_runtime::layout::records::{definition, function, locator, types};
use geiko_runtime::layout::{Generation, SymbolCell};
use geiko_runtime::memory::LispPtr;

use super::heap::Content;
use super::{LinkError, Linker, Result};
use crate::code::{Code, Target};
use crate::datum::Symbol;

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

impl<G: Generation> Linker<'_, G> {
    /// The code block of a function.
    pub(super) fn code_block(&mut self, code: &Code) -> Result<LispPtr> {
        self.make_code_block(code)
            .map_err(|error| error.in_function(code))
    }

    fn make_code_block(&mut self, code: &Code) -> Result<LispPtr> {
        let shape = Shape::of(code)?;
        // What the code refers to comes first: its blocks lie in front.
        let targets: Vec<_> = code
            .references
            .iter()
            .map(|reference| self.target(&reference.target, shape.start))
            .collect::<Result<_>>()?;
        let parameters: Vec<_> = code
            .parameters
            .iter()
            .map(|name| self.symbol(name))
            .collect::<Result<_>>()?;
        let parameters = self.list(&parameters);
        let block = self.block(shape.cells, Content::Code)?;
        self.fill_header(code, &shape, block)?;
        let debug = block.add((shape.start - function::DEBUG_BYTES) / 2);
        self.store(debug, parameters);
        let mem = self.m.mem;
        let at = |offset: usize| (shape.start as usize + offset) as i32;
        for (offset, &byte) in code.bytes.iter().enumerate() {
            mem.set_byte(block, at(offset), byte);
        }
        for (reference, (bytes, counted)) in code.references.iter().zip(&targets) {
            let place = reference.offset as usize;
            if place + bytes.len() > code.bytes.len() {
                return Err(LinkError::new("a reference lies outside of the code"));
            }
            for (index, &byte) in bytes.iter().enumerate() {
                mem.set_byte(block, at(place + index), byte);
            }
            if let Some(object) = *counted {
                self.m.add_ref(object);
            }
        }
        Ok(block)
    }

    /// The bytes of an operand, and the object that is counted.
    fn target(&mut self, target: &Target, start: u32) -> Result<(Vec<u8>, Option<LispPtr>)> {
        let pointer = |object: LispPtr| {
            let skipped = 4 - G::OPERAND_BYTES as usize;
            object.0.to_be_bytes()[skipped..].to_vec()
        };
        Ok(match target {
            Target::Symbol(symbol) => (pointer(self.symbol(symbol)?), None),
            Target::Constant(datum) => {
                let object = self.datum(datum)?;
                (pointer(object), Some(object))
            }
            Target::Code(code) => {
                let block = self.code_block(code)?;
                (pointer(block), Some(block))
            }
            Target::Closure(code) => {
                let closure = self.closure_of(code)?;
                (pointer(closure), Some(closure))
            }
            Target::Resume(offset) => {
                let place = start as u16 + offset;
                (place.to_be_bytes().to_vec(), None)
            }
            Target::TypeByte(name) => {
                let number = self.types.number(name)?;
                let byte = u8::try_from(number).map_err(|_| {
                    LinkError::new(format!("the number {number} of type {name} is too large"))
                })?;
                (vec![byte], None)
            }
            Target::TypeWord(name) => (self.types.number(name)?.to_be_bytes().to_vec(), None),
        })
    }

    fn fill_header(&mut self, code: &Code, shape: &Shape, block: LispPtr) -> Result<()> {
        let slots = u32::from(code.locals) + code.free.len() as u32;
        let quads = slots.div_ceil(SLOTS_PER_QUAD);
        let name = self.symbol(&code.name)?;
        let kind = match code.arguments {
            Some(_) => 0,
            None => NOSPREAD,
        };
        let mem = self.m.mem;
        let word = |offset, value| mem.set_word(block.add(offset), value);
        word(function::STACK_MIN, code.stack_words);
        word(function::ARG_COUNT, code.arguments.unwrap_or(u16::MAX));
        word(function::PVAR_QUADS, (quads as u16).wrapping_sub(1));
        word(function::START_PC, shape.start as u16);
        mem.set_cell(block.add(function::FRAME_NAME), LispPtr(kind | name.0));
        word(function::NAME_TABLE_SIZE, shape.table_words as u16);
        let locals = u16::from(code.locals) << 8 | shape.free_offset as u16;
        word(function::LOCALS, locals);
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
        let entries: Vec<_> = published.chain(free).collect();
        for (entry, (name, kind, index)) in (0..).zip(entries) {
            let name = self.symbol(name)?;
            let at = block.add(function::WORDS + 2 * entry);
            mem.set_cell(at, name);
            let located = u32::from(kind) << 24 | u32::from(index);
            mem.set_cell(at.add(shape.table_words), LispPtr(located));
        }
        Ok(())
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
        let kind = match code.arguments {
            Some(_) => 0,
            None => NOSPREAD,
        };
        let fast = match code.published.is_empty() && code.free.is_empty() {
            true => definition::FAST,
            false => 0,
        };
        self.m.add_ref(block);
        let cell = definition::COMPILED | fast | kind | block.0;
        self.m.mem.set_cell(at, LispPtr(cell));
        Ok(())
    }
}
