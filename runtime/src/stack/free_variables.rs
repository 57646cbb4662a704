//! Free variable search (`reference/processor.md` section 10).
//!
//! A free variable is found by walking the access links and looking for its
//! name in the name table of each frame; what no frame binds is the top-level
//! value cell. The address found is cached in the asking frame's slot only;
//! nothing invalidates it while the frame lives.

use super::{BOTTOM, Frame};
use crate::fault::Fault;
use crate::layout::records::{frame, function, locator};
use crate::layout::{Generation, SymbolCell};
use crate::machine::Machine;
use crate::memory::{LispPtr, Mem, StackOffset};

/// Longest chain of frames that is followed; the stack holds fewer.
const MAX_FRAMES: u32 = 0x8000;

/// A search met a damaged frame; the fault is recorded in the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchFailed;

/// The PVAR slot in which a frame has a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnownIn {
    /// It binds the variable there.
    Local(u8),
    /// The slot of a free variable.
    Free(u8),
}

/// What a name table entry says of its name.
enum Hit {
    /// The cell is here.
    Address(LispPtr),
    /// The local is not bound now; another entry of the table may be.
    Unbound,
    /// The frame has the variable free itself and does not know where it is; the
    /// search goes on with its callers.
    NotLookedUp,
    /// No such kind of entry.
    Bad,
}

/// What `locator` says of the frame with PVAR slots at `pvar`.
#[inline(always)]
fn locate<G: Generation>(mem: Mem<'_, G>, pvar: StackOffset, locator: LispPtr) -> Hit {
    let index = (locator.0 & 0xFF) as u8;
    match (locator.0 >> 24) as u8 {
        locator::LOCAL => {
            if mem.slot(pvar, index).has_sign() {
                Hit::Unbound
            } else {
                Hit::Address(pvar.add(2 * u16::from(index)).address())
            }
        }
        locator::FREE => {
            let slot = mem.slot(pvar, index);
            if is_unlooked(slot) {
                Hit::NotLookedUp
            } else {
                Hit::Address(slot_address::<G>(slot))
            }
        }
        locator::ARGUMENT => {
            let ivar = StackOffset(mem.stack(pvar.sub(frame::WORDS + 2)).lo());
            Hit::Address(ivar.add(2 * u16::from(index)).address())
        }
        _ => Hit::Bad,
    }
}

/// True for a free variable slot that holds no address yet.
#[inline(always)]
pub(crate) fn is_unlooked(slot: LispPtr) -> bool {
    slot.0 & 0x1_0000 != 0
}

/// The address that a looked-up free variable slot holds.
#[inline(always)]
pub(crate) fn slot_address<G: Generation>(slot: LispPtr) -> LispPtr {
    LispPtr(slot.0.rotate_left(16)).masked::<G>()
}

/// The name of the free variable in slot `slot` of frames of `code`.
pub fn free_name<G: Generation>(mem: Mem<'_, G>, code: LispPtr, slot: u8) -> LispPtr {
    let locals = mem.word(code.add(function::LOCALS));
    let (nlocals, offset) = ((locals >> 8) as u8, locals & 0xFF);
    let index = u32::from(slot.wrapping_sub(nlocals));
    let name = mem.cell(code.add(u32::from(offset) + 2 * index));
    name.masked::<G>()
}

/// The name table of a frame that has its own.
#[cold]
#[inline(never)]
fn own_name_table<G: Generation>(mem: Mem<'_, G>, pvar: StackOffset) -> LispPtr {
    Frame::of_pvar(mem, pvar).own_name_table()
}

impl<G: Generation> Machine<'_, G> {
    /// Finds the cell of the free variable in PVAR slot `slot` of the running
    /// frame and caches its address there. `Err` is a recorded fault.
    #[inline(never)]
    pub fn look_up_slot(&mut self, pvar: StackOffset, slot: u8) -> Result<(), SearchFailed> {
        let name = free_name(self.mem, self.func, slot);
        let frame = Frame::of_pvar(self.mem, pvar);
        // A name that is no symbol may have an odd address, which would be read as
        // "not looked up" for ever.
        let address = self.find_variable(frame, name)?.0 & !1;
        self.mem
            .set_slot(pvar, slot, LispPtr(address.rotate_left(16)));
        Ok(())
    }

    /// Host address of what [`super::found`] describes.
    pub fn found_variables(&self) -> usize {
        self.searches.address()
    }

    /// How the frame that called the one at `pvar` binds or knows the free variable in
    /// slot `slot` of the latter, for frames of the same function without a name table
    /// of their own: the cell with that function, and the number of the slot. `None`
    /// if it does not, or in another way.
    pub fn known_to_caller(&self, pvar: StackOffset, slot: u8) -> Option<(LispPtr, KnownIn)> {
        let frame = Frame::of_pvar(self.mem, pvar);
        let caller = frame.alink();
        if frame.alink_word() <= BOTTOM || caller.has_name_table() {
            return None;
        }
        let name = free_name(self.mem, frame.function(), slot);
        let table = caller.function();
        let words = u32::from(self.mem.cell(table.add(function::NAME_TABLE_SIZE)).hi());
        let names = table.add(function::WORDS);
        let at = (0..words)
            .step_by(2)
            .find(|&at| self.mem.cell(names.add(at)) == name)?;
        let locator = self.mem.cell(names.add(words + at));
        let index = (locator.0 & 0xFF) as u8;
        let known = match (locator.0 >> 24) as u8 {
            locator::LOCAL => KnownIn::Local(index),
            locator::FREE => KnownIn::Free(index),
            _ => return None,
        };
        let function = self.mem.stack(caller.fx.add(frame::FUNCTION));
        Some((function, known))
    }

    /// The address of the cell that `name` means for code called by `frame`:
    /// the search starts at the frame's access link.
    pub fn find_variable(
        &mut self,
        frame: Frame<'_, G>,
        name: LispPtr,
    ) -> Result<LispPtr, SearchFailed> {
        let mem = self.mem;
        let mut pvar = frame.pvar();
        let mut flags_and_link = mem.stack(frame.fx);
        let mut passed = 0;
        let mut entry = self.searches.entry(0);
        for _ in 0..MAX_FRAMES {
            if pvar == entry {
                if let Some(address) = self.searches.recall(passed, name) {
                    self.searches.remember(passed, name, address);
                    return Ok(address);
                }
                passed += 1;
                entry = self.searches.entry(passed);
            }
            let alink = flags_and_link.lo();
            if alink == BOTTOM {
                let address = G::symbol_cell(name, SymbolCell::Value);
                self.searches.remember(passed, name, address);
                return Ok(address);
            }
            if alink == 0 {
                break;
            }
            if alink > pvar.0 {
                // Not straight down the stack.
                passed = 0;
                entry = self.searches.entry(usize::MAX - 1);
            }
            pvar = StackOffset(alink & 0xFFFE);
            flags_and_link = mem.stack(pvar.sub(frame::WORDS));
            let table = if flags_and_link.hi() & frame::flag::VALID_NAME_TABLE == 0 {
                let function = mem.stack(pvar.sub(frame::WORDS - frame::FUNCTION));
                G::frame_pointer(function).masked::<G>()
            } else {
                own_name_table(mem, pvar)
            };
            let words = u32::from(mem.cell(table.add(function::NAME_TABLE_SIZE)).hi());
            let names = table.add(function::WORDS);
            let mut entry = 0;
            // Names come in pairs: the size is a multiple of four words.
            'table: while entry < words {
                let (first, second) = mem.cell_pair(names.add(entry));
                for (candidate, at) in [(first, entry), (second, entry + 2)] {
                    if candidate != name {
                        continue;
                    }
                    let locator = mem.cell(names.add(words + at));
                    match locate(mem, pvar, locator) {
                        Hit::Address(address) => {
                            self.searches.remember(passed, name, address);
                            return Ok(address);
                        }
                        Hit::Unbound => {}
                        Hit::NotLookedUp => break 'table,
                        Hit::Bad => {
                            let locator = locator.0;
                            self.raise_fault(Fault::BadNameTable {
                                function: table,
                                locator,
                            });
                            return Err(SearchFailed);
                        }
                    }
                }
                entry += 4;
            }
        }
        let fault = Fault::BadStackBlock {
            at: pvar.sub(frame::WORDS),
            word: flags_and_link.hi(),
        };
        self.raise_fault(fault);
        Err(SearchFailed)
    }
}
