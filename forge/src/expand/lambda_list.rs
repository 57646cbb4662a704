//! Functions as they are written: lambda lists, declarations, bodies.

use crate::datum::{Datum, Package, Symbol};

use super::Expander;
use super::analyse::{Scope, Scopes, parts, variable_name};
use super::node::{Flow, Lambda, Node, Optional, Parameters, error};

impl Expander {
    /// Analyses a function. The body of one with a name is a block of that name.
    pub(super) fn lambda(
        &mut self,
        name: Option<&Symbol>,
        lambda_list: &Datum,
        body: &Datum,
        scopes: &mut Scopes,
    ) -> Flow<Lambda> {
        let forms = parts(body, 0, super::ANY)?;
        let (declared, forms) = declarations(&forms);
        let depth = scopes.len();
        scopes.push(Scope::Variables(Vec::new()));
        let parameters = self.parameters(lambda_list, &declared, scopes);
        let body = parameters.and_then(|parameters| {
            if let Some(name) = name {
                scopes.push(Scope::Block(name.clone()));
                let body = self.progn(forms, scopes)?;
                return Ok((parameters, Node::Block(Box::new(body))));
            }
            Ok((parameters, self.progn(forms, scopes)?))
        });
        scopes.truncate(depth);
        let (parameters, body) = body?;
        Ok(Lambda {
            name: name.cloned(),
            parameters,
            body,
        })
    }

    fn parameters(
        &mut self,
        lambda_list: &Datum,
        declared: &[Symbol],
        scopes: &mut Scopes,
    ) -> Flow<Parameters> {
        let mut parameters = Parameters::default();
        // How far the list has come, as the position of the keyword in this list.
        let keywords = ["&OPTIONAL", "&REST", "&KEY", "&ALLOW-OTHER-KEYS", "&AUX"];
        let mut state = None;
        for part in parts(lambda_list, 0, super::ANY)? {
            if let Datum::Symbol(symbol) = &part
                && symbol.name.starts_with('&')
            {
                let keyword = if symbol.is("&BODY") {
                    "&REST"
                } else {
                    &symbol.name
                };
                let position = keywords.iter().position(|known| *known == keyword);
                if position.is_none() || position <= state {
                    return error(format!("{part} cannot stand here in a lambda list"));
                }
                state = position;
                match keyword {
                    "&KEY" => parameters.has_keys = true,
                    "&ALLOW-OTHER-KEYS" => parameters.allow_other_keys = true,
                    _ => {}
                }
                continue;
            }
            match state {
                None => {
                    self.parameter(&part, declared, &mut parameters, scopes)?;
                    parameters.required += 1;
                }
                Some(1) if parameters.rest.is_none() => {
                    let slot = self.parameter(&part, declared, &mut parameters, scopes)?;
                    parameters.rest = Some(slot);
                }
                Some(0 | 2 | 4) => {
                    let (names, default, supplied) = match &part {
                        Datum::Cons(_) => {
                            let parts = self::parts(&part, 1, 3)?;
                            let default = parts.get(1).cloned().unwrap_or_else(Datum::nil);
                            (parts[0].clone(), default, parts.get(2).cloned())
                        }
                        _ => (part.clone(), Datum::nil(), None),
                    };
                    let default = self.analyse(&default, scopes)?;
                    let (key, name) = match &names {
                        Datum::Cons(_) if state == Some(2) => {
                            let parts = self::parts(&names, 2, 2)?;
                            (parts[0].clone(), parts[1].clone())
                        }
                        _ => {
                            let name = variable_name(&names)?;
                            let key = Symbol {
                                package: Package::Keyword,
                                name: name.name,
                            };
                            (Datum::Symbol(key), names)
                        }
                    };
                    let slot = self.parameter(&name, declared, &mut parameters, scopes)?;
                    let supplied = match supplied {
                        Some(name) => {
                            Some(self.parameter(&name, declared, &mut parameters, scopes)?)
                        }
                        None => None,
                    };
                    let parameter = Optional {
                        slot,
                        default,
                        supplied,
                    };
                    match state {
                        Some(0) => parameters.optional.push(parameter),
                        Some(2) => parameters.keys.push((key, parameter)),
                        _ => parameters.auxiliary.push((slot, parameter.default)),
                    }
                }
                _ => return error(format!("{part} cannot stand here in a lambda list")),
            }
        }
        Ok(parameters)
    }

    /// Gives a parameter a slot.
    fn parameter(
        &mut self,
        name: &Datum,
        declared: &[Symbol],
        parameters: &mut Parameters,
        scopes: &mut Scopes,
    ) -> Flow<u32> {
        let name = variable_name(name)?;
        let slot = parameters.slots;
        parameters.slots += 1;
        let special = self.special(&name, declared);
        parameters
            .specials
            .extend(special.map(|index| (slot, index)));
        if let Some(Scope::Variables(names)) = scopes.last_mut() {
            names.push(if special.is_some() { None } else { Some(name) });
        }
        Ok(slot)
    }
}

/// The variables that the declarations of a body say are special, and the forms
/// behind declarations and documentation.
pub(super) fn declarations(forms: &[Datum]) -> (Vec<Symbol>, &[Datum]) {
    let mut special = Vec::new();
    let mut rest = forms;
    loop {
        match rest {
            [Datum::String(_), _, ..] => rest = &rest[1..],
            [Datum::Cons(cell), ..] if matches!(&cell.car, Datum::Symbol(name) if name.is("DECLARE")) =>
            {
                for declaration in cell.cdr.elements() {
                    if declaration
                        .operator()
                        .is_some_and(|name| name.is("SPECIAL"))
                    {
                        let names = declaration.elements().skip(1);
                        special.extend(names.filter_map(|name| name.as_symbol().cloned()));
                    }
                }
                rest = &rest[1..];
            }
            _ => return (special, rest),
        }
    }
}
