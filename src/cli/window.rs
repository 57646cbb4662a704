//! The window of `geiko run`.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use clap::Args;

use super::{DisplayKind, RunArgs};
use crate::display::window::{Buttons, Desktop, Fit, Palette, Scale, WindowError, WindowOptions};
use crate::error::Error;

/// How the window is to be.
#[derive(Debug, Args)]
#[command(next_help_heading = "Display")]
pub struct WindowArgs {
    /// Window pixels to a screen pixel: auto, or a number such as 2 or 1.5
    #[arg(
        long,
        value_name = "N",
        default_value = "auto",
        value_parser = Scale::parse)]
    scale: Scale,

    /// How the screen fits in a window of another size
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    fit: Fit,

    /// Colours: black-on-white, white-on-black, sepia, green, amber, night, or two such
    /// as #3b2a1a,#f4ecd8
    #[arg(
        long,
        value_name = "NAME",
        default_value = "black-on-white",
        value_parser = Palette::parse)]
    palette: Palette,

    /// Fill the monitor
    #[arg(long)]
    full_screen: bool,

    /// What stands above the window [default: the name of the image]
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,

    /// The X server of the window [default: $DISPLAY]
    #[arg(long, value_name = "NAME")]
    x_display: Option<OsString>,

    /// Buttons of the mouse; with one, Alt makes it the middle one and Super the right one
    #[arg(long, value_enum, default_value_t, value_name = "N")]
    mouse_buttons: Buttons,
}

impl WindowArgs {
    /// A window that shows `image`.
    pub fn options(&self, image: &Path) -> WindowOptions {
        let name = image.file_name().unwrap_or_default().to_string_lossy();
        let title = || format!("{name} - geiko");
        WindowOptions {
            title: self.title.clone().unwrap_or_else(title),
            palette: self.palette,
            scale: self.scale,
            fit: self.fit,
            full_screen: self.full_screen,
            buttons: self.mouse_buttons,
        }
    }
}

/// The variable that names the X server.
const X_DISPLAY: &str = "DISPLAY";

/// The libraries of X know servers from the environment only: starts the program again
/// in another one, if there must be another. Returns only if that is not so.
fn choose_x_display(arguments: &WindowArgs) -> Result<(), Error> {
    let Some(wanted) = &arguments.x_display else {
        return Ok(());
    };
    if std::env::var_os(X_DISPLAY).is_some_and(|name| name == *wanted) {
        return Ok(());
    }
    let mut line = std::env::args_os();
    let name = line.next().unwrap_or_default();
    let program = std::env::current_exe().unwrap_or_else(|_| name.clone().into());
    let error = Command::new(program)
        .arg0(name)
        .args(line)
        .env(X_DISPLAY, wanted)
        .exec();
    Err(WindowError::new(error).into())
}

/// The desktop that the screen is to be shown on, if any.
pub fn desktop(arguments: &RunArgs) -> Result<Option<Desktop>, Error> {
    choose_x_display(&arguments.window)?;
    let kind = match arguments.display {
        _ if arguments.headless => DisplayKind::None,
        DisplayKind::Auto if arguments.script.is_some() => DisplayKind::None,
        kind => kind,
    };
    match kind {
        DisplayKind::None | DisplayKind::Remote => Ok(None),
        DisplayKind::Window => Ok(Some(Desktop::connect()?)),
        DisplayKind::Auto if !has_desktop() => Ok(None),
        DisplayKind::Auto => match Desktop::connect() {
            Ok(desktop) => Ok(Some(desktop)),
            Err(error) => {
                eprintln!("geiko: {error}; nothing is shown");
                Ok(None)
            }
        },
    }
}

/// Whether the environment names a desktop.
fn has_desktop() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(not(all(unix, not(target_os = "macos")))) || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
}
