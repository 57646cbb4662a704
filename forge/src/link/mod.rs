//! The linker: from definitions to an image file.
//!
//! A machine is set up over an empty memory, and everything is allocated and
//! counted with its own operations, as if Lisp had done it. So the linker knows
//! nothing of layouts that the runtime does not know already, and a fresh image
//! passes the audit.
//!
//! ```text
//! names ──> static part of array space: print names, tables that never move
//! types ──> type descriptors
//! definitions ──> code blocks, lists, strings, ... ──> cells of symbols
//! packages, trap functions, stack, interface page ──> page table ──> file
//! ```
//!
//! What Lisp finds:
//! - The image starts in the function `IL:\COLD-START`, which has no arguments, is
//!   called once and must not return. A hard reset enters the frame of
//!   `IL:\RESETSTACK` (or of `IL:\COLD-START`) in the context of the reset.
//! - `SI:*INITIAL-FUNCTIONS*` is a list of closures without arguments, the initial
//!   forms in order.
//! - The property list of a symbol has `SI:MACRO-FUNCTION` (a closure), `SI:SPECIAL`
//!   (T), `SI:STRUCTURE` (the number of the type); the field names of a structure are
//!   in the descriptors of its type.
//! - The cell in front of the first instruction of a function holds the list of its
//!   parameters.
//! - `LISP:PACKAGE` and `LISP:PACKAGE-HASHTABLE` are the types of packages and of
//!   their tables; a program may declare them with fields of its own names.
//!   All linked symbols are in the table of external symbols of their package.

mod atoms;
mod code;
mod collect;
mod heap;
mod packages;
mod stack;
mod system;
mod types;

#[cfg(test)]
mod tests;

use geiko_runtime::device::Devices;
use geiko_runtime::image::build;
use geiko_runtime::layout::{Generation, Medley2, Medley3, Release, SymbolCell};
use geiko_runtime::machine::Machine;
use geiko_runtime::memory::{AddressSpace, LispPtr};
use geiko_runtime::symbols::Symbols;

use crate::code::{Code, Definition};
use crate::datum::{Package, Place, Symbol};
use atoms::Atoms;
pub(crate) use code::{Fixup, Layout};
use collect::Collected;
use heap::Heap;
use types::Types;

/// Why a program cannot become an image.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{}{message}", prefix(.place.as_ref()))]
pub struct LinkError {
    /// The function that is to blame, if there is one.
    pub place: Option<Place>,
    /// What was found and what was expected.
    pub message: String,
}

fn prefix(place: Option<&Place>) -> String {
    place.map_or_else(String::new, |place| format!("{place}: "))
}

impl LinkError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            place: None,
            message: message.into(),
        }
    }

    /// Says in which function something is wrong.
    fn in_function(self, code: &Code) -> Self {
        Self {
            place: code.place.clone(),
            message: format!("in {}: {}", code.name, self.message),
        }
    }
}

type Result<T> = std::result::Result<T, LinkError>;

/// Makes the image of a program for a generation: the bytes of the file. Of several
/// functions, macros or values of a symbol the last one counts.
pub fn link(definitions: &[Definition], release: Release) -> Result<Vec<u8>> {
    match release {
        Release::Medley2 => link_in::<Medley2>(definitions),
        Release::Medley3 => link_in::<Medley3>(definitions),
    }
}

fn link_in<G: Generation>(definitions: &[Definition]) -> Result<Vec<u8>> {
    let space = AddressSpace::<G>::reserve().map_err(|error| LinkError::new(error.to_string()))?;
    let mem = space.view();
    build::blank(mem);
    let mut atoms = Atoms::new::<G>();
    let (symbols, _) = Symbols::find(mem, |name| atoms.system(name).ok());
    system::collect::<G>(&mut atoms)?;
    let collected = Collected::new(definitions);
    collected.collect(&mut atoms)?;
    let mut linker = Linker {
        m: Machine::new(mem, symbols, Devices::absent()),
        atoms,
        heap: Heap::default(),
        types: Types::default(),
    };
    linker.set_page_variables();
    linker.m.start_page_table();
    linker.make_static_part()?;
    linker.declare_types(definitions)?;
    linker.define(&collected)?;
    linker.make_packages()?;
    linker.set_variables()?;
    linker.set_trap_functions(&collected)?;
    linker.make_stack()?;
    linker.finish()
}

/// An image in the making.
struct Linker<'m, G: Generation> {
    m: Machine<'m, G>,
    atoms: Atoms,
    heap: Heap,
    types: Types,
}

impl<G: Generation> Linker<'_, G> {
    /// Stores a counted pointer; what was there is not counted.
    fn store(&mut self, at: LispPtr, object: LispPtr) {
        self.m.add_ref(object);
        self.m.mem.set_cell(at, object);
    }

    /// The symbol of the image.
    fn symbol(&mut self, symbol: &Symbol) -> Result<LispPtr> {
        self.atoms.number(symbol)
    }

    fn cell_of(&mut self, symbol: &Symbol, cell: SymbolCell) -> Result<LispPtr> {
        Ok(G::symbol_cell(self.symbol(symbol)?, cell))
    }

    /// Sets the value of a symbol.
    fn set_value(&mut self, symbol: &Symbol, value: LispPtr) -> Result<()> {
        let at = self.cell_of(symbol, SymbolCell::Value)?;
        let old = self.m.mem.cell(at);
        self.store(at, value);
        self.m.del_ref(old);
        Ok(())
    }

    /// Puts everything that is defined in its place.
    fn define(&mut self, program: &Collected<'_>) -> Result<()> {
        for (symbol, code) in program.functions() {
            let block = self.code_block(code)?;
            self.define_function(symbol, code, block)?;
        }
        for (symbol, value) in program.values() {
            let value = self.datum(value)?;
            self.set_value(symbol, value)?;
        }
        for (symbol, code) in program.macros() {
            let expander = self.closure_of(code)?;
            self.put_property(symbol, "MACRO-FUNCTION", expander)?;
        }
        for symbol in program.specials() {
            self.put_property(symbol, "SPECIAL", LispPtr::T)?;
        }
        let mut initial = Vec::new();
        for code in program.initial() {
            initial.push(self.closure_of(code)?);
        }
        let list = self.list(&initial);
        self.set_value(&Symbol::new(Package::System, "*INITIAL-FUNCTIONS*"), list)
    }

    /// Puts a property of package SYSTEM in front of those that a symbol has.
    fn put_property(&mut self, symbol: &Symbol, property: &str, value: LispPtr) -> Result<()> {
        let property = self.symbol(&Symbol::new(Package::System, property))?;
        let at = self.cell_of(symbol, SymbolCell::PropertyList)?;
        let flags = self.m.mem.cell(at).0 & !G::POINTER_MASK;
        let old = self.m.mem.cell(at).masked::<G>();
        let list = self.m.cons(value, old);
        let list = self.m.cons(property, list);
        self.m.add_ref(list);
        self.m.del_ref(old);
        self.m.mem.set_cell(at, LispPtr(flags | list.0));
        Ok(())
    }

    /// Makes the file.
    fn finish(mut self) -> Result<Vec<u8>> {
        self.finish_array_space();
        let pages = self.fixed_pages();
        self.m.finish_page_table(pages);
        if let Some(fault) = &self.m.fault {
            return Err(LinkError::new(format!("the program is too large: {fault}")));
        }
        let mut file = Vec::new();
        self.m
            .write_image(&mut file)
            .map_err(|error| LinkError::new(error.to_string()))?;
        Ok(file)
    }
}
