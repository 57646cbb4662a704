//! Who may talk to the server.
//!
//! Whoever knows the token may do everything, and nobody else anything. A browser gets it
//! in the link that is printed, and keeps it as a cookie that no script sees. A page from
//! elsewhere could have the browser send the cookie along, or have its own name lead to
//! this machine; so names of hosts must be known ones, and requests that do something
//! must come from a page of this server.

use std::net::IpAddr;

use axum::http::header::{COOKIE, HOST, ORIGIN, UPGRADE};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, Method};

/// Bytes of a random token.
const TOKEN_BYTES: usize = 16;

/// What requests must have.
#[derive(Debug)]
pub struct Guard {
    /// Nobody needs one if there is none.
    token: Option<String>,
    /// Names that a browser may know the server by, beside addresses and `localhost`.
    hosts: Vec<String>,
    cookie: String,
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// For another server.
    #[error("this server is not known by that name; geiko serve --host NAME makes it known")]
    Host,
    /// Asked by a page of another server.
    #[error("only pages of this server may do that")]
    Origin,
    /// The token is missing or wrong.
    #[error("the link that geiko printed has a token, which is missing here or wrong")]
    Token,
}

/// How a request showed that it is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// As the browser remembers.
    Known,
    /// With the token in its address, for the browser to remember.
    New,
}

/// A token that nobody guesses.
pub fn random_token() -> std::io::Result<String> {
    let mut bytes = [0; TOKEN_BYTES];
    let mut filled = 0;
    while filled < bytes.len() {
        let flags = rustix::rand::GetRandomFlags::empty();
        filled += rustix::rand::getrandom(&mut bytes[filled..], flags)?;
    }
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

impl Guard {
    /// A guard of a server at that port.
    pub fn new(token: Option<String>, hosts: Vec<String>, port: u16) -> Self {
        Self {
            token,
            hosts,
            // Browsers know of one cookie for all ports of a host.
            cookie: format!("geiko-{port}"),
        }
    }

    /// Lets a request pass, or not.
    pub fn check(&self, request: &Parts) -> Result<Pass, Refusal> {
        let host = only(&request.headers, HOST).ok_or(Refusal::Host)?;
        if !self.knows_host(host) {
            return Err(Refusal::Host);
        }
        let only_reads = [Method::GET, Method::HEAD].contains(&request.method)
            && !request.headers.contains_key(UPGRADE);
        if !only_reads {
            let origin = only(&request.headers, ORIGIN).and_then(|origin| {
                let https = origin.strip_prefix("https://");
                https.or(origin.strip_prefix("http://"))
            });
            if !origin.is_some_and(|origin| origin.eq_ignore_ascii_case(host)) {
                return Err(Refusal::Origin);
            }
        }
        let Some(token) = &self.token else {
            return Ok(Pass::Known);
        };
        let mut cookies = request.headers.get_all(COOKIE).into_iter();
        if cookies.any(|line| {
            let mut pairs = line.as_bytes().split(|&byte| byte == b';');
            pairs.any(|pair| {
                let value = pair.trim_ascii().strip_prefix(self.cookie.as_bytes());
                let value = value.and_then(|rest| rest.strip_prefix(b"="));
                value.is_some_and(|value| is_same(value, token.as_bytes()))
            })
        }) {
            return Ok(Pass::Known);
        }
        let mut query = request.uri.query().unwrap_or_default().split('&');
        let given = query.find_map(|pair| pair.strip_prefix("token="));
        match given {
            Some(given) if only_reads && is_same(given.as_bytes(), token.as_bytes()) => {
                Ok(Pass::New)
            }
            _ => Err(Refusal::Token),
        }
    }

    /// What a browser is told to remember.
    pub fn cookie(&self) -> String {
        let token = self.token.as_deref().unwrap_or_default();
        format!("{}={token}; Path=/; HttpOnly; SameSite=Strict", self.cookie)
    }

    /// The path with what lets a request pass.
    pub fn link(&self, path: &str) -> String {
        match &self.token {
            Some(token) => format!("{path}?token={token}"),
            None => path.into(),
        }
    }

    fn knows_host(&self, host: &str) -> bool {
        // Names of users do not belong here, and addresses cannot be made to lead elsewhere.
        let authority = host.parse::<Authority>().ok();
        let Some(authority) = authority.filter(|_| !host.contains('@')) else {
            return false;
        };
        let name = authority.host();
        let address = name
            .strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'));
        let is_known = |known: &str| known.eq_ignore_ascii_case(name);
        address.unwrap_or(name).parse::<IpAddr>().is_ok()
            || is_known("localhost")
            || self.hosts.iter().any(|known| is_known(known))
    }
}

/// The value of a header that must be there once.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).into_iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Compares in a time that does not tell where the difference is.
fn is_same(given: &[u8], token: &[u8]) -> bool {
    let differences = given.iter().zip(token).map(|(a, b)| a ^ b);
    given.len() == token.len() && differences.fold(0, |all, one| all | one) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    const TOKEN: &str = "0123456789abcdef";

    fn check(line: &str, headers: &[(&str, &str)]) -> Result<Pass, Refusal> {
        let guard = Guard::new(Some(TOKEN.into()), vec!["lisp.example".into()], 1186);
        let (method, uri) = line.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        guard.check(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn only_who_knows_the_token_passes() {
        let host = ("host", "127.0.0.1:1186");
        let with = |cookie| check("GET /", &[host, ("cookie", cookie)]);
        assert_eq!(check("GET /", &[host]), Err(Refusal::Token));
        assert_eq!(
            check("GET /?token=0123456789abcdef", &[host]),
            Ok(Pass::New)
        );
        for query in [
            "token=",
            "token=0123456789abcde",
            "token=0123456789abcdef0",
            "Token=0123456789abcdef",
        ] {
            assert_eq!(
                check(&format!("GET /?{query}"), &[host]),
                Err(Refusal::Token),
                "{query}"
            );
        }
        assert_eq!(with("a=b; geiko-1186=0123456789abcdef"), Ok(Pass::Known));
        for cookie in [
            "geiko-1187=0123456789abcdef",
            "geiko-1186=",
            "geiko-1186",
            "",
            ";;=;",
        ] {
            assert_eq!(with(cookie), Err(Refusal::Token), "{cookie}");
        }
    }

    #[test]
    fn names_that_may_lead_anywhere_are_refused() {
        let with = |host| check("GET /?token=0123456789abcdef", &[("host", host)]);
        for host in [
            "127.0.0.1",
            "localhost:80",
            "LOCALHOST:1186",
            "[::1]:1186",
            "10.0.0.7:1",
            "lisp.example",
        ] {
            assert_eq!(with(host), Ok(Pass::New), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:1186",
            "x@127.0.0.1",
            "localhost:x:y",
            "",
            "127.0.0.1/",
            "[::1",
            "lisp.example.evil",
        ] {
            assert_eq!(with(host), Err(Refusal::Host), "{host}");
        }
        let twice = [("host", "localhost"), ("host", "localhost")];
        assert_eq!(check("GET /", &twice), Err(Refusal::Host));
        assert_eq!(check("GET /", &[]), Err(Refusal::Host));
    }

    #[test]
    fn only_pages_of_this_server_do_something() {
        let host = ("host", "localhost:1186");
        let cookie = ("cookie", "geiko-1186=0123456789abcdef");
        let upgrade = ("upgrade", "websocket");
        assert_eq!(check("POST /", &[host, cookie]), Err(Refusal::Origin));
        assert_eq!(
            check("GET /", &[host, cookie, upgrade]),
            Err(Refusal::Origin)
        );
        for origin in [
            "http://evil.example",
            "null",
            "localhost:1186",
            "http://localhost:1187",
            "file://",
            "http://localhost:1186/",
        ] {
            let headers = [host, cookie, ("origin", origin)];
            assert_eq!(check("POST /", &headers), Err(Refusal::Origin), "{origin}");
        }
        for origin in ["http://localhost:1186", "https://localhost:1186"] {
            let headers = [host, cookie, upgrade, ("origin", origin)];
            assert_eq!(check("GET /", &headers), Ok(Pass::Known), "{origin}");
        }
        // A link cannot do anything, not even with the token.
        let headers = [host, ("origin", "http://localhost:1186")];
        assert_eq!(
            check("POST /?token=0123456789abcdef", &headers),
            Err(Refusal::Token)
        );
    }

    #[test]
    fn tokens_are_long_and_never_the_same() {
        let (one, other) = (random_token().unwrap(), random_token().unwrap());
        assert_eq!(one.len(), 2 * TOKEN_BYTES);
        assert_ne!(one, other);
    }
}
