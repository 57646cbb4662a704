//! Forms that are ready to be evaluated: names are resolved, macros expanded.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use crate::datum::{Datum, Place, Symbol};

use super::Expander;

/// A form, analysed.
pub(super) enum Node {
    Constant(Datum),
    Local(Address),
    Global(GlobalIndex),
    Set(Address, Box<Node>),
    SetGlobal(GlobalIndex, Box<Node>),
    If(Box<[Node; 3]>),
    Progn(Box<[Node]>),
    And(Box<[Node]>),
    Or(Box<[Node]>),
    /// Tests with what follows them; the value of a test with nothing counts.
    Cond(Box<[(Node, Option<Node>)]>),
    Let(Box<Let>),
    Lambda(Rc<Lambda>),
    GlobalFunction(GlobalIndex),
    Call(Box<Call>),
    Functions(Box<Functions>),
    Block(Box<Node>),
    ReturnFrom(u32, Box<Node>),
    /// Statements, and the statement behind each tag.
    Tagbody(Box<[Node]>, Box<[usize]>),
    /// How far out the TAGBODY is, and the tag.
    Go(u32, usize),
    Catch(Box<[Node; 2]>),
    Throw(Box<[Node; 2]>),
    UnwindProtect(Box<[Node; 2]>),
    ValuesCall(Box<Node>, Box<[Node]>),
    ValuesFirst(Box<[Node; 2]>),
    Progv(Box<[Node; 3]>),
    DefineFunction(GlobalIndex, Rc<Lambda>),
    DefineMacro(Symbol, Datum, Datum),
    DefineVariable {
        variable: GlobalIndex,
        value: Option<Box<Node>>,
        /// DEFVAR leaves a value alone.
        keep: bool,
    },
}

/// A place in the environment: how many frames out, and the slot.
#[derive(Clone, Copy)]
pub(super) struct Address {
    pub depth: u32,
    pub slot: u32,
}

/// Number of a global name.
pub(super) type GlobalIndex = usize;

/// LET and LET*.
pub(super) struct Let {
    pub values: Box<[Node]>,
    /// The variables that are bound dynamically; the value of the slot counts.
    pub specials: Box<[(u32, GlobalIndex)]>,
    /// LET*: each value sees the variables before it.
    pub sequential: bool,
    pub body: Node,
}

/// FLET and LABELS.
pub(super) struct Functions {
    pub functions: Box<[Rc<Lambda>]>,
    /// LABELS: the functions see each other.
    pub recursive: bool,
    pub body: Node,
}

/// A function call.
pub(super) struct Call {
    pub function: Callee,
    pub arguments: Box<[Node]>,
    pub place: Option<Place>,
}

/// What is called.
pub(super) enum Callee {
    Global(GlobalIndex),
    Value(Node),
}

/// A function as it was written.
pub(super) struct Lambda {
    pub name: Option<Symbol>,
    pub parameters: Parameters,
    pub body: Node,
}

/// Slots are numbered in the order of the lambda list.
#[derive(Default)]
pub(super) struct Parameters {
    pub required: u32,
    pub optional: Vec<Optional>,
    pub rest: Option<u32>,
    pub keys: Vec<(Datum, Optional)>,
    pub has_keys: bool,
    pub allow_other_keys: bool,
    pub auxiliary: Vec<(u32, Node)>,
    pub slots: u32,
    pub specials: Vec<(u32, GlobalIndex)>,
}

/// A parameter with a default.
pub(super) struct Optional {
    pub slot: u32,
    pub default: Node,
    /// Where it says whether there was an argument.
    pub supplied: Option<u32>,
}

/// Variables of an activation.
pub(super) struct Frame {
    pub slots: RefCell<Vec<Datum>>,
    pub parent: Environment,
}

/// The innermost frame.
pub(super) type Environment = Option<Rc<Frame>>;

/// A function at compile time.
#[derive(Clone)]
pub struct Function(pub(super) Rc<FunctionKind>);

pub(super) enum FunctionKind {
    Primitive(&'static Primitive),
    Closure(Rc<Lambda>, Environment),
}

/// A function in Rust.
pub(super) struct Primitive {
    /// Name with its prefix, if it is not in package LISP.
    pub name: &'static str,
    pub least: usize,
    pub most: usize,
    pub run: fn(&mut Expander, &[Datum]) -> Flow<Datum>,
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            FunctionKind::Primitive(primitive) => write!(f, "FUNCTION {}", primitive.name),
            FunctionKind::Closure(lambda, _) => match &lambda.name {
                Some(name) => write!(f, "FUNCTION {name}"),
                None => f.write_str("FUNCTION"),
            },
        }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Why an evaluation goes on elsewhere.
pub(super) enum Exit {
    /// An error, with the place of the innermost call that has one.
    Error {
        message: String,
        place: Option<Place>,
        /// The program said so itself.
        signalled: bool,
    },
    Return(Rc<Frame>, Datum),
    Go(Rc<Frame>, usize),
    Throw(Datum, Datum),
}

impl Exit {
    /// Gives an error a place if it has none. The user does not look for mistakes in
    /// the standard macros.
    pub fn locate(mut self: Box<Self>, at: Option<&Place>) -> Box<Self> {
        if let Self::Error { place, .. } = &mut *self
            && place.is_none()
            && !at.is_some_and(|at| super::is_standard(&at.file))
        {
            *place = at.cloned();
        }
        self
    }
}

/// The outcome of an evaluation.
pub(super) type Flow<T> = Result<T, Box<Exit>>;

/// An error found by the evaluator.
#[cold]
pub(super) fn error<T>(message: impl Into<String>) -> Flow<T> {
    Err(Box::new(Exit::Error {
        message: message.into(),
        place: None,
        signalled: false,
    }))
}
