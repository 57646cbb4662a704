//! Making and changing list cells.
//!
//! ```text
//! CONS:    take a cell, cell = car, code of the cdr
//!          ADDREF cdr; ADDREF car; note the new cell
//!          codes reach the page:
//!            the cdr is NIL:        first free cell of the first page with free cells
//!            it is a list:          first free cell of the cdr's page
//!            that has none, or it is something else: two of the first page with free
//!                                   cells, the second holds the cdr
//!          codes reach the next seven cells (`free_cells.rs`):
//!            it is a list:          a free cell close before it, if there is one
//!            it is NIL:             a free cell of the first page with free cells
//!            else:                  two of them, the second holds the cdr
//! RPLACA:  of the cell, or of what it forwards to: ADDREF new; DELREF old; store
//! RPLACD:  the same; the cdr is in a cell of its own: ADDREF new; DELREF old; store there
//!          a code can say the new cdr: the same, and store the code
//!          codes reach the next seven cells: the same, in a free cell close behind
//! RPLCONS: a cell that the list reaches behind it, cell = item, cdr NIL
//!          ADDREF item; DELREF old cdr; code of the new cell
//!          codes reach the page:             first free cell of the page
//!          codes reach the next seven cells: a free cell close behind
//! else:    operation
//! ```
//!
//! In the front of a list that grows, the cdr has an entry with count 0, which it loses,
//! and the new cell gets one: then the countdown stays as it is. Not while the backup collector
//! watches counting, as it has to know of both.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I8, I16, I32};
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, MemFlagsData, Value};
use geiko_runtime::isa::Opcode;
use geiko_runtime::layout::records::{type_entry, types};

use super::barriers::counts::limit;
use super::{Slot, Translator};
use crate::flow::Step;

impl Translator<'_, '_> {
    /// Translates `step` if it is an instruction of this file.
    pub(super) fn cons_cell(&mut self, step: &Step) -> bool {
        match step.instruction.opcode {
            Opcode::Cons => self.cons(),
            Opcode::RplCons => self.append(step),
            opcode @ (Opcode::Rplaca | Opcode::Rplacd) => self.replace_part(opcode, step),
            _ => return false,
        }
        true
    }

    fn cons(&mut self) {
        let cells = self.top(2);
        let (car, cdr) = ((self.slot(1), cells[0]), (self.slot(0), cells[1]));
        let (meet, result) = self.meeting(I32);
        let slow = self.cold_block();
        if self.layout.cdr_page_relative {
            self.cons_on_page(car, cdr, slow, meet);
        } else {
            self.cons_close(car, cdr, slow, meet);
        }
        self.builder.switch_to_block(slow);
        let cell = self.operate(self.host.operations.cons, &cells);
        self.builder.ins().jump(meet, &[cell.into()]);
        self.builder.switch_to_block(meet);
        self.replace(2, result);
    }

    /// CONS where codes reach the whole page; goes to `meet` with the list cell.
    fn cons_on_page(
        &mut self,
        (car_slot, car): (Slot, Value),
        (cdr_slot, cdr): (Slot, Value),
        slow: Block,
        meet: Block,
    ) {
        let (found, page) = self.meeting(I32);
        let made = self.builder.create_block();
        let [cell, code, counted] = [(); 3].map(|()| self.builder.append_block_param(made, I32));
        let far = if is_nil(cdr_slot) {
            slow
        } else {
            self.cold_block()
        };
        if !is_nil(cdr_slot) {
            self.page_of_list(cdr, found, far);
        }
        let listed = self.first_cons_page(slow);
        self.builder.ins().jump(found, &[listed.into()]);
        self.builder.switch_to_block(found);
        let first = self.take_first_cell(page, far);
        let place = self.builder.ins().band_imm_u(cdr, 0xFE);
        let of_place = self.code_of_place(place);
        // The cdr is NIL or a list cell.
        let args = [first, of_place, cdr].map(Into::into);
        self.builder.ins().jump(made, &args);
        if far != slow {
            self.builder.switch_to_block(far);
            self.go_on_if(cdr, slow);
            let page = self.first_cons_page(slow);
            let (holder, first) = self.take_two_cells(page, slow);
            let held = self.masked(cdr);
            self.store_cell(holder, held);
            let place = self.builder.ins().band_imm_u(holder, 0xFE);
            let shift = i64::from(self.layout.cdr_shift);
            let of_place = self.builder.ins().ishl_imm_u(place, shift - 1);
            let entry = self.type_entry(cdr);
            let bit = i64::from(type_entry::NO_REF);
            let not_counted = self.builder.ins().band_imm_u(entry, bit);
            let is_counted = self.builder.ins().bxor_imm_u(not_counted, bit);
            let args = [first, of_place, is_counted].map(Into::into);
            self.builder.ins().jump(made, &args);
        }
        self.builder.switch_to_block(made);
        self.set_list_cell(cell, car, code);
        self.count_allocation(types::LISTP.into());
        let counted = (!is_nil(cdr_slot)).then_some(counted);
        self.count_new_cell(cell, (car_slot, car), (cdr, counted), meet);
    }

    /// CONS where codes reach the next seven cells; goes to `meet` with the list cell.
    fn cons_close(
        &mut self,
        (car_slot, car): (Slot, Value),
        (cdr_slot, cdr): (Slot, Value),
        slow: Block,
        meet: Block,
    ) {
        let [made, far] = [(); 2].map(|()| self.builder.create_block());
        let [cell, code] = [(); 2].map(|()| self.builder.append_block_param(made, I32));
        let shift = i64::from(self.layout.cdr_shift);
        let nil = self.layout.cdr_nil;
        let mut counted = None;
        if !self.is_uncounted(cdr_slot) {
            let entry = self.type_entry(cdr);
            let type_bits = i64::from(type_entry::NUMBER | type_entry::NO_REF);
            let number = self.builder.ins().band_imm_u(entry, type_bits);
            let is_list = self.equals(number, types::LISTP.into());
            let bit = i64::from(type_entry::NO_REF);
            let not_counted = self.builder.ins().band_imm_u(entry, bit);
            counted = Some(self.equals(not_counted, 0));
            let near = self.builder.create_block();
            self.builder.ins().brif(is_list, near, &[], far, &[]);
            self.builder.switch_to_block(near);
            let pointer = self.masked(cdr);
            let taken = self.take_cell_before(pointer, far);
            let code = self.builder.ins().ishl_imm_u(taken.distance, shift);
            let code = (self.builder.ins()).bor_imm_u(code, i64::from(nil << shift));
            let args = [taken.cell, code].map(Into::into);
            self.builder.ins().jump(made, &args);
        } else {
            self.builder.ins().jump(far, &[]);
        }
        self.builder.switch_to_block(far);
        let ends = self.constant(nil << shift);
        if is_nil(cdr_slot) {
            let cell = self.take_listed_cells(None, slow);
            let args = [cell, ends].map(Into::into);
            self.builder.ins().jump(made, &args);
        } else {
            let cell = self.take_listed_cells(Some(cdr), slow);
            let next = self.constant(1 << shift);
            let code = self.builder.ins().select(cdr, next, ends);
            let args = [cell, code].map(BlockArg::from);
            let holder = self.builder.create_block();
            self.builder.ins().brif(cdr, holder, &[], made, &args);
            self.builder.switch_to_block(holder);
            let at = self.builder.ins().iadd_imm_s(cell, 2);
            let held = self.masked(cdr);
            self.store_cell(at, held);
            self.builder.ins().jump(made, &args);
        }
        self.builder.switch_to_block(made);
        self.set_list_cell(cell, car, code);
        self.count_allocation(types::LISTP.into());
        self.count_new_cell(cell, (car_slot, car), (cdr, counted), meet);
    }

    /// 1 if the cells of the page that `object` is on are list cells, and counted.
    fn is_counted_list(&mut self, object: Value) -> Value {
        let entry = self.type_entry(object);
        let bits = i64::from(type_entry::NUMBER | type_entry::NO_REF);
        let number = self.builder.ins().band_imm_u(entry, bits);
        self.equals(number, types::LISTP.into())
    }

    /// Goes to `found` with the page of the list cell `cdr`, to `far` if it is something
    /// else, or goes on if it is NIL.
    fn page_of_list(&mut self, cdr: Value, found: Block, far: Block) {
        let is_list = self.is_counted_list(cdr);
        let (list, other) = (self.builder.create_block(), self.builder.create_block());
        self.builder.ins().brif(is_list, list, &[], other, &[]);
        self.builder.switch_to_block(list);
        let mask = i64::from(self.layout.pointer_mask & !0xFF);
        let page = self.builder.ins().band_imm_u(cdr, mask);
        self.builder.ins().jump(found, &[page.into()]);
        self.builder.switch_to_block(other);
        let nil = self.builder.create_block();
        self.builder.ins().brif(cdr, far, &[], nil, &[]);
        self.builder.switch_to_block(nil);
    }

    /// The first page with free cells. Goes to `slow` if there is none.
    fn first_cons_page(&mut self, slow: Block) -> Value {
        let next = (self.layout.dtd)(types::LISTP.into()).add(self.layout.dtd_fields.next_page);
        let next = self.constant(next.0);
        let number = self.load_word(next, 0);
        let page = self.builder.ins().ishl_imm_u(number, 8);
        self.go_on_if(page, slow);
        let is_list = self.is_counted_list(page);
        self.go_on_if(is_list, slow);
        page
    }

    /// Takes the first free cell of `page`; goes to `none` if there is none. The upper half
    /// of the page's header is the number of free cells and the place of the first; the
    /// upper byte of a free cell is the place of the next.
    fn take_first_cell(&mut self, page: Value, none: Block) -> Value {
        let (header, state) = self.free_cells(page, 1, none);
        let (cell, next) = self.free_cell(page, state, none);
        self.set_free_cells(header, state, 1, next);
        cell
    }

    /// The same for two: the second, and the first, which has the second for its cdr.
    fn take_two_cells(&mut self, page: Value, none: Block) -> (Value, Value) {
        let (header, state) = self.free_cells(page, 2, none);
        let (second, next) = self.free_cell(page, state, none);
        let (first, next) = self.free_cell(page, next, none);
        self.set_free_cells(header, state, 2, next);
        (second, first)
    }

    /// Host address of the header of `page`, and its upper half. Goes to `none` if there
    /// are fewer free cells than `least`.
    fn free_cells(&mut self, page: Value, least: i64, none: Block) -> (Value, Value) {
        let at = i64::from(self.layout.cons_page.header);
        let at = self.builder.ins().iadd_imm_u(page, at);
        let header = self.address(at);
        let flags = MemFlagsData::new().with_notrap();
        let state = self.builder.ins().load(I16, flags, header, 2);
        let state = self.builder.ins().uextend(I32, state);
        let above = IntCC::UnsignedGreaterThanOrEqual;
        let some = self.builder.ins().icmp_imm_u(above, state, least << 8);
        self.go_on_if(some, none);
        (header, state)
    }

    /// The free cell of `page` at the place in the lower byte of `place`, and in its
    /// lower byte the place of the next. Goes to `none` if that is no place.
    fn free_cell(&mut self, page: Value, place: Value, none: Block) -> (Value, Value) {
        let place = self.builder.ins().band_imm_u(place, 0xFE);
        let above = IntCC::UnsignedGreaterThanOrEqual;
        let least = i64::from(self.layout.cons_page.first);
        let is_place = self.builder.ins().icmp_imm_u(above, place, least);
        self.go_on_if(is_place, none);
        let cell = self.builder.ins().iadd(page, place);
        let host = self.address(cell);
        let flags = MemFlagsData::new().with_notrap();
        let next = self.builder.ins().load(I8, flags, host, 3);
        (cell, self.builder.ins().uextend(I32, next))
    }

    /// Stores that so many free cells of those that `state` says are taken, and the place of
    /// the first one left.
    fn set_free_cells(&mut self, header: Value, state: Value, taken: i64, first: Value) {
        let first = self.builder.ins().band_imm_u(first, 0xFE);
        let rest = self.builder.ins().iadd_imm_s(state, -taken << 8);
        let rest = self.builder.ins().band_imm_u(rest, 0xFF00);
        let rest = self.builder.ins().bor(rest, first);
        let rest = self.builder.ins().ireduce(I16, rest);
        let flags = MemFlagsData::new().with_notrap();
        self.builder.ins().store(flags, rest, header, 2);
    }

    /// The code of NIL or of the list cell at the even place `place` on the page, where
    /// it lies in a list cell.
    fn code_of_place(&mut self, place: Value) -> Value {
        let shift = i64::from(self.layout.cdr_shift);
        let code = self.builder.ins().ishl_imm_u(place, shift - 1);
        let nil = i64::from(self.layout.cdr_nil) << shift;
        self.builder.ins().bor_imm_u(code, nil)
    }

    /// Stores `car` and the code, which is where it lies in a list cell.
    fn set_list_cell(&mut self, cell: Value, car: Value, code: Value) {
        let car = self.masked(car);
        let content = self.builder.ins().bor(car, code);
        self.store_cell(cell, content);
    }

    /// Counts what the new list cell `cell` refers to, and the cell; goes to `meet` with
    /// it. The type of the cdr is counted if a value says so that is not 0.
    ///
    /// ```text
    /// cdr is counted: car is not counted, cdr has count 0, and cell no entry:
    ///                     cdr's entry = empty; cell's entry = count 0; done
    ///                 ADDREF cdr
    /// car is counted: ADDREF car
    /// note the new cell
    /// ```
    fn count_new_cell(
        &mut self,
        cell: Value,
        (car_slot, car): (Slot, Value),
        (cdr, cdr_counted): (Value, Option<Value>),
        meet: Block,
    ) {
        let not_counted = (!self.is_uncounted(car_slot)).then(|| {
            let entry = self.type_entry(car);
            let bit = i64::from(type_entry::NO_REF);
            self.builder.ins().band_imm_u(entry, bit)
        });
        if let Some(cdr_counted) = cdr_counted {
            let [list, general, fresh, next] = [(); 4].map(|()| self.builder.create_block());
            self.builder.ins().brif(cdr_counted, list, &[], next, &[]);
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
        let (cell, content, code) = self.real_cell(list, slow);
        if opcode == Opcode::Rplaca {
            self.count_replacement(content, new_slot, new);
            let car = self.masked(new);
            let bits = i64::from(!self.layout.pointer_mask);
            let bits = self.builder.ins().band_imm_u(content, bits);
            let content = self.builder.ins().bor(bits, car);
            self.store_cell(cell, content);
        } else {
            self.replace_cdr((list, cell), content, code, (new_slot, new), slow);
        }
        self.builder.ins().jump(meet, &[list.into()]);
        self.builder.switch_to_block(slow);
        let name = self.constant(opcode as u32);
        let operation = self.host.operations.replace;
        self.operate_and_meet(operation, &[name, list, new], step, meet);
        self.builder.switch_to_block(meet);
        self.replace(2, result);
    }

    /// RPLCONS.
    fn append(&mut self, step: &Step) {
        let cells = self.top(2);
        let (list, item) = (cells[0], cells[1]);
        let item_slot = self.slot(0);
        let (meet, result) = self.meeting(I32);
        let slow = self.cold_block();
        let number = self.type_number(list);
        let is_list = self.equals(number, types::LISTP.into());
        self.go_on_if(is_list, slow);
        let (cell, content, code) = self.real_cell(list, slow);
        let nil_code = self.layout.cdr_nil;
        let above = IntCC::UnsignedGreaterThanOrEqual;
        let at_once = (self.builder.ins()).icmp_imm_u(above, code, i64::from(nil_code));
        self.go_on_if(at_once, slow);
        // The new cell is counted nowhere, and the backup collector has to know of it.
        let plain = self.limit(limit::COUNTS);
        self.go_on_if(plain, slow);
        let shift = i64::from(self.layout.cdr_shift);
        let nil = i64::from(nil_code << self.layout.cdr_shift);
        let (new, reach) = if self.layout.cdr_page_relative {
            let page = i64::from(self.layout.pointer_mask & !0xFF);
            let page = self.builder.ins().band_imm_u(cell, page);
            let new = self.take_first_cell(page, slow);
            let place = self.builder.ins().band_imm_u(new, 0xFE);
            (new, self.code_of_place(place))
        } else {
            let from = self.masked(cell);
            let taken = self.take_cell_behind(from, slow);
            let reach = self.builder.ins().ishl_imm_u(taken.distance, shift);
            (taken.cell, self.builder.ins().bor_imm_u(reach, nil))
        };
        let nothing = self.constant(0);
        let ends = self.equals(code, nil_code);
        let behind = self.cdr_place(cell, code);
        let old = self.builder.ins().select(ends, nothing, behind);
        self.count_replacement(old, item_slot, item);
        let ends = self.constant(nil as u32);
        self.set_list_cell(new, item, ends);
        self.set_list_cell(cell, content, reach);
        self.count_allocation(types::LISTP.into());
        self.builder.ins().jump(meet, &[new.into()]);
        self.builder.switch_to_block(slow);
        let operation = self.host.operations.append;
        self.operate_and_meet(operation, &cells, step, meet);
        self.builder.switch_to_block(meet);
        self.replace(2, result);
    }

    /// The list cell `list`, or the one it forwards to, what it contains, and its code. Goes
    /// to `slow` if that forwards, too.
    pub(super) fn real_cell(&mut self, list: Value, slow: Block) -> (Value, Value, Value) {
        let shift = i64::from(self.layout.cdr_shift);
        let real = self.builder.create_block();
        let [cell, content] = [(); 2].map(|()| self.builder.append_block_param(real, I32));
        let forwarder = self.cold_block();
        let there = self.load_cell(list, 0);
        let code = self.builder.ins().ushr_imm_u(there, shift);
        let args = [list, there].map(BlockArg::from);
        self.builder.ins().brif(code, real, &args, forwarder, &[]);
        self.builder.switch_to_block(forwarder);
        let target = self.masked(there);
        let there = self.load_cell(target, 0);
        let code = self.builder.ins().ushr_imm_u(there, shift);
        let args = [target, there].map(BlockArg::from);
        self.builder.ins().brif(code, real, &args, slow, &[]);
        self.builder.switch_to_block(real);
        let code = self.builder.ins().ushr_imm_u(content, shift);
        (cell, content, code)
    }

    /// RPLACD of the list cell `list`, which contains `content` with the code `code`, and was
    /// reached as `named`.
    fn replace_cdr(
        &mut self,
        (named, list): (Value, Value),
        content: Value,
        code: Value,
        (new_slot, new): (Slot, Value),
        slow: Block,
    ) {
        let nil_code = i64::from(self.layout.cdr_nil);
        let above = IntCC::UnsignedGreaterThanOrEqual;
        let at_once = self.builder.ins().icmp_imm_u(above, code, nil_code);
        let [coded, elsewhere, found] = [0; 3].map(|_| self.builder.create_block());
        // What is to be stored where, instead of what.
        let [at, cell, old] = [0; 3].map(|_| self.builder.append_block_param(found, I32));
        self.builder.ins().brif(at_once, coded, &[], elsewhere, &[]);
        self.builder.switch_to_block(elsewhere);
        let holder = self.cdr_place(list, code);
        let held = self.load_cell(holder, 0);
        let pointer = self.masked(new);
        let args = [holder, pointer, held].map(Into::into);
        self.builder.ins().jump(found, &args);
        self.builder.switch_to_block(coded);
        let before = self.cdr_place(list, code);
        let nothing = self.constant(0);
        let ends = self.equals(code, self.layout.cdr_nil);
        let before = self.builder.ins().select(ends, nothing, before);
        let car = self.masked(content);
        let far = self.cold_block();
        let code = self.code_of_cdr(list, new, far);
        let with_code = self.builder.ins().bor(car, code);
        let args = [list, with_code, before].map(Into::into);
        self.builder.ins().jump(found, &args);
        self.builder.switch_to_block(far);
        if self.layout.cdr_page_relative {
            self.builder.ins().jump(slow, &[]);
        } else {
            let moved = self.move_list_cell((named, list), car, new, slow);
            let args = [list, moved, before].map(Into::into);
            self.builder.ins().jump(found, &args);
        }
        self.builder.switch_to_block(found);
        self.count_replacement(old, new_slot, new);
        self.store_cell(at, cell);
    }

    /// A new list cell of `car` and `new` on another page, for the list cell `list`, which no
    /// free cell is close to, to forward to. Goes to `slow` if `list` is forwarded to itself,
    /// where cells of the other half of its page may be close, and while the backup collector
    /// watches.
    fn move_list_cell(
        &mut self,
        (named, list): (Value, Value),
        car: Value,
        new: Value,
        slow: Block,
    ) -> Value {
        let is_first = self.builder.ins().icmp(IntCC::Equal, named, list);
        self.go_on_if(is_first, slow);
        let reaches_end = self.is_before_upper_half(list);
        let elsewhere = self.equals(reaches_end, 0);
        self.go_on_if(elsewhere, slow);
        let plain = self.limit(limit::COUNTS);
        self.go_on_if(plain, slow);
        let has_cdr = self.constant(1);
        let moved = self.take_listed_cells(Some(has_cdr), slow);
        let holder = self.builder.ins().iadd_imm_s(moved, 2);
        let held = self.masked(new);
        self.store_cell(holder, held);
        let next = self.constant(1 << self.layout.cdr_shift);
        self.set_list_cell(moved, car, next);
        moved
    }

    /// The code that makes `new` the cdr of `list`, where it lies in a list cell. Goes to
    /// `slow` if there is none.
    fn code_of_cdr(&mut self, list: Value, new: Value, slow: Block) -> Value {
        let page = i64::from(self.layout.pointer_mask & !0xFF);
        let other = self.builder.ins().bxor(list, new);
        let other = self.builder.ins().band_imm_u(other, page);
        let pointer = self.masked(new);
        if self.layout.cdr_page_relative {
            let same = self.equals(other, 0);
            let nil = self.equals(pointer, 0);
            let sayable = self.builder.ins().bor(same, nil);
            self.go_on_if(sayable, slow);
            let place = self.builder.ins().band_imm_u(new, 0xFE);
            return self.code_of_place(place);
        }
        let shift = i64::from(self.layout.cdr_shift);
        let nil = self.layout.cdr_nil << shift;
        let (found, code) = self.meeting(I32);
        let [some, near, far] = [(); 3].map(|()| self.builder.create_block());
        let ends = self.constant(nil);
        self.builder
            .ins()
            .brif(pointer, some, &[], found, &[ends.into()]);
        self.builder.switch_to_block(some);
        let cell = self.masked(list);
        let words = self.builder.ins().isub(pointer, cell);
        let cells = self.builder.ins().ushr_imm_u(words, 1);
        let above_least = self.builder.ins().iadd_imm_s(words, -2);
        let reach = i64::from(2 * (self.layout.cdr_nil - 1) - 1);
        let close = IntCC::UnsignedLessThan;
        let reached = self.builder.ins().icmp_imm_u(close, above_least, reach);
        let same = self.equals(other, 0);
        let sayable = self.builder.ins().band(same, reached);
        self.builder.ins().brif(sayable, near, &[], far, &[]);
        self.builder.switch_to_block(near);
        let said = self.builder.ins().ishl_imm_u(cells, shift);
        let said = self.builder.ins().bor_imm_u(said, i64::from(nil));
        self.builder.ins().jump(found, &[said.into()]);
        self.builder.switch_to_block(far);
        let taken = self.take_cell_behind(cell, slow);
        self.store_cell(taken.cell, pointer);
        let said = self.builder.ins().ishl_imm_u(taken.distance, shift);
        self.builder.ins().jump(found, &[said.into()]);
        self.builder.switch_to_block(found);
        code
    }
}

fn is_nil(slot: Slot) -> bool {
    matches!(slot, Slot::Constant(0))
}
