//! Symbols by name, and names of symbols.
//!
//! Two roads lead from a name to a symbol (`reference/boot-and-traps.md` section
//! 5). The symbols of the original loadup are in one open hash table of words,
//! each the number of a symbol plus one. Lisp does not enter later symbols there;
//! these, like all others, are in the hash tables of their packages. A package's
//! table is a list of pairs of arrays, one pair for each time that it grew: one of
//! symbols, one of bytes made from the hash codes, 0 for a free place. The search
//! in a pair ends at a free place and goes on with the next pair.

use super::objects::{Array, car_cdr, character, list_elements, string, type_number};
use crate::layout::records::{package, symbol_table, types};
use crate::layout::{Generation, SymbolCell};
use crate::memory::{LispPtr, Mem};

/// Most arrays of a package's table; each is larger than the one before.
const MAX_ARRAYS: usize = 64;
/// Most packages; the number of a package is a byte.
const MAX_PACKAGES: u32 = 256;
/// Most nicknames of a package.
const MAX_NICKNAMES: usize = 16;
/// The package of names without a prefix.
const PLAIN: &str = "INTERLISP";
/// Prefixes that are short for names of packages, and how people write them with
/// a symbol.
const PREFIXES: [(&str, &str, &str); 5] = [
    ("", "KEYWORD", ":"),
    ("CL", "LISP", "CL:"),
    ("SI", "SYSTEM", "SI::"),
    ("XCL", "XEROX-COMMON-LISP", "XCL:"),
    ("IL", PLAIN, ""),
];
/// The variable that holds the packages, in the old hash table.
const PACKAGE_TABLE: &str = "*PACKAGE-FROM-INDEX*";

/// A name to look up: character codes.
#[derive(Clone, Copy)]
pub(crate) struct Name<F> {
    /// Number of characters.
    pub length: u32,
    /// The code of each.
    pub code: F,
}

impl<F: Fn(u32) -> u16> Name<F> {
    /// The hash code; it takes the low bytes of the character codes only.
    fn hash(&self) -> u16 {
        if self.length == 0 {
            return 0;
        }
        let byte = |n| (self.code)(n) & 0xFF;
        (1..self.length).fold(byte(0) << 8, |hash, n| {
            let hash = hash.wrapping_add((hash & 0x0FFF) << 2);
            hash.wrapping_add((hash & 0x00FF) << 8)
                .wrapping_add(byte(n))
        })
    }

    /// The byte in the array of bytes that stands for the symbol.
    fn byte(&self) -> u8 {
        let hash = u32::from(self.hash());
        (((self.length & 0xFFFF) ^ hash ^ hash >> 8) % 254 + 2) as u8
    }

    /// True if the symbol `symbol` has this print name.
    fn is_name_of<G: Generation>(&self, mem: Mem<'_, G>, symbol: LispPtr) -> bool {
        let name = PrintName::of(mem, symbol);
        !name.base.is_nil()
            && name.length == self.length
            && (0..self.length).all(|n| name.code(n) == (self.code)(n))
    }

    /// Finds the symbol in a hash table of a package.
    pub(crate) fn find_in_table<G: Generation>(
        &self,
        mem: Mem<'_, G>,
        table: LispPtr,
    ) -> Option<LispPtr> {
        let table = table.masked::<G>();
        if table.is_nil() {
            return None;
        }
        let mut symbols = mem.cell(table.add(symbol_table::SYMBOLS));
        let mut hashes = mem.cell(table.add(symbol_table::HASHES));
        for _ in 0..MAX_ARRAYS {
            let (Some((symbol_array, symbols_rest)), Some((hash_array, hashes_rest))) =
                (car_cdr(mem, symbols), car_cdr(mem, hashes))
            else {
                // A table that never grew may be a pair of arrays itself.
                return self.find_in_pair(mem, symbols, hashes);
            };
            let found = self.find_in_pair(mem, symbol_array, hash_array);
            if found.is_some() {
                return found;
            }
            symbols = symbols_rest;
            hashes = hashes_rest;
        }
        None
    }

    fn find_in_pair<G: Generation>(
        &self,
        mem: Mem<'_, G>,
        symbols: LispPtr,
        hashes: LispPtr,
    ) -> Option<LispPtr> {
        let symbols = Array::new(mem, symbols)?;
        let hashes = Array::new(mem, hashes)?;
        let size = symbols.total_size;
        if size < 3 {
            return None;
        }
        let wanted = u16::from(self.byte());
        for index in places(self.hash(), size) {
            let entry = hashes.get(index)?.lo();
            if entry == 0 {
                return None;
            }
            if entry == wanted {
                let symbol = symbols.get(index)?;
                let symbol = match symbol.small_value::<G>() {
                    Some(number) => LispPtr(number as u32 & 0xFFFF),
                    None => symbol,
                };
                if self.is_name_of(mem, symbol) {
                    return Some(symbol);
                }
            }
        }
        None
    }

    /// Finds the symbol in the hash table of the original loadup; symbols of one
    /// character are not there but have known numbers.
    fn find_old<G: Generation>(&self, mem: Mem<'_, G>) -> Option<LispPtr> {
        if self.length == 1 {
            return one_character_symbol((self.code)(0));
        }
        let first = match self.length {
            0 => 0xFF,
            _ => (self.code)(0) & 0xFF,
        };
        for place in old_places(self.hash(), first) {
            let entry = mem.word(G::ATOM_HASH.add(u32::from(place)));
            let symbol = LispPtr(u32::from(entry.checked_sub(1)?));
            if self.is_name_of(mem, symbol) {
                return Some(symbol);
            }
        }
        None
    }
}

/// Where a new symbol called `name` goes in the hash table of the original loadup
/// ([`Generation::ATOM_HASH`]): the places to try, in order. The entry is the
/// number of the symbol plus one.
pub fn old_table_places(name: &[u16]) -> impl Iterator<Item = u16> + use<> {
    let first = name.first().map_or(0xFF, |code| code & 0xFF);
    old_places(with_codes(name, |name| name.hash()), first)
}

/// Where a new symbol called `name` goes in a pair of arrays of a package's table,
/// of a prime number of places: the places to try, in order, and the byte for the
/// array of bytes.
pub fn package_table_places(name: &[u16], size: u32) -> (impl Iterator<Item = u32> + use<>, u8) {
    let hash = with_codes(name, |name| name.hash());
    (
        places(hash, size.max(3)),
        with_codes(name, |name| name.byte()),
    )
}

fn old_places(hash: u16, first: u16) -> impl Iterator<Item = u16> {
    let step = ((first ^ hash) | 1) & 0x3F;
    (0..=u16::MAX).map(move |n| hash.wrapping_add(n.wrapping_mul(step)))
}

fn places(hash: u16, size: u32) -> impl Iterator<Item = u32> {
    let (hash, size) = (u64::from(hash), u64::from(size));
    let step = hash % (size - 2) + 1;
    (0..size).map(move |n| ((n * step + hash) % size) as u32)
}

fn with_codes<T>(codes: &[u16], use_name: impl FnOnce(&Name<&dyn Fn(u32) -> u16>) -> T) -> T {
    let code = |n: u32| codes[n as usize];
    use_name(&Name {
        length: codes.len() as u32,
        code: &code,
    })
}

/// The symbol whose name is one character. Digits are numbers, no symbols; the
/// other numbers close up.
pub fn one_character_symbol(code: u16) -> Option<LispPtr> {
    const ZERO: u16 = b'0' as u16;
    const NINE: u16 = b'9' as u16;
    match code {
        ZERO..=NINE => None,
        0..ZERO => Some(LispPtr(u32::from(code) + 2)),
        _ if code <= 0xFF => Some(LispPtr(u32::from(code) - 8)),
        _ => None,
    }
}

/// A print name in memory: a length byte, then bytes, or from the next word on
/// words.
#[derive(Clone, Copy)]
struct PrintName<'m, G> {
    mem: Mem<'m, G>,
    base: LispPtr,
    length: u32,
    fat: bool,
}

impl<'m, G: Generation> PrintName<'m, G> {
    fn of(mem: Mem<'m, G>, symbol: LispPtr) -> Self {
        let cell = |cell| mem.cell(G::symbol_cell(symbol, cell));
        let base = cell(SymbolCell::PrintName).masked::<G>();
        Self {
            mem,
            base,
            length: if base.is_nil() {
                0
            } else {
                u32::from(mem.byte(base, 0))
            },
            fat: cell(SymbolCell::NameKind).0 & G::FAT_NAME != 0,
        }
    }

    fn code(&self, n: u32) -> u16 {
        if self.fat {
            self.mem.word(self.base.add(1 + n))
        } else {
            u16::from(self.mem.byte(self.base, 1 + n as i32))
        }
    }
}

/// A package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its number.
    pub number: u8,
    /// The package object.
    pub object: LispPtr,
    /// Its name.
    pub name: String,
    /// Other names.
    pub nicknames: Vec<String>,
}

/// The symbols of an image by name.
#[derive(Clone)]
pub struct Names<'m, G: Generation> {
    mem: Mem<'m, G>,
    packages: Vec<Package>,
}

impl<'m, G: Generation> Names<'m, G> {
    /// Reads the list of packages. Images that Lisp has not started in have none.
    pub fn new(mem: Mem<'m, G>) -> Self {
        let mut names = Self {
            mem,
            packages: Vec::new(),
        };
        let variable = with_name(PACKAGE_TABLE, |name| name.find_old(mem)).flatten();
        let packages = variable.and_then(|variable| {
            Array::new(mem, mem.cell(G::symbol_cell(variable, SymbolCell::Value)))
        });
        if let Some(packages) = packages {
            names.packages = (1..MAX_PACKAGES)
                .filter_map(|number| package(mem, number as u8, packages.get(number)?))
                .collect();
        }
        names
    }

    /// The memory.
    pub fn mem(&self) -> Mem<'m, G> {
        self.mem
    }

    /// The packages, by number.
    pub fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// Finds a symbol: `CAR`, `SI::*CLOSURE-CACHE*`, `:TEST`. A name without a
    /// prefix is one of the original loadup or of package INTERLISP.
    pub fn find(&self, name: &str) -> Option<LispPtr> {
        self.find_plain(name).or_else(|| {
            let (prefix, rest) = name.split_once(':')?;
            let rest = rest.strip_prefix(':').unwrap_or(rest);
            self.find_in(self.package(prefix)?, rest)
        })
    }

    fn find_plain(&self, name: &str) -> Option<LispPtr> {
        with_name(name, |name| name.find_old(self.mem))
            .flatten()
            .or_else(|| self.find_in(self.package(PLAIN)?, name))
    }

    /// Finds a symbol among those that a package has itself.
    pub fn find_in(&self, package: &Package, name: &str) -> Option<LispPtr> {
        with_name(name, |name| {
            [package::EXTERNAL_SYMBOLS, package::INTERNAL_SYMBOLS]
                .into_iter()
                .find_map(|table| {
                    let table = self.mem.cell(package.object.add(table));
                    name.find_in_table(self.mem, table)
                })
        })
        .flatten()
    }

    /// The package called `name`: its name, a nickname, or a usual prefix.
    pub fn package(&self, name: &str) -> Option<&Package> {
        let name = PREFIXES
            .iter()
            .find(|(prefix, ..)| *prefix == name)
            .map_or(name, |(_, name, _)| name);
        self.packages
            .iter()
            .find(|package| package.name == name || package.nicknames.iter().any(|n| n == name))
    }

    /// The print name of `symbol`, if it is a symbol that has one.
    pub fn print_name(&self, symbol: LispPtr) -> Option<String> {
        let symbol = symbol.masked::<G>();
        match type_number(self.mem, symbol) {
            types::LITATOM | types::NEW_ATOM => {}
            _ => return None,
        }
        let name = PrintName::of(self.mem, symbol);
        (!name.base.is_nil()).then(|| (0..name.length).map(|n| character(name.code(n))).collect())
    }

    /// The number of the home package of `symbol`; 0 if it has none.
    pub fn package_number(&self, symbol: LispPtr) -> u8 {
        (self.mem.cell(G::symbol_cell(symbol, SymbolCell::Package)).0 >> 24) as u8
    }

    /// The name of `symbol` for people, with a prefix unless it is of package
    /// INTERLISP. What is no symbol is shown as its address.
    pub fn name(&self, symbol: LispPtr) -> String {
        let Some(name) = self.print_name(symbol) else {
            return format!("#{symbol}");
        };
        if symbol == LispPtr::NIL || symbol == LispPtr::T {
            return name;
        }
        let number = self.package_number(symbol);
        match self.packages.iter().find(|p| p.number == number) {
            Some(package) => {
                let known = PREFIXES.iter().find(|(_, known, _)| *known == package.name);
                match known {
                    Some((_, _, prefix)) => format!("{prefix}{name}"),
                    None => format!("{}::{name}", package.name),
                }
            }
            None => name,
        }
    }
}

/// Finds a symbol by name, in an image of which nothing else is wanted.
pub fn find_symbol<G: Generation>(mem: Mem<'_, G>, name: &str) -> Option<LispPtr> {
    Names::new(mem).find(name)
}

fn package<G: Generation>(mem: Mem<'_, G>, number: u8, object: LispPtr) -> Option<Package> {
    let field = |offset| mem.cell(object.add(offset));
    Some(Package {
        number,
        object,
        name: string(mem, field(package::NAME))?,
        nicknames: list_elements(mem, field(package::NICKNAMES), MAX_NICKNAMES)
            .filter_map(|nickname| string(mem, nickname))
            .collect(),
    })
}

/// Calls `find` with a name of the host; `None` if it has characters that Lisp
/// does not have.
fn with_name<T>(name: &str, find: impl FnOnce(&Name<&dyn Fn(u32) -> u16>) -> T) -> Option<T> {
    let codes: Vec<u16> = name
        .chars()
        .map(|c| u16::try_from(u32::from(c)).ok())
        .collect::<Option<_>>()?;
    Some(with_codes(&codes, find))
}
