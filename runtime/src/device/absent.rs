//! The world outside when there is none.

use std::path::{Path, PathBuf};

use super::{
    Access, Clock, Display, Environment, ExitStatus, FILE_PAGE_BYTES, FileChange, FileError,
    FileHost, FileInfo, FileResult, Files, Generated, JobKind, ListedFile, OpenedFile, Processes,
    Recognition, Transfer,
};

/// A device that answers nothing.
pub struct Absent;

impl Clock for Absent {
    fn unix_micros(&mut self, instructions: u64) -> u64 {
        instructions
    }
    fn cpu_millis(&mut self, _: u64) -> (u32, u32) {
        (0, 0)
    }
    fn hours_west(&self) -> i32 {
        0
    }
    fn counts_instructions(&self) -> bool {
        false
    }
}

impl Display for Absent {
    fn size(&self) -> (u16, u16) {
        (1024, 768)
    }
    fn show(&mut self, _: bool) {}
    fn invert(&mut self, _: bool) {}
    fn cursor_changed(&mut self) {}
    fn warp_pointer(&mut self, _: u16, _: u16) {}
    fn beep(&mut self, _: bool, _: u32) {}
    fn console(&mut self, _: u8) {}
}

impl Environment for Absent {
    fn variable(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }
    fn parameter(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }
    fn user_name(&self) -> Option<Vec<u8>> {
        None
    }
    fn full_name(&self) -> Option<Vec<u8>> {
        None
    }
    fn host_id(&self) -> u32 {
        0
    }
    fn image_path(&self) -> Option<PathBuf> {
        None
    }
}

impl Files for Absent {
    fn current_directory(&self) -> FileResult<PathBuf> {
        Ok("/".into())
    }
    fn host_path(&self, _: &[u8]) -> FileResult<PathBuf> {
        Err(FileError::NOT_FOUND)
    }
    fn get_filename(&self, _: FileHost, _: &[u8], _: Recognition) -> FileResult<Vec<u8>> {
        Err(FileError::NOT_FOUND)
    }
    fn directory_name(&self, _: FileHost, _: &[u8]) -> FileResult<Vec<u8>> {
        Err(FileError::NOT_FOUND)
    }
    fn delete(&self, _: FileHost, _: &[u8]) -> FileResult<()> {
        Err(FileError::NOT_FOUND)
    }
    fn rename(&self, _: FileHost, _: &[u8], _: &[u8]) -> FileResult<()> {
        Err(FileError::NOT_FOUND)
    }
    fn change_dir(&mut self, _: &[u8]) -> FileResult<()> {
        Err(FileError::NOT_FOUND)
    }
    fn open(&mut self, _: &[u8], _: Recognition, _: Access) -> FileResult<OpenedFile> {
        Err(FileError::NOT_FOUND)
    }
    fn close(&mut self, _: u16, _: Option<i32>) -> FileResult<()> {
        Err(FileError::BAD_DESCRIPTOR)
    }
    fn read_page(&self, _: u16, _: u32, _: &mut [u8; FILE_PAGE_BYTES]) -> FileResult<usize> {
        Err(FileError::BAD_DESCRIPTOR)
    }
    fn write_page(&self, _: u16, _: u32, _: &[u8]) -> FileResult<()> {
        Err(FileError::BAD_DESCRIPTOR)
    }
    fn truncate(&self, _: u16, _: u32) -> FileResult<()> {
        Err(FileError::BAD_DESCRIPTOR)
    }
    fn get_file_info(&self, _: &[u8]) -> FileResult<FileInfo> {
        Err(FileError::NOT_FOUND)
    }
    fn set_file_info(&self, _: &[u8], _: FileChange) -> FileResult<()> {
        Err(FileError::NOT_FOUND)
    }
    fn free_blocks(&self, _: &[u8]) -> FileResult<i32> {
        Err(FileError::NOT_FOUND)
    }
    fn generate(&mut self, _: &[u8], _: bool) -> FileResult<Option<Generated>> {
        Err(FileError::NOT_FOUND)
    }
    fn next_file(&mut self, _: u16) -> Option<ListedFile> {
        None
    }
    fn finish(&mut self, _: u16) -> bool {
        false
    }
    fn char_open(&mut self, _: &[u8], _: Access) -> FileResult<u16> {
        Err(FileError::NOT_FOUND)
    }
    fn char_read(&self, _: u16, _: &mut [u8]) -> FileResult<usize> {
        Err(FileError::BAD_DESCRIPTOR)
    }
    fn char_write(&self, _: u16, _: &[u8]) -> FileResult<usize> {
        Err(FileError::BAD_DESCRIPTOR)
    }
}

impl Processes for Absent {
    fn start(&mut self, _: &[u8], _: &Path) -> Option<u16> {
        None
    }
    fn start_terminal(&mut self, _: &[u8], _: &[u8], _: &Path) -> Option<u16> {
        None
    }
    fn listen(&mut self, _: &[u8]) -> Option<u16> {
        None
    }
    fn accept(&mut self, _: u16) -> Option<Option<u16>> {
        None
    }
    fn kind(&self, _: u16) -> Option<JobKind> {
        None
    }
    fn read(&mut self, _: u16, _: &mut [u8]) -> Transfer {
        Transfer::Ended
    }
    fn write(&mut self, _: u16, _: &[u8]) -> Transfer {
        Transfer::Ended
    }
    fn status(&mut self, _: u16) -> Option<ExitStatus> {
        None
    }
    fn close(&mut self, _: u16) -> Option<ExitStatus> {
        None
    }
    fn close_all(&mut self) {}
    fn resize(&mut self, _: u16, _: u16, _: u16) -> Result<(), i32> {
        Err(0)
    }
}
