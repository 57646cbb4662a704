//! What instructions do in unit tests, for the report of what is tested.
//!
//! A test process that is started with `GEIKO_OBSERVE` set to the path of a file
//! appends a line for everything new that an instruction has been seen to do.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::str::FromStr;
use std::sync::{LazyLock, Mutex, PoisonError};

use super::Exit;
use crate::isa::Opcode;
use crate::isa::sub_opcodes::sub_opcodes;
use crate::layout::Generation;
use crate::machine::Machine;
use crate::memory::LispPtr;

/// The environment variable with the path of the file.
pub const VARIABLE: &str = "GEIKO_OBSERVE";

/// What an instruction did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Its work.
    Done,
    /// It called its Lisp function.
    Trapped,
    /// It served somebody who wanted attention.
    Polled,
}

/// An instruction has been executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Observation {
    /// The instruction.
    pub opcode: Opcode,
    /// Its second byte, for those with sub-opcodes.
    pub sub: Option<u8>,
    /// What it did.
    pub outcome: Outcome,
    /// Bytes of a symbol operand, which tell the generation.
    pub atom_bytes: u32,
}

impl fmt::Display for Observation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sub = self.sub.map_or(-1, i32::from);
        let (opcode, outcome) = (self.opcode as u8, self.outcome as u8);
        write!(f, "{opcode} {sub} {outcome} {}", self.atom_bytes)
    }
}

impl FromStr for Observation {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let numbers: Vec<i32> = line.split(' ').filter_map(|n| n.parse().ok()).collect();
        let [opcode, sub, outcome, atom_bytes] = numbers[..] else {
            return Err(format!("no observation: {line}"));
        };
        Ok(Self {
            opcode: Opcode::from(opcode as u8),
            sub: u8::try_from(sub).ok(),
            outcome: match outcome {
                0 => Outcome::Done,
                1 => Outcome::Trapped,
                _ => Outcome::Polled,
            },
            atom_bytes: atom_bytes as u32,
        })
    }
}

/// What has been seen, and where it is written.
struct Log {
    seen: BTreeSet<Observation>,
    file: File,
}

static LOG: LazyLock<Option<Mutex<Log>>> = LazyLock::new(|| {
    let path = std::env::var_os(VARIABLE)?;
    let file = OpenOptions::new().create(true).append(true).open(path);
    Some(Mutex::new(Log {
        seen: BTreeSet::new(),
        file: file.expect("a writable file"),
    }))
});

/// [`Machine::step`], observed. What serves interrupts first does not count, and
/// an instruction that will be executed again has not been executed.
pub fn step<G: Generation>(m: &mut Machine<'_, G>) -> Exit {
    let Some(log) = &*LOG else {
        return m.step();
    };
    let (due, raised) = (m.interrupts_due(), m.mem.control().is_raised());
    let (pc, func) = (m.regs.pc, m.func);
    let opcode = Opcode::from(m.mem.code(pc, 0));
    let sub = sub_opcodes(opcode).map(|_| m.mem.code(pc, 1));
    let entry = m.mem.cell(G::UFN_TABLE.add(2 * opcode as u32));
    let handler = m.definition(LispPtr(u32::from(entry.hi())));
    let exit = m.step();
    let outcome = if due || exit == Exit::Fault {
        return exit;
    } else if raised && !m.mem.control().is_raised() {
        Outcome::Polled
    } else if raised || m.regs.pc == pc {
        return exit;
    } else if opcode.info().always_traps() || m.func != func && m.func == handler.masked::<G>() {
        // A trap without a compiled definition calls another function.
        Outcome::Trapped
    } else {
        Outcome::Done
    };
    let observation = Observation {
        opcode,
        sub,
        outcome,
        atom_bytes: G::OPERAND_BYTES,
    };
    let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
    if log.seen.insert(observation) {
        writeln!(log.file, "{observation}").expect("room in the file");
    }
    exit
}
