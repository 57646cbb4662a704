//! The prompt, as somebody at a terminal sees it.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use tempfile::TempDir;

/// What waits for keys. Lisp writes it, and the editor then moves the cursor.
const PROMPT: &str = "> \r";
/// No step takes so long, on any host.
const PATIENCE: Duration = Duration::from_secs(30);

/// A terminal with geiko in it.
struct Terminal {
    child: Child,
    keys: File,
    screen: Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    fn open(data: &Path) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&master).expect("granted");
        unlockpt(&master).expect("unlocked");
        let size = Winsize {
            ws_row: 24,
            ws_col: 80,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&master, size).expect("a size");
        let name = ptsname(&master, Vec::new()).expect("a name");
        let slave = OpenOptions::new()
            .read(true)
            .write(true)
            .open(name.to_str().expect("a path"))
            .expect("the other side");
        let other = || slave.try_clone().expect("a copy");
        let child = Command::new(env!("CARGO_BIN_EXE_geiko"))
            .env("XDG_DATA_HOME", data)
            .env("TERM", "xterm")
            .stdin(other())
            .stdout(other())
            .stderr(other())
            .spawn()
            .expect("the program runs");
        let keys = File::from(master);
        let mut output = keys.try_clone().expect("a copy");
        let (sender, screen) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            keys,
            screen,
            seen: String::new(),
        }
    }

    fn send(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("typed");
    }

    /// Waits until `text` is shown, and forgets what came before its end.
    #[track_caller]
    fn wait_for(&mut self, text: &str) {
        let start = Instant::now();
        loop {
            if let Some(at) = self.seen.find(text) {
                self.seen.drain(..at + text.len());
                return;
            }
            let left = PATIENCE.saturating_sub(start.elapsed());
            match self.screen.recv_timeout(left) {
                Ok(bytes) => self.seen.push_str(&plain(&bytes)),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    let _ = self.child.kill();
                    panic!("no {text:?} in {:?}", self.seen);
                }
            }
        }
    }

    fn interrupt(&self) {
        kill_process(Pid::from_child(&self.child), Signal::INT).expect("a signal");
    }

    #[track_caller]
    fn end(&mut self) -> Option<i32> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().expect("a status") {
                return status.code();
            }
            thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        panic!("the prompt does not end");
    }
}

/// A test that fails leaves nobody at a terminal.
impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Text without what moves the cursor and colours it.
fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character == '\x1b' {
            characters.find(char::is_ascii_alphabetic);
        } else {
            plain.push(character);
        }
    }
    plain
}

fn open() -> (Terminal, TempDir) {
    let data = tempfile::tempdir().expect("a folder");
    let mut terminal = Terminal::open(data.path());
    terminal.wait_for(PROMPT);
    (terminal, data)
}

#[test]
fn forms_are_evaluated_and_errors_end_nothing() {
    let (mut terminal, data) = open();
    terminal.send("(+ 3 4)\r");
    terminal.wait_for("\r\n7\r\n> \r");
    terminal.send("(car 5)\r");
    terminal.wait_for("Error: 5 is not of type LIST.\r\n");
    terminal.wait_for(PROMPT);
    terminal.send("(list 1 ; (\r\"a)\" #\\( '|)|\r)\r");
    terminal.wait_for("(1 \"a)\" #\\( |)|)\r\n> \r");
    terminal.send("\x04");
    assert_eq!(terminal.end(), Some(0));
    let history = fs::read_to_string(data.path().join("geiko/history")).expect("a history");
    assert!(history.contains("(+ 3 4)\n(car 5)\n"), "{history}");
}

#[test]
fn the_history_lasts_from_session_to_session() {
    let (mut terminal, data) = open();
    terminal.send("(* 6 7)\r");
    terminal.wait_for("\r\n42\r\n> \r");
    terminal.send("(exit 3)\r");
    assert_eq!(terminal.end(), Some(3));
    let mut terminal = Terminal::open(data.path());
    terminal.wait_for(PROMPT);
    terminal.send("\x1b[A\x1b[A\r");
    terminal.wait_for("\r\n42\r\n> \r");
}

#[test]
fn symbols_are_completed() {
    let (mut terminal, _data) = open();
    terminal.send("(defun a-long-name (x) (* x x))\r");
    terminal.wait_for("A-LONG-NAME\r\n> \r");
    terminal.send("(a-lo\t 9)\r");
    terminal.wait_for("\r\n81\r\n> \r");
    terminal.send("(multiple-value-l\t (floor 7 2))\r");
    terminal.wait_for("\r\n(3 1)\r\n> \r");
}

#[test]
fn programs_read_lines() {
    let (mut terminal, _data) = open();
    terminal.send("(list (princ \"Name? \") (read-line))\r");
    terminal.wait_for("\r\nName? ");
    terminal.send("(é\r");
    terminal.wait_for("(\"Name? \" \"(é\")\r\n> \r");
}

#[test]
fn control_c_interrupts_lisp_and_not_the_program() {
    let (mut terminal, _data) = open();
    terminal.send("(progn (write-line \"ready\") (loop))\r");
    terminal.wait_for("\nready\r\n");
    thread::sleep(Duration::from_millis(100));
    terminal.interrupt();
    terminal.wait_for("Interrupted.\r\n");
    terminal.wait_for(PROMPT);
    // While somebody types it is a key, and forgets what was typed.
    terminal.send("(car\x03");
    terminal.wait_for("(car");
    terminal.wait_for("\n");
    terminal.wait_for(PROMPT);
    terminal.send("(+ 1 1)\r");
    terminal.wait_for("\r\n2\r\n> \r");
    terminal.send("\x04");
    assert_eq!(terminal.end(), Some(0));
}
