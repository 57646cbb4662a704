//! How fast what a user does is seen, told with the test's output.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::json;
use tungstenite::Message;

use crate::browser::settle;
use crate::chromium::Tab;
use crate::server::{Server, medley};

const KEYS: usize = 60;
/// Nobody waits longer for a letter, not even on a busy host, in an unoptimised build.
const SLOWEST: f64 = 1000.0;

/// Presses keys in the page; milliseconds until each was drawn.
const PRESS: &str = "(async () => {
    const usual = draw, times = [];
    let drawn;
    draw = async (data) => { await usual(data); drawn?.(performance.now()); };
    for (let i = 0; i < KEYS; i++) {
        await new Promise((resolve) => setTimeout(resolve, 150 + 37 * Math.random()));
        const start = performance.now();
        const seen = new Promise((resolve) => { drawn = resolve; });
        for (const type of ['keydown', 'keyup'])
            dispatchEvent(new KeyboardEvent(type, { key: 'x', code: 'KeyX' }));
        times.push(await seen - start);
        drawn = null;
    }
    draw = usual;
    return times;
})()";

/// Counts the rectangles that a page draws in five seconds.
const COUNT: &str = "(async () => {
    const usual = draw;
    let count = 0, pixels = 0;
    draw = async (data) => { await usual(data); count++; pixels += data.byteLength; };
    await new Promise((resolve) => setTimeout(resolve, 5000));
    draw = usual;
    return [count / 5, pixels / 5];
})()";

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// CPU time of a process and of those that it started, in seconds.
fn cpu(process: u32) -> f64 {
    let of = |process: u32| -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let rest = stat.rsplit(')').next().unwrap_or_default();
        let fields = rest.split_whitespace().skip(11).take(2);
        fields
            .filter_map(|field| field.parse::<f64>().ok())
            .sum::<f64>()
            / 100.0
    };
    let children = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    let children = children.unwrap_or_default();
    let children = children.split_whitespace().filter_map(|id| id.parse().ok());
    of(process) + children.map(of).sum::<f64>()
}

#[test]
fn a_letter_is_seen_soon_and_the_screen_scrolls_smoothly() {
    let Some(image) = medley() else {
        return;
    };
    let server = Server::start(&[image.to_str().unwrap(), "--", "--on-close", "discard"]);

    // A program that looks: from the key to the message with the letter.
    let mut socket = server.look("lisp").unwrap();
    let say = |socket: &mut tungstenite::WebSocket<_>, said| {
        socket
            .send(Message::text(serde_json::Value::to_string(&said)))
            .unwrap();
    };
    let mut times = Vec::new();
    let rest = |socket: &mut tungstenite::WebSocket<std::net::TcpStream>, time| {
        let end = Instant::now() + time;
        socket
            .get_mut()
            .set_read_timeout(Some(Duration::from_millis(20)))
            .unwrap();
        while Instant::now() < end {
            if let Ok(Message::Binary(_)) = socket.read() {
                socket.send(Message::text("\"drawn\"")).unwrap();
            }
        }
        socket
            .get_mut()
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
    };
    rest(&mut socket, Duration::from_secs(5));
    say(&mut socket, json!({ "key": ["Enter", "Enter", true] }));
    say(&mut socket, json!({ "key": ["Enter", "Enter", false] }));
    rest(&mut socket, Duration::from_secs(5));
    for number in 0..KEYS {
        rest(&mut socket, Duration::from_millis(150 + number as u64 % 7));
        let start = Instant::now();
        say(&mut socket, json!({ "key": ["KeyX", "x", true] }));
        say(&mut socket, json!({ "key": ["KeyX", "x", false] }));
        while !socket.read().unwrap().is_binary() {}
        times.push(start.elapsed().as_secs_f64() * 1000.0);
        say(&mut socket, json!("drawn"));
    }
    let to_program = median(times);
    println!("key to rectangle: median {to_program:.1} ms");
    assert!(to_program < SLOWEST);
    drop(socket);

    let Some(mut tab) = Tab::open(&server.link) else {
        return;
    };
    settle(&mut tab);
    let before = cpu(server.process());
    sleep(Duration::from_secs(10));
    println!("idle: {:.2} % CPU", (cpu(server.process()) - before) * 10.0);
    let times = tab.value(&PRESS.replace("KEYS", &KEYS.to_string()));
    let times = times
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|time| time.as_f64());
    let to_pixel = median(times.collect());
    println!("key to pixel: median {to_pixel:.1} ms");
    assert!(to_pixel < SLOWEST);

    for _ in 0..2 * KEYS {
        tab.press("Backspace");
    }
    tab.type_text("(prog nil l (il:bitblt (il:screenbitmap) 0 0 (il:screenbitmap) 0 1 1024 767) (il:bitblt (il:screenbitmap) 0 767 (il:screenbitmap) 0 0 1024 1) (go l))\n");
    sleep(Duration::from_secs(1));
    let before = cpu(server.process());
    let counted = tab.value(COUNT);
    let busy = (cpu(server.process()) - before) * 20.0;
    println!("scrolling: {counted} rectangles and bytes a second, {busy:.0} % CPU with Lisp's own");
    assert!(counted[0].as_f64().unwrap() > 1.0);
}
