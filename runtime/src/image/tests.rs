//! Tests of opening images: the real one, tiny ones, and broken ones.

use std::path::Path;

use super::testing::{Builder, FRAME, with_medley};
use super::*;
use crate::layout::records::interface;
use crate::layout::{Generation, Medley2, Medley3, Release};
use crate::memory::{AddressSpace, LispPtr};

fn open<G: Generation>(bytes: Vec<u8>) -> Result<AddressSpace<G>, ImageError> {
    open_sized(bytes, None)
}

fn open_sized<G: Generation>(
    bytes: Vec<u8>,
    megabytes: Option<u32>,
) -> Result<AddressSpace<G>, ImageError> {
    let image = ImageFile::from_bytes(Path::new("x.sysout"), bytes)?;
    image.load(image.memory_size(megabytes)?)
}

/// The message of the error that opening `bytes` must give.
fn message<G: Generation>(bytes: Vec<u8>) -> String {
    message_sized::<G>(bytes, None)
}

fn message_sized<G: Generation>(bytes: Vec<u8>, megabytes: Option<u32>) -> String {
    match open_sized::<G>(bytes, megabytes) {
        Ok(_) => panic!("opened"),
        Err(error) => error.to_string(),
    }
}

fn tiny<G: Generation>() {
    let builder = Builder::<G>::new();
    builder.mem().set_cell(
        LispPtr::from_page(builder.pages[4]).add(6),
        LispPtr(0x1234_5678),
    );
    let image = ImageFile::from_bytes(Path::new("x.sysout"), builder.build()).unwrap();
    let header = image.header();
    assert_eq!(header.release, G::RELEASE);
    assert_eq!(header.file_pages, 5);
    assert_eq!(header.page_table_start, 4);
    assert_eq!(header.current_frame, FRAME);
    assert_eq!(
        image.memory_size(None).unwrap().megabytes,
        G::DEFAULT_MEGABYTES
    );
    assert_eq!(image.memory_size(Some(16)).unwrap().last_page(), 0x7FFF);
    let space = image.load::<G>(image.memory_size(None).unwrap()).unwrap();
    for &page in builder.pages.iter().filter(|&&page| page != 0x101) {
        for word in (0..256).step_by(2) {
            let at = LispPtr::from_page(page).add(word);
            assert_eq!(space.view().cell(at), builder.mem().cell(at));
        }
    }
}

#[test]
fn a_tiny_image_is_loaded() {
    tiny::<Medley2>();
    tiny::<Medley3>();
}

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
