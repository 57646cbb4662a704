//! Medley 3.5 and 3.51: 28-bit pointers, cdr codes of 4 bits.

use super::records::{ArrayFields, ConsPage, DtdFields, InterfaceFields};
use super::{Generation, Release, SymbolCell, UNUSED};
use crate::memory::{LispPtr, Mem};

/// The generation of Medley 3.5 and 3.51.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Medley3;

/// Records of the symbols of the original loadup, 10 words each.
const SYMBOLS: u32 = 0x2C_0000;

impl Generation for Medley3 {
    const RELEASE: Release = Release::Medley3;
    const NAME: &'static str = "Medley 3 (28-bit pointers)";
    const POINTER_MASK: u32 = 0x0FFF_FFFF;
    const MEMORY_BYTES: usize = 1 << 29;
    const OPERAND_BYTES: u32 = 4;
    const MAX_MEGABYTES: u32 = 256;
    const DEFAULT_MEGABYTES: u32 = 64;

    const INTERFACE_PAGE: LispPtr = LispPtr(0x14_0000);
    const FPTOVP: LispPtr = LispPtr(0x02_0000);
    const FPTOVP_ENTRY_WORDS: u32 = 2;
    const FPTOVP_CAPACITY: u32 = 0x8_0000;
    const MISC_STATS: LispPtr = LispPtr(0x14_0A00);
    const UFN_TABLE: LispPtr = LispPtr(0x14_0C00);
    const DTD: LispPtr = LispPtr(0x14_1000);
    const DTD_WORDS: u32 = 18;
    const DTD_CAPACITY: u32 = 1365;
    const FIRST_MDS_PAGE: u32 = 0x7FFE;
    const TYPE_TABLE: LispPtr = LispPtr(0x18_0000);
    const TYPE_TABLE_WORDS: u32 = 0x4_0000;
    const INDEXED_SYMBOLS: u32 = 0x2_0000 / 10;
    const ATOM_HASH: LispPtr = LispPtr(0x15_0000);
    const HT_MAIN: LispPtr = LispPtr(0x16_0000);
    const HT_BIG: LispPtr = LispPtr(0x17_0100);
    const HT_BIG_END: LispPtr = LispPtr(0x18_0000);
    const HT_COLLISION: LispPtr = LispPtr(0x1C_0000);
    const HT_COLLISION_LIMIT: u32 = 0x7_FFF0;
    const WIDE_COUNTS: bool = true;

    const CONS_PAGE: ConsPage = ConsPage {
        header: 4,
        first: 8,
        cells: 124,
        order: 6,
        off_list: 0xFFFF_FFFF,
    };
    const CDR_CODE_BITS: u32 = 4;
    const FAT_NAME: u32 = 1 << 13;

    #[inline(always)]
    fn symbol_cell(symbol: LispPtr, cell: SymbolCell) -> LispPtr {
        let record = if symbol.segment::<Self>() == 0 {
            LispPtr(SYMBOLS + 10 * (symbol.0 & 0xFFFF))
        } else {
            symbol.masked::<Self>()
        };
        record.add(match cell {
            SymbolCell::PrintName => 0,
            SymbolCell::Value => 2,
            SymbolCell::Definition => 4,
            SymbolCell::PropertyList => 6,
            SymbolCell::Package | SymbolCell::NameKind => 8,
        })
    }

    fn has_fat_name(mem: Mem<'_, Self>, symbol: LispPtr) -> bool {
        let flags = Self::symbol_cell(symbol, SymbolCell::PrintName).add(8);
        mem.cell(flags).0 >> 13 & 1 != 0
    }

    #[inline(always)]
    fn dtd_name(mem: Mem<'_, Self>, dtd: LispPtr) -> LispPtr {
        mem.cell(dtd).masked::<Self>()
    }

    fn set_dtd_name(mem: Mem<'_, Self>, dtd: LispPtr, name: LispPtr) {
        mem.set_cell(dtd, name.masked::<Self>());
    }

    const STREAM_BINABLE: u32 = 10;

    #[inline(always)]
    fn frame_pointer(cell: LispPtr) -> LispPtr {
        cell
    }

    #[inline(always)]
    fn to_frame_pointer(pointer: LispPtr) -> LispPtr {
        pointer
    }

    const REGIONS: &'static [(LispPtr, &'static str)] = &[
        (LispPtr(0), UNUSED),
        (LispPtr(0x0100), "I/O control blocks"),
        (LispPtr(0x0200), UNUSED),
        (LispPtr(0xDA00), "user name and password"),
        (LispPtr(0xDB00), UNUSED),
        (LispPtr(0xDC00), "emulator zone"),
        (LispPtr(0xDE00), UNUSED),
        (LispPtr(0xDF00), "swap buffer"),
        (LispPtr(0xE000), UNUSED),
        (LispPtr(0xFF00), "I/O page"),
        (LispPtr(0x1_0000), "stack"),
        (LispPtr(0x2_0000), "page table"),
        (LispPtr(0x12_0000), "display"),
        (LispPtr(0x14_0000), "interface page"),
        (LispPtr(0x14_0100), UNUSED),
        (LispPtr(0x14_0200), "page map table"),
        (LispPtr(0x14_0A00), "statistics"),
        (LispPtr(0x14_0C00), "trap functions"),
        (LispPtr(0x14_0E00), UNUSED),
        (LispPtr(0x14_1000), "type descriptors"),
        (LispPtr(0x14_7000), "locked page table"),
        (LispPtr(0x14_8000), UNUSED),
        (LispPtr(0x15_0000), "symbol hash table"),
        (LispPtr(0x16_0000), "reference counts"),
        (LispPtr(0x17_0000), "large reference counts"),
        (LispPtr(0x18_0000), "type table"),
        (LispPtr(0x1C_0000), "reference count collisions"),
        (LispPtr(0x2C_0000), "symbols"),
        (LispPtr(0x2E_0000), "arrays and objects"),
    ];
    const DTD_FIELDS: DtdFields = DtdFields {
        size: 3,
        free: 4,
        flags_and_descriptors: 6,
        type_specs: 8,
        pointers: 10,
        old_count: 12,
        recent_count: 2,
        next_page: 14,
        type_entry: 16,
        supertype: 17,
    };
    const ARRAY_FIELDS: ArrayFields = ArrayFields {
        fill_pointer: 4,
        total_size: 6,
        bound0: 4,
        bound1: 6,
        wide: true,
    };
    const INTERFACE_FIELDS: InterfaceFields = InterfaceFields {
        last_vmem_page: 80,
        active_pages: 82,
        process_size: 86,
        wide: true,
    };
}
