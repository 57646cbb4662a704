//! The host's processes, as the service UNIX-HANDLECOMM asks for them
//! (`reference/subrs.md` section 6).

use std::path::Path;

/// What a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobKind {
    /// A process on a pseudo-terminal.
    Terminal,
    /// A process on a pipe.
    Process,
    /// A socket that others connect to.
    Listener,
    /// A connection to such a socket.
    Connection,
}

/// What became of bytes on their way from or to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transfer {
    /// So many bytes went, at least one.
    Done(usize),
    /// None now; there may be later.
    NotNow,
    /// None any more.
    Ended,
}

/// How a process ended, as Lisp sees it: its exit status, or the number of the signal
/// that ended it times 256.
pub type ExitStatus = i32;

/// The jobs of a machine: processes of the host, and sockets. Jobs have small numbers.
///
/// Nothing here waits, but for [`Processes::close`], which gives a process a moment to
/// end by itself.
pub trait Processes {
    /// Starts a shell command in a directory. One pipe is its standard input, output and
    /// errors.
    fn start(&mut self, command: &[u8], directory: &Path) -> Option<u16>;
    /// Starts a shell command on a pseudo-terminal in a directory, or the user's shell
    /// if the command is empty. The kind of terminal is for the variable TERM.
    fn start_terminal(&mut self, terminal: &[u8], command: &[u8], directory: &Path) -> Option<u16>;
    /// Makes a socket with this host name that others can connect to.
    fn listen(&mut self, path: &[u8]) -> Option<u16>;
    /// The job of the next connection to a socket; `Some(None)` if nobody waits, `None`
    /// if the job is no socket or is broken.
    fn accept(&mut self, job: u16) -> Option<Option<u16>>;
    /// What a job is, if there is such a job.
    fn kind(&self, job: u16) -> Option<JobKind>;
    /// Reads what there is, at most a buffer full.
    fn read(&mut self, job: u16, buffer: &mut [u8]) -> Transfer;
    /// Writes what there is room for.
    fn write(&mut self, job: u16, bytes: &[u8]) -> Transfer;
    /// How the process of a job ended, if it has.
    fn status(&mut self, job: u16) -> Option<ExitStatus>;
    /// Closes a job and ends its process; how that ended, if there was one.
    fn close(&mut self, job: u16) -> Option<ExitStatus>;
    /// Closes all jobs.
    fn close_all(&mut self);
    /// Tells the process on a pseudo-terminal how large its window is.
    ///
    /// # Errors
    ///
    /// The host's number for why not; 0 if the job is none of a running process on a
    /// pseudo-terminal.
    fn resize(&mut self, job: u16, rows: u16, columns: u16) -> Result<(), i32>;
}
