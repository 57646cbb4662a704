//! Transfers described by a record in Lisp memory, the PILOTBBT
//! (`reference/devices.md` section 2.1), and the instruction that performs one.

use super::bitblt::{BitAddress, Lines, Operation, Texture, Transfer};
use crate::layout::Generation;
use crate::layout::records::pilot_bbt::{self, flag};
use crate::machine::Machine;
use crate::memory::{LispPtr, Mem};

/// A transfer table in Lisp memory.
pub(super) struct PilotBbt<'m, G> {
    mem: Mem<'m, G>,
    record: LispPtr,
}

impl<'m, G: Generation> PilotBbt<'m, G> {
    pub(super) fn new(mem: Mem<'m, G>, record: LispPtr) -> Self {
        Self { mem, record }
    }

    fn word(&self, offset: u32) -> u16 {
        self.mem.word(self.record.add(offset))
    }

    /// An address: unlike a cell, the low word first.
    fn address(&self, offset: u32) -> LispPtr {
        LispPtr(u32::from(self.word(offset + 1)) << 16 | u32::from(self.word(offset)))
    }

    fn stride(&self, offset: u32) -> i32 {
        i32::from(self.word(offset) as i16)
    }

    pub(super) fn width(&self) -> u16 {
        self.word(pilot_bbt::WIDTH)
    }

    pub(super) fn height(&self) -> u16 {
        self.word(pilot_bbt::HEIGHT)
    }

    fn flag(&self, flag: u16) -> bool {
        self.word(pilot_bbt::FLAGS) & flag != 0
    }

    /// The transfer of `width` pixels to bit `bit` of the destination.
    fn transfer(&self, bit: i32, width: u16, stride: i32) -> Transfer {
        Transfer {
            destination: Lines {
                first: BitAddress::new(self.address(pilot_bbt::DESTINATION), bit),
                stride,
            },
            width: width.into(),
            height: self.height().into(),
            operation: Operation::from_code(self.word(pilot_bbt::FLAGS) >> flag::OPERATION_SHIFT),
            complement: self.flag(flag::COMPLEMENT),
        }
    }

    /// The texture of a table that asks for one. The source address is that of
    /// the row for the first line.
    fn texture(&self) -> Texture {
        let shape = self.word(pilot_bbt::TEXTURE);
        let count = (shape & 0xF) + 1;
        // A row that the pattern does not have is followed by row 0, so it
        // stands for the last one.
        let first = (shape >> 8 & 0xF).min(count - 1);
        let rows = self.address(pilot_bbt::SOURCE);
        let rows = LispPtr(rows.0.wrapping_sub(first.into()));
        let bit = u32::from(self.word(pilot_bbt::SOURCE_BIT)) % 16;
        Texture::at(rows, count, first).shifted(bit)
    }

    /// Performs the transfer as the table says.
    fn perform(&self) {
        let bit = i32::from(self.word(pilot_bbt::DESTINATION_BIT));
        let stride = self.stride(pilot_bbt::DESTINATION_STRIDE);
        let transfer = self.transfer(bit, self.width(), stride);
        if self.flag(flag::TEXTURE) {
            transfer.fill(self.mem, self.texture());
        } else {
            let bit = i32::from(self.word(pilot_bbt::SOURCE_BIT));
            let source = Lines {
                first: BitAddress::new(self.address(pilot_bbt::SOURCE), bit),
                stride: self.stride(pilot_bbt::SOURCE_STRIDE),
            };
            transfer.copy(self.mem, source, self.flag(flag::BACKWARD));
        }
    }

    /// Draws a character: `width` pixels from bit `source_bit` of the source to
    /// bit `bit` of the destination, always downward and never a texture.
    pub(super) fn draw(&self, source_bit: i32, bit: i32, width: u16) {
        let source = Lines {
            first: BitAddress::new(self.address(pilot_bbt::SOURCE), source_bit),
            stride: self.stride(pilot_bbt::SOURCE_STRIDE).abs(),
        };
        let stride = self.stride(pilot_bbt::DESTINATION_STRIDE).abs();
        self.transfer(bit, width, stride)
            .copy(self.mem, source, false);
    }
}

impl<G: Generation> Machine<'_, G> {
    /// Instruction PILOTBITBLT: performs the transfer of the table `bbt`.
    pub fn pilot_bitblt(&mut self, bbt: LispPtr) {
        PilotBbt::new(self.mem, bbt).perform();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::display::pictures;
    use crate::layout::{Medley2, Medley3};
    use crate::testing::with_machine;

    const TABLE: LispPtr = LispPtr(0x13_0000);
    const FROM: LispPtr = LispPtr(0x13_1000);
    const TO: LispPtr = LispPtr(0x12_FFF0);

    /// Fills the table: pixels of `from` at bit 1 to `to` at bit 2.
    fn table<G: Generation>(
        mem: Mem<'_, G>,
        from: LispPtr,
        to: LispPtr,
        (width, height): (u16, u16),
        flags: u16,
    ) {
        let words = [
            (pilot_bbt::DESTINATION, to.lo()),
            (pilot_bbt::DESTINATION + 1, to.hi()),
            (pilot_bbt::DESTINATION_BIT, 2),
            (pilot_bbt::DESTINATION_STRIDE, 32),
            (pilot_bbt::SOURCE, from.lo()),
            (pilot_bbt::SOURCE + 1, from.hi()),
            (pilot_bbt::SOURCE_BIT, 1),
            (pilot_bbt::SOURCE_STRIDE, 16),
            (pilot_bbt::WIDTH, width),
            (pilot_bbt::HEIGHT, height),
            (pilot_bbt::FLAGS, flags),
        ];
        for (offset, value) in words {
            mem.set_word(TABLE.add(offset), value);
        }
    }

    fn copies_of<G: Generation>() {
        with_machine::<G>(|mut m| {
            let mem = m.mem;
            let from = pictures::make_from(mem, FROM, &["XXX.", "X.X.", "X.XX"]);
            let from = pictures::base(mem, from);
            // The destination crosses a segment boundary.
            let bitmap = pictures::make(mem, TO, 20, 4);
            let to = pictures::base(mem, bitmap);
            table(mem, from, to, (3, 3), 0);
            m.pilot_bitblt(TABLE);
            let all = [
                "..XX................",
                "...X................",
                "...XX...............",
                "....................",
            ];
            assert_eq!(pictures::text(mem, bitmap), all);
            // Exclusive or with the complement.
            table(mem, from, to, (3, 1), flag::COMPLEMENT | 3 << 9);
            m.pilot_bitblt(TABLE);
            assert_eq!(pictures::text(mem, bitmap)[0], "..XXX...............");
            for size in [(0, 3), (3, 0), (0, 0)] {
                table(mem, from, to, size, flag::COMPLEMENT);
                m.pilot_bitblt(TABLE);
            }
            assert_eq!(pictures::text(mem, bitmap)[1..], all[1..]);
        });
    }

    #[test]
    fn copies() {
        copies_of::<Medley2>();
        copies_of::<Medley3>();
    }

    #[test]
    fn backward_copies_start_at_the_last_line() {
        with_machine::<Medley2>(|mut m| {
            let mem = m.mem;
            let lines = [
                "X...........",
                ".X..........",
                "..X.........",
                "............",
            ];
            let bitmap = pictures::make_from(mem, TO, &lines);
            let base = pictures::base(mem, bitmap);
            table(mem, base.add(2), base.add(3), (8, 3), flag::BACKWARD);
            for stride in [pilot_bbt::DESTINATION_STRIDE, pilot_bbt::SOURCE_STRIDE] {
                mem.set_word(TABLE.add(stride), 0u16.wrapping_sub(16));
            }
            m.pilot_bitblt(TABLE);
            assert_eq!(
                pictures::text(mem, bitmap),
                [
                    "X...........",
                    ".X..........",
                    "..X.........",
                    "...X........"
                ]
            );
        });
    }

    #[test]
    fn textures_start_with_the_row_of_the_source_address() {
        with_machine::<Medley3>(|mut m| {
            let mem = m.mem;
            for (n, row) in (0..).zip([0x8080_u16, 0x4040, 0xFFFF, 0x0101]) {
                mem.set_word(FROM.add(n), row);
            }
            let bitmap = pictures::make(mem, TO, 20, 6);
            let to = pictures::base(mem, bitmap);
            table(mem, FROM.add(1), to, (9, 6), flag::TEXTURE);
            // Row 1 of 3 first.
            mem.set_word(TABLE.add(pilot_bbt::TEXTURE), 0xF1F2);
            m.pilot_bitblt(TABLE);
            // Pixel 1 of the rows falls on pixel 2 of the destination.
            let expected = [
                "..X.......X.........",
                "..XXXXXXXXX.........",
                ".........X..........",
                "..X.......X.........",
            ];
            assert_eq!(pictures::text(mem, bitmap)[..4], expected);
            // A first row that the texture does not have: row 0 comes next.
            table(mem, FROM.add(2), to, (9, 2), flag::TEXTURE);
            mem.set_word(TABLE.add(pilot_bbt::TEXTURE), 0x0902);
            m.pilot_bitblt(TABLE);
            let drawn = pictures::text(mem, bitmap);
            assert_eq!(drawn[..2], [expected[1], expected[2]]);
        });
    }

    #[test]
    fn a_table_of_ones_is_survived() {
        with_machine::<Medley2>(|mut m| {
            // Few lines, but everything else at its extreme.
            for n in 0..16 {
                m.mem.set_word(TABLE.add(n), 0xFFFF);
            }
            m.mem.set_word(TABLE.add(pilot_bbt::HEIGHT), 3);
            m.pilot_bitblt(TABLE);
            m.mem.set_word(TABLE.add(pilot_bbt::FLAGS), 0x8000);
            m.pilot_bitblt(TABLE);
            m.pilot_bitblt(LispPtr(!0));
        });
    }
}
