//! `geiko shrink`.

use std::path::{Path, PathBuf};

use clap::Args;
use geiko_runtime::audit::{Audit, Graph};
use geiko_runtime::device::Devices;
use geiko_runtime::heap::Shrunk;
use geiko_runtime::image::ImageFile;
use geiko_runtime::layout::{Generation, Medley2, Medley3, Release};
use geiko_runtime::machine::Machine;

use super::output;
use crate::error::{Error, Status};
use crate::image_lock::ImageLock;

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
    let image = ImageFile::open(&arguments.image)?;
    let change = match image.header().release {
        Release::Medley2 => shrink_to::<Medley2>(&image, &arguments.image, to),
        Release::Medley3 => shrink_to::<Medley3>(&image, &arguments.image, to),
    }?;
    let Change {
        pages: [before, after],
        shrunk,
        graph,
    } = change;
    output::text(&format!(
        "pages        {before} before, {after} now; {} units for objects of any type\n\
         free arrays  {} blocks before, {} now\n\
         in use       {} objects and {} references, as before\n",
        shrunk.units, shrunk.blocks_before, shrunk.blocks, graph.objects, graph.references
    ))?;
    Ok(Status::Success)
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
