//! Saving: the pages that have a file page, written in the order of the page
//! table (`reference/image-format.md` section 8).
//!
//! The file is written under another name in the same folder, brought to the
//! disk, read again, and only then given its name, so that there is always a
//! whole image under that name: the old one or the new one. An image that could
//! not be opened again does not replace a good one. Memory is not touched but for
//! free list cells, which are chained: what the file must have different is changed in the
//! copy on the way out.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::error::{ImageError, Problem};
use super::header::INTERFACE_FILE_PAGE;
use super::load::ImageFile;
use super::sparse::Sparse;
use super::start::MACHINE_TYPE;
use crate::layout::Generation;
use crate::layout::records::interface;
use crate::machine::Machine;
use crate::memory::{BYTES_PER_PAGE, LispPtr, StackOffset, WORDS_PER_PAGE};

/// The state of storage in which there is no second region. It is forgotten when
/// the image is saved, since the image may be run with more memory next time.
const NOT_SWITCHABLE: u16 = 1;
/// Names that are tried for the temporary file.
const TEMPORARY_NAMES: u32 = 100;

/// Where an image was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Saved {
    /// In this file.
    In(PathBuf),
    /// In memory: the content of a file to be.
    Kept(Vec<u8>),
}

/// Why an image was not saved. The file that was there is as it was.
#[derive(Debug, thiserror::Error)]
#[error("cannot save {}: {cause}", path.display())]
pub struct SaveError {
    /// The image that should have been saved.
    pub path: PathBuf,
    /// Why it was not.
    pub cause: SaveFailure,
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum SaveFailure {
    /// The path does not name a file.
    #[error("this is no name of a file")]
    BadName,
    /// The file, or a temporary one beside it, cannot be opened.
    #[error("cannot write {}: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the host said.
        source: io::Error,
    },
    /// Writing failed.
    #[error("{0}")]
    Write(io::Error),
    /// What was written is no image that can be opened.
    #[error("the image is damaged: the saved file {0}")]
    Damaged(Problem),
}

impl SaveError {
    /// The number by which Lisp knows the failure.
    pub fn lisp_code(&self) -> u16 {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull, TimedOut};
        match &self.cause {
            SaveFailure::BadName => 1,
            SaveFailure::Open { source, .. } | SaveFailure::Write(source)
                if matches!(source.kind(), StorageFull | QuotaExceeded | FileTooLarge) =>
            {
                2
            }
            SaveFailure::Open { source, .. } | SaveFailure::Write(source)
                if source.kind() == TimedOut =>
            {
                6
            }
            SaveFailure::Open { .. } => 3,
            SaveFailure::Write(_) | SaveFailure::Damaged(_) => 5,
        }
    }
}

impl<G: Generation> Machine<'_, G> {
    /// Saves the image in the file at `path`. Lisp must have prepared for it: a
    /// restarted image goes on in the frame that the interface page names.
    pub fn save(&self, path: &Path) -> Result<(), SaveError> {
        let changes = Changes::new(self);
        save_file(path, |out| changes.write(out)).map_err(|cause| SaveError {
            path: path.into(),
            cause,
        })
    }
}

impl<G: Generation> Machine<'_, G> {
    /// Writes the image file: all pages of the page table, in order.
    pub fn write_image(&self, out: &mut dyn Write) -> io::Result<()> {
        Changes::new(self).write(out)
    }

    /// The content of the image file.
    pub fn image_bytes(&self) -> Vec<u8> {
        let pages = self.active_pages().min(G::FPTOVP_CAPACITY);
        let mut image = Vec::with_capacity(pages as usize * BYTES_PER_PAGE);
        // Memory takes everything that is written to it.
        let _ = self.write_image(&mut image);
        image
    }
}

/// Memory as the file shall have it: with a few words changed.
struct Changes<'a, 'm, G: Generation> {
    machine: &'a Machine<'m, G>,
    words: Vec<(LispPtr, u16)>,
    /// Addresses that get 0, in order.
    unused: Vec<Range<u32>>,
}

impl<'a, 'm, G: Generation> Changes<'a, 'm, G> {
    fn new(m: &'a Machine<'m, G>) -> Self {
        m.chain_free_cells();
        let variable = m.symbols.storage_full_state;
        let interface = |offset| G::INTERFACE_PAGE.add(offset);
        let mut words = vec![(interface(interface::MACHINE_TYPE), MACHINE_TYPE)];
        let mut state = m.mem.cell(variable).lo();
        if state == NOT_SWITCHABLE {
            state = 0;
            words.push((variable, LispPtr::NIL.hi()));
            words.push((variable.add(1), LispPtr::NIL.lo()));
        }
        words.push((interface(interface::STORAGE_FULL_STATE), state));
        if let Some(tries) = m.network_tries_to_save() {
            let variable = m.symbols.max_ether_tries;
            words.push((variable, tries.hi()));
            words.push((variable.add(1), tries.lo()));
        }
        let address = |offset| StackOffset(offset).address().0;
        // Only when the same program is to leave the same image, however it is run.
        let unused = m.is_exact().then(|| m.unused_stack());
        let unused = unused.into_iter().flatten();
        let unused = unused.filter(|range| range.start < range.end);
        Self {
            machine: m,
            words,
            unused: unused.map(|r| address(r.start)..address(r.end)).collect(),
        }
    }

    /// Page `page`, as it shall be in the file.
    fn page(&self, page: u32, content: &mut [u8; BYTES_PER_PAGE]) {
        self.machine.mem.read_page(page, content);
        let start = LispPtr::from_page(page).0;
        let behind = |range: &Range<u32>| range.end <= start;
        for range in &self.unused[self.unused.partition_point(behind)..] {
            let [from, to] = [range.start, range.end]
                .map(|at| 2 * at.saturating_sub(start).min(WORDS_PER_PAGE) as usize);
            if from == BYTES_PER_PAGE {
                break;
            }
            content[from..to].fill(0);
        }
        for (address, word) in self.words.iter().filter(|(at, _)| at.page() == page) {
            let at = (address.0 % WORDS_PER_PAGE) as usize * 2;
            content[at..at + 2].copy_from_slice(&word.to_be_bytes());
        }
    }

    /// Writes all file pages.
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut content = [0; BYTES_PER_PAGE];
        let count = self.machine.active_pages();
        for file_page in 1..=count.min(G::FPTOVP_CAPACITY - 1) {
            let page = if file_page == INTERFACE_FILE_PAGE {
                Some(G::INTERFACE_PAGE.page())
            } else {
                page_of_entry::<G>(self.machine.file_page(file_page))
            };
            match page {
                Some(page) => self.page(page, &mut content),
                None => content.fill(0),
            }
            out.write_all(&content)?;
        }
        Ok(())
    }
}

/// The page that an entry of the page table names, if it names one.
fn page_of_entry<G: Generation>(entry: u32) -> Option<u32> {
    let hole = if G::FPTOVP_ENTRY_WORDS == 2 {
        entry >> 16
    } else {
        entry
    };
    (hole != 0xFFFF).then_some(entry)
}

/// Replaces the file at `path` by an image of that content, or leaves it as it is.
pub fn write_file(path: &Path, image: &[u8]) -> Result<(), SaveError> {
    save_file(path, |out| out.write_all(image)).map_err(|cause| SaveError {
        path: path.into(),
        cause,
    })
}

/// Replaces the file at `path` by what `write` writes.
fn save_file(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), SaveFailure> {
    let target = writable_target(path)?;
    let mut temporary = Temporary::beside(&target)?;
    let written = (|| {
        let file = &mut temporary.file;
        let mut out = Sparse::new(file);
        write(&mut out)?;
        out.finish()?;
        if let Ok(metadata) = fs::metadata(&target) {
            // A file whose mode cannot be kept is better than none.
            let _ = file.set_permissions(metadata.permissions());
        }
        file.sync_all()
    })();
    written.map_err(SaveFailure::Write)?;
    verify(&temporary.path).map_err(SaveFailure::Damaged)?;
    fs::rename(&temporary.path, &target).map_err(SaveFailure::Write)?;
    temporary.renamed = true;
    sync_folder(&target).map_err(SaveFailure::Write)
}

/// The file to replace: what a symbolic link points at. It must be a file that
/// may be written, or not be there.
fn writable_target(path: &Path) -> Result<PathBuf, SaveFailure> {
    if path.file_name().is_none() {
        return Err(SaveFailure::BadName);
    }
    let failure = |source| SaveFailure::Open {
        path: path.into(),
        source,
    };
    let target = match fs::canonicalize(path) {
        Ok(target) => target,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(path.into()),
        Err(error) => return Err(failure(error)),
    };
    if !fs::metadata(&target).map_err(failure)?.is_file() {
        return Err(failure(io::Error::other("it is not a regular file")));
    }
    OpenOptions::new()
        .write(true)
        .open(&target)
        .map_err(failure)?;
    Ok(target)
}

/// A file that is removed unless it gets another name. It is locked as long as
/// somebody writes it, so that one which a killed process left can be told apart.
struct Temporary {
    path: PathBuf,
    file: File,
    renamed: bool,
}

impl Temporary {
    /// A new file in the folder of `target`.
    fn beside(target: &Path) -> Result<Self, SaveFailure> {
        let mut number = 0;
        loop {
            let mut name = OsString::from(target.file_name().unwrap_or_default());
            name.push(format!("-temp-{number}"));
            let path = target.with_file_name(name);
            match File::create_new(&path) {
                Ok(file) => {
                    // Where files cannot be locked none is ever taken for
                    // one that was left.
                    let _ = file.try_lock();
                    let renamed = false;
                    return Ok(Self {
                        path,
                        file,
                        renamed,
                    });
                }
                Err(source) => {
                    let exists = source.kind() == io::ErrorKind::AlreadyExists;
                    if !exists || number == TEMPORARY_NAMES {
                        return Err(SaveFailure::Open { path, source });
                    }
                    if !remove_if_left(&path) {
                        number += 1;
                    }
                }
            }
        }
    }
}

/// Removes a temporary file that nobody writes any more; false if somebody does,
/// or it cannot be removed.
fn remove_if_left(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| file.try_lock().is_ok() && fs::remove_file(path).is_ok())
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.renamed {
            // Nothing more can be done about a file that cannot be removed.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Makes sure that the file at `path` is an image that can be opened.
fn verify(path: &Path) -> Result<(), Problem> {
    let image = ImageFile::open(path).map_err(|ImageError { problem, .. }| problem)?;
    let size = image.header().memory_size(None)?;
    image.check(size)
}

/// Brings the new name of the file at `path` to the disk.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Some file systems cannot bring a folder to the disk.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_save_that_fails_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old.sysout");
        fs::write(&path, "old").unwrap();
        for (kind, code) in [
            (io::ErrorKind::StorageFull, 2),
            (io::ErrorKind::QuotaExceeded, 2),
            (io::ErrorKind::TimedOut, 6),
            (io::ErrorKind::BrokenPipe, 5),
        ] {
            let cause = save_file(&path, |out| {
                out.write_all(b"new")?;
                Err(kind.into())
            })
            .unwrap_err();
            let path = path.clone();
            assert_eq!(SaveError { path, cause }.lisp_code(), code);
        }
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn temporary_files_of_the_dead_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x.sysout");
        let names = || {
            let mut names: Vec<_> = fs::read_dir(folder.path())
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        };
        fs::write(folder.path().join("x.sysout-temp-0"), "left").unwrap();
        let first = Temporary::beside(&target).unwrap_or_else(|_| panic!());
        assert_eq!(names(), ["x.sysout-temp-0"]);
        let second = Temporary::beside(&target).unwrap_or_else(|_| panic!());
        assert_eq!(names(), ["x.sysout-temp-0", "x.sysout-temp-1"]);
        drop(first);
        drop(second);
        assert!(names().is_empty());
    }
}
