//! What code blocks refer to: their name, the list that describes them, and the
//! constants in their instructions; and the cache of closures
//! (`reference/garbage-collector.md` section 8).

use crate::layout::Generation;
use crate::layout::records::function;
use crate::machine::Machine;
use crate::memory::{CodePc, LispPtr};

/// The instruction with a counted constant.
const GCONST: u8 = 0x6F;
/// The byte that ends the instructions of a block.
const END: u8 = 0;
/// Most bytes of a code block.
const MAX_BYTES: u32 = 4 * 0xFFFF;

/// An implicit-key hash table, as the closure cache is: offsets in words.
mod hash_table {
    /// The slots (a cell).
    pub const BASE: u32 = 0;
    /// Number of slots less one.
    pub const LAST_INDEX: u32 = 2;
    /// Number of keys.
    pub const KEYS: u32 = 4;
}

/// Bytes of the instruction with `opcode`.
fn code_length<G: Generation>(opcode: u8) -> u32 {
    match opcode {
        0x05 | 0x14 | 0x15 | 0x1E | 0x23 | 0x30..=0x33 | 0x38 | 0x39 | 0x3C | 0x3D => 2,
        0x47 | 0x4F | 0x57 | 0x5F | 0x62 | 0x63 | 0x6C | 0x6D | 0x78 | 0x79 => 2,
        0xB0 | 0xB2..=0xB5 | 0xC0 | 0xC1 | 0xC5 | 0xC6 | 0xC8 | 0xC9 | 0xCD | 0xCE => 2,
        0xDD | 0xDE | 0xEC | 0xED | 0xF8 | 0xFA | 0xFB => 2,
        0x07 | 0x11 | 0x24 | 0x6E | 0x7D | 0xB1 | 0xCA | 0xCF => 3,
        0x06 | 0x08..=0x0C | 0x17 | 0x60 | 0x67 | GCONST | 0x7F | 0xC3 => 1 + G::OPERAND_BYTES,
        0x0D => 2 + G::OPERAND_BYTES,
        _ => 1,
    }
}

impl<G: Generation> Machine<'_, G> {
    /// Drops the references from the code block at `code`. False if it must not be
    /// freed, because only the closure cache held it.
    pub(super) fn reclaim_code(&mut self, code: LispPtr) -> bool {
        if !self.mem.cell(self.symbols.closure_cache_enabled).is_nil()
            && self.remove_from_closure_cache(code)
        {
            return false;
        }
        let name = self.mem.cell(code.add(function::FRAME_NAME));
        self.release(name.masked::<G>());
        let start = u32::from(self.mem.word(code.add(function::START_PC)));
        if start == 0 {
            return true;
        }
        // The cell in front of the instructions holds a list about the function.
        let names = u32::from(self.mem.word(code.add(function::NAME_TABLE_SIZE)));
        let about = (start / 2).wrapping_sub(2);
        if start % 4 == 0 && (function::WORDS + 2 * names..start / 2).contains(&about) {
            let list = self.mem.cell(code.add(about));
            if self.is_list(list) && list.0 & !G::POINTER_MASK == 0 {
                self.mem.set_cell(code.add(about), LispPtr::NIL);
                self.release(list);
            }
        }
        self.release_constants(code, start);
        true
    }

    /// Drops the references from the instructions of the block at `code`, which
    /// begin at byte `start`.
    fn release_constants(&mut self, code: LispPtr, start: u32) {
        let block = CodePc::new(code, 0);
        let mut at = start;
        while at < MAX_BYTES {
            let opcode = self.mem.code(block, at);
            if opcode == END {
                break;
            }
            if opcode == GCONST {
                let constant = (1..=G::OPERAND_BYTES).fold(0, |value, byte| {
                    value << 8 | u32::from(self.mem.code(block, at + byte))
                });
                let constant = LispPtr(constant).masked::<G>();
                if constant != code {
                    self.release(constant);
                }
            }
            at += code_length::<G>(opcode);
        }
    }

    /// Removes the closure of the code block `code` from the closure cache; false
    /// if it is not there.
    fn remove_from_closure_cache(&mut self, code: LispPtr) -> bool {
        let table = self.mem.cell(self.symbols.closure_cache).masked::<G>();
        if table.is_nil() {
            return false;
        }
        let deleted = self
            .mem
            .cell(self.symbols.deleted_implicit_hash_slot)
            .masked::<G>();
        let base = self.mem.cell(table.add(hash_table::BASE)).masked::<G>();
        let last = u32::from(self.mem.word(table.add(hash_table::LAST_INDEX)));
        let low = u32::from(code.lo());
        let hash = u32::from(code.hi()) ^ (((low & 0x1FFF) << 3) ^ low >> 9);
        let step = ((hash ^ hash >> 8) & last.min(63)) | 1;
        let mut index = hash & last;
        for _ in 0..=last {
            let slot = base.add(2 * index);
            let value = self.mem.cell(slot);
            if value.is_nil() {
                return false;
            }
            let closure = value.masked::<G>();
            if closure != deleted && self.mem.cell(closure).masked::<G>() == code {
                self.add_ref(deleted);
                self.mem.set_cell(slot, deleted);
                self.release(closure);
                let keys = table.add(hash_table::KEYS);
                self.mem.set_word(keys, self.mem.word(keys).wrapping_sub(1));
                return true;
            }
            index = (index + step) & 0xFFFF & last;
        }
        false
    }
}
