//! What the machine asks of the world outside. The program implements these;
//! the machine itself knows no window system and no file system.

mod absent;
mod file_codes;
mod file_error;
mod files;
mod processes;

use std::path::PathBuf;

pub use absent::Absent;
pub use file_codes::{Access, Attribute, FileHost, Recognition};
pub use file_error::FileError;
pub use files::{
    FILE_PAGE_BYTES, FileChange, FileInfo, FileResult, Files, Generated, LISP_EPOCH, ListedFile,
    OpenedFile, SPECIAL_SIZE,
};
pub use processes::{ExitStatus, JobKind, Processes, Transfer};

/// Time, as the machine sees it.
pub trait Clock {
    /// Microseconds since 1970. `instructions` counts executed instructions when
    /// the machine counts them, else it is 0.
    fn unix_micros(&mut self, instructions: u64) -> u64;
    /// Milliseconds of CPU time used so far: user, system.
    fn cpu_millis(&mut self, instructions: u64) -> (u32, u32);
    /// Hours west of Greenwich.
    fn hours_west(&self) -> i32;
    /// True when time passes only as instructions are executed; the machine then
    /// counts them.
    fn counts_instructions(&self) -> bool;
    /// Lisp has nothing to do for so many nanoseconds, less than a second. It may
    /// wait less.
    fn pause(&mut self, _nanoseconds: u32) {}
}

/// The screen and what belongs to it. The picture itself is Lisp memory.
pub trait Display {
    /// Width (a multiple of 32) and height in pixels.
    fn size(&self) -> (u16, u16);
    /// Shows or blanks the screen.
    fn show(&mut self, on: bool);
    /// Exchanges black and white.
    fn invert(&mut self, inverse: bool);
    /// The cursor picture in the I/O page has changed.
    fn cursor_changed(&mut self);
    /// Lisp moved the pointer.
    fn warp_pointer(&mut self, x: u16, y: u16);
    /// Sounds or silences the bell.
    fn beep(&mut self, on: bool, frequency: u32);
    /// Lisp wrote a character to the console.
    fn console(&mut self, character: u8);
}

/// Facts about the host and its user (`reference/subrs.md` section 5). Names and
/// answers are the host's bytes: Lisp converts no characters.
pub trait Environment {
    /// An environment variable.
    fn variable(&self, name: &[u8]) -> Option<Vec<u8>>;
    /// A parameter of UNIX-GETPARM.
    fn parameter(&self, name: &[u8]) -> Option<Vec<u8>>;
    /// The login name.
    fn user_name(&self) -> Option<Vec<u8>>;
    /// The user's full name.
    fn full_name(&self) -> Option<Vec<u8>>;
    /// A number that identifies the host.
    fn host_id(&self) -> u32;
    /// Where an image is saved when Lisp does not say where.
    fn image_path(&self) -> Option<PathBuf>;
}

/// The devices of one machine.
pub struct Devices {
    /// Time.
    pub clock: Box<dyn Clock>,
    /// The screen.
    pub display: Box<dyn Display>,
    /// The host.
    pub environment: Box<dyn Environment>,
    /// The host's files.
    pub files: Box<dyn Files>,
    /// The host's processes.
    pub processes: Box<dyn Processes>,
}

impl Devices {
    /// Devices that answer nothing, for a machine that is not run.
    pub fn absent() -> Self {
        Self {
            clock: Box::new(Absent),
            display: Box::new(Absent),
            environment: Box::new(Absent),
            files: Box::new(Absent),
            processes: Box::new(Absent),
        }
    }
}
