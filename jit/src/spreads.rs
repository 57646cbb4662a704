//! Loops that spread the last argument of APPLY on the evaluation stack.
//!
//! Such a loop pushes an element of a list at each turn and counts it, and behind it an
//! APPLYFN takes as many arguments as were counted. So how deep the stack is cannot be known
//! before. But the loop and the call together take what was on the stack before, and leave
//! one value: they are one operation for native code. A turn is followed symbolically, so it
//! does not matter in which order it does these things, where the list is kept, and what
//! the compiler asks of the count.

use std::collections::BTreeMap;

use geiko_runtime::isa::Opcode;
use geiko_runtime::isa::decode::LocalKind;

use crate::flow::Step;
use crate::numbers::constant;

/// Most arguments that are spread natively.
pub const MOST: u16 = 64;

/// Most instructions of a turn.
const MOST_INSTRUCTIONS: u32 = 24;

/// A loop that spreads a list, from its test to the call behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// The step that reads the variable with the rest of the list, which is the test's first;
    /// `None` if that is on top of the stack.
    pub list: Option<usize>,
    /// The step that reads the variable with the number of arguments.
    pub count: usize,
    /// The step that pushes the function.
    pub function: usize,
    /// The step that calls it.
    pub call: usize,
    /// Arguments that are on the stack already.
    pub before: u16,
    /// Most arguments, with those.
    pub most: u16,
    /// Instructions of a turn.
    pub turn: u32,
}

/// What a value is at a place in the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    /// The list at the beginning of the turn, its first element, its rest.
    List,
    First,
    Rest,
    /// The number of arguments at the beginning of the turn, and one more.
    Count,
    Counted,
    Number(u16),
    /// T if the number of arguments is less.
    Below(u16),
}

impl Spread {
    /// Cells of the stack before the test that the call takes.
    pub fn pops(&self) -> u16 {
        self.before + u16::from(self.list.is_none())
    }

    /// Instructions of the test when it ends the loop, and of what pushes the operands of the
    /// call.
    pub fn behind(&self) -> u32 {
        3 + u32::from(self.list.is_some())
    }

    /// Most instructions of all.
    pub fn longest(&self) -> usize {
        (u32::from(MOST) * self.turn + self.behind()) as usize + 1
    }
}

/// The variable that a step reads.
fn read(step: &Step) -> Option<(LocalKind, u16)> {
    let reads = !step.instruction.opcode.info().handler.contains("set");
    let (kind, number) = step.instruction.local()?;
    (reads && kind != LocalKind::Free).then_some((kind, number))
}

/// The loop in front of the call `call`, and the step at which its test begins.
pub fn find(steps: &[Step], at: &BTreeMap<u32, usize>, call: usize) -> Option<(usize, Spread)> {
    let back = |n| call.checked_sub(n);
    let (jump, count, function) = (back(3)?, back(2)?, back(1)?);
    if steps[call].instruction.opcode != Opcode::ApplyFn {
        return None;
    }
    let counter = read(&steps[count])?;
    let keeps = match steps[jump].instruction.opcode.info().handler {
        "ntjumpx" => true,
        "tjump" | "tjumpx" => false,
        _ => return None,
    };
    let list = if keeps { None } else { Some(back(4)?) };
    let head = list.unwrap_or(jump);
    let variable = match list {
        None => None,
        Some(list) => Some(read(&steps[list])?),
    };
    // It is taken before the turns.
    let taken = read(&steps[function]);
    if taken.is_none() && constant(&steps[function]).is_none()
        || taken == Some(counter)
        || taken.is_some() && taken == variable
        || variable == Some(counter)
    {
        return None;
    }
    let (turn, most) = follow(steps, at, head, jump, counter, variable)?;
    let spread = Spread {
        list,
        count,
        function,
        call,
        before: first_count(steps, head, counter),
        most,
        turn,
    };
    Some((head, spread))
}

/// The number that the variable gets last in front of `head`; 0 if that is not said there.
/// Native code asks whether it is.
fn first_count(steps: &[Step], head: usize, counter: (LocalKind, u16)) -> u16 {
    let stored = steps[..head].windows(2).rev().find_map(|pair| {
        let [number, store] = pair else { return None };
        let handler = store.instruction.opcode.info().handler;
        let stores = handler.contains("set") && store.instruction.local() == Some(counter);
        let cell = stores.then(|| constant(number)).flatten()?;
        (cell.0 >> 16 == 0xE).then_some(cell.0 as u16)
    });
    stored.unwrap_or(0)
}

/// Follows a turn of the loop whose test begins at the step `head` and jumps at `jump`. Answers
/// its instructions, with those of the test, and the most arguments that it goes on with. `None`
/// if it does anything but push an element and count it.
fn follow(
    steps: &[Step],
    at: &BTreeMap<u32, usize>,
    head: usize,
    jump: usize,
    counter: (LocalKind, u16),
    variable: Option<(LocalKind, u16)>,
) -> Option<(u32, u16)> {
    let target = |step: &Step| {
        at.get(&u32::try_from(step.instruction.target()?).ok()?)
            .copied()
    };
    let (mut list, mut count) = (Value::List, Value::Count);
    let mut stack = Vec::from_iter(variable.is_none().then_some(Value::List));
    let mut most = MOST;
    let mut turn = (jump - head) as u32 + 1;
    let mut next = target(&steps[jump])?;
    while next != head {
        turn += 1;
        let step = steps.get(next).filter(|_| turn <= MOST_INSTRUCTIONS)?;
        let instruction = &step.instruction;
        next += 1;
        if let Some((kind, number)) = instruction.local() {
            let handler = instruction.opcode.info().handler;
            let place = match (kind, number) {
                place if place == counter => &mut count,
                place if Some(place) == variable => &mut list,
                _ => return None,
            };
            if handler.contains("set") {
                *place = *stack.last()?;
                if handler.ends_with("pop") {
                    stack.pop();
                }
            } else {
                stack.push(*place);
            }
            continue;
        }
        if let Some(cell) = constant(step) {
            stack.push((cell.0 >> 16 == 0xE).then_some(Value::Number(cell.0 as u16))?);
            continue;
        }
        match instruction.opcode {
            Opcode::Nop => {}
            Opcode::Pop => {
                stack.pop()?;
            }
            Opcode::Copy => stack.push(*stack.last()?),
            Opcode::Swap => {
                let depth = stack.len().checked_sub(2)?;
                stack.swap(depth, depth + 1);
            }
            Opcode::Car | Opcode::Cdr => {
                let is_car = instruction.opcode == Opcode::Car;
                let list = stack.pop()? == Value::List;
                stack.push(list.then_some(if is_car { Value::First } else { Value::Rest })?);
            }
            Opcode::IPlusN | Opcode::Plus2 | Opcode::IPlus2 => {
                let one = match instruction.opcode {
                    Opcode::IPlusN => Value::Number(instruction.number(0)?),
                    _ => stack.pop()?,
                };
                match (stack.pop()?, one) {
                    (Value::Count, Value::Number(1)) | (Value::Number(1), Value::Count) => {
                        stack.push(Value::Counted);
                    }
                    _ => return None,
                }
            }
            Opcode::GreaterP | Opcode::IGreaterP => match (stack.pop()?, stack.pop()?) {
                (Value::Counted, Value::Number(limit)) => stack.push(Value::Below(limit)),
                _ => return None,
            },
            _ => match (instruction.opcode.info().handler, stack.last()) {
                ("jump" | "jumpx" | "jumpxx", _) => next = target(step)?,
                ("tjump" | "tjumpx", Some(Value::Below(limit))) => {
                    most = most.min(limit.checked_sub(1)?);
                    stack.pop();
                    next = target(step)?;
                }
                _ => return None,
            },
        }
    }
    let pushed: &[Value] = match variable {
        None => &[Value::First, Value::Rest],
        Some(_) => &[Value::First],
    };
    let rest = variable.is_none() || list == Value::Rest;
    (stack == pushed && rest && count == Value::Counted).then_some((turn, most))
}
