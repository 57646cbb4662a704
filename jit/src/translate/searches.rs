//! Searches in lists: LISTGET, ASSOC and FMEMB, and those for keys that EQ can compare.
//!
//! ```text
//! at each cell: no list cell:                 answer NIL if the list may end so, else operation
//!               so many cells seen:           operation
//!               the key is what is wanted:    answer
//! ```
//!
//! The operation begins anew with the whole list. Cells without a cdr code, which
//! forward to others, are left to it as well. A cell on the same page as the one before is
//! a list cell like that, and its type is not looked at.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I8, I32};
use cranelift_codegen::ir::{Block, InstBuilder, Value};
use geiko_runtime::isa::Opcode;
use geiko_runtime::layout::records::types;

use super::{END, Translator, trusted};
use crate::flow::Step;

/// Cells that are looked at in line.
const MOST: i64 = 1 << 10;

/// Segments of symbols.
pub(super) const SYMBOLS: u32 = 1;

/// Segments of characters.
pub(super) const CHARACTERS: u32 = 1 << 7;

/// Segments of all that EQ can compare with everything: small integers too.
pub(super) const IMMEDIATE: u32 = SYMBOLS | CHARACTERS | 1 << 0xE | 1 << 0xF;

/// The loop of a search.
struct Search {
    /// A turn with anything as the rest of the list, and how many cells may still be
    /// looked at.
    any: Block,
    /// The same with a list cell.
    cell: Block,
    /// That list cell.
    list: Value,
    /// That number.
    left: Value,
    /// Where to go if the machine is to search.
    slow: Block,
    /// Where to go with the answer.
    meet: Block,
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
        let list = cells[usize::from(opcode != Opcode::ListGet)];
        let [any, cell] = [(); 2].map(|()| self.builder.create_block());
        let most = self.builder.ins().iconst(I32, MOST);
        self.builder.ins().jump(any, &[list.into(), most.into()]);
        let [anything, left_then] = [(); 2].map(|()| self.builder.append_block_param(any, I32));
        let [list, left] = [(); 2].map(|()| self.builder.append_block_param(cell, I32));
        let search = Search {
            any,
            cell,
            list,
            left,
            slow,
            meet,
        };
        self.builder.switch_to_block(any);
        let is_pair = matches!(opcode, Opcode::Assoc | Opcode::CmlAssoc);
        self.go_on_in_list(anything, &search, is_pair);
        self.builder
            .ins()
            .jump(cell, &[anything.into(), left_then.into()]);
        self.builder.switch_to_block(cell);
        match opcode {
            Opcode::ListGet => self.property(cells[1], &search),
            Opcode::Fmemb | Opcode::CmlMember => self.member(cells[0], &search),
            _ => self.pair(cells[0], &search),
        }
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

    /// A property list: every other element is a key, with its value behind it.
    fn property(&mut self, key: Value, search: &Search) {
        let content = self.real_content(search.list, search.slow);
        let (anything, found) = self.meeting(I32);
        let (behind, rest) = self.meeting(I32);
        self.cdr_of(search.list, content, behind, anything, search.slow);
        self.builder.switch_to_block(anything);
        self.go_on_in_list(found, search, false);
        self.builder.ins().jump(behind, &[found.into()]);
        self.builder.switch_to_block(behind);
        let value = self.real_content(rest, search.slow);
        let name = self.masked(content);
        let found = self.go_on_unless_same(name, key);
        self.next_turn(rest, value, search);
        self.builder.switch_to_block(found);
        let value = self.masked(value);
        self.builder.ins().jump(search.meet, &[value.into()]);
    }

    /// The first rest of the list that begins with the key.
    fn member(&mut self, key: Value, search: &Search) {
        let content = self.real_content(search.list, search.slow);
        let item = self.masked(content);
        let found = self.go_on_unless_same(item, key);
        self.next_turn(search.list, content, search);
        self.builder.switch_to_block(found);
        self.builder.ins().jump(search.meet, &[search.list.into()]);
    }

    /// The first list in the list that begins with the key.
    fn pair(&mut self, key: Value, search: &Search) {
        let content = self.real_content(search.list, search.slow);
        let item = self.masked(content);
        let [list, other] = [(); 2].map(|()| self.builder.create_block());
        let number = self.type_number(item);
        let is_list = self.equals(number, types::LISTP.into());
        self.builder.ins().brif(is_list, list, &[], other, &[]);
        self.builder.switch_to_block(list);
        let first = self.real_content(item, search.slow);
        let first = self.masked(first);
        let same = self.builder.ins().icmp(IntCC::Equal, first, key);
        self.builder
            .ins()
            .brif(same, search.meet, &[item.into()], other, &[]);
        self.builder.switch_to_block(other);
        self.next_turn(search.list, content, search);
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

    /// What the list cell `list` contains, unless it forwards to another.
    fn real_content(&mut self, list: Value, slow: Block) -> Value {
        let content = self.load_cell(list, 0);
        let shift = i64::from(self.layout.cdr_shift);
        let code = self.builder.ins().ushr_imm_u(content, shift);
        self.go_on_if(code, slow);
        content
    }

    /// Goes on if the cells differ, else to the block that it answers.
    fn go_on_unless_same(&mut self, a: Value, b: Value) -> Block {
        let [found, other] = [(); 2].map(|()| self.builder.create_block());
        let same = self.builder.ins().icmp(IntCC::Equal, a, b);
        self.builder.ins().brif(same, found, &[], other, &[]);
        self.builder.switch_to_block(other);
        found
    }

    /// Goes on with the rest behind the list cell `list`, whose content is given.
    fn next_turn(&mut self, list: Value, content: Value, search: &Search) {
        let left = self.builder.ins().iadd_imm_s(search.left, -1);
        self.go_on_if(left, search.slow);
        let (near, cell) = self.meeting(I32);
        let (anywhere, rest) = self.meeting(I32);
        self.cdr_of(list, content, near, anywhere, search.slow);
        for (block, rest, turn) in [(near, cell, search.cell), (anywhere, rest, search.any)] {
            self.builder.switch_to_block(block);
            self.builder.ins().jump(turn, &[rest.into(), left.into()]);
        }
    }
}
