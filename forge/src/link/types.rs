//! Types: those with fixed numbers, those of packages, and the structures of the
//! program, in this order.

use std::collections::HashMap;

use geiko_runtime::layout::Generation;
use geiko_runtime::layout::builtin::builtin_types;
use geiko_runtime::layout::records::{package, symbol_table};
use geiko_runtime::memory::LispPtr;

use super::{LinkError, Linker, Result};
use crate::code::{Definition, Structure};
use crate::datum::{Package, Symbol};

/// Type of packages.
pub(super) const PACKAGE: &str = "PACKAGE";
/// Type of the symbol tables of packages.
pub(super) const PACKAGE_TABLE: &str = "PACKAGE-HASHTABLE";
/// Names of types with fixed numbers that belong to Common Lisp.
const LISP_NAMES: [&str; 5] = ["STREAM", "BIGNUM", "RATIO", "COMPLEX", "PATHNAME"];
/// Most words of an instance.
const MAX_WORDS: usize = 512;

/// The types of the image.
#[derive(Default)]
pub(super) struct Types {
    numbers: HashMap<Symbol, u16>,
    /// The types with fixed numbers, whatever the package of the name.
    builtin: HashMap<String, u16>,
}

/// The name of a type with a fixed number.
fn builtin_name(name: &str) -> Symbol {
    let package = if LISP_NAMES.contains(&name) {
        Package::Lisp
    } else {
        Package::Interlisp
    };
    Symbol::new(package, name)
}

/// The names that types have in every image.
pub(super) fn names<G: Generation>() -> impl Iterator<Item = Symbol> {
    let builtin = builtin_types::<G>()
        .into_iter()
        .map(|builtin| builtin_name(&builtin.name));
    builtin.chain([PACKAGE, PACKAGE_TABLE].map(Symbol::lisp))
}

impl Types {
    /// How many types there are.
    pub fn count(&self) -> u32 {
        self.numbers.len() as u32
    }

    /// The number of the type called `name`.
    pub fn number(&self, name: &Symbol) -> Result<u16> {
        self.numbers
            .get(name)
            .or_else(|| self.builtin.get(&*name.name))
            .copied()
            .ok_or_else(|| LinkError::new(format!("there is no type {name}")))
    }
}

impl<G: Generation> Linker<'_, G> {
    /// Declares all types.
    pub(super) fn declare_types(&mut self, definitions: &[Definition]) -> Result<()> {
        let builtin = builtin_types::<G>();
        let mut next = 1 + builtin.len() as u16;
        for builtin in builtin {
            let pointers: Vec<_> = builtin
                .pointers
                .iter()
                .map(|&offset| LispPtr::smallpos(offset))
                .collect();
            self.name_type(builtin.number, &builtin_name(&builtin.name), &pointers)?;
            self.types.builtin.insert(builtin.name, builtin.number);
        }
        let structures: Vec<&Structure> = definitions
            .iter()
            .filter_map(|definition| match definition {
                Definition::Structure(structure) => Some(structure),
                _ => None,
            })
            .collect();
        for (name, cells) in [
            (PACKAGE, package::CELLS),
            (PACKAGE_TABLE, symbol_table::CELLS),
        ] {
            let name = Symbol::lisp(name);
            let declared = structures.iter().find(|structure| structure.name == name);
            match declared {
                Some(structure) if structure.fields.len() != usize::from(cells) => {
                    return Err(LinkError::new(format!(
                        "the structure {name} must have {cells} fields"
                    )));
                }
                Some(structure) => self.declare_structure(next, structure)?,
                None => {
                    let fields = vec![Symbol::lisp("NIL"); usize::from(cells)];
                    let parent = None;
                    let structure = Structure {
                        name,
                        parent,
                        fields,
                    };
                    self.declare_structure(next, &structure)?;
                }
            }
            next += 1;
        }
        for structure in structures {
            if self.types.numbers.contains_key(&structure.name) {
                if matches!(&*structure.name.name, PACKAGE | PACKAGE_TABLE) {
                    continue;
                }
                return Err(LinkError::new(format!(
                    "the structure {} is defined twice",
                    structure.name
                )));
            }
            if u32::from(next) >= G::DTD_CAPACITY {
                return Err(LinkError::new("there are too many structures"));
            }
            self.declare_structure(next, structure)?;
            next += 1;
        }
        let most = LispPtr::smallpos(next - 1);
        self.set_value(&Symbol::new(Package::Interlisp, "\\MaxTypeNumber"), most)
    }

    fn declare_structure(&mut self, number: u16, structure: &Structure) -> Result<()> {
        let words = 2 * structure.fields.len();
        if words > MAX_WORDS {
            return Err(LinkError::new(format!(
                "the structure {} has {} fields; at most {} are possible",
                structure.name,
                structure.fields.len(),
                MAX_WORDS / 2
            )));
        }
        let supertype = match &structure.parent {
            Some(parent) => self.types.number(parent)?,
            None => 0,
        };
        let offsets = (0..words).step_by(2);
        let pointers: Vec<_> = offsets
            .map(|offset| LispPtr::smallpos(offset as u16))
            .collect();
        self.name_type(number, &structure.name, &pointers)?;
        let dtd = G::dtd(u32::from(number));
        let fields = G::DTD_FIELDS;
        let mem = self.m.mem;
        // An instance without fields still has an address.
        mem.set_word(dtd.add(fields.size), words.max(2) as u16);
        mem.set_word(dtd.add(fields.type_entry), number);
        mem.set_word(dtd.add(fields.supertype), supertype);
        let names: Vec<_> = structure
            .fields
            .iter()
            .map(|field| self.symbol(field))
            .collect::<Result<_>>()?;
        let names = self.list(&names);
        self.m.add_ref(names);
        let at = dtd.add(fields.flags_and_descriptors);
        let flags = mem.cell(at).0;
        mem.set_cell(at, LispPtr(flags | names.0));
        self.put_property(&structure.name, "STRUCTURE", LispPtr::smallpos(number))
    }

    fn name_type(&mut self, number: u16, name: &Symbol, pointers: &[LispPtr]) -> Result<()> {
        let symbol = self.symbol(name)?;
        let dtd = G::dtd(u32::from(number));
        G::set_dtd_name(self.m.mem, dtd, symbol);
        let pointers = self.list(pointers);
        self.store(dtd.add(G::DTD_FIELDS.pointers), pointers);
        self.types.numbers.insert(name.clone(), number);
        Ok(())
    }
}
