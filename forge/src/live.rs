//! Compilation for a Lisp that runs.
//!
//! Lisp sends a function as text, with its macros expanded; the answer is text too:
//! what Lisp has to do to get the function. What Lisp cannot write, or what must stay
//! the same object, it keeps in a table and sends its number there: `#(7)` is an
//! object, and `#:7` a symbol that belongs to no package.
//!
//! ```text
//! request  (:generation 3 :name name :objects count :special (name ...)
//!           :arity ((function count) ...) :lambda (lambda (parameter ...) form ...))
//! answer   (step ...)
//!          (:error "text")
//! ```
//!
//! Each step makes an object, which gets the next number; the last one is the
//! function:
//!
//! ```text
//! (:constant datum)               what can be read: a symbol, a number
//! (:symbol "name")                a new symbol that belongs to no package
//! (:code "bytes" (offset number ...))
//!                                 a code block in hexadecimal digits; at the offsets,
//!                                 in bytes, objects are to be added and counted
//! (:closure number)               a closure of a code block, without environment
//! (:define number number)         a closure becomes the function of a symbol
//! ```

use std::collections::HashMap;
use std::fmt::Write as _;
use std::panic::catch_unwind;
use std::sync::mpsc::{Receiver, Sender, channel};

use geiko_runtime::layout::builtin::builtin_types;
use geiko_runtime::layout::{Generation, Medley2, Medley3};

use crate::build::thread_with_stack;
use crate::code::Code;
use crate::compile::globals::{GlobalFunction, GlobalVariable, Globals};
use crate::compile::parse::{Definition, in_expansion};
use crate::compile::{Arity, Compiled, compile};
use crate::datum::{Datum, Package, Place, Symbol};
use crate::expand::Expander;
use crate::link::{Fixup, Layout, LinkError};
use crate::reader::read_all;

/// What messages call the text that Lisp sends. Nobody sees it.
const SOURCE: &str = "request";

/// The compiler of a running Lisp. It waits on a thread of its own, whose stack is too
/// large to be had anew for each function.
#[derive(Debug)]
pub struct Compiler {
    requests: Sender<String>,
    answers: Receiver<String>,
}

impl Compiler {
    /// Starts the compiler.
    ///
    /// # Errors
    /// The system cannot start a thread.
    pub fn start() -> std::io::Result<Self> {
        let (requests, to_do) = channel::<String>();
        let (done, answers) = channel();
        thread_with_stack().spawn(move || {
            for request in to_do {
                let steps = catch_unwind(|| steps(&request));
                let steps = steps.unwrap_or_else(|_| Err("the compiler failed".into()));
                let answer = steps.unwrap_or_else(|message| refusal(&message));
                if done.send(answer).is_err() {
                    break;
                }
            }
        })?;
        Ok(Self { requests, answers })
    }

    /// Answers a request.
    pub fn answer(&self, request: String) -> String {
        let sent = self.requests.send(request).ok();
        let answer = sent.and_then(|()| self.answers.recv().ok());
        answer.unwrap_or_else(|| refusal("the compiler has ended"))
    }
}

/// The answer to a request that cannot be fulfilled.
pub fn refusal(message: &str) -> String {
    format!("(:error {})", Datum::string(message))
}

type Result<T> = std::result::Result<T, String>;

fn steps(request: &str) -> Result<String> {
    let forms = read_all(SOURCE, request).map_err(|error| error.message)?;
    let request = Request::parse(forms.first()).ok_or("the request is not complete")?;
    match request.generation {
        2 => request.compile::<Medley2>(),
        3 => request.compile::<Medley3>(),
        _ => Err("the generation of the image is unknown".into()),
    }
}

/// A request, taken apart.
struct Request {
    generation: u32,
    name: Symbol,
    /// Objects in Lisp's table.
    objects: u32,
    globals: Globals,
    lambda_list: Datum,
    body: Vec<Datum>,
}

impl Request {
    fn parse(list: Option<&Datum>) -> Option<Self> {
        let parts = list?.proper_list()?;
        let get = |name: &str| {
            let pair = parts.chunks_exact(2).find(|pair| {
                pair[0]
                    .as_symbol()
                    .is_some_and(|key| key.package == Package::Keyword && &*key.name == name)
            });
            pair.map(|pair| &pair[1])
        };
        let number = |datum: &Datum| match datum {
            Datum::Integer(number) => u32::try_from(number).ok(),
            _ => None,
        };
        let mut globals = Globals {
            is_open: true,
            ..Globals::default()
        };
        for name in get("SPECIAL")?.elements().filter_map(Datum::as_symbol) {
            let special = GlobalVariable::Special;
            globals.variables.insert(name.clone(), special);
        }
        for pair in get("ARITY")?.elements() {
            let count = number(pair.elements().nth(1)?)?;
            let function = GlobalFunction {
                arity: Some(Arity::exactly(count.try_into().ok()?)),
                keys: None,
            };
            globals.functions.insert(pair.operator()?.clone(), function);
        }
        let lambda = get("LAMBDA")?.as_cons()?.cdr.as_cons()?;
        Some(Self {
            generation: number(get("GENERATION")?)?,
            name: get("NAME")?.as_symbol()?.clone(),
            objects: number(get("OBJECTS")?)?,
            globals,
            lambda_list: lambda.car.clone(),
            body: lambda.cdr.proper_list()?,
        })
    }

    fn compile<G: Generation>(mut self) -> Result<String> {
        let definition = Definition {
            name: &self.name,
            block: None,
            lambda_list: &self.lambda_list,
            body: &self.body,
            source: &Datum::nil(),
        };
        let place = Place {
            file: SOURCE.into(),
            line: 1,
            column: 1,
        };
        let mut expander = Expander::bare();
        let globals = &mut self.globals;
        let compiled = compile(
            &definition,
            globals,
            &mut expander,
            &place,
            G::OPERAND_BYTES,
        );
        let Compiled { code, local } = compiled.map_err(|errors| {
            let first = errors.into_iter().next();
            first.map_or_else(String::new, |error| error.message)
        })?;
        for used in &globals.uses {
            if let Some(message) = globals.wrong_arguments(used) {
                return Err(in_expansion(message, used.expanding.as_ref()));
            }
        }
        let mut answer = Answer::<G> {
            text: String::from("("),
            next: self.objects,
            symbols: HashMap::new(),
            generation: std::marker::PhantomData,
        };
        let steps = answer.function(&code, &local);
        steps.map_err(|error| error.message)?;
        answer.text.push(')');
        Ok(answer.text)
    }
}

/// An answer in the making.
struct Answer<G> {
    text: String,
    /// The number of the next object.
    next: u32,
    symbols: HashMap<Symbol, u32>,
    generation: std::marker::PhantomData<G>,
}

impl<G: Generation> Answer<G> {
    fn function(
        &mut self,
        code: &Code,
        local: &[(Symbol, Code)],
    ) -> std::result::Result<(), LinkError> {
        for (name, code) in local {
            let name = self.symbol(name);
            let closure = self.closure(code)?;
            self.step(format_args!("(:define {name} {closure})"));
        }
        self.closure(code).map(|_| ())
    }

    /// Adds a step; the number of what it makes.
    fn step(&mut self, step: std::fmt::Arguments<'_>) -> u32 {
        let _ = writeln!(self.text, "{step}");
        self.next += 1;
        self.next - 1
    }

    fn symbol(&mut self, symbol: &Symbol) -> u32 {
        if let Some(&number) = self.symbols.get(symbol) {
            return number;
        }
        let number = match symbol.package {
            Package::Uninterned => match symbol.name.parse() {
                Ok(number) => return number,
                Err(_) => self.step(format_args!("(:symbol {})", Datum::string(&symbol.name))),
            },
            _ => self.constant(&Datum::Symbol(symbol.clone())),
        };
        self.symbols.insert(symbol.clone(), number);
        number
    }

    fn constant(&mut self, datum: &Datum) -> u32 {
        self.step(format_args!("(:constant {datum})"))
    }

    fn closure(&mut self, code: &Code) -> std::result::Result<u32, LinkError> {
        let block = self.code(code)?;
        Ok(self.step(format_args!("(:closure {block})")))
    }

    fn code(&mut self, code: &Code) -> std::result::Result<u32, LinkError> {
        let layout = Layout::of::<G>(code, type_number::<G>)?;
        let mut fixups = String::new();
        for (offset, fixup) in &layout.fixups {
            let object = match fixup {
                Fixup::Symbol(symbol) => self.symbol(symbol),
                Fixup::Constant(datum) => match datum {
                    Datum::Vector(elements) => number_in(elements)?,
                    Datum::Symbol(symbol) => self.symbol(symbol),
                    datum => self.constant(datum),
                },
                Fixup::Code(code) => self.code(code)?,
                Fixup::Closure(code) => self.closure(code)?,
                // Lisp has the source, and would never get the list back.
                Fixup::Parameters(_) => continue,
            };
            let _ = write!(fixups, "{offset} {object} ");
        }
        let bytes = layout.bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02X}");
            text
        });
        Ok(self.step(format_args!("(:code \"{bytes}\" ({fixups}))")))
    }
}

/// The number of an object in Lisp's table.
fn number_in(elements: &[Datum]) -> std::result::Result<u32, LinkError> {
    match elements {
        [Datum::Integer(number)] => u32::try_from(number).ok(),
        _ => None,
    }
    .ok_or_else(|| LinkError::new("a constant is no object of Lisp"))
}

/// Types with fixed numbers are all that code can name.
fn type_number<G: Generation>(name: &Symbol) -> std::result::Result<u16, LinkError> {
    let types = builtin_types::<G>();
    let found = types.iter().find(|builtin| *builtin.name == *name.name);
    found
        .map(|builtin| builtin.number)
        .ok_or_else(|| LinkError::new(format!("there is no type {name}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(request: String) -> String {
        let compiler = Compiler::start().expect("a thread starts");
        compiler.answer(request)
    }

    fn request(lambda: &str) -> String {
        format!(
            "(:lambda {lambda} :name lisp:|F| :generation 3 :arity ((lisp:|TWO| 2)) \
             :special (lisp:|*S*|) :objects 2)"
        )
    }

    #[test]
    fn steps_make_what_code_refers_to() {
        let text = answer(request("(lambda (x) (list x '#(1) #:|0| *s* (two x 5)))"));
        assert!(
            read_all("answer", &text).is_ok_and(|forms| forms.len() == 1),
            "{text}"
        );
        for step in [
            "(:constant TWO)",
            "(:constant *S*)",
            "(:code ",
            "(:closure ",
        ] {
            assert!(text.contains(step), "{step} is not in {text}");
        }
        // The objects of Lisp are not made again.
        assert!(text.starts_with("(\n") || text.starts_with("((:"), "{text}");
        assert!(!text.contains("(:symbol"), "{text}");
        let local = "(lambda (x) (labels ((down (n) (if (eq n 0) 0 (down (- n 1))))) (down x)))";
        let text = answer(request(local));
        assert!(text.contains("(:symbol \"F/DOWN\")"), "{text}");
        assert!(text.contains("(:define "), "{text}");
    }

    #[test]
    fn mistakes_are_told_in_a_sentence() {
        for (lambda, message) in [
            ("(lambda (x) (two x))", "TWO takes 2 arguments, not 1"),
            ("(lambda (x) (car x x))", "CAR takes 1 argument, not 2"),
            ("(lambda (x x) x)", "X is a parameter twice"),
            (
                "(lambda",
                "this parenthesis is not closed before the end of the file",
            ),
            ("5", "the request is not complete"),
        ] {
            let expected = format!("(:error {})", Datum::string(message));
            assert_eq!(answer(request(lambda)), expected);
        }
    }
}
