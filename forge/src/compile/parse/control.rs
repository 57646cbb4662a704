//! Places to leave to, and several values.

use super::super::tree::{ExitId, Node, Role, Statement};
use super::{Name, Parser};
use crate::Result;
use crate::datum::{Datum, Package, Symbol};

impl Parser<'_> {
    pub(super) fn block(&mut self, arguments: &[Datum]) -> Result<Node> {
        match arguments {
            [Datum::Symbol(name), body @ ..] => self.block_named(name, body),
            _ => self.error("BLOCK must be (block name form ...)"),
        }
    }

    pub(super) fn block_named(&mut self, name: &Symbol, body: &[Datum]) -> Result<Node> {
        let scope = self.new_scope();
        let exit = self.new_exit(scope);
        let node = self.scoped(scope, |this| {
            this.names.push(Name::Block(name.clone(), exit));
            this.progn(body)
        })?;
        let entry = self.unit.exit(exit);
        Ok(match entry.used || entry.escapes {
            true => Node::Block(exit, scope, Box::new(node)),
            false => node,
        })
    }

    pub(super) fn return_from(&mut self, arguments: &[Datum]) -> Result<Node> {
        let (name, value) = match arguments {
            [Datum::Symbol(name)] => (name, None),
            [Datum::Symbol(name), value] => (name, Some(value)),
            _ => return self.error("RETURN-FROM must be (return-from name value)"),
        };
        let exit = self.names.iter().rev().find_map(|entry| match entry {
            Name::Block(block, exit) if block == name => Some(*exit),
            _ => None,
        });
        let Some(exit) = exit else {
            return self.error(format!("there is no BLOCK {name} around this RETURN-FROM"));
        };
        let value = match value {
            Some(value) => self.form(value)?,
            None => Node::nil(),
        };
        self.leave(exit);
        Ok(Node::ReturnFrom(exit, Box::new(value)))
    }

    pub(super) fn tagbody(&mut self, arguments: &[Datum]) -> Result<Node> {
        let scope = self.new_scope();
        let exit = self.new_exit(scope);
        let statements = self.scoped(scope, |this| this.statements(exit, arguments))?;
        let entry = self.unit.exit(exit);
        if entry.used || entry.escapes {
            return Ok(Node::Tagbody(exit, scope, statements));
        }
        let mut nodes: Vec<_> = statements
            .into_iter()
            .filter_map(|statement| match statement {
                Statement::Node(node) => Some(node),
                Statement::Tag(_) => None,
            })
            .collect();
        nodes.push(Node::nil());
        Ok(Node::Progn(nodes))
    }

    fn statements(&mut self, exit: ExitId, arguments: &[Datum]) -> Result<Vec<Statement>> {
        let is_tag = |form: &Datum| matches!(form, Datum::Symbol(_) | Datum::Integer(_));
        for (number, tag) in (0..).zip(arguments.iter().filter(|form| is_tag(form))) {
            let seen = self
                .names
                .iter()
                .any(|name| matches!(name, Name::Tag(other, id, _) if *id == exit && other == tag));
            if seen {
                return self.error(format!("the tag {tag} is there twice"));
            }
            self.names.push(Name::Tag(tag.clone(), exit, number));
        }
        let mut next = 0;
        let mut statements = Vec::with_capacity(arguments.len());
        for form in arguments {
            if is_tag(form) {
                statements.push(Statement::Tag(next));
                next += 1;
            } else {
                statements.push(Statement::Node(self.form(form)?));
            }
        }
        Ok(statements)
    }

    pub(super) fn go(&mut self, arguments: &[Datum]) -> Result<Node> {
        let [tag @ (Datum::Symbol(_) | Datum::Integer(_))] = arguments else {
            return self.error("GO must be (go tag)");
        };
        let found = self.names.iter().rev().find_map(|entry| match entry {
            Name::Tag(other, exit, number) if other == tag => Some((*exit, *number)),
            _ => None,
        });
        let Some((exit, number)) = found else {
            return self.error(format!("there is no tag {tag} around this GO"));
        };
        self.leave(exit);
        Ok(Node::Go(exit, number))
    }

    pub(super) fn catch(&mut self, arguments: &[Datum]) -> Result<Node> {
        let [tag, body @ ..] = arguments else {
            return self.error("CATCH must be (catch tag form ...)");
        };
        let tag = self.form(tag)?;
        let body = self.progn(body)?;
        Ok(Node::Catch(Box::new(tag), Box::new(body)))
    }

    pub(super) fn throw(&mut self, arguments: &[Datum]) -> Result<Node> {
        let [tag, value] = arguments else {
            return self.error("THROW must be (throw tag value)");
        };
        let tag = self.form(tag)?;
        let value = self.form(value)?;
        Ok(Node::Throw(Box::new(tag), Box::new(value)))
    }

    pub(super) fn unwind_protect(&mut self, arguments: &[Datum]) -> Result<Node> {
        let [form, cleanup @ ..] = arguments else {
            return self.error("UNWIND-PROTECT must be (unwind-protect form clean-up-form ...)");
        };
        if cleanup.is_empty() {
            return self.form(form);
        }
        let name = Symbol::new(Package::System, "*UNWIND-PROTECT*");
        let form = self.part(Role::Protected, name, std::slice::from_ref(form))?;
        let name = Symbol::new(Package::System, "CLEAN-UP");
        let cleanup = self.part(Role::Part, name, cleanup)?;
        Ok(Node::Protect(form, cleanup))
    }

    pub(super) fn values(&mut self, arguments: &[Datum]) -> Result<Node> {
        Ok(Node::Values(self.forms(arguments)?))
    }

    pub(super) fn values_list(&mut self, arguments: &[Datum]) -> Result<Node> {
        match arguments {
            [list] => Ok(Node::ValuesList(Box::new(self.form(list)?))),
            _ => self.error("VALUES-LIST must be (values-list list)"),
        }
    }

    pub(super) fn multiple_value_list(&mut self, arguments: &[Datum]) -> Result<Node> {
        match arguments {
            [form] => Ok(Node::MultipleValueList(Box::new(self.form(form)?))),
            _ => self.error("MULTIPLE-VALUE-LIST must be (multiple-value-list form)"),
        }
    }

    pub(super) fn multiple_value_prog1(&mut self, arguments: &[Datum]) -> Result<Node> {
        let [first, rest @ ..] = arguments else {
            return self.error("MULTIPLE-VALUE-PROG1 must be (multiple-value-prog1 form form ...)");
        };
        let first = self.form(first)?;
        let rest = self.forms(rest)?;
        Ok(Node::ValuesProg1(Box::new(first), rest))
    }

    pub(super) fn multiple_value_call(&mut self, arguments: &[Datum]) -> Result<Node> {
        let [function, forms @ ..] = arguments else {
            return self
                .error("MULTIPLE-VALUE-CALL must be (multiple-value-call function form ...)");
        };
        let function = self.form(function)?;
        let forms = self.forms(forms)?;
        if forms.len() > 1 {
            self.note_use(&Symbol::lisp("APPEND"), Some(2));
        }
        Ok(Node::ValuesCall(Box::new(function), forms))
    }
}
