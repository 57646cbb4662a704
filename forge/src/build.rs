//! From source texts to an image.

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

fn lines(errors: &[Error]) -> String {
    let lines: Vec<_> = errors.iter().map(Error::to_string).collect();
    lines.join("\n")
}

/// Makes the image of a program: the bytes of the file. Unless `bare`, the built-in
/// Lisp is in front of it, and the image begins with the function MAIN if there is
/// one.
pub fn build(sources: &[Source<'_>], release: Release, bare: bool) -> Result<Vec<u8>, BuildError> {
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
    Ok(link(&definitions, release)?)
}
