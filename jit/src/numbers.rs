//! Which kind of number is where: the plan by which numbers stay out of boxes.
//!
//! A small integer is in its cell; other numbers are in boxes that must be
//! allocated, counted and collected. Within a function none of that is needed as
//! long as everybody knows what kind of number a variable or stack cell holds.
//! That is guessed from what was seen. Operations are observed in the interpreter
//! for a while (`observing.rs`); one that it did not come to is taken to be one of small integers.
//! Where that proves wrong, native code gives up the
//! activation to the interpreter, and what the operands were is noted
//! ([`Feedback`](crate::feedback::Feedback)); after a few times the function is observed for longer
//! and translated again. Integers beyond the small ones, or floats, are then the kind that its code is
//! made for. An operation that has met everything is translated in full generality.
//!
//! From the kinds of constants and results a data flow analysis tells what kinds
//! reach every place where ways meet ([`Plan`]). At the head of a loop a variable
//! that comes in as anything, and that the loop itself leaves as a number of one
//! kind, is taken to be that number: whether it is is asked once, on entry.
//! Boxes are not made anew at each call of a loop: where a loop calls functions,
//! a float stays in its box.

use std::collections::{BTreeMap, BTreeSet};

use geiko_runtime::isa::Opcode;
use geiko_runtime::isa::decode::{LocalKind, Operand};
use geiko_runtime::layout::records::element;
use geiko_runtime::memory::LispPtr;

use crate::feedback::{Elements, Strategy, domain};
use crate::flow::{self, Effect, Step};
use crate::leaves;
use crate::unit::Unit;

/// What is known of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing.
    Any,
    /// A small integer, in its cell.
    Small,
    /// An integer of 32 bits, not in a cell.
    Integer,
    /// A float, not in a cell.
    Float,
    /// The cell of a float's box.
    BoxedFloat,
}

impl Kind {
    /// What is known where two ways meet.
    fn join(self, other: Self) -> Self {
        use Kind::{BoxedFloat, Float, Integer, Small};
        match (self, other) {
            (a, b) if a == b => a,
            (Small, Integer) | (Integer, Small) => Integer,
            (Float, BoxedFloat) | (BoxedFloat, Float) => Float,
            _ => Kind::Any,
        }
    }

    /// True for floats, boxed or not.
    pub fn is_float(self) -> bool {
        matches!(self, Self::Float | Self::BoxedFloat)
    }

    /// True for integers.
    pub fn is_integer(self) -> bool {
        matches!(self, Self::Small | Self::Integer)
    }
}

/// What is known of variables and stack at a place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kinds {
    /// Arguments, then PVAR slots.
    pub locals: Vec<Kind>,
    /// Evaluation stack.
    pub stack: Vec<Kind>,
}

impl Kinds {
    fn join(&self, other: &Self) -> Self {
        let join = |a: &[Kind], b: &[Kind]| a.iter().zip(b).map(|(a, b)| a.join(*b)).collect();
        Self {
            locals: join(&self.locals, &other.locals),
            stack: join(&self.stack, &other.stack),
        }
    }
}

/// What the kinds of a constant or of a result need to be known for.
pub struct Plan {
    places: BTreeMap<u32, Ways>,
    /// What the function returns, if it is a leaf.
    returned: Option<Kind>,
    is_leaf: bool,
}

/// Kinds on the ways to a place.
#[derive(Clone, Debug, Default)]
struct Ways {
    /// Joined over the ways from before.
    forward: Option<Kinds>,
    /// Joined over the ways from behind.
    backward: Option<Kinds>,
    /// The loop that begins here calls functions.
    calls: bool,
    /// Guesses went wrong here.
    distrusted: bool,
}

impl Ways {
    /// What is taken to be known here.
    fn kinds(&self) -> Option<Kinds> {
        let mut kinds = match (&self.forward, &self.backward) {
            (Some(forward), None) => forward.clone(),
            (Some(forward), Some(backward)) if !self.distrusted => {
                let locals = forward.locals.iter().zip(&backward.locals);
                Kinds {
                    locals: locals.map(|(f, b)| self.guess(*f, *b)).collect(),
                    stack: forward.join(backward).stack,
                }
            }
            (Some(forward), Some(backward)) => forward.join(backward),
            (None, backward) => backward.clone()?,
        };
        if self.distrusted {
            kinds.locals.fill(Kind::Any);
            kinds.stack.fill(Kind::Any);
        }
        Some(kinds)
    }

    fn guess(&self, forward: Kind, backward: Kind) -> Kind {
        let kind = match (forward, backward) {
            (Kind::Any, kind) => kind,
            (forward, backward) => forward.join(backward),
        };
        match kind {
            Kind::Float if self.calls => Kind::BoxedFloat,
            Kind::Integer if self.calls => Kind::Any,
            kind => kind,
        }
    }
}

impl Plan {
    /// Analyses `unit`.
    pub fn new(unit: &Unit) -> Self {
        Self::analyse(unit, &[], false)
    }

    /// Analyses the leaf `unit` for arguments of these kinds. `None` if it never returns
    /// without doing more than a leaf may.
    pub fn of_leaf(unit: &Unit, arguments: &[Kind]) -> Option<(Self, Kind)> {
        let plan = Self::analyse(unit, arguments, true);
        let returned = plan.returned?;
        Some((plan, returned))
    }

    fn analyse(unit: &Unit, arguments: &[Kind], is_leaf: bool) -> Self {
        let mut plan = Self {
            places: BTreeMap::new(),
            returned: None,
            is_leaf,
        };
        for &pc in unit.flow.leaders.keys() {
            let feedback = &unit.feedback;
            plan.places.entry(pc).or_default().distrusted =
                feedback.is_hopeless() || feedback.is_distrusted(pc);
        }
        for step in &unit.flow.steps {
            if let Some(target) = step.instruction.target()
                && target as u32 <= step.instruction.offset
            {
                let range = target as u32..step.instruction.offset;
                let calls = |step: &&Step| range.contains(&step.instruction.offset);
                let calls = unit
                    .flow
                    .steps
                    .iter()
                    .filter(calls)
                    .any(|step| is_call(unit, step));
                plan.places.entry(target as u32).or_default().calls |= calls;
            }
        }
        let locals = usize::from(unit.arguments.unwrap_or(0) + unit.slots);
        let mut start = Kinds {
            locals: vec![Kind::Any; locals],
            stack: Vec::new(),
        };
        start.locals[..arguments.len()].copy_from_slice(arguments);
        plan.places.entry(unit.start).or_default().forward = Some(start);
        let mut work = BTreeSet::from([unit.start]);
        while let Some(pc) = work.pop_first() {
            if let Some(kinds) = plan.at(pc) {
                plan.walk(unit, pc, kinds, &mut work);
            }
        }
        plan
    }

    /// What is taken to be known at the basic block that begins at `pc`.
    pub fn at(&self, pc: u32) -> Option<Kinds> {
        self.places.get(&pc)?.kinds()
    }

    /// Follows a basic block.
    fn walk(&mut self, unit: &Unit, pc: u32, mut kinds: Kinds, work: &mut BTreeSet<u32>) {
        let Some(&first) = unit.flow.at.get(&pc) else {
            return;
        };
        let place = |pc| {
            let stack = unit.flow.step(pc).and_then(|step| step.stack.as_ref());
            (pc, stack.map_or(0, |stack| stack.len()))
        };
        for step in &unit.flow.steps[first..] {
            let at = step.instruction.offset;
            if at != pc && unit.flow.leaders.contains_key(&at) {
                self.arrive(place(at), false, &kinds, work);
                return;
            }
            if self.is_leaf && !unit.is_pure(step) && of_leaf(unit, step, &kinds).is_none() {
                return;
            }
            match step.effect {
                Effect::Return => {
                    let kind = kinds.stack.last().copied().unwrap_or(Kind::Any);
                    let joined = self.returned.map_or(kind, |other| other.join(kind));
                    self.returned = Some(joined);
                    return;
                }
                Effect::Unknown => return,
                Effect::Jump { conditional, keeps } => {
                    let target = step.instruction.target().unwrap_or(0) as u32;
                    let mut jumped = kinds.clone();
                    if conditional {
                        kinds.stack.pop();
                    }
                    if conditional && !keeps {
                        jumped.stack.pop();
                    }
                    self.arrive(place(target), target <= at, &jumped, work);
                    if conditional {
                        self.arrive(place(step.next), false, &kinds, work);
                    }
                    return;
                }
                Effect::Spread { pops } => {
                    spread(unit, at, pops, &mut kinds);
                    self.arrive(place(step.next), false, &kinds, work);
                    return;
                }
                _ => transfer(unit, step, &mut kinds),
            }
        }
    }

    /// Notes what comes to `target`, perhaps by a jump backward, where so many cells
    /// are on the stack.
    fn arrive(
        &mut self,
        target: (u32, usize),
        backward: bool,
        kinds: &Kinds,
        work: &mut BTreeSet<u32>,
    ) {
        let (target, depth) = target;
        let mut kinds = kinds.clone();
        if kinds.stack.len() != depth {
            kinds.stack = vec![Kind::Any; depth];
        }
        let ways = self.places.entry(target).or_default();
        let before = ways.kinds();
        let way = if backward {
            &mut ways.backward
        } else {
            &mut ways.forward
        };
        let joined = match way.as_ref() {
            Some(known) => known.join(&kinds),
            None => kinds,
        };
        if way.as_ref() == Some(&joined) {
            return;
        }
        *way = Some(joined);
        if ways.kinds() != before {
            work.insert(target);
        }
    }
}

/// True if other functions may run in the instruction. Leaves seldom do.
fn is_call(unit: &Unit, step: &Step) -> bool {
    use Opcode::{ApplyFn, EnvCall, Miscn, SubrCall};
    let calls = leaves::called(step).is_some();
    let is_leaf = || {
        let anything = |leaf: &Unit| vec![Kind::Any; leaf.arguments.unwrap_or(0).into()];
        let leaf = unit.leaf(step).map(|(_, leaf)| leaf);
        leaf.is_some_and(|leaf| Plan::of_leaf(leaf, &anything(leaf)).is_some())
    };
    calls && !is_leaf()
        || matches!(
            step.instruction.opcode,
            ApplyFn | EnvCall | SubrCall | Miscn
        )
}

/// The kind of the result of the leaf that is called by the instruction of `step`.
fn of_leaf(unit: &Unit, step: &Step, kinds: &Kinds) -> Option<Kind> {
    let (_, leaf) = unit.leaf(step)?;
    let count = usize::from(leaf.arguments?);
    let arguments = &kinds.stack[kinds.stack.len().checked_sub(count)?..];
    let (_, kind) = Plan::of_leaf(leaf, arguments)?;
    Some(unit.feedback.trusted(step.next, kind))
}

/// The number of the variable that the instruction of `step` names, and true if
/// it stores.
pub fn local(unit: &Unit, step: &Step) -> Option<(usize, bool)> {
    let (kind, index) = step.instruction.local()?;
    let stores = step.instruction.opcode.info().handler.contains("set");
    let number = match (kind, unit.arguments) {
        (LocalKind::Argument, Some(arguments)) if index < arguments => index,
        (LocalKind::Local, arguments) if index < unit.slots => arguments.unwrap_or(0) + index,
        _ => return None,
    };
    Some((number.into(), stores))
}

/// The constant that the instruction of `step` pushes.
pub fn constant(step: &Step) -> Option<LispPtr> {
    let number = || step.instruction.number(0).unwrap_or(0);
    Some(match step.instruction.opcode {
        Opcode::Nil => LispPtr::NIL,
        Opcode::T => LispPtr::T,
        Opcode::Zero => LispPtr::smallpos(0),
        Opcode::One => LispPtr::smallpos(1),
        Opcode::Sic | Opcode::SicX => LispPtr::smallpos(number()),
        Opcode::Snic => LispPtr(0xF_FF00 | u32::from(number())),
        Opcode::Aconst | Opcode::Gconst => match step.instruction.operands().first() {
            Some(Operand::Atom(cell) | Operand::Pointer(cell)) => LispPtr(*cell),
            _ => return None,
        },
        _ => return None,
    })
}

/// What the loop that spreads a list, and the call behind it, do to the kinds.
fn spread(unit: &Unit, pc: u32, pops: u16, kinds: &mut Kinds) {
    let left = kinds.stack.len().saturating_sub(pops.into());
    kinds.stack.truncate(left);
    kinds.stack.push(Kind::Any);
    let Some(spread) = unit.flow.spreads.get(&pc) else {
        return;
    };
    for step in spread.list.into_iter().chain([spread.count]) {
        if let Some((number, _)) = local(unit, &unit.flow.steps[step]) {
            kinds.locals[number] = Kind::Any;
        }
    }
}

/// What an instruction that falls through does to the kinds.
fn transfer(unit: &Unit, step: &Step, kinds: &mut Kinds) {
    let opcode = step.instruction.opcode;
    let is_published = |number: usize| unit.is_published(number);
    if let Some(cell) = constant(step) {
        return kinds.stack.push(unit.facts.kind(cell));
    }
    if let Some((number, stores)) = local(unit, step) {
        if !stores {
            return kinds.stack.push(kinds.locals[number]);
        }
        if !is_published(number)
            && let Some(&top) = kinds.stack.last()
        {
            kinds.locals[number] = top;
        }
        if opcode.info().handler.ends_with("pop") {
            kinds.stack.pop();
        }
        return;
    }
    match step.effect {
        Effect::Bind => {
            let Some(binding) = step.instruction.binding() else {
                return;
            };
            let mut number = usize::from(unit.arguments.unwrap_or(0) + binding.last) + 1;
            for n in 0..binding.nils + binding.values {
                number = number.saturating_sub(1);
                let kind = match kinds.stack.last() {
                    Some(&kind) if n >= binding.nils => {
                        kinds.stack.pop();
                        kind
                    }
                    _ => Kind::Any,
                };
                if let Some(local) = kinds.locals.get_mut(number)
                    && !is_published(number)
                {
                    *local = kind;
                }
            }
            kinds.stack.push(Kind::Any);
        }
        Effect::Unbind | Effect::Dunbind => {
            let stack = step.stack.as_deref().unwrap_or(&[]);
            let Some((depth, count, last)) = flow::nearest_mark(stack) else {
                return;
            };
            let top = kinds.stack.last().copied().unwrap_or(Kind::Any);
            kinds.stack.truncate(depth);
            let arguments = usize::from(unit.arguments.unwrap_or(0));
            for number in (0..count).map(|n| arguments + usize::from(last.wrapping_sub(n))) {
                if let Some(local) = kinds.locals.get_mut(number) {
                    *local = Kind::Any;
                }
            }
            if step.effect == Effect::Unbind {
                kinds.stack.push(top);
            }
        }
        Effect::Counted { .. } => {
            let stack = step.stack.as_deref().unwrap_or(&[]);
            let pops = flow::counted(step, stack).unwrap_or(0);
            let left = kinds.stack.len().saturating_sub(pops.into());
            kinds.stack.truncate(left);
            kinds.stack.push(Kind::Any);
        }
        Effect::Cells { pops, pushes } => {
            let leaf = of_leaf(unit, step, kinds);
            let left = kinds.stack.len().saturating_sub(pops.into());
            let operands = kinds.stack.split_off(left);
            match (opcode, &operands[..]) {
                (Opcode::Copy, &[a]) => kinds.stack.extend([a, a]),
                (Opcode::Swap, &[a, b]) => kinds.stack.extend([b, a]),
                _ => {
                    let kind = leaf.unwrap_or_else(|| result(unit, step, &operands));
                    kinds.stack.extend((0..pushes).map(|_| kind));
                }
            }
        }
        _ => {}
    }
}

/// The kind of an instruction's result.
fn result(unit: &Unit, step: &Step, operands: &[Kind]) -> Kind {
    use geiko_runtime::isa::Kind as OpcodeKind;
    let opcode = step.instruction.opcode;
    if let Some(domain) = domain(opcode)
        && opcode.info().kind != OpcodeKind::Compare
    {
        let a = operands.first().copied().unwrap_or(Kind::Any);
        let b = operands.get(1).copied().unwrap_or(Kind::Small);
        return match unit
            .feedback
            .strategy(step.instruction.offset, domain, a, b)
        {
            Strategy::Small => Kind::Small,
            Strategy::Integer => Kind::Integer,
            Strategy::Float(..) => Kind::Float,
            Strategy::General => Kind::Any,
        };
    }
    match opcode {
        Opcode::GetBaseN
        | Opcode::GetBitsNFd
        | Opcode::HiLoc
        | Opcode::LoLoc
        | Opcode::Ntypx
        | Opcode::MyArgCount => Kind::Small,
        Opcode::Aref1 | Opcode::Aref2 => match unit.feedback.elements(step.instruction.offset) {
            Elements::One(kind) => kind_of_elements(kind),
            _ => Kind::Any,
        },
        Opcode::Aset1 | Opcode::Aset2 => {
            match (unit.feedback.elements(step.instruction.offset), operands) {
                (Elements::One(_), &[value, ..]) => value,
                _ => Kind::Any,
            }
        }
        _ => Kind::Any,
    }
}

/// What elements of a type are when they are read.
fn kind_of_elements(kind: u16) -> Kind {
    match kind {
        element::FLOAT => Kind::Float,
        element::SIGNED_32 => Kind::Integer,
        element::BIT | element::UNSIGNED_8 | element::UNSIGNED_16 | element::SIGNED_16 => {
            Kind::Small
        }
        _ => Kind::Any,
    }
}
