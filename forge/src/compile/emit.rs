//! From expressions to instructions.
//!
//! An expression is compiled for a [`Destination`], what becomes of its value, or as
//! a condition for a jump. The depth of the evaluation stack is known at every
//! instruction, and so are the marks of BIND on it: whatever leaves a block takes
//! off what is too much.
//!
//! - A place that functions further in may leave to (CATCH; BLOCK and TAGBODY when
//!   closures leave to them) binds two slots that are seen by name: the tag in
//!   `SI:*CATCH-RETURN-TO*` and the place to go on in `SI:*CATCH-RETURN-PC*`. UNWIND
//!   then cuts the stack.
//! - UNWIND-PROTECT calls the protected form as a function called
//!   `SI:*UNWIND-PROTECT*`, whose argument is the closure that cleans up.
//! - A closure's environment is a pointer hunk; its first cell is the environment
//!   around it where something needs that.

mod branches;
mod calls;
mod exits;
mod nodes;
mod optimise;
mod scopes;

use std::collections::HashMap;

use geiko_runtime::isa::Opcode;

use super::globals::Globals;
use super::tree::{Arity, ExitId, FunctionId, Node, Role, ScopeId, Strategy, Unit, VariableId};
use crate::assemble::{self, Assembly, Item, Jump, Label, Operand, Slot};
use crate::code::Code;
use crate::datum::{Datum, Package, Symbol};
use crate::{Error, Result};

/// Arguments that instructions can reach.
const MAX_ARGUMENTS: usize = 128;

/// The label of the first instruction.
const START: Label = Label(0);

/// What becomes of the values of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Destination {
    /// They are not wanted.
    Effect,
    /// The first one is left on the stack.
    Value,
    /// A list of all is left on the stack.
    List,
    /// The function returns them.
    Return,
}

/// What a unit becomes.
pub struct Output<'g> {
    /// Names for the program.
    pub globals: &'g mut Globals,
    /// Bytes of a symbol in code.
    pub atom_bytes: u32,
    /// The names of local functions that have one of their own.
    pub names: HashMap<FunctionId, Symbol>,
    /// Those functions.
    pub functions: Vec<(Symbol, Code)>,
}

/// Compiles a unit: its first function, and local functions with names of their own.
pub fn compile(
    unit: &Unit,
    globals: &mut Globals,
    atom_bytes: u32,
) -> Result<(Code, Vec<(Symbol, Code)>)> {
    let mut output = Output {
        globals,
        atom_bytes,
        names: HashMap::new(),
        functions: Vec::new(),
    };
    let outer = &unit.function(FunctionId(0)).name;
    for (index, function) in unit.functions.iter().enumerate() {
        if function.strategy != Strategy::Closure {
            let name = output.globals.make_name(outer, &function.name);
            output.names.insert(FunctionId(index as u32), name);
        }
    }
    let code = Emitter::function(unit, FunctionId(0), &mut output)?;
    Ok((code, output.functions))
}

/// What is known of a label.
#[derive(Clone, Copy, Default)]
struct LabelState {
    /// Depth of the stack there.
    depth: Option<u16>,
    /// Whether something may come from elsewhere.
    referenced: bool,
}

/// Where a block or tagbody of this function can be left to.
#[derive(Clone, Debug)]
struct ExitState {
    /// What becomes of values.
    destination: Destination,
    /// End of a block, or the tags.
    labels: Vec<Label>,
    /// Depth of the stack there, without a value.
    depth: u16,
}

/// Compiles a function.
struct Emitter<'u, 'o, 'g> {
    unit: &'u Unit,
    id: FunctionId,
    output: &'o mut Output<'g>,
    items: Vec<Item>,
    depth: u16,
    reachable: bool,
    labels: Vec<LabelState>,
    /// Depths of the marks of BIND.
    marks: Vec<u16>,
    /// Which local slots are in use.
    used: Vec<bool>,
    /// Slots for names that others see: names, first slot, whether in use.
    groups: Vec<(Vec<Symbol>, u16, bool)>,
    bound: u16,
    free: Vec<Symbol>,
    free_numbers: HashMap<Symbol, u16>,
    variables: HashMap<VariableId, Slot>,
    /// Variables that are only other names for constants or variables.
    names: HashMap<VariableId, Node>,
    environments: HashMap<ScopeId, Slot>,
    exits: HashMap<ExitId, ExitState>,
    /// Where a wrong number of arguments leads.
    argument_error: Option<(Label, Arity)>,
}

impl<'u, 'o, 'g> Emitter<'u, 'o, 'g> {
    /// The code of a function of a unit.
    fn function(unit: &'u Unit, id: FunctionId, output: &'o mut Output<'g>) -> Result<Code> {
        let mut this = Self::new(unit, id, output);
        let function = unit.function(id);
        let scope = function.scope;
        this.refer(START, 0);
        this.place(START);
        if function.required.len() > MAX_ARGUMENTS {
            return this.fail(format!(
                "the function {} has {} parameters; at most {MAX_ARGUMENTS} are possible",
                function.name,
                function.required.len()
            ));
        }
        if this.begin_environment(scope)? {
            for &id in &function.required {
                if let Some(offset) = this.environment_offset(id) {
                    let argument = unit.variable(id).argument.unwrap_or(0);
                    this.push(Item::ReadArgument(argument));
                    this.push(Item::Byte(Opcode::RplPtrN, offset));
                }
            }
            this.push(Item::Op(Opcode::Pop));
        }
        if function.role == Role::Protected {
            this.protected(&function.body)?;
        } else {
            this.node(&function.body, Destination::Return)?;
        }
        if let Some((label, arity)) = this.argument_error {
            this.place(label);
            this.small(arity.least);
            match arity.most {
                Some(most) => this.small(most),
                None => this.push(Item::Op(Opcode::Nil)),
            }
            this.push(Item::Call(2, system("ARGUMENT-ERROR")));
            this.return_();
        }
        this.finish()
    }

    fn new(unit: &'u Unit, id: FunctionId, output: &'o mut Output<'g>) -> Self {
        let in_slot = unit.environment_of(id).is_some()
            && unit.function(id).strategy != Strategy::GlobalWithEnvironment;
        Self {
            unit,
            id,
            output,
            items: Vec::new(),
            depth: 0,
            reachable: true,
            labels: vec![LabelState::default()],
            marks: Vec::new(),
            // Slot 0 is where a closure finds its environment.
            used: if in_slot { vec![true] } else { Vec::new() },
            groups: Vec::new(),
            bound: 0,
            free: Vec::new(),
            free_numbers: HashMap::new(),
            variables: HashMap::new(),
            names: HashMap::new(),
            environments: HashMap::new(),
            exits: HashMap::new(),
            argument_error: None,
        }
    }

    fn fail<T>(&self, message: impl Into<String>) -> Result<T> {
        Err(Error::new(&self.unit.function(self.id).place, message))
    }

    fn finish(mut self) -> Result<Code> {
        optimise::optimise(&mut self.items);
        let function = self.unit.function(self.id);
        let count = function.required.len() as u16;
        let arguments = match function.strategy {
            _ if function.counts => None,
            Strategy::GlobalWithEnvironment => Some(count + 1),
            _ if function.role == Role::Protected => Some(1),
            _ => Some(count),
        };
        let published_arguments = function
            .required
            .iter()
            .map(|&id| self.unit.variable(id))
            .filter(|variable| variable.special)
            .map(|variable| (variable.name.clone(), variable.argument.unwrap_or(0)))
            .collect();
        assemble::assemble(
            Assembly {
                name: match self.output.names.get(&self.id) {
                    Some(name) => name.clone(),
                    None => function.name.clone(),
                },
                arguments,
                parameters: function.names.clone(),
                locals: self.used.len() as u16,
                bound: self.bound,
                published_arguments,
                published_bound: published(&self.groups),
                free: self.free,
                items: self.items,
                place: function.place.clone(),
            },
            self.output.atom_bytes,
        )
    }

    /// Adds an instruction, unless nothing comes here.
    fn push(&mut self, item: Item) {
        if !self.reachable {
            return;
        }
        let (pops, pushes) = assemble::item_effect(&item);
        self.depth = self.depth.saturating_sub(pops) + pushes;
        match (self.items.last(), &item) {
            (Some(Item::WritePop(written)), Item::Read(read)) if written == read => {
                let slot = *read;
                self.items.pop();
                self.items.push(Item::Write(slot));
            }
            (Some(Item::Write(slot)), Item::Op(Opcode::Pop)) => {
                let slot = *slot;
                self.items.pop();
                self.items.push(Item::WritePop(slot));
            }
            (Some(last), Item::Op(Opcode::Pop)) if is_pure(last) => {
                self.items.pop();
            }
            (Some(Item::Byte(Opcode::GetBasePtrN, _)), Item::Op(Opcode::Pop)) => {
                self.items.pop();
                self.items.push(item);
            }
            (Some(Item::Op(Opcode::Pop)), Item::ReadArgument(read))
                if matches!(
                    self.items.iter().rev().nth(1),
                    Some(Item::WriteArgument(written)) if written == read
                ) =>
            {
                self.items.pop();
            }
            _ => self.items.push(item),
        }
    }

    fn small(&mut self, number: u16) {
        self.push(Item::Constant(Datum::integer(number)));
    }

    fn return_(&mut self) {
        self.push(Item::Op(Opcode::Return));
        self.reachable = false;
    }

    fn new_label(&mut self) -> Label {
        self.labels.push(LabelState::default());
        Label(self.labels.len() as u32 - 1)
    }

    /// Notes that something comes to a label with the stack at a depth.
    fn refer(&mut self, label: Label, depth: u16) {
        let state = &mut self.labels[label.0 as usize];
        debug_assert!(state.depth.is_none_or(|known| known == depth));
        state.depth = Some(depth);
        state.referenced = true;
    }

    fn jump(&mut self, jump: Jump, label: Label) {
        if !self.reachable {
            return;
        }
        let kept = u16::from(matches!(jump, Jump::IfNilKeep | Jump::IfTrueKeep));
        self.push(Item::Jump(jump, label));
        self.refer(label, self.depth + kept);
        if jump == Jump::Always {
            self.reachable = false;
        }
    }

    /// Puts a label here.
    fn place(&mut self, label: Label) {
        let state = self.labels[label.0 as usize];
        if !state.referenced {
            return;
        }
        if let Some(depth) = state.depth {
            debug_assert!(!self.reachable || depth == self.depth);
            self.depth = depth;
        }
        self.reachable = true;
        self.items.push(Item::Label(label));
    }

    /// A local slot that is not in use.
    fn take_slot(&mut self) -> Slot {
        let index = match self.used.iter().position(|used| !used) {
            Some(index) => index,
            None => {
                self.used.push(false);
                self.used.len() - 1
            }
        };
        self.used[index] = true;
        Slot::Local(index as u16)
    }

    fn give_back(&mut self, slot: Slot) {
        if let Slot::Local(index) = slot {
            self.used[usize::from(index)] = false;
        }
    }

    /// Pops into a new local slot.
    fn pop_into_new_slot(&mut self) -> Slot {
        let slot = self.take_slot();
        self.push(Item::WritePop(slot));
        slot
    }

    /// Slots that others see by these names, next to each other. Of slots with the
    /// same name the later ones are further in, so a group is used again only when
    /// no later one is in use.
    fn take_group(&mut self, names: Vec<Symbol>) -> (usize, u16) {
        let after = self.groups.iter().rposition(|(_, _, used)| *used);
        let from = after.map_or(0, |index| index + 1);
        let again = self.groups[from..]
            .iter()
            .position(|(known, ..)| *known == names);
        let index = match again {
            Some(index) => from + index,
            None => {
                let first = self.bound;
                self.bound += names.len() as u16;
                self.groups.push((names, first, false));
                self.groups.len() - 1
            }
        };
        self.groups[index].2 = true;
        (index, self.groups[index].1)
    }

    /// BIND, with values on the stack for the first slots of a group.
    fn bind(&mut self, first: u16, values: u8, nils: u8) {
        let last = first + u16::from(values) + u16::from(nils) - 1;
        self.push(Item::Bind { values, nils, last });
        self.marks.push(self.depth);
    }

    /// Leaves what a BIND has made; the destination's value stays.
    fn unbind(&mut self, destination: Destination) {
        self.marks.pop();
        match destination {
            Destination::Effect => self.push(Item::Op(Opcode::Dunbind)),
            Destination::Value | Destination::List => self.push(Item::Op(Opcode::Unbind)),
            Destination::Return => {}
        }
    }

    /// Takes everything above a depth off the stack, except perhaps the top.
    fn cut(&mut self, depth: u16, keep: bool) {
        if !self.reachable {
            return;
        }
        let mut at = self.depth - u16::from(keep);
        let marks: Vec<_> = self.marks.iter().rev().copied().collect();
        let marks: Vec<_> = marks.into_iter().take_while(|&mark| mark > depth).collect();
        // UNBIND and DUNBIND take what lies above the mark with it.
        let below = marks.last().map_or(at, |&mark| mark - 1) - depth;
        if below > 0 && keep && !(marks.is_empty() && below == 1) {
            self.push(Item::Unwind { depth, keep });
            self.depth = depth + 1;
            return;
        }
        for mark in marks {
            let opcode = if keep {
                Opcode::Unbind
            } else {
                Opcode::Dunbind
            };
            self.push(Item::Op(opcode));
            at = mark - 1;
            self.depth = at + u16::from(keep);
        }
        match (at - depth, keep) {
            (0, _) => {}
            (1, true) => {
                self.push(Item::Op(Opcode::Swap));
                self.push(Item::Op(Opcode::Pop));
            }
            (1, false) => self.push(Item::Op(Opcode::Pop)),
            (count, _) => self.push(Item::Byte(Opcode::PopN, (count - 1) as u8)),
        }
        self.depth = depth + u16::from(keep);
    }

    /// A call of a function on the stack: its arguments, their number, itself.
    fn apply(&mut self, arguments: u16) {
        self.push(Item::Raw {
            opcode: Opcode::ApplyFn,
            operands: Vec::new(),
            pops: arguments + 2,
            pushes: 1,
        });
    }

    /// A call of a code block on the stack: arguments, their number, code,
    /// environment.
    fn call_code(&mut self, arguments: u16) {
        self.push(Item::Raw {
            opcode: Opcode::EnvCall,
            operands: Vec::new(),
            pops: arguments + 3,
            pushes: 1,
        });
    }

    fn raw(&mut self, opcode: Opcode, operands: &[Operand], pops: u16) {
        let item = match operands {
            [] if assemble::stack_effect(opcode) == fixed(pops) => Item::Op(opcode),
            [Operand::Number(byte)] if assemble::stack_effect(opcode) == fixed(pops) => {
                match opcode.length(0) {
                    2 => Item::Byte(opcode, *byte as u8),
                    _ => Item::Constant(Datum::integer(*byte)),
                }
            }
            [Operand::Symbol(symbol)] if assemble::stack_effect(opcode) == fixed(pops) => {
                Item::Symbol(opcode, symbol.clone())
            }
            operands => Item::Raw {
                opcode,
                operands: operands.to_vec(),
                pops,
                pushes: 1,
            },
        };
        self.push(item);
    }
}

fn fixed(pops: u16) -> assemble::StackEffect {
    assemble::StackEffect::Fixed { pops, pushes: 1 }
}

/// The names of bound slots as lookups want them: of special variables the
/// innermost first, of places to leave to the innermost last.
fn published(groups: &[(Vec<Symbol>, u16, bool)]) -> Vec<(Symbol, u16)> {
    let (places, variables): (Vec<_>, Vec<_>) = groups
        .iter()
        .partition(|(names, ..)| names.first() == Some(&system("*CATCH-RETURN-TO*")));
    variables
        .into_iter()
        .rev()
        .chain(places)
        .flat_map(|(names, first, _)| names.iter().cloned().zip(*first..))
        .collect()
}

/// Whether an instruction only pushes something.
fn is_pure(item: &Item) -> bool {
    matches!(
        item,
        Item::Constant(_)
            | Item::Op(Opcode::Nil | Opcode::T | Opcode::Zero | Opcode::One | Opcode::Copy)
            | Item::Read(Slot::Local(_) | Slot::Bound(_))
            | Item::ReadArgument(_)
            | Item::Code(_)
            | Item::Closure(_)
    )
}

/// A symbol of package SYSTEM.
fn system(name: &str) -> Symbol {
    Symbol::new(Package::System, name)
}

/// A symbol of package INTERLISP.
fn interlisp(name: &str) -> Symbol {
    Symbol::new(Package::Interlisp, name)
}
