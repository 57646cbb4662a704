//! Enumeration of files.
//!
//! Lisp asks for a list, then for one file after the other through a record of
//! its own, then says that it is done.

use crate::device::{FileError, FileInfo, FileResult};
use crate::layout::Generation;
use crate::layout::records::{file_generator, types};
use crate::machine::Machine;
use crate::memory::LispPtr;
use crate::subr::{Args, Outcome};

/// The small integer -1.
const MINUS_ONE: LispPtr = LispPtr(0xF_FFFF);

impl<G: Generation> Machine<'_, G> {
    /// COM-GEN-FILES: pattern, whether attributes are wanted, box for the number of
    /// the list, error cell. Answers how many files there are, -1 after a failure.
    pub(in crate::subr) fn subr_generate_files(&mut self, args: &Args) -> Outcome {
        let count = self.generate_files(args);
        self.file_value_or(MINUS_ONE, count, args.get(3))
    }

    fn generate_files(&mut self, args: &Args) -> FileResult<LispPtr> {
        let pattern = self.file_name(args.get(0))?;
        let with_info = !args.get(1).is_nil();
        let Some(list) = self.devices.files.generate(&pattern, with_info)? else {
            return Ok(LispPtr::smallpos(0));
        };
        if !self.store_in_box(args.get(2), i32::from(list.id)) {
            self.devices.files.finish(list.id);
            return Err(FileError::INVALID);
        }
        Ok(self.number(i32::try_from(list.count).unwrap_or(i32::MAX)))
    }

    /// COM-NEXT-FILE: the record of an enumeration. Fills it and answers the length
    /// of the name, -1 when there are no more files. A file whose name is longer
    /// than Lisp has room for is passed over.
    pub(in crate::subr) fn subr_next_file(&mut self, args: &Args) -> Outcome {
        Outcome::Value(self.next_file(args.get(0)).unwrap_or(MINUS_ONE))
    }

    fn next_file(&mut self, record: LispPtr) -> Option<LispPtr> {
        let record = self.buffer(record).ok()?;
        let field = |offset: u32| self.mem.cell(record.add(offset));
        let list = u16::try_from(field(file_generator::LIST).0).ok()?;
        let string = field(file_generator::NAME).masked::<G>();
        let with_info = field(file_generator::FLAGS).0 & file_generator::WITH_INFO != 0;
        if self.type_number(string) != types::ONED_ARRAY {
            return None;
        }
        loop {
            let file = self.devices.files.next_file(list)?;
            let Ok(length) = self.store_answer(string, file.name) else {
                continue;
            };
            if let Some(info) = file.info.filter(|_| with_info) {
                self.store_listed_info(record, &info);
            }
            return Some(length);
        }
    }

    fn store_listed_info(&self, record: LispPtr, info: &FileInfo) {
        let author = self.mem.cell(record.add(file_generator::AUTHOR));
        let author_length = match &info.author {
            Some(name) if self.store_string(author.masked::<G>(), name, false) => name.len() as u32,
            _ => 0,
        };
        for (offset, value) in [
            (file_generator::LENGTH, info.length as u32),
            (file_generator::WRITE_DATE, info.write_date as u32),
            (file_generator::READ_DATE, info.read_date as u32),
            (file_generator::PROTECTION, info.protection),
            (file_generator::AUTHOR_LENGTH, author_length),
        ] {
            self.mem.set_cell(record.add(offset), LispPtr(value));
        }
    }

    /// COM-FINISH-FINFO: the number of a list.
    pub(in crate::subr) fn subr_finish_files(&mut self, args: &Args) -> Outcome {
        let finished = self
            .integer(args.get(0))
            .and_then(|number| u16::try_from(number).ok())
            .is_some_and(|number| self.devices.files.finish(number));
        Outcome::Value(LispPtr::from_bool(finished))
    }
}
