//! Character devices: bytes as they come, never waiting.

use crate::device::{FileError, FileResult};
use crate::layout::Generation;
use crate::machine::Machine;
use crate::memory::LispPtr;
use crate::subr::{Args, Outcome};

/// Most bytes of one transfer; the count that Lisp gets is a small integer.
const MAX_TRANSFER: u32 = 0xFFFF;

impl<G: Generation> Machine<'_, G> {
    /// CHAR-OPENFILE: host name, access, error cell. Answers the descriptor.
    pub(in crate::subr) fn subr_char_open(&mut self, args: &Args) -> Outcome {
        let opened = self.file_name(args.get(0)).and_then(|name| {
            let access = self.access(args.get(1))?;
            self.devices.files.char_open(&name, access)
        });
        self.file_value(opened.map(LispPtr::smallpos), args.get(2))
    }

    /// CHAR-CLOSEFILE: descriptor, error cell.
    pub(in crate::subr) fn subr_char_close(&mut self, args: &Args) -> Outcome {
        let closed = self
            .descriptor(args.get(0))
            .and_then(|descriptor| self.devices.files.close(descriptor, None));
        self.file_success(closed, args.get(1))
    }

    /// CHAR-IOCTL: descriptor, request, data, error cell. Requests are numbers of
    /// the host that Lisp was built on and the data its records; none has a meaning
    /// here.
    pub(in crate::subr) fn subr_char_ioctl(&mut self, args: &Args) -> Outcome {
        self.file_success(Err(FileError::NO_SUCH_OPERATION), args.get(3))
    }

    /// CHAR-BIN: descriptor, error cell. Answers the byte.
    pub(in crate::subr) fn subr_char_bin(&mut self, args: &Args) -> Outcome {
        let mut byte = [0];
        let read = self
            .descriptor(args.get(0))
            .and_then(|descriptor| self.devices.files.char_read(descriptor, &mut byte));
        let value = read.map(|_| LispPtr::smallpos(u16::from(byte[0])));
        self.file_value(value, args.get(1))
    }

    /// CHAR-BOUT: descriptor, byte, error cell.
    pub(in crate::subr) fn subr_char_bout(&mut self, args: &Args) -> Outcome {
        let written = self.descriptor(args.get(0)).and_then(|descriptor| {
            let byte = self.file_number(args.get(1))? as u8;
            self.devices.files.char_write(descriptor, &[byte])
        });
        self.file_success(written.map(|_| ()), args.get(2))
    }

    /// CHAR-BINS: descriptor, buffer, offset, number of bytes, error cell. Answers
    /// how many came.
    pub(in crate::subr) fn subr_char_bins(&mut self, args: &Args) -> Outcome {
        let count = self.char_transfer(args).and_then(|transfer| {
            let Transfer {
                descriptor,
                address,
                offset,
                mut bytes,
            } = transfer;
            let count = self.devices.files.char_read(descriptor, &mut bytes)?;
            self.write_buffer(address, offset, &bytes[..count]);
            Ok(LispPtr::smallpos(count as u16))
        });
        self.file_value(count, args.get(4))
    }

    /// CHAR-BOUTS: descriptor, buffer, offset, number of bytes, error cell. Answers
    /// how many went.
    pub(in crate::subr) fn subr_char_bouts(&mut self, args: &Args) -> Outcome {
        let count = self.char_transfer(args).and_then(|mut transfer| {
            self.read_buffer(transfer.address, transfer.offset, &mut transfer.bytes);
            self.devices
                .files
                .char_write(transfer.descriptor, &transfer.bytes)
        });
        self.file_value(
            count.map(|count| LispPtr::smallpos(count as u16)),
            args.get(4),
        )
    }

    fn char_transfer(&self, args: &Args) -> FileResult<Transfer> {
        let count = self.file_size(args.get(3))?.min(MAX_TRANSFER);
        Ok(Transfer {
            descriptor: self.descriptor(args.get(0))?,
            address: self.buffer(args.get(1))?,
            offset: self.file_number(args.get(2))?,
            bytes: vec![0; count as usize],
        })
    }
}

/// A transfer between a device and Lisp memory.
struct Transfer {
    descriptor: u16,
    address: LispPtr,
    /// In bytes.
    offset: i32,
    bytes: Vec<u8>,
}
