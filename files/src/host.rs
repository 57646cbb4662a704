//! Questions about the user and the machine: the subrs UNIX-GETENV,
//! UNIX-GETPARM, UNIX-USERNAME and UNIX-FULLNAME (`reference/subrs.md` section 5).
//!
//! The answers are bytes without a closing NUL. The subrs refuse names of
//! [`MAX_NAME`] bytes and more, and so do the functions here.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::passwd;

/// Names of variables and parameters are shorter than this.
pub const MAX_NAME: usize = 20;

/// The value of an environment variable.
#[must_use]
pub fn variable(name: &[u8]) -> Option<Vec<u8>> {
    // The standard library answers None, too, for names no variable can have.
    (name.len() < MAX_NAME)
        .then(|| env::var_os(OsStr::from_bytes(name)))?
        .map(OsStringExt::into_vec)
}

/// A parameter of the machine or the user, by the name that Lisp uses.
///
/// `DISPLAY` is not answered here: it is a property of the VM's display.
#[must_use]
pub fn parameter(name: &[u8]) -> Option<Vec<u8>> {
    match name {
        b"MACH" => Some(machine().as_bytes().to_vec()),
        b"ARCH" => Some(architecture().as_bytes().to_vec()),
        b"OSNAME" => Some(system_name().as_bytes().to_vec()),
        b"HOSTNAME" => Some(host_name()),
        b"LOGNAME" => user_name(),
        b"FULLUSERNAME" => full_name(),
        b"HOSTID" => Some(format!("{:x}", host_id()).into_bytes()),
        _ => None,
    }
}

/// The login name of the user who runs the VM.
#[must_use]
pub fn user_name() -> Option<Vec<u8>> {
    passwd::current().map(|user| user.name)
}

/// The full name of the user who runs the VM: the GECOS field as it is.
#[must_use]
pub fn full_name() -> Option<Vec<u8>> {
    passwd::current().map(|user| user.full_name)
}

/// Where an image is saved when Lisp does not say where: the variable
/// LDEDESTSYSOUT, in which a leading `~` is the user's home, or a file there.
#[must_use]
pub fn image_path() -> Option<PathBuf> {
    let home = || {
        let home = env::var_os("HOME").filter(|home| !home.is_empty());
        let home = home.or_else(|| Some(OsString::from_vec(passwd::current()?.home)));
        home.map(PathBuf::from)
    };
    match env::var_os("LDEDESTSYSOUT") {
        Some(path) => match Path::new(&path).strip_prefix("~") {
            Ok(rest) => Some(home()?.join(rest)),
            Err(_) => Some(path.into()),
        },
        None => Some(home()?.join("lisp.virtualmem")),
    }
}

/// The name of this machine.
#[must_use]
pub fn host_name() -> Vec<u8> {
    rustix::system::uname().nodename().to_bytes().to_vec()
}

/// The processor family, as Maiko names it: what is neither a SPARC nor a Mac
/// is a Sun-3.
const fn machine() -> &'static str {
    if cfg!(any(target_arch = "sparc", target_arch = "sparc64")) {
        "sparc"
    } else if cfg!(target_os = "macos") {
        "i386"
    } else {
        "mc68020"
    }
}

/// The architecture, in Maiko's spelling.
fn architecture() -> &'static str {
    match env::consts::ARCH {
        "aarch64" => "arm64",
        "powerpc" | "powerpc64" => "PowerPC",
        "riscv32" | "riscv64" => "RISC-V",
        "sparc" | "sparc64" => "SPARC",
        "m68k" => "Motorola68K",
        other => other,
    }
}

/// The operating system, in Maiko's spelling.
fn system_name() -> &'static str {
    match env::consts::OS {
        "linux" => "Linux",
        "macos" => "macOS",
        "freebsd" => "FreeBSD",
        "netbsd" => "NetBSD",
        "openbsd" => "OpenBSD",
        "dragonfly" => "DragonFly BSD",
        "solaris" | "illumos" => "Solaris",
        "haiku" => "Haiku",
        other => other,
    }
}

/// A number that identifies the host: four bytes of a file if it exists, as for
/// the C library's `gethostid`, else made from the host's name. (The C library
/// asks for the host's address, which may mean to wait for the network.)
#[must_use]
pub fn host_id() -> u32 {
    if let Ok(bytes) = fs::read("/etc/hostid")
        && let Some(bytes) = bytes.first_chunk()
    {
        return u32::from_ne_bytes(*bytes);
    }
    // FNV-1a.
    host_name().iter().fold(0x811C_9DC5, |hash, &byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters() {
        assert_eq!(parameter(b"LOGNAME"), user_name());
        assert_eq!(parameter(b"FULLUSERNAME"), full_name());
        assert_eq!(parameter(b"HOSTNAME"), Some(host_name()));
        assert_eq!(parameter(b"DISPLAY"), None);
        assert_eq!(parameter(b"mach"), None);
        if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            assert_eq!(parameter(b"MACH").as_deref(), Some(&b"mc68020"[..]));
            assert_eq!(parameter(b"OSNAME").as_deref(), Some(&b"Linux"[..]));
            assert_eq!(parameter(b"ARCH").as_deref(), Some(&b"x86_64"[..]));
        }
    }

    #[test]
    fn variables() {
        assert_eq!(
            variable(b"PATH"),
            env::var_os("PATH").map(OsStringExt::into_vec)
        );
        assert_eq!(variable(b"A_NAME_OF_TWENTY_BYT"), None);
        assert_eq!(variable(b"A=B"), None);
        assert_eq!(variable(b""), None);
    }
}
