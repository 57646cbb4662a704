//! The printer: what it writes, the reader reads as an equal datum.

use std::fmt;

use crate::datum::{Datum, Package, Symbol};
use crate::reader::quasi;
use crate::reader::token::{CHARACTER_NAMES, is_special};

/// What is still to be written.
enum Item<'a> {
    Datum(&'a Datum),
    /// What follows an element of a list.
    Rest(&'a Datum),
    Text(&'static str),
}

impl fmt::Display for Datum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut items = vec![Item::Datum(self)];
        while let Some(item) = items.pop() {
            match item {
                Item::Text(text) => f.write_str(text)?,
                Item::Rest(Self::Cons(cell)) => {
                    f.write_str(" ")?;
                    items.push(Item::Rest(&cell.cdr));
                    items.push(Item::Datum(&cell.car));
                }
                Item::Rest(end) if end.is_nil() => f.write_str(")")?,
                Item::Rest(end) => {
                    f.write_str(" . ")?;
                    items.push(Item::Text(")"));
                    items.push(Item::Datum(end));
                }
                Item::Datum(Self::Cons(cell)) => {
                    if let Some((prefix, datum)) = abbreviation(&cell.car, &cell.cdr) {
                        f.write_str(prefix)?;
                        items.push(Item::Datum(datum));
                    } else {
                        f.write_str("(")?;
                        items.push(Item::Rest(&cell.cdr));
                        items.push(Item::Datum(&cell.car));
                    }
                }
                Item::Datum(Self::Vector(elements)) => {
                    f.write_str("#(")?;
                    items.push(Item::Text(")"));
                    for (index, element) in elements.iter().enumerate().rev() {
                        items.push(Item::Datum(element));
                        if index > 0 {
                            items.push(Item::Text(" "));
                        }
                    }
                }
                Item::Datum(Self::Symbol(symbol)) => write_symbol(f, symbol)?,
                Item::Datum(Self::Integer(n)) => write!(f, "{n}")?,
                Item::Datum(Self::Float(x)) => write!(f, "{x:?}")?,
                Item::Datum(Self::Character(c)) => write_character(f, *c)?,
                Item::Datum(Self::String(text)) => write_string(f, text)?,
                Item::Datum(Self::Function(function)) => write!(f, "#<{function}>")?,
            }
        }
        Ok(())
    }
}

/// How a form of two elements is written shorter.
fn abbreviation<'a>(operator: &Datum, rest: &'a Datum) -> Option<(&'static str, &'a Datum)> {
    let operator = operator.as_symbol()?;
    let rest = rest.as_cons()?;
    let prefix = match (operator.package, &*operator.name) {
        (Package::Lisp, "QUOTE") => "'",
        (Package::Lisp, "FUNCTION") => "#'",
        (Package::System, quasi::BACKQUOTE) => "`",
        (Package::System, quasi::UNQUOTE) => ",",
        (Package::System, quasi::SPLICE) => ",@",
        _ => return None,
    };
    rest.cdr.is_nil().then_some((prefix, &rest.car))
}

fn write_string(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            f.write_str("\\")?;
        }
        write!(f, "{c}")?;
    }
    f.write_str("\"")
}

fn write_character(f: &mut fmt::Formatter<'_>, c: char) -> fmt::Result {
    match CHARACTER_NAMES.iter().find(|(_, other)| *other == c) {
        Some((name, _)) => write!(f, "#\\{name}"),
        None if c.is_control() || c.is_whitespace() => write!(f, "#\\U+{:X}", u32::from(c)),
        None => write!(f, "#\\{c}"),
    }
}

fn write_symbol(f: &mut fmt::Formatter<'_>, symbol: &Symbol) -> fmt::Result {
    f.write_str(symbol.package.prefix())?;
    let name = &symbol.name;
    let plain = |c: char| {
        c.is_ascii_graphic()
            && !c.is_ascii_lowercase()
            && !matches!(
                c,
                '(' | ')' | '"' | '\'' | '`' | ',' | ';' | '|' | '\\' | ':'
            )
    };
    if name.chars().all(plain) && !name.starts_with('#') && !is_special(name) {
        return f.write_str(name);
    }
    f.write_str("|")?;
    for c in name.chars() {
        if matches!(c, '|' | '\\') {
            f.write_str("\\")?;
        }
        write!(f, "{c}")?;
    }
    f.write_str("|")
}
