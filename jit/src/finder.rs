//! The search for free variables in native code. It is called through a door that changes no
//! register, and uses few.
//!
//! ```text
//! from the frame that asks, follow access links straight down the stack:
//!     the frame where native code was entered: what a search for the name found there before
//!     a frame that binds the variable or knows where it is: that
//! its address is stored in the slot of the frame that asks, and answered
//! the caller of that frame has it where its table names it first: the site is told where
//! anything else: the machine is to search
//! ```

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{Block, BlockArg, Function, InstBuilder, MemFlagsData, Value};
use cranelift_codegen::isa::TargetFrontendConfig;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use geiko_runtime::layout::records::{frame, function, locator};
use geiko_runtime::layout::{Generation, STACK};
use geiko_runtime::memory::LispPtr;
use geiko_runtime::stack::found;

use crate::sites::known;
use crate::translate::{self, AWAY};

/// What is answered if the machine is to search.
pub const NOT_FOUND: i64 = 1 << 32;

/// Addresses in this process that the search refers to.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    /// Where the address of Lisp memory is.
    pub base: i64,
    /// Where it is said in which frame native code was entered.
    pub entered: i64,
    /// Where the address of what searches found before is.
    pub found: i64,
    /// Where the answer is left.
    pub answer: i64,
}

/// Word offsets from PVAR slot 0 of cells of a frame.
const LINK: i64 = -(frame::WORDS as i64);
const FUNCTION: i64 = LINK + frame::FUNCTION as i64;
const BASIC: i64 = LINK - 2;

struct Finder<'f> {
    builder: FunctionBuilder<'f>,
    base: Value,
    mask: u32,
    answer: i64,
    /// Where to go if the machine is to search.
    unknown: Block,
}

/// What is searched, and where that leads.
struct Search {
    name: Value,
    site: Value,
    /// Offset of the frame where native code was entered.
    entered: Value,
    /// Goes on with the caller of a frame.
    frames: Block,
    /// Ends with an address.
    found: Block,
}

/// The frame whose variables are looked at.
struct Caller {
    /// Where it is on the stack, and as a Lisp address.
    offset: Value,
    frame: Value,
    /// The cell with its access link.
    link: Value,
    /// The cell that says whose frame it is.
    function: Value,
    /// The names of that function, and how many words they take; where they are is behind them.
    table: Value,
    names: Value,
}

impl Caller {
    /// Arguments of [`Search::frames`]: the variable is not there.
    fn as_next(&self) -> [BlockArg; 2] {
        [self.frame.into(), self.link.into()]
    }
}

/// Writes the search into `code`. It takes the Lisp address of the frame that asks plus
/// [`AWAY`], the name, the byte offset of the slot from PVAR slot 0, and the address of the
/// [`crate::sites::Known`] of the slot.
pub fn write<G: Generation>(
    places: &Places,
    code: &mut Function,
    context: &mut FunctionBuilderContext,
    config: TargetFrontendConfig,
) {
    code.signature = translate::aside_signature();
    let mut builder = FunctionBuilder::new(code, context);
    let start = builder.create_block();
    builder.append_block_params_for_function_params(start);
    builder.switch_to_block(start);
    let params = builder.block_params(start).to_vec();
    let base = builder.ins().iconst(I64, places.base);
    let base = builder.ins().load(I64, trusted(), base, 0);
    let unknown = builder.create_block();
    let mut finder = Finder {
        builder,
        base,
        mask: G::POINTER_MASK,
        answer: places.answer,
        unknown,
    };
    finder.search::<G>(places, &params);
    let Finder { mut builder, .. } = finder;
    builder.seal_all_blocks();
    builder.finalize(config);
}

fn trusted() -> MemFlagsData {
    MemFlagsData::trusted()
}

impl Finder<'_> {
    fn search<G: Generation>(&mut self, places: &Places, params: &[Value]) {
        let [own, name, home, site] = [0, 1, 2, 3].map(|n| params[n]);
        let own = self.builder.ins().iadd_imm_s(own, -AWAY);
        let name = self.builder.ins().ireduce(I32, name);
        let entered = self.builder.ins().iconst(I64, places.entered);
        let entered = self.builder.ins().load(I32, trusted(), entered, 0);
        let [frames, names, found] = [(); 3].map(|()| self.builder.create_block());
        let search = Search {
            name,
            site,
            entered,
            frames,
            found,
        };
        let [at, link] = [I64, I32].map(|ty| self.builder.append_block_param(frames, ty));
        let index = self.builder.append_block_param(names, I64);
        // 1 until the name was met in the table: a site knows the first place only.
        let first = self.builder.append_block_param(names, I32);
        let address = self.builder.append_block_param(found, I32);
        let first_link = self.cell(own, LINK);
        (self.builder.ins()).jump(frames, &[own.into(), first_link.into()]);

        self.builder.switch_to_block(frames);
        let caller = self.caller::<G>(places, &search, (at, link));
        let nothing = self.builder.ins().iconst(I64, 0);
        let yes = self.builder.ins().iconst(I32, 1);
        (self.builder.ins()).jump(names, &[nothing.into(), yes.into()]);

        self.builder.switch_to_block(names);
        let [look, hit, go_on] = [(); 3].map(|()| self.builder.create_block());
        let first_behind = self.builder.append_block_param(go_on, I32);
        let more = self.is(IntCC::UnsignedLessThan, index, caller.names);
        (self.builder.ins()).brif(more, look, &[], frames, &caller.as_next());
        self.builder.switch_to_block(look);
        let entry = self.builder.ins().iadd(caller.table, index);
        let candidate = self.masked_cell(entry, 0);
        let same = self.is(IntCC::Equal, candidate, name);
        (self.builder.ins()).brif(same, hit, &[], go_on, &[first.into()]);
        self.builder.switch_to_block(go_on);
        let behind = self.builder.ins().iadd_imm_s(index, 2);
        (self.builder.ins()).jump(names, &[behind.into(), first_behind.into()]);

        self.builder.switch_to_block(hit);
        let near = self.is(IntCC::Equal, own, at);
        let near = self.builder.ins().uextend(I32, near);
        let tells = self.builder.ins().band(first, near);
        self.look_at(&search, &caller, (entry, tells), go_on);

        self.builder.switch_to_block(found);
        let mask = i64::from(self.mask & !1);
        let address = self.builder.ins().band_imm_u(address, mask);
        let slot = self.builder.ins().rotl_imm_u(address, 16);
        let homes = self.host_address(own);
        let homes = self.builder.ins().iadd(homes, home);
        self.builder.ins().store(trusted(), slot, homes, 0);
        let answer = self.builder.ins().uextend(I64, slot);
        self.end(answer);

        self.builder.switch_to_block(self.unknown);
        let answer = self.builder.ins().iconst(I64, NOT_FOUND);
        self.end(answer);
    }

    /// The frame that called the one at `at`, in which the variable is not. Goes to
    /// `found` if native code was entered there and something was found behind it before.
    fn caller<G: Generation>(
        &mut self,
        places: &Places,
        search: &Search,
        (at, link): (Value, Value),
    ) -> Caller {
        let offset = self.builder.ins().ireduce(I32, at);
        let offset = self.builder.ins().band_imm_u(offset, 0xFFFF);
        let caller = self.builder.ins().band_imm_u(link, 0xFFFE);
        let inside = self.is(IntCC::UnsignedGreaterThan, offset, search.entered);
        let recall = self.builder.create_block();
        let next = self.builder.create_block();
        self.builder.ins().brif(inside, next, &[], recall, &[]);
        self.builder.switch_to_block(recall);
        self.recall(places, search.name, search.found);
        self.builder.switch_to_block(next);
        let down = self.is(IntCC::UnsignedLessThan, caller, offset);
        self.go_on_if(down);
        let known = self.is(IntCC::UnsignedGreaterThanOrEqual, caller, search.entered);
        self.go_on_if(known);
        let wide = self.builder.ins().uextend(I64, caller);
        let frame = (self.builder.ins()).iadd_imm_s(wide, i64::from(STACK.0));
        let link = self.cell(frame, LINK);
        let own_table = i64::from(frame::flag::VALID_NAME_TABLE) << 16;
        let own_table = self.builder.ins().band_imm_u(link, own_table);
        let shared = self.builder.ins().icmp_imm_u(IntCC::Equal, own_table, 0);
        self.go_on_if(shared);
        let function = self.cell(frame, FUNCTION);
        let header = match G::frame_pointer(LispPtr(1)).0 {
            1 => function,
            _ => self.builder.ins().rotl_imm_u(function, 16),
        };
        let header = self.builder.ins().uextend(I64, header);
        let names = self.masked_cell(header, i64::from(function::NAME_TABLE_SIZE));
        let names = self.builder.ins().ushr_imm_u(names, 16);
        let names = self.builder.ins().uextend(I64, names);
        let table = (self.builder.ins()).iadd_imm_s(header, i64::from(function::WORDS));
        Caller {
            offset: caller,
            frame,
            link,
            function,
            table,
            names,
        }
    }

    /// The table of `caller` has the name at `entry`. Goes to `found` with where the frame
    /// has it, to `not_bound` if it is not bound there, or on to the next frame.
    fn look_at(
        &mut self,
        search: &Search,
        caller: &Caller,
        (entry, tells): (Value, Value),
        not_bound: Block,
    ) {
        let entry = self.builder.ins().iadd(entry, caller.names);
        let place = self.masked_cell(entry, 0);
        let kind = self.builder.ins().ushr_imm_u(place, 24);
        let number = self.builder.ins().band_imm_u(place, 0xFF);
        let words = self.builder.ins().ishl_imm_u(number, 1);
        let variable = self.builder.ins().iadd(caller.offset, words);
        let variable = self.stack_address(variable);
        let wide = self.builder.ins().uextend(I64, variable);
        let cell = self.cell(wide, 0);
        let [local, other, free, looked, argument] = [(); 5].map(|()| self.builder.create_block());
        let is_local = self.has(kind, locator::LOCAL);
        self.builder.ins().brif(is_local, local, &[], other, &[]);
        self.builder.switch_to_block(local);
        let unbound = (self.builder.ins()).icmp_imm_s(IntCC::SignedLessThan, cell, 0);
        let bound = self.builder.create_block();
        let no = self.builder.ins().iconst(I32, 0);
        (self.builder.ins()).brif(unbound, not_bound, &[no.into()], bound, &[]);
        self.builder.switch_to_block(bound);
        let bytes = self.builder.ins().ishl_imm_u(number, 2);
        self.tell_site(search.site, tells, caller.function, bytes);
        (self.builder.ins()).jump(search.found, &[variable.into()]);

        self.builder.switch_to_block(other);
        let is_free = self.has(kind, locator::FREE);
        self.builder.ins().brif(is_free, free, &[], argument, &[]);
        self.builder.switch_to_block(free);
        let unlooked = self.builder.ins().band_imm_u(cell, 0x1_0000);
        let next = caller.as_next();
        (self.builder.ins()).brif(unlooked, search.frames, &next, looked, &[]);
        self.builder.switch_to_block(looked);
        let bytes = self.builder.ins().ishl_imm_u(number, 2);
        let bytes = self.builder.ins().iadd_imm_s(bytes, 1);
        self.tell_site(search.site, tells, caller.function, bytes);
        let address = self.builder.ins().rotl_imm_u(cell, 16);
        (self.builder.ins()).jump(search.found, &[address.into()]);

        self.builder.switch_to_block(argument);
        let is_argument = self.has(kind, locator::ARGUMENT);
        self.go_on_if(is_argument);
        let basic = self.cell(caller.frame, BASIC);
        let variable = self.builder.ins().iadd(basic, words);
        let variable = self.stack_address(variable);
        (self.builder.ins()).jump(search.found, &[variable.into()]);
    }

    /// Goes to `found` with what was found for `name` beyond the frame where native code
    /// was entered.
    fn recall(&mut self, places: &Places, name: Value, found: Block) {
        let memory = self.builder.ins().iconst(I64, places.found);
        let memory = self.builder.ins().load(I64, trusted(), memory, 0);
        let number = (self.builder.ins()).load(I64, trusted(), memory, found::ENTRY);
        let low = self.builder.ins().ireduce(I32, number);
        let mixed = self.builder.ins().bxor(low, name);
        let mixed = (self.builder.ins()).imul_imm_u(mixed, i64::from(found::FACTOR));
        let slot = self.builder.ins().ushr_imm_u(mixed, 16);
        let slot = (self.builder.ins()).band_imm_u(slot, found::SLOTS as i64 - 1);
        let slot = self.builder.ins().uextend(I64, slot);
        let bytes = self.builder.ins().imul_imm_u(slot, found::SLOT_BYTES);
        let slot = self.builder.ins().iadd(memory, bytes);
        let entry = (self.builder.ins()).load(I64, trusted(), slot, found::SLOT_ENTRY);
        let same = self.is(IntCC::Equal, entry, number);
        self.go_on_if(same);
        let known = (self.builder.ins()).load(I32, trusted(), slot, found::SLOT_NAME);
        let same = self.is(IntCC::Equal, known, name);
        self.go_on_if(same);
        let address = (self.builder.ins()).load(I32, trusted(), slot, found::SLOT_ADDRESS);
        self.builder.ins().jump(found, &[address.into()]);
    }

    /// Tells the site where the frames of `function` have the variable, if `tells` is not 0.
    fn tell_site(&mut self, site: Value, tells: Value, function: Value, place: Value) {
        let [tell, next] = [(); 2].map(|()| self.builder.create_block());
        self.builder.ins().brif(tells, tell, &[], next, &[]);
        self.builder.switch_to_block(tell);
        (self.builder.ins()).store(trusted(), function, site, known::FUNCTION);
        (self.builder.ins()).store(trusted(), place, site, known::PLACE);
        self.builder.ins().jump(next, &[]);
        self.builder.switch_to_block(next);
    }

    fn is(&mut self, condition: IntCC, a: Value, b: Value) -> Value {
        self.builder.ins().icmp(condition, a, b)
    }

    fn has(&mut self, kind: Value, wanted: u8) -> Value {
        (self.builder.ins()).icmp_imm_u(IntCC::Equal, kind, i64::from(wanted))
    }

    /// Leaves it to the machine unless `condition` holds.
    fn go_on_if(&mut self, condition: Value) {
        let next = self.builder.create_block();
        (self.builder.ins()).brif(condition, next, &[], self.unknown, &[]);
        self.builder.switch_to_block(next);
    }

    /// Lisp address of the stack cell at an offset, of which the low half counts.
    fn stack_address(&mut self, offset: Value) -> Value {
        let offset = self.builder.ins().band_imm_u(offset, 0xFFFF);
        (self.builder.ins()).bor_imm_u(offset, i64::from(STACK.0))
    }

    fn host_address(&mut self, at: Value) -> Value {
        let bytes = self.builder.ins().ishl_imm_u(at, 1);
        self.builder.ins().iadd(self.base, bytes)
    }

    /// The cell `words` words behind the address `at` of the stack.
    fn cell(&mut self, at: Value, words: i64) -> Value {
        let address = self.host_address(at);
        let flags = MemFlagsData::new().with_notrap();
        (self.builder.ins()).load(I32, flags, address, 2 * words as i32)
    }

    /// The cell `words` words behind any address `at`.
    fn masked_cell(&mut self, at: Value, words: i64) -> Value {
        let at = self.builder.ins().iadd_imm_s(at, words);
        let at = self.builder.ins().band_imm_u(at, i64::from(self.mask));
        self.cell(at, 0)
    }

    fn end(&mut self, answer: Value) {
        let at = self.builder.ins().iconst(I64, self.answer);
        self.builder.ins().store(trusted(), answer, at, 0);
        self.builder.ins().return_(&[]);
    }
}
