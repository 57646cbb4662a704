//! What names mean in the whole program.

use std::collections::{HashMap, HashSet};

use super::parse::{arity_message, arity_of, similar};
use super::tree::Arity;
use crate::datum::{Datum, Package, Place, Symbol};

/// What a variable is, everywhere.
#[derive(Clone, Debug, PartialEq)]
pub enum GlobalVariable {
    /// Bound dynamically.
    Special,
    /// Never bound: its value is in the symbol.
    Global,
    /// It has this value for ever.
    Constant(Datum),
}

/// A function of the program.
#[derive(Clone, Debug)]
pub struct GlobalFunction {
    /// How many arguments it takes, when that is known.
    pub arity: Option<Arity>,
    /// Its keyword arguments, if it has no others.
    pub keys: Option<Keys>,
}

/// The keyword arguments of a function.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Arguments in front of them.
    pub first: usize,
    /// The keywords.
    pub names: Vec<Symbol>,
}

/// What can be done with a record without a call.
#[derive(Clone, Debug)]
pub enum RecordFunction {
    /// Makes one from keywords: the type, and the fields with their initial values.
    Constructor(Symbol, Vec<(Symbol, Datum)>),
    /// Reads a field: the type, and the word offset.
    Accessor(Symbol, u8),
    /// Stores a field: the type, and the word offset. The value is the last argument.
    Setter(Symbol, u8),
    /// Whether something is one.
    Predicate(Symbol),
}

/// A call of a function that was not known when it was seen.
#[derive(Clone, Debug)]
pub struct Use {
    /// The function.
    pub name: Symbol,
    /// Number of arguments; `None` if it is not called.
    pub arguments: Option<usize>,
    /// Arguments that are keywords, by their positions.
    pub keywords: Vec<(usize, Symbol)>,
    /// Where.
    pub place: Place,
    /// The macro in whose expansion.
    pub expanding: Option<Symbol>,
    /// Whether there is a variable with that name.
    pub is_variable: bool,
}

/// What names mean in the whole program.
#[derive(Clone, Debug, Default)]
pub struct Globals {
    /// Variables.
    pub variables: HashMap<Symbol, GlobalVariable>,
    /// Functions.
    pub functions: HashMap<Symbol, GlobalFunction>,
    /// Functions of records.
    pub records: HashMap<Symbol, RecordFunction>,
    /// Functions that are not to be replaced by instructions.
    pub notinline: HashSet<Symbol>,
    /// Names given to local functions.
    pub made: HashSet<Symbol>,
    /// What is still to be checked when all functions are known.
    pub uses: Vec<Use>,
    /// Whether there is more than what is known here: variables that nobody has
    /// declared are special.
    pub is_open: bool,
}

impl Globals {
    /// Whether calls of the function may be replaced by instructions.
    pub fn may_inline(&self, name: &Symbol) -> bool {
        !self.notinline.contains(name)
    }

    /// What is wrong with the arguments of a call, if the function is known.
    pub fn wrong_arguments(&self, used: &Use) -> Option<String> {
        let count = used.arguments?;
        match self.functions.get(&used.name) {
            Some(GlobalFunction { arity, keys }) => arity_message(&used.name, (*arity)?, count)
                .or_else(|| {
                    let keys = keys.as_ref()?;
                    keyword_message(used, keys, count)
                }),
            None => arity_message(&used.name, arity_of(&used.name)?, count),
        }
    }

    /// A new name for a local function.
    pub fn make_name(&mut self, outer: &Symbol, inner: &Symbol) -> Symbol {
        let base = format!("{}/{}", outer.name, inner.name);
        let mut name = Symbol::new(Package::Uninterned, &base);
        let mut number = 2;
        while !self.made.insert(name.clone()) {
            name = Symbol::new(Package::Uninterned, &format!("{base}-{number}"));
            number += 1;
        }
        name
    }
}

/// What is wrong with the keyword arguments of a call.
fn keyword_message(used: &Use, keys: &Keys, count: usize) -> Option<String> {
    let rest = count.checked_sub(keys.first)?;
    let given = used.keywords.iter().filter(|(position, _)| {
        *position >= keys.first && (position - keys.first).is_multiple_of(2)
    });
    for (_, keyword) in given.clone() {
        if keyword.name.as_ref() == "ALLOW-OTHER-KEYS" {
            return None;
        }
    }
    for (_, keyword) in given {
        if !keys.names.contains(keyword) {
            let similar = similar(keyword, keys.names.iter());
            return Some(format!(
                "{} has no keyword argument {keyword}{similar}",
                used.name
            ));
        }
    }
    (rest % 2 == 1).then(|| format!("{} has a keyword argument without a value here", used.name))
}
