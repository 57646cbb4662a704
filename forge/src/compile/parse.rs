//! From forms to expressions with resolved names.
//!
//! | file | what |
//! |---|---|
//! | this one | forms, variables, names in scope |
//! | `calls` | calls of functions of all kinds |
//! | `functions` | LAMBDA, FLET, LABELS, lambda lists |
//! | `inline` | functions that are instructions |
//! | `mapping` | MAPC and MAPCAR as loops |
//! | `binding` | LET and its relatives |
//! | `control` | BLOCK, TAGBODY, CATCH, several values |
//! | `special` | the table of special forms, the simple ones |
//! | `opcodes` | instructions written in a program |

mod binding;
mod calls;
mod control;
mod functions;
mod inline;
mod mapping;
mod opcodes;
mod special;

use super::globals::{GlobalVariable, Globals, Use};
use super::tree::{Exit, ExitId, FunctionId, Node, Scope, ScopeId, Unit, Variable, VariableId};
use crate::datum::{Datum, Package, Place, Symbol};
use crate::expand::Expander;
use crate::{Error, Result};

pub use functions::{Definition, arity_message, block_name};
pub use inline::arity_of;
pub use special::{is_special_form, may_be_function, may_be_macro};

/// Forms inside of forms, at most.
const MAX_DEPTH: usize = 5000;
const TOO_DEEP: &str = "forms are nested too deeply";
const UNKNOWN_VARIABLE: &str = "unknown variable ";

/// A name in scope, or a note that hides one.
#[derive(Clone, Debug)]
enum Name {
    /// A variable of the unit.
    Variable(Symbol, VariableId),
    /// A variable declared special here.
    Special(Symbol),
    /// A form that stands for a name.
    SymbolMacro(Symbol, Datum),
    /// A local function.
    Function(Symbol, FunctionId),
    /// A local macro; the expander knows it.
    Macro(Symbol),
    /// A block.
    Block(Symbol, ExitId),
    /// A tag: a symbol or an integer.
    Tag(Datum, ExitId, u32),
}

/// What a variable's name means at some place.
enum Meaning {
    Variable(VariableId),
    Free,
    Global,
    Constant(Datum),
    Form(Datum),
}

/// Makes the unit of a top-level form.
pub struct Parser<'a> {
    globals: &'a mut Globals,
    expander: &'a mut Expander,
    unit: Unit,
    names: Vec<Name>,
    function: FunctionId,
    scope: ScopeId,
    /// Where the innermost form is that was read from a file.
    place: Place,
    /// That form.
    source: Datum,
    /// The macro of that form, in its expansion.
    expanding: Option<Symbol>,
    depth: usize,
    /// What is wrong so far.
    errors: Vec<Error>,
}

impl<'a> Parser<'a> {
    /// A parser of one form at a place.
    pub fn new(globals: &'a mut Globals, expander: &'a mut Expander, place: &Place) -> Self {
        Self {
            globals,
            expander,
            unit: Unit::default(),
            names: Vec::new(),
            function: FunctionId(0),
            scope: ScopeId(0),
            place: place.clone(),
            source: Datum::nil(),
            expanding: None,
            depth: 0,
            errors: Vec::new(),
        }
    }

    fn error<T>(&self, message: impl Into<String>) -> Result<T> {
        let message = in_expansion(message.into(), self.expanding.as_ref());
        Err(Error::new(&self.place, message))
    }

    /// An error at a list, or here if it has no place.
    fn error_at<T>(&self, datum: &Datum, message: impl Into<String>) -> Result<T> {
        Err(Error::new(datum.place().unwrap_or(&self.place), message))
    }

    /// An error at a symbol of the innermost form, or here.
    fn error_of(&self, symbol: &Symbol, message: String) -> Error {
        match place_of(symbol, &self.source) {
            Some(place) => Error::new(&place, message),
            None => Error::new(&self.place, in_expansion(message, self.expanding.as_ref())),
        }
    }

    /// An error where the innermost form binds a variable.
    fn error_of_binding(&self, name: &Symbol, message: String) -> Error {
        let mut lists = self.source.elements().skip(1);
        match lists.find_map(|list| place_of_binding(name, list)) {
            Some(place) => Error::new(&place, message),
            None => self.error_of(name, message),
        }
    }

    /// An expression. If it is wrong that is noted, and it is as good as NIL.
    fn form(&mut self, form: &Datum) -> Result<Node> {
        if self.depth == MAX_DEPTH {
            return Err(self.too_deep());
        }
        let state = (self.names.len(), self.function, self.scope);
        let macros = self.expander.begin_scope();
        self.depth += 1;
        let node = match form {
            Datum::Symbol(symbol) => self.variable(symbol),
            Datum::Cons(cell) => match &cell.place {
                // The expansion of a macro has the place of the macro form.
                Some(place) if *place != self.place => {
                    let place = std::mem::replace(&mut self.place, place.clone());
                    let source = std::mem::replace(&mut self.source, form.clone());
                    let expanding = self.expanding.take();
                    let node = self.list_form(form);
                    self.place = place;
                    self.source = source;
                    self.expanding = expanding;
                    node
                }
                _ => self.list_form(form),
            },
            constant => Ok(Node::Constant(constant.clone())),
        };
        self.depth -= 1;
        match node {
            // There may be more such forms than anybody can wait for.
            Err(error) if error.message == TOO_DEEP => Err(error),
            Err(error) => {
                (self.function, self.scope) = (state.1, state.2);
                self.names.truncate(state.0);
                self.expander.end_scope(macros);
                self.note_error(error);
                Ok(Node::nil())
            }
            node => node,
        }
    }

    fn too_deep(&self) -> Error {
        Error::new(&self.place, TOO_DEEP)
    }

    /// Notes an error, but what is unknown only once.
    fn note_error(&mut self, error: Error) {
        let known = |other: &Error| {
            other.message == error.message
                && (other.place == error.place || error.message.starts_with(UNKNOWN_VARIABLE))
        };
        if !self.errors.iter().any(known) {
            self.errors.push(error);
        }
    }

    fn forms(&mut self, forms: &[Datum]) -> Result<Vec<Node>> {
        forms.iter().map(|form| self.form(form)).collect()
    }

    /// The forms of a body, one after the other.
    fn progn(&mut self, forms: &[Datum]) -> Result<Node> {
        match forms {
            [] => Ok(Node::nil()),
            [form] => self.form(form),
            forms => Ok(Node::Progn(self.forms(forms)?)),
        }
    }

    fn list_form(&mut self, form: &Datum) -> Result<Node> {
        let Datum::Cons(cell) = form else {
            return self.form(form);
        };
        let Some(arguments) = cell.cdr.proper_list() else {
            return self.error("a form must be a list that ends with NIL");
        };
        let name = match &cell.car {
            Datum::Symbol(name) => name,
            head if head.operator().is_some_and(|name| name.is("LAMBDA")) => {
                return self.call_lambda(head, &arguments);
            }
            head => return self.error(format!("{head} is not the name of a function")),
        };
        match self.local_function(name) {
            Some(Some(function)) => return self.call_local(name, function, &arguments),
            // A local macro.
            Some(None) => {}
            None => {
                if let Some(parse) = special::find(name) {
                    return parse(self, &arguments);
                }
            }
        }
        if let Some(expansion) = self.expander.macroexpand_1(form)? {
            let outer = self.expanding.clone();
            if name.package == Package::Lisp {
                self.expanding.get_or_insert_with(|| name.clone());
            }
            let node = self.form(&expansion);
            self.expanding = outer;
            return node;
        }
        self.call(name, &arguments)
    }

    /// What a local function's name means here: `Some(None)` is a local macro.
    fn local_function(&self, name: &Symbol) -> Option<Option<FunctionId>> {
        self.names.iter().rev().find_map(|entry| match entry {
            Name::Function(symbol, id) if symbol == name => Some(Some(*id)),
            Name::Macro(symbol) if symbol == name => Some(None),
            _ => None,
        })
    }

    fn meaning(&self, symbol: &Symbol) -> Result<Meaning> {
        let local = self.names.iter().rev().find_map(|entry| match entry {
            Name::Variable(name, id) if name == symbol => Some(Meaning::Variable(*id)),
            Name::Special(name) if name == symbol => Some(self.special(symbol)),
            Name::SymbolMacro(name, form) if name == symbol => Some(Meaning::Form(form.clone())),
            _ => None,
        });
        if let Some(meaning) = local {
            return Ok(match meaning {
                // The frame of another function is found by name.
                Meaning::Variable(id)
                    if self.unit.variable(id).special && self.unit.owner(id) != self.function =>
                {
                    Meaning::Free
                }
                meaning => meaning,
            });
        }
        match self.globals.variables.get(symbol) {
            Some(GlobalVariable::Special) => Ok(Meaning::Free),
            Some(GlobalVariable::Global) => Ok(Meaning::Global),
            Some(GlobalVariable::Constant(value)) => Ok(Meaning::Constant(value.clone())),
            None if is_self_evaluating(symbol) => {
                Ok(Meaning::Constant(Datum::Symbol(symbol.clone())))
            }
            None if self.globals.is_open => Ok(Meaning::Free),
            None => Err(self.unknown_variable(symbol)),
        }
    }

    /// A variable that does not exist, where it stands in the source if it does.
    fn unknown_variable(&self, symbol: &Symbol) -> Error {
        let locals = self.names.iter().filter_map(|entry| match entry {
            Name::Variable(name, _) | Name::Special(name) | Name::SymbolMacro(name, _) => {
                Some(name)
            }
            _ => None,
        });
        let similar = similar(symbol, locals.chain(self.globals.variables.keys()));
        let message = format!("{UNKNOWN_VARIABLE}{symbol}{similar}");
        self.error_of(symbol, message)
    }

    /// What a name means where it is declared special: the innermost dynamic binding
    /// that the function itself has made, if there is one.
    fn special(&self, symbol: &Symbol) -> Meaning {
        let own = self.names.iter().rev().find_map(|entry| match entry {
            Name::Variable(name, id) if name == symbol => {
                self.unit.variable(*id).special.then_some(*id)
            }
            _ => None,
        });
        own.map_or(Meaning::Free, Meaning::Variable)
    }

    fn variable(&mut self, symbol: &Symbol) -> Result<Node> {
        Ok(match self.meaning(symbol)? {
            Meaning::Variable(id) => {
                self.refer(id);
                Node::Variable(id)
            }
            Meaning::Free => Node::Free(symbol.clone()),
            Meaning::Global => Node::Global(symbol.clone()),
            Meaning::Constant(value) => Node::Constant(value),
            // It may lead to itself.
            Meaning::Form(form) => self.form(&form)?,
        })
    }

    fn set_variable(&mut self, symbol: &Symbol, value: &Datum) -> Result<Node> {
        match self.meaning(symbol)? {
            Meaning::Variable(id) => {
                let value = self.form(value)?;
                self.refer(id);
                self.unit.variables[id.index()].assigned = true;
                Ok(Node::SetVariable(id, Box::new(value)))
            }
            Meaning::Free => Ok(Node::SetFree(symbol.clone(), Box::new(self.form(value)?))),
            Meaning::Global => Ok(Node::SetGlobal(symbol.clone(), Box::new(self.form(value)?))),
            Meaning::Constant(_) => Err(self.error_of(symbol, format!("{symbol} is a constant"))),
            Meaning::Form(place) => {
                let setf = Datum::symbol("SETF");
                let form = Datum::list([setf, place, value.clone()]);
                self.form(&form)
            }
        }
    }

    /// Notes that the function that is being parsed refers to a variable.
    fn refer(&mut self, id: VariableId) {
        let owner = self.unit.owner(id);
        if owner == self.function || self.unit.variable(id).special {
            return;
        }
        self.unit.variables[id.index()].captured = true;
        let mut function = self.function;
        while function != owner {
            let entry = &mut self.unit.functions[function.index()];
            entry.uses.insert(id);
            match entry.parent {
                Some(parent) => function = parent,
                None => return,
            }
        }
    }

    /// A scope inside of the current one.
    fn new_scope(&mut self) -> ScopeId {
        let id = ScopeId(self.unit.scopes.len() as u32);
        self.unit.scopes.push(Scope {
            function: self.function,
            parent: Some(self.scope),
            captured: Vec::new(),
            linked: false,
        });
        id
    }

    fn new_variable(&mut self, name: Symbol, scope: ScopeId, special: bool) -> VariableId {
        let id = VariableId(self.unit.variables.len() as u32);
        self.unit.variables.push(Variable {
            name,
            scope,
            special,
            captured: false,
            assigned: false,
            float: false,
            argument: None,
        });
        id
    }

    /// A variable that no program can name.
    fn hidden_variable(&mut self, name: &str, scope: ScopeId) -> VariableId {
        self.new_variable(Symbol::new(Package::Uninterned, name), scope, false)
    }

    fn new_exit(&mut self, scope: ScopeId) -> ExitId {
        let variable = self.hidden_variable("TAG", scope);
        let id = ExitId(self.unit.exits.len() as u32);
        self.unit.exits.push(Exit {
            function: self.function,
            variable,
            escapes: false,
            used: false,
        });
        id
    }

    /// Notes that something here leaves to a block or tagbody. Whether it is one of
    /// another function.
    fn leave(&mut self, exit: ExitId) {
        let Exit {
            function, variable, ..
        } = *self.unit.exit(exit);
        if function == self.function {
            self.unit.exits[exit.index()].used = true;
        } else {
            self.unit.exits[exit.index()].escapes = true;
            self.refer(variable);
        }
    }

    /// Notes a call of a global function, or another use of it.
    fn note_use(&mut self, name: &Symbol, arguments: Option<usize>) {
        self.globals.uses.push(Use {
            name: name.clone(),
            arguments,
            keywords: Vec::new(),
            place: self.place.clone(),
            expanding: self.expanding.clone(),
            is_variable: self
                .names
                .iter()
                .any(|entry| matches!(entry, Name::Variable(variable, _) if variable == name)),
        });
    }

    /// Parses in a scope of its own: names are forgotten afterwards.
    fn scoped<T>(
        &mut self,
        scope: ScopeId,
        parse: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let names = self.names.len();
        let outer = std::mem::replace(&mut self.scope, scope);
        let result = parse(self);
        self.scope = outer;
        self.names.truncate(names);
        result
    }
}

/// Says of what is wrong in the expansion of a macro that it is there.
pub fn in_expansion(message: String, expanding: Option<&Symbol>) -> String {
    match expanding {
        Some(name) => format!("{message}, in the expansion of {name}"),
        None => message,
    }
}

/// Where a symbol stands in a form as an argument, outside of inner forms if
/// possible.
fn place_of(symbol: &Symbol, form: &Datum) -> Option<Place> {
    let mut rest = &form.as_cons()?.cdr;
    while let Some(cell) = rest.as_cons() {
        if cell.car.as_symbol() == Some(symbol) {
            return cell.place.clone();
        }
        rest = &cell.cdr;
    }
    form.elements()
        .find_map(|element| place_of(symbol, element))
}

/// Where the last binding of a variable stands in a list: the name, or a list that
/// begins with it.
fn place_of_binding(name: &Symbol, list: &Datum) -> Option<Place> {
    let behind_parenthesis = |place: &Place| Place {
        column: place.column + 1,
        ..place.clone()
    };
    let mut found = None;
    let mut rest = list;
    while let Some(cell) = rest.as_cons() {
        if cell.car.as_symbol() == Some(name) {
            found = match std::ptr::eq(rest, list) {
                true => cell.place.as_ref().map(behind_parenthesis),
                false => cell.place.clone(),
            };
        } else if cell.car.operator() == Some(name) {
            found = cell.car.place().map(behind_parenthesis);
        }
        rest = &cell.cdr;
    }
    found
}

/// Names that differ from an unknown one by a third of their letters at most are
/// similar; the question whether the most similar was meant.
pub fn similar<'s>(name: &Symbol, known: impl Iterator<Item = &'s Symbol>) -> String {
    let most = name.name.chars().count() / 3;
    known
        .filter(|other| other.package == name.package && other.name != name.name)
        .map(|other| (strsim::osa_distance(&name.name, &other.name), other))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map_or_else(String::new, |(_, other)| format!("; is {other} meant?"))
}

/// Whether a symbol is its own value.
pub fn is_self_evaluating(symbol: &Symbol) -> bool {
    symbol.package == Package::Keyword || symbol.is("NIL") || symbol.is("T")
}
