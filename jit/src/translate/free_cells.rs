//! Free list cells of generations whose cdr codes reach only the next seven cells.
//!
//! Which cells are free says a bit for each, outside Lisp memory
//! (`runtime/src/heap/cell_map.rs`): two words for a page. They are chosen as the machine
//! chooses them, where that needs one word:
//!
//! ```text
//! before CDR:   word = that of the cdr; the highest bit below the cdr's, if it is close
//! behind CELL:  word = that of the cell; the lowest bit above the cell's, if it is close
//! listed:       words = those of the first page with free cells, the upper one first;
//!               the highest bit that begins a run: of four if the cdr is NIL, of two,
//!               for the list cell and its cdr, else; if the cdr is NIL and there is no
//!               such run, the highest bit
//! taken:        bit = 0; the page's number of free cells -= 1
//! ```

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{Block, InstBuilder, MemFlagsData, Value};
use geiko_runtime::layout::records::types;

use super::Translator;

/// The cells that a code reaches.
const REACH: i64 = 7;
/// Bits that are not all zero in the address of a cell behind the header of its page.
const BEHIND_HEADER: i64 = 0xF8;

/// The word of a map that tells of a cell.
pub(super) struct MapWord {
    /// Its host address.
    at: Value,
    bits: Value,
}

/// What becomes of a free cell.
pub(super) struct Taken {
    pub cell: Value,
    /// Distance in cells from the list cell to what its code says.
    pub distance: Value,
}

impl Translator<'_, '_> {
    /// Takes a free cell that reaches the list cell `cdr`, or goes to `none`.
    pub(super) fn take_cell_before(&mut self, cdr: Value, none: Block) -> Taken {
        let word = self.map_word(cdr);
        let number = self.builder.ins().ushr_imm_u(cdr, 1);
        let opposite = self.builder.ins().bnot(number);
        let below = self.builder.ins().ishl(word.bits, opposite);
        let below = self.builder.ins().ishl_imm_u(below, 1);
        let least = (self.builder.ins()).iconst(I64, 1 << (u64::BITS as i64 - REACH));
        let close = IntCC::UnsignedGreaterThanOrEqual;
        let is_close = self.builder.ins().icmp(close, below, least);
        self.go_on_if(is_close, none);
        let between = self.builder.ins().clz(below);
        let between = self.builder.ins().ireduce(I32, between);
        let distance = self.builder.ins().iadd_imm_s(between, 1);
        let words = self.builder.ins().ishl_imm_u(distance, 1);
        let cell = self.builder.ins().isub(cdr, words);
        // The place 0 has a bit, too.
        let behind_header = self.builder.ins().band_imm_u(cell, BEHIND_HEADER);
        self.go_on_if(behind_header, none);
        self.take(&word, cell, None);
        Taken { cell, distance }
    }

    /// Not 0 if the list cell `list` is in the lower half of its page and reaches the upper one.
    pub(super) fn is_before_upper_half(&mut self, list: Value) -> Value {
        let number = self.builder.ins().ushr_imm_u(list, 1);
        let number = self.builder.ins().band_imm_u(number, 0x7F);
        let above = self.builder.ins().iadd_imm_s(number, REACH - 64);
        let below = IntCC::UnsignedLessThan;
        self.builder.ins().icmp_imm_u(below, above, REACH)
    }

    /// Takes a free cell that the list cell `list` reaches, or goes to `none`.
    pub(super) fn take_cell_behind(&mut self, list: Value, none: Block) -> Taken {
        let word = self.map_word(list);
        let number = self.builder.ins().ushr_imm_u(list, 1);
        let above = self.builder.ins().ushr(word.bits, number);
        let above = self.builder.ins().ushr_imm_u(above, 1);
        let close = self.builder.ins().band_imm_u(above, (1 << REACH) - 1);
        self.go_on_if(close, none);
        let between = self.builder.ins().ctz(close);
        let between = self.builder.ins().ireduce(I32, between);
        let distance = self.builder.ins().iadd_imm_s(between, 1);
        let words = self.builder.ins().ishl_imm_u(distance, 1);
        let cell = self.builder.ins().iadd(list, words);
        self.take(&word, cell, None);
        Taken { cell, distance }
    }

    /// Takes a free cell of the first page that has some, for the front of a list; two
    /// neighbours if `has_cdr` is not 0. Goes to `none` if they are not found at once.
    pub(super) fn take_listed_cells(&mut self, has_cdr: Option<Value>, none: Block) -> Value {
        let next = (self.layout.dtd)(types::LISTP.into()).add(self.layout.dtd_fields.next_page);
        let number = self.load_fixed(next);
        let page = self.builder.ins().ishl_imm_u(number, 8);
        let page = self.masked(page);
        let flags = MemFlagsData::new().with_notrap();
        let at = self.map_address(page);
        let high = self.builder.ins().load(I64, flags, at, 8);
        let [found, other] = [(); 2].map(|()| self.builder.create_block());
        let [run, bits, place, begin] =
            [I64, I64, I64, I32].map(|ty| self.builder.append_block_param(found, ty));
        let runs = self.runs(high, has_cdr);
        let place_of_high = self.builder.ins().iadd_imm_s(at, 8);
        let begin_of_high = self.builder.ins().iadd_imm_s(page, 128);
        let args = [runs, high, place_of_high, begin_of_high].map(Into::into);
        self.builder.ins().brif(runs, found, &args, other, &[]);
        self.builder.switch_to_block(other);
        let low = self.builder.ins().load(I64, flags, at, 0);
        let runs = self.runs(low, has_cdr);
        let args = [runs, low, at, page].map(Into::into);
        let scattered = self.cold_block();
        self.builder.ins().brif(runs, found, &args, scattered, &[]);
        self.builder.switch_to_block(scattered);
        if let Some(has_cdr) = has_cdr {
            let one = self.cold_block();
            self.builder.ins().brif(has_cdr, none, &[], one, &[]);
            self.builder.switch_to_block(one);
        }
        let lower = self.cold_block();
        let args = [high, high, place_of_high, begin_of_high].map(Into::into);
        self.builder.ins().brif(high, found, &args, lower, &[]);
        self.builder.switch_to_block(lower);
        // The lowest bit says that the map is known.
        let cells = self.builder.ins().band_imm_s(low, !1);
        let args = [cells, low, at, page].map(Into::into);
        self.builder.ins().brif(cells, found, &args, none, &[]);
        self.builder.switch_to_block(found);
        let behind = self.builder.ins().clz(run);
        let behind = self.builder.ins().ireduce(I32, behind);
        let number = self.builder.ins().bxor_imm_u(behind, 63);
        let words = self.builder.ins().ishl_imm_u(number, 1);
        let cell = self.builder.ins().iadd(begin, words);
        let word = MapWord { at: place, bits };
        self.take(&word, cell, has_cdr);
        cell
    }

    /// The bits of `bits` that begin a run of free cells.
    fn runs(&mut self, bits: Value, has_cdr: Option<Value>) -> Value {
        let next = self.builder.ins().ushr_imm_u(bits, 1);
        let pairs = self.builder.ins().band(bits, next);
        let next = self.builder.ins().ushr_imm_u(pairs, 2);
        let fours = self.builder.ins().band(pairs, next);
        match has_cdr {
            Some(has_cdr) => self.builder.ins().select(has_cdr, pairs, fours),
            None => fours,
        }
    }

    /// Takes `cell` out of the map, and the one behind it if `both` is not 0.
    fn take(&mut self, word: &MapWord, cell: Value, both: Option<Value>) {
        let flags = MemFlagsData::new().with_notrap();
        let number = self.builder.ins().ushr_imm_u(cell, 1);
        let one = self.builder.ins().iconst(I64, 1);
        let free = 1i64 << 24;
        let (taken, free) = match both {
            None => (one, self.constant(free as u32)),
            Some(both) => {
                let two = self.builder.ins().iconst(I64, 0b11);
                let (free, twice) = (self.constant(free as u32), self.constant(2 * free as u32));
                let taken = self.builder.ins().select(both, two, one);
                (taken, self.builder.ins().select(both, twice, free))
            }
        };
        let taken = self.builder.ins().ishl(taken, number);
        let rest = self.builder.ins().bxor(word.bits, taken);
        self.builder.ins().store(flags, rest, word.at, 0);
        let page = i64::from(self.layout.pointer_mask & !0xFF);
        let page = self.builder.ins().band_imm_u(cell, page);
        let page = self.address(page);
        let at = 2 * self.layout.cons_page.header as i32;
        let header = self.builder.ins().load(I32, flags, page, at);
        let header = self.builder.ins().isub(header, free);
        self.builder.ins().store(flags, header, page, at);
    }

    /// The word that tells of the list cell `cell`.
    fn map_word(&mut self, cell: Value) -> MapWord {
        let at = self.map_address(cell);
        let flags = MemFlagsData::new().with_notrap();
        let bits = self.builder.ins().load(I64, flags, at, 0);
        MapWord { at, bits }
    }

    /// Host address of that word.
    fn map_address(&mut self, cell: Value) -> Value {
        let word = self.masked(cell);
        let word = self.builder.ins().ushr_imm_u(word, 7);
        let word = self.builder.ins().uextend(I64, word);
        let bytes = self.builder.ins().ishl_imm_u(word, 3);
        let maps = self.builder.ins().iconst(I64, self.host.cell_maps);
        self.builder.ins().iadd(maps, bytes)
    }
}
