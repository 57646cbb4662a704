//! Collections in the real image of Medley 2.01, audited.

use crate::audit::Cause;
use crate::image::testing::with_medley;
use crate::interp::Exit;
use crate::layout::Medley2;
use crate::machine::Machine;
use crate::memory::LispPtr;

/// Checks the image except for the causes of differences that are harmless, and
/// answers how many objects are counted too high for an unknown reason.
fn too_high(m: &Machine<'_, Medley2>) -> u32 {
    let audit = m.audit();
    assert_eq!(audit.defects(), Vec::<String>::new());
    let causes = audit.by_cause();
    assert_eq!(causes.get(&Cause::TooLow), None, "{audit}");
    causes.get(&Cause::TooHigh).copied().unwrap_or(0)
}

#[test]
fn counts_stay_exact_while_lisp_runs() {
    with_medley(|mem, image| {
        let size = image.memory_size(None).unwrap();
        let (mut m, _) = Machine::of_image(mem, crate::testing::devices());
        m.prepare(size);
        let before = too_high(&m);
        m.start().unwrap();
        // A collection every few allocations.
        let few = LispPtr::smallpos(20);
        m.mem.set_cell(m.symbols.reclaim_min, few);
        m.mem.set_cell(m.symbols.reclaim_countdown, few);
        for _ in 0..1_000_000 {
            let exit = m.step();
            if !matches!(exit, Exit::Continue | Exit::Attention) {
                panic!("{exit:?}: {:?}", m.fault);
            }
        }
        let after = too_high(&m);
        assert_eq!(after, before);
        assert!(m.statistics.collections > 5);
        assert!(m.statistics.objects_freed > 100);
    });
}
