//! From forms to nodes.

use std::rc::Rc;

use crate::datum::{Datum, Package, Symbol};

use super::lambda_list::declarations;
use super::node::{
    Address, Call, Callee, Flow, Function, FunctionKind, Functions, GlobalIndex, Let, Node, error,
};
use super::{Expander, Macro, global_environment};

/// What a frame of the environment holds, at analysis.
pub(super) enum Scope {
    /// `None`: a slot of a variable that is bound dynamically.
    Variables(Vec<Option<Symbol>>),
    Functions(Vec<Symbol>),
    Block(Symbol),
    Tags(Vec<Datum>),
}

/// The frames around a form, the innermost last.
pub(super) type Scopes = Vec<Scope>;

impl Expander {
    /// Analyses a function that is in no other.
    pub(super) fn global_function(
        &mut self,
        name: Option<&Symbol>,
        lambda_list: &Datum,
        body: &Datum,
    ) -> Flow<Function> {
        let locals = std::mem::take(&mut self.locals);
        let lambda = self.lambda(name, lambda_list, body, &mut Vec::new());
        self.locals = locals;
        let kind = FunctionKind::Closure(Rc::new(lambda?), global_environment());
        Ok(Function(Rc::new(kind)))
    }

    /// Analyses a form.
    pub(super) fn analyse(&mut self, form: &Datum, scopes: &mut Scopes) -> Flow<Node> {
        self.step()?;
        let node = match form {
            Datum::Symbol(symbol) => Ok(self.variable_node(symbol, scopes)),
            Datum::Cons(cell) => self.analyse_form(form, &cell.car, &cell.cdr, scopes),
            _ => Ok(Node::Constant(form.clone())),
        };
        node.map_err(|exit| exit.locate(form.place()))
    }

    fn analyse_form(
        &mut self,
        form: &Datum,
        operator: &Datum,
        operands: &Datum,
        scopes: &mut Scopes,
    ) -> Flow<Node> {
        let name = match operator {
            Datum::Symbol(name) => name,
            Datum::Cons(cell) if is_lambda(&cell.car) => {
                let function = Callee::Value(self.analyse(operator, scopes)?);
                return self.call(form, function, operands, scopes);
            }
            _ => return error(format!("{operator} is not a function")),
        };
        if let Some(address) = find_function(name, scopes) {
            let function = Callee::Value(Node::Local(address));
            return self.call(form, function, operands, scopes);
        }
        if name.package == Package::Lisp
            && let Some(node) = self.special_form(&name.name, operands, scopes)?
        {
            return Ok(node);
        }
        if let Some((name, expander)) = self.macro_of(form) {
            let expansion = self.expand_with(&name, &expander, form)?;
            return self.analyse(&expansion, scopes);
        }
        let function = Callee::Global(self.global_index(name));
        self.call(form, function, operands, scopes)
    }

    fn call(
        &mut self,
        form: &Datum,
        function: Callee,
        operands: &Datum,
        scopes: &mut Scopes,
    ) -> Flow<Node> {
        let arguments = self.analyse_all(&parts(operands, 0, super::ANY)?, scopes)?;
        Ok(Node::Call(Box::new(Call {
            function,
            arguments,
            place: form.place().cloned(),
        })))
    }

    fn analyse_all(&mut self, forms: &[Datum], scopes: &mut Scopes) -> Flow<Box<[Node]>> {
        forms
            .iter()
            .map(|form| self.analyse(form, scopes))
            .collect()
    }

    /// Forms in order.
    pub(super) fn progn(&mut self, forms: &[Datum], scopes: &mut Scopes) -> Flow<Node> {
        match forms {
            [] => Ok(Node::Constant(Datum::nil())),
            [form] => self.analyse(form, scopes),
            _ => Ok(Node::Progn(self.analyse_all(forms, scopes)?)),
        }
    }

    fn variable_node(&mut self, symbol: &Symbol, scopes: &Scopes) -> Node {
        if is_constant(symbol) {
            return Node::Constant(Datum::Symbol(symbol.clone()));
        }
        match find_variable(symbol, scopes) {
            Some(address) => Node::Local(address),
            None => Node::Global(self.global_index(symbol)),
        }
    }

    /// A form with a meaning of its own; `None` if it is not one.
    fn special_form(
        &mut self,
        name: &str,
        operands: &Datum,
        scopes: &mut Scopes,
    ) -> Flow<Option<Node>> {
        let (least, most) = match name {
            "QUOTE" | "FUNCTION" => (1, 1),
            "IF" => (2, 3),
            "GO" => (1, 1),
            "RETURN-FROM" => (1, 2),
            "THROW" | "THE" => (2, 2),
            "LET"
            | "LET*"
            | "BLOCK"
            | "WHEN"
            | "UNLESS"
            | "CATCH"
            | "UNWIND-PROTECT"
            | "MULTIPLE-VALUE-CALL"
            | "MULTIPLE-VALUE-PROG1"
            | "LAMBDA"
            | "FLET"
            | "LABELS"
            | "MACROLET"
            | "EVAL-WHEN"
            | "DEFVAR" => (1, super::ANY),
            "PROGV" | "DEFUN" | "DEFMACRO" | "DEFPARAMETER" | "DEFCONSTANT" => (2, super::ANY),
            "PROGN" | "SETQ" | "AND" | "OR" | "COND" | "TAGBODY" | "LOCALLY" | "DECLARE"
            | "DECLAIM" | "PROCLAIM" | "IN-PACKAGE" => (0, super::ANY),
            _ => return Ok(None),
        };
        let parts = parts(operands, least, most).map_err(|_| {
            let Err(exit) = error::<()>(format!("{name} with a wrong number of parts")) else {
                unreachable!()
            };
            exit
        })?;
        let node = match name {
            "QUOTE" => Node::Constant(parts[0].clone()),
            "FUNCTION" => self.function_node(&parts[0], scopes)?,
            "LAMBDA" => {
                let body = Datum::list(parts[1..].iter().cloned());
                Node::Lambda(Rc::new(self.lambda(None, &parts[0], &body, scopes)?))
            }
            "IF" => Node::If(Box::new([
                self.analyse(&parts[0], scopes)?,
                self.analyse(&parts[1], scopes)?,
                self.progn(&parts[2..], scopes)?,
            ])),
            "WHEN" | "UNLESS" => {
                let nothing = Node::Constant(Datum::nil());
                let test = self.analyse(&parts[0], scopes)?;
                let body = self.progn(&parts[1..], scopes)?;
                Node::If(Box::new(if name == "WHEN" {
                    [test, body, nothing]
                } else {
                    [test, nothing, body]
                }))
            }
            "AND" if parts.is_empty() => Node::Constant(Datum::boolean(true)),
            "AND" => Node::And(self.analyse_all(&parts, scopes)?),
            "OR" => Node::Or(self.analyse_all(&parts, scopes)?),
            "COND" => self.cond(&parts, scopes)?,
            "PROGN" | "LOCALLY" => self.progn(&parts, scopes)?,
            "THE" => self.analyse(&parts[1], scopes)?,
            "DECLARE" | "DECLAIM" | "PROCLAIM" | "IN-PACKAGE" => Node::Constant(Datum::nil()),
            "SETQ" => self.setq(&parts, scopes)?,
            "LET" => self.let_node(&parts, false, scopes)?,
            "LET*" => self.let_node(&parts, true, scopes)?,
            "FLET" => self.functions(&parts, false, scopes)?,
            "LABELS" => self.functions(&parts, true, scopes)?,
            "MACROLET" => self.macrolet(&parts, scopes)?,
            "BLOCK" => {
                let block = symbol(&parts[0])?.clone();
                scopes.push(Scope::Block(block));
                let body = self.progn(&parts[1..], scopes);
                scopes.pop();
                Node::Block(Box::new(body?))
            }
            "RETURN-FROM" => {
                let block = symbol(&parts[0])?;
                let found = scopes
                    .iter()
                    .rev()
                    .position(|scope| matches!(scope, Scope::Block(name) if name == block));
                let Some(depth) = found else {
                    return error(format!("there is no block {} here", parts[0]));
                };
                let value = self.progn(&parts[1..], scopes)?;
                Node::ReturnFrom(depth as u32, Box::new(value))
            }
            "TAGBODY" => self.tagbody(&parts, scopes)?,
            "GO" => {
                for (depth, scope) in scopes.iter().rev().enumerate() {
                    if let Scope::Tags(tags) = scope
                        && let Some(tag) = tags.iter().position(|tag| tag == &parts[0])
                    {
                        return Ok(Some(Node::Go(depth as u32, tag)));
                    }
                }
                return error(format!("there is no tag {} here", parts[0]));
            }
            "CATCH" => Node::Catch(self.form_and_body(&parts, scopes)?),
            "THROW" => Node::Throw(self.form_and_body(&parts, scopes)?),
            "UNWIND-PROTECT" => Node::UnwindProtect(self.form_and_body(&parts, scopes)?),
            "MULTIPLE-VALUE-PROG1" => Node::ValuesFirst(self.form_and_body(&parts, scopes)?),
            "MULTIPLE-VALUE-CALL" => Node::ValuesCall(
                Box::new(self.analyse(&parts[0], scopes)?),
                self.analyse_all(&parts[1..], scopes)?,
            ),
            "PROGV" => Node::Progv(Box::new([
                self.analyse(&parts[0], scopes)?,
                self.analyse(&parts[1], scopes)?,
                self.progn(&parts[2..], scopes)?,
            ])),
            "EVAL-WHEN" if is_now(&parts[0]) => self.progn(&parts[1..], scopes)?,
            "EVAL-WHEN" => Node::Constant(Datum::nil()),
            "DEFUN" => {
                let name = function_name(&parts[0])?;
                let body = Datum::list(parts[2..].iter().cloned());
                let lambda = self.lambda(Some(&name), &parts[1], &body, scopes)?;
                Node::DefineFunction(self.global_index(&name), Rc::new(lambda))
            }
            "DEFMACRO" => Node::DefineMacro(
                symbol(&parts[0])?.clone(),
                parts[1].clone(),
                Datum::list(parts[2..].iter().cloned()),
            ),
            // DEFVAR, DEFPARAMETER, DEFCONSTANT
            _ => {
                let variable = self.global_index(symbol(&parts[0])?);
                self.globals[variable].special = true;
                let value = match parts.get(1) {
                    Some(form) => Some(Box::new(self.analyse(form, scopes)?)),
                    None => None,
                };
                Node::DefineVariable {
                    variable,
                    value,
                    keep: name == "DEFVAR",
                }
            }
        };
        Ok(Some(node))
    }

    fn form_and_body(&mut self, parts: &[Datum], scopes: &mut Scopes) -> Flow<Box<[Node; 2]>> {
        Ok(Box::new([
            self.analyse(&parts[0], scopes)?,
            self.progn(&parts[1..], scopes)?,
        ]))
    }

    fn function_node(&mut self, name: &Datum, scopes: &mut Scopes) -> Flow<Node> {
        if let Datum::Cons(cell) = name
            && is_lambda(&cell.car)
        {
            return self.analyse(name, scopes);
        }
        let name = function_name(name)?;
        Ok(match find_function(&name, scopes) {
            Some(address) => Node::Local(address),
            None => Node::GlobalFunction(self.global_index(&name)),
        })
    }

    fn cond(&mut self, clauses: &[Datum], scopes: &mut Scopes) -> Flow<Node> {
        let clauses = clauses.iter().map(|clause| {
            let forms = parts(clause, 1, super::ANY)?;
            let test = self.analyse(&forms[0], scopes)?;
            let body = match &forms[1..] {
                [] => None,
                body => Some(self.progn(body, scopes)?),
            };
            Ok((test, body))
        });
        Ok(Node::Cond(clauses.collect::<Flow<_>>()?))
    }

    fn setq(&mut self, parts: &[Datum], scopes: &mut Scopes) -> Flow<Node> {
        if !parts.len().is_multiple_of(2) {
            return error("SETQ of a variable without a value");
        }
        let mut settings = Vec::new();
        for pair in parts.chunks_exact(2) {
            let name = variable_name(&pair[0])?;
            let value = Box::new(self.analyse(&pair[1], scopes)?);
            settings.push(match find_variable(&name, scopes) {
                Some(address) => Node::Set(address, value),
                None => Node::SetGlobal(self.global_index(&name), value),
            });
        }
        Ok(match settings.len() {
            0 => Node::Constant(Datum::nil()),
            1 => settings.remove(0),
            _ => Node::Progn(settings.into()),
        })
    }

    /// The global variable that a binding of the name binds, if it is special.
    pub(super) fn special(&mut self, name: &Symbol, declared: &[Symbol]) -> Option<GlobalIndex> {
        let index = self.global_index(name);
        (self.globals[index].special || declared.contains(name)).then_some(index)
    }

    fn let_node(&mut self, parts: &[Datum], sequential: bool, scopes: &mut Scopes) -> Flow<Node> {
        let bindings = self::parts(&parts[0], 0, super::ANY)?;
        let (declared, body) = declarations(&parts[1..]);
        let mut names = Vec::new();
        let mut values = Vec::new();
        let mut specials = Vec::new();
        if sequential {
            scopes.push(Scope::Variables(Vec::new()));
        }
        for (slot, binding) in bindings.iter().enumerate() {
            let (name, value) = match binding {
                Datum::Cons(_) => {
                    let binding = self::parts(binding, 1, 2)?;
                    let value = self.progn(&binding[1..], scopes)?;
                    (variable_name(&binding[0])?, value)
                }
                _ => (variable_name(binding)?, Node::Constant(Datum::nil())),
            };
            values.push(value);
            let name = match self.special(&name, &declared) {
                Some(index) => {
                    specials.push((slot as u32, index));
                    None
                }
                None => Some(name),
            };
            match scopes.last_mut() {
                Some(Scope::Variables(visible)) if sequential => visible.push(name),
                _ => names.push(name),
            }
        }
        if !sequential {
            scopes.push(Scope::Variables(names));
        }
        let body = self.progn(body, scopes);
        scopes.pop();
        Ok(Node::Let(Box::new(Let {
            values: values.into(),
            specials: specials.into(),
            sequential,
            body: body?,
        })))
    }

    fn functions(&mut self, parts: &[Datum], recursive: bool, scopes: &mut Scopes) -> Flow<Node> {
        let mut definitions = Vec::new();
        for definition in self::parts(&parts[0], 0, super::ANY)? {
            let parts = self::parts(&definition, 2, super::ANY)?;
            let body = Datum::list(parts[2..].iter().cloned());
            definitions.push((function_name(&parts[0])?, parts[1].clone(), body));
        }
        let scope = self.begin_scope();
        let names: Vec<_> = definitions.iter().map(|(name, ..)| name.clone()).collect();
        let mut names = Some(Scope::Functions(names));
        if recursive {
            scopes.extend(names.take());
            for (name, ..) in &definitions {
                self.hide_macro(name);
            }
        }
        let mut functions = Vec::new();
        for (name, lambda_list, body) in &definitions {
            let lambda = self.lambda(Some(name), lambda_list, body, scopes)?;
            functions.push(Rc::new(lambda));
        }
        scopes.extend(names);
        for (name, ..) in &definitions {
            self.hide_macro(name);
        }
        let body = self.progn(declarations(&parts[1..]).1, scopes);
        scopes.pop();
        self.end_scope(scope);
        Ok(Node::Functions(Box::new(Functions {
            functions: functions.into(),
            recursive,
            body: body?,
        })))
    }

    fn macrolet(&mut self, parts: &[Datum], scopes: &mut Scopes) -> Flow<Node> {
        let scope = self.begin_scope();
        for definition in self::parts(&parts[0], 0, super::ANY)? {
            let parts = self::parts(&definition, 2, super::ANY)?;
            let body = Datum::list(parts[2..].iter().cloned());
            let expander = Macro::new(&parts[1], &body);
            let name = symbol(&parts[0])?.clone();
            self.locals.push((name, Some(Rc::new(expander))));
        }
        let body = self.progn(declarations(&parts[1..]).1, scopes);
        self.end_scope(scope);
        body
    }

    fn tagbody(&mut self, parts: &[Datum], scopes: &mut Scopes) -> Flow<Node> {
        let (mut tags, mut targets, mut statements) = (Vec::new(), Vec::new(), Vec::new());
        for part in parts {
            if let Datum::Cons(_) = part {
                statements.push(part.clone());
            } else {
                tags.push(part.clone());
                targets.push(statements.len());
            }
        }
        scopes.push(Scope::Tags(tags));
        let statements = self.analyse_all(&statements, scopes);
        scopes.pop();
        Ok(Node::Tagbody(statements?, targets.into()))
    }
}

/// The elements of a list with so many elements.
pub(super) fn parts(list: &Datum, least: usize, most: usize) -> Flow<Vec<Datum>> {
    match list.proper_list() {
        Some(parts) if (least..=most).contains(&parts.len()) => Ok(parts),
        Some(_) => error(format!("{} has a wrong number of parts", Brief(list))),
        None => error(format!("{} is not a list", Brief(list))),
    }
}

/// A datum in a message: not more than a line of it.
pub(super) struct Brief<'a>(pub &'a Datum);

impl std::fmt::Display for Brief<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = self.0.to_string();
        match text.char_indices().nth(60) {
            Some((end, _)) => write!(f, "{}...", &text[..end]),
            None => f.write_str(&text),
        }
    }
}

fn is_lambda(datum: &Datum) -> bool {
    matches!(datum, Datum::Symbol(symbol) if symbol.is("LAMBDA"))
}

fn is_constant(symbol: &Symbol) -> bool {
    symbol.package == Package::Keyword || symbol.is("NIL") || symbol.is("T")
}

fn symbol(datum: &Datum) -> Flow<&Symbol> {
    match datum {
        Datum::Symbol(symbol) => Ok(symbol),
        _ => error(format!("{} is not a symbol", Brief(datum))),
    }
}

pub(super) fn variable_name(datum: &Datum) -> Flow<Symbol> {
    match datum {
        Datum::Symbol(symbol) if !is_constant(symbol) => Ok(symbol.clone()),
        _ => error(format!("{} is not the name of a variable", Brief(datum))),
    }
}

/// The symbol that has the function called `name`. `(setf x)` is the symbol
/// `|(SETF X)|` of the package of X.
pub fn function_name_symbol(name: &Datum) -> Option<Symbol> {
    match name {
        Datum::Symbol(symbol) => Some(symbol.clone()),
        _ => match &name.proper_list()?[..] {
            [Datum::Symbol(setf), Datum::Symbol(place)] if setf.is("SETF") => Some(Symbol {
                package: place.package,
                name: format!("(SETF {})", place.name).into(),
            }),
            _ => None,
        },
    }
}

pub(super) fn function_name(name: &Datum) -> Flow<Symbol> {
    match function_name_symbol(name) {
        Some(symbol) => Ok(symbol),
        None => error(format!("{} is not the name of a function", Brief(name))),
    }
}

/// Whether an EVAL-WHEN with these situations is evaluated at compile time.
pub(super) fn is_now(situations: &Datum) -> bool {
    situations.elements().any(|situation| {
        situation.as_symbol().is_some_and(|symbol| {
            matches!(
                &*symbol.name,
                "COMPILE-TOPLEVEL" | "COMPILE" | "EXECUTE" | "EVAL"
            )
        })
    })
}

fn find_variable(name: &Symbol, scopes: &Scopes) -> Option<Address> {
    find(scopes, |scope| match scope {
        Scope::Variables(names) => names.iter().rposition(|other| other.as_ref() == Some(name)),
        _ => None,
    })
}

fn find_function(name: &Symbol, scopes: &Scopes) -> Option<Address> {
    find(scopes, |scope| match scope {
        Scope::Functions(names) => names.iter().rposition(|other| other == name),
        _ => None,
    })
}

fn find(scopes: &Scopes, slot: impl Fn(&Scope) -> Option<usize>) -> Option<Address> {
    scopes.iter().rev().enumerate().find_map(|(depth, scope)| {
        Some(Address {
            slot: slot(scope)? as u32,
            depth: depth as u32,
        })
    })
}
