//! Tests of symbol lookup on a memory with a few symbols and two packages.

use super::symbols::{Names, find_symbol};
use super::testing::with_medley;
use crate::layout::records::{element, package, symbol_table, types};
use crate::layout::{Generation, Medley2, Medley3, SymbolCell};
use crate::machine::Machine;
use crate::memory::{AddressSpace, LispPtr, Mem};
use crate::subr::{Args, Outcome};
use crate::testing::devices;

/// Where the tests put things, one unit of pages for each type.
const LISTS: u32 = 0x30_0000;
const ARRAYS: u32 = 0x30_0200;
const RECORDS: u32 = 0x30_0400;
const BOXES: u32 = 0x30_0600;
/// Print names and storage of arrays.
const BYTES: u32 = 0x32_0000;

struct World<'m, G: Generation> {
    mem: Mem<'m, G>,
    lists: u32,
    arrays: u32,
    records: u32,
    bytes: u32,
    symbols: u32,
}

impl<'m, G: Generation> World<'m, G> {
    fn new(mem: Mem<'m, G>) -> Self {
        for (address, number) in [
            (0, 0xC804),
            (LISTS, types::LISTP),
            (ARRAYS, types::ONED_ARRAY),
            (RECORDS, 90),
            (BOXES, types::FIXP),
        ] {
            mem.set_word(G::TYPE_TABLE.add(address / 512), number);
        }
        Self {
            mem,
            lists: LISTS + 8,
            arrays: ARRAYS,
            records: RECORDS,
            bytes: BYTES,
            symbols: 300,
        }
    }

    fn storage(&mut self, words: u32) -> LispPtr {
        let at = LispPtr(self.bytes);
        self.bytes += words.next_multiple_of(2) + 2;
        at
    }

    /// A symbol with a print name, at home in package number `package`.
    fn symbol(&mut self, name: &str, fat: bool, package: u32) -> LispPtr {
        let symbol = LispPtr(self.symbols);
        self.symbols += 1;
        let base = self.storage(257);
        let length = name.chars().count() as u8;
        self.mem.set_byte(base, 0, length);
        for (n, c) in (0..).zip(name.chars()) {
            if fat {
                self.mem.set_word(base.add(1 + n), c as u16);
            } else {
                self.mem.set_byte(base, 1 + n as i32, c as u8);
            }
        }
        let update = |cell, bits: u32| {
            let at = G::symbol_cell(symbol, cell);
            self.mem.set_cell(at, LispPtr(self.mem.cell(at).0 | bits));
        };
        update(SymbolCell::PrintName, base.0);
        update(SymbolCell::Package, package << 24);
        update(SymbolCell::NameKind, if fat { G::FAT_NAME } else { 0 });
        symbol
    }

    /// The hash code of a name, as `reference/memory-map.md` section 6.6 has it.
    fn hash(name: &str) -> u32 {
        let mut codes = name.chars().map(|c| c as u32 & 0xFF);
        let mut h = codes.next().unwrap_or(0) * 256;
        for c in codes {
            h = (h + (h & 4095) * 4) % 65536;
            h = (h + (h & 255) * 256 + c) % 65536;
        }
        h
    }

    /// Enters a symbol in the hash table of the original loadup.
    fn enter_old(&self, name: &str, symbol: LispPtr) {
        let mut h = Self::hash(name);
        let step = ((name.bytes().next().unwrap_or(255) as u32 ^ h) | 1) & 63;
        while self.mem.word(G::ATOM_HASH.add(h)) != 0 {
            h = (h + step) % 65536;
        }
        self.mem.set_word(G::ATOM_HASH.add(h), symbol.lo() + 1);
    }

    fn array(&mut self, kind: u16, size: u32, words: u32) -> LispPtr {
        let array = LispPtr(self.arrays);
        self.arrays += 10;
        let base = self.storage(words);
        self.mem.set_cell(array, base);
        self.mem.set_word(array.add(2), kind);
        for offset in [G::ARRAY_FIELDS.fill_pointer, G::ARRAY_FIELDS.total_size] {
            if G::ARRAY_FIELDS.wide {
                self.mem.set_cell(array.add(offset), LispPtr(size));
            } else {
                self.mem.set_word(array.add(offset), size as u16);
            }
        }
        array
    }

    fn string(&mut self, text: &str) -> LispPtr {
        let length = text.len() as u32;
        let string = self.array(element::CHARACTER_8, length, length);
        let base = self.mem.cell(string);
        for (n, byte) in (0..).zip(text.bytes()) {
            self.mem.set_byte(base, n, byte);
        }
        string
    }

    /// A list, each cell's cdr in a cell of its own or at the next place.
    fn list(&mut self, elements: &[LispPtr]) -> LispPtr {
        let first = LispPtr(self.lists);
        for (n, element) in elements.iter().enumerate() {
            let at = LispPtr(self.lists);
            self.lists += 2;
            let code = if n + 1 == elements.len() {
                G::CDR_NIL
            } else if G::CDR_CODE_BITS == 8 {
                G::CDR_NIL + (self.lists & 0xFF) / 2
            } else {
                G::CDR_NIL + 1
            };
            self.mem
                .set_cell(at, LispPtr(element.0 | code << G::CDR_SHIFT));
        }
        first
    }

    /// A pair of arrays of a symbol table with `size` places. Symbols that come
    /// too late for it are left out.
    fn table_arrays(&mut self, size: u32, symbols: &[(&str, LispPtr)]) -> (LispPtr, LispPtr) {
        let table = self.array(element::UNSIGNED_16, size, size);
        let hashes = self.array(element::UNSIGNED_8, size, size);
        for (name, symbol) in symbols {
            let h = Self::hash(name);
            let length = name.chars().count() as u32;
            let byte = (length ^ h ^ (h >> 8) ^ (h >> 16) ^ (h >> 19)) % 254 + 2;
            let (mut i, step) = (h % size, h % (size - 2) + 1);
            let bytes = self.mem.cell(hashes);
            while self.mem.byte(bytes, i as i32) != 0 {
                i = (i + step) % size;
            }
            self.mem.set_byte(bytes, i as i32, byte as u8);
            self.mem.set_word(self.mem.cell(table).add(i), symbol.lo());
        }
        (table, hashes)
    }

    fn record(&mut self, cells: &[(u32, LispPtr)]) -> LispPtr {
        let record = LispPtr(self.records);
        self.records += 24;
        for &(offset, value) in cells {
            self.mem.set_cell(record.add(offset), value);
        }
        record
    }

    /// A symbol table with two pairs of arrays.
    fn table(&mut self, first: &[(&str, LispPtr)], second: &[(&str, LispPtr)]) -> LispPtr {
        let (table1, hashes1) = self.table_arrays(7, first);
        let (table2, hashes2) = self.table_arrays(13, second);
        let tables = self.list(&[table1, table2]);
        let hashes = self.list(&[hashes1, hashes2]);
        self.record(&[
            (symbol_table::SYMBOLS, tables),
            (symbol_table::HASHES, hashes),
        ])
    }
}

/// Packages SYSTEM (1) with nickname SYS, and INTERLISP (2).
fn with_world<G: Generation>(test: impl FnOnce(&Names<'_, G>, LispPtr)) {
    let space = AddressSpace::<G>::reserve().unwrap();
    let mut w = World::new(space.view());
    let variable = w.symbol("*PACKAGE-FROM-INDEX*", false, 2);
    w.enter_old("*PACKAGE-FROM-INDEX*", variable);
    for name in ["ALPHA", "ALPHA2", "ALPHA3", ""] {
        let symbol = w.symbol(name, false, 2);
        w.enter_old(name, symbol);
    }
    let fat = w.symbol("\u{3b1}\u{3b2}", true, 2);
    w.enter_old("\u{3b1}\u{3b2}", fat);
    let names = ["ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN"];
    let symbols: Vec<_> = names
        .iter()
        .map(|name| (*name, w.symbol(name, false, 1)))
        .collect();
    // Some names fill most places of the first pair.
    let external = w.table(&symbols[..3], &symbols[3..5]);
    let internal = w.table(&[], &symbols[5..]);
    let name = w.string("SYSTEM");
    let nickname = w.string("SYS");
    let nicknames = w.list(&[nickname]);
    let system = w.record(&[
        (package::NAME, name),
        (package::NICKNAMES, nicknames),
        (package::EXTERNAL_SYMBOLS, external),
        (package::INTERNAL_SYMBOLS, internal),
    ]);
    let late = w.symbol("LATE", false, 2);
    let internal = w.table(&[("LATE", late)], &[]);
    let name = w.string("INTERLISP");
    let interlisp = w.record(&[(package::NAME, name), (package::INTERNAL_SYMBOLS, internal)]);
    let packages = w.array(element::POINTER, 4, 8);
    let base = w.mem.cell(packages);
    w.mem.set_cell(base.add(2), system);
    w.mem.set_cell(base.add(4), interlisp);
    w.mem
        .set_cell(G::symbol_cell(variable, SymbolCell::Value), packages);
    test(&Names::new(w.mem), external);
}

fn lookups<G: Generation>() {
    with_world::<G>(|names, _| {
        let packages: Vec<_> = names
            .packages()
            .iter()
            .map(|p| (p.number, p.name.as_str()))
            .collect();
        assert_eq!(packages, [(1, "SYSTEM"), (2, "INTERLISP")]);
        for (name, shown) in [
            ("ALPHA", "ALPHA"),
            ("ALPHA3", "ALPHA3"),
            ("", ""),
            ("\u{3b1}\u{3b2}", "\u{3b1}\u{3b2}"),
            ("LATE", "LATE"),
            ("IL:LATE", "LATE"),
            ("SI::ONE", "SI::ONE"),
            ("SYS:THREE", "SI::THREE"),
            ("SYSTEM::FIVE", "SI::FIVE"),
            ("SI::SEVEN", "SI::SEVEN"),
        ] {
            let symbol = names.find(name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(names.name(symbol), shown);
        }
        for name in ["ONE", "SI::ALPHA", "XCL:ONE", "5", "\u{1F600}", "BETA"] {
            assert_eq!(names.find(name), None, "{name}");
        }
        assert_eq!(names.find("!"), Some(LispPtr(35)));
        assert_eq!(names.find("A"), Some(LispPtr(57)));
        assert_eq!(find_symbol(names.mem(), "SI::TWO"), names.find("SI::TWO"));
        let no_symbol = LispPtr::smallpos(5);
        assert_eq!(names.print_name(no_symbol), None);
        assert_eq!(names.name(no_symbol), "#e,5");
    });
}

#[test]
fn symbols_are_found_by_name() {
    lookups::<Medley2>();
    lookups::<Medley3>();
}

fn service<G: Generation>() {
    with_world::<G>(|names, table| {
        let mem = names.mem();
        let (mut m, _) = Machine::of_image(mem, devices());
        let result = LispPtr(BOXES);
        let text = LispPtr(BYTES + 0x4000);
        for (fat, base) in [(LispPtr::NIL, text), (LispPtr::T, text.add(0x40))] {
            for (n, byte) in (0..).zip(b"xxTHREEyy") {
                if fat.is_nil() {
                    mem.set_byte(base, n, *byte);
                } else {
                    mem.set_word(base.add(n as u32), u16::from(*byte));
                }
            }
            for (length, found) in [(5, names.find("SI::THREE")), (4, None), (0, None)] {
                let args = Args::new([
                    base,
                    LispPtr::smallpos(2),
                    LispPtr::smallpos(length),
                    fat,
                    table,
                    result,
                ]);
                assert_eq!(
                    m.call_subr(145, &args),
                    Outcome::Value(found.unwrap_or(LispPtr::NIL))
                );
                let code = if found.is_some() { 3 } else { -1 };
                assert_eq!(mem.cell(result).0 as i32, code);
            }
        }
    });
}

#[test]
fn lisp_finds_symbols() {
    service::<Medley2>();
    service::<Medley3>();
}

#[test]
fn every_symbol_of_the_real_image_is_found_by_its_name() {
    with_medley(|mem, _| {
        let names = Names::new(mem);
        let mut hidden = Vec::new();
        for symbol in super::functions::symbols(mem) {
            let number = names.package_number(symbol);
            let Some(package) = names.packages().iter().find(|p| p.number == number) else {
                continue;
            };
            let name = names.print_name(symbol).unwrap();
            let found = names.find_in(package, &name);
            assert!(found.is_some(), "{name}");
            if found != Some(symbol) {
                hidden.push(name);
            }
        }
        // These are twice in package INTERLISP.
        assert_eq!(hidden, ["CL", "USER", "FASL"]);
    });
}
