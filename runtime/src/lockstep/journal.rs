//! Devices for two machines of which one comes behind the other: the first asks the
//! world, and the second gets the same answers in the same order.

use std::any::Any;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::device::{
    Absent, Access, Clock, Devices, Display, Environment, ExitStatus, FILE_PAGE_BYTES, FileChange,
    FileHost, FileInfo, FileResult, Files, Generated, JobKind, ListedFile, OpenedFile, Processes,
    Recognition, Transfer,
};
use crate::memory::Attention;

/// The answers that the second machine has not got yet.
#[derive(Clone)]
pub struct Journal {
    answers: Rc<RefCell<VecDeque<Answer>>>,
    /// Of both machines: a device may ask for attention while it answers.
    attention: [Attention; 2],
}

struct Answer {
    value: Box<dyn Any>,
    raises: bool,
}

impl Journal {
    /// A journal without answers, for the machines with these handles.
    pub fn new(attention: [Attention; 2]) -> Self {
        let answers = Rc::default();
        Self { answers, attention }
    }

    /// Devices that ask `devices`, which become those, and devices that repeat their answers.
    pub fn fork(&self, devices: &mut Devices) -> Devices {
        let asked = std::mem::replace(devices, Devices::absent());
        *devices = Devices {
            clock: self.ask(asked.clock),
            display: self.ask(asked.display),
            environment: self.ask(asked.environment),
            files: self.ask(asked.files),
            processes: self.ask(asked.processes),
        };
        let repeated = || Box::new(Repeated(self.clone()));
        Devices {
            clock: repeated(),
            display: repeated(),
            environment: repeated(),
            files: repeated(),
            processes: repeated(),
        }
    }

    fn ask<T: ?Sized>(&self, device: Box<T>) -> Box<Asked<T>> {
        let journal = self.clone();
        Box::new(Asked { device, journal })
    }

    /// Forgets the answers.
    pub fn clear(&self) {
        self.answers.borrow_mut().clear();
    }

    fn note<T: Clone + 'static>(&self, ask: impl FnOnce() -> T) -> T {
        let was_raised = self.attention[0].is_raised();
        let answer = ask();
        self.answers.borrow_mut().push_back(Answer {
            value: Box::new(answer.clone()),
            raises: self.attention[0].is_raised() && !was_raised,
        });
        answer
    }

    /// The next answer; `otherwise` if the first machine asked for something else.
    fn next<T: 'static>(&self, otherwise: impl FnOnce() -> T) -> T {
        let Some(Answer { value, raises }) = self.answers.borrow_mut().pop_front() else {
            return otherwise();
        };
        if raises {
            self.attention[1].raise();
        }
        value
            .downcast()
            .map_or_else(|_| otherwise(), |value| *value)
    }
}

/// A device whose answers are noted.
struct Asked<T: ?Sized> {
    device: Box<T>,
    journal: Journal,
}

/// A device that gives the answers that were noted.
struct Repeated(Journal);

macro_rules! journaled {
    (
        $Trait:ident {
            $( fn $name:ident[$($mutable:tt)?]($($argument:ident: $kind:ty),*) $(-> $answer:ty)?; )*
        }
        $( asked { $($asked:tt)* } repeated { $($repeated:tt)* } )?
    ) => {
        impl $Trait for Asked<dyn $Trait> {
            $(
                fn $name(&$($mutable)? self $(, $argument: $kind)*) $(-> $answer)? {
                    let Self { device, journal } = self;
                    journal.note(|| device.$name($($argument),*))
                }
            )*
            $( $($asked)* )?
        }

        impl $Trait for Repeated {
            $(
                fn $name(&$($mutable)? self $(, $argument: $kind)*) $(-> $answer)? {
                    #[allow(unused_mut)]
                    let mut absent = Absent;
                    self.0.next(|| $Trait::$name(&$($mutable)? absent $(, $argument)*))
                }
            )*
            $( $($repeated)* )?
        }
    };
}

journaled! {
    Clock {
        fn unix_micros[mut](instructions: u64) -> u64;
        fn cpu_millis[mut](instructions: u64) -> (u32, u32);
        fn hours_west[]() -> i32;
        fn counts_instructions[]() -> bool;
        fn pause[mut](nanoseconds: u32);
    }
}

journaled! {
    Display {
        fn size[]() -> (u16, u16);
        fn show[mut](on: bool);
        fn invert[mut](inverse: bool);
        fn cursor_changed[mut]();
        fn warp_pointer[mut](x: u16, y: u16);
        fn beep[mut](on: bool, frequency: u32);
        fn console[mut](character: u8);
    }
}

journaled! {
    Environment {
        fn variable[](name: &[u8]) -> Option<Vec<u8>>;
        fn parameter[](name: &[u8]) -> Option<Vec<u8>>;
        fn user_name[]() -> Option<Vec<u8>>;
        fn full_name[]() -> Option<Vec<u8>>;
        fn host_id[]() -> u32;
        fn image_path[]() -> Option<PathBuf>;
    }
}

journaled! {
    Files {
        fn host_path[](full_name: &[u8]) -> FileResult<PathBuf>;
        fn get_filename[](host: FileHost, name: &[u8], recognition: Recognition)
            -> FileResult<Vec<u8>>;
        fn directory_name[](host: FileHost, name: &[u8]) -> FileResult<Vec<u8>>;
        fn delete[](host: FileHost, name: &[u8]) -> FileResult<()>;
        fn rename[](host: FileHost, from: &[u8], to: &[u8]) -> FileResult<()>;
        fn change_dir[mut](full_name: &[u8]) -> FileResult<()>;
        fn current_directory[]() -> FileResult<PathBuf>;
        fn open[mut](full_name: &[u8], recognition: Recognition, access: Access)
            -> FileResult<OpenedFile>;
        fn close[mut](descriptor: u16, creation_date: Option<i32>) -> FileResult<()>;
        fn write_page[](descriptor: u16, page: u32, bytes: &[u8]) -> FileResult<()>;
        fn truncate[](descriptor: u16, length: u32) -> FileResult<()>;
        fn get_file_info[](full_name: &[u8]) -> FileResult<FileInfo>;
        fn set_file_info[](full_name: &[u8], change: FileChange) -> FileResult<()>;
        fn free_blocks[](full_name: &[u8]) -> FileResult<i32>;
        fn generate[mut](full_pattern: &[u8], with_info: bool) -> FileResult<Option<Generated>>;
        fn next_file[mut](id: u16) -> Option<ListedFile>;
        fn finish[mut](id: u16) -> bool;
        fn char_open[mut](host_name: &[u8], access: Access) -> FileResult<u16>;
        fn char_write[](descriptor: u16, bytes: &[u8]) -> FileResult<usize>;
    }
    asked {
        fn read_page(
            &self,
            descriptor: u16,
            page: u32,
            buffer: &mut [u8; FILE_PAGE_BYTES],
        ) -> FileResult<usize> {
            let ask = || (self.device.read_page(descriptor, page, buffer), buffer.to_vec());
            self.journal.note(ask).0
        }

        fn char_read(&self, descriptor: u16, buffer: &mut [u8]) -> FileResult<usize> {
            let ask = || (self.device.char_read(descriptor, buffer), buffer.to_vec());
            self.journal.note(ask).0
        }
    }
    repeated {
        fn read_page(
            &self,
            descriptor: u16,
            page: u32,
            buffer: &mut [u8; FILE_PAGE_BYTES],
        ) -> FileResult<usize> {
            self.fill(buffer, |buffer| match buffer.try_into() {
                Ok(page_buffer) => Absent.read_page(descriptor, page, page_buffer),
                Err(_) => Ok(0),
            })
        }

        fn char_read(&self, descriptor: u16, buffer: &mut [u8]) -> FileResult<usize> {
            self.fill(buffer, |buffer| Absent.char_read(descriptor, buffer))
        }
    }
}

journaled! {
    Processes {
        fn start[mut](command: &[u8], directory: &Path) -> Option<u16>;
        fn start_terminal[mut](terminal: &[u8], command: &[u8], directory: &Path) -> Option<u16>;
        fn listen[mut](path: &[u8]) -> Option<u16>;
        fn accept[mut](job: u16) -> Option<Option<u16>>;
        fn kind[](job: u16) -> Option<JobKind>;
        fn write[mut](job: u16, bytes: &[u8]) -> Transfer;
        fn status[mut](job: u16) -> Option<ExitStatus>;
        fn close[mut](job: u16) -> Option<ExitStatus>;
        fn close_all[mut]();
        fn resize[mut](job: u16, rows: u16, columns: u16) -> Result<(), i32>;
    }
    asked {
        fn read(&mut self, job: u16, buffer: &mut [u8]) -> Transfer {
            let ask = || (self.device.read(job, buffer), buffer.to_vec());
            self.journal.note(ask).0
        }
    }
    repeated {
        fn read(&mut self, job: u16, buffer: &mut [u8]) -> Transfer {
            self.fill(buffer, |buffer| Absent.read(job, buffer))
        }
    }
}

impl Repeated {
    /// The next answer, and what came into `buffer` with it.
    fn fill<T: 'static>(&self, buffer: &mut [u8], otherwise: impl FnOnce(&mut [u8]) -> T) -> T {
        let (answer, content) = self.0.next(|| (otherwise(buffer), buffer.to_vec()));
        for (to, from) in buffer.iter_mut().zip(content) {
            *to = from;
        }
        answer
    }
}
