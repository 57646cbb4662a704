//! The one place where native code is called from Rust, and the way back over its frames.

use std::ops::Range;
use std::ptr;

/// Called with the place of the frame, entry number, and the address of the native code;
/// answers value and status.
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
    /// `target` is native code that the translator made, `place` and `number` are what
    /// it expects, and the context that the code refers to names the machine over the
    /// memory in it, of which no other reference is in use meanwhile.
    pub unsafe fn call(self, place: usize, number: usize, target: usize) -> u64 {
        // SAFETY: promised by the caller.
        unsafe { (self.0)(place, number, target) }
    }
}

/// A host frame of native code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostFrame {
    /// Where the call returns to that it waits in.
    pub place: usize,
    /// Its frame pointer. There is that of its caller, and behind it the place where the
    /// caller waits.
    pub pointer: usize,
}

/// Calls `see` with the host frames of native code, from `innermost` to the one that the entry
/// trampoline called, whose code is at `entry`.
///
/// # Safety
///
/// `innermost` waits now, and so do all that called it, up to the trampoline; code of Cranelift's
/// with frame pointers has made all of their frames.
pub unsafe fn walk(innermost: HostFrame, entry: &Range<usize>, mut see: impl FnMut(HostFrame)) {
    let mut frame = innermost;
    while !entry.contains(&frame.place) {
        see(frame);
        let link = ptr::with_exposed_provenance::<[usize; 2]>(frame.pointer);
        // SAFETY: the frame is one of those that the caller tells of.
        let [pointer, place] = unsafe { link.read() };
        frame = HostFrame { place, pointer };
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn all_frames_up_to_the_entry_are_seen() {
        let entry = 0x100..0x140;
        // Three frames, the innermost first: frame pointer and place of the next one.
        let stack = [const { Cell::new([0, 0]) }; 3];
        let at = stack.as_ptr().expose_provenance();
        let pointer = |frame: usize| at + size_of::<[usize; 2]>() * frame;
        stack[0].set([pointer(1), 0x2020]);
        stack[1].set([pointer(2), 0x3030]);
        stack[2].set([0, 0x120]);
        let mut seen = Vec::new();
        let innermost = HostFrame {
            place: 0x1010,
            pointer: pointer(0),
        };
        // SAFETY: the stack holds such frames.
        unsafe { walk(innermost, &entry, |frame| seen.push(frame)) };
        let expected = [(0x1010, 0), (0x2020, 1), (0x3030, 2)].map(|(place, frame)| HostFrame {
            place,
            pointer: pointer(frame),
        });
        assert_eq!(seen, expected);
    }
}
