//! Symbol lookup as a service (`reference/subrs.md`): the reader calls it for
//! every symbol it reads.

use super::{Args, Outcome};
use crate::image::symbols::Name;
use crate::layout::Generation;
use crate::layout::records::types;
use crate::machine::Machine;
use crate::memory::LispPtr;

/// What WITH-SYMBOL stores in its result cell: found, not found.
const FOUND: u32 = 3;
const NOT_FOUND: u32 = -1_i32 as u32;

impl<G: Generation> Machine<'_, G> {
    /// WITH-SYMBOL: looks `length` characters at `base`, from `offset` on, up in
    /// a hash table of a package.
    pub(super) fn subr_with_symbol(&mut self, args: &Args) -> Outcome {
        let mem = self.mem;
        let base = args.get(0).masked::<G>();
        let offset = u32::from(args.get(1).lo());
        let length = u32::from(args.get(2).lo());
        let fat = !args.get(3).is_nil();
        let code = |n: u32| {
            if fat {
                mem.word(base.add(offset + n))
            } else {
                u16::from(mem.byte(base, (offset + n) as i32))
            }
        };
        let symbol = Name { length, code }.find_in_table(mem, args.get(4));
        let result = args.get(5);
        if self.type_number(result) == types::FIXP {
            let found = if symbol.is_some() { FOUND } else { NOT_FOUND };
            self.mem.set_cell(result.masked::<G>(), LispPtr(found));
        }
        Outcome::Value(symbol.unwrap_or(LispPtr::NIL))
    }
}
