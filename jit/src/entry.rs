//! The one place where native code is called from Rust.

/// Called with frame, entry number, and the address of the native code; answers value
/// and status.
type Trampoline = unsafe extern "C" fn(usize, usize, usize) -> u64;

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
    /// `target` is native code that the translator made, `frame` and `number` are what
    /// it expects, and the context that the code refers to names the machine over the
    /// memory in it, of which no other reference is in use meanwhile.
    pub unsafe fn call(self, frame: usize, number: usize, target: usize) -> u64 {
        // SAFETY: promised by the caller.
        unsafe { (self.0)(frame, number, target) }
    }
}
