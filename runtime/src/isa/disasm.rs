//! Code as text.
//!
//! ```text
//! COUNT
//!   lambda, 1 argument
//!   arguments       ivar0 list
//!   locals          pvar0 n
//!   na 1, pv 0 (2 slots), nlocals 1, stkmin 34, startpc 24, argtype 0, ntsize 4
//! L1:
//!     24  40              IVAR0                           ; list
//!     25  9b              FJUMP11        L2
//! ```
//!
//! The columns are offset from the function header, bytes, instruction, operands,
//! and what can be said about them. What numbers mean in an image is asked of
//! [`Names`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::Opcode;
use super::decode::{Binding, Decoder, Instruction, LocalKind, Operand};
use super::sub_opcodes::sub_name;

/// What the numbers in code mean.
pub trait Names {
    /// Name of a symbol.
    fn atom(&self, atom: u32) -> String;

    /// Text of any object.
    fn pointer(&self, pointer: u32) -> String;

    /// Name of a variable of the frame, if it has one.
    fn local(&self, _kind: LocalKind, _index: u16) -> Option<String> {
        None
    }

    /// Name of a type, if it has one.
    fn type_name(&self, _number: u16) -> Option<String> {
        None
    }
}

/// Knows no names: symbols and pointers are shown as numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoNames;

impl Names for NoNames {
    fn atom(&self, atom: u32) -> String {
        format!("atom#{atom:x}")
    }

    fn pointer(&self, pointer: u32) -> String {
        format!("#{pointer:x}")
    }
}

/// What a function header says (`reference/processor.md` section 7).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FunctionInfo {
    /// Name of the frame.
    pub name: String,
    /// Number of arguments; -1 takes any number.
    pub na: i16,
    /// Pairs of PVAR slots, minus 1.
    pub pv: i16,
    /// Number of PVAR slots that are local variables.
    pub nlocals: u8,
    /// Offset of the first instruction in bytes.
    pub startpc: u16,
    /// Stack space needed, in words.
    pub stkmin: u16,
    /// Bit 1: takes any number of arguments; bit 0: does not evaluate them.
    pub argtype: u8,
    /// Size of one half of the name table, in words.
    pub ntsize: u16,
    /// Numbers and names of arguments.
    pub arguments: Vec<(u16, String)>,
    /// Slots and names of local variables.
    pub locals: Vec<(u16, String)>,
    /// Slots and names of free variables.
    pub free_variables: Vec<(u16, String)>,
}

impl FunctionInfo {
    /// Name of a variable, if it has one.
    pub fn local(&self, kind: LocalKind, index: u16) -> Option<&str> {
        let names = match kind {
            LocalKind::Argument => &self.arguments,
            LocalKind::Local => &self.locals,
            LocalKind::Free => &self.free_variables,
        };
        let (_, name) = names.iter().find(|(slot, _)| *slot == index)?;
        Some(name)
    }
}

impl fmt::Display for FunctionInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.name)?;
        let lambda = match self.argtype & 1 {
            0 => "lambda",
            _ => "nlambda",
        };
        match self.na {
            ..0 => writeln!(f, "  {lambda}, any number of arguments")?,
            0 => writeln!(f, "  {lambda}, no argument")?,
            1 => writeln!(f, "  {lambda}, 1 argument")?,
            count => writeln!(f, "  {lambda}, {count} arguments")?,
        }
        for (title, kind, names) in [
            ("arguments", LocalKind::Argument, &self.arguments),
            ("locals", LocalKind::Local, &self.locals),
            ("free variables", LocalKind::Free, &self.free_variables),
        ] {
            if !names.is_empty() {
                let texts: Vec<_> = names
                    .iter()
                    .map(|(index, name)| format!("{} {name}", plain_local(kind, *index)))
                    .collect();
                writeln!(f, "  {title:<15} {}", texts.join(", "))?;
            }
        }
        let Self {
            na,
            pv,
            nlocals,
            stkmin,
            startpc,
            argtype,
            ntsize,
            ..
        } = self;
        let slots = 2 * (i32::from(*pv) + 1);
        writeln!(
            f,
            "  na {na}, pv {pv} ({slots} slots), nlocals {nlocals}, stkmin {stkmin}, \
             startpc {startpc}, argtype {argtype}, ntsize {ntsize}"
        )
    }
}

/// The text of a function's code; `to_string` or `write!` it.
#[derive(Clone, Copy)]
pub struct Listing<'a> {
    code: &'a [u8],
    offset: u32,
    atom_bytes: u32,
    names: &'a dyn Names,
    function: Option<&'a FunctionInfo>,
    notes: Option<&'a dyn Fn(Option<u32>) -> String>,
}

impl<'a> Listing<'a> {
    /// Lists `code`, the first byte of which lies at `offset` from the function
    /// header. `atom_bytes` is 3 or 4.
    pub fn new(code: &'a [u8], offset: u32, atom_bytes: u32, names: &'a dyn Names) -> Self {
        Self {
            code,
            offset,
            atom_bytes,
            names,
            function: None,
            notes: None,
        }
    }

    /// Puts the function's header in front and uses its variable names, before
    /// those of [`Names::local`].
    pub fn with_function(self, function: &'a FunctionInfo) -> Self {
        Self {
            function: Some(function),
            ..self
        }
    }

    /// Puts behind the line of each instruction the lines that `notes` answers for
    /// its offset, and in front of the first one those that it answers for none.
    pub fn with_notes(self, notes: &'a dyn Fn(Option<u32>) -> String) -> Self {
        Self {
            notes: Some(notes),
            ..self
        }
    }

    fn decoder(&self) -> Decoder<'a> {
        Decoder::new(self.code, self.offset, self.atom_bytes)
    }

    /// The bytes of an instruction as text.
    fn bytes(&self, offset: u32, length: usize) -> String {
        let start = offset.wrapping_sub(self.offset) as usize;
        let bytes = self.code.iter().skip(start).take(length);
        let texts: Vec<_> = bytes.map(|byte| format!("{byte:02x}")).collect();
        texts.join(" ")
    }

    /// Width of the longest instruction's bytes: an opcode, a count, a symbol.
    fn bytes_width(&self) -> usize {
        3 * (2 + self.atom_bytes as usize) - 1
    }
}

impl Names for Listing<'_> {
    fn atom(&self, atom: u32) -> String {
        self.names.atom(atom)
    }

    fn pointer(&self, pointer: u32) -> String {
        self.names.pointer(pointer)
    }

    fn local(&self, kind: LocalKind, index: u16) -> Option<String> {
        let own = self.function.and_then(|f| f.local(kind, index));
        own.map(str::to_owned)
            .or_else(|| self.names.local(kind, index))
    }

    fn type_name(&self, number: u16) -> Option<String> {
        self.names.type_name(number)
    }
}

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(function) = self.function {
            write!(f, "{function}")?;
        }
        if let Some(notes) = self.notes {
            f.write_str(&notes(None))?;
        }
        let labels = labels(self.decoder());
        let width = self.bytes_width();
        for item in self.decoder() {
            let (offset, line) = match item {
                Ok(instruction) => {
                    let offset = instruction.offset;
                    if let Some(label) = labels.get(&(offset as i32)) {
                        writeln!(f, "{label}:")?;
                    }
                    let bytes = self.bytes(offset, instruction.length(self.atom_bytes) as usize);
                    let text = text(&instruction, self, Some(&labels));
                    (offset, format!("{bytes:<width$}  {text}"))
                }
                Err(truncated) => {
                    let bytes = self.bytes(truncated.offset, truncated.available);
                    (truncated.offset, format!("{bytes:<width$}  ; {truncated}"))
                }
            };
            writeln!(f, "{offset:>6}  {line}")?;
            if let Some(notes) = self.notes {
                f.write_str(&notes(Some(offset)))?;
            }
        }
        Ok(())
    }
}

/// One instruction as text, without offset and bytes; jumps show the offset that
/// they lead to. For traces and messages.
pub fn instruction_text(instruction: &Instruction, names: &dyn Names) -> String {
    text(instruction, names, None)
}

/// Labels of all instructions that jumps lead to, numbered in their order.
fn labels(decoder: Decoder<'_>) -> BTreeMap<i32, String> {
    let instructions: Vec<_> = decoder.flatten().collect();
    let starts: BTreeSet<_> = instructions.iter().map(|i| i.offset as i32).collect();
    let targets: BTreeSet<_> = instructions
        .iter()
        .filter_map(Instruction::target)
        .collect();
    let labels = starts.intersection(&targets).enumerate();
    labels
        .map(|(index, &offset)| (offset, format!("L{}", index + 1)))
        .collect()
}

/// Columns of an instruction: mnemonic, operands, comment.
fn text(
    instruction: &Instruction,
    names: &dyn Names,
    labels: Option<&BTreeMap<i32, String>>,
) -> String {
    let label = |target| labels.and_then(|labels| labels.get(&target).cloned());
    let mut operands = Vec::new();
    for operand in instruction.operands() {
        match *operand {
            Operand::Number(number) => operands.push(number.to_string()),
            Operand::Atom(atom) => operands.push(names.atom(atom)),
            Operand::Pointer(pointer) => operands.push(names.pointer(pointer)),
            Operand::Target(_) => {}
        }
    }
    let mut comment = comment(instruction, names);
    if let Some(target) = instruction.target() {
        let label = label(target);
        if labels.is_some() && label.is_none() {
            comment = Some("no instruction starts there".to_owned());
        }
        operands.push(label.unwrap_or_else(|| format!("-> {target}")));
    }
    let name = instruction.opcode.name();
    let operands = operands.join(" ");
    let line = match comment {
        Some(comment) => format!("{name:<14} {operands:<16} ; {comment}"),
        None => format!("{name:<14} {operands}"),
    };
    line.trim_end().to_owned()
}

/// A variable without a name.
fn plain_local(kind: LocalKind, index: u16) -> String {
    match kind {
        LocalKind::Argument => format!("ivar{index}"),
        LocalKind::Local => format!("pvar{index}"),
        LocalKind::Free => format!("fvar{index}"),
    }
}

/// What can be said about an instruction beyond its operands.
fn comment(instruction: &Instruction, names: &dyn Names) -> Option<String> {
    if let Some((kind, index)) = instruction.local() {
        // The instruction's own name says the number, if no operand does.
        let unnamed = || {
            let operands = instruction.operands();
            (!operands.is_empty()).then(|| plain_local(kind, index))
        };
        return names.local(kind, index).or_else(unnamed);
    }
    if let Some(binding) = instruction.binding() {
        return Some(binding_text(binding, names));
    }
    let info = instruction.opcode.info();
    if let (true, Some(ufn)) = (info.always_traps(), info.ufn) {
        return Some(format!("traps to {}", ufn.function));
    }
    let first = instruction.number(0)?;
    if let Some(name) = sub_name(instruction.opcode, first as u8) {
        return Some(name.unwrap_or("unknown").to_owned());
    }
    match instruction.opcode {
        Opcode::Typep => names.type_name(first),
        Opcode::TypeMaskN => Some(mask_text(first)),
        Opcode::GcRef => {
            let action = ["ADDREF", "DELREF", "STKREF"].get(usize::from(first));
            action.map(ToString::to_string)
        }
        Opcode::AtomCellN => {
            let cell = match first {
                2 => "property list",
                8 => "print name",
                10 => "definition",
                12 => "value",
                _ => return None,
            };
            Some(cell.to_owned())
        }
        Opcode::Snic => Some((i32::from(first) - 256).to_string()),
        Opcode::Unwind if instruction.number(1) != Some(0) => Some("keeps the top".to_owned()),
        Opcode::CopyN => Some(format!("{} below the top", first / 2)),
        Opcode::StoreN => Some(format!("{} below the top", first / 2 + 1)),
        Opcode::PopN => Some(format!("drops {}", first + 1)),
        Opcode::GetBitsNFd | Opcode::PutBitsNFd => {
            let field = instruction.number(1)?;
            let (first, last) = (field >> 4, (field >> 4) + (field & 15));
            Some(format!("bits {first}..{last}, 0 is the highest"))
        }
        _ => None,
    }
}

/// What a BIND binds: the size of the mark, then the variables.
fn binding_text(binding: Binding, names: &dyn Names) -> String {
    let mark = format!("mark of {}", binding.count());
    let Ok(first) = u16::try_from(binding.first()) else {
        return format!("{mark}, reaching below pvar0");
    };
    let variables = |first: u16, count: u16| -> String {
        let variables = (first..first + count).map(|index| {
            let name = names.local(LocalKind::Local, index);
            name.unwrap_or_else(|| plain_local(LocalKind::Local, index))
        });
        variables.collect::<Vec<_>>().join(" ")
    };
    let values = variables(first, binding.values);
    let nils = variables(first + binding.values, binding.nils);
    let plural = if binding.values == 1 { "" } else { "s" };
    match (binding.values, binding.nils) {
        (0, 0) => mark,
        (_, 0) => format!("{mark}: {values} := value{plural}"),
        (0, _) => format!("{mark}: {nils} := NIL"),
        _ => format!("{mark}: {values} := value{plural}, {nils} := NIL"),
    }
}

/// The bits of a type-table entry that TYPEMASK.N tests.
fn mask_text(mask: u16) -> String {
    let bits = [
        (0x80, "uncounted"),
        (0x40, "symbol"),
        (0x20, "integer"),
        (0x10, "number"),
        (0x08, "Common Lisp atom"),
    ];
    let names = bits.iter().filter(|(bit, _)| mask & bit != 0);
    names
        .map(|(_, name)| *name)
        .collect::<Vec<_>>()
        .join(" or ")
}

#[cfg(test)]
mod tests;
