//! The list written down: documentation, and the report of what is covered.

use std::collections::BTreeSet;
use std::fmt::{self, Write};

use super::{Heap, OPCODES, OpcodeInfo, Poll};

const PREFACE: &str = "\
# Instructions

Generated from the list of instructions in the runtime; do not edit.

Length is in bytes with the opcode; where two are given, the second is for
images with 28-bit pointers, whose symbol and pointer operands have 4 bytes
instead of 3. A stack effect has the top of stack at the right. The last column
says which Lisp function is called when the machine does not execute the
instruction itself (`function/arguments`), and when.

";

/// Text of a Markdown table cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Code in a Markdown table cell.
fn code(text: &str) -> String {
    match text {
        "" => String::new(),
        text => format!("`{}`", cell(text)),
    }
}

/// The notes on polling and the heap.
fn effects(info: &OpcodeInfo) -> String {
    let poll = match info.poll {
        Poll::No => None,
        Poll::Taken => Some("polls when taken"),
        Poll::Call | Poll::Return => Some("polls"),
        Poll::Loop => Some("polls per element"),
        Poll::After => Some("polls afterwards"),
    };
    let heap = match info.heap {
        Heap::No => None,
        Heap::Alloc => Some("allocates"),
        Heap::Refs => Some("counts"),
        Heap::AllocRefs => Some("allocates, counts"),
    };
    let notes: Vec<_> = poll.into_iter().chain(heap).collect();
    notes.join(", ")
}

fn row(out: &mut String, info: &OpcodeInfo) -> fmt::Result {
    let (short, long) = (info.opcode.length(3), info.opcode.length(4));
    let length = match short == long {
        true => short.to_string(),
        false => format!("{short}/{long}"),
    };
    let operands: Vec<_> = info
        .operands
        .iter()
        .map(|operand| format!("{}: {}", operand.name, operand.kind.name()))
        .collect();
    let trap = info.ufn.map_or(String::new(), |ufn| {
        let function = code(&format!("{}/{}", ufn.function, ufn.arguments));
        format!("{function} {}", cell(ufn.when))
    });
    writeln!(
        out,
        "| {:02X} | {} | {} | {length} | {} | {} | {} | {} | {trap} |",
        info.opcode as u8,
        code(info.name),
        info.kind.title(),
        code(&operands.join(", ")),
        code(info.stack),
        cell(info.summary),
        effects(info),
    )
}

/// The table of all instructions as a Markdown page.
pub fn markdown() -> String {
    let mut out = String::from(PREFACE);
    out.push_str(
        "| code | name | kind | length | operands | stack | what it does | effects | traps to |\n",
    );
    out.push_str("|---|---|---|---|---|---|---|---|---|\n");
    for info in &OPCODES {
        row(&mut out, info).expect("a string takes all text");
    }
    out
}

/// The report of what the machine executes itself and what tests have executed,
/// one line for each instruction after a summary. `tested` holds assembler names.
pub fn coverage(tested: &BTreeSet<&str>) -> String {
    let own = OPCODES.iter().filter(|info| !info.always_traps());
    let covered = own.clone().filter(|info| tested.contains(info.name));
    let mut out = format!(
        "{} of {} instructions implemented, {} trap to Lisp, {} of the implemented tested\n",
        own.clone().count(),
        OPCODES.len(),
        OPCODES.len() - own.clone().count(),
        covered.count(),
    );
    for info in &OPCODES {
        let done = match info.ufn {
            Some(ufn) if info.always_traps() => format!("traps to {}", ufn.function),
            _ => "implemented".to_owned(),
        };
        let tested = match tested.contains(info.name) {
            true => "tested",
            false => "-",
        };
        let code = info.opcode as u8;
        writeln!(out, "{code:02X} {:<16} {done:<32} {tested}", info.name)
            .expect("a string takes all text");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_a_row_for_each_instruction() {
        let page = markdown();
        let rows: Vec<_> = page.lines().filter(|line| line.starts_with("| ")).collect();
        assert_eq!(rows.len(), 257);
        let separators = |row: &str| row.replace("\\|", "").matches('|').count();
        assert!(rows.iter().all(|row| separators(row) == 10));
        let some = [0x01, 0x03, 0x0D, 0x16, 0x25].map(|code: usize| rows[code + 1]);
        insta::assert_snapshot!(some.join("\n"), @r"
            | 01 | `CAR` | list | 1 |  | `x -- car` | Car of a list cell; NIL and T answer themselves. |  | `\CAR.UFN/1` x is not a list, NIL or T |
            | 03 | `LISTP` | type | 1 |  | `x -- x\|NIL` | x when it is a list cell, else NIL. |  |  |
            | 0D | `FNX` | call | 5/6 | `nargs: u8, fn: atom` | `arg1..argN -- value` | Call the definition of a symbol with nargs arguments. | polls |  |
            | 16 | `ASSOC` | list | 1 |  | `key alist -- pair\|NIL` | First pair of an association list whose car is EQ to the key. | polls per element |  |
            | 25 | `unused` | undefined | 1 |  | `--` | Unassigned. |  | `\UNKNOWN.UFN/0` always |
            ");
    }

    #[test]
    fn coverage_counts_what_was_tested() {
        let report = coverage(&BTreeSet::from(["CAR", "BOUT"]));
        let lines: Vec<_> = report.lines().collect();
        assert_eq!(lines.len(), 257);
        let some = [0x01, 0x02, 0x21, 0x25].map(|code: usize| lines[code + 1]);
        insta::assert_snapshot!([&lines[..1], &some].concat().join("\n"), @r"
            221 of 256 instructions implemented, 35 trap to Lisp, 1 of the implemented tested
            01 CAR              implemented                      tested
            02 CDR              implemented                      -
            21 BOUT             traps to \BOUT                   tested
            25 unused           traps to \UNKNOWN.UFN            -
            ");
    }
}
