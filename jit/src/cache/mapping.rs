//! Memory that is mapped twice.
//!
//! It has no name where that is possible: perf reads the names of functions in nameless
//! memory from its map, and those in memory with a name from the file of that name, which
//! is none.

use std::ffi::c_void;
use std::io;
use std::ptr;

use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use rustix::mm::{
    MapFlags, MprotectFlags, MremapFlags, ProtFlags, mmap, mmap_anonymous, mprotect, mremap, munmap,
};

/// A mapping of memory; it ends with this.
pub struct Mapping {
    at: *mut c_void,
    bytes: usize,
}

impl Mapping {
    /// `bytes` bytes of memory: to be written at one place, to be executed at another.
    pub fn twice(bytes: usize) -> io::Result<(Self, Self)> {
        // Valgrind maps nothing a second time that has no name.
        Self::twice_without_name(bytes).or_else(|_| Self::twice_with_name(bytes))
    }

    fn twice_without_name(bytes: usize) -> io::Result<(Self, Self)> {
        let flags = MapFlags::SHARED | MapFlags::NORESERVE;
        // SAFETY: the kernel chooses a place where nothing is.
        let at = unsafe { mmap_anonymous(ptr::null_mut(), bytes, WRITE, flags)? };
        let write = Self { at, bytes };
        // SAFETY: nothing of the mapping moves, as it is said to have no bytes; the
        // kernel chooses a place where nothing is for all of its memory.
        let at = unsafe { mremap(write.at, 0, bytes, MremapFlags::MAYMOVE)? };
        let execute = Self { at, bytes };
        // SAFETY: nobody uses this mapping yet.
        unsafe { mprotect(at, bytes, MprotectFlags::READ | MprotectFlags::EXEC)? };
        Ok((write, execute))
    }

    fn twice_with_name(bytes: usize) -> io::Result<(Self, Self)> {
        let file = memfd_create("geiko-code", MemfdFlags::CLOEXEC)?;
        ftruncate(&file, bytes as u64)?;
        let map = |protection| {
            // SAFETY: the kernel chooses a place where nothing is. Nobody else has the
            // file.
            let at = unsafe {
                mmap(
                    ptr::null_mut(),
                    bytes,
                    protection,
                    MapFlags::SHARED,
                    &file,
                    0,
                )?
            };
            Ok::<_, io::Error>(Self { at, bytes })
        };
        Ok((map(WRITE)?, map(ProtFlags::READ | ProtFlags::EXEC)?))
    }

    /// Where it is.
    pub fn address(&self) -> usize {
        self.at as usize
    }

    /// How large it is.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Writes `bytes` from the byte `at` on. The mapping must be one to be written.
    pub fn write(&mut self, at: usize, bytes: &[u8]) {
        assert!(at + bytes.len() <= self.bytes, "there is no such room");
        // SAFETY: there is room; there are no references to this memory, and no code runs in
        // a place that is written.
        unsafe {
            ptr::copy_nonoverlapping(bytes.as_ptr(), self.at.cast::<u8>().add(at), bytes.len())
        };
    }
}

/// To be written.
const WRITE: ProtFlags = ProtFlags::READ.union(ProtFlags::WRITE);

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: nobody uses it any more. If it stays, that is only a pity.
        let _ = unsafe { munmap(self.at, self.bytes) };
    }
}
