//! Single instructions on a blank machine, for unit tests.
//!
//! Traps go to a function that does nothing, so that they can be told from results.
//! Operands and results are written as text (see [`read`]), so that a test is a
//! table: `("65535 1", "65536")`. The notation prints back what it reads, except
//! that structure sharing is not shown.

use std::fmt::Write;
use std::iter::Peekable;
use std::str::Chars;

use super::{Exit, observed};
use crate::isa::Opcode;
use crate::layout::records::{block, frame, function, types};
use crate::layout::{Generation, Medley2, Medley3};
use crate::machine::Machine;
use crate::memory::{CodePc, LispPtr, StackOffset};
use crate::stack::{BOTTOM, Frame};
pub use crate::testing::function::Function;
use crate::testing::function::operand;
use crate::testing::{FRAME, with_machine};

/// The function whose code is the instruction under test.
pub const FUNCTION: LispPtr = LispPtr(0x20_0000);
/// The function that every trap calls; it has no code.
const TRAP: LispPtr = LispPtr(0x20_0800);
/// The symbol with that definition.
const TRAP_SYMBOL: LispPtr = LispPtr(0x1F0);
/// Where the code of a function starts: behind the header.
pub const START: u16 = 2 * function::WORDS as u16;
/// The code byte that ends a program for [`run`].
pub const END: u8 = Opcode::Nop as u8;
/// Words of locals in the frame of the function.
const LOCALS: u16 = 16;
/// A cell that lies under the operands.
const UNDER: LispPtr = LispPtr(0x5E5E);
/// Longest list that is printed.
const MAX_LENGTH: usize = 100;

/// How an instruction ended, with the evaluation stack it left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It went on with the next instruction.
    Done(Vec<LispPtr>),
    /// It called its Lisp function.
    Trapped(Vec<LispPtr>),
    /// It will be executed again, perhaps after the host has had its attention.
    Again(Vec<LispPtr>),
}

/// Runs `test` on a blank machine on which [`execute`] works.
pub fn with_interpreter<G: Generation>(test: impl FnOnce(&mut Machine<'_, G>)) {
    with_machine::<G>(|mut m| {
        define(&m, TRAP_SYMBOL, TRAP, 0, &[]);
        for opcode in 0..256 {
            let entry = LispPtr(TRAP_SYMBOL.0 << 16);
            m.mem.set_cell(G::UFN_TABLE.add(2 * opcode), entry);
        }
        let fx = FRAME.address();
        let flags = u32::from(block::FRAME) << 16 | u32::from(BOTTOM);
        m.mem.set_cell(fx, LispPtr(flags));
        let function = fx.add(frame::FUNCTION.into());
        m.mem.set_cell(function, G::to_frame_pointer(FUNCTION));
        Frame::at(m.mem, FRAME).set_blink(FRAME.sub(2));
        set_arguments(&mut m, &[]);
        m.func = FUNCTION;
        m.set_stack_limit();
        test(&mut m);
    });
}

/// Gives `symbol` the definition `code` at `address`, with `quads` pairs of locals,
/// for any number of arguments.
pub fn define<G: Generation>(
    m: &Machine<'_, G>,
    symbol: LispPtr,
    address: LispPtr,
    quads: u16,
    code: &[u8],
) {
    Function {
        quads,
        code,
        ..Function::default()
    }
    .define(m, symbol, address);
}

/// Where the tests of calls put their functions, 32 of them.
pub fn function_place(number: u32) -> LispPtr {
    LispPtr(0x20_8000 + 0x400 * number)
}

/// Symbols that the tests of calls define.
pub fn function_symbol(number: u32) -> LispPtr {
    LispPtr(0x1C0 + number)
}

/// Puts `code` in [`FUNCTION`] and `stack` on the evaluation stack of its frame.
/// Answers where the stack starts.
pub fn prepare<G: Generation>(
    m: &mut Machine<'_, G>,
    code: &[u8],
    stack: &[LispPtr],
) -> StackOffset {
    for (offset, &byte) in (START..).zip(code) {
        m.mem.set_byte(FUNCTION, i32::from(offset), byte);
    }
    m.func = FUNCTION;
    m.regs.pc = CodePc::new(FUNCTION, START);
    m.regs.pvar = FRAME.add(frame::WORDS);
    m.ivar = m.running_frame().ivar();
    let base = m.regs.pvar.add(LOCALS);
    m.regs.sp = base;
    m.regs.tos = UNDER;
    for &value in stack {
        m.mem.set_stack(m.regs.sp, m.regs.tos);
        m.regs.sp = m.regs.sp.add(2);
        m.regs.tos = value;
    }
    base
}

/// Executes `code` with `stack` as operands in the first frame until it gets to
/// [`END`] there; answers the evaluation stack.
pub fn run<G: Generation>(m: &mut Machine<'_, G>, code: &[u8], stack: &[LispPtr]) -> Vec<LispPtr> {
    let base = prepare(m, code, stack);
    for _ in 0..1000 {
        if m.func == FUNCTION && m.mem.code(m.regs.pc, 0) == END {
            return cells(m, base, m.regs.sp, Some(m.regs.tos));
        }
        assert_ne!(m.func, TRAP, "an instruction trapped");
        assert_eq!(step(m), Exit::Continue, "{:?}", m.fault);
    }
    panic!("the program does not end");
}

/// Executes the instruction at the pc of the stored registers.
pub fn step<G: Generation>(m: &mut Machine<'_, G>) -> Exit {
    observed::step(m)
}

/// The instruction `opcode` with a symbol as its operand.
pub fn with_symbol<G: Generation>(opcode: Opcode, symbol: LispPtr) -> Vec<u8> {
    [vec![opcode as u8], operand::<G>(symbol)].concat()
}

/// Runs a test for both generations.
macro_rules! for_both {
    ($test:ident $(, $argument:expr)*) => {
        $test::<$crate::layout::Medley2>($($argument),*);
        $test::<$crate::layout::Medley3>($($argument),*);
    };
}
pub(crate) use for_both;

/// Executes one instruction with `stack` as operands, the last one on top.
pub fn execute<G: Generation>(m: &mut Machine<'_, G>, code: &[u8], stack: &[LispPtr]) -> Ended {
    let start = CodePc::new(FUNCTION, START);
    let base = prepare(m, &[code, &[END; 4]].concat(), stack);
    let exit = step(m);
    assert_eq!(m.fault, None);
    let next = start.jump(code.len() as i32);
    let Ok(top) = usize::try_from(m.regs.sp.0 as i32 - base.0 as i32) else {
        panic!("the stack became too short");
    };
    assert_eq!(top % 2, 0, "cells are two words");
    if m.func == TRAP {
        return Ended::Trapped(cells(m, base, m.ivar.sub(2), None));
    }
    if m.regs.pc == start {
        return Ended::Again(cells(m, base, m.regs.sp, Some(m.regs.tos)));
    }
    assert_eq!(exit, Exit::Continue);
    assert_eq!(m.regs.pc, next, "the next instruction");
    Ended::Done(cells(m, base, m.regs.sp, Some(m.regs.tos)))
}

/// The operands from above `base` to `sp`, whose cell may be in a register.
fn cells<G: Generation>(
    m: &Machine<'_, G>,
    base: StackOffset,
    sp: StackOffset,
    tos: Option<LispPtr>,
) -> Vec<LispPtr> {
    let count = sp.0.wrapping_sub(base.0) / 2;
    let mut cells: Vec<_> = (0..=count).map(|n| m.mem.stack(base.add(2 * n))).collect();
    if let (Some(last), Some(tos)) = (cells.last_mut(), tos) {
        *last = tos;
    }
    assert_eq!(cells[0], UNDER, "what lies under the operands");
    cells.remove(0);
    cells
}

/// Checks that the stack consists of blocks up to its end. Closes the running frame.
pub fn check_stack<G: Generation>(m: &Machine<'_, G>) {
    m.close_running_frame();
    let mut at = m.stack_base();
    while at != m.end_of_stack() {
        assert!(at < m.end_of_stack(), "the blocks end at {at:?}");
        let next = match m.block_kind(at) {
            block::FREE => at.add(m.block_size(at)),
            block::FRAME => Frame::at(m.mem, at).next_block(),
            block::GUARD => panic!("a guard at {at:?}"),
            _ => at.add(2),
        };
        assert!(next > at, "the block at {at:?}");
        at = next;
    }
}

/// Gives the running frame these arguments.
pub fn set_arguments<G: Generation>(m: &mut Machine<'_, G>, arguments: &[LispPtr]) {
    let basic = FRAME.sub(2);
    m.ivar = basic.sub(2 * arguments.len() as u16);
    for (n, &argument) in arguments.iter().enumerate() {
        m.mem.set_stack(m.ivar.add(2 * n as u16), argument);
    }
    let word = u32::from(block::BASIC_FRAME) << 16 | u32::from(m.ivar.0);
    m.mem.set_stack(basic, LispPtr(word));
}

/// Executes `opcode` for every row of the table in both generations. A row has the
/// operands and what is expected: the stack afterwards, or `trap` with nothing
/// changed, or `trap:` and the stack that Lisp gets.
pub fn table(opcode: Opcode, operand_bytes: &[u8], rows: &[(&str, &str)]) {
    fn run<G: Generation>(opcode: Opcode, operand_bytes: &[u8], rows: &[(&str, &str)]) {
        let code = [&[opcode as u8], operand_bytes].concat();
        let mut wrong = String::new();
        with_interpreter::<G>(|m| {
            for &(operands, expected) in rows {
                let stack = read(m, operands);
                let ended = execute(m, &code, &stack);
                let got = match &ended {
                    Ended::Done(after) => print(m, after),
                    Ended::Trapped(after) if *after == stack => "trap".to_owned(),
                    Ended::Trapped(after) => format!("trap: {}", print(m, after)),
                    Ended::Again(after) => format!("again: {}", print(m, after)),
                };
                if got != expected {
                    let _ = writeln!(wrong, "{operands} -> {got}, not {expected}");
                }
            }
        });
        assert!(
            wrong.is_empty(),
            "{} {opcode} {operand_bytes:?}:\n{wrong}",
            G::NAME
        );
    }
    run::<Medley2>(opcode, operand_bytes, rows);
    run::<Medley3>(opcode, operand_bytes, rows);
}

/// Objects from text, separated by blanks:
///
/// | text | object |
/// |---|---|
/// | `5` `-70000` | integer, boxed if it must be |
/// | `box:5` | boxed integer |
/// | `1.5` `inf` `NaN` | boxed float |
/// | `A` ... `Z` | the symbol of that letter; `T` is T |
/// | `NIL`, `(A B . 1)` | lists |
/// | `\a` | character |
/// | `0x1234` | any cell |
/// | `~1.5` | the bits of a float |
pub fn read<G: Generation>(m: &mut Machine<'_, G>, text: &str) -> Vec<LispPtr> {
    let mut rest = text.chars().peekable();
    let mut objects = Vec::new();
    while let Some(object) = read_object(m, &mut rest) {
        objects.push(object);
    }
    objects
}

fn read_object<G: Generation>(
    m: &mut Machine<'_, G>,
    rest: &mut Peekable<Chars<'_>>,
) -> Option<LispPtr> {
    while rest.next_if_eq(&' ').is_some() {}
    let first = rest.next()?;
    if first == '(' {
        let mut items = Vec::new();
        let mut tail = LispPtr::NIL;
        while rest.next_if_eq(&')').is_none() {
            if rest.next_if_eq(&'.').is_some() {
                tail = read_object(m, rest).expect("a tail");
            } else {
                items.push(read_object(m, rest).expect("a closing parenthesis"));
            }
            while rest.next_if_eq(&' ').is_some() {}
        }
        return Some(
            items
                .iter()
                .rev()
                .fold(tail, |list, &item| m.cons(item, list)),
        );
    }
    let mut word = String::from(first);
    while let Some(c) = rest.next_if(|c| !" )".contains(*c)) {
        word.push(c);
    }
    Some(read_word(m, &word))
}

fn read_word<G: Generation>(m: &mut Machine<'_, G>, word: &str) -> LispPtr {
    let float = |text: &str| text.parse::<f32>().ok();
    if let Ok(n) = word.parse::<i32>() {
        return m.number(n);
    }
    if let Some(n) = word.strip_prefix("box:") {
        let n: i32 = n.parse().expect("an integer");
        return m.boxed(types::FIXP, n as u32);
    }
    if let Some(digits) = word.strip_prefix("0x") {
        return LispPtr(u32::from_str_radix(digits, 16).expect("a cell"));
    }
    if let Some(bits) = word.strip_prefix('~').and_then(float) {
        return LispPtr(bits.to_bits());
    }
    if word == "NIL" {
        return LispPtr::NIL;
    }
    match word.as_bytes() {
        [b'\\', c] => LispPtr::character(u16::from(*c)),
        [c @ b'A'..=b'Z'] => letter(*c),
        _ => m.float(float(word).unwrap_or_else(|| panic!("no object: {word}"))),
    }
}

/// The symbol of a letter.
fn letter(c: u8) -> LispPtr {
    LispPtr(u32::from(c) - 8)
}

/// The text of objects.
pub fn print<G: Generation>(m: &Machine<'_, G>, objects: &[LispPtr]) -> String {
    let texts: Vec<_> = objects.iter().map(|&o| print_object(m, o)).collect();
    texts.join(" ")
}

fn print_object<G: Generation>(m: &Machine<'_, G>, object: LispPtr) -> String {
    if object.is_nil() {
        return "NIL".to_owned();
    }
    if (letter(b'A')..=letter(b'Z')).contains(&object) {
        return char::from(object.lo() as u8 + 8).to_string();
    }
    if object == LispPtr::character(object.lo() & 0x7F) {
        return format!("\\{}", char::from(object.lo() as u8));
    }
    if object.0 & !G::POINTER_MASK != 0 {
        return format!("{object:?}");
    }
    if let Some(n) = object.small_value::<G>() {
        return n.to_string();
    }
    match m.type_number(object) {
        types::FIXP => {
            let n = m.mem.cell(object).0 as i32;
            let boxed = LispPtr::small(n).map_or("", |_| "box:");
            format!("{boxed}{n}")
        }
        types::FLOATP => format!("{:?}", f32::from_bits(m.mem.cell(object).0)),
        types::LISTP => print_list(m, object),
        _ => format!("{object:?}"),
    }
}

fn print_list<G: Generation>(m: &Machine<'_, G>, mut list: LispPtr) -> String {
    let mut items = Vec::new();
    while m.is_list(list) && items.len() < MAX_LENGTH {
        items.push(print_object(m, m.car(list)));
        list = m.cdr(list);
    }
    if !list.is_nil() {
        items.push(".".to_owned());
        items.push(print_object(m, list));
    }
    format!("({})", items.join(" "))
}

#[test]
fn the_notation_prints_what_it_reads() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            let text = "5 -70000 box:5 1.5 -0.0 inf NaN A T NIL (A B . 1) ((1) (2 . 3)) \\a 0x123";
            let objects = read(m, text);
            assert_eq!(print(m, &objects), text);
            assert_eq!(read(m, "~1.0"), [LispPtr(0x3F80_0000)]);
        });
    }
    for_both!(run);
}
