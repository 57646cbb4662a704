//! The host's files, the console among them.

use std::cell::Cell;
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use geiko_files::HostFiles;
use geiko_runtime::device::{
    Access, FILE_PAGE_BYTES, FileChange, FileError, FileHost, FileInfo, FileResult, Files,
    Generated, ListedFile, OpenedFile, Recognition,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::compiler::{COMPILER_NAME, Compiler};
use super::{Console, REQUEST_NAME, Request};
use crate::session::SaveTarget;

/// Descriptors that no other file gets.
const INPUT: u16 = 0;
const OUTPUT: u16 = 1;
const ERRORS: u16 = 2;
const REQUEST: u16 = u16::MAX;
const COMPILER: u16 = REQUEST - 1;

/// Blocks for any image.
const PLENTY: i32 = 1 << 24;

/// The longest wait before Lisp looks around.
const WAIT: Duration = Duration::from_millis(20);
/// A pipe that can be written to takes so many bytes.
const PIPE_BYTES: usize = 512;

const WOULD_BLOCK: FileError = FileError::new(Errno::WOULDBLOCK.raw_os_error());

/// The files of this host, and the console.
#[derive(Debug)]
pub struct ConsoleFiles {
    host: HostFiles,
    console: Rc<Console>,
    /// What Lisp is here for, if it may ask.
    request: Option<Vec<u8>>,
    compiler: Compiler,
    save_to: SaveTarget,
    /// The standard input has ended.
    ended: Cell<bool>,
}

impl ConsoleFiles {
    /// The files of `host`, with `console` as standard input and output.
    pub fn new(
        host: HostFiles,
        console: Rc<Console>,
        request: Option<&Request>,
        save_to: SaveTarget,
    ) -> Self {
        Self {
            host,
            console,
            request: request.map(|request| request.text().into_bytes()),
            compiler: Compiler::default(),
            save_to,
            ended: Cell::new(false),
        }
    }

    fn read_input(&self, buffer: &mut [u8]) -> FileResult<usize> {
        let count = if self.console.edited {
            self.console.read(buffer)
        } else {
            self.read_standard_input(buffer)?
        };
        match count {
            Some(0) => {
                self.ended.set(true);
                Err(WOULD_BLOCK)
            }
            Some(count) => Ok(count),
            None => Err(WOULD_BLOCK),
        }
    }

    fn read_standard_input(&self, buffer: &mut [u8]) -> FileResult<Option<usize>> {
        if self.ended.get() {
            return Ok(Some(0));
        }
        let stdin = io::stdin();
        if !ready(stdin.as_fd(), PollFlags::IN) {
            return Ok(None);
        }
        match rustix::io::read(stdin.as_fd(), buffer) {
            Ok(count) => Ok(Some(count)),
            Err(Errno::INTR | Errno::AGAIN) => Ok(None),
            Err(error) => Err(FileError::new(error.raw_os_error())),
        }
    }

    fn write_output(&self, to: impl AsFd, bytes: &[u8], errors: bool) -> FileResult<usize> {
        if !errors && self.console.closed().is_some() {
            return Ok(bytes.len());
        }
        if !ready(to.as_fd(), PollFlags::OUT) {
            return Err(WOULD_BLOCK);
        }
        let bytes = &bytes[..bytes.len().min(PIPE_BYTES)];
        match rustix::io::write(to.as_fd(), bytes) {
            Ok(0) | Err(Errno::INTR | Errno::AGAIN) => Err(WOULD_BLOCK),
            Ok(count) => {
                self.console.wrote(&bytes[..count]);
                Ok(count)
            }
            // Messages that nobody reads end nothing.
            Err(error) if errors => Err(FileError::new(error.raw_os_error())),
            // A reader that went away has seen enough.
            Err(Errno::PIPE) => {
                self.console.close(0);
                Ok(bytes.len())
            }
            Err(error) => {
                eprintln!("geiko: cannot write standard output: {error}");
                self.console.close(1);
                Ok(bytes.len())
            }
        }
    }
}

/// Copies a page of a text; how many bytes of it there are.
pub(super) fn page_of(text: &[u8], page: u32, buffer: &mut [u8; FILE_PAGE_BYTES]) -> usize {
    let bytes = text.chunks(FILE_PAGE_BYTES).nth(page as usize);
    let bytes = bytes.unwrap_or_default();
    buffer.fill(0);
    buffer[..bytes.len()].copy_from_slice(bytes);
    bytes.len()
}

/// Waits a little; whether the file is ready then, or has an error to tell.
fn ready(file: impl AsFd, wanted: PollFlags) -> bool {
    let mut files = [PollFd::from_borrowed_fd(file.as_fd(), wanted)];
    let wait = Timespec {
        tv_sec: 0,
        tv_nsec: WAIT.subsec_nanos().into(),
    };
    matches!(poll(&mut files, Some(&wait)), Ok(1..))
}

/// The console is here; everything else is the host's.
impl Files for ConsoleFiles {
    fn char_open(&mut self, host_name: &[u8], access: Access) -> FileResult<u16> {
        match host_name {
            b"/dev/stdin" => Ok(INPUT),
            b"/dev/stdout" => Ok(OUTPUT),
            b"/dev/stderr" => Ok(ERRORS),
            name if name == REQUEST_NAME.as_bytes() => {
                let request = self.request.as_ref().ok_or(FileError::NOT_FOUND);
                request.map(|_| REQUEST)
            }
            name if name == COMPILER_NAME.as_bytes() && self.request.is_some() => {
                self.compiler.open();
                Ok(COMPILER)
            }
            _ => self.host.char_open(host_name, access),
        }
    }

    fn char_read(&self, descriptor: u16, buffer: &mut [u8]) -> FileResult<usize> {
        match descriptor {
            INPUT => self.read_input(buffer),
            OUTPUT | ERRORS | REQUEST | COMPILER => Err(FileError::BAD_DESCRIPTOR),
            _ => self.host.char_read(descriptor, buffer),
        }
    }

    fn char_write(&self, descriptor: u16, bytes: &[u8]) -> FileResult<usize> {
        match descriptor {
            OUTPUT => self.write_output(io::stdout(), bytes, false),
            ERRORS => self.write_output(io::stderr(), bytes, true),
            INPUT | REQUEST | COMPILER => Err(FileError::BAD_DESCRIPTOR),
            _ => self.host.char_write(descriptor, bytes),
        }
    }

    /// Of the standard input this tells only whether it has ended.
    fn read_page(
        &self,
        descriptor: u16,
        page: u32,
        buffer: &mut [u8; FILE_PAGE_BYTES],
    ) -> FileResult<usize> {
        match (descriptor, &self.request) {
            (INPUT, _) if self.ended.get() => Ok(0),
            (INPUT, _) => Err(WOULD_BLOCK),
            (REQUEST, Some(request)) => Ok(page_of(request, page, buffer)),
            (COMPILER, Some(_)) => Ok(self.compiler.read(page, buffer)),
            _ => self.host.read_page(descriptor, page, buffer),
        }
    }

    fn close(&mut self, descriptor: u16, creation_date: Option<i32>) -> FileResult<()> {
        match descriptor {
            INPUT | OUTPUT | ERRORS | REQUEST | COMPILER => Ok(()),
            _ => self.host.close(descriptor, creation_date),
        }
    }

    fn host_path(&self, full_name: &[u8]) -> FileResult<PathBuf> {
        self.host.host_path(full_name)
    }

    fn get_filename(
        &self,
        host: FileHost,
        name: &[u8],
        recognition: Recognition,
    ) -> FileResult<Vec<u8>> {
        self.host.get_filename(host, name, recognition)
    }

    fn directory_name(&self, host: FileHost, name: &[u8]) -> FileResult<Vec<u8>> {
        self.host.directory_name(host, name)
    }

    fn delete(&self, host: FileHost, name: &[u8]) -> FileResult<()> {
        self.host.delete(host, name)
    }

    fn rename(&self, host: FileHost, from: &[u8], to: &[u8]) -> FileResult<()> {
        self.host.rename(host, from, to)
    }

    fn change_dir(&mut self, full_name: &[u8]) -> FileResult<()> {
        self.host.change_dir(full_name)
    }

    fn current_directory(&self) -> FileResult<PathBuf> {
        self.host.current_directory()
    }

    fn open(
        &mut self,
        full_name: &[u8],
        recognition: Recognition,
        access: Access,
    ) -> FileResult<OpenedFile> {
        self.host.open(full_name, recognition, access)
    }

    fn write_page(&self, descriptor: u16, page: u32, bytes: &[u8]) -> FileResult<()> {
        if descriptor == COMPILER && self.request.is_some() {
            self.compiler.write(bytes);
            return Ok(());
        }
        self.host.write_page(descriptor, page, bytes)
    }

    fn truncate(&self, descriptor: u16, length: u32) -> FileResult<()> {
        self.host.truncate(descriptor, length)
    }

    fn get_file_info(&self, full_name: &[u8]) -> FileResult<FileInfo> {
        self.host.get_file_info(full_name)
    }

    fn set_file_info(&self, full_name: &[u8], change: FileChange) -> FileResult<()> {
        self.host.set_file_info(full_name, change)
    }

    fn free_blocks(&self, full_name: &[u8]) -> FileResult<i32> {
        // Lisp asks before it saves, for the file that it knows.
        if self.save_to.is_hosts() {
            return Ok(PLENTY);
        }
        self.host.free_blocks(full_name)
    }

    fn generate(&mut self, full_pattern: &[u8], with_info: bool) -> FileResult<Option<Generated>> {
        self.host.generate(full_pattern, with_info)
    }

    fn next_file(&mut self, id: u16) -> Option<ListedFile> {
        self.host.next_file(id)
    }

    fn finish(&mut self, id: u16) -> bool {
        self.host.finish(id)
    }
}
