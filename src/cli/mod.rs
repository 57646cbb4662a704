//! The command line.

mod audit;
mod bench;
mod config;
mod disasm;
mod forge;
mod generate;
mod host;
mod info;
mod lisp;
mod machine;
mod maiko;
mod memory;
mod native;
mod output;
mod run;
mod serve;
mod sessions;
mod shrink;
mod watching;
mod window;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::clipboard;
use crate::display::ScreenSize;
use crate::error::{Error, Status};
use crate::script;
use crate::session::ClockKind;
use host::HostArgs;

/// A virtual machine for Medley Interlisp images, and a Lisp of its own.
///
/// Without a file it is that Lisp: a prompt on a terminal, else the forms of the
/// standard input are evaluated and their values printed.
#[derive(Debug, Parser)]
#[command(
    version,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    override_usage = "geiko                                 Lisp
       geiko eval FORM...                    values of forms
       geiko [run] FILE.lisp [ARGUMENT...]   a program
       geiko [run] IMAGE [OPTIONS]           an image
       geiko COMMAND ...",
    after_help = EXAMPLES
)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: RunArgs,
}

const EXAMPLES: &str = "\
Examples:
  geiko                       a Lisp prompt; control-C interrupts, control-D ends
  geiko eval '(expt 2 100)'
  echo '(+ 3 4)' | geiko
  geiko hello.lisp World
  geiko lisp.sysout --headless --script test.geiko
  geiko serve medley.sysout   the screen in a web browser
  geiko run --help            the options of run and the script language
  geiko info lisp.sysout      what is in an image

Exit status: 0 success, 1 Lisp or a script reported failure, 2 could not start,
3 fault of the image (a report is written), 4 an image was not saved, 124 time
limit, 130 control-C.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Open an image or run a program in Lisp (the default)
    #[command(after_help = script::HELP)]
    Run(Box<RunArgs>),
    /// Evaluate forms in the built-in Lisp and print their values
    Eval(lisp::EvalArgs),
    /// Tell what an image is and holds, without running it
    Info(InfoArgs),
    /// List the code of functions of an image
    Disasm(DisasmArgs),
    /// Check what an image says about itself: reference counts against a
    /// recount, free lists, array space; status 1 if it is not sound
    Audit(AuditArgs),
    /// Make an image small: what is free becomes holes in the file, or leaves it; nothing in
    /// use changes
    Shrink(shrink::ShrinkArgs),
    /// Make an image of a program in Lisp
    Forge(forge::ForgeArgs),
    /// Measure how fast Lisp is: benchmark programs, interpreted and as native code
    Bench(bench::BenchArgs),
    /// Show sessions in web browsers
    Serve(serve::ServeArgs),
    /// List, resume, rename or remove sessions; what was saved of those that ended from
    /// outside is kept until it is removed
    Sessions(sessions::SessionsArgs),
    /// Give a running session an order
    Ctl(sessions::CtlArgs),
    /// Print the settings: where the file is, and what the file and the environment say
    Config,
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page, or write one for each command into a folder
    Man {
        /// The folder
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
}

/// What to tell.
#[derive(Debug, Args)]
struct InfoArgs {
    /// The image
    #[arg(value_name = "IMAGE")]
    image: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What to list.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  geiko disasm lisp.sysout il:reverse cl:apply '\\EVALFORM'
  geiko disasm lisp.sysout '#14,5f44'     the code block at that address
  geiko disasm --jit reverse              a function of the built-in Lisp")]
struct DisasmArgs {
    /// The image, if there is a file with that name [default: the built-in Lisp]
    #[arg(value_name = "IMAGE")]
    image: Option<PathBuf>,
    /// Functions, such as REVERSE, CL:APPLY or throw, whatever its package; #HI,LO is an address
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// List every function that is the definition of a symbol
    #[arg(long, conflicts_with = "names")]
    all: bool,
    /// Show what native code a function gets at first: under each instruction Cranelift's
    /// intermediate language, and beside it machine code
    #[arg(long)]
    jit: bool,
}

/// What to audit.
#[derive(Debug, Args)]
struct AuditArgs {
    /// The image
    #[arg(value_name = "IMAGE")]
    image: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// List every object whose stored count is not what the recount found
    #[arg(long)]
    differences: bool,
}

/// What to run, and how.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The image, often called sysout, or a program in Lisp [default: the prompt of
    /// the built-in Lisp]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,

    /// Strings for the program, the value of *arguments*; -- in front of those that
    /// begin with a dash
    #[arg(value_name = "ARGUMENT", requires = "file")]
    arguments: Vec<String>,

    #[command(flatten)]
    lisp: lisp::LispArgs,

    /// Where the screen is shown
    #[arg(
        long,
        short,
        value_enum,
        default_value_t,
        value_name = "WHERE",
        help_heading = "Display"
    )]
    display: DisplayKind,

    /// Short for --display none
    #[arg(long, conflicts_with = "display", help_heading = "Display")]
    headless: bool,

    /// Size of the screen; the width is rounded up to a multiple of 32
    #[arg(
        long,
        short,
        value_name = "WxH",
        default_value = "1024x768",
        value_parser = ScreenSize::parse,
        help_heading = "Display"
    )]
    screen: ScreenSize,

    /// Write the screen to a PNG file when the session ends
    #[arg(long, value_name = "FILE", requires = "file", help_heading = "Display")]
    screenshot: Option<PathBuf>,

    /// Do what a script says, then end the session; - is standard input
    #[arg(long, value_name = "FILE", requires = "file", help_heading = "Batch")]
    script: Option<PathBuf>,

    #[command(flatten)]
    window: window::WindowArgs,

    #[command(flatten)]
    keep: sessions::KeepArgs,

    #[command(flatten)]
    machine: MachineArgs,
}

/// How a machine is to be.
#[derive(Debug, Args)]
pub struct MachineArgs {
    /// Memory for Lisp in megabytes [default: what the image asks for]
    #[arg(long, short, value_name = "MB", help_heading = "Image")]
    memory: Option<u32>,

    /// Share the memory of the image with other processes, by a converted copy in the
    /// user's cache
    #[arg(long, help_heading = "Image")]
    share_image: bool,

    /// Where (IL:LOGOUT) and (IL:SAVEVM) save [default: $LDEDESTSYSOUT, else
    /// ~/lisp.virtualmem]
    #[arg(long, value_name = "FILE", help_heading = "Image")]
    save_to: Option<PathBuf>,

    /// Make images small when they have been saved, as geiko shrink does
    #[arg(long, help_heading = "Image")]
    shrink_on_save: bool,

    #[command(flatten)]
    host: HostArgs,

    /// End the session with status 124 after this time, such as 90s or 5m
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = "Batch")]
    timeout: Option<Duration>,

    /// The clock that Lisp sees
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "KIND",
        help_heading = "Batch"
    )]
    clock: ClockKind,

    #[command(flatten)]
    native: native::NativeArgs,

    #[command(flatten)]
    bounds: memory::MemoryArgs,

    #[command(flatten)]
    watching: watching::WatchingArgs,
}

/// Where the screen can be shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum DisplayKind {
    /// In a window, if there is a desktop and no script
    #[default]
    Auto,
    /// In a window
    Window,
    /// Nowhere: scripts and screenshots still see it
    None,
    /// Where the socket leads that is standard input, to geiko serve
    #[value(hide = true)]
    Remote,
}

fn time(text: &str) -> Result<Duration, &'static str> {
    script::duration(text).ok_or("expected a time such as 500ms, 90s or 5m")
}

/// Runs the program.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    let program = arguments.first().map(OsString::as_os_str);
    if program.is_some_and(clipboard::is_called_so) {
        return clipboard::main(&arguments);
    }
    if program.is_some_and(maiko::is_called_so) {
        let given = arguments.split_off(1);
        match maiko::translate(given, |name| std::env::var_os(name)) {
            maiko::Translated::Run(translated) => arguments = translated,
            maiko::Translated::Print(text) => {
                return end(output::text(&text).map(|()| Status::Success));
            }
            maiko::Translated::Wrong(text) => {
                eprintln!("lde: {text}");
                return Status::CannotStart.into();
            }
        }
    }
    let parsed = match config::parse(arguments) {
        Ok(parsed) => parsed,
        Err(error) => return end(Err(error)),
    };
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => {
            // A closed pipe is no reason to complain.
            let _ = error.print();
            return match error.exit_code() {
                0 => Status::Success.into(),
                _ => Status::CannotStart.into(),
            };
        }
    };
    end(execute(cli))
}

/// How the program ends.
fn end(result: Result<Status, Error>) -> ExitCode {
    match result {
        Ok(status) => status.into(),
        Err(error) => {
            eprintln!("{}", error.message());
            error.status().into()
        }
    }
}

fn execute(cli: Cli) -> Result<Status, Error> {
    match cli.command {
        None => run::run(&cli.run),
        Some(Command::Run(arguments)) => run::run(&arguments),
        Some(Command::Eval(arguments)) => lisp::eval(&arguments),
        Some(Command::Info(arguments)) => info::info(&arguments),
        Some(Command::Disasm(arguments)) => disasm::disasm(&arguments),
        Some(Command::Audit(arguments)) => audit::audit(&arguments),
        Some(Command::Shrink(arguments)) => shrink::shrink(&arguments),
        Some(Command::Forge(arguments)) => forge::forge(&arguments),
        Some(Command::Bench(arguments)) => bench::bench(&arguments),
        Some(Command::Serve(arguments)) => serve::serve(&arguments),
        Some(Command::Sessions(arguments)) => sessions::sessions(&arguments),
        Some(Command::Ctl(arguments)) => sessions::ctl(&arguments),
        Some(Command::Config) => config::config(),
        Some(Command::Completions { shell }) => generate::completions(shell),
        Some(Command::Man { folder }) => generate::manual(folder.as_deref()),
    }
}
