//! Layouts of the records that the machine reads and writes: offsets in words.

mod display;
mod frames;
mod host;

pub use display::{bitmap, display_data, pilot_bbt};
pub use frames::{block, definition, frame, function, locator};
pub use host::{
    InterfaceFields, file_generator, interface, interrupt, io_page, key_queue, misc_stats,
};

/// Packages (`reference/memory-map.md` section 6.7): cells, as word offsets.
pub mod package {
    /// Its number.
    pub const INDEX: u32 = 0;
    /// Its name (a string).
    pub const NAME: u32 = 4;
    /// Its name (a symbol).
    pub const NAME_SYMBOL: u32 = 6;
    /// Other names (a list of strings).
    pub const NICKNAMES: u32 = 8;
    /// Symbols that are not exported (a [symbol table](super::symbol_table)).
    pub const INTERNAL_SYMBOLS: u32 = 16;
    /// Symbols that are exported.
    pub const EXTERNAL_SYMBOLS: u32 = 18;
    /// Cells of a package.
    pub const CELLS: u16 = 11;
}

/// Hash tables of the symbols of packages: cells, as word offsets.
pub mod symbol_table {
    /// Array of symbols, or a list of such arrays.
    pub const SYMBOLS: u32 = 0;
    /// Array of bytes made from the hash codes of the symbols, 0 for no symbol,
    /// or a list of such arrays.
    pub const HASHES: u32 = 2;
    /// Places in all arrays (a number).
    pub const SIZE: u32 = 4;
    /// Places that never held a symbol (a number).
    pub const FREE: u32 = 6;
    /// Places of symbols that are gone (a number).
    pub const DELETED: u32 = 8;
    /// Cells of a symbol table.
    pub const CELLS: u16 = 5;
}

/// Type table entries.
pub mod type_entry {
    /// Bits of the type number.
    pub const NUMBER: u16 = 0x07FF;
    /// Not reference counted.
    pub const NO_REF: u16 = 0x8000;
    /// Symbols.
    pub const SYMBOL: u16 = 0x4000;
    /// Integers.
    pub const INTEGER: u16 = 0x2000;
    /// Numbers.
    pub const NUMBER_P: u16 = 0x1000;
    /// Atoms in the sense of Common Lisp.
    pub const ATOM: u16 = 0x0800;
}

/// Type numbers known to the machine (`reference/processor.md` section 4).
pub mod types {
    /// Array blocks.
    pub const ARRAY_BLOCK: u16 = 0;
    /// Small integers.
    pub const SMALLP: u16 = 1;
    /// Boxed 32-bit integers.
    pub const FIXP: u16 = 2;
    /// Boxed single floats.
    pub const FLOATP: u16 = 3;
    /// Symbols of the original loadup.
    pub const LITATOM: u16 = 4;
    /// List cells.
    pub const LISTP: u16 = 5;
    /// Interlisp arrays.
    pub const ARRAYP: u16 = 6;
    /// Interlisp strings.
    pub const STRINGP: u16 = 7;
    /// Stack pointers.
    pub const STACKP: u16 = 8;
    /// Characters.
    pub const CHARACTER: u16 = 9;
    /// Buffers of one page.
    pub const VMEMPAGEP: u16 = 10;
    /// Streams.
    pub const STREAM: u16 = 11;
    /// Bitmaps.
    pub const BITMAP: u16 = 12;
    /// Closures: code block and environment.
    pub const COMPILED_CLOSURE: u16 = 13;
    /// One-dimensional arrays and strings of Common Lisp.
    pub const ONED_ARRAY: u16 = 14;
    /// Two-dimensional arrays.
    pub const TWOD_ARRAY: u16 = 15;
    /// Other arrays.
    pub const GENERAL_ARRAY: u16 = 16;
    /// Large integers.
    pub const BIGNUM: u16 = 17;
    /// Ratios.
    pub const RATIO: u16 = 18;
    /// Complex numbers.
    pub const COMPLEX: u16 = 19;
    /// Path names.
    pub const PATHNAME: u16 = 20;
    /// Symbols made later, one record each.
    pub const NEW_ATOM: u16 = 21;
    /// First type of hunks of pointers.
    pub const POINTER_HUNK_FIRST: u16 = 31;
    /// First type of hunks without pointers.
    pub const RAW_HUNK_FIRST: u16 = 44;
    /// First code hunk type.
    pub const CODE_HUNK_FIRST: u16 = 64;
    /// Last code hunk type.
    pub const CODE_HUNK_LAST: u16 = 73;
}

/// Headers of one-dimensional arrays, what is the same in both generations.
pub mod array_header {
    /// Elements (a cell).
    pub const BASE: u32 = 0;
    /// Flags in the high byte, element type in the low byte.
    pub const TYPE: u32 = 2;
    /// Elements between the base and element 0.
    pub const OFFSET: u32 = 3;
}

/// Element type codes of arrays: the high nibble is the kind, the low one the
/// logarithm of the size in bits (6 for 32 bits).
pub mod element {
    use crate::isa::sub_opcodes::ElementType;

    /// Bit, the most significant bit of a byte first.
    pub const BIT: u16 = ElementType::Bit as u16;
    /// Unsigned byte.
    pub const UNSIGNED_8: u16 = ElementType::Unsigned8 as u16;
    /// Unsigned word.
    pub const UNSIGNED_16: u16 = ElementType::Unsigned16 as u16;
    /// Signed word.
    pub const SIGNED_16: u16 = ElementType::Signed16 as u16;
    /// Signed cell.
    pub const SIGNED_32: u16 = ElementType::Signed32 as u16;
    /// Counted pointer.
    pub const POINTER: u16 = ElementType::Pointer as u16;
    /// Single float.
    pub const FLOAT: u16 = ElementType::Float32 as u16;
    /// Character code of a byte.
    pub const CHARACTER_8: u16 = ElementType::Char8 as u16;
    /// Character code of a word.
    pub const CHARACTER_16: u16 = ElementType::Char16 as u16;
    /// Uncounted pointer.
    pub const XPOINTER: u16 = ElementType::Xpointer as u16;
}

/// Flag bits in the high byte of the word that holds an array's element type.
pub mod array_flag {
    /// Bit vector.
    pub const BIT: u16 = 1 << 13;
    /// String.
    pub const STRING: u16 = 1 << 12;
}

/// Implicit-key hash tables, as the closure cache is: offsets in words
/// (`reference/garbage-collector.md` section 8).
pub mod hash_table {
    /// The slots (a cell).
    pub const BASE: u32 = 0;
    /// Number of slots less one.
    pub const LAST_INDEX: u32 = 2;
    /// Number of keys.
    pub const KEYS: u32 = 4;
}

/// Symbols with fixed numbers in both generations.
pub mod symbols {
    use crate::memory::LispPtr;
    /// `\EVALFORM`, called by EVAL for lists.
    pub const EVALFORM: LispPtr = LispPtr(248);
    /// `\INTERPRETER`, called for definitions that are not compiled.
    pub const INTERPRETER: LispPtr = LispPtr(256);
    /// The first number behind those that have a meaning: fixed symbols and symbols
    /// of one character.
    pub const FIRST_FREE: LispPtr = LispPtr(267);
}

/// Objects of LOOPS (Maiko src/loopsops.c; pointers, offsets in words) and its
/// caches.
pub mod loops {
    /// The class of an instance or class.
    pub const CLASS: u32 = 0;
    /// The list of names of the variables of an instance or class.
    pub const NAMES: u32 = 2;
    /// The block with the values of the variables of an instance.
    pub const VALUES: u32 = 4;
    /// The list of all superclasses of a class, the nearest first.
    pub const SUPERCLASSES: u32 = 16;
    /// The block of selectors of a class, with NIL behind the last.
    pub const SELECTORS: u32 = 22;
    /// The block of methods of a class, in the order of the selectors.
    pub const METHODS: u32 = 24;
    /// Entries of a cache, a power of two.
    pub const CACHE_ENTRIES: u32 = 1024;
    /// Words of an entry: two keys, the value, and a cell that is not used.
    pub const CACHE_ENTRY_WORDS: u32 = 8;
}

/// Array blocks (`reference/memory-map.md` section 10).
pub mod array_block {
    /// Flag word of a free block, in its header and in its trailer.
    pub const FREE: u16 = 0xAAA8;
    /// Bit of the flag word: in use.
    pub const IN_USE: u16 = 1;
    /// Bits of the flag word that have a fixed value.
    pub const PASSWORD_MASK: u16 = 0xFFF8;
    /// Bits of the flag word that say what the block holds.
    pub const CONTENT: u16 = 6;
    /// The block holds pointers.
    pub const POINTERS: u16 = 2;
    /// The block holds code.
    pub const CODE: u16 = 4;
    /// Word of the length in cells, header and trailer included.
    pub const LENGTH: u32 = 1;
    /// Words of the header and of the trailer.
    pub const HEADER_WORDS: u32 = 2;
    /// Word of the forward link of a free block (a cell).
    pub const FORWARD: u32 = 2;
    /// Word of the backward link of a free block (a cell).
    pub const BACKWARD: u32 = 4;
    /// Cells of the least block that can be linked.
    pub const MIN_CELLS: u32 = 4;
    /// Cells of the largest block.
    pub const MAX_CELLS: u32 = 0xFFFF;
    /// Cells of the least remainder when small arrays live in hunks.
    pub const MIN_CELLS_WITH_HUNKS: u32 = 66;
    /// Last of the free block buckets.
    pub const LAST_BUCKET: u32 = 30;
    /// First segment of the array space.
    pub const FIRST_SEGMENT: u32 = 19;
}

/// Geometry of cons pages (`reference/memory-map.md` section 9): words from the
/// start of the page.
#[derive(Clone, Copy, Debug)]
pub struct ConsPage {
    /// The cell that holds the number of free cells (bits 31-24) and the place of
    /// the first one (bits 23-16).
    pub header: u32,
    /// The first list cell.
    pub first: u32,
    /// Number of list cells.
    pub cells: u32,
    /// A fresh page chains its cells by this exclusive or of descending places.
    pub order: u32,
    /// Next page of a page that is not on the list of pages with free cells.
    pub off_list: u32,
}

/// Offsets in a type descriptor.
#[derive(Clone, Copy, Debug)]
pub struct DtdFields {
    /// Instance size in words (word).
    pub size: u32,
    /// First free instance (cell).
    pub free: u32,
    /// Flags and field descriptors (cell).
    pub flags_and_descriptors: u32,
    /// Type specifiers (cell).
    pub type_specs: u32,
    /// List of the word offsets of pointer fields (cell).
    pub pointers: u32,
    /// Allocations (cell).
    pub old_count: u32,
    /// Recent allocations (word).
    pub recent_count: u32,
    /// First page with free list cells, LISTP only (word or cell).
    pub next_page: u32,
    /// Type table entry of the instances (word).
    pub type_entry: u32,
    /// Supertype number, 0 for none (word).
    pub supertype: u32,
}

/// Offsets in array headers.
#[derive(Clone, Copy, Debug)]
pub struct ArrayFields {
    /// Fill pointer of one-dimensional arrays.
    pub fill_pointer: u32,
    /// Total size of one-dimensional and general arrays.
    pub total_size: u32,
    /// First bound of two-dimensional arrays.
    pub bound0: u32,
    /// Second bound of two-dimensional arrays.
    pub bound1: u32,
    /// Sizes are cells (else words).
    pub wide: bool,
}
