//! The compiler: from expanded forms to object code.
//!
//! ```text
//! form ──parse──> tree ──analyse──> tree ──emit──> instructions ──assemble──> Code
//! ```

mod analyse;
mod emit;
pub mod globals;
pub mod lambda_list;
pub mod parse;
pub mod primitives;
#[cfg(test)]
mod tests;
mod tree;

pub use tree::Arity;

use crate::Error;
use crate::code::Code;
use crate::datum::{Place, Symbol};
use crate::expand::Expander;
use globals::Globals;
use parse::{Definition, Parser};

/// A compiled function.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The function itself.
    pub code: Code,
    /// Local functions that became functions of symbols of their own.
    pub local: Vec<(Symbol, Code)>,
}

/// Compiles a function. All that is wrong with it.
pub fn compile(
    definition: &Definition<'_>,
    globals: &mut Globals,
    expander: &mut Expander,
    place: &Place,
    atom_bytes: u32,
) -> Result<Compiled, Vec<Error>> {
    let mut unit = Parser::new(globals, expander, place).definition(definition)?;
    analyse::analyse(&mut unit);
    match emit::compile(&unit, globals, atom_bytes) {
        Ok((code, local)) => Ok(Compiled { code, local }),
        Err(error) => Err(vec![error]),
    }
}
