//! Characters: one picture for each character set holds its characters side by
//! side; printing one copies its columns to the destination.
//!
//! What the copy needs is prepared by Lisp in the display data of a stream: the
//! transfer table (which lines, from where, to where) and, for the codes of one
//! character set, the widths and the columns. Whatever needs more than a copy
//! goes to Lisp: another character set, the right margin, a window that is not on
//! top. Sources: `reference/devices.md` section 2.6; Maiko src/bbtsub.c.

use super::pilot::PilotBbt;
use crate::image::find_symbol;
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
            return self.punt_tedit_blt_char(args);
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

    /// Leaves a character to the editor. Its symbol is not part of Medley 2 images
    /// and appears when the editor is loaded, so it is looked for until found.
    #[cold]
    fn punt_tedit_blt_char(&mut self, args: &Args) -> Outcome {
        let function = &mut self.symbols.tedit_bltchar;
        if function.is_nil() {
            *function = find_symbol(self.mem, "\\TEDIT.BLTCHAR").unwrap_or_default();
        }
        if function.is_nil() {
            return Outcome::Value(args.get(5));
        }
        Outcome::Punt(*function)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::display::pictures;
    use crate::layout::records::pilot_bbt;
    use crate::layout::{Medley2, Medley3};
    use crate::testing::with_machine;

    const DESTINATION: LispPtr = LispPtr(0x12_0000);
    const GLYPHS: LispPtr = LispPtr(0x13_1000);
    const TABLE: LispPtr = LispPtr(0x13_2000);
    const DATA: LispPtr = LispPtr(0x13_3000);
    const WIDTHS: LispPtr = LispPtr(0x13_4000);
    const OFFSETS: LispPtr = LispPtr(0x13_5000);
    const IMAGE_WIDTHS: LispPtr = LispPtr(0x13_6000);
    const STREAM: LispPtr = LispPtr(0x13_7000);

    fn int(n: i32) -> LispPtr {
        LispPtr::small(n).unwrap()
    }

    /// Character `code` of the character set of the tests.
    fn character(code: u16) -> LispPtr {
        LispPtr::smallpos(2 << 8 | code)
    }

    /// A stream at `x` of a destination of 30 by 3 pixels, whose font has
    /// character 65, 4 pixels wide, and 66, 3 pixels wide, and moves 1 pixel
    /// further for each.
    fn stream<G: Generation>(m: &Machine<'_, G>, x: i32) -> LispPtr {
        let mem = m.mem;
        let glyphs = ["..X..XX.", ".X.X.X.X", ".XXX.XX."];
        let glyphs = pictures::make_from(mem, GLYPHS, &glyphs);
        let destination = pictures::make(mem, DESTINATION, 30, 3);
        for (code, offset, image_width) in [(65, 1, 4), (66, 5, 3)] {
            mem.set_word(OFFSETS.add(code), offset);
            mem.set_word(IMAGE_WIDTHS.add(code), image_width);
            mem.set_word(WIDTHS.add(code), image_width + 1);
        }
        let (from, to) = (
            pictures::base(mem, glyphs),
            pictures::base(mem, destination),
        );
        for (offset, value) in [
            (pilot_bbt::DESTINATION, to.lo()),
            (pilot_bbt::DESTINATION + 1, to.hi()),
            (pilot_bbt::DESTINATION_STRIDE, 32),
            (pilot_bbt::SOURCE, from.lo()),
            (pilot_bbt::SOURCE + 1, from.hi()),
            // Upward or not does not matter to characters.
            (pilot_bbt::SOURCE_STRIDE, 0xFFF0),
            (pilot_bbt::HEIGHT, 3),
            (pilot_bbt::FLAGS, 2 << 9),
        ] {
            mem.set_word(TABLE.add(offset), value);
        }
        for (offset, value) in [
            (data::X_POSITION, int(x)),
            (data::X_OFFSET, int(0)),
            (data::SLOW_PRINTING, LispPtr::NIL),
            (data::WIDTHS, WIDTHS),
            (data::OFFSETS, OFFSETS),
            (data::IMAGE_WIDTHS, IMAGE_WIDTHS),
            (data::LEFT_MARGIN, int(0)),
            (data::RIGHT_MARGIN, int(100)),
            (data::PILOT_BBT, TABLE),
            (data::CHARACTER_SET, LispPtr::smallpos(2)),
        ] {
            mem.set_cell(DATA.add(offset), value);
        }
        mem.set_word(DATA.add(data::CLIPPING_LEFT), 0);
        mem.set_word(DATA.add(data::CLIPPING_RIGHT), 30);
        mem.set_cell(m.symbols.top_display_stream, STREAM);
        destination
    }

    fn print<G: Generation>(m: &mut Machine<'_, G>, code: u16) -> Outcome {
        m.new_blt_char(&Args::new([character(code), STREAM, DATA]))
    }

    fn position<G: Generation>(m: &Machine<'_, G>) -> LispPtr {
        m.mem.cell(DATA.add(data::X_POSITION))
    }

    fn printed<G: Generation>() {
        with_machine::<G>(|mut m| {
            let destination = stream(&m, 14);
            for code in [65, 66, 65] {
                assert_eq!(print(&mut m, code), Outcome::Value(DATA));
            }
            assert_eq!(position(&m), int(28));
            assert_eq!(
                pictures::text(m.mem, destination),
                [
                    "...............X...XX...X.....",
                    "..............X.X..X.X.X.X....",
                    "..............XXX..XX..XXX....",
                ]
            );
        });
    }

    #[test]
    fn characters_are_printed() {
        printed::<Medley2>();
        printed::<Medley3>();
    }

    #[test]
    fn characters_are_clipped() {
        with_machine::<Medley2>(|mut m| {
            let destination = stream(&m, -8);
            m.mem.set_cell(DATA.add(data::X_OFFSET), int(10));
            m.mem.set_word(DATA.add(data::CLIPPING_LEFT), 3);
            m.mem.set_word(DATA.add(data::CLIPPING_RIGHT), 8);
            for _ in 0..3 {
                print(&mut m, 65);
            }
            assert_eq!(position(&m), int(7));
            let lines = pictures::text(m.mem, destination);
            assert_eq!(lines[0], "...X..........................");
            assert_eq!(lines[1], "....X..X......................");
            assert_eq!(lines[2], "...XX..X......................");
        });
    }

    #[test]
    fn what_lisp_must_print() {
        type Change<'a> = &'a dyn Fn(&Machine<'_, Medley3>);
        let set =
            |offset, value| move |m: &Machine<'_, Medley3>| m.mem.set_cell(DATA.add(offset), value);
        let changes: [Change<'_>; 9] = [
            &set(data::CHARACTER_SET, int(1)),
            &set(data::SLOW_PRINTING, LispPtr::T),
            &set(data::X_POSITION, LispPtr(0x13_9000)),
            &set(data::X_OFFSET, LispPtr::NIL),
            &set(data::LEFT_MARGIN, LispPtr::NIL),
            &set(data::RIGHT_MARGIN, LispPtr::NIL),
            &set(data::RIGHT_MARGIN, int(17)),
            &|m| m.mem.set_cell(m.symbols.top_display_stream, DATA),
            &|m| {
                m.mem.set_word(WIDTHS.add(65), 0xFFFF);
            },
        ];
        with_machine::<Medley3>(|mut m| {
            for (n, change) in changes.iter().enumerate() {
                stream(&m, 14);
                change(&m);
                let before = position(&m);
                let outcome = print(&mut m, 65);
                assert_eq!(outcome, Outcome::Punt(m.symbols.punt_bltchar), "{n}");
                assert_eq!(position(&m), before);
                let words = m.mem.word(DESTINATION.add(8)) | m.mem.word(DESTINATION.add(9));
                assert_eq!(words, 0);
            }
            // The first character of a line may cross the margin.
            stream(&m, 14);
            set(data::RIGHT_MARGIN, int(17))(&m);
            set(data::LEFT_MARGIN, int(14))(&m);
            assert_eq!(print(&mut m, 65), Outcome::Value(DATA));
        });
    }

    #[test]
    fn single_characters() {
        with_machine::<Medley2>(|mut m| {
            let destination = stream(&m, 0);
            let mut draw = |x, left, right| {
                let args = [TABLE, DATA, int(66), int(x), int(left), int(right)];
                m.blt_char(&Args::new(args));
            };
            draw(2, 2, 5);
            draw(-2, 0, 1);
            draw(10, 11, 12);
            draw(20, 21, 21);
            draw(20, 22, 21);
            let lines = pictures::text(m.mem, destination);
            assert_eq!(lines[0], "..XX.......X..................");
            assert_eq!(lines[1], "X.X.X.........................");
        });
    }

    fn edited<G: Generation>() {
        with_machine::<G>(|mut m| {
            let destination = stream(&m, 0);
            let mut draw = |code, x, clip_right| {
                m.tedit_blt_char(&Args::new([
                    code,
                    STREAM,
                    int(x),
                    DATA,
                    TABLE,
                    int(clip_right),
                ]))
            };
            assert_eq!(draw(character(65), 3, 100), Outcome::Value(int(100)));
            draw(character(66), 10, 12);
            draw(character(66), 20, 20);
            let other = draw(LispPtr::smallpos(65), 20, 30);
            assert_eq!(other, Outcome::Punt(m.symbols.tedit_bltchar));
            let lines = pictures::text(m.mem, destination);
            assert_eq!(lines[0], "....X.....XX..................");
            assert_eq!(position(&m), int(0));
        });
    }

    #[test]
    fn characters_are_drawn_for_the_editor() {
        edited::<Medley2>();
        edited::<Medley3>();
    }
}
