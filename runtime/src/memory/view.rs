//! Access to Lisp memory. Every address is masked into the reservation.

use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{Ordering, compiler_fence};

use super::space::{Control, control_before};
use super::{BYTES_PER_PAGE, CodePc, LispPtr, StackOffset};
use crate::interp::Handlers;
use crate::layout::{Generation, STACK};

/// A view of the memory of an [`AddressSpace`](super::AddressSpace).
///
/// Copies are free; all accesses go to the same memory.
pub struct Mem<'m, G> {
    base: NonNull<u8>,
    space: PhantomData<&'m u8>,
    generation: PhantomData<fn() -> G>,
}

impl<G> Clone for Mem<'_, G> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<G> Copy for Mem<'_, G> {}

impl<'m, G: Generation> Mem<'m, G> {
    /// `base` is the base of a reservation of `G` that lives for `'m`.
    pub(super) fn new(base: NonNull<u8>) -> Self {
        Self {
            base,
            space: PhantomData,
            generation: PhantomData,
        }
    }

    /// Host address of the memory.
    pub(super) fn base(self) -> NonNull<u8> {
        self.base
    }

    /// The words shared with other threads.
    #[inline(always)]
    pub fn control(self) -> &'m Control {
        control_before(self.base)
    }

    /// The handler of every instruction. What was accessed before is accessed, so that an
    /// access where nothing is has another table here for the next instruction.
    #[inline(always)]
    pub(crate) fn handlers(self) -> &'static Handlers<G> {
        compiler_fence(Ordering::SeqCst);
        let handlers = self.control().handlers.load(Relaxed);
        // SAFETY: there is always a table, and all that are stored for a memory of `G`, by
        // `set_handlers` and, for the signal, `guard`, are static ones of `G`.
        unsafe { &*handlers.cast::<Handlers<G>>() }
    }

    /// From now on these handle instructions.
    pub(crate) fn set_handlers(self, handlers: &'static Handlers<G>) {
        let handlers = ptr::from_ref(handlers).cast_mut().cast();
        self.control().handlers.store(handlers, Relaxed);
    }

    /// Host address of the memory, for native code.
    pub fn host_address(self) -> usize {
        self.base.as_ptr() as usize
    }

    /// Host address of byte `index` of the memory, masked.
    #[inline(always)]
    fn at(self, index: u32) -> *mut u8 {
        // SAFETY: the masked index is below MEMORY_BYTES, the length of the
        // reservation behind `base`.
        unsafe { self.base.as_ptr().add((index & G::BYTE_MASK) as usize) }
    }

    /// The cell at `address`.
    #[inline(always)]
    pub fn cell(self, address: LispPtr) -> LispPtr {
        // SAFETY: `at` is inside the reservation, which extends at least four
        // bytes behind the last masked address.
        LispPtr(unsafe { self.at(address.0 << 1).cast::<u32>().read_unaligned() })
    }

    /// The cell at `address` and the one behind it.
    #[inline(always)]
    pub fn cell_pair(self, address: LispPtr) -> (LispPtr, LispPtr) {
        // SAFETY: as in `cell`; eight bytes from a masked address end inside the
        // reservation, which goes on for a page behind the Lisp memory.
        let pair = unsafe { self.at(address.0 << 1).cast::<u64>().read_unaligned() };
        (LispPtr(pair as u32), LispPtr((pair >> 32) as u32))
    }

    /// Stores a whole cell.
    #[inline(always)]
    pub fn set_cell(self, address: LispPtr, value: LispPtr) {
        // SAFETY: as in `cell`; the memory is writable and never borrowed.
        unsafe {
            self.at(address.0 << 1)
                .cast::<u32>()
                .write_unaligned(value.0)
        }
    }

    /// Stores NIL in `cells` cells from `address` on.
    #[inline]
    pub fn clear(self, address: LispPtr, cells: u32) {
        let (first, bytes) = (address.0 << 1 & G::BYTE_MASK, 4 * cells as usize);
        if first as usize + bytes <= G::MEMORY_BYTES {
            // SAFETY: as in `set_cell`; that many bytes from there on end inside the memory, just tested.
            unsafe { self.at(first).write_bytes(0, bytes) };
        } else {
            (0..cells).for_each(|cell| self.set_cell(address.add(2 * cell), LispPtr::NIL));
        }
    }

    /// The word at `address`.
    #[inline(always)]
    pub fn word(self, address: LispPtr) -> u16 {
        // SAFETY: as in `cell`.
        unsafe { self.at((address.0 ^ 1) << 1).cast::<u16>().read() }
    }

    /// Stores a word.
    #[inline(always)]
    pub fn set_word(self, address: LispPtr, value: u16) {
        // SAFETY: as in `set_cell`.
        unsafe { self.at((address.0 ^ 1) << 1).cast::<u16>().write(value) }
    }

    /// The byte at byte `offset` from `address`; byte 0 is the high half of the
    /// word at `address`.
    #[inline(always)]
    pub fn byte(self, address: LispPtr, offset: i32) -> u8 {
        self.byte_at((address.0 << 1).wrapping_add_signed(offset))
    }

    /// Stores a byte.
    #[inline(always)]
    pub fn set_byte(self, address: LispPtr, offset: i32, value: u8) {
        let index = (address.0 << 1).wrapping_add_signed(offset) ^ 3;
        // SAFETY: as in `set_cell`.
        unsafe { self.at(index).write(value) }
    }

    #[inline(always)]
    fn byte_at(self, index: u32) -> u8 {
        // SAFETY: as in `cell`.
        unsafe { self.at(index ^ 3).read() }
    }

    /// The code byte `offset` bytes after `pc`.
    #[inline(always)]
    pub fn code(self, pc: CodePc, offset: u32) -> u8 {
        self.byte_at(pc.0.wrapping_add(offset))
    }

    /// The `BYTES` (at most 4) code bytes that start `offset` bytes after `pc`, the
    /// first one the most significant.
    #[inline(always)]
    pub fn code_bytes<const BYTES: u32>(self, pc: CodePc, offset: u32) -> u32 {
        let index = pc.0.wrapping_add(offset);
        // SAFETY: as in `cell`; eight bytes from a masked address end inside the
        // reservation, which goes on for a page behind the Lisp memory.
        let cells = unsafe { self.at(index & !3).cast::<u64>().read_unaligned() };
        let bytes = cells.rotate_left(32) << (8 * (index & 3));
        (bytes >> (64 - 8 * BYTES)) as u32
    }

    /// The symbol or pointer operand that starts `offset` bytes after `pc`.
    #[inline(always)]
    pub fn pointer_operand(self, pc: CodePc, offset: u32) -> LispPtr {
        LispPtr(if G::OPERAND_BYTES == 3 {
            self.code_bytes::<3>(pc, offset)
        } else {
            self.code_bytes::<4>(pc, offset)
        })
    }

    /// Host address of the stack word at `offset` plus `words`.
    #[inline(always)]
    fn stack_at(self, offset: StackOffset, words: u32) -> *mut u8 {
        // SAFETY: a stack offset is at most 0xFFFF words and callers pass at
        // most 0x1_0000 further words; the stack segment starts at word 0x10000
        // and every generation's memory is larger than 0x40000 words.
        unsafe {
            self.base
                .as_ptr()
                .add((STACK.0 as usize + offset.0 as usize) * 2)
                .add(words as usize * 2)
        }
    }

    /// The stack cell at `offset`.
    #[inline(always)]
    pub fn stack(self, offset: StackOffset) -> LispPtr {
        // SAFETY: see `stack_at`.
        LispPtr(unsafe { self.stack_at(offset, 0).cast::<u32>().read_unaligned() })
    }

    /// Stores a stack cell.
    #[inline(always)]
    pub fn set_stack(self, offset: StackOffset, value: LispPtr) {
        // SAFETY: see `stack_at`.
        unsafe {
            self.stack_at(offset, 0)
                .cast::<u32>()
                .write_unaligned(value.0)
        }
    }

    /// Stores the same value in the stack cell at `offset` and the three behind it.
    #[inline(always)]
    pub fn fill_stack(self, offset: StackOffset, value: LispPtr) {
        // SAFETY: see `stack_at`.
        unsafe {
            self.stack_at(offset, 0)
                .cast::<[u32; 4]>()
                .write_unaligned([value.0; 4]);
        }
    }

    /// The cell `slot` cells after the stack offset `base`.
    #[inline(always)]
    pub fn slot(self, base: StackOffset, slot: u8) -> LispPtr {
        let at = self.stack_at(base, slot as u32 * 2);
        // SAFETY: see `stack_at`.
        LispPtr(unsafe { at.cast::<u32>().read_unaligned() })
    }

    /// Stores the cell `slot` cells after the stack offset `base`.
    #[inline(always)]
    pub fn set_slot(self, base: StackOffset, slot: u8, value: LispPtr) {
        let at = self.stack_at(base, slot as u32 * 2);
        // SAFETY: see `stack_at`.
        unsafe { at.cast::<u32>().write_unaligned(value.0) }
    }

    /// The stack word at `offset`.
    #[inline(always)]
    pub fn stack_word(self, offset: StackOffset) -> u16 {
        // SAFETY: see `stack_at`.
        unsafe {
            self.stack_at(StackOffset(offset.0 ^ 1), 0)
                .cast::<u16>()
                .read()
        }
    }

    /// Stores a stack word.
    #[inline(always)]
    pub fn set_stack_word(self, offset: StackOffset, value: u16) {
        // SAFETY: see `stack_at`.
        unsafe {
            self.stack_at(StackOffset(offset.0 ^ 1), 0)
                .cast::<u16>()
                .write(value)
        }
    }

    /// Copies page `page` out, in the big-endian order of image files.
    pub fn read_page(self, page: u32, to: &mut [u8; BYTES_PER_PAGE]) {
        let from = self.page(page);
        for (index, cell) in to.as_chunks_mut().0.iter_mut().enumerate() {
            // SAFETY: see `page`.
            *cell = unsafe { from.add(index).read() }.to_be_bytes();
        }
    }

    /// Copies a page in from the big-endian order of image files.
    pub fn write_page(self, page: u32, from: &[u8; BYTES_PER_PAGE]) {
        let to = self.page(page);
        for (index, cell) in from.as_chunks().0.iter().enumerate() {
            // SAFETY: see `page`; the memory is writable and never borrowed.
            unsafe { to.add(index).write(u32::from_be_bytes(*cell)) };
        }
    }

    /// Host address of the cells of a page, all of which are in the memory, one behind the other: pages
    /// end where what masks addresses ends, or before.
    fn page(self, page: u32) -> *mut u32 {
        self.at(LispPtr::from_page(page).0 << 1).cast()
    }
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod tests;
