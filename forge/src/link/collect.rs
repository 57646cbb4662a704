//! What a program defines, and every symbol in it.

use std::collections::HashMap;

use super::Result;
use super::atoms::Atoms;
use crate::code::{Code, Definition, Structure, Target};
use crate::datum::{Cons, Datum, Package, Symbol};

/// The definitions of a program that count.
pub(super) struct Collected<'a> {
    definitions: &'a [Definition],
    /// The index of the last definition of each kind and symbol.
    last: HashMap<(Kind, &'a Symbol), usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Function,
    Macro,
    Value,
    Special,
}

fn key(definition: &Definition) -> Option<(Kind, &Symbol)> {
    match definition {
        Definition::Function(symbol, _) => Some((Kind::Function, symbol)),
        Definition::Macro(symbol, _) => Some((Kind::Macro, symbol)),
        Definition::Value(symbol, _) => Some((Kind::Value, symbol)),
        Definition::Special(symbol) => Some((Kind::Special, symbol)),
        Definition::Structure(_) | Definition::Initial(_) => None,
    }
}

impl<'a> Collected<'a> {
    /// The definitions that count among `definitions`.
    pub fn new(definitions: &'a [Definition]) -> Self {
        let last = definitions
            .iter()
            .enumerate()
            .filter_map(|(index, definition)| Some((key(definition)?, index)))
            .collect();
        Self { definitions, last }
    }

    fn counting(&self) -> impl Iterator<Item = &'a Definition> {
        self.definitions
            .iter()
            .enumerate()
            .filter(|(index, definition)| {
                key(definition).is_none_or(|key| self.last.get(&key) == Some(index))
            })
            .map(|(_, definition)| definition)
    }

    /// The functions of symbols.
    pub fn functions(&self) -> impl Iterator<Item = (&'a Symbol, &'a Code)> {
        self.counting().filter_map(|definition| match definition {
            Definition::Function(symbol, code) => Some((symbol, code)),
            _ => None,
        })
    }

    /// Whether a symbol has a function.
    pub fn has_function(&self, symbol: &Symbol) -> bool {
        self.last.contains_key(&(Kind::Function, symbol))
    }

    /// The expanders of macros.
    pub fn macros(&self) -> impl Iterator<Item = (&'a Symbol, &'a Code)> {
        self.counting().filter_map(|definition| match definition {
            Definition::Macro(symbol, code) => Some((symbol, code)),
            _ => None,
        })
    }

    /// The constant values of variables.
    pub fn values(&self) -> impl Iterator<Item = (&'a Symbol, &'a Datum)> {
        self.counting().filter_map(|definition| match definition {
            Definition::Value(symbol, value) => Some((symbol, value)),
            _ => None,
        })
    }

    /// The variables that are bound dynamically.
    pub fn specials(&self) -> impl Iterator<Item = &'a Symbol> {
        self.counting().filter_map(|definition| match definition {
            Definition::Special(symbol) => Some(symbol),
            _ => None,
        })
    }

    /// The initial forms.
    pub fn initial(&self) -> impl Iterator<Item = &'a Code> {
        self.counting().filter_map(|definition| match definition {
            Definition::Initial(code) => Some(code),
            _ => None,
        })
    }

    /// Gives every symbol of the program a number.
    pub fn collect(&self, atoms: &mut Atoms) -> Result<()> {
        for definition in self.counting() {
            match definition {
                Definition::Function(symbol, code) => {
                    atoms.number(symbol)?;
                    in_code(code, atoms).map_err(|error| error.in_function(code))?;
                }
                Definition::Macro(symbol, code) => {
                    atoms.number(symbol)?;
                    in_code(code, atoms).map_err(|error| error.in_function(code))?;
                }
                Definition::Special(symbol) => {
                    atoms.number(symbol)?;
                }
                Definition::Value(symbol, value) => {
                    atoms.number(symbol)?;
                    in_datum(value, atoms)?;
                }
                Definition::Structure(Structure { name, fields, .. }) => {
                    atoms.number(name)?;
                    for field in fields {
                        atoms.number(field)?;
                    }
                }
                Definition::Initial(code) => {
                    in_code(code, atoms).map_err(|error| error.in_function(code))?;
                }
            }
        }
        for name in [
            "*INITIAL-FUNCTIONS*",
            "MACRO-FUNCTION",
            "SPECIAL",
            "STRUCTURE",
        ] {
            atoms.number(&Symbol::new(Package::System, name))?;
        }
        Ok(())
    }
}

fn in_code(code: &Code, atoms: &mut Atoms) -> Result<()> {
    let names = code.published.iter().map(|published| &published.name);
    for symbol in [&code.name]
        .into_iter()
        .chain(&code.parameters)
        .chain(names)
        .chain(&code.free)
    {
        atoms.number(symbol)?;
    }
    for reference in &code.references {
        match &reference.target {
            Target::Symbol(symbol) => {
                atoms.number(symbol)?;
            }
            Target::Constant(datum) => in_datum(datum, atoms)?,
            Target::Code(code) | Target::Closure(code) => in_code(code, atoms)?,
            Target::Resume(_) | Target::TypeByte(_) | Target::TypeWord(_) => {}
        }
    }
    Ok(())
}

fn in_datum(datum: &Datum, atoms: &mut Atoms) -> Result<()> {
    let mut rest = datum;
    while let Datum::Cons(cons) = rest {
        let Cons { car, cdr, .. } = &**cons;
        in_datum(car, atoms)?;
        rest = cdr;
    }
    match rest {
        Datum::Symbol(symbol) => {
            atoms.number(symbol)?;
        }
        Datum::Vector(elements) => {
            for element in &**elements {
                in_datum(element, atoms)?;
            }
        }
        _ => {}
    }
    Ok(())
}
