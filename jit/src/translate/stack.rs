//! The evaluation stack and the homes of its cells in the frame.

use super::*;

impl Translator<'_, '_> {
    /// Where stack cell `depth` is stored, from PVAR slot 0.
    pub(super) fn stack_home(&self, depth: usize) -> i32 {
        4 * i32::from(self.unit.slots) + 8 + 4 * depth as i32
    }

    pub(super) fn push_slot(&mut self, slot: Slot) {
        self.state.stack.push(StackCell {
            slot,
            stored: false,
        });
    }

    pub(super) fn push(&mut self, value: Value) {
        self.push_slot(Slot::Value(value, Kind::Any));
    }

    pub(super) fn pop(&mut self) -> Option<Slot> {
        self.state.stack.pop().map(|cell| cell.slot)
    }

    /// The cell at `depth` as a value.
    pub(super) fn cell_value(&mut self, depth: usize) -> Value {
        let slot = self.state.stack[depth].slot;
        let value = self.value_of(slot);
        let kind = match slot {
            Slot::Condition(_) | Slot::Integer(_) => Kind::Any,
            Slot::Float(_) => Kind::BoxedFloat,
            _ => return value,
        };
        self.state.stack[depth].slot = Slot::Value(value, kind);
        value
    }

    /// Turns a condition at `depth` into a value.
    pub(super) fn settle(&mut self, depth: usize) {
        if let Slot::Condition(_) = self.state.stack[depth].slot {
            self.cell_value(depth);
        }
    }

    pub(super) fn value_of(&mut self, slot: Slot) -> Value {
        match slot {
            Slot::Value(value, _) => value,
            Slot::Constant(cell) => self.constant(cell),
            Slot::Condition(condition) => {
                let t = self.constant(LispPtr::T.0);
                let nil = self.constant(0);
                self.builder.ins().select(condition, t, nil)
            }
            Slot::Integer(value) | Slot::Float(value) => self.boxed(slot, value),
        }
    }

    pub(super) fn pop_value(&mut self) -> Value {
        match self.pop() {
            Some(slot) => self.value_of(slot),
            None => self.constant(0),
        }
    }

    /// The slot `back` below the top.
    pub(super) fn slot(&self, back: usize) -> Slot {
        let index = self.state.stack.len() - 1 - back;
        self.state.stack[index].slot
    }

    /// Stores the whole stack in the frame, and the variables that are not there.
    pub(super) fn store_stack(&mut self) {
        for number in 0..self.state.locals.len() {
            let local = self.state.locals[number];
            let (slot, kind) = match local.kind {
                Kind::Float if local.cached => (
                    Slot::Float(self.builder.use_var(local.float_variable)),
                    Kind::BoxedFloat,
                ),
                Kind::Integer if local.cached => (
                    Slot::Integer(self.builder.use_var(local.variable)),
                    Kind::Any,
                ),
                _ => continue,
            };
            let value = self.value_of(slot);
            self.store_home(value, local.home);
            self.state.locals[number].kind = kind;
            self.state.locals[number].cached = false;
        }
        for depth in 0..self.state.stack.len() {
            if !self.state.stack[depth].stored {
                let value = self.cell_value(depth);
                let home = self.stack_home(depth);
                self.store_home(value, home);
                self.state.stack[depth].stored = true;
            }
        }
    }

    /// Replaces the top `count` cells by `value`.
    pub(super) fn replace(&mut self, count: usize, value: Value) {
        let left = self.state.stack.len() - count;
        self.state.stack.truncate(left);
        self.push(value);
    }

    /// The top `count` cells as values, deepest first.
    pub(super) fn top(&mut self, count: usize) -> Vec<Value> {
        let depth = self.state.stack.len();
        (depth - count..depth)
            .map(|at| self.cell_value(at))
            .collect()
    }

    pub(super) fn load_home(&mut self, home: i32) -> Value {
        let homes = self.homes();
        self.builder.ins().load(I32, trusted(), homes, home)
    }

    pub(super) fn store_home(&mut self, value: Value, home: i32) {
        if self.inlined.is_some() {
            // A leaf has no frame.
            return;
        }
        let homes = self.homes();
        self.builder.ins().store(trusted(), value, homes, home);
    }

    /// The Lisp address of the frame's PVAR slot 0, in 64 bits.
    pub(super) fn frame(&mut self) -> Value {
        self.builder.use_var(self.frame)
    }

    /// The same in 32 bits.
    pub(super) fn frame_address(&mut self) -> Value {
        let frame = self.frame();
        self.builder.ins().ireduce(I32, frame)
    }

    /// Its host address, which is a part of the instructions that use it.
    pub(super) fn homes(&mut self) -> Value {
        let frame = self.frame();
        self.host_address(frame)
    }

    /// Host address of the word at the Lisp address `at`, which has 64 bits and lies in Lisp
    /// memory.
    pub(super) fn host_address(&mut self, at: Value) -> Value {
        let bytes = self.builder.ins().ishl_imm_u(at, 1);
        self.builder.ins().iadd(self.base, bytes)
    }

    pub(super) fn constant(&mut self, cell: u32) -> Value {
        self.builder.ins().iconst(I32, i64::from(cell as i32))
    }
}
