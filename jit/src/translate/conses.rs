//! Making and changing list cells.
//!
//! ```text
//! CONS:    the cdr is NIL: page = first page with free cells
//!          it is a list:   page = the cdr's
//!          first free cell of page: take it, cell = car, code of the cdr
//!          ADDREF cdr; ADDREF car; note the new cell
//! RPLACA:  the cell is no forwarder: ADDREF new; DELREF old; store
//! RPLACD:  the cdr is in a cell of its own: ADDREF new; DELREF old; store there
//!          the new cdr is NIL or on the page: the same, and store the code
//! else:    operation
//! ```
//!
//! That is for generations whose cdr codes reach a whole page; in the other, cells are
//! chosen by maps outside Lisp memory, so the machine does it.
//!
//! In the front of a list that grows, the cdr has an entry with count 0, which it loses,
//! and the new cell gets one: then the countdown stays as it is. Not while the backup collector
//! watches counting, as it has to know of both.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I8, I16, I32};
use cranelift_codegen::ir::{Block, InstBuilder, MemFlagsData, Value};
use geiko_runtime::isa::Opcode;
use geiko_runtime::layout::records::{type_entry, types};

use super::barriers::counts::limit;
use super::{Slot, Translator};
use crate::flow::Step;
use crate::numbers::Kind;

impl Translator<'_, '_> {
    /// Translates `step` if it is an instruction of this file.
    pub(super) fn cons_cell(&mut self, step: &Step) -> bool {
        let in_line = self.layout.cdr_page_relative;
        match step.instruction.opcode {
            Opcode::Cons if in_line => self.cons(),
            Opcode::Cons => {
                let cells = self.top(2);
                let cell = self.operate(self.host.operations.cons, &cells);
                self.replace(2, cell);
            }
            opcode @ (Opcode::Rplaca | Opcode::Rplacd) => self.replace_part(opcode, step),
            _ => return false,
        }
        true
    }

    fn cons(&mut self) {
        let cells = self.top(2);
        let (car, cdr) = (cells[0], cells[1]);
        let (car_slot, cdr_slot) = (self.slot(1), self.slot(0));
        let (meet, result) = self.meeting(I32);
        let slow = self.cold_block();
        let (found, page) = self.meeting(I32);
        if !matches!(cdr_slot, Slot::Constant(0)) {
            self.page_of_list(cdr, found, slow);
        }
        let listed = self.first_cons_page();
        self.go_on_if(listed, slow);
        let is_list = self.is_counted_list(listed);
        self.builder
            .ins()
            .brif(is_list, found, &[listed.into()], slow, &[]);
        self.builder.switch_to_block(found);
        let cell = self.take_first_cell(page, slow);
        let place = self.builder.ins().band_imm_u(cdr, 0xFE);
        self.set_list_cell(cell, car, place);
        self.count_allocation(types::LISTP.into());
        self.count_new_cell(cell, (car_slot, car), (cdr_slot, cdr), meet);
        self.builder.switch_to_block(slow);
        let cell = self.operate(self.host.operations.cons, &cells);
        self.builder.ins().jump(meet, &[cell.into()]);
        self.builder.switch_to_block(meet);
        self.replace(2, result);
    }

    /// 1 if the cells of the page that `object` is on are list cells, and counted.
    fn is_counted_list(&mut self, object: Value) -> Value {
        let entry = self.type_entry(object);
        let bits = i64::from(type_entry::NUMBER | type_entry::NO_REF);
        let number = self.builder.ins().band_imm_u(entry, bits);
        self.equals(number, types::LISTP.into())
    }

    /// Goes to `found` with the page of the list cell `cdr`, to `slow` if it is something
    /// else, or goes on if it is NIL.
    fn page_of_list(&mut self, cdr: Value, found: Block, slow: Block) {
        let is_list = self.is_counted_list(cdr);
        let (list, other) = (self.builder.create_block(), self.builder.create_block());
        self.builder.ins().brif(is_list, list, &[], other, &[]);
        self.builder.switch_to_block(list);
        let mask = i64::from(self.layout.pointer_mask & !0xFF);
        let page = self.builder.ins().band_imm_u(cdr, mask);
        self.builder.ins().jump(found, &[page.into()]);
        self.builder.switch_to_block(other);
        let nil = self.builder.create_block();
        self.builder.ins().brif(cdr, slow, &[], nil, &[]);
        self.builder.switch_to_block(nil);
    }

    /// The first page with free cells, 0 if there is none.
    fn first_cons_page(&mut self) -> Value {
        let next = (self.layout.dtd)(types::LISTP.into()).add(self.layout.dtd_fields.next_page);
        let next = self.constant(next.0);
        let number = self.load_word(next, 0);
        self.builder.ins().ishl_imm_u(number, 8)
    }

    /// Takes the first free cell of `page`; goes to `slow` if there is none. The upper half
    /// of the page's header is the number of free cells and the place of the first; the
    /// upper byte of a free cell is the place of the next.
    fn take_first_cell(&mut self, page: Value, slow: Block) -> Value {
        let geometry = self.layout.cons_page;
        let flags = MemFlagsData::new().with_notrap();
        let at = i64::from(geometry.header);
        let at = self.builder.ins().iadd_imm_u(page, at);
        let header = self.address(at);
        let state = self.builder.ins().load(I16, flags, header, 2);
        let state = self.builder.ins().uextend(I32, state);
        let first = self.builder.ins().band_imm_u(state, 0xFE);
        let above = IntCC::UnsignedGreaterThanOrEqual;
        let is_place = (self.builder.ins()).icmp_imm_u(above, first, i64::from(geometry.first));
        self.go_on_if(is_place, slow);
        let one = 1 << 8;
        let some = self.builder.ins().icmp_imm_u(above, state, one);
        self.go_on_if(some, slow);
        let cell = self.builder.ins().iadd(page, first);
        let place = self.address(cell);
        let next = self.builder.ins().load(I8, flags, place, 3);
        let next = self.builder.ins().uextend(I32, next);
        let next = self.builder.ins().band_imm_u(next, 0xFE);
        let rest = self.builder.ins().iadd_imm_s(state, -one);
        let rest = self.builder.ins().band_imm_u(rest, 0xFF00);
        let rest = self.builder.ins().bor(rest, next);
        let rest = self.builder.ins().ireduce(I16, rest);
        self.builder.ins().store(flags, rest, header, 2);
        cell
    }

    /// Stores `car` and the code of NIL or of the even place `place` on the page.
    fn set_list_cell(&mut self, cell: Value, car: Value, place: Value) {
        let shift = i64::from(self.layout.cdr_shift);
        let code = self.builder.ins().ishl_imm_u(place, shift - 1);
        let nil = i64::from(self.layout.cdr_nil) << shift;
        let code = self.builder.ins().bor_imm_u(code, nil);
        let car = self.masked(car);
        let content = self.builder.ins().bor(car, code);
        self.store_cell(cell, content);
    }

    /// Counts what the new list cell `cell` refers to, and the cell; goes to `meet` with
    /// it. The cdr is NIL or a list cell, whose type is known to be counted.
    ///
    /// ```text
    /// cdr is a list:  car is not counted, cdr has count 0, and cell no entry:
    ///                     cdr's entry = empty; cell's entry = count 0; done
    ///                 ADDREF cdr
    /// car is counted: ADDREF car
    /// note the new cell
    /// ```
    fn count_new_cell(
        &mut self,
        cell: Value,
        (car_slot, car): (Slot, Value),
        (cdr_slot, cdr): (Slot, Value),
        meet: Block,
    ) {
        let not_counted = (self.kind_of(car_slot) != Kind::Small).then(|| {
            let entry = self.type_entry(car);
            let bit = i64::from(type_entry::NO_REF);
            self.builder.ins().band_imm_u(entry, bit)
        });
        if !matches!(cdr_slot, Slot::Constant(0)) {
            let [list, general, fresh, next] = [(); 4].map(|()| self.builder.create_block());
            self.builder.ins().brif(cdr, list, &[], next, &[]);
            self.builder.switch_to_block(list);
            if let Some(not_counted) = not_counted {
                self.go_on_if(not_counted, general);
            }
            let plain = self.limit(limit::COUNTS);
            self.go_on_if(plain, general);
            let old = self.count_of(cdr);
            let new = self.count_of(cell);
            let differs = self.builder.ins().bxor(old.entry, old.tag);
            let other = self.builder.ins().bor(differs, new.entry);
            self.builder.ins().brif(other, general, &[], fresh, &[]);
            self.builder.switch_to_block(fresh);
            self.clear_count(&old);
            self.set_count(&new, new.tag);
            self.builder.ins().jump(meet, &[cell.into()]);
            self.builder.switch_to_block(general);
            self.addref_counted(cdr);
            self.builder.ins().jump(next, &[]);
            self.builder.switch_to_block(next);
        }
        let noted = self.builder.create_block();
        if let Some(not_counted) = not_counted {
            let [counted, note] = [(); 2].map(|()| self.builder.create_block());
            self.builder
                .ins()
                .brif(not_counted, note, &[], counted, &[]);
            self.builder.switch_to_block(counted);
            self.addref_counted(car);
            self.builder.ins().jump(note, &[]);
            self.builder.switch_to_block(note);
        }
        self.note_new_counted(cell, noted);
        self.builder.switch_to_block(noted);
        self.builder.ins().jump(meet, &[cell.into()]);
    }

    /// RPLACA and RPLACD.
    fn replace_part(&mut self, opcode: Opcode, step: &Step) {
        let cells = self.top(2);
        let (list, new) = (cells[0], cells[1]);
        let new_slot = self.slot(0);
        let (meet, result) = self.meeting(I32);
        let slow = self.cold_block();
        let number = self.type_number(list);
        let is_list = self.equals(number, types::LISTP.into());
        self.go_on_if(is_list, slow);
        let content = self.load_cell(list, 0);
        let shift = i64::from(self.layout.cdr_shift);
        let code = self.builder.ins().ushr_imm_u(content, shift);
        if opcode == Opcode::Rplaca {
            let real = self.differs(code, 0);
            self.go_on_if(real, slow);
            self.count_replacement(content, new_slot, new);
            let car = self.masked(new);
            let bits = i64::from(!self.layout.pointer_mask);
            let bits = self.builder.ins().band_imm_u(content, bits);
            let content = self.builder.ins().bor(bits, car);
            self.store_cell(list, content);
            self.builder.ins().jump(meet, &[list.into()]);
        } else if self.layout.cdr_page_relative {
            self.replace_cdr(list, content, code, (new_slot, new), slow, meet);
        } else {
            self.builder.ins().jump(slow, &[]);
        }
        self.builder.switch_to_block(slow);
        let name = self.constant(opcode as u32);
        let operation = self.host.operations.replace;
        self.operate_and_meet(operation, &[name, list, new], step, meet);
        self.builder.switch_to_block(meet);
        self.replace(2, result);
    }

    fn replace_cdr(
        &mut self,
        list: Value,
        content: Value,
        code: Value,
        (new_slot, new): (Slot, Value),
        slow: Block,
        meet: Block,
    ) {
        let nil_code = i64::from(self.layout.cdr_nil);
        let at_once =
            self.builder
                .ins()
                .icmp_imm_u(IntCC::UnsignedGreaterThanOrEqual, code, nil_code);
        let [coded, elsewhere] = [0; 2].map(|_| self.builder.create_block());
        self.builder.ins().brif(at_once, coded, &[], elsewhere, &[]);
        self.builder.switch_to_block(elsewhere);
        let real = self.differs(code, 0);
        self.go_on_if(real, slow);
        let holder = self.cdr_place(list, code);
        let old = self.load_cell(holder, 0);
        self.count_replacement(old, new_slot, new);
        let cell = self.masked(new);
        self.store_cell(holder, cell);
        self.builder.ins().jump(meet, &[list.into()]);
        self.builder.switch_to_block(coded);
        // The new cdr: NIL, or a cell of the page.
        let words = self.builder.ins().bxor(list, new);
        let mask = i64::from(self.layout.pointer_mask & !0xFF);
        let page = self.builder.ins().band_imm_u(words, mask);
        let same = self.equals(page, 0);
        let bits = i64::from(self.layout.pointer_mask);
        let pointer = self.builder.ins().band_imm_u(new, bits);
        let nil = self.equals(pointer, 0);
        let sayable = self.builder.ins().bor(same, nil);
        self.go_on_if(sayable, slow);
        let old = self.cdr_place(list, code);
        let nothing = self.constant(0);
        let ends = self.equals(code, self.layout.cdr_nil);
        let old = self.builder.ins().select(ends, nothing, old);
        self.count_replacement(old, new_slot, new);
        let place = self.builder.ins().band_imm_u(new, 0xFE);
        self.set_list_cell(list, content, place);
        self.builder.ins().jump(meet, &[list.into()]);
    }
}
