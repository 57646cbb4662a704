//! Counting where the entry of the count table is in use by other objects, in native code. It
//! is called through a door that changes no register, and uses few.
//!
//! ```text
//! entry of another object, countdown plain, two free pairs:
//!     a chain of two pairs, the object's first
//! a chain without the object, countdown plain, a free pair:
//!     the object's pair in front of it
//! a chain with the object:
//!     ADDREF, count 2 to largest - 2:   count += 1
//!     DELREF, count 3 to largest - 1:   count -= 1
//!     count becomes 1, countdown plain: its pair is freed; one pair that is left becomes
//!                                       the entry
//! anything else, or counting is over:   the operation of the machine
//! ```
//!
//! `runtime/src/gc/collisions.rs` does the same, store by store, and tells how chains lie in
//! memory. A new entry takes one from the countdown, and a removed one adds one.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I16, I32, I64};
use cranelift_codegen::ir::{Block, Function, InstBuilder, MemFlagsData, Value};
use cranelift_codegen::isa::TargetFrontendConfig;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use geiko_runtime::layout::Generation;
use geiko_runtime::memory::LispPtr;

use crate::translate::{self, AWAY, limit};

/// The small integer 0, as a cell.
const ZERO: i64 = LispPtr::smallpos(0).0 as i64;

/// Pairs of a chain that are looked at; the machine looks at more.
const MOST_PAIRS: i64 = 16;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new reference.
    Add,
    /// One that is gone.
    Delete,
}

/// Addresses in this process that the code refers to.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    /// Where the address of Lisp memory is.
    pub base: i64,
    /// Where the host address of the allocation countdown is.
    pub countdown: i64,
    /// Where that of the cell is that is not NIL when counting is over.
    pub disabled: i64,
    /// [`crate::workshop::Workshop::aside`].
    pub aside: i64,
    /// The operation that does all of it.
    pub operation: i64,
}

/// The code of `change`. It takes the object plus [`AWAY`].
pub fn write<G: Generation>(
    places: Places,
    change: Change,
    code: &mut Function,
    context: &mut FunctionBuilderContext,
    config: TargetFrontendConfig,
) {
    code.signature = translate::counting_signature();
    let mut builder = FunctionBuilder::new(code, context);
    let start = builder.create_block();
    builder.append_block_params_for_function_params(start);
    builder.switch_to_block(start);
    let away = builder.block_params(start)[0];
    let object = builder.ins().iadd_imm_s(away, -AWAY);
    let base = builder.ins().iconst(I64, places.base);
    let base = builder.ins().load(I64, trusted(), base, 0);
    let slow = builder.create_block();
    let writer = Writer::<G> {
        builder,
        base,
        places,
        change,
        slow,
        generation: std::marker::PhantomData,
    };
    let mut builder = writer.write(object, away);
    builder.seal_all_blocks();
    builder.finalize(config);
}

fn trusted() -> MemFlagsData {
    MemFlagsData::trusted()
}

struct Writer<'f, G> {
    builder: FunctionBuilder<'f>,
    base: Value,
    places: Places,
    change: Change,
    /// Where to go if the machine is to do it.
    slow: Block,
    generation: std::marker::PhantomData<G>,
}

/// The entry for an object.
struct Main {
    /// Its host address.
    place: Value,
    entry: Value,
}

/// A countdown that was read.
struct Countdown {
    place: Value,
    left: Value,
}

impl<'f, G: Generation> Writer<'f, G> {
    fn write(mut self, object: Value, away: Value) -> FunctionBuilder<'f> {
        let disabled = self.builder.ins().iconst(I64, self.places.disabled);
        let disabled = self.builder.ins().load(I64, trusted(), disabled, 0);
        let disabled = self.builder.ins().load(I32, trusted(), disabled, 0);
        self.leave_if(disabled);
        let main = self.main(object);
        let tag = self.builder.ins().ushr_imm_u(object, 15);
        let segment = i64::from(G::COUNT_SEGMENT);
        let tag = self.builder.ins().band_imm_u(tag, segment);
        let [chained, single] = [(); 2].map(|()| self.builder.create_block());
        let is_chain = self.builder.ins().band_imm_u(main.entry, 1);
        (self.builder.ins()).brif(is_chain, chained, &[], single, &[]);

        self.builder.switch_to_block(single);
        self.go_on_if(main.entry);
        let whose = self.builder.ins().band_imm_u(main.entry, segment);
        let own = self.builder.ins().icmp(IntCC::Equal, whose, tag);
        self.leave_if(own);
        self.begin_chain(&main, tag);

        self.builder.switch_to_block(chained);
        self.look_in_chain(&main, tag);

        self.builder.switch_to_block(self.slow);
        self.call_machine(away);
        self.builder
    }

    /// Another object's entry becomes a chain of two.
    fn begin_chain(&mut self, main: &Main, tag: Value) {
        let countdown = self.countdown(ZERO + 2, limit::DOWN);
        let nothing = self.builder.ins().iconst(I32, 0);
        let first = self.element(nothing);
        self.go_on_if(first);
        let first_next = self.behind(first);
        let second = self.element(first_next);
        self.go_on_if(second);
        let second_next = self.behind(second);
        let rest = self.element(second_next);
        self.set_element(nothing, rest);
        self.set_element(second, main.entry);
        self.set_element(second_next, nothing);
        let new = self.new_entry(tag);
        self.set_element(first, new);
        self.set_element(first_next, second);
        let link = self.builder.ins().bor_imm_u(first, 1);
        self.store(main.place, link);
        self.change_countdown(&countdown, -1);
        self.builder.ins().return_(&[]);
    }

    /// Looks for the object in a chain, and counts there.
    fn look_in_chain(&mut self, main: &Main, tag: Value) {
        let [look, other, next, found, absent] = [(); 5].map(|()| self.builder.create_block());
        let [link, previous, left] = [(); 3].map(|()| self.builder.append_block_param(look, I32));
        let head = self.builder.ins().iadd_imm_s(main.entry, -1);
        let nothing = self.builder.ins().iconst(I32, 0);
        let most = self.builder.ins().iconst(I32, MOST_PAIRS);
        let args = [head, nothing, most].map(Into::into);
        self.builder.ins().jump(look, &args);

        self.builder.switch_to_block(look);
        let entry = self.element(link);
        let segment = i64::from(G::COUNT_SEGMENT);
        let whose = self.builder.ins().band_imm_u(entry, segment);
        let own = self.builder.ins().icmp(IntCC::Equal, whose, tag);
        self.builder.ins().brif(own, found, &[], other, &[]);
        self.builder.switch_to_block(other);
        let link_next = self.behind(link);
        let behind = self.element(link_next);
        self.builder.ins().brif(behind, next, &[], absent, &[]);
        self.builder.switch_to_block(next);
        let left = self.builder.ins().iadd_imm_s(left, -1);
        let args = [behind, link, left].map(Into::into);
        self.builder.ins().brif(left, look, &args, self.slow, &[]);

        self.builder.switch_to_block(absent);
        self.put_in_front(main, head, tag);
        self.builder.switch_to_block(found);
        self.count_in_chain(main, tag, entry, (link, previous));
    }

    /// A pair for the object in front of the chain at `head`.
    fn put_in_front(&mut self, main: &Main, head: Value, tag: Value) {
        let countdown = self.countdown(ZERO + 2, limit::DOWN);
        let nothing = self.builder.ins().iconst(I32, 0);
        let first = self.element(nothing);
        self.go_on_if(first);
        let first_next = self.behind(first);
        let rest = self.element(first_next);
        self.set_element(nothing, rest);
        let new = self.new_entry(tag);
        self.set_element(first, new);
        self.set_element(first_next, head);
        let link = self.builder.ins().bor_imm_u(first, 1);
        self.store(main.place, link);
        self.change_countdown(&countdown, -1);
        self.builder.ins().return_(&[]);
    }

    /// Counts in the pair `link` of the object, whose entry is `entry`.
    fn count_in_chain(
        &mut self,
        main: &Main,
        tag: Value,
        entry: Value,
        (link, previous): (Value, Value),
    ) {
        let one = i64::from(G::COUNT_ONE);
        let (least, by, limit) = match self.change {
            Change::Add => {
                let limit = self.limit(limit::COUNTS);
                (2, one, limit)
            }
            Change::Delete => {
                let limit = i64::from(G::COUNT_MAX - 3);
                (3, -one, self.builder.ins().iconst(I32, limit))
            }
        };
        let above = self.builder.ins().isub(entry, tag);
        let above = self.builder.ins().iadd_imm_s(above, -least * one);
        let above = (self.builder.ins()).rotr_imm_u(above, i64::from(G::COUNT_SHIFT));
        let plain = (self.builder.ins()).icmp(IntCC::UnsignedLessThan, above, limit);
        let [change, other] = [(); 2].map(|()| self.builder.create_block());
        self.builder.ins().brif(plain, change, &[], other, &[]);
        self.builder.switch_to_block(change);
        let changed = self.builder.ins().iadd_imm_s(entry, by);
        self.set_element(link, changed);
        self.builder.ins().return_(&[]);

        self.builder.switch_to_block(other);
        let to_one = match self.change {
            Change::Add => tag,
            Change::Delete => self.builder.ins().bor_imm_u(tag, 2 * one),
        };
        let single = self.builder.ins().icmp(IntCC::Equal, entry, to_one);
        self.go_on_if(single);
        self.remove(main, link, previous);
    }

    /// Takes the pair `link` behind `previous` out of its chain.
    fn remove(&mut self, main: &Main, link: Value, previous: Value) {
        let countdown = self.countdown(ZERO, limit::UP);
        let [inner, outer, unlinked] = [(); 3].map(|()| self.builder.create_block());
        let head = self.builder.append_block_param(unlinked, I32);
        let link_next = self.behind(link);
        let behind = self.element(link_next);
        self.builder.ins().brif(previous, inner, &[], outer, &[]);
        self.builder.switch_to_block(inner);
        let previous_next = self.behind(previous);
        self.set_element(previous_next, behind);
        let first = self.builder.ins().iadd_imm_s(main.entry, -1);
        self.builder.ins().jump(unlinked, &[first.into()]);
        self.builder.switch_to_block(outer);
        let entry = self.builder.ins().bor_imm_u(behind, 1);
        self.store(main.place, entry);
        let first = self.builder.ins().iadd_imm_s(entry, -1);
        self.builder.ins().jump(unlinked, &[first.into()]);

        self.builder.switch_to_block(unlinked);
        self.free_pair(link);
        let [alone, done] = [(); 2].map(|()| self.builder.create_block());
        let head_next = self.behind(head);
        let more = self.element(head_next);
        self.builder.ins().brif(more, done, &[], alone, &[]);
        self.builder.switch_to_block(alone);
        let last = self.element(head);
        self.store(main.place, last);
        self.free_pair(head);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(done);
        self.change_countdown(&countdown, 1);
        self.builder.ins().return_(&[]);
    }

    fn free_pair(&mut self, link: Value) {
        let nothing = self.builder.ins().iconst(I32, 0);
        let free = self.element(nothing);
        self.set_element(link, nothing);
        let next = self.behind(link);
        self.set_element(next, free);
        self.set_element(nothing, link);
    }

    /// Has the machine do it.
    fn call_machine(&mut self, away: Value) {
        let door = self.builder.ins().iconst(I64, self.places.aside);
        let signature = self.builder.import_signature(translate::aside_signature());
        let operation = self.builder.ins().iconst(I64, self.places.operation);
        let object = self.builder.ins().uextend(I64, away);
        let args = [operation, object, object, object, object];
        self.builder.ins().call_indirect(signature, door, &args);
        self.builder.ins().return_(&[]);
    }

    /// The entry that the change makes where there was none.
    fn new_entry(&mut self, tag: Value) -> Value {
        match self.change {
            Change::Add => {
                let two = i64::from(2 * G::COUNT_ONE);
                self.builder.ins().bor_imm_u(tag, two)
            }
            Change::Delete => tag,
        }
    }

    /// The entry for objects like `object`.
    fn main(&mut self, object: Value) -> Main {
        let low = self.builder.ins().band_imm_u(object, 0xFFFE);
        let (at, scale) = if G::WIDE_COUNTS {
            (low, 1)
        } else {
            (self.builder.ins().bxor_imm_u(low, 2), 0)
        };
        let at = self.builder.ins().uextend(I64, at);
        let bytes = self.builder.ins().ishl_imm_u(at, scale);
        let place = self.builder.ins().iadd(self.base, bytes);
        let table = i64::from(G::HT_MAIN.0) * 2;
        let place = self.builder.ins().iadd_imm_s(place, table);
        let entry = self.load(place);
        Main { place, entry }
    }

    /// The index behind `index`.
    fn behind(&mut self, index: Value) -> Value {
        self.builder.ins().iadd_imm_s(index, 1)
    }

    /// Host address of the element `index` of the collision table.
    fn element_place(&mut self, index: Value) -> Value {
        let (at, scale) = if G::WIDE_COUNTS {
            let mask = i64::from(G::HT_COLLISION_LIMIT | 0xF);
            (self.builder.ins().band_imm_u(index, mask), 2)
        } else {
            let word = self.builder.ins().band_imm_u(index, 0xFFFF);
            (self.builder.ins().bxor_imm_u(word, 1), 1)
        };
        let at = self.builder.ins().uextend(I64, at);
        let bytes = self.builder.ins().ishl_imm_u(at, scale);
        let place = self.builder.ins().iadd(self.base, bytes);
        let table = i64::from(G::HT_COLLISION.0) * 2;
        self.builder.ins().iadd_imm_s(place, table)
    }

    fn element(&mut self, index: Value) -> Value {
        let place = self.element_place(index);
        self.load(place)
    }

    fn set_element(&mut self, index: Value, value: Value) {
        let place = self.element_place(index);
        self.store(place, value);
    }

    /// What a count table has at a host address.
    fn load(&mut self, place: Value) -> Value {
        let flags = MemFlagsData::new().with_notrap();
        if G::WIDE_COUNTS {
            return self.builder.ins().load(I32, flags, place, 0);
        }
        let entry = self.builder.ins().load(I16, flags, place, 0);
        self.builder.ins().uextend(I32, entry)
    }

    fn store(&mut self, place: Value, value: Value) {
        let flags = MemFlagsData::new().with_notrap();
        let value = if G::WIDE_COUNTS {
            value
        } else {
            self.builder.ins().ireduce(I16, value)
        };
        self.builder.ins().store(flags, value, place, 0);
    }

    /// The countdown, if it is at least `least` and plain; see [`crate::translate::limit`].
    fn countdown(&mut self, least: i64, limit: i32) -> Countdown {
        let place = self.builder.ins().iconst(I64, self.places.countdown);
        let place = self.builder.ins().load(I64, trusted(), place, 0);
        let left = self.builder.ins().load(I32, trusted(), place, 0);
        let above = self.builder.ins().iadd_imm_s(left, -least);
        let limit = self.limit(limit);
        let plain = (self.builder.ins()).icmp(IntCC::UnsignedLessThan, above, limit);
        self.go_on_if(plain);
        Countdown { place, left }
    }

    fn change_countdown(&mut self, countdown: &Countdown, by: i64) {
        let left = self.builder.ins().iadd_imm_s(countdown.left, by);
        (self.builder.ins()).store(trusted(), left, countdown.place, 0);
    }

    fn limit(&mut self, offset: i32) -> Value {
        self.builder.ins().load(I32, trusted(), self.base, offset)
    }

    /// Leaves it to the machine unless `condition` holds.
    fn go_on_if(&mut self, condition: Value) {
        let next = self.builder.create_block();
        (self.builder.ins()).brif(condition, next, &[], self.slow, &[]);
        self.builder.switch_to_block(next);
    }

    /// Leaves it to the machine if `condition` holds.
    fn leave_if(&mut self, condition: Value) {
        let next = self.builder.create_block();
        (self.builder.ins()).brif(condition, self.slow, &[], next, &[]);
        self.builder.switch_to_block(next);
    }
}
