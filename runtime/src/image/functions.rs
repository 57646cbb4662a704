//! Compiled functions: who is defined by what, and what a code block says about
//! itself (`reference/processor.md` section 7).
//!
//! A code block is a header of eight words, a name table, a second name table
//! for debuggers only, a cell of debugging information, and the instructions. Name
//! tables have two halves: cells with names up to a zero cell, and cells that
//! say in the same order which argument or slot the name is for. The second
//! half of the table for debuggers may end in the cell of debugging information.

use super::instances::Instances;
use super::objects::type_number;
use super::symbols::Names;
use crate::layout::records::{array_block, definition, function, locator, types};
use crate::layout::{Generation, SymbolCell};
use crate::memory::{LispPtr, Mem};

/// Most bytes of a code block that an instruction address can reach.
const MAX_CODE_BYTES: u32 = 0x1_0000;

/// How a function takes its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgumentKind {
    /// So many, evaluated.
    Lambda,
    /// So many, not evaluated.
    NLambda,
    /// Any number, evaluated.
    LambdaNoSpread,
    /// The list of them, not evaluated.
    NLambdaNoSpread,
}

impl ArgumentKind {
    /// Of the cell of a definition or of a frame name.
    fn of(cell: LispPtr) -> Self {
        match cell.0 >> definition::ARGUMENT_KIND_SHIFT & 3 {
            0 => Self::Lambda,
            1 => Self::NLambda,
            2 => Self::LambdaNoSpread,
            _ => Self::NLambdaNoSpread,
        }
    }
}

/// A symbol with a compiled definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The symbol.
    pub symbol: LispPtr,
    /// Its code block.
    pub code: LispPtr,
    /// How it takes its arguments, by the definition cell.
    pub arguments: ArgumentKind,
    /// The definition is a closure, not the code itself.
    pub closure: bool,
}

impl Definition {
    /// The compiled definition of `symbol`, if it has one.
    pub fn of<G: Generation>(mem: Mem<'_, G>, symbol: LispPtr) -> Option<Self> {
        let cell = mem.cell(G::symbol_cell(symbol, SymbolCell::Definition));
        let pointer = cell.masked::<G>();
        let (code, closure) = if cell.0 & definition::COMPILED != 0 {
            (pointer, false)
        } else if type_number(mem, pointer) == types::COMPILED_CLOSURE {
            (mem.cell(pointer).masked::<G>(), true)
        } else {
            return None;
        };
        let arguments = if closure {
            CodeBlock::at(mem, code).header().arguments
        } else {
            ArgumentKind::of(cell)
        };
        Some(Self {
            symbol,
            code,
            arguments,
            closure,
        })
    }
}

/// All symbols that have a name.
pub fn symbols<G: Generation>(mem: Mem<'_, G>) -> impl Iterator<Item = LispPtr> {
    let named = move |&symbol: &LispPtr| {
        let name = mem.cell(G::symbol_cell(symbol, SymbolCell::PrintName));
        !name.masked::<G>().is_nil()
    };
    let indexed = (0..G::INDEXED_SYMBOLS).map(LispPtr);
    let records: Vec<_> = Instances::new(mem).objects(types::NEW_ATOM).collect();
    indexed.chain(records).filter(named)
}

/// All compiled definitions.
pub fn definitions<G: Generation>(mem: Mem<'_, G>) -> impl Iterator<Item = Definition> {
    symbols(mem).filter_map(move |symbol| Definition::of(mem, symbol))
}

/// The compiled definition of the symbol called `name`.
pub fn find_definition<G: Generation>(names: &Names<'_, G>, name: &str) -> Option<Definition> {
    Definition::of(names.mem(), names.find(name)?)
}

/// What a variable of a function is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Storage {
    /// Argument, by its number.
    Argument(u8),
    /// Local variable, by its PVAR slot.
    Local(u8),
    /// Free variable, by its PVAR slot.
    Free(u8),
}

/// A name in a name table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// What it is.
    pub storage: Storage,
    /// The name: a symbol.
    pub name: LispPtr,
    /// False if only debuggers know the name.
    pub special: bool,
}

/// A function header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Stack words that must be free between two checks.
    pub stack_min: u16,
    /// Number of arguments; negative for any number.
    pub argument_count: i16,
    /// Quadruple words of PVAR slots less one.
    pub pvar_quads: i16,
    /// Byte offset of the first instruction.
    pub start_pc: u16,
    /// How it takes its arguments.
    pub arguments: ArgumentKind,
    /// Name for backtraces: a symbol, or any other object.
    pub frame_name: LispPtr,
    /// Words of each half of the name table.
    pub name_table_words: u16,
    /// PVAR slots that are local variables.
    pub locals: u8,
    /// Word offset of the first free variable's name, 0 for none.
    pub free_offset: u8,
}

/// A code block in memory. Reading one is safe wherever it is said to be.
#[derive(Clone, Copy)]
pub struct CodeBlock<'m, G> {
    mem: Mem<'m, G>,
    address: LispPtr,
}

impl<'m, G: Generation> CodeBlock<'m, G> {
    /// The code block at `address`.
    pub fn at(mem: Mem<'m, G>, address: LispPtr) -> Self {
        Self {
            mem,
            address: address.masked::<G>(),
        }
    }

    /// Its address.
    pub fn address(&self) -> LispPtr {
        self.address
    }

    fn word(&self, offset: u32) -> u16 {
        self.mem.word(self.address.add(offset))
    }

    fn cell(&self, offset: u32) -> LispPtr {
        self.mem.cell(self.address.add(offset))
    }

    /// The header.
    pub fn header(&self) -> Header {
        let locals = self.word(function::LOCALS);
        let name = self.cell(function::FRAME_NAME);
        Header {
            stack_min: self.word(function::STACK_MIN),
            argument_count: self.word(function::ARG_COUNT) as i16,
            pvar_quads: self.word(function::PVAR_QUADS) as i16,
            start_pc: self.word(function::START_PC),
            arguments: ArgumentKind::of(name),
            frame_name: name.masked::<G>(),
            name_table_words: self.word(function::NAME_TABLE_SIZE),
            locals: (locals >> 8) as u8,
            free_offset: locals as u8,
        }
    }

    /// The names of arguments and variables: those in the name table, then those
    /// for debuggers.
    pub fn variables(&self) -> Vec<Variable> {
        let header = self.header();
        let first_word = u32::from(header.start_pc) / 2;
        let half = u32::from(header.name_table_words);
        let mut variables = Vec::new();
        let own_end = function::WORDS + 2 * half;
        if own_end <= first_word {
            self.names(function::WORDS, half, true, &mut variables);
        }
        let start = if half == 0 {
            function::WORDS + function::NO_NAME_TABLE_WORDS
        } else {
            own_end
        };
        // Whole cells, the last of which may be debugging information.
        let cells = first_word.saturating_sub(start) / 2;
        self.names(start, cells / 2 * 2, false, &mut variables);
        variables
    }

    /// The entries of a name table with halves of `half` words.
    fn names(&self, start: u32, half: u32, special: bool, to: &mut Vec<Variable>) {
        for entry in (0..half).step_by(2) {
            let name = self.cell(start + entry).masked::<G>();
            if name.is_nil() {
                break;
            }
            let place = self.cell(start + half + entry).0;
            let number = place as u8;
            let storage = match (place >> 24) as u8 {
                locator::ARGUMENT => Storage::Argument(number),
                locator::LOCAL => Storage::Local(number),
                locator::FREE => Storage::Free(number),
                _ => continue,
            };
            to.push(Variable {
                storage,
                name,
                special,
            });
        }
    }

    /// The debugging information: a list or NIL.
    pub fn debugging_information(&self) -> LispPtr {
        let bytes = u32::from(self.header().start_pc);
        let at = bytes.saturating_sub(function::DEBUG_BYTES) / 2;
        self.cell(at).masked::<G>()
    }

    /// Byte offset of the end of the memory that belongs to the block: of its
    /// array block, or of its hunk. `None` if it is in neither.
    pub fn end(&self) -> Option<u32> {
        let number = type_number(self.mem, self.address);
        let words = match number {
            types::CODE_HUNK_FIRST..=types::CODE_HUNK_LAST => {
                let dtd = G::dtd(u32::from(number));
                u32::from(self.mem.word(dtd.add(G::DTD_FIELDS.size)))
            }
            types::ARRAY_BLOCK => {
                let header = LispPtr(self.address.0.wrapping_sub(array_block::HEADER_WORDS));
                let flags = self.mem.word(header);
                if flags & array_block::PASSWORD_MASK != array_block::FREE {
                    return None;
                }
                let cells = u32::from(self.mem.word(header.add(array_block::LENGTH)));
                (2 * cells).checked_sub(2 * array_block::HEADER_WORDS)?
            }
            _ => return None,
        };
        Some((2 * words).min(MAX_CODE_BYTES))
    }

    /// The code bytes from byte `from` of the block to the end of its memory, in
    /// the order in which Lisp sees them. Behind the instructions, which end in a
    /// zero, may be anything.
    pub fn bytes(&self, from: u32) -> Vec<u8> {
        let end = self.end().unwrap_or(MAX_CODE_BYTES);
        (from..end)
            .map(|at| self.mem.byte(self.address, at as i32))
            .collect()
    }

    /// The instructions, and what follows them in the memory of the block.
    pub fn code(&self) -> Vec<u8> {
        self.bytes(u32::from(self.header().start_pc))
    }
}
