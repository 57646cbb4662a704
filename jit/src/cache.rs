//! Memory for native code, mapped twice: once to write, once to execute, never
//! both at one address.

use std::fs::File;

use memmap2::{Mmap, MmapMut, MmapOptions};
use rustix::fs::{MemfdFlags, ftruncate, memfd_create};

/// Bytes to which functions are aligned.
const ALIGNMENT: usize = 32;

/// The code cache.
pub struct Cache {
    write: MmapMut,
    execute: Mmap,
    used: usize,
}

impl Cache {
    /// A cache of `bytes` bytes, of which only what is used takes memory.
    pub fn new(bytes: usize) -> std::io::Result<Self> {
        let file = memfd_create("geiko-code", MemfdFlags::CLOEXEC)?;
        ftruncate(&file, bytes as u64)?;
        let file = File::from(file);
        // SAFETY: nobody else has the file, so only this cache changes it; it does
        // so through `write`, at places that no running code occupies.
        let (write, execute) = unsafe {
            (
                MmapOptions::new().len(bytes).map_mut(&file)?,
                MmapOptions::new().len(bytes).map_exec(&file)?,
            )
        };
        Ok(Self {
            write,
            execute,
            used: 0,
        })
    }

    /// Copies `code` in; answers its address, `None` if there is no room.
    pub fn publish(&mut self, code: &[u8]) -> Option<usize> {
        let at = self.used.next_multiple_of(ALIGNMENT);
        let end = at.checked_add(code.len())?;
        self.write.get_mut(at..end)?.copy_from_slice(code);
        self.used = end;
        Some(self.execute.as_ptr() as usize + at)
    }

    /// Bytes in use.
    pub fn used(&self) -> usize {
        self.used
    }
}
