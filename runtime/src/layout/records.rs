//! Layouts of the records that the machine reads and writes: offsets in words.

/// Frame extensions (`reference/processor.md` section 6).
pub mod frame {
    /// Flags and use count.
    pub const FLAGS: u16 = 0;
    /// Access link; bit 0 set = slow frame.
    pub const ALINK: u16 = 1;
    /// Function header pointer (a frame pointer cell).
    pub const FUNCTION: u16 = 2;
    /// Stack offset of the block behind this frame.
    pub const NEXT_BLOCK: u16 = 4;
    /// Byte offset in the function where execution resumes.
    pub const PC: u16 = 5;
    /// Name table pointer (a frame pointer cell).
    pub const NAME_TABLE: u16 = 6;
    /// Basic frame, in slow frames.
    pub const BLINK: u16 = 8;
    /// Control link, in slow frames.
    pub const CLINK: u16 = 9;
    /// Words of the fixed part; the PVAR slots follow.
    pub const WORDS: u16 = 10;
    /// Words of the padding between PVAR slots and the evaluation stack.
    pub const PADDING: u16 = 4;

    /// Flag bits of word 0.
    pub mod flag {
        /// A frame extension.
        pub const KIND: u16 = 0xC000;
        /// Set in a frame that must never be resumed.
        pub const IN_CALL: u16 = 1 << 10;
        /// The name table word is valid.
        pub const VALID_NAME_TABLE: u16 = 1 << 9;
        /// A value returned into the frame is dropped; its own top of stack is
        /// in memory.
        pub const NO_PUSH: u16 = 1 << 8;
        /// Use count, references less one.
        pub const USE_COUNT: u16 = 0xFF;
    }
}

/// Kinds of stack blocks: the top three bits of the first word.
pub mod block {
    /// Mask of the kind.
    pub const KIND: u16 = 0xE000;
    /// Basic frame cell.
    pub const BASIC_FRAME: u16 = 0x8000;
    /// Free block; the next word is its size.
    pub const FREE: u16 = 0xA000;
    /// Frame extension.
    pub const FRAME: u16 = 0xC000;
    /// Guard block; the next word is its size.
    pub const GUARD: u16 = 0xE000;
    /// Bit of a basic frame cell: a stand-in before a moved frame.
    pub const RESIDUAL: u16 = 1 << 9;
    /// Bit of a basic frame cell: one padding cell before it.
    pub const PADDED: u16 = 1 << 8;
}

/// Function headers (`reference/processor.md` section 7).
pub mod function {
    /// Words that must be free on the stack between two checks.
    pub const STACK_MIN: u32 = 0;
    /// Number of arguments, negative for any number.
    pub const ARG_COUNT: u32 = 1;
    /// PVAR quad-words less one.
    pub const PVAR_QUADS: u32 = 2;
    /// Byte offset of the first instruction.
    pub const START_PC: u32 = 3;
    /// Flags and the frame name (a cell).
    pub const FRAME_NAME: u32 = 4;
    /// Words of each half of the name table.
    pub const NAME_TABLE_SIZE: u32 = 6;
    /// Locals (high byte) and offset of the first free variable name (low byte).
    pub const LOCALS: u32 = 7;
    /// Words of the header; the name table follows.
    pub const WORDS: u32 = 8;
    /// Words in the place of a name table that a function does not have.
    pub const NO_NAME_TABLE_WORDS: u32 = 4;
    /// Bytes in front of the first instruction that hold debugging information
    /// (a cell).
    pub const DEBUG_BYTES: u32 = 4;
}

/// Definition cells of symbols (`reference/memory-map.md` section 6.2).
pub mod definition {
    /// The pointer is a code block.
    pub const COMPILED: u32 = 1 << 31;
    /// The code has no name table.
    pub const FAST: u32 = 1 << 30;
    /// Position of how the arguments are taken, two bits, here and in the cell
    /// of the frame name in function headers.
    pub const ARGUMENT_KIND_SHIFT: u32 = 28;
}

/// Kinds of entries of name tables: the top byte of the locator.
pub mod locator {
    /// Argument; the low byte is its number.
    pub const ARGUMENT: u8 = 0x00;
    /// Variable in a PVAR slot; the low byte is its number.
    pub const LOCAL: u8 = 0x80;
    /// Free variable; the low byte is the number of its PVAR slot.
    pub const FREE: u8 = 0xC0;
}

/// The interface page, fields that are the same in both generations
/// (`reference/boot-and-traps.md` section 4).
pub mod interface {
    /// Frame to resume when the image starts.
    pub const CURRENT_FRAME: u32 = 0;
    /// Context of a hard reset.
    pub const RESET_FRAME: u32 = 1;
    /// Stack offset of the last guard block.
    pub const END_OF_STACK: u32 = 7;
    /// Version of the Lisp system.
    pub const LISP_VERSION: u32 = 8;
    /// Least microcode version.
    pub const MIN_RVERSION: u32 = 9;
    /// Least emulator version.
    pub const MIN_BVERSION: u32 = 10;
    /// Build day of the emulator.
    pub const RVERSION: u32 = 11;
    /// Kind of machine; 3 for emulators like this one.
    pub const MACHINE_TYPE: u32 = 13;
    /// Context of `\MISCAPPLY*`.
    pub const MISC_FRAME: u32 = 14;
    /// [`VALID_KEY`] in a valid image.
    pub const KEY: u32 = 15;
    /// Low half of a host identification.
    pub const SERIAL_NUMBER: u32 = 16;
    /// Address in segment 0 of the login name, 0 if unknown.
    pub const USER_NAME: u32 = 28;
    /// Start of the user stack.
    pub const STACK_BASE: u32 = 30;
    /// Keyboard (bits 2..0) and display (bits 6..3) type.
    pub const DEVICE_CONFIG: u32 = 33;
    /// Storage state at the last save.
    pub const STORAGE_FULL_STATE: u32 = 46;
    /// Result of a call through the Misc context (a cell).
    pub const MISC_RESULT: u32 = 54;
    /// File page of the FPTOVP table, counted from 1.
    pub const FPTOVP_START: u32 = 59;
    /// Mirror of the mouse buttons.
    pub const FAKE_MOUSE_BITS: u32 = 60;
    /// 0 in an 8 MB machine, else 0xFFFF.
    pub const DL24_BIT_ADDRESSABLE: u32 = 61;
    /// 0xFFFF once the second storage region is in use.
    pub const FULL_SPACE_USED: u32 = 65;

    /// Content of [`KEY`].
    pub const VALID_KEY: u16 = 0x15E3;
}

/// Cells of the MISCSTATS block (`reference/boot-and-traps.md` section 7):
/// offsets in words.
pub mod misc_stats {
    /// Milliseconds at the start.
    pub const START_TIME: u32 = 0;
    /// User CPU milliseconds.
    pub const TOTAL_TIME: u32 = 2;
    /// System CPU milliseconds.
    pub const SWAP_WAIT_TIME: u32 = 4;
    /// Page faults.
    pub const PAGE_FAULTS: u32 = 6;
    /// Page faults that read from a disk.
    pub const SWAP_WRITES: u32 = 8;
    /// Time spent on disk operations.
    pub const DISK_IO_TIME: u32 = 10;
    /// Disk operations.
    pub const DISK_OPERATIONS: u32 = 12;
    /// Milliseconds in the collector.
    pub const GC_TIME: u32 = 16;
    /// Seconds clock.
    pub const SECONDS_CLOCK: u32 = 28;
    /// Copy of the seconds clock that user actions are stamped with.
    pub const SECONDS_TMP: u32 = 36;
    /// Time of the last user action.
    pub const LAST_USER_ACTION: u32 = 56;
    /// Cells that SUBR COPYTIMESTATS copies.
    pub const CELLS: u32 = 31;
}

/// The ring of keyboard events (`reference/boot-and-traps.md` section 14).
pub mod key_queue {
    /// The word that holds the offset of the oldest event, 0 if none.
    pub const OLDEST: u32 = 0;
    /// The word that holds the offset of the next event.
    pub const NEXT: u32 = 1;
    /// Offset of the first event.
    pub const FIRST: u16 = 2;
    /// Words of an event.
    pub const EVENT_WORDS: u16 = 14;
    /// Events the ring has room for.
    pub const EVENTS: u16 = 384;
    /// Words of the ring.
    pub const WORDS: u32 = FIRST as u32 + EVENT_WORDS as u32 * EVENTS as u32;
}

/// The I/O page (`reference/memory-map.md` section 3).
pub mod io_page {
    /// Mouse position.
    pub const MOUSE_X: u32 = 59;
    /// Mouse position, from the top.
    pub const MOUSE_Y: u32 = 60;
    /// Mouse buttons and keyset.
    pub const UTIL_IN: u32 = 61;
    /// First of six key state words.
    pub const KEYBOARD: u32 = 62;
    /// Cursor position.
    pub const CURSOR_X: u32 = 238;
    /// Cursor position, from the top.
    pub const CURSOR_Y: u32 = 239;
    /// Sixteen rows of the cursor.
    pub const CURSOR_BITMAP: u32 = 240;
}

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

/// Bitmaps (`reference/devices.md` section 1).
pub mod bitmap {
    /// First word of the top line (a cell).
    pub const BASE: u32 = 0;
    /// Words in a line.
    pub const RASTER_WIDTH: u32 = 2;
    /// Lines.
    pub const HEIGHT: u32 = 3;
    /// Pixels in a line.
    pub const WIDTH: u32 = 4;
    /// Bits of a pixel.
    pub const BITS_PER_PIXEL: u32 = 5;
}

/// Bit-block transfer tables (`reference/devices.md` section 2.1).
pub mod pilot_bbt {
    /// Destination address, low word; the high word follows.
    pub const DESTINATION: u32 = 0;
    /// Bit of the destination, counted from the address.
    pub const DESTINATION_BIT: u32 = 2;
    /// Bits from one destination line to the next (signed).
    pub const DESTINATION_STRIDE: u32 = 3;
    /// Source address, low word; the high word follows.
    pub const SOURCE: u32 = 4;
    /// Bit of the source, counted from the address.
    pub const SOURCE_BIT: u32 = 6;
    /// Bits from one source line to the next (signed).
    pub const SOURCE_STRIDE: u32 = 7;
    /// In the place of the stride for texture sources: which row comes first
    /// (bits 11..8) and the number of rows less one (bits 3..0).
    pub const TEXTURE: u32 = 7;
    /// Pixels in a line.
    pub const WIDTH: u32 = 8;
    /// Lines.
    pub const HEIGHT: u32 = 9;
    /// Flags.
    pub const FLAGS: u32 = 10;

    /// Bits of the flag word.
    pub mod flag {
        /// Last line first, and each line from right to left.
        pub const BACKWARD: u16 = 1 << 15;
        /// The source is a texture.
        pub const TEXTURE: u16 = 1 << 12;
        /// The source is complemented.
        pub const COMPLEMENT: u16 = 1 << 11;
        /// Operation: the number of bits to shift it down.
        pub const OPERATION_SHIFT: u32 = 9;
    }
}

/// Data of a display stream (`reference/devices.md` section 2.6).
pub mod display_data {
    /// Where the next character goes (a cell).
    pub const X_POSITION: u32 = 0;
    /// Added to the position to get a place in the destination (a cell).
    pub const X_OFFSET: u32 = 4;
    /// Not NIL: every character needs Lisp (a cell).
    pub const SLOW_PRINTING: u32 = 14;
    /// Words: how far each character code moves the position (a cell).
    pub const WIDTHS: u32 = 16;
    /// Words: where in the picture of the character set each code is (a cell).
    pub const OFFSETS: u32 = 18;
    /// Right margin (a cell).
    pub const RIGHT_MARGIN: u32 = 24;
    /// Left margin (a cell).
    pub const LEFT_MARGIN: u32 = 26;
    /// First pixel inside the clipping region.
    pub const CLIPPING_LEFT: u32 = 34;
    /// First pixel behind the clipping region.
    pub const CLIPPING_RIGHT: u32 = 35;
    /// Transfer table prepared for characters (a cell).
    pub const PILOT_BBT: u32 = 42;
    /// Words: how many pixels of each code are drawn (a cell).
    pub const IMAGE_WIDTHS: u32 = 48;
    /// Character set that the caches are for; the high byte of its codes
    /// (a cell, the number is in the low word).
    pub const CHARACTER_SET: u32 = 62;
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

/// Bits of the cell at `\INTERRUPTSTATE` (`reference/memory-map.md` section 12).
pub mod interrupt {
    /// The collector has given up.
    pub const GC_DISABLED: u32 = 1 << 28;
    /// The image file is nearly full.
    pub const VMEM_FULL: u32 = 1 << 27;
    /// The stack is nearly full.
    pub const STACK_OVERFLOW: u32 = 1 << 26;
    /// Storage is nearly full.
    pub const STORAGE_FULL: u32 = 1 << 25;
    /// An interrupt waits.
    pub const WAITING: u32 = 1 << 24;
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

/// Offsets in the interface page of fields that are words in Medley 2 and cells
/// in Medley 3.
#[derive(Clone, Copy, Debug)]
pub struct InterfaceFields {
    /// Last page of the configured memory.
    pub last_vmem_page: u32,
    /// Number of file pages.
    pub active_pages: u32,
    /// Memory size in megabytes.
    pub process_size: u32,
    /// The fields are cells.
    pub wide: bool,
}

/// Lisp's record of an enumeration of files, type UFSGFS (`reference/devices.md`
/// section 6.4). The fields named here are cells; numbers are not boxed.
pub mod file_generator {
    /// Number of the list.
    pub const LIST: u32 = 0;
    /// A pointer, with the flag above it.
    pub const FLAGS: u32 = 8;
    /// Flag: the attributes are wanted too.
    pub const WITH_INFO: u32 = 1 << 31;
    /// String for the name.
    pub const NAME: u32 = 14;
    /// Length in bytes.
    pub const LENGTH: u32 = 16;
    /// Time of the last change.
    pub const WRITE_DATE: u32 = 18;
    /// Time of the last read.
    pub const READ_DATE: u32 = 20;
    /// Mode bits.
    pub const PROTECTION: u32 = 22;
    /// String for the author.
    pub const AUTHOR: u32 = 24;
    /// Length of the author's name.
    pub const AUTHOR_LENGTH: u32 = 26;
}
