//! Functions in byte code, and ways to run and to look at them.

#![allow(dead_code)] // Each test uses some of it.

use std::rc::Rc;

use geiko_jit::events::Totals;
use geiko_jit::exits::Row;
use geiko_jit::listing::Listing;
use geiko_jit::{Jit, Pace};
use geiko_runtime::fault::Fault;
use geiko_runtime::interp::Exit;
use geiko_runtime::isa::Opcode;
use geiko_runtime::layout::records::frame;
use geiko_runtime::layout::{Generation, Medley2, Medley3, SymbolCell};
use geiko_runtime::machine::Machine;
use geiko_runtime::memory::{AddressSpace, CodePc, LispPtr, StackOffset};
use geiko_runtime::testing::function::{Function, operand};
use geiko_runtime::testing::with_machine;

/// Where the machine's frame is.
const FRAME: StackOffset = geiko_runtime::testing::FRAME;
const MAIN: LispPtr = LispPtr(3000);
pub const TESTED: LispPtr = LispPtr(3001);
pub const HELPER: LispPtr = LispPtr(3002);
const RESULT: LispPtr = LispPtr(3003);
pub const SPECIAL: LispPtr = LispPtr(3004);
pub const BLOCKS: LispPtr = LispPtr(0x24_0000);
/// The service that ends the session.
const FINISH: u8 = 13;

/// An item of code.
#[derive(Clone, Copy)]
pub enum Item {
    /// An instruction with its operand bytes.
    I(Opcode, &'static [u8]),
    /// An instruction with a symbol as its operand.
    S(Opcode, LispPtr),
}

use Item::{I, S};

/// The bytes of `items`.
pub fn assemble<G: Generation>(items: &[Item]) -> Vec<u8> {
    let mut code = Vec::new();
    for item in items {
        match *item {
            I(opcode, operands) => {
                code.push(opcode as u8);
                code.extend(operands);
            }
            S(opcode, symbol) => {
                code.push(opcode as u8);
                code.extend(operand::<G>(symbol));
            }
        }
    }
    code.push(0);
    code
}

/// A function to be tested, perhaps with another that it calls.
pub struct Program {
    pub arguments: i16,
    pub quads: u16,
    pub locals: u8,
    pub names: &'static [(LispPtr, u32)],
    pub code: fn(operand_bytes: u8) -> Vec<Item>,
    pub helper: Option<fn() -> Function<'static>>,
    pub helper_code: &'static [Item],
    /// Cells of the helper's code block.
    pub helper_cells: u16,
}

pub const PLAIN: Program = Program {
    arguments: 1,
    quads: 2,
    locals: 4,
    names: &[],
    code: |_| Vec::new(),
    helper: None,
    helper_code: &[],
    helper_cells: CELLS,
};

/// Cells of a code block.
const CELLS: u16 = 0x100;

/// Puts `function` in the code block with the number `place`, as the definition of `symbol`.
fn define<G: Generation>(m: &Machine<'_, G>, symbol: LispPtr, place: u32, function: Function<'_>) {
    let block = BLOCKS.add(0x400 * place);
    function.define(m, symbol, block);
    // The header of an array block of code, and its length in cells.
    m.mem.set_word(LispPtr(block.0 - 2), 0xAAAD);
    m.mem.set_word(LispPtr(block.0 - 1), CELLS);
}

/// Defines the functions of `program`.
fn define_functions<G: Generation>(m: &Machine<'_, G>, program: &Program) {
    let tested = assemble::<G>(&(program.code)(G::OPERAND_BYTES as u8));
    define(
        m,
        TESTED,
        1,
        Function {
            stack_min: 60,
            arguments: program.arguments,
            quads: program.quads,
            locals: program.locals,
            names: program.names,
            code: &tested,
        },
    );
    if let Some(helper) = program.helper {
        let code = assemble::<G>(program.helper_code);
        define(
            m,
            HELPER,
            2,
            Function {
                code: &code,
                ..helper()
            },
        );
        let cells = LispPtr(BLOCKS.add(2 * 0x400).0 - 1);
        m.mem.set_word(cells, program.helper_cells);
    }
}

/// How a program is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Interpreted,
    Native,
    /// The same, with all instructions counted.
    CountedInterpreted,
    Counted,
    /// Natively and interpreted at the same time.
    Lockstep,
    /// The same, a second time, after this byte of the tested function's code block was
    /// changed behind the back of native code.
    Patched(i32, u8),
}

/// What came of a program.
pub struct Ran {
    pub exit: Exit,
    pub fault: Option<Fault>,
    pub value: LispPtr,
    /// Of native code.
    pub bytes: usize,
    /// Instructions, if they were counted.
    pub interpreted: u64,
    pub native: u64,
    pub totals: Totals,
    pub exits: Vec<Row>,
}

/// Makes the beginning of the main function what is done next.
fn start<G: Generation>(m: &mut Machine<'_, G>) {
    m.regs.pvar = FRAME.add(frame::WORDS);
    m.func = BLOCKS;
    let header = m.regs.pvar.sub(frame::WORDS).add(frame::FUNCTION);
    m.mem.set_stack(header, G::to_frame_pointer(BLOCKS));
    let start = m.mem.word(BLOCKS.add(3));
    m.regs.pc = CodePc::new(BLOCKS, start);
    m.regs.sp = m.regs.pvar.add(6);
    m.set_stack_limit();
}

/// Calls the function of `program` for the numbers 0 to 19 and answers the sum of
/// its results.
pub fn run<G: Generation>(program: &Program, way: Way) -> Ran {
    let mut outcome = None;
    with_machine::<G>(|mut m| {
        define_functions(&m, program);
        let call = 5 + G::OPERAND_BYTES as u8;
        let main = assemble::<G>(&[
            I(Opcode::Zero, &[]),
            I(Opcode::PvarSet0, &[]),
            I(Opcode::PvarSetPop1, &[]),
            I(Opcode::Pvar1, &[]),
            I(Opcode::Pvar0, &[]),
            S(Opcode::Fn1, TESTED),
            I(Opcode::Plus2, &[]),
            I(Opcode::PvarSetPop1, &[]),
            I(Opcode::Pvar0, &[]),
            I(Opcode::One, &[]),
            I(Opcode::Plus2, &[]),
            I(Opcode::PvarSet0, &[]),
            I(Opcode::Sic, &[20]),
            I(Opcode::Eq, &[]),
            // Back to the first PVAR1.
            I(Opcode::FJumpX, if call == 8 { &[0xF1] } else { &[0xF0] }),
            I(Opcode::Pvar1, &[]),
            S(Opcode::GvarSet, RESULT),
            I(Opcode::SubrCall, &[FINISH, 0]),
            I(Opcode::Return, &[]),
        ]);
        define(
            &m,
            MAIN,
            0,
            Function {
                stack_min: 60,
                arguments: 0,
                quads: 1,
                locals: 2,
                names: &[],
                code: &main,
            },
        );
        let jit = Rc::new(Jit::new(m.mem, 1 << 20, Pace::Now).expect("a compiler"));
        let before = jit.code_bytes();
        if way == Way::Counted || way == Way::CountedInterpreted {
            m.count_instructions();
            jit.count_instructions();
        }
        if !matches!(way, Way::Interpreted | Way::CountedInterpreted) {
            m.set_compiler(jit.clone(), 1);
        }
        if matches!(way, Way::Lockstep | Way::Patched(..)) {
            m.count_exactly();
            // It is to live longer than the machine.
            let shadow: &AddressSpace<G> =
                Box::leak(Box::new(AddressSpace::reserve().expect("address space")));
            m.set_shadow(shadow.attention(), shadow, 1000);
        }
        start(&mut m);
        let mut exit = m.run();
        if let Way::Patched(offset, byte) = way {
            m.mem.set_byte(BLOCKS.add(0x400), offset, byte);
            start(&mut m);
            exit = m.run();
        }
        outcome = Some(Ran {
            exit,
            fault: m.fault.clone(),
            value: m.mem.cell(G::symbol_cell(RESULT, SymbolCell::Value)),
            bytes: jit.code_bytes() - before,
            interpreted: m.instructions(),
            native: jit.instructions(),
            totals: jit.totals(),
            exits: jit.exits(),
        });
    });
    outcome.expect("it ran")
}

/// Runs `program` in both ways in both generations; the sum must be `expected`.
pub fn check(program: &Program, expected: u16) {
    fn of<G: Generation>(program: &Program, expected: u16) {
        let expected = (Exit::Finished, LispPtr::smallpos(expected));
        let ran = run::<G>(program, Way::Interpreted);
        assert_eq!(
            ((ran.exit, ran.value), ran.bytes),
            (expected, 0),
            "{}",
            G::NAME
        );
        for way in [Way::Native, Way::Lockstep] {
            let ran = run::<G>(program, way);
            assert_eq!(ran.fault, None);
            assert_eq!((ran.exit, ran.value), expected, "{}, {way:?}", G::NAME);
            assert!(ran.bytes > 0, "native code was made");
        }
    }
    of::<Medley2>(program, expected);
    of::<Medley3>(program, expected);
}

/// The native code of the function of `program`.
pub fn list<G: Generation>(program: &Program) -> Listing {
    let mut listing = None;
    with_machine::<G>(|m| {
        define_functions(&m, program);
        let jit = Jit::new(m.mem, 1 << 20, Pace::Now).expect("a compiler");
        let name = |symbol| match symbol {
            TESTED => "TESTED".into(),
            HELPER => "HELPER".into(),
            _ => format!("{symbol}"),
        };
        listing = jit
            .list(m.mem, &m.symbols, BLOCKS.add(0x400), &name)
            .expect("a host that is known");
    });
    listing.expect("native code")
}
