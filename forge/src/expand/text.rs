//! Functions on strings, symbols and characters.

use crate::datum::{Datum, Package, Symbol};

use super::analyse::Brief;
use super::node::{Flow, Primitive, error};
use super::{ANY, Expander, lists, primitive};

pub(super) static PRIMITIVES: &[Primitive] = &[
    primitive("SYMBOL-NAME", 1, 1, |_, a| match &a[0] {
        Datum::Symbol(symbol) => Ok(Datum::String(symbol.name.clone())),
        other => error(format!("{} is not a symbol", Brief(other))),
    }),
    primitive("SYMBOL-PACKAGE", 1, 1, |_, a| match &a[0] {
        Datum::Symbol(symbol) if symbol.package == Package::Uninterned => Ok(Datum::nil()),
        Datum::Symbol(symbol) => Ok(keyword(symbol.package.name())),
        other => error(format!("{} is not a symbol", Brief(other))),
    }),
    primitive("STRING", 1, 1, |_, a| Ok(Datum::string(&text(&a[0])?))),
    primitive("STRING=", 2, 2, |_, a| {
        Ok(Datum::boolean(text(&a[0])? == text(&a[1])?))
    }),
    primitive("STRING-EQUAL", 2, 2, |_, a| {
        let same = text(&a[0])?.to_uppercase() == text(&a[1])?.to_uppercase();
        Ok(Datum::boolean(same))
    }),
    primitive("STRING<", 2, 2, |_, a| {
        Ok(Datum::boolean(text(&a[0])? < text(&a[1])?))
    }),
    primitive("STRING-UPCASE", 1, 1, |_, a| {
        Ok(Datum::string(&text(&a[0])?.to_uppercase()))
    }),
    primitive("STRING-DOWNCASE", 1, 1, |_, a| {
        Ok(Datum::string(&text(&a[0])?.to_lowercase()))
    }),
    primitive("CHAR", 2, 2, |_, a| {
        let text = text(&a[0])?;
        match text.chars().nth(lists::index(&a[1])?) {
            Some(c) => Ok(Datum::Character(c)),
            None => error(format!("{} has no character {}", Brief(&a[0]), a[1])),
        }
    }),
    primitive("CONCATENATE", 1, ANY, |this, a| {
        let mut elements = Vec::new();
        for part in &a[1..] {
            elements.extend(this.sequence(part)?);
        }
        let kind = a[0].as_symbol().map_or("", |kind| &*kind.name);
        let model = match kind {
            "STRING" => Datum::string(""),
            "LIST" => Datum::nil(),
            "VECTOR" | "SIMPLE-VECTOR" => Datum::Vector(Vec::new().into()),
            _ => return error(format!("CONCATENATE cannot make a {}", Brief(&a[0]))),
        };
        this.like(&model, elements)
    }),
    primitive("INTERN", 1, 2, |this, a| {
        let name = text(&a[0])?;
        let package = match a.get(1) {
            Some(package) => this.package(package)?,
            None => Package::Lisp,
        };
        Ok(Datum::Symbol(Symbol::new(package, &name)))
    }),
    primitive("MAKE-SYMBOL", 1, 1, |this, a| {
        let name = text(&a[0])?;
        Ok(Datum::Symbol(this.make_symbol(&name)))
    }),
    primitive("GENSYM", 0, 1, |this, a| {
        let prefix = a.first().and_then(|prefix| this.name_of(prefix));
        let symbol = this.make_symbol(prefix.unwrap_or("G"));
        Ok(Datum::Symbol(symbol))
    }),
    primitive("FORMAT", 2, ANY, |this, a| {
        if !a[0].is_nil() {
            return error("FORMAT can only make a string at compile time");
        }
        let message = this.format(&a[1..])?;
        Ok(Datum::string(&message))
    }),
    primitive("PRINC-TO-STRING", 1, 1, |this, a| {
        let text = this.princ(&a[0])?;
        Ok(Datum::string(&text))
    }),
    primitive("PRIN1-TO-STRING", 1, 1, |this, a| {
        let text = this.prin1(&a[0])?;
        Ok(Datum::string(&text))
    }),
    primitive("PARSE-INTEGER", 1, 1, |_, a| {
        let text = text(&a[0])?;
        match text.trim().parse::<num_bigint::BigInt>() {
            Ok(n) => Ok(Datum::Integer(n)),
            Err(_) => error(format!("{} is not an integer", Brief(&a[0]))),
        }
    }),
    primitive("CHAR-CODE", 1, 1, |_, a| {
        Ok(Datum::integer(u32::from(character(&a[0])?)))
    }),
    primitive("CODE-CHAR", 1, 1, |_, a| {
        let code = u16::try_from(lists::index(&a[0])?).ok();
        match code.and_then(|code| char::from_u32(code.into())) {
            Some(c) => Ok(Datum::Character(c)),
            None => error(format!("there is no character with code {}", Brief(&a[0]))),
        }
    }),
    primitive("CHAR-UPCASE", 1, 1, |_, a| {
        Ok(Datum::Character(character(&a[0])?.to_ascii_uppercase()))
    }),
    primitive("CHAR-DOWNCASE", 1, 1, |_, a| {
        Ok(Datum::Character(character(&a[0])?.to_ascii_lowercase()))
    }),
    primitive("CHAR=", 2, 2, |_, a| {
        Ok(Datum::boolean(character(&a[0])? == character(&a[1])?))
    }),
    primitive("ALPHA-CHAR-P", 1, 1, |_, a| {
        Ok(Datum::boolean(character(&a[0])?.is_alphabetic()))
    }),
    primitive("DIGIT-CHAR-P", 1, 1, |_, a| {
        let weight = character(&a[0])?.to_digit(10);
        Ok(weight.map_or_else(Datum::nil, Datum::integer))
    }),
    primitive("SYMBOLP", 1, 1, |_, a| {
        Ok(Datum::boolean(matches!(a[0], Datum::Symbol(_))))
    }),
    primitive("KEYWORDP", 1, 1, |_, a| {
        Ok(Datum::boolean(
            matches!(&a[0], Datum::Symbol(symbol) if symbol.package == Package::Keyword),
        ))
    }),
    primitive("STRINGP", 1, 1, |_, a| {
        Ok(Datum::boolean(matches!(a[0], Datum::String(_))))
    }),
    primitive("CHARACTERP", 1, 1, |_, a| {
        Ok(Datum::boolean(matches!(a[0], Datum::Character(_))))
    }),
];

pub(super) fn keyword(name: &str) -> Datum {
    Datum::Symbol(Symbol::new(Package::Keyword, name))
}

/// The text that a string, symbol or character is.
fn text(datum: &Datum) -> Flow<String> {
    match datum {
        Datum::String(text) => Ok(text.to_string()),
        Datum::Symbol(symbol) => Ok(symbol.name.to_string()),
        Datum::Character(c) => Ok(c.to_string()),
        other => error(format!("{} is not a string", Brief(other))),
    }
}

fn character(datum: &Datum) -> Flow<char> {
    match datum {
        Datum::Character(c) => Ok(*c),
        other => error(format!("{} is not a character", Brief(other))),
    }
}

impl Expander {
    fn package(&self, designator: &Datum) -> Flow<Package> {
        let name = self.name_of(designator).unwrap_or("");
        if designator.is_nil() {
            return Ok(Package::Uninterned);
        }
        let package = Package::NUMBERED.into_iter().find(|package| {
            package.name() == name || package.prefix().strip_suffix(':') == Some(name)
        });
        package.map_or_else(
            || error(format!("there is no package {}", Brief(designator))),
            Ok,
        )
    }

    fn prin1(&mut self, datum: &Datum) -> Flow<String> {
        let text = datum.to_string();
        self.charge(text.len() / 8)?;
        Ok(text)
    }

    fn princ(&mut self, datum: &Datum) -> Flow<String> {
        match datum {
            Datum::String(_) | Datum::Symbol(_) | Datum::Character(_) => text(datum),
            other => self.prin1(other),
        }
    }

    /// What FORMAT writes: `~A`, `~S`, `~D`, `~%`, `~&` and `~~`.
    pub(super) fn format(&mut self, a: &[Datum]) -> Flow<String> {
        let control = text(&a[0])?;
        let mut arguments = a[1..].iter();
        let mut message = String::new();
        let mut characters = control.chars();
        while let Some(c) = characters.next() {
            if c != '~' {
                message.push(c);
                continue;
            }
            match characters.next().map(|c| c.to_ascii_uppercase()) {
                Some(directive @ ('A' | 'S' | 'D')) => {
                    let Some(argument) = arguments.next() else {
                        return error("FORMAT with too few arguments");
                    };
                    message.push_str(&if directive == 'S' {
                        self.prin1(argument)?
                    } else {
                        self.princ(argument)?
                    });
                }
                Some('%' | '&') => message.push('\n'),
                Some('~') => message.push('~'),
                _ => return error(format!("FORMAT with the directive in {}", Brief(&a[0]))),
            }
        }
        self.charge(message.len() / 8)?;
        Ok(message)
    }
}
