//! Images of small hand-assembled programs: run, audited, looked into.

use std::path::Path;
use std::rc::Rc;

use geiko_runtime::audit::Audit;
use geiko_runtime::device::Devices;
use geiko_runtime::image::{ImageFile, Names};
use geiko_runtime::isa::Opcode;
use geiko_runtime::layout::records::{array_header, element, types};
use geiko_runtime::layout::{Generation, Medley2, Medley3, SymbolCell};
use geiko_runtime::machine::Machine;
use geiko_runtime::memory::LispPtr;
use geiko_runtime::symbols::Symbols;
use num_bigint::BigInt;
use proptest::prelude::*;

use super::link;
use crate::code::{Code, Definition, Published, Reference, Structure, Target};
use crate::datum::{Cons, Datum, Package, Symbol};
use crate::testing::run_image;

/// The service that writes a character to the console, and the one that ends the
/// session.
const DSPBOUT: u8 = 9;
const FINISH: u8 = 13;

/// A function under construction, for both widths of operands.
#[derive(Default)]
struct Assembly {
    bytes: Vec<u8>,
    references: Vec<Reference>,
}

impl Assembly {
    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend(bytes);
        self
    }

    fn op(self, opcode: Opcode) -> Self {
        self.bytes(&[opcode as u8])
    }

    fn small(self, n: u8) -> Self {
        self.bytes(&[Opcode::Sic as u8, n])
    }

    fn subr(self, number: u8, arguments: u8) -> Self {
        self.bytes(&[Opcode::SubrCall as u8, number, arguments])
    }

    fn with<G: Generation>(mut self, opcode: Opcode, target: Target) -> Self {
        self.bytes.push(opcode as u8);
        let offset = self.bytes.len() as u32;
        let length = opcode.length(G::OPERAND_BYTES) - 1;
        self.bytes.extend(vec![0; length as usize]);
        self.references.push(Reference { offset, target });
        self
    }

    fn code(mut self, name: &str, arguments: Option<u16>) -> Code {
        self.bytes.push(Opcode::EndOfCode as u8);
        Code {
            name: Symbol::lisp(name),
            arguments,
            parameters: Vec::new(),
            locals: 0,
            published: Vec::new(),
            free: Vec::new(),
            stack_words: 100,
            bytes: self.bytes,
            references: self.references,
            place: None,
        }
    }
}

fn il(name: &str) -> Symbol {
    Symbol::new(Package::Interlisp, name)
}

fn function(symbol: Symbol, code: Code) -> Definition {
    Definition::Function(symbol, code)
}

fn list(elements: &[Datum]) -> Datum {
    let end = Datum::Symbol(Symbol::lisp("NIL"));
    elements.iter().rev().fold(end, |cdr, car| {
        let car = car.clone();
        let place = None;
        Datum::Cons(Rc::new(Cons { car, cdr, place }))
    })
}

fn image<G: Generation>(program: &[Definition]) -> ImageFile {
    let bytes = link(program, G::RELEASE).unwrap();
    ImageFile::from_bytes(Path::new("linked"), bytes).unwrap()
}

/// Runs a program to its end: what it wrote, and the status.
fn run<G: Generation>(program: &[Definition]) -> (String, i32) {
    let bytes = link(program, G::RELEASE).unwrap();
    assert_eq!(bytes, link(program, G::RELEASE).unwrap(), "the same again");
    run_image::<G>(bytes)
}

/// An image without differences between counts and references.
fn with_sound_image<G: Generation>(
    program: &[Definition],
    test: impl FnOnce(Machine<'_, G>, &Names<'_, G>),
) {
    let image = image::<G>(program);
    let space = image.load::<G>(image.memory_size(None).unwrap()).unwrap();
    let names = Names::new(space.view());
    let (symbols, _) = Symbols::find(space.view(), |name| names.find(name));
    let audit = Audit::run(space.view(), &symbols);
    assert!(audit.is_sound(), "{audit}");
    assert_eq!(audit.recount.differences, []);
    assert_eq!(audit.recount.dangling, 0);
    assert_eq!(audit.counts.zero, 0);
    test(
        Machine::new(space.view(), symbols, Devices::absent()),
        &names,
    );
}

/// COLD-START that writes `hello` through a function, and ends with status 7.
fn hello<G: Generation>() -> Vec<Definition> {
    let write = Assembly::default()
        .op(Opcode::Ivar0)
        .subr(DSPBOUT, 1)
        .op(Opcode::Return)
        .code("WRITE", Some(1));
    let mut start = Assembly::default();
    for c in "hello".bytes() {
        start = start
            .small(c)
            .with::<G>(Opcode::Fn1, Target::Symbol(Symbol::lisp("WRITE")))
            .op(Opcode::Pop);
    }
    let start = start
        .op(Opcode::Nil)
        .small(7)
        .subr(FINISH, 2)
        .op(Opcode::Return)
        .code("START", Some(0));
    vec![
        function(Symbol::lisp("WRITE"), write),
        function(il("\\COLD-START"), start),
    ]
}

#[test]
fn an_image_says_hello() {
    assert_eq!(run::<Medley2>(&hello::<Medley2>()), ("hello".into(), 7));
    assert_eq!(run::<Medley3>(&hello::<Medley3>()), ("hello".into(), 7));
}

fn data<G: Generation>() {
    let big = BigInt::from(-5) << 100;
    let shared = list(&[Datum::Integer(1.into()), Datum::String("a λ".into())]);
    let constant = list(&[
        Datum::Symbol(Symbol::new(Package::Keyword, "KEY")),
        Datum::Integer(70000.into()),
        Datum::Integer(big),
        Datum::Float(1.5),
        Datum::Character('λ'),
        shared.clone(),
        Datum::Vector(vec![shared; 70].into()),
        Datum::String("thin".into()),
    ]);
    let inner = Assembly::default().op(Opcode::Return).code("INNER", None);
    let start = Assembly::default()
        .with::<G>(Opcode::Gconst, Target::Constant(constant.clone()))
        .with::<G>(Opcode::Gconst, Target::Code(Box::new(inner)))
        .bytes(&[Opcode::Typep as u8, 0]);
    let mut code = start.op(Opcode::Return).code("START", Some(0));
    let offset = code.bytes.len() as u32 - 3;
    code.references.push(Reference {
        offset,
        target: Target::TypeByte(Symbol::lisp("POINT")),
    });
    code.parameters = vec![Symbol::lisp("X")];
    code.locals = 2;
    code.published = vec![Published {
        name: Symbol::lisp("*LOCAL*"),
        is_argument: false,
        index: 1,
    }];
    code.free = vec![Symbol::lisp("*FREE*")];
    let point = Structure {
        name: Symbol::lisp("POINT"),
        parent: None,
        fields: vec![Symbol::lisp("X"), Symbol::lisp("Y")],
    };
    let program = [
        Definition::Structure(point),
        Definition::Special(Symbol::lisp("*FREE*")),
        Definition::Value(Symbol::lisp("*FREE*"), constant),
        Definition::Initial(Assembly::default().op(Opcode::Return).code("I", Some(0))),
        function(il("\\COLD-START"), code),
    ];
    with_sound_image::<G>(&program, |m, names| {
        let find = |name: &str| names.find(name).unwrap_or_else(|| panic!("{name}"));
        let value = |name| m.mem.cell(G::symbol_cell(find(name), SymbolCell::Value));
        assert_eq!(find("CL:NIL"), LispPtr::NIL);
        assert_eq!(find("CL:T"), LispPtr::T);
        assert_eq!(find("\\EVALFORM"), LispPtr(248));
        assert_eq!(names.name(find("CL:POINT")), "CL:POINT");
        assert_eq!(value(":KEY"), find(":KEY"));
        assert_eq!(value("CL:POINT"), LispPtr::NOBIND);
        assert_eq!(value("\\RECLAIMMIN"), LispPtr::smallpos(3000));
        let list = value("CL:*FREE*");
        assert_eq!(m.car(list), find(":KEY"));
        let number = m.car(m.cdr(list));
        assert_eq!(m.integer(number), Some(70000));
        let large = m.car(m.cdr(m.cdr(list)));
        assert_eq!(m.type_number(large), types::BIGNUM);
        let initial = value("SI::*INITIAL-FUNCTIONS*");
        assert_eq!(m.type_number(m.car(initial)), types::COMPILED_CLOSURE);
        assert!(m.cdr(initial).is_nil());
    });
}

#[test]
fn data_are_counted() {
    data::<Medley2>();
    data::<Medley3>();
}

fn many<G: Generation>() {
    let mut program = hello::<G>();
    for n in 0..3000 {
        let code = Assembly::default().op(Opcode::Return).code("F", Some(0));
        program.push(function(Symbol::lisp(&format!("F{n}")), code));
        let value = list(&vec![Datum::Symbol(Symbol::lisp(&format!("F{n}"))); 9]);
        program.push(Definition::Value(Symbol::lisp(&format!("V{n}")), value));
    }
    with_sound_image::<G>(&program, |_, names| {
        for n in 0..3000 {
            assert!(names.find(&format!("CL:V{n}")).is_some());
        }
    });
    assert_eq!(run::<G>(&program).0, "hello");
}

#[test]
fn large_programs() {
    many::<Medley2>();
    many::<Medley3>();
}

fn error<G: Generation>(program: &[Definition]) -> String {
    link(program, G::RELEASE).unwrap_err().to_string()
}

#[test]
fn errors_say_what_is_wrong() {
    assert_eq!(
        error::<Medley2>(&[]),
        "there is no function IL:\\COLD-START to start with"
    );
    let start = Assembly::default().with::<Medley2>(
        Opcode::Gconst,
        Target::Constant(Datum::Character('\u{1F600}')),
    );
    let start = [function(il("\\COLD-START"), start.code("START", Some(0)))];
    assert_eq!(
        error::<Medley2>(&start),
        "in START: the character '😀' has a code above FFFF, which Lisp does not have"
    );
}

/// Reads an object back.
fn read_back<G: Generation>(m: &Machine<'_, G>, names: &Names<'_, G>, object: LispPtr) -> String {
    let fields = G::ARRAY_FIELDS;
    let size = |array: LispPtr| {
        let at = array.add(fields.fill_pointer);
        if fields.wide {
            m.mem.cell(at).0
        } else {
            m.mem.word(at).into()
        }
    };
    match m.type_number(object) {
        types::LITATOM => names.print_name(object).unwrap_or_default(),
        types::CHARACTER => format!("#\\{:x}", object.lo()),
        types::FLOATP => format!("{:?}", f32::from_bits(m.mem.cell(object).0)),
        types::BIGNUM => {
            let mut digits = Vec::new();
            let mut list = m.mem.cell(object).masked::<G>();
            while !list.is_nil() {
                digits.push(m.integer(m.car(list)).unwrap());
                list = m.cdr(list);
            }
            let value = |n: BigInt, digit: &i32| n * 16384 + digit;
            digits.iter().rev().fold(BigInt::ZERO, value).to_string()
        }
        types::LISTP => {
            let (car, cdr) = (m.car(object), m.cdr(object));
            let (car, cdr) = (read_back(m, names, car), read_back(m, names, cdr));
            format!("({car} . {cdr})")
        }
        types::ONED_ARRAY => {
            let base = m.mem.cell(object.add(array_header::BASE)).masked::<G>();
            let kind = m.mem.word(object.add(array_header::TYPE)) & 0xFF;
            let element = |n: u32| match kind {
                element::CHARACTER_8 => format!("{:x} ", m.mem.byte(base, n as i32)),
                element::CHARACTER_16 => format!("{:x} ", m.mem.word(base.add(n))),
                _ => read_back(m, names, m.mem.cell(base.add(2 * n)).masked::<G>()) + " ",
            };
            (0..size(object)).map(element).collect()
        }
        _ => m.integer(object).unwrap().to_string(),
    }
}

/// What [`read_back`] should say.
fn expected(datum: &Datum) -> String {
    match datum {
        Datum::Symbol(symbol) => symbol.name.to_string(),
        Datum::Integer(n) => n.to_string(),
        Datum::Float(x) => format!("{x:?}"),
        Datum::Character(c) => format!("#\\{:x}", u32::from(*c)),
        Datum::String(text) => text
            .chars()
            .map(|c| format!("{:x} ", u32::from(c)))
            .collect(),
        Datum::Cons(cons) => format!("({} . {})", expected(&cons.car), expected(&cons.cdr)),
        Datum::Vector(elements) => elements.iter().map(|e| expected(e) + " ").collect(),
        Datum::Function(function) => function.to_string(),
    }
}

fn any_datum() -> impl Strategy<Value = Datum> {
    let leaf = prop_oneof![
        "[A-Z]{1,9}".prop_map(|name| Datum::Symbol(Symbol::lisp(&name))),
        any::<i32>().prop_map(|n| Datum::Integer(n.into())),
        any::<i128>().prop_map(|n| Datum::Integer(n.into())),
        (-100i32..100).prop_map(|n| Datum::Float(n as f32 / 8.0)),
        "[a-zλ€]{0,300}".prop_map(|text| Datum::String(text.into())),
        any::<u8>().prop_map(|c| Datum::Character(c.into())),
    ];
    leaf.prop_recursive(6, 200, 90, |inner| {
        let elements = prop::collection::vec(inner, 0..90);
        prop_oneof![
            elements.clone().prop_map(|elements| list(&elements)),
            elements.prop_map(|elements| Datum::Vector(elements.into())),
        ]
    })
}

fn survives<G: Generation>(data: &[Datum]) {
    let mut program = hello::<G>();
    for (n, datum) in data.iter().enumerate() {
        let symbol = Symbol::lisp(&format!("*V{n}*"));
        program.push(Definition::Value(symbol, datum.clone()));
    }
    with_sound_image::<G>(&program, |m, names| {
        for (n, datum) in data.iter().enumerate() {
            let symbol = names.find(&format!("CL:*V{n}*")).unwrap();
            let value = m.mem.cell(G::symbol_cell(symbol, SymbolCell::Value));
            assert_eq!(read_back(&m, names, value), expected(datum));
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..Default::default() })]

    #[test]
    fn data_survive(data in prop::collection::vec(any_datum(), 1..6)) {
        survives::<Medley2>(&data);
        survives::<Medley3>(&data);
    }
}
