//! What is known of list cells, so that a second look at one needs neither its type nor
//! memory.
//!
//! ```text
//! CAR, CDR of an object:   afterwards what its cell contains is known; for NIL that is a
//!                          cell that has NIL for both; 0, and all is asked again, if the
//!                          machine or Lisp was needed
//! a jump on LISTP:         on one way it is known that the object is a list cell, and the result
//! ```
//!
//! What is in a cell is forgotten before everything that has an effect.

use cranelift_codegen::ir::types::I32;
use cranelift_codegen::ir::{InstBuilder, Value};
use cranelift_frontend::Variable;

use super::{Slot, State, Translator};

/// What is known where code is emitted.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// What the cells of objects contain.
    contents: Vec<(Value, Variable)>,
    /// Objects that are list cells.
    lists: Vec<Value>,
    /// Results of LISTP.
    tests: Vec<Test>,
}

/// LISTP of an object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Test {
    /// The object if it is a list cell, else NIL.
    pub result: Value,
    /// 1 if it is one.
    pub holds: Value,
    pub object: Value,
}

impl Known {
    /// Forgets what is in cells.
    pub fn forget_contents(&mut self) {
        self.contents.clear();
    }

    pub fn note_test(&mut self, test: Test) {
        self.tests.push(test);
    }

    /// The test whose result is `value`.
    pub fn test(&self, value: Value) -> Option<Test> {
        self.tests.iter().copied().find(|test| test.result == value)
    }
}

impl State {
    /// Notes that the object of `test` is a list cell. Then it is the result, and known
    /// before the test is done.
    pub(super) fn know_list(&mut self, test: &Test) {
        self.known.lists.push(test.object);
        for cell in &mut self.stack {
            if let Slot::Value(value, _) = &mut cell.slot
                && *value == test.result
            {
                *value = test.object;
            }
        }
    }

    /// True if the values are known to be the same.
    fn is_same(&self, a: Value, b: Value) -> bool {
        let is_read = |value, number| self.reads.contains(&(value, number));
        let both = |&(value, number): &(Value, usize)| value == a && is_read(b, number);
        a == b || self.reads.iter().any(both)
    }
}

impl Translator<'_, '_> {
    /// True if `object` is known to be a list cell.
    pub(super) fn is_known_list(&self, object: Value) -> bool {
        let mut lists = self.state.known.lists.iter();
        lists.any(|&list| self.state.is_same(list, object))
    }

    /// What the cell of `object` contains, or 0, if something is known of it.
    pub(super) fn known_content(&mut self, object: Value) -> Option<Value> {
        let contents = &self.state.known.contents;
        let is_same = |known: &&(Value, Variable)| self.state.is_same(known.0, object);
        let &(_, content) = contents.iter().find(is_same)?;
        Some(self.builder.use_var(content))
    }

    /// Begins to note what the cell of `object` contains.
    pub(super) fn content_of(&mut self, object: Value) -> Variable {
        let content = self.builder.declare_var(I32);
        self.state.known.contents.push((object, content));
        content
    }

    /// In the current block nothing is known of what cells contain.
    pub(super) fn contents_may_differ(&mut self) {
        for (_, content) in self.state.known.contents.clone() {
            let unknown = self.constant(0);
            self.builder.def_var(content, unknown);
        }
    }

    /// What the cell of NIL would contain.
    pub(super) fn content_of_nil(&mut self) -> Value {
        let code = i64::from(self.layout.cdr_nil) << self.layout.cdr_shift;
        self.builder.ins().iconst(I32, i64::from(code as i32))
    }
}
