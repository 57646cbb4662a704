//! DEFSTRUCT: a type whose fields are pointer cells, and its functions.
//!
//! Calls of these functions are compiled without a call where that is possible
//! (`compile::globals::RecordFunction`); what is defined here is for everyone else.

use std::collections::HashMap;

use super::Program;
use crate::Result;
use crate::code::Structure;
use crate::compile::globals::RecordFunction;
use crate::datum::{Datum, Package, Symbol};

/// Fields of a structure, at most: instructions have a byte for the word offset.
const MAX_FIELDS: usize = 128;

/// What is known of structures: their fields and initial values.
pub(super) type Structures = HashMap<Symbol, Vec<(Symbol, Datum)>>;

/// The options of a definition.
struct Options {
    parent: Option<Symbol>,
    /// What stands before the names of accessors, and their package.
    prefix: String,
    package: Package,
    /// Names and lambda lists of constructors; `None` is the usual one with keywords.
    constructors: Vec<(Symbol, Option<Datum>)>,
    predicate: Option<Symbol>,
    copier: Option<Symbol>,
}

/// `(a b c)`.
fn list<const N: usize>(elements: [Datum; N]) -> Datum {
    Datum::list(elements)
}

fn symbol(symbol: &Symbol) -> Datum {
    Datum::Symbol(symbol.clone())
}

/// `(opcodes (name operand) argument ...)`.
fn opcode(name: &str, operand: Datum, arguments: &[Datum]) -> Datum {
    let instruction = list([Datum::symbol(name), operand]);
    let rest = Datum::list(arguments.iter().cloned());
    Datum::cons(Datum::symbol("OPCODES"), Datum::cons(instruction, rest))
}

impl Program {
    pub(super) fn defstruct(&mut self, name: &Datum, fields: &[Datum]) -> Result<()> {
        let (name, options) = match name {
            Datum::Symbol(name) => (name, Vec::new()),
            Datum::Cons(cell) => match (&cell.car, cell.cdr.proper_list()) {
                (Datum::Symbol(name), Some(options)) => (name, options),
                _ => {
                    return self.error("DEFSTRUCT must be (defstruct (name option ...) field ...)");
                }
            },
            _ => return self.error("DEFSTRUCT must be (defstruct name field ...)"),
        };
        if let Some(place) = self.structure_places.get(name) {
            return self.error(format!("there is a structure {name} already, at {place}"));
        }
        self.structure_places
            .insert(name.clone(), self.place.clone());
        let options = self.struct_options(name, &options)?;
        let fields = match fields {
            [Datum::String(_), fields @ ..] => fields,
            fields => fields,
        };
        let mut all = match &options.parent {
            None => Vec::new(),
            Some(parent) => match self.structures.get(parent) {
                Some(fields) => fields.clone(),
                None => return self.error(format!("there is no structure {parent} to include")),
            },
        };
        for field in fields {
            let (name, default) = self.field(field)?;
            if all.iter().any(|(other, _)| other.name == name.name) {
                return self.error(format!("the field {name} is there twice"));
            }
            all.push((name, default));
        }
        if all.len() > MAX_FIELDS {
            return self.error(format!(
                "the structure {name} has {} fields; at most {MAX_FIELDS} are possible",
                all.len()
            ));
        }
        self.structures.insert(name.clone(), all.clone());
        self.define_structure(Structure {
            name: name.clone(),
            parent: options.parent.clone(),
            fields: all.iter().map(|(field, _)| field.clone()).collect(),
        });
        for (constructor, lambda_list) in &options.constructors {
            self.constructor(name, constructor, lambda_list.as_ref(), &all)?;
        }
        for (index, (field, _)) in all.iter().enumerate() {
            self.accessor(name, &options, field, 2 * index as u8)?;
        }
        let object = Datum::symbol("OBJECT");
        if let Some(predicate) = &options.predicate {
            let record = RecordFunction::Predicate(name.clone());
            self.globals.records.insert(predicate.clone(), record);
            let test = opcode("INSTANCEP", symbol(name), std::slice::from_ref(&object));
            self.define(predicate, list([object.clone()]), test)?;
        }
        if let Some(copier) = &options.copier {
            let copy = Symbol::lisp("COPY-STRUCTURE");
            let body = list([symbol(&copy), object.clone()]);
            self.define(copier, list([object]), body)?;
        }
        Ok(())
    }

    fn define(&mut self, name: &Symbol, lambda_list: Datum, body: Datum) -> Result<()> {
        self.in_structure = true;
        let result = self.defun(&symbol(name), &lambda_list, &[body]);
        self.in_structure = false;
        result
    }

    fn struct_options(&self, name: &Symbol, options: &[Datum]) -> Result<Options> {
        let named = |text: String| Symbol::new(name.package, &text);
        let mut result = Options {
            parent: None,
            prefix: format!("{}-", name.name),
            package: name.package,
            constructors: Vec::new(),
            predicate: Some(named(format!("{}-P", name.name))),
            copier: Some(named(format!("COPY-{}", name.name))),
        };
        let usual = named(format!("MAKE-{}", name.name));
        let mut constructors = false;
        for option in options {
            let parts = option
                .proper_list()
                .filter(|parts| !parts.is_empty())
                .unwrap_or_else(|| vec![option.clone()]);
            let keyword = match &parts[0] {
                Datum::Symbol(keyword) if keyword.package == Package::Keyword => &*keyword.name,
                _ => "",
            };
            // NIL means that there is none.
            let named = |datum: &Datum| datum.as_symbol().filter(|_| !datum.is_nil()).cloned();
            match (keyword, &parts[1..]) {
                ("CONC-NAME", [Datum::Symbol(prefix)]) if !parts[1].is_nil() => {
                    result.prefix = prefix.name.to_string();
                    result.package = prefix.package;
                }
                ("CONC-NAME", [Datum::String(prefix)]) => result.prefix = prefix.to_string(),
                ("CONC-NAME", _) => result.prefix = String::new(),
                ("INCLUDE", [Datum::Symbol(parent)]) => result.parent = Some(parent.clone()),
                ("CONSTRUCTOR", []) => constructors = false,
                ("CONSTRUCTOR", [constructor]) => {
                    constructors = true;
                    let constructor = named(constructor).map(|name| (name, None));
                    result.constructors.extend(constructor);
                }
                ("CONSTRUCTOR", [Datum::Symbol(constructor), lambda_list]) => {
                    constructors = true;
                    let constructor = (constructor.clone(), Some(lambda_list.clone()));
                    result.constructors.push(constructor);
                }
                ("PREDICATE", [predicate]) => result.predicate = named(predicate),
                ("COPIER", [copier]) => result.copier = named(copier),
                ("PREDICATE" | "COPIER", [])
                | ("PRINT-FUNCTION" | "PRINT-OBJECT" | "DOCUMENTATION", _) => {}
                _ => return self.error(format!("{option} is not an option of DEFSTRUCT")),
            }
        }
        if !constructors {
            result.constructors.insert(0, (usual, None));
        }
        Ok(result)
    }

    /// `name` or `(name default option ...)`.
    fn field(&self, field: &Datum) -> Result<(Symbol, Datum)> {
        match field {
            Datum::Symbol(name) => Ok((name.clone(), Datum::nil())),
            Datum::Cons(cell) => match &cell.car {
                Datum::Symbol(name) => {
                    let default = field.elements().nth(1).cloned();
                    Ok((name.clone(), default.unwrap_or_else(Datum::nil)))
                }
                _ => self.error(format!("{field} is not a field: (name value)")),
            },
            _ => self.error(format!("{field} is not a field: (name value)")),
        }
    }

    fn constructor(
        &mut self,
        name: &Symbol,
        constructor: &Symbol,
        lambda_list: Option<&Datum>,
        fields: &[(Symbol, Datum)],
    ) -> Result<()> {
        if lambda_list.is_none() {
            let record = RecordFunction::Constructor(name.clone(), fields.to_vec());
            self.globals.records.insert(constructor.clone(), record);
        }
        let parameters = match lambda_list {
            Some(list) => list.clone(),
            None => {
                let keys = fields
                    .iter()
                    .map(|(field, default)| list([symbol(field), default.clone()]));
                Datum::cons(Datum::symbol("&KEY"), Datum::list(keys))
            }
        };
        let given = crate::compile::lambda_list::LambdaList::parse(&parameters, &self.place)?;
        let given: Vec<_> = given
            .names()
            .into_iter()
            .chain(given.aux.iter().map(|(name, _)| name.clone()))
            .collect();
        let kind = list([Datum::symbol("TYPE"), symbol(name)]);
        let mut object = {
            let number = opcode("SICX", kind, &[]);
            let instruction = list([Datum::symbol("CREATECELL")]);
            list([Datum::symbol("OPCODES"), instruction, number])
        };
        for (index, (field, default)) in fields.iter().enumerate() {
            let value = match given.contains(field) {
                true => symbol(field),
                false if default.is_nil() => continue,
                false => default.clone(),
            };
            object = opcode(
                "RPLPTR.N",
                Datum::integer(2 * index as u32),
                &[object, value],
            );
        }
        self.define(constructor, parameters, object)
    }

    fn accessor(
        &mut self,
        name: &Symbol,
        options: &Options,
        field: &Symbol,
        offset: u8,
    ) -> Result<()> {
        let accessor = Symbol::new(
            options.package,
            &format!("{}{}", options.prefix, field.name),
        );
        // An accessor that is inherited under the same name stays as it is.
        let inherited = matches!(
            self.globals.records.get(&accessor),
            Some(RecordFunction::Accessor(kind, _)) if options.parent.as_ref() == Some(kind)
        );
        if inherited {
            return Ok(());
        }
        let record = RecordFunction::Accessor(name.clone(), offset);
        self.globals.records.insert(accessor.clone(), record);
        let (object, value) = (Datum::symbol("OBJECT"), Datum::symbol("VALUE"));
        let checked = opcode("DTEST", symbol(name), std::slice::from_ref(&object));
        let place = Datum::integer(offset);
        let read = opcode(
            "GETBASEPTR.N",
            place.clone(),
            std::slice::from_ref(&checked),
        );
        self.define(&accessor, list([object.clone()]), read)?;

        // SETF has the new value last when it is compiled, first at run time.
        let setter = Symbol::new(Package::System, &format!("SET {accessor}"));
        let record = RecordFunction::Setter(name.clone(), offset);
        self.globals.records.insert(setter.clone(), record);
        self.expander.define_setter(&accessor, &setter);
        let store = opcode("RPLPTR.N", place, &[checked, value.clone()]);
        let body = list([Datum::symbol("PROGN"), store, value.clone()]);
        let setf = Symbol {
            package: accessor.package,
            name: format!("(SETF {})", accessor.name).into(),
        };
        self.define(&setf, list([value, object]), body)
    }
}
