//! Facts about the host and its user (`reference/subrs.md` section 5).

use geiko_runtime::device::Environment;

/// The host as it is.
#[derive(Debug)]
pub struct Host;

/// The processor family that Lisp's own code knows for every newer machine.
const MACHINE: &str = "mc68020";

impl Environment for Host {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn parameter(&self, name: &str) -> Option<String> {
        match name {
            "MACH" => Some(MACHINE.into()),
            "OSNAME" => Some(
                match std::env::consts::OS {
                    "linux" => "Linux",
                    "macos" => "macOS",
                    other => other,
                }
                .into(),
            ),
            "ARCH" => Some(
                match std::env::consts::ARCH {
                    "aarch64" => "arm64",
                    other => other,
                }
                .into(),
            ),
            "DISPLAY" => Some("BUFFERED".into()),
            "HOSTNAME" => Some(node_name()),
            "LOGNAME" => self.user_name(),
            "FULLUSERNAME" => self.full_name(),
            "HOSTID" => Some(format!("{:x}", self.host_id())),
            _ => None,
        }
    }

    fn user_name(&self) -> Option<String> {
        ["LOGNAME", "USER"]
            .into_iter()
            .find_map(|name| self.variable(name))
            .filter(|name| !name.is_empty())
            .or_else(|| account().map(|account| account.name))
    }

    fn full_name(&self) -> Option<String> {
        account().map(|account| account.full_name)
    }

    fn host_id(&self) -> u32 {
        // FNV-1a: the same on every run, different between hosts.
        node_name().bytes().fold(0x811C_9DC5, |hash: u32, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        })
    }
}

fn node_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

struct Account {
    name: String,
    full_name: String,
}

/// The line of the password file about the user.
fn account() -> Option<Account> {
    let id = rustix::process::getuid().as_raw().to_string();
    let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        if fields.nth(1)? != id {
            return None;
        }
        let full_name = fields.nth(1)?.split(',').next()?;
        Some(Account {
            name: name.into(),
            full_name: full_name.into(),
        })
    })
}
