//! The reservation: one anonymous mapping that covers every address a Lisp
//! pointer can have, with a control block in front of it.
//!
//! Nothing is committed until it is touched, and pages where nothing is can be made
//! inaccessible (`guard.rs`). The control block holds the words
//! that other threads may write (the stack limit doubles as the interrupt flag),
//! so that a poll in the interpreter is one compare with memory near the base.

use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use memmap2::{MmapMut, MmapOptions};

use super::guard::Guard;
use super::{Mem, signals};
use crate::layout::Generation;

/// Bytes in front of the Lisp memory, a multiple of the host's pages: the guard is their
/// first part, the control block their last.
pub(super) const FRONT: usize = 1 << 16;
const _: () = assert!(size_of::<Guard>() + size_of::<Control>() <= FRONT);
/// Bytes behind the Lisp memory, so that a cell read at the last odd word ends
/// inside the mapping.
pub(super) const BACK: usize = 4096;

/// The reservation failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot reserve {bytes} bytes of address space: {source}")]
pub struct SpaceError {
    /// Size asked for.
    pub bytes: usize,
    /// What the host said.
    #[source]
    pub source: std::io::Error,
}

/// Words shared between the machine and the threads that want its attention.
#[repr(C, align(64))]
#[derive(Debug, Default)]
pub struct Control {
    /// Stack offset that the stack pointer must not exceed at a poll; 0 makes
    /// every poll succeed.
    pub limit: AtomicU32,
    /// Stack offset just past the running frame's free space; 0 while attention
    /// is wanted.
    pub end: AtomicU32,
    /// Why attention is wanted: [`AttentionReason`] bits.
    pub reasons: AtomicU32,
    /// Instructions until the next tick of a clock that counts them; 0 if there is no
    /// such clock. Only the machine's own thread uses it.
    pub left: AtomicU32,
    /// Counts of references, less the least that is plain, below this are changed in line;
    /// 0 while the backup collector watches counting (`gc/backup/`), as the next two.
    pub plain_counts: AtomicU32,
    /// Countdowns, less 2, below this are counted down in line.
    pub plain_down: AtomicU32,
    /// Countdowns below this are counted up in line.
    pub plain_up: AtomicU32,
    /// Segments, from that of the stack on, of which the machine wants to know what is
    /// written without counting.
    pub told_segments: AtomicU32,
    /// The handlers of instructions: a table of the generation.
    pub(super) handlers: AtomicPtr<()>,
    /// Accesses where nothing is that nobody has looked at.
    pub(super) strays: AtomicU32,
}

/// Who wants the machine's attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum AttentionReason {
    /// The host: a clock tick or an event from outside. Leaves the interpreter.
    Host = 1,
    /// The machine itself: the allocation countdown or a pending interrupt.
    Machine = 2,
}

impl Control {
    /// Makes the next poll succeed.
    pub fn raise(&self, reason: AttentionReason) {
        self.reasons.fetch_or(reason as u32, Ordering::Release);
        self.end.store(0, Ordering::Release);
        self.limit.store(0, Ordering::Release);
    }

    /// Makes all words those of `other`.
    pub fn copy(&self, other: &Self) {
        for (to, from) in [
            (&self.limit, &other.limit),
            (&self.end, &other.end),
            (&self.reasons, &other.reasons),
            (&self.left, &other.left),
            (&self.plain_counts, &other.plain_counts),
            (&self.plain_down, &other.plain_down),
            (&self.plain_up, &other.plain_up),
            (&self.told_segments, &other.told_segments),
        ] {
            to.store(from.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }

    /// True when attention is wanted.
    #[inline(always)]
    pub fn is_raised(&self) -> bool {
        self.reasons.load(Ordering::Relaxed) != 0
    }

    /// Has all counting, and all stores that count nothing, take their slow ways, or not.
    pub fn watch_counting<G: Generation>(&self, all: bool) {
        for (limit, plain) in [
            (&self.plain_counts, G::COUNT_MAX - 3),
            (&self.plain_down, 0xFFFE),
            (&self.plain_up, 0xFFFF),
        ] {
            limit.store(if all { 0 } else { plain }, Ordering::Relaxed);
        }
        let told = if all { u32::MAX } else { 1 };
        self.told_segments.store(told, Ordering::Relaxed);
    }

    /// True while all counting takes its slow way.
    #[inline(always)]
    pub fn counting_is_watched(&self) -> bool {
        self.plain_counts.load(Ordering::Relaxed) == 0
    }

    /// Takes the reasons, leaving none.
    pub fn take(&self) -> u32 {
        self.reasons.swap(0, Ordering::AcqRel)
    }
}

/// The mapping itself. Only the guard and the control block can be reached through it, so
/// it may be shared between threads.
pub(super) struct Reservation {
    pub map: MmapMut,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        signals::forget(self.base().as_ptr() as usize);
    }
}

impl Reservation {
    fn base(&self) -> NonNull<u8> {
        // SAFETY: the mapping is longer than FRONT bytes.
        unsafe { NonNull::new_unchecked(self.map.as_ptr().cast_mut().add(FRONT)) }
    }

    fn control(&self) -> &Control {
        control_before(self.base())
    }
}

/// The guard in front of the memory at `base`.
///
/// `base` must come from [`Reservation::base`].
#[inline(always)]
pub(super) fn guard_before<'m>(base: NonNull<u8>) -> &'m Guard {
    // SAFETY: as in `control_before`; the guard is the first part of those FRONT bytes.
    unsafe { &*base.as_ptr().sub(FRONT).cast::<Guard>() }
}

/// The control block in front of the memory at `base`.
///
/// `base` must come from [`Reservation::base`].
#[inline(always)]
pub(super) fn control_before<'m>(base: NonNull<u8>) -> &'m Control {
    // SAFETY: FRONT bytes before `base` belong to the reservation; the block is
    // aligned (FRONT and the mapping are page multiples), zero-initialised,
    // made of atomics, and overlaps no Lisp memory.
    unsafe { &*base.as_ptr().sub(size_of::<Control>()).cast::<Control>() }
}

/// A handle with which any thread can interrupt the machine.
#[derive(Clone)]
pub struct Attention(Arc<Reservation>);

impl Attention {
    /// Makes the machine leave the interpreter at its next poll.
    pub fn raise(&self) {
        self.0.control().raise(AttentionReason::Host);
    }

    /// True when attention is wanted.
    pub fn is_raised(&self) -> bool {
        self.0.control().is_raised()
    }
}

impl std::fmt::Debug for Attention {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.control().fmt(f)
    }
}

/// The memory of one Lisp machine.
pub struct AddressSpace<G: Generation> {
    reservation: Arc<Reservation>,
    /// Views of the memory are for one thread.
    not_sync: PhantomData<(*mut u8, G)>,
}

impl<G: Generation> AddressSpace<G> {
    /// Reserves the whole address space of the generation, all zero.
    pub fn reserve() -> Result<Self, SpaceError> {
        let bytes = FRONT + G::MEMORY_BYTES + BACK;
        let map = MmapOptions::new()
            .len(bytes)
            .no_reserve_swap()
            .map_anon()
            .map_err(|source| SpaceError { bytes, source })?;
        Ok(Self::new(Reservation { map }))
    }

    pub(super) fn new(reservation: Reservation) -> Self {
        reservation.control().watch_counting::<G>(false);
        Mem::<G>::new(reservation.base()).set_handlers(crate::interp::handlers());
        Self {
            reservation: Arc::new(reservation),
            not_sync: PhantomData,
        }
    }

    /// Access to the memory.
    pub fn view(&self) -> Mem<'_, G> {
        Mem::new(self.reservation.base())
    }

    /// A handle with which other threads can interrupt the machine.
    pub fn attention(&self) -> Attention {
        Attention(Arc::clone(&self.reservation))
    }
}
