//! The list written down for people, with what tests cover.

use std::fmt::{self, Write};

use super::sub_opcodes::{SubInfo, sub_opcodes};
use super::{Heap, OPCODES, Opcode, OpcodeInfo, Poll};

const PREFACE: &str = "\
# Instructions

Generated from the list of instructions in the runtime and from what its unit
tests do; `GEIKO_BLESS=1 cargo test -p geiko-runtime coverage` writes it anew.

Length is in bytes with the opcode; where two are given, the second is for
images with 28-bit pointers, whose symbol and pointer operands have 4 bytes
instead of 3. A stack effect has the top of stack at the right. *Traps to* says
which Lisp function is called when the machine does not execute the instruction
itself (`function/arguments`), and when. *Seen* is what unit tests have made the
instruction do, in both generations: its work (does), the call of its Lisp
function (traps), a look at interrupts that found one (polls);
a trap looks as a call does.

";

const SUB_PREFACE: &str = "
## Second opcode bytes

Unknown numbers trap.

| instruction | number | name | operands, what it does | machine | seen |
|---|---|---|---|---|---|
";

/// What tests have made an instruction do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// It did its work.
    pub done: bool,
    /// It called its Lisp function.
    pub trapped: bool,
    /// It served somebody who wanted attention.
    pub polled: bool,
}

impl Seen {
    fn text(self) -> String {
        let words = [
            (self.done, "does"),
            (self.trapped, "traps"),
            (self.polled, "polls"),
        ];
        let seen: Vec<_> = words
            .iter()
            .filter(|(seen, _)| *seen)
            .map(|(_, w)| *w)
            .collect();
        seen.join(", ")
    }
}

/// Answers what tests have made an instruction do, with a second byte if given.
pub type Tests<'a> = &'a dyn Fn(Opcode, Option<u8>) -> Seen;

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

/// Who executes it.
fn machine(always_traps: bool) -> &'static str {
    match always_traps {
        true => "traps",
        false => "implemented",
    }
}

fn row(out: &mut String, info: &OpcodeInfo, seen: Seen) -> fmt::Result {
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
        "| {:02X} | {} | {} | {length} | {} | {} | {} | {} | {trap} | {} | {} |",
        info.opcode as u8,
        code(info.name),
        info.kind.title(),
        code(&operands.join(", ")),
        code(info.stack),
        cell(info.summary),
        effects(info),
        machine(info.always_traps()),
        seen.text(),
    )
}

fn sub_row(out: &mut String, info: &OpcodeInfo, sub: &SubInfo, seen: Seen) -> fmt::Result {
    writeln!(
        out,
        "| {} | {} | {} | {} | {} | {} |",
        code(info.name),
        sub.code,
        code(sub.name),
        cell(sub.summary),
        machine(sub.always_traps()),
        seen.text(),
    )
}

/// The instructions with sub-opcodes; services are another matter.
pub fn with_sub_opcodes() -> impl Iterator<Item = (&'static OpcodeInfo, &'static SubInfo)> {
    OPCODES
        .iter()
        .filter(|info| info.opcode != Opcode::SubrCall)
        .flat_map(|info| {
            sub_opcodes(info.opcode)
                .unwrap_or_default()
                .iter()
                .map(move |sub| (info, sub))
        })
}

fn summary(out: &mut String, tests: Tests<'_>) -> fmt::Result {
    let own = OPCODES.iter().filter(|info| !info.always_traps());
    let done = own.clone().filter(|info| tests(info.opcode, None).done);
    writeln!(
        out,
        "{} of {} instructions are implemented, {} trap to Lisp; tests see {} of the implemented at work.\n",
        own.clone().count(),
        OPCODES.len(),
        OPCODES.len() - own.clone().count(),
        done.count(),
    )
}

fn write(out: &mut String, tests: Tests<'_>) -> fmt::Result {
    out.write_str(PREFACE)?;
    summary(out, tests)?;
    out.write_str(
        "| code | name | kind | length | operands | stack | what it does | effects | traps to | machine | seen |\n\
         |---|---|---|---|---|---|---|---|---|---|---|\n",
    )?;
    for info in &OPCODES {
        row(out, info, tests(info.opcode, None))?;
    }
    out.write_str(SUB_PREFACE)?;
    for (info, sub) in with_sub_opcodes() {
        sub_row(out, info, sub, tests(info.opcode, Some(sub.code)))?;
    }
    Ok(())
}

/// The tables of all instructions as a Markdown page.
pub fn markdown(tests: Tests<'_>) -> String {
    let mut out = String::new();
    write(&mut out, tests).expect("a string takes all text");
    out
}

#[test]
fn the_page_has_a_row_for_each_instruction() {
    let page = markdown(&|opcode, sub| Seen {
        done: opcode == Opcode::Car || sub.is_some(),
        trapped: matches!(opcode, Opcode::Car | Opcode::Unused25),
        polled: opcode == Opcode::FnX,
    });
    let rows: Vec<_> = page.lines().filter(|line| line.starts_with("| ")).collect();
    let (opcodes, subs) = rows.split_at(257);
    assert_eq!(subs.len(), 1 + with_sub_opcodes().count());
    let separators = |row: &str| row.replace("\\|", "").matches('|').count();
    assert!(opcodes.iter().all(|row| separators(row) == 12));
    assert!(subs.iter().all(|row| separators(row) == 7));
    let some = [0x01, 0x0D, 0x16, 0x25].map(|code: usize| rows[code + 1]);
    insta::assert_snapshot!(some.join("\n"), @r"
    | 01 | `CAR` | list | 1 |  | `x -- car` | Car of a list cell; NIL and T answer themselves. |  | `\CAR.UFN/1` x is not a list, NIL or T | implemented | does, traps |
    | 0D | `FNX` | call | 5/6 | `nargs: u8, fn: atom` | `arg1..argN -- value` | Call the definition of a symbol with nargs arguments. | polls |  | implemented | polls |
    | 16 | `ASSOC` | list | 1 |  | `key alist -- pair\|NIL` | First pair of an association list whose car is EQ to the key. | polls per element |  | implemented |  |
    | 25 | `unused` | undefined | 1 |  | `--` | Unassigned. |  | `\UNKNOWN.UFN/0` always | traps | traps |
    ");
}
