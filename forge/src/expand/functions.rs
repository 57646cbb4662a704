//! Functions on functions, values, macros and global names.

use crate::datum::{Datum, Package};

use super::analyse::Brief;
use super::node::{Exit, Flow, Primitive, error};
use super::{ANY, Expander, MAX_EXPANSIONS, primitive};

pub(super) static PRIMITIVES: &[Primitive] = &[
    primitive("FUNCALL", 1, ANY, |this, a| {
        let function = this.as_function(&a[0])?;
        this.apply(&function, a[1..].to_vec())
    }),
    primitive("APPLY", 2, ANY, |this, a| {
        let function = this.as_function(&a[0])?;
        let mut arguments = a[1..a.len() - 1].to_vec();
        arguments.extend(this.sequence(&a[a.len() - 1])?);
        this.apply(&function, arguments)
    }),
    primitive("VALUES", 0, ANY, values),
    primitive("VALUES-LIST", 1, 1, |this, a| {
        let list = this.sequence(&a[0])?;
        values(this, &list)
    }),
    primitive("IDENTITY", 1, 1, |_, a| Ok(a[0].clone())),
    primitive("EQ", 2, 2, |_, a| Ok(Datum::boolean(a[0].is_same(&a[1])))),
    primitive("EQL", 2, 2, |_, a| Ok(Datum::boolean(a[0].is_same(&a[1])))),
    primitive("EQUAL", 2, 2, |this, a| {
        this.charge(a[0].elements().count())?;
        Ok(Datum::boolean(a[0] == a[1]))
    }),
    primitive("ERROR", 1, ANY, |this, a| {
        let message = match &a[0] {
            Datum::String(_) => this.format(a)?,
            other => Brief(other).to_string(),
        };
        let mut exit = error::<Datum>(message);
        if let Err(exit) = &mut exit
            && let Exit::Error { signalled, .. } = &mut **exit
        {
            *signalled = true;
        }
        exit
    }),
    primitive("MACROEXPAND-1", 1, 2, |this, a| {
        Ok(match this.expand_once(&a[0])? {
            Some(expansion) => expansion,
            None => a[0].clone(),
        })
    }),
    primitive("MACROEXPAND", 1, 2, |this, a| {
        let mut form = a[0].clone();
        for _ in 0..MAX_EXPANSIONS {
            match this.expand_once(&form)? {
                Some(expansion) => form = expansion,
                None => return Ok(form),
            }
        }
        error("this macro form expands for ever")
    }),
    primitive("MACRO-FUNCTION", 1, 2, |this, a| {
        let form = Datum::cons(a[0].clone(), Datum::nil());
        match this.macro_of(&form) {
            Some((name, expander)) => {
                let function = this.macro_function(&name, &expander)?;
                Ok(Datum::Function(function))
            }
            None => Ok(Datum::nil()),
        }
    }),
    primitive("EVAL", 1, 1, |this, a| this.eval_top_level(&a[0])),
    primitive("FUNCTIONP", 1, 1, |_, a| {
        Ok(Datum::boolean(matches!(a[0], Datum::Function(_))))
    }),
    primitive("CONSTANTP", 1, 2, |_, a| {
        Ok(Datum::boolean(match &a[0] {
            Datum::Cons(cell) => matches!(&cell.car, Datum::Symbol(name) if name.is("QUOTE")),
            Datum::Symbol(symbol) => {
                symbol.package == Package::Keyword || symbol.is("NIL") || symbol.is("T")
            }
            _ => true,
        }))
    }),
    primitive("BOUNDP", 1, 1, |this, a| match &a[0] {
        Datum::Symbol(name) => Ok(Datum::boolean(this.variable(name).is_some())),
        other => error(format!("{} is not a symbol", Brief(other))),
    }),
    primitive("FBOUNDP", 1, 1, |this, a| match &a[0] {
        Datum::Symbol(name) => {
            let global = this.global_mut(name);
            let bound = global.function.is_some() || global.expander.is_some();
            Ok(Datum::boolean(bound))
        }
        other => error(format!("{} is not a symbol", Brief(other))),
    }),
    primitive("SYMBOL-VALUE", 1, 1, |this, a| {
        let value = a[0].as_symbol().and_then(|name| this.variable(name));
        value.cloned().map_or_else(
            || error(format!("{} has no value at compile time", Brief(&a[0]))),
            Ok,
        )
    }),
    primitive("SYMBOL-FUNCTION", 1, 1, |this, a| {
        this.as_function(&a[0]).map(Datum::Function)
    }),
    primitive("SET", 2, 2, |this, a| match &a[0] {
        Datum::Symbol(name) => {
            this.global_mut(name).value = Some(a[1].clone());
            Ok(a[1].clone())
        }
        other => error(format!("{} is not a symbol", Brief(other))),
    }),
    primitive("GET", 2, 3, |this, a| {
        let found = match (&a[0], &a[1]) {
            (Datum::Symbol(name), Datum::Symbol(property)) => this
                .properties
                .get(&(name.clone(), property.clone()))
                .cloned(),
            _ => None,
        };
        Ok(found.unwrap_or_else(|| a.get(2).cloned().unwrap_or_else(Datum::nil)))
    }),
    primitive("SI:SET-GET", 3, 3, |this, a| match (&a[0], &a[1]) {
        (Datum::Symbol(name), Datum::Symbol(property)) => {
            let key = (name.clone(), property.clone());
            this.properties.insert(key, a[2].clone());
            Ok(a[2].clone())
        }
        _ => error("a property and what has it must be symbols"),
    }),
    primitive("SI:SET-CAR", 2, 2, immutable),
    primitive("SI:SET-CDR", 2, 2, immutable),
    primitive("RPLACA", 2, 2, immutable),
    primitive("RPLACD", 2, 2, immutable),
];

fn immutable(_: &mut Expander, _: &[Datum]) -> Flow<Datum> {
    error("lists cannot be changed at compile time")
}

fn values(this: &mut Expander, values: &[Datum]) -> Flow<Datum> {
    let first = values.first().cloned().unwrap_or_else(Datum::nil);
    this.more_values = Some(values.to_vec());
    Ok(first)
}

impl Expander {
    fn expand_once(&mut self, form: &Datum) -> Flow<Option<Datum>> {
        match self.macro_of(form) {
            Some((name, expander)) => self.expand_with(&name, &expander, form).map(Some),
            None => Ok(None),
        }
    }
}
