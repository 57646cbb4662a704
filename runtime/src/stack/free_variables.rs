//! Free variable search (`reference/processor.md` section 10).
//!
//! A free variable is found by walking the access links and looking for its
//! name in the name table of each frame; what no frame binds is the top-level
//! value cell. The address found is cached in the asking frame's slot only;
//! nothing invalidates it while the frame lives.

use super::{BOTTOM, Frame};
use crate::fault::Fault;
use crate::layout::records::{function, locator};
use crate::layout::{Generation, SymbolCell};
use crate::machine::Machine;
use crate::memory::{LispPtr, StackOffset};

/// Longest chain of frames that is followed; the stack holds fewer.
const MAX_FRAMES: u32 = 0x8000;

/// What a frame's name table says of a name.
enum Hit {
    Address(LispPtr),
    NotBound,
    Bad(u32),
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

impl<G: Generation> Machine<'_, G> {
    /// Finds the cell of the free variable in PVAR slot `slot` of the running
    /// frame and caches its address there. `Err` is a recorded fault.
    #[inline(never)]
    pub fn look_up_slot(&mut self, pvar: StackOffset, slot: u8) -> Result<(), ()> {
        let locals = self.mem.word(self.func.add(function::LOCALS));
        let (nlocals, offset) = ((locals >> 8) as u8, locals & 0xFF);
        let index = u32::from(slot.wrapping_sub(nlocals));
        let name = self
            .mem
            .cell(self.func.add(u32::from(offset) + 2 * index))
            .masked::<G>();
        let frame = Frame::of_pvar(self.mem, pvar);
        let address = self.find_variable(frame, name)?;
        self.mem
            .set_slot(pvar, slot, LispPtr(address.0.rotate_left(16)));
        Ok(())
    }

    /// The address of the cell that `name` means for code called by `frame`:
    /// the search starts at the frame's access link.
    pub fn find_variable(&mut self, mut frame: Frame<'_, G>, name: LispPtr) -> Result<LispPtr, ()> {
        for _ in 0..MAX_FRAMES {
            let alink = frame.alink_word();
            if alink == BOTTOM {
                return Ok(G::symbol_cell(name, SymbolCell::Value));
            }
            if alink == 0 {
                break;
            }
            frame = frame.alink();
            match self.find_in_frame(frame, name) {
                Hit::Address(address) => return Ok(address),
                Hit::NotBound => {}
                Hit::Bad(locator) => {
                    let function = frame.name_table();
                    self.raise_fault(Fault::BadNameTable { function, locator });
                    return Err(());
                }
            }
        }
        let fault = Fault::BadStackBlock {
            at: frame.fx,
            word: frame.alink_word(),
        };
        self.raise_fault(fault);
        Err(())
    }

    fn find_in_frame(&self, frame: Frame<'_, G>, name: LispPtr) -> Hit {
        let table = frame.name_table();
        let words = u32::from(self.mem.word(table.add(function::NAME_TABLE_SIZE)));
        let names = table.add(function::WORDS);
        for entry in (0..words).step_by(2) {
            if self.mem.cell(names.add(entry)).masked::<G>() != name {
                continue;
            }
            let locator = self.mem.cell(names.add(words + entry)).0;
            let index = (locator & 0xFF) as u8;
            match (locator >> 24) as u8 {
                locator::LOCAL => {
                    if !self.mem.slot(frame.pvar(), index).has_sign() {
                        return Hit::Address(frame.pvar().add(2 * u16::from(index)).address());
                    }
                }
                locator::FREE => {
                    let slot = self.mem.slot(frame.pvar(), index);
                    return if is_unlooked(slot) {
                        Hit::NotBound
                    } else {
                        Hit::Address(slot_address::<G>(slot))
                    };
                }
                locator::ARGUMENT => {
                    return Hit::Address(frame.ivar().add(2 * u16::from(index)).address());
                }
                _ => return Hit::Bad(locator),
            }
        }
        Hit::NotBound
    }
}
