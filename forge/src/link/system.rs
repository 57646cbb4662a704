//! What the machine and its emulators look for in an image: variables, trap
//! functions, the interface page (`reference/boot-and-traps.md` sections 4 to 7).

use geiko_runtime::image::MemorySize;
use geiko_runtime::image::header::MEDLEY3_VERSION;
use geiko_runtime::image::start::MACHINE_TYPE;
use geiko_runtime::isa::{OPCODES, Ufn};
use geiko_runtime::layout::records::{array_block, interface, key_queue, misc_stats};
use geiko_runtime::layout::{Generation, Release, SymbolCell};
use geiko_runtime::memory::LispPtr;

use super::atoms::{Atoms, system_symbol};
use super::collect::Collected;
use super::{Linker, Result, packages, types};
use crate::datum::{Package, Symbol};

/// Where the image starts.
pub(super) const COLD_START: &str = "\\COLD-START";
/// What a hard reset enters.
pub(super) const RESET_STACK: &str = "\\RESETSTACK";
/// Trap function of what has no other.
const UNKNOWN_TRAP: &str = "\\UNKNOWN.UFN";
/// Allocations between collections.
const RECLAIM_MIN: u16 = 3000;
/// Stack offset behind which Lisp is told that the stack is nearly full, and the
/// last one.
const GUARD_STACK: u16 = 0xF000;
const LAST_STACK: u16 = 0xFFFE;
/// Version of Lisp that Medley 2.01 was made for.
const MEDLEY2_VERSION: u16 = 20100;

/// Names that other emulators look up, besides those of this machine.
const OTHER_NAMES: [&str; 14] = [
    "*PACKAGE-FROM-NAME*",
    "*KEYWORD-PACKAGE*",
    "\\CURSORDESTHEIGHT",
    "\\CURSORDESTWIDTH",
    "\\SOFTCURSORUPP",
    "\\SOFTCURSORWIDTH",
    "\\SOFTCURSORHEIGHT",
    "\\CURRENTCURSOR",
    "\\MOUSECHORDTICKS",
    "\\MACHINETYPE",
    "\\MaxTypeNumber",
    "\\NEED.HARDRESET.CLEANUP",
    "\\TIMER.INTERRUPT.PENDING",
    "\\PUNT.SLOWBLTCHAR",
];

/// Variables whose value is neither NIL nor made by the linker.
const NUMBERS: [(&str, u16); 8] = [
    ("\\RECLAIMMIN", RECLAIM_MIN),
    ("\\GuardStackAddr", GUARD_STACK),
    ("\\LastStackAddr", LAST_STACK),
    ("\\PERIODIC.INTERRUPT.FREQUENCY", 77),
    ("\\MDSFREELISTPAGE", 0),
    ("\\CURSORHOTSPOTX", 0),
    ("\\CURSORHOTSPOTY", 0),
    ("\\MACHINETYPE", MACHINE_TYPE),
];

/// What Lisp must know of the generation: variables of package SYSTEM.
fn facts<G: Generation>() -> [(&'static str, LispPtr); 7] {
    let generation = match G::RELEASE {
        Release::Medley2 => 2,
        Release::Medley3 => 3,
    };
    [
        ("*GENERATION*", LispPtr::smallpos(generation)),
        ("*INTERFACE-PAGE*", G::INTERFACE_PAGE),
        ("*STATISTICS*", G::MISC_STATS),
        ("*TYPE-TABLE*", G::TYPE_TABLE),
        ("*TYPE-DESCRIPTORS*", G::DTD),
        (
            "*TYPE-DESCRIPTOR-WORDS*",
            LispPtr::smallpos(G::DTD_WORDS as u16),
        ),
        ("*COLLISION-TABLE*", G::HT_COLLISION),
    ]
}

/// Gives the symbols that every image has numbers; those of the machine have
/// some.
pub(super) fn collect<G: Generation>(atoms: &mut Atoms) -> Result<()> {
    for name in [COLD_START, RESET_STACK, UNKNOWN_TRAP] {
        atoms.system(name)?;
    }
    for name in OTHER_NAMES {
        atoms.system(name)?;
    }
    for (name, _) in facts::<G>() {
        atoms.number(&Symbol::new(Package::System, name))?;
    }
    atoms.end_variables();
    for symbol in types::names::<G>().chain(packages::names()) {
        atoms.number(&symbol)?;
    }
    Ok(())
}

impl<G: Generation> Linker<'_, G> {
    /// Makes allocation possible.
    pub(super) fn set_page_variables(&mut self) {
        let symbols = self.m.symbols.clone();
        let start = G::REGIONS.last().map_or(LispPtr::NIL, |region| region.0);
        for (variable, page) in [
            (symbols.next_mds_page, G::FIRST_MDS_PAGE),
            (symbols.least_mds_page, G::FIRST_MDS_PAGE),
            (symbols.next_array_page, start.page()),
            (symbols.second_array_page, G::FIRST_MDS_PAGE + 2),
            (symbols.second_mds_page, 0xFFFC),
            (symbols.last_vmem_file_page, 0xFFFF),
        ] {
            let page = LispPtr::smallpos(page as u16);
            self.m.mem.set_cell(variable, page);
        }
    }

    /// The tables to which the machine keeps pointers.
    pub(super) fn make_static_tables(&mut self) {
        let mem = self.m.mem;
        let buckets = self.static_block(array_block::LAST_BUCKET + 1);
        mem.set_cell(self.m.symbols.free_block_buckets, buckets);
        let interrupts = self.static_block(array_block::MIN_CELLS - 2);
        mem.set_cell(self.m.symbols.interrupt_state, interrupts);
        let queue = self.static_block(key_queue::WORDS.div_ceil(2));
        mem.set_word(queue.add(key_queue::NEXT), key_queue::FIRST);
        mem.set_cell(self.m.symbols.keyboard_event_queue, queue);
    }

    /// Gives the variables of the machine their values, unless the program has, and
    /// begins to count allocations. Nothing may be allocated afterwards.
    pub(super) fn set_variables(&mut self) -> Result<()> {
        let flags = self.create(geiko_runtime::layout::records::types::FIXP)?;
        let second = LispPtr::from_page(G::FIRST_MDS_PAGE + 2);
        let last_action = G::MISC_STATS.add(misc_stats::LAST_USER_ACTION);
        for (name, value) in [
            ("\\MAIKO.IO-INTERRUPT-FLAGS", flags),
            ("\\ARRAYSPACE2", second),
            ("\\ArrayFrLst2", second),
            ("\\LASTUSERACTION", last_action),
            ("\\ARRAYMERGING", LispPtr::T),
            ("\\HUNKING?", LispPtr::T),
        ] {
            self.set_value(&system_symbol(name), value)?;
        }
        for (name, value) in facts::<G>() {
            self.set_value(&Symbol::new(Package::System, name), value)?;
        }
        for (name, number) in NUMBERS {
            self.set_default(name, LispPtr::smallpos(number))?;
        }
        let countdown = LispPtr::smallpos(RECLAIM_MIN);
        self.m
            .mem
            .set_cell(self.m.symbols.reclaim_countdown, countdown);
        Ok(())
    }

    fn set_default(&mut self, name: &str, value: LispPtr) -> Result<()> {
        let symbol = system_symbol(name);
        let at = self.cell_of(&symbol, SymbolCell::Value)?;
        if self.m.mem.cell(at).is_nil() {
            self.m.mem.set_cell(at, value);
        }
        Ok(())
    }

    /// Fills the table of trap functions with those that the program has.
    pub(super) fn set_trap_functions(&mut self, program: &Collected<'_>) -> Result<()> {
        let unknown = self.symbol(&system_symbol(UNKNOWN_TRAP))?;
        for info in &OPCODES {
            let found = match info.ufn {
                Some(ufn) => self.trap_function(&ufn, program)?,
                None => None,
            };
            let entry = match (found, info.ufn) {
                (Some(symbol), Some(ufn)) => {
                    let bytes = ufn.operand_bytes(G::OPERAND_BYTES);
                    symbol.0 << 16 | bytes << 8 | u32::from(ufn.arguments)
                }
                _ => unknown.0 << 16,
            };
            let at = G::UFN_TABLE.add(2 * info.opcode as u32);
            self.m.mem.set_cell(at, LispPtr(entry));
        }
        Ok(())
    }

    fn trap_function(&mut self, ufn: &Ufn, program: &Collected<'_>) -> Result<Option<LispPtr>> {
        let candidates = [Package::Interlisp, Package::Lisp];
        candidates
            .map(|package| Symbol::new(package, ufn.function))
            .iter()
            .find(|symbol| program.has_function(symbol))
            .map(|symbol| self.symbol(symbol))
            .transpose()
    }

    /// Fills the interface page.
    pub(super) fn set_interface_page(&mut self) {
        let wide = G::RELEASE == Release::Medley3;
        let version = if wide {
            MEDLEY3_VERSION
        } else {
            MEDLEY2_VERSION
        };
        for (offset, word) in [
            (interface::LISP_VERSION, version),
            (interface::MIN_BVERSION, version),
            (interface::MACHINE_TYPE, MACHINE_TYPE),
            (interface::KEY, interface::VALID_KEY),
            (interface::FAKE_MOUSE_BITS, 0xFFFF),
        ] {
            self.m.set_interface_word(offset, word);
        }
        let megabytes = G::DEFAULT_MEGABYTES;
        self.m.set_memory_size(MemorySize { megabytes });
    }

    /// The pages that are in the file beside those of allocated objects.
    pub(super) fn fixed_pages(&self) -> Vec<u32> {
        let mem = self.m.mem;
        let mut pages = self.stack_pages();
        let mut add = |from: LispPtr, words: u32| {
            pages.extend(from.page()..=from.add(words - 1).page());
        };
        let collision_words = if G::WIDE_COUNTS {
            2 * mem.cell(G::HT_COLLISION.add(2)).0
        } else {
            mem.word(G::HT_COLLISION.add(1)).into()
        };
        let count_words = if G::WIDE_COUNTS { 0x1_0000 } else { 0x8000 };
        let types = self.types.count() + 1;
        for (from, words) in [
            (G::INTERFACE_PAGE, 1),
            (G::MISC_STATS, 1),
            (G::UFN_TABLE, 512),
            (G::DTD, types * G::DTD_WORDS),
            (G::TYPE_TABLE, G::TYPE_TABLE_WORDS),
            (G::HT_MAIN, count_words),
            (G::HT_BIG, 1),
            (G::HT_COLLISION, collision_words.max(1)),
        ] {
            add(from, words);
        }
        for &(symbol, _) in self.atoms.all() {
            for cell in [
                SymbolCell::PrintName,
                SymbolCell::Value,
                SymbolCell::Definition,
                SymbolCell::PropertyList,
                SymbolCell::Package,
            ] {
                add(G::symbol_cell(symbol, cell), 2);
            }
        }
        for place in 0..0x1_0000 {
            if mem.word(G::ATOM_HASH.add(place)) != 0 {
                add(G::ATOM_HASH.add(place), 1);
            }
        }
        pages
    }
}
