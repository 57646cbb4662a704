//! The one place where native code is called from Rust.

/// Called with Lisp memory, frame or place of a frame, link or entry number, and
/// the address of the native code; answers value and status.
type Trampoline = unsafe extern "C" fn(usize, usize, usize, usize) -> u64;

/// A door to native code.
#[derive(Clone, Copy)]
pub struct Entry(Trampoline);

impl Entry {
    /// # Safety
    ///
    /// At `address` lies the entry trampoline, for as long as this lives.
    pub unsafe fn new(address: usize) -> Self {
        // SAFETY: the caller promises that code of this type lies there.
        Self(unsafe { std::mem::transmute::<usize, Trampoline>(address) })
    }

    /// Runs native code.
    ///
    /// # Safety
    ///
    /// `target` is native code that the translator made for the memory at
    /// `base`, `frame` and `number` are what it expects, and the context that
    /// the code refers to names the machine over that memory, of which no other
    /// reference is in use meanwhile.
    pub unsafe fn call(self, base: usize, frame: usize, number: usize, target: usize) -> u64 {
        // SAFETY: promised by the caller.
        unsafe { (self.0)(base, frame, number, target) }
    }
}
