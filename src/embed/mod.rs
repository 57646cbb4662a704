//! Lisp as a part of another program.
//!
//! A [`Lisp`] is a machine with an image of the built-in Lisp. It evaluates forms, calls
//! functions of Lisp with [`Value`]s of Rust, and calls functions of Rust for Lisp. A
//! program may have as many as it likes.
//!
//! ```
//! use geiko::embed::{Lisp, Value};
//!
//! let mut lisp = Lisp::new()?;
//! lisp.eval("(defun square (x) (* x x))")?;
//! assert_eq!(lisp.call("square", &[12.into()])?, Value::Integer(144));
//! # Ok::<(), geiko::embed::Error>(())
//! ```
//!
//! Numbers, characters, strings, symbols and lists are copied in both directions. What has
//! an identity, or no counterpart in Rust, is an [`Object`]: a handle that counts in Lisp
//! as a reference, so that the object lives as long as the handle, whatever the collectors
//! do. Lisp never moves an object.
//!
//! ```
//! # use geiko::embed::{Lisp, Value};
//! # let mut lisp = Lisp::new()?;
//! let table = lisp.eval_object("(make-hash-table :test 'equal)")?;
//! let put = lisp.eval_object("#'(lambda (key value table) (setf (gethash key table) value))")?;
//! lisp.apply(&put, &["answer".into(), 42.into(), (&table).into()])?;
//! assert_eq!(lisp.call("gethash", &["answer".into(), (&table).into()])?, Value::Integer(42));
//! # Ok::<(), geiko::embed::Error>(())
//! ```
//!
//! A function of Rust may call Lisp again. An error is an error on both sides:
//!
//! ```
//! # use geiko::embed::{Error, Lisp, Value};
//! # let mut lisp = Lisp::new()?;
//! lisp.define("host-sum", |_lisp, arguments| {
//!     let numbers = arguments.iter().cloned().map(i64::try_from);
//!     Ok(numbers.sum::<Result<i64, Error>>()?.into())
//! })?;
//! assert_eq!(lisp.eval("(host-sum 1 2 3)")?, Value::Integer(6));
//! let failed = lisp.eval("(host-sum 1 'a)").unwrap_err();
//! assert_eq!(failed.to_string(), "A is no integer");
//! let caught = lisp.eval("(handler-case (host-sum 'a) (error () :caught))")?;
//! assert_eq!(caught, Value::Symbol(":CAUGHT".into()));
//! # Ok::<(), Error>(())
//! ```
//!
//! What Lisp prints goes to the standard output of the program.

mod engine;
mod error;
mod value;

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::rc::Rc;

use geiko_runtime::image::ImageFile;
use geiko_runtime::layout::Release;
use geiko_runtime::memory::LispPtr;

use crate::devices::host::Rights;
use crate::lisp;
use engine::{Engine, Seen, Variable};
pub use error::Error;
pub use value::Value;

/// Conses that one value is copied from; a longer list, perhaps a circular one, is an
/// object.
const MAX_CONSES: usize = 1 << 20;

/// A function of Rust that Lisp can call.
type Native = Rc<dyn Fn(&mut Lisp, &[Value]) -> Result<Value, Error>>;

/// A Lisp of one's own.
pub struct Lisp {
    engine: Box<dyn Engine>,
    released: Rc<Released>,
    natives: Vec<Native>,
    /// Symbols by the names that the program has used.
    symbols: HashMap<String, Object>,
    words: Words,
    /// Calls of functions of Rust that Lisp is in, plus one.
    level: i32,
    /// Lisp has left the functions of Rust that it called above this level, and waits
    /// there, with what was asked of it done.
    unwound: Option<i32>,
}

/// Symbols with which Lisp and this side order each other about.
struct Words {
    call: LispPtr,
    return_: LispPtr,
}

/// Objects whose handles are gone, until somebody can tell Lisp.
#[derive(Debug, Default)]
struct Released(RefCell<Vec<LispPtr>>);

/// A handle on an object of Lisp, which lives as long as the handle does. Two are equal
/// if they are handles on the same object.
#[derive(Clone, Debug)]
pub struct Object(Rc<Held>);

#[derive(Debug)]
struct Held {
    at: LispPtr,
    home: Rc<Released>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.home.0.borrow_mut().push(self.at);
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.0.at == other.0.at && Rc::ptr_eq(&self.0.home, &other.0.home)
    }
}

impl Eq for Object {}

/// Why Lisp has handed over.
enum Event {
    /// What was asked for in this level is done.
    Done(i32),
    /// A function of Rust is called.
    Call,
}

impl Lisp {
    /// The built-in Lisp, with all rights on the host.
    ///
    /// # Errors
    ///
    /// There is no memory for it.
    pub fn new() -> Result<Self, Error> {
        Self::start(lisp::image(Release::Medley3)?, Rights::default())
    }

    /// The image of the built-in Lisp at `path`, as `save-image` has written it.
    ///
    /// # Errors
    ///
    /// The file is no such image, or files cannot be confined as `rights` says.
    pub fn open(path: &Path, rights: Rights) -> Result<Self, Error> {
        let image = ImageFile::open(path).map_err(crate::error::Error::from)?;
        Self::start(image, rights)
    }

    fn start(image: ImageFile, rights: Rights) -> Result<Self, Error> {
        let engine = engine::start(image, rights)?;
        let word = |name: &str| engine.find(name).ok_or(Error::NotBuiltin);
        let words = Words {
            call: word("SI::CALL")?,
            return_: word("SI::RETURN")?,
        };
        let mut lisp = Self {
            engine,
            released: Rc::default(),
            natives: Vec::new(),
            symbols: HashMap::new(),
            words,
            level: 0,
            unwound: None,
        };
        lisp.turn()?;
        Ok(lisp)
    }

    /// Evaluates the forms of a text; the value of the last one.
    ///
    /// # Errors
    ///
    /// What Lisp says is wrong.
    pub fn eval(&mut self, text: &str) -> Result<Value, Error> {
        self.eval_object(text).map(|object| self.value_of(&object))
    }

    /// The same with a value that is not copied.
    ///
    /// # Errors
    ///
    /// What Lisp says is wrong.
    pub fn eval_object(&mut self, text: &str) -> Result<Object, Error> {
        self.call_object("si::evaluate-text", &[text.into()])
    }

    /// Calls the function with this name.
    ///
    /// # Errors
    ///
    /// What Lisp says is wrong; the name is that of no symbol; an argument cannot be one.
    pub fn call(&mut self, name: &str, arguments: &[Value]) -> Result<Value, Error> {
        let symbol = self.symbol(name)?;
        self.apply(&symbol, arguments)
    }

    /// The same with a value that is not copied.
    ///
    /// # Errors
    ///
    /// As for [`Lisp::call`].
    pub fn call_object(&mut self, name: &str, arguments: &[Value]) -> Result<Object, Error> {
        let symbol = self.symbol(name)?;
        self.apply_object(&symbol, arguments)
    }

    /// Calls a function, or that of a symbol.
    ///
    /// # Errors
    ///
    /// As for [`Lisp::call`].
    pub fn apply(&mut self, function: &Object, arguments: &[Value]) -> Result<Value, Error> {
        let object = self.apply_object(function, arguments)?;
        Ok(self.value_of(&object))
    }

    /// The same with a value that is not copied.
    ///
    /// # Errors
    ///
    /// As for [`Lisp::call`].
    pub fn apply_object(
        &mut self,
        function: &Object,
        arguments: &[Value],
    ) -> Result<Object, Error> {
        let values = self.apply_values(function, arguments)?;
        let first = values.into_iter().next();
        Ok(first.unwrap_or_else(|| self.hold(LispPtr::NIL)))
    }

    /// The same with all values that the function returns.
    ///
    /// # Errors
    ///
    /// As for [`Lisp::call`].
    pub fn apply_values(
        &mut self,
        function: &Object,
        arguments: &[Value],
    ) -> Result<Vec<Object>, Error> {
        let function = self.own(function)?;
        let arguments = arguments.iter().map(|argument| self.object(argument));
        let arguments = arguments.collect::<Result<Vec<_>, _>>()?;
        self.ask(function, &arguments)
    }

    /// Makes a function of Rust the definition of a symbol.
    ///
    /// # Errors
    ///
    /// The name is that of no symbol.
    pub fn define(
        &mut self,
        name: &str,
        function: impl Fn(&mut Self, &[Value]) -> Result<Value, Error> + 'static,
    ) -> Result<(), Error> {
        let symbol = self.symbol(name)?;
        let number = self.natives.len() as i64;
        self.natives.push(Rc::new(function));
        self.call("si::define-host-function", &[symbol.into(), number.into()])?;
        Ok(())
    }

    /// The symbol with a name as one types it: `car`, `si::hand-over`, `:test`.
    ///
    /// # Errors
    ///
    /// The name is that of no symbol.
    pub fn symbol(&mut self, name: &str) -> Result<Object, Error> {
        if let Some(symbol) = self.symbols.get(name) {
            return Ok(symbol.clone());
        }
        let no_symbol = || Error::NoSymbol(name.into());
        let reader = self
            .engine
            .find("CL:READ-FROM-STRING")
            .ok_or(Error::NotBuiltin)?;
        let text = self.text(name)?;
        let read = self.ask(reader, &[text])?;
        let symbol = read.into_iter().next().ok_or_else(no_symbol)?;
        match self.engine.look(symbol.0.at) {
            Seen::Symbol(_) | Seen::Nil | Seen::True => {
                self.symbols.insert(name.into(), symbol.clone());
                Ok(symbol)
            }
            _ => Err(no_symbol()),
        }
    }

    /// An object as a value: a copy, or a handle.
    pub fn value_of(&mut self, object: &Object) -> Value {
        let mut conses = MAX_CONSES;
        self.copy(object.0.at, &mut conses)
            .unwrap_or_else(|| Value::Object(object.clone()))
    }

    /// The value at `at`, unless its lists have more than so many conses.
    fn copy(&mut self, at: LispPtr, conses: &mut usize) -> Option<Value> {
        Some(match self.engine.look(at) {
            Seen::Nil => Value::Nil,
            Seen::True => Value::True,
            Seen::Integer(number) => Value::Integer(number.into()),
            Seen::Float(number) => Value::Float(number),
            Seen::Character(character) => Value::Character(character),
            Seen::Text(text) => Value::Text(text),
            Seen::Symbol(name) => Value::Symbol(name),
            Seen::LargeInteger => match self.large_integer(at) {
                Some(number) => Value::Integer(number),
                None => Value::Object(self.hold(at)),
            },
            Seen::Cons { .. } => {
                let mut elements = Vec::new();
                let mut rest = at;
                while let Seen::Cons { car, cdr } = self.engine.look(rest) {
                    *conses = conses.checked_sub(1)?;
                    elements.push(self.copy(car, conses)?);
                    rest = cdr;
                }
                if !rest.is_nil() {
                    // A dotted list is none of Rust's.
                    return Some(Value::Object(self.hold(at)));
                }
                Value::List(elements)
            }
            Seen::Other => Value::Object(self.hold(at)),
        })
    }

    /// An integer that Lisp keeps in a number of parts.
    fn large_integer(&mut self, at: LispPtr) -> Option<i64> {
        let number = self.hold(at);
        let parts = self.call("si::integer-parts", &[number.into()]).ok()?;
        let Value::List(parts) = parts else {
            return None;
        };
        parts.into_iter().try_fold(0, |number, part| {
            Some(number << 24 | i64::try_from(part).ok()?)
        })
    }

    /// A value as an object of Lisp.
    ///
    /// # Errors
    ///
    /// It has characters that Lisp does not have, names that are of no symbol, or objects
    /// of another Lisp.
    pub fn object(&mut self, value: &Value) -> Result<Object, Error> {
        let at = match value {
            Value::Nil => LispPtr::NIL,
            Value::True => LispPtr::T,
            Value::Integer(number) => match i32::try_from(*number) {
                Ok(number) => self.engine.integer(number),
                Err(_) => {
                    let parts = [number >> 48, number >> 24 & 0xFF_FFFF, number & 0xFF_FFFF];
                    return self.call_object("si::integer-of-parts", &parts.map(Value::from));
                }
            },
            Value::Float(number) => self.engine.float(*number),
            Value::Character(character) => LispPtr::character(code(*character)?),
            Value::Text(text) => return self.text(text),
            Value::Symbol(name) => return self.symbol(name),
            Value::List(elements) => {
                let mut list = self.hold(LispPtr::NIL);
                for element in elements.iter().rev() {
                    let element = self.object(element)?;
                    list = self.cons(&element, &list);
                }
                return Ok(list);
            }
            Value::Object(object) => {
                self.own(object)?;
                return Ok(object.clone());
            }
        };
        Ok(self.hold(at))
    }

    fn cons(&mut self, car: &Object, cdr: &Object) -> Object {
        let cons = self.engine.cons(car.0.at, cdr.0.at);
        self.hold(cons)
    }

    /// A new string.
    fn text(&mut self, text: &str) -> Result<Object, Error> {
        let codes = text.chars().map(code).collect::<Result<Vec<u16>, _>>()?;
        let is_wide = codes.iter().any(|&code| code > 0xFF);
        let length = self.engine.integer(codes.len() as i32);
        let length = self.hold(length);
        let is_wide = self.hold(if is_wide { LispPtr::T } else { LispPtr::NIL });
        let maker = self
            .engine
            .find("SI::MAKE-HOST-STRING")
            .ok_or(Error::NotBuiltin)?;
        let made = self.ask(maker, &[length, is_wide])?;
        let string = made.into_iter().next().ok_or(Error::NotBuiltin)?;
        self.engine.fill(string.0.at, &codes);
        Ok(string)
    }

    /// A handle.
    fn hold(&mut self, at: LispPtr) -> Object {
        self.engine.hold(at);
        Object(Rc::new(Held {
            at,
            home: Rc::clone(&self.released),
        }))
    }

    /// Where an object is, if it is one of this Lisp.
    fn own(&self, object: &Object) -> Result<LispPtr, Error> {
        if Rc::ptr_eq(&object.0.home, &self.released) {
            Ok(object.0.at)
        } else {
            Err(Error::Foreign)
        }
    }

    /// Has Lisp call a function; all its values.
    fn ask(&mut self, function: LispPtr, arguments: &[Object]) -> Result<Vec<Object>, Error> {
        if self.unwound.is_some() {
            return Err(Error::Unwound);
        }
        let level = self.level;
        let mut list = self.hold(LispPtr::NIL);
        for argument in arguments.iter().rev() {
            list = self.cons(argument, &list);
        }
        self.engine.set(Variable::Function, function);
        self.engine.set(Variable::Arguments, list.0.at);
        self.engine.set(Variable::Order, self.words.call);
        drop(list);
        let mut event = self.turn()?;
        loop {
            match event {
                Event::Done(done) if done == level => return self.outcome(),
                Event::Done(done) => {
                    self.unwound = Some(done);
                    return Err(Error::Unwound);
                }
                Event::Call => {
                    let answer = self.call_native();
                    event = match self.unwound.take() {
                        Some(done) => Event::Done(done),
                        None => self.answer(answer)?,
                    };
                }
            }
        }
    }

    /// Lets Lisp go on until it hands over.
    fn turn(&mut self) -> Result<Event, Error> {
        for object in self.released.0.take() {
            self.engine.release(object);
        }
        self.engine.set(Variable::Event, LispPtr::NIL);
        self.engine.turn()?;
        if let Seen::Integer(level) = self.engine.look(self.engine.get(Variable::Level)) {
            self.level = level;
        }
        let is_call = self.engine.get(Variable::Event) == self.words.call;
        Ok(if is_call {
            Event::Call
        } else {
            Event::Done(self.level)
        })
    }

    /// What became of a call of Lisp.
    fn outcome(&mut self) -> Result<Vec<Object>, Error> {
        let failure = self.engine.get(Variable::Failure);
        let mut values = Vec::new();
        let mut rest = self.engine.get(Variable::Values);
        while let Seen::Cons { car, cdr } = self.engine.look(rest) {
            values.push(self.hold(car));
            rest = cdr;
        }
        let failed = self.engine.look(failure);
        self.engine.set(Variable::Values, LispPtr::NIL);
        self.engine.set(Variable::Failure, LispPtr::NIL);
        match failed {
            Seen::Text(why) => Err(Error::Lisp(why)),
            _ => Ok(values),
        }
    }

    /// Calls the function of Rust that Lisp wants to call.
    fn call_native(&mut self) -> Result<Value, Error> {
        let number = self.engine.look(self.engine.get(Variable::Function));
        let arguments = self.engine.get(Variable::Arguments);
        let arguments = self.hold(arguments);
        let arguments = match self.value_of(&arguments) {
            Value::List(arguments) => arguments,
            _ => Vec::new(),
        };
        let Seen::Integer(number) = number else {
            return Err(Error::NotBuiltin);
        };
        let native = usize::try_from(number)
            .ok()
            .and_then(|n| self.natives.get(n));
        let native = Rc::clone(native.ok_or(Error::NotDefined)?);
        native(self, &arguments)
    }

    /// Lets the function of Lisp return that called one of Rust.
    fn answer(&mut self, answer: Result<Value, Error>) -> Result<Event, Error> {
        let (value, failure) = match answer.and_then(|value| self.object(&value)) {
            Ok(value) => (value, self.hold(LispPtr::NIL)),
            // The machine is no more: nobody can be told.
            Err(error @ (Error::Ended(_) | Error::Fault(_))) => return Err(error),
            Err(error) => {
                let text = error.to_string();
                let text: String = text.chars().filter(|&c| code(c).is_ok()).collect();
                (self.hold(LispPtr::NIL), self.text(&text)?)
            }
        };
        let nil = self.hold(LispPtr::NIL);
        let values = self.cons(&value, &nil);
        self.engine.set(Variable::Values, values.0.at);
        self.engine.set(Variable::Failure, failure.0.at);
        self.engine.set(Variable::Order, self.words.return_);
        self.turn()
    }
}

impl fmt::Debug for Lisp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lisp")
            .field("level", &self.level)
            .finish_non_exhaustive()
    }
}

/// Lisp's code of a character.
fn code(character: char) -> Result<u16, Error> {
    u16::try_from(u32::from(character)).map_err(|_| Error::NoCharacter(character))
}
