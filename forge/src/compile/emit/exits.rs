//! Blocks, tags, catching, protection.

use geiko_runtime::isa::Opcode;

use super::super::tree::{ExitId, FunctionId, Node, ScopeId, Statement};
use super::{Destination, Emitter, ExitState, interlisp, system};
use crate::Result;
use crate::assemble::{Item, Jump, Label};

impl Emitter<'_, '_, '_> {
    /// Where a GO that takes nothing off the stack goes to.
    pub(super) fn plain_go(&self, node: &Node) -> Option<Label> {
        let Node::Go(exit, tag) = node else {
            return None;
        };
        let state = self.exits.get(exit)?;
        (state.depth == self.depth).then(|| state.labels[*tag as usize])
    }

    /// Makes the tag of a block or tagbody that functions further in leave to, and
    /// publishes it. What to undo at the end.
    fn publish_exit(&mut self, exit: ExitId, scope: ScopeId, landing: Label) -> Result<usize> {
        let variable = self.unit.exit(exit).variable;
        self.bind_variables(
            scope,
            &[variable],
            &[false],
            &mut |this, _| {
                // A new object is different from all others.
                this.push(Item::Op(Opcode::Nil));
                this.push(Item::Op(Opcode::Copy));
                this.push(Item::Op(Opcode::Cons));
                Ok(())
            },
            Destination::Effect,
            |_| Ok(()),
        )?;
        // The environment stays in use until the end.
        if let Some(slot) = self.environments.get(&scope).copied()
            && let crate::assemble::Slot::Local(index) = slot
        {
            self.used[usize::from(index)] = true;
        }
        self.read(variable);
        Ok(self.publish(landing))
    }

    /// Binds the tag on the stack and a place to go on; what to undo at the end.
    fn publish(&mut self, landing: Label) -> usize {
        if self.reachable {
            // The value that is brought along comes on top of everything.
            let depth = self.depth + 1;
            self.push(Item::Resume(landing));
            self.refer(landing, depth);
        }
        let names = vec![system("*CATCH-RETURN-TO*"), system("*CATCH-RETURN-PC*")];
        let (group, first) = self.take_group(names);
        self.bind(first, 2, 0);
        group
    }

    /// Where values that were thrown arrive, behind the body that may throw them;
    /// from here on the stack has `depth` cells and the value. A normal value of the
    /// body arrives in the same way.
    fn land(&mut self, landing: Label, group: usize, depth: u16, destination: Destination) {
        self.marks.pop();
        self.groups[group].2 = false;
        match destination {
            Destination::Return => {
                self.place(landing);
                self.return_();
            }
            Destination::List => {
                let all = self.new_label();
                self.jump_with(all, depth + 2);
                self.place(landing);
                self.push(Item::Call(1, interlisp("\\MVLIST")));
                self.place(all);
                self.unwind(depth, true);
            }
            Destination::Value => {
                self.place(landing);
                self.unwind(depth, true);
            }
            Destination::Effect => {
                // There may be a value or none.
                if self.reachable {
                    self.depth = depth + 2;
                }
                self.place(landing);
                self.unwind(depth, false);
            }
        }
    }

    fn jump_with(&mut self, label: Label, depth: u16) {
        if self.reachable {
            self.depth = depth;
            self.jump(Jump::Always, label);
        }
    }

    fn unwind(&mut self, depth: u16, keep: bool) {
        if self.reachable {
            self.push(Item::Unwind { depth, keep });
            self.depth = depth + u16::from(keep);
        }
    }

    pub(super) fn catch(
        &mut self,
        tag: &Node,
        body: &Node,
        destination: Destination,
    ) -> Result<()> {
        let landing = self.new_label();
        let depth = self.depth;
        self.node(tag, Destination::Value)?;
        let group = self.publish(landing);
        self.node(body, destination)?;
        self.land(landing, group, depth, destination);
        Ok(())
    }

    pub(super) fn block(
        &mut self,
        exit: ExitId,
        scope: ScopeId,
        body: &Node,
        destination: Destination,
    ) -> Result<()> {
        let depth = self.depth;
        let end = self.new_label();
        let state = ExitState {
            destination,
            labels: vec![end],
            depth,
        };
        self.exits.insert(exit, state);
        if self.unit.exit(exit).escapes {
            let landing = self.new_label();
            let group = self.publish_exit(exit, scope, landing)?;
            self.node(body, destination)?;
            self.land(landing, group, depth, destination);
            self.end_environment(scope);
        } else {
            self.node(body, destination)?;
        }
        self.place(end);
        self.exits.remove(&exit);
        Ok(())
    }

    pub(super) fn return_from(
        &mut self,
        exit: ExitId,
        value: &Node,
        destination: Destination,
    ) -> Result<()> {
        if self.unit.exit(exit).function != self.id {
            self.read(self.unit.exit(exit).variable);
            return self.throw_values(value, "NON-LOCAL-RETURN", destination);
        }
        let Some(state) = self.exits.get(&exit).cloned() else {
            return Ok(());
        };
        self.node(value, state.destination)?;
        if state.destination != Destination::Return {
            let keep = state.destination != Destination::Effect;
            self.cut(state.depth, keep);
            self.jump(Jump::Always, state.labels[0]);
        }
        Ok(())
    }

    pub(super) fn tagbody(
        &mut self,
        exit: ExitId,
        scope: ScopeId,
        statements: &[Statement],
        destination: Destination,
    ) -> Result<()> {
        let tags = statements
            .iter()
            .filter(|statement| matches!(statement, Statement::Tag(_)))
            .count();
        let labels: Vec<_> = (0..tags).map(|_| self.new_label()).collect();
        let outside = self.depth;
        let escape = if self.unit.exit(exit).escapes {
            let landing = self.new_label();
            let group = self.publish_exit(exit, scope, landing)?;
            Some((landing, group))
        } else {
            None
        };
        let depth = self.depth;
        let state = ExitState {
            destination: Destination::Effect,
            labels: labels.clone(),
            depth,
        };
        self.exits.insert(exit, state);
        // Jumps to a tag may come later.
        if self.reachable {
            for &label in &labels {
                self.refer(label, depth);
            }
        }
        for statement in statements {
            match statement {
                Statement::Tag(tag) => self.place(labels[*tag as usize]),
                Statement::Node(node) => self.node(node, Destination::Effect)?,
            }
        }
        if let Some((landing, group)) = escape {
            let end = self.new_label();
            self.marks.pop();
            self.groups[group].2 = false;
            if self.reachable {
                self.push(Item::Op(Opcode::Dunbind));
                self.jump(Jump::Always, end);
            }
            self.place(landing);
            self.unwind(depth, true);
            self.dispatch(&labels);
            self.depth = outside;
            self.place(end);
            self.end_environment(scope);
        }
        self.exits.remove(&exit);
        self.push(Item::Op(Opcode::Nil));
        self.single(destination);
        Ok(())
    }

    /// Goes to the tag whose number is on the stack.
    fn dispatch(&mut self, labels: &[Label]) {
        let Some((&last, others)) = labels.split_last() else {
            return;
        };
        for (number, &label) in (0..).zip(others) {
            let next = self.new_label();
            self.push(Item::Op(Opcode::Copy));
            self.small(number);
            self.push(Item::Op(Opcode::Eq));
            self.jump(Jump::IfNil, next);
            self.push(Item::Op(Opcode::Pop));
            self.jump(Jump::Always, label);
            self.place(next);
        }
        self.push(Item::Op(Opcode::Pop));
        self.jump(Jump::Always, last);
    }

    pub(super) fn go(&mut self, exit: ExitId, tag: u32, destination: Destination) {
        if self.unit.exit(exit).function != self.id {
            self.read(self.unit.exit(exit).variable);
            self.small(tag as u16);
            self.push(Item::Call(2, system("NON-LOCAL-RETURN")));
            self.several(destination);
            return;
        }
        let Some(state) = self.exits.get(&exit).cloned() else {
            return;
        };
        self.cut(state.depth, false);
        self.jump(Jump::Always, state.labels[tag as usize]);
    }

    pub(super) fn throw(
        &mut self,
        tag: &Node,
        value: &Node,
        destination: Destination,
    ) -> Result<()> {
        self.node(tag, Destination::Value)?;
        self.throw_values(value, "INTERNAL-THROW", destination)
    }

    /// Calls a function with the tag on the stack and the values, or its brother
    /// with a list of them.
    fn throw_values(
        &mut self,
        value: &Node,
        function: &str,
        destination: Destination,
    ) -> Result<()> {
        let arguments = match value {
            Node::Values(nodes) if nodes.len() < 255 => Some(&nodes[..]),
            value if value.is_single() => Some(std::slice::from_ref(value)),
            _ => None,
        };
        match arguments {
            Some(nodes) => {
                self.operands(nodes)?;
                self.push(Item::Call(nodes.len() as u8 + 1, system(function)));
            }
            None => {
                self.node(value, Destination::List)?;
                self.push(Item::Call(2, system(&format!("{function}-VALUES"))));
            }
        }
        self.several(destination);
        Ok(())
    }

    /// A protected form and its clean-up.
    pub(super) fn protect(
        &mut self,
        form: FunctionId,
        cleanup: FunctionId,
        destination: Destination,
    ) -> Result<()> {
        self.closure(cleanup)?;
        self.small(1);
        let code = Emitter::function(self.unit, form, self.output)?;
        self.push(Item::Code(Box::new(code)));
        self.environment_for(form);
        self.call_code(1);
        self.several(destination);
        Ok(())
    }

    /// The body of the function for a protected form. The clean-up is its argument,
    /// which it forgets before it calls it: leaving from there must not call it
    /// again.
    pub(super) fn protected(&mut self, body: &Node) -> Result<()> {
        let single = body.is_single();
        let values = if single {
            Destination::Value
        } else {
            Destination::List
        };
        self.node(body, values)?;
        if self.reachable {
            self.small(0);
            self.push(Item::ReadArgument(0));
            self.push(Item::Op(Opcode::Nil));
            self.push(Item::WriteArgument(0));
            self.push(Item::Op(Opcode::Pop));
            self.apply(0);
            self.push(Item::Op(Opcode::Pop));
            if !single {
                self.push(Item::Two(Opcode::Miscn, 6, 1));
            }
            self.return_();
        }
        Ok(())
    }
}
