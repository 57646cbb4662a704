//! Special forms: the table, and those that need nothing but a few lines.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::super::tree::{Node, Role};
use super::Parser;
use crate::Result;
use crate::datum::{Datum, Package, Symbol};

/// Parses the arguments of a special form.
pub(super) type Special = for<'p, 'a> fn(&'p mut Parser<'a>, &[Datum]) -> Result<Node>;

/// The special form with that name.
pub(super) fn find(name: &Symbol) -> Option<Special> {
    static TABLE: LazyLock<HashMap<&'static str, Special>> =
        LazyLock::new(|| SPECIAL_FORMS.iter().copied().collect());
    if name.package != Package::Lisp {
        return None;
    }
    TABLE.get(&*name.name).copied()
}

/// Whether a name belongs to a special form.
pub fn is_special_form(name: &Symbol) -> bool {
    find(name).is_some()
}

/// Whether a special form is also a function, for those who call it by name.
pub fn may_be_function(name: &Symbol) -> bool {
    matches!(&*name.name, "APPLY" | "FUNCALL" | "VALUES" | "VALUES-LIST")
}

/// Whether a special form is also a macro, for those who do not know it.
pub fn may_be_macro(name: &Symbol) -> bool {
    matches!(
        &*name.name,
        "AND"
            | "DEFUN"
            | "LAMBDA"
            | "MULTIPLE-VALUE-BIND"
            | "MULTIPLE-VALUE-LIST"
            | "OR"
            | "OPCODES"
    )
}

#[rustfmt::skip]
const SPECIAL_FORMS: &[(&str, Special)] = &[
    ("AND",                  |p, a| p.and(a)),
    ("APPLY",                |p, a| p.apply(a)),
    ("BLOCK",                |p, a| p.block(a)),
    ("CATCH",                |p, a| p.catch(a)),
    ("DECLARE",              |p, _| p.error("DECLARE can only be at the beginning of a body")),
    ("DEFUN",                |p, a| p.inner_defun(a)),
    ("EVAL-WHEN",            |p, a| p.eval_when(a)),
    ("FLET",                 |p, a| p.flet(a)),
    ("FUNCALL",              |p, a| p.funcall(a)),
    ("FUNCTION",             |p, a| p.function_value(a)),
    ("GO",                   |p, a| p.go(a)),
    ("IF",                   |p, a| p.if_form(a)),
    ("LABELS",               |p, a| p.labels(a)),
    ("LAMBDA",               |p, a| p.lambda_value(a)),
    ("LET",                  |p, a| p.let_form(a)),
    ("LET*",                 |p, a| p.let_star(a)),
    ("LOCALLY",              |p, a| p.locally(a)),
    ("MACROLET",             |p, a| p.macrolet(a)),
    ("MULTIPLE-VALUE-BIND",  |p, a| p.multiple_value_bind(a)),
    ("MULTIPLE-VALUE-CALL",  |p, a| p.multiple_value_call(a)),
    ("MULTIPLE-VALUE-LIST",  |p, a| p.multiple_value_list(a)),
    ("MULTIPLE-VALUE-PROG1", |p, a| p.multiple_value_prog1(a)),
    ("OPCODES",              |p, a| p.opcodes(a)),
    ("OR",                   |p, a| p.or(a)),
    ("PROGN",                |p, a| p.progn(a)),
    ("PROGV",                |p, a| p.progv(a)),
    ("QUOTE",                |p, a| p.quote(a)),
    ("RETURN-FROM",          |p, a| p.return_from(a)),
    ("SETQ",                 |p, a| p.setq(a)),
    ("SYMBOL-MACROLET",      |p, a| p.symbol_macrolet(a)),
    ("TAGBODY",              |p, a| p.tagbody(a)),
    ("THE",                  |p, a| p.the(a)),
    ("THROW",                |p, a| p.throw(a)),
    ("UNWIND-PROTECT",       |p, a| p.unwind_protect(a)),
    ("VALUES",               |p, a| p.values(a)),
    ("VALUES-LIST",          |p, a| p.values_list(a)),
];

impl Parser<'_> {
    fn quote(&mut self, arguments: &[Datum]) -> Result<Node> {
        match arguments {
            [datum] => Ok(Node::Constant(datum.clone())),
            _ => self.error("QUOTE must be (quote object)"),
        }
    }

    fn if_form(&mut self, arguments: &[Datum]) -> Result<Node> {
        let (test, then, other) = match arguments {
            [test, then] => (test, then, None),
            [test, then, other] => (test, then, Some(other)),
            _ => return self.error("IF must be (if test then else)"),
        };
        let test = self.form(test)?;
        let then = self.form(then)?;
        let other = match other {
            Some(other) => self.form(other)?,
            None => Node::nil(),
        };
        Ok(match test {
            Node::Constant(_) if test.is_nil() => other,
            Node::Constant(_) => then,
            Node::Not(test) => Node::If(test, Box::new(other), Box::new(then)),
            test => Node::If(Box::new(test), Box::new(then), Box::new(other)),
        })
    }

    fn and(&mut self, arguments: &[Datum]) -> Result<Node> {
        match arguments {
            [] => Ok(Node::t()),
            [form] => self.form(form),
            forms => Ok(Node::And(self.forms(forms)?)),
        }
    }

    fn or(&mut self, arguments: &[Datum]) -> Result<Node> {
        match arguments {
            [] => Ok(Node::nil()),
            [form] => self.form(form),
            forms => Ok(Node::Or(self.forms(forms)?)),
        }
    }

    fn setq(&mut self, arguments: &[Datum]) -> Result<Node> {
        if arguments.len() % 2 == 1 {
            return self.error("SETQ must be (setq variable value ...)");
        }
        let mut nodes = Vec::with_capacity(arguments.len() / 2);
        for pair in arguments.chunks_exact(2) {
            match &pair[0] {
                Datum::Symbol(symbol) => nodes.push(self.set_variable(symbol, &pair[1])?),
                other => {
                    return self.error_at(other, format!("{other} is not the name of a variable"));
                }
            }
        }
        Ok(match nodes.len() {
            0 => Node::nil(),
            1 => nodes.remove(0),
            _ => Node::Progn(nodes),
        })
    }

    fn the(&mut self, arguments: &[Datum]) -> Result<Node> {
        let [kind, form] = arguments else {
            return self.error("THE must be (the type form)");
        };
        let node = self.form(form)?;
        Ok(if super::binding::is_float_type(kind) {
            Node::FloatPrimitive(&[], vec![node])
        } else {
            node
        })
    }

    fn eval_when(&mut self, arguments: &[Datum]) -> Result<Node> {
        let Some((situations, body)) = arguments.split_first() else {
            return self.error("EVAL-WHEN must be (eval-when (situation ...) form ...)");
        };
        let now = situations.elements().any(|situation| {
            situation
                .as_symbol()
                .is_some_and(|symbol| matches!(&*symbol.name, "EXECUTE" | "EVAL"))
        });
        if now {
            self.progn(body)
        } else {
            Ok(Node::nil())
        }
    }

    fn locally(&mut self, arguments: &[Datum]) -> Result<Node> {
        let names = self.names.len();
        let node = self.body(arguments, &[]);
        self.names.truncate(names);
        node
    }

    fn progv(&mut self, arguments: &[Datum]) -> Result<Node> {
        let [symbols, values, body @ ..] = arguments else {
            return self.error("PROGV must be (progv symbols values form ...)");
        };
        let symbols = self.form(symbols)?;
        let values = self.form(values)?;
        let name = Symbol::new(Package::System, "CALL-WITH-BINDINGS");
        let body = self.part(Role::Part, Symbol::lisp("PROGV"), body)?;
        self.note_use(&name, Some(3));
        Ok(Node::Call(name, vec![symbols, values, Node::Lambda(body)]))
    }

    /// A definition that is not at top level: the function is defined when it is
    /// executed.
    fn inner_defun(&mut self, arguments: &[Datum]) -> Result<Node> {
        let [name, lambda_list, body @ ..] = arguments else {
            return self.error("DEFUN must be (defun name (parameter ...) form ...)");
        };
        let Some(symbol) = crate::expand::function_name_symbol(name) else {
            return self.error_at(name, format!("{name} is not the name of a function"));
        };
        let block = super::functions::block_name(name);
        let function = self.function_of(&symbol, lambda_list, body, block.as_ref())?;
        let define = Symbol::new(Package::System, "DEFINE-FUNCTION");
        self.note_use(&define, Some(2));
        let quoted = Node::Constant(Datum::Symbol(symbol));
        Ok(Node::Call(define, vec![quoted, Node::Lambda(function)]))
    }
}
