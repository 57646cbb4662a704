//! Tests with a real image of Medley 2.01.

use super::functions::{CodeBlock, Storage, definitions, find_definition};
use super::info::Region;
use super::testing::with_medley;
use super::{ImageInfo, Names};
use crate::isa::Opcode;
use crate::layout::records::{interface, types};
use crate::layout::{Generation, Medley2};
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
        // The editor is not loaded, nor is LOOPS.
        assert_eq!(
            absent,
            [
                "*Global-Method-Cache*",
                "*Global-IV-Cache-Block*",
                "instance",
                "class",
                "annotatedValue",
                "\\TEDIT.BLTCHAR",
                "\\FetchMethod-LCUFN",
                "\\FetchMethodOrHelp-LCUFN",
                "\\FindVarIndex-LCUFN",
                "\\GetIVValue-LCUFN",
                "\\PutIVValue-LCUFN",
            ]
        );
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

#[test]
fn the_real_image_has_its_functions() {
    with_medley(|mem, _| {
        let mut by_kind = [0; 4];
        let mut blocks = std::collections::HashSet::new();
        for definition in definitions(mem).filter(|d| !d.closure) {
            by_kind[definition.arguments as usize] += 1;
            blocks.insert(definition.code);
        }
        // `reference/processor.md` section 7.
        assert_eq!(by_kind, [9431, 38, 680, 127]);
        assert_eq!(blocks.len(), 10194);
        for &code in &blocks {
            let block = CodeBlock::at(mem, code);
            let header = block.header();
            let code = block.code();
            let end = block.end().unwrap();
            assert_eq!(code.len() as u32, end - u32::from(header.start_pc));
            let mut at = 0;
            while code[at] != 0 {
                at += Opcode::from(code[at]).length(Medley2::OPERAND_BYTES) as usize;
            }
            for variable in block.variables() {
                let in_range = match variable.storage {
                    Storage::Argument(n) => i16::from(n) < header.argument_count.max(1),
                    Storage::Local(n) => n < header.locals,
                    Storage::Free(n) => n >= header.locals,
                };
                assert!(in_range, "{:?} of {:?}", variable, block.address());
            }
        }
    });
}

#[test]
fn names_of_variables_are_found() {
    with_medley(|mem, _| {
        let names = Names::new(mem);
        let variables = |function| {
            let definition = find_definition(&names, function).unwrap();
            CodeBlock::at(mem, definition.code)
                .variables()
                .iter()
                .map(|v| (v.storage, names.name(v.name), v.special))
                .collect::<Vec<_>>()
        };
        let named = |storage, name: &str, special| (storage, name.to_string(), special);
        assert_eq!(
            variables("\\PUTBITS.UFN"),
            [
                named(Storage::Argument(2), "N.FD", false),
                named(Storage::Argument(1), "V", false),
                named(Storage::Argument(0), "X", false),
            ]
        );
        assert_eq!(
            variables("\\SETACCESS"),
            [
                named(Storage::Local(0), "\\INTERRUPTABLE", true),
                named(Storage::Argument(1), "ACCESS", false),
                named(Storage::Argument(0), "CL:STREAM", false),
            ]
        );
    });
}

#[test]
fn the_real_image_is_described() {
    with_medley(|mem, image| {
        let info = ImageInfo::read(mem, image.header());
        assert_eq!(info.made.as_deref(), Some(" 7-Oct-92 14:45:49"));
        assert_eq!(info.screen, Some((1152, 900)));
        // `reference/image-format.md` section 5.
        assert_eq!((info.duplicate_pages, info.empty_pages), (0, 0));
        let pages: u32 = info.regions.iter().map(|region| region.pages).sum();
        assert_eq!(pages, 10450);
        let region = |name| info.regions.iter().find(|r| r.name == name).unwrap();
        assert_eq!(
            region("arrays"),
            &Region {
                name: "arrays",
                first_page: 0x1400,
                pages: 4160
            }
        );
        assert_eq!(region("objects").pages, 4282);
        // `reference/memory-map.md` sections 6, 9, 10, 13 and 14. Three symbols
        // of package 1 that others hide are not in the number there.
        assert_eq!(info.symbols, 25_724);
        let in_package: Vec<_> = info.packages.iter().map(|(_, count)| *count).collect();
        assert_eq!(
            in_package,
            [
                19_579, 1_925, 98, 826, 232, 1, 576, 1_082, 330, 3, 259, 49, 752
            ]
        );
        assert_eq!(info.functions.compiled, 10_276);
        assert_eq!(info.functions.code_blocks(), 10_503);
        assert_eq!(info.conses.pages, 940);
        assert_eq!(info.conses.free, 4_965);
        assert_eq!(info.arrays.blocks, 6_662);
        assert_eq!(info.types.len(), 269);
        let type_info = |number| info.types.iter().find(|t| t.number == number).unwrap();
        assert_eq!(type_info(types::LISTP).used, 98_942);
        assert_eq!(type_info(types::VMEMPAGEP).used, 24);
        let streams = type_info(types::STREAM);
        assert_eq!((streams.name.as_str(), streams.words), ("CL:STREAM", 56));
        assert_eq!((streams.units, streams.used, streams.free), (3, 15, 12));
        // `reference/storage.md` section 1, `reference/garbage-collector.md`
        // section 2.
        assert_eq!(info.storage.free_pages, 2_820);
        assert_eq!(info.storage.least_object_page, 0x3FFE);
        let counts = info.counts;
        assert_eq!(
            (counts.slots, counts.entries, counts.zero),
            (1_435, 1_451, 43)
        );
        assert_eq!((counts.chains, counts.large), (16, 3));
        assert_eq!(counts.collision_used, 0x4DE);
        assert_eq!(info.stack.frames, 36);
    });
}
