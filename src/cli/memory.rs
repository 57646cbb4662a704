//! Who gets how much memory, and who has it.

use clap::Args;
use geiko_region::{ProgramMemory, Usage};
use geiko_runtime::accounts::Account;
use geiko_runtime::gc::BackupMode;
use geiko_runtime::heap::ArrayPolicy;
use geiko_runtime::image::{ImageFile, MemorySize};
use geiko_runtime::memory::BYTES_PER_PAGE;

use super::MachineArgs;
use crate::error::Error;

/// Bytes of a megabyte.
const MEGABYTE: u64 = 1 << 20;
/// Least megabytes for Lisp.
const LEAST_LISP: u32 = 8;
/// Least megabytes for native code, and for the program.
const LEAST_CODE: u32 = 1;
const LEAST_PROGRAM: u32 = 4;

/// Bytes of tables beside Lisp's memory for each of its pages, at most: colours, free list cells, and
/// whether there is native code.
const TABLE_BYTES: u32 = 32 + 16 + 1;

/// How memory stays bounded.
#[derive(Debug, Args)]
#[command(next_help_heading = "Memory")]
pub struct MemoryArgs {
    /// Most memory for Lisp, native code and the program together, in megabytes; of it
    /// Lisp gets --memory, or half if the image asks for more
    #[arg(long, value_name = "MB")]
    memory_limit: Option<u32>,

    /// What is done about circles of garbage, which reference counts never free
    #[arg(long, value_name = "WHAT", default_value = "on")]
    gc_backup: UseBackup,

    /// Who finds room for arrays among what was freed
    #[arg(
        long,
        value_name = "WHO",
        default_value = "maiko",
        conflicts_with = "lockstep"
    )]
    array_policy: UseArrays,
}

impl MemoryArgs {
    /// What the backup collector shall do.
    pub fn backup(&self) -> BackupMode {
        self.gc_backup.into()
    }

    /// Who shall find room for arrays.
    pub fn arrays(&self) -> ArrayPolicy {
        self.array_policy.into()
    }
}

/// What the backup collector does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum UseBackup {
    /// Nothing
    Off,
    /// They are counted, for --stats
    Report,
    /// They are freed
    On,
}

impl From<UseBackup> for BackupMode {
    fn from(wanted: UseBackup) -> Self {
        match wanted {
            UseBackup::Off => Self::Off,
            UseBackup::Report => Self::Report,
            UseBackup::On => Self::On,
        }
    }
}

/// Who finds free blocks of array space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum UseArrays {
    /// Lisp, which takes the first that is large enough, as with Maiko
    Maiko,
    /// The machine, which takes one that fits, without a search
    Segmented,
}

impl From<UseArrays> for ArrayPolicy {
    fn from(wanted: UseArrays) -> Self {
        match wanted {
            UseArrays::Maiko => Self::Maiko,
            UseArrays::Segmented => Self::Segmented,
        }
    }
}

/// The parts of all memory.
pub struct Shares {
    /// What Lisp may use.
    pub lisp: MemorySize,
    /// What native code may take.
    pub code_bytes: usize,
}

impl Shares {
    /// What is asked for, within the limit if there is one. From then on the program keeps to
    /// its own part.
    pub fn of(image: &ImageFile, arguments: &MachineArgs) -> Result<Self, Error> {
        let mut lisp = image.memory_size(arguments.memory)?;
        let mut code_bytes = arguments.native.cache_bytes();
        if let Some(limit) = arguments.bounds.memory_limit {
            let half = (limit / 2).max(LEAST_LISP);
            if arguments.memory.is_none() && lisp.megabytes > half {
                lisp = image.memory_size(Some(half))?;
            }
            let tables = (lisp.megabytes * TABLE_BYTES).div_ceil(BYTES_PER_PAGE as u32);
            let fixed = lisp.megabytes + tables;
            let needed = fixed + LEAST_CODE + LEAST_PROGRAM;
            let Some(rest) = limit.checked_sub(needed) else {
                let lisp = lisp.megabytes;
                return Err(Error::MemoryLimit {
                    limit,
                    lisp,
                    needed,
                });
            };
            let most_code = (u64::from(LEAST_CODE + rest / 2) * MEGABYTE) as usize;
            code_bytes = code_bytes.min(most_code);
            let others = u64::from(fixed) * MEGABYTE + code_bytes as u64;
            ProgramMemory::set_limit(u64::from(limit) * MEGABYTE - others);
        }
        Ok(Self { lisp, code_bytes })
    }
}

/// Prints who has how much, which is all the memory that Lisp and the program have taken: pages of
/// the image, native code, and what the program has allocated, by account.
pub fn print_statistics(lisp: MemorySize, pages: u32, (code, most_code): (usize, usize)) {
    let lisp_bytes = u64::from(pages) * BYTES_PER_PAGE as u64;
    let usage = ProgramMemory::usage();
    let own: u64 = usage.iter().map(|usage| usage.bytes).sum();
    eprintln!(
        "memory       {:10} bytes in use",
        lisp_bytes + code as u64 + own
    );
    let most_lisp = u64::from(lisp.megabytes) * MEGABYTE;
    eprintln!("  Lisp       {lisp_bytes:10} of {most_lisp}");
    eprintln!("  code       {code:10} of {most_code} for native code");
    for account in Account::ALL {
        let Usage { blocks, bytes } = usage[account as usize];
        eprintln!("  {:10} {bytes:10} in {blocks} blocks", account.name());
    }
    eprintln!(
        "program      {:10} bytes, at most {}; {} in mappings of their own",
        ProgramMemory::used(),
        ProgramMemory::peak(),
        ProgramMemory::outside()
    );
    let (_, beyond) = ProgramMemory::beyond();
    if beyond > 0 {
        eprintln!("beyond       {beyond:10} bytes over the limit, at most");
    }
}
