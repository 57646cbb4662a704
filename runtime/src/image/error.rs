//! What can be wrong with an image file.

use std::io;
use std::path::PathBuf;

use crate::layout::records::interface::VALID_KEY;
use crate::layout::{MIN_MEGABYTES, Release};
use crate::memory::{SpaceError, StackOffset};

/// An image file that cannot be opened: one sentence for people.
#[derive(Debug, thiserror::Error)]
#[error("{} {problem}", path.display())]
pub struct ImageError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with an image file: a sentence without its subject. Offsets
/// count bytes from the start of the file.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum Problem {
    /// The host says no.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// A directory, a device.
    #[error("is {kind}, not an image file")]
    NotAFile { kind: &'static str },
    /// Too short for an interface page.
    #[error(
        "is {length} bytes long, but the shortest image has {minimum} bytes: \
         the interface page is at byte 512"
    )]
    TooShort { length: u64, minimum: u64 },
    /// No image at all, or one whose Lisp was killed while it changed the file.
    #[error(
        "is no valid Medley image: byte {offset} holds {found:#06x}, where an image has the key \
         {VALID_KEY:#06x}"
    )]
    Key { offset: u64, found: u16 },
    /// Truncated, or something was appended.
    #[error(
        "says at byte {offset} that it has {found} pages of 512 bytes, but the file has {expected} \
         ({length} bytes)"
    )]
    PageCount {
        offset: u64,
        found: u32,
        expected: u64,
        length: u64,
    },
    /// Lisp of a generation between the known ones.
    #[error(
        "says at byte {offset} that its Lisp has version {found}, but images with 28-bit pointers \
         must have version {expected} or later"
    )]
    LispVersion {
        offset: u64,
        found: u16,
        expected: u16,
    },
    /// Lisp that needs a later machine.
    #[error(
        "says at byte {offset} that it needs an emulator of version {found}, but this one has \
         version {expected}"
    )]
    EmulatorVersion {
        offset: u64,
        found: u16,
        expected: u16,
    },
    /// More pages than the page table can name.
    #[error(
        "says at byte {offset} that it has {found} pages, but the page table of {} has room for \
         {expected}",
        release.name()
    )]
    TableCapacity {
        offset: u64,
        found: u32,
        expected: u32,
        release: Release,
    },
    /// The page table would be outside the file.
    #[error(
        "says at byte {offset} that its page table starts with file page {found}, but a table that \
         ends inside the file must start with one of the pages 1 to {last}"
    )]
    TableStart { offset: u64, found: u16, last: i64 },
    /// The page table does not name itself.
    #[error(
        "has {found:#x} at byte {offset} of its page table, where the virtual page of the table \
         itself must be: {expected:#x}"
    )]
    TablePage {
        offset: u64,
        found: u32,
        expected: u32,
    },
    /// A page that would lie outside memory.
    #[error(
        "has virtual page {found:#x} at byte {offset} of its page table, but the last page of \
         {megabytes} MB is {expected:#x}"
    )]
    PageOutside {
        offset: u64,
        found: u32,
        expected: u32,
        megabytes: u32,
    },
    /// No interface page in memory.
    #[error(
        "does not have the interface page: no entry of the page table at byte {offset} is \
         {expected:#x}"
    )]
    NoInterfacePage { offset: u64, expected: u32 },
    /// The interface page and its copy at byte 512 disagree.
    #[error(
        "has {found:#x} at byte {offset} in its interface page, but {expected:#x} in the copy of \
         that page, at byte {copy_offset}"
    )]
    InterfaceCopy {
        offset: u64,
        found: u16,
        copy_offset: u64,
        expected: u16,
    },
    /// The frame to resume is on a page that the file does not have.
    #[error(
        "says at byte {offset} that Lisp goes on with the frame at {frame:?}, but has no page of \
         the stack for {missing:?}"
    )]
    NoStackPage {
        offset: u64,
        frame: StackOffset,
        missing: StackOffset,
    },
    /// The frame to resume is no frame.
    #[error(
        "has {found:#06x} at byte {offset}, where the frame at {frame:?}, with which Lisp should \
         go on, must start with the bits 110"
    )]
    NoFrame {
        offset: u64,
        found: u16,
        frame: StackOffset,
    },
    /// The frame to resume has no room behind it.
    #[error(
        "has {found:#06x} at byte {offset}, where a free stack block (0xa000) must follow the \
         frame at {frame:?}, with which Lisp should go on"
    )]
    NoFreeBlock {
        offset: u64,
        found: u16,
        frame: StackOffset,
    },
    /// A memory size asked for that the generation cannot have.
    #[error("cannot have {asked} MB of memory: images of {} have {MIN_MEGABYTES} to {most} MB", release.name())]
    MemorySize {
        asked: u32,
        most: u32,
        release: Release,
    },
    /// A memory size in the image that the generation cannot have.
    #[error(
        "says at byte {offset} that it has {found} MB of memory, but images of {} have \
         {MIN_MEGABYTES} to {most} MB",
        release.name()
    )]
    ImageMemorySize {
        offset: u64,
        found: u32,
        most: u32,
        release: Release,
    },
    /// The memory size cannot change any more.
    #[error(
        "cannot have {asked} MB of memory: its second storage region is in use (byte \
         {state_offset}), so that it must have {found} MB as at the last save (byte {offset})"
    )]
    FixedMemorySize {
        asked: u32,
        offset: u64,
        found: u32,
        state_offset: u64,
    },
    /// The second region is in use, but where it ends is not where memory ends.
    #[error(
        "says at byte {offset} that its last page is {found:#x}, but the last page of {megabytes} \
         MB is {expected:#x}, and the second storage region, which ends there, is in use"
    )]
    FixedLastPage {
        offset: u64,
        found: u32,
        expected: u32,
        megabytes: u32,
    },
    /// Asked to load it as the other generation.
    #[error("is an image of {}, not of {}", found.name(), expected.name())]
    Generation { found: Release, expected: Release },
    /// No address space.
    #[error("cannot be loaded: {0}")]
    Space(#[from] SpaceError),
}
