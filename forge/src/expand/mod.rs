//! Evaluation at compile time: macros, and the functions they use.
//!
//! A small Lisp of its own: forms are analysed into `Node`s, in which
//! names are resolved and macros expanded, and these are evaluated. Data are the
//! reader's and never change; what changes are variables. The standard macros are
//! written in Lisp, `lisp/macros.lisp`, and the expanders of all macros begin as
//! source and are analysed when they are first needed.
//!
//! Macros of a program can be wrong. Each evaluation has a limited number of steps
//! and a limited part of the stack, and what computes much in one step pays for it.

mod analyse;
mod bind;
mod eval;
mod functions;
mod lambda_list;
mod lists;
mod node;
mod numbers;
mod sequences;
mod text;

#[cfg(test)]
mod macro_tests;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::rc::Rc;

use crate::datum::{Datum, Package, Place, Symbol};
use crate::reader::Reader;
use crate::{Error, Result, source};

pub use analyse::function_name_symbol;
pub use node::Function;
use node::{Environment, Exit, Flow, FunctionKind, GlobalIndex, Primitive, error};

/// Files with the standard macros.
const STANDARD_MACROS: [&str; 3] = ["macros.lisp", "macros/places.lisp", "macros/loop.lisp"];

/// Steps of one evaluation or expansion, at most.
const MAX_STEPS: u64 = 10_000_000;
/// Characters of a message to which the names of more macros are added, at most.
const MAX_MESSAGE: usize = 120;
/// Bytes of the stack that an evaluation can use unless more is allowed; threads have
/// 2 MiB at least.
const STACK_BYTES: usize = 900_000;
/// Expansions of a form that is a macro form again and again, at most.
const MAX_EXPANSIONS: usize = 1000;

/// Expands macros and evaluates forms at compile time.
pub struct Expander {
    globals: Vec<Global>,
    indices: HashMap<Symbol, GlobalIndex>,
    /// Macros of MACROLET, and the names of local functions that hide macros; the
    /// innermost is the last.
    locals: Vec<(Symbol, Option<Rc<Macro>>)>,
    properties: HashMap<(Symbol, Symbol), Datum>,
    /// Second and further values of the last form, if it was VALUES.
    more_values: Option<Vec<Datum>>,
    symbols_made: u64,
    steps: u64,
    max_steps: u64,
    active: bool,
    stack_base: usize,
    stack_bytes: usize,
    /// Place of the last form that has one.
    place: Place,
}

/// What a symbol means everywhere.
struct Global {
    symbol: Symbol,
    value: Option<Datum>,
    function: Option<Definition>,
    expander: Option<Rc<Macro>>,
    special: bool,
}

/// A function, perhaps not yet analysed.
enum Definition {
    Ready(Function),
    /// Lambda list and body.
    Source(Datum, Datum),
}

/// A macro.
struct Macro {
    lambda_list: Datum,
    body: Datum,
    function: std::cell::OnceCell<Function>,
}

impl Default for Expander {
    fn default() -> Self {
        Self::new()
    }
}

impl Expander {
    /// An expander that knows the standard macros.
    ///
    /// # Panics
    /// If the standard macros are wrong, which they are not.
    pub fn new() -> Self {
        let mut expander = Self::bare();
        for source in source::BUILTIN {
            if is_standard(source.name)
                && let Err(error) = expander.load(source.name, source.text)
            {
                panic!("{error}");
            }
        }
        expander
    }

    /// An expander that knows no macros.
    pub(crate) fn bare() -> Self {
        let place = Place {
            file: "".into(),
            line: 1,
            column: 1,
        };
        let mut expander = Self {
            globals: Vec::new(),
            indices: HashMap::new(),
            locals: Vec::new(),
            properties: HashMap::new(),
            more_values: None,
            symbols_made: 0,
            steps: 0,
            max_steps: MAX_STEPS,
            active: false,
            stack_base: 0,
            stack_bytes: STACK_BYTES,
            place,
        };
        let tables = [
            lists::PRIMITIVES,
            numbers::PRIMITIVES,
            text::PRIMITIVES,
            functions::PRIMITIVES,
        ];
        for primitive in tables.into_iter().flatten() {
            let symbol = match primitive.name.strip_prefix("SI:") {
                Some(name) => Symbol::new(Package::System, name),
                None => Symbol::lisp(primitive.name),
            };
            let function = Function(Rc::new(FunctionKind::Primitive(primitive)));
            expander.global_mut(&symbol).function = Some(Definition::Ready(function));
        }
        expander
    }

    /// Allows evaluations to use so many bytes of the stack, less than there are. A
    /// call of a function in Lisp needs some 10 KB if nothing is optimised.
    pub fn set_stack(&mut self, bytes: usize) {
        self.stack_bytes = bytes;
    }

    /// Reads and evaluates all forms of a text.
    pub fn load(&mut self, file: &str, text: &str) -> Result<()> {
        let mut reader = Reader::new(file, text);
        while let Some(form) = reader.read(&mut |form| self.eval(form))? {
            self.eval(&form)?;
        }
        Ok(())
    }

    /// Expands a macro form once; `None` if it is none.
    pub fn macroexpand_1(&mut self, form: &Datum) -> Result<Option<Datum>> {
        let Some((name, expander)) = self.macro_of(form) else {
            return Ok(None);
        };
        self.enter(form, |this| this.expand_with(&name, &expander, form))
            .map(Some)
    }

    /// Expands a form until it is no macro form.
    pub fn macroexpand(&mut self, form: &Datum) -> Result<Datum> {
        let mut expansion = form.clone();
        for _ in 0..MAX_EXPANSIONS {
            match self.macroexpand_1(&expansion)? {
                Some(next) => expansion = next,
                None => return Ok(expansion),
            }
        }
        let place = form.place().unwrap_or(&self.place);
        Err(Error::new(place, "this macro form expands for ever"))
    }

    /// Defines a macro. Mistakes in it are found when it is first used.
    pub fn define_macro(&mut self, name: &Symbol, lambda_list: &Datum, body: &Datum) -> Result<()> {
        self.set_macro(name, lambda_list, body);
        Ok(())
    }

    /// The function of a macro as it goes into an image: a `lambda` form of two
    /// parameters, the form and the environment.
    pub fn macro_lambda(
        &mut self,
        name: &Symbol,
        lambda_list: &Datum,
        body: &Datum,
    ) -> Result<Datum> {
        let name = Datum::Symbol(name.clone());
        self.enter(lambda_list, |this| {
            this.parse_macro(&name, lambda_list, body)
        })
    }

    /// Defines a function for use at compile time. Mistakes in it are found when it
    /// is first used.
    pub fn define_function(&mut self, name: &Symbol, lambda_list: &Datum, body: &Datum) {
        let global = self.global_mut(name);
        global.function = Some(Definition::Source(lambda_list.clone(), body.clone()));
    }

    /// Gives a global variable a value for use at compile time.
    pub fn define_variable(&mut self, name: &Symbol, value: Datum) {
        let global = self.global_mut(name);
        global.special = true;
        global.value = Some(value);
    }

    /// The value of a global variable at compile time.
    pub fn variable(&self, name: &Symbol) -> Option<&Datum> {
        self.globals[*self.indices.get(name)?].value.as_ref()
    }

    /// Says that `(setf (accessor argument...) value)` is
    /// `(setter argument... value)`, as DEFSETF does.
    pub fn define_setter(&mut self, accessor: &Symbol, setter: &Symbol) {
        let property = Symbol::new(Package::System, "SETF-FUNCTION");
        self.properties
            .insert((accessor.clone(), property), Datum::Symbol(setter.clone()));
    }

    /// Evaluates a form in the global environment.
    pub fn eval(&mut self, form: &Datum) -> Result<Datum> {
        self.enter(form, |this| this.eval_top_level(form))
    }

    /// Begins the scope of local macros and functions; what to give back to
    /// [`end_scope`](Self::end_scope).
    pub fn begin_scope(&mut self) -> usize {
        self.locals.len()
    }

    /// Ends a scope.
    pub fn end_scope(&mut self, scope: usize) {
        self.locals.truncate(scope);
    }

    /// Defines a macro until the end of the scope, as MACROLET does.
    pub fn define_local_macro(&mut self, name: &Symbol, lambda_list: &Datum, body: &Datum) {
        let expander = Rc::new(Macro::new(lambda_list, body));
        self.locals.push((name.clone(), Some(expander)));
    }

    /// Whether a symbol is the name of a macro here.
    pub fn is_macro(&self, name: &Symbol) -> bool {
        self.macro_of(&Datum::list([Datum::Symbol(name.clone())]))
            .is_some()
    }

    /// The names of all global macros.
    pub fn macros(&self) -> impl Iterator<Item = &Symbol> {
        self.globals
            .iter()
            .filter(|global| global.expander.is_some())
            .map(|global| &global.symbol)
    }

    /// Hides a macro until the end of the scope, as a local function of that name
    /// does.
    pub fn hide_macro(&mut self, name: &Symbol) {
        self.locals.push((name.clone(), None));
    }

    fn global_index(&mut self, symbol: &Symbol) -> GlobalIndex {
        if let Some(&index) = self.indices.get(symbol) {
            return index;
        }
        let index = self.globals.len();
        self.globals.push(Global {
            symbol: symbol.clone(),
            value: None,
            function: None,
            expander: None,
            special: false,
        });
        self.indices.insert(symbol.clone(), index);
        index
    }

    fn global_mut(&mut self, symbol: &Symbol) -> &mut Global {
        let index = self.global_index(symbol);
        &mut self.globals[index]
    }

    /// The macro that a form calls, and its name.
    fn macro_of(&self, form: &Datum) -> Option<(Symbol, Rc<Macro>)> {
        let name = form.operator()?;
        let local = self.locals.iter().rev().find(|(local, _)| local == name);
        let expander = match local {
            Some((_, expander)) => expander.clone(),
            None => {
                let index = *self.indices.get(name)?;
                self.globals[index].expander.clone()
            }
        };
        Some((name.clone(), expander?))
    }

    /// Runs an evaluation on behalf of the compiler, with limits.
    fn enter(&mut self, form: &Datum, run: impl FnOnce(&mut Self) -> Flow<Datum>) -> Result<Datum> {
        if let Some(place) = form.place() {
            self.place = place.clone();
        }
        let place = self.place.clone();
        if !self.active {
            self.steps = 0;
            self.stack_base = stack_pointer();
        }
        let outer = std::mem::replace(&mut self.active, true);
        let outcome = run(self);
        self.active = outer;
        self.more_values = None;
        outcome.map_err(|exit| match *exit {
            Exit::Error {
                message, place: at, ..
            } => Error::new(&at.unwrap_or(place), message),
            Exit::Return(..) => Error::new(&place, "RETURN-FROM a block that has been left"),
            Exit::Go(..) => Error::new(&place, "GO to a place that has been left"),
            Exit::Throw(tag, _) => Error::new(&place, format!("nothing catches {tag}")),
        })
    }

    /// Expands a form with a macro. Errors are at the form.
    fn expand_with(&mut self, name: &Symbol, expander: &Macro, form: &Datum) -> Flow<Datum> {
        let expansion = self.macro_function(name, expander).and_then(|function| {
            let environment = Datum::nil();
            self.apply(&function, vec![form.clone(), environment])
        });
        self.more_values = None;
        let place = form.place().unwrap_or(&self.place).clone();
        match expansion {
            Ok(Datum::Cons(cell))
                if cell.place.as_ref().is_some_and(|at| is_standard(&at.file)) =>
            {
                let (car, cdr) = (cell.car.clone(), cell.cdr.clone());
                Ok(Datum::cons(car, cdr).at(&place))
            }
            Ok(expansion) => Ok(expansion.at(&place)),
            Err(exit) => Err(Box::new(match *exit {
                Exit::Error {
                    message,
                    place: at,
                    signalled,
                } => {
                    let at = match at {
                        // The program's own macro is wrong, not its use.
                        Some(at) if !signalled => format!(" (at {at})"),
                        _ => String::new(),
                    };
                    let usage = match message.contains(" parts in ") {
                        true => {
                            let whole = Datum::cons(
                                Datum::Symbol(name.clone()),
                                expander.lambda_list.clone(),
                            );
                            format!("; it must be {}", whole.to_string().to_lowercase())
                        }
                        false => String::new(),
                    };
                    let name = Datum::Symbol(name.clone());
                    let message = if message.len() < MAX_MESSAGE {
                        format!("macro {name}: {message}{usage}{at}")
                    } else {
                        message
                    };
                    Exit::Error {
                        message,
                        place: Some(place),
                        signalled: true,
                    }
                }
                other => other,
            })),
        }
    }

    fn macro_function(&mut self, name: &Symbol, expander: &Macro) -> Flow<Function> {
        if let Some(function) = expander.function.get() {
            return Ok(function.clone());
        }
        let name = Datum::Symbol(name.clone());
        let lambda = self.parse_macro(&name, &expander.lambda_list, &expander.body)?;
        let parts = analyse::parts(&lambda, 2, ANY)?;
        let body = Datum::list(parts[2..].iter().cloned());
        let function = self.global_function(None, &parts[1], &body)?;
        Ok(expander.function.get_or_init(|| function).clone())
    }

    /// Makes a function of the form and the environment from a macro's lambda list
    /// and body. This is written in Lisp, because the image needs it too.
    fn parse_macro(&mut self, name: &Datum, lambda_list: &Datum, body: &Datum) -> Flow<Datum> {
        let parser = self.global_index(&Symbol::new(Package::System, "PARSE-MACRO"));
        let parser = self.function_of(parser)?;
        let arguments = vec![name.clone(), lambda_list.clone(), body.clone()];
        self.apply(&parser, arguments)
    }

    /// The global function of a name.
    fn function_of(&mut self, index: GlobalIndex) -> Flow<Function> {
        let global = &self.globals[index];
        match &global.function {
            Some(Definition::Ready(function)) => Ok(function.clone()),
            Some(Definition::Source(lambda_list, body)) => {
                let (lambda_list, body) = (lambda_list.clone(), body.clone());
                let name = global.symbol.clone();
                let function = self.global_function(Some(&name), &lambda_list, &body)?;
                self.globals[index].function = Some(Definition::Ready(function.clone()));
                Ok(function)
            }
            None => {
                let symbol = Datum::Symbol(global.symbol.clone());
                error(format!(
                    "the function {symbol} is not known at compile time"
                ))
            }
        }
    }

    /// Pays for work: `units` are about as much as the evaluation of so many forms.
    fn charge(&mut self, units: usize) -> Flow<()> {
        self.steps += units as u64;
        if self.steps > self.max_steps {
            return error("the evaluation takes too long");
        }
        Ok(())
    }

    /// Pays for a step, and stops recursion that is too deep.
    fn step(&mut self) -> Flow<()> {
        self.charge(1)?;
        if self.stack_base.abs_diff(stack_pointer()) > self.stack_bytes {
            return error("the recursion is too deep");
        }
        Ok(())
    }

    /// A new symbol whose name begins with `prefix`.
    fn make_symbol(&mut self, prefix: &str) -> Symbol {
        self.symbols_made += 1;
        let name = format!("{prefix}{}", self.symbols_made);
        Symbol::new(Package::Uninterned, &name)
    }
}

impl Macro {
    fn new(lambda_list: &Datum, body: &Datum) -> Self {
        Self {
            lambda_list: lambda_list.clone(),
            body: body.clone(),
            function: std::cell::OnceCell::new(),
        }
    }
}

/// True of the files with the standard macros.
fn is_standard(file: &str) -> bool {
    STANDARD_MACROS.contains(&file)
}

/// Roughly where the stack is.
#[inline(never)]
fn stack_pointer() -> usize {
    let here = 0u8;
    (&raw const here).addr()
}

/// Names of primitives with prefix, arguments, and what they do.
const fn primitive(
    name: &'static str,
    least: usize,
    most: usize,
    run: fn(&mut Expander, &[Datum]) -> Flow<Datum>,
) -> Primitive {
    Primitive {
        name,
        least,
        most,
        run,
    }
}

/// As many arguments as one likes.
const ANY: usize = usize::MAX;

/// The environment of forms that are not in any function.
const fn global_environment() -> Environment {
    None
}
