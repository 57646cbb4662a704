//! LET and its relatives, declarations.

use super::super::globals::GlobalVariable;
use super::super::tree::{Node, ScopeId, VariableId};
use super::{Name, Parser, is_self_evaluating};
use crate::Result;
use crate::datum::{Datum, Symbol};

/// What the declarations of a body say.
#[derive(Default)]
pub(super) struct Declarations {
    pub special: Vec<Symbol>,
    pub float: Vec<Symbol>,
}

/// Whether a type is that of floats.
pub(super) fn is_float_type(kind: &Datum) -> bool {
    let name = match kind {
        Datum::Cons(cell) => cell.car.as_symbol(),
        kind => kind.as_symbol(),
    };
    name.is_some_and(|name| {
        matches!(
            &*name.name,
            "SINGLE-FLOAT" | "FLOAT" | "SHORT-FLOAT" | "DOUBLE-FLOAT" | "LONG-FLOAT"
        )
    })
}

impl Parser<'_> {
    /// Takes declarations and documentation off the beginning of a body.
    pub(super) fn declarations<'d>(
        &self,
        body: &'d [Datum],
    ) -> Result<(Declarations, &'d [Datum])> {
        let mut declarations = Declarations::default();
        let mut rest = body;
        loop {
            match rest {
                [Datum::String(_), _, ..] => rest = &rest[1..],
                [form, ..] if form.operator().is_some_and(|name| name.is("DECLARE")) => {
                    for specifier in form.elements().skip(1) {
                        self.declaration(specifier, &mut declarations)?;
                    }
                    rest = &rest[1..];
                }
                _ => return Ok((declarations, rest)),
            }
        }
    }

    fn declaration(&self, specifier: &Datum, declarations: &mut Declarations) -> Result<()> {
        let Some(name) = specifier.operator() else {
            return self.error_at(specifier, format!("{specifier} is not a declaration"));
        };
        let arguments = || specifier.elements().skip(1);
        let symbols = |skip| {
            arguments()
                .skip(skip)
                .filter_map(|argument| argument.as_symbol().cloned())
        };
        if name.is("SPECIAL") {
            declarations.special.extend(symbols(0));
        } else if name.is("TYPE") {
            if arguments().next().is_some_and(is_float_type) {
                declarations.float.extend(symbols(1));
            }
        } else if is_float_type(&Datum::Symbol(name.clone())) {
            declarations.float.extend(symbols(0));
        }
        Ok(())
    }

    /// A body in whose declarations the variables `bound` may be described. Names
    /// stay in scope.
    pub(super) fn body(&mut self, body: &[Datum], bound: &[VariableId]) -> Result<Node> {
        let (declarations, forms) = self.declarations(body)?;
        self.declare(&declarations, bound);
        self.progn(forms)
    }

    /// Applies declarations to variables that are bound with them, and to others.
    pub(super) fn declare(&mut self, declarations: &Declarations, bound: &[VariableId]) {
        for &id in bound {
            let variable = &mut self.unit.variables[id.index()];
            variable.float |= declarations.float.contains(&variable.name);
        }
        for symbol in &declarations.special {
            let is_bound = bound
                .iter()
                .any(|&id| self.unit.variable(id).name == *symbol);
            if !is_bound {
                self.names.push(Name::Special(symbol.clone()));
            }
        }
    }

    /// Makes a variable. It is not yet in scope.
    pub(super) fn bind(
        &mut self,
        name: &Symbol,
        scope: ScopeId,
        declarations: &Declarations,
    ) -> Result<VariableId> {
        let special = match self.globals.variables.get(name) {
            Some(GlobalVariable::Special) => true,
            Some(GlobalVariable::Global) => {
                return Err(self.error_of_binding(
                    name,
                    format!("{name} cannot be bound: it is declared SI:GLOBAL"),
                ));
            }
            Some(GlobalVariable::Constant(_)) => {
                return Err(self
                    .error_of_binding(name, format!("{name} cannot be bound: it is a constant")));
            }
            None if is_self_evaluating(name) => {
                return Err(self
                    .error_of_binding(name, format!("{name} cannot be bound: it is a constant")));
            }
            None => declarations.special.contains(name),
        };
        Ok(self.new_variable(name.clone(), scope, special))
    }

    pub(super) fn bring_into_scope(&mut self, id: VariableId) {
        let name = self.unit.variable(id).name.clone();
        self.names.push(Name::Variable(name, id));
    }

    /// `name`, `(name)` or `(name value)`.
    fn binding<'d>(&self, binding: &'d Datum, what: &str) -> Result<(&'d Symbol, Datum)> {
        let mut elements = binding.elements();
        let parts = match binding {
            Datum::Symbol(name) => return Ok((name, Datum::nil())),
            _ => (elements.next(), elements.next(), elements.next()),
        };
        match parts {
            (Some(Datum::Symbol(name)), value, None) => {
                Ok((name, value.cloned().unwrap_or_else(Datum::nil)))
            }
            _ => self.error_at(
                binding,
                format!("{binding} is not a binding of {what}: (variable value)"),
            ),
        }
    }

    pub(super) fn bindings(&self, form: &[Datum], what: &str) -> Result<(Vec<Datum>, Vec<Datum>)> {
        match form.split_first() {
            Some((bindings, body)) => match bindings.proper_list() {
                Some(bindings) => Ok((bindings, body.to_vec())),
                None => self.error_at(
                    bindings,
                    format!(
                        "{what} must be ({} ((variable value) ...) form ...)",
                        what.to_lowercase()
                    ),
                ),
            },
            None => self.error(format!(
                "{what} must be ({} ((variable value) ...) form ...)",
                what.to_lowercase()
            )),
        }
    }

    pub(super) fn let_form(&mut self, arguments: &[Datum]) -> Result<Node> {
        let (list, body) = self.bindings(arguments, "LET")?;
        let (declarations, forms) = self.declarations(&body)?;
        let scope = self.new_scope();
        let mut bindings = Vec::with_capacity(list.len());
        for binding in &list {
            let (name, value) = self.binding(binding, "LET")?;
            let value = self.form(&value)?;
            bindings.push((self.bind(name, scope, &declarations)?, value));
        }
        self.check_different(&bindings)?;
        self.let_body(scope, bindings, &declarations, forms)
    }

    /// A LET whose values are known: its variables are bound for `forms`.
    pub(super) fn let_body(
        &mut self,
        scope: ScopeId,
        bindings: Vec<(VariableId, Node)>,
        declarations: &Declarations,
        forms: &[Datum],
    ) -> Result<Node> {
        let body = self.scoped(scope, |this| {
            let ids: Vec<_> = bindings.iter().map(|(id, _)| *id).collect();
            for &id in &ids {
                this.bring_into_scope(id);
            }
            this.declare(declarations, &ids);
            this.progn(forms)
        })?;
        Ok(make_let(scope, bindings, body))
    }

    fn check_different(&self, bindings: &[(VariableId, Node)]) -> Result<()> {
        for (index, (id, _)) in bindings.iter().enumerate() {
            let name = &self.unit.variable(*id).name;
            let mut others = bindings[..index].iter();
            if others.any(|(other, _)| self.unit.variable(*other).name == *name) {
                return Err(self.error_of_binding(name, format!("{name} is bound twice")));
            }
        }
        Ok(())
    }

    pub(super) fn let_star(&mut self, arguments: &[Datum]) -> Result<Node> {
        let (list, body) = self.bindings(arguments, "LET*")?;
        let (declarations, forms) = self.declarations(&body)?;
        let outer = self.scope;
        let names = self.names.len();
        let node = self.sequence(&declarations, |this, sequence| {
            for binding in &list {
                let (name, value) = this.binding(binding, "LET*")?;
                let value = this.form(&value)?;
                this.bind_next(sequence, name, value)?;
            }
            this.declare(&declarations, &sequence.ids());
            this.progn(forms)
        });
        self.scope = outer;
        self.names.truncate(names);
        node
    }

    /// Variables bound one after the other, then a body. The caller restores scope
    /// and names.
    pub(super) fn sequence<'d>(
        &mut self,
        declarations: &'d Declarations,
        parse: impl FnOnce(&mut Self, &mut Sequence<'d>) -> Result<Node>,
    ) -> Result<Node> {
        let mut sequence = Sequence {
            declarations,
            groups: Vec::new(),
        };
        let body = parse(self, &mut sequence)?;
        Ok(sequence
            .groups
            .into_iter()
            .rev()
            .fold(body, |body, (scope, bindings)| {
                make_let(scope, bindings, body)
            }))
    }

    /// Binds the next variable of a sequence. Variables bound dynamically need a
    /// LET of their own, since values behind them may depend on them.
    pub(super) fn bind_next(
        &mut self,
        sequence: &mut Sequence<'_>,
        name: &Symbol,
        value: Node,
    ) -> Result<VariableId> {
        // Which kind it is decides the scope.
        let id = self.bind(name, self.scope, sequence.declarations)?;
        let special = self.unit.variable(id).special;
        let scope = match sequence.groups.last() {
            Some((scope, group))
                if !special
                    && group
                        .iter()
                        .all(|(other, _)| !self.unit.variable(*other).special) =>
            {
                *scope
            }
            _ => {
                let scope = self.new_scope();
                sequence.groups.push((scope, Vec::new()));
                scope
            }
        };
        self.unit.variables[id.index()].scope = scope;
        if let Some((_, group)) = sequence.groups.last_mut() {
            group.push((id, value));
        }
        self.scope = scope;
        self.bring_into_scope(id);
        let declarations = sequence.declarations;
        self.unit.variables[id.index()].float |= declarations.float.contains(name);
        Ok(id)
    }

    pub(super) fn multiple_value_bind(&mut self, arguments: &[Datum]) -> Result<Node> {
        let usage =
            "MULTIPLE-VALUE-BIND must be (multiple-value-bind (variable ...) form form ...)";
        let [list, values, body @ ..] = arguments else {
            return self.error(usage);
        };
        let Some(list) = list.proper_list() else {
            return self.error(usage);
        };
        let values = self.form(values)?;
        let (declarations, forms) = self.declarations(body)?;
        let scope = self.new_scope();
        let mut variables = Vec::with_capacity(list.len());
        for name in &list {
            let Datum::Symbol(name) = name else {
                return self.error(format!("{name} is not the name of a variable"));
            };
            variables.push(self.bind(name, scope, &declarations)?);
        }
        let body = self.scoped(scope, |this| {
            for &id in &variables {
                this.bring_into_scope(id);
            }
            this.declare(&declarations, &variables);
            this.progn(forms)
        })?;
        Ok(match values {
            // The values are known one by one.
            Node::Values(mut nodes) if nodes.len() >= variables.len() => {
                let more = nodes.split_off(variables.len());
                let mut bindings: Vec<_> = variables.into_iter().zip(nodes).collect();
                if more.is_empty() {
                    make_let(scope, bindings, body)
                } else if let Some((_, last)) = bindings.last_mut() {
                    let value = std::mem::replace(last, Node::nil());
                    *last = Node::ValuesProg1(Box::new(value), more);
                    make_let(scope, bindings, body)
                } else {
                    let mut nodes = more;
                    nodes.push(body);
                    Node::Progn(nodes)
                }
            }
            values => Node::ValuesLet {
                scope,
                variables,
                values: Box::new(values),
                body: Box::new(body),
            },
        })
    }

    pub(super) fn symbol_macrolet(&mut self, arguments: &[Datum]) -> Result<Node> {
        let (list, body) = self.bindings(arguments, "SYMBOL-MACROLET")?;
        let names = self.names.len();
        for binding in &list {
            let (name, form) = self.binding(binding, "SYMBOL-MACROLET")?;
            self.names.push(Name::SymbolMacro(name.clone(), form));
        }
        let node = self.body(&body, &[]);
        self.names.truncate(names);
        node
    }
}

/// Variables that are bound one after the other.
pub(super) struct Sequence<'d> {
    declarations: &'d Declarations,
    groups: Vec<(ScopeId, Vec<(VariableId, Node)>)>,
}

impl Sequence<'_> {
    pub fn ids(&self) -> Vec<VariableId> {
        self.groups
            .iter()
            .flat_map(|(_, group)| group.iter().map(|(id, _)| *id))
            .collect()
    }
}

/// A LET, or only its body when there are no variables.
pub(super) fn make_let(scope: ScopeId, bindings: Vec<(VariableId, Node)>, body: Node) -> Node {
    if bindings.is_empty() {
        body
    } else {
        Node::Let {
            scope,
            bindings,
            body: Box::new(body),
        }
    }
}
