//! DECLAIM and PROCLAIM.

use super::{Program, constant};
use crate::Result;
use crate::compile::globals::{GlobalFunction, GlobalVariable};
use crate::datum::{Datum, Package, Symbol};

impl Program {
    pub(super) fn proclaim(&mut self, form: &Datum) -> Result<()> {
        match constant(form) {
            Some(specifier) => self.declaim(&specifier),
            None => self.error("PROCLAIM must be (proclaim 'declaration)"),
        }
    }

    /// One declaration specifier.
    pub(super) fn declaim(&mut self, specifier: &Datum) -> Result<()> {
        let (Some(name), Some(parts)) = (specifier.operator(), specifier.proper_list()) else {
            return self.error(format!("{specifier} is not a declaration"));
        };
        let arguments = &parts[1..];
        match (name.package, &*name.name) {
            (Package::Lisp, "SPECIAL") => {
                for name in self.names(arguments)? {
                    self.declare_special(&name)?;
                }
            }
            (Package::System, "GLOBAL") => {
                for name in self.names(arguments)? {
                    if let Some(GlobalVariable::Constant(_)) = self.globals.variables.get(&name) {
                        return self.error(format!("{name} is a constant"));
                    }
                    let global = GlobalVariable::Global;
                    self.globals.variables.insert(name, global);
                }
            }
            (Package::Lisp, "FTYPE") => {
                let Some((_, names)) = arguments.split_first() else {
                    return self.error("FTYPE must be (ftype type name ...)");
                };
                for name in self.names(names)? {
                    let functions = &mut self.globals.functions;
                    functions.entry(name).or_insert(GlobalFunction {
                        arity: None,
                        keys: None,
                    });
                }
            }
            (Package::Lisp, "NOTINLINE") => {
                let names = self.names(arguments)?;
                self.globals.notinline.extend(names);
            }
            _ => {}
        }
        Ok(())
    }

    fn names(&self, data: &[Datum]) -> Result<Vec<Symbol>> {
        data.iter()
            .map(|datum| match crate::expand::function_name_symbol(datum) {
                Some(symbol) => Ok(symbol),
                None => self.error(format!("{datum} is not a name")),
            })
            .collect()
    }
}
