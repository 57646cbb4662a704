//! Calls of MAPC and MAPCAR with functions that are written out: loops.

use super::super::tree::Node;
use super::Parser;
use crate::Result;
use crate::datum::{Datum, Package, Symbol};

/// A name that no program has. Inner loops have the same ones in scopes of their own.
fn hidden(name: &str) -> Datum {
    Datum::Symbol(Symbol::new(Package::Uninterned, name))
}

fn form<const N: usize>(operator: &str, arguments: [&Datum; N]) -> Datum {
    let arguments = Datum::list(arguments.into_iter().cloned());
    Datum::cons(Datum::symbol(operator), arguments)
}

/// An instruction, whatever its name means here as a function.
fn instruction<const N: usize>(name: &str, arguments: [&Datum; N]) -> Datum {
    let name = Datum::list([Datum::symbol(name)]);
    let arguments = Datum::list(arguments.into_iter().cloned());
    Datum::cons(Datum::symbol("OPCODES"), Datum::cons(name, arguments))
}

impl Parser<'_> {
    /// A loop over a list that calls a function with each element, and collects the
    /// values in a list or returns the list. `None` if nothing is known of the
    /// function.
    pub(super) fn each(
        &mut self,
        function: &Datum,
        list: &Datum,
        collects: bool,
    ) -> Result<Option<Node>> {
        let Some(function) = self.known_function(function) else {
            return Ok(None);
        };
        let nil = &Datum::nil();
        let [rest, all, last, next, test] = &["REST", "LIST", "LAST", "NEXT", "TEST"].map(hidden);
        let element = instruction("CAR", [rest]);
        let call = Datum::list([function, element]);
        let step = match collects {
            true => {
                // The instruction returns the new last cell.
                form("SETQ", [last, &instruction("RPLCONS", [last, &call])])
            }
            false => call,
        };
        let advance = form("SETQ", [rest, &instruction("CDR", [rest])]);
        let again = form("IF", [rest, &form("GO", [next]), nil]);
        let walk = form(
            "TAGBODY",
            [&form("GO", [test]), next, &step, &advance, test, &again],
        );
        let bind = |name: &Datum, value: &Datum| Datum::list([name.clone(), value.clone()]);
        let (bindings, value) = match collects {
            true => {
                let first = instruction("CONS", [nil, nil]);
                let bindings = [bind(rest, list), bind(all, &first), bind(last, all)];
                (bindings.to_vec(), instruction("CDR", [all]))
            }
            false => (vec![bind(all, list), bind(rest, all)], all.clone()),
        };
        let bindings = Datum::list(bindings);
        self.list_form(&form("LET*", [&bindings, &walk, &value]))
            .map(Some)
    }

    /// What a call of a function begins with that is given as `#'name` or
    /// `#'(lambda (element) ...)`.
    fn known_function(&self, function: &Datum) -> Option<Datum> {
        let head = function.operator()?;
        let parts = function.proper_list()?;
        let [_, name] = &parts[..] else {
            return None;
        };
        let is_lambda = name.operator().is_some_and(|head| head.is("LAMBDA"));
        match name {
            _ if !head.is("FUNCTION") => None,
            Datum::Symbol(symbol) => (!self.is_macro(symbol)).then(|| name.clone()),
            name if is_lambda => {
                let parameters = name.elements().nth(1)?.proper_list()?;
                let is_plain = matches!(
                    &parameters[..],
                    [Datum::Symbol(parameter)] if !parameter.name.starts_with('&')
                );
                is_plain.then(|| name.clone())
            }
            _ => None,
        }
    }
}
