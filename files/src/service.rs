//! [`HostFiles`] as what the machine knows of files.

use std::path::PathBuf;

use geiko_runtime::device::{
    Access, FILE_PAGE_BYTES, FileChange, FileHost, FileInfo, Files, Generated, ListedFile,
    OpenedFile, Recognition,
};

use crate::device::HostFiles;
use crate::error::Result;

/// Each operation is the method of the same name.
impl Files for HostFiles {
    fn host_path(&self, full_name: &[u8]) -> Result<PathBuf> {
        self.host_path(full_name)
    }

    fn get_filename(
        &self,
        host: FileHost,
        name: &[u8],
        recognition: Recognition,
    ) -> Result<Vec<u8>> {
        self.get_filename(host, name, recognition)
    }

    fn directory_name(&self, host: FileHost, name: &[u8]) -> Result<Vec<u8>> {
        self.directory_name(host, name)
    }

    fn delete(&self, host: FileHost, name: &[u8]) -> Result<()> {
        self.delete(host, name)
    }

    fn rename(&self, host: FileHost, from: &[u8], to: &[u8]) -> Result<()> {
        self.rename(host, from, to)
    }

    fn change_dir(&mut self, full_name: &[u8]) -> Result<()> {
        self.change_dir(full_name)
    }

    fn current_directory(&self) -> Result<PathBuf> {
        self.current_directory()
    }

    fn open(
        &mut self,
        full_name: &[u8],
        recognition: Recognition,
        access: Access,
    ) -> Result<OpenedFile> {
        self.open(full_name, recognition, access)
    }

    fn close(&mut self, descriptor: u16, creation_date: Option<i32>) -> Result<()> {
        self.close(descriptor, creation_date)
    }

    fn read_page(
        &self,
        descriptor: u16,
        page: u32,
        buffer: &mut [u8; FILE_PAGE_BYTES],
    ) -> Result<usize> {
        self.read_page(descriptor, page, buffer)
    }

    fn write_page(&self, descriptor: u16, page: u32, bytes: &[u8]) -> Result<()> {
        self.write_page(descriptor, page, bytes)
    }

    fn truncate(&self, descriptor: u16, length: u32) -> Result<()> {
        self.truncate(descriptor, length)
    }

    fn get_file_info(&self, full_name: &[u8]) -> Result<FileInfo> {
        self.get_file_info(full_name)
    }

    fn set_file_info(&self, full_name: &[u8], change: FileChange) -> Result<()> {
        self.set_file_info(full_name, change)
    }

    fn free_blocks(&self, full_name: &[u8]) -> Result<i32> {
        self.free_blocks(full_name)
    }

    fn generate(&mut self, full_pattern: &[u8], with_info: bool) -> Result<Option<Generated>> {
        self.generate(full_pattern, with_info)
    }

    fn next_file(&mut self, id: u16) -> Option<ListedFile> {
        self.next_file(id)
    }

    fn finish(&mut self, id: u16) -> bool {
        self.finish(id)
    }

    fn char_open(&mut self, host_name: &[u8], access: Access) -> Result<u16> {
        self.char_open(host_name, access)
    }

    fn char_read(&self, descriptor: u16, buffer: &mut [u8]) -> Result<usize> {
        self.char_read(descriptor, buffer)
    }

    fn char_write(&self, descriptor: u16, bytes: &[u8]) -> Result<usize> {
        self.char_write(descriptor, bytes)
    }
}
