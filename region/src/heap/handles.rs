//! Handles, and the tables that they are places in.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::rc::Rc;

use super::{Heap, Kind};
use crate::region::{Block, Refusal};
use crate::value::Value;

/// A place for handles, which grows. What is behind those in use is of no meaning, so that a scope
/// ends by forgetting it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handles {
    pub block: Block,
    pub used: u32,
    pub room: u32,
}

/// A handle that lives as long as its scope.
#[derive(Clone, Copy, Debug)]
pub struct Local<'s> {
    pub(super) place: u32,
    pub(super) scope: PhantomData<fn(&'s ()) -> &'s ()>,
}

/// A handle that lives until it is dropped.
#[derive(Debug)]
pub struct Global {
    pub(super) place: u32,
    pub(super) dropped: Rc<RefCell<Vec<u32>>>,
}

impl Drop for Global {
    fn drop(&mut self) {
        self.dropped.borrow_mut().push(self.place);
    }
}

/// Something that holds a block.
pub trait Handle: sealed::Place {}

impl Handle for Local<'_> {}
impl Handle for &Global {}

mod sealed {
    /// Where in the tables of handles: even places are those of scopes.
    pub trait Place: Copy {
        fn place(self) -> u32;
    }

    impl Place for super::Local<'_> {
        fn place(self) -> u32 {
            self.place
        }
    }

    impl Place for &super::Global {
        fn place(self) -> u32 {
            self.place
        }
    }
}

impl Heap<'_> {
    #[inline]
    pub(super) fn block(&self, handle: impl Handle) -> Block {
        let table = self.blocks.tables[(handle.place() & 1) as usize];
        let word = self
            .blocks
            .region
            .word(table.block, handle.place() >> 1 << 2);
        Value::from_bits(word)
            .as_block()
            .expect("handles hold blocks")
    }

    /// Stores a value in a place. No barrier: marking ends with a look at all handles.
    #[inline]
    pub(super) fn set_place(&mut self, place: u32, value: Value) {
        let table = self.blocks.tables[(place & 1) as usize];
        (self.blocks.region).set_word(table.block, place >> 1 << 2, value.bits());
    }

    /// A new place in a table of handles, whatever it holds.
    pub(super) fn push(&mut self, which: usize) -> Result<u32, Refusal> {
        self.make_room(which)?;
        Ok(self.next_place(which))
    }

    /// Makes room for one more handle.
    #[inline]
    pub(super) fn make_room(&mut self, which: usize) -> Result<(), Refusal> {
        let Handles { used, room, .. } = self.blocks.tables[which];
        match used == room {
            true => self.grow_table(which),
            false => Ok(()),
        }
    }

    /// The next place in a table that has room.
    #[inline]
    pub(super) fn next_place(&mut self, which: usize) -> u32 {
        let table = &mut self.blocks.tables[which];
        table.used += 1;
        (table.used - 1) << 1 | which as u32
    }

    /// Makes room for as many handles again.
    #[cold]
    #[inline(never)]
    fn grow_table(&mut self, which: usize) -> Result<(), Refusal> {
        let Handles { used, room, .. } = self.blocks.tables[which];
        let block = self.allocate(Kind::Handles, 8 * room as usize)?;
        // That may have moved the old one.
        let old = self.blocks.tables[which].block;
        for at in (0..4 * used).step_by(4) {
            let word = self.blocks.region.word(old, at);
            self.blocks.region.set_word(block, at, word);
        }
        let room = self.blocks.region.len(block) / 4;
        self.blocks.tables[which] = Handles { block, used, room };
        // All that it refers to was found, or is found with the roots.
        self.tracer.freed(old);
        let _ = self.blocks.region.free(old);
        Ok(())
    }

    pub(super) fn forget_dropped(&mut self) {
        for place in self.dropped.take() {
            self.set_place(place, Value::NOTHING);
            self.free_globals.push(place);
        }
    }
}
