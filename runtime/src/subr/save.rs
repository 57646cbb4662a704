//! Saving the image as a service (`reference/subrs.md`).

use super::{Args, Outcome};
use crate::device::FileError;
use crate::image::Saved;
use crate::layout::Generation;
use crate::machine::Machine;
use crate::memory::LispPtr;

/// Lisp's number for a name that names no file.
const BAD_FILE_NAME: u16 = 1;

impl<G: Generation> Machine<'_, G> {
    /// VMEMSAVE: saves the image under a name that Lisp gives, or where the host
    /// keeps images. NIL, or the number of what went wrong.
    pub(super) fn subr_vmem_save(&mut self, args: &Args) -> Outcome {
        if std::mem::take(&mut self.keep_next_save) {
            self.saved = Some(Saved::Kept(self.image_bytes()));
            return Outcome::Value(LispPtr::NIL);
        }
        let path = match self.file_name(args.get(0)) {
            Ok(name) => self.devices.files.host_path(&name).ok(),
            // It is no string.
            Err(FileError::INVALID) => self.devices.environment.image_path(),
            Err(_) => None,
        };
        self.save_error = None;
        let code = match path {
            Some(path) => match self.save(&path) {
                Ok(()) => {
                    (self.after_save)(&path);
                    self.saved = Some(Saved::In(path));
                    return Outcome::Value(LispPtr::NIL);
                }
                Err(error) => self.save_error.insert(error).lisp_code(),
            },
            None => BAD_FILE_NAME,
        };
        Outcome::Value(LispPtr::smallpos(code))
    }
}
