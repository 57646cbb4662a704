//! Programs that are not what they seem, and requests that are refused.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::{Duration, Instant};

use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Error, Message};

use crate::server::{LIMIT, Server, medley, wait};

#[test]
fn requests_that_are_not_allowed_are_refused() {
    let server = Server::start(&["."]);
    std::fs::write(server.path("secret.txt"), "secret").unwrap();
    std::fs::write(server.path("x.sysout"), "no image").unwrap();
    let (address, cookie) = (server.address(), server.cookie());
    let host = format!("Host: {address}\r\n");
    let origin = format!("Origin: http://{address}\r\n");
    let token = format!("Cookie: {cookie}\r\n");
    let known = format!("{host}{origin}{token}");
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let half = &cookie[..cookie.len() - 1];
    let long = "x".repeat(100_000);
    let many: String = (0..2000).map(|n| format!("X-{n}: y\r\n")).collect();
    // What is sent, and with which statuses it may be answered; 0 is none at all.
    let requests: Vec<(String, &[u16])> = vec![
        // Who does not know the token.
        (format!("GET / HTTP/1.1\r\n{host}"), &[403]),
        (format!("GET /list HTTP/1.1\r\n{host}"), &[403]),
        (format!("GET /style.css HTTP/1.1\r\n{host}"), &[403]),
        (format!("GET /nothing HTTP/1.1\r\n{host}"), &[403]),
        (format!("GET /?token= HTTP/1.1\r\n{host}"), &[403]),
        (
            format!("GET /?token=0123456789abcdef0123456789abcdef HTTP/1.1\r\n{host}"),
            &[403],
        ),
        (
            format!("GET / HTTP/1.1\r\n{host}Cookie: {half}\r\n"),
            &[403],
        ),
        (
            format!("GET / HTTP/1.1\r\n{host}Cookie: {cookie}0\r\n"),
            &[403],
        ),
        (
            format!("GET / HTTP/1.1\r\n{host}Cookie: x{cookie}\r\n"),
            &[403],
        ),
        (
            format!("GET / HTTP/1.1\r\n{host}Authorization: Bearer x\r\n"),
            &[403],
        ),
        (
            format!("POST /open/x.sysout HTTP/1.1\r\n{host}{origin}"),
            &[403],
        ),
        (
            format!("GET /session/x/screen HTTP/1.1\r\n{host}{origin}{upgrade}"),
            &[403],
        ),
        // Who found the server under another name.
        (
            format!("GET / HTTP/1.1\r\nHost: evil.example\r\n{token}"),
            &[403],
        ),
        (
            format!("GET / HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n{token}"),
            &[403],
        ),
        (
            format!("GET / HTTP/1.1\r\nHost: evil@{address}\r\n{token}"),
            &[403, 400],
        ),
        (
            format!("GET / HTTP/1.1\r\n{host}Host: evil.example\r\n{token}"),
            &[403, 400],
        ),
        (format!("GET / HTTP/1.1\r\n{token}"), &[403, 400]),
        (format!("GET / HTTP/1.0\r\n{token}"), &[403]),
        (
            format!("GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n{token}"),
            &[403],
        ),
        // Pages of others.
        (
            format!("POST /open/x.sysout HTTP/1.1\r\n{host}{token}"),
            &[403],
        ),
        (
            format!("POST /open/x.sysout HTTP/1.1\r\n{host}{token}Origin: null\r\n"),
            &[403],
        ),
        (
            format!("POST /quit/x HTTP/1.1\r\n{host}{token}Origin: http://evil.example\r\n"),
            &[403],
        ),
        (
            format!("POST /resume/x HTTP/1.1\r\n{host}{token}Origin: http://localhost\r\n"),
            &[403],
        ),
        (
            format!("POST /quit/x HTTP/1.1\r\n{host}{token}{origin}Origin: http://evil\r\n"),
            &[403],
        ),
        (
            format!("GET /session/x/screen HTTP/1.1\r\n{host}{token}{upgrade}"),
            &[403],
        ),
        (
            format!(
                "GET /session/x/screen HTTP/1.1\r\n{host}{token}{upgrade}Origin: http://evil\r\n"
            ),
            &[403],
        ),
        // Paths that lead out.
        (format!("GET /../secret.txt HTTP/1.1\r\n{known}"), &[404]),
        (format!("GET /secret.txt HTTP/1.1\r\n{known}"), &[404]),
        (
            format!("GET /%2e%2e/secret.txt HTTP/1.1\r\n{known}"),
            &[404],
        ),
        (
            format!("GET /style.css/../secret.txt HTTP/1.1\r\n{known}"),
            &[404],
        ),
        (format!("GET //etc/passwd HTTP/1.1\r\n{known}"), &[404]),
        (
            format!("GET file:///etc/passwd HTTP/1.1\r\n{known}"),
            &[404, 400, 0],
        ),
        (
            format!("GET /session/../../secret.txt HTTP/1.1\r\n{known}"),
            &[404],
        ),
        (format!("POST /open/secret.txt HTTP/1.1\r\n{known}"), &[404]),
        (
            format!("POST /open/.%2Fsecret.txt HTTP/1.1\r\n{known}"),
            &[404],
        ),
        (
            format!("POST /open/..%2F..%2Fetc%2Fpasswd HTTP/1.1\r\n{known}"),
            &[404],
        ),
        (
            format!("POST /open/%2Fetc%2Fpasswd HTTP/1.1\r\n{known}"),
            &[404],
        ),
        (
            format!("POST /open/x.sysout%00 HTTP/1.1\r\n{known}"),
            &[404],
        ),
        (
            format!("POST /open/%ff%fe HTTP/1.1\r\n{known}"),
            &[404, 400],
        ),
        (format!("POST /open/--help HTTP/1.1\r\n{known}"), &[404]),
        (
            format!("POST /resume/..%2F..%2Fx HTTP/1.1\r\n{known}"),
            &[409],
        ),
        (format!("POST /resume/.. HTTP/1.1\r\n{known}"), &[409]),
        (format!("POST /resume/%2Fetc HTTP/1.1\r\n{known}"), &[409]),
        (format!("POST /resume/-x HTTP/1.1\r\n{known}"), &[409]),
        (format!("POST /resume/nobody HTTP/1.1\r\n{known}"), &[409]),
        (format!("POST /resume/ HTTP/1.1\r\n{known}"), &[404]),
        (format!("POST /quit/nobody HTTP/1.1\r\n{known}"), &[404]),
        (
            format!("GET /session/nobody/screen HTTP/1.1\r\n{known}{upgrade}"),
            &[404],
        ),
        (
            format!("GET /session/..%2F..%2Fx/screen HTTP/1.1\r\n{known}{upgrade}"),
            &[404],
        ),
        // Other methods.
        (format!("GET /open/x.sysout HTTP/1.1\r\n{known}"), &[405]),
        (format!("GET /quit/x HTTP/1.1\r\n{known}"), &[405]),
        (format!("POST / HTTP/1.1\r\n{known}"), &[405]),
        (format!("DELETE /list HTTP/1.1\r\n{known}"), &[405]),
        (format!("TRACE / HTTP/1.1\r\n{known}"), &[405]),
        (
            format!("PUT /style.css HTTP/1.1\r\n{known}Content-Length: 1\r\n"),
            &[405],
        ),
        (
            format!("CONNECT evil.example:80 HTTP/1.1\r\n{known}"),
            &[404, 405],
        ),
        (format!("BREW / HTTP/1.1\r\n{known}"), &[405]),
        // What is no request.
        (format!("GET /{long} HTTP/1.1\r\n{known}"), &[414, 431, 0]),
        (format!("GET / HTTP/1.1\r\n{known}X: {long}\r\n"), &[431, 0]),
        (format!("GET / HTTP/1.1\r\n{known}{many}"), &[431, 400, 0]),
        (format!("GET / HTTP/1.1\r\n{known}X: \0\r\n"), &[400]),
        (format!("GET / HTTP/1.1\r\n{known} folded: x\r\n"), &[400]),
        (format!("GET / HTTP/9.9\r\n{known}"), &[400, 0]),
        (format!("GET \u{e9} HTTP/1.1\r\n{known}"), &[400]),
        (
            format!("POST /quit/x HTTP/1.1\r\n{known}Content-Length: -1\r\n"),
            &[400],
        ),
        (
            format!("POST /quit/x HTTP/1.1\r\n{known}Content-Length: 1\r\nContent-Length: 2\r\n"),
            &[400],
        ),
        (
            format!("POST /quit/x HTTP/1.1\r\n{known}Transfer-Encoding: x\r\n"),
            &[400, 501, 404],
        ),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(), &[400, 0]),
        ("\u{16}\u{3}\u{1}\u{2}\0\u{1}\0".into(), &[400, 0]),
        ("\r\n\r\n\r\n\r\n".into(), &[400, 0]),
        ("GET".into(), &[400, 0]),
        // Half a WebSocket.
        (
            format!("GET /session/x/screen HTTP/1.1\r\n{known}"),
            &[400, 426],
        ),
        (
            format!("GET /session/x/screen HTTP/1.1\r\n{known}Upgrade: websocket\r\n"),
            &[400, 426],
        ),
        (
            format!(
                "GET /session/x/screen HTTP/1.1\r\n{known}{}",
                upgrade.replace("13", "12")
            ),
            &[400, 426],
        ),
        (
            format!("POST /session/x/screen HTTP/1.1\r\n{known}{upgrade}"),
            &[405],
        ),
    ];
    for (request, statuses) in &requests {
        let answer = server.raw(format!("{request}\r\n").as_bytes());
        let status = answer.as_ref().map_or(0, |answer| answer.status);
        let shown: String = request.chars().take(200).collect();
        assert!(statuses.contains(&status), "{shown}\n{answer:?}");
        let text = answer.map(|answer| answer.text).unwrap_or_default();
        assert!(
            !text.contains("secret\n") && !text.contains("root:"),
            "{shown}\n{text}"
        );
    }
    // Nothing was started, and who may ask is answered.
    let list = server.list();
    assert_eq!(list["sessions"], serde_json::json!([]));
    assert_eq!(list["images"], serde_json::json!(["./x.sysout"]));
    let page = server.request("GET /", &[]).unwrap();
    assert_eq!(page.status, 200);
    for header in [
        "content-security-policy: default-src 'none'",
        "x-frame-options: DENY",
        "cache-control: no-store",
    ] {
        assert!(page.text.contains(header), "{}", page.text);
    }
}

#[test]
fn who_is_slow_is_left_alone_and_takes_nobodys_place_for_long() {
    let server = Server::start(&["."]);
    let connect = || TcpStream::connect(server.address()).unwrap();
    let start = Instant::now();
    let mut slow: Vec<_> = (0..64).map(|_| connect()).collect();
    for stream in &mut slow {
        stream.write_all(b"GET / HT").unwrap();
    }
    sleep(Duration::from_millis(500));
    // There is no place for others meanwhile.
    assert!(server.request("GET /", &[]).is_none());
    for (number, mut stream) in slow.into_iter().enumerate() {
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let mut rest = Vec::new();
        if number == 0 {
            // One more byte now and then does not help.
            while stream.write_all(b"T").is_ok() && start.elapsed() < LIMIT {
                sleep(Duration::from_millis(500));
            }
        }
        let _ = stream.read_to_end(&mut rest);
        assert!(rest.len() < 1000);
    }
    assert!(
        start.elapsed() < Duration::from_secs(60),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(server.request("GET /", &[]).unwrap().status, 200);
}

#[test]
fn tabs_that_say_strange_things_are_closed_and_the_session_goes_on() {
    let Some(image) = medley() else {
        return;
    };
    let server = Server::start(&[image.to_str().unwrap(), "--", "--on-close", "discard"]);
    let strange: Vec<(Message, CloseCode)> = vec![
        (Message::binary(vec![0; 10]), CloseCode::Policy),
        (Message::text(""), CloseCode::Policy),
        (Message::text("{"), CloseCode::Policy),
        (Message::text("null"), CloseCode::Policy),
        (Message::text("\"shutdown\""), CloseCode::Policy),
        (Message::text("{\"key\":[]}"), CloseCode::Policy),
        (Message::text("{\"key\":[1,2,3]}"), CloseCode::Policy),
        (
            Message::text("{\"key\":[\"a\",\"a\",true],\"do\":\"close\"}"),
            CloseCode::Policy,
        ),
        (Message::text("{\"at\":[-1,5]}"), CloseCode::Policy),
        (Message::text("{\"at\":[65536,5]}"), CloseCode::Policy),
        (Message::text("{\"at\":[1e300,5]}"), CloseCode::Policy),
        (Message::text("{\"button\":[-1,true]}"), CloseCode::Policy),
        (Message::text("{\"wheel\":[\"NaN\",0]}"), CloseCode::Policy),
        (Message::text("{\"do\":\"format\"}"), CloseCode::Policy),
        (Message::text("[".repeat(60_000)), CloseCode::Policy),
        (
            Message::text(format!("{{\"text\":\"{}\"}}", "x".repeat(70_000))),
            CloseCode::Size,
        ),
    ];
    for (message, code) in strange {
        let shown: String = message.to_string().chars().take(50).collect();
        let mut socket = server.look("lisp").unwrap();
        socket.send(message).unwrap();
        loop {
            match socket.read() {
                Ok(Message::Close(Some(close))) => {
                    assert_eq!(close.code, code, "{shown}");
                    break;
                }
                Ok(_) => {}
                // One that says too much may be left without a word.
                Err(_) if code == CloseCode::Size => break,
                Err(error) => panic!("{shown}: {error}"),
            }
        }
    }
    // What a page may say, with values that mean nothing, is passed over.
    let mut socket = server.look("lisp").unwrap();
    for message in [
        "{\"key\":[\"\",\"\",true]}",
        "{\"key\":[\"KeyA\",\"Unheard\",false]}",
        "{\"button\":[99,true]}",
        "{\"at\":[65535,65535]}",
        "{\"wheel\":[1e308,-1e308]}",
        "{\"answer\":\"cancel\"}",
        "\"drawn\"",
        "\"away\"",
    ] {
        socket.send(Message::text(message)).unwrap();
    }
    // Nobody can do so much.
    let mut flood = || -> Result<(), Error> {
        for _ in 0..20_000 {
            socket.send(Message::text("{\"at\":[5,5]}"))?;
        }
        loop {
            socket.read()?;
        }
    };
    assert!(flood().is_err());
    // Too many tabs.
    wait("the tabs to be gone", || {
        (server.list()["sessions"][0]["viewers"] == 0).then_some(())
    });
    let tabs: Vec<_> = (0..16).map(|_| server.look("lisp").unwrap()).collect();
    match server.look("lisp") {
        Err(Error::Http(answer)) => assert_eq!(answer.status(), 429),
        other => panic!("{:?}", other.is_ok()),
    }
    drop(tabs);
    assert_eq!(server.list()["sessions"][0]["state"], "open");
}
