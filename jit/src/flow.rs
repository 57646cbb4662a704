//! Control flow and evaluation stack of a code block.
//!
//! The compilers of Medley leave the same number of cells on the stack whichever
//! way an instruction is reached, and bind marks at the same depths
//! (`reference/processor.md` section 28). So one walk over the code finds, for
//! every instruction, what is on the stack before it. An exception are ways that
//! lead to a RETURN, which does not care what else there is: cells that only one way
//! brings are dropped. Where two ways disagree otherwise, or an instruction's effect
//! depends on data, the instruction is left to the interpreter.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use geiko_runtime::isa::decode::{Decoder, Instruction, Operand};
use geiko_runtime::isa::{Kind, Opcode};
use geiko_runtime::memory::LispPtr;

use crate::spreads::{self, Spread};

/// What a cell of the evaluation stack is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// A value.
    Value,
    /// A constant that may be a number of arguments.
    Number(u16),
    /// The mark of a BIND of this many locals, the highest of which is `last`.
    Mark {
        /// Locals bound.
        count: u16,
        /// The highest of them.
        last: u16,
    },
}

/// What an instruction does to the evaluation stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Pops and pushes values.
    Cells {
        /// Cells taken.
        pops: u16,
        /// Cells put.
        pushes: u16,
    },
    /// Pops as many arguments as the cell says that is so far below the top, that
    /// cell and those above it; pushes a value.
    Counted {
        /// Cells above the number.
        below: u16,
    },
    /// Binds locals.
    Bind,
    /// Undoes the nearest binding and keeps the top of stack.
    Unbind,
    /// Undoes the nearest binding.
    Dunbind,
    /// Jumps, after popping so many cells; the flags say whether it may also fall
    /// through, and whether it keeps the top of stack when it jumps.
    Jump {
        /// False for unconditional jumps.
        conditional: bool,
        /// The top stays when the jump is taken.
        keeps: bool,
    },
    /// Spreads a list and calls a function with it: the test of the loop that does so stands
    /// for all of it.
    Spread {
        /// Cells taken from the stack that was there before.
        pops: u16,
    },
    /// Ends the activation.
    Return,
    /// Not known before it is executed.
    Unknown,
}

/// An instruction and what is on the stack before it.
#[derive(Clone, Debug)]
pub struct Step {
    /// The instruction.
    pub instruction: Instruction,
    /// pc of the instruction behind it, or behind all that it stands for.
    pub next: u32,
    /// What it does to the stack.
    pub effect: Effect,
    /// The stack before it; `None` if it is never reached.
    pub stack: Option<Arc<[Cell]>>,
    /// Different ways to it leave different stacks.
    pub disputed: bool,
}

/// The analysed code of a block.
#[derive(Debug)]
pub struct Flow {
    /// Instructions in order.
    pub steps: Vec<Step>,
    /// Index in `steps` of the instruction at a pc.
    pub at: BTreeMap<u32, usize>,
    /// Instructions that begin a basic block, with the number of ways to them.
    pub leaders: BTreeMap<u32, u32>,
    /// Targets of backward jumps.
    pub loops: BTreeSet<u32>,
    /// Where control comes without the instruction in front: behind instructions that
    /// cut back the stack for a throw, and behind calls of \\MVLIST.
    pub resumptions: BTreeSet<u32>,
    /// Calls of \\MVLIST, and what is behind them: callees that return several values
    /// go on there.
    pub receivers: BTreeMap<u32, u32>,
    /// Loops that spread lists, by the pcs of their tests.
    pub spreads: BTreeMap<u32, Spread>,
    /// Most cells ever on the stack.
    pub max_depth: u16,
}

impl Cell {
    fn is_mark(self) -> bool {
        matches!(self, Self::Mark { .. })
    }

    /// What is known on both ways; `None` if they disagree.
    fn meet(self, other: Self) -> Option<Self> {
        match (self, other) {
            _ if self == other => Some(self),
            _ if self.is_mark() || other.is_mark() => None,
            _ => Some(Self::Value),
        }
    }
}

/// What `instruction` does to a stack.
fn effect(instruction: &Instruction) -> Effect {
    let cells = |pops, pushes| Effect::Cells { pops, pushes };
    let number = |n| instruction.number(n).unwrap_or(0);
    match instruction.opcode {
        Opcode::Fn3 => cells(3, 1),
        Opcode::Fn4 => cells(4, 1),
        Opcode::FnX => cells(number(0), 1),
        Opcode::Miscn | Opcode::SubrCall => cells(number(1), 1),
        Opcode::Misc7 => cells(7, 1),
        Opcode::DrawLine => cells(9, 1),
        Opcode::PopN => cells(number(0) + 1, 0),
        Opcode::StoreN => cells(0, 0),
        Opcode::Bind => Effect::Bind,
        Opcode::Unbind => Effect::Unbind,
        Opcode::Dunbind => Effect::Dunbind,
        Opcode::Return => Effect::Return,
        Opcode::ApplyFn => Effect::Counted { below: 1 },
        Opcode::EnvCall => Effect::Counted { below: 2 },
        Opcode::Unwind | Opcode::ContextSwitch | Opcode::SlowReturn | Opcode::EndOfCode => {
            Effect::Unknown
        }
        opcode if instruction.target().is_some() => {
            let handler = opcode.info().handler;
            Effect::Jump {
                conditional: !handler.starts_with('j'),
                keeps: handler.starts_with('n'),
            }
        }
        opcode => {
            let (before, after) = opcode.info().stack.split_once("--").unwrap_or(("...", ""));
            // What a trap function returns is left on the stack in any case.
            let leaves_nothing = opcode.info().kind == Kind::Undefined && after.trim().is_empty();
            if before.contains("..") || leaves_nothing {
                return Effect::Unknown;
            }
            let count = |text: &str| text.split_whitespace().count() as u16;
            cells(count(before), count(after))
        }
    }
}

impl Flow {
    /// Analyses the instructions `code`, the first of which is at byte `start`; `mvlist`
    /// is the symbol \\MVLIST.
    pub fn new(code: &[u8], start: u32, atom_bytes: u32, mvlist: LispPtr) -> Self {
        let steps: Vec<_> = Decoder::new(code, start, atom_bytes)
            .map_while(Result::ok)
            .map(|instruction| Step {
                next: instruction.offset + instruction.length(atom_bytes),
                effect: effect(&instruction),
                instruction,
                stack: None,
                disputed: false,
            })
            .collect();
        let at = steps
            .iter()
            .enumerate()
            .map(|(index, step)| (step.instruction.offset, index))
            .collect();
        let mut flow = Self {
            steps,
            at,
            leaders: BTreeMap::from([(start, 1)]),
            loops: BTreeSet::new(),
            resumptions: BTreeSet::new(),
            receivers: BTreeMap::new(),
            spreads: BTreeMap::new(),
            max_depth: 0,
        };
        flow.find_resumptions(mvlist);
        flow.find_spreads();
        flow.walk(start);
        flow
    }

    fn find_resumptions(&mut self, mvlist: LispPtr) {
        for step in &self.steps {
            let instruction = &step.instruction;
            if instruction.opcode == Opcode::Unwind {
                self.resumptions.insert(step.next);
            } else if instruction.opcode == Opcode::Fn1
                && instruction.operands().contains(&Operand::Atom(mvlist.0))
            {
                self.resumptions.insert(step.next);
                self.receivers.insert(instruction.offset, step.next);
            }
        }
        for &pc in &self.resumptions {
            *self.leaders.entry(pc).or_default() += 1;
        }
    }

    fn find_spreads(&mut self) {
        let found =
            (0..self.steps.len()).filter_map(|call| spreads::find(&self.steps, &self.at, call));
        for (head, spread) in found.collect::<Vec<_>>() {
            let next = self.steps[spread.call].next;
            let step = &mut self.steps[head];
            step.effect = Effect::Spread {
                pops: spread.pops(),
            };
            step.next = next;
            self.spreads.insert(step.instruction.offset, spread);
            self.leaders.entry(next).or_default();
        }
    }

    /// Step `index` is a RETURN, or a constant or variable and a RETURN: all else on the
    /// stack does not matter. Answers how many cells do.
    fn needs_only(&self, index: usize) -> Option<usize> {
        let is_return = |index| {
            (self.steps.get(index)).is_some_and(|step: &Step| step.effect == Effect::Return)
        };
        let pushes = self.steps[index].effect == Effect::Cells { pops: 0, pushes: 1 };
        if is_return(index) {
            Some(1)
        } else {
            (pushes && is_return(index + 1)).then_some(0)
        }
    }

    fn walk(&mut self, start: u32) {
        let empty: Arc<[Cell]> = Arc::from([]);
        let mut work = vec![(start, empty)];
        let turns: Vec<_> = (self.steps.iter())
            .filter_map(|step| Some((step.instruction.target()? as u32, step.instruction.offset)))
            .collect();
        let in_loop = |pc| turns.iter().any(|&(first, last)| first <= pc && pc <= last);
        while let Some((pc, stack)) = work.pop() {
            let Some(&index) = self.at.get(&pc) else {
                continue;
            };
            // Cells that do not matter are not compared.
            let stack = match self.needs_only(index) {
                Some(cells) if stack.len() >= cells => Arc::from(&stack[stack.len() - cells..]),
                _ => stack,
            };
            let step = &mut self.steps[index];
            let first = step.stack.is_none();
            let stack = match &step.stack {
                None => stack,
                Some(known) if *known == stack => continue,
                // Loops may push something at each turn, which is wanted in the end.
                Some(known) => match meet(known, &stack)
                    .filter(|_| known.len() == stack.len() || !in_loop(pc))
                {
                    Some(met) if met == *known => continue,
                    Some(met) => met,
                    None => {
                        step.disputed = true;
                        step.effect = Effect::Unknown;
                        continue;
                    }
                },
            };
            step.stack = Some(Arc::clone(&stack));
            self.max_depth = self.max_depth.max(stack.len() as u16 + 1);
            let (pc, next, target) = (
                step.instruction.offset,
                step.next,
                step.instruction.target(),
            );
            let Some((fall, jump)) = successors(step, &stack) else {
                step.effect = Effect::Unknown;
                continue;
            };
            if let (Some(stack), Some(target)) = (jump, target) {
                let target = target as u32;
                if target <= pc {
                    self.loops.insert(target);
                }
                *self.leaders.entry(target).or_default() += u32::from(first);
                if fall.is_some() {
                    *self.leaders.entry(next).or_default() += u32::from(first);
                }
                work.push((target, stack));
            }
            if let Some(stack) = fall {
                work.push((next, stack));
            }
        }
        self.count_falls();
    }

    /// Adds the ways that lead from an instruction to a leader behind it.
    fn count_falls(&mut self) {
        for step in &self.steps {
            let falls = matches!(
                step.effect,
                Effect::Cells { .. }
                    | Effect::Counted { .. }
                    | Effect::Spread { .. }
                    | Effect::Bind
                    | Effect::Unbind
                    | Effect::Dunbind
            );
            if falls
                && step.stack.is_some()
                && let Some(ways) = self.leaders.get_mut(&step.next)
            {
                *ways += 1;
            }
        }
    }

    /// The number of cells on top of the stack that matter at `pc`, if not all do.
    pub fn needed(&self, pc: u32) -> Option<usize> {
        self.at.get(&pc).and_then(|&index| self.needs_only(index))
    }

    /// The step at `pc`.
    pub fn step(&self, pc: u32) -> Option<&Step> {
        self.at.get(&pc).map(|&index| &self.steps[index])
    }
}

/// What is known of a stack reached in two ways; `None` if they disagree.
fn meet(a: &[Cell], b: &[Cell]) -> Option<Arc<[Cell]>> {
    let (long, short) = if a.len() < b.len() { (b, a) } else { (a, b) };
    let extra = extra(long, short.len());
    let kept = long[..extra.start].iter().chain(&long[extra.end..]);
    kept.zip(short).map(|(a, b)| a.meet(*b)).collect()
}

/// The cells to drop from a stack where another way comes with `depth` cells only:
/// those just above the topmost bind mark. What is on top is what is wanted.
pub fn extra(stack: &[Cell], depth: usize) -> Range<usize> {
    let above = stack.iter().rposition(|cell| cell.is_mark());
    let start = above.map_or(0, |mark| mark + 1).min(depth);
    start..start + stack.len() - depth
}

/// Depth, number of locals and highest local of the mark nearest to the top.
pub fn nearest_mark(stack: &[Cell]) -> Option<(usize, u16, u16)> {
    let marked = stack.iter().enumerate().rev();
    marked.into_iter().find_map(|(depth, cell)| match cell {
        Cell::Mark { count, last } => Some((depth, *count, *last)),
        _ => None,
    })
}

/// The cells that a step with [`Effect::Counted`] pops.
pub fn counted(step: &Step, stack: &[Cell]) -> Option<u16> {
    let Effect::Counted { below } = step.effect else {
        return None;
    };
    match stack.iter().rev().nth(below.into())? {
        Cell::Number(n) => n.checked_add(below + 1),
        _ => None,
    }
}

/// The stack after a step that falls through, and after one that jumps. `None`
/// if the stack does not have what the instruction takes.
#[allow(clippy::type_complexity)]
pub fn successors(
    step: &Step,
    stack: &[Cell],
) -> Option<(Option<Arc<[Cell]>>, Option<Arc<[Cell]>>)> {
    let drop = |cells: u16| {
        let left = stack.len().checked_sub(cells.into())?;
        let marks = stack[left..].iter().any(|cell| cell.is_mark());
        (!marks).then(|| stack[..left].to_vec())
    };
    let fall = |stack: Vec<Cell>| Some((Some(stack.into()), None));
    match step.effect {
        Effect::Cells { pops, pushes } => {
            let mut after = drop(pops)?;
            let number = match step.instruction.opcode {
                Opcode::Zero => Some(0),
                Opcode::One => Some(1),
                Opcode::Sic => step.instruction.number(0),
                _ => None,
            };
            let pushed = number.map_or(Cell::Value, Cell::Number);
            after.extend((0..pushes).map(|_| pushed));
            fall(after)
        }
        Effect::Spread { pops } => {
            let mut after = drop(pops)?;
            after.push(Cell::Value);
            fall(after)
        }
        Effect::Counted { .. } => {
            let mut after = drop(counted(step, stack)?)?;
            after.push(Cell::Value);
            fall(after)
        }
        Effect::Bind => {
            let binding = step.instruction.binding()?;
            let mut after = drop(binding.values)?;
            if binding.first() < 0 {
                return None;
            }
            after.push(Cell::Mark {
                count: binding.count(),
                last: binding.last,
            });
            fall(after)
        }
        Effect::Unbind | Effect::Dunbind => {
            let mark = stack.iter().rposition(|cell| cell.is_mark())?;
            let mut after = stack[..mark].to_vec();
            if step.effect == Effect::Unbind {
                if mark + 1 == stack.len() {
                    return None;
                }
                after.push(Cell::Value);
            }
            fall(after)
        }
        Effect::Jump {
            conditional: false, ..
        } => Some((None, Some(stack.into()))),
        Effect::Jump { keeps, .. } => {
            let popped: Arc<[Cell]> = drop(1)?.into();
            let jumped = if keeps {
                stack.into()
            } else {
                Arc::clone(&popped)
            };
            Some((Some(popped), Some(jumped)))
        }
        Effect::Return => drop(1).map(|_| (None, None)),
        Effect::Unknown => Some((None, None)),
    }
}
