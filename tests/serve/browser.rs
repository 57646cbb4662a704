//! A user in front of a browser.

use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;

use rustix::process::Signal;
use tungstenite::{Message, WebSocket};

use crate::chromium::Tab;
use crate::server::{Server, medley, wait};

/// Lisp's screen, unless somebody asks for another.
const WIDTH: usize = 1024;
const HEIGHT: usize = 768;

/// Waits until nothing has changed on the screen for a second.
pub fn settle(tab: &mut Tab) -> Vec<bool> {
    wait("the screen", || {
        let ready =
            "typeof canvas !== 'undefined' && canvas.width === 1024 && state.innerText === ''";
        tab.value(ready).as_bool().filter(|ready| *ready)
    });
    let mut before = Vec::new();
    wait("a screen that rests", || {
        let (_, now) = tab.pixels();
        let is_same = before == now;
        before = now;
        sleep(Duration::from_secs(1));
        is_same.then(|| before.clone())
    })
}

/// A form that makes a rectangle on the screen black, which is 64 pixels wide and 32 high.
fn black_at(left: usize, bottom: usize) -> String {
    format!(
        "(il:bitblt nil nil nil (il:screenbitmap) {left} {bottom} 64 32 'il:texture 'il:replace il:blackshade)\n"
    )
}

/// Whether that rectangle is black.
fn is_black(pixels: &[bool], left: usize, bottom: usize) -> bool {
    let mut lines = HEIGHT - bottom - 32..HEIGHT - bottom;
    lines.all(|y| pixels[y * WIDTH + left..][..64].iter().all(|&dark| dark))
}

#[test]
fn a_user_types_loses_the_connection_and_goes_on_another_day() {
    let Some(image) = medley() else {
        return;
    };
    // A name of its own shows that names of files are not taken for something else.
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("a b&c<d>.sysout");
    std::os::unix::fs::symlink(image, &link).unwrap();
    let folder = folder.path().to_str().unwrap();
    let mut server = Server::start(&[folder]);
    let Some(mut tab) = Tab::open(&server.link) else {
        return;
    };
    wait("the start page", || {
        tab.text("#images")
            .contains("a b&c<d>.sysout")
            .then_some(())
    });
    tab.picture("start");
    tab.value("document.querySelector('#images button').click()");
    settle(&mut tab);
    tab.press("Enter");
    settle(&mut tab);
    tab.type_text(&black_at(700, 100));
    let pixels = settle(&mut tab);
    tab.picture("typed");
    assert!(is_black(&pixels, 700, 100) && !is_black(&pixels, 800, 100));

    // The right button over the background opens a menu, which goes with the button.
    let place = tab.value(
        "(({ left, top, width }) => [left, top, width / canvas.width])(canvas.getBoundingClientRect())",
    );
    let place: Vec<f64> = place
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|n| n.as_f64())
        .collect();
    let at = (place[0] + 800.0 * place[2], place[1] + 400.0 * place[2]);
    tab.mouse("mouseMoved", "none", at);
    tab.mouse("mousePressed", "right", at);
    let with_menu = settle(&mut tab);
    tab.picture("menu");
    tab.mouse("mouseReleased", "right", at);
    let without = settle(&mut tab);
    let differ = |a: &[bool], b: &[bool]| a.iter().zip(b).filter(|(a, b)| a != b).count();
    assert!(differ(&pixels, &with_menu) > 1000);
    assert!(differ(&pixels, &without) < 500);

    // The page finds the session again, and what is pasted arrives.
    tab.value("socket.close()");
    wait("the loss to be noticed", || {
        tab.text("#state").contains("connection").then_some(())
    });
    settle(&mut tab);
    let form = black_at(800, 100).replace('\n', "\\n");
    tab.value(&format!("sendText(\"{form}\")"));
    assert!(is_black(&settle(&mut tab), 800, 100));

    // Others look at the same, and type.
    let list = server.list();
    assert_eq!(list["sessions"][0]["name"], "abcd");
    assert_eq!(list["sessions"][0]["viewers"], 1);
    let place = tab.value("location.href");
    let mut other = Tab::open(&server.link).unwrap();
    wait("the start page", || {
        other.text("#sessions").contains("abcd").then_some(())
    });
    other.value(&format!("location.href = {place}"));
    assert!(is_black(&settle(&mut other), 800, 100));
    assert_eq!(server.list()["sessions"][0]["viewers"], 2);
    other.type_text(&black_at(900, 200));
    assert!(is_black(&settle(&mut other), 900, 200));
    assert!(is_black(&settle(&mut tab), 900, 200));
    drop(other);

    // The server ends and the session is saved.
    server.signal(Signal::INT);
    assert_eq!(server.end(), Some(130));
    let listed = String::from_utf8(server.geiko(&["sessions"]).stdout).unwrap();
    assert!(
        listed.starts_with("abcd ") && listed.contains("ended, saved"),
        "{listed}"
    );
    drop(tab);

    // Another day it goes on, in its own place.
    let server = server.again(&[folder]);
    assert_eq!(server.list()["sessions"][0]["state"], "saved");
    let mut tab = Tab::open(&server.link).unwrap();
    wait("the start page", || {
        let resume = "document.querySelector('#sessions button')?.innerText === 'Resume'";
        tab.value(resume).as_bool().filter(|found| *found)
    });
    tab.value("document.querySelector('#sessions button').click()");
    settle(&mut tab);
    tab.type_text(&black_at(900, 100));
    assert!(is_black(&settle(&mut tab), 900, 100));
    tab.value("document.querySelector('[data-do=quit]').click()");
    tab.picture("question");
    tab.value("document.querySelector('dialog button').click()");
    wait("the end", || {
        tab.text("#state").contains("has ended").then_some(())
    });
    let saved = server.path("state/geiko/sessions/abcd/saved.sysout");
    assert!(saved.exists());
    let list = server.list();
    assert_eq!(list["sessions"].as_array().unwrap().len(), 1, "{list}");
    assert_eq!(list["sessions"][0]["state"], "saved");
}

#[test]
fn a_session_whose_server_is_killed_is_saved() {
    let Some(image) = medley() else {
        return;
    };
    let server = Server::start(&[image.to_str().unwrap()]);
    let mut socket = server.look("lisp").unwrap();
    // The screen is there when the first rectangle comes.
    while !socket.read().unwrap().is_binary() {}
    let recovery = server.path("state/geiko/sessions/lisp/recovery.sysout");
    let server = server.again(&["."]);
    wait("the session to be saved", || {
        let list = server.list();
        (list["sessions"][0]["state"] == "saved").then_some(())
    });
    assert!(recovery.exists());
    let info = server.geiko(&["info", recovery.to_str().unwrap()]);
    assert!(info.status.success(), "{info:?}");
}

/// Does what browsers do when a tab is closed.
fn close_tab(mut socket: WebSocket<TcpStream>) {
    socket.send(Message::text("\"bye\"")).unwrap();
    socket.close(None).unwrap();
    while socket.read().is_ok() {}
}

#[test]
fn the_last_tab_that_is_closed_closes_the_display() {
    let Some(image) = medley() else {
        return;
    };
    let server = Server::start(&[image.to_str().unwrap(), "--", "--on-close", "save"]);
    let mut socket = server.look("lisp").unwrap();
    while !socket.read().unwrap().is_binary() {}
    // A connection that is lost closes nothing; a page that is loaded again neither.
    drop(socket);
    let socket = server.look("lisp").unwrap();
    close_tab(socket);
    sleep(Duration::from_secs(2));
    let socket = server.look("lisp").unwrap();
    sleep(Duration::from_secs(12));
    assert_eq!(server.list()["sessions"][0]["state"], "open");
    drop(socket);
    let socket = server.look("lisp").unwrap();
    close_tab(socket);
    wait("the session to be saved", || {
        (server.list()["sessions"][0]["state"] == "saved").then_some(())
    });
    assert!(
        server
            .path("state/geiko/sessions/lisp/saved.sysout")
            .exists()
    );
}

#[test]
fn what_programs_of_lisp_copy_is_for_the_browser() {
    let Some(image) = medley() else {
        return;
    };
    let server = Server::start(&[image.to_str().unwrap(), "--", "--on-close", "discard"]);
    let mut socket = server.look("lisp").unwrap();
    while !socket.read().unwrap().is_binary() {}
    let file = server.path("copied.txt");
    std::fs::write(&file, "(é\n)").unwrap();
    let xclip = |arguments: &[&str]| {
        let output = server
            .command(server.path("run/geiko/programs/xclip"))
            .env("GEIKO_SESSION", "lisp")
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    // As Medley's library does it.
    xclip(&["-i", "-selection", "clipboard", file.to_str().unwrap()]);
    let told = loop {
        if let Message::Text(text) = socket.read().unwrap()
            && text.contains("copy")
        {
            break text;
        }
    };
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told, serde_json::json!({ "copy": "(é\n)" }));
    assert_eq!(xclip(&["-o", "-selection", "clipboard"]), "(é\n)");
}

#[test]
fn what_is_selected_in_lisp_is_for_the_browser() {
    let Some(image) = medley() else {
        return;
    };
    let server = Server::start(&[image.to_str().unwrap(), "--", "--on-close", "discard"]);
    let mut socket = server.look("lisp").unwrap();
    while !socket.read().unwrap().is_binary() {}
    // An editor that has this selected, whatever the window.
    let editor = "\n(defun il:textstream (window) window)\n\
                  (defun il:tedit.sel.as.string (stream) (list stream) \"grüße (Ω)\")\n";
    sleep(Duration::from_secs(5));
    let say = |socket: &mut WebSocket<TcpStream>, said: serde_json::Value| {
        socket.send(Message::text(said.to_string())).unwrap();
    };
    let copy = |socket: &mut WebSocket<TcpStream>| {
        say(socket, serde_json::json!({ "do": "copy" }));
        loop {
            match socket.read().unwrap() {
                Message::Binary(_) => say(socket, serde_json::json!("drawn")),
                Message::Text(text) if text.contains("copy") || text.contains("bell") => {
                    return serde_json::from_str::<serde_json::Value>(&text).unwrap();
                }
                _ => {}
            }
        }
    };
    assert_eq!(copy(&mut socket), "bell");
    say(&mut socket, serde_json::json!({ "text": editor }));
    let told = wait("the selected text", || {
        sleep(Duration::from_secs(1));
        Some(copy(&mut socket)).filter(|told| told != "bell")
    });
    assert_eq!(told, serde_json::json!({ "copy": "grüße (Ω)" }));
}
