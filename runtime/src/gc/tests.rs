//! Collections of hand-made heaps.

use crate::fault::Fault;
use crate::layout::records::types;
use crate::layout::{Generation, Medley2, Medley3};
use crate::memory::LispPtr;
use crate::testing::{close_frame, declare_type, with_machine};

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
