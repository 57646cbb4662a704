//! Characters, and what they make up: parentheses, names, numbers, strings.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use num_bigint::BigInt;

use super::{MAX_NAME, Token, quasi};
use crate::datum::{Datum, Package, Place, Symbol};
use crate::{Error, Result};

/// Characters by name, the one to be printed first.
pub(crate) const CHARACTER_NAMES: [(&str, char); 15] = [
    ("Space", ' '),
    ("Newline", '\n'),
    ("Tab", '\t'),
    ("Return", '\r'),
    ("Page", '\x0C'),
    ("Backspace", '\x08'),
    ("Rubout", '\x7F'),
    ("Escape", '\x1B'),
    ("Null", '\0'),
    ("Bell", '\x07'),
    ("Linefeed", '\n'),
    ("Delete", '\x7F'),
    ("Esc", '\x1B'),
    ("Nul", '\0'),
    ("Altmode", '\x1B'),
];

/// Names of packages in a program, besides the full ones.
const PREFIXES: [(&str, Package); 8] = [
    ("", Package::Keyword),
    ("IL", Package::Interlisp),
    ("SI", Package::System),
    ("XCL", Package::XeroxCommonLisp),
    ("CL", Package::Lisp),
    ("COMMON-LISP", Package::Lisp),
    ("USER", Package::Lisp),
    ("CL-USER", Package::Lisp),
];

/// Goes through a text.
pub(super) struct Scanner<'a> {
    file: Arc<str>,
    /// What has not been read.
    rest: &'a str,
    line: u32,
    column: u32,
    /// Names that have turned up, so that equal ones share their text.
    names: HashMap<String, Rc<str>>,
}

/// A name or number as it was written.
#[derive(Default)]
struct Word {
    text: String,
    /// Whether anything in it was escaped: then it is a name.
    escaped: bool,
    /// Where the text after the colons begins.
    colons: Option<(usize, usize)>,
    /// There are colons that cannot be.
    misplaced: bool,
}

const fn is_terminating(c: char) -> bool {
    c.is_whitespace() || matches!(c, '(' | ')' | '"' | '\'' | '`' | ',' | ';')
}

impl<'a> Scanner<'a> {
    pub fn new(file: &str, text: &'a str) -> Self {
        let mut scanner = Self {
            file: file.into(),
            rest: text.strip_prefix('\u{FEFF}').unwrap_or(text),
            line: 1,
            column: 1,
            names: HashMap::new(),
        };
        // A program can begin with the line that starts it.
        if scanner.rest.starts_with("#!") {
            scanner.skip_line();
        }
        scanner
    }

    fn place(&self) -> Place {
        Place {
            file: self.file.clone(),
            line: self.line,
            column: self.column,
        }
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        if c == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(c)
    }

    fn skip_line(&mut self) {
        while !matches!(self.next(), None | Some('\n')) {}
    }

    /// The next token and its place. What is `suppressed` need only be balanced.
    pub fn token(&mut self, suppressed: bool) -> Result<(Place, Token)> {
        loop {
            let place = self.place();
            let Some(c) = self.peek() else {
                return Ok((place, Token::End));
            };
            if c.is_whitespace() {
                self.next();
                continue;
            }
            let token = match c {
                ';' => {
                    self.skip_line();
                    continue;
                }
                '(' => self.simple(Token::Open),
                ')' => self.simple(Token::Close),
                '\'' => self.simple(Token::Prefix(Symbol::lisp("QUOTE"))),
                '`' => self.simple(Token::Prefix(system(quasi::BACKQUOTE))),
                ',' => {
                    self.next();
                    if matches!(self.peek(), Some('@' | '.')) {
                        self.simple(Token::Prefix(system(quasi::SPLICE)))
                    } else {
                        Token::Prefix(system(quasi::UNQUOTE))
                    }
                }
                '"' => Token::Datum(self.string(&place)?),
                '#' => match self.dispatch(&place, suppressed)? {
                    Some(token) => token,
                    None => continue,
                },
                _ => {
                    let word = self.word(&place)?;
                    if word.text == "." && !word.escaped {
                        Token::Dot
                    } else {
                        Token::Datum(or_nil(suppressed, self.atom(&place, &word))?)
                    }
                }
            };
            return Ok((place, token));
        }
    }

    fn simple(&mut self, token: Token) -> Token {
        self.next();
        token
    }

    fn string(&mut self, place: &Place) -> Result<Datum> {
        let mut text = String::new();
        self.next();
        loop {
            let at = self.place();
            match self.next() {
                Some('"') => {
                    check_size(place, "string", text.chars().count())?;
                    return Ok(Datum::string(&text));
                }
                Some('\\') => match self.next() {
                    Some(c) => text.push(check_character(&at, c)?),
                    None => return Err(Error::new(place, "this string does not end")),
                },
                Some(c) => text.push(check_character(&at, c)?),
                None => return Err(Error::new(place, "this string does not end")),
            }
        }
    }

    /// Reads on to the end of a name or number.
    fn word(&mut self, place: &Place) -> Result<Word> {
        let mut word = Word::default();
        while let Some(c) = self.peek() {
            if is_terminating(c) {
                break;
            }
            let at = self.place();
            self.next();
            match c {
                '\\' => {
                    let Some(c) = self.next() else {
                        return Err(Error::new(&at, "nothing follows the backslash"));
                    };
                    word.escaped = true;
                    word.text.push(check_character(&at, c)?);
                }
                '|' => {
                    word.escaped = true;
                    loop {
                        match self.next() {
                            Some('|') => break,
                            Some('\\') => word.text.extend(self.next()),
                            Some(c) => word.text.push(check_character(&at, c)?),
                            None => {
                                return Err(Error::new(place, "a | of this symbol is not closed"));
                            }
                        }
                    }
                }
                ':' => {
                    if word.colons.is_some() {
                        word.misplaced = true;
                    }
                    let start = word.text.len();
                    word.text.push(':');
                    if self.peek() == Some(':') {
                        self.next();
                        word.text.push(':');
                    }
                    word.colons = Some((start, word.text.len()));
                }
                _ => {
                    let c = check_character(&at, c)?;
                    let mut upper = c.to_uppercase();
                    match (upper.next(), upper.next()) {
                        (Some(upper), None) => word.text.push(upper),
                        // Some letters are several in upper case.
                        _ => word.text.push(c),
                    }
                }
            }
        }
        Ok(word)
    }

    fn atom(&mut self, place: &Place, word: &Word) -> Result<Datum> {
        if !word.escaped {
            if word.text.bytes().all(|c| c == b'.') {
                return Err(Error::new(place, "a name cannot consist of dots only"));
            }
            if let Some(number) = number(place, &word.text)? {
                return Ok(number);
            }
        }
        let Some((end, start)) = word.colons else {
            return self.symbol(place, Package::Lisp, &word.text);
        };
        let (prefix, name) = (&word.text[..end], &word.text[start..]);
        if word.misplaced || (prefix.is_empty() && start - end == 2) {
            return Err(Error::new(place, "a colon cannot stand here"));
        }
        if name.is_empty() && !word.escaped {
            return Err(Error::new(place, "a name is missing after the colon"));
        }
        let package = Package::NUMBERED
            .iter()
            .map(|package| (package.name(), *package))
            .chain(PREFIXES)
            .find(|(name, _)| *name == prefix);
        let Some((_, package)) = package else {
            let message = format!("there is no package {prefix}");
            return Err(Error::new(place, message));
        };
        self.symbol(place, package, name)
    }

    fn symbol(&mut self, place: &Place, package: Package, name: &str) -> Result<Datum> {
        let characters = name.chars().count();
        if characters > MAX_NAME {
            let message = format!(
                "a symbol of {characters} characters; {MAX_NAME} are the most there can be"
            );
            return Err(Error::new(place, message));
        }
        if package == Package::Interlisp {
            // These two belong to both packages.
            match name {
                "NIL" => return Ok(Datum::nil()),
                "T" => return Ok(Datum::boolean(true)),
                _ => {}
            }
        }
        let name = match self.names.get(name) {
            Some(name) => name.clone(),
            None => {
                let shared: Rc<str> = name.into();
                self.names.insert(name.into(), shared.clone());
                shared
            }
        };
        Ok(Datum::Symbol(Symbol { package, name }))
    }

    /// What begins with `#`; `None` for a comment.
    fn dispatch(&mut self, place: &Place, suppressed: bool) -> Result<Option<Token>> {
        self.next();
        let Some(c) = self.next() else {
            return Err(Error::new(place, "the file ends after #"));
        };
        let token = match c.to_ascii_uppercase() {
            '\'' => Token::Prefix(Symbol::lisp("FUNCTION")),
            '(' => Token::OpenVector,
            '.' => Token::Evaluated,
            '+' => Token::Condition(true),
            '-' => Token::Condition(false),
            '|' => {
                self.skip_block(place)?;
                return Ok(None);
            }
            '\\' => Token::Datum(or_nil(suppressed, self.character(place))?),
            ':' => {
                let word = self.word(place)?;
                let symbol = if word.colons.is_some() {
                    Err(Error::new(place, "a colon cannot stand here"))
                } else {
                    self.symbol(place, Package::Uninterned, &word.text)
                };
                Token::Datum(or_nil(suppressed, symbol)?)
            }
            'B' => self.radix(place, suppressed, 2)?,
            'O' => self.radix(place, suppressed, 8)?,
            'X' => self.radix(place, suppressed, 16)?,
            '0'..='9' => {
                let mut number = c.to_digit(10).unwrap_or(0);
                while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
                    number = number.saturating_mul(10).saturating_add(digit);
                    self.next();
                }
                match self.next() {
                    Some('r' | 'R') if (2..=36).contains(&number) => {
                        self.radix(place, suppressed, number)?
                    }
                    _ if suppressed => Token::Datum(Datum::nil()),
                    _ => return Err(Error::new(place, "this # syntax is unknown")),
                }
            }
            _ if suppressed => Token::Datum(Datum::nil()),
            _ => {
                let message = format!("the syntax #{c} is unknown");
                return Err(Error::new(place, message));
            }
        };
        Ok(Some(token))
    }

    fn skip_block(&mut self, place: &Place) -> Result<()> {
        let mut depth = 1;
        while depth > 0 {
            match (self.next(), self.peek()) {
                (Some('|'), Some('#')) => {
                    self.next();
                    depth -= 1;
                }
                (Some('#'), Some('|')) => {
                    self.next();
                    depth += 1;
                }
                (None, _) => return Err(Error::new(place, "this comment does not end")),
                _ => {}
            }
        }
        Ok(())
    }

    fn radix(&mut self, place: &Place, suppressed: bool, radix: u32) -> Result<Token> {
        let word = self.word(place)?;
        let number = integer(&word.text, radix).filter(|_| !word.escaped);
        let number = number.map(Datum::Integer).ok_or_else(|| {
            let message = format!("{} is not an integer in base {radix}", word.text);
            Error::new(place, message)
        });
        Ok(Token::Datum(or_nil(suppressed, number)?))
    }

    /// What follows `#\`.
    fn character(&mut self, place: &Place) -> Result<Datum> {
        let Some(first) = self.next() else {
            return Err(Error::new(place, "the file ends after #\\"));
        };
        let mut name = String::from(first);
        while let Some(c) = self.peek().filter(|c| !is_terminating(*c)) {
            name.push(c);
            self.next();
        }
        let character = if name.chars().nth(1).is_none() {
            Some(first)
        } else {
            let named = CHARACTER_NAMES
                .iter()
                .find(|(other, _)| other.eq_ignore_ascii_case(&name));
            let coded = || {
                let digits = name.strip_prefix(['u', 'U'])?;
                let digits = digits.strip_prefix('+').unwrap_or(digits);
                let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                let code = u32::from_str_radix(digits, 16).ok().filter(|_| plain)?;
                char::from_u32(code)
            };
            named.map(|(_, c)| *c).or_else(coded)
        };
        match character {
            Some(c) => Ok(Datum::Character(check_character(place, c)?)),
            None => {
                let message = format!("there is no character with the name {name}");
                Err(Error::new(place, message))
            }
        }
    }
}

fn system(name: &str) -> Symbol {
    Symbol::new(Package::System, name)
}

/// Mistakes in what is not wanted are none.
fn or_nil(suppressed: bool, datum: Result<Datum>) -> Result<Datum> {
    match datum {
        Err(_) if suppressed => Ok(Datum::nil()),
        other => other,
    }
}

/// Elements that the block of a vector, or the length of a string, has room for.
const MAX_ELEMENTS: usize = 65_533;

/// Refuses what no array has room for.
pub(super) fn check_size(place: &Place, what: &str, elements: usize) -> Result<()> {
    if elements <= MAX_ELEMENTS {
        return Ok(());
    }
    let message =
        format!("a {what} of {elements} elements; {MAX_ELEMENTS} are the most there can be");
    Err(Error::new(place, message))
}

/// Lisp has characters of 16 bits.
fn check_character(place: &Place, c: char) -> Result<char> {
    if u32::from(c) > 0xFFFF {
        let message =
            format!("the character {c:?} has a code above FFFF, which Lisp does not have");
        return Err(Error::new(place, message));
    }
    Ok(c)
}

fn integer(text: &str, radix: u32) -> Option<BigInt> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    BigInt::parse_bytes(text.as_bytes(), radix)
}

/// True of names that would be read as something else, were they not escaped.
pub(crate) fn is_special(name: &str) -> bool {
    let nowhere = Place {
        file: "".into(),
        line: 1,
        column: 1,
    };
    name.bytes().all(|c| c == b'.') || !matches!(number(&nowhere, name), Ok(None))
}

/// The number that an unescaped word is, if it is one.
fn number(place: &Place, text: &str) -> Result<Option<Datum>> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return Ok(None);
    }
    if let Some(n) = integer(text.strip_suffix('.').unwrap_or(text), 10) {
        return Ok(Some(Datum::Integer(n)));
    }
    if let Some((above, below)) = unsigned.split_once('/')
        && integer(above, 10).is_some()
        && below.bytes().all(|c| c.is_ascii_digit())
        && !below.is_empty()
    {
        return Err(Error::new(place, "there are no ratios"));
    }
    let (mantissa, exponent) = match unsigned.find(['E', 'S', 'F', 'D', 'L']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|c| c.is_ascii_digit());
    let plain_exponent =
        exponent.is_none_or(|exponent| integer(exponent, 10).is_some() && exponent.is_ascii());
    if !digits(whole) || !digits(fraction) || !plain_exponent {
        return Ok(None);
    }
    // A dot alone makes no float: digits behind it do, or an exponent.
    if fraction.is_empty() && (whole.is_empty() || exponent.is_none()) {
        return Ok(None);
    }
    let sign = if text.starts_with('-') { "-" } else { "" };
    let written = format!("{sign}{whole}.{fraction}e{}", exponent.unwrap_or("0"));
    let float: f32 = match written.parse() {
        Ok(float) => float,
        Err(_) => return Ok(None),
    };
    let is_zero = !mantissa.bytes().any(|c| matches!(c, b'1'..=b'9'));
    if !float.is_finite() || (float == 0.0 && !is_zero) {
        let message = format!("the float {text} is outside the range of single floats");
        return Err(Error::new(place, message));
    }
    Ok(Some(Datum::Float(float)))
}
