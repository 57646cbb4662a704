//! Calls.

use geiko_runtime::isa::Opcode;

use super::super::globals::RecordFunction;
use super::super::tree::{FunctionId, Node};
use super::Parser;
use crate::Result;
use crate::assemble::Operand;
use crate::datum::{Datum, Package, Symbol};

/// Arguments of a call, at most: the instruction has a byte for them.
const MAX_ARGUMENTS: usize = 255;

impl Parser<'_> {
    /// A call of a global function.
    pub(super) fn call(&mut self, name: &Symbol, arguments: &[Datum]) -> Result<Node> {
        if self.globals.may_inline(name) {
            if let Some(node) = self.inline(name, arguments)? {
                return Ok(node);
            }
            if let Some(node) = self.record(name, arguments)? {
                return Ok(node);
            }
        }
        self.note_use(name, Some(arguments.len()));
        if let Some(used) = self.globals.uses.last_mut() {
            let is_keyword = |argument: &Datum| match argument {
                Datum::Symbol(symbol) if symbol.package == Package::Keyword => Some(symbol.clone()),
                _ => None,
            };
            let keywords = (0..).zip(arguments.iter().map(is_keyword));
            used.keywords = keywords
                .filter_map(|(position, keyword)| Some((position, keyword?)))
                .collect();
        }
        let arguments = self.arguments(arguments)?;
        Ok(Node::Call(name.clone(), arguments))
    }

    pub(super) fn arguments(&mut self, arguments: &[Datum]) -> Result<Vec<Node>> {
        if arguments.len() > MAX_ARGUMENTS {
            return self.error(format!(
                "a call can have {MAX_ARGUMENTS} arguments, not {}",
                arguments.len()
            ));
        }
        self.forms(arguments)
    }

    pub(super) fn call_local(
        &mut self,
        name: &Symbol,
        function: FunctionId,
        arguments: &[Datum],
    ) -> Result<Node> {
        let arity = self.unit.function(function).arity;
        self.check_arity(name, arity, arguments.len())?;
        self.refer_to_function(function);
        let arguments = self.arguments(arguments)?;
        Ok(Node::CallLocal(function, arguments))
    }

    pub(super) fn funcall(&mut self, arguments: &[Datum]) -> Result<Node> {
        let [function, arguments @ ..] = arguments else {
            return self.error("FUNCALL must be (funcall function argument ...)");
        };
        let quoted = function
            .operator()
            .filter(|head| head.package == Package::Lisp)
            .zip(function.elements().nth(1));
        match quoted {
            // The function that the symbol has then: nothing is known of it.
            Some((head, Datum::Symbol(name))) if head.is("QUOTE") => {
                let arguments = self.arguments(arguments)?;
                return Ok(Node::Call(name.clone(), arguments));
            }
            Some((head, name)) if head.is("FUNCTION") => {
                let form = Datum::cons(name.clone(), Datum::list(arguments.iter().cloned()));
                let is_lambda = name.operator().is_some_and(|head| head.is("LAMBDA"));
                if is_lambda || matches!(name, Datum::Symbol(name) if !self.is_macro(name)) {
                    return self.list_form(&form);
                }
            }
            Some((head, _)) if head.is("LAMBDA") => return self.call_lambda(function, arguments),
            _ => {}
        }
        let function = self.form(function)?;
        let arguments = self.arguments(arguments)?;
        Ok(Node::Funcall(Box::new(function), arguments))
    }

    /// Whether a call form with that name would not be a call.
    pub(super) fn is_macro(&self, name: &Symbol) -> bool {
        match self.local_function(name) {
            Some(function) => function.is_none(),
            None => {
                super::special::find(name).is_some() && !name.is("VALUES")
                    || self.expander.is_macro(name)
            }
        }
    }

    pub(super) fn apply(&mut self, arguments: &[Datum]) -> Result<Node> {
        let [function, arguments @ ..] = arguments else {
            return self.error("APPLY must be (apply function argument ... list)");
        };
        if arguments.is_empty() {
            return self.error("APPLY must be (apply function argument ... list)");
        }
        let function = self.form(function)?;
        let arguments = self.arguments(arguments)?;
        Ok(Node::Apply(Box::new(function), arguments))
    }

    /// A function of a record, without a call.
    fn record(&mut self, name: &Symbol, arguments: &[Datum]) -> Result<Option<Node>> {
        let Some(record) = self.globals.records.get(name) else {
            return Ok(None);
        };
        Ok(match (record.clone(), arguments) {
            (RecordFunction::Constructor(kind, fields), arguments) => {
                self.constructor(&kind, &fields, arguments)?
            }
            (RecordFunction::Accessor(kind, offset), [object]) => {
                let object = self.form(object)?;
                Some(read_field(checked(&kind, object), offset))
            }
            (RecordFunction::Setter(kind, offset), [object, value]) => {
                let object = self.form(object)?;
                let value = self.form(value)?;
                let stored = Node::Raw {
                    opcode: Opcode::RplPtrN,
                    operands: vec![Operand::Number(offset.into())],
                    arguments: vec![checked(&kind, object), value],
                };
                Some(read_field(stored, offset))
            }
            (RecordFunction::Predicate(kind), [object]) => Some(Node::Raw {
                opcode: Opcode::InstanceP,
                operands: vec![Operand::Symbol(kind)],
                arguments: vec![self.form(object)?],
            }),
            _ => None,
        })
    }

    /// A call of a constructor whose keywords are written out.
    fn constructor(
        &mut self,
        kind: &Symbol,
        fields: &[(Symbol, Datum)],
        arguments: &[Datum],
    ) -> Result<Option<Node>> {
        if arguments.len() % 2 == 1 {
            return Ok(None);
        }
        let mut given = Vec::with_capacity(arguments.len() / 2);
        for pair in arguments.chunks_exact(2) {
            let field = pair[0].as_symbol().and_then(|keyword| {
                let is_keyword = keyword.package == Package::Keyword;
                let named = |(field, _): &(Symbol, Datum)| field.name == keyword.name;
                fields.iter().position(named).filter(|_| is_keyword)
            });
            match field {
                Some(field) if !given.iter().any(|(other, _)| *other == field) => {
                    given.push((field, &pair[1]));
                }
                _ => return Ok(None),
            }
        }
        let offset = |field: usize| u8::try_from(2 * field).ok();
        let mut values = Vec::with_capacity(fields.len());
        for &(field, form) in &given {
            let Some(offset) = offset(field) else {
                return Ok(None);
            };
            let value = self.form(form)?;
            values.push((offset, value));
        }
        for (field, (_, default)) in fields.iter().enumerate() {
            if given.iter().any(|(other, _)| *other == field) {
                continue;
            }
            // Other forms might mean something else here.
            let constant = match default {
                Datum::Symbol(symbol) => super::is_self_evaluating(symbol),
                Datum::Cons(_) => default.operator().is_some_and(|head| head.is("QUOTE")),
                _ => true,
            };
            let Some(offset) = offset(field).filter(|_| constant) else {
                return Ok(None);
            };
            let value = self.form(default)?;
            if !value.is_nil() {
                values.push((offset, value));
            }
        }
        Ok(Some(Node::Make(kind.clone(), values)))
    }
}

/// An object, once its type has been checked.
fn checked(kind: &Symbol, object: Node) -> Node {
    Node::Raw {
        opcode: Opcode::Dtest,
        operands: vec![Operand::Symbol(kind.clone())],
        arguments: vec![object],
    }
}

/// The pointer at a word offset of an object.
fn read_field(object: Node, offset: u8) -> Node {
    Node::Raw {
        opcode: Opcode::GetBasePtrN,
        operands: vec![Operand::Number(offset.into())],
        arguments: vec![object],
    }
}
