//! Byte code from text.
//!
//! Statements end at a semicolon or a line: the name of an instruction as the list of all
//! instructions has it, then its operands. An operand is a number, decimal or hexadecimal; a
//! symbol or pointer may be a name that the caller knows; a displacement is a label, which is
//! put before a statement with a colon. `JUMP`, `FJUMP` and `TJUMP` with a label stand for the
//! short forms.
//!
//! ```text
//! next: IVAR0; IDIFFERENCE.N 1; IVARX_ 0; '0; GREATERP; TJUMPX next
//! IVAR0; FN1 HELPER; RETURN
//! ```

use std::collections::HashMap;

use crate::isa::{Opcode, OperandKind};
use crate::layout::Generation;
use crate::memory::LispPtr;

/// A statement, the offset of its bytes, and its operands as they are written.
struct Statement<'a> {
    offset: i32,
    name: &'a str,
    operands: Vec<&'a str>,
}

impl Statement<'_> {
    /// The instruction; short jumps are known when the labels are.
    fn opcode(&self, labels: &HashMap<&str, i32>) -> Opcode {
        let name = match self.operands[..] {
            [label] if is_short_jump(self.name) => {
                format!("{}{}", self.name, labels[label] - self.offset - 2)
            }
            _ => self.name.into(),
        };
        named(&name).unwrap_or_else(|| panic!("no instruction {name}"))
    }
}

fn is_short_jump(name: &str) -> bool {
    matches!(name, "JUMP" | "FJUMP" | "TJUMP")
}

fn named(name: &str) -> Option<Opcode> {
    let mut all = Opcode::ALL.iter();
    all.find(|opcode| opcode.name() == name).copied()
}

fn number(text: &str) -> Option<i64> {
    match text.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// The bytes of the statements of `text` and the zero that ends a code block; `names` are the
/// symbols and pointers that it mentions.
///
/// # Panics
///
/// If `text` is wrong.
pub fn assemble<G: Generation>(text: &str, names: &[(&str, LispPtr)]) -> Vec<u8> {
    let mut labels = HashMap::new();
    let mut statements = Vec::new();
    let mut offset = 0;
    for mut line in text.split([';', '\n']).map(str::trim) {
        if let Some((label, rest)) = line.split_once(':') {
            labels.insert(label, offset);
            line = rest;
        }
        let mut words = line.split_whitespace();
        let Some(name) = words.next() else { continue };
        let operands = words.collect();
        statements.push(Statement {
            offset,
            name,
            operands,
        });
        offset += match named(name) {
            Some(opcode) => opcode.length(G::OPERAND_BYTES) as i32,
            None => 1,
        };
    }
    let mut code = Vec::new();
    for statement in &statements {
        let opcode = statement.opcode(&labels);
        code.push(opcode as u8);
        for (operand, text) in opcode.info().operands.iter().zip(&statement.operands) {
            let value = match operand.kind {
                OperandKind::I8 | OperandKind::I16 => {
                    labels.get(text).map(|to| i64::from(to - statement.offset))
                }
                OperandKind::Atom | OperandKind::Ptr => {
                    let mut known = names.iter();
                    known.find_map(|(name, pointer)| (name == text).then_some(pointer.0.into()))
                }
                OperandKind::U8 | OperandKind::U16 => None,
            };
            let value = value.or_else(|| number(text));
            let value = value.unwrap_or_else(|| panic!("{opcode} {text}"));
            let bytes = operand.kind.size(G::OPERAND_BYTES) as usize;
            code.extend(&value.to_be_bytes()[8 - bytes..]);
        }
        let end = statement.offset + opcode.length(G::OPERAND_BYTES) as i32;
        assert_eq!(code.len() as i32, end, "operands of {opcode}");
    }
    code.push(0);
    code
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{Medley2, Medley3};

    #[test]
    fn labels_numbers_and_names() {
        let text = "next: IVAR0; IDIFFERENCE.N 1; IVARX_ 0; '0; GREATERP; TJUMPX next
                    SICX 0x102; FJUMP end; FN1 F
                    end: RETURN";
        let names = [("F", LispPtr(0x30201))];
        let start = [0x40, 0xDE, 1, 0x62, 0, 0x6A, 0xF3, 0xB3, 0xF9, 0x6E, 1, 2];
        let of = |end: &[u8]| [&start, end].concat();
        assert_eq!(
            assemble::<Medley2>(text, &names),
            of(&[0x93, 9, 3, 2, 1, 0x10, 0])
        );
        assert_eq!(
            assemble::<Medley3>(text, &names),
            of(&[0x94, 9, 0, 3, 2, 1, 0x10, 0])
        );
    }
}
