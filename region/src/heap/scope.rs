//! Scopes: handles that go in the reverse of the order in which they came.

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use super::{Handle, Heap, Kind, Local};
use crate::region::Refusal;
use crate::value::Value;

/// A stretch of a program: what is allocated in it is held until its end, however that
/// comes.
pub struct Scope<'h, 'b, 's> {
    heap: &'h mut Heap<'b>,
    /// Handles there were before.
    used: u32,
    brand: PhantomData<fn(&'s ()) -> &'s ()>,
}

impl<'h, 'b, 's> Scope<'h, 'b, 's> {
    #[inline]
    pub(super) fn new(heap: &'h mut Heap<'b>) -> Self {
        Self {
            used: heap.blocks.tables[0].used,
            heap,
            brand: PhantomData,
        }
    }

    /// A new block of `bytes` bytes, all zero.
    pub fn bytes(&mut self, bytes: usize) -> Result<Local<'s>, Refusal> {
        self.make(Kind::Bytes, bytes)
    }

    /// A new block of so many words, all the integer 0. It may have a few more.
    pub fn values(&mut self, slots: usize) -> Result<Local<'s>, Refusal> {
        self.make(Kind::Values, slots.saturating_mul(4))
    }

    /// A new weak reference to the block of `handle`.
    pub fn weak(&mut self, handle: impl Handle) -> Result<Local<'s>, Refusal> {
        let weak = self.make(Kind::Weak, 4)?;
        self.set_block(weak, 0, handle);
        Ok(weak)
    }

    /// A new block of `bytes` bytes behind `number`, which is told when it is freed.
    pub fn resource(&mut self, number: u32, bytes: usize) -> Result<Local<'s>, Refusal> {
        let made = self.make(Kind::Resource, bytes.saturating_add(4))?;
        let block = self.block(made);
        self.heap.blocks.region.set_word(block, 0, number);
        Ok(made)
    }

    /// A handle for the block that a slot refers to, if it does.
    #[inline]
    pub fn take(&mut self, handle: impl Handle, slot: u32) -> Result<Option<Local<'s>>, Refusal> {
        // That may move the block.
        self.heap.make_room(0)?;
        let value = self.heap.get(handle, slot).filter(|value| value.is_block());
        Ok(value.map(|value| {
            let place = self.heap.next_place(0);
            self.heap.set_place(place, value);
            Local {
                place,
                scope: PhantomData,
            }
        }))
    }

    fn make(&mut self, kind: Kind, bytes: usize) -> Result<Local<'s>, Refusal> {
        let place = self.heap.push(0)?;
        self.heap.set_place(place, Value::NOTHING);
        let block = self.heap.allocate(kind, bytes)?;
        self.heap.set_place(place, Value::block(block));
        Ok(Local {
            place,
            scope: PhantomData,
        })
    }
}

impl<'b> Deref for Scope<'_, 'b, '_> {
    type Target = Heap<'b>;

    #[inline]
    fn deref(&self) -> &Heap<'b> {
        self.heap
    }
}

impl<'b> DerefMut for Scope<'_, 'b, '_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Heap<'b> {
        self.heap
    }
}

impl Drop for Scope<'_, '_, '_> {
    #[inline]
    fn drop(&mut self) {
        self.heap.blocks.tables[0].used = self.used;
    }
}
