//! Random functions: a string of bytes becomes byte code.
//!
//! In *tidy* code every instruction finds operands of the right number on the stack,
//! and mostly of the right sort; other code is just bytes.

use super::function::operand;
use super::source::Source;
use super::world::{Sort, World};
use crate::isa::sub_opcodes::{Miscn, Subr};
use crate::isa::{Opcode, OperandKind};
use crate::layout::Generation;
use crate::memory::LispPtr;

/// Services that need arguments of certain sorts to get far.
const SERVICES: [(Subr, &[Sort]); 8] = {
    use Sort::{Bitmap, Drawing, List, Number, Record, Small, Storage, Stream, String, Symbol};
    [
        (
            Subr::BitBltSub,
            &[
                Drawing, Bitmap, Small, Small, Bitmap, Small, Small, Small, Symbol, Symbol, Bitmap,
                Small, Small,
            ],
        ),
        (
            Subr::BitBltBitmap,
            &[
                Bitmap, Small, Small, Bitmap, Small, Small, Small, Small, Symbol, Symbol, Bitmap,
                List, Small, Small,
            ],
        ),
        (
            Subr::BltShadeBitmap,
            &[Bitmap, Bitmap, Small, Small, Small, Small, Symbol, List],
        ),
        (
            Subr::BltChar,
            &[Drawing, Drawing, Small, Small, Small, Small],
        ),
        (
            Subr::TeditBltChar,
            &[Small, Stream, Small, Drawing, Drawing, Small],
        ),
        (
            Subr::WithSymbol,
            &[Storage, Small, Small, Symbol, Record, Number],
        ),
        (Subr::CheckSum, &[Storage, Small, Small]),
        (Subr::UnixGetEnv, &[String, String]),
    ]
};

/// Writes functions of the bytes of a source.
pub struct Writer<'a, 's> {
    world: &'a World,
    source: &'a mut Source<'s>,
    tidy: bool,
    /// Tables of the machine are operands, too.
    tables: bool,
    operand: fn(LispPtr) -> Vec<u8>,
    /// Values on the evaluation stack, more or less.
    depth: usize,
    /// Instructions.
    pub code: Vec<u8>,
    /// Objects in the instructions.
    pub constants: Vec<LispPtr>,
}

impl<'a, 's> Writer<'a, 's> {
    /// A writer of one function.
    pub fn new<G: Generation>(
        world: &'a World,
        source: &'a mut Source<'s>,
        tidy: bool,
        tables: bool,
    ) -> Self {
        Self {
            world,
            source,
            tidy,
            tables,
            operand: operand::<G>,
            depth: 0,
            code: Vec::new(),
            constants: Vec::new(),
        }
    }

    /// Writes a function.
    pub fn function(&mut self) {
        let instructions = 4 + self.source.below(60);
        for _ in 0..instructions {
            if self.source.is_empty() {
                break;
            }
            self.instruction();
        }
        if self.depth == 0 {
            self.code.push(Opcode::Nil as u8);
        }
        self.code.push(Opcode::Return as u8);
    }

    fn instruction(&mut self) {
        let opcode = Opcode::from(self.source.byte());
        let mut operands = Vec::new();
        let mut sorts = None;
        // Operands on the stack that are counted.
        let mut count = self.source.below(4);
        for info in opcode.info().operands {
            match info.kind {
                OperandKind::Atom => {
                    let is_function = info.name == "fn";
                    let symbols = self.world.all(if is_function {
                        Sort::Function
                    } else {
                        Sort::Symbol
                    });
                    let symbol = symbols[self.source.below(symbols.len())];
                    operands.extend((self.operand)(symbol));
                }
                OperandKind::Ptr => {
                    let constant = self.object(None);
                    self.constants.push(constant);
                    operands.extend((self.operand)(constant));
                }
                OperandKind::I8 => operands.push(self.displacement() as u8),
                OperandKind::I16 => operands.extend(self.displacement().to_be_bytes()),
                OperandKind::U16 => operands.extend([self.source.byte(), self.source.byte()]),
                OperandKind::U8 => {
                    let mut byte = self.byte_operand(opcode, info.name);
                    match info.name {
                        "subr" => {
                            let known = SERVICES.iter().find(|(subr, _)| subr.code() == byte);
                            sorts = known.map(|(_, sorts)| *sorts);
                        }
                        "nargs" => {
                            byte = sorts.map_or(byte, |sorts| sorts.len() as u8);
                            count = byte.into();
                        }
                        "counts" => count = (byte & 15).into(),
                        "n" => count = usize::from(byte) + 1,
                        _ => {}
                    }
                    operands.push(byte);
                }
            }
        }
        let needed = match sorts {
            Some(sorts) => sorts.iter().copied().map(Needed::Sort).collect(),
            None => needed(opcode, count),
        };
        if self.tidy && (self.depth < needed.len() || self.source.below(3) != 0) {
            for operand in &needed {
                let object = match *operand {
                    Needed::Sort(sort) => self.object(Some(sort)),
                    Needed::Anything => self.object(None),
                    Needed::Count => LispPtr::smallpos(count as u16),
                };
                self.push(object);
            }
        }
        self.code.push(opcode as u8);
        self.code.extend(operands);
        let (_, after) = opcode.info().stack.split_once("--").unwrap_or_default();
        let pushed = after.split_whitespace().filter(|name| !name.contains('.'));
        self.depth = self.depth.saturating_sub(needed.len()) + pushed.count();
    }

    /// A jump to somewhere near.
    fn displacement(&mut self) -> i16 {
        self.source.below(48) as i16 - 24
    }

    fn byte_operand(&mut self, opcode: Opcode, name: &str) -> u8 {
        let byte = self.source.byte();
        let n = usize::from(byte);
        match (opcode, name) {
            _ if !self.tidy => byte,
            (Opcode::SubrCall, "subr") => match Subr::ALL[n % Subr::ALL.len()] {
                Subr::LispFinish | Subr::LispFinishAgain | Subr::Raid => Subr::DoReclaim.code(),
                other => other.code(),
            },
            (Opcode::Miscn, "sub") => Miscn::ALL[n % Miscn::ALL.len()].code(),
            (Opcode::StoreN | Opcode::CopyN, _) => (byte & 0x7E) % (2 * self.depth as u8 + 2),
            (_, "counts") => byte & 0x33,
            (_, "n" | "nargs") => byte % 6,
            // Small ones mostly.
            _ if byte < 0xC0 => byte % 16,
            _ => byte,
        }
    }

    /// An object of about this sort.
    fn object(&mut self, sort: Option<Sort>) -> LispPtr {
        let choice = self.source.byte();
        match sort {
            _ if self.tables && choice % 16 == 15 => {
                let tables = self.world.all(Sort::Table);
                let table = tables[self.source.below(tables.len())];
                table.add(self.source.below(8) as u32)
            }
            Some(Sort::Small) if choice & 1 == 0 => LispPtr::smallpos(u16::from(choice >> 3)),
            Some(sort) if choice % 8 != 7 => {
                let all = self.world.all(sort);
                all[usize::from(choice >> 3) % all.len()]
            }
            _ => self.world.any(self.source.byte().into()),
        }
    }

    fn push(&mut self, object: LispPtr) {
        self.depth += 1;
        if object == LispPtr::smallpos(object.lo()) {
            self.code.push(Opcode::SicX as u8);
            self.code.extend(object.lo().to_be_bytes());
        } else {
            self.code.push(Opcode::Gconst as u8);
            self.code.extend((self.operand)(object));
            self.constants.push(object);
        }
    }
}

/// An operand that an instruction finds on the stack.
#[derive(Clone, Copy)]
enum Needed {
    Sort(Sort),
    Anything,
    /// The number of the operands that are counted.
    Count,
}

/// The operands of an instruction, `count` of which are counted, the top last; as
/// the list of instructions names them.
fn needed(opcode: Opcode, count: usize) -> Vec<Needed> {
    let mut needed = Vec::new();
    let (before, _) = opcode.info().stack.split_once("--").unwrap_or_default();
    for name in before.split_whitespace() {
        let times = match name.split_once("..") {
            None => 1,
            Some(("", _)) => 0,
            // `a1..a7`, or `arg1..argN`.
            Some((_, last)) => last
                .trim_start_matches(char::is_alphabetic)
                .parse()
                .unwrap_or(count),
        };
        needed.extend(std::iter::repeat_n(operand_named(opcode, name), times));
    }
    needed
}

/// What the operand of this name in the list of instructions should be.
fn operand_named(opcode: Opcode, name: &str) -> Needed {
    Needed::Sort(match name {
        "n" if matches!(opcode, Opcode::ApplyFn | Opcode::EnvCall) => return Needed::Count,
        "array" if matches!(opcode, Opcode::Aref2 | Opcode::Aset2) => Sort::Matrix,
        "x" if matches!(opcode, Opcode::Rplaca | Opcode::Rplacd) => Sort::List,
        "list" | "alist" | "plist" | "tail" | "env" | "form" => Sort::List,
        "array" => Sort::Array,
        "stream" => Sort::Stream,
        "fn" => Sort::Function,
        "code" => Sort::Code,
        "bbt" => Sort::Drawing,
        "box" => Sort::Number,
        "key" | "prop" | "item" | "sym" => Sort::Symbol,
        "base" | "dest" | "src" | "coeffs" => Sort::Storage,
        "a" | "b" | "byte" | "degree" | "fx" | "hi" | "i" | "index" | "j" | "last" | "lo" | "n"
        | "off" | "type" => Sort::Small,
        _ if name.starts_with("a1..") => Sort::Small,
        _ => return Needed::Anything,
    })
}
