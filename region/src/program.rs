//! The memory of a whole program: Rust's allocator, in one region.
//!
//! A program says so with `#[global_allocator] static MEMORY: ProgramMemory = ProgramMemory;`. Who
//! allocates is told by a tag of the thread. Alignments and sizes that the region is not for are left to
//! the system, as is what the region has no room for, because Rust ends a program whose allocator
//! refuses: who wants to stay within a limit asks [`ProgramMemory::is_short`] in time.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::header::{GRANULE, Tag};
use crate::region::{Block, Region, Usage};

/// Bytes reserved: the largest region there can be.
const RESERVED: u32 = (1 << 28) - GRANULE;
/// Without a limit requests of so many bytes get mappings of their own, which go back to the system.
const LARGE: usize = 1 << 20;
/// The part of the limit from which on memory is short.
const SHORT_PART: u64 = 16;

static REGION: Mutex<Option<Region<'static>>> = Mutex::new(None);
/// Where the region begins, once there is one.
static BASE: AtomicUsize = AtomicUsize::new(0);
static LIMIT: AtomicU64 = AtomicU64::new(u64::MAX);
static PEAK: AtomicU64 = AtomicU64::new(0);
static OUTSIDE: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static TAG: Cell<Tag> = const { Cell::new(Tag::new(0)) };
}

/// An allocator for programs.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProgramMemory;

impl ProgramMemory {
    /// From now on what this thread allocates is accounted for under `tag`.
    pub fn account_to(tag: Tag) {
        TAG.set(tag);
    }

    /// The region should not hold more than this.
    pub fn set_limit(bytes: u64) {
        LIMIT.store(bytes, Relaxed);
    }

    /// A sixteenth of the limit, or less, is left.
    pub fn is_short() -> bool {
        let limit = LIMIT.load(Relaxed);
        Self::used() > limit - limit / SHORT_PART
    }

    /// Bytes in use in the region.
    pub fn used() -> u64 {
        lock().as_ref().map_or(0, used)
    }

    /// The most there were.
    pub fn peak() -> u64 {
        PEAK.load(Relaxed)
    }

    /// Bytes outside the region.
    pub fn outside() -> u64 {
        OUTSIDE.load(Relaxed)
    }

    /// What the blocks of `tag` take.
    pub fn usage(tag: Tag) -> Usage {
        lock()
            .as_ref()
            .map_or(Usage::default(), |region| region.usage(tag))
    }
}

fn used(region: &Region<'_>) -> u64 {
    region.size() - region.free_bytes()
}

fn lock() -> MutexGuard<'static, Option<Region<'static>>> {
    // The region is sound between any two statements of its own.
    REGION.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The block at an address, if it is one of the region.
fn block_at(address: *mut u8) -> Option<Block> {
    let base = BASE.load(Relaxed);
    let offset = (address as usize).checked_sub(base)?;
    (base != 0 && offset < RESERVED as usize).then(|| Block::at(offset as u32))
}

fn is_for_region(layout: Layout) -> bool {
    let is_limited = LIMIT.load(Relaxed) != u64::MAX;
    layout.align() <= GRANULE as usize && (layout.size() < LARGE || is_limited)
}

/// A block of the region, unless it has no room or the limit is reached.
fn allocate(bytes: usize) -> Option<NonNull<u8>> {
    let mut lock = lock();
    if lock.is_none() {
        let region = Region::reserve(RESERVED).ok()?;
        BASE.store(region.base().as_ptr() as usize, Relaxed);
        *lock = Some(region);
    }
    let region = lock.as_mut()?;
    if used(region) + bytes as u64 > LIMIT.load(Relaxed) {
        return None;
    }
    let tag = TAG.try_with(Cell::get).unwrap_or(Tag::new(0));
    let block = region.allocate(tag, bytes).ok()?;
    PEAK.fetch_max(used(region), Relaxed);
    Some(region.address(block))
}

// SAFETY: what is answered is a block of the region, which is not moved or dropped while the
// program runs, or comes from the system; its address tells which. Blocks lie at multiples of
// 16, and no block is given twice.
unsafe impl GlobalAlloc for ProgramMemory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_for_region(layout)
            && let Some(address) = allocate(layout.size())
        {
            return address.as_ptr();
        }
        OUTSIDE.fetch_add(layout.size() as u64, Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // The system has zeros that take no memory until they are touched.
        if layout.size() < LARGE
            && is_for_region(layout)
            && let Some(address) = allocate(layout.size())
        {
            // SAFETY: the block has as many bytes.
            unsafe { address.write_bytes(0, layout.size()) };
            return address.as_ptr();
        }
        OUTSIDE.fetch_add(layout.size() as u64, Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, address: *mut u8, layout: Layout) {
        if let Some(block) = block_at(address) {
            if let Some(region) = lock().as_mut() {
                let freed = region.free(block);
                debug_assert!(freed.is_ok());
            }
            return;
        }
        OUTSIDE.fetch_sub(layout.size() as u64, Relaxed);
        // SAFETY: it is not of the region, so the system has allocated it.
        unsafe { System.dealloc(address, layout) }
    }

    unsafe fn realloc(&self, address: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller has said that `size` is a size for this alignment.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        let block = block_at(address);
        if let Some(block) = block
            && is_for_region(wanted)
        {
            let mut lock = lock();
            let resized = lock.as_mut().and_then(|region| {
                let more = size.saturating_sub(layout.size()) as u64;
                if more > 0 && used(region) + more > LIMIT.load(Relaxed) {
                    return None;
                }
                let block = region.resize(block, size).ok()?;
                PEAK.fetch_max(used(region), Relaxed);
                Some(region.address(block))
            });
            if let Some(address) = resized {
                return address.as_ptr();
            }
        } else if block.is_none() && !is_for_region(wanted) {
            OUTSIDE.fetch_add(size as u64, Relaxed);
            OUTSIDE.fetch_sub(layout.size() as u64, Relaxed);
            // SAFETY: it is not of the region, so the system has allocated it.
            return unsafe { System.realloc(address, layout, size) };
        }
        // SAFETY: the old block and the new one are different and have that many bytes.
        unsafe {
            let new = self.alloc(wanted);
            if !new.is_null() {
                address.copy_to_nonoverlapping(new, size.min(layout.size()));
                self.dealloc(address, layout);
            }
            new
        }
    }
}
