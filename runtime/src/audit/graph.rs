//! Everything in use in an image as one number, to tell that nothing of it has changed. Where free
//! storage begins and ends is left out: the rings of array blocks, and four symbols.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::arrays::{self, BlockKind, RINGS};
use super::conses::ConsPages;
use super::references::{self, Visitor};
use crate::layout::records::types;
use crate::layout::{DISPLAY, DISPLAY_WORDS, Generation, STACK, SymbolCell};
use crate::memory::{LispPtr, Mem};
use crate::symbols::Symbols;

/// Words of the stack.
const STACK_WORDS: u32 = 0x1_0000;

/// The objects of an image and what they refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Graph {
    /// Objects in use.
    pub objects: u64,
    /// References to and from them.
    pub references: u64,
    /// Of the addresses, contents and references of all objects, of the stack and of the screen.
    pub hash: u64,
}

struct Grapher<'m, G: Generation> {
    mem: Mem<'m, G>,
    graph: Graph,
    hasher: DefaultHasher,
    /// Addresses of cells that are left out.
    left_out: HashSet<u32>,
}

impl Graph {
    /// Walks through an image, as the audit does.
    pub fn of<G: Generation>(mem: Mem<'_, G>, symbols: &Symbols) -> Self {
        let value = |cell| mem.cell(cell).masked::<G>();
        let rings = value(symbols.free_block_buckets);
        let variables = [
            symbols.array_free_list,
            symbols.next_array_page,
            symbols.next_mds_page,
            symbols.mds_free_list_page,
        ];
        // Of the variables, the boxes too that they have in Medley 3.
        let left_out = (0..RINGS).map(|ring| rings.add(2 * ring));
        let left_out = left_out.chain(variables).chain(variables.map(value));
        let mut grapher = Grapher {
            mem,
            graph: Self {
                objects: 0,
                references: 0,
                hash: 0,
            },
            hasher: DefaultHasher::new(),
            left_out: left_out.map(|at| at.0).collect(),
        };
        references::walk(mem, symbols, &mut ConsPages::default(), &mut grapher);
        // Blocks without counts are no objects to the walk, but something to Lisp.
        for (from, to) in arrays::regions(mem, symbols) {
            arrays::walk(mem, from, to, |block| {
                if block.kind != BlockKind::Free {
                    grapher.words(block.header, 2 * block.cells);
                }
            });
        }
        grapher.words(STACK, STACK_WORDS);
        grapher.words(DISPLAY, DISPLAY_WORDS);
        Self {
            hash: grapher.hasher.finish(),
            ..grapher.graph
        }
    }
}

impl<G: Generation> Grapher<'_, G> {
    fn words(&mut self, from: LispPtr, words: u32) {
        for at in (0..words).step_by(2).map(|at| from.add(at)) {
            if !self.left_out.contains(&at.0) {
                self.mem.cell(at).0.hash(&mut self.hasher);
            }
        }
    }
}

impl<G: Generation> Visitor for Grapher<'_, G> {
    fn reference(&mut self, holder: LispPtr, target: LispPtr) {
        self.graph.references += 1;
        if (self.left_out).contains(&G::symbol_cell(holder, SymbolCell::Value).0) {
            return;
        }
        (holder.0, target.0).hash(&mut self.hasher);
    }

    fn debugging_information(&mut self, code: LispPtr, list: LispPtr) {
        self.reference(code, list);
    }

    fn object(&mut self, object: LispPtr, number: u16) {
        self.graph.objects += 1;
        (object.0, number).hash(&mut self.hasher);
        let words = match number {
            // What it holds is all references; blocks are walked through as a whole.
            types::LISTP | types::ARRAY_BLOCK => 0,
            _ => u32::from(self.mem.word(G::dtd(number.into()).add(G::DTD_FIELDS.size))),
        };
        self.words(object, words);
    }

    fn free_object(&mut self, _number: u16) {}

    fn defect(&mut self, _sentence: String) {}
}
