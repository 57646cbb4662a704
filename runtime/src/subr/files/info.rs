//! Attributes of files, and room on the host's disks.

use crate::device::{Attribute, FileChange, FileError, FileInfo, FileResult};
use crate::layout::Generation;
use crate::machine::Machine;
use crate::memory::LispPtr;
use crate::subr::{Args, Outcome};

impl<G: Generation> Machine<'_, G> {
    /// COM-GETFILEINFO: full name, attribute, place for the value, error cell.
    /// Answers T, but for the author and for all attributes the length of the
    /// author's name.
    pub(in crate::subr) fn subr_get_file_info(&mut self, args: &Args) -> Outcome {
        let value = self.file_attribute(args);
        self.file_value(value, args.get(3))
    }

    fn file_attribute(&self, args: &Args) -> FileResult<LispPtr> {
        let name = self.file_name(args.get(0))?;
        let attribute = self.attribute(args.get(1))?;
        let info = self.devices.files.get_file_info(&name)?;
        let place = args.get(2);
        let number = match attribute {
            Attribute::Length => info.length,
            Attribute::WriteDate => info.write_date,
            Attribute::ReadDate => info.read_date,
            Attribute::Protection => info.protection as i32,
            Attribute::InodeLow => info.inode as i32,
            Attribute::InodeHigh => (info.inode >> 32) as i32,
            Attribute::Author => return self.store_author(place, &info),
            Attribute::All => return self.store_attributes(place, &info),
        };
        if self.store_in_box(place, number) {
            Ok(LispPtr::T)
        } else {
            Err(FileError::INVALID)
        }
    }

    /// An attribute code.
    fn attribute(&self, code: LispPtr) -> FileResult<Attribute> {
        Attribute::from_code(self.file_number(code)?).ok_or(FileError::INVALID)
    }

    /// Stores the author's name; its length, 0 if the host does not know it.
    fn store_author(&self, string: LispPtr, info: &FileInfo) -> FileResult<LispPtr> {
        match &info.author {
            Some(author) => self.store_answer(string, author.clone()),
            None => Ok(LispPtr::smallpos(0)),
        }
    }

    /// Stores into the values of `((LENGTH . box) (WDATE . box) (RDATE . box)
    /// (PROTECTION . box) (AUTHOR . string))`. Only the order counts, as in Maiko
    /// src/dsk.c.
    fn store_attributes(&self, list: LispPtr, info: &FileInfo) -> FileResult<LispPtr> {
        let mut rest = list;
        for number in [
            info.length,
            info.write_date,
            info.read_date,
            info.protection as i32,
        ] {
            let place = self.next_property(&mut rest)?;
            self.store_in_box(place, number);
        }
        let place = self.next_property(&mut rest)?;
        self.store_author(place, info)
    }

    /// The value of the first pair of an association list, which loses the pair.
    fn next_property(&self, list: &mut LispPtr) -> FileResult<LispPtr> {
        let cell = |object| {
            if self.is_list(object) {
                Ok(object)
            } else {
                Err(FileError::INVALID)
            }
        };
        let first = cell(*list)?;
        *list = self.cdr(first);
        let pair = cell(self.car(first))?;
        Ok(self.cdr(pair))
    }

    /// COM-SETFILEINFO: full name, attribute, value, error cell. Only the time of
    /// the last change and the mode can be set.
    pub(in crate::subr) fn subr_set_file_info(&mut self, args: &Args) -> Outcome {
        let set = self.set_file_attribute(args);
        self.file_success(set, args.get(3))
    }

    fn set_file_attribute(&self, args: &Args) -> FileResult<()> {
        let name = self.file_name(args.get(0))?;
        let attribute = self.attribute(args.get(1))?;
        let value = self.file_number(args.get(2))?;
        let change = match attribute {
            Attribute::WriteDate => FileChange::WriteDate(value),
            Attribute::Protection => FileChange::Protection(value as u32),
            _ => return Err(FileError::INVALID),
        };
        self.devices.files.set_file_info(&name, change)
    }

    /// COM-GETFREEBLOCK: full name, box.
    pub(in crate::subr) fn subr_get_free_blocks(&mut self, args: &Args) -> Outcome {
        let stored = self
            .file_name(args.get(0))
            .and_then(|name| self.devices.files.free_blocks(&name))
            .is_ok_and(|blocks| self.store_in_box(args.get(1), blocks));
        Outcome::Value(LispPtr::from_bool(stored))
    }
}
