//! The bytes of a region, reached by offsets that are checked: a wrong offset is a
//! panic, never an access elsewhere.

use std::alloc::{GlobalAlloc, Layout, System};
use std::marker::PhantomData;
use std::ptr::NonNull;

/// Alignment of the first byte.
const ALIGNMENT: usize = 16;
/// What the host gives and takes back, or a part of it.
const HOST_PAGE: usize = 4096;

/// A stretch of initialised memory that begins at a multiple of 16.
pub(crate) struct Memory<'b> {
    base: NonNull<u8>,
    bytes: u32,
    /// How it was taken from the host, if it was.
    owned: Option<Layout>,
    buffer: PhantomData<&'b mut [u8]>,
}

// SAFETY: the memory belongs to the value alone: either it is exclusively borrowed or it was
// allocated for it.
unsafe impl Send for Memory<'_> {}

impl<'b> Memory<'b> {
    /// The aligned part of `buffer`.
    pub fn of_buffer(buffer: &'b mut [u8]) -> Self {
        let skip = buffer.as_ptr().align_offset(ALIGNMENT).min(buffer.len());
        let buffer = &mut buffer[skip..];
        Self {
            bytes: u32::try_from(buffer.len()).unwrap_or(u32::MAX),
            base: NonNull::from(buffer).cast(),
            owned: None,
            buffer: PhantomData,
        }
    }

    /// So many bytes from the host, all zero; it commits what is touched. None if it has
    /// not got them.
    pub fn of_host(bytes: u32) -> Option<Memory<'static>> {
        let layout = Layout::from_size_align(bytes.max(1) as usize, ALIGNMENT).ok()?;
        // SAFETY: the size is not zero.
        let base = NonNull::new(unsafe { System.alloc_zeroed(layout) })?;
        Some(Memory {
            base,
            bytes,
            owned: Some(layout),
            buffer: PhantomData,
        })
    }

    /// Where it begins.
    pub fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// Number of bytes.
    pub fn len(&self) -> u32 {
        self.bytes
    }

    #[inline(always)]
    fn at(&self, offset: u32, bytes: u32) -> *mut u8 {
        let end = u64::from(offset) + u64::from(bytes);
        assert!(end <= u64::from(self.bytes), "offset in the region");
        // SAFETY: `bytes` bytes from `offset` on are inside the memory, just tested.
        unsafe { self.base.as_ptr().add(offset as usize) }
    }

    /// Where the byte at `offset` is.
    pub fn address(&self, offset: u32) -> NonNull<u8> {
        // SAFETY: `at` answers an address inside the memory.
        unsafe { NonNull::new_unchecked(self.at(offset, 0)) }
    }

    /// The four bytes at `offset`.
    #[inline(always)]
    pub fn word(&self, offset: u32) -> u32 {
        // SAFETY: `at` answers four readable, initialised bytes.
        unsafe { self.at(offset, 4).cast::<u32>().read_unaligned() }
    }

    /// Stores four bytes at `offset`.
    #[inline(always)]
    pub fn set_word(&mut self, offset: u32, word: u32) {
        // SAFETY: `at` answers four bytes that belong to this value alone.
        unsafe { self.at(offset, 4).cast::<u32>().write_unaligned(word) }
    }

    /// `bytes` bytes from `offset` on.
    pub fn slice(&self, offset: u32, bytes: u32) -> &[u8] {
        // SAFETY: `at` answers that many initialised bytes, borrowed with `self`.
        unsafe { std::slice::from_raw_parts(self.at(offset, bytes), bytes as usize) }
    }

    /// `bytes` bytes from `offset` on, to write.
    pub fn slice_mut(&mut self, offset: u32, bytes: u32) -> &mut [u8] {
        // SAFETY: as in `slice`; `self` is borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.at(offset, bytes), bytes as usize) }
    }

    /// What is between two offsets has no meaning any more: whole pages of the host take no memory
    /// until they are touched again, and are zero then. Only memory of the host.
    pub fn forget(&mut self, from: u32, to: u32) {
        let base = self.base.as_ptr() as usize;
        let [from, to] = [from.min(to), to].map(|offset| base + offset as usize);
        let (from, to) = (from.next_multiple_of(HOST_PAGE), to / HOST_PAGE * HOST_PAGE);
        if self.owned.is_some() && from < to && to <= base + self.bytes as usize {
            forget_pages(from, to - from);
        }
    }

    /// Copies `bytes` bytes; source and target may overlap.
    pub fn copy(&mut self, from: u32, to: u32, bytes: u32) {
        let (from, to) = (self.at(from, bytes), self.at(to, bytes));
        // SAFETY: both are that many bytes of this memory; `copy` allows overlap.
        unsafe { std::ptr::copy(from, to, bytes as usize) }
    }
}

/// Has the host take back `bytes` bytes from the address `from` on.
#[cfg(target_os = "linux")]
fn forget_pages(from: usize, bytes: usize) {
    use rustix::mm::{Advice, madvise};
    let from = std::ptr::with_exposed_provenance_mut(from);
    // SAFETY: whole pages of memory that belongs to one value, which is exclusively borrowed; they
    // are private and of no file, so they stay readable, with zeros.
    let _ = unsafe { madvise(from, bytes, Advice::LinuxDontNeed) };
}

#[cfg(not(target_os = "linux"))]
fn forget_pages(_: usize, _: usize) {}

impl Drop for Memory<'_> {
    fn drop(&mut self) {
        if let Some(layout) = self.owned {
            // SAFETY: allocated with just this layout, and not used after this.
            unsafe { System.dealloc(self.base.as_ptr(), layout) }
        }
    }
}
