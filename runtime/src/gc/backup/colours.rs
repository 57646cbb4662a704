//! Colours of objects, beside the image: two bits for each cell of every segment that has
//! objects.

use geiko_region::Colour;

use crate::accounts::Account;
use crate::memory::LispPtr;

/// Cells of a segment.
const CELLS: usize = 0x8000;
/// Cells whose colours share a byte.
const PER_BYTE: usize = 4;

/// The colours of the cells of a segment.
#[derive(Clone, Debug)]
struct Segment {
    /// The cycle that they are of.
    cycle: u32,
    cells: Box<[u8; CELLS / PER_BYTE]>,
}

/// A colour for every cell. What was not painted since [`Colours::forget`] is white.
#[derive(Clone, Debug, Default)]
pub(super) struct Colours {
    segments: Vec<Option<Segment>>,
    cycle: u32,
    white: Colour,
}

/// The segment of an object, the byte in it, and the position in that.
#[inline(always)]
fn place(object: LispPtr) -> (usize, usize, u32) {
    let cell = (object.0 & 0xFFFF) as usize >> 1;
    let shift = 2 * (cell % PER_BYTE) as u32;
    ((object.0 >> 16) as usize, cell / PER_BYTE, shift)
}

impl Colours {
    /// Makes everything `white`.
    pub fn forget(&mut self, white: Colour) {
        self.cycle = self.cycle.wrapping_add(1);
        self.white = white;
    }

    /// The colour of the object at `object`.
    #[inline]
    pub fn get(&self, object: LispPtr) -> Colour {
        let (segment, byte, shift) = place(object);
        match self.segments.get(segment) {
            Some(Some(segment)) if segment.cycle == self.cycle => {
                Colour::from_bits(u32::from(segment.cells[byte]) >> shift)
            }
            _ => self.white,
        }
    }

    /// Paints the object at `object`.
    #[inline]
    pub fn set(&mut self, object: LispPtr, colour: Colour) {
        let (number, byte, shift) = place(object);
        let cells = match self.segments.get_mut(number) {
            Some(Some(segment)) if segment.cycle == self.cycle => &mut segment.cells,
            _ => self.fresh(number),
        };
        let others = cells[byte] & !(3 << shift);
        cells[byte] = others | (colour as u8) << shift;
    }

    #[cold]
    fn fresh(&mut self, number: usize) -> &mut [u8; CELLS / PER_BYTE] {
        let _account = Account::Collectors.open();
        if self.segments.len() <= number {
            self.segments.resize(number + 1, None);
        }
        let segment = self.segments[number].get_or_insert_with(|| Segment {
            cycle: 0,
            cells: Box::new([0; CELLS / PER_BYTE]),
        });
        segment.cycle = self.cycle;
        segment.cells.fill(0x55 * self.white as u8);
        &mut segment.cells
    }

    /// Every object that is grey.
    pub fn grey(&self) -> impl Iterator<Item = LispPtr> {
        const GREY: u32 = Colour::Grey as u32;
        let current = self
            .segments
            .iter()
            .enumerate()
            .filter_map(|(number, segment)| {
                let segment = segment.as_ref()?;
                (segment.cycle == self.cycle).then_some((number, segment))
            });
        current.flat_map(|(number, segment)| {
            let bytes = segment.cells.iter().enumerate();
            bytes
                .filter(|&(_, &cells)| cells & 0xAA != 0)
                .flat_map(move |(byte, &cells)| {
                    (0..PER_BYTE as u32)
                        .filter(move |cell| u32::from(cells) >> (2 * cell) & 3 == GREY)
                        .map(move |cell| {
                            let cell = byte as u32 * PER_BYTE as u32 + cell;
                            LispPtr((number as u32) << 16 | cell << 1)
                        })
                })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cell_has_its_colour() {
        let mut colours = Colours::default();
        colours.forget(Colour::Odd);
        let objects = [0x10_0000, 0x10_0002, 0x10_FFFE, 0xFF_FFFE, 2].map(LispPtr);
        for (object, colour) in objects.into_iter().zip([
            Colour::Grey,
            Colour::Even,
            Colour::Grey,
            Colour::Pinned,
            Colour::Odd,
        ]) {
            assert_eq!(colours.get(object), Colour::Odd);
            colours.set(object, colour);
            assert_eq!(colours.get(object), colour);
        }
        assert_eq!(colours.get(LispPtr(0x10_0004)), Colour::Odd);
        assert_eq!(colours.grey().collect::<Vec<_>>(), [objects[0], objects[2]]);
        colours.forget(Colour::Even);
        assert_eq!(colours.get(objects[0]), Colour::Even);
        assert_eq!(colours.grey().count(), 0);
    }
}
