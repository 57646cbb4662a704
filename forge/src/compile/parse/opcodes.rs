//! Instructions written in a program: `(opcodes (name operand ...) argument ...)`.

use std::collections::HashMap;
use std::sync::LazyLock;

use geiko_runtime::isa::{Kind, OPCODES, Opcode, OperandInfo, OperandKind};

use super::super::globals::GlobalVariable;
use super::super::tree::Node;
use super::Parser;
use crate::Result;
use crate::assemble::{Operand, StackEffect, stack_effect};
use crate::datum::Datum;

/// The instruction with a name in the Lisp assembler.
fn find(name: &str) -> Option<Opcode> {
    static TABLE: LazyLock<HashMap<&'static str, Opcode>> = LazyLock::new(|| {
        let named = OPCODES.iter().filter(|info| info.name != "unused");
        named.map(|info| (info.name, info.opcode)).collect()
    });
    TABLE.get(name).copied()
}

impl Parser<'_> {
    pub(super) fn opcodes(&mut self, arguments: &[Datum]) -> Result<Node> {
        let usage = "OPCODES must be (opcodes (name operand ...) argument ...)";
        let Some((instruction, arguments)) = arguments.split_first() else {
            return self.error(usage);
        };
        let (Some(name), Some(operands)) = (instruction.operator(), instruction.proper_list())
        else {
            return self.error(usage);
        };
        let Some(opcode) = find(&name.name) else {
            return self.error(format!("there is no instruction {}", name.name));
        };
        let infos = opcode.info().operands;
        if operands.len() != infos.len() + 1 {
            return self.error(format!(
                "the instruction {opcode} has {} operands, not {}",
                infos.len(),
                operands.len() - 1
            ));
        }
        let operands: Vec<_> = operands[1..]
            .iter()
            .zip(infos)
            .map(|(operand, info)| self.operand(opcode, operand, info))
            .collect::<Result<_>>()?;
        self.check_stack(opcode, &operands, arguments.len())?;
        let arguments = self.forms(arguments)?;
        Ok(Node::Raw {
            opcode,
            operands,
            arguments,
        })
    }

    fn operand(&self, opcode: Opcode, operand: &Datum, info: &OperandInfo) -> Result<Operand> {
        let is_number = !matches!(info.kind, OperandKind::Atom | OperandKind::Ptr);
        let constant = match operand {
            Datum::Symbol(symbol) if is_number => match self.globals.variables.get(symbol) {
                Some(GlobalVariable::Constant(value)) => Some(value.clone()),
                _ => None,
            },
            _ => None,
        };
        let operand = constant.as_ref().unwrap_or(operand);
        let most = match info.kind {
            OperandKind::U8 | OperandKind::I8 => 0xFF,
            _ => 0xFFFF,
        };
        match operand {
            Datum::Integer(number) if is_number => match u16::try_from(number) {
                Ok(number) if number <= most => Ok(Operand::Number(number)),
                _ => self.error(format!(
                    "the operand {} of {opcode} must be from 0 to {most}, not {number}",
                    info.name
                )),
            },
            Datum::Symbol(symbol) if info.kind == OperandKind::Atom => {
                Ok(Operand::Symbol(symbol.clone()))
            }
            Datum::Cons(cell) if is_number => {
                match (operand.operator(), cell.cdr.as_cons()) {
                    (Some(head), Some(rest)) if head.is("TYPE") && rest.cdr.is_nil() => {
                        if let Datum::Symbol(name) = &rest.car {
                            return Ok(Operand::Type(name.clone()));
                        }
                    }
                    _ => {}
                }
                self.error(format!("{operand} must be (type name)"))
            }
            datum if info.kind == OperandKind::Ptr => Ok(Operand::Constant(datum.clone())),
            _ if is_number => self.error(format!(
                "the operand {} of {opcode} must be a number, not {operand}",
                info.name
            )),
            _ => self.error(format!(
                "the operand {} of {opcode} must be a symbol, not {operand}",
                info.name
            )),
        }
    }

    /// An instruction must take its arguments from the stack and leave one value.
    fn check_stack(&self, opcode: Opcode, operands: &[Operand], arguments: usize) -> Result<()> {
        let unusable = matches!(opcode.info().kind, Kind::Jump | Kind::Return | Kind::Bind);
        let wrong = |wanted: usize| {
            self.error(format!(
                "the instruction {opcode} takes {wanted} values from the stack, not {arguments}"
            ))
        };
        match stack_effect(opcode) {
            StackEffect::Fixed { pops, pushes: 1 } if !unusable => {
                if usize::from(pops) != arguments {
                    return wrong(pops.into());
                }
            }
            StackEffect::Counted if !unusable => {
                // FNX has the number in front, others have it at the end.
                let count = operands.iter().rev().find_map(|operand| match operand {
                    Operand::Number(number) => Some(usize::from(*number)),
                    _ => None,
                });
                if let Some(count) = count.filter(|&count| count != arguments) {
                    return wrong(count);
                }
            }
            StackEffect::Called(least) if !unusable => {
                if arguments < usize::from(least) {
                    return wrong(least.into());
                }
            }
            _ => {
                return self.error(format!(
                    "the instruction {opcode} cannot be used in OPCODES"
                ));
            }
        }
        Ok(())
    }
}
