//! The host field of a file name.

use geiko_runtime::device::FileHost;

use crate::error::{FileError, Result};

/// Splits `{HOST}rest` into the device and the rest.
pub(crate) fn split_host(full_name: &[u8]) -> Result<(FileHost, &[u8])> {
    let inner = full_name.strip_prefix(b"{").ok_or(FileError::NOT_FOUND)?;
    let end = inner
        .iter()
        .position(|&byte| byte == b'}')
        .ok_or(FileError::NOT_FOUND)?;
    let host = FileHost::from_name(&inner[..end]).ok_or(FileError::NOT_FOUND)?;
    Ok((host, &inner[end + 1..]))
}

/// `name` without its host, if it has one. Some subrs get names with a host
/// and some without; those without are also taken with.
pub(crate) fn without_host(name: &[u8]) -> &[u8] {
    split_host(name).map_or(name, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        assert_eq!(
            split_host(b"{dsk}<a>b.c;1"),
            Ok((FileHost::Dsk, &b"<a>b.c;1"[..]))
        );
        assert_eq!(split_host(b"{UNIX}"), Ok((FileHost::Unix, &b""[..])));
        for bad in [&b"{CORE}x"[..], b"<a>b", b"{DSK", b""] {
            assert_eq!(split_host(bad), Err(FileError::NOT_FOUND));
        }
        assert_eq!(without_host(b"{DSK}<a>"), b"<a>");
        assert_eq!(without_host(b"{x}a"), b"{x}a");
    }
}
