//! `geiko shrink`.

use std::path::{Path, PathBuf};

use clap::Args;
use geiko_runtime::accounts;
use geiko_runtime::audit::{Audit, Graph};
use geiko_runtime::device::Devices;
use geiko_runtime::heap::Shrunk;
use geiko_runtime::image::ImageFile;
use geiko_runtime::layout::{Generation, Medley2, Medley3, Release};
use geiko_runtime::machine::Machine;

use super::output;
use crate::error::{Error, Status};
use crate::image_lock::ImageLock;

/// What making an image small takes, in bytes for each of the image: its content, its pages in memory,
/// and what is known of its objects.
const SHRINKING_BYTES: u64 = 4;

/// What to make small.
#[derive(Debug, Args)]
pub struct ShrinkArgs {
    /// The image; no session may be saving to it
    #[arg(value_name = "IMAGE")]
    image: PathBuf,
    /// The file to be written [default: IMAGE is replaced]
    #[arg(value_name = "FILE")]
    to: Option<PathBuf>,
}

/// What an image was before and after.
struct Change {
    pages: [u32; 2],
    shrunk: Shrunk,
    graph: Graph,
}

/// Makes an image small.
pub fn shrink(arguments: &ShrinkArgs) -> Result<Status, Error> {
    let to = arguments.to.as_deref().unwrap_or(&arguments.image);
    let _lock = ImageLock::take(to, "geiko shrink")?;
    let Change {
        pages: [before, after],
        shrunk,
        graph,
    } = shrink_file(&arguments.image, to)?;
    output::text(&format!(
        "pages        {before} before, {after} now; {} units for objects of any type\n\
         free arrays  {} blocks before, {} now\n\
         in use       {} objects and {} references, as before\n",
        shrunk.units, shrunk.blocks_before, shrunk.blocks, graph.objects, graph.references
    ))?;
    Ok(Status::Success)
}

/// Makes an image small that Lisp has just saved. If that cannot be, it stays as it was saved and the
/// user is told.
pub fn saved(path: &Path) {
    if let Err(error) = shrink_saved(path) {
        eprintln!("geiko: the image is saved, but not made small: {error}");
    }
}

fn shrink_saved(path: &Path) -> Result<(), Error> {
    let bytes = std::fs::metadata(path).map_or(0, |file| file.len());
    let missing = accounts::missing_for(bytes.saturating_mul(SHRINKING_BYTES));
    if missing > 0 {
        return Err(Error::NoRoomToShrink(missing.div_ceil(1 << 20)));
    }
    // Its pages in memory are not the program's own, but take as much; this takes their place in the
    // account.
    let _pages = std::hint::black_box(Vec::<u8>::with_capacity(bytes as usize));
    shrink_file(path, path).map(drop)
}

fn shrink_file(from: &Path, to: &Path) -> Result<Change, Error> {
    let image = ImageFile::open(from)?;
    match image.header().release {
        Release::Medley2 => shrink_to::<Medley2>(&image, from, to),
        Release::Medley3 => shrink_to::<Medley3>(&image, from, to),
    }
}

fn shrink_to<G: Generation>(image: &ImageFile, from: &Path, to: &Path) -> Result<Change, Error> {
    let not_sound = |audit: &Audit, is_shrunk| Error::NotSound {
        path: from.into(),
        is_shrunk,
        defect: audit.defects().into_iter().next().unwrap_or_default(),
    };
    let space = image.load::<G>(image.memory_size(None)?)?;
    let (mut machine, _) = Machine::of_image(space.view(), Devices::absent());
    let before = machine.audit();
    if !before.is_sound() {
        return Err(not_sound(&before, false));
    }
    let graph = Graph::of(machine.mem, &machine.symbols);
    let pages = machine.active_pages();
    let shrunk = machine.shrink();
    let after = machine.audit();
    let is_same = Graph::of(machine.mem, &machine.symbols) == graph
        && after.recount.differences == before.recount.differences;
    if !is_same || !after.is_sound() {
        return Err(not_sound(&after, true));
    }
    machine.save(to)?;
    Ok(Change {
        pages: [pages, machine.active_pages()],
        shrunk,
        graph,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lisp;

    #[test]
    fn an_image_that_a_session_saves_to_is_left_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("lisp.sysout");
        std::fs::write(&image, lisp::image(Release::Medley3).unwrap().bytes()).unwrap();
        let before = std::fs::read(&image).unwrap();
        let arguments = |image: &Path, to: Option<&Path>| ShrinkArgs {
            image: image.into(),
            to: to.map(Path::to_path_buf),
        };
        let locked = ImageLock::take(&image, "session lisp").unwrap();
        assert!(locked.is_some(), "files can be locked here");
        // By whatever name, and also if another image is to be written there.
        let other = folder.path().join("other.sysout");
        std::fs::write(&other, &before).unwrap();
        let again = folder.path().join(".").join("lisp.sysout");
        for refused in [
            arguments(&image, None),
            arguments(&again, None),
            arguments(&other, Some(&image)),
        ] {
            let error = shrink(&refused).unwrap_err();
            assert!(matches!(error, Error::Locked(_)), "{error}");
            let told = error.message();
            assert!(told.contains("is where session lisp, process"), "{told}");
        }
        assert_eq!(std::fs::read(&image).unwrap(), before);
        // Reading it is no harm.
        shrink(&arguments(&image, Some(&other))).unwrap();
        drop(locked);
        shrink(&arguments(&image, None)).unwrap();
        // The right to save is given back.
        assert!(ImageLock::take(&image, "session lisp").unwrap().is_some());
    }
}
