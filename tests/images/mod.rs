//! Images that are not part of this project.

use std::path::{Path, PathBuf};

/// The image of Medley: at `../shared/images/medley-2.01/lisp.sysout` or where
/// `GEIKO_MEDLEY_IMAGE` says; or a printed line that says that there is none.
pub fn medley() -> Option<PathBuf> {
    let image = std::env::var_os("GEIKO_MEDLEY_IMAGE").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/images/medley-2.01/lisp.sysout"),
        PathBuf::from,
    );
    if image.exists() {
        return Some(image);
    }
    eprintln!("skipped: no Medley image");
    None
}
