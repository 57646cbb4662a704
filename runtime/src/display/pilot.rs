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
