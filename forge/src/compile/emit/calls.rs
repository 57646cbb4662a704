//! Calls.

use geiko_runtime::isa::Opcode;

use super::super::tree::{FunctionId, Node, Role, Strategy, VariableId};
use super::{Destination, Emitter, START};
use crate::Result;
use crate::assemble::{Item, Jump, Slot};
use crate::datum::Symbol;

impl Emitter<'_, '_, '_> {
    pub(super) fn call(&mut self, node: &Node, destination: Destination) -> Result<()> {
        if destination == Destination::Return && self.call_again(node)? {
            return Ok(());
        }
        match node {
            Node::Call(name, arguments) => {
                self.operands(arguments)?;
                self.push(Item::Call(arguments.len() as u8, name.clone()));
            }
            Node::CallLocal(function, arguments) => self.call_local(*function, arguments)?,
            Node::Funcall(function, arguments) => self.funcall(function, arguments)?,
            Node::Apply(function, arguments) => {
                let Some((list, arguments)) = arguments.split_last() else {
                    return Ok(());
                };
                let function = self.function_for_later(function, arguments, list)?;
                self.operands(arguments)?;
                self.node(list, Destination::Value)?;
                self.spread(function, arguments.len() as u16)?;
            }
            Node::ValuesCall(function, forms) => {
                let nil = Node::nil();
                let function = self.function_for_later(function, forms, &nil)?;
                match forms.split_first() {
                    None => self.push(Item::Op(Opcode::Nil)),
                    Some((first, rest)) => {
                        self.node(first, Destination::List)?;
                        for form in rest {
                            self.node(form, Destination::List)?;
                            self.push(Item::Call(2, Symbol::lisp("APPEND")));
                        }
                    }
                }
                self.spread(function, 0)?;
            }
            _ => {}
        }
        self.several(destination);
        Ok(())
    }

    /// A call of the function by itself at its end begins it again with other
    /// arguments. Whether it was one.
    fn call_again(&mut self, node: &Node) -> Result<bool> {
        let function = self.unit.function(self.id);
        let arguments = match node {
            Node::Call(name, arguments)
                if self.id == FunctionId(0)
                    && *name == function.name
                    && self.output.globals.may_inline(name) =>
            {
                arguments
            }
            Node::CallLocal(id, arguments) if *id == self.id => arguments,
            _ => return Ok(false),
        };
        let is_special = |id: &VariableId| self.unit.variable(*id).special;
        if function.counts
            || function.role != Role::Ordinary
            || arguments.len() != function.required.len()
            || function.required.iter().any(is_special)
            || !self.marks.is_empty()
            || self.depth > 0
        {
            return Ok(false);
        }
        let is_same = |parameter: &VariableId, argument: &Node| {
            let variable = self.unit.variable(*parameter);
            matches!(argument, Node::Variable(id) if id == parameter)
                && !(variable.captured && variable.assigned)
        };
        let changed: Vec<_> = (0..)
            .zip(function.required.iter().zip(arguments))
            .filter(|(_, (parameter, argument))| !is_same(parameter, argument))
            .map(|(number, (_, argument))| (number, argument))
            .collect();
        for (_, argument) in &changed {
            self.node(argument, Destination::Value)?;
        }
        for (number, _) in changed.iter().rev() {
            self.push(Item::WriteArgument(*number));
            self.push(Item::Op(Opcode::Pop));
        }
        self.jump(Jump::Always, START);
        Ok(true)
    }

    fn call_local(&mut self, function: FunctionId, arguments: &[Node]) -> Result<()> {
        self.operands(arguments)?;
        let count = arguments.len() as u16;
        let entry = self.unit.function(function);
        match (entry.strategy, self.output.names.get(&function).cloned()) {
            (Strategy::GlobalWithEnvironment, Some(name)) => {
                self.environment_for(function);
                self.push(Item::Call(count as u8 + 1, name));
            }
            (_, Some(name)) => self.push(Item::Call(count as u8, name)),
            _ => {
                self.small(count);
                self.local_function(function);
                self.apply(count);
            }
        }
        Ok(())
    }

    fn funcall(&mut self, function: &Node, arguments: &[Node]) -> Result<()> {
        let count = arguments.len() as u16;
        if let Node::Lambda(id) = function {
            self.operands(arguments)?;
            self.small(count);
            let code = Emitter::function(self.unit, *id, self.output)?;
            self.push(Item::Code(Box::new(code)));
            self.environment_for(*id);
            self.call_code(count);
            return Ok(());
        }
        let others: Vec<_> = arguments.iter().collect();
        let slot = if self.survives(function, &others) {
            None
        } else {
            self.node(function, Destination::Value)?;
            Some(self.pop_into_new_slot())
        };
        self.operands(arguments)?;
        self.small(count);
        match slot {
            Some(slot) => {
                self.push(Item::Read(slot));
                self.give_back(slot);
            }
            None => self.node(function, Destination::Value)?,
        }
        self.apply(count);
        Ok(())
    }

    /// Evaluates a function that is called after other things have been evaluated.
    fn function_for_later<'n>(
        &mut self,
        function: &'n Node,
        arguments: &[Node],
        last: &Node,
    ) -> Result<Later<'n>> {
        let others: Vec<_> = arguments.iter().chain([last]).collect();
        if self.survives(function, &others) {
            return Ok(Later::Node(function));
        }
        self.node(function, Destination::Value)?;
        Ok(Later::Slot(self.pop_into_new_slot()))
    }

    /// Calls with arguments on the stack and the list above them.
    fn spread(&mut self, function: Later<'_>, arguments: u16) -> Result<()> {
        let list = self.pop_into_new_slot();
        self.small(arguments);
        let count = self.pop_into_new_slot();
        let (next, test) = (self.new_label(), self.new_label());
        if self.reachable {
            self.refer(next, self.depth);
        }
        self.jump(Jump::Always, test);
        self.place(next);
        let depth = self.depth;
        self.push(Item::Read(list));
        self.push(Item::Op(Opcode::Car));
        self.push(Item::Read(list));
        self.push(Item::Op(Opcode::Cdr));
        self.push(Item::WritePop(list));
        self.push(Item::Read(count));
        self.push(Item::Byte(Opcode::IPlusN, 1));
        self.push(Item::WritePop(count));
        // The arguments that are pushed here are not counted as depth.
        self.depth = depth;
        self.place(test);
        self.push(Item::Read(list));
        self.jump(Jump::IfTrue, next);
        self.push(Item::Read(count));
        match function {
            Later::Slot(slot) => {
                self.push(Item::Read(slot));
                self.give_back(slot);
            }
            Later::Node(node) => self.node(node, Destination::Value)?,
        }
        self.apply(arguments);
        self.give_back(list);
        self.give_back(count);
        Ok(())
    }
}

/// A function whose value is wanted later.
enum Later<'n> {
    /// It was evaluated.
    Slot(Slot),
    /// It can still be evaluated.
    Node(&'n Node),
}
