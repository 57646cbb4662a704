//! UNIX-HANDLECOMM: processes and sockets of the host
//! (`reference/subrs.md` section 6).

use super::{Args, Outcome};
use crate::device::{JobKind, Transfer};
use crate::layout::Generation;
use crate::machine::Machine;
use crate::memory::LispPtr;

/// The highest command, which Lisp takes for a version.
const VERSION: u16 = 15;
/// Bytes that Lisp's buffers have.
const BUFFER_BYTES: usize = 512;
/// The status of a job that has no process, or whose process has not told any.
const NO_STATUS: i32 = -1;

impl<G: Generation> Machine<'_, G> {
    /// UNIX-HANDLECOMM: command and its arguments. What cannot be done answers NIL.
    pub(super) fn subr_handle_comm(&mut self, args: &Args) -> Outcome {
        let value = match self.integer(args.get(0)) {
            Some(0) => self.start_process(args),
            Some(1) => self.write_job_byte(args),
            Some(2) => self.read_job_byte(args),
            Some(3) => self.end_job(args),
            Some(4) => self.start_terminal(&[], &[]),
            Some(5) => {
                self.devices.processes.close_all();
                Some(LispPtr::T)
            }
            Some(6) => self.close_job(args),
            Some(7) => self.job_status(args),
            Some(8) => Some(LispPtr::smallpos(VERSION)),
            Some(9) => self.read_job(args),
            Some(10) => self.resize_job(args),
            Some(11) => self.start_terminal_of(args),
            Some(12) => self.listen(args),
            Some(13) => self.accept(args),
            Some(14) => self.job_kind(args),
            Some(15) => self.write_job(args),
            _ => None,
        };
        Outcome::Value(value.unwrap_or(LispPtr::NIL))
    }

    fn start_process(&mut self, args: &Args) -> Option<LispPtr> {
        let command = self.job_text(args.get(1))?;
        let directory = self.devices.files.current_directory().ok()?;
        let job = self.devices.processes.start(&command, &directory);
        job.map(LispPtr::smallpos)
    }

    fn start_terminal_of(&mut self, args: &Args) -> Option<LispPtr> {
        // No kind and no command are NIL.
        let terminal = self.job_text(args.get(1)).unwrap_or_default();
        let command = self.job_text(args.get(2)).unwrap_or_default();
        self.start_terminal(&terminal, &command)
    }

    fn start_terminal(&mut self, terminal: &[u8], command: &[u8]) -> Option<LispPtr> {
        let directory = self.devices.files.current_directory().ok()?;
        let processes = &mut self.devices.processes;
        let job = processes.start_terminal(terminal, command, &directory);
        job.map(LispPtr::smallpos)
    }

    fn listen(&mut self, args: &Args) -> Option<LispPtr> {
        let path = self.job_text(args.get(1))?;
        self.devices.processes.listen(&path).map(LispPtr::smallpos)
    }

    fn accept(&mut self, args: &Args) -> Option<LispPtr> {
        match self.devices.processes.accept(self.job(args)?)? {
            Some(job) => Some(LispPtr::smallpos(job)),
            None => LispPtr::small(-1),
        }
    }

    fn job_kind(&mut self, args: &Args) -> Option<LispPtr> {
        let number = match self.devices.processes.kind(self.job(args)?)? {
            JobKind::Terminal => -1,
            JobKind::Process => -2,
            JobKind::Listener => -3,
            JobKind::Connection => -4,
        };
        LispPtr::small(number)
    }

    fn write_job_byte(&mut self, args: &Args) -> Option<LispPtr> {
        let byte = self.integer(args.get(2))? as u8;
        match self.devices.processes.write(self.job(args)?, &[byte]) {
            Transfer::Done(_) => Some(LispPtr::smallpos(1)),
            Transfer::NotNow | Transfer::Ended => None,
        }
    }

    fn read_job_byte(&mut self, args: &Args) -> Option<LispPtr> {
        let mut byte = [0];
        let read = self.devices.processes.read(self.job(args)?, &mut byte);
        transferred(read, |_| LispPtr::smallpos(byte[0].into()))
    }

    fn read_job(&mut self, args: &Args) -> Option<LispPtr> {
        let mut buffer = [0; BUFFER_BYTES];
        let to = self.job_buffer(args)?;
        let read = self.devices.processes.read(self.job(args)?, &mut buffer);
        if let Transfer::Done(count) = read {
            self.write_buffer(to, 0, &buffer[..count]);
        }
        transferred(read, |count| LispPtr::smallpos(count as u16))
    }

    fn write_job(&mut self, args: &Args) -> Option<LispPtr> {
        let mut buffer = [0; BUFFER_BYTES];
        let count = usize::try_from(self.integer(args.get(3))?).ok()?;
        let bytes = &mut buffer[..count.min(BUFFER_BYTES)];
        self.read_buffer(self.job_buffer(args)?, 0, bytes);
        let written = self.devices.processes.write(self.job(args)?, bytes);
        transferred(written, |count| LispPtr::smallpos(count as u16))
    }

    /// Status of a process, else -1; T if there is no such job.
    fn end_job(&mut self, args: &Args) -> Option<LispPtr> {
        let job = self.integer(args.get(1))?;
        let processes = &mut self.devices.processes;
        match u16::try_from(job) {
            Ok(job) if processes.kind(job).is_some() => {
                LispPtr::small(processes.close(job).unwrap_or(NO_STATUS))
            }
            _ => Some(LispPtr::T),
        }
    }

    fn close_job(&mut self, args: &Args) -> Option<LispPtr> {
        self.devices.processes.close(self.job(args)?);
        Some(LispPtr::T)
    }

    /// T while the process runs.
    fn job_status(&mut self, args: &Args) -> Option<LispPtr> {
        match self.devices.processes.status(self.job(args)?) {
            Some(status) => LispPtr::small(status),
            None => Some(LispPtr::T),
        }
    }

    /// T, or the host's number for why not.
    fn resize_job(&mut self, args: &Args) -> Option<LispPtr> {
        let size = |index| u16::try_from(self.integer(args.get(index))?).ok();
        let (rows, columns) = (size(2)?, size(3)?);
        match self
            .devices
            .processes
            .resize(self.job(args)?, rows, columns)
        {
            Ok(()) => Some(LispPtr::T),
            Err(0) => None,
            Err(errno) => LispPtr::small(errno),
        }
    }

    /// The number of a job, the first argument of most commands.
    fn job(&self, args: &Args) -> Option<u16> {
        u16::try_from(self.integer(args.get(1))?).ok()
    }

    fn job_buffer(&self, args: &Args) -> Option<LispPtr> {
        self.buffer(args.get(2)).ok()
    }

    /// A string for the host. Characters beyond 8 bits are no bytes of the host's.
    fn job_text(&self, string: LispPtr) -> Option<Vec<u8>> {
        self.file_name(string).ok()
    }
}

/// T if nothing can be transferred now, NIL if nothing can be any more.
fn transferred(transfer: Transfer, done: impl FnOnce(usize) -> LispPtr) -> Option<LispPtr> {
    match transfer {
        Transfer::Done(count) => Some(done(count)),
        Transfer::NotNow => Some(LispPtr::T),
        Transfer::Ended => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::device::{ExitStatus, Processes};
    use crate::layout::{Medley2, Medley3};
    use crate::testing::{string, with_machine};

    /// Jobs that exist are those with even numbers. Reads give `ab`, `NotNow` from job
    /// 4, the end from job 6.
    struct Pretended;

    impl Processes for Pretended {
        fn start(&mut self, command: &[u8], _: &Path) -> Option<u16> {
            (command == b"ls").then_some(2)
        }
        fn start_terminal(&mut self, terminal: &[u8], command: &[u8], _: &Path) -> Option<u16> {
            Some((terminal.len() + 10 * command.len()) as u16)
        }
        fn listen(&mut self, path: &[u8]) -> Option<u16> {
            (path == b"/s").then_some(8)
        }
        fn accept(&mut self, job: u16) -> Option<Option<u16>> {
            match job {
                8 => Some(Some(10)),
                10 => Some(None),
                _ => None,
            }
        }
        fn kind(&self, job: u16) -> Option<JobKind> {
            match job {
                2 => Some(JobKind::Process),
                4 => Some(JobKind::Terminal),
                8 => Some(JobKind::Listener),
                10 => Some(JobKind::Connection),
                _ => None,
            }
        }
        fn read(&mut self, job: u16, buffer: &mut [u8]) -> Transfer {
            let count = buffer.len().min(2);
            buffer[..count].copy_from_slice(&b"ab"[..count]);
            match job {
                2 => Transfer::Done(count),
                4 => Transfer::NotNow,
                _ => Transfer::Ended,
            }
        }
        fn write(&mut self, job: u16, bytes: &[u8]) -> Transfer {
            match job {
                2 if bytes == b"ab" || bytes == b"x" => Transfer::Done(bytes.len()),
                4 => Transfer::NotNow,
                _ => Transfer::Ended,
            }
        }
        fn status(&mut self, job: u16) -> Option<ExitStatus> {
            (job == 2).then_some(7)
        }
        fn close(&mut self, job: u16) -> Option<ExitStatus> {
            (job == 2).then_some(9 << 8)
        }
        fn close_all(&mut self) {}
        fn resize(&mut self, job: u16, rows: u16, columns: u16) -> Result<(), i32> {
            match (job, rows, columns) {
                (4, 24, 80) => Ok(()),
                (4, ..) => Err(22),
                _ => Err(0),
            }
        }
    }

    fn commands<G: Generation>() {
        with_machine::<G>(|mut m| {
            m.devices.processes = Box::new(Pretended);
            let small = |n: i32| LispPtr::small(n).expect("small");
            let buffer = LispPtr(0x31_0000);
            let mut base = LispPtr(0x32_0000);
            let [ls, other, vt, socket] = ["ls", "other", "vt100", "/s"].map(|text| {
                base = base.add(8);
                string(&mut m, base, 8, text.as_bytes())
            });
            let nil = LispPtr::NIL;
            let t = LispPtr::T;
            let mut is = |command: i32, args: &[LispPtr], expected: LispPtr| {
                let all = [small(command)].into_iter().chain(args.iter().copied());
                let answer = m.call_subr(117, &Args::new(all));
                assert_eq!(answer, Outcome::Value(expected), "{command} {args:?}");
            };
            is(0, &[ls], small(2));
            is(0, &[other], nil);
            is(0, &[nil], nil);
            is(1, &[small(2), small(120)], small(1));
            is(1, &[small(6), small(120)], nil);
            is(2, &[small(2)], small(97));
            is(2, &[small(4)], t);
            is(2, &[small(6)], nil);
            is(3, &[small(2)], small(9 << 8));
            is(3, &[small(4)], small(-1));
            is(3, &[small(6)], t);
            is(3, &[small(-6)], t);
            is(4, &[], small(0));
            is(5, &[], t);
            is(6, &[small(2)], t);
            is(7, &[small(2)], small(7));
            is(7, &[small(4)], t);
            is(8, &[], small(15));
            is(9, &[small(2), buffer], small(2));
            is(9, &[small(4), buffer], t);
            is(9, &[small(6), buffer], nil);
            is(9, &[small(2), nil], nil);
            is(10, &[small(4), small(24), small(80)], t);
            is(10, &[small(4), small(0), small(80)], small(22));
            is(10, &[small(2), small(24), small(80)], nil);
            is(11, &[vt, ls], small(25));
            is(11, &[nil, nil], small(0));
            is(12, &[socket], small(8));
            is(12, &[other], nil);
            is(13, &[small(8)], small(10));
            is(13, &[small(10)], small(-1));
            is(13, &[small(2)], nil);
            is(14, &[small(4)], small(-1));
            is(14, &[small(2)], small(-2));
            is(14, &[small(8)], small(-3));
            is(14, &[small(10)], small(-4));
            is(14, &[small(6)], nil);
            is(15, &[small(2), buffer, small(2)], small(2));
            is(15, &[small(4), buffer, small(2)], t);
            is(15, &[small(2), buffer, small(-1)], nil);
            is(16, &[], nil);
            is(-1, &[], nil);
        });
    }

    #[test]
    fn commands_of_both_generations() {
        commands::<Medley2>();
        commands::<Medley3>();
    }
}
