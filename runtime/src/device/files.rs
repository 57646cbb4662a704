//! The host's files, as the file services of the machine ask for them.

use std::path::PathBuf;

use super::file_codes::{Access, FileHost, Recognition};
use super::file_error::FileError;

/// Bytes of a file page.
pub const FILE_PAGE_BYTES: usize = 512;

/// The size that Lisp gets for a file that is neither a regular file nor a
/// directory.
pub const SPECIAL_SIZE: i32 = -1;

/// Lisp seconds minus Unix seconds. File dates are Lisp seconds: 32 bits, signed
/// (`reference/subrs.md` section 4).
pub const LISP_EPOCH: i32 = 29_969_152;

/// The result of a file operation.
pub type FileResult<T> = Result<T, FileError>;

/// What Lisp learns when a file opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenedFile {
    /// The number by which Lisp names the open file.
    pub descriptor: u16,
    /// Time of the last change, in Lisp seconds.
    pub write_date: i32,
    /// Length in bytes, at most `i32::MAX`; [`SPECIAL_SIZE`] for a device.
    pub size: i32,
}

/// What the host knows about a file, in Lisp's units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileInfo {
    /// Length in bytes, at most `i32::MAX`.
    pub length: i32,
    /// Time of the last change, in Lisp seconds.
    pub write_date: i32,
    /// Time of the last read, in Lisp seconds.
    pub read_date: i32,
    /// All mode bits, with those that say what the file is.
    pub protection: u32,
    /// The owner's login name, if the owner is a user of this host.
    pub author: Option<Vec<u8>>,
    /// The inode number.
    pub inode: u64,
}

/// A change of one attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileChange {
    /// The time of the last change, in Lisp seconds.
    WriteDate(i32),
    /// The mode bits.
    Protection(u32),
}

/// A list of files that has been made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generated {
    /// The number by which Lisp names the list.
    pub id: u16,
    /// How many files it has, at least one.
    pub count: usize,
}

/// One file of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedFile {
    /// The name in Lisp syntax, without host and directory. Directories end
    /// in `>`.
    pub name: Vec<u8>,
    /// The attributes, if the list was made with them.
    pub info: Option<FileInfo>,
}

/// The devices `{DSK}` and `{UNIX}`: connected directory, open files, lists of
/// files.
///
/// Names come in Lisp syntax, as bytes. *Full* names have a host field,
/// `{DSK}<dir>name.ext;1`; other names come without one (and may have one). Names
/// in answers never have a host field; Lisp adds it. What the operations do to
/// versions is in `reference/devices.md` section 6.
pub trait Files {
    /// The host path of a full name, taken literally: no version, no search for
    /// another case. Images are saved under such names.
    fn host_path(&self, full_name: &[u8]) -> FileResult<PathBuf>;
    /// The true name of the file that `name` means under `recognition`.
    fn get_filename(
        &self,
        host: FileHost,
        name: &[u8],
        recognition: Recognition,
    ) -> FileResult<Vec<u8>>;
    /// The true name of a directory, `<` first and `>` last; the root is `<`.
    fn directory_name(&self, host: FileHost, name: &[u8]) -> FileResult<Vec<u8>>;
    /// Deletes a file.
    fn delete(&self, host: FileHost, name: &[u8]) -> FileResult<()>;
    /// Renames a file within one device. `EXDEV` makes Lisp copy it instead.
    fn rename(&self, host: FileHost, from: &[u8], to: &[u8]) -> FileResult<()>;
    /// Connects to a directory: the meaning of `.` in names.
    fn change_dir(&mut self, full_name: &[u8]) -> FileResult<()>;
    /// The host path of the connected directory.
    fn current_directory(&self) -> FileResult<PathBuf>;

    /// Opens a file.
    fn open(
        &mut self,
        full_name: &[u8],
        recognition: Recognition,
        access: Access,
    ) -> FileResult<OpenedFile>;
    /// Closes a file. A creation date that is not 0 becomes the time of its last
    /// change. The descriptor is free afterwards even if there is an error.
    fn close(&mut self, descriptor: u16, creation_date: Option<i32>) -> FileResult<()>;
    /// Reads a page, or what a device has to read, and fills the rest with zeros;
    /// gives the number of bytes read.
    fn read_page(
        &self,
        descriptor: u16,
        page: u32,
        buffer: &mut [u8; FILE_PAGE_BYTES],
    ) -> FileResult<usize>;
    /// Writes bytes at the start of a page; to a device, just writes them.
    fn write_page(&self, descriptor: u16, page: u32, bytes: &[u8]) -> FileResult<()>;
    /// Gives a regular file this length and waits until the host has it on disk, if
    /// that changes the length.
    fn truncate(&self, descriptor: u16, length: u32) -> FileResult<()>;

    /// The attributes of a file.
    fn get_file_info(&self, full_name: &[u8]) -> FileResult<FileInfo>;
    /// Changes one attribute of a file.
    fn set_file_info(&self, full_name: &[u8], change: FileChange) -> FileResult<()>;
    /// Blocks that may still be filled on the file system of a file's directory, at
    /// most `i32::MAX`.
    fn free_blocks(&self, full_name: &[u8]) -> FileResult<i32>;

    /// Makes the list of the files that match a pattern, with their attributes if
    /// `with_info`. `None` if there are none.
    fn generate(&mut self, full_pattern: &[u8], with_info: bool) -> FileResult<Option<Generated>>;
    /// The next file of a list; `None` after the last one and for a list that there
    /// is not.
    fn next_file(&mut self, id: u16) -> Option<ListedFile>;
    /// Forgets a list; false if there is none with this number.
    fn finish(&mut self, id: u16) -> bool;

    /// Opens a character device by its host name; gives its descriptor.
    fn char_open(&mut self, host_name: &[u8], access: Access) -> FileResult<u16>;
    /// Reads what there is, at most a buffer full, without waiting; gives the number
    /// of bytes, at least 1.
    fn char_read(&self, descriptor: u16, buffer: &mut [u8]) -> FileResult<usize>;
    /// Writes what there is room for, without waiting; gives the number of bytes, at
    /// least 1.
    fn char_write(&self, descriptor: u16, bytes: &[u8]) -> FileResult<usize>;
}
