//! Symbols: their numbers and names.
//!
//! Some numbers are fixed: NIL, NOBIND, T, two functions, and the symbols of one
//! character, which the machine computes; they belong to the user's package here.
//! All others are numbered in the order in which they turn up.

use std::collections::HashMap;

use geiko_runtime::image::symbols::one_character_symbol;
use geiko_runtime::layout::Generation;
use geiko_runtime::layout::records::symbols;
use geiko_runtime::memory::LispPtr;

use super::{LinkError, Result};
use crate::datum::{Package, Symbol};

/// Most characters of a name.
const MAX_NAME: usize = 255;

/// The symbols of the image.
pub(super) struct Atoms {
    numbers: HashMap<Symbol, LispPtr>,
    /// In the order in which they turned up.
    order: Vec<(LispPtr, Symbol)>,
    next: u32,
    /// How many symbols there are that the machine uses.
    variables: usize,
    limit: u32,
    /// No symbol may turn up any more: the print names are made.
    closed: bool,
}

impl Atoms {
    /// The symbols with fixed numbers that are not functions of one character.
    pub fn new<G: Generation>() -> Self {
        let mut atoms = Self {
            numbers: HashMap::new(),
            order: Vec::new(),
            next: symbols::FIRST_FREE.0,
            variables: 0,
            limit: G::INDEXED_SYMBOLS.min(0x1_0000),
            closed: false,
        };
        let il = |name| Symbol::new(Package::Interlisp, name);
        for (number, symbol) in [
            (LispPtr::NIL, Symbol::lisp("NIL")),
            (LispPtr::NOBIND, il("NOBIND")),
            (LispPtr::T, Symbol::lisp("T")),
            (symbols::EVALFORM, il("\\EVALFORM")),
            (symbols::INTERPRETER, il("\\INTERPRETER")),
        ] {
            atoms.insert(symbol, number);
        }
        atoms
    }

    fn insert(&mut self, symbol: Symbol, number: LispPtr) {
        self.order.push((number, symbol.clone()));
        self.numbers.insert(symbol, number);
    }

    /// The number of a symbol.
    pub fn number(&mut self, symbol: &Symbol) -> Result<LispPtr> {
        if let Some(&number) = self.numbers.get(symbol) {
            return Ok(number);
        }
        if symbol.package == Package::Interlisp && matches!(&*symbol.name, "NIL" | "T") {
            return self.number(&Symbol::lisp(&symbol.name));
        }
        if self.closed {
            return Err(LinkError::new(format!("{symbol} turned up too late")));
        }
        let codes = codes(&symbol.name)?;
        if codes.len() > MAX_NAME {
            return Err(LinkError::new(format!(
                "the name of the symbol {symbol} has {} characters; at most {MAX_NAME} are possible",
                codes.len()
            )));
        }
        let fixed = match codes[..] {
            [code] if symbol.package == Package::Lisp => one_character_symbol(code),
            _ => None,
        };
        let number = fixed.unwrap_or(LispPtr(self.next));
        if number.0 >= self.limit {
            return Err(LinkError::new(format!(
                "the program has more than {} symbols",
                self.limit
            )));
        }
        if fixed.is_none() {
            self.next += 1;
        }
        self.insert(symbol.clone(), number);
        Ok(number)
    }

    /// The number of a symbol that the machine looks up: `CAR` is in package
    /// INTERLISP, `SI::X` in SYSTEM, `XCL:X` in XEROX-COMMON-LISP.
    pub fn system(&mut self, name: &str) -> Result<LispPtr> {
        self.number(&system_symbol(name))
    }

    /// All symbols so far are variables of the machine, or at least nobody else's.
    pub fn end_variables(&mut self) {
        self.variables = self.order.len();
    }

    /// True of a variable of the machine, which must not be unbound.
    pub fn is_variable(&self, index: usize) -> bool {
        index < self.variables
    }

    /// All symbols.
    pub fn all(&self) -> &[(LispPtr, Symbol)] {
        &self.order
    }

    /// Lets no more symbols turn up.
    pub fn close(&mut self) {
        self.closed = true;
    }
}

/// The symbol that the machine calls `name`.
pub(super) fn system_symbol(name: &str) -> Symbol {
    for (prefix, package) in [("SI:", Package::System), ("XCL:", Package::XeroxCommonLisp)] {
        if let Some(name) = name.strip_prefix(prefix) {
            return Symbol::new(package, name.trim_start_matches(':'));
        }
    }
    Symbol::new(Package::Interlisp, name)
}

/// The character codes of a text.
pub(super) fn codes(text: &str) -> Result<Vec<u16>> {
    text.chars().map(code).collect()
}

/// The code of a character.
pub(super) fn code(c: char) -> Result<u16> {
    u16::try_from(u32::from(c)).map_err(|_| {
        LinkError::new(format!(
            "the character {c:?} has a code above FFFF, which Lisp does not have"
        ))
    })
}
