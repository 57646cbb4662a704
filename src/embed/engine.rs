//! The machine that a Lisp runs on: of either generation, with the memory that it is in.

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;

use geiko_jit::{Jit, Pace};
use geiko_runtime::gc::BackupMode;
use geiko_runtime::image::{ImageFile, Names, find_symbol};
use geiko_runtime::layout::records::types;
use geiko_runtime::layout::{Generation, Medley2, Medley3, Release, SymbolCell};
use geiko_runtime::machine::Machine;
use geiko_runtime::memory::{AddressSpace, LispPtr};
use self_cell::self_cell;

use super::Error;
use crate::console::{Manner, Request};
use crate::devices::host::Rights;
use crate::display::ScreenSize;
use crate::report::Report;
use crate::session::{ClockKind, Ending, Session, Settings};

/// Calls and loop turns after which a function is compiled.
const THRESHOLD: u32 = 2000;
/// Bytes of native code.
const CACHE_BYTES: usize = 64 << 20;

/// What Lisp and its host tell each other with (`forge/lisp/lib/embedding.lisp`).
#[derive(Clone, Copy, Debug)]
pub enum Variable {
    Event,
    Level,
    Order,
    Function,
    Arguments,
    Values,
    Failure,
}

/// Their names, in this order.
const VARIABLES: [&str; 7] = [
    "SI::*HOST-EVENT*",
    "SI::*HOST-EVENT-LEVEL*",
    "SI::*HOST-ORDER*",
    "SI::*HOST-FUNCTION*",
    "SI::*HOST-ARGUMENTS*",
    "SI::*HOST-VALUES*",
    "SI::*HOST-FAILURE*",
];

/// What there is at an address.
#[derive(Debug)]
pub enum Seen {
    Nil,
    True,
    Integer(i32),
    LargeInteger,
    Float(f32),
    Character(char),
    Text(String),
    Symbol(String),
    Cons { car: LispPtr, cdr: LispPtr },
    Other,
}

/// A machine whose generation does not matter.
pub trait Engine {
    /// Runs until Lisp hands over.
    fn turn(&mut self) -> Result<(), Error>;
    /// The symbol with a name.
    fn find(&self, name: &str) -> Option<LispPtr>;
    fn get(&self, variable: Variable) -> LispPtr;
    fn set(&mut self, variable: Variable, value: LispPtr);
    /// What is at an address.
    fn look(&self, at: LispPtr) -> Seen;
    /// One reference more from outside.
    fn hold(&mut self, at: LispPtr);
    /// One less.
    fn release(&mut self, at: LispPtr);
    fn integer(&mut self, number: i32) -> LispPtr;
    fn float(&mut self, number: f32) -> LispPtr;
    fn cons(&mut self, car: LispPtr, cdr: LispPtr) -> LispPtr;
    /// Gives a string its characters.
    fn fill(&mut self, string: LispPtr, codes: &[u16]);
}

/// A session with what its host needs of it.
struct Running<'m, G: Generation> {
    session: Session<'m, G>,
    /// The cells of the variables.
    cells: [LispPtr; VARIABLES.len()],
    path: PathBuf,
    started: Instant,
    /// Why it cannot go on.
    over: Option<Over>,
}

#[derive(Clone, Debug)]
enum Over {
    Ended(i32),
    Fault(String),
}

impl<'m, G: Generation> Running<'m, G> {
    fn start(space: &'m AddressSpace<G>, image: &ImageFile, rights: Rights) -> Result<Self, Error> {
        let start = crate::error::Error::from;
        let size = image.memory_size(None).map_err(start)?;
        let cells = VARIABLES.map(|name| {
            find_symbol(space.view(), name).map(|symbol| G::symbol_cell(symbol, SymbolCell::Value))
        });
        if cells.contains(&None) {
            return Err(Error::NotBuiltin);
        }
        let settings = Settings {
            clock: ClockKind::Real,
            rights,
            screen: ScreenSize::parse("1024x768").expect("a size"),
            save_to: None,
            script: None,
            time_limit: None,
            request: Some(Request::new(Manner::Serve)),
            edit_lines: false,
            variables: Vec::new(),
        };
        let setting = settings
            .set_up(space.attention())
            .map_err(crate::error::Error::Rights)?;
        let (mut machine, _) = Machine::of_image(space.view(), setting.devices);
        machine.prepare(size);
        if let Err(fault) = machine.start() {
            machine.raise_fault(fault);
        }
        machine.set_backup(BackupMode::On);
        // Without native code Lisp is only slower.
        if let Ok(jit) = Jit::new(machine.mem, CACHE_BYTES, Pace::Meanwhile) {
            machine.set_compiler(Rc::new(jit), THRESHOLD);
        }
        Ok(Self {
            session: Session::new(machine, setting.shared, settings),
            cells: cells.map(Option::unwrap_or_default),
            path: image.path().to_owned(),
            started: Instant::now(),
            over: None,
        })
    }

    fn machine(&mut self) -> &mut Machine<'m, G> {
        self.session.machine_mut()
    }

    fn turn(&mut self) -> Result<(), Error> {
        if self.over.is_none() {
            self.over = match self.session.run() {
                Ok(Ending::Finished(_)) if !self.get(Variable::Event).is_nil() => None,
                Ok(Ending::Finished(status)) => Some(Over::Ended(status)),
                Ok(Ending::Fault | Ending::TimeLimit) | Err(_) => {
                    let machine = self.session.machine();
                    let report = Report::new(machine, &self.path, self.started.elapsed());
                    Some(Over::Fault(report.to_string()))
                }
            };
        }
        match self.over.clone() {
            None => Ok(()),
            Some(Over::Ended(status)) => Err(Error::Ended(status)),
            Some(Over::Fault(report)) => Err(Error::Fault(report)),
        }
    }

    fn find(&self, name: &str) -> Option<LispPtr> {
        find_symbol(self.session.machine().mem, name)
    }

    fn get(&self, variable: Variable) -> LispPtr {
        let cell = self
            .session
            .machine()
            .mem
            .cell(self.cells[variable as usize]);
        cell.masked::<G>()
    }

    fn set(&mut self, variable: Variable, value: LispPtr) {
        let cell = self.cells[variable as usize];
        self.machine().store_counted(cell, value);
    }

    fn look(&self, at: LispPtr) -> Seen {
        let machine = self.session.machine();
        if at == LispPtr::NIL {
            return Seen::Nil;
        }
        if at == LispPtr::T {
            return Seen::True;
        }
        if let Some(number) = machine.integer(at) {
            return Seen::Integer(number);
        }
        match machine.type_number(at) {
            types::FLOATP => Seen::Float(f32::from_bits(machine.mem.cell(at).0)),
            types::CHARACTER => {
                Seen::Character(char::from_u32(at.0 & 0xFFFF).unwrap_or('\u{FFFD}'))
            }
            types::LISTP => Seen::Cons {
                car: machine.car(at),
                cdr: machine.cdr(at),
            },
            types::BIGNUM => Seen::LargeInteger,
            types::LITATOM | types::NEW_ATOM => {
                let name = Names::new(machine.mem).name(at);
                // The package that forms are read in.
                Seen::Symbol(name.strip_prefix("CL:").unwrap_or(&name).into())
            }
            _ => match machine.string_chars(at) {
                Some(codes) => Seen::Text(String::from_utf16_lossy(&codes)),
                None => Seen::Other,
            },
        }
    }

    fn hold(&mut self, at: LispPtr) {
        self.machine().add_ref(at);
    }

    fn release(&mut self, at: LispPtr) {
        self.machine().del_ref(at);
    }

    fn integer(&mut self, number: i32) -> LispPtr {
        self.machine().number(number)
    }

    fn float(&mut self, number: f32) -> LispPtr {
        self.machine().float(number)
    }

    fn cons(&mut self, car: LispPtr, cdr: LispPtr) -> LispPtr {
        self.machine().cons(car, cdr)
    }

    fn fill(&mut self, string: LispPtr, codes: &[u16]) {
        self.machine().fill_string(string, codes);
    }
}

/// Starts an image of the built-in Lisp.
pub fn start(image: ImageFile, rights: Rights) -> Result<Box<dyn Engine>, Error> {
    match image.header().release {
        Release::Medley2 => Engine2::start(image, rights),
        Release::Medley3 => Engine3::start(image, rights),
    }
}

type Running2<'m> = Running<'m, Medley2>;
type Running3<'m> = Running<'m, Medley3>;

self_cell!(
    /// Memory of the older generation and the session in it.
    struct Engine2 {
        owner: AddressSpace<Medley2>,
        #[not_covariant]
        dependent: Running2,
    }
);

self_cell!(
    /// Memory of the newer generation and the session in it.
    struct Engine3 {
        owner: AddressSpace<Medley3>,
        #[not_covariant]
        dependent: Running3,
    }
);

macro_rules! engine {
    ($engine:ident, $generation:ident) => {
        impl $engine {
            fn start(image: ImageFile, rights: Rights) -> Result<Box<dyn Engine>, Error> {
                let size = image.memory_size(None).map_err(crate::error::Error::from)?;
                let space = image
                    .load::<$generation>(size)
                    .map_err(crate::error::Error::from)?;
                let engine = Self::try_new(space, |space| Running::start(space, &image, rights))?;
                Ok(Box::new(engine))
            }
        }

        impl Engine for $engine {
            fn turn(&mut self) -> Result<(), Error> {
                self.with_dependent_mut(|_, running| running.turn())
            }
            fn find(&self, name: &str) -> Option<LispPtr> {
                self.with_dependent(|_, running| running.find(name))
            }
            fn get(&self, variable: Variable) -> LispPtr {
                self.with_dependent(|_, running| running.get(variable))
            }
            fn set(&mut self, variable: Variable, value: LispPtr) {
                self.with_dependent_mut(|_, running| running.set(variable, value));
            }
            fn look(&self, at: LispPtr) -> Seen {
                self.with_dependent(|_, running| running.look(at))
            }
            fn hold(&mut self, at: LispPtr) {
                self.with_dependent_mut(|_, running| running.hold(at));
            }
            fn release(&mut self, at: LispPtr) {
                self.with_dependent_mut(|_, running| running.release(at));
            }
            fn integer(&mut self, number: i32) -> LispPtr {
                self.with_dependent_mut(|_, running| running.integer(number))
            }
            fn float(&mut self, number: f32) -> LispPtr {
                self.with_dependent_mut(|_, running| running.float(number))
            }
            fn cons(&mut self, car: LispPtr, cdr: LispPtr) -> LispPtr {
                self.with_dependent_mut(|_, running| running.cons(car, cdr))
            }
            fn fill(&mut self, string: LispPtr, codes: &[u16]) {
                self.with_dependent_mut(|_, running| running.fill(string, codes));
            }
        }
    };
}

engine!(Engine2, Medley2);
engine!(Engine3, Medley3);
