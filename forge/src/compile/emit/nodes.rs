//! Expressions of all kinds.

use geiko_runtime::isa::Opcode;
use geiko_runtime::isa::sub_opcodes::Miscn;

use super::super::tree::{Node, Step, Steps};
use super::{Destination, Emitter, interlisp};
use crate::Result;
use crate::assemble::{Item, Jump};
use crate::datum::{Datum, Symbol};

impl Emitter<'_, '_, '_> {
    /// An expression.
    pub(super) fn node(&mut self, node: &Node, destination: Destination) -> Result<()> {
        match node {
            Node::Constant(datum) => {
                if destination != Destination::Effect {
                    self.push(Item::Constant(datum.clone()));
                    self.single(destination);
                }
            }
            Node::Variable(id) => {
                if destination != Destination::Effect {
                    self.read(*id);
                    self.single(destination);
                }
            }
            Node::Free(name) => {
                if destination != Destination::Effect {
                    let slot = self.free_slot(name);
                    self.push(Item::Read(slot));
                    self.single(destination);
                }
            }
            Node::Global(name) => {
                if destination != Destination::Effect {
                    self.push(Item::Symbol(Opcode::Gvar, name.clone()));
                    self.single(destination);
                }
            }
            Node::SetVariable(id, value) => self.set(*id, value, destination)?,
            Node::SetFree(name, value) => {
                self.node(value, Destination::Value)?;
                let slot = self.free_slot(name);
                self.push(Item::Write(slot));
                self.single(destination);
            }
            Node::SetGlobal(name, value) => {
                self.node(value, Destination::Value)?;
                self.push(Item::Symbol(Opcode::GvarSet, name.clone()));
                self.single(destination);
            }
            Node::If(test, then, other) => self.if_node(test, then, other, destination)?,
            Node::Not(node) => {
                if destination == Destination::Effect {
                    return self.node(node, destination);
                }
                self.node(node, Destination::Value)?;
                self.push(Item::Op(Opcode::Nil));
                self.push(Item::Op(Opcode::Eq));
                self.single(destination);
            }
            Node::And(nodes) => self.many(nodes, false, destination)?,
            Node::Or(nodes) => self.many(nodes, true, destination)?,
            Node::Progn(nodes) => {
                if let Some((last, nodes)) = nodes.split_last() {
                    self.effects(nodes)?;
                    self.node(last, destination)?;
                }
            }
            Node::Let {
                scope,
                bindings,
                body,
            } => {
                if destination == Destination::Effect && self.late_assignment(bindings, body)? {
                    return Ok(());
                }
                self.let_node(*scope, bindings, destination, |this| {
                    this.node(body, destination)
                })?;
            }
            Node::ValuesLet {
                scope,
                variables,
                values,
                body,
            } => self.values_let(*scope, variables, values, destination, body)?,
            Node::Functions {
                scope,
                functions,
                body,
            } => self.functions(*scope, functions, |this| this.node(body, destination))?,
            Node::Call(..)
            | Node::CallLocal(..)
            | Node::Funcall(..)
            | Node::Apply(..)
            | Node::ValuesCall(..) => self.call(node, destination)?,
            Node::Primitive(steps, arguments) | Node::FloatPrimitive(steps, arguments) => {
                self.primitive(steps, arguments, destination)?;
            }
            Node::Swapped(opcode, pair) => {
                let (first, second) = &**pair;
                if self.survives(first, &[second]) || self.survives(second, &[first]) {
                    self.node(second, Destination::Value)?;
                    self.node(first, Destination::Value)?;
                } else {
                    self.node(first, Destination::Value)?;
                    self.node(second, Destination::Value)?;
                    self.push(Item::Op(Opcode::Swap));
                }
                self.push(Item::Op(*opcode));
                self.single(destination);
            }
            Node::ArrayStore(opcode, nodes) => {
                self.array_store(*opcode, nodes)?;
                self.single(destination);
            }
            Node::Make(kind, fields) => {
                self.push(Item::Type(Opcode::SicX, kind.clone()));
                self.push(Item::Op(Opcode::CreateCell));
                for (offset, value) in fields {
                    self.node(value, Destination::Value)?;
                    self.push(Item::Byte(Opcode::RplPtrN, *offset));
                }
                self.single(destination);
            }
            Node::Raw {
                opcode,
                operands,
                arguments,
            } => {
                self.operands(arguments)?;
                self.raw(*opcode, operands, arguments.len() as u16);
                match node.is_single() {
                    true => self.single(destination),
                    false => self.several(destination),
                }
            }
            Node::Lambda(function) => {
                if destination != Destination::Effect {
                    self.closure(*function)?;
                    self.single(destination);
                }
            }
            Node::LocalFunction(function) => {
                self.local_function(*function);
                self.single(destination);
            }
            Node::Block(exit, scope, body) => self.block(*exit, *scope, body, destination)?,
            Node::ReturnFrom(exit, value) => self.return_from(*exit, value, destination)?,
            Node::Tagbody(exit, scope, statements) => {
                self.tagbody(*exit, *scope, statements, destination)?;
            }
            Node::Go(exit, tag) => self.go(*exit, *tag, destination),
            Node::Catch(tag, body) => self.catch(tag, body, destination)?,
            Node::Throw(tag, value) => self.throw(tag, value, destination)?,
            Node::Protect(form, cleanup) => self.protect(*form, *cleanup, destination)?,
            Node::Values(nodes) => self.values(nodes, destination)?,
            Node::ValuesList(list) => match destination {
                Destination::Effect | Destination::List => {
                    self.node(list, as_value(destination))?
                }
                Destination::Value => {
                    self.node(list, Destination::Value)?;
                    self.push(Item::Op(Opcode::Car));
                }
                Destination::Return => {
                    self.node(list, Destination::Value)?;
                    self.return_values_of_list();
                }
            },
            Node::MultipleValueList(node) => {
                self.node(node, Destination::List)?;
                self.single(destination);
            }
            Node::ValuesProg1(first, rest) => {
                let to = match destination {
                    Destination::Return if first.is_single() => Destination::Value,
                    Destination::Return => Destination::List,
                    other => other,
                };
                self.node(first, to)?;
                self.effects(rest)?;
                if destination == Destination::Return {
                    match to {
                        Destination::List => self.return_values_of_list(),
                        _ => self.return_(),
                    }
                }
            }
            Node::KeyArgument { .. }
            | Node::Argument(_)
            | Node::FindKey(..)
            | Node::MoreArguments(_)
            | Node::RestArguments(_)
            | Node::CheckArguments(_) => self.argument(node, destination)?,
        }
        Ok(())
    }

    /// One value is on the stack.
    pub(super) fn single(&mut self, destination: Destination) {
        if !self.reachable {
            return;
        }
        match destination {
            Destination::Effect => self.push(Item::Op(Opcode::Pop)),
            Destination::Value => {}
            Destination::List => {
                self.push(Item::Op(Opcode::Nil));
                self.push(Item::Op(Opcode::Cons));
            }
            Destination::Return => self.return_(),
        }
    }

    /// The value of a call is on the stack; there may be more.
    pub(super) fn several(&mut self, destination: Destination) {
        match destination {
            Destination::List => self.push(Item::Call(1, interlisp("\\MVLIST"))),
            other => self.single(other),
        }
    }

    fn return_values_of_list(&mut self) {
        self.push(Item::Two(Opcode::Miscn, Miscn::ValuesList.code(), 1));
        if self.reachable {
            self.return_();
        }
    }

    pub(super) fn effects(&mut self, nodes: &[Node]) -> Result<()> {
        nodes
            .iter()
            .try_for_each(|node| self.node(node, Destination::Effect))
    }

    /// Values on the stack, the last one on top.
    pub(super) fn operands(&mut self, nodes: &[Node]) -> Result<()> {
        nodes
            .iter()
            .try_for_each(|node| self.node(node, Destination::Value))
    }

    fn values(&mut self, nodes: &[Node], destination: Destination) -> Result<()> {
        match (destination, nodes) {
            (Destination::Effect, nodes) => self.effects(nodes)?,
            (Destination::Value, []) => self.push(Item::Op(Opcode::Nil)),
            (Destination::Value, [first, rest @ ..]) => {
                self.node(first, Destination::Value)?;
                self.effects(rest)?;
            }
            (Destination::List, nodes) => {
                self.operands(nodes)?;
                self.push(Item::Op(Opcode::Nil));
                for _ in nodes {
                    self.push(Item::Op(Opcode::Cons));
                }
            }
            (Destination::Return, [node]) if node.is_single() => self.node(node, destination)?,
            (Destination::Return, nodes) => {
                if nodes.len() > 255 {
                    return self.fail(format!(
                        "{} values are too many; 255 are possible",
                        nodes.len()
                    ));
                }
                self.operands(nodes)?;
                self.push(Item::Two(
                    Opcode::Miscn,
                    Miscn::Values.code(),
                    nodes.len() as u8,
                ));
                if self.reachable {
                    self.return_();
                }
            }
        }
        Ok(())
    }

    fn primitive(
        &mut self,
        steps: Steps,
        arguments: &[Node],
        destination: Destination,
    ) -> Result<()> {
        // What a SETF of the car of a list stores is read back only if it is wanted.
        if destination == Destination::Effect
            && let [Step::Op(Opcode::Car | Opcode::Cdr)] = steps
            && let [stored @ Node::Primitive([Step::Op(Opcode::Rplaca | Opcode::Rplacd)], _)] =
                arguments
        {
            return self.node(stored, destination);
        }
        self.operands(arguments)?;
        for step in steps {
            match *step {
                Step::Op(opcode) => self.push(Item::Op(opcode)),
                Step::Byte(opcode, byte) => self.push(Item::Byte(opcode, byte)),
                Step::Name(opcode, name) => self.push(Item::Symbol(opcode, interlisp(name))),
                Step::Small(number) => self.push(Item::Constant(Datum::integer(number))),
            }
        }
        self.single(destination);
        Ok(())
    }

    /// The instruction wants the value below the array and the indexes.
    fn array_store(&mut self, opcode: Opcode, nodes: &[Node]) -> Result<()> {
        let Some((value, places)) = nodes.split_last() else {
            return Ok(());
        };
        let mut slots = Vec::with_capacity(places.len());
        for (index, place) in places.iter().enumerate() {
            let later: Vec<_> = nodes[index + 1..].iter().collect();
            slots.push(if self.survives(place, &later) {
                None
            } else {
                self.node(place, Destination::Value)?;
                Some(self.pop_into_new_slot())
            });
        }
        self.node(value, Destination::Value)?;
        for (place, slot) in places.iter().zip(slots) {
            match slot {
                Some(slot) => {
                    self.push(Item::Read(slot));
                    self.give_back(slot);
                }
                None => self.node(place, Destination::Value)?,
            }
        }
        self.push(Item::Op(opcode));
        Ok(())
    }

    /// What a function with any number of arguments does to find them.
    fn argument(&mut self, node: &Node, destination: Destination) -> Result<()> {
        match node {
            Node::KeyArgument {
                key,
                first,
                default,
            } => {
                let (found, end) = (self.new_label(), self.new_label());
                self.find_key(key, *first)?;
                self.jump(Jump::IfTrueKeep, found);
                self.node(default, Destination::Value)?;
                self.jump(Jump::Always, end);
                self.place(found);
                self.push(Item::Op(Opcode::Arg0));
                self.place(end);
            }
            Node::Argument(number) => match &**number {
                Node::Constant(Datum::Integer(number))
                    if u8::try_from(number).is_ok_and(|number| (1..=128).contains(&number)) =>
                {
                    let number = u16::try_from(number).unwrap_or(1);
                    self.push(Item::ReadArgument(number - 1));
                }
                number => {
                    self.node(number, Destination::Value)?;
                    self.push(Item::Op(Opcode::Arg0));
                }
            },
            Node::FindKey(key, first) => self.find_key(key, *first)?,
            Node::MoreArguments(count) => {
                self.push(Item::Op(Opcode::MyArgCount));
                self.small(*count);
                self.push(Item::Op(Opcode::IGreaterP));
            }
            Node::RestArguments(first) => {
                let first = self.argument_number(*first)?;
                self.push(Item::Op(Opcode::Nil));
                self.push(Item::Op(Opcode::MyArgCount));
                self.push(Item::Byte(Opcode::RestList, first));
            }
            Node::CheckArguments(arity) => {
                let label = match self.argument_error {
                    Some((label, _)) => label,
                    None => self.new_label(),
                };
                self.argument_error = Some((label, *arity));
                if arity.least > 0 {
                    self.small(arity.least);
                    self.push(Item::Op(Opcode::MyArgCount));
                    self.push(Item::Op(Opcode::IGreaterP));
                    self.jump(Jump::IfTrue, label);
                }
                if let Some(most) = arity.most {
                    self.push(Item::Op(Opcode::MyArgCount));
                    self.small(most);
                    self.push(Item::Op(Opcode::IGreaterP));
                    self.jump(Jump::IfTrue, label);
                }
                if destination == Destination::Effect {
                    return Ok(());
                }
                self.push(Item::Op(Opcode::Nil));
            }
            _ => {}
        }
        self.single(destination);
        Ok(())
    }

    fn find_key(&mut self, key: &Symbol, first: u16) -> Result<()> {
        let first = self.argument_number(first)?;
        self.push(Item::Constant(Datum::Symbol(key.clone())));
        self.push(Item::Byte(Opcode::FindKey, first));
        Ok(())
    }

    fn argument_number(&self, number: u16) -> Result<u8> {
        u8::try_from(number).or_else(|_| {
            self.fail(format!(
                "the function {} has too many parameters in front of &REST or &KEY",
                self.unit.function(self.id).name
            ))
        })
    }
}

/// Where a list that stands for its elements goes.
fn as_value(destination: Destination) -> Destination {
    match destination {
        Destination::Effect => Destination::Effect,
        _ => Destination::Value,
    }
}
