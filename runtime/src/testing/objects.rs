//! The objects of the small Lisp.

use super::string;
use super::world::{BUCKETS, RECORD, Sort, World};
use crate::isa::sub_opcodes::ElementType;
use crate::layout::records::{array_block, element, interface, types};
use crate::layout::{Generation, STACK};
use crate::machine::Machine;
use crate::memory::LispPtr;

/// The first of the symbols whose values hold the objects.
pub(super) const GLOBALS: LispPtr = LispPtr(1000);

impl World {
    /// Makes some objects of every sort.
    pub(super) fn make_objects<G: Generation>(&mut self, m: &mut Machine<'_, G>) {
        self.make_symbols(m);
        self.make_numbers(m);
        self.make_storage(m);
        self.make_lists(m);
        self.make_arrays(m);
        self.make_bitmaps(m);
        self.make_drawing_tables(m);
        self.make_records(m);
        self.note_tables(m);
    }

    fn make_symbols<G: Generation>(&mut self, m: &Machine<'_, G>) {
        let known = &m.symbols;
        for symbol in [
            LispPtr::NIL,
            LispPtr::T,
            GLOBALS,
            GLOBALS.add(3),
            known.texture,
            known.input,
            known.invert,
            known.erase,
            known.paint,
            known.replace,
        ] {
            self.note(Sort::Symbol, symbol);
        }
    }

    fn make_numbers<G: Generation>(&mut self, m: &mut Machine<'_, G>) {
        for n in [0, 1, 2, 5, 16, 31, 255, 0x7FFF, 0xFFFF, -1, -16, -0x1_0000] {
            self.note(Sort::Small, LispPtr::small(n).unwrap_or_default());
        }
        for n in [0x1_0000, -0x1_0001, i32::MAX, i32::MIN, 0xFFF_FFFF] {
            let number = m.number(n);
            self.hold(m, Sort::Number, number);
        }
        for x in [0.0, 1.5, -3.25e20, f32::MAX, f32::MIN_POSITIVE] {
            let number = m.float(x);
            self.hold(m, Sort::Number, number);
        }
    }

    fn make_storage<G: Generation>(&mut self, m: &mut Machine<'_, G>) {
        for cells in [4, 40, 300] {
            let storage = self.hold_block(m, Sort::Storage, cells, 0);
            for word in 0..2 * cells as u32 {
                m.mem.set_word(storage.add(word), (word * 0x1357) as u16);
            }
        }
        for cells in [6, 70] {
            self.hold_block(m, Sort::Storage, cells, array_block::POINTERS);
        }
        self.free_block(m, 600);
        self.hold_block(m, Sort::Storage, 4, 0);
    }

    fn make_lists<G: Generation>(&mut self, m: &mut Machine<'_, G>) {
        let boxed = self.all(Sort::Number)[0];
        let mut pairs = LispPtr::NIL;
        let mut items = LispPtr::NIL;
        for n in 0..12u16 {
            let symbol = GLOBALS.add(u32::from(n % 4));
            let item = if n % 3 == 0 { boxed } else { symbol };
            let pair = m.cons(item, LispPtr::smallpos(n));
            pairs = m.cons(pair, pairs);
            items = m.cons(item, items);
        }
        self.hold(m, Sort::List, pairs);
        self.hold(m, Sort::List, items);
        let dotted = m.cons(LispPtr::T, boxed);
        self.hold(m, Sort::List, dotted);
        let circle = m.cons(boxed, LispPtr::NIL);
        self.hold(m, Sort::List, circle);
        m.rplacd(circle, circle);
        for region in [[3, 2, 10, 9], [-5, -5, 0x7FFF, 0x7FFF]] {
            let region = region.into_iter().rev().fold(LispPtr::NIL, |list, n| {
                m.cons(LispPtr::small(n).unwrap_or_default(), list)
            });
            self.hold(m, Sort::List, region);
        }
    }

    fn make_arrays<G: Generation>(&mut self, m: &mut Machine<'_, G>) {
        for text in ["", "FILE.TXT;1", "a rather long string of characters"] {
            let storage = self.block(m, 10, 0);
            let size = text.len() as u16 + 4;
            let string = string(m, storage, size, text.as_bytes());
            self.hold(m, Sort::String, string);
        }
        let fields = G::ARRAY_FIELDS;
        let flat = [(fields.fill_pointer, 12), (fields.total_size, 16)];
        let square = [(fields.bound0, 4), (fields.bound1, 4)];
        for kind in ElementType::ALL.iter().map(|&kind| kind as u16).chain([99]) {
            for (sort, type_number, sizes) in [
                (Sort::Array, types::ONED_ARRAY, flat),
                (Sort::Array, types::GENERAL_ARRAY, flat),
                (Sort::Matrix, types::TWOD_ARRAY, square),
            ] {
                let content = if kind == element::POINTER {
                    array_block::POINTERS
                } else {
                    0
                };
                let storage = self.block(m, 16, content);
                let array = m.create_cell(type_number).unwrap_or_default();
                m.mem.set_cell(array, storage);
                m.mem.set_word(array.add(2), kind);
                for (offset, size) in sizes {
                    if fields.wide {
                        m.mem.set_cell(array.add(offset), LispPtr(size));
                    } else {
                        m.mem.set_word(array.add(offset), size as u16);
                    }
                }
                self.hold(m, sort, array);
            }
        }
    }

    fn make_bitmaps<G: Generation>(&mut self, m: &mut Machine<'_, G>) {
        for (raster, width, height, bits) in [(3, 40, 20, 1), (1, 16, 16, 1), (8, 32, 4, 4)] {
            let storage = self.block(m, usize::from(raster * height) / 2, 0);
            let bitmap = m.create_cell(types::BITMAP).unwrap_or_default();
            m.mem.set_cell(bitmap, storage);
            for (word, value) in [(2, raster), (3, height), (4, width), (5, bits)] {
                m.mem.set_word(bitmap.add(word), value);
            }
            self.hold(m, Sort::Bitmap, bitmap);
        }
    }

    /// Bit-block transfer tables with different flags, and the data of a display
    /// stream, whose table of character widths serves for offsets as well.
    fn make_drawing_tables<G: Generation>(&mut self, m: &mut Machine<'_, G>) {
        const GRAY: u16 = 0x1000;
        let bitmaps = self.all(Sort::Bitmap);
        let base = |m: &Machine<'_, G>, n: usize| m.mem.cell(bitmaps[n]);
        for flags in [0, 0x8000, GRAY, 0x0E00] {
            let table = self.hold_block(m, Sort::Drawing, 8, 0);
            let (to, from) = (base(m, 0), base(m, usize::from(flags == 0)));
            let from_bit = if flags == GRAY { 0x0203 } else { 16 };
            for (n, word) in (0..).zip([
                to.lo(),
                to.hi(),
                3,
                48,
                from.lo(),
                from.hi(),
                1,
                from_bit,
                30,
                12,
                flags,
            ]) {
                m.mem.set_word(table.add(n), word);
            }
        }
        let table = self.all(Sort::Drawing)[0];
        let widths = self.hold_block(m, Sort::Storage, 128, 0);
        for code in 0..256 {
            m.mem.set_word(widths.add(code), 1 + code as u16 % 8);
        }
        let data = self.hold_block(m, Sort::Drawing, 40, 0);
        let number = LispPtr::smallpos;
        for (offset, value) in [
            (0, number(2)),
            (4, number(1)),
            (16, widths),
            (18, widths),
            (24, number(36)),
            (26, number(0)),
            (42, table),
            (48, widths),
            (62, number(0)),
        ] {
            m.mem.set_cell(data.add(offset), value);
        }
        m.mem.set_word(data.add(35), 38);
    }

    fn make_records<G: Generation>(&mut self, m: &mut Machine<'_, G>) {
        let stream = m.create_cell(types::STREAM).unwrap_or_default();
        let buffer = self.all(Sort::Storage)[2];
        m.mem.set_cell(stream.add(2), buffer);
        let binable = stream.add(G::STREAM_BINABLE);
        m.mem
            .set_cell(binable, LispPtr(m.mem.cell(binable).0 | 1 << 31));
        m.mem.set_word(stream, 3);
        m.mem.set_word(stream.add(1), 20);
        self.hold(m, Sort::Stream, stream);
        m.store_counted(m.symbols.top_display_stream, stream);

        let code = self.all(Sort::Code);
        let list = self.all(Sort::List)[1];
        for (code, environment) in [(code[0], LispPtr::NIL), (code[1], list)] {
            let closure = m.create_cell(types::COMPILED_CLOSURE).unwrap_or_default();
            m.store_counted(closure, code);
            m.store_counted(closure.add(2), environment);
            self.hold(m, Sort::Function, closure);
        }
        for number in [types::BIGNUM, types::RATIO, types::PATHNAME, RECORD] {
            let record = m.create_cell(number).unwrap_or_default();
            m.store_counted(record, list);
            self.hold(m, Sort::Record, record);
        }
        for number in [types::STACKP, types::VMEMPAGEP, types::CODE_HUNK_FIRST] {
            let record = m.create_cell(number).unwrap_or_default();
            self.hold(m, Sort::Record, record);
        }
        let symbol = m.create_cell(types::NEW_ATOM).unwrap_or_default();
        self.hold(m, Sort::Symbol, symbol);
        // The table of a package: an array of symbols, and one of bytes.
        let arrays = self.all(Sort::Array);
        let table = m.create_cell(RECORD).unwrap_or_default();
        m.store_counted(table, arrays[0]);
        m.store_counted(table.add(2), arrays[2]);
        self.hold(m, Sort::Record, table);
    }

    fn note_tables<G: Generation>(&mut self, m: &Machine<'_, G>) {
        let list = self.all(Sort::List)[0];
        let header = array_block::HEADER_WORDS.wrapping_neg();
        for table in [
            G::HT_MAIN,
            G::HT_COLLISION,
            G::HT_BIG,
            G::TYPE_TABLE.add(list.0 >> 9),
            G::dtd(u32::from(types::LISTP)),
            G::dtd(u32::from(types::FIXP)),
            G::dtd(u32::from(RECORD)),
            G::UFN_TABLE,
            G::INTERFACE_PAGE,
            G::INTERFACE_PAGE.add(interface::STACK_BASE),
            G::FPTOVP,
            LispPtr(list.0 & !0xFF),
            self.all(Sort::Storage)[0].add(header),
            self.all(Sort::Code)[3],
            STACK.add(0x0400),
            STACK.add(u32::from(super::FRAME.0)),
            STACK.add(0x1A00),
            m.symbols.reclaim_countdown,
            m.symbols.last_stack_address,
            m.symbols.next_mds_page,
            BUCKETS,
            LispPtr::NOBIND,
            LispPtr(G::POINTER_MASK),
            LispPtr(1 << 31),
        ] {
            self.note(Sort::Table, table);
        }
    }
}
