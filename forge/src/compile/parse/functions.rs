//! Functions: LAMBDA, FLET, LABELS, and their lambda lists.

use std::collections::BTreeSet;

use super::super::lambda_list::{LambdaList, Optional};
use super::super::tree::{Arity, Function, FunctionId, Node, Role, Scope, ScopeId, Strategy, Unit};
use super::binding::Sequence;
use super::{Name, Parser};
use crate::datum::{Datum, Package, Symbol};
use crate::{Error, Result};

/// A function of the program to be compiled.
pub struct Definition<'d> {
    /// Its name.
    pub name: &'d Symbol,
    /// The name of the block around its body, if there is one.
    pub block: Option<Symbol>,
    /// Its parameters.
    pub lambda_list: &'d Datum,
    /// Its body.
    pub body: &'d [Datum],
    /// The form that it is in.
    pub source: &'d Datum,
}

/// The block of a function called `x` or `(setf x)`.
pub fn block_name(name: &Datum) -> Option<Symbol> {
    match name {
        Datum::Symbol(symbol) => Some(symbol.clone()),
        name => name.elements().nth(1)?.as_symbol().cloned(),
    }
}

impl Parser<'_> {
    /// The unit of a function of the program, or all that is wrong with it.
    pub fn definition(
        mut self,
        definition: &Definition<'_>,
    ) -> std::result::Result<Unit, Vec<Error>> {
        self.source = definition.source.clone();
        let result = self.function_of(
            definition.name,
            definition.lambda_list,
            definition.body,
            definition.block.as_ref(),
        );
        if let Err(error) = result {
            self.note_error(error);
        }
        match self.errors.is_empty() {
            true => Ok(self.unit),
            false => Err(self.errors),
        }
    }

    /// A part of a form that must be a function without arguments.
    pub(super) fn part(&mut self, role: Role, name: Symbol, body: &[Datum]) -> Result<FunctionId> {
        let list = LambdaList::default();
        let id = self.new_function(&name, &list);
        self.unit.functions[id.index()].role = role;
        self.function_body(id, &list, body, None)?;
        Ok(id)
    }

    /// A function here. The first one is the whole unit.
    pub(super) fn function_of(
        &mut self,
        name: &Symbol,
        lambda_list: &Datum,
        body: &[Datum],
        block: Option<&Symbol>,
    ) -> Result<FunctionId> {
        let list = LambdaList::parse(lambda_list, &self.place)?;
        let id = self.new_function(name, &list);
        self.function_body(id, &list, body, block)?;
        Ok(id)
    }

    /// A function whose body is not yet known.
    fn new_function(&mut self, name: &Symbol, list: &LambdaList) -> FunctionId {
        let id = FunctionId(self.unit.functions.len() as u32);
        let inside = !self.unit.functions.is_empty();
        let scope = ScopeId(self.unit.scopes.len() as u32);
        self.unit.scopes.push(Scope {
            function: id,
            parent: inside.then_some(self.scope),
            captured: Vec::new(),
            linked: false,
        });
        self.unit.functions.push(Function {
            name: name.clone(),
            role: Role::Ordinary,
            place: self.place.clone(),
            parent: inside.then_some(self.function),
            outer: inside.then_some(self.scope),
            scope,
            names: list.names(),
            required: Vec::new(),
            arity: list.arity(),
            counts: list.counts(),
            body: Node::nil(),
            uses: BTreeSet::new(),
            calls: BTreeSet::new(),
            variable: None,
            escapes: false,
            strategy: Strategy::Closure,
            needs: BTreeSet::new(),
        });
        id
    }

    fn function_body(
        &mut self,
        id: FunctionId,
        list: &LambdaList,
        body: &[Datum],
        block: Option<&Symbol>,
    ) -> Result<()> {
        let outer = std::mem::replace(&mut self.function, id);
        let scope = self.unit.function(id).scope;
        let node = self.scoped(scope, |this| {
            let (declarations, forms) = this.declarations(body)?;
            let mut required = Vec::with_capacity(list.required.len());
            for (index, name) in list.required.iter().enumerate() {
                if list.required[..index].contains(name) {
                    return Err(this.error_of_binding(name, format!("{name} is a parameter twice")));
                }
                let variable = this.bind(name, scope, &declarations)?;
                this.unit.variables[variable.index()].argument = Some(index as u16);
                required.push(variable);
            }
            for &variable in &required {
                this.bring_into_scope(variable);
            }
            this.declare(&declarations, &required);
            this.unit.functions[id.index()].required = required;
            let node = this.sequence(&declarations, |this, sequence| {
                this.parameters(list, sequence)?;
                match block {
                    Some(name) => this.block_named(name, forms),
                    None => this.progn(forms),
                }
            })?;
            Ok(match list.counts() {
                true => Node::Progn(vec![Node::CheckArguments(list.arity()), node]),
                false => node,
            })
        })?;
        self.function = outer;
        self.unit.functions[id.index()].body = node;
        Ok(())
    }

    /// The parameters behind the required ones.
    fn parameters(&mut self, list: &LambdaList, sequence: &mut Sequence<'_>) -> Result<()> {
        let mut number = list.required.len() as u16;
        for optional in &list.optional {
            let default = self.form(&optional.default)?;
            let given = Box::new(Node::MoreArguments(number));
            let argument = Node::Argument(Box::new(Node::Constant(Datum::integer(number + 1))));
            let value = Node::If(given.clone(), Box::new(argument), Box::new(default));
            self.bind_next(sequence, &optional.name, value)?;
            if let Some(supplied) = &optional.supplied {
                self.bind_next(sequence, supplied, *given)?;
            }
            number += 1;
        }
        let first = number + 1;
        if let Some(rest) = &list.rest {
            self.bind_next(sequence, rest, Node::RestArguments(first))?;
        }
        for (key, parameter) in &list.keys {
            self.key_parameter(key, parameter, first, sequence)?;
        }
        for (name, value) in &list.aux {
            let value = self.form(value)?;
            self.bind_next(sequence, name, value)?;
        }
        Ok(())
    }

    fn key_parameter(
        &mut self,
        key: &Symbol,
        parameter: &Optional,
        first: u16,
        sequence: &mut Sequence<'_>,
    ) -> Result<()> {
        let Some(supplied) = &parameter.supplied else {
            let default = Box::new(self.form(&parameter.default)?);
            let value = Node::KeyArgument {
                key: key.clone(),
                first,
                default,
            };
            self.bind_next(sequence, &parameter.name, value)?;
            return Ok(());
        };
        let default = self.form(&parameter.default)?;
        let number = Symbol::new(Package::Uninterned, "NUMBER");
        let found = self.bind_next(sequence, &number, Node::FindKey(key.clone(), first))?;
        let number = || Box::new(Node::Variable(found));
        let argument = Box::new(Node::Argument(number()));
        let value = Node::If(number(), argument, Box::new(default));
        self.bind_next(sequence, &parameter.name, value)?;
        let given = Node::If(number(), Box::new(Node::t()), Box::new(Node::nil()));
        self.bind_next(sequence, supplied, given)?;
        Ok(())
    }

    /// `(function name)` or `(function (lambda ...))`.
    pub(super) fn function_value(&mut self, arguments: &[Datum]) -> Result<Node> {
        match arguments {
            [name] => self.function_named(name),
            _ => self.error("FUNCTION must be (function name)"),
        }
    }

    pub(super) fn function_named(&mut self, name: &Datum) -> Result<Node> {
        if name.operator().is_some_and(|head| head.is("LAMBDA")) {
            let parts: Vec<_> = name.elements().skip(1).cloned().collect();
            return self.lambda_value(&parts);
        }
        let Some(symbol) = crate::expand::function_name_symbol(name) else {
            return self.error_at(name, format!("{name} is not the name of a function"));
        };
        match self.local_function(&symbol) {
            Some(Some(function)) => {
                self.unit.functions[function.index()].escapes = true;
                self.refer_to_function(function);
                Ok(Node::LocalFunction(function))
            }
            Some(None) => self.error(format!("{symbol} is a macro, not a function")),
            None if super::special::find(&symbol).is_some()
                && !self.globals.functions.contains_key(&symbol) =>
            {
                self.error(format!("{symbol} is a special form, not a function"))
            }
            None => {
                self.note_use(&symbol, None);
                Ok(Node::Constant(Datum::Symbol(symbol)))
            }
        }
    }

    pub(super) fn lambda_value(&mut self, arguments: &[Datum]) -> Result<Node> {
        let function = self.lambda(arguments)?;
        Ok(Node::Lambda(function))
    }

    /// The function of `((parameter ...) form ...)`.
    pub(super) fn lambda(&mut self, arguments: &[Datum]) -> Result<FunctionId> {
        let [lambda_list, body @ ..] = arguments else {
            return self.error("LAMBDA must be (lambda (parameter ...) form ...)");
        };
        // Its frames are named after the function around it.
        let mut outer = self.unit.functions.get(self.function.index());
        while let Some(function) = outer.filter(|function| function.role != Role::Ordinary) {
            outer = function.parent.map(|parent| self.unit.function(parent));
        }
        let name = match outer {
            Some(outer) => outer.name.clone(),
            None => Symbol::lisp("LAMBDA"),
        };
        self.function_of(&name, lambda_list, body, None)
    }

    /// Notes that the function that is being parsed calls a local function, or uses
    /// it otherwise.
    pub(super) fn refer_to_function(&mut self, callee: FunctionId) {
        let owner = self.unit.function(callee).parent;
        let mut function = self.function;
        loop {
            let entry = &mut self.unit.functions[function.index()];
            if Some(function) == owner {
                return;
            }
            entry.calls.insert(callee);
            match entry.parent {
                Some(parent) => function = parent,
                None => return,
            }
        }
    }

    pub(super) fn flet(&mut self, arguments: &[Datum]) -> Result<Node> {
        let names = self.names.len();
        let (functions, scope, body) = self.local_functions(arguments, "FLET")?;
        for (id, list, name, forms) in &functions {
            self.function_body(*id, list, forms, Some(name))?;
        }
        let macros = self.expander.begin_scope();
        self.bring_functions_into_scope(&functions);
        let node = self.scoped(scope, |this| this.body(&body, &[]));
        self.expander.end_scope(macros);
        self.names.truncate(names);
        Ok(self.make_functions(scope, &functions, node?))
    }

    pub(super) fn labels(&mut self, arguments: &[Datum]) -> Result<Node> {
        let names = self.names.len();
        let (functions, scope, body) = self.local_functions(arguments, "LABELS")?;
        let macros = self.expander.begin_scope();
        self.bring_functions_into_scope(&functions);
        let node = self.scoped(scope, |this| {
            for (id, list, name, forms) in &functions {
                this.unit.functions[id.index()].outer = Some(scope);
                let own = this.unit.function(*id).scope;
                this.unit.scopes[own.index()].parent = Some(scope);
                this.function_body(*id, list, forms, Some(name))?;
            }
            this.body(&body, &[])
        });
        self.expander.end_scope(macros);
        self.names.truncate(names);
        Ok(self.make_functions(scope, &functions, node?))
    }

    fn make_functions(&mut self, scope: ScopeId, functions: &[LocalFunction], body: Node) -> Node {
        Node::Functions {
            scope,
            functions: functions.iter().map(|(id, ..)| *id).collect(),
            body: Box::new(body),
        }
    }

    /// The functions of FLET or LABELS without their bodies.
    fn local_functions(
        &mut self,
        arguments: &[Datum],
        what: &str,
    ) -> Result<(Vec<LocalFunction>, ScopeId, Vec<Datum>)> {
        let usage = format!(
            "{what} must be ({} ((name (parameter ...) form ...) ...) form ...)",
            what.to_lowercase()
        );
        let Some((list, body)) = arguments.split_first() else {
            return self.error(usage);
        };
        let Some(list) = list.proper_list() else {
            return self.error(usage);
        };
        let scope = self.new_scope();
        let mut functions = Vec::with_capacity(list.len());
        for definition in &list {
            let parts = definition.proper_list().unwrap_or_default();
            let [name, lambda_list, forms @ ..] = &parts[..] else {
                return self.error_at(definition, usage);
            };
            let (Some(symbol), Some(block)) =
                (crate::expand::function_name_symbol(name), block_name(name))
            else {
                return self.error_at(definition, usage);
            };
            let lambda_list = LambdaList::parse(lambda_list, &self.place)?;
            let id = self.new_function(&symbol, &lambda_list);
            if let Some(place) = definition.place() {
                self.unit.functions[id.index()].place = place.clone();
            }
            let variable = self.hidden_variable(&symbol.name, scope);
            self.unit.functions[id.index()].variable = Some(variable);
            functions.push((id, lambda_list, block, forms.to_vec()));
        }
        Ok((functions, scope, body.to_vec()))
    }

    fn bring_functions_into_scope(&mut self, functions: &[LocalFunction]) {
        for (id, ..) in functions {
            let name = self.unit.function(*id).name.clone();
            self.expander.hide_macro(&name);
            self.names.push(Name::Function(name, *id));
        }
    }

    pub(super) fn macrolet(&mut self, arguments: &[Datum]) -> Result<Node> {
        let usage = "MACROLET must be (macrolet ((name (parameter ...) form ...) ...) form ...)";
        let Some((list, body)) = arguments.split_first() else {
            return self.error(usage);
        };
        let Some(list) = list.proper_list() else {
            return self.error(usage);
        };
        let names = self.names.len();
        let macros = self.expander.begin_scope();
        for definition in &list {
            let Datum::Cons(cell) = definition else {
                return self.error(usage);
            };
            let (Datum::Symbol(name), Datum::Cons(rest)) = (&cell.car, &cell.cdr) else {
                return self.error_at(definition, usage);
            };
            self.expander.define_local_macro(name, &rest.car, &rest.cdr);
            self.names.push(Name::Macro(name.clone()));
        }
        let node = self.body(body, &[]);
        self.expander.end_scope(macros);
        self.names.truncate(names);
        node
    }

    /// A call of a LAMBDA expression: a LET if its parameters are simple.
    pub(super) fn call_lambda(&mut self, head: &Datum, arguments: &[Datum]) -> Result<Node> {
        let parts: Vec<_> = head.elements().skip(1).cloned().collect();
        let [lambda_list, body @ ..] = &parts[..] else {
            return self.error("LAMBDA must be (lambda (parameter ...) form ...)");
        };
        let list = LambdaList::parse(lambda_list, &self.place)?;
        self.check_arity(&Symbol::lisp("LAMBDA"), list.arity(), arguments.len())?;
        if list.counts() || !list.aux.is_empty() {
            let function = Node::Lambda(self.lambda(&parts)?);
            let arguments = self.forms(arguments)?;
            return Ok(Node::Funcall(Box::new(function), arguments));
        }
        let (declarations, forms) = self.declarations(body)?;
        let scope = self.new_scope();
        let mut bindings = Vec::with_capacity(arguments.len());
        for (name, argument) in list.required.iter().zip(arguments) {
            let value = self.form(argument)?;
            bindings.push((self.bind(name, scope, &declarations)?, value));
        }
        self.let_body(scope, bindings, &declarations, forms)
    }

    pub(super) fn check_arity(&self, name: &Symbol, arity: Arity, count: usize) -> Result<()> {
        match arity_message(name, arity, count) {
            Some(message) => self.error(message),
            None => Ok(()),
        }
    }
}

/// A local function, its parameters, the name of its block, its body.
type LocalFunction = (FunctionId, LambdaList, Symbol, Vec<Datum>);

/// What is wrong with a number of arguments.
pub fn arity_message(name: &Symbol, arity: Arity, count: usize) -> Option<String> {
    if arity.allows(count) {
        return None;
    }
    let plural = |count: u16| match count {
        1 => "1 argument".to_owned(),
        count => format!("{count} arguments"),
    };
    let wanted = match arity {
        Arity {
            least,
            most: Some(most),
        } if least == most => plural(least),
        Arity {
            least,
            most: Some(most),
        } => format!("{least} to {}", plural(most)),
        Arity { least, most: None } => format!("at least {}", plural(least)),
    };
    Some(format!("{name} takes {wanted}, not {count}"))
}
