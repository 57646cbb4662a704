//! Names of files and directories.

use crate::device::{FileError, FileHost, FileResult, Recognition};
use crate::layout::Generation;
use crate::machine::Machine;
use crate::memory::LispPtr;
use crate::subr::{Args, Outcome};

impl<G: Generation> Machine<'_, G> {
    /// UFS-GETFILENAME, DSK-GETFILENAME: name, recognition, result, error cell.
    /// Answers the length of the true name.
    pub(in crate::subr) fn subr_get_file_name(&mut self, host: FileHost, args: &Args) -> Outcome {
        let name = self.recognised_name(host, args);
        self.file_value(name, args.get(3))
    }

    fn recognised_name(&self, host: FileHost, args: &Args) -> FileResult<LispPtr> {
        let name = self.file_name(args.get(0))?;
        let recognition = self.recognition(args.get(1))?;
        let found = self.devices.files.get_filename(host, &name, recognition)?;
        self.store_answer(args.get(2), found)
    }

    /// A recognition code.
    pub(super) fn recognition(&self, code: LispPtr) -> FileResult<Recognition> {
        Recognition::from_code(self.file_number(code)?).ok_or(FileError::INVALID)
    }

    /// UFS-DIRECTORYNAMEP, DSK-DIRECTORYNAMEP: name, result, error cell. Answers the
    /// length of the true name.
    pub(in crate::subr) fn subr_directory_name(&mut self, host: FileHost, args: &Args) -> Outcome {
        let name = self
            .file_name(args.get(0))
            .and_then(|name| self.devices.files.directory_name(host, &name))
            .and_then(|found| self.store_answer(args.get(1), found));
        self.file_value(name, args.get(2))
    }

    /// UFS-DELETEFILE, DSK-DELETEFILE: name, error cell.
    pub(in crate::subr) fn subr_delete_file(&mut self, host: FileHost, args: &Args) -> Outcome {
        let deleted = self
            .file_name(args.get(0))
            .and_then(|name| self.devices.files.delete(host, &name));
        self.file_success(deleted, args.get(1))
    }

    /// UFS-RENAMEFILE, DSK-RENAMEFILE: old name, new name, error cell.
    pub(in crate::subr) fn subr_rename_file(&mut self, host: FileHost, args: &Args) -> Outcome {
        let renamed = self.file_name(args.get(0)).and_then(|from| {
            let to = self.file_name(args.get(1))?;
            self.devices.files.rename(host, &from, &to)
        });
        self.file_success(renamed, args.get(2))
    }

    /// COM-CHANGEDIR: full name.
    pub(in crate::subr) fn subr_change_dir(&mut self, args: &Args) -> Outcome {
        let changed = self
            .file_name(args.get(0))
            .and_then(|name| self.devices.files.change_dir(&name));
        self.file_success(changed, LispPtr::NIL)
    }
}
