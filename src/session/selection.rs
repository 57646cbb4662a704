//! What is selected in a window of Medley's editor TEdit, for the user's clipboard.
//!
//! Lisp evaluates a form, on top of whatever runs, that leaves the text in a list cell:
//!
//! ```lisp
//! (RPLACD 'CELL (NLSETQ (RPLACA 'CELL
//!    (TEDIT.SEL.AS.STRING (TEXTSTREAM (PROCESSPROP (TTY.PROCESS) 'WINDOW))))))
//! ```
//!
//! The cell is made here, with T behind, which goes away when Lisp is done, also if it met
//! an error: the window that has the keyboard need not be TEdit's. The host counts as one
//! that refers to the form as long as it waits.

use std::time::{Duration, Instant};

use geiko_runtime::image::find_symbol;
use geiko_runtime::layout::Generation;
use geiko_runtime::machine::Machine;
use geiko_runtime::memory::LispPtr;

use super::calls::Calls;
use crate::xccs;

/// How long Lisp may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A wish for the text that is selected.
#[derive(Debug, Default)]
pub struct Selection(Option<Asked>);

#[derive(Debug)]
struct Asked {
    since: Instant,
    /// The form and its cell, once they are made.
    made: Option<(LispPtr, LispPtr)>,
    /// Lisp has got the form.
    begun: bool,
}

impl Selection {
    /// The user wants it.
    pub fn want(&mut self) {
        self.0.get_or_insert(Asked {
            since: Instant::now(),
            made: None,
            begun: false,
        });
    }

    /// Whether Lisp has not told it yet.
    pub fn is_wanted(&self) -> bool {
        self.0.is_some()
    }

    /// The text, when Lisp has told it; `Some(None)` if nothing is selected.
    pub fn poll<G: Generation>(
        &mut self,
        machine: &mut Machine<'_, G>,
        calls: &Calls,
    ) -> Option<Option<String>> {
        let asked = self.0.as_mut()?;
        if asked.made.is_none() {
            asked.made = form(machine);
        }
        let Some((form, cell)) = asked.made else {
            self.0 = None;
            return Some(None);
        };
        if !asked.begun {
            asked.begun = calls.evaluate(machine, form);
        }
        let is_done = asked.begun && machine.cdr(cell) != LispPtr::T;
        if !is_done && asked.since.elapsed() < PATIENCE {
            return None;
        }
        self.0 = None;
        let text = machine.string_chars(machine.car(cell)).unwrap_or_default();
        // The collector looks at what nobody refers to any more.
        let _ = machine.del_ref(form);
        let unknown = char::REPLACEMENT_CHARACTER;
        let text: String = text
            .into_iter()
            .map(|code| xccs::character(code).unwrap_or(unknown))
            .collect();
        Some(Some(text).filter(|text| !text.is_empty()))
    }
}

/// The symbols of the form.
const SYMBOLS: [&str; 9] = [
    "RPLACA",
    "RPLACD",
    "QUOTE",
    "NLSETQ",
    "TEDIT.SEL.AS.STRING",
    "TEXTSTREAM",
    "PROCESSPROP",
    "TTY.PROCESS",
    "WINDOW",
];

/// The form, to which the host refers now, and its cell; `None` in an image that has no
/// TEdit.
fn form<G: Generation>(machine: &mut Machine<'_, G>) -> Option<(LispPtr, LispPtr)> {
    let mem = machine.mem;
    let symbols: Option<Vec<_>> = SYMBOLS.iter().map(|name| find_symbol(mem, name)).collect();
    let [
        replace_head,
        replace_tail,
        quote,
        guarded,
        selected,
        stream,
        property,
        process,
        window,
    ] = symbols?[..]
    else {
        return None;
    };
    let cell = machine.cons(LispPtr::NIL, LispPtr::T);
    let mut list = |elements: &[LispPtr]| {
        let last_first = elements.iter().rev();
        last_first.fold(LispPtr::NIL, |rest, &element| machine.cons(element, rest))
    };
    let window = list(&[quote, window]);
    let process = list(&[process]);
    let window = list(&[property, process, window]);
    let stream = list(&[stream, window]);
    let text = list(&[selected, stream]);
    let cell_itself = list(&[quote, cell]);
    let told = list(&[replace_head, cell_itself, text]);
    let told = list(&[guarded, told]);
    let form = list(&[replace_tail, cell_itself, told]);
    machine.add_ref(form);
    Some((form, cell))
}
