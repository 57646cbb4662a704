//! Collections of hand-made heaps.

use crate::fault::Fault;
use crate::layout::records::{block, frame, function, types};
use crate::layout::{Generation, Medley2, Medley3};
use crate::machine::Machine;
use crate::memory::{CodePc, LispPtr, StackOffset};
use crate::testing::{FRAME, close_frame, declare_type, with_machine};

/// Runs `$test` on both generations.
macro_rules! both {
    ($( $name:ident = $test:ident; )*) => { $(
        #[test]
        fn $name() {
            $test::<Medley2>();
            $test::<Medley3>();
        }
    )* };
}

both! {
    what_the_stack_refers_to_survives = roots;
    long_and_deep_structures_are_freed = deep;
    records_drop_their_fields = records;
    a_broken_stack_frees_nothing = broken_stack;
    code_drops_its_constants = code;
    code_in_the_closure_cache_survives_once = closure_cache;
    stack_pointers_release_frames = stack_pointer;
    pages_of_buffers_survive = buffers;
    frames_refer_to_their_functions_and_variables = frames;
    damaged_records_end = damaged;
    many_records_at_once_need_little_room = many_records;
}

fn roots<G: Generation>() {
    with_machine::<G>(|mut m| {
        let kept = m.number(1 << 20);
        let list = m.cons(kept, LispPtr::NIL);
        let lost = m.number(1 << 21);
        close_frame(&mut m, &[list]);
        m.collect();
        assert_eq!(m.statistics.objects_freed, 1);
        assert_eq!(m.number(1 << 22), lost, "the freed box is used again");
        assert_eq!(m.car(list), kept);
        assert_eq!((m.ref_count(list), m.ref_count(kept)), (0, 1));
        close_frame(&mut m, &[]);
        m.collect();
        assert_eq!(m.statistics.objects_freed, 4);
        assert_eq!(
            m.mem.cell(m.symbols.reclaim_countdown),
            LispPtr::smallpos(3000)
        );
        assert_eq!(m.fault, None);
    });
}

fn deep<G: Generation>() {
    with_machine::<G>(|mut m| {
        let mut list = LispPtr::NIL;
        for n in 0..3000 {
            // Depth in both directions.
            list = if n % 2 == 0 {
                m.cons(list, LispPtr::T)
            } else {
                m.cons(LispPtr::T, list)
            };
        }
        close_frame(&mut m, &[]);
        m.collect();
        assert_eq!(m.statistics.objects_freed, 3000);
        assert_eq!(m.fault, None);
    });
}

fn records<G: Generation>() {
    const TYPE: u16 = 100;
    with_machine::<G>(|mut m| {
        declare_type(&mut m, TYPE, 12, &[0, 4, 10]);
        let record = m.create_cell(TYPE).unwrap();
        let shared = m.number(1 << 20);
        for offset in [0, 4, 8, 10] {
            // The field at 8 is not a pointer.
            if offset != 8 {
                m.add_ref(shared);
            }
            m.mem.set_cell(record.add(offset), shared);
        }
        assert_eq!(m.ref_count(shared), 3);
        close_frame(&mut m, &[shared]);
        m.collect();
        assert_eq!(m.statistics.objects_freed, 1);
        assert_eq!(m.ref_count(shared), 0);
        assert_eq!(m.create_cell(TYPE), Some(record));
        close_frame(&mut m, &[]);
        m.collect();
        assert_eq!(m.statistics.objects_freed, 3);
        assert_eq!(m.fault, None);
    });
}

fn many_records<G: Generation>() {
    const TYPE: u16 = 100;
    const RECORDS: usize = 150_000;
    with_machine::<G>(|mut m| {
        declare_type(&mut m, TYPE, 4, &[0, 2]);
        let mut first = LispPtr::NIL;
        for _ in 0..RECORDS {
            let record = m.create_cell(TYPE).unwrap();
            m.mem.set_cell(record.add(2), first);
            m.add_ref(first);
            first = record;
        }
        close_frame(&mut m, &[]);
        m.collect();
        assert_eq!(m.statistics.objects_freed, RECORDS as u64);
        assert!(m.gc.cleared.capacity() <= 1 << 16);
        // Each is free once.
        let free = G::dtd(TYPE.into()).add(G::DTD_FIELDS.free);
        let mut seen = std::collections::HashSet::new();
        let mut at = m.mem.cell(free).masked::<G>();
        while !at.is_nil() {
            assert!(seen.insert(at));
            assert!(m.mem.cell(at.add(2)).is_nil());
            at = m.mem.cell(at).masked::<G>();
        }
        assert!(seen.len() >= RECORDS);
        assert_eq!(m.fault, None);
    });
}

fn broken_stack<G: Generation>() {
    with_machine::<G>(|mut m| {
        let lost = m.number(1 << 20);
        close_frame(&mut m, &[lost]);
        m.mem.set_stack_word(m.stack_base().add(1), 0);
        m.collect();
        assert!(matches!(m.fault, Some(Fault::BadStackBlock { .. })));
        assert_eq!(m.statistics.objects_freed, 0);
        assert_eq!(m.ref_count(lost), 0);
        assert_eq!(m.type_number(lost), types::FIXP);
    });
}

/// A code hunk of 32 words: a name, a list about it, and two instructions of
/// which the second holds `constant`.
fn code_hunk<G: Generation>(
    m: &mut Machine<'_, G>,
    name: LispPtr,
    about: LispPtr,
    constant: LispPtr,
) -> LispPtr {
    let type_number = types::CODE_HUNK_FIRST;
    let dtd = G::dtd(u32::from(type_number));
    if m.mem.word(dtd.add(G::DTD_FIELDS.size)) == 0 {
        declare_type(m, type_number, 32, &[]);
    }
    let code = m.create_cell(type_number).unwrap();
    for object in [name, about, constant] {
        m.add_ref(object);
    }
    // Two names, then the list, then the instructions.
    let start = function::WORDS + 2 * 2 + 2;
    m.mem
        .set_word(code.add(function::START_PC), 2 * start as u16);
    m.mem.set_word(code.add(function::NAME_TABLE_SIZE), 2);
    m.mem.set_cell(code.add(function::FRAME_NAME), name);
    m.mem.set_cell(code.add(start - 2), about);
    // 'NIL and a jump whose operand looks like GCONST come first.
    let mut bytes = vec![0x68, 0xB0, 0x6F, 0x6F];
    let operand = constant.0.to_be_bytes();
    bytes.extend(&operand[4 - G::OPERAND_BYTES as usize..]);
    bytes.extend([0x10, 0]);
    for (at, byte) in bytes.into_iter().enumerate() {
        m.mem.set_byte(code.add(start), at as i32, byte);
    }
    assert_eq!(m.mem.code(CodePc::new(code, 2 * start as u16), 0), 0x68);
    code
}

fn code<G: Generation>() {
    with_machine::<G>(|mut m| {
        let name = m.number(1 << 20);
        let about = m.cons(LispPtr::T, LispPtr::NIL);
        let constant = m.number(1 << 21);
        let code = code_hunk(&mut m, name, about, constant);
        close_frame(&mut m, &[code]);
        m.collect();
        assert_eq!(m.statistics.objects_freed, 0);
        close_frame(&mut m, &[]);
        m.collect();
        // The list stays: see `reclaim_code`.
        assert_eq!(m.statistics.objects_freed, 3);
        assert_eq!(m.fault, None);
    });
}

fn closure_cache<G: Generation>() {
    const CLOSURE: u16 = types::COMPILED_CLOSURE;
    with_machine::<G>(|mut m| {
        declare_type(&mut m, CLOSURE, 4, &[0, 2]);
        let name = m.number(1 << 20);
        let code = code_hunk(&mut m, name, LispPtr::NIL, LispPtr::NIL);
        let closure = m.create_cell(CLOSURE).unwrap();
        m.mem.set_cell(closure, code);
        let deleted = m.cons(LispPtr::T, LispPtr::NIL);
        m.add_ref(deleted);
        m.mem
            .set_cell(m.symbols.deleted_implicit_hash_slot, deleted);
        // Four slots, full of other things but for the one that is searched last.
        let (table, slots) = (LispPtr(0xD000), LispPtr(0xD010));
        m.mem.set_cell(table, slots);
        m.mem.set_word(table.add(2), 3);
        m.mem.set_word(table.add(4), 1);
        for slot in 0..4 {
            m.mem.set_cell(slots.add(2 * slot), deleted);
        }
        m.mem.set_cell(slots.add(4), closure);
        m.add_ref(closure);
        m.mem.set_cell(m.symbols.closure_cache, table);
        m.mem.set_cell(m.symbols.closure_cache_enabled, LispPtr::T);
        close_frame(&mut m, &[]);
        m.collect();
        assert_eq!(m.mem.cell(slots.add(4)), deleted);
        assert_eq!(m.mem.word(table.add(4)), 0);
        assert_eq!(m.ref_count(deleted), 2);
        // The code survived its own end, and went with the closure.
        assert_eq!(m.statistics.objects_freed, 3);
        assert_eq!(m.fault, None);
    });
}

fn stack_pointer<G: Generation>() {
    with_machine::<G>(|mut m| {
        declare_type(&mut m, types::STACKP, 2, &[]);
        let pointer = m.create_cell(types::STACKP).unwrap();
        close_frame(&mut m, &[]);
        m.mem.set_word(pointer.add(1), FRAME.0);
        let flags = block::FRAME | 2;
        m.mem.set_stack_word(FRAME, flags);
        m.collect();
        assert_eq!(m.mem.stack_word(FRAME), flags - 1);
        assert_eq!(m.statistics.objects_freed, 1);
        assert_eq!(m.fault, None);
    });
}

fn buffers<G: Generation>() {
    with_machine::<G>(|mut m| {
        declare_type(&mut m, types::VMEMPAGEP, 256, &[]);
        let pages = [(); 2].map(|()| m.create_cell(types::VMEMPAGEP).unwrap());
        let buffers = [LispPtr(0xD000), LispPtr(0xD010)];
        m.mem.set_cell(m.symbols.system_buffer_list, buffers[0]);
        m.mem.set_cell(buffers[0].add(6), buffers[1]);
        m.mem.set_cell(buffers[1].add(2), pages[0]);
        close_frame(&mut m, &[]);
        m.collect();
        assert_eq!(m.statistics.objects_freed, 1);
        assert_eq!(m.create_cell(types::VMEMPAGEP), Some(pages[1]));
        assert_eq!(m.ref_count(pages[0]), 1, "the buffer's");
        assert_eq!(m.mem.cell(buffers[1].add(6)).0, 1 << 31);
        assert_eq!(m.mem.cell(buffers[0].add(6)), buffers[1]);
        assert_eq!(m.fault, None);
    });
}

/// A frame with two local variables and a name table of its own on the stack.
fn frames<G: Generation>() {
    with_machine::<G>(|mut m| {
        let objects = [(); 6].map(|()| m.float(1.0));
        let [local, below, above, name, lost, argument] = objects;
        let header = code_hunk(&mut m, LispPtr::NIL, LispPtr::NIL, LispPtr::NIL);
        m.mem.set_word(header.add(function::LOCALS), 2 << 8);
        // Values: padding, one value, a table with one name, another value.
        let values = [
            local,
            lost,
            LispPtr::NIL,
            LispPtr::NIL,
            below,
            LispPtr::UNBOUND,
        ];
        close_frame(&mut m, &[]);
        let slots = FRAME.add(frame::WORDS);
        for (number, &value) in values.iter().enumerate() {
            m.mem.set_slot(slots, number as u8, value);
        }
        m.mem.set_slot(slots, 1, LispPtr(0xFFFF_0000));
        m.mem
            .set_stack(FRAME.add(frame::FUNCTION), G::to_frame_pointer(header));
        let table = slots.add(2 * values.len() as u16);
        for word in 0..12 {
            // Numbers that would be objects if they were values.
            m.mem.set_stack_word(table.add(word), lost.lo());
        }
        m.mem
            .set_stack(table.add(function::FRAME_NAME as u16), name);
        m.mem
            .set_stack_word(table.add(function::NAME_TABLE_SIZE as u16), 2);
        let flags = block::FRAME | frame::flag::VALID_NAME_TABLE;
        m.mem.set_stack_word(FRAME, flags);
        let pointer = G::to_frame_pointer(table.address());
        m.mem.set_stack(FRAME.add(frame::NAME_TABLE), pointer);
        let end = table.add(12);
        m.mem.set_stack(end, above);
        let next = end.add(2);
        m.mem.set_stack_word(FRAME.add(frame::NEXT_BLOCK), next.0);
        m.mem.set_stack_word(next, block::FREE);
        m.mem.set_stack_word(next.add(1), m.end.sub(next.0).0);
        // One argument.
        let argument_at = StackOffset(FRAME.0 - 4);
        m.mem
            .set_stack_word(m.stack_base().add(1), argument_at.sub(m.stack_base().0).0);
        m.mem.set_stack(argument_at, argument);
        m.collect();
        assert_eq!(m.fault, None);
        assert_eq!(m.statistics.objects_freed, 1);
        assert_eq!(m.float(2.0), lost);
        for object in [local, below, above, name, argument, header] {
            assert_eq!(m.ref_count(object), 0);
        }
    });
}

/// Records that refer to themselves without being counted.
fn damaged<G: Generation>() {
    const TYPE: u16 = 100;
    with_machine::<G>(|mut m| {
        declare_type(&mut m, TYPE, 4, &[0, 2]);
        let record = m.create_cell(TYPE).unwrap();
        m.mem.set_cell(record, record);
        m.mem.set_cell(record.add(2), record);
        let list = m.cons(LispPtr::NIL, LispPtr::NIL);
        m.mem.set_cell(list, LispPtr(list.0 | m.mem.cell(list).0));
        close_frame(&mut m, &[]);
        m.collect();
        assert!(m.statistics.objects_freed >= 2);
    });
}
