//! Names of native code for profilers.
//!
//! `perf report` reads a [map](Form::Map) by itself; it has no machine code, and does not
//! say when code made room for other code. A [dump](Form::Dump) has both; `perf inject`
//! puts it into what `perf record -k 1` recorded.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process;

use memmap2::{Mmap, MmapOptions};
use rustix::time::{ClockId, clock_gettime};

use crate::events::{Event, Listener};

/// Writes name, address and code of what was installed.
type Add = Box<dyn FnMut(&str, usize, &[u8]) -> io::Result<()>>;

/// In which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `/tmp/perf-PID.map`.
    Map,
    /// `/tmp/jit-PID.dump`.
    Dump,
}

impl Form {
    /// The file, whose name the profiler knows.
    pub fn path(self) -> PathBuf {
        let pid = process::id();
        PathBuf::from(match self {
            Self::Map => format!("/tmp/perf-{pid}.map"),
            Self::Dump => format!("/tmp/jit-{pid}.dump"),
        })
    }

    /// Writes the file; what is installed from now on will be in it. When it cannot be
    /// written any more, what is in it remains.
    pub fn listener(self) -> io::Result<Listener> {
        // Who maps a file must be able to read it.
        let mut file = (File::options().read(true).write(true))
            .create(true)
            .truncate(true)
            .open(self.path())?;
        let mut add: Add = match self {
            Self::Map => Box::new(move |name, address, code| {
                writeln!(file, "{address:x} {:x} {name}", code.len())
            }),
            Self::Dump => {
                let mut dump = Dump::new(file)?;
                Box::new(move |name, address, code| dump.add(name, address, code))
            }
        };
        let mut works = true;
        Ok(Box::new(move |name, event| {
            if let Event::Installed { address, code } = *event
                && works
            {
                works = add(&format!("lisp::{name}"), address, code).is_ok();
            }
        }))
    }
}

/// A file with the names and the code of all that was ever installed, in perf's format
/// jitdump (tools/perf/Documentation/jitdump-specification.txt in Linux).
struct Dump {
    file: File,
    count: u64,
    /// Shows the profiler where the file is.
    _marker: Mmap,
}

/// "JiTD", in the host's byte order.
const MAGIC: u32 = 0x4A69_5444;
const VERSION: u32 = 1;
const HEADER_BYTES: u32 = 40;
/// Record that says that code was loaded, and bytes of it in front of the name.
const LOAD: u32 = 0;
const LOAD_BYTES: usize = 56;
/// ELF's number of this host.
const ELF_MACHINE: u32 = if cfg!(target_arch = "aarch64") {
    183
} else {
    62
};

impl Dump {
    fn new(mut file: File) -> io::Result<Self> {
        let mut head = Vec::new();
        for word in [MAGIC, VERSION, HEADER_BYTES, ELF_MACHINE, 0, process::id()] {
            head.extend(word.to_ne_bytes());
        }
        head.extend(now().to_ne_bytes());
        head.extend(0u64.to_ne_bytes());
        // SAFETY: nobody reads or executes the mapping. That it is executable makes the
        // kernel tell the profiler of it.
        let marker = unsafe { MmapOptions::new().len(head.len()).map_exec(&file)? };
        file.write_all(&head)?;
        Ok(Self {
            file,
            count: 0,
            _marker: marker,
        })
    }

    fn add(&mut self, name: &str, address: usize, code: &[u8]) -> io::Result<()> {
        let size = LOAD_BYTES + name.len() + 1 + code.len();
        let mut record = Vec::with_capacity(size);
        record.extend(LOAD.to_ne_bytes());
        record.extend((size as u32).to_ne_bytes());
        record.extend(now().to_ne_bytes());
        // Process and thread.
        record.extend(process::id().to_ne_bytes());
        record.extend(process::id().to_ne_bytes());
        for number in [address, address, code.len()] {
            record.extend((number as u64).to_ne_bytes());
        }
        record.extend(self.count.to_ne_bytes());
        record.extend(name.bytes());
        record.push(0);
        record.extend(code);
        self.count += 1;
        self.file.write_all(&record)
    }
}

/// Nanoseconds on the clock that the profiler is told to use.
fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
