//! Memory in a file, whose pages several machines share until they write to them.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use memmap2::MmapOptions;

use super::space::{BACK, FRONT, Reservation, SpaceError};
use super::{AddressSpace, BYTES_PER_PAGE, LispPtr};
use crate::layout::Generation;

impl<G: Generation> AddressSpace<G> {
    const FILE_BYTES: usize = FRONT + G::MEMORY_BYTES + BACK;

    /// Writes these pages to an empty file, in the host's byte order and each where it is in the
    /// reservation. The rest of the file takes no room.
    pub fn write_pages(&self, pages: impl Iterator<Item = u32>, file: &File) -> io::Result<()> {
        file.set_len(Self::FILE_BYTES as u64)?;
        let mut bytes = [0; BYTES_PER_PAGE];
        for page in pages {
            let first = LispPtr::from_page(page).masked::<G>();
            for (index, cell) in bytes.chunks_exact_mut(4).enumerate() {
                let value = self.view().cell(first.add(2 * index as u32));
                cell.copy_from_slice(&value.0.to_ne_bytes());
            }
            file.write_all_at(&bytes, FRONT as u64 + 2 * u64::from(first.0))?;
        }
        Ok(())
    }

    /// The memory that [`write_pages`](Self::write_pages) wrote to `file`. Nobody must change the
    /// file from then on; what is written to the memory does not change it.
    pub fn share(file: &File) -> Result<Self, SpaceError> {
        let bytes = Self::FILE_BYTES;
        let error = |source| SpaceError { bytes, source };
        if file.metadata().map_err(error)?.len() != bytes as u64 {
            return Err(error(io::ErrorKind::InvalidData.into()));
        }
        // SAFETY: the mapping is private, and by the contract above the file stays as it is;
        // what it holds is plain numbers, any of which are allowed in Lisp memory.
        let map = unsafe {
            MmapOptions::new()
                .len(bytes)
                .no_reserve_swap()
                .map_copy(file)
        };
        Ok(Self::new(Reservation {
            map: map.map_err(error)?,
        }))
    }
}
