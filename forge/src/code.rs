//! Object code: what the assembler hands to the linker.

use crate::datum::{Datum, Place, Symbol};

/// A compiled function, with symbolic references to everything outside it.
#[derive(Clone, Debug)]
pub struct Code {
    /// Frame name; what backtraces show.
    pub name: Symbol,
    /// How many arguments a call leaves in the frame: `None` for any number (a
    /// nospread function, `na` -1).
    pub arguments: Option<u16>,
    /// Names of the parameters, for people.
    pub parameters: Vec<Symbol>,
    /// PVAR slots that hold local variables, `nlocals`; the slots of `free`
    /// variables follow.
    pub locals: u8,
    /// Arguments and locals that other functions see by name (special bindings).
    pub published: Vec<Published>,
    /// Free variables in the order of their slots.
    pub free: Vec<Symbol>,
    /// Stack words that must be free on entry, `stkmin`.
    pub stack_words: u16,
    /// Instructions, ended by a zero byte. References are zero in them.
    pub bytes: Vec<u8>,
    /// References from instructions, in ascending order of their offsets.
    pub references: Vec<Reference>,
    /// Where the function was written.
    pub place: Option<Place>,
}

/// A variable of a frame that can be found by its name.
#[derive(Clone, Debug)]
pub struct Published {
    /// Its name.
    pub name: Symbol,
    /// Whether it is an argument (else a PVAR slot).
    pub is_argument: bool,
    /// Index of the argument or slot.
    pub index: u8,
}

/// An operand that only the linker can fill in.
#[derive(Clone, Debug)]
pub struct Reference {
    /// Where in [`Code::bytes`], in bytes.
    pub offset: u32,
    /// What stands there.
    pub target: Target,
}

/// What a [`Reference`] refers to.
#[derive(Clone, Debug)]
pub enum Target {
    /// A symbol, in 3 or 4 bytes (Medley 2 or 3), in no need of a count.
    Symbol(Symbol),
    /// A constant pointer, in 3 or 4 bytes, counted once.
    Constant(Datum),
    /// Another function's code block, in 3 or 4 bytes, counted once.
    Code(Box<Code>),
    /// A closure without environment of another function, in 3 or 4 bytes, counted
    /// once.
    Closure(Box<Code>),
    /// Where an instruction of the same function lies, given its offset in
    /// [`Code::bytes`]: counted from the function header, in two bytes, high first.
    Resume(u16),
    /// Number of the type with that name, in one byte.
    TypeByte(Symbol),
    /// Number of the type with that name, in two bytes, high first.
    TypeWord(Symbol),
}

/// A record type (`defstruct`), a Medley datatype.
#[derive(Clone, Debug)]
pub struct Structure {
    /// Name of the type.
    pub name: Symbol,
    /// Name of the supertype, whose fields come first.
    pub parent: Option<Symbol>,
    /// Names of the fields, inherited ones included; each is a pointer cell.
    pub fields: Vec<Symbol>,
}

/// What a program puts into an image, in the order it was written.
#[derive(Clone, Debug)]
pub enum Definition {
    /// The function of a symbol.
    Function(Symbol, Code),
    /// The expander of a macro: a function of the form and an environment.
    Macro(Symbol, Code),
    /// A variable that is bound dynamically.
    Special(Symbol),
    /// The initial value of a symbol, when it is constant.
    Value(Symbol, Datum),
    /// A record type.
    Structure(Structure),
    /// A form to be called once, without arguments, when the image first runs.
    Initial(Code),
}
