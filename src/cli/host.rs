//! What Lisp may do on the host.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::devices::host::Rights;

/// What Lisp may do on the host.
#[derive(Debug, Args)]
#[command(next_help_heading = "Host")]
pub struct HostArgs {
    /// What Lisp may do with files
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    fs: FileUse,

    /// Show Lisp this folder as the root of all files, and nothing outside it
    #[arg(long, value_name = "DIR")]
    fs_root: Option<PathBuf>,

    /// Lisp gets no shell commands, terminals or sockets; nor does it with --fs readonly
    /// or --fs-root, which these would get round
    #[arg(long)]
    no_processes: bool,
}

/// What may be done with files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum FileUse {
    /// All that the user may
    #[default]
    Full,
    /// Only read them
    Readonly,
}

impl HostArgs {
    /// The rights that these options leave.
    pub fn rights(&self) -> Rights {
        let read_only = self.fs == FileUse::Readonly;
        Rights {
            root: self.fs_root.clone(),
            read_only,
            processes: !self.no_processes && !read_only && self.fs_root.is_none(),
        }
    }
}
