//! Names of functions: that each is defined once, and that all exist.

use super::{Kind, Program};
use crate::compile::globals::{GlobalFunction, Keys, Use};
use crate::compile::parse::{self, arity_message, arity_of};
use crate::datum::Symbol;
use crate::{Error, Result};

impl Program {
    pub(super) fn check_function_name(&self, name: &Symbol) -> Result<()> {
        match parse::is_self_evaluating(name) {
            true => self.error(format!("{name} is a constant and cannot be a function")),
            false => Ok(()),
        }
    }

    /// Checks that a symbol is not defined already. A function of a structure may
    /// be defined in another way.
    pub(super) fn check_new(&mut self, name: &Symbol, kind: Kind) -> Result<()> {
        let old = self.places.get(name);
        if let Some((old, place)) = old
            && (*old, kind) != (Kind::StructureFunction, Kind::Function)
        {
            let what = match old {
                Kind::Macro => "macro",
                _ => "function",
            };
            return self.error(format!("there is a {what} {name} already, at {place}"));
        }
        self.places.insert(name.clone(), (kind, self.place.clone()));
        Ok(())
    }

    /// Checks calls of functions.
    pub(super) fn check_uses(&mut self) {
        for used in std::mem::take(&mut self.globals.uses) {
            let message = match (self.globals.functions.get(&used.name), used.arguments) {
                (
                    Some(GlobalFunction {
                        arity: Some(arity),
                        keys,
                    }),
                    Some(count),
                ) => arity_message(&used.name, *arity, count).or_else(|| {
                    let keys = keys.as_ref()?;
                    keyword_message(&used, keys, count)
                }),
                (Some(_), _) => None,
                (None, count) => {
                    let arity = arity_of(&used.name).zip(count);
                    arity
                        .and_then(|(arity, count)| arity_message(&used.name, arity, count))
                        .or_else(|| Some(self.unknown_function(&used)))
                }
            };
            if let Some(message) = message {
                let message = parse::in_expansion(message, used.expanding.as_ref());
                self.errors.push(Error::new(&used.place, message));
            }
        }
    }

    fn unknown_function(&self, used: &Use) -> String {
        let hint = match used.is_variable {
            true => {
                let name = used.name.to_string().to_lowercase();
                format!("; the value of a variable is called by (funcall {name} ...)")
            }
            false => {
                let names = self.globals.functions.keys();
                parse::similar(&used.name, names.chain(self.expander.macros()))
            }
        };
        format!("unknown function {}{hint}", used.name)
    }
}

/// What is wrong with the keyword arguments of a call.
fn keyword_message(used: &Use, keys: &Keys, count: usize) -> Option<String> {
    let rest = count.checked_sub(keys.first)?;
    let given = used.keywords.iter().filter(|(position, _)| {
        *position >= keys.first && (position - keys.first).is_multiple_of(2)
    });
    for (_, keyword) in given.clone() {
        if keyword.name.as_ref() == "ALLOW-OTHER-KEYS" {
            return None;
        }
    }
    for (_, keyword) in given {
        if !keys.names.contains(keyword) {
            let similar = parse::similar(keyword, keys.names.iter());
            return Some(format!(
                "{} has no keyword argument {keyword}{similar}",
                used.name
            ));
        }
    }
    (rest % 2 == 1).then(|| format!("{} has a keyword argument without a value here", used.name))
}
