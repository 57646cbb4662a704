//! Pages where nothing is.
//!
//! They are made inaccessible, so that no access has to be checked: one that goes where
//! nothing is ends in a signal. That opens the page, which reads as zeros, notes the
//! access, and has the interpreter take another table of handlers for its next
//! instruction and native code leave at its next poll. Whoever comes there first knows
//! which instruction it was ([`Strayed`]), and closes the page again. What was stored there
//! stays, and is no part of a saved image.
//!
//! The host's pages are larger than Lisp's: a page of the host is open if anything is
//! in it. An access may begin in the last bytes of an open page and end in the next, as
//! when code at its end is fetched; what begins a page behind an open one is therefore
//! opened for good, silently.

use std::ops::Range;
use std::ptr;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize};

use rustix::mm::{MprotectFlags, mprotect};

use super::space::{AttentionReason, Control, FRONT, guard_before};
use super::{BYTES_PER_PAGE, LispPtr, Mem, signals};
use crate::interp::Handlers;
use crate::layout::{Generation, Medley3};

/// The smallest pages of a host.
const LEAST_PAGE: usize = 4096;
/// The most pages that a memory can have.
const MOST_PAGES: usize = Medley3::MEMORY_BYTES / LEAST_PAGE;
/// Accesses that are remembered until somebody looks at them.
const MOST_STRAYS: usize = 64;
/// Added to the number of accesses when the machine itself wants to know which instruction
/// is executed.
const WANTED: u32 = 1 << 31;

/// An access to an address where nothing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strayed {
    /// The cell.
    pub address: LispPtr,
    /// Whether something was stored there, if the host tells.
    pub stores: Option<bool>,
    /// Address of the machine instruction, 0 if the host does not tell.
    pub host_pc: usize,
}

/// What the signal notes.
#[derive(Debug, Default)]
struct Note {
    /// Bytes from the start of memory.
    at: AtomicU32,
    /// 1 for a load, 2 for a store.
    kind: AtomicU32,
    host_pc: AtomicUsize,
}

/// Which pages of the host are open for good, and what was met in others. It lies in front
/// of Lisp memory, where it is zero at first.
#[repr(C)]
pub(super) struct Guard {
    /// Bytes of a page of the host; 0 while all of memory is accessible.
    page_bytes: AtomicU32,
    /// The table that the interpreter takes after such an access.
    handlers: AtomicPtr<()>,
    notes: [Note; MOST_STRAYS],
    open: [AtomicU64; MOST_PAGES / 64],
}

impl Guard {
    fn is_open(&self, page: usize) -> bool {
        let word = self.open.get(page / 64);
        word.is_none_or(|word| word.load(Relaxed) & 1 << (page % 64) != 0)
    }

    fn open(&self, page: usize) {
        if let Some(word) = self.open.get(page / 64) {
            word.fetch_or(1 << (page % 64), Relaxed);
        }
    }

    fn open_pages(&self) -> impl Iterator<Item = usize> {
        let words = self.open.iter().map(|word| word.load(Relaxed));
        let busy = words.enumerate().filter(|&(_, word)| word != 0);
        busy.flat_map(|(i, word)| {
            (0..64)
                .filter(move |bit| word & 1 << bit != 0)
                .map(move |bit| i * 64 + bit)
        })
    }

    /// Something accessed the byte `at` of memory, which is inaccessible. True if that is
    /// possible from now on.
    ///
    /// Called in a signal: it uses nothing but this block, the control block, and one call
    /// of the system.
    pub(super) fn meet(
        &self,
        control: &Control,
        base: usize,
        at: usize,
        stores: Option<bool>,
        host_pc: usize,
    ) -> bool {
        let page_bytes = self.page_bytes.load(Relaxed) as usize;
        if page_bytes == 0 || self.is_open(at / page_bytes) {
            return false;
        }
        let page = at / page_bytes;
        if !protect(base, page_bytes, page..page + 1, true) {
            return false;
        }
        if at.is_multiple_of(page_bytes) && page > 0 && self.is_open(page - 1) {
            return true;
        }
        let number = control.strays.fetch_add(1, Relaxed) & !WANTED;
        if let Some(note) = self.notes.get(number as usize) {
            note.at.store(at as u32, Relaxed);
            note.kind
                .store(stores.map_or(0, |stores| 1 + u32::from(stores)), Relaxed);
            note.host_pc.store(host_pc, Relaxed);
        }
        control.handlers.store(self.handlers.load(Relaxed), Relaxed);
        control.raise(AttentionReason::Machine);
        true
    }
}

/// Makes pages of the host, counted from `base`, accessible or not. False if the host
/// cannot.
fn protect(base: usize, page_bytes: usize, pages: Range<usize>, accessible: bool) -> bool {
    let flags = if accessible {
        MprotectFlags::READ | MprotectFlags::WRITE
    } else {
        MprotectFlags::empty()
    };
    let start = ptr::with_exposed_provenance_mut(base + pages.start * page_bytes);
    // SAFETY: the pages lie in Lisp memory, which is only accessed through raw pointers; an
    // access to one that is not accessible makes it so, in `Guard::meet`.
    unsafe { mprotect(start, pages.len() * page_bytes, flags) }.is_ok()
}

impl<'m, G: Generation> Mem<'m, G> {
    fn guard(self) -> &'m Guard {
        guard_before(self.base())
    }

    /// From now on accesses to pages where nothing is are noticed: to all but `pages` of
    /// Lisp. The interpreter's next instruction is then handled by `handlers`.
    ///
    /// False if the host has no such thing.
    pub(crate) fn watch_pages(
        self,
        pages: impl Iterator<Item = u32>,
        handlers: &'static Handlers<G>,
    ) -> bool {
        let page_bytes = rustix::param::page_size();
        if !(LEAST_PAGE..=FRONT).contains(&page_bytes)
            || !signals::watch(self.base(), G::MEMORY_BYTES)
        {
            return false;
        }
        let guard = self.guard();
        for page in pages {
            guard.open(page as usize * BYTES_PER_PAGE / page_bytes);
        }
        let handlers = ptr::from_ref(handlers).cast_mut().cast();
        guard.handlers.store(handlers, Relaxed);
        guard.page_bytes.store(page_bytes as u32, Relaxed);
        self.close_pages();
        true
    }

    /// False if nothing is at `address`, and an access would be noticed.
    #[inline]
    pub(crate) fn is_there(self, address: LispPtr) -> bool {
        let guard = self.guard();
        match guard.page_bytes.load(Relaxed) {
            0 => true,
            bytes => {
                let at = 2 * address.masked::<G>().0 as usize;
                guard.is_open(at >> bytes.trailing_zeros())
            }
        }
    }

    /// Something is on this page from now on.
    pub(crate) fn open_page(self, page: u32) {
        let guard = self.guard();
        let page_bytes = guard.page_bytes.load(Relaxed) as usize;
        if page_bytes == 0 {
            return;
        }
        let page = page as usize * BYTES_PER_PAGE / page_bytes;
        if !guard.is_open(page) && protect(self.host_address(), page_bytes, page..page + 1, true) {
            guard.open(page);
        }
    }

    /// Has `handlers` handle the interpreter's next instruction, as after a stray access.
    pub(crate) fn want_instruction(self, handlers: &'static Handlers<G>) {
        self.control().strays.fetch_or(WANTED, Relaxed);
        self.set_handlers(handlers);
    }

    /// True if somebody accessed an address where nothing is since the last look, or the
    /// machine wants to know which instruction is executed.
    #[inline(always)]
    pub(crate) fn has_strayed(self) -> bool {
        self.control().strays.load(Relaxed) != 0
    }

    /// What was accessed where nothing is, up to a number: an instruction that goes to more
    /// pages does not need them told. They stay open until [`close_strays`](Self::close_strays).
    pub(crate) fn strays(self) -> Vec<Strayed> {
        let count = self.control().strays.load(Relaxed) & !WANTED;
        let notes = self.guard().notes.iter().take(count as usize);
        notes
            .map(|note| Strayed {
                address: LispPtr(note.at.load(Relaxed) / 4 * 2),
                stores: match note.kind.load(Relaxed) {
                    0 => None,
                    kind => Some(kind == 2),
                },
                host_pc: note.host_pc.load(Relaxed),
            })
            .collect()
    }

    /// Forgets what was accessed where nothing is; it is inaccessible again.
    pub(crate) fn close_strays(self) {
        let count = (self.control().strays.swap(0, Relaxed) & !WANTED) as usize;
        let guard = self.guard();
        let page_bytes = guard.page_bytes.load(Relaxed) as usize;
        let Some(notes) = guard.notes.get(..count) else {
            return self.close_pages();
        };
        for note in notes {
            let page = note.at.load(Relaxed) as usize / page_bytes;
            if !guard.is_open(page) {
                protect(self.host_address(), page_bytes, page..page + 1, false);
            }
        }
    }

    /// Makes all pages inaccessible that are not open.
    fn close_pages(self) {
        let guard = self.guard();
        let page_bytes = guard.page_bytes.load(Relaxed) as usize;
        let end = G::MEMORY_BYTES / page_bytes;
        let mut closed = 0;
        for open in guard.open_pages().chain([end]) {
            if closed < open {
                protect(self.host_address(), page_bytes, closed..open, false);
            }
            closed = open + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;
    use std::thread;

    use super::*;
    use crate::layout::Medley2;
    use crate::memory::AddressSpace;

    /// Lisp pages of which something is there.
    const THERE: Range<u32> = 0x4000..0x4100;
    /// Words of a page of the host.
    const PAGE: u32 = 2048;

    fn watched<G: Generation>() -> AddressSpace<G> {
        let space = AddressSpace::<G>::reserve().expect("address space");
        space.view().set_cell(LispPtr(0x70_0000), LispPtr(5));
        assert!(space.view().watch_pages(THERE, crate::interp::handlers()));
        space
    }

    fn met<G: Generation>(mem: Mem<'_, G>) -> Vec<(u32, Option<bool>)> {
        let met = mem
            .strays()
            .iter()
            .map(|s| (s.address.0, s.stores))
            .collect();
        mem.close_strays();
        assert!(!mem.has_strayed());
        met
    }

    fn each_access_is_noticed_once_a_look<G: Generation>() {
        let space = watched::<G>();
        let mem = space.view();
        let (load, store) = if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            (Some(false), Some(true))
        } else {
            (None, None)
        };
        mem.set_cell(LispPtr::from_page(THERE.start), LispPtr(7));
        assert!(!mem.has_strayed(), "something is there");
        assert_eq!(mem.cell(LispPtr(0x60_0010)), LispPtr(0));
        assert_eq!(mem.cell(LispPtr(0x60_0020)), LispPtr(0));
        assert_eq!(met(mem), [(0x60_0010, load)], "a page is noticed once");
        for _ in 0..2 {
            mem.set_cell(LispPtr(0x60_0020), LispPtr(9));
            assert_eq!(met(mem), [(0x60_0020, store)]);
        }
        assert_eq!(mem.cell(LispPtr(0x60_0020)), LispPtr(9), "it stays");
        assert_eq!(
            mem.cell(LispPtr(0x70_0000)),
            LispPtr(5),
            "as what was there before"
        );
        assert_eq!(met(mem).len(), 2);
        mem.open_page(LispPtr(0x60_0020).page());
        mem.set_cell(LispPtr(0x60_0030), LispPtr(9));
        assert!(!mem.has_strayed(), "now it is there");
    }

    #[test]
    fn an_access_is_noticed_each_time() {
        each_access_is_noticed_once_a_look::<Medley2>();
        each_access_is_noticed_once_a_look::<Medley3>();
    }

    #[test]
    fn more_than_can_be_remembered_are_inaccessible_again_too() {
        let space = watched::<Medley3>();
        let mem = space.view();
        for _ in 0..2 {
            for page in 0..2 * MOST_STRAYS as u32 {
                black_box(mem.cell(LispPtr(0x100_0010 + page * PAGE)));
            }
            assert_eq!(met(mem).len(), MOST_STRAYS);
        }
    }

    #[test]
    fn the_end_of_an_access_may_lie_where_nothing_is() {
        let space = watched::<Medley3>();
        let mem = space.view();
        let end = LispPtr::from_page(THERE.end);
        black_box(mem.code_bytes::<2>(super::super::CodePc(2 * end.0 - 2), 0));
        assert!(!mem.has_strayed());
        black_box(mem.cell(end.add(PAGE)));
        assert_eq!(met(mem).len(), 1, "but not all of it");
    }

    #[test]
    fn memories_do_not_disturb_each_other() {
        let work = || {
            for _ in 0..50 {
                let space = watched::<Medley2>();
                let mem = space.view();
                for page in 0..20 {
                    let at = LispPtr(0x60_0010 + page * PAGE);
                    black_box(mem.cell(at));
                    assert_eq!(met(mem).first().map(|(at, _)| *at), Some(at.0));
                }
            }
        };
        let threads: Vec<_> = (0..4).map(|_| thread::spawn(work)).collect();
        for thread in threads {
            thread.join().expect("it ends well");
        }
    }
}
