//! Characters: one picture for each character set holds its characters side by
//! side; printing one copies its columns to the destination.
//!
//! What the copy needs is prepared by Lisp in the display data of a stream: the
//! transfer table (which lines, from where, to where) and, for the codes of one
//! character set, the widths and the columns. Whatever needs more than a copy
//! goes to Lisp: another character set, the right margin, a window that is not on
//! top. Sources: `reference/devices.md` section 2.6; Maiko src/bbtsub.c.

use super::pilot::PilotBbt;
use crate::layout::Generation;
use crate::layout::records::display_data as data;
use crate::machine::Machine;
use crate::memory::{LispPtr, Mem};
use crate::subr::{Args, Outcome};

/// The display data of a stream.
struct DisplayData<'m, G> {
    mem: Mem<'m, G>,
    record: LispPtr,
}

impl<'m, G: Generation> DisplayData<'m, G> {
    fn new(mem: Mem<'m, G>, record: LispPtr) -> Self {
        Self { mem, record }
    }

    fn cell(&self, offset: u32) -> LispPtr {
        self.mem.cell(self.record.add(offset))
    }

    fn word(&self, offset: u32) -> i32 {
        self.mem.word(self.record.add(offset)).into()
    }

    /// A position; None if it is no small integer.
    fn small(&self, offset: u32) -> Option<i32> {
        self.cell(offset).small_value::<G>()
    }

    /// What the array of words in the cell at `offset` has for `code`.
    fn of_code(&self, offset: u32, code: u8) -> i32 {
        self.mem.word(self.cell(offset).add(code.into())).into()
    }

    fn character_set(&self) -> u16 {
        self.cell(data::CHARACTER_SET).lo()
    }

    fn table(&self) -> PilotBbt<'m, G> {
        PilotBbt::new(self.mem, self.cell(data::PILOT_BBT))
    }
}

/// The character set and the code in it of the character `object`.
fn character_code(object: LispPtr) -> (u16, u8) {
    (object.lo() >> 8, object.lo() as u8)
}

/// `to` less `from` as a width; None if nothing is left.
fn width(from: i32, to: i32) -> Option<u16> {
    u16::try_from(to.wrapping_sub(from)).ok().filter(|&w| w > 0)
}

impl<G: Generation> Machine<'_, G> {
    /// Service BLTCHAR: draws the columns `left` to `right` of the destination
    /// of a character that starts at column `x`.
    pub(crate) fn blt_char(&mut self, args: &Args) {
        let number = |n| self.integer(args.get(n)).unwrap_or(0);
        let table = PilotBbt::new(self.mem, args.get(0));
        let data = DisplayData::new(self.mem, args.get(1));
        let code = number(2) as u16;
        let (x, left, right) = (number(3), number(4), number(5));
        let Some(width) = width(left, right) else {
            return;
        };
        let offsets = data.cell(data::OFFSETS);
        let column = i32::from(self.mem.word(offsets.add(code.into())));
        table.draw(column.wrapping_add(left.wrapping_sub(x)), left, width);
    }

    /// Service NEW-BLTCHAR: draws a character at the position of a display
    /// stream and moves the position. False if it takes Lisp to do so; then
    /// nothing has happened.
    fn print_character(&mut self, character: LispPtr, stream: LispPtr, record: LispPtr) -> bool {
        let (set, code) = character_code(character);
        let data = DisplayData::new(self.mem, record);
        if data.character_set() != set
            || !data.cell(data::SLOW_PRINTING).is_nil()
            || stream != self.mem.cell(self.symbols.top_display_stream)
        {
            return false;
        }
        let (Some(x), Some(right_margin), Some(left_margin), Some(offset)) = (
            data.small(data::X_POSITION),
            data.small(data::RIGHT_MARGIN),
            data.small(data::LEFT_MARGIN),
            data.small(data::X_OFFSET),
        ) else {
            return false;
        };
        let right = x + data.of_code(data::IMAGE_WIDTHS, code);
        if right > right_margin && x > left_margin {
            return false;
        }
        let Some(position) = LispPtr::small(x + data.of_code(data::WIDTHS, code)) else {
            return false;
        };
        self.mem.set_cell(record.add(data::X_POSITION), position);

        let x = x + offset;
        let right = (right + offset).min(data.word(data::CLIPPING_RIGHT));
        let left = x.max(data.word(data::CLIPPING_LEFT));
        if let Some(width) = width(left, right) {
            let column = data.of_code(data::OFFSETS, code) + left - x;
            data.table().draw(column, left, width);
        }
        true
    }

    /// Service NEW-BLTCHAR.
    pub(crate) fn new_blt_char(&mut self, args: &Args) -> Outcome {
        if self.print_character(args.get(0), args.get(1), args.get(2)) {
            Outcome::Value(args.get(2))
        } else {
            Outcome::Punt(self.symbols.punt_bltchar)
        }
    }

    /// Service TEDIT.BLTCHAR: draws a character at column `x` for the editor,
    /// which keeps the position itself.
    pub(crate) fn tedit_blt_char(&mut self, args: &Args) -> Outcome {
        let (set, code) = character_code(args.get(0));
        let data = DisplayData::new(self.mem, args.get(3));
        if data.character_set() != set {
            return Outcome::Punt(self.symbols.tedit_bltchar);
        }
        let x = i32::from(args.get(2).lo());
        let clip_right = i32::from(args.get(5).lo());
        let right = (x + data.of_code(data::IMAGE_WIDTHS, code)).min(clip_right);
        if let Some(width) = width(x, right) {
            data.table()
                .draw(data.of_code(data::OFFSETS, code), x, width);
        }
        Outcome::Value(args.get(5))
    }
}
