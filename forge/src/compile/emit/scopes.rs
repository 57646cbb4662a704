//! Variables: environments, access, LET, local functions.

use geiko_runtime::isa::Opcode;

use super::super::tree::{FunctionId, Node, ScopeId, Strategy, VariableId};
use super::{Destination, Emitter};
use crate::Result;
use crate::assemble::{Item, Slot};
use crate::datum::{Datum, Symbol};

/// Type of the pointer hunks of each size in cells (`reference/processor.md`
/// section 4).
const HUNKS: [(usize, u16); 13] = [
    (2, 31),
    (4, 32),
    (5, 33),
    (6, 34),
    (7, 35),
    (8, 36),
    (10, 37),
    (12, 38),
    (16, 39),
    (24, 40),
    (32, 41),
    (42, 42),
    (64, 43),
];
/// Type of closures, with the word offsets of code and environment.
const CLOSURE: u16 = 13;
const CLOSURE_CODE: u8 = 0;
const CLOSURE_ENVIRONMENT: u8 = 2;
/// Special variables that one LET can bind.
const MAX_BOUND: usize = 15;

/// Where a variable is.
enum Place {
    Slot(Slot),
    Argument(u16),
    Environment(ScopeId, u8),
}

/// Puts the value of the n-th variable on the stack.
type Value<'v, 'u, 'o, 'g> = dyn FnMut(&mut Emitter<'u, 'o, 'g>, usize) -> Result<()> + 'v;

impl<'u, 'o, 'g> Emitter<'u, 'o, 'g> {
    /// Makes the environment of a scope if it has one, and leaves it on the stack.
    pub(super) fn begin_environment(&mut self, scope: ScopeId) -> Result<bool> {
        if !self.unit.has_environment(scope) {
            return Ok(false);
        }
        let entry = self.unit.scope(scope);
        let cells = entry.captured.len() + usize::from(entry.linked);
        let Some((_, hunk)) = HUNKS.iter().find(|(size, _)| *size >= cells) else {
            return self.fail(format!(
                "{} variables bound together in {} are used by closures; at most {} are possible",
                entry.captured.len(),
                self.unit.function(self.id).name,
                HUNKS[HUNKS.len() - 1].0 - 1,
            ));
        };
        self.small(*hunk);
        self.push(Item::Op(Opcode::CreateCell));
        let around = self.unit.environment_around(scope);
        if let Some(around) = around.filter(|_| entry.linked) {
            self.environment(around);
            self.push(Item::Byte(Opcode::RplPtrN, 0));
        }
        let slot = self.take_slot();
        self.environments.insert(scope, slot);
        self.push(Item::Write(slot));
        Ok(true)
    }

    pub(super) fn end_environment(&mut self, scope: ScopeId) {
        if let Some(slot) = self.environments.get(&scope) {
            self.give_back(*slot);
        }
    }

    /// Word offset of a variable in the environment of its scope, if it is there.
    pub(super) fn environment_offset(&self, id: VariableId) -> Option<u8> {
        let variable = self.unit.variable(id);
        let scope = self.unit.scope(variable.scope);
        let index = scope.captured.iter().position(|&other| other == id)?;
        Some(2 * (index + usize::from(scope.linked)) as u8)
    }

    /// Pushes the environment of a scope.
    fn environment(&mut self, scope: ScopeId) {
        if let Some(slot) = self.environments.get(&scope) {
            self.push(Item::Read(*slot));
            return;
        }
        let function = self.unit.function(self.id);
        match function.strategy {
            Strategy::GlobalWithEnvironment => {
                self.push(Item::ReadArgument(function.required.len() as u16));
            }
            _ => self.push(Item::Read(Slot::Local(0))),
        }
        let mut at = self.unit.environment_of(self.id);
        while let Some(current) = at.filter(|&current| current != scope) {
            self.push(Item::Byte(Opcode::GetBasePtrN, 0));
            at = self.unit.environment_around(current);
        }
    }

    fn place_of(&self, id: VariableId) -> Place {
        let variable = self.unit.variable(id);
        let own = self.unit.owner(id) == self.id;
        match (self.environment_offset(id), variable.argument) {
            // An argument that never changes is also where it was passed.
            (Some(offset), argument) if !own || variable.assigned || argument.is_none() => {
                Place::Environment(variable.scope, offset)
            }
            (_, Some(argument)) => Place::Argument(argument),
            _ => Place::Slot(self.variables.get(&id).copied().unwrap_or(Slot::Local(0))),
        }
    }

    /// Pushes a variable.
    pub(super) fn read(&mut self, id: VariableId) {
        match self.names.get(&id) {
            Some(Node::Constant(datum)) => {
                let datum = datum.clone();
                return self.push(Item::Constant(datum));
            }
            Some(Node::Variable(other)) => {
                let other = *other;
                return self.read(other);
            }
            _ => {}
        }
        match self.place_of(id) {
            Place::Slot(slot) => self.push(Item::Read(slot)),
            Place::Argument(argument) => self.push(Item::ReadArgument(argument)),
            Place::Environment(scope, offset) => {
                self.environment(scope);
                self.push(Item::Byte(Opcode::GetBasePtrN, offset));
            }
        }
    }

    /// Assigns a variable.
    pub(super) fn set(
        &mut self,
        id: VariableId,
        value: &Node,
        destination: Destination,
    ) -> Result<()> {
        match self.place_of(id) {
            Place::Slot(slot) => {
                self.node(value, Destination::Value)?;
                self.push(Item::Write(slot));
            }
            Place::Argument(argument) => {
                self.node(value, Destination::Value)?;
                self.push(Item::WriteArgument(argument));
            }
            Place::Environment(scope, offset) => {
                self.environment(scope);
                self.node(value, Destination::Value)?;
                self.push(Item::Byte(Opcode::RplPtrN, offset));
                if destination != Destination::Effect {
                    self.push(Item::Byte(Opcode::GetBasePtrN, offset));
                }
            }
        }
        self.single(destination);
        Ok(())
    }

    /// The slot of a special variable of other functions.
    pub(super) fn free_slot(&mut self, name: &Symbol) -> Slot {
        if let Some(&number) = self.free_numbers.get(name) {
            return Slot::Free(number);
        }
        let number = self.free.len() as u16;
        self.free.push(name.clone());
        self.free_numbers.insert(name.clone(), number);
        Slot::Free(number)
    }

    pub(super) fn let_node(
        &mut self,
        scope: ScopeId,
        bindings: &[(VariableId, Node)],
        destination: Destination,
        body: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let mut kept = Vec::with_capacity(bindings.len());
        for (id, value) in bindings {
            match self.is_other_name(*id, value) {
                true => {
                    self.names.insert(*id, value.clone());
                }
                false => kept.push((*id, value)),
            }
        }
        let variables: Vec<_> = kept.iter().map(|(id, _)| *id).collect();
        let nils: Vec<_> = kept.iter().map(|(_, node)| node.is_nil()).collect();
        self.bind_variables(
            scope,
            &variables,
            &nils,
            &mut |this, index| this.node(kept[index].1, Destination::Value),
            destination,
            body,
        )
    }

    /// Whether a variable is only another name for something that never changes.
    fn is_other_name(&self, id: VariableId, value: &Node) -> bool {
        let variable = self.unit.variable(id);
        if variable.assigned || variable.special || variable.captured {
            return false;
        }
        match value {
            Node::Constant(Datum::Symbol(_) | Datum::Character(_)) => true,
            Node::Constant(Datum::Integer(number)) => u16::try_from(number).is_ok(),
            Node::Variable(other) => {
                let is_plain = match self.names.get(other) {
                    Some(_) => true,
                    None => matches!(self.place_of(*other), Place::Slot(_) | Place::Argument(_)),
                };
                let other = self.unit.variable(*other);
                is_plain && !other.assigned && !other.special
            }
            _ => false,
        }
    }

    /// A LET whose only variable is assigned to another one at the end, as PSETQ
    /// makes them: the value waits on the stack. Whether it was one.
    pub(super) fn late_assignment(
        &mut self,
        bindings: &[(VariableId, Node)],
        body: &Node,
    ) -> Result<bool> {
        let ([(id, value)], Node::Progn(nodes)) = (bindings, body) else {
            return Ok(false);
        };
        let variable = self.unit.variable(*id);
        if variable.assigned || variable.special || variable.captured {
            return Ok(false);
        }
        let end = nodes
            .iter()
            .rposition(|node| !matches!(node, Node::Constant(_)));
        let Some((Node::SetVariable(target, source), before)) =
            end.and_then(|end| nodes[..=end].split_last())
        else {
            return Ok(false);
        };
        let is_late = matches!(&**source, Node::Variable(source) if source == id)
            && !before.iter().any(|node| node.mentions(*id));
        let place = self.place_of(*target);
        if !is_late || matches!(place, Place::Environment(..)) {
            return Ok(false);
        }
        self.node(value, Destination::Value)?;
        self.effects(before)?;
        match place {
            Place::Argument(argument) => {
                self.push(Item::WriteArgument(argument));
                self.push(Item::Op(Opcode::Pop));
            }
            Place::Slot(slot) => self.push(Item::WritePop(slot)),
            Place::Environment(..) => {}
        }
        Ok(true)
    }

    /// Binds variables to values, which `value` computes one after the other; `nils`
    /// says which are NIL anyway.
    pub(super) fn bind_variables(
        &mut self,
        scope: ScopeId,
        variables: &[VariableId],
        nils: &[bool],
        value: &mut Value<'_, 'u, 'o, 'g>,
        destination: Destination,
        body: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let unit = self.unit;
        let is_special = |id: &&VariableId| unit.variable(**id).special;
        let specials: Vec<_> = variables.iter().filter(is_special).copied().collect();
        if specials.len() > MAX_BOUND {
            return self.fail(format!(
                "{} special variables are bound together in {}; at most {MAX_BOUND} are possible",
                specials.len(),
                unit.function(self.id).name,
            ));
        }
        let with_environment = self.begin_environment(scope)?;
        // Values of special variables collect on the stack, above the environment.
        let on_stack = with_environment && specials.is_empty();
        if with_environment && !on_stack {
            self.push(Item::Op(Opcode::Pop));
        }
        let mut slots = Vec::new();
        let mut bound = Vec::new();
        let mut bound_nil = Vec::new();
        for (index, &id) in variables.iter().enumerate() {
            if unit.variable(id).special {
                if nils[index] {
                    bound_nil.push(id);
                } else {
                    value(self, index)?;
                    bound.push(id);
                }
            } else if let Some(offset) = self.environment_offset(id) {
                if nils[index] {
                    continue;
                }
                if on_stack {
                    value(self, index)?;
                    self.push(Item::Byte(Opcode::RplPtrN, offset));
                } else {
                    self.environment(scope);
                    value(self, index)?;
                    self.push(Item::Byte(Opcode::RplPtrN, offset));
                    self.push(Item::Op(Opcode::Pop));
                }
            } else {
                value(self, index)?;
                let slot = self.pop_into_new_slot();
                self.variables.insert(id, slot);
                slots.push(slot);
            }
        }
        if on_stack {
            self.push(Item::Op(Opcode::Pop));
        }
        let values = bound.len() as u8;
        bound.extend(bound_nil);
        if bound.is_empty() {
            body(self)?;
        } else {
            let names = bound
                .iter()
                .map(|&id| unit.variable(id).name.clone())
                .collect();
            let (group, first) = self.take_group(names);
            for (&id, number) in bound.iter().zip(first..) {
                self.variables.insert(id, Slot::Bound(number));
            }
            self.bind(first, values, bound.len() as u8 - values);
            body(self)?;
            self.unbind(destination);
            self.groups[group].2 = false;
        }
        for slot in slots {
            self.give_back(slot);
        }
        self.end_environment(scope);
        Ok(())
    }

    /// Binds variables to several values.
    pub(super) fn values_let(
        &mut self,
        scope: ScopeId,
        variables: &[VariableId],
        values: &Node,
        destination: Destination,
        body: &Node,
    ) -> Result<()> {
        if variables.is_empty() {
            self.node(values, Destination::Effect)?;
            return self.node(body, destination);
        }
        if values.is_single() {
            // All other variables are NIL.
            let nils: Vec<_> = (0..variables.len()).map(|index| index > 0).collect();
            return self.bind_variables(
                scope,
                variables,
                &nils,
                &mut |this, index| match index {
                    0 => this.node(values, Destination::Value),
                    _ => {
                        this.push(Item::Op(Opcode::Nil));
                        Ok(())
                    }
                },
                destination,
                |this| this.node(body, destination),
            );
        }
        self.node(values, Destination::List)?;
        let list = self.pop_into_new_slot();
        let last = variables.len() - 1;
        let nils = vec![false; variables.len()];
        self.bind_variables(
            scope,
            variables,
            &nils,
            &mut |this, index| {
                if index > 0 {
                    // The list moves on just before the next value.
                    this.push(Item::Read(list));
                    this.push(Item::Op(Opcode::Cdr));
                    if index < last {
                        this.push(Item::Write(list));
                    }
                } else {
                    this.push(Item::Read(list));
                }
                this.push(Item::Op(Opcode::Car));
                Ok(())
            },
            destination,
            |this| {
                this.give_back(list);
                this.node(body, destination)
            },
        )
    }

    /// Pushes the environment that a function wants, or NIL.
    pub(super) fn environment_for(&mut self, function: FunctionId) {
        match self.unit.environment_of(function) {
            Some(scope) => self.environment(scope),
            None => self.push(Item::Op(Opcode::Nil)),
        }
    }

    /// Pushes a new closure, or a constant one.
    pub(super) fn closure(&mut self, function: FunctionId) -> Result<()> {
        let code = Box::new(Emitter::function(self.unit, function, self.output)?);
        if self.unit.environment_of(function).is_none() {
            self.push(Item::Closure(code));
            return Ok(());
        }
        self.small(CLOSURE);
        self.push(Item::Op(Opcode::CreateCell));
        self.push(Item::Code(code));
        self.push(Item::Byte(Opcode::RplPtrN, CLOSURE_CODE));
        self.environment_for(function);
        self.push(Item::Byte(Opcode::RplPtrN, CLOSURE_ENVIRONMENT));
        Ok(())
    }

    /// Pushes a local function as a value.
    pub(super) fn local_function(&mut self, function: FunctionId) {
        match (
            self.output.names.get(&function),
            self.unit.function(function).variable,
        ) {
            (Some(name), _) => self.push(Item::Constant(Datum::Symbol(name.clone()))),
            (None, Some(variable)) => self.read(variable),
            (None, None) => self.push(Item::Op(Opcode::Nil)),
        }
    }

    /// Makes local functions, and compiles those that have names of their own.
    pub(super) fn functions(
        &mut self,
        scope: ScopeId,
        functions: &[FunctionId],
        body: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let mut closures = Vec::new();
        for &id in functions {
            match self.output.names.get(&id).cloned() {
                Some(name) => {
                    // It may need the place of the environment, not its content.
                    let code = Emitter::function(self.unit, id, self.output)?;
                    self.output.functions.push((name, code));
                }
                None => closures.extend(self.unit.function(id).variable.zip(Some(id))),
            }
        }
        let variables: Vec<_> = closures.iter().map(|(variable, _)| *variable).collect();
        let nils = vec![false; variables.len()];
        self.bind_variables(
            scope,
            &variables,
            &nils,
            &mut |this, index| this.closure(closures[index].1),
            Destination::Effect,
            body,
        )
    }

    /// Whether a value stays the same while other expressions are evaluated.
    pub(super) fn survives(&self, node: &Node, others: &[&Node]) -> bool {
        match node {
            Node::Constant(_) | Node::Lambda(_) => true,
            Node::Variable(id) => {
                let variable = self.unit.variable(*id);
                !variable.special
                    && (!variable.assigned
                        || !variable.captured && !others.iter().any(|other| other.assigns(*id)))
            }
            _ => false,
        }
    }
}
