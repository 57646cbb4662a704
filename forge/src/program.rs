//! A program: all its files together.
//!
//! Everything is read and macro-expanded at top level first, so that variables,
//! functions and structures are known in the whole program whatever their order;
//! only macros, and what they call, must come before their use. Then functions are
//! compiled, and at last it is checked that every function that is called exists.

mod declaim;
mod names;
mod structure;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use geiko_runtime::layout::{Generation, Medley2, Medley3, Release};

use crate::code::{Code, Definition, Structure};
use crate::compile::globals::{GlobalFunction, GlobalVariable, Globals, Keys};
use crate::compile::lambda_list::LambdaList;
use crate::compile::parse::{self, block_name};
use crate::compile::{Compiled, compile};
use crate::datum::{Datum, Place, Symbol};
use crate::expand::{Expander, function_name_symbol};
use crate::reader::Reader;
use crate::source::Source;
use crate::{Error, Result};

/// Compiles source files for a generation. All errors that were found, in the order
/// of their places. Forms that are nested thousands of levels deep want a stack of
/// many megabytes, as [`build`](crate::build::build) gives it.
pub fn definitions(
    sources: &[Source<'_>],
    release: Release,
) -> std::result::Result<Vec<Definition>, Vec<Error>> {
    let mut program = Program::new(operand_bytes(release));
    for source in sources {
        program.read(source);
    }
    program.compile();
    program.check_uses();
    program.finish(sources)
}

/// Bytes of a symbol or a pointer in the code of a generation.
pub fn operand_bytes(release: Release) -> u32 {
    match release {
        Release::Medley2 => Medley2::OPERAND_BYTES,
        Release::Medley3 => Medley3::OPERAND_BYTES,
    }
}

/// Something to be compiled when everything has been read.
enum Task {
    /// A function.
    Function(Symbol, Lambda),
    /// The expander of a macro.
    Macro(Symbol, Lambda),
    /// A form to be executed at the first start.
    Initial(Lambda),
    /// Nothing to compile.
    Ready(Definition),
}

/// What a symbol is defined as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Function,
    Macro,
    /// A function that comes with a structure.
    StructureFunction,
}

/// Expansions of top-level forms, at most.
const MAX_DEPTH: usize = 5000;

/// A function to be compiled.
struct Lambda {
    name: Symbol,
    block: Option<Symbol>,
    lambda_list: Datum,
    body: Vec<Datum>,
    place: Place,
    /// The top-level form that it is in.
    source: Datum,
}

struct Program {
    expander: Expander,
    globals: Globals,
    atom_bytes: u32,
    tasks: Vec<Task>,
    definitions: Vec<Definition>,
    structures: structure::Structures,
    /// Where functions and macros are defined.
    places: HashMap<Symbol, (Kind, Place)>,
    /// Where structures are defined.
    structure_places: HashMap<Symbol, Place>,
    errors: Vec<Error>,
    place: Place,
    /// Expansions around the current top-level form.
    depth: usize,
    /// Whether these were too many.
    too_deep: bool,
    /// The last form that was read.
    form: Datum,
    /// Whether functions are defined for a structure.
    in_structure: bool,
    /// Forms of MACROLET around the current top-level form, the innermost last.
    macrolets: Vec<Datum>,
}

impl Program {
    fn new(atom_bytes: u32) -> Self {
        Self {
            expander: Expander::new(),
            globals: Globals::default(),
            atom_bytes,
            tasks: Vec::new(),
            definitions: Vec::new(),
            structures: structure::Structures::default(),
            places: HashMap::new(),
            structure_places: HashMap::new(),
            errors: Vec::new(),
            depth: 0,
            too_deep: false,
            form: Datum::nil(),
            in_structure: false,
            place: Place {
                file: "".into(),
                line: 1,
                column: 1,
            },
            macrolets: Vec::new(),
        }
    }

    fn error<T>(&self, message: impl Into<String>) -> Result<T> {
        Err(Error::new(&self.place, message))
    }

    /// Reads a file and takes note of what it defines.
    fn read(&mut self, source: &Source<'_>) {
        let mut reader = Reader::new(source.name, source.text);
        loop {
            let expander = &mut self.expander;
            match reader.read(&mut |form| expander.eval(form)) {
                Ok(None) => return,
                Ok(Some(form)) => {
                    // Not all forms know where they are.
                    self.place = reader.place();
                    self.form = form.clone();
                    self.top_level(&form);
                }
                Err(error) => {
                    // What follows is not known to begin a form.
                    self.errors.push(error);
                    return;
                }
            }
        }
    }

    /// A top-level form; its errors are noted.
    fn top_level(&mut self, form: &Datum) {
        let outer = form
            .place()
            .map(|place| std::mem::replace(&mut self.place, place.clone()));
        if self.depth == MAX_DEPTH {
            let error = Error::new(&self.place, "forms are nested too deeply");
            self.errors.push(error);
            self.too_deep = true;
        } else if !self.too_deep {
            self.depth += 1;
            if let Err(error) = self.try_top_level(form) {
                self.errors.push(error);
            }
            self.depth -= 1;
            // There may be more such forms than anybody can wait for.
            self.too_deep &= self.depth > 0;
        }
        if let Some(outer) = outer {
            self.place = outer;
        }
    }

    fn try_top_level(&mut self, form: &Datum) -> Result<()> {
        let Some(operator) = form.operator() else {
            // A constant, a variable, or something that is no form.
            return match form {
                Datum::Cons(_) | Datum::Symbol(_) => self.initial(form),
                _ => Ok(()),
            };
        };
        let Some(arguments) = form
            .elements()
            .nth(0)
            .and(form.as_cons())
            .and_then(|cell| cell.cdr.proper_list())
        else {
            return self.error("a form must be a list that ends with NIL");
        };
        let name = if operator.is(&operator.name) {
            &*operator.name
        } else {
            ""
        };
        match (name, &arguments[..]) {
            ("PROGN", forms) => {
                forms.iter().for_each(|form| self.top_level(form));
                Ok(())
            }
            ("EVAL-WHEN", [situations, forms @ ..]) => self.eval_when(situations, forms),
            ("MACROLET", [definitions, forms @ ..]) => self.macrolet(definitions, forms),
            ("DEFUN", [name, lambda_list, body @ ..]) => self.defun(name, lambda_list, body),
            ("DEFMACRO", [Datum::Symbol(name), lambda_list, _, ..]) => {
                self.defmacro(name, lambda_list, form)
            }
            ("DEFVAR", [Datum::Symbol(name)]) => self.declare_special(name),
            (
                "DEFVAR" | "DEFPARAMETER",
                [Datum::Symbol(name), value] | [Datum::Symbol(name), value, Datum::String(_)],
            ) => {
                self.declare_special(name)?;
                self.value(name, value)
            }
            (
                "DEFCONSTANT",
                [Datum::Symbol(name), value] | [Datum::Symbol(name), value, Datum::String(_)],
            ) => self.defconstant(name, value),
            ("DEFSTRUCT", [name, fields @ ..]) => self.defstruct(name, fields),
            ("DECLAIM", specifiers) => specifiers
                .iter()
                .try_for_each(|specifier| self.declaim(specifier)),
            ("PROCLAIM", [form]) => self.proclaim(form),
            ("IN-PACKAGE", [_]) => Ok(()),
            ("DEFUN", _) => self.error("DEFUN must be (defun name (parameter ...) form ...)"),
            ("DEFMACRO", _) => {
                self.error("DEFMACRO must be (defmacro name (parameter ...) form ...)")
            }
            ("DEFVAR" | "DEFPARAMETER" | "DEFCONSTANT", _) => self.error(format!(
                "{name} must be ({} name value \"text\")",
                name.to_lowercase()
            )),
            ("DEFSTRUCT", _) => self.error("DEFSTRUCT must be (defstruct name field ...)"),
            ("PROCLAIM", _) => self.error("PROCLAIM must be (proclaim 'declaration)"),
            ("IN-PACKAGE", _) => self.error("IN-PACKAGE must be (in-package name)"),
            _ => match self.expander.macroexpand_1(form)? {
                Some(expansion) => {
                    self.top_level(&expansion);
                    Ok(())
                }
                None => self.initial(form),
            },
        }
    }

    fn eval_when(&mut self, situations: &Datum, forms: &[Datum]) -> Result<()> {
        let mut now = false;
        let mut later = false;
        for situation in situations.elements() {
            match situation.as_symbol().map(|symbol| &*symbol.name) {
                Some("COMPILE-TOPLEVEL" | "COMPILE") => now = true,
                Some("LOAD-TOPLEVEL" | "LOAD") => later = true,
                Some("EXECUTE" | "EVAL") => {}
                _ => return self.error(format!("{situation} is not a situation of EVAL-WHEN")),
            }
        }
        for form in forms {
            if now {
                self.expander.eval(form)?;
            }
            if later {
                self.top_level(form);
            }
        }
        Ok(())
    }

    fn macrolet(&mut self, definitions: &Datum, forms: &[Datum]) -> Result<()> {
        let Some(list) = definitions.proper_list() else {
            return self.error(
                "MACROLET must be (macrolet ((name (parameter ...) form ...) ...) form ...)",
            );
        };
        let scope = self.expander.begin_scope();
        for definition in &list {
            if let Some(name) = definition.operator()
                && let Some(rest) = definition.as_cons().and_then(|cell| cell.cdr.as_cons())
            {
                self.expander.define_local_macro(name, &rest.car, &rest.cdr);
            }
        }
        self.macrolets.push(definitions.clone());
        forms.iter().for_each(|form| self.top_level(form));
        self.macrolets.pop();
        self.expander.end_scope(scope);
        Ok(())
    }

    /// A body as it was written, within the MACROLETs around it.
    fn wrapped(&self, body: &[Datum]) -> Vec<Datum> {
        let Some(innermost) = self.macrolets.last() else {
            return body.to_vec();
        };
        let around = |definitions: &Datum, body: &[Datum]| {
            let rest = Datum::list(body.iter().cloned());
            let form = Datum::cons(definitions.clone(), rest);
            Datum::cons(Datum::symbol("MACROLET"), form).at(&self.place)
        };
        let mut form = around(innermost, body);
        for definitions in self.macrolets.iter().rev().skip(1) {
            form = around(definitions, &[form]);
        }
        vec![form]
    }

    fn defun(&mut self, name: &Datum, lambda_list: &Datum, body: &[Datum]) -> Result<()> {
        let (Some(symbol), Some(block)) = (function_name_symbol(name), block_name(name)) else {
            return self.error(format!("{name} is not the name of a function"));
        };
        if parse::is_special_form(&symbol) && !parse::may_be_function(&symbol) {
            return self.error(format!(
                "{symbol} is a special form and cannot be a function"
            ));
        }
        self.check_function_name(&symbol)?;
        let list = LambdaList::parse(lambda_list, &self.place)?;
        let kind = match self.in_structure {
            true => Kind::StructureFunction,
            false => Kind::Function,
        };
        self.check_new(&symbol, kind)?;
        self.know_function(&symbol, &list);
        let lambda = Lambda {
            name: symbol.clone(),
            block: Some(block),
            lambda_list: lambda_list.clone(),
            body: self.wrapped(body),
            place: self.place.clone(),
            source: self.form.clone(),
        };
        self.tasks.push(Task::Function(symbol, lambda));
        Ok(())
    }

    fn know_function(&mut self, name: &Symbol, list: &LambdaList) {
        let keys = list.has_keys && !list.allow_other_keys;
        let function = GlobalFunction {
            arity: Some(list.arity()),
            keys: keys.then(|| Keys {
                first: list.required.len() + list.optional.len(),
                names: list.keys.iter().map(|(key, _)| key.clone()).collect(),
            }),
        };
        self.globals.functions.insert(name.clone(), function);
    }

    fn defmacro(&mut self, name: &Symbol, lambda_list: &Datum, form: &Datum) -> Result<()> {
        if parse::is_special_form(name) && !parse::may_be_macro(name) {
            return self.error(format!("{name} is a special form and cannot be a macro"));
        }
        self.check_function_name(name)?;
        self.check_new(name, Kind::Macro)?;
        let Some(body) = form
            .as_cons()
            .and_then(|cell| cell.cdr.as_cons())
            .and_then(|cell| cell.cdr.as_cons())
            .map(|cell| &cell.cdr)
        else {
            return Ok(());
        };
        self.expander.define_macro(name, lambda_list, body)?;
        let lambda = self.expander.macro_lambda(name, lambda_list, body)?;
        let parts: Vec<_> = lambda.elements().skip(1).cloned().collect();
        let Some((lambda_list, body)) = parts.split_first() else {
            return Ok(());
        };
        let lambda = Lambda {
            name: name.clone(),
            block: None,
            lambda_list: lambda_list.clone(),
            body: self.wrapped(body),
            place: self.place.clone(),
            source: self.form.clone(),
        };
        self.tasks.push(Task::Macro(name.clone(), lambda));
        Ok(())
    }

    fn declare_special(&mut self, name: &Symbol) -> Result<()> {
        if parse::is_self_evaluating(name) {
            return self.error(format!("{name} is a constant"));
        }
        match self.globals.variables.get(name) {
            Some(GlobalVariable::Constant(_)) => {
                return self.error(format!("{name} is a constant"));
            }
            Some(_) => {}
            None => {
                let special = GlobalVariable::Special;
                self.globals.variables.insert(name.clone(), special);
            }
        }
        let special = Definition::Special(name.clone());
        self.tasks.push(Task::Ready(special));
        Ok(())
    }

    /// The value of a variable at the first start.
    fn value(&mut self, name: &Symbol, value: &Datum) -> Result<()> {
        if let Some(value) = constant(value) {
            let value = Definition::Value(name.clone(), value);
            self.tasks.push(Task::Ready(value));
            return Ok(());
        }
        let assignment = Datum::list([
            Datum::symbol("SETQ"),
            Datum::Symbol(name.clone()),
            value.clone(),
        ]);
        self.initial(&assignment)
    }

    fn defconstant(&mut self, name: &Symbol, form: &Datum) -> Result<()> {
        let value = self.expander.eval(form)?;
        if contains_function(&value) {
            return self.error(format!("the value of {name} is a function"));
        }
        if let Some(GlobalVariable::Constant(old)) = self.globals.variables.get(name)
            && *old != value
        {
            return self.error(format!("{name} is a constant with another value"));
        }
        let variable = match &value {
            // A copy in each function would not be the same object.
            Datum::Cons(_) | Datum::String(_) | Datum::Vector(_) => GlobalVariable::Global,
            _ => GlobalVariable::Constant(value.clone()),
        };
        self.globals.variables.insert(name.clone(), variable);
        self.expander.define_variable(name, value.clone());
        let special = Definition::Special(name.clone());
        self.tasks.push(Task::Ready(special));
        let value = Definition::Value(name.clone(), value);
        self.tasks.push(Task::Ready(value));
        Ok(())
    }

    /// A form to be executed at the first start.
    fn initial(&mut self, form: &Datum) -> Result<()> {
        let lambda = Lambda {
            name: Symbol::new(crate::datum::Package::System, "INITIAL"),
            block: None,
            lambda_list: Datum::nil(),
            body: self.wrapped(std::slice::from_ref(form)),
            place: self.place.clone(),
            source: self.form.clone(),
        };
        self.tasks.push(Task::Initial(lambda));
        Ok(())
    }

    /// Compiles everything.
    fn compile(&mut self) {
        for task in std::mem::take(&mut self.tasks) {
            let (lambda, define): (_, Box<dyn FnOnce(Code) -> Definition>) = match task {
                Task::Ready(definition) => {
                    self.definitions.push(definition);
                    continue;
                }
                Task::Function(name, lambda) => {
                    (lambda, Box::new(|code| Definition::Function(name, code)))
                }
                Task::Macro(name, lambda) => {
                    (lambda, Box::new(|code| Definition::Macro(name, code)))
                }
                Task::Initial(lambda) => (lambda, Box::new(Definition::Initial)),
            };
            let definition = parse::Definition {
                name: &lambda.name,
                block: lambda.block.clone(),
                lambda_list: &lambda.lambda_list,
                body: &lambda.body,
                source: &lambda.source,
            };
            let compiled = compile(
                &definition,
                &mut self.globals,
                &mut self.expander,
                &lambda.place,
                self.atom_bytes,
            );
            match compiled {
                Ok(Compiled { code, local }) => {
                    let local = local
                        .into_iter()
                        .map(|(name, code)| Definition::Function(name, code));
                    self.definitions.extend(local);
                    self.definitions.push(define(code));
                }
                Err(errors) => self.errors.extend(errors),
            }
        }
    }

    fn finish(self, sources: &[Source<'_>]) -> std::result::Result<Vec<Definition>, Vec<Error>> {
        let Self {
            definitions,
            mut errors,
            ..
        } = self;
        if errors.is_empty() {
            return Ok(definitions);
        }
        let file = |name: &str| sources.iter().position(|source| source.name == name);
        errors.sort_by_key(|error| {
            let place = &error.place;
            (file(&place.file), place.line, place.column)
        });
        errors.dedup();
        Err(errors)
    }

    /// A structure type.
    fn define_structure(&mut self, structure: Structure) {
        let definition = Definition::Structure(structure);
        self.tasks.push(Task::Ready(definition));
    }
}

/// The value of a form that is a constant.
fn constant(form: &Datum) -> Option<Datum> {
    match form {
        Datum::Symbol(symbol) => parse::is_self_evaluating(symbol).then(|| form.clone()),
        Datum::Cons(cell) => {
            let quoted = form.operator().is_some_and(|name| name.is("QUOTE"));
            let rest = cell.cdr.as_cons()?;
            (quoted && rest.cdr.is_nil()).then(|| rest.car.clone())
        }
        constant => Some(constant.clone()),
    }
}

/// Whether a function of the compiler is part of a datum.
fn contains_function(datum: &Datum) -> bool {
    let mut todo = vec![datum];
    while let Some(datum) = todo.pop() {
        match datum {
            Datum::Function(_) => return true,
            Datum::Cons(cell) => todo.extend([&cell.car, &cell.cdr]),
            Datum::Vector(elements) => todo.extend(elements.iter()),
            _ => {}
        }
    }
    false
}
