//! Searches in lists: LISTGET, ASSOC and FMEMB, and those for keys that EQ can compare.
//!
//! ```text
//! any:   no list cell:                     answer NIL if the list may end so, else operation
//!        go on near, with its address
//! near:  content = cell at the address
//!        the key is what is wanted:        answer
//!        so many cells seen:               operation
//!        the code says a cell of the page: go on near, with its address
//!        it says NIL:                      answer NIL
//!        it says a cell with the cdr:      go on with that at any
//! far:   the same with the real cell behind a forwarder
//! ```
//!
//! The operation begins anew with the whole list. A cell on the same page as the one before is
//! a list cell like that, and its type is not looked at. Its address is made of the code with
//! as little as a load can do: where codes count from the begin of the page that stays, as the
//! anchor, while the search stays on the page; where they count from the cell before, that is it.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I8, I32, I64};
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, MemFlagsData, Value};
use geiko_runtime::isa::Opcode;
use geiko_runtime::layout::records::types;
use geiko_runtime::memory::WORDS_PER_PAGE;

use super::{END, Translator, trusted};
use crate::flow::Step;

/// Cells that are looked at in line.
const MOST: i64 = 1 << 10;

/// Bits of an address that say where on its page it is.
const PLACE: u32 = WORDS_PER_PAGE - 1;

/// Segments of symbols.
pub(super) const SYMBOLS: u32 = 1;

/// Segments of characters.
pub(super) const CHARACTERS: u32 = 1 << 7;

/// Segments of all that EQ can compare with everything: small integers too.
pub(super) const IMMEDIATE: u32 = SYMBOLS | CHARACTERS | 1 << 0xE | 1 << 0xF;

/// The loop of a search.
struct Search {
    opcode: Opcode,
    key: Value,
    /// A turn with anything as the rest of the list, and how many cells may still be
    /// looked at.
    any: Block,
    /// The same with a list cell by its address.
    near: Block,
    /// The same with a list cell that may be a forwarder.
    far: Block,
    /// Where to go if the machine is to search.
    slow: Block,
    /// Where to go with the answer.
    meet: Block,
}

/// Host address of a list cell: the anchor and four times the code.
#[derive(Clone, Copy)]
struct Spot {
    anchor: Value,
    code: Value,
}

/// A list cell that was read.
struct Cell {
    spot: Spot,
    content: Value,
    /// Where its cdr is, if `is_near`, and the code that says so.
    next: Spot,
    is_near: Value,
}

impl Translator<'_, '_> {
    /// Translates `step` if it is a search.
    pub(super) fn list_search(&mut self, step: &Step) -> bool {
        let opcode = step.instruction.opcode;
        let cells = match opcode {
            Opcode::ListGet
            | Opcode::Assoc
            | Opcode::CmlAssoc
            | Opcode::Fmemb
            | Opcode::CmlMember => self.top(2),
            _ => return false,
        };
        let operations = self.host.operations;
        let (meet, result) = self.meeting(I32);
        let slow = self.cold_block();
        if self.host.is_exact {
            // The interpreter polls at every cell.
            let end = self.builder.ins().load(I32, trusted(), self.base, END);
            self.go_on_if(end, slow);
        }
        if matches!(opcode, Opcode::CmlAssoc | Opcode::CmlMember) {
            let immediate = self.is_in_segments(cells[0], IMMEDIATE);
            self.go_on_if(immediate, slow);
        }
        let (key, list) = match opcode {
            Opcode::ListGet => (cells[1], cells[0]),
            _ => (cells[0], cells[1]),
        };
        let search = Search {
            opcode,
            key,
            any: self.builder.create_block(),
            near: self.builder.create_block(),
            far: self.cold_block(),
            slow,
            meet,
        };
        self.search(list, &search);
        self.builder.switch_to_block(slow);
        if opcode == Opcode::ListGet {
            self.operate_and_meet(operations.property, &cells, step, meet);
        } else {
            let code = self.constant(opcode as u32);
            let cells = [code, cells[0], cells[1]];
            self.operate_and_meet(operations.found, &cells, step, meet);
        }
        self.builder.switch_to_block(meet);
        self.replace(2, result);
        true
    }

    fn search(&mut self, list: Value, search: &Search) {
        let Search { any, near, far, .. } = *search;
        let most = self.builder.ins().iconst(I32, MOST);
        self.builder.ins().jump(any, &[list.into(), most.into()]);

        let [list, left] = [(); 2].map(|()| self.builder.append_block_param(any, I32));
        self.builder.switch_to_block(any);
        let is_pair = matches!(search.opcode, Opcode::Assoc | Opcode::CmlAssoc);
        self.go_on_in_list(list, search, is_pair);
        let more_bits = i64::from(!self.layout.pointer_mask | 1);
        let more = self.builder.ins().band_imm_u(list, more_bits);
        let is_address = self.equals(more, 0);
        self.go_on_if(is_address, search.slow);
        let spot = self.spot_of(list);
        self.go_on_near(spot, left, search);

        let [anchor, code] = [(); 2].map(|()| self.builder.append_block_param(near, I64));
        let left = self.builder.append_block_param(near, I32);
        self.builder.switch_to_block(near);
        let spot = Spot { anchor, code };
        let forwarder = self.cold_block();
        let cell = self.cell_at(spot);
        let last = if search.opcode == Opcode::ListGet {
            self.go_on_if(cell.is_near, forwarder);
            let value = self.cell_at(cell.next);
            let name = self.masked(cell.content);
            let answer = |translator: &mut Self| {
                translator.go_on_if(value.next.code, forwarder);
                translator.masked(value.content)
            };
            self.answer_if_same(name, answer, search);
            value
        } else {
            let answer = |translator: &mut Self| {
                translator.go_on_if(cell.next.code, forwarder);
                translator.pointer_to(spot)
            };
            self.answer_if_found(cell.content, answer, search);
            cell
        };
        self.next_turn(&last, left, forwarder, search);
        self.builder.switch_to_block(forwarder);
        let list = self.pointer_to(spot);
        self.builder.ins().jump(far, &[list.into(), left.into()]);

        let [list, left] = [(); 2].map(|()| self.builder.append_block_param(far, I32));
        self.builder.switch_to_block(far);
        let (cell, content, _) = self.real_cell(list, search.slow);
        let (cell, content) = if search.opcode == Opcode::ListGet {
            let rest = self.rest_of(cell, content, search.slow);
            self.go_on_in_list(rest, search, false);
            let (cell, value, _) = self.real_cell(rest, search.slow);
            let name = self.masked(content);
            self.answer_if_same(name, |translator| translator.masked(value), search);
            (cell, value)
        } else {
            self.answer_if_found(content, |_| list, search);
            (cell, content)
        };
        let left = self.builder.ins().iadd_imm_s(left, -1);
        self.go_on_if(left, search.slow);
        let rest = self.rest_of(cell, content, search.slow);
        self.builder.ins().jump(any, &[rest.into(), left.into()]);
    }

    /// Answers something if `item` is the key, else goes on.
    fn answer_if_same(
        &mut self,
        item: Value,
        answer: impl FnOnce(&mut Self) -> Value,
        search: &Search,
    ) {
        let [found, other] = [(); 2].map(|()| self.builder.create_block());
        let same = (self.builder.ins()).icmp(IntCC::Equal, item, search.key);
        self.builder.ins().brif(same, found, &[], other, &[]);
        self.builder.switch_to_block(found);
        let answer = answer(self);
        self.builder.ins().jump(search.meet, &[answer.into()]);
        self.builder.switch_to_block(other);
    }

    /// Answers what was looked for if it is in the list cell with that content, else goes on:
    /// the list that begins there, or the list in the cell that begins with the key.
    fn answer_if_found(
        &mut self,
        content: Value,
        list: impl FnOnce(&mut Self) -> Value,
        search: &Search,
    ) {
        let item = self.masked(content);
        if matches!(search.opcode, Opcode::Fmemb | Opcode::CmlMember) {
            return self.answer_if_same(item, list, search);
        }
        let [pair, other] = [(); 2].map(|()| self.builder.create_block());
        let number = self.type_number(item);
        let is_list = self.equals(number, types::LISTP.into());
        self.builder.ins().brif(is_list, pair, &[], other, &[]);
        self.builder.switch_to_block(pair);
        let (_, first, _) = self.real_cell(item, search.slow);
        let first = self.masked(first);
        let answer = |translator: &mut Self| {
            list(translator);
            item
        };
        self.answer_if_same(first, answer, search);
        self.builder.ins().jump(other, &[]);
        self.builder.switch_to_block(other);
    }

    /// 1 if the cell is in one of the first 16 segments, and that is in `segments`.
    pub(super) fn is_in_segments(&mut self, cell: Value, segments: u32) -> Value {
        let cell = self.masked(cell);
        let segment = self.builder.ins().ushr_imm_u(cell, 16);
        let near = (self.builder.ins()).icmp_imm_u(IntCC::UnsignedLessThan, segment, 16);
        let segments = self.constant(segments);
        let bit = self.builder.ins().ushr(segments, segment);
        let bit = self.builder.ins().ireduce(I8, bit);
        self.builder.ins().band(near, bit)
    }

    /// Goes on if `list` is a list cell. If not the search ends without success, in the
    /// machine unless it is NIL or `anyhow`.
    fn go_on_in_list(&mut self, list: Value, search: &Search, anyhow: bool) {
        let number = self.type_number(list);
        let is_list = self.equals(number, types::LISTP.into());
        let [cell, end] = [(); 2].map(|()| self.builder.create_block());
        self.builder.ins().brif(is_list, cell, &[], end, &[]);
        self.builder.switch_to_block(end);
        let nil = self.constant(0);
        if anyhow {
            self.builder.ins().jump(search.meet, &[nil.into()]);
        } else {
            self.builder
                .ins()
                .brif(list, search.slow, &[], search.meet, &[nil.into()]);
        }
        self.builder.switch_to_block(cell);
    }

    /// The spot of a list cell.
    fn spot_of(&mut self, list: Value) -> Spot {
        if !self.layout.cdr_page_relative {
            let anchor = self.address(list);
            let code = self.builder.ins().iconst(I64, 0);
            return Spot { anchor, code };
        }
        let nil = i64::from(self.layout.cdr_nil);
        let page = i64::from(self.layout.pointer_mask & !PLACE);
        let page = self.builder.ins().band_imm_u(list, page);
        let page = self.address(page);
        let anchor = self.builder.ins().iadd_imm_s(page, -4 * nil);
        let place = self.builder.ins().band_imm_u(list, i64::from(PLACE));
        let code = self.builder.ins().ushr_imm_u(place, 1);
        let code = self.builder.ins().iadd_imm_s(code, nil);
        let code = self.builder.ins().uextend(I64, code);
        Spot { anchor, code }
    }

    /// Host address of the list cell at `spot`.
    fn address_at(&mut self, spot: Spot) -> Value {
        let bytes = self.builder.ins().ishl_imm_u(spot.code, 2);
        self.builder.ins().iadd(spot.anchor, bytes)
    }

    /// Lisp address of that cell.
    fn pointer_to(&mut self, spot: Spot) -> Value {
        let address = self.address_at(spot);
        let bytes = self.builder.ins().isub(address, self.base);
        let bytes = self.builder.ins().ireduce(I32, bytes);
        self.builder.ins().ushr_imm_u(bytes, 1)
    }

    /// Reads the list cell at `spot`.
    fn cell_at(&mut self, spot: Spot) -> Cell {
        let address = self.address_at(spot);
        let flags = MemFlagsData::new().with_notrap();
        let content = self.builder.ins().load(I32, flags, address, 0);
        let nil = i64::from(self.layout.cdr_nil);
        let code = if self.layout.cdr_page_relative {
            // Loaded once more, it is there without a shift.
            self.builder.ins().uload8(I64, flags, address, 3)
        } else {
            let shift = i64::from(self.layout.cdr_shift);
            let code = self.builder.ins().ushr_imm_u(content, shift);
            self.builder.ins().uextend(I64, code)
        };
        let above = IntCC::UnsignedGreaterThan;
        let mut is_near = self.builder.ins().icmp_imm_u(above, code, nil);
        let mut next = Spot { code, ..spot };
        if !self.layout.cdr_page_relative {
            next.anchor = self.builder.ins().iadd_imm_s(address, -4 * nil);
            let there = self.address_at(next);
            let differs = self.builder.ins().bxor(there, address);
            let page_bytes = 2 * i64::from(WORDS_PER_PAGE);
            let below = IntCC::UnsignedLessThan;
            let same_page = (self.builder.ins()).icmp_imm_u(below, differs, page_bytes);
            is_near = self.builder.ins().band(is_near, same_page);
        }
        Cell {
            spot,
            content,
            next,
            is_near,
        }
    }

    /// The cdr of the list cell `list`, whose content is given.
    fn rest_of(&mut self, list: Value, content: Value, slow: Block) -> Value {
        let (meet, rest) = self.meeting(I32);
        self.cdr_of(list, content, meet, meet, slow);
        self.builder.switch_to_block(meet);
        rest
    }

    /// Goes on behind the list cell `cell`, or to `forwarder` if it is one.
    fn next_turn(&mut self, cell: &Cell, left: Value, forwarder: Block, search: &Search) {
        let left = self.builder.ins().iadd_imm_s(left, -1);
        self.go_on_if(left, search.slow);
        let [near, other, more] = [(); 3].map(|()| self.builder.create_block());
        (self.builder.ins()).brif(cell.is_near, near, &[], other, &[]);
        self.builder.switch_to_block(near);
        self.go_on_near(cell.next, left, search);
        self.builder.switch_to_block(other);
        let (code, nil) = (cell.next.code, self.constant(0));
        let ends = self.equals(code, self.layout.cdr_nil);
        self.builder
            .ins()
            .brif(ends, search.meet, &[nil.into()], more, &[]);
        self.builder.switch_to_block(more);
        self.go_on_if(code, forwarder);
        let list = self.pointer_to(cell.spot);
        let rest = self.rest_of(list, cell.content, search.slow);
        self.builder
            .ins()
            .jump(search.any, &[rest.into(), left.into()]);
    }

    fn go_on_near(&mut self, spot: Spot, left: Value, search: &Search) {
        let args = [spot.anchor, spot.code, left].map(BlockArg::from);
        self.builder.ins().jump(search.near, &args);
    }
}
