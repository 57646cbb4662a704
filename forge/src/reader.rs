//! The reader: from text to data.
//!
//! It knows the syntax of Common Lisp as far as there are data for it. A
//! backquote becomes a form `(si:backquote template)`, with `(si:unquote form)` and
//! `(si:splice form)` in the template; a macro takes it from there. Names are
//! upper case unless escaped.
//!
//! What has been begun lies on a stack of `Level`s, so that deep nesting costs
//! nothing; it is limited all the same, for those who walk the data afterwards.

pub(crate) mod token;

#[cfg(test)]
mod tests;

use std::rc::Rc;

use crate::datum::{Cons, Datum, Package, Place, Symbol};
use crate::{Error, Result};

use token::Scanner;

/// Levels of parentheses, quotes and the like around a datum, at most.
pub const MAX_DEPTH: usize = 1000;
/// Characters in the name of a symbol, at most.
pub const MAX_NAME: usize = 255;
/// Levels of a condition of `#+`, at most.
const MAX_CONDITION_DEPTH: usize = 20;
/// What `#+` finds, of the names of features.
const FEATURES: [&str; 1] = ["GEIKO"];

/// Names of the symbols of package SYSTEM that stand for a backquote and what is
/// in it.
pub mod quasi {
    /// A template.
    pub const BACKQUOTE: &str = "BACKQUOTE";
    /// A form whose value stands in its place.
    pub const UNQUOTE: &str = "UNQUOTE";
    /// A form whose value is a list of elements.
    pub const SPLICE: &str = "SPLICE";
}

/// Reads the forms of a file one after the other.
pub struct Reader<'a> {
    scanner: Scanner<'a>,
    /// Where the last form begins.
    place: Place,
}

/// What evaluates `#.form`.
pub type Evaluate<'a> = &'a mut dyn FnMut(&Datum) -> Result<Datum>;

/// A datum that has been begun.
enum Level {
    List {
        place: Place,
        elements: Vec<(Datum, Place)>,
        tail: Tail,
    },
    Vector {
        place: Place,
        elements: Vec<Datum>,
    },
    /// A list of this symbol and the next datum.
    Prefix {
        place: Place,
        symbol: Symbol,
    },
    /// `#.`
    Evaluated(Place),
    /// `#+`, or `#-`: the next datum says of what.
    Condition {
        place: Place,
        positive: bool,
    },
    /// The next datum does not count.
    Skipped(Place),
}

/// What a list ends with.
enum Tail {
    None,
    /// After the dot.
    Awaited(Place),
    Some(Datum),
}

/// A step of the syntax.
enum Token {
    Datum(Datum),
    Open,
    Close,
    Dot,
    OpenVector,
    Prefix(Symbol),
    Evaluated,
    Condition(bool),
    End,
}

impl<'a> Reader<'a> {
    /// A reader of a text; `file` is for places.
    pub fn new(file: &str, text: &'a str) -> Self {
        Self {
            scanner: Scanner::new(file, text),
            place: Place {
                file: file.into(),
                line: 1,
                column: 1,
            },
        }
    }

    /// Where the form begins that was read last.
    pub fn place(&self) -> Place {
        self.place.clone()
    }

    /// The next form, or `None` behind the last one. After an error there is nothing
    /// more to be read.
    pub fn read(&mut self, evaluate: Evaluate<'_>) -> Result<Option<Datum>> {
        let mut levels = Vec::new();
        // The first form in the first column inside of another one: perhaps there is
        // a parenthesis missing in front of it.
        let mut suspect = None;
        loop {
            let suppressed = levels
                .iter()
                .any(|level| matches!(level, Level::Skipped(_)));
            let (place, token) = self.scanner.token(suppressed)?;
            if levels.is_empty() {
                self.place = place.clone();
            } else if suspect.is_none() && place.column == 1 && matches!(token, Token::Open) {
                suspect = Some(place.line);
            }
            let datum = match token {
                Token::End => {
                    return match levels.last() {
                        None => Ok(None),
                        Some(level) => Err(unfinished(level, suspect)),
                    };
                }
                Token::Datum(datum) => Some(datum),
                Token::Close => Some(close(&place, levels.pop())?),
                Token::Dot => {
                    dot(&place, levels.last_mut())?;
                    None
                }
                Token::Open => begin(
                    &mut levels,
                    Level::List {
                        place: place.clone(),
                        elements: Vec::new(),
                        tail: Tail::None,
                    },
                )?,
                Token::OpenVector => begin(
                    &mut levels,
                    Level::Vector {
                        place: place.clone(),
                        elements: Vec::new(),
                    },
                )?,
                Token::Prefix(symbol) => {
                    check_unquote(&place, &symbol, &levels)?;
                    let place = place.clone();
                    begin(&mut levels, Level::Prefix { place, symbol })?
                }
                Token::Evaluated => begin(&mut levels, Level::Evaluated(place.clone()))?,
                Token::Condition(positive) => {
                    let place = place.clone();
                    begin(&mut levels, Level::Condition { place, positive })?
                }
            };
            if let Some(datum) = datum
                && let Some(datum) = deliver(datum, place, &mut levels, evaluate)?
            {
                return Ok(Some(datum));
            }
        }
    }
}

/// Reads a whole text in which there is nothing to be evaluated.
pub fn read_all(file: &str, text: &str) -> Result<Vec<Datum>> {
    let mut reader = Reader::new(file, text);
    let mut forms = Vec::new();
    let mut refuse = |form: &Datum| {
        let nowhere = Place {
            file: file.into(),
            line: 1,
            column: 1,
        };
        let place = form.place().unwrap_or(&nowhere);
        Err(Error::new(place, "nothing can be evaluated here"))
    };
    while let Some(form) = reader.read(&mut refuse)? {
        forms.push(form);
    }
    Ok(forms)
}

fn begin(levels: &mut Vec<Level>, level: Level) -> Result<Option<Datum>> {
    if levels.len() == MAX_DEPTH {
        let message = format!("nested more than {MAX_DEPTH} levels deep");
        return Err(Error::new(level.place(), message));
    }
    levels.push(level);
    Ok(None)
}

impl Level {
    fn place(&self) -> &Place {
        match self {
            Self::List { place, .. }
            | Self::Vector { place, .. }
            | Self::Prefix { place, .. }
            | Self::Evaluated(place)
            | Self::Condition { place, .. }
            | Self::Skipped(place) => place,
        }
    }

    /// What it looks like, if it is not a list or vector.
    fn prefix(&self) -> &'static str {
        match self {
            Self::Prefix { symbol, .. } => match &*symbol.name {
                "QUOTE" => "'",
                "FUNCTION" => "#'",
                quasi::BACKQUOTE => "`",
                quasi::UNQUOTE => ",",
                _ => ",@",
            },
            Self::Evaluated(_) => "#.",
            Self::Condition { positive: true, .. } => "#+",
            Self::Condition { .. } => "#-",
            _ => "the condition",
        }
    }
}

fn unfinished(level: &Level, suspect: Option<u32>) -> Error {
    let message = match level {
        Level::List { .. } | Level::Vector { .. } => {
            let hint = match suspect {
                Some(line) => format!("; line {line} begins as if it were"),
                None => String::new(),
            };
            format!("this parenthesis is not closed before the end of the file{hint}")
        }
        _ => format!("the file ends after {}", level.prefix()),
    };
    Error::new(level.place(), message)
}

/// Ends the innermost list at a closing parenthesis.
fn close(place: &Place, level: Option<Level>) -> Result<Datum> {
    match level {
        None => Err(Error::new(
            place,
            "there is no open parenthesis for this closing one",
        )),
        Some(Level::List {
            place: start,
            elements,
            tail,
        }) => {
            let tail = match tail {
                Tail::None => Datum::nil(),
                Tail::Some(datum) => datum,
                Tail::Awaited(dot) => {
                    return Err(Error::new(&dot, "nothing follows the dot"));
                }
            };
            let cells = elements.into_iter().enumerate().rev();
            Ok(cells.fold(tail, |cdr, (index, (car, place))| {
                let place = if index == 0 { start.clone() } else { place };
                let place = Some(place);
                Datum::Cons(Rc::new(Cons { car, cdr, place }))
            }))
        }
        Some(Level::Vector { place, elements }) => {
            token::check_size(&place, "vector", elements.len())?;
            Ok(Datum::Vector(elements.into()))
        }
        Some(level) => Err(Error::new(
            place,
            format!("a form is expected after {}", level.prefix()),
        )),
    }
}

fn dot(place: &Place, level: Option<&mut Level>) -> Result<()> {
    match level {
        Some(Level::List { elements, tail, .. })
            if !elements.is_empty() && matches!(tail, Tail::None) =>
        {
            *tail = Tail::Awaited(place.clone());
            Ok(())
        }
        _ => Err(Error::new(place, "a dot cannot stand here")),
    }
}

/// Commas belong into backquotes, and `,@` not directly behind one, or a dot.
fn check_unquote(place: &Place, symbol: &Symbol, levels: &[Level]) -> Result<()> {
    if symbol.package != Package::System || &*symbol.name == quasi::BACKQUOTE {
        return Ok(());
    }
    let depth = levels.iter().fold(0i32, |depth, level| match level {
        Level::Prefix { symbol, .. } if symbol.package == Package::System => {
            depth
                + if &*symbol.name == quasi::BACKQUOTE {
                    1
                } else {
                    -1
                }
        }
        _ => depth,
    });
    if depth <= 0 {
        return Err(Error::new(place, "a comma outside a backquote"));
    }
    if &*symbol.name == quasi::SPLICE {
        match levels.last() {
            Some(Level::Prefix { symbol, .. }) if &*symbol.name == quasi::BACKQUOTE => {
                return Err(Error::new(place, ",@ directly after a backquote"));
            }
            Some(Level::List {
                tail: Tail::Awaited(_),
                ..
            }) => return Err(Error::new(place, ",@ after a dot")),
            _ => {}
        }
    }
    Ok(())
}

/// Puts a complete datum where it belongs: what it completes in turn, or `None` if
/// more is to be read.
fn deliver(
    mut datum: Datum,
    mut at: Place,
    levels: &mut Vec<Level>,
    evaluate: Evaluate<'_>,
) -> Result<Option<Datum>> {
    if let Some(place) = datum.place() {
        at = place.clone();
    }
    loop {
        match levels.last_mut() {
            None => return Ok(Some(datum)),
            Some(Level::List { elements, tail, .. }) => {
                match tail {
                    Tail::None => elements.push((datum, at)),
                    Tail::Awaited(_) => *tail = Tail::Some(datum),
                    Tail::Some(_) => {
                        return Err(Error::new(&at, "more than one form follows the dot"));
                    }
                }
                return Ok(None);
            }
            Some(Level::Vector { elements, .. }) => {
                elements.push(datum);
                return Ok(None);
            }
            _ => {}
        }
        match levels.pop() {
            Some(Level::Prefix { place, symbol }) => {
                let form = Datum::cons(datum, Datum::nil()).at(&at);
                datum = Datum::cons(Datum::Symbol(symbol), form).at(&place);
                at = place;
            }
            Some(Level::Evaluated(place)) => {
                if !levels
                    .iter()
                    .any(|level| matches!(level, Level::Skipped(_)))
                {
                    datum = evaluate(&datum.at(&place))?;
                }
                at = place;
            }
            Some(Level::Condition { place, positive }) => {
                if has_feature(&datum, &at, 0)? != positive {
                    levels.push(Level::Skipped(place));
                }
                return Ok(None);
            }
            _ => return Ok(None),
        }
    }
}

/// Whether the condition of `#+` is fulfilled.
fn has_feature(condition: &Datum, place: &Place, depth: usize) -> Result<bool> {
    let wrong = || {
        Error::new(
            condition.place().unwrap_or(place),
            "a condition is the name of a feature or a list of AND, OR or NOT and conditions",
        )
    };
    if depth > MAX_CONDITION_DEPTH {
        return Err(wrong());
    }
    let Some(operator) = condition.operator() else {
        let name = condition.as_symbol().ok_or_else(wrong)?;
        return Ok(FEATURES.contains(&&*name.name));
    };
    let conditions = condition.proper_list().ok_or_else(wrong)?;
    let mut values = conditions[1..]
        .iter()
        .map(|condition| has_feature(condition, place, depth + 1));
    // Every condition is looked at: mistakes in any of them are reported.
    match (&*operator.name, conditions.len()) {
        ("AND", _) => values.try_fold(true, |all, value| Ok(value? && all)),
        ("OR", _) => values.try_fold(false, |any, value| Ok(value? || any)),
        ("NOT", 2) => values.try_fold(false, |_, value| Ok(!value?)),
        _ => Err(wrong()),
    }
}
