//! Names of functions: that each is defined once, and that all exist.

use super::{Kind, Program};
use crate::compile::globals::Use;
use crate::compile::parse;
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
            let unknown = !self.globals.functions.contains_key(&used.name);
            let message = self
                .globals
                .wrong_arguments(&used)
                .or_else(|| unknown.then(|| self.unknown_function(&used)));
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
