//! What Lisp and Rust exchange.

use std::fmt;

use super::{Error, Object};

/// A value of Lisp.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// NIL: false, and the empty list.
    Nil,
    /// T.
    True,
    /// An integer.
    Integer(i64),
    /// A float.
    Float(f32),
    /// A character.
    Character(char),
    /// A string.
    Text(String),
    /// A symbol by its name.
    Symbol(String),
    /// A list. An empty one is NIL.
    List(Vec<Value>),
    /// Anything else.
    Object(Object),
}

impl Value {
    /// Whether Lisp takes it for true.
    #[must_use]
    pub fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::List(elements) => !elements.is_empty(),
            _ => true,
        }
    }
}

macro_rules! convert {
    ($($type:ty, $variant:ident, $kind:literal;)*) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::$variant(value)
            }
        }

        impl TryFrom<Value> for $type {
            type Error = Error;

            fn try_from(value: Value) -> Result<Self, Error> {
                match value {
                    Value::$variant(value) => Ok(value),
                    other => Err(Error::Kind(other, $kind)),
                }
            }
        }
    )*};
}

convert! {
    i64, Integer, "integer";
    f32, Float, "float";
    char, Character, "character";
    String, Text, "string";
    Object, Object, "object";
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        if truth { Self::True } else { Self::Nil }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<&Object> for Value {
    fn from(object: &Object) -> Self {
        Self::Object(object.clone())
    }
}

impl From<Vec<Value>> for Value {
    fn from(elements: Vec<Value>) -> Self {
        if elements.is_empty() {
            Self::Nil
        } else {
            Self::List(elements)
        }
    }
}

impl TryFrom<Value> for Vec<Value> {
    type Error = Error;

    fn try_from(value: Value) -> Result<Self, Error> {
        match value {
            Value::Nil => Ok(Self::new()),
            Value::List(elements) => Ok(elements),
            other => Err(Error::Kind(other, "list")),
        }
    }
}

/// As Lisp prints it, but for objects.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => f.write_str("NIL"),
            Self::True => f.write_str("T"),
            Self::Integer(number) => number.fmt(f),
            Self::Float(number) => write!(f, "{number:?}"),
            Self::Character(character) => write!(f, "#\\{character}"),
            Self::Text(text) => {
                write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
            }
            Self::Symbol(name) => f.write_str(name),
            Self::List(elements) => {
                f.write_str("(")?;
                for (index, element) in elements.iter().enumerate() {
                    let space = if index == 0 { "" } else { " " };
                    write!(f, "{space}{element}")?;
                }
                f.write_str(")")
            }
            Self::Object(object) => write!(f, "#<object {}>", object.0.at),
        }
    }
}
