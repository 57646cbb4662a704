//! A real browser without a screen, driven by the protocol of its developer tools.

use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

use super::server::LIMIT;

/// Names that the browser has, unless a variable says which it is.
const PROGRAMS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// What it is to leave alone.
const OPTIONS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1200,900",
    "--remote-debugging-port=0",
];

/// One tab of a browser, which ends with the test.
pub struct Tab {
    socket: WebSocket<TcpStream>,
    session: String,
    number: u64,
    browser: Child,
    _profile: tempfile::TempDir,
}

impl Tab {
    /// A tab with that page, or a printed line that says that there is no browser.
    pub fn open(link: &str) -> Option<Self> {
        let named = std::env::var("GEIKO_CHROMIUM").ok();
        let mut programs = named.iter().map(String::as_str).chain(PROGRAMS);
        let is_there = |program: &&str| {
            let version = Command::new(program).arg("--version").output();
            version.is_ok_and(|output| output.status.success())
        };
        let Some(program) = programs.find(is_there) else {
            println!("skipped: no Chromium on the PATH or at $GEIKO_CHROMIUM");
            return None;
        };
        let profile = tempfile::tempdir().unwrap();
        let mut browser = Command::new(program)
            .args(OPTIONS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(browser.stderr.take().unwrap()).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| Some(line.strip_prefix("DevTools listening on ")?.to_owned()));
        let address = address.expect("the browser tells where it listens");
        // A browser that nobody listens to would stop.
        std::thread::spawn(move || lines.for_each(drop));
        let host = address.strip_prefix("ws://").unwrap();
        let stream = TcpStream::connect(host.split('/').next().unwrap()).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.set_nodelay(true).unwrap();
        let (socket, _) = tungstenite::client(&address, stream).unwrap();
        let mut tab = Self {
            socket,
            session: String::new(),
            number: 0,
            browser,
            _profile: profile,
        };
        let target = tab.call("Target.createTarget", json!({ "url": link }));
        let attached = tab.call(
            "Target.attachToTarget",
            json!({ "targetId": target["targetId"], "flatten": true }),
        );
        tab.session = attached["sessionId"].as_str().unwrap().into();
        tab.call(
            "Emulation.setFocusEmulationEnabled",
            json!({ "enabled": true }),
        );
        Some(tab)
    }

    /// Calls a method of the protocol.
    pub fn call(&mut self, method: &str, parameters: Value) -> Value {
        let answer = self.ask(method, parameters);
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// The same, with the answer as it comes.
    fn ask(&mut self, method: &str, parameters: Value) -> Value {
        self.number += 1;
        let number = self.number;
        let mut message = json!({ "id": number, "method": method, "params": parameters });
        if !self.session.is_empty() {
            message["sessionId"] = self.session.as_str().into();
        }
        self.socket
            .send(Message::text(message.to_string()))
            .unwrap();
        loop {
            let message = self.socket.read().unwrap();
            let Ok(text) = message.into_text() else {
                continue;
            };
            let answer: Value = serde_json::from_str(&text).unwrap_or_default();
            if answer["id"] == number {
                return answer;
            }
        }
    }

    /// The value of an expression in the page; null if the tab goes to another page meanwhile.
    pub fn value(&mut self, expression: &str) -> Value {
        let answer = self.ask(
            "Runtime.evaluate",
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true }),
        );
        if answer["error"]["message"] == "Inspected target navigated or closed" {
            return Value::Null;
        }
        assert!(answer["error"].is_null(), "{answer}");
        let result = &answer["result"];
        assert!(result["exceptionDetails"].is_null(), "{result}");
        result["result"]["value"].clone()
    }

    /// The text of the page's element.
    pub fn text(&mut self, selector: &str) -> String {
        let text = self.value(&format!("document.querySelector('{selector}')?.innerText"));
        text.as_str().unwrap_or_default().into()
    }

    /// A key goes down and up.
    pub fn press(&mut self, key: &str) {
        for kind in ["rawKeyDown", "keyUp"] {
            let parameters = json!({ "type": kind, "key": key, "code": key });
            self.call("Input.dispatchKeyEvent", parameters);
        }
    }

    /// Types text.
    pub fn type_text(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '\n' => self.press("Enter"),
                _ => self.press(&character.to_string()),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// A mouse event at a place of the page.
    pub fn mouse(&mut self, kind: &str, button: &str, (x, y): (f64, f64)) {
        let count = u8::from(kind != "mouseMoved");
        self.call(
            "Input.dispatchMouseEvent",
            json!({ "type": kind, "x": x, "y": y, "button": button, "clickCount": count }),
        );
    }

    /// The darkness of the canvas' pixels, line by line.
    pub fn pixels(&mut self) -> (usize, Vec<bool>) {
        let value = self.value(
            "(() => {
                const { width, height } = canvas;
                const { data } = pen.getImageData(0, 0, width, height);
                let bits = '';
                for (let i = 0; i < data.length; i += 4) bits += data[i] < 128 ? '1' : '0';
                return [width, bits];
            })()",
        );
        let bits = value[1].as_str().unwrap().bytes().map(|bit| bit == b'1');
        (value[0].as_u64().unwrap() as usize, bits.collect())
    }

    /// Writes a picture of the page, if somebody wants to see it.
    pub fn picture(&mut self, name: &str) {
        let Some(folder) = std::env::var_os("GEIKO_PICTURES") else {
            return;
        };
        let picture = self.call("Page.captureScreenshot", json!({}));
        let path = std::path::Path::new(&folder).join(format!("{name}.png.base64"));
        std::fs::write(path, picture["data"].as_str().unwrap()).unwrap();
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        // One that has ended already need not be killed.
        let _ = self.browser.kill();
        let _ = self.browser.wait();
    }
}
