//! The users of the host, from its password file.
//!
//! A network directory of users is not consulted. For the user who runs the
//! VM the environment (`USER`, `HOME`) fills the gap.

use std::fs;
use std::os::unix::ffi::OsStringExt;

const PASSWORD_FILE: &str = "/etc/passwd";

/// One line of the password file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    pub name: Vec<u8>,
    uid: u32,
    /// The "GECOS" field: the user's full name and more.
    pub full_name: Vec<u8>,
    pub home: Vec<u8>,
}

/// The password file, read once for many questions.
#[derive(Debug, Default)]
pub(crate) struct Users(Vec<User>);

impl Users {
    /// Reads the host's file; a host without one has no users.
    pub fn read() -> Self {
        fs::read(PASSWORD_FILE).map_or_else(|_| Self::default(), |text| Self::parse(&text))
    }

    fn parse(text: &[u8]) -> Self {
        Self(
            text.split(|&byte| byte == b'\n')
                .filter_map(parse_line)
                .collect(),
        )
    }

    fn by_name(self, name: &[u8]) -> Option<User> {
        self.0.into_iter().find(|user| user.name == name)
    }

    /// The login name of a user id.
    pub fn name_of(&self, uid: u32) -> Option<&[u8]> {
        let user = self.0.iter().find(|user| user.uid == uid)?;
        Some(&user.name)
    }
}

fn parse_line(line: &[u8]) -> Option<User> {
    let mut fields = line.split(|&byte| byte == b':');
    let name = fields.next()?.to_vec();
    let uid = std::str::from_utf8(fields.nth(1)?).ok()?.parse().ok()?;
    let full_name = fields.nth(1)?.to_vec();
    let home = fields.next()?.to_vec();
    Some(User {
        name,
        uid,
        full_name,
        home,
    })
}

/// The user who runs this process.
pub(crate) fn current() -> Option<User> {
    let uid = rustix::process::getuid().as_raw();
    let users = Users::read();
    users
        .0
        .into_iter()
        .find(|user| user.uid == uid)
        .or_else(|| {
            let name = variable("USER").or_else(|| variable("LOGNAME"))?;
            Some(User {
                full_name: name.clone(),
                name,
                uid,
                home: variable("HOME")?,
            })
        })
}

/// The home directory of the user who runs this process.
pub(crate) fn home() -> Option<Vec<u8>> {
    current().map(|user| user.home).or_else(|| variable("HOME"))
}

/// The home directory of a named user.
pub(crate) fn home_of(name: &[u8]) -> Option<Vec<u8>> {
    Some(Users::read().by_name(name)?.home)
}

fn variable(name: &str) -> Option<Vec<u8>> {
    std::env::var_os(name).map(OsStringExt::into_vec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let users = Users::parse(
            b"root:x:0:0:root:/root:/bin/sh\n# comment\nbad:x:y:0::/:\nann:*:7:7:Ann Lee,,,:/home/ann:\n",
        );
        assert_eq!(users.name_of(7), Some(&b"ann"[..]));
        assert_eq!(users.name_of(8), None);
        let ann = users.by_name(b"ann").expect("ann");
        assert_eq!(ann.full_name, b"Ann Lee,,,");
        assert_eq!(ann.home, b"/home/ann");
    }
}
