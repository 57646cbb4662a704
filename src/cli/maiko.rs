//! The program under Maiko's names: `lde` and those that begin so. It takes Maiko's
//! options and environment, so that what starts Maiko starts geiko without knowing.
//!
//! Facts: Maiko src/main.c and src/xrdopt.c; Medley's launcher, scripts/medley.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::display::ScreenSize;

/// What an option of Maiko's means here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// The image.
    Image,
    /// An option of `geiko run` that takes the same value.
    Same(&'static str),
    /// The size of the screen.
    Screen,
    /// The colour of ink.
    Ink,
    /// The colour of paper.
    Paper,
    /// Nothing; it has a value.
    Value,
    /// Nothing.
    Nothing,
    /// The version is printed.
    Info,
    /// These options are listed.
    Help,
}
use Meaning::{Help, Image, Info, Ink, Nothing, Paper, Same, Screen, Value};

/// Maiko's options, in lower case.
const OPTIONS: &[(&str, Meaning)] = &[
    ("-sysout", Image),
    ("-m", Same("--memory")),
    ("-sc", Screen),
    ("-screen", Screen),
    ("-t", Same("--title")),
    ("-title", Same("--title")),
    ("-pixelscale", Same("--scale")),
    ("-fg", Ink),
    ("-foreground", Ink),
    ("-bg", Paper),
    ("-background", Paper),
    ("-d", Same(DISPLAY_OPTION)),
    ("-display", Same(DISPLAY_OPTION)),
    ("-info", Info),
    ("-help", Help),
    ("-h", Help),
    // The launcher's name for the session.
    ("-id", Value),
    // Of X, of networks and of Maiko's own insides.
    ("-g", Value),
    ("-geometry", Value),
    ("-bw", Value),
    ("-borderwidth", Value),
    ("-cursorcolor", Value),
    ("-it", Value),
    ("-icontitle", Value),
    ("-ibm", Value),
    ("-iconbitmap", Value),
    ("-autorepeat", Value),
    ("-timer", Value),
    ("-xpages", Value),
    ("-e", Value),
    ("-ethernet", Value),
    ("-nh-host", Value),
    ("-nh-port", Value),
    ("-nh-mac", Value),
    ("-nh-loglevel", Value),
    ("-intr-emu-insns", Value),
    ("-nf", Nothing),
    ("-nofork", Nothing),
    ("-noscroll", Nothing),
    ("-init", Nothing),
    ("-xsync", Nothing),
];

/// The option of `geiko run` for an X server.
const DISPLAY_OPTION: &str = "--x-display";

/// Variables that name the image, in the order in which they count.
const IMAGE_VARIABLES: [&str; 2] = ["LDESRCESYSOUT", "LDESOURCESYSOUT"];
/// The image in the home folder when nobody names one.
const IMAGE_AT_HOME: &str = "lisp.virtualmem";

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Translated {
    /// Run with these arguments instead.
    Run(Vec<OsString>),
    /// Print this.
    Print(String),
    /// There is something wrong.
    Wrong(String),
}

/// Whether the program was started under one of Maiko's names.
pub fn is_called_so(program: &OsStr) -> bool {
    let name = Path::new(program).file_stem().unwrap_or_default();
    name.to_string_lossy().starts_with("lde")
}

/// What Maiko's arguments, behind the program's name, mean. Options that Maiko does not
/// have are passed over, as Maiko does.
pub fn translate(
    arguments: impl IntoIterator<Item = OsString>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Translated {
    let mut arguments = arguments.into_iter().peekable();
    let mut image: Option<PathBuf> = None;
    let first = arguments.next_if(|first| !first.as_encoded_bytes().starts_with(b"-"));
    let mut options: Vec<OsString> = Vec::new();
    let mut colours = [None, None];
    while let Some(argument) = arguments.next() {
        let name = argument.to_string_lossy().to_lowercase();
        let Some(&(_, meaning)) = OPTIONS.iter().find(|(known, _)| *known == name) else {
            continue;
        };
        match meaning {
            Nothing => continue,
            Info => return Translated::Print(information()),
            Help => return Translated::Print(help()),
            _ => {}
        }
        let Some(value) = arguments.next() else {
            return Translated::Wrong(format!("Missing argument after {name}"));
        };
        match meaning {
            Image => image = Some(value.into()),
            Same(option) => options.extend([option.into(), value]),
            Screen => match screen(&value.to_string_lossy()) {
                Some(size) => {
                    let size = format!("{}x{}", size.width, size.height);
                    options.extend(["--screen".into(), size.into()]);
                }
                None => {
                    let value = value.display();
                    return Translated::Wrong(format!("Could not parse {name} argument {value}"));
                }
            },
            Ink => colours[0] = Some(value),
            Paper => colours[1] = Some(value),
            Value | Nothing | Info | Help => {}
        }
    }
    options.extend(palette(&colours));
    let named = || {
        let mut variables = IMAGE_VARIABLES.iter();
        variables.find_map(|name| variable(name).filter(|value| !value.is_empty()))
    };
    let at_home = || Some(Path::new(&variable("HOME")?).join(IMAGE_AT_HOME));
    let image = image
        .or_else(|| first.map(PathBuf::from))
        .or_else(|| named().map(PathBuf::from))
        .or_else(at_home);
    match image {
        Some(image) => {
            let run = ["geiko".into(), "run".into(), image.into_os_string()];
            Translated::Run(run.into_iter().chain(options).collect())
        }
        None => Translated::Wrong("Couldn't find a sysout to run".into()),
    }
}

/// The size of a screen, perhaps with a place; Maiko cuts off what there is no room for.
fn screen(text: &str) -> Option<ScreenSize> {
    let size = text.split(['+', '-']).next()?;
    let (width, height) = size.split_once(['x', 'X'])?;
    let (width, height): (u32, u32) = (width.parse().ok()?, height.parse().ok()?);
    (width > 0 && height > 0).then(|| ScreenSize::nearest(width, height))
}

/// The option for colours, if they are given as numbers; the names of X stay unknown but
/// for two.
fn palette(colours: &[Option<OsString>; 2]) -> Option<OsString> {
    let [ink, paper] = colours;
    if ink.is_none() && paper.is_none() {
        return None;
    }
    let number = |colour: &Option<OsString>, otherwise: &str| {
        let text = colour
            .as_ref()
            .map(|colour| colour.to_string_lossy().to_lowercase());
        match text.as_deref() {
            Some("black") => Some("#000000".into()),
            Some("white") => Some("#ffffff".into()),
            Some(text) if text.starts_with('#') && text.len() == 7 => Some(text.to_owned()),
            Some(_) => None,
            None => Some(otherwise.to_owned()),
        }
    };
    let (ink, paper) = (number(ink, "#000000")?, number(paper, "#ffffff")?);
    Some(format!("--palette={ink},{paper}").into())
}

fn information() -> String {
    format!(
        "geiko {}, which stands in for Maiko\n",
        env!("CARGO_PKG_VERSION")
    )
}

fn help() -> String {
    let names = |wanted: fn(&Meaning) -> bool| {
        let options = OPTIONS.iter().filter(|(_, meaning)| wanted(meaning));
        let names: Vec<_> = options.map(|(name, _)| *name).collect();
        names.join(" ")
    };
    format!(
        "geiko in the place of Maiko: lde [SYSOUT] [OPTION...]\n\
         \x20 options       {}\n\
         \x20 passed over   {}\n\
         geiko --help tells more.\n",
        names(|meaning| !matches!(meaning, Value | Nothing)),
        names(|meaning| matches!(meaning, Value | Nothing)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(line: &str, variables: &[(&str, &str)]) -> String {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name)?;
            Some(found.1.into())
        };
        let words = line.split_whitespace().map(OsString::from);
        match translate(words, variable) {
            Translated::Run(arguments) => {
                let words: Vec<_> = arguments.iter().map(|a| a.to_string_lossy()).collect();
                words.join(" ")
            }
            Translated::Print(text) => format!("prints {text}"),
            Translated::Wrong(text) => text,
        }
    }

    #[test]
    fn names() {
        for (name, so) in [
            ("/usr/bin/lde", true),
            ("ldex", true),
            ("ldesdl", true),
            ("ldeinit", true),
            ("geiko", false),
        ] {
            assert_eq!(is_called_so(OsStr::new(name)), so, "{name}");
        }
    }

    #[test]
    fn what_the_launcher_says() {
        let line = "/m/full.sysout -id default -title Medley -g 1462x922 -sc 1440x900 -m 256 \
                    -noscroll -nh-host localhost -NF";
        assert_eq!(
            translated(line, &[("LDESRCESYSOUT", "/other")]),
            "geiko run /m/full.sysout --title Medley --screen 1440x900 --memory 256"
        );
    }

    #[test]
    fn images_are_named_in_five_ways() {
        let home = ("HOME", "/h");
        let old = ("LDESOURCESYSOUT", "/old");
        let new = ("LDESRCESYSOUT", "/new");
        for (line, variables, image) in [
            ("/a -sysout /b", &[new, old, home][..], "/b"),
            ("/a -xsync", &[new, old, home], "/a"),
            ("", &[new, old, home], "/new"),
            ("-nonsense", &[old, home], "/old"),
            ("", &[("LDESRCESYSOUT", ""), home], "/h/lisp.virtualmem"),
        ] {
            let expected = format!("geiko run {image}");
            assert_eq!(translated(line, variables), expected, "{line}");
        }
        assert_eq!(translated("", &[]), "Couldn't find a sysout to run");
    }

    #[test]
    fn values_are_read_as_maiko_reads_them() {
        for (line, expected) in [
            ("a -sc 1000x700+5+5", "geiko run a --screen 1024x700"),
            ("a -SC 4096x4096", "geiko run a --screen 2048x1024"),
            ("a -sc 10", "Could not parse -sc argument 10"),
            ("a -m", "Missing argument after -m"),
            (
                "a -fg #102030 -bg white",
                "geiko run a --palette=#102030,#ffffff",
            ),
            ("a -fg papayawhip", "geiko run a"),
            ("a -pixelscale 2", "geiko run a --scale 2"),
        ] {
            assert_eq!(translated(line, &[]), expected, "{line}");
        }
        assert!(translated("a -info", &[]).starts_with("prints geiko"));
        assert!(translated("-help", &[]).contains("-pixelscale"));
    }
}
