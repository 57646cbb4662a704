//! Medley 2.0 and 2.01: 24-bit pointers, cdr codes of 8 bits.

use super::records::{ArrayFields, ConsPage, DtdFields, InterfaceFields};
use super::{Generation, Release, SymbolCell, UNUSED};
use crate::memory::{LispPtr, Mem};

/// The generation of Medley 2.0 and 2.01.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Medley2;

impl Generation for Medley2 {
    const RELEASE: Release = Release::Medley2;
    const NAME: &'static str = "Medley 2 (24-bit pointers)";
    const POINTER_MASK: u32 = 0x00FF_FFFF;
    const MEMORY_BYTES: usize = 1 << 25;
    const OPERAND_BYTES: u32 = 3;
    const MAX_MEGABYTES: u32 = 32;
    const DEFAULT_MEGABYTES: u32 = 32;

    const INTERFACE_PAGE: LispPtr = LispPtr(0x06_0000);
    const FPTOVP: LispPtr = LispPtr(0x04_0000);
    const FPTOVP_ENTRY_WORDS: u32 = 1;
    const FPTOVP_CAPACITY: u32 = 0x1_0000;
    const MISC_STATS: LispPtr = LispPtr(0x06_0A00);
    const UFN_TABLE: LispPtr = LispPtr(0x06_0C00);
    const DTD: LispPtr = LispPtr(0x06_1000);
    const DTD_WORDS: u32 = 16;
    const DTD_CAPACITY: u32 = 1536;
    const FIRST_MDS_PAGE: u32 = 0x3FFE;
    const TYPE_TABLE: LispPtr = LispPtr(0x06_8000);
    const TYPE_TABLE_WORDS: u32 = 0x8000;
    const INDEXED_SYMBOLS: u32 = 0x1_0000;
    const ATOM_HASH: LispPtr = LispPtr(0x07_0000);
    const HT_MAIN: LispPtr = LispPtr(0x10_0000);
    const HT_BIG: LispPtr = LispPtr(0x10_8100);
    const HT_BIG_END: LispPtr = LispPtr(0x11_0000);
    const HT_COLLISION: LispPtr = LispPtr(0x11_0000);
    const HT_COLLISION_LIMIT: u32 = 0xFFF0;
    const WIDE_COUNTS: bool = false;

    const CONS_PAGE: ConsPage = ConsPage {
        header: 0,
        first: 2,
        cells: 127,
        order: 0,
        off_list: 0xFFFF,
    };
    const CDR_CODE_BITS: u32 = 8;
    const FAT_NAME: u32 = 1 << 29;

    #[inline(always)]
    fn symbol_cell(symbol: LispPtr, cell: SymbolCell) -> LispPtr {
        if symbol.segment::<Self>() == 0 {
            let table = match cell {
                SymbolCell::PrintName | SymbolCell::Package => 0x08_0000,
                SymbolCell::Value => 0x0C_0000,
                SymbolCell::Definition => 0x0A_0000,
                SymbolCell::PropertyList | SymbolCell::NameKind => 0x02_0000,
            };
            LispPtr(table + 2 * (symbol.0 & 0xFFFF))
        } else {
            symbol.masked::<Self>().add(match cell {
                SymbolCell::PrintName | SymbolCell::Package => 0,
                SymbolCell::Value => 2,
                SymbolCell::Definition => 4,
                SymbolCell::PropertyList | SymbolCell::NameKind => 6,
            })
        }
    }

    fn has_fat_name(mem: Mem<'_, Self>, symbol: LispPtr) -> bool {
        mem.cell(Self::symbol_cell(symbol, SymbolCell::PropertyList))
            .0
            >> 29
            & 1
            != 0
    }

    #[inline(always)]
    fn dtd_name(mem: Mem<'_, Self>, dtd: LispPtr) -> LispPtr {
        let high = mem.cell(dtd.add(6)).0 >> 24;
        LispPtr(high << 16 | u32::from(mem.word(dtd)))
    }

    fn set_dtd_name(mem: Mem<'_, Self>, dtd: LispPtr, name: LispPtr) {
        mem.set_word(dtd, name.lo());
        let specs = mem.cell(dtd.add(6)).0 & 0x00FF_FFFF;
        let high = name.segment::<Self>() << 24;
        mem.set_cell(dtd.add(6), LispPtr(high | specs));
    }

    const STREAM_BINABLE: u32 = 2;

    #[inline(always)]
    fn frame_pointer(cell: LispPtr) -> LispPtr {
        LispPtr(cell.0.rotate_left(16))
    }

    #[inline(always)]
    fn to_frame_pointer(pointer: LispPtr) -> LispPtr {
        LispPtr(pointer.0.rotate_left(16))
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
        (LispPtr(0x2_0000), "property lists of symbols"),
        (LispPtr(0x4_0000), "page table"),
        (LispPtr(0x5_0000), "page map"),
        (LispPtr(0x6_0000), "interface page"),
        (LispPtr(0x6_0100), UNUSED),
        (LispPtr(0x6_0200), "page map table"),
        (LispPtr(0x6_0A00), "statistics"),
        (LispPtr(0x6_0C00), "trap functions"),
        (LispPtr(0x6_0E00), UNUSED),
        (LispPtr(0x6_1000), "type descriptors"),
        (LispPtr(0x6_7000), "locked page table"),
        (LispPtr(0x6_8000), "type table"),
        (LispPtr(0x7_0000), "symbol hash table"),
        (LispPtr(0x8_0000), "print names of symbols"),
        (LispPtr(0xA_0000), "definitions of symbols"),
        (LispPtr(0xC_0000), "values of symbols"),
        (LispPtr(0xE_0000), UNUSED),
        (LispPtr(0x10_0000), "reference counts"),
        (LispPtr(0x10_8000), "large reference counts"),
        (LispPtr(0x11_0000), "reference count collisions"),
        (LispPtr(0x12_0000), "display"),
        (LispPtr(0x14_0000), "arrays and objects"),
    ];
    const DTD_FIELDS: DtdFields = DtdFields {
        size: 1,
        free: 2,
        flags_and_descriptors: 4,
        type_specs: 6,
        pointers: 8,
        old_count: 10,
        recent_count: 12,
        next_page: 13,
        type_entry: 14,
        supertype: 15,
    };
    const ARRAY_FIELDS: ArrayFields = ArrayFields {
        fill_pointer: 4,
        total_size: 5,
        bound0: 3,
        bound1: 4,
        wide: false,
    };
    const INTERFACE_FIELDS: InterfaceFields = InterfaceFields {
        last_vmem_page: 64,
        active_pages: 20,
        process_size: 45,
        wide: false,
    };
}
