//! Lisp data at compile time: what the reader makes, macros transform and the
//! compiler takes apart. Data never change once made.

use std::fmt;
use std::rc::Rc;

use num_bigint::BigInt;

/// A place in a source file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Name of the file as the user gave it.
    pub file: Rc<str>,
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
#[derive(Clone, Debug, PartialEq)]
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
}

/// A list cell with the place of its opening parenthesis.
#[derive(Debug)]
pub struct Cons {
    /// First part.
    pub car: Datum,
    /// Second part.
    pub cdr: Datum,
    /// Where a list that begins with this cell was read; cells that macros make
    /// have none.
    pub place: Option<Place>,
}

impl PartialEq for Cons {
    fn eq(&self, other: &Self) -> bool {
        self.car == other.car && self.cdr == other.cdr
    }
}
