//! What the shadow is not compared in, and when it becomes a copy again.

use super::*;
use crate::layout::{Medley2, Medley3};
use crate::testing::with_machine;

/// A machine that has taken a unit for boxes, and its shadow.
fn with_shadow<G: Generation>(test: impl for<'m> FnOnce(&mut Machine<'m, G>, &mut Shadow<'m, G>)) {
    with_machine::<G>(|mut m| {
        m.boxed(types::FIXP, 7);
        // It is to live longer than the machine.
        let space = Box::leak(Box::new(AddressSpace::reserve().expect("address space")));
        m.set_shadow(space.attention(), space, 1);
        m.renew_shadow();
        let mut shadow = m.shadow.take().expect("a shadow");
        test(&mut m, &mut shadow);
    });
}

fn pages_of_the_shadow<G: Generation>() {
    with_shadow::<G>(|m, shadow| {
        let taken = shadow.machine.active_pages();
        while shadow.machine.active_pages() == taken {
            shadow.machine.boxed(types::FIXP, 7);
        }
        assert!(shadow.has_strayed(m));
        let page = shadow.machine.file_page(taken + 1);
        shadow.copy(m);
        assert_eq!(read(shadow.machine.mem, page), read(m.mem, page));
    });
}

#[test]
fn pages_that_only_the_shadow_took_are_empty_again() {
    pages_of_the_shadow::<Medley2>();
    pages_of_the_shadow::<Medley3>();
}

#[test]
fn what_was_collected_is_not_compared() {
    // The same things may have been freed in another order.
    with_shadow::<Medley3>(|m, shadow| {
        m.statistics.collections += 1;
        shadow.machine.statistics.collections += 1;
        assert!(shadow.has_strayed(m));
        shadow.copy(m);
        assert!(!shadow.has_strayed(m));
    });
}

fn links_of_counts<G: Generation>() {
    with_shadow::<G>(|m, shadow| {
        // The next pair that was never used, and a pair in front of it, far from the start.
        let (next, pair) = match G::WIDE_COUNTS {
            true => (G::HT_COLLISION.add(2), G::HT_COLLISION.add(0x5000)),
            false => (G::HT_COLLISION, G::HT_COLLISION.add(0x2800)),
        };
        m.mem.set_cell(next, LispPtr(0x2900));
        m.mem.set_cell(pair, LispPtr(7));
        shadow.copy(m);
        assert_eq!(shadow.machine.mem.cell(pair), LispPtr(7));
    });
}

#[test]
fn counts_are_copied_that_are_not_part_of_the_image() {
    links_of_counts::<Medley2>();
    links_of_counts::<Medley3>();
}
