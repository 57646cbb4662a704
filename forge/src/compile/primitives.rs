//! Functions that are instructions: the one table of them.

use std::collections::HashMap;
use std::sync::LazyLock;

use geiko_runtime::isa::Opcode::{self, *};

use super::tree::Step::{self, Byte, Name, Op};
use super::tree::Steps;
use crate::datum::{Package, Symbol};

/// What the result of a [`Primitive`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Result {
    /// Any object.
    Any,
    /// A float.
    Float,
    /// An object or NIL, where T or NIL is wanted.
    Truth,
}

/// A function with a fixed number of arguments that is a few instructions.
#[derive(Clone, Copy, Debug)]
pub struct Primitive {
    /// Its name in package LISP, or in SYSTEM with the prefix `SI:`.
    pub name: &'static str,
    /// How many arguments it takes.
    pub arguments: u8,
    /// The instructions, when the arguments are on the stack.
    pub steps: Steps,
    /// What it answers.
    pub result: Result,
}

const fn row(name: &'static str, arguments: u8, steps: Steps) -> Primitive {
    Primitive {
        name,
        arguments,
        steps,
        result: Result::Any,
    }
}

const fn float(name: &'static str, arguments: u8, steps: Steps) -> Primitive {
    Primitive {
        name,
        arguments,
        steps,
        result: Result::Float,
    }
}

const fn truth(name: &'static str, steps: Steps) -> Primitive {
    Primitive {
        name,
        arguments: 1,
        steps,
        result: Result::Truth,
    }
}

/// Bits of the high byte of a type entry, for TYPEMASK.N.
const NUMBER_BIT: u8 = 0x10;
const INTEGER_BIT: u8 = 0x20;

/// The table.
#[rustfmt::skip]
pub const PRIMITIVES: &[Primitive] = &[
    // Lists.
    row("CAR",          1, &[Op(Car)]),
    row("CDR",          1, &[Op(Cdr)]),
    row("CONS",         2, &[Op(Cons)]),
    row("RPLACA",       2, &[Op(Rplaca)]),
    row("RPLACD",       2, &[Op(Rplacd)]),
    row("FIRST",        1, &[Op(Car)]),
    row("REST",         1, &[Op(Cdr)]),
    row("SECOND",       1, &[Op(Cdr), Op(Car)]),
    row("THIRD",        1, &[Op(Cdr), Op(Cdr), Op(Car)]),
    row("FOURTH",       1, &[Op(Cdr), Op(Cdr), Op(Cdr), Op(Car)]),
    row("CAAR",         1, &[Op(Car), Op(Car)]),
    row("CADR",         1, &[Op(Cdr), Op(Car)]),
    row("CDAR",         1, &[Op(Car), Op(Cdr)]),
    row("CDDR",         1, &[Op(Cdr), Op(Cdr)]),
    row("CAAAR",        1, &[Op(Car), Op(Car), Op(Car)]),
    row("CAADR",        1, &[Op(Cdr), Op(Car), Op(Car)]),
    row("CADAR",        1, &[Op(Car), Op(Cdr), Op(Car)]),
    row("CADDR",        1, &[Op(Cdr), Op(Cdr), Op(Car)]),
    row("CDAAR",        1, &[Op(Car), Op(Car), Op(Cdr)]),
    row("CDADR",        1, &[Op(Cdr), Op(Car), Op(Cdr)]),
    row("CDDAR",        1, &[Op(Car), Op(Cdr), Op(Cdr)]),
    row("CDDDR",        1, &[Op(Cdr), Op(Cdr), Op(Cdr)]),
    row("CADDDR",       1, &[Op(Cdr), Op(Cdr), Op(Cdr), Op(Car)]),
    row("CDDDDR",       1, &[Op(Cdr), Op(Cdr), Op(Cdr), Op(Cdr)]),
    row("GETF",         2, &[Op(ListGet)]),
    row("ASSOC",        2, &[Op(CmlAssoc)]),
    row("MEMBER",       2, &[Op(CmlMember)]),
    row("SI:ASSQ",      2, &[Op(Assoc)]),
    row("SI:MEMQ",      2, &[Op(Fmemb)]),
    // Types.
    truth("CONSP",      &[Op(Listp)]),
    truth("NUMBERP",    &[Byte(TypeMaskN, NUMBER_BIT)]),
    truth("INTEGERP",   &[Byte(TypeMaskN, INTEGER_BIT)]),
    truth("FLOATP",     &[Byte(Typep, 3)]),
    truth("CHARACTERP", &[Byte(Typep, 9)]),
    // Comparison.
    row("EQ",           2, &[Op(Eq)]),
    row("EQL",          2, &[Op(Eql)]),
    row("EQUAL",        2, &[Op(CmlEqual)]),
    row("CHAR=",        2, &[Op(Eq)]),
    row("EVENP",        1, &[Op(One), Op(LogAnd2), Op(Zero), Op(Eq)]),
    row("ODDP",         1, &[Op(One), Op(LogAnd2), Op(One), Op(Eq)]),
    row("ZEROP",        1, &[Op(Zero), Op(NumEqual)]),
    row("PLUSP",        1, &[Op(Zero), Op(GreaterP)]),
    row("MINUSP",       1, &[Op(Zero), Op(Swap), Op(GreaterP)]),
    // Numbers.
    row("1+",           1, &[Byte(IPlusN, 1)]),
    row("1-",           1, &[Byte(IDifferenceN, 1)]),
    row("ASH",          2, &[Op(Lsh)]),
    row("LOGNOT",       1, &[Step::Small(-1), Op(LogXor2)]),
    row("REM",          2, &[Op(IRemainder)]),
    row("SI:INTEGER+",  2, &[Op(IPlus2)]),
    row("SI:INTEGER-",  2, &[Op(IDifference)]),
    row("SI:INTEGER*",  2, &[Op(ITimes2)]),
    row("SI:INTEGER/",  2, &[Op(IQuotient)]),
    row("SI:INTEGER>",  2, &[Op(IGreaterP)]),
    float("SI:FLOAT+",  2, &[Op(FPlus2)]),
    float("SI:FLOAT-",  2, &[Op(FDifference)]),
    float("SI:FLOAT*",  2, &[Op(FTimes2)]),
    float("SI:FLOAT/",  2, &[Op(FQuotient)]),
    row("SI:FLOAT>",    2, &[Op(FGreaterP)]),
    // Characters.
    row("CHAR-CODE",    1, &[Name(Dtest, "CHARACTER"), Op(LoLoc)]),
    // Arrays.
    row("AREF",         2, &[Op(Aref1)]),
    row("AREF",         3, &[Op(Aref2)]),
    row("SVREF",        2, &[Op(Aref1)]),
    row("CHAR",         2, &[Op(Aref1)]),
    row("SCHAR",        2, &[Op(Aref1)]),
    row("BIT",          2, &[Op(Aref1)]),
    row("SBIT",         2, &[Op(Aref1)]),
    // Hashing.
];

/// Functions of any number of arguments that are an instruction for two.
pub struct Fold {
    /// Its name in package LISP.
    pub name: &'static str,
    /// For any numbers.
    pub opcode: Opcode,
    /// For floats, where there is one.
    pub float: Option<Opcode>,
    /// The result without arguments.
    pub unit: i32,
}

/// The table of folds.
#[rustfmt::skip]
pub const FOLDS: &[Fold] = &[
    Fold { name: "+",      opcode: Plus2,   float: Some(FPlus2),  unit: 0 },
    Fold { name: "*",      opcode: Times2,  float: Some(FTimes2), unit: 1 },
    Fold { name: "LOGIOR", opcode: LogOr2,  float: None,          unit: 0 },
    Fold { name: "LOGAND", opcode: LogAnd2, float: None,          unit: -1 },
    Fold { name: "LOGXOR", opcode: LogXor2, float: None,          unit: 0 },
];

/// Comparisons of any number of numbers.
pub struct Comparison {
    /// Its name in package LISP.
    pub name: &'static str,
    /// For any numbers.
    pub opcode: Opcode,
    /// For floats.
    pub float: Option<Opcode>,
    /// Whether the operands are the other way round.
    pub swapped: bool,
    /// Whether the answer is the other one.
    pub negated: bool,
}

/// The table of comparisons.
#[rustfmt::skip]
pub const COMPARISONS: &[Comparison] = &[
    Comparison { name: "<",  opcode: GreaterP, float: Some(FGreaterP), swapped: true,  negated: false },
    Comparison { name: ">",  opcode: GreaterP, float: Some(FGreaterP), swapped: false, negated: false },
    Comparison { name: "<=", opcode: GreaterP, float: Some(FGreaterP), swapped: false, negated: true },
    Comparison { name: ">=", opcode: GreaterP, float: Some(FGreaterP), swapped: true,  negated: true },
    Comparison { name: "=",  opcode: NumEqual, float: None,            swapped: false, negated: false },
];

/// What a name of the tables means.
#[derive(Clone, Copy)]
pub enum Inline {
    /// A row of [`PRIMITIVES`]; perhaps the next one has the same name.
    Primitive(usize),
    /// A row of [`FOLDS`].
    Fold(usize),
    /// A row of [`COMPARISONS`].
    Comparison(usize),
}

/// Looks a function up in the tables.
pub fn find(symbol: &Symbol) -> Option<Inline> {
    static TABLE: LazyLock<HashMap<(Package, &'static str), Inline>> = LazyLock::new(|| {
        let mut table = HashMap::new();
        for (index, primitive) in PRIMITIVES.iter().enumerate().rev() {
            let key = match primitive.name.strip_prefix("SI:") {
                Some(name) => (Package::System, name),
                None => (Package::Lisp, primitive.name),
            };
            table.insert(key, Inline::Primitive(index));
        }
        for (index, fold) in FOLDS.iter().enumerate() {
            table.insert((Package::Lisp, fold.name), Inline::Fold(index));
        }
        for (index, comparison) in COMPARISONS.iter().enumerate() {
            let key = (Package::Lisp, comparison.name);
            table.insert(key, Inline::Comparison(index));
        }
        table
    });
    TABLE.get(&(symbol.package, &*symbol.name)).copied()
}

/// The row for that many arguments.
pub fn primitive(first: usize, arguments: usize) -> Option<&'static Primitive> {
    let name = PRIMITIVES[first].name;
    PRIMITIVES[first..]
        .iter()
        .take_while(|row| row.name == name)
        .find(|row| usize::from(row.arguments) == arguments)
}
