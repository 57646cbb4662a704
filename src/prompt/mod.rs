//! The line editor of the Lisp prompt.

mod completion;
mod text;

use std::borrow::Cow;
use std::cell::Cell;
use std::io;
use std::path::PathBuf;

use geiko_runtime::image::Names;
use geiko_runtime::layout::Generation;
use geiko_runtime::memory::Mem;
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Editor, Helper};

use text::{Structure, symbol_start};

/// What the top level of Lisp writes when it wants a form. Any other prompt is that
/// of a program, which gets lines as they are.
const TOP_LEVEL_PROMPT: &str = "> ";
/// Lines remembered from session to session.
const HISTORY_LINES: usize = 2000;
/// How a parenthesis is shown that belongs to the one at the cursor.
const BRIGHT: &str = "\x1b[1;34m";
const PLAIN: &str = "\x1b[0m";

/// What somebody did at the prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Typed this.
    Text(String),
    /// Typed control-C.
    Interrupt,
    /// Typed control-D.
    End,
}

/// A line editor with a history.
pub struct LineEditor<'m, G: Generation> {
    editor: Editor<LispHelper<'m, G>, FileHistory>,
    history: Option<PathBuf>,
}

impl<'m, G: Generation> LineEditor<'m, G> {
    /// An editor that completes the symbols of a memory.
    pub fn new(mem: Mem<'m, G>) -> io::Result<Self> {
        let config = Config::builder()
            .max_history_size(HISTORY_LINES)
            .and_then(|config| config.history_ignore_dups(true))
            .map_err(other)?
            .completion_type(CompletionType::List)
            .build();
        let history = FileHistory::with_config(&config);
        let mut editor = Editor::with_history(config, history).map_err(other)?;
        editor.set_helper(Some(LispHelper {
            names: Names::new(mem),
            forms: false,
            done: Cell::new(false),
        }));
        let history = history_file();
        if let Some(path) = &history {
            // There is none in the first session.
            let _ = editor.load_history(path);
        }
        Ok(Self { editor, history })
    }

    /// Lets somebody edit a line behind `prompt`, which the terminal may show
    /// already.
    pub fn read(&mut self, prompt: &str) -> io::Result<Line> {
        let forms = prompt == TOP_LEVEL_PROMPT;
        if let Some(helper) = self.editor.helper_mut() {
            helper.forms = forms;
            // There may be more packages than before.
            helper.names = Names::new(helper.names.mem());
        }
        loop {
            return match self.editor.readline(prompt) {
                Ok(text) => {
                    if forms && !text.trim().is_empty() {
                        self.remember(&text);
                    }
                    Ok(Line::Text(text))
                }
                Err(ReadlineError::Interrupted) if forms => continue,
                Err(ReadlineError::Interrupted) => Ok(Line::Interrupt),
                Err(ReadlineError::Eof) => Ok(Line::End),
                Err(ReadlineError::Io(error)) => Err(error),
                Err(error) => Err(other(error)),
            };
        }
    }

    /// Adds a text to the history, also that of sessions to come.
    fn remember(&mut self, text: &str) {
        let added = self.editor.add_history_entry(text);
        if let (Ok(true), Some(path)) = (added, &self.history) {
            let folder = path.parent().unwrap_or(path);
            // A history that cannot be kept is no reason to stop.
            let _ = std::fs::create_dir_all(folder);
            let _ = self.editor.append_history(path);
        }
    }
}

fn other(error: ReadlineError) -> io::Error {
    io::Error::other(error)
}

/// Where the history is kept: `geiko/history` in the folder for the data of the
/// user's programs.
fn history_file() -> Option<PathBuf> {
    let folder = match std::env::var_os("XDG_DATA_HOME") {
        Some(folder) if !folder.is_empty() => PathBuf::from(folder),
        _ => std::env::home_dir()
            .filter(|home| !home.as_os_str().is_empty())?
            .join(".local/share"),
    };
    Some(folder.join("geiko").join("history"))
}

/// What the editor knows of Lisp.
struct LispHelper<'m, G: Generation> {
    names: Names<'m, G>,
    /// Forms are typed, not just lines.
    forms: bool,
    /// The line stays as it is: nothing is to be shown beside it.
    done: Cell<bool>,
}

impl<G: Generation> Helper for LispHelper<'_, G> {}

impl<G: Generation> Hinter for LispHelper<'_, G> {
    type Hint = String;
}

impl<G: Generation> Completer for LispHelper<'_, G> {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let start = symbol_start(line, at);
        let part = &line[start..at];
        Ok((start, completion::completions(&self.names, part)))
    }
}

impl<G: Generation> Validator for LispHelper<'_, G> {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let unfinished = self.forms && Structure::of(context.input()).is_unfinished();
        Ok(if unfinished {
            ValidationResult::Incomplete
        } else {
            ValidationResult::Valid(None)
        })
    }
}

impl<G: Generation> Highlighter for LispHelper<'_, G> {
    fn highlight<'l>(&self, line: &'l str, at: usize) -> Cow<'l, str> {
        if self.done.get() {
            return Cow::Borrowed(line);
        }
        // The parenthesis under the cursor, else the one in front of it.
        let structure = Structure::of(line);
        let partner = structure
            .partner(at)
            .or_else(|| structure.partner(at.checked_sub(1)?));
        match partner {
            Some(at) => {
                let (before, rest) = line.split_at(at);
                let (bracket, after) = rest.split_at(1);
                Cow::Owned(format!("{before}{BRIGHT}{bracket}{PLAIN}{after}"))
            }
            None => Cow::Borrowed(line),
        }
    }

    fn highlight_char(&self, line: &str, _: usize, kind: CmdKind) -> bool {
        self.done.set(kind == CmdKind::ForcedRefresh);
        line.contains('(')
    }
}
