//! The host's processes: shell commands on pipes, shells on pseudo-terminals, and
//! sockets that other programs connect to.
//!
//! Every job has one end of a connection that never waits. Its process, if it has one,
//! leads a group of its own, so that what a shell command has started ends with it.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use geiko_runtime::device::{ExitStatus, JobKind, Processes, Transfer};
use pty_process::Size;
use pty_process::blocking as terminal;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group};

/// Jobs have numbers from this on: Lisp takes them for descriptors of files.
const FIRST_JOB: usize = 3;
/// The most jobs at a time.
const MAX_JOBS: usize = 250;
/// How long a process has to end by itself when its job is closed.
const GRACE: Duration = Duration::from_millis(100);
/// The shell of users who have none.
const SHELL: &str = "/bin/sh";

/// The processes and sockets of one machine. They end with it.
#[derive(Default)]
pub struct HostProcesses {
    jobs: Vec<Option<Job>>,
    /// Variables that processes have beside those of this one.
    environment: Vec<(OsString, OsString)>,
}

enum Job {
    Process(Running, UnixStream),
    Terminal(Running, terminal::Pty),
    Listener(UnixListener, PathBuf),
    Connection(UnixStream),
}

struct Running {
    child: Child,
    /// How it ended.
    status: Option<ExitStatus>,
}

impl Running {
    fn status(&mut self) -> Option<ExitStatus> {
        if self.status.is_none()
            && let Ok(Some(status)) = self.child.try_wait()
        {
            let signal = status.signal().map(|signal| signal << 8);
            self.status = status.code().or(signal);
        }
        self.status
    }

    /// Waits until the process has ended, but not for long.
    fn wait(&mut self) -> Option<ExitStatus> {
        let deadline = Instant::now() + GRACE;
        while self.status().is_none() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
        self.status
    }

    /// Ends the process and those that it has started.
    fn end(&mut self) -> Option<ExitStatus> {
        // Its pseudo-terminal or pipe is closed: most programs need no more.
        self.wait();
        if let Some(group) = Pid::from_raw(self.child.id().cast_signed()) {
            // The group may have ended, too.
            let _ = kill_process_group(group, Signal::KILL);
        }
        self.wait()
    }
}

impl Job {
    fn running(&mut self) -> Option<&mut Running> {
        match self {
            Self::Process(running, _) | Self::Terminal(running, _) => Some(running),
            Self::Listener(..) | Self::Connection(_) => None,
        }
    }

    /// What bytes come from and go to.
    fn stream(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Process(_, stream) | Self::Connection(stream) => Some(stream.as_fd()),
            Self::Terminal(_, pty) => Some(pty.as_fd()),
            Self::Listener(..) => None,
        }
    }

    /// Transfers bytes by a call that never waits. An end of the stream is one only when
    /// the process has ended, too: another may take its place.
    fn transfer(
        &mut self,
        call: impl FnOnce(BorrowedFd<'_>) -> rustix::io::Result<usize>,
    ) -> Transfer {
        let Some(stream) = self.stream() else {
            return Transfer::Ended;
        };
        let runs = |job: &mut Self| {
            job.running()
                .is_none_or(|process| process.status().is_none())
        };
        match call(stream) {
            Ok(0) if matches!(self, Self::Connection(_)) => Transfer::Ended,
            Ok(0) | Err(Errno::AGAIN | Errno::INTR) if runs(self) => Transfer::NotNow,
            Ok(0) | Err(_) => Transfer::Ended,
            Ok(count) => Transfer::Done(count),
        }
    }

    fn close(self) -> Option<ExitStatus> {
        match self {
            Self::Process(mut running, stream) => {
                drop(stream);
                running.end()
            }
            Self::Terminal(mut running, pty) => {
                drop(pty);
                running.end()
            }
            Self::Listener(listener, path) => {
                drop(listener);
                // Somebody may have removed it.
                let _ = std::fs::remove_file(path);
                None
            }
            Self::Connection(_) => None,
        }
    }
}

impl HostProcesses {
    /// Processes that have these variables, too.
    pub fn with_environment(environment: Vec<(OsString, OsString)>) -> Self {
        Self {
            jobs: Vec::new(),
            environment,
        }
    }

    fn job(&self, job: u16) -> Option<&Job> {
        let index = usize::from(job).checked_sub(FIRST_JOB)?;
        self.jobs.get(index)?.as_ref()
    }

    fn job_mut(&mut self, job: u16) -> Option<&mut Job> {
        let index = usize::from(job).checked_sub(FIRST_JOB)?;
        self.jobs.get_mut(index)?.as_mut()
    }

    /// The number of a new job, or none if it could not be made.
    fn add(&mut self, job: io::Result<Job>) -> Option<u16> {
        let job = match job {
            Ok(job) => job,
            Err(error) => {
                tracing::warn!("Lisp cannot have a process or socket: {error}");
                return None;
            }
        };
        let index = match self.jobs.iter().position(Option::is_none) {
            Some(index) => index,
            None if self.jobs.len() < MAX_JOBS => {
                self.jobs.push(None);
                self.jobs.len() - 1
            }
            None => {
                tracing::warn!("Lisp has {MAX_JOBS} processes and sockets and gets no more");
                job.close();
                return None;
            }
        };
        self.jobs[index] = Some(job);
        Some((index + FIRST_JOB) as u16)
    }
}

/// Variables.
type Environment = [(OsString, OsString)];

/// A shell command with a pipe for standard input, output and errors.
fn process(command: &[u8], directory: &Path, environment: &Environment) -> io::Result<Job> {
    let (ours, theirs) = UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let theirs = OwnedFd::from(theirs);
    let child = Command::new(SHELL)
        .arg("-c")
        .arg(OsStr::from_bytes(command))
        .current_dir(directory)
        .envs(environment.iter().cloned())
        .stdin(theirs.try_clone()?)
        .stdout(theirs.try_clone()?)
        .stderr(theirs)
        .process_group(0)
        .spawn()?;
    let running = Running {
        child,
        status: None,
    };
    Ok(Job::Process(running, ours))
}

/// The user's shell, or a command for it, on a pseudo-terminal.
fn on_terminal(
    kind: &[u8],
    command: &[u8],
    directory: &Path,
    environment: &Environment,
) -> io::Result<Job> {
    let (pty, other_end) = terminal::open().map_err(io::Error::other)?;
    let flags = rustix::fs::fcntl_getfl(&pty)?;
    rustix::fs::fcntl_setfl(&pty, flags | rustix::fs::OFlags::NONBLOCK)?;
    let shell = std::env::var_os("SHELL").filter(|shell| Path::new(shell).is_absolute());
    let mut process = terminal::Command::new(shell.unwrap_or_else(|| SHELL.into()))
        .current_dir(directory)
        .envs(environment.iter().cloned())
        // Start-up files of shells may ask for it (Maiko src/unixfork.c).
        .env("LDESHELL", "YES");
    if !kind.is_empty() {
        process = process.env("TERM", OsStr::from_bytes(kind));
    }
    if !command.is_empty() {
        process = process.args([OsString::from("-c"), OsStr::from_bytes(command).into()]);
    }
    let child = process.spawn(other_end).map_err(io::Error::other)?;
    let running = Running {
        child,
        status: None,
    };
    Ok(Job::Terminal(running, pty))
}

fn listener(path: &[u8]) -> io::Result<Job> {
    let path = PathBuf::from(OsStr::from_bytes(path));
    let listener = UnixListener::bind(&path)?;
    listener.set_nonblocking(true)?;
    Ok(Job::Listener(listener, path))
}

impl Processes for HostProcesses {
    fn start(&mut self, command: &[u8], directory: &Path) -> Option<u16> {
        self.add(process(command, directory, &self.environment))
    }

    fn start_terminal(&mut self, terminal: &[u8], command: &[u8], directory: &Path) -> Option<u16> {
        self.add(on_terminal(terminal, command, directory, &self.environment))
    }

    fn listen(&mut self, path: &[u8]) -> Option<u16> {
        self.add(listener(path))
    }

    fn accept(&mut self, job: u16) -> Option<Option<u16>> {
        let Job::Listener(listener, _) = self.job(job)? else {
            return None;
        };
        match listener.accept() {
            Ok((stream, _)) => {
                let stream = stream.set_nonblocking(true).map(|()| stream);
                self.add(stream.map(Job::Connection)).map(Some)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Some(None),
            Err(_) => None,
        }
    }

    fn kind(&self, job: u16) -> Option<JobKind> {
        Some(match self.job(job)? {
            Job::Process(..) => JobKind::Process,
            Job::Terminal(..) => JobKind::Terminal,
            Job::Listener(..) => JobKind::Listener,
            Job::Connection(_) => JobKind::Connection,
        })
    }

    fn read(&mut self, job: u16, buffer: &mut [u8]) -> Transfer {
        self.job_mut(job).map_or(Transfer::Ended, |job| {
            job.transfer(|stream| rustix::io::read(stream, buffer))
        })
    }

    fn write(&mut self, job: u16, bytes: &[u8]) -> Transfer {
        self.job_mut(job).map_or(Transfer::Ended, |job| {
            job.transfer(|stream| rustix::io::write(stream, bytes))
        })
    }

    fn status(&mut self, job: u16) -> Option<ExitStatus> {
        self.job_mut(job)?.running()?.status()
    }

    fn close(&mut self, job: u16) -> Option<ExitStatus> {
        let index = usize::from(job).checked_sub(FIRST_JOB)?;
        self.jobs.get_mut(index)?.take()?.close()
    }

    fn close_all(&mut self) {
        for job in self.jobs.drain(..).flatten() {
            job.close();
        }
    }

    fn resize(&mut self, job: u16, rows: u16, columns: u16) -> Result<(), i32> {
        let Some(Job::Terminal(running, pty)) = self.job_mut(job) else {
            return Err(0);
        };
        if running.status().is_some() {
            return Err(0);
        }
        // The host tells the process.
        pty.resize(Size::new(rows, columns))
            .map_err(|error| match error {
                pty_process::Error::Rustix(errno) => errno.raw_os_error(),
                _ => 0,
            })
    }
}

impl Drop for HostProcesses {
    fn drop(&mut self) {
        self.close_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads until `wanted` has come or the job has ended.
    fn read_until(processes: &mut HostProcesses, job: u16, wanted: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(20);
        let mut text = Vec::new();
        while Instant::now() < deadline && !String::from_utf8_lossy(&text).contains(wanted) {
            let mut buffer = [0; 512];
            match processes.read(job, &mut buffer) {
                Transfer::Done(count) => text.extend_from_slice(&buffer[..count]),
                Transfer::NotNow => thread::sleep(Duration::from_millis(2)),
                Transfer::Ended => break,
            }
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    const NEVER: &str = "\u{0}";

    #[test]
    fn a_command_on_a_pipe() {
        let mut processes = HostProcesses::default();
        let root = Path::new("/");
        let job = processes.start(b"pwd; read x; echo got $x >&2; exit 3", root);
        let job = job.expect("a job");
        assert_eq!(processes.kind(job), Some(JobKind::Process));
        assert_eq!(read_until(&mut processes, job, "\n"), "/\n");
        let mut nothing = [0; 8];
        assert_eq!(processes.read(job, &mut nothing), Transfer::NotNow);
        assert_eq!(processes.status(job), None);
        assert_eq!(processes.write(job, b"abc\n"), Transfer::Done(4));
        assert_eq!(read_until(&mut processes, job, NEVER), "got abc\n");
        assert_eq!(processes.status(job), Some(3));
        assert_eq!(processes.close(job), Some(3));
        assert_eq!(processes.kind(job), None);
    }

    #[test]
    fn what_does_not_end_is_ended_with_all_that_it_has_started() {
        let mut processes = HostProcesses::default();
        let command = b"trap '' HUP; sleep 100 & echo $!; wait";
        let job = processes.start(command, Path::new("/")).expect("a job");
        let sleeper = read_until(&mut processes, job, "\n");
        let sleeper = Path::new("/proc").join(sleeper.trim());
        assert!(sleeper.exists());
        assert_eq!(processes.close(job), Some(9 << 8));
        let deadline = Instant::now() + Duration::from_secs(20);
        let state = || std::fs::read_to_string(sleeper.join("status")).unwrap_or_default();
        while state().contains("State:\tS") {
            assert!(Instant::now() < deadline, "{}", state());
        }
    }

    #[test]
    fn a_shell_on_a_terminal() {
        let mut processes = HostProcesses::default();
        let command = b"stty size; echo $TERM $LDESHELL; read x; stty size; echo got $x";
        let job = processes.start_terminal(b"vt100", command, Path::new("/"));
        let job = job.expect("a job");
        assert_eq!(processes.kind(job), Some(JobKind::Terminal));
        let begin = read_until(&mut processes, job, "YES\r\n");
        assert!(begin.ends_with("vt100 YES\r\n"), "{begin:?}");
        assert_eq!(processes.resize(job, 30, 100), Ok(()));
        assert_eq!(processes.write(job, b"abc\n"), Transfer::Done(4));
        let end = read_until(&mut processes, job, NEVER);
        assert_eq!(end, "abc\r\n30 100\r\ngot abc\r\n");
        assert_eq!(processes.close(job), Some(0));
        assert_eq!(processes.resize(job, 30, 100), Err(0));
    }

    #[test]
    fn a_socket() {
        let mut processes = HostProcesses::default();
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("socket");
        let name = path.as_os_str().as_bytes();
        let socket = processes.listen(name).expect("a socket");
        assert_eq!(processes.listen(name), None);
        assert_eq!(processes.accept(socket), Some(None));
        let mut other = UnixStream::connect(&path).expect("connected");
        let job = processes.accept(socket).flatten().expect("a connection");
        assert_eq!(processes.kind(job), Some(JobKind::Connection));
        io::Write::write_all(&mut other, b"hello\n").expect("written");
        assert_eq!(read_until(&mut processes, job, "\n"), "hello\n");
        let mut nothing = [0; 8];
        assert_eq!(processes.read(job, &mut nothing), Transfer::NotNow);
        drop(other);
        assert_eq!(processes.read(job, &mut nothing), Transfer::Ended);
        assert_eq!(processes.close(socket), None);
        assert!(!path.exists());
    }

    #[test]
    fn jobs_that_are_none() {
        let mut processes = HostProcesses::default();
        for job in [0, 2, 3, 4, u16::MAX] {
            assert_eq!(processes.read(job, &mut [0]), Transfer::Ended);
            assert_eq!(processes.write(job, b"x"), Transfer::Ended);
            assert_eq!(processes.status(job), None);
            assert_eq!(processes.close(job), None);
            assert_eq!(processes.accept(job), None);
        }
        assert_eq!(processes.start(b"true", Path::new("/no such folder")), None);
    }

    #[test]
    fn jobs_are_bounded() {
        let mut processes = HostProcesses::default();
        let folder = tempfile::tempdir().expect("a folder");
        let mut socket = |n: usize| {
            let path = folder.path().join(n.to_string());
            processes.listen(path.as_os_str().as_bytes())
        };
        assert!((0..MAX_JOBS).all(|n| socket(n).is_some()));
        assert_eq!(socket(MAX_JOBS), None);
    }
}
