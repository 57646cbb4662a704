//! Converted copies of images, so that processes on one image share its memory.
//!
//! An image file is big-endian and its pages lie in any order, so it cannot be mapped as it is. A
//! copy in the user's cache has the host's byte order, and every page in its place. Its name says
//! what it is a copy of: the content of the image, and how copies look. It is made under another
//! name, so it is whole or not there, and nobody changes it afterwards.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::SystemTime;

use geiko_runtime::image::{ImageError, ImageFile, MemorySize};
use geiko_runtime::layout::Generation;
use geiko_runtime::memory::AddressSpace;

use crate::folders;

/// How copies look; another number makes all there are useless.
const VERSION: u32 = 2;
/// Copies that are kept, those used last.
const MOST_COPIES: usize = 8;
const SUFFIX: &str = "memory";

/// The memory of `image`, shared with other processes if there is a place for copies.
pub fn load<G: Generation>(
    image: &ImageFile,
    size: MemorySize,
) -> Result<AddressSpace<G>, ImageError> {
    let copy = || {
        let folder = folders::cache().ok_or(io::ErrorKind::NotFound)?;
        copy_of::<G>(image, size, &folder.join("images"))
    };
    match copy() {
        Ok(copy) => image.load_shared(size, &copy),
        Err(error) => {
            tracing::warn!(%error, "the memory of the image cannot be shared");
            image.load(size)
        }
    }
}

/// The copy in `folder`, made if it is not there.
fn copy_of<G: Generation>(image: &ImageFile, size: MemorySize, folder: &Path) -> io::Result<File> {
    let name = blake3::hash(image.bytes()).to_hex();
    let path = folder.join(format!("{name}-{VERSION}.{SUFFIX}"));
    if !path.exists() {
        fs::create_dir_all(folder)?;
        let beside = tempfile::NamedTempFile::new_in(folder)?;
        image.write_memory::<G>(size, beside.as_file())?;
        beside.as_file().sync_all()?;
        beside.persist(&path)?;
        remove_old(folder)?;
    }
    let copy = File::open(path)?;
    // What was used lately stays. Nobody minds if that cannot be noted.
    let _ = copy.set_modified(SystemTime::now());
    Ok(copy)
}

/// Removes all copies but the latest. Processes that have mapped them keep them.
fn remove_old(folder: &Path) -> io::Result<()> {
    let mut copies = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|suffix| suffix == SUFFIX) {
            copies.push((fs::metadata(&path)?.modified()?, path));
        }
    }
    copies.sort();
    let old = copies.len().saturating_sub(MOST_COPIES);
    for (_, path) in &copies[..old] {
        fs::remove_file(path)?;
    }
    Ok(())
}
