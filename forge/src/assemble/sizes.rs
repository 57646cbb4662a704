//! How large every jump is, and so where everything lies.

use super::bytes::{LONGEST_SHORT, SHORTEST, size};
use super::{Assembly, Frame, Item, Jump, Label};
use crate::Error;

/// Offsets in a function have 16 bits.
const MAX_BYTES: u32 = 0xFFFF;
/// Cells that UNWIND can count.
const MAX_UNWIND: u32 = 0xFF;

/// Where the items of a function lie.
pub(super) struct Layout {
    /// Byte offset of every item, and of the end.
    offsets: Vec<u32>,
    /// The item of every label.
    labels: Vec<usize>,
}

impl Layout {
    pub fn length(&self) -> u32 {
        self.offsets.last().copied().unwrap_or(0)
    }

    /// Bytes of an item.
    pub fn size(&self, item: usize) -> u32 {
        self.offsets[item + 1] - self.offsets[item]
    }

    /// From an item to a label.
    pub fn displacement(&self, item: usize, label: Label) -> i32 {
        self.place_of(label) as i32 - self.offsets[item] as i32
    }

    /// Offset of a label from the first instruction.
    pub fn place_of(&self, label: Label) -> u32 {
        self.offsets[self.labels[label.0 as usize]]
    }
}

/// The smallest form, in bytes, that reaches so far; `None` if there is none.
fn size_for(jump: Jump, displacement: i32) -> Option<u32> {
    let forms = jump.forms();
    if forms.short.is_some() && (SHORTEST..=LONGEST_SHORT).contains(&displacement) {
        Some(1)
    } else if i8::try_from(displacement).is_ok() {
        Some(2)
    } else {
        let before = forms.far.before.len() as i32;
        i16::try_from(displacement - before).ok()?;
        Some(forms.far.size())
    }
}

/// Decides the sizes of all jumps.
pub(super) fn lay_out(
    assembly: &Assembly,
    frame: &Frame,
    atom_bytes: u32,
) -> Result<Layout, Error> {
    let items = &assembly.items;
    let count = items
        .iter()
        .filter_map(|item| match item {
            Item::Label(label) => Some(label.0 as usize + 1),
            _ => None,
        })
        .max();
    let mut labels = vec![items.len(); count.unwrap_or(0)];
    let mut jumps = Vec::new();
    let mut sizes = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        match item {
            Item::Label(label) => labels[label.0 as usize] = index,
            Item::Jump(jump, label) => jumps.push((index, *jump, *label)),
            Item::Unwind { depth, .. } if frame.cells() + u32::from(*depth) > MAX_UNWIND => {
                let message = format!(
                    "the function {} has too many variables and operands around a CATCH or a \
                     RETURN-FROM",
                    assembly.name
                );
                return Err(Error::new(&assembly.place, message));
            }
            _ => {}
        }
        sizes.push(match item {
            Item::Jump(jump, _) if jump.forms().short.is_some() => 1,
            Item::Jump(..) => 2,
            item => size(item, frame, atom_bytes),
        });
    }
    let mut layout = Layout {
        offsets: vec![0; items.len() + 1],
        labels,
    };
    loop {
        let mut offset = 0;
        for (place, size) in layout.offsets.iter_mut().zip(&sizes) {
            *place = offset;
            offset += size;
        }
        layout.offsets[items.len()] = offset;
        if offset > MAX_BYTES {
            return Err(Error::new(
                &assembly.place,
                format!(
                    "the function {} has {offset} bytes of code; at most {MAX_BYTES} are possible",
                    assembly.name
                ),
            ));
        }
        let mut grown = false;
        for &(index, jump, label) in &jumps {
            let displacement = layout.displacement(index, label);
            let needed = size_for(jump, displacement).ok_or_else(|| {
                Error::new(
                    &assembly.place,
                    format!(
                        "a jump in the function {} is {} bytes long; at most 32767 are possible",
                        assembly.name,
                        displacement.abs()
                    ),
                )
            })?;
            if needed > sizes[index] {
                sizes[index] = needed;
                grown = true;
            }
        }
        if !grown {
            return Ok(layout);
        }
    }
}
