//! File names: Lisp's syntax, the host's syntax, and the way between them
//! (`reference/devices.md` section 6.1).
//!
//! | Lisp | host |
//! |---|---|
//! | `<usr>local>foo.txt;3` on `{DSK}` | `/usr/local/foo.txt.~3~` |
//! | `<usr>local>foo.txt` on `{UNIX}` | `/usr/local/foo.txt` |
//! | `foo.` | `foo` |
//! | `'` before a character | the character, without its Lisp meaning |

mod parse;
mod print;
mod quote;
pub(crate) mod version;

pub(crate) use parse::{Places, Syntax, UnixName, unix_name};
pub(crate) use print::{Dots, lisp_directory, lisp_entry, lisp_file, push_version};
pub(crate) use quote::ends_with_bare;

use crate::error::{FileError, Result};

/// The longest host path that Maiko handles, with its closing NUL.
const MAX_PATH: usize = 4096;

/// What a version can add to the length of a name on its way to the host
/// (`;n` becomes `.~n~`), and the closing NUL.
const VERSION_ROOM: usize = 3;

/// Refuses names that are too long for any host path.
pub(crate) fn check_length(name: &[u8]) -> Result<()> {
    if name.len() + VERSION_ROOM > MAX_PATH {
        return Err(FileError::NAME_TOO_LONG);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits() {
        assert_eq!(check_length(&[b'a'; 4093]), Ok(()));
        assert_eq!(check_length(&[b'a'; 4094]), Err(FileError::NAME_TOO_LONG));
    }
}
