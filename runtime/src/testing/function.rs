//! Compiled functions put together by hand.

use crate::layout::records::{definition, function, locator};
use crate::layout::{Generation, SymbolCell};
use crate::machine::Machine;
use crate::memory::LispPtr;

/// A compiled function.
#[derive(Clone, Copy, Debug)]
pub struct Function<'a> {
    /// Stack words it needs.
    pub stack_min: u16,
    /// Arguments, -1 for any number.
    pub arguments: i16,
    /// Pairs of PVAR slots.
    pub quads: u16,
    /// PVAR slots that are locals.
    pub locals: u8,
    /// Names of its variables with their locators.
    pub names: &'a [(LispPtr, u32)],
    /// Its code.
    pub code: &'a [u8],
}

impl Default for Function<'_> {
    fn default() -> Self {
        Self {
            stack_min: 0,
            arguments: -1,
            quads: 0,
            locals: 0,
            names: &[],
            code: &[],
        }
    }
}

impl Function<'_> {
    /// Words of each half of its name table.
    fn name_table_words(&self) -> u32 {
        match self.names.len() as u32 {
            0 => 0,
            count => (2 * (count + 1)).next_multiple_of(4),
        }
    }

    /// Where its code starts, in bytes.
    fn start(&self) -> u32 {
        2 * (function::WORDS + 2 * self.name_table_words())
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        self.start() as usize + self.code.len()
    }

    /// Puts the function at `address`.
    pub fn place<G: Generation>(&self, m: &Machine<'_, G>, address: LispPtr) {
        let size = self.name_table_words();
        let names = function::WORDS;
        let free = self
            .names
            .iter()
            .position(|(_, locator)| *locator >> 24 == u32::from(locator::FREE));
        let first_free = free.map_or(0, |at| names + 2 * at as u32);
        let start = self.start();
        for (word, value) in [
            (function::STACK_MIN, self.stack_min),
            (function::ARG_COUNT, self.arguments as u16),
            (function::PVAR_QUADS, self.quads.wrapping_sub(1)),
            (function::START_PC, start as u16),
            (function::NAME_TABLE_SIZE, size as u16),
            (
                function::LOCALS,
                u16::from(self.locals) << 8 | first_free as u16,
            ),
        ] {
            m.mem.set_word(address.add(word), value);
        }
        for word in (0..2 * size).step_by(2) {
            m.mem.set_cell(address.add(names + word), LispPtr::NIL);
        }
        for (&(name, locator), entry) in self.names.iter().zip((names..).step_by(2)) {
            m.mem.set_cell(address.add(entry), name);
            m.mem.set_cell(address.add(entry + size), LispPtr(locator));
        }
        for (offset, &byte) in (start as i32..).zip(self.code) {
            m.mem.set_byte(address, offset, byte);
        }
    }

    /// Puts the function at `address` and makes it the definition of `symbol`.
    pub fn define<G: Generation>(&self, m: &Machine<'_, G>, symbol: LispPtr, address: LispPtr) {
        self.place(m, address);
        let cell = G::symbol_cell(symbol, SymbolCell::Definition);
        m.mem
            .set_cell(cell, LispPtr(definition::COMPILED | address.0));
    }
}

/// The bytes of a symbol or pointer in code.
pub fn operand<G: Generation>(pointer: LispPtr) -> Vec<u8> {
    pointer.0.to_be_bytes()[4 - G::OPERAND_BYTES as usize..].to_vec()
}
