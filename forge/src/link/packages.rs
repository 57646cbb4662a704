//! Packages and their tables of symbols.

use geiko_runtime::image::symbols::{old_table_places, package_table_places};
use geiko_runtime::layout::Generation;
use geiko_runtime::layout::records::{package, symbol_table};
use geiko_runtime::memory::LispPtr;

use super::atoms::codes;
use super::types::{PACKAGE, PACKAGE_TABLE};
use super::{LinkError, Linker, Result};
use crate::datum::{Package, Symbol};

/// Packages there is room for.
const MAX_PACKAGES: usize = 64;
/// Places in the table of symbols that Lisp adds.
const NEW_SYMBOLS: usize = 61;

/// The number of a package; 0 for none.
pub(super) fn number(package: Package) -> u8 {
    Package::NUMBERED
        .iter()
        .position(|&numbered| numbered == package)
        .map_or(0, |index| index as u8 + 1)
}

/// Other names by which the machine and people know a package.
const fn nicknames(package: Package) -> &'static [&'static str] {
    match package {
        Package::Interlisp => &["IL"],
        Package::Lisp => &["CL"],
        Package::System => &["SI"],
        Package::XeroxCommonLisp => &["XCL"],
        Package::Keyword | Package::Uninterned => &[],
    }
}

/// The names of packages as symbols.
pub(super) fn names() -> impl Iterator<Item = Symbol> {
    Package::NUMBERED
        .into_iter()
        .map(|package| Symbol::new(Package::Keyword, package.name()))
}

/// The least prime number that is not below `n`.
fn prime_from(n: usize) -> usize {
    let is_prime = |n: &usize| {
        (2..)
            .take_while(|d| d * d <= *n)
            .all(|d| !n.is_multiple_of(d))
    };
    (n.max(3)..).find(is_prime).unwrap_or(n)
}

impl<G: Generation> Linker<'_, G> {
    /// Makes the packages, and the hash table of the symbols that the machine
    /// looks up without a package.
    pub(super) fn make_packages(&mut self) -> Result<()> {
        let mut packages = vec![LispPtr::NIL; MAX_PACKAGES];
        for package in Package::NUMBERED {
            let index = number(package);
            let object = self.make_package(package)?;
            packages[usize::from(index)] = object;
            if package == Package::Keyword {
                let variable = Symbol::new(Package::Interlisp, "*KEYWORD-PACKAGE*");
                self.set_value(&variable, object)?;
            }
        }
        let packages = self.vector(&packages)?;
        let variable = Symbol::new(Package::Interlisp, "*PACKAGE-FROM-INDEX*");
        self.set_value(&variable, packages)?;
        for (number, codes) in self.symbols_of(Package::Interlisp)? {
            self.enter_old_symbol(number, &codes)?;
        }
        Ok(())
    }

    fn symbols_of(&self, package: Package) -> Result<Vec<(LispPtr, Vec<u16>)>> {
        self.atoms
            .all()
            .iter()
            .filter(|(_, symbol)| symbol.package == package)
            .map(|(number, symbol)| Ok((*number, codes(&symbol.name)?)))
            .collect()
    }

    fn make_package(&mut self, which: Package) -> Result<LispPtr> {
        let symbols = self.symbols_of(which)?;
        let external = self.symbol_table(&symbols, symbols.len() * 3 / 2)?;
        let internal = self.symbol_table(&[], NEW_SYMBOLS)?;
        let name = self.string(which.name())?;
        let symbol = self.symbol(&Symbol::new(Package::Keyword, which.name()))?;
        let nicknames: Vec<_> = nicknames(which)
            .iter()
            .map(|nickname| self.string(nickname))
            .collect::<Result<_>>()?;
        let nicknames = self.list(&nicknames);
        let object = self.create(self.types.number(&Symbol::lisp(PACKAGE))?)?;
        for (offset, value) in [
            (package::INDEX, LispPtr::smallpos(number(which).into())),
            (package::NAME, name),
            (package::NAME_SYMBOL, symbol),
            (package::NICKNAMES, nicknames),
            (package::EXTERNAL_SYMBOLS, external),
            (package::INTERNAL_SYMBOLS, internal),
        ] {
            self.store(object.add(offset), value);
        }
        Ok(object)
    }

    /// A table with a prime number of places, at least `places`.
    fn symbol_table(&mut self, symbols: &[(LispPtr, Vec<u16>)], places: usize) -> Result<LispPtr> {
        let size = prime_from(places.max(NEW_SYMBOLS));
        let mut entries = vec![LispPtr::NIL; size];
        let mut hashes = vec![0; size];
        for (symbol, codes) in symbols {
            let (mut places, hash) = package_table_places(codes, size as u32);
            let place = places.find(|&place| hashes[place as usize] == 0);
            let place = place.ok_or_else(|| LinkError::new("a table of symbols is full"))?;
            entries[place as usize] = *symbol;
            hashes[place as usize] = hash;
        }
        let entries = self.vector(&entries)?;
        let hashes = self.bytes(&hashes)?;
        let object = self.create(self.types.number(&Symbol::lisp(PACKAGE_TABLE))?)?;
        let entries = self.list(&[entries]);
        let hashes = self.list(&[hashes]);
        let number = |n: usize| LispPtr::smallpos(n as u16);
        for (offset, value) in [
            (symbol_table::SYMBOLS, entries),
            (symbol_table::HASHES, hashes),
            (symbol_table::SIZE, number(size)),
            (symbol_table::FREE, number(size - symbols.len())),
            (symbol_table::DELETED, number(0)),
        ] {
            self.store(object.add(offset), value);
        }
        Ok(object)
    }

    fn enter_old_symbol(&mut self, symbol: LispPtr, codes: &[u16]) -> Result<()> {
        let mem = self.m.mem;
        let at = old_table_places(codes)
            .map(|place| G::ATOM_HASH.add(place.into()))
            .find(|&at| mem.word(at) == 0)
            .ok_or_else(|| LinkError::new("the table of symbols is full"))?;
        mem.set_word(at, symbol.lo() + 1);
        Ok(())
    }
}
