//! Whose file it is that a session saves to.
//!
//! The lock is on a file of its own, since saving replaces the image.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use crate::folders;

/// Longer names of files are not sure to be possible.
const LONGEST_NAME: usize = 200;

/// Why a session may not save to a file.
#[derive(Debug, thiserror::Error)]
#[error("{} is where {owner} saves", path.display())]
pub struct LockError {
    path: PathBuf,
    owner: String,
}

/// The right to save to a file, for as long as it lives.
#[derive(Debug)]
pub struct ImageLock {
    _file: File,
}

impl ImageLock {
    /// The right to save to `path` for `who`; an error if somebody else has it. Where
    /// files cannot be locked everybody has it.
    pub fn take(path: &Path, who: &str) -> Result<Option<Self>, LockError> {
        match folders::private_runtime() {
            Ok(folder) => Self::take_in(&folder, path, who),
            Err(_) => Ok(None),
        }
    }

    fn take_in(folder: &Path, path: &Path, who: &str) -> Result<Option<Self>, LockError> {
        let Ok(mut file) = open(folder, path) else {
            return Ok(None);
        };
        match file.try_lock() {
            Ok(()) => {
                let process = std::process::id();
                let owner = format!("{who}, process {process},");
                // Without a name of the owner the lock is one as well.
                let _ = file
                    .set_len(0)
                    .and_then(|()| file.write_all(owner.as_bytes()));
                Ok(Some(Self { _file: file }))
            }
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                let read = file.rewind().and_then(|()| file.read_to_string(&mut owner));
                if read.is_err() || owner.is_empty() {
                    owner = "another session".into();
                }
                let path = path.into();
                Err(LockError { path, owner })
            }
            Err(TryLockError::Error(_)) => Ok(None),
        }
    }
}

fn open(folder: &Path, path: &Path) -> io::Result<File> {
    let absolute = std::path::absolute(path)?;
    let parent = absolute.parent().unwrap_or(Path::new("/"));
    let parent = parent.canonicalize().unwrap_or_else(|_| parent.into());
    let name = parent.join(absolute.file_name().unwrap_or_default());
    let name = name.to_string_lossy().replace('/', "!");
    // The end of a name tells more than its start.
    let skip = name.chars().count().saturating_sub(LONGEST_NAME);
    let name: String = name.chars().skip(skip).collect();
    File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(folder.join(format!("{name}.lock")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_belongs_to_one_session() {
        let folder = tempfile::tempdir().unwrap();
        let take = |path: &Path| ImageLock::take_in(folder.path(), path, "session lisp");
        let image = folder.path().join("x.sysout");
        let first = take(&image).unwrap();
        assert!(first.is_some());
        let again = folder.path().join(".").join("x.sysout");
        let error = take(&again).unwrap_err().to_string();
        let owner = format!("session lisp, process {}, saves", std::process::id());
        assert!(error.ends_with(&owner), "{error}");
        assert!(take(&folder.path().join("y.sysout")).unwrap().is_some());
        drop(first);
        assert!(take(&image).unwrap().is_some());
    }
}
