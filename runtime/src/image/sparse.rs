//! Files with holes: stretches of zeros that take no room on the disk, where the file system can do
//! that. To whoever reads the file they are zeros like others.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

/// Bytes that are a hole or not: what file systems give at a time.
const BLOCK: usize = 4096;
/// Bytes written at once.
const BUFFER: usize = 64 * BLOCK;

/// Writes a new file from its beginning on, and leaves out blocks of zeros.
pub struct Sparse<'a> {
    file: &'a mut File,
    buffer: Vec<u8>,
    /// Bytes before those in the buffer.
    written: u64,
}

impl<'a> Sparse<'a> {
    /// `file` is empty.
    pub fn new(file: &'a mut File) -> Self {
        Self {
            file,
            buffer: Vec::with_capacity(BUFFER),
            written: 0,
        }
    }

    /// Writes what is in the buffer, and gives the file its length.
    pub fn finish(mut self) -> io::Result<()> {
        self.write_buffer()?;
        // A hole at the end has not made it longer.
        self.file.set_len(self.written)
    }

    fn write_buffer(&mut self) -> io::Result<()> {
        let is_hole = |block: &[u8]| block.iter().all(|&byte| byte == 0);
        let blocks: Vec<_> = self.buffer.chunks(BLOCK).collect();
        for run in blocks.chunk_by(|a, b| is_hole(a) == is_hole(b)) {
            let bytes: usize = run.iter().map(|block| block.len()).sum();
            if !is_hole(run[0]) {
                self.file.seek(SeekFrom::Start(self.written))?;
                for block in run {
                    self.file.write_all(block)?;
                }
            }
            self.written += bytes as u64;
        }
        self.buffer.clear();
        Ok(())
    }
}

impl Write for Sparse<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(BUFFER - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..taken]);
        if self.buffer.len() == BUFFER {
            self.write_buffer()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_are_left_out_and_read_as_zeros() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("holes");
        for end in [0, 1, 511, BLOCK, 3 * BUFFER + 512] {
            let mut content = vec![1; 100];
            content.resize(2 * BUFFER + 17, 0);
            content.resize(2 * BUFFER + BLOCK, 2);
            content.resize(content.len() + end, 0);
            let mut file = File::create(&path).unwrap();
            let mut out = Sparse::new(&mut file);
            for piece in content.chunks(512) {
                out.write_all(piece).unwrap();
            }
            out.finish().unwrap();
            assert!(std::fs::read(&path).unwrap() == content, "{end}");
            #[cfg(target_os = "linux")]
            {
                use std::os::unix::fs::MetadataExt;
                let blocks = std::fs::metadata(&path).unwrap().blocks();
                assert!(512 * blocks <= content.len() as u64, "{end}: {blocks}");
            }
        }
    }
}
