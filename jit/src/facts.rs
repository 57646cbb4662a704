//! What the translator asks of Lisp memory besides the code: definitions, types and
//! constants that the code names. All of it is asked before, so that translating can
//! take place while Lisp goes on.

use std::collections::{BTreeMap, BTreeSet};

use geiko_runtime::isa::Opcode;
use geiko_runtime::isa::decode::Operand;
use geiko_runtime::layout::records::{function, type_entry, types};
use geiko_runtime::layout::{Generation, SymbolCell};
use geiko_runtime::machine::type_entry_of;
use geiko_runtime::memory::{LispPtr, Mem};

use crate::feedback;
use crate::flow::{Flow, Step};
use crate::numbers::{self, Kind};
use crate::records::Records;

/// What a call site knows of the function it calls.
#[derive(Clone, Copy, Debug)]
pub struct Callee {
    /// What the definition cell must contain.
    pub definition: LispPtr,
    /// The code block.
    pub code: LispPtr,
    /// Number of arguments; `None` for any number.
    pub arguments: Option<u16>,
    /// Address of the word that holds the address of its native code, or 0.
    pub entry: i64,
}

/// A type that the code names.
#[derive(Clone, Copy, Debug)]
pub struct KnownType {
    /// Its number.
    pub number: u32,
    /// The first cell of its descriptor, which changes with its name.
    pub name: u32,
}

/// The function that Lisp has for an instruction that cannot be done.
#[derive(Clone, Copy, Debug)]
pub struct Trap {
    /// Where the table of these functions has it.
    pub place: LispPtr,
    /// What is there.
    pub entry: u32,
    /// The symbol.
    pub function: LispPtr,
    /// Its definition.
    pub callee: Callee,
    /// Arguments.
    pub arguments: u16,
    /// The last of them, if that is the instruction's operand.
    pub operand: Option<LispPtr>,
}

/// The small integer -1.
const NEGATIVE: u32 = 0xF_FFFF;

/// Most words of an instance that are cleared one by one.
const MAX_CLEARED: u16 = 32;

/// Facts about what the code of a function names.
#[derive(Debug, Default)]
pub struct Facts {
    callees: BTreeMap<LispPtr, Callee>,
    types: BTreeMap<LispPtr, KnownType>,
    floats: Vec<LispPtr>,
    sizes: BTreeMap<u32, u32>,
    traps: BTreeMap<u32, Trap>,
    /// Type table entries of small integers, from 0 and below, boxed integers and floats.
    numbers: [u16; 4],
    /// Constants whose references are not counted.
    uncounted: BTreeSet<LispPtr>,
}

impl Facts {
    /// Asks all that the code in `flow` may need.
    pub fn new<G: Generation>(mem: Mem<'_, G>, flow: &Flow, records: &Records) -> Self {
        use Opcode::{Dtest, Fn0, Fn1, Fn2, Fn3, Fn4, FnX, InstanceP};
        let boxed = |number: u16| mem.word(G::dtd(number.into()).add(G::DTD_FIELDS.type_entry));
        let small = |cell| type_entry_of(mem, LispPtr(cell));
        let mut facts = Self {
            numbers: [
                small(LispPtr::smallpos(0).0),
                small(NEGATIVE),
                boxed(types::FIXP),
                boxed(types::FLOATP),
            ],
            ..Self::default()
        };
        for pair in flow.steps.windows(2) {
            let number = numbers::constant(&pair[0]).map(|cell| cell.lo());
            if let (Some(number), Opcode::CreateCell) = (number, pair[1].instruction.opcode) {
                let number = u32::from(number);
                let size = mem.word(G::dtd(number).add(G::DTD_FIELDS.size));
                let sizes = (size <= MAX_CLEARED).then_some((number, size.into()));
                facts.sizes.extend(sizes);
            }
        }
        let always = [LispPtr::NIL, LispPtr::T];
        let constants = always
            .into_iter()
            .chain(flow.steps.iter().filter_map(numbers::constant));
        let is_uncounted = |cell: &LispPtr| type_entry_of(mem, *cell) & type_entry::NO_REF != 0;
        facts.uncounted = constants.filter(is_uncounted).collect();
        for step in &flow.steps {
            let opcode = step.instruction.opcode;
            let pc = step.instruction.offset;
            if calls_lisp(mem, step) {
                let trap = trap(mem, step, records);
                facts.traps.extend(trap.map(|trap| (pc, trap)));
            }
            for operand in step.instruction.operands() {
                match *operand {
                    Operand::Atom(name) if matches!(opcode, Fn0 | Fn1 | Fn2 | Fn3 | Fn4 | FnX) => {
                        let callee = callee(mem, LispPtr(name), records);
                        facts
                            .callees
                            .extend(callee.map(|callee| (LispPtr(name), callee)));
                    }
                    Operand::Atom(name) if matches!(opcode, Dtest | InstanceP) => {
                        let known = known_type(mem, LispPtr(name));
                        facts
                            .types
                            .extend(known.map(|known| (LispPtr(name), known)));
                    }
                    Operand::Pointer(cell)
                        if type_entry_of(mem, LispPtr(cell)) & type_entry::NUMBER
                            == types::FLOATP =>
                    {
                        facts.floats.push(LispPtr(cell));
                    }
                    _ => {}
                }
            }
        }
        facts
    }

    /// The compiled definition of the symbol, if it has one.
    pub fn callee(&self, symbol: LispPtr) -> Option<Callee> {
        self.callees.get(&symbol).copied()
    }

    /// All symbols that are called and have compiled definitions.
    pub fn callees(&self) -> impl Iterator<Item = (LispPtr, Callee)> {
        let called = (self.callees.iter()).map(|(&symbol, &callee)| (symbol, callee));
        let traps = self.traps.values();
        called.chain(traps.map(|trap| (trap.function, trap.callee)))
    }

    /// The function for the instruction of `step`, if native code calls it.
    pub fn trap(&self, step: &Step) -> Option<Trap> {
        self.traps.get(&step.instruction.offset).copied()
    }

    /// The type with that name.
    pub fn known_type(&self, name: LispPtr) -> Option<KnownType> {
        self.types.get(&name).copied()
    }

    /// Words of an instance of the type with that number, if it is known and small.
    pub fn size(&self, number: u32) -> Option<u32> {
        self.sizes.get(&number).copied().filter(|&words| words > 0)
    }

    /// True if the type table entries of numbers of this kind satisfy `holds`, false if
    /// none does.
    pub fn numbers_satisfy(&self, kind: Kind, holds: impl Fn(u16) -> bool) -> Option<bool> {
        let entries = match kind {
            Kind::Any => return None,
            Kind::Small => &self.numbers[..2],
            Kind::Integer => &self.numbers[..3],
            Kind::Float | Kind::BoxedFloat => &self.numbers[3..],
        };
        let all = entries.iter().all(|&entry| holds(entry));
        let none = !entries.iter().any(|&entry| holds(entry));
        (all || none).then_some(all)
    }

    /// True if references to the constant are not counted: its type is that of a symbol or
    /// small integer, and it stays that.
    pub fn is_uncounted(&self, constant: LispPtr) -> bool {
        self.uncounted.contains(&constant)
    }

    /// The kind of a constant: small integer, boxed float, or anything.
    pub fn kind(&self, constant: LispPtr) -> Kind {
        if constant.0 >> 17 == 7 {
            Kind::Small
        } else if self.floats.contains(&constant) {
            Kind::BoxedFloat
        } else {
            Kind::Any
        }
    }
}

/// True for instructions whose function native code calls, because Lisp often wants them
/// to do what only that can. DTEST makes floats of other numbers.
fn calls_lisp<G: Generation>(mem: Mem<'_, G>, step: &Step) -> bool {
    use Opcode::{CmlAssoc, CmlEqual, CmlMember, Dtest, Eql, Equal};
    match (step.instruction.opcode, step.instruction.operands()) {
        (CmlAssoc | CmlEqual | CmlMember | Eql | Equal, _) => true,
        (Dtest, [Operand::Atom(name)]) => {
            G::dtd_name(mem, G::dtd(types::FLOATP.into())) == LispPtr(*name)
        }
        (opcode, _) => feedback::domain(opcode).is_some(),
    }
}

/// The function for the instruction of `step`, if that is compiled.
fn trap<G: Generation>(mem: Mem<'_, G>, step: &Step, records: &Records) -> Option<Trap> {
    let opcode = step.instruction.opcode as u32;
    let place = G::UFN_TABLE.add(2 * opcode);
    let entry = mem.cell(place);
    let bytes = u32::from(entry.lo() >> 8);
    let operand = match step.instruction.operands() {
        [] if bytes == 0 => None,
        // Symbols are told by their numbers.
        [Operand::Atom(name)] if bytes > 0 => Some(LispPtr::smallpos(u16::try_from(*name).ok()?)),
        _ => return None,
    };
    if step.next != step.instruction.offset + bytes + 1 {
        return None;
    }
    let function = LispPtr(entry.hi().into());
    Some(Trap {
        place,
        entry: entry.0,
        function,
        callee: callee(mem, function, records)?,
        arguments: entry.lo() & 0xFF,
        operand,
    })
}

fn known_type<G: Generation>(mem: Mem<'_, G>, name: LispPtr) -> Option<KnownType> {
    let has_name = |&number: &u32| G::dtd_name(mem, G::dtd(number)) == name;
    let number = (1..G::DTD_CAPACITY).find(has_name)?;
    let name = mem.cell(G::dtd(number)).0;
    Some(KnownType { number, name })
}

fn callee<G: Generation>(mem: Mem<'_, G>, symbol: LispPtr, records: &Records) -> Option<Callee> {
    let cell = G::symbol_cell(symbol, SymbolCell::Definition);
    let definition = mem.cell(cell);
    if !definition.has_sign() {
        return None;
    }
    let code = definition.masked::<G>();
    let arguments = mem.word(code.add(function::ARG_COUNT)) as i16;
    Some(Callee {
        definition,
        code,
        arguments: u16::try_from(arguments).ok(),
        entry: records.with(code, |record| record.entry.as_ptr() as i64),
    })
}
