//! A server for tests, with the folders of a user of its own.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tungstenite::WebSocket;
use tungstenite::client::IntoClientRequest as _;
use tungstenite::http::HeaderValue;

/// How long anything may take on a busy host, in an unoptimised build.
pub const LIMIT: Duration = Duration::from_secs(120);

/// The image of Medley, or a printed line that says that there is none.
pub fn medley() -> Option<PathBuf> {
    let path = std::env::var_os("GEIKO_MEDLEY_IMAGE").map_or_else(
        || {
            let root = Path::new(env!("CARGO_MANIFEST_DIR"));
            root.join("../shared/images/medley-2.01/lisp.sysout")
        },
        PathBuf::from,
    );
    if !path.exists() {
        println!("skipped: no Medley image");
        return None;
    }
    Some(path)
}

/// Looks until there is something.
pub fn wait<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < LIMIT, "waited too long for {what}");
        sleep(Duration::from_millis(50));
    }
}

/// `geiko serve`, which ends with the test.
pub struct Server {
    child: Child,
    home: tempfile::TempDir,
    /// What it printed.
    pub link: String,
}

/// An answer over HTTP.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub text: String,
}

impl Server {
    /// Serves what `arguments` say at a free port.
    pub fn start(arguments: &[&str]) -> Self {
        Self::in_home(tempfile::tempdir().unwrap(), arguments)
    }

    fn in_home(home: tempfile::TempDir, arguments: &[&str]) -> Self {
        let mut command = command(home.path());
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        let mut child = command
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut link = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        lines.read_line(&mut link).unwrap();
        Self {
            child,
            home,
            link: link.trim_end().into(),
        }
    }

    /// A file in the home folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Another command of the same user.
    pub fn geiko(&self, arguments: &[&str]) -> Output {
        command(self.home.path()).args(arguments).output().unwrap()
    }

    /// Another program of the same user, without a desktop.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        for_user(program, self.home.path())
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        let rest = self.link.strip_prefix("http://").unwrap();
        rest.split('/').next().unwrap()
    }

    /// The header with which a browser shows that it knows the token.
    pub fn cookie(&self) -> String {
        let token = self.link.split_once("token=").unwrap().1;
        let port = self.address().rsplit(':').next().unwrap();
        format!("geiko-{port}={token}")
    }

    /// Sends bytes; what is answered until the server closes the connection.
    pub fn raw(&self, request: &[u8]) -> Option<Answer> {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        // The server may have closed the connection already.
        let _ = stream.write_all(request);
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let status = text.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()?;
        Some(Answer { status, text })
    }

    /// A request as a page of the server makes it, with further headers.
    pub fn request(&self, line: &str, headers: &[&str]) -> Option<Answer> {
        let (address, cookie) = (self.address(), self.cookie());
        let mut request = format!(
            "{line} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nCookie: {cookie}\r\n"
        );
        for header in headers {
            request += &format!("{header}\r\n");
        }
        self.raw(format!("{request}\r\n").as_bytes())
    }

    /// What the start page lists.
    pub fn list(&self) -> serde_json::Value {
        let answer = self.request("GET /list", &[]).unwrap();
        let body = answer.text.split_once("\r\n\r\n").unwrap().1;
        serde_json::from_str(body).unwrap()
    }

    /// Looks at a session as a tab does.
    pub fn look(&self, session: &str) -> tungstenite::Result<WebSocket<TcpStream>> {
        let address = self.address();
        let mut request =
            format!("ws://{address}/session/{session}/screen").into_client_request()?;
        let headers = request.headers_mut();
        let value = |text: String| HeaderValue::from_str(&text).unwrap();
        headers.insert("origin", value(format!("http://{address}")));
        headers.insert("cookie", value(self.cookie()));
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(LIMIT))?;
        stream.set_nodelay(true)?;
        match tungstenite::client(request, stream) {
            Ok((socket, _)) => Ok(socket),
            Err(tungstenite::HandshakeError::Failure(error)) => Err(error),
            Err(other) => panic!("{other}"),
        }
    }

    /// Its number.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the end; the status.
    pub fn end(&mut self) -> Option<i32> {
        wait("the server's end", || self.child.try_wait().unwrap()).code()
    }

    /// Another server for the same user.
    pub fn again(mut self, arguments: &[&str]) -> Self {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let home = std::mem::replace(&mut self.home, tempfile::tempdir().unwrap());
        Self::in_home(home, arguments)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended already need not be killed; its sessions end when it is gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(home: &Path) -> Command {
    for_user(env!("CARGO_BIN_EXE_geiko"), home)
}

fn for_user(program: impl AsRef<OsStr>, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env("HOME", home).current_dir(home);
    command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    for (variable, folder) in [
        ("XDG_STATE_HOME", "state"),
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_RUNTIME_DIR", "run"),
    ] {
        command.env(variable, home.join(folder));
    }
    command
}
