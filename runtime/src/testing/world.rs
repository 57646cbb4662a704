//! A small Lisp: a machine with the types, functions, traps and stack that byte code
//! usually meets, whose reference counts are right.

use super::function::{Function, operand};
use super::objects::GLOBALS;
use super::{FRAME, declare_type};
use crate::isa::sub_opcodes::Subr;
use crate::isa::{OPCODES, Opcode};
use crate::layout::builtin::builtin_types;
use crate::layout::records::{
    array_block, block, frame, function, interface, locator, symbols, types,
};
use crate::layout::{Generation, SymbolCell};
use crate::machine::Machine;
use crate::memory::{LispPtr, StackOffset};
use crate::stack::{BOTTOM, Frame};

/// What an object can be used as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// A list, perhaps a circle.
    List,
    /// An array of one dimension or any number.
    Array,
    /// An array of two dimensions.
    Matrix,
    /// A string.
    String,
    /// A symbol.
    Symbol,
    /// A symbol with a definition, or a closure.
    Function,
    /// A compiled function.
    Code,
    /// A stream.
    Stream,
    /// A bitmap.
    Bitmap,
    /// What drawing instructions read: bit-block transfer tables, display data.
    Drawing,
    /// A boxed number.
    Number,
    /// A small integer.
    Small,
    /// An instance of another type.
    Record,
    /// Raw storage.
    Storage,
    /// What only the machine itself should write to.
    Table,
}

/// Symbols that are functions made by programs.
pub const PROGRAMS: [LispPtr; 4] = [LispPtr(400), LispPtr(401), LispPtr(402), LispPtr(403)];
/// The function of the bottom frame, which calls the programs for ever.
const DRIVER: LispPtr = LispPtr(404);
/// The first of the functions that traps call, one for each number of arguments.
const TRAPS: u32 = 410;
/// A type of records with pointers and a supertype.
pub const RECORD: u16 = 100;

/// The array space: its start, and the end of what it may become.
const SPACE: LispPtr = LispPtr(0x2F_0000);
const SPACE_END: LispPtr = LispPtr(0x30_0000);
/// Heads of the rings of free array blocks.
pub const BUCKETS: LispPtr = LispPtr(0xD000);
/// The interrupt state.
const INTERRUPTS: LispPtr = LispPtr(0xD100);
/// Frames of system contexts.
const CONTEXTS: [(u32, StackOffset); 2] = [
    (interface::RESET_FRAME, StackOffset(0x0400)),
    (interface::MISC_FRAME, StackOffset(0x0600)),
];
/// Arguments of a frame that nobody called.
const ARGUMENTS: u16 = 2;

/// What there is on the machine.
pub struct World {
    objects: Vec<(Sort, LispPtr)>,
    /// The end of the array space.
    space: LispPtr,
    /// The next symbol to hold an object.
    global: LispPtr,
}

impl World {
    /// Makes a world on a blank machine.
    pub fn new<G: Generation>(m: &mut Machine<'_, G>) -> Self {
        let mut world = Self {
            objects: Vec::new(),
            space: SPACE,
            global: GLOBALS,
        };
        for unit in (SPACE.0 >> 9)..(SPACE_END.0 >> 9) {
            m.mem.set_word(G::TYPE_TABLE.add(unit), 0);
        }
        for (cell, value) in [
            (m.symbols.array_space, SPACE),
            (m.symbols.array_free_list, SPACE_END),
            (m.symbols.free_block_buckets, BUCKETS),
            (m.symbols.array_merging, LispPtr::T),
            (m.symbols.interrupt_state, INTERRUPTS),
            (m.symbols.key_buffering, LispPtr::T),
        ] {
            m.mem.set_cell(cell, value);
        }
        m.set_interface_word(interface::DL24_BIT_ADDRESSABLE, 0xFFFF);
        m.set_interface_word(interface::KEY, interface::VALID_KEY);
        m.set_page_variable(m.symbols.second_array_page, 0x4000);
        m.set_page_variable(m.symbols.second_mds_page, 0x7FFC);
        m.box_page_variables();
        declare_types(m);
        world.make_functions(m);
        world.make_objects(m);
        world
    }

    /// The objects of a sort, at least one.
    pub fn all(&self, sort: Sort) -> Vec<LispPtr> {
        let of_sort = self.objects.iter().filter(|(of, _)| *of == sort);
        of_sort.map(|&(_, object)| object).collect()
    }

    /// An object of any sort but a table, by number.
    pub fn any(&self, number: usize) -> LispPtr {
        let tables = self.objects.iter().position(|(of, _)| *of == Sort::Table);
        self.objects[number % tables.unwrap_or(self.objects.len())].1
    }

    /// Notes an object.
    pub fn note(&mut self, sort: Sort, object: LispPtr) -> LispPtr {
        self.objects.push((sort, object));
        object
    }

    /// Notes an object and makes it the value of a symbol, which counts as one
    /// reference.
    pub fn hold<G: Generation>(
        &mut self,
        m: &mut Machine<'_, G>,
        sort: Sort,
        object: LispPtr,
    ) -> LispPtr {
        let cell = G::symbol_cell(self.global, SymbolCell::Value);
        self.global = self.global.add(1);
        m.store_counted(cell, object);
        self.note(sort, object)
    }

    /// A new array block in use with `cells` cells of `content`; its one reference
    /// is the caller's.
    pub fn block<G: Generation>(
        &mut self,
        m: &Machine<'_, G>,
        cells: usize,
        content: u16,
    ) -> LispPtr {
        let at = self.space;
        // An even number of cells, so that blocks of code start at quad-words.
        let cells = (cells as u32).next_multiple_of(2) + 2;
        self.space = at.add(2 * cells);
        assert!(self.space < SPACE_END, "the array space is full");
        for end in [at, self.space.add(array_block::HEADER_WORDS.wrapping_neg())] {
            let flags = array_block::FREE | array_block::IN_USE | content;
            m.mem.set_word(end, flags);
            m.mem.set_word(end.add(array_block::LENGTH), cells as u16);
        }
        at.add(array_block::HEADER_WORDS)
    }

    /// A new array block of `cells` cells without pointers that a symbol holds.
    pub fn hold_block<G: Generation>(
        &mut self,
        m: &mut Machine<'_, G>,
        sort: Sort,
        cells: usize,
        content: u16,
    ) -> LispPtr {
        let block = self.block(m, cells, content);
        self.hold(m, sort, block);
        // The caller's reference has become that of the symbol.
        m.del_ref(block);
        block
    }

    /// Makes a free array block of `cells` cells.
    pub fn free_block<G: Generation>(&mut self, m: &mut Machine<'_, G>, cells: u32) {
        let free = self.space;
        self.space = free.add(2 * cells);
        m.free_array_space(free, cells);
    }

    /// Makes code the definition of `symbol`; `constants` are the objects in it.
    pub fn define<G: Generation>(
        &mut self,
        m: &mut Machine<'_, G>,
        symbol: LispPtr,
        arguments: i16,
        code: &[u8],
        constants: &[LispPtr],
    ) -> LispPtr {
        let place = |kind: u8, n: u32| u32::from(kind) << 24 | n;
        // Arguments and locals of one function are what others have free.
        let [a, b, c, d] = [0, 1, 2, 3].map(|n| GLOBALS.add(n));
        let function = Function {
            stack_min: 64,
            arguments,
            quads: 2,
            locals: 2,
            names: &[
                (c, place(locator::ARGUMENT, 0)),
                (d, place(locator::ARGUMENT, 1)),
                (c, place(locator::LOCAL, 0)),
                (d, place(locator::LOCAL, 1)),
                (a, place(locator::FREE, 2)),
                (b, place(locator::FREE, 3)),
            ],
            code,
        };
        let block = self.block(m, function.bytes().div_ceil(4), array_block::CODE);
        function.define(m, symbol, block);
        m.mem.set_cell(block.add(function::FRAME_NAME), symbol);
        for &constant in constants {
            m.add_ref(constant.masked::<G>());
        }
        block
    }

    fn make_functions<G: Generation>(&mut self, m: &mut Machine<'_, G>) {
        let first = [Opcode::Ivar0 as u8, Opcode::Return as u8];
        let nil = [Opcode::Nil as u8, Opcode::Return as u8];
        let collect = [
            Opcode::SubrCall as u8,
            Subr::DoReclaim.code(),
            0,
            Opcode::Return as u8,
        ];
        for arguments in 0..10 {
            let code = if arguments == 0 { nil } else { first };
            let symbol = LispPtr(TRAPS + arguments as u32);
            let block = self.define(m, symbol, arguments, &code, &[]);
            self.note(Sort::Function, symbol);
            self.note(Sort::Code, block);
        }
        for info in &OPCODES {
            let (arguments, bytes) = match info.ufn {
                Some(ufn) => (ufn.arguments, ufn.operand_bytes(G::OPERAND_BYTES)),
                None => (0, 0),
            };
            let function = TRAPS + u32::from(arguments);
            let entry = function << 16 | bytes << 8 | u32::from(arguments);
            let at = G::UFN_TABLE.add(2 * info.opcode as u32);
            m.mem.set_cell(at, LispPtr(entry));
        }
        let known = m.symbols.clone();
        for (symbol, arguments, code) in [
            (symbols::EVALFORM, 1, &nil[..]),
            (symbols::INTERPRETER, -1, &nil),
            (known.mvlist, 1, &first),
            (known.do_reclaim, 0, &collect),
            (known.interrupt_frame, 0, &nil),
            (known.periodic_interrupt_frame, 0, &nil),
            (known.do_buffered_transitions, 0, &nil),
            (known.punt_bltchar, 3, &first),
            (known.punt_bitblt_bitmap, -1, &nil),
            (known.punt_bltshade_bitmap, -1, &nil),
            (known.tedit_bltchar, -1, &nil),
        ] {
            self.define(m, symbol, arguments, code, &[]);
            self.note(Sort::Function, symbol);
        }
        for symbol in PROGRAMS {
            self.note(Sort::Function, symbol);
        }
    }

    /// Closes the array space, builds the stack, and starts the machine in the
    /// driver.
    pub fn start<G: Generation>(&mut self, m: &mut Machine<'_, G>) {
        let mut code = Vec::new();
        for symbol in PROGRAMS {
            code.push(Opcode::Fn0 as u8);
            code.extend(operand::<G>(symbol));
            code.push(Opcode::Pop as u8);
        }
        let back = (code.len() as u8).wrapping_neg();
        code.extend([Opcode::JumpX as u8, back]);
        let driver = self.define(m, DRIVER, 0, &code, &[]);
        m.mem.set_cell(m.symbols.array_free_list, self.space);
        for (context, at) in CONTEXTS {
            let fx = make_frame(m, at, self.all(Sort::Code)[0], at.add(0x180));
            m.set_interface_word(context, fx.0);
        }
        let arguments = FRAME.sub(2 + 2 * ARGUMENTS);
        m.free_stack(m.stack_base(), arguments);
        let fx = make_frame(m, arguments, driver, m.end);
        m.set_interface_word(interface::CURRENT_FRAME, fx.0);
        m.start().expect("the frame can be resumed");
    }
}

/// Builds a suspended frame whose arguments start at `at`, followed by free space
/// up to `end`.
fn make_frame<G: Generation>(
    m: &Machine<'_, G>,
    at: StackOffset,
    code: LispPtr,
    end: StackOffset,
) -> StackOffset {
    let basic = at.add(2 * ARGUMENTS);
    for argument in 0..ARGUMENTS {
        m.mem
            .set_stack(at.add(2 * argument), LispPtr::smallpos(argument));
    }
    let cell = u32::from(block::BASIC_FRAME) << 16 | u32::from(at.0);
    m.mem.set_stack(basic, LispPtr(cell));
    let frame = Frame::at(m.mem, basic.add(2));
    frame.set_flags(frame::flag::KIND | frame::flag::NO_PUSH);
    frame.set_alink_word(BOTTOM);
    m.mem
        .set_stack(frame.fx.add(frame::FUNCTION), G::to_frame_pointer(code));
    frame.set_pc_offset(m.mem.word(code.add(function::START_PC)));
    let mut top = frame.pvar();
    for _ in 0..m.pvar_cells(code) {
        m.mem.set_stack(top, LispPtr::UNBOUND);
        top = top.add(2);
    }
    // Padding, and a top of stack.
    for _ in 0..3 {
        m.mem.set_stack(top, LispPtr::NIL);
        top = top.add(2);
    }
    frame.set_next_block(top);
    m.free_stack(top, end);
    frame.fx
}

/// Declares the types with fixed numbers, and one of Lisp's own.
fn declare_types<G: Generation>(m: &mut Machine<'_, G>) {
    for builtin in builtin_types::<G>() {
        // List cells come first: pointer lists are made of them.
        if builtin.number > types::LISTP && builtin.words != 0 {
            declare_type(m, builtin.number, builtin.words, &builtin.pointers);
            let dtd = G::dtd(u32::from(builtin.number));
            m.mem
                .set_word(dtd.add(G::DTD_FIELDS.type_entry), builtin.entry);
        }
    }
    declare_type(m, RECORD, 6, &[0, 2, 4]);
    let supertype = G::dtd(u32::from(RECORD)).add(G::DTD_FIELDS.supertype);
    m.mem.set_word(supertype, types::PATHNAME);
}
