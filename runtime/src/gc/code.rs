//! What code blocks refer to: their name and the constants in their instructions;
//! and the cache of closures (`reference/garbage-collector.md` section 8).

use crate::isa::Opcode;
use crate::layout::Generation;
use crate::layout::records::{function, hash_table};
use crate::machine::Machine;
use crate::memory::{CodePc, LispPtr};

/// Most bytes of a code block.
const MAX_BYTES: u32 = 4 * 0xFFFF;

impl<G: Generation> Machine<'_, G> {
    /// Drops the references from the code block at `code`. False if it must not be
    /// freed, because only the closure cache held it.
    pub(super) fn reclaim_code(&mut self, code: LispPtr) -> bool {
        if !self.mem.cell(self.symbols.closure_cache_enabled).is_nil()
            && self.remove_from_closure_cache(code)
        {
            return false;
        }
        self.forget_native_code(code);
        let name = self.mem.cell(code.add(function::FRAME_NAME));
        self.release(name.masked::<G>());
        let start = u32::from(self.mem.word(code.add(function::START_PC)));
        if start == 0 {
            return true;
        }
        // The list in front of the instructions, which describes the function, is
        // not released: code and a copy of it may hold it with one count between
        // them, so it may still be in use.
        self.release_constants(code, start);
        true
    }

    /// Drops the references from the instructions of the block at `code`, which
    /// begin at byte `start`.
    fn release_constants(&mut self, code: LispPtr, start: u32) {
        let mut pc = CodePc::new(code, start as u16);
        for _ in 0..MAX_BYTES {
            let opcode = Opcode::from(self.mem.code(pc, 0));
            if opcode == Opcode::EndOfCode {
                break;
            }
            if opcode == Opcode::Gconst {
                let constant = self.mem.pointer_operand(pc, 1).masked::<G>();
                if constant != code {
                    self.release(constant);
                }
            }
            pc = pc.jump(opcode.length(G::OPERAND_BYTES) as i32);
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
