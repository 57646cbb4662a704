//! Tests with a real image of Medley 2.01.

use super::Names;
use super::testing::with_medley;
use crate::layout::records::interface;
use crate::memory::LispPtr;

#[test]
fn the_real_image_has_its_symbols() {
    with_medley(|mem, image| {
        assert_eq!(image.header().file_pages, 10450);
        let names = Names::new(mem);
        let packages: Vec<_> = names.packages().iter().map(|p| p.name.as_str()).collect();
        assert_eq!(
            packages,
            [
                "INTERLISP",
                "LISP",
                "CONDITIONS",
                "XEROX-COMMON-LISP",
                "SYSTEM",
                "USER",
                "KEYWORD",
                "COMPILER",
                "FASL",
                "XCL-USER",
                "D-ASSEM",
                "DEBUGGER",
                "SEDIT"
            ]
        );
        // `reference/boot-and-traps.md` section 6.
        for (name, number) in [
            ("NIL", 0),
            ("T", 76),
            ("\\RECLAIM.COUNTDOWN", 1213),
            ("\\MVLIST", 869),
            ("SI::*CLOSURE-CACHE-ENABLED*", 2017),
            ("SI::*CLOSURE-CACHE*", 3941),
            ("XCL:*DELETED-IMPLICIT-HASH-SLOT*", 8056),
            ("\\MAIKO.IO-INTERRUPT-FLAGS", 22585),
            ("\\MAIKO.PUNTBLTCHAR", 7483),
            ("A", 57),
            ("!", 35),
        ] {
            assert_eq!(names.find(name), Some(LispPtr(number)), "{name}");
        }
        for name in [
            "7",
            "NO-SUCH-SYMBOL-AT-ALL",
            "SI::NO-SUCH",
            "NO-SUCH::CAR",
            "\\TEDIT.BLTCHAR",
        ] {
            assert_eq!(names.find(name), None, "{name}");
        }
        let (symbols, absent) = crate::symbols::Symbols::find(mem, |name| names.find(name));
        assert_eq!(absent, ["\\TEDIT.BLTCHAR"]);
        let value = |cell| mem.cell(cell);
        assert_eq!(
            value(symbols.guard_stack_address),
            LispPtr::smallpos(0xF000)
        );
        assert_eq!(value(symbols.last_stack_address), LispPtr::smallpos(0xFFFE));
        assert_eq!(
            value(symbols.periodic_interrupt_frequency),
            LispPtr::smallpos(77)
        );
        assert_eq!(value(symbols.pending_interrupt), LispPtr::T);
        assert_eq!(value(symbols.last_user_action), LispPtr(0x60A38));
        assert_eq!(names.name(LispPtr(2017)), "SI::*CLOSURE-CACHE-ENABLED*");
        assert_eq!(names.name(LispPtr(76)), "T");
    });
}

#[test]
fn a_real_machine_starts() {
    with_medley(|mem, image| {
        let size = image.memory_size(None).unwrap();
        let (mut m, _) = crate::machine::Machine::of_image(mem, crate::testing::devices());
        m.prepare(size);
        assert_eq!(m.fault, None);
        m.start().unwrap();
        // `reference/boot-and-traps.md` section 8.
        assert_eq!(m.ivar.0, 0x35E6);
        assert_eq!(m.regs.pvar.0, 0x35F4);
        assert_eq!(m.regs.pc.offset_in(m.func), 134);
        assert_eq!(m.end.0, 0x39FE);
        assert_eq!(m.interface_word(interface::DEVICE_CONFIG), 0x10);
        let second = m.page_variable(m.symbols.second_mds_page);
        assert_eq!(second, 0xFFFC);
    });
}
