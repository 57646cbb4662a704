//! Calls of functions that are instructions.

use geiko_runtime::isa::Opcode;

use super::super::primitives::{self, COMPARISONS, Comparison, FOLDS, Fold, Inline, PRIMITIVES};
use super::super::tree::{Node, Step, Steps};
use super::Parser;
use super::binding::make_let;
use crate::Result;
use crate::assemble::Operand;
use crate::datum::{Datum, Package, Symbol};

/// Bit of the high byte of a type entry that symbols have.
const SYMBOL_BIT: u16 = 0x40;
/// High half of characters.
const CHARACTER_SEGMENT: u16 = 7;

/// Instructions of one opcode, which need a static place.
macro_rules! one_step {
    ($opcode:expr; $($Variant:ident),*) => {
        match $opcode {
            $(Opcode::$Variant => &[Step::Op(Opcode::$Variant)],)*
            _ => &[],
        }
    };
}

fn step(opcode: Opcode) -> Steps {
    one_step!(
        opcode;
        Plus2, Times2, Difference, LogOr2, LogAnd2, LogXor2, FPlus2, FTimes2, FDifference,
        FQuotient, GreaterP, FGreaterP, NumEqual, Eq, Eql, CmlEqual, Cons, Listp, Vag2
    )
}

fn binary(opcode: Opcode, first: Node, second: Node) -> Node {
    Node::Primitive(step(opcode), vec![first, second])
}

fn raw(opcode: Opcode, operand: u16, argument: Node) -> Node {
    Node::Raw {
        opcode,
        operands: vec![Operand::Number(operand)],
        arguments: vec![argument],
    }
}

/// Whether the value is known to be a float.
fn is_float(parser: &Parser<'_>, node: &Node) -> bool {
    match node {
        Node::Constant(Datum::Float(_)) | Node::FloatPrimitive(..) => true,
        Node::Variable(id) => parser.unit.variable(*id).float,
        Node::If(_, then, other) => is_float(parser, then) && is_float(parser, other),
        Node::Let { body, .. } => is_float(parser, body),
        Node::Progn(nodes) => nodes.last().is_some_and(|node| is_float(parser, node)),
        Node::SetVariable(_, value) => is_float(parser, value),
        _ => false,
    }
}

/// A constant from 1 to 255, the operand of an instruction.
fn small_operand(node: &Node) -> Option<i16> {
    match node {
        Node::Constant(Datum::Integer(number)) => i16::try_from(number)
            .ok()
            .filter(|number| (1..=255).contains(&number.abs())),
        _ => None,
    }
}

/// Whether evaluating it does nothing else.
fn is_only_read(node: &Node) -> bool {
    matches!(
        node,
        Node::Constant(_) | Node::Variable(_) | Node::Free(_) | Node::Global(_)
    )
}

/// Whether EQ is enough to compare with the value.
fn is_eq_comparable(node: &Node) -> bool {
    match node {
        Node::Constant(Datum::Symbol(_) | Datum::Character(_)) => true,
        Node::Constant(Datum::Integer(number)) => {
            i32::try_from(number).is_ok_and(|number| (-0x1_0000..=0xFFFF).contains(&number))
        }
        _ => false,
    }
}

impl Parser<'_> {
    /// The instructions for a call; `None` if there are none.
    pub(super) fn inline(&mut self, name: &Symbol, arguments: &[Datum]) -> Result<Option<Node>> {
        match primitives::find(name) {
            Some(Inline::Primitive(row)) => self.primitive(name, row, arguments),
            Some(Inline::Fold(row)) => self.fold(&FOLDS[row], arguments).map(Some),
            Some(Inline::Comparison(row)) => self.comparison(&COMPARISONS[row], arguments),
            None if name.package == Package::Lisp => self.other(name, arguments),
            None if name.package == Package::System => self.store(name, arguments),
            None => Ok(None),
        }
    }

    fn primitive(
        &mut self,
        name: &Symbol,
        row: usize,
        arguments: &[Datum],
    ) -> Result<Option<Node>> {
        let Some(primitive) = primitives::primitive(row, arguments.len()) else {
            return self.with_test(name, arguments);
        };
        let mut nodes = self.forms(arguments)?;
        if matches!(&*name.name, "EQ" | "EQL" | "EQUAL")
            && let [_, second] = &nodes[..]
        {
            if second.is_nil() {
                nodes.truncate(1);
                return Ok(nodes.pop().map(|node| Node::Not(Box::new(node))));
            }
            if nodes.iter().any(is_eq_comparable) {
                return Ok(Some(Node::Primitive(step(Opcode::Eq), nodes)));
            }
        }
        if let [node] = &nodes[..]
            && is_float(self, node)
            && let "1+" | "1-" = &*name.name
        {
            let opcode = match &*name.name {
                "1+" => Opcode::FPlus2,
                _ => Opcode::FDifference,
            };
            nodes.push(Node::Constant(Datum::Float(1.0)));
            return Ok(Some(Node::FloatPrimitive(step(opcode), nodes)));
        }
        Ok(Some(match primitive.result {
            primitives::Result::Any => Node::Primitive(primitive.steps, nodes),
            primitives::Result::Float => Node::FloatPrimitive(primitive.steps, nodes),
            primitives::Result::Truth => truth(Node::Primitive(primitive.steps, nodes)),
        }))
    }

    /// `(assoc key list :test #'eq)` and the same with MEMBER.
    fn with_test(&mut self, name: &Symbol, arguments: &[Datum]) -> Result<Option<Node>> {
        let [first, second, Datum::Symbol(keyword), test] = arguments else {
            return Ok(None);
        };
        let steps: Steps = match &*name.name {
            "ASSOC" => &[Step::Op(Opcode::Assoc)],
            "MEMBER" => &[Step::Op(Opcode::Fmemb)],
            _ => return Ok(None),
        };
        let by_eq = test
            .operator()
            .is_some_and(|head| head.is("FUNCTION") || head.is("QUOTE"))
            && matches!(test.elements().nth(1), Some(Datum::Symbol(test)) if test.is("EQ"));
        if keyword.package != Package::Keyword || &*keyword.name != "TEST" || !by_eq {
            return Ok(None);
        }
        let nodes = vec![self.form(first)?, self.form(second)?];
        Ok(Some(Node::Primitive(steps, nodes)))
    }

    fn fold(&mut self, fold: &Fold, arguments: &[Datum]) -> Result<Node> {
        let mut nodes = self.forms(arguments)?.into_iter();
        let Some(mut result) = nodes.next() else {
            return Ok(Node::Constant(Datum::integer(fold.unit)));
        };
        if nodes.len() == 0 {
            // A single argument must still be a number.
            let unit = Node::Constant(Datum::integer(fold.unit));
            return Ok(binary(fold.opcode, unit, result));
        }
        for node in nodes {
            result = self.two(fold, result, node);
        }
        Ok(result)
    }

    fn two(&self, fold: &Fold, first: Node, second: Node) -> Node {
        if let Some(float) = fold.float
            && (is_float(self, &first) || is_float(self, &second))
        {
            return Node::FloatPrimitive(step(float), vec![first, second]);
        }
        if fold.opcode == Opcode::Plus2 {
            if let Some(number) = small_operand(&second) {
                return add_small(first, number);
            }
            if let Some(number) = small_operand(&first) {
                return add_small(second, number);
            }
        }
        binary(fold.opcode, first, second)
    }

    fn comparison(&mut self, row: &Comparison, arguments: &[Datum]) -> Result<Option<Node>> {
        let nodes = self.forms(arguments)?;
        match nodes.len() {
            0 => return Ok(None),
            1 => return Ok(Some(Node::Progn(vec![nodes[0].clone(), Node::t()]))),
            _ => {}
        }
        let mut nodes = nodes;
        if let [_, _] = &nodes[..]
            && let (Some(second), Some(first)) = (nodes.pop(), nodes.pop())
        {
            return Ok(Some(self.compare(row, first, second)));
        }
        let pairs = |this: &Self, nodes: &[Node]| {
            let pairs = nodes
                .windows(2)
                .map(|pair| this.compare(row, pair[0].clone(), pair[1].clone()));
            Node::And(pairs.collect())
        };
        if nodes.iter().all(is_only_read) {
            return Ok(Some(pairs(self, &nodes)));
        }
        // All arguments are evaluated before the first comparison.
        let scope = self.new_scope();
        let bindings: Vec<_> = nodes
            .into_iter()
            .map(|node| (self.hidden_variable("OPERAND", scope), node))
            .collect();
        let variables: Vec<_> = bindings.iter().map(|(id, _)| Node::Variable(*id)).collect();
        let body = pairs(self, &variables);
        Ok(Some(make_let(scope, bindings, body)))
    }

    fn compare(&self, row: &Comparison, first: Node, second: Node) -> Node {
        let float = is_float(self, &first) || is_float(self, &second);
        let opcode = row.float.filter(|_| float).unwrap_or(row.opcode);
        let node = match row.swapped {
            true => Node::Swapped(opcode, Box::new((first, second))),
            false => binary(opcode, first, second),
        };
        match row.negated {
            true => Node::Not(Box::new(node)),
            false => node,
        }
    }

    /// Functions that are instructions in ways of their own.
    fn other(&mut self, name: &Symbol, arguments: &[Datum]) -> Result<Option<Node>> {
        Ok(match (&*name.name, arguments) {
            ("NOT" | "NULL" | "ENDP", [form]) => Some(Node::Not(Box::new(self.form(form)?))),
            ("ATOM", [form]) => {
                let node = self.form(form)?;
                let list = Node::Primitive(step(Opcode::Listp), vec![node]);
                Some(Node::Not(Box::new(list)))
            }
            ("LISTP", [form]) => Some(self.or_null(form, |node| {
                Node::Primitive(step(Opcode::Listp), vec![node])
            })?),
            ("SYMBOLP", [form]) => {
                Some(self.or_null(form, |node| raw(Opcode::TypeMaskN, SYMBOL_BIT, node))?)
            }
            ("IDENTITY", [form]) => {
                let node = self.form(form)?;
                Some(match node.is_single() {
                    true => node,
                    false => Node::Values(vec![node]),
                })
            }
            // The property list is searched by an instruction.
            ("GET", [symbol, indicator]) => {
                let plist = Symbol::lisp("SYMBOL-PLIST");
                self.note_use(&plist, Some(1));
                let plist = Node::Call(plist, vec![self.form(symbol)?]);
                let nodes = vec![plist, self.form(indicator)?];
                Some(Node::Primitive(&[Step::Op(Opcode::ListGet)], nodes))
            }
            ("MAPC", [function, list]) => self.each(function, list, false)?,
            ("MAPCAR", [function, list]) => self.each(function, list, true)?,
            ("LIST", forms) => {
                let nodes = self.forms(forms)?;
                Some(list(nodes, Node::nil()))
            }
            ("LIST*", [forms @ .., last]) => {
                let nodes = self.forms(forms)?;
                let last = self.form(last)?;
                Some(list(nodes, last))
            }
            ("CODE-CHAR", [form]) => {
                let segment = Node::Constant(Datum::integer(CHARACTER_SEGMENT));
                Some(binary(Opcode::Vag2, segment, self.form(form)?))
            }
            ("-", [form]) => {
                let node = self.form(form)?;
                Some(match is_float(self, &node) {
                    true => {
                        // There are two zeros.
                        let zero = Node::Constant(Datum::Float(-0.0));
                        Node::FloatPrimitive(step(Opcode::FDifference), vec![zero, node])
                    }
                    // This may be one of them too.
                    false => binary(Opcode::Times2, Node::Constant(Datum::integer(-1)), node),
                })
            }
            ("-", [_, _, ..]) => Some(self.difference(arguments)?),
            ("/", [_, _]) => {
                let nodes = self.forms(arguments)?;
                match nodes.iter().any(|node| is_float(self, node)) {
                    true => Some(Node::FloatPrimitive(step(Opcode::FQuotient), nodes)),
                    false => {
                        self.note_use(name, Some(2));
                        Some(Node::Call(name.clone(), nodes))
                    }
                }
            }
            ("/=", [first, second]) => {
                let nodes = vec![self.form(first)?, self.form(second)?];
                let equal = Node::Primitive(step(Opcode::NumEqual), nodes);
                Some(Node::Not(Box::new(equal)))
            }
            _ => None,
        })
    }

    /// What SETF makes of places that are instructions.
    fn store(&mut self, name: &Symbol, arguments: &[Datum]) -> Result<Option<Node>> {
        let (replace, read): (Steps, Steps) = match (&*name.name, arguments.len()) {
            ("SET-CAR", 2) => (&[Step::Op(Opcode::Rplaca)], &[Step::Op(Opcode::Car)]),
            ("SET-CDR", 2) => (&[Step::Op(Opcode::Rplacd)], &[Step::Op(Opcode::Cdr)]),
            ("SET-AREF" | "SET-SVREF" | "SET-CHAR" | "SET-SCHAR", 3) => {
                let nodes = self.forms(arguments)?;
                return Ok(Some(Node::ArrayStore(Opcode::Aset1, nodes)));
            }
            ("SET-AREF", 4) => {
                let nodes = self.forms(arguments)?;
                return Ok(Some(Node::ArrayStore(Opcode::Aset2, nodes)));
            }
            _ => return Ok(None),
        };
        let stored = Node::Primitive(replace, self.forms(arguments)?);
        Ok(Some(Node::Primitive(read, vec![stored])))
    }

    fn difference(&mut self, arguments: &[Datum]) -> Result<Node> {
        let mut nodes = self.forms(arguments)?.into_iter();
        let mut result = nodes.next().unwrap_or_else(Node::nil);
        for node in nodes {
            result = if is_float(self, &result) || is_float(self, &node) {
                Node::FloatPrimitive(step(Opcode::FDifference), vec![result, node])
            } else if let Some(number) = small_operand(&node) {
                add_small(result, -number)
            } else {
                binary(Opcode::Difference, result, node)
            };
        }
        Ok(result)
    }

    /// Whether a value is NIL or passes a test.
    fn or_null(&mut self, form: &Datum, test: impl Fn(Node) -> Node) -> Result<Node> {
        let node = self.form(form)?;
        let either = |node: Node| {
            truth(Node::Or(vec![
                test(node.clone()),
                Node::Not(Box::new(node)),
            ]))
        };
        if node.is_fixed(&self.unit) {
            return Ok(either(node));
        }
        let scope = self.new_scope();
        let variable = self.hidden_variable("OBJECT", scope);
        let body = either(Node::Variable(variable));
        Ok(make_let(scope, vec![(variable, node)], body))
    }
}

/// T or NIL, as an object or NIL.
fn truth(node: Node) -> Node {
    Node::If(Box::new(node), Box::new(Node::t()), Box::new(Node::nil()))
}

/// Adds a number from -255 to 255 that is not 0.
fn add_small(node: Node, number: i16) -> Node {
    let opcode = match number > 0 {
        true => Opcode::IPlusN,
        false => Opcode::IDifferenceN,
    };
    raw(opcode, number.unsigned_abs(), node)
}

/// A list of values in front of another one.
fn list(nodes: Vec<Node>, tail: Node) -> Node {
    nodes
        .into_iter()
        .rev()
        .fold(tail, |rest, node| binary(Opcode::Cons, node, rest))
}

/// The table row of a function, for messages about its arguments.
pub fn arity_of(name: &Symbol) -> Option<super::super::tree::Arity> {
    match primitives::find(name)? {
        Inline::Primitive(row) => Some(super::super::tree::Arity::exactly(
            PRIMITIVES[row].arguments.into(),
        )),
        _ => None,
    }
}
