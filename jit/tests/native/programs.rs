//! Functions in byte code, and ways to run and to look at them.

use std::rc::Rc;

use geiko_jit::events::Totals;
use geiko_jit::exits::Row;
use geiko_jit::listing::Listing;
use geiko_jit::{Jit, Pace};
use geiko_runtime::fault::Fault;
use geiko_runtime::interp::Exit;
use geiko_runtime::layout::records::{block, frame, function, types};
use geiko_runtime::layout::{Generation, Medley2, Medley3, SymbolCell};
use geiko_runtime::machine::Machine;
use geiko_runtime::memory::{AddressSpace, CodePc, LispPtr, StackOffset};
use geiko_runtime::testing::with_machine;
use geiko_runtime::testing::{assembler, function::Function};

/// Where the machine's frame is.
const FRAME: StackOffset = geiko_runtime::testing::FRAME;
const MAIN: LispPtr = LispPtr(3000);
const TESTED: LispPtr = LispPtr(3001);
const HELPER: LispPtr = LispPtr(3002);
const RESULT: LispPtr = LispPtr(3003);
pub const SPECIAL: LispPtr = LispPtr(3004);
/// The code block of the main function.
const BLOCKS: LispPtr = LispPtr(0x24_0000);
pub const TESTED_BLOCK: LispPtr = LispPtr(BLOCKS.0 + 0x400);
const HELPER_BLOCK: LispPtr = LispPtr(BLOCKS.0 + 0x800);
const COLLECTOR_BLOCK: LispPtr = LispPtr(BLOCKS.0 + 0xC00);

/// Where the code of a function without names starts in its block, in bytes.
pub const START: u32 = 2 * function::WORDS;

/// A function to be tested, perhaps with another that it calls.
#[derive(Clone, Copy)]
pub struct Program<'a> {
    pub arguments: i16,
    pub quads: u16,
    pub locals: u8,
    pub names: &'a [(LispPtr, u32)],
    /// For the [`assembler`].
    pub code: &'a str,
    /// Cells of its code block.
    pub cells: u16,
    /// What it calls by the name HELPER.
    pub helper: Option<&'a Program<'a>>,
}

pub const PLAIN: Program<'static> = Program {
    arguments: 1,
    quads: 2,
    locals: 4,
    names: &[],
    code: "",
    cells: 0x100,
    helper: None,
};

impl Program<'_> {
    /// The bytes of its code.
    pub fn bytes<G: Generation>(&self) -> Vec<u8> {
        let names = [
            ("TESTED", TESTED),
            ("HELPER", HELPER),
            ("RESULT", RESULT),
            ("SPECIAL", SPECIAL),
            ("TESTED-BLOCK", TESTED_BLOCK),
            ("HELPER-BLOCK", HELPER_BLOCK),
        ];
        assembler::assemble::<G>(self.code, &names)
    }

    /// Puts the function in `block`, as the definition of `symbol`.
    fn define<G: Generation>(&self, m: &Machine<'_, G>, symbol: LispPtr, block: LispPtr) {
        let function = Function {
            stack_min: 60,
            arguments: self.arguments,
            quads: self.quads,
            locals: self.locals,
            names: self.names,
            code: &self.bytes::<G>(),
        };
        function.define(m, symbol, block);
        // The header of an array block of code, and its length in cells.
        m.mem.set_word(LispPtr(block.0 - 2), 0xAAAD);
        m.mem.set_word(LispPtr(block.0 - 1), self.cells);
    }

    /// Defines the function and what it calls.
    fn define_all<G: Generation>(&self, m: &Machine<'_, G>) {
        self.define(m, TESTED, TESTED_BLOCK);
        if let Some(helper) = self.helper {
            helper.define(m, HELPER, HELPER_BLOCK);
        }
        let collector = Program {
            arguments: 0,
            code: "SUBRCALL 92 0; RETURN",
            ..PLAIN
        };
        collector.define(m, m.symbols.do_reclaim, COLLECTOR_BLOCK);
    }
}

/// How a program is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Interpreted,
    Native,
    /// The same, with a collection at every chance.
    Zealous,
    /// Natively, with all instructions counted.
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
    /// Boxes of integers that were made.
    pub boxes: u32,
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
    let basic = FRAME.sub(2);
    m.free_stack(m.stack_base(), basic);
    let words = [block::BASIC_FRAME, basic.0, block::FRAME, 0];
    for (at, word) in (basic.0..).zip(words) {
        m.mem.set_stack_word(StackOffset(at), word);
    }
    m.regs.pvar = FRAME.add(frame::WORDS);
    m.func = BLOCKS;
    let header = m.regs.pvar.sub(frame::WORDS).add(frame::FUNCTION);
    m.mem.set_stack(header, G::to_frame_pointer(BLOCKS));
    let start = m.mem.word(BLOCKS.add(3));
    m.regs.pc = CodePc::new(BLOCKS, start);
    m.regs.sp = m.regs.pvar.add(6);
    m.set_stack_limit();
}

/// Calls the function of `program` for the numbers 0 to 19, adds up its results and ends the
/// session with service 13.
pub fn run<G: Generation>(program: &Program<'_>, way: Way) -> Ran {
    let mut outcome = None;
    with_machine::<G>(|mut m| {
        program.define_all(&m);
        let main = Program {
            arguments: 0,
            code: "'0; PVAR_0; PVAR_^1
                   next: PVAR1; PVAR0; FN1 TESTED; PLUS2; PVAR_^1
                   PVAR0; '1; PLUS2; PVAR_0; SIC 20; EQ; FJUMPX next
                   PVAR1; GVAR_ RESULT; SUBRCALL 13 0; RETURN",
            ..PLAIN
        };
        main.define(&m, MAIN, BLOCKS);
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
        if way == Way::Zealous {
            m.set_gc_zeal();
        }
        start(&mut m);
        let mut exit = m.run();
        if let Way::Patched(offset, byte) = way {
            m.mem.set_byte(TESTED_BLOCK, offset, byte);
            start(&mut m);
            exit = m.run();
        }
        outcome = Some(Ran {
            exit,
            fault: m.fault.clone(),
            value: m.mem.cell(G::symbol_cell(RESULT, SymbolCell::Value)),
            boxes: m
                .mem
                .cell(G::dtd(types::FIXP.into()).add(G::DTD_FIELDS.old_count))
                .0,
            bytes: jit.code_bytes() - before,
            interpreted: m.instructions(),
            native: jit.instructions(),
            totals: jit.totals(),
            exits: jit.exits(),
        });
    });
    outcome.expect("it ran")
}

/// The interpreter alone and both together count the same number of instructions.
pub fn check_count(program: &Program<'_>) {
    let alone = run::<Medley3>(program, Way::CountedInterpreted);
    let together = run::<Medley3>(program, Way::Counted);
    assert_eq!(together.value, alone.value);
    assert!(together.native > 0);
    assert_eq!(together.native + together.interpreted, alone.interpreted);
}

/// Runs `program` in all ways in both generations; the sum must be `expected`.
pub fn check(program: &Program<'_>, expected: u16) {
    fn of<G: Generation>(program: &Program<'_>, expected: u16) {
        let expected = (Exit::Finished, LispPtr::smallpos(expected));
        let ran = run::<G>(program, Way::Interpreted);
        assert_eq!(
            ((ran.exit, ran.value), ran.bytes),
            (expected, 0),
            "{}",
            G::NAME
        );
        for way in [Way::Native, Way::Zealous, Way::Lockstep] {
            let ran = run::<G>(program, way);
            assert_eq!(ran.fault, None);
            assert_eq!((ran.exit, ran.value), expected, "{}, {way:?}", G::NAME);
            assert!(ran.bytes > 0, "native code was made");
        }
    }
    of::<Medley2>(program, expected);
    of::<Medley3>(program, expected);
    check_count(program);
}

/// The native code of the function of `program`.
pub fn list<G: Generation>(program: &Program<'_>) -> Listing {
    let mut listing = None;
    with_machine::<G>(|m| {
        program.define_all(&m);
        let jit = Jit::new(m.mem, 1 << 20, Pace::Now).expect("a compiler");
        let name = |symbol| match symbol {
            TESTED => "TESTED".into(),
            HELPER => "HELPER".into(),
            _ => format!("{symbol}"),
        };
        listing = jit
            .list(m.mem, &m.symbols, TESTED_BLOCK, &name)
            .expect("a host that is known");
    });
    listing.expect("native code")
}

/// (if (> 2 n) n (+ (fib (- n 1)) (fib (- n 2))))
pub const FIBONACCI: Program<'static> = Program {
    code: "SIC 2; IVAR0; GREATERP; FJUMP large; IVAR0; RETURN
           large: IVAR0; IDIFFERENCE.N 1; FN1 TESTED
           IVAR0; SIC 2; DIFFERENCE; FN1 TESTED; PLUS2; RETURN",
    ..PLAIN
};
