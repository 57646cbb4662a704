//! What is told of the work of the program and of the machine.

use std::path::PathBuf;

use clap::Args;
use tracing_subscriber::filter::Targets;

use crate::log;

/// What is told of the machine.
#[derive(Debug, Args)]
#[command(next_help_heading = "Watching")]
pub struct WatchingArgs {
    /// Folder for the report of a guest fault
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub crash_report_dir: PathBuf,

    /// For tests: collect garbage as soon as there may be any, and spoil what is freed
    #[arg(long)]
    pub gc_zeal: bool,

    /// Print what the machine has done when the session ends
    #[arg(long)]
    pub stats: bool,

    /// Count byte codes, interpreted and executed natively, for --stats. Lisp becomes
    /// slower
    #[arg(long, requires = "stats")]
    pub count: bool,

    #[command(flatten)]
    pub log: LogArgs,
}

/// What the program tells of itself.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// What the program tells of itself on standard error: off, error, warn, info, debug,
    /// trace, or more for some parts, such as geiko=debug
    #[arg(
        long,
        value_name = "LEVEL",
        default_value = "error",
        value_parser = log::parse)]
    log: Targets,
}

impl LogArgs {
    /// From now on it is told.
    pub fn begin(&self) {
        log::begin(&self.log);
    }
}
