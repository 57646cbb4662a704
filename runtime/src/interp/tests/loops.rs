use super::harness::{
    END, Ended, Function, execute, for_both, function_place, print, read, run, with_interpreter,
};
use super::types::name_type;
use crate::isa::Opcode;
use crate::isa::sub_opcodes::Miscn;
use crate::layout::records::loops;
use crate::layout::{Generation, SymbolCell};
use crate::machine::Machine;
use crate::memory::LispPtr;
use crate::symbols::Symbols;
use crate::testing::declare_type;

/// The caches, and where the blocks of objects are put.
const METHODS: LispPtr = LispPtr(0x22_0000);
const VARIABLES: LispPtr = LispPtr(0x22_4000);
const BLOCKS: LispPtr = LispPtr(0x22_8000);
/// Type numbers.
const INSTANCE: u16 = 100;
const CLASS: u16 = 101;
const ANNOTATED: u16 = 102;
/// The variables of the instance: A 1, B a list, C annotated.
const NAMES: &str = "(A B C)";

/// A class that inherits from another, and an instance of it. The class has method
/// M for selector S and method N for U; its superclass P for S and Q for V.
struct Objects {
    class: LispPtr,
    parent: LispPtr,
    instance: LispPtr,
    annotated: LispPtr,
}

fn set<G: Generation>(m: &Machine<'_, G>, object: LispPtr, offset: u32, value: LispPtr) {
    m.mem.set_cell(object.add(offset), value);
}

/// Puts objects and then NIL into block `number`.
fn block<G: Generation>(m: &mut Machine<'_, G>, number: u32, objects: &str) -> LispPtr {
    let block = BLOCKS.add(0x100 * number);
    let objects = read(m, objects);
    for (n, &object) in (0..).zip(objects.iter().chain([&LispPtr::NIL])) {
        set(m, block, 2 * n, object);
    }
    block
}

fn class<G: Generation>(
    m: &mut Machine<'_, G>,
    number: u32,
    selectors: &str,
    methods: &str,
) -> LispPtr {
    let class = m.create_cell(CLASS).expect("declared");
    let selectors = block(m, 2 * number, selectors);
    let methods = block(m, 2 * number + 1, methods);
    set(m, class, loops::SELECTORS, selectors);
    set(m, class, loops::METHODS, methods);
    class
}

/// Runs `test` on a machine with LOOPS, whose Lisp functions cons their first two
/// arguments, or the last two of three.
fn with_loops<G: Generation>(test: impl FnOnce(&mut Machine<'_, G>, &Objects)) {
    with_interpreter::<G>(|m| {
        for (number, words, symbol) in [
            (INSTANCE, 8, m.symbols.loops_instance),
            (CLASS, 28, m.symbols.loops_class),
            (ANNOTATED, 2, m.symbols.loops_annotated_value),
        ] {
            declare_type(m, number, words, &[]);
            name_type(m, number, symbol.0);
        }
        set(m, m.symbols.loops_method_cache, 0, METHODS);
        set(m, m.symbols.loops_variable_cache, 0, VARIABLES);
        let (ivar0, ivar1) = (Opcode::Ivar0 as u8, Opcode::Ivar0 as u8 + 1);
        let ends = [Opcode::Cons as u8, Opcode::Return as u8];
        let s = &m.symbols;
        for (place, symbol, arguments, operands) in [
            (1, s.loops_fetch_method, 2, [ivar0, ivar1]),
            (2, s.loops_fetch_method_or_help, 2, [ivar0, ivar1]),
            (3, s.loops_find_variable_index, 2, [ivar0, ivar1]),
            (4, s.loops_get_value, 2, [ivar0, ivar1]),
            (5, s.loops_put_value, 3, [ivar1, ivar1 + 1]),
        ] {
            let function = Function {
                arguments,
                code: &[operands, ends].concat(),
                ..Function::default()
            };
            function.define(m, symbol, function_place(place));
        }
        let parent = class(m, 0, "S V", "P Q");
        let class = class(m, 1, "S U", "M N");
        let supers = m.cons(parent, LispPtr::NIL);
        set(m, class, loops::SUPERCLASSES, supers);
        let names = read(m, NAMES)[0];
        set(m, class, loops::NAMES, names);
        let instance = m.create_cell(INSTANCE).expect("declared");
        let annotated = m.create_cell(ANNOTATED).expect("declared");
        let values = block(m, 4, "1 (X)");
        set(m, values, 4, annotated);
        set(m, instance, loops::CLASS, class);
        set(m, instance, loops::NAMES, names);
        set(m, instance, loops::VALUES, values);
        test(
            m,
            &Objects {
                class,
                parent,
                instance,
                annotated,
            },
        );
    });
}

fn code(operation: Miscn, operands: &[LispPtr]) -> [u8; 3] {
    [Opcode::Miscn as u8, operation as u8, operands.len() as u8]
}

/// The value of an operation; for a call of its Lisp function the pair of operands
/// that this conses.
fn value<G: Generation>(m: &mut Machine<'_, G>, operation: Miscn, operands: &[LispPtr]) -> LispPtr {
    let code = [&code(operation, operands)[..], &[END; 4]].concat();
    let stack = run(m, &code, operands);
    assert_eq!(stack.len(), 1);
    stack[0]
}

/// The value of an operation with a symbol as its second operand.
fn text<G: Generation>(
    m: &mut Machine<'_, G>,
    operation: Miscn,
    object: LispPtr,
    name: &str,
) -> String {
    let name = read(m, name)[0];
    let value = value(m, operation, &[object, name]);
    print(m, &[value])
}

/// The place of a variable in the list of names.
fn index<G: Generation>(m: &mut Machine<'_, G>, name: &str, object: LispPtr) -> String {
    let name = read(m, name)[0];
    let value = value(m, Miscn::FindVarIndex, &[name, object]);
    print(m, &[value])
}

/// Asserts that `operation` calls its Lisp function with its operands, the last two
/// of which this conses.
fn gives_up<G: Generation>(m: &mut Machine<'_, G>, operation: Miscn, operands: &[LispPtr]) {
    let pair = value(m, operation, operands);
    assert!(m.is_list(pair), "{operation:?} {operands:?} -> {pair:?}");
    let last = &operands[operands.len() - 2..];
    assert_eq!([m.car(pair), m.cdr(pair)], last, "{operation:?}");
}

fn entry(cache: LispPtr, key: LispPtr, key2: LispPtr) -> LispPtr {
    cache.add(8 * ((key.0 ^ key2.0) & 1023))
}

fn entry_content<G: Generation>(m: &Machine<'_, G>, entry: LispPtr) -> [LispPtr; 4] {
    [0, 2, 4, 6].map(|offset| m.mem.cell(entry.add(offset)))
}

#[test]
fn methods_are_found_and_cached() {
    fn run<G: Generation>() {
        with_loops::<G>(|m, o| {
            for (operation, object) in [
                (Miscn::FetchMethod, o.class),
                (Miscn::FetchMethodOrHelp, o.instance),
            ] {
                assert_eq!(text(m, operation, object, "S"), "M");
                assert_eq!(text(m, operation, object, "U"), "N");
                assert_eq!(text(m, operation, object, "V"), "Q");
            }
            assert_eq!(text(m, Miscn::FetchMethod, o.parent, "S"), "P");
            let [v, q, x] = read(m, "V Q X")[..] else {
                unreachable!()
            };
            let place = entry(METHODS, o.class, v);
            assert_eq!(entry_content(m, place), [o.class, v, q, LispPtr::NIL]);
            // From now on the entry counts, not the class.
            set(m, place, 4, x);
            assert_eq!(text(m, Miscn::FetchMethod, o.class, "V"), "X");
            assert_eq!(text(m, Miscn::FetchMethodOrHelp, o.instance, "V"), "X");
            assert_eq!(text(m, Miscn::FetchMethod, o.parent, "V"), "Q");
            // Until it is overwritten: keys with the same low bits share it.
            let other = LispPtr(v.0 ^ o.class.0 ^ o.parent.0);
            assert_eq!(entry(METHODS, o.parent, other), place);
            set(m, place, 0, o.parent);
            assert_eq!(text(m, Miscn::FetchMethod, o.class, "V"), "Q");
            assert_eq!(entry_content(m, place)[..3], [o.class, v, q]);
        });
    }
    for_both!(run);
}

#[test]
fn a_class_is_an_object_of_its_metaclass() {
    fn run<G: Generation>() {
        with_loops::<G>(|m, o| {
            set(m, o.class, loops::CLASS, o.parent);
            assert_eq!(text(m, Miscn::FetchMethodOrHelp, o.class, "S"), "P");
        });
    }
    for_both!(run);
}

#[test]
fn methods_that_are_not_found() {
    fn run<G: Generation>() {
        with_loops::<G>(|m, o| {
            let w = read(m, "W")[0];
            assert_eq!(text(m, Miscn::FetchMethod, o.class, "W"), "NIL");
            assert_eq!(text(m, Miscn::FetchMethod, o.class, "NIL"), "NIL");
            gives_up(m, Miscn::FetchMethodOrHelp, &[o.instance, w]);
            assert_eq!(
                entry_content(m, entry(METHODS, o.class, w)),
                [LispPtr::NIL; 4]
            );
            // No class, no instance; an entry for NIL is none.
            for object in [o.annotated, w, LispPtr::NIL, LispPtr::smallpos(3)] {
                gives_up(m, Miscn::FetchMethod, &[object, w]);
                gives_up(m, Miscn::FetchMethodOrHelp, &[object, w]);
            }
            gives_up(m, Miscn::FetchMethod, &[o.instance, w]);
            gives_up(m, Miscn::FetchMethod, &[LispPtr::NIL; 2]);
            set(m, o.instance, loops::CLASS, LispPtr::NIL);
            gives_up(m, Miscn::FetchMethodOrHelp, &[o.instance, LispPtr::NIL]);
        });
    }
    for_both!(run);
}

#[test]
fn broken_classes_are_left_to_lisp() {
    fn run<G: Generation>() {
        with_loops::<G>(|m, o| {
            let w = read(m, "W")[0];
            // Circular lists, of superclasses and of names.
            for (offset, operation) in [
                (loops::SUPERCLASSES, Miscn::FetchMethod),
                (loops::NAMES, Miscn::FindVarIndex),
            ] {
                let list = m.cons(o.parent, LispPtr::NIL);
                m.rplacd(list, list);
                set(m, o.class, offset, list);
                let mut operands = [o.class, w];
                if operation == Miscn::FindVarIndex {
                    operands.reverse();
                }
                gives_up(m, operation, &operands);
            }
            // A block of selectors without an end, and a class without any.
            for n in 0..0x1_0000 {
                set(m, LispPtr(0x30_0000), 2 * n, o.class);
            }
            set(m, o.parent, loops::SELECTORS, LispPtr(0x30_0000));
            gives_up(m, Miscn::FetchMethod, &[o.parent, w]);
            set(m, o.parent, loops::SELECTORS, LispPtr::NIL);
            assert_eq!(text(m, Miscn::FetchMethod, o.parent, "W"), "NIL");
            // A superclass that is none.
            let supers = read(m, "(X)")[0];
            set(m, o.class, loops::SUPERCLASSES, supers);
            gives_up(m, Miscn::FetchMethod, &[o.class, w]);
        });
    }
    for_both!(run);
}

#[test]
fn places_of_variables() {
    fn run<G: Generation>() {
        with_loops::<G>(|m, o| {
            for object in [o.instance, o.class] {
                for (name, expected) in [("A", "0"), ("B", "1"), ("C", "2"), ("D", "NIL")] {
                    assert_eq!(index(m, name, object), expected);
                    // And again, from the cache.
                    assert_eq!(index(m, name, object), expected);
                }
            }
            let b = read(m, "B")[0];
            let names = m.mem.cell(o.class.add(loops::NAMES));
            let place = entry(VARIABLES, names, b);
            let one = LispPtr::smallpos(1);
            assert_eq!(entry_content(m, place), [names, b, one, LispPtr::NIL]);
            set(m, place, 4, LispPtr::smallpos(9));
            assert_eq!(index(m, "B", o.instance), "9");
            assert_eq!(index(m, "B", o.parent), "NIL");
            assert_eq!(index(m, "NIL", o.parent), "NIL");
            gives_up(m, Miscn::FindVarIndex, &[b, o.annotated]);
        });
    }
    for_both!(run);
}

#[test]
fn values_of_variables() {
    fn run<G: Generation>() {
        with_loops::<G>(|m, o| {
            for _ in 0..2 {
                assert_eq!(text(m, Miscn::GetIvValue, o.instance, "A"), "1");
                assert_eq!(text(m, Miscn::GetIvValue, o.instance, "B"), "(X)");
            }
            // Annotated, unknown, not of an instance.
            let names = read(m, "A C D");
            for (object, name) in [
                (o.instance, names[1]),
                (o.instance, names[2]),
                (o.instance, LispPtr::NIL),
                (o.class, names[0]),
                (LispPtr::NIL, names[0]),
            ] {
                gives_up(m, Miscn::GetIvValue, &[object, name]);
                gives_up(m, Miscn::PutIvValue, &[object, name, LispPtr::T]);
            }
            // The place is that of the cache.
            let names_list = m.mem.cell(o.instance.add(loops::NAMES));
            let place = entry(VARIABLES, names_list, names[0]);
            set(m, place, 4, LispPtr::smallpos(1));
            assert_eq!(text(m, Miscn::GetIvValue, o.instance, "A"), "(X)");
            set(m, o.instance, loops::VALUES, LispPtr::NIL);
            gives_up(m, Miscn::GetIvValue, &[o.instance, names[0]]);
        });
    }
    for_both!(run);
}

#[test]
fn a_variable_gets_a_value() {
    fn run<G: Generation>() {
        with_loops::<G>(|m, o| {
            let a = read(m, "A")[0];
            let list = read(m, "(Y)")[0];
            let before = m.ref_count(list);
            let answer = value(m, Miscn::PutIvValue, &[o.instance, a, list]);
            assert_eq!(print(m, &[answer]), "(Y)");
            assert_eq!(m.ref_count(list), before + 1);
            assert_eq!(text(m, Miscn::GetIvValue, o.instance, "A"), "(Y)");
            value(m, Miscn::PutIvValue, &[o.instance, a, LispPtr::T]);
            assert_eq!(m.ref_count(list), before);
            assert_eq!(text(m, Miscn::GetIvValue, o.instance, "A"), "T");
        });
    }
    for_both!(run);
}

/// Asserts that every operation traps with its operands left as they were.
fn all_trap<G: Generation>(m: &mut Machine<'_, G>, o: &Objects) {
    let d = read(m, "D")[0];
    for (operation, operands) in [
        (Miscn::FetchMethod, &[o.instance, d][..]),
        (Miscn::FetchMethodOrHelp, &[o.class, d]),
        (Miscn::FindVarIndex, &[d, o.annotated]),
        (Miscn::GetIvValue, &[o.instance, d]),
        (Miscn::PutIvValue, &[o.instance, d, d]),
    ] {
        match execute(m, &code(operation, operands), operands) {
            Ended::Trapped(after) => assert_eq!(after, operands, "{operation:?}"),
            ended => panic!("{operation:?}: {ended:?}"),
        }
    }
}

#[test]
fn without_caches_all_traps() {
    fn run<G: Generation>() {
        for cache in [
            LispPtr::NIL,
            LispPtr::T,
            LispPtr::smallpos(3),
            METHODS.add(1),
        ] {
            with_loops::<G>(|m, o| {
                set(m, m.symbols.loops_variable_cache, 0, cache);
                all_trap(m, o);
            });
            with_loops::<G>(|m, o| {
                set(m, m.symbols.loops_method_cache, 0, cache);
                all_trap(m, o);
            });
        }
    }
    for_both!(run);
}

#[test]
fn in_an_image_without_loops_all_traps() {
    fn run<G: Generation>() {
        // Each of the types, as an image may have a symbol `class` for other reasons.
        with_loops::<G>(|m, o| {
            m.symbols.loops_instance = LispPtr::NIL;
            all_trap(m, o);
        });
        with_loops::<G>(|m, o| {
            m.symbols.loops_class = LispPtr::NIL;
            all_trap(m, o);
        });
        with_loops::<G>(|m, o| {
            m.symbols.loops_annotated_value = LispPtr::NIL;
            all_trap(m, o);
        });
        // No symbol at all; variables that an image lacks have cells with NIL.
        with_loops::<G>(|m, o| {
            m.symbols = Symbols::find(m.mem, |_| None).0;
            all_trap(m, o);
        });
    }
    for_both!(run);
}

#[test]
fn work_for_a_lisp_function_that_is_undefined_traps() {
    fn run<G: Generation>() {
        with_loops::<G>(|m, o| {
            let s = &m.symbols;
            for function in [
                s.loops_fetch_method,
                s.loops_fetch_method_or_help,
                s.loops_find_variable_index,
                s.loops_get_value,
                s.loops_put_value,
            ] {
                let cell = G::symbol_cell(function, SymbolCell::Definition);
                set(m, cell, 0, LispPtr::NIL);
            }
            all_trap(m, o);
            // What needs no Lisp function is done all the same.
            assert_eq!(text(m, Miscn::FetchMethod, o.class, "S"), "M");
            assert_eq!(text(m, Miscn::GetIvValue, o.instance, "A"), "1");
        });
        with_loops::<G>(|m, o| {
            let s = &mut m.symbols;
            s.loops_fetch_method = LispPtr::NIL;
            s.loops_fetch_method_or_help = LispPtr::NIL;
            s.loops_find_variable_index = LispPtr::NIL;
            s.loops_get_value = LispPtr::NIL;
            s.loops_put_value = LispPtr::NIL;
            all_trap(m, o);
        });
    }
    for_both!(run);
}

#[test]
fn another_number_of_operands_traps() {
    fn run<G: Generation>() {
        with_loops::<G>(|m, o| {
            let a = read(m, "A")[0];
            let four = [o.instance, a, a, a];
            for operation in [
                Miscn::FetchMethod,
                Miscn::FetchMethodOrHelp,
                Miscn::FindVarIndex,
                Miscn::GetIvValue,
                Miscn::PutIvValue,
            ] {
                let right = 2 + usize::from(operation == Miscn::PutIvValue);
                for count in (0..=4).filter(|&count| count != right) {
                    let operands = &four[..count];
                    let ended = execute(m, &code(operation, operands), operands);
                    assert!(
                        matches!(&ended, Ended::Trapped(after) if after == operands),
                        "{operation:?} {count}: {ended:?}"
                    );
                }
            }
        });
    }
    for_both!(run);
}
