//! Jumps: those to jumps, over jumps, to the next instruction; code that nothing
//! reaches.

use geiko_runtime::isa::Opcode;

use crate::assemble::{Item, Jump, Label};

/// Rounds, at most; each finds what the one before has made possible.
const MAX_ROUNDS: usize = 8;

/// Makes jumps better.
pub(super) fn optimise(items: &mut Vec<Item>) {
    for _ in 0..MAX_ROUNDS {
        let mut changed = retarget(items);
        changed |= invert(items);
        changed |= remove(items);
        if !changed {
            return;
        }
    }
}

/// For each label, where it is.
fn places(items: &[Item]) -> Vec<Option<usize>> {
    let mut places = Vec::new();
    for (index, item) in items.iter().enumerate() {
        if let Item::Label(label) = item {
            let number = label.0 as usize;
            if places.len() <= number {
                places.resize(number + 1, None);
            }
            places[number] = Some(index);
        }
    }
    places
}

/// The first instruction at or behind an index.
fn instruction(items: &[Item], from: usize) -> Option<usize> {
    (from..items.len()).find(|&index| !matches!(items[index], Item::Label(_)))
}

/// Jumps to jumps go where these go, jumps to RETURN return.
fn retarget(items: &mut [Item]) -> bool {
    let places = places(items);
    let target = |items: &[Item], label: Label| {
        let place = places.get(label.0 as usize).copied().flatten()?;
        instruction(items, place)
    };
    let mut changed = false;
    for index in 0..items.len() {
        let Item::Jump(jump, label) = items[index] else {
            continue;
        };
        let Some(there) = target(items, label) else {
            continue;
        };
        match items[there] {
            Item::Jump(Jump::Always, further) if further != label && there != index => {
                // Around a loop of jumps this would go on for ever; rounds are limited.
                items[index] = Item::Jump(jump, further);
                changed = true;
            }
            Item::Op(Opcode::Return) if jump == Jump::Always => {
                items[index] = Item::Op(Opcode::Return);
                changed = true;
            }
            _ => {}
        }
    }
    changed
}

/// A conditional jump over a jump is the opposite jump.
fn invert(items: &mut Vec<Item>) -> bool {
    let mut changed = false;
    let mut index = 0;
    while index + 2 < items.len() {
        if let (
            Item::Jump(jump @ (Jump::IfNil | Jump::IfTrue), over),
            Item::Jump(Jump::Always, to),
        ) = (&items[index], &items[index + 1])
        {
            let (jump, over, to) = (*jump, *over, *to);
            let follows = items[index + 2..]
                .iter()
                .take_while(|item| matches!(item, Item::Label(_)))
                .any(|item| matches!(item, Item::Label(label) if *label == over));
            if follows {
                let opposite = match jump {
                    Jump::IfNil => Jump::IfTrue,
                    _ => Jump::IfNil,
                };
                items[index] = Item::Jump(opposite, to);
                items.remove(index + 1);
                changed = true;
            }
        }
        index += 1;
    }
    changed
}

/// Removes jumps to what follows, labels without use, code that nothing reaches.
fn remove(items: &mut Vec<Item>) -> bool {
    let places = places(items);
    let mut used = vec![false; places.len()];
    for item in items.iter() {
        if let Item::Jump(_, label) | Item::Resume(label) = item {
            used[label.0 as usize] = true;
        }
    }
    let follows: Vec<bool> = items
        .iter()
        .enumerate()
        .map(|(index, item)| {
            let Item::Jump(_, label) = item else {
                return false;
            };
            let place = places.get(label.0 as usize).copied().flatten();
            place.is_some_and(|place| {
                place > index && instruction(items, index + 1).is_none_or(|next| next > place)
            })
        })
        .collect();
    let returns: Vec<bool> = (0..items.len())
        .map(|index| {
            let next = instruction(items, index + 1);
            // The same follows behind labels.
            matches!(items[index], Item::Op(Opcode::Return))
                && next.is_some_and(|next| matches!(items[next], Item::Op(Opcode::Return)))
        })
        .collect();
    let before = items.len();
    let mut reachable = true;
    let mut kept = Vec::with_capacity(before);
    let old = std::mem::take(items).into_iter();
    for ((item, follows), returns) in old.zip(follows).zip(returns) {
        match item {
            Item::Label(label) => {
                if used[label.0 as usize] {
                    reachable = true;
                    kept.push(item);
                }
            }
            _ if !reachable => {}
            Item::Jump(Jump::Always, _) if follows => {}
            Item::Op(Opcode::Return) if returns => {}
            Item::Jump(Jump::IfNil | Jump::IfTrue, _) if follows => {
                kept.push(Item::Op(Opcode::Pop));
            }
            item => {
                reachable = !matches!(item, Item::Jump(Jump::Always, _) | Item::Op(Opcode::Return));
                kept.push(item);
            }
        }
    }
    *items = kept;
    items.len() != before
}
