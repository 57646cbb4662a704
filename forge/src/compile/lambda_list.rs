//! Lambda lists of functions.

use super::tree::Arity;
use crate::datum::{Datum, Package, Place, Symbol};
use crate::{Error, Result};

/// An optional or keyword parameter.
#[derive(Clone, Debug)]
pub struct Optional {
    /// The variable.
    pub name: Symbol,
    /// Its value without an argument.
    pub default: Datum,
    /// The variable that tells whether there is an argument.
    pub supplied: Option<Symbol>,
}

/// A lambda list, taken apart.
#[derive(Clone, Debug, Default)]
pub struct LambdaList {
    /// Required parameters.
    pub required: Vec<Symbol>,
    /// Parameters behind `&optional`.
    pub optional: Vec<Optional>,
    /// The parameter behind `&rest`.
    pub rest: Option<Symbol>,
    /// Whether there is `&key`.
    pub has_keys: bool,
    /// Whether there may be other keywords.
    pub allow_other_keys: bool,
    /// Keywords and parameters behind `&key`.
    pub keys: Vec<(Symbol, Optional)>,
    /// Variables behind `&aux` and their values.
    pub aux: Vec<(Symbol, Datum)>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Section {
    Required,
    Optional,
    Rest,
    AfterRest,
    Key,
    AllowOtherKeys,
    Aux,
}

impl LambdaList {
    /// Takes a lambda list apart. `place` is where errors are.
    pub fn parse(list: &Datum, place: &Place) -> Result<Self> {
        let place = list.place().unwrap_or(place);
        let wrong = |message: String| Err(Error::new(place, message));
        let Some(elements) = list.proper_list() else {
            return wrong("a lambda list must be a list of parameters".into());
        };
        let mut result = Self::default();
        let mut section = Section::Required;
        for element in &elements {
            let marker = element
                .as_symbol()
                .filter(|symbol| symbol.package == Package::Lisp && symbol.name.starts_with('&'));
            if let Some(marker) = marker {
                let next = match &*marker.name {
                    "&OPTIONAL" => Section::Optional,
                    "&REST" | "&BODY" => Section::Rest,
                    "&KEY" => Section::Key,
                    "&ALLOW-OTHER-KEYS" => Section::AllowOtherKeys,
                    "&AUX" => Section::Aux,
                    _ => return wrong(format!("{marker} is not known in a lambda list")),
                };
                if next <= section || section == Section::Rest {
                    return wrong(format!("{marker} is in the wrong place in a lambda list"));
                }
                result.has_keys |= next == Section::Key;
                result.allow_other_keys |= next == Section::AllowOtherKeys;
                section = next;
                continue;
            }
            match section {
                Section::Required => result.required.push(variable(element, place)?),
                Section::Optional => result.optional.push(optional(element, place)?),
                Section::Rest => {
                    result.rest = Some(variable(element, place)?);
                    section = Section::AfterRest;
                }
                Section::Key => result.keys.push(key(element, place)?),
                Section::Aux => result.aux.push(aux(element, place)?),
                Section::AfterRest | Section::AllowOtherKeys => {
                    return wrong("there is one parameter too many in a lambda list".into());
                }
            }
        }
        if section == Section::Rest {
            return wrong("&REST needs a parameter".into());
        }
        Ok(result)
    }

    /// How many arguments the function takes.
    pub fn arity(&self) -> Arity {
        let least = self.required.len() as u16;
        let most = least + self.optional.len() as u16;
        Arity {
            least,
            most: (self.rest.is_none() && !self.has_keys).then_some(most),
        }
    }

    /// Whether the function must look at the number of its arguments.
    pub fn counts(&self) -> bool {
        !self.optional.is_empty() || self.rest.is_some() || self.has_keys
    }

    /// Names of all parameters.
    pub fn names(&self) -> Vec<Symbol> {
        self.required
            .iter()
            .chain(self.optional.iter().map(|optional| &optional.name))
            .chain(&self.rest)
            .chain(self.keys.iter().map(|(_, key)| &key.name))
            .cloned()
            .collect()
    }
}

fn variable(datum: &Datum, place: &Place) -> Result<Symbol> {
    match datum {
        Datum::Symbol(symbol) if symbol.package != Package::Keyword => Ok(symbol.clone()),
        _ => Err(Error::new(
            datum.place().unwrap_or(place),
            format!("{datum} is not the name of a parameter"),
        )),
    }
}

fn malformed(datum: &Datum, place: &Place) -> Error {
    Error::new(
        datum.place().unwrap_or(place),
        format!("{datum} is not a parameter with a value: (name value supplied)"),
    )
}

/// `name`, `(name)`, `(name default)`, `(name default supplied)`.
fn optional(datum: &Datum, place: &Place) -> Result<Optional> {
    if !matches!(datum, Datum::Cons(_)) {
        let name = variable(datum, place)?;
        let default = Datum::nil();
        return Ok(Optional {
            name,
            default,
            supplied: None,
        });
    }
    let parts = datum.proper_list().unwrap_or_default();
    let (name, default, supplied) = match &parts[..] {
        [name] => (name, Datum::nil(), None),
        [name, default] => (name, default.clone(), None),
        [name, default, supplied] => (name, default.clone(), Some(variable(supplied, place)?)),
        _ => return Err(malformed(datum, place)),
    };
    Ok(Optional {
        name: variable(name, place)?,
        default,
        supplied,
    })
}

/// As [`optional`]; the name may be `(keyword name)`.
fn key(datum: &Datum, place: &Place) -> Result<(Symbol, Optional)> {
    if let Datum::Cons(cell) = datum
        && let Datum::Cons(_) = &cell.car
    {
        let parts = cell.car.proper_list().unwrap_or_default();
        let [Datum::Symbol(keyword), name] = &parts[..] else {
            return Err(malformed(datum, place));
        };
        let inner = Datum::cons(name.clone(), cell.cdr.clone());
        return Ok((keyword.clone(), optional(&inner, place)?));
    }
    let parameter = optional(datum, place)?;
    let keyword = Symbol::new(Package::Keyword, &parameter.name.name);
    Ok((keyword, parameter))
}

/// `name`, `(name)`, `(name value)`.
fn aux(datum: &Datum, place: &Place) -> Result<(Symbol, Datum)> {
    let parameter = optional(datum, place)?;
    match parameter.supplied {
        Some(_) => Err(malformed(datum, place)),
        None => Ok((parameter.name, parameter.default)),
    }
}
