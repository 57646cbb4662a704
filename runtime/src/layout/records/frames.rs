//! Frames, code blocks, and what leads to them.

/// Frame extensions (`reference/processor.md` section 6).
pub mod frame {
    /// Flags and use count.
    pub const FLAGS: u16 = 0;
    /// Access link; bit 0 set = slow frame.
    pub const ALINK: u16 = 1;
    /// Function header pointer (a frame pointer cell).
    pub const FUNCTION: u16 = 2;
    /// Stack offset of the block behind this frame.
    pub const NEXT_BLOCK: u16 = 4;
    /// Byte offset in the function where execution resumes.
    pub const PC: u16 = 5;
    /// Name table pointer (a frame pointer cell).
    pub const NAME_TABLE: u16 = 6;
    /// Basic frame, in slow frames.
    pub const BLINK: u16 = 8;
    /// Control link, in slow frames.
    pub const CLINK: u16 = 9;
    /// Words of the fixed part; the PVAR slots follow.
    pub const WORDS: u16 = 10;
    /// Words of the padding between PVAR slots and the evaluation stack.
    pub const PADDING: u16 = 4;

    /// Flag bits of word 0.
    pub mod flag {
        /// A frame extension.
        pub const KIND: u16 = 0xC000;
        /// Set in a frame that must never be resumed.
        pub const IN_CALL: u16 = 1 << 10;
        /// The name table word is valid.
        pub const VALID_NAME_TABLE: u16 = 1 << 9;
        /// A value returned into the frame is dropped; its own top of stack is
        /// in memory.
        pub const NO_PUSH: u16 = 1 << 8;
        /// Use count, references less one.
        pub const USE_COUNT: u16 = 0xFF;
    }
}

/// Kinds of stack blocks: the top three bits of the first word.
pub mod block {
    /// Mask of the kind.
    pub const KIND: u16 = 0xE000;
    /// Basic frame cell.
    pub const BASIC_FRAME: u16 = 0x8000;
    /// Free block; the next word is its size.
    pub const FREE: u16 = 0xA000;
    /// Frame extension.
    pub const FRAME: u16 = 0xC000;
    /// Guard block; the next word is its size.
    pub const GUARD: u16 = 0xE000;
    /// Bit of a basic frame cell: a stand-in before a moved frame.
    pub const RESIDUAL: u16 = 1 << 9;
    /// Bit of a basic frame cell: one padding cell before it.
    pub const PADDED: u16 = 1 << 8;
}

/// Function headers (`reference/processor.md` section 7).
pub mod function {
    /// Words that must be free on the stack between two checks.
    pub const STACK_MIN: u32 = 0;
    /// Number of arguments, negative for any number.
    pub const ARG_COUNT: u32 = 1;
    /// PVAR quad-words less one.
    pub const PVAR_QUADS: u32 = 2;
    /// Byte offset of the first instruction.
    pub const START_PC: u32 = 3;
    /// Flags and the frame name (a cell).
    pub const FRAME_NAME: u32 = 4;
    /// Words of each half of the name table.
    pub const NAME_TABLE_SIZE: u32 = 6;
    /// Locals (high byte) and offset of the first free variable name (low byte).
    pub const LOCALS: u32 = 7;
    /// Words of the header; the name table follows.
    pub const WORDS: u32 = 8;
    /// Words in the place of a name table that a function does not have.
    pub const NO_NAME_TABLE_WORDS: u32 = 4;
    /// Bytes in front of the first instruction that hold debugging information
    /// (a cell).
    pub const DEBUG_BYTES: u32 = 4;
}

/// Definition cells of symbols (`reference/memory-map.md` section 6.2).
pub mod definition {
    /// The pointer is a code block.
    pub const COMPILED: u32 = 1 << 31;
    /// The code has no name table.
    pub const FAST: u32 = 1 << 30;
    /// Position of how the arguments are taken, two bits, here and in the cell
    /// of the frame name in function headers.
    pub const ARGUMENT_KIND_SHIFT: u32 = 28;
}

/// Kinds of entries of name tables: the top byte of the locator.
pub mod locator {
    /// Argument; the low byte is its number.
    pub const ARGUMENT: u8 = 0x00;
    /// Variable in a PVAR slot; the low byte is its number.
    pub const LOCAL: u8 = 0x80;
    /// Free variable; the low byte is the number of its PVAR slot.
    pub const FREE: u8 = 0xC0;
}
