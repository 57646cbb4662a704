//! From source texts to an image.

use std::thread;

use geiko_runtime::layout::Release;

use crate::code::Definition;
use crate::datum::{Datum, Package, Symbol};
use crate::link::{LinkError, link};
use crate::source::BUILTIN;
use crate::{Error, Source, program};

/// The function that is the program, if there is one.
const MAIN: &str = "MAIN";
/// The variable of the built-in Lisp that names it.
const MAIN_VARIABLE: &str = "*MAIN*";

/// Why there is no image.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum BuildError {
    /// What is wrong with the program, in the order of the source texts.
    #[error("{}", lines(.0))]
    Program(Vec<Error>),
    /// It cannot be put into an image.
    #[error(transparent)]
    Link(#[from] LinkError),
}

impl BuildError {
    /// Whether it tells where in the source texts something is wrong.
    pub fn has_place(&self) -> bool {
        match self {
            Self::Program(_) => true,
            Self::Link(error) => error.place.is_some(),
        }
    }
}

fn lines(errors: &[Error]) -> String {
    let lines: Vec<_> = errors.iter().map(Error::to_string).collect();
    lines.join("\n")
}

/// Stack for the compiler: forms inside of forms need some.
const STACK_BYTES: usize = 256 << 20;

/// Makes the image of a program: the bytes of the file. Unless `bare`, the built-in
/// Lisp is in front of it, and the image begins with the function MAIN if there is
/// one.
pub fn build(sources: &[Source<'_>], release: Release, bare: bool) -> Result<Vec<u8>, BuildError> {
    let (bytes, ()) = build_seen(sources, release, bare, |_| ())?;
    Ok(bytes)
}

/// The same; `see` is shown what is going to be linked.
pub fn build_seen<T: Send>(
    sources: &[Source<'_>],
    release: Release,
    bare: bool,
    see: impl FnOnce(&[Definition]) -> T + Send,
) -> Result<(Vec<u8>, T), BuildError> {
    with_stack(|| {
        let definitions = definitions(sources, release, bare)?;
        let seen = see(&definitions);
        Ok((link(&definitions, release)?, seen))
    })
}

/// Does something with enough stack for all programs.
///
/// # Panics
/// If the system cannot start a thread.
pub(crate) fn with_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let thread = thread_with_stack().spawn_scoped(scope, work);
        let thread = thread.expect("a thread starts");
        thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// A thread with enough stack for all programs.
pub(crate) fn thread_with_stack() -> thread::Builder {
    thread::Builder::new().stack_size(STACK_BYTES)
}

fn definitions(
    sources: &[Source<'_>],
    release: Release,
    bare: bool,
) -> Result<Vec<Definition>, BuildError> {
    let builtin = if bare { &[] } else { BUILTIN };
    let sources = [builtin, sources].concat();
    let mut definitions = program::definitions(&sources, release).map_err(BuildError::Program)?;
    let main = Symbol::lisp(MAIN);
    let has_main = definitions
        .iter()
        .any(|definition| matches!(definition, Definition::Function(name, _) if *name == main));
    if has_main && !bare {
        let variable = Symbol::new(Package::System, MAIN_VARIABLE);
        definitions.push(Definition::Value(variable, Datum::Symbol(main)));
    }
    Ok(definitions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{RELEASES, run_sources};

    /// What the library must do, in Lisp; an error ends it with status 1.
    #[test]
    fn the_library_does_what_it_should() {
        let tests = Source {
            name: "tests.lisp",
            text: include_str!("../lisp/tests.lisp"),
        };
        let end = Source {
            name: "end",
            text: "(defun main () (si:quit (if (and (> *checks* 500) (= *failures* 0)) 9 1)))",
        };
        for release in RELEASES {
            let (_, status) = run_sources(&[tests, end], release);
            assert_eq!(status, 9, "{release:?}");
        }
    }

    /// A program of ten thousand lines.
    fn long_program() -> String {
        const GROUP: &str = r#"
(defstruct record-@ name (count 0) (next nil))
(defvar *table-@* nil)

(defun lookup-@ (key &optional (default nil default-p))
  (let ((entry (assoc key *table-@*)))
    (cond (entry (cdr entry))
          (default-p default)
          (t (error "There is no ~S in ~S." key @)))))

(defun store-@ (key name &key (count 0) next)
  (let ((record (make-record-@ :name name :count count :next next)))
    (push (cons key record) *table-@*)
    (incf (record-@-count record))
    record))

(defun walk-@ (tree function)
  (labels ((visit (node depth)
             (when (consp node)
               (funcall function (car node) depth)
               (dolist (child (cdr node))
                 (visit child (1+ depth))))))
    (visit tree 0)))

(defun use-@ (key)
  (do ((i 0 (1+ i)) (result nil (cons (* i i) result)))
      ((>= i (record-@-count (lookup-@ key))) (nreverse result))
    (case (rem i 4)
      (0 (push 'zero result))
      ((1 2) (push "one or two" result))
      (otherwise (catch 'done (throw 'done i))))))
"#;
        let groups = 10_000_usize.div_ceil(GROUP.lines().count());
        (0..groups)
            .map(|number| GROUP.replace('@', &number.to_string()))
            .collect()
    }

    #[test]
    fn images_are_the_same_each_time_and_made_in_no_time() {
        let text = long_program();
        let program = Source {
            name: "long.lisp",
            text: &text,
        };
        for release in RELEASES {
            let started = std::time::Instant::now();
            let first = build(&[program], release, false).unwrap();
            let taken = started.elapsed();
            assert!(
                cfg!(debug_assertions) || taken.as_secs() < 2,
                "{release:?}: {taken:?}"
            );
            assert!(first == build(&[program], release, false).unwrap());
        }
    }
}
