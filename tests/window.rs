//! A user at a real window: on an X server without a screen, with a keyboard and mouse
//! that `xdotool` moves.

use std::fs;
use std::io::Read as _;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long anything may take on a busy host, in an unoptimised build.
const LIMIT: Duration = Duration::from_secs(120);

fn medley() -> Option<PathBuf> {
    let path = std::env::var_os("GEIKO_MEDLEY_IMAGE").map_or_else(
        || {
            let root = Path::new(env!("CARGO_MANIFEST_DIR"));
            root.join("../shared/images/medley-2.01/lisp.sysout")
        },
        PathBuf::from,
    );
    path.exists().then_some(path)
}

/// A process that ends with the test.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        // One that has ended already need not be killed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A desktop without a screen, and folders of a user.
struct Desk {
    display: String,
    home: tempfile::TempDir,
    image: PathBuf,
    _server: Guard,
}

impl Desk {
    /// A desktop, or a printed line that says why there is none.
    fn new() -> Option<Self> {
        let Some(image) = medley() else {
            println!("skipped: no Medley image");
            return None;
        };
        let has = |program| Command::new(program).arg("-version").output().is_ok();
        if !["Xvfb", "xdotool", "xwd"].into_iter().all(has) {
            println!("skipped: no Xvfb, xdotool or xwd");
            return None;
        }
        let (mut number, writer) = std::io::pipe().unwrap();
        // The server tells its number through this descriptor, which it inherits.
        rustix::io::fcntl_setfd(&writer, rustix::io::FdFlags::empty()).unwrap();
        let descriptor = writer.as_raw_fd().to_string();
        let server = Command::new("Xvfb")
            .args(["-displayfd", &descriptor, "-noreset"])
            .args(["-screen", "0", "1280x900x24", "-nolisten", "tcp"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        drop(writer);
        let server = Guard(server);
        let mut display = String::new();
        let mut byte = [0];
        while number.read(&mut byte).unwrap() == 1 && byte[0] != b'\n' {
            display.push(byte[0].into());
        }
        Some(Self {
            display: format!(":{display}"),
            home: tempfile::tempdir().unwrap(),
            image,
            _server: server,
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("DISPLAY", &self.display)
            .env_remove("WAYLAND_DISPLAY");
        command.env("HOME", self.home.path());
        for (variable, folder) in [
            ("XDG_STATE_HOME", "state"),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_RUNTIME_DIR", "run"),
        ] {
            command.env(variable, self.path(folder));
        }
        command
    }

    fn geiko(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(env!("CARGO_BIN_EXE_geiko"));
        command.args(arguments).output().unwrap()
    }

    /// A session in a window that waits at the Exec's prompt.
    fn session(&self, image: &Path, arguments: &[&str]) -> Guard {
        let mut command = self.command(env!("CARGO_BIN_EXE_geiko"));
        command.arg(image).args(arguments);
        command.args(["--save-to".as_ref(), self.path("saved.sysout").as_os_str()]);
        let session = Guard(command.spawn().unwrap());
        let window = wait("the window", || {
            let found = self.xdotool(&["search", "--name", "geiko"]);
            found.lines().next().map(String::from)
        });
        // There is nobody else who would give it the keyboard.
        self.xdotool(&["windowfocus", "--sync", &window]);
        session
    }

    fn xdotool(&self, arguments: &[&str]) -> String {
        let output = self.command("xdotool").args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// Types until Lisp has done what a form does: make a file.
    fn type_form(&self, form: &str) {
        self.xdotool(&["type", "--delay", "40", form]);
    }

    /// The window's pixels: whether they are dark.
    fn pixels(&self) -> Vec<bool> {
        let window = self.xdotool(&["search", "--name", "geiko"]);
        let window = window.lines().next().unwrap();
        let dump = self
            .command("xwd")
            .args(["-silent", "-id", window])
            .output();
        let dump = dump.unwrap().stdout;
        let field = |index: usize| {
            let bytes = &dump[index * 4..][..4];
            u32::from_be_bytes(bytes.try_into().unwrap()) as usize
        };
        // The header's length, and the number of colours behind it, of 12 bytes each.
        let first = field(0) + field(19) * 12;
        let pixels = dump[first..].chunks_exact(4);
        pixels
            .map(|pixel| pixel[..3].iter().all(|&c| c < 128))
            .collect()
    }
}

fn wait<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < LIMIT, "waited too long for {what}");
        sleep(Duration::from_millis(200));
    }
}

/// The form that makes an empty file.
fn form_for(path: &Path) -> String {
    format!(
        "(close (open \"{{dsk}}{}\" :direction :output))",
        path.display()
    )
}

fn ended(session: &mut Guard) -> i32 {
    let status = wait("the end", || session.0.try_wait().unwrap());
    status.code().unwrap_or(-1)
}

fn signal(session: &Guard, signal: rustix::process::Signal) {
    let process = rustix::process::Pid::from_child(&session.0);
    rustix::process::kill_process(process, signal).unwrap();
}

#[test]
fn a_user_types_in_a_window_is_interrupted_and_goes_on_another_day() {
    let Some(desk) = Desk::new() else {
        return;
    };
    let screenshot = desk.path("screen.png");
    let picture = screenshot.to_str().unwrap();
    let mut session = desk.session(&desk.image, &["--screenshot", picture]);
    let first = desk.path("first");
    wait("a form to be evaluated", || {
        // The image asks for the name of an init file, sooner or later.
        sleep(Duration::from_secs(3));
        desk.type_form("\n");
        sleep(Duration::from_secs(1));
        desk.type_form(&form_for(&first));
        sleep(Duration::from_secs(3));
        first.exists().then_some(())
    });
    let listed = String::from_utf8(desk.geiko(&["sessions"]).stdout).unwrap();
    assert!(
        listed.starts_with("lisp ") && listed.contains("running"),
        "{listed}"
    );
    for arguments in [["remove", "lisp"], ["resume", "lisp"]] {
        let refused = desk.geiko(&[&["sessions"], &arguments[..]].concat());
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}");
    }

    // A loop that only an interrupt ends; the break that it opens evaluates forms.
    desk.type_form("(prog nil l (go l))");
    sleep(Duration::from_secs(1));
    let ordered = desk.geiko(&["ctl", "break", "lisp"]);
    assert!(ordered.status.success(), "{ordered:?}");
    let second = desk.path("second");
    wait("the break", || {
        sleep(Duration::from_secs(2));
        desk.type_form(&form_for(&second));
        second.exists().then_some(())
    });

    sleep(Duration::from_secs(1));
    let shown = desk.pixels();
    signal(&session, rustix::process::Signal::TERM);
    assert_eq!(ended(&mut session), 128 + 15);

    let decoder = png::Decoder::new(std::io::BufReader::new(
        fs::File::open(&screenshot).unwrap(),
    ));
    let mut reader = decoder.read_info().unwrap();
    let mut bits = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut bits).unwrap();
    let screen = bits
        .iter()
        .flat_map(|byte| (0..8).map(move |bit| byte << bit & 0x80 == 0));
    let different = screen.zip(&shown).filter(|(a, b)| a != *b).count();
    // What Lisp said about saving, the cursor and the caret.
    assert_eq!(shown.len(), 1024 * 768);
    assert!(different < 8000, "{different} pixels are different");

    let listed = String::from_utf8(desk.geiko(&["sessions"]).stdout).unwrap();
    assert!(listed.contains("ended, saved"), "{listed}");
    let recovery = desk.path("state/geiko/sessions/lisp/recovery.sysout");
    let mut session = desk.session(&recovery, &["--on-close", "save"]);
    let third = desk.path("third");
    wait("the session of the day before", || {
        sleep(Duration::from_secs(2));
        desk.type_form(&form_for(&third));
        third.exists().then_some(())
    });
    let status = wait("the end", || {
        desk.xdotool(&["keydown", "F1", "key", "q", "keyup", "F1"]);
        sleep(Duration::from_secs(5));
        session.0.try_wait().unwrap()
    });
    assert_eq!(status.code(), Some(0));
    assert!(desk.path("saved.sysout").exists());
    assert!(desk.geiko(&["sessions", "remove", "lisp"]).status.success());
    assert!(desk.geiko(&["sessions"]).stdout.is_empty());
}
