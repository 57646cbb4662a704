//! The built-in Lisp: an image that is part of the program.

use std::path::Path;

use geiko_forge::build::build;
use geiko_runtime::image::ImageFile;
use geiko_runtime::layout::Release;

use crate::error::Error;

/// The image with 28-bit pointers.
static IMAGE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/lisp.sysout"));

/// What messages call it.
const NAME: &str = "the built-in Lisp";

/// The variable that an image of the built-in Lisp has and no other one.
pub const REQUEST_VARIABLE: &str = "SI::*REQUEST*";

/// The image of the built-in Lisp. That of the older generation is made on the spot.
pub fn image(release: Release) -> Result<ImageFile, Error> {
    let bytes = match release {
        Release::Medley3 => IMAGE.to_vec(),
        Release::Medley2 => build(&[], release, false).map_err(Error::Forge)?,
    };
    Ok(ImageFile::from_bytes(Path::new(NAME), bytes)?)
}
