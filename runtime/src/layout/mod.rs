//! Where everything lies in Lisp memory: one list of addresses and record
//! layouts for each image generation.
//!
//! Sources: `reference/processor.md` sections 2 and 4 to 7,
//! `reference/memory-map.md`. Addresses and offsets are in words unless a name
//! says otherwise.

pub mod builtin;
mod medley2;
mod medley3;
pub mod records;

pub use medley2::Medley2;
pub use medley3::Medley3;

use crate::memory::{LispPtr, Mem};

/// The stack segment.
pub const STACK: LispPtr = LispPtr(0x1_0000);
/// The I/O page: key states, mouse, cursor. Not saved in images.
pub const IO_PAGE: LispPtr = LispPtr(0xFF00);
/// The display bitmap.
pub const DISPLAY: LispPtr = LispPtr(0x12_0000);
/// Words reserved for the display bitmap.
pub const DISPLAY_WORDS: u32 = 0x2_0000;
/// Where the login name is stored for Lisp: a length byte, then the bytes.
pub const USER_NAME: LispPtr = LispPtr(0xDA01);

/// The name of the parts of [`Generation::REGIONS`] that are used for nothing.
pub const UNUSED: &str = "unused";

/// How the four cells of a symbol are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymbolCell {
    /// Package and print name.
    PrintName,
    /// Top-level value.
    Value,
    /// Function definition.
    Definition,
    /// Property list.
    PropertyList,
    /// The cell whose top byte is the number of the home package.
    Package,
    /// The cell with the bit [`Generation::FAT_NAME`].
    NameKind,
}

impl SymbolCell {
    /// The cell that the operand of the instruction ATOMCELL.N says.
    pub const fn of_operand(operand: u8) -> Option<Self> {
        Some(match operand {
            2 => Self::PropertyList,
            8 => Self::PrintName,
            10 => Self::Definition,
            12 => Self::Value,
            _ => return None,
        })
    }
}

/// The image generations as values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Release {
    /// [`Medley2`].
    Medley2,
    /// [`Medley3`].
    Medley3,
}

impl Release {
    /// Name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Medley2 => Medley2::NAME,
            Self::Medley3 => Medley3::NAME,
        }
    }
}

/// Smallest memory size an image can have, in megabytes.
pub const MIN_MEGABYTES: u32 = 8;
/// Pages in a megabyte.
pub const PAGES_PER_MEGABYTE: u32 = 2048;

/// An image generation: every fact that differs between Medley 2 and Medley 3.
///
/// The interpreter and the collectors are monomorphised over it.
pub trait Generation: Copy + Clone + std::fmt::Debug + Eq + 'static {
    /// The generation as a value.
    const RELEASE: Release;
    /// Name for people.
    const NAME: &'static str;
    /// Bits of a cell that make up a pointer.
    const POINTER_MASK: u32;
    /// Bits of a cell that make up the segment.
    const SEGMENT_MASK: u32 = Self::POINTER_MASK & 0xFFFF_0000;
    /// Bytes of the whole address space, a power of two.
    const MEMORY_BYTES: usize;
    /// Mask for byte indexes.
    const BYTE_MASK: u32 = Self::MEMORY_BYTES as u32 - 1;
    /// Bytes of an inline symbol or pointer operand.
    const OPERAND_BYTES: u32;
    /// Largest memory size an image may ask for, in megabytes.
    const MAX_MEGABYTES: u32;
    /// Memory size of an image that asks for none, in megabytes.
    const DEFAULT_MEGABYTES: u32;

    /// The interface page.
    const INTERFACE_PAGE: LispPtr;
    /// File page to virtual page table; entry 0 is unused.
    const FPTOVP: LispPtr;
    /// Words of an FPTOVP entry.
    const FPTOVP_ENTRY_WORDS: u32;
    /// Entries the FPTOVP table has room for.
    const FPTOVP_CAPACITY: u32;
    /// Counters and clocks shared with Lisp.
    const MISC_STATS: LispPtr;
    /// Trap functions by opcode.
    const UFN_TABLE: LispPtr;
    /// Type descriptors.
    const DTD: LispPtr;
    /// Words of a type descriptor.
    const DTD_WORDS: u32;
    /// Type descriptors there is room for.
    const DTD_CAPACITY: u32;
    /// First page of the first unit of typed objects; further ones lie below. The
    /// second storage region follows.
    const FIRST_MDS_PAGE: u32;
    /// Type table: one word for every 512 words of memory.
    const TYPE_TABLE: LispPtr;
    /// Words of the type table.
    const TYPE_TABLE_WORDS: u32;
    /// Symbols that are numbers, not the addresses of records, are below this.
    const INDEXED_SYMBOLS: u32;
    /// Hash table of the symbols of the original loadup.
    const ATOM_HASH: LispPtr;
    /// Main reference count table, 32768 entries.
    const HT_MAIN: LispPtr;
    /// Reference counts too large for an entry.
    const HT_BIG: LispPtr;
    /// First address behind the big-count table.
    const HT_BIG_END: LispPtr;
    /// Collision table.
    const HT_COLLISION: LispPtr;
    /// First collision table index that is never handed out.
    const HT_COLLISION_LIMIT: u32;
    /// True when a reference count entry is a whole cell (else a word).
    const WIDE_COUNTS: bool;

    /// Position of the count in a reference count entry.
    const COUNT_SHIFT: u32 = if Self::WIDE_COUNTS { 17 } else { 10 };
    /// A count of one in a reference count entry.
    const COUNT_ONE: u32 = 1 << Self::COUNT_SHIFT;
    /// Largest count an entry can hold; it says that the true count is in the
    /// big-count table.
    const COUNT_MAX: u32 = if Self::WIDE_COUNTS { 0x7FFF } else { 63 };
    /// Bit of a reference count entry: the stack refers to the object.
    const COUNT_ON_STACK: u32 = Self::COUNT_ONE >> 1;
    /// Bits of a reference count entry that hold the segment of the object.
    const COUNT_SEGMENT: u32 = if Self::WIDE_COUNTS { 0x1FFE } else { 0x1FE };

    /// Geometry of cons pages.
    const CONS_PAGE: records::ConsPage;

    /// Bits of a list cell that hold the cdr code.
    const CDR_CODE_BITS: u32;
    /// Position of the cdr code in a list cell.
    const CDR_SHIFT: u32 = 32 - Self::CDR_CODE_BITS;
    /// Cdr code of a NIL cdr; larger codes are places of the next list cell,
    /// smaller ones, except 0, places of a cell that holds the cdr. 0 marks a
    /// forwarder.
    const CDR_NIL: u32 = 1 << (Self::CDR_CODE_BITS - 1);

    /// Bit of the cell [`SymbolCell::NameKind`]: the print name has 16-bit
    /// characters.
    const FAT_NAME: u32;

    /// Address of a cell of a symbol.
    fn symbol_cell(symbol: LispPtr, cell: SymbolCell) -> LispPtr;

    /// True when the print name of `symbol` has 16-bit characters.
    fn has_fat_name(mem: Mem<'_, Self>, symbol: LispPtr) -> bool;

    /// Address of the type descriptor of type `number`.
    #[inline(always)]
    fn dtd(number: u32) -> LispPtr {
        Self::DTD.add(number * Self::DTD_WORDS)
    }

    /// The name (a symbol) of the type whose descriptor is at `dtd`.
    fn dtd_name(mem: Mem<'_, Self>, dtd: LispPtr) -> LispPtr;

    /// Names the type whose descriptor is at `dtd`; the other fields stay.
    fn set_dtd_name(mem: Mem<'_, Self>, dtd: LispPtr, name: LispPtr);

    /// Offset in words of the cell of a stream whose sign bit says that BIN may
    /// take bytes from its buffer.
    const STREAM_BINABLE: u32;

    /// A cell in a frame or FVAR slot that is stored with its halves exchanged
    /// in Medley 2 (`reference/processor.md` section 6).
    fn frame_pointer(cell: LispPtr) -> LispPtr;
    /// The inverse of [`Generation::frame_pointer`].
    fn to_frame_pointer(pointer: LispPtr) -> LispPtr;

    /// What memory is used for, from which address on, in ascending order; the
    /// last part is arrays and objects (`reference/memory-map.md` section 2).
    const REGIONS: &'static [(LispPtr, &'static str)];

    /// Field offsets of type descriptors.
    const DTD_FIELDS: records::DtdFields;
    /// Field offsets of array headers.
    const ARRAY_FIELDS: records::ArrayFields;
    /// Field offsets of the interface page that differ.
    const INTERFACE_FIELDS: records::InterfaceFields;
}
