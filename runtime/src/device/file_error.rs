//! What a file operation reports when it fails: a host error number.

use std::fmt;
use std::io;

/// A failure, as the number that Lisp finds in the error cell of a service.
///
/// Numbers are the host's `errno`, with two of Maiko's own: [`TIMEOUT`] and
/// [`NAME_TOO_LONG`] (`reference/subrs.md` section 1). Lisp raises an error for a
/// few of them (1, 5, 13, 21, 23, 24, 27–30, 60, 62, 66, 100) and turns the others
/// into a quiet NIL, so "this name stands for no file" must be [`NOT_FOUND`] and
/// nothing else.
///
/// The numbers with names here are the same on every Unix.
///
/// [`TIMEOUT`]: FileError::TIMEOUT
/// [`NAME_TOO_LONG`]: FileError::NAME_TOO_LONG
/// [`NOT_FOUND`]: FileError::NOT_FOUND
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileError(i32);

impl FileError {
    /// The name stands for no file of the wanted kind (`ENOENT`).
    pub const NOT_FOUND: Self = Self(2);
    /// A family has more versions than the device handles (`EIO`).
    pub const TOO_MANY_VERSIONS: Self = Self(5);
    /// No such open file (`EBADF`).
    pub const BAD_DESCRIPTOR: Self = Self(9);
    /// An argument makes no sense (`EINVAL`).
    pub const INVALID: Self = Self(22);
    /// `{DSK}` opens regular files only; Lisp reads this as "file won't open"
    /// (`ENFILE`, as in Maiko).
    pub const NOT_REGULAR: Self = Self(23);
    /// There are no more numbers for open files or lists (`EMFILE`).
    pub const TOO_MANY_OPEN: Self = Self(24);
    /// The operation does not exist for this device (`ENOTTY`).
    pub const NO_SUCH_OPERATION: Self = Self(25);
    /// The host did not answer in time.
    pub const TIMEOUT: Self = Self(100);
    /// The name is longer than any host path, or than Lisp has room for.
    pub const NAME_TOO_LONG: Self = Self(200);

    /// The failure with this `errno`.
    #[must_use]
    pub const fn new(errno: i32) -> Self {
        Self(errno)
    }

    /// The number for the error cell.
    #[must_use]
    pub const fn errno(self) -> i32 {
        self.0
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TIMEOUT => f.write_str("the host did not answer in time"),
            Self::NAME_TOO_LONG => f.write_str("the file name is too long"),
            Self(code) => io::Error::from_raw_os_error(code).fmt(f),
        }
    }
}

impl std::error::Error for FileError {}

impl From<io::Error> for FileError {
    /// Errors that the standard library raises itself (a NUL in a name) have
    /// no number of their own and count as [`FileError::INVALID`].
    fn from(error: io::Error) -> Self {
        error.raw_os_error().map_or(Self::INVALID, FileError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_library_errors() {
        let error = std::fs::metadata("/no such file").unwrap_err();
        assert_eq!(FileError::from(error), FileError::NOT_FOUND);
        let error = std::fs::metadata("a\0b").unwrap_err();
        assert_eq!(FileError::from(error), FileError::INVALID);
    }
}
