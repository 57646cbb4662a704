//! Failures of the host as [`FileError`]s.

pub use geiko_runtime::device::FileError;
use rustix::io::Errno;

/// The result of a file operation.
pub type Result<T> = std::result::Result<T, FileError>;

/// What the host reports.
pub(crate) const fn host_error(errno: Errno) -> FileError {
    FileError::new(errno.raw_os_error())
}

/// Nothing to read now, or no room to write (`EAGAIN`).
pub const WOULD_BLOCK: FileError = host_error(Errno::AGAIN);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_host() {
        for (error, errno) in [
            (FileError::NOT_FOUND, Errno::NOENT),
            (FileError::TOO_MANY_VERSIONS, Errno::IO),
            (FileError::BAD_DESCRIPTOR, Errno::BADF),
            (FileError::INVALID, Errno::INVAL),
            (FileError::NOT_REGULAR, Errno::NFILE),
            (FileError::TOO_MANY_OPEN, Errno::MFILE),
            (FileError::NO_SUCH_OPERATION, Errno::NOTTY),
        ] {
            assert_eq!(error.errno(), errno.raw_os_error());
        }
    }
}
