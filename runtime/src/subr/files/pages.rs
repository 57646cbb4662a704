//! Opening, closing, reading and writing files.

use crate::device::{Access, FILE_PAGE_BYTES, FileError, FileResult};
use crate::layout::Generation;
use crate::machine::Machine;
use crate::memory::LispPtr;
use crate::subr::{Args, Outcome};

impl<G: Generation> Machine<'_, G> {
    /// COM-OPENFILE: full name, recognition, access, boxes for the time of the last
    /// change and the length, error cell. Answers the descriptor.
    pub(in crate::subr) fn subr_open_file(&mut self, args: &Args) -> Outcome {
        let opened = self.open_file(args);
        self.file_value(opened, args.get(5))
    }

    fn open_file(&mut self, args: &Args) -> FileResult<LispPtr> {
        let name = self.file_name(args.get(0))?;
        let recognition = self.recognition(args.get(1))?;
        let access = self.access(args.get(2))?;
        let opened = self.devices.files.open(&name, recognition, access)?;
        self.store_in_box(args.get(3), opened.write_date);
        self.store_in_box(args.get(4), opened.size);
        Ok(LispPtr::smallpos(opened.descriptor))
    }

    /// An access code.
    pub(super) fn access(&self, code: LispPtr) -> FileResult<Access> {
        Access::from_code(self.file_number(code)?).ok_or(FileError::INVALID)
    }

    /// COM-CLOSEFILE: full name, descriptor, creation date, error cell. The
    /// descriptor says which file it is.
    pub(in crate::subr) fn subr_close_file(&mut self, args: &Args) -> Outcome {
        let date = self.integer(args.get(2));
        let closed = self
            .descriptor(args.get(1))
            .and_then(|descriptor| self.devices.files.close(descriptor, date));
        self.file_success(closed, args.get(3))
    }

    /// COM-READPAGES: descriptor, page, buffer, error cell. Answers the number of
    /// bytes that the file has of this page.
    pub(in crate::subr) fn subr_read_page(&mut self, args: &Args) -> Outcome {
        let read = self.read_file_page(args);
        self.file_value(read, args.get(3))
    }

    fn read_file_page(&self, args: &Args) -> FileResult<LispPtr> {
        let descriptor = self.descriptor(args.get(0))?;
        let page = self.file_size(args.get(1))?;
        let address = self.buffer(args.get(2))?;
        let mut bytes = [0; FILE_PAGE_BYTES];
        let count = self.devices.files.read_page(descriptor, page, &mut bytes)?;
        self.write_buffer(address, 0, &bytes);
        Ok(LispPtr::smallpos(count as u16))
    }

    /// COM-WRITEPAGES: descriptor, page, buffer, number of bytes, error cell.
    pub(in crate::subr) fn subr_write_page(&mut self, args: &Args) -> Outcome {
        let written = self.write_file_page(args);
        self.file_success(written, args.get(4))
    }

    fn write_file_page(&self, args: &Args) -> FileResult<()> {
        let descriptor = self.descriptor(args.get(0))?;
        let page = self.file_size(args.get(1))?;
        let address = self.buffer(args.get(2))?;
        let count = self.file_size(args.get(3))? as usize;
        let mut bytes = [0; FILE_PAGE_BYTES];
        let bytes = bytes.get_mut(..count).ok_or(FileError::INVALID)?;
        self.read_buffer(address, 0, bytes);
        self.devices.files.write_page(descriptor, page, bytes)
    }

    /// COM-TRUNCATEFILE: descriptor, length, error cell.
    pub(in crate::subr) fn subr_truncate_file(&mut self, args: &Args) -> Outcome {
        let truncated = self.descriptor(args.get(0)).and_then(|descriptor| {
            let length = self.file_size(args.get(1))?;
            self.devices.files.truncate(descriptor, length)
        });
        self.file_success(truncated, args.get(2))
    }
}
