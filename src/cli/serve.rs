//! `geiko serve`.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::watching::LogArgs;
use super::{Cli, Command, config};
use crate::display::window::{Buttons, Palette};
use crate::error::{Error, Status};
use crate::serve::{Manner, Options, random_token, serve as serve_all};
use crate::sessions::Sessions;

/// Shorter tokens could be guessed.
const SHORTEST_TOKEN: usize = 16;

/// What to serve, and how.
#[derive(Debug, Args)]
#[command(after_help = "\
The link that is printed opens the start page or, with one image, its session. Sessions
save beside what geiko sessions lists, unless --save-to is among the options of geiko run.
A session goes on when its tab is closed, unless --on-close says otherwise; control-C
ends the server and its sessions, which are saved first.

Examples:
  geiko serve medley.sysout
  geiko serve ~/medley/loadups -- --autosave 10m --screen 1440x900
  geiko serve --listen 0.0.0.0:1186 --host lisp.example full.sysout")]
pub struct ServeArgs {
    /// Images, and folders of images [default: the current folder]
    #[arg(value_name = "IMAGE")]
    images: Vec<PathBuf>,

    /// Address and port at which browsers find the server; port 0 is any that is free
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:1186")]
    listen: SocketAddr,

    /// What the link has to contain [default: a new random one]
    #[arg(long, value_name = "TEXT", value_parser = token)]
    token: Option<String>,

    /// Whoever reaches the server can use it
    #[arg(long, conflicts_with = "token")]
    no_token: bool,

    /// A name that the server may have in the address of a browser, beside localhost and
    /// numbers; may be repeated
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,

    /// Colours: black-on-white, white-on-black, sepia, green, amber, night, or two such
    /// as #3b2a1a,#f4ecd8
    #[arg(
        long,
        value_name = "NAME",
        default_value = "black-on-white",
        value_parser = Palette::parse
    )]
    palette: Palette,

    /// Buttons of the mouse; with one, Alt makes it the middle one and Super the right one
    #[arg(long, value_enum, default_value_t, value_name = "N")]
    mouse_buttons: Buttons,

    #[command(flatten)]
    log: LogArgs,

    /// Options of geiko run for every session
    #[arg(value_name = "OPTION", last = true)]
    run: Vec<OsString>,
}

fn token(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if text.len() >= SHORTEST_TOKEN && text.chars().all(is_plain) {
        Ok(text.into())
    } else {
        Err(format!(
            "expected {SHORTEST_TOKEN} letters, digits, - and _, or more"
        ))
    }
}

/// Shows sessions in browsers.
pub fn serve(arguments: &ServeArgs) -> Result<Status, Error> {
    arguments.log.begin();
    let line = ["geiko", "run", "IMAGE"].map(OsString::from);
    let says_where = match config::parse([&line[..], &arguments.run].concat())? {
        Ok(Cli {
            command: Some(Command::Run(run)),
            ..
        }) => run.machine.save_to.is_some(),
        Ok(_) => false,
        Err(error) => {
            // A closed pipe is no reason to complain.
            let _ = error.print();
            return Ok(Status::CannotStart);
        }
    };
    let mut images = arguments.images.clone();
    if images.is_empty() {
        images.push(".".into());
    }
    let token = match &arguments.token {
        _ if arguments.no_token => None,
        Some(token) => Some(token.clone()),
        None => Some(random_token().map_err(crate::serve::ServeError::Host)?),
    };
    let options = Options {
        images,
        listen: arguments.listen,
        token,
        hosts: arguments.host.clone(),
        manner: Manner {
            palette: arguments.palette,
            buttons: arguments.mouse_buttons,
        },
        run: arguments.run.clone(),
        says_where,
    };
    let signal = serve_all(options, Sessions::of_user()?)?;
    Ok(Status::asked(128 + signal))
}
