//! Guest faults: what an image can do that no Lisp error handler can mend.
//!
//! `reference/boot-and-traps.md` section 16 lists the conditions.

use crate::memory::{LispPtr, StackOffset};

/// A condition that stops the machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Native code does not do what the interpreter does.
    #[error("native code and the interpreter differ at {difference}")]
    Lockstep {
        /// Where, and what is different.
        difference: String,
    },
    /// The stack pointer passed the end of the frame's free space.
    #[error("the stack pointer {sp:?} passed the end of free stack space at {end:?}")]
    StackEnd {
        /// Stack pointer.
        sp: StackOffset,
        /// End of the free space.
        end: StackOffset,
    },
    /// The stack is full and could not be extended.
    #[error("the stack is full: a hard reset is needed")]
    StackFull,
    /// A frame that should be resumed is followed by something else than free
    /// space.
    #[error("the block at {next:?} behind the frame at {frame:?} is not free")]
    NextBlockNotFree {
        /// Frame extension.
        frame: StackOffset,
        /// Block behind it.
        next: StackOffset,
    },
    /// A return into a frame that is marked as being inside a call.
    #[error("return into the frame at {frame:?}, which is marked as in a call")]
    FrameInCall {
        /// Frame extension.
        frame: StackOffset,
    },
    /// A stack block of no size or of an unknown kind.
    #[error("bad stack block at {at:?}: word {word:#06x}")]
    BadStackBlock {
        /// Where.
        at: StackOffset,
        /// Its first word.
        word: u16,
    },
    /// More than 200 references to a frame.
    #[error("use count overflow of the frame at {frame:?}")]
    UseCount {
        /// Frame extension.
        frame: StackOffset,
    },
    /// A name table entry of unknown kind met in a free variable search.
    #[error("bad name table of the function at {function}: locator {locator:#x}")]
    BadNameTable {
        /// Function header.
        function: LispPtr,
        /// The entry.
        locator: u32,
    },
    /// A reference count below zero.
    #[error("reference count of {object} decremented below zero")]
    CountUnderflow {
        /// The object.
        object: LispPtr,
    },
    /// A free list does not hold free objects.
    #[error("bad free list of type {type_number}: entry {entry}")]
    BadFreeList {
        /// Type number.
        type_number: u16,
        /// The entry.
        entry: LispPtr,
    },
    /// A broken array block met while freeing.
    #[error("bad array block at {block}: {reason}")]
    BadArrayBlock {
        /// The block.
        block: LispPtr,
        /// What is wrong.
        reason: &'static str,
    },
    /// Both storage regions are used up.
    #[error("storage is completely full")]
    StorageFull,
    /// A trap to a Lisp function with an impossible table entry.
    #[error("opcode {opcode:#04x} traps with {bytes} operand bytes")]
    BadTrapEntry {
        /// Opcode.
        opcode: u8,
        /// Operand bytes in the table.
        bytes: u8,
    },
    /// A function that must be compiled is not.
    #[error("{name} has no compiled definition")]
    NotCompiled {
        /// The symbol.
        name: &'static str,
    },
    /// Lisp called for the emulator's debugger.
    #[error("Lisp called RAID: {message}")]
    Raid {
        /// Lisp's message.
        message: String,
    },
}

impl Fault {
    /// True if the machine can go on: what was wrong was left as it is, and the instruction is done.
    pub fn is_survivable(&self) -> bool {
        matches!(
            self,
            Self::CountUnderflow { .. } | Self::BadArrayBlock { .. }
        )
    }
}
