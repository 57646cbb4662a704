//! The memory of a whole program: Rust's allocator, in one region.
//!
//! A program says so with `#[global_allocator] static MEMORY: ProgramMemory = ProgramMemory;`. Whom
//! memory is for is told by a tag of the thread, and it stays on that account until it is freed, whoever
//! frees it or makes it larger. Alignments and sizes that the region is not for are left to
//! the system, as is what the region has no room for, because Rust ends a program whose allocator
//! refuses: who wants to stay within a limit asks [`ProgramMemory::is_short`] and
//! [`ProgramMemory::room`] in time. What comes from the system has a granule in front that says
//! whose it is.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::header::{GRANULE, Tag};
use crate::region::{Block, Region, Usage};

/// Bytes reserved: the largest region there can be.
const RESERVED: u32 = (1 << 28) - GRANULE;
/// Without a limit requests of so many bytes get mappings of their own, which go back to the system.
const LARGE: usize = 1 << 20;
/// The part of the limit from which on memory is short.
const SHORT_PART: u64 = 10;

static BOOKS: Mutex<Books> = Mutex::new(Books {
    region: None,
    outside: [Usage {
        blocks: 0,
        bytes: 0,
    }; Tag::COUNT],
    peak: 0,
    beyond: 0,
    most_beyond: 0,
});
/// Where the region begins, once there is one.
static BASE: AtomicUsize = AtomicUsize::new(0);
static LIMIT: AtomicU64 = AtomicU64::new(u64::MAX);

/// What there is, and whose it is.
struct Books {
    region: Option<Region<'static>>,
    /// What comes from the system.
    outside: [Usage; Tag::COUNT],
    /// Most bytes there were in the region.
    peak: u64,
    /// What comes from the system because of the limit, and the most that was.
    beyond: u64,
    most_beyond: u64,
}

/// In front of what comes from the system.
#[derive(Clone, Copy)]
struct Front {
    tag: Tag,
    /// The region would have been for it, but for the limit.
    is_beyond: bool,
}

thread_local! {
    static TAG: Cell<Tag> = const { Cell::new(Tag::new(0)) };
}

/// While this lives, what the thread allocates is on an account of its own.
#[derive(Debug)]
#[must_use = "the account is closed when this is dropped"]
pub struct Account {
    before: Tag,
    /// It belongs to the thread.
    thread: PhantomData<*const ()>,
}

impl Drop for Account {
    fn drop(&mut self) {
        TAG.set(self.before);
    }
}

/// An allocator for programs.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProgramMemory;

impl ProgramMemory {
    /// What this thread allocates is accounted for under `tag` until the answer is dropped.
    pub fn account_to(tag: Tag) -> Account {
        Account {
            before: TAG.replace(tag),
            thread: PhantomData,
        }
    }

    /// The region should not hold more than this.
    pub fn set_limit(bytes: u64) {
        LIMIT.store(bytes, Relaxed);
    }

    /// What was said so, if it was.
    pub fn limit() -> Option<u64> {
        let limit = LIMIT.load(Relaxed);
        (limit != u64::MAX).then_some(limit)
    }

    /// A tenth of the limit, or less, is left.
    pub fn is_short() -> bool {
        Self::room() == 0
    }

    /// Bytes that can be taken before memory is short.
    pub fn room() -> u64 {
        let limit = LIMIT.load(Relaxed);
        (limit - limit / SHORT_PART).saturating_sub(Self::used())
    }

    /// Bytes in use in the region.
    pub fn used() -> u64 {
        lock().region.as_ref().map_or(0, Region::used_bytes)
    }

    /// The most there were.
    pub fn peak() -> u64 {
        lock().peak
    }

    /// Gives what is free in the region back to the host, until it is used again. For times when there is
    /// little to do.
    pub fn forget_contents_of_free() {
        if let Some(region) = &mut lock().region {
            region.forget_contents_of_free();
        }
    }

    /// Bytes outside the region.
    pub fn outside() -> u64 {
        lock().outside.iter().map(|usage| usage.bytes).sum()
    }

    /// Bytes outside the region because of the limit, and the most there were.
    pub fn beyond() -> (u64, u64) {
        let books = lock();
        (books.beyond, books.most_beyond)
    }

    /// What is on each account, by number of its tag, all at one moment, in the region and outside. The
    /// sum is that of [`ProgramMemory::used`] and [`ProgramMemory::outside`].
    pub fn usage() -> [Usage; Tag::COUNT] {
        let books = lock();
        let mut all = books.outside;
        if let Some(region) = &books.region {
            for (number, usage) in all.iter_mut().enumerate() {
                let inside = region.usage(Tag::new(number as u8));
                usage.blocks += inside.blocks;
                usage.bytes += inside.bytes;
            }
        }
        all
    }
}

impl Books {
    /// A block of the region, unless it has no room or the limit is reached.
    fn allocate(&mut self, tag: Tag, bytes: usize) -> Option<NonNull<u8>> {
        if self.region.is_none() {
            let region = Region::reserve(RESERVED).ok()?;
            BASE.store(region.base().as_ptr() as usize, Relaxed);
            self.region = Some(region);
        }
        let region = self.region.as_mut()?;
        if region.used_bytes() + bytes as u64 > LIMIT.load(Relaxed) {
            return None;
        }
        let block = region.allocate(tag, bytes).ok()?;
        self.peak = self.peak.max(region.used_bytes());
        Some(region.address(block))
    }

    /// A block of the region, longer or shorter.
    fn resize(&mut self, block: Block, (old, new): (usize, usize)) -> Option<NonNull<u8>> {
        let region = self.region.as_mut()?;
        let more = new.saturating_sub(old) as u64;
        if more > 0 && region.used_bytes() + more > LIMIT.load(Relaxed) {
            return None;
        }
        let block = region.resize(block, new).ok()?;
        self.peak = self.peak.max(region.used_bytes());
        Some(region.address(block))
    }

    /// Notes that the system has given so much.
    fn add(&mut self, front: Front, bytes: usize) {
        let usage = &mut self.outside[usize::from(front.tag.number())];
        usage.blocks += 1;
        usage.bytes += bytes as u64;
        if front.is_beyond {
            self.beyond += bytes as u64;
            self.most_beyond = self.most_beyond.max(self.beyond);
        }
    }

    /// Notes that the system gets so much back.
    fn subtract(&mut self, front: Front, bytes: usize) {
        let usage = &mut self.outside[usize::from(front.tag.number())];
        usage.blocks -= 1;
        usage.bytes -= bytes as u64;
        if front.is_beyond {
            self.beyond -= bytes as u64;
        }
    }
}

fn lock() -> MutexGuard<'static, Books> {
    // They are sound between any two statements of their own.
    BOOKS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whose what the thread allocates is.
fn current_tag() -> Tag {
    TAG.try_with(Cell::get).unwrap_or(Tag::new(0))
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

/// What the system is asked for, and how many bytes of it are in front.
fn with_front(layout: Layout) -> Option<(Layout, usize)> {
    let front = layout.align().max(GRANULE as usize);
    let bytes = layout.size().checked_add(front)?;
    let layout = Layout::from_size_align(bytes, front).ok()?;
    Some((layout, front))
}

/// What is in front of `address`.
///
/// # Safety
///
/// [`from_system`] answered `address`, and it was not given back.
unsafe fn front_of(address: *mut u8) -> Front {
    // SAFETY: a granule in front of it, at least, belongs to it.
    let [number, is_beyond] = unsafe { address.sub(GRANULE as usize).cast::<[u8; 2]>().read() };
    Front {
        tag: Tag::new(number),
        is_beyond: is_beyond != 0,
    }
}

/// Memory from the system, for `tag`; null if it has none.
fn from_system(layout: Layout, tag: Tag, zeroed: bool) -> *mut u8 {
    let Some((whole, front)) = with_front(layout) else {
        return ptr::null_mut();
    };
    // SAFETY: the size is not zero, as there is something in front.
    let start = unsafe {
        match zeroed {
            true => System.alloc_zeroed(whole),
            false => System.alloc(whole),
        }
    };
    if start.is_null() {
        return start;
    }
    let is_beyond = is_for_region(layout) && !zeroed;
    lock().add(Front { tag, is_beyond }, whole.size());
    // SAFETY: there are `front` bytes before what is answered, a granule at least.
    unsafe {
        let address = start.add(front);
        let place = address.sub(GRANULE as usize).cast::<[u8; 2]>();
        place.write([tag.number(), is_beyond.into()]);
        address
    }
}

/// Memory for `tag`.
fn allocate(layout: Layout, tag: Tag) -> *mut u8 {
    if is_for_region(layout)
        && let Some(address) = lock().allocate(tag, layout.size())
    {
        return address.as_ptr();
    }
    from_system(layout, tag, false)
}

// SAFETY: what is answered is a block of the region, which is not moved or dropped while the
// program runs, or comes from the system; its address tells which. Blocks lie at multiples of
// 16, and no block is given twice.
unsafe impl GlobalAlloc for ProgramMemory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        allocate(layout, current_tag())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // The system has zeros that take no memory until they are touched.
        if layout.size() >= LARGE {
            return from_system(layout, current_tag(), true);
        }
        let address = allocate(layout, current_tag());
        if !address.is_null() {
            // SAFETY: there are as many bytes.
            unsafe { address.write_bytes(0, layout.size()) };
        }
        address
    }

    unsafe fn dealloc(&self, address: *mut u8, layout: Layout) {
        if let Some(block) = block_at(address) {
            if let Some(region) = &mut lock().region {
                let freed = region.free(block);
                debug_assert!(freed.is_ok());
            }
            return;
        }
        if let Some((whole, front)) = with_front(layout) {
            // SAFETY: it is not of the region, so the system has allocated it, with as
            // much in front.
            unsafe {
                lock().subtract(front_of(address), whole.size());
                System.dealloc(address.sub(front), whole);
            }
        }
    }

    unsafe fn realloc(&self, address: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller has said that `size` is a size for this alignment.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        let tag = if let Some(block) = block_at(address) {
            let mut books = lock();
            if is_for_region(wanted)
                && let Some(address) = books.resize(block, (layout.size(), size))
            {
                return address.as_ptr();
            }
            (books.region.as_ref()).map_or(Tag::new(0), |region| region.tag(block))
        } else {
            // SAFETY: it is not of the region, so the system has allocated it.
            let front = unsafe { front_of(address) };
            if !is_for_region(wanted)
                && let Some((old, before)) = with_front(layout)
                && let Some((new, _)) = with_front(wanted)
            {
                // SAFETY: as above; what is in front is as long before and after.
                unsafe {
                    let start = System.realloc(address.sub(before), old, new.size());
                    if start.is_null() {
                        return start;
                    }
                    let mut books = lock();
                    books.subtract(front, old.size());
                    books.add(front, new.size());
                    return start.add(before);
                }
            }
            front.tag
        };
        // SAFETY: the old block and the new one are different and have that many bytes.
        unsafe {
            let new = allocate(wanted, tag);
            if !new.is_null() {
                address.copy_to_nonoverlapping(new, size.min(layout.size()));
                self.dealloc(address, layout);
            }
            new
        }
    }
}
