//! Conditions.

use super::super::tree::Node;
use super::{Destination, Emitter};
use crate::Result;
use crate::assemble::{Item, Jump, Label};
use geiko_runtime::isa::Opcode;

impl Emitter<'_, '_, '_> {
    /// Jumps to a label if the value of an expression is true, or if it is not, as
    /// `when` says; else goes on.
    pub(super) fn branch(&mut self, node: &Node, label: Label, when: bool) -> Result<()> {
        match node {
            Node::Constant(_) => {
                if node.is_nil() != when {
                    self.jump(Jump::Always, label);
                }
            }
            Node::Not(node) => self.branch(node, label, !when)?,
            Node::And(nodes) => self.branch_many(nodes, label, when, false)?,
            Node::Or(nodes) => self.branch_many(nodes, label, when, true)?,
            // What the test is, or the opposite.
            Node::If(test, then, other) if is_true(then) && other.is_nil() => {
                self.branch(test, label, when)?;
            }
            Node::If(test, then, other) if then.is_nil() && is_true(other) => {
                self.branch(test, label, !when)?;
            }
            Node::If(test, then, other) => {
                let (alternative, end) = (self.new_label(), self.new_label());
                self.branch(test, alternative, false)?;
                self.branch(then, label, when)?;
                self.jump(Jump::Always, end);
                self.place(alternative);
                self.branch(other, label, when)?;
                self.place(end);
            }
            Node::Progn(nodes) => {
                if let Some((last, nodes)) = nodes.split_last() {
                    self.effects(nodes)?;
                    self.branch(last, label, when)?;
                }
            }
            Node::Let {
                scope,
                bindings,
                body,
            } if !bindings
                .iter()
                .any(|(id, _)| self.unit.variable(*id).special) =>
            {
                self.let_node(*scope, bindings, Destination::Effect, |this| {
                    this.branch(body, label, when)
                })?;
            }
            node => {
                self.node(node, Destination::Value)?;
                self.jump(if when { Jump::IfTrue } else { Jump::IfNil }, label);
            }
        }
        Ok(())
    }

    /// AND (`decisive` false) or OR (`decisive` true) as a condition.
    fn branch_many(
        &mut self,
        nodes: &[Node],
        label: Label,
        when: bool,
        decisive: bool,
    ) -> Result<()> {
        let Some((last, nodes)) = nodes.split_last() else {
            return Ok(());
        };
        if when == decisive {
            for node in nodes {
                self.branch(node, label, when)?;
            }
            return self.branch(last, label, when);
        }
        let end = self.new_label();
        for node in nodes {
            self.branch(node, end, decisive)?;
        }
        self.branch(last, label, when)?;
        self.place(end);
        Ok(())
    }

    pub(super) fn if_node(
        &mut self,
        test: &Node,
        then: &Node,
        other: &Node,
        destination: Destination,
    ) -> Result<()> {
        if destination == Destination::Effect {
            // A jump to where one arm goes is a condition of that jump.
            if let Some(label) = self.plain_go(then) {
                self.branch(test, label, true)?;
                return self.node(other, destination);
            }
            if let Some(label) = self.plain_go(other) {
                self.branch(test, label, false)?;
                return self.node(then, destination);
            }
            if is_void(then) {
                let end = self.new_label();
                self.branch(test, end, true)?;
                self.node(other, destination)?;
                self.place(end);
                return Ok(());
            }
        }
        let (alternative, end) = (self.new_label(), self.new_label());
        self.branch(test, alternative, false)?;
        self.node(then, destination)?;
        if !(destination == Destination::Effect && is_void(other)) {
            self.jump(Jump::Always, end);
        }
        self.place(alternative);
        self.node(other, destination)?;
        self.place(end);
        Ok(())
    }

    /// AND (`decisive` false) or OR (`decisive` true).
    pub(super) fn many(
        &mut self,
        nodes: &[Node],
        decisive: bool,
        destination: Destination,
    ) -> Result<()> {
        let Some((last, nodes)) = nodes.split_last() else {
            return Ok(());
        };
        let end = self.new_label();
        if destination == Destination::Effect {
            for node in nodes {
                self.branch(node, end, decisive)?;
            }
            self.node(last, destination)?;
            self.place(end);
            return Ok(());
        }
        let decided = self.new_label();
        let keep = match decisive {
            true => Jump::IfTrueKeep,
            false => Jump::IfNilKeep,
        };
        // NIL is cheaper to make again than to keep when conditions make none.
        let by_branches = !decisive && nodes.iter().any(|node| matches!(node, Node::Not(_)));
        for node in nodes {
            if by_branches {
                self.branch(node, decided, decisive)?;
            } else {
                self.node(node, Destination::Value)?;
                self.jump(keep, decided);
            }
        }
        self.node(last, destination)?;
        if destination == Destination::Value && !by_branches {
            self.place(decided);
            return Ok(());
        }
        self.jump(Jump::Always, end);
        self.place(decided);
        if by_branches {
            self.push(Item::Op(Opcode::Nil));
        }
        self.single(destination);
        self.place(end);
        Ok(())
    }
}

/// Whether it is a constant that is not NIL.
fn is_true(node: &Node) -> bool {
    matches!(node, Node::Constant(_)) && !node.is_nil()
}

/// Whether nothing is done for the expression when its value is not wanted.
fn is_void(node: &Node) -> bool {
    matches!(
        node,
        Node::Constant(_) | Node::Variable(_) | Node::Free(_) | Node::Global(_)
    )
}
