//! What activations that were given up have met, and how operations are translated after
//! that.

use std::collections::BTreeMap;

use geiko_runtime::isa::Opcode;
use geiko_runtime::layout::records::element;

use crate::numbers::Kind;

/// Bits for kinds of numbers seen.
pub mod seen {
    use geiko_runtime::interp::operations::Number;

    /// Small integer.
    pub const SMALL: u8 = 1;
    /// Other integer.
    pub const FIXP: u8 = 2;
    /// Float.
    pub const FLOAT: u8 = 4;
    /// Something else, or no result.
    pub const OTHER: u8 = 8;

    /// The bit for `number`.
    pub fn bit(number: Option<Number>) -> u8 {
        match number {
            Some(Number::Integer(-0x1_0000..=0xFFFF)) => SMALL,
            Some(Number::Integer(_)) => FIXP,
            Some(Number::Float(_)) => FLOAT,
            None => OTHER,
        }
    }
}

/// What the operands and results of an operation were when it was given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// First operand.
    pub a: u8,
    /// Second operand.
    pub b: u8,
    /// Result.
    pub result: u8,
}

impl Seen {
    /// True if the operands are numbers of a kind and the result is not of that.
    pub fn leaves_its_kind(self) -> bool {
        let operands = self.a | self.b;
        let kinds = if operands & seen::OTHER != 0 {
            return false;
        } else if operands & seen::FLOAT != 0 {
            seen::FLOAT
        } else {
            seen::SMALL | operands
        };
        self.result & !kinds != 0
    }
}

/// Which arrays an instruction met when it was given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Elements {
    /// It was not given up.
    #[default]
    Unknown,
    /// Arrays of elements of the type with this code.
    One(u16),
    /// Several types, or no arrays.
    Several,
}

impl Elements {
    /// With one more that was met.
    #[must_use]
    pub fn with(self, kind: Option<u16>) -> Self {
        match (self, kind) {
            (Self::Unknown, Some(kind)) if is_known(kind) => Self::One(kind),
            (Self::One(known), Some(kind)) if known == kind => self,
            _ => Self::Several,
        }
    }
}

/// What was met when an activation was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// Operands of an operation on numbers.
    Numbers(Seen),
    /// An array, by the type of its elements, or something else.
    Array(Option<u16>),
    /// Variables of other kinds where ways meet.
    Variables,
}

/// What is known of a function from activations that were given up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Feedback {
    /// Operations by pc.
    pub operations: BTreeMap<u32, Seen>,
    /// Instructions on arrays by pc.
    pub elements: BTreeMap<u32, Elements>,
    /// Places where ways meet and a guess about variables was wrong.
    pub places: BTreeMap<u32, Wrong>,
    /// Calls of leaves by pc, and how often they were needed after all.
    pub missed: BTreeMap<u32, u32>,
    /// Times the function was compiled again.
    pub version: u32,
    /// The version in which something new was met by an operation or an array.
    pub learned: Option<u32>,
    /// The last version for which the function was observed in the interpreter.
    pub observed: Option<u32>,
    /// Nothing is guessed: boxes are made where the interpreter makes them.
    pub exact: bool,
}

/// Wrong guesses at a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wrong {
    /// How many versions of the code guessed wrong.
    pub versions: u32,
    /// The last of them.
    pub version: u32,
}

/// Operations that are observed before a function is compiled first. Before it is compiled
/// again it is sixteen times as many, twice, so that rare ones are met, too.
const FIRST_OBSERVED: u32 = 100;

/// Times that a function is compiled again with other guesses.
const MAX_VERSIONS: u32 = 12;

/// Versions that guessed wrong after which nothing is guessed at a place any more.
const MAX_WRONG: u32 = 2;

/// Calls of a leaf, in the place of which its code was put, before that is given up.
const MOST_MISSED: u32 = 4000;

/// What an operation works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// Integers and floats.
    Numbers,
    /// Integers.
    Integers,
    /// Floats; integers are converted.
    Floats,
}

/// How an operation is translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Small integers, else given up.
    Small,
    /// Integers, else given up.
    Integer,
    /// Floats, else given up. The flags tell which operands may also be integers.
    Float(bool, bool),
    /// Whatever comes.
    General,
}

/// True for instructions that are translated for what they have met.
pub fn is_observed(opcode: Opcode) -> bool {
    use Opcode::{Aref1, Aref2, Aset1, Aset2};
    matches!(opcode, Aref1 | Aref2 | Aset1 | Aset2) || domain(opcode).is_some()
}

/// The domain of an arithmetic operation or comparison.
pub fn domain(opcode: Opcode) -> Option<Domain> {
    use Opcode::{
        Difference, FDifference, FGreaterP, FPlus2, FQuotient, FTimes2, GreaterP, IDifference,
        IDifferenceN, IGreaterP, IPlus2, IPlusN, IQuotient, IRemainder, ITimes2, Llsh1, Llsh8,
        LogAnd2, LogOr2, LogXor2, Lrsh1, Lrsh8, Lsh, NumEqual, Plus2, Quotient, Times2,
    };
    Some(match opcode {
        Plus2 | Difference | Times2 | Quotient | GreaterP | NumEqual => Domain::Numbers,
        FPlus2 | FDifference | FTimes2 | FQuotient | FGreaterP => Domain::Floats,
        IPlus2 | IDifference | ITimes2 | IQuotient | IRemainder | IPlusN | IDifferenceN
        | LogAnd2 | LogOr2 | LogXor2 | Lsh | Llsh1 | Llsh8 | Lrsh1 | Lrsh8 | IGreaterP => {
            Domain::Integers
        }
        _ => return None,
    })
}

impl Feedback {
    /// Guesses were wrong too often.
    pub fn is_hopeless(&self) -> bool {
        self.exact || self.version >= MAX_VERSIONS
    }

    /// Nothing is guessed about variables at `pc`: code just given up was wrong
    /// there. A wrong guess often comes from an operation that was guessed wrong, so
    /// once that is known there is another chance.
    pub fn is_distrusted(&self, pc: u32) -> bool {
        let wrong = |wrong: &Wrong| {
            let is_explained = self.learned >= Some(wrong.version);
            let just_now = wrong.version + 1 == self.version;
            wrong.versions >= MAX_WRONG || (just_now && !is_explained)
        };
        self.places.get(&pc).is_some_and(wrong)
    }

    /// How many operations of the function are to be observed before it is compiled now;
    /// `None` if they were already.
    pub fn begin_to_observe(&mut self) -> Option<u32> {
        let version = self.version;
        let observed = self.observed.replace(version);
        (observed != Some(version)).then(|| FIRST_OBSERVED << (4 * version.min(2)))
    }

    /// Notes what the instruction at `pc` met.
    pub fn meet(&mut self, pc: u32, met: Met) {
        match met {
            Met::Numbers(seen) => self.meet_numbers(pc, seen),
            Met::Array(kind) => self.meet_array(pc, kind),
            Met::Variables => {}
        }
    }

    /// Notes what the operation at `pc` met.
    pub fn meet_numbers(&mut self, pc: u32, seen: Seen) {
        let known = self.operations.entry(pc).or_default();
        let before = *known;
        known.a |= seen.a;
        known.b |= seen.b;
        known.result |= seen.result;
        if *known != before {
            self.learned = Some(self.version);
        }
    }

    /// Notes which array the instruction at `pc` met.
    pub fn meet_array(&mut self, pc: u32, kind: Option<u16>) {
        let known = self.elements.entry(pc).or_default();
        let before = *known;
        *known = known.with(kind);
        if *known != before {
            self.learned = Some(self.version);
        }
    }

    /// Notes that the leaf that is called at `pc` had to be called. True if its code is
    /// not wanted there any more.
    pub fn miss(&mut self, pc: u32) -> bool {
        let missed = self.missed.entry(pc).or_default();
        *missed += 1;
        *missed == MOST_MISSED
    }

    /// True if the code of the leaf that is called at `pc` is put there: not if that saves
    /// boxes that the interpreter makes.
    pub fn wants_leaf(&self, pc: u32) -> bool {
        let missed = self.missed.get(&pc).copied().unwrap_or(0);
        !self.exact && missed < MOST_MISSED
    }

    /// The kind that the result of a leaf is taken to be of, which is used at `pc`.
    pub fn trusted(&self, pc: u32, kind: Kind) -> Kind {
        if self.is_hopeless() || self.is_distrusted(pc) {
            Kind::Any
        } else {
            kind
        }
    }

    /// The arrays that the instruction at `pc` is made for.
    pub fn elements(&self, pc: u32) -> Elements {
        if self.is_hopeless() {
            return Elements::Several;
        }
        self.elements.get(&pc).copied().unwrap_or_default()
    }

    /// How the operation at `pc` is translated, for operands of these kinds.
    pub fn strategy(&self, pc: u32, domain: Domain, a: Kind, b: Kind) -> Strategy {
        const INTEGERS: u8 = seen::SMALL | seen::FIXP;
        if self.is_hopeless() {
            return Strategy::General;
        }
        let known = self.operations.get(&pc).copied().unwrap_or_default();
        if (known.a | known.b | known.result) & seen::OTHER != 0 {
            return Strategy::General;
        }
        let floats = a.is_float() || b.is_float() || (known.a | known.b) & seen::FLOAT != 0;
        match domain {
            Domain::Floats => Strategy::Float(true, true),
            Domain::Integers if floats => Strategy::General,
            Domain::Numbers if floats => {
                // One operand must be a float whatever the other is, or the
                // result could be an integer.
                let surely = |kind: Kind, seen: u8| {
                    kind.is_float() || (kind == Kind::Any && seen == seen::FLOAT)
                };
                match (surely(a, known.a), surely(b, known.b)) {
                    (true, true) => Strategy::Float(false, false),
                    (true, false) => Strategy::Float(false, true),
                    (false, true) => Strategy::Float(true, false),
                    (false, false) => Strategy::General,
                }
            }
            _ if a == Kind::Integer
                || b == Kind::Integer
                || (known.a | known.b | known.result) & INTEGERS & seen::FIXP != 0 =>
            {
                Strategy::Integer
            }
            _ => Strategy::Small,
        }
    }
}

/// True for the types of elements that code is made for.
fn is_known(kind: u16) -> bool {
    use element::{
        BIT, CHARACTER_8, CHARACTER_16, FLOAT, POINTER, SIGNED_16, SIGNED_32, UNSIGNED_8,
        UNSIGNED_16, XPOINTER,
    };
    matches!(
        kind,
        BIT | CHARACTER_8
            | CHARACTER_16
            | FLOAT
            | POINTER
            | SIGNED_16
            | SIGNED_32
            | UNSIGNED_8
            | UNSIGNED_16
            | XPOINTER
    )
}
