//! The report of what is tested is a part of `docs/instructions.md`. It says what
//! the tests of this program were seen to do, in a process of their own; so it can
//! neither be forgotten nor be wrong.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::interp::observed::{Observation, Outcome, VARIABLE};
use crate::isa::reference::{Seen, markdown, with_sub_opcodes};
use crate::isa::{OPCODES, Opcode, Poll};

/// Bytes of symbol operands in the two generations.
const GENERATIONS: [u32; 2] = [3, 4];

/// What the other tests of the interpreter make instructions do.
fn observe() -> BTreeSet<Observation> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("observed");
    let tests = Command::new(std::env::current_exe().expect("this program"))
        .args(["interp::", "stack::", "traps::", "--skip", "coverage"])
        .env(VARIABLE, &path)
        .output()
        .expect("this program runs");
    assert!(
        tests.status.success(),
        "{}",
        String::from_utf8_lossy(&tests.stdout)
    );
    let lines = std::fs::read_to_string(path).expect("observations");
    lines
        .lines()
        .map(|line| line.parse().expect("an observation"))
        .collect()
}

#[test]
fn coverage() {
    let observed = observe();
    let seen = |opcode: Opcode, sub: Option<u8>| {
        let both = |outcome: Outcome| {
            GENERATIONS.iter().all(|&atom_bytes| {
                observed.iter().any(|o| {
                    (o.opcode, o.outcome, o.atom_bytes) == (opcode, outcome, atom_bytes)
                        && (sub.is_none() || o.sub == sub)
                })
            })
        };
        Seen {
            done: both(Outcome::Done),
            trapped: both(Outcome::Trapped),
            polled: both(Outcome::Polled),
        }
    };
    let mut wrong = Vec::new();
    for info in &OPCODES {
        let expected = Seen {
            done: !info.always_traps(),
            trapped: info.ufn.is_some(),
            polled: info.poll != Poll::No,
        };
        let mut seen = seen(info.opcode, None);
        if info.ufn.is_some() && info.poll == Poll::No {
            // Its trap is a call, which polls.
            seen.polled = false;
        }
        if seen != expected {
            wrong.push(format!("{:?}: {seen:?}, not {expected:?}", info.opcode));
        }
    }
    for (info, sub) in with_sub_opcodes() {
        let seen = seen(info.opcode, Some(sub.code));
        if seen.done == sub.always_traps() || sub.always_traps() && !seen.trapped {
            wrong.push(format!("{} {}: {seen:?}", info.name, sub.name));
        }
    }
    assert!(
        wrong.is_empty(),
        "what tests see differs from the list:\n{}",
        wrong.join("\n")
    );

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/instructions.md");
    let page = markdown(&seen);
    if std::env::var_os("GEIKO_BLESS").is_some() {
        std::fs::write(&path, &page).expect("a writable page");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/instructions.md is out of date; GEIKO_BLESS=1 writes it anew"
    );
}
