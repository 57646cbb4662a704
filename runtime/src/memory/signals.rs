//! The signal of an access to inaccessible memory: what is Lisp memory is told to its
//! guard, all else to whoever handled the signal before.
//!
//! The list of watched memories is all that is global. It is read in the signal, so it
//! has no locks and is never freed: the place of a memory that is gone is used again.

use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};
use std::sync::OnceLock;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicUsize};

use libc::{c_int, c_void, sigaction, siginfo_t};

use super::space::{control_before, guard_before};

/// Inaccessible memory is one or the other, as the host likes.
const SIGNALS: [c_int; 2] = [libc::SIGSEGV, libc::SIGBUS];

/// A watched memory.
struct Watched {
    /// Where it begins; 0 if this place is free.
    base: AtomicUsize,
    /// Its bytes; 0 while the place is being taken.
    bytes: AtomicUsize,
    next: Option<&'static Watched>,
}

static NEWEST: AtomicPtr<Watched> = AtomicPtr::new(ptr::null_mut());

fn all() -> impl Iterator<Item = &'static Watched> {
    // SAFETY: what the list begins with, if anything, was leaked by `watch`.
    let newest = unsafe { NEWEST.load(Acquire).as_ref() };
    std::iter::successors(newest, |watched| watched.next)
}

/// From now on accesses to the `bytes` bytes at `base` are told to the guard there, until
/// they are forgotten. False if the host has no such signals.
///
/// `base` must be that of a reservation, which forgets it before it is gone.
pub(super) fn watch(base: NonNull<u8>, bytes: usize) -> bool {
    static IS_HANDLED: OnceLock<bool> = OnceLock::new();
    if !IS_HANDLED.get_or_init(handle) {
        return false;
    }
    let address = base.as_ptr().expose_provenance();
    if all().any(|watched| watched.base.load(Relaxed) == address) {
        return true;
    }
    for watched in all() {
        let taken = (watched.base).compare_exchange(0, address, AcqRel, Relaxed);
        if taken.is_ok() {
            watched.bytes.store(bytes, Release);
            return true;
        }
    }
    let mut newest = NEWEST.load(Acquire);
    let watched = Box::leak(Box::new(Watched {
        base: AtomicUsize::new(address),
        bytes: AtomicUsize::new(bytes),
        next: None,
    }));
    loop {
        // SAFETY: as in `all`.
        watched.next = unsafe { newest.as_ref() };
        match NEWEST.compare_exchange(newest, watched, AcqRel, Acquire) {
            Ok(_) => return true,
            Err(other) => newest = other,
        }
    }
}

/// The memory at `base` is not watched any more.
pub(super) fn forget(base: usize) {
    for watched in all().filter(|watched| watched.base.load(Relaxed) == base) {
        watched.bytes.store(0, Release);
        watched.base.store(0, Release);
    }
}

/// Who handled the signals before.
static BEFORE: [OnceLock<sigaction>; SIGNALS.len()] = [const { OnceLock::new() }; SIGNALS.len()];

/// Has the signals come here. False if the host does not allow it.
fn handle() -> bool {
    SIGNALS.iter().zip(&BEFORE).all(|(&signal, before)| {
        let mut old = MaybeUninit::uninit();
        // SAFETY: `sigaction` is a plain structure for which zeros are allowed; `old` is
        // written by a call that succeeds. The handler does what is allowed in a signal, and
        // says that it takes three arguments. A signal on the stack that the thread has for
        // signals is what a thread without one ignores.
        unsafe {
            // The one before must be known before it can be needed.
            if libc::sigaction(signal, ptr::null(), old.as_mut_ptr()) != 0 {
                return false;
            }
            let _ = before.set(old.assume_init());
            let mut new: sigaction = std::mem::zeroed();
            new.sa_sigaction = on_signal as *const () as usize;
            new.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            libc::sigaction(signal, &raw const new, ptr::null_mut()) == 0
        }
    })
}

/// Handles the signals.
extern "C" fn on_signal(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: the host calls this with what it says it does; these signals have an address.
    let (address, (stores, host_pc)) = unsafe { ((*info).si_addr() as usize, cause(context)) };
    for watched in all() {
        let base = watched.base.load(Acquire);
        let at = address.wrapping_sub(base);
        if at >= watched.bytes.load(Acquire) {
            continue;
        }
        let Some(start) = NonNull::new(ptr::with_exposed_provenance_mut(base)) else {
            continue;
        };
        // Whoever accesses a memory keeps it from going.
        if guard_before(start).meet(control_before(start), base, at, stores, host_pc) {
            return;
        }
    }
    let place = SIGNALS.iter().position(|&handled| handled == signal);
    let before = place.and_then(|place| BEFORE[place].get());
    // SAFETY: this is what the host would have done without this handler: a handler is
    // called as its flags say; everything else happens when the access is tried again.
    unsafe {
        match before {
            Some(before) if !matches!(before.sa_sigaction, libc::SIG_DFL | libc::SIG_IGN) => {
                if before.sa_flags & libc::SA_SIGINFO != 0 {
                    type Handler = extern "C" fn(c_int, *mut siginfo_t, *mut c_void);
                    let handler = std::mem::transmute::<usize, Handler>(before.sa_sigaction);
                    handler(signal, info, context);
                } else {
                    let handler =
                        std::mem::transmute::<usize, extern "C" fn(c_int)>(before.sa_sigaction);
                    handler(signal);
                }
            }
            _ => {
                libc::signal(signal, libc::SIG_DFL);
            }
        }
    }
}

/// Whether the access that caused a signal is a store, and the instruction's address.
///
/// # Safety
///
/// `context` is that of a signal.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
unsafe fn cause(context: *mut c_void) -> (Option<bool>, usize) {
    /// Bit of the processor's error code.
    const STORES: i64 = 2;
    // SAFETY: the caller's.
    let registers = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs };
    let stores = registers[libc::REG_ERR as usize] & STORES != 0;
    (Some(stores), registers[libc::REG_RIP as usize] as usize)
}

/// On other hosts neither is known.
///
/// # Safety
///
/// None.
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
unsafe fn cause(_: *mut c_void) -> (Option<bool>, usize) {
    (None, 0)
}
