//! Lisp data at compile time: what the reader makes, macros transform and the
//! compiler takes apart. Data never change once made.

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use num_bigint::BigInt;

use crate::expand::Function;

/// A place in a source file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Name of the file as the user gave it.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// The packages of the built-in Lisp, in the order of their numbers in an
/// image, the first of which is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Package {
    /// Names the machine knows: trap functions, system variables.
    Interlisp,
    /// Everything a user sees; the package of unqualified names.
    Lisp,
    /// Names that begin with a colon; each is its own value.
    Keyword,
    /// Internals that Medley keeps in the package SYSTEM.
    System,
    /// Internals that Medley keeps in the package XEROX-COMMON-LISP.
    XeroxCommonLisp,
    /// No package: made by `gensym` or read as `#:name`.
    Uninterned,
}

impl Package {
    /// All packages that have a number, in order.
    pub const NUMBERED: [Self; 5] = [
        Self::Interlisp,
        Self::Lisp,
        Self::Keyword,
        Self::System,
        Self::XeroxCommonLisp,
    ];

    /// Full name, as in an image.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Interlisp => "INTERLISP",
            Self::Lisp => "LISP",
            Self::Keyword => "KEYWORD",
            Self::System => "SYSTEM",
            Self::XeroxCommonLisp => "XEROX-COMMON-LISP",
            Self::Uninterned => "",
        }
    }

    /// What stands before a name when it is printed.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Interlisp => "IL:",
            Self::Lisp => "",
            Self::Keyword => ":",
            Self::System => "SI:",
            Self::XeroxCommonLisp => "XCL:",
            Self::Uninterned => "#:",
        }
    }
}

/// A symbol. Two symbols are the same if package and name are; names of
/// uninterned symbols are made unique by whoever makes them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Symbol {
    /// Home package.
    pub package: Package,
    /// Print name, in the case the image has, usually upper.
    pub name: Rc<str>,
}

impl Symbol {
    /// A symbol of a package.
    pub fn new(package: Package, name: &str) -> Self {
        Self {
            package,
            name: name.into(),
        }
    }

    /// A symbol of the user's package.
    pub fn lisp(name: &str) -> Self {
        Self::new(Package::Lisp, name)
    }

    /// True for the symbol of the user's package with that name.
    pub fn is(&self, name: &str) -> bool {
        self.package == Package::Lisp && &*self.name == name
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.package.prefix(), self.name)
    }
}

/// A Lisp object. NIL and T are the symbols of these names in [`Package::Lisp`].
#[derive(Clone, Debug)]
pub enum Datum {
    /// A symbol.
    Symbol(Symbol),
    /// An integer of any size.
    Integer(BigInt),
    /// A single float, the only kind there is.
    Float(f32),
    /// A character.
    Character(char),
    /// A string.
    String(Rc<str>),
    /// A list cell.
    Cons(Rc<Cons>),
    /// A simple vector.
    Vector(Rc<[Datum]>),
    /// A function at compile time; it cannot become part of a program.
    Function(Function),
}

/// A list cell with its place.
#[derive(Debug)]
pub struct Cons {
    /// First part.
    pub car: Datum,
    /// Second part.
    pub cdr: Datum,
    /// Where it was read: the opening parenthesis if it is the first cell of a
    /// list, else its element. Cells that macros make have none, but an expansion
    /// has the place of the macro call.
    pub place: Option<Place>,
}

thread_local! {
    static NIL: Datum = Datum::Symbol(Symbol::lisp("NIL"));
    static T: Datum = Datum::Symbol(Symbol::lisp("T"));
}

impl Datum {
    /// The empty list, false.
    pub fn nil() -> Self {
        NIL.with(Self::clone)
    }

    /// T or NIL.
    pub fn boolean(value: bool) -> Self {
        if value {
            T.with(Self::clone)
        } else {
            Self::nil()
        }
    }

    /// A symbol of the user's package.
    pub fn symbol(name: &str) -> Self {
        Self::Symbol(Symbol::lisp(name))
    }

    /// An integer.
    pub fn integer(value: impl Into<BigInt>) -> Self {
        Self::Integer(value.into())
    }

    /// A string.
    pub fn string(text: &str) -> Self {
        Self::String(text.into())
    }

    /// A cell without a place.
    pub fn cons(car: Self, cdr: Self) -> Self {
        let place = None;
        Self::Cons(Rc::new(Cons { car, cdr, place }))
    }

    /// A list without places.
    pub fn list(elements: impl IntoIterator<Item = Self, IntoIter: DoubleEndedIterator>) -> Self {
        Self::list_with_tail(elements, Self::nil())
    }

    /// A list without places that ends with `tail` instead of NIL.
    pub fn list_with_tail(
        elements: impl IntoIterator<Item = Self, IntoIter: DoubleEndedIterator>,
        tail: Self,
    ) -> Self {
        elements
            .into_iter()
            .rev()
            .fold(tail, |cdr, car| Self::cons(car, cdr))
    }

    /// The same list with a place, if it has none.
    #[must_use]
    pub fn at(self, place: &Place) -> Self {
        match self {
            Self::Cons(cell) if cell.place.is_none() => Self::Cons(Rc::new(Cons {
                car: cell.car.clone(),
                cdr: cell.cdr.clone(),
                place: Some(place.clone()),
            })),
            other => other,
        }
    }

    /// True of NIL.
    pub fn is_nil(&self) -> bool {
        matches!(self, Self::Symbol(symbol) if symbol.is("NIL"))
    }

    /// True of cells and NIL.
    pub fn is_list(&self) -> bool {
        matches!(self, Self::Cons(_)) || self.is_nil()
    }

    /// The symbol, if it is one.
    pub fn as_symbol(&self) -> Option<&Symbol> {
        match self {
            Self::Symbol(symbol) => Some(symbol),
            _ => None,
        }
    }

    /// The cell, if it is one.
    pub fn as_cons(&self) -> Option<&Cons> {
        match self {
            Self::Cons(cell) => Some(cell),
            _ => None,
        }
    }

    /// The symbol with which a form begins.
    pub fn operator(&self) -> Option<&Symbol> {
        self.as_cons()?.car.as_symbol()
    }

    /// Where a list was read.
    pub fn place(&self) -> Option<&Place> {
        self.as_cons()?.place.as_ref()
    }

    /// The elements of a list up to its end or dot.
    pub fn elements(&self) -> Elements<'_> {
        Elements { rest: self }
    }

    /// The elements of a list that ends with NIL.
    pub fn proper_list(&self) -> Option<Vec<Self>> {
        let mut elements = self.elements();
        let list = elements.by_ref().cloned().collect();
        elements.rest.is_nil().then_some(list)
    }

    /// True of two datums that are the same object as far as a program can tell:
    /// equal numbers, characters and symbols; the same list, string or vector.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Cons(a), Self::Cons(b)) => Rc::ptr_eq(a, b),
            (Self::String(a), Self::String(b)) => Rc::ptr_eq(a, b),
            (Self::Vector(a), Self::Vector(b)) => Rc::ptr_eq(a, b),
            (Self::Cons(_) | Self::String(_) | Self::Vector(_), _) => false,
            _ => self == other,
        }
    }
}

/// The elements of a list. What is left of it is in `rest`.
pub struct Elements<'a> {
    /// The list from the next element on; what the list ends with when there are
    /// no more elements.
    pub rest: &'a Datum,
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a Datum;

    fn next(&mut self) -> Option<&'a Datum> {
        let cell = self.rest.as_cons()?;
        self.rest = &cell.cdr;
        Some(&cell.car)
    }
}

// Lists are long and may be deep: what walks all of one does not recurse.

impl PartialEq for Datum {
    fn eq(&self, other: &Self) -> bool {
        if !matches!(self, Self::Cons(_) | Self::Vector(_)) {
            return self.eq_leaf(other);
        }
        let mut pairs = vec![(self, other)];
        while let Some(pair) = pairs.pop() {
            let same = match pair {
                (Self::Cons(a), Self::Cons(b)) => {
                    if !Rc::ptr_eq(a, b) {
                        pairs.push((&a.cdr, &b.cdr));
                        pairs.push((&a.car, &b.car));
                    }
                    true
                }
                (Self::Vector(a), Self::Vector(b)) => {
                    pairs.extend(a.iter().zip(b.iter()));
                    a.len() == b.len()
                }
                (a, b) => a.eq_leaf(b),
            };
            if !same {
                return false;
            }
        }
        true
    }
}

impl Datum {
    /// Equality of what has no parts.
    fn eq_leaf(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Symbol(a), Self::Symbol(b)) => a == b,
            (Self::Integer(a), Self::Integer(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a == b,
            (Self::Character(a), Self::Character(b)) => a == b,
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Function(a), Self::Function(b)) => a == b,
            _ => false,
        }
    }
}

impl Drop for Cons {
    fn drop(&mut self) {
        fn take(datum: &mut Datum, cells: &mut Vec<Rc<Cons>>) {
            if matches!(datum, Datum::Cons(_))
                && let Datum::Cons(cell) = std::mem::replace(datum, Datum::Character(' '))
            {
                cells.push(cell);
            }
        }
        let mut cells = Vec::new();
        take(&mut self.car, &mut cells);
        take(&mut self.cdr, &mut cells);
        while let Some(cell) = cells.pop() {
            if let Some(mut cell) = Rc::into_inner(cell) {
                take(&mut cell.car, &mut cells);
                take(&mut cell.cdr, &mut cells);
            }
        }
    }
}
