//! A small blank machine for unit tests: no image, just the tables that the
//! operation under test needs.

pub mod assembler;
pub mod function;
pub mod images;
mod objects;
pub mod programs;
mod source;
mod world;
mod writer;

pub use crate::device::Absent as Null;
use crate::device::Devices;
use crate::layout::Generation;
use crate::layout::records::{block, frame, interface, type_entry, types};
use crate::machine::Machine;
use crate::memory::{AddressSpace, LispPtr, Mem, StackOffset};
use crate::symbols::Symbols;

/// Devices for tests.
pub fn devices() -> Devices {
    Devices::absent()
}

/// Where the running frame of a blank machine starts.
pub const FRAME: StackOffset = StackOffset(0x1900);

/// Runs `test` on a blank machine: immediate types in the type table, type
/// descriptors of FIXP, FLOATP and LISTP, page variables with room for 64 MDS
/// pages, counting on, and one frame on the stack.
pub fn with_machine<G: Generation>(test: impl FnOnce(Machine<'_, G>)) {
    let space = AddressSpace::<G>::reserve().expect("address space");
    let mem = space.view();
    let mut next_symbol = 300;
    let (symbols, _) = Symbols::find(mem, |_| {
        next_symbol += 1;
        Some(LispPtr(next_symbol))
    });
    fill_type_table(mem);
    declare_strings(mem);
    for (number, entry, size) in [
        (types::FIXP, 0x3802, 2),
        (types::FLOATP, 0x1803, 2),
        (types::LISTP, 0x0005, 4),
    ] {
        let dtd = G::dtd(u32::from(number));
        mem.set_word(dtd.add(G::DTD_FIELDS.size), size);
        mem.set_word(dtd.add(G::DTD_FIELDS.type_entry), entry);
    }
    let number = |n: u16| LispPtr::smallpos(n);
    mem.set_cell(symbols.next_mds_page, number(0x3FFE));
    mem.set_cell(symbols.least_mds_page, number(0x3FFE));
    mem.set_cell(symbols.next_array_page, number(0x3000));
    mem.set_cell(symbols.last_vmem_file_page, number(0xFFFF));
    mem.set_cell(symbols.reclaim_min, number(3000));
    mem.set_cell(symbols.reclaim_countdown, number(3000));
    mem.set_cell(symbols.guard_stack_address, number(0xF000));
    mem.set_cell(symbols.last_stack_address, number(0xFFFE));
    mem.set_word(G::HT_COLLISION.add(if G::WIDE_COUNTS { 3 } else { 1 }), 2);
    let mut machine = Machine::new(mem, symbols, devices());
    machine.set_interface_word(interface::STACK_BASE, 0x1800);
    machine.set_interface_word(interface::END_OF_STACK, 0x2FFE);
    mem.set_stack_word(StackOffset(0x2FFE), 0xE000);
    mem.set_stack_word(StackOffset(0x2FFF), 2);
    machine.regs.pvar = FRAME.add(frame::WORDS);
    machine.regs.sp = machine.regs.pvar.add(2);
    machine.end = StackOffset(0x2FFE);
    test(machine);
}

/// Declares one-dimensional arrays, so that [`string`] can make some.
fn declare_strings<G: Generation>(mem: Mem<'_, G>) {
    let dtd = G::dtd(u32::from(types::ONED_ARRAY));
    mem.set_word(dtd.add(G::DTD_FIELDS.size), 8);
    mem.set_word(dtd.add(G::DTD_FIELDS.type_entry), types::ONED_ARRAY);
}

/// A new string with room for `size` 8-bit characters at `base`, holding `text`.
pub fn string<G: Generation>(
    m: &mut Machine<'_, G>,
    base: LispPtr,
    size: u16,
    text: &[u8],
) -> LispPtr {
    const THIN: u16 = 67;
    let header = m.create_cell(types::ONED_ARRAY).expect("declared");
    let fields = G::ARRAY_FIELDS;
    m.mem.set_cell(header, base);
    m.mem.set_word(header.add(2), THIN);
    for (offset, value) in [
        (fields.fill_pointer, text.len() as u16),
        (fields.total_size, size),
    ] {
        if fields.wide {
            let value = LispPtr(u32::from(value));
            m.mem.set_cell(header.add(offset), value);
        } else {
            m.mem.set_word(header.add(offset), value);
        }
    }
    for (index, &byte) in text.iter().enumerate() {
        m.mem.set_byte(base, index as i32, byte);
    }
    header
}

/// Makes the running frame of a blank machine the only one on the stack, with
/// `values` on its evaluation stack, and closes it as for a collection. Its
/// function has no header to speak of.
pub fn close_frame<G: Generation>(m: &mut Machine<'_, G>, values: &[LispPtr]) {
    let free_block = |at: StackOffset, end: StackOffset| {
        m.mem.set_stack_word(at, block::FREE);
        m.mem.set_stack_word(at.add(1), end.sub(at.0).0);
    };
    let basic_frame = FRAME.sub(2);
    free_block(m.stack_base(), basic_frame);
    m.mem.set_stack_word(basic_frame, block::BASIC_FRAME);
    m.mem.set_stack_word(basic_frame.add(1), basic_frame.0);
    m.mem
        .set_stack(FRAME, LispPtr(u32::from(block::FRAME) << 16));
    m.mem.set_stack(FRAME.add(frame::FUNCTION), LispPtr::NIL);
    let mut at = FRAME.add(frame::WORDS + 4 + 4);
    for &value in values {
        m.mem.set_stack(at, value);
        at = at.add(2);
    }
    m.mem.set_stack_word(FRAME.add(frame::NEXT_BLOCK), at.0);
    free_block(at, m.end);
}

/// Declares a type of records of `words` words with pointers at the word offsets
/// `pointers`.
pub fn declare_type<G: Generation>(
    m: &mut Machine<'_, G>,
    number: u16,
    words: u16,
    pointers: &[u16],
) {
    let list = pointers.iter().rev().fold(LispPtr::NIL, |list, &offset| {
        m.cons(LispPtr::smallpos(offset), list)
    });
    m.add_ref(list);
    let dtd = G::dtd(u32::from(number));
    m.mem.set_word(dtd.add(G::DTD_FIELDS.size), words);
    m.mem.set_word(dtd.add(G::DTD_FIELDS.type_entry), number);
    m.mem.set_cell(dtd.add(G::DTD_FIELDS.pointers), list);
}

fn fill_type_table<G: Generation>(mem: Mem<'_, G>) {
    for entry in 0..G::TYPE_TABLE_WORDS {
        mem.set_word(G::TYPE_TABLE.add(entry), type_entry::NO_REF);
    }
    for (segment, entry) in [(0, 0xC804), (7, 0x8009), (0xE, 0xB801), (0xF, 0xB801)] {
        for unit in 0..128 {
            mem.set_word(G::TYPE_TABLE.add(segment * 128 + unit), entry);
        }
    }
}
