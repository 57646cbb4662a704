//! What the compiler makes of a top-level form: expressions with resolved names.
//!
//! Everything with an identity (variables, functions, places to leave to) is in a
//! table of the [`Unit`]; expressions name it by its index.

use std::collections::BTreeSet;

use geiko_runtime::isa::{Kind, Opcode};

use crate::assemble::Operand;
use crate::datum::{Datum, Place, Symbol};

/// Indexes into the tables of a [`Unit`].
macro_rules! indexes {
    ($($(#[$doc:meta])* $Name:ident),* $(,)?) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $Name(pub u32);

        impl $Name {
            /// As an index.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    )* };
}

indexes! {
    /// A variable that this unit binds.
    VariableId,
    /// A function of this unit.
    FunctionId,
    /// Where variables are bound together: a function's parameters, a LET.
    ScopeId,
    /// A BLOCK or TAGBODY.
    ExitId,
}

/// A variable that the unit binds.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its name.
    pub name: Symbol,
    /// Where it is bound.
    pub scope: ScopeId,
    /// Whether it is bound dynamically.
    pub special: bool,
    /// Whether another function of the unit refers to it.
    pub captured: bool,
    /// Whether it is ever assigned.
    pub assigned: bool,
    /// Whether its value is known to be a float.
    pub float: bool,
    /// Whether it is a required parameter, and which.
    pub argument: Option<u16>,
}

/// Where variables are bound together.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The function in whose frame.
    pub function: FunctionId,
    /// The scope around it.
    pub parent: Option<ScopeId>,
    /// Captured variables in the order of their places in the environment.
    pub captured: Vec<VariableId>,
    /// Whether its environment must know the one around it.
    pub linked: bool,
}

/// How a local function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// It is the definition of a symbol of its own.
    Global,
    /// The same; its last argument is its environment.
    GlobalWithEnvironment,
    /// A variable holds a closure.
    Closure,
}

/// What a function is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// One that was written as a function.
    Ordinary,
    /// The protected form of an UNWIND-PROTECT.
    Protected,
    /// Another part of a form that must be a function.
    Part,
}

/// How many arguments a function takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arity {
    /// At least.
    pub least: u16,
    /// At most; `None` without limit.
    pub most: Option<u16>,
}

impl Arity {
    /// Exactly so many.
    pub const fn exactly(count: u16) -> Self {
        Self {
            least: count,
            most: Some(count),
        }
    }

    /// Whether a call with so many arguments is right.
    pub fn allows(self, count: usize) -> bool {
        count >= self.least.into() && self.most.is_none_or(|most| count <= most.into())
    }
}

/// A function of the unit.
#[derive(Clone, Debug)]
pub struct Function {
    /// Frame name.
    pub name: Symbol,
    /// What it is for.
    pub role: Role,
    /// Where it was written.
    pub place: Place,
    /// The function around it.
    pub parent: Option<FunctionId>,
    /// The scope around it.
    pub outer: Option<ScopeId>,
    /// Its own scope: required parameters.
    pub scope: ScopeId,
    /// Names of all parameters, for people.
    pub names: Vec<Symbol>,
    /// Required parameters.
    pub required: Vec<VariableId>,
    /// How many arguments it takes.
    pub arity: Arity,
    /// Whether it takes any number and looks at it itself.
    pub counts: bool,
    /// Its body.
    pub body: Node,
    /// Variables of functions around it that it, or a function in it, refers to.
    pub uses: BTreeSet<VariableId>,
    /// Local functions bound outside of it that it, or a function in it, calls.
    pub calls: BTreeSet<FunctionId>,
    /// For a local function: the variable that may hold its closure.
    pub variable: Option<VariableId>,
    /// For a local function: whether it is used other than by calling it.
    pub escapes: bool,
    /// How it is called; decided when everything is known.
    pub strategy: Strategy,
    /// The scopes outside of it whose environments it needs.
    pub needs: BTreeSet<ScopeId>,
}

/// A BLOCK or TAGBODY.
#[derive(Clone, Debug)]
pub struct Exit {
    /// The function it is in.
    pub function: FunctionId,
    /// Holds the tag by which functions inside leave to it, when there are any.
    pub variable: VariableId,
    /// Whether there are any.
    pub escapes: bool,
    /// Whether anything leaves to it from the function itself.
    pub used: bool,
}

/// An expression.
#[derive(Clone, Debug)]
pub enum Node {
    /// A constant.
    Constant(Datum),
    /// A variable that the unit binds.
    Variable(VariableId),
    /// A special variable bound elsewhere.
    Free(Symbol),
    /// A variable that is never bound.
    Global(Symbol),
    /// Assignment of a variable that the unit binds.
    SetVariable(VariableId, Box<Node>),
    /// Assignment of a special variable bound elsewhere.
    SetFree(Symbol, Box<Node>),
    /// Assignment of a variable that is never bound.
    SetGlobal(Symbol, Box<Node>),
    /// Condition, consequence, alternative.
    If(Box<Node>, Box<Node>, Box<Node>),
    /// Whether the value is NIL.
    Not(Box<Node>),
    /// The last value, or NIL from the first that is NIL.
    And(Vec<Node>),
    /// The first value that is not NIL.
    Or(Vec<Node>),
    /// One after the other; the last one's value.
    Progn(Vec<Node>),
    /// Binds variables side by side.
    Let {
        /// Where.
        scope: ScopeId,
        /// Variables and their values.
        bindings: Vec<(VariableId, Node)>,
        /// In their scope.
        body: Box<Node>,
    },
    /// Binds variables to several values of an expression.
    ValuesLet {
        /// Where.
        scope: ScopeId,
        /// The variables.
        variables: Vec<VariableId>,
        /// The expression.
        values: Box<Node>,
        /// In their scope.
        body: Box<Node>,
    },
    /// Makes local functions.
    Functions {
        /// The scope of the variables that may hold closures.
        scope: ScopeId,
        /// The functions.
        functions: Vec<FunctionId>,
        /// Where they can be called.
        body: Box<Node>,
    },
    /// Call of the function of a symbol.
    Call(Symbol, Vec<Node>),
    /// Call of a local function.
    CallLocal(FunctionId, Vec<Node>),
    /// Call of a function that is a value.
    Funcall(Box<Node>, Vec<Node>),
    /// The same; the last argument is a list of further arguments.
    Apply(Box<Node>, Vec<Node>),
    /// Call with all values of some expressions.
    ValuesCall(Box<Node>, Vec<Node>),
    /// Instructions for operands on the stack.
    Primitive(Steps, Vec<Node>),
    /// The same, with a float as result.
    FloatPrimitive(Steps, Vec<Node>),
    /// Two operands, the first of which an instruction wants on top.
    Swapped(Opcode, Box<(Node, Node)>),
    /// Stores in an array: the instruction; array, indexes and value.
    ArrayStore(Opcode, Vec<Node>),
    /// A new record: its type, and values with word offsets of fields.
    Make(Symbol, Vec<(u8, Node)>),
    /// Something named by a program.
    Raw {
        /// The instruction.
        opcode: Opcode,
        /// Its operands.
        operands: Vec<Operand>,
        /// Arguments.
        arguments: Vec<Node>,
    },
    /// A function as a value.
    Lambda(FunctionId),
    /// A local function as a value.
    LocalFunction(FunctionId),
    /// A place that can be left with a value.
    Block(ExitId, ScopeId, Box<Node>),
    /// Leaves a block.
    ReturnFrom(ExitId, Box<Node>),
    /// Statements and tags, which are numbered.
    Tagbody(ExitId, ScopeId, Vec<Statement>),
    /// Goes to a tag.
    Go(ExitId, u32),
    /// A place that can be left by name.
    Catch(Box<Node>, Box<Node>),
    /// Leaves by name.
    Throw(Box<Node>, Box<Node>),
    /// Protected form and clean-up, both functions.
    Protect(FunctionId, FunctionId),
    /// Several values.
    Values(Vec<Node>),
    /// The elements of a list as values.
    ValuesList(Box<Node>),
    /// All values as a list.
    MultipleValueList(Box<Node>),
    /// All values of the first, evaluated before the others.
    ValuesProg1(Box<Node>, Vec<Node>),
    /// The argument of a function with any number of them, found by FINDKEY from
    /// an argument number on, or else a value.
    KeyArgument {
        /// The keyword.
        key: Symbol,
        /// Where keywords begin, counted from 1.
        first: u16,
        /// Without the keyword.
        default: Box<Node>,
    },
    /// An argument by its number, counted from 1, in a variable.
    Argument(Box<Node>),
    /// Number of the argument behind a keyword, or NIL.
    FindKey(Symbol, u16),
    /// Whether there are more arguments than that.
    MoreArguments(u16),
    /// The list of arguments from a number on, counted from 1.
    RestArguments(u16),
    /// Leaves to an error if the number of arguments is not right.
    CheckArguments(Arity),
}

/// Part of a TAGBODY.
#[derive(Clone, Debug)]
pub enum Statement {
    /// A tag, by its number.
    Tag(u32),
    /// An expression.
    Node(Node),
}

/// Instructions of a function that needs no call.
pub type Steps = &'static [Step];

/// One instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Without operand.
    Op(Opcode),
    /// With a byte.
    Byte(Opcode, u8),
    /// With a symbol of package INTERLISP.
    Name(Opcode, &'static str),
    /// Push a small integer.
    Small(i16),
}

/// A top-level form with its tables.
#[derive(Clone, Debug, Default)]
pub struct Unit {
    /// Variables.
    pub variables: Vec<Variable>,
    /// Functions; the first one is the whole.
    pub functions: Vec<Function>,
    /// Scopes.
    pub scopes: Vec<Scope>,
    /// Blocks and tagbodies.
    pub exits: Vec<Exit>,
}

impl Unit {
    /// The variable.
    pub fn variable(&self, id: VariableId) -> &Variable {
        &self.variables[id.index()]
    }

    /// The function.
    pub fn function(&self, id: FunctionId) -> &Function {
        &self.functions[id.index()]
    }

    /// The scope.
    pub fn scope(&self, id: ScopeId) -> &Scope {
        &self.scopes[id.index()]
    }

    /// The block or tagbody.
    pub fn exit(&self, id: ExitId) -> &Exit {
        &self.exits[id.index()]
    }

    /// The function in which a variable is bound.
    pub fn owner(&self, id: VariableId) -> FunctionId {
        self.scope(self.variable(id).scope).function
    }

    /// Whether a function lies inside another one.
    pub fn is_inside(&self, inner: FunctionId, outer: FunctionId) -> bool {
        let parents =
            std::iter::successors(self.function(inner).parent, |&id| self.function(id).parent);
        parents.into_iter().any(|id| id == outer)
    }
}

impl Node {
    /// NIL.
    pub fn nil() -> Self {
        Self::Constant(Datum::Symbol(Symbol::lisp("NIL")))
    }

    /// T.
    pub fn t() -> Self {
        Self::Constant(Datum::Symbol(Symbol::lisp("T")))
    }

    /// Whether it is the constant NIL.
    pub fn is_nil(&self) -> bool {
        matches!(self, Self::Constant(Datum::Symbol(symbol)) if symbol.is("NIL"))
    }

    /// Whether evaluating it later, after other expressions, gives the same.
    pub fn is_fixed(&self, unit: &Unit) -> bool {
        match self {
            Self::Constant(_) => true,
            Self::Variable(id) => {
                let variable = unit.variable(*id);
                !variable.assigned && !variable.special
            }
            _ => false,
        }
    }

    /// Whether it has exactly one value, whatever is called.
    pub fn is_single(&self) -> bool {
        match self {
            Self::Call(..)
            | Self::CallLocal(..)
            | Self::Funcall(..)
            | Self::Apply(..)
            | Self::ValuesCall(..)
            | Self::Block(..)
            | Self::Catch(..)
            | Self::Protect(..)
            | Self::Values(_)
            | Self::ValuesList(_) => false,
            Self::Raw { opcode, .. } => {
                !matches!(opcode.info().kind, Kind::Call) && *opcode != Opcode::Miscn
            }
            Self::If(_, then, other) => then.is_single() && other.is_single(),
            Self::And(nodes) | Self::Or(nodes) | Self::Progn(nodes) => {
                nodes.last().is_none_or(Self::is_single)
            }
            Self::Let { body, .. }
            | Self::ValuesLet { body, .. }
            | Self::Functions { body, .. } => body.is_single(),
            Self::ValuesProg1(first, _) => first.is_single(),
            _ => true,
        }
    }

    /// Calls a function with every expression that is part of this one. Bodies of
    /// functions are not.
    pub fn for_each_part<'n>(&'n self, each: &mut dyn FnMut(&'n Self)) {
        match self {
            Self::Constant(_)
            | Self::Variable(_)
            | Self::Free(_)
            | Self::Global(_)
            | Self::Lambda(_)
            | Self::LocalFunction(_)
            | Self::Go(..)
            | Self::Protect(..)
            | Self::FindKey(..)
            | Self::MoreArguments(_)
            | Self::RestArguments(_)
            | Self::CheckArguments(_) => {}
            Self::SetVariable(_, node)
            | Self::SetFree(_, node)
            | Self::SetGlobal(_, node)
            | Self::Not(node)
            | Self::Block(_, _, node)
            | Self::ReturnFrom(_, node)
            | Self::ValuesList(node)
            | Self::MultipleValueList(node)
            | Self::Argument(node)
            | Self::KeyArgument { default: node, .. }
            | Self::Functions { body: node, .. } => each(node),
            Self::If(a, b, c) => {
                each(a);
                each(b);
                each(c);
            }
            Self::And(nodes)
            | Self::Or(nodes)
            | Self::Progn(nodes)
            | Self::Call(_, nodes)
            | Self::CallLocal(_, nodes)
            | Self::Primitive(_, nodes)
            | Self::FloatPrimitive(_, nodes)
            | Self::ArrayStore(_, nodes)
            | Self::Values(nodes)
            | Self::Raw {
                arguments: nodes, ..
            } => nodes.iter().for_each(each),
            Self::Make(_, fields) => fields.iter().for_each(|(_, node)| each(node)),
            Self::Let { bindings, body, .. } => {
                bindings.iter().for_each(|(_, node)| each(node));
                each(body);
            }
            Self::ValuesLet { values, body, .. } => {
                each(values);
                each(body);
            }
            Self::Funcall(first, nodes)
            | Self::Apply(first, nodes)
            | Self::ValuesCall(first, nodes)
            | Self::ValuesProg1(first, nodes) => {
                each(first);
                nodes.iter().for_each(each);
            }
            Self::Swapped(_, pair) => {
                each(&pair.0);
                each(&pair.1);
            }
            Self::Catch(a, b) | Self::Throw(a, b) => {
                each(a);
                each(b);
            }
            Self::Tagbody(_, _, statements) => {
                for statement in statements {
                    if let Statement::Node(node) = statement {
                        each(node);
                    }
                }
            }
        }
    }

    /// Whether a variable is read or assigned in the expression, as far as its own
    /// function does it.
    pub fn mentions(&self, id: VariableId) -> bool {
        if matches!(self, Self::Variable(variable) | Self::SetVariable(variable, _) if *variable == id)
        {
            return true;
        }
        let mut found = false;
        self.for_each_part(&mut |part| found = found || part.mentions(id));
        found
    }

    /// Whether evaluating the expression assigns a variable, as far as its own
    /// function does it.
    pub fn assigns(&self, id: VariableId) -> bool {
        if matches!(self, Self::SetVariable(variable, _) if *variable == id) {
            return true;
        }
        let mut found = false;
        self.for_each_part(&mut |part| found = found || part.assigns(id));
        found
    }
}
